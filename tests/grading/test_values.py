"""Plain data comes out as it went in, and whatever else comes is an error of the wire's own, at once."""

import contextlib
import math
import socket
import struct
import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grading import values
from grading.values import Decoder, Encoder, Reference
from grading.wire import Channel, WireError

NUMBERS = st.integers(-(2**values.MAX_BITS) + 1, 2**values.MAX_BITS - 1) | st.integers()
TEXTS = st.text(st.characters() | st.characters(categories=["Cs"]))  # lone surrogates, too
SCALARS = st.none() | st.booleans() | NUMBERS | st.floats() | TEXTS | st.binary() | st.complex_numbers()
KINDS = st.sampled_from(["?", "i1", "u2", "<i4", ">i4", "u8", "<f2", "<f4", ">f8", "<c8", "c16", "S3", "<U2"]).map(
    np.dtype
)
SHAPES = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
ARRAYS = KINDS.flatmap(lambda kind: arrays.arrays(np.dtype(kind), SHAPES))
PARTS = st.none() | st.integers(-50, 50)
RANGES = st.builds(range, st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 9) | st.integers(-9, -1))
KEYS = SCALARS | st.tuples(SCALARS, SCALARS)
LEAVES = SCALARS | ARRAYS | RANGES | st.builds(slice, PARTS, PARTS, PARTS) | st.just(Ellipsis)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.sets(st.integers() | TEXTS)
        | st.frozensets(TEXTS)
        | st.dictionaries(KEYS, inner)
    ),
    max_leaves=12,
)


def refuse(value):
    raise TypeError(f"a {type(value).__name__} is not plain data")


def there_and_back(value, resolve=refuse, refer=refuse):
    """What comes out at the other end of a real socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        encoder = Encoder(refer)
        form = encoder.encode(value)
        sending = threading.Thread(target=Channel(ours).send, args=({"value": form}, encoder.blobs))
        sending.start()
        message, blobs = Channel(theirs).receive()
        sending.join()
        return Decoder(blobs, resolve).decode(message["value"])


def same(one, other):
    """Equal in kind and in every bit: NaN is NaN, and -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.keys()), list(other.keys())) and same(list(one.values()), list(other.values()))
    return one == other


@given(VALUES)
def test_plain_data_comes_out_as_it_went_in(value):
    assert same(there_and_back(value), value)


@given(ARRAYS, st.sampled_from(["read-only", "Fortran", "reversed", "broadcast", "scalar"]))
def test_arrays_keep_their_values_in_whatever_memory(array, layout):
    if layout == "read-only":
        array.flags.writeable = False
    elif layout == "Fortran":
        array = np.asfortranarray(array)
    elif layout == "reversed":
        array = array[::-1] if array.ndim else array
    elif layout == "broadcast":
        array = np.broadcast_to(array, (2, *array.shape))
    elif array.size:
        array = array.flat[0]  # a NumPy number
    result = there_and_back(array)
    assert same(result, array)
    if isinstance(array, np.ndarray):
        assert result.flags.writeable == array.flags.writeable
        assert result.flags.owndata or result.base is not array


@given(st.integers(0, 2**32), st.integers(0, 5))
def test_a_generator_goes_on_where_it_was(seed, draws):
    generator = np.random.default_rng(seed)
    generator.normal(size=draws)
    generator.integers(9, dtype=np.int32)  # leaves half of a draw in store
    result = there_and_back(generator)
    assert result.random() == generator.random()
    assert result.integers(2**30, dtype=np.int32) == generator.integers(2**30, dtype=np.int32)


def test_what_is_a_kind_of_plain_data_becomes_plain_data():
    class Lying(float):
        def __eq__(self, other):
            return True

        __hash__ = None

    class Pair(tuple):
        __slots__ = ()

    for value, expected in ((Lying(2.5), 2.5), (Pair((1, 2)), (1, 2)), (type("Own", (dict,), {})(a=1), {"a": 1})):
        assert same(there_and_back(value), expected)
    assert same(there_and_back(np.array([1.5, None, "x"], dtype=object).tolist()), [1.5, None, "x"])
    mixed = there_and_back(np.array([1.5, None, [1]], dtype=object))
    assert mixed.dtype == object
    assert mixed.tolist() == [1.5, None, [1]]


def test_what_is_no_plain_data_is_lent_and_comes_back_as_itself():
    lent = []

    def refer(value):
        lent.append(value)
        return Reference(len(lent) - 1, mine=True, kind="function" if callable(value) else "object")

    thing, resolved = object(), []
    assert there_and_back([thing, len], resolve=lambda reference: resolved.append(reference) or 0, refer=refer) == [
        0,
        0,
    ]
    # what is the sender's is not the receiver's, and the other way round
    assert resolved == [Reference(0, mine=False, kind="object"), Reference(1, mine=False, kind="function")]
    assert lent == [thing, len]


