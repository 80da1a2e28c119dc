"""Fits the course's notebooks to web pages as they are read. What a page offers for download is the notebook itself."""

import json
import re
from typing import Any

from sphinx.application import Sphinx

_BADGE = re.compile(r"^\[!\[[^\]]*\]\(https://colab\.[^)]*\)\]\([^)]*\)\n?", re.MULTILINE)
_WIDGET = "application/vnd.jupyter.widget-view+json"


def fit_notebook(notebook: dict[str, Any], number: str = "") -> dict[str, Any]:
    """Change in a notebook what a page shows in another way.

    - The Colab badge goes: its picture lies on another host, and the page has a button of its own.
    - A lecture's title begins with its number, by which the course names it.
    - A figure's alternative text goes from the output's metadata, where notebooks have it, to where MyST-NB looks.
    - Controls that need a running notebook become a sentence.

    Args:
        notebook: the notebook's JSON; changed.
        number: what to write before the title, such as "02"; nothing where empty.

    Returns:
        The same notebook.
    """
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            source = _BADGE.sub("", source)
            if number and source.startswith("# "):
                source, number = f"# {number} {source[2:]}", ""
            cell["source"] = source
        elif cell["cell_type"] == "code":
            _fit_outputs(cell)
    return notebook


def _fit_outputs(cell: dict[str, Any]) -> None:
    for output in cell["outputs"]:
        alternative = output.get("metadata", {}).get("image/png", {}).get("alt")
        if alternative:
            cell["metadata"].setdefault("mystnb", {})["image"] = {"alt": alternative}
        if _WIDGET in output.get("data", {}):
            output["data"] = {"text/markdown": "*The running notebook shows controls here.*"}


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    if app.env.doc2path(name).suffix == ".ipynb":
        folder, _, stem = name.rpartition("/")
        number = stem.split("_")[0] if folder == "lectures" else ""
        source[0] = json.dumps(fit_notebook(json.loads(source[0]), number))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the change with Sphinx."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
