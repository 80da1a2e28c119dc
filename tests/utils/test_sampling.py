import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from utils.sampling import generate, sample
from utils.text import Vocabulary

tables = st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda row: sum(row) > 1e-3)


def counts(size, **options):
    """How often each class is drawn in `size` independent draws."""
    options = {
        name: np.tile(value, (size, 1)) if name in ("probabilities", "logits") else value
        for name, value in options.items()
    }
    drawn = sample(**options, rng=np.random.default_rng(7))
    return np.bincount(drawn, minlength=4)


def fits(observed, probabilities):
    """Whether a chi-square test finds the counts likely under the probabilities; impossible classes never occur."""
    probabilities = np.array(probabilities) / np.sum(probabilities)
    possible = probabilities > 0
    assert observed[~possible].sum() == 0
    if possible.sum() == 1:
        return True
    return stats.chisquare(observed[possible], probabilities[possible] * observed.sum()).pvalue > 0.01


PROBABILITIES = [0.1, 0.2, 0.0, 0.7]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_from_the_tempered_distribution(temperature):
    expected = np.array(PROBABILITIES) ** (1 / temperature)
    observed = counts(50_000, probabilities=PROBABILITIES, temperature=temperature)
    assert fits(observed, expected)
    assert not fits(observed, np.array([0.2, 0.1, 0.0, 0.7]) ** (1 / temperature))  # the test can fail


def test_logits_and_probabilities_are_one_distribution():
    with np.errstate(divide="ignore"):
        logits = np.log(PROBABILITIES) + 5
    assert (counts(1000, logits=logits) == counts(1000, probabilities=PROBABILITIES)).all()


@given(tables)
def test_temperature_zero_takes_the_first_most_probable_class(row):
    assert sample(row, temperature=0) == int(np.argmax(row))


def test_infinite_temperature_makes_all_possible_classes_equal():
    assert fits(counts(50_000, probabilities=PROBABILITIES, temperature=np.inf), [1, 1, 0, 1])


@given(tables, st.sampled_from([0.0, 1e-300, 1e-3, 1.0, 1e3, 1e300, np.inf]), st.integers(0, 9))
def test_every_temperature_draws_a_possible_class(row, temperature, seed):
    drawn = sample(np.float32(row), temperature, np.random.default_rng(seed))
    assert np.float32(row)[drawn] > 0


def test_low_temperature_in_float32_is_no_nan():
    assert sample(np.float32([0.4, 0.6, 0.0]), temperature=1e-3) == 1


def test_top_k_draws_from_the_k_most_probable():
    assert fits(counts(20_000, probabilities=PROBABILITIES, top_k=2), [0, 0.2, 0, 0.7])


def test_top_k_keeps_exactly_k_of_equals():
    assert (counts(1000, probabilities=[0.25, 0.25, 0.25, 0.25], top_k=2) > 0).sum() == 2


def test_top_p_draws_from_the_smallest_set_that_reaches_it():
    assert fits(counts(20_000, probabilities=PROBABILITIES, top_p=0.75), [0, 0.2, 0, 0.7])
    assert fits(counts(20_000, probabilities=PROBABILITIES, top_p=0.7), [0, 0, 0, 1])
    assert fits(counts(20_000, probabilities=PROBABILITIES, top_p=1.0), PROBABILITIES)


def test_one_row_gives_an_int_and_a_batch_an_array():
    assert isinstance(sample([0.5, 0.5]), int)
    assert sample([[0.0, 1.0], [1.0, 0.0]]).tolist() == [1, 0]
    assert sample([0.1, 0.9], temperature=[0, 0, 1e-9]).tolist() == [1, 1, 1]


def test_the_same_generator_draws_the_same():
    table = np.full((50, 10), 0.1)
    first, second = (sample(table, rng=np.random.default_rng(3)) for _ in range(2))
    assert (first == second).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probabilities": [np.nan, 1.0]}, "NaN"),
        ({"probabilities": [-0.1, 1.1]}, "negative"),
        ({"probabilities": [0.0, 0.0]}, "sum to 0"),
        ({"probabilities": []}, "shape"),
        ({"probabilities": [0.5, 0.5], "temperature": -1}, "0 or more"),
        ({"probabilities": [0.5, 0.5], "temperature": float("nan")}, "0 or more"),
        ({"probabilities": [[0.5, 0.5]] * 3, "temperature": [1.0, 2.0]}, "do not fit 3 rows"),
        ({"probabilities": [0.5, 0.5], "top_k": 0}, "top_k"),
        ({"probabilities": [0.5, 0.5], "top_p": 0}, "top_p"),
        ({}, "either"),
        ({"probabilities": [1.0], "logits": [1.0]}, "either"),
        ({"logits": [-np.inf, -np.inf]}, "no possible class"),
        ({"logits": [np.inf, 0.0]}, "finite"),
    ],
)
def test_wrong_tables_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        sample(**options)


