"""Settings of every test, and Chromium for those that look at pages."""

import os
import shutil

import pytest
from hypothesis import settings

import utils.session  # noqa: F401  quiet TensorFlow before the first import of Keras

os.environ.setdefault("MPLBACKEND", "agg")
# Tests state behaviour, not speed: a busy machine must not make them fail.
settings.register_profile("course", deadline=None)
settings.load_profile("course")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: Chromium refuses one to root. No calls home: a test asks no other host for anything.
OPTIONS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def chromium():
    """Chromium as Playwright drives it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make setup")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no Chromium here: make browser")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()
