"""Notebooks that claim to be the instructor's: the checks that run, and their points, are those of the release."""

import json
import os

import pytest
from naming import ANSWER, ATTACKS, CHECK, LIKE_A_NAME, cell, named
from small_course import CHECKS, hand_in, level, points, small_sandbox, small_set, solutions

from course.exercises import marks_of
from grading.isolation import SANDBOX
from grading.judge import Judge
from grading.reading import parse
from grading.repair import repair


def plain(**answers):
    return json.loads(json.dumps(hand_in(**answers)))


def repaired(notebook, data=None):
    """The notebook as it is graded; the instructor's cells are in it as released, and no others have marks."""
    released = small_set().released
    found = repair(parse((data or json.dumps(notebook)).encode(), "eve.ipynb"), released)
    ours = {each.id: each for each in released.cells}
    places = [each for each in found.notebook.cells if each.id in ours]
    assert [each.id for each in places] == list(ours)
    for each in places:
        assert each.metadata == ours[each.id].metadata
        if marks_of(each) and not marks_of(each).get("solution"):
            assert each == ours[each.id]
    assert all(not each.metadata for each in found.notebook.cells if each.id not in ours)
    assert found.notebook.metadata == released.metadata
    assert not any(each.get("outputs") for each in found.notebook.cells)
    assert all(note.isascii() and note.isprintable() and len(note) < 1_500 for note in found.notes)
    return found


@pytest.fixture(scope="module")
def sandbox():
    small_set()  # released before the clock runs
    with small_sandbox() as running:
        yield running


@pytest.mark.skipif(level != SANDBOX, reason="attacks run only where each submission has a user of its own")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_claim_forges_no_points(sandbox, attack):
    notebook = plain()
    judgement = Judge(small_set(), sandbox).judge(repaired(notebook, attack(notebook)).notebook)
    assert points(judgement) == 0
    assert {verdict.check: verdict.possible for verdict in judgement.verdicts} == {
        name: float(worth) for name, (worth, _) in CHECKS.items()
    }
    assert not os.path.exists("/tmp/forged")


@pytest.mark.parametrize("place", ["grade_id", "id", "both"])
@pytest.mark.parametrize("kind", LIKE_A_NAME)
def test_a_name_like_a_checks_stands_for_no_check(kind, place):
    notebook, name = plain(), LIKE_A_NAME[kind]
    forged = cell("forged = 1", name)
    if place == "grade_id":
        forged["id"] = "own"
    elif place == "id":
        forged["metadata"] = {}
    position = notebook["cells"].index(named(notebook, CHECK))
    notebook["cells"][position] = forged
    found = repaired(notebook)
    own = [each for each in found.notebook.cells if each.source == "forged = 1"]
    assert len(own) == 1
    assert any("missing and were put back" in note and CHECK in note for note in found.notes)


@pytest.mark.parametrize("kind", LIKE_A_NAME)
def test_a_name_like_an_answers_does_not_hide_the_answer(kind):
    notebook = plain(**solutions())
    named(notebook, ANSWER)["metadata"]["nbgrader"]["grade_id"] = LIKE_A_NAME[kind]
    named(notebook, ANSWER)["id"] = LIKE_A_NAME[kind]
    found = repaired(notebook)
    (answer,) = [each for each in found.notebook.cells if each.id == ANSWER]
    assert answer.source == solutions()[ANSWER], "it is recognised by what it defines"


def test_each_attack_is_explained():
    assert len(ATTACKS) >= 15
    assert all(attack.__doc__.endswith(".") for attack in ATTACKS)
