"""The gradebook: what nbgrader's own autograder would write, once for each student, whatever happens."""

import contextlib
import dataclasses
import datetime
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import filelock
import made_course
import nbformat
import pytest
from made_course import handed_in, make_course
from made_records import make_record, make_verdict, with_points
from nbformat import v4
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.utils import parse_utc
from traitlets.config import Config

from course.errors import CourseError
from grading import feedback, gradebook, records

RIGHT = "def add_one(number):\n    return number + 1"
ANSWER = "It counts."
ODD_NAMES = ["O'Neil", 'the "first"', "Zoë 李明", "Robert'); drop table grade;--", "-rf", "100%", "{x}", "a&b<c>"]


SCHEME = "2 points for a sum."


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    question = f"{made_course.QUESTION}\n\n=== BEGIN MARK SCHEME ===\n{SCHEME}\n=== END MARK SCHEME ==="
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made_course, "QUESTION", question)
        return make_course(tmp_path_factory.mktemp("released"))


@pytest.fixture
def course(tmp_path, released):
    shutil.copytree(released, tmp_path / "course")
    return tmp_path / "course"


def rows(course):
    """For each student: when it was received, and of each cell the scores, whether it waits, and the comment."""
    with Gradebook(f"sqlite:///{course}/gradebook.db", "sequence-models") as book:
        return {
            submission.student.id: (
                submission.timestamp.isoformat(),
                {
                    grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                    for grade in submission.notebooks[0].grades
                },
                {comment.name: comment.comment for comment in submission.notebooks[0].comments},
            )
            for submission in book.assignment_submissions("ps1")
        }


def mark(course, student, cell, points, comment=None):
    """What formgrader does when a person marks an answer."""
    with Gradebook(f"sqlite:///{course}/gradebook.db", "sequence-models") as book:
        grade = book.find_grade(cell, "ps1", "ps1", student)
        grade.manual_score, grade.needs_manual_grade = points, False
        if comment:
            book.find_comment(cell, "ps1", "ps1", student).manual_comment = comment
        book.db.commit()


def commit(course, *records, why=ANSWER, add=RIGHT):
    results = gradebook.commit(records, course, lambda record: handed_in(course, add=add, why=why))
    return {result.student: result.status for result in results}


def test_scores_stand_in_the_gradebook(course):
    record = with_points(make_record(), {"add_large": 1})
    assert commit(course, record) == {"ada": "added"}
    assert rows(course) == {
        "ada": (
            "2026-03-01T12:00:00",
            {"add_small": (2, None, False), "add_large": (1, None, False), "why": (None, None, True)},
            {"add": None, "why": None},
        )
    }


@pytest.mark.parametrize("blank", ["YOUR ANSWER HERE", "", " \n"])
def test_a_blank_answer_gets_nothing_and_waits_for_nobody(course, blank):
    commit(course, make_record(), why=blank)
    _, grades, comments = rows(course)["ada"]
    assert grades["why"] == (0, None, False)
    assert comments == {"add": None, "why": "No response."}


