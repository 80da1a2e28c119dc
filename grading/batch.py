"""Grades all of a problem set's submissions: what changed since the last time, in parallel, each recorded at once."""

import collections
import hashlib
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from course.errors import CourseError
from course.paths import ROOT
from grading import audit, hand_ins, records
from grading.isolation import PROCESS, Limits, choose_isolation
from grading.problem_set import ProblemSet, load_problem_set
from grading.records import Record
from grading.worker import Graded, Job, environment, grade, repaired

AHEAD = 2  # submissions that wait beside each one that is being graded
ATTEMPTS = 3  # times that a submission is handed to a worker, where workers die


@dataclass
class Outcome:
    """What came of a batch.

    Attributes:
        records: for each student the record that counts, new or old.
        unchanged: students whose record was there already.
        left: students whose submission could not be graded, with the reason; nothing is lost, grade again.
        notes: what was mended of an earlier run.
    """

    records: dict[str, Record] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Submission:
    """What counts of a student's hand-ins: a file in `submitted/`, or the reason why there is none.

    Attributes:
        student: whose it is.
        path: the notebook; of one that cannot be graded, what was handed in instead.
        received: ISO 8601 with a zone.
        fault: why it cannot be graded; empty where it can.
        notes: what was noted when it was taken in.
    """

    student: str
    path: pathlib.Path
    received: str
    fault: str = ""
    notes: tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        """The bytes of the notebook; none where there is no notebook."""
        return b"" if self.fault else self.path.read_bytes()


def grade_all(
    problem_set: str,
    console: Console,
    root: pathlib.Path = ROOT,
    *,
    students: tuple[str, ...] = (),
    force: bool = False,
    isolation: str | None = None,
    limits: Limits | None = None,
    seed: int = 42,
    make_executor: Callable[[], Executor] | None = None,
) -> Outcome:
    """Grade what was handed in for a problem set and has no record yet.

    Args:
        problem_set: its name.
        console: where progress is shown.
        root: the course folder; reads `submitted/`, writes `grades/`, `autograded/` and `gradebook.db`.
        students: only these; all where empty.
        force: grade again what has a record.
        isolation: a level by name; None for a sandbox.
        limits: what a submission may use.
        seed: of the student's process.
        make_executor: gives an executor whose workers see this code; by default a process for each core.

    Returns:
        What came of it.

    Raises:
        CourseError: there is no such problem set, nothing was handed in, or no sandbox can be had.
        KeyboardInterrupt: on Ctrl-C; what was graded until then is recorded.
    """
    known = load_problem_set(problem_set, root)
    level = choose_isolation(isolation)
    submissions = find_submissions(problem_set, root, students)
    outcome = Outcome(notes=audit.recover(root))
    newest = records.newest(records.read_all(problem_set, root))
    jobs: dict[str, tuple[Submission, int]] = {}
    for submission in submissions:
        sha256 = hashlib.sha256(submission.content).hexdigest()
        key = records.record_key(sha256, known.sha256, environment(), seed)
        old = newest.get(submission.student)
        if old and old.key == key and old.received == submission.received and not force:
            outcome.records[submission.student] = old
            outcome.unchanged.append(submission.student)
        else:
            jobs[submission.student] = (submission, 0)
    if level == PROCESS:
        console.print("[yellow]No sandbox:[/] what is graded runs with your own rights.")
    settings = {"isolation": level, "limits": limits or Limits(), "seed": seed, "root": root}
    book = _Recorder(known, root, outcome)
    try:
        with _progress(console) as progress:
            task = progress.add_task(problem_set, total=len(jobs), failed=0)
            for graded in _run(problem_set, jobs, settings, make_executor or default_executor, outcome):
                book.keep(graded)
                failed = len(outcome.left) + sum(bool(record.fault) for record in outcome.records.values())
                progress.update(task, advance=1, failed=failed)
    finally:
        book.commit()
    return outcome


def default_executor() -> Executor:
    """A process for each core."""
    import multiprocessing

    return ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=multiprocessing.get_context("spawn"))


def find_submissions(problem_set: str, root: pathlib.Path, students: tuple[str, ...] = ()) -> list[Submission]:
    """The notebooks in `submitted/STUDENT/psN/psN.ipynb`, nbgrader's own layout, and who has none that can be read.

    Raises:
        CourseError: there are none, or a student who was named has none.
    """
    paths = sorted((root / "submitted").glob(f"*/{problem_set}/{problem_set}.ipynb"))
    taken = {hand_in.student: hand_in for hand_in in hand_ins.counting(problem_set, root) if hand_in.student}
    notes = {name: hand_in.notes for name, hand_in in taken.items()}
    there = [path.parent.parent.name for path in paths]
    found = [Submission(name, path, _received(path), "", notes.get(name, ())) for name, path in zip(there, paths)]
    found += [
        Submission(name, hand_in.path, hand_in.received, hand_in.fault, hand_in.notes)
        for name, hand_in in sorted(taken.items())
        if hand_in.fault and name not in there
    ]
    missing = set(students) - {submission.student for submission in found}
    if missing:
        raise CourseError(f"Nothing was handed in for {problem_set} by {', '.join(sorted(missing))}.")
    chosen = [submission for submission in found if not students or submission.student in students]
    if not chosen:
        raise CourseError(
            f"Nothing was handed in for {problem_set}: `course collect {problem_set} FOLDER` takes hand-ins in, "
            f"or put each at submitted/STUDENT/{problem_set}/{problem_set}.ipynb."
        )
    return chosen


