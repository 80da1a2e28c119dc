"""Which cell of a handed-in notebook is which cell of the released one: by id, then by name, then by content."""

import re
from dataclasses import dataclass, field
from typing import Any

from grading.comparison import (
    Place,
    defined,
    forget_texts,
    is_blank,
    is_code,
    likeness,
    pairs,
    places_of,
    same,
    stripped,
)
from grading.reading import Cell

_LIKE = 0.5  # from this similarity on, of 0 to 1, a cell is taken for a changed version of another
_PARTS = 5  # pieces that a cell is joined from
_STUB = re.compile(r"^[ \t]*(?:# YOUR CODE HERE|raise NotImplementedError\(\))[ \t]*$", re.MULTILINE)


@dataclass
class Alignment:
    """What became of each handed-in cell.

    Attributes:
        places: the released cells.
        cells: the handed-in ones.
        counts: released position -> the cell that stands there.
        sources: released position -> the student's text, where it is not that cell's own.
        joined: released positions whose cell was in pieces.
        moved: released positions whose answer stood elsewhere -> the cell it stood in.
        elsewhere: released positions of deleted answers that another cell of the student's holds too -> that cell.
        copies: released position -> numbers of the cells left out because another one counts.
        by_content: released positions recognised by their content only.
        own: the student's own cells.
    """

    places: list[Place]
    cells: list[Cell]
    counts: dict[int, Cell] = field(default_factory=dict)
    sources: dict[int, str] = field(default_factory=dict)
    joined: set[int] = field(default_factory=set)
    moved: dict[int, Cell] = field(default_factory=dict)
    elsewhere: dict[int, Cell] = field(default_factory=dict)
    copies: dict[int, list[int]] = field(default_factory=dict)
    by_content: set[int] = field(default_factory=set)
    own: list[Cell] = field(default_factory=list)

    def answer(self, place: Place) -> str | None:
        """What the student has at a released cell; None where the cell is missing."""
        cell = self.counts.get(place.position)
        return self.sources.get(place.position, cell.source if cell else None)


def align(cells: list[Cell], released: Any) -> Alignment:
    """Find for each released cell the handed-in one that counts.

    Args:
        cells: what was handed in.
        released: the released notebook.

    Returns:
        Each handed-in cell once: as counting, as part of a joined cell, as a copy left out, or as the student's own.
    """
    found = Alignment(places_of(released), cells)
    left = _by_names(found)
    left = _by_same_text(found, left)
    left = _by_likeness(found, left)
    left = _join_halves(found, left)
    left = _find_answers(found, left)
    left = _find_written(found, left)
    found.own = sorted(_without_remains(found, left), key=lambda cell: cell.number)
    forget_texts()
    return found


# --- by id and by name ----------------------------------------------------------------------------------------------


def _by_names(found: Alignment) -> list[Cell]:
    ids = {place.id: place.position for place in found.places if place.id}
    names = {place.name: place.position for place in found.places if place.name}
    claims: dict[int, list[Cell]] = {}
    left = []
    for cell in found.cells:
        position = next((ids[each] for each in cell.ids if each in ids), names.get(cell.name))
        if position is None:
            left.append(cell)
        else:
            claims.setdefault(position, []).append(cell)
    for position, claimed in claims.items():
        left += _choose(found, found.places[position], claimed)
    return left


def _choose(found: Alignment, place: Place, claimed: list[Cell]) -> list[Cell]:
    """Take the cell that counts; copies of it are left out, and what else goes by its name is returned."""
    fitting = [cell for cell in claimed if place.defines <= defined(cell.source)] or claimed
    if place.role == "locked":
        chosen = next((cell for cell in claimed if same(cell.source, place.source)), claimed[0])
    else:
        changed = [cell for cell in fitting if not same(cell.source, place.source) and cell.source.strip()]
        chosen = (changed or fitting)[-1]
    found.counts[place.position] = chosen
    others = [cell for cell in claimed if cell is not chosen]
    copies = [cell for cell in others if _is_copy(cell, chosen, place)]
    if copies:
        found.copies[place.position] = [cell.number for cell in copies]
    return [cell for cell in others if cell not in copies]


