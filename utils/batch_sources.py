"""Where a `utils.mixing.MixIterator` gets its batches from: arrays, datasets and streams, behind one interface."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from utils.batches import Batch, Layout, as_batch, count_rows


class PartEnded(IndexError):
    """A part has no batch left and does not start again."""


class Source:
    """One part of a mix.

    Attributes:
        length: batches in one pass over the part; None where it is not known.
        in_turn: whether batches come one after the other, whatever position is asked for.
    """

    length: int | None
    in_turn = False

    def __init__(self, number: int, restart: bool):
        self._number = number
        self._restart = restart

    def first(self) -> Batch:
        """A batch of the usual size, to learn shapes and types from; no batch is lost by it."""
        raise NotImplementedError

    def follow(self, layout: Layout) -> None:
        """Give the arrays of this layout from now on; call it before `leaves`."""
        self._layout = layout

    def leaves(self, position: int, epoch: int | None) -> list[np.ndarray]:
        """The arrays of the batch at a position of an epoch of `epoch` batches, in the layout's order.

        Raises:
            PartEnded: there is no batch left, and the part does not start again.
        """
        return self._layout.flatten(self._number, self._batch(position))

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""

    def _batch(self, position: int) -> Batch:
        raise NotImplementedError


class Arrays(Source):
    """A part held in memory. It wraps around at its end, so that only an epoch's last batch can be short."""

    def __init__(self, number: int, arrays: Batch, size: int, restart: bool, generator: np.random.Generator | None):
        super().__init__(number, restart)
        self._arrays = as_batch(number, arrays)
        self._rows = count_rows(self._arrays)
        if self._rows < size:
            raise ValueError(
                f"part {number} has {self._rows} rows and cannot give batches of {size}: lower its batch size"
            )
        self._size = size
        self._generator = generator
        self._order = np.arange(self._rows)
        self.length = -(-self._rows // self._size)
        self.on_epoch_end()

    def first(self) -> Batch:
        return keras.tree.map_structure(lambda leaf: leaf[: self._size], self._arrays)

    def follow(self, layout: Layout) -> None:
        self._leaves = layout.flatten(self._number, self._arrays)

    def leaves(self, position: int, epoch: int | None) -> list[np.ndarray]:
        if position >= self.length and not self._restart:
            raise PartEnded(f"part {self._number} has ended after {self.length} batches")
        start = position * self._size
        chosen = self._order[start : start + self._size]
        # The part that sets the epoch's length ends with what is left; all others go on from their beginning.
        if len(chosen) < self._size and self.length != epoch:
            chosen = self._order.take(range(start, start + self._size), mode="wrap")
        return [leaf.take(chosen, axis=0) for leaf in self._leaves]

    def on_epoch_end(self) -> None:
        if self._generator is not None:
            self._order = self._generator.permutation(self._rows)


class Indexed(Source):
    """A part that is itself a PyDataset of known length."""

    def __init__(self, number: int, dataset: keras.utils.PyDataset, restart: bool):
        super().__init__(number, restart)
        self._dataset = dataset
        self.length = dataset.num_batches
        self.in_turn = getattr(dataset, "in_turn", False)  # a mix within a mix
        if self.length == 0:
            raise ValueError(f"part {number} gives no batch")

    def first(self) -> Batch:
        return self._batch(0)

    def on_epoch_begin(self) -> None:
        self._dataset.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._dataset.on_epoch_end()

    def _batch(self, position: int) -> Batch:
        if position >= self.length and not self._restart:
            raise PartEnded(f"part {self._number} has ended after {self.length} batches")
        return as_batch(self._number, self._dataset[position % self.length])


class Stream(Source):
    """A part that gives its batches one after the other, and goes on in the next epoch where it stopped."""

    in_turn = True

    def __init__(self, number: int, source: Iterable | Callable[[], Iterable], restart: bool):
        super().__init__(number, restart)
        self._source = source
        self._iterator = self._open()
        self.length = _known_length(source)

    def first(self) -> Batch:
        batch = next(self._iterator)
        self._iterator = itertools.chain([batch], self._iterator)
        return as_batch(self._number, batch)

    def on_epoch_begin(self) -> None:
        if isinstance(self._source, keras.utils.PyDataset):
            self._source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        if isinstance(self._source, keras.utils.PyDataset):
            self._source.on_epoch_end()
        if not self._restart and not isinstance(self._source, Iterator):
            self._iterator = self._open()

    def _batch(self, position: int) -> Batch:
        for batch in self._iterator:
            return as_batch(self._number, batch)
        if not self._restart:
            raise PartEnded(f"part {self._number} has ended; for model.fit, say how many steps= an epoch has")
        if isinstance(self._source, Iterator):
            raise ValueError(
                f"part {self._number} is an iterator that has ended and cannot start again: pass a function that "
                "returns a new one, or restart=False"
            )
        self._iterator = self._open()
        return as_batch(self._number, next(self._iterator))

    def _open(self) -> Iterator:
        """Start at the beginning; the iterator has at least one batch."""
        source = self._source() if callable(self._source) else self._source
        _check_iterable(self._number, source)
        as_arrays = getattr(source, "as_numpy_iterator", None)  # tf.data.Dataset, without importing TensorFlow
        iterator = as_arrays() if as_arrays else iter(source)
        for batch in iterator:
            return itertools.chain([batch], iterator)
        raise ValueError(f"part {self._number} gives no batch")


def make_source(
    number: int, part: Any, size: int | None, restart: bool, generator: np.random.Generator | None
) -> Source:
    """Choose the source for a part.

    Args:
        number: the part's position, for messages.
        part: what the user gave, see `MixIterator`.
        size: rows in a batch; for arrays only.
        restart: whether the source starts again at its end, or raises `PartEnded`.
        generator: shuffles arrays; None keeps their order.

    Raises:
        TypeError: the part is of no known kind.
        ValueError: the batch size is missing, superfluous or too large.
    """
    if isinstance(part, tuple):
        if not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(f"part {number} is a tuple of arrays and needs a batch size of at least 1, got {size}")
        return Arrays(number, part, int(size), restart, generator)
    if not callable(part):
        _check_iterable(number, part)
    if size is not None:
        raise ValueError(f"part {number} makes its batches itself: its entry in batch_sizes must be None, got {size}")
    if isinstance(part, keras.utils.PyDataset) and part.num_batches is not None:
        return Indexed(number, part, restart)
    return Stream(number, part, restart)


def _check_iterable(number: int, part: Any) -> None:
    """Refuse what can be iterated but gives no batches, and say what was probably meant."""
    if hasattr(part, "shape"):
        problem = f"got one array of shape {tuple(part.shape)}: pass a tuple, (inputs,) or (inputs, targets)"
    elif isinstance(part, Mapping):
        problem = "got a dict: pass a tuple (inputs, targets), each of which may be a dict of arrays"
    elif isinstance(part, list) and any(hasattr(member, "shape") for member in part):
        problem = (
            f"got a list of {len(part)} arrays: write (inputs, targets), a tuple, for arrays to cut batches from, "
            "and [(inputs, targets), ...] for batches that are ready"
        )
    elif isinstance(part, str | bytes) or not isinstance(part, Iterable | keras.utils.PyDataset):
        problem = f"got {type(part).__name__}"
    else:
        return
    raise TypeError(
        f"part {number} must be a tuple of arrays, a PyDataset, a Dataset, an iterator of batches or a function that "
        f"returns one; {problem}"
    )


def _known_length(source: Any) -> int | None:
    if isinstance(source, keras.utils.PyDataset):
        return source.num_batches
    try:
        return len(source)
    except TypeError:  # no length, or a Dataset whose length is unknown or infinite
        return None
