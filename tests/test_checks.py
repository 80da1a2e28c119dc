"""The comparisons that a problem set's checks call: they accept what is equal, and say what a student can act on."""

import collections

import numpy as np
import pytest

from utils.checks import expect_close, expect_equal, expect_shape, under_grading


class AlwaysEqual:
    def __eq__(self, other):
        return True

    __hash__ = None


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
    ],
)
def test_equal_plain_data_is_accepted(got, expected):
    expect_equal(got, expected, "never shown")


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (4, 3, "expected 3, got 4: look here"),
        ([1, 2], [1, 2, 3], "expected [1, 2, 3], got [1, 2]: look here"),
        (np.array([2, 1]), [1, 2], "expected [1, 2], got [2, 1]: look here"),
        ({"a": 1}, {"a": 2}, "expected {'a': 2}, got {'a': 1}: look here"),
        ("3", 3, "expected 3, got '3': look here"),
        (float("nan"), 1.0, "expected 1.0, got nan: look here"),
        ({1, 2}, [1, 2], "expected numbers, strings, lists or dicts, got set: look here"),
        (AlwaysEqual(), 3, "expected numbers, strings, lists or dicts, got AlwaysEqual: look here"),
        ([AlwaysEqual()], [3], "expected numbers, strings, lists or dicts, got AlwaysEqual: look here"),
    ],
)
def test_other_data_is_shown_beside_what_was_expected(got, expected, message):
    with pytest.raises(AssertionError) as failure:
        expect_equal(got, expected, "look here")
    assert str(failure.value) == message


def test_a_long_value_is_cut():
    with pytest.raises(AssertionError) as failure:
        expect_equal(list(range(1000)), 1, "look here")
    assert len(str(failure.value)) < 300
    assert str(failure.value).endswith(" ...: look here")


@pytest.mark.parametrize(
    ("got", "expected"),
    [(0.5, 0.5009), ([1, 2], (1.0, 2.0)), (np.float32([[1.0005]]), [[1]])],
)
def test_numbers_within_the_tolerance_are_accepted(got, expected):
    expect_close(got, expected, "never shown", tolerance=0.001)


@pytest.mark.parametrize(
    ("got", "expected", "message"),
    [
        (0.6, 0.5, "expected 0.5 within 0.01, got 0.6: look here"),
        ([1, 2, 3.5], [1, 2, 3], "expected 3 within 0.01 at (2,), got 3.5: look here"),
        ([[1, 9], [3, 5]], [[1, 2], [3, 4]], "expected 2 within 0.01 at (0, 1), got 9: look here"),
        (float("nan"), 0.5, "expected 0.5 within 0.01, got nan: look here"),
        ([5, float("nan")], [1, 2], "expected 2 within 0.01 at (1,), got nan: look here"),
        ([1, 2], [1, 2, 3], "expected shape (3,), got (2,): look here"),
        ("half", 0.5, "expected numbers, got 'half': look here"),
        (None, [1.0], "expected shape (1,), got (): look here"),
    ],
)
def test_numbers_outside_the_tolerance_are_named_with_their_place(got, expected, message):
    with pytest.raises(AssertionError) as failure:
        expect_close(got, expected, "look here", tolerance=0.01)
    assert str(failure.value) == message


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
        (np.zeros((5, 3)), (3, 5), "expected shape (3, 5), got (5, 3): look here"),
        ([1, 2], (1, 2), "expected shape (1, 2), got (2,): look here"),
        (7, (1,), "expected shape (1,), got (): look here"),
        ([[1], [1, 2]], (2, 2), "expected shape (2, 2), got rows of different lengths: look here"),
        (np.zeros((4, 6)), (None, 5), "expected shape (None, 5), got (4, 6): look here"),
    ],
)
def test_another_shape_is_named(got, shape, message):
    with pytest.raises(AssertionError) as failure:
        expect_shape(got, shape, "look here")
    assert str(failure.value) == message


def test_grading_is_known_by_nbgraders_variable(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert not under_grading()
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert under_grading()
