"""What the checks of a problem set call: comparisons whose messages a student can act on, and the grading flag.

Each message is one sentence: what was expected, what came, what the two have to do with each other where that is
certain, and the check's own hint. The hint is the end of that sentence: "did you forget the last window?"

Only plain data are compared (numbers, strings, lists, tuples, dicts, arrays and tensors), after they have been copied
into Python's and NumPy's own types: an object that claims to be equal to everything is refused. A boolean is not a
number, and NaN equals nothing.
"""

import operator
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.differences import clause, describe_inequality, describe_numbers, describe_shape, fits, shorten
from utils.gradients import TOLERANCE, check_gradients

FALSE_ALARM = 1e-6  # probability that `expect_distribution` fails draws that are right
# Copies that even a subclass cannot influence.
COPIES = {bool: bool, int: int.__int__, float: float.__float__, str: str.__str__}


def under_grading() -> bool:
    """Say whether a notebook is being checked or graded, so that its training cells can do with little.

    `course check`, `nbgrader validate` and `nbgrader autograde` all set the variable NBGRADER_EXECUTION.
    """
    return bool(os.environ.get("NBGRADER_EXECUTION"))


def expect_equal(got: object, expected: object, hint: str) -> None:
    """Fail unless two pieces of plain data are equal.

    A list, a tuple and an array or tensor with the same elements count as equal, and so do 3, 3.0 and np.int64(3).
    True and 1 do not.

    Args:
        got: what the student's code gave.
        expected: what it should have given.
        hint: what to look at.

    Raises:
        AssertionError: the two differ; the message shows both where they are short, else the first difference.
    """
    difference = describe_inequality(_plain(got, hint), _plain(expected, hint))
    if difference:
        raise _failure(difference, hint)


def expect_close(got: object, expected: object, hint: str, tolerance: float = 1e-6) -> None:
    """Fail unless numbers lie within a tolerance of what is expected.

    Args:
        got: a number, or a list or array of numbers.
        expected: the same, in the shape that `got` should have. An infinity there wants the same infinity.
        hint: what to look at.
        tolerance: largest allowed absolute difference, in the unit of the numbers.

    Raises:
        AssertionError: a shape or a number differs, or is NaN; the message says where, and what all numbers have in
            common where that is certain ("every number is 2 times what is expected").
    """
    got, expected = _numbers(got, hint), _numbers(expected, hint)
    if got.shape != expected.shape:
        remark = clause(describe_numbers(got, expected))
        raise _failure(f"expected shape {expected.shape}, got {got.shape}{remark}", hint)
    with np.errstate(over="ignore", invalid="ignore"):  # inf - inf
        difference = np.where(got == expected, 0.0, np.abs(got - expected))
    wrong = ~(difference <= tolerance)  # in this direction, so that NaN is wrong
    if wrong.any():
        place = np.unravel_index(np.argmax(np.where(np.isnan(difference), np.inf, difference)), got.shape)
        where = f" at {tuple(int(axis) for axis in place)}" if place else ""
        count = f"{wrong.sum()} of {got.size} numbers outside the tolerance" if got.size > 1 else ""
        remark = clause(describe_numbers(got, expected) or count)
        raise _failure(
            f"expected {expected[place]:.6g} within {tolerance:g}{where}, got {got[place]:.6g}{remark}", hint
        )


def expect_shape(got: object, shape: tuple[int | None, ...], hint: str) -> None:
    """Fail unless an array, a tensor or a nested list has a shape.

    Args:
        got: anything with a shape, or what NumPy makes an array of.
        shape: the expected length of each axis; None allows any.
        hint: what to look at.

    Raises:
        AssertionError: the number of axes or the length of one differs; the message says so where an axis is missing or
            one too many, or where the lengths are right but in another order.
    """
    actual = _shape(got, shape, hint)
    if not fits(actual, shape):
        remark = clause(describe_shape(actual, tuple(shape)))
        raise _failure(f"expected shape {shape}, got {actual}{remark}", hint)


def expect_at_most(value: object, bound: float, hint: str, unit: str = "") -> None:
    """Fail unless a number is no larger than a bound.

    Args:
        value: one number; NaN and infinity fail.
        bound: the largest number that passes.
        hint: what to look at.
        unit: of both numbers, for the message: "nats per character".

    Raises:
        AssertionError: the number is larger, or not one finite number.
    """
    number = _number(value, hint)
    if not -np.inf < number <= bound:
        raise _failure(f"expected at most {_quantity(bound, unit)}, got {_quantity(number, unit)}", hint)


