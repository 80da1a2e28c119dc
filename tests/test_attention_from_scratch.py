"""What lecture 13 writes by hand, against Keras: its cells tagged `from_scratch` run here, on inputs of many shapes."""

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tagged_cells import assert_close, run_tagged_cells

SEEDS = st.integers(0, 2**32 - 1)
few_examples = settings(max_examples=10, deadline=None)  # each builds layers, which takes a fraction of a second


lecture = run_tagged_cells("13_attention")


def random_mask(rng, *shape):
    """Which keys each query may see: at least one, at a random place."""
    allowed = rng.random(shape) < 0.6
    certain = rng.integers(shape[-1], size=(*shape[:-1], 1))
    np.put_along_axis(allowed, certain, True, axis=-1)
    return allowed


def single(array):
    return np.asarray(array, dtype="float32")


@few_examples
@given(seed=SEEDS, time=st.integers(2, 6), sizes=st.tuples(*[st.integers(1, 5)] * 3), masked=st.booleans())
def test_additive_attention_is_keras(seed, time, sizes, masked):
    features, units, hidden = sizes
    rng = np.random.default_rng(seed)
    query, states = rng.normal(size=features), rng.normal(size=(time, units))
    W, U, v = rng.normal(size=(hidden, features)), rng.normal(size=(hidden, units)), rng.normal(size=hidden)
    allowed = random_mask(rng, time) if masked else None
    context, weights = lecture.additive_attention(query, states, W, U, v, allowed)
    inputs = [single(array)[np.newaxis] for array in ((W @ query)[np.newaxis], states, states @ U.T)]
    layer = keras.layers.AdditiveAttention()
    layer.build([array.shape for array in inputs])
    layer.set_weights([v])
    mask = None if allowed is None else [None, allowed[np.newaxis]]
    theirs, their_weights = layer(inputs, mask=mask, return_attention_scores=True)
    assert_close(context, theirs[0, 0])
    assert_close(weights, their_weights[0, 0])
    assert weights.sum() == pytest.approx(1)


@few_examples
@given(seed=SEEDS, batch=st.integers(1, 3), time=st.integers(2, 6), features=st.integers(1, 5), units=st.integers(1, 5))
def test_the_layer_is_additive_attention(seed, batch, time, features, units):
    rng = np.random.default_rng(seed)
    state, states = rng.normal(size=(batch, features)), rng.normal(size=(batch, time, units))
    allowed = random_mask(rng, batch, time)
    layer = lecture.LookBack(units)
    contexts, weights = layer(single(state), layer.to_keys(single(states)), single(states), allowed)
    W, U, v = (keras.ops.convert_to_numpy(part.kernel).T for part in (layer.from_state, layer.to_keys, layer.to_score))
    for row in range(batch):
        ours = lecture.additive_attention(state[row], states[row], W, U, v[0], allowed[row])
        assert_close(ours[0], contexts[row])
        assert_close(ours[1], weights[row])


@few_examples
@given(
    seed=SEEDS,
    batch=st.integers(1, 3),
    shape=st.tuples(st.integers(1, 5), *[st.integers(2, 5)] * 3),
    causal=st.booleans(),
)
def test_scaled_dot_product_attention_is_keras(seed, batch, shape, causal):
    asking, time, features, units = shape
    rng = np.random.default_rng(seed)
    queries, keys = rng.normal(size=(batch, asking, features)), rng.normal(size=(batch, time, features))
    values = rng.normal(size=(batch, time, units))
    allowed = np.tri(asking, time, dtype=bool) if causal else None
    ours, weights = lecture.scaled_dot_product_attention(queries, keys, values, allowed)
    inputs = [single(array) for array in (queries / np.sqrt(features), values, keys)]  # the layer divides by no root
    theirs, their_weights = keras.layers.Attention()(inputs, use_causal_mask=causal, return_attention_scores=True)
    assert_close(ours, theirs)
    assert_close(weights, their_weights)
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


@few_examples
@given(
    seed=SEEDS,
    time=st.integers(2, 6),
    features=st.integers(1, 6),
    heads=st.integers(1, 4),
    size=st.integers(1, 4),
    mask=st.sampled_from(["none", "causal", "random"]),
)
def test_multi_head_attention_is_keras(seed, time, features, heads, size, mask):
    # Keras 3.15 adds its biases along the wrong axis there: its layer then answers shuffled places otherwise
    assume(size > 1 or heads != time)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(time, features))
    layer = keras.layers.MultiHeadAttention(heads, size)
    layer.build((1, time, features), (1, time, features))
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    weights = [keras.ops.convert_to_numpy(weight).astype("float64") for weight in layer.weights]
    allowed = {"none": None, "causal": np.tri(time, dtype=bool), "random": random_mask(rng, time, time)}[mask]
    inputs, ours = single(x)[np.newaxis], lecture.multi_head_attention(x, weights, allowed)
    assert_close(ours, layer(inputs, inputs, attention_mask=None if allowed is None else allowed[np.newaxis])[0])
    if mask == "causal":
        assert_close(ours, layer(inputs, inputs, use_causal_mask=True)[0])


def test_a_causal_mask_hides_what_comes_later():
    rng = np.random.default_rng(0)
    queries, keys, values = (rng.normal(size=(6, 3)) for _ in range(3))
    triangle = np.tri(6, dtype=bool)
    before, _ = lecture.scaled_dot_product_attention(queries, keys, values, triangle)
    keys[4], values[4] = 10, 10
    after, weights = lecture.scaled_dot_product_attention(queries, keys, values, triangle)
    np.testing.assert_array_equal(before[:4], after[:4])
    assert not np.isclose(before[4:], after[4:]).any()
    assert not weights[~triangle].any()
    open_after, _ = lecture.scaled_dot_product_attention(queries, keys, values)
    assert not np.isclose(open_after[:4], after[:4]).all()


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6))
def test_the_softmax_does_not_overflow(scores):
    weights = lecture.softmax(np.array(scores))
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(lecture.softmax(np.array(scores) + 1.0), weights, atol=1e-6)
