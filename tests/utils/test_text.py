import pathlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from utils.text import read_text, speeches, windows

# Prints by how many bytes resident memory, without the pages of the file itself, grows when windows of a memory-mapped
# file are made and a batch from all over the file is taken.
MEASURE_WINDOWS = """
import sys
import numpy as np
from utils.text import windows

def resident():
    status = open("/proc/self/status").read()
    return 1024 * int(status.split("RssAnon:")[1].split()[0])

windows(np.arange(9), 2)[[0, 3]]
before = resident()
rows = windows(np.memmap(sys.argv[1], dtype="uint8"), 41)
inputs, targets = rows[:, :-1], rows[:, -1]
batch = inputs[:: len(inputs) // 32][:32]
assert batch.sum() == targets[:32].sum() == 0
print(len(rows), resident() - before)
"""


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 9))
def test_windows_are_slices_at_every_step(time, length, step):
    sequence = np.arange(time)
    if length > time:
        with pytest.raises(ValueError, match="does not fit"):
            windows(sequence, length, step)
        return
    view = windows(sequence, length, step)
    assert view.tolist() == [list(range(i, i + length)) for i in range(0, time - length + 1, step)]
    assert len(view) == (time - length) // step + 1
    assert np.shares_memory(view, sequence)


def test_windows_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        windows(np.arange(5), 2)[0, 0] = 1


def test_windows_keep_the_features_of_a_time_step():
    sequence = np.arange(30).reshape(10, 3)
    view = windows(sequence, length=4, step=2)
    assert view.shape == (4, 4, 3)
    assert np.array_equal(view[1], sequence[2:6])


def test_inputs_and_targets_taken_from_windows_are_views():
    ids = np.arange(100)
    rows = windows(ids, length=11)
    for targets in (rows[:, -1], rows[:, 1:]):
        assert np.shares_memory(rows[:, :-1], ids)
        assert np.shares_memory(targets, ids)
    assert rows[:, -1].tolist() == list(range(10, 100))
    assert np.array_equal(rows[:, :-1] + 1, rows[:, 1:])


def test_windows_of_a_memory_map_are_a_view_of_it(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"to be, or not to be")
    mapped = np.memmap(path, dtype="uint8", mode="r")
    view = windows(mapped, length=5, step=2)
    assert np.shares_memory(view, mapped)
    assert [row.tobytes() for row in view][:2] == [b"to be", b" be, "]


@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="reads resident memory from /proc")
def test_windows_of_a_large_file_take_no_more_memory_than_those_of_a_small_one(tmp_path):
    growth = {}
    for size in (2**20, 2**30):
        path = tmp_path / f"{size}.txt"
        with path.open("wb") as file:
            file.truncate(size)  # a sparse file: it takes no room on the disk
        command = [sys.executable, "-c", MEASURE_WINDOWS, str(path)]
        count, growth[size] = map(
            int, subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
        )
        assert count == size - 40
    assert growth[2**30] - growth[2**20] < 2**20


@given(st.text(alphabet=st.characters(exclude_categories=(), exclude_characters="\0"), min_size=1), st.integers(1, 9))
def test_windows_of_a_string_hold_its_characters(text, length):
    assume(length <= len(text))
    rows = ["".join(row) for row in windows(text, length)]
    assert rows == [text[i : i + length] for i in range(len(text) - length + 1)]


def test_windows_refuse_a_string_with_nul_instead_of_losing_it():
    with pytest.raises(ValueError, match="NUL at 1"):
        windows("a\0b", 2)


@pytest.mark.parametrize("sequence", [3, b"bytes", None])
def test_windows_refuse_what_has_no_time_steps(sequence):
    with pytest.raises(TypeError, match=f"got {type(sequence).__name__}"):
        windows(sequence, 1)


@pytest.mark.parametrize("sequence", ["", "ab", [], np.zeros((2, 5))])
def test_windows_refuse_a_sequence_shorter_than_one_window(sequence):
    with pytest.raises(ValueError, match=r"a window of 3 does not fit in a sequence of shape \(\d,"):
        windows(sequence, 3)


@pytest.mark.parametrize(("length", "step"), [(0, 1), (2, 0), (-1, 1)])
def test_windows_refuse_lengths_and_steps_below_one(length, step):
    with pytest.raises(ValueError, match="at least 1"):
        windows(np.arange(5), length, step)


