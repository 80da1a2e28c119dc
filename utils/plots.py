"""Figures that several notebooks draw."""

import math
from typing import Any

from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Two colours of Okabe and Ito's palette, told apart by readers with any kind of colour vision and in grey print
# ("Color Universal Design", 2008). The line styles differ as well.
TRAINING = {"color": "#0072B2", "linestyle": "--", "marker": "o", "markersize": 4}
VALIDATION = {"color": "#D55E00", "linestyle": "-", "marker": "s", "markersize": 4}
BASELINE = {"color": "#666666", "linestyle": ":"}


def plot_history(history: Any, baseline: dict[str, float] | None = None) -> Figure:
    """Plot training against validation, epoch by epoch: one panel for the loss and one for each metric.

    A history of an interrupted fit (`model.history`) is plotted as far as it goes.

    Args:
        history: what `model.fit` returns, or its `.history`: a dict from a name to a list with one number an epoch;
            "val_" before a name marks validation.
        baseline: numbers to beat, drawn as a horizontal line: a dict from a metric's name to its value,
            e.g. {"accuracy": 0.5} or {"loss": math.log(2)}.

    Returns:
        The figure. In a notebook it is shown where it is a cell's last expression; it is closed for pyplot, so that it
        is not shown twice.

    Raises:
        ValueError: the history holds no epoch, or the baseline names a metric that it lacks.
    """
    curves = getattr(history, "history", history)
    names = [name for name in curves if not name.startswith("val_") and name != "learning_rate"]
    if not names or not any(curves[name] for name in names):
        raise ValueError("the history holds no finished epoch: train for at least one, or look at the fit's error")
    unknown = sorted(set(baseline or {}) - set(names))
    if unknown:
        raise ValueError(f"the baseline names {unknown[0]!r}, and the history holds {', '.join(names)}")

    figure, axes = pyplot.subplots(1, len(names), figsize=(5 * len(names), 3.5), squeeze=False, layout="constrained")
    for panel, name in zip(axes[0], names):
        _plot_metric(panel, name, curves)
        if baseline and name in baseline:
            panel.axhline(baseline[name], label=f"baseline {baseline[name]:.3f}", **BASELINE)
        panel.legend()
    pyplot.close(figure)
    return figure


def _plot_metric(panel: Any, name: str, curves: dict[str, list[float]]) -> None:
    for label, key, style in (("training", name, TRAINING), ("validation", f"val_{name}", VALIDATION)):
        values = [math.nan if value is None else float(value) for value in curves.get(key, [])]
        if values:
            panel.plot(range(1, len(values) + 1), values, label=label, **style)
    panel.set_xlabel("epoch")
    panel.set_ylabel("loss (nats)" if name == "loss" else name.replace("_", " "))
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.grid(alpha=0.3)
