"""Read what was handed in as a notebook, however it was mangled, and keep of it what grading needs."""

import codecs
import json
import pathlib
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from course.errors import CourseError

MAX_FILE = 20_000_000  # bytes of a file
MAX_CELLS = 1_000
MAX_CODE = 1_000_000  # characters of a code cell
MAX_TEXT = 4_000_000  # of a text cell: Colab writes pictures into the text
MAX_SOURCES = 5_000_000  # of all cells together
# A file of brackets only takes thirty times its size in memory.
_MAX_BRACKETS = 3_000_000
_MAX_NAME = 200  # characters of a cell's name or id
_TEXT_CELLS = ("markdown", "heading", "html")
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Cell:
    """A cell as handed in.

    Attributes:
        number: its place, counted from 1.
        kind: "code", "markdown" or "raw".
        source: its text; lines end in a newline only.
        name: nbgrader's name for it (grade_id), or empty.
        ids: what else it is called by: the notebook format's id, and the one that Colab writes into the metadata.
        marks: nbgrader's metadata, where it has a name.
        pictures: whether files are attached to it.
    """

    number: int
    kind: str
    source: str
    name: str = ""
    ids: tuple[str, ...] = ()
    marks: dict[str, Any] = field(default_factory=dict, hash=False)
    pictures: bool = False


def read_hand_in(path: pathlib.Path, max_bytes: int = MAX_FILE) -> dict[str, Any]:
    """Read a notebook that a student handed in.

    Args:
        path: the file; it is only read.
        max_bytes: how large it may be.

    Returns:
        The notebook as repair takes it: plain dictionaries and lists, of whatever format version the file has.

    Raises:
        CourseError: it cannot be graded; the message is a sentence that says why.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise CourseError(f"{path.name} is no ordinary file.")
        if status.st_size > max_bytes:
            raise CourseError(too_large(path.name, max_bytes))
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise CourseError(f"{path.name} cannot be read: {error.strerror}.") from error
    return parse(data, path.name, max_bytes)


def too_large(name: str, max_bytes: int) -> str:
    """The sentence for a file over the limit."""
    return f"{name} is larger than {max_bytes / 1e6:g} MB: clear its outputs and save it again."


def parse(data: bytes, name: str, max_bytes: int = MAX_FILE) -> dict[str, Any]:
    """Read the bytes of a notebook file.

    Args:
        data: the contents.
        name: of the file, for messages.
        max_bytes: how many there may be.

    Returns:
        The JSON document, with at least one cell in it, otherwise not validated.

    Raises:
        CourseError: these are no notebook, or more than can be graded.
    """
    if len(data) > max_bytes:
        raise CourseError(too_large(name, max_bytes))
    if not data.strip(b"\0 \t\r\n"):
        raise CourseError(f"{name} is empty.")
    if data.count(b"[") + data.count(b"{") > _MAX_BRACKETS:
        raise CourseError(f"{name} holds more values than a notebook that can be graded: clear its outputs.")
    text = _decode(data)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise CourseError(_explain(text, name, error)) from None
    if not isinstance(document, dict):
        raise CourseError(f"{name} is no notebook: it holds no cells.")
    read_cells(document, name)
    return document


def _decode(data: bytes) -> str:
    """The text, in whichever encoding an editor saved it; what is in none is kept as replacement characters."""
    if data.startswith(_MARKS) or b"\0" in data[:4]:
        return data.decode(json.detect_encoding(data), "replace")
    # one broken byte in a text that is UTF-8 otherwise, or else Windows' encoding
    return data.decode("utf-8" if _mostly_utf8(data) else "cp1252", "replace")


def _mostly_utf8(data: bytes) -> bool:
    """Whether no fewer characters outside ASCII are right in UTF-8 than wrong."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    return len(re.findall(r"[^\x00-\x7f]", text)) >= 2 * wrong


