"""What there is to grade: of each student the notebook that counts, or the reason why there is none."""

import pathlib
from dataclasses import dataclass
from datetime import UTC, datetime

from course.errors import CourseError
from grading import hand_ins
from grading.records import safe_name


@dataclass(frozen=True)
class Submission:
    """What counts of a student's hand-ins: a file in `submitted/`, or the reason why there is none.

    Attributes:
        student: whose it is.
        path: the notebook; of one that cannot be graded, what was handed in instead.
        received: ISO 8601 with a zone.
        fault: why it cannot be graded; empty where it can.
        notes: what was noted when it was taken in.
    """

    student: str
    path: pathlib.Path
    received: str
    fault: str = ""
    notes: tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        """The bytes of the notebook; none where there is no notebook."""
        return b"" if self.fault else self.path.read_bytes()


def find_submissions(problem_set: str, root: pathlib.Path, students: tuple[str, ...] = ()) -> list[Submission]:
    """The notebooks in `submitted/STUDENT/psN/psN.ipynb`, nbgrader's own layout, and who has none that can be read.

    Folders whose names begin with a dot are nobody's.

    Raises:
        CourseError: there are none, a student who was named has none, or a folder's name can be no student's.
    """
    folder = root / "submitted"
    paths = sorted(folder.glob(f"[!.]*/{problem_set}/{problem_set}.ipynb"))
    taken = {hand_in.student: hand_in for hand_in in hand_ins.counting(problem_set, root) if hand_in.student}
    notes = {name: hand_in.notes for name, hand_in in taken.items()}
    there = [safe_name(path.parent.parent.name) for path in paths]
    found = [
        Submission(name, path, _received(path), _fault(path, folder), notes.get(name, ()))
        for name, path in zip(there, paths)
    ]
    found += [
        Submission(name, hand_in.path, hand_in.received, hand_in.fault, hand_in.notes)
        for name, hand_in in sorted(taken.items())
        if hand_in.fault and name not in there
    ]
    missing = set(students) - {submission.student for submission in found}
    if missing:
        raise CourseError(f"Nothing was handed in for {problem_set} by {', '.join(sorted(missing))}.")
    chosen = [submission for submission in found if not students or submission.student in students]
    if not chosen:
        raise CourseError(
            f"Nothing was handed in for {problem_set}: `course collect {problem_set} FOLDER` takes hand-ins in, "
            f"or put each at submitted/STUDENT/{problem_set}/{problem_set}.ipynb."
        )
    return chosen


def _fault(path: pathlib.Path, folder: pathlib.Path) -> str:
    """Why a notebook is not read: a link could lead to another student's, or to the solution."""
    if path.resolve() != folder.resolve() / path.relative_to(folder):
        return "What was handed in is a link to another place: put the notebook itself there."
    return "" if path.is_file() else "What was handed in is no file: put the notebook itself there."


def _received(path: pathlib.Path) -> str:
    """When a file was handed in: what timestamp.txt says, else the file's own time."""
    stamp = path.parent / "timestamp.txt"
    if not stamp.is_file():
        moment = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    else:
        try:
            moment = hand_ins.moment_in(stamp.read_text(errors="replace"))
        except ValueError as error:
            raise CourseError(f"{stamp}: {error}.") from None
    return moment.isoformat(timespec="microseconds")
