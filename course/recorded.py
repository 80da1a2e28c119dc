"""What the gradebook knows of a release: the checks and points that stock nbgrader grades with."""

import contextlib
import pathlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from course import notebooks
from course.errors import CourseError
from course.exercises import marks_of

_SOURCES = """
    SELECT notebook.name, source_cell.name, source_cell.source FROM source_cell
    JOIN notebook ON source_cell.notebook_id = notebook.id
    JOIN assignment ON notebook.assignment_id = assignment.id WHERE assignment.name = ?"""
_POINTS = """
    SELECT notebook.name, base_cell.name, grade_cells.max_score FROM grade_cells
    JOIN base_cell ON grade_cells.id = base_cell.id JOIN notebook ON base_cell.notebook_id = notebook.id
    JOIN assignment ON notebook.assignment_id = assignment.id WHERE assignment.name = ?"""
_STUDENTS = """
    SELECT count(*) FROM submitted_assignment
    JOIN assignment ON submitted_assignment.assignment_id = assignment.id WHERE assignment.name = ?"""
Place = tuple[str, str]  # a notebook and a cell of it, by their names


@dataclass(frozen=True)
class Recorded:
    """A problem set in the gradebook.

    Attributes:
        sources: of all cells with a name.
        points: of the graded ones.
        students: how many have a hand-in there.
    """

    sources: dict[Place, str]
    points: dict[Place, float]
    students: int

    def differences(self, folder: pathlib.Path) -> list[str]:
        """What has changed in a problem set's source since, one sentence for each cell; empty where nothing has.

        Only cells that nbgrader takes from the gradebook count: what is locked, and what gives points by itself.
        """
        found = []
        for notebook, cell in _named_cells(folder):
            marks = marks_of(cell)
            place = (notebook, marks["grade_id"])
            is_restored = marks.get("locked") or (marks.get("grade") and not marks.get("solution"))
            if is_restored and place not in self.sources:
                found.append(f"{place[1]} is not there")
            elif is_restored and self.sources[place] != cell.source:
                found.append(f"{place[1]} has another source there")
        return found + [f"{cell} has {old:g} points there, and {new:g} now" for cell, old, new in self.changes(folder)]

    def changes(self, folder: pathlib.Path) -> list[tuple[str, float, float]]:
        """Cells with other points than those recorded: name, old points, new points."""
        points = {
            (notebook, marks_of(cell)["grade_id"]): float(marks_of(cell).get("points", 0))
            for notebook, cell in _named_cells(folder)
            if marks_of(cell).get("grade")
        }
        return [
            (place[1], self.points[place], new)
            for place, new in points.items()
            if place in self.points and self.points[place] != new
        ]


def read_recorded(name: str, root: pathlib.Path) -> Recorded | None:
    """A problem set as the gradebook knows it, which is not changed; None where it does not.

    Raises:
        CourseError: the file is no gradebook, or it is in use.
    """
    path = root / "gradebook.db"
    if not path.is_file():
        return None
    try:
        # may be written: what a killed grader left half done is taken back at the first look
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as database:
            sources, points = (
                {(notebook, cell): value for notebook, cell, value in database.execute(query, (name,))}
                for query in (_SOURCES, _POINTS)
            )
            ((students,),) = database.execute(_STUDENTS, (name,))
    except sqlite3.DatabaseError as error:
        raise CourseError(
            f"{path} cannot be read ({error}): wait for other commands that use it, or move it away to begin a new one."
        ) from error
    return Recorded(sources, points, students) if sources else None


def _named_cells(folder: pathlib.Path) -> Iterable[tuple[str, Any]]:
    for path in sorted(folder.glob("*.ipynb")):
        yield from ((path.stem, cell) for cell in notebooks.read(path).cells if marks_of(cell))
