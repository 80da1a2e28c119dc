"""Plain data as JSON and raw bytes, and back: what may cross between the judge and a student's process.

Nothing here can run code: the bytes of an array have a length that is checked before anything is made of them. What is
not plain data crosses as a reference, a number that stands for an object on the side it came from.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grading.wire import MAX_FRAME, WireError

MAX_NODES = 2_000_000  # values in a message
MAX_DEPTH = 60  # lists within lists
MAX_BITS = 4_096  # of a whole number
MAX_RANGE = 10_000_000  # elements of a range
_DTYPE = re.compile(r"[<>|](?:[biufc]\d{1,2}|[SU]\d{1,6})")
_SCALARS = (bool, int, str, type(None))


@dataclass(frozen=True)
class Reference:
    """An object that stays on one side.

    Attributes:
        number: what the owner knows it by.
        mine: whether the receiver of the message owns it, because it was lent before and now comes back.
        kind: "function" for what can be called, else "object".
    """

    number: int
    mine: bool
    kind: str = "object"


@dataclass
class Encoder:
    """Turns values into JSON and blobs.

    Attributes:
        refer: called with what is not plain data; gives a Reference, or raises TypeError.
        blobs: bytes of the arrays met so far.
    """

    refer: Callable[[Any], Reference]
    blobs: list[bytes] = field(default_factory=list)
    nodes: int = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        """The JSON form of a value; WireError where it is too large, too deep or holds itself."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise WireError("the value is nested too deeply, or has too many parts")
        kind = type(value)
        if kind in _SCALARS:
            if kind is int and value.bit_length() > MAX_BITS:
                raise WireError(f"a whole number of {value.bit_length()} bits is too large")
            return value
        if kind is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if kind in _CONTAINERS:
            return {_CONTAINERS[kind]: [self.encode(element, depth + 1) for element in value]}
        if isinstance(value, dict):
            return {"d": [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in value.items()]}
        return self._encode_other(value, depth)

    def _encode_other(self, value: Any, depth: int) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            return self._encode_array(value, depth)
        if isinstance(value, list | tuple):  # a named tuple, a list of the student's own class
            return {"l" if isinstance(value, list) else "t": [self.encode(element, depth + 1) for element in value]}
        if isinstance(value, bytes):
            return {"b": self._keep(bytes(value))}
        if isinstance(value, complex):
            return {"c": [self.encode(value.real), self.encode(value.imag)]}
        if isinstance(value, range | slice):
            tag = "r" if isinstance(value, range) else "sl"
            return {tag: [self.encode(part) for part in (value.start, value.stop, value.step)]}
        if value is Ellipsis:
            return {"e": 0}
        if isinstance(value, np.random.Generator) and type(value.bit_generator) is np.random.PCG64:
            return {"g": self.encode(value.bit_generator.state, depth + 1)}
        if isinstance(value, str | float) or (isinstance(value, int) and not isinstance(value, bool)):
            return self.encode(_exact(value), depth)  # a subclass of a number or a string
        reference = self.refer(value)
        return {"o": [reference.number, reference.mine, reference.kind]}

    def _encode_array(self, value: np.ndarray | np.generic, depth: int) -> Any:
        array = np.asarray(value)
        if (array.dtype.kind == "V" and not array.dtype.names) or (
            array.dtype.kind == "f" and array.dtype.itemsize not in (2, 4, 8)
        ):
            array = array.astype(np.float32)  # such as bfloat16
        if not _DTYPE.fullmatch(array.dtype.str):
            if array.dtype.kind == "O" and array.ndim:
                return {"ol": self.encode(array.tolist(), depth + 1)}
            raise WireError(f"an array of {array.dtype} cannot be passed on")
        tag = "a" if isinstance(value, np.ndarray) else "n"
        writable = bool(value.flags.writeable)
        return {tag: [array.dtype.str, list(array.shape), self._keep(array.tobytes()), writable]}

    def _keep(self, content: bytes) -> int:
        self.blobs.append(content)
        return len(self.blobs) - 1


