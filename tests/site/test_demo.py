"""The page on which a trained model writes: the same as Python computes, alone and on the site."""

import json
import math
import pathlib
import re
import sys

import numpy as np
import pytest

from utils.generation import generate
from utils.surprise import surprise, surprise_html

DEMO = pathlib.Path(__file__).parents[2] / "site" / "demo"
sys.path.insert(0, str(DEMO))
from weights import load_model  # noqa: E402

PAGES = {"alone": "demo/index.html", "on the site": "demo.html"}
PROMPTS = ["What news from the king, my ", "T", "\nTo be, or not to be", "My mistress' eyes are nothing like the"]
TEXT = "Now is the winter of our discontent\nmade glorious summer; the WIFI is down, zounds! xkq! My lord?"
LENGTH = 600  # characters that one press of the button writes
CONTROLS = ["prompt", "temperature", "seed", "run", "again", "another", "text", "paste", "show", "take"]
each_page = pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())


@pytest.fixture(scope="module")
def trained():
    """The model and its vocabulary, as Keras has them."""
    return load_model()


@pytest.fixture
def open_demo(open_page):
    """A function that opens the page, for a reader who asks for calm, since that is faster, and waits for the model."""

    def open_(path=PAGES["alone"], reduced_motion="reduce", **options):
        page = open_page(path, reduced_motion=reduced_motion, **options)
        page.wait_for_selector("#demo-run")
        return page

    return open_


def write(page, prompt=None, temperature=None, button="again"):
    """Press a button, wait for the end, and give what the model has written."""
    if prompt is not None:
        page.fill("#demo-prompt", prompt)
    if temperature is not None:
        page.fill("#demo-temperature", str(temperature))
    page.click(f"#demo-{button}")
    page.wait_for_function("document.querySelector('#demo-run').textContent === 'Continue'")
    return page.locator(".demo-written").text_content()


def test_another_prompt_or_seed_begins_another_text(open_demo):
    page = open_demo()
    first = write(page, "O, what a night", 0.5)
    assert len(write(page, button="run")) == 2 * len(first)  # it goes on
    for control, value in (("prompt", "The king is"), ("seed", "7")):
        page.fill(f"#demo-{control}", value)
        assert page.inner_text("#demo-run") == "Write"
        assert len(write(page, button="run")) == len(first)
    page.fill("#demo-prompt", "")
    page.click("#demo-run")
    assert page.inner_text("#demo-write-status").startswith("Give the model at least one character")


def stop_time(page):
    """From now on time passes in the page only where a test says so, however slow the machine."""
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 60_000)


def show_surprise(page, text):
    """Paste a text and have it coloured; gives the sentence on it."""
    page.fill("#demo-paste", text)
    page.click("#demo-show")
    page.wait_for_function("document.querySelector('#demo-read-status').textContent !== 'The model reads.'")
    return page.inner_text("#demo-read-status")


# --- the same as Python ----------------------------------------------------------------------------------------------


def test_at_temperature_0_the_page_writes_what_python_writes(open_demo, trained):
    page = open_demo()
    written = [write(page, prompt, 0) for prompt in PROMPTS]
    assert written == generate(*trained, PROMPTS, LENGTH, temperature=0)
    assert len(set(written)) > 1


def test_the_page_is_as_surprised_as_python(open_demo, trained):
    page = open_demo()
    nats = page.evaluate(
        """async (text) => {
            const [{ Model }, { readText }] = await Promise.all([import("./model.js"), import("./surprise.js")]);
            const entries = await readText(await Model.load("weights.bin"), text);
            return entries.map((entry) => entry.nats);
        }""",
        TEXT,
    )
    expected = surprise(*trained, TEXT)
    assert nats[0] is None
    assert np.isnan(expected[0])
    np.testing.assert_allclose(nats[1:], expected[1:], atol=1e-3)
    said = show_surprise(page, TEXT)
    shown = re.search(r"mean ([\d.]+) nats, ([\d.]+) bits, perplexity ([\d.]+)", said)
    nats, bits, perplexity = map(float, shown.groups())
    assert nats == pytest.approx(expected[1:].mean(), abs=1e-3)
    assert bits == pytest.approx(nats / math.log(2), abs=2e-3)
    assert perplexity == pytest.approx(math.exp(nats), rel=2e-3)


