"""The wire: plain data comes out as it went in, and whatever else comes is an error of the wire's own, at once."""

import contextlib
import itertools
import json
import math
import socket
import struct
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from grading import wire
from grading.wire import Channel, Closed, Decoder, Encoder, Reference, WireError

NUMBERS = st.integers(-(2**wire.MAX_BITS) + 1, 2**wire.MAX_BITS - 1) | st.integers()
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
        (nested(wire.MAX_DEPTH), nested(wire.MAX_DEPTH + 1)),
        (2**wire.MAX_BITS - 1, 2**wire.MAX_BITS),
        (-(2**wire.MAX_BITS) + 1, -(2**wire.MAX_BITS)),
    ],
    ids=["depth", "bits", "negative bits"],
)
def test_limits_are_the_same_on_both_sides(allowed, refused, monkeypatch):
    assert there_and_back(allowed) == allowed
    with pytest.raises(WireError):
        Encoder(refuse).encode(refused)
    with monkeypatch.context() as patch:  # a sender that does not keep to them
        patch.setattr(wire, "MAX_DEPTH", 10**6)
        patch.setattr(wire, "MAX_BITS", 10**6)
        form = Encoder(refuse).encode(refused)
    with pytest.raises(WireError):
        Decoder([], refuse).decode(form)


def test_the_number_of_parts_is_limited(monkeypatch):
    form = Encoder(refuse).encode([0] * 100)
    monkeypatch.setattr(wire, "MAX_NODES", 100)
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


def receive(content, limit=wire.MAX_FRAME):
    """What a channel makes of these bytes, after which nothing more comes."""
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(content)
        return Channel(theirs, limit).receive()


def frame(text, blobs=b""):
    body = struct.pack(">I", len(text)) + text + blobs
    return b"crs1" + struct.pack(">Q", len(body)) + body


def test_random_bytes_give_the_wire_s_own_error():
    generator = np.random.default_rng(0)
    value = [
        1,
        "two",
        3.0,
        float("nan"),
        {"k": (4, {5})},
        b"six",
        range(7),
        slice(8),
        np.ones(2),
        np.float32(9),
        generator,
    ]
    encoder = Encoder(refuse)
    text = json.dumps({"value": encoder.encode(value), "blobs": [len(blob) for blob in encoder.blobs]})
    good = frame(text.encode(), b"".join(encoder.blobs))
    for number in range(20_000):
        if number % 4 == 0:
            content = generator.bytes(int(generator.integers(1, 80)))
        else:  # a good frame with some bytes changed, or cut off
            content = bytearray(good)
            for place in generator.integers(0, len(good), generator.integers(1, 4)):
                content[place] = generator.integers(256)
            content = bytes(content[: None if number % 4 < 3 else generator.integers(1, len(good))])
        with contextlib.suppress(WireError):
            message, blobs = receive(content)
            Decoder(blobs, lambda reference: None).decode(message.get("value"))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"blobs": 3}',
        b'{"blobs": [-1]}',
        b'{"blobs": [true]}',
        b'{"blobs": [1]}',
        b'{"blobs": [1e3]}',
        b'{"blobs": null}',
        b'"\xff"',
        b"[" * 100_000,
        b'{"blobs": [], "value": ' + b"9" * 5_000 + b"}",
    ],
    ids=itertools.count(),
)
def test_a_frame_without_a_message_is_refused(text):
    with pytest.raises(WireError):
        receive(frame(text))


@pytest.mark.parametrize(
    "head",
    [b"crs0" + struct.pack(">Q", 10), b"crs1" + struct.pack(">Q", 3), b"crs1" + struct.pack(">Q", wire.MAX_FRAME + 1)],
)
def test_a_wrong_head_is_refused_before_anything_is_read(head):
    with pytest.raises(WireError, match="head"):
        receive(head)


def test_a_frame_that_is_too_long_for_who_reads_it_is_refused():
    content = frame(json.dumps({"blobs": [], "value": "x" * 1000}).encode())
    assert receive(content)[0]["value"] == "x" * 1000
    with pytest.raises(WireError, match="head"):
        receive(content, limit=1000)


def test_text_from_which_too_much_memory_would_be_made_is_refused(monkeypatch):
    content = frame(json.dumps({"blobs": [], "value": [[]] * 100}).encode())
    monkeypatch.setattr(wire, "MAX_TEXT", 300)
    with pytest.raises(WireError):
        receive(content)
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(WireError, match="too long"):
        Channel(ours).send({"value": "x" * 300})


def test_too_long_messages_are_not_sent(monkeypatch):
    monkeypatch.setattr(wire, "MAX_FRAME", 1000)
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(WireError, match="too long"):
        Channel(ours).send({"value": 0}, [b"x" * 1000])


@pytest.mark.parametrize("content", [b"", b"crs1", frame(b'{"blobs": []}')[:-1]])
def test_a_connection_that_ends_is_closed(content):
    with pytest.raises(Closed):
        receive(content)


def test_the_other_side_gone_is_closed_for_who_sends():
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(Closed):
        Channel(ours).send({"value": "x" * 10**6})


def test_a_deadline_holds_however_slowly_a_message_comes():
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def drip():
        for byte in frame(b'{"blobs": [], "value": 1}'):
            if stop.wait(0.05):
                return
            ours.send(bytes([byte]))

    with ours, theirs:
        dripping = threading.Thread(target=drip)
        dripping.start()
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            Channel(theirs, deadline=begin + 0.3).receive()
        assert time.monotonic() - begin < 1
        stop.set()
        dripping.join()


def test_a_deadline_holds_for_who_sends_to_one_that_does_not_read():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        Channel(ours, deadline=time.monotonic() + 0.2).send({"value": "x" * 10**7})


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
        return down(count - 1) if count else there_and_back(nested(wire.MAX_DEPTH))

    assert down(sys.getrecursionlimit() // 3) == nested(wire.MAX_DEPTH)


def test_an_array_that_is_one_object_is_refused():
    with pytest.raises(WireError, match="cannot be passed on"):  # NumPy makes it of a generator
        Encoder(refuse).encode(np.asarray(value for value in range(3)))
    with pytest.raises(WireError):
        Decoder([], lambda reference: object()).decode({"ol": {"o": [0, True, "object"]}})
