"""Draw from a model's distribution."""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Models give float32, in which probabilities that should sum to 1 miss it in the sixth digit; float16 in the third.
ROUNDING = 1e-6
LARGEST_SUM = 1.01


def sample(
    probabilities: Any = None,
    temperature: float | Sequence[float] = 1.0,
    rng: np.random.Generator | None = None,
    *,
    logits: Any = None,
    top_k: int | None = None,
    top_p: float | None = None,
) -> int | np.ndarray:
    """Draw one class index from each row of a table of probabilities or logits.

    Computed in float64 on logarithms whose maximum is subtracted first, so that no temperature gives a NaN. With
    float32 and the formula exp(log(p) / temperature), every class underflows to 0 at temperature 0.001: 0/0.

    Args:
        probabilities: float array of shape (classes,) or (batch, classes); rows are non-negative and sum to 1, or to
            less where some classes were ruled out by a 0: the others then keep their ratios.
        temperature: > 0 divides the log-probabilities (below 1 sharpens, above 1 flattens); 0 takes the most probable
            class (the first of several); infinity makes all possible classes equally probable. One number for all
            rows, or one a row; several temperatures and one row draw once at each.
        rng: numpy.random.Generator; a fresh one where None.
        logits: given instead of probabilities: unnormalised log-probabilities of the same shapes; -inf is impossible.
        top_k: draw only from the k most probable classes, of equals the first.
        top_p: draw only from the most probable classes that together reach this probability, in (0, 1], after the
            temperature is applied (nucleus sampling).

    Returns:
        int, or int32 array of shape (batch,).

    Raises:
        TypeError: rng is no numpy.random.Generator, or top_k no integer.
        ValueError: probabilities hold a NaN or a negative, a row sums to 0 (all logits -inf) or to over 1.01,
            temperature is negative or fits no row, top_k or top_p is out of range, or both or none of probabilities
            and logits are given.

    Source:
        Nucleus sampling: Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020.
    """
    scores = _log_scores(probabilities, logits)
    temperatures = check_temperatures(temperature)
    cuts = check_cuts(top_k, top_p)
    single = scores.ndim == 1 and temperatures.ndim == 0
    # (classes,) or (batch, classes) -> (batch, classes)
    scores, temperatures = _match_rows(np.atleast_2d(scores), np.atleast_1d(temperatures))
    chances = as_generator(rng).random(len(scores))
    with np.errstate(over="ignore", invalid="ignore"):  # -inf / inf, which `draw` takes care of
        drawn = draw(np, scores, temperatures, chances, cuts).astype(np.int32)
    return int(drawn[0]) if single else drawn


def draw(ops: Any, scores: Any, temperatures: Any, chances: Any, cuts: Any) -> Any:
    """Draw one class of each row, with nothing checked: `sample` does it in NumPy, `generate` in compiled code.

    Args:
        ops: the library to compute with, numpy or keras.ops; the arrays are of its kind and of one float type.
        scores: (rows, classes), log-probabilities up to a constant a row; -inf is impossible.
        temperatures: (rows,), 0 or more; no subnormal numbers, which compiled code takes for 0 in a division only.
        chances: (rows,), uniform random numbers in [0, 1).
        cuts: what `check_cuts` gives.

    Returns:
        Integers of shape (rows,). Where a row has a NaN or no possible class, its number means nothing.
    """
    weights = temper(ops, scores, temperatures[:, np.newaxis])
    if cuts is not None:
        weights = _keep_likeliest(ops, weights, cuts[0], cuts[1])
    return _invert(ops, weights, chances)


def as_generator(rng: np.random.Generator | None) -> np.random.Generator:
    """Give back a generator, or make a fresh one of None.

    Raises:
        TypeError: rng is something else, such as a seed.
    """
    if rng is None:
        return np.random.default_rng()
    if not isinstance(rng, np.random.Generator):
        seed = rng if isinstance(rng, int) else 0
        raise TypeError(
            f"rng must be a numpy.random.Generator, got {type(rng).__name__}: pass numpy.random.default_rng({seed})"
        )
    return rng


def check_temperatures(temperature: float | Sequence[float]) -> np.ndarray:
    """Give temperatures as a float64 array of shape () or (rows,).

    Raises:
        ValueError: one is negative or a NaN, there is none, or they have more than one axis.
    """
    try:
        temperatures = np.asarray(temperature, dtype=np.float64)
    except (TypeError, ValueError):
        temperatures = np.array(np.nan)
    if temperatures.ndim > 1 or temperatures.size == 0 or not (temperatures >= 0).all():
        raise ValueError(f"temperature must be 0 or more, one number or one for each row, got {temperature!r}")
    return temperatures


