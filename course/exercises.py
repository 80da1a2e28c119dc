"""What a problem set's notebook holds: its exercises, their checks, and whether these are the released ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from course import notebooks
from course.paths import ASSIGNMENTS


@dataclass
class Exercise:
    """What belongs together: the student's cell, the checks of it, and a name that the student knows."""

    title: str
    solution: int | None
    checks: list[int] = field(default_factory=list)  # positions of the cells

    @property
    def is_bonus(self) -> bool:
        """Whether its points come on top of the problem set's 100: its heading says "Bonus"."""
        return bool(re.search(r"\bbonus\b", self.title, re.IGNORECASE))


def marks_of(cell: Any) -> dict[str, Any]:
    """What nbgrader notes of a cell; empty where an editor has dropped its name."""
    marks = cell.metadata.get("nbgrader")
    return marks if isinstance(marks, dict) and marks.get("grade_id") else {}


def points_of(cell: Any) -> float:
    """What a graded cell is worth; 0 for others."""
    points = marks_of(cell).get("points")
    return points if isinstance(points, int | float) else 0


def is_check(cell: Any) -> bool:
    """Whether a cell is one of the checks that give points by themselves."""
    return bool(cell.cell_type == "code" and marks_of(cell).get("grade"))


def is_written(cell: Any) -> bool:
    """Whether a cell is an answer in words, graded by hand."""
    return bool(cell.cell_type == "markdown" and marks_of(cell).get("grade"))


def find_exercises(notebook: Any) -> list[Exercise]:
    """Group the graded cells, in the notebook's order.

    A check belongs to the student's cell whose name begins its own (vocabulary_sorted to vocabulary), wherever a
    student has moved either, or else to the last one above it.
    """
    exercises: dict[str, Exercise] = {}
    title, above = "Checks", None
    cells = notebook.cells
    solutions = {marks_of(cell)["grade_id"]: n for n, cell in enumerate(cells) if marks_of(cell).get("solution")}
    for position, cell in enumerate(cells):
        title = _heading(cell) or title
        name = marks_of(cell).get("grade_id", "")
        if name in solutions:
            above = name
            exercises.setdefault(name, Exercise(title, None)).title = title
            exercises[name].solution = position
        if is_check(cell):
            owner = max((other for other in solutions if name.startswith(f"{other}_")), key=len, default=above or "")
            exercises.setdefault(owner, Exercise(title, None)).checks.append(position)
    graded = (e for e in exercises.values() if e.checks or (e.solution is not None and is_written(cells[e.solution])))
    return sorted(graded, key=lambda exercise: exercise.checks[0] if exercise.solution is None else exercise.solution)


def _heading(cell: Any) -> str | None:
    """The last heading of a text cell, without its marks and what it says of points."""
    headings = notebooks.headings(cell)
    return re.sub(r"\(\d+ points?[^)]*\)|`", "", headings[-1]).strip() if headings else None


def drop_copies(notebook: Any) -> list[str]:
    """Let the last of several cells with the same name count, as nbgrader does, and say which there are."""
    copies = []
    names: set[str] = set()
    for cell in reversed(notebook.cells):
        name = marks_of(cell).get("grade_id")
        if name in names:
            copies.append(name)
            del cell.metadata["nbgrader"]
        elif name:
            names.add(name)
    return [f"These cells are there more than once, and the last counts: {', '.join(copies)}."] * bool(copies)


def restore_checks(notebook: Any) -> list[str]:
    """Put the released checks in the place of edited ones, in memory, and say what was found."""
    checks = {marks_of(cell).get("grade_id"): cell for cell in notebook.cells if is_check(cell)}
    if any("BEGIN HIDDEN TESTS" in cell.source for cell in checks.values()):
        return []  # an instructor's source, not a student's notebook
    released = max(_released_checks(), key=lambda sources: len(sources.keys() & checks.keys()), default={})
    if not released.keys() & checks.keys():
        return []
    edited = [
        name for name, cell in checks.items() if name in released and cell.source.strip() != released[name].strip()
    ]
    for name in edited:
        checks[name].source = released[name]
    missing = [name for name in released if name not in checks]
    notes = [f"These checks differ from the released ones, which were run instead: {', '.join(edited)}."] * bool(edited)
    return notes + [f"These checks are missing, and bring no points: {', '.join(missing)}."] * bool(missing)


def _released_checks() -> Iterator[dict[str, str]]:
    """For each released problem set, the source of its checks by their name."""
    for path in sorted(ASSIGNMENTS.glob("*/*.ipynb")):
        yield {marks_of(cell)["grade_id"]: cell.source for cell in notebooks.read(path).cells if is_check(cell)}
