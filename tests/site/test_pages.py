"""What the built pages hold, read from their files."""

import itertools
import pathlib
import re
import tomllib
import urllib.parse

import pytest
from bs4 import BeautifulSoup

ROOT = pathlib.Path(__file__).parents[2]
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
NOTEBOOKS = [*sorted(ROOT.glob("lectures/*.ipynb")), *sorted(ROOT.glob("assignments/*/*.ipynb"))]
FETCHING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}


@pytest.fixture(scope="module")
def pages(site):
    """All pages, parsed, by their path in the site."""
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]  # the theme's templates
    return {path.relative_to(site).as_posix(): BeautifulSoup(path.read_text("utf-8"), "lxml") for path in paths}


@pytest.fixture(scope="module")
def course_pages(pages):
    """The pages with a content of ours: not the search, not the index."""
    return {path: page for path, page in pages.items() if page.select_one("article.bd-article h1")}


def resolve(site, page, link):
    """The file in the site and the anchor that a link names."""
    parts = urllib.parse.urlsplit(link)
    path = urllib.parse.unquote(parts.path)
    file = (site / page).parent / path if path else site / page
    return file / "index.html" if file.is_dir() else file, urllib.parse.unquote(parts.fragment)


def is_outside(link):
    return bool(urllib.parse.urlsplit(link).scheme)


def test_each_notebook_and_guide_has_a_page(course_pages):
    expected = [path.relative_to(ROOT).with_suffix(".html").as_posix() for path in NOTEBOOKS]
    expected += [f"reference/utils.{path.stem}.html" for path in ROOT.glob("utils/*.py") if path.stem != "__init__"]
    expected += [f"docs/{path.stem}.html" for path in ROOT.glob("docs/*.md")]
    expected += ["index.html", "demo.html", "grading/README.html", "data/README.html", "benchmarks/results/README.html"]
    assert set(expected) <= set(course_pages)


def test_links_inside_lead_somewhere(site, pages):
    anchors = {(site / path).resolve(): {tag["id"] for tag in page.select("[id]")} for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for tag in page.select("[href], [src]"):
            link = tag.get("href", tag.get("src"))
            if is_outside(link):
                continue
            file, anchor = resolve(site, path, link)
            file = pathlib.Path(file.resolve())
            if not file.exists() or (anchor and file.suffix == ".html" and anchor not in anchors[file]):
                broken.append(f"{path}: {link}")
    assert not broken


def test_no_page_fetches_anything_from_another_host(site, pages):
    fetched = [
        f"{path}: {tag[attribute]}"
        for path, page in pages.items()
        for name, attribute in FETCHING.items()
        for tag in page.select(f"{name}[{attribute}]")
        if tag[attribute].startswith(("http:", "https:", "//")) and "canonical" not in tag.get("rel", [])
    ]
    for style in site.rglob("*.css"):
        urls = re.findall(r"url\(\s*['\"]?((?:https?:)?//[^)]*)", style.read_text("utf-8"))
        fetched += [f"{style.name}: {url}" for url in urls]
    assert not fetched


def test_images_have_an_alternative_text(course_pages):
    silent = [
        f"{path}: {image.get('src', '')[:80]}"
        for path, page in course_pages.items()
        for image in page.select("article img")
        if not image.get("alt", "").strip() or image["alt"].endswith((".png", ".svg"))
    ]
    assert not silent
    assert sum(len(page.select("article img")) for page in course_pages.values()) > 40


def test_headings_go_down_one_level_at_a_time(course_pages):
    for path, page in course_pages.items():
        levels = [int(heading.name[1]) for heading in page.select("article :is(h1, h2, h3, h4, h5, h6)")]
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (path, levels)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_in_colab_and_downloads_as_it_is(site, course_pages, notebook):
    relative = notebook.relative_to(ROOT)
    path = relative.with_suffix(".html").as_posix()
    links = [tag["href"] for tag in course_pages[path].select(".article-header-buttons a[href]")]
    owner = REPOSITORY.removeprefix("https://github.com/")
    assert f"https://colab.research.google.com/github/{owner}/blob/main/{relative.as_posix()}" in links
    downloads = [resolve(site, path, link)[0] for link in links if link.endswith(".ipynb") and not is_outside(link)]
    assert [file.read_bytes() for file in downloads] == [notebook.read_bytes()]


def test_lectures_are_listed_by_their_numbers(pages):
    listed = [tag.get_text() for tag in pages["index.html"].select("article .toctree-l1 > a[href^='lectures/']")]
    assert [title.split()[0] for title in listed] == [f"{number:02}" for number in range(1, len(listed) + 1)]
    assert len(listed) == len(list(ROOT.glob("lectures/*.ipynb")))


def test_equations_are_written_out_for_every_reader(course_pages):
    for path, page in course_pages.items():
        text = page.select_one("article").get_text()
        assert not re.search(r"\\(frac|sum|begin|text|langle)\b", re.sub(r"\s+", " ", text)), path
    assert len(course_pages["assignments/ps2_from_scratch/ps2_from_scratch.html"].select("math")) > 30


def test_tables_of_results_are_tables(course_pages):
    for path, page in course_pages.items():
        for paragraph in page.select("article p"):
            assert not re.search(r"\| ?:?[-–—]+:? ?\|", paragraph.get_text()), path
    assert course_pages["lectures/02_imdb_lstm.html"].select(".cell_output table")


def test_the_reference_shows_arguments_and_errors(course_pages):
    text = course_pages["reference/utils.sampling.html"].select_one("article").get_text(" ", strip=True)
    assert "utils.sampling. sample (" in text
    assert {"Parameters", "Returns", "Raises"} <= set(re.findall(r"\b[A-Z][a-z]+\b", text))
