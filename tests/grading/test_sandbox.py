"""The sandbox: what a submission sees and may use, what is left of it, and what happens where none can be had."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

import pytest
from small_course import LIMITS, MODULES, judge, level, needs_sandbox, points, small_sandbox, small_set, solutions

from course.errors import CourseError
from course.paths import ROOT
from grading import isolation
from grading.isolation import PROCESS, SANDBOX, SHARED_USER, Limits
from grading.remote import Peer
from grading.sandbox import Sandbox, SandboxError
from grading.wire import Channel, WireError


@pytest.fixture(scope="module")
def sandbox():
    with small_sandbox() as running:
        yield running


def run(sandbox, source):
    """Run code as a submission of its own; gives the message of the error that it ends with."""
    connection = sandbox.fork()
    with connection:
        reply = Peer(Channel(connection, deadline=time.monotonic() + 30), ()).request("run", source)
    sandbox.end()
    return reply["message"]


def told(sandbox, expression, before=""):
    """What an expression gives in the sandbox."""
    message = run(sandbox, f"{before}\nraise ValueError(repr({expression}))")
    return eval(message, {"__builtins__": {}})


@needs_sandbox
def test_it_sees_only_what_it_needs(sandbox):
    assert set(told(sandbox, "os.listdir('/course')", "import os")) == {"utils", "data", "grading", "work"}
    own = {f"{name}.py" for name in isolation.OWN_MODULES}
    assert set(told(sandbox, "os.listdir('/course/grading')", "import os")) - {"__pycache__"} == own
    for place in (ROOT / "solutions", ROOT / "grading", ROOT / "tests", "/etc/passwd", "/var", "/sys"):
        assert not told(sandbox, f"os.path.exists({str(place)!r})", "import os"), place


@needs_sandbox
def test_what_it_needs_may_lie_below_a_folder_that_is_wiped(monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # where a clone of the course may lie
        os.chmod(folder, 0o755)
        (pathlib.Path(folder) / "data.txt").write_text("there")
        monkeypatch.setenv("COURSE_DATA", folder)
        with small_sandbox() as below:
            started = below.process.pid
            for _ in range(2):
                assert told(below, f"open('{folder}/data.txt').read()", "open('/tmp/left', 'w').write('x')") == "there"
            assert not told(below, "os.path.exists('/tmp/left')", "import os")
            assert below.process.pid == started  # wiped, and not started anew


@needs_sandbox
def test_nothing_in_it_knows_a_check_or_a_solution(sandbox):
    text = b"".join((ROOT / "grading" / f"{name}.py").read_bytes() for name in isolation.OWN_MODULES)
    imported = re.findall(rb"^ *(?:from|import) (grading\S*|course\S*)", text, re.MULTILINE)
    assert set(imported) <= {f"grading.{name}".encode() for name in isolation.OWN_MODULES} | {b"grading"}


@needs_sandbox
def test_each_submission_is_another_user_in_an_empty_folder_of_its_own(sandbox):
    if level != SANDBOX:
        pytest.skip("only root can give each submission a user of its own")
    look = "(os.getresuid(), os.getgroups(), os.listdir(), os.getcwd(), oct(os.stat('.').st_mode))"
    first, second = (told(sandbox, look, "import os") for _ in range(2))
    assert first[0] != second[0]
    assert len(set(first[0])) == 1
    assert first[0][0] >= 200_000
    assert first[1:3] == ([], [])
    assert first[3] == f"/course/work/{first[0][0]}"
    assert first[4] == oct(0o40700)


@needs_sandbox
def test_its_limits_are_the_kernel_s(sandbox):
    look = "[resource.getrlimit(kind) for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE)]"
    file, processes, core = told(sandbox, look, "import resource")
    assert file == (LIMITS.file, LIMITS.file)
    assert level != SANDBOX or processes == (LIMITS.processes, LIMITS.processes)
    assert core == (0, 0)
    assert "Error" in told(
        sandbox, "kind", "try:\n    bytearray(2**30)\nexcept MemoryError as error:\n    kind = 'MemoryError'"
    )


@needs_sandbox
def test_memory_that_no_limit_counts_cannot_be_had(sandbox):
    shared = "import mmap\n\nmmap.mmap(-1, 4096)"
    assert "Cannot allocate memory" in run(sandbox, shared)
    assert "Function not implemented" in run(sandbox, "import os\n\nos.memfd_create('x')")
    assert "No such device" in run(sandbox, "import mmap, os\n\nmmap.mmap(os.open('/dev/zero', os.O_RDWR), 4096)")
    assert told(sandbox, "open('/dev/zero', 'rb').read(3)") == b"\x00\x00\x00"
    assert told(sandbox, "len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))", "import mmap") == 4096


@needs_sandbox
def test_honest_programs_have_processes_threads_and_pools(sandbox):
    pool = "import concurrent.futures as futures, multiprocessing, subprocess"
    assert told(sandbox, "list(futures.ThreadPoolExecutor(4).map(abs, [-1, -2]))", pool) == [1, 2]
    assert told(sandbox, "multiprocessing.get_context('fork').Pool(2).map(abs, [-1, -2])", pool) == [1, 2]
    assert told(sandbox, "subprocess.run(['echo', 'yes'], capture_output=True, text=True).stdout", pool) == "yes\n"
    assert told(sandbox, "get_ipython().getoutput('echo yes')[0]") == "yes"


@needs_sandbox
def test_keras_is_not_imported_only_to_set_its_seed(sandbox):
    connection = sandbox.fork()
    with connection:
        peer = Peer(Channel(connection, deadline=time.monotonic() + 30), ())
        peer.request("seed", 3)
        reply = peer.request(
            "run",
            "import sys\nimport numpy as np\nraise ValueError(f\"{'keras' in sys.modules} {np.random.random()}\")",
        )
        peer.request("seed", 3)
        again = peer.request("run", "raise ValueError(f\"{'keras' in sys.modules} {np.random.random()}\")")
    sandbox.end()
    assert reply["message"].startswith("False")
    assert reply["message"] == again["message"]


@needs_sandbox
def test_what_was_written_is_gone_however_it_was_guarded(sandbox):
    mess = """
