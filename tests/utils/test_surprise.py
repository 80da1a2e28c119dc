import html.parser
import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.surprise import surprise, surprise_html
from utils.text import Vocabulary

TEXT = "to be, or not to be\n"
VOCABULARY = Vocabulary.of_characters(TEXT)


def make_model(time, return_sequences, activation="softmax", **options):
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((time,), **options),
        keras.layers.Embedding(len(VOCABULARY), 4),
        keras.layers.LSTM(8, return_sequences=return_sequences, stateful=bool(options)),
        keras.layers.Dense(len(VOCABULARY), activation=activation, kernel_initializer="random_normal"),
    ])  # fmt: skip


def one_by_one(model, context):
    """The surprises that one finds by showing the model each beginning of the text, at most `context` ids of it."""
    ids = VOCABULARY.encode(TEXT)
    seen = [ids[max(0, position - context) : position] for position in range(1, len(ids))]
    # filled up on the right: what a causal model has not read yet cannot change what it says
    filled = np.stack([np.pad(row, (0, context - len(row))) for row in seen])
    outputs = model.predict_on_batch(filled)
    found = [outputs[row, len(seen[row]) - 1, ids[row + 1]] for row in range(len(seen))]
    return [math.nan, *-np.log(found)]


@pytest.mark.parametrize(("time", "context"), [(None, len(TEXT)), (5, 5)])
def test_a_model_that_returns_sequences_is_asked_at_each_character_after_all_that_it_can_see(time, context):
    model = make_model(time, return_sequences=True)
    np.testing.assert_allclose(surprise(model, VOCABULARY, TEXT), one_by_one(model, context), rtol=1e-4)


def test_a_windowed_model_predicts_nothing_before_its_first_window_is_full():
    model = make_model(5, return_sequences=False)
    ids = VOCABULARY.encode(TEXT)
    outputs = model.predict_on_batch(np.stack([ids[start : start + 5] for start in range(len(ids) - 5)]))
    expected = [math.nan] * 5 + [-math.log(row[following]) for row, following in zip(outputs, ids[5:])]
    found = surprise(model, VOCABULARY, TEXT)
    assert found.shape == (len(TEXT),)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_mean_surprise_is_the_loss_that_keras_computes():
    model = make_model(None, return_sequences=True)
    model.compile(loss="sparse_categorical_crossentropy")
    ids = VOCABULARY.encode(TEXT)[np.newaxis]
    loss = model.evaluate(ids[:, :-1], ids[:, 1:], verbose=0)
    assert np.nanmean(surprise(model, VOCABULARY, TEXT)) == pytest.approx(loss, rel=1e-5)


def test_logits_give_the_surprises_of_their_softmax():
    model = make_model(None, return_sequences=True)
    logits = make_model(None, return_sequences=True, activation=None)
    found = surprise(logits, VOCABULARY, TEXT, from_logits=True)  # the seed has given both the same weights
    np.testing.assert_allclose(found, surprise(model, VOCABULARY, TEXT), rtol=1e-4)


class Constant:
    """Stands in for a model of open length that gives the same numbers everywhere."""

    layers = ()
    input_shape = (None, None)

    def __init__(self, outputs):
        self._outputs = np.array(outputs, dtype=np.float32)
        self.output_shape = (None, None, len(outputs))

    def predict(self, contexts, **options):
        return np.broadcast_to(self._outputs, (*contexts.shape, len(self._outputs)))


def test_the_impossible_surprises_without_limit_and_the_certain_not_at_all_even_where_rounding_exceeds_1():
    vocabulary = Vocabulary.of_characters("ab")
    model = Constant([0, 0, 0, np.nextafter(np.float32(1), np.float32(2)), 0])
    assert surprise(model, vocabulary, "aab").tolist()[1:] == [0, math.inf]


def test_a_model_whose_weights_became_nan_is_not_taken_for_one_without_a_prediction():
    with pytest.raises(ValueError, match="the model gives NaN"):
        surprise(Constant([0, 0, 0, math.nan, 1]), Vocabulary.of_characters("ab"), "ab")


@pytest.mark.parametrize("outputs", [[0, 0, 0, 5, 5], [0, 0, 0, -1, 2], [0, 0, 0, 0, 0]])
def test_numbers_that_are_no_probabilities_are_named(outputs):
    with pytest.raises(ValueError, match="end it with a softmax"):
        surprise(Constant(outputs), Vocabulary.of_characters("ab"), "ab")


def test_probabilities_taken_for_logits_are_named():
    with pytest.raises(ValueError, match="leave from_logits=True out"):
        surprise(Constant([0, 0, 0, 0.5, 0.5]), Vocabulary.of_characters("ab"), "ab", from_logits=True)


def test_several_texts_at_once_are_refused():
    with pytest.raises(TypeError, match="text must be a string, got list"):
        surprise(make_model(5, return_sequences=False), VOCABULARY, [TEXT])


