"""What somebody who may write in the course's folder does to eve's points: in the records, the log, the gradebook.

Each attack is a function that changes the folder; its name names it, its docstring explains it.
"""

import contextlib
import hashlib
import json
import pathlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator

from made_records import make_record

from grading import audit, records

Attack = Callable[[pathlib.Path], object]


def record_of(course: pathlib.Path, student: str) -> pathlib.Path:
    (path,) = (course / "grades" / "ps1" / student).glob("*.json")
    return path


def rewrite(path: pathlib.Path, data: bytes) -> None:
    path.unlink()  # a record is read-only, but not its folder
    path.write_bytes(data)


def better(data: bytes) -> bytes:
    """The record with full points."""
    values = json.loads(data)
    for verdict in values["verdicts"]:
        verdict |= {"points": verdict["possible"], "outcome": "passed"}
    return json.dumps(values, sort_keys=True, indent=1).encode() + b"\n"


def log_lines(course: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in (course / "grades" / "audit.jsonl").read_text().splitlines()]


def write_log(course: pathlib.Path, lines: list[dict]) -> None:
    text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
    (course / "grades" / "audit.jsonl").write_text(text)


def hash_of(line: dict) -> str:
    content = {name: value for name, value in line.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


# --- seen in the log ------------------------------------------------------------------------------------------------


def raised_points(course: pathlib.Path) -> None:
    """A record is given full points."""
    path = record_of(course, "eve")
    rewrite(path, better(path.read_bytes()))


def removed_record(course: pathlib.Path) -> None:
    """A record that says nothing good is gone."""
    record_of(course, "eve").unlink()


def added_record(course: pathlib.Path) -> None:
    """A better record, of a later day, is put beside the true one."""
    records.write(make_record("eve", day=9), course)


def another_students_record(course: pathlib.Path) -> None:
    """The record of one with full points is copied over eve's."""
    rewrite(record_of(course, "eve"), record_of(course, "good").read_bytes().replace(b'"good"', b'"eve"'))


def exchanged_records(course: pathlib.Path) -> None:
    """Two students' records change places."""
    ours, theirs = record_of(course, "eve"), record_of(course, "good")
    first, second = ours.read_bytes(), theirs.read_bytes()
    rewrite(ours, second)
    rewrite(theirs, first)


def record_as_a_link(course: pathlib.Path) -> None:
    """In the place of the record is a link to a better one, outside of the records."""
    path = record_of(course, "eve")
    (course / "better.json").write_bytes(better(path.read_bytes()))
    path.unlink()
    path.symlink_to(course / "better.json")


def changed_with_its_line(course: pathlib.Path) -> None:
    """A record is changed, and the log's line for it calculated anew."""
    raised_points(course)
    lines = log_lines(course)
    (line,) = [line for line in lines if "/eve/" in line["record"]]
    line["sha256"] = hashlib.sha256(record_of(course, "eve").read_bytes()).hexdigest()
    line["hash"] = hash_of(line)
    write_log(course, lines)


def removed_line(course: pathlib.Path) -> None:
    """A record is gone, and so is its line."""
    removed_record(course)
    write_log(course, [line for line in log_lines(course) if "/eve/" not in line["record"]])


def line_for_another_file(course: pathlib.Path) -> None:
    """The line of a changed record names a file that nobody has changed."""
    raised_points(course)
    lines = log_lines(course)
    (line,) = [line for line in lines if "/eve/" in line["record"]]
    (course / "kept.json").write_bytes(make_record("eve").problem_set.encode())
    line["record"] = "../kept.json"
    write_log(course, lines)


def emptied_log(course: pathlib.Path) -> None:
    """The log is there, with nothing in it."""
    raised_points(course)
    (course / "grades" / "audit.jsonl").write_text("")


def removed_log(course: pathlib.Path) -> None:
    """The log is gone."""
    raised_points(course)
    (course / "grades" / "audit.jsonl").unlink()


# --- seen only by the hash that an instructor has kept --------------------------------------------------------------


def log_made_anew(course: pathlib.Path) -> None:
    """A record is changed, and its line and all after it are calculated anew."""
    changed_with_its_line(course)
    lines, previous = log_lines(course), audit.FIRST
    for line in lines:
        line["previous"] = previous
        previous = line["hash"] = hash_of(line)
    write_log(course, lines)


def removed_log_that_the_next_grading_writes(course: pathlib.Path) -> None:
    """The log is gone, and the next grading logs what it finds, changed records among it."""
    removed_log(course)
    audit.recover(course)


def cut_end(course: pathlib.Path) -> None:
    """The last record and its line are gone, so that it was never handed in."""
    lines = log_lines(course)
    (course / lines[-1]["record"]).unlink()
    write_log(course, lines[:-1])


SEEN: tuple[Attack, ...] = (
    raised_points,
    removed_record,
    added_record,
    another_students_record,
    exchanged_records,
    record_as_a_link,
    changed_with_its_line,
    removed_line,
    line_for_another_file,
    emptied_log,
    removed_log,
)
SEEN_BY_A_KEPT_HASH: tuple[Attack, ...] = (log_made_anew, removed_log_that_the_next_grading_writes, cut_end)


# --- the gradebook --------------------------------------------------------------------------------------------------

OF_EVE = (
    "notebook_id in (select n.id from submitted_notebook n join submitted_assignment a on n.assignment_id = a.id"
    " where a.student_id = 'eve')"
)


@contextlib.contextmanager
def database(course: pathlib.Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as connection:
        yield connection
        connection.commit()


def raised_scores(course: pathlib.Path) -> None:
    """Eve's scores are full, and more than full."""
    with database(course) as book:
        book.execute(f"update grade set auto_score = 1000 where {OF_EVE}")


def scores_that_wait(course: pathlib.Path) -> None:
    """Eve's checks wait for a person who might give more."""
    with database(course) as book:
        book.execute(f"update grade set needs_manual_grade = 1 where {OF_EVE}")


def exchanged_students(course: pathlib.Path) -> None:
    """What eve handed in is another's, and what that one handed in is hers."""
    with database(course) as book:
        for old, new in (("eve", "x"), ("good", "eve"), ("x", "good")):
            book.execute("update submitted_assignment set student_id = ? where student_id = ?", (new, old))


def removed_submission(course: pathlib.Path) -> None:
    """The gradebook has never heard of what eve handed in."""
    with database(course) as book:
        for table in ("grade", "comment"):
            book.execute(f"delete from {table} where {OF_EVE}")
        book.execute(
            "delete from submitted_notebook where assignment_id in"
            " (select id from submitted_assignment where student_id = 'eve')"
        )
        book.execute("delete from submitted_assignment where student_id = 'eve'")


def another_notebook_to_mark(course: pathlib.Path) -> None:
    """The notebook that formgrader shows of eve is another's."""
    folders = [course / "autograded" / student / "ps1" / "ps1.ipynb" for student in ("good", "eve")]
    shutil.copyfile(*folders)


MENDED: tuple[Attack, ...] = (
    raised_scores,
    scores_that_wait,
    exchanged_students,
    removed_submission,
    another_notebook_to_mark,
)


def raised_maximum(course: pathlib.Path) -> None:
    """Checks are worth ten times as much as the release says."""
    with database(course) as book:
        book.execute("update grade_cells set max_score = 10 * max_score")


def handed_in_in_a_far_future(course: pathlib.Path) -> None:
    """Full scores, for a hand-in that is later than all that will come."""
    raised_scores(course)
    with database(course) as book:
        book.execute(
            "update submitted_assignment set timestamp = '2099-01-01 00:00:00.000000' where student_id = 'eve'"
        )


def replaced_by_text(course: pathlib.Path) -> None:
    """The gradebook is no database."""
    (course / "gradebook.db").write_text("eve has full points")


TOLD: dict[Attack, str] = {
    raised_maximum: "differ in add_large, add_small",
    handed_in_in_a_far_future: "A later hand-in is in the gradebook",
    replaced_by_text: "cannot be used",
}
