"""The site, built once and served on this machine."""

import functools
import http.server
import pathlib
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "site" / "extensions"))
PATIENCE = 120_000  # milliseconds for a step: a busy machine must not make a test fail


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, as with any real server

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site, built as `make site` builds it, beside the one that you may be looking at."""
    pytest.importorskip("sphinx", reason="the site's packages are not installed: make setup")
    folder = tmp_path_factory.mktemp("site") / "built"
    command = [sys.executable, ROOT / "site" / "build.py", "--output", folder]
    built = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "html"


def serve(folder):
    """Serve a folder on a free port until the generator is closed; yields the address."""
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def address(site):
    yield from serve(site)


@pytest.fixture
def open_page(chromium, address):
    """A function that opens a page of the site; `page.complaints` lists what went wrong in it."""
    contexts = []

    def open_(path, width=1400, height=900, scheme="light", **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.complaints = watch(page, address)
        page.goto(f"{address}/{path}", wait_until="load")
        return page

    yield open_
    for context in contexts:
        context.close()


def watch(page, address):
    """A list to which the page's errors, failed requests and requests to other hosts are added as they happen."""
    complaints = []
    page.on("console", lambda message: message.type == "error" and complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    gone = "net::ERR_ABORTED"  # the reader went on to another page
    page.on("requestfailed", lambda request: request.failure == gone or complaints.append(f"failed: {request.url}"))
    page.on("response", lambda response: response.status >= 400 and complaints.append(f"missing: {response.url}"))
    ours = (address, "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(ours) or complaints.append(f"elsewhere: {request.url}"))
    return complaints


@pytest.fixture
def serious_violations():
    """Asks axe for what it finds serious or critical in a page as it stands: one line for each element."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make setup")

    def find(page):
        found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for violation in found
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    return find
