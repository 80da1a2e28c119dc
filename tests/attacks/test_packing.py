"""Hostile archives and folders: nothing leads out, nobody is taken for another, and the class is taken in."""

import json
import pathlib
import time
import zipfile

import nbformat
import packing
import pytest
from packing import ARCHIVES, FILE, FOLDERS, FORGED, NAME, SECRET
from small_course import hand_in, small_set, solutions

from grading.collect import take_in
from grading.hand_ins import history
from grading.names import same_on_disk
from grading.sources import Limits

LIMITS = Limits(file_bytes=1_000_000, hand_in_bytes=4_000_000, total_bytes=8_000_000, entries=2_000, files=50)
FEW = Limits(file_bytes=1_000_000, hand_in_bytes=4_000_000, total_bytes=8_000_000, entries=500, files=50)
HONEST = nbformat.writes(hand_in(**solutions())).encode()
VICTIMS = nbformat.writes(hand_in(**{**solutions(), "scale": "victim = 1"})).encode()


@pytest.fixture
def root(tmp_path):
    """A course in which victim has handed in, and beside it a solution that nobody may read."""
    root = tmp_path / "course"
    released = root / "assignments" / NAME / FILE
    released.parent.mkdir(parents=True)
    nbformat.write(small_set().released, released)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / FILE).write_text(json.dumps({"nbformat": 4, "cells": [SECRET]}))
    first = tmp_path / "first" / "victim"
    first.mkdir(parents=True)
    (first / FILE).write_bytes(VICTIMS)
    take_in(first.parent, NAME, root)
    return root


def everything(folder):
    found = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}
    return found | {path: path.readlink() for path in folder.rglob("*") if path.is_symlink()}


def take_in_hostile(root, source, limits):
    """Take in what eve packed, and see that it has harmed nobody; returns what was found."""
    before = everything(root.parent)
    begun = time.process_time()
    found = take_in(source, NAME, root, limits=limits)
    assert time.process_time() - begun < 5, "it held the grader up"
    after = everything(root.parent)
    allowed = (root / "hand_ins" / NAME, root / "submitted")
    new = after.keys() - before.keys()
    assert all(any(path.is_relative_to(folder) for folder in allowed) for path in new)
    assert {path: after.get(path) for path in before} == before, "something was changed"
    assert not any(SECRET.encode() in after[path] for path in new)
    assert sum(len(after[path]) for path in new) < 10_000_000
    assert not any(path.is_symlink() or path.stat().st_mode & 0o7000 for path in new)

    by_student = {one.student: one for one in found}
    assert not by_student["good"].fault
    assert (root / "submitted" / "good" / NAME / FILE).read_bytes() == HONEST
    assert [one.path.read_bytes() for one in history(NAME, root, "victim")] == [VICTIMS]
    students = {one.student for one in found if one.student}
    assert len({same_on_disk(name) for name in students | {"victim"}}) == len(students | {"victim"})
    assert all(character.isprintable() for one in found for text in (one.fault, *one.notes) for character in text)

    again = take_in(source, NAME, root, limits=limits)
    assert everything(root.parent) == after, "taking in the same again adds nothing"
    assert [one.student for one in again] == [one.student for one in found]
    return by_student


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("attack", ARCHIVES, ids=lambda attack: attack.__name__)
def test_a_hostile_archive_harms_nobody(root, tmp_path, attack):
    source = tmp_path / "hand-ins.zip"
    with zipfile.ZipFile(source, "w") as archive:
        attack(archive)
        archive.writestr(packing.entry(f"good/{FILE}"), HONEST)
    take_in_hostile(root, source, LIMITS)


@pytest.mark.parametrize("attack", FOLDERS, ids=lambda attack: attack.__name__)
def test_a_hostile_folder_harms_nobody(root, tmp_path, attack):
    source = tmp_path / "hand-ins"
    (source / "good").mkdir(parents=True)
    (source / "good" / FILE).write_bytes(HONEST)
    attack(source)
    take_in_hostile(root, source, FEW)


def pack(tmp_path, *attacks):
    source = tmp_path / "some.zip"
    with zipfile.ZipFile(source, "w") as archive:
        for attack in attacks:
            attack(archive)
        archive.writestr(packing.entry(f"good/{FILE}"), HONEST)
    return source


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        (packing.encrypted, "it is encrypted"),
        (packing.unknown_method, "damaged"),
        (packing.zip_bomb, "larger than 1 MB"),
        (packing.archives_in_archives, "zip archive with another name"),
        (packing.device_entries, "special file"),
        (packing.endless_names, "name is longer than"),
        (packing.backslashes, "leads out of the folder"),
    ],
)
def test_eve_is_told_what_is_wrong(root, tmp_path, attack, told):
    found = take_in_hostile(root, pack(tmp_path, attack), LIMITS)
    assert told in found["eve"].fault


def test_one_student_cannot_use_up_what_all_may_hand_in(root, tmp_path):
    found = take_in_hostile(root, pack(tmp_path, packing.many_small_bombs), LIMITS)
    assert "There is no notebook" in found["eve"].fault
    assert "larger than 4 MB together" in found["eve"].fault


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_both_of_two_files_with_one_name_are_kept(root, tmp_path):
    take_in_hostile(root, pack(tmp_path, packing.the_same_name_twice), LIMITS)
    (one,) = history(NAME, root, "eve")
    kept = {path.read_bytes() for path in pathlib.Path(one.path).parent.glob("*.ipynb")}
    assert kept == {FORGED, FORGED.replace(b"1", b"2")}


def test_each_attack_is_explained():
    assert len({attack.__name__ for attack in (*ARCHIVES, *FOLDERS)}) == len(ARCHIVES) + len(FOLDERS) >= 30
    assert all(attack.__doc__.endswith(".") for attack in (*ARCHIVES, *FOLDERS))
