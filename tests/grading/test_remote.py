"""What a check can do with a student's names from another process, and what it cannot."""

import contextlib
import socket
import textwrap
import threading
import time

import numpy as np
import pytest

from grading import remote
from grading.remote import Peer, RemoteError, RemoteFunction, RemoteObject
from grading.student import OPERATIONS
from grading.wire import Channel, WireError

JUDGE = ("call", "item", "len", "iter", "next", "in", "array")


class Pair:
    """A student's namespace and a check's, with a socket between them."""

    def __init__(self, source):
        self.ours, self.theirs = socket.socketpair()
        self.space = {"np": np}
        exec(textwrap.dedent(source), self.space)
        handlers = {"names": lambda: {name: value for name, value in self.space.items() if name[0] not in "_n"}}
        self.student = Peer(Channel(self.theirs), OPERATIONS, handlers)
        self.judge = Peer(Channel(self.ours, deadline=time.monotonic() + 30), JUDGE)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with contextlib.suppress(WireError, OSError):
            self.student.serve()

    def names(self):
        return self.judge.request("names")

    def check(self, source):
        """Run a check's code on the student's names; gives its namespace."""
        space = {"np": np, "pytest": pytest, **self.names()}
        exec(textwrap.dedent(source), space)
        return space

    def close(self):
        self.ours.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def pair():
    made = []

    def make(source):
        made.append(Pair(source))
        return made[-1]

    yield make
    for one in made:
        one.close()