def expect_at_least(value: object, bound: float, hint: str, unit: str = "") -> None:
    """Fail unless a number is no smaller than a bound; all else is as in `expect_at_most`."""
    number = _number(value, hint)
    if not bound <= number < np.inf:
        raise _failure(f"expected at least {_quantity(bound, unit)}, got {_quantity(number, unit)}", hint)


def expect_raises(
    function: Callable[..., Any],
    *arguments: Any,
    hint: str,
    error: type[Exception] = ValueError,
    mentions: str | tuple[str, ...] = (),
) -> None:
    """Fail unless a call raises an error, with a message that names what is wrong.

    Args:
        function: what the student defined. For keyword arguments, pass a lambda that makes the call.
        arguments: what it is called with.
        hint: what to look at.
        error: the class of the error, or a class above it.
        mentions: words that the error's message must contain, one string or several, in capitals or not.

    Raises:
        AssertionError: nothing is raised, or another error, or the message leaves something out.
    """
    try:
        result = function(*arguments)
    except error as raised:
        message = str.__str__(str(raised))  # exactly str, see COPIES
    except Exception as raised:
        raise _failure(f"expected {error.__name__}, got {_show(raised)}", hint) from raised
    else:
        raise _failure(f"expected {error.__name__}, got no error but {_show(result)}", hint)
    for word in (mentions,) if isinstance(mentions, str) else mentions:
        if word.lower() not in message.lower():
            raise _failure(f"expected {error.__name__} with {word!r} in its message, got {_show(message)}", hint)


