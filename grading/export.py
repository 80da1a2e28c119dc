"""Grades for a learning platform, and what a class found hard."""

import collections
import csv
import io
import math
import pathlib
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from course.errors import CourseError
from course.paths import ROOT
from grading.gradebook import Marks, all_marks
from grading.people import Person
from grading.records import Record, newest, read_all

_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
# A spreadsheet takes a cell that begins so for a formula; the wide forms are read as the narrow ones by some.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_FEWEST = 10  # students, below which a correlation says nothing


@dataclass(frozen=True)
class Score:
    """What counts for one student and problem set. `waiting`: an answer is still to be marked by hand."""

    student: str
    problem_set: str
    points: float
    possible: float
    waiting: bool
    feedback: str


@dataclass(frozen=True)
class ExerciseStatistics:
    """How a class did in one exercise: points, and the share of students with all of them.

    Discrimination is the correlation with the points of all other exercises (item-rest). It is None where it means
    nothing: fewer than 10 students, only one exercise, or everybody has the same points.
    """

    exercise: str
    title: str
    possible: float
    students: int
    mean: float
    deviation: float | None  # standard deviation; None for one student
    full: float
    discrimination: float | None


@dataclass(frozen=True)
class FailedCheck:
    """A check that students failed: the share of them, and the most frequent messages with their counts."""

    check: str
    title: str
    expected: str
    share: float
    messages: tuple[tuple[str, int], ...]


def scores(problem_set: str, root: pathlib.Path = ROOT) -> list[Score]:
    """What counts for each student: the gradebook's marks, or the newest record's points where it has none."""
    marks = all_marks(problem_set, root)
    found = []
    for student, record in newest(read_all(problem_set, root)).items():
        mark = marks.get(student)
        points = mark.points if mark else record.points
        possible = math.fsum(grade.possible for grade in mark.grades.values()) if mark else record.possible
        waiting = mark.waiting if mark else any(verdict.outcome == "by hand" for verdict in record.verdicts)
        found.append(Score(student, problem_set, points, possible, waiting, record.fault or _feedback(record, mark)))
    return found


def canvas(
    found: Iterable[Score], people: Mapping[str, Person] | None = None, columns: Mapping[str, str] | None = None
) -> str:
    """A CSV file for Canvas's "Import grades": five columns that say who, then one for each problem set.

    Canvas finds a student by ID, SIS User ID or SIS Login ID; without `people` the gradebook's name is taken for the
    last. It finds an assignment by its title, or by "title (number)" as its own export writes it, and offers to make a
    new one otherwise. A score that waits for a mark by hand is left empty, and a student without any other left out.

    Args:
        found: from scores, of one or several problem sets.
        people: from grading.people.match.
        columns: the assignments' titles in Canvas by problem set, where they have others.
    """
    by_student = _by_student(found)
    worth = {score.problem_set: score.possible for given in by_student.values() for score in given.values()}
    rows = [[*_CANVAS, *((columns or {}).get(name, name) for name in worth)]]
    rows += [["    Points Possible", "", "", "", "", *(f"{points:g}" for points in worth.values())]]
    for student, given in by_student.items():
        person = (people or {}).get(student, Person(student, sis_login=student))
        who = [person.name or student, person.identifier, person.sis_user, person.sis_login, person.section]
        grades = [_grade(given.get(name)) for name in worth]
        rows += [[*who, *grades]] * any(grades)
    return as_csv(rows)


def moodle(found: Iterable[Score], people: Mapping[str, Person] | None = None) -> str:
    """A CSV file for Moodle's grade import: who, then grade and feedback for each problem set.

    On import, map "Email address" to the e-mail address or "ID number" to the identity number. Without `people` the
    gradebook's name goes in the column it looks like. A score that waits for a mark by hand is left out altogether,
    since Moodle would take an empty grade beside a feedback for none.
    """
    by_student = _by_student(found)
    names = sorted({name for given in by_student.values() for name in given})
    rows = [["Email address", "ID number", *(column for name in names for column in (name, f"{name} feedback"))]]
    for student, given in by_student.items():
        is_address = "@" in student
        person = (people or {}).get(student, Person(email=student * is_address, sis_user=student * (not is_address)))
        graded = [
            (_grade(score), score.feedback if score and not score.waiting else "") for score in map(given.get, names)
        ]
        if any(grade for grade, _ in graded):
            rows.append([person.email, person.sis_user, *(cell for pair in graded for cell in pair)])
    return as_csv(rows)


