"""Runs a submission's cells in the sandbox, and the checks on what they define in a process of the grader's own.

The verdict is reached where the student's code cannot reach: the check's source, hidden tests included, runs in a fork
of this process. Names of the student's are proxies there, and only those that the instructor's own solution defines.

What the student's code has a hand in is shown to the student only where that code has seen no hidden test's input: a
process that has seen one could tell it in any later message.
"""

import contextlib
import dataclasses
import socket
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from course.exercises import is_check, marks_of
from grading.check_process import as_line, clean, run_check
from grading.problem_set import Check, ProblemSet
from grading.records import Verdict
from grading.remote import Peer
from grading.sandbox import Sandbox, SandboxError
from grading.wire import Channel, WireError

MAX_REPLY = 2**18  # bytes of what the student's process says of a cell
START = 60.0  # seconds that a new process has to answer at all
GRACE = 3.0  # seconds that a cell has to react to Ctrl-C
STOPPED = {
    "timeout": "took longer than {cell:g} s: look for a loop without an end",
    "memory": "used more than {memory:.1f} GB of memory",
    "crash": "ended the process that ran the notebook",
}


@dataclass
class CellRun:
    """How a cell of the student's went: "done", "failed", or how it ended the process."""

    name: str
    outcome: str
    error: str = ""
    message: str = ""
    seconds: float = 0.0
    exposed: bool = False  # whether its process had seen a hidden test's input before


@dataclass
class Judgement:
    """What came of a submission."""

    cells: list[CellRun]
    verdicts: list[Verdict]
    notes: list[str]


