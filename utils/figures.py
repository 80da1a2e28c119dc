"""What all figures share: words for readers who do not see them, safe colours, legible characters."""

import io
import math
import re
from collections.abc import Sequence

from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by readers with any kind of colour vision ("Color Universal Design", 2008),
# without its yellow, which is too pale for lines on white.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

_VISIBLE = str.maketrans({"\n": "↵", "\t": "⇥", "\r": "␍"})
_OUTER_SPACES = re.compile(r"\A +| +\Z")


class DescribedFigure(Figure):
    """A Matplotlib figure that carries its alternative text into a notebook's output.

    Shown as a cell's last expression or by `display`, the text stands in the output's metadata, as
    {"image/png": {"alt": ...}}, where converters look for it, and in the output's plain text. The figure is made
    without pyplot, so that nothing shows it a second time.

    Attributes:
        alt_text: what is seen in the figure, in words.
    """

    alt_text: str = ""

    def __repr__(self) -> str:
        return f"<Figure: {self.alt_text}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        # No data: where the inline backend has registered its own PNG formatter for figures, IPython asks that one
        # first in any case, and keeps the metadata given here.
        return {}, {"image/png": {"alt": self.alt_text}}

    def _repr_png_(self) -> bytes:
        """The picture where no formatter is registered, because nobody has imported pyplot."""
        picture = io.BytesIO()
        self.savefig(picture, format="png", bbox_inches="tight")
        return picture.getvalue()


def visible(token: str) -> str:
    """Replace white space that one would not see by signs: " " becomes "␣", a newline "↵"; spaces inside stay."""
    return _OUTER_SPACES.sub(lambda spaces: "␣" * len(spaces[0]), token).translate(_VISIBLE)


def describe_curve(values: Sequence[float], step: str) -> str:
    """Say in words how a curve runs.

    Args:
        values: the curve's numbers in their order, the first at step 1; NaN and infinity are named, not compared.
        step: what is counted along the axis, e.g. "epoch".

    Returns:
        e.g. "falls from 0.69 to 0.42, lowest at epoch 2 with 0.38".
    """
    finite = {number: value for number, value in enumerate(values, start=1) if math.isfinite(value)}
    if not finite:
        return "holds no finite number"
    first, last = _round(finite[min(finite)]), _round(finite[max(finite)])
    if first == last:
        parts = [f"is {first:g} at {step} 1" if len(values) == 1 else f"starts and ends at {first:g}"]
    else:
        parts = [f"{'falls' if last < first else 'rises'} from {first:g} to {last:g}"]
    for name, number in (("lowest", min(finite, key=finite.get)), ("highest", max(finite, key=finite.get))):
        value = _round(finite[number])
        if value not in (first, last):
            parts.append(f"{name} at {step} {number} with {value:g}")
    if len(finite) < len(values):
        parts.append(f"not finite at {len(values) - len(finite)} of {len(values)} {step}s")
    return ", ".join(parts)


def _round(value: float) -> float:
    """The number as a reader is told it: three digits."""
    return float(f"{value:.3g}")


def check_count(names: Sequence[str], count: int, given: str, expected: str) -> None:
    """Raise a ValueError unless there is one name for each of the things it names."""
    if len(names) != count:
        raise ValueError(f"{len(names)} {given} do not fit {count} {expected}: give one for each, in the same order")
