import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_nested_inputs_are_joined_leaf_by_leaf():
    def part(count):
        return {"ids": np.zeros((count, 3), "int32"), "length": np.ones(count)}, [np.zeros(count), np.ones((count, 2))]

    inputs, targets = next(iter(MixIterator([part(6), part(4)], [2, 1])))
    assert inputs["ids"].shape == (3, 3)
    assert [target.shape for target in targets] == [(3,), (3, 2)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_part_without_weights_weighs_one(dtype):
    weighted = (*rows(0, 4), np.full(4, 0.25, dtype))
    _, _, weights = next(iter(MixIterator([rows(10, 4), weighted], [2, 2])))
    assert weights.tolist() == [1, 1, 0.25, 0.25]


def test_datasets_lists_generators_and_arrays_mix():
    dataset = Batches(batches(100, 2, 3))
    mix = MixIterator(
        [rows(0, 8), dataset, batches(200, 4, 1), iter(batches(300, 9, 2))], [2, None, None, None], shuffle=False
    )
    assert inputs_of(mix)[2] == [4, 5, 100, 101, 102, 202, 304, 305]
    assert dataset.epochs == 1


def test_a_tf_dataset_is_a_part():
    tensorflow = pytest.importorskip("tensorflow")
    inputs, targets = rows(100, 6)
    dataset = tensorflow.data.Dataset.from_tensor_slices((inputs, targets)).batch(2)
    mix = MixIterator([rows(0, 8), dataset], [2, None], shuffle=False)
    assert len(mix) == 4
    assert [row[2:] for row in inputs_of(mix)] == [[100, 101], [102, 103], [104, 105], [100, 101]]


def test_a_short_batch_of_one_part_shortens_all_others():
    uneven = Batches([*batches(100, 1, 4), *batches(200, 1, 2)])
    mix = MixIterator([rows(0, 20), uneven], [10, None], shuffle=False)
    assert [len(batch) for batch in inputs_of(mix)] == [14, 7]


@pytest.mark.parametrize("workers", [1, 3])
def test_training_takes_every_batch_of_a_stream_once(workers):
    drawn, fetched = [], []

    def stream():
        for number, batch in enumerate(batches(0, 200, 2)):
            drawn.append(number)
            yield batch

    class Recording(MixIterator):
        def __getitem__(self, index):
            batch = super().__getitem__(index)
            fetched.append(batch[0][0, 0])
            return batch

    mix = Recording([stream(), rows(1000, 160)], [None, 4], workers=workers)
    history = small_model().fit(mix, epochs=2, verbose=0)
    assert len(history.epoch) == 2
    assert len(set(fetched)) == len(drawn) == 80


def test_arrays_are_joined_by_several_threads():
    mix = MixIterator([rows(0, 160), rows(1000, 80)], [4, 2], workers=3)
    assert mix.workers == 3
    assert len(small_model().fit(mix, epochs=2, verbose=0).epoch) == 2


def test_fit_learns_from_a_mix_and_knows_its_length():
    inputs = np.linspace(-1, 1, 64, dtype="float32")[:, np.newaxis]
    mix = MixIterator([(inputs, 3 * inputs), (inputs[:8], 3 * inputs[:8])], [8, 2], seed=0)
    model = small_model()
    assert len(mix) == 8
    history = model.fit(mix, epochs=10, verbose=0)
    assert history.params["steps"] == 8
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
        len(MixIterator([iter(batches(0, 2, 2))]))


@pytest.mark.parametrize(
    ("parts", "options", "error", "message"),
    [
        ([], {}, ValueError, "at least one part"),
        ([rows(0, 4)], {}, ValueError, "part 0 is a tuple of arrays and needs a batch size"),
        ([rows(0, 4)], {"batch_sizes": [0]}, ValueError, "at least 1, got 0"),
        ([rows(0, 4)], {"batch_sizes": [5]}, ValueError, "4 rows and cannot give batches of 5"),
        ([rows(0, 4)], {"batch_sizes": [1, 2]}, ValueError, "one entry for each of 1 parts, got 2"),
        ([batches(0, 2, 2)], {"batch_sizes": [2]}, ValueError, "must be None, got 2"),
        ([rows(0, 4)], {"batch_sizes": [1], "steps": 0}, ValueError, "at least 1"),
        ([3], {}, TypeError, "part 0 must be .* got int"),
        ([(np.zeros(3), np.zeros(4))], {"batch_sizes": [1]}, ValueError, r"as many rows each, got \[3, 4\]"),
        (
            [rows(0, 4), (np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32"))],
            {"batch_sizes": [1, 1]},
            ValueError,
            r"part 1 does not fit part 0: a row has shape \(2,\) and type float32, and in part 0 shape \(1,\)",
        ),
        (
            [rows(0, 4), (np.zeros((4, 1), "int64"), np.zeros((4, 1), "float32"))],
            {"batch_sizes": [1, 1]},
            ValueError,
            "type int64, and in part 0 shape .* type float32",
        ),
        ([rows(0, 4), ({"a": rows(0, 4)[0]}, rows(0, 4)[1])], {"batch_sizes": [1, 1]}, ValueError, "nested otherwise"),
        ([[]], {}, ValueError, "part 0 gives no batch"),
    ],
)
def test_parts_that_do_not_fit_are_named(parts, options, error, message):
    with pytest.raises(error, match=message):
        MixIterator(parts, **options)


def test_a_mismatch_in_a_later_batch_names_the_part():
    changing = [*batches(0, 1, 2), (np.zeros((2, 5), "float32"), np.zeros((2, 1), "float32"))]
    with pytest.raises(ValueError, match="part 1 does not fit part 0"):
        inputs_of(MixIterator([rows(0, 4), changing], [2, None]))