class Judge:
    """Judges one submission.

    Args:
        problem_set: what it answers.
        sandbox: a running one, free for this submission.
        seed: of NumPy and Keras, set before the first cell.
    """

    def __init__(self, problem_set: ProblemSet, sandbox: Sandbox, seed: int = 42) -> None:
        self.problem_set = problem_set
        self.seed = seed
        self.sandbox = sandbox
        self.limits = sandbox.limits
        self.cells: list[CellRun] = []
        self.good: list[tuple[CellRun, str]] = []  # what to run again where the process has to be started anew
        self.verdicts: list[Verdict] = []
        self.exposed = False  # whether the student's process has seen a hidden test's input
        self.withheld: set[str] = set()  # visible checks without a message, because of that
        self.connection: socket.socket | None = None
        self.begin = time.monotonic()

    def judge(self, notebook: Any) -> Judgement:
        """Run a repaired notebook's cells up to the last check, and each check where it stands.

        Args:
            notebook: every released cell once, in order (`grading.repair`).

        Raises:
            SandboxError: the sandbox broke; the submission is not to blame, and can be judged again.
        """
        self.sandbox.wait()  # its imports are no time of the submission's
        self.begin = time.monotonic()
        self.run(notebook, self.problem_set.checks)
        if self.withheld:
            self.ask_again(notebook)
        return Judgement(self.cells, self.verdicts, self.notes())

    def run(self, notebook: Any, checks: Mapping[str, Check], left_out: Collection[str] = ()) -> None:
        """Run cells and checks in order, up to the last of these checks: no points depend on what is below."""
        last = list(checks)[-1]
        try:
            for number, cell in enumerate(notebook.cells):
                name = marks_of(cell).get("grade_id") or f"cell {number + 1}"
                if is_check(cell) and name in checks:
                    self.verdicts.append(self.check(checks[name]))
                    if name == last:
                        break
                elif cell.cell_type == "code" and cell.source.strip() and name not in left_out:
                    self.run_cell(name, cell.source)
        finally:
            self.close()

    def ask_again(self, notebook: Any) -> None:
        """Take the messages that were withheld from a new process, which sees no hidden input. Points stay."""
        checks = self.problem_set.checks
        visible = {name: check.visible_part() for name, check in checks.items() if name in self.withheld}
        again = Judge(self.problem_set, self.sandbox, self.seed)
        again.limits, again.begin = self.limits, self.begin
        again.cells = [cell for cell in self.cells if cell.outcome in STOPPED]  # once is enough
        again.run(notebook, visible, {*checks, *(cell.name for cell in again.cells)})
        told = {verdict.check: verdict.message for verdict in again.verdicts if verdict.outcome in ("failed", "error")}
        self.verdicts = [
            dataclasses.replace(verdict, message=told.get(verdict.check, verdict.message)) for verdict in self.verdicts
        ]

    # --- cells

    def run_cell(self, name: str, source: str) -> None:
        """Run a cell of the student's and note how it went."""
        if self.open() is None:
            self.cells.append(CellRun(name, "not run"))
            return
        begin = time.monotonic()
        outcome, reply = self.send(source, min(self.limits.cell, self.left()))
        seconds = time.monotonic() - begin
        if reply is None:
            self.cells.append(CellRun(name, outcome, seconds=seconds))
            return
        error, message = (clean(reply.get(key)) for key in ("error", "message"))
        cell = CellRun(name, outcome, error[:80], message, seconds, self.exposed)
        self.cells.append(cell)
        if outcome == "done":
            cell.outcome = "failed" if error else "done"
            self.good.append((cell, source))

    def send(self, source: str, seconds: float) -> tuple[str, dict[str, Any] | None]:
        """Run a piece of code in the student's process, which is open.

        Returns:
            "done", "timeout", "memory" or "crash", and the process's reply, None where it is gone.
        """
        peer = Peer(Channel(self.connection, MAX_REPLY, time.monotonic() + max(seconds, 0.1)), ())
        try:
            reply = peer.request("run", source)
            return "done", reply if isinstance(reply, dict) else {}
        except TimeoutError:
            return self.stop_cell(peer)
        except Exception:  # it is gone, or gives an error in the place of an answer
            return self.close(), None

    def stop_cell(self, peer: Peer) -> tuple[str, dict[str, Any] | None]:
        """Stop a cell by Ctrl-C, which leaves what it has defined; where it does not stop, end the process."""
        self.sandbox.interrupt()
        peer.channel.deadline = time.monotonic() + GRACE
        with contextlib.suppress(TimeoutError, WireError):
            message, _ = peer.channel.receive()  # what came in part before is lost, and then this fails
            if "value" in message:
                return "timeout", {}
        return "memory" if self.close() == "memory" else "timeout", None

    def open(self) -> socket.socket | None:
        """The connection to the student's process; None where the time is used up.

        A new process runs the cells again that went well before. One that does not go well again is left out.
        """
        while self.connection is None and self.left() > 0:
            self.connection, self.exposed = self.sandbox.fork(), False
            channel = Channel(self.connection, MAX_REPLY, time.monotonic() + START)
            try:  # no code of the student's has run yet
                Peer(channel, ()).request("seed", self.seed)
            except Exception as error:
                raise SandboxError(f"a new process does not answer ({error})") from error
            self.run_again()
        return self.connection if self.left() > 0 else None

    def run_again(self) -> None:
        """Run the good cells in a new process, up to one that is not good any more, which ends it."""
        for cell, source in self.good:
            outcome, _ = self.send(source, min(self.limits.cell, self.left()))
            if outcome != "done":
                cell.outcome = outcome
                self.good.remove((cell, source))
                self.close()
                return

    def close(self) -> str:
        """End the student's process; say how it had ended by itself."""
        if self.connection is None:
            return "crash"
        self.connection.close()
        self.connection = None
        end, _ = self.sandbox.end()
        return "memory" if end == "memory" else "crash"

    def left(self) -> float:
        """Seconds that the submission still has."""
        return self.limits.total - (time.monotonic() - self.begin)

    # --- checks

    def check(self, check: Check) -> Verdict:
        """Run a check on what the student's cells have defined so far."""
        begin = time.monotonic()
        if (connection := self.open()) is None:
            outcome, message = "not run", f"the time for the whole notebook, {self.limits.total:g} s, was used up"
        else:
            outcome, message = self.judge_apart(check, connection)
        if outcome == "error":
            message += self.cause(check)
        seconds = time.monotonic() - begin
        points = check.points if outcome == "passed" else 0.0
        return Verdict(
            check=check.name,
            exercise=check.exercise,
            title=check.title,
            points=points,
            possible=check.points,
            outcome=outcome,
            message=message,
            expected=check.expected,
            seconds=round(seconds, 4),
        )

    def judge_apart(self, check: Check, connection: socket.socket) -> tuple[str, str]:
        """Judge in a process of its own; its outcome, and what the student may read."""
        seconds = min(self.limits.cell, self.left())
        report = run_check(check, connection, seconds, self.exposed)
        if report["outcome"] == "late":
            self.close()
            return "timeout", STOPPED["timeout"].format(cell=seconds)
        if report["outcome"] == "gone":
            outcome = self.close()
            return outcome, STOPPED[outcome].format(memory=self.limits.memory / 1e9, cell=seconds)
        if report["clean"]:
            self.exposed = report["exposed"]
            self.withheld |= {check.name} if report["withheld"] else set()
        else:
            self.close()
        return report["outcome"], report["message"]

    def cause(self, check: Check) -> str:
        """Where the exercise's own cell has failed, that is the reason."""
        for cell in self.cells:
            if cell.name == check.exercise and cell.outcome != "done":
                told = "" if cell.exposed else as_line(cell.error, cell.message)
                reason = STOPPED.get(cell.outcome, "").format(**self.numbers()) or told
                return f"; your cell {cell.name} failed before" + f": {reason}" * bool(reason)
        return ""

    def numbers(self) -> dict[str, float]:
        return {"cell": self.limits.cell, "memory": self.limits.memory / 1e9}

    def notes(self) -> list[str]:
        """What to tell of cells that ended badly."""
        return [
            f"{cell.name} {STOPPED[cell.outcome].format(**self.numbers())}"
            for cell in self.cells
            if cell.outcome in STOPPED
        ]
