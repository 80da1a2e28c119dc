"""Runs a submission's cells in the sandbox, and the checks on what they define in a process of the grader's own.

The verdict is reached where the student's code cannot reach: the check's source, hidden tests included, runs in a fork
of this process. Names of the student's are proxies there, and only those that the instructor's own solution defines.
"""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import time
import traceback
from dataclasses import dataclass
from typing import Any

from course.exercises import is_check, marks_of
from grading.problem_set import Check, ProblemSet
from grading.records import Verdict
from grading.remote import Peer
from grading.sandbox import Sandbox
from grading.wire import Channel, WireError

MAX_REPORT = 65_536  # bytes of what a check's process reports
MAX_TEXT = 600  # characters of a message in a verdict
JUDGE_MEMORY = 4 * 2**30  # bytes that a check may use beside the grader's own
START = 60.0  # seconds that a new process has to answer at all
GRACE = 3.0  # seconds that a cell has to react to Ctrl-C
UNSEEN = "on an input that you have not seen"
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


@dataclass
class Judgement:
    """What came of a submission."""

    cells: list[CellRun]
    verdicts: list[Verdict]
    notes: list[str]


class StudentGone(BaseException):
    """The student's process does not answer any more. No `except Exception` in a check can turn this into a pass."""


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
        self.good: list[str] = []  # sources to run again where the process has to be started anew
        self.verdicts: list[Verdict] = []
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
        try:
            for number, cell in enumerate(notebook.cells):
                name = marks_of(cell).get("grade_id") or f"cell {number + 1}"
                if is_check(cell) and name in self.problem_set.checks:
                    self.verdicts.append(self.check(self.problem_set.checks[name]))
                    if name == self.problem_set.last_check:
                        break
                elif cell.cell_type == "code" and cell.source.strip():
                    self.run_cell(name, cell.source)
        finally:
            self.close()
        return Judgement(self.cells, self.verdicts, self.notes())

    # --- cells

    def run_cell(self, name: str, source: str) -> None:
        """Run a cell of the student's and note how it went."""
        if self.left() <= 0:
            self.cells.append(CellRun(name, "not run"))
            return
        begin = time.monotonic()
        outcome, reply = self.send(source, min(self.limits.cell, self.left()))
        seconds = time.monotonic() - begin
        if reply is None:
            self.cells.append(CellRun(name, outcome, seconds=seconds))
            return
        error, message = str(reply.get("error") or ""), str(reply.get("message", ""))[:MAX_TEXT]
        if outcome == "done":
            outcome = "failed" if error else "done"
            self.good.append(source)
        self.cells.append(CellRun(name, outcome, error[:80], message, seconds))

    def send(self, source: str, seconds: float) -> tuple[str, dict[str, Any] | None]:
        """Run a piece of code in the student's process, started where there is none.

        Returns:
            "done", "timeout", "memory" or "crash", and the process's reply, None where it is gone.
        """
        connection = self.open()
        if connection is None:
            return "timeout", None
        peer = Peer(Channel(connection), ())
        connection.settimeout(max(seconds, 0.1))
        try:
            with contextlib.suppress(TimeoutError):
                reply = peer.request("run", source)
                return "done", reply if isinstance(reply, dict) else {}
            self.sandbox.interrupt()
            connection.settimeout(GRACE)
            message, _ = peer.channel.receive()  # what came in part before is lost, and then this fails
            return "timeout", {} if "value" in message else None
        except TimeoutError:
            self.close()
            return "timeout", None
        except WireError:
            return self.close(), None
        except Exception:  # an error frame in the place of an answer
            self.close()
            return "crash", None

    def open(self) -> socket.socket | None:
        """The connection to the student's process; a new one runs the cells again that went well before."""
        if self.connection is None:
            self.connection = self.sandbox.fork()
            self.connection.settimeout(START)
            Peer(Channel(self.connection), ()).request("seed", self.seed)
            for source in list(self.good):
                outcome, _ = self.send(source, min(self.limits.cell, self.left()))
                if outcome != "done":
                    self.good.remove(source)
                    self.close()
                    return None
        return self.connection

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
        if self.left() <= 0:
            outcome, message = "not run", f"the time for the whole notebook, {self.limits.total:g} s, was used up"
        elif (connection := self.open()) is None:
            outcome, message = "error", "the cells above it do not run a second time"
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
        """Judge in a fork of this process, which may be ended whatever it does."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _judge_and_exit(check, connection, writer)
        os.close(writer)
        seconds = min(self.limits.cell, self.left())
        try:
            report = _read_report(reader, seconds)
        finally:
            os.close(reader)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if report is None:
            self.close()
            return "timeout", STOPPED["timeout"].format(cell=seconds)
        if report["outcome"] == "gone":
            outcome = self.close()
            return outcome, STOPPED[outcome].format(memory=self.limits.memory / 1e9, cell=seconds)
        if not report["clean"]:
            self.close()
        return report["outcome"], report["message"]

    def cause(self, check: Check) -> str:
        """Where the exercise's own cell has failed, that is the reason."""
        for cell in self.cells:
            if cell.name == check.exercise and cell.outcome != "done":
                reason = STOPPED.get(cell.outcome, "").format(**self.numbers()) or _as_line(cell.error, cell.message)
                return f"; your cell {cell.name} failed before: {reason}"
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


