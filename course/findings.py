"""What a check of `course doctor` gives, and how a check asks another process. Needs the standard library only."""

from __future__ import annotations  # an older Python must get as far as being told that it is too old

import dataclasses
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
OK, NOTE, PROBLEM = "ok", "note", "problem"
SETUP = "run `make -B setup`"  # without -B, make does not look whether what it installed is still there


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one check came to.

    Attributes:
        subject: what was looked at, in a word or two.
        level: OK, NOTE (the course works, and this is worth knowing) or PROBLEM (something that it needs is missing).
        text: what was found.
        advice: what to do, where there is something to do.
    """

    subject: str
    level: str
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.level:8} {self.subject:11} {': '.join(filter(None, (self.text, self.advice)))}"


def ask(code: str, limit: float) -> tuple[str, str]:
    """Run code in a Python of its own.

    Returns:
        What it printed last, and why it failed: empty where it did not.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {limit} s"
    if done.returncode < 0:
        return "", f"the process was killed by signal {-done.returncode}"
    if done.returncode:
        return "", (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return (done.stdout.strip().splitlines() or [""])[-1], ""


def some(names: list[str]) -> str:
    """The first of many names, for one line."""
    return ", ".join(names[:3]) + ", …" * (len(names) > 3)
