"""Reads the course's docstrings, which are plain text in Google's sections, as the reStructuredText Sphinx expects."""

import re
import textwrap

from sphinx.application import Sphinx

_CODE = re.compile(r"(`[^`]*`)")
_MARKUP = re.compile(r"[\\|*]|(?<=\w)_(?!\w)")  # what reStructuredText would take for markup
_NAMED = re.compile(r"^(\w+): ", re.MULTILINE)
_SECTION = re.compile(r"^Returns:\n((?:[ ]+.*(?:\n|\Z)|\n)+)", re.MULTILINE)


def to_restructured(docstring: str) -> str:
    """Convert a docstring, but for the sections that sphinx.ext.napoleon reads.

    Args:
        docstring: its text, dedented.

    Returns:
        The text in which no sign is markup by accident, and several named results are a list.
    """
    return _SECTION.sub(_list_results, "\n".join(map(_escape, docstring.split("\n"))))


def _escape(line: str) -> str:
    if line.lstrip().startswith(">>>"):
        return line
    parts = _CODE.split(line)
    parts[::2] = [_MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def _list_results(section: re.Match[str]) -> str:
    block = textwrap.dedent(section[1]).strip()
    if not _NAMED.match(block):
        return f":returns: {textwrap.indent(block, '    ').lstrip()}\n\n"
    items = [_NAMED.sub(r"**\1** – ", item, count=1) for item in re.split(r"\n(?=\w)", block)]
    listed = "\n".join("* " + textwrap.indent(item, "  ").lstrip() for item in items)
    return f":returns:\n{textwrap.indent(listed, '    ')}\n\n"


def _process(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    lines[:] = to_restructured("\n".join(lines)).split("\n")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the conversion, to come before napoleon's."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
