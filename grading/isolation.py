"""What a submission may see, reach and use: the levels of isolation, and how bubblewrap makes them.

No network, no sight of other processes, of solutions or of other hand-ins, a minimal file system that can only be read,
three small folders in memory that can be written, and a filter of system calls.
"""

import contextlib
import dataclasses
import functools
import mmap
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from course.errors import CourseError
from course.paths import ROOT

SANDBOX = "sandbox, own user"
SHARED_USER = "sandbox, one user"
PROCESS = "process"  # no sandbox: for trusted notebooks only
WRITABLE = 256 * 2**20  # bytes of each folder that can be written
# What the sandbox needs of the grader itself: nothing in it knows a solution or a check.
OWN_MODULES = ("__init__", "wire", "values", "remote", "student", "zygote")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/alternatives")
# Calls that reach another process, the kernel's rarely tested parts, or what would outlive a submission.
# fmt: off
REFUSED = (
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "process_madvise", "mount", "umount2",
    "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig", "fspick", "mount_setattr",
    "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "keyctl", "add_key", "request_key", "shmget", "shmat", "shmctl", "semget", "semop",
    "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink", "init_module",
    "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct",
    "quotactl", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname",
    "iopl", "ioperm", "personality", "name_to_handle_at", "open_by_handle_at", "lookup_dcookie", "syslog",
    "vhangup", "fanotify_init",
)
# fmt: on
FIRST_USER, LAST_USER = 200_000, 51_000_000  # ids that nothing else on the machine uses
NEW_USER_NAMESPACE = 0x10000000  # CLONE_NEWUSER
SHARED_MEMORY = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        cell: seconds on the clock for a cell or a check.
        total: seconds for all of them.
        memory: bytes, of all its processes together.
        processes: processes and threads at a time; held only where a submission has its own user.
        file: bytes of one file that it writes.
    """

    cell: float = 60
    total: float = 300
    memory: int = 3 * 2**30
    processes: int = 128
    file: int = 64 * 2**20

    def as_dict(self) -> dict[str, float]:
        return dataclasses.asdict(self)


@functools.cache
def best_isolation() -> tuple[str, str]:
    """The strongest isolation that this machine gives, and why not a stronger one.

    Returns:
        One of SANDBOX, SHARED_USER and PROCESS, and a sentence, empty for SANDBOX.
    """
    if sys.platform != "linux":
        return PROCESS, f"bubblewrap needs Linux, and this is {sys.platform}."
    if not shutil.which("bwrap"):
        return PROCESS, "bubblewrap is not installed. On Debian and Ubuntu: apt install bubblewrap."
    try:
        call_filter()
    except Exception as error:
        return PROCESS, f"the filter of system calls cannot be made ({error}). On Debian: apt install libseccomp2."
    level = SANDBOX if os.geteuid() == 0 and _has_users() else SHARED_USER
    command = [*_isolate(level), *_bind_system(), "--", "/bin/true"]
    tried = subprocess.run(command, capture_output=True, text=True)
    if tried.returncode:
        reason = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        return PROCESS, f"bubblewrap cannot make a sandbox here ({reason})."
    return level, "" if level == SANDBOX else "only root, outside a container, can give each submission its own user."


def _has_users() -> bool:
    """Whether there are users to give away: a container often has few."""
    try:
        ranges = [line.split() for line in pathlib.Path("/proc/self/uid_map").read_text().splitlines()]
        return any(int(first) <= FIRST_USER and int(first) + int(count) > LAST_USER for first, _, count in ranges)
    except (OSError, ValueError):
        return False


def choose_isolation(asked: str | None) -> str:
    """The isolation to grade with.

    Args:
        asked: a level by name, or None for a sandbox of either kind.

    Raises:
        CourseError: it cannot be had, or no sandbox can be had and PROCESS was not asked for by name.
    """
    best, reason = best_isolation()
    levels = (SANDBOX, SHARED_USER, PROCESS)
    if asked is not None and asked not in levels:
        raise CourseError(f"There is no isolation {asked!r}. There are: {'; '.join(levels)}.")
    wanted = asked or (best if best != PROCESS else SHARED_USER)
    if levels.index(wanted) < levels.index(best):
        raise CourseError(
            f"No {wanted!r} can be had here: {reason} For notebooks that you trust, "
            f"--isolation {PROCESS} runs them with your own rights."
        )
    return wanted


# --- the command that starts the sandbox ----------------------------------------------------------------------------


def sandbox_command(level: str, python: list[str], settings: dict[str, str], rules: int) -> list[str]:
    """The command line of a sandbox.

    Args:
        level: SANDBOX or SHARED_USER.
        python: what runs in it.
        settings: its environment.
        rules: a file descriptor with the filter of system calls.
    """
    command = [*_isolate(level), "--seccomp", str(rules), *_bind_system(), "--perms", "0755", "--dir", "/course"]
    # before what is bound, which may lie below /tmp
    for folder in ("/tmp", "/dev/shm", "/course/work"):
        command += ["--perms", "1777", "--size", str(WRITABLE), "--tmpfs", folder]
    command += [*_bind_python(), *_bind_course()]
    # a mapping of /dev/zero can be shared, and then holds memory that is counted nowhere; /dev/full gives zeros, too
    command += ["--dev-bind", "/dev/full", "/dev/zero", "--remount-ro", "/dev", "--remount-ro", "/"]
    command += ["--chdir", "/course/work"]
    for name, value in settings.items():
        command += ["--setenv", name, value]
    return [*command, "--", *python]


def _isolate(level: str) -> list[str]:
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    command += ["--die-with-parent", "--new-session", "--as-pid-1", "--clearenv", "--hostname", "grading"]
    command += ["--cap-drop", "ALL"]
    if level == SANDBOX:  # the first process changes users, kills what a submission left, and measures its memory
        for right in ("SETUID", "SETGID", "KILL", "SYS_PTRACE"):
            command += ["--cap-add", f"CAP_{right}"]
        return command
    return [*command, "--unshare-user", "--disable-userns"]


def _bind_system() -> list[str]:
    command = ["--perms", "0755", "--dir", "/etc"]
    for path in map(pathlib.Path, (*SYSTEM, *SETTINGS)):
        if path.is_symlink() and str(path) in SYSTEM:
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            command += ["--ro-bind", str(path), str(path)]
    return [*command, "--proc", "/proc", "--dev", "/dev"]


def _bind_python() -> list[str]:
    """The interpreter, its environment and the data that notebooks read, each at its own place."""
    from utils.registry import cache_folder

    folders = {pathlib.Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    folders |= {pathlib.Path(sys.prefix)} | {pathlib.Path(sys.executable).resolve().parents[1]}
    folders |= {cache_folder()} if cache_folder().exists() else set()
    return [part for folder in sorted(folders) if not _is_system(folder) for part in _bind(folder, folder)]


def _is_system(folder: pathlib.Path) -> bool:
    return any(folder.is_relative_to(known) for known in SYSTEM)


def _bind(source: pathlib.Path, target: pathlib.Path) -> list[str]:
    command = []
    for parent in reversed(target.parents[:-1]):  # else bubblewrap makes them so that only root can enter
        command += ["--perms", "0755", "--dir", str(parent)]
    return [*command, "--ro-bind", str(source), str(target)]


def _bind_course() -> list[str]:
    command = []
    for name in ("utils", "data"):
        command += _bind(ROOT / name, pathlib.Path("/course") / name)
    for name in OWN_MODULES:
        command += _bind(ROOT / "grading" / f"{name}.py", pathlib.Path("/course/grading") / f"{name}.py")
    return command


def lay_out_course(home: pathlib.Path) -> None:
    """Make a folder look like the sandbox's course, where there is none."""
    for name in ("utils", "data"):
        (home / name).symlink_to(ROOT / name)
    (home / "grading").mkdir()
    for name in OWN_MODULES:
        (home / "grading" / f"{name}.py").symlink_to(ROOT / "grading" / f"{name}.py")


