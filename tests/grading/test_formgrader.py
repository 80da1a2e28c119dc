"""What formgrader shows: the gradebook's marks, the verdicts, and nothing of a student's that runs in a browser."""

import copy
import json
from types import SimpleNamespace

import pytest
from made_course import marked
from made_records import make_record, make_verdict
from nbformat import v4

from grading.formgrader import fingerprint, for_formgrader, record_of

RECORD = make_record(
    verdicts=(
        make_verdict("add_small", 2, 2),
        make_verdict("add_large", 0, 3, message="expected 5, got 4"),
        make_verdict("why", 0, 2, exercise="why", outcome="by hand", message="waits"),
        make_verdict("plot", 0, 4, exercise="plot", outcome="by hand", message="waits"),
    )
)


def known(name, score=None, kind="code", locked=False):
    about = {"name": name, "max_score": score, "cell_type": kind, "locked": locked}
    return SimpleNamespace(**about, checksum=f"sum of {name}", source=f"the instructor's {name}")


SOURCE = SimpleNamespace(
    source_cells=[
        known("add"),
        known("add_small", locked=True),
        known("add_large", locked=True),
        known("why", kind="markdown"),
        known("plot"),
        known("essay", kind="markdown", locked=True),
        known("given", locked=True),
    ],
    grade_cells=[known("add_small", 2), known("add_large", 3), known("why", 2, "markdown"), known("plot", 4)],
    solution_cells=[known("add"), known("why"), known("plot")],
    task_cells=[known("essay", 5, "markdown")],
)
EXPECTED = {  # grade, solution, task, locked, points
    "add": (False, True, False, False, None),
    "add_small": (True, False, False, True, 2),
    "add_large": (True, False, False, True, 3),
    "why": (True, True, False, False, 2),
    "plot": (True, True, False, False, 4),
    "essay": (False, False, True, True, 5),
    "given": (False, False, False, True, None),
}
STREAM = v4.new_output("stream", text="printed\n")


def handed_in():
    made = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell}
    cells = [marked(made[cell.cell_type](f"# {cell.name}"), cell.name, points=99) for cell in SOURCE.source_cells]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [copy.deepcopy(STREAM)]
    return v4.new_notebook(cells=cells)


def test_the_marks_are_the_gradebooks():
    shown = for_formgrader(handed_in(), SOURCE, RECORD)
    found = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader for cell in shown.cells}
    keys = ("grade", "solution", "task", "locked")
    assert {name: (*(marks[key] for key in keys), marks.get("points")) for name, marks in found.items()} == EXPECTED
    assert all(marks.checksum == f"sum of {name}" and marks.schema_version == 3 for name, marks in found.items())
    assert {name: marks.cell_type for name, marks in found.items()} == {
        cell.name: cell.cell_type for cell in SOURCE.source_cells
    }


def test_a_second_cell_of_a_name_and_one_of_an_unknown_name_have_no_marks():
    notebook = handed_in()
    notebook.cells += [
        marked(v4.new_code_cell("again"), "add_small"),
        marked(v4.new_code_cell("own"), "own", points=9),
        v4.new_code_cell("plain"),
    ]
    shown = for_formgrader(notebook, SOURCE, RECORD)
    assert ["nbgrader" in cell.metadata for cell in shown.cells] == [True] * 7 + [False] * 3


def test_checks_show_their_verdicts_and_answers_what_they_printed():
    shown = {cell.metadata.nbgrader.grade_id: cell for cell in for_formgrader(handed_in(), SOURCE, RECORD).cells}
    assert [output.text for output in shown["add_small"].outputs] == ["passed\n"]
    (failed,) = shown["add_large"].outputs
    assert (failed.output_type, failed.ename, failed.evalue) == ("error", "failed", "expected 5, got 4")
    assert failed.traceback == ["failed: expected 5, got 4"]
    for name in ("add", "plot", "given"):
        assert shown[name].outputs == [STREAM], name
    assert "outputs" not in shown["why"]


def test_locked_texts_are_the_instructors_with_the_mark_scheme_and_all_else_is_as_handed_in():
    shown = {cell.metadata.nbgrader.grade_id: cell.source for cell in for_formgrader(handed_in(), SOURCE, RECORD).cells}
    assert shown.pop("essay") == "the instructor's essay"
    assert shown == {name: f"# {name}" for name in EXPECTED if name != "essay"}  # no hidden test among them


def test_a_cell_of_another_kind_keeps_its_source():
    notebook = handed_in()
    notebook.cells[1] = marked(v4.new_markdown_cell("a check that became text"), "add_small")
    notebook.cells[5] = marked(v4.new_code_cell("a text that became code"), "essay")
    shown = for_formgrader(notebook, SOURCE, RECORD).cells
    assert [shown[place].source for place in (1, 5)] == ["a check that became text", "a text that became code"]


@pytest.mark.parametrize(
    ("kinds", "kept"),
    [
        (["text/html", "text/plain"], ["text/plain"]),
        (["image/png", "application/javascript"], ["image/png"]),
        (["image/jpeg"], ["image/jpeg"]),
        (["text/html"], None),
        (["image/svg+xml", "text/latex", "application/vnd.x+json"], None),
        ([], None),
    ],
)
def test_no_output_that_runs_is_shown(kinds, kept):
    notebook = handed_in()
    notebook.cells[0].outputs = [v4.new_output("display_data", data=dict.fromkeys(kinds, "x")), STREAM]
    first, *rest = for_formgrader(notebook, SOURCE, RECORD).cells[0].outputs
    if kept is None:
        assert (first, rest) == (STREAM, [])
    else:
        assert (list(first.data), rest) == (kept, [STREAM])


def test_what_was_handed_in_is_not_changed():
    notebook = handed_in()
    before = copy.deepcopy(notebook)
    for_formgrader(notebook, SOURCE, RECORD)
    assert notebook == before


def test_a_notebook_knows_its_record(tmp_path):
    path = tmp_path / "shown.ipynb"
    path.write_text(json.dumps(for_formgrader(handed_in(), SOURCE, RECORD)))
    assert record_of(path) == fingerprint(RECORD) != fingerprint(make_record())


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"metadata": 1}', '{"metadata": {"course": []}}', "[" * 99_999]
)
def test_a_file_that_names_no_record_belongs_to_none(tmp_path, content):
    path = tmp_path / "shown.ipynb"
    assert record_of(path) == ""
    path.write_text(content)
    assert record_of(path) == ""
