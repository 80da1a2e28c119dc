"""Words and vocabularies: from text to integers and back."""

import collections
import itertools
import json
import os
import pathlib
import re
import tempfile
import unicodedata
from collections.abc import Iterable
from typing import Self

import numpy as np

# A tag begins with a letter right after its bracket, so that "a < b" is none. A comment stops short of the next
# comment's beginning: without that, a text full of beginnings would take time quadratic in its length.
_MARKUP = re.compile(r"</?[a-z][^<>]*>|<!--(?:(?!<!--).)*?-->", re.DOTALL)
# Some letters have no code point together with their accent: the combining accents belong to the word.
_LETTERS = r"\w[\w\u0300-\u036f]*"
_WORD = re.compile(rf"{_LETTERS}(?:'{_LETTERS})*")

_UTF_32 = "utf-32-le"
_PIECE = 2**18  # characters encoded at a time: the intermediate arrays stay in the processor's cache


def words(text: str) -> list[str]:
    """Split a text into lower-case words.

    A word is a run of letters, digits or underscores, with apostrophes inside it: "don't" is one word. HTML tags such
    as `<br />`, HTML comments and all other punctuation are dropped; in "1 < 2" the bracket opens no tag. "é" is the
    same letter whether it is stored as one code point or as an "e" and an accent: words are in Unicode's form NFC. The
    typographic apostrophe becomes the typewriter's, so that "don’t" and "don't" are one word.

    Args:
        text: any string.

    Returns:
        The words in their order, repetitions included.

    Raises:
        TypeError: text is no string.
    """
    _check_text(text, "words")
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("’", "'")
    return _WORD.findall(_MARKUP.sub(" ", text))


