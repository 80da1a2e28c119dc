"""The normal form of every notebook that is written by hand; `assignments/` gets it from `course release`."""

import os

from rich.console import Console

from course import notebooks
from course.paths import LECTURES, ROOT, SOLUTIONS


def normalise_all(check: bool, console: Console) -> bool:
    """Normalise the notebooks of lectures/ (with their outputs) and solutions/ (without).

    Args:
        check: whether to change nothing and only name those that are not in normal form.
        console: where they are named.

    Returns:
        True where all are in normal form, or have been brought into it.
    """
    found = [(path, True) for path in LECTURES.glob("*.ipynb")] + [
        (path, False) for path in SOLUTIONS.glob("*/*.ipynb")
    ]
    others = []
    for path, keep_outputs in sorted(found):
        notebook = notebooks.normalise(notebooks.read(path), keep_outputs)
        if notebooks.as_text(notebook) != path.read_text(encoding="utf-8"):
            others.append(os.path.relpath(path, ROOT))
            if not check:
                notebooks.write(notebook, path)
    verb = "is not in normal form: run `course normalise`" if check else "normalised"
    for name in others:
        console.print(f"{name}: {verb}", soft_wrap=True)
    console.print(f"{len(found) - len(others)} of {len(found)} notebooks were in normal form.")
    return not (check and others)
