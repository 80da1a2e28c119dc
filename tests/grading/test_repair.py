"""Repair: whatever an editor or a student did to a notebook, the instructor's cells and the answers come back."""

import copy
import json
import random
import time

import nbformat
import pytest
from corruption import corrupt
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import v4

from course.errors import CourseError
from course.exercises import marks_of
from course.paths import ROOT
from grading import reading
from grading.reading import parse
from grading.repair import repair, resemblance

RELEASED = {path.stem: nbformat.read(path, 4) for path in sorted((ROOT / "assignments").glob("*/*.ipynb"))}
WRITTEN = "Because the gradient vanishes,\nand the mask hides the padding."


def answers_of(name):
    """The instructor's answers, by their grade_id; in words, a text."""
    source = nbformat.read(ROOT / "solutions" / name / f"{name}.ipynb", 4)
    cells = {marks_of(cell)["grade_id"]: cell for cell in source.cells if marks_of(cell).get("solution")}
    kept = {key: [line for line in c.source.split("\n") if "### " not in line] for key, c in cells.items()}
    return {key: "\n".join(kept[key]) if cell.cell_type == "code" else WRITTEN for key, cell in cells.items()}


ANSWERS = {name: answers_of(name) for name in RELEASED}
PS = "ps1_reviews"


def hand_in(name=PS, **answers):
    """The released notebook with all answers, or with these in the place of the instructor's."""
    notebook = copy.deepcopy(RELEASED[name])
    for cell in notebook.cells:
        if marks_of(cell).get("solution"):
            cell.source = {**ANSWERS[name], **answers}[cell.id]
    return notebook


def position(notebook, name):
    return next(number for number, cell in enumerate(notebook.cells) if cell.id == name)


def by_id(notebook):
    return {cell.id: cell for cell in notebook.cells}


def assert_restored(notebook, name):
    """Every released cell once, in order, with the release's metadata; the instructor's with the release's text."""
    released = RELEASED[name]
    ids = {cell.id for cell in released.cells}
    kept = [cell for cell in notebook.cells if cell.id in ids]
    assert [cell.id for cell in kept] == [cell.id for cell in released.cells]
    assert [cell.metadata for cell in kept] == [cell.metadata for cell in released.cells]
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell, original in zip(kept, released.cells):
        if marks_of(original) and not marks_of(original).get("solution"):
            assert cell == original
    own = [cell for cell in notebook.cells if cell.id not in ids]
    assert all("nbgrader" not in cell.metadata for cell in own)
    nbformat.validate(v4.new_notebook(cells=own))


@pytest.mark.parametrize("name", RELEASED)
def test_the_release_itself_is_not_changed(name):
    released = copy.deepcopy(RELEASED[name])
    repaired = repair(released, RELEASED[name])
    assert repaired.notebook == RELEASED[name]
    assert repaired.notes == []
    assert repaired.notebook is not RELEASED[name]


@pytest.mark.parametrize("name", RELEASED)
def test_an_ordinary_hand_in_keeps_its_answers_without_a_note(name):
    given_notebook = hand_in(name)
    given_notebook.cells.insert(7, v4.new_code_cell("mine = 1"))
    before = copy.deepcopy(given_notebook)
    repaired = repair(given_notebook, RELEASED[name])
    assert given_notebook == before, "what was handed in is not edited"
    assert repaired.notes == []
    assert [cell.source for cell in repaired.notebook.cells] == [cell.source for cell in before.cells]


# --- any sequence of manglings --------------------------------------------------------------------------------------


def strip_names(cells, rng):
    for cell in cells:
        cell.metadata.pop("nbgrader", None)


def change_ids(cells, rng):
    for cell in cells:
        cell.id = f"{rng.getrandbits(64):x}"


def as_colab(cells, rng):
    for cell in cells:
        cell.metadata["id"] = cell.pop("id")
        cell.id = f"{rng.getrandbits(64):x}"


def duplicate(cells, rng):
    number = rng.randrange(len(cells))
    twin = copy.deepcopy(cells[number])
    twin.id = rng.choice([twin.id, f"{rng.getrandbits(64):x}"])
    cells.insert(rng.choice([number + 1, rng.randrange(len(cells))]), twin)


def reorder(cells, rng):
    first = rng.randrange(len(cells))
    part = cells[first : first + 8]
    rng.shuffle(part)
    cells[first : first + 8] = part


def locked_cells(cells):
    return [cell for cell in cells if marks_of(cell) and not marks_of(cell).get("solution")]


