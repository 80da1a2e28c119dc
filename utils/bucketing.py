"""Batches of sequences of similar length, so that training spends fewer steps on padding."""

from collections.abc import Collection, Sequence
from typing import Any

import keras
import numpy as np

from utils.padding import lengths, pad_sequences


def bucket_lengths(lengths: Sequence[int] | np.ndarray, buckets: int, batch_size: int = 1) -> np.ndarray:
    """Choose the lengths to pad to that leave an epoch the fewest steps.

    Batches are filled in order of length; the rows that do not fill a bucket's last batch move up to the next bucket.
    So the batches up to a padded length hold all whole batches of the sequences that fit into it, and the number of
    steps is a sum over neighbouring padded lengths, which dynamic programming minimises exactly.

    Args:
        lengths: int array of shape (sequences,), the time steps of each sequence; 0 counts as 1.
        buckets: at most this many lengths are chosen; at least 1.
        batch_size: sequences in a batch.

    Returns:
        Increasing int64 array of shape (at most buckets,); the last is the longest length.

    Raises:
        ValueError: there are no lengths, or buckets or batch_size is below 1.
    """
    _check_positive(buckets=buckets, batch_size=batch_size)
    if not len(lengths):
        raise ValueError("there are no sequences: BucketedBatches needs at least one")
    fitting = np.cumsum(np.bincount(np.maximum(lengths, 1)))
    in_batches = fitting // batch_size * batch_size
    in_batches[-1] = len(lengths)  # the longest length takes the short batch
    candidates = np.flatnonzero(np.diff(in_batches, prepend=0))
    chosen = _cheapest(np.append(0, candidates), np.append(0, in_batches[candidates]), buckets)
    return np.array(chosen, np.int64)


def _cheapest(candidates: np.ndarray, rows: np.ndarray, buckets: int) -> list[int]:
    """Candidates c_1 < ... < c_k, k <= buckets, c_k the last, with the least sum of c_i * (rows_i - rows_(i-1)).

    The first candidate is 0 and stands for no bucket at all; rows is cumulative.
    """
    cost = np.where(candidates == 0, 0.0, np.inf)
    previous = np.zeros((buckets, len(candidates)), np.int64)
    for bucket in range(buckets):
        shorter, cost = cost, np.zeros(len(candidates))
        for last in range(1, len(candidates)):
            totals = shorter[:last] + candidates[last] * (rows[last] - rows[:last])
            previous[bucket, last] = totals.argmin()
            cost[last] = totals.min()
    chosen, last = [], len(candidates) - 1
    for bucket in reversed(range(buckets)):
        if last:
            chosen.append(int(candidates[last]))
            last = previous[bucket, last]
    return chosen[::-1]


