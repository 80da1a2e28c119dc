"""The comparisons that a problem set's checks call: they accept what is right, and say what a student can act on."""

import collections

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from utils.checks import (
    FALSE_ALARM,
    expect_at_least,
    expect_at_most,
    expect_close,
    expect_distribution,
    expect_equal,
    expect_gradient,
    expect_raises,
    expect_shape,
    under_grading,
)


class AlwaysEqual:
    """Claims to be whatever it is compared with."""

    def __eq__(self, other):
        return True

    __hash__ = None


class EqualText(str):
    """A string that claims to be every string."""

    def __eq__(self, other):
        return True

    def __contains__(self, part):
        return True

    def __str__(self):
        return self

    def lower(self):
        return self

    __hash__ = str.__hash__


class EqualNumber(float):
    """A number that claims to be every number."""

    def __eq__(self, other):
        return True

    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = float.__hash__


class HoldsAnything:
    """Hands out an array of an object that claims to be whatever it is compared with."""

    def __array__(self, dtype=None, copy=None):
        array = np.empty(1, dtype=object)
        array[0] = AlwaysEqual()
        return array


def message_of(check, *arguments, **options):
    """What a check says when it fails."""
    with pytest.raises(AssertionError) as failure:
        check(*arguments, **options)
    return str(failure.value)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=3), parts, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_plain_data_equal_themselves(data):
    expect_equal(data, data, "never shown")


@given(plain, plain)
def test_data_are_equal_as_python_says_but_for_booleans(one, other):
    if repr(one) == repr(other):
        expect_equal(one, other, "never shown")
    elif one != other:
        assert message_of(expect_equal, one, other, "look here").endswith(": look here")


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (3, 3),
        (np.int64(3), 3),
        (3.0, 3),
        ("ab", "ab"),
        (None, None),
        ((1, 2), [1, 2]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ([np.array([1, 2]), (3,)], [[1, 2], [3]]),
        ({"a": np.int32(1)}, {"a": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (range(3), [0, 1, 2]),
        ({np.int64(0): "a"}, {0: "a"}),
        ({("a", np.str_("b")): 1}, {("a", "b"): 1}),
        (np.array([True, False]), [True, False]),
        (float("inf"), np.inf),
        ([], np.zeros((0,))),
    ],
)
def test_equal_plain_data_is_accepted(got, expected):
    expect_equal(got, expected, "never shown")


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (4, 3, "expected 3, got 4: look here"),
        ([1, 2], [1, 2, 3], "expected [1, 2, 3], got [1, 2]: look here"),
        (np.array([2, 1]), [1, 2], "expected [1, 2], got [2, 1], the right elements in another order: look here"),
        ({"a": 1}, {"a": 2}, "expected {'a': 2}, got {'a': 1}: look here"),
        ("3", 3, "expected 3, got '3': look here"),
        (float("nan"), 1.0, "expected 1.0, got nan: look here"),
        (float("nan"), float("nan"), "expected nan, got nan: look here"),
        (True, 1, "expected 1, got True: look here"),
        ([1], [True], "expected [True], got [1]: look here"),
        (
            [7, 8, 9, 10],
            [6, 7, 8, 9],
            "expected [6, 7, 8, 9], got [7, 8, 9, 10], everything comes one place too early: look here",
        ),
        ([0, 1, 2], [1, 2, 3], "expected [1, 2, 3], got [0, 1, 2], everything comes one place too late: look here"),
        ([9, 1, 1], [1, 1, 1], "expected [1, 1, 1], got [9, 1, 1]: look here"),
        (None, [1], "expected [1], got None: look here"),
        (EqualText("a"), "b", "expected 'b', got 'a': look here"),
        ({EqualText("a"): 1}, {"b": 1}, "expected {'b': 1}, got {'a': 1}: look here"),
        (EqualNumber(2), 3, "expected 3, got 2.0: look here"),
        (HoldsAnything(), [3], "expected numbers, strings, lists or dicts, got AlwaysEqual: look here"),
        ({1, 2}, [1, 2], "expected numbers, strings, lists or dicts, got set: look here"),
        (AlwaysEqual(), 3, "expected numbers, strings, lists or dicts, got AlwaysEqual: look here"),
        ([AlwaysEqual()], [3], "expected numbers, strings, lists or dicts, got AlwaysEqual: look here"),
    ],
)
def test_other_data_is_shown_beside_what_was_expected(got, expected, message):
    assert message_of(expect_equal, got, expected, "look here") == message


