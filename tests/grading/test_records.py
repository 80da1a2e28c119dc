"""Records: what is written comes back, nothing else is read, and no file is ever replaced."""

import dataclasses
import json
import math
import os
import signal
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import make_record, make_verdict

from course.errors import CourseError
from grading import records

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
number = st.floats(0, 1e9)
verdicts = st.builds(
    lambda points, more, **values: records.Verdict(points=points, possible=points + more, **values),
    number,
    number,
    check=text,
    exercise=text,
    title=text,
    outcome=st.sampled_from(records.OUTCOMES),
    message=text,
    expected=text,
    seconds=number,
)
made = st.builds(
    make_record,
    environment=st.dictionaries(text, text, max_size=3),
    seed=st.integers(),
    limits=st.dictionaries(text, number, max_size=3),
    notes=st.lists(text, max_size=3).map(tuple),
    fault=text,
    cells=st.lists(st.tuples(text, number, text), max_size=3).map(tuple),
    verdicts=st.lists(verdicts, max_size=3).map(tuple),
)


@given(made)
def test_what_is_written_comes_back(record):
    data = records.to_json(record)
    assert records.from_json(data, "it") == record
    assert records.to_json(records.from_json(data, "it")) == data


def test_the_same_record_gives_the_same_bytes():
    one = make_record(environment={"python": "3", "keras": "4"}, limits={"seconds": 1})
    other = make_record(environment={"keras": "4", "python": "3"}, limits={"seconds": 1.0})
    assert records.to_json(one) == records.to_json(other)
    assert "Zoë" in records.to_json(make_record(fault="Zoë")).decode()


def test_a_message_that_is_no_text_does_not_stop_a_record():
    record = make_record(verdicts=(make_verdict(message="half a character: \ud800"),))
    assert records.from_json(records.to_json(record), "it").verdicts[0].message == "half a character: ?"


@pytest.mark.parametrize("bad", [math.nan, math.inf, "2", None, True, -1.0, 2.5])
def test_points_that_cannot_be_are_refused_both_ways(bad):
    with pytest.raises(CourseError, match="ada"):
        records.to_json(make_record(verdicts=(dataclasses.replace(make_verdict(), points=bad),)))
    values = json.loads(records.to_json(make_record()))
    values["verdicts"][0]["points"] = bad
    with pytest.raises(CourseError, match=r"grades/x\.json"):
        records.from_json(json.dumps(values).encode(), "grades/x.json")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_no_number_is_infinite_or_none(bad):
    for record in (make_record(limits={"seconds": bad}), make_record(cells=(("add", bad, "passed"),))):
        with pytest.raises(CourseError, match="should be float"):
            records.to_json(record)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(records.Record)])
def test_each_field_must_be_there_and_of_its_type(field):
    values = json.loads(records.to_json(make_record()))
    for wrong in ({name: value for name, value in values.items() if name != field}, {**values, field: None}):
        with pytest.raises(CourseError, match=rf"x.json is no valid record: .*{field}"):
            records.from_json(json.dumps(wrong).encode(), "x.json")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seed": 7', '"seed": 7, "grade": 1', "unknown"),
        ('"seed": 7', '"seed": 7, "seed": 8', "twice"),
        ('"seed": 7', '"seed": 7.0', "seed should be int"),
        ('"points": 2.0', '"points": NaN', "NaN"),
        ('"seconds": 0.1', '"seconds": 1e999', "seconds should be float"),
        ('"outcome": "passed"', '"outcome": "great"', "great"),
        ("T12:00:00+00:00", "T12:00:00", "no zone"),
        ('"key": "', '"key": "../../', "64 hexadecimal"),
        ('"student": "ada"', '"student": "../ada"', "folder's name"),
        ("{", "[" * 100_000, "no whole record"),
    ],
)
def test_a_file_that_is_no_record_is_named(old, new, said):
    data = records.to_json(make_record()).decode()
    assert old in data
    with pytest.raises(CourseError, match=said):
        records.from_json(data.replace(old, new, 1).encode(), "x.json")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_record_or_an_error_that_names_the_file(data):
    with pytest.raises(CourseError, match=r"x\.json"):
        records.from_json(data, "x.json")


def test_half_a_file_is_no_record():
    data = records.to_json(make_record())
    for length in range(0, len(data) - 2, 97):
        with pytest.raises(CourseError, match=r"x\.json"):
            records.from_json(data[:length], "x.json")


@pytest.mark.parametrize("student", ["O'Neil", 'the "first"', "Zoë", "李明", "a b", "x" * 200, "..a"[2:], "-rf"])
def test_a_student_can_have_any_name_that_a_folder_can(tmp_path, student):
    path = records.write(make_record(student), tmp_path)
    assert path.parent == tmp_path / "grades" / "ps1" / student
    assert records.read_all("ps1", tmp_path) == [make_record(student)]


NO_NAMES = ["", ".", "..", "../x", "a/b", "a\\b", "a\0", ".hidden", "x" * 201, "ë" * 101, "a\nb", " ", "a\ud800"]


@pytest.mark.parametrize("student", NO_NAMES)
def test_no_name_leads_out_of_the_folder(tmp_path, student):
    with pytest.raises(CourseError, match="folder's name"):
        records.write(make_record(student), tmp_path)
    assert not list(tmp_path.rglob("*.json"))


