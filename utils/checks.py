"""What the checks of a problem set call: comparisons whose messages a student can act on, and the grading flag."""

import os

import numpy as np


def under_grading() -> bool:
    """Say whether a notebook is being checked or graded, so that its training cells can do with little.

    `course check`, `nbgrader validate` and `nbgrader autograde` all set the variable NBGRADER_EXECUTION.
    """
    return bool(os.environ.get("NBGRADER_EXECUTION"))


def expect_equal(got: object, expected: object, hint: str) -> None:
    """Fail unless two pieces of plain data are equal.

    Plain data are numbers, strings, None, and lists, tuples, dicts and arrays of them. A list, a tuple and an array or
    tensor with the same elements count as equal, and so do 3, 3.0 and np.int64(3).

    Args:
        got: what the student's code gave.
        expected: what it should have given.
        hint: what to look at, as the end of a sentence: "did you forget the last window?"

    Raises:
        AssertionError: the two differ; the message holds both and the hint.
    """
    got, expected = _plain(got, hint), _plain(expected, hint)
    if got != expected:
        raise AssertionError(f"expected {_short(expected)}, got {_short(got)}: {hint}")


def expect_close(got: object, expected: object, hint: str, tolerance: float = 1e-6) -> None:
    """Fail unless numbers lie within a tolerance of what is expected.

    Args:
        got: a number, or a list or array of numbers.
        expected: the same, in the shape that `got` should have.
        hint: what to look at, as the end of a sentence.
        tolerance: largest allowed absolute difference, in the unit of the numbers.

    Raises:
        AssertionError: a shape or a number differs, or is not a number; the message says where.
    """
    got, expected = _numbers(got, hint), _numbers(expected, hint)
    if got.shape != expected.shape:
        raise AssertionError(f"expected shape {expected.shape}, got {got.shape}: {hint}")
    difference = np.abs(got - expected)
    wrong = ~(difference <= tolerance)  # in this direction, so that NaN is wrong
    if wrong.any():
        place = np.unravel_index(np.argmax(np.where(np.isnan(difference), np.inf, difference)), got.shape)
        where = f" at {tuple(int(axis) for axis in place)}" if place else ""
        raise AssertionError(
            f"expected {expected[place]:.6g} within {tolerance:g}{where}, got {got[place]:.6g}: {hint}"
        )


def expect_shape(got: object, shape: tuple[int | None, ...], hint: str) -> None:
    """Fail unless an array, a tensor or a nested list has a shape.

    Args:
        got: anything with a shape, or what NumPy makes an array of.
        shape: the expected length of each axis; None allows any.
        hint: what to look at, as the end of a sentence.

    Raises:
        AssertionError: the number of axes or the length of one differs.
    """
    try:
        actual = tuple(getattr(got, "shape", None) or np.shape(got))
    except ValueError:
        raise AssertionError(f"expected shape {shape}, got rows of different lengths: {hint}") from None
    if len(actual) != len(shape) or any(want not in (None, have) for want, have in zip(shape, actual)):
        raise AssertionError(f"expected shape {shape}, got {actual}: {hint}")


def _numbers(value: object, hint: str) -> np.ndarray:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise AssertionError(f"expected numbers, got {_short(value)}: {hint}") from None


def _plain(value: object, hint: str) -> object:
    """Bring plain data to one form. Anything else fails: an object could claim to be equal to everything."""
    if hasattr(value, "__array__"):  # arrays, tensors and NumPy's own numbers
        value = np.asarray(value).tolist()
    if isinstance(value, list | tuple | range):
        return [_plain(element, hint) for element in value]
    if isinstance(value, dict):
        keys = [key.item() if isinstance(key, np.generic) else key for key in value]
        return {key: _plain(element, hint) for key, element in zip(keys, value.values())}
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if value is None:
        return None
    raise AssertionError(f"expected numbers, strings, lists or dicts, got {type(value).__name__}: {hint}")


def _short(value: object, limit: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 4]} ..."