import os
for place in ("/tmp", "/dev/shm", "."):
    os.makedirs(f"{place}/a/b/c")
    open(f"{place}/a/b/c/file", "w").close()
    os.symlink("/", f"{place}/link")
    for folder in ("a/b/c", "a/b", "a"):
        os.chmod(f"{place}/{folder}", 0)
"""
    first = sandbox.process.pid
    run(sandbox, mess)
    places = "('/tmp', '/dev/shm', '.')"
    left = f"[entry.path for place in {places} for entry in os.scandir(place) if os.lstat(entry).st_uid]"
    assert told(sandbox, left, "import os") == []
    assert sandbox.process.pid == first  # without a new sandbox, which costs seconds


@needs_sandbox
def test_where_wiping_takes_too_long_a_new_sandbox_takes_over(sandbox):
    first = sandbox.process.pid
    run(sandbox, "import os\nfor _ in range(3000):\n    os.mkdir('x')\n    os.chdir('x')")
    assert told(sandbox, "os.listdir('/course/work') == [os.path.basename(os.getcwd())]", "import os")
    assert sandbox.process.pid != first


@needs_sandbox
def test_how_the_process_ended_is_told(sandbox):
    for source, end in (("import os; os._exit(0)", "exit"), ("import os; os.kill(os.getpid(), 9)", "signal 9")):
        with sandbox.fork() as connection, contextlib.suppress(WireError):
            Peer(Channel(connection, deadline=time.monotonic() + 30), ()).request("run", source)
        assert sandbox.end()[0] == end


@needs_sandbox
def test_ctrl_c_to_a_process_that_has_ended_does_no_harm(sandbox):
    connection = sandbox.fork()
    with connection, contextlib.suppress(WireError):
        Peer(Channel(connection, deadline=time.monotonic() + 30), ()).request("run", "import os; os._exit(0)")
    time.sleep(0.5)
    sandbox.interrupt()
    sandbox.end()
    assert told(sandbox, "1") == 1


@needs_sandbox
def test_all_of_it_ends_with_the_sandbox():
    with small_sandbox() as other:
        connection = other.fork()
        Peer(Channel(connection, deadline=time.monotonic() + 30), ()).request(
            "run", "import os\nif os.fork() == 0: os.setsid()"
        )
        number = other.process.pid
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and _children(number):
        time.sleep(0.05)
    assert not _children(number)
    channel = Channel(connection, deadline=time.monotonic() + 5)
    with connection, pytest.raises(WireError):
        _receive_all(channel)  # the fork may have answered, too


def _receive_all(channel):
    while True:
        channel.receive()


def _children(parent):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if int(pathlib.Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(name)
    return found


@needs_sandbox
def test_a_sandbox_that_cannot_start_says_so(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Sandbox(level, LIMITS, MODULES) as broken, pytest.raises(SandboxError, match="does not start"):
        broken.wait()


# --- the levels -----------------------------------------------------------------------------------------------------


def test_a_sandbox_is_chosen_where_there_is_one(monkeypatch):
    monkeypatch.setattr(isolation, "best_isolation", lambda: (SANDBOX, ""))
    assert isolation.choose_isolation(None) == SANDBOX
    assert isolation.choose_isolation(SHARED_USER) == SHARED_USER
    assert isolation.choose_isolation(PROCESS) == PROCESS
    monkeypatch.setattr(isolation, "best_isolation", lambda: (SHARED_USER, "only root"))
    assert isolation.choose_isolation(None) == SHARED_USER
    with pytest.raises(CourseError, match="only root"):
        isolation.choose_isolation(SANDBOX)


def test_without_a_sandbox_the_process_level_must_be_asked_for_by_name(monkeypatch):
    monkeypatch.setattr(isolation, "best_isolation", lambda: (PROCESS, "bubblewrap is not installed."))
    with pytest.raises(CourseError, match="not installed"):
        isolation.choose_isolation(None)
    assert isolation.choose_isolation(PROCESS) == PROCESS
    with pytest.raises(CourseError, match="no isolation 'jail'"):
        isolation.choose_isolation("jail")


@pytest.mark.parametrize(("platform", "reason"), [("darwin", "darwin"), ("linux", "not installed")])
def test_what_is_missing_is_said(monkeypatch, platform, reason):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(isolation.shutil, "which", lambda name: None)
    best, told = isolation.best_isolation.__wrapped__()
    assert best == PROCESS
    assert reason in told


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is looked at")
def test_the_process_level_grades_and_kills_what_is_left():
    with small_sandbox(Limits(cell=20, total=60), PROCESS) as running:
        small_set()
        judgement = judge(running, **solutions())
        assert points(judgement) == sum(verdict.possible for verdict in judgement.verdicts)
        left = judge(
            running, scale="import os, time\n\nif os.fork() == 0:\n    time.sleep(1000)\nopen('left', 'w').close()"
        )
        assert points(left) == 0
        assert not any(pathlib.Path(running.folder.name, "work").iterdir())
        folder = running.folder.name
    assert not os.path.exists(folder)


@needs_sandbox
@pytest.mark.skipif(level == SHARED_USER, reason="all tests here run with one user already")
def test_a_sandbox_with_one_user_hides_the_first_process():
    # as root, bubblewrap makes a user namespace, too, where that is allowed
    command = [*isolation._isolate(SHARED_USER), *isolation._bind_system(), "--", "/bin/true"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no user namespace can be made here")
    with small_sandbox(isolation=SHARED_USER) as running:
        assert told(running, "os.listdir('/course/work') != []", "import os")
        assert "Permission" in run(running, "open('/proc/1/mem', 'r+b')")
        run(
            running,
            "import os, signal\nfor number in range(1, 65):\n    try: os.kill(1, number)\n    except OSError: pass",
        )
        assert points(judge(running, **solutions())) == 20


def test_the_control_socket_takes_no_more_than_a_message():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        running = Sandbox(PROCESS, LIMITS, MODULES)
        running.control = ours
        with pytest.raises(SandboxError, match=r"no answer in 0\.1 s"):
            running._answer(0.1)
        theirs.close()
        with pytest.raises(SandboxError):
            running._answer(1)
