"""Who is who: the people of a learning platform's list, and which of them a student in the gradebook is."""

import csv
import pathlib
import unicodedata
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from course.errors import CourseError
from course.paths import ROOT
from grading import hand_ins

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value", bound=Hashable)
_WHO = {"SIS Login ID", "SIS User ID", "ID", "Email address", "ID number", "Username"}


@dataclass(frozen=True)
class Person:
    """A student as a learning platform knows them."""

    name: str = ""
    identifier: str = ""
    sis_user: str = ""
    sis_login: str = ""
    section: str = ""
    email: str = ""


def read_people(path: pathlib.Path) -> list[Person]:
    """Read a gradebook or list of participants exported by Canvas or Moodle.

    Raises:
        CourseError: there is no such file, it cannot be read or has no column that names a student.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise CourseError(
            f"There is no file {path}: export the gradebook from Canvas, or the list of participants from Moodle."
        ) from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CourseError(f"{path} cannot be read as CSV in UTF-8: {error}.") from error
    if not rows or not _WHO & set(rows[0]):
        raise CourseError(f"{path} has no column that names a student, such as SIS Login ID or Email address.")
    return [_person(row) for row in rows]


def _person(row: dict) -> Person:
    cell = {name: value.strip() for name, value in row.items() if isinstance(value, str) and name}
    full = f"{cell.get('First name', '')} {cell.get('Last name', cell.get('Surname', ''))}".strip()
    login = cell.get("SIS Login ID") or cell.get("Username", "")
    user = cell.get("SIS User ID") or cell.get("ID number", "")
    identifier, email, section = cell.get("ID", ""), cell.get("Email address", ""), cell.get("Section", "")
    return Person(cell.get("Student") or full, identifier, user, login, section, email)


def match(
    people: Iterable[Person], students: Collection[str], problem_set: str, root: pathlib.Path = ROOT
) -> dict[str, Person]:
    """Which of the people each student in the gradebook is.

    Who came in through Canvas's zip is found by Canvas's number; through Moodle's, where only the full name says who
    it is, by that; everybody else by the name of their folder, which may be a login, a number or an e-mail address.

    Args:
        people: from read_people.
        students: their names in the gradebook.
        problem_set: that they handed in to.
        root: the course folder.

    Returns:
        The person for each student who is found. A name that could be two people's is nobody's, and so is a person
        who could be two students: one would get the other's points.
    """
    people = list(people)
    by_number = _unambiguous((person.identifier, person) for person in people)
    by_name = _unambiguous((_comparable(person.name), person) for person in people)
    by_login = _unambiguous(
        (known, person)
        for person in people
        for known in (person.identifier, person.sis_user, person.sis_login, person.email)
    )
    found, collected = [], set()
    for kept in hand_ins.read_all(problem_set, root):
        if kept.platform == "canvas":
            person = by_number.get(kept.number)
        elif kept.platform == "moodle":
            person = by_name.get(_comparable(kept.name))
        else:
            person = by_login.get(kept.name)
        collected.add(kept.hand_in.student)
        found.append((kept.hand_in.student, person))
    found += [(student, by_login.get(student)) for student in students if student not in collected]
    theirs = _unambiguous((student, person) for student, person in found if person)
    owners = _unambiguous((person, student) for student, person in theirs.items())
    return {student: person for person, student in owners.items() if student in students}


def _unambiguous(pairs: Iterable[tuple[_Key, _Value]]) -> dict[_Key, _Value]:
    """The pairs as a dict, without keys that are empty or have several values."""
    values: dict[_Key, set[_Value]] = {}
    for key, value in pairs:
        values.setdefault(key, set()).add(value)
    return {key: next(iter(those)) for key, those in values.items() if key and len(those) == 1}


def _comparable(name: str) -> str:
    """A name by its letters, accents and digits: in the names of files Moodle leaves out apostrophes and the like."""
    return "".join(
        character
        for character in unicodedata.normalize("NFC", name).casefold()
        if unicodedata.category(character)[0] in "LMN"
    )
