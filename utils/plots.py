"""Figures that several notebooks draw. Each carries an alternative text, made from its data."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from utils.figures import OKABE_ITO, DescribedFigure, check_count, describe_curve, visible
from utils.sampling import temper

TRAINING = {"color": OKABE_ITO[0], "linestyle": "--", "marker": "o", "markersize": 4}
VALIDATION = {"color": OKABE_ITO[1], "linestyle": "-", "marker": "s", "markersize": 4}
BASELINE = {"color": "#666666", "linestyle": ":"}
LINE_STYLES = ("-", "--", "-.", ":")


def plot_history(history: Any, baseline: dict[str, float] | None = None) -> DescribedFigure:
    """Plot training against validation, epoch by epoch: one panel for the loss, then one for each metric.

    A history of an interrupted fit (`model.history`) is plotted as far as it goes.

    Args:
        history: what `model.fit` returns, or its `.history`: a dict from a name to a list with one number an epoch;
            "val_" before a name marks validation. "learning_rate", which some callbacks add, is left out.
            The loss is taken to be a cross-entropy, in nats.
        baseline: numbers to beat, drawn as a horizontal line: a dict from a metric's name to its value,
            e.g. {"accuracy": 0.5} or {"loss": math.log(2)}.

    Returns:
        The figure. In a notebook it is shown where it is a cell's last expression.

    Raises:
        ValueError: the history holds no epoch, or the baseline names a metric that it lacks.
    """
    baseline = baseline or {}
    curves = {name: _floats(values) for name, values in getattr(history, "history", history).items()}
    names = [name for name in curves if not name.startswith("val_") and name != "learning_rate"]
    names.sort(key=lambda name: name != "loss")  # the loss first, all others stay in their order
    if not any(curves[name] for name in names):
        raise ValueError("the history holds no finished epoch: train for at least one, or look at the fit's error")
    unknown = sorted(set(baseline) - set(names))
    if unknown:
        raise ValueError(f"the baseline names {unknown[0]!r}, and the history holds {', '.join(names)}")

    figure = DescribedFigure(figsize=(5 * len(names), 3.5), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    texts = [_plot_metric(panel, name, curves, baseline.get(name)) for panel, name in zip(panels, names)]
    figure.alt_text = " ".join(texts)
    return figure


def _plot_metric(panel: Any, name: str, curves: dict[str, list[float]], baseline: float | None) -> str:
    """Draw one panel; say in words what it shows."""
    title = "loss (nats)" if name == "loss" else name.replace("_", " ")
    described = []
    for label, key, style in (("training", name, TRAINING), ("validation", f"val_{name}", VALIDATION)):
        values = curves.get(key)
        if values:
            panel.plot(range(1, len(values) + 1), values, label=label, **style)
            described.append(f"{label} {describe_curve(values, 'epoch')}")
    if baseline is not None:
        panel.axhline(baseline, label=f"baseline {baseline:.3f}", **BASELINE)
        described.append(f"the baseline is {baseline:.3g}")
    panel.set(xlabel="epoch", ylabel=title)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.grid(alpha=0.3)
    panel.legend()
    return f"{title[0].upper()}{title[1:]} by epoch: {'; '.join(described)}."


def _floats(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]


def plot_temperatures(
    probabilities: Any,
    labels: Sequence[str],
    temperatures: Sequence[float] = (0.2, 0.5, 1.0, 2.0),
    most_probable: int = 12,
) -> DescribedFigure:
    """Show what a temperature does to a distribution: one panel of bars for each temperature.

    The temperature divides the log-probabilities: below 1 it sharpens the distribution, above 1 it flattens it.

    Args:
        probabilities: float array of shape (classes,), a distribution as a softmax gives it (temperature 1).
        labels: a name for each class, e.g. its character; spaces and newlines are made visible.
        temperatures: 0 or more, one for each panel; 0 leaves the most probable class alone, infinity makes all
            possible classes equal.
        most_probable: how many classes are drawn, the most probable ones; the rest are summed in one bar.

    Returns:
        The figure; the entropy in a panel's title is in nats.

    Raises:
        ValueError: probabilities are no distribution, the numbers of labels and classes differ, a temperature is
            negative or missing, or most_probable is below 1.

    Source:
        Ackley, Hinton and Sejnowski, "A Learning Algorithm for Boltzmann Machines", Cognitive Science 9, 1985.
    """
    distribution = _check_distribution(probabilities)
    check_count(labels, len(distribution), "labels", "classes")
    if not len(temperatures) or not all(temperature >= 0 for temperature in temperatures):
        raise ValueError(f"temperatures must be one or more numbers of at least 0, got {list(temperatures)}")
    if most_probable < 1:
        raise ValueError(f"most_probable must be at least 1 class, got {most_probable}")
    order = np.argsort(-distribution, kind="stable")
    shown, others = order[:most_probable], order[most_probable:]
    names = [visible(labels[index]) for index in shown] + [f"{len(others)} others"] * bool(len(others))

    figure = DescribedFigure(figsize=(2.3 * len(temperatures) + 1, 0.24 * len(names) + 1.2), layout="constrained")
    panels = figure.subplots(1, len(temperatures), sharex=True, sharey=True, squeeze=False)[0]
    panels[0].set_yticks(range(len(names)), names, parse_math=False)
    panels[0].invert_yaxis()
    described = []
    for panel, temperature in zip(panels, temperatures):
        tempered = _temper(distribution, temperature)
        title = f"temperature {temperature:g}".replace("inf", "∞")
        entropy = f"entropy {_entropy(tempered):.2f} nats"
        panel.set(title=f"{title}\n{entropy}")
        _plot_bars(panel, tempered[shown], tempered[others])
        described.append(f"{tempered[shown[0]]:.2f} at {title} ({entropy})")
    figure.alt_text = (
        f"Probabilities of the {len(shown)} most probable of {len(order)} classes. "
        f"The most probable, {names[0]}, has {', '.join(described)}."
    )
    return figure


def _plot_bars(panel: Any, shown: np.ndarray, others: np.ndarray) -> None:
    panel.barh(range(len(shown)), shown, color=OKABE_ITO[0])
    if len(others):
        panel.barh(len(shown), others.sum(), color="#bbbbbb", hatch="///")
    panel.set(xlabel="probability", xlim=(0, 1), xticks=(0, 0.5, 1))
    panel.title.set_fontsize("medium")
    panel.set_axisbelow(True)
    panel.grid(axis="x", alpha=0.3)


def _entropy(distribution: np.ndarray) -> float:
    possible = distribution[distribution > 0]
    return abs(float(np.sum(possible * np.log(possible))))  # never "-0.00"


def _check_distribution(probabilities: Any) -> np.ndarray:
    distribution = np.asarray(probabilities, dtype=np.float64)
    if distribution.ndim != 1 or not distribution.size:
        raise ValueError(f"probabilities must have shape (classes,), got {distribution.shape}: pass one row")
    total = distribution.sum()
    if not (distribution >= 0).all() or not math.isclose(total, 1, abs_tol=1e-2):
        raise ValueError(
            f"probabilities must be at least 0 and sum to 1, got a smallest of {distribution.min():.3g} and a sum of "
            f"{total:.3g}: pass logits through a softmax, divide counts by their sum"
        )
    return distribution / total


def _temper(distribution: np.ndarray, temperature: float) -> np.ndarray:
    """The distribution at a temperature, exact at 0 and at infinity: (classes,) -> (classes,)."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # ln 0, and -inf / inf, which `temper` expects
        weights = temper(np, np.log(distribution)[np.newaxis], np.array([[temperature]], dtype=np.float64))[0]
    return weights / weights.sum()