VOCABULARY = Vocabulary.of_characters("abcdefgh ")


def windowed_model(time=6, return_sequences=False):
    keras.utils.set_random_seed(1)
    ids = keras.Input((time,), dtype="int32")
    hidden = keras.layers.Embedding(len(VOCABULARY), 8)(ids)
    hidden = keras.layers.LSTM(16, return_sequences=return_sequences)(hidden)
    return keras.Model(ids, keras.layers.Dense(len(VOCABULARY), activation="softmax")(hidden))


def stateful_model(batch):
    keras.utils.set_random_seed(1)
    ids = keras.Input(batch_shape=(batch, 1), dtype="int32")
    hidden = keras.layers.Embedding(len(VOCABULARY), 8)(ids)
    hidden = keras.layers.LSTM(16, stateful=True)(hidden)
    return keras.Model(ids, keras.layers.Dense(len(VOCABULARY), activation="softmax")(hidden))


def naive_greedy(model, prompt, length, time):
    """Write one character at a time, one text at a time: what `generate` must agree with."""
    text = prompt
    for _ in range(length):
        ids = VOCABULARY.encode(text if time is None else text[-time:])
        if time is not None:
            ids = np.concatenate([np.zeros(time - len(ids), dtype=np.int32), ids])
        probabilities = np.array(model(ids[np.newaxis]))[0]
        if probabilities.ndim == 2:
            probabilities = probabilities[-1]
        probabilities[: VOCABULARY.RESERVED] = 0
        text += VOCABULARY.tokens[probabilities.argmax() - VOCABULARY.RESERVED]
    return text[len(prompt) :]


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("prompt", ["bad", "a bad head"])
def test_greedy_text_equals_the_naive_loop(prompt, return_sequences):
    model = windowed_model(return_sequences=return_sequences)
    assert generate(model, VOCABULARY, prompt, 12, temperature=0) == naive_greedy(model, prompt, 12, time=6)


def test_a_model_of_any_length_sees_the_whole_text():
    model = windowed_model(time=None, return_sequences=True)
    assert generate(model, VOCABULARY, "bad", 6, temperature=0) == naive_greedy(model, "bad", 6, time=None)


def test_a_stateful_model_writes_what_the_same_weights_write_with_the_whole_text_in_view():
    stateful, whole = stateful_model(batch=3), windowed_model(time=None)
    whole.set_weights([weight for weight in stateful.get_weights() if weight.shape != (3, 16)])
    expected = naive_greedy(whole, "bad head", 8, time=None)
    assert generate(stateful, VOCABULARY, "bad head", 8, temperature=0) == expected
    assert generate(stateful, VOCABULARY, ["bad head"] * 3, 8, temperature=0) == [expected] * 3


def test_the_result_is_nested_like_prompts_and_temperatures():
    model = windowed_model()
    options = {"length": 4, "rng": np.random.default_rng(0)}
    assert isinstance(generate(model, VOCABULARY, "ab", **options), str)
    assert [len(text) for text in generate(model, VOCABULARY, ["ab", "cd"], **options)] == [4, 4]
    both = generate(model, VOCABULARY, ["ab", "cd"], temperature=(0, 0.5, 1.0), **options)
    assert [[len(text) for text in row] for row in both] == [[4, 4, 4], [4, 4, 4]]
    assert [row[0] for row in both] == generate(model, VOCABULARY, ["ab", "cd"], 4, temperature=0)


def test_reserved_ids_are_never_written():
    text = generate(windowed_model(), VOCABULARY, "a", 100, temperature=np.inf, rng=np.random.default_rng(0))
    assert set(text) <= set(VOCABULARY.tokens)
    assert len(text) == 100


def test_characters_are_shown_as_they_come():
    shown = []
    text = generate(windowed_model(), VOCABULARY, "a", 10, rng=np.random.default_rng(0), on_character=shown.append)
    assert "".join(shown) == text
    assert len(shown) == 10


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        ("häß", {}, "'h', 'ß', 'ä'|'ß', 'ä'"),
        ("", {}, "at least one"),
        ([], {}, "at least one"),
        (["a", ""], {}, "at least one"),
        ("a", {"length": -1}, "0 or more"),
        (["a", "b"], {"on_character": print}, "one text"),
    ],
)
def test_wrong_prompts_are_named(prompt, options, message):
    with pytest.raises(ValueError, match=message):
        generate(windowed_model(), VOCABULARY, prompt, **options)


def test_a_model_for_another_vocabulary_is_named():
    with pytest.raises(ValueError, match="12 classes, and the vocabulary has 5 ids"):
        generate(windowed_model(), Vocabulary.of_characters("ab"), "ab", 1)


def test_a_stateful_model_says_how_many_texts_it_holds():
    with pytest.raises(ValueError, match="holds 1 texts"):
        generate(stateful_model(batch=1), VOCABULARY, "ab", 3, temperature=(0.5, 1.0))
