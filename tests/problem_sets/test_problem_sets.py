"""The checks of a problem set accept right answers in other words, and reject wrong ones with a message that fits.

The answers are in `answers/`, one module a problem set. With GRADE_ALL=1 in the environment nbgrader grades each
solution and each untouched release ten times instead of once: hidden inputs and first weights differ from run to run.
"""

import os
import re

import pytest
from harness import NAMES, ProblemSet

from course.exercises import find_exercises, points_of

SETS = {name: ProblemSet(name) for name in NAMES}
RUNS = range(10 if os.environ.get("GRADE_ALL") else 1)
each_set = pytest.mark.parametrize("problem_set", SETS.values(), ids=SETS)


def each_answer(kind):
    """Parametrise over the problem sets' right or wrong answers."""
    answers = [
        pytest.param(problem_set, exercise, name, id=f"{problem_set.name}-{exercise}-{name}")
        for problem_set in SETS.values()
        for exercise, table in getattr(problem_set, kind).items()
        for name in table
    ]
    return pytest.mark.parametrize(("problem_set", "exercise", "name"), answers)


@each_set
def test_every_exercise_has_answers_to_try(problem_set):
    assert set(problem_set.solutions()) == set(problem_set.right) == set(problem_set.wrong)
    assert len(problem_set.solutions()) >= 5
    assert all(len(answers) >= 2 for answers in problem_set.right.values())
    assert all(len(answers) >= 5 for answers in problem_set.wrong.values())


@each_set
def test_every_check_has_a_mistake_meant_for_it(problem_set):
    meant = {check for answers in problem_set.wrong.values() for _, check, _ in answers.values()}
    assert meant == set(problem_set.checks())


@each_set
def test_the_solution_earns_full_marks(problem_set):
    for exercise, cell in problem_set.solutions().items():
        assert problem_set.judge(exercise, cell.source) == {}


@each_answer("right")
def test_a_right_answer_earns_full_marks(problem_set, exercise, name, tried):
    assert problem_set.judge(exercise, problem_set.right[exercise][name]) == {}
    tried(f"{problem_set.name[:3]} {exercise}", "right")


@pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")  # NaN is the mistake of some
@each_answer("wrong")
def test_a_wrong_answer_loses_marks_where_it_should(problem_set, exercise, name, tried):
    answer, check, message = problem_set.wrong[exercise][name]
    failed = problem_set.judge(exercise, answer, only=check)
    assert check in failed, f"the check {check} accepts it"
    assert message in failed[check]
    tried(f"{problem_set.name[:3]} {exercise}", "wrong")


NOISE = """
import functools, sys


def noisy(function):
    @functools.wraps(function)
    def wrapped(*arguments, **options):
        print("a warning", file=sys.stderr)
        return function(*arguments, **options)

    return wrapped


{name} = noisy({name})
print("another", file=sys.stderr)
"""


def mistaken(problem_set):
    """The first wrong answer for each exercise: what these lose together does not hang on the inputs of the run."""
    return {exercise: next(iter(answers.values()))[0] for exercise, answers in problem_set.wrong.items()}


def in_other_words(problem_set):
    """The last right answer for each exercise, which writes to standard error."""
    names = {
        exercise: re.search(r"^def (\w+)", cell.source, re.MULTILINE)[1]
        for exercise, cell in problem_set.solutions().items()
    }
    return {
        exercise: list(answers.values())[-1] + NOISE.format(name=names[exercise])
        for exercise, answers in problem_set.right.items()
    }


def submissions(problem_set):
    solution = {name: cell.source for name, cell in problem_set.solutions().items()}
    return {
        **{f"solution_{run}": {**solution, **problem_set.written()} for run in RUNS},
        "other_words": in_other_words(problem_set),
        "mistaken": mistaken(problem_set),
        **{f"untouched_{run}": {} for run in RUNS},
    }


@pytest.fixture
def grades(problem_set, nbgrader_runs):
    return nbgrader_runs[problem_set.name].result()


@each_set
def test_nbgrader_gives_the_solution_full_marks(problem_set, grades):
    for run in RUNS:
        assert grades[f"solution_{run}"] == {**problem_set.points(), **dict.fromkeys(problem_set.written())}


@each_set
def test_nbgrader_gives_right_answers_that_write_to_stderr_full_marks(problem_set, grades):
    assert grades["other_words"] == {**problem_set.points(), **dict.fromkeys(problem_set.written(), 0)}


@each_set
def test_nbgrader_gives_the_untouched_release_nothing(problem_set, grades):
    for run in RUNS:
        assert set(grades[f"untouched_{run}"].values()) == {0}


@each_set
def test_nbgrader_takes_the_same_marks_as_the_harness(problem_set, grades):
    lost = {name for name in problem_set.checks() if grades["mistaken"][name] == 0}
    answers = mistaken(problem_set)
    assert lost == set(problem_set.judge_together(answers))
    assert len(lost) >= len(answers)


@each_set
@pytest.mark.filterwarnings("ignore:Non-integer input:DeprecationWarning")
@pytest.mark.parametrize("body", ["return None", "raise ValueError"])
def test_an_answer_that_does_nothing_earns_nothing(problem_set, body):
    for exercise, cell in problem_set.solutions().items():
        answer = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", body, cell.source, flags=re.DOTALL)
        assert set(problem_set.judge(exercise, answer)) == set(problem_set.checks(exercise))


@each_set
def test_points_add_up_to_100_beside_the_bonus_and_are_stated_in_the_table_and_the_headings(problem_set):
    exercises = find_exercises(problem_set)
    graded = [exercise.checks or [exercise.solution] for exercise in exercises]
    points = [sum(points_of(problem_set.cells[position]) for position in cells) for cells in graded]
    text = "\n".join(cell.source for cell in problem_set.cells)
    assert [int(number) for number in re.findall(r"### (?:Exercise|Bonus) \d.*\((\d+) points", text)] == points
    assert [int(number) for number in re.findall(r"\| (?:Exercise|Bonus) \d \|.*\| (\d+) \|", text)] == points
    bonus = sum(worth for exercise, worth in zip(exercises, points) if exercise.is_bonus)
    assert sum(points) - bonus == 100
    assert re.findall(r"(\d+) bonus points", text) == [str(bonus)] * bool(bonus)


@each_set
def test_each_check_begins_with_a_sentence_on_what_it_checks(problem_set):
    for name, cell in problem_set.checks().items():
        first = cell.source.splitlines()[0]
        assert re.fullmatch(r"# [A-Z].*\.", first), name


@each_set
def test_each_check_has_a_hidden_part(problem_set):
    for name, cell in problem_set.checks().items():
        assert cell.source.count("### BEGIN HIDDEN TESTS") == cell.source.count("### END HIDDEN TESTS") == 1, name