class BucketedBatches(keras.utils.PyDataset):
    """Batches for `model.fit` in which every sequence has about the same length, padded to one of a few lengths.

    Padded to the longest of all, short sequences spend most steps of a recurrent network on padding. Here each batch
    is padded to the shortest of a few lengths that holds its sequences. The idea is that of TensorFlow's
    `tf.data.Dataset.bucket_by_sequence_length`; PyTorch's packed sequences save the same steps another way, by
    stopping each row of a batch at its own end.

    There are few lengths, since a compiled model is compiled again for every new shape: `buckets` lengths and one short
    batch are all that XLA (JAX, or TensorFlow with jit_compile) ever sees. `bucket_lengths` chooses them. Rows that do
    not fill a bucket's last batch move up to the next, so that only one batch of an epoch is short, the longest kind.

    The model's input has an open time axis, as in `keras.Input((None,))`. Its results do not depend on how far a
    sequence is padded if it masks the padding: `Embedding(..., mask_zero=True)` for ids of which 0 is the padding's
    alone, `keras.layers.Masking(value)` for vectors, then layers that use the mask (recurrent layers, attention,
    average pooling). Convolution and maximum pooling ignore it, so their results depend on the padding; `Flatten` needs
    one fixed length.

    Rows are shuffled before each epoch and so is the order of the batches; Keras shuffles that order once more where
    `model.fit` has shuffle=True, by Python's own seed (`keras.utils.set_random_seed`). For validation and prediction
    pass shuffle=False, and bring predictions back to the order of `sequences`:

        batches = BucketedBatches(sequences, shuffle=False)
        probabilities = batches.restore(model.predict(batches))

    Args:
        sequences: list of sequences; each is a list or array of shape (time,), such as ids, or (time, features).
        targets: array of shape (sequences, ...), or a nest (dict, list, tuple) of such arrays; None for none.
        sample_weights: the same for the weights of the sequences in the loss; None for none.
        batch_size: sequences in a batch.
        maxlen: longer sequences are cut to this many time steps; None cuts none.
        buckets: lengths to pad to, at most. More save more steps and take more compilations.
        padding: "pre" fills in `value` before a sequence, "post" after it.
        truncating: "pre" drops a long sequence's beginning, "post" its end.
        value: what is filled in.
        dtype: type of the inputs' elements; "float32" for vectors.
        shuffle: whether rows and batches are shuffled before each epoch.
        seed: integer for the shuffling; None for another order each time.
        workers: threads that prepare batches in `model.fit` on TensorFlow. Elsewhere there is one: Keras looks at the
            first batch before it trains, and several threads would by then have put more into its queue, which come
            again in the epochs after, in the place of others.

    Attributes:
        padded_lengths: increasing int64 array, the lengths that batches are padded to.
        longest: time steps of the longest sequence, cut to maxlen.

    Raises:
        ValueError: sequences is empty or no list of sequences; maxlen, batch_size or buckets is below 1; targets or
            sample_weights have another number of rows, or there are sample_weights and no targets. An element that does
            not fit dtype raises it when its batch is made.
    """

    def __init__(
        self,
        sequences: Collection[Sequence],
        targets: Any = None,
        sample_weights: Any = None,
        *,
        batch_size: int = 32,
        maxlen: int | None = None,
        buckets: int = 8,
        padding: str = "pre",
        truncating: str = "pre",
        value: Any = 0.0,
        dtype: Any = "int32",
        shuffle: bool = True,
        seed: int | None = None,
        workers: int = 1,
    ) -> None:
        super().__init__(workers=workers if keras.backend.backend() == "tensorflow" else 1)
        steps = np.maximum(lengths(sequences, maxlen), 1)  # a model needs a step to read, even of an empty sequence
        _check_positive(maxlen=1 if maxlen is None else maxlen)
        self.padded_lengths = bucket_lengths(steps, buckets, batch_size)
        self.longest = int(self.padded_lengths[-1])
        self._sequences = list(sequences)
        if targets is None and sample_weights is not None:
            raise ValueError("sample_weights weigh the loss of targets, and targets is None: pass targets")
        given = {"targets": targets, "sample_weights": sample_weights}
        self._others = tuple(_as_rows(name, nest, len(steps)) for name, nest in given.items() if nest is not None)
        self._options = {"dtype": dtype, "padding": padding, "truncating": truncating, "value": value}
        self._example = self._sequences[int(steps.argmax())]
        self._batch_size = batch_size
        self._buckets = np.searchsorted(self.padded_lengths, steps)
        self._generator = np.random.default_rng(seed) if shuffle else None
        self._batches = self._arrange()

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple:
        """Make one batch.

        Args:
            index: position in the epoch, in [0, len(self)).

        Returns:
            A tuple (inputs,), (inputs, targets) or (inputs, targets, sample_weights); inputs have shape
            (rows, padded length, ...).

        Raises:
            IndexError: there are fewer batches.
            ValueError: a sequence of the batch does not fit dtype or has time steps of another shape.
        """
        rows, length = self._batches[index]
        # The longest sequence comes along to say what shape a time step has: a batch may hold empty sequences only.
        chosen = [self._example, *(self._sequences[row] for row in rows)]
        inputs = pad_sequences(chosen, maxlen=length, **self._options)[1:]
        return (inputs, *keras.tree.map_structure(lambda leaf: leaf[rows], self._others))

    def __repr__(self) -> str:
        """One line that says how many steps the buckets save."""
        full_steps = self.padded_steps + self.steps_saved
        return (
            f"BucketedBatches: {len(self._sequences)} sequences in {len(self)} batches, padded to "
            f"{', '.join(map(str, self.padded_lengths))} steps; {self.padded_steps} steps an epoch, "
            f"{self.steps_saved / full_steps:.0%} fewer than the {full_steps} padded to {self.longest}"
        )

    @property
    def padded_steps(self) -> int:
        """Time steps that a model computes in an epoch, padding included."""
        return sum(len(rows) * length for rows, length in self._batches)

    @property
    def steps_saved(self) -> int:
        """Time steps of an epoch that padding every sequence to the longest one's length would have cost beyond."""
        return len(self._sequences) * self.longest - self.padded_steps

    @property
    def order(self) -> np.ndarray:
        """Which sequence stands where in the epoch at hand: int64 array of shape (sequences,)."""
        return np.concatenate([rows for rows, _ in self._batches])

    def restore(self, outputs: Any) -> Any:
        """Bring what `model.predict` gives for these batches back to the order of the sequences.

        Args:
            outputs: array of shape (sequences, ...) in the order of the batches, or a nest of such arrays.

        Returns:
            The same with row i belonging to sequence i.

        Raises:
            ValueError: the batches are shuffled, so the order was another, or there are not as many rows as sequences.
        """
        if self._generator is not None:
            raise ValueError("the order of these batches changes with each epoch: make them with shuffle=False")
        places = np.argsort(self.order)
        return keras.tree.map_structure(lambda leaf: leaf[places], _as_rows("outputs", outputs, len(places)))

    def on_epoch_end(self) -> None:
        """Shuffle rows and batches for the next epoch; Keras calls this."""
        if self._generator is not None:
            self._batches = self._arrange()

    def _arrange(self) -> list[tuple[np.ndarray, int]]:
        """The rows of each batch of an epoch, and the length that they are padded to."""
        number = len(self._sequences)
        rows = np.arange(number) if self._generator is None else self._generator.permutation(number)
        rows = rows[np.argsort(self._buckets[rows], kind="stable")]
        parts = np.split(rows, range(self._batch_size, number, self._batch_size))
        batches = [(part, int(self.padded_lengths[self._buckets[part[-1]]])) for part in parts]
        if self._generator is not None:
            batches = [batches[place] for place in self._generator.permutation(len(batches))]
        return _start_with_two_lengths(batches)


def _start_with_two_lengths(batches: list[tuple[np.ndarray, int]]) -> list[tuple[np.ndarray, int]]:
    """Make sure that the first two batches differ in length, where any do.

    On TensorFlow, Keras takes the shape of all batches from the first two: were they equal, the third would be refused.
    """
    first_length = batches[0][1]
    other = next((place for place, (_, length) in enumerate(batches) if length != first_length), 0)
    if other > 1:
        batches[1], batches[other] = batches[other], batches[1]
    return batches


def _as_rows(name: str, nest: Any, number: int) -> Any:
    """A nest of arrays of `number` rows each."""
    nest = keras.tree.map_structure(np.asarray, nest)
    for leaf in keras.tree.flatten(nest):
        if leaf.shape[:1] != (number,):
            raise ValueError(
                f"{name} must be an array, or a nest of arrays, with one row for each of {number} sequences, got shape "
                f"{leaf.shape}: make an array of a list with np.array"
            )
    return nest


def _check_positive(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
