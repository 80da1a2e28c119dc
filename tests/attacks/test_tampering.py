"""Tampering with what grading has written: it is seen by the log, or mended or told by the next grading."""

import shutil

import pytest
from made_course import handed_in, make_course
from made_records import make_record, with_points
from tampering import MENDED, SEEN, SEEN_BY_A_KEPT_HASH, TOLD

from course.errors import CourseError
from grading import audit, gradebook, records

WRONG = {"add_small": 0, "add_large": 0}
STUDENTS = (make_record("ada"), with_points(make_record("eve"), WRONG), make_record("good"))


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("released"))


def commit(course):
    answers = {"ada": "It counts.", "eve": "I do not know.", "good": "It adds."}
    return gradebook.commit(STUDENTS, course, lambda record: handed_in(course, why=answers[record.student]))


@pytest.fixture
def course(released, tmp_path):
    """A course in which three were graded, eve with 0 points."""
    course = shutil.copytree(released, tmp_path / "course")
    audit.append([records.write(record, course) for record in STUDENTS], course)
    commit(course)
    assert audit.verify(course) == []
    return course


def marks(course):
    return gradebook.all_marks("ps1", course)


def shown(course):
    return {path: path.read_bytes() for path in course.glob("autograded/*/ps1/ps1.ipynb")}


@pytest.mark.parametrize("attack", SEEN, ids=lambda attack: attack.__name__)
def test_the_log_shows_it(course, attack):
    attack(course)
    assert audit.verify(course)


@pytest.mark.parametrize("attack", SEEN_BY_A_KEPT_HASH, ids=lambda attack: attack.__name__)
def test_only_a_kept_hash_shows_it(course, attack):
    _, kept = audit.last(course)
    attack(course)
    assert audit.verify(course) == [], "this much a log cannot know of itself"
    assert audit.verify(course, kept)


@pytest.mark.parametrize("attack", MENDED, ids=lambda attack: attack.__name__)
def test_the_next_grading_mends_it(course, attack):
    before = marks(course), shown(course)
    assert marks(course)["eve"].points == 0
    attack(course)
    assert (marks(course), shown(course)) != before
    commit(course)
    assert (marks(course), shown(course)) == before


@pytest.mark.parametrize("attack", TOLD, ids=lambda attack: attack.__name__)
def test_the_next_grading_tells_it(course, attack):
    attack(course)
    try:
        told = " ".join(note for result in commit(course) for note in result.notes)
    except CourseError as error:
        told = str(error)
    assert TOLD[attack] in told


def test_each_attack_is_explained():
    assert all(attack.__doc__.endswith(".") for attack in (*SEEN, *SEEN_BY_A_KEPT_HASH, *MENDED, *TOLD))
