"""Write what students may see: the course without solutions, hidden tests and tests of the checks."""

import os
import pathlib
import re
import shutil
import tempfile
import zipfile

from rich.console import Console

from course import release
from course.errors import CourseError
from course.paths import ROOT

# What a student's copy holds. A list of what may be seen: what is added to the repository stays away until it is named.
FILES = ("README.md", "LICENSE", "LICENSE-text", "Makefile", "environment.yml", "pyproject.toml", "requirements.txt")
MORE_FILES = ("requirements-jax.txt", ".gitignore", ".gitattributes", "CITATION.cff", "SECURITY.md")
FOLDERS = ("assignments", "course", "data", "docs", "grading", "lectures", "utils")
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.pyc", "*.part", "*.egg-info", ".DS_Store")
LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\((?!\w+:|#)([^()#\s]+)[^()]*\)")  # to a file; images are none
NAME = "sequence-models"
DATE = (2026, 1, 1, 0, 0, 0)  # of all files in the zip: the same content gives the same bytes


def hand_out(folder: pathlib.Path, console: Console, root: pathlib.Path = ROOT) -> list[pathlib.Path]:
    """Write the students' copy as a folder and as a zip.

    Args:
        folder: where to; made where it is missing. What it holds under these two names is replaced.
        console: where it is said what was written.
        root: the course folder.

    Returns:
        The folder and the zip.

    Raises:
        CourseError: assignments/ is not what solutions/ make, or the folder cannot be written to.
    """
    if not release.release([], True, console, root):
        raise CourseError("assignments/ is not up to date: run `course release`, look at the change, then hand out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            copy = pathlib.Path(temporary) / NAME
            _copy(root, copy)
            _drop_dead_links(copy)
            packed = _pack(copy, pathlib.Path(temporary) / f"{NAME}.zip")
            written = [folder / NAME, folder / packed.name]
            if written[0].exists():
                os.replace(written[0], pathlib.Path(temporary) / "before")
            os.replace(copy, written[0])
            os.replace(packed, written[1])
    except OSError as error:
        raise CourseError(f"{folder} cannot be written to ({error.strerror}): name another folder.") from error
    count = sum(path.is_file() for path in written[0].rglob("*"))
    size = written[1].stat().st_size / 1e6
    console.print(f"{count} files for students in {written[0]} and, {size:.1f} MB, in {written[1]}", soft_wrap=True)
    return written


def _copy(root: pathlib.Path, copy: pathlib.Path) -> None:
    copy.mkdir()
    for name in (*FILES, *MORE_FILES):
        if (root / name).is_file():
            shutil.copyfile(root / name, copy / name)
    for name in FOLDERS:
        if (root / name).is_dir():
            # a link could lead to what students may not see
            shutil.copytree(root / name, copy / name, ignore=_leave_out, symlinks=False)


def _drop_dead_links(copy: pathlib.Path) -> None:
    """Keep the words of links to files that students do not get."""
    for path in copy.rglob("*.md"):

        def text_or_link(link: re.Match[str], folder: pathlib.Path = path.parent) -> str:
            return link[0] if (folder / link[2]).exists() else link[1]

        text = path.read_text(encoding="utf-8")
        path.write_text(LINK.sub(text_or_link, text), encoding="utf-8", newline="\n")


def _leave_out(folder: str, names: list[str]) -> set[str]:
    links = {name for name in names if os.path.islink(os.path.join(folder, name))}
    return LEFT_OUT(folder, names) | links


def _pack(copy: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in copy.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{NAME}/{path.relative_to(copy).as_posix()}", DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path.suffix == ".sh" else 0o644) << 16
            packed.writestr(entry, path.read_bytes())
    return target
