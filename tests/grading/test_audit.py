"""The audit log: whatever is changed afterwards is seen, and a crash is mended."""

import io
import json
import os
import random
import signal
import time

import filelock
import pytest
from made_records import make_record
from rich.console import Console

from course.errors import CourseError
from grading import audit, records


@pytest.fixture
def course(tmp_path):
    """A course with five records, all logged."""
    for day in range(1, 6):
        audit.append([records.write(make_record("O'Neil ë", day), tmp_path)], tmp_path)
    assert audit.verify(tmp_path) == []
    return tmp_path


def log_of(course):
    return course / "grades" / "audit.jsonl"


def lines_of(course):
    return log_of(course).read_bytes().splitlines(keepends=True)


def record_files(course):
    return sorted(course.glob("grades/ps1/*/*.json"))


def test_a_log_without_lines_is_whole(tmp_path):
    assert audit.verify(tmp_path) == []
    assert audit.recover(tmp_path) == []
    assert audit.last(tmp_path) == (0, audit.FIRST)
    assert not log_of(tmp_path).exists()


def test_each_line_holds_the_hash_of_the_one_before(course):
    lines = [json.loads(line) for line in lines_of(course)]
    assert [line["number"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["previous"] for line in lines] == [audit.FIRST, *(line["hash"] for line in lines[:-1])]
    assert audit.last(course) == (5, lines[-1]["hash"])


def test_a_changed_record_is_seen(course):
    path = record_files(course)[2]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"points": 2.0', b'"points": 1.0'))
    assert audit.verify(course) == [f"{path.relative_to(course)} was changed after it was logged."]


def test_a_missing_record_is_seen(course):
    path = record_files(course)[2]
    path.unlink()
    assert audit.verify(course) == [f"{path.relative_to(course)} is missing."]


def test_a_record_that_was_put_there_is_seen(course):
    path = records.write(make_record("eve"), course)
    assert audit.verify(course) == [f"{path.relative_to(course)} has no line in the log."]


@pytest.mark.parametrize("number", range(4))
def test_a_removed_line_is_seen(course, number):
    lines = lines_of(course)
    log_of(course).write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
    record_files(course)[number].unlink()
    assert any("a line was removed" in fault for fault in audit.verify(course))


def test_lines_that_changed_places_are_seen(course):
    lines = lines_of(course)
    lines[1:3] = lines[2:0:-1]
    log_of(course).write_bytes(b"".join(lines))
    assert any("moved" in fault for fault in audit.verify(course))


@pytest.mark.parametrize("field", ["number", "record", "sha256", "previous", "time", "hash"])
def test_a_change_in_any_field_is_seen(course, field):
    lines = lines_of(course)
    values = json.loads(lines[2])
    values[field] = 9 if field == "number" else values[field][:-1] + "x"
    lines[2] = json.dumps(values).encode() + b"\n"
    log_of(course).write_bytes(b"".join(lines))
    assert any("Line 3" in fault for fault in audit.verify(course))


@pytest.mark.parametrize("line", [b"garbage\n", b"[1]\n", b"{}\n", b"\xff\n", b"\n", b"[" * 99_999 + b"\n"])
def test_a_damaged_line_is_seen_and_nothing_is_chained_to_it(course, line):
    with log_of(course).open("ab") as file:
        file.write(line)
    assert audit.verify(course) == ["Line 6 of the log is damaged."]
    with pytest.raises(CourseError, match="damaged"):
        audit.append([records.write(make_record("bob"), course)], course)


def test_nothing_is_chained_to_a_changed_line(course):
    lines = lines_of(course)
    log_of(course).write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"ps1", b"ps2")]))
    assert audit.verify(course)[0] == "Line 5 of the log was changed."
    with pytest.raises(CourseError, match="damaged"):
        audit.append([records.write(make_record("bob"), course)], course)


def add_line(course, **changes):
    """Add a line as somebody would who knows how its hash is made."""
    values = {**json.loads(lines_of(course)[-1]), "number": 6, "previous": audit.last(course)[1], **changes}
    values["hash"] = audit._hash(values)
    with log_of(course).open("ab") as file:
        file.write(json.dumps(values).encode() + b"\n")


@pytest.mark.parametrize("name", ["/etc/passwd", "solutions/ps1/ps1.ipynb", "grades/../solutions/ps1/ps1.ipynb"])
def test_a_line_that_names_a_file_elsewhere_is_seen(course, name):
    add_line(course, record=name)
    assert audit.verify(course) == [f"{name} is no record of this course."]


@pytest.mark.parametrize("field", [{"number": "6"}, {"number": 6.0}, {"record": 5}, {"time": None}])
def test_a_line_with_a_field_of_another_kind_is_damaged(course, field):
    add_line(course, **field)
    assert audit.verify(course) == ["Line 6 of the log is damaged."]
    with pytest.raises(CourseError, match="damaged"):
        audit.append(record_files(course)[:1], course)


def test_a_cut_end_is_seen_by_the_records_or_by_a_kept_hash(course):
    kept = audit.last(course)[1]
    log_of(course).write_bytes(b"".join(lines_of(course)[:-1]))
    assert audit.verify(course) == [f"{record_files(course)[-1].relative_to(course)} has no line in the log."]
    record_files(course)[-1].unlink()
    assert audit.verify(course) == []  # the limit that the module's docstring names
    assert any("end was cut off" in fault for fault in audit.verify(course, kept))


def test_a_kept_hash_stays_good_while_the_log_grows(course):
    kept = audit.last(course)[1]
    audit.append([records.write(make_record("bob"), course)], course)
    assert audit.verify(course, kept) == []


