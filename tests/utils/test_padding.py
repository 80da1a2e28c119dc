import warnings

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.padding import lengths, pad_sequences, padding_mask

ends = st.sampled_from(["pre", "post"])
some_maxlen = st.none() | st.integers(-1, 9) | st.just(np.int64(4)) | st.just(2.5)
integers = st.integers(-3, 20) | st.integers(2**15 - 2, 2**15 + 2) | st.sampled_from([127, 255, 2**31, 2**32, 2**63])
floats = st.floats(-100, 100) | st.sampled_from([float("nan"), float("inf"), 1e300])
scalars = integers | floats | st.booleans() | st.sampled_from(["7", "word", "", None, np.int16(5), np.float32(0.5), 2j])
words = st.text("ab", max_size=3)
array_types = ["int8", "uint8", "int32", "int64", "uint64", "float16", "float64", "bool", "complex64", "<U2", "object"]
result_types = [
    "int32",
    *("int64", "uint32", "uint64", "int8", "uint8", "int16", ">i4", "float16", "float32", "float64", "bool"),
    *(
        "complex64",
        "<U2",
        "S2",
        "datetime64[D]",
        str,
        int,
        float,
        np.int64,
        np.dtype("int32"),
        object,
        None,
        "nonsense",
    ),
]
values = st.sampled_from([0.0, 0, 1, -1, 1.5, True, 300, 2**31, "", "pad", b"pad", None, np.float32(2), [7]])


def arrays(step_shape):
    """Arrays of several lengths and one step shape, as a strategy."""
    of_type = st.tuples(st.integers(0, 6), st.sampled_from(array_types))
    return of_type.map(
        lambda chosen: (
            np.arange(-2, 118)[: chosen[0] * int(np.prod(step_shape))]
            .reshape((chosen[0], *step_shape))
            .astype(chosen[1])
        )
    )


one_sequence = st.one_of(
    st.lists(integers, max_size=7),
    st.lists(floats, max_size=7),
    st.lists(scalars, max_size=5),
    st.lists(st.lists(integers, min_size=2, max_size=2), max_size=4),
    st.lists(integers, max_size=5).map(tuple),
    st.lists(words, max_size=5),
    arrays(()),
    arrays((2,)),
    st.builds(range, st.integers(0, 5)),
    st.lists(integers, max_size=3).map(lambda ids: keras.ops.convert_to_tensor(np.array(ids, "float32"))),
    st.sampled_from(["", "abc", b"", b"ab", {}, {1, 2}, 5, None]),
)
kinds = [
    st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=9), max_size=6),
    st.lists(st.lists(integers, max_size=9), max_size=6),
    st.lists(arrays(()), max_size=6),
    st.lists(arrays((2, 3)), max_size=6),
    st.lists(st.lists(words, max_size=5), max_size=4),
    st.lists(one_sequence, max_size=4),
]
many_sequences = st.one_of(
    *kinds,
    kinds[1].map(tuple),
    st.integers(0, 4).map(lambda rows: np.arange(3 * rows).reshape(rows, 3)),
    st.sampled_from(["", "text", b"ab", 5, None, {(1, 2): 3, (4,): 5}]),
)
some_options = st.fixed_dictionaries(
    {}, optional={"maxlen": some_maxlen, "padding": ends, "truncating": ends, "dtype": st.sampled_from(result_types)}
) | st.fixed_dictionaries({"padding": ends, "truncating": ends, "value": values})
more_options = st.fixed_dictionaries(
    {"maxlen": some_maxlen, "padding": ends, "truncating": ends},
    optional={"value": values, "dtype": st.sampled_from(result_types)},
)


