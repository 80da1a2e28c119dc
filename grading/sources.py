"""Where hand-ins come from: folders and archives of learning platforms, walked without trusting any name in them."""

import contextlib
import itertools
import lzma
import os
import pathlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from course.errors import CourseError

# What systems leave behind in folders and archives; no student's work.
_JUNK = ("__macosx", "__pycache__", "thumbs.db", "desktop.ini")
_MAX_DEPTH = 8  # folders inside each other
_MAX_NAME = 1_000  # characters of a file's name in an archive; no file system takes as many

_MOODLE_FOLDER = re.compile(r"(?P<name>.*)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_?")
_MOODLE_FILE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_(?:file|onlinetext)_(?P<rest>.+)")
_CANVAS_ANONYMOUS = re.compile(r"(?:(?P<late>LATE)_)?(?P<name>anon)_(?P<number>[^_]+)_\d+_(?P<rest>.+)")
_CANVAS = re.compile(r"(?P<name>\w+?)(?:_(?P<late>LATE))?_(?P<number>\d+)_\d+_(?P<rest>.+)")
_BLACKBOARD = re.compile(r"(?P<head>.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|(?P<receipt>\.txt))")
_BLACKBOARD_NAME = re.compile(r"Name: .*\((?P<user>\S+)\)")

# What reading a file from an archive or a disk may raise, whatever is broken about it.
READ_ERRORS = (
    OSError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Limits:
    """How much is taken in.

    Attributes:
        file_bytes: of one file; a larger one is not copied.
        hand_in_bytes: of all files of one hand-in, unpacked, so that nobody uses up what all may hand in.
        total_bytes: of all files of the source, unpacked.
        entries: files and folders in the source.
        files: of one hand-in.
    """

    file_bytes: int = 20_000_000
    hand_in_bytes: int = 100_000_000
    total_bytes: int = 4_000_000_000
    entries: int = 50_000
    files: int = 200


@dataclass(frozen=True)
class Entry:
    """A file in a source.

    Attributes:
        path: the folders it lies in, and its name, as they are written there.
        modified: when the file was changed last; None where the source does not say.
        opened: opens it for reading.
        fault: why it must not be opened, such as a link; empty otherwise.
    """

    path: tuple[str, ...]
    modified: datetime | None
    opened: Callable[[], BinaryIO]
    fault: str = ""


@dataclass
class Group:
    """What belongs to one hand-in.

    Attributes:
        student: whose it is, as the source writes it; empty where it does not say.
        number: the platform's number of the student, which tells two of the same name apart.
        platform: "canvas", "moodle", "blackboard" or "folder".
        handed_in: when, where the names say so.
        files: each with its path inside the hand-in.
        notes: what an instructor should know.
    """

    student: str
    number: str
    platform: str
    handed_in: datetime | None = None
    files: list[tuple[tuple[str, ...], Entry]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@contextlib.contextmanager
def opened(source: pathlib.Path, limits: Limits) -> Iterator[list[Entry]]:
    """The files of a folder, of a zip archive, or one file; they can be read inside the `with` block.

    Raises:
        CourseError: the source is missing, cannot be read or holds too many files.
    """
    with contextlib.ExitStack() as stack:
        if source.is_dir():
            found = _walk_folder(source, ())
        elif source.suffix.lower() == ".zip" and source.is_file():
            found = _walk_archive(stack.enter_context(_archive(source)))
        elif source.is_file():
            found = iter([_entry_of(source, (source.name,))])
        else:
            raise CourseError(f"There is no folder or file {source} to take hand-ins from.")
        wanted = (entry for entry in found if not any(map(_is_junk, entry.path)))
        entries = list(itertools.islice(wanted, limits.entries + 1))
        if len(entries) > limits.entries:
            raise CourseError(f"{source} holds more than {limits.entries} files: is it the right one?")
        yield entries


def _is_junk(part: str) -> bool:
    return (part.startswith(".") and part != "..") or part.lower() in _JUNK


def _walk_folder(folder: pathlib.Path, above: tuple[str, ...]) -> Iterator[Entry]:
    for path in sorted(folder.iterdir()):
        inside = (*above, path.name)
        if _is_junk(path.name):
            continue  # a folder of packages can hold more files than all hand-ins together
        if path.is_dir() and not path.is_symlink() and len(inside) <= _MAX_DEPTH:
            yield from _walk_folder(path, inside)
        else:
            yield _entry_of(path, inside)


def _entry_of(path: pathlib.Path, inside: tuple[str, ...]) -> Entry:
    status = path.lstat()
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    if stat.S_ISREG(status.st_mode):
        return Entry(inside, modified, lambda: _open_file(path))
    kind = "a link" if stat.S_ISLNK(status.st_mode) else "no ordinary file, or in too many folders"
    return Entry(inside, modified, lambda: _open_file(path), f"it is {kind}")


def _open_file(path: pathlib.Path) -> BinaryIO:
    # a link or pipe put there in the meantime is not followed and not waited for
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{path} is no ordinary file")
    return file


def _archive(source: pathlib.Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except READ_ERRORS as error:
        raise CourseError(f"{source} is no whole zip archive ({error}): download it again.") from None


def _walk_archive(archive: zipfile.ZipFile) -> Iterator[Entry]:
    for info in archive.infolist():
        if not info.filename.endswith("/"):  # a folder; info.is_dir fails where a name is empty
            first, *rest = re.split(r"[/\\]", info.filename.removeprefix("./"))
            path = (first, *(part for part in rest if part not in ("", ".")))
            fault = _fault_of(info, path)
            # a pattern takes minutes for some names of 60 000 characters
            short = tuple(part[:_MAX_NAME] for part in path[: _MAX_DEPTH + 1])
            yield Entry(short, _time_of(info), _opener(archive, info), fault)


def _opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    return lambda: archive.open(info)


def _fault_of(info: zipfile.ZipInfo, path: tuple[str, ...]) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "it is a link or another special file"
    if info.flag_bits & 1:
        return "it is encrypted"
    if any(len(part) > _MAX_NAME for part in path):
        return f"its name is longer than {_MAX_NAME} characters"
    if not path[0] or ".." in path or re.match(r"[A-Za-z]:", path[0]) or len(path) > _MAX_DEPTH:
        return "its name leads out of the folder, or into too many"
    return ""


def _time_of(info: zipfile.ZipInfo) -> datetime | None:
    """When a file in an archive was changed. Archives note the clock on the wall; this computer's is assumed."""
    try:
        moment = datetime(*info.date_time)
        return moment.astimezone(UTC) if moment.year > 1980 else None  # 1980 stands for unknown
    except (ValueError, OverflowError, OSError):
        return None


def group(found: Sequence[Entry], problem_set: str) -> list[Group]:
    """Sort files by student and attempt.

    Args:
        found: the files of one source.
        problem_set: a student's folder may hold a folder of this name, beside those of other problem sets.

    Returns:
        The hand-ins. What belongs to no student is in groups without a student.
    """
    found = _without_common_folder(found)
    users = _blackboard_users(found)
    groups: dict[tuple[str, ...], Group] = {}
    for entry in found:
        claimed, rest = _claim(entry, users)
        key = (claimed.platform, claimed.student, claimed.number, str(claimed.handed_in))
        if not claimed.student:
            key = (*key, *entry.path)
        known = groups.setdefault(key, claimed)
        known.notes += [note for note in claimed.notes if note not in known.notes]
        known.files.append((rest, entry))
    for known in groups.values():
        _keep_problem_set(known, problem_set)
    return list(groups.values())


def _claim(entry: Entry, users: dict[str, str]) -> tuple[Group, tuple[str, ...]]:
    first, inside = entry.path[0], entry.path[1:]
    if not first or first == ".." or re.match(r"[A-Za-z]:", first):
        return Group("", "", "folder"), entry.path[-1:]
    if inside and (match := _MOODLE_FOLDER.fullmatch(first)):
        return Group(match["name"], match["number"], "moodle"), inside
    if inside:
        return Group(first, "", "folder"), inside
    if match := _MOODLE_FILE.fullmatch(first):
        return Group(match["name"], match["number"], "moodle"), (match["rest"],)
    if match := _BLACKBOARD.fullmatch(first):
        student = users.get(match["head"]) or match["head"].rpartition("_")[2]
        try:
            handed_in = datetime.strptime(match["time"], "%Y-%m-%d-%H-%M-%S").astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            handed_in = None
        return Group(student, "", "blackboard", handed_in), (match["rest"] or f"receipt{match['receipt']}",)
    if match := _CANVAS_ANONYMOUS.fullmatch(first) or _CANVAS.fullmatch(first):
        notes = ["Canvas marks it as late."] if match["late"] else []
        if re.match(r"\d+_", match["rest"]):
            notes.append(f"The name {first!r:.100} can be read in two ways: compare the student with Canvas.")
        return Group(match["name"], match["number"], "canvas", notes=notes), (match["rest"],)
    return Group("", "", "folder"), (first,)


def _without_common_folder(found: Sequence[Entry]) -> Sequence[Entry]:
    """Archives often hold one folder with everything in it, which is no student's."""
    if len({entry.path[0] for entry in found}) != 1 or any(len(entry.path) < 2 for entry in found):
        return found
    if _MOODLE_FOLDER.fullmatch(found[0].path[0]):
        return found
    inner = [Entry(entry.path[1:], entry.modified, entry.opened, entry.fault) for entry in found]
    holders = {entry.path[0] for entry in inner if len(entry.path) > 1 and entry.path[-1].endswith(".ipynb")}
    flat = (_MOODLE_FILE, _BLACKBOARD, _CANVAS)
    named = any(pattern.fullmatch(entry.path[0]) for entry in inner for pattern in flat if len(entry.path) == 1)
    is_moodle = any(_MOODLE_FOLDER.fullmatch(holder) for holder in holders)
    return inner if named or is_moodle or len(holders) > 1 else found


def _blackboard_users(found: Sequence[Entry]) -> dict[str, str]:
    """User names may hold the character that separates them; Blackboard's own text beside the files has them whole."""
    users = {}
    for entry in found:
        match = _BLACKBOARD.fullmatch(entry.path[0])
        if match and match["receipt"] and not entry.fault:
            try:
                with entry.opened() as file:
                    line = file.read(4096).decode("utf-8", "replace").lstrip("\ufeff").partition("\n")[0].strip()
            except READ_ERRORS:
                continue
            name = _BLACKBOARD_NAME.fullmatch(line)
            if name and match["head"].endswith(f"_{name['user']}"):
                users[match["head"]] = name["user"]
    return users


def _keep_problem_set(known: Group, problem_set: str) -> None:
    inside = [(rest[1:], entry) for rest, entry in known.files if len(rest) > 1 and rest[0] == problem_set]
    if inside and known.platform == "folder":
        known.files = inside
