"""The Markdown files: links lead somewhere, and glossary and syllabus keep up with the lectures."""

import functools
import itertools
import json
import re
import subprocess
import tomllib
import unicodedata

import pytest

from course.paths import ASSIGNMENTS, LECTURES, ROOT

# The pages of site/ are written for the place where its build lays them, and that build follows their links.
LISTED = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md", ":!site"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout
DOCUMENTS = sorted({ROOT / name for name in LISTED.split("\0") if name and (ROOT / name).is_file()})
LECTURE_PATHS = sorted(LECTURES.glob("[0-9]*.ipynb"))
PROBLEM_SETS = sorted(ASSIGNMENTS.glob("*/*.ipynb"))
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
SYLLABUS = (ROOT / "docs" / "syllabus.md").read_text(encoding="utf-8")
ENTRIES = {title: text.strip() for title, text in re.findall(r"^### (.+)\n([^#]+(?:#[^# ][^#]*)*)", GLOSSARY, re.M)}

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
every_lecture = pytest.mark.parametrize("path", LECTURE_PATHS, ids=lambda path: path.stem)
every_problem_set = pytest.mark.parametrize("path", PROBLEM_SETS, ids=lambda path: path.stem)
every_entry = pytest.mark.parametrize("title", ENTRIES)


def without_blocks(text):
    """A Markdown text without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)


def without_code(text):
    """A Markdown text without any code, in which brackets mean other things."""
    return re.sub(r"(`+)[^`\n].*?\1", "", without_blocks(text))


def headings(text):
    """The level and the title of each heading, titles as they are written."""
    marked = re.findall(r"^(#{1,6}) +(.+?) *$", without_blocks(text), flags=re.MULTILINE)
    return [(len(marks), title) for marks, title in marked]


def anchors(text):
    """The names under which a repository's host lets you jump to the headings of a text."""
    titles = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower() for _, title in headings(text)]
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def links(text):
    """The targets of inline links and of those that are defined at the end of a text."""
    outside = without_code(text)
    return re.findall(r"\]\(([^)\s]+)\)", outside) + re.findall(r"^\[[^]]+\]: +(\S+)", outside, flags=re.MULTILINE)


@functools.cache
def read(path):
    """A notebook as plain JSON: reading it as a notebook would take these tests seconds."""
    return json.loads(path.read_text(encoding="utf-8"))


def prose(path):
    cells = read(path)["cells"]
    return re.sub(r"\s+", " ", " ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"))


def in_order(title):
    """What a title is sorted by: its letters and digits without accents."""
    plain = unicodedata.normalize("NFKD", title).lower()
    return re.sub(r"[^a-z0-9]+", " ", plain).strip()


@every_document
def test_links_inside_the_repository_lead_to_files_and_headings_that_exist(path):
    text = path.read_text(encoding="utf-8")
    broken = []
    for link in links(text):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if "://" in link or link.startswith("mailto:"):
            continue
        if not target.exists():
            broken.append(f"{link}: no such file")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(f"{link}: no such heading")
    assert not broken


@every_document
def test_every_link_by_name_has_its_address(path):
    text = without_code(path.read_text(encoding="utf-8"))
    defined = set(re.findall(r"^\[([^]]+)\]: ", text, flags=re.MULTILINE))
    assert set(re.findall(r"\]\[([^]]+)\]", text)) == defined


