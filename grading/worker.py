"""Grades one submission, in whatever process an executor gives it. The sandbox is inside, kept for the next one."""

import atexit
import contextlib
import dataclasses
import importlib
import importlib.metadata
import os
import pathlib
import platform
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import utils.session  # noqa: F401  quiets TensorFlow before a check's module imports it beside the progress bar
from course import notebooks
from course.errors import CourseError
from grading.isolation import Limits
from grading.problem_set import ProblemSet, load_problem_set
from grading.records import Record, Verdict, record_key
from grading.sandbox import Sandbox, SandboxError

ATTEMPTS = 3  # how often a submission is judged where the sandbox, and not the submission, breaks
PACKAGES = ("tensorflow", "keras", "numpy", "jax")
_BUSY = threading.Lock()  # an executor with threads gives one process several jobs
_READY: dict[tuple, Sandbox] = {}


@dataclass(frozen=True)
class Job:
    """What a worker is given.

    Attributes:
        problem_set: its name.
        student: whose notebook it is.
        content: the file as handed in, of which nothing is known yet.
        sha256: of the content.
        received: when it was handed in, ISO 8601 with a zone.
        fault: why it cannot be graded, where that is known already.
        notes: what was noted when it was taken in.
        isolation: the level to grade with.
        limits: what the submission may use.
        seed: of NumPy and Keras in the student's process.
        root: the course folder, where solutions and assignments are.
    """

    problem_set: str
    student: str
    content: bytes
    sha256: str
    received: str
    fault: str
    notes: tuple[str, ...]
    isolation: str
    limits: Limits
    seed: int
    root: pathlib.Path


@dataclass(frozen=True)
class Graded:
    """What a worker gives back: the record, and the repaired notebook's JSON, empty where there is none."""

    record: Record
    notebook: str


def environment() -> dict[str, str]:
    """What the points of a submission may depend on beside itself and the checks."""
    versions = {"python": platform.python_version(), "backend": os.environ.get("KERAS_BACKEND", "tensorflow")}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {**versions, "platform": f"{platform.system()} {platform.machine()}"}


def grade(job: Job) -> Graded:
    """Repair a submission's notebook, run and judge it.

    Raises:
        SandboxError: the sandbox broke again and again.
    """
    problem_set = load_problem_set(job.problem_set, job.root)
    try:
        if job.fault:
            raise CourseError(job.fault)
        mended = repaired(job.content, problem_set)
    except CourseError as error:
        return Graded(_record(job, problem_set, job.notes, str(error), (), _nothing(problem_set, "not run")), "")
    with _BUSY:
        judgement = _judge(job, problem_set, mended.notebook)
    verdicts = (*judgement.verdicts, *_by_hand(problem_set, mended.notebook))
    notes = (*job.notes, *mended.notes, *judgement.notes)
    cells = tuple((cell.name, round(cell.seconds, 4), cell.outcome) for cell in judgement.cells)
    return Graded(_record(job, problem_set, notes, "", cells, verdicts), notebooks.as_text(mended.notebook))


def repaired(content: bytes, problem_set: ProblemSet) -> Any:
    """The hand-in in the order and with the checks of the release; CourseError where it is no notebook."""
    from grading.reading import parse
    from grading.repair import repair

    return repair(parse(content, f"{problem_set.name}.ipynb"), problem_set.released)


def _judge(job: Job, problem_set: ProblemSet, notebook: Any) -> Any:
    from grading.judge import Judge

    for attempt in range(1, ATTEMPTS + 1):
        sandbox = _sandbox(job, problem_set)
        try:
            return Judge(problem_set, sandbox, job.seed).judge(notebook)
        except SandboxError:
            _stop_all()
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("not reached")


def _sandbox(job: Job, problem_set: ProblemSet) -> Sandbox:
    """This process's sandbox, started at the first submission. The judge's own imports go on beside its."""
    key = (job.isolation, job.limits, problem_set.notebook_modules())
    if key not in _READY:
        _stop_all()
        _READY[key] = Sandbox(*key)
        _READY[key].start()
    for name in problem_set.check_modules():
        with contextlib.suppress(ImportError):  # a name in a module is none
            importlib.import_module(name)
    return _READY[key]


@atexit.register
def _stop_all() -> None:
    for sandbox in _READY.values():
        sandbox.stop()
    _READY.clear()


def _record(
    job: Job, problem_set: ProblemSet, notes: tuple, fault: str, cells: tuple, verdicts: tuple[Verdict, ...]
) -> Record:
    versions = environment()
    return Record(
        problem_set=job.problem_set,
        student=job.student,
        received=job.received,
        graded=datetime.now(UTC).isoformat(timespec="microseconds"),
        submission_sha256=job.sha256,
        release_sha256=problem_set.release_sha256,
        solution_sha256=problem_set.sha256,
        key=record_key(job.sha256, problem_set.sha256, versions, job.seed),
        environment=versions,
        seed=job.seed,
        limits=dataclasses.asdict(job.limits),
        isolation=job.isolation,
        notes=notes,
        fault=fault,
        cells=cells,
        verdicts=verdicts,
    )


def _by_hand(problem_set: ProblemSet, notebook: Any) -> tuple[Verdict, ...]:
    sources = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in notebook.cells}
    blank = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in problem_set.released.cells}
    verdicts = []
    for answer in problem_set.written:
        given = sources.get(answer.name, "").strip()
        empty = not given or given == blank.get(answer.name, "").strip()
        message = "no answer" if empty else "waits to be read"
        outcome = "not run" if empty else "by hand"
        verdicts.append(Verdict(answer.name, answer.name, answer.title, 0.0, answer.points, outcome, message, "", 0.0))
    return tuple(verdicts)


def _nothing(problem_set: ProblemSet, outcome: str) -> tuple[Verdict, ...]:
    """Verdicts of a submission that could not be run."""
    checks = tuple(
        Verdict(check.name, check.exercise, check.title, 0.0, check.points, outcome, "", check.expected, 0.0)
        for check in problem_set.checks.values()
    )
    written = (
        Verdict(answer.name, answer.name, answer.title, 0.0, answer.points, outcome, "", "", 0.0)
        for answer in problem_set.written
    )
    return (*checks, *written)