# --- limits ---------------------------------------------------------------------------------------------------------


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        (nested(values.MAX_DEPTH), nested(values.MAX_DEPTH + 1)),
        (2**values.MAX_BITS - 1, 2**values.MAX_BITS),
        (-(2**values.MAX_BITS) + 1, -(2**values.MAX_BITS)),
    ],
    ids=["depth", "bits", "negative bits"],
)
def test_limits_are_the_same_on_both_sides(allowed, refused, monkeypatch):
    assert there_and_back(allowed) == allowed
    with pytest.raises(WireError):
        Encoder(refuse).encode(refused)
    with monkeypatch.context() as patch:  # a sender that does not keep to them
        patch.setattr(values, "MAX_DEPTH", 10**6)
        patch.setattr(values, "MAX_BITS", 10**6)
        form = Encoder(refuse).encode(refused)
    with pytest.raises(WireError):
        Decoder([], refuse).decode(form)


def test_the_number_of_parts_is_limited(monkeypatch):
    form = Encoder(refuse).encode([0] * 100)
    monkeypatch.setattr(values, "MAX_NODES", 100)
    for step in (lambda: Encoder(refuse).encode([0] * 100), lambda: Decoder([], refuse).decode(form)):
        with pytest.raises(WireError, match="parts"):
            step()
    assert Decoder([], refuse).decode(Encoder(refuse).encode([0] * 99)) == [0] * 99


def test_a_list_that_holds_itself_is_refused():
    knot = []
    knot.append(knot)
    with pytest.raises(WireError):
        Encoder(refuse).encode(knot)


@pytest.mark.parametrize("bounds", [(0, 10**7 + 1, 1), (0, 10**30, 10**25), (-(10**9), 1, 1), (0, 10**300, 1)])
def test_long_ranges_are_refused(bounds):
    with pytest.raises(WireError):
        there_and_back(range(*bounds))


@pytest.mark.parametrize("kind", ["datetime64[s]", "V4", [("a", "i4")]])
def test_arrays_of_other_kinds_are_refused(kind):
    with pytest.raises((WireError, ValueError)):
        there_and_back(np.zeros(2, kind))


# --- hostile messages -----------------------------------------------------------------------------------------------

DTYPES = (
    st.sampled_from(["<f8", "|b1", "<U1", "<U0", "|S0", "|O", "<M8", "f8", "|V8", "<f3", "<i99", "<U999999"]) | TEXTS
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(2**70) | st.floats(allow_nan=False) | TEXTS | st.just(2**28),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["l", "t", "s", "fs", "d", "f", "a", "n", "ol", "b", "c", "r", "sl", "e", "g", "o", "x"]),
            inner | st.lists(inner, max_size=4),
            max_size=2,
        )
        | st.tuples(st.sampled_from("an"), DTYPES, st.lists(inner, max_size=3), inner, inner).map(
            lambda parts: {parts[0]: list(parts[1:])}
        )
    ),
    max_leaves=10,
)


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(JUNK, st.lists(st.binary(max_size=9), max_size=2))
def test_a_message_that_no_encoder_makes_gives_a_value_or_the_wire_s_own_error(form, blobs):
    resolved = []
    decoder = Decoder([memoryview(blob) for blob in blobs], lambda reference: resolved.append(reference) or 0)
    with contextlib.suppress(WireError):
        decoder.decode(form)
    assert all(type(reference.number) is int for reference in resolved)


@pytest.mark.parametrize("dtype", ["<U0", "|S0"])
def test_an_array_of_nothing_does_not_become_a_large_one(dtype):
    # NumPy makes one character of none
    with pytest.raises(WireError):
        Decoder([memoryview(b"")], refuse).decode({"a": [dtype, [2**28], 0, True]})


def test_booleans_are_zero_or_one():
    array = Decoder([memoryview(b"\x00\x01\x07")], refuse).decode({"a": ["|b1", [3], 0, True]})
    assert array.view(np.uint8).tolist() == [0, 1, 1]


def test_recursion_of_a_message_does_not_depend_on_how_deep_the_reader_is():
    def down(count):
        return down(count - 1) if count else there_and_back(nested(values.MAX_DEPTH))

    assert down(sys.getrecursionlimit() // 3) == nested(values.MAX_DEPTH)


def test_an_array_that_is_one_object_is_refused():
    with pytest.raises(WireError, match="cannot be passed on"):  # NumPy makes it of a generator
        Encoder(refuse).encode(np.asarray(value for value in range(3)))
    with pytest.raises(WireError):
        Decoder([], lambda reference: object()).decode({"ol": {"o": [0, True, "object"]}})
