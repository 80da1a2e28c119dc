"""Take in what students hand in: every hand-in is kept, the latest one that can be read is what gets graded."""

import errno
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from course import notebooks
from course.errors import CourseError
from course.paths import ROOT
from grading.hand_ins import MANIFEST, PART, HandIn, Kept, keep, moment_in, read, read_all, write
from grading.names import free_name, safe_part, safe_student, same_on_disk
from grading.reading import read_hand_in, too_large
from grading.repair import resemblance
from grading.sources import READ_ERRORS, Entry, Group, Limits, group, opened

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_NOTEBOOK = re.compile(r".*\.ipynb(?:\.(?:txt|json))?", re.IGNORECASE)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_WAIT = 60  # seconds for another process that takes in hand-ins to the same problem set


def take_in(
    source: pathlib.Path,
    problem_set: str,
    root: pathlib.Path = ROOT,
    received: datetime | None = None,
    travelling: Collection[str] = (),
    limits: Limits = Limits(),  # noqa: B008 (it is frozen)
) -> list[HandIn]:
    """Take in a folder or archive with hand-ins to a problem set.

    Everything is kept in `hand_ins`, where nothing is ever changed. The latest notebook that can be read is copied to
    `submitted`. Taking in the same again adds nothing; after an interrupt, do just that.

    Args:
        source: a folder with a folder for each student, a zip archive of one, a download of Canvas, Moodle or
            Blackboard (zip or unpacked), or one file of such a download; it is only read.
        problem_set: such as ps1_reviews.
        root: the course folder.
        received: when all of it was handed in; otherwise what Blackboard's names, nbgrader's timestamp.txt or the
            files' own times say.
        travelling: names of files that students may hand in beside the notebook for grading.
        limits: how much is taken in.

    Returns:
        What the source holds, by student and time, with the faults of what cannot be graded. What belongs to no
        student is not kept, and comes first.

    Raises:
        CourseError: the source cannot be read, is far too large, or the disk cannot be written to.
    """
    from filelock import FileLock, Timeout

    if not _NAME.fullmatch(problem_set):
        raise CourseError(f"{problem_set!r} cannot be the name of a problem set.")
    try:
        # the source first, so that one which cannot be read leaves nothing behind; the lock makes its folder
        with opened(source, limits) as entries, FileLock(root / "hand_ins" / problem_set / ".lock", timeout=_WAIT):
            collector = _Collector(problem_set, root, received, tuple(travelling), limits)
            return collector.take_all(group(entries, problem_set))
    except Timeout:
        raise CourseError(f"Something else takes in hand-ins to {problem_set}: wait until it is done.") from None
    except OSError as error:
        raise CourseError(f"{error.filename or root} cannot be read or written ({error.strerror}).") from error


