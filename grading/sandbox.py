"""A sandbox with a process that has imported what notebooks need, and forks one process for each submission."""

import itertools
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
from typing import Any

from grading.isolation import (
    FIRST_USER,
    PROCESS,
    SANDBOX,
    Limits,
    call_filter,
    environment,
    lay_out_course,
    sandbox_command,
)

START = 180  # seconds that the imports may take on a busy machine


class SandboxError(Exception):
    """The sandbox does not do what it should; it is no fault of the submission."""


class Sandbox:
    """A running sandbox, for one submission at a time. Use it in a `with`."""

    _users = itertools.count(FIRST_USER + os.getpid() % 50_000 * 1_000)

    def __init__(self, isolation: str, limits: Limits, modules: tuple[str, ...] = ()) -> None:
        self.isolation = isolation
        self.limits = limits
        self.modules = modules
        self.process: subprocess.Popen | None = None
        self.folder: tempfile.TemporaryDirectory | None = None

    def __enter__(self) -> "Sandbox":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Start the first process. Its imports go on while the grader does other things."""
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self.ready = False
        with theirs, call_filter(self.isolation) as rules:
            handles = (theirs.fileno(), rules.fileno())
            command, environment, folder = self._command(*handles)
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                env=environment,
                cwd=folder,
                pass_fds=handles,
            )

    def wait(self) -> None:
        """Wait until the imports are done.

        Raises:
            SandboxError: it does not start.
        """
        if self.ready:
            return
        try:
            self._answer(START)
            self.ready = True
        except SandboxError as error:
            self.errors.seek(0)
            told = self.errors.read().decode(errors="replace").strip()[-800:]
            self.stop()
            raise SandboxError(f"the sandbox does not start ({error}): {told}") from None

    def stop(self) -> None:
        """End everything in the sandbox."""
        if self.process is not None:
            self.control.close()
            self.errors.close()
            self.process.kill()
            self.process.wait()
            self.process = None
        if self.folder is not None:
            self.folder.cleanup()
            self.folder = None

    def fork(self) -> socket.socket:
        """Start a process for a submission; returns the grader's end of its socket."""
        self.wait()
        ours, theirs = socket.socketpair()
        user = next(self._users) if self.isolation == SANDBOX else os.geteuid()
        order = {"do": "fork", "user": user, "limits": self.limits.as_dict()}
        with theirs:
            self._order(order, [theirs.fileno()])
        return ours

    def interrupt(self) -> None:
        """Send the submission's process what Ctrl-C sends."""
        self._order({"do": "interrupt"})

    def end(self) -> tuple[str, int]:
        """Kill what is left of the submission, and wipe what it wrote.

        Returns:
            How its process had ended before that: "running", "exit", "memory" or "signal N"; and the most memory that
            was seen in use, in bytes.
        """
        answer = self._order({"do": "end"})
        if not answer["clean"]:  # something could not be removed: the next submission gets a new sandbox
            self.stop()
            self.start()
        return answer["end"], answer["peak"]

    def _order(self, order: dict[str, Any], handles: list[int] | None = None) -> dict[str, Any]:
        try:
            socket.send_fds(self.control, [json.dumps(order).encode()], handles or [])
        except OSError as error:
            raise SandboxError("the sandbox is gone") from error
        return self._answer(60)

    def _answer(self, seconds: float) -> dict[str, Any]:
        self.control.settimeout(seconds)
        try:
            content = self.control.recv(65_536)
        except TimeoutError:
            raise SandboxError(f"no answer in {seconds:g} s") from None
        except OSError as error:
            raise SandboxError("the connection broke") from error
        if not content:
            raise SandboxError("it has ended")
        return json.loads(content)

    def _command(self, control: int, rules: int) -> tuple[list[str], dict[str, str], str | None]:
        """The command, its environment, and the folder that it starts in."""
        python = [sys.executable, "-m", "grading.zygote", *self.modules]
        settings = environment() | {"CONTROL": str(control), "OWN_USERS": str(int(self.isolation == SANDBOX))}
        if self.isolation != PROCESS:
            return sandbox_command(self.isolation, python, settings, rules), {"PATH": os.defpath}, None
        self.folder = tempfile.TemporaryDirectory(prefix="grading-")
        home = pathlib.Path(self.folder.name)
        lay_out_course(home)
        (home / "work").mkdir()
        own = {"SHARED": "1", "WORK": str(home / "work"), "PYTHONPATH": str(home), "HOME": str(home)}
        return python, settings | own, str(home / "work")
