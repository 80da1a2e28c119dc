import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from utils.sampling import sample

weights = st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda row: sum(row) > 1e-3)
tables = weights.map(lambda row: np.array(row) / sum(row))
triples = st.tuples(*[st.integers(0, 9)] * 3).filter(any).map(lambda row: np.array(row) / sum(row))
temperatures = st.sampled_from([0.0, 1e-300, 1e-3, 1.0, 1e3, 1e300, np.inf])


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


@given(tables, temperatures, st.none() | st.integers(1, 9), st.none() | st.floats(1e-9, 1), st.integers(0, 9))
def test_every_temperature_and_cut_draws_a_possible_class(row, temperature, top_k, top_p, seed):
    rng = np.random.default_rng(seed)
    drawn = sample(np.float32(row), temperature, rng, top_k=top_k, top_p=top_p)
    assert np.float32(row)[drawn] > 0


@given(st.lists(st.tuples(triples, temperatures), min_size=1, max_size=5))
def test_each_row_of_a_batch_is_drawn_as_if_alone(pairs):
    rows, each = zip(*pairs)
    together = sample(np.array(rows), each, np.random.default_rng(5), top_p=0.9)
    rng = np.random.default_rng(5)
    assert together.tolist() == [sample(row, heat, rng, top_p=0.9) for row, heat in zip(rows, each)]


def test_rows_with_temperatures_of_their_own_draw_from_their_own_distributions():
    rows = np.array([PROBABILITIES, [0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.5, 0.0]])
    heats = np.array([0.5, 2.0, np.inf])
    drawn = sample(np.tile(rows, (20_000, 1)), np.tile(heats, 20_000), np.random.default_rng(11)).reshape(-1, 3)
    for column, row, heat in zip(drawn.T, rows, heats):
        expected = np.where(row > 0, np.maximum(row, 1e-300) ** (1 / heat), 0)
        assert fits(np.bincount(column, minlength=4), expected)


def test_classes_ruled_out_by_a_zero_leave_the_ratios_of_the_others():
    assert fits(counts(20_000, probabilities=[0.0, 0.2, 0.1, 0.1]), [0, 0.5, 0.25, 0.25])


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


def test_a_sum_that_reaches_top_p_but_for_float32_rounding_is_enough():
    row = np.float32([0.1, 0.2, 0.0, 0.7])
    assert fits(counts(1000, probabilities=row, top_p=0.7), [0, 0, 0, 1])
    assert fits(counts(20_000, probabilities=row, top_p=0.9), [0, 0.2, 0, 0.7])


def test_top_p_cuts_what_is_left_after_temperature_and_top_k():
    # at temperature 1/2 the weights are 0.16, 0.09, 0.04, 0.01; of the first three, 0.16 / 0.29 = 0.55
    options = {"probabilities": [0.4, 0.3, 0.2, 0.1], "temperature": 0.5, "top_k": 3}
    assert fits(counts(20_000, **options, top_p=0.54), [1, 0, 0, 0])
    assert fits(counts(20_000, **options, top_p=0.56), [0.16, 0.09, 0, 0])
    assert fits(counts(20_000, **options, top_p=0.9), [0.16, 0.09, 0.04, 0])


def test_cuts_are_made_in_each_row_by_itself():
    rows = np.array([PROBABILITIES, [0.3, 0.3, 0.2, 0.2]])
    drawn = sample(np.tile(rows, (20_000, 1)), rng=np.random.default_rng(2), top_p=0.6).reshape(-1, 2)
    assert fits(np.bincount(drawn[:, 0], minlength=4), [0, 0, 0, 1])
    assert fits(np.bincount(drawn[:, 1], minlength=4), [0.5, 0.5, 0, 0])


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
        ({"probabilities": [3.0, 5.0]}, "got 8: for logits, pass logits=; divide counts by their sum"),
        ({"probabilities": [[0.5, 0.5], [0.9, 0.2]]}, "got 1.1"),
        ({"probabilities": []}, "shape"),
        ({"probabilities": [0.5, 0.5], "temperature": -1}, "0 or more"),
        ({"probabilities": [0.5, 0.5], "temperature": float("nan")}, "0 or more"),
        ({"probabilities": [0.5, 0.5], "temperature": []}, "0 or more"),
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


def test_probabilities_of_float16_sum_to_1_closely_enough():
    row = np.random.default_rng(0).dirichlet(np.full(2000, 1.0)).astype(np.float16)
    assert 0 <= sample(row, rng=np.random.default_rng(0)) < 2000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rng": 3}, r"got int: pass numpy.random.default_rng\(3\)"),
        ({"rng": np.random}, r"got module: pass numpy.random.default_rng"),
        ({"top_k": 0.5}, "pass top_p="),
    ],
)
def test_wrong_types_are_named(options, message):
    with pytest.raises(TypeError, match=message):
        sample([0.5, 0.5], **options)
