"""What `course grade` and its companions print: the batch, its summary, and where its results lie."""

import os
import pathlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course import notebooks
from course.errors import CourseError
from course.paths import LECTURES, ROOT

if TYPE_CHECKING:
    from grading.batch import Outcome
    from grading.gradebook import Marks
    from grading.hand_ins import HandIn
    from grading.records import Record, Verdict

# The lectures that teach what a problem set asks for: feedback names the first.
TAUGHT_IN = {
    "ps1_reviews": "02_imdb_lstm",
    "ps2_from_scratch": "07_from_scratch",
    "ps3_shakespeare": "09_character_generation",
    "ps4_pseudo_labels": "12_pseudo_labels",
    "ps5_who_wrote_it": "11_who_wrote_it",
}
# As verdicts have them: what comes of an exercise left as released, and the errors of a cell that does not compile.
_BLANK = ("not attempted yet", "no answer")
_NO_PYTHON = ("SyntaxError", "IndentationError", "TabError")


def collect(problem_set: str, source: pathlib.Path, console: Console, root: pathlib.Path = ROOT) -> bool:
    """Take in what students handed in, and print what was found.

    Args:
        problem_set: its name.
        source: a folder or archive, as `grading.collect.take_in` takes it.
        console: where it is printed.
        root: the course folder.

    Returns:
        Whether all of it can be graded.

    Raises:
        CourseError: there is no such problem set, or the source cannot be read.
    """
    from grading.collect import take_in
    from grading.hand_ins import history
    from grading.problem_set import load_problem_set

    load_problem_set(problem_set, root)  # an unknown name is told before anything is kept
    before = {hand_in.path for hand_in in history(problem_set, root)}
    found = take_in(source, problem_set, root)
    table = Table("student", "received (UTC)", "what to know", title=f"{problem_set}: {source}", title_justify="left")
    for hand_in in found:
        remarks = "\n".join([hand_in.fault, *hand_in.notes]).strip()
        received = hand_in.received[:16].replace("T", " ")
        told = f"[red]{escape(remarks)}[/]" if hand_in.fault else escape(remarks)
        table.add_row(escape(hand_in.student or "?"), received, told)
    console.print(table)
    if source.suffix.lower() == ".zip":
        zone = datetime.now().astimezone().tzname()
        console.print(f"Times in a zip name no zone: they are read as this computer's ({zone}).", soft_wrap=True)
    console.print(f"{_count_taken(found, before)} Next: `course grade {problem_set}`.", soft_wrap=True)
    return not any(hand_in.fault for hand_in in found)


def grade(
    problem_set: str,
    console: Console,
    root: pathlib.Path = ROOT,
    *,
    cell_seconds: float,
    total_seconds: float,
    memory: float,
    dask: str | None = None,
    **settings: Any,
) -> bool:
    """Grade a problem set's submissions and print a summary.

    Args:
        problem_set: its name.
        console: where it is printed.
        root: the course folder.
        cell_seconds: limit for a cell or a check.
        total_seconds: limit for a submission.
        memory: limit for a submission, in GiB.
        dask: address of a Dask scheduler.
        settings: what else `grading.batch.grade_all` takes: students, force, isolation.

    Returns:
        Whether every submission has a record.

    Raises:
        CourseError: what `grading.batch.grade_all` says.
    """
    from grading import gradebook
    from grading.batch import grade_all
    from grading.isolation import Limits

    limits = Limits(cell=cell_seconds, total=total_seconds, memory=int(memory * 2**30))
    make_executor = _dask_executor(dask) if dask else None
    outcome = grade_all(problem_set, console, root, limits=limits, make_executor=make_executor, **settings)
    console.print(_summary(problem_set, outcome.records, gradebook.all_marks(problem_set, root)))
    _tell_of_changed_records(console, root)
    for student, reason in sorted(outcome.left.items()):
        console.print(f"{student} is not graded ({reason}): run the same command again.", markup=False, style="red")
    for note in outcome.notes:
        console.print(f"- {note}", markup=False, highlight=False)
    console.print(
        f"{_count_graded(outcome)} Records are in {os.path.relpath(root / 'grades')}; written answers wait in "
        f"formgrader (`course lab`). Next: `course feedback {problem_set}`, then `course export {problem_set}`.",
        soft_wrap=True,
    )
    return not outcome.left


