"""The judge: who answers rightly gets all points, and what goes wrong costs only what it touches."""

import dataclasses
import re
import time
import types

import pytest
from small_course import (
    CHECKS,
    LIMITS,
    POINTS,
    hand_in,
    judge,
    needs_sandbox,
    outcomes,
    points,
    small_sandbox,
    small_set,
    solutions,
)

from grading import isolation, worker
from grading.judge import Judge
from grading.sandbox import SandboxError

pytestmark = needs_sandbox
NO_END = "while True:\n    pass"
STUBBORN = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"


@pytest.fixture(scope="module")
def sandbox():
    small_set()
    with small_sandbox() as running:
        yield running


def lost(judgement):
    return {check for check, outcome in outcomes(judgement).items() if outcome != "passed"}


def checks_of(*exercises):
    return {name for name in CHECKS if name.startswith(tuple(f"{exercise}_" for exercise in exercises))}


def message(judgement, check):
    return next(verdict.message for verdict in judgement.verdicts if verdict.check == check)


def with_answers(**answers):
    return {**solutions(), **answers}


def test_the_solution_earns_full_marks_and_the_blank_release_none(sandbox):
    full = judge(sandbox, **solutions())
    assert points(full) == POINTS == sum(verdict.possible for verdict in full.verdicts)
    assert [verdict.check for verdict in full.verdicts] == list(CHECKS)
    blank = judge(sandbox)
    assert points(blank) == 0
    assert message(blank, "countdown_numbers") == "not attempted yet"


def test_a_verdict_says_which_exercise_it_is_and_what_was_checked(sandbox):
    verdict = judge(sandbox).verdicts[0]
    assert (verdict.check, verdict.exercise, verdict.possible) == ("scale_values", "scale", 3.0)
    assert verdict.title.startswith("Exercise 1: scale")
    assert verdict.expected == "Each number is multiplied."
    assert 0 < verdict.seconds < 10


def test_partial_work_earns_the_points_of_its_checks(sandbox):
    no_error = "import numpy as np\n\ndef scale(values, factor):\n    return np.asarray(values) * factor"
    assert lost(judge(sandbox, **with_answers(scale=no_error))) == {"scale_error"}
    wrong = "import numpy as np\n\ndef scale(values, factor):\n    return -np.asarray(values) * factor"
    assert lost(judge(sandbox, **with_answers(scale=wrong))) == {"scale_values", "scale_error", "scale_given"}


def test_an_exercise_left_blank_costs_only_its_own_points(sandbox):
    answers = solutions()
    del answers["twice"]
    assert lost(judge(sandbox, **answers)) == checks_of("twice")


def test_a_visible_failure_shows_its_whole_message(sandbox):
    wrong = "def countdown(start):\n    return [1, 2, 3]"
    assert message(judge(sandbox, countdown=wrong), "countdown_numbers") == "from start to 1"
    wrong = "def scale(values, factor):\n    return values * 2"
    told = message(judge(sandbox, scale=wrong), "scale_values")
    assert told.startswith("expected 6 within 1e-06 at (1,), got 4")
    assert told.endswith(": multiply each number")


SECRETS = ("hidden_rows", "31.25", "zebra", "-71.5", "41.0", "84", "17", "BEGIN", "END", "assert", "np.")
HIDDEN_FAILURES = {
    "a wrong value": {
        "scale": "def scale(values, factor):\n    return values * 3.0",
        "countdown": "def countdown(start):\n    return [3, 2, 1]",
        "batches": "class Batches(list):\n    def __init__(self, rows, size):\n"
        "        super().__init__([[1] * 2] * 2 + [[1]])",
        "twice": "def twice(function, value):\n    return 7",
    },
    "an error that tells the input": {
        "scale": "def scale(values, factor):\n"
        "    if values.ndim == 2: raise ValueError(values)\n    return values * 3.0",
        "countdown": "def countdown(start):\n    if start != 3: raise AssertionError(start)\n    return [3, 2, 1]",
        "batches": (
            "def Batches(rows, size):\n    if rows[0][0] in (0, 1): return [[0, 0], [0, 0], [0]]\n"
            "    raise KeyError(str(rows))"
        ),
        "twice": "class Told(Exception): pass\ndef twice(function, value):\n"
        "    if value != 1: raise Told(value)\n    return 7",
    },
}


