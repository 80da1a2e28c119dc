"""Which hand-ins share code that the course did not give out: a reason to look, never a proof.

The method is winnowing (S. Schleimer, D. S. Wilkerson and A. Aiken, "Winnowing: Local Algorithms for Document
Fingerprinting", SIGMOD 2003). Code is first brought to a form that renaming, comments and layout do not change. The
form is made of tokens and needs no syntax tree, so that code with a syntax error is compared like any other.
"""

import builtins
import collections
import functools
import hashlib
import json
import keyword
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course.errors import CourseError
from course.paths import ROOT
from grading.records import safe_name

TOKENS = 12  # length of what is hashed (k in the paper): what is shorter is never found
WINDOW = 8  # of so many neighbouring hashes one is kept: what has TOKENS + WINDOW - 1 tokens is always found
WIDESPREAD = 0.3  # what more than this share of a class has written is the usual answer, and does not count
_SMALL_CLASS = 10  # students, below which nothing is called widespread
_LARGEST = 50 * 2**20  # bytes of a notebook
_MOST_CODE = 2**20  # characters of its code cells
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\f\r\\]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<string>(?i:[rbfu]{0,2})(?:\"\"\"[\s\S]*?(?:\"\"\"|\Z)|'''[\s\S]*?(?:'''|\Z)
        |"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))
    |(?P<number>\d[\w.]*)
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>\*\*|//|==|!=|<=|>=|->|:=|[^\s\w])""",
    flags=re.VERBOSE,
)
_KEPT = {*keyword.kwlist, *dir(builtins)}

Code = Mapping[str, str]  # name of a cell -> its source


@dataclass(frozen=True)
class Place:
    """Code that two hand-ins share: the cell in each, and its first and last line there, counted from 1."""

    first_cell: str
    first_lines: tuple[int, int]
    second_cell: str
    second_lines: tuple[int, int]


@dataclass(frozen=True)
class Pair:
    """Two hand-ins that share code.

    Attributes:
        first: one student.
        second: the other.
        shared: how many fingerprints both have.
        first_share: which part of the first one's fingerprints that is.
        second_share: which part of the second one's.
        places: where, in the order of the first one's cells.
    """

    first: str
    second: str
    shared: int
    first_share: float
    second_share: float
    places: tuple[Place, ...]


def compare_problem_set(
    problem_set: str, root: pathlib.Path = ROOT, threshold: float = 0.6
) -> tuple[list[Pair], list[str]]:
    """Compare what was handed in last for a problem set.

    What students were given does not count: the released notebook and the lectures.

    Returns:
        The pairs, the most alike first, and for each file that could not be read a sentence.

    Raises:
        CourseError: nothing was handed in.
    """
    name = safe_name(problem_set)
    submissions, notes = {}, []
    for path in sorted((root / "submitted").glob(f"*/{name}/{name}.ipynb")):
        try:
            submissions[path.parent.parent.name] = read_code(path)
        except CourseError as error:
            notes.append(str(error))
    if not submissions:
        raise CourseError(f"Nothing was handed in for {problem_set} in {root / 'submitted'} that can be read.")
    given = [*(root / "assignments" / name).glob("*.ipynb"), *(root / "lectures").glob("*.ipynb")]
    return compare(submissions, [read_code(path) for path in given], threshold), notes


def compare(
    submissions: Mapping[str, Code], given: Iterable[Code] = (), threshold: float = 0.6, least: int = 6
) -> list[Pair]:
    """Find the pairs that share code.

    Args:
        submissions: each student's code.
        given: code that everybody may have.
        threshold: part of the smaller one's fingerprints that both must have.
        least: how many fingerprints both must have; a few can be chance.

    Returns:
        The pairs, the most alike first.
    """
    import numpy as np
    from scipy import sparse

    common = {gram for code in given for source in code.values() for gram in _grams(source)[0].tolist()}
    prints = {student: _fingerprints(code, common) for student, code in submissions.items()}
    counts = collections.Counter(print_ for found in prints.values() for print_ in found)
    most = max(len(prints) * WIDESPREAD, 2) if len(prints) >= _SMALL_CLASS else len(prints)
    prints = {
        student: {one: at for one, at in found.items() if counts[one] <= most} for student, found in prints.items()
    }
    students, columns = list(prints), {one: number for number, one in enumerate(counts)}
    rows = [number for number, student in enumerate(students) for _ in prints[student]]
    places = [columns[one] for student in students for one in prints[student]]
    shape = (len(students), len(columns))
    has = sparse.csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, places)), shape=shape)
    together = sparse.triu(has @ has.T, k=1).tocoo()
    pairs = []
    for row, column, shared in zip(together.row.tolist(), together.col.tolist(), together.data.tolist()):
        first, second = students[row], students[column]
        sizes = len(prints[first]), len(prints[second])
        if shared >= least and shared / min(sizes) >= threshold:
            at = _places(prints[first], prints[second])
            pairs.append(Pair(first, second, shared, shared / sizes[0], shared / sizes[1], at))
    return sorted(pairs, key=lambda pair: (-max(pair.first_share, pair.second_share), -pair.shared, pair.first))