def delete_locked(cells, rng):
    for cell in rng.sample(locked_cells(cells), min(3, len(locked_cells(cells)))):
        cells.remove(cell)


def edit_locked(cells, rng):
    for cell in locked_cells(cells):
        if rng.random() < 0.3:
            lines = cell.source.split("\n")
            lines[rng.randrange(len(lines))] = "pass  # edited"
            cell.source = "\n".join(lines)


def insert(cells, rng):
    text = f"own_{rng.getrandbits(32)} = {rng.random()}"
    cell = rng.choice([v4.new_code_cell(text), v4.new_markdown_cell(f"A remark: {text}")])
    cells.insert(rng.randrange(len(cells) + 1), cell)


def split(cells, rng):
    """As editors do it: the lower part keeps the metadata, or has a copy of it, or none."""
    number = rng.choice([n for n, cell in enumerate(cells) if cell.source in ALL_CODE] or [None])
    if number is None:
        return
    lines = cells[number].source.split("\n")
    cut = rng.randrange(1, len(lines))
    lower = copy.deepcopy(cells[number])
    cells[number].source, lower.source = "\n".join(lines[:cut]), "\n".join(lines[cut:])
    lower.id = f"{rng.getrandbits(64):x}"
    if rng.random() < 0.5:
        rng.choice([cells[number], lower]).metadata.pop("nbgrader", None)
    cells.insert(number + 1, lower)


ALL_CODE = {source for answers in ANSWERS.values() for source in answers.values() if source != WRITTEN}
MANGLINGS = [strip_names, change_ids, as_colab, duplicate, reorder, delete_locked, edit_locked, insert]


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(RELEASED)),
    st.lists(st.sampled_from(MANGLINGS), max_size=7),
    st.integers(0, 2),
    st.randoms(use_true_random=False),
)
def test_answers_survive_any_sequence_of_manglings(name, manglings, splits, rng):
    notebook = hand_in(name)
    for mangle in [*manglings, *[split] * splits]:
        mangle(notebook.cells, rng)
    own = [cell.source for cell in notebook.cells if "own_" in cell.source]
    repaired = repair(notebook, RELEASED[name])
    assert_restored(repaired.notebook, name)
    cells = by_id(repaired.notebook)
    lines = [line for cell in repaired.notebook.cells for line in cell.source.split("\n")]
    for key, answer in ANSWERS[name].items():
        if answer == WRITTEN:
            assert all(line in lines for line in answer.split("\n"))
        elif not splits:
            assert cells[key].source == answer
        else:
            remaining = iter(lines)
            assert all(line in remaining for line in answer.split("\n")), f"{key} is not whole and in order"
            assert "raise NotImplementedError()" not in cells[key].source
    text = "\n".join(lines)
    assert all(source in text for source in own)


# --- one by one -----------------------------------------------------------------------------------------------------


def notes_of(notebook, name=PS):
    repaired = repair(notebook, RELEASED[name])
    assert_restored(repaired.notebook, name)
    return by_id(repaired.notebook), "\n".join(repaired.notes)


def test_of_copies_the_last_that_is_not_blank_counts():
    notebook = hand_in(pad="def pad(sequences, length):\n    return 1")
    place = position(notebook, "pad")
    better, blank = copy.deepcopy(notebook.cells[place]), copy.deepcopy(RELEASED[PS].cells[place])
    better.source, better.id, blank.id = "def pad(sequences, length):\n    return 2", "copy1", "copy2"
    notebook.cells[place + 1 : place + 1] = [better, blank]
    cells, notes = notes_of(notebook)
    assert cells["pad"].source.endswith("return 2")
    assert f"pad was there more than once: the last one that is not blank, cell {place + 2}, counts" in notes
    assert f"left out were cells {place + 1}, {place + 3}" in notes
    assert all("return 1" not in cell.source for cell in cells.values())


def test_a_cell_with_a_copied_name_that_holds_a_helper_is_the_students_own():
    notebook = hand_in()
    place = position(notebook, "pad")
    helper = copy.deepcopy(notebook.cells[place])
    helper.source, helper.id = "def fill(row):\n    return row", "helper"
    notebook.cells.insert(place + 1, helper)
    repaired = repair(notebook, RELEASED[PS]).notebook
    assert repaired.cells[place].source == ANSWERS[PS]["pad"]
    assert repaired.cells[place + 1].source == helper.source
    assert "nbgrader" not in repaired.cells[place + 1].metadata


