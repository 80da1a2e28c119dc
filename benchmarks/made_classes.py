"""Courses and hand-ins for measuring grading, made of the answers and the attacks that the tests try out."""

import copy
import io
import pathlib
import random
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import nbformat
from rich.console import Console

from course.exercises import marks_of
from course.paths import ROOT
from course.release import release
from grading.collect import take_in

sys.path.extend(str(ROOT / "tests" / name) for name in ("grading", "problem_sets", "attacks"))

import corruption
import harness
import small_course
from test_attacks import ATTACKS

SEED = 42
RIGHT_SHARE = 0.7  # of the answers of a student who does not have all of them right


@dataclass(frozen=True)
class HandIn:
    """One student's notebook.

    Attributes:
        student: whose it is.
        content: the file.
        kind: "honest", "broken", or the name of an attack.
        points: what it must get; None where nothing is promised of it.
    """

    student: str
    content: bytes
    kind: str = "honest"
    points: float | None = None


def make_course(folder: pathlib.Path, problem_sets: Iterable[str]) -> pathlib.Path:
    """Copy problem sets of the repository into an empty folder, and release them there."""
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    for name in ("utils", "data"):
        (folder / name).symlink_to(ROOT / name)
    for name in problem_sets:
        shutil.copytree(ROOT / "solutions" / name, folder / "solutions" / name)
    release((), False, Console(file=io.StringIO()), folder)
    return folder


def make_small_course(folder: pathlib.Path) -> pathlib.Path:
    """Make a course with one problem set, `small_course.NAME`, that needs nothing but NumPy."""
    return small_course.make_course(folder)


def collect(course: pathlib.Path, problem_set: str, hand_ins: Iterable[HandIn]) -> None:
    """Take hand-ins in, as `course collect` does from a folder for each student."""
    with tempfile.TemporaryDirectory() as source:
        for hand_in in hand_ins:
            folder = pathlib.Path(source) / hand_in.student
            folder.mkdir()
            (folder / f"{problem_set}.ipynb").write_bytes(hand_in.content)
        take_in(pathlib.Path(source), problem_set, course)


def mixed_class(course: pathlib.Path, problem_set: str, students: int, all_right: int = 5) -> list[HandIn]:
    """A class whose answers are drawn from the right and the wrong ones of a problem set's tests.

    Args:
        course: what `make_course` made.
        problem_set: its name.
        students: how many.
        all_right: each so-many-th student has right answers only.

    Returns:
        A hand-in for each; no two are the same file.
    """
    tables, rng = harness.ProblemSet(problem_set), random.Random(SEED)
    released = _released(course, problem_set)
    full = sum(tables.points().values())
    hand_ins = []
    for number in range(students):
        is_right = number % all_right == 0
        answers = {exercise: _draw(tables, exercise, 1 if is_right else RIGHT_SHARE, rng) for exercise in tables.right}
        student = f"student{number:04d}"
        content = _filled(released, student, answers | tables.written())
        hand_ins.append(HandIn(student, content, points=full if is_right else None))
    return hand_ins


def small_class(course: pathlib.Path, students: int, hostile: float = 0.0) -> list[HandIn]:
    """A class of the small course: each student has solved some of the exercises, and left the others blank.

    Args:
        course: what `make_small_course` made.
        students: how many.
        hostile: the share of them that attack the grader or hand in a damaged file, in turn.

    Returns:
        A hand-in for each; no two are the same file.
    """
    rng = random.Random(SEED)
    released = _released(course, small_course.NAME)
    odd = sorted(rng.sample(range(students), round(students * hostile)))
    attacks = iter(_spread(list(ATTACKS), (len(odd) + 1) // 2))
    hand_ins = []
    for number in range(students):
        student = f"student{number:04d}"
        solved = {name: source for name, source in small_course.solutions().items() if rng.random() < RIGHT_SHARE}
        content = _filled(released, student, solved)
        if number not in odd:
            hand_ins.append(HandIn(student, content, points=_small_points(solved)))
        elif odd.index(number) % 2:
            hand_ins.append(HandIn(student, corruption.corrupt(content, number), "broken"))
        else:
            attack = next(attacks)
            hand_ins.append(HandIn(student, _filled(released, student, ATTACKS[attack].cells), attack, 0.0))
    return hand_ins


def _draw(tables: Any, exercise: str, right_share: float, rng: random.Random) -> str:
    if rng.random() < right_share:
        return rng.choice([tables.solutions()[exercise].source, *tables.right[exercise].values()])
    return rng.choice([source for source, _, _ in tables.wrong[exercise].values()])


def _spread(names: list[str], count: int) -> list[str]:
    """So many of the names, from everywhere in the list; again from the beginning where there are too few."""
    return [names[number * max(len(names), count) // count % len(names)] for number in range(count)]


def _small_points(solved: Iterable[str]) -> float:
    return float(sum(points for check, (points, _) in small_course.CHECKS.items() if check.split("_")[0] in solved))


def _released(course: pathlib.Path, problem_set: str) -> Any:
    return nbformat.read(course / "assignments" / problem_set / f"{problem_set}.ipynb", as_version=4)


def _filled(released: Any, student: str, answers: dict[str, str]) -> bytes:
    notebook = copy.deepcopy(released)
    notebook.metadata["student"] = student  # else two students could hand in the same file
    for cell in notebook.cells:
        cell.source = answers.get(marks_of(cell).get("grade_id"), cell.source)
    return nbformat.writes(notebook).encode()