def changed(values, index, value):
    return [*values[:index], value, *values[index + 1 :]]


HUNDRED = list(range(100))
SENTENCE = "Shall I compare thee to a summer's day? Thou art more lovely and more temperate."


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (changed(HUNDRED, 17, 5), HUNDRED, "expected 17 at index 17, got 5"),
        (HUNDRED[:99], HUNDRED, "expected 100 elements, got 99, the first 99 of them right"),
        (changed(HUNDRED, 3, 0)[:99], HUNDRED, "expected 3 at index 3, got 0, 99 elements instead of 100"),
        ([*HUNDRED[1:], 7], HUNDRED, "expected 0 at index 0, got 1, everything comes one place too early"),
        (HUNDRED[::-1], HUNDRED, "expected 0 at index 0, got 99, the right elements in another order"),
        (
            {"ids": [HUNDRED, changed(HUNDRED, 4, None)]},
            {"ids": [HUNDRED, HUNDRED]},
            "expected 4 at ['ids'][1][4], got None",
        ),
        (
            dict.fromkeys([*HUNDRED[1:], "a"]),
            dict.fromkeys(HUNDRED),
            "expected 100 keys, got 100, missing: [0], not expected: ['a']",
        ),
        (HUNDRED, 1, "expected 1, got [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1 ..."),
        (
            SENTENCE.replace("Thou", "thou"),
            SENTENCE,
            'expected ..." to a summer\'s day? Thou art more lovely"..., '
            'got ..." to a summer\'s day? thou art more lovely"..., different from character 40 on',
        ),
        (
            SENTENCE.lower(),
            SENTENCE,
            "expected 'Shall I compare thee'..., got 'shall i compare thee'..., different from the first character on",
        ),
        (
            SENTENCE[:-1],
            SENTENCE,
            "expected ...'y and more temperate.', got ...'y and more temperate', different from character 79 on, "
            "79 characters instead of 80",
        ),
    ],
)
def test_long_data_are_shown_at_the_first_difference(got, expected, message):
    assert message_of(expect_equal, got, expected, "look here") == f"{message}: look here"


@given(st.lists(st.integers(), min_size=30, max_size=60), st.data())
def test_the_first_difference_of_long_lists_is_the_place_named(numbers, data):
    index = data.draw(st.integers(0, len(numbers) - 1))
    message = message_of(expect_equal, changed(numbers, index, "other"), numbers, "look here")
    assert f"expected {numbers[index]} at index {index}, got 'other'" in message or len(repr(numbers)) <= 90


@given(plain, plain)
def test_messages_stay_short(one, other):
    many, others = [one] * 100, [other] * 100
    if repr(one) != repr(other) and one != other:
        assert len(message_of(expect_equal, many, others, "look here")) <= 300


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (0.5, 0.5009),
        ([1, 2], (1.0, 2.0)),
        (np.float32([[1.0005]]), [[1]]),
        ([-np.inf, 1], [-np.inf, 1]),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_numbers_within_the_tolerance_are_accepted(got, expected):
    expect_close(got, expected, "never shown", tolerance=0.001)


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (0.6, 0.5, "expected 0.5 within 0.01, got 0.6: look here"),
        (
            [1, 2, 3.5],
            [1, 2, 3],
            "expected 3 within 0.01 at (2,), got 3.5, 1 of 3 numbers outside the tolerance: look here",
        ),
        (
            [[1, 9], [3, 5]],
            [[1, 2], [3, 4]],
            "expected 2 within 0.01 at (0, 1), got 9, 2 of 4 numbers outside the tolerance: look here",
        ),
        (np.inf, -np.inf, "expected -inf within 0.01, got inf: look here"),
        ("3", 3, "expected numbers, got '3': look here"),
        (True, 1, "expected numbers, got True: look here"),
        ([[1], [1, 2]], [1], "expected numbers, got [[1], [1, 2]]: look here"),
        (HoldsAnything(), [1], "expected numbers, got <"),
        (float("nan"), 0.5, "expected 0.5 within 0.01, got nan: look here"),
        ([5, float("nan")], [1, 2], "expected 2 within 0.01 at (1,), got nan, 1 of 2 numbers are NaN: look here"),
        ([1, 2], [1, 2, 3], "expected shape (3,), got (2,): look here"),
        ("half", 0.5, "expected numbers, got 'half': look here"),
        (None, [1.0], "expected numbers, got None: look here"),
    ],
)
def test_numbers_outside_the_tolerance_are_named_with_their_place(got, expected, message):
    assert message_of(expect_close, got, expected, "look here", tolerance=0.01).startswith(message)


