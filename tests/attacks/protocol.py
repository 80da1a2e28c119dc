"""A process that takes the socket to the judge into its own hands."""

from attack import Attack, attack, lie

SOCKET = """
import json, os, socket, struct, threading, time

judge = socket.socket(fileno=3)

def frame(message, blobs=b"", magic=b"crs1", length=None, text_length=None):
    text = message if isinstance(message, bytes) else json.dumps({"blobs": [], **message}).encode()
    body = struct.pack(">I", len(text) if text_length is None else text_length) + text + blobs
    return magic + struct.pack(">Q", len(body) if length is None else length) + body

def read():
    def exactly(count):
        content = b""
        while len(content) < count:
            content += judge.recv(count - len(content))
        return content
    return exactly(struct.unpack(">Q", exactly(12)[4:])[0])
"""


def talk(why: str, source: str, ends: set[str] | None = None) -> Attack:
    """In the cell: the judge's grader waits for the answer to "run"."""
    return attack(why, SOCKET + source, ends=ends or {"failed", "error", "crash", "timeout", "memory", "not run"})


def answer(why: str, source: str, ends: set[str] | None = None) -> Attack:
    """In a check: each call is answered by a frame of the student's own making."""
    ends = ends or {"failed", "error", "crash", "timeout", "memory", "not run"}
    return lie(why, "reply()", f"{SOCKET}\ndef reply():\n    {source}", ends=ends)


