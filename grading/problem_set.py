"""A problem set as grading sees it: the released notebook, and the checks with their hidden parts."""

import ast
import dataclasses
import functools
import hashlib
import math
import pathlib
from dataclasses import dataclass
from typing import Any

from course import exercises, notebooks
from course.errors import CourseError
from course.exercises import marks_of, points_of
from course.paths import ROOT, suggest

BESIDE = "beside-student"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


@dataclass(frozen=True)
class Check:
    """A cell of the instructor's that gives points by itself.

    Attributes:
        name: its grade_id.
        exercise: the grade_id of the student's cell it belongs to.
        title: the exercise's heading.
        points: what it is worth.
        source: its code, hidden tests included.
        expected: its first line, a sentence that says what it checks.
        needs: names of the student's that it uses.
        given: code of the locked cells above it whose functions it uses. They run where the check does.
        beside: the same of locked cells with the tag BESIDE. They run where the student's code does, for instance
            because both use the same file; what they give back is as little to be trusted as that.
    """

    name: str
    exercise: str
    title: str
    points: float
    source: str
    expected: str
    needs: tuple[str, ...]
    given: str
    beside: str

    @property
    def first_hidden(self) -> float:
        """The number of the line behind which hidden tests begin; infinite where there are none."""
        lines = self.source.splitlines()
        return next((number for number, text in enumerate(lines, 1) if text.strip() == BEGIN_HIDDEN), math.inf)

    def visible_part(self) -> "Check":
        """The check as students have it."""
        lines = enumerate(self.source.splitlines(), 1)
        kept = [text for number, text in lines if not self.is_hidden(number) and text.strip() != BEGIN_HIDDEN]
        return dataclasses.replace(self, source="\n".join(kept))

    def is_hidden(self, line: int) -> bool:
        """Whether a line of the source, counted from 1, is one that students never see."""
        lines = self.source.splitlines()[: max(line - 1, 0)]
        begun = [number for number, text in enumerate(lines) if text.strip() == BEGIN_HIDDEN]
        ended = [number for number, text in enumerate(lines) if text.strip() == END_HIDDEN]
        return bool(begun) and (not ended or ended[-1] < begun[-1])


@dataclass(frozen=True)
class Written:
    """An answer in words, graded by hand."""

    name: str
    title: str
    points: float


@dataclass(frozen=True)
class ProblemSet:
    """What `solutions/` and `assignments/` hold of a problem set.

    Attributes:
        name: such as "ps3_shakespeare".
        released: the notebook that students start from.
        checks: in the notebook's order, by their names.
        written: the answers graded by hand, in order.
        sha256: of the instructor's notebook: another one makes old records out of date.
        release_sha256: of the released one.
    """

    name: str
    released: Any
    checks: dict[str, Check]
    written: tuple[Written, ...]
    sha256: str
    release_sha256: str

    def check_modules(self) -> tuple[str, ...]:
        """What the checks import."""
        return _imported("\n".join(f"{check.given}\n{check.source}" for check in self.checks.values()))

    def notebook_modules(self) -> tuple[str, ...]:
        """What the released notebook imports, for the sandbox to have ready."""
        return _imported("\n".join(cell.source for cell in self.released.cells if cell.cell_type == "code"))


@functools.lru_cache(maxsize=16)
def load_problem_set(name: str, root: pathlib.Path = ROOT) -> ProblemSet:
    """Read a problem set from a course's folder.

    Raises:
        CourseError: there is none of this name, or it was never released.
    """
    known = sorted(path.parent.name for path in (root / "solutions").glob("*/*.ipynb"))
    if name not in known:
        raise CourseError(f"There is no problem set {name!r}. {suggest(name, known)}")
    source_path = root / "solutions" / name / f"{name}.ipynb"
    release_path = root / "assignments" / name / f"{name}.ipynb"
    if not release_path.is_file():
        raise CourseError(f"{name} was never released: run `course release {name}` first.")
    source = notebooks.read(source_path)
    return ProblemSet(
        name,
        notebooks.read(release_path),
        _find_checks(source),
        _find_written(source),
        hashlib.sha256(source_path.read_bytes()).hexdigest(),
        hashlib.sha256(release_path.read_bytes()).hexdigest(),
    )


def is_given(cell: Any) -> bool:
    """Whether a cell holds code of the instructor's that checks may call: locked, and worth no points."""
    marks = marks_of(cell)
    return bool(cell.cell_type == "code" and marks.get("locked") and not marks.get("grade"))


def _imported(source: str) -> tuple[str, ...]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return tuple(sorted(found))


def is_beside(cell: Any) -> bool:
    """Whether a given cell runs in the student's process."""
    return BESIDE in cell.metadata.get("tags", [])


def is_judged(cell: Any) -> bool:
    """Whether a given cell runs in the judge's process."""
    return is_given(cell) and not is_beside(cell)


def _find_checks(source: Any) -> dict[str, Check]:
    cells = source.cells
    names = {name for cell in cells if marks_of(cell).get("solution") for name in _defined(cell)}
    checks = {}
    for exercise in exercises.find_exercises(source):
        for position in exercise.checks:
            cell = cells[position]
            given = _find_given(cells[:position], cell.source)
            beside = [other for other in cells[:position] if is_given(other) and is_beside(other)]
            beside = [other for other in beside if _used(f"{given}\n{cell.source}", _defined(other))]
            lent = {*names, *(name for other in beside for name in _defined(other))}
            needs = _used(f"{given}\n{cell.source}", lent)
            run_again = "\n\n".join(other.source for other in beside)
            owner = marks_of(cells[exercise.solution])["grade_id"] if exercise.solution is not None else ""
            expected = cell.source.partition("\n")[0].lstrip("# ")
            name = marks_of(cell)["grade_id"]
            title, points = exercise.title, float(points_of(cell))
            checks[name] = Check(name, owner, title, points, cell.source, expected, needs, given, run_again)
    order = [marks_of(cell).get("grade_id") for cell in cells]
    return dict(sorted(checks.items(), key=lambda item: order.index(item[0])))


def _find_given(above: list[Any], source: str) -> str:
    """The locked code above a check that it uses, behind the imports that this code relies on."""
    given = "\n\n".join(cell.source for cell in above if is_judged(cell) and _used(source, _defined(cell)))
    imports = [
        ast.unparse(node)
        for cell in above
        if cell.cell_type == "code" and not marks_of(cell)
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and _used(given, [alias.asname or alias.name.partition(".")[0] for alias in node.names])
    ]
    return "\n".join([*imports, given]) if given else ""


def _find_written(source: Any) -> tuple[Written, ...]:
    found = []
    for exercise in exercises.find_exercises(source):
        if not exercise.checks and exercise.solution is not None:
            cell = source.cells[exercise.solution]
            found.append(Written(marks_of(cell)["grade_id"], exercise.title, float(points_of(cell))))
    return tuple(found)


def _defined(cell: Any) -> list[str]:
    """Names that a code cell defines at its top level."""
    if cell.cell_type != "code":
        return []
    found: list[str] = []
    for node in ast.parse(cell.source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
    return found


def _used(source: str, names: Any) -> tuple[str, ...]:
    """Those of the names that a piece of code reads."""
    read = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return tuple(sorted(read & set(names)))
