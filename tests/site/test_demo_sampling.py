"""How the demo page draws the next character: sampling.js beside utils.sampling."""

import math

import numpy as np
import pytest

from utils import sampling


@pytest.fixture
def demo(open_page):
    return open_page("demo/index.html")


def test_the_page_draws_as_python_draws(demo):
    rng = np.random.default_rng(0)
    temperatures = rng.choice([0, 0.1, 0.5, 1, 2], size=500)
    logits, chances = rng.normal(0, 3, (500, 12)), rng.random(500)
    chances[:10] = 0
    chances[10:20] = np.nextafter(1, 0)
    drawn = demo.evaluate(
        """async ([logits, temperatures, chances]) => {
            const { draw, weigh } = await import("./sampling.js");
            return logits.map((row, place) => draw(weigh(row, temperatures[place]), chances[place]));
        }""",
        [logits.tolist(), temperatures.tolist(), chances.tolist()],
    )
    assert drawn == sampling.draw(np, logits, temperatures, chances, None).tolist()


def test_ids_that_are_no_characters_are_never_drawn(demo):
    drawn = demo.evaluate(
        """async () => {
            const { draw, weigh } = await import("./sampling.js");
            return [0, 1].flatMap(t => [0, 0.5].map(chance => draw(weigh([9, 9, 9, 1, 2], t, 3), chance)));
        }"""
    )
    assert set(drawn) <= {3, 4}


def test_random_numbers_fill_the_unit_interval_evenly(demo):
    numbers = demo.evaluate(
        """async () => {
            const { makeGenerator } = await import("./sampling.js");
            return [0, 1, 2 ** 32 - 1].map(seed => Array.from({ length: 5000 }, makeGenerator(seed)));
        }"""
    )
    for row in np.array(numbers):
        counts = np.histogram(row, bins=20, range=(0, 1))[0]
        assert counts.sum() == 5_000
        assert np.abs(counts - 250).max() < 5 * math.sqrt(250)
        assert abs(np.corrcoef(row[:-1], row[1:])[0, 1]) < 0.08
    assert len(np.unique(numbers)) > 14_900
