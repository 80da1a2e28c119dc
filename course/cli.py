"""The `course` command. Heavy imports wait inside the functions, so that `course --help` answers at once."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from course.errors import CourseError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Run the course.")
console = Console()


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """A user's mistake is one sentence and status 1; Ctrl-C is status 130."""
    from utils.registry import DataError  # not from utils.datasets, which imports NumPy

    try:
        yield
    except (CourseError, DataError) as error:
        Console(stderr=True).print(f"[red]Error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted.")
        raise typer.Exit(130) from None


def _exit_unless(good: bool) -> None:
    if not good:
        raise typer.Exit(1)


@app.command()
def data(
    names: Annotated[
        list[str] | None, typer.Argument(help="Data sets of data/registry.toml; all where none is named.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Fetch nothing: verify what is there.")] = False,
) -> None:
    """Fetch the data sets, each verified by its checksum, into a cache outside the repository."""
    with plain_errors():
        from course import data as course_data

        if check:
            _exit_unless(course_data.check_all(names or [], console))
        else:
            course_data.fetch_all(names or [], console)


@app.command()
def run(
    notebooks: Annotated[
        list[str] | None, typer.Argument(help="Lectures by number, name or path; all where none is named.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: about a minute each.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Keep the outputs of a full run in the lecture itself.")] = False,
    output: Annotated[
        pathlib.Path | None, typer.Option(help="Folder for notebooks and pages.  [default: build/lectures]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another value for a parameter, e.g. EPOCHS=3."),
    ] = None,
) -> None:
    """Run lectures from top to bottom and render them as web pages."""
    with plain_errors():
        from course import paths
        from course import run as course_run

        chosen = [paths.find_lecture(given) for given in notebooks or []] or sorted(paths.LECTURES.glob("[0-9]*.ipynb"))
        _exit_unless(course_run.run(chosen, console, quick, save, output, _parse_settings(settings or [])))


@app.command()
def lab(
    notebook: Annotated[
        str | None, typer.Argument(help="A lecture by number or name, or any notebook by its path.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A copy of the lecture with its small sizes.")] = False,
    port: Annotated[int, typer.Option(help="Port of the address; the next free one where it is taken.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Whether a browser opens.")] = True,
) -> None:
    """Open JupyterLab on the table of contents, or on a notebook."""
    with plain_errors():
        from course import lab as course_lab
        from course import paths

        chosen = paths.find_lecture_to_open(notebook) if notebook else None
        _exit_unless(course_lab.lab(chosen, quick, port, browser, console))


@app.command()
def check(
    notebook: Annotated[str, typer.Argument(help="Your notebook of a problem set.")],
    timeout: Annotated[int, typer.Option(help="Seconds that a cell may take.", min=1)] = 120,
) -> None:
    """Run your notebook in a fresh kernel and show which of its visible checks pass."""
    with plain_errors():
        from course import check as course_check
        from course import paths

        path = paths.find_file(notebook)
        if not console.is_terminal:  # a terminal shows what runs
            console.print(f"Running {path.name} in a fresh kernel. On a busy machine its start takes minutes.")
        _exit_unless(course_check.check(path, timeout, console))


@app.command()
def release(
    names: Annotated[list[str] | None, typer.Argument(help="Problem sets; all where none is named.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: say whether assignments/ is up to date.")
    ] = False,
    to: Annotated[
        pathlib.Path | None, typer.Option(help="Write the students' copy of the course there, as a folder and a zip.")
    ] = None,
) -> None:
    """Generate the students' notebooks in assignments/ from those in solutions/, or hand the course out."""
    with plain_errors():
        from course import release as course_release

        if to is not None:
            if names or check:
                raise CourseError("--to hands out the whole course: give it no names, and no --check.")
            from course import hand_out

            hand_out.hand_out(to, console)
            return

        _exit_unless(course_release.release([_problem_set(name) for name in names or []], check, console))


def _problem_set(given: str) -> str:
    from course.paths import find_problem_set

    return find_problem_set(given)


ProblemSet = Annotated[
    str, typer.Argument(help="A problem set: ps3_shakespeare, or ps3 for short.", callback=_problem_set)
]


