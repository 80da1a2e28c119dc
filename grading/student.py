"""Runs a student's cells, and what checks ask of the names they define. Inside the sandbox, one process a submission.

Nothing in here is trusted: the student's code runs in the same process and can change all of it. What it sends is read
as plain data (`values`) and as nothing more than a claim.
"""

import contextlib
import io
import os
import random
import socket
import sys
import time
from typing import Any

from grading.remote import MAX_MESSAGE, Peer
from grading.wire import Channel, Closed

OPERATIONS = ("call", "get", "set", "item", "len", "iter", "next", "in", "array", "text")


class Student:
    """The student's notebook as a running program."""

    def __init__(self, shell: Any, connection: socket.socket) -> None:
        self.shell = shell
        handlers = {"run": self.run, "names": self.names, "seed": self.seed, "begin": self.begin}
        self.peer = Peer(Channel(connection), OPERATIONS, handlers)

    def run(self, source: str) -> dict[str, Any]:
        """Run a cell; what it prints is dropped.

        Returns:
            dict: "error", the name of the exception or None; "message"; "seconds".
        """
        begin = time.perf_counter()
        with contextlib.redirect_stdout(_Nothing()), contextlib.redirect_stderr(_Nothing()):
            result = self.shell.run_cell(source, store_history=False, silent=False)
        error = result.error_before_exec or result.error_in_exec
        return {
            "error": type(error).__name__ if error else None,
            "message": _text(error) if error else "",
            "seconds": time.perf_counter() - begin,
        }

    def begin(self) -> None:
        """A check begins: what was lent to the one before is taken back."""
        self.peer.forget()

    def names(self, wanted: list[str]) -> dict[str, Any]:
        """What these names stand for, without those that are not defined."""
        return {name: self.shell.user_ns[name] for name in wanted if name in self.shell.user_ns}

    def seed(self, number: int) -> None:
        """Set the seeds of Python, NumPy and, where it is in use, Keras; to import it would take seconds."""
        import numpy as np

        random.seed(number)
        np.random.seed(number)
        if "keras" in sys.modules:
            sys.modules["keras"].utils.set_random_seed(number)


class _Nothing(io.TextIOBase):
    """Takes text and drops it: a flood of output costs nothing."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


def _text(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE]
    except BaseException:
        return ""


def make_shell() -> Any:
    """An IPython shell without history, so that magics and `!` behave as in a notebook."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    shell = InteractiveShell.instance(config=config)
    shell.showtraceback = lambda *arguments, **options: None
    shell.showsyntaxerror = lambda *arguments, **options: None
    return shell


def serve(shell: Any, connection: socket.socket) -> None:
    """Answer until the judge closes the connection, then end this process at once."""
    peer = Student(shell, connection).peer
    with contextlib.suppress(Closed):
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # it came when the cell had just ended
                peer.serve()
    os._exit(0)
