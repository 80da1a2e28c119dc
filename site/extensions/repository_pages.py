"""Fits the repository's Markdown files, which are written for GitHub, to the site."""

import pathlib
import posixpath

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_address(page: str, target: str, repository: str, branch: str) -> str | None:
    """Say where a link of a page leads that names a file or folder of the repository which is no page.

    Args:
        page: the page's name, e.g. "docs/syllabus".
        target: what it links to, e.g. "../solutions".
        repository: the repository's address.
        branch: the branch to show.

    Returns:
        An address; None where the repository has no such file: then Sphinx warns, and the build fails.
    """
    target, hash_sign, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
    if not target or path.startswith("..") or not (ROOT / path).exists():
        return None
    kind = "tree" if (ROOT / path).is_dir() else "blob"
    return f"{repository}/{kind}/{branch}/{path}{hash_sign}{anchor}"


def _read(app: Sphinx, doctree: nodes.document) -> None:
    for link in list(doctree.findall(addnodes.pending_xref)):
        if link["reftype"] == "myst" and link["refdomain"] != "doc":
            options = app.config.repository_address, app.config.repository_branch
            address = find_address(app.env.docname, link["reftarget"], *options)
            if address:
                link.replace_self(nodes.reference("", "", *link.children, internal=False, refuri=address))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the settings repository_address and repository_branch, and the change."""
    app.add_config_value("repository_address", "", "env")
    app.add_config_value("repository_branch", "main", "env")
    app.connect("doctree-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