def test_a_model_or_text_that_cannot_be_read_is_refused_with_what_to_do():
    model = make_model(5, return_sequences=False)
    with pytest.raises(ValueError, match="does not know 'Q', 'z': leave"):
        surprise(model, VOCABULARY, "to zQ")
    with pytest.raises(ValueError, match="give 6 tokens, got 5"):
        surprise(model, VOCABULARY, "to be")
    with pytest.raises(ValueError, match="fix the length of its Input"):
        surprise(make_model(None, return_sequences=False), VOCABULARY, TEXT)
    with pytest.raises(ValueError, match="stateful=False"):
        surprise(make_model(1, return_sequences=False, batch_size=1), VOCABULARY, TEXT)
    with pytest.raises(ValueError, match=rf"{len(VOCABULARY)} classes, and the vocabulary has 5 ids"):
        surprise(model, Vocabulary.of_characters("to"), "tototo")


class Page(html.parser.HTMLParser):
    """Collects the spans of a page as (text, attributes), the text of its first block and its balance of tags."""

    def __init__(self, source):
        super().__init__()
        self.spans, self.block, self.names, self._open = [], "", {}, []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.names.update({tag: dict(attributes)} if tag == "figure" else {})
        if tag != "br":
            self._open.append(tag)
        if tag == "span":
            self.spans.append(("", dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1] == "span":
            text, attributes = self.spans[-1]
            self.spans[-1] = (text + data, attributes)
        if "div" in self._open:
            self.block += data


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1), st.data())
def test_any_text_is_shown_whole_and_escaped_with_a_value_at_each_character(text, data):
    numbers = st.floats(0, 50) | st.just(math.nan) | st.just(math.inf)
    values = data.draw(st.lists(numbers, min_size=len(text), max_size=len(text)))
    page = Page(surprise_html(text, values).data)
    assert page.block == text.replace("\n", "↵\n")
    for value, (_, attributes) in zip(values, page.spans):
        shown = "no prediction" if math.isnan(value) else f"{value / math.log(2) * math.log(2):.2f} nats, p = "
        assert shown in attributes["title"]


def test_markup_and_newlines_of_the_text_are_shown_as_characters():
    text = '<b a="\'">&lt;\n\n'
    source = surprise_html(text, np.ones(len(text))).data
    assert ">&lt;</span>" in source
    assert ">&amp;</span>" in source
    page = Page(source)
    assert page.block == '<b a="\'">&lt;↵\n↵\n'
    assert [attributes["title"].split(": ")[0] for _, attributes in page.spans[: len(text)]] == [*map(repr, text)]


def test_a_notebook_shows_the_object_as_html():
    assert "<figure" in surprise_html("a", [1.0])._repr_html_()


@pytest.mark.parametrize(("unit", "value"), [("nats", "0.69 nats"), ("bits", "1.00 bits")])
def test_values_legend_and_summary_are_in_the_unit_asked_for(unit, value):
    page = Page(surprise_html("ab", [math.log(2), math.nan], unit).data)
    assert page.spans[0][1]["title"] == f"'a': {value}, p = 0.5"
    assert page.spans[2][0].strip() == f"up to {value[:4].rstrip('0').rstrip('.')} {unit} (p ≥ 1/2)"
    assert page.names["figure"]["aria-label"] == (
        f"Surprise of 1 predicted characters: mean {value}, highest {value} at character 0 (a)."
    )


def styles(bits):
    page = Page(surprise_html("x" * len(bits), np.array(bits) * math.log(2)).data)
    rules = [attributes["style"].split(";") for _, attributes in page.spans[: len(bits)]]
    return [dict(rule.split(":", 1) for rule in style) for style in rules]


def luminance(color):
    """Relative luminance, as the Web Content Accessibility Guidelines 2.2 define it."""
    channels = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_more_surprise_is_darker_and_at_the_top_underlined_thicker():
    shown = styles([0.5, 1.5, 3, 5, 9])
    backgrounds = [luminance(style["background"]) for style in shown]
    assert (np.diff(backgrounds) < -0.05).all()
    assert [style.get("border-bottom", "0")[0] for style in shown] == ["0", "0", "0", "2", "4"]


def test_the_contrast_of_text_and_background_is_at_least_that_of_wcag_aa():
    for style in [*styles([0.5, 1.5, 3, 5, 9]), {"color": styles([math.nan])[0]["color"], "background": "#ffffff"}]:
        lower, upper = sorted(luminance(style[name]) for name in ("background", "color"))
        assert (upper + 0.05) / (lower + 0.05) >= 4.5


def test_a_text_without_any_prediction_says_so():
    assert "none of 2 characters is predicted" in surprise_html("ab", [math.nan] * 2).data


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", []), r"text must not be empty"),
        (("ab", [[1.0, 2.0]]), r"shape \(len\(text\),\): got 2 and \(1, 2\)"),
        (("abc", [1.0]), "3 characters do not fit 1 surprises"),
        (("ab", [1.0, -0.5]), "at least 0, got -0.5: change the sign"),
        (("a", [1.0], "bytes"), '"nats" or "bits", got \'bytes\''),
    ],
)
def test_surprises_that_do_not_fit_the_text_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        surprise_html(*arguments)
