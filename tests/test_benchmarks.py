"""The benchmarks run, and what is committed of them is what they wrote."""

import json
import pathlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from benchmarks import results
from benchmarks.grading_load import Batch, find_faults, write
from grading.isolation import SANDBOX, best_isolation

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


def test_a_number_of_things_is_shown_as_it_is():
    record = {"comparisons": [{"what": "lost", "entries": [{"way": "ours", "value": 0, "unit": ""}]}]}
    assert results.table(record).splitlines()[2] == "| lost | 0 |  |  |  |  |"


def record(date, versions, **values):
    machine = {"cores": 2, "python": "3.11.7", "versions": versions}
    comparisons = [{"what": what, "entries": [entry("ours", value)]} for what, value in values.items()]
    return {"machine": machine, "date": date, "comparisons": comparisons}


def test_what_is_measured_again_takes_the_place_of_what_was_measured():
    old = record("2026-01-01 to 2026-01-02", {"keras": "3", "torch": "2"}, writing=1.0, padding=2.0)
    merged = results.merge(old, record("2026-02-01", {"keras": "3"}, padding=5.0, grading=7.0))
    wanted = record("2026-01-01 to 2026-02-01", {"keras": "3", "torch": "2"}, writing=1.0, padding=5.0, grading=7.0)
    assert merged == wanted
    assert results.merge(wanted, wanted) == wanted


def test_times_of_other_versions_or_machines_are_not_put_together():
    old = record("2026-01-01", {"keras": "3"}, writing=1.0)
    assert results.merge(old, record("2026-01-01", {"keras": "4"}, padding=5.0)) is None
    other = record("2026-01-01", {"keras": "3"}, padding=5.0)
    other["machine"]["cores"] = 4
    assert results.merge(old, other) is None


@pytest.mark.skipif(best_isolation()[0] != SANDBOX, reason="attacks run only where each has a user of its own")
def test_of_a_class_with_hostile_and_broken_hand_ins_none_is_lost():
    options = ["--students", "0", "--synthetic", "40", "--hostile", "0.2", "--workers", "1"]
    command = [sys.executable, "-m", "benchmarks.grading_load", *options]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "40/40" in finished.stdout
    assert "20% hostile" in finished.stdout
    assert "Written" not in finished.stdout


def test_a_made_class_has_its_share_of_attacks_and_broken_files_and_no_file_twice(tmp_path):
    from benchmarks import made_classes

    hand_ins = made_classes.small_class(made_classes.make_small_course(tmp_path), 40, 0.2)
    kinds = [hand_in.kind for hand_in in hand_ins]
    assert (len(kinds), kinds.count("honest"), kinds.count("broken")) == (40, 32, 4)
    assert len(set(kinds)) == 6  # four attacks, each another
    assert len({hand_in.content for hand_in in hand_ins}) == 40
    assert {hand_in.points for hand_in in hand_ins if hand_in.kind not in ("honest", "broken")} == {0}
    assert len({hand_in.points for hand_in in hand_ins if hand_in.kind == "honest"}) > 5


def student(name, points=None):
    return SimpleNamespace(student=name, kind="honest", points=points)


@pytest.mark.parametrize(
    ("hand_in", "points", "mark", "fault"),
    [
        (student("ada", 5), 5, 5, None),
        (student("ada"), 3, 3, None),
        (student("ada", 5), None, None, "no record (her worker died)"),
        (student("ada", 5), 5, None, "not in the gradebook"),
        (student("ada", 5), 5, 4, "others in the record"),
        (student("ada", 5), 4, 4, "4 points instead of 5; short of them: add_small timeout"),
        (student("ada", 0), 1, 1, "1 points instead of 0"),
    ],
)
def test_what_is_lost_or_has_other_points_is_named(hand_in, points, mark, fault):
    verdicts = [SimpleNamespace(check="add_small", outcome="timeout", points=0, possible=1, is_written=False)]
    records = {} if points is None else {"ada": SimpleNamespace(points=points, verdicts=verdicts)}
    left = {} if records else {"ada": "her worker died"}
    found = find_faults([hand_in], records, {} if mark is None else {"ada": mark}, left)
    assert len(found) == (fault is not None)
    assert all(fault in sentence for sentence in found)


def batch_of(memory):
    """A class of 100, one graded a second after a start of 100 seconds; memory in use by the second."""
    moments = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=second) for second in range(200)]
    return Batch("a class", 200, moments[100:], [(moment, memory(second)) for second, moment in enumerate(moments)], [])


def test_memory_is_told_from_when_a_share_was_graded():
    batch = batch_of(lambda second: second)
    assert [batch.memory(after) for after in ("10 %", "50 %", "100 %")] == [114, 149, 194]


def test_memory_that_grows_is_not_flat_and_the_start_does_not_count():
    assert batch_of(lambda second: 1_000 if second > 100 else 10).is_flat
    assert batch_of(lambda second: 1_000 + second // 2).is_flat
    assert not batch_of(lambda second: 1_000 + 2 * second).is_flat


def test_what_is_recorded_of_large_classes_is_shown_with_the_other_results(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    path = write([batch_of(lambda second: 1_000_000)], workers=2)
    assert path.name.endswith("-cores-grading.json")
    shown = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "## Grading large classes on " in shown
    assert "| grade 100 hand-ins to a class, 2 workers | 2 s a hand-in |" in shown
    assert "| 1 MB | after 10 % of them: 1 MB | 1.00 | at most 10% more | met |" in shown
    assert "of 100 hand-ins to a class | 0 |  |  | none | met |" in shown
