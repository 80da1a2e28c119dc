"""Objects that stay in another process: a student's functions and models as a check sees them, and the other way round.

Both sides use a `Peer`. What is plain data is copied (`values`). What is not is lent: the other side gets a proxy, and
whatever it does with that comes back as a request. A side answers requests while it waits for its own answer, so that
a function of the check can be called from within a call of the student's.
"""

import builtins
import operator
from collections.abc import Callable, Iterator
from typing import Any

from grading.values import Decoder, Encoder, Reference
from grading.wire import Channel, WireError

MAX_MESSAGE = 4_000  # characters of an exception's message
MAX_LENT = 200_000  # objects lent at a time
OPERATIONS: dict[str, Callable[..., Any]] = {
    "get": getattr,
    "set": setattr,
    "item": operator.getitem,
    "len": len,
    "iter": iter,
    "next": next,
    "in": operator.contains,
    "array": lambda value: _as_array(value),
    "text": lambda value: repr(value)[:MAX_MESSAGE],
}


class RemoteError(Exception):
    """An exception of the other side that is none of Python's own."""


class Peer:
    """One end of the connection.

    Args:
        channel: where messages go.
        operations: names of the requests that this side answers: "call" and keys of OPERATIONS.
        handlers: further requests that it answers, by their name.
    """

    def __init__(
        self, channel: Channel, operations: tuple[str, ...], handlers: dict[str, Callable[..., Any]] | None = None
    ) -> None:
        self.channel = channel
        known = {"call": self._call, **OPERATIONS}
        self.handlers = {**{name: known[name] for name in operations}, **(handlers or {})}
        self.forget()

    def forget(self) -> None:
        """Take back all that was lent: a reference from before is then an error."""
        self._lent: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}

    def request(self, operation: str, *values: Any) -> Any:
        """Ask the other side to do something, and wait for what comes of it.

        Raises:
            WireError: the other side is gone or breaks the protocol.
            Exception: what the other side raised, where it is one of Python's own, else RemoteError.
        """
        form, blobs = self._encode(list(values))
        self.channel.send({"do": operation, "with": form}, blobs)
        while True:
            message, blobs = self.channel.receive()
            if "do" in message:
                self._answer(message, blobs)
            elif "error" in message:
                raise _as_exception(message["error"])
            else:
                return self._decode(message.get("value"), blobs)

    def serve(self) -> None:
        """Answer requests until the other side closes the connection."""
        while True:
            self._answer(*self.channel.receive())

    def call(self, number: int, arguments: tuple, options: dict[str, Any]) -> Any:
        """Call a function that the other side has lent; what it changes in arrays, lists and dicts changes here too."""
        result, changed = self.request("call", Lent(number), arguments, options)
        if changed is not None:
            _update((list(arguments), options), changed)
        return result

    # --- answering

    def _answer(self, message: dict[str, Any], blobs: list[memoryview]) -> None:
        try:
            handler = self.handlers.get(str(message["do"]))
            if handler is None:
                raise WireError("the other side asks for what it may not")
            form, made = self._encode(handler(*self._decode(message.get("with"), blobs)))
        except WireError as error:
            # a value that cannot be sent is an error like others; a broken connection shows at the next step
            self.channel.send({"error": [["ValueError"], str(error)]})
        except BaseException as error:
            self.channel.send({"error": _describe(error)})
        else:
            self.channel.send({"value": form}, made)

    def _call(self, function: Any, arguments: Any, options: Any) -> tuple[Any, Any]:
        before = self._freeze(arguments, options)
        result = function(*arguments, **options)
        after = self._freeze(arguments, options)
        return result, None if after == before or after is None else (list(arguments), options)

    def _freeze(self, arguments: tuple, options: dict) -> Any:
        """What the arguments look like now, to see later whether a call has changed them."""
        encoder = Encoder(self._lend)
        try:
            return encoder.encode([list(arguments), options]), encoder.blobs
        except WireError:
            return None

    # --- values

    def _encode(self, value: Any) -> tuple[Any, list[bytes]]:
        encoder = Encoder(self._lend)
        try:
            return encoder.encode(value), encoder.blobs
        except RecursionError as error:
            raise WireError("the value is nested too deeply") from error

    def _decode(self, form: Any, blobs: list[memoryview]) -> Any:
        return Decoder(blobs, self._resolve).decode(form)

    def _lend(self, value: Any) -> Reference:
        if isinstance(value, Lent):
            return Reference(value.number, mine=False)
        if isinstance(value, RemoteObject):
            return Reference(value.remote_number, mine=False)
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._lent) >= MAX_LENT:
                raise WireError("too many objects are in use at a time")
            number = self._numbers[id(value)] = len(self._lent)
            self._lent[number] = value  # which also keeps its id from being used again
        return Reference(number, mine=True, kind="function" if callable(value) else "object")

    def _resolve(self, reference: Reference) -> Any:
        if reference.mine:
            if reference.number not in self._lent:
                raise WireError("the other side means an object that it was not lent")
            return self._lent[reference.number]
        kind = RemoteFunction if reference.kind == "function" else RemoteObject
        return kind(self, reference.number)


