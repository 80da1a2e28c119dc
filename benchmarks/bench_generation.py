"""Writing text beside one `model.predict` for each character, and the samples' share of an epoch."""

import keras
import numpy as np
import pytest

from benchmarks.comparison import faster
from utils import callbacks
from utils.generation import generate
from utils.sampling import sample
from utils.text import Vocabulary, windows

VOCABULARY = Vocabulary.of_characters("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;:!?'\"\n-()0123456789")
WINDOW = 40
PROMPT = "the prime minister said that the federal government"[:WINDOW]
TEMPERATURES = (0.2, 0.5, 1.0, 1.2)
CLASSES = len(VOCABULARY)


def windowed_model():
    keras.utils.set_random_seed(0)
    ids = keras.Input((WINDOW,), dtype="int32")
    hidden = keras.layers.LSTM(128)(keras.layers.Embedding(CLASSES, 64)(ids))
    model = keras.Model(ids, keras.layers.Dense(CLASSES, activation="softmax")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def stateful_model():
    keras.utils.set_random_seed(0)
    ids = keras.Input(batch_shape=(len(TEMPERATURES), 1), dtype="int32")
    hidden = keras.layers.LSTM(128, stateful=True)(keras.layers.Embedding(CLASSES, 64)(ids))
    return keras.Model(ids, keras.layers.Dense(CLASSES, activation="softmax")(hidden))


def predict_each_character(model, length):
    """The usual loop: predict, draw, append, one text at a time."""
    rng = np.random.default_rng(0)
    ids = VOCABULARY.encode(PROMPT)
    for _ in range(length):
        probabilities = model.predict(ids[np.newaxis, -WINDOW:], verbose=0)[0]
        ids = np.append(ids, sample(probabilities / probabilities.sum(), 0.5, rng))
    return ids


PREDICT = "model.predict for each character"


@pytest.mark.parametrize(
    ("what", "model", "goal"),
    [("a windowed LSTM(128)", windowed_model, 300), ("a stateful LSTM(128)", stateful_model, 1000)],
)
@pytest.mark.parametrize("way", ["ours", PREDICT])
def bench_writing(side, small, what, model, goal, way):
    group = f"write 400 characters at 4 temperatures with {what}"
    if way == "ours":
        length = 10 if small else 400
        written = length * len(TEMPERATURES)
        side.describe(group, way, units=written, of="character")
        writer = model()
        side.time(lambda: generate(writer, VOCABULARY, PROMPT, length, TEMPERATURES, np.random.default_rng(0)))
    else:
        length = 2 if small else 30
        side.describe(group, f"{PREDICT} of a window", faster(goal), units=length, of="character")
        writer = windowed_model()
        side.time(lambda: predict_each_character(writer, length), rounds=4)


EPOCH = "an epoch of 500 steps of 128 windows"


@pytest.mark.parametrize("way", ["ours", EPOCH])
def bench_samples_after_an_epoch(side, small, way, rng):
    model = windowed_model()
    goal = {"text": "at most 2 % of the epoch", "ratio_at_least": 50} if way == EPOCH else None
    if way == "ours":
        side.describe("print 400 characters at 4 temperatures after an epoch", way)
        printer = callbacks.print_samples(
            model, VOCABULARY, PROMPT, TEMPERATURES, 10 if small else 400, write=lambda text: None
        )
        side.time(lambda: printer.on_epoch_end(0, {}))
    else:
        steps = 2 if small else 50
        side.describe("print 400 characters at 4 temperatures after an epoch", way, goal, units=steps / 500)
        ids = rng.integers(3, CLASSES, 128 * steps + WINDOW).astype("int32")
        view = windows(ids, WINDOW + 1)
        side.time(lambda: model.fit(view[:, :-1], view[:, -1], batch_size=128, verbose=0), rounds=4)
