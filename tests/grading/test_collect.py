"""Taking in: what students hand in is found, kept and never lost, and no name leads out of the course's folder."""

import contextlib
import copy
import io
import json
import os
import pathlib
import random
import stat
import threading
import time
import zipfile
from datetime import UTC, datetime

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import v4

from course.errors import CourseError
from grading import collect, hand_ins
from grading.collect import take_in
from grading.hand_ins import counting, history
from grading.names import free_name, safe_part, safe_student, same_on_disk
from grading.sources import Limits

PS = "ps1_small"


def marked(cell, name, **marks):
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, "grade": False, "task": False, **marks}
    cell.id = name
    return cell


def notebook(answer="raise NotImplementedError()", **change):
    cells = [
        marked(v4.new_code_cell(f"def add_one(x):\n    {answer}"), "add_one", solution=True, locked=False),
        marked(v4.new_code_cell("assert add_one(1) == 2"), "add_one_small", solution=False, locked=True),
    ]
    cells[1].metadata.nbgrader.update(grade=True, points=2)
    return nbformat.writes(v4.new_notebook(cells=cells, **change)).encode()


ONE, TWO, OTHER = notebook("return x + 1"), notebook("return 1 + x"), nbformat.writes(v4.new_notebook()).encode()


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "course"
    released = folder / "assignments" / PS / f"{PS}.ipynb"
    released.parent.mkdir(parents=True)
    released.write_bytes(notebook())
    return folder


def fill(folder, files, moment=1_700_000_000):
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (moment, moment))
    return folder


def pack(path, files, moment=(2026, 3, 1, 12, 0, 0)):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name, moment)
            archive.writestr(info, data)
    return path


def submitted(root, student):
    path = root / "submitted" / student / PS / f"{PS}.ipynb"
    return path.read_bytes() if path.exists() else None


def everything(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name != ".lock"}


def outcome(taken):
    return {one.student: one.fault for one in taken}


# --- where hand-ins come from ---------------------------------------------------------------------------------------


def test_a_folder_per_student(root, tmp_path):
    source = fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE, f"bob/{PS}/{PS}.ipynb": TWO, "bob/ps2/ps2.ipynb": OTHER})
    anna, bob = take_in(source, PS, root)
    assert (anna.student, anna.problem_set, anna.fault, anna.notes) == ("anna", PS, "", ())
    assert anna.received == "2023-11-14T22:13:20+00:00"
    assert anna.path.read_bytes() == ONE
    assert anna.path.is_relative_to(root / "hand_ins" / PS / "anna")
    assert (submitted(root, "anna"), submitted(root, "bob")) == (ONE, TWO)
    assert bob.notes == (), "other problem sets' folders are no business of this one"


def test_nbgrader_reads_the_time_beside_the_notebook(root, tmp_path):
    from nbgrader.coursedir import CourseDirectory

    take_in(fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE}), PS, root)
    folder = root / "submitted" / "anna" / PS
    assert CourseDirectory().get_existing_timestamp(str(folder)) == datetime(2023, 11, 14, 22, 13, 20)
    assert sorted(path.name for path in folder.iterdir()) == [f"{PS}.ipynb", "timestamp.txt"]


def test_nbgraders_own_time_counts_in_its_own_layout_only(root, tmp_path):
    stamp = b"2026-05-01 10:00:00.000000 UTC"
    source = fill(
        tmp_path / "in",
        {f"anna/{PS}/{PS}.ipynb": ONE, f"anna/{PS}/timestamp.txt": stamp}
        | {f"bob/{PS}.ipynb": ONE, "bob/timestamp.txt": stamp},
    )
    anna, bob = take_in(source, PS, root)
    assert anna.received == "2026-05-01T10:00:00+00:00"
    assert bob.received == "2023-11-14T22:13:20+00:00", "students cannot date their hand-in themselves"


