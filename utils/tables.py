"""Tables of results, and the spread of a result over several seeds."""

from collections.abc import Sequence

import numpy as np
from IPython.display import Markdown

from utils.figures import check_count


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Markdown:
    """Show rows of text as a table; columns of numbers are aligned to the right.

    Args:
        header: the names of the columns.
        rows: one sequence of strings a row, each as long as the header.

    Returns:
        The table. In a notebook it is shown where it is a cell's last expression, or by `display`.

    Raises:
        TypeError: the header or a row is one string instead of several, or holds something that is no string.
        ValueError: a row has more or fewer cells than the header.
    """
    table = [[_cell(text) for text in _check_row(row)] for row in (header, *rows)]
    for row in table[1:]:
        check_count(row, len(header), "cells in a row", "columns")
    alignments = [_alignment(column) for column in zip(*table[1:])] or ["---"] * len(header)
    return Markdown("\n".join("| " + " | ".join(row) + " |" for row in (table[0], alignments, *table[1:])))


def spread(values: Sequence[float], form: str = ".3f") -> str:
    """Say a mean and its standard deviation, as in "0.840 ± 0.003".

    Args:
        values: one number a seed (or fold, or repetition).
        form: how the mean is written, as in a format string: "+.3f" keeps its sign; the deviation never has one.

    Returns:
        The mean, and where there are two values or more the standard deviation of the sample (divided by n - 1).

    Raises:
        ValueError: there is no value.
    """
    if not len(values):
        raise ValueError("spread takes one number or more, got none")
    deviation = f" ± {np.std(values, ddof=1):{form.lstrip('+')}}" if len(values) > 1 else ""
    return f"{np.mean(values):{form}}{deviation}"


def _check_row(row: Sequence[str]) -> Sequence[str]:
    if isinstance(row, str):
        raise TypeError(f"a row is a sequence of strings, got the string {row!r}: put it in a list")
    for cell in row:
        if not isinstance(cell, str):
            kind = type(cell).__name__
            raise TypeError(f"a table shows strings, got {cell!r}, a {kind}: format it, e.g. f'{{value:.3f}}'")
    return row


def _cell(text: str) -> str:
    """A line break or a bar inside would end the cell."""
    return " ".join(text.split()).replace("|", r"\|")


def _alignment(column: Sequence[str]) -> str:
    filled = [text for text in column if text.strip("–- ")]  # a dash stands for no number
    return "---:" if filled and all(text.lstrip("+-−±≈< ")[:1].isdigit() for text in filled) else "---"
