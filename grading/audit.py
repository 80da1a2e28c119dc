"""The audit log: one line for each record, chained by hashes, so that a later change is seen.

`grades/audit.jsonl` is only ever appended to. Each line holds the hash of the line before it, so a line that is
changed, removed or moved breaks the chain. What no chain can show by itself is that its end is missing, or that
somebody who may write the file has made all of it anew: against both an instructor keeps a copy of the last hash, which
`report` prints, and gives it to `verify` later.
"""

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from course.errors import CourseError
from course.paths import ROOT
from grading import records

FIRST = "0" * 64  # what the first line names as the hash before it
_FIELDS = {"number", "record", "sha256", "previous", "time", "hash"}
_LOCK_TIMEOUT = 60  # seconds to wait for another writer


def append(paths: Iterable[pathlib.Path], root: pathlib.Path = ROOT) -> None:
    """Log records that were written, in this order. When it returns, the lines are on the disk.

    Args:
        paths: the records' files, below root.
        root: the course folder.

    Raises:
        CourseError: the log's last line is damaged, another program keeps the log locked, or a record is missing.
    """
    with _locked(root) as log:
        _cut_torn_line(log)
        _append(log, paths, root)


def recover(root: pathlib.Path = ROOT) -> list[str]:
    """Mend what a grading that was killed left behind. To be called before each grading.

    A last line that was not written to its end is cut off, and records without a line get one.

    Returns:
        What was done, in sentences; empty where nothing had to be.

    Raises:
        CourseError: as append does.
    """
    with _locked(root) as log:
        notes = _cut_torn_line(log)
        logged = {line.get("record") for line in _lines(log)}
        left = [path for path in _record_files(root) if _relative(path, root) not in logged]
        _append(log, left, root)
        return notes + [f"{_count(len(left))} had no line in the audit log, and got one now."] * bool(left)


def verify(root: pathlib.Path = ROOT, kept: str = "") -> list[str]:
    """Compare the log with itself and with the records.

    It sees a record that was changed, removed or never logged, and a line that was changed, removed, added or moved.
    That lines are missing at the log's end it sees only by records that have none, or by `kept`.

    Args:
        root: the course folder.
        kept: a hash that `report` printed earlier; the log must still hold it.

    Returns:
        The faults, in sentences; empty where there are none.
    """
    log = root / "grades" / "audit.jsonl"
    faults, previous = [], FIRST
    seen: set[str] = set()
    hashes = set()
    for number, line in enumerate(_lines(log), 1):
        if not _is_whole(line):
            faults.append(f"Line {number} of the log is damaged.")
        elif line["hash"] != _hash(line):
            faults.append(f"Line {number} of the log was changed.")
        elif (line["number"], line["previous"]) != (number, previous):
            faults.append(f"Line {number} of the log does not follow the one before: a line was removed or moved.")
        if _is_whole(line):
            previous = line["hash"]
            hashes.add(previous)
            faults += _compare(line, seen, root)
            seen.add(line["record"])
    if log.is_file() and _torn_length(log):
        faults.append("The log's last line is not complete: a grading was killed; the next one mends it.")
    unlogged = [_relative(path, root) for path in _record_files(root)]
    faults += [f"{path} has no line in the log." for path in unlogged if path not in seen]
    if kept and kept not in hashes:
        faults.append(f"The log does not hold the hash {kept}: its end was cut off, or it was made anew.")
    return faults


def last(root: pathlib.Path = ROOT) -> tuple[int, str]:
    """How many lines the log has, and the hash of the last: what an instructor writes down elsewhere."""
    number, line = 0, {}
    for number, line in enumerate(_lines(root / "grades" / "audit.jsonl"), 1):  # noqa: B007
        pass
    return number, str(line.get("hash", FIRST))


def report(console: Console, root: pathlib.Path = ROOT, kept: str = "") -> bool:
    """Print the faults, and the hash to keep, where there is one.

    Returns:
        Whether there were none.
    """
    faults = verify(root, kept)
    for fault in faults:
        console.print(fault, style="red", markup=False, highlight=False, soft_wrap=True)
    number, last_hash = last(root)
    if faults:
        console.print("Put back from a copy what was changed, then run `course grade` once more.")
    elif not number:
        console.print("There are no records yet, and so nothing to verify: `course grade` writes them.")
    else:
        found = " It holds your hash." * bool(kept)
        console.print(
            f"The audit log is whole: {_count(number)}, all as they were written.{found}\n"
            f"The hash of its last line, to be kept elsewhere: {last_hash}\n"
            "Only with such a copy can it be seen later that the log's end was cut off or all of it made anew.",
            highlight=False,
            soft_wrap=True,
        )
    return not faults


