import math
from pathlib import Path

import nbclient
import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.figures import DescribedFigure, check_count, describe_curve, visible

ROOT = Path(__file__).parents[2]


def test_a_notebook_stores_the_alternative_text_beside_the_picture_with_and_without_pyplot(monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # the tests' own would hide what a notebook does
    plot = "plots.plot_history({'loss': [0.7, 0.4, 0.2]})"
    sources = [f"from utils import plots\n{plot}", f"from matplotlib import pyplot\n{plot}", f"display({plot})"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": ROOT}}).execute()
    for cell in notebook.cells:
        (output,) = [output for output in cell.outputs if output.output_type != "stream"]
        assert output.data["image/png"].startswith("iVBOR")
        assert output.metadata["image/png"]["alt"] == "Loss (nats) by epoch: training falls from 0.7 to 0.2."
        assert output.data["text/plain"] == "<Figure: Loss (nats) by epoch: training falls from 0.7 to 0.2.>"


def test_a_figure_without_a_notebook_gives_its_picture_as_png():
    figure = DescribedFigure(figsize=(1, 1))
    figure.subplots()
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.6, 0.375, 0.5], "falls from 0.6 to 0.5, lowest at epoch 2 with 0.375"),
        ([0.5, 0.9, 0.7], "rises from 0.5 to 0.7, highest at epoch 2 with 0.9"),
        ([0.5, 0.1, 0.9, 0.5], "starts and ends at 0.5, lowest at epoch 2 with 0.1, highest at epoch 3 with 0.9"),
        ([3.0, 1.0, 1.0, 2.0], "falls from 3 to 2, lowest at epoch 2 with 1"),
        ([0.70001, 0.70002], "starts and ends at 0.7"),
        ([0.25], "is 0.25 at epoch 1"),
        ([2.0, 1.0, math.nan, math.inf], "falls from 2 to 1, not finite at 2 of 4 epochs"),
        ([math.nan], "holds no finite number"),
    ],
)
def test_a_curve_is_described_by_its_ends_its_turning_points_and_its_gaps(values, words):
    assert describe_curve(values, "epoch") == words


@given(st.lists(st.floats(0.01, 100), min_size=2))
def test_the_description_names_the_extremes_of_any_curve(values):
    words = describe_curve(values, "step")
    for extreme in (min(values), max(values)):
        assert f"{float(f'{extreme:.3g}'):g}" in words


def test_white_space_that_one_would_not_see_becomes_visible():
    assert [visible(token) for token in (" ", "  ", "\n", "\t", " the", "good  film ", "a\nb", "")] == [
        "␣", "␣␣", "↵", "⇥", "␣the", "good  film␣", "a↵b", "",
    ]  # fmt: skip


def test_a_wrong_number_of_names_is_told_with_both_numbers():
    check_count("ab", 2, "labels", "classes")
    with pytest.raises(ValueError, match=r"2 labels do not fit 3 classes.*one for each"):
        check_count("ab", 3, "labels", "classes")
