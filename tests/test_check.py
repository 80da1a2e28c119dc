"""`course check`: what a student's notebook gets to see of its checks, on notebooks that import nothing heavy."""

import io
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from nbformat import v4
from rich.console import Console

from course import check as course_check
from course import exercises
from course.errors import CourseError
from course.paths import ROOT


def marked(cell, name, **marks):
    flags = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, **flags}
    return cell


def solution(name, source):
    return marked(v4.new_code_cell(source), name, solution=True)


def graded(name, source, points=1):
    return marked(v4.new_code_cell(source), name, grade=True, locked=True, points=points)


def written(name, text, points=10):
    return marked(v4.new_markdown_cell(text), name, grade=True, solution=True, points=points)


def save(folder, *cells, name="mine.ipynb"):
    cells = [v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    nbformat.write(v4.new_notebook(cells=cells), folder / name)
    return folder / name


def run_check(path, timeout=60):
    """Returns: whether all passed, the table's rows by exercise, and all that was printed."""
    printed = io.StringIO()
    good = course_check.check(path, timeout, Console(file=printed, width=240))
    return good, *parse(printed.getvalue())


def parse(text):
    rows = [[part.strip() for part in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]
    return {row[0]: row[1:] for row in rows}, text


def heading(text):
    return v4.new_markdown_cell(f"# Introduction\n\n### {text}\n\nWhat is wanted.")


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """One run over the ways in which an exercise can come out."""
    folder = tmp_path_factory.mktemp("student")
    path = save(
        folder,
        "import os, sys\nprint('a warning', file=sys.stderr)",
        heading("Exercise 1: `right` (5 points)"),
        solution("right", "def right():\n    print('a warning', file=sys.stderr)\n    return 4"),
        graded("right_value", "assert right() == 4", 3),
        graded("right_place", "assert os.environ['NBGRADER_EXECUTION'] == 'validate', 'variable'\n"
               f"assert os.getcwd() == {str(folder)!r}, 'folder'", 2),
        heading("Exercise 2: `partly` (7 points)"),
        solution("partly", "def partly():\n    return 5"),
        graded("partly_kind", "assert isinstance(partly(), int)", 4),
        graded("partly_value", "assert partly() == 6, 'expected 6, got 5: [bold] did you add one?'", 2),
        graded("partly_again", "assert partly() == 7, 'never shown'", 1),
        heading("Exercise 3: `blank` (2 points)"),
        solution("blank", "def blank():\n    # YOUR CODE HERE\n    raise NotImplementedError()"),
        graded("blank_value", "blank()", 2),
        heading("Exercise 4: `broken` (2 points)"),
        solution("broken", "def broken(:\n    return 1"),
        graded("broken_value", "assert broken() == 1", 2),
        heading("Exercise 5: `moved` (3 points)"),
        solution("moved", "moved = 8"),
        heading("Exercise 6: `silent` (1 point)"),
        solution("silent", "silent = 9"),
        graded("moved_value", "assert moved == 8", 3),
        graded("silent_value", "assert silent == 10", 1),
        heading("Exercise 7: in words (10 points, graded by hand)"),
        written("words", "YOUR ANSWER HERE"),
        heading("Exercise 8: more words (5 points, graded by hand)"),
        written("more_words", "Because.", 5),
        "right() / 0",
        "blank()",
        "never_reported = undefined",
    )  # fmt: skip
    before = path.read_bytes()
    good, rows, text = run_check(path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in folder.iterdir()) == ["mine.ipynb"]
    return good, rows, text


def test_an_exercise_passes_though_it_writes_to_stderr(many):
    assert many[1]["Exercise 1: right"] == ["5 / 5", "pass"]


def test_the_first_failing_check_gives_its_message_and_the_others_their_points(many):
    assert many[1]["Exercise 2: partly"] == ["4 / 7", "expected 6, got 5: [bold] did you add one?"]


def test_a_blank_exercise_is_not_attempted_yet(many):
    assert many[1]["Exercise 3: blank"] == ["0 / 2", "not attempted yet"]


def test_another_error_names_the_cell_that_failed_first(many):
    points, message = many[1]["Exercise 4: broken"]
    assert points == "0 / 2"
    assert message.startswith('cell 15 ("def broken(:") failed with SyntaxError: invalid syntax')
    assert message.endswith("(line 1), and then this check with NameError: name 'broken' is not defined")


def test_a_check_that_was_moved_still_belongs_to_its_exercise(many):
    assert many[1]["Exercise 5: moved"] == ["3 / 3", "pass"]


def test_a_check_without_a_message_shows_itself(many):
    assert many[1]["Exercise 6: silent"] == ["0 / 1", 'failed: cell 22 ("assert silent == 10")']


def test_written_answers_are_graded_by_hand(many):
    assert many[1]["Exercise 7: in words"] == ["– / 10", "graded by hand, no answer yet"]
    assert many[1]["Exercise 8: more words"] == ["– / 5", "graded by hand"]


def test_the_total_leaves_out_what_is_graded_by_hand(many):
    assert many[1]["total"] == ["12 / 20", "and 15 graded by hand"]


def test_failing_cells_outside_the_checks_are_named_until_the_first_blank_one(many):
    assert '- cell 27 ("right() / 0") failed with ZeroDivisionError: division by zero' in many[2]
    assert "undefined" not in many[2]


def test_no_traceback_is_shown_and_hidden_checks_are_announced(many):
    good, _, text = many
    assert not good
    assert "Traceback" not in text
    assert "Hidden ones run at grading only" in text


def test_a_cell_without_end_is_interrupted_and_named_and_the_rest_runs(tmp_path):
    path = save(
        tmp_path,
        solution("slow", "slow = 1\nwhile True:\n    pass"),
        graded("slow_value", "assert slow == 1"),
        graded("slow_loop", "while slow:\n    pass"),
        graded("slow_again", "assert slow == 1"),
    )
    good, rows, text = run_check(path, timeout=2)
    assert not good
    assert rows["Checks"] == ["2 / 3", "took over 2 s"]
    assert '- cell 1 ("slow = 1") took over 2 s and was interrupted' in text
    assert "--timeout 4" in text


def test_a_cell_that_cannot_be_interrupted_ends_the_run(tmp_path):
    stubborn = "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except KeyboardInterrupt:\n        pass"
    path = save(tmp_path, solution("a", stubborn), graded("a_one", "assert True"), graded("a_two", "assert True"))
    good, rows, text = run_check(path, timeout=1)
    assert not good
    assert rows["Checks"] == ["0 / 2", "not run"]
    assert 'The cells after that did not run: cell 1 ("import time") could not be interrupted.' in text


def test_a_kernel_that_dies_is_said_so(tmp_path):
    path = save(tmp_path, graded("a_one", "assert True"), "import os\nos._exit(1)", graded("a_two", "assert True"))
    good, rows, text = run_check(path)
    assert not good
    assert rows["Checks"] == ["1 / 2", "not run"]
    assert 'the kernel died in cell 2 ("import os")' in text


def test_edited_copied_and_deleted_checks_are_found(tmp_path, monkeypatch):
    released = tmp_path / "assignments" / "ps1"
    released.mkdir(parents=True)
    originals = [graded(f"sum_{name}", f"assert total == 3, '{name}'") for name in ("one", "two", "three")]
    save(released, solution("sum", "raise NotImplementedError()"), *originals, name="ps1.ipynb")
    monkeypatch.setattr(exercises, "ASSIGNMENTS", tmp_path / "assignments")
    path = save(
        tmp_path,
        solution("sum", "total = 4"),
        graded("sum_one", "assert total == 4"),
        graded("sum_two", "assert total == 3, 'two'"),
        graded("sum_two", "assert total == 3, 'two'"),
    )
    good, rows, text = run_check(path)
    assert not good
    assert rows["Checks"] == ["0 / 2", "one"]
    assert "differ from the released ones, which were run instead: sum_one." in text
    assert "are missing, and bring no points: sum_three." in text
    assert "more than once, and the last counts: sum_two." in text


def test_a_cell_is_blamed_only_where_a_name_of_its_is_missing(tmp_path):
    path = save(
        tmp_path,
        solution("sum", "def total(:"),
        graded("sum_one", "assert total() == 3"),
        solution("product", "def product(weights):\n    return weights['w']"),
        graded("product_one", "assert product({}) == 3"),
        graded("product_two", "assert total() == product({'w': 3})"),
    )
    _, rows, text = run_check(path)
    assert "KeyError: 'w'" in text
    assert not any("cell 1" in cell and "KeyError" in cell for row in rows.values() for cell in row)


SETUP = 'import sys\nraise SystemExit("This notebook needs the course\'s repository.")'
NAMED = 'cell 1 ("import sys")'


def test_a_set_up_that_ends_the_run_is_said_before_the_table(tmp_path):
    path = save(tmp_path, SETUP, solution("sum", "total = 3"), graded("sum_one", "assert total == 3"))
    good, rows, text = run_check(path)
    assert not good
    first, second, third, *_ = text.splitlines()
    assert first == f"{NAMED} failed with SystemExit: This notebook needs the course's repository."
    assert second == "Mend this first: what the checks below say may come of it alone."
    assert third == f"The notebook lies outside the course's folder: put it into {ROOT}, and check it there."
    assert rows["Checks"] == ["0 / 1", "not run"]
    assert f"The cells after that did not run: {NAMED} asked for the end." in text


def test_another_failure_of_the_set_up_is_said_first_too_and_the_rest_runs(tmp_path):
    path = save(tmp_path, "import no_such_module", solution("sum", "total = 3"), graded("sum_one", "assert total == 3"))
    good, rows, text = run_check(path)
    assert good
    assert rows["Checks"] == ["1 / 1", "pass"]
    assert text.startswith('cell 1 ("import no_such_module") failed with ModuleNotFoundError: No module')
    assert text.count("ModuleNotFoundError") == 1
    assert "outside" not in text


def test_a_cell_that_cannot_be_read_is_named_before_what_follows_from_it(tmp_path):
    path = save(
        tmp_path,
        solution("sum", "total = later + 1"),
        "later = (1",
        graded("sum_one", "assert total == 3"),
        "print(later)",
    )
    _, rows, text = run_check(path)
    assert rows["Checks"][1].startswith('cell 1 ("total = later + 1") failed with NameError')  # its own cell
    remarks = [line for line in text.splitlines() if line.startswith("- ")]
    assert len(remarks) == 1
    assert remarks[0].startswith('- cell 2 ("later = (1") failed with SyntaxError: ')


def test_the_set_up_may_take_longer_than_other_cells(tmp_path, monkeypatch):
    slow = "import time\ntime.sleep(4)\nready = True"
    path = save(tmp_path, slow, solution("sum", "total = 3"), graded("sum_one", "assert ready and total == 3"))
    good, _, text = run_check(path, timeout=2)
    assert good, text
    monkeypatch.setattr(course_check, "SETUP_TIMEOUT", 1)
    good, _, text = run_check(path, timeout=2)
    assert not good
    assert "took over 2 s and was interrupted" in text


def test_a_notebook_without_graded_cells_is_refused_with_advice(tmp_path):
    path = save(tmp_path, "print(1)", v4.new_markdown_cell("text"))
    with pytest.raises(CourseError, match=r"mine\.ipynb has no graded cells.*fresh notebook from assignments"):
        run_check(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "no JSON at all", '{"cells": 3}'])
def test_what_is_no_notebook_is_refused(tmp_path, content):
    path = tmp_path / "mine.ipynb"
    path.write_text(content)
    with pytest.raises(CourseError, match="is no complete notebook"):
        run_check(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send Ctrl-C to another process like this")
def test_ctrl_c_says_so_and_leaves_no_kernel_behind(tmp_path):
    path = save(
        tmp_path,
        "import os, pathlib\npathlib.Path('kernel.pid').write_text(str(os.getpid()))",
        graded("a_one", "assert True"),
        "import time\npathlib.Path('sleeping').touch()\ntime.sleep(600)",
        graded("a_two", "assert True"),
    )
    command = [sys.executable, "-m", "course", "check", str(path)]
    environment = {**os.environ, "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as run:
        deadline = time.monotonic() + 60
        while not (tmp_path / "sleeping").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        printed, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert parse(printed)[0]["Checks"] == ["1 / 2", "not run"]
    assert 'interrupted in cell 3 ("import time")' in printed
    assert errors == "Interrupted.\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "kernel.pid").read_text()), 0)


def bonus_set(tmp_path, source):
    return save(
        tmp_path,
        heading("Exercise 1: `right` (3 points)"),
        solution("right", "right = 4"),
        graded("right_value", "assert right == 4", 3),
        heading("Bonus 1: `more` (2 points)"),
        solution("more", source),
        graded("more_value", "assert more() == 5, 'expected 5'", 2),
    )


def test_bonus_points_are_counted_apart(tmp_path):
    good, rows, _ = run_check(bonus_set(tmp_path, "def more():\n    return 5"))
    assert good
    assert rows["Bonus 1: more"] == ["2 / 2", "pass"]
    assert rows["total"] == ["3 / 3", "and 2 / 2 bonus points"]


def test_a_bonus_left_blank_is_no_failure(tmp_path):
    good, rows, _ = run_check(bonus_set(tmp_path, "def more():\n    # YOUR CODE HERE\n    raise NotImplementedError()"))
    assert good
    assert rows["Bonus 1: more"] == ["0 / 2", "not attempted yet"]
    assert rows["total"] == ["3 / 3", "and 0 / 2 bonus points"]


def test_a_bonus_that_was_begun_has_to_pass(tmp_path):
    good, rows, _ = run_check(bonus_set(tmp_path, "def more():\n    return 6"))
    assert not good
    assert rows["Bonus 1: more"] == ["0 / 2", "expected 5"]