def test_canvas(root, tmp_path):
    files = {
        f"leeanna_1001_5001_{PS}.ipynb": ONE,
        f"muellerbob_LATE_1002_5002_{PS}-1.ipynb": TWO,
        "muellerbob_LATE_1002_5003_notes.pdf": b"%PDF",
        f"anon_x9Z_5004_{PS}.ipynb": ONE,
        "leeanna_1003_5005_essay.pdf": b"%PDF",
    }
    taken = {one.student: one for one in take_in(pack(tmp_path / "submissions.zip", files), PS, root)}
    assert set(taken) == {"leeanna_1001", "muellerbob_1002", "anon_x9Z", "leeanna_1003"}
    assert "Canvas marks it as late." in taken["muellerbob_1002"].notes
    assert any("it is the only one" in note for note in taken["muellerbob_1002"].notes)
    assert any("not used in grading: 'notes.pdf'" in note for note in taken["muellerbob_1002"].notes)
    assert taken["leeanna_1003"].fault == "There is no notebook (.ipynb), only 'essay.pdf'."
    assert submitted(root, "leeanna_1003") is None
    assert submitted(root, "leeanna_1001") == ONE


def test_a_canvas_name_that_can_be_read_in_two_ways_is_pointed_out(root, tmp_path):
    (one,) = take_in(pack(tmp_path / "a.zip", {f"lee_5_123_456_{PS}.ipynb": ONE}), PS, root)
    assert any("can be read in two ways" in note for note in one.notes)


def test_moodle(root, tmp_path):
    files = {
        f"Anna Lee_123456_assignsubmission_file_/{PS}.ipynb": ONE,
        f"Bob O'Hara_123457_assignsubmission_file/{PS}.ipynb": TWO,
        "Bob O'Hara_123457_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
        "李雷_123458_assignsubmission_file_/solution.ipynb": ONE,
        f"Cleo_Z_123459_assignsubmission_file_{PS}.ipynb": TWO,
    }
    taken = {one.student: one for one in take_in(pack(tmp_path / "m.zip", files), PS, root)}
    names = sorted(taken)
    assert {"Anna-Lee", "Bob-O-Hara", "Cleo_Z"} < set(names)
    assert names[-1].startswith("student~")
    assert all(not one.fault for one in taken.values())


def test_two_students_of_one_name_are_told_apart_by_their_number(root, tmp_path):
    files = {f"Anna Lee_{number}_assignsubmission_file_/{PS}.ipynb": data for number, data in ((11, ONE), (12, TWO))}
    source = pack(tmp_path / "m.zip", files)
    assert [one.student for one in take_in(source, PS, root)] == ["Anna-Lee", "Anna-Lee_12"]
    assert (submitted(root, "Anna-Lee"), submitted(root, "Anna-Lee_12")) == (ONE, TWO)
    before = everything(root)
    assert [one.student for one in take_in(source, PS, root)] == ["Anna-Lee", "Anna-Lee_12"]
    assert everything(root) == before
    (root / "assignments" / "ps2_small").mkdir()
    other = pack(tmp_path / "n.zip", {"Anna Lee_77_assignsubmission_file_/ps2_small.ipynb": ONE})
    assert take_in(other, "ps2_small", root)[0].student == "Anna-Lee", "Moodle has new numbers in each problem set"