_CONTAINERS = {list: "l", tuple: "t", set: "s", frozenset: "fs"}
_MAKERS: dict[str, Callable[[list], Any]] = {"l": list, "t": tuple, "s": set, "fs": frozenset}


def _exact(value: Any) -> Any:
    for base in (int, float, str):
        if isinstance(value, base):
            return base.__str__(value) if base is str else base(value)
    return value


@dataclass
class Decoder:
    """Turns JSON and blobs back into values.

    Attributes:
        blobs: the bytes of the message's arrays.
        resolve: called with a Reference, gives what stands for it on this side.
    """

    blobs: list[memoryview]
    resolve: Callable[[Reference], Any]
    nodes: int = 0

    def decode(self, form: Any, depth: int = 0) -> Any:
        """The value; WireError where the form is none that `Encoder` makes."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise WireError("the message is nested too deeply, or has too many parts")
        kind = type(form)
        if kind in _SCALARS or kind is float:
            if kind is int and form.bit_length() > MAX_BITS:
                raise WireError("a whole number is too large")
            return form
        if kind is not dict or len(form) != 1:
            raise WireError("the message holds something unknown")
        tag, body = next(iter(form.items()))
        try:
            return self._decode_tagged(tag, body, depth)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError) as error:
            raise WireError(f"the message is malformed ({type(error).__name__})") from error

    def _decode_tagged(self, tag: str, body: Any, depth: int) -> Any:
        if tag in _MAKERS and type(body) is list:
            return _MAKERS[tag]([self.decode(element, depth + 1) for element in body])
        if tag == "d":
            return {self.decode(key, depth + 1): self.decode(value, depth + 1) for key, value in body}
        if tag == "f" and body in ("nan", "inf", "-inf"):
            return float(body)
        if tag in ("a", "n"):
            array = self._decode_array(*body)
            return array if tag == "a" else array[()]
        if tag == "ol":
            return self._decode_objects(self.decode(body, depth + 1))
        if tag == "b":
            return bytes(self._blob(body))
        if tag == "c":
            return complex(*(self.decode(part) for part in body))
        if tag == "r":
            result = range(*(self.decode(part) for part in body))
            if max(result.start, result.stop, len(result)) > MAX_RANGE:
                raise WireError("a range is too long")
            return result
        if tag == "sl":
            return slice(*(self.decode(part) for part in body))
        if tag == "e":
            return Ellipsis
        if tag == "g":
            generator = np.random.Generator(np.random.PCG64(0))
            generator.bit_generator.state = self.decode(body, depth + 1)
            return generator
        if tag == "o":
            number, mine, kind = body
            if type(number) is int and type(mine) is bool and kind in ("function", "object"):
                return self.resolve(Reference(number, not mine, kind))
        raise WireError("the message holds something unknown")

    def _decode_array(self, dtype: Any, shape: Any, blob: Any, writable: Any) -> np.ndarray:
        if not (type(dtype) is str and _DTYPE.fullmatch(dtype) and type(shape) is list and len(shape) <= 32):
            raise WireError("an array is malformed")
        content, size = self._blob(blob), np.dtype(dtype).itemsize
        if not (size and all(type(length) is int and 0 <= length <= MAX_FRAME for length in shape)):
            raise WireError("an array is malformed")
        if math.prod(shape) * size != len(content):
            raise WireError("an array has another size than its shape says")
        # a copy in its own memory, and zero-size arrays, which frombuffer refuses
        array = np.frombuffer(content, dtype).reshape(shape).copy() if len(content) else np.empty(shape, dtype)
        if array.dtype == bool:  # one byte each, which could hold another number
            array = np.asarray(array.view(np.uint8) != 0)
        array.flags.writeable = bool(writable)
        return array

    def _decode_objects(self, elements: Any) -> np.ndarray:
        if type(elements) is not list:
            raise WireError("an array is malformed")
        array = np.empty(len(elements), dtype=object)
        array[:] = elements
        return array

    def _blob(self, index: Any) -> memoryview:
        if type(index) is not int or not 0 <= index < len(self.blobs):
            raise WireError("the message lacks a part")
        return self.blobs[index]