def _is_copy(cell: Cell, chosen: Cell, place: Place) -> bool:
    if not cell.source.strip() or same(cell.source, place.source) or same(cell.source, chosen.source):
        return True
    if place.role == "answer" and place.kind == "code" and place.defines & defined(chosen.source):
        mine = place.defines & defined(cell.source)
        return bool(mine) and mine <= defined(chosen.source)  # another function of the same answer is half of it
    if place.role == "answer" and place.kind != "code":
        return False  # two answers in words: whoever grades them by hand sees both
    return max(likeness(cell.source, chosen.source), likeness(cell.source, place.source)) >= _LIKE


# --- by content -----------------------------------------------------------------------------------------------------


def _by_same_text(found: Alignment, left: list[Cell]) -> list[Cell]:
    texts: dict[tuple[str, str], list[Cell]] = {}
    for cell in left:
        texts.setdefault((cell.kind, stripped(cell.source)), []).append(cell)
    for place in found.places:
        cells = texts.get((place.kind, stripped(place.source)), [])
        if not cells:
            continue
        if place.position not in found.counts:
            found.counts[place.position] = cells.pop(0)
            found.by_content.add(place.position)
        if place.role != "free" and place.name:
            found.copies.setdefault(place.position, []).extend(cell.number for cell in cells)
            cells.clear()
    found.copies = {position: numbers for position, numbers in found.copies.items() if numbers}
    return sorted((cell for cells in texts.values() for cell in cells), key=lambda cell: cell.number)


def _by_likeness(found: Alignment, left: list[Cell]) -> list[Cell]:
    """Best pairs first, whatever is left on both sides."""
    places = [place for place in found.places if place.position not in found.counts]
    scores = []
    for place in places:
        stub = pairs(_STUB.sub("", place.source))
        for cell in left:
            if cell.kind == place.kind and (score := _score(place, stub, cell)) >= _LIKE:
                scores.append((-score, abs(cell.number - place.position), place.position, cell.number, cell))
    taken: dict[int, list[Cell]] = {}
    used = set()
    for _, _, position, number, cell in sorted(scores, key=lambda entry: entry[:4]):
        is_second_try = position in taken and found.places[position].defines & defined(cell.source)
        if number not in used and (position not in taken or is_second_try):
            taken.setdefault(position, []).append(cell)
            used.add(number)
    left = [cell for cell in left if cell.number not in used]
    for position, cells in taken.items():
        left += _choose(found, found.places[position], sorted(cells, key=lambda cell: cell.number))
        found.by_content.add(position)
    return left


def _score(place: Place, stub: frozenset, cell: Cell) -> float:
    if place.role != "answer":
        return likeness(place.source, cell.source)
    if place.defines and place.defines <= defined(cell.source):
        return 1.0 + likeness(place.source, cell.source)
    # the answer is longer than the stub it began with, so only that the stub is in there counts
    return len(stub & pairs(cell.source)) / len(stub) if len(stub) > 5 else 0.0


# --- halves, and answers in other places ----------------------------------------------------------------------------


def _join_halves(found: Alignment, left: list[Cell]) -> list[Cell]:
    """Join an answer with the cells around it where only together they are code."""
    loose = {cell.number: cell for cell in left}
    for place in found.places:
        cell = found.counts.get(place.position)
        if place.role != "answer" or place.kind != "code" or not cell:
            continue
        source, first, last = cell.source, cell.number, cell.number
        for _ in range(_PARTS - 1):
            below, above = loose.get(last + 1), loose.get(first - 1)
            if below and below.kind == "code" and _need_each_other(source, below.source):
                source, last = f"{source}\n{below.source}", last + 1
            elif above and above.kind == "code" and _need_each_other(above.source, source):
                source, first = f"{above.source}\n{source}", first - 1
            else:
                break
            found.sources[place.position] = source
            found.joined.add(place.position)
        for number in range(first, last + 1):
            loose.pop(number, None)
    return list(loose.values())


