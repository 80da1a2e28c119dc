"""Check a backward pass written by hand against numeric gradients.

A numeric gradient moves one number at a time up and down by a step and divides the change of the loss by the change of
the number: centred differences, (loss(x + step) - loss(x - step)) / (2 step). Their error has two parts. Truncation is
about step² / 6 times the third derivative, rounding about 1e-16 · loss / step; at a step of 1e-5 both are about 1e-11
for numbers around 1, and 1e-10 for the steeper losses of a small RNN. In float32 rounding alone is about
1e-7 / 1e-5 = 1 %, which no check survives: all is float64 here.

At a kink, such as a ReLU whose input is within a step of 0, the loss has no derivative and the check reports an error
though the backward pass may be right: move the parameters a little and check again.

Sources: CS231n, "Neural Networks Part 3: Learning and Evaluation", section Gradient Checks (relative error, kinks);
Press et al., "Numerical Recipes", section 5.7 (choice of the step, division by the difference as it was rounded).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.differences import describe_numbers, describe_scale, shorten

STEP = 1e-5
TOLERANCE = 1e-6  # relative error that a right backward pass stays below
FLOOR = 1e-3  # smaller gradients are compared with this: errors of 1e-10 in a numeric gradient are 1e-7 beside it

Loss = Callable[[Any], float]
Index = tuple[int, ...]


@dataclass(frozen=True)
class GradientRecord:
    """How the gradient of one parameter compares with the numeric one, where the two differ most.

    Attributes:
        error: largest relative error, from 0 to 2; infinite where the gradient has another shape, a NaN or an
            infinity.
        place: index of that error; None where the gradient has another shape.
        analytic: the gradient at that place; NaN where it has another shape.
        numeric: the numeric gradient at that place; NaN where the gradient has another shape.
        checked: how many numbers were compared.
        remark: what all the numbers have in common, where that is certain, such as "the sign is flipped"; or empty.
    """

    error: float
    place: Index | None
    analytic: float
    numeric: float
    checked: int
    remark: str


class GradientTable(dict[str, GradientRecord]):
    """Records by the name of the parameter; prints as a table."""

    @property
    def error(self) -> float:
        """The largest relative error of all parameters."""
        return max(record.error for record in self.values())

    def __repr__(self) -> str:
        width = max([len("parameter"), *map(len, self)])
        head = f"{'parameter':<{width}}  {'relative error':>14}  {'at':<12}{'gradient':>12}{'numeric':>12}  remark"
        rows = [
            f"{name:<{width}}  {record.error:>14.1e}  {record.place!s:<12}"
            f"{record.analytic:>12.4g}{record.numeric:>12.4g}  {record.remark}"
            for name, record in self.items()
        ]
        return "\n".join(row.rstrip() for row in [head, *rows])


def numeric_gradient(loss: Callable[[np.ndarray], float], values: Any, step: float = STEP) -> np.ndarray:
    """Measure the gradient of a loss by centred differences: two calls of the loss for each number.

    Args:
        loss: called with an array like `values`, read-only, to give one number, computed in float64.
        values: float64 array of any shape, where the gradient is wanted; never changed.
        step: how far each number is moved, in its own unit.

    Returns:
        float64 array of the shape of `values`.

    Raises:
        TypeError: values or the loss are not float64.
        ValueError: the loss gives a NaN, an infinity or more than one number; or the step is not positive, or so small
            that a number does not move.
    """
    values = _copy_values(values, "values")
    view = _read_only(values)
    slopes = _measure(lambda: loss(view), values, "values", step, np.ndindex(values.shape))
    return slopes.reshape(values.shape)


def relative_error(analytic: Any, numeric: Any, floor: float = FLOOR) -> np.ndarray:
    """Compare two gradients number by number: |a - n| / max(|a|, |n|, floor).

    The definition is that of CS231n, with a floor. A right backward pass stays below 1e-6; 1 means that one of the two
    is negligible beside the other, 2 that they have opposite signs. The floor keeps the error of the numeric gradient
    itself out: beside a gradient of 1e-9 it would look like a mistake.

    Args:
        analytic: gradient from a backward pass, of any shape.
        numeric: gradient from `numeric_gradient`, of the same shape.
        floor: gradients smaller than this are compared with it; positive.

    Returns:
        float64 array of the same shape; NaN where one of the two is NaN or infinite.

    Raises:
        ValueError: the shapes differ.
    """
    analytic, numeric = np.asarray(analytic, dtype=np.float64), np.asarray(numeric, dtype=np.float64)
    if analytic.shape != numeric.shape:
        raise ValueError(f"the gradients must have one shape, got {analytic.shape} and {numeric.shape}")
    with np.errstate(invalid="ignore"):  # of an infinity
        return np.abs(analytic - numeric) / np.maximum(np.maximum(np.abs(analytic), np.abs(numeric)), floor)


def check_gradients(
    loss: Loss,
    parameters: Mapping[str, Any] | np.ndarray,
    gradients: Mapping[str, Any] | np.ndarray,
    step: float = STEP,
    samples: int | None = None,
    rng: np.random.Generator | None = None,
) -> GradientTable:
    """Compare the gradients of a backward pass with numeric ones, parameter by parameter.

    The loss is called with a copy of the parameters, so they stay what they are, whatever happens. It must use what it
    is given: `lambda parameters: forward(parameters, x, y)`, where `forward` has no random numbers such as dropout.

        >>> print(check_gradients(lambda values: np.sum(values**2), np.array([1.0, 2.0]), np.array([2.0, 2.0])))
        parameter  relative error  at              gradient     numeric  remark
        values            5.0e-01  (1,)                   2           4  every number is 2

    Args:
        loss: called with a dict like `parameters` of read-only arrays, or with one such array, to give one number,
            computed in float64.
        parameters: dict from names to float64 arrays, or one array, named "values" in the table.
        gradients: the same names with the gradients of the backward pass, or one array.
        step: how far each number is moved, in its own unit.
        samples: how many numbers of each parameter to compare, drawn at random; all where None. Two calls of the loss
            are needed for each.
        rng: numpy.random.Generator that draws them; a fresh one where None.

    Returns:
        GradientTable, a dict from names to records. Gradients below the floor of `relative_error` are compared with the
        floor, which grows with a loss above 1, as rounding does.

    Raises:
        TypeError: a parameter or the loss is not float64, or a gradient holds no numbers.
        ValueError: the names differ; samples is below 1; or as in `numeric_gradient`.
    """
    if not isinstance(parameters, Mapping):
        whole = {"values": parameters}, {"values": gradients}
        return check_gradients(lambda given: loss(given["values"]), *whole, step, samples, rng)
    _check_names(parameters, gradients)
    if samples is not None and samples < 1:
        raise ValueError(f"samples must be at least 1, or None to compare all numbers; got {samples}")
    copies = {name: _copy_values(values, name) for name, values in parameters.items()}
    views = {name: _read_only(values) for name, values in copies.items()}

    def evaluate() -> Any:
        return loss(dict(views))  # a fresh dict each time: what the loss takes out of it comes back

    floor = FLOOR * max(1.0, abs(_evaluate(evaluate, "at the given parameters")))
    rng = rng or np.random.default_rng()
    table = GradientTable()
    for name, values in copies.items():
        places = _choose_places(values.shape, samples, rng)
        numeric = _measure(evaluate, values, name, step, places)
        table[name] = _compare(_read_gradient(gradients[name], name), numeric, places, values.shape, floor)
    return table


def _check_names(parameters: Mapping[str, Any], gradients: Any) -> None:
    if not isinstance(gradients, Mapping):
        raise TypeError(f"gradients must be a dict with the names of the parameters, got {type(gradients).__name__}")
    if not parameters:
        raise ValueError("parameters must hold at least one array, got none")
    missing = [name for name in parameters if name not in gradients]
    unknown = [name for name in gradients if name not in parameters]
    if missing or unknown:
        raise ValueError(f"gradients must have the names of the parameters; missing: {missing}, unknown: {unknown}")


def _copy_values(values: Any, name: str) -> np.ndarray:
    values = np.array(values)
    if values.dtype != np.float64:
        raise TypeError(
            f"{name!r} is {values.dtype}, and only in float64 does rounding stay far below the step: "
            "convert all parameters with .astype(np.float64) and compute the gradients again"
        )
    return values


def _read_gradient(gradient: Any, name: str) -> np.ndarray:
    try:
        if gradient is None:  # NumPy makes a NaN of it
            raise TypeError
        return np.asarray(gradient, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"the gradient of {name!r} must be an array of numbers, got {shorten(repr(gradient))}: does the "
            "backward pass return it?"
        ) from None


def _read_only(values: np.ndarray) -> np.ndarray:
    """A view that shows each move of a number, and that the loss cannot write to."""
    view = values.view()
    view.flags.writeable = False
    return view


def _choose_places(shape: tuple[int, ...], samples: int | None, rng: np.random.Generator) -> list[Index]:
    size = int(np.prod(shape))
    if samples is None or samples >= size:
        return list(np.ndindex(shape))
    return list(zip(*np.unravel_index(np.sort(rng.choice(size, samples, replace=False)), shape)))


def _measure(
    evaluate: Callable[[], Any], values: np.ndarray, name: str, step: float, places: Iterable[Index]
) -> np.ndarray:
    """Slopes of a loss that reads `values`, at some places of them."""
    slopes = []
    for place in places:
        original = values[place]
        above, below = original + step, original - step
        if not above > below:
            raise ValueError(f"step must be positive and large enough to move {original:g} in {name!r}, got {step:g}")
        losses = []
        for values[place] in (above, below):
            where = f"with {name!r} moved from {original:g} to {values[place]:.12g} at {_plain_index(place)}"
            losses.append(_evaluate(evaluate, where))
        values[place] = original
        slopes.append((losses[0] - losses[1]) / (above - below))
    return np.array(slopes)


def _evaluate(evaluate: Callable[[], Any], where: str) -> float:
    value = np.asarray(evaluate())
    if value.size != 1 or value.dtype.kind not in "fiu":
        raise ValueError(f"the loss must give one number, got {value.dtype} of shape {value.shape} {where}")
    if value.dtype.kind == "f" and value.dtype.itemsize < 8:
        raise TypeError(f"the loss is {value.dtype}, too coarse for steps of a gradient check: compute it in float64")
    if not np.isfinite(value):
        raise ValueError(f"the loss is {value.item()} {where}: numeric gradients need a finite loss")
    return float(value.item())


def _compare(
    analytic: np.ndarray, numeric: np.ndarray, places: list[Index], shape: tuple[int, ...], floor: float
) -> GradientRecord:
    """The record of one parameter from its gradient and the numeric one at some places."""
    complete = len(numeric) == np.prod(shape, dtype=int)
    if analytic.shape != shape:
        remark = describe_numbers(analytic, numeric.reshape(shape)) if complete else ""
        remark = f"shape {analytic.shape} where {shape} is expected{', ' * bool(remark)}{remark}"
        return GradientRecord(np.inf, None, np.nan, np.nan, 0, remark)
    if not places:
        return GradientRecord(0.0, None, np.nan, np.nan, 0, "it has no numbers")
    chosen = np.array([analytic[place] for place in places])
    errors = relative_error(chosen, numeric, floor)
    errors[np.isnan(errors)] = np.inf
    worst = int(np.argmax(errors))
    remark = _remark(analytic, chosen, numeric) if errors[worst] > TOLERANCE else ""
    place, numbers = _plain_index(places[worst]), (float(chosen[worst]), float(numeric[worst]))
    return GradientRecord(float(errors[worst]), place, *numbers, len(places), remark)


def _remark(analytic: np.ndarray, chosen: np.ndarray, numeric: np.ndarray) -> str:
    if not numeric.any():
        return "the loss does not change with it"
    if len(chosen) == analytic.size:
        return describe_numbers(analytic, numeric.reshape(analytic.shape))
    remark = describe_scale(chosen, numeric)
    return f"{remark}, of {len(chosen)} compared" if remark else ""


def _plain_index(place: Index) -> Index:
    return tuple(int(axis) for axis in place)
