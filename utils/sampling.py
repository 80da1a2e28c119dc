"""Draw from a model's distribution, and let a model write."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from utils.text import Vocabulary


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
        probabilities: float array of shape (classes,) or (batch, classes); rows are non-negative and sum to 1.
        temperature: > 0 divides the log-probabilities (below 1 sharpens, above 1 flattens); 0 takes the most probable
            class (the first of several); infinity makes all possible classes equally probable. One number for all
            rows, or one a row; several temperatures and one row draw once at each.
        rng: numpy.random.Generator; a fresh one where None.
        logits: given instead of probabilities: unnormalised log-probabilities of the same shapes; -inf is impossible.
        top_k: draw only from the k most probable classes.
        top_p: draw only from the most probable classes that together reach this probability, in (0, 1], after the
            temperature is applied (nucleus sampling).

    Returns:
        int, or int array of shape (batch,).

    Raises:
        ValueError: probabilities hold a NaN or a negative, a row sums to 0 (all logits -inf), temperature is negative,
            top_k or top_p is out of range, or both or none of probabilities and logits are given.

    Source:
        Nucleus sampling: Holtzman et al., "The Curious Case of Neural Text Degeneration", ICLR 2020.
    """
    scores = _log_scores(probabilities, logits)
    temperatures = np.asarray(temperature, dtype=np.float64)
    if temperatures.ndim > 1 or np.isnan(temperatures).any() or (temperatures < 0).any():
        raise ValueError(f"temperature must be 0 or more, one number or one for each row, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, got {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], got {top_p}")
    single = scores.ndim == 1 and temperatures.ndim == 0
    # (classes,) or (batch, classes) -> (batch, classes)
    scores, temperatures = _match_rows(np.atleast_2d(scores), temperatures)
    weights = _temper(scores, temperatures)
    weights = _keep_likeliest(weights, top_k, top_p)
    drawn = _draw(weights, rng or np.random.default_rng())
    return int(drawn[0]) if single else drawn


def generate(
    model: Any,
    vocabulary: Vocabulary,
    prompt: str | Sequence[str],
    length: int = 200,
    temperature: float | Sequence[float] = 1.0,
    rng: np.random.Generator | None = None,
    *,
    top_k: int | None = None,
    top_p: float | None = None,
    from_logits: bool = False,
    on_character: Callable[[str], None] | None = None,
) -> str | list[str] | list[list[str]]:
    """Let a trained model continue a text, one token at a time.

    All prompts and temperatures advance together, as rows of one batch: one compiled call a token, not one a text.
    The reserved ids (padding, start, unknown) are never drawn.

    Args:
        model: Keras model that takes ids of shape (batch, time) and gives a distribution over the vocabulary for the
            next token, of shape (batch, classes), or for each position, of shape (batch, time, classes): then the last
            one counts. Where its time is fixed, a shorter prompt is filled up on the left with `PADDING` and a longer
            one keeps its end. A stateful model reads the prompt first, then one token at a time; its states are
            reset before and after.
        vocabulary: the vocabulary the model was trained with; tokens are characters or words, as its level says.
        prompt: the text to continue, or several.
        length: tokens to write.
        temperature: as in `sample`; one, or several.
        rng: numpy.random.Generator; a fresh one where None. The same generator state gives the same text.
        top_k: as in `sample`.
        top_p: as in `sample`.
        from_logits: whether the model ends without a softmax.
        on_character: called with each new token as soon as it is drawn, to show the text while it grows; for one
            prompt at one temperature.

    Returns:
        What was written after the prompt: one string for one prompt at one temperature; a list where either is
        several; a list of lists, [prompt][temperature], where both are.

    Raises:
        ValueError: a prompt is empty or holds tokens that the vocabulary lacks (the message names them), length is
            negative, the model's output does not fit the vocabulary, or on_character is used for several texts.
    """
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    temperatures = np.atleast_1d(np.asarray(temperature, dtype=np.float64))
    _check_prompts(prompts, vocabulary)
    if length < 0:
        raise ValueError(f"length must be 0 or more, got {length}")
    if on_character and len(prompts) * len(temperatures) > 1:
        raise ValueError("on_character shows one text: pass one prompt and one temperature")

    rng = rng or np.random.default_rng()
    rows = [vocabulary.encode(text) for text in prompts for _ in temperatures]
    row_temperatures = np.tile(temperatures, len(prompts))
    predictor = _make_predictor(model, rows)
    written = np.empty((len(rows), length), dtype=np.int32)
    for position in range(length):
        outputs = predictor.next_distribution()
        if outputs.shape[-1] != len(vocabulary):
            raise ValueError(
                f"the model gives {outputs.shape[-1]} classes, and the vocabulary has {len(vocabulary)} ids"
            )
        outputs[:, : vocabulary.RESERVED] = -np.inf if from_logits else 0.0
        table = {"logits" if from_logits else "probabilities": outputs}
        drawn = sample(**table, temperature=row_temperatures, rng=rng, top_k=top_k, top_p=top_p)
        written[:, position] = drawn
        predictor.append(drawn)
        if on_character:
            on_character(vocabulary.decode(drawn))
    predictor.close()
    texts = iter([vocabulary.decode(row) for row in written])
    nested = [list(itertools.islice(texts, len(temperatures))) for _ in prompts]
    if np.ndim(temperature) == 0:
        nested = [row[0] for row in nested]
    return nested[0] if isinstance(prompt, str) else nested


