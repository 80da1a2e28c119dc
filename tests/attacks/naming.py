"""Notebooks whose names, marks and form claim to be the instructor's. All answers in them are blank.

Each attack is a function that changes the released notebook, as plain JSON; its name names it, its docstring explains
it. What it may return is the file itself, where JSON alone cannot say it.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]
CHECK, ANSWER = "scale_values", "scale"  # a check of the small course, worth 3 points, and its answer
LIKE_A_NAME = {
    "cyrillic": CHECK.replace("a", "\u0430"),
    "greek": CHECK.replace("v", "\u03bd"),
    "combining": CHECK.replace("c", "c\u0301"),
    "full width": CHECK.replace("s", "\uff53"),
    "mathematical": CHECK.replace("e", "\U0001d41e"),
    "capitals": CHECK.upper(),
    "zero-width space": "scale\u200b_values",
    "zero-width joiner": "scale_values\u200d",
    "soft hyphen": "scale\u00ad_values",
    "tag characters": CHECK + "\U000e0061\U000e007f",
    "right to left": "\u202e" + CHECK[::-1],
    "half a character": CHECK + "\ud800",
    "null": CHECK + "\0",
    "null in front": "\0" + CHECK,
    "line end": CHECK + "\n",
    "blanks": f" {CHECK} ",
    "very long": CHECK * 50_000,
    "a path up": f"../{CHECK}",
    "a path of Windows": f"..\\..\\{CHECK}",
    "an absolute path": f"/tmp/{CHECK}",
    "percent signs": "scale%5fvalues",
    "markup": f"[red]{CHECK}[/red]",
    "terminal": f"\x1b[2J{CHECK}",
    "HTML": f"<script>{CHECK}</script>",
    "a formula": f"=HYPERLINK({CHECK})",
    "a template": "{{ " + CHECK + " }}",
    "SQL": f"{CHECK}'; drop table grade; --",
}


def cell(source: str, name: Any, **marks: Any) -> Notebook:
    """A check of eve's own, which she says is worth 100 points."""
    flags = {"schema_version": 3, "grade_id": name, "grade": True, "locked": True, "solution": False, "points": 100}
    metadata = {"nbgrader": {**flags, **marks}}
    return {"cell_type": "code", "id": name, "metadata": metadata, "source": source, "outputs": []}


def named(notebook: Notebook, name: str) -> Notebook:
    return next(each for each in notebook["cells"] if each["id"] == name)


def checks(notebook: Notebook) -> list[Notebook]:
    return [each for each in notebook["cells"] if each["metadata"].get("nbgrader", {}).get("grade")]


def look_alikes(notebook: Notebook) -> None:
    """Checks of eve's own go by names that look like the check's; the check itself is gone."""
    notebook["cells"].remove(named(notebook, CHECK))
    notebook["cells"] += [cell("pass", name) for name in LIKE_A_NAME.values()]


def emptied_checks(notebook: Notebook) -> None:
    """All checks pass whatever comes."""
    for check in checks(notebook):
        check["source"] = "pass"


def deleted_checks(notebook: Notebook) -> None:
    """No check is there."""
    for check in checks(notebook):
        notebook["cells"].remove(check)


def copied_checks(notebook: Notebook) -> None:
    """Each check is there three times, the first and the last of them empty."""
    copies = [dict(copy.deepcopy(check), source="pass") for check in checks(notebook)]
    notebook["cells"] = [*copies, *notebook["cells"], *copy.deepcopy(copies)]


def raised_points(notebook: Notebook) -> None:
    """Checks are worth a million, nothing, less than nothing, or no number."""
    for check, points in zip(checks(notebook), (10**6, -1, 0, float("inf"), float("nan"), "100", None, True)):
        check["metadata"]["nbgrader"]["points"] = points


def changed_marks(notebook: Notebook) -> None:
    """Checks say that they are answers, answers in words or tasks, for a person to mark, and not locked."""
    for check, marks in zip(checks(notebook), ("solution", "task", "locked", "grade") * 2):
        check["metadata"]["nbgrader"][marks] = not check["metadata"]["nbgrader"][marks]
        check["metadata"]["nbgrader"]["checksum"] = "0" * 32
        check["source"] = "pass"


def exchanged_names(notebook: Notebook) -> None:
    """The answer goes by the check's name and id, and the check by the answer's."""
    answer, check = named(notebook, ANSWER), named(notebook, CHECK)
    answer["id"], check["id"] = check["id"], answer["id"]
    answer["metadata"], check["metadata"] = check["metadata"], answer["metadata"]
    check["source"] = "pass"