# --- the check's own process ----------------------------------------------------------------------------------------


class _Watched(Peer):
    """A Peer for a check: when the student's process is gone, that is noted and cannot be caught."""

    gone = False

    def request(self, operation: str, *values: Any) -> Any:
        try:
            return super().request(operation, *values)
        except (WireError, OSError) as error:
            self.gone = True
            raise StudentGone(str(error)) from None


def _judge_and_exit(check: Check, connection: socket.socket, writer: int) -> None:
    report = {"outcome": "gone", "message": "", "clean": False}
    try:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (own + JUDGE_MEMORY, own + JUDGE_MEMORY))
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        connection.settimeout(None)  # the clock is in the process above
        report = _judge(check, _Watched(Channel(connection), ("item", "len", "iter", "next", "in", "array")))
        content = json.dumps(report).encode()[:MAX_REPORT]
        while content:
            content = content[os.write(writer, content) :]
    except BaseException:
        pass
    finally:
        os._exit(0)


def _judge(check: Check, peer: _Watched) -> dict[str, Any]:
    outcome, message = "passed", ""
    try:
        peer.request("begin")
        given = peer.request("names", list(check.needs))
        names = {name: given[name] for name in check.needs if name in given}
        space = {"__name__": "check", **names, "student_seed": lambda number: peer.request("seed", number)}
        if check.given:
            exec(compile(check.given, "given", "exec"), space)
        exec(compile(check.source, check.name, "exec"), space)
    except StudentGone:
        pass
    except MemoryError:
        outcome, message = "memory", "what your code gave back was too large to be checked"
    except AssertionError as error:
        outcome, message = "failed", _explain(check, error)
    except NotImplementedError:
        outcome, message = "failed", "not attempted yet"
    except BaseException as error:
        outcome, message = "error", _as_line(type(error).__name__, _text(error))
    if peer.gone:
        return {"outcome": "gone", "message": "", "clean": False}
    return {"outcome": outcome, "message": message[:MAX_TEXT], "clean": True}


def _explain(check: Check, error: AssertionError) -> str:
    """A failed check's message, without the expected values where the input is one that students do not see."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == check.name]
    if not (lines and lines[0] and check.is_hidden(lines[0])):
        return _text(error) or "failed"
    hint = getattr(error, "hint", "")
    return f"{UNSEEN}: {hint}" if hint else f"fails {UNSEEN}"


def _read_report(reader: int, seconds: float) -> dict[str, Any] | None:
    """What the check's process reports; None where it takes longer."""
    deadline = time.monotonic() + seconds
    content = b""
    while len(content) <= MAX_REPORT:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        piece = os.read(reader, MAX_REPORT)
        if not piece:
            break
        content += piece
    try:
        return json.loads(content)
    except ValueError:  # it was killed, or could not report
        return {"outcome": "memory", "message": "what your code gave back could not be checked", "clean": False}


def _as_line(name: str, message: str) -> str:
    first = message.strip().partition("\n")[0]
    return f"{name}: {first}" if first else name


def _text(error: BaseException) -> str:
    return str(error)[:MAX_TEXT]
