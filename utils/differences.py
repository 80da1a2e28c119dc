"""Say in words how data differ from what was expected: only what is computed for sure, nothing guessed."""

from typing import Any

import numpy as np

SHORT = 60  # characters: longer data are shown around the first difference only
AGREEMENT = 1e-5  # relative to the largest number: closer than this, float32 results are the same numbers
VISIBLE = 1e-3  # relative to the largest number: what differs by less is rounding, not a mistake with a name


def describe_inequality(got: Any, expected: Any) -> str:
    """Name the first place where two pieces of plain data differ.

    Plain data here are exactly list, dict, str, int, float, bool and None. NaN equals nothing, itself included, and a
    boolean equals no number: True where 1 is expected is a comparison where its count was wanted.

    Returns:
        str like "expected 14 at index 17, got 15"; empty where the two are equal.
    """
    found = _first_difference(got, expected)
    if found is None:
        return ""
    steps, *here = found
    remark = _describe_order(got, expected, steps) if isinstance(got, list) and isinstance(expected, list) else ""
    if max(len(repr(got)), len(repr(expected))) <= SHORT:
        return f"expected {expected!r}, got {got!r}{clause(remark)}"
    wanted, given = _show_pair(*here)
    return f"expected {wanted}{_name_place(steps)}, got {given}{clause(remark)}"


def fits(got: tuple, expected: tuple) -> bool:
    """Say whether a shape is the one that was wanted, where None allows any length of an axis."""
    return len(got) == len(expected) and all(want is None or have == want for have, want in zip(got, expected))


def describe_shape(got: tuple, expected: tuple) -> str:
    """Say what two shapes have to do with each other.

    Args:
        got: the shape that came; a length may be None where it is open.
        expected: the shape that was wanted; None allows any length.

    Returns:
        str like "the first axis, often the batch, is missing"; empty where nothing is certain.
    """
    if len(got) == len(expected):
        return _describe_axis_order(got, expected)
    if len(got) == len(expected) - 1:
        places = [axis for axis in range(len(expected)) if fits(got, expected[:axis] + expected[axis + 1 :])]
        return f"{_name_axis(places[0], len(expected))} is missing" if len(places) == 1 else "one axis is missing"
    if len(got) == len(expected) + 1:
        places = [axis for axis in range(len(got)) if fits(got[:axis] + got[axis + 1 :], expected)]
        return f"{_name_axis(places[0], len(got))} is one too many" if len(places) == 1 else "one axis too many"
    return ""


@np.errstate(over="ignore", invalid="ignore")
def describe_numbers(got: np.ndarray, expected: np.ndarray) -> str:
    """Say what two float arrays have to do with each other: in shape, scale or order.

    Returns:
        str like "every number is 2 times what is expected"; empty where nothing is certain.
    """
    if got.shape != expected.shape:
        return _describe_layout(got, expected) or describe_shape(got.shape, expected.shape)
    return describe_scale(got, expected) or _describe_arrangement(got, expected)


@np.errstate(over="ignore", invalid="ignore")
def describe_scale(got: np.ndarray, expected: np.ndarray) -> str:
    """Say by what every number differs, place by place, for two float arrays of one shape.

    Returns:
        str like "the sign is flipped"; empty where nothing is certain.
    """
    undefined = int(np.isnan(got).sum())
    if undefined and got.size > 1:
        return "every number is NaN" if undefined == got.size else f"{undefined} of {got.size} numbers are NaN"
    if not _comparable(got, expected):
        return ""
    if got.any() and _agree(got, -expected):
        return "the sign is flipped"
    if np.ptp(expected) == 0:  # one number, or the same one everywhere: no pattern can be told
        return ""
    if np.ptp(got) == 0:
        return f"every number is {got.flat[0] + 0.0:.4g}"  # -0 is 0
    largest = np.argmax(np.abs(expected))
    factor = got.flat[largest] / expected.flat[largest]
    if _agree(got, factor * expected):
        digits = 3 if f"{factor:.3g}" != "1" else 6  # "1 times" would say that nothing is wrong
        return f"every number is {factor:.{digits}g} times what is expected"
    offset = np.mean(got - expected)
    if _agree(got, expected + offset):
        return f"every number is {abs(offset):.3g} too {'large' if offset > 0 else 'small'}"
    return ""


def shorten(text: str) -> str:
    """Cut a text to what a message has room for."""
    return text if len(text) <= SHORT else f"{text[: SHORT - 4]} ..."


def clause(remark: str) -> str:
    """A remark as the next clause of a sentence; empty where there is none."""
    return f", {remark}" if remark else ""


def _describe_layout(got: np.ndarray, expected: np.ndarray) -> str:
    """For arrays of different shapes: whether they hold the same numbers."""
    if got.size != expected.size or got.size < 2 or np.ptp(expected) == 0:
        return ""
    if got.ndim == 2 and got.T.shape == expected.shape and _agree(got.T, expected):
        return "the right numbers transposed"
    return "the right numbers in another shape" if _agree(got.ravel(), expected.ravel()) else ""


