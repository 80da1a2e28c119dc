"""`course release`: what students get, that nothing else gets out, and that stock nbgrader goes on from there."""

import io
import os
import pathlib
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat import v4
from rich.console import Console

from course.errors import CourseError
from course.paths import ROOT, find_problem_set
from course.release import release

ANSWER = "It adds **one**, and the lecture says why."
SOLUTION = '''def add_one(number):
    """Add one to a number."""
    ### BEGIN SOLUTION
    secret_sum = number + 1
    return secret_sum
    ### END SOLUTION'''
CHECK = """# One more comes out.
assert add_one(3) == 4, "3 should become 4"
### BEGIN HIDDEN TESTS
assert add_one(-8) == -7, "-8 should become -7"
### END HIDDEN TESTS"""
QUESTION = """What does it do?

=== BEGIN MARK SCHEME ===

2 points for naming the lecture.

=== END MARK SCHEME ==="""


def marked(cell, name, **marks):
    flags = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": name, **flags}
    return cell


def make_cells():
    return {
        "intro": v4.new_markdown_cell("# A small problem set"),
        "add_one": marked(v4.new_code_cell(SOLUTION), "add_one", solution=True),
        "add_one_small": marked(v4.new_code_cell(CHECK), "add_one_small", grade=True, locked=True, points=3),
        "why_question": marked(v4.new_markdown_cell(QUESTION), "why_question", locked=True),
        "why": marked(v4.new_markdown_cell(ANSWER), "why", grade=True, solution=True, points=2),
        "free": v4.new_code_cell("add_one(1)"),
    }


class Course:
    """A course in a folder of its own, with one small problem set, ps1_small."""

    def __init__(self, root: pathlib.Path, gradebook: pathlib.Path) -> None:
        self.root = root
        shutil.copy(ROOT / "nbgrader_config.py", root)
        shutil.copy(gradebook, root)
        self.source = root / "solutions" / "ps1_small" / "ps1_small.ipynb"
        self.target = root / "assignments" / "ps1_small" / "ps1_small.ipynb"
        self.source.parent.mkdir(parents=True)
        self.write(make_cells())

    def write(self, cells):
        for name, cell in cells.items():
            cell.id = name
        nbformat.write(v4.new_notebook(cells=list(cells.values())), self.source)

    def release(self, *names, check=False):
        """Returns: whether it went well, and what was printed."""
        printed = io.StringIO()
        good = release(names, check, Console(file=printed, width=200), self.root)
        return good, printed.getvalue()

    def released(self):
        return {cell.id: cell for cell in nbformat.read(self.target, as_version=4).cells}


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory):
    """A gradebook with nothing in it: nbgrader takes seconds to make one."""
    from nbgrader.api import Gradebook

    path = tmp_path_factory.mktemp("new") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        Gradebook(f"sqlite:///{path}", "sequence-models").close()
    return path


@pytest.fixture
def course(tmp_path, gradebook):
    return Course(tmp_path, gradebook)


def test_students_get_stubs_and_visible_checks(course):
    good, printed = course.release()
    cells = course.released()
    assert good
    assert "ps1_small: released, 5 points in 2 graded cells" in printed
    assert cells["add_one"].source == (
        'def add_one(number):\n    """Add one to a number."""\n    # YOUR CODE HERE\n    raise NotImplementedError()'
    )
    assert cells["add_one_small"].source == '# One more comes out.\nassert add_one(3) == 4, "3 should become 4"'
    assert cells["add_one_small"].metadata.editable is False
    assert cells["why_question"].source.strip() == "What does it do?"
    assert cells["why"].source == "YOUR ANSWER HERE"
    assert cells["free"].source == "add_one(1)"


def test_no_byte_of_a_solution_hidden_test_or_mark_scheme_is_released(course):
    course.release()
    contents = b"".join(path.read_bytes() for path in (course.root / "assignments").rglob("*") if path.is_file())
    for secret in (b"secret_sum", b"-8", b"naming the lecture", b"the lecture says why", b"BEGIN", b"END "):
        assert secret not in contents