class _WindowPredictor:
    """Asks a model for the next token after the last `time` ids of every row."""

    def __init__(self, model: Any, rows: list[np.ndarray], time: int | None):
        self._model = model
        self._grows = time is None
        time = time or max(len(row) for row in rows)
        if self._grows and len({len(row) for row in rows}) > 1:
            raise ValueError("the model takes any length, and then all prompts of one call must have the same length")
        # (rows, time); filled up on the left, because the end is what the next token follows from
        self._ids = np.full((len(rows), time), Vocabulary.PADDING, dtype=np.int32)
        for filled, row in zip(self._ids, rows):
            filled[time - min(time, len(row)) :] = row[-time:]

    def next_distribution(self) -> np.ndarray:
        return _last_step(self._model.predict_on_batch(self._ids))

    def append(self, drawn: np.ndarray) -> None:
        self._ids = np.concatenate([self._ids if self._grows else self._ids[:, 1:], drawn[:, np.newaxis]], axis=1)

    def close(self) -> None:
        pass


class _StatefulPredictor:
    """Feeds a stateful model one id of every row at a time; its state is the memory of what came before."""

    def __init__(self, model: Any, rows: list[np.ndarray], batch: int):
        if len({len(row) for row in rows}) > 1:
            raise ValueError("a stateful model reads all prompts in step: they must have the same length")
        if len(rows) > batch:
            raise ValueError(f"the stateful model holds {batch} texts at a time, and {len(rows)} were asked for")
        self._model = model
        self._rows = len(rows)
        self._batch = batch
        self._reset()
        for step in np.stack(rows, axis=1):
            self.append(step)

    def next_distribution(self) -> np.ndarray:
        return self._outputs[: self._rows].copy()

    def append(self, drawn: np.ndarray) -> None:
        # (rows,) -> (batch, 1): the model's batch is fixed, the rows that nobody asked for hold padding
        ids = np.full((self._batch, 1), Vocabulary.PADDING, dtype=np.int32)
        ids[: self._rows, 0] = drawn
        # Keras on JAX keeps an RNN's state only where the model is called directly: its compiled functions drop it
        call = self._model.predict_on_batch if keras.config.backend() == "tensorflow" else self._model
        self._outputs = _last_step(call(ids))

    def close(self) -> None:
        self._reset()

    def _reset(self) -> None:
        for layer in self._model.layers:
            if getattr(layer, "stateful", False):
                layer.reset_state()


def _make_predictor(model: Any, rows: list[np.ndarray]) -> _WindowPredictor | _StatefulPredictor:
    batch, time = model.input_shape[:2]
    if any(getattr(layer, "stateful", False) for layer in model.layers):
        return _StatefulPredictor(model, rows, batch)
    return _WindowPredictor(model, rows, time)


