"""Grades arrive in Canvas and Moodle as they are, run nothing in a spreadsheet, and the statistics are right."""

import csv
import io
import math
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_course import handed_in, make_course
from made_records import make_record, make_verdict, with_points
from nbgrader.api import Gradebook
from rich.console import Console
from typer.testing import CliRunner

from course import cli
from course import grade as course_grade
from course.errors import CourseError
from grading import audit, export, gradebook, records
from grading.collect import take_in
from grading.export import Score
from grading.people import Person, match, read_people

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1+1",
    "\n=1",
    "＝1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("x")',
]
ODD = ["O'Neil", 'the "first"', "Doe, Jane", "Zoë 李明", "a;b", "line\nbreak"]


def rows_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def score(student="ada", problem_set="ps1", points=5.0, waiting=False, feedback="Exercise 1: 5 of 5"):
    return Score(student, problem_set, points, 7.0, waiting, feedback)


def test_canvas_gets_who_and_then_the_points():
    text = export.canvas([score("bob", points=2.5), score("ada"), score("ada", "ps2", 7)])
    assert rows_of(text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "ps1", "ps2"],
        ["    Points Possible", "", "", "", "", "7", "7"],
        ["ada", "", "", "ada", "", "5", "7"],
        ["bob", "", "", "bob", "", "2.5", ""],
    ]


def test_canvas_gets_its_own_titles_and_numbers(tmp_path):
    exported = tmp_path / "canvas.csv"
    exported.write_text(
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,ps1 (77)\n    Points Possible,,,,,7\n"
        '"Lovelace, Ada",101,s-1,ada,"A, 1",\n',
        encoding="utf-8",
    )
    people = match(read_people(exported), {"ada"}, "ps1", tmp_path)
    text = export.canvas([score("ada")], people, {"ps1": "ps1 (77)"})
    assert rows_of(text)[0][-1] == "ps1 (77)"
    assert rows_of(text)[2] == ["Lovelace, Ada", "101", "s-1", "ada", "A, 1", "5"]


def test_moodle_gets_grade_and_feedback(tmp_path):
    participants = tmp_path / "participants.csv"
    participants.write_text("First name,Last name,ID number,Email address\nAda,Lovelace,7,ada@example.org\n")
    students = ("7", "bob", "eve@example.org")
    people = match(read_people(participants), students, "ps1", tmp_path)
    text = export.moodle(map(score, students), people)
    assert rows_of(text) == [
        ["Email address", "ID number", "ps1", "ps1 feedback"],
        ["ada@example.org", "7", "5", "Exercise 1: 5 of 5"],
        ["", "bob", "5", "Exercise 1: 5 of 5"],
        ["eve@example.org", "", "5", "Exercise 1: 5 of 5"],
    ]


def test_a_name_that_could_be_two_peoples_is_nobodys(tmp_path):
    """Otherwise one would get the other's points."""
    path = tmp_path / "canvas.csv"
    path.write_text("Student,ID,SIS User ID,SIS Login ID,Section\nAda,101,s-1,ada,\nBob,102,s-2,101,\n")
    for student, person in {"ada": "Ada", "s-1": "Ada", "102": "Bob", "s-2": "Bob"}.items():
        assert match(read_people(path), {student}, "ps1", tmp_path)[student].name == person
    assert match(read_people(path), {"101"}, "ps1", tmp_path) == {}
    assert rows_of(export.canvas([score("101")], {}))[2] == ["101", "", "", "101", "", "5"]


def test_a_person_who_could_be_two_students_is_nobody(tmp_path):
    """Otherwise the learning platform takes the points of whichever row comes last."""
    people = [Person("Ada", "101", "s-1", "ada"), Person("Bob", "102", "s-2", "bob")]
    assert match(people, {"ada", "s-1", "bob"}, "ps1", tmp_path).keys() == {"bob"}


def test_points_that_are_not_final_are_not_sent():
    waiting = [score("ada", waiting=True), score("bob", "ps1", waiting=True), score("bob", "ps2")]
    assert [row[0] for row in rows_of(export.canvas(waiting))[2:]] == ["bob"]
    assert rows_of(export.canvas(waiting))[2][-2:] == ["", "5"]
    assert rows_of(export.moodle(waiting))[1:] == [["", "bob", "", "", "5", "Exercise 1: 5 of 5"]]


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_a_formula(cell):
    for text in (
        export.canvas([score(cell, cell)], columns={cell: cell}),
        export.moodle([score(cell, cell, feedback=cell)]),
        export.canvas([score("x")], {"x": Person(cell, cell, cell, cell, cell, cell)}),
    ):
        for row in rows_of(text):
            assert not [one for one in row if one.lstrip()[:1] in ("=", "+", "-", "@", "＝")]
        assert f"'{cell}" in [one for row in rows_of(text) for one in row]


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1, max_size=4), max_size=4))
def test_any_cell_comes_back_with_at_most_an_apostrophe_more(rows):
    text = export.as_csv(rows)
    text.encode("utf-8")
    for row, read in zip(rows, rows_of(text), strict=True):
        for cell, found in zip(row, read, strict=True):
            expected = cell.encode("utf-8", "replace").decode()
            assert found in (expected, f"'{expected}")
            assert found[:1] not in tuple("=+-@\t\r\n")


