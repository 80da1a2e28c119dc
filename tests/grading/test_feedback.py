"""What a student reads says what was checked and what came out, and neither runs code nor tells what is hidden."""

import dataclasses
import html
import itertools
import pathlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_records import make_record, make_verdict
from nbformat import v4

from course import notebooks
from course.paths import ROOT
from grading import feedback, feedback_page, records
from grading.gradebook import Mark, Marks

PROBLEM_SETS = sorted(path.parent.name for path in (ROOT / "solutions").glob("*/*.ipynb"))
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "</pre></main><iframe src=javascript:alert(1)>",
    "{{ 7 * 7 }}{% for x in () %}",
    "]]><!--",
    "&lt;b&gt; &amp;",
]
# Elements and attributes that the page itself uses; anything else has come from a student.
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "bdi", "strong", "table", "caption"),
    *("thead", "tbody", "tr", "th", "td", "a", "section", "span", "pre", "div", "ul", "li"),
}
ATTRIBUTES = {"lang", "charset", "name", "content", "http-equiv", "scope", "class", "href", "id", "role", "dir"}


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.open, self.words, self.headings = [], [], [], [], []
        self.feed(text)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def names(self):
        return {name for name, _ in self.attributes}


def page_of(record, *arguments):
    return Page(feedback.page(record, *arguments))


def failing(**changes):
    verdicts = (
        make_verdict("add_small", 2, 2),
        make_verdict("add_large", 0, 3, expected="A large number becomes one larger.", **changes),
        make_verdict("why", 0, 2, exercise="why", title="Question 2: why?", outcome="by hand", message="", expected=""),
    )
    return make_record(verdicts=verdicts, notes=("The check add_small was edited, and put back.",))


def test_the_page_says_what_was_checked_and_what_came_out():
    text = page_of(failing(message="expected 5, got 4: did you forget to add?")).text
    for said in (
        "Feedback on ps1",
        "01 March 2026, 12:00 UTC",
        "2 of 7 points so far",
        "Exercise 1: add one (2 of 5)",
        "One more comes out. passed 2 of 2",
        "A large number becomes one larger. not yet right expected 5, got 4: did you forget to add? 0 of 3",
        "Your answer in words waits to be marked by a person – of 2",
        "Question 2: why? – 2",
        "Question 2: why? (– of 2)",
        "The check add_small was edited, and put back.",
    ):
        assert said in text


@pytest.mark.parametrize("outcome", records.OUTCOMES)
def test_each_outcome_is_told_in_words(outcome):
    assert feedback.IN_WORDS[outcome] in page_of(failing(outcome=outcome), _marks(1)).text


def _marks(points, comment="", by_person=True):
    grades = {
        "add_small": Mark(2, 2, False),
        "add_large": Mark(0, 3, False),
        "why": Mark(points, 2, by_person),
    }
    return Marks(grades, {"why": comment} if comment else {})


def test_a_mark_and_a_comment_of_a_person_are_shown():
    text = page_of(failing(), _marks(1.5, "Half of it: see lecture 6.")).text
    assert "3.5 of 7 points ." in text
    assert "Your answer in words marked by a person 1.5 of 2" in text
    assert "Half of it: see lecture 6." in text
    assert "waits" not in text


@pytest.mark.parametrize("points", [0, 1.5, 2])
def test_a_written_answer_is_neither_right_nor_wrong(points):
    page = feedback.page(failing(), _marks(points))
    assert '<span class="written">marked by a person</span>' in page
    assert '<span class="good">passed</span>' in page
    assert '<span class="bad">not yet right</span>' in page


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "your cell rows failed before: SyntaxError: '(' was never closed (<ipython-input-1-8e76b5bbb123>, line 16)",
            "SyntaxError: '(' was never closed (line 16)",
        ),
        ("SyntaxError: Perhaps you forgot a comma? (<string>, line 2); stopped", "a comma? (line 2); stopped"),
        ("ValueError: (3, <b>, line 2)", "ValueError: (3, <b>, line 2)"),
    ],
)
def test_a_cell_has_no_file_name(message, shown):
    text = page_of(failing(outcome="error", message=message)).text
    assert shown in text
    assert "<ipython" not in text


def test_an_answer_that_was_left_empty_waits_for_nobody():
    blank = make_verdict("why", 0, 2, exercise="why", outcome="not run", message="no answer", expected="")
    text = page_of(make_record(verdicts=(blank,))).text
    assert "Your answer in words left empty, or not to be found 0 of 2" in text
    assert "waits" not in text


def test_a_check_that_a_person_has_marked_again_says_so():
    marks = _marks(2)
    marks.grades["add_large"] = Mark(3, 3, True)
    text = page_of(failing(), marks).text
    assert "7 of 7 points" in text
    assert "not yet right; marked again by a person" in text


