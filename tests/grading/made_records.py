"""Records made up for tests of what happens to records."""

import dataclasses
from typing import Any

from grading.records import Record, Verdict, record_key

CHECKS = ((("add_small"), 2), ("add_large", 3))


def make_verdict(check: str = "add_small", points: float = 2, possible: float = 2, **changes: Any) -> Verdict:
    values: dict[str, Any] = {
        "exercise": "add",
        "title": "Exercise 1: add one",
        "outcome": "passed" if points == possible else "failed",
        "message": "" if points == possible else "3 should become 4, got 3",
        "expected": "One more comes out.",
        "seconds": 0.1,
    }
    return Verdict(check=check, points=points, possible=possible, **{**values, **changes})


def make_record(student: str = "ada", day: int = 1, **changes: Any) -> Record:
    """A record of ps1: two checks passed, and one answer in words."""
    verdicts = (
        make_verdict("add_small", 2, 2),
        make_verdict("add_large", 3, 3, expected="A large number becomes one larger."),
        make_verdict("why", 0, 2, exercise="why", title="Question 2: why?", outcome="by hand", message="", expected=""),
    )
    values: dict[str, Any] = {
        "problem_set": "ps1",
        "received": f"2026-03-{day:02d}T12:00:00+00:00",
        "graded": f"2026-03-{day:02d}T13:00:00+00:00",
        "submission_sha256": "a" * 64,
        "release_sha256": "b" * 64,
        "solution_sha256": "c" * 64,
        "environment": {"python": "3.11.7"},
        "seed": 7,
        "limits": {"seconds a cell": 20.0},
        "isolation": "sandbox",
        "notes": (),
        "fault": "",
        "cells": (("add", 0.1, "passed"),),
        "verdicts": verdicts,
        "key": record_key(student + str(day), "c" * 64, {}, 7),
        **changes,
    }
    return Record(student=student, **values)


def with_points(record: Record, points: dict[str, float]) -> Record:
    """The record with other points for some checks."""
    verdicts = [
        make_verdict(verdict.check, points[verdict.check], verdict.possible, expected=verdict.expected)
        if verdict.check in points
        else verdict
        for verdict in record.verdicts
    ]
    return dataclasses.replace(record, verdicts=tuple(verdicts))