@pytest.mark.parametrize("student", ODD)
def test_any_name_comes_back(student):
    assert rows_of(export.canvas([score(student)]))[2][0] == student
    assert rows_of(export.moodle([score(student)]))[1][1] == student


def test_a_file_without_students_is_refused(tmp_path):
    path = tmp_path / "people.csv"
    for content in (b"", b"a,b\n1,2\n", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(CourseError, match=r"people\.csv"):
            read_people(path)
    with pytest.raises(CourseError, match=r"cannot be read: Is a directory"):
        read_people(tmp_path)


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section
    Points Possible,,,,
"Li, Dong",1003,s-3,dong@uni.example,A
"García, Eva",1004,s-4,lidong,A
"Brown, Cy",9003,s-5,cy,A
"""
MOODLE = """First name,Last name,ID number,Email address
Dong,Li,s-3,dong@uni.example
Eva,Garci\u0301a,s-4,eva@uni.example
Bob,O'Hara,s-6,bob@uni.example
Anna,Lee,s-7,anna@uni.example
Kim,Park,s-8,kim.a@uni.example
Kim,Park,s-9,kim.b@uni.example
"""


def collected(root, *names):
    """Students' names in the gradebook, after a zip with these files was taken in and graded."""
    with zipfile.ZipFile(root / "submissions.zip", "w") as archive:
        for name in names:
            archive.writestr(name, '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    students = [one.student for one in take_in(root / "submissions.zip", "ps1", root)]
    for student in students:
        records.write(without_written(make_record(student)), root)
    return students


def exported(root, form, people=None):
    """What `course export` prints, and the rows of the file that it writes by default."""
    path = root / "people.csv"
    if people:
        path.write_text(people, encoding="utf-8")
    console = Console(file=io.StringIO(), width=200)
    course_grade.export("ps1", form, None, path if people else None, console, root)
    return console.file.getvalue(), rows_of((root / "grades" / f"ps1_{form}.csv").read_text(encoding="utf-8"))


def test_whoever_came_in_through_canvas_is_found_by_the_number(tmp_path):
    """Dong Li's name in the zip is Eva's login, and the number of his hand-in another student's."""
    files = ("lidong_LATE_1003_9003_ps1.ipynb", "garciaeva_1004_9004_ps1-1.ipynb", "adaada_1001_9001_ps1.ipynb")
    assert collected(tmp_path, *files) == ["adaada_1001", "garciaeva_1004", "lidong_1003"]
    printed, rows = exported(tmp_path, "canvas", CANVAS)
    assert rows[2:] == [
        ["adaada_1001", "", "", "adaada_1001", "", "5"],
        ["García, Eva", "1004", "s-4", "lidong", "A", "5"],
        ["Li, Dong", "1003", "s-3", "dong@uni.example", "A", "5"],
    ]
    assert f"Not in {tmp_path / 'people.csv'}: adaada_1001." in printed


def test_whoever_came_in_through_moodle_is_found_by_the_full_name(tmp_path):
    """Moodle leaves the apostrophe out; a list may hold an accent as a character of its own; s-8 is Kim's number."""
    names = ("Dong Li_11", "Eva García_12", "Bob OHara_13", "Anna Lee_14", "Anna Lee_15", "Kim Park_16", "s-8_17")
    collected(tmp_path, *(f"{name}_assignsubmission_file_/ps1.ipynb" for name in names))
    printed, rows = exported(tmp_path, "moodle", MOODLE)
    assert [row[:3] for row in rows[1:]] == [
        ["", "Anna-Lee", "5"],
        ["", "Anna-Lee_15", "5"],
        ["bob@uni.example", "s-6", "5"],
        ["dong@uni.example", "s-3", "5"],
        ["eva@uni.example", "s-4", "5"],
        ["", "Kim-Park", "5"],
        ["", "s-8", "5"],
    ]
    assert f"Not in {tmp_path / 'people.csv'}: Anna-Lee, Anna-Lee_15, Kim-Park, s-8." in printed


def test_a_name_is_two_peoples_though_only_one_of_them_is_graded(tmp_path):
    """The list names one Anna Lee, and which of the two it is nobody knows."""
    files = [f"Anna Lee_{number}_assignsubmission_file_/ps1.ipynb" for number in (14, 15)]
    collected(tmp_path, *files)
    (tmp_path / "people.csv").write_text(MOODLE, encoding="utf-8")
    assert match(read_people(tmp_path / "people.csv"), {"Anna-Lee"}, "ps1", tmp_path) == {}


def test_whoever_came_in_through_a_folder_is_found_by_its_name(tmp_path):
    assert collected(tmp_path, "lidong/ps1.ipynb", "s-3/ps1.ipynb") == ["lidong", "s-3"]
    printed, rows = exported(tmp_path, "canvas", CANVAS)
    assert [row[0] for row in rows[2:]] == ["García, Eva", "Li, Dong"]
    assert "Not in" not in printed


@pytest.mark.parametrize("form", ["canvas", "moodle"])
def test_who_is_left_out_is_said(tmp_path, form):
    for student in ("eve", "ada", "[red]"):
        records.write(make_record(student), tmp_path)
    records.write(without_written(make_record("bob")), tmp_path)
    printed, rows = exported(tmp_path, form)
    assert len([row for row in rows if "bob" in row]) == 1
    assert not [row for row in rows if "ada" in row]
    assert f"Scores of 1 student for {form} are in " in printed
    assert "Left out, since an answer waits to be marked in formgrader: [red], ada, eve." in printed
    assert "Not in" not in printed, "there is no list to be in"


def test_nobody_is_left_out_of_a_class_that_is_marked(tmp_path):
    collected(tmp_path, "ada/ps1.ipynb", "bob/ps1.ipynb")
    printed, _ = exported(tmp_path, "canvas")
    assert "Scores of 2 students for canvas" in printed
    assert "Left out" not in printed


def test_the_files_for_both_systems_lie_in_grades_and_are_no_records(tmp_path):
    (student,) = collected(tmp_path, "ada/ps1.ipynb")
    audit.recover(tmp_path)
    for form in ("canvas", "moodle"):
        printed, _ = exported(tmp_path, form)
        assert os.path.relpath(tmp_path / "grades" / f"ps1_{form}.csv") in printed
    assert {path.name for path in (tmp_path / "grades").glob("*.csv")} == {"ps1_canvas.csv", "ps1_moodle.csv"}
    assert audit.verify(tmp_path) == []
    assert [record.student for record in records.read_all("ps1", tmp_path)] == [student]


def test_the_help_says_where_the_file_lies_by_default():
    """In square brackets of its own Rich would take it for markup, and show nothing."""
    helped = CliRunner().invoke(cli.app, ["export", "--help"], env={"COLUMNS": "150", "TERMINAL_WIDTH": "150"})
    assert "grades/PROBLEM_SET_FORM.csv" in helped.stdout


def test_the_file_can_be_named(tmp_path):
    collected(tmp_path, "ada/ps1.ipynb")
    console = Console(file=io.StringIO(), width=200)
    course_grade.export("ps1", "canvas", tmp_path / "mine.csv", None, console, tmp_path)
    assert rows_of((tmp_path / "mine.csv").read_text())[2][0] == "ada"
    assert not list((tmp_path / "grades").glob("*.csv"))


def test_a_list_that_is_not_there_is_said_before_anything_else(tmp_path):
    collected(tmp_path, "ada/ps1.ipynb")
    console = Console(file=io.StringIO())
    with pytest.raises(CourseError, match=r"There is no file .*none\.csv: export "):
        course_grade.export("ps1", "canvas", None, tmp_path / "none.csv", console, tmp_path)
    assert console.file.getvalue() == ""


def test_feedback_names_the_points_that_a_person_gave(tmp_path):
    course = make_course(tmp_path)
    records.write(make_record("ada"), course)
    gradebook.commit([make_record("ada")], course, lambda _: handed_in(course, why="It counts."))
    assert export.scores("ps1", course) == [Score("ada", "ps1", 5, 7, True, "Exercise 1: add one: 5 of 5")]
    with Gradebook(f"sqlite:///{course}/gradebook.db", "sequence-models") as book:
        for cell, points in (("why", 1.5), ("add_large", 2)):
            grade = book.find_grade(cell, "ps1", "ps1", "ada")
            grade.manual_score, grade.needs_manual_grade = points, False
        book.db.commit()
    said = "Exercise 1: add one: 4 of 5; Question 2: why?: 1.5 of 2"
    assert export.scores("ps1", course) == [Score("ada", "ps1", 5.5, 7, False, said)]
    assert rows_of(export.moodle(export.scores("ps1", course)))[1] == ["", "ada", "5.5", said]


def without_written(record):
    verdicts = tuple(verdict for verdict in record.verdicts if verdict.outcome != "by hand")
    return make_record(record.student, verdicts=verdicts)


def test_without_a_gradebook_the_newest_record_counts(tmp_path):
    for record in (make_record("ada", 1), with_points(make_record("ada", 2), {"add_large": 1})):
        records.write(record, tmp_path)
    records.write(without_written(make_record("bob")), tmp_path)
    assert export.scores("ps1", tmp_path) == [
        Score("ada", "ps1", 3, 7, True, "Exercise 1: add one: 3 of 5"),
        Score("bob", "ps1", 5, 5, False, "Exercise 1: add one: 5 of 5"),
    ]


def class_of(points):
    """Records with two exercises, of 5 and 3 points."""
    return [
        make_record(
            f"student{number}",
            verdicts=(
                make_verdict("add_a", min(one, 2), 2, exercise="add"),
                make_verdict("add_b", max(one - 2, 0), 3, exercise="add"),
                make_verdict("mix_a", other, 3, exercise="mix", title="Exercise 2: mix", message=f"got {other}"),
            ),
        )
        for number, (one, other) in enumerate(points)
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30))
def test_the_statistics_are_those_of_numpy(points):
    first, second = np.array(points).T
    add, mix = export.exercise_statistics(class_of(points))
    assert (add.exercise, mix.title, add.possible, mix.possible, add.students) == (
        "add",
        "Exercise 2: mix",
        5,
        3,
        len(first),
    )
    for found, values, worth in ((add, first, 5), (mix, second, 3)):
        assert math.isclose(found.mean, values.mean())
        assert math.isclose(found.deviation, values.std(ddof=1), abs_tol=1e-12)
        assert math.isclose(found.full, (values == worth).mean())
    if len(points) < 10 or not first.std() or not second.std():
        assert add.discrimination is None
    else:
        assert math.isclose(add.discrimination, np.corrcoef(first, second)[0, 1], abs_tol=1e-9)
        assert math.isclose(add.discrimination, mix.discrimination, abs_tol=1e-9)


def test_answers_in_words_are_in_no_statistics():
    blank = make_verdict("why", 0, 2, exercise="why", outcome="not run", message="no answer")
    class_ = [make_record("ada"), make_record("bob", verdicts=(*make_record().verdicts[:2], blank))]
    assert [found.exercise for found in export.exercise_statistics(class_)] == ["add"]
    assert export.most_failed(class_) == []


def test_one_student_and_one_exercise_have_no_spread():
    (found,) = export.exercise_statistics([without_written(make_record())])
    assert (found.deviation, found.discrimination) == (None, None)


@given(st.lists(st.floats(0, 7), max_size=30), st.integers(1, 12))
def test_everybody_is_in_one_part_of_the_histogram(points, bins):
    bars = export.histogram([score(points=one) for one in points], bins)
    assert sum(count for _, _, count in bars) == len(points)
    assert (bars[0][0], bars[-1][1]) == (0, 100)
    assert [low for low, _, _ in bars[1:]] == [high for _, high, _ in bars[:-1]]


def test_full_marks_are_in_the_last_part_and_none_in_the_first():
    assert [count for *_, count in export.histogram([score(points=7), score(points=0), score(points=3.5)], 2)] == [
        1,
        0 + 2,
    ]


def test_what_was_failed_most_comes_first_with_its_messages():
    records_ = class_of([(5, 3), (5, 0), (2, 0), (0, 1)])
    first, second, third = export.most_failed(records_)
    assert (first.check, first.share, first.messages) == ("mix_a", 0.75, (("got 0", 2), ("got 1", 1)))
    assert (second.check, second.share) == ("add_b", 0.5)
    assert (third.check, third.share) == ("add_a", 0.25)
    assert export.most_failed(records_, number=1) == [first]


def test_the_report_shows_all_of_it_and_no_markup_of_students(tmp_path):
    for record in class_of([(5, 3), (5, 0), (2, 0), (0, 1)]):
        verdicts = tuple(
            make_verdict(v.check, v.points, v.possible, exercise=v.exercise, message="[red]no\x1b[2J")
            for v in record.verdicts
        )
        records.write(make_record(record.student, verdicts=verdicts), tmp_path)
    printed = io.StringIO()
    export.print_report("ps1", Console(file=printed, width=160), tmp_path)
    text = printed.getvalue()
    for said in (
        "4 students",
        "full marks",
        "discrimination",
        "How many students",
        "Failed most",
        "3 × [red]no?[2J",
        "75%",
    ):
        assert said in text
    assert "\x1b" not in text
    with pytest.raises(CourseError, match="no grades of ps9"):
        export.print_report("ps9", Console(file=printed), tmp_path)
