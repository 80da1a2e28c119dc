"""Run a student's notebook in a fresh kernel and show, exercise by exercise, what its visible checks give."""

import os
import pathlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course import notebooks
from course.errors import CourseError
from course.exercises import Exercise, drop_copies, find_exercises, is_check, marks_of, points_of, restore_checks
from course.paths import ROOT

# What nbgrader puts in the place of a written answer, and what the code in the place of a solution raises.
_UNANSWERED = "YOUR ANSWER HERE"
_BLANK = ("NotImplementedError", "")
_UNREADABLE = ("SyntaxError", "IndentationError", "TabError")
SETUP_TIMEOUT = 900  # seconds for a cell above the first exercise: importing TensorFlow takes long on a slow machine


@dataclass
class Run:
    """What happened to the code cells of a notebook, by their position in it."""

    setup: set[int]  # the cells above the first exercise
    timeout: int  # seconds that one of the others may take
    errors: dict[int, tuple[str, str]] = field(default_factory=dict)  # the exception's name and its message
    slow: list[int] = field(default_factory=list)  # took longer than the time-out
    finished: set[int] = field(default_factory=set)
    current: int = 0
    stopped: str | None = None  # why the cells after the current one did not run
    interrupted: bool = False

    def limit(self, position: int) -> int:
        """Seconds that a cell may take."""
        return max(self.timeout, SETUP_TIMEOUT if position in self.setup else 0)

    def note(self, position: int, cell: Any) -> None:
        self.finished.add(position)
        for output in cell.outputs:
            if output.output_type == "error":
                self.errors.setdefault(position, (output.ename, output.evalue))

    def forget(self, position: int) -> None:
        self.finished.discard(position)
        self.slow.remove(position)


def check(path: pathlib.Path, timeout: int, console: Console) -> bool:
    """Run a notebook and print a table: exercise, points, pass or the message of the first failing check.

    The file is only read. Training cells are told to do little (`utils.checks.under_grading`).

    Args:
        path: an existing notebook of a problem set.
        timeout: seconds that one cell may take; those above the first exercise may take SETUP_TIMEOUT.
        console: where the table is printed.

    Returns:
        True where all checks pass. Answers graded by hand do not count, nor does a bonus exercise left blank.

    Raises:
        CourseError: the file is no notebook or has no graded cells, or no kernel starts.
        KeyboardInterrupt: on Ctrl-C, after the kernel was shut down and what had run was printed.
    """
    notebook = notebooks.read(path)
    notes = drop_copies(notebook) + restore_checks(notebook)
    exercises = find_exercises(notebook)
    if not exercises:
        raise CourseError(
            f"{path.name} has no graded cells: it is no problem set, or an editor has dropped the cells' metadata. "
            "Copy your answers into a fresh notebook from assignments."
        )
    run = _run(notebook, path.parent, timeout, console)
    for line in _setup_failures(notebook, run, path):
        console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)
    table, passed = _tabulate(notebook, exercises, run)
    console.print(table)
    for note in [*notes, *_remarks(notebook, run)]:
        console.print(f"- {note}", highlight=False, markup=False)
    console.print("These are the visible checks. Hidden ones run at grading only: the points there can be lower.")
    if run.interrupted:
        raise KeyboardInterrupt
    return passed


def _find_setup(notebook: Any) -> set[int]:
    """The cells above the first exercise's: they import, and read data."""
    marked = (position for position, cell in enumerate(notebook.cells) if marks_of(cell).get("grade_id"))
    return set(range(next(marked, 0)))


# --- the run --------------------------------------------------------------------------------------------------------