def assert_equals_keras(sequences, options):
    """What Keras accepts gives the same; what it refuses raises ValueError, but for the two exceptions documented."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, on casts that do not keep the value
        try:
            expected = keras.utils.pad_sequences(sequences, **options)
        except Exception:
            if options.get("maxlen") != 0:
                with pytest.raises(ValueError, match=r"\w+ \w+"):
                    pad_sequences(sequences, **options)
            return
        result = pad_sequences(sequences, **options)
    assert result.dtype == expected.dtype
    assert result.flags.writeable
    np.testing.assert_array_equal(result, expected, strict=True)


@given(kinds[0], st.none() | st.integers(1, 12), ends, ends, st.sampled_from([0, 1, -1]))
def test_equals_keras_on_lists_of_ids(sequences, maxlen, padding, truncating, value):
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": value}
    assert_equals_keras(sequences, options)


@given(many_sequences, some_options | more_options)
def test_equals_keras_on_whatever_it_accepts_and_raises_value_errors_where_it_refuses(sequences, options):
    assert_equals_keras(sequences, options)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("edge", [2**31, 2**32, 2**63, 2**64])
def test_an_integer_at_a_types_edge_is_kept_or_refused(dtype, edge):
    for number in (edge - 1, edge, -1):
        assert_equals_keras([[1, number], [3]], {"dtype": dtype})


def test_a_value_may_be_an_array_as_in_keras():
    assert_equals_keras([[1, 2], [3]], {"maxlen": 3, "value": [7, 8, 9]})
    assert_equals_keras([np.ones((2, 2)), np.ones((1, 2))], {"maxlen": 3, "value": [7, 8]})


def test_the_default_keeps_the_end_and_pads_the_beginning():
    assert pad_sequences([[1, 2, 3, 4], [5]], maxlen=3).tolist() == [[2, 3, 4], [0, 0, 5]]


def test_padding_leaves_its_input_alone():
    sequences = [[1, 2, 3, 4], [5]]
    pad_sequences(sequences, maxlen=2)[:] = 9
    assert sequences == [[1, 2, 3, 4], [5]]


@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_length_zero_leaves_nothing(truncating):
    assert pad_sequences([[1, 2], [3]], maxlen=0, truncating=truncating).shape == (2, 0)
    assert pad_sequences([[[1, 2]], [[3, 4]]], maxlen=0, truncating=truncating).shape == (2, 0, 2)


@pytest.mark.parametrize("dtype", [object, "object", np.dtype(object)])
def test_strings_need_a_dtype_that_holds_them(dtype):
    sentences = [["a", "good", "film"], ["bad"]]
    expected = [["a", "good", "film"], ["-", "-", "bad"]]
    assert pad_sequences(sentences, dtype=dtype, value="-").tolist() == expected


@pytest.mark.parametrize(
    ("given_sequences", "options", "message"),
    [
        (5, {}, "list of sequences, got int"),
        ((number for number in range(3)), {}, "got generator: make a list"),
        ("text", {}, "sequence 0 .* got 't'"),
        ([[1], "abc"], {"dtype": object}, "sequence 1 must be a list or array .* got 'abc'"),
        ([[1], 2], {}, r"number 1 is 2, .* as \[sequence\]"),
        ([[1], np.array(2)], {}, "number 1 is array"),
        ([], {}, "pass maxlen"),
        ([[1]], {"maxlen": -1}, "at least 0.* got -1"),
        ([[1]], {"maxlen": 1.5}, "whole number.* got 1.5"),
        ([[1]], {"padding": "left"}, 'padding must be "pre" or "post"'),
        ([[1]], {"truncating": "end"}, 'truncating must be "pre" or "post"'),
        ([[1]], {"dtype": "integer"}, "dtype must be a type of NumPy's"),
        ([[1]], {"value": "-"}, "pass dtype=object"),
        ([[1]], {"value": [1, 2]}, "value .* does not fit a result of shape"),
        ([["good"]], {}, "sequence 0 does not fit dtype int32"),
        ([[1], [2**31]], {}, "sequence 1 does not fit dtype int32"),
        ([[1, [2]]], {}, "time steps of sequence 0 must all have the same shape"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], {}, r"same shape, got \(4,\) in sequence 1"),
    ],
)
def test_wrong_input_is_named(given_sequences, options, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(given_sequences, **options)


def test_lengths_count_steps_up_to_maxlen():
    sequences = [[1, 2, 3], [], np.zeros((5, 2))]
    assert lengths(sequences).tolist() == [3, 0, 5]
    assert lengths(sequences, maxlen=4).tolist() == [3, 0, 4]
    assert lengths([]).dtype == lengths(sequences).dtype == np.int64


@given(kinds[0], st.integers(0, 12), ends, ends)
def test_the_mask_is_true_where_the_padded_array_holds_a_step(sequences, maxlen, padding, truncating):
    ones = [[1] * len(sequence) for sequence in sequences]
    padded = pad_sequences(ones, maxlen, padding=padding, truncating=truncating)
    mask = padding_mask(lengths(sequences), maxlen, padding)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, padded == 1, strict=True)
    np.testing.assert_array_equal(padding_mask(lengths(sequences, maxlen), maxlen, padding), mask)


def test_the_mask_knows_a_real_zero_from_padding():
    padded = pad_sequences([[0, 0, 4], [5]])
    assert padding_mask([3, 1]).tolist() == [[True, True, True], [False, False, True]]
    assert (padded != 0).tolist() == [[False, False, True], [False, False, True]]


@pytest.mark.parametrize(
    ("given_lengths", "options", "message"),
    [
        ([], {}, "pass maxlen"),
        ([[1, 2]], {}, "with shape"),
        ([1.5], {}, "whole numbers"),
        ([-1], {}, "at least 0"),
        ([1], {"maxlen": -2}, "maxlen must be"),
        ([1], {"padding": "left"}, '"pre" or "post"'),
    ],
)
def test_wrong_lengths_are_named(given_lengths, options, message):
    with pytest.raises(ValueError, match=message):
        padding_mask(given_lengths, **options)
