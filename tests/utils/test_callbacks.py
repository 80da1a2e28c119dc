import keras
import numpy as np
import pytest

from utils.callbacks import print_samples
from utils.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of_characters("abc")


def model():
    keras.utils.set_random_seed(0)
    ids = keras.Input((4,), dtype="int32")
    hidden = keras.layers.Flatten()(keras.layers.Embedding(len(VOCABULARY), 4)(ids))
    network = keras.Model(ids, keras.layers.Dense(len(VOCABULARY), activation="softmax")(hidden))
    network.compile("sgd", "sparse_categorical_crossentropy")
    return network


def test_each_epoch_writes_one_sample_for_each_temperature():
    network, written = model(), []
    callback = print_samples(network, VOCABULARY, "abca", (0.2, 1.0), length=5, write=written.append)
    assert isinstance(callback, keras.callbacks.LambdaCallback)
    network.fit(np.full((8, 4), 3), np.full(8, 4), epochs=2, verbose=0, callbacks=[callback])
    assert len(written) == 2 * (1 + 2)
    assert 'epoch 1, the prompt "abca"' in written[0]
    assert 'epoch 2, the prompt "abca"' in written[3]
    assert written[1].startswith("temperature 0.2: ")
    assert len(written[2].removeprefix("temperature 1.0: ")) == 5


def test_the_same_model_writes_the_same_in_every_epoch():
    network, written = model(), []
    callback = print_samples(network, VOCABULARY, ["a", "b"], (1.0,), length=30, write=written.append)
    callback.on_epoch_end(0)
    callback.on_epoch_end(1)
    assert written[1::2][:2] == written[1::2][2:]


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        ("az", {}, "'z'"),
        ("a", {"temperatures": (0.5, -1.0)}, "0 or more"),
        ("a", {"length": 0}, "at least 1"),
        ("a", {"top_k": 0}, "top_k"),
        ("a", {"on_character": print}, "one text"),
    ],
)
def test_wrong_arguments_are_refused_before_training(prompt, options, message):
    with pytest.raises(ValueError, match=message):
        print_samples(model(), VOCABULARY, prompt, **options)


def test_an_unbuilt_model_is_refused_before_training():
    with pytest.raises(ValueError, match=r"begin a Sequential model with keras.Input"):
        print_samples(keras.Sequential([keras.layers.Dense(len(VOCABULARY))]), VOCABULARY, "a")


@pytest.mark.parametrize(("options", "message"), [({"seed": None}, "seed must be"), ({"write": None}, "write must be")])
def test_options_that_would_fail_after_an_epoch_are_refused_before(options, message):
    with pytest.raises(TypeError, match=message):
        print_samples(model(), VOCABULARY, "a", **options)


def test_one_temperature_needs_no_list():
    shown = []
    print_samples(model(), VOCABULARY, "a", 0.5, length=3, write=shown.append).on_epoch_end(0)
    assert shown[1].startswith("temperature 0.5: ")


def stateful_model():
    """A model of two texts at a time, with dropout, which draws random numbers in training."""
    keras.utils.set_random_seed(0)
    ids = keras.Input(batch_shape=(2, 4), dtype="int32")
    hidden = keras.layers.Embedding(len(VOCABULARY), 4)(ids)
    hidden = keras.layers.Dropout(0.5)(keras.layers.LSTM(8, stateful=True)(hidden))
    network = keras.Model(ids, keras.layers.Dense(len(VOCABULARY), activation="softmax")(hidden))
    network.compile("adam", "sparse_categorical_crossentropy")
    return network


@pytest.mark.parametrize("make", [model, stateful_model])
def test_training_goes_on_as_if_nothing_was_printed(make):
    inputs, targets = np.tile([[3, 4, 5, 3], [5, 4, 3, 3]], (4, 1)), np.array([4, 5] * 4)

    def train(with_samples):
        network = make()
        samples = print_samples(network, VOCABULARY, "abca", (0.2, 1.0), length=5, write=lambda text: None)
        options = {"epochs": 3, "batch_size": 2, "shuffle": False, "verbose": 0}
        history = network.fit(inputs, targets, callbacks=[samples] if with_samples else [], **options)
        states = [state for layer in network.layers for state in getattr(layer, "states", None) or []]
        arrays = [keras.ops.convert_to_numpy(variable) for variable in [*states, *network.optimizer.variables]]
        return (
            history.history["loss"],
            network.get_weights(),
            arrays,
            keras.ops.convert_to_numpy(keras.random.normal((3,))),
        )

    for printed, silent in zip(
        *(keras.tree.flatten(train(with_samples)) for with_samples in (True, False)), strict=True
    ):
        assert np.array_equal(printed, silent)
