"""The course's address on GitHub, wherever it stands: badges, the notebooks' first cells, the README, the citation."""

import os
import pathlib
import re
import shutil
import tomllib
from collections.abc import Iterator

from rich.console import Console

from course import notebooks
from course.errors import CourseError
from course.paths import ROOT

PROJECT = "pyproject.toml"
# The project file is last: where a rewrite breaks off, it still holds the old name, by which the rest is found.
_NOTEBOOKS = ("lectures/*.ipynb", "solutions/*/*.ipynb", "assignments/*/*.ipynb")
_FILES = ("*.md", "docs/*.md", "CITATION.cff", *_NOTEBOOKS, PROJECT)
_VALID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,37}[A-Za-z0-9])?/[A-Za-z0-9._-]{0,99}[A-Za-z0-9_-]")
# What can only be this course's own address, under whatever name: a badge, a first cell, a citation. In JSON, a quote
# has a backslash before it.
_OWN = re.compile(
    r"colab\.research\.google\.com/github/([\w-]+/[\w.-]+)(?=/blob/main/(?:lectures|assignments)/)"
    r'|REPOSITORY = \\?"https://github\.com/([\w-]+/[\w.-]+)'
    r"""|repository-code: ["']?https://github\.com/([\w-]+/[\w.-]+)""",
    re.ASCII,
)


def badges(repository: str | None, check: bool, console: Console, root: pathlib.Path = ROOT) -> bool:
    """Write the course's address on GitHub wherever it stands, or say where it differs.

    A lecture keeps its outputs. Where they belonged to its code they still do, so its hash follows the address.

    Args:
        repository: OWNER/NAME; None means the one in pyproject.toml, which brings all other files in line with it.
        check: whether to change nothing and only name the files that differ.
        console: where they are named, or how many were changed.
        root: the course folder.

    Returns:
        False where `check` finds a difference, otherwise True.

    Raises:
        CourseError: the name or that in pyproject.toml is malformed, or a file cannot be read or written.
    """
    current = _current_name(root)
    wanted = current if repository is None else _valid_name(repository)
    paths = list(_find_files(root))
    changed = {}
    for path in paths:
        text = _read(path)
        names = {name.removesuffix(".git") for groups in _OWN.findall(text) for name in groups if name} | {current}
        rewritten = _rename(text, names, wanted)
        if rewritten != text:
            changed[path] = rewritten
            if check:
                others = ", ".join(sorted(names - {wanted}))
                console.print(f"{path.relative_to(root).as_posix()}: names {others}, not {wanted}", soft_wrap=True)
    if check:
        option = f" --repository {wanted}" * (wanted != current)
        advice = f": run `course badges{option}`" if changed else ""
        console.print(f"{len(paths) - len(changed)} of {len(paths)} files agree with {wanted}{advice}.", soft_wrap=True)
        return not changed
    complete = {path: _renew_hash(path, text) if path.suffix == ".ipynb" else text for path, text in changed.items()}
    for path, text in complete.items():
        _write(path, text)
    console.print(f"{wanted}: {len(changed)} of {len(paths)} files changed.", soft_wrap=True)
    return True


def _valid_name(given: str) -> str:
    if not _VALID.fullmatch(given) or given.endswith(".git"):
        raise CourseError(
            f"{given!r} is no repository's name: expected OWNER/NAME as on GitHub, such as ada/sequence-models, "
            "without https:// and without .git."
        )
    return given


def _current_name(root: pathlib.Path) -> str:
    try:
        address = tomllib.loads(_read(root / PROJECT))["project"]["urls"]["Repository"]
        return _valid_name(address.removeprefix("https://github.com/").removesuffix("/").removesuffix(".git"))
    except (tomllib.TOMLDecodeError, KeyError, CourseError) as error:
        raise CourseError(
            f"{PROJECT} gives no address on GitHub ({error}): under [project.urls], "
            'write Repository = "https://github.com/OWNER/NAME".'
        ) from None


def _find_files(root: pathlib.Path) -> Iterator[pathlib.Path]:
    for pattern in _FILES:
        yield from sorted(root.glob(pattern))


def _rename(text: str, names: set[str], wanted: str) -> str:
    """Put the wanted name in every address that holds one of the names, and not in those it is only a part of."""
    known = "|".join(map(re.escape, sorted(names)))
    ends = r"(?=(?:\.git)?\.?(?:[^\w.-]|$))"  # a full stop may end the sentence
    host = r"(?<![\w-])(github\.com/|colab\.research\.google\.com/github/)"
    return re.sub(f"{host}(?:{known}){ends}", lambda match: match[1] + wanted, text, flags=re.ASCII)


def _renew_hash(path: pathlib.Path, text: str) -> str:
    """Let a lecture's hash follow its new text where it fitted the old one; one that did not still does not."""
    import nbformat

    old = notebooks.hash_sources(notebooks.read(path))
    new = notebooks.hash_sources(nbformat.reads(text, as_version=4))
    return text.replace(f'"sources": "{old}"', f'"sources": "{new}"')


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")  # read_text would change the ends of lines
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}.") from error


def _write(path: pathlib.Path, text: str) -> None:
    """Replace a file at once or, on an error, leave it as it was."""
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_bytes(text.encode("utf-8"))
        shutil.copymode(path, partial)
        os.replace(partial, path)
    except OSError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror}): what came before it is done.") from error
    finally:
        partial.unlink(missing_ok=True)
