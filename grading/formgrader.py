"""The notebook that formgrader shows to who marks by hand."""

import contextlib
import copy
import hashlib
import json
import pathlib
from typing import Any

from course.exercises import marks_of
from grading.records import Record, Verdict, to_json

# What of a student's outputs is shown: HTML and JavaScript would run in the instructor's browser.
_SHOWN = ("text/plain", "image/png", "image/jpeg")


def for_formgrader(notebook: Any, source: Any, record: Record) -> Any:
    """A copy whose marks are the gradebook's, with verdicts as the checks' outputs, mark schemes and no active content.

    Args:
        notebook: the student's, repaired, with outputs or without.
        source: the released notebook in the gradebook (an nbgrader.api.Notebook).
        record: the verdicts.

    Returns:
        A NotebookNode. A cell that the gradebook does not know, or a second one of its name, has no marks.
    """
    from nbformat import from_dict

    shown = copy.deepcopy(notebook)
    shown.metadata["course"] = {"record": fingerprint(record)}
    sources = {cell.name: cell for cell in source.source_cells}
    worth = {cell.name: cell.max_score for cell in [*source.grade_cells, *source.task_cells]}
    solutions, tasks = ({cell.name for cell in cells} for cells in (source.solution_cells, source.task_cells))
    verdicts = {verdict.check: verdict for verdict in record.verdicts}
    for cell in shown.cells:
        name = marks_of(cell).get("grade_id")
        cell.metadata.pop("nbgrader", None)
        if cell.cell_type == "code":
            cell.outputs = [passive for output in cell.outputs if (passive := _passive(output))]
        if name not in sources:
            continue
        released = sources.pop(name)  # so that a second cell of this name has none
        marks = {"schema_version": 3, "grade_id": name, "locked": released.locked, "solution": name in solutions}
        marks |= {"grade": name in worth and name not in tasks, "task": name in tasks, "checksum": released.checksum}
        marks |= {"points": worth[name]} if name in worth else {}
        cell.metadata["nbgrader"] = from_dict({**marks, "cell_type": released.cell_type})
        if released.locked and released.cell_type == cell.cell_type == "markdown":
            cell.source = released.source  # the instructor's, in which the mark scheme stands
        if cell.cell_type == "code" and name in verdicts and name not in solutions:
            cell.outputs = [from_dict(_as_output(verdicts[name]))]
    return shown


def fingerprint(record: Record) -> str:
    """What tells a record from all others: the hash of its file."""
    return hashlib.sha256(to_json(record)).hexdigest()


def record_of(path: pathlib.Path) -> str:
    """The fingerprint of the record that a notebook from for_formgrader belongs to; empty where it cannot be read."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        return str(json.loads(path.read_bytes())["metadata"]["course"]["record"])
    return ""


def _passive(output: Any) -> Any:
    """The output without what runs; None where nothing is left."""
    if "data" not in output:
        return output
    output.data = type(output.data)({kind: output.data[kind] for kind in _SHOWN if kind in output.data})
    return output if output.data else None


def _as_output(verdict: Verdict) -> dict[str, Any]:
    if verdict.outcome == "passed":
        return {"output_type": "stream", "name": "stdout", "text": "passed\n"}
    line = f"{verdict.outcome}: {verdict.message}"
    return {"output_type": "error", "ename": verdict.outcome, "evalue": verdict.message, "traceback": [line]}
