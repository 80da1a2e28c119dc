"""`course badges`: one name in every address of the course, and nothing else changed."""

import io
import json
import pathlib
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from course import notebooks
from course.badges import badges
from course.cli import app
from course.errors import CourseError
from course.paths import LECTURES, ROOT
from course.release import release

OLD = "OWNER/sequence-models"
FORK = "ada/her-course"
OTHERS = """
See https://github.com/OWNER/sequence-models, or https://github.com/OWNER/sequence-models.
[![CI](https://github.com/OWNER/sequence-models/actions/workflows/ci.yml/badge.svg)](https://github.com/OWNER/sequence-models/actions)
    git clone https://github.com/OWNER/sequence-models.git
"""
FOREIGN = """
https://github.com/OWNER/sequence-models-extra https://github.com/OWNER/sequence-models.js
https://github.com/keras-team/keras https://notgithub.com/OWNER/sequence-models OWNER/sequence-models
https://colab.research.google.com/github/keras-team/keras/blob/main/examples/lstm.ipynb
"""
CITATION = 'cff-version: 1.2.0\nrepository-code: "https://github.com/OWNER/sequence-models"\n'


def make_course(root: pathlib.Path) -> pathlib.Path:
    """A course with two lectures and one problem set of this one, under the name OLD."""
    named = [LECTURES / "14_collecting_news.ipynb", LECTURES / "06_rnn_unrolled.ipynb", ROOT / "pyproject.toml"]
    named += [ROOT / "nbgrader_config.py", *ROOT.glob("*/ps2_from_scratch/*.ipynb")]
    for source in named:
        copy = root / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    badges(OLD, False, quiet(), root)  # the tests hold in a fork as well
    (root / "README.md").write_text(OTHERS + FOREIGN)
    (root / "CITATION.cff").write_bytes(CITATION.replace("\n", "\r\n").encode())
    return root


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path)


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


def contents(root: pathlib.Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def said_by(repository: str | None, check: bool, root: pathlib.Path) -> tuple[bool, str]:
    """Returns: what a call returns, and what it prints."""
    console = quiet()
    good = badges(repository, check, console, root)
    return good, console.file.getvalue()


def test_every_file_names_the_fork_and_nothing_else_changes(course):
    before = contents(course)
    badges(FORK, False, quiet(), course)
    after = contents(course)
    assert before.keys() == after.keys()
    for name in before.keys() - {"README.md"}:
        renamed = before[name].decode().replace(OLD, FORK)
        if name.startswith("lectures/"):
            sources = notebooks.read(course / name).metadata.course.sources
            renamed = renamed.replace(json.loads(before[name])["metadata"]["course"]["sources"], sources)
        assert after[name].decode() == renamed, name
    assert after["README.md"].decode() == OTHERS.replace(OLD, FORK) + FOREIGN


def test_a_lecture_keeps_its_outputs_and_they_belong_to_its_code(course):
    path = course / "lectures" / "14_collecting_news.ipynb"
    before = notebooks.read(path)
    badges(FORK, False, quiet(), course)
    after = notebooks.read(path)
    assert after.metadata.course.sources == notebooks.hash_sources(after) != before.metadata.course.sources
    assert str([cell.get("outputs") for cell in after.cells]) == str(
        [cell.get("outputs") for cell in before.cells]
    ).replace(OLD, FORK)
    assert path.read_text() == notebooks.as_text(notebooks.normalise(after, keep_outputs=True))


def test_outputs_that_did_not_belong_to_the_code_still_do_not(course):
    path = course / "lectures" / "14_collecting_news.ipynb"
    lecture = notebooks.read(path)
    lecture.cells[-1].source += "\nchanged"
    next(cell for cell in lecture.cells if "time" in cell.source and cell.cell_type == "code").source += "\nchanged = 1"
    notebooks.write(lecture, path)
    badges(FORK, False, quiet(), course)
    after = notebooks.read(path)
    assert after.metadata.course.sources == lecture.metadata.course.sources != notebooks.hash_sources(after)


def test_released_problem_sets_stay_what_the_sources_make(course):
    release([], False, quiet(), course)
    badges(FORK, False, quiet(), course)
    console = quiet()
    assert release([], True, console, course), console.file.getvalue()


def test_a_second_call_writes_nothing(course):
    badges(FORK, False, quiet(), course)
    times = {path: path.stat().st_mtime_ns for path in course.rglob("*")}
    assert said_by(FORK, False, course) == (True, f"{FORK}: 0 of 7 files changed.\n")
    assert said_by(None, True, course) == (True, f"7 of 7 files agree with {FORK}.\n")
    assert {path: path.stat().st_mtime_ns for path in course.rglob("*")} == times


owners = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,6}[A-Za-z0-9])?", fullmatch=True)
repositories = st.from_regex(r"[A-Za-z0-9._-]{0,6}[A-Za-z0-9_-]", fullmatch=True).filter(
    lambda name: not name.endswith(".git")
)
names = st.builds("{}/{}".format, owners, repositories) | st.sampled_from([OLD + "-2", OLD + ".js2", "OWNER/sequence"])


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(names, names)
@example("1st/course", "ada/2.0")  # digits, where a pattern numbers its groups
def test_a_fork_of_a_fork_goes_back_to_the_same_bytes(first, second):
    assume(len({first, second, OLD}) == 3)
    with tempfile.TemporaryDirectory() as folder:
        root = make_course(pathlib.Path(folder))
        badges(first, False, quiet(), root)
        before = contents(root)
        badges(second, False, quiet(), root)
        assert said_by(None, True, root) == (True, f"7 of 7 files agree with {second}.\n")
        assert not [name for name, content in contents(root).items() if f'github.com/{first}"'.encode() in content]
        badges(first, False, quiet(), root)
        assert contents(root) == before


