import keras
import numpy as np
import pytest

from utils.callbacks import print_samples
from utils.text import Vocabulary

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


def test_a_bad_prompt_is_refused_before_training():
    with pytest.raises(ValueError, match="'z'"):
        print_samples(model(), VOCABULARY, "az")
