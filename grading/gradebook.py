"""Writes records into nbgrader's gradebook, so that formgrader, marking by hand and `nbgrader export` work as ever.

What nbgrader's own autograder writes is written here: the submission with its time, a score for each check, what waits
to be marked by hand, and the notebook that formgrader shows (`autograded/STUDENT/PROBLEM_SET`). Late penalties, which
it leaves to a plugin that does nothing by default, are not.
"""

import contextlib
import pathlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from course import notebooks
from course.errors import CourseError
from course.exercises import marks_of
from course.paths import ROOT
from grading.formgrader import fingerprint, for_formgrader, record_of
from grading.records import Record, newest, safe_name, when

_LOCK_TIMEOUT = 60  # seconds to wait for another writer


@dataclass(frozen=True)
class Committed:
    """What became of one student's record.

    The status is "added", "changed", "unchanged", "older" (a later hand-in is in the gradebook, which was left as it
    is) or "refused" (the record does not fit the gradebook's problem set). Notes are sentences for an instructor.
    """

    student: str
    problem_set: str
    status: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """What the gradebook says of one graded cell: the points (None while they wait for a person) and of how many."""

    points: float | None
    possible: float
    by_person: bool


@dataclass(frozen=True)
class Marks:
    """What the gradebook says of one hand-in: marks of graded cells and comments on a student's cells, by cell name."""

    grades: dict[str, Mark]
    comments: dict[str, str]

    @property
    def points(self) -> float:
        """The sum of what is known."""
        return sum(mark.points or 0 for mark in self.grades.values())

    @property
    def waiting(self) -> bool:
        """Whether something waits to be marked by hand."""
        return any(mark.points is None for mark in self.grades.values())


def commit(
    records: Iterable[Record], root: pathlib.Path = ROOT, notebook_of: Callable[[Record], Any] | None = None
) -> list[Committed]:
    """Write the newest record of each student into gradebook.db. Doing it again changes nothing.

    Each student's submission is one transaction: a writer that is killed leaves it whole or not there. A mark that a
    person gave is kept, unless the written answer it was given for has changed. Where a check's points changed under
    such a mark, it is kept and waits to be looked at.

    Args:
        records: of any problem sets and students.
        root: the course folder.
        notebook_of: returns for a record the repaired notebook, with outputs or without, or None where there is none.
            It is called at most once for each student, so a class need not be in memory, and not where the record
            was committed before.

    Returns:
        For each student and problem set what was done.

    Raises:
        CourseError: there is no gradebook, it lacks the problem set, or another program keeps it locked.
    """
    import filelock

    problem_sets: dict[str, list[Record]] = {}
    for record in records:
        problem_sets.setdefault(record.problem_set, []).append(record)
    results = []
    try:
        with filelock.FileLock(root / "gradebook.lock", timeout=_LOCK_TIMEOUT), _opened(root) as gradebook:
            for name, graded in sorted(problem_sets.items()):
                source = _find_source(gradebook, name)
                for record in newest(graded).values():
                    results.append(_commit_one(gradebook, source, record, notebook_of or (lambda _: None), root))
    except filelock.Timeout:
        raise CourseError("Another grading is writing to the gradebook: wait until it is done.") from None
    return results


def require(problem_set: str, root: pathlib.Path = ROOT) -> None:
    """See that the gradebook can take a problem set's marks, before the work begins that they come of.

    Raises:
        CourseError: there is no gradebook, it lacks the problem set, or it cannot be used.
    """
    with _opened(root) as gradebook:
        _find_source(gradebook, problem_set)


def all_marks(problem_set: str, root: pathlib.Path = ROOT) -> dict[str, Marks]:
    """What the gradebook says of a problem set, for each student; empty where there is no gradebook or no such set."""
    if not (root / "gradebook.db").is_file():
        return {}
    from nbgrader.api import MissingEntry

    with _opened(root) as gradebook:
        try:
            found = gradebook.find_assignment(problem_set).submissions
        except MissingEntry:
            return {}
        return {submission.student.id: _marks(submission) for submission in found}


