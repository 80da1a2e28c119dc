"""Archives and folders that eve hands in: to lead out of the course, to be taken for another's, to fill the disk.

Each attack is a function that packs; its name names it, its docstring explains it. Whatever it packs besides, `good`
hands in an honest notebook in the same source, and `victim` has handed one in before.
"""

import copy
import os
import pathlib
import socket
import stat
import zipfile
from collections.abc import Callable

NAME = "ps1_small"
FILE = f"{NAME}.ipynb"
FORGED = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "forged = 1"}]}'
SECRET = "the instructor's solution"  # stands in a file outside of what was handed in


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    """What an archive lists of a file, with a name that zipfile would mend, and a kind."""
    info = zipfile.ZipInfo("placeholder", (2026, 3, 1, 12, 0, 0))
    info.filename, info.create_system, info.external_attr = name, 3, mode << 16
    return info


def put(archive: zipfile.ZipFile, *names: str, data: bytes = FORGED) -> None:
    for name in names:
        archive.writestr(entry(name), data)


# --- out of the folder ----------------------------------------------------------------------------------------------


def parent_folders(archive: zipfile.ZipFile) -> None:
    """Zip slip: `..` leads up, in front, in the middle, behind, often."""
    put(archive, f"../{FILE}", f"eve/../../{FILE}", f"eve/x/../../../victim/{FILE}", f"{'../' * 40}tmp/{FILE}")
    put(archive, f"eve/..../{FILE}", f"eve/.. /{FILE}", f"eve/./../{FILE}", "eve/..", "..")


def backslashes(archive: zipfile.ZipFile) -> None:
    """Backslashes separate on one system and belong to the name on another."""
    put(archive, f"..\\{FILE}", f"eve\\..\\..\\{FILE}", f"eve/..\\..\\victim\\{FILE}", f"\\\\server\\share\\{FILE}")


def absolute_paths(archive: zipfile.ZipFile) -> None:
    """Absolute paths point at the system, and at the course itself."""
    put(archive, f"/etc/{FILE}", f"//etc/{FILE}", f"C:/Windows/{FILE}", f"c:{FILE}", f"\\Windows\\{FILE}")
    put(archive, f"{pathlib.Path.cwd()}/solutions/{NAME}/{FILE}", f"~/{FILE}", f"~root/{FILE}", f"$HOME/{FILE}")


def link_entries(archive: zipfile.ZipFile) -> None:
    """An entry is a link to the outside, and the next one is written through it."""
    archive.writestr(entry("eve/out", stat.S_IFLNK | 0o777), b"/tmp")
    put(archive, f"eve/out/{FILE}")
    archive.writestr(entry(f"eve/{FILE}", stat.S_IFLNK | 0o777), f"../../../solutions/{NAME}/{FILE}".encode())


def device_entries(archive: zipfile.ZipFile) -> None:
    """Entries say that they are devices, pipes, sockets, or programs that run as root."""
    for number, kind in enumerate((stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR)):
        archive.writestr(entry(f"eve/{number}.ipynb", kind | 0o666), FORGED)
    archive.writestr(entry("eve/program", stat.S_IFREG | 0o6777), b"#!/bin/sh\n")


# --- another's name -------------------------------------------------------------------------------------------------


def names_like_the_victims(archive: zipfile.ZipFile) -> None:
    """Folders whose names look like victim's, or are the same to some file system."""
    alike = ["Victim", "VICTIM", "victim ", " victim", "victim.", "victim\u200b", "victim\u0301", "vi\u0441tim"]
    alike += ["\uff56ictim", "vict\u0131m", "victim\u202e", "victim\ufe0f", "./victim.", "victim\t", "v\u00adictim"]
    put(archive, *(f"{name}/{FILE}" for name in alike))


def null_in_a_name(archive: zipfile.ZipFile) -> None:
    """A null ends the name for one program and not for another."""
    put(archive, f"eve/{FILE}\0.txt", f"victim\0/{FILE}", f"eve\0/../../{FILE}", "\0")


def two_names(archive: zipfile.ZipFile) -> None:
    """The archive's list calls a file by another name than the file itself does."""
    put(archive, f"eve/{FILE}", f"eve/second-{FILE}")
    archive.filelist[-1].filename = f"eva/{FILE}"
    archive.filelist[-2].filename = f"../../{FILE}"


