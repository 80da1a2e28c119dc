"""What was handed in, as it is kept in `hand_ins`: a folder for each hand-in, which is never changed."""

import contextlib
import json
import os
import pathlib
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from course.errors import CourseError
from course.paths import ROOT

MANIFEST = "hand-in.json"  # beside the files of each hand-in
PART = ".part-"  # begins the name of a folder that is not complete; an interrupt can leave one behind


@dataclass(frozen=True)
class HandIn:
    """One hand-in of a student.

    Attributes:
        student: the name in folders and in the gradebook; empty where the source does not say whose it is.
        problem_set: such as ps1_reviews.
        path: the notebook below `hand_ins`, as handed in, or the hand-in's folder where it has none.
        received: ISO 8601 in UTC.
        sha256: of the notebook; empty where there is none.
        fault: why it cannot be graded, in a sentence; empty where it can.
        notes: what an instructor should know of it.
    """

    student: str
    problem_set: str
    path: pathlib.Path
    received: str
    sha256: str
    fault: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """A hand-in with what only taking in needs of it.

    Attributes:
        hand_in: the hand-in.
        folder: where it lies.
        notebook: the notebook's path in the folder; empty where there is none.
        digest: of all its files, names and contents.
        files: of each file its path in the folder and the name that it was handed in by.
        name: the student's, as the source has it.
        number: the learning platform's number for the student.
        platform: "canvas", "moodle", "blackboard" or "folder".
    """

    hand_in: HandIn
    folder: pathlib.Path
    notebook: str
    digest: str
    files: dict[str, str]
    name: str
    number: str
    platform: str


def history(problem_set: str, root: pathlib.Path = ROOT, student: str = "*") -> list[HandIn]:
    """All hand-ins that were ever taken in, by student and time, of all students or of one."""
    return [kept.hand_in for kept in read_all(problem_set, root, student)]


def counting(problem_set: str, root: pathlib.Path = ROOT) -> list[HandIn]:
    """For each student the hand-in that counts: the latest that can be graded, or else the latest."""
    latest: dict[str, HandIn] = {}
    for one in history(problem_set, root):
        before = latest.get(one.student)
        if before and one.fault and not before.fault:
            note = f"What was handed in later, on {one.received}, does not count: {one.fault}"
            latest[one.student] = replace(before, notes=(*before.notes, note))
        else:
            latest[one.student] = one
    return list(latest.values())


def read_all(problem_set: str, root: pathlib.Path, student: str = "*") -> list[Kept]:
    """The same as history, with all that is known of each."""
    paths = (root / "hand_ins" / problem_set).glob(f"{student}/*/{MANIFEST}")
    found = [read(path.parent) for path in paths if not path.parent.name.startswith(PART)]
    return sorted(found, key=lambda one: (one.hand_in.student, one.hand_in.received, one.folder))


def read(folder: pathlib.Path) -> Kept:
    """Read one hand-in's folder.

    Raises:
        CourseError: what describes it is damaged.
    """
    try:
        values: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        described = values.pop("hand_in")
        hand_in = HandIn(**{**described, "notes": tuple(described["notes"])}, path=folder / values["notebook"])
        return Kept(hand_in=hand_in, folder=folder, **values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{folder / MANIFEST} is damaged ({error}): restore it from a backup.") from None


def keep(staged: Kept, folder: pathlib.Path) -> HandIn:
    """Describe a complete hand-in and give it its final place, at once or not at all."""
    values = asdict(staged)
    del values["folder"], values["hand_in"]["path"]
    (staged.folder / MANIFEST).write_text(json.dumps(values, indent=1), encoding="utf-8")
    sync(staged.folder / MANIFEST)
    sync(staged.folder)
    os.chmod(staged.folder, 0o755)  # it was made as a private one
    os.rename(staged.folder, folder)
    sync(folder.parent)
    return replace(staged.hand_in, path=folder / staged.notebook)


def write(path: pathlib.Path, data: bytes) -> None:
    """Write a copy of what is kept in `hand_ins`, at once or not at all, and only where it differs.

    It is not forced to the disk, which takes long: after a power cut, taking in the same again mends it.
    """
    if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)  # mkstemp makes private files
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


def moment_in(stamp: str) -> datetime:
    """The time in nbgrader's timestamp.txt, in UTC, also where it names no zone.

    Raises:
        ValueError: it holds no time.
    """
    from dateutil import parser, tz

    try:
        moment = parser.parse(stamp.strip(), tzinfos=lambda name, offset: tz.gettz(name) if offset is None else offset)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, TypeError) as error:
        raise ValueError(f"{stamp!r:.100} holds no time: write it as 2026-01-31 12:00:00 UTC") from error


def sync(path: pathlib.Path) -> None:
    """Bring a file, or a folder's list of files, to the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