@pytest.mark.parametrize("kind", HIDDEN_FAILURES)
def test_a_hidden_failure_shows_no_value_and_no_source(sandbox, kind):
    judgement = judge(sandbox, **HIDDEN_FAILURES[kind])
    told = [message(judgement, name) for name in ("scale_values", "countdown_numbers", "batches_rows", "twice_numbers")]
    for text in told:
        assert "on an input that you have not seen" in text
        assert not [secret for secret in SECRETS if secret in text], text


def test_a_hidden_failure_shows_the_hint(sandbox):
    wrong = "def scale(values, factor):\n    if factor == -1.0: raise ValueError('factor')"
    told = message(judge(sandbox, scale=wrong), "scale_error")
    assert told == "on an input that you have not seen: by its name, too"


def test_an_error_shows_its_kind_and_that_the_own_cell_failed_before(sandbox):
    told = message(judge(sandbox, scale="def scale(values, factor):\n    return missing"), "scale_values")
    assert told == "NameError: name 'missing' is not defined"
    told = message(judge(sandbox, batches="1 / 0"), "batches_rows")
    assert (
        told == "NameError: name 'Batches' is not defined; your cell batches failed before: "
        "ZeroDivisionError: division by zero"
    )


# --- hidden inputs that are kept and told later ---------------------------------------------------------------------

KEEPS = """
import os, pathlib
kept = []

def told():
    for folder in ("/tmp", "/dev/shm", "/course/work", os.getcwd()):
        for path in pathlib.Path(folder).glob("kept*"):
            kept.append(path.read_text())
    return f"FOUND {kept}"

def scale(values, factor):
    for place in ("/tmp/kept", "/dev/shm/kept", "/course/work/kept", "kept"):
        pathlib.Path(place).write_text(str(values))
    kept.append(str(values))
    return np.asarray(values) * factor
"""
TELLERS = {
    "in what it returns": "def twice(function, value):\n    return told()",
    "in an error's message": "def twice(function, value):\n    raise ValueError(told())",
    "in an assertion of its own": "def twice(function, value):\n    raise AssertionError(told())",
    "in the name of its class": "def twice(function, value):\n    raise type(told(), (Exception,), {})()",
    "in a cell that fails": "raise ValueError(told())",
}
ASKS = """# The function is applied two times.
from utils.checks import expect_equal

expect_equal(twice(lambda number: number + 3, 1), 7, "1 + 3 + 3 is 7")
### BEGIN HIDDEN TESTS
expect_equal(twice(lambda number: number + 3, 2), 8, "2 + 3 + 3 is 8")
### END HIDDEN TESTS"""


HIDDEN_INPUT = r"\b(?:2[89]|3[0-4])\.\d{3}|\b4[13]\b|\b71\.5\b"


def judge_with(sandbox, changed, **answers):
    """Judge with other sources of some checks."""
    known = small_set()
    checks = {
        name: dataclasses.replace(check, source=changed.get(name, check.source)) for name, check in known.checks.items()
    }
    return Judge(dataclasses.replace(known, checks=checks), sandbox).judge(hand_in(**answers))


@pytest.mark.parametrize("way", TELLERS)
def test_a_hidden_input_that_was_kept_is_not_told_by_a_later_visible_check(sandbox, way):
    judgement = judge_with(sandbox, {"twice_numbers": ASKS}, **with_answers(scale=KEEPS, twice=TELLERS[way]))
    assert "scale_values" not in lost(judgement)  # the hidden input has been seen
    assert outcomes(judgement)["twice_numbers"] != "passed"
    for verdict in judgement.verdicts:
        assert not re.search(HIDDEN_INPUT, verdict.message), verdict.message


def test_a_hidden_input_is_not_told_by_a_visible_line_below_it(sandbox):
    below = CHECKS["scale_values"][1] + "\nassert scale(np.ones(2), -1.0) is None, scale(np.ones(2), -1.0)"
    teller = KEEPS.replace("    return np", "    if factor == -1.0:\n        return told()\n    return np")
    told = message(judge_with(sandbox, {"scale_values": below}, **with_answers(scale=teller)), "scale_values")
    assert told.startswith("FOUND ['[1. 2.]', '[1. 1.]'")  # what it was given in a run without hidden inputs
    assert not re.search(HIDDEN_INPUT, told)