def plot_gradient_norms(norms: Mapping[str, Any]) -> DescribedFigure:
    """Plot the norms of gradients over the time steps, on a logarithmic axis: do they vanish or explode?

    Args:
        norms: a dict from a curve's name to a float array of shape (time,): the norm of the loss's gradient with
            respect to the hidden state (or the input) at each time step, in the order of time. The loss is taken at
            the last step, and the axis counts the steps back from there.

    Returns:
        The figure. The legend gives each curve's mean factor a step back: below 1 gradients vanish, above they
        explode. Zeros have no place on a logarithmic axis, nor has infinity: the legend counts what is left out.

    Raises:
        ValueError: there is no curve, or one is empty, not of shape (time,), or holds a NaN or a negative.

    Source:
        Bengio, Simard and Frasconi, "Learning Long-Term Dependencies with Gradient Descent is Difficult",
        IEEE Transactions on Neural Networks 5, 1994.
    """
    if not norms:
        raise ValueError("norms must hold at least one curve, e.g. {'LSTM': array of shape (time,)}")
    curves = {name: _check_norms(name, values)[::-1] for name, values in norms.items()}
    figure = DescribedFigure(figsize=(6.5, 4), layout="constrained")
    panel = figure.subplots()
    described = []
    for number, (name, curve) in enumerate(curves.items()):
        drawn = np.where(np.isfinite(curve) & (curve > 0), curve, np.nan)
        summary = _summarise_norms(drawn)
        style = {"color": OKABE_ITO[number % len(OKABE_ITO)], "linestyle": LINE_STYLES[number % len(LINE_STYLES)]}
        panel.plot(drawn, label=f"{name}: {summary}", marker=".", markevery=max(1, len(drawn) // 10), **style)
        described.append(f"{name} goes from {curve[0]:.2g} to {curve[-1]:.2g} in {len(curve) - 1} steps, {summary}")
    panel.set(xlabel="steps back in time", ylabel="norm of the gradient", yscale="log")
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    figure.alt_text = f"Norm of the gradient by steps back in time, on a logarithmic axis: {'; '.join(described)}."
    return figure


def _summarise_norms(drawn: np.ndarray) -> str:
    """The mean factor of one step back (a geometric mean), and how many steps are not drawn."""
    steps = np.flatnonzero(~np.isnan(drawn))
    missing = len(drawn) - len(steps)
    parts = [f"{missing} of {len(drawn)} steps 0 or infinite"] * bool(missing)
    if len(steps) > 1:
        first, last = steps[[0, -1]]
        factor = np.exp((np.log(drawn[last]) - np.log(drawn[first])) / (last - first))
        parts.insert(0, f"×{factor:.3g} a step")
    return ", ".join(parts) or "one step"


def _check_norms(name: str, values: Any) -> np.ndarray:
    curve = np.asarray(values, dtype=np.float64)
    if curve.ndim != 1 or not curve.size:
        raise ValueError(f"the norms of {name!r} must have shape (time,), got {curve.shape}: take one norm a time step")
    if not (curve >= 0).all():
        raise ValueError(f"the norms of {name!r} hold a NaN or a negative: a norm is at least 0, look at its formula")
    return curve
