"""Put a handed-in notebook back into the form of the released one, and say what was changed."""

import copy
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from course.errors import CourseError
from grading.alignment import Alignment, align
from grading.comparison import Place, same
from grading.reading import Cell, read_cells, readable

_NAMED = 12  # cells that a note names before it says "and others"
_MARKS = ("grade", "solution", "locked", "points", "task")
_TEXTS = {"code": "code", "markdown": "text", "raw": "raw text"}


@dataclass(frozen=True)
class Repaired:
    """A notebook that can be graded.

    Attributes:
        notebook: every released cell once, in the release's order, with the student's answers and own cells.
        notes: what was changed, in sentences for the instructor; empty where nothing was.
    """

    notebook: Any
    notes: list[str]


def repair(handed_in: Any, released: Any) -> Repaired:
    """Realign a handed-in notebook with the released one.

    Released cells have the release's metadata; locked ones, checks above all, its text too. Answers and cells without
    points have the student's text. Cells of the student's own stay directly behind the released cell that they
    followed. Outputs and attachments are dropped.

    Args:
        handed_in: a NotebookNode, or what read_hand_in gives, of any format version; it is not changed.
        released: the released notebook, from `assignments/`; it is not changed.

    Returns:
        A new notebook, and the notes.

    Raises:
        CourseError: it holds no cells, too many, or too long ones.
    """
    cells = read_cells(handed_in)
    found = align(cells, released)
    notebook = copy.deepcopy(released)
    notebook.cells = list(_arrange(found, notebook))
    return Repaired(notebook, list(_notes(found, handed_in, released)))


def resemblance(handed_in: Any, released: Any) -> tuple[int, int]:
    """How well a notebook fits a problem set, for choosing among several.

    Returns:
        How many graded cells of the release it has, and how many of its answers are not blank; (0, 0) for a notebook
        that cannot be graded.
    """
    try:
        found = align(read_cells(handed_in), released)
    except CourseError:
        return 0, 0
    graded = [place for place in found.places if place.name and found.answer(place) is not None]
    return len(graded), sum(place.role == "answer" and not _is_blank(found, place) for place in graded)


# --- the notebook ---------------------------------------------------------------------------------------------------


def _arrange(found: Alignment, notebook: Any) -> Iterator[Any]:
    followers = _followers(found)
    taken = {cell.get("id") for cell in notebook.cells}
    yield from (_own_cell(cell, taken) for cell in followers.get(-1, []))
    for place, cell in zip(found.places, notebook.cells):
        yield _filled(cell, place, found)
        yield from (_own_cell(own, taken) for own in followers.get(place.position, []))


def _followers(found: Alignment) -> dict[int, list[Cell]]:
    """For each released position the student's own cells that belong behind it; -1 stands for the beginning."""
    positions = {cell.number: position for position, cell in found.counts.items()}
    own = {cell.number: cell for cell in found.own}
    followers: dict[int, list[Cell]] = {}
    last = -1
    for cell in found.cells:
        last = positions.get(cell.number, last)
        if cell.number in own:
            followers.setdefault(last, []).append(cell)
    return followers


def _filled(cell: Any, place: Place, found: Alignment) -> Any:
    """A released cell with the student's text, where that counts."""
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    source = found.answer(place)
    if place.role == "locked":
        return cell
    if source is None or (place.role == "answer" and _is_blank(found, place)):
        if place.position in found.elsewhere:
            # the released stub would take the place of the function that is defined in the other cell
            cell.source = f"# answered in cell {found.elsewhere[place.position].number} of the notebook handed in"
        return cell
    if not same(source, place.source):
        cell.source = source
    if place.role == "free" and found.counts[place.position].kind != place.kind:
        _change_kind(cell, found.counts[place.position].kind)
    return cell


def _change_kind(cell: Any, kind: str) -> None:
    cell.cell_type = kind
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _own_cell(own: Cell, taken: set[str]) -> Any:
    """A cell of the student's own, without a claim to be a graded one."""
    from nbformat import NotebookNode

    content = f"{own.number}\n{own.source}".encode()
    candidates = (hashlib.sha256(content + bytes([salt])).hexdigest()[:12] for salt in range(256))
    name = next(f"own-{candidate}" for candidate in candidates if f"own-{candidate}" not in taken)
    taken.add(name)
    cell = NotebookNode(cell_type=own.kind, id=name, metadata=NotebookNode(), source=own.source)
    if own.kind == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def _is_blank(found: Alignment, place: Place) -> bool:
    source = found.answer(place)
    return not source or not source.strip() or same(source, place.source)


# --- the notes ------------------------------------------------------------------------------------------------------


