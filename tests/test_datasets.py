"""The data: fetched once, verified always, and as the data cards say. Archives here are small ones made on the spot."""

import errno
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from package_index import COMPLETE, FILES, make_tar, offer_sample, snapshot, write_registry

from utils import archives, datasets, registry
from utils.datasets import DataError
from utils.text import speeches

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def index(tmp_path, monkeypatch):
    with offer_sample(tmp_path, monkeypatch) as index:
        yield index


@pytest.fixture
def lines():
    return []


def fetch(lines: list[str]) -> Path:
    return archives.fetch("sample", report=lines.append)


# --- fetching ------------------------------------------------------------------------------------------------------


def test_fetch_takes_the_files_out_of_a_zip_and_keeps_nothing_else(index, lines):
    assert fetch(lines) == registry.cache_folder() / "sample"
    assert snapshot() == COMPLETE
    assert lines == ["sample: downloading 0.1 MB"]


def test_fetch_takes_the_files_out_of_a_compressed_tar_archive(index, lines, tmp_path):
    content = make_tar(FILES)
    index.files = {"sample-1.0.tar.gz": content}
    write_registry(tmp_path / "tar.toml", "sample-1.0.tar.gz", content, FILES)
    registry.REGISTRY = tmp_path / "tar.toml"  # the fixture's monkeypatch puts the real one back
    fetch(lines)
    assert snapshot() == COMPLETE


def test_fetch_returns_the_file_where_there_is_one_only(index, lines, tmp_path):
    write_registry(tmp_path / "one.toml", "sample-1.0.zip", index.files["sample-1.0.zip"], {"a.txt": FILES["a.txt"]})
    registry.REGISTRY = tmp_path / "one.toml"
    assert fetch(lines).read_bytes() == FILES["a.txt"]


def test_what_is_in_order_needs_neither_network_nor_a_writable_folder(index, lines):
    fetch(lines)
    index.close()
    for lock in registry.cache_folder().glob("*.lock"):
        lock.unlink()
    lines.clear()
    fetch(lines)
    assert lines == []
    assert not list(registry.cache_folder().glob("*.lock")), "a lock was taken, which a read-only folder does not allow"


def test_fetch_reads_a_mirror_that_is_a_folder(index, lines, tmp_path, monkeypatch):
    page = tmp_path / "mirror" / "sample" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text('<a href="sample-1.0.zip">sample-1.0.zip</a>')
    (page.parent / "sample-1.0.zip").write_bytes(index.files["sample-1.0.zip"])
    index.close()
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "mirror").as_uri())
    fetch(lines)
    assert snapshot() == COMPLETE


@pytest.mark.parametrize("value", ["{}", "work={}", " {} "])
def test_the_mirror_set_for_uv_comes_before_that_of_pip(value, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", value.format("https://uv.example/simple?a=b"))
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    assert archives._mirrors() == ["https://uv.example/simple?a=b"]


def test_an_altered_file_is_named_and_fetched_again_and_the_others_are_left_alone(index, lines):
    folder = fetch(lines)
    untouched = (folder / "deep/b.txt").stat().st_mtime_ns
    (folder / "a.txt").write_bytes(FILES["a.txt"].replace(b"first", b"worst"))
    fetch(lines)
    assert "sample: 'a.txt' was altered since it was fetched: fetching it again." in lines
    assert snapshot() == COMPLETE
    assert (folder / "deep/b.txt").stat().st_mtime_ns == untouched


def test_a_missing_file_is_fetched_again(index, lines):
    (fetch(lines) / "deep/b.txt").unlink()
    fetch(lines)
    assert snapshot() == COMPLETE


def test_what_a_killed_process_left_is_cleared(index, lines):
    left = registry.cache_folder() / ".sample.partial" / "members" / "a.txt"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a fi")
    fetch(lines)
    assert snapshot() == COMPLETE


def test_course_data_sets_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "~/my data")
    assert registry.cache_folder() == Path.home() / "my data"
    monkeypatch.delenv("COURSE_DATA")
    assert registry.cache_folder().name.startswith(("sequence-models", "Cache"))