@pytest.mark.parametrize(
    ("got", "shape"),
    [
        (np.zeros((3, 5)), (3, 5)),
        ([[1, 2]], (1, 2)),
        (7, ()),
        (np.zeros((3, 5)), (None, 5)),
        (np.zeros((0, 2)), (0, 2)),
    ],
)
def test_the_right_shape_is_accepted(got, shape):
    expect_shape(got, shape, "never shown")


@pytest.mark.parametrize(
    ("got", "shape", "message"),
    [
        (np.zeros((5, 3)), (3, 5), "expected shape (3, 5), got (5, 3), transposed: look here"),
        ([1, 2], (1, 2), "expected shape (1, 2), got (2,), the first axis, often the batch, is missing: look here"),
        (7, (1,), "expected shape (1,), got (), the only axis is missing: look here"),
        ([[1], [1, 2]], (2, 2), "expected shape (2, 2), got rows of different lengths: look here"),
        (np.zeros((4, 6)), (None, 5), "expected shape (None, 5), got (4, 6): look here"),
        (np.zeros((5, 4)), (None, 5), "expected shape (None, 5), got (5, 4): look here"),
        (np.zeros(5), (None, 5), "expected shape (None, 5), got (5,), one axis is missing: look here"),
        (np.zeros((4, 7)), (4, 7, 2), "expected shape (4, 7, 2), got (4, 7), the last axis is missing: look here"),
        (np.zeros((4, 2)), (4, 7, 2), "expected shape (4, 7, 2), got (4, 2), axis 1 is missing: look here"),
        (np.zeros((1, 4, 2)), (4, 2), "expected shape (4, 2), got (1, 4, 2), the first axis, often the batch, is one "),
        (np.zeros((4, 2, 1)), (4, 2), "expected shape (4, 2), got (4, 2, 1), the last axis is one too many: look here"),
        (np.zeros((3, 3, 3)), (3, 3), "expected shape (3, 3), got (3, 3, 3), one axis too many: look here"),
        (
            np.zeros((7, 4, 2)),
            (4, 7, 2),
            "expected shape (4, 7, 2), got (7, 4, 2), the first two axes, often batch and ",
        ),
        (
            np.zeros((2, 4, 7)),
            (4, 7, 2),
            "expected shape (4, 7, 2), got (2, 4, 7), the axes are in another order: look",
        ),
        (np.zeros((2, 3, 4, 5)), (2,), "expected shape (2,), got (2, 3, 4, 5): look here"),
        (None, (), "expected shape (), got None: look here"),
        ([None, None], (2,), "expected shape (2,), got [None, None]: look here"),
        (AlwaysEqual, (2,), "expected shape (2,), got <class"),
    ],
)
def test_another_shape_is_named(got, shape, message):
    assert message_of(expect_shape, got, shape, "look here").startswith(message)


