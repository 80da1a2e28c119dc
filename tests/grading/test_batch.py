"""Grading a class: everything is graded once, whatever dies, and only what changed is graded again."""

import contextlib
import io
import os
import pathlib
import shutil
import signal
import sqlite3
from concurrent.futures import Executor, Future, ProcessPoolExecutor

import nbformat
import pytest
from made_course import SOLUTION, handed_in, make_course
from nbgrader.api import Gradebook
from rich.console import Console

from course.errors import CourseError
from grading import audit, batch, gradebook, isolation, records
from grading.batch import grade_all
from grading.isolation import PROCESS, Limits
from grading.submissions import Submission, find_submissions
from grading.worker import grade

LIMITS = Limits(cell=5, total=20)
RIGHT = SOLUTION.replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", "")
WRONG = "def add_one(number):\n    return min(number + 1, 10)"
DIES = "import os\nos._exit(1)"


def quiet():
    return Console(file=io.StringIO())


class InThisProcess(Executor):
    """Runs each job at once, so that a test need not wait for processes to start."""

    def submit(self, function, /, *arguments, **options):
        future = Future()
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


def run(root, **options):
    # the notebooks are ours; that a sandbox keeps others in is tested elsewhere
    settings = {"isolation": PROCESS, "limits": LIMITS, "make_executor": InThisProcess}
    return grade_all("ps1", quiet(), root, **settings | options)


def submit(root, student, source, second=0):
    notebook = handed_in(root, **({"add": source} if source else {}))
    path = root / "submitted" / student / "ps1" / "ps1.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    (path.parent / "timestamp.txt").write_text(f"2026-03-01 12:00:{second:02d} UTC")
    return path


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("released"))


@pytest.fixture
def course(released, tmp_path):
    return shutil.copytree(released, tmp_path / "course")


@pytest.fixture
def small_class(course):
    submit(course, "ada", RIGHT)
    submit(course, "bea", WRONG)
    submit(course, "cem", "")
    return course


def test_each_gets_the_points_of_the_checks_that_pass(small_class):
    outcome = run(small_class)
    assert {name: record.points for name, record in outcome.records.items()} == {"ada": 5, "bea": 2, "cem": 0}
    marks = gradebook.all_marks("ps1", small_class)
    assert {name: mark.points for name, mark in marks.items()} == {"ada": 5, "bea": 2, "cem": 0}
    assert audit.verify(small_class) == []
    assert {record.isolation for record in outcome.records.values()} == {PROCESS}


def test_a_second_run_grades_only_what_changed(small_class):
    run(small_class)
    before = records.read_all("ps1", small_class)
    assert sorted(run(small_class).unchanged) == ["ada", "bea", "cem"]
    assert records.read_all("ps1", small_class) == before
    submit(small_class, "bea", RIGHT, second=9)
    outcome = run(small_class)
    assert sorted(outcome.unchanged) == ["ada", "cem"]
    assert outcome.records["bea"].points == 5
    assert len(records.read_all("ps1", small_class)) == 4  # the earlier one stays


def test_other_checks_make_all_records_out_of_date(small_class):
    run(small_class)
    path = small_class / "solutions" / "ps1" / "ps1.ipynb"
    path.write_text(path.read_text().replace("One more comes out.", "One more is what comes out."))
    from grading.problem_set import load_problem_set

    load_problem_set.cache_clear()
    assert run(small_class).unchanged == []
    assert len(records.read_all("ps1", small_class)) == 6


def test_the_same_file_at_another_time_or_with_another_seed_is_graded_again(small_class):
    run(small_class)
    submit(small_class, "ada", RIGHT, second=9)
    assert sorted(run(small_class).unchanged) == ["bea", "cem"]
    assert run(small_class, seed=1).unchanged == []


def test_what_was_lost_of_the_gradebook_is_written_again_without_grading(small_class):
    submit(small_class, "dan", RIGHT).write_text("no notebook")
    run(small_class)
    shown = {path: path.read_bytes() for path in (small_class / "autograded").glob("*/ps1/ps1.ipynb")}
    assert {path.parent.parent.name for path in shown} == {"ada", "bea", "cem"}
    shutil.rmtree(small_class / "autograded")
    assert sorted(run(small_class).unchanged) == ["ada", "bea", "cem", "dan"]
    assert {path: path.read_text().count('"grade_id"') for path in shown} == {
        path: content.count(b'"grade_id"') for path, content in shown.items()
    }


