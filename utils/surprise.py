"""How surprised a model is by each character of a text, and the text coloured by it."""

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.figures import check_count, visible
from utils.language_models import are_distributions, check_known, check_model, explain_misfit
from utils.text import Vocabulary, windows

if TYPE_CHECKING:
    from IPython.display import HTML

# Classes of surprise: up to so many bits; background and text colour (white to dark orange, in steps of lightness that
# need no colour vision; the contrast is at least 4.5:1); underline in pixels.
_CLASSES = (
    (1, "#ffffff", "#000000", 0),
    (2, "#fff0d0", "#000000", 0),
    (4, "#fdc986", "#000000", 0),
    (6, "#f08c3c", "#000000", 2),
    (math.inf, "#8c2d04", "#ffffff", 4),
)
_UNPREDICTED = "color:#666666;font-style:italic"
# How much of a unit one bit is. Bits are counted throughout, because the classes are powers of 1/2.
_UNITS = {"nats": math.log(2), "bits": 1.0}


def surprise(model: Any, vocabulary: Vocabulary, text: str, *, from_logits: bool = False) -> np.ndarray:
    """Compute how surprised a model is by each token of a text: -log p(token | the tokens before it).

    Their mean is the model's cross-entropy on the text. A model that reads windows sees at each token the window
    before it, as in `generate`; all windows are one batch.

    Args:
        model: Keras model that takes ids of shape (batch, time) and gives a distribution over the vocabulary for the
            next token, of shape (batch, classes), or for each position, of shape (batch, time, classes); in the second
            case time may be open, and each token is predicted from all before it. It must not look ahead.
        vocabulary: the vocabulary the model was trained with.
        text: the text to read; longer than the model's time by one token at least.
        from_logits: whether the model ends without a softmax.

    Returns:
        float64 array of shape (tokens,), for a character vocabulary (len(text),), in nats. It begins with NaN where
        the model predicts nothing: at the first token, and for one distribution a window at the whole first window.

    Raises:
        TypeError: text is no string, or vocabulary no `Vocabulary`.
        ValueError: the text is too short or holds tokens that the vocabulary lacks; the model is stateful, gives one
            distribution for a text of open length, gives NaN, does not fit the vocabulary, or gives logits where
            probabilities are expected or the other way round.
    """
    _check_reader(model, vocabulary, text)
    ids = vocabulary.encode(text)
    outputs = _predict_next(model, ids)
    if np.isnan(outputs).any():
        raise ValueError("the model gives NaN: look for a loss that became NaN in training")
    if (are_distributions(np, outputs) == from_logits).any():
        raise ValueError(explain_misfit(from_logits))
    log_probabilities = _log_softmax(outputs) if from_logits else _log(outputs)
    predicted = len(outputs)
    surprises = np.full(len(ids), np.nan)
    # rounding may lift a probability in float32 just over 1
    surprises[-predicted:] = np.maximum(-log_probabilities[np.arange(predicted), ids[-predicted:]], 0)
    return surprises


def _check_reader(model: Any, vocabulary: Vocabulary, text: str) -> None:
    check_model(model, vocabulary)
    check_known(vocabulary, text, "text")
    from utils.recurrence import is_stateful  # brings Keras in, which whoever has a model has

    if is_stateful(model):
        raise ValueError("surprise reads all windows at once: build the model with stateful=False and the same weights")


def _predict_next(model: Any, ids: np.ndarray) -> np.ndarray:
    """What the model gives for the last tokens, as many as it can predict: float64 (predicted, classes)."""
    time = model.input_shape[1]
    needed = 1 + (time or 1)
    if len(ids) < needed:
        raise ValueError(
            f"the model predicts a token from {needed - 1} before it: give {needed} tokens, got {len(ids)}"
        )
    # (contexts, time): every window that has a next token, or the one text that has no fixed length
    contexts = windows(ids[:-1], time or len(ids) - 1)
    outputs = np.asarray(model.predict(contexts, batch_size=256, verbose=0), dtype=np.float64)
    if outputs.ndim == 3:
        # the first window predicts at each of its positions, every other one its last
        return np.concatenate([outputs[0], outputs[1:, -1]])
    if time is None:
        raise ValueError("the model gives one distribution for a whole text: fix the length of its Input, e.g. (40,)")
    return outputs


