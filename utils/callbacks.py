"""Callbacks that show what a model does while it trains."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from utils.generation import generate
from utils.vocabulary import Vocabulary


def print_samples(
    model: keras.Model,
    vocabulary: Vocabulary,
    prompt: str | Sequence[str],
    temperatures: float | Sequence[float] = (0.2, 0.5, 1.0, 1.2),
    length: int = 200,
    seed: int = 0,
    write: Callable[[str], Any] = print,
    **options: Any,
) -> keras.callbacks.LambdaCallback:
    """Print what the model writes after each epoch, at several temperatures.

    Every epoch uses the same prompts and the same random numbers: what changes from one epoch to the next is the model.
    Training goes on as if nothing was printed: the model's weights and states, its optimizer and the random state of
    Keras are left alone.

    Args:
        model: the model that is trained; see `utils.generation.generate` for what it takes and gives.
        vocabulary: the vocabulary the model is trained with.
        prompt: the text to continue, or several.
        temperatures: one, or several, 0 or more each; a sample is printed for each prompt and temperature.
        length: tokens to write for each sample.
        seed: integer for the random generator.
        write: called with each block of text.
        options: passed on to `generate`: top_k, top_p or from_logits.

    Returns:
        A `keras.callbacks.LambdaCallback` for `model.fit(..., callbacks=[...])`.

    Raises:
        TypeError, ValueError: what `generate` raises for these arguments; raised here, before training begins.
    """
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    temperatures = np.atleast_1d(temperatures).tolist()
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}")
    if not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be an integer, so that every epoch draws the same numbers, got {seed!r}")
    if not callable(write):
        raise TypeError(f"write must be a function of a text, such as print, got {write!r}")
    # says now, and not after the first epoch, what is wrong
    generate(model, vocabulary, prompts, 0, temperatures, np.random.default_rng(seed), **options)

    def write_samples(epoch: int, logs: dict | None = None) -> None:
        rng = np.random.default_rng(seed)
        texts = generate(model, vocabulary, prompts, length, temperatures, rng, **options)
        for text, continuations in zip(prompts, texts):
            write(f'\nAfter epoch {epoch + 1}, the prompt "{text}" goes on:')
            for temperature, continuation in zip(temperatures, continuations):
                write(f"temperature {temperature}: {continuation}")

    return keras.callbacks.LambdaCallback(on_epoch_end=write_samples)
