import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.tables import show_table, spread


def lines(header, rows):
    return show_table(header, rows).data.splitlines()


def test_a_table_has_a_line_for_the_header_the_alignments_and_each_row():
    assert lines(["model", "accuracy"], [["counting", "0.829"], ["LSTM", "0.840 ± 0.003"]]) == [
        "| model | accuracy |",
        "| --- | ---: |",
        "| counting | 0.829 |",
        "| LSTM | 0.840 ± 0.003 |",
    ]


@pytest.mark.parametrize("numbers", [["+0.1", "-2"], ["−3 %", ""], ["≈ 12", "< 0.001"], ["–", "1"]])
def test_numbers_with_signs_are_numbers(numbers):
    assert lines(["x"], [[number] for number in numbers])[1] == "| ---: |"


@pytest.mark.parametrize("texts", [["0.1", "not measured"], ["", ""], ["–", "-"]])
def test_a_column_with_words_is_text(texts):
    assert lines(["x"], [[text] for text in texts])[1] == "| --- |"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
def test_no_text_breaks_the_table(rows):
    shown = lines(["one", "two"], rows)
    assert len(shown) == 2 + len(rows)
    assert all(line.replace(r"\|", "").count("|") == 3 for line in shown)


@pytest.mark.parametrize(
    ("header", "rows", "error", "message"),
    [
        (["a", "b"], [["1"]], ValueError, "1 cells in a row"),
        (["a"], ["1"], TypeError, "put it in a list"),
        ("ab", [], TypeError, "put it in a list"),
        (["a"], [[0.5]], TypeError, "got 0.5, a float: format it"),
    ],
)
def test_a_table_that_cannot_be_drawn_is_refused(header, rows, error, message):
    with pytest.raises(error, match=message):
        show_table(header, rows)


def test_one_value_has_no_spread():
    assert spread([0.84]) == "0.840"


def test_the_sign_is_kept_for_the_mean_alone():
    assert spread([0.1, 0.3], "+.1f") == "+0.2 ± 0.1"


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9))
def test_spread_is_the_mean_and_the_deviation_of_a_sample(values):
    mean, deviation = spread(values, ".6f").split(" ± ")
    assert float(mean) == pytest.approx(statistics.mean(values), abs=1e-5)
    assert float(deviation) == pytest.approx(statistics.stdev(values), abs=1e-5)


def test_no_value_is_refused():
    with pytest.raises(ValueError, match="got none"):
        spread([])