def _by_student(found: Iterable[Score]) -> dict[str, dict[str, Score]]:
    given: dict[str, dict[str, Score]] = {}
    for score in sorted(found, key=lambda score: (score.student, score.problem_set)):
        given.setdefault(score.student, {})[score.problem_set] = score
    return given


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """CSV text, every cell quoted; one that a spreadsheet would run as a formula gets an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([map(_harmless, row) for row in rows])
    return text.getvalue()


def _harmless(cell: str) -> str:
    cell = cell.replace("\0", "").encode("utf-8", "replace").decode()
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA) else cell


def _grade(score: Score | None) -> str:
    return "" if score is None or score.waiting else f"{score.points:.10g}"


def _feedback(record: Record, marks: Marks | None) -> str:
    """The points of each exercise and marked answer. What the gradebook says counts, as it does for the sum."""
    totals: dict[str, list[float]] = {}
    for verdict in record.verdicts:
        mark = marks.grades.get(verdict.check) if marks else None
        unmarked = None if verdict.is_written else verdict.points
        points = mark.points if mark else unmarked
        if points is not None:
            total = totals.setdefault(verdict.title or verdict.exercise, [0.0, 0.0])
            total[0] += points
            total[1] += verdict.possible
    return "; ".join(f"{title}: {points:g} of {possible:g}" for title, (points, possible) in totals.items())


def exercise_statistics(records: Iterable[Record]) -> list[ExerciseStatistics]:
    """How a class did in each exercise that is checked automatically, from each student's newest record."""
    titles: dict[str, str] = {}
    earned: dict[str, dict[str, float]] = {}  # exercise -> student -> points
    worth: dict[str, float] = {}
    for record in newest(records).values():
        possible: dict[str, float] = collections.Counter()
        for verdict in record.verdicts:
            if not verdict.is_written:
                titles.setdefault(verdict.exercise, verdict.title)
                students = earned.setdefault(verdict.exercise, {})
                students[record.student] = students.get(record.student, 0.0) + verdict.points
                possible[verdict.exercise] += verdict.possible
        worth |= possible
    found = []
    for exercise, students in earned.items():
        values = list(students.values())
        rest = [sum(earned[other].get(one, 0) for other in earned if other != exercise) for one in students]
        full = sum(value >= worth[exercise] for value in values) / len(values)
        deviation = statistics.stdev(values) if len(values) > 1 else None
        known = (exercise, titles[exercise], worth[exercise], len(values), statistics.fmean(values), deviation, full)
        found.append(ExerciseStatistics(*known, discrimination=_correlation(values, rest)))
    return found


def _correlation(values: list[float], others: list[float]) -> float | None:
    if len(values) < _FEWEST or len(set(values)) == 1 or len(set(others)) == 1:
        return None
    return statistics.correlation(values, others)


def histogram(found: Iterable[Score], bins: int = 10) -> list[tuple[float, float, int]]:
    """How many students lie in each equal part of the scale from 0 to 100 %: (from, to, students), in per cent."""
    counts = [0] * bins
    for score in found:
        share = score.points / score.possible if score.possible else 0.0
        counts[min(max(int(share * bins), 0), bins - 1)] += 1
    return [(100 * n / bins, 100 * (n + 1) / bins, count) for n, count in enumerate(counts)]


def most_failed(records: Iterable[Record], number: int = 5, messages: int = 3) -> list[FailedCheck]:
    """The checks that most students did not pass, the most frequent first."""
    graded = [verdict for record in newest(records).values() for verdict in record.verdicts if not verdict.is_written]
    tried = collections.Counter(verdict.check for verdict in graded)
    failed: dict[str, list] = {}
    for verdict in graded:
        if verdict.outcome != "passed":
            failed.setdefault(verdict.check, []).append(verdict)
    found = [
        FailedCheck(check, those[0].title, those[0].expected, len(those) / tried[check], _frequent(those, messages))
        for check, those in failed.items()
    ]
    return sorted(found, key=lambda one: (-one.share, one.check))[:number]


def _frequent(failed: list, number: int) -> tuple[tuple[str, int], ...]:
    lines = (verdict.message.strip().partition("\n")[0] or verdict.outcome for verdict in failed)
    return tuple(collections.Counter(lines).most_common(number))


def print_report(problem_set: str, console: Console, root: pathlib.Path = ROOT) -> None:
    """Print a problem set's statistics, the histogram of its scores and what was failed most."""
    records, found = read_all(problem_set, root), scores(problem_set, root)
    if not found:
        raise CourseError(f"There are no grades of {problem_set} yet: run `course grade` first.")
    table = Table("exercise", title=f"{problem_set}: {len(found)} students", title_justify="left")
    for column in ("points", "mean", "sd", "full marks", "discrimination"):
        table.add_column(column, justify="right")
    for one in exercise_statistics(records):
        numbers = (f"{one.possible:g}", f"{one.mean:.2f}", _or_none(one.deviation), f"{one.full:.0%}")
        table.add_row(_plain(one.title or one.exercise), *numbers, _or_none(one.discrimination))
    console.print(table)
    bars = histogram(found)
    longest = max(count for _, _, count in bars)
    table = Table("score in %", "", title="How many students have which score", title_justify="left")
    table.add_column("students", justify="right")
    for low, high, count in bars:
        table.add_row(f"{low:g} to {high:g}", "█" * round(30 * count / longest), str(count))
    console.print(table)
    table = Table("check", "not passed", "what it said most often", title="Failed most", title_justify="left")
    for check in most_failed(records):
        said = "\n".join(f"{count} × {message}" for message, count in check.messages)
        table.add_row(_plain(check.expected or check.check), f"{check.share:.0%}", _plain(said))
    console.print(table)


def _or_none(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _plain(text: str) -> str:
    """Text in which Rich finds no markup and a terminal no commands."""
    from rich.markup import escape

    return escape("".join(character if character.isprintable() or character == "\n" else "?" for character in text))
