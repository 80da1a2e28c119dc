"""Equations as MathML: browsers lay it out themselves, readers hear it, and no script or font of another host is asked.

Browsers need a font with a table of mathematical measures. Few systems have one, so the site brings the part of STIX
Two Math (SIL Open Font License) that equations in this course use.
"""

import importlib.util
import itertools
import pathlib
import re

from docutils import nodes
from fontTools import subset
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

# Of the package ziamath, which is not imported: its font is all that is needed.
FONT = pathlib.Path(importlib.util.find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"
_CHARACTERS = (
    (0x20, 0x7E),  # Basic Latin
    (0xA0, 0xFF),  # Latin-1
    (0x300, 0x36F),  # combining accents
    (0x370, 0x3FF),  # Greek
    (0x2010, 0x206F),  # general punctuation
    (0x2070, 0x22FF),  # superscripts, letter-like symbols, arrows, operators
    (0x2308, 0x230B),  # ceilings and floors
    (0x23B4, 0x23E1),  # braces over and under a term
    (0x27E6, 0x27EB),  # angle brackets
    (0x1D434, 0x1D467),  # italic letters
    (0x1D6E2, 0x1D71B),  # italic Greek
)


def to_mathml(latex: str, block: bool) -> str:
    """Convert an equation.

    Args:
        latex: LaTeX without its dollars.
        block: whether it stands in a line of its own.

    Returns:
        A <math> element.
    """
    # The converter knows align* and not aligned, which inside an equation means the same.
    latex = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", latex.strip())
    return convert(latex, display="block" if block else "inline")


def write_font(path: pathlib.Path) -> None:
    """Write the part of the font that equations use, as a web font."""
    # Without other shapes of the same letters: they are half of the file. Tall brackets and roots stay.
    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
    font = subset.load_font(str(FONT), options)
    reduced = subset.Subsetter(options)
    reduced.populate(unicodes=itertools.chain.from_iterable(range(first, last + 1) for first, last in _CHARACTERS))
    reduced.subset(font)
    subset.save_font(font, str(path), options)


def _visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(to_mathml(node.astext(), block=False))
    raise nodes.SkipNode


def _visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    # A long equation scrolls in a container of its own. The theme lets the keyboard reach containers of this name.
    container = "equation pst-scrollable-table-container"
    translator.body.append(f'<div class="{container}">{to_mathml(node.astext(), block=True)}</div>\n')
    raise nodes.SkipNode


def _add_font(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        write_font(pathlib.Path(app.outdir, "_static", "equations.woff"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer `mathml`, for the setting html_math_renderer."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.connect("build-finished", _add_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
