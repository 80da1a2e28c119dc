"""Where a `utils.mixing.MixIterator` gets its batches from: arrays, datasets and streams, behind one interface."""

import collections
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np

Batch = tuple  # (inputs,), (inputs, targets) or (inputs, targets, sample_weights); each nested as the model wants it


class Source:
    """One part of a mix.

    Attributes:
        length: batches in one pass over the part; None where it is not known.
    """

    length: int | None

    def first(self) -> Batch:
        """A batch of the usual size, to learn shapes and types from; no batch is lost by it."""
        raise NotImplementedError

    def batch(self, index: int, epoch: int | None) -> Batch:
        """The batch for position `index` of an epoch of `epoch` batches.

        Raises:
            IndexError: the part has ended and does not start again.
        """
        raise NotImplementedError

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


class Arrays(Source):
    """A part held in memory. It wraps around at its end, so that only an epoch's last batch can be short."""

    def __init__(self, number: int, arrays: Batch, size: int, restart: bool, generator: np.random.Generator | None):
        rows = {len(leaf) for leaf in keras.tree.flatten(arrays)}
        if len(rows) > 1:
            raise ValueError(f"the arrays of part {number} must have as many rows each, got {sorted(rows)}")
        self._rows = rows.pop()
        if self._rows < size:
            raise ValueError(
                f"part {number} has {self._rows} rows and cannot give batches of {size}: lower its batch size"
            )
        self._arrays = keras.tree.map_structure(np.asarray, arrays)
        self._size = size
        self._restart = restart
        self._generator = generator
        self._order = np.arange(self._rows)
        self.length = -(-self._rows // self._size)
        self.on_epoch_end()

    def first(self) -> Batch:
        return cut(self._arrays, self._size)

    def batch(self, index: int, epoch: int | None) -> Batch:
        if index >= self.length and not self._restart:
            raise IndexError("the shortest part has ended")
        rows = np.arange(index * self._size, (index + 1) * self._size)
        if self.length == epoch:  # this part sets the epoch's length: its last batch is what is left
            rows = rows[rows < self._rows]
        chosen = self._order[rows % self._rows]
        return keras.tree.map_structure(lambda leaf: leaf[chosen], self._arrays)

    def on_epoch_end(self) -> None:
        if self._generator is not None:
            self._order = self._generator.permutation(self._rows)


class Indexed(Source):
    """A part that is itself a PyDataset of known length."""

    def __init__(self, number: int, dataset: keras.utils.PyDataset, restart: bool):
        self._number = number
        self._dataset = dataset
        self._restart = restart
        self.length = dataset.num_batches

    def first(self) -> Batch:
        return self.batch(0, None)

    def batch(self, index: int, epoch: int | None) -> Batch:
        if index >= self.length and not self._restart:
            raise IndexError("the shortest part has ended")
        return _as_batch(self._number, self._dataset[index % self.length])

    def on_epoch_begin(self) -> None:
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._dataset.on_epoch_end()


class Stream(Source):
    """A part that gives its batches one after the other, to whichever thread asks next.

    Before it trains, Keras looks at the first batches to learn their shapes: it asks for the same positions twice, and
    begins an epoch that it breaks off. No batch may get lost that way, since some streams can be read only once. So the
    first few of an epoch are remembered: asked for again they come again, and from an epoch broken off before the
    first one trained they go back to the front.
    """

    _REMEMBERED = 16  # Keras's own queue holds 10 batches, and each thread one more

    def __init__(self, number: int, source: Iterable | Callable[[], Iterator], restart: bool):
        self._number = number
        self._source = source
        self._restart = restart
        self._lock = threading.Lock()
        self._served: dict[int, Batch] = {}
        self._returned: collections.deque[Batch] = collections.deque()
        self._has_trained = False
        self._enough = self._REMEMBERED
        self._iterator = self._open()
        self.length = _known_length(source)

    def first(self) -> Batch:
        return self.batch(0, None)

    def batch(self, index: int, epoch: int | None) -> Batch:
        with self._lock:
            if index in self._served:
                return self._served[index]
            batch = self._returned.popleft() if self._returned else self._next()
            if len(self._served) < self._REMEMBERED:
                self._served[index] = batch
            self._enough = min(self._REMEMBERED, epoch or self._REMEMBERED)
            return batch

    def on_epoch_end(self) -> None:
        with self._lock:
            if not self._has_trained and len(self._served) < self._enough:
                self._returned.extendleft(reversed(self._served.values()))
            else:
                self._has_trained = True
                if not self._restart and not isinstance(self._source, Iterator):
                    self._iterator = self._open()
            self._served.clear()

    def _next(self) -> Batch:
        try:
            return _as_batch(self._number, next(self._iterator))
        except StopIteration:
            pass
        if not self._restart:
            raise IndexError("a part of unknown length has ended; for model.fit, say how many steps= an epoch has")
        if isinstance(self._source, Iterator):
            raise ValueError(
                f"part {self._number} is an iterator that has ended and cannot start again: pass a function that "
                "returns a new one, or restart=False"
            )
        self._iterator = self._open()
        try:
            return _as_batch(self._number, next(self._iterator))
        except StopIteration:
            raise ValueError(f"part {self._number} gives no batch") from None

    def _open(self) -> Iterator:
        if callable(self._source):
            return iter(self._source())
        as_arrays = getattr(self._source, "as_numpy_iterator", None)  # tf.data.Dataset, without importing TensorFlow
        return as_arrays() if as_arrays else iter(self._source)


def make_source(
    number: int, part: Any, size: int | None, restart: bool, generator: np.random.Generator | None
) -> Source:
    """Choose the source for a part.

    Args:
        number: the part's position, for messages.
        part: what the user gave, see `MixIterator`.
        size: rows in a batch; for arrays only.
        restart: whether the source starts again at its end, or raises an IndexError.
        generator: shuffles arrays; None keeps their order.

    Raises:
        TypeError: the part is of no known kind.
        ValueError: the batch size is missing, superfluous or too large.
    """
    if isinstance(part, tuple) and all(hasattr(leaf, "shape") for leaf in keras.tree.flatten(part)):
        if not 1 <= len(part) <= 3:
            raise TypeError(f"part {number} must be (inputs, targets) or with sample weights, got {len(part)} members")
        if size is None or size < 1:
            raise ValueError(f"part {number} is a tuple of arrays and needs a batch size of at least 1, got {size}")
        return Arrays(number, part, size, restart, generator)
    if size is not None:
        raise ValueError(f"part {number} makes its batches itself: its entry in batch_sizes must be None, got {size}")
    if isinstance(part, keras.utils.PyDataset) and part.num_batches is not None:
        return Indexed(number, part, restart)
    if isinstance(part, Iterable) or callable(part):
        return Stream(number, part, restart)
    raise TypeError(
        f"part {number} must be a tuple of arrays, a PyDataset, a Dataset, an iterator of batches or a function that "
        f"returns one, got {type(part).__name__}"
    )


def _as_batch(number: int, batch: Any) -> Batch:
    members = batch if isinstance(batch, tuple) else (batch,)
    if not 1 <= len(members) <= 3:
        raise TypeError(f"a batch of part {number} must have one to three members, got {len(members)}")
    return keras.tree.map_structure(np.asarray, members)


def _known_length(source: Any) -> int | None:
    try:
        return len(source)
    except TypeError:  # no length, or a Dataset whose length is unknown or infinite
        return None


def count_rows(batch: Batch) -> int:
    """Number of rows of a batch, read off its first array."""
    return len(keras.tree.flatten(batch)[0])


def cut(batch: Batch, rows: int) -> Batch:
    """The first rows of every array of a batch."""
    return keras.tree.map_structure(lambda leaf: leaf[:rows], batch)
