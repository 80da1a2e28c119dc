"""Bring sequences of different lengths to one length."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np


def pad_sequences(
    sequences: Sequence,
    maxlen: int | None = None,
    dtype: str | np.dtype = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> np.ndarray:
    """Pad short sequences and cut long ones, so that all become rows of one array.

    The result equals that of `keras.utils.pad_sequences`, its defaults included: **what is cut by default is the
    beginning**. `pad_sequences(reviews, maxlen=80)` keeps the last 80 words of each review; `truncating="post"` keeps
    the first 80.

    Args:
        sequences: list of sequences; each is a list or array of shape (time,) or (time, ...), with any time.
        maxlen: length of every row of the result, in time steps; None takes the longest sequence's.
        dtype: type of the result's elements; `object` for strings of any length.
        padding: "pre" fills in `value` before a short sequence, "post" after it.
        truncating: "pre" drops a long sequence's beginning, "post" its end.
        value: what is filled in.

    Returns:
        Array of shape (sequences, maxlen, ...).

    Raises:
        ValueError: sequences is no list of sequences, padding or truncating is no known word, the sequences differ in
            their shape beyond the first axis, or value is a string and dtype is not.
    """
    for name, given in (("padding", padding), ("truncating", truncating)):
        if given not in ("pre", "post"):
            raise ValueError(f'{name} must be "pre" or "post", got {given!r}')
    lengths = _lengths(sequences)
    if maxlen is None:
        maxlen = int(lengths.max(initial=0))
    if isinstance(value, str) and not (np.dtype(dtype) == object or np.issubdtype(dtype, np.str_)):
        raise ValueError(f"value {value!r} is a string and the result's dtype {dtype} is not: pass dtype=object")

    kept = [_cut(sequence, maxlen, truncating) for sequence in sequences]
    pieces = [np.asarray(sequence, dtype=dtype) for sequence in kept if len(sequence)]
    shape = pieces[0].shape[1:] if pieces else _trailing_shape(sequences)
    for piece in pieces:
        if piece.shape[1:] != shape:
            raise ValueError(f"every time step must have the same shape, got {piece.shape[1:]} and, before it, {shape}")
    result = np.full((len(sequences), maxlen, *shape), value, dtype=dtype)
    if pieces:
        steps = np.arange(maxlen)
        kept_lengths = np.minimum(lengths, maxlen)[:, np.newaxis]
        # (sequences, maxlen): True where the result holds a sequence's element and not padding
        filled = steps >= maxlen - kept_lengths if padding == "pre" else steps < kept_lengths
        result[filled] = np.concatenate(pieces)
    return result


def _lengths(sequences: Any) -> np.ndarray:
    if not hasattr(sequences, "__len__") or isinstance(sequences, str | bytes | os.PathLike):
        raise ValueError(f"sequences must be a list of sequences, got {type(sequences).__name__}")
    try:
        return np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    except TypeError:
        other = next(sequence for sequence in sequences if not hasattr(sequence, "__len__"))
        raise ValueError(f"sequences must be a list of sequences, got {other!r} in it: write [sequence]") from None


def _cut(sequence: Sequence, maxlen: int, truncating: str) -> Sequence:
    if len(sequence) <= maxlen:
        return sequence
    return sequence[len(sequence) - maxlen :] if truncating == "pre" else sequence[:maxlen]


def _trailing_shape(sequences: Sequence) -> tuple[int, ...]:
    """The shape of a time step where nothing is kept of any sequence."""
    return next((np.asarray(sequence).shape[1:] for sequence in sequences if len(sequence)), ())
