"""Grading takes the points that the harness of the problem sets takes, which agrees with stock nbgrader.

By default one answer of each exercise; with GRADE_ALL=1 in the environment all answers, in several minutes.
"""

import copy
import os
import pathlib
import sys

import pytest
from small_course import needs_sandbox

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "problem_sets"))

from harness import NAMES, ProblemSet

from grading.isolation import Limits, choose_isolation
from grading.judge import Judge
from grading.problem_set import load_problem_set
from grading.sandbox import Sandbox

pytestmark = [needs_sandbox, pytest.mark.filterwarnings("ignore")]
LIMITS = Limits(cell=120, total=600)  # a busy machine must not make the difference
TRIES = 10


def combinations():
    """The k-th right and the k-th wrong answer of every exercise, as one submission each."""
    for name in NAMES:
        tables = ProblemSet(name)
        for kind in ("right", "wrong"):
            longest = max(map(len, getattr(tables, kind).values()))
            # nbgrader is given the last right answers and the first wrong ones
            chosen = range(longest) if os.environ.get("GRADE_ALL") else [0 if kind == "right" else longest - 1]
            for number in chosen:
                yield pytest.param(name, kind, number, id=f"{name}-{kind}-{number}")


@pytest.fixture(scope="module")
def sandbox():
    modules = {module for name in NAMES for module in load_problem_set(name).notebook_modules()}
    with Sandbox(choose_isolation(None), LIMITS, tuple(sorted(modules))) as running:
        yield running


def failed(sandbox, name, answers):
    """The checks without points, of a submission with these answers."""
    problem_set = load_problem_set(name)
    notebook = copy.deepcopy(problem_set.released)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    verdicts = Judge(problem_set, sandbox).judge(notebook).verdicts
    assert len(verdicts) == len(problem_set.checks)
    assert not {verdict.outcome for verdict in verdicts} & {"crash", "timeout", "memory", "not run"}
    return {verdict.check for verdict in verdicts if verdict.points < verdict.possible}


@pytest.mark.parametrize(("name", "kind", "number"), list(combinations()))
def test_the_same_checks_take_points(sandbox, name, kind, number):
    tables = ProblemSet(name)
    chosen = {exercise: list(table.values()) for exercise, table in getattr(tables, kind).items()}
    chosen = {exercise: table[number % len(table)] for exercise, table in chosen.items()}
    answers = {exercise: answer if kind == "right" else answer[0] for exercise, answer in chosen.items()}
    got = failed(sandbox, name, answers)
    if kind == "right":
        assert not got
        return
    solutions = {exercise: cell.source for exercise, cell in tables.solutions().items()}
    for exercise, answer in answers.items():
        own = set(tables.checks(exercise))
        here, alone = got & own, {**solutions, exercise: answer}
        # its checks may use another exercise's answer: then alone, beside the solutions; and some mistakes cost a check
        # only with some of the hidden inputs, which each run draws anew
        for _ in range(TRIES):
            expected = set(tables.judge(exercise, answer))
            if here == expected:
                break
            here = failed(sandbox, name, alone) & own
        assert here == expected, exercise
