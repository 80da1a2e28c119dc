"""`course run`, on small notebooks that import nothing heavy, as a user calls it."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat import v4

COURSE = [sys.executable, "-m", "course"]


def make_notebook(path, *sources):
    """A notebook of code cells; a source that begins with "SIZE" is its parameters cell."""
    cells = [
        v4.new_code_cell(source, metadata={"tags": ["parameters"]} if source.startswith("SIZE") else {})
        for source in sources
    ]
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def course(*arguments, **options):
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run([*COURSE, *map(str, arguments)], capture_output=True, text=True, env=environment, **options)


def outputs(path):
    return "".join(
        output.get("text", "") for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])
    )


def last_cell_is_running(path):
    return nbformat.read(path, 4).cells[-1].metadata.get("papermill", {}).get("status") == "running"


def test_a_run_shows_its_output_and_says_where_the_page_is(tmp_path):
    notebook = make_notebook(tmp_path / "small.ipynb", "SIZE = 2", "print('sample', SIZE * 'ab')")
    before = notebook.read_bytes()
    result = course("run", notebook, "--output", tmp_path / "out", "--set", "SIZE=3")
    assert result.returncode == 0, result.stderr
    assert "sample ababab" in result.stdout
    assert str(tmp_path / "out" / "small.html") in result.stdout
    assert "sample ababab" in (tmp_path / "out" / "small.html").read_text()
    assert notebook.read_bytes() == before


def test_progress_bars_of_a_cell_leave_their_last_line(tmp_path):
    bar = "for i in range(50): print(f'\\r{i}/49', end='', flush=True)\nprint()"
    result = course("run", make_notebook(tmp_path / "bar.ipynb", bar), "--output", tmp_path)
    assert "49/49" in result.stdout
    assert "48/49" not in outputs(tmp_path / "bar.ipynb")


def test_save_keeps_the_outputs_in_the_notebook_with_a_hash_of_its_code(tmp_path):
    notebook = make_notebook(tmp_path / "kept.ipynb", "SIZE = 2", "print('kept')")
    assert course("run", notebook, "--save", "--output", tmp_path / "out").returncode == 0
    saved = nbformat.read(notebook, 4)
    assert outputs(notebook) == "kept\n"
    assert set(saved.metadata.course) == {"seconds", "sources"}
    assert len(saved.cells) == 2
    result = course("run", notebook, "--save", "--set", "SIZE=3")
    assert result.returncode == 1
    assert "full run" in result.stderr


def test_a_failing_cell_is_named_and_what_ran_is_kept(tmp_path):
    notebook = make_notebook(tmp_path / "failing.ipynb", "print('before')", "# the second\n1 / 0", "print('after')")
    good = make_notebook(tmp_path / "good.ipynb", "print('fine')")
    result = course("run", notebook, good, "--output", tmp_path / "out")
    assert result.returncode == 1
    assert "cell 2 failed: ZeroDivisionError: division by zero" in result.stdout
    assert "the cell begins: # the second" in result.stdout
    assert "Traceback" not in result.stderr
    assert outputs(tmp_path / "out" / "failing.ipynb").startswith("before")
    assert "done   good" in result.stdout  # the other notebooks are run all the same


def test_a_kernel_that_dies_is_a_failure_of_its_cell(tmp_path):
    notebook = make_notebook(tmp_path / "dying.ipynb", "print('before')", "import os; os._exit(9)")
    result = course("run", notebook, "--output", tmp_path / "out")
    assert result.returncode == 1
    assert "cell 2: the kernel ended" in result.stdout
    assert "Traceback" not in result.stderr


def test_an_interrupted_run_keeps_its_partial_output_and_says_so(tmp_path):
    notebook = make_notebook(tmp_path / "long.ipynb", "print('before')", "import time; time.sleep(60)")
    process = subprocess.Popen(
        [*COURSE, "run", str(notebook), "--output", str(tmp_path / "out")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    kept = tmp_path / "out" / "long.ipynb"
    deadline = time.monotonic() + 60
    while not (kept.exists() and last_cell_is_running(kept)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"Interrupted in cell 2. What had run until then is kept: {kept}" in stdout
    assert "Traceback" not in stderr
    assert outputs(kept) == "before\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "02_imbd_lstm"], "Did you mean 02_imdb_lstm?"),
        (["run", "lectures/77.ipynb"], "There is no notebook"),
        (["run", "2", "--set", "EPOCH=3"], "has no parameter 'EPOCH'"),
        (["run", "2", "--set", "EPOCHS"], "NAME=VALUE"),
        (["check", "ps3_shakspeare.ipynb"], "Did you mean"),
        (["check", "README.md"], "is no notebook"),
        (["release", "ps3_shakspeare"], "Did you mean ps3_shakespeare?"),
        (["data", "movie-review"], "movie-reviews"),
    ],
)
def test_a_users_mistake_is_one_sentence(arguments, message):
    result = course(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a folder that nobody can write to")
def test_an_unwritable_output_folder_is_named(tmp_path):
    notebook = make_notebook(tmp_path / "small.ipynb", "SIZE = 2")
    occupied = tmp_path / "file"
    occupied.write_text("")
    for folder in (occupied / "inside", pathlib.Path("/proc/self/nowhere")):
        result = course("run", notebook, "--output", folder)
        assert result.returncode == 1
        assert "cannot be written to" in result.stderr
        assert "--output" in result.stderr


def test_help_answers_without_heavy_imports():
    heavy = ("keras", "nbformat", "numpy", "papermill")
    program = f"import sys, course.cli; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