def names_of_platforms(archive: zipfile.ZipFile) -> None:
    """Files named as Canvas, Moodle and Blackboard name victim's."""
    put(archive, f"eve/victim_11_assignsubmission_file_/{FILE}", f"eve/victim_1_2_{FILE}")
    put(archive, f"eve_12_assignsubmission_file_victim_11_assignsubmission_file_{FILE}", f"eve_7_8_victim_1_2_{FILE}")
    put(archive, f"x_eve_attempt_2026-01-01-00-00-00_x_victim_attempt_2026-01-01-00-00-00_{FILE}")
    put(archive, "x_eve_attempt_2026-01-01-00-00-00_x_attempt_2026-01-01-00-00-00.txt", data=b"Name: V (victim)")


def names_of_the_courses_own_files(archive: zipfile.ZipFile) -> None:
    """Files that taking in writes itself: the description of a hand-in, its lock, its time, what is not complete."""
    description = b'{"hand_in": {"student": "victim"}, "notebook": "../../victim"}'
    put(archive, "eve/hand-in.json", "eve/HAND-IN.JSON", "hand-in.json/hand-in.json", data=description)
    put(archive, f"eve/{FILE}", f".part-1/{FILE}", f".lock/{FILE}", f"eve/.part-2/{FILE}", f"hand_ins/{FILE}")
    put(archive, f"eve/{NAME}/timestamp.txt", "eve/timestamp.txt", data=b"9999-12-31 23:59:59 UTC")


# --- names that do not go together ----------------------------------------------------------------------------------


def the_same_name_twice(archive: zipfile.ZipFile) -> None:
    """One name, two contents: one program grades the first, another the last."""
    put(archive, f"eve/{FILE}")
    put(archive, f"eve/{FILE}", data=FORGED.replace(b"1", b"2"))


def names_that_clash(archive: zipfile.ZipFile) -> None:
    """Names that differ in case or in how an accent is written, and a file where another needs a folder."""
    put(archive, f"eve/{FILE}", f"eve/{FILE.upper()}", f"EVE/{FILE}", "eve/é.txt", "eve/e\u0301.txt")
    put(archive, f"eve/{FILE}/inside.ipynb", "eve/a", "eve/a/b", "eve/A/b/c")


def device_names(archive: zipfile.ZipFile) -> None:
    """Names that Windows keeps for devices, and streams behind a file's name."""
    put(archive, f"con/{FILE}", f"AUX/{FILE}", f"nul.x/{FILE}", "eve/com1.ipynb", "eve/LPT\u00b9.ipynb")
    put(archive, f"eve/{FILE}:stream", f"eve/{FILE}::$DATA", f"CONIN$/{FILE}")


def patterns_and_commands(archive: zipfile.ZipFile) -> None:
    """Names that a shell, a search or a spreadsheet would read as more than a name."""
    put(archive, f"*/{FILE}", f"[a-z]*/{FILE}", f"$(id)/{FILE}", f"`id`/{FILE}", f"-rf/{FILE}", f"=1+1/{FILE}")
    put(archive, f"v'; drop table student;--/{FILE}", f"{{0.__class__}}/{FILE}", f"%s%n/{FILE}", f"[red]x[/]/{FILE}")


def escapes_for_the_terminal(archive: zipfile.ZipFile) -> None:
    """Names that clear the instructor's screen, or write from right to left."""
    put(archive, f"\x1b[2J\x1b]0;x\x07/{FILE}", "eve/\x1b[31m.ipynb", "eve/\u202ebnypi.ipynb", f"a\r\nb/{FILE}")


def endless_names(archive: zipfile.ZipFile) -> None:
    """Names as long as an archive can hold, and such that a careless pattern tries them for hours."""
    put(archive, f"eve/{'x' * 60_000}.ipynb", f"{'y' * 60_000}/{FILE}", f"eve/{'a/' * 20_000}{FILE}")
    put(archive, "a" + "_1" * 30_000 + "\n", "a_attempt_" * 6_000 + "\n", "_1_assignsubmission_file_" * 2_400 + "\n")


# --- what an archive says of itself ---------------------------------------------------------------------------------


def encrypted(archive: zipfile.ZipFile) -> None:
    """A file that asks for a password."""
    put(archive, f"eve/{FILE}")
    archive.filelist[-1].flag_bits |= 1


def unknown_method(archive: zipfile.ZipFile) -> None:
    """A file that is packed in a way that nobody knows."""
    put(archive, f"eve/{FILE}")
    archive.filelist[-1].compress_type = 97


def wrong_sizes(archive: zipfile.ZipFile) -> None:
    """A file says that it is smaller, or larger, than it unpacks to."""
    put(archive, f"eve/{FILE}", "eve/second.ipynb")
    archive.filelist[-1].file_size, archive.filelist[-2].file_size = 10, 2**40


