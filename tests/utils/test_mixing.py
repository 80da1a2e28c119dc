import doctest
import itertools

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from utils import mixing
from utils.mixing import MixIterator


def rows(start, count, label=0.0):
    """Arrays whose inputs name their rows: start, start + 1, ..."""
    return np.arange(start, start + count, dtype="float32")[:, np.newaxis], np.full((count, 1), label, dtype="float32")


def batches(start, count, size):
    """A list of ready batches, each row named."""
    inputs, targets = rows(start, count * size)
    return [(inputs[i : i + size], targets[i : i + size]) for i in range(0, count * size, size)]


def inputs_of(mix):
    return [batch[0][:, 0].tolist() for batch in mix]


def small_model():
    ids = keras.Input((1,))
    model = keras.Model(ids, keras.layers.Dense(1)(ids))
    model.compile("sgd", "mse")
    return model


class CountRows(keras.layers.Layer):
    """Passes its input on, and counts how often each row number comes by in training."""

    def __init__(self, rows):
        super().__init__()
        self.times = self.add_weight(shape=(rows,), initializer="zeros", trainable=False)

    def call(self, inputs):
        named = ops.one_hot(ops.cast(inputs[:, 0], "int32"), self.times.shape[0])
        self.times.assign(self.times + ops.sum(named, axis=0))
        return inputs


def rows_trained_on(mix, rows, epochs=2, **fit_options):
    """How often `model.fit` trained on each row number, epoch by epoch."""
    ids, count = keras.Input((1,)), CountRows(rows)
    model = keras.Model(ids, keras.layers.Dense(1)(count(ids)))
    model.compile("sgd", "mse")
    totals = [np.zeros(rows)]
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: totals.append(ops.convert_to_numpy(count.times).copy())
    )
    model.fit(mix, epochs=epochs, verbose=0, callbacks=[note], **fit_options)
    return np.diff(totals, axis=0)


class Batches(keras.utils.PyDataset):
    """A PyDataset of ready batches that counts the epochs it is told of."""

    def __init__(self, ready):
        super().__init__()
        self.ready = ready
        self.epochs = 0

    def __len__(self):
        return len(self.ready)

    def __getitem__(self, index):
        return self.ready[index]

    def on_epoch_end(self):
        self.epochs += 1


def test_a_batch_joins_one_batch_of_each_part_in_order():
    mix = MixIterator([rows(0, 8), rows(100, 4)], batch_sizes=[4, 2], shuffle=False)
    assert inputs_of(mix) == [[0, 1, 2, 3, 100, 101], [4, 5, 6, 7, 102, 103]]


def test_the_shorter_part_starts_again_and_stays_in_proportion():
    mix = MixIterator([rows(0, 8), rows(100, 3)], batch_sizes=[2, 2], shuffle=False)
    assert [row[2:] for row in inputs_of(mix)] == [[100, 101], [102, 100], [101, 102], [100, 101]]


def test_without_restart_the_shortest_part_ends_the_epoch():
    mix = MixIterator([rows(0, 8), rows(100, 4)], batch_sizes=[2, 2], restart=False, shuffle=False)
    assert len(mix) == 2
    assert inputs_of(mix) == [[0, 1, 100, 101], [2, 3, 102, 103]]


@given(st.integers(4, 60), st.integers(2, 30), st.integers(1, 4), st.integers(1, 2), st.booleans())
def test_proportions_hold_in_every_batch(first, second, first_size, second_size, restart):
    mix = MixIterator(
        [rows(0, first), rows(1000, second)], batch_sizes=[first_size, second_size], restart=restart, seed=0
    )
    for index, batch in enumerate(inputs_of(mix)):
        mine = sum(row < 1000 for row in batch)
        others = len(batch) - mine
        share = min(mine / first_size, others / second_size)
        assert mine in (first_size * share, max(1, round(first_size * share)))
        assert others in (second_size * share, max(1, round(second_size * share)))
        assert index == len(mix) - 1 or (mine, others) == (first_size, second_size)


@given(st.integers(2, 50), st.integers(1, 2))
def test_an_epoch_holds_each_row_of_the_longest_part_once(count, size):
    mix = MixIterator([rows(0, count), rows(100, 1)], batch_sizes=[size, 1], seed=1)
    for _ in range(2):
        seen = sorted(row for batch in inputs_of(mix) for row in batch if row < 100)
        assert seen == list(range(count))


