"""Ways out of the sandbox, and what is to be seen from within."""

import pathlib

from attack import Attack, attack

SOLUTIONS = pathlib.Path(__file__).resolve().parents[2] / "solutions"
CALL = """
import ctypes, errno, os, platform

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    if platform.machine() != "x86_64":
        return -1
    return libc.syscall(number, *[ctypes.c_long(part) if isinstance(part, int) else part for part in arguments])
"""

ATTACKS: dict[str, Attack] = {
    "kills": attack(
        "All processes are killed, the first one by name.",
        """
        import os, signal

        for number in (1, os.getppid(), 0, -1):
            for kind in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGSEGV):
                try:
                    if number == 0:
                        signal.signal(kind, signal.SIG_IGN)
                    os.kill(number, kind)
                except OSError:
                    pass
        """,
        ends={"failed", "error", "crash"},
    ),
    "traces": attack(
        "The first process is traced, and its memory read and written.",
        CALL
        + """
for request in (0, 16, 0x4206):
    if call(101, request, 1, 0, 0) == 0:
        raise SystemExit("FOUND that ptrace works")
buffer = ctypes.create_string_buffer(64)
for number in (310, 311):
    if call(number, 1, ctypes.byref(buffer), 1, ctypes.byref(buffer), 1, 0) >= 0:
        raise SystemExit("FOUND another process's memory")
for name in ("mem", "environ", "maps", "fd", "root", "cwd", "stack", "syscall", "auxv"):
    for flags in (os.O_RDONLY, os.O_RDWR):
        try:
            os.listdir("/proc/1/" + name) if name in ("fd", "root", "cwd") else os.open("/proc/1/" + name, flags)
        except OSError:
            continue
        raise SystemExit("FOUND /proc/1/" + name)
""",
    ),
    "other_processes": attack(
        "No process but the first and its own is to be seen, and no command line tells of a course.",
        """
        import os

        for name in filter(str.isdigit, os.listdir("/proc")):
            command = open(f"/proc/{name}/cmdline").read()
            if int(name) not in (1, os.getpid()) or "solutions" in command or "pytest" in command:
                raise SystemExit("FOUND " + command)
        """,
    ),
    "reads_the_course": attack(
        "Solutions, hidden tests, other hand-ins, the gradebook and the audit log are nowhere in the file system.",
        """
        import os

        names = {"solutions", "gradebook.db", "audit.jsonl", "hand_ins", "submitted", "grades", "autograded", ".ssh"}
        skipped = ("/proc", "/usr", "/sys", "/lib")
        for folder, folders, files in os.walk("/"):
            if folder.startswith(skipped) or "site-packages" in folder:
                folders.clear()
            if names & {*folders, *files} or any(name.endswith(".ipynb") for name in files):
                raise SystemExit("FOUND " + folder)
        for place in ("SOLUTIONS", "/etc/shadow", "/etc/passwd", "/run", "/var"):
            if os.path.exists(place):
                raise SystemExit("FOUND " + place)
        """.replace("SOLUTIONS", str(SOLUTIONS)),
    ),
    "environment": attack(
        "Variables tell nothing of the machine or of who grades.",
        """
        import os

        known = {"PATH", "HOME", "PWD", "PYTHONPATH", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED",
                 "NBGRADER_EXECUTION", "MPLBACKEND", "TF_CPP_MIN_LOG_LEVEL", "COURSE_DATA", "KERAS_BACKEND", "LANG",
                 "TZ",
                 "CONTROL", "OWN_USERS", "LC_CTYPE", "SHLVL", "OLDPWD", "KERAS_HOME"}
        libraries = ("TF", "MKL", "KMP")
        more = {name for name in os.environ if name not in known and not any(part in name for part in libraries)}
        if more:
            raise SystemExit("FOUND " + repr(more))
        """,
    ),
    "symlinks": attack(
        "Links out of the folder lead to what is not there, and are removed as links.",
        """
        import os

        targets = ["/", "/etc", "/etc/shadow", "/proc/1/root", "/course/grading", "/work", "../.."]
        for number, target in enumerate(targets):
            os.symlink(target, f"/tmp/link{number}")
            os.symlink(target, f"link{number}")
        for place in ("/tmp/link2", "/tmp/link3/etc/hostname", "/tmp/link5/main/solutions", "link3/tmp"):
            if os.path.exists(place):
                raise SystemExit("FOUND " + place)
        """,
        then="import os, grading.wire\n\nassert os.path.exists('/course/grading/wire.py')\n"
        "if any(os.lstat(entry).st_uid for entry in os.scandir('/tmp')): raise SystemExit('FOUND links')",
    ),
    "network": attack(
        "There is no network: no address, no name server, no metadata of a cloud, nothing on this machine.",
        """
        import os, socket

        socket.setdefaulttimeout(0.3)
        for address in (("8.8.8.8", 53), ("1.1.1.1", 443), ("169.254.169.254", 80), ("10.0.0.1", 22), ("127.0.0.1", 22),
                        ("127.0.0.1", 8888)):
            try:
                socket.create_connection(address)
            except OSError:
                continue
            raise SystemExit(f"FOUND {address}")
        try:
            socket.getaddrinfo("example.com", 80)
            raise SystemExit("FOUND a name server")
        except OSError:
            pass
        if any(name != "lo" for _, name in socket.if_nameindex()):
            raise SystemExit("FOUND an interface")
        """,
    ),
    "sockets_of_other_kinds": attack(
        "Netlink, raw packets, kernel crypto and Bluetooth; sockets of the machine by name or in the abstract.",
        """
        import socket

        for family in (16, 17, 31, 38, 40, 44):
            for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
                try:
                    socket.socket(family, kind)
                except OSError:
                    continue
                raise SystemExit(f"FOUND family {family}")
        places = [line.split()[7] for line in open("/proc/net/unix").readlines()[1:] if len(line.split()) > 7]
        places += ["/run/docker.sock", "/var/run/docker.sock", "/run/systemd/private", "/run/dbus/system_bus_socket"]
        for place in places:
            name = "\\0" + place[1:] if place.startswith("@") else place
            try:
                socket.socket(socket.AF_UNIX).connect(name)
            except OSError:
                continue
            raise SystemExit("FOUND " + place)
        """,
    ),
    "socket_for_the_next": attack(
        "A server in the abstract names and on a port, for the next submission to talk to.",
        """
        import os, socket, time

        server, port = socket.socket(socket.AF_UNIX), socket.socket()
        server.bind("\\0stash")
        server.listen()
        port.bind(("127.0.0.1", 7777))
        port.listen()
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
        """,
        then="""
        import socket

        for family, address in ((socket.AF_UNIX, "\\0stash"), (socket.AF_INET, ("127.0.0.1", 7777))):
            try:
                socket.socket(family).connect(address)
            except OSError:
                continue
            raise SystemExit("FOUND the server")
        """,
    ),
    "namespaces": attack(
        "New namespaces, in which one would be root.",
        CALL
        + """
for flags in (0x10000000, 0x10020000, 0x20000000, 0x40000000, 0x00020000, 0x02000000):
    if libc.unshare(flags) == 0:
        raise SystemExit(f"FOUND that unshare works with {flags:x}")
    number = call(56, flags | 17, 0, 0, 0, 0)
    if number == 0:
        os._exit(0)
    if number > 0:
        raise SystemExit(f"FOUND that clone works with {flags:x}")
if call(435, ctypes.byref(ctypes.create_string_buffer(88)), 88) >= 0:
    raise SystemExit("FOUND that clone3 works")
if os.system("unshare -Ur true 2>/dev/null") == 0:
    raise SystemExit("FOUND that unshare works")
""",
    ),
    "becomes_root": attack(
        "Other users, programs that run as root, capabilities.",
        CALL
        + """
import shutil, subprocess

for become in (os.setuid, os.setgid, os.seteuid, os.setegid):
    try:
        become(0)
    except OSError:
        continue
    raise SystemExit("FOUND that one can become root")
shutil.copy("/bin/sh", "/tmp/shell")
os.chmod("/tmp/shell", 0o6755)
programs = ["su -c id", "sudo -n id", "mount -t tmpfs none /tmp", "/tmp/shell -p -c id", "passwd -d root"]
programs += ["newgrp root -c id"]
for program in programs:
    run = subprocess.run(program, shell=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if "uid=0" in run.stdout or (run.returncode == 0 and "id" not in program):
        raise SystemExit("FOUND " + program)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
if int(status["CapEff"], 16) or int(status["CapPrm"], 16) or int(status["CapAmb"], 16) or "0" in status["Uid"].split():
    raise SystemExit("FOUND capabilities")
if status["NoNewPrivs"].strip() != "1" or status["Seccomp"].strip() != "2":
    raise SystemExit("FOUND no filter")
""",
    ),
    "limits": attack(
        "Limits are raised, the process's own and those of others.",
        CALL
        + """
import resource

for name in ("NPROC", "DATA", "FSIZE", "NOFILE", "CPU"):
    kind = getattr(resource, "RLIMIT_" + name)
    try:
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
    else:
        raise SystemExit("FOUND that limits can be raised")
    try:
        resource.prlimit(1, kind, (0, 0))
    except OSError:
        continue
    raise SystemExit("FOUND that the first process can be limited")
try:
    os.nice(-10)
    raise SystemExit("FOUND a higher priority")
except OSError:
    pass
""",
    ),
    "rare_calls": attack(
        "System calls that reach other processes or parts of the kernel that are rarely tried.",
        CALL
        + """
calls = {"personality": (135, 0x0040000), "mount": (165, 0, 0, 0, 0, 0), "chroot": (161, b"/"), "bpf": (321, 0, 0, 0),
         "perf": (298, 0, 0, 0, 0, 0), "userfaultfd": (323, 0), "io_uring": (425, 1, 0), "keyctl": (250, 0, -3, 0),
         "add_key": (248, b"user", b"x", b"y", 1, -3), "setns": (308, 0, 0), "pidfd_getfd": (438, 0, 0, 0),
         "open_by_handle": (304, 0, 0, 0), "kexec": (246, 0, 0, 0, 0), "reboot": (169, 0, 0, 0, 0),
         "swapon": (167, b"x", 0),
         "iopl": (172, 3), "syslog": (103, 3, 0, 0), "fsopen": (430, b"tmpfs", 0), "move_mount": (429, 0, 0, 0, 0, 0)}
for name, arguments in calls.items():
    ctypes.set_errno(0)
    if call(*arguments) >= 0 or (ctypes.get_errno() != errno.EPERM and platform.machine() == "x86_64"):
        raise SystemExit(f"FOUND {name}: {ctypes.get_errno()}")
""",
    ),
    "old_calls": Attack(
        "System calls of 32-bit programs, which a filter for 64 bits would not know.",
        {
            "scale": """
import ctypes, mmap, os, platform

if platform.machine() == "x86_64":
    code = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("53b81a000000bb0000000031c931d231f6cd805bc3"))  # ptrace(TRACEME) by int 0x80
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    result = ctypes.CFUNCTYPE(ctypes.c_long)(address)()
    if result == 0:
        raise SystemExit("FOUND that 32-bit calls are not filtered")
""",
        },
        ends=frozenset({"failed", "error", "crash"}),
    ),
    "memory_for_the_next": attack(
        "System V and POSIX memory, queues and semaphores, which live longer than a process.",
        CALL
        + """
for number, arguments in ((29, (7, 4096, 0o1666)), (64, (7, 1, 0o1666)), (68, (7, 0o1666))):
    if call(number, *arguments) >= 0:
        raise SystemExit("FOUND memory that outlives a submission")
if call(240, b"stash", 0o102, 0o666, 0) >= 0:
    raise SystemExit("FOUND a queue that outlives a submission")
open("/dev/shm/sem.stash", "w").close()
""",
        then="""
        import os

        if os.listdir("/dev/shm") or len(open("/proc/sysvipc/shm").readlines()) > 1:
            raise SystemExit("FOUND what was left")
        """,
    ),
    "daemon": attack(
        "A process that leaves its session and its parents, and hears no signal.",
        """
        import os, signal, time

        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in range(1, 65):
                    try:
                        signal.signal(number, signal.SIG_IGN)
                    except (OSError, ValueError):
                        pass
                os.closerange(0, 4096)
                while True:
                    try:
                        open("/tmp/stash", "a").write("still here")
                        time.sleep(0.01)
                    except BaseException:
                        pass
            os._exit(0)
        """,
        then="""
        import os, time

        time.sleep(0.1)
        others = {int(name) for name in os.listdir("/proc") if name.isdigit()} - {1, os.getpid()}
        if os.path.exists("/tmp/stash") or others:
            raise SystemExit("FOUND the daemon")
        """,
    ),
    "always_a_new_process": attack(
        "A process that is a new one at each moment, so that who kills it comes too late.",
        """
        import os

        if os.fork() == 0:
            os.setsid()
            os.closerange(0, 4096)
            while True:
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    pass
        """,
        then="""
        import os, time

        time.sleep(0.1)
        if [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]:
            raise SystemExit("FOUND the process")
        """,
    ),
    "files_that_stay": attack(
        "Folders without rights, names of every kind, links and pipes, so that to remove them would fail.",
        r"""
        import os

        for place in ("/tmp", "/dev/shm", "."):
            os.makedirs(place + "/a/b/c")
            open(place + "/a/b/c/stash", "w").close()
            for name in (b"-rf", b"*", b"\n", b"\xff\xfe", b" ", b"..." , "ß".encode() * 100, b"x" * 255):
                open(place.encode() + b"/" + name, "w").close()
            os.mkfifo(place + "/pipe")
            os.symlink("loop", place + "/loop")
            os.link(place + "/a/b/c/stash", place + "/hard")
            os.chmod(place + "/a/b/c/stash", 0)
            for folder in ("/a/b/c", "/a/b", "/a"):
                os.chmod(place + folder, 0)
        for place in ("/tmp", "/dev/shm", "/course/work", "/course", "/"):
            try:
                os.chmod(place, 0)
            except OSError:
                continue
            raise SystemExit("FOUND that " + place + " can be taken away")
        """,
        then="""
        import os

        left = [entry for entry in os.scandir("/tmp") if entry.stat(follow_symlinks=False).st_uid]
        if left or os.listdir("/dev/shm") or len(os.listdir("/course/work")) > 1:
            raise SystemExit("FOUND files")
        """,
    ),
}
