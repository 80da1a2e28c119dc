import functools
import gc
import weakref

import keras
import numpy as np
import pytest
from scipy import stats

from utils.generation import generate
from utils.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of_characters("abcdefgh ")
CLASSES = len(VOCABULARY)
TIME = 6


def chain(*recurrent, time=TIME, batch=None, activation="softmax"):
    """A model of ids with the given layers between an embedding and a softmax; the same weights on every backend.

    They are larger than Keras's first weights, with which a network would repeat one character.
    """
    ids = keras.Input(batch_shape=(batch, time), dtype="int32")
    hidden = keras.layers.Embedding(CLASSES, 8)(ids)
    for layer in recurrent:
        hidden = layer(hidden)
    model = keras.Model(ids, keras.layers.Dense(CLASSES, activation=activation)(hidden))
    rng = np.random.default_rng(11)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def lstm(**options):
    return keras.layers.LSTM(16, **options)


def stateful_lstm():
    """Unrolled, because JAX compiles a loop anew each time a model is called by hand."""
    return lstm(stateful=True, unroll=True)


@functools.cache
def windowed():
    return chain(lstm())


def nested_stateful():
    """A stateful layer two models deep."""
    sequences = keras.Input(batch_shape=(1, 1, 8))
    inner = keras.Model(sequences, stateful_lstm()(sequences))
    outer = keras.Sequential([keras.Input(batch_shape=(1, 1, 8)), inner])
    return chain(outer, time=1, batch=1)


def bidirectional():
    return chain(keras.layers.Bidirectional(lstm()), time=None)


def shared_recurrent():
    """A layer that reads the text, and then what it made of it: with one state carried on, it would read on."""
    layer = keras.layers.SimpleRNN(8, return_sequences=True)
    return chain(layer, layer, time=None)


def naive_greedy(model, prompt, length):
    """Write one character at a time, one text at a time: what `generate` must agree with."""
    time, text = model.input_shape[1], prompt
    for _ in range(length):
        ids = VOCABULARY.encode(text if time is None else text[-time:])
        if time is not None:
            ids = np.concatenate([np.zeros(time - len(ids), dtype=np.int32), ids])
        scores = np.array(model.predict_on_batch(ids[np.newaxis]))
        text += most_likely(scores.reshape(-1, CLASSES)[-1:])
    return text[len(prompt) :]


def most_likely(scores):
    """The best token of each row of scores (time, classes)."""
    return "".join(VOCABULARY.tokens[best] for best in scores[:, VOCABULARY.RESERVED :].argmax(axis=1))


def fed_by_hand(model, prompt, length):
    """Feed the characters of one text, one at a time, to a stateful model of one text."""
    text = prompt
    for position in range(len(prompt) + length - 1):
        scores = keras.ops.convert_to_numpy(model(VOCABULARY.encode(text[position])[np.newaxis]))
        if position == len(text) - 1:
            text += most_likely(scores.reshape(1, CLASSES))
    return text[len(prompt) :]


MODELS = {
    "windowed LSTM": windowed,
    "two layers, sequences": lambda: chain(lstm(return_sequences=True), keras.layers.GRU(16, return_sequences=True)),
    "two layers, logits": lambda: chain(lstm(return_sequences=True), lstm(), activation=None),
    "no recurrent layer": lambda: chain(keras.layers.Flatten()),
}


@pytest.mark.parametrize("name", MODELS)
def test_greedy_text_equals_the_naive_loop(name):
    model = MODELS[name]()
    for prompt in ("bad", "a bad head"):
        expected = naive_greedy(model, prompt, 18)
        assert len(set(expected)) > 1
        assert generate(model, VOCABULARY, prompt, 18, 0, from_logits="logits" in name) == expected


@pytest.mark.parametrize("make", [bidirectional, shared_recurrent])
def test_a_model_that_cannot_take_steps_reads_the_whole_text_each_time(make):
    model = make()
    expected = naive_greedy(model, "bad", 3)
    assert len(set(expected)) > 1
    assert generate(model, VOCABULARY, "bad", 3, temperature=0) == expected


