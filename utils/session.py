"""Start a notebook: quiet logs, a fixed seed, and one line that says what it runs on."""

import contextlib
import importlib.metadata
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterator

# TensorFlow reads this when it is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def start(seed: int) -> None:
    """Set every random seed (Python, NumPy, the Keras backend) and print the versions and the hardware.

    Args:
        seed: integer in [0, 2**32); the same seed gives the same numbers on the same machine. Another number of
            threads adds floats in another order, so that trained weights differ in their last digits and, after
            some epochs, in more.
    """
    with _silent_start_up():
        import keras

        # it warns wherever several models are trained in turn, which is what a comparison is
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        keras.utils.set_random_seed(seed)
        gpus = _count_gpus()
    backend = keras.config.backend()
    versions = f"Keras {keras.__version__} on {backend} {importlib.metadata.version(backend)}"
    print(f"Python {platform.python_version()}, {versions}, seed {seed}")
    print(_hardware(os.cpu_count() or 1, gpus))


@contextlib.contextmanager
def _silent_start_up() -> Iterator[None]:
    """Hold back what libraries write to standard error while they start, and show it only where they fail.

    TensorFlow's C++ part writes there, past Python, that it finds no GPU driver and which instructions it uses, and no
    setting silences the messages of its first moments. A student would read them, in red, before anything else.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held_back:
        descriptor = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(descriptor, held_back.read())
            raise
        finally:
            os.dup2(descriptor, 2)
            os.close(descriptor)


def _count_gpus() -> int:
    import keras

    try:
        return len(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # JAX raises where it has no such platform; TensorFlow returns an empty list
        return 0


def _hardware(cores: int, gpus: int) -> str:
    processors = f"{cores} CPU core{'s' if cores > 1 else ''}"
    if gpus:
        return f"{gpus} GPU{'s' if gpus > 1 else ''} and {processors}"
    return f"{processors}, no GPU: everything runs, and the times at the head of the notebook are for 2 such cores."