def test_a_visible_failure_behind_hidden_checks_still_shows_its_whole_message(sandbox):
    judgement = judge_with(
        sandbox, {"twice_numbers": ASKS}, **with_answers(twice="def twice(function, value):\n    return 4")
    )
    assert message(judgement, "twice_numbers").startswith("expected 7, got 4")
    assert lost(judgement) == checks_of("twice")
    told = message(judge(sandbox, **with_answers(batches="1 / 0")), "batches_rows")
    assert told.endswith("your cell batches failed before: ZeroDivisionError: division by zero")


def test_a_failure_that_does_not_come_again_shows_the_hint_alone(sandbox):
    seen = "any('\\n' in text for text in kept)"  # the hidden rows are the only ones that take several lines
    unsteady = f"def twice(function, value):\n    return told() if {seen} else function(function(value))"
    judgement = judge_with(sandbox, {"twice_numbers": ASKS}, **with_answers(scale=KEEPS, twice=unsteady))
    assert message(judgement, "twice_numbers") == "1 + 3 + 3 is 7; `course check` shows what your code gives"


# --- what ends badly ------------------------------------------------------------------------------------------------


def test_a_cell_without_an_end_costs_its_own_exercise_only(sandbox):
    judgement = judge(sandbox, **with_answers(countdown=NO_END))
    assert lost(judgement) == checks_of("countdown")
    assert "took longer than 2 s" in message(judgement, "countdown_numbers")
    assert judgement.notes == ["countdown took longer than 2 s: look for a loop without an end"]


def test_what_a_stopped_cell_has_defined_before_still_counts(sandbox):
    judgement = judge(sandbox, **with_answers(countdown=f"{solutions()['countdown']}\n{NO_END}"))
    assert lost(judgement) == set()


def test_a_cell_that_ignores_ctrl_c_costs_its_own_exercise_only(sandbox):
    judgement = judge(sandbox, **with_answers(countdown=STUBBORN))
    assert lost(judgement) == checks_of("countdown")
    assert [cell.outcome for cell in judgement.cells if cell.name == "countdown"] == ["timeout"]


def test_a_function_without_an_end_is_a_timeout_and_the_checks_after_it_still_count(sandbox):
    judgement = judge(sandbox, **with_answers(countdown="def countdown(start):\n    while True:\n        pass"))
    assert lost(judgement) == checks_of("countdown")
    assert outcomes(judgement)["countdown_numbers"] == "timeout"
    assert "2 s" in message(judgement, "countdown_numbers")


def test_a_process_that_ends_in_a_cell_costs_its_own_exercise_only(sandbox):
    judgement = judge(sandbox, **with_answers(countdown="import os\n\nos._exit(0)"))
    assert lost(judgement) == checks_of("countdown")
    assert judgement.notes == ["countdown ended the process that ran the notebook"]


def test_a_process_that_ends_in_a_function_is_a_crash_and_the_checks_after_it_still_count(sandbox):
    answer = "import os\n\ndef countdown(start):\n    os._exit(0)"
    judgement = judge(sandbox, **with_answers(countdown=answer))
    assert lost(judgement) == checks_of("countdown")
    assert outcomes(judgement)["countdown_numbers"] == "crash"


def test_too_much_memory_together_is_a_verdict_and_the_checks_after_it_still_count(sandbox):
    answer = """
import os, time

def countdown(start):
    for _ in range(6):
        if os.fork() == 0:
            hoard = bytearray(b"x") * (200 * 2**20)
            time.sleep(100)
    time.sleep(100)"""
    judgement = judge(sandbox, **with_answers(countdown=answer))
    assert lost(judgement) == checks_of("countdown")
    assert outcomes(judgement)["countdown_numbers"] == "memory"
    assert "0.5 GB" in message(judgement, "countdown_numbers")


def test_too_much_memory_of_one_process_is_an_error_of_its_own(sandbox):
    judgement = judge(sandbox, **with_answers(countdown="def countdown(start):\n    return bytearray(2**30)"))
    assert lost(judgement) == checks_of("countdown")
    assert outcomes(judgement)["countdown_numbers"] == "memory"


def test_cells_run_again_in_a_new_process(sandbox):
    answer = f"import os\n\n{solutions()['scale']}\n\ncount = 0"
    crash = "import os\n\ncount = 1\n\ndef countdown(start):\n    os._exit(0)"
    judgement = judge(
        sandbox, **with_answers(scale=answer, countdown=crash, twice=solutions()["twice"] + "\nassert count == 1")
    )
    assert lost(judgement) == checks_of("countdown")
    assert {cell.outcome for cell in judgement.cells} == {"done"}


