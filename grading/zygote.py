"""The first process in the sandbox: imports what notebooks need once, then forks a process for each submission.

It takes orders as JSON over a socket, one a message, and answers each with one:

    {"do": "fork", "user": 20001, "limits": {...}}   with the student's end of a socket as a file descriptor
    {"do": "interrupt"}                              Ctrl-C for the student's process
    {"do": "end"}                                    kill what the submission left behind, wipe what it wrote

Started as `python -m grading.zygote MODULE…`; `CONTROL` has the socket's number. With `OWN_USERS=1` each submission
runs as the user its order names; with `SHARED=1` there is no sandbox, and only the submission's own session is killed.
"""

import contextlib
import ctypes
import functools
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

STUDENT = 3  # the file descriptor of the student's socket
REAP = 0.1  # seconds that a submission's process has to end by itself, once its socket is closed
LOOK = 0.2  # seconds between two looks at the memory in use
NO_NEW_PRIVILEGES, DUMPABLE = 38, 4  # of prctl
CLEAN = 5  # seconds that wiping may take: beyond that, a new sandbox is faster
INODE = 1_024  # bytes of memory, about, that a file takes beside what is in it
SHARED = os.environ.get("SHARED") == "1"
OWN_USERS = os.environ.get("OWN_USERS") == "1"
WORK = Path(os.environ.get("WORK", "/course/work"))
WRITABLE = [WORK] if SHARED else [WORK, Path("/tmp"), Path("/dev/shm")]


class Zygote:
    """What the process knows: the shell that is ready, and the submission that runs, one at a time."""

    def __init__(self, shell: Any, control: socket.socket) -> None:
        self.shell = shell
        self.control = control
        self.child = 0
        self.order: dict[str, Any] = {}
        self.end = ""  # how the submission's process ended, "" while it runs
        self.peak = 0  # bytes

    def run(self) -> None:
        """Follow orders until the grader closes the socket."""
        self.control.send(json.dumps({"ready": True}).encode())
        while True:
            ready, _, _ = select.select([self.control], [], [], LOOK if self.child else None)
            if self.child:
                self.watch()
            if not ready:
                continue
            message, handles, _, _ = socket.recv_fds(self.control, 65_536, 1)
            if not message:
                return
            order = json.loads(message)
            answer = {"fork": self.fork, "interrupt": self.interrupt, "end": self.finish}[order["do"]](order, handles)
            self.control.send(json.dumps(answer).encode())

    def fork(self, order: dict[str, Any], handles: list[int]) -> dict[str, Any]:
        """Start a submission's process."""
        self.order, self.end, self.peak = order, "", 0
        self.child = os.fork()
        if self.child == 0:
            try:
                self.become_student(order, handles[0])
            finally:
                os._exit(70)
        os.close(handles[0])
        return {"pid": self.child}

    def become_student(self, order: dict[str, Any], handle: int) -> None:
        """Give up all rights and file descriptors but the student's own, and serve."""
        from grading import student

        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        self.control.detach()
        connection = socket.socket(fileno=os.dup2(handle, STUDENT))
        os.closerange(STUDENT + 1, 4_096)
        os.umask(0o077)
        limit_resources(order["limits"])
        if OWN_USERS:
            become_user(order["user"])
        folder = WORK / str(order["user"])
        folder.mkdir()
        ctypes.CDLL(None).prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        ctypes.CDLL(None).prctl(DUMPABLE, 1, 0, 0, 0)  # so that its own files in /proc are its own
        with contextlib.suppress(OSError):  # where memory runs out, this process goes first
            Path("/proc/self/oom_score_adj").write_text("1000")
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        student.serve(self.shell, connection)

    def interrupt(self, order: dict[str, Any], handles: list[int]) -> dict[str, Any]:
        """Send the student's process what Ctrl-C sends."""
        if self.child:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and left its socket to another process
                os.kill(self.child, signal.SIGINT)
        return {}

    def watch(self) -> None:
        """Note whether the process has ended, and end it where all of it together uses too much memory."""
        self.reap()
        used = memory_in_use(self.members()) + (0 if SHARED else sum(map(folder_in_use, WRITABLE)))
        self.peak = max(self.peak, used)
        if self.child and used > self.order["limits"]["memory"]:
            self.end = "memory"
            self.kill()

    def finish(self, order: dict[str, Any], handles: list[int]) -> dict[str, Any]:
        """Kill all that is left of the submission and wipe what it wrote."""
        # a process that is ending has closed its socket before it can be reaped
        patience = time.monotonic() + REAP
        self.reap()
        while self.child and not self.end and time.monotonic() < patience:
            time.sleep(0.001)
            self.reap()
        end = self.end or "running"
        deadline = time.monotonic() + 10
        while (left := self.kill()) and time.monotonic() < deadline:
            time.sleep(0.002)
            self.reap()
        self.child = 0
        wiped = wipe(self.order.get("user", 0))
        return {"end": end, "peak": self.peak, "clean": wiped and not left}

    def members(self) -> list[int]:
        """The processes that belong to the submission: all but this one, or its session where there is no sandbox."""
        found = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
        if not SHARED:
            return [number for number in found if is_alive(number)]
        return [number for number in found if self.child and is_alive(number) and session_of(number) == self.child]

    def kill(self) -> bool:
        """Kill them; say whether there were any.

        In a sandbox the kernel does both in one step. A list of processes would miss one that forks all the time.
        """
        if not SHARED:
            try:
                os.kill(-1, signal.SIGKILL)  # all in this sandbox but this process
            except ProcessLookupError:
                return False
            return True
        found = self.members()
        for number in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        return bool(found)

    def reap(self) -> None:
        """Take note of processes that have ended; as the first process, this one inherits orphans."""
        with contextlib.suppress(ChildProcessError):
            while True:
                number, status = os.waitpid(-1, os.WNOHANG)
                if number == 0:
                    return
                if number == self.child:
                    self.end = self.end or (f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "exit")


