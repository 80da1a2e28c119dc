"""Messages over a socket, between the trusted judge and the process that runs a student's code.

Nothing here can run code: a message is JSON and raw bytes, each of a length that is checked before anything is made
of it. What values a message holds is in `values`.

A frame is 4 bytes of magic, 8 bytes of length, and a payload: 4 bytes with the length of the JSON, the JSON, and the
bytes of the arrays ("blobs") one after the other.
"""

import json
import socket
import struct
import time
from typing import Any

MAGIC = b"crs1"
MAX_FRAME = 256 * 2**20  # bytes of a message
MAX_TEXT = 48 * 2**20  # bytes of its JSON, from which many times as much memory is made
_HEAD = struct.Struct(">4sQ")
_LENGTH = struct.Struct(">I")


class WireError(Exception):
    """A message is not what the protocol allows, or the other side is gone."""


class Closed(WireError):
    """The other side has closed the connection."""


class Channel:
    """Sends and receives messages over a connected stream socket; one user at a time.

    Args:
        connection: the socket.
        limit: bytes of a message that comes in.
        deadline: on the clock of `time.monotonic`, for all messages together, however slowly they come; None waits.
    """

    def __init__(self, connection: socket.socket, limit: int = MAX_FRAME, deadline: float | None = None) -> None:
        self.connection = connection
        self.limit = limit
        self.deadline = deadline

    def send(self, message: dict[str, Any], blobs: list[bytes] = []) -> None:  # noqa: B006 (never changed)
        """Send a JSON object and its blobs.

        Raises:
            Closed: the other side is gone.
            WireError: the message is too long.
            TimeoutError: the deadline has passed.
        """
        text = json.dumps({**message, "blobs": [len(blob) for blob in blobs]}, allow_nan=False).encode()
        length = _LENGTH.size + len(text) + sum(map(len, blobs))
        if length > MAX_FRAME or len(text) > MAX_TEXT:
            raise WireError(f"a message of {length} bytes is too long")
        self._watch_clock()
        try:
            self.connection.sendall(_HEAD.pack(MAGIC, length) + _LENGTH.pack(len(text)) + text)
            for blob in blobs:
                self.connection.sendall(blob)
        except (BrokenPipeError, ConnectionError) as error:
            raise Closed("the other side is gone") from error

    def receive(self) -> tuple[dict[str, Any], list[memoryview]]:
        """Wait for a message.

        Raises:
            Closed: the other side is gone.
            WireError: the message is malformed or too long.
            TimeoutError: the deadline has passed.
        """
        magic, length = _HEAD.unpack(self._read(_HEAD.size))
        if magic != MAGIC or not _LENGTH.size <= length <= self.limit:
            raise WireError("a frame has a wrong head")
        payload = memoryview(self._read(length))
        (text_length,) = _LENGTH.unpack(payload[: _LENGTH.size])
        if text_length > MAX_TEXT:
            raise WireError("a frame has a wrong head")
        try:
            message = json.loads(bytes(payload[_LENGTH.size : _LENGTH.size + text_length]))
            sizes = message["blobs"]
            if type(message) is not dict or not all(type(size) is int and size >= 0 for size in sizes):
                raise ValueError
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise WireError("a frame holds no message") from error
        blobs, place = [], _LENGTH.size + text_length
        for size in sizes:
            blobs.append(payload[place : place + size])
            place += size
        if place != length:
            raise WireError("a frame has another length than its parts")
        return message, blobs

    def _read(self, count: int) -> bytes:
        buffer = bytearray()
        while len(buffer) < count:
            self._watch_clock()
            try:
                piece = self.connection.recv(min(count - len(buffer), 1 << 20))
            except ConnectionError as error:
                raise Closed("the other side is gone") from error
            if not piece:
                raise Closed("the other side is gone")
            buffer += piece
        return bytes(buffer)

    def _watch_clock(self) -> None:
        """Let the next step on the socket take what is left of the time."""
        if self.deadline is not None:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the deadline has passed")
            self.connection.settimeout(left)
