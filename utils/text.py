"""Text: reading it from a file, what is said in a play, its words and their vocabulary, and windows over it."""

import codecs
import os
import pathlib
import re

import numpy as np

from utils.vocabulary import Vocabulary, words

__all__ = ["Vocabulary", "read_text", "speeches", "windows", "words"]

# UTF-32 comes before UTF-16, whose mark is the beginning of its own.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}
# Headings and the bold names of speakers; directions in italics, never further than their paragraph, since a second
# underscore can be missing; marks that are left; directions in brackets and names in capitals on a line of their own.
_NOT_SAID = (
    r"^#.*$|\*\*[^*]+\*\*",
    r"_(?:[^_\n]|\n(?!\n))*_",
    r"[*_\\]",
    r"\[[^\]\n]*\]?|^[A-Z][A-Z' ]{3,}$",
    r" +$",
)
_CONTEXT = 30  # characters of the line, or bytes, shown beside an error


def read_text(path: str | os.PathLike, encoding: str = "utf-8") -> str:
    r"""Read a text file, and say what is wrong where its bytes are not text in the encoding.

    A byte order mark at the beginning is dropped, and the line ends `\r\n` and `\r` become `\n`, as on every system.

    Args:
        path: the file.
        encoding: what the file was written in, by Python's name: "utf-8", "cp1252" (Western European Windows),
            "utf-16" and so on. "latin-1" reads every file without an error, and is right only by luck.

    Returns:
        The whole text.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: path is a folder.
        ValueError: there is no such encoding, or a byte is not text in it: the message names the byte, its place and
            the text before it, and says what to try.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path.absolute()}: check its name and the folder you are in")
    content = path.read_bytes()
    try:
        return _tidy(content.decode(encoding))
    except LookupError as error:
        raise ValueError(f'no text encoding is called {encoding!r}: try "utf-8", "utf-16" or "cp1252"') from error
    except UnicodeDecodeError as error:
        # some codecs take the byte order mark off before they count
        offset = len(content) - len(error.object) + error.start
        message = _locate(content, offset, encoding, error.reason)
        advice = _advise(content, offset, encoding, error.reason)
        raise ValueError(f"{path} is not {encoding} text: {message}. {advice}") from error


def _tidy(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _locate(content: bytes, offset: int, encoding: str, reason: str) -> str:
    before = _tidy(content[:offset].decode(encoding, errors="ignore"))
    line = before.rpartition("\n")[2]
    place = f"line {before.count(chr(10)) + 1}, column {len(line) + 1}, "
    place += f"after {line[-_CONTEXT:]!r}" if line else "at the beginning of the line"
    return f"byte 0x{content[offset]:02x} at offset {offset}, {place} ({reason})"


def _advise(content: bytes, offset: int, encoding: str, reason: str) -> str:
    given = codecs.lookup(encoding).name
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), given)
    if not given.startswith(marked):
        return f'The file begins with the byte order mark of {marked}: read_text(path, encoding="{marked}")'
    if reason.startswith("unexpected end"):
        return "The file ends in the middle of a character: was it cut off?"
    if b"\0" in content:
        return "It holds bytes of value 0: is it no text but an image or an archive, is it utf-16, or was it cut off?"
    for candidate in ("utf-8", "cp1252"):
        if _decodes(content, candidate):
            excerpt = content[max(0, offset - _CONTEXT) : offset + _CONTEXT].decode(candidate, errors="ignore")
            return f'In {candidate} it reads {excerpt!r}: if that is right, read_text(path, encoding="{candidate}")'
    return "Neither utf-8 nor cp1252 fits: is the file damaged, or which encoding did the program use that wrote it?"


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def speeches(play: str) -> str:
    """Take what is said on the stage from a play of `utils.datasets.shakespeare_plays`.

    Args:
        play: the play as Markdown.

    Returns:
        The play without headings, names of speakers and stage directions: an empty line between two speeches, no
        spaces at the end of a line.
    """
    for pattern in _NOT_SAID:
        play = re.sub(pattern, "", play, flags=re.MULTILINE)
    return re.sub(r"\n{2,}", "\n\n", play).strip()


def windows(sequence: np.ndarray | str, length: int, step: int = 1) -> np.ndarray:
    """Show a long sequence as overlapping windows, without copying it.

    Window number i is `sequence[i * step : i * step + length]`. What is left at the end and fills no window is left
    out. The memory is that of the sequence, however many windows there are. Inputs and targets are views as well:

        rows = windows(ids, length + 1)
        inputs, targets = rows[:, :-1], rows[:, -1]  # the token after each window
        inputs, targets = rows[:, :-1], rows[:, 1:]  # the token after each token, for a model that returns sequences

    A file too large to load stays on disk, and a window is read when you take it:

        rows = windows(np.memmap(path, dtype="uint8"), length)  # one id a byte

    On the TensorFlow backend `model.fit(inputs, targets)` copies all the windows at once. Where that is too much,
    `utils.mixing.MixIterator([(inputs, targets)], [batch_size])` copies one batch at a time.

    Args:
        sequence: array of shape (time,) or (time, ...), such as an encoded text or a memory map; or a string, which is
            copied once, at 4 bytes a character: then each element of the result is one character.
        length: length of a window, in time steps, at least 1.
        step: distance between the beginnings of two windows, in time steps, at least 1.

    Returns:
        A read-only view of shape (windows, length, ...): windows = (time - length) // step + 1.

    Raises:
        TypeError: the sequence has no time steps, such as a number or bytes.
        ValueError: length or step is below 1, the sequence is shorter than one window, or a string holds the character
            NUL, which a NumPy array of strings would drop.

    Source:
        numpy.lib.stride_tricks.sliding_window_view.
    """
    if length < 1 or step < 1:
        raise ValueError(f"length and step must be at least 1, got length={length} and step={step}")
    steps = _as_characters(sequence) if isinstance(sequence, str) else np.asanyarray(sequence)
    if steps.ndim < 1:
        kind = type(sequence).__name__
        raise TypeError(f'expected an array or a string, got {kind}: np.frombuffer(data, "uint8") is bytes as an array')
    if len(steps) < length:
        raise ValueError(f"a window of {length} does not fit in a sequence of shape {steps.shape}: shorten length")
    view = np.lib.stride_tricks.sliding_window_view(steps, length, axis=0)
    # sliding_window_view puts the window's axis last: (windows, ..., length) -> (windows, length, ...)
    return np.moveaxis(view, -1, 1)[::step]


def _as_characters(text: str) -> np.ndarray:
    """The characters of a text, shape (time,): UTF-32 is how NumPy stores them."""
    if "\0" in text:
        raise ValueError(f"the string holds NUL at {text.index(chr(0))}, which NumPy drops: encode it, or take NUL out")
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<U1")