def test_a_nameless_copy_of_the_blank_cell_does_not_undo_the_answer():
    notebook = hand_in()
    place = position(notebook, "pad")
    notebook.cells.insert(place + 1, v4.new_code_cell(RELEASED[PS].cells[place].source))
    cells, notes = notes_of(notebook)
    assert cells["pad"].source == ANSWERS[PS]["pad"]
    assert len(cells) == len(RELEASED[PS].cells)
    assert f"pad was there more than once: the last one that is not blank, cell {place + 1}, counts" in notes


def test_a_deleted_answer_comes_back_blank_and_the_note_says_so():
    notebook = hand_in()
    del notebook.cells[position(notebook, "encode")]
    cells, notes = notes_of(notebook)
    assert cells["encode"] == by_id(RELEASED[PS])["encode"]
    assert "Answers that were deleted stand there as released, blank: encode." in notes


def test_edited_and_deleted_locked_cells_are_restored_and_named():
    notebook = hand_in()
    by_id(notebook)["pad_cut"].source = "assert True"
    del notebook.cells[position(notebook, "pad_edges")]
    by_id(notebook)["pad_shape"].metadata.nbgrader.points = 1000
    _, notes = notes_of(notebook)
    assert "These locked cells had been edited and are as released again: pad_cut." in notes
    assert "These locked cells were missing and were put back: pad_edges." in notes
    assert "(points, locks) had been changed: pad_shape." in notes


def test_an_answer_pasted_over_a_check_is_found():
    notebook = hand_in()
    cells = by_id(notebook)
    cells["pad_shape"].source = cells["pad"].source
    cells["pad"].source = by_id(RELEASED[PS])["pad"].source
    repaired, notes = notes_of(notebook)
    assert repaired["pad"].source == ANSWERS[PS]["pad"]
    assert f"The answer to pad stood in cell {position(notebook, 'pad_shape') + 1} and was moved." in notes


def test_what_else_was_typed_over_a_locked_cell_stays_behind_it():
    notebook = hand_in()
    by_id(notebook)["pad_shape"].source = "helper_table = {1: 'one'}"
    repaired = repair(notebook, RELEASED[PS]).notebook
    assert repaired.cells[position(repaired, "pad_shape") + 1].source == "helper_table = {1: 'one'}"


def test_an_answer_in_a_cell_below_the_blank_one_counts():
    notebook = hand_in(pad=by_id(RELEASED[PS])["pad"].source)
    notebook.cells.insert(position(notebook, "pad") + 1, v4.new_code_cell(ANSWERS[PS]["pad"]))
    cells, notes = notes_of(notebook)
    assert cells["pad"].source == ANSWERS[PS]["pad"]
    assert len(cells) == len(RELEASED[PS].cells)
    assert "The answer to pad stood in cell" in notes


def test_two_answers_merged_into_one_cell_are_not_undone_by_a_blank_one():
    notebook = hand_in(pad=f"{ANSWERS[PS]['pad']}\n\n\n{ANSWERS[PS]['length']}")
    del notebook.cells[position(notebook, "length")]
    cells, notes = notes_of(notebook)
    assert "def choose_length" in cells["pad"].source
    assert cells["length"].source.startswith("# answered in cell")
    assert "The answer to length stands in cell" in notes
    assert "blank" not in notes


@pytest.mark.parametrize("has_metadata", [True, False])
def test_a_function_split_in_its_middle_is_joined(has_metadata):
    lines = ANSWERS[PS]["pad"].split("\n")
    notebook = hand_in(pad="\n".join(lines[:-2]))
    place = position(notebook, "pad")
    lower = v4.new_code_cell("\n".join(lines[-2:]))
    if has_metadata:
        lower.metadata = copy.deepcopy(notebook.cells[place].metadata)
    notebook.cells.insert(place + 1, lower)
    cells, notes = notes_of(notebook)
    assert cells["pad"].source == ANSWERS[PS]["pad"]
    assert len(cells) == len(RELEASED[PS].cells)
    assert "These answers were in pieces, in cells that follow each other, and were joined: pad." in notes