STYLES = """elements => elements.map(element => {
    const style = getComputedStyle(element);
    const { backgroundColor, color, fontStyle, borderBottomWidth, borderBottomColor } = style;
    const border = parseFloat(borderBottomWidth) ? [borderBottomWidth, borderBottomColor] : [];
    return [element.textContent, backgroundColor, color, fontStyle, ...border];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@each_page
def test_the_colours_and_the_legend_are_those_of_the_notebooks(open_demo, trained, path, scheme):
    page = open_demo(path, scheme=scheme)
    show_surprise(page, TEXT)
    shown = page.eval_on_selector_all("#demo-colored > span", STYLES)
    legend = page.eval_on_selector_all("#demo-legend > span", STYLES)
    page.set_content(surprise_html(TEXT, surprise(*trained, TEXT)).data)
    assert shown == page.eval_on_selector_all("figure > div > span", STYLES)
    assert legend == page.eval_on_selector_all("figcaption > span", STYLES)
    assert len({tuple(style[1:]) for style in shown}) > 3


# --- how the page behaves --------------------------------------------------------------------------------------------


@each_page
def test_the_page_writes_and_says_how_fast(open_demo, path):
    page = open_demo(path, reduced_motion="no-preference")
    assert len(write(page, button="run")) == LENGTH
    # some 200 on a quiet machine; a busy one only has to say how many
    assert int(re.search(r": (\d+) a second", page.inner_text("#demo-speed"))[1]) >= 10
    assert "600 characters" in page.inner_text("#demo-write-status")
    assert page.locator(".demo-given").text_content() == page.input_value("#demo-prompt")
    assert page.complaints == []


def test_a_seed_determines_the_text_with_or_without_a_stop(open_demo):
    page = open_demo()
    whole = write(page, temperature=1)
    other = write(page, button="another")
    assert other[:100] != whole[:100]
    page.fill("#demo-seed", "1")
    page.emulate_media(reduced_motion="no-preference")
    stop_time(page)
    page.click("#demo-again")
    page.clock.run_for(500)
    page.click("#demo-run")
    begun = page.locator(".demo-written").text_content()
    assert 0 < len(begun) < LENGTH
    page.clock.run_for(500)
    assert page.locator(".demo-written").text_content() == begun
    page.click("#demo-run")
    page.clock.run_for(4_000)
    continued = page.locator(".demo-written").text_content()
    assert len(continued) == len(begun) + LENGTH
    assert continued.startswith(whole)


def test_a_higher_temperature_takes_less_probable_characters(open_demo, trained):
    page = open_demo()
    prompt = PROMPTS[0]
    costs = [surprise(*trained, prompt + write(page, prompt, heat))[len(prompt) :].mean() for heat in (0, 0.5, 1, 2)]
    assert costs == sorted(costs)


def test_characters_that_the_model_lacks_are_named_and_marked(open_demo, trained):
    page = open_demo()
    page.fill("#demo-prompt", "naïve 😀 love")
    page.fill("#demo-temperature", "0")
    page.click("#demo-again")
    assert "“ï”, “😀”" in page.inner_text("#demo-write-status")
    assert page.locator(".demo-given").text_content() == "nave  love"
    said = show_surprise(page, "my naïve 😀 love")
    assert "“ï”, “😀”" in said
    assert page.locator("#demo-colored .unknown").all_text_contents() == ["ï", "😀"]
    mean = np.nanmean(surprise(*trained, "my nave  love"))
    assert float(re.search(r"mean ([\d.]+)", said)[1]) == pytest.approx(mean, abs=2e-3)


def test_without_a_text_the_page_asks_for_one(open_demo):
    page = open_demo()
    page.fill("#demo-prompt", "😀")
    page.click("#demo-run")
    assert "at least one character" in page.inner_text("#demo-write-status")
    assert "“😀”" in page.inner_text("#demo-write-status")
    assert "type or paste" in show_surprise(page, "")
    assert page.complaints == []


def test_a_long_text_is_cut_and_the_page_says_so(open_demo):
    page = open_demo()
    assert "Of 12,000, only these first ones are read" in show_surprise(page, "Good night. " * 1_000)
    assert page.locator("#demo-colored > span").count() == 10_000


def test_one_character_shows_what_was_expected_instead(open_demo, trained):
    page = open_demo()
    show_surprise(page, TEXT)
    place = TEXT.index("zounds")
    page.locator("#demo-colored > span").nth(place).click()
    model, vocabulary = trained
    probabilities = np.asarray(model(vocabulary.encode(TEXT)[np.newaxis, :place]))[0, -1]
    likeliest = vocabulary.decode([int(probabilities.argmax())])
    said = page.inner_text("#demo-place-said")
    assert said.startswith(f"Character {place + 1}, “{TEXT[place]}”")
    shown = "␣" if likeliest == " " else likeliest
    assert f"Most probable here: “{shown}” {probabilities.max():.2f}" in said
    page.focus("#demo-place")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#demo-place-said").startswith(f"Character {place + 2}")
    assert page.locator("#demo-colored .chosen").all_text_contents() == [TEXT[place + 1]]


def test_the_keyboard_alone_reaches_and_works_everything(open_demo):
    page = open_demo(reduced_motion="no-preference")
    stop_time(page)
    reached = []
    for _ in CONTROLS:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == [f"demo-{name}" for name in CONTROLS]
    page.focus("#demo-temperature")
    page.keyboard.press("Home")
    assert page.inner_text("#demo-temperature-value") == "0.0"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(":focus").inner_text() == "Stop"
    page.keyboard.press("Enter")
    assert page.locator(":focus").inner_text() == "Continue"
    page.clock.resume()
    page.focus("#demo-show")
    page.keyboard.press("Enter")
    page.wait_for_selector("#demo-colored > span")
    assert page.locator(":focus").get_attribute("id") == "demo-show"


def test_who_asks_for_calm_gets_the_text_at_once(open_demo):
    page = open_demo()
    page.evaluate(
        """() => {
            window.lengths = [];
            const written = document.querySelector(".demo-written");
            new MutationObserver(() => lengths.push(written.textContent.length)).observe(written, { childList: true });
        }"""
    )
    assert len(write(page)) == LENGTH
    assert set(page.evaluate("lengths")) <= {0, LENGTH}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@each_page
def test_axe_finds_nothing_serious_once_all_is_shown(open_demo, serious_violations, path, scheme):
    page = open_demo(path, scheme=scheme)
    write(page, "naïve ")
    show_surprise(page, f"{TEXT} naïve")
    assert not serious_violations(page)


BRIGHTNESS = """element => getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"""


@each_page
def test_the_page_is_dark_where_the_reader_or_the_site_asks_for_it(open_demo, path):
    dark = [28, 28, 28]
    for scheme, theme, expected in [("light", None, [255] * 3), ("dark", None, dark), ("light", "dark", dark)]:
        page = open_demo(path, scheme=scheme)
        if theme:
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        assert page.eval_on_selector("#demo-prompt", BRIGHTNESS) == expected, (scheme, theme)


@each_page
def test_a_phone_shows_all_of_it(open_demo, path):
    page = open_demo(path, width=360, height=740)
    write(page)
    show_surprise(page, f"{TEXT} {'x' * 200}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_page_without_its_model_says_so(open_page):
    page = open_page("demo/demo.css")  # any page of this address, to set the route before the demo is opened
    page.route("**/weights.bin", lambda route: route.abort())
    page.goto(page.url.replace("demo.css", "index.html"))
    page.wait_for_function("document.querySelector('#demo').textContent.includes('could not be loaded')")


def test_the_page_tells_what_was_measured(open_demo):
    facts = json.loads((DEMO / "facts.json").read_text())
    said = open_demo().inner_text("#demo-facts")
    counted = min(facts["nats_of_counting"])
    for number in (f"{facts['parameters']:,} weights", f"{facts['nats']:.2f} nats", f"needs {counted:.2f}"):
        assert number in said
