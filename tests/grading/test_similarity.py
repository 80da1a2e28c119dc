"""Shared code is found whatever can be changed at no cost, and what everybody was given is not."""

import io
import json
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from course.errors import CourseError
from course.paths import ROOT
from grading import similarity

ADAS = '''
import numpy as np

def windows(text, size, step):
    """Cut a text into windows."""
    starts = range(0, len(text) - size, step)
    inputs = np.stack([text[start : start + size] for start in starts])
    targets = np.array([text[start + size] for start in starts])
    order = np.random.default_rng(7).permutation(len(inputs))
    return inputs[order], targets[order]

def softmax(logits, temperature=1.0):
    scaled = np.asarray(logits) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
'''
DISGUISED = """
import numpy as np   # my own work!
def softmax(x, t = 1.0):
    'softmax'
    a = np.asarray(x)/t

    b = np.exp(a-a.max(axis = -1, keepdims = True))
    return b/b.sum(axis = -1, keepdims = True)
def cut(s, n, m):
    # cuts
    i = range(0, len(s) - n, m)
    p = np.stack([s[j:j+n] for j in i])
    q = np.array([s[j+n] for j in i])  # next
    r = np.random.default_rng(7).permutation(len(p))
    return p[r], q[r]
"""
BOBS = """
def windows(text, size, step):
    pieces, following = [], []
    position = 0
    while position + size < len(text):
        pieces.append(list(text[position : position + size]))
        following.append(text[position + size])
        position += step
    both = list(zip(pieces, following))
    random.shuffle(both)
    return [piece for piece, _ in both], [one for _, one in both]

def softmax(logits, temperature=1.0):
    total = 0.0
    result = []
    for value in logits:
        power = math.e ** (value / temperature)
        total += power
        result.append(power)
    return [power / total for power in result]
"""


def pairs_of(*sources, **options):
    found = similarity.compare({f"student{n}": {"cell 1": source} for n, source in enumerate(sources)}, **options)
    return {(pair.first, pair.second) for pair in found}


def test_a_disguised_copy_is_found_and_another_answer_is_not():
    assert pairs_of(ADAS, DISGUISED, BOBS) == {("student0", "student1")}


def test_the_places_can_be_looked_at():
    (pair,) = similarity.compare({"ada": {"cell 3 (windows)": ADAS}, "eve": {"cell 9": DISGUISED}})
    assert min(pair.first_share, pair.second_share) > 0.7
    assert {(place.first_cell, place.second_cell) for place in pair.places} == {("cell 3 (windows)", "cell 9")}
    lines = ADAS.splitlines(), DISGUISED.splitlines()
    spots = [
        ("\n".join(lines[0][slice(*p.first_lines)]), "\n".join(lines[1][slice(*p.second_lines)])) for p in pair.places
    ]
    assert any("permutation" in first and "permutation" in second for first, second in spots)
    assert any(".max(" in first and ".max(" in second for first, second in spots)


def test_code_that_does_not_parse_is_compared_too():
    broken = DISGUISED.replace("return p[r], q[r]", "return p[r], q[r")
    with pytest.raises(SyntaxError):
        compile(broken, "broken", "exec")
    assert pairs_of(ADAS, broken) == {("student0", "student1")}


def test_code_that_everybody_was_given_does_not_count():
    assert pairs_of(ADAS, ADAS) == {("student0", "student1")}
    assert pairs_of(ADAS, ADAS, given=[{"cell": ADAS}]) == set()
    assert pairs_of(ADAS + BOBS, ADAS + "x = 1", given=[{"cell": DISGUISED}]) == set()


def test_what_much_of_a_class_has_written_does_not_count():
    others = [BOBS.replace("pieces", "p" * n) for n in range(1, 12)]
    assert pairs_of(*others) == set()
    assert pairs_of(*others, ADAS, DISGUISED) == {("student11", "student12")}


def test_a_few_alike_lines_are_no_pair():
    line = "values = np.array([number + 1 for number in range(10)])\n"
    assert pairs_of(line, line) == set()
    assert pairs_of(line, line, least=1) == {("student0", "student1")}


def test_part_of_a_copy_is_measured_against_the_smaller_one():
    (pair,) = similarity.compare({"ada": {"a": ADAS}, "eve": {"b": ADAS + BOBS}})
    assert pair.first_share == 1
    assert pair.second_share < 0.7