def expect_distribution(draws: object, probabilities: object, hint: str) -> None:
    """Fail if draws cannot well come from a distribution; right ones fail with a probability below 1e-6.

    A class k fails where its share q of n independent draws has n · KL(q ‖ p_k) of ln(2 · classes / 1e-6) or more:
    Hoeffding's bound on each tail, which holds for every n, over all classes. With 2 000 draws of 3 classes, that is
    a share about 0.063 from a probability of 0.5, or 5.6 standard deviations.

    Args:
        draws: class indices from 0 on, in a list or an array of any shape.
        probabilities: float array of shape (classes,), non-negative, sum 1.
        hint: what to look at.

    Raises:
        AssertionError: there are no draws; one is no class, or of a class with probability 0; or a class comes up too
            often or too rarely, and the message says how often it should.
        ValueError: the probabilities are no distribution.

    Source:
        Hoeffding, "Probability Inequalities for Sums of Bounded Random Variables", 1963, theorem 1.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if probabilities.ndim != 1 or not (probabilities >= 0).all() or not abs(probabilities.sum() - 1) <= 1e-6:
        raise ValueError(f"probabilities must be non-negative numbers in a row that sum to 1, got {probabilities}")
    probabilities = probabilities / probabilities.sum()
    draws = _classes(draws, len(probabilities), hint)
    counts = np.bincount(draws, minlength=len(probabilities))
    surprise = len(draws) * _divergence(counts / len(draws), probabilities)
    worst = int(np.argmax(surprise))
    if surprise[worst] >= np.log(2 * len(probabilities) / FALSE_ALARM):
        wanted = f"about {len(draws) * probabilities[worst]:.0f}" if probabilities[worst] else "none"
        count = f"all {len(draws)}" if counts[worst] == len(draws) else counts[worst]
        raise _failure(f"expected {wanted} of {len(draws)} draws to be {worst}, got {count}", hint)


def expect_gradient(
    loss: Callable[[Any], float], parameters: Any, gradients: Any, hint: str, tolerance: float = TOLERANCE
) -> None:
    """Fail unless the gradients of a backward pass agree with numeric ones.

    Args:
        loss: called with a dict like `parameters`, or with one such array, to give one number in float64.
        parameters: dict from names to float64 arrays, or one array; not changed.
        gradients: what the student's code gave: the same names, or one array.
        hint: what to look at.
        tolerance: largest allowed relative error, as `utils.gradients.relative_error` defines it.

    Raises:
        AssertionError: a gradient has another name or shape, or a number in it differs; the message says where, and
            what all numbers have in common where that is certain ("the sign is flipped").
    """
    try:
        table = check_gradients(loss, parameters, gradients)
    except (TypeError, ValueError) as error:
        raise _failure(f"expected gradients that can be checked, got an error ({error})", hint) from error
    for name, record in table.items():
        if record.place is None and record.error > tolerance:
            raise _failure(f"expected an array like {name!r} as its gradient, got {record.remark}", hint)
        if record.error > tolerance:
            raise _failure(
                f"expected {record.numeric:.6g} in the gradient of {name!r} at {record.place}, "
                f"got {record.analytic:.6g} (relative error {record.error:.2g}){clause(record.remark)}",
                hint,
            )


def _failure(difference: str, hint: str) -> AssertionError:
    """What a check raises; grading shows the hint alone where the input is hidden."""
    error = AssertionError(f"{difference}: {hint}")
    error.hint = hint  # type: ignore[attr-defined]
    return error


def _plain(value: object, hint: str) -> Any:
    """Copy plain data into exact Python types. Anything else fails: an object could claim to be equal to everything."""
    kind = type(value)
    for base, copy in COPIES.items():
        if issubclass(kind, base):
            return copy(value)
    if value is None:
        return None
    if issubclass(kind, list | tuple | range):
        return [_plain(element, hint) for element in value]
    if issubclass(kind, dict):
        keys = [_plain(key, hint) for key in value]
        keys = [tuple(key) if isinstance(key, list) else key for key in keys]
        return dict(zip(keys, [_plain(element, hint) for element in value.values()]))
    if hasattr(value, "__array__"):  # arrays, tensors and NumPy's own numbers
        return _plain(_array(value, "plain data", hint).tolist(), hint)
    raise _failure(f"expected numbers, strings, lists or dicts, got {kind.__name__}", hint)


def _array(value: object, kind: str, hint: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except Exception:  # rows of different lengths, symbolic tensors, whatever a student's __array__ does
        raise _failure(f"expected {kind}, got {_show(value)}", hint) from None


def _numbers(value: object, hint: str) -> np.ndarray:
    array = _array(value, "numbers", hint)
    if array.dtype.kind in "bOSUMmc":  # NumPy would make numbers of booleans, of None and of strings such as "3"
        raise _failure(f"expected numbers, got {_show(value)}", hint)
    return array.astype(np.float64)


def _number(value: object, hint: str) -> float:
    number = _numbers(value, hint)
    if number.ndim:
        raise _failure(f"expected one number, got an array of shape {number.shape}", hint)
    return float(number)


def _classes(draws: object, count: int, hint: str) -> np.ndarray:
    """Draws as one row of class indices."""
    classes = _array(draws, "class indices", hint).ravel()
    if classes.dtype.kind not in "iu" or not len(classes):
        raise _failure(f"expected whole numbers as class indices, got {_show(draws)}", hint)
    outside = np.flatnonzero((classes < 0) | (classes >= count))
    if len(outside):
        first = outside[0]
        raise _failure(f"expected classes from 0 to {count - 1}, got {classes[first]} at draw {first}", hint)
    return classes


def _divergence(shares: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """KL(share ‖ probability) in nats, each class against all others; infinite for what cannot happen."""
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 · ln 0 is 0
        inside = np.where(shares > 0, shares * np.log(shares / probabilities), 0.0)
        outside = np.where(shares < 1, (1 - shares) * np.log((1 - shares) / (1 - probabilities)), 0.0)
    return inside + outside


def _shape(got: object, shape: tuple[int | None, ...], hint: str) -> tuple[int | None, ...]:
    try:
        actual = getattr(got, "shape", None)
        if actual is None:
            array = np.asarray(got)
            actual = array.shape if array.dtype.kind != "O" else None
        return tuple(None if length is None else operator.index(length) for length in actual)
    except Exception as error:
        ragged = isinstance(error, ValueError) and isinstance(got, list | tuple)
        found = "rows of different lengths" if ragged else _show(got)
        raise _failure(f"expected shape {shape}, got {found}", hint) from None


def _show(value: object) -> str:
    """What a message has room for of a value, on one line: an array's own text has several."""
    return shorten(" ".join(line.strip() for line in repr(value).splitlines()))


def _quantity(number: float, unit: str) -> str:
    return f"{number:.6g} {unit}".rstrip()