ATTACKS: dict[str, Attack] = {
    "answers_before_the_question": talk(
        "A thousand answers wait for the judge when it asks. Each is only what a function would have returned.",
        """
passed = {"value": {"d": [["outcome", "passed"], ["clean", True], ["error", None]]}}
for _ in range(1000):
    judge.send(frame(passed), socket.MSG_DONTWAIT)
""",
    ),
    "answers_that_are_true": talk(
        "All questions from now on are answered with True, as fast as the socket takes them.",
        """
def flood():
    while True:
        judge.sendall(frame({"value": True}))

threading.Thread(target=flood).start()
""",
    ),
    "wrong_lengths": talk(
        "A frame that says to be shorter than it is.", "judge.sendall(frame({'value': 1}, length=5))"
    ),
    "wrong_text_length": talk(
        "JSON that says to be longer than its frame.", "judge.sendall(frame({'value': 1}, text_length=2**32 - 1))"
    ),
    "huge_length": talk("A frame of 2**63 bytes is announced.", "judge.sendall(frame({'value': 1}, length=2**63))"),
    "frame_that_fills_memory": talk(
        "A hundred megabytes of brackets, which would be gigabytes of lists in the grader itself.",
        "judge.sendall(frame(b'{\"blobs\": [], \"value\": [' + b'[],' * 30_000_000 + b'0]}'))",
    ),
    "frame_that_fills_the_check": answer(
        "The same while a check waits.",
        "judge.sendall(frame(b'{\"blobs\": [], \"value\": [' + b'[],' * 30_000_000 + b'0]}'))",
    ),
    "deep_json": answer("Brackets that nest too deeply for any parser.", "judge.sendall(frame(b'[' * 10_000_000))"),
    "one_byte_at_a_time": talk(
        "An answer that comes slowly, always just before the time for one step is over.",
        """
for byte in frame({"value": "x" * 10_000}):
    judge.sendall(bytes([byte]))
    try:
        time.sleep(0.05)
    except BaseException:
        pass
""",
    ),
    "garbage_on_all_descriptors": talk(
        "Random bytes on every descriptor that is open.",
        """
for number in range(512):
    try:
        os.write(number, os.urandom(10_000))
    except OSError:
        pass
""",
    ),
    "closes_all_descriptors": talk("Every descriptor is closed.", "os.closerange(0, 4096)"),
    "questions_without_end": talk(
        "While the grader waits for a cell to end, it is asked one question after the other.",
        """
for _ in range(10**9):
    judge.sendall(frame({"do": "call", "with": {"l": [0, {"l": []}, {"d": []}]}}))
    read()
""",
    ),
    "questions_inside_questions": answer(
        "In each answer to a question there is another question, so that the judge calls itself ever deeper.",
        """
    while True:
        judge.sendall(frame({"do": "call", "with": {"l": [{"o": [0, False, "function"]}, {"l": []}, {"d": []}]}}))
        read()
""".strip(),
    ),
    "what_nobody_may_ask": answer(
        "Attributes of the judge's objects, its globals among them, and operations that only a student's process has.",
        """
    for operation in ("get", "set", "run", "names", "text", "seed", "begin", "__class__", "handlers", "", None):
        judge.sendall(frame({"do": operation, "with": {"l": [{"o": [0, False, "object"]}, "__globals__"]}}))
        if b'"error"' not in read():
            os._exit(7)
    judge.sendall(frame({"value": True}))
""".strip(),
    ),
    "objects_that_were_never_lent": answer(
        "References to numbers that the judge has given to nobody.",
        """
    for number in (-1, 0, 10**6, 10**30, True, None, "0"):
        judge.sendall(frame({"do": "call", "with": {"l": [{"o": [number, False, "function"]}, {"l": []}, {"d": []}]}}))
        read()
""".strip(),
    ),
    "an_object_as_result_of_a_cell": talk(
        "What is told of a cell is an object, so that to show it would be to ask for it.",
        """
part = {"o": [0, True, "function"]}
judge.sendall(frame({"value": {"d": [["error", part], ["message", part], ["seconds", {"f": "nan"}]]}}))
""",
    ),
    "an_array_as_result_of_a_cell": talk(
        "What is told of a cell is an array, which is neither true nor false.",
        """
part = {"a": ["|u1", [2], 0, True]}
judge.sendall(frame({"blobs": [2], "value": {"d": [["error", part], ["message", part]]}}, b"12"))
""",
    ),
    "strange_errors": answer(
        "Errors that end the judge, or that are no errors.",
        """
    kinds = [5, [], None, {}, [[], ""], [["StudentGone"], ""], [["SystemExit", "KeyboardInterrupt"], ""], [[None], 0],
             [["MemoryError"], ""], [["RecursionError"], ""], [["ExceptionGroup"], ""], [["print"], ""], [["type"], ""]]
    judge.sendall(frame({"error": kinds[int(time.time() * 1000) % len(kinds)]}))
""".strip(),
    ),
    "strange_arrays": answer(
        "Arrays without a size, with a size of their own, of a kind that holds objects, and booleans of other bytes.",
        """
    kinds = [["<U0", [2**28, 2**20], 0, True], ["<f8", [2**28, 0, 2**28], 0, True], ["|O", [2], 0, True],
             ["<f8", [-1], 0, True], ["|b1", [2], 0, True], ["<f8", [10**9], 0, True], ["<U1", [], 0, True], [], 7]
    kind = kinds[int(time.time() * 1000) % len(kinds)]
    judge.sendall(frame({"blobs": [2], "value": {"a": kind}}, b"\\x02\\x07"))
""".strip(),
    ),
    "descriptors_over_the_socket": talk(
        "Open files are sent along with an answer; who does not ask for them does not get them.",
        """
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(100)]
socket.send_fds(judge, [frame({"value": {"d": []}})], files)
""",
    ),
    "reads_nothing": talk(
        "The process never reads again, so that the judge's own sending would wait.",
        """
judge.sendall(frame({"value": {"d": []}}))
while True:
    try:
        time.sleep(100)
    except BaseException:
        pass
""",
    ),
    "keys_that_collide": answer(
        "A dictionary whose keys all have the same hash.",
        """
    keys = [[number * (2**61 - 1), 0] for number in range(1, 40_000)]
    judge.sendall(frame({"value": {"d": keys}}))
""".strip(),
    ),
    "lone_surrogates": talk(
        "Text that no file can hold, as the name and the message of an error.",
        """
judge.sendall(frame({"value": {"d": [["error", "\\ud800" * 40], ["message", "\\udfff\\x00\\x1b[2J" * 100]]}}))
""",
    ),
    "orphan_keeps_the_socket": talk(
        "The process ends, and a child of it keeps the socket open and is silent.",
        """
if os.fork() == 0:
    time.sleep(1000)
os._exit(0)
""",
    ),
}
