"""Figures of what a network has learnt inside: its embeddings and its activations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from utils.figures import OKABE_ITO, DescribedFigure, check_count, visible


def plot_activations(tokens: Sequence[str], activations: Any, width: int = 60) -> DescribedFigure:
    """Show a layer's activations while it reads a text: a heat map with the text along its axis.

    Args:
        tokens: the text, as a string (one character a time step) or a sequence of tokens.
        activations: float array of shape (time, units): one row for each token, e.g. the output of a recurrent layer
            with return_sequences=True for one text, or some of its columns.
        width: how many time steps a row of the figure holds; a longer text is wrapped.

    Returns:
        The figure: red is positive, blue negative, white 0.

    Raises:
        ValueError: activations are not of shape (time, units), are not finite or do not fit the tokens.

    Source:
        Karpathy, Johnson and Li, "Visualizing and Understanding Recurrent Networks", 2015.
    """
    table = _check_activations(activations)
    check_count(tokens, len(table), "tokens", "time steps")
    if width < 1:
        raise ValueError(f"width must be at least 1 time step, got {width}")
    width = min(width, len(table))
    starts = range(0, len(table), width)
    longest = max(len(token) for token in tokens)
    row_height = min(max(0.12 * table.shape[1], 0.5), 2.5) + 0.3 + 0.08 * (longest - 1)
    figure = DescribedFigure(figsize=(0.15 * width + 2, row_height * len(starts) + 0.5), layout="constrained")
    panels = figure.subplots(len(starts), 1, squeeze=False)[:, 0]
    limit = np.abs(table).max() or 1.0
    for panel, start in zip(panels, starts):
        stop = min(start + width, len(table))
        image = panel.imshow(
            table[start:stop].T, extent=(start - 0.5, stop - 0.5, table.shape[1] - 0.5, -0.5), aspect="auto",
            interpolation="nearest", cmap="RdBu_r", vmin=-limit, vmax=limit,
        )  # fmt: skip
        panel.set_xlim(start - 0.5, start + width - 0.5)
        _label_steps(panel, range(start, stop), tokens[start:stop], upright=longest == 1)
    figure.supxlabel("time step, labelled with its token", fontsize="medium")
    figure.supylabel("unit", fontsize="medium")
    figure.colorbar(image, ax=list(panels), label="activation", fraction=0.05, aspect=15)
    figure.alt_text = _describe_activations(tokens, table)
    return figure


def _check_activations(activations: Any) -> np.ndarray:
    table = np.asarray(activations, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"activations must have shape (time, units), got {table.shape}: pass those of one text")
    if not np.isfinite(table).all():
        raise ValueError("activations hold a NaN or infinity: look for a loss that became NaN in training")
    return table


def _label_steps(panel: Any, steps: range, tokens: Sequence[str], upright: bool) -> None:
    panel.set_frame_on(False)  # a frame would take the rest of the last row in, as if it were activations of 0
    placed = {"va": "baseline"} if upright else {"rotation": 90}
    panel.set_xticks(steps, [visible(token) for token in tokens], parse_math=False, fontsize="small", **placed)
    panel.tick_params(axis="x", length=0, pad=11 if upright else 3)
    panel.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))


def _describe_activations(tokens: Sequence[str], table: np.ndarray) -> str:
    highest, lowest = (np.unravel_index(index, table.shape) for index in (table.argmax(), table.argmin()))
    liveliest = table.std(axis=0).argmax()
    extremes = " and ".join(
        f"{name} {table[step, unit]:.2f} in unit {unit} at step {step} ({visible(tokens[step])})"
        for name, (step, unit) in (("highest", highest), ("lowest", lowest))
    )
    return (
        f"Heat map of activations, units by time steps ({table.shape[1]} by {len(table)}): {extremes}. "
        f"Unit {liveliest} varies most, with a standard deviation of {table[:, liveliest].std():.2f}."
    )


def principal_components(vectors: Any, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Project vectors on the directions in which they differ most.

    A direction's sign, which the method leaves open, is chosen such that its largest component is positive: the same
    vectors give the same map.

    Args:
        vectors: float array of shape (items, dimensions).
        count: how many directions, at most the smaller of items and dimensions.

    Returns:
        The coordinates, of shape (items, count), with mean 0; and each direction's share of the variance, in [0, 1],
        of shape (count,), in falling order.

    Raises:
        ValueError: vectors are not of shape (items, dimensions), too few or too short, not finite, or all equal.

    Source:
        Pearson, "On Lines and Planes of Closest Fit to Systems of Points in Space", 1901; by singular value
        decomposition of the centred vectors.
    """
    table = np.asarray(vectors, dtype=np.float64)
    if table.ndim != 2 or not 1 <= count <= min(table.shape):
        raise ValueError(
            f"vectors must have shape (items, dimensions), both at least {max(count, 1)}, the number of directions "
            f"asked for, got {table.shape}"
        )
    if not np.isfinite(table).all():
        raise ValueError("vectors hold a NaN or infinity: look for a loss that became NaN in training")
    centred = table - table.mean(axis=0)
    _, deviations, directions = np.linalg.svd(centred, full_matrices=False)
    variances = deviations**2
    if (table == table[0]).all():
        raise ValueError(f"all {len(table)} vectors are equal: there is no direction in which they differ")
    directions = directions[:count]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, np.newaxis], axis=1)
    coordinates = centred @ (directions * np.sign(largest)).T
    return coordinates, variances[:count] / variances.sum()


