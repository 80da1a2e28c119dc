"""What an attack is. Each hands in wrong answers, so that every point that it gets is forged."""

import textwrap
from dataclasses import dataclass, field

# Each exercise of the small course, as something that gives whatever `{value}` is.
SHAPES = {
    "scale": "def scale(*arguments, **options):\n    return {value}",
    "countdown": "def countdown(*arguments, **options):\n    return {value}",
    "batches": "def Batches(*arguments, **options):\n    return {value}",
    "twice": "def twice(*arguments, **options):\n    return {value}",
    "shuffle": "def shuffle(*arguments, **options):\n    return {value}",
}


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes:
        why: what it tries, and what stands against it.
        cells: the sources of its cells by their names; the others are blank. A cell that reaches what it must not
            reach ends with an error whose message has the word FOUND.
        then: the first cell of the submission after it, which looks for what the attack has left.
        ends: the outcomes of its checks; any but "passed" where empty.
    """

    why: str
    cells: dict[str, str]
    then: str = ""
    ends: frozenset[str] = field(default_factory=frozenset)


def attack(why: str, source: str, then: str = "", ends: set[str] | None = None) -> Attack:
    """An attack in the first cell; all exercises stay blank."""
    cells = {"scale": textwrap.dedent(source).strip()}
    return Attack(why, cells, textwrap.dedent(then).strip(), frozenset(ends or ()))


def lie(why: str, value: str, source: str = "", then: str = "", ends: set[str] | None = None) -> Attack:
    """An attack whose functions all give the same value."""
    cells = {name: shape.format(value=value) for name, shape in SHAPES.items()}
    cells["scale"] = f"{textwrap.dedent(source).strip()}\n\n{cells['scale']}"
    return Attack(why, cells, textwrap.dedent(then).strip(), frozenset(ends or ()))