@given(st.text(max_size=300))
def test_any_text_can_be_split(source):
    tokens = similarity.normalise(source)
    assert all(1 <= line <= source.count("\n") + 1 for _, line in tokens)


@given(st.lists(st.sampled_from(ADAS.split("\n")), max_size=8), st.integers(0, 5))
def test_layout_comments_and_names_change_nothing(lines, blank):
    source = "\n".join(lines)
    changed = source.replace("text", "τext").replace("\n", "  # remark\n" + "\n" * blank)
    if source.count('"""') % 2 == 0:
        assert [token for token, _ in similarity.normalise(source)] == [t for t, _ in similarity.normalise(changed)]


def test_python_names_attributes_and_numbers_stay_and_docstrings_go():
    tokens = [
        token for token, _ in similarity.normalise('def f(x):\n    """Doc."""\n    return np.exp(self.y, "s") + 1')
    ]
    assert " ".join(tokens) == "def N ( N ) : return N . exp ( self . N , S ) + 1"


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values))


def test_what_was_handed_in_is_read_in_any_form(tmp_path):
    def at(student):
        return tmp_path / "submitted" / student / "ps1" / "ps1.ipynb"

    release = {"cells": [{"cell_type": "code", "source": BOBS}]}
    write(tmp_path / "assignments" / "ps1" / "ps1.ipynb", release)
    write(at("ada"), {"cells": [{"cell_type": "code", "source": [ADAS]}, *release["cells"]], "metadata": {}})
    write(at("eve"), {"worksheets": [{"cells": [{"cell_type": "code", "input": DISGUISED + BOBS}]}]})
    write(at("bob"), release)
    broken = ["{", "[]", "3", '{"cells": 3}', '{"cells": [null]}', "[" * 99_999]
    broken.append(json.dumps({"cells": [{"cell_type": "code", "source": "x = 1\n" * 200_000}]}))
    for number, text in enumerate(broken):
        write(at(f"broken{number}"), text)
    pairs, notes = similarity.compare_problem_set("ps1", tmp_path)
    assert [(pair.first, pair.second) for pair in pairs] == [("ada", "eve")]
    assert len(notes) == len(broken)
    with pytest.raises(CourseError, match="Nothing was handed in"):
        similarity.compare_problem_set("ps2", tmp_path)


def test_the_solution_is_no_pair_with_itself_released():
    released = similarity.read_code(ROOT / "assignments" / "ps3_shakespeare" / "ps3_shakespeare.ipynb")
    assert similarity.compare({"ada": released, "bob": released}, [released]) == []


def test_three_hundred_hand_ins_take_seconds():
    """Each with the released notebook and 150 lines of its own; two of them are copies."""
    released = similarity.read_code(ROOT / "assignments" / "ps3_shakespeare" / "ps3_shakespeare.ipynb")
    choice = random.Random(1)

    def own_code():
        names = [f"name{choice.randrange(40)}" for _ in range(150)]
        calls = ("np.exp", "np.dot", "keras.ops.mean", "sorted", "zip")
        return "\n".join(
            f"{name} = {choice.choice(calls)}({choice.randrange(99)} {choice.choice('+-*/')} len({name}), {name}[{n}])"
            for n, name in enumerate(names)
        )

    submissions = {f"student{n:03}": {**released, "own": own_code()} for n in range(299)}
    submissions["thief"] = {**released, "own": submissions["student042"]["own"].replace("name1", "other")}
    started = time.perf_counter()
    pairs = similarity.compare(submissions, [released])
    seconds = time.perf_counter() - started
    assert [(pair.first, pair.second) for pair in pairs] == [("student042", "thief")]
    assert seconds < 60  # 6 s on two quiet cores


def test_the_table_shows_names_as_they_are():
    pairs = similarity.compare({"[red]ada\x1b[2J": {"a": ADAS}, "eve": {"b": ADAS}})
    printed = io.StringIO()
    similarity.print_pairs(pairs, Console(file=printed, width=200))
    assert "[red]ada?" in printed.getvalue()
    assert "\x1b" not in printed.getvalue()
    assert "100%" in printed.getvalue()
