"""What every benchmark uses: one side of a comparison, and what the run is recorded with."""

import importlib.metadata
import os
import platform
from typing import Any

import numpy as np
import pytest

from benchmarks.comparison import Side

SEED = 42
PACKAGES = ("tensorflow", "keras", "jax", "numpy", "torch", "pytest-benchmark")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--small", action="store_true", help="sizes that show that a benchmark runs, and no more")


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Record what explains a time, and not the machine's name."""
    processor = machine_info["cpu"].get("brand_raw", platform.machine())
    machine_info.clear()
    machine_info.update(
        system=platform.system(),
        processor=processor,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        python=platform.python_version(),
        versions={name: version for name in PACKAGES if (version := _version(name))},
        seed=SEED,
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


@pytest.fixture
def small(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--small")


@pytest.fixture
def side(benchmark: Any, small: bool) -> Side:
    return Side(benchmark, small)