@given(text=st.text(), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le"]))
def test_a_file_reads_as_the_text_that_was_written(tmp_path_factory, text, encoding):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(text.encode(encoding))
    assert read_text(path, encoding) == text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("Zoë".encode("utf-8-sig"))
    assert read_text(path) == "Zoë"


def test_all_line_ends_are_read_as_newlines(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"one\r\ntwo\rthree\nfour\n\r\n")
    assert read_text(str(path)) == "one\ntwo\nthree\nfour\n\n"


@given(before=st.text(max_size=60), after=st.text(max_size=20))
def test_an_error_names_the_byte_and_its_place(tmp_path_factory, before, after):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    content = before.encode()
    path.write_bytes(content + b"\xff" + after.encode())
    lines = before.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    expected = f"byte 0xff at offset {len(content)}, line {len(lines)}, column {len(lines[-1]) + 1}, "
    with pytest.raises(ValueError, match="is not utf-8 text: ") as caught:
        read_text(path)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (
            "Good.\nThe citizens of Zoë pay".encode("cp1252"),
            "utf-8",
            "text.txt is not utf-8 text: byte 0xeb at offset 24, line 2, column 19, after 'The citizens of Zo' "
            "(invalid continuation byte). In cp1252 it reads 'Good.\\nThe citizens of Zoë pay': "
            'if that is right, read_text(path, encoding="cp1252")',
        ),
        (
            "“Zoë”".encode(),
            "ascii",
            """In utf-8 it reads '“Zoë”': if that is right, read_text(path, encoding="utf-8")""",
        ),
        ("é€€€€€€€€€€€€€€€€".encode(), "ascii", "In utf-8 it reads 'é€€€€€€€€€'"),
        ("“Zoë”".encode(), "windows-1252", "In utf-8 it reads '“Zoë”'"),
        (
            "ë".encode("utf-8-sig")[:-1],
            "utf-8-sig",
            "byte 0xc3 at offset 3, line 1, column 1, at the beginning of the line",
        ),
        ("ë".encode("utf-8-sig")[:-1], "utf-8-sig", "The file ends in the middle of a character"),
        ("Zoë".encode("utf-16"), "utf-8", 'the byte order mark of utf-16: read_text(path, encoding="utf-16")'),
        ("Zoë".encode("utf-32"), "utf-8", 'the byte order mark of utf-32: read_text(path, encoding="utf-32")'),
        ("Zoë".encode("utf-8-sig"), "ascii", 'the byte order mark of utf-8: read_text(path, encoding="utf-8")'),
        ("Zoë".encode("utf-16")[:-1], "utf-16", "byte 0xeb at offset 6, line 1, column 3, after 'Zo'"),
        ("Zoë".encode("utf-16")[:-1], "utf-16", "or was it cut off?"),
        (b"\x89PNG\r\n\x1a\n\0\0", "utf-8", "bytes of value 0: is it no text"),
        ("“".encode() + b"\xff\x81", "utf-8", "offset 3, line 1, column 2"),
        ("abc€".encode()[:-1], "utf-8", "The file ends in the middle of a character: was it cut off?"),
        (b"\xff\x81", "utf-8", "Neither utf-8 nor cp1252 fits"),
    ],
)
def test_a_wrong_encoding_says_what_to_try(tmp_path, content, encoding, message):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"text\.txt is not") as caught:
        read_text(path, encoding)
    assert message in str(caught.value)


def test_an_unknown_encoding_is_named(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match=r"no text encoding is called 'utf-7\.5': try \"utf-8\""):
        read_text(path, "utf-7.5")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*missing\.txt: check its name"):
        read_text(tmp_path / "missing.txt")
    with pytest.raises(IsADirectoryError, match="is a folder: name a file in it"):
        read_text(tmp_path)


PLAY = """# The Lantern

## ACT I

### SCENE I. A harbour.

_Enter_ **MIRA** _and_ **TOLD**

**MIRA**
Is that the lantern? \\[_Aside_\\] It is not bright.
It never was.  

_Exit _\\[with the lantern_

**TOLD**
_He is left
alone_
Good night, then.

BOTH

O night!

\\[Reads
"""


def test_speeches_leave_out_what_nobody_says():
    expected = "Is that the lantern?  It is not bright.\nIt never was.\n\nGood night, then.\n\nO night!"
    assert speeches(PLAY) == expected


@given(st.text("ab *_[]\\\n"))
def test_speeches_have_no_marks_and_no_two_empty_lines(play):
    said = speeches(play)
    assert not set("*_\\[") & set(said)
    assert "\n\n\n" not in said
    assert " \n" not in said
    assert speeches(said) == said