def plot_embeddings(vectors: Any, labels: Sequence[str]) -> DescribedFigure:
    """Draw a map of embeddings: their two principal components, one labelled point for each vector.

    Both axes have one scale, so that distances on the map can be compared. The shares of the variance on the axes say
    how much of the distances the map shows.

    Args:
        vectors: float array of shape (items, dimensions), e.g. the weights of an embedding layer.
        labels: a name for each item, e.g. its word or character; white space is made visible, and what is longer
            than 24 characters is cut. About a hundred are legible.

    Returns:
        The figure.

    Raises:
        ValueError: the numbers of labels and vectors differ, there are fewer than two vectors or dimensions, a number
            is not finite, or all vectors are equal.

    Source:
        `principal_components`.
    """
    points, shares = principal_components(vectors)
    check_count(labels, len(points), "labels", "vectors")
    names = [visible(label if len(label) <= 24 else f"{label[:23]}…") for label in labels]
    figure = DescribedFigure(figsize=(6.5, 5.5) if len(names) <= 40 else (9, 8), layout="constrained")
    panel = figure.subplots()
    panel.scatter(points[:, 0], points[:, 1], s=14, color=OKABE_ITO[0])
    for number, set_label in enumerate((panel.set_xlabel, panel.set_ylabel)):
        set_label(f"principal component {number + 1} ({shares[number]:.0%} of the variance)")
    panel.set_aspect("equal", adjustable="datalim")
    panel.margins(0.12)
    panel.grid(alpha=0.3)
    _place_labels(panel, points, names)
    figure.alt_text = _describe_map(points, shares, names)
    return figure


def _describe_map(points: np.ndarray, shares: np.ndarray, names: list[str]) -> str:
    ends = {
        "left": points[:, 0].argmin(),
        "right": points[:, 0].argmax(),
        "bottom": points[:, 1].argmin(),
        "top": points[:, 1].argmax(),
    }
    placed = ", ".join(f"{side} {names[index]}" for side, index in ends.items())
    return (
        f"Map of {len(names)} embeddings on their first two principal components, which hold {shares[0]:.0%} and "
        f"{shares[1]:.0%} of the variance. At its edges lie: {placed}."
    )


def _place_labels(panel: Any, points: np.ndarray, names: list[str]) -> None:
    """Write each name beside its point, where it covers no other name and as few points as can be had."""
    panel.figure.draw_without_rendering()  # settles the layout, and with it where a point lies on the page
    pixels = panel.transData.transform(points)
    scale = panel.figure.dpi / 72
    size = 10 if len(names) <= 30 else 8
    free = _FreeSpace(panel.get_window_extent(), pixels, 3 * scale)
    for name, point, pixel in zip(names, points, pixels):
        label = panel.annotate(
            name, point, xytext=(0, 0), textcoords="offset points", fontsize=size, ha="center", va="center",
            parse_math=False, arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.5},
        )  # fmt: skip
        box = label.get_window_extent()
        label.set_position(free.take(pixel, box.width, box.height) / scale)


class _FreeSpace:
    """Where on a panel labels can still go, in pixels."""

    # eight directions, right and left first, at four distances
    _DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7)])

    def __init__(self, panel: Bbox, points: np.ndarray, radius: float) -> None:
        self._panel = panel
        self._radius = radius
        # boxes as rows (left, bottom, right, top)
        self._taken = np.hstack([points - radius, points + radius])

    def take(self, point: np.ndarray, width: float, height: float) -> np.ndarray:
        """Take the best place for a label: its centre's offset from the point, of shape (2,)."""
        half = np.array([width, height]) / 2
        gaps = self._radius * np.array([1.3, 4, 8, 13])[:, np.newaxis, np.newaxis]
        # (distances, directions, 2) -> (candidates, 2)
        offsets = (self._DIRECTIONS * (half + gaps)).reshape(-1, 2)
        boxes = np.hstack([point + offsets - half, point + offsets + half])
        best = offsets[self._cost(boxes).argmin()]
        self._taken = np.vstack([self._taken, np.hstack([point + best - half, point + best + half])])
        return best

    def _cost(self, boxes: np.ndarray) -> np.ndarray:
        """How much of each box is taken or off the panel, in square pixels: (candidates, 4) -> (candidates,)."""
        shared = _overlap(boxes, self._taken).sum(axis=1)
        outside = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - _overlap(boxes, np.array([self._panel.extents]))[:, 0]
        return np.round(shared + 2 * outside)


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The areas that boxes share: (boxes, 4) and (others, 4) -> (boxes, others)."""
    lower = np.maximum(boxes[:, np.newaxis, :2], others[:, :2])
    upper = np.minimum(boxes[:, np.newaxis, 2:], others[:, 2:])
    return np.prod(np.clip(upper - lower, 0, None), axis=2)