def test_a_first_release_makes_the_gradebook(course):
    (course.root / "gradebook.db").unlink()
    course.release()
    assert (course.root / "gradebook.db").exists()


def test_two_runs_give_the_same_bytes(course):
    course.release()
    first = course.target.read_bytes()
    course.release()
    assert course.target.read_bytes() == first
    shutil.rmtree(course.root / "assignments")
    course.release()
    assert course.target.read_bytes() == first


def test_check_finds_nothing_after_a_release_and_changes_nothing_before_one(course):
    before = {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()}
    good, printed = course.release(check=True)
    assert not good
    assert "ps1_small.ipynb: is missing" in printed
    assert {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()} == before
    course.release()
    assert course.release(check=True) == (True, "ps1_small: is up to date\n")


def test_check_shows_the_first_cell_that_differs(course):
    course.release()
    before = course.target.read_bytes()
    cells = make_cells()
    cells["add_one_small"].source = CHECK.replace("add_one(3) == 4", "add_one(5) == 6")
    course.write(cells)
    good, printed = course.release("ps1_small", check=True)
    assert not good
    assert "cell 3 (add_one_small) differs" in printed
    assert '-assert add_one(3) == 4, "3 should become 4"' in printed
    assert '+assert add_one(5) == 6, "3 should become 4"' in printed
    assert course.target.read_bytes() == before


def forget_release(course, change):
    """Another source, of which `assignments/` was brought up to date without the gradebook."""
    course.release()
    known = (course.root / "gradebook.db").read_bytes()
    cells = make_cells()
    change(cells)
    course.write(cells)
    course.release()
    (course.root / "gradebook.db").write_bytes(known)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda cells: cells["add_one_small"].update(source=CHECK.replace("-8) == -7", "-9) == -8")),
            "gradebook.db: add_one_small has another source there",
        ),
        (
            lambda cells: cells["why_question"].update(source=QUESTION.replace("2 points", "1 point")),
            "gradebook.db: why_question has another source there",
        ),
        (
            lambda cells: cells.update(
                more=marked(v4.new_code_cell("assert 1"), "add_one_more", grade=True, locked=True, points=1)
            ),
            "gradebook.db: add_one_more is not there",
        ),
        (
            lambda cells: cells["why"].metadata.nbgrader.update(points=4),
            "gradebook.db: why has 2 points there, and 4 now",
        ),
    ],
)
def test_check_finds_a_gradebook_with_which_nbgrader_would_grade_by_old_checks(course, change, message):
    forget_release(course, change)
    before = (course.root / "gradebook.db").read_bytes()
    assert course.release(check=True) == (False, f"{message}\nps1_small: differs; run `course release ps1_small`\n")
    assert (course.root / "gradebook.db").read_bytes() == before
    course.release("ps1_small")
    assert course.release(check=True) == (True, "ps1_small: is up to date\n")


def test_another_solution_makes_no_gradebook_out_of_date(course):
    forget_release(course, lambda cells: cells["add_one"].update(source=SOLUTION.replace("number + 1", "1 + number")))
    assert course.release(check=True)[0]


