"""A course with one small problem set that needs NumPy only, so that a sandbox for it starts in half a second."""

import contextlib
import copy
import functools
import io
import os
import pathlib
import shutil
import sys
import tempfile
from typing import Any

import nbformat
import pytest
from made_course import marked
from nbformat import v4
from rich.console import Console

from course.paths import ROOT
from course.release import release
from grading.isolation import Limits, best_isolation
from grading.judge import Judge, Judgement
from grading.problem_set import ProblemSet, load_problem_set
from grading.sandbox import Sandbox

NAME = "ps1_small"
MODULES = ("numpy", "utils.checks")
LIMITS = Limits(cell=2, total=10, memory=512 * 2**20, processes=40, file=16 * 2**20)
level, reason = best_isolation()
needs_sandbox = pytest.mark.skipif(level == "process", reason=f"no sandbox: {reason}")

SETUP = "import numpy as np"
GIVEN = '''def scaled_mean(values, factor):
    """The mean of scaled values; locked, and used by checks."""
    return float(np.mean(scale(values, factor)))'''

SOLUTIONS = {
    "scale": '''def scale(values, factor):
    """Multiply an array by a factor that is not negative."""
    ### BEGIN SOLUTION
    if factor < 0:
        raise ValueError(f"factor must not be negative, got {factor}")
    return np.asarray(values) * factor
    ### END SOLUTION''',
    "countdown": '''def countdown(start):
    """Yield start, start - 1, ..., 1."""
    ### BEGIN SOLUTION
    while start:
        yield start
        start -= 1
    ### END SOLUTION''',
    "batches": '''class Batches:
    """Rows of an array, `size` at a time: an iterator with a length."""
    ### BEGIN SOLUTION

    def __init__(self, rows, size):
        self.rows, self.size, self.place = rows, size, 0

    def __len__(self):
        return -(-len(self.rows) // self.size)

    def __iter__(self):
        return self

    def __next__(self):
        if self.place >= len(self.rows):
            raise StopIteration
        self.place += self.size
        return self.rows[self.place - self.size : self.place]
    ### END SOLUTION''',
    "twice": '''def twice(function, value):
    """Apply a function to a value, and again to what comes out."""
    ### BEGIN SOLUTION
    return function(function(value))
    ### END SOLUTION''',
    "shuffle": '''def shuffle(rows, rng):
    """Shuffle a list in place with a numpy.random.Generator; return nothing."""
    ### BEGIN SOLUTION
    rng.shuffle(rows)
    ### END SOLUTION''',
}
CHECKS = {
    "scale_values": (
        3,
        """# Each number is multiplied.
import numpy as np

from utils.checks import expect_close

expect_close(scale(np.array([1.0, 2.0]), 3.0), [3.0, 6.0], "multiply each number")
### BEGIN HIDDEN TESTS
hidden_rows = np.random.default_rng(11).normal(size=(3, 4)) + 31.25
halves = hidden_rows * 0.5  # before the call, which may change its argument
np.testing.assert_allclose(scale(hidden_rows, 0.5), halves)
### END HIDDEN TESTS""",
    ),
    "scale_error": (
        2,
        """# A negative factor is refused.
import numpy as np

from utils.checks import expect_raises

expect_raises(scale, np.ones(2), -1.0, hint="a negative factor is refused", mentions="factor")
### BEGIN HIDDEN TESTS
expect_raises(lambda: scale(values=np.ones(2), factor=-71.5), hint="by its name, too", mentions="-71.5")
### END HIDDEN TESTS""",
    ),
    "scale_given": (
        1,
        """# The locked function works with yours.
assert scaled_mean([1.0, 3.0], 2.0) == 4.0, "the mean of 2 and 6 is 4"
### BEGIN HIDDEN TESTS
assert scaled_mean([41.0, 43.0], 2.0) == 84.0
### END HIDDEN TESTS""",
    ),
    "countdown_numbers": (
        3,
        """# The numbers come from the largest to 1.
assert list(countdown(3)) == [3, 2, 1], "from start to 1"
### BEGIN HIDDEN TESTS
assert list(countdown(17)) == list(range(17, 0, -1))
assert list(countdown(0)) == [], "nothing for 0"
### END HIDDEN TESTS""",
    ),
    "batches_rows": (
        3,
        """# All rows come, in batches.
import numpy as np

from utils.checks import expect_close, expect_equal

found = list(Batches(np.arange(10).reshape(5, 2), 2))
expect_equal([len(batch) for batch in found], [2, 2, 1], "the last batch may be short")
### BEGIN HIDDEN TESTS
rows = np.random.default_rng(12).normal(size=(7, 3))
expect_close(np.concatenate(list(Batches(rows.copy(), 3))), rows, "every row once, in order")
### END HIDDEN TESTS""",
    ),
    "batches_length": (
        2,
        """# The length is the number of batches.
import numpy as np

assert len(Batches(np.zeros((5, 2)), 2)) == 3, "round up"
### BEGIN HIDDEN TESTS
assert [len(Batches(np.zeros((count, 1)), 4)) for count in (4, 5, 13)] == [1, 2, 4]
### END HIDDEN TESTS""",
    ),
    "twice_numbers": (
        3,
        """# The function is applied two times.
assert twice(lambda number: number + 3, 1) == 7, "1 + 3 + 3 is 7"
### BEGIN HIDDEN TESTS
seen = []
assert twice(lambda text: seen.append(text) or text + "q", "zebra") == "zebraqq"
assert seen == ["zebra", "zebraq"], "with the first result as the second input"
### END HIDDEN TESTS""",
    ),
    "shuffle_in_place": (
        3,
        """# The list itself is shuffled, and the generator moves on.
import numpy as np

rows, rng = list(range(20)), np.random.default_rng(5)
expected, reference = list(range(20)), np.random.default_rng(5)
reference.shuffle(expected)
shuffle(rows, rng)
assert rows == expected, "rng.shuffle does it"
### BEGIN HIDDEN TESTS
assert rng.integers(10**9) == reference.integers(10**9), "one call of the generator only"
### END HIDDEN TESTS""",
    ),
}
POINTS = float(sum(points for points, _ in CHECKS.values()))


