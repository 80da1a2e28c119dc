"""The lock, the conda environment and the project file say the same, and nothing of this machine."""

import pathlib
import re
import tomllib

import newspaper
import yaml

ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = PROJECT["optional-dependencies"]
NAMED = PROJECT["dependencies"] + OPTIONAL["test"] + OPTIONAL["benchmark"] + OPTIONAL["cluster"] + OPTIONAL["site"]
LOCKS = [ROOT / "requirements.txt", ROOT / "requirements-jax.txt"]


def name_of(requirement):
    return re.split(r"[<>=!~\s\[;]", requirement)[0].lower().replace("_", "-")


def locked(path):
    return {name_of(line) for line in path.read_text().splitlines() if re.match(r"[a-z0-9]", line)}


def test_everything_the_project_names_is_locked():
    assert {name_of(requirement) for requirement in NAMED} <= locked(LOCKS[0])
    assert "jax" in locked(LOCKS[1]) - locked(LOCKS[0])


def test_conda_installs_the_lock_and_every_dependency_says_where_it_is_used():
    text = (ROOT / "environment.yml").read_text()
    pip = yaml.safe_load(text)["dependencies"][-1]["pip"]
    assert pip[0] == "--requirement requirements.txt"
    assert {name_of(requirement) for requirement in pip[1:]} == {name_of(requirement) for requirement in NAMED}
    uncommented = [line for line in text.splitlines() if re.match(r"\s+- [a-z]", line) and "#" not in line]
    assert uncommented == ["  - pip:"]


def test_locks_hold_hashes_and_no_address():
    for lock in LOCKS:
        text = lock.read_text()
        assert "://" not in text
        for entry in re.split(r"\n(?=[a-z0-9])", text.strip()):
            assert "--hash=sha256:" in entry, entry


def test_newspaper_reads_an_article_from_a_page():
    paragraphs = [
        "The river rose by two metres in the night, and the bridge to the market was closed until noon.",
        "Traders carried their crates over the railway footbridge instead, and most stalls opened an hour late.",
        "The council said that the water would fall again by Friday, and that the bridge had taken no harm.",
    ]
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    head = "<head><title>Bridge closed</title></head>"
    page = f"<html>{head}<body><article><h1>Bridge closed</h1>{body}</article></body></html>"
    article = newspaper.Article("http://example.org/bridge", language="en")
    article.download(input_html=page)
    article.parse()
    assert article.title == "Bridge closed"
    assert all(paragraph in article.text for paragraph in paragraphs)
