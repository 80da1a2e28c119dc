"""Too much of everything. The limits are the sandbox's; the machine must not notice."""

from attack import Attack, attack

SURVIVED = {"failed", "error", "crash", "memory", "timeout", "not run"}


def use_up(why: str, source: str, then: str = "") -> Attack:
    return attack(why, source, then, SURVIVED)


ATTACKS: dict[str, Attack] = {
    "fork_bomb": use_up(
        "Processes that start processes, until there are no more to be had.",
        """
        import os

        while True:
            try:
                os.fork()
            except BaseException:
                pass
        """,
    ),
    "thread_bomb": use_up(
        "Threads without an end.",
        """
        import threading, time

        while True:
            threading.Thread(target=time.sleep, args=(1000,)).start()
        """,
    ),
    "memory_bomb": use_up(
        "Memory of the process's own: more is refused.",
        """
        hoard = []
        while True:
            hoard.append(bytearray(16 * 2**20))
        """,
    ),
    "memory_in_many_processes": use_up(
        "Each of many processes takes what one may have.",
        """
        import os, time

        for _ in range(8):
            if os.fork() == 0:
                hoard = bytearray(b"x") * (200 * 2**20)
                time.sleep(1000)
        time.sleep(1000)
        """,
    ),
    "shared_memory_bomb": use_up(
        "Memory that is shared, which the limit of a process does not count.",
        """
        import mmap

        hoard = []
        for _ in range(128):
            hoard.append(mmap.mmap(-1, 16 * 2**20))
            hoard[-1].write(b"x" * (16 * 2**20))
            hoard[-1].madvise(mmap.MADV_DONTNEED)  # no process has it any more, and it is still there
        raise SystemExit("FOUND 2 GB that nobody counts")
        """,
    ),
    "memory_behind_dev_zero": use_up(
        "The same through /dev/zero.",
        """
        import mmap, os

        hoard = []
        for _ in range(128):
            hoard.append(mmap.mmap(os.open("/dev/zero", os.O_RDWR), 16 * 2**20))
            hoard[-1].write(b"x" * (16 * 2**20))
            hoard[-1].madvise(mmap.MADV_DONTNEED)
        raise SystemExit("FOUND 2 GB that nobody counts")
        """,
    ),
    "memfd_bomb": use_up(
        "Files in memory that no folder holds.",
        """
        import os

        for number in range(128):
            handle = os.memfd_create(str(number))
            os.write(handle, b"x" * (16 * 2**20))
        raise SystemExit("FOUND 2 GB that nobody counts")
        """,
    ),
    "page_table_bomb": use_up(
        "Pages that are only read take no memory; the tables that say where they are do.",
        """
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        step, count = 2**21, 0
        while count < 400_000:
            base = libc.mmap(None, ctypes.c_size_t(step * 1024), 1, 0x4022, -1, ctypes.c_size_t(0))
            if base in (None, 2**64 - 1):
                break
            for page in range(1024):
                ctypes.c_byte.from_address(base + page * step).value
            count += 1024
        if count > 300_000:
            raise SystemExit("FOUND more than a gigabyte of tables")
        """,
    ),
    "files_in_memory": use_up(
        "The folders that can be written are full.",
        """
        for place in ("/dev/shm", "/tmp", "."):
            for number in range(200):
                try:
                    with open(f"{place}/{number}", "wb") as file:
                        file.write(b"x" * (15 * 2**20))
                except OSError:
                    break
        """,
    ),
    "one_large_file": use_up(
        "One file that grows.",
        """
        import os

        with open("large", "wb") as file:
            for _ in range(1000):
                file.write(b"x" * 2**20)
        """,
    ),
    "many_files": use_up(
        "Files without contents: each takes memory, and time to remove.",
        """
        number = 0
        while True:
            number += 1
            open(f"/tmp/{number:x<200}", "w").close()
        """,
    ),
    "deep_folders": use_up(
        "Folders within folders, deeper than a path can be long.",
        """
        import os

        for _ in range(3000):
            os.mkdir("x" * 100)
            os.chdir("x" * 100)
        """,
    ),
    "output_flood": use_up(
        "Output without an end, through Python, past it, and from a child.",
        """
        import os, sys

        os.system("timeout 1 yes")
        while True:
            print("x" * 10**6)
            print("x" * 10**6, file=sys.stderr)
            os.write(1, b"x" * 10**6)
            os.write(2, b"x" * 10**6)
            display("x" * 10**6)
        """,
    ),
    "descriptors": use_up(
        "All descriptors and pipes that can be had, each full.",
        """
        import os, socket

        hoard = []
        for kind in (os.pipe, socket.socketpair) * 400:
            try:
                hoard.append(kind())
            except OSError:
                break
        """,
    ),
    "busy_threads": use_up(
        "More work than there are cores.",
        """
        import os

        for _ in range(20):
            if os.fork() == 0:
                while True:
                    pass
        """,
    ),
    "stops_itself": use_up(
        "The process stops, and so answers nothing.",
        """
        import os, signal

        os.kill(os.getpid(), signal.SIGSTOP)
        """,
    ),
    "ends_in_a_cell": Attack(
        "os._exit in a cell, and in each one after it.",
        {name: "import os\n\nos._exit(0)" for name in ("scale", "countdown", "batches", "twice", "shuffle")},
        ends=frozenset(SURVIVED),
    ),
    "crashes_in_a_cell": use_up("The interpreter itself crashes.", "import ctypes\n\nctypes.string_at(0)"),
    "regular_expression": use_up(
        "A step of C code that takes for ever, and hears no Ctrl-C.",
        """
        import re

        re.match("(a|a)*$", "a" * 60 + "b")
        """,
    ),
}