def test_importing_the_loaders_imports_nothing_heavy():
    heavy = "{'keras', 'tensorflow', 'pooch', 'unearth', 'requests', 'pandas'}"
    code = f"import utils.datasets, sys; sys.exit(', '.join({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stderr.strip() == ""


# --- what can go wrong: one sentence, and the cache as it was --------------------------------------------------------


def expect_failure(lines: list[str], *parts: str) -> None:
    """Fetching fails with one sentence that has these parts, and changes nothing in the cache."""
    before = snapshot()
    with pytest.raises(DataError) as caught:
        fetch(lines)
    message = str(caught.value)
    for part in ("sample", *parts):
        assert part in message
    assert "\n" not in message
    assert snapshot() == before


def test_a_truncated_archive(index, lines):
    index.files["sample-1.0.zip"] = index.files["sample-1.0.zip"][:-10_000]
    expect_failure(lines, "broke off after", "run the same command again")


def test_a_connection_that_breaks_off(index, lines):
    index.break_after = 20_000
    expect_failure(lines, "broke off", "check the network")


def test_an_altered_archive(index, lines):
    index.files["sample-1.0.zip"] = index.files["sample-1.0.zip"].replace(b"second", b"eighth")
    expect_failure(lines, "sha256", "another mirror")


def test_no_network(index, lines):
    index.close()
    expect_failure(lines, "cannot be reached", "check the network")


def test_no_network_and_an_altered_file(index, lines):
    (fetch(lines) / "a.txt").write_text("mine")
    index.close()
    expect_failure(lines, "cannot be reached")


def test_a_package_that_is_no_longer_listed(index, lines):
    index.files.clear()
    expect_failure(lines, "does not list the package 'sample'", "404")


def test_a_file_that_is_no_longer_listed(index, lines):
    index.files = {"sample-2.0.zip": b""}
    expect_failure(lines, "does not list sample-1.0.zip")


def test_a_file_that_is_listed_and_gone(index, lines):
    index.files["sample-1.0.zip"] = None
    expect_failure(lines, "HTTP status 404", "try again later")


def test_a_mirror_in_a_folder_that_lists_a_file_it_lacks(index, lines, tmp_path, monkeypatch):
    page = tmp_path / "mirror" / "sample" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text('<a href="sample-1.0.zip">sample-1.0.zip</a>')
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "mirror").as_uri())
    expect_failure(lines, "is not there", "repair the mirror")


def raise_no_space(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["_copy", "_download"])
def test_a_full_disk(index, lines, monkeypatch, step):
    (fetch(lines) / "a.txt").unlink()
    monkeypatch.setattr(archives, step, raise_no_space)
    expect_failure(lines, "is full", "free 100 MB", "COURSE_DATA")


def test_a_disk_that_fills_up_while_the_archive_arrives(index, lines, monkeypatch):
    monkeypatch.setattr("pooch.HTTPDownloader.__call__", raise_no_space)
    expect_failure(lines, "is full")


def test_a_folder_that_cannot_be_written(index, lines, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file where a folder should be")
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "file" / "cache"))
    expect_failure(lines, "cannot be written", "COURSE_DATA")


def test_a_file_in_the_cache_that_cannot_be_read(index, lines):
    file = registry.cache_folder() / "sample" / "a.txt"
    file.mkdir(parents=True)
    expect_failure(lines, "cannot be read", str(file))


def test_an_interrupted_download(index, lines):
    class Interrupted:
        def update(self, count):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archives.fetch("sample", progress=Interrupted(), report=lines.append)
    assert snapshot() == {}
    fetch(lines)
    assert snapshot() == COMPLETE


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(DataError, match=r"no data set 'movie_review'. Did you mean 'movie-reviews'"):
        datasets.fetch("movie_review")


FETCH_AND_PRINT = """
import pathlib, sys
from utils import archives, registry
registry.REGISTRY = pathlib.Path(sys.argv[1])
print(archives.fetch("sample"), flush=True)
"""