def test_grading_is_known_by_nbgraders_variable(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert not under_grading()
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert under_grading()


def test_tensors_and_variables_count_as_arrays():
    tensor = keras.ops.convert_to_tensor([[1, 2], [3, 4]])
    expect_equal(tensor, [[1, 2], [3, 4]], "never shown")
    expect_equal([tensor[0], 5], [[1, 2], 5], "never shown")
    expect_equal(keras.ops.convert_to_tensor([True]), [True], "never shown")
    expect_close(keras.ops.cast(tensor, "bfloat16"), [[1, 2], [3, 4]], "never shown")
    expect_shape(keras.Variable([[1.0], [2.0]]), (2, 1), "never shown")
    expect_at_most(keras.ops.mean(keras.ops.cast(tensor, "float32")), 2.5, "never shown")
    expect_distribution(keras.ops.convert_to_tensor([0, 1] * 50), [0.5, 0.5], "never shown")


def test_a_symbolic_tensor_has_a_shape_and_no_numbers():
    symbol = keras.Input((5, 3))
    expect_shape(symbol, (None, 5, 3), "never shown")
    assert message_of(expect_shape, symbol, (2, 5, 3), "look here") == (
        "expected shape (2, 5, 3), got (None, 5, 3): look here"
    )
    assert message_of(expect_close, symbol, [1.0], "look here").startswith("expected numbers, got <KerasTensor")


TABLE = np.array([[1.0, 5.0, -2.0], [4.0, 0.5, 3.0], [7.0, -1.0, 2.0]])


@pytest.mark.parametrize(
    ("got", "expected", "remark"),
    [
        (2 * TABLE, TABLE, "every number is 2 times what is expected"),
        (TABLE / 32, TABLE, "every number is 0.0312 times what is expected"),
        (1.004 * TABLE, TABLE, "every number is 1.004 times what is expected"),
        (TABLE - 0.5, TABLE, "every number is 0.5 too small"),
        (-TABLE, TABLE, "the sign is flipped"),
        (-3.0, 3.0, "the sign is flipped"),
        (0 * TABLE, TABLE, "every number is 0"),
        (np.full((3, 3), 0.25), TABLE, "every number is 0.25"),
        (TABLE.T, TABLE, "the right numbers transposed"),
        (TABLE[[2, 0, 1]], TABLE, "the right rows in another order"),
        (TABLE[0, ::-1], TABLE[0], "the right numbers in another order"),
        ([5.0, -2.0, 9.0], [1.0, 5.0, -2.0], "everything comes one place too early"),
        ([9.0, 1.0, 5.0], [1.0, 5.0, -2.0], "everything comes one place too late"),
        (TABLE[:2].T, TABLE[:2], "the right numbers transposed"),
        (TABLE.ravel(), TABLE, "the right numbers in another shape"),
        (TABLE[0], TABLE, "one axis is missing"),
        (np.full((3, 3), np.nan), TABLE, "every number is NaN"),
        (TABLE + np.diag([9, 0, 0]), TABLE, "1 of 9 numbers outside the tolerance"),
        (TABLE * 1.0001, TABLE, "9 of 9 numbers outside the tolerance"),
        ([9.0, 1.0, 1.0], [1.0, 1.0, 1.0], "1 of 3 numbers outside the tolerance"),
        (np.float32(TABLE) * np.float32(0.1), TABLE, "every number is 0.1 times what is expected"),
    ],
)
def test_what_all_numbers_have_in_common_is_said(got, expected, remark):
    assert message_of(expect_close, got, expected, "look here").endswith(f", {remark}: look here")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("expected", [[0.0, 5e-324], [1e308, -1e308], [np.inf, 1.0], [np.nan, 1.0]])
@pytest.mark.parametrize("got", [[1.0, 2.0], [-1e308, 1e308], [np.inf, np.nan]])
def test_extreme_numbers_cause_no_warning(got, expected):
    message_of(expect_close, got, expected, "look here")


numbers = st.lists(st.floats(-100, 100), min_size=2, max_size=8)


@given(numbers, numbers)
def test_nothing_is_said_of_numbers_that_does_not_hold(one, other):
    got, expected = np.array(one[: len(other)]), np.array(other[: len(one)])
    if np.abs(got - expected).max() <= 1e-6:
        return
    message = message_of(expect_close, got, expected, "look here")
    near = {"rtol": 0, "atol": 1.01e-5 * max(np.abs(got).max(), np.abs(expected).max())}
    if "sign is flipped" in message:
        np.testing.assert_allclose(got, -expected, **near)
    if "times what" in message:
        moved = np.abs(expected) > 1
        assert np.ptp(got[moved] / expected[moved]) < 1e-2 if moved.any() else True
    if " too large" in message or " too small" in message:
        assert np.ptp(got - expected) < 1e-2
    if "another order" in message:
        np.testing.assert_allclose(np.sort(got), np.sort(expected), **near)


def test_at_most_and_at_least_include_the_bound():
    expect_at_most(0.3, 0.3, "never shown")
    expect_at_least(np.float32(0.5), 0.5, "never shown")
    expect_at_least(7, -1, "never shown")


@pytest.mark.parametrize(
    ("check", "value", "bound", "unit", "message"),
    [
        (expect_at_most, 0.412, 0.3, "nats", "expected at most 0.3 nats, got 0.412 nats: look here"),
        (expect_at_least, 0.5, 0.8, "", "expected at least 0.8, got 0.5: look here"),
        (expect_at_most, float("nan"), 1, "", "expected at most 1, got nan: look here"),
        (expect_at_least, float("nan"), 1, "", "expected at least 1, got nan: look here"),
        (expect_at_most, -np.inf, 1, "", "expected at most 1, got -inf: look here"),
        (expect_at_least, np.inf, 1, "", "expected at least 1, got inf: look here"),
        (expect_at_most, [0.1, 0.2], 1, "", "expected one number, got an array of shape (2,): look here"),
        (expect_at_least, True, 0, "", "expected numbers, got True: look here"),
        (expect_at_most, None, 1, "", "expected numbers, got None: look here"),
        (expect_at_most, EqualNumber(3), 1, "", "expected at most 1, got 3: look here"),
    ],
)
def test_numbers_beyond_a_bound_are_shown_with_their_unit(check, value, bound, unit, message):
    assert message_of(check, value, bound, "look here", unit) == message


def raise_error(error):
    raise error


def test_the_error_asked_for_is_accepted():
    expect_raises(raise_error, ValueError("3 ids hold no window of 5"), hint="never shown")
    expect_raises(raise_error, ValueError("Temperature must be >= 0"), hint="never shown", mentions="temperature")
    expect_raises(raise_error, KeyError("q"), hint="never shown", error=LookupError, mentions=("q", "'"))


@pytest.mark.parametrize(
    ("function", "argument", "message"),
    [
        (abs, -3, "expected ValueError, got no error but 3: look here"),
        (raise_error, KeyError("q"), "expected ValueError, got KeyError('q'): look here"),
        (raise_error, NotImplementedError(), "expected ValueError, got NotImplementedError(): look here"),
        (raise_error, ValueError("bad"), "expected ValueError with 'step' in its message, got 'bad': look here"),
        (raise_error, ValueError(EqualText("bad")), "expected ValueError with 'step' in its message, got 'bad': "),
    ],
)
def test_another_end_of_a_call_is_named(function, argument, message):
    assert message_of(expect_raises, function, argument, hint="look here", mentions="step").startswith(message)


def test_an_interrupt_is_no_error_of_the_student():
    with pytest.raises(KeyboardInterrupt):
        expect_raises(raise_error, KeyboardInterrupt(), hint="never shown")


THREE = [0.5, 0.3, 0.2]


@given(st.integers(0, 10**6), st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any))
def test_draws_from_the_distribution_are_accepted(seed, weights):
    probabilities = np.array(weights) / np.sum(weights)
    draws = np.random.default_rng(seed).choice(len(weights), 500, p=probabilities)
    expect_distribution(draws, probabilities, "never shown")
    expect_distribution(draws.reshape(50, 10), np.float32(probabilities), "never shown")