@every_document
def test_headings_of_a_document_go_down_one_level_at_a_time(path):
    levels = [level for level, _ in headings(path.read_text(encoding="utf-8"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


@every_document
def test_lines_of_text_fit_the_width(path):
    if path == ROOT / "benchmarks" / "results" / "README.md":
        pytest.skip("a program writes it")
    lines = without_blocks(path.read_text(encoding="utf-8")).splitlines()
    prose_lines = [line for line in lines if not line.startswith(("|", "![", "[!["))]  # these cannot be broken
    assert not [line for line in prose_lines if len(line) > 120]


@every_document
def test_a_document_names_no_path_of_a_machine(path):
    found = re.search(r"(?<![\w.])(/home/|/Users/|/root/|/work/|C:\\)\S*", path.read_text(encoding="utf-8"))
    assert not found, found and found.group()


def test_the_badges_of_the_readme_tell_the_truth():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    badges = dict(re.findall(r"img\.shields\.io/badge/(\w+)-([^-]+)-[0-9A-F]{6}\)", text))
    lock = dict(re.findall(r"^(keras|tensorflow)==(\d+\.\d+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least, below = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups()
    code, prose_ = project["license"].split(" AND ")
    assert badges == {
        "python": f"3.{least}_to_3.{int(below) - 1}",
        "code": code,
        "text": prose_.replace("CC-BY-", "CC_BY_"),
        **lock,
    }
    alternatives = re.findall(r"^\[!\[([^]]+)\]\(https://img\.shields\.io", text, re.MULTILINE)
    shown = [f"{name}{value}" for name, value in badges.items()]
    assert [re.sub(r"[\W_]", "", each).lower() for each in alternatives] == [
        re.sub(r"[\W_]", "", each).lower() for each in shown
    ]


@every_entry
def test_an_entry_of_the_glossary_names_a_lecture_in_which_the_term_occurs(title):
    numbers = re.findall(r"\[Lecture\s(\d\d)\]\(\.\./lectures/(\d\d)_\w+\.ipynb\)", ENTRIES[title])
    assert len(numbers) == 1, "an entry names one lecture"
    assert numbers[0][0] == numbers[0][1]
    lecture = next(path for path in LECTURE_PATHS if path.stem.startswith(numbers[0][0]))
    assert title.strip("`").lower() in prose(lecture).lower()


def test_the_glossary_is_in_the_order_of_the_alphabet_under_its_letters():
    titles = [title for level, title in headings(GLOSSARY) if level == 3]
    assert list(ENTRIES) == titles
    assert titles == sorted(titles, key=in_order)
    letter = ""
    for level, title in headings(GLOSSARY)[1:]:
        letter = title if level == 2 else letter
        assert in_order(title).upper().startswith(letter), f"{title} stands under {letter}"


def test_the_glossary_has_no_term_twice():
    names = [in_order(title) for level, title in headings(GLOSSARY) if level == 3]
    assert len(set(names)) == len(names)


@every_lecture
def test_the_glossary_has_terms_of_every_lecture(path):
    assert f"](../lectures/{path.name})" in GLOSSARY


@every_lecture
def test_the_syllabus_plans_every_lecture_with_the_minutes_it_took(path):
    number = path.stem[:2]
    assert f"[{number}]: ../lectures/{path.name}" in SYLLABUS
    row = re.search(rf"^\| \d+ \| \[{number} [^]]+\]\[{number}\] \| (\d+) min \|", SYLLABUS, flags=re.MULTILINE)
    assert row, f"the plan of fourteen weeks in docs/syllabus.md has no row for {path.stem}"
    minutes = max(1, round(read(path)["metadata"]["course"]["seconds"] / 60))
    assert int(row[1]) == minutes, f"docs/syllabus.md: the full run of {path.stem} takes {minutes} min now"
    objectives = SYLLABUS.partition("## What you can do afterwards")[2].partition("\n## ")[0]
    assert f"[{number}][{number}]" in objectives, f"no objective names {path.stem}"


@every_problem_set
def test_the_syllabus_gives_every_problem_set_a_week_and_a_date(path):
    name = path.stem.partition("_")[0]
    assert f"[{name}]: ../assignments/{path.parent.name}/{path.name}" in SYLLABUS
    plan = SYLLABUS.partition("## Fourteen weeks")[2].partition("\n## ")[0]
    weeks = re.findall(r"^\| (\d+) \|.*\|(.*)\|(.*)\|$", plan, flags=re.MULTILINE)
    given = [int(week) for week, column, _ in weeks if f"][{name}]" in column]
    due = [int(week) for week, _, column in weeks if column.strip() == name]
    assert len(given) == len(due) == 1
    assert given < due
