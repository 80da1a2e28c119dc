"""Generate what students get (`assignments/`) from what instructors write (`solutions/`) with nbgrader's converter."""

import contextlib
import difflib
import json
import logging
import os
import pathlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from course import notebooks
from course.errors import CourseError
from course.paths import ROOT, suggest
from course.recorded import Recorded, read_recorded

_REGION = re.compile(r"\b(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)\b")
_MARK = re.compile(r"(###|===) ?(BEGIN|END)\b")  # what looks like a mark, such as one with a typing error
# Editors leave these beside a notebook. nbgrader does not copy them, and they are no difference.
_IGNORED = (".ipynb_checkpoints", "__pycache__")


def release(names: Sequence[str], check: bool, console: Console, root: pathlib.Path = ROOT) -> bool:
    """Generate problem sets, or say whether `assignments/` and the gradebook hold what would be generated.

    The gradebook (`gradebook.db`) learns of what was released, so that `nbgrader autograde` works right after. Nothing
    is changed until the new files are complete and known to hold no solution, hidden test or mark scheme.

    Args:
        names: problem sets, such as ps3_shakespeare; all of them where empty.
        check: whether to change nothing, neither files nor gradebook.
        console: where the outcome of each problem set is printed.
        root: the folder with nbgrader_config.py, solutions and assignments.

    Returns:
        False where `check` finds a difference, otherwise True.

    Raises:
        CourseError: a name is unknown, or a problem set cannot be released as it is.
    """
    known = sorted({path.parent.name for path in (root / "solutions").glob("*/*.ipynb")})
    for name in names:
        if name not in known:
            raise CourseError(f"There is no problem set {name!r} in solutions. {suggest(name, known)}")
    results = [_release_one(name, check, console, root) for name in names or known]
    if check and not names:
        results.append(_report_stale(known, console, root))
    return all(results)


def _release_one(name: str, check: bool, console: Console, root: pathlib.Path) -> bool:
    source, target = root / "solutions" / name, root / "assignments" / name
    removed = set().union(*(_removed_lines(name, notebooks.read(path)) for path in source.glob("*.ipynb")))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        generated = _generate(name, root, folder / "trial", record=False)
        for notebook in generated.glob("*.ipynb"):
            notebooks.write(notebooks.normalise(notebooks.read(notebook)), notebook)
        _refuse_leaks(name, removed, generated)
        differences = _compare(generated, target)
        recorded = read_recorded(name, root)
        if check:
            stale = recorded.differences(source) if recorded else []
            told = [f"assignments/{name}/{line}" for line in differences] + [f"gradebook.db: {line}" for line in stale]
            for line in told:
                console.print(line, soft_wrap=True, markup=False, highlight=False)
            same = "is up to date" if recorded else "the notebooks are up to date; no gradebook knows them yet"
            console.print(f"{name}: {f'differs; run `course release {name}`' if told else same}", soft_wrap=True)
            return not told
        _generate(name, root, folder / "recorded", record=True)
        if differences and target.exists():
            kept = _keep_old(target, root)
            console.print(
                f"{name}: what stood in assignments before is kept in {os.path.relpath(kept)}", soft_wrap=True
            )
        _replace(generated, target)
    if recorded:
        _warn_of_grades(name, recorded, source, console)
    points, graded = _count_points(target)
    change = "released" if differences else "released again, unchanged"
    console.print(
        f"{name}: {change}, {points:g} points in {graded} graded cells, in {os.path.relpath(target)}", soft_wrap=True
    )
    return True


def _warn_of_grades(name: str, before: Recorded, source: pathlib.Path, console: Console) -> None:
    """Say so where grades were given by other points than those released now."""
    changes = [f"{cell} from {old:g} to {new:g}" for cell, old, new in before.changes(source)]
    if changes and before.students:
        console.print(
            f"{name}: the points have changed ({', '.join(changes)}), and {before.students} of your students have "
            f"grades by the old ones: `course grade {name}` grades them again.",
            style="yellow",
            soft_wrap=True,
            markup=False,
            highlight=False,
        )