def _log(probabilities: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):  # an impossible token surprises without limit
        return np.log(probabilities)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def surprise_html(text: str, surprises: Any, unit: str = "nats") -> "HTML":
    """Colour each character of a text by how much it surprised a model.

    The scale is fixed, so that two models or texts can be compared: its steps are probabilities. The darker, the more
    surprising; the two highest steps are underlined as well. The block brings its own white background, and so reads
    alike in light and dark themes. Pointing at a character shows its value.

    Args:
        text: the text. Newlines are kept, and shown as "↵" besides.
        surprises: float array of shape (len(text),), in nats, as `surprise` computes them: at least 0, infinity
            included; NaN where there is none, shown grey.
        unit: "nats" or "bits", what values are shown in; 1 nat is 1.44 bits.

    Returns:
        What a notebook shows as the last expression of a cell.

    Raises:
        ValueError: text is empty, the numbers of characters and surprises differ, one is negative, or the unit is
            another.
    """
    values = np.asarray(surprises, dtype=np.float64)
    if not text or values.ndim != 1:
        raise ValueError(f"text must not be empty, surprises of shape (len(text),): got {len(text)} and {values.shape}")
    check_count(text, len(values), "characters", "surprises")
    if (values < 0).any():
        raise ValueError(f"a surprise is -log p and at least 0, got {np.nanmin(values):.3g}: change the sign")
    if unit not in _UNITS:
        raise ValueError(f'unit must be "nats" or "bits", got {unit!r}')
    from IPython.display import HTML  # not for those who only compute

    bits = values / math.log(2)
    summary = html.escape(_summarise(text, bits, unit))
    characters = "".join(_color(character, value, unit) for character, value in zip(text, bits))
    return HTML(
        f'<figure role="group" aria-label="{summary}" style="margin:0;padding:8px;background:#ffffff;color:#000000">'
        '<div style="white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace;line-height:1.8">'
        f'{characters}</div><figcaption style="margin-top:8px;font-size:smaller;line-height:1.8">'
        f"{summary}<br>{_legend(unit)}</figcaption></figure>"
    )


def _color(character: str, bits: float, unit: str) -> str:
    name = html.escape(repr(character))
    shown = html.escape(character)
    if character == "\n":
        shown = f"{visible(character)}\n"
    if math.isnan(bits):
        return f'<span title="{name}: no prediction" style="{_UNPREDICTED}">{shown}</span>'
    title = f"{name}: {bits * _UNITS[unit]:.2f} {unit}, p = {2**-bits:.2g}"
    return f'<span title="{title}" style="{_style(bits)}">{shown}</span>'


def _style(bits: float) -> str:
    _, background, color, underline = next(row for row in _CLASSES if bits <= row[0])
    line = f";border-bottom:{underline}px solid #000000" if underline else ""
    return f"background:{background};color:{color}{line}"


def _legend(unit: str) -> str:
    samples = []
    for highest, *_ in _CLASSES[:-1]:
        words = f"up to {highest * _UNITS[unit]:.2g} {unit} (p ≥ 1/{2**highest})"
        samples.append(f'<span style="{_style(highest)}">&nbsp;{words}&nbsp;</span>')
    samples.append(f'<span style="{_style(math.inf)}">&nbsp;more&nbsp;</span>')
    samples.append(f'<span style="{_UNPREDICTED}">no prediction</span>')
    return " ".join(samples)


def _summarise(text: str, bits: np.ndarray, unit: str) -> str:
    if np.isnan(bits).all():
        return f"Surprise: none of {len(text)} characters is predicted."
    peak = int(np.nanargmax(bits))
    return (
        f"Surprise of {np.count_nonzero(~np.isnan(bits))} predicted characters: mean "
        f"{np.nanmean(bits) * _UNITS[unit]:.2f} {unit}, highest {bits[peak] * _UNITS[unit]:.2f} {unit} at "
        f"character {peak} ({visible(text[peak])})."
    )
