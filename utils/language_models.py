"""What `generate` and `surprise` ask of a model: ids of a vocabulary in, a distribution over the vocabulary out."""

from typing import Any

from utils.text import Vocabulary

ROUNDING = 1e-2  # by how much probabilities in float16 may miss a sum of 1, and more


def check_model(model: Any, vocabulary: Vocabulary) -> None:
    """Refuse a model that does not take one array of ids and give one distribution over the vocabulary.

    Raises:
        TypeError: vocabulary is no `Vocabulary`.
        ValueError: the model is not built, has several inputs or outputs, or has another number of classes.
    """
    if not isinstance(vocabulary, Vocabulary):
        raise TypeError(f"the model comes first and its Vocabulary second, got {type(vocabulary).__name__} as second")
    try:
        inputs, outputs = model.input_shape, model.output_shape
    except (AttributeError, ValueError):
        raise ValueError(
            "the model has no input shape: begin a Sequential model with keras.Input((time,)), and make any other of "
            "keras.Input and keras.Model(inputs, outputs)"
        ) from None
    if isinstance(inputs, list | dict) or len(inputs) != 2:
        raise ValueError(f"the model must take one array of ids (batch, time), and takes {inputs}")
    if isinstance(outputs, list | dict) or len(outputs) not in (2, 3):
        raise ValueError(f"the model must give (batch, classes) or (batch, time, classes), and gives {outputs}")
    if outputs[-1] != len(vocabulary):
        raise ValueError(f"the model gives {outputs[-1]} classes, and the vocabulary has {len(vocabulary)} ids")


def check_known(vocabulary: Vocabulary, text: str, name: str) -> None:
    """Refuse a text with tokens that the vocabulary lacks.

    Args:
        vocabulary: the vocabulary of the model.
        text: the text that the model is to read.
        name: what the text is, for the message.

    Raises:
        TypeError: text is no string.
        ValueError: the vocabulary lacks a token; the message names all that it lacks.
    """
    if not isinstance(text, str):
        raise TypeError(f"the {name} must be a string, got {type(text).__name__}")
    unknown = vocabulary.unknown(text)
    if unknown:
        named = ", ".join(repr(token) for token in unknown)
        raise ValueError(f"the vocabulary, and so the model, does not know {named}: leave it out of the {name}")


def are_distributions(ops: Any, outputs: Any) -> Any:
    """Whether rows of numbers are probabilities: none negative, and their sum 1.

    Args:
        ops: the library to compute with, numpy or keras.ops.
        outputs: float array of shape (rows, classes), of its kind.

    Returns:
        bool array of shape (rows,).
    """
    sums_to_one = ops.abs(ops.sum(outputs, axis=-1) - 1) < ROUNDING
    return ops.logical_and(sums_to_one, ops.all(outputs >= 0, axis=-1))


def explain_misfit(from_logits: bool) -> str:
    """What to tell whoever said the wrong thing about a model's last layer."""
    if from_logits:
        return "the model gives probabilities, which sum to 1, and no logits: leave from_logits=True out"
    return (
        "the model gives numbers that do not sum to 1, no probabilities: end it with a softmax, or pass "
        "from_logits=True where it is trained with a loss that has from_logits=True"
    )
