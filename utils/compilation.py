"""Compile a function for the backend that Keras runs on."""

from collections.abc import Callable

import keras


def compiled(function: Callable, fixed_shapes: bool = True) -> Callable:
    """Compile a function of arrays: XLA on TensorFlow and JAX; unchanged on a backend without a compiler of its own.

    Args:
        function: a pure function of arrays and nested lists of arrays, written with `keras.ops`.
        fixed_shapes: whether the shapes of its arguments stay the same from call to call, or nearly so: each new set
            of them is compiled anew. Otherwise TensorFlow compiles one graph for all shapes, without XLA; JAX cannot.

    Returns:
        The compiled function. It takes NumPy arrays or tensors and gives tensors.
    """
    if keras.config.backend() == "jax":
        import jax

        return jax.jit(function)
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # on a GPU, Keras calls cuDNN's recurrent layers, which XLA does not know
        use_xla = fixed_shapes and not tf.config.list_physical_devices("GPU")
        return tf.function(function, jit_compile=use_xla, reduce_retracing=not fixed_shapes, autograph=False)
    return function