def test_a_mark_that_no_longer_counts_is_named(course):
    path = submit(course, "ada", RIGHT)
    for answer in ("It counts.", "It is."):
        nbformat.write(handed_in(course, add=RIGHT, why=answer), path)
        outcome = run(course)
        with Gradebook(f"sqlite:///{course}/gradebook.db", "sequence-models") as book:
            book.find_grade("why", "ps1", "ps1", "ada").manual_score = 1.5
            book.db.commit()
    assert outcome.notes == ["ada: why: the answer has changed, so its mark of 1.5 no longer counts."]


def test_force_grades_again_beside_the_old_record(small_class):
    run(small_class)
    outcome = run(small_class, force=True, students=("ada",))
    assert list(outcome.records) == ["ada"]
    assert len(records.read_all("ps1", small_class)) == 4
    assert audit.verify(small_class) == []


@pytest.mark.parametrize(
    "content",
    ["", "no notebook", '{"cells": [', '{"cells": []}', "[" * 10_000, '{"nbformat": 4, "cells": NaN}'],
)
def test_a_file_that_is_no_notebook_gets_a_record_that_says_so_and_the_batch_goes_on(small_class, content):
    submit(small_class, "dan", RIGHT).write_text(content)
    outcome = run(small_class)
    assert outcome.records["dan"].fault
    assert outcome.records["dan"].points == 0
    assert outcome.records["dan"].possible == 7
    assert outcome.records["ada"].points == 5


def test_a_file_that_cannot_be_read_is_named_and_the_batch_goes_on(small_class, monkeypatch):
    path = submit(small_class, "dan", RIGHT)
    found = find_submissions("ps1", small_class)
    monkeypatch.setattr(batch, "find_submissions", lambda *arguments: found)
    path.unlink()
    outcome = run(small_class)
    assert sorted(outcome.records) == ["ada", "bea", "cem"]
    assert "ps1.ipynb cannot be read" in outcome.left["dan"]


def test_each_file_is_read_once_and_not_before_its_turn(small_class, monkeypatch):
    read, graded = [], []
    original = Submission.content.fget
    monkeypatch.setattr(Submission, "content", property(lambda one: read.append(one.student) or original(one)))

    class Counting(InThisProcess):
        def submit(self, function, /, job):
            graded.append((job.student, len(read)))
            return super().submit(function, job)

    run(small_class, make_executor=Counting)
    assert read == ["ada", "bea", "cem"]
    assert graded == [("ada", 1), ("bea", 2), ("cem", 3)]


def test_cells_that_end_the_process_cost_their_own_points(course):
    submit(course, "eve", f"{RIGHT}\n{DIES}")
    submit(course, "fay", RIGHT)
    outcome = run(course)
    assert outcome.records["eve"].points == 0
    assert ("add", "crash") in {(name, how) for name, _, how in outcome.records["eve"].cells}
    assert outcome.records["fay"].points == 5


def test_a_worker_that_dies_is_replaced_and_nobody_is_left_out(small_class, tmp_path):
    marker = tmp_path / "died"

    class Dying(ProcessPoolExecutor):
        def submit(self, function, /, *arguments, **options):
            return super().submit(_die_once, str(marker), function, *arguments, **options)

    import multiprocessing

    def make():
        return Dying(max_workers=1, mp_context=multiprocessing.get_context("fork"))

    outcome = run(small_class, make_executor=make)
    assert marker.exists()
    assert outcome.left == {}
    assert {name: record.points for name, record in outcome.records.items()} == {"ada": 5, "bea": 2, "cem": 0}


def _die_once(marker, function, *arguments):
    if not pathlib.Path(marker).exists():
        pathlib.Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*arguments)