def _run(notebook: Any, folder: pathlib.Path, timeout: int, console: Console) -> Run:
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    run = Run(_find_setup(notebook), timeout)
    client = _make_client(notebook, folder, run)
    suspect = None
    try:
        with (
            console.status("starting a kernel") as status,
            # its own stderr holds start-up messages of the kernel and of TensorFlow, and nothing of the notebook's
            client.setup_kernel(env={**os.environ, "NBGRADER_EXECUTION": "validate"}, stderr=subprocess.DEVNULL),
        ):
            for position, cell in enumerate(notebook.cells):
                if cell.cell_type != "code" or not cell.source.strip():
                    continue
                run.current = position
                status.update(f"{escape(_name(notebook, position))} of {len(notebook.cells)}")
                client.execute_cell(cell, position)
                run.note(position, cell)
                if position in run.setup and run.errors.get(position, _BLANK)[0] == "SystemExit":
                    run.stopped = f"{_name(notebook, position)} asked for the end"
                    break
                if position not in run.slow or position in run.errors:
                    suspect = None
                elif suspect is None:
                    suspect = position  # took too long, and the interrupt left no trace: is it still running?
                else:
                    run.forget(position)  # it only waited for the one before
                    run.stopped = f"{_name(notebook, suspect)} could not be interrupted"
                    break
    except DeadKernelError:
        run.stopped = f"the kernel died in {_name(notebook, run.current)}: was the memory used up?"
    except KeyboardInterrupt:
        run.stopped = f"interrupted in {_name(notebook, run.current)}"
        run.interrupted = True
    except (NoSuchKernel, RuntimeError) as error:
        raise CourseError(f"No Python kernel starts ({error}): run `make setup` again.") from error
    return run


