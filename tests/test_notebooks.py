import nbformat
import pytest
from nbformat import v4

from course import notebooks
from course.errors import CourseError


def example():
    code = v4.new_code_cell("x = 1", execution_count=7, metadata={"papermill": {"duration": 3}, "tags": ["parameters"]})
    code.outputs = [v4.new_output("execute_result", {"text/plain": "1"}, execution_count=7)]
    graded = v4.new_code_cell("assert x", metadata={"nbgrader": {"grade_id": "x_is_set", "grade": True}})
    text = v4.new_markdown_cell("prose\n\n")
    metadata = {
        "kernelspec": {"display_name": "mine", "name": "my-kernel"},
        "papermill": {"input_path": "/home/me/x.ipynb"},
        "course": {"seconds": 3},
    }
    return v4.new_notebook(cells=[text, code, graded], metadata=metadata)


def test_normal_form_drops_what_differs_between_machines_and_runs():
    notebook = notebooks.normalise(example())
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.cells[0].source == "prose"
    assert notebook.cells[1].metadata == {"tags": ["parameters"]}
    assert (notebook.cells[1].outputs, notebook.cells[1].execution_count) == ([], None)
    assert notebook.cells[2].id == "x_is_set"


def test_lectures_keep_outputs_counted_from_one_and_the_record_of_their_run():
    notebook = notebooks.normalise(example(), keep_outputs=True)
    assert notebook.cells[1].execution_count == 1
    assert notebook.cells[1].outputs[0].execution_count == 1
    assert notebook.cells[2].execution_count is None
    assert notebook.metadata.course == {"seconds": 3}


def test_normalising_twice_changes_nothing_and_ids_are_unique():
    notebook = example()
    for cell in notebook.cells:
        cell.id = "same"
    once = notebooks.as_text(notebooks.normalise(notebook))
    assert notebooks.as_text(notebooks.normalise(nbformat.reads(once, as_version=4))) == once
    assert len({cell.id for cell in notebook.cells}) == 3


def test_the_fingerprint_follows_code_and_not_prose():
    first, second, third = example(), example(), example()
    second.cells[0].source = "other prose"
    third.cells[1].source = "x = 2"
    assert notebooks.hash_sources(first) == notebooks.hash_sources(second) != notebooks.hash_sources(third)


def test_written_notebooks_read_back_and_old_formats_are_upgraded(tmp_path):
    path = tmp_path / "a.ipynb"
    notebooks.write(example(), path)
    assert notebooks.read(path).cells[1].source == "x = 1"
    nbformat.write(nbformat.v3.new_notebook(), path, version=3)
    assert notebooks.read(path).nbformat == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', "print(1)", '{"nbformat": 4}'])
def test_broken_files_are_named(tmp_path, content):
    path = tmp_path / "broken.ipynb"
    path.write_text(content)
    with pytest.raises(CourseError, match=r"broken\.ipynb is no complete notebook"):
        notebooks.read(path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    notebooks.write(example(), path)
    before = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        notebooks.write(v4.new_notebook(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_keeps_the_words_that_describe_a_figure(tmp_path):
    picture = v4.new_output("display_data", {"image/png": "iVBORw0KGgo="}, metadata={"image/png": {"alt": 'a "curve"'}})
    page = tmp_path / "page.html"
    notebooks.render(v4.new_notebook(cells=[v4.new_code_cell("draw()", outputs=[picture])]), page)
    assert "alt='a \"curve\"'" in page.read_text(encoding="utf-8")


def test_the_names_of_parameters_are_those_that_their_cell_assigns():
    cell = v4.new_code_cell("SIZE = 3\nROWS, COLUMNS = 2, 4\nfor _ in (): pass", metadata={"tags": ["parameters"]})
    other = v4.new_code_cell("STEP = 1")
    assert notebooks.parameter_names(v4.new_notebook(cells=[other, cell])) == ["SIZE", "ROWS", "COLUMNS"]