# Leaves a gradebook as a grader does that is killed in the middle of a commit: half written, with the way back beside.
BREAK_OFF = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("pragma cache_size = 1")
database.execute("begin immediate")
database.execute("update source_cell set source = 'other'")
database.execute("create table filler (content)")
database.executemany("insert into filler values (?)", [("x" * 4000,)] * 200)
os._exit(1)
"""


def test_a_gradebook_of_a_grader_that_was_killed_is_read_as_it_was_before(course):
    course.release()
    path = course.root / "gradebook.db"
    subprocess.run([sys.executable, "-c", BREAK_OFF, path], check=False)
    assert (course.root / "gradebook.db-journal").stat().st_size > 0
    assert course.release(check=True) == (True, "ps1_small: is up to date\n")


def test_check_needs_no_gradebook(course):
    course.release()
    (course.root / "gradebook.db").unlink()
    told = "ps1_small: the notebooks are up to date; no gradebook knows them yet\n"
    assert course.release(check=True) == (True, told)
    assert not (course.root / "gradebook.db").exists()
    (course.root / "gradebook.db").write_text("no database, however long it is " * 99)
    with pytest.raises(CourseError, match=r"gradebook\.db cannot be read .*move it away"):
        course.release(check=True)


@pytest.mark.filterwarnings("ignore:Object of type")  # nbgrader's own
def test_other_points_than_those_of_the_grades_are_told(course):
    from nbgrader.api import Gradebook

    course.release()
    cells = make_cells()
    cells["add_one_small"].metadata.nbgrader["points"] = 4
    course.write(cells)
    assert "grades" not in course.release()[1]
    with Gradebook(f"sqlite:///{course.root}/gradebook.db", "sequence-models") as gradebook:
        for student in ("ada", "bea"):
            gradebook.add_student(student)
            gradebook.add_submission("ps1_small", student)
    assert "grades" not in course.release()[1]
    course.write(make_cells())
    assert (
        "ps1_small: the points have changed (add_one_small from 4 to 3), and 2 of your students have grades by the old "
        "ones: `course grade ps1_small` grades them again." in course.release()[1]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda cells: cells["add_one_small"].metadata.nbgrader.update(points=4),
            "(add_one_small) differs in its meta",
        ),
        (lambda cells: cells.update(more=v4.new_code_cell("1")), "has 6 cells, and 7 are generated"),
    ],
)
def test_check_names_what_else_differs(course, change, message):
    course.release()
    cells = make_cells()
    change(cells)
    course.write(cells)
    good, printed = course.release(check=True)
    assert not good
    assert message in printed


def test_check_names_files_that_are_no_result_of_a_release(course):
    course.release()
    course.target.with_name("notes.txt").write_text("by hand")
    checkpoints = course.target.parent / ".ipynb_checkpoints"
    checkpoints.mkdir()
    (checkpoints / "copy.ipynb").write_text("an editor's")
    stale = course.root / "assignments" / "ps0_old"
    shutil.copytree(course.target.parent, stale)
    good, printed = course.release(check=True)
    assert not good
    assert "notes.txt: has no source any more" in printed
    assert "checkpoints" not in printed
    assert "assignments/ps0_old: there is no solutions/ps0_old any more" in printed
    course.release()
    assert not course.target.with_name("notes.txt").exists()


def test_files_beside_the_notebook_are_released_with_it(course):
    course.source.with_name("poem.txt").write_text("Shall I compare thee")
    course.release()
    assert course.target.with_name("poem.txt").read_text() == "Shall I compare thee"
    course.source.with_name("poem.txt").write_text("to a summer's day")
    good, printed = course.release(check=True)
    assert not good
    assert "poem.txt: has other contents" in printed


def test_a_mistyped_name_gets_the_nearest(course):
    with pytest.raises(CourseError, match=r"no problem set 'ps1_smal' in solutions\. Did you mean ps1_small"):
        course.release("ps1_smal")


def spoil_end(cells):
    cells["add_one_small"].source = CHECK.replace("### END HIDDEN TESTS", "")


def spoil_begin(cells):
    cells["add_one_small"].source = CHECK.replace("### BEGIN HIDDEN TESTS\n", "")


def misspell_begin(cells):
    cells["add_one_small"].source = CHECK.replace("BEGIN HIDDEN", "BEGIN HIDEN")


def repeat_grade_id(cells):
    cells["free"] = marked(v4.new_code_cell("1"), "add_one", solution=True)


def mark_a_plain_cell(cells):
    cells["free"].source = SOLUTION


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_end, "in the cell add_one_small, BEGIN HIDDEN TESTS has no END HIDDEN TESTS"),
        (spoil_begin, "in the cell add_one_small, the mark '### END HIDDEN TESTS' neither opens"),
        (misspell_begin, "the mark '### BEGIN HIDEN TESTS' neither opens a region"),
        (repeat_grade_id, "two cells with the grade id add_one: rename one"),
        (mark_a_plain_cell, "Solution region detected in a non-solution cell"),
    ],
)
def test_a_faulty_source_is_refused_and_nothing_changes(course, spoil, message):
    course.release()
    state = {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file() and path != course.source}
    cells = make_cells()
    spoil(cells)
    course.write(cells)
    with pytest.raises(CourseError, match=message):
        course.release()
    assert {path: path.read_bytes() for path in state} == state


def test_a_solution_in_another_file_is_refused(course):
    course.source.with_name("answers.py").write_text("secret_sum = number + 1\n")
    with pytest.raises(CourseError, match=r"answers.py would be released with this line.*secret_sum"):
        course.release()
    assert not course.target.exists()


def nbgrader(course, *arguments):
    """The stock command, with the virtual environment not activated."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    result = subprocess.run(command, cwd=course.root, capture_output=True, text=True, env={**os.environ, "PATH": ""})
    assert result.returncode == 0, result.stderr
    return result


