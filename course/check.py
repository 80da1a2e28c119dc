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
from course.exercises import Exercise, drop_copies, find_exercises, is_check, points_of, restore_checks

# What nbgrader puts in the place of a written answer, and what the code in the place of a solution raises.
_UNANSWERED = "YOUR ANSWER HERE"
_BLANK = ("NotImplementedError", "")


@dataclass
class Run:
    """What happened to the code cells of a notebook, by their position in it."""

    errors: dict[int, tuple[str, str]] = field(default_factory=dict)  # the exception's name and its message
    slow: list[int] = field(default_factory=list)  # took longer than the time-out
    finished: set[int] = field(default_factory=set)
    current: int = 0
    stopped: str | None = None  # why the cells after the current one did not run
    interrupted: bool = False

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
        timeout: seconds that one cell may take.
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
    table, passed = _tabulate(notebook, exercises, run, timeout)
    console.print(table)
    for note in [*notes, *_remarks(notebook, run, timeout)]:
        console.print(f"- {note}", highlight=False, markup=False)
    console.print("These are the visible checks. Hidden ones run at grading only: the points there can be lower.")
    if run.interrupted:
        raise KeyboardInterrupt
    return passed


# --- the run --------------------------------------------------------------------------------------------------------


def _run(notebook: Any, folder: pathlib.Path, timeout: int, console: Console) -> Run:
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    run = Run()
    client = _make_client(notebook, folder, timeout, run)
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


def _make_client(notebook: Any, folder: pathlib.Path, timeout: int, run: Run) -> Any:
    from nbclient import NotebookClient

    def note_timeout(cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        if execute_reply["content"].get("ename") == "CellTimeoutError":
            run.slow.append(cell_index)

    return NotebookClient(
        notebook,
        kernel_name="python3",  # whatever name the student's editor gave its own
        startup_timeout=notebooks.STARTUP_TIMEOUT,
        timeout=timeout,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": "CellTimeoutError", "evalue": "", "traceback": []},
        allow_errors=True,
        on_cell_executed=note_timeout,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
    )


# --- the report -----------------------------------------------------------------------------------------------------


def _tabulate(notebook: Any, exercises: list[Exercise], run: Run, timeout: int) -> tuple[Table, bool]:
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
            result = _result(notebook, exercise, failed[0], run, timeout) if failed else "[green]pass[/]"
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


def _result(notebook: Any, exercise: Exercise, position: int, run: Run, timeout: int) -> str:
    """What the first failing check of an exercise says, as Rich markup."""
    if position in run.slow:
        return f"[red]took over {timeout} s[/]"
    if position not in run.finished:
        return "[yellow]not run[/]"
    name, message = run.errors[position]
    if run.errors[position] == _BLANK:
        return "[yellow]not attempted yet[/]"
    if name == "AssertionError":
        return f"[red]{escape(message or 'failed: ' + _name(notebook, position))}[/]"
    cause = _cause(notebook, exercise, position, run)
    return f"[red]{escape(_as_line(name, message))}[/]{escape(cause)}"


def _cause(notebook: Any, exercise: Exercise, position: int, run: Run) -> str:
    """Where a check fails with another error than its own, the cell above it that failed first."""
    others = [other for other in _own_failures(notebook, run) if other < position]
    if not others:
        return ""
    first = exercise.solution if exercise.solution in others else others[0]
    return f"; {_name(notebook, first)} failed before with {_as_line(*run.errors[first])}"


def _remarks(notebook: Any, run: Run, timeout: int) -> Iterator[str]:
    """What else a student has to know: failing cells outside the checks, time-outs, an early end."""
    for number, position in enumerate(_own_failures(notebook, run)):
        if number == 0 or run.errors[position][0] != "NameError":  # later ones mostly follow from the first
            yield f"{_name(notebook, position)} failed with {_as_line(*run.errors[position])}"
    for position in run.slow:
        yield (
            f"{_name(notebook, position)} took over {timeout} s and was interrupted: look for a loop without an end, "
            f"or allow more with --timeout {2 * timeout}."
        )
    if run.stopped:
        yield f"The cells after that did not run: {run.stopped}."


def _own_failures(notebook: Any, run: Run) -> list[int]:
    """Cells other than checks that failed, up to the first that only met an exercise left blank."""
    failures = []
    for position, error in run.errors.items():
        if error == _BLANK and not is_check(notebook.cells[position]):
            break
        if not is_check(notebook.cells[position]) and position not in run.slow:
            failures.append(position)
    return failures


def _as_line(name: str, message: str) -> str:
    first_line = message.strip().partition("\n")[0]
    # a syntax error names the file that the kernel made of the cell
    first_line = re.sub(r"\(\S+\.py, (line \d+)\)", r"(\1)", first_line)
    return f"{name}: {first_line}" if first_line else name


def _name(notebook: Any, position: int) -> str:
    """A cell as a student can find it: its number, counted from 1 with text cells, and how it begins."""
    lines = [line for line in notebook.cells[position].source.splitlines() if line.strip()]
    return f'cell {position + 1} ("{lines[0].strip()[:60] if lines else ""}")'
