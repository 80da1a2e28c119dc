"""Run lectures from top to bottom, in a fresh kernel each, and render what comes out."""

import ast
import contextlib
import logging
import pathlib
import time
import tomllib
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from course import notebooks
from course.errors import CourseError
from course.paths import BUILD, LECTURES, make_folder, suggest

QUICK = LECTURES / "quick.toml"
_KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "text", list: "a list", tuple: "a list"}


@dataclass
class Outcome:
    """How one run ended."""

    name: str
    seconds: float
    page: pathlib.Path
    failure: str | None = None


def run(
    paths: list[pathlib.Path],
    console: Console,
    quick: bool = False,
    save: bool = False,
    output: pathlib.Path | None = None,
    parameters: dict[str, Any] | None = None,
) -> bool:
    """Run notebooks and say where their rendered pages are.

    Args:
        paths: the notebooks.
        console: where progress and the notebooks' own output appear.
        quick: whether the small sizes of `lectures/quick.toml` are used.
        save: whether the outputs are written into the notebook itself, with a hash of its code.
        output: folder for the executed notebooks and pages; None means build/lectures.
        parameters: values that replace those of the `parameters` cell, and quick's.

    Returns:
        True where every notebook ran to its end.

    Raises:
        CourseError: the output folder cannot be written to, or a parameter is none of the notebook's or of another
            kind than its default.
        KeyboardInterrupt: after the partial output was kept and the place was printed.
    """
    if save and (quick or parameters):
        raise CourseError("--save keeps the outputs of a full run: leave --quick and --set out.")
    folder = make_folder(output or BUILD / "lectures")
    outcomes = []
    for number, path in enumerate(paths, start=1):
        size = "quick" if quick else "full"
        values = {**(quick_parameters(path) if quick else {}), **(parameters or {})}
        notebook = notebooks.read(path)
        _check_parameters(path, notebook, values)
        expected = _expected_seconds(path, notebook, quick)
        duration = f", about {expected} s on 2 CPU cores" if expected else ""
        console.rule(f"[bold]{path.stem}[/] ({number} of {len(paths)}, {size} size{duration})")
        outcome = _run_one(path, folder, values, console, expected)
        outcomes.append(outcome)
        if save and outcome.failure is None:
            _save(path, folder / path.name, outcome.seconds)
    _summarise(outcomes, console)
    return all(outcome.failure is None for outcome in outcomes)


def _run_one(
    path: pathlib.Path, folder: pathlib.Path, values: dict[str, Any], console: Console, expected: float | None
) -> Outcome:
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines

    executed, page, log = (folder / f"{path.stem}{suffix}" for suffix in (".ipynb", ".html", ".log"))
    logging.getLogger("papermill").setLevel(logging.ERROR)
    papermill_engines.register("course", _engine())
    started = time.monotonic()
    failure = None
    with _Display(console, expected) as display, log.open("w", encoding="utf-8") as kernel_log:
        try:
            papermill.execute_notebook(
                path,
                executed,
                parameters=values,
                engine_name="course",
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=path.parent,
                display=display,
                kernel_log=kernel_log,
            )
        except papermill.PapermillExecutionError as error:
            first_line = next(iter(error.source.strip().splitlines()), "")
            failure = f"cell {display.cell} failed: {error.ename}: {error.evalue}\n  the cell begins: {first_line}"
        except KeyboardInterrupt:
            _render(executed, page)
            console.print(f"\nInterrupted in cell {display.cell}. What had run until then is kept: {executed}")
            raise
        except DeadKernelError as error:
            failure = f"cell {display.cell}: the kernel ended ({error}). Was the memory used up? Its last words: {log}"
        except RuntimeError as error:
            failure = f"no kernel answered ({error}): is the machine busy? Run it again. Its last words: {log}"
    _render(executed, page)
    return Outcome(path.stem, time.monotonic() - started, page, failure)


def _engine() -> type:
    """A papermill engine that shows on a display which cell runs and what it prints.

    The kernel's own standard error (start-up messages of libraries, crash reports) goes to a log file: what a cell
    writes there is in the notebook anyway.
    """
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine

    class CourseEngine(Engine):
        @classmethod
        def execute_managed_notebook(cls, manager, kernel_name, display, kernel_log, **_):
            start_cell = manager.cell_start

            def tell(cell, cell_index=None, **others):
                heading = next(iter(notebooks.headings(cell)), None)
                display.start_cell(cell_index + 1, len(manager.nb.cells), heading)
                return start_cell(cell, cell_index=cell_index, **others)

            manager.cell_start = tell
            client = PapermillNotebookClient(
                manager,
                kernel_name=kernel_name,
                startup_timeout=notebooks.STARTUP_TIMEOUT,
                timeout=None,
                stdout_file=display,
                coalesce_streams=True,
            )
            return client.execute(stderr=kernel_log)

    return CourseEngine


