"""What every committed notebook has, read from the files; `make lectures` runs them."""

import ast
import base64
import itertools
import pathlib
import re
import tomllib

import pytest

from course import notebooks
from course.paths import ASSIGNMENTS, LECTURES, ROOT, SOLUTIONS

LECTURE_PATHS = sorted(LECTURES.glob("[0-9]*.ipynb"))
ALL_PATHS = LECTURE_PATHS + sorted(SOLUTIONS.glob("*/*.ipynb")) + sorted(ASSIGNMENTS.glob("*/*.ipynb"))
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]

every_lecture = pytest.mark.parametrize("path", LECTURE_PATHS, ids=lambda path: path.stem)
every_notebook = pytest.mark.parametrize("path", ALL_PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@every_lecture
def test_the_readme_lists_every_lecture_with_the_minutes_it_took(path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    row = re.search(rf"\]\(lectures/{path.name}\) \|.*\| (\d+) min \|$", readme, flags=re.MULTILINE)
    assert row, f"the README has no row for {path.name} that ends with its minutes in full size"
    assert int(row[1]) == max(1, round(notebooks.read(path).metadata.course.seconds / 60))


@every_notebook
def test_a_notebook_is_in_normal_form(path):
    keep_outputs = path.parent == LECTURES
    normal = notebooks.as_text(notebooks.normalise(notebooks.read(path), keep_outputs))
    assert path.read_text(encoding="utf-8") == normal, f"run `course normalise`, or `course release` for {path}"


@every_lecture
def test_outputs_belong_to_the_code(path):
    notebook = notebooks.read(path)
    assert notebook.metadata.course.sources == notebooks.hash_sources(notebook), f"run `course run --save {path.stem}`"
    assert [cell.execution_count for cell in code_cells(notebook)] == list(range(1, len(code_cells(notebook)) + 1))
    errors = [output for cell in code_cells(notebook) for output in cell.outputs if output.output_type == "error"]
    assert not errors


@every_notebook
def test_the_first_cell_makes_the_notebook_run_in_colab(path):
    notebook = notebooks.read(path)
    first = code_cells(notebook)[0].source
    reference = code_cells(notebooks.read(LECTURE_PATHS[0]))[0].source
    assert first == reference
    assert f'REPOSITORY = "{REPOSITORY}"' in first
    if path.parent != SOLUTIONS / path.stem:
        address = f"{REPOSITORY.removeprefix('https://github.com/')}/blob/main/{path.relative_to(ROOT).as_posix()}"
        assert f"https://colab.research.google.com/github/{address}" in notebook.cells[0].source


@every_notebook
def test_a_notebook_names_no_path_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    found = re.search(r"(?<![\w.])(/home/|/Users/|/root/|/work/|/tmp/|C:\\\\)\S*", text)
    assert not found, found and found.group()


@every_lecture
def test_quick_sizes_are_parameters_of_the_lecture(path):
    section = tomllib.loads((LECTURES / "quick.toml").read_text())[path.stem]
    parameters = {name for name in section if name.isupper()}
    assert parameters
    assert parameters <= set(notebooks.parameter_names(notebooks.read(path)))
    assert section["seconds"] <= 60


@every_lecture
def test_headings_go_down_one_level_at_a_time(path):
    levels = [len(hashes) for hashes in re.findall(r"^(#+) ", prose(notebooks.read(path)), flags=re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


@every_lecture
def test_images_of_prose_have_a_text_for_those_who_cannot_see_them(path):
    assert not re.search(r"!\[\s*\]\(", prose(notebooks.read(path)))


@every_lecture
def test_a_lecture_needs_no_backend_by_name(path):
    for cell in code_cells(notebooks.read(path)):
        lines = [line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!"))]
        tree = ast.parse("\n".join(lines))
        imported = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in ([ast.alias(node.module)] if isinstance(node, ast.ImportFrom) else node.names)
        }
        assert not imported & {"tensorflow", "jax", "torch"}


def test_the_readmes_picture_is_an_output_of_the_lecture():
    picture = base64.b64encode((LECTURES / "images" / "02_history.png").read_bytes()).decode()
    lecture = notebooks.read(LECTURES / "02_imdb_lstm.ipynb")
    outputs = [output for cell in code_cells(lecture) for output in cell.outputs if "data" in output]
    drawn = ["".join(output.data.get("image/png", "").split()) for output in outputs]
    assert picture in drawn, "save the lecture's new figure of the training as lectures/images/02_history.png"


def test_the_readme_names_files_and_commands_that_exist():
    text = (ROOT / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", text)) <= targets
    assert pathlib.Path(ROOT / "assignments").is_dir()