def _last_step(outputs: np.ndarray) -> np.ndarray:
    """(batch, classes) or (batch, time, classes) -> (batch, classes), writable."""
    outputs = np.array(outputs)
    return outputs[:, -1] if outputs.ndim == 3 else outputs


def _check_prompts(prompts: list[str], vocabulary: Vocabulary) -> None:
    if not prompts or not all(prompts):
        raise ValueError("a prompt must hold at least one character for the model to continue, got an empty one")
    for text in prompts:
        unknown = vocabulary.unknown(text)
        if unknown:
            named = ", ".join(repr(token) for token in unknown)
            raise ValueError(f"the vocabulary, and so the model, does not know {named}: leave it out of the prompt")


def _log_scores(probabilities: Any, logits: Any) -> np.ndarray:
    if (probabilities is None) == (logits is None):
        raise ValueError("give either probabilities or logits")
    if logits is not None:
        scores = _as_table(logits, "logits")
    else:
        table = _as_table(probabilities, "probabilities")
        if (table < 0).any():
            raise ValueError(f"probabilities must not be negative, got {table.min()}: for logits, pass logits=")
        with np.errstate(divide="ignore"):
            scores = np.log(table)
    if np.isposinf(scores).any():
        raise ValueError("probabilities and logits must be finite, got infinity")
    if np.isneginf(scores).all(axis=-1).any():
        raise ValueError("a row has no possible class: its probabilities sum to 0")
    return scores


def _as_table(values: Any, name: str) -> np.ndarray:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim not in (1, 2) or table.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (classes,) or (batch, classes), got {table.shape}")
    if np.isnan(table).any():
        raise ValueError(f"{name} hold a NaN: look for a loss that became NaN in training")
    return table


def _match_rows(scores: np.ndarray, temperatures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    temperatures = np.atleast_1d(temperatures)
    rows = {len(scores), len(temperatures)} - {1}
    if len(rows) > 1:
        raise ValueError(
            f"{len(temperatures)} temperatures do not fit {len(scores)} rows: give one, or one for each row"
        )
    count = rows.pop() if rows else 1
    return np.broadcast_to(scores, (count, scores.shape[-1])), np.broadcast_to(temperatures, count)


def _temper(scores: np.ndarray, temperatures: np.ndarray) -> np.ndarray:
    """Weights of the classes at a temperature, the largest of each row being 1: (batch, classes)."""
    below_best = scores - scores.max(axis=1, keepdims=True)
    weights = np.zeros_like(below_best)
    greedy = temperatures == 0
    weights[greedy, below_best[greedy].argmax(axis=1)] = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        cooled = below_best[~greedy] / temperatures[~greedy, np.newaxis]
    # an impossible class stays impossible at infinite temperature: -inf / inf would be a NaN
    weights[~greedy] = np.where(np.isneginf(below_best[~greedy]), 0.0, np.exp(np.nan_to_num(cooled, nan=0.0)))
    return weights


def _keep_likeliest(weights: np.ndarray, top_k: int | None, top_p: float | None) -> np.ndarray:
    if top_k is None and top_p is None:
        return weights
    order = np.argsort(-weights, axis=1, kind="stable")
    ranked = np.take_along_axis(weights, order, axis=1)
    keep = np.ones_like(ranked, dtype=bool)
    if top_k is not None:
        keep[:, top_k:] = False
    if top_p is not None:
        kept = ranked * keep
        before = np.cumsum(kept, axis=1) - kept
        # the tolerance keeps rounding from adding a class where a sum equals top_p
        keep &= before < (1 - 1e-12) * top_p * kept.sum(axis=1, keepdims=True)
    result = np.zeros_like(weights)
    np.put_along_axis(result, order, ranked * keep, axis=1)
    return result


def _draw(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Inverse transform sampling: the first class whose cumulative weight exceeds a uniform number."""
    cumulative = np.cumsum(weights, axis=1)
    thresholds = rng.random(len(weights)) * cumulative[:, -1]
    drawn = (cumulative <= thresholds[:, np.newaxis]).sum(axis=1)
    # rounding may lift a threshold to the total, past the last class that is possible
    last_possible = weights.shape[1] - 1 - (weights[:, ::-1] > 0).argmax(axis=1)
    return np.minimum(drawn, last_possible)
