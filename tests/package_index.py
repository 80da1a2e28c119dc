"""A package index on this machine with one small package, whose faults a test can choose."""

import hashlib
import io
import tarfile
import threading
import time
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from utils import registry

# What the archive of the data set "sample" holds, and what the cache holds when it was fetched.
FILES = {"a.txt": b"first file\n" * 2000, "deep/b.txt": b"second file\n" * 3000}
COMPLETE = {f"sample/{name}": content for name, content in FILES.items()}


@contextmanager
def offer_sample(folder: Path, monkeypatch):
    """Offer `sample-1.0.zip` in a package index, with a registry that lists it alone and an empty cache in `folder`."""
    content = make_zip(FILES)
    write_registry(folder / "registry.toml", "sample-1.0.zip", content, FILES)
    monkeypatch.setattr(registry, "REGISTRY", folder / "registry.toml")
    monkeypatch.setenv("COURSE_DATA", str(folder / "cache"))
    with PackageIndex() as index:
        index.files["sample-1.0.zip"] = content
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.address)
        yield index


def make_zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"inside/{name}", content)
    return buffer.getvalue()


def make_tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"inside/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def write_registry(path: Path, archive: str, content: bytes, members: dict[str, bytes]) -> None:
    """Write a registry with the one entry "sample"."""
    checksums = "\n".join(f'"{name}" = "{hashlib.sha256(data).hexdigest()}"' for name, data in members.items())
    path.write_text(
        f"""
[sample]
title = "A sample"
package = "sample"
version = "1.0"
archive = "{archive}"
sha256 = "{hashlib.sha256(content).hexdigest()}"
bytes = {len(content)}
folder = "inside"
licence = "None"
citation = "None"
used_by = []
original = ""
[sample.members]
{checksums}
""",
        encoding="utf-8",
    )


def snapshot() -> dict[str, bytes]:
    """Every file in the cache with its content, but for the empty lock files."""
    files = (file for file in registry.cache_folder().rglob("*") if file.is_file() and file.suffix != ".lock")
    return {file.relative_to(registry.cache_folder()).as_posix(): file.read_bytes() for file in files}


class PackageIndex:
    """Serves `files` as archives of the package "sample" while the `with` block lasts.

    Attributes:
        files: archive's name -> content; None is listed and not there. Without any, the package is unknown.
        break_after: close the connection after that many bytes of an archive.
        delay: seconds before an archive is sent.
        requested: set as soon as an archive was asked for.
        downloads: how many times one was.
    """

    def __init__(self):
        self.files: dict[str, bytes | None] = {}
        self.break_after, self.delay, self.downloads = None, 0.0, 0
        self.requested = threading.Event()

    def __enter__(self):
        handler = type("Handler", (_Handler,), {"index": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/simple"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Take the index off the network."""
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    index: PackageIndex

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        if self.path == "/simple/sample/" and self.index.files:
            page = "".join(f'<a href="/files/{file}">{file}</a>' for file in self.index.files)
            self.answer(page.encode(), "text/html")
        elif self.path.startswith("/files/") and self.index.files.get(name) is not None:
            self.index.requested.set()
            self.index.downloads += 1
            time.sleep(self.index.delay)
            self.answer(self.index.files[name], "application/octet-stream", self.index.break_after)
        else:
            self.send_error(404)

    def answer(self, content: bytes, kind: str, break_after: int | None = None):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:break_after])

    def log_message(self, *_):
        """Say nothing in the tests' output."""
