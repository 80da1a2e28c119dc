"""How two cells compare: what counts as the same text, as alike, as code, and as defined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.comparison import defined, is_code, likeness, same, stripped

LINES = st.lists(st.text("ab ()=\t", max_size=8), max_size=6).map("\n".join)


@given(LINES, LINES)
def test_likeness_lies_between_none_and_all_and_has_no_direction(first, second):
    assert 0 <= likeness(first, second) <= 1
    assert likeness(first, second) == likeness(second, first)
    assert likeness(first, first) == 1


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("return x + 1", "return x + 1", 1),
        ("a b c", "d e f", 0),
        ("a b c d", "a b c e", 2 / 3),  # two of three pairs
        ("a b c", "c a b", 1 / 2),
        ("", "", 1),
        ("", "a", 0),
        ("a", "a", 1),
        ("a b", "a  \n b", 1),  # blanks are no words
    ],
)
def test_likeness_counts_the_pairs_of_words(first, second, expected):
    assert likeness(first, second) == pytest.approx(expected)


@given(LINES)
def test_blanks_at_the_ends_of_lines_and_of_the_whole_make_no_difference(text):
    padded = "\n\n" + "\n".join(f"{line}  " for line in text.split("\n")) + "\n"
    assert same(text, padded)
    assert stripped(stripped(text)) == stripped(text)
    assert not same(text, f"{text}x")


def test_indentation_makes_a_difference():
    assert not same("if x:\n    y", "if x:\n  y")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1", True),
        ("", True),
        ("%matplotlib inline\n!ls\nif x:\n    %time y\n    ?z", True),
        ("x = 5 % 3\n", True),
        ("def f(:", False),
        ("if x:", False),
        ("x = '\\", False),
        ("x = 1\0", False),
        ("(" * 500, False),
        ("'\\d'", True),  # a warning is no error
    ],
)
def test_code_is_what_python_can_read(source, expected):
    assert is_code(source) is expected


def test_what_is_too_long_to_be_parsed_is_taken_for_code():
    assert not is_code("(" + "x, " * 10_000)
    assert is_code("(" + "x, " * 100_000)


def test_what_a_cell_defines_stands_at_its_top_level():
    source = "def one():\n    def inner(): pass\nclass Two(dict): pass\nasync  def three(): pass\ndef ñandú(): (\nx = 4"
    assert defined(source) == {"one", "Two", "three", "ñandú"}
    assert defined("# def four(): pass\n  def five(): pass\ndefine six") == set()
