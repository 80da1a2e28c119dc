"""What lecture 07 writes by hand, against Keras: its cells tagged `from_scratch` run here, on inputs of many shapes."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagged_cells import CLOSE, assert_close, run_tagged_cells

from utils.gradients import TOLERANCE, check_gradients

SEEDS = st.integers(0, 2**32 - 1)
# (batch, time, features, units)
SHAPES = st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
few_examples = settings(max_examples=6)  # each asks Keras for its gradients, which takes a fraction of a second
CELLS = {"lstm": (keras.layers.LSTM, 2), "gru": (keras.layers.GRU, 1)}  # layer, and how many states it carries
every_cell = pytest.mark.parametrize("cell", CELLS)


lecture = run_tagged_cells("07_from_scratch")


def random_network(shape, seed, layer_type=keras.layers.SimpleRNN):
    """A Keras layer with random weights, the same weights by name, inputs and slopes."""
    batch, time, features, units = shape
    rng = np.random.default_rng(seed)
    options = {} if layer_type is lecture.ScanRNN else {"return_sequences": True}
    layer = layer_type(units, **options)
    layer.build((batch, time, features))
    weights = lecture.random_weights(layer, rng)
    return layer, weights, rng.normal(size=(batch, time, features)), rng.normal(size=(batch, time, units))


def by_hand(weights):
    """Keras's names -> the lecture's, with an output layer of three classes."""
    kernel, recurrent_kernel, bias = weights.values()
    output = {"W_hy": np.linspace(-1, 1, 3 * len(bias)).reshape(-1, 3), "b_y": np.array([0.1, 0.2, 0.3])}
    return {"W_xh": kernel, "W_hh": recurrent_kernel, "b_h": bias} | output


@pytest.mark.parametrize("kind", ["SimpleRNN", "ScanRNN"])
@few_examples
@given(shape=SHAPES, seed=SEEDS)
def test_the_rnn_and_its_scan_are_keras_simple_rnn(kind, shape, seed):
    layer_type = lecture.ScanRNN if kind == "ScanRNN" else keras.layers.SimpleRNN
    layer, weights, inputs, slopes = random_network((1, *shape[1:]), seed, layer_type)
    parameters = by_hand(weights)
    states = lecture.rnn_forward(parameters, inputs[0], np.zeros(shape[3]))
    assert_close(states[1:], layer(inputs)[0])
    gradients, totals = lecture.rnn_backward(parameters, inputs[0], states, slopes[0])
    for ours, theirs in zip(gradients.values(), lecture.automatic_gradients(layer, inputs, slopes), strict=True):
        assert_close(ours, theirs)
    assert totals.shape == states.shape


@few_examples
@given(shape=SHAPES, seed=SEEDS)
def test_the_scan_takes_batches_and_a_first_state(shape, seed):
    layer, weights, inputs, _ = random_network(shape, seed, lecture.ScanRNN)
    theirs = keras.layers.SimpleRNN(shape[3], return_sequences=True)
    theirs.build(inputs.shape)
    theirs.set_weights(list(weights.values()))
    start = np.random.default_rng(seed).normal(size=(shape[0], shape[3])).astype("float32")
    assert_close(keras.ops.convert_to_numpy(layer(inputs, start)), theirs(inputs, initial_state=start))


@every_cell
@few_examples
@given(shape=SHAPES, seed=SEEDS)
def test_a_cell_is_keras_layer_forward_and_backward(cell, shape, seed):
    layer_type, states = CELLS[cell]
    layer, weights, inputs, slopes = random_network(shape, seed, layer_type)
    step, step_backward = getattr(lecture, f"{cell}_step"), getattr(lecture, f"{cell}_step_backward")
    zeros = tuple(np.zeros((shape[0], shape[3])) for _ in range(states))
    outputs, kept = lecture.layer_forward(step, weights, inputs, zeros)
    assert_close(outputs, layer(inputs))
    gradients, d_states = lecture.layer_backward(step_backward, weights, kept, slopes, states)
    for name, theirs in zip(weights, lecture.automatic_gradients(layer, inputs, slopes), strict=True):
        assert_close(gradients[name], theirs)
    assert len(d_states) == shape[1] + 1
    start = tuple(np.random.default_rng(seed).normal(size=(states, shape[0], shape[3])))
    assert lecture.check_numerically(step, step_backward, weights, inputs, start, slopes).error < TOLERANCE


@given(seed=SEEDS)
@settings(max_examples=10)
def test_the_loss_is_keras_and_all_its_gradients_are_right(seed):
    rng = np.random.default_rng(seed)
    parameters = lecture.make_parameters(4, 3, 5, rng)
    example = rng.normal(size=(6, 4)), rng.integers(5, size=6), rng.normal(size=3)
    logits = rng.normal(size=(6, 5))
    keras_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(example[1], logits)
    assert lecture.cross_entropy(logits, example[1])[0] == pytest.approx(float(keras_loss), rel=CLOSE)

    def loss(changed):
        return lecture.loss_and_gradients(changed, *example)[0]

    gradients = lecture.loss_and_gradients(parameters, *example)[1]
    assert check_gradients(loss, parameters, gradients).error < TOLERANCE
    mistaken = lecture.loss_and_gradients(parameters, *example, recurrent_product=np.dot)[1]
    records = check_gradients(loss, parameters, mistaken)
    assert records["W_hh"].error > 0.1
    assert all(record.error < TOLERANCE for name, record in records.items() if name != "W_hh")


def test_cutting_nothing_gives_the_full_gradient():
    parameters = lecture.make_parameters(5, 4, 5, np.random.default_rng(0))
    ids = np.random.default_rng(1).integers(5, size=21)
    full = lecture.loss_and_gradients(parameters, lecture.one_hot(ids[:-1], 5), ids[1:], np.zeros(4))[1]
    cut = lecture.truncated_gradients(parameters, ids, 20)
    for name, gradient in full.items():
        np.testing.assert_allclose(cut[name], gradient)
    assert not np.allclose(lecture.truncated_gradients(parameters, ids, 3)["W_hh"], full["W_hh"])


@pytest.mark.parametrize("limit", [None, 0.5, 1e6])
def test_a_step_of_descent_is_keras_sgd(limit):
    rng = np.random.default_rng(3)
    values, gradients = ({"matrix": rng.normal(size=(3, 2)), "vector": rng.normal(size=2)} for _ in range(2))
    variables = [keras.Variable(array, dtype="float32") for array in values.values()]
    slopes = [keras.ops.convert_to_tensor(array, "float32") for array in gradients.values()]
    keras.optimizers.SGD(0.3, global_clipnorm=limit).apply(slopes, variables)
    clipped, _ = lecture.clip_by_norm(gradients, np.inf if limit is None else limit)
    for ours, theirs in zip(lecture.sgd_step(values, clipped, 0.3).values(), variables, strict=True):
        assert_close(ours, theirs)