def _explain(text: str, name: str, error: BaseException) -> str:
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        return f"{name} is a web page, no notebook: download the notebook itself (.ipynb)."
    if start.startswith("pk\x03\x04"):
        return f"{name} is a zip archive with another name, no notebook."
    if start.startswith("%pdf"):
        return f"{name} is a PDF, no notebook: hand in the .ipynb."
    if start.startswith("{") and isinstance(error, json.JSONDecodeError) and error.pos >= len(text.rstrip()) - 2:
        return f"{name} ends in the middle of the notebook: the upload was cut off."
    if start.startswith("{") and isinstance(error, json.JSONDecodeError) and "Unterminated" in error.msg:
        return f"{name} ends in the middle of the notebook: the upload was cut off."
    if isinstance(error, RecursionError | MemoryError):
        return f"{name} is nested too deep for a notebook."
    reason = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "a number too long"
    return f"{name} is no notebook: it cannot be read as JSON ({reason})."


def read_cells(notebook: Any, name: str = "The notebook") -> list[Cell]:
    """The cells of a notebook of any format version, in their order.

    What is no cell, or has no text, is left out. The notebook is not changed.

    Args:
        notebook: a NotebookNode or dict, possibly damaged.
        name: of the file, for messages.

    Raises:
        CourseError: there are no cells, too many, or too long ones.
    """
    raw = _raw_cells(notebook)
    if not raw:
        raise CourseError(f"{name} is no notebook: it holds no cells.")
    if len(raw) > MAX_CELLS:
        raise CourseError(f"{name} has {len(raw)} cells: more than {MAX_CELLS} are not graded.")
    cells = [cell for number, value in enumerate(raw, start=1) if (cell := _read_cell(number, value))]
    for cell in cells:
        limit = MAX_CODE if cell.kind == "code" else MAX_TEXT
        if len(cell.source) > limit:
            raise CourseError(f"Cell {cell.number} of {name} is longer than {limit} characters, and is not graded.")
    if sum(len(cell.source) for cell in cells) > MAX_SOURCES:
        raise CourseError(f"The cells of {name} are longer than {MAX_SOURCES} characters together.")
    return cells


def _raw_cells(notebook: Any) -> list[Any]:
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if isinstance(cells, list):
        return cells
    # up to format 3, cells lie in worksheets
    worksheets = notebook.get("worksheets") if isinstance(notebook, dict) else None
    sheets = worksheets if isinstance(worksheets, list) else []
    found: list[Any] = []
    for sheet in sheets:
        inside = sheet.get("cells") if isinstance(sheet, dict) else None
        found += inside if isinstance(inside, list) else []
    return found


def _read_cell(number: int, value: Any) -> Cell | None:
    if not isinstance(value, dict):
        return None
    text = next((value[key] for key in ("source", "input", "code", "text") if key in value), None)
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        text = "".join(text)
    if not isinstance(text, str):
        return None
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    marks = metadata.get("nbgrader")
    name = _name(marks.get("grade_id")) if isinstance(marks, dict) else ""
    kind = value.get("cell_type")
    if kind == "heading":
        text = f"{'#' * _level(value.get('level'))} {' '.join(text.split())}"
    return Cell(
        number,
        "code" if kind == "code" else "markdown" if kind in _TEXT_CELLS else "raw",
        _plain(text),
        name,
        tuple(filter(None, (_name(value.get("id")), _name(metadata.get("id"))))),
        dict(marks) if name else {},
        bool(value.get("attachments")),
    )


def _level(value: Any) -> int:
    return value if isinstance(value, int) and 1 <= value <= 6 else 1


def _name(value: Any) -> str:
    """A name as it stands, compared character by character; one that no release can have counts for none."""
    return value if isinstance(value, str) and len(value) <= _MAX_NAME else ""


def _plain(text: str) -> str:
    """Newlines of one kind, and half characters (lone surrogates), which cannot be written to a file, replaced."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-8", "replace").decode("utf-8")


def readable(name: str) -> str:
    """A name for a message: at most 60 characters, with invisible and look-alike ones written as their code."""
    shown = "".join(
        character if character.isascii() and character.isprintable() else f"\\u{ord(character):04x}"
        for character in unicodedata.normalize("NFC", name[:60])
    )
    return re.sub(r"\s+", " ", shown)