class _Display:
    """A progress bar over the cells, with what they print above it, line by line.

    It is handed to papermill as a file: a line that a carriage return overwrites, such as a training progress bar, is
    shown beside the bar while it changes, and printed once it is final.
    """

    def __init__(self, console: Console, expected: float | None) -> None:
        self._console = console
        self._expected = expected
        self._started = time.monotonic()
        self._line = ""
        self._progress = Progress(
            TextColumn("cell"),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[status]}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("", status="starting the kernel", left="")
        self.cell = 0

    def __enter__(self) -> "_Display":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._flush_line()
        self._progress.stop()

    def start_cell(self, number: int, total: int, heading: str | None) -> None:
        self._flush_line()
        self.cell = number
        if heading:
            self._console.print(f"\n[bold]{escape(heading)}[/]", highlight=False)
        self._update(completed=number, total=total, status="")

    def write(self, text: str) -> None:
        *complete, self._line = (self._line + text).split("\n")
        for line in complete:
            self._print(line)
        self._update(status=self._visible(self._line)[:60])

    def flush(self) -> None:
        """Part of being a file; every line is shown as it comes."""

    def _update(self, **fields: Any) -> None:
        left = (self._expected or 0) - (time.monotonic() - self._started)
        fields["left"] = f"about {left:.0f} s left" if left > 0 else ""
        self._progress.update(self._task, **fields)

    def _flush_line(self) -> None:
        if self._visible(self._line):
            self._print(self._line)
        self._line = ""

    def _print(self, line: str) -> None:
        from rich.text import Text

        self._console.print(Text.from_ansi(self._visible(line)))

    @staticmethod
    def _visible(line: str) -> str:
        return line.replace("\b", "").rstrip("\r").rsplit("\r", 1)[-1]


def _quick_section(path: pathlib.Path) -> dict[str, Any]:
    """The notebook's section of quick.toml; names in capitals are parameters, `seconds` is the time it takes."""
    section = tomllib.loads(QUICK.read_text(encoding="utf-8")).get(path.stem)
    if section is None:
        raise CourseError(f"{QUICK.name} has no section for {path.stem}: add one, or run without --quick.")
    return section


def quick_parameters(path: pathlib.Path) -> dict[str, Any]:
    """The small sizes of a lecture, by the names that its `parameters` cell gives them.

    Raises:
        CourseError: quick.toml has none for this notebook.
    """
    return {name: value for name, value in _quick_section(path).items() if name.isupper()}


def _check_parameters(path: pathlib.Path, notebook: Any, values: dict[str, Any]) -> None:
    known = notebooks.parameter_names(notebook)
    defaults = _defaults(notebook)
    for name, value in values.items():
        if name not in known:
            raise CourseError(f"{path.name} has no parameter {name!r}. {suggest(name, known)}")
        if not _fits(value, defaults.get(name)):
            expected, got = (_KINDS.get(type(one), type(one).__name__) for one in (defaults[name], value))
            advice = f' Text that looks like something else needs quotes: "{value}".' if expected == "text" else ""
            raise CourseError(
                f"{name} in {path.name} is {expected} such as {defaults[name]!r}, and {value!r} is {got}.{advice}"
            )


def _defaults(notebook: Any) -> dict[str, Any]:
    """What the `parameters` cell gives, of names that it gives a plain value."""
    sources = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    found = {}
    for node in ast.parse("\n".join(sources)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def _fits(value: Any, default: Any) -> bool:
    """Whether a value is of the default's kind; None, or one that has to be worked out, takes any."""
    if default is None:
        return True
    if isinstance(default, float):
        return type(value) in (int, float)
    if isinstance(default, list | tuple):
        return isinstance(value, list | tuple)
    return type(value) is type(default)


def _expected_seconds(path: pathlib.Path, notebook: Any, quick: bool) -> int | None:
    """What the run took where the course's figures were measured, on 2 CPU cores; None where that is not known."""
    section = _quick_section(path) if quick else notebook.metadata.get("course", {})
    return section.get("seconds")


def _render(executed: pathlib.Path, page: pathlib.Path) -> None:
    if executed.exists():
        notebooks.render(notebooks.normalise(notebooks.read(executed), keep_outputs=True), page)


def _save(path: pathlib.Path, executed: pathlib.Path, seconds: float) -> None:
    notebook = notebooks.read(executed)
    notebook.cells = [cell for cell in notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    notebook.metadata["course"] = {"sources": notebooks.hash_sources(notebook), "seconds": round(seconds)}
    notebooks.write(notebooks.normalise(notebook, keep_outputs=True), path)


def _summarise(outcomes: list[Outcome], console: Console) -> None:
    console.rule()
    for outcome in outcomes:
        mark = "[green]done[/]  " if outcome.failure is None else "[red]failed[/]"
        console.print(f"{mark} {outcome.name} in {outcome.seconds:.0f} s: {outcome.page}", soft_wrap=True)
        if outcome.failure:
            console.print(f"       {outcome.failure}", markup=False, soft_wrap=True)
