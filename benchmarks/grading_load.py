"""Grades large made-up classes in one go: how long it takes, whether memory stays flat, and whether anything is lost.

python -m benchmarks.grading_load                               # as recorded: 100 students, 1,000 hand-ins, 3 % hostile
python -m benchmarks.grading_load --students 2 --synthetic 30   # shown only
"""

import dataclasses
import math
import multiprocessing
import pathlib
import platform
import statistics
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.table import Table

STUDENTS, SYNTHETIC, HOSTILE, WORKERS = 100, 1_000, 0.03, 2
# Before the first tenth is done, workers are still starting.
AFTER = {"10 %": (0.1, 0.2), "50 %": (0.45, 0.55), "100 %": (0.9, 1.0)}
FLAT = 0.1  # by which share memory may grow from the first of these to the last


class MemoryWatch:
    """Notes in a `with`, every few seconds, how many bytes this process and all below it use together.

    What they share counts once. Where this user may not look at a process, it counts as nothing.
    """

    def __init__(self, seconds: float = 2.0) -> None:
        self.samples: list[tuple[datetime, int]] = []
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(self._seconds):
            self._look()

    def _look(self) -> None:
        from grading.zygote import memory_in_use

        own = psutil.Process()
        numbers = [own.pid, *(child.pid for child in own.children(recursive=True))]
        self.samples.append((datetime.now(UTC), memory_in_use(numbers)))


@dataclasses.dataclass(frozen=True)
class Batch:
    """What came of a class.

    Attributes:
        what: what was graded.
        seconds: from the first to the last, starts included.
        graded: when each of them was.
        samples: moments and the memory in use then, in bytes.
        faults: a sentence on each hand-in that was lost or has other points than it must have.
    """

    what: str
    seconds: float
    graded: Sequence[datetime]
    samples: Sequence[tuple[datetime, int]]
    faults: Sequence[str]

    def memory(self, after: str) -> int:
        """Bytes that were in use after a share of the hand-ins, a name in AFTER: the median about then."""
        moments, last = sorted(self.graded), len(self.graded) - 1
        begin, end = (moments[math.floor(share * last)] for share in AFTER[after])
        within = [used for moment, used in self.samples if begin <= moment <= end]
        nearest = min(self.samples, key=lambda sample: abs(sample[0] - end))[1]
        return int(statistics.median(within or [nearest]))

    @property
    def is_flat(self) -> bool:
        """Whether memory did not grow while the class was graded."""
        return self.memory("100 %") <= (1 + FLAT) * self.memory("10 %")


def processes(count: int) -> ProcessPoolExecutor:
    """Workers as `course grade` has them, so many."""
    return ProcessPoolExecutor(max_workers=count, mp_context=multiprocessing.get_context("spawn"))


def grade_class(
    course: pathlib.Path, problem_set: str, hand_ins: Sequence[Any], workers: int, what: str = "", limits: Any = None
) -> Batch:
    """Collect a class's hand-ins, grade them as `course grade` does, and look at what is in the records and gradebook.

    Args:
        course: a course that knows the problem set.
        problem_set: its name.
        hand_ins: `made_classes.HandIn`s.
        workers: how many grade at a time.
        what: what the class is called; the problem set's name where empty.
        limits: what a submission may use.
    """
    from benchmarks import made_classes
    from grading import audit, gradebook
    from grading.batch import grade_all

    made_classes.collect(course, problem_set, hand_ins)
    begin = datetime.now(UTC)
    with MemoryWatch() as watch:
        outcome = grade_all(problem_set, Console(), course, limits=limits, make_executor=lambda: processes(workers))
    seconds = (datetime.now(UTC) - begin).total_seconds()
    marks = {student: mark.points for student, mark in gradebook.all_marks(problem_set, course).items()}
    faults = [*find_faults(hand_ins, outcome.records, marks, outcome.left), *audit.verify(course)]
    graded = [datetime.fromisoformat(record.graded) for record in outcome.records.values()]
    return Batch(what or problem_set, seconds, graded, watch.samples, faults)


def find_faults(
    hand_ins: Sequence[Any], records: Mapping[str, Any], marks: Mapping[str, float], left: Mapping[str, str]
) -> list[str]:
    """Compare what a class must get with its records and with the points in the gradebook.

    Args:
        hand_ins: `made_classes.HandIn`s.
        records: by student.
        marks: the gradebook's points, by student.
        left: why students were not graded.

    Returns:
        A sentence for each student whose hand-in was lost, or has other points.
    """
    faults = []
    for hand_in in hand_ins:
        who = f"{hand_in.student} ({hand_in.kind})"
        if hand_in.student not in records:
            faults.append(f"{who} has no record ({left.get(hand_in.student, 'no reason is known')})")
        elif hand_in.student not in marks:
            faults.append(f"{who} is not in the gradebook")
        elif marks[hand_in.student] != records[hand_in.student].points:
            faults.append(f"{who} has {marks[hand_in.student]:g} points in the gradebook and others in the record")
        elif hand_in.points not in (None, marks[hand_in.student]):
            checks = [verdict for verdict in records[hand_in.student].verdicts if not verdict.is_written]
            lost = ", ".join(f"{check.check} {check.outcome}" for check in checks if check.points < check.possible)
            faults.append(
                f"{who} has {marks[hand_in.student]:g} points instead of {hand_in.points:g}; short of them: {lost}"
            )
    return faults