def test_a_submission_whose_worker_always_dies_is_named_and_the_rest_is_graded(small_class):
    class Dying(InThisProcess):
        def submit(self, function, /, job):
            if job.student == "bea":
                future = Future()
                future.set_exception(type("KilledWorker", (Exception,), {})("the worker is gone"))
                return future
            return super().submit(function, job)

    outcome = run(small_class, make_executor=Dying)
    assert list(outcome.left) == ["bea"]
    assert sorted(outcome.records) == ["ada", "cem"]
    assert run(small_class).left == {}


def test_late_and_repeated_hand_ins_keep_their_history(course):
    for second, source in enumerate(("", WRONG, RIGHT)):
        submit(course, "ada", source, second)
        run(course)
    kept = records.read_all("ps1", course)
    assert [record.points for record in kept] == [0, 2, 5]
    assert gradebook.all_marks("ps1", course)["ada"].points == 5


def test_nothing_handed_in_and_unknown_names_are_explained(course):
    with pytest.raises(CourseError, match="course collect ps1"):
        run(course)
    with pytest.raises(CourseError, match=r"Did you mean ps1\?"):
        grade_all("ps11", quiet(), course)
    submit(course, "ada", RIGHT)
    with pytest.raises(CourseError, match="by zoe"):
        find_submissions("ps1", course, ("zoe",))


def test_what_the_gradebook_lacks_is_said_before_any_work_starts(course):
    submit(course, "ada", RIGHT)
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as book, book:
        book.execute("update assignment set name = 'ps0'")
    with pytest.raises(CourseError, match="does not know ps1: run `course release ps1`"):
        run(course)
    (course / "gradebook.db").unlink()
    with pytest.raises(CourseError, match=r"no gradebook .* run `course release`"):
        run(course)
    with pytest.raises(CourseError, match=r"Did you mean ps1\?"):
        grade_all("ps11", quiet(), course)
    assert not (course / "grades").exists()


def test_without_a_sandbox_grading_is_refused_unless_it_is_asked_for(small_class, monkeypatch):
    monkeypatch.setattr(isolation, "best_isolation", lambda: (PROCESS, "bubblewrap is not installed."))
    with pytest.raises(CourseError, match=r"bubblewrap is not installed.*--isolation process"):
        run(small_class, isolation=None)
    assert not (small_class / "grades").exists()
    with pytest.raises(CourseError, match="no isolation 'sandbx'"):
        run(small_class, isolation="sandbx")


def test_the_sandbox_gives_the_same_points(small_class):
    level, reason = isolation.best_isolation()
    if level == PROCESS:
        pytest.skip(reason)
    outcome = run(small_class, isolation=level)
    assert {name: record.points for name, record in outcome.records.items()} == {"ada": 5, "bea": 2, "cem": 0}
    assert {record.isolation for record in outcome.records.values()} == {level}


def test_what_leads_elsewhere_is_not_read(course):
    submit(course, "ada", RIGHT)
    own = course / "submitted/ada/ps1/ps1.ipynb"
    for name, place in {
        "eve": "submitted/eve/ps1/ps1.ipynb",
        "fay": "submitted/fay/ps1",
        "gus": "submitted/gus",
    }.items():
        link = course / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(course / "solutions/ps1/ps1.ipynb" if name == "eve" else own.parents[name == "gus"])
    (course / "submitted/hal/ps1/ps1.ipynb").mkdir(parents=True)
    found = run(course).records
    assert {name: record.points for name, record in found.items()} == {"ada": 5, "eve": 0, "fay": 0, "gus": 0, "hal": 0}
    assert all("link to another place" in found[name].fault for name in ("eve", "fay", "gus"))
    assert "no file" in found["hal"].fault


def test_a_folder_that_begins_with_a_dot_is_nobodys(course):
    submit(course, "ada", RIGHT)
    submit(course, ".ipynb_checkpoints", RIGHT)
    assert set(run(course).records) == {"ada"}


def test_a_job_can_be_sent_to_another_process(small_class):
    import pickle

    (submission, *_) = find_submissions("ps1", small_class)
    settings = {"isolation": PROCESS, "limits": LIMITS, "seed": 1, "root": small_class}
    job = pickle.loads(pickle.dumps(batch._job("ps1", submission, settings)))
    assert pickle.loads(pickle.dumps(grade(job))).record.student == "ada"