def _generate(name: str, root: pathlib.Path, output: pathlib.Path, record: bool) -> pathlib.Path:
    """Run nbgrader's converter into a folder; `record` says whether the gradebook learns of it."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.update(root=str(root), assignment_id=name, release_directory=str(output))
    config.GenerateAssignment.no_database = not record
    config.SaveCells.enabled = record
    with _quiet_log() as messages, _own_programs_first():
        try:
            GenerateAssignment(coursedir=CourseDirectory(config=config), config=config).start()
        except (Exception, SystemExit) as error:
            raise CourseError(_explain(name, "\n".join([*messages, str(error)]))) from error
    return output / name


@contextlib.contextmanager
def _quiet_log() -> Iterator[list[str]]:
    """Collect what nbgrader logs instead of showing it: of a success it is noise, of a failure the reason."""
    messages: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: messages.append(record.getMessage())
    log = logging.getLogger("traitlets")
    level, handlers, propagate = log.level, log.handlers, log.propagate
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.ERROR)
    try:
        yield messages
    finally:
        log.handlers, log.propagate = handlers, propagate
        log.setLevel(level)


@contextlib.contextmanager
def _own_programs_first() -> Iterator[None]:
    """nbgrader starts `alembic` by its name, which is found only where the virtual environment is activated."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _explain(name: str, log: str) -> str:
    if "submissions associated" in log:
        return (
            f"{name} was released before and has submissions, and its graded cells have other names now: keep the "
            "names, or move gradebook.db away to begin a new gradebook."
        )
    repeated = re.search(r"Duplicate grade id: (\w+)", log)
    if repeated:
        return f"{name} has two cells with the grade id {repeated.group(1)}: rename one."
    # the line of a Python error, or else whatever came last
    reasons = re.findall(r"^\w*(?:Error|Exception)\b.*", log, flags=re.M) or log.strip().splitlines()[-1:]
    return f"nbgrader could not release {name}: {reasons[0] if reasons else 'it gave no reason'}"


def _refuse_leaks(name: str, removed: set[str], generated: pathlib.Path) -> None:
    """Raise a CourseError where a generated file holds a line that only instructors may see."""
    for path in sorted(file for file in generated.rglob("*") if file.is_file()):
        for line in _lines(path):
            if _REGION.search(line) or line in removed:
                raise CourseError(f"{name}: {path.name} would be released with this line of a solution or test: {line}")


def _removed_lines(name: str, notebook: Any) -> set[str]:
    """Lines inside regions, and those of solution cells without one, that stand nowhere else in the notebook."""
    inside, outside = set(), set()
    for cell in notebook.cells:
        is_whole = cell.metadata.get("nbgrader", {}).get("solution") and not _REGION.search(cell.source)
        opened = None
        for line in map(str.strip, cell.source.splitlines()):
            mark = _REGION.search(line)
            if mark or _MARK.match(line):
                opened = _follow_mark(name, cell.id, line, mark, opened)
            elif line:
                (inside if opened or is_whole else outside).add(line)
        if opened:
            raise CourseError(f"{name}: in the cell {cell.id}, BEGIN {opened} has no END {opened}.")
    return inside - outside


def _follow_mark(name: str, cell: str, line: str, mark: re.Match | None, opened: str | None) -> str | None:
    """The region that is open after a mark. nbgrader skips an END without its BEGIN, and so releases what is above."""
    if mark and mark.group(1) == "BEGIN" and not opened:
        return mark.group(2)
    if mark and mark.group(1) == "END" and opened == mark.group(2):
        return None
    raise CourseError(f"{name}: in the cell {cell}, the mark {line!r} neither opens a region nor closes the open one.")


