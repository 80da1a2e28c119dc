"""What a student reads: one page for each problem set, with nothing that has to be loaded from elsewhere."""

import os
import pathlib
import re
import secrets
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from course import notebooks
from course.errors import CourseError
from course.paths import ROOT
from grading.feedback_page import PAGE
from grading.gradebook import Marks, all_marks
from grading.records import Record, Verdict, newest, read_all, safe_name, when

Lectures = Mapping[str, tuple[str, str]]  # exercise or problem set -> title and file (or address) of the lecture
IN_WORDS = {
    "passed": "passed",
    "failed": "not yet right",
    "error": "stopped with an error",
    "timeout": "took too long",
    "memory": "used too much memory",
    "crash": "ended the process that ran it",
    "not run": "could not be run",
    "by hand": "marked by a person",
}
_SHORTEST_SECRET = 12  # characters; a shorter line, such as a bracket, tells nothing
_NONE_YET = "–"  # of points that wait for a person; a 0 would be taken for a mark
_FILE_OF_CELL = re.compile(r" \(<[^<>]*>, line (\d+)\)")  # a cell's file name means nothing to who wrote it
_WITHHELD = "The details belong to a check that is not shown."


@dataclass(frozen=True)
class Row:
    """One check on the page."""

    expected: str
    outcome: str
    points: str
    possible: str
    message: str
    good: bool
    written: bool


@dataclass(frozen=True)
class Section:
    """One exercise on the page."""

    title: str
    rows: tuple[Row, ...]
    points: str
    possible: str
    comment: str
    lecture: tuple[str, str] | None


def write_all(problem_set: str, root: pathlib.Path = ROOT, lectures: Lectures | None = None) -> list[pathlib.Path]:
    """Write the pages of all students who have a record of a problem set, from their newest ones.

    Marks and comments that a person gave come from the gradebook, where there is one.

    Args:
        problem_set: such as ps1_reviews.
        root: the course folder; the pages go to feedback/STUDENT/PROBLEM_SET.html.
        lectures: which lecture teaches what, by exercise or by problem set.

    Returns:
        The files.
    """
    marks, secret, title = all_marks(problem_set, root), hidden_lines(problem_set, root), _heading(problem_set, root)
    paths = []
    for student, record in newest(read_all(problem_set, root)).items():
        text = page(record, marks.get(student), lectures, secret, title)
        path = root / "feedback" / safe_name(student) / f"{safe_name(problem_set)}.html"
        _replace(path, text)
        paths.append(path)
    return paths


def page(
    record: Record,
    marks: Marks | None = None,
    lectures: Lectures | None = None,
    secret: Collection[str] = (),
    title: str = "",
) -> str:
    """One student's page as HTML.

    Args:
        record: what grading found.
        marks: what the gradebook says, which is what counts.
        lectures: which lecture teaches what, by exercise or by problem set.
        secret: lines that must not be shown; a message that quotes one is withheld.
        title: the problem set's heading, as students know it; its name where there is none.
    """
    from jinja2 import Environment, StrictUndefined

    grouped: dict[str, list[Verdict]] = {}
    for verdict in record.verdicts:
        grouped.setdefault(verdict.exercise, []).append(verdict)
    hidden = {_squeeze(line) for line in secret}
    sections = [_section(record, name, verdicts, marks, lectures or {}, hidden) for name, verdicts in grouped.items()]
    shown = [] if record.fault else sections  # of what could not be graded, no check says anything
    waiting = any(verdict.outcome == "by hand" and _points(verdict, marks) is None for verdict in record.verdicts)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(PAGE).render(
        title=_clean(title or record.problem_set),
        student=_clean(record.student),
        received=f"{when(record.received):%d %B %Y, %H:%M} UTC",
        graded=f"{when(record.graded):%d %B %Y, %H:%M} UTC",
        fault=_public(record.fault, hidden),
        notes=[_public(note, hidden) for note in record.notes],
        sections=shown,
        points=_number(sum(_points(verdict, marks) or 0 for verdict in record.verdicts)),
        possible=_number(record.possible),
        waiting=waiting,
        submission=record.submission_sha256[:12],
    )


