"""Notebooks as files: read, write, normalise, fingerprint, render."""

import ast
import hashlib
import json
import os
import pathlib
import re
import tempfile
from typing import Any

from course.errors import CourseError

# What a notebook keeps of its metadata. All else (papermill's clock times, editors' notes, machine paths) changes with
# every run or tells of the machine it ran on.
_NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_CELL_METADATA = ("tags", "nbgrader", "deletable", "editable")
STARTUP_TIMEOUT = 300  # seconds that a kernel may take to answer: nbclient's 60 are too few on a busy machine
_VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read(path: pathlib.Path) -> Any:
    """Read a notebook.

    Returns:
        An nbformat NotebookNode, upgraded to format 4.

    Raises:
        CourseError: the file is missing, cut off or no notebook.
    """
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise CourseError(f"There is no file {path}.") from None
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    except Exception as error:  # what a broken file raises depends on where it is broken
        reason = (str(error) or type(error).__name__).splitlines()[0][:100]
        raise CourseError(f"{path} is no complete notebook ({reason}): download or save it again.") from None


def as_text(notebook: Any) -> str:
    """The JSON text of a notebook, the same on every machine, with a newline at its end."""
    import nbformat

    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write(notebook: Any, path: pathlib.Path) -> None:
    """Write a notebook. An existing file is replaced at once or, on an error, left as it was."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".ipynb.part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(as_text(notebook))
        os.chmod(temporary, 0o644)  # mkstemp makes private files
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


def normalise(notebook: Any, keep_outputs: bool = False) -> Any:
    """Bring a notebook into the one form that git holds.

    Stable cell ids (a graded cell's is its grade_id), the metadata the course needs and no other, no execution counts
    unless outputs are kept, and then from 1 on.

    Args:
        notebook: a NotebookNode of format 4; it is changed in place.
        keep_outputs: whether outputs, widgets and the record of the run stay (lectures) or go (problem sets).

    Returns:
        The same notebook.
    """
    import nbformat

    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first minor version with cell ids
    kept = {
        name: notebook.metadata[name] for name in ("course", "widgets") if keep_outputs and name in notebook.metadata
    }
    notebook.metadata = nbformat.from_dict({**_NOTEBOOK_METADATA, **kept})
    count = 0
    taken: set[str] = set()
    for cell in notebook.cells:
        cell.metadata = type(cell.metadata)(
            {name: cell.metadata[name] for name in _CELL_METADATA if name in cell.metadata}
        )
        cell.source = cell.source.strip("\n")
        cell.id = _stable_id(cell, taken)
        taken.add(cell.id)
        cell.pop("attachments" if not cell.get("attachments") else "", None)
        if cell.cell_type != "code":
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
            continue
        if not keep_outputs:
            cell.outputs = []
        was_run = keep_outputs and cell.get("execution_count") is not None
        count += was_run
        cell.execution_count = count if was_run else None
        for output in cell.outputs:
            output.pop("transient", None)
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return notebook


def _stable_id(cell: Any, taken: set[str]) -> str:
    wanted = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id") or ""
    if _VALID_ID.fullmatch(wanted) and wanted not in taken:
        return wanted
    content = f"{cell.cell_type}\n{cell.source}"
    candidates = (hashlib.sha256(f"{content}\n{salt}".encode()).hexdigest()[:8] for salt in range(len(taken) + 1))
    return next(candidate for candidate in candidates if candidate not in taken)


def hash_sources(notebook: Any) -> str:
    """The sha256 of all code, which outputs are a result of. Prose may be mended without a new run."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def headings(cell: Any) -> list[str]:
    """The headings in a text cell, without their marks; none in a code cell."""
    return re.findall(r"^#+ +(.+?)\s*$", cell.source, flags=re.MULTILINE) if cell.cell_type == "markdown" else []


def parameter_names(notebook: Any) -> list[str]:
    """The names that the cell tagged `parameters` assigns."""
    sources = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assignments = [node for node in ast.parse("\n".join(sources)).body if isinstance(node, ast.Assign)]
    targets = [node for assignment in assignments for target in assignment.targets for node in ast.walk(target)]
    return [node.id for node in targets if isinstance(node, ast.Name)]


# nbconvert's page leaves the alternative text of a figure out, though it stands in the notebook.
_PAGE = """
{%- extends "lab/index.html.j2" -%}
{% block data_png %}
<div class="jp-RenderedImage jp-OutputArea-output {{ extra_class }}">
<img src="data:image/png;base64,{{ output.data["image/png"] }}"
     alt="{{ (output | get_metadata("alt", "image/png") or "") | escape_html }}">
</div>
{% endblock data_png %}
"""


def render(notebook: Any, path: pathlib.Path) -> None:
    """Write a notebook as one HTML page with its figures inside."""
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(raw_template=_PAGE).from_notebook_node(notebook, resources={"metadata": {"name": path.stem}})
    path.write_text(page, encoding="utf-8")
