"""Settings of every test."""

import os

from hypothesis import settings

import utils.session  # noqa: F401  quiet TensorFlow before the first import of Keras

os.environ.setdefault("MPLBACKEND", "agg")
# Tests state behaviour, not speed: a busy machine must not make them fail.
settings.register_profile("course", deadline=None)
settings.load_profile("course")