@pytest.mark.parametrize("named", [0, 1])
def test_an_answer_in_five_pieces_is_joined_from_above_and_below(named):
    pieces = ["def pad(sequences, length):\n    first = 1", "    second = 2", "    third = 3", "    fourth = 4"]
    pieces.append("    return first")
    notebook = hand_in(pad=pieces[named])
    place = position(notebook, "pad")
    cell = notebook.cells[place]
    parts = [cell if number == named else v4.new_code_cell(piece) for number, piece in enumerate(pieces)]
    notebook.cells[place : place + 1] = parts
    cells, _ = notes_of(notebook)
    assert cells["pad"].source == "\n".join(pieces)
    assert len(cells) == len(RELEASED[PS].cells)


def test_a_broken_answer_is_not_joined_with_what_does_not_mend_it():
    notebook = hand_in(pad="def pad(sequences, length:\n    return 0")
    notebook.cells.insert(position(notebook, "pad") + 1, v4.new_code_cell("print('mine')"))
    cells, notes = notes_of(notebook)
    assert cells["pad"].source == "def pad(sequences, length:\n    return 0"
    assert len(cells) == len(RELEASED[PS].cells) + 1
    assert "in pieces" not in notes


def test_of_copies_of_a_locked_cell_the_one_as_released_is_taken():
    notebook = hand_in()
    edited = copy.deepcopy(by_id(notebook)["pad_shape"])
    edited.source += "\nassert True"
    notebook.cells.insert(position(notebook, "pad_shape"), edited)
    assert "had been edited" not in notes_of(notebook)[1]


def test_an_edited_check_without_its_name_is_known_by_its_text():
    notebook = hand_in()
    cell = by_id(notebook)["pad_shape"]
    cell.metadata, cell.id, cell.source = type(cell.metadata)(), "new", f"{cell.source}\nassert True"
    cells, notes = notes_of(notebook)
    assert len(cells) == len(RELEASED[PS].cells)
    assert "had been edited and are as released again: pad_shape" in notes


def test_of_two_answers_in_words_to_one_question_both_are_there_to_read():
    notebook = hand_in()
    other = copy.deepcopy(by_id(notebook)["reading_results"])
    other.source = "Or because of something else altogether."
    notebook.cells.insert(position(notebook, "reading_results"), other)
    sources = [cell.source for cell in repair(notebook, RELEASED[PS]).notebook.cells]
    assert WRITTEN in sources
    assert other.source in sources


@pytest.mark.parametrize("make", [v4.new_code_cell, v4.new_markdown_cell])
def test_an_answer_in_words_is_not_replaced_by_what_stands_below_it(make):
    notebook = hand_in()
    notebook.cells.insert(position(notebook, "reading_results") + 1, make("# something = 'else'"))
    cells, _ = notes_of(notebook)
    assert cells["reading_results"].source == WRITTEN
    assert len(cells) == len(RELEASED[PS].cells) + 1


def test_code_below_a_question_is_no_answer_in_words():
    notebook = hand_in()
    notebook.cells[position(notebook, "reading_results")] = v4.new_code_cell("seconds = 24 * 60 * 60")
    cells, _ = notes_of(notebook)
    assert cells["reading_results"].source == by_id(RELEASED[PS])["reading_results"].source
    assert len(cells) == len(RELEASED[PS].cells) + 1


def test_a_written_answer_without_metadata_is_found_below_its_question():
    notebook = hand_in()
    for cell in notebook.cells:
        cell.metadata, cell.id = type(cell.metadata)(), f"new-{cell.id}"
    cells, notes = notes_of(notebook)
    assert cells["reading_results"].source == WRITTEN
    assert "had lost their names and were recognised by their content: index, " in notes


def test_a_written_answer_below_the_blank_cell_or_inside_the_question_is_found():
    notebook = hand_in(reading_results="YOUR ANSWER HERE")
    notebook.cells.insert(position(notebook, "reading_results") + 1, v4.new_markdown_cell(WRITTEN))
    cells, notes = notes_of(notebook)
    assert cells["reading_results"].source == WRITTEN
    assert "The answer to reading_results stood in cell" in notes
    notebook = hand_in(reading_results="YOUR ANSWER HERE")
    by_id(notebook)["reading_results_question"].source += f"\n\n{WRITTEN}"
    cells, notes = notes_of(notebook)
    assert cells["reading_results"].source == WRITTEN
    assert "The answer to reading_results stood in cell" in notes


def test_text_at_the_beginning_is_no_answer_to_a_question_that_is_gone():
    notebook = hand_in()
    for name in ("reading_results", "reading_results_question"):
        del notebook.cells[position(notebook, name)]
    notebook.cells.insert(0, v4.new_markdown_cell("My name is Eve."))
    repaired = repair(notebook, RELEASED[PS]).notebook
    assert by_id(repaired)["reading_results"].source == by_id(RELEASED[PS])["reading_results"].source
    assert repaired.cells[0].source == "My name is Eve."