def read_code(path: pathlib.Path) -> dict[str, str]:
    """The code cells of a notebook, by the name that the course or its editor gave them, or by their number.

    It takes any file that looks like a notebook, of any format, without repairing it.

    Raises:
        CourseError: it cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        values = json.loads(path.read_bytes())
        cells = values["cells"] if "cells" in values else [c for sheet in values["worksheets"] for c in sheet["cells"]]
        code = dict(_code_cells(cells))
        if sum(map(len, code.values())) > _MOST_CODE:
            raise ValueError("it holds too much code")
        return code
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CourseError(f"{path} is not compared, since it cannot be read ({error}).") from None


def _code_cells(cells: list[Any]) -> Iterator[tuple[str, str]]:
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            marks = (cell.get("metadata") or {}).get("nbgrader") or {}
            name = f"cell {number}" + (f" ({marks['grade_id']})" if marks.get("grade_id") else "")
            yield name, source if isinstance(source, str) else "".join(source)


def print_pairs(pairs: Iterable[Pair], console: Console) -> None:
    """Print the pairs as a table, with where to look."""
    table = Table("first", "second", "where (lines in the first, lines in the second)", title="Shared code")
    for column in ("of the first", "of the second"):
        table.add_column(column, justify="right")
    for pair in pairs:
        where = "\n".join(
            f"{place.first_cell} {place.first_lines[0]}–{place.first_lines[1]}, "
            f"{place.second_cell} {place.second_lines[0]}–{place.second_lines[1]}"
            for place in pair.places
        )
        shares = f"{pair.first_share:.0%}", f"{pair.second_share:.0%}"
        table.add_row(*(escape(_visible(text)) for text in (pair.first, pair.second, where)), *shares)
    console.print(table)
    console.print("Shared code is a reason to look at both, never a proof: short tasks have few different answers.")


def normalise(source: str) -> list[tuple[str, int]]:
    """The tokens of some Python, each with its line, without what can be changed at no cost.

    Names become N unless they are Python's own or an attribute of something that is not `self`; strings become S;
    comments, docstrings and layout are dropped. Nothing is refused: what is no Python is split all the same.
    """
    found: list[tuple[str, int]] = []
    line, begins = 1, True  # a statement begins after the end of a line
    for match in _TOKEN.finditer(source):
        kind, text = match.lastgroup, match.group()
        if kind == "string":
            if not (begins and re.match(r"[ \t]*(#[^\n]*)?(\n|$)", source[match.end() : match.end() + 200])):
                found.append(("S", line))  # otherwise a docstring
        elif kind == "name":
            before = [token for token, _ in found[-2:]]
            own = text == "self" or text in _KEPT
            foreign = before[-1:] == ["."] and before != ["self", "."]
            found.append((text if own or foreign else "N", line))
        elif kind in ("number", "sign"):
            found.append((text, line))
        begins = kind == "newline" or (begins and kind == "blank")
        line += text.count("\n")
    return found


@functools.lru_cache(maxsize=4096)  # most of a class's cells are the released ones
def _grams(source: str) -> tuple[Any, list[int]]:
    """The hashes of all runs of TOKENS tokens, and the line of each token."""
    import numpy as np

    tokens = normalise(source)
    runs = max(len(tokens) - TOKENS + 1, 0)
    codes = np.array([_hash(token) for token, _ in tokens], dtype=np.uint64)
    hashes = np.zeros(runs, dtype=np.uint64)
    for offset in range(TOKENS if runs else 0):  # a polynomial in a large odd number, modulo 2**64
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes[offset : offset + runs]
    return hashes ^ (hashes >> np.uint64(29)), [line for _, line in tokens]


@functools.lru_cache(maxsize=65_536)
def _hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _fingerprints(code: Code, common: set[int]) -> dict[int, tuple[str, int, int]]:
    """The hashes that winnowing keeps, each with where it stands first: cell, first line, last line."""
    import numpy as np

    found: dict[int, tuple[str, int, int]] = {}
    for cell, source in code.items():
        hashes, lines = _grams(source)
        if not len(hashes):
            continue
        width = min(WINDOW, len(hashes))
        windows = np.lib.stride_tricks.sliding_window_view(hashes, width)
        # the last of the smallest, so that neighbouring windows mostly keep the same one
        kept = np.unique(np.arange(len(windows)) + width - 1 - windows[:, ::-1].argmin(axis=1))
        for start, one in zip(kept.tolist(), hashes[kept].tolist()):
            if one not in common:
                found.setdefault(one, (cell, lines[start], lines[start + TOKENS - 1]))
    return found


def _places(first: Mapping[int, tuple[str, int, int]], second: Mapping[int, tuple[str, int, int]]) -> tuple[Place, ...]:
    """Where two share code, with neighbouring fingerprints joined."""
    joined: list[list[Any]] = []
    for one in (one for one in first if one in second):
        cell, begin, end = first[one]
        other_cell, other_begin, other_end = second[one]
        last = joined[-1] if joined else None
        if last and last[0] == cell and last[3] == other_cell and _near(last, begin, other_begin, other_end):
            last[1:3] = min(last[1], begin), max(last[2], end)
            last[4:] = min(last[4], other_begin), max(last[5], other_end)
        else:
            joined.append([cell, begin, end, other_cell, other_begin, other_end])
    return tuple(Place(cell, (a, b), other, (c, d)) for cell, a, b, other, c, d in joined)


def _near(last: list[Any], begin: int, other_begin: int, other_end: int) -> bool:
    return begin <= last[2] + 2 and other_begin <= last[5] + 2 and other_end >= last[4] - 2


def _visible(text: str) -> str:
    return "".join(character if character.isprintable() or character == "\n" else "?" for character in text)
