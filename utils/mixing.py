"""The mix iterator: one training batch made of one batch from each of several sources.

Semi-supervised training needs batches of a fixed composition, for example 44 labelled rows, 4 rows of validation data
and 16 pseudo-labelled rows of the test data (Lee, "Pseudo-Label", ICML 2013 workshop, trains on both kinds at once).
"""

import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from utils.batch_sources import PartEnded, make_source
from utils.batches import Batch, Layout, count_rows


class MixIterator(keras.utils.PyDataset):
    """Batches that join one batch from each part, in the order of the parts.

    A part is one of:
        - arrays: a tuple (inputs,), (inputs, targets) or (inputs, targets, sample_weights), each an array of shape
          (rows, ...) or a nest (dict, list, tuple) of such arrays; it needs a batch size, and is shuffled anew each
          epoch;
        - a `keras.utils.PyDataset`, a batched `tf.data.Dataset`, a list of batches, or any object that can be iterated
          more than once and gives batches;
        - an iterator of batches, such as a generator; it can be gone through once only. A function that takes nothing
          and returns an iterator can start again.

    An epoch is as long as the longest part whose length is known; shorter parts start again (`restart=True`). Or it
    ends with the shortest (`restart=False`). Where a part gives fewer rows than in its first batch, as at the end of
    an epoch, all parts give the same share of theirs, so that the proportions hold in every batch (to whole rows). A
    dataset that starts again within an epoch should therefore have batches of one size:
    `dataset.repeat().batch(4)`, or `dataset.batch(4, drop_remainder=True)`.
    A part without sample weights, or with None for them, beside one that has them gets 1.0 for each row.

    Pass it to `model.fit(mix)`. Python code iterates over one epoch with `for batch in mix`.

    Example:
        >>> labelled = np.zeros((440, 80)), np.zeros(440)
        >>> validation = np.zeros((40, 80)), np.zeros(40)
        >>> pseudo_labelled = np.zeros((200, 80)), np.zeros(200)
        >>> mix = MixIterator([labelled, validation, pseudo_labelled], batch_sizes=[44, 4, 16], seed=0)
        >>> inputs, targets = mix[0]
        >>> inputs.shape, targets.shape
        ((64, 80), (64,))
        >>> len(mix)  # 200 pseudo-labelled rows last longest: 12 batches of 16, then 8 beside 22 and 2
        13
        >>> [len(targets) for inputs, targets in mix][-2:]
        [64, 32]

    Args:
        parts: the sources, as above.
        batch_sizes: rows from each part in a batch. An entry is needed for arrays and None for all others, whose
            batches come as they are; None where there are no arrays.
        restart: whether a part that ends early starts again (True) or ends the epoch (False).
        steps: batches in an epoch; None takes them from the parts. Needed where no part knows its length and restart is
            True: such an epoch has no end.
        shuffle: whether arrays are shuffled before each epoch.
        seed: integer for the shuffling; None for another order each time. `model.fit` shuffles the order of the batches
            as well, by Python's own seed: `keras.utils.set_random_seed` fixes that, and shuffle=False turns it off.
        workers: threads that prepare batches in `model.fit` on TensorFlow. There is one on other backends, and where
            `in_turn` is True, see the attribute `workers`. Threads, not processes: joining rows costs less than sending
            the batch from one process to another.

    Attributes:
        in_turn: whether batches come one after the other, whatever index is asked for, as iterators give them.

    Raises:
        TypeError: a part is none of the above, or a batch does not have one to three members of arrays.
        ValueError: a batch size is missing, superfluous or below 1, `steps` is missing or exceeds a part that is not to
            start again, or the batches of two parts do not fit together: then the message names the part, the array
            and both shapes or types.
    """

    # Before it trains, Keras looks at the first batches to learn their shapes: it asks for the same ones twice, and
    # begins an epoch that it breaks off. Since some streams can be read only once, so many of an epoch's first batches
    # are kept, to come again after such a look. Keras's own queues hold 10 batches at most.
    _KEPT = 16

    def __init__(
        self,
        parts: Sequence[Any],
        batch_sizes: Sequence[int | None] | None = None,
        *,
        restart: bool = True,
        steps: int | None = None,
        shuffle: bool = True,
        seed: int | None = None,
        workers: int = 1,
    ) -> None:
        sizes = _checked_sizes(len(parts), batch_sizes)
        generator = np.random.default_rng(seed) if shuffle else None
        self._parts = [
            make_source(number, part, size, restart, generator) for number, (part, size) in enumerate(zip(parts, sizes))
        ]
        firsts = [part.first() for part in self._parts]
        self._usual_rows = [count_rows(batch) for batch in firsts]
        self._layout = Layout(firsts)
        for part in self._parts:
            part.follow(self._layout)
        self._length = _epoch_length([part.length for part in self._parts], restart, steps)
        self.in_turn = any(part.in_turn for part in self._parts)
        # Keras's trainers other than TensorFlow's break off an epoch to build the model, and train on the batches that
        # several threads had prepared for it in the next: rows would come twice, and others not at all (Keras 3.15).
        super().__init__(workers=1 if self.in_turn or keras.backend.backend() != "tensorflow" else workers)
        self._lock = threading.Lock()
        self._positions: dict[int, int] = {}  # of the batches given in this epoch, by the index asked for
        self._kept: list[Batch] = []
        self._in_epoch = False
        self._has_trained = False

    def __len__(self) -> int:
        """Batches in an epoch.

        Raises:
            TypeError: no part knows its length and no steps were given.
        """
        if self._length is None:
            raise TypeError("no part of this MixIterator knows its length: give it steps=, the batches in an epoch")
        return self._length

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None where it is not known."""
        return self._length

    def __getitem__(self, index: int) -> Batch:
        """Join a batch of each part.

        Args:
            index: position in the epoch, in [0, len(self)). Where the mix is `in_turn`, an index asked for the first
                time in an epoch gets the next batch.

        Returns:
            A tuple (inputs,), (inputs, targets) or (inputs, targets, sample_weights) of arrays of shape (rows, ...);
            lists of arrays come as tuples.

        Raises:
            IndexError: the index is out of range, or a part has ended and `restart` is False.
            ValueError: a part's batch does not fit the first part's, or a one-time iterator has nothing left.
        """
        if index < 0 or (self._length is not None and index >= self._length):
            last = "" if self._length is None else f" to {self._length - 1}"
            raise IndexError(f"the batches of an epoch are numbered from 0{last}, got {index}")
        return self._next_in_turn(index) if self.in_turn else self._join(index)

    def __iter__(self) -> Iterator[Batch]:
        """Go through one epoch."""
        self.on_epoch_begin()
        try:
            for index in itertools.count() if self._length is None else range(self._length):
                try:
                    batch = self[index]
                except PartEnded:
                    self._has_trained = True  # a short epoch, yet a whole one
                    return
                yield batch
        finally:
            self.on_epoch_end()

    def on_epoch_begin(self) -> None:
        """Tell every part that an epoch begins; Keras calls this."""
        if self._in_epoch:  # an error broke the last one off
            self.on_epoch_end()
        self._in_epoch = True
        for part in self._parts:
            part.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell every part that an epoch has ended: arrays are shuffled. Keras calls this."""
        whole = min(self._KEPT, self._length or self._KEPT)
        only_looked = not self._in_epoch or not (self._has_trained or len(self._positions) >= whole)
        self._positions.clear()
        self._in_epoch = False
        if self.in_turn and only_looked:
            return
        self._has_trained = True
        self._kept.clear()
        for part in self._parts:
            part.on_epoch_end()

    def _next_in_turn(self, index: int) -> Batch:
        with self._lock:
            position = self._positions.get(index, len(self._positions))
            batch = self._kept[position] if position < len(self._kept) else self._join(position)
            if position == len(self._kept) < self._KEPT:
                self._kept.append(batch)
            self._positions[index] = position
            return batch

    def _join(self, position: int) -> Batch:
        leaves = [part.leaves(position, self._length) for part in self._parts]
        rows = [len(arrays[0]) for arrays in leaves]
        if rows != self._usual_rows:
            wanted = self._in_proportion(rows)
            leaves = [[array[:count] for array in arrays] for arrays, count in zip(leaves, wanted)]
        joined = [np.concatenate(arrays) for arrays in zip(*leaves)]
        return keras.tree.pack_sequence_as(self._layout.structure, joined)

    def _in_proportion(self, rows: list[int]) -> list[int]:
        """Rows to take of each part, where the parts have so many: the same share of the usual number from all."""
        share = min(1.0, *(count / usual for count, usual in zip(rows, self._usual_rows)))
        return [min(count, max(1, round(usual * share))) for count, usual in zip(rows, self._usual_rows)]


def _checked_sizes(parts: int, batch_sizes: Sequence[int | None] | None) -> list[int | None]:
    if not parts:
        raise ValueError("MixIterator needs at least one part, got none")
    if batch_sizes is None:
        return [None] * parts
    if not isinstance(batch_sizes, Sequence | np.ndarray) or len(batch_sizes) != parts:
        raise ValueError(f"batch_sizes must have one entry for each of {parts} parts, got {batch_sizes}")
    return list(batch_sizes)


def _epoch_length(lengths: list[int | None], restart: bool, steps: int | None) -> int | None:
    known = {number: length for number, length in enumerate(lengths) if length is not None}
    if steps is None and restart and not known:
        raise ValueError(
            "no part knows its length, and parts start again at their end, so that an epoch would never end: give "
            "steps=, the batches in an epoch, or let it end with the shortest part, restart=False"
        )
    if steps is None:
        return (max if restart else min)(known.values(), default=None)
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    shortest = min(known, key=known.get, default=None)
    if not restart and known and steps > known[shortest]:
        raise ValueError(
            f"part {shortest} ends after {known[shortest]} batches, before the {steps} steps of an epoch: lower steps, "
            "or let it start again with restart=True"
        )
    return steps
