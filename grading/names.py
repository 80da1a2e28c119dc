"""Names of files and students that mean the same on every system and cannot lead elsewhere."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)
_MAX_PART = 100  # bytes of a name of one file or folder


def safe_part(name: str) -> str:
    """A name for a file or folder that means the same on every system and cannot lead elsewhere."""
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    shown = "".join(
        "_" if character in '<>:"/\\|?*' or unicodedata.category(character)[0] == "C" else character
        for character in name
    ).strip(" .")
    if name.lstrip(" ").startswith(".") or _RESERVED.fullmatch(shown) or not shown:
        shown = f"_{shown}"
    while len(shown.encode()) > _MAX_PART:  # the ending says what kind of file it is
        stem, dot, ending = shown.rpartition(".")
        shown = f"{stem[:-1]}{dot}{ending}" if stem and len(ending) < 12 else shown[:-1]
    return shown.rstrip(" .")


def same_on_disk(name: str) -> str:
    """What two names have in common that some file system takes for the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def safe_student(name: str) -> str:
    """A student's name for folders and the gradebook: letters of ASCII, digits and . _ @ - only.

    A name of these stays as it is. Spaces become hyphens and accents go; where more is lost, or the name is a reserved
    one, a ~ and a part of its hash keep different students apart.
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8")).strip()
    without_accents = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    kept = re.sub(r"[^A-Za-z0-9._@-]+", "-", re.sub(r",? +", "-", without_accents)).strip("-.")[:60].rstrip("-.")
    is_lossy = not re.fullmatch(r"[A-Za-z0-9._@ ,'-]+", without_accents) or len(without_accents) > 60
    if is_lossy or not kept or name[0] in ".-_" or _RESERVED.fullmatch(kept):
        kept = f"student-{kept}" if _RESERVED.fullmatch(kept) else kept or "student"
        return f"{kept}~{hashlib.sha256(name.encode()).hexdigest()[:10]}"
    return kept


def free_name(rest: Sequence[str], taken: set[str]) -> str:
    """A path below a folder that no other file has, not even to a system that ignores case.

    Args:
        rest: the path's parts, as handed in.
        taken: what other files have, as same_on_disk gives it; the new path is added.
    """
    *folders, name = map(safe_part, rest)
    stem, dot, ending = name.rpartition(".")
    number, wanted = 1, "/".join([*folders, name])
    while _clashes(same_on_disk(wanted), taken):
        number += 1
        above = [f"{folders[0]}-{number}", *folders[1:]] if folders else []
        wanted = "/".join([*above, f"{stem}-{number}.{ending}" if dot else f"{name}-{number}"])
    taken.add(same_on_disk(wanted))
    return wanted


def _clashes(wanted: str, taken: set[str]) -> bool:
    """Whether a file has the path already, or is where it needs a folder, or the other way round."""
    parts = wanted.split("/")
    above = {"/".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return bool(above & taken) or any(known.startswith(f"{wanted}/") for known in taken)
