"""A small clone of the course, in which `course grade` runs as a program of its own that a test can kill."""

import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import nbformat
from made_course import SOLUTION, handed_in, make_course

from course.paths import ROOT
from grading.isolation import PROCESS, best_isolation

RIGHT = SOLUTION.replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", "")
ANSWERS = {RIGHT: 5.0, "def add_one(number):\n    return min(number + 1, 10)": 2.0, "": 0.0}
LEVEL = [] if best_isolation()[0] != PROCESS else ["--isolation", PROCESS]


def make_clone(root: pathlib.Path) -> pathlib.Path:
    """Write a released course and the program that grades it into an empty folder."""
    make_course(root)
    for package in ("course", "grading", "utils", "data"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def submit_class(root: pathlib.Path, count: int, before: str = "") -> dict[str, float]:
    """Hand in notebooks of `count` students, and return the points that each must get.

    Args:
        root: the clone.
        count: how many there are.
        before: what each answer begins with, such as a pause.
    """
    expected = {}
    for number in range(count):
        answer, points = list(ANSWERS.items())[number % len(ANSWERS)]
        path = root / "submitted" / f"student{number:02d}" / "ps1" / "ps1.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(handed_in(root, add=f"{before}{answer}" or "pass"), path)
        (path.parent / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
        expected[path.parent.parent.name] = points
    return expected


def start(root: pathlib.Path, *command: str, **options: Any) -> subprocess.Popen:
    """Start a Python program in the clone, with a process group of its own."""
    environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"}
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def start_grading(root: pathlib.Path, *options: str) -> subprocess.Popen:
    """Start `course grade ps1`."""
    return start(root, "-m", "course", "grade", "ps1", *LEVEL, *options)


def grade(root: pathlib.Path, *options: str) -> str:
    """Run `course grade` to its end, and return what it printed."""
    process = start_grading(root, *options)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def recorded(root: pathlib.Path) -> list[pathlib.Path]:
    """The files of all records."""
    return sorted((root / "grades").glob("ps1/*/*.json"))
