"""Training from a mix beside training on the same rows concatenated beforehand."""

import functools

import keras
import numpy as np
import pytest

from benchmarks.comparison import EpochByEpoch, at_most_slower
from utils.mixing import MixIterator

SIZES = (44, 4, 16)
LENGTH = 80
WAYS = ("ours", "the same rows concatenated beforehand", "np.concatenate in a generator")


def parts(batches, rng):
    return [
        (rng.integers(3, 5000, (size * batches, LENGTH)).astype("int32"), rng.integers(0, 2, size * batches))
        for size in SIZES
    ]


def concatenating_generator(arrays):
    """What one writes without a mix iterator."""
    while True:
        for number in range(len(arrays[0][0]) // SIZES[0]):
            batch = [[leaf[number * size : (number + 1) * size] for leaf in part] for part, size in zip(arrays, SIZES)]
            yield tuple(np.concatenate(leaves) for leaves in zip(*batch))


def build_model(units):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((LENGTH,), dtype="int32")
    vectors = keras.layers.Embedding(5000, units)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(keras.layers.LSTM(units)(vectors)))
    model.compile("adam", "binary_crossentropy")
    return model


def fitting(way, units, arrays):
    """`model.fit` for a way to mix, to be called with callbacks and epochs."""
    fit = functools.partial(build_model(units).fit, verbose=0)
    if way == "ours":
        return functools.partial(fit, MixIterator(arrays, SIZES, seed=0))
    if way == WAYS[1]:
        inputs, targets = (np.concatenate(leaves) for leaves in zip(*arrays))
        return functools.partial(fit, inputs, targets, batch_size=sum(SIZES))
    batches = len(arrays[0][0]) // SIZES[0]
    return functools.partial(fit, concatenating_generator(arrays), steps_per_epoch=batches)


@pytest.mark.parametrize("units", [64, 128])
@pytest.mark.parametrize("way", WAYS)
def bench_epoch(side, small, way, units, rng):
    goal = at_most_slower(0.03) if way == WAYS[1] else None
    side.describe(f"train an LSTM({units}) for 200 batches of {' + '.join(map(str, SIZES))} rows", way, goal)
    epoch = EpochByEpoch(fitting(way, units, parts(5 if small else 200, rng)))
    try:
        side.time(epoch, rounds=5)
    finally:
        epoch.close()


@pytest.mark.parametrize("way", ["ours", "np.concatenate of slices"])
def bench_batch(side, way, rng):
    arrays = parts(100, rng)
    side.describe("make one such batch", way, units=100)
    if way == "ours":
        mix = MixIterator(arrays, SIZES, seed=0)
        side.time(lambda: [mix[number] for number in range(100)], rounds=20)
    else:
        generator = concatenating_generator(arrays)
        side.time(lambda: [next(generator) for _ in range(100)], rounds=20)