# name -> what the student writes, and a check of it
WORKS = {
    "positional arguments": ("def f(a, b): return a - b", "assert f(5, 3) == 2"),
    "keyword arguments": ("def f(a, *, b=1): return a - b", "assert f(a=5, b=3) == 2 and f(5) == 4"),
    "all plain kinds come back": (
        "def f(x): return x",
        """
        for value in (
            None, True, 3, 2.5, 1j, "text", b"bytes", [1], (1, (2,)), {3, 4}, frozenset({5}), {"a": [6]}, range(7),
        ):
            assert f(value) == value and type(f(value)) is type(value)
        """,
    ),
    "a tuple of arrays": (
        "def f(x): return x * 2, {'sum': x.sum()}",
        """
        double, rest = f(np.arange(3.0))
        np.testing.assert_allclose(double, [0, 2, 4])
        assert rest["sum"] == 3 and double.dtype == np.float64
        """,
    ),
    "an error that is caught": (
        "def f(x): raise ValueError(f'x must not be {x}')",
        """
        try:
            f(3)
        except ValueError as error:
            assert str(error) == "x must not be 3"
        else:
            raise AssertionError
        """,
    ),
    "pytest.raises": ("def f(x): return {}[x]", "with pytest.raises(KeyError, match='9'): f(9)"),
    "the error above it": ("def f(x): return [][x]", "with pytest.raises(LookupError): f(9)"),
    "an error of the student's own class": (
        "class Own(ValueError): pass\ndef f(): raise Own('of its own')",
        "with pytest.raises(ValueError, match='of its own'): f()",
    ),
    "an error that is made with more than a text": (
        "def f(): b'\\xff'.decode('ascii')",
        "with pytest.raises(ValueError, match='ordinal not in range'): f()",
    ),
    "an error of no known kind": (
        "class Own(Exception): pass\ndef f(): raise Own('mine')",
        "with pytest.raises(Exception, match='Own: mine') as caught: f()\n"
        "assert type(caught.value).__name__ == 'RemoteError'",
    ),
    "an error without a text": (
        "class Silent(TypeError):\n    def __str__(self): raise SystemExit\ndef f(): raise Silent",
        "with pytest.raises((TypeError, Exception)): f()",
    ),
    "exits are errors like others": (
        "import sys\ndef f(): sys.exit(0)\ndef g(): raise KeyboardInterrupt\ndef h(): raise GeneratorExit",
        "for each in (f, g, h):\n    with pytest.raises(Exception, match='Exit|Interrupt'): each()",
    ),
    "a generator": ("def f(n):\n    while n:\n        yield n\n        n -= 1", "assert list(f(3)) == [3, 2, 1]"),
    "a generator step by step": (
        "def f():\n    yield 1\n    yield 2",
        """
        steps = f()
        assert next(steps) == 1 and next(steps) == 2
        with pytest.raises(StopIteration): next(steps)
        """,
    ),
    "a part of an endless generator": (
        "from itertools import count as counting\ndef f(): yield from counting()",
        "from itertools import islice\nassert list(islice(f(), 4)) == [0, 1, 2, 3]",
    ),
    "a class with next, len and iter": (
        """
        class Rows:
            def __init__(self, rows): self.rows, self.place = rows, 0
            def __len__(self): return len(self.rows)
            def __iter__(self): return self
            def __next__(self):
                if self.place == len(self.rows): raise StopIteration
                self.place += 1
                return self.rows[self.place - 1]
        """,
        """
        rows = Rows([4, 5])
        assert len(rows) == 2 and next(rows) == 4 and list(rows) == [5] and rows.place == 2
        """,
    ),
    "indices, slices and membership": (
        """
        class Table:
            def __getitem__(self, key): return key
            def __contains__(self, key): return key == 3
        """,
        """
        table = Table()
        assert table[1, 2:3, ...] == (1, slice(2, 3), ...) and 3 in table and 4 not in table
        with pytest.raises(AttributeError): table.missing
        assert not hasattr(table, "missing")
        """,
    ),
    "attributes read and set": (
        "class Thing:\n    size = 3\n    def double(self): return self.size * 2",
        "thing = Thing()\nassert thing.size == 3\nthing.size = 5\n"
        "assert thing.double() == 10 and hasattr(thing, 'double')",
    ),
    "an object handed back": (
        "class Cache:\n    def __init__(self): self.kept = 7\n"
        "def forward(): return 1, Cache()\ndef backward(cache): return cache.kept",
        "_, cache = forward()\nassert backward(cache) == 7 and backward(cache=cache) == 7",
    ),
    "the same object stays the same": (
        "class Thing: pass\nthing = Thing()\ndef f(): return thing\ndef same(one, other): return one is other",
        "assert same(f(), f())",
    ),
    "something that gives an array": (
        "class Tensor:\n    shape = (2,)\n    def __array__(self, dtype=None, copy=None): return np.array([1.0, 2.0])",
        "np.testing.assert_allclose(Tensor(), [1, 2])\n"
        "assert Tensor().shape == (2,) and np.asarray(Tensor()).sum() == 3",
    ),
    "a lambda as an argument": ("def f(g, x): return g(g(x))", "assert f(lambda x: x * 3, 2) == 18"),
    "a lambda that sees the check's names": (
        "def f(g): return [g(n) for n in range(3)]",
        "seen = []\nassert f(lambda n: seen.append(n) or -n) == [0, -1, -2] and seen == [0, 1, 2]",
    ),
    "a lambda that calls the student's": (
        "def half(x): return x / 2\ndef f(g, x): return g(x)",
        "assert f(lambda x: half(half(x)), 8) == 2",
    ),
    "a function that comes back": ("def f(g): return g", "assert f(len) is len and f(f)(len) is len"),
    "a function that makes functions": ("def adder(n): return lambda x: x + n", "assert adder(3)(4) == 7"),
    "callbacks in callbacks": (
        "def f(g, depth): return g(depth)",
        "def down(depth): return depth and 1 + f(down, depth - 1)\nassert f(down, 20) == 20",
    ),
    "an error in a callback": (
        "def f(g):\n    try: g()\n    except ZeroDivisionError: return 'caught'\ndef through(g): g()",
        "assert f(lambda: 1 / 0) == 'caught'\nwith pytest.raises(ZeroDivisionError): through(lambda: 1 / 0)",
    ),
    "a generator as an argument": ("def f(numbers): return sum(numbers)", "assert f(n * n for n in range(4)) == 14"),
    "None is None": ("def f(): return None", "assert f() is None"),
    "text of an object": (
        "class Thing:\n    def __repr__(self): return 'my thing'",
        "assert repr(Thing()) == str(Thing()) == 'my thing'",
    ),
    "an object is true": ("class Thing:\n    def __bool__(self): return False", "assert Thing()"),
    "an array changed in place": (
        "def f(x): x *= 2\ndef g(x): x['a'][0][:] = 5",
        """
        numbers = np.arange(3.0)
        f(numbers)
        assert numbers.tolist() == [0, 2, 4]
        part = np.zeros((2, 3))[:, 1]
        g({"a": [part]})
        assert part.tolist() == [5, 5]
        """,
    ),
    "lists and dicts changed in place": (
        "def f(x, y):\n    x.append(4); x[0] = 'new'; y['b'] = [1]; del y['a']\ndef shuffle(x, rng): rng.shuffle(x)",
        """
        numbers, table = [1, 2], {"a": 1, "c": [2]}
        inner = table["c"]
        f(numbers, y=table)
        assert numbers == ["new", 2, 4] and table == {"c": [2], "b": [1]} and table["c"] is inner
        rows, rng, same = list(range(9)), np.random.default_rng(1), np.random.default_rng(1)
        shuffle(rows, rng)
        expected = list(range(9))
        same.shuffle(expected)
        assert rows == expected and rng.random() == same.random()
        """,
    ),
    "what is not changed is left alone": (
        "def f(x): return x[0] * 2",
        "row = np.ones(3)\nouter = [row, [1]]\nf(outer)\nassert outer[0] is row",
    ),
    "read-only arrays stay so": (
        "def f(x): x[0] = 5",
        "fixed = np.zeros(2)\nfixed.flags.writeable = False\n"
        "with pytest.raises(ValueError, match='read-only'): f(fixed)\nassert fixed[0] == 0",
    ),
    "numbers of NumPy stay so": (
        "def f(x): return x.mean(), np.float32(0.5), np.argmax(x)",
        "mean, half, place = f(np.arange(3))\n"
        "assert type(mean) is np.float64 and half.dtype == np.float32 and place == 2",
    ),
    "named tuples are tuples": (
        "from collections import namedtuple as tuple_with_names\n"
        "Point = tuple_with_names('Point', 'x y')\ndef f(): return Point(1, 2)",
        "x, y = f()\nassert (x, y) == f() == (1, 2)",
    ),
    "an object array": (
        "def f(): return np.array([[1], [1, 2]], dtype=object)",
        "assert [len(row) for row in f()] == [1, 2]",
    ),
    "deep recursion of the student's": (
        "def f(n): return n and f(n - 1)",
        "with pytest.raises(RecursionError): f(10**6)\nassert f(10) == 0",
    ),
    "a large array": ("def f(x): return x + 1", "assert f(np.zeros(10**6)).sum() == 10**6"),
    "map, zip, sorted, max with key": (
        "def f(x): return -x",
        "assert sorted([1, 3, 2], key=f) == [3, 2, 1] and list(map(f, [1])) == [-1] and max([1, 2], key=f) == 1",
    ),
}

