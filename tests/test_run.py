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

from course import run as course_run
from course.errors import CourseError
from course.paths import LECTURES

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


PARAMETERS = "SIZE = 2\nRATE = 0.1\nNAME = 'x'\nSEEDS = (1, 2)\nTRIES = True\nPATH = None\nTWICE = 2 * SIZE"


@pytest.fixture
def with_parameters(tmp_path):
    path = make_notebook(tmp_path / "small.ipynb", PARAMETERS)
    return lambda **values: course_run._check_parameters(path, nbformat.read(path, 4), values)


@pytest.mark.parametrize(
    "values",
    [{"SIZE": 3}, {"RATE": 1}, {"RATE": 1e-3}, {"SEEDS": [7]}, {"NAME": "3"}, {"TRIES": False}]
    + [{name: value} for name in ("PATH", "TWICE") for value in (3, "text", None)],
)  # fmt: skip
def test_a_parameter_takes_a_value_of_its_kind(with_parameters, values):
    with_parameters(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"SIZE": "three"}, "SIZE in small.ipynb is a whole number such as 2, and 'three' is text."),
        ({"SIZE": 2.5}, "SIZE in small.ipynb is a whole number such as 2, and 2.5 is a number."),
        ({"SIZE": True}, "SIZE in small.ipynb is a whole number such as 2, and True is True or False."),
        ({"RATE": "fast"}, "RATE in small.ipynb is a number such as 0.1, and 'fast' is text."),
        ({"SEEDS": 3}, "SEEDS in small.ipynb is a list such as (1, 2), and 3 is a whole number."),
        ({"TRIES": 1}, "TRIES in small.ipynb is True or False such as True, and 1 is a whole number."),
        (
            {"NAME": 3},
            "NAME in small.ipynb is text such as 'x', and 3 is a whole number. "
            'Text that looks like something else needs quotes: "3".',
        ),
    ],
)
def test_a_parameter_refuses_a_value_of_another_kind(with_parameters, values, message):
    with pytest.raises(CourseError) as refused:
        with_parameters(**values)
    assert str(refused.value) == message


def test_the_quick_sizes_are_of_the_parameters_kinds():
    for lecture in sorted(LECTURES.glob("[0-9]*.ipynb")):
        course_run._check_parameters(lecture, nbformat.read(lecture, 4), course_run.quick_parameters(lecture))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "02_imbd_lstm"], "Did you mean 02_imdb_lstm?"),
        (["run", "lectures/77.ipynb"], "There is no notebook"),
        (["run", "2", "--set", "EPOCH=3"], "has no parameter 'EPOCH'"),
        (["run", "2", "--set", "EPOCHS"], "NAME=VALUE"),
        (["run", "2", "--set", "EPOCHS=three"], "EPOCHS in 02_imdb_lstm.ipynb is a whole number"),
        (["check", "ps3_shakspeare.ipynb"], "Did you mean"),
        (["check", "README.md"], "is no notebook"),
        (["check", "assignments/ps1_reviews"], "name a notebook in it, such as assignments/ps1_reviews/ps1"),
        (["check", "utils"], "it holds no notebook"),
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