def test_a_record_without_a_line_gets_one(course):
    records.write(make_record("bob"), course)
    assert audit.recover(course) == ["1 record had no line in the audit log, and got one now."]
    assert audit.verify(course) == []
    assert audit.recover(course) == []


def test_a_torn_last_line_is_cut_off_and_said(course):
    whole = log_of(course).read_bytes()
    last = len(lines_of(course)[-1])
    for missing in range(1, last, 13):
        log_of(course).write_bytes(whole[:-missing])
        torn, unlogged = audit.verify(course)
        assert ["not complete" in torn, "has no line" in unlogged] == [True, True]
        notes = audit.recover(course)
        assert ["cut off" in notes[0], "got one now" in notes[1]] == [True, True]
        assert audit.verify(course) == []


def test_a_log_killed_at_any_moment_is_whole_after_the_next_start(tmp_path):
    choice = random.Random(1)
    for attempt in range(30):
        child = os.fork()
        if not child:
            audit.recover(tmp_path)
            for day in range(1, 28):
                audit.append([records.write(make_record(f"student{attempt}", day), tmp_path)], tmp_path)
            os._exit(0)
        time.sleep(choice.random() * 0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    audit.recover(tmp_path)
    assert audit.verify(tmp_path) == []
    assert audit.last(tmp_path)[0] == len(record_files(tmp_path)) > 0


def test_a_line_that_follows_a_torn_one_is_whole(course):
    log_of(course).write_bytes(log_of(course).read_bytes()[:-20])
    audit.append([records.write(make_record("bob"), course)], course)
    torn = [path for path in record_files(course) if path.parent.name != "bob"][-1].relative_to(course)
    assert audit.verify(course) == [f"{torn} has no line in the log."]


def test_many_writers_do_not_tear_the_chain(tmp_path):
    start, go = os.pipe()
    children = []
    for name in ("ada", "bob", "eve", "dan"):
        child = os.fork()
        if not child:
            paths = [records.write(make_record(name, day), tmp_path) for day in range(1, 28)]
            os.close(go)
            os.read(start, 1)  # all begin when the other end is closed
            for path in paths:
                audit.append([path], tmp_path)
            os._exit(0)
        children.append(child)
    os.close(start)
    os.close(go)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert audit.verify(tmp_path) == []
    assert audit.last(tmp_path)[0] == 4 * 27


def test_a_log_that_another_program_keeps_is_waited_for(course, monkeypatch):
    monkeypatch.setattr(audit, "_LOCK_TIMEOUT", 0.1)
    path = records.write(make_record("bob"), course)
    for write in (lambda: audit.append([path], course), lambda: audit.recover(course)):
        lock = filelock.FileLock(course / "grades" / "audit.lock", is_singleton=False)
        with lock, pytest.raises(CourseError, match=r"audit\.jsonl locked: wait"):
            write()
    assert audit.last(course)[0] == 5


def test_a_record_that_is_not_there_cannot_be_logged(course):
    before = log_of(course).read_bytes()
    there, missing = records.write(make_record("bob"), course), record_files(course)[0].with_name("none.json")
    with pytest.raises(CourseError, match=r"none\.json cannot be logged: No such file"):
        audit.append([there, missing], course)
    assert log_of(course).read_bytes() == before


def test_lines_are_on_the_disk_when_they_are_written_and_when_a_torn_one_is_cut(course, monkeypatch):
    synced, original = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_size), original(handle)))
    log = log_of(course)
    whole = log.stat().st_size
    log.write_bytes(log.read_bytes() + b"torn")
    assert audit.recover(course)
    assert synced == [whole]
    path = records.write(make_record("bob"), course)
    del synced[:]
    audit.append([path], course)
    assert synced[0] == log.stat().st_size > whole
    assert len(synced) == 2


def test_a_record_that_is_logged_twice_is_seen(course):
    audit.append([record_files(course)[0]], course)
    assert audit.verify(course) == [f"{record_files(course)[0].relative_to(course)} is in the log twice."]


def test_a_long_log_goes_on_from_its_last_line(course):
    paths = [records.write(make_record(f"{'x' * 150}{day}", day), course) for day in range(1, 29)]
    for _ in range(10):
        audit.append(paths, course)
    assert log_of(course).stat().st_size > 2**16
    assert audit.last(course)[0] == 285
    with log_of(course).open("ab") as file:
        file.write(b'{"torn": ')
    assert "cut off" in audit.recover(course)[0]
    assert {fault.partition(" is ")[2] for fault in audit.verify(course)} == {"in the log twice."}


def test_the_report_says_what_to_keep(course):
    printed = io.StringIO()
    assert audit.report(Console(file=printed, width=300), course)
    assert "is whole: 5 records, all" in printed.getvalue()
    assert (kept := audit.last(course)[1]) in printed.getvalue()
    assert "your hash" not in printed.getvalue()
    assert audit.report(Console(file=printed, width=300), course, kept)
    assert "It holds your hash." in printed.getvalue()
    record_files(course)[0].unlink()
    assert not audit.report(Console(file=printed, width=300), course)
    assert "is missing" in printed.getvalue()


def test_the_report_of_a_course_without_records_asks_to_keep_nothing(tmp_path):
    printed = io.StringIO()
    assert audit.report(Console(file=printed, width=300), tmp_path)
    assert printed.getvalue() == "There are no records yet, and so nothing to verify: `course grade` writes them.\n"
    path = records.write(make_record("ada"), tmp_path)
    assert not audit.report(Console(file=printed, width=300), tmp_path)
    assert f"{path.relative_to(tmp_path)} has no line in the log.\n" in printed.getvalue()
    assert "The hash" not in printed.getvalue()
    audit.append([path], tmp_path)
    assert audit.report(Console(file=printed, width=300), tmp_path)
    assert "is whole: 1 record, all" in printed.getvalue()