def test_a_record_is_never_replaced(tmp_path):
    record = make_record()
    path = records.write(record, tmp_path)
    before = path.read_bytes()
    with pytest.raises(CourseError, match="never overwritten"):
        records.write(dataclasses.replace(record, fault="changed"), tmp_path)
    assert path.read_bytes() == before
    forced = records.write(dataclasses.replace(record, graded="2026-03-02T00:00:00+00:00"), tmp_path, again=True)
    assert forced != path
    assert len(records.read_all("ps1", tmp_path)) == 2
    assert not list(tmp_path.rglob("*.part"))


def test_each_forced_grading_has_a_file_of_its_own(tmp_path):
    record = make_record(received="2026-03-01T14:00:00.5+02:00", key="0123456789abcdef" * 4)
    found = [records.write(record, tmp_path, again=True).name for _ in range(3)]
    first = "20260301T120000.500000Z_0123456789abcdef"
    assert found == [f"{first}.json", f"{first}_2.json", f"{first}_3.json"]
    assert records.path_of(make_record(key="f" * 64)).name == "20260301T120000Z_ffffffffffffffff.json"


def test_a_record_can_be_read_and_not_written(tmp_path):
    assert records.write(make_record(), tmp_path).stat().st_mode & 0o777 == 0o440


def test_a_record_is_on_the_disk_before_it_has_its_name_and_the_name_before_it_counts(tmp_path, monkeypatch):
    done, sync, link = [], os.fsync, os.link
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append(os.fstat(handle).st_size), sync(handle)))
    monkeypatch.setattr(os, "link", lambda *names: (done.append("named"), link(*names)))
    path = records.write(make_record(), tmp_path)
    assert done == [path.stat().st_size, "named", path.parent.stat().st_size]


def test_what_the_disk_refuses_is_said(tmp_path):
    with pytest.raises(CourseError, match=r"nowhere\.json cannot be read: No such file"):
        records.read(tmp_path / "nowhere.json")
    (tmp_path / "grades").touch()
    with pytest.raises(CourseError, match=r"\.json cannot be written: Not a directory"):
        records.write(make_record(), tmp_path)


def test_without_hard_links_a_record_is_not_replaced_either(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "not on this file system")

    monkeypatch.setattr(os, "link", refuse)
    path = records.write(make_record(), tmp_path)
    with pytest.raises(CourseError, match="never overwritten"):
        records.write(make_record(fault="changed"), tmp_path)
    assert records.read(path) == make_record()
    assert not list(tmp_path.rglob("*.part"))


def test_a_writer_killed_at_any_moment_leaves_whole_records_only(tmp_path):
    for attempt in range(30):
        child = os.fork()
        if not child:
            for day in range(1, 28):
                records.write(make_record(f"student{attempt}", day, notes=("x" * 20_000,)), tmp_path)
            os._exit(0)
        time.sleep(attempt / 1_000)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert records.read_all("ps1", tmp_path)  # raises where one is torn


def test_a_record_in_another_students_folder_is_refused(tmp_path):
    path = records.write(make_record("ada"), tmp_path)
    moved = tmp_path / "grades" / "ps1" / "eve" / path.name
    moved.parent.mkdir()
    moved.write_bytes(path.read_bytes())
    with pytest.raises(CourseError, match="wrong folder"):
        records.read_all("ps1", tmp_path)


def test_a_folder_whose_name_was_written_another_way_is_the_students(tmp_path):
    path = records.write(make_record("Zoë"), tmp_path)
    path.parent.rename(path.parent.with_name(unicodedata.normalize("NFD", "Zoë")))
    assert records.read_all("ps1", tmp_path) == [make_record("Zoë")]


def test_all_records_come_by_student_and_the_oldest_first(tmp_path):
    made = [make_record(name, day) for name in ("ada", "bob") for day in (1, 2, 3)]
    for record in (made[4], made[1], made[5], made[0], made[3], made[2]):
        records.write(record, tmp_path)
    assert records.read_all("ps1", tmp_path) == made


def test_the_newest_is_what_was_received_last_and_of_that_graded_last():
    early = make_record(day=1, graded="2026-03-09T00:00:00+00:00")
    late = make_record(day=2, graded="2026-03-02T00:00:00+00:00")
    again = make_record(day=2, received="2026-03-02T14:00:00+02:00", graded="2026-03-03T00:00:00+00:00")
    zoned = make_record(day=2, received="2026-03-02T15:00:00+05:00", graded="2026-03-08T23:00:00+05:00")  # 10:00 UTC
    for order in ([early, zoned, late, again], [again, late, zoned, early]):
        assert records.newest(order) == {"ada": again}


def test_the_key_changes_with_all_that_can_change_points(monkeypatch):
    keys = {
        records.record_key("a", "b", {"keras": "3"}, 1),
        records.record_key("x", "b", {"keras": "3"}, 1),
        records.record_key("a", "x", {"keras": "3"}, 1),
        records.record_key("a", "b", {"keras": "4"}, 1),
        records.record_key("a", "b", {"keras": "3"}, 2),
        records.record_key("ab", "", {"keras": "3"}, 1),
    }
    monkeypatch.setattr(records, "GRADER_VERSION", "next")
    keys.add(records.record_key("a", "b", {"keras": "3"}, 1))
    assert len(keys) == 7
    assert records.record_key("a", "b", {"k": "1", "l": "2"}, 1) == records.record_key(
        "a", "b", {"l": "2", "k": "1"}, 1
    )


def test_points_add_up():
    record = make_record()
    assert (record.points, record.possible) == (5, 7)
