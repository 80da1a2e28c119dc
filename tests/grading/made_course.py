"""A small course with a gradebook, as an instructor has it after a release."""

import io
import os
import pathlib
import shutil
import sys
from typing import Any

import nbformat
import pytest
from nbformat import v4
from rich.console import Console

from course.paths import ROOT
from course.release import release

SOLUTION = """def add_one(number):
    ### BEGIN SOLUTION
    return number + 1
    ### END SOLUTION"""
SMALL = """# One more comes out.
assert add_one(3) == 4, "3 should become 4"
### BEGIN HIDDEN TESTS
assert add_one(-8) == -7, "-8 should become -7"
### END HIDDEN TESTS"""
LARGE = """# A large number becomes one larger.
assert add_one(10**9) == 10**9 + 1"""
QUESTION = "Why does it?"


def marked(cell: Any, name: str, **marks: Any) -> Any:
    flags = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, **flags}
    cell.id = name
    return cell


def make_course(root: pathlib.Path) -> pathlib.Path:
    """Write a problem set, ps1, and release it; the gradebook then knows it."""
    cells = [
        v4.new_markdown_cell("# Exercise 1: add one", id="heading"),
        marked(v4.new_code_cell(SOLUTION), "add", solution=True),
        marked(v4.new_code_cell(SMALL), "add_small", grade=True, locked=True, points=2),
        marked(v4.new_code_cell(LARGE), "add_large", grade=True, locked=True, points=3),
        marked(v4.new_markdown_cell(QUESTION), "why_question", locked=True),
        marked(v4.new_markdown_cell("Because the lecture says so."), "why", grade=True, solution=True, points=2),
    ]
    shutil.copy(ROOT / "nbgrader_config.py", root)
    source = root / "solutions" / "ps1" / "ps1.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(v4.new_notebook(cells=cells), source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        release(["ps1"], False, Console(file=io.StringIO()), root)
    return root


def handed_in(root: pathlib.Path, **answers: str) -> Any:
    """The released notebook with these sources in some of its cells."""
    notebook = nbformat.read(root / "assignments" / "ps1" / "ps1.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return notebook