def test_the_lecture_is_named_where_something_is_to_be_learned():
    lectures = {"add": ("Why sequences?", "lectures/01.ipynb"), "ps1": ("Words", "https://example.org/w")}
    shown = page_of(failing(), None, lectures)
    assert "This is taught in “Why sequences?” (lectures/01.ipynb)." in shown.text
    assert "Words" not in shown.text  # the written answer only waits
    assert "Why sequences?" not in page_of(make_record(), None, lectures).text
    blank = page_of(failing(), _marks(0), lectures)
    assert ("href", "https://example.org/w") in blank.attributes


def test_a_fault_is_told_in_plain_words():
    fault = "The file ends in the middle: download it again, then hand it in again."
    shown = page_of(make_record(fault=fault, verdicts=()))
    assert fault in shown.text
    assert "could not be graded as it is" in shown.text
    assert "0 of 0 points" in shown.text


def test_of_what_could_not_be_graded_no_check_is_told():
    verdicts = tuple(
        dataclasses.replace(verdict, points=0.0, outcome="not run", message="") for verdict in failing().verdicts
    )
    record = make_record(fault="There is no notebook (.ipynb), only 'ps1.pdf'.", verdicts=verdicts, notes=("Late.",))
    shown = page_of(record, None, {"ps1": ("Words", "lectures/01.ipynb")})
    assert "0 of 7 points ." in shown.text
    assert "only 'ps1.pdf'. Hand in the notebook that you worked in" in shown.text
    assert "Late." in shown.text
    assert not {"table", "h3"} & set(shown.elements)
    for left_out in ("Exercise 1", "Your answer", "taught in", "SHA-256"):
        assert left_out not in shown.text
    assert "SHA-256 begins with aaaaaaaaaaaa" in page_of(failing()).text


@pytest.mark.parametrize("width", [320, 375, 600, 1280])
def test_words_are_whole_and_nothing_scrolls_sideways(chromium, width):
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.set_content(feedback.page(failing(message=f"expected 'hello', got '{'o' * 300}'"), _marks(1, "y" * 300)))
    overflow, broken, room = page.evaluate("""() => {
        const broken = [], walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        while (walker.nextNode()) for (const word of walker.currentNode.data.matchAll(/[^\\s-]{1,40}/g)) {
            if (walker.currentNode.parentElement.closest("pre")) continue;
            range.setStart(walker.currentNode, word.index);
            range.setEnd(walker.currentNode, word.index + word[0].length);
            if (new Set(Array.from(range.getClientRects(), box => box.top)).size > 1) broken.push(word[0]);
        }
        const widths = Array.from(document.querySelectorAll("td pre"), message => message.clientWidth);
        return [document.documentElement.scrollWidth - innerWidth, broken, Math.min(...widths)];
    }""")
    page.close()
    assert overflow <= 0
    assert broken == []
    assert room >= 200  # pixels for a message: more than 20 letters in a line


def test_the_page_can_be_read_by_all():
    text = feedback.page(failing())
    shown = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert ("lang", "en") in shown.attributes
    levels = [int(name[1]) for name in shown.elements if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert shown.elements.count("table") == shown.elements.count("caption") == 3
    assert shown.elements.count("th") == sum(name == "scope" for name, _ in shown.attributes)
    targets = [value[1:] for name, value in shown.attributes if name == "href" and value.startswith("#")]
    assert set(targets) <= {value for name, value in shown.attributes if name == "id"}
    assert "@media print" in text


def test_colours_have_enough_contrast():
    def luminance(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))

    colours = re.findall(r"[ {;]color: (#\w{6})", feedback_page.STYLE)
    assert len(colours) == 4
    for colour in colours:
        for ground in ("#ffffff", "#fff4ef"):
            assert (luminance(ground) + 0.05) / (luminance(colour) + 0.05) >= 7


def test_nothing_is_loaded_from_elsewhere():
    text = feedback.page(failing(message="see https://example.org"))
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=[\"'](?!#)|@import|url\(", text)


def everywhere(text, fault=""):
    """A record with this text wherever a student could have brought it in, but for why it could not be graded."""
    verdicts = tuple(
        dataclasses.replace(
            verdict, title=text, message=text, expected=text, check=text, exercise=text, outcome="failed"
        )
        for verdict in make_record().verdicts
    )
    return make_record(text, verdicts=verdicts, notes=(text,), fault=fault)


