"""Values that claim to be right."""

from attack import Attack, lie

ATTACKS: dict[str, Attack] = {
    "always_equal": lie(
        "An object that says yes to every comparison. Across the wire it is a proxy, which is equal to itself only.",
        "Yes()",
        """
        class Yes:
            __eq__ = __le__ = __ge__ = __lt__ = __gt__ = __contains__ = lambda self, other: True
            __ne__ = lambda self, other: False
            __hash__ = lambda self: 0
            __bool__ = lambda self: True
            __call__ = __getitem__ = __getattr__ = lambda self, *arguments: self
            __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __truediv__ = __abs__ = __round__ = __call__
            __iter__ = lambda self: iter([self] * 3)
            __len__ = lambda self: 3
        """,
    ),
    "always_equal_kinds": lie(
        "Subclasses of list, float, str and int that are equal to everything are copied as what they are underneath.",
        "YES[len(arguments) % 4]",
        """
        same = {"__eq__": lambda self, other: True, "__ne__": lambda self, other: False, "__hash__": lambda self: 0}
        YES = [type("Yes", (kind,), same)() for kind in (list, float, str, int)]
        """,
    ),
    "lying_array": lie(
        "__array__ gives an array of a class whose comparisons are always true; bytes and a shape are what crosses.",
        "Lying()",
        """
        import numpy as np

        class Always(np.ndarray):
            __eq__ = __le__ = lambda self, other: np.ones(self.shape, bool)
            __ne__ = __gt__ = lambda self, other: np.zeros(self.shape, bool)
            __array_ufunc__ = lambda self, *arguments, **options: np.array(0.0)
            __array_function__ = lambda self, *arguments, **options: True

        class Lying:
            shape, dtype, ndim, size = (2,), np.dtype(float), 1, 2
            __array__ = lambda self, *arguments, **options: np.zeros(2).view(Always)
            __array_ufunc__ = lambda self, *arguments, **options: np.array(0.0)
            __array_priority__ = 1e9
        """,
    ),
    "lying_class": lie(
        "__class__ says ndarray, list or float. It fools isinstance in the sandbox, where nothing is decided.",
        "FAKES[len(arguments) % 3]",
        """
        import numpy as np

        def fake(kind):
            body = {"__class__": property(lambda self: kind), "__eq__": lambda self, other: True, "__hash__": None}
            return type(kind.__name__, (), body)()

        FAKES = [fake(kind) for kind in (np.ndarray, list, float)]
        """,
    ),
    "agrees_to_all_attributes": lie(
        "__getattr__ has everything that hasattr asks for, also names of the wire's and of NumPy's protocols.",
        "Agrees()",
        """
        class Agrees:
            def __getattr__(self, name):
                return (lambda *arguments, **options: True) if name.startswith("_") else True
        """,
    ),
    "array_of_liars": lie(
        "An array of objects that are equal to everything: the objects become proxies.",
        "np.array([Yes()] * 12, dtype=object)",
        """
        import numpy as np

        class Yes:
            __eq__ = lambda self, other: True
            __sub__ = __abs__ = __mul__ = lambda self, *other: 0.0
        """,
    ),
    "the_argument_itself": lie(
        "What came is handed back, a function of the check's own among it.",
        "(arguments or tuple(options.values()))[0]",
    ),
    "the_question_changed": Attack(
        "Arguments are changed in place, so that the expected result, computed from them afterwards, fits.",
        {
            "scale": "def scale(values, factor):\n    values[...] = 0\n    return values",
            "batches": "def Batches(rows, size):\n    rows[...] = 0\n    return iter([rows * 0])",
            "shuffle": "def shuffle(rows, rng):\n    rows[:] = range(20)\n    rng.bit_generator.advance(10)",
        },
    ),
    "visible_inputs_only": Attack(
        "The visible inputs are known, and their answers typed in; the hidden part of each check has others.",
        {
            "scale": (
                "import numpy as np\n\ndef scale(values, factor):\n"
                "    if factor == -1:\n        raise ValueError('factor')\n    return np.array([3.0, 6.0])"
            ),
            "countdown": "def countdown(start):\n    return [3, 2, 1]",
            "batches": (
                "class Batches(list):\n    def __init__(self, rows, size):\n"
                "        super().__init__([[1] * 2] * 2 + [[1]])"
            ),
            "twice": "def twice(function, value):\n    return 7",
        },
    ),
    "not_a_number": lie("NaN, which no comparison that is written the wrong way round would reject.", "float('nan')"),
    "booleans": lie("True for every number.", "True"),
    "empty_iterators": lie("A loop over nothing checks nothing.", "iter(())"),
    "strange_lengths": lie(
        "A length that is negative, huge, or no number; iterators that give themselves.",
        "Strange()",
        """
        class Strange:
            lengths = [-1, 10**30, "3", 2.5, None]
            __len__ = lambda self: (self.lengths.append(0), self.lengths.pop(0))[1]
            __iter__ = __next__ = lambda self: self
        """,
        ends={"failed", "error", "timeout", "memory"},
    ),
    "pickles": lie(
        "Bytes that are a pickle with a command in it. Nobody loads them.",
        "pickle.dumps(Command())",
        """
        import os, pickle

        class Command:
            def __reduce__(self):
                return os.system, ("touch /tmp/pickle_was_loaded",)
        """,
    ),
    "holds_itself": lie("A list that holds itself.", "KNOT", "KNOT = []\nKNOT.append(KNOT)"),
    "deep": lie(
        "A list in a list, a hundred thousand times.", "DEEP", "DEEP = []\nfor _ in range(100_000): DEEP = [DEEP]"
    ),
    "huge_results": lie(
        "Results that would fill the judge's memory: long lists, ranges, numbers and arrays.",
        "HUGE[len(arguments) % 5]",
        """
        import numpy as np

        HUGE = [[0] * 3_000_000, range(10**15), 10**20_000, np.broadcast_to(0.0, (40_000, 40_000)), "x" * 60_000_000]
        """,
        ends={"failed", "error", "memory", "crash"},
    ),
    "never_ending_generator": lie(
        "A generator without an end.",
        "endless()",
        "from itertools import count\n\ndef endless():\n    yield from count()",
        ends={"timeout", "failed", "error", "memory", "not run"},
    ),
    "errors_with_names": lie(
        "Errors whose classes are named like Python's own or like the judge's: a name gives no more than that error.",
        "fail()",
        """
        import itertools

        NAMES = itertools.cycle(["AssertionError", "StopIteration", "StudentGone", "GeneratorExit", "KeyboardInterrupt",
                                 "SystemExit", "Passed", "__class__", "exec", "", "BaseExceptionGroup"])

        def fail():
            raise type(next(NAMES), (Exception,), {})("outcome passed")
        """,
        ends={"failed", "error"},
    ),
    "errors_that_cannot_be_shown": lie(
        "Errors whose text raises, is no text, or is without end.",
        "fail()",
        r"""
        class Hostile(ValueError):
            __str__ = __repr__ = lambda self: [][0]

        class Wordy(ValueError):
            __str__ = lambda self: "factor -71.5 \udc80\x00\u202e" * 10_000_000

        def fail(count=[0]):
            count[0] += 1
            raise (Hostile if count[0] % 2 else Wordy)
        """,
        ends={"failed", "error", "memory", "timeout"},
    ),
    "text_without_end": lie(
        "An error whose __str__ never returns.",
        "fail()",
        """
        class Stuck(Exception):
            def __str__(self):
                while True:
                    pass

        def fail():
            raise Stuck
        """,
        ends={"timeout", "not run"},
    ),
    "leaves_in_a_check": lie(
        "sys.exit, KeyboardInterrupt and GeneratorExit where a check calls.",
        "leave(len(arguments))",
        """
        def leave(number):
            raise (SystemExit(0), KeyboardInterrupt(), GeneratorExit())[number % 3]
        """,
        ends={"failed", "error"},
    ),
    "ends_the_process_in_a_check": lie(
        "os._exit(0) where a check calls: success for who looks at exit codes.",
        "__import__('os')._exit(0)",
        ends={"crash"},
    ),
    "callbacks_without_end": Attack(
        "The check's own function is called for ever, and from within itself.",
        {"twice": "def twice(function, value):\n    while True:\n        function(value)"},
        ends=frozenset({"failed", "error", "timeout"}),
    ),
    "endless_recursion": lie(
        "Recursion without a limit, until the stack is used up.",
        "down()",
        "import sys\n\nsys.setrecursionlimit(2**31 - 1)\n\ndef down():\n    return [down() for _ in range(2)]",
        ends={"crash", "error", "memory", "timeout", "not run"},
    ),
}
