"""`course grade` beside stock `nbgrader autograde`, each in one process, on hand-ins to the same problem set."""

import io
import pathlib

import pytest
from nbgrader.apps.api import NbGraderAPI
from rich.console import Console
from traitlets.config import PyFileConfigLoader

from benchmarks import made_classes
from benchmarks.comparison import faster
from benchmarks.grading_load import processes
from benchmarks.made_classes import small_course
from grading import gradebook
from grading.batch import grade_all
from grading.isolation import PROCESS, Limits, best_isolation
from grading.problem_set import load_problem_set
from grading.sandbox import Sandbox

SMALL, FROM_SCRATCH, SHAKESPEARE = small_course.NAME, "ps2_from_scratch", "ps3_shakespeare"
NAMES = {
    SMALL: "a trivial problem set",
    FROM_SCRATCH: "ps2, which imports TensorFlow",
    SHAKESPEARE: "ps3, which trains models with TensorFlow",
}
NBGRADER = "nbgrader autograde"
LEVEL, REASON = best_isolation()
pytestmark = [
    pytest.mark.skipif(LEVEL == PROCESS, reason=f"no sandbox: {REASON}"),
    pytest.mark.filterwarnings("ignore:Object of type <Submitted"),  # nbgrader's own
]


def make_class(folder: pathlib.Path, problem_set: str, students: int) -> dict[str, float]:
    """Make a course and collect hand-ins; returns the points that each student must get."""
    if problem_set == SMALL:
        course = made_classes.make_small_course(folder)
        hand_ins = made_classes.small_class(course, students)
    else:
        course = made_classes.make_course(folder, [problem_set])
        hand_ins = made_classes.mixed_class(course, problem_set, students, all_right=1)
    made_classes.collect(course, problem_set, hand_ins)
    return {hand_in.student: hand_in.points for hand_in in hand_ins}


def grade_with_ours(course: pathlib.Path, problem_set: str) -> None:
    grade_all(problem_set, Console(file=io.StringIO()), course, force=True, make_executor=lambda: processes(1))


def grade_with_nbgrader(course: pathlib.Path, problem_set: str) -> None:
    settings = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    result = NbGraderAPI(config=settings).autograde(problem_set, "*")
    assert result["success"], result


@pytest.mark.parametrize(
    ("problem_set", "goal", "students"),
    [(SMALL, 8, 100), (FROM_SCRATCH, 4, 100), (SHAKESPEARE, 4, 50)],
    ids=["trivial", "imports", "trains"],
)
@pytest.mark.parametrize("way", ["ours", NBGRADER])
def bench_hand_ins(side, small, tmp_path, way, problem_set, goal, students):
    if small and problem_set != SMALL:
        pytest.skip("imports TensorFlow three times")
    if way == NBGRADER:
        students //= 10  # it starts a kernel for each, so that one costs as much as the other
    students = 2 if small else students
    points = make_class(tmp_path, problem_set, students)
    what = f"grade a class's hand-ins to {NAMES[problem_set]} with one worker, all starts included"
    side.describe(what, way, faster(goal) if way == NBGRADER else None, units=students, of="hand-in")
    grade = grade_with_ours if way == "ours" else grade_with_nbgrader
    side.time(lambda: grade(tmp_path, problem_set), rounds=2, warmup_rounds=0)
    marks = gradebook.all_marks(problem_set, tmp_path)
    assert {student: mark.points for student, mark in marks.items()} == points


@pytest.mark.parametrize("problem_set", [SMALL, SHAKESPEARE], ids=["trivial", "trains"])
def bench_sandbox_start(side, small, problem_set):
    if small:
        pytest.skip("the other benchmark starts one")
    known = small_course.small_set() if problem_set == SMALL else load_problem_set(problem_set)

    def start():
        with Sandbox(LEVEL, Limits(), known.notebook_modules()) as sandbox:
            sandbox.wait()

    side.describe(f"of that, start the sandbox for {NAMES[problem_set]}, once", "ours")
    side.time(start, rounds=3)
