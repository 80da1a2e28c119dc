"""Settings of Sphinx for the course's site. `make site` builds it."""

import pathlib
import sys
import tomllib

from sphinx.ext.autodoc.mock import MockFinder

SITE = pathlib.Path(__file__).resolve().parent
ROOT = SITE.parent
sys.path[:0] = [str(SITE / "extensions"), str(ROOT)]
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Sequence models in Keras"
repository_address = _PROJECT["urls"]["Repository"].removesuffix(".git").rstrip("/")
repository_branch = "main"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "docstrings",
    "equations",
    "notebook_pages",
    "repository_pages",
]
templates_path = [str(SITE / "templates")]  # absolute: autosummary would look beside the pages

# Notebooks show the outputs they hold. Nothing comes from another host: require.js and widgets would.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_render_markdown_format = "myst"  # the default, CommonMark, knows no tables
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_dmath_double_inline = True
myst_heading_anchors = 4
myst_update_mathjax = False
html_math_renderer = "mathml"

# The reference is read from docstrings; Keras and TensorFlow take ten seconds to import, and no docstring needs them.
# The setting autodoc_mock_imports ends too early: Sphinx would import Keras to look at a class that extends one of its.
sys.meta_path.insert(0, MockFinder(["keras", "tensorflow", "jax"]))
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
# Matplotlib gives each subclass of Figure a `set` of its own, described in marks that only its own site knows.
autodoc_default_options = {"members": True, "ignore-module-all": True, "exclude-members": "set"}
default_role = "code"  # docstrings mark code as Markdown does
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Source"]
# Types that other projects document: there is no looking them up without the network.
nitpick_ignore_regex = [("py:.*", r"(?!utils\.|course\.|grading\.).*")]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["course.css"]
html_favicon = "static/favicon.svg"
html_context = {"default_mode": "auto"}  # light or dark as the reader's system has it, until the reader chooses
html_sourcelink_suffix = ""  # downloads keep their names: 02_imdb_lstm.ipynb
html_theme_options = {
    "repository_url": repository_address,
    "repository_branch": repository_branch,
    "use_repository_button": True,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "show_toc_level": 2,
    "max_navbar_depth": 1,  # deeper levels fold away behind a sign without a name, which screen readers cannot tell
    "footer_content_items": [],
    "navbar_persistent": [],  # else there is a second search field in a bar of its own
}