@contextlib.contextmanager
def _locked(root: pathlib.Path) -> Iterator[pathlib.Path]:
    import filelock

    folder = root / "grades"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder / "audit.lock", timeout=_LOCK_TIMEOUT):
            yield folder / "audit.jsonl"
    except filelock.Timeout:
        raise CourseError(f"Another program keeps {folder / 'audit.jsonl'} locked: wait until it is done.") from None


def _append(log: pathlib.Path, paths: Iterable[pathlib.Path], root: pathlib.Path) -> None:
    number, previous = _end_of(log)
    text = []
    for number, path in enumerate(paths, number + 1):  # noqa: B020  counting goes on from the last line
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise CourseError(f"{path} cannot be logged: {error.strerror}.") from error
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"number": number, "record": _relative(path, root), "sha256": sha256, "previous": previous, "time": now}
        previous = line["hash"] = _hash(line)
        text.append(json.dumps(line, sort_keys=True, ensure_ascii=False) + "\n")
    if text:
        with log.open("ab") as file:
            file.write("".join(text).encode())
            file.flush()
            os.fsync(file.fileno())
        records.sync_folder(log.parent)


def _end_of(log: pathlib.Path) -> tuple[int, str]:
    """The number and hash of the last line, read from the log's end so that a long log costs no more than a short."""
    if not log.is_file() or not log.stat().st_size:
        return 0, FIRST
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2**16))
        line = _parse(file.read().removesuffix(b"\n").rpartition(b"\n")[2])
    if not _is_whole(line) or line["hash"] != _hash(line):
        raise CourseError(f"The last line of {log} is damaged, not by a crash: look at it, then move the file aside.")
    return line["number"], line["hash"]


def _cut_torn_line(log: pathlib.Path) -> list[str]:
    torn = _torn_length(log) if log.is_file() else 0
    if not torn:
        return []
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - torn)
        os.fsync(file.fileno())
    return ["The audit log's last line was not complete, since a grading was killed, and was cut off."]


def _torn_length(log: pathlib.Path) -> int:
    """How many bytes stand after the last end of a line. A whole line ends with one, so a part of it has none."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2**16))
        return len(file.read().rpartition(b"\n")[2])


def _lines(log: pathlib.Path) -> Iterator[dict[str, Any]]:
    """The log's lines; an empty dict for one that cannot be read."""
    if log.is_file():
        with log.open("rb") as file:
            yield from (_parse(line) for line in file if line.endswith(b"\n"))


def _parse(line: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        values = json.loads(line)
        return values if isinstance(values, dict) else {}
    return {}


def _is_whole(line: dict[str, Any]) -> bool:
    texts = [value for name, value in line.items() if name != "number"]
    return line.keys() == _FIELDS and type(line["number"]) is int and all(isinstance(text, str) for text in texts)


def _hash(line: dict[str, Any]) -> str:
    content = {name: value for name, value in line.items() if name != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _compare(line: dict[str, Any], seen: set[str], root: pathlib.Path) -> list[str]:
    """What is wrong with the record that a line names."""
    path, name = root / line["record"], line["record"]
    if name in seen:
        return [f"{name} is in the log twice."]
    if ".." in path.parts or not path.is_relative_to(root / "grades"):
        return [f"{name} is no record of this course."]
    if not path.is_file():
        return [f"{name} is missing."]
    changed = hashlib.sha256(path.read_bytes()).hexdigest() != line["sha256"]
    return [f"{name} was changed after it was logged."] * changed


def _count(number: int) -> str:
    return f"{number} record{'s' * (number != 1)}"


def _record_files(root: pathlib.Path) -> list[pathlib.Path]:
    return sorted((root / "grades").glob("*/*/*.json"))


def _relative(path: pathlib.Path, root: pathlib.Path) -> str:
    return path.relative_to(root).as_posix()
