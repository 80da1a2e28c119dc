"""The wire: a frame comes out as it went in, and whatever else comes is an error of the wire's own, at once."""

import contextlib
import itertools
import json
import socket
import struct
import threading
import time

import numpy as np
import pytest

from grading import wire
from grading.values import Decoder, Encoder
from grading.wire import Channel, Closed, WireError


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
    encoder = Encoder(lambda value: None)
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