@pytest.mark.parametrize(("name", "kind"), [("parameters", "markdown"), ("parameters", "raw"), ("reading", "code")])
def test_a_free_cell_may_become_one_of_another_kind(name, kind):
    notebook = hand_in()
    place = position(notebook, name)
    make = {"markdown": v4.new_markdown_cell, "raw": v4.new_raw_cell, "code": v4.new_code_cell}[kind]
    notebook.cells[place] = make("something = 'else'", id=name)
    repaired = repair(notebook, RELEASED[PS]).notebook
    assert by_id(repaired)[name].cell_type == kind
    assert by_id(repaired)[name].source == "something = 'else'"
    nbformat.validate(repaired)


def test_own_cells_stay_directly_behind_the_released_cell_they_followed():
    notebook = hand_in()
    for text, name in (("first = 1", "title"), ("second = 2", "pad"), ("third = 3", "pad")):
        notebook.cells.insert(position(notebook, name) + 1, v4.new_code_cell(text))
    notebook.cells.insert(0, v4.new_code_cell("zeroth = 0"))
    sources = [cell.source for cell in repair(notebook, RELEASED[PS]).notebook.cells]
    assert sources == [cell.source for cell in notebook.cells]


def test_changed_free_cells_keep_the_students_text_and_deleted_ones_come_back():
    notebook = hand_in()
    by_id(notebook)["imports"].source += "\nimport itertools"
    del notebook.cells[position(notebook, "parameters")]
    cells, notes = notes_of(notebook)
    assert cells["imports"].source.endswith("\nimport itertools")
    assert cells["parameters"] == by_id(RELEASED[PS])["parameters"]
    assert "These cells without points were missing and were put back: parameters." in notes


def test_an_old_format_is_converted():
    old = nbformat.convert(hand_in(), 3)
    data = nbformat.v3.writes_json(old).encode()
    assert "worksheets" in json.loads(data)
    cells, notes = notes_of(parse(data, "old.ipynb"))
    assert {key: cells[key].source for key in ANSWERS[PS]} == ANSWERS[PS]
    assert "old format 3" in notes


@pytest.mark.parametrize(
    "name",
    ["pаd_shape", "pad\u200b_shape", "pad_shape\u200b", "ｐad_shape", "PAD_SHAPE", "pad_shape\u202e", "pad_shape" * 50],
)
def test_a_name_that_only_looks_like_one_matches_nothing(name):
    notebook = hand_in()
    fake = v4.new_code_cell("forged = 1")
    fake.metadata["nbgrader"] = {**by_id(RELEASED[PS])["pad_shape"].metadata.nbgrader, "grade_id": name}
    notebook.cells.insert(0, fake)
    del notebook.cells[position(notebook, "pad_shape")]
    repaired = repair(notebook, RELEASED[PS])
    assert_restored(repaired.notebook, PS)
    assert repaired.notebook.cells[0].source == "forged = 1"
    if len(name) < 200:
        assert "count for nothing" in "".join(repaired.notes)
    assert all(note.isascii() and len(note) < 1000 for note in repaired.notes)


def test_a_text_cell_is_turned_back_into_code():
    notebook = hand_in()
    place = position(notebook, "pad")
    notebook.cells[place] = v4.new_markdown_cell(
        ANSWERS[PS]["pad"], id="pad", metadata=copy.deepcopy(notebook.cells[place].metadata)
    )
    cells, notes = notes_of(notebook)
    assert cells["pad"].cell_type == "code"
    assert cells["pad"].source == ANSWERS[PS]["pad"]
    assert "turned into another kind, and turned back: pad (text)" in notes


def test_another_problem_sets_notebook_is_said_to_be_one():
    notes = repair(hand_in("ps3_shakespeare"), RELEASED[PS]).notes
    assert any("another problem set" in note for note in notes)


def test_outputs_and_attachments_are_dropped():
    notebook = hand_in()
    by_id(notebook)["pad"].outputs = [v4.new_output("stream", text="x" * 10**6)]
    by_id(notebook)["reading_results"]["attachments"] = {"a.png": {"image/png": "eA=="}}
    repaired = repair(notebook, RELEASED[PS])
    assert len(nbformat.writes(repaired.notebook)) < 200_000
    assert any("Pictures attached" in note for note in repaired.notes)


