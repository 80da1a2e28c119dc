"""Builds the course's site: `make site`.

Gathers the pages from where they lie in the repository, below the same paths, so that links between files hold on the
site as they hold on GitHub; then lets Sphinx render them. Nothing is fetched, and no notebook runs.
"""

import argparse
import pathlib
import shutil
import sys
import time

from sphinx.cmd.build import build_main

SITE = pathlib.Path(__file__).resolve().parent
ROOT = SITE.parent
# What becomes a page, or stands on one, at its path in the repository. A README that another page replaces is left out.
GATHERED = (
    "lectures/*.ipynb",
    "assignments/*/*.ipynb",
    "docs/*.md",
    "grading/README.md",
    "grading/flow.svg",
    "data/README.md",
    "benchmarks/README.md",
    "benchmarks/results/README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
)
# The page on which a model writes: demo.md stands among the pages; what it loads, and the page alone, in demo/.
DEMO_FILES = ("*.html", "*.css", "*.js", "facts.json", "weights.bin")

BUILT = ("source", "extra", "doctrees", "jupyter_execute", "html")  # in the folder that is built in


def gather(source: pathlib.Path, extra: pathlib.Path) -> None:
    """Lay out what Sphinx reads.

    Args:
        source: a new folder for pages.
        extra: a new folder for files that the site serves as they are.
    """
    shutil.copytree(SITE / "pages", source)
    for pattern in GATHERED:
        for path in ROOT.glob(pattern):
            _copy(path, source / path.relative_to(ROOT))
    demo = SITE / "demo"
    _copy(demo / "demo.md", source / "demo.md")
    for pattern in DEMO_FILES:
        for path in demo.glob(pattern):
            _copy(path, extra / path.relative_to(SITE))


def _copy(path: pathlib.Path, to: pathlib.Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def build(folder: pathlib.Path) -> int:
    """Build the site; a warning of Sphinx is an error.

    Args:
        folder: where to build. What an earlier build left there goes, so that no page stays whose source is gone; the
            site is its `html`.

    Returns:
        The exit status: 0 where the site is complete.
    """
    for name in BUILT:
        shutil.rmtree(folder / name, ignore_errors=True)
    gather(folder / "source", folder / "extra")
    options = ["--quiet", "--fail-on-warning", "--keep-going", "--nitpicky", "--conf-dir", str(SITE)]
    options += ["--doctree-dir", str(folder / "doctrees"), "--define", f"html_extra_path={folder / 'extra'}"]
    return build_main([*options, str(folder / "source"), str(folder / "html")])


def main() -> int:
    """Read the command line, build, and say where the site lies, how large it is and how long it took."""
    parser = argparse.ArgumentParser(description="Build the course's site.")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "build" / "site", help="default: build/site")
    folder = parser.parse_args().output.resolve()
    started = time.perf_counter()
    status = build(folder)
    html = folder / "html"
    if status == 0:
        megabytes = sum(path.stat().st_size for path in html.rglob("*") if path.is_file()) / 1e6
        print(f"{html / 'index.html'}: {megabytes:.1f} MB, built in {time.perf_counter() - started:.0f} s")
        print(f"Search and the model that writes need a server: python3 -m http.server --directory {html}")
    return status


if __name__ == "__main__":
    sys.exit(main())