class Vocabulary:
    """A fixed set of tokens, each with an integer id: the table between text and a network's input.

    Three ids are reserved, as in Keras's own IMDB data: `PADDING` (0) fills short sequences up, `START` (1) marks a
    beginning, `UNKNOWN` (2) stands for every token that is not in the table. The tokens follow from 3 on, sorted, so
    that every process gives the same ids (a Python `set` of strings changes its order from one process to the next).

    Make one with `of_characters` or `of_words`, keep it beside a model with `save`, and get it back with `load`. Two
    vocabularies are equal where their levels and tokens are.

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
            tokens: strings that are not empty; repetitions count once, order does not matter. Words are written as
                `words` gives them: `encode` finds no others.
            level: "character" or "word".

        Raises:
            TypeError: tokens is one string instead of several, or a token is no string.
            ValueError: level is neither, a token is empty, or one of a character vocabulary is longer than a character.
        """
        if level not in ("character", "word"):
            raise ValueError(f'level must be "character" or "word", got {level!r}')
        self.level = level
        self.tokens = _sorted_tokens(tokens)
        self._ids = {token: number for number, token in enumerate(self.tokens, start=self.RESERVED)}
        self._texts = ("", "", "\N{REPLACEMENT CHARACTER}", *self.tokens)  # the text of each id
        if level == "character":
            self._make_character_tables()

    def _make_character_tables(self) -> None:
        long = next((token for token in self.tokens if len(token) != 1), None)
        if long is not None:
            raise ValueError(f'a character vocabulary holds single characters, got {long!r}: use level="word"')
        # (ids,): the code point of each id; padding and start have none
        self._code_points = np.array([0, 0, *map(ord, self._texts[self.UNKNOWN :])], dtype="<u4")
        # (code points,): the id of each up to the largest token's, and one more place for all that lie beyond
        known = self._code_points[self.RESERVED :]
        self._code_point_ids = np.full(int(known.max(initial=0)) + 2, self.UNKNOWN, dtype=np.int32)
        self._code_point_ids[known] = np.arange(self.RESERVED, len(self))

    @classmethod
    def of_characters(cls, text: str) -> Self:
        """Make a vocabulary of all distinct characters of a text.

        Args:
            text: the text, of any length.

        Raises:
            TypeError: text is no string.
        """
        _check_text(text, "of_characters")
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
            TypeError: texts is one string instead of several, or one of them is no string.
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
        return len(self._texts)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and (self.level, self.tokens) == (other.level, other.tokens)

    def __hash__(self) -> int:
        return hash((self.level, self.tokens))

    def __repr__(self) -> str:
        shown = [repr(token) for token in self.tokens]
        if len(shown) > 7:
            shown[3:-3] = ["…"]
        return f"<Vocabulary of {self.RESERVED} reserved ids and {len(self.tokens)} {self.level}s: {' '.join(shown)}>"

    def split(self, text: str) -> list[str]:
        """Split a text into tokens of this vocabulary's level, whether or not they are in it."""
        return words(text) if self.level == "word" else list(text)

    def unknown(self, text: str) -> list[str]:
        """List the tokens of a text that are not in the vocabulary, sorted, each once."""
        tokens = words(text) if self.level == "word" else text
        return sorted(set(tokens) - self._ids.keys())

    def encode(self, text: str, start: bool = False) -> np.ndarray:
        """Turn a text into ids.

        Args:
            text: any string; tokens that are not in the vocabulary become `UNKNOWN`.
            start: whether a `START` is put before the first token.

        Returns:
            int32 array of shape (tokens,), or (1 + tokens,) with a start.

        Raises:
            TypeError: text is no string.
        """
        _check_text(text, "encode")
        tokens = words(text) if self.level == "word" else text
        ids = np.empty(start + len(tokens), dtype=np.int32)
        ids[:start] = self.START
        if self.level == "word":
            ids[start:] = np.fromiter(map(self._ids.get, tokens, itertools.repeat(self.UNKNOWN)), np.int32, len(tokens))
        else:
            self._look_characters_up(text, ids[start:])
        return ids

    def _look_characters_up(self, text: str, ids: np.ndarray) -> None:
        for begin in range(0, len(text), _PIECE):
            # a lone half of a surrogate pair is a character to Python, so it is one here
            piece = text[begin : begin + _PIECE].encode(_UTF_32, "surrogatepass")
            code_points = np.frombuffer(piece, dtype="<u4")
            # "clip" sends what lies beyond the table to its last place, that of unknown characters
            np.take(self._code_point_ids, code_points, mode="clip", out=ids[begin : begin + _PIECE])

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids into text.

        Args:
            ids: integers in [0, len(self)), an array of shape (tokens,) or a list. Padding and start disappear;
                `UNKNOWN` becomes "\N{REPLACEMENT CHARACTER}".

        Returns:
            The text: characters joined as they are, words joined by a space (their punctuation was dropped by
            `encode`, and does not come back).

        Raises:
            TypeError: ids are not integers.
            ValueError: an id lies outside the vocabulary, or ids are several rows.
        """
        ids = _as_ids(ids, len(self))
        ids = ids[ids > self.START]
        if self.level == "word":
            return " ".join(map(self._texts.__getitem__, ids.tolist()))
        return self._code_points[ids].tobytes().decode(_UTF_32, "surrogatepass")

    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary to a JSON file. An existing file is replaced at once or, on an error, left as it was."""
        path = pathlib.Path(path)
        content = json.dumps({"level": self.level, "tokens": self.tokens}, indent=0)
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
        try:
            content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
            if not isinstance(content, dict) or content.keys() != {"level", "tokens"}:
                raise ValueError('expected an object with "level" and "tokens"')
            vocabulary = cls(content["tokens"], content["level"])
            # ids are places in the file: another order or a repetition would give other ids than the model learnt
            if list(vocabulary.tokens) != content["tokens"]:
                raise ValueError("its tokens are no list of distinct strings in sorted order")
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is not a vocabulary that Vocabulary.save wrote: {error}") from error
        return vocabulary


def _check_text(text: str, name: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{name} takes one string, got {type(text).__name__}: pass the texts of a list one by one")


def _sorted_tokens(tokens: Iterable[str]) -> tuple[str, ...]:
    if isinstance(tokens, str):
        raise TypeError(f"tokens must be several strings, got one, {tokens!r}: write [token]")
    tokens = list(tokens)
    for token in tokens:
        if not isinstance(token, str):
            raise TypeError(f"each token must be a string, got {token!r} of type {type(token).__name__}")
        if not token:
            raise ValueError("a token must hold at least one character, got an empty string: leave it out")
    return tuple(sorted(set(tokens)))


def _as_ids(ids: Iterable[int], count: int) -> np.ndarray:
    """Ids as an integer array of shape (tokens,), each of them in [0, count)."""
    ids = np.asarray(ids if hasattr(ids, "__len__") else list(ids))
    if ids.ndim != 1:
        raise ValueError(f"decode takes one row of ids, got an array of shape {ids.shape}: decode each row by itself")
    if ids.size == 0:
        return ids.astype(np.int32)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"ids must be integers, got {ids.dtype}: use argmax or sample to draw ids from probabilities")
    outside = ids[(ids < 0) | (ids >= count)]
    if outside.size:
        raise ValueError(f"ids must lie in [0, {count}), got {outside[0]}: were they encoded with this vocabulary?")
    return ids
