"""A training step of an LSTM(128) over 80 words: Keras beside PyTorch, and the settings that Keras has for it."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

from benchmarks.training_step import LENGTH, UNITS

SCRIPT = pathlib.Path(__file__).with_name("training_step.py")


class Worker:
    """A process that trains; see `training_step`."""

    def __init__(self, *options):
        self._process = subprocess.Popen(
            [sys.executable, SCRIPT, *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def step(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture
def worker():
    """Start a worker with options; it ends with the benchmark."""
    started = []

    def start(*options):
        if options[0] == "torch" and importlib.util.find_spec("torch") is None:
            pytest.skip("PyTorch is not installed; its CPU build is enough")
        started.append(Worker(*options))
        return started[-1]

    yield start
    for each in started:
        each.close()


SETTINGS = {
    "ours": ("tensorflow",),
    "PyTorch's nn.LSTM": ("torch",),
    "the JAX backend": ("jax",),
    "TensorFlow, compiled with XLA": ("tensorflow", "--compile"),
    "TensorFlow, unrolled": ("tensorflow", "--unroll"),
    "TensorFlow, unrolled, compiled with XLA": ("tensorflow", "--unroll", "--compile"),
    "the JAX backend, unrolled": ("jax", "--unroll"),
}


@pytest.mark.parametrize("way", SETTINGS)
def bench_reviews(side, small, worker, way):
    if small and way not in ("ours", "PyTorch's nn.LSTM"):
        pytest.skip("starts one process more")
    trainer = worker(*SETTINGS[way])
    goal = {"text": "no slower", "ratio_at_least": 1.0} if way == "PyTorch's nn.LSTM" else None
    side.describe("train on 128 reviews: Embedding, LSTM(128), Adam", way, goal)
    side.time(trainer.step, rounds=5 if "unrolled" in way else 25, warmup_rounds=3)


@pytest.mark.parametrize("way", ["ours", "PyTorch's nn.LSTM", "the JAX backend"])
def bench_vectors(side, small, worker, way):
    if small:
        pytest.skip("starts one process more")
    trainer = worker(*SETTINGS[way], "--task", "vectors")
    side.describe("the same without the embedding: LSTM(128) on 128 x 80 vectors", way)
    side.time(trainer.step, rounds=25, warmup_rounds=3)


@pytest.mark.parametrize("way", ["ours", "32 reviews", "64 reviews", "256 reviews", "512 reviews"])
def bench_batch_sizes(side, small, worker, way):
    if small:
        pytest.skip("starts one process more")
    batch = 128 if way == "ours" else int(way.split()[0])
    trainer = worker("tensorflow", "--batch", batch)
    side.describe("train with 128 reviews in a batch", way, units=batch, of="review")
    side.time(trainer.step, rounds=25, warmup_rounds=3)


@pytest.mark.parametrize("way", ["ours", "its matrix products alone, in NumPy"])
def bench_matrix_products(side, worker, way, rng):
    side.describe("train on 128 reviews, against the arithmetic limit", way)
    if way == "ours":
        side.time(worker("tensorflow").step, rounds=25, warmup_rounds=3)
        return
    together = rng.normal(size=(128, 2 * UNITS)).astype("float32")
    weights = rng.normal(size=(2 * UNITS, 4 * UNITS)).astype("float32")
    gradient = rng.normal(size=(128, 4 * UNITS)).astype("float32")

    def products():
        # a step of the LSTM multiplies x and h by their weights once forward, and twice backward
        for _ in range(LENGTH):
            together @ weights
            gradient @ weights.T
            together.T @ gradient

    side.time(products, rounds=25, warmup_rounds=3)
