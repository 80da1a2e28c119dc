"""How a handed-in cell compares with a released one: in its text, in its words, and in what it defines."""

import ast
import functools
import itertools
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

from course.exercises import marks_of
from grading.reading import MAX_CELLS

_COMPARED = 8_000  # characters of a cell that similarity looks at
_PARSED = 200_000  # characters of a cell that are parsed to see whether it is half of one
_DEFINITION = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+([^\W\d]\w*)", re.MULTILINE)
_WORD = re.compile(r"\w+|[^\w\s]")
_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """A released cell: "locked" (the instructor's), "answer" (the student's) or "free" (everybody's, ungraded)."""

    position: int
    kind: str
    source: str
    role: str
    name: str
    id: str
    marks: dict[str, Any] = field(hash=False)
    defines: frozenset[str]


def places_of(released: Any) -> list[Place]:
    """The released notebook's cells."""
    places = []
    for position, cell in enumerate(released.cells):
        marks = marks_of(cell)
        role = "free" if not marks else "answer" if marks.get("solution") else "locked"
        defines = defined(cell.source) if cell.cell_type == "code" else frozenset()
        name = marks.get("grade_id", "")
        places.append(
            Place(position, cell.cell_type, cell.source, role, name, cell.get("id", ""), dict(marks), defines)
        )
    return places


def same(first: str, second: str) -> bool:
    """Whether two texts differ in nothing but blanks at the ends of lines and of the whole."""
    return stripped(first) == stripped(second)


def defined(source: str) -> frozenset[str]:
    """The functions and classes that code defines at its top level, also where it cannot be parsed."""
    return frozenset(_DEFINITION.findall(source))


def likeness(first: str, second: str) -> float:
    """From 0 (no two words in a row are the same) to 1 (all are, in any order)."""
    ours, theirs = pairs(first), pairs(second)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs)) if ours or theirs else 1.0


def is_blank(source: str, place: Place) -> bool:
    """Whether a text says no more than the released cell."""
    return not source.strip() or same(source, place.source)


def stripped(text: str) -> str:
    """The text without blanks at the ends of lines and of the whole."""
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")).strip()


def pairs(text: str) -> frozenset[int]:
    """Each two words that follow each other, or a single word, as a number: it takes a tenth of the memory."""
    return _pairs_of(text[:_COMPARED])


def forget_texts() -> None:
    """Free the memory of the texts that were compared."""
    _pairs_of.cache_clear()


@functools.lru_cache(maxsize=2 * MAX_CELLS)
def _pairs_of(text: str) -> frozenset[int]:
    words = _WORD.findall(text)
    return frozenset(map(hash, itertools.pairwise(words))) or frozenset(map(hash, words))


def is_code(source: str) -> bool:
    """Whether Python can read it, apart from IPython's own commands; taken for granted where it is very long."""
    if len(source) > _PARSED:
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(_MAGIC.sub(r"\1pass", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