def _marks(submission: Any) -> Marks:
    grades, comments = {}, {}
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            # a mark that a person gave and that waits for another look is still the mark
            waits = grade.needs_manual_grade and grade.manual_score is None
            points = None if waits else float(grade.score)
            grades[grade.name] = Mark(points, float(grade.max_score), grade.manual_score is not None)
        comments |= {comment.name: comment.manual_comment for comment in notebook.comments if comment.manual_comment}
    return Marks(grades, comments)


@contextlib.contextmanager
def _opened(root: pathlib.Path) -> Iterator[Any]:
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import DatabaseError

    path = root / "gradebook.db"
    if not path.is_file():
        raise CourseError(f"There is no gradebook {path}: run `course release` first.")
    try:
        # nbgrader adds a course to the gradebook where it does not find the one named
        with contextlib.closing(sqlite3.connect(path)) as database:
            courses = [name for (name,) in database.execute("select id from course")]
        with Gradebook(f"sqlite:///{path}", courses[0] if courses else "default_course") as gradebook:
            yield gradebook  # what was not committed is gone when it is closed
    except (sqlite3.DatabaseError, DatabaseError) as error:
        reason = str(getattr(error, "orig", error))
        raise CourseError(f"The gradebook {path} cannot be used ({reason}): close what else uses it.") from error


def _find_source(gradebook: Any, name: str) -> Any:
    """The released notebook of a problem set, as the gradebook knows it."""
    from nbgrader.api import MissingEntry

    try:
        return gradebook.find_notebook(name, name)
    except MissingEntry:
        raise CourseError(f"The gradebook does not know {name}: run `course release {name}` first.") from None


def _commit_one(
    gradebook: Any, source: Any, record: Record, notebook_of: Callable[[Record], Any], root: pathlib.Path
) -> Committed:
    student, problem_set = record.student, record.problem_set
    mismatch = _mismatch(source, record)
    if mismatch:
        return Committed(student, problem_set, "refused", (mismatch,))
    received = when(record.received).replace(tzinfo=None)  # nbgrader's times are in UTC and do not say so
    database = gradebook.db
    folder = root / "autograded" / safe_name(student) / safe_name(problem_set)
    path = folder / f"{problem_set}.ipynb"
    with database.no_autoflush:  # so that nothing is written before the commit, and what has changed can be told
        submission, is_new = _find_submission(gradebook, source, student)
        if submission.timestamp and submission.timestamp > received:
            return Committed(student, problem_set, "older", ("A later hand-in is in the gradebook, and stays.",))
        grades = next(notebook for notebook in submission.notebooks if notebook.notebook is source).grades
        is_again = submission.timestamp == received
        if is_again and record_of(path) == fingerprint(record) and _are_set(grades, record):
            return Committed(student, problem_set, "unchanged")
        submission.timestamp = received
        notebook = notebook_of(record)
        shown = None if notebook is None else for_formgrader(notebook, source, record)
        notes = _set_scores(submission, source, record, _answers(shown), _answers(_earlier(path)), is_again)
        changed = any(database.is_modified(entry) for entry in database.dirty)
    database.commit()
    # Only now: until the gradebook holds the new marks, the earlier answers must be there to be compared with.
    if shown is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "timestamp.txt").write_text(f"{received:%Y-%m-%d %H:%M:%S.%f} UTC\n")
        notebooks.write(shown, path)
    return Committed(student, problem_set, "added" if is_new else "changed" if changed else "unchanged", tuple(notes))


def _are_set(grades: Iterable[Any], record: Record) -> bool:
    """Whether the scores of the checks are the record's already, and wait for nobody who has not marked them."""
    points = {verdict.check: verdict.points for verdict in record.verdicts if not verdict.is_written}
    checks = {grade.cell.name: grade for grade in grades if grade.cell.name in points}
    waits = any(grade.needs_manual_grade and grade.manual_score is None for grade in checks.values())
    return not waits and points == {name: grade.auto_score for name, grade in checks.items()}