def test_a_cell_that_does_not_run_a_second_time_costs_its_own_exercise_only(sandbox):
    probe = judge(sandbox, scale="import os\n\nraise ValueError(os.getuid())")
    user = next(int(cell.message) for cell in probe.cells if cell.name == "scale")
    once = f"import os\n\nif os.getuid() > {user + 1}:\n    os._exit(0)\n\n{solutions()['countdown']}"
    crash = "import os\n\ndef Batches(rows, size):\n    os._exit(0)"  # which makes a second run necessary
    judgement = judge(sandbox, **with_answers(countdown=once, batches=crash))
    assert lost(judgement) == checks_of("batches")  # the check of countdown came before
    assert judgement.notes == ["countdown ended the process that ran the notebook"]


def test_the_time_for_the_whole_notebook_is_limited():
    small_set()  # released before the clock runs
    limits = isolation.Limits(cell=4, total=5, memory=LIMITS.memory)
    with small_sandbox(limits) as small:
        begin = time.monotonic()
        answers = {name: "import time\n\ntime.sleep(1.5)\n" + source for name, source in solutions().items()}
        judgement = judge(small, **answers)
        assert time.monotonic() - begin < 20
    late = [verdict for verdict in judgement.verdicts if verdict.outcome == "not run"]
    assert {verdict.check for verdict in late} >= checks_of("shuffle")
    assert points(judgement) > 0
    assert all(verdict.message == "the time for the whole notebook, 5 s, was used up" for verdict in late)
    assert judgement.cells[-1].outcome == "not run"


def test_cells_behind_the_last_check_do_not_run(sandbox):
    notebook = hand_in(**solutions())
    notebook.cells.append(type(notebook.cells[1])(notebook.cells[1], source="import time\n\ntime.sleep(60)"))
    begin = time.monotonic()
    assert sum(verdict.points for verdict in Judge(small_set(), sandbox).judge(notebook).verdicts) == POINTS
    assert time.monotonic() - begin < 30


def test_the_same_seed_gives_the_same_draws_whatever_was_judged_before(sandbox):
    draw = "import numpy as np, random\n\nraise ValueError((np.random.random(), random.random()))"

    def drawn(seed):
        cells = Judge(small_set(), sandbox, seed).judge(hand_in(scale=draw)).cells
        return next(cell.message for cell in cells if cell.name == "scale")

    first = drawn(1)
    judge(sandbox, **solutions())
    assert drawn(1) == first != drawn(2)


def test_what_a_submission_defines_is_gone_for_the_next(sandbox):
    judge(sandbox, scale="import numpy\n\nnumpy.mark = 1\nstolen = 5", setup="import os\n\nos.environ['MARK'] = '1'")
    look = "import numpy, os\n\n"
    "assert not hasattr(numpy, 'mark') and 'MARK' not in os.environ"
    look += "\nassert 'stolen' not in globals()"
    judgement = judge(sandbox, setup=look)
    assert judgement.cells[0].outcome == "done", judgement.cells[0]


def test_a_message_has_only_characters_that_can_be_written(sandbox):
    source = r"raise ValueError('a\x00b\x1b[2Jc\u202ed\udc80e')"
    cells = judge(sandbox, scale=source).cells
    told = next(cell.message for cell in cells if cell.name == "scale")
    told.encode()
    assert told == "a\ufffdb\ufffd[2Jc\ufffdd\ufffde"


# --- the sandbox itself breaks --------------------------------------------------------------------------------------


def test_a_sandbox_that_is_gone_is_no_fault_of_the_submission(sandbox):
    with small_sandbox() as other:
        other.process.kill()
        other.process.wait()
        with pytest.raises(SandboxError):
            judge(other, **solutions())


def test_a_submission_is_judged_again_where_the_sandbox_breaks(monkeypatch):
    made = []

    class Breaking(worker.Sandbox):
        def start(self):
            self.modules = ("numpy", "utils.checks")
            made.append(self)
            super().start()
            if len(made) < worker.ATTEMPTS:
                self.wait()
                self.process.kill()
                self.process.wait()

    monkeypatch.setattr(worker, "Sandbox", Breaking)
    monkeypatch.setattr(worker, "_READY", {})
    job = types.SimpleNamespace(isolation=isolation.choose_isolation(None), limits=LIMITS, seed=42)
    try:
        judgement = worker._judge(job, small_set(), hand_in(**solutions()))
        assert points(judgement) == POINTS
        assert len(made) == worker.ATTEMPTS
    finally:
        for broken in made:
            broken.stop()