def impossible_dates(archive: zipfile.ZipFile) -> None:
    """Months and hours that no calendar has, and a year long past."""
    for number, moment in enumerate(((2026, 0, 0, 31, 63, 62), (2107, 15, 31, 24, 0, 0), (1980, 1, 1, 0, 0, 0))):
        info = entry(f"eve/{number}.ipynb")
        info.date_time = moment
        archive.writestr(info, FORGED)


def zip_bomb(archive: zipfile.ZipFile) -> None:
    """Files of a few thousand bytes unpack to many millions, packed in each way."""
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        archive.writestr(entry(f"eve/{kind}.ipynb"), bytes(5_000_000), kind)


def many_small_bombs(archive: zipfile.ZipFile) -> None:
    """No file is too large, but together they would use up what the whole class may hand in."""
    for number in range(20):
        archive.writestr(entry(f"eve/{number}.txt"), bytes(900_000), zipfile.ZIP_DEFLATED)


def overlapping_entries(archive: zipfile.ZipFile) -> None:
    """The archive lists one and the same large file a thousand times."""
    archive.writestr(entry(f"eve/{FILE}"), bytes(900_000), zipfile.ZIP_DEFLATED)
    archive.filelist += [copy.copy(archive.filelist[-1]) for _ in range(1_000)]


def archives_in_archives(archive: zipfile.ZipFile) -> None:
    """An archive called a notebook, with an archive in it."""
    put(archive, f"eve/{FILE}", data=b"PK\x03\x04" + bytes(1_000))


def too_many_files(archive: zipfile.ZipFile) -> None:
    """More files than anybody hands in."""
    put(archive, *(f"eve/{number}.txt" for number in range(1_000)), data=b"")


# --- folders, as a version control system or another archive program leaves them -----------------------------------


def links(folder: pathlib.Path) -> None:
    """Links to the solution, in the place of the notebook, of a folder, of the student, over others and to nowhere."""
    outside = folder.parent / "outside"
    for name in ("eve", "eva", "evi", "evo", "evu"):
        (folder / name).mkdir()
    (folder / "eve" / FILE).symlink_to(outside / FILE)
    (folder / "eva" / NAME).symlink_to(outside)
    (folder / "evi" / "first").symlink_to(outside / FILE)
    (folder / "evi" / FILE).symlink_to("first")
    (folder / "evo" / FILE).symlink_to(FILE)  # to itself
    (folder / "evu" / FILE).symlink_to("nowhere")
    (folder / "eyve").symlink_to(outside)


def no_files(folder: pathlib.Path) -> None:
    """Pipes and sockets that whoever opens them waits for, and a folder called a notebook."""
    (folder / "eve" / FILE).mkdir(parents=True)
    os.mkfifo(folder / "eve" / "pipe.ipynb")
    here = pathlib.Path.cwd()
    os.chdir(folder / "eve")  # the name of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.ipynb")
    finally:
        os.chdir(here)


def names_without_letters(folder: pathlib.Path) -> None:
    """Names that are no text, that hold line ends, or that end in what other systems drop."""
    for name in (b"\xff\xfe", b"a\nb", b" ", b"...", b"eve.", b"\xe2\x80\xae"):
        os.makedirs(os.path.join(os.fsencode(folder), name))
        with open(os.path.join(os.fsencode(folder), name, FILE.encode()), "wb") as file:
            file.write(FORGED)


def deep_folders(folder: pathlib.Path) -> None:
    """A notebook at the bottom of a hundred folders."""
    below = folder / "eve" / "/".join("d" * 100)
    below.mkdir(parents=True)
    (below / FILE).write_bytes(FORGED)


def a_folder_full_of_packages(folder: pathlib.Path) -> None:
    """A student's own environment, with more files than the whole class may hand in."""
    packages = folder / "eve" / ".venv"
    packages.mkdir(parents=True)
    for number in range(600):
        (packages / f"{number}.py").touch()


ARCHIVES: tuple[Callable[[zipfile.ZipFile], None], ...] = (
    parent_folders,
    backslashes,
    absolute_paths,
    link_entries,
    device_entries,
    names_like_the_victims,
    null_in_a_name,
    two_names,
    names_of_platforms,
    names_of_the_courses_own_files,
    the_same_name_twice,
    names_that_clash,
    device_names,
    patterns_and_commands,
    escapes_for_the_terminal,
    endless_names,
    encrypted,
    unknown_method,
    wrong_sizes,
    impossible_dates,
    zip_bomb,
    many_small_bombs,
    overlapping_entries,
    archives_in_archives,
    too_many_files,
)
FOLDERS: tuple[Callable[[pathlib.Path], None], ...] = (
    links,
    no_files,
    names_without_letters,
    deep_folders,
    a_folder_full_of_packages,
)
