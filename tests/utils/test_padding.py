import keras
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from utils.padding import pad_sequences

sequences_of_ids = st.lists(st.lists(st.integers(-1000, 1000), max_size=12), max_size=8)
ends = st.sampled_from(["pre", "post"])


@given(sequences_of_ids, st.none() | st.integers(1, 15), ends, ends, st.integers(-5, 5))
def test_equals_keras_on_lists_of_ids(sequences, maxlen, padding, truncating, value):
    assume(sequences or maxlen)  # of nothing at all Keras takes no maximum
    options = {"maxlen": maxlen, "padding": padding, "truncating": truncating, "value": value}
    expected = keras.utils.pad_sequences(sequences, **options)
    result = pad_sequences(sequences, **options)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.none() | st.integers(1, 5), ends, ends)
def test_equals_keras_on_arrays_with_features(lengths, maxlen, padding, truncating):
    generator = np.random.default_rng(0)
    sequences = [generator.normal(size=(length, 3)) for length in lengths]
    options = {"maxlen": maxlen, "dtype": "float32", "padding": padding, "truncating": truncating, "value": 0.5}
    np.testing.assert_array_equal(pad_sequences(sequences, **options), keras.utils.pad_sequences(sequences, **options))


def test_strings_need_a_dtype_that_holds_them():
    sentences = [["a", "good", "film"], ["bad"]]
    expected = [["a", "good", "film"], ["-", "-", "bad"]]
    assert pad_sequences(sentences, dtype=object, value="-").tolist() == expected
    with pytest.raises(ValueError, match="dtype=object"):
        pad_sequences(sentences, value="-")


def test_the_default_keeps_the_end_and_pads_the_beginning():
    assert pad_sequences([[1, 2, 3, 4], [5]], maxlen=3).tolist() == [[2, 3, 4], [0, 0, 5]]


def test_length_zero_leaves_nothing():
    assert pad_sequences([[1, 2], [3]], maxlen=0).shape == (2, 0)


@pytest.mark.parametrize(
    ("given_sequences", "options", "message"),
    [
        (5, {}, "list of sequences, got int"),
        ("text", {}, "list of sequences, got str"),
        ([[1], 2], {}, r"write \[sequence\]"),
        ([[1]], {"padding": "left"}, '"pre" or "post"'),
        ([[1]], {"truncating": "end"}, '"pre" or "post"'),
        ([np.zeros((2, 3)), np.zeros((2, 4))], {}, "same shape"),
    ],
)
def test_wrong_input_is_named(given_sequences, options, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(given_sequences, **options)