def grade_students(students: int, workers: int) -> list[Batch]:
    """Grade so many students' right and wrong answers to each of the course's problem sets."""
    from benchmarks import made_classes
    from grading.isolation import Limits

    names = made_classes.harness.NAMES
    limits = Limits(cell=300, total=1_200)  # a busy machine must take no points
    with tempfile.TemporaryDirectory() as folder:
        course = made_classes.make_course(pathlib.Path(folder), names)
        classes = {name: made_classes.mixed_class(course, name, students) for name in names}
        return [grade_class(course, name, hand_ins, workers, limits=limits) for name, hand_ins in classes.items()]


def grade_synthetic(students: int, workers: int, hostile: float) -> Batch:
    """Grade so many hand-ins to a trivial problem set, a share of them hostile or broken.

    Raises:
        CourseError: this machine does not give each submission a user of its own, which attacks must have.
    """
    from benchmarks import made_classes
    from grading.isolation import SANDBOX, choose_isolation

    choose_isolation(SANDBOX)
    small = made_classes.small_course
    limits = dataclasses.replace(small.LIMITS, cell=10, total=60)  # honest ones need little, even on a busy machine
    with tempfile.TemporaryDirectory() as folder:
        course = made_classes.make_small_course(pathlib.Path(folder))
        hand_ins = made_classes.small_class(course, students, hostile)
        what = f"a trivial problem set, {hostile:.0%} hostile or broken"
        return grade_class(course, small.NAME, hand_ins, workers, what, limits)


def as_table(batches: Sequence[Batch]) -> Table:
    """What is printed of batches."""
    table = Table(
        "graded", "hand-ins", "seconds", "per minute", *(f"MB after {name}" for name in AFTER), "flat", "faults"
    )
    for batch in batches:
        count = len(batch.graded)
        numbers = [count, batch.seconds, 60 * count / batch.seconds, *(batch.memory(name) / 1e6 for name in AFTER)]
        flat = "yes" if batch.is_flat else "no"
        table.add_row(batch.what, *(f"{number:,.0f}" for number in numbers), flat, str(len(batch.faults)))
    return table


def comparisons(batches: Sequence[Batch], workers: int) -> list[dict[str, Any]]:
    """What is recorded of batches, in the form of `results`."""
    from benchmarks.comparison import at_most_slower

    rows = []
    for batch in batches:
        what = f"{len(batch.graded):,} hand-ins to {batch.what}"
        time = {"way": "ours", "value": batch.seconds / len(batch.graded), "unit": "s", "of": "hand-in"}
        last, *earlier = ({"way": name, "value": batch.memory(name), "unit": "B"} for name in reversed(AFTER))
        memory = [last | {"way": "ours"}, *(entry | {"way": f"after {entry['way']} of them"} for entry in earlier)]
        memory[-1]["goal"] = at_most_slower(FLAT)
        none = {"text": "none", "value_at_most": 0}
        faults = {"way": "ours", "value": len(batch.faults), "unit": "", "goal": none}
        rows += [
            {"what": f"grade {what}, {workers} workers", "entries": [time]},
            {"what": f"memory of all processes together at the end of {what}", "entries": memory},
            {"what": f"lost, or with other points than they must have, of {what}", "entries": [faults]},
        ]
    return rows


def write(batches: Sequence[Batch], workers: int) -> pathlib.Path:
    """Record batches beside the other results."""
    from pytest_benchmark.plugin import pytest_benchmark_generate_machine_info

    from benchmarks import conftest, results

    machine = pytest_benchmark_generate_machine_info()
    conftest.pytest_benchmark_update_machine_info(machine)
    path = results.FOLDER / f"{platform.system().lower()}-{machine['cores']}-cores-grading.json"
    about = {"title": "Grading large classes", "machine": machine, "date": datetime.now(UTC).date().isoformat()}
    results.write({**about, "comparisons": comparisons(batches, workers)}, path)
    return path


def main(
    students: Annotated[int, typer.Option(min=0, help="Students who hand in all problem sets.")] = STUDENTS,
    synthetic: Annotated[int, typer.Option(min=0, help="Hand-ins to a trivial problem set.")] = SYNTHETIC,
    hostile: Annotated[float, typer.Option(min=0, max=1, help="Share of these that are hostile or broken.")] = HOSTILE,
    workers: Annotated[int, typer.Option(min=1, help="How many are graded at a time.")] = WORKERS,
) -> None:
    """Grade large made-up classes; what they give is recorded only where no option is named."""
    from course.cli import plain_errors

    with plain_errors():
        batches = grade_students(students, workers) if students else []
        batches += [grade_synthetic(synthetic, workers, hostile)] if synthetic else []
    console = Console(width=max(120, Console().width))
    console.print(as_table(batches))
    for fault in [fault for batch in batches for fault in batch.faults]:
        console.print(fault, markup=False, style="red")
    if (students, synthetic, hostile, workers) == (STUDENTS, SYNTHETIC, HOSTILE, WORKERS):
        console.print(f"Written to benchmarks/results/{write(batches, workers).name} and README.md there.")
    raise typer.Exit(int(any(batch.faults for batch in batches)))


if __name__ == "__main__":
    typer.run(main)