def test_arrays_are_shuffled_anew_each_epoch_and_the_same_with_the_same_seed():
    first, second = (MixIterator([rows(0, 50)], [10], seed=3) for _ in range(2))
    epochs = [inputs_of(first), inputs_of(first)]
    assert epochs[0] != epochs[1]
    assert epochs == [inputs_of(second), inputs_of(second)]


def test_inputs_and_targets_stay_together():
    inputs = np.arange(30, dtype="float32")[:, np.newaxis]
    for batch_inputs, batch_targets in MixIterator([(inputs, inputs * 2), (inputs + 50, (inputs + 50) * 2)], [3, 2]):
        assert (batch_targets == 2 * batch_inputs).all()


def test_nested_inputs_are_joined_array_by_array():
    def part(count, value):
        ids, length = np.full((count, 3), value, "int32"), np.full(count, 10 * value)
        return {"ids": ids, "length": length}, [np.zeros(count), np.ones((count, 2))]

    inputs, targets = MixIterator([part(6, 1), part(4, 2)], [2, 1])[0]
    assert inputs["ids"].tolist() == [[1, 1, 1], [1, 1, 1], [2, 2, 2]]
    assert inputs["length"].tolist() == [10, 10, 20]
    assert [target.shape for target in targets] == [(3,), (3, 2)]


def test_fit_takes_nested_inputs_targets_and_weights():
    first, second = keras.Input((1,), name="first"), keras.Input((1,), name="second")
    both = keras.layers.Concatenate()([first, second])
    model = keras.Model([first, second], [keras.layers.Dense(1)(both), keras.layers.Dense(1)(both)])
    model.compile("sgd", ["mse", "mse"])
    column = rows(0, 8)[0]
    mix = MixIterator([([column, column], [column, column], [column[:, 0]] * 2)] * 2, [2, 1])
    assert len(model.fit(mix, epochs=2, verbose=0).epoch) == 2


