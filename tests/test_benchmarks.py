"""The benchmarks run, and what is committed of them is what they wrote."""

import json
import pathlib
import subprocess
import sys

import pytest

from benchmarks import results

ROOT = pathlib.Path(__file__).parents[1]


def entry(way, value, **extra):
    return {"way": way, "value": value, "unit": "s", **extra}


def test_every_benchmark_runs_in_its_small_size():
    command = [sys.executable, "-m", "pytest", "-q", "benchmarks", "--small", "--benchmark-disable"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout[-3000:]


def test_the_committed_table_is_what_the_committed_records_give():
    records = sorted(results.FOLDER.glob("*.json"))
    assert records, "python -m benchmarks writes one"
    assert (results.FOLDER / "README.md").read_text(encoding="utf-8") == results.page()


def test_records_name_what_they_ran_on_and_no_path():
    for path in results.FOLDER.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert {"processor", "cores", "python", "versions", "seed"} <= set(json.loads(text)["machine"])
        assert "/root" not in text
        assert "/home" not in text


@pytest.mark.parametrize(
    ("ours", "other", "expected"),
    [
        (entry("ours", 1.0), entry("theirs", 5.0, goal={"text": "", "ratio_at_least": 4}), "met"),
        (entry("ours", 2.0), entry("theirs", 5.0, goal={"text": "", "ratio_at_least": 4}), "missed"),
        (entry("ours", 0.5, goal={"text": "", "value_at_most": 1}), None, "met"),
        (entry("ours", 1.5, goal={"text": "", "value_at_most": 1}), entry("theirs", 9.0), "missed"),
        (entry("ours", 1.0), entry("theirs", 9.0), ""),
    ],
)
def test_a_goal_is_met_or_missed(ours, other, expected):
    assert results.verdict(ours, other) == expected


def test_a_row_shows_both_sides_and_their_ratio():
    record = {
        "comparisons": [
            {"what": "write", "entries": [entry("predict", 0.5, of="character"), entry("ours", 0.002, of="character")]}
        ]
    }
    row = results.table(record).splitlines()[2]
    assert row == "| write | 2 ms a character | predict: 500 ms a character | 250 |  |  |"
