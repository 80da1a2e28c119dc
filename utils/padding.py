"""Bring sequences of different lengths to one length, and say which steps of the result are real."""

import operator
from array import array
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

# array("I") and array("Q") read Python integers far faster than NumPy does or any signed type code.
_TYPE_CODES = {np.dtype("int32"): "I", np.dtype("uint32"): "I", np.dtype("int64"): "Q", np.dtype("uint64"): "Q"}


def pad_sequences(
    sequences: Collection[Sequence],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Pad short sequences and cut long ones, so that all become rows of one array.

    The result equals that of `keras.utils.pad_sequences` wherever Keras gives one, its defaults included: **what is
    cut by default is the beginning**. `pad_sequences(reviews, maxlen=80)` keeps the last 80 words of each review;
    `truncating="post"` keeps the first 80.

    Three things differ. What Keras refuses with errors of several types raises a ValueError here. maxlen=0 is taken for
    sequences of any length, and a string as value for dtype="object" as well as for dtype=object. A wrong word for
    padding or truncating is refused even where there is nothing to pad or cut.

    Args:
        sequences: list of sequences; each is a list or array of shape (time,) or (time, ...), with any time.
        maxlen: length of every row of the result, in time steps; None takes the longest sequence's.
        dtype: type of the result's elements; `object` for strings of any length.
        padding: "pre" fills in `value` before a short sequence, "post" after it.
        truncating: "pre" drops a long sequence's beginning, "post" its end.
        value: what is filled in: a number or a string, or an array that broadcasts to the result.

    Returns:
        Array of shape (sequences, maxlen, ...).

    Raises:
        ValueError: sequences is no list of sequences, or is empty while maxlen is None; maxlen is negative or no whole
            number; padding or truncating is no known word; the sequences differ in their shape beyond the first axis;
            a value or an element of a list does not fit dtype. Elements of arrays are converted as NumPy does it, and
            wrap around.
    """
    _check_word("padding", padding)
    _check_word("truncating", truncating)
    steps = lengths(sequences)
    maxlen = _longest(steps) if maxlen is None else _whole_number(maxlen)
    _check_value(value, dtype)
    step_shape = _step_shape(sequences)
    result = None
    if maxlen and len(sequences) and not step_shape:
        result = _pad_ids(sequences, (maxlen - steps).tolist(), maxlen, np.dtype(dtype), padding, truncating, value)
    if result is None:
        result = _filled((len(sequences), maxlen, *step_shape), value, dtype)
        kept = slice(-maxlen, None) if truncating == "pre" else slice(maxlen)
        joined = _join(sequences, kept, step_shape, result.dtype) if maxlen else None
        if joined is not None:
            result[padding_mask(steps, maxlen, padding)] = joined
        elif maxlen:
            _copy_into(result, sequences, kept, dtype, padding)
    return result


def lengths(sequences: Collection[Sequence], maxlen: int | None = None) -> np.ndarray:
    """Count the time steps of each sequence.

    Args:
        sequences: list of sequences; each is a list or array of shape (time,) or (time, ...).
        maxlen: longer sequences count as this many steps, as `pad_sequences` cuts them; None counts all.

    Returns:
        int64 array of shape (sequences,).

    Raises:
        ValueError: sequences is no list of sequences, or maxlen is negative or no whole number.
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"sequences must be a list of sequences, got {type(sequences).__name__}: make a list of it, list(sequences)"
        )
    try:
        steps = np.fromiter(map(len, sequences), np.int64, len(sequences))
    except TypeError:
        number, other = next((number, other) for number, other in enumerate(sequences) if not _has_length(other))
        raise ValueError(
            f"sequences must be a list of sequences, and number {number} is {other!r}, which has no length: "
            "a single sequence is passed as [sequence]"
        ) from None
    return steps if maxlen is None else np.minimum(steps, _whole_number(maxlen))


def padding_mask(lengths: Sequence[int] | np.ndarray, maxlen: int | None = None, padding: str = "pre") -> np.ndarray:
    """Tell real steps from padding in what `pad_sequences` returns.

    The mask comes from the lengths, since the values cannot tell: `ids != 0` takes a word whose id is 0 for padding, a
    vector of measurements may be all zeros, and the value filled in need not be 0. Pass it to a layer as
    `layer(inputs, mask=mask)`, or average with it over the real steps.

    Args:
        lengths: int array of shape (sequences,), the number of real steps of each; see the function `lengths`.
        maxlen: length of every row, in time steps; None takes the longest. Longer sequences count as maxlen steps.
        padding: "pre" where the padding comes before the sequence, "post" where it comes after.

    Returns:
        bool array of shape (sequences, maxlen), True where there is a real step.

    Raises:
        ValueError: lengths is no row of whole numbers of at least 0, or is empty while maxlen is None; maxlen is
            negative or no whole number; padding is no known word.
    """
    _check_word("padding", padding)
    try:
        steps = np.asarray(lengths)
    except ValueError:  # rows of different lengths: sequences
        steps = np.empty((0, 0))
    if steps.ndim != 1 or (steps.size and (steps.dtype.kind not in "iu" or steps.min() < 0)):
        raise ValueError(
            f"lengths must be whole numbers of at least 0 with shape (sequences,), got {lengths!r}: "
            "utils.padding.lengths counts them"
        )
    maxlen = _longest(steps) if maxlen is None else _whole_number(maxlen)
    position = np.arange(maxlen)
    if padding == "pre":
        position = position[::-1]  # counted from the end, where the real steps are
    return position < steps[:, np.newaxis]


