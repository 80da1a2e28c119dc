"""What the command `course data` does: fetch the data sets with a progress bar, or verify what is there."""

from collections.abc import Iterable

from rich import progress, table
from rich.console import Console

from utils.archives import fetch
from utils.registry import Dataset, cache_folder, find_dataset, read_registry


def fetch_all(names: Iterable[str], console: Console) -> None:
    """Fetch data sets; those in order already are left alone, and where all are, the network is not used.

    Args:
        names: keys of `data/registry.toml`; all of them where empty.
        console: gets a progress bar where it is a terminal, a line for each data set elsewhere, and a last line that
            says where the data is and how large it is.

    Raises:
        DataError: a name is unknown, or a data set cannot be had. Those fetched before it are kept.
    """
    datasets = _choose(names)
    waiting = [dataset for dataset in datasets if dataset.faults()]
    if waiting:
        try:
            _fetch_with_progress(waiting, console)
        except KeyboardInterrupt:
            _say(console, "Stopped. Complete data sets are kept; the same command fetches the others.")
            raise
    size = sum(map(_size, datasets))
    _say(console, f"Data in order: {size / 1e6:.1f} MB in {cache_folder()}")


def check_all(names: Iterable[str], console: Console) -> bool:
    """Verify data sets by their sha256, print a table of name, state and bytes, and say whether all are in order.

    Args:
        names: keys of `data/registry.toml`; all of them where empty.
        console: gets the table.

    Raises:
        DataError: a name is unknown, or a file cannot be read.
    """
    datasets = _choose(names)
    faults = {dataset.name: dataset.faults() for dataset in datasets}
    grid = table.Table("data set", "state", table.Column("bytes", justify="right"))
    for dataset in datasets:
        state = _describe(dataset, faults[dataset.name])
        grid.add_row(dataset.name, state, f"{_size(dataset):,}", style="red" if faults[dataset.name] else None)
    console.print(grid)
    good = not any(faults.values())
    _say(console, f"Data in {cache_folder()}" + ("" if good else ": fetch what is missing or altered: course data"))
    return good


def _choose(names: Iterable[str]) -> list[Dataset]:
    return [find_dataset(name) for name in names] or list(read_registry().values())


def _describe(dataset: Dataset, faults: dict[str, str]) -> str:
    """One state for a data set: "missing" where nothing is there, else how many of its files are wrong and how."""
    states = sorted(faults.values())
    if not states:
        return "in order"
    if len(states) == len(dataset.members) and len(set(states)) == 1:
        return states[0]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    return f"{counts} of {len(dataset.members)} files"


def _size(dataset: Dataset) -> int:
    """Bytes that the files of a data set take in the cache."""
    files = (dataset.file(member) for member in dataset.members)
    return sum(file.stat().st_size for file in files if file.is_file())


def _say(console: Console, line: str) -> None:
    # Without markup: a path may hold square brackets.
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _fetch_with_progress(datasets: list[Dataset], console: Console) -> None:
    if not console.is_terminal:
        for number, dataset in enumerate(datasets, start=1):
            fetch(dataset.name, report=lambda line, number=number: _say(console, f"[{number}/{len(datasets)}] {line}"))
        return
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console) as bars:
        overall = bars.add_task("all", total=sum(dataset.bytes for dataset in datasets))
        for dataset in datasets:
            bar = _Bar(bars, overall, dataset)
            fetch(dataset.name, progress=bar, report=lambda line: _say(bars.console, line))
            bar.complete()


class _Bar:
    """pooch's protocol for progress bars, on one line for a data set and one for all of them."""

    def __init__(self, bars: progress.Progress, overall: progress.TaskID, dataset: Dataset):
        self.bars, self.overall = bars, overall
        self.task = bars.add_task(dataset.name, total=dataset.bytes)
        # pooch sets `total` from what the server says; what the registry says is known before and always right.
        self.total = self.size = dataset.bytes
        self.done = 0

    def update(self, count: int) -> None:
        # pooch reports whole chunks, so that the last one would go beyond the end.
        count = min(count, self.size - self.done)
        self.done += count
        self.bars.advance(self.task, count)
        self.bars.advance(self.overall, count)

    def complete(self) -> None:
        self.update(self.size)

    def reset(self) -> None:
        """pooch fills the bar again from its start when a download is complete: `update` counts nothing twice."""

    def close(self) -> None:
        """The bar stays on the screen until all data sets are there."""