def test_of_two_processes_at_once_the_second_waits_and_finds_the_files(index, tmp_path):
    index.delay = 1.5
    command = [sys.executable, "-c", FETCH_AND_PRINT, str(tmp_path / "registry.toml")]
    first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not index.requested.is_set():  # the first holds the lock when it asks for the archive
        assert time.monotonic() < deadline, "the first process never asked for the archive"
        time.sleep(0.01)
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    printed, _ = first.communicate(timeout=60)
    assert first.returncode == second.returncode == 0
    assert printed.splitlines()[-1] == second.stdout.splitlines()[-1]
    assert "another process is fetching it" in second.stdout
    assert index.downloads == 1
    assert snapshot() == COMPLETE


# --- the registry ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", registry.read_registry())
def test_every_entry_of_the_registry_is_filled_in(name):
    dataset = registry.find_dataset(name)
    for field in ("title", "package", "version", "archive", "folder", "licence", "citation", "original"):
        assert getattr(dataset, field).strip(), f"{field} is empty"
    assert dataset.version in dataset.archive
    assert dataset.members
    for checksum in (dataset.sha256, *dataset.members.values()):
        assert re.fullmatch("[0-9a-f]{64}", checksum)
    for reader in dataset.used_by:
        assert (ROOT / reader).exists(), f"used_by names '{reader}', which is not there"


def join(numbers):
    return " and ".join([", ".join(numbers[:-1]), numbers[-1]]) if len(numbers) > 1 else "".join(numbers)


@pytest.mark.parametrize("name", registry.read_registry())
def test_the_card_says_the_same_of_who_uses_it(name):
    used = registry.find_dataset(name).used_by
    parts = []
    for kind, pattern in (("lecture", r"lectures/(\d+)"), ("problem set", r"solutions/ps(\d)")):
        numbers = sorted(match[1] for reader in used if (match := re.match(pattern, reader)))
        parts += [f"{kind}{'s' * (len(numbers) > 1)} {join(numbers)}"] * bool(numbers)
    line = "; ".join(parts)
    cards = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    card = cards.partition(f"\n## `{name}`\n")[2].split("\n## ")[0]
    assert f"**Used by.** {line[0].upper()}{line[1:]}." in card


@pytest.mark.parametrize("name", registry.read_registry())
def test_every_entry_has_a_data_card(name):
    cards = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    _, found, card = cards.partition(f"\n## `{name}`\n")
    assert found, f"data/README.md has no card '{name}'"
    card = card.split("\n## ")[0]
    for heading in ("What.", "Rows and columns.", "Language.", "Licence.", "Cite.", "Known problems.", "Used by."):
        assert f"**{heading}**" in card


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[sample", "not valid TOML"),
        ("[sample]\ntitle = 'x'\ncolour = 'red'", "unknown field colour"),
        ("[sample]\ntitle = 'x'", "lacks archive, bytes"),
        (None, "is missing"),
    ],
)
def test_a_registry_that_cannot_be_used_says_why(text, part, tmp_path, monkeypatch):
    if text is not None:
        (tmp_path / "registry.toml").write_text(text)
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    with pytest.raises(DataError, match=part):
        registry.read_registry()


@pytest.mark.parametrize(
    ("members", "part"),
    [({"c.txt": b""}, "does not hold 'inside/c.txt'"), ({"a.txt": b"else"}, "correct the registry")],
)
def test_a_registry_that_does_not_fit_its_archive_says_where(members, part, index, lines, tmp_path):
    write_registry(tmp_path / "wrong.toml", "sample-1.0.zip", index.files["sample-1.0.zip"], members)
    registry.REGISTRY = tmp_path / "wrong.toml"
    expect_failure(lines, part)


# --- splitting -------------------------------------------------------------------------------------------------------

LABELS = st.lists(st.integers(0, 4), min_size=2, max_size=200)