def test_resemblance_prefers_the_right_and_the_answered_notebook():
    released = RELEASED[PS]
    blank, other = resemblance(released, released), resemblance(hand_in("ps3_shakespeare"), released)
    assert resemblance(hand_in(), released) > blank > other
    assert resemblance(v4.new_notebook(), released) == (0, 0)


# --- hostile and broken files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\0" * 100, "empty"),
        (b"<!DOCTYPE html><p>", "web page"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04 ...", "zip archive"),
        (b"[1, 2]", "holds no cells"),
        (b'{"cells": []}', "holds no cells"),
        (b"print(1)", "cannot be read as JSON"),
        (b"[" * 100_000, "nested too deep|cut off|holds more"),
        (b"[" * 4_000_000, "more values"),
        (json.dumps(RELEASED[PS]).encode()[:-30], "cut off"),
        (json.dumps(RELEASED[PS]).encode()[:9000], "cut off"),
        (json.dumps({"cells": [{"cell_type": "code", "source": ""}] * 10_000}).encode(), "10000 cells"),
        (json.dumps({"cells": [{"cell_type": "code", "source": "x" * 5_000_000}]}).encode(), "longer than 1000000"),
        (json.dumps({"cells": [{"cell_type": "raw", "source": "x" * 3_000_000}] * 3}).encode(), "together"),
    ],
)
def test_a_file_that_cannot_be_graded_is_a_fault_that_says_why(data, message):
    with pytest.raises(CourseError, match=message) as caught:
        parse(data, "ps1.ipynb")
    assert "ps1.ipynb" in str(caught.value)


def test_a_file_over_the_limit_and_one_that_is_no_file_are_faults(tmp_path):
    (tmp_path / "large.ipynb").write_bytes(b" " * 1001)
    with pytest.raises(CourseError, match="larger than"):
        reading.read_hand_in(tmp_path / "large.ipynb", max_bytes=1000)
    (tmp_path / "link.ipynb").symlink_to("/etc/passwd")
    for name in ("link.ipynb", "missing.ipynb", "."):
        with pytest.raises(CourseError):
            reading.read_hand_in(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_other_encodings_are_read(encoding):
    data = json.dumps({"cells": [{"cell_type": "code", "source": "# é"}]}, ensure_ascii=False).encode(encoding)
    assert parse(data, "x")["cells"][0]["source"] == "# é"


def test_one_broken_byte_costs_one_character():
    data = json.dumps({"cells": [{"cell_type": "code", "source": "# éüß é"}]}, ensure_ascii=False).encode()
    assert parse(data.replace(b"# ", b"#\xff"), "x")["cells"][0]["source"] == "#\ufffdéüß é"


def test_the_largest_notebook_within_the_limits_takes_a_few_seconds():
    rng = random.Random(1)
    words = [f"word{number}" for number in range(300)]
    cells = [
        {"cell_type": "code", "source": " ".join(rng.choices(words, k=400)), "metadata": {}}
        for _ in range(reading.MAX_CELLS)
    ]
    cells[5]["source"] = "(" * 150_000
    cells[6]["source"] = "-" * 150_000 + "1"
    cells[7]["metadata"] = {"nbgrader": {"grade_id": "pad"}}
    cells[7]["source"] = "x" + ".a" * 90_000
    begun = time.process_time()
    repaired = repair({"cells": cells}, RELEASED[PS])
    assert time.process_time() - begun < 10
    assert_restored(repaired.notebook, PS)
    assert sum(map(len, repaired.notes)) < 5_000


def test_500_corrupted_files_give_a_fault_or_a_repaired_notebook():
    sources = [json.dumps(hand_in(name), ensure_ascii=False, indent=1).encode() for name in RELEASED]
    faults = []
    begun = time.process_time()
    for seed in range(500):
        name = list(RELEASED)[seed % len(sources)]
        data = corrupt(sources[seed % len(sources)], seed)
        try:
            repaired = repair(parse(data, "damaged.ipynb"), RELEASED[name])
        except CourseError as error:
            faults.append(str(error))
        else:
            assert_restored(repaired.notebook, name)
            "".join(cell.source for cell in repaired.notebook.cells).encode()
            assert all(len(note) < 1000 for note in repaired.notes)
    assert time.process_time() - begun < 60
    assert all(len(fault) < 300 for fault in faults)
    assert 100 < len(faults) < 400, "the damage should be neither harmless nor always fatal"