WORKS |= {
    "unpacked": ("def f():\n    yield from (1, 2, 3)", "first, *rest = f()\nassert first == 1 and rest == [2, 3]"),
    "options from a dict": ("def f(a, b=0): return a, b", "assert f(*[1], **{'b': 2}) == (1, 2)"),
}

# name -> what the student writes, and what a check cannot do with it
REFUSED = {
    "comparison says nothing": (
        "class Thing:\n    __eq__ = __ne__ = lambda self, other: True\n    __hash__ = None",
        "assert Thing() == 3",
        AssertionError,
    ),
    "two proxies of one object are not equal": (
        "class Thing: pass\nthing = Thing()\ndef f(): return thing",
        "assert f() == f()",
        AssertionError,
    ),
    "arithmetic": ("class Thing:\n    def __add__(self, other): return 3", "Thing() + 1", TypeError),
    "order": ("class Thing:\n    def __lt__(self, other): return True", "Thing() < 1", TypeError),
    "a length that is none": ("class Thing:\n    def __len__(self): return 'x'", "len(Thing())", TypeError),
    "isinstance": (
        "class Thing:\n    __class__ = list",
        "assert isinstance(Thing(), list)",
        (AssertionError, TypeError),
    ),
    "except on a class of the student's": (
        "class Own(Exception): pass\ndef f(): raise Own",
        "try:\n    f()\nexcept Own:\n    pass",
        (TypeError, RemoteError),
    ),
    "a class of the student's below": ("class Own: pass", "class Below(Own): pass", TypeError),
    "inspect.signature": (
        "def f(a, b): pass",
        "import inspect\nassert list(inspect.signature(f).parameters) == ['a', 'b']",
        (AssertionError, ValueError, TypeError, AttributeError),
    ),
    "a result that is too large": ("def f(): return [0] * 3_000_000", "f()", ValueError),
    "a result that holds itself": ("def f():\n    x = []\n    x.append(x)\n    return x", "f()", ValueError),
    "an array of dates": ("def f(): return np.zeros(2, 'datetime64[s]')", "f()", ValueError),
    "to copy an object": ("class Thing: pass", "import copy\ncopy.deepcopy(Thing())", Exception),
    "to pickle a function": ("def f(): pass", "import pickle\npickle.dumps(f)", Exception),
}


@pytest.mark.parametrize("name", WORKS)
def test_this_works_as_in_one_process(pair, name):
    answer, check = WORKS[name]
    space = {"np": np, "pytest": pytest}
    if "RemoteError" not in check and name not in ("exits are errors like others", "an object is true"):
        exec(textwrap.dedent(answer) + "\n" + textwrap.dedent(check), space)  # so that the table itself is right
    pair(answer).check(check)


