"""From text to integers and back: words, vocabularies and windows."""

import collections
import json
import os
import pathlib
import re
import tempfile
from collections.abc import Iterable
from typing import Self

import numpy as np

_MARKUP = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"\w+(?:['’]\w+)*")


def words(text: str) -> list[str]:
    """Split a text into lower-case words.

    A word is a run of letters, digits or underscores, with apostrophes inside it: "don't" is one word. Markup such
    as `<br />` and all other punctuation is dropped.

    Args:
        text: any string.

    Returns:
        The words in their order, repetitions included.
    """
    return _WORD.findall(_MARKUP.sub(" ", text).lower())


class Vocabulary:
    """A fixed set of tokens, each with an integer id: the table between text and a network's input.

    Three ids are reserved, as in Keras's own IMDB data: `PADDING` (0) fills short sequences up, `START` (1) marks a
    beginning, `UNKNOWN` (2) stands for every token that is not in the table. The tokens follow from 3 on, sorted, so
    that every process gives the same ids (a Python `set` of strings changes its order from one process to the next).

    Make one with `of_characters` or `of_words`, keep it beside a model with `save`, and get it back with `load`.

    Attributes:
        tokens: the tokens in the order of their ids, a tuple of strings.
        level: "character" or "word": what a token is.
    """

    PADDING = 0
    START = 1
    UNKNOWN = 2
    RESERVED = 3  # how many ids come before the first token

    def __init__(self, tokens: Iterable[str], level: str) -> None:
        """Take a set of tokens. `of_characters` and `of_words` collect them from text.

        Args:
            tokens: strings; repetitions count once, order does not matter.
            level: "character" or "word".

        Raises:
            ValueError: level is neither, or a token of a character vocabulary is not one character long.
        """
        if level not in ("character", "word"):
            raise ValueError(f'level must be "character" or "word", got {level!r}')
        self.tokens = tuple(sorted(set(tokens)))
        self.level = level
        if level == "character" and any(len(token) != 1 for token in self.tokens):
            long = next(token for token in self.tokens if len(token) != 1)
            raise ValueError(f'a character vocabulary holds single characters, got {long!r}: use level="word"')
        self._ids = {token: number for number, token in enumerate(self.tokens, start=self.RESERVED)}

    @classmethod
    def of_characters(cls, text: str) -> Self:
        """Make a vocabulary of all distinct characters of a text.

        Args:
            text: the text, of any length.
        """
        return cls(set(text), level="character")

    @classmethod
    def of_words(cls, texts: Iterable[str], size: int | None = 20_000) -> Self:
        """Make a vocabulary of the most frequent words of many texts.

        Args:
            texts: the texts, e.g. one a review; `words` splits each.
            size: how many ids the vocabulary has at most, the three reserved ones counted in, so that it equals the
                number of rows of an embedding; None keeps every word. Among words of the same frequency the
                alphabetically first are kept.

        Raises:
            TypeError: texts is one string instead of several.
            ValueError: size leaves no room for a word.
        """
        if isinstance(texts, str):
            raise TypeError("texts must be a list of strings, got one string: write [text]")
        if size is not None and size <= cls.RESERVED:
            raise ValueError(f"size must be over {cls.RESERVED}, the number of reserved ids, got {size}")
        counts = collections.Counter()
        for text in texts:
            counts.update(words(text))
        by_frequency = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(by_frequency[: None if size is None else size - cls.RESERVED], level="word")

    def __len__(self) -> int:
        """Number of ids, the reserved ones counted in: the input_dim of an embedding."""
        return self.RESERVED + len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and (self.level, self.tokens) == (other.level, other.tokens)

    def __hash__(self) -> int:
        return hash((self.level, self.tokens))

    def __repr__(self) -> str:
        return f"Vocabulary of {len(self.tokens)} {self.level}s and {self.RESERVED} reserved ids"

    def split(self, text: str) -> list[str]:
        """Split a text into tokens of this vocabulary's level, whether or not they are in it."""
        return words(text) if self.level == "word" else list(text)

    def unknown(self, text: str) -> list[str]:
        """List the tokens of a text that are not in the vocabulary, sorted, each once."""
        return sorted(set(self.split(text)) - self._ids.keys())

    def encode(self, text: str, start: bool = False) -> np.ndarray:
        """Turn a text into ids.

        Args:
            text: any string; tokens that are not in the vocabulary become `UNKNOWN`.
            start: whether a `START` is put before the first token.

        Returns:
            int32 array of shape (tokens,), or (1 + tokens,) with a start.
        """
        if not isinstance(text, str):
            raise TypeError(f"encode takes one string, got {type(text).__name__}: encode each text of a list by itself")
        ids = [self._ids.get(token, self.UNKNOWN) for token in self.split(text)]
        return np.array([self.START] * start + ids, dtype=np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids into text.

        Args:
            ids: integers in [0, len(self)), an array of shape (tokens,) or a list. Padding and start disappear;
                `UNKNOWN` becomes "\N{REPLACEMENT CHARACTER}".

        Returns:
            The text: characters joined as they are, words joined by a space (their punctuation was dropped by
            `encode`, and does not come back).

        Raises:
            ValueError: an id lies outside the vocabulary.
        """
        table = ("", "", "\N{REPLACEMENT CHARACTER}", *self.tokens)
        numbers = [int(number) for number in ids]
        outside = [number for number in numbers if not 0 <= number < len(table)]
        if outside:
            raise ValueError(f"ids must lie in [0, {len(table)}), got {outside[0]}")
        return (" " if self.level == "word" else "").join(table[number] for number in numbers if table[number])

    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary to a JSON file. An existing file is replaced at once or, on an error, left as it was."""
        path = pathlib.Path(path)
        content = json.dumps({"level": self.level, "tokens": self.tokens}, ensure_ascii=False, indent=0)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.close()
                os.chmod(file.name, 0o644)  # temporary files are private
                os.replace(file.name, path)
            except BaseException:
                file.close()
                os.unlink(file.name)
                raise

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read a vocabulary that `save` wrote.

        Raises:
            ValueError: the file holds something else.
        """
        text = pathlib.Path(path).read_text(encoding="utf-8")
        try:
            content = json.loads(text)
            return cls(content["tokens"], content["level"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a vocabulary that Vocabulary.save wrote: {error}") from error


def windows(sequence: np.ndarray, length: int, step: int = 1) -> np.ndarray:
    """Show a long sequence as overlapping windows, without copying it.

    Window number i is `sequence[i * step : i * step + length]`. What is left at the end and fills no window is left
    out. The memory is that of the sequence, however many windows there are.

    Args:
        sequence: array of shape (time,) or (time, ...), e.g. an encoded text, or a string (then each element of the
            result is one character).
        length: length of a window, in time steps, at least 1.
        step: distance between the beginnings of two windows, in time steps, at least 1.

    Returns:
        A read-only view of shape (windows, length, ...): windows = (time - length) // step + 1.

    Raises:
        ValueError: length or step is below 1, or the sequence is shorter than one window.

    Source:
        numpy.lib.stride_tricks.sliding_window_view.
    """
    if length < 1 or step < 1:
        raise ValueError(f"length and step must be at least 1, got length={length} and step={step}")
    if isinstance(sequence, str):
        sequence = np.frombuffer(sequence.encode("utf-32-le"), dtype="<U1") if sequence else np.empty(0, dtype="<U1")
    sequence = np.asanyarray(sequence)
    if sequence.ndim < 1 or len(sequence) < length:
        raise ValueError(f"a window of {length} does not fit in a sequence of shape {sequence.shape}: shorten length")
    view = np.lib.stride_tricks.sliding_window_view(sequence, length, axis=0)
    # sliding_window_view puts the window's axis last: (windows, ..., length) -> (windows, length, ...)
    return np.moveaxis(view, -1, 1)[::step]
