"""Grades all of a problem set's submissions: what changed since the last time, in parallel, each recorded at once."""

import collections
import hashlib
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from course.errors import CourseError
from course.paths import ROOT
from grading import audit, gradebook, records
from grading.isolation import PROCESS, Limits, choose_isolation
from grading.problem_set import ProblemSet, load_problem_set
from grading.records import Record
from grading.submissions import Submission, find_submissions
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
        CourseError: there is no such problem set, the gradebook does not know it, nothing was handed in, or no sandbox
            can be had.
        KeyboardInterrupt: on Ctrl-C; what was graded until then is recorded.
    """
    known = load_problem_set(problem_set, root)
    gradebook.require(problem_set, root)
    level = choose_isolation(isolation)
    submissions = find_submissions(problem_set, root, students)
    outcome = Outcome(notes=audit.recover(root))
    if level == PROCESS:
        console.print("[yellow]No sandbox:[/] what is graded runs with your own rights.")
    settings = {"isolation": level, "limits": limits or Limits(), "seed": seed, "root": root}
    jobs = _to_grade(known, submissions, settings, outcome, force)
    book = _Recorder(known, root, outcome)
    try:
        with _progress(console) as progress:
            task = progress.add_task(problem_set, total=len(submissions), failed=0)
            for graded in _run(jobs, make_executor or default_executor, outcome):
                book.keep(graded)
                failed = len(outcome.left) + sum(bool(record.fault) for record in outcome.records.values())
                progress.update(task, advance=1, failed=failed, total=len(submissions) - len(outcome.unchanged))
            progress.update(task, total=len(submissions) - len(outcome.unchanged))
    finally:
        book.commit()
    return outcome


def default_executor() -> Executor:
    """A process for each core."""
    import multiprocessing

    return ProcessPoolExecutor(max_workers=os.cpu_count(), mp_context=multiprocessing.get_context("spawn"))


# --- running --------------------------------------------------------------------------------------------------------


def _to_grade(
    known: ProblemSet, submissions: Iterable[Submission], settings: dict[str, Any], outcome: Outcome, force: bool
) -> Iterator[Job]:
    """Read the submissions one by one: a job for each that has no record yet, and a note of the others'."""
    newest = records.newest(records.read_all(known.name, settings["root"]))
    versions = environment()
    for submission in submissions:
        try:
            job = _job(known.name, submission, settings)
        except OSError as error:
            outcome.left[submission.student] = f"{submission.path} cannot be read: {error.strerror}"
            continue
        old = newest.get(submission.student)
        key = records.record_key(job.sha256, known.sha256, versions, job.seed)
        if old and old.key == key and old.received == submission.received and not force:
            outcome.records[submission.student] = old
            outcome.unchanged.append(submission.student)
        else:
            yield job


class _Waiting:
    """Jobs with the number of attempts at each: new ones, each made only when its turn comes, then those to repeat.

    A job holds a whole file, so that all of them together could fill the memory.
    """

    def __init__(self, jobs: Iterator[Job]) -> None:
        self.new = ((job, 0) for job in jobs)
        self.first: collections.deque[tuple[Job, int]] = collections.deque()
        self.last: collections.deque[tuple[Job, int]] = collections.deque()

    def __bool__(self) -> bool:
        if not self.first:
            self.first.extend(itertools.islice(self.new, 1))
        return bool(self.first or self.last)

    def take(self) -> tuple[Job, int]:
        return (self.first or self.last).popleft()


def _run(jobs: Iterator[Job], make_executor: Callable[[], Executor], outcome: Outcome) -> Iterator[Graded]:
    """Hand jobs to workers, again where a worker dies, and give back what they found."""
    waiting = _Waiting(jobs)
    while waiting:
        with make_executor() as executor:
            try:
                yield from _run_with(executor, waiting, outcome)
            except KeyboardInterrupt:
                executor.shutdown(wait=False, cancel_futures=True)
                raise


def _run_with(executor: Executor, waiting: _Waiting, outcome: Outcome) -> Iterator[Graded]:
    running: dict[Future, tuple[Job, int]] = {}
    most = AHEAD * (os.cpu_count() or 1) * 2
    broken = False
    while running or (waiting and not broken):
        while len(running) < most and not broken and waiting:
            job, attempts = waiting.take()
            # one that was there when workers died runs alone, so that it can take no other with it again
            if attempts and running:
                waiting.first.appendleft((job, attempts))
                break
            try:
                running[executor.submit(grade, job)] = (job, attempts)
            except BrokenExecutor:
                waiting.first.appendleft((job, attempts))
                broken = True
            if attempts:
                break
        done, _ = wait(running, return_when=FIRST_COMPLETED) if running else (set(), None)
        for future in done:
            job, attempts = running.pop(future)
            try:
                yield future.result()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                died = isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "CancelledError")
                broken = broken or isinstance(error, BrokenExecutor)
                if died and attempts + 1 < ATTEMPTS:
                    waiting.last.append((job, attempts + 1))
                else:
                    outcome.left[job.student] = f"{type(error).__name__}: {error}"[:300]


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
        self.committed: set[str] = set()

    def keep(self, graded: Graded) -> None:
        """Write a record and its line in the audit log."""
        path = records.write(graded.record, self.root, again=True)
        audit.append([path], self.root)
        self.outcome.records[graded.record.student] = graded.record
        self.notebooks[graded.record.student] = graded.notebook
        self.committed.discard(graded.record.student)
        if len(self.notebooks) >= self.GROUP:
            self.commit(self.notebooks)
            self.notebooks.clear()

    def commit(self, students: Iterable[str] | None = None) -> None:
        """Bring the gradebook to what the records say, of some students or of all who were not among them."""
        chosen = list(students or (student for student in self.outcome.records if student not in self.committed))
        done = gradebook.commit([self.outcome.records[student] for student in chosen], self.root, self.notebook_of)
        self.committed.update(chosen)
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
            seconds = task.finished_time or task.elapsed
            return Text(f"{60 * task.completed / seconds if seconds else 0:.0f} a minute")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), PerMinute())
    return Progress(
        *columns, TextColumn("{task.fields[failed]} cannot be graded"), TimeRemainingColumn(), console=console
    )