@pytest.mark.parametrize("name", REFUSED)
def test_this_does_not_work(pair, name):
    answer, check, error = REFUSED[name]
    both = pair(answer)
    with pytest.raises(error):
        both.check(check)
    assert "np" not in both.names()  # they still talk


def test_there_are_the_idioms_that_the_prototype_counted():
    assert len(WORKS) >= 44
    assert len(REFUSED) >= 12


@pytest.mark.parametrize("operation", ["get", "set", "text", "run", "names", "seed", "begin", "__class__", "forget"])
def test_the_student_s_side_may_not_ask_the_judge_for_this(pair, operation):
    both = pair("def f(g): return ask(g)")
    both.space["ask"] = lambda function: both.student.request(operation, function, "__globals__")
    with pytest.raises(ValueError, match="asks for what it may not"):
        both.names()["f"](lambda: 0)


@pytest.mark.parametrize("number", [-1, 1, 10**9])
def test_only_what_was_lent_can_be_called(pair, number):
    both = pair("def f(g): return ask()")
    both.space["ask"] = lambda: both.student.call(number, (), {})
    with pytest.raises(ValueError, match="was not lent"):
        both.names()["f"](lambda: 0)


def test_what_was_lent_for_one_check_is_taken_back(pair):
    both = pair("kept = []\ndef f(g): kept.append(g)\ndef use(): return kept[0]()")
    names = both.names()
    names["f"](lambda: 5)
    assert names["use"]() == 5
    both.judge.forget()
    with pytest.raises(ValueError, match="was not lent"):
        names["use"]()


def test_the_number_of_lent_objects_is_limited(pair, monkeypatch):
    monkeypatch.setattr(remote, "MAX_LENT", 50)
    both = pair("def f(): return [object() for _ in range(60)]")
    with pytest.raises(ValueError, match="too many objects"):
        both.names()["f"]()


def test_a_proxy_never_compares_by_what_the_other_side_says(pair):
    thing = pair("class Yes:\n    __eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False").names()[
        "Yes"
    ]()
    assert type(thing) is RemoteObject
    mixed = np.empty(1, object)
    mixed[0] = thing
    assert thing != 1
    assert [thing] != [1]
    assert thing not in [1]
    assert not np.array_equal(mixed, np.ones(1, object))


def test_functions_can_be_called_and_objects_cannot(pair):
    names = pair("def f(): pass\nclass Thing: pass\nthing = Thing()").names()
    assert type(names["f"]) is RemoteFunction
    assert callable(names["f"])
    with pytest.raises(TypeError):
        names["thing"]()


ERRORS = [
    ([["ValueError", "Exception"], "text"], ValueError),
    ([["Own", "KeyError", "LookupError"], "text"], KeyError),
    ([["UnicodeDecodeError", "UnicodeError", "ValueError"], "text"], UnicodeError),
    ([["KeyboardInterrupt"], "text"], RemoteError),
    ([["SystemExit", "GeneratorExit"], "text"], RemoteError),
    ([["StudentGone"], "text"], RemoteError),
    ([["print", "exec", "type", "__import__"], "touch"], RemoteError),
    ([["ExceptionGroup"], "text"], RemoteError),
    ([["Exception"], "text"], RemoteError),
    ([[], ""], RemoteError),
    ([[None, 3, []], ""], RemoteError),
    ([5, 6], RemoteError),
    ([{"a": 1}, "text"], RemoteError),
    ([], RemoteError),
    (None, RemoteError),
    ("ab", RemoteError),
    ([["ValueError"], {"text": 1}], ValueError),
]


@pytest.mark.parametrize(("described", "kind"), ERRORS)
def test_an_error_becomes_the_nearest_of_python_s_own_and_never_an_exit(described, kind):
    error = remote._as_exception(described)
    assert type(error) is kind
    assert len(str(error)) <= remote.MAX_MESSAGE + 200


def test_a_long_message_is_cut(pair):
    with pytest.raises(ValueError, match="x") as caught:
        pair("def f(): raise ValueError('x' * 10**6)").names()["f"]()
    assert len(str(caught.value)) == remote.MAX_MESSAGE


def test_the_other_side_gone_is_an_error_of_the_wire(pair):
    both = pair("def f(): close()")
    both.space["close"] = lambda: both.theirs.shutdown(socket.SHUT_RDWR)
    with pytest.raises(WireError):
        both.names()["f"]()
