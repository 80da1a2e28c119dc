"""Hostile submissions, all with wrong answers: none forges a point, and the honest one that follows gets them all."""

import collections
import dataclasses
import os
import pathlib
import time

import escaping
import exhausting
import forging
import meddling
import protocol
import pytest
from small_course import LIMITS as USUAL
from small_course import POINTS, hand_in, judge, level, outcomes, points, small_sandbox, small_set, solutions

from grading.isolation import SANDBOX
from grading.judge import Judge

LIMITS = dataclasses.replace(USUAL, total=6)
SLOW = {"timeout", "not run"}  # on a busy machine
MODULES = (forging, meddling, protocol, exhausting, escaping)
ATTACKS = {name: attack for module in MODULES for name, attack in module.ATTACKS.items()}
pytestmark = pytest.mark.skipif(level != SANDBOX, reason="attacks run only where each submission has a user of its own")


@pytest.fixture(scope="module")
def sandbox():
    small_set()  # released before the clock runs
    with small_sandbox(LIMITS) as running:
        yield running


def processes_in(sandbox):
    """All that runs in the sandbox, seen from outside: the first process, and what a submission has left."""
    children = collections.defaultdict(list)
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            state, parent = pathlib.Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            children[int(parent)].append(int(name))
    found = list(children[sandbox.process.pid])
    for number in found:
        found.extend(children[number])
    return found


def files_in(sandbox):
    """What submissions have left; what is root's leads to what is bound there, such as an environment below /tmp."""
    first = processes_in(sandbox)[0]
    folders = [f"/proc/{first}/root/{name}" for name in ("tmp", "dev/shm", "course/work")]
    entries = [entry for folder in folders for entry in os.scandir(folder)]
    return [entry.path for entry in entries if entry.stat(follow_symlinks=False).st_uid != 0]


def findings(judgement):
    told = [cell.message for cell in judgement.cells] + [verdict.message for verdict in judgement.verdicts]
    return [message for message in told if "FOUND" in message]


def judge_honest(sandbox):
    """Judge the solution, with time enough on a busy machine."""
    judging = Judge(small_set(), sandbox)
    judging.limits = dataclasses.replace(LIMITS, cell=30, total=120)
    return judging.judge(hand_in(**solutions()))


def attack_with(sandbox, attack):
    """Judge an attack and the submission that looks for its traces; nothing may be forged, found or left."""
    begin = time.monotonic()
    judgement = judge(sandbox, **attack.cells)
    seconds = time.monotonic() - begin
    ends = outcomes(judgement)
    assert len(ends) == 8
    assert points(judgement) == 0, ends
    assert not attack.ends or set(ends.values()) <= attack.ends | SLOW, ends
    assert not findings(judgement)
    assert seconds < LIMITS.total + 30, "it held the grader up"  # ends, cleaning and a new sandbox included
    if attack.then:
        assert not findings(judge(sandbox, scale=attack.then))
    sandbox.wait()
    assert len(processes_in(sandbox)) == 1
    assert not files_in(sandbox)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_forges_nothing_and_leaves_nothing(sandbox, name):
    attack_with(sandbox, ATTACKS[name])
    honest = judge_honest(sandbox)
    assert points(honest) == POINTS, honest.verdicts
    assert not os.path.exists("/tmp/pickle_was_loaded")


def test_variables_set_before_grading_reach_no_submission(monkeypatch, tmp_path):
    """What somebody has set for whoever grades does nothing, and what the grader's own variables hold is not seen."""
    start = tmp_path / "start.py"
    start.write_text("raise SystemExit('FOUND the start of another')")
    (tmp_path / "sitecustomize.py").write_text(start.read_text())
    names = ("PYTHONPATH", "PYTHONHOME", "PYTHONINSPECT", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "BASH_ENV", "ENV")
    names += ("KERAS_HOME", "NBGRADER_EXECUTION", "CONTROL", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN")
    for name in names:
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(start))
    looks = f"""
import os

found = [name for name, value in os.environ.items() if {str(tmp_path)!r} in value]
if found or set(os.environ) & {{"AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "PYTHONHOME", "PYTHONINSPECT", "BASH_ENV"}}:
    raise SystemExit("FOUND " + repr(found))
"""
    with small_sandbox(LIMITS) as running:
        judgement = judge(running, scale=looks)
        assert not findings(judgement)
        assert {cell.outcome for cell in judgement.cells if cell.name == "scale"} == {"done"}, judgement.cells
        assert points(judge_honest(running)) == POINTS


def test_there_are_enough_attacks_and_each_is_explained():
    assert len(ATTACKS) == sum(len(module.ATTACKS) for module in MODULES) >= 40
    assert all(attack.why.endswith(".") for attack in ATTACKS.values())


def test_attacks_in_a_row_leave_a_sandbox_that_grades(sandbox):
    # each of them is tried alone above; here nothing honest comes between
    for name in [*list(ATTACKS)[::8], "fork_bomb", "always_a_new_process"]:
        assert points(judge(sandbox, **ATTACKS[name].cells)) == 0, name
    assert points(judge_honest(sandbox)) == POINTS
