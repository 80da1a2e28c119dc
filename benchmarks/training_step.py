"""A process that trains an LSTM with one framework: it does one step for each line it reads, and answers with the loss.

Frameworks cannot share a process without sharing threads and start-up settings, so each gets its own.
"""

import argparse
import os
import sys
from collections.abc import Callable

import numpy as np

LENGTH = 80
UNITS = 128
VOCABULARY_SIZE = 20_000


def main() -> None:
    """Build the model that the arguments describe, then step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("framework", choices=["tensorflow", "jax", "torch"])
    parser.add_argument("--task", choices=["reviews", "vectors"], default="reviews")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--unroll", action="store_true")
    parser.add_argument("--compile", action="store_true", help="with XLA on TensorFlow")
    options = parser.parse_args()
    rng = np.random.default_rng(42)
    if options.task == "reviews":
        inputs = rng.integers(3, VOCABULARY_SIZE, (options.batch, LENGTH)).astype("int32")
    else:
        inputs = rng.normal(size=(options.batch, LENGTH, UNITS)).astype("float32")
    targets = rng.integers(0, 2, (options.batch, 1)).astype("float32")
    step = (torch_step if options.framework == "torch" else keras_step)(options, inputs, targets)
    for _ in sys.stdin:
        print(step(), flush=True)


def keras_step(options: argparse.Namespace, inputs: np.ndarray, targets: np.ndarray) -> Callable[[], float]:
    """One step of lecture 02's classifier in Keras."""
    os.environ["KERAS_BACKEND"] = options.framework
    import keras

    keras.utils.set_random_seed(42)
    kernel = {"use_cudnn": False} if options.compile else {}  # with "auto", Keras does not compile an LSTM
    embedding = [keras.layers.Embedding(VOCABULARY_SIZE, UNITS)] if options.task == "reviews" else []
    lstm = keras.layers.LSTM(UNITS, unroll=options.unroll, **kernel)
    model = keras.Sequential(
        [keras.Input(inputs.shape[1:], dtype=inputs.dtype), *embedding, lstm, keras.layers.Dense(1, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy", jit_compile=True if options.compile else "auto")
    return lambda: float(model.train_on_batch(inputs, targets))


def torch_step(options: argparse.Namespace, inputs: np.ndarray, targets: np.ndarray) -> Callable[[], float]:
    """One step of the same model in PyTorch, with its own nn.LSTM and Adam."""
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(VOCABULARY_SIZE, UNITS) if options.task == "reviews" else None
            self.lstm = torch.nn.LSTM(UNITS, UNITS, batch_first=True)
            self.output = torch.nn.Linear(UNITS, 1)

        def forward(self, x):
            # (batch, time) -> (batch, time, units) -> (batch, units) -> (batch, 1)
            vectors = self.embedding(x) if self.embedding else x
            return self.output(self.lstm(vectors)[0][:, -1])

    torch.manual_seed(42)
    torch.set_num_threads(os.cpu_count() or 1)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters())
    loss_function = torch.nn.BCEWithLogitsLoss()
    x, y = torch.from_numpy(inputs), torch.from_numpy(targets)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


if __name__ == "__main__":
    main()
