"""Trains the model that writes on the demo page, and says how good it is: `python site/demo/train.py`.

Writes `weights.bin`, which the page loads, and `facts.json`, from which the page says what the model is.
"""

import json
import math
import pathlib
import sys
import time
from collections.abc import Iterator

import numpy as np

DEMO = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(DEMO), str(DEMO.parents[1])]

from utils import session  # noqa: E402, I001  quiets TensorFlow before the first import of Keras

import keras  # noqa: E402
from counting import counted_nats  # noqa: E402
from weights import build_model, round_weights, save_model  # noqa: E402

from utils import callbacks, datasets  # noqa: E402
from utils.text import Vocabulary, speeches, windows  # noqa: E402

FACTS = DEMO / "facts.json"
HELD_OUT = ("Twelfth Night", "As You Like It", "Richard II", "Henry V", "Romeo and Juliet", "Macbeth")
SEED = 1
EMBEDDING = 32  # numbers for a character
UNITS = 192  # size of the LSTM's state
LENGTH = 100  # characters in a training window
BATCH_SIZE = 32  # windows in one step of the optimiser
EPOCHS = 7  # each as many characters as the training text has
LEARNING_RATE = 6e-3  # at the beginning; it falls to 0 along half a cosine
LONGEST = 6  # characters of context for counting, at most
CONTEXT = 100  # held-out characters read before the first that is scored
SCORED = 400  # characters scored after them


def split_plays() -> tuple[str, dict[str, str]]:
    """Give the training text and, by title, the held-out plays without the characters that the training text lacks."""
    plays = {title: speeches(play) for title, play in datasets.shakespeare_plays().items()}
    training = "\n\n".join(play for title, play in plays.items() if title not in HELD_OUT)
    known = set(training)
    return training, {title: "".join(filter(known.__contains__, plays[title])) for title in HELD_OUT}


def cut_rows(ids: np.ndarray) -> np.ndarray:
    """Cut a text into pieces of SCORED ids, side by side, with CONTEXT ids before each: (pieces, CONTEXT + SCORED)."""
    return windows(ids, CONTEXT + SCORED, SCORED)


def make_batches(ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give batches without end, of windows at random places: inputs and targets (BATCH_SIZE, LENGTH)."""
    rows, rng = windows(ids, LENGTH + 1), np.random.default_rng(SEED)
    while True:
        chosen = rows[rng.integers(len(rows), size=BATCH_SIZE)]
        yield chosen[:, :-1], chosen[:, 1:]


def score(model: keras.Model, rows: np.ndarray) -> float:
    """Nats per character of a model on the last SCORED ids of each row."""
    total = 0.0
    for begin in range(0, len(rows), 64):  # the distributions of all rows at once would fill the memory
        part = rows[begin : begin + 64]
        probabilities = np.asarray(model.predict_on_batch(part[:, :-1]))[:, -SCORED:]
        total -= np.log(np.take_along_axis(probabilities, part[:, -SCORED:, np.newaxis], axis=2)).sum(dtype=np.float64)
    return float(total / (len(rows) * SCORED))


def train(ids: np.ndarray, vocabulary: Vocabulary) -> keras.Model:
    """Train a model on the ids of the training text, and print what it writes after each epoch."""
    model = build_model(len(vocabulary), EMBEDDING, UNITS)
    steps = len(ids) // (BATCH_SIZE * LENGTH)
    schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps * EPOCHS)
    model.compile(keras.optimizers.Adam(schedule, clipnorm=1.0), "sparse_categorical_crossentropy")
    samples = callbacks.print_samples(model, vocabulary, "What news from the king, my ", (0.5, 1.0))
    model.fit(make_batches(ids), steps_per_epoch=steps, epochs=EPOCHS, shuffle=False, verbose=2, callbacks=[samples])
    return model


def main() -> None:
    """Train, score on the held-out plays, print, and write both files."""
    started = time.perf_counter()
    session.start(seed=SEED)
    training, held = split_plays()
    vocabulary = Vocabulary.of_characters(training)
    ids = vocabulary.encode(training)
    rows = {title: cut_rows(vocabulary.encode(play)) for title, play in held.items()}
    model = train(ids, vocabulary)
    trained = score(model, np.concatenate(list(rows.values())))
    round_weights(model)
    nats = {title: score(model, play_rows) for title, play_rows in rows.items()}
    mean = float(np.average([*nats.values()], weights=[len(play_rows) for play_rows in rows.values()]))
    counted = counted_nats(ids, np.concatenate(list(rows.values())), SCORED, LONGEST, len(vocabulary))
    print(f"float16 weights: {mean:.4f} nats per character on held-out plays; before rounding: {trained:.4f}")
    print(f"counting after 0 to {LONGEST} characters: {', '.join(f'{loss:.3f}' for loss in counted)}")
    facts = {
        "units": UNITS,
        "embedding": EMBEDDING,
        "parameters": model.count_params(),
        "training_plays": len(datasets.shakespeare_plays()) - len(HELD_OUT),
        "training_characters": len(training),
        "held_out_characters": sum(map(len, held.values())),
        "nats": round(mean, 4),
        "nats_by_play": {title: round(loss, 4) for title, loss in nats.items()},
        "nats_of_counting": [round(loss, 4) for loss in counted],
        "nats_of_guessing": round(math.log(len(vocabulary)), 4),
    }
    save_model(model, vocabulary)
    FACTS.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
