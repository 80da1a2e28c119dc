"""Let a model write."""

import functools
import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from utils.compilation import compiled
from utils.language_models import are_distributions, check_known, check_model, explain_misfit
from utils.recurrence import can_step, is_stateful, states, step_model
from utils.sampling import as_generator, check_cuts, check_temperatures, draw
from utils.vocabulary import Vocabulary

STEPS_A_CALL = 16  # many enough to make the cost of a call small, few enough to show the text as it grows
_UNWRITTEN = -1
_FAILED = -2
_MISFIT = -3


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
    on_character: Callable[[str], Any] | None = None,
) -> str | list[str] | list[list[str]]:
    """Let a trained model continue a text, one token at a time.

    All prompts and temperatures advance together, as rows of one batch, and one compiled call takes several steps:
    the model, the draw from its distribution, and the window's shift. The compiled function is kept as long as the
    model is; it always uses the model's present weights, and changes none of its states. The reserved ids (padding,
    start, unknown) are never drawn.

    Args:
        model: Sequential or functional Keras model that takes ids of shape (batch, time) and gives a distribution over
            the vocabulary for the next token, of shape (batch, classes), or for each position, of shape (batch, time,
            classes): then the last one counts.
            Where its time is fixed, a shorter prompt is filled up on the left with `PADDING` and a longer one keeps
            its end.
            A stateful model, whatever its batch and time, reads the prompt and then its own text one token at a time,
            from a state of zeros.
            A model of any time sees the whole text. Where it is a chain of recurrent layers (`recurrence.can_step`)
            it too takes one step a token. Any other reads the whole text again for each token, so that the cost grows
            with the square of the length, and JAX compiles anew for each.
        vocabulary: the vocabulary the model was trained with; tokens are characters or words, as its level says.
        prompt: the text to continue, or several.
        length: tokens to write.
        temperature: as in `sample`; one, or several.
        rng: numpy.random.Generator; a fresh one where None. The same generator state gives the same text, and several
            prompts in one call the texts that one call after the other would give.
        top_k: as in `sample`.
        top_p: as in `sample`.
        from_logits: whether the model ends without a softmax.
        on_character: called with each piece of the text, a character or a word with the space before it, as the text
            grows; `functools.partial(print, end="", flush=True)` shows it on the screen. For one prompt at one
            temperature.

    Returns:
        What was written after the prompt: one string for one prompt at one temperature; a list where either is
        several; a list of lists, [prompt][temperature], where both are.

    Raises:
        TypeError: vocabulary is no `Vocabulary`, a prompt no string, rng no numpy.random.Generator, or top_k no
            integer.
        ValueError: a prompt is empty or holds tokens that the vocabulary lacks (the message names them); length,
            temperature, top_k or top_p is out of range; the model is not built, has several inputs or outputs, or does
            not fit the vocabulary; its distribution holds a NaN, or it gives logits where probabilities are expected or
            the other way round; or on_character is used for several texts.
    """
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    temperatures = np.atleast_1d(check_temperatures(temperature))
    cuts = check_cuts(top_k, top_p)
    rng = as_generator(rng)
    check_model(model, vocabulary)
    _check_prompts(prompts, vocabulary)
    if not isinstance(length, int | np.integer) or length < 0:
        raise ValueError(f"length must be a whole number of at least 0, got {length!r}")
    if on_character and len(prompts) * len(temperatures) > 1:
        raise ValueError("on_character shows one text: pass one prompt and one temperature")

    rows = [vocabulary.encode(text) for text in prompts for _ in temperatures]
    chances = rng.random((len(rows), length))
    show = _shower(vocabulary, on_character) if on_character else None
    written = _write(model, rows, chances, np.tile(temperatures, len(prompts)), cuts, from_logits, show)
    texts = iter([vocabulary.decode(row) for row in written])
    nested = [list(itertools.islice(texts, len(temperatures))) for _ in prompts]
    if np.ndim(temperature) == 0:
        nested = [row[0] for row in nested]
    return nested[0] if isinstance(prompt, str) else nested