@pytest.mark.parametrize("count", [1, 20, 300, 2000])
@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.97])
def test_false_alarms_are_as_rare_as_promised(count, share):
    alarm = 0.0
    for heads in range(count + 1):
        try:
            expect_distribution([1] * heads + [0] * (count - heads), [1 - share, share], "look here")
        except AssertionError:
            alarm += stats.binom.pmf(heads, count, share)
    assert alarm <= FALSE_ALARM


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        ([0] * 2000, "expected about 1000 of 2000 draws to be 0, got all 2000: look here"),
        ([0] * 900 + [1] * 500 + [2] * 600, "expected about 400 of 2000 draws to be 2, got 600: look here"),
        ([0] * 874 + [1] * 646 + [2] * 480, "expected about 1000 of 2000 draws to be 0, got 874"),
        ([0, 1, 3], "expected classes from 0 to 2, got 3 at draw 2: look here"),
        ([0, -1], "expected classes from 0 to 2, got -1 at draw 1: look here"),
        ([0.0, 1.0], "expected whole numbers as class indices, got [0.0, 1.0]: look here"),
        ([True, False], "expected whole numbers as class indices, got [True, False]: look here"),
        ([], "expected whole numbers as class indices, got []: look here"),
        ([None], "expected whole numbers as class indices, got [None]: look here"),
    ],
)
def test_draws_from_elsewhere_are_named_with_the_class_that_is_off(draws, message):
    assert message_of(expect_distribution, draws, THREE, "look here").startswith(message)