def _mismatch(source: Any, record: Record) -> str:
    """Why a record cannot be of the problem set in the gradebook; empty where it can."""
    worth = {cell.name: float(cell.max_score) for cell in [*source.grade_cells, *source.task_cells]}
    graded = {verdict.check: verdict.possible for verdict in record.verdicts}
    differ = sorted(name for name in worth.keys() | graded.keys() if worth.get(name) != graded.get(name))
    if not differ or (record.fault and not graded):
        return ""
    return (
        f"The record and the gradebook differ in {', '.join(differ)}: the problem set was changed in between. "
        "Release it, then grade again."
    )


def _find_submission(gradebook: Any, source: Any, student: str) -> tuple[Any, bool]:
    """The student's submission, and whether it was made now; not yet committed, unlike with nbgrader's own method."""
    from nbgrader import api

    with contextlib.suppress(api.MissingEntry):
        return gradebook.find_submission(source.assignment.name, student), False
    try:
        owner = gradebook.find_student(student)
    except api.MissingEntry:
        owner = api.Student(id=student)
    submission = api.SubmittedAssignment(assignment=source.assignment, student=owner)
    for notebook in source.assignment.notebooks:
        mirror = api.SubmittedNotebook(notebook=notebook, assignment=submission)
        for cell in [*notebook.grade_cells, *notebook.task_cells]:
            api.Grade(cell=cell, notebook=mirror, needs_manual_grade=True)
        for cell in [*notebook.solution_cells, *notebook.task_cells]:
            api.Comment(cell=cell, notebook=mirror)
    gradebook.db.add(submission)
    return submission, True


def _set_scores(
    submission: Any, source: Any, record: Record, answers: dict[str, Any], earlier: dict[str, Any], is_again: bool
) -> list[str]:
    """Set the scores and automatic comments of a submission; returns what an instructor should know."""
    verdicts = {verdict.check: verdict for verdict in record.verdicts}
    by_hand = {cell.name for cell in [*source.solution_cells, *source.task_cells]}
    mirror = next(notebook for notebook in submission.notebooks if notebook.notebook is source)
    blank = {name for name, cell in answers.items() if _is_blank(cell)}
    notes = []
    for grade in mirror.grades:
        name = grade.cell.name
        if name not in by_hand:
            points = verdicts[name].points if name in verdicts else 0.0
            review = grade.manual_score is not None and (grade.needs_manual_grade or points != grade.auto_score)
            grade.auto_score, grade.needs_manual_grade = points, review
            continue
        known = name in answers and name in earlier
        if grade.manual_score is not None and known and answers[name].source != earlier[name].source:
            notes.append(f"{name}: the answer has changed, so its mark of {grade.manual_score:g} no longer counts.")
            grade.manual_score = None
        nothing = name in blank or (record.fault and name not in answers)
        if answers or nothing:  # from a record alone nothing is known of an answer
            grade.auto_score = 0.0 if nothing else None
        if grade.manual_score is None:
            grade.needs_manual_grade = grade.auto_score is None
        elif not known and (answers or (record.fault and not is_again)):
            grade.needs_manual_grade = True  # whether it is the same answer cannot be said
    for comment in mirror.comments:
        if answers:
            comment.auto_comment = "No response." if comment.cell.name in blank else None
    return notes


def _is_blank(cell: Any) -> bool:
    from nbgrader.utils import compute_checksum

    return not cell.source.strip() or cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)


def _answers(notebook: Any) -> dict[str, Any]:
    """A student's cells by their name."""
    cells = notebook.cells if notebook is not None else []
    return {marks_of(cell)["grade_id"]: cell for cell in cells if marks_of(cell).get("solution")}


def _earlier(path: pathlib.Path) -> Any:
    """What was graded before; None where there is nothing that can be read."""
    with contextlib.suppress(CourseError):
        return notebooks.read(path)
    return None