@pytest.mark.parametrize("is_fault", [False, True])
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_a_student_becomes_part_of_the_page(text, is_fault):
    record = everywhere(text, text if is_fault else "")
    marks = Marks({}, {text: text})
    page = feedback.page(record, marks, {text: (text, text)}, (), text)
    shown = Page(page)
    assert shown.open == []
    assert set(shown.elements) <= ELEMENTS
    assert {name for name in shown.names() if not name.startswith("aria-")} <= ATTRIBUTES
    assert text in html.unescape(page)


@given(st.text(max_size=40))
def test_any_text_leaves_the_page_whole(text):
    shown = Page(feedback.page(everywhere(text)))
    assert shown.open == []
    assert set(shown.elements) <= ELEMENTS


@pytest.mark.parametrize("code", [0x202E, 0x2066, 0x200F, 0x61C, 0x1B, 0, 0xD800])
def test_characters_that_turn_or_hide_text_are_shown_as_such(code):
    page = feedback.page(everywhere(f"a{chr(code)}b"))
    assert chr(code) not in page
    assert "a\ufffdb" in page
    page.encode("utf-8")


def test_a_lecture_is_no_link_unless_it_is_a_safe_address():
    page = feedback.page(failing(), None, {"add": ("x", "javascript:alert(1)")})
    assert not any("javascript" in (value or "") for _, value in Page(page).attributes)


@pytest.mark.parametrize("name", PROBLEM_SETS)
def test_no_hidden_line_stands_in_any_feedback(name):
    """Even where a record quotes one, as the traceback of a check that failed does."""
    hidden = feedback.hidden_lines(name)
    assert hidden
    quoting = [f"AssertionError in\n    {line}\nhere" for line in sorted(hidden)]
    verdicts = tuple(
        make_verdict(f"check{number}", 0, 1, message=text, expected=text, title=text)
        for number, text in enumerate(quoting)
    )
    for fault in ("", quoting[0]):
        record = make_record(problem_set=name, verdicts=verdicts, notes=tuple(quoting), fault=fault)
        words = html.unescape(feedback.page(record, None, None, hidden))
        squeezed = re.sub(r"\s+", "", words)
        assert [line for line in hidden if re.sub(r"\s+", "", line) in squeezed] == []
        assert any(re.sub(r"\s+", "", line) in re.sub(r"\s+", "", feedback.page(record)) for line in hidden)


@pytest.mark.parametrize("name", PROBLEM_SETS)
def test_the_mark_scheme_is_hidden(name):
    (question,) = (
        cell.source
        for cell in notebooks.read(ROOT / "solutions" / name / f"{name}.ipynb").cells
        if "BEGIN MARK SCHEME" in cell.source
    )
    scheme = question.partition("BEGIN MARK SCHEME ===")[2].partition("=== END MARK SCHEME")[0]
    lines = {line.strip() for line in scheme.splitlines() if len(line.strip()) > 20}
    assert lines
    assert lines <= feedback.hidden_lines(name)


@pytest.mark.parametrize("path", sorted((ROOT / "assignments").glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_visible_lines_are_not_taken_for_hidden_ones(path):
    released = {line.strip() for cell in notebooks.read(path).cells for line in cell.source.splitlines()}
    assert feedback.hidden_lines(path.stem) & released == set()


def test_the_title_is_the_notebooks_own_heading(tmp_path):
    records.write(make_record(), tmp_path)
    (path,) = feedback.write_all("ps1", tmp_path)
    assert "<h1>Feedback on ps1</h1>" in path.read_text(encoding="utf-8")
    released = tmp_path / "assignments" / "ps1" / "ps1.ipynb"
    released.parent.mkdir(parents=True)
    cells = [
        v4.new_code_cell("# no heading"),
        v4.new_markdown_cell("Hello.\n\n# Problem set 1: words & more\n\n## One"),
    ]
    notebooks.write(v4.new_notebook(cells=cells), released)
    (path,) = feedback.write_all("ps1", tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "<title>Feedback on Problem set 1: words &amp; more for ada</title>" in text
    assert "<h1>Feedback on Problem set 1: words &amp; more</h1>" in text
    assert "ps1" not in text


def test_pages_are_written_for_the_newest_record_of_everybody(tmp_path):
    for record in (make_record("O'Neil", 1), make_record("O'Neil", 2, fault="The second."), make_record("Zoë")):
        records.write(record, tmp_path)
    paths = feedback.write_all("ps1", tmp_path)
    assert paths == [tmp_path / "feedback" / student / "ps1.html" for student in ("O'Neil", "Zoë")]
    assert "The second." in paths[0].read_text(encoding="utf-8")
    assert feedback.write_all("ps1", tmp_path) == paths
    assert {path.suffix for path in pathlib.Path(tmp_path / "feedback").rglob("*") if path.is_file()} == {".html"}