def _check_word(name: str, word: str) -> None:
    if word not in ("pre", "post"):
        raise ValueError(f'{name} must be "pre" or "post", got {word!r}')


def _whole_number(maxlen: Any) -> int:
    try:
        number = operator.index(maxlen)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(f"maxlen must be a whole number of at least 0, or None for the longest, got {maxlen!r}")
    return number


def _longest(steps: np.ndarray) -> int:
    if not len(steps):
        raise ValueError("there are no sequences, so none is the longest: pass maxlen")
    return int(steps.max())


def _has_length(sequence: Any) -> bool:
    try:
        len(sequence)
    except TypeError:  # what has __len__ may refuse it: an array of no dimensions does
        return False
    return True


def _check_value(value: Any, dtype: Any) -> None:
    try:
        kind = np.dtype(dtype).kind
    except TypeError:
        raise ValueError(f'dtype must be a type of NumPy\'s, such as "int32" or object, got {dtype!r}') from None
    if isinstance(value, str) and kind not in "OUS":
        raise ValueError(f"value {value!r} is a string and the result's dtype {dtype} is not: pass dtype=object")


def _step_shape(sequences: Collection[Sequence]) -> tuple[int, ...]:
    """The shape of one time step, as the first sequence has it that is not empty."""
    first = next(((number, sequence) for number, sequence in enumerate(sequences) if len(sequence)), None)
    if first is None:
        return ()
    number, sequence = first
    try:
        return np.asarray(sequence).shape[1:]
    except (TypeError, ValueError) as error:
        raise ValueError(f"the time steps of sequence {number} must all have the same shape: {error}") from None


def _pad_ids(
    sequences: Collection[Sequence],
    missing: list[int],
    maxlen: int,
    dtype: np.dtype,
    padding: str,
    truncating: str,
    value: Any,
) -> np.ndarray | None:
    """Pad lists of Python integers of at least 0; None where that is not what there is.

    Nearly all the time goes into reading the integers, so they are read once, straight into the rows of the result.
    """
    if dtype not in _TYPE_CODES or np.ndim(value):
        return None
    filler = _filled((maxlen,), value, dtype)
    if filler[0] < 0:
        return None
    filler, rows = array(_TYPE_CODES[dtype], filler.tobytes()), array(_TYPE_CODES[dtype])
    gaps = {count: filler[: max(count, 0)] for count in set(missing)}
    kept = slice(-maxlen, None) if truncating == "pre" else slice(maxlen)
    try:
        for sequence, count in zip(sequences, missing):
            if padding == "pre":
                rows.extend(gaps[count])
            rows.fromlist(sequence if count >= 0 else sequence[kept])
            if padding == "post":
                rows.extend(gaps[count])
    except (TypeError, OverflowError):
        return None
    result = np.frombuffer(rows, dtype).reshape(-1, maxlen)
    # An integer beyond a signed type has wrapped around; the general way names it.
    return None if result.min() < 0 else result


def _join(
    sequences: Collection[Sequence], kept: slice, step_shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray | None:
    """What is kept of arrays of numbers, end to end, to be copied all at once; None where that is not what there is."""
    if set(map(type, sequences)) != {np.ndarray} or dtype.kind not in "biuf":
        return None
    given = {sequence.dtype for sequence in sequences}
    if len(given) > 1 or given.pop().kind not in "biuf":
        return None
    try:
        joined = np.concatenate([sequence[kept] for sequence in sequences])
    except ValueError:  # their steps differ in shape; the general way names the first that does
        return None
    return joined if joined.shape[1:] == step_shape else None


def _filled(shape: tuple[int, ...], value: Any, dtype: Any) -> np.ndarray:
    try:
        return np.full(shape, value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"value {value!r} does not fit a result of shape {shape} and dtype {dtype}: {error}") from None


def _copy_into(result: np.ndarray, sequences: Collection[Sequence], kept: slice, dtype: Any, padding: str) -> None:
    """Copy any sequences that NumPy can convert into the rows of `result`, one after the other."""
    maxlen, step_shape = result.shape[1], result.shape[2:]
    for number, sequence in enumerate(sequences):
        if not len(sequence):
            continue
        if isinstance(sequence, str | bytes):
            raise ValueError(f"sequence {number} must be a list or array of shape (time, ...), got {sequence!r}")
        try:
            piece = np.asarray(sequence[kept], dtype=dtype)
            if piece.dtype != result.dtype:  # dtype may be open, as None and str are; the result's is not
                piece = piece.astype(result.dtype)
            row = slice(maxlen - len(piece), None) if padding == "pre" else slice(len(piece))
        except (TypeError, ValueError, OverflowError, KeyError) as error:
            raise ValueError(
                f"sequence {number} does not fit dtype {dtype}: {error}: encode it, or pass a dtype that holds it"
            ) from None
        if piece.shape[1:] != step_shape:
            raise ValueError(
                f"every time step must have the same shape, got {piece.shape[1:]} in sequence {number} and, "
                f"before it, {step_shape}"
            )
        result[number, row] = piece