def test_a_recurrent_model_of_any_length_writes_what_it_finds_likeliest_when_it_reads_the_whole_text():
    model = chain(lstm(return_sequences=True), keras.layers.GRU(16, return_sequences=True), time=None)
    for prompt in ("bad", "a bad head"):
        text = generate(model, VOCABULARY, prompt, 18, temperature=0)
        scores = np.array(model.predict_on_batch(VOCABULARY.encode(prompt + text[:-1])[np.newaxis]))[0]
        assert len(set(text)) > 1
        assert text == most_likely(scores[len(prompt) - 1 :])


STATEFUL = {
    "one layer": lambda: chain(stateful_lstm(), time=1, batch=1),
    "two layers, sequences": lambda: chain(
        keras.layers.GRU(16, stateful=True, unroll=True, return_sequences=True), stateful_lstm(), time=1, batch=1
    ),
    "nested": nested_stateful,
}


@pytest.mark.parametrize("name", STATEFUL)
def test_a_stateful_model_writes_what_it_writes_fed_by_hand(name):
    model = STATEFUL[name]()
    expected = fed_by_hand(model, "bad head", 9)
    assert len(set(expected)) > 1
    assert generate(model, VOCABULARY, "bad head", 9, temperature=0) == expected


def test_a_stateful_model_trained_on_other_shapes_writes_the_same():
    one = chain(stateful_lstm(), time=1, batch=1)
    many = chain(lstm(stateful=True, return_sequences=True), time=20, batch=32)
    expected = fed_by_hand(one, "bad", 5)
    assert generate(many, VOCABULARY, ["bad"] * 3, 5, temperature=0) == [expected] * 3


@pytest.mark.parametrize(
    "make", [lambda: chain(stateful_lstm(), time=1, batch=1), lambda: chain(lstm(), time=None)], ids=["stateful", "any"]
)
def test_a_model_that_takes_steps_takes_prompts_of_different_lengths(make):
    model = make()
    prompts = ["a bad head fed a cab", "a", "bad"]
    alone = [generate(model, VOCABULARY, prompt, 20, (0, 1.0), np.random.default_rng(2))[0] for prompt in prompts]
    together = generate(model, VOCABULARY, prompts, 20, (0, 1.0), np.random.default_rng(2))
    assert [row[0] for row in together] == alone


def test_the_states_and_weights_of_a_stateful_model_are_left_alone():
    model = chain(lstm(stateful=True, dropout=0.5), keras.layers.Dropout(0.5), time=1, batch=1)
    model(VOCABULARY.encode("a")[np.newaxis])
    states = model.layers[2].states
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in [*states, *model.variables]]
    generate(model, VOCABULARY, "bad", 4)
    after = [keras.ops.convert_to_numpy(variable) for variable in [*states, *model.variables]]
    assert np.any(before[0])
    assert all(np.array_equal(*pair) for pair in zip(before, after))


@pytest.mark.parametrize("options", [{"time": TIME}, {"time": 1, "batch": 1}], ids=["windowed", "stateful"])
def test_the_present_weights_are_used_without_a_new_model(options):
    model = chain(lstm(stateful="batch" in options), **options)
    first = generate(model, VOCABULARY, "bad", 12, temperature=0)
    model.set_weights([-weight for weight in model.get_weights()])
    second = generate(model, VOCABULARY, "bad", 12, temperature=0)
    renewed = chain(lstm(stateful="batch" in options), **options)
    renewed.set_weights(model.get_weights())
    assert first != second == generate(renewed, VOCABULARY, "bad", 12, temperature=0)


def test_a_model_that_wrote_is_freed_with_its_last_reference():
    model = chain(keras.layers.Flatten())
    generate(model, VOCABULARY, "bad", 1)
    reference = weakref.ref(model)
    del model
    keras.backend.clear_session()
    gc.collect()
    assert reference() is None