def test_the_order_of_keys_does_not_matter():
    column = rows(0, 4)[0]
    first = {"a": column, "b": column + 10}, column
    second = {"b": column + 30, "a": column + 20}, column
    inputs, _ = MixIterator([first, second], [1, 1], shuffle=False)[0]
    assert inputs["a"].tolist() == [[0], [20]]
    assert inputs["b"].tolist() == [[10], [30]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("none", [(), (None,)])
def test_a_part_without_weights_weighs_one(dtype, none):
    weighted = (*rows(0, 4), np.full(4, 0.25, dtype))
    ready = [(*batch, *none) for batch in batches(20, 2, 1)]
    mix = MixIterator([(*rows(10, 4), *none), weighted, ready], [2, 2, None])
    for _, _, weights in mix:
        assert weights.dtype == dtype
        assert weights.tolist() == [1, 1, 0.25, 0.25, 1]


def test_a_mix_of_parts_without_weights_has_none():
    assert len(MixIterator([(*rows(0, 4), None), rows(4, 4)], [2, 2])[0]) == 2


def test_datasets_lists_generators_and_arrays_mix():
    dataset = Batches(batches(100, 2, 3))
    mix = MixIterator(
        [rows(0, 8), dataset, batches(200, 4, 1), iter(batches(300, 9, 2))], [2, None, None, None], shuffle=False
    )
    assert inputs_of(mix)[2] == [4, 5, 100, 101, 102, 202, 304, 305]
    assert dataset.epochs == 1


@pytest.mark.parametrize("cardinality", ["known", "unknown", "infinite"])
def test_a_tf_dataset_is_a_part(cardinality):
    tensorflow = pytest.importorskip("tensorflow")
    dataset = tensorflow.data.Dataset.from_tensor_slices(rows(100, 6)).batch(2)
    if cardinality == "unknown":
        dataset = dataset.filter(lambda inputs, targets: True)
    if cardinality == "infinite":
        dataset = dataset.repeat()
    mix = MixIterator([rows(0, 8), dataset], [2, None], shuffle=False)
    assert len(mix) == 4
    assert [row[2:] for row in inputs_of(mix)] == [[100, 101], [102, 103], [104, 105], [100, 101]]
    assert inputs_of(mix)[0][2:] == [102, 103]  # the second epoch goes on where the first one stopped


def test_a_tf_dataset_that_ends_with_a_short_batch_keeps_the_proportions():
    tensorflow = pytest.importorskip("tensorflow")
    dataset = tensorflow.data.Dataset.from_tensor_slices(rows(100, 10)).batch(4)
    mix = MixIterator([dataset, rows(0, 6)], [None, 2], shuffle=False)
    expected = [[100, 101, 102, 103, 0, 1], [104, 105, 106, 107, 2, 3], [108, 109, 4]]
    assert inputs_of(mix) == expected
    assert inputs_of(MixIterator([dataset, rows(0, 9)], [None, 2], restart=False, shuffle=False)) == expected


def test_a_py_dataset_of_unknown_length_goes_on_from_epoch_to_epoch():
    class Endless(Batches):
        num_batches = None

    dataset = Endless(batches(100, 9, 1))
    mix = MixIterator([rows(0, 8), dataset], [2, None], shuffle=False)
    assert [row[2] for row in inputs_of(mix) + inputs_of(mix)] == list(range(100, 108))
    assert dataset.epochs == 2


def test_a_short_batch_of_one_part_shortens_all_others():
    uneven = Batches([*batches(100, 1, 4), *batches(200, 1, 2)])
    mix = MixIterator([rows(0, 20), uneven], [10, None], shuffle=False)
    assert [len(batch) for batch in inputs_of(mix)] == [14, 7]


@pytest.mark.parametrize("workers", [1, 3])
def test_training_takes_every_batch_of_a_stream_once(workers):
    drawn = []

    def stream():
        for number, batch in enumerate(batches(0, 200, 2)):
            drawn.append(number)
            yield batch

    mix = MixIterator([stream(), rows(400, 160)], [None, 4], workers=workers)
    times = rows_trained_on(mix, 560)
    assert (times[:, 400:] == 1).all()
    assert times[:, :160].tolist() == [[1] * 80 + [0] * 80, [0] * 80 + [1] * 80]
    assert len(drawn) == 80


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("shuffle", [True, False])
def test_training_takes_every_row_of_arrays_and_datasets_once_an_epoch(workers, shuffle):
    mix = MixIterator([rows(0, 80), Batches(batches(80, 20, 2))], [4, None], workers=workers)
    assert (rows_trained_on(mix, 120, epochs=3, shuffle=shuffle) == 1).all()


def test_short_last_batches_meet_whatever_order_fit_asks_for():
    keras.utils.set_random_seed(3)
    ready = [*batches(100, 5, 4), *batches(120, 1, 2)]
    mix = MixIterator([rows(0, 22), ready], [4, None])
    times = rows_trained_on(mix, 122, epochs=4)
    assert (times[:, :22] == 1).all()
    assert (times[:, 100:] == 1).all()


def test_a_look_at_one_batch_takes_nothing_from_a_stream():
    mix = MixIterator([iter(batches(0, 4, 2))], steps=4)
    assert next(iter(mix))[0][:, 0].tolist() == [0, 1]
    assert inputs_of(mix) == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_an_epoch_that_an_error_broke_off_is_not_told_again():
    mix = MixIterator([iter(batches(0, 40, 1))], steps=20)
    mix.on_epoch_begin()
    assert [mix[index][0].item() for index in range(18)] == list(range(18))
    assert inputs_of(mix) == [[row] for row in range(18, 38)]


def test_after_a_whole_epoch_nothing_of_a_stream_comes_twice():
    mix = MixIterator([iter(batches(0, 9, 1))], steps=4)
    assert inputs_of(mix) == [[0], [1], [2], [3]]
    assert [batch[0].item() for batch in itertools.islice(mix, 2)] == [4, 5]
    assert next(iter(mix))[0].item() == 6
    ended = MixIterator([iter(batches(0, 3, 1))], restart=False)
    assert [inputs_of(ended), inputs_of(ended)] == [[[0], [1], [2]], []]


def test_threads_are_as_many_as_stay_exact():
    arrays = MixIterator([rows(0, 8)], [4], workers=3)
    assert arrays.workers == (3 if keras.backend.backend() == "tensorflow" else 1)
    stream = MixIterator([batches(0, 3, 2)], workers=3)
    assert stream.in_turn
    assert stream.workers == 1
    assert MixIterator([stream], workers=3).workers == 1


def test_fit_learns_from_a_mix_and_knows_its_length(capsys):
    inputs = np.linspace(-1, 1, 64, dtype="float32")[:, np.newaxis]
    mix = MixIterator([(inputs, 3 * inputs), (inputs[:8], 3 * inputs[:8])], [8, 2], seed=0)
    model = small_model()
    assert len(mix) == 8
    history = model.fit(mix, epochs=10, verbose=1)
    assert "8/8" in capsys.readouterr().out
    assert history.history["loss"][-1] < history.history["loss"][0] / 2


def test_one_time_iterators_end_the_epoch_or_say_that_they_cannot_start_again():
    assert len(inputs_of(MixIterator([iter(batches(0, 3, 2))], restart=False))) == 3
    with pytest.raises(ValueError, match="part 1 is an iterator that has ended"):
        inputs_of(MixIterator([rows(0, 8), iter(batches(0, 3, 2))], [2, None]))


def test_a_function_that_opens_an_iterator_can_start_again():
    mix = MixIterator([rows(0, 8), lambda: iter(batches(100, 3, 1))], [2, None], shuffle=False)
    assert [row[2] for row in inputs_of(mix)] == [100, 101, 102, 100]


def test_steps_give_a_length_where_the_parts_have_none():
    endless = (batch for _ in iter(int, 1) for batch in batches(0, 2, 2))
    mix = MixIterator([endless], steps=5)
    assert len(mix) == 5
    assert len(inputs_of(mix)) == 5
    with pytest.raises(TypeError, match="steps="):
        len(MixIterator([iter(batches(0, 2, 2))], restart=False))


def test_an_epoch_without_an_end_is_refused():
    with pytest.raises(ValueError, match="an epoch would never end: give steps="):
        MixIterator([lambda: iter(batches(0, 2, 2))])


@pytest.mark.parametrize(
    ("steps", "restart", "expected"),
    [
        (2, True, [[0, 1], [2, 3]]),
        (2, False, [[0, 1], [2, 3]]),
        (3, True, [[0, 1], [2, 3], [4]]),
        (3, False, [[0, 1], [2, 3], [4]]),
        (4, True, [[0, 1], [2, 3], [4, 0], [1, 2]]),
    ],
)
def test_steps_cut_a_part_short_fit_it_or_start_it_again(steps, restart, expected):
    mix = MixIterator([rows(0, 5)], [2], steps=steps, restart=restart, shuffle=False)
    assert inputs_of(mix) == expected


def test_steps_beyond_a_part_that_does_not_start_again_are_refused():
    with pytest.raises(ValueError, match="part 1 ends after 2 batches, before the 3 steps"):
        MixIterator([rows(0, 9), batches(0, 2, 2)], [3, None], steps=3, restart=False)


@pytest.mark.parametrize("index", [-1, 4])
@pytest.mark.parametrize("part", [(rows(0, 8), 2), (batches(0, 4, 2), None)])
def test_an_index_outside_the_epoch_names_the_range(index, part):
    with pytest.raises(IndexError, match=f"numbered from 0 to 3, got {index}"):
        MixIterator([part[0]], [part[1]])[index]


def test_an_error_inside_a_part_is_not_taken_for_its_end():
    def broken():
        yield batches(0, 1, 2)[0]
        [].pop()

    with pytest.raises(IndexError, match="pop from empty list"):
        inputs_of(MixIterator([broken], restart=False))


def test_the_example_in_the_documentation_holds():
    failed, attempted = doctest.testmod(mixing)
    assert attempted > 0
    assert failed == 0


@pytest.mark.parametrize(
    ("parts", "options", "error", "message"),
    [
        ([], {}, ValueError, "at least one part"),
        ([rows(0, 4)], {}, ValueError, "part 0 is a tuple of arrays and needs a batch size"),
        ([rows(0, 4)], {"batch_sizes": [0]}, ValueError, "at least 1, got 0"),
        ([rows(0, 4)], {"batch_sizes": [2.5]}, ValueError, "at least 1, got 2.5"),
        ([rows(0, 4)], {"batch_sizes": [5]}, ValueError, "4 rows and cannot give batches of 5"),
        ([rows(0, 4)], {"batch_sizes": [1, 2]}, ValueError, r"one entry for each of 1 parts, got \[1, 2\]"),
        ([rows(0, 4)], {"batch_sizes": 2}, ValueError, "one entry for each of 1 parts, got 2"),
        ([batches(0, 2, 2)], {"batch_sizes": [2]}, ValueError, "must be None, got 2"),
        ([rows(0, 4)], {"batch_sizes": [1], "steps": 0}, ValueError, "at least 1"),
    ],
)
def test_options_that_do_not_fit_are_named(parts, options, error, message):
    with pytest.raises(error, match=message):
        MixIterator(parts, **options)


def test_a_mismatch_in_a_later_batch_names_the_part():
    changing = [*batches(0, 1, 2), (np.zeros((2, 5), "float32"), np.zeros((2, 1), "float32"))]
    with pytest.raises(ValueError, match="part 1 does not fit part 0"):
        inputs_of(MixIterator([rows(0, 4), changing], [2, None]))