def _make_client(notebook: Any, folder: pathlib.Path, run: Run) -> Any:
    from nbclient import NotebookClient

    def note_timeout(cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        if execute_reply["content"].get("ename") == "CellTimeoutError":
            run.slow.append(cell_index)

    return NotebookClient(
        notebook,
        kernel_name="python3",  # whatever name the student's editor gave its own
        startup_timeout=notebooks.STARTUP_TIMEOUT,
        timeout_func=lambda _: run.limit(run.current),
        interrupt_on_timeout=True,
        error_on_timeout={"ename": "CellTimeoutError", "evalue": "", "traceback": []},
        allow_errors=True,
        on_cell_executed=note_timeout,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
    )


# --- the report -----------------------------------------------------------------------------------------------------


def _setup_failures(notebook: Any, run: Run, path: pathlib.Path) -> Iterator[str]:
    """What went wrong above the exercises, and so has to be mended first."""
    failed = [position for position in _own_failures(notebook, run) if position in run.setup]
    for position in failed:
        yield f"{_name(notebook, position)} failed with {_as_line(*run.errors[position])}"
    if failed:
        yield "Mend this first: what the checks below say may come of it alone."
    if any(run.errors[position][0] == "SystemExit" for position in failed) and not path.resolve().is_relative_to(ROOT):
        yield f"The notebook lies outside the course's folder: put it into {ROOT}, and check it there."


def _tabulate(notebook: Any, exercises: list[Exercise], run: Run) -> tuple[Table, bool]:
    table = Table("exercise", "points", "result", show_footer=True)
    table.columns[1].justify = "right"
    earned = {False: 0.0, True: 0.0}  # beside the bonus exercises, and in them
    possible = {False: 0.0, True: 0.0}
    by_hand = 0.0
    passed = True
    for exercise in exercises:
        cells = {position: points_of(notebook.cells[position]) for position in exercise.checks}
        failed = [position for position in exercise.checks if position in run.errors or position not in run.finished]
        if cells:
            points = sum(cells.values()) - sum(cells[position] for position in failed)
            result = _result(notebook, exercise, failed[0], run) if failed else "[green]pass[/]"
            table.add_row(escape(exercise.title), f"{points:g} / {sum(cells.values()):g}", result)
            earned[exercise.is_bonus] += points
            possible[exercise.is_bonus] += sum(cells.values())
            left_out = exercise.is_bonus and all(run.errors.get(position) == _BLANK for position in failed)
            passed = passed and (not failed or left_out)
        else:
            cell = notebook.cells[exercise.solution]
            blank = not cell.source.strip() or cell.source.strip() == _UNANSWERED
            by_hand += points_of(cell)
            result = f"graded by hand{', no answer yet' if blank else ''}"
            table.add_row(escape(exercise.title), f"– / {points_of(cell):g}", result)
    table.columns[0].footer = "total"
    table.columns[1].footer = f"{earned[False]:g} / {possible[False]:g}"
    others = [f"{earned[True]:g} / {possible[True]:g} bonus points"] * bool(possible[True])
    others += [f"{by_hand:g} graded by hand"] * bool(by_hand)
    table.columns[2].footer = "and " + ", ".join(others) if others else ""
    return table, passed


def _result(notebook: Any, exercise: Exercise, position: int, run: Run) -> str:
    """What the first failing check of an exercise says, as Rich markup."""
    if position in run.slow:
        return f"[red]took over {run.limit(position)} s[/]"
    if position not in run.finished:
        return "[yellow]not run[/]"
    name, message = run.errors[position]
    if run.errors[position] == _BLANK:
        return "[yellow]not attempted yet[/]"
    if name == "AssertionError":
        return f"[red]{escape(message or 'failed: ' + _name(notebook, position))}[/]"
    return f"{escape(_cause(notebook, exercise, position, run))}[red]{escape(_as_line(name, message))}[/]"


def _cause(notebook: Any, exercise: Exercise, position: int, run: Run) -> str:
    """Where a check fails with another error than its own, the cell above it from which that may have come."""
    others = [other for other in _own_failures(notebook, run) if other < position]
    if not others:
        return ""
    first = exercise.solution if exercise.solution in others else others[0]
    name, message = run.errors[position]
    missing = re.search(r"name '(\w+)'", message) if name == "NameError" else None
    if first != exercise.solution and not (missing and re.search(rf"\b{missing[1]}\b", notebook.cells[first].source)):
        return ""
    return f"{_name(notebook, first)} failed with {_as_line(*run.errors[first])}, and then this check with "


def _remarks(notebook: Any, run: Run) -> Iterator[str]:
    """What else a student has to know: failing cells outside the checks and the set-up, time-outs, an early end."""
    for number, position in enumerate(_own_failures(notebook, run)):
        # later ones mostly follow from the first
        if position not in run.setup and (number == 0 or run.errors[position][0] != "NameError"):
            yield f"{_name(notebook, position)} failed with {_as_line(*run.errors[position])}"
    for position in run.slow:
        yield (
            f"{_name(notebook, position)} took over {run.limit(position)} s and was interrupted: look for a loop "
            f"without an end, or allow more with --timeout {2 * run.limit(position)}."
        )
    if run.stopped:
        yield f"The cells after that did not run: {run.stopped}."


def _own_failures(notebook: Any, run: Run) -> list[int]:
    """Cells other than checks that failed, up to the first that only met an exercise left blank.

    Those that Python could not read come first: nothing that they define is there for the others.
    """
    failures = []
    for position, error in run.errors.items():
        if error == _BLANK and not is_check(notebook.cells[position]):
            break
        if not is_check(notebook.cells[position]) and position not in run.slow:
            failures.append(position)
    return sorted(failures, key=lambda position: run.errors[position][0] not in _UNREADABLE)


def _as_line(name: str, message: str) -> str:
    first_line = message.strip().partition("\n")[0]
    # a syntax error names the file that the kernel made of the cell
    first_line = re.sub(r"\(\S+\.py, (line \d+)\)", r"(\1)", first_line)
    return f"{name}: {first_line}" if first_line else name


def _name(notebook: Any, position: int) -> str:
    """A cell as a student can find it: its number, counted from 1 with text cells, and how it begins."""
    lines = [line for line in notebook.cells[position].source.splitlines() if line.strip()]
    return f'cell {position + 1} ("{lines[0].strip()[:60] if lines else ""}")'