def test_the_gradebook_is_what_stock_nbgrader_would_write(course, released, tmp_path):
    cases = {"right": (RIGHT, ANSWER), "blank": (None, None), "wrong": ("def add_one(number):\n    return 4", ANSWER)}
    points = {"right": {}, "blank": {"add_small": 0, "add_large": 0}, "wrong": {"add_small": 0, "add_large": 0}}
    made = {
        name: handed_in(released, **{cell: source for cell, source in zip(("add", "why"), sources) if source})
        for name, sources in cases.items()
    }
    stock = tmp_path / "stock"
    shutil.copytree(released, stock)
    for name, notebook in made.items():
        folder = stock / "submitted" / name / "ps1"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "ps1.ipynb")
        (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    command = [sys.executable, "-m", "nbgrader", "autograde", "ps1", f"--CourseDirectory.root={stock}"]
    run = subprocess.run(command, cwd=stock, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    records = [with_points(make_record(name), points[name]) for name in cases]
    gradebook.commit(records, course, lambda record: made[record.student])
    assert rows(course) == rows(stock)
    ours, theirs = (
        nbformat.read(root / "autograded" / "blank" / "ps1" / "ps1.ipynb", 4).cells for root in (course, stock)
    )
    assert [cell.metadata.get("nbgrader") for cell in ours] == [cell.metadata.get("nbgrader") for cell in theirs]
    texts = [[cell.source for cell in cells if cell.cell_type == "markdown"] for cells in (ours, theirs)]
    assert texts[0] == texts[1]


def test_the_mark_scheme_stands_beside_the_answer_and_on_no_page_of_feedback(course):
    record = make_record(notes=(f"It says: {SCHEME}",))
    assert all(SCHEME not in cell.source for cell in handed_in(course).cells)
    commit(course, record)
    records.write(record, course)
    assert SCHEME in (course / "autograded" / "ada" / "ps1" / "ps1.ipynb").read_text()
    (page,) = feedback.write_all("ps1", course)
    assert SCHEME not in page.read_text()


def test_an_automatic_comment_is_no_persons(course):
    commit(course, make_record(), why="")
    assert rows(course)["ada"][2]["why"] == "No response."
    assert gradebook.all_marks("ps1", course)["ada"].comments == {}
    mark(course, "ada", "why", 0, "Please try.")
    assert gradebook.all_marks("ps1", course)["ada"].comments == {"why": "Please try."}


def test_doing_it_again_changes_nothing(course):
    records = [make_record("ada"), make_record("bob"), make_record("bob", 2)]
    assert commit(course, *records) == {"ada": "added", "bob": "added"}
    before = rows(course)
    assert commit(course, *records) == {"ada": "unchanged", "bob": "unchanged"}
    assert gradebook.commit(records, course)  # without notebooks nothing is lost either
    assert rows(course) == before


def test_what_was_committed_is_not_read_again(course):
    commit(course, make_record())
    (result,) = gradebook.commit([make_record()], course, lambda _: pytest.fail("it was asked for"))
    assert result.status == "unchanged"


@pytest.mark.parametrize("break_it", ["file", "score", "wait", "time"])
def test_what_was_lost_is_written_again(course, break_it):
    commit(course, make_record())
    before = rows(course)
    path = course / "autograded" / "ada" / "ps1" / "ps1.ipynb"
    notebook = path.read_bytes()
    if break_it == "file":
        path.write_bytes(notebook[:100])
    else:  # as after a backup was put back
        with Gradebook(f"sqlite:///{course}/gradebook.db", "sequence-models") as book:
            grade = book.find_grade("add_small", "ps1", "ps1", "ada")
            if break_it == "score":
                grade.auto_score = 1
            elif break_it == "wait":
                grade.needs_manual_grade = True
            else:
                book.find_submission("ps1", "ada").timestamp -= datetime.timedelta(days=1)
            book.db.commit()
    assert commit(course, make_record()) == {"ada": "unchanged" if break_it == "file" else "changed"}
    assert rows(course) == before
    assert path.read_bytes() == notebook


def test_times_are_in_utc(course):
    commit(course, make_record(received="2026-03-01T14:00:00.500000+02:00"))
    assert rows(course)["ada"][0] == "2026-03-01T12:00:00.500000"
    stamp = (course / "autograded" / "ada" / "ps1" / "timestamp.txt").read_text()
    assert parse_utc(stamp.strip()) == datetime.datetime(2026, 3, 1, 12, 0, 0, 500_000)


def test_a_later_hand_in_replaces_an_earlier_one_and_not_the_other_way_round(course):
    commit(course, with_points(make_record(day=1), {"add_small": 0}))
    assert commit(course, make_record(day=2)) == {"ada": "changed"}
    after = rows(course)
    assert after["ada"][1]["add_small"] == (2, None, False)
    assert commit(course, with_points(make_record(day=1), {"add_small": 0})) == {"ada": "older"}
    assert rows(course) == after


def test_the_order_of_records_does_not_matter(course):
    commit(course, make_record("bob", 2), with_points(make_record("bob", 1), {"add_small": 0}))
    assert rows(course)["bob"][0] == "2026-03-02T12:00:00"
    assert rows(course)["bob"][1]["add_small"] == (2, None, False)


def test_a_mark_by_hand_is_kept_while_the_answer_is_the_same(course):
    commit(course, make_record())
    mark(course, "ada", "why", 1.5, "Half of it.")
    commit(course, with_points(make_record(day=2), {"add_small": 0}))
    _, grades, comments = rows(course)["ada"]
    assert grades["why"] == (None, 1.5, False)
    assert comments["why"] == "Half of it."


def test_a_mark_by_hand_goes_when_the_answer_has_changed(course):
    commit(course, make_record())
    mark(course, "ada", "why", 1.5, "Half of it.")
    (result,) = gradebook.commit([make_record(day=2)], course, lambda _: handed_in(course, add=RIGHT, why="It is."))
    assert result.notes == ("why: the answer has changed, so its mark of 1.5 no longer counts.",)
    _, grades, comments = rows(course)["ada"]
    assert grades["why"] == (None, None, True)
    assert comments["why"] == "Half of it."


def test_a_commit_that_fails_changes_nothing_and_can_be_done_again(course):
    """Above all the earlier answer stays, which tells whether a mark by hand still counts."""
    commit(course, make_record())
    mark(course, "ada", "why", 1.5)
    before = rows(course)
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as book:
        book.execute("create trigger full before update on grade begin select raise(abort, 'disk full'); end")
    with pytest.raises(CourseError, match="disk full"):
        commit(course, make_record(day=2), why="It is.")
    assert rows(course) == before
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as book:
        book.execute("drop trigger full")
    assert commit(course, make_record(day=2), why="It is.") == {"ada": "changed"}
    assert rows(course)["ada"][1]["why"] == (None, None, True)


def test_what_stops_it_half_way_leaves_the_gradebook_as_it_was(course):
    commit(course, make_record())
    before = rows(course)
    with pytest.raises(KeyboardInterrupt):
        gradebook.commit([make_record(day=2), make_record("bob")], course, lambda _: _raise(KeyboardInterrupt))
    assert rows(course) == before


def _raise(error):
    raise error


def test_a_record_alone_says_nothing_of_an_answer(course):
    commit(course, make_record("ada"), make_record("bob"))
    commit(course, make_record("cem"), why="")
    mark(course, "ada", "why", 1.5)
    before = rows(course)
    gradebook.commit([make_record(name, day=2) for name in before], course)
    for name, (_, grades, comments) in rows(course).items():
        assert (grades, comments) == before[name][1:], name


def test_an_answer_replaces_a_blank_one_and_its_comment(course):
    commit(course, make_record(), why="")
    commit(course, make_record(day=2))
    _, grades, comments = rows(course)["ada"]
    assert grades["why"] == (None, None, True)
    assert comments["why"] is None


def test_a_mark_by_hand_waits_to_be_looked_at_where_the_earlier_answer_is_lost(course):
    commit(course, make_record())
    mark(course, "ada", "why", 1.5)
    shutil.rmtree(course / "autograded")
    commit(course, make_record(day=2))
    assert rows(course)["ada"][1]["why"] == (None, 1.5, True)


def test_a_mark_by_hand_survives_a_hand_in_that_cannot_be_read(course):
    commit(course, make_record())
    mark(course, "ada", "why", 1.5)
    gradebook.commit([make_record(day=2, fault="The file is no notebook.", verdicts=())], course)
    assert rows(course)["ada"][1] == {
        "add_small": (0, None, False),
        "add_large": (0, None, False),
        "why": (0, 1.5, True),  # and waits to be looked at
    }
    mark(course, "ada", "why", 1.5)
    gradebook.commit([make_record(day=2, fault="The file is no notebook.", verdicts=())], course)
    assert rows(course)["ada"][1]["why"] == (0, 1.5, False)  # once


def test_a_check_that_a_person_marked_waits_when_its_points_change(course):
    commit(course, make_record())
    mark(course, "ada", "add_large", 1)
    commit(course, make_record())
    assert rows(course)["ada"][1]["add_large"] == (3, 1, False)
    commit(course, make_record(day=2))
    assert rows(course)["ada"][1]["add_large"] == (3, 1, False)
    for day in (3, 4):  # until a person has looked at it
        commit(course, with_points(make_record(day=day), {"add_large": 0}))
        assert rows(course)["ada"][1]["add_large"] == (0, 1, True)
    (result,) = gradebook.commit(
        [with_points(make_record(day=4), {"add_large": 0})], course, lambda _: pytest.fail("it was asked for")
    )
    assert result.status == "unchanged"


def test_a_hand_in_that_could_not_be_read_gets_nothing(course):
    gradebook.commit([make_record(fault="The file is no notebook.", verdicts=())], course)
    assert rows(course)["ada"][1] == {name: (0, None, False) for name in ("add_small", "add_large", "why")}


def test_an_answer_counts_where_the_rest_could_not_be_run(course):
    commit(course, with_points(make_record(fault="The sandbox broke."), {"add_small": 0, "add_large": 0}))
    assert rows(course)["ada"][1] == {
        "add_small": (0, None, False),
        "add_large": (0, None, False),
        "why": (None, None, True),
    }


@pytest.mark.parametrize("changes", [{"fault": "The sandbox broke.", "verdicts": (make_verdict(),)}, {"verdicts": ()}])
def test_only_a_record_of_what_could_not_be_read_may_lack_checks(course, changes):
    assert commit(course, make_record(**changes)) == {"ada": "refused"}
    assert rows(course) == {}


def test_a_task_is_marked_by_hand(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db", "sequence-models") as book:
        book.add_task_cell("essay", "ps1", "ps1", max_score=4, cell_type="markdown")
    essay = make_verdict("essay", 0, 4, exercise="essay", outcome="by hand")
    record = make_record()
    assert commit(course, record) == {"ada": "refused"}
    record = dataclasses.replace(record, verdicts=(*record.verdicts, essay))
    assert commit(course, record) == {"ada": "added"}
    _, grades, comments = rows(course)["ada"]
    assert grades["essay"] == (None, None, True)
    assert comments.keys() == {"add", "why", "essay"}


def test_a_record_of_another_release_is_refused_and_the_others_go_on(course):
    changed = make_record("eve", verdicts=(make_verdict(points=5, possible=5),))
    results = gradebook.commit([changed, make_record("ada")], course)
    assert {result.student: result.status for result in results} == {"ada": "added", "eve": "refused"}
    assert "add_large, add_small, why" in next(result for result in results if result.student == "eve").notes[0]
    assert list(rows(course)) == ["ada"]


@pytest.mark.parametrize("student", ODD_NAMES)
def test_a_student_can_have_any_name(course, student):
    commit(course, make_record(student))
    commit(course, make_record(student))
    assert list(rows(course)) == [student]
    assert gradebook.all_marks("ps1", course)[student].points == 5


def test_all_of_nbgrader_goes_on_from_there(course):
    commit(course, *(make_record(name) for name in ODD_NAMES))
    mark(course, ODD_NAMES[0], "why", 2, "Yes.")
    submissions = NbGraderAPI(config=Config(CourseDirectory={"root": str(course)})).get_submissions("ps1")
    assert {entry["student"]: entry["score"] for entry in submissions if entry["autograded"]} == {
        name: 7 if name == ODD_NAMES[0] else 5 for name in ODD_NAMES
    }
    for arguments in (["export"], ["generate_feedback", "ps1"]):
        command = [sys.executable, "-m", "nbgrader", *arguments, f"--CourseDirectory.root={course}"]
        run = subprocess.run(command, cwd=course, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    assert "ps1,,2026-03-01 12:00:00,O'Neil,,,,7.0,0.0,7.0,7.0" in (course / "grades.csv").read_text()
    pages = {path.parent.parent.name: path.read_text() for path in course.glob("feedback/*/ps1/ps1.html")}
    assert pages.keys() == set(ODD_NAMES)
    assert "(Score: 7.0 / 7.0)" in pages[ODD_NAMES[0]]
    assert SCHEME in pages[ODD_NAMES[0]]  # which is why the guide says to hand out our own pages


def test_formgrader_shows_the_verdicts_and_nothing_that_runs(course):
    notebook = handed_in(course, add=RIGHT, why=ANSWER)
    evil = {"text/html": "<script>alert(1)</script>", "text/plain": "plain"}
    notebook.cells[1].outputs = [
        v4.new_output("display_data", evil),
        v4.new_output("display_data", {"application/javascript": "alert(1)"}),
    ]
    for name in ("add_small", "../../etc"):  # a second cell of a name, and one that is not in the problem set
        notebook.cells.append(v4.new_code_cell("'mine'", metadata={"nbgrader": {"grade_id": name, "grade": True}}))
    notebook.cells[2].metadata.nbgrader.points = 99
    gradebook.commit([with_points(make_record(), {"add_large": 0})], course, lambda record: notebook)
    text = (course / "autograded" / "ada" / "ps1" / "ps1.ipynb").read_text()
    assert "alert" not in text
    cells = nbformat.reads(text, 4).cells
    assert cells[1].outputs == [v4.new_output("display_data", {"text/plain": "plain"})]
    assert cells[2].outputs[0].text == "passed\n"
    assert cells[2].metadata.nbgrader.points == 2
    assert cells[3].outputs[0].evalue == "3 should become 4, got 3"
    assert [dict(cell.metadata) for cell in cells[-2:]] == [{}, {}]
    assert "mine" in text
    assert len(notebook.cells[1].outputs) == 2  # what was passed in is as it was


def test_marks_say_what_waits(course):
    commit(course, make_record())
    marks = gradebook.all_marks("ps1", course)["ada"]
    assert (marks.points, marks.waiting) == (5, True)
    assert marks.grades["why"] == gradebook.Mark(None, 2, False)
    mark(course, "ada", "why", 2, "Yes.")
    marks = gradebook.all_marks("ps1", course)["ada"]
    assert (marks.points, marks.waiting, marks.comments) == (7, False, {"why": "Yes."})
    assert marks.grades["why"] == gradebook.Mark(2, 2, True)
    commit(course, make_record(day=2), why="It is.")
    mark(course, "ada", "why", 1)
    shutil.rmtree(course / "autograded")
    commit(course, make_record(day=3))
    marks = gradebook.all_marks("ps1", course)["ada"]
    assert (marks.points, marks.waiting) == (6, False)  # to be looked at again, and until then the mark
    assert gradebook.all_marks("ps9", course) == {}
    assert gradebook.all_marks("ps1", course / "nowhere") == {}


def test_what_is_missing_is_said(course, tmp_path):
    with pytest.raises(CourseError, match="course release"):
        gradebook.commit([make_record()], tmp_path)
    with pytest.raises(CourseError, match="does not know ps9: run `course release ps9`"):
        gradebook.commit([make_record(problem_set="ps9")], course)
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as book, book:
        book.execute("delete from course")
    with pytest.raises(CourseError, match="does not know ps9"):
        gradebook.commit([make_record(problem_set="ps9")], course)
    (course / "gradebook.db").write_bytes(b"no database" * 1000)
    with pytest.raises(CourseError, match=r"gradebook\.db cannot be used"):
        gradebook.commit([make_record()], course)


def test_what_is_missing_is_said_before_the_work_begins(course, tmp_path):
    gradebook.require("ps1", course)
    with pytest.raises(CourseError, match="does not know ps9: run `course release ps9`"):
        gradebook.require("ps9", course)
    with pytest.raises(CourseError, match="course release"):
        gradebook.require("ps1", tmp_path)


def test_one_writer_at_a_time(course, monkeypatch):
    monkeypatch.setattr(gradebook, "_LOCK_TIMEOUT", 0.1)
    lock = filelock.FileLock(course / "gradebook.lock", is_singleton=False)
    with lock, pytest.raises(CourseError, match="Another grading"):
        gradebook.commit([make_record()], course)


def test_a_writer_killed_at_any_moment_leaves_each_submission_whole_or_not_there(course):
    """50 times: kill it, look, and let the next start finish. Nobody is there twice, or with half of the scores."""
    names = [f"student {number}" for number in range(6)]
    records = [with_points(make_record(name, day), {"add_small": day - 1}) for name in names for day in (1, 2)]
    template = (course / "gradebook.db").read_bytes()
    started = time.perf_counter()
    commit(course, *records)
    duration = time.perf_counter() - started
    expected = rows(course)
    assert expected.keys() == set(names)
    choice, seen = random.Random(7), set()
    for _ in range(50):
        for path in course.glob("gradebook.db*"):
            path.unlink()
        shutil.rmtree(course / "autograded", ignore_errors=True)
        (course / "gradebook.db").write_bytes(template)
        child = os.fork()
        if not child:
            commit(course, *records)
            os._exit(0)
        time.sleep(choice.random() * duration * 1.2)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        left = rows(course)
        seen.add(len(left))
        assert left.items() <= expected.items()
        commit(course, *records)
        assert rows(course) == expected
        shown = {path.parent.parent.name for path in course.glob("autograded/*/ps1/ps1.ipynb")}
        assert shown == set(names)
    assert len(seen) > 2  # the kills came before, between and after