def _received(path: pathlib.Path) -> str:
    """When a file was handed in: what timestamp.txt says, else the file's own time."""
    stamp = path.parent / "timestamp.txt"
    if stamp.is_file():
        from dateutil.parser import ParserError, parse

        try:
            moment = parse(stamp.read_text().strip())
        except (ParserError, OverflowError) as error:
            raise CourseError(f"{stamp} holds no time ({error}): write it as 2026-01-31 12:00:00 UTC.") from None
        return (
            (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
        )
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="microseconds")


# --- running --------------------------------------------------------------------------------------------------------


def _run(
    problem_set: str,
    jobs: dict[str, tuple[Submission, int]],
    settings: dict[str, Any],
    make_executor: Callable[[], Executor],
    outcome: Outcome,
) -> Iterator[Graded]:
    """Hand submissions to workers, again where a worker dies, and give back what they found."""
    waiting = collections.deque(jobs.values())
    while waiting:
        with make_executor() as executor:
            try:
                yield from _run_with(executor, problem_set, waiting, settings, outcome)
            except KeyboardInterrupt:
                executor.shutdown(wait=False, cancel_futures=True)
                raise


def _run_with(
    executor: Executor, problem_set: str, waiting: collections.deque, settings: dict[str, Any], outcome: Outcome
) -> Iterator[Graded]:
    running: dict[Future, tuple[Submission, int]] = {}
    most = AHEAD * (os.cpu_count() or 1) * 2
    broken = False
    while running or (waiting and not broken):
        while waiting and len(running) < most and not broken:
            submission, attempts = waiting.popleft()
            # one that was there when workers died runs alone, so that it can take no other with it again
            if attempts and running:
                waiting.appendleft((submission, attempts))
                break
            try:
                running[executor.submit(grade, _job(problem_set, submission, settings))] = (submission, attempts)
            except BrokenExecutor:
                waiting.appendleft((submission, attempts))
                broken = True
            if attempts:
                break
        done, _ = wait(running, return_when=FIRST_COMPLETED) if running else (set(), None)
        for future in done:
            submission, attempts = running.pop(future)
            try:
                yield future.result()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                died = isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "CancelledError")
                broken = broken or isinstance(error, BrokenExecutor)
                if died and attempts + 1 < ATTEMPTS:
                    waiting.append((submission, attempts + 1))
                else:
                    outcome.left[submission.student] = f"{type(error).__name__}: {error}"[:300]


def _job(problem_set: str, submission: Submission, settings: dict[str, Any]) -> Job:
    content = submission.content
    sha256 = hashlib.sha256(content).hexdigest()
    of_student = (submission.student, content, sha256, submission.received, submission.fault, submission.notes)
    return Job(problem_set, *of_student, **settings)


# --- recording ------------------------------------------------------------------------------------------------------


class _Recorder:
    """The one writer: records at once, the gradebook in groups and at the end."""

    GROUP = 20  # records between two commits to the gradebook

    def __init__(self, known: ProblemSet, root: pathlib.Path, outcome: Outcome) -> None:
        self.known, self.root, self.outcome = known, root, outcome
        self.notebooks: dict[str, str] = {}

    def keep(self, graded: Graded) -> None:
        """Write a record and its line in the audit log."""
        path = records.write(graded.record, self.root, again=True)
        audit.append([path], self.root)
        self.outcome.records[graded.record.student] = graded.record
        self.notebooks[graded.record.student] = graded.notebook
        if len(self.notebooks) >= self.GROUP:
            self.commit(self.notebooks)
            self.notebooks.clear()

    def commit(self, students: Iterable[str] | None = None) -> None:
        """Bring the gradebook to what the records say, of some students or of all."""
        from grading import gradebook

        chosen = [self.outcome.records[student] for student in students or self.outcome.records]
        done = gradebook.commit(chosen, self.root, self.notebook_of)
        self.outcome.notes += [f"{one.student}: {note}" for one in done for note in one.notes]

    def notebook_of(self, record: Record) -> Any:
        """The repaired notebook of a record, None where the hand-in was none."""
        import nbformat

        text = self.notebooks.get(record.student)
        if text is not None:
            return nbformat.reads(text, as_version=4) if text else None
        path = self.root / "submitted" / record.student / self.known.name / f"{self.known.name}.ipynb"
        try:
            return repaired(path.read_bytes(), self.known).notebook
        except (CourseError, OSError):
            return None


def _progress(console: Console) -> Progress:
    from rich.progress import ProgressColumn, Text

    class PerMinute(ProgressColumn):
        """How many are graded in a minute."""

        def render(self, task: Any) -> Text:
            return Text(f"{60 * (task.finished_speed or task.speed or 0):.0f} a minute")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), PerMinute())
    return Progress(*columns, TextColumn("{task.fields[failed]} failed"), TimeRemainingColumn(), console=console)