def test_the_result_is_nested_like_prompts_and_temperatures():
    model, rng = windowed(), np.random.default_rng(0)
    assert isinstance(generate(model, VOCABULARY, "ab", 4, rng=rng), str)
    assert [len(text) for text in generate(model, VOCABULARY, ["ab", "cd"], 4, rng=rng)] == [4, 4]
    both = generate(model, VOCABULARY, ["ab", "cd"], 4, (0, 0.5, 1.0), rng)
    assert [[len(text) for text in row] for row in both] == [[4, 4, 4], [4, 4, 4]]
    assert [row[0] for row in both] == generate(model, VOCABULARY, ["ab", "cd"], 4, temperature=0)
    assert generate(model, VOCABULARY, ["ab", "cd"], 0, (0, 1.0)) == [["", ""], ["", ""]]


def test_several_prompts_give_what_one_call_after_the_other_gives():
    prompts = ["bad", "a bad head", "fed"]
    together = generate(windowed(), VOCABULARY, prompts, 20, rng=np.random.default_rng(4))
    rng = np.random.default_rng(4)
    assert together == [generate(windowed(), VOCABULARY, prompt, 20, rng=rng) for prompt in prompts]


def test_the_same_seed_gives_the_same_text_and_a_longer_one_begins_with_it():
    texts = [generate(windowed(), VOCABULARY, "bad", size, rng=np.random.default_rng(4)) for size in (20, 20, 50)]
    assert texts[0] == texts[1] == texts[2][:20]
    assert generate(windowed(), VOCABULARY, "bad", 20, rng=np.random.default_rng(5)) != texts[0]


LOGITS = np.log([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])  # the tokens of the vocabulary; " " comes first


def forgetful_model():
    """A model of logits that gives the same distribution whatever it reads, and likes padding best."""
    model = chain(keras.layers.Flatten(), time=1, activation=None)
    model.layers[-1].kernel.assign(np.zeros((8, CLASSES)))
    model.layers[-1].bias.assign(np.concatenate([[9.0, 5.0, 5.0], LOGITS]))
    return model


@pytest.mark.parametrize(
    ("options", "keep"),
    [({}, 9), ({"top_k": 5}, 5), ({"top_p": 0.6}, 3), ({"top_k": 6, "top_p": 0.85}, 5)],
    ids=["all", "top_k", "top_p", "both"],
)
def test_characters_follow_the_distribution_of_the_model(options, keep):
    heats = np.tile([0.5, 1.0, np.inf], 200)
    model, rng = forgetful_model(), np.random.default_rng(9)
    if options:  # the cuts are worked out by hand for temperature 1
        heats = np.ones(600)
    texts = generate(model, VOCABULARY, "a", 48, heats, rng, from_logits=True, **options)
    for heat in set(heats.tolist()):
        drawn = VOCABULARY.encode("".join(text for text, each in zip(texts, heats) if each == heat))
        observed = np.bincount(drawn - VOCABULARY.RESERVED, minlength=9)
        expected = np.exp(LOGITS / heat)[:keep]
        assert observed[keep:].sum() == 0
        assert stats.chisquare(observed[:keep], expected / expected.sum() * observed.sum()).pvalue > 0.01


def test_a_temperature_too_small_for_float32_is_no_nan():
    model = windowed()
    greedy = generate(model, VOCABULARY, "bad", 12, temperature=0)
    assert generate(model, VOCABULARY, "bad", 12, (1e-300, 1e-40, 1e-9)) == [greedy] * 3


def test_reserved_ids_are_never_written():
    text = generate(windowed(), VOCABULARY, "a", 100, temperature=np.inf, rng=np.random.default_rng(0))
    assert set(text) <= set(VOCABULARY.tokens)
    assert len(text) == 100


@pytest.mark.parametrize("time", [TIME, None])
def test_characters_are_shown_as_they_come(time):
    shown = []
    text = generate(
        chain(lstm(), time=time), VOCABULARY, "a bad", 20, rng=np.random.default_rng(0), on_character=shown.append
    )
    assert shown == list(text)


