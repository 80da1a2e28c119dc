"""Tries answers out on a problem set's checks, hidden ones included, in this process."""

import collections
import contextlib
import pathlib
from typing import Any

import nbformat
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRIED: dict[str, collections.Counter] = {}  # exercise -> how many right and wrong answers came out as they should


class ProblemSet:
    """A problem set whose exercises can be answered in other words."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = ROOT / "solutions" / name / f"{name}.ipynb"
        self.release = ROOT / "assignments" / name / f"{name}.ipynb"
        self.cells = nbformat.read(self.source, as_version=4).cells
        self._names = self._run_solution()

    def _run_solution(self) -> dict[str, Any]:
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
        names = dict(self._names)
        exec(compile(answer, "answer", "exec"), names)
        failed = {}
        for name, cell in self.checks(exercise).items():
            if only not in (None, name):
                continue
            try:
                exec(compile(cell.source, name, "exec"), dict(names))
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
        return failed


@pytest.fixture(scope="session")
def ps3() -> ProblemSet:
    return ProblemSet("ps3_shakespeare")


@pytest.fixture
def tried(request: pytest.FixtureRequest):
    """Counts an answer for the table at the end of the run; call it when the answer came out as it should."""

    def count(exercise: str, kind: str) -> None:
        TRIED.setdefault(exercise, collections.Counter())[kind] += 1

    return count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TRIED:
        terminalreporter.section("answers tried out on the checks")
        terminalreporter.line(f"{'exercise':<24}{'right accepted':>16}{'wrong rejected':>16}")
        for exercise, counts in TRIED.items():
            terminalreporter.line(f"{exercise:<24}{counts['right']:>16}{counts['wrong']:>16}")
