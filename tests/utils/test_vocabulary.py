import json
import pickle
import subprocess
import sys
import unicodedata

import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from utils.vocabulary import _PIECE, Vocabulary, words

# every code point that a Python string can hold: NUL, lone surrogates and what lies beyond 16 bits included
texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)
SURROGATES = "\ud83c\udfad\ud800 \0 \U0001f3ad\U0010ffff"


def test_words_are_lower_case_without_markup_and_punctuation():
    assert words("It's GOOD.<br /><br />Don’t miss it -- 10/10!") == ["it's", "good", "don't", "miss", "it", "10", "10"]


@pytest.mark.parametrize("text", ["", "...<br />", "<!-- nothing -->", "<a href='http://example.org'></a>"])
def test_words_of_a_text_without_words_is_an_empty_list(text):
    assert words(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b and c > d", ["a", "b", "and", "c", "d"]),
        ("a <3 heart> b", ["a", "3", "heart", "b"]),
        ("x <- y -> z", ["x", "y", "z"]),
        ("it was <b good", ["it", "was", "b", "good"]),
        ("<3 it <I>so</I> much> !", ["3", "it", "so", "much"]),
    ],
)
def test_brackets_in_prose_swallow_no_words(text, expected):
    assert words(text) == expected


def test_comments_are_dropped_with_the_tags_inside_and_over_lines():
    assert words("one <!-- <b>two</b>\nthree --> four <!-- never closed") == ["one", "four", "never", "closed"]


@given(texts)
def test_words_do_not_depend_on_how_accents_are_stored(text):
    assert words(unicodedata.normalize("NFD", text)) == words(unicodedata.normalize("NFC", text))


def test_an_accent_without_a_code_point_of_its_own_splits_no_word():
    assert words("x\u030cy İzmir") == ["x\u030cy", "i\u0307zmir"]


def test_words_are_in_normal_form_c():
    assert words("Cafe\u0301") == ["caf\u00e9"]


@given(texts)
@example(SURROGATES)
def test_a_character_vocabulary_gives_back_its_own_text(text):
    vocabulary = Vocabulary.of_characters(text)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int32
    assert vocabulary.decode(ids) == text
    assert all(vocabulary.RESERVED <= number < len(vocabulary) for number in ids)
    assert vocabulary.unknown(text) == []


@given(texts, texts, st.booleans())
def test_an_id_is_the_place_of_its_token_after_the_reserved_ones(known, text, start):
    vocabulary = Vocabulary.of_characters(known)
    expected = [vocabulary.tokens.index(token) + 3 if token in known else 2 for token in text]
    assert vocabulary.encode(text, start).tolist() == [1] * start + expected