def test_blackboard_with_repeated_attempts(root, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    late, early = "2026-01-02-12-00-00", "2026-01-01-08-30-00"
    files = {
        f"Problem_set_1_anna_lee_attempt_{late}_{PS}.ipynb": TWO,
        f"Problem_set_1_anna_lee_attempt_{late}.txt": b"Name: Anna Lee (anna_lee)\nSubmission: no",
        f"Problem_set_1_anna_lee_attempt_{early}_{PS}.ipynb": ONE,
        f"Problem_set_1_bob_attempt_{early}_a_attempt_{late}_b.ipynb": ONE,
    }
    taken = take_in(pack(tmp_path / "gradebook.zip", files), PS, root)
    received = [(one.student, one.received) for one in taken]
    assert received == [
        ("anna_lee", "2026-01-01T08:30:00+00:00"),
        ("anna_lee", "2026-01-02T12:00:00+00:00"),
        ("bob", "2026-01-01T08:30:00+00:00"),
    ]
    assert taken[1].notes == ()
    assert submitted(root, "anna_lee") == TWO
    assert len(history(PS, root, "anna_lee")) == 2


@pytest.mark.parametrize("above", ["", "Submissions 2026/"])
def test_an_unpacked_download_and_one_in_a_common_folder(root, tmp_path, above):
    files = {f"{above}leeanna_1_2_{PS}.ipynb": ONE, f"{above}__MACOSX/._x.ipynb": b"", f"{above}.DS_Store": b""}
    assert outcome(take_in(fill(tmp_path / "in", files), PS, root)) == {"leeanna_1": ""}
    files = {f"{above}Anna_5_assignsubmission_file_/{PS}.ipynb": ONE}
    assert outcome(take_in(pack(tmp_path / "x.zip", files), PS, root)) == {"Anna": ""}


def test_a_common_folder_of_students_is_no_student(root, tmp_path):
    files = {f"handed in/anna/{PS}.ipynb": ONE, f"handed in/bob/{PS}.ipynb": TWO}
    assert outcome(take_in(pack(tmp_path / "x.zip", files), PS, root)) == {"anna": "", "bob": ""}


def test_what_belongs_to_nobody_is_said(root, tmp_path):
    (one,) = take_in(fill(tmp_path / "in", {"solution.ipynb": ONE}), PS, root)
    assert (one.student, one.fault[:40]) == ("", "'solution.ipynb' belongs to no student: ")
    assert counting(PS, root) == []


def test_sources_that_cannot_be_read(root, tmp_path):
    whole = pack(tmp_path / "x.zip", {f"anna/{PS}.ipynb": ONE}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-30])
    with pytest.raises(CourseError, match="no whole zip archive"):
        take_in(tmp_path / "cut.zip", PS, root)
    with pytest.raises(CourseError, match="no folder or file"):
        take_in(tmp_path / "missing", PS, root)
    with pytest.raises(CourseError, match="cannot be the name"):
        take_in(tmp_path / "x.zip", "../ps1", root)
    with pytest.raises(CourseError, match="more than 2 files"):
        take_in(fill(tmp_path / "in", {f"s{n}/a.ipynb": ONE for n in range(3)}), PS, root, limits=Limits(entries=2))
    assert [path.name for path in root.iterdir()] == ["assignments"], "nothing is left of it, not even a lock"


# --- which notebook counts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"{PS} (1).ipynb", f"Copy of {PS}.ipynb", "mine.ipynb", f"{PS}.ipynb.txt", "A.IPYNB"])
def test_the_only_notebook_counts_whatever_its_name(root, tmp_path, name):
    (one,) = take_in(fill(tmp_path / "in", {f"anna/{name}": ONE}), PS, root)
    assert one.notes == (f"The notebook is named {name!r} instead of '{PS}.ipynb'; it is the only one.",)
    assert submitted(root, "anna") == ONE


def test_of_several_notebooks_the_one_that_fits_the_release_counts(root, tmp_path):
    files = {f"anna/{PS}.ipynb": notebook(), "anna/mine.ipynb": ONE, "anna/scratch.ipynb": OTHER, "anna/z.ipynb": b"{"}
    (one,) = take_in(fill(tmp_path / "in", files), PS, root)
    assert submitted(root, "anna") == ONE
    assert one.notes == (
        "Of several notebooks 'mine.ipynb' fits the release best and counts; "
        f"not: '{PS}.ipynb', 'scratch.ipynb', 'z.ipynb'.",
    )
    assert not one.fault


