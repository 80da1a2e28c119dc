import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from utils.batches import Layout, as_batch, named_leaves
from utils.mixing import MixIterator


def column(rows, dtype="float32"):
    return np.zeros((rows, 1), dtype)


class Frame:
    """What a data frame has in common with an array."""

    shape = (4, 2)

    def __len__(self):
        return 4

    def __iter__(self):
        return iter(["first", "second"])

    def __array__(self, dtype=None, copy=None):
        return np.arange(8, dtype="float32").reshape(4, 2)


class NoBatches(keras.utils.PyDataset):
    def __len__(self):
        return 0


nests = st.recursive(
    st.just(None),
    lambda members: (
        st.lists(members, min_size=1, max_size=3) | st.dictionaries(st.sampled_from("abc"), members, min_size=1)
    ),
    max_leaves=6,
)


@given(nests, st.integers(1, 4), st.integers(1, 4))
def test_any_nest_is_joined_to_its_like(nest, first_rows, second_rows):
    def part(rows, value):
        return keras.tree.map_structure(lambda leaf: np.full((rows, 2), value), nest), np.full(rows, value)

    mix = MixIterator([part(first_rows, 1), part(second_rows, 2)], [first_rows, second_rows])
    inputs, targets = mix[0]
    keras.tree.assert_same_structure(keras.tree.lists_to_tuples(nest), inputs)
    for leaf in keras.tree.flatten(inputs):
        assert leaf[:, 0].tolist() == targets.tolist() == [1] * first_rows + [2] * second_rows


@given(arrays.arrays(arrays.scalar_dtypes(), (3, 2)), arrays.arrays(arrays.scalar_dtypes(), (3, 2)))
def test_types_join_only_where_they_are_the_same(first, second):
    layout = Layout([(first,)])
    if first.dtype == second.dtype:
        assert layout.flatten(1, (second,))[0] is second
    else:
        with pytest.raises(ValueError, match="part 1 does not fit part 0 at inputs"):
            layout.flatten(1, (second,))


def test_arrays_are_named_by_their_place_in_the_nest():
    batch = {"b": [column(1), column(1)], "a": column(1)}, column(1)
    assert named_leaves(as_batch(0, batch))[0] == ['inputs["a"]', 'inputs["b"][0]', 'inputs["b"][1]', "targets"]


def test_a_frame_beside_an_array_is_read_as_an_array():
    inputs, _ = MixIterator([(Frame(), column(4))], [2], shuffle=False)[1]
    assert inputs.tolist() == [[4, 5], [6, 7]]


def test_batches_may_be_lists_tuples_or_inputs_alone():
    for ready in ([column(2), column(2)], (column(2), column(2))):
        assert len(MixIterator([iter([ready])], steps=1)[0]) == 2
    (inputs,) = MixIterator([iter([{"ids": column(2)}])], steps=1)[0]
    assert inputs["ids"].shape == (2, 1)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (3, "got int"),
        ("text", "got str"),
        (b"bytes", "got bytes"),
        (column(4), r"one array of shape \(4, 1\): pass a tuple"),
        (Frame(), r"one array of shape \(4, 2\): pass a tuple"),
        ([column(4), column(4)], r"a list of 2 arrays: write \(inputs, targets\), a tuple"),
        ({"ids": column(4)}, "got a dict: pass a tuple"),
        (lambda: 3, "got int"),
        (lambda: column(4), "one array of shape"),
    ],
)
def test_what_gives_no_batches_is_refused_and_the_remedy_named(part, message):
    for sizes in [None] if callable(part) else [None, [2]]:
        with pytest.raises(TypeError, match=f"part 0 must be a tuple of arrays, .*{message}"):
            MixIterator([part], sizes)


@pytest.mark.parametrize("part", [[], NoBatches(), lambda: iter([])])
def test_a_part_without_batches_is_refused(part):
    with pytest.raises(ValueError, match="part 1 gives no batch"):
        MixIterator([(column(2),), part], [1, None])


@pytest.mark.parametrize(
    ("arrays", "error", "message"),
    [
        ((), TypeError, "part 0 must give .* got 0 members"),
        ((column(2),) * 4, TypeError, "got 4 members"),
        ((np.zeros(3), np.zeros(4)), ValueError, "as many rows each, got 3 in inputs, 4 in targets"),
        (({}, {}), ValueError, "as many rows each, got no array"),
        ((column(3), [0, 1, 1]), TypeError, r"part 0 has 0 at targets\[0\], .* np.asarray"),
        (({"a": column(2), "b": None}, column(2)), TypeError, r'part 0 has None at inputs\["b"\]'),
        ((column(2), None, column(2)), TypeError, "part 0 has None at targets"),
    ],
)
def test_members_that_are_no_arrays_of_equal_length_are_named(arrays, error, message):
    for part, sizes in [(arrays, [1]), (iter([arrays]), None)]:
        with pytest.raises(error, match=message):
            MixIterator([part], sizes)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            ({"ids": column(2, "int64")}, column(2)),
            r"shape \(1,\) and type int64, and in part 0 shape \(1,\) and type float32",
        ),
        (
            ({"ids": np.zeros((2, 5), "float32")}, column(2)),
            r"shape \(5,\) and type float32, and in part 0 shape \(1,\)",
        ),
    ],
)
def test_a_mismatch_names_part_place_and_both_shapes(part, message):
    with pytest.raises(ValueError, match=r'part 1 does not fit part 0 at inputs\["ids"\]: a row has ' + message):
        MixIterator([({"ids": column(2)}, column(2)), part], [1, 1])


def test_a_mismatch_of_weights_names_the_part_that_gave_them_first():
    parts = [(column(2), column(2)), (column(2), column(2), np.ones(2)), (column(2), column(2), np.ones((2, 1)))]
    with pytest.raises(
        ValueError, match=r"part 2 does not fit part 1 at sample_weights: .* \(1,\) .* part 1 shape \(\)"
    ):
        MixIterator(parts, [1, 1, 1])


@pytest.mark.parametrize(
    ("part", "has"),
    [
        (({"words": column(2)}, column(2)), r'inputs\["words"\], targets'),
        ((column(2), column(2)), "inputs, targets"),
        (({"ids": column(2)},), r'inputs\["ids"\]'),
    ],
)
def test_another_nest_is_told_by_its_names(part, has):
    with pytest.raises(
        ValueError, match=rf'part 1 is nested otherwise .* it has {has}, and part 0 has inputs\["ids"\], targets'
    ):
        MixIterator([({"ids": column(2)}, column(2)), part], [1, 1])
