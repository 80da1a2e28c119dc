"""The model of the demo page: its file, its training and what is said of it."""

import collections
import itertools
import json
import math
import pathlib
import string
import sys

import keras
import numpy as np
import pytest

from utils.vocabulary import Vocabulary

DEMO = pathlib.Path(__file__).parents[2] / "site" / "demo"
sys.path.insert(0, str(DEMO))
import train  # noqa: E402
from counting import counted_nats  # noqa: E402
from weights import WEIGHTS, build_model, load_model, round_weights, save_model  # noqa: E402

LARGEST_FILE = 400_000  # bytes


@pytest.fixture(scope="module")
def facts():
    return json.loads(train.FACTS.read_text())


@pytest.fixture(scope="module")
def plays():
    return train.split_plays()


def test_the_file_is_small_and_knows_the_letters(facts):
    model, vocabulary = load_model()
    assert WEIGHTS.stat().st_size < LARGEST_FILE
    assert model.count_params() == facts["parameters"]
    assert not vocabulary.unknown("\n !',-.:;?" + string.ascii_letters)


def test_a_saved_model_comes_back_as_it_was_rounded(tmp_path):
    keras.utils.set_random_seed(3)
    model, vocabulary = build_model(8, 4, 5), Vocabulary.of_characters('"\\é\n🎭')
    ids = np.array([[3, 4, 5, 6, 7]])
    exact = np.asarray(model(ids))
    save_model(model, vocabulary, tmp_path / "weights.bin")
    loaded, characters = load_model(tmp_path / "weights.bin")
    round_weights(model)
    np.testing.assert_array_equal(np.asarray(loaded(ids)), np.asarray(model(ids)))
    assert not np.array_equal(np.asarray(loaded(ids)), exact)
    assert characters == vocabulary


def test_the_facts_are_those_of_the_weights(facts, plays):
    model, vocabulary = load_model()
    rows = train.cut_rows(vocabulary.encode(plays[1]["Macbeth"]))
    assert train.score(model, rows) == pytest.approx(facts["nats_by_play"]["Macbeth"], abs=1e-3)


def test_the_model_is_better_than_counting_and_guessing(facts):
    assert facts["nats"] < min(facts["nats_of_counting"]) < facts["nats_of_guessing"]


def test_a_model_that_knows_nothing_scores_what_guessing_costs():
    model = build_model(20, 4, 5)
    model.set_weights([np.zeros_like(weights) for weights in model.get_weights()])
    rows = train.cut_rows(np.arange(2_000) % 20)
    assert train.score(model, rows) == pytest.approx(math.log(20), abs=1e-5)


def test_the_training_text_holds_nothing_of_the_held_out_plays(facts, plays):
    training, held = plays
    assert len(held) == len(facts["nats_by_play"]) == 6
    assert sum(map(len, held.values())) == facts["held_out_characters"]
    assert len(training) == facts["training_characters"]
    for play in held.values():
        pieces = [play[begin : begin + 200] for begin in range(0, len(play) - 200, 5_000)]
        assert not any(piece in training for piece in pieces)


def test_counting_is_what_a_table_of_counts_gives():
    rng = np.random.default_rng(5)
    training, rows = rng.integers(0, 3, 60), rng.integers(0, 3, (2, 9))
    longest, scored, classes = 2, 4, 3

    def probability(context, follower):
        shorter = probability(context[1:], follower) if context else 1 / classes
        size = len(context)
        pieces = [tuple(training[begin : begin + size + 1]) for begin in range(len(training) - size)]
        seen = collections.Counter(piece[-1] for piece in pieces if piece[:-1] == context)
        total = sum(seen.values()) + len(seen)
        return (seen[follower] + len(seen) * shorter) / total if total else shorter

    expected = [
        -np.mean([
            math.log(probability(tuple(row[place - length : place]), row[place]))
            for row, place in itertools.product(rows, range(9 - scored, 9))
        ])
        for length in range(longest + 1)
    ]  # fmt: skip
    np.testing.assert_allclose(counted_nats(training, rows, scored, longest, classes), expected)