def write_source(root: pathlib.Path) -> pathlib.Path:
    """Write the instructor's notebook."""
    cells = [v4.new_markdown_cell("# A small problem set", id="intro"), v4.new_code_cell(SETUP, id="setup")]
    for number, (name, source) in enumerate(SOLUTIONS.items(), start=1):
        cells.append(v4.new_markdown_cell(f"## Exercise {number}: {name} (some points)", id=f"heading-{name}"))
        cells.append(marked(v4.new_code_cell(source), name, solution=True))
        if name == "scale":
            cells.append(marked(v4.new_code_cell(GIVEN), "given", locked=True))
        for check, (points, test) in CHECKS.items():
            if check.startswith(f"{name}_"):
                cells.append(marked(v4.new_code_cell(test), check, grade=True, locked=True, points=points))
    cells.append(marked(v4.new_markdown_cell("Why?"), "why", grade=True, solution=True, points=2))
    source = root / "solutions" / NAME / f"{NAME}.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(v4.new_notebook(cells=cells), source)
    return source


def make_course(root: pathlib.Path) -> pathlib.Path:
    """Write the problem set into an empty folder and release it."""
    shutil.copy(ROOT / "nbgrader_config.py", root)
    write_source(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        release([NAME], False, Console(file=io.StringIO()), root)
    return root


@functools.cache
def small_set() -> ProblemSet:
    """The problem set, released once for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        return load_problem_set(NAME, make_course(pathlib.Path(folder)))


def solutions() -> dict[str, str]:
    return dict(SOLUTIONS)


def hand_in(**answers: str) -> Any:
    """The released notebook with these sources in its cells; what is not named is blank."""
    notebook = copy.deepcopy(small_set().released)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return notebook


def judge(sandbox: Sandbox, **answers: str) -> Judgement:
    return Judge(small_set(), sandbox).judge(hand_in(**answers))


def points(judgement: Judgement) -> float:
    return sum(verdict.points for verdict in judgement.verdicts)


def outcomes(judgement: Judgement) -> dict[str, str]:
    return {verdict.check: verdict.outcome for verdict in judgement.verdicts}


@contextlib.contextmanager
def small_sandbox(limits: Limits = LIMITS, isolation: str = level) -> Any:
    with Sandbox(isolation, limits, MODULES) as sandbox:
        sandbox.wait()
        yield sandbox