class _Collector:
    """Brings hand-ins to one problem set into their places."""

    def __init__(
        self,
        problem_set: str,
        root: pathlib.Path,
        received: datetime | None,
        travelling: tuple[str, ...],
        limits: Limits,
    ) -> None:
        self.problem_set, self.root, self.received = problem_set, root, received
        self.travelling, self.limits = travelling, limits
        self.hand_ins = root / "hand_ins" / problem_set
        released = root / "assignments" / problem_set / f"{problem_set}.ipynb"
        self.released = notebooks.read(released) if released.is_file() else None
        self.copied, self.copied_of_one = 0, 0  # bytes so far, of all and of the hand-in that is being copied
        self.folders: dict[str, set[pathlib.Path]] = {}  # of all students, by what their names have in common on a disk
        for folder in [*root.glob("hand_ins/*/*/"), *root.glob("submitted/*/")]:
            self.folders.setdefault(same_on_disk(folder.name), set()).add(folder)

    def take_all(self, groups: list[Group]) -> list[HandIn]:
        for left_over in self.hand_ins.glob(f"*/{PART}*"):
            shutil.rmtree(left_over)
        beginning = datetime.min.replace(tzinfo=UTC)
        groups.sort(key=lambda one: (one.student, one.number, one.handed_in or beginning))
        taken = [self._take(one) for one in groups]
        for student in sorted({one.student for one in taken if one.student}):
            self._settle(student)
        return sorted(taken, key=lambda one: (one.student, one.received))

    def _take(self, one: Group) -> HandIn:
        if not one.student:
            name = "/".join(one.files[0][1].path)
            fault = f"{name!r:.200} belongs to no student: put it in a folder that is named after the student."
            return HandIn("", self.problem_set, self.hand_ins, _text(datetime.now(UTC)), "", fault, ())
        student = self._name(one)
        self.folders.setdefault(same_on_disk(student), set()).add(self.hand_ins / student)
        self._adopt(student)
        return self._keep(student, one, self.received)

    def _name(self, one: Group) -> str:
        """The student's safe name; never another student's, not even to a system that ignores case."""
        plain = safe_student(one.student)
        if one.platform == "canvas":  # students choose their names there; the number is theirs alone
            plain = f"{plain}_{safe_student(one.number)}"
        numbered = f"{plain}_{one.number}" if one.number else plain
        hashed = f"{plain}~{hashlib.sha256(f'{one.student} {one.number}'.encode('utf-8', 'replace')).hexdigest()[:10]}"
        return next((name for name in (plain, numbered) if self._is_free(name, one)), hashed)

    def _is_free(self, name: str, one: Group) -> bool:
        """Whether nobody else has the name."""
        for folder in self.folders.get(same_on_disk(name), ()):
            first = min(folder.glob(f"[!.]*/{MANIFEST}"), default=None)
            known = read(first.parent) if first else None
            if folder.name != name or (known and known.name != one.student):
                return False
            # Moodle numbers students anew in each problem set
            is_comparable = known and known.platform == one.platform and folder.parent == self.hand_ins
            if is_comparable and known.number != one.number:
                return False
        return True

    def _adopt(self, student: str) -> None:
        """Keep what somebody put into `submitted` by hand or with nbgrader, before anything takes its place."""
        folder = self.root / "submitted" / student / self.problem_set
        notebook = folder / f"{self.problem_set}.ipynb"
        if not notebook.is_file() or notebook.is_symlink() or not notebook.stat().st_size:
            return
        known = read_all(self.problem_set, self.root, student)
        if _sha256(notebook) in {one.hand_in.sha256 for one in known}:
            return
        wanted = (notebook.name, "timestamp.txt", *self.travelling)
        with opened(folder, self.limits) as entries:
            files = [
                (entry.path, replace(entry, path=(student, self.problem_set, *entry.path)))
                for entry in entries
                if "/".join(entry.path) in wanted
            ]
            name = known[0].name if known else student
            self._keep(student, Group(name, "", "folder", files=files, notes=["It was found in submitted."]), None)

    def _keep(self, student: str, one: Group, received: datetime | None) -> HandIn:
        """Keep a hand-in, unless that would change nothing."""
        above = self.hand_ins / student
        above.mkdir(exist_ok=True)
        staging = pathlib.Path(tempfile.mkdtemp(prefix=PART, dir=above))
        try:
            staged = self._stage(staging, student, one, received)
            before = read_all(self.problem_set, self.root, student)
            for known in reversed(before):
                is_old = known is before[-1] or staged.hand_in.received <= before[-1].hand_in.received
                if known.digest == staged.digest and is_old:
                    return known.hand_in
            moment = re.sub(r"[-:]|\+.*", "", staged.hand_in.received)
            return keep(staged, above / f"{moment}Z_{staged.digest[:8]}")
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _stage(self, staging: pathlib.Path, student: str, one: Group, received: datetime | None) -> Kept:
        """Copy a hand-in's files into a folder, and find out what they are."""
        left_out, files, moment = [], {}, None
        self.copied_of_one = 0
        taken = {same_on_disk(MANIFEST)}
        for rest, entry in one.files:
            name = "/".join(rest)
            if entry.path[1:] == (self.problem_set, "timestamp.txt") and one.platform == "folder":
                moment = _read_moment(entry)  # nbgrader's, beside the notebook
                continue
            stored = free_name(rest, taken)
            fault = entry.fault or self._copy(entry, staging / stored, len(files))
            if fault:
                left_out.append(f"{name!r:.200} was left out: {fault}.")
            else:
                files[stored] = name
        sums = {stored: _sha256(staging / stored) for stored in files}
        contents = json.dumps([sorted((name, sums[stored]) for stored, name in files.items()), left_out])
        chosen, fault, notes = self._choose(staging, files)
        if not chosen:
            fault = " ".join([fault, *left_out[:5]])
        moments = [entry.modified for _, entry in one.files if entry.modified]
        received = received or one.handed_in or moment or max(moments, default=datetime.now(UTC))
        notes = [*one.notes, *notes, *self._unused(files, chosen, one.platform), *(left_out[:20] if chosen else [])]
        about = (_text(received), sums.get(chosen, ""), fault, tuple(map(_writable, notes)))
        hand_in = HandIn(student, self.problem_set, staging / chosen, *about)
        digest = hashlib.sha256(contents.encode()).hexdigest()
        return Kept(hand_in, staging, chosen, digest, files, one.student, one.number, one.platform)

    def _unused(self, files: dict[str, str], chosen: str, platform: str) -> list[str]:
        names = {name for stored, name in files.items() if stored != chosen and not _NOTEBOOK.fullmatch(name)}
        unused = sorted(names - set(self.travelling) - ({"receipt.txt"} if platform == "blackboard" else set()))
        if not unused or not chosen:
            return []
        return [f"Handed in beside the notebook, kept in hand_ins, and not used in grading: {_list(unused)}."]

    def _copy(self, entry: Entry, target: pathlib.Path, count: int) -> str:
        """Copy a file, as far as the limits allow; returns why it was not."""
        if count >= self.limits.files:
            return f"more than {self.limits.files} files are not taken in"
        if self.copied_of_one >= self.limits.hand_in_bytes:
            return f"the files before it are larger than {self.limits.hand_in_bytes / 1e6:g} MB together"
        if self.copied >= self.limits.total_bytes:
            return f"all hand-ins together are larger than {self.limits.total_bytes / 1e6:g} MB"
        target.parent.mkdir(parents=True, exist_ok=True)
        left = self.limits.file_bytes
        with target.open("xb") as copy:
            try:
                with entry.opened() as file:
                    while left >= 0 and (chunk := file.read(min(left + 1, 1 << 20))):
                        left -= len(chunk)
                        self.copied += copy.write(chunk)
                        self.copied_of_one += len(chunk)
            except READ_ERRORS as error:
                if isinstance(error, OSError) and error.errno in _DISK_FULL:
                    raise
                target.unlink()
                return f"it is damaged or cannot be read ({type(error).__name__})"
            copy.flush()
            os.fsync(copy.fileno())
        if left < 0:
            target.unlink()
            return too_large("it", self.limits.file_bytes).rstrip(".")
        return ""

    def _choose(self, folder: pathlib.Path, files: dict[str, str]) -> tuple[str, str, list[str]]:
        """The notebook that counts, why it cannot be graded, and notes."""
        candidates = [stored for stored, name in files.items() if _NOTEBOOK.fullmatch(name)]
        if not candidates:
            return "", f"There is no notebook (.ipynb){f', only {_list(files.values())}' if files else ''}.", []
        wanted, faults, scores = f"{self.problem_set}.ipynb", {}, {}
        for stored in candidates:
            try:
                document = read_hand_in(folder / stored, self.limits.file_bytes)
                scores[stored] = resemblance(document, self.released) if self.released else (0, 0)
            except CourseError as error:
                faults[stored] = str(error)
        # one that cannot be read counts only where there is no other
        best = max(scores or faults, key=lambda stored: (scores.get(stored, ()), files[stored] == wanted, stored))
        notes = []
        if len(candidates) > 1:
            others = _list(files[stored] for stored in candidates if stored != best)
            notes.append(f"Of several notebooks {files[best]!r:.60} fits the release best and counts; not: {others}.")
        elif files[best] != wanted:
            notes.append(f"The notebook is named {files[best]!r:.60} instead of {wanted!r}; it is the only one.")
        return best, faults.get(best, ""), notes

    def _settle(self, student: str) -> None:
        """Bring `submitted` up to date: the notebook that counts, when it was handed in, and what travels with it."""
        readable = [one for one in read_all(self.problem_set, self.root, student) if not one.hand_in.fault]
        if not readable:
            return
        folder, latest = self.root / "submitted" / student / self.problem_set, readable[-1]
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(self.root.resolve()):
            raise CourseError(f"{folder} is a link that leads out of the course folder: remove it.")
        for stored, name in latest.files.items():
            if name in self.travelling and stored != latest.notebook:
                write(folder.joinpath(*map(safe_part, name.split("/"))), (latest.folder / stored).read_bytes())
        moment = datetime.fromisoformat(latest.hand_in.received)
        write(folder / "timestamp.txt", f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC".encode())
        write(folder / f"{self.problem_set}.ipynb", latest.hand_in.path.read_bytes())


def _read_moment(entry: Entry) -> datetime | None:
    try:
        with entry.opened() as file:
            return moment_in(file.read(100).decode())
    except READ_ERRORS:
        return None


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _writable(note: str) -> str:
    return note.encode("utf-8", "replace").decode("utf-8")


def _list(names: Collection[str]) -> str:
    shown = sorted(names)
    return ", ".join(f"{name!r:.60}" for name in shown[:8]) + (" and more" if len(shown) > 8 else "")


def _sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
