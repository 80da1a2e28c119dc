"""A machine like Colab's: its packages and no others, its marker module, and this course's repository to clone."""

import json
import os
import pathlib
import re
import subprocess
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course import notebooks
from course.paths import ROOT

# What the notebooks count on in Colab; the packages that these need come with them. Colab has many more.
SHIPPED = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn", "matplotlib", "ipykernel", "ipywidgets", "requests")
SHIPPED += ("lxml", "beautifulsoup4", "pillow", "pip")
INSTALLED = ("filelock", "pooch", "unearth", "newspaper3k", "lxml_html_clean")  # by the notebooks, where missing
OF_THIS_MACHINE = ("PIP_", "GIT_", "KERAS_", "PYTHON")  # settings that would reach into Colab
REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
KERNEL = (
    """{{"argv": ["{python}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"], "display_name": "Colab"}}"""
)


class Colab:
    """A virtual environment in a folder, whose pip and git know what a test gives them and no network.

    Attributes:
        python: its interpreter.
        site: where its pip installs.
        shipped: the names of the packages that are there from the start.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        venv.create(folder / "venv", symlinks=True, with_pip=False)
        self.python = folder / "venv" / "bin" / "python"
        self.site = next((folder / "venv" / "lib").glob("python3*")) / "site-packages"
        shipped = with_dependencies(SHIPPED)
        self.shipped = set(shipped)
        for name in ("packages", "wheels"):
            (folder / name).mkdir()
        for distribution in shipped.values():
            _link(distribution, folder / "packages")
        for name, distribution in with_dependencies(INSTALLED).items():
            if name not in shipped:
                _pack_wheel(distribution, folder / "wheels")
        self._add_marker()
        self._add_kernel()
        _commit_working_tree(folder / "repository.git")

    def _add_marker(self) -> None:
        """Let `google.colab` be there and imported in every Python, as it is in Colab's kernels."""
        (self.site / "google" / "colab").mkdir(parents=True)
        (self.site / "google" / "colab" / "__init__.py").touch()
        (self.site / "colab.pth").write_text(f"{self._folder / 'packages'}\nimport google.colab\n")

    def _add_kernel(self) -> None:
        kernel = self._folder / "kernels" / "colab" / "kernel.json"
        kernel.parent.mkdir(parents=True)
        arguments = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        kernel.write_text(json.dumps({"argv": arguments, "display_name": "Colab"}))

    @property
    def installed(self) -> set[str]:
        """The names of the packages that notebooks have installed."""
        return {canonicalize_name(found.metadata["Name"]) for found in metadata.distributions(path=[str(self.site)])}

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of its kernels: pip and git find here what they would find in the network."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THIS_MACHINE)}
        pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self._folder / "wheels"), "PIP_CONFIG_FILE": os.devnull}
        git = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{(self._folder / 'repository.git').as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": REPOSITORY,
        }
        return {**kept, **pip, **git}

    def run(self, notebook: Any, folder: pathlib.Path) -> None:
        """Run a notebook's cells in one kernel that starts in a folder; errors stay in the outputs."""
        specifications = KernelSpecManager(kernel_dirs=[str(self._folder / "kernels")])
        client = NotebookClient(
            notebook,
            km=AsyncKernelManager(kernel_name="colab", kernel_spec_manager=specifications),
            startup_timeout=notebooks.STARTUP_TIMEOUT,
            timeout=None,
            allow_errors=True,
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute(env=self.environment, stderr=subprocess.DEVNULL)


def with_dependencies(names: Iterable[str]) -> dict[str, metadata.Distribution]:
    """The installed packages of these names and all that they need, by their normal names."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = metadata.distribution(name)
            needed = map(Requirement, found[name].requires or [])
            waiting += [canonicalize_name(n.name) for n in needed if not n.marker or n.marker.evaluate({"extra": ""})]
    return found


def _own_files(distribution: metadata.Distribution) -> list[metadata.PackagePath]:
    """The files of an installed package, without programs, which lie outside of its folder, and compiled modules."""
    return [file for file in distribution.files or [] if file.parts[0] != ".." and "__pycache__" not in file.parts]


def _link(distribution: metadata.Distribution, folder: pathlib.Path) -> None:
    for name in {file.parts[0] for file in _own_files(distribution)}:
        if not (folder / name).exists():
            (folder / name).symlink_to(pathlib.Path(distribution.locate_file(name)))


def _pack_wheel(distribution: metadata.Distribution, folder: pathlib.Path) -> None:
    """Make an installed package into a wheel again, so that pip can install it without a network."""
    files = _own_files(distribution)
    name = next(file.parts[0] for file in files if file.parts[0].endswith(".dist-info")).removesuffix(".dist-info")
    tag = re.findall(r"^Tag: (\S+)$", distribution.read_text("WHEEL") or "", flags=re.MULTILINE)[-1]
    with zipfile.ZipFile(folder / f"{name}-{tag}.whl", "w") as wheel:
        for file in files:
            wheel.write(distribution.locate_file(file), file.as_posix())


def _commit_working_tree(repository: pathlib.Path) -> None:
    """Make a repository of its own that holds what git would take of the course's folder as it is now."""
    settings = ("user.name=test", "user.email=test@example.org", "commit.gpgsign=false")
    options = [f"--git-dir={repository}", f"--work-tree={ROOT}", *(part for each in settings for part in ("-c", each))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for command in (["init", "--quiet"], ["add", "--all", "."], ["commit", "--quiet", "--no-verify", "--message=now"]):
        subprocess.run(["git", *options, *command], cwd=ROOT, check=True, env=environment)
