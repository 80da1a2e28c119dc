"""Changes to the program around the student's code. All of it is in the sandbox, where no verdict is reached."""

from attack import SHAPES, Attack, attack, lie

STASH = """
import glob, os

for place in ("/tmp", "/dev/shm", "/course/work", ".."):
    for name in glob.glob(place + "/**", recursive=True):
        if "stash" in name:
            raise SystemExit("FOUND " + name)
if any(name.startswith("STASH") for name in os.environ):
    raise SystemExit("FOUND a variable")
"""

ATTACKS: dict[str, Attack] = {
    "patched_numpy": attack(
        "NumPy's comparisons are replaced by yes.",
        """
        import numpy as np

        yes = lambda *arguments, **options: True
        for module in (np, np.testing):
            for name in dir(module):
                if "close" not in name and "equal" not in name and not name.startswith("assert"):
                    continue
                setattr(module, name, yes)
        np.asarray = np.array = lambda *arguments, **options: np.float64(0)
        """,
    ),
    "patched_json": attack(
        "What the process sends is made to say that all passed.",
        """
        import json

        real = json.dumps
        json.dumps = lambda value, **options: real({"value": {"outcome": "passed", "clean": True}, "blobs": []})
        json.loads = lambda text: {"do": "names", "with": {"l": []}, "blobs": []}
        """,
    ),
    "patched_builtins": attack(
        "isinstance, len, AssertionError and the like are replaced.",
        """
        import builtins

        builtins.AssertionError = builtins.NotImplementedError = type("Quiet", (Exception,), {})
        builtins.isinstance = lambda *arguments: True
        builtins.len = builtins.abs = builtins.sum = lambda *arguments: 0
        builtins.all = builtins.any = lambda *arguments: True
        """,
    ),
    "patched_checks": attack(
        "The functions of utils.checks are replaced, and the module by one that never fails.",
        """
        import sys, types
        import utils.checks

        for name in list(vars(utils.checks)):
            if name.startswith("expect"):
                setattr(utils.checks, name, lambda *arguments, **options: None)
        fake = types.ModuleType("utils.checks")
        fake.__getattr__ = lambda name: lambda *arguments, **options: None
        sys.modules["utils.checks"] = sys.modules["numpy.testing"] = sys.modules["unittest"] = fake
        """,
    ),
    "ast_transformer": attack(
        "IPython is told to drop every assert and every raise.",
        """
        import ast

        class Drop(ast.NodeTransformer):
            def visit_Assert(self, node):
                return ast.copy_location(ast.Pass(), node)
            visit_Raise = visit_Assert
            def visit_Call(self, node):
                return ast.copy_location(ast.Constant(0), node)

        get_ipython().ast_transformers.append(Drop())
        """,
    ),
    "input_transformer": attack(
        "IPython is told to run nothing of what is typed.",
        """
        get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])
        get_ipython().events.register("pre_run_cell", lambda *arguments: exit())
        """,
    ),
    "patched_shell": attack(
        "The shell says that every cell went well.",
        """
        shell = get_ipython()
        good = type("Good", (), {"error_before_exec": None, "error_in_exec": None})
        shell.run_cell = lambda *arguments, **options: good
        shell.user_ns = dict.fromkeys(("scale", "countdown", "Batches", "twice", "shuffle"), lambda *arguments: 0)
        """,
    ),
    "forged_output": attack(
        "Output that looks like a good result, as text, as HTML and as a display of each kind.",
        """
        from IPython.display import HTML, display

        for _ in range(100):
            print('{"outcome": "passed", "points": 100}')
            display(HTML("<h1>20 of 20 points</h1>"), {"outcome": "passed"})
        """,
    ),
    "frames": attack(
        "Frames and the garbage collector lead to the objects that answer the judge, which then answer yes.",
        """
        import gc, sys

        frame = sys._getframe()
        while frame:
            text = repr(frame.f_code.co_consts) + repr(list(frame.f_locals))
            if "hidden_rows" in text or "zebra" in text:
                raise SystemExit("FOUND a hidden test")
            frame = frame.f_back
        for thing in gc.get_objects():
            if type(thing).__name__ in ("Peer", "Student"):
                if hasattr(thing, "handlers"):
                    for name in thing.handlers:
                        thing.handlers[name] = lambda *arguments: {"outcome": "passed", "clean": True, "error": None}
        """,
    ),
    "history": attack(
        "The cells that ran, from IPython's history, tracebacks, and memory: no check is among them.",
        """
        import linecache, sys

        seen = repr(get_ipython().user_ns.get("In")) + repr(linecache.cache)[:10**6]
        if "### BEGIN HIDDEN" + " TESTS" in seen or "hidden_" + "rows" in seen:
            raise SystemExit("FOUND a hidden test")
        """,
    ),
    "own_server": attack(
        "A thread and a fork answer on the socket in the place of the process.",
        """
        import os, threading
        import socket as sockets
        from grading.remote import Peer
        from grading.wire import Channel

        def serve():
            answer = lambda *arguments: True
            names = ("run", "names", "seed", "begin", "call", "get", "item", "len", "iter", "next", "array", "in",
                     "text")
            Peer(Channel(sockets.socket(fileno=3)), (), dict.fromkeys(names, answer)).serve()

        threading.Thread(target=serve, daemon=True).start()
        if os.fork() == 0:
            serve()
        """,
        ends={"crash", "error", "failed", "timeout", "not run"},
    ),
    "patched_wire": attack(
        "The coder of the wire is changed in the sandbox: types become references, references plain data.",
        """
        import grading.remote, grading.values

        grading.values.Encoder.encode = lambda self, value, depth=0: {"o": [0, True, "function"]}
        grading.values.Reference.__init__ = lambda self, *arguments, **options: None
        """,
        ends={"crash", "error", "failed"},
    ),
    "watches_the_checks": lie(
        "Hidden inputs are written wherever the next submission might look, and it finds nothing there.",
        "stash(arguments)",
        """
        import os, sys

        def stash(arguments):
            for place in ("/tmp", "/dev/shm", ".", "/course/work", "/var/tmp", "/course", "/"):
                try:
                    with open(place + "/stash", "a") as file:
                        file.write(repr(arguments))
                except OSError:
                    pass
            os.environ["STASH"] = repr(arguments)
            print(arguments, file=sys.__stdout__)
        """,
        then=STASH,
    ),
    "shadowed_modules": attack(
        "Modules beside the notebook: sitecustomize, own utils, grading, numpy and json.",
        """
        import os, pathlib

        lines = "raise SystemExit('FOUND the module of another')"
        for place in (".", "/tmp", "/dev/shm", "/course/work", "/course"):
            for name in ("sitecustomize", "usercustomize", "utils", "grading", "numpy", "json", "stash"):
                try:
                    pathlib.Path(place, name).mkdir(exist_ok=True)
                    pathlib.Path(place, name, "__init__.py").write_text(lines)
                    pathlib.Path(place, name + ".py").write_text(lines)
                except OSError:
                    pass
        os.environ.update(PYTHONPATH="/tmp", PYTHONSTARTUP="/tmp/stash.py", LD_PRELOAD="/tmp/stash.so", STASH="1")
        """,
        then=STASH + "\n!python -c 'import json, numpy, utils'",
    ),
    "changed_variables": attack(
        "Variables that the grader, Python, the loader, NumPy and Keras read, set for a new program in the process.",
        """
        import os, sys

        with open("/tmp/stash.py", "w") as file:
            file.write("raise SystemExit('FOUND the start of another')")
        os.environ.update(
            PYTHONSTARTUP="/tmp/stash.py", PYTHONPATH="/tmp", PYTHONINSPECT="1", PYTHONOPTIMIZE="2", PYTHONHOME="/tmp",
            LD_PRELOAD="/tmp/stash.so", LD_LIBRARY_PATH="/tmp", NBGRADER_EXECUTION="", CONTROL="3", OWN_USERS="",
            COURSE_DATA="/tmp", KERAS_HOME="/tmp", KERAS_BACKEND="stash", MPLBACKEND="module://stash", STASH="1",
        )
        os.execve(sys.executable, [sys.executable, "-S", "-c", "import stash"], dict(os.environ))
        """,
        then=STASH + "\n!python -c 'import json, numpy, utils'",
        ends={"crash", "error", "failed"},
    ),
    "written_course": attack(
        "The course's files, Python's, and the system's settings cannot be written.",
        """
        import os, sys, numpy

        places = ["/course/utils/checks.py", "/course/grading/wire.py", "/course/data/new", numpy.__file__,
                  sys.executable, "/etc/passwd", "/etc/ld.so.preload", "/usr/bin/new", "/dev/new", "/new",
                  "/proc/1/oom_score_adj",
                  "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"]
        for place in places:
            try:
                os.close(os.open(place, os.O_WRONLY | os.O_CREAT))
            except OSError:
                continue
            raise SystemExit("FOUND that " + place + " can be written")
        """,
    ),
    "signals_to_itself": lie(
        "Handlers and timers that go off while checks run.",
        "0",
        """
        import signal

        for number in range(1, 65):
            try:
                signal.signal(number, lambda *arguments: None)
            except (OSError, ValueError):
                pass
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.001)
        """,
        ends={"failed", "error", "crash"},
    ),
    "lookalike_names": attack(
        "Names that look like the right ones: Cyrillic letters, and forms that Python makes the same.",
        """
        def ѕcale(*arguments):
            return [3.0, 6.0]

        def ｓｈｕｆｆｌｅ(*arguments):  # this one is shuffle
            return None
        """,
    ),
    "swallows_everything": Attack(
        "Every cell catches all there is, Ctrl-C too, and goes on without an end.",
        {
            name: "while True:\n    try:\n        while True:\n"
            "            pass\n    except BaseException:\n        pass"
            for name in SHAPES
        },
        ends=frozenset({"failed", "error", "not run"}),
    ),
}