def environment() -> dict[str, str]:
    """The variables that a submission sees."""
    from utils.registry import cache_folder

    kept = {name: os.environ[name] for name in ("KERAS_BACKEND", "LANG", "TZ") if name in os.environ}
    return kept | {
        "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/tmp",
        "PYTHONPATH": "/course",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "NBGRADER_EXECUTION": "autograde",
        "MPLBACKEND": "Agg",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "COURSE_DATA": str(cache_folder()),
    }


def call_filter(level: str = SANDBOX) -> Any:
    """The filter of system calls as a temporary file, in the form that bubblewrap wants; empty for PROCESS."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    if level == PROCESS:
        return file
    import pyseccomp

    refuse = pyseccomp.ERRNO(1)  # EPERM
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in REFUSED:
        with contextlib.suppress(Exception):  # a call that this machine does not have
            rules.add_rule(refuse, name)
    # what clone3 is asked to do lies in memory, where a filter cannot look: programs then fall back on clone
    rules.add_rule(pyseccomp.ERRNO(38), "clone3")  # ENOSYS
    new_user = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, NEW_USER_NAMESPACE, NEW_USER_NAMESPACE)
    rules.add_rule(refuse, "clone", new_user)
    # Memory that belongs to no process can be let go of and still be held, and no limit counts it.
    for name in ("memfd_create", "memfd_secret"):
        with contextlib.suppress(Exception):
            rules.add_rule(pyseccomp.ERRNO(38), name)
    shared = pyseccomp.Arg(3, pyseccomp.MASKED_EQ, SHARED_MEMORY, SHARED_MEMORY)
    rules.add_rule(pyseccomp.ERRNO(12), "mmap", shared)  # ENOMEM
    # limits of another process; 0 is the caller itself
    rules.add_rule(refuse, "prlimit64", pyseccomp.Arg(0, pyseccomp.NE, 0))
    # types of socket beyond those of a machine that is alone
    rules.add_rule(refuse, "socket", pyseccomp.Arg(0, pyseccomp.GT, socket.AF_INET6))
    rules.export_bpf(file)
    file.seek(0)
    return file