def check_cuts(top_k: int | None, top_p: float | None) -> np.ndarray | None:
    """Give top_k and top_p as an array of two numbers, infinity for the one that cuts nothing; None where both do.

    Raises:
        TypeError: top_k is no integer.
        ValueError: top_k is below 1, or top_p lies outside (0, 1].
    """
    if top_k is not None and not isinstance(top_k, int | np.integer):
        raise TypeError(f"top_k must be a whole number of classes, got {top_k!r}: for their probability, pass top_p=")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], got {top_p}")
    if top_k is None and top_p in (None, 1):
        return None
    return np.array([np.inf if top_k is None else top_k, np.inf if top_p in (None, 1) else top_p])


def _log_scores(probabilities: Any, logits: Any) -> np.ndarray:
    if (probabilities is None) == (logits is None):
        raise ValueError("give either probabilities or logits")
    if logits is not None:
        scores = _as_table(logits, "logits")
    else:
        table = _as_table(probabilities, "probabilities")
        _check_probabilities(table)
        with np.errstate(divide="ignore"):
            scores = np.log(table)
    if np.isposinf(scores).any():
        raise ValueError("logits must be finite or -inf, got infinity")
    if np.isneginf(scores).all(axis=-1).any():
        raise ValueError("a row has no possible class: its probabilities sum to 0, or all its logits are -inf")
    return scores


def _as_table(values: Any, name: str) -> np.ndarray:
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, in rows of one length, got {str(values)[:60]}") from None
    if table.ndim not in (1, 2) or table.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (classes,) or (batch, classes), got {table.shape}")
    if np.isnan(table).any():
        raise ValueError(f"{name} hold a NaN: look for a loss that became NaN in training")
    return table


def _check_probabilities(table: np.ndarray) -> None:
    if (table < 0).any():
        raise ValueError(f"probabilities must not be negative, got {table.min()}: for logits, pass logits=")
    largest = table.sum(axis=-1).max(initial=0)
    if largest > LARGEST_SUM:
        raise ValueError(
            f"probabilities of a row must sum to 1, got {largest:g}: "
            "for logits, pass logits=; divide counts by their sum"
        )


def _match_rows(scores: np.ndarray, temperatures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = {len(scores), len(temperatures)} - {1}
    if len(rows) > 1:
        raise ValueError(
            f"{len(temperatures)} temperatures do not fit {len(scores)} rows: give one, or one for each row"
        )
    count = rows.pop() if rows else 1
    return np.broadcast_to(scores, (count, scores.shape[-1])), np.broadcast_to(temperatures, count)


def temper(ops: Any, scores: Any, temperatures: Any) -> Any:
    """Weights of the classes at a temperature, the largest of each row being 1.

    Args:
        ops: the library to compute with, as in `draw`.
        scores: (rows, classes), log-probabilities up to a constant a row; -inf is impossible.
        temperatures: (rows, 1), 0 or more.

    Returns:
        Float array of shape (rows, classes).
    """
    below_best = scores - ops.max(scores, axis=1, keepdims=True)
    greedy = temperatures == 0
    weights = ops.exp(below_best / ops.where(greedy, 1.0, temperatures))
    # an impossible class stays impossible at infinite temperature: -inf / inf is a NaN
    weights = ops.where(scores == -np.inf, 0.0, weights)
    best = ops.arange(scores.shape[1]) == ops.argmax(scores, axis=1)[:, np.newaxis]
    return ops.where(greedy, ops.where(best, 1.0, 0.0), weights)


def _keep_likeliest(ops: Any, weights: Any, top_k: Any, top_p: Any) -> Any:
    # keras.ops sorts stably and cannot be asked to; NumPy must be asked to
    order = ops.argsort(-weights, axis=1, **({"kind": "stable"} if ops is np else {}))
    ranked = ops.take_along_axis(weights, order, axis=1)
    ranked = ops.where(ops.arange(weights.shape[1], dtype="float32") < top_k, ranked, 0.0)
    before = ops.cumsum(ranked, axis=1) - ranked
    # without the tolerance, rounding would add a class where a sum equals top_p
    goal = (1 - ROUNDING) * top_p * ops.sum(ranked, axis=1, keepdims=True)
    ranked = ops.where(before < goal, ranked, 0.0)
    return ops.take_along_axis(ranked, ops.argsort(order, axis=1), axis=1)


def _invert(ops: Any, weights: Any, chances: Any) -> Any:
    """Inverse transform sampling: the first class whose cumulative weight exceeds a uniform number."""
    cumulative = ops.cumsum(weights, axis=1)
    thresholds = chances[:, np.newaxis] * cumulative[:, -1:]
    drawn = ops.sum(ops.where(cumulative <= thresholds, 1, 0), axis=1)
    # rounding may lift a threshold to the total, past the last class that is possible
    last_possible = ops.max(ops.where(weights > 0, ops.arange(weights.shape[1]), 0), axis=1)
    return ops.minimum(drawn, last_possible)
