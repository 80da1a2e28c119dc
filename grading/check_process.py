"""Runs one check in a fork of the grader, against proxies of a student's names, and reports what came of it.

Whatever the student's process sends, it can at most end this fork.
"""

import contextlib
import json
import math
import os
import resource
import select
import signal
import socket
import time
import traceback
from typing import Any

from grading.problem_set import Check
from grading.remote import Peer, RemoteError
from grading.wire import Channel, WireError

MAX_REPORT = 65_536  # bytes of what a check's process reports
MAX_TEXT = 600  # characters of a message in a verdict
JUDGE_MEMORY = 4 * 2**30  # bytes that a check may use beside the grader's own
UNSEEN = "on an input that you have not seen"
WITHHELD = "`course check` shows what your code gives"


def run_check(check: Check, connection: socket.socket, seconds: float, exposed: bool = False) -> dict[str, Any]:
    """Run a check.

    Args:
        check: what to run.
        connection: to the student's process.
        seconds: how long it may take.
        exposed: whether the student's process has seen a hidden test's input before.

    Returns:
        dict: "outcome", one of a verdict's, or "late" where it took longer, or "gone" where the student's process
        ended; "message", for the student; "clean", whether the connection can be used for the next check; and where it
        is, "exposed", whether the process has seen a hidden input now, and "withheld", whether the message of a
        visible check was left out because of that.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _judge_and_exit(check, connection, writer, exposed)
    os.close(writer)
    try:
        return _read_report(reader, seconds)
    finally:
        os.close(reader)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class StudentGone(BaseException):
    """The student's process does not answer any more. No `except Exception` in a check can turn this into a pass."""


class _Watched(Peer):
    """A Peer for a check: when the student's process is gone, that is noted and cannot be caught."""

    gone = False

    def request(self, operation: str, *values: Any) -> Any:
        try:
            return super().request(operation, *values)
        except (WireError, OSError) as error:
            self.gone = True
            raise StudentGone(str(error)) from None


def _judge_and_exit(check: Check, connection: socket.socket, writer: int, exposed: bool) -> None:
    report = {"outcome": "gone", "message": "", "clean": False}
    try:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        resource.setrlimit(resource.RLIMIT_DATA, (own + JUDGE_MEMORY, own + JUDGE_MEMORY))
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        connection.settimeout(None)  # the clock is in the process above
        peer = _Watched(Channel(connection), ("call", "item", "len", "iter", "next", "in", "array"))
        report = _judge(check, peer, exposed)
        content = json.dumps(report).encode()[:MAX_REPORT]
        while content:
            content = content[os.write(writer, content) :]
    except BaseException:
        pass
    finally:
        os._exit(0)


def _judge(check: Check, peer: _Watched, exposed: bool) -> dict[str, Any]:
    ended: BaseException | None = None
    try:
        _run(check, peer)
    except BaseException as error:
        ended = error
    if peer.gone:
        return {"outcome": "gone", "message": "", "clean": False}
    reached = math.inf if ended is None else _line_reached(check, ended)
    exposed = exposed or check.first_hidden < reached
    outcome, message, withheld = ("passed", "", False) if ended is None else _explain(check, ended, reached, exposed)
    return {
        "outcome": outcome,
        "message": message[:MAX_TEXT],
        "clean": True,
        "exposed": exposed,
        "withheld": withheld,
    }


def _run(check: Check, peer: _Watched) -> None:
    peer.request("begin")
    if check.beside:  # anew, whatever the student's own cells have made of these names
        peer.request("run", check.beside)
    given = peer.request("names", list(check.needs))
    names = {name: given[name] for name in check.needs if name in given}
    space = {"__name__": "check", **names, "student_seed": lambda number: peer.request("seed", number)}
    if check.given:
        exec(compile(check.given, "given", "exec"), space)
    exec(compile(check.source, check.name, "exec"), space)


def _line_reached(check: Check, error: BaseException) -> int:
    """The line of the check in which it ended; 0 where that was before its first."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == check.name]
    return (lines[0] if lines else 0) or 0


def _explain(check: Check, error: BaseException, line: int, exposed: bool) -> tuple[str, str, bool]:
    """How a check ended, its message, and whether that was withheld.

    The student's code has a hand in what an error says. Once it has seen a hidden input, it could tell it there, be it
    much later and in a visible check.
    """
    if isinstance(error, MemoryError):
        return "memory", "what your code gave back was too large to be checked", False
    if isinstance(error, NotImplementedError):
        return "failed", "not attempted yet", False
    if isinstance(error, AssertionError):
        outcome, whole, short = "failed", _text(error) or "failed", "fails"
    else:
        outcome, whole = "error", as_line(type(error).__name__, _text(error))
        short = "an error" if isinstance(error, RemoteError) else type(error).__name__
    hint = getattr(error, "hint", "")
    if check.is_hidden(line):
        return outcome, f"{UNSEEN}: {hint}" if hint else f"{short} {UNSEEN}", False
    if exposed:
        return outcome, f"{hint or short}; {WITHHELD}", True
    return outcome, whole, False


def _read_report(reader: int, seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    content = b""
    while len(content) <= MAX_REPORT:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return {"outcome": "late", "message": "", "clean": False}
        piece = os.read(reader, MAX_REPORT)
        if not piece:
            break
        content += piece
    try:
        return json.loads(content)
    except ValueError:  # it was killed, or could not report
        return {"outcome": "memory", "message": "what your code gave back could not be checked", "clean": False}


def as_line(name: str, message: str) -> str:
    """An error in one line."""
    first = message.strip().partition("\n")[0]
    return f"{name}: {first}" if first else name


def _text(error: BaseException) -> str:
    try:
        return clean(str(error))
    except Exception:  # it shows an object of the student's, whose repr fails
        return ""


def clean(text: Any) -> str:
    """The beginning of a text, without characters that cannot be written to a file or shown; empty for what is none."""
    if not isinstance(text, str):
        return ""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text[:MAX_TEXT])
