"""What the tests of problem sets share: one problem set each, and the table at the end."""

import collections
import concurrent.futures
import os
import pathlib
import shutil
import sys
from typing import Any

import pytest
from nbgrader.api import Gradebook

TRIED: dict[str, collections.Counter] = {}  # exercise -> how many right and wrong answers came out as they should


@pytest.fixture
def tried(request: pytest.FixtureRequest):
    """Counts an answer for the table at the end of the run; call it when the answer came out as it should."""

    def count(exercise: str, kind: str) -> None:
        TRIED.setdefault(exercise, collections.Counter())[kind] += 1

    return count


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for nbgrader comes last, so that it works beside the other tests."""
    items.sort(key=lambda item: "grades" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def nbgrader_runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """nbgrader at work on two problem sets at a time, where a test asks for its grades."""
    asking = [item for item in request.session.items if "grades" in getattr(item, "fixturenames", ())]
    handed_in = {item.callspec.params["problem_set"]: item.module.submissions for item in asking}
    if not asking:
        yield {}
        return
    empty = make_gradebook(tmp_path_factory.mktemp("empty"))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as executor:
        runs = {}
        for problem_set, submissions in reversed(handed_in.items()):  # the last takes longest
            folder = tmp_path_factory.mktemp(problem_set.name)
            shutil.copy(empty, folder)
            problem_set.hand_in(folder, submissions(problem_set))
            runs[problem_set.name] = executor.submit(problem_set.autograde, folder)
        yield runs
        executor.shutdown(cancel_futures=True)


def make_gradebook(folder: pathlib.Path) -> pathlib.Path:
    """An empty gradebook to copy: nbgrader takes seconds for a new one, in which it calls alembic by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(pathlib.Path(sys.executable).parent), prepend=os.pathsep)
        Gradebook(f"sqlite:///{folder}/gradebook.db", "sequence-models").close()
    return folder / "gradebook.db"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TRIED:
        terminalreporter.section("answers tried out on the checks")
        terminalreporter.line(f"{'exercise':<24}{'right accepted':>16}{'wrong rejected':>16}")
        for exercise, counts in TRIED.items():
            terminalreporter.line(f"{exercise:<24}{counts['right']:>16}{counts['wrong']:>16}")
