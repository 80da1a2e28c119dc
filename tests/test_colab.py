"""A notebook opened in Colab, alone in an empty folder, fetches the course and finds its modules and its data."""

import json
import pathlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from colab import Colab
from nbformat import v4

from course import notebooks
from course.paths import ASSIGNMENTS, LECTURES
from utils import registry

pytestmark = pytest.mark.skipif(
    not shutil.which("git") or sys.platform == "win32", reason="plays Colab, a Linux machine with git"
)
WHOLE = LECTURES / "14_collecting_news.ipynb"  # the one that installs something itself
OPENED = [path for path in sorted(LECTURES.glob("[0-9]*.ipynb")) if path != WHOLE]
OPENED += sorted(ASSIGNMENTS.glob("*/ps*.ipynb"))
# Every notebook has a machine of its own in Colab. Here one kernel goes from folder to folder and forgets the course.
ARRIVE = """%reset -f
import os, sys
os.chdir({folder!r})
sys.path[:] = [entry for entry in sys.path if "sequence-models" not in entry]
for name in [name for name in sys.modules if name.split(".")[0] == "utils"]:
    del sys.modules[name]"""
LOOK = """import json, utils
from utils import registry
print(json.dumps({"utils": utils.__path__[0], "data": list(registry.read_registry())}))"""


@dataclass
class Visit:
    """What happened to a notebook in Colab."""

    folder: pathlib.Path
    cells: list[Any]  # those of the notebook that were run
    looked: Any  # one more, that says what it sees of the course

    def problems(self) -> list[str]:
        """What a reader would see in red."""
        outputs = [output for cell in [*self.cells, self.looked] for output in cell.outputs]
        errors = [f"{output.ename}: {output.evalue}" for output in outputs if output.output_type == "error"]
        return errors + [output.text for output in outputs if output.get("name") == "stderr"]


def opening(notebook: Any) -> list[Any]:
    """The code cells up to the one that imports what the notebook uses of the course."""
    cells = code_cells(notebook)
    last = next(n for n, cell in enumerate(cells) if n > 0 and "from utils" in cell.source)
    return cells[: last + 1]


def code_cells(notebook: Any) -> list[Any]:
    return [v4.new_code_cell(cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def quick_cells(path: pathlib.Path) -> list[Any]:
    """All code cells of a lecture, with the parameters of its quick size."""
    section = tomllib.loads((LECTURES / "quick.toml").read_text(encoding="utf-8"))[path.stem]
    small = "\n".join(f"{name} = {value!r}" for name, value in section.items() if name.isupper())
    notebook = notebooks.read(path)
    next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])).source += f"\n{small}"
    return code_cells(notebook)


def missing_data() -> list[str]:
    return [dataset.name for dataset in registry.read_registry().values() if dataset.faults()]


@pytest.fixture(scope="module")
def colab(tmp_path_factory) -> Colab:
    return Colab(tmp_path_factory.mktemp("colab"))


@pytest.fixture(scope="module")
def visits(colab, tmp_path_factory) -> dict[pathlib.Path, Visit]:
    """Every notebook opened, one after the other, and the lecture WHOLE from top to bottom where its data is here."""
    whole = opening(notebooks.read(WHOLE)) if missing_data() else quick_cells(WHOLE)
    planned = {path: opening(notebooks.read(path)) for path in OPENED} | {WHOLE: whole}
    made = {}
    for path, cells in planned.items():
        folder = tmp_path_factory.mktemp(path.stem)
        shutil.copy(path, folder)
        made[path] = Visit(folder, cells, v4.new_code_cell(LOOK))
    session = v4.new_notebook(cells=list(_as_session(made.values())))
    colab.run(session, tmp_path_factory.getbasetemp())
    return made


def _as_session(visits: Any) -> Iterator[Any]:
    for visit in visits:
        yield v4.new_code_cell(ARRIVE.format(folder=str(visit.folder)))
        yield from visit.cells
        yield visit.looked


@pytest.mark.parametrize("path", [*OPENED, WHOLE], ids=lambda path: path.stem)
def test_a_notebook_alone_in_a_folder_finds_the_course(path, visits):
    visit = visits[path]
    assert not visit.problems()
    assert visit.cells[0].outputs[0].text.startswith("Python 3.")
    seen = json.loads(visit.looked.outputs[0].text)
    assert pathlib.Path(seen["utils"]) == visit.folder / "sequence-models" / "utils"
    assert seen["data"] == list(registry.read_registry())


def test_nothing_that_colab_ships_is_installed_again(colab, visits):
    assert {"filelock", "pooch", "unearth", "newspaper3k"} <= colab.installed
    assert not colab.installed & colab.shipped


def test_a_lecture_runs_from_top_to_bottom(visits):
    if missing := missing_data():
        pytest.skip(f"needs data that is not here, {', '.join(missing)}: fetch it with `course data`")
    visit = visits[WHOLE]
    assert not visit.problems()
    assert all(cell.execution_count for cell in visit.cells)
    assert len(visit.cells) == len(code_cells(notebooks.read(WHOLE)))


def test_outside_of_colab_a_notebook_alone_says_what_to_do(tmp_path):
    first = code_cells(notebooks.read(OPENED[0]))[0].source
    ended = subprocess.run([sys.executable, "-c", first], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("This notebook needs the course's repository: git clone https://github.com/")
    assert not list(tmp_path.iterdir())