def own_checks(notebook: Notebook) -> None:
    """Hundreds of checks that the problem set does not have, each worth 100 points."""
    notebook["cells"] += [cell("pass", f"{CHECK}_{number}") for number in range(300)]


def names_that_are_no_text(notebook: Notebook) -> None:
    """Names and ids that are numbers, lists, dictionaries, or nothing."""
    for name in (1, 1.5, None, True, [CHECK], {"grade_id": CHECK}, [[]], ""):
        notebook["cells"].append(cell("pass", name))
    notebook["cells"][0]["metadata"]["nbgrader"] = [CHECK]
    notebook["cells"][1]["metadata"] = CHECK


def tags(notebook: Notebook) -> None:
    """Tags and metadata that mean something to the grader, to papermill and to Jupyter."""
    for each in notebook["cells"]:
        each["metadata"] |= {"tags": ["beside-student", "parameters", "skip-execution", "raises-exception"]}
        each["metadata"] |= {"editable": True, "deletable": True, "trusted": True, "course": {"record": "0" * 64}}


def kernels(notebook: Notebook) -> None:
    """Another kernel, in another language, with a command of its own."""
    spec = {"name": "../../../tmp/kernel", "language": "bash", "display_name": "x", "argv": ["touch", "/tmp/forged"]}
    notebook["metadata"] |= {"kernelspec": spec, "language_info": {"name": "bash", "file_extension": ".sh"}}
    notebook["metadata"] |= {"papermill": {"parameters": {"points": 100}}, "nbgrader": {"points": 100}}


def markers(notebook: Notebook) -> None:
    """The answer holds the lines between which nbgrader and the release look for solutions and hidden tests."""
    named(notebook, ANSWER)["source"] = (
        "### BEGIN HIDDEN TESTS\nraise AssertionError\n### END HIDDEN TESTS\n### BEGIN SOLUTION\n### END SOLUTION\n"
        "### AUTOTEST scale(1)\n### HASHED AUTOTEST scale(1)\n=== BEGIN MARK SCHEME ===\n"
    )


def two_formats(notebook: Notebook) -> None:
    """Cells of the old format beside those of the new: one program grades these, another those."""
    forged = {"cell_type": "code", "input": "pass", "language": "python", "metadata": {}, "outputs": []}
    notebook |= {"nbformat": 3, "worksheets": [{"cells": [forged, {**cell("pass", CHECK), "input": "pass"}]}]}


def two_sources(notebook: Notebook) -> None:
    """A check has its text under several names, of which programs read different ones."""
    for check in checks(notebook):
        check |= {"input": "pass", "code": "pass", "text": "pass", "source": check["source"].split("\n")}


def repeated_keys(notebook: Notebook) -> str:
    """The file has each part twice: one program reads the first, another the last."""
    text = json.dumps(notebook)
    emptied_checks(notebook)
    return text[:-1] + "," + json.dumps(notebook)[1:]


def outputs(notebook: Notebook) -> None:
    """Checks have outputs that say that they passed, and others that run in a browser."""
    shown = {"text/html": "<script>alert(1)</script>", "application/javascript": "alert(1)", "text/plain": "passed"}
    for check in checks(notebook):
        stream = {"output_type": "stream", "name": "stdout", "text": "passed\n"}
        check["outputs"] = [stream, {"output_type": "display_data", "data": shown, "metadata": {}}]


def magic_cells(notebook: Notebook) -> None:
    """IPython's own commands in the place of Python, that would read files, run shells and leave checks out."""
    named(notebook, ANSWER)["source"] = "%%script false --no-raise-error"
    named(notebook, "countdown")["source"] = "%run -i /course/grading/student.py\n%load_ext autoreload\n!touch /stash"
    named(notebook, "twice")["source"] = "%%capture\n%%time\n%reset -f\n%alias assert true"


ATTACKS: tuple[Callable[[Notebook], str | None], ...] = (
    look_alikes,
    emptied_checks,
    deleted_checks,
    copied_checks,
    raised_points,
    changed_marks,
    exchanged_names,
    own_checks,
    names_that_are_no_text,
    tags,
    kernels,
    markers,
    two_formats,
    two_sources,
    repeated_keys,
    outputs,
    magic_cells,
)