def test_what_was_merged_from_elsewhere_is_found_and_mended(course):
    badges(FORK, False, quiet(), course)
    other = course / "lectures" / "06_rnn_unrolled.ipynb"
    expected = other.read_bytes()
    badges("upstream/course", False, quiet(), course)
    merged = other.read_bytes()
    badges(FORK, False, quiet(), course)
    other.write_bytes(merged)
    good, said = said_by(None, True, course)
    assert not good
    assert said.splitlines() == [
        f"lectures/06_rnn_unrolled.ipynb: names upstream/course, not {FORK}",
        f"6 of 7 files agree with {FORK}: run `course badges`.",
    ]
    assert other.read_bytes() == merged, "a check changes nothing"
    badges(None, False, quiet(), course)
    assert other.read_bytes() == expected


def test_a_rewrite_that_broke_off_is_completed_by_the_next(course):
    before = contents(course)
    badges(FORK, False, quiet(), course)
    complete = contents(course)
    for name in ("pyproject.toml", "README.md", "solutions/ps2_from_scratch/ps2_from_scratch.ipynb"):
        (course / name).write_bytes(before[name])
    badges(FORK, False, quiet(), course)
    assert contents(course) == complete


NO_NAMES = ["", "ada", "/her-course", "ada/", "ada/her/course", "https://github.com/ada/course", "ada/course.git"]
NO_NAMES += ["ada/c d", "-ada/course", "ada/..", "ada/course\n", "ädä/course", "ada/" + 101 * "x", 'ada/"; import os']


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_malformed_name_is_refused_before_anything_changes(name, course):
    before = contents(course)
    with pytest.raises(CourseError, match="expected OWNER/NAME"):
        badges(name, False, quiet(), course)
    assert contents(course) == before


@pytest.mark.parametrize("line", ["", 'Repository = "https://example.org/ada/course"', "Repository = "])
def test_a_project_file_without_an_address_says_what_to_write(line, course):
    (course / "pyproject.toml").write_text(f"[project.urls]\n{line}\n")
    with pytest.raises(CourseError, match=r"write Repository = "):
        badges(FORK, False, quiet(), course)


def test_a_broken_notebook_is_named_before_anything_changes(course):
    path = course / "lectures" / "06_rnn_unrolled.ipynb"
    path.write_bytes(path.read_bytes()[:-100])
    before = contents(course)
    with pytest.raises(CourseError, match="06_rnn_unrolled"):
        badges(FORK, False, quiet(), course)
    assert contents(course) == before


def test_the_course_itself_agrees_with_its_project_file():
    good, said = said_by(None, True, ROOT)
    assert good, said


def test_the_command_says_what_is_wrong_with_a_name():
    ended = CliRunner().invoke(app, ["badges", "--repository", "https://github.com/ada/course", "--check"])
    assert ended.exit_code == 1
    assert "such as ada/sequence-models, without https://" in ended.stderr
    assert CliRunner().invoke(app, ["badges", "--check"]).exit_code == 0
