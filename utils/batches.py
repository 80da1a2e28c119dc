"""What a batch of a `utils.mixing.MixIterator` holds: its arrays by name, and the layout that all parts share."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

Batch = tuple  # (inputs,), (inputs, targets) or (inputs, targets, sample_weights); each nested as the model wants it

_MEMBERS = ("inputs", "targets", "sample_weights")


def count_rows(batch: Batch) -> int:
    """Number of rows of a batch, read off its first array."""
    return len(keras.tree.flatten(batch)[0])


def named_leaves(batch: Batch) -> tuple[list[str], list[np.ndarray]]:
    """The arrays of a batch in Keras's order (keys of a dict sorted), and where each is: `inputs["ids"]`, `targets`."""
    names, leaves = [], []
    for (member, *path), leaf in keras.tree.flatten_with_path(batch):
        steps = (f'["{key}"]' if isinstance(key, str) else f"[{key}]" for key in path)
        names.append(_MEMBERS[member] + "".join(steps))
        leaves.append(leaf)
    return names, leaves


def as_batch(number: int, given: Any) -> Batch:
    """Turn what a part gave into a tuple of arrays, and check that they have as many rows each.

    Args:
        number: the part's position, for messages.
        given: a tuple or list of one to three nests of arrays, or the inputs alone; None at its end is dropped.

    Returns:
        A tuple of one to three nests, whose lists are tuples, of arrays of shape (rows, ...).

    Raises:
        TypeError: there are no one to three members, or one holds something that has no rows.
        ValueError: the arrays differ in their number of rows.
    """
    members = tuple(given) if isinstance(given, tuple | list) else (given,)
    while len(members) > 1 and members[-1] is None:
        members = members[:-1]
    if not 1 <= len(members) <= 3:
        raise TypeError(
            f"part {number} must give (inputs,), (inputs, targets) or (inputs, targets, sample_weights), "
            f"got {len(members)} members"
        )
    batch = keras.tree.map_structure(np.asarray, keras.tree.lists_to_tuples(members))
    names, leaves = named_leaves(batch)
    for name, leaf in zip(names, leaves):
        if leaf.ndim == 0:
            raise TypeError(
                f"part {number} has {leaf.item()!r} at {name}, where an array of shape (rows, ...) belongs: "
                "np.asarray turns a list of numbers into one"
            )
    if len({len(leaf) for leaf in leaves}) != 1:
        rows = ", ".join(f"{len(leaf)} in {name}" for name, leaf in zip(names, leaves))
        raise ValueError(f"the arrays of part {number} must have as many rows each, got {rows or 'no array'}")
    return batch


class Layout:
    """What every batch of a mix holds: the nest of part 0, and sample weights where any part has them.

    Args:
        firsts: a batch of each part.

    Attributes:
        structure: a batch, of whatever size, nested as all are.
    """

    def __init__(self, firsts: Sequence[Batch]):
        self.structure = firsts[0]
        weighted = next((number for number, batch in enumerate(firsts) if len(batch) == 3), 0)
        if len(firsts[0]) == 2 and weighted:
            self.structure = (*firsts[0], firsts[weighted][2])
        self._names, leaves = named_leaves(self.structure)
        self._row_types = [(leaf.shape[1:], leaf.dtype) for leaf in leaves]
        self._givers = [weighted if name.startswith("sample_weights") else 0 for name in self._names]

    def flatten(self, number: int, batch: Batch) -> list[np.ndarray]:
        """The arrays of a batch of part `number`, in the order of the layout; weights of 1.0 where it has none.

        Raises:
            ValueError: the batch is nested otherwise, or an array's rows have another shape or type.
        """
        names, leaves = named_leaves(self._with_weights(batch))
        if names != self._names:
            raise ValueError(
                f"part {number} is nested otherwise than part 0: it has {', '.join(names)}, "
                f"and part 0 has {', '.join(self._names)}"
            )
        for name, leaf, (shape, dtype), giver in zip(names, leaves, self._row_types, self._givers):
            if leaf.shape[1:] != shape or leaf.dtype != dtype:
                raise ValueError(
                    f"part {number} does not fit part {giver} at {name}: a row has shape {leaf.shape[1:]} and type "
                    f"{leaf.dtype}, and in part {giver} shape {shape} and type {dtype}; give both the same"
                )
        return leaves

    def _with_weights(self, batch: Batch) -> Batch:
        if len(batch) != 2 or len(self.structure) != 3:
            return batch
        rows = count_rows(batch)

        def ones(leaf: np.ndarray) -> np.ndarray:
            return np.broadcast_to(np.ones((), leaf.dtype), (rows, *leaf.shape[1:]))

        return (*batch, keras.tree.map_structure(ones, self.structure[2]))
