import subprocess
import sys

import keras
import numpy as np
import pytest

from utils import session


def run(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_a_notebook_begins_with_versions_and_hardware_and_nothing_in_red():
    result = run("from utils import session; session.start(seed=1)")
    assert result.returncode == 0
    assert result.stderr == ""
    first, second = result.stdout.splitlines()
    assert first.startswith(f"Python {sys.version.split()[0]}, Keras 3")
    assert first.endswith("seed 1")
    assert "CPU core" in second


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's own warnings")
def test_models_trained_in_turn_give_no_warning():
    program = """
from utils import session
session.start(seed=1)
import tensorflow
traced = tensorflow.function(lambda x: x)
for number in range(8):  # each is traced anew, and the warning comes at the fifth
    traced(number)
"""
    assert run(program).stderr == ""


def test_a_failing_start_shows_what_was_held_back():
    program = """
import os
from utils import session
with session._silent_start_up():
    os.write(2, b"the driver says no")
    raise ImportError("no backend")
"""
    result = run(program)
    assert "the driver says no" in result.stderr
    assert "ImportError: no backend" in result.stderr


def test_the_seed_fixes_random_numbers(capsys):
    draws = []
    for _ in range(2):
        session.start(seed=5)
        draws.append(np.random.random())  # the global generator is what is seeded
    assert draws[0] == draws[1]


def test_hardware_is_named_in_words():
    assert session._hardware(1, 0).startswith("1 CPU core, no GPU: everything runs")
    assert session._hardware(8, 2) == "2 GPUs and 8 CPU cores"
