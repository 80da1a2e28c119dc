import itertools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.bucketing import BucketedBatches, bucket_lengths
from utils.padding import pad_sequences, padding_mask

counts = st.lists(st.integers(0, 12), min_size=1, max_size=40)


def numbered(lengths):
    """Sequences of these lengths, each of its own number plus 1, so that a row of a batch tells whose it is."""
    return [[number + 1] * length for number, length in enumerate(lengths)]


def random_sequences(number, longest, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(1, 50, length).tolist() for length in generator.integers(1, longest + 1, number)]


def reviews_model(summary):
    """A masked classifier whose layer `summary` makes one vector of a review."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(50, 4, mask_zero=True),
        summary,
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    return keras.Sequential(layers)


def steps_with(padded_lengths, lengths, batch_size):
    """Padded steps of an epoch whose batches are filled in order of length, counted one batch after the other."""
    targets = sorted(min(padded for padded in padded_lengths if padded >= length) for length in lengths)
    batches = [targets[start : start + batch_size] for start in range(0, len(targets), batch_size)]
    return sum(len(batch) * max(batch) for batch in batches)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=25), st.integers(1, 4), st.integers(1, 5))
def test_no_other_choice_of_as_many_lengths_needs_fewer_steps(lengths, buckets, batch_size):
    chosen = bucket_lengths(lengths, buckets, batch_size)
    assert len(chosen) <= buckets
    longest = max(lengths)
    others = itertools.combinations_with_replacement(range(1, longest + 1), buckets - 1)
    fewest = min(steps_with({*other, longest}, lengths, batch_size) for other in others)
    assert steps_with(chosen, lengths, batch_size) == fewest
    batches = BucketedBatches(numbered(lengths), batch_size=batch_size, buckets=buckets)
    assert batches.padded_steps == fewest


@given(counts, st.integers(1, 7), st.integers(1, 4), st.booleans())
def test_every_epoch_holds_each_row_once_with_its_target_and_weight(lengths, batch_size, buckets, shuffle):
    targets = {"label": np.arange(len(lengths)), "vector": np.arange(2 * len(lengths)).reshape(-1, 2)}
    weights = np.arange(len(lengths)) / 2
    batches = BucketedBatches(
        numbered(lengths), targets, weights, batch_size=batch_size, buckets=buckets, shuffle=shuffle
    )
    for _ in range(3):
        rows = []
        for inputs, batch_targets, batch_weights in batches:
            numbers = batch_targets["label"]
            np.testing.assert_array_equal(inputs, pad_sequences(numbered(lengths), inputs.shape[1])[numbers])
            np.testing.assert_array_equal(batch_targets["vector"], targets["vector"][numbers])
            np.testing.assert_array_equal(batch_weights, weights[numbers])
            rows.extend(numbers.tolist())
        assert sorted(rows) == list(range(len(lengths)))
        assert rows == batches.order.tolist()
        batches.on_epoch_end()


@given(counts, st.integers(1, 7), st.integers(1, 4), st.none() | st.integers(1, 10))
def test_batches_are_full_but_for_one_and_have_few_shapes(lengths, batch_size, buckets, maxlen):
    batches = BucketedBatches(numbered(lengths), batch_size=batch_size, buckets=buckets, maxlen=maxlen)
    epochs = []
    for _ in range(3):
        epochs.append(sorted(inputs.shape for (inputs,) in batches))
        batches.on_epoch_end()
    shapes = epochs[0]
    assert epochs == [shapes] * 3
    assert len(batches) == len(shapes)
    assert {steps for _, steps in shapes} == set(batches.padded_lengths.tolist())
    assert sum(rows < batch_size for rows, _ in shapes) <= 1
    assert len(set(shapes)) <= len(batches.padded_lengths) + 1
    longest = max(min(max(lengths), maxlen or max(lengths)), 1)
    assert batches.longest == longest
    assert batches.padded_steps == sum(rows * steps for rows, steps in shapes)
    assert batches.steps_saved == len(lengths) * longest - batches.padded_steps >= 0


@given(counts, st.integers(1, 7), st.booleans(), st.integers(0, 3))
def test_the_first_two_batches_differ_in_length_where_any_do(lengths, batch_size, shuffle, seed):
    # Keras takes the shape of all batches from these two when it feeds TensorFlow.
    batches = BucketedBatches(numbered(lengths), batch_size=batch_size, shuffle=shuffle, seed=seed)
    if len(batches.padded_lengths) > 1:
        assert batches[0][0].shape[1] != batches[1][0].shape[1]


def test_a_seed_fixes_the_order_and_each_epoch_has_another():
    sequences = random_sequences(200, 30)

    def orders(seed):
        batches = BucketedBatches(sequences, batch_size=8, seed=seed)
        found = []
        for _ in range(3):
            found.append(batches.order.tolist())
            batches.on_epoch_end()
        return found

    assert orders(1) == orders(1)
    assert len({tuple(order) for order in orders(1) + orders(2)}) == 6


def test_both_rows_and_batches_are_shuffled():
    batches = BucketedBatches(random_sequences(300, 30), batch_size=10, seed=0)

    def partners():
        return {frozenset(part.tolist()) for part in np.split(batches.order, 30)}

    def lengths():
        return [inputs.shape[1] for (inputs,) in batches]

    first_partners, first_lengths = partners(), lengths()
    batches.on_epoch_end()
    assert len(partners() & first_partners) < 5
    assert lengths() != first_lengths != sorted(first_lengths)


def test_without_shuffling_the_order_stays():
    batches = BucketedBatches(random_sequences(50, 20), batch_size=8, shuffle=False)
    order = batches.order
    batches.on_epoch_end()
    np.testing.assert_array_equal(batches.order, order)


def mean_target(y_true, y_pred):
    return y_true


@pytest.mark.parametrize("workers", [1, 3])
def test_a_model_trains_on_every_row_of_every_epoch(workers):
    sequences = random_sequences(60, 20)
    targets = np.arange(60, dtype="float32")[:, np.newaxis] ** 2  # squares: the mean tells a row left out or repeated
    options = {"batch_size": 8, "buckets": 2, "workers": workers}
    batches = BucketedBatches(sequences, targets, seed=0, **options)
    held = BucketedBatches(sequences, targets, shuffle=False, **options)
    model = reviews_model(keras.layers.GlobalAveragePooling1D())
    model.compile("adam", "mse", metrics=[mean_target])
    history = model.fit(batches, epochs=3, verbose=0, validation_data=held).history
    np.testing.assert_allclose(history["mean_target"], targets.mean(), rtol=1e-5)
    np.testing.assert_allclose(history["val_mean_target"], targets.mean(), rtol=1e-5)


def test_no_epoch_after_the_first_compiles_the_model_anew():
    class CountingLayer(keras.layers.Layer):
        traces = 0

        def call(self, inputs):
            CountingLayer.traces += 1
            return inputs

    model = keras.Sequential([keras.Input((None, 1)), CountingLayer(), keras.layers.SimpleRNN(1)])
    model.compile("sgd", "mse")
    sequences = [np.ones((length, 1)) for length in range(1, 41)]
    batches = BucketedBatches(sequences, np.zeros((40, 1)), batch_size=3, buckets=2, dtype="float32")
    model.fit(batches, verbose=0)
    after_one = CountingLayer.traces
    model.fit(batches, epochs=3, verbose=0)
    assert CountingLayer.traces == after_one


@pytest.mark.parametrize(("padding", "workers"), [("pre", 1), ("post", 2)])
def test_a_masked_lstm_predicts_the_same_as_from_fully_padded_input(padding, workers):
    sequences = [*random_sequences(40, 24), [], []]
    model = reviews_model(keras.layers.LSTM(5))
    batches = BucketedBatches(sequences, batch_size=8, buckets=2, padding=padding, shuffle=False, workers=workers)
    assert batches.steps_saved > 0
    expected = model.predict(pad_sequences(sequences, padding=padding), verbose=0)
    result = batches.restore(model.predict(batches, verbose=0))
    np.testing.assert_allclose(result, expected, atol=1e-6)


def test_evaluation_gives_the_loss_of_fully_padded_input():
    sequences = random_sequences(70, 24)
    targets = np.random.default_rng(1).integers(0, 2, 70).astype("float32")
    weights = np.linspace(0.5, 2, 70)
    model = reviews_model(keras.layers.GlobalAveragePooling1D())
    model.compile(loss="binary_crossentropy")
    expected = model.evaluate(pad_sequences(sequences), targets, sample_weight=weights, verbose=0)
    batches = BucketedBatches(sequences, targets, weights, batch_size=16, buckets=4)
    assert model.evaluate(batches, verbose=0) == pytest.approx(expected, abs=1e-5)


def test_vectors_are_padded_with_their_value_and_masked_by_it():
    generator = np.random.default_rng(0)
    steps = [0, 0, 0, 0, *generator.integers(1, 4, 20)]  # the first batch holds empty sequences only
    sequences = [generator.normal(size=(length, 3)) for length in steps]
    keras.utils.set_random_seed(0)
    layers = [keras.Input((None, 3)), keras.layers.Masking(-1.0), keras.layers.SimpleRNN(4)]
    model = keras.Sequential(layers)
    options = {"value": -1.0, "dtype": "float32"}
    batches = BucketedBatches(sequences, batch_size=4, buckets=2, shuffle=False, **options)
    assert {inputs.shape[2] for (inputs,) in batches} == {3}
    expected = model.predict(pad_sequences(sequences, **options), verbose=0)
    np.testing.assert_allclose(batches.restore(model.predict(batches, verbose=0)), expected, atol=1e-6)


def test_cutting_and_padding_go_as_pad_sequences_does_them():
    sequences = random_sequences(20, 12)
    options = {"padding": "post", "truncating": "post", "value": 9, "dtype": "int64"}
    batches = BucketedBatches(sequences, maxlen=6, batch_size=20, buckets=1, shuffle=False, **options)
    ((inputs,),) = list(batches)
    expected = pad_sequences(sequences, maxlen=6, **options)
    np.testing.assert_array_equal(batches.restore(inputs), expected, strict=True)
    assert padding_mask([3, 9], maxlen=6, padding="post").sum() == 9


def test_outputs_of_several_heads_are_restored():
    batches = BucketedBatches(numbered([3, 1, 2]), batch_size=1, shuffle=False)
    outputs = {"first": batches.order, "second": [batches.order * 10]}
    restored = batches.restore(outputs)
    assert restored["first"].tolist() == [0, 1, 2]
    assert restored["second"][0].tolist() == [0, 10, 20]


def test_the_summary_says_how_many_steps_are_saved():
    batches = BucketedBatches(numbered([1, 1, 4, 4]), batch_size=2, buckets=2)
    assert repr(batches) == (
        "BucketedBatches: 4 sequences in 2 batches, padded to 1, 4 steps; "
        "10 steps an epoch, 38% fewer than the 16 padded to 4"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([],), {}, "needs at least one"),
        (([1, 2],), {}, "list of sequences"),
        (([[1]],), {"maxlen": 0}, "maxlen must be at least 1"),
        (([[1]],), {"maxlen": 2.5}, "maxlen must be a whole number"),
        (([[1]],), {"batch_size": 0}, "batch_size must be at least 1"),
        (([[1]],), {"buckets": 0}, "buckets must be at least 1"),
        (([[1]], np.zeros(2)), {}, r"targets must .* 1 sequences, got shape \(2,\)"),
        (([[1]], [0]), {}, r"targets must .* np.array"),
        (([[1]], np.zeros(1), np.zeros(3)), {}, "sample_weights must"),
        (([[1]], None, np.zeros(1)), {}, "pass targets"),
        (([[1]],), {"padding": "left"}, "padding must be"),
        (([[1]],), {"truncating": "left"}, "truncating must be"),
        (([["word"]],), {}, "does not fit dtype"),
    ],
)
def test_wrong_input_is_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        BucketedBatches(*arguments, **options)[0]


def test_only_a_fixed_order_is_restored():
    with pytest.raises(ValueError, match="shuffle=False"):
        BucketedBatches([[1], [2]]).restore(np.zeros(2))
    with pytest.raises(ValueError, match="outputs must"):
        BucketedBatches([[1], [2]], shuffle=False).restore(np.zeros(3))