def test_a_text_longer_than_one_piece_is_encoded_whole():
    vocabulary = Vocabulary.of_characters("ab\U0001f3ad")
    text = "ab\U0001f3ad!" * (_PIECE // 2) + "b"
    assert vocabulary.encode(text).tolist() == [3, 4, 5, 2] * (_PIECE // 2) + [4]


@given(texts)
def test_tokens_are_sorted_and_distinct(text):
    tokens = Vocabulary.of_characters(text).tokens
    assert list(tokens) == sorted(set(text))


@given(st.lists(texts, max_size=5))
def test_a_word_vocabulary_gives_back_the_words_of_its_texts(collection):
    vocabulary = Vocabulary.of_words(collection, size=None)
    for text in collection:
        assert vocabulary.decode(vocabulary.encode(text)) == " ".join(words(text))
        assert vocabulary.unknown(text) == []


def test_every_process_gives_the_same_ids():
    program = (
        "from utils.text import Vocabulary; print(list(Vocabulary.of_words(['b a c a', 'd e f g h']).encode('h a')),"
        "Vocabulary.of_characters('zaxyb').encode('abxyz'))"
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
    assert vocabulary.decode([0, 0, 1, 3, 4, 2]) == "ab\ufffd"
    assert len(vocabulary) == 5


def test_reserved_ids_leave_no_spaces_between_words():
    vocabulary = Vocabulary(["good", "film"], "word")
    assert vocabulary.encode("Good old film", start=True).tolist() == [1, 4, 2, 3]
    assert vocabulary.decode([0, 1, 4, 0, 2, 3, 0]) == "good \ufffd film"


@pytest.mark.parametrize(("level", "text"), [("character", "ab"), ("word", "a b")])
def test_ids_may_come_from_any_row_of_integers(level, text):
    vocabulary = Vocabulary(["a", "b"], level)
    for ids in ([3, 4], np.array([3, 4], np.uint8), range(3, 5), iter([3, 4]), keras.ops.array([3, 4])):
        assert vocabulary.decode(ids) == text
    for none in ([], (), np.empty(0, np.int32)):
        assert vocabulary.decode(none) == ""


def test_size_counts_reserved_ids_and_keeps_the_most_frequent_words():
    vocabulary = Vocabulary.of_words(["the cat sat", "the dog sat", "the end"], size=6)
    assert len(vocabulary) == 6
    # cat, dog and end occur once each: the alphabetically first stays
    assert vocabulary.tokens == ("cat", "sat", "the")


def test_word_ids_decode_to_words_joined_by_spaces():
    vocabulary = Vocabulary.of_words(["Good, very good film"])
    assert vocabulary.decode(vocabulary.encode("Very GOOD!")) == "very good"


def test_unknown_names_what_the_vocabulary_lacks():
    assert Vocabulary.of_characters("abc").unknown("cabaret") == ["e", "r", "t"]
    assert Vocabulary.of_words(["a good film"]).unknown("A bad, bad film") == ["bad"]


def test_a_token_is_in_its_vocabulary():
    vocabulary = Vocabulary.of_words(["a good film"])
    assert "good" in vocabulary
    assert "bad" not in vocabulary


def test_vocabularies_are_equal_where_levels_and_tokens_are():
    vocabulary = Vocabulary.of_characters("abc")
    assert vocabulary == Vocabulary.of_characters("cba")
    assert hash(vocabulary) == hash(Vocabulary.of_characters("cba"))
    assert vocabulary != Vocabulary.of_characters("abd")
    assert vocabulary != Vocabulary(["a", "b", "c"], "word")
    assert pickle.loads(pickle.dumps(vocabulary)) == vocabulary


def test_a_vocabulary_shows_its_size_and_its_first_and_last_tokens():
    assert repr(Vocabulary.of_characters("ba\n")) == r"<Vocabulary of 3 reserved ids and 3 characters: '\n' 'a' 'b'>"
    assert repr(Vocabulary.of_characters("abcdefgh")).endswith("8 characters: 'a' 'b' 'c' … 'f' 'g' 'h'>")


@given(text=texts)
@example(text=SURROGATES)
def test_a_saved_vocabulary_loads_as_itself(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.json"
    vocabulary = Vocabulary.of_characters(text)
    vocabulary.save(path)
    loaded = Vocabulary.load(path)
    assert loaded == vocabulary
    assert loaded.encode(text).tolist() == vocabulary.encode(text).tolist()
    json.loads(path.read_text(encoding="utf-8"))


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "vocabulary.json"
    Vocabulary.of_characters("abc").save(path)
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        Vocabulary.of_characters("xyz").save(path)
    assert Vocabulary.load(path).tokens == ("a", "b", "c")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[1, 2]", "an object with"),
        (b"{}", "an object with"),
        (b"not json", "Expecting value"),
        (b"\xff\xfe", "byte 0xff"),
        (b'{"tokens": 3, "level": "word"}', "not iterable"),
        (b'{"tokens": "abc", "level": "character"}', "got one, 'abc'"),
        (b'{"tokens": {"a": 1}, "level": "character"}', "no list"),
        (b'{"tokens": ["a", 1], "level": "word"}', "got 1 of type int"),
        (b'{"tokens": ["a", "a"], "level": "word"}', "distinct"),
        (b'{"tokens": ["b", "a"], "level": "word"}', "sorted order"),
        (b'{"tokens": ["a"], "level": "sentence"}', "got 'sentence'"),
        (b'{"tokens": ["a"], "level": ["word"]}', r"got \['word'\]"),
    ],
)
def test_loading_another_file_says_what_is_wrong_with_it(tmp_path, content, reason):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"other.json is not a vocabulary that Vocabulary.save wrote: .*{reason}"):
        Vocabulary.load(path)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Vocabulary(["ab"], "character"), "single characters, got 'ab'"),
        (lambda: Vocabulary([""], "word"), "empty string"),
        (lambda: Vocabulary([], "sentence"), '"character" or "word", got \'sentence\''),
        (lambda: Vocabulary.of_words(["a"], size=3), "over 3"),
        (lambda: Vocabulary.of_characters("ab").decode([7]), r"in \[0, 5\), got 7"),
        (lambda: Vocabulary.of_characters("ab").decode([-1]), "got -1"),
        (lambda: Vocabulary(["a"], "word").decode([4]), "got 4"),
        (lambda: Vocabulary.of_characters("ab").decode([[3], [4]]), r"shape \(2, 1\)"),
    ],
)
def test_wrong_values_are_named(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Vocabulary.of_words("one text"), r"write \[text\]"),
        (lambda: Vocabulary.of_words([b"bytes"]), "words takes one string, got bytes"),
        (lambda: Vocabulary.of_characters(["a", "b"]), "of_characters takes one string, got list"),
        (lambda: Vocabulary.of_characters("ab").encode(["a", "b"]), "encode takes one string, got list"),
        (lambda: Vocabulary("abc", "word"), "write "),
        (lambda: Vocabulary(["a", None], "word"), "got None of type NoneType"),
        (lambda: Vocabulary.of_characters("ab").decode([3.0]), "integers, got float64"),
        (lambda: words(["a"]), "words takes one string, got list"),
    ],
)
def test_wrong_types_are_named(mistake, message):
    with pytest.raises(TypeError, match=message):
        mistake()