def test_files_beside_the_notebook_are_kept_and_do_not_travel(root, tmp_path):
    beside = {"utils/__init__.py": b"import os", "sitecustomize.py": b"", "words.txt": b"a b", "data/more.txt": b"c"}
    files = {f"anna/{PS}.ipynb": ONE, **{f"anna/{name}": data for name, data in beside.items()}}
    (one,) = take_in(fill(tmp_path / "in", files), PS, root, travelling=["words.txt"])
    kept = one.path.parent
    assert {name: (kept / name).read_bytes() for name in beside} == beside
    there = {path.name for path in (root / "submitted" / "anna" / PS).rglob("*")}
    assert there == {f"{PS}.ipynb", "timestamp.txt", "words.txt"}
    assert one.notes == (
        "Handed in beside the notebook, kept in hand_ins, and not used in grading: "
        "'data/more.txt', 'sitecustomize.py', 'utils/__init__.py'.",
    )


# --- nothing is lost, nothing is added twice ------------------------------------------------------------------------


def test_taking_in_the_same_twice_adds_nothing(root, tmp_path):
    source = fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE, "anna/x.txt": b"x", "bob/broken.ipynb": b"{"})
    first = take_in(source, PS, root)
    before = everything(root)
    assert take_in(source, PS, root) == first
    assert take_in(pack(tmp_path / "x.zip", {f"anna/{PS}.ipynb": ONE, "anna/x.txt": b"x"}), PS, root)[0] == first[0]
    assert everything(root) == before


def test_the_latest_counts_in_whatever_order_they_come_in(root, tmp_path):
    new = fill(tmp_path / "new", {f"anna/{PS}.ipynb": TWO}, moment=1_800_000_000)
    old = fill(tmp_path / "old", {f"anna/{PS}.ipynb": ONE})
    for source in (new, old, new, old):
        take_in(source, PS, root)
        assert submitted(root, "anna") == TWO
    assert [one.path.read_bytes() for one in history(PS, root)] == [ONE, TWO]
    again = fill(tmp_path / "again", {f"anna/{PS}.ipynb": ONE}, moment=1_900_000_000)
    take_in(again, PS, root)
    assert submitted(root, "anna") == ONE, "going back to an earlier version is a hand-in of its own"
    assert len(history(PS, root)) == 3


def test_a_time_can_be_given(root, tmp_path):
    source = fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE})
    (one,) = take_in(source, PS, root, received=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert one.received == "2026-02-03T04:05:06+00:00"
    stamp = (root / "submitted" / "anna" / PS / "timestamp.txt").read_text()
    assert stamp == "2026-02-03 04:05:06.000000 UTC"


def test_a_later_file_that_cannot_be_read_does_not_replace_a_good_one(root, tmp_path):
    take_in(fill(tmp_path / "old", {f"anna/{PS}.ipynb": ONE}), PS, root)
    (broken,) = take_in(fill(tmp_path / "new", {f"anna/{PS}.ipynb": ONE[:-40]}, moment=1_800_000_000), PS, root)
    assert "cut off" in broken.fault
    assert submitted(root, "anna") == ONE
    (one,) = counting(PS, root)
    assert not one.fault
    assert "does not count" in one.notes[-1]
    assert "cut off" in one.notes[-1]


def test_what_lay_in_submitted_before_is_kept(root, tmp_path):
    fill(root / "submitted", {f"anna/{PS}/{PS}.ipynb": TWO, f"anna/{PS}/timestamp.txt": b"2020-01-01 00:00:00 UTC"})
    take_in(fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE}), PS, root)
    assert submitted(root, "anna") == ONE
    assert [(one.received[:4], one.path.read_bytes()) for one in history(PS, root)] == [("2020", TWO), ("2023", ONE)]


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("step", ["open", "replace", "rename", "fsync", "mkdir", "chmod"])
def test_an_interrupt_anywhere_loses_nothing_and_the_next_run_completes_it(root, tmp_path, step, monkeypatch):
    take_in(fill(tmp_path / "old", {f"anna/{PS}.ipynb": ONE}), PS, root)
    files = {f"anna/{PS}.ipynb": TWO, "anna/x.txt": b"x", f"bob/{PS}.ipynb": ONE}
    source = fill(tmp_path / "in", files, moment=1_800_000_000)
    real, count = getattr(os, step), 0
    for stop in range(60):
        calls = iter(range(1000))

        def interrupt(*arguments, calls=calls, stop=stop, **options):
            if next(calls) == stop:
                raise Interrupted
            return real(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, step, interrupt)
            try:
                take_in(source, PS, root)
            except Interrupted:
                count += 1
            else:
                break
        assert submitted(root, "anna") in (ONE, TWO), "always a whole notebook"
        assert all(one.path.read_bytes() in (ONE, TWO) for one in history(PS, root))
    assert count, f"os.{step} should be used"
    assert (submitted(root, "anna"), submitted(root, "bob")) == (TWO, ONE)
    assert len(history(PS, root)) == 3
    assert not [path for path in root.rglob("*") if ".part" in path.name]