class _Writer:
    """A network that writes, what it sees of the text at each step, and the compiled function that takes the steps."""

    def __init__(self, model: keras.Model, rows: int, from_logits: bool):
        time = model.input_shape[1]
        self.remembers = is_stateful(model) or (time is None and can_step(model))
        if self.remembers:
            stepper = step_model(model, rows)
            self._network = lambda: stepper
        else:
            # a strong reference would keep the model alive in the table of writers
            self._network = weakref.ref(model)
        self.window = 1 if self.remembers else time
        self.steps = STEPS_A_CALL if self.window else 1
        advance = functools.partial(_advance, self._network, self.window, from_logits)
        self.advance = compiled(advance, fixed_shapes=self.window is not None)

    def values(self, model: keras.Model) -> tuple[list, list]:
        """The present weights of the model, for the network's variables, and zeros for the network's states."""
        network = self._network()
        if network is not model:
            for ours, theirs in zip(network.weights, model.weights, strict=True):
                ours.assign(theirs)
        zeros = [keras.ops.zeros_like(state.value) for state in states(network)]
        return [variable.value for variable in network.variables], zeros


_writers: weakref.WeakKeyDictionary[keras.Model, dict[tuple, _Writer]] = weakref.WeakKeyDictionary()


def _writer(model: keras.Model, rows: int, from_logits: bool) -> _Writer:
    """The writer that the model had before, or a new one: compiling takes most of a second."""
    writers = _writers.setdefault(model, {})
    if (rows, from_logits) not in writers:
        writers[rows, from_logits] = _Writer(model, rows, from_logits)
    return writers[rows, from_logits]


def _write(
    model: keras.Model,
    rows: list[np.ndarray],
    chances: np.ndarray,
    temperatures: np.ndarray,
    cuts: np.ndarray | None,
    from_logits: bool,
    show: Callable[[np.ndarray], None] | None,
) -> list[np.ndarray]:
    """Continue rows of ids, one new id for each of the uniform random numbers `chances` (rows, length)."""
    if chances.shape[1] == 0:
        return [row[:0] for row in rows]
    writer = _writer(model, len(rows), from_logits)
    rows, start = _align(rows, writer)
    length = chances.shape[1]
    text, chances = _lay_out(rows, start, chances, writer.steps)
    # a positive temperature that float32 does not know is as good as 0
    temperatures = np.where(temperatures < np.finfo(np.float32).tiny, 0, temperatures).astype(np.float32)
    cuts = None if cuts is None else cuts.astype(np.float32)
    weights, state = writer.values(model)
    for position in range(start, text.shape[1], writer.steps):
        seen = slice(position - (writer.window or position), position + writer.steps)
        new = slice(position, position + writer.steps)
        piece, state = writer.advance(weights, state, text[:, seen], chances[:, new], temperatures, cuts)
        text[:, seen] = keras.ops.convert_to_numpy(piece)
        _check_written(text[:, new], from_logits)
        if show:
            begin, end = len(rows[0]), len(rows[0]) + length
            show(text[0, max(position, begin) : min(new.stop, end)])
    return [line[len(row) : len(row) + length] for line, row in zip(text, rows)]


def _advance(
    network: Callable[[], keras.Model],
    window: int | None,
    from_logits: bool,
    weights: list,
    state: list,
    text: Any,
    chances: Any,
    temperatures: Any,
    cuts: Any,
) -> tuple[Any, list]:
    """Take one step for each column of `chances` (rows, steps); `text` (rows, window + steps) is filled up to its end.

    Ids that the text already holds, such as those of a prompt, are read and kept.
    """
    ops = keras.ops
    rows, steps = chances.shape
    window = window or ops.shape(text)[1] - steps

    def step(index, carried):
        text, state = carried
        seen = ops.slice(text, (0, index), (rows, window))
        outputs, state = _call(network(), weights, state, seen)
        # (rows, classes) or (rows, time, classes) -> (rows, classes)
        last = ops.cast(outputs[:, -1] if len(outputs.shape) == 3 else outputs, "float32")
        scores = _log_scores(last, from_logits)
        drawn = draw(ops, scores, temperatures, ops.take(chances, index, axis=1), cuts)
        best = ops.max(scores, axis=1)
        sound = ops.logical_and(ops.isfinite(best), ops.logical_not(ops.any(ops.isnan(scores), axis=1)))
        fitting = are_distributions(ops, last) != from_logits
        drawn = ops.where(sound, ops.where(fitting, ops.cast(drawn, "int32"), _MISFIT), _FAILED)
        known = ops.take(text, index + window, axis=1)
        drawn = ops.where(known == _UNWRITTEN, drawn, known)
        return ops.slice_update(text, (0, index + window), drawn[:, np.newaxis]), state

    return ops.fori_loop(0, steps, step, (text, state))


