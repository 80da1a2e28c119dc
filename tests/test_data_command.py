"""`course data` and `course data --check`: what they print, and when they use the network."""

import io

import pytest
from package_index import COMPLETE, FILES, offer_sample, snapshot
from rich.console import Console

from course import data
from utils import registry
from utils.datasets import DataError


@pytest.fixture
def index(tmp_path, monkeypatch):
    with offer_sample(tmp_path, monkeypatch) as index:
        yield index


def make_console(terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=200, color_system=None)


def printed(console: Console) -> str:
    return console.file.getvalue()


def test_fetch_all_prints_a_line_for_each_data_set_and_where_they_are(index):
    console = make_console()
    data.fetch_all([], console)
    assert snapshot() == COMPLETE
    assert printed(console).splitlines() == [
        "[1/1] sample: downloading 0.1 MB",
        f"Data in order: 0.1 MB in {registry.cache_folder()}",
    ]


def test_fetch_all_shows_a_progress_bar_on_a_terminal(index):
    console = make_console(terminal=True)
    data.fetch_all(["sample"], console)
    size = f"{registry.find_dataset('sample').bytes / 1e3:.1f}"
    assert f"{size}/{size} kB" in printed(console)
    assert "━" in printed(console)


def test_fetch_all_is_one_line_without_network_where_all_is_there(index):
    data.fetch_all([], make_console())
    index.close()
    console = make_console(terminal=True)
    data.fetch_all([], console)
    assert printed(console).startswith("Data in order: 0.1 MB")
    assert printed(console).count("\n") == 1


def test_fetch_all_mends_what_the_check_found(index):
    data.fetch_all([], make_console())
    (registry.cache_folder() / "sample" / "a.txt").write_text("mine")
    console = make_console()
    data.fetch_all([], console)
    assert "'a.txt' was altered since it was fetched" in printed(console)
    assert snapshot() == COMPLETE


def test_an_interrupted_fetch_says_that_complete_data_sets_are_kept(index, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "fetch", interrupt)
    console = make_console()
    with pytest.raises(KeyboardInterrupt):
        data.fetch_all([], console)
    assert "Complete data sets are kept" in printed(console)


@pytest.mark.parametrize("command", [data.fetch_all, data.check_all])
def test_an_unknown_name_suggests_the_nearest(command, index):
    with pytest.raises(DataError, match="Did you mean 'sample'"):
        command(["smaple"], make_console())


@pytest.mark.parametrize(
    ("damage", "state", "size"),
    [
        ({}, "in order", sum(map(len, FILES.values()))),
        ({"a.txt": b"mine"}, "1 altered of 2 files", len(FILES["deep/b.txt"]) + 4),
        ({"a.txt": b"mine", "deep/b.txt": None}, "1 altered, 1 missing of 2 files", 4),
        ({"a.txt": None, "deep/b.txt": None}, "missing", 0),
    ],
)
def test_check_all_reports_and_leaves_everything_as_it_is(damage, state, size, index):
    data.fetch_all([], make_console())
    index.close()
    for name, content in damage.items():
        file = registry.cache_folder() / "sample" / name
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
    before = snapshot()
    console = make_console()
    assert data.check_all([], console) is (not damage)
    row = next(line for line in printed(console).splitlines() if "sample" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["sample", state, f"{size:,}"]
    assert ("course data" in printed(console)) is bool(damage)
    assert snapshot() == before