def _notes(found: Alignment, handed_in: Any, released: Any) -> Iterator[str]:
    version = handed_in.get("nbformat", 4)
    if isinstance(version, int) and version < 4:
        yield f"The notebook was in the old format {version} and was converted."
    graded = [place for place in found.places if place.name]
    there = sum(place.position in found.counts for place in graded)
    if 3 * there < len(graded):
        yield f"Only {there} of {len(graded)} graded cells are there: is this the notebook of another problem set?"
    yield from _notes_on_answers(found, graded)
    yield from _notes_on_locked(found, graded)
    yield from _notes_on_names(found, graded, released)
    order = [found.counts[place.position].number for place in found.places if place.position in found.counts]
    if order != sorted(order):
        yield "The cells stood in another order; they are in the released one again."
    unread = len(_all_cells(handed_in)) - len(found.cells)
    if unread:
        yield f"{unread} damaged cells without a readable text were left out."
    if any(cell.pictures for cell in found.cells):
        numbers = [str(cell.number) for cell in found.cells if cell.pictures]
        yield f"Pictures attached to text are not in the graded notebook; see the file handed in: {_list(numbers)}."


def _all_cells(handed_in: Any) -> list[Any]:
    cells = handed_in.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = handed_in.get("worksheets")
    return [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or []]


def _notes_on_answers(found: Alignment, graded: list[Place]) -> Iterator[str]:
    answers = [place for place in graded if place.role == "answer"]
    gone = [p.name for p in answers if found.answer(p) is None and p.position not in found.elsewhere]
    if gone:
        yield f"Answers that were deleted stand there as released, blank: {_list(gone)}."
    for place in answers:
        if place.position in found.moved:
            yield f"The answer to {place.name} stood in cell {found.moved[place.position].number} and was moved."
        if place.position in found.elsewhere:
            number = found.elsewhere[place.position].number
            yield f"The answer to {place.name} stands in cell {number} with another one, and stayed there."
    joined = [place.name for place in answers if place.position in found.joined]
    if joined:
        yield f"These answers were in pieces, in cells that follow each other, and were joined: {_list(joined)}."
    kinds = [
        f"{place.name} ({_TEXTS[found.counts[place.position].kind]})"
        for place in answers
        if place.position in found.counts and found.counts[place.position].kind != place.kind
    ]
    if kinds:
        yield f"These cells were turned into another kind, and turned back: {_list(kinds)}."
    for place in found.places:
        copies = found.copies.get(place.position)
        if copies:
            kept = f", cell {found.counts[place.position].number}," if place.role != "locked" else ""
            which = f"the last one that is not blank{kept} counts" if kept else "it is there once, as released"
            label = place.name or place.id
            yield f"{label} was there more than once: {which}; left out were cells {_list(map(str, copies))}."


def _notes_on_locked(found: Alignment, graded: list[Place]) -> Iterator[str]:
    locked = [place for place in graded if place.role == "locked"]
    edited = [p.name for p in locked if p.position in found.counts and not same(found.answer(p), p.source)]
    if edited:
        yield f"These locked cells had been edited and are as released again: {_list(edited)}."
    gone = [place.name for place in locked if place.position not in found.counts]
    if gone:
        yield f"These locked cells were missing and were put back: {_list(gone)}."
    free = [place.id for place in found.places if place.role == "free" and place.position not in found.counts]
    if free:
        yield f"These cells without points were missing and were put back: {_list(free)}."


def _notes_on_names(found: Alignment, graded: list[Place], released: Any) -> Iterator[str]:
    there = [place for place in graded if place.position in found.counts and place.position not in found.moved]
    guessed = [place.name for place in there if place.position in found.by_content]
    if guessed:
        yield f"These cells had lost their names and were recognised by their content: {_list(guessed)}."
    lost = [p.name for p in there if p.position not in found.by_content and not found.counts[p.position].marks]
    if lost:
        yield f"nbgrader's metadata of these cells was lost, and was put back: {_list(lost)}."
    changed = [place.name for place in there if _has_other_marks(found.counts[place.position], place)]
    if changed:
        yield f"nbgrader's metadata of these cells (points, locks) had been changed: {_list(changed)}."
    known = {place.name for place in graded}
    unknown = [f'"{readable(cell.name)}"' for cell in found.cells if cell.name and cell.name not in known]
    if unknown:
        yield f"These names of graded cells are not the problem set's, and count for nothing: {_list(unknown)}."


def _has_other_marks(cell: Cell, place: Place) -> bool:
    return bool(cell.marks) and any(cell.marks.get(mark) != place.marks.get(mark) for mark in _MARKS)


def _list(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