def _lines(path: pathlib.Path) -> Iterator[str]:
    text = path.read_bytes().decode("utf-8", errors="replace")
    texts = _strings(json.loads(text)) if path.suffix == ".ipynb" else [text]
    for text in texts:
        yield from map(str.strip, text.splitlines())


def _strings(value: Any) -> Iterator[str]:
    """All strings of a JSON document, with the lists that a notebook keeps its lines in."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for element in value.values():
            yield from _strings(element)
    elif isinstance(value, list):
        for element in value:
            yield from _strings(element)


def _files(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The files below a folder by their relative name, sorted; none where there is no folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not set(path.parts) & set(_IGNORED))
    return {path.relative_to(folder).as_posix(): path for path in found}


def _compare(generated: pathlib.Path, target: pathlib.Path) -> list[str]:
    """One description for each file that differs; empty where all are the same."""
    new, old = _files(generated), _files(target)
    differences = [f"{name}: is missing" for name in new if name not in old]
    differences += [f"{name}: has no source any more" for name in old if name not in new]
    for name in new.keys() & old.keys():
        # git may check text out with other line ends
        if new[name].read_bytes() != old[name].read_bytes().replace(b"\r\n", b"\n"):
            is_notebook = name.endswith(".ipynb")
            differences.append(f"{name}: {_describe(new[name], old[name]) if is_notebook else 'has other contents'}")
    return sorted(differences)


def _describe(new: pathlib.Path, old: pathlib.Path) -> str:
    """What is the first thing in which two notebooks differ."""
    try:
        cells, old_cells = notebooks.read(new).cells, notebooks.read(old).cells
    except CourseError:
        return "is no complete notebook"
    for number, (cell, old_cell) in enumerate(zip(cells, old_cells), start=1):
        if cell.source != old_cell.source:
            lines = (old_cell.source.splitlines(), cell.source.splitlines())
            diff = difflib.unified_diff(*lines, "as it is", "as generated", lineterm="", n=1)
            return "\n".join([f"cell {number} ({cell.id}) differs", *(f"    {line}" for line in diff)])
        if cell != old_cell:
            keys = sorted(key for key in cell.keys() | old_cell.keys() if cell.get(key) != old_cell.get(key))
            return f"cell {number} ({cell.id}) differs in its {' and '.join(keys)}"
    if len(cells) != len(old_cells):
        return f"has {len(old_cells)} cells, and {len(cells)} are generated"
    return "differs in the notebook's own metadata or in the form of its JSON"


def _report_stale(known: Sequence[str], console: Console, root: pathlib.Path) -> bool:
    released = {path.parent.name for path in (root / "assignments").glob("*/*.ipynb")}
    for name in sorted(released - set(known)):
        console.print(f"assignments/{name}: there is no solutions/{name} any more; remove it")
    return released <= set(known)


def _keep_old(target: pathlib.Path, root: pathlib.Path) -> pathlib.Path:
    """Copy a problem set that is about to be replaced: somebody may have typed answers into it."""
    number = 1
    while (kept := root / "build" / "replaced" / f"{target.name}-{number}").exists():
        number += 1
    shutil.copytree(target, kept)
    return kept


def _replace(generated: pathlib.Path, target: pathlib.Path) -> None:
    """Bring a folder to the generated state, each file at once: who reads meanwhile finds the old or the new one."""
    new = _files(generated)
    for name, path in new.items():
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        partial = destination.with_name(f"{destination.name}.part")
        try:
            shutil.copyfile(path, partial)
            os.replace(partial, destination)
        finally:
            partial.unlink(missing_ok=True)
    for name, path in _files(target).items():
        if name not in new:
            path.unlink()


def _count_points(folder: pathlib.Path) -> tuple[float, int]:
    graded = [
        cell.metadata.nbgrader.points
        for path in sorted(folder.glob("*.ipynb"))
        for cell in notebooks.read(path).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    ]
    return sum(graded), len(graded)