def limit_resources(limits: dict[str, float]) -> None:
    """Set what the kernel limits for a process; all memory together is watched by the zygote."""
    own = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    bounds = {
        resource.RLIMIT_DATA: own + limits["memory"],
        resource.RLIMIT_FSIZE: limits["file"],
        resource.RLIMIT_CPU: limits["total"] * 4 + 60,  # of all threads; the clock on the wall ends most before
        resource.RLIMIT_NOFILE: 512,
        resource.RLIMIT_CORE: 0,
    }
    if OWN_USERS:  # counted for a user: elsewhere the grader's own processes would count, too
        bounds[resource.RLIMIT_NPROC] = limits["processes"]
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (int(bound), int(bound)))


def become_user(user: int) -> None:
    """Become a user who owns nothing, for good: with the change of all user ids the last capabilities go."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def memory_in_use(processes: list[int]) -> int:
    """Bytes that processes use together, tables of pages included; what they share with others counts in part."""
    total = 0
    for number in processes:
        for name in ("smaps_rollup", "status"):
            with contextlib.suppress(OSError, ValueError):
                for line in Path(f"/proc/{number}/{name}").read_text().splitlines():
                    if line.startswith(("Pss:", "SwapPss:", "VmPTE:")):
                        total += int(line.split()[1]) * 1024
    return total


def folder_in_use(folder: Path) -> int:
    """Bytes of memory that the files in a folder in memory take."""
    known = os.statvfs(folder)
    return (known.f_blocks - known.f_bfree) * known.f_frsize + (known.f_files - known.f_ffree) * INODE


def is_alive(number: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def session_of(number: int) -> int:
    """The session that a process belongs to, 0 where it is gone."""
    try:
        return os.getsid(number)
    except OSError:
        return 0


def wipe(user: int) -> bool:
    """Empty the folders that a submission can write to, as its own user; say whether they are empty."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(Exception):
            signal.alarm(CLEAN)  # which ends this process
            if OWN_USERS and user:
                become_user(user)
            for folder in WRITABLE:
                remove_all(folder, kept_in(folder))
        os._exit(0)
    os.waitpid(child, 0)
    try:
        return not any(entry.name not in kept_in(folder) for folder in WRITABLE for entry in os.scandir(folder))
    except OSError:
        return False


@functools.cache
def kept_in(folder: Path) -> set[str]:
    """Names in a folder that lead to what is bound below it, such as an environment below /tmp."""
    mounts = [Path(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return {mount.relative_to(folder).parts[0] for mount in mounts if mount != folder and mount.is_relative_to(folder)}


def remove_all(folder: Path, kept: Collection[str] = ()) -> None:
    """Empty a folder, even where the submission has taken away its own rights to what is in it."""
    for entry in [entry for entry in os.scandir(folder) if entry.name not in kept]:
        with contextlib.suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                os.chmod(entry.path, 0o700)
                remove_all(Path(entry.path))
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)


def main() -> None:
    """Import, then serve."""
    from grading.student import make_shell

    control = socket.socket(fileno=int(os.environ["CONTROL"]))
    for name in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # what is missing is the submission's to find out
            importlib.import_module(name)
    shell = make_shell()
    for folder in WRITABLE:  # imports leave files
        remove_all(folder, kept_in(folder))
    # The first process of a sandbox gets no signal from inside but those it handles. Where a submission is the same
    # user as this process, it could read and change its memory through /proc.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(DUMPABLE, 0, 0, 0, 0)
    Zygote(shell, control).run()


if __name__ == "__main__":
    main()
