"""What students get holds no solution, hidden test or mark scheme, in no file and in no form."""

import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pytest
from rich.console import Console

from course.errors import CourseError
from course.hand_out import NAME, hand_out
from course.release import release

ROOT = pathlib.Path(__file__).parents[1]
REGION = re.compile(r"(?:###|===) BEGIN (SOLUTION|HIDDEN TESTS|MARK SCHEME).*?(?:###|===) END \1", re.DOTALL)
SHORT = 30  # shorter lines stand in ordinary code, too


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course whose assignments are up to date, and secrets lying about where they do not belong."""
    root = tmp_path_factory.mktemp("course")
    names = ["README.md", "LICENSE", "LICENSE-text", "Makefile", "pyproject.toml", "requirements.txt"]
    for name in (*names, "environment.yml", "nbgrader_config.py"):
        shutil.copyfile(ROOT / name, root / name)
    for name in ("course", "data", "docs", "grading", "lectures", "utils", "solutions", "assignments"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    release([], False, Console(file=io.StringIO()), root)  # its gradebook holds the hidden tests
    (root / "submitted").mkdir()
    (root / "submitted" / "ada.txt").write_text("what another student handed in")
    (root / "lectures" / "linked.ipynb").symlink_to(root / "solutions" / "ps1_reviews" / "ps1_reviews.ipynb")
    (root / "utils" / "__pycache__").mkdir(exist_ok=True)
    (root / "utils" / "__pycache__" / "old.pyc").write_bytes(b"compiled secrets")
    return root


@pytest.fixture(scope="module")
def handed_out(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    hand_out(folder, Console(file=io.StringIO()), course)
    return folder


def contents(folder):
    """Every file of the folder and of the zip: its name and its bytes."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".zip":
            yield str(path.relative_to(folder)), path.read_bytes()
    with zipfile.ZipFile(folder / f"{NAME}.zip") as packed:
        for name in packed.namelist():
            yield f"zip: {name}", packed.read(name)


def secret_lines():
    """Lines of solutions, hidden tests and mark schemes that stand nowhere in the visible parts."""
    hidden, visible = set(), set()
    for path in (ROOT / "solutions").glob("*/*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            visible |= {line.strip() for line in REGION.sub("", cell.source).splitlines()}
            for region in REGION.finditer(cell.source):
                hidden |= {line.strip() for line in region[0].splitlines()[1:-1] if len(line.strip()) >= SHORT}
            solution = cell.metadata.get("nbgrader", {}).get("solution")
            if cell.cell_type == "markdown" and solution:
                hidden |= {line.strip() for line in cell.source.splitlines() if len(line.strip()) >= SHORT}
    for folder in ("lectures", "utils"):
        for path in (ROOT / folder).glob("*.py"):
            visible |= {line.strip() for line in path.read_text().splitlines()}
        for path in (ROOT / folder).glob("*.ipynb"):
            for cell in nbformat.read(path, as_version=4).cells:
                visible |= {line.strip() for line in cell.source.splitlines()}
    return sorted(hidden - visible)


def find_any(content, forms):
    """The first of the forms that stands anywhere in the content: eight bytes are looked up at every place."""
    starts = {}
    for form in forms:
        starts.setdefault(np.frombuffer(form[:8], "<u8")[0], []).append(form)
    keys = np.array(sorted(starts), "<u8")
    for offset in range(8):
        words = np.frombuffer(content[offset : offset + (len(content) - offset) // 8 * 8], "<u8")
        for place in np.flatnonzero(np.isin(words, keys)):
            for form in starts[words[place]]:
                if content.startswith(form, offset + 8 * int(place)):
                    return form
    return None


def test_no_byte_of_a_solution_a_hidden_test_or_a_mark_scheme_is_handed_out(handed_out):
    secrets = secret_lines()
    assert len(secrets) > 500
    in_json = {json.dumps(line, ensure_ascii=escaped)[1:-1] for line in secrets for escaped in (True, False)}
    forms = [form.encode() for form in {*secrets, *in_json}]
    distinct = {content: name for name, content in contents(handed_out)}
    found = {name: form for content, name in distinct.items() if (form := find_any(content, forms))}
    assert not found
    for number, form in enumerate(forms[:50]):  # the search would find them
        assert find_any(b"x" * number + form + b"y", forms)


def test_only_what_is_listed_is_handed_out(handed_out):
    names = {name.removeprefix("zip: ").split("/")[1] for name, _ in contents(handed_out)}
    assert {"README.md", "assignments", "lectures", "utils"} <= names
    assert not names & {"solutions", "tests", "gradebook.db", "submitted", "nbgrader_config.py", ".git"}
    inner = {name for name, _ in contents(handed_out)}
    assert not [name for name in inner if "__pycache__" in name or "linked" in name]


def test_no_link_leads_to_what_is_not_handed_out(handed_out):
    links = [
        (path, target)
        for path in (handed_out / NAME).rglob("*.md")
        for target in re.findall(r"\]\((?!\w+:|#)([^()#\s]+)", path.read_text(encoding="utf-8"))
    ]
    assert len(links) > 50
    assert [(path.name, target) for path, target in links if not (path.parent / target).exists()] == []
    assert "· changes ·" in (handed_out / NAME / "README.md").read_text(encoding="utf-8")


def test_folder_and_zip_hold_the_same(handed_out):
    files = dict(contents(handed_out))
    packed = {name.removeprefix("zip: "): content for name, content in files.items() if name.startswith("zip: ")}
    assert packed == {name: content for name, content in files.items() if not name.startswith("zip: ")}


def test_the_same_course_gives_the_same_zip_and_replaces_what_was_there(course, handed_out):
    before = (handed_out / f"{NAME}.zip").read_bytes()
    (handed_out / NAME / "stale.txt").write_text("from an earlier year")
    hand_out(handed_out, Console(file=io.StringIO()), course)
    assert (handed_out / f"{NAME}.zip").read_bytes() == before
    assert not (handed_out / NAME / "stale.txt").exists()


def test_a_student_can_check_a_notebook_in_the_copy(handed_out):
    command = [sys.executable, "-m", "course", "--help"]
    run = subprocess.run(command, cwd=handed_out / NAME, capture_output=True, text=True, check=True)
    assert "check" in run.stdout


def test_a_stale_release_is_not_handed_out(course, tmp_path):
    path = course / "assignments" / "ps1_reviews" / "ps1_reviews.ipynb"
    kept = path.read_text()
    path.write_text(kept.replace("Problem set 1", "Problem set one"))
    try:
        with pytest.raises(CourseError, match="run `course release`"):
            hand_out(tmp_path, Console(file=io.StringIO()), course)
        assert not list(tmp_path.iterdir())
    finally:
        path.write_text(kept)
