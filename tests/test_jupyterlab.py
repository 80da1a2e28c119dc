"""`course lab`: JupyterLab opens on the table of contents, with the right kernel, and runs a lecture to its samples.

It says its address and little else, stops after a question, and has of nbgrader what the course uses.
"""

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from typing import NamedTuple

import keras
import pytest
from rich.console import Console

from course import lab, notebooks
from course.errors import CourseError
from course.hand_out import hand_out
from course.paths import find_lecture_to_open

PATIENCE = 300_000  # milliseconds for a step: a busy machine must not make a test fail
MISSING = "an_extension_that_is_not_there"
HANDLERS = ("assignments", "courses", "formgraders", "assignments/validate")  # of the extensions that are off


class Started(NamedTuple):
    """A `course lab` that runs."""

    server: subprocess.Popen
    said: str  # up to the line with the address
    address: str


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A student's copy of the course, which a test may write to."""
    return hand_out(tmp_path_factory.mktemp("handed_out"), Console(quiet=True))[0]


@pytest.fixture(scope="module")
def instructors_course(course, tmp_path_factory):
    """A copy with what only an instructor has."""
    copy = shutil.copytree(course, tmp_path_factory.mktemp("instructor") / "course")
    (copy / "solutions").mkdir()
    shutil.copyfile(lab.ROOT / "nbgrader_config.py", copy / "nbgrader_config.py")
    return copy


@pytest.fixture
def start(course, tmp_path, monkeypatch):
    """A function that starts `course lab` in a copy, and gives the process, what it said and the address in it."""
    kernels = tmp_path / "data" / "kernels" / "python3"  # a kernel of another installation, under the same name
    kernels.mkdir(parents=True)
    (kernels / "kernel.json").write_text(json.dumps({"argv": ["/nowhere/python"], "display_name": "Another Python"}))
    for name in ("data", "config", "runtime"):
        monkeypatch.setenv(f"JUPYTER_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.setenv("JUPYTERLAB_WORKSPACES_DIR", str(tmp_path / "workspaces"))
    for name in lab.OWN_TOKEN:
        monkeypatch.delenv(name, raising=False)

    with contextlib.ExitStack() as stack:

        def start_(*arguments, folder=course, **options):
            command = [sys.executable, "-m", "course", "lab", "--no-browser", "--port", "0", *arguments]
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            server = subprocess.Popen(command, cwd=folder, start_new_session=True, **pipes, **options)
            stack.enter_context(server)
            stack.callback(stop, server)
            alarm = threading.Timer(PATIENCE / 1000, os.killpg, (server.pid, signal.SIGKILL))
            alarm.start()
            stack.callback(alarm.cancel)
            said = ""
            for line in server.stdout:
                said += line
                if found := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/lab\S*\?token=[\w.]+", line):
                    alarm.cancel()
                    wait_until_it_listens(found[0])
                    return Started(server, said, found[0])
            pytest.fail(f"JupyterLab did not start:\n{said}")

        yield start_


def wait_until_it_listens(address):
    """JupyterLab says its address a moment before it listens."""
    parts = urllib.parse.urlsplit(address)
    for _ in range(PATIENCE // 100):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection((parts.hostname, parts.port)).close()
        time.sleep(0.1)
    pytest.fail(f"nothing listens at {address}")


def stop(server):
    """JupyterLab that is stopped in the midst of an answer may wait for ever (issue 10442 of JupyterLab): kill it."""
    server.terminate()
    try:
        server.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


@pytest.fixture
def page(chromium):
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_it_opens_on_the_contents_and_a_lecture_opens_from_there_with_the_kernel_of_the_course(start, page):
    page.goto(start().address)
    contents = page.locator(".jp-MarkdownViewer")
    contents.get_by_role("heading", name="Sequence models in Keras").wait_for()
    contents.get_by_role("link", name="09 Character generation").click()
    page.locator(".jp-NotebookPanel").get_by_role("heading", name="A network that writes newspaper text").wait_for()
    page.locator(".jp-Toolbar-kernelName, .jp-KernelName").get_by_text("Python 3 (ipykernel)").first.wait_for()


def test_lecture_09_runs_in_its_quick_size_to_the_first_samples(start, page):
    page.goto(start("09", "--quick").address)
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


def test_it_says_its_address_and_true_problems_and_little_else(start, tmp_path):
    wanted = {"ServerApp": {"jpserver_extensions": {MISSING: True}}}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.json").write_text(json.dumps(wanted))
    first, *others = start().said.splitlines()
    assert first == "JupyterLab opens README.md. Ctrl-C here, twice, stops it."
    problems = [line for line in others if line.startswith("[W")]
    assert len(problems) == 1
    assert MISSING in problems[0]
    assert not [line for line in others if line.startswith("[I")]
    assert "    Or copy and paste one of these URLs:" in others


@pytest.mark.parametrize("name", lab.OWN_TOKEN)
def test_who_brings_a_token_finds_the_address_too(start, tmp_path, monkeypatch, name):
    (tmp_path / "token").write_text("mine")
    monkeypatch.setenv(name, str(tmp_path / "token"))  # a path serves as a token, too
    assert start().address.endswith("?token=...")


@pytest.mark.skipif(sys.platform == "win32", reason="JupyterLab asks nothing on Windows: Ctrl-C stops it")
def test_ctrl_c_asks_before_it_stops(start):
    terminal, end = os.openpty()
    server, _, _ = start(stdin=end)
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does: to `course lab` and to JupyterLab
    os.write(terminal, b"y\n")
    asked, _ = server.communicate(timeout=PATIENCE / 1000)
    assert "Shut down this Jupyter server (y/[n])? " in asked
    assert server.returncode == 0


def test_a_student_meets_nothing_of_nbgrader(start, page):
    address = start("09").address
    page.goto(address)
    page.locator(".jp-NotebookPanel").get_by_role("button", name="Run this cell").first.wait_for()
    assert not page.get_by_role("menuitem", name="Nbgrader").count()
    assert not page.get_by_role("button", name="Validate").count()
    assert answers(page, address, *HANDLERS, "formgrader") == {404}


def test_an_instructor_has_formgrader_and_nothing_that_asks_an_exchange(start, page, instructors_course):
    address = start(folder=instructors_course).address
    page.goto(address)
    page.get_by_role("menuitem", name="Nbgrader").click()
    offered = page.locator(".lm-Menu .lm-Menu-item:visible .lm-Menu-itemLabel").all_inner_texts()
    assert offered == ["Formgrader", "Create assignment"]
    page.get_by_role("menuitem", name="Formgrader", exact=True).click()
    page.frame_locator("iframe").get_by_role("heading", name="Manage Assignments").wait_for()
    assert answers(page, address, *HANDLERS) == {404}


def answers(page, address, *names):
    """The status of each of a server's addresses."""
    return {page.request.get(urllib.parse.urljoin(address, f"/{name}")).status for name in names}


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


def test_open_tabs_are_kept_in_the_course_unless_a_user_has_another_place(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "BUILD", tmp_path)
    monkeypatch.delenv("JUPYTERLAB_WORKSPACES_DIR", raising=False)
    assert lab.environment()["JUPYTERLAB_WORKSPACES_DIR"] == str(tmp_path / "lab" / "workspaces")
    monkeypatch.setenv("JUPYTERLAB_WORKSPACES_DIR", "mine")
    assert lab.environment()["JUPYTERLAB_WORKSPACES_DIR"] == "mine"


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
