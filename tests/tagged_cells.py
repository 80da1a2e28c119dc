"""What the tests of from-scratch code share: a lecture's tagged cells as a module, and agreement with Keras."""

import types

import keras
import numpy as np

from course import notebooks
from course.paths import LECTURES

CLOSE = 1e-5  # Keras computes in float32


def run_tagged_cells(lecture):
    """What the cells with the tag `from_scratch` define."""
    cells = notebooks.read(LECTURES / f"{lecture}.ipynb").cells
    tagged = [cell.source for cell in cells if "from_scratch" in cell.metadata.get("tags", [])]
    names = {}
    exec("\n\n".join(tagged), names)
    return types.SimpleNamespace(**names)


def assert_close(ours, theirs):
    theirs = keras.ops.convert_to_numpy(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=CLOSE, atol=CLOSE * max(1, np.abs(theirs).max()))
