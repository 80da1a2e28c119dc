"""Open JupyterLab on the course: its table of contents, or a notebook."""

import os
import pathlib
import signal
import subprocess
import sys
import urllib.parse

from rich.console import Console

from course import notebooks
from course.errors import CourseError
from course.paths import BUILD, ROOT, SOLUTIONS, make_folder
from course.run import quick_parameters

CONTENTS = ROOT / "README.md"
SETTINGS = pathlib.Path(__file__).parent / "jupyter"  # Markdown opens as a page, no news are asked for, no nbgrader
INSTRUCTOR = SETTINGS / "instructor"  # nbgrader's formgrader and Create Assignment; not what needs an exchange
QUIET = ("--ServerApp.log_level=WARN", "--ExtensionApp.log_level=WARN")
OWN_TOKEN = ("JUPYTER_TOKEN", "JUPYTER_TOKEN_FILE")  # where one is set, only the whole log has the address


def lab(notebook: pathlib.Path | None, quick: bool, port: int, browser: bool, console: Console) -> bool:
    """Run JupyterLab in the course's folder until it is stopped.

    Args:
        notebook: what it opens on; None means the table of contents.
        quick: whether it is a copy with the small sizes of `lectures/quick.toml`.
        port: of the address; the next free one where it is taken.
        browser: whether a browser opens.
        console: where it is said what is opened.

    Returns:
        True where it ended as it should.

    Raises:
        CourseError: quick without a notebook, a notebook outside the course's folder, or one without small sizes.
    """
    if quick:
        if notebook is None:
            raise CourseError("--quick makes a copy of a lecture: name one, such as `course lab 09 --quick`.")
        notebook = quick_copy(notebook, console)
    opened = notebook or CONTENTS
    if not opened.is_relative_to(ROOT):
        raise CourseError(f"{opened} is not in the course's folder, {ROOT}: copy it there, then open the copy.")
    address = f"/lab/tree/{urllib.parse.quote(opened.relative_to(ROOT).as_posix())}"
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url={address}", f"--ServerApp.port={port}"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is often nobody else
    if not any(map(os.environ.get, OWN_TOKEN)):
        command.extend(QUIET)
    console.print(f"JupyterLab opens {opened.relative_to(ROOT)}. Ctrl-C here, twice, stops it.", soft_wrap=True)
    server = subprocess.Popen(command, cwd=ROOT, env=environment())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for JupyterLab, which asks before it stops
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    return server.wait() == 0


def environment() -> dict[str, str]:
    """The environment variables of JupyterLab, which would otherwise open the tabs that another course had open."""
    tabs = {"JUPYTERLAB_WORKSPACES_DIR": str(make_folder(BUILD / "lab" / "workspaces"))}
    return {**tabs, **os.environ, "JUPYTER_CONFIG_PATH": settings_path()}


def settings_path() -> str:
    """The folders of Jupyter's settings, the strongest first: with solutions, it is an instructor's course."""
    folders = [str(INSTRUCTOR)] if SOLUTIONS.is_dir() else []
    return os.pathsep.join(filter(None, [*folders, str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH")]))


def quick_copy(notebook: pathlib.Path, console: Console) -> pathlib.Path:
    """Write a lecture with its small sizes and without outputs; a copy that is there is kept, with what is in it."""
    copy = make_folder(BUILD / "lab") / notebook.name
    if copy.exists():
        console.print(f"Your copy from before is opened; delete {copy} to begin anew.", soft_wrap=True)
        return copy
    values = quick_parameters(notebook)
    content = notebooks.normalise(notebooks.read(notebook))
    for cell in content.cells:
        if "parameters" in cell.metadata.get("tags", []):
            sizes = "\n".join(f"{name} = {value!r}" for name, value in values.items())
            cell.source += f"\n\n# the small sizes: `course run --quick` uses them too\n{sizes}"
    notebooks.write(content, copy)
    return copy
