"""Where things lie, and what a user meant by a name."""

import difflib
import os
import pathlib
import re
import tempfile
from collections.abc import Sequence

from course.errors import CourseError

ROOT = pathlib.Path(__file__).resolve().parents[1]
LECTURES = ROOT / "lectures"
SOLUTIONS = ROOT / "solutions"
ASSIGNMENTS = ROOT / "assignments"
BUILD = ROOT / "build"


def suggest(given: str, known: Sequence[str]) -> str:
    """The end of an error message: the nearest known name, or all of them."""
    nearest = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
    if nearest:
        return f"Did you mean {nearest[0]}?"
    return f"There are: {', '.join(known)}." if known else "There are none yet."


def find_lecture(given: str) -> pathlib.Path:
    """The lecture a user means by a path, a name (02_imdb_lstm) or a number (02 or 2).

    Raises:
        CourseError: there is none; the message suggests the nearest name.
    """
    path = pathlib.Path(given)
    if path.is_file() and path.suffix == ".ipynb":
        return path.resolve()
    names = sorted(lecture.stem for lecture in LECTURES.glob("[0-9]*.ipynb"))
    stem = path.name.removesuffix(".ipynb")
    fitting = [name for name in names if name == stem or name.split("_")[0] == stem.zfill(2)]
    if fitting:
        return LECTURES / f"{fitting[0]}.ipynb"
    raise CourseError(f"There is no notebook {given!r}. {suggest(stem, names)}")


def find_lecture_to_open(given: str) -> pathlib.Path:
    """The same for a notebook that is opened; who names a problem set hears that a copy is worked on.

    Raises:
        CourseError: there is no such lecture, or it is a problem set.
    """
    if re.fullmatch(r"ps\d+\w*", given):
        for folder in sorted(ASSIGNMENTS.glob(f"{given}*")):
            released = f"{folder.relative_to(ROOT).as_posix()}/{folder.name}.ipynb"
            copy = f"my_{folder.name.partition('_')[0]}.ipynb"
            steps = f"`cp {released} {copy}`, then `course lab {copy}`"
            raise CourseError(f"{given} is a problem set, which you work on in a copy: {steps}.")
    return find_lecture(given)


def find_problem_set(given: str) -> str:
    """The name of the problem set that a user means by it, or by its number alone (ps3 for ps3_shakespeare).

    Returns:
        The name as it was given where there is no such problem set, or more than one.
    """
    known = [folder.name for folder in SOLUTIONS.glob("*_*") if folder.is_dir()]
    fitting = [name for name in known if name.partition("_")[0] == given]
    return fitting[0] if len(fitting) == 1 else given


def find_file(given: str) -> pathlib.Path:
    """An existing notebook anywhere.

    Raises:
        CourseError: there is none; the message suggests the nearest name in its folder or among the assignments.
    """
    path = pathlib.Path(given)
    if path.is_dir():
        inside = sorted(path.glob("*.ipynb"))
        advice = f"name a notebook in it, such as {inside[0]}" if inside else "it holds no notebook; name another"
        raise CourseError(f"{given} is a folder: {advice}.")
    if path.suffix not in ("", ".ipynb"):
        raise CourseError(f"{given} is no notebook: a notebook's name ends in .ipynb.")
    if path.is_file():
        return path.resolve()
    folder = path.parent if path.parent.is_dir() else pathlib.Path()
    nearby = [*folder.glob("*.ipynb"), *ASSIGNMENTS.glob("*/*.ipynb")]
    names = {notebook.stem: os.path.relpath(notebook) for notebook in reversed(nearby)}
    nearest = difflib.get_close_matches(path.name.removesuffix(".ipynb"), names, n=1, cutoff=0.5)
    known = [names[nearest[0]]] if nearest else sorted(names.values())
    raise CourseError(f"There is no file {given}. {suggest(known[0] if nearest else given, known)}")


def make_folder(folder: pathlib.Path) -> pathlib.Path:
    """Make a folder for output, and try whether it can be written to before hours of work depend on it.

    Raises:
        CourseError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CourseError(
            f"The output folder {folder} cannot be written to ({error.strerror}): name another with --output."
        ) from error
    return folder
