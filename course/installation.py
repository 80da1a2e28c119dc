"""Checks of `course doctor`: Python, the packages, the backend, nbgrader and Jupyter's kernel."""

from __future__ import annotations  # an older Python must get as far as being told that it is too old

import json
import os
import pathlib
import shutil
import subprocess
import sys

from course.findings import NOTE, OK, PROBLEM, ROOT, SETUP, Finding, ask, some

OLDEST, NEWEST = (3, 11), (3, 13)
IMPORT_LIMIT = 180  # seconds for a package to be imported: on a machine with ten times its work, 60 were too few
CUDA = {"tensorflow": "tensorflow[and-cuda]", "jax": "jax[cuda]"}  # what brings the libraries for a GPU along


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is one that all packages are locked for."""
    text = ".".join(map(str, version))
    if OLDEST <= version[:2] <= NEWEST:
        return Finding("Python", OK, text)
    advice = "install one of them, then `make clean` and, with its name, `make setup PYTHON=python3.12`"
    return Finding("Python", PROBLEM, f"{text}, and the course needs 3.11, 3.12 or 3.13", advice)


def check_environment() -> Finding:
    """Whether the course runs from an environment of its own."""
    prefix = pathlib.Path(sys.prefix)
    if sys.prefix != sys.base_prefix or (prefix / "conda-meta").is_dir():
        return Finding("environment", OK, f"{prefix}, course in {ROOT}")
    advice = "activate the course's with `source .venv/bin/activate`, after `make setup`"
    return Finding("environment", NOTE, f"{prefix} is no environment of the course's own", advice)


def check_packages() -> Finding:
    """Whether the packages are there, in the versions of the lock."""
    import importlib.metadata
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    entries = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    locked = {canonicalize_name(each.name): each for each in entries if not each.marker or each.marker.evaluate()}
    found = {canonicalize_name(each.name): each.version for each in importlib.metadata.distributions() if each.name}
    missing = [name for name in locked if name not in found]
    if missing:
        level = PROBLEM if needed.intersection(missing) else NOTE
        return Finding("packages", level, f"{len(missing)} of {len(locked)} are missing, {some(missing)}", SETUP)
    others = [name for name, entry in locked.items() if not entry.specifier.contains(found[name])]
    if others:
        text = f"{len(others)} of {len(locked)} in another version than the lock's, {some(others)}"
        return Finding("packages", NOTE, text, "where something fails, " + SETUP)
    return Finding("packages", OK, f"all {len(locked)} as locked")


_BACKEND = """
import importlib.metadata, json, keras
backend = keras.config.backend()
assert float(keras.ops.sum(keras.ops.ones(3))) == 3
try:
    gpus = len(keras.distribution.list_devices("gpu"))
except RuntimeError:
    gpus = 0
print(json.dumps([keras.__version__, backend, importlib.metadata.version(backend), gpus]))
"""


def check_backend() -> list[Finding]:
    """Whether Keras's backend can be imported and can add, and whether it sees a GPU. A crash or hang is a finding."""
    answer, failure = ask(_BACKEND, IMPORT_LIMIT)
    if failure:
        return [Finding("backend", PROBLEM, failure, _advise(failure))]
    keras, backend, version, gpus = json.loads(answer)
    return [
        Finding("backend", OK, f"Keras {keras} on {backend} {version}"),
        _describe_gpus(gpus, f"{CUDA.get(backend, backend)}=={version}"),
    ]


def _advise(failure: str) -> str:
    """What to do where a package cannot be imported."""
    chosen = os.environ.get("KERAS_BACKEND")
    if failure.startswith("no answer"):
        return "where the machine is busy, wait and try again; else " + SETUP
    if failure.endswith("signal 4"):
        return "this processor lacks instructions (AVX) that the package was built for; use Colab"
    if failure.endswith("signal 9"):
        return "the memory was used up; close other programs"
    return f"{SETUP}, or try without KERAS_BACKEND={chosen}" if chosen else SETUP


def _describe_gpus(seen: int, package: str) -> Finding:
    if seen:
        return Finding("GPU", OK, f"{seen} in use")
    if shutil.which("nvidia-smi") and subprocess.run(["nvidia-smi", "-L"], capture_output=True).stdout.strip():
        advice = f"on Linux, install its libraries with `uv pip install '{package}'`"
        return Finding("GPU", NOTE, "there is one that the backend does not see", advice)
    return Finding("GPU", OK, "none; everything runs, and a lecture's head says how long it takes on 2 CPU cores")


def check_nbgrader() -> Finding:
    """Whether nbgrader can be imported: problem sets are released and graded with it."""
    version, failure = ask("import nbgrader.converters; print(nbgrader.__version__)", IMPORT_LIMIT)
    if failure:
        return Finding("nbgrader", PROBLEM, failure, _advise(failure))
    return Finding("nbgrader", OK, version)


def check_kernel() -> Finding:
    """Whether Jupyter's kernel python3, which every notebook asks for, is this Python."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        program = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding("kernel", PROBLEM, "Jupyter has no kernel python3", SETUP)
    if pathlib.Path(program).name == program or pathlib.Path(program).parent == pathlib.Path(sys.executable).parent:
        return Finding("kernel", OK, "python3 is this Python")  # Jupyter puts its own in the place of a bare name
    advice = f"run `{sys.executable} -m ipykernel install --sys-prefix`"
    return Finding("kernel", PROBLEM, f"python3 starts {program}, which is another Python", advice)
