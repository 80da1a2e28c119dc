import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.text import Vocabulary, windows, words

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)


def test_words_are_lower_case_without_markup_and_punctuation():
    assert words("It's GOOD.<br /><br />Don’t miss it -- 10/10!") == ["it's", "good", "don’t", "miss", "it", "10", "10"]


def test_words_of_a_text_without_words_is_an_empty_list():
    assert words("...<br />") == []


@given(texts)
def test_a_character_vocabulary_gives_back_its_own_text(text):
    vocabulary = Vocabulary.of_characters(text)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int32
    assert vocabulary.decode(ids) == text
    assert all(vocabulary.RESERVED <= number < len(vocabulary) for number in ids)
    assert vocabulary.unknown(text) == []


@given(texts)
def test_tokens_are_sorted_and_distinct(text):
    tokens = Vocabulary.of_characters(text).tokens
    assert list(tokens) == sorted(set(text))


def test_every_process_gives_the_same_ids():
    program = (
        "from utils.text import Vocabulary; print(list(Vocabulary.of_words(['b a c a', 'd e f g h']).encode('h a')))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


def test_reserved_ids_mark_padding_start_and_unknown_tokens():
    vocabulary = Vocabulary.of_characters("ab")
    assert vocabulary.encode("abz", start=True).tolist() == [1, 3, 4, 2]
    assert vocabulary.decode([0, 0, 1, 3, 4, 2]) == "ab�"
    assert len(vocabulary) == 5


def test_size_counts_reserved_ids_and_keeps_the_most_frequent_words():
    vocabulary = Vocabulary.of_words(["the cat sat", "the dog sat", "the end"], size=6)
    assert len(vocabulary) == 6
    assert vocabulary.tokens == (
        "cat",
        "sat",
        "the",
    )  # cat, dog and end occur once each: the alphabetically first stays


def test_word_ids_decode_to_words_joined_by_spaces():
    vocabulary = Vocabulary.of_words(["Good, very good film"])
    assert vocabulary.decode(vocabulary.encode("Very GOOD!")) == "very good"


def test_unknown_names_what_the_vocabulary_lacks():
    assert Vocabulary.of_characters("abc").unknown("cabaret") == ["e", "r", "t"]


@given(text=texts)
def test_a_saved_vocabulary_loads_as_itself(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.json"
    vocabulary = Vocabulary.of_characters(text)
    vocabulary.save(path)
    assert Vocabulary.load(path) == vocabulary
    json.loads(path.read_text(encoding="utf-8"))


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "vocabulary.json"
    Vocabulary.of_characters("abc").save(path)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        Vocabulary.of_characters("xyz").save(path)
    assert Vocabulary.load(path).tokens == ("a", "b", "c")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["[1, 2]", "{}", "not json", '{"tokens": 3, "level": "word"}'])
def test_loading_another_file_says_so(tmp_path, content):
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ValueError, match="not a vocabulary"):
        Vocabulary.load(path)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Vocabulary(["ab"], "character"), "single characters"),
        (lambda: Vocabulary([], "sentence"), '"character" or "word"'),
        (lambda: Vocabulary.of_words(["a"], size=3), "over 3"),
        (lambda: Vocabulary.of_characters("ab").decode([7]), "got 7"),
        (lambda: Vocabulary.of_characters("ab").decode([-1]), "got -1"),
    ],
)
def test_wrong_values_are_named(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


def test_one_string_instead_of_many_is_refused():
    with pytest.raises(TypeError, match=r"write \[text\]"):
        Vocabulary.of_words("one text")
    with pytest.raises(TypeError, match="one string"):
        Vocabulary.of_characters("ab").encode(["a", "b"])


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 9))
def test_windows_are_slices_at_every_step(time, length, step):
    sequence = np.arange(time)
    if length > time:
        with pytest.raises(ValueError, match="does not fit"):
            windows(sequence, length, step)
        return
    view = windows(sequence, length, step)
    assert view.tolist() == [list(range(i, i + length)) for i in range(0, time - length + 1, step)]
    assert len(view) == (time - length) // step + 1
    assert np.shares_memory(view, sequence)


def test_windows_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        windows(np.arange(5), 2)[0, 0] = 1


def test_windows_keep_the_features_of_a_time_step():
    assert windows(np.zeros((10, 3)), length=4, step=2).shape == (4, 4, 3)


def test_windows_of_a_string_hold_its_characters():
    assert ["".join(row) for row in windows("sequence", 5, step=2)] == ["seque", "quenc"]


@pytest.mark.parametrize(("length", "step"), [(0, 1), (2, 0), (-1, 1)])
def test_windows_refuse_lengths_and_steps_below_one(length, step):
    with pytest.raises(ValueError, match="at least 1"):
        windows(np.arange(5), length, step)