@app.command()
def collect(
    problem_set: ProblemSet,
    source: Annotated[
        pathlib.Path, typer.Argument(help="A folder with one folder or file a student, or a zip of Canvas, Moodle, …")
    ],
) -> None:
    """Take in what students handed in: every file is kept, the latest of each is graded."""
    with plain_errors():
        from course import grade as course_grade

        _exit_unless(course_grade.collect(problem_set, source, console))


@app.command()
def grade(
    problem_set: ProblemSet,
    students: Annotated[list[str] | None, typer.Option("--student", help="Only this one; can be repeated.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what has not changed.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Grade nothing: check the records and their log.")] = False,
    kept: Annotated[str, typer.Option(help="With --verify: a last hash that it printed before.")] = "",
    isolation: Annotated[
        str | None, typer.Option(help="'process' runs trusted notebooks without a sandbox.  [default: a sandbox]")
    ] = None,
    cell_seconds: Annotated[float, typer.Option(help="Seconds that a cell or a check may take.", min=0.1)] = 60,
    total_seconds: Annotated[float, typer.Option(help="Seconds that a submission may take.", min=0.1)] = 300,
    memory: Annotated[float, typer.Option(help="GiB that a submission may use.", min=0.1)] = 3.0,
    dask: Annotated[str | None, typer.Option(help="Address of a Dask scheduler to grade on.")] = None,
) -> None:
    """Grade what was handed in, in a sandbox; what did not change keeps its record."""
    with plain_errors():
        if verify:
            from grading import audit

            _exit_unless(audit.report(console, kept=kept))
            return
        from course import grade as course_grade

        _exit_unless(
            course_grade.grade(
                problem_set,
                console,
                students=tuple(students or ()),
                force=force,
                isolation=isolation,
                cell_seconds=cell_seconds,
                total_seconds=total_seconds,
                memory=memory,
                dask=dask,
            )
        )


@app.command()
def feedback(problem_set: ProblemSet) -> None:
    """Write a web page for each student: what was checked, what came, and where to read on."""
    with plain_errors():
        from course import grade as course_grade

        course_grade.feedback(problem_set, console)


@app.command()
def export(
    problem_set: ProblemSet,
    form: Annotated[str, typer.Option("--form", help="canvas or moodle.")] = "canvas",
    to: Annotated[
        pathlib.Path | None, typer.Option(help="The file.", show_default="grades/PROBLEM_SET_FORM.csv")
    ] = None,
    people: Annotated[
        pathlib.Path | None, typer.Option(help="The list of participants that the system exports: who is who.")
    ] = None,
) -> None:
    """Write the scores as CSV for Canvas or Moodle, and print the problem set's statistics."""
    with plain_errors():
        from course import grade as course_grade

        course_grade.export(problem_set, form, to, people, console)


@app.command()
def similar(
    problem_set: ProblemSet,
    threshold: Annotated[float, typer.Option(help="Share of a hand-in that must be in the other.", min=0, max=1)] = 0.6,
) -> None:
    """Show which hand-ins share code that the course did not give out: a reason to look, never a proof."""
    with plain_errors():
        from course import grade as course_grade

        course_grade.similar(problem_set, threshold, console)


@app.command()
def normalise(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing: say which notebooks are not in normal form.")
    ] = False,
) -> None:
    """Bring the notebooks of lectures/ and solutions/ into the one form that git holds."""
    with plain_errors():
        from course import normalise as course_normalise

        _exit_unless(course_normalise.normalise_all(check, console))


@app.command()
def badges(
    repository: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Yours on GitHub.  [default: that of pyproject.toml]")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing: say which files name another.")] = False,
) -> None:
    """Write a fork's address into every badge, first cell and link of the course."""
    with plain_errors():
        from course import badges as course_badges

        _exit_unless(course_badges.badges(repository, check, console))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, to paste into a report.")] = False,
) -> None:
    """Look at what the course needs here, and say what to do about each thing that is missing."""
    with plain_errors():
        from course import doctor as course_doctor

        _exit_unless(course_doctor.report(as_json))


def _parse_settings(settings: list[str]) -> dict[str, Any]:
    import ast

    values = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not (name and separator):
            raise CourseError(f"--set takes NAME=VALUE, such as EPOCHS=3, got {setting!r}.")
        try:
            values[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            values[name] = text
    return values
