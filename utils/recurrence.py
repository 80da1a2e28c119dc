"""Turn a recurrent model into one that takes a step at a time and remembers."""

import random
from collections.abc import Iterator
from typing import Any

import keras

# Layers that treat each time step alone or carry a state forward: no output depends on a later step.
_FORWARD_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Embedding,
    keras.layers.SimpleRNN,
    keras.layers.GRU,
    keras.layers.LSTM,
    keras.layers.Dropout,
    keras.layers.Dense,
)


def is_stateful(model: keras.Model) -> bool:
    """Whether any layer of a model, however deeply nested, keeps its state from one batch to the next."""
    return any(getattr(layer, "stateful", False) for layer in all_layers(model))


def can_step(model: keras.Model) -> bool:
    """Whether a model that reads whole sequences gives the same when it reads them one step at a time.

    Known of chains of `Embedding`, `SimpleRNN`, `GRU`, `LSTM`, `Dropout` and `Dense` layers that read forwards; of
    all others it is not known, and the answer is False.
    """
    if any(type(layer) not in _FORWARD_LAYERS or getattr(layer, "go_backwards", False) for layer in model.layers):
        return False
    return isinstance(model, keras.Sequential) or _is_chain(model)


def step_model(model: keras.Model, rows: int) -> keras.Model:
    """Rebuild a recurrent model for one step of time and any number of rows; what came before is in its states.

    Args:
        model: a built Sequential or functional model of ids (batch, time). A model without a stateful layer must
            pass `can_step`; all its recurrent layers become stateful.
        rows: how many sequences it reads side by side.

    Returns:
        A model of ids (rows, 1), with weights of its own, in the order of the model's.
    """
    config = _one_step(model.get_config(), rows, model.input_shape[1], stateful=not is_stateful(model))
    random_state = random.getstate()
    try:
        with keras.saving.custom_object_scope({type(layer).__name__: type(layer) for layer in all_layers(model)}):
            return type(model).from_config(config)
    finally:
        # Keras draws the seeds of new layers from Python's generator: a training under way must not notice
        random.setstate(random_state)


def states(model: keras.Model) -> list[keras.Variable]:
    """The states that layers keep from one batch to the next, which Keras does not count as the model's variables."""
    kept = [layer.states for layer in all_layers(model) if getattr(layer, "stateful", False)]
    return keras.tree.flatten(kept)


def all_layers(model: Any) -> Iterator[keras.layers.Layer]:
    """All layers of a model; a model nested in it comes before its own layers."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)


def _is_chain(model: keras.Model) -> bool:
    """Whether each layer is called once, on one input: none is used twice or given its first state."""
    if any(len(layer["inbound_nodes"]) > 1 for layer in model.get_config()["layers"]):
        return False
    called = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    return all(isinstance(layer.input, keras.KerasTensor) for layer in called)


def _one_step(part: Any, rows: int, time: int | None, stateful: bool) -> Any:
    """A copy of a model's configuration, or of a part of it, in which inputs have the shape (rows, 1, ...)."""
    if isinstance(part, list | tuple):
        return type(part)(_one_step(item, rows, time, stateful) for item in part)
    if not isinstance(part, dict):
        return part
    # the shapes that a layer was built for are not those that it is to be built for
    changed = {
        key: _one_step(value, rows, time, stateful)
        for key, value in part.items()
        if key not in ("build_config", "build_input_shape")
    }
    if "batch_shape" in part:
        shape = part["batch_shape"]
        _, *inner = shape["items"] if isinstance(shape, dict) else shape
        changed["batch_shape"] = (rows, *(1 if axis == 0 and size == time else size for axis, size in enumerate(inner)))
    if stateful and "stateful" in part:
        changed["stateful"] = True
    return changed
