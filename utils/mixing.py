"""The mix iterator: one training batch made of one batch from each of several sources.

Semi-supervised training needs batches of a fixed composition, for example 44 labelled rows, 4 rows of validation data
and 16 pseudo-labelled rows of the test data (Lee, "Pseudo-Label", ICML 2013 workshop, trains on both kinds at once).
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from utils.batch_sources import Batch, Stream, count_rows, cut, make_source


class MixIterator(keras.utils.PyDataset):
    """Batches that join one batch from each part, in the order of the parts.

    A part is one of:
        - arrays: a tuple (inputs, targets) or (inputs, targets, sample_weights), each an array of shape (rows, ...) or
          a nest (dict, list, tuple) of such arrays; it needs a batch size, and is shuffled anew each epoch;
        - a `keras.utils.PyDataset`, a `tf.data.Dataset`, a list of batches, or any object that can be iterated more
          than once and gives batches;
        - an iterator of batches, such as a generator; it can be gone through once only. A function that takes nothing
          and returns an iterator can start again.

    An epoch is as long as the longest part whose length is known; shorter parts start again (`restart=True`). Or it
    ends with the shortest (`restart=False`). Where a part has no more than a share of its usual rows left, as in the
    last batch of an epoch, all parts give that share, so that the proportions hold in every batch (to whole rows).
    A part without sample weights beside one that has them gets 1.0 for each row.

    Pass it to `model.fit(mix)`. Python code iterates over one epoch with `for batch in mix`.

    Args:
        parts: the sources, as above.
        batch_sizes: rows from each part in a batch. An entry is needed for arrays and None for all others, whose
            batches come as they are; None where there are no arrays.
        restart: whether a part that ends early starts again (True) or ends the epoch (False).
        steps: batches in an epoch; None takes them from the parts. `model.fit` needs it where no part knows its length.
        shuffle: whether arrays are shuffled before each epoch.
        seed: integer for the shuffling; None for another order each time. `model.fit` shuffles the order of the batches
            as well, by Python's own seed: `keras.utils.set_random_seed` fixes that, and shuffle=False turns it off.
        workers: threads that prepare batches in `model.fit`. Where a part gives its batches one after the other, as
            iterators do, there is one: several would fetch the next epoch's first batches before this one has ended.

    Raises:
        TypeError: a part is none of the above, or its batches are no tuples of one to three members.
        ValueError: a batch size is missing, superfluous or below 1, or the batches of two parts do not fit together:
            then the message names the part and both shapes or types.
    """

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
        super().__init__(workers=workers)
        if not parts:
            raise ValueError("MixIterator needs at least one part, got none")
        if steps is not None and steps < 1:
            raise ValueError(f"steps must be at least 1, got {steps}")
        sizes = [None] * len(parts) if batch_sizes is None else list(batch_sizes)
        if len(sizes) != len(parts):
            raise ValueError(f"batch_sizes must have one entry for each of {len(parts)} parts, got {len(sizes)}")
        generator = np.random.default_rng(seed)
        self._restart = restart
        self._steps = steps
        self._parts = [
            make_source(number, part, size, restart, generator if shuffle else None)
            for number, (part, size) in enumerate(zip(parts, sizes))
        ]
        if any(isinstance(part, Stream) for part in self._parts):
            self.workers = 1
        first = [part.first() for part in self._parts]
        self._weights = next((batch[2] for batch in first if len(batch) == 3), None)
        first = [self._with_weights(batch) for batch in first]
        for number, batch in enumerate(first[1:], start=1):
            _check_alike(number, batch, first[0])
        self._usual_rows = [count_rows(batch) for batch in first]

    def __len__(self) -> int:
        """Batches in an epoch.

        Raises:
            TypeError: no part knows its length and no steps were given.
        """
        number = self.num_batches
        if number is None:
            raise TypeError("no part of this MixIterator knows its length: give it steps=, the batches in an epoch")
        return number

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch; None where it is not known."""
        lengths = [part.length for part in self._parts if part.length is not None]
        if self._steps is not None or not lengths:
            return self._steps
        return max(lengths) if self._restart else min(lengths)

    def __getitem__(self, index: int) -> Batch:
        """Join batch number `index` of each part.

        Args:
            index: position in the epoch, in [0, len(self)).

        Returns:
            A tuple (inputs,), (inputs, targets) or (inputs, targets, sample_weights) of arrays of shape (rows, ...).

        Raises:
            IndexError: a part has ended and `restart` is False.
            ValueError: a part's batch does not fit the first part's, or a one-time iterator has nothing left.
        """
        batches = [self._with_weights(part.batch(index, self.num_batches)) for part in self._parts]
        rows = [count_rows(batch) for batch in batches]
        share = min(1.0, *(count / usual for count, usual in zip(rows, self._usual_rows)))
        wanted = [min(count, max(1, round(usual * share))) for count, usual in zip(rows, self._usual_rows)]
        batches = [cut(batch, count) for batch, count in zip(batches, wanted)]
        try:
            return keras.tree.map_structure(lambda *leaves: np.concatenate(leaves), *batches)
        except (ValueError, TypeError):
            for number, batch in enumerate(batches[1:], start=1):
                _check_alike(number, batch, batches[0])
            raise

    def __iter__(self) -> Iterator[Batch]:
        """Go through one epoch."""
        self.on_epoch_begin()
        try:
            for index in itertools.count() if self.num_batches is None else range(self.num_batches):
                try:
                    batch = self[index]
                except IndexError:  # a part of unknown length has ended
                    return
                yield batch
        finally:
            self.on_epoch_end()

    def on_epoch_begin(self) -> None:
        """Tell every part that an epoch begins; Keras calls this."""
        for part in self._parts:
            part.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell every part that an epoch has ended: arrays are shuffled. Keras calls this."""
        for part in self._parts:
            part.on_epoch_end()

    def _with_weights(self, batch: Batch) -> Batch:
        if self._weights is None or len(batch) != 2:
            return batch
        rows = count_rows(batch)
        ones = keras.tree.map_structure(lambda leaf: np.ones((rows, *leaf.shape[1:]), leaf.dtype), self._weights)
        return (*batch, ones)


def _check_alike(number: int, batch: Batch, first: Batch) -> None:
    """Raise where a batch of part `number` cannot be joined to one of part 0."""
    try:
        keras.tree.assert_same_structure(first, batch)
    except (ValueError, TypeError) as error:
        raise ValueError(f"part {number} is nested otherwise than part 0: {error}") from None
    for ours, theirs in zip(keras.tree.flatten(first), keras.tree.flatten(batch)):
        if ours.shape[1:] != theirs.shape[1:] or ours.dtype != theirs.dtype:
            raise ValueError(
                f"part {number} does not fit part 0: a row has shape {theirs.shape[1:]} and type {theirs.dtype}, "
                f"and in part 0 shape {ours.shape[1:]} and type {ours.dtype}"
            )