def hand_in(course, student, **sources):
    notebook = nbformat.read(course.target, as_version=4)
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    folder = course.root / "submitted" / student / "ps1_small"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "ps1_small.ipynb")


def test_stock_nbgrader_grades_right_after_a_release(course):
    from nbgrader.api import Gradebook

    course.release()
    noisy = "import sys\ndef add_one(number):\n    print('a warning', file=sys.stderr)\n    return number + 1"
    hand_in(course, "right_and_noisy", add_one=noisy)
    hand_in(course, "knows_the_visible_check", add_one="def add_one(number):\n    return 4", why="Because.")
    hand_in(course, "untouched")
    nbgrader(course, "autograde", "ps1_small")
    with Gradebook(f"sqlite:///{course.root}/gradebook.db", "sequence-models") as gradebook:
        scores = {s.student.id: s.score for s in gradebook.assignment_submissions("ps1_small")}
        answer = gradebook.find_grade("why", "ps1_small", "ps1_small", "knows_the_visible_check")
        blank = gradebook.find_grade("why", "ps1_small", "ps1_small", "untouched")
        assert scores == {"right_and_noisy": 3, "knows_the_visible_check": 0, "untouched": 0}
        assert answer.needs_manual_grade
        assert not blank.needs_manual_grade

    graded = nbformat.read(course.root / "autograded/knows_the_visible_check/ps1_small/ps1_small.ipynb", as_version=4)
    question = next(cell for cell in graded.cells if "What does it do?" in cell.source)
    assert "2 points for naming the lecture" in question.source, "graders see the mark scheme beside the answer"

    cells = make_cells()
    cells["add_one_other"] = marked(v4.new_code_cell("assert 1"), "add_one_other", grade=True, locked=True, points=1)
    course.write(cells)
    before = course.target.read_bytes()
    with pytest.raises(CourseError, match="has submissions, and its graded cells have other names now"):
        course.release()
    assert course.target.read_bytes() == before


def test_the_repository_holds_what_release_generates(tmp_path):
    for name in ("nbgrader_config.py", "solutions", "assignments"):  # and no gradebook, which is of this machine
        (tmp_path / name).symlink_to(ROOT / name)
    printed = io.StringIO()
    assert release([], True, Console(file=printed, width=200), tmp_path), printed.getvalue()


def test_answers_typed_into_a_released_notebook_are_kept_when_it_is_replaced(course):
    course.release()
    notebook = nbformat.read(course.target, as_version=4)
    notebook.cells[1].source = "def add_one(number):\n    return number + 1  # typed by a student"
    nbformat.write(notebook, course.target)
    _, output = course.release()
    assert "kept in" in output
    kept = course.root / "build" / "replaced" / "ps1_small-1" / "ps1_small.ipynb"
    assert "typed by a student" in kept.read_text()
    assert "typed by a student" not in course.target.read_text()


@pytest.mark.parametrize("given", ["ps3", "ps3_shakespeare"])
def test_a_problem_set_is_named_in_full_or_by_its_number(given):
    assert find_problem_set(given) == "ps3_shakespeare"


@pytest.mark.parametrize("given", ["ps", "ps30", "ps3_", "", "."])
def test_another_name_is_left_as_it_was_given(given):
    assert find_problem_set(given) == given


def test_commands_take_the_number():
    command = [sys.executable, "-m", "course", "export", "ps4", "--to", os.devnull]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "ps4_pseudo_labels" in result.stdout + result.stderr