def hidden_lines(problem_set: str, root: pathlib.Path = ROOT) -> set[str]:
    """The lines of a problem set's hidden tests and mark schemes that stand nowhere in what students get."""
    paths = [root / folder / problem_set / f"{problem_set}.ipynb" for folder in ("solutions", "assignments")]
    if not paths[0].is_file():
        return set()
    sources = [[cell.source for cell in notebooks.read(path).cells] if path.is_file() else [] for path in paths]
    pattern = r"BEGIN (HIDDEN TESTS|MARK SCHEME)\b[^\n]*\n(.*?)[^\n]*\bEND \1"
    regions = re.findall(pattern, "\n".join(sources[0]), flags=re.DOTALL)
    lines = {line.strip() for _, region in regions for line in region.splitlines()}
    released = {_squeeze(line) for source in sources[1] for line in source.splitlines()}
    return {line for line in lines if len(_squeeze(line)) >= _SHORTEST_SECRET and _squeeze(line) not in released}


def _heading(problem_set: str, root: pathlib.Path) -> str:
    """The first heading of the released notebook; empty where there is none."""
    path = root / "assignments" / problem_set / f"{problem_set}.ipynb"
    cells = notebooks.read(path).cells if path.is_file() else []
    return next((heading for cell in cells for heading in notebooks.headings(cell)), "")


def _section(
    record: Record, name: str, verdicts: list[Verdict], marks: Marks | None, lectures: Lectures, hidden: set[str]
) -> Section:
    points = [_points(verdict, marks) for verdict in verdicts]
    rows = tuple(_row(verdict, earned, hidden) for verdict, earned in zip(verdicts, points))
    lecture = lectures.get(name) or lectures.get(record.problem_set)
    return Section(
        title=_public(verdicts[0].title or name, hidden),
        rows=rows,
        points=_NONE_YET if points == [None] * len(points) else _number(sum(earned or 0 for earned in points)),
        possible=_number(sum(verdict.possible for verdict in verdicts)),
        comment=_clean(marks.comments.get(name, "")) if marks else "",
        lecture=lecture if any(not row.good for row in rows) else None,
    )


def _row(verdict: Verdict, earned: float | None, hidden: set[str]) -> Row:
    outcome = "waits to be marked by a person" if earned is None else IN_WORDS[verdict.outcome]
    if verdict.is_written and verdict.outcome == "not run":
        outcome = "left empty, or not to be found"
    elif not verdict.is_written and earned != verdict.points:
        outcome = f"{outcome}; marked again by a person"
    message = _FILE_OF_CELL.sub(r" (line \1)", verdict.message)
    expected = "Your answer in words" if verdict.is_written else verdict.expected or verdict.check
    return Row(
        expected=_public(expected, hidden),
        outcome=outcome,
        points=_NONE_YET if earned is None else _number(earned),
        possible=_number(verdict.possible),
        message="" if verdict.is_written or verdict.outcome == "passed" else _public(message, hidden),
        good=earned is None or earned >= verdict.possible,
        written=verdict.is_written,
    )


def _points(verdict: Verdict, marks: Marks | None) -> float | None:
    """What counts; None while it waits for a person."""
    if marks and verdict.check in marks.grades:
        return marks.grades[verdict.check].points
    return None if verdict.outcome == "by hand" else verdict.points


def _public(text: str, hidden: set[str]) -> str:
    """The text, unless it quotes a hidden line."""
    squeezed = _squeeze(text)
    return _WITHHELD if any(line in squeezed for line in hidden) else _clean(text)


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _clean(text: str) -> str:
    """The text without characters that cannot be seen but change what is: controls and directions of writing."""
    unseen = "".join(chr(code) for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
    return "".join(
        "\ufffd" if character in unseen or (unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t")
        else character
        for character in text
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _replace(path: pathlib.Path, text: str) -> None:
    """Write a page at once: a student who opens it meanwhile finds the old or the new one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise CourseError(f"{path} cannot be written: {error.strerror}.") from error
