"""What grading found out about one hand-in: an immutable record, one JSON file each."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import math
import os
import pathlib
import re
import secrets
import typing
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from course.errors import CourseError
from course.paths import ROOT

OUTCOMES = ("passed", "failed", "error", "timeout", "memory", "crash", "not run", "by hand")
# Part of a record's key: raise it when the grader changes in a way that can change points.
GRADER_VERSION = "1"
_KEY = re.compile(r"[0-9a-f]{64}")
_MAX_NAME = 200  # bytes of a folder's name; most file systems take 255


@dataclass(frozen=True)
class Verdict:
    """What came out of one check, or that an answer in words waits to be marked by hand."""

    check: str  # the name (grade_id) of the check's cell
    exercise: str  # the name of the student's cell that it belongs to
    title: str  # the exercise's heading, as students know it
    points: float  # earned
    possible: float
    outcome: str  # one of OUTCOMES
    message: str  # what the student may read; never a hidden line or what a hidden test expects
    expected: str  # the sentence that says what the check looks at
    seconds: float

    @property
    def is_written(self) -> bool:
        """Whether this is an answer in words: its cell is the student's own, a check's is another."""
        return self.check == self.exercise


@dataclass(frozen=True)
class Record:
    """One grading of one hand-in. Times are ISO 8601 with a zone; limits are in seconds and bytes."""

    problem_set: str
    student: str  # the name in the gradebook and in `submitted/`
    received: str
    graded: str
    submission_sha256: str  # of the file as handed in
    release_sha256: str  # of the released notebook
    solution_sha256: str  # of the instructor's notebook, which holds the checks
    key: str  # what decides whether to grade again, from record_key
    environment: dict[str, str]  # versions of what it ran with
    seed: int
    limits: dict[str, float]
    isolation: str  # the name of the isolation level
    notes: tuple[str, ...]  # what repair changed, what the sandbox said
    fault: str  # why nothing could be run; empty where something was
    cells: tuple[tuple[str, float, str], ...]  # of each of the student's cells its name, seconds and outcome
    verdicts: tuple[Verdict, ...]

    @property
    def points(self) -> float:
        """The sum of what was earned without the answers that are graded by hand."""
        return math.fsum(verdict.points for verdict in self.verdicts)

    @property
    def possible(self) -> float:
        """The sum of what could be earned, with the answers that are graded by hand."""
        return math.fsum(verdict.possible for verdict in self.verdicts)


def record_key(submission_sha256: str, solution_sha256: str, environment: Mapping[str, str], seed: int) -> str:
    """What decides whether a hand-in must be graded again: the same key means the same verdicts.

    Two students who hand in the same file have the same key; compare keys within one student.
    """
    parts = [GRADER_VERSION, submission_sha256, solution_sha256, dict(environment), seed]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def when(moment: str) -> datetime:
    """A record's time as a datetime in UTC.

    Raises:
        ValueError: it is no ISO 8601 time, or has no zone.
    """
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError(f"the time {moment!r} has no zone: write it as 2026-01-31T12:00:00+00:00")
    return parsed.astimezone(UTC)


def to_json(record: Record) -> bytes:
    """A record as UTF-8 JSON: the same record gives the same bytes everywhere.

    Half characters (lone surrogates, which a student's message can hold) become question marks.

    Raises:
        CourseError: a value is not what a record may hold, such as NaN points.
    """
    values = dataclasses.asdict(_checked(dataclasses.asdict(record), f"the record of {record.student}"))
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    return f"{text}\n".encode("utf-8", "replace")


def from_json(data: bytes, name: str) -> Record:
    """Read a record, strictly: every field, of its type, and no other.

    Args:
        data: what to_json wrote.
        name: the file, for the error message.

    Raises:
        CourseError: anything is missing, unknown, of another type, NaN or infinite; the message names the file.
    """
    try:
        values = json.loads(data.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CourseError(f"{name} is no whole record: {error}.") from None
    return _checked(values, name)


def path_of(record: Record, root: pathlib.Path = ROOT, number: int = 1) -> pathlib.Path:
    """Where a record belongs: grades/PROBLEM_SET/STUDENT/<received>_<key>.json.

    A second grading of the same hand-in under the same key (a forced one) has the number 2, and so on.
    """
    received = when(record.received)
    stamp = received.strftime("%Y%m%dT%H%M%S") + (f".{received.microsecond:06d}" if received.microsecond else "") + "Z"
    again = f"_{number}" if number > 1 else ""
    folder = root / "grades" / safe_name(record.problem_set) / safe_name(record.student)
    return folder / f"{stamp}_{record.key[:16]}{again}.json"


def safe_name(name: str) -> str:
    """The name itself, where it can be one folder's name.

    Raises:
        CourseError: it is empty or too long, or would lead elsewhere.
    """
    odd = any(character in "/\\" or unicodedata.category(character) in ("Cc", "Cs") for character in name)
    if odd or not name.strip() or name.startswith(".") or len(name.encode("utf-8", "replace")) > _MAX_NAME:
        raise CourseError(f"{name!r} cannot be a folder's name: it is empty or too long, begins with a dot or holds /.")
    return name


def write(record: Record, root: pathlib.Path = ROOT, again: bool = False) -> pathlib.Path:
    """Write a record, at once or not at all. No file is ever overwritten.

    Args:
        record: the record.
        root: the course folder.
        again: whether this is a forced grading, which gets a name of its own beside the earlier one.

    Returns:
        The file.

    Raises:
        CourseError: there is a record of this hand-in under this key, or the record cannot be written.
    """
    data, number = to_json(record), 1
    while True:
        path = path_of(record, root, number)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_once(path, data)
            return path
        except FileExistsError:
            if not again:
                raise CourseError(f"{path} exists, and a record is never overwritten: grade again by force.") from None
            number += 1
        except OSError as error:
            raise CourseError(f"{path} cannot be written: {error.strerror}.") from error


def read(path: pathlib.Path) -> Record:
    """Read one record's file, and see that it lies where it belongs.

    Raises:
        CourseError: it cannot be read, is no record, or is another student's or problem set's.
    """
    try:
        record = from_json(path.read_bytes(), str(path))
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    belongs, lies = f"{record.problem_set}/{record.student}", f"{path.parent.parent.name}/{path.parent.name}"
    if unicodedata.normalize("NFC", belongs) != unicodedata.normalize("NFC", lies):  # some systems split accents off
        raise CourseError(f"{path} is a record of {belongs}: it lies in the wrong folder.")
    return record


def read_all(problem_set: str, root: pathlib.Path = ROOT) -> list[Record]:
    """All records of a problem set, the oldest first: by student, when received, when graded.

    Raises:
        CourseError: a file is no record; the message names it.
    """
    folder = root / "grades" / safe_name(problem_set)
    return sorted((read(path) for path in folder.glob("*/*.json")), key=_order)


def newest(records: Iterable[Record]) -> dict[str, Record]:
    """For each student the record that counts: of what was received last, the grading that was done last."""
    return {record.student: record for record in sorted(records, key=_order)}


def _order(record: Record) -> tuple[str, datetime, datetime]:
    return record.student, when(record.received), when(record.graded)


def _write_once(path: pathlib.Path, data: bytes) -> None:
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # unlike a rename it refuses to replace a file
        except OSError:
            if path.exists():
                raise FileExistsError(path) from None
            os.rename(temporary, path)  # a file system without hard links
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: pathlib.Path) -> None:
    """Bring a folder's list of files to the disk, where the system can."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        handle = os.open(folder, os.O_RDONLY)
        stack.callback(os.close, handle)
        os.fsync(handle)


def _checked(values: Any, name: str) -> Record:
    try:
        record = _as(Record, values, "the record")
        for moment in (record.received, record.graded):
            when(moment)
        if not _KEY.fullmatch(record.key):
            raise ValueError(f"the key {record.key!r} is not 64 hexadecimal digits")
        for verdict in record.verdicts:
            if verdict.outcome not in OUTCOMES:
                raise ValueError(f"{verdict.check}: the outcome {verdict.outcome!r} is none of {', '.join(OUTCOMES)}")
            if not 0 <= verdict.points <= verdict.possible:
                raise ValueError(f"{verdict.check}: {verdict.points:g} of {verdict.possible:g} points cannot be")
    except (ValueError, TypeError) as error:
        raise CourseError(f"{name} is no valid record: {error}.") from None
    safe_name(record.problem_set), safe_name(record.student)
    return record


_hints = functools.cache(typing.get_type_hints)


def _as(kind: Any, value: Any, place: str) -> Any:
    """The value as the annotated type; only lists become tuples, and whole numbers floats where floats belong."""
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        if not isinstance(value, dict) or value.keys() != hints.keys():
            given = set(value) if isinstance(value, dict) else set()
            raise ValueError(f"{place}: missing {sorted(hints.keys() - given)}, unknown {sorted(given - hints.keys())}")
        return kind(**{name: _as(hint, value[name], name) for name, hint in hints.items()})
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [parts[0]] * len(value) if parts[1:] == (...,) else parts
        if len(kinds) == len(value):
            return tuple(_as(part, item, place) for part, item in zip(kinds, value))
    elif origin is dict and isinstance(value, dict):
        return {_as(str, name, place): _as(parts[1], item, f"{place}[{name!r}]") for name, item in value.items()}
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    elif kind is not float and type(value) is kind:
        return value
    raise TypeError(f"{place} should be {getattr(kind, '__name__', kind)}, got {value!r:.80}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError(f"a field is there twice among {', '.join(name for name, _ in pairs)}")
    return values


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is no number that a record may hold")
