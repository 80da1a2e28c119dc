"""`course grade` as a program, killed with all of its processes, and on a cluster that loses a worker.

By default it is killed at 10 random moments; with GRADE_ALL=1 in the environment at 50.
"""

import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import time

import pytest
from clone import grade, make_clone, recorded, start, start_grading, submit_class

from grading import audit, gradebook, records

KILLS = 50 if os.environ.get("GRADE_ALL") else 10
STUDENTS = 12


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    return make_clone(tmp_path_factory.mktemp("released"))


@pytest.fixture
def clone(released, tmp_path):
    return shutil.copytree(released, tmp_path / "clone")


def kill(process):
    """Kill a program and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def running_in(folder):
    """The processes that work in a folder or were started for it, whoever their parent is."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        place = pathlib.Path("/proc", name)
        with contextlib.suppress(OSError):
            if str(folder) in f"{place.joinpath('cwd').readlink()} {place.joinpath('cmdline').read_text()}":
                found.append(int(name))
    return found


def wait_for_records(clone, process, count):
    """Wait until there are so many records, or the program has ended."""
    while len(recorded(clone)) < count and process.poll() is None:
        time.sleep(0.01)


def wait_for_the_end_in(clone):
    """Wait until nothing runs any more: the kernel ends a sandbox with its parent, but not at the same moment."""
    for _ in range(100):
        if not running_in(clone):
            return
        time.sleep(0.1)
    raise AssertionError(f"processes go on after the grader's death: {running_in(clone)}")


def assert_graded_once(clone, expected):
    """One record, one line in the log and one submission in the gradebook for each student, with the right points."""
    found = records.read_all("ps1", clone)
    assert {record.student: record.points for record in found} == expected
    assert len(found) == len(expected)
    assert audit.verify(clone) == []
    assert audit.last(clone)[0] == len(expected)
    assert {student: marks.points for student, marks in gradebook.all_marks("ps1", clone).items()} == expected
    with contextlib.closing(sqlite3.connect(clone / "gradebook.db")) as book:
        for table in ("submitted_assignment", "submitted_notebook"):
            assert book.execute(f"select count(*) from {table}").fetchone() == (len(expected),)
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)


def test_killed_at_any_moment_every_submission_is_graded_exactly_once(clone):
    expected = submit_class(clone, STUDENTS)
    untouched = clone.with_name("untouched")
    shutil.copytree(clone, untouched)
    begun = time.monotonic()
    process = start_grading(clone)
    wait_for_records(clone, process, 1)
    until_the_first = time.monotonic() - begun
    process.communicate()
    assert process.returncode == 0
    writing = time.monotonic() - begun - until_the_first
    assert_graded_once(clone, expected)

    chance, killed, halves = random.Random(7), 0, 0
    for attempt in range(KILLS):
        there = len(recorded(clone))
        if there == STUDENTS:
            grade(clone)  # only brings the gradebook to what the records say
            assert_graded_once(clone, expected)
            shutil.rmtree(clone)
            shutil.copytree(untouched, clone)
            there = 0
        process = start_grading(clone)
        if attempt % 4:  # most of the moments while records are written, since that takes the least time
            wait_for_records(clone, process, there + 1)
            time.sleep(chance.uniform(0, writing))
        else:
            time.sleep(chance.uniform(0, until_the_first))
        killed += process.poll() is None
        kill(process)
        wait_for_the_end_in(clone)
        halves += there < len(recorded(clone)) < STUDENTS
    grade(clone)
    assert_graded_once(clone, expected)
    assert killed > KILLS / 4  # the others had ended before, on a machine that was faster than at first
    print(f"killed {killed} of {KILLS} times, {halves} times between two records")


@pytest.fixture
def cluster(clone):
    """A Dask scheduler and two workers, each a program of its own, in the clone."""
    contact = clone / "scheduler.json"
    meet = ("--scheduler-file", str(contact), "--no-dashboard")
    programs = [start(clone, "-m", "distributed.cli.dask_scheduler", "--port", "0", *meet)]
    for _ in range(2):
        programs.append(start(clone, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1", *meet))
    yield contact, programs[1:]
    for program in programs:
        kill(program)


def address_of(contact):
    from distributed import Client

    for _ in range(600):
        if contact.exists() and contact.stat().st_size:
            break
        time.sleep(0.1)
    address = json.loads(contact.read_text())["address"]
    with Client(address, timeout="60s") as client:
        client.wait_for_workers(2, timeout=60)
    return address


def test_a_cluster_that_loses_a_worker_half_way_grades_every_submission_exactly_once(clone, cluster):
    expected = submit_class(clone, 16, before="import time\n\ntime.sleep(0.3)\n\n")
    contact, workers = cluster
    process = start_grading(clone, "--dask", address_of(contact))
    wait_for_records(clone, process, 6)
    already = len(recorded(clone))
    os.killpg(workers[0].pid, signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert already < len(expected), "the worker was killed while there was work"
    assert workers[1].poll() is None
    assert "16 graded, 0 unchanged since the last time, 0 left" in output
    assert_graded_once(clone, expected)
