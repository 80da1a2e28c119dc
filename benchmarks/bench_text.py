"""Encoding and windows beside the usual example's dictionary lookups and one-hot arrays."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from utils import datasets
from utils.text import Vocabulary, windows

LENGTH = 40


@pytest.fixture(scope="module")
def text(request):
    """5.2 million characters of Shakespeare."""
    plays = "".join(datasets.shakespeare_plays().values())
    return plays[:100_000] if request.config.getoption("--small") else plays


@pytest.mark.parametrize("way", ["ours", "a list comprehension over a dict"])
def bench_encode(side, text, way):
    vocabulary = Vocabulary.of_characters(text)
    numbers = {character: number for number, character in enumerate(vocabulary.tokens, start=3)}
    megabytes = len(text.encode()) / 1e6
    goal = {"text": "at least 50 MB/s", "value_at_most": 1 / 50} if way == "ours" else None
    side.describe("encode Shakespeare's plays by character", way, goal, units=megabytes, of="MB")
    if way == "ours":
        side.time(lambda: vocabulary.encode(text))
    else:
        side.time(lambda: np.array([numbers[character] for character in text], dtype="int32"))


def one_hot_windows(ids, classes, step):
    """What the usual example of character generation builds before it trains."""
    starts = range(0, len(ids) - LENGTH, step)
    dense = np.zeros((len(starts), LENGTH, classes), dtype=bool)
    for row, start in enumerate(starts):
        dense[row, np.arange(LENGTH), ids[start : start + LENGTH]] = True
    return dense


@pytest.fixture(scope="module")
def newspaper(request):
    """The newspaper articles as ids, and the number of classes."""
    text = "\n".join(datasets.newspaper_articles())
    vocabulary = Vocabulary.of_characters(text)
    ids = vocabulary.encode(text)
    return ids[:20_000] if request.config.getoption("--small") else ids, len(vocabulary)


@pytest.mark.parametrize("way", ["ours", "one-hot windows as bool"])
def bench_building_windows(side, newspaper, way):
    ids, classes = newspaper
    goal = {"text": "under 1 ms", "value_at_most": 1e-3} if way == "ours" else None
    side.describe("build windows of 40 characters, every second, over the newspaper", way, goal)
    if way == "ours":
        side.time(lambda: windows(ids, LENGTH, step=2), rounds=50)
    else:
        side.time(lambda: one_hot_windows(ids, classes, step=2), rounds=3)


@pytest.mark.parametrize("way", ["ours", "one-hot windows as bool"])
def bench_memory_of_windows(side, newspaper, way):
    ids, classes = newspaper
    goal = {"text": "at most 1/100", "ratio_at_least": 100} if way == "ours" else None
    side.describe("memory of these windows, the encoded text included", way, goal)
    if way == "ours":
        view = windows(ids, LENGTH, step=2)
        assert np.shares_memory(view, ids)
        side.memory(lambda: ids.nbytes)
    else:
        side.memory(lambda: one_hot_windows(ids, classes, step=2).nbytes)


GROWTH = """
    import sys
    import numpy as np
    from utils.text import windows

    def resident():
        lines = dict(line.split(":") for line in open("/proc/self/status"))
        return 1024 * int(lines["RssAnon"].split()[0])  # without the pages of files

    windows(np.memmap(sys.argv[1], dtype="uint8", mode="r")[:1000], 40)  # what any first call costs
    before = resident()
    view = windows(np.memmap(sys.argv[1], dtype="uint8", mode="r"), 40)
    batches = [view[start : start + 128].sum() for start in range(0, len(view), len(view) // 20)]
    print(max(0, resident() - before))
"""


def resident_growth(path):
    """Bytes by which a fresh process grows when it makes windows over a file and reads 20 batches of them."""
    script = textwrap.dedent(GROWTH)
    result = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    return int(result.stdout)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the resident memory from Linux's /proc")
@pytest.mark.parametrize("way", ["ours", "1 MB of text, in the same way"])
def bench_resident_memory_of_a_large_file(side, tmp_path, way, small):
    size = 1_000_000 if small or way != "ours" else 1_000_000_000
    path = tmp_path / "text"
    path.write_bytes(b"")
    os.truncate(path, size)
    goal = {"text": "at most 1 MB more than 1 MB of text", "value_at_most": 2_000_000} if way == "ours" else None
    side.describe("resident memory of windows over 1 GB of text, 20 batches read", way, goal)
    side.memory(lambda: resident_growth(path))