def test_words_are_shown_with_the_spaces_between_them():
    words = Vocabulary.of_words(["we three and he three eat and run"])
    assert len(words) <= CLASSES
    words = Vocabulary([*words.tokens, *"xyz"[: CLASSES - len(words)]], "word")
    shown = []
    text = generate(windowed(), words, "we eat", 10, rng=np.random.default_rng(0), on_character=shown.append)
    assert "".join(shown) == text
    assert len(shown) == len(text.split()) == 10


def test_text_is_shown_before_all_of_it_is_written():
    seen = []

    def stop(character):
        seen.append(character)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(windowed(), VOCABULARY, "a", 10**5, on_character=stop)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        ("häß", {}, "'ß', 'ä'"),
        ("", {}, "at least one"),
        ([], {}, "there is no prompt"),
        (["a", ""], {}, "at least one"),
        ("a", {"length": -1}, "at least 0, got -1"),
        ("a", {"length": 2.5}, "whole number"),
        ("a", {"temperature": "hot"}, "got 'hot'"),
        ("a", {"temperature": -1}, "0 or more"),
        ("a", {"top_k": 0}, "top_k"),
        ("a", {"top_p": 2}, "top_p"),
        (["a", "b"], {"on_character": print}, "one text"),
    ],
)
def test_wrong_arguments_are_named(prompt, options, message):
    with pytest.raises(ValueError, match=message):
        generate(windowed(), VOCABULARY, prompt, **options)


def test_a_seed_instead_of_a_generator_is_named():
    with pytest.raises(TypeError, match=r"default_rng\(3\)"):
        generate(windowed(), VOCABULARY, "a", rng=3)


def test_arguments_in_another_order_are_named():
    with pytest.raises(TypeError, match="its Vocabulary second, got str"):
        generate(windowed(), "abc", "a")
    with pytest.raises(TypeError, match="prompt must be a string"):
        generate(windowed(), VOCABULARY, [VOCABULARY.encode("a")])


def test_a_prompt_without_a_word_is_named():
    vocabulary = Vocabulary.of_words(["the quick brown fox jumps over lazy dogs now"])
    with pytest.raises(ValueError, match="at least one word to continue"):
        generate(windowed(), vocabulary, "...")


def two_outputs():
    ids = keras.Input((TIME,))
    return keras.Model(ids, [keras.layers.Dense(CLASSES)(ids), keras.layers.Dense(CLASSES)(ids)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.Sequential([keras.layers.Embedding(CLASSES, 8), lstm()]), "begin a Sequential model with"),
        (two_outputs, "must give"),
        (lambda: keras.Sequential([keras.Input((TIME, 3)), keras.layers.Dense(CLASSES)]), r"one array of ids"),
        (lambda: keras.Sequential([keras.Input((TIME,)), keras.layers.Dense(7)]), "7 classes, .* has 12 ids"),
    ],
    ids=["unbuilt", "two outputs", "no ids", "another vocabulary"],
)
def test_a_model_that_cannot_write_is_named_before_it_writes(make, message):
    with pytest.raises(ValueError, match=message):
        generate(make(), VOCABULARY, "a", 0)


def test_a_model_that_needs_the_whole_text_takes_prompts_of_one_length():
    with pytest.raises(ValueError, match="same length"):
        generate(bidirectional(), VOCABULARY, ["a", "ab"], 3)


def test_a_distribution_of_nan_is_named():
    model = forgetful_model()
    model.layers[-1].bias.assign(np.full(CLASSES, np.nan))
    with pytest.raises(ValueError, match="became NaN in training"):
        generate(model, VOCABULARY, "a", 3, from_logits=True)


@pytest.mark.parametrize("activation", [None, "relu", "sigmoid", "softplus"])
def test_numbers_that_are_no_probabilities_are_named(activation):
    with pytest.raises(ValueError, match="from_logits=True"):
        generate(chain(lstm(), activation=activation), VOCABULARY, "a", 3)


def test_probabilities_taken_for_logits_are_named():
    with pytest.raises(ValueError, match="leave from_logits=True out"):
        generate(windowed(), VOCABULARY, "a", 3, from_logits=True)