class Lent:
    """The number of an object that the other side owns."""

    def __init__(self, number: int) -> None:
        self.number = number


class RemoteObject:
    """Stands for an object of the other side. What it says of itself is only that side's claim."""

    def __init__(self, peer: Peer, number: int) -> None:
        self.__dict__.update(remote_peer=peer, remote_number=number)

    def _ask(self, operation: str, *values: Any) -> Any:
        return self.remote_peer.request(operation, self, *values)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__array_"):  # NumPy asks for its protocols; __array__ is below
            raise AttributeError(name)
        return self._ask("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("set", name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", key)

    def __len__(self) -> int:
        return self._ask("len")

    def __iter__(self) -> Iterator[Any]:
        return self._ask("iter")

    def __next__(self) -> Any:
        return self._ask("next")

    def __contains__(self, value: Any) -> bool:
        return self._ask("in", value) is True

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        import numpy as np

        return np.asarray(self._ask("array"), dtype=dtype)

    def __bool__(self) -> bool:
        return True  # that there is something; what it would say of itself is not asked

    def __repr__(self) -> str:
        return str(self._ask("text"))


class RemoteFunction(RemoteObject):
    """A RemoteObject that can be called."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self.remote_peer.call(self.remote_number, arguments, options)


def _update(mine: Any, new: Any) -> None:
    """Bring arrays, lists and dicts to what the other side has made of its copies of them."""
    import numpy as np

    if isinstance(mine, np.ndarray) and isinstance(new, np.ndarray):
        if mine.flags.writeable and mine.shape == new.shape:
            mine[...] = new
    elif isinstance(mine, dict) and isinstance(new, dict):
        for key in [key for key in mine if key not in new]:
            del mine[key]
        for key, value in new.items():
            mine[key] = _updated(mine.get(key), value)
    elif isinstance(mine, list) and isinstance(new, list):
        mine[:] = [_updated(old, value) for old, value in zip(mine, new)] + new[len(mine) :]
    elif isinstance(mine, tuple) and isinstance(new, tuple | list):
        for old, value in zip(mine, new):
            _update(old, value)
    elif isinstance(mine, np.random.Generator) and isinstance(new, np.random.Generator):
        mine.bit_generator.state = new.bit_generator.state


def _updated(mine: Any, new: Any) -> Any:
    import numpy as np

    same_kind = type(mine) is type(new) and isinstance(mine, list | dict | np.ndarray | np.random.Generator)
    if same_kind and getattr(mine, "shape", None) == getattr(new, "shape", None):
        _update(mine, new)
        return mine
    return mine if isinstance(mine, RemoteObject) or callable(mine) else new


def _describe(error: BaseException) -> list[Any]:
    names = [kind.__name__ for kind in type(error).__mro__ if kind not in (object, BaseException)]
    try:
        message = str(error)[:MAX_MESSAGE]
    except BaseException:  # code of the student's, which may end with an exit
        message = "(its message cannot be shown)"
    return [names[:20], message.encode("utf-8", "replace").decode()]


def _as_exception(described: Any) -> Exception:
    """Python's own exception nearest to the one described; an exit or an interrupt is an error like others."""
    try:
        names, message = described
        text = str(message)[:MAX_MESSAGE]
        kinds = [getattr(builtins, name, None) for name in names[:20]]
    except (TypeError, ValueError):
        return RemoteError("an error that cannot be read")
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Exception) and kind is not Exception:
            try:
                return kind(text)
            except TypeError:  # such as UnicodeDecodeError, which wants more; the class above it does not
                continue
    return RemoteError(f"{names[0]}: {text}" if names else text)


def _as_array(value: Any) -> Any:
    import numpy as np

    return np.asarray(value)