def _call(network: keras.Model, weights: list, state: list, ids: Any) -> tuple[Any, list]:
    """What a network gives for ids, with weights and states taken from and given as plain arrays."""
    kept = states(network)
    values = zip([*network.variables, *kept], [*weights, *state])
    with keras.StatelessScope(state_mapping=values) as scope:
        outputs = network(ids, training=False)
    return outputs, [scope.get_current_value(variable) for variable in kept]


def _log_scores(last: Any, from_logits: bool) -> Any:
    """What the model gives, as log-probabilities up to a constant a row, -inf for what is reserved: (rows, classes)."""
    ops = keras.ops
    scores = last if from_logits else ops.log(last)
    return ops.where(ops.arange(scores.shape[1]) < Vocabulary.RESERVED, -np.inf, scores)


def _align(rows: list[np.ndarray], writer: _Writer) -> tuple[list[np.ndarray], int]:
    """Make prompts begin or end together, as the network must see them; the first position to write or to check."""
    if writer.remembers:
        return rows, 1
    if writer.window is None:
        if len({len(row) for row in rows}) > 1:
            raise ValueError(
                "this model reads the whole text for each token: all prompts of one call must have the same length"
            )
        return rows, len(rows[0])
    # filled up on the left, because the end is what the next token follows from
    rows = [row[-writer.window :] for row in rows]
    return [
        np.pad(row, (writer.window - len(row), 0), constant_values=Vocabulary.PADDING) for row in rows
    ], writer.window


def _lay_out(rows: list[np.ndarray], start: int, chances: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Room for the whole text (rows, time), with the prompts in it, and each random number where it will be used."""
    length = chances.shape[1]
    longest = max(len(row) for row in rows)
    calls = -(-(longest + length - start) // steps)
    text = np.full((len(rows), start + calls * steps), _UNWRITTEN, dtype=np.int32)
    placed = np.zeros(text.shape, dtype=np.float32)
    for index, row in enumerate(rows):
        text[index, : len(row)] = row
        placed[index, len(row) : len(row) + length] = chances[index]
    return text, placed


def _shower(vocabulary: Vocabulary, on_character: Callable[[str], Any]) -> Callable[[np.ndarray], None]:
    separators = itertools.chain([""], itertools.repeat(" " if vocabulary.level == "word" else ""))

    def show(ids: np.ndarray) -> None:
        for number, separator in zip(ids, separators):
            on_character(separator + vocabulary.decode([number]))

    return show


def _check_written(ids: np.ndarray, from_logits: bool) -> None:
    if (ids == _FAILED).any():
        raise ValueError(
            "the model gives no distribution to draw from, but NaN, infinity or 0 for all tokens: look for a loss that "
            "became NaN in training, and pass from_logits=True where the model ends without a softmax"
        )
    if (ids == _MISFIT).any():
        raise ValueError(explain_misfit(from_logits))


def _check_prompts(prompts: list[str], vocabulary: Vocabulary) -> None:
    if not prompts:
        raise ValueError("there is no prompt: give at least one text for the model to continue")
    for text in prompts:
        check_known(vocabulary, text, "prompt")
        if not len(vocabulary.encode(text)):
            raise ValueError(f"a prompt must hold at least one {vocabulary.level} to continue, got {text!r}")
