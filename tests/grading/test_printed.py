"""What `course collect` and `course grade` print: who needs a look, and counts in which nobody is there twice."""

import io
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from rich.console import Console
from small_course import NAME, SOLUTIONS, make_course

from course import grade as course_grade
from grading import batch
from grading.isolation import PROCESS

UNFINISHED = "def scale(values, factor):\n    return (values *"
BEGUN = SOLUTIONS["scale"].replace(
    "if factor < 0:", "if factor == 2.0:\n        raise NotImplementedError()\n    if factor < 0:"
)
NOT_INDENTED = "class Batches:\ndef __len__(self): ..."
CLASS = {
    "blank": {},
    "answered": {"why": "Because."},
    "begun": {"scale": BEGUN},
    "broken": SOLUTIONS | {"scale": UNFINISHED, "batches": NOT_INDENTED},
    "half": {"countdown": SOLUTIONS["countdown"], "scale": UNFINISHED},
    "wrong": dict.fromkeys(SOLUTIONS, "pass") | {"scale": "def scale(values, factor):\n    return eval('(')"},
}


def pack(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), data)
    return path


def text_of(course, **answers):
    """The released notebook with these sources in its cells, as a file's text."""
    notebook = nbformat.read(course / "assignments" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    return nbformat.writes(notebook)


def printed(command, *arguments, **options):
    """What a command prints on a terminal in which no line is too long."""
    console = Console(file=io.StringIO(), width=300)
    command(NAME, *arguments, console, **options)
    return console.file.getvalue()


def rows(text):
    """Of a printed table the remarks in its last column, a list for each student."""
    found, student = {}, ""
    for line in text.splitlines():
        if line.startswith("│"):
            first, *_, last = (part.strip() for part in line.strip("│").split("│"))
            student = first or student
            found.setdefault(student, []).extend([last] * bool(last))
    return found


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def source(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    for student, answers in CLASS.items():
        (folder / student).mkdir()
        name = "mine.ipynb" if student == "wrong" else f"{NAME}.ipynb"
        (folder / student / name).write_text(text_of(course, **answers))
    (folder / "wrong" / "notes.pdf").write_bytes(b"%PDF")
    (folder / "none").mkdir()
    (folder / "none" / "essay.pdf").write_bytes(b"%PDF")
    return folder


@pytest.fixture(scope="module")
def graded(course, source):
    """What grading the class prints, and grading it again."""

    def grade():
        limits = {"cell_seconds": 5, "total_seconds": 20, "memory": 3}
        return printed(course_grade.grade, root=course, isolation=PROCESS, **limits)

    printed(course_grade.collect, source, root=course)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "default_executor", lambda: ThreadPoolExecutor(1))
        return grade(), grade()


# --- grade ----------------------------------------------------------------------------------------------------------


def test_a_hand_in_in_which_nothing_was_attempted_is_told_from_wrong_answers(graded):
    told = rows(graded[0])
    assert told["blank"] == ["nothing attempted: no exercise got further than NotImplementedError"]
    assert told["begun"] == [], "one check gives points where another says NotImplementedError"
    assert told["answered"] == ["2 points wait to be marked"]
    assert [student for student, remarks in told.items() if "nothing attempted" in str(remarks)] == ["blank"]


def test_cells_that_do_not_compile_are_named(graded):
    told = rows(graded[0])
    assert told["broken"] == ["2 cells do not compile: scale, batches"]
    assert told["half"] == ["1 cell does not compile: scale"]
    assert "compile" not in str(told["wrong"]), "an error while it runs is none of the cell's form"


def test_each_remark_stands_on_a_line_of_its_own(graded):
    assert rows(graded[0])["wrong"] == [
        f"The notebook is named 'mine.ipynb' instead of '{NAME}.ipynb'; it is the only one.",
        "Handed in beside the notebook, kept in hand_ins, and not used in grading: 'notes.pdf'.",
    ]


def test_what_cannot_be_graded_is_not_counted_as_graded(graded):
    first, second = graded
    assert rows(first)["none"] == ["There is no notebook (.ipynb), only 'essay.pdf'."]
    assert "\n6 graded, 1 cannot be graded, 0 unchanged since the last time, 0 left. " in first
    assert "\n0 graded, 1 cannot be graded, 6 unchanged since the last time, 0 left. " in second
    assert rows(first) == rows(second)


# --- collect --------------------------------------------------------------------------------------------------------


@pytest.fixture
def empty(course, tmp_path):
    """The course before anything was handed in."""
    for folder in ("solutions", "assignments"):
        (tmp_path / folder).symlink_to(course / folder)
    return tmp_path


def test_a_second_call_says_that_nothing_is_new(empty, source, tmp_path):
    def collect(given):
        return printed(course_grade.collect, given, root=empty).splitlines()[-1]

    after = f" Next: `course grade {NAME}`."
    assert collect(source) == f"7 hand-ins: 7 new, 0 as before. 1 cannot be graded.{after}"
    assert collect(source) == f"7 hand-ins: 0 new, 7 as before. 1 cannot be graded.{after}"
    text = text_of(empty)
    more = pack(tmp_path / "more.zip", {f"half/{NAME}.ipynb": text, f"zoe/{NAME}.ipynb": text, "lost.ipynb": text})
    assert collect(more) == f"3 hand-ins: 2 new, 0 as before, 1 of no student. 1 cannot be graded.{after}"


@pytest.fixture
def in_tokyo(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


def test_times_in_a_zip_are_said_to_be_this_computers(empty, source, tmp_path, in_tokyo):
    archive = pack(tmp_path / "x.zip", {f"ada/{NAME}.ipynb": text_of(empty)})
    text = printed(course_grade.collect, archive, root=empty)
    assert "2026-03-01 03:00" in text
    assert "Times in a zip name no zone: they are read as this computer's (JST)." in text
    assert "no zone" not in printed(course_grade.collect, source, root=empty), "a disk's times are the same everywhere"


def test_a_record_that_was_changed_is_told_when_scores_are_written(course, graded, tmp_path):
    record = next((course / "grades").glob(f"{NAME}/wrong/*.json"))
    before = record.read_bytes()
    to = {"form": "canvas", "to": tmp_path / "scores.csv", "people": None}

    def export():
        console = Console(file=io.StringIO(), width=300)
        course_grade.export(NAME, console=console, root=course, **to)
        return console.file.getvalue()

    try:
        record.write_bytes(before + b" ")
        assert f"{record.relative_to(course)} was changed after it was logged." in export()
    finally:
        record.write_bytes(before)
    assert "was changed" not in export()