def feedback(problem_set: str, console: Console, root: pathlib.Path = ROOT) -> None:
    """Write a page for each student who has a record."""
    from grading.feedback import write_all

    pages = write_all(problem_set, root, _lectures())
    if not pages:
        raise CourseError(f"There are no grades of {problem_set} yet: run `course grade {problem_set}` first.")
    console.print(f"{len(pages)} pages in {os.path.relpath(root / 'feedback')}, one for each student.", soft_wrap=True)


def export(
    problem_set: str,
    form: str,
    to: pathlib.Path | None,
    people: pathlib.Path | None,
    console: Console,
    root: pathlib.Path = ROOT,
) -> None:
    """Write the scores as a CSV for a learning management system, and print the problem set's statistics.

    Args:
        problem_set: its name.
        form: "canvas" or "moodle".
        to: the file; grades/PROBLEM_SET_FORM.csv where None.
        people: the system's own list of who is who; without it the gradebook's names are written.
        console: where it is printed.
        root: the course folder.

    Raises:
        CourseError: there is no such form or no grade, or a file cannot be read or written.
    """
    from grading import export as exported
    from grading.people import match, read_people

    forms: dict[str, Callable[..., str]] = {"canvas": exported.canvas, "moodle": exported.moodle}
    if form not in forms:
        raise CourseError(f"There is no form {form!r}. There are: {', '.join(forms)}.")
    found = exported.scores(problem_set, root)
    students = {score.student for score in found}
    known = match(read_people(people), students, problem_set, root) if people else {}
    exported.print_report(problem_set, console, root)
    _tell_of_changed_records(console, root)
    to = to or pathlib.Path(os.path.relpath(root / "grades" / f"{problem_set}_{form}.csv"))
    try:
        to.write_text(forms[form](found, known), encoding="utf-8", newline="")
    except OSError as error:
        raise CourseError(f"{to} cannot be written: {error.strerror}.") from error
    waiting = sorted(score.student for score in found if score.waiting)
    lines = [f"Scores of {_plural(len(found) - len(waiting), 'student')} for {form} are in {to}."]
    if waiting:
        lines.append(f"Left out, since an answer waits to be marked in formgrader: {', '.join(waiting)}.")
    if people and students - known.keys():
        unknown = ", ".join(sorted(students - known.keys()))
        lines.append(f"Not in {people}: {unknown}. A name that could be two people's is nobody's.")
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def similar(problem_set: str, threshold: float, console: Console, root: pathlib.Path = ROOT) -> None:
    """Print the pairs of hand-ins that share more of their code than the threshold."""
    from grading.similarity import compare_problem_set, print_pairs

    pairs, notes = compare_problem_set(problem_set, root, threshold)
    for note in notes:
        console.print(f"- {note}", markup=False, highlight=False)
    if pairs:
        print_pairs(pairs, console)
    else:
        console.print(f"No two hand-ins to {problem_set} share {threshold:.0%} of their code.")


def _count_taken(found: "Sequence[HandIn]", before: Collection[pathlib.Path]) -> str:
    """How many hand-ins of a source are new; what belongs to nobody is kept nowhere, and so is neither."""
    kept = [hand_in for hand_in in found if hand_in.student]
    new = sum(hand_in.path not in before for hand_in in kept)
    parts = [f"{new} new", f"{len(kept) - new} as before"]
    parts += [f"{len(found) - len(kept)} of no student"] * (len(kept) < len(found))
    faults = sum(bool(hand_in.fault) for hand_in in found)
    return f"{_plural(len(found), 'hand-in')}: {', '.join(parts)}. {faults} cannot be graded."