@given(labels=LABELS, share=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_a_split_is_disjoint_complete_and_proportional(labels, share, seed):
    count = min(max(int(share * len(labels)), 1), len(labels) - 1)
    train, held = datasets.stratified_split(labels, count, seed)
    assert sorted([*train, *held]) == list(range(len(labels)))
    assert len(held) == count
    for label in set(labels):
        expected = labels.count(label) * count / len(labels)
        assert abs(sum(labels[index] == label for index in held) - expected) < 1


@given(labels=LABELS, seed=st.integers(0, 2**32))
def test_a_split_repeats_with_its_seed(labels, seed):
    first, second = (datasets.stratified_split(labels, 1, seed) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_split_is_shuffled_and_takes_a_share_and_labels_of_any_type():
    labels = ["no"] * 500 + ["yes"] * 1500
    train, held = datasets.stratified_split(labels, 0.1, seed=1)
    assert (len(train), len(held)) == (1800, 200)
    assert sum(labels[index] == "yes" for index in held) == 150
    assert 10 < sum(labels[index] == "no" for index in held[:100]) < 40  # 25 expected: labels are mixed, not in blocks
    other, _ = datasets.stratified_split(labels, 0.1, seed=2)
    assert not np.array_equal(train, other)


@pytest.mark.parametrize("held_out", [0, 4, -1, 0.0, 1.0, 0.01])
def test_a_split_that_leaves_a_part_empty_is_refused(held_out):
    with pytest.raises(ValueError, match="of 4 examples, expected at least 1 and at most 3"):
        datasets.stratified_split([0, 0, 1, 1], held_out, seed=0)


def test_a_split_of_one_hot_labels_is_refused():
    with pytest.raises(ValueError, match=r"shape \(4, 2\), expected \(examples,\)"):
        datasets.stratified_split(np.eye(4, 2), 1, seed=0)


# --- the data itself, as the data cards have it ----------------------------------------------------------------------


def test_imdb_reviews():
    texts, labels = datasets.imdb_reviews()
    assert (len(texts), labels.shape) == (25_000, (25_000,))
    assert labels.tolist() == [0] * 12_500 + [1] * 12_500
    assert sum(map(len, texts)) == 33_126_741
    assert len(set(texts)) == 24_904
    assert sum("<br />" in text for text in texts) == 14_665
    assert sum(bool(re.search("[\x80-\x9f]", text)) for text in texts) == 811
    assert sum(len(text.split()) > 80 for text in texts) == 22_990


def test_movie_sentences():
    texts, labels = datasets.movie_sentences()
    assert labels.tolist() == [1] * 4_265 + [0] * 4_265
    assert len(texts) == len(set(texts)) == 8_530
    assert sum(map(len, texts)) == 972_178


def test_newspaper_articles():
    assert datasets.fetch("newspaper-articles").stat().st_size == 360_082
    articles = datasets.newspaper_articles()
    assert (len(articles), len(set(articles))) == (300, 293)
    assert sum(map(len, articles)) == 359_484
    assert len(set("".join(articles))) == 80
    assert "".join(articles).isascii()
    assert not any("\n" in article or article != article.strip() for article in articles)


def test_shakespeare_plays():
    plays = datasets.shakespeare_plays()
    assert len(plays) == 38
    assert sum(map(len, plays.values())) == 5_318_730
    assert plays["Hamlet"].startswith("# Hamlet\n\n## ACT I\n")
    assert plays["Measure for Measure"].startswith("## ACT I")
    genres = {genre: len(datasets.shakespeare_plays(genre)) for genre in datasets.GENRES}
    assert genres == {"comedies": 8, "histories": 11, "problems": 5, "roman": 4, "romances": 4, "tragedies": 6}


def test_what_is_said_in_each_play_is_most_of_it():
    for title, play in datasets.shakespeare_plays().items():
        said = speeches(play)
        assert 0.78 < len(said) / len(play) < 0.9, title
        assert not set("#*_\\[") & set(said), title
    said = speeches(datasets.shakespeare_plays("romances")["The Tempest"])  # one of its directions ends nowhere
    assert "Full fathom five thy father lies;" in said
    assert "Come unto these yellow sands" in said
    assert "invisible, playing and singing" not in said


def test_shakespeare_texts():
    names = datasets.shakespeare_names()
    folio = [name for name in names if name.endswith("_folio")]
    assert (len(names), len(folio)) == (77, 35)
    assert sum(len(datasets.shakespeare_text(name)) for name in folio) == 4_485_832
    assert "vnfold" in datasets.shakespeare_text("hamlet_folio")
    assert "unfold" in datasets.shakespeare_text("hamlet")
    poems = datasets.shakespeare_poems()
    assert {name: len(poem) for name, poem in poems.items()} == {
        "lovers_complaint": 14_388,
        "passionate_pilgrim": 8_505,
        "phoenix_and_the_turtle": 2_096,
        "rape_of_lucrece": 86_173,
        "sonnets": 95_728,
    }
    assert poems["sonnets"].startswith("THE SONNETS\nby William Shakespeare\n")


def test_no_text_carries_a_licence_or_old_line_ends():
    texts = [datasets.shakespeare_text(name) for name in datasets.shakespeare_names()]
    texts += [datasets.milton_text(name) for name in datasets.milton_names()]
    assert len(texts) == 84
    assert not any(re.search("gutenberg|\r|\ufeff|\x1a", text, re.IGNORECASE) for text in texts)


def test_milton():
    assert len(datasets.milton_names()) == 7
    assert sum(len(datasets.milton_text(name)) for name in datasets.milton_names()) == 1_403_187
    assert "Of Mans First Disobedience" in datasets.milton_text("paradise_lost")


def test_king_james_bible():
    verses = datasets.king_james_bible()
    assert (len(verses), len(set(verses))) == (31_102, 30_833)
    assert sum(map(len, verses)) == 4_106_727
    assert verses[0] == "In the beginning God created the heavens and the earth."
    assert verses[-1] == "The grace of our Lord Jesus Christ be with you all. Amen."
    assert not any(re.search(r"\d", verse) for verse in verses), "a verse number was left in"


def test_mnist_5k():
    images, labels = datasets.mnist_5k()
    assert (images.shape, images.dtype) == ((5_000, 28, 28), np.uint8)
    assert (images.min(), images.max()) == (0, 255)
    assert labels.tolist() == sorted(list(range(10)) * 500)
    assert len(np.unique(images, axis=0)) == 5_000


def test_movielens_100k():
    ratings, films = datasets.movielens_100k()
    assert ratings.shape == (100_000, 4)
    assert np.unique(ratings[:, 0]).size == 943
    assert set(ratings[:, 1].tolist()) == set(films) == set(range(1, 1_683))
    assert np.bincount(ratings[:, 2]).tolist() == [0, 6_110, 11_370, 27_145, 34_174, 21_201]
    assert films[1] == {"title": "Toy Story", "year": 1995, "genres": ["Animation", "Children's", "Comedy"]}
    assert [number for number, film in films.items() if film["year"] is None] == [267, 1412]


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: datasets.shakespeare_plays("tragedy"), "no genre 'tragedy'. Did you mean 'tragedies'"),
        (lambda: datasets.shakespeare_text("hamlett"), "no text 'hamlett'. Did you mean 'hamlet'"),
        (lambda: datasets.milton_text("paradiselost"), "no text 'paradiselost'. Did you mean 'paradise_lost'"),
    ],
)
def test_a_name_that_a_loader_does_not_know_suggests_the_nearest(call, part):
    with pytest.raises(DataError, match=re.escape(part)):
        call()


def test_a_database_in_a_folder_with_an_odd_name_loads(tmp_path, monkeypatch):
    source = datasets.fetch("king-james-bible")
    target = tmp_path / "odd #name, 100%" / "king-james-bible" / source.name
    target.parent.mkdir(parents=True)
    shutil.copyfile(source, target)
    monkeypatch.setenv("COURSE_DATA", str(target.parent.parent))
    assert len(datasets.king_james_bible()) == 31_102


def test_both_parts_of_a_split_are_in_random_order():
    labels = np.repeat([0, 1], 1000)
    splits = [datasets.stratified_split(labels, held_out=400, seed=seed) for seed in range(20)]
    shares = np.array([[labels[indices[:20]].mean() for indices in parts] for parts in splits])  # (seeds, parts)
    # 20 seeds of 20 labels each: a share of one half with a standard deviation of 0.025 over all, 0.11 for one seed
    assert abs(shares.mean(axis=0) - 0.5).max() < 0.1
    assert 0 < shares.min() < shares.max() < 1
