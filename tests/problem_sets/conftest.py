"""What the tests of problem sets share: one problem set each, and the table at the end."""

import collections
from typing import Any

import pytest

TRIED: dict[str, collections.Counter] = {}  # exercise -> how many right and wrong answers came out as they should


@pytest.fixture
def tried(request: pytest.FixtureRequest):
    """Counts an answer for the table at the end of the run; call it when the answer came out as it should."""

    def count(exercise: str, kind: str) -> None:
        TRIED.setdefault(exercise, collections.Counter())[kind] += 1

    return count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TRIED:
        terminalreporter.section("answers tried out on the checks")
        terminalreporter.line(f"{'exercise':<24}{'right accepted':>16}{'wrong rejected':>16}")
        for exercise, counts in TRIED.items():
            terminalreporter.line(f"{exercise:<24}{counts['right']:>16}{counts['wrong']:>16}")