def _need_each_other(above: str, below: str) -> bool:
    return bool(above.strip() and below.strip()) and (
        not (is_code(above) and is_code(below)) and is_code(f"{above}\n{below}")
    )


def _find_answers(found: Alignment, left: list[Cell]) -> list[Cell]:
    """Where the cell of an answer is blank or gone, look for its functions in the student's other cells."""
    overwritten = [
        found.counts[place.position]
        for place in found.places
        if place.role == "locked" and place.position in found.counts and _is_overwritten(found, place)
    ]
    loose = sorted([*left, *overwritten], key=lambda cell: cell.number)
    for place in found.places:
        answer = found.answer(place)
        if place.role != "answer" or not place.defines or (answer is not None and not is_blank(answer, place)):
            continue
        fitting = [cell for cell in loose if cell.kind == "code" and place.defines <= defined(cell.source)]
        fitting = [cell for cell in fitting if not is_blank(cell.source, place)]
        others = [found.counts[each.position] for each in found.places if _is_students(found, each, place)]
        holders = [cell for cell in others if place.defines <= defined(cell.source)]
        if fitting:
            found.moved[place.position] = fitting[-1]
            found.sources[place.position] = fitting[-1].source
            loose.remove(fitting[-1])
        elif holders:
            found.elsewhere[place.position] = holders[-1]
    return loose


def _is_students(found: Alignment, each: Place, place: Place) -> bool:
    return each.role != "locked" and each.position != place.position and each.position in found.counts


def _is_overwritten(found: Alignment, place: Place) -> bool:
    """Whether something else altogether stands in a locked cell."""
    source = found.counts[place.position].source
    return bool(source.strip()) and likeness(source, place.source) < _LIKE and place.source not in source


def _find_written(found: Alignment, left: list[Cell]) -> list[Cell]:
    """Where a written answer is blank or gone, look into the question above it and into the cells between the two."""
    loose = {cell.number: cell for cell in left}
    for place in found.places:
        answer = found.answer(place)
        if place.role != "answer" or place.kind == "code" or (answer is not None and not is_blank(answer, place)):
            continue
        above = found.places[place.position - 1] if place.position else None
        question = found.counts.get(above.position) if above else None
        start = found.counts.get(place.position) or question
        number = start.number + 1 if start else 0
        parts = []
        while number in loose and loose[number].kind != "code" and loose[number].source.strip():
            parts.append(loose.pop(number))
            number += 1
        if parts:
            if place.position in found.counts:
                found.moved[place.position] = parts[0]
            else:
                found.counts[place.position] = parts[0]
                found.by_content.add(place.position)
            if len(parts) > 1:
                found.joined.add(place.position)
            found.sources[place.position] = "\n\n".join(part.source for part in parts)
        elif above and question and above.role == "locked":
            before, _, behind = question.source.partition(above.source.strip())
            if question.source.count(above.source.strip()) == 1 and (before + behind).strip():
                found.moved[place.position] = question
                found.sources[place.position] = (before + behind).strip()
    return list(loose.values())


def _without_remains(found: Alignment, left: list[Cell]) -> list[Cell]:
    """Leave out the second halves of the instructor's cells, which stand whole in the release."""
    near: dict[int, list[Place]] = {}
    for place in found.places:
        cell = found.counts.get(place.position)
        if cell and place.role == "locked":
            for number in (cell.number - 1, cell.number + 1):
                near.setdefault(number, []).append(place)
    kept = []
    for cell in left:
        lines = set(filter(None, map(str.strip, cell.source.split("\n"))))
        whole = [place for place in near.get(cell.number, []) if lines <= set(map(str.strip, place.source.split("\n")))]
        if whole:
            found.copies.setdefault(whole[0].position, []).append(cell.number)
        else:
            kept.append(cell)
    return kept