def test_one_draw_of_what_has_probability_0_is_enough():
    draws = [0, 2] * 50 + [1]
    message = "expected none of 101 draws to be 1, got 1: look here"
    assert message_of(expect_distribution, draws, [0.5, 0, 0.5], "look here") == message


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_wrong_temperature_is_found_in_2000_draws(temperature):
    weights = np.array(THREE) ** (1 / temperature)
    draws = np.random.default_rng(3).choice(3, 2000, p=weights / weights.sum())
    assert "draws to be" in message_of(expect_distribution, draws, THREE, "look here")


@pytest.mark.parametrize("probabilities", [[0.5, 0.6], [-0.5, 1.5], [[0.5, 0.5]], [float("nan"), 1.0], []])
def test_what_is_no_distribution_is_a_mistake_of_the_check(probabilities):
    with pytest.raises(ValueError, match="non-negative numbers in a row that sum to 1"):
        expect_distribution([0, 1], probabilities, "never shown")


VALUES = {"W": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "b": np.array([0.5, -0.5])}


def loss(parameters):
    return np.sum(parameters["W"] ** 3) / 3 + np.sum(parameters["b"] ** 2) / 2


def test_right_gradients_are_accepted():
    expect_gradient(loss, VALUES, {"W": VALUES["W"] ** 2, "b": [0.5, -0.5]}, "never shown")
    expect_gradient(lambda values: np.sum(values**2), np.array([3.0]), np.float32([6.0]), "never shown")


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        (
            {"W": 2 * VALUES["W"] ** 2, "b": VALUES["b"]},
            " (relative error 0.5), every number is 2 times what is expected: look here",
        ),
        (
            {"W": VALUES["W"].T ** 2, "b": VALUES["b"]},
            "expected an array like 'W' as its gradient, got shape (3, 2) where (2, 3) is expected, "
            "the right numbers transposed: look here",
        ),
        (
            {"W": VALUES["W"] ** 2, "b": -VALUES["b"]},
            "(relative error 2), the sign is flipped: look here",
        ),
        (
            {"W": VALUES["W"] ** 2 + [[0, 0, 0], [0, 5, 0]], "b": VALUES["b"]},
            "expected 25 in the gradient of 'W' at (1, 1), got 30 (relative error 0.17): look here",
        ),
        (
            {"W": VALUES["W"] ** 2},
            "expected gradients that can be checked, got an error (gradients must have the names of the parameters; "
            "missing: ['b'], unknown: []): look here",
        ),
        (
            None,
            "expected gradients that can be checked, got an error (gradients must be a dict with the names of the "
            "parameters, got NoneType): look here",
        ),
    ],
)
def test_wrong_gradients_are_named_with_their_parameter(gradients, message):
    assert message_of(expect_gradient, loss, VALUES, gradients, "look here").endswith(message)


def test_a_loss_that_cannot_be_checked_fails_the_check():
    assert "the loss is nan" in message_of(expect_gradient, lambda values: np.nan, VALUES, VALUES, "look here")
