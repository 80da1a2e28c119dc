"""The file that carries the trained model into the browser.

It is laid out like a safetensors file: eight bytes that give the length of the header, the header in JSON with each
array's type, shape and place, then the arrays one after the other, little-endian.
"""

import json
import math
import pathlib

import keras
import numpy as np
from keras import layers

from utils.vocabulary import Vocabulary

WEIGHTS = pathlib.Path(__file__).with_name("weights.bin")
_NAMES = ("embedding", "kernel", "recurrent_kernel", "bias", "dense_kernel", "dense_bias")
_LENGTH_BYTES = 8  # before the header; they say how long it is


def build_model(classes: int, embedding: int, units: int) -> keras.Model:
    """Build the character model of lecture 10: ids (batch, time) -> the next id's probabilities at each step.

    Args:
        classes: ids in the vocabulary.
        embedding: numbers for a character.
        units: size of the state.

    Returns:
        The untrained model, of output shape (batch, time, classes).
    """
    return keras.Sequential([
        keras.Input((None,), dtype="int32"),
        layers.Embedding(classes, embedding),  # (batch, time) -> (batch, time, embedding)
        layers.LSTM(units, return_sequences=True),  # -> (batch, time, units)
        layers.Dense(classes, activation="softmax"),  # -> (batch, time, classes)
    ])  # fmt: skip


def round_weights(model: keras.Model) -> None:
    """Give a model the weights that float16 can hold, so that Python and the browser compute with the same numbers."""
    model.set_weights([weights.astype(np.float16) for weights in model.get_weights()])


def save_model(model: keras.Model, vocabulary: Vocabulary, path: pathlib.Path = WEIGHTS) -> None:
    """Write a model of `build_model` and its vocabulary to one file.

    Args:
        model: its weights are rounded to float16.
        vocabulary: the characters that the model knows.
        path: the file; replaced.
    """
    arrays = [np.ascontiguousarray(weights, dtype="<f2") for weights in model.get_weights()]
    ends = np.cumsum([array.nbytes for array in arrays]).tolist()
    header = {"__metadata__": {"characters": "".join(vocabulary.tokens), "reserved": str(Vocabulary.RESERVED)}}
    for name, array, begin, end in zip(_NAMES, arrays, [0, *ends], ends, strict=False):
        header[name] = {"dtype": "F16", "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)  # arrays begin at a multiple of eight
    path.write_bytes(len(text).to_bytes(_LENGTH_BYTES, "little") + text + b"".join(map(np.ndarray.tobytes, arrays)))


def load_model(path: pathlib.Path = WEIGHTS) -> tuple[keras.Model, Vocabulary]:
    """Read what `save_model` wrote.

    Args:
        path: the file.

    Returns:
        The model, whose weights are float32 of float16's precision, and its vocabulary.
    """
    content = path.read_bytes()
    begin = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    header = json.loads(content[_LENGTH_BYTES:begin])
    arrays = []
    for name in _NAMES:
        shape = header[name]["shape"]
        first = begin + header[name]["data_offsets"][0]
        arrays.append(np.frombuffer(content, "<f2", math.prod(shape), first).reshape(shape))
    (classes, embedding), (units, _) = arrays[0].shape, arrays[2].shape
    model = build_model(classes, embedding, units)
    model.set_weights(arrays)
    return model, Vocabulary(list(header["__metadata__"]["characters"]), "character")
