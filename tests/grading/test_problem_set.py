"""A problem set as grading sees it: which lines of its checks students never get to see."""

import math

import pytest

from course.exercises import marks_of
from course.paths import SOLUTIONS
from grading.problem_set import Check, load_problem_set

NAMES = sorted(path.parent.name for path in SOLUTIONS.glob("*/*.ipynb"))
TWO_REGIONS = """seen = 1
### BEGIN HIDDEN TESTS
hidden = 2
### END HIDDEN TESTS
again = 3
    ### BEGIN HIDDEN TESTS
    more = 4
    ### END HIDDEN TESTS"""


def check_of(source):
    return Check("sum_one", "sum", "Exercise 1", 1.0, source, "", (), "", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_visible_part_of_each_check_is_what_is_released(name):
    problem_set = load_problem_set(name)
    released = {marks_of(cell).get("grade_id"): cell.source for cell in problem_set.released.cells}
    for check in problem_set.checks.values():
        visible = check.visible_part()
        assert visible.source.strip() == released[check.name].strip()
        assert visible.first_hidden == math.inf


def test_each_hidden_line_is_known():
    check = check_of(TWO_REGIONS)
    assert [line for line in range(1, 9) if check.is_hidden(line)] == [3, 4, 7, 8]
    assert check.first_hidden == 2
    assert check.visible_part().source == "seen = 1\nagain = 3"


def test_a_check_that_ended_before_its_first_line_ended_on_no_hidden_one():
    assert not check_of(TWO_REGIONS).is_hidden(0)


def test_a_check_may_hide_nothing():
    check = check_of("seen = 1")
    assert check.first_hidden == math.inf
    assert check.visible_part() == check
