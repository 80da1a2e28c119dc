"""Start a notebook: quiet logs, a fixed seed, and one line that says what it runs on."""

import os
import platform

# TensorFlow reads these when it is first imported. Its C++ start-up messages (drivers not found, which CPU
# instructions are used) would otherwise be the first thing a student reads, in red.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("GLOG_minloglevel", "3")


def start(seed: int) -> None:
    """Set every random seed (Python, NumPy, the Keras backend) and print the versions and the hardware.

    Args:
        seed: integer in [0, 2**32); the same seed gives the same numbers on the same machine. Another number of
            threads adds floats in another order, so that trained weights differ in their last digits and, after
            some epochs, in more.
    """
    import keras

    keras.utils.set_random_seed(seed)
    print(f"Python {platform.python_version()}, Keras {keras.__version__} on {_backend()}, seed {seed}")
    print(_hardware(os.cpu_count() or 1, _count_gpus()))


def _backend() -> str:
    import importlib.metadata

    import keras

    name = keras.config.backend()
    return f"{name} {importlib.metadata.version(name)}"


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