def test_two_at_once_do_not_disturb_each_other(root, tmp_path):
    source = fill(tmp_path / "in", {f"s{number}/{PS}.ipynb": ONE for number in range(12)})
    threads = [threading.Thread(target=take_in, args=(source, PS, root)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(history(PS, root)) == 12


# --- what is broken, too large or hostile ---------------------------------------------------------------------------


def test_faults_are_reported_for_each_student_and_the_others_go_on(root, tmp_path):
    files = {
        f"empty/{PS}.ipynb": b"",
        f"large/{PS}.ipynb": b"x" * 200_001,
        f"text/{PS}.ipynb": b"def add_one(x): ...",
        f"page/{PS}.ipynb": b"<!DOCTYPE html>",
        "none/answers.py": b"x = 1",
        f"good/{PS}.ipynb": ONE,
    }
    found = outcome(take_in(fill(tmp_path / "in", files), PS, root, limits=Limits(file_bytes=200_000)))
    assert "is empty" in found["empty"]
    assert "larger than 0.2 MB" in found["large"]
    assert "cannot be read as JSON" in found["text"]
    assert "web page" in found["page"]
    assert found["none"] == "There is no notebook (.ipynb), only 'answers.py'."
    assert found["good"] == ""
    assert sorted(path.name for path in (root / "submitted").iterdir()) == ["good"]
    assert outcome(counting(PS, root)) == found


def test_links_and_devices_in_a_folder_are_not_followed(root, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(TWO)
    source = fill(tmp_path / "in", {f"good/{PS}.ipynb": ONE})
    for student in ("link", "pipe", "folder", "outside"):
        (source / student).mkdir()
    (source / "link" / f"{PS}.ipynb").symlink_to(secret)
    os.mkfifo(source / "pipe" / f"{PS}.ipynb")
    (source / "folder" / "sub").symlink_to(tmp_path)
    (source / "outside" / f"{PS}.ipynb").mkdir()
    (source / "linked_student").symlink_to(source / "good")
    found = outcome(take_in(source, PS, root))
    assert found["good"] == ""
    assert "it is a link" in found["link"]
    assert "no ordinary file" in found["pipe"]
    assert "it is a link" in found["folder"]
    assert all(TWO not in data for data in everything(root).values())


def special(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def test_no_name_in_an_archive_leads_out(root, tmp_path):
    names = [
        f"../../evil/{PS}.ipynb",
        f"/etc/{PS}.ipynb",
        f"anna/../../../bob/{PS}.ipynb",
        f"C:\\Windows\\{PS}.ipynb",
        f"..\\evil\\{PS}.ipynb",
        f"carl/..\\..\\{PS}.ipynb",
    ]
    files = {name: TWO for name in names}
    files[special("dora/link.ipynb", stat.S_IFLNK | 0o777)] = b"/etc/passwd"
    files[special("emil/pipe.ipynb", stat.S_IFIFO | 0o777)] = TWO
    files[f"good/{PS}.ipynb"] = ONE
    outside = {path for path in tmp_path.rglob("*")}
    taken = take_in(pack(tmp_path / "x.zip", files), PS, root)
    found = outcome(taken)
    assert found["good"] == ""
    assert all("leads out" in found[name] for name in ("anna", "carl"))
    assert all("special file" in found[name] for name in ("dora", "emil"))
    assert sum(not one.student for one in taken) == 4
    new = {path for path in tmp_path.rglob("*")} - outside - {tmp_path / "x.zip"}
    assert all(path.is_relative_to(root / "hand_ins") or path.is_relative_to(root / "submitted") for path in new)
    assert {path.name for path in (root / "submitted").iterdir()} == {"good"}


def test_an_archive_that_unpacks_to_far_more_than_it_is(root, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"bomb{number}/{PS}.ipynb", b" " * 3_000_000)
        archive.writestr(f"good/{PS}.ipynb", ONE)
    assert (tmp_path / "x.zip").stat().st_size < 100_000
    found = outcome(take_in(tmp_path / "x.zip", PS, root, limits=Limits(file_bytes=1_000_000)))
    assert all("larger than 1 MB" in found[f"bomb{number}"] for number in range(5))
    assert found["good"] == ""
    assert sum(path.stat().st_size for path in root.rglob("*")) < 200_000
    limits = Limits(total_bytes=2_000_000)
    found = outcome(take_in(tmp_path / "x.zip", PS, root, limits=limits))
    assert "all hand-ins together" in found["bomb4"]


def test_a_damaged_file_in_an_archive_costs_only_itself(root, tmp_path):
    pack(tmp_path / "x.zip", {f"anna/{PS}.ipynb": ONE, f"bob/{PS}.ipynb": TWO})
    data = (tmp_path / "x.zip").read_bytes()
    place = data.index(ONE[20:60])
    (tmp_path / "x.zip").write_bytes(data[:place] + b"?" + data[place + 1 :])
    found = outcome(take_in(tmp_path / "x.zip", PS, root))
    assert "damaged" in found["anna"]
    assert found["bob"] == ""


def test_200_damaged_archives_raise_nothing_but_course_errors(root, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in ("anna", "bob"):
            archive.writestr(f"{student}/{PS}.ipynb", ONE)
    whole = buffer.getvalue()
    for seed in range(200):
        rng = random.Random(seed)
        data = bytearray(whole)
        for _ in range(rng.choice([1, 3, 10])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "x.zip").write_bytes(data)
        with contextlib.suppress(CourseError):
            take_in(tmp_path / "x.zip", PS, root)
    assert {path.name for path in root.iterdir()} <= {"assignments", "hand_ins", "submitted"}


def test_names_that_only_differ_for_some_file_systems_stay_apart(root, tmp_path):
    names = ["Anna", "anna", "ANNA", "ａnna", "con", "NUL", "a" * 300, "bob\u202e", "bob"]
    names += ["Zoë", "Zoe\u0308", "Zoe", " ", "-x"]
    files = {f"{name}/{PS}.ipynb": notebook(f"return {number}") for number, name in enumerate(names)}
    taken = take_in(pack(tmp_path / "x.zip", files), PS, root)
    students = [one.student for one in taken if one.student]
    kept = {one.path.read_bytes() for one in history(PS, root)}
    assert kept == {data for name, data in files.items()}, "every one is kept"
    assert len({same_on_disk(name) for name in students}) == len(set(students))
    assert len(set(students)) >= len(names) - 2, "only the two ways to write ë are one"
    assert all(name.isascii() and not set(name) & set('/\\:*?"<>|') for name in students)


def test_files_whose_names_clash_on_some_system_are_all_kept(root, tmp_path):
    beside = ["a.txt", "A.TXT", "ａ.txt", "a.txt/b", "x/y", "x"]
    beside += ["hand-in.json", "nul.txt", "n\u202e", "n\u200b", "e\u0301.txt", "é.txt"]
    files = {f"anna/{PS}.ipynb": ONE, **{f"anna/{name}": name.encode() for name in beside}}
    (one,) = take_in(pack(tmp_path / "x.zip", files), PS, root)
    kept = [path for path in one.path.parent.rglob("*") if path.is_file()]
    assert {path.read_bytes() for path in kept} >= {name.encode() for name in beside}
    relative = [same_on_disk(str(path.relative_to(one.path.parent))) for path in kept]
    assert len(set(relative)) == len(relative)


def test_a_linked_folder_in_submitted_is_refused(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (root / "submitted").mkdir()
    (root / "submitted" / "anna").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match="leads out of the course folder"):
        take_in(fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE}), PS, root)
    assert not any(path.is_file() for path in (tmp_path / "elsewhere").rglob("*"))


def test_a_damaged_description_is_said_and_not_overwritten(root, tmp_path):
    source = fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE})
    (one,) = take_in(source, PS, root)
    (one.path.parent / hand_ins.MANIFEST).write_text("{")
    with pytest.raises(CourseError, match="is damaged"):
        take_in(source, PS, root)


def test_a_full_disk_is_said_and_leaves_nothing_half(root, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device", "hand_ins")

    source = fill(tmp_path / "in", {f"anna/{PS}.ipynb": ONE})
    monkeypatch.setattr(collect.os, "fsync", fail)
    with pytest.raises(CourseError, match="No space left"):
        take_in(source, PS, root)
    assert history(PS, root) == []


def test_200_students_in_one_archive_take_seconds(root, tmp_path):
    files = {f"student{number}/{PS}.ipynb": notebook(f"return {number}") for number in range(200)}
    source = pack(tmp_path / "x.zip", files)
    begun = time.process_time()
    assert len(take_in(source, PS, root)) == 200
    assert time.process_time() - begun < 10


# --- names ----------------------------------------------------------------------------------------------------------

ODD_NAMES = st.sampled_from(["..", ".", "", "con.txt", "a/b", "~", "\0"])
ANY_NAME = st.text(st.characters(codec=None), max_size=150) | ODD_NAMES


@given(ANY_NAME)
def test_a_safe_part_is_one_name_on_every_system(name):
    safe = safe_part(name)
    assert safe
    assert pathlib.PurePosixPath(safe).parts == (safe,)
    assert pathlib.PureWindowsPath(safe).parts == (safe,)
    assert not pathlib.PureWindowsPath(safe).is_reserved()
    assert safe not in (".", "..")
    assert len(safe.encode()) <= 120
    assert safe == safe.rstrip(". ")
    assert safe_part(safe) == safe


@given(ANY_NAME)
def test_a_safe_student_is_a_plain_word(name):
    safe = safe_student(name)
    assert safe.isascii()
    assert 0 < len(safe) <= 71
    assert not set(safe) & set(" /\\:*?\"<>|'[]{}+\n")
    assert safe[0] not in ".-"
    assert safe[-1] not in ".-"
    assert not pathlib.PureWindowsPath(safe).is_reserved()


@given(st.lists(st.lists(ANY_NAME, min_size=1, max_size=3), max_size=12))
def test_free_names_never_clash(paths):
    taken = set()
    names = [same_on_disk(free_name(path, taken)) for path in paths]
    assert len(set(names)) == len(names)
    for one in names:
        assert not any(other.startswith(f"{one}/") for other in names), "no file is also a folder"


def test_notes_and_manifests_can_be_written(root, tmp_path):
    source = tmp_path / "in" / "anna"
    source.mkdir(parents=True)
    (source / os.fsdecode(b"\xff\xfe.ipynb")).write_bytes(ONE)
    (one,) = take_in(tmp_path / "in", PS, root)
    "".join(one.notes).encode()
    json.dumps(copy.deepcopy(one.notes))
    assert history(PS, root)[0].notes == one.notes
