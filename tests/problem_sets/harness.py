"""Tries answers out on a problem set's checks, hidden ones included, in this process or under nbgrader."""

import contextlib
import functools
import importlib
import io
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import nbformat
from nbgrader.api import Gradebook
from rich.console import Console

from course.release import release

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Two problem sets are graded at a time, beside the other tests: more threads would wait for each other.
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
NAMES = sorted(path.parent.name for path in (ROOT / "solutions").glob("*/*.ipynb"))


class ProblemSet:
    """A problem set whose exercises can be answered in other words.

    Attributes:
        right: exercise -> name of an answer in other words -> its source. All of them earn full marks.
        wrong: exercise -> name of a mistake -> (source, the check meant for it, what its message says).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        answers = importlib.import_module(f"answers.{name}")
        self.right, self.wrong = answers.RIGHT, answers.WRONG
        self.source = ROOT / "solutions" / name / f"{name}.ipynb"
        self.cells = nbformat.read(self.source, as_version=4).cells

    @functools.cached_property
    def _names(self) -> dict[str, Any]:
        """What the set-up, the imports and all solution cells define."""
        parameters = next(n for n, cell in enumerate(self.cells) if "parameters" in cell.metadata.get("tags", []))
        before = [cell for cell in self.cells[:parameters] if cell.cell_type == "code"]
        names: dict[str, Any] = {}
        with contextlib.chdir(self.source.parent):
            for cell in [*before, *self.solutions().values()]:
                exec(compile(cell.source, cell.id, "exec"), names)
        return names

    def solutions(self) -> dict[str, Any]:
        """The solution cells that hold code, by their grade_id."""
        return {
            cell.metadata.nbgrader.grade_id: cell
            for cell in self.cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution")
        }

    def given(self) -> list[Any]:
        """The cells whose code checks may call, and which grading restores: locked, and worth no points."""
        marks = [(cell, cell.metadata.get("nbgrader", {})) for cell in self.cells if cell.cell_type == "code"]
        return [cell for cell, mark in marks if mark.get("locked") and not mark["grade"]]

    def checks(self, exercise: str = "") -> dict[str, Any]:
        """The check cells, by their grade_id, of one exercise or of all."""
        return {
            cell.metadata.nbgrader.grade_id: cell
            for cell in self.cells
            if cell.cell_type == "code"
            and cell.metadata.get("nbgrader", {}).get("grade")
            and cell.metadata.nbgrader.grade_id.startswith(f"{exercise}_" if exercise else "")
        }

    def judge(self, exercise: str, answer: str, only: str | None = None) -> dict[str, str]:
        """Run an exercise's checks, or one of them, on an answer.

        Returns:
            dict from the checks that failed to their messages; empty where all passed.
        """
        checks = self.checks(exercise)
        return self._failures({exercise: answer}, {only: checks[only]} if only else checks)

    def judge_together(self, answers: dict[str, str]) -> dict[str, str]:
        """Run all checks on an answer to each exercise, which call each other as those of one student do.

        Returns:
            as `judge` does.
        """
        return self._failures(answers, self.checks())

    def _failures(self, answers: dict[str, str], checks: dict[str, Any]) -> dict[str, str]:
        names = dict(self._names)
        for exercise, answer in answers.items():
            exec(compile(answer, exercise, "exec"), names)
        for cell in self.given():  # after the answers, since it calls what the student has defined
            exec(compile(cell.source, cell.id, "exec"), names)
        failed = {}
        for name, cell in checks.items():
            try:
                exec(compile(cell.source, name, "exec"), dict(names))
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
        return failed

    def points(self) -> dict[str, float]:
        """What each check is worth."""
        return {name: cell.metadata.nbgrader.points for name, cell in self.checks().items()}

    def written(self) -> dict[str, str]:
        """The model answers of the questions that are graded by hand."""
        return {
            cell.metadata.nbgrader.grade_id: cell.source
            for cell in self.cells
            if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("grade")
        }

    def hand_in(self, folder: pathlib.Path, handed_in: dict[str, dict[str, str]]) -> None:
        """Release the problem set and hand in answers to it, all in a folder of its own.

        Args:
            folder: an empty folder.
            handed_in: for each student the sources of the cells that are not as released, by their grade_id.
        """
        for name in ("nbgrader_config.py", "utils", "data"):
            (folder / name).symlink_to(ROOT / name)
        shutil.copytree(self.source.parent, folder / "solutions" / self.name)
        release([self.name], False, Console(file=io.StringIO()), folder)
        for student, answers in handed_in.items():
            notebook = nbformat.read(folder / "assignments" / self.name / f"{self.name}.ipynb", as_version=4)
            for cell in notebook.cells:
                cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
            target = folder / "submitted" / student / self.name / f"{self.name}.ipynb"
            target.parent.mkdir(parents=True)
            nbformat.write(notebook, target)

    def autograde(self, folder: pathlib.Path) -> dict[str, dict[str, float | None]]:
        """Let nbgrader grade what was handed in.

        Returns:
            For each student the points of the graded cells; None where they wait to be graded by hand.
        """
        # the configuration is a link, and so names the repository as the root
        command = [sys.executable, "-m", "nbgrader", "autograde", self.name, f"--CourseDirectory.root={folder}"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
        assert run.returncode == 0, run.stderr
        with Gradebook(f"sqlite:///{folder}/gradebook.db", "sequence-models") as gradebook:
            return {
                submission.student.id: {
                    grade.name: None if grade.needs_manual_grade else grade.score
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                }
                for submission in gradebook.assignment_submissions(self.name)
            }
