"""`course lab`: JupyterLab opens on the table of contents, with the right kernel, and runs a lecture to its samples."""

import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import threading

import keras
import pytest
from rich.console import Console

from course import lab, notebooks
from course.errors import CourseError
from course.hand_out import hand_out
from course.paths import find_lecture_to_open

PATIENCE = 300_000  # milliseconds for a step: a busy machine must not make a test fail
TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A student's copy of the course, which a test may write to."""
    return hand_out(tmp_path_factory.mktemp("handed_out"), Console(quiet=True))[0]


@pytest.fixture
def start(course, tmp_path):
    """A function that starts `course lab` in the student's copy, and gives the address that it opens."""
    kernels = tmp_path / "data" / "kernels" / "python3"  # a kernel of another installation, under the same name
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(json.dumps({"argv": ["/nowhere/python"], "display_name": "Another Python"}))
    own = {f"JUPYTER_{name.upper()}_DIR": str(tmp_path / name) for name in ("data", "config", "runtime")}
    settings = {"JUPYTER_TOKEN": TOKEN, "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"), **own}

    with contextlib.ExitStack() as stack:

        def start_(*arguments):
            command = [sys.executable, "-m", "course", "lab", "--no-browser", "--port", "0", *arguments]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            server = stack.enter_context(subprocess.Popen(command, cwd=course, env={**os.environ, **settings}, **pipes))
            stack.callback(server.send_signal, signal.SIGTERM)
            said = ""
            for line in server.stdout:
                said += line
                if found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/lab\S*(?=\?token)", line):
                    # nobody else reads it, and a full pipe would stop the server
                    threading.Thread(target=server.stdout.read, daemon=True).start()
                    return f"{found[0]}?token={TOKEN}"
            pytest.fail(f"JupyterLab did not start:\n{said}")

        yield start_


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_it_opens_on_the_contents_and_a_lecture_opens_from_there_with_the_kernel_of_the_course(start, page):
    page.goto(start())
    contents = page.locator(".jp-MarkdownViewer")
    contents.get_by_role("heading", name="Sequence models in Keras").wait_for()
    contents.get_by_role("link", name="09 Character generation").click()
    page.locator(".jp-NotebookPanel").get_by_role("heading", name="A network that writes newspaper text").wait_for()
    page.locator(".jp-Toolbar-kernelName, .jp-KernelName").get_by_text("Python 3 (ipykernel)").first.wait_for()


def test_lecture_09_runs_in_its_quick_size_to_the_first_samples(start, page):
    page.goto(start("09", "--quick"))
    page.locator(".jp-NotebookPanel").get_by_role("heading", name="A network that writes newspaper text").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    printed = page.locator(".jp-OutputArea-output")
    printed.filter(has_text=f"Python {platform.python_version()}, Keras {keras.__version__}").first.wait_for()
    # the notebook draws only the cells in view: scroll along with what has run
    samples = printed.filter(has_text=re.compile(r"temperature 0\.2.*temperature 1\.2", re.DOTALL)).first
    for _ in range(PATIENCE // 1000):
        if samples.is_visible():
            return
        page.mouse.move(700, 500)
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(1000)
    pytest.fail("no samples appeared")


def test_a_quick_copy_has_the_small_sizes_no_outputs_and_is_not_written_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "BUILD", tmp_path)
    lecture = lab.ROOT / "lectures" / "02_imdb_lstm.ipynb"
    copy = lab.quick_copy(lecture, Console(quiet=True))
    content = notebooks.read(copy)
    assert not any(cell.get("outputs") for cell in content.cells)
    names = {}
    exec("\n".join(cell.source for cell in content.cells if "parameters" in cell.metadata.get("tags", [])), names)
    sizes = lab.quick_parameters(lecture)
    assert sizes
    assert {name: names[name] for name in sizes} == sizes
    copy.write_text("what a student has changed")
    assert lab.quick_copy(lecture, Console(quiet=True)) == copy
    assert copy.read_text() == "what a student has changed"


def test_quick_asks_for_a_lecture():
    with pytest.raises(CourseError, match="course lab 09 --quick"):
        lab.lab(None, True, 8888, False, Console(quiet=True))


@pytest.mark.parametrize("given", ["ps1", "ps1_reviews"])
def test_who_opens_a_problem_set_is_told_how_to_copy_it(given):
    with pytest.raises(CourseError, match=r"`cp assignments/ps1_reviews/ps1_reviews\.ipynb my_ps1\.ipynb`"):
        find_lecture_to_open(given)


def test_a_copy_and_a_lecture_are_opened(tmp_path):
    (tmp_path / "my_ps1.ipynb").write_text("{}")
    assert find_lecture_to_open(str(tmp_path / "my_ps1.ipynb")) == tmp_path / "my_ps1.ipynb"
    assert find_lecture_to_open("9").name == "09_character_generation.ipynb"


def test_the_contents_link_to_no_folder():
    links = re.findall(r"\]\(([^)#:]+)[)#]", (lab.ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if (lab.ROOT / link).is_dir()]  # JupyterLab shows an error for one


def test_a_notebook_elsewhere_cannot_be_opened(tmp_path):
    with pytest.raises(CourseError, match="is not in the course's folder"):
        lab.lab(tmp_path / "other.ipynb", False, 8888, False, Console(quiet=True))
