"""What a model of characters has to beat: counts of what followed the characters before, as in lecture 10."""

import numpy as np

from utils.text import windows


def counted_nats(training: np.ndarray, rows: np.ndarray, scored: int, longest: int, classes: int) -> list[float]:
    """Score counts on held-out text.

    A context seen n times with d different followers trusts its own counts with weight n, and the context that is one
    character shorter with weight d (Witten and Bell).

    Args:
        training: ids of the training text, (characters,).
        rows: ids of held-out pieces, (pieces, context + scored).
        scored: how many ids at the end of each row are predicted; the context before is at least `longest`.
        longest: the longest context that is counted, in characters.
        classes: ids in the vocabulary.

    Returns:
        Nats per character after contexts of 0, 1, ... `longest` characters.
    """
    # (pieces, longest + scored) -> (pieces · scored, longest + 1): each scored id, with the context before it
    pieces = np.lib.stride_tricks.sliding_window_view(rows[:, -scored - longest :], longest + 1, axis=1)
    held = pieces.reshape(-1, longest + 1).astype(np.int64)
    estimate, losses = np.full(len(held), 1 / classes), []
    for length in range(longest + 1):
        digits = classes ** np.arange(length + 1, dtype=np.int64)[::-1]
        # one number for each context with its follower: the follower is its last digit in base `classes`
        pairs, pair_counts = np.unique(windows(training, length + 1) @ digits, return_counts=True)
        contexts, first, followers = np.unique(pairs // classes, return_index=True, return_counts=True)
        wanted = held[:, longest - length :] @ digits
        seen = _look_up(contexts, np.add.reduceat(pair_counts, first), wanted // classes)
        different = _look_up(contexts, followers, wanted // classes)
        refined = (_look_up(pairs, pair_counts, wanted) + different * estimate) / np.maximum(seen + different, 1)
        estimate = np.where(seen > 0, refined, estimate)
        losses.append(float(-np.log(estimate).mean()))
    return losses


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value beside each wanted key, 0 where there is none; keys are sorted."""
    places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0)
