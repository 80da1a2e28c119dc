"""What the site's own extensions of Sphinx do with docstrings, notebooks, equations and links."""

import docstrings
import equations
import notebook_pages
import pytest
import repository_pages
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

BADGE = "[![Open in Colab](https://colab.research.google.com/badge.svg)](https://colab.research.google.com/x)"
FIGURE = {"output_type": "display_data", "data": {"image/png": "…"}, "metadata": {"image/png": {"alt": "Loss falls."}}}
CONTROLS = {"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {}}, "metadata": {}}


def markdown(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def code(*outputs):
    return {"cell_type": "code", "metadata": {"tags": []}, "source": [], "outputs": list(outputs)}


def fit(*cells, number=""):
    return notebook_pages.fit_notebook({"cells": list(cells)}, number)["cells"]


def test_a_page_has_no_badge_and_keeps_the_words_around_it():
    (cell,) = fit(markdown(f"# Title\n\nBefore.\n\n{BADGE}\n\nAfter.\n"))
    assert cell["source"].split() == ["#", "Title", "Before.", "After."]


def test_only_the_title_is_numbered():
    cells = fit(markdown("# Title"), markdown("# Another"), number="02")
    assert [cell["source"] for cell in cells] == ["# 02 Title", "# Another"]
    assert fit(markdown("# Title"))[0]["source"] == "# Title"


def test_a_figure_keeps_its_alternative_text():
    (cell,) = fit(code(FIGURE))
    assert cell["metadata"] == {"tags": [], "mystnb": {"image": {"alt": "Loss falls."}}}


def test_controls_become_a_sentence():
    (cell,) = fit(code(CONTROLS))
    assert "controls" in cell["outputs"][0]["data"]["text/markdown"]


def test_no_sign_of_a_docstring_is_markup_by_accident_but_code_stays():
    text = "|a - n| and val_ and 2**3, not `a_ | b`\n    >>> 2**3 | 1"
    expected = r"\|a - n\| and val\_ and 2\*\*3, not `a_ | b`" + "\n    >>> 2**3 | 1"
    assert docstrings.to_restructured(text) == expected


def test_several_results_are_a_list():
    text = "Read.\n\nReturns:\n    texts: all\n        strings.\n    labels: 0 or 1.\n\nRaises:\n    ValueError: no."
    field, _, rest = docstrings.to_restructured(text).partition(":returns:\n")[2].partition("\n\n")
    assert [line.strip() for line in field.split("\n")] == ["* **texts** – all", "strings.", "* **labels** – 0 or 1."]
    assert rest.strip().startswith("Raises:")


def test_one_result_is_a_sentence_even_with_a_colon():
    text = "Read.\n\nReturns:\n    The figure: red is positive,\n    blue negative."
    assert ":returns: The figure: red is positive,\n    blue negative." in docstrings.to_restructured(text)


def elements(latex, block=True):
    return BeautifulSoup(equations.to_mathml(latex, block), "lxml").math


def test_an_equation_becomes_mathml():
    fraction = elements(r"\frac{a}{b}").find("mfrac")
    assert [child.get_text() for child in fraction.find_all("mi")] == ["a", "b"]
    assert elements("x", block=True)["display"] == "block"
    assert elements("x", block=False)["display"] == "inline"


def test_aligned_lines_stand_below_each_other():
    rows = elements(r"\begin{aligned} a &= b \\ c &= d \end{aligned}").find_all("mtr")
    assert [row.get_text() for row in rows] == ["a=b", "c=d"]


def test_the_font_has_measures_and_italic_letters_and_is_small(tmp_path):
    equations.write_font(tmp_path / "font.woff")
    font = TTFont(tmp_path / "font.woff")
    assert "MATH" in font
    assert {ord("a"), ord("σ"), ord("∑"), ord("⟨"), 0x1D44E} <= set(font.getBestCmap())
    assert (tmp_path / "font.woff").stat().st_size < 200_000


@pytest.mark.parametrize(
    ("page", "target", "expected"),
    [
        ("index", "solutions", "https://example.org/course/tree/main/solutions"),
        ("docs/syllabus", "../data/registry.toml", "https://example.org/course/blob/main/data/registry.toml"),
        ("docs/syllabus", "../README.md#two-commands", "https://example.org/course/blob/main/README.md#two-commands"),
        ("index", "no/such/file.md", None),
        ("index", "../outside", None),
        ("index", "#anchor", None),
    ],
)
def test_links_to_what_is_no_page_lead_to_the_repository(page, target, expected):
    assert repository_pages.find_address(page, target, "https://example.org/course", "main") == expected
