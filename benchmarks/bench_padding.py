"""`pad_sequences` beside Keras's, and length buckets beside padding every sequence to the longest."""

import keras
import numpy as np
import pytest

from benchmarks.comparison import faster
from utils import datasets
from utils.bucketing import BucketedBatches
from utils.padding import pad_sequences
from utils.text import Vocabulary

WAYS = {"ours": pad_sequences, "keras.utils.pad_sequences": keras.utils.pad_sequences}


@pytest.fixture(scope="module")
def lists(request):
    """25 000 Python lists of 200 to 300 ids."""
    generator = np.random.default_rng(0)
    count = 500 if request.config.getoption("--small") else 25_000
    return [generator.integers(3, 20_000, length).tolist() for length in generator.integers(200, 301, count)]


@pytest.mark.parametrize("maxlen", [None, 80])
@pytest.mark.parametrize("way", WAYS)
def bench_lists(side, lists, way, maxlen):
    cut = "to the longest" if maxlen is None else f"to {maxlen}"
    goal = faster(4) if way == "ours" else None
    side.describe(f"pad 25,000 lists of 200-300 ids {cut}", way, goal)
    side.time(lambda: WAYS[way](lists, maxlen=maxlen), rounds=5)


@pytest.mark.parametrize("way", WAYS)
def bench_arrays(side, lists, way):
    arrays = [np.array(row, dtype="int32") for row in lists]
    side.describe("pad 25,000 arrays of 200-300 ids to the longest", way)
    side.time(lambda: WAYS[way](arrays), rounds=5)


@pytest.fixture(scope="module")
def sentences(request):
    """Film sentences as ids, with their labels."""
    texts, labels = datasets.movie_sentences()
    chosen = np.random.default_rng(0).permutation(len(texts))[: 256 if request.config.getoption("--small") else 4096]
    vocabulary = Vocabulary.of_words((texts[row] for row in chosen), size=5000)
    return [vocabulary.encode(texts[row]) for row in chosen], labels[chosen]


@pytest.mark.parametrize("way", ["ours", "every batch padded to the longest"])
def bench_epoch_in_buckets(side, sentences, way):
    ids, labels = sentences
    side.describe("train an LSTM(64) on 4,096 film sentences for an epoch", way)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(5000, 64, mask_zero=True)(inputs)
    outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.LSTM(64)(vectors))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "binary_crossentropy")
    if way == "ours":
        batches = BucketedBatches(ids, labels, batch_size=64, seed=0)
        side.time(lambda: model.fit(batches, verbose=0), rounds=4)
    else:
        padded = pad_sequences(ids)
        side.time(lambda: model.fit(padded, labels, batch_size=64, verbose=0), rounds=4)