def _count_graded(outcome: "Outcome") -> str:
    """What came of a batch, each hand-in counted once."""
    faults = {student for student, record in outcome.records.items() if record.fault}
    unchanged = len(set(outcome.unchanged) - faults)
    parts = [f"{len(outcome.records) - len(faults) - unchanged} graded"]
    parts += [f"{len(faults)} cannot be graded"] * bool(faults)
    return f"{', '.join(parts)}, {unchanged} unchanged since the last time, {len(outcome.left)} left."


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _tell_of_changed_records(console: Console, root: pathlib.Path) -> None:
    from grading import audit

    for fault in audit.verify(root):
        console.print(f"{fault} `course grade --verify` says more.", markup=False, style="red", soft_wrap=True)


def _summary(problem_set: str, records: "Mapping[str, Record]", marks: "Mapping[str, Marks]") -> Table:
    """Each student's points, with those that were given by hand, and what to know."""
    title = f"{problem_set}: {_plural(len(records), 'student')}"
    table = Table("student", "points", "what to know", title=title, title_justify="left")
    table.columns[1].justify = "right"
    for student, record in sorted(records.items()):
        mark = marks.get(student)
        points = f"{mark.points if mark else record.points:g} / {record.possible:g}"
        waiting = sum(grade.possible for grade in mark.grades.values() if grade.points is None) if mark else 0
        remarks = [*_remarks(record), *[f"{waiting:g} points wait to be marked"] * bool(waiting)]
        table.add_row(escape(student), points, escape("\n".join(remarks)))
    return table


def _remarks(record: "Record") -> Iterator[str]:
    """What to know of a record beside its points, a line each."""
    if record.fault:
        yield record.fault
    elif _is_blank(record):
        yield "nothing attempted: no exercise got further than NotImplementedError"
    if cells := list(dict.fromkeys(verdict.exercise for verdict in record.verdicts if _ended_by(verdict, _NO_PYTHON))):
        yield f"{_plural(len(cells), 'cell')} {'do' if cells[1:] else 'does'} not compile: {', '.join(cells)}"
    odd = [verdict.outcome for verdict in record.verdicts if verdict.outcome in ("timeout", "memory", "crash")]
    yield from (f"{name}: {odd.count(name)}" for name in dict.fromkeys(odd))
    yield from record.notes


def _is_blank(record: "Record") -> bool:
    """Whether each exercise is as released. Not each check says so: one that asks for an error gets one."""
    exercises = {verdict.exercise for verdict in record.verdicts}
    blank = {
        verdict.exercise
        for verdict in record.verdicts
        if verdict.message in _BLANK or _ended_by(verdict, ("NotImplementedError",))
    }
    return not record.points and blank == exercises


def _ended_by(verdict: "Verdict", errors: tuple[str, ...]) -> bool:
    """Whether a check failed because one of these errors had ended the student's own cell."""
    _, _, reason = verdict.message.partition(f"; your cell {verdict.exercise} failed before: ")
    return reason.startswith(errors)


def _lectures() -> dict[str, tuple[str, str]]:
    found = {}
    for problem_set, stem in TAUGHT_IN.items():
        path = LECTURES / f"{stem}.ipynb"
        if path.is_file():
            title = notebooks.headings(notebooks.read(path).cells[0])[0]
            found[problem_set] = (f"Lecture {stem[:2]}: {title}", f"lectures/{path.name}")
    return found


def _dask_executor(address: str) -> Callable[[], Executor]:
    def connect() -> Executor:
        from distributed import Client

        try:
            return Client(address, timeout="10s").get_executor()
        except OSError as error:
            raise CourseError(f"No Dask scheduler answers at {address}: start one with `dask scheduler`.") from error

    return connect