def _describe_arrangement(got: np.ndarray, expected: np.ndarray) -> str:
    """For arrays of one shape: whether the right numbers stand in other places."""
    if not _comparable(got, expected) or got.ndim == 0 or len(got) < 2:
        return ""
    if got.ndim == 2 and got.shape[0] == got.shape[1] and _agree(got, expected.T):
        return "the right numbers transposed"
    if _agree(_sort_rows(got), _sort_rows(expected)):
        return f"the right {'numbers' if got.ndim == 1 else 'rows'} in another order"
    for early, (ours, theirs) in ((True, (got[:-1], expected[1:])), (False, (got[1:], expected[:-1]))):
        if np.ptp(theirs, axis=0).any() and _agree(ours, theirs):
            return _name_shift(early)
    return ""


def _describe_order(got: list, expected: list, steps: tuple[str, ...]) -> str:
    """For lists: whether the right elements stand in other places, or how many there are besides a wrong one."""
    if len(got) != len(expected):
        return f"{len(got)} elements instead of {len(expected)}" if steps else ""
    if len(got) < 2:
        return ""
    if sorted(map(repr, got)) == sorted(map(repr, expected)):
        return "the right elements in another order"
    for early, (ours, theirs) in ((True, (got[:-1], expected[1:])), (False, (got[1:], expected[:-1]))):
        if len(set(map(repr, theirs))) > 1 and ours == theirs:
            return _name_shift(early)
    return ""


def _name_shift(early: bool) -> str:
    return f"everything comes one place too {'early' if early else 'late'}"


def _describe_axis_order(got: tuple, expected: tuple) -> str:
    if None in got or None in expected or got == expected or sorted(got) != sorted(expected):
        return ""
    if len(got) == 2:
        return "transposed"
    if got[:2] == expected[1::-1] and got[2:] == expected[2:]:
        return "the first two axes, often batch and time, are swapped"
    return "the axes are in another order"


def _name_axis(axis: int, count: int) -> str:
    if count == 1:
        return "the only axis"
    if axis == 0:
        return "the first axis, often the batch,"
    return "the last axis" if axis == count - 1 else f"axis {axis}"


def _first_difference(got: Any, expected: Any, steps: tuple[str, ...] = ()) -> tuple[tuple[str, ...], Any, Any] | None:
    """Steps to the first place where two pieces of plain data differ, and what stands there in each."""
    parts: list[tuple[str, Any, Any]] = []
    if isinstance(got, list) and isinstance(expected, list):
        parts = [(f"index {index}", *pair) for index, pair in enumerate(zip(got, expected))]
        same = len(got) == len(expected)
    elif isinstance(got, dict) and isinstance(expected, dict):
        parts = [(f"key {shorten(repr(key))}", got[key], value) for key, value in expected.items() if key in got]
        same = got.keys() == expected.keys()
    else:
        same = got == expected and isinstance(got, bool) == isinstance(expected, bool)
    for step, *pair in parts:
        found = _first_difference(*pair, (*steps, step))
        if found:
            return found
    return None if same else (steps, got, expected)


def _name_place(steps: tuple[str, ...]) -> str:
    if len(steps) < 2:
        return f" at {steps[0]}" if steps else ""
    brackets = [f"[{step.partition(' ')[2]}]" for step in steps]
    return f" at {''.join(brackets)}"  # as one would look it up


def _show_pair(got: Any, expected: Any) -> tuple[str, str]:
    """What was expected and what came, both short, with the difference in sight."""
    if isinstance(got, list) and isinstance(expected, list):
        right = min(len(got), len(expected))
        return f"{len(expected)} elements", f"{len(got)}, the first {right} of them right"
    if isinstance(got, dict) and isinstance(expected, dict):
        missing = repr([key for key in expected if key not in got])
        extra = repr([key for key in got if key not in expected])
        return f"{len(expected)} keys", f"{len(got)}, missing: {shorten(missing)}, not expected: {shorten(extra)}"
    if isinstance(got, str) and isinstance(expected, str):
        pairs = enumerate(zip(got, expected))
        first = next((place for place, (one, other) in pairs if one != other), min(len(got), len(expected)))
        length = "" if len(got) == len(expected) else f", {len(got)} characters instead of {len(expected)}"
        place = f"character {first}" if first else "the first character"
        return _excerpt(expected, first), f"{_excerpt(got, first)}, different from {place} on{length}"
    return shorten(repr(expected)), shorten(repr(got))


def _excerpt(text: str, place: int) -> str:
    begin, end = max(place - SHORT // 3, 0), place + SHORT // 3
    return f"{'...' * (begin > 0)}{text[begin:end]!r}{'...' * (end < len(text))}"


def _comparable(got: np.ndarray, expected: np.ndarray) -> bool:
    """Whether there are numbers to compare, and they differ by more than rounding does."""
    if got.size == 0 or not (np.isfinite(got).all() and np.isfinite(expected).all()):
        return False
    return bool(np.abs(got - expected).max() > VISIBLE * np.abs(expected).max())


def _agree(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() <= AGREEMENT * np.abs(other).max())


def _sort_rows(values: np.ndarray) -> np.ndarray:
    rows = values.reshape(len(values), -1)
    return rows[np.lexsort(rows.T[::-1])]
