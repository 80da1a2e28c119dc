"""`course doctor` in faked situations: each gives its line, with what to do, and status 1 only where it matters."""

import json
import os
import pathlib
import subprocess
import sys
import venv
from collections import namedtuple

import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from course import doctor, findings, installation
from course.cli import app
from course.findings import NOTE, OK, PROBLEM, SETUP, Finding
from course.paths import ROOT
from grading import isolation
from utils import archives, registry

SHOWN = ["Python", "environment", "packages", "memory", "disk", "data", "network", "nbgrader", "kernel", "sandbox"]
SHOWN += ["git", "backend", "GPU"]


def only(check) -> Finding:
    """The one finding of a check."""
    (finding,) = doctor._run(check)
    return finding


@pytest.fixture
def path(tmp_path, monkeypatch) -> pathlib.Path:
    """The only folder on PATH, still empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def add_program(folder: pathlib.Path, name: str, prints: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{prints}'\n")
    program.chmod(0o755)


# --- Python and its packages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 13, 9)])
def test_a_python_that_is_locked_for_is_fine(version):
    assert installation.check_python(version) == Finding("Python", OK, ".".join(map(str, version)))


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 13), (3, 14, 0)])
def test_another_python_is_a_problem_and_says_how_to_change(version):
    finding = installation.check_python(version)
    assert finding.level == PROBLEM
    assert "3.11, 3.12 or 3.13" in finding.text
    assert "make setup PYTHON=python3.12" in finding.advice


def test_a_python_outside_of_an_environment_is_told_to_activate_it(monkeypatch):
    assert only(installation.check_environment).level == OK
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    finding = only(installation.check_environment)
    assert finding.level == NOTE
    assert "source .venv/bin/activate" in finding.advice


def make_course(root: pathlib.Path, dependencies: str, lock: str) -> pathlib.Path:
    (root / "pyproject.toml").write_text(f"[project]\ndependencies = {dependencies}\n")
    (root / "requirements.txt").write_text(lock)
    return root


@pytest.mark.parametrize(
    ("lock", "level", "text"),
    [
        ("numpy=={numpy} \\\n    --hash=sha256:00\n", OK, "all 1 as locked"),
        ("numpy=={numpy}\nabsent==1 ; sys_platform == 'os2' \\\n", OK, "all 1 as locked"),
        ("NumPy==0.1\n", NOTE, "1 of 1 in another version than the lock's, numpy"),
        ("numpy=={numpy}\nabsent==1\n", NOTE, "1 of 2 are missing, absent"),
        ("needed-here==1\n", PROBLEM, "1 of 1 are missing, needed-here"),
        ("a-1==1\nb-1==1\nc-1==1\nd-1==1\nneeded_here==1\n", PROBLEM, "5 of 5 are missing, a-1, b-1, c-1, …"),
    ],
)
def test_packages_are_compared_with_the_lock(lock, level, text, tmp_path, monkeypatch):
    root = make_course(tmp_path, '["numpy", "Needed.Here>=1"]', lock.format(numpy=np.__version__))
    monkeypatch.setattr(installation, "ROOT", root)
    finding = only(installation.check_packages)
    assert (finding.level, finding.text) == (level, text.format(numpy=np.__version__))
    assert ("make -B setup" in finding.advice) is (level != OK)


def fake_package(folder: pathlib.Path, name: str, source: str, monkeypatch) -> None:
    (folder / f"{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(folder))


GOOD_KERAS = """
class config: backend = lambda: "numpy"
class ops: sum, ones = sum, lambda n: [1.0] * n
class distribution: list_devices = lambda kind: ["gpu:0"] * GPUS
__version__ = "3.99"
"""


@pytest.mark.parametrize(
    ("source", "text", "advice"),
    [
        ("import absent_package", "No module named 'absent_package'", "make -B setup"),
        ("raise RuntimeError('the library\\nis broken')", "is broken", "make -B setup"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "killed by signal 4", "use Colab"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9", "close other programs"),
        ("import os; os._exit(3)", "no reason given", "make -B setup"),
        ("import time; time.sleep(60)", "no answer within 1 s", "where the machine is busy"),
    ],
)
def test_a_broken_backend_is_a_problem(source, text, advice, tmp_path, monkeypatch):
    fake_package(tmp_path, "keras", source, monkeypatch)
    if "sleep" in source:
        monkeypatch.setattr(installation, "IMPORT_LIMIT", 1)
    finding = only(installation.check_backend)
    assert finding.level == PROBLEM
    assert text in finding.text
    assert advice in finding.advice


def test_a_broken_backend_that_was_chosen_says_how_to_do_without(tmp_path, monkeypatch):
    fake_package(tmp_path, "keras", "import absent_package", monkeypatch)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert "without KERAS_BACKEND=torch" in only(installation.check_backend).advice


@pytest.mark.parametrize(
    ("gpus", "driver", "level", "text"),
    [
        (2, "", OK, "2 in use"),
        (0, "", OK, "none; everything runs"),
        (0, "GPU 0: NVIDIA H200", NOTE, "the backend does not see"),
    ],
)
def test_a_gpu_that_is_not_used_is_a_note(gpus, driver, level, text, tmp_path, path, monkeypatch):
    fake_package(tmp_path, "keras", GOOD_KERAS.replace("GPUS", str(gpus)), monkeypatch)
    if driver:
        add_program(path, "nvidia-smi", driver)
    backend, gpu = doctor._run(installation.check_backend)
    assert (backend.level, backend.text) == (OK, f"Keras 3.99 on numpy {np.__version__}")
    assert gpu.level == level
    assert text in gpu.text
    assert (f"numpy=={np.__version__}" in gpu.advice) is (level == NOTE)


def test_a_broken_nbgrader_is_a_problem(tmp_path, monkeypatch):
    fake_package(tmp_path, "nbgrader", "raise ImportError('cannot import name schema')", monkeypatch)
    finding = only(installation.check_nbgrader)
    assert finding == Finding("nbgrader", PROBLEM, "ImportError: cannot import name schema", SETUP)


@pytest.mark.parametrize(
    ("program", "level", "text"),
    [
        ("python", OK, "this Python"),
        (sys.executable, OK, "this Python"),
        # the one that the environment was made with, and that its own is a link to
        (os.path.realpath(sys.executable), PROBLEM, "which is another Python"),
        ("/nowhere/python", PROBLEM, "/nowhere/python, which is another Python"),
    ],
)
def test_the_kernel_python3_is_this_python(program, level, text, tmp_path, monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager

    monkeypatch.setattr(KernelSpecManager, "kernel_dirs", [str(tmp_path)])
    (tmp_path / "python3").mkdir()
    (tmp_path / "python3" / "kernel.json").write_text(json.dumps({"argv": [program], "display_name": "Python"}))
    finding = only(installation.check_kernel)
    assert finding.level == level
    assert text in finding.text
    assert ("ipykernel install" in finding.advice) is (level == PROBLEM)


def test_no_kernel_at_all_is_a_problem(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager

    monkeypatch.setattr(KernelSpecManager, "kernel_dirs", [])
    monkeypatch.setitem(sys.modules, "ipykernel.kernelspec", None)  # Jupyter would ask it for its own
    assert only(installation.check_kernel) == Finding("kernel", PROBLEM, "Jupyter has no kernel python3", SETUP)


# --- the machine ----------------------------------------------------------------------------------------------------

Memory = namedtuple("Memory", "available total")
Disk = namedtuple("Disk", "free")


@pytest.mark.parametrize(("free", "level"), [(8, OK), (3, OK), (2.9, NOTE), (0.1, NOTE)])
def test_little_memory_is_a_note(free, level, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(free * 2**30, 16 * 2**30))
    finding = only(doctor.check_memory)
    assert finding.level == level
    assert finding.text == f"{free:.1f} GiB free of 16.0"
    assert ("--quick" in finding.advice) is (level == NOTE)


@pytest.mark.parametrize(
    ("free", "installed", "level"), [(5e9, False, OK), (2e9, False, PROBLEM), (2e9, True, OK), (5e7, True, PROBLEM)]
)
def test_a_disk_too_full_for_what_is_to_come_is_a_problem(free, installed, level, tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Disk(free))
    if installed:
        (tmp_path / ".venv").mkdir()
        (tmp_path / ".venv" / "complete").touch()
    finding = only(doctor.check_disk)
    assert finding.level == level
    assert bool(finding.advice) is (level == PROBLEM)


def test_a_folder_that_cannot_be_written_is_a_note(monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    finding = only(doctor.check_disk)
    assert finding.level == NOTE
    assert "--output" in finding.advice


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Returns: a function that sets whether the data is there and the index answers, and gives both findings."""

    def look(there: bool, failure: str) -> tuple[Finding, Finding]:
        if not there:
            monkeypatch.setenv("COURSE_DATA", str(tmp_path / "empty"))
        else:
            monkeypatch.setattr(registry.Dataset, "faults", lambda dataset: {})
        monkeypatch.setattr(doctor, "ask", lambda code, limit: ("", failure))
        return tuple(doctor._run(doctor.check_data))

    return look


def test_data_that_is_there_needs_no_network(data):
    found, network = data(True, "The index cannot be reached.")
    assert (found.level, network.level) == (OK, NOTE)
    assert "verified" in found.text
    assert "nothing needs it" in network.advice


def test_data_that_can_be_fetched_is_a_note_with_the_command(data):
    found, network = data(False, "")
    assert (found.level, network.level) == (NOTE, OK)
    assert "`course data`" in found.advice
    assert "MB" in found.advice


def test_data_that_cannot_be_fetched_is_a_problem(data):
    found, network = data(False, "The index cannot be reached.")
    assert (found.level, network.level) == (PROBLEM, PROBLEM)
    assert "once the network is back" in found.advice


def test_a_broken_registry_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "absent.toml")
    finding = only(doctor.check_data)
    assert finding.level == PROBLEM
    assert "get the repository again" in finding.text


def test_the_network_is_asked_for_the_data_and_only_for_a_short_time(monkeypatch):
    # an address that no network has
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    assert archives._mirrors() == ["http://127.0.0.1:9/simple"]
    _, failure = findings.ask(doctor._REACH, 120)
    assert "the package index cannot be reached" in failure
    assert doctor.NETWORK_LIMIT < 10


@pytest.fixture
def fresh_isolation():
    isolation.best_isolation.cache_clear()
    yield
    isolation.best_isolation.cache_clear()


def test_without_bubblewrap_the_sandbox_is_a_note_for_instructors(path, fresh_isolation):
    finding = only(doctor.check_sandbox)
    assert finding.level == NOTE
    assert "bubblewrap" in finding.text
    assert "make sandbox" in finding.advice


@pytest.mark.parametrize("level", [isolation.SANDBOX, isolation.SHARED_USER])
def test_a_sandbox_of_either_kind_is_fine(level, monkeypatch):
    monkeypatch.setattr(isolation, "best_isolation", lambda: (level, "why no better one"))
    finding = only(doctor.check_sandbox)
    assert finding.level == OK
    assert level in finding.text


def test_git_is_a_note_where_it_is_missing(path):
    assert only(doctor.check_git).level == NOTE
    add_program(path, "git", "git version 2.50.1")
    assert only(doctor.check_git) == Finding("git", OK, "2.50.1")


# --- the report -----------------------------------------------------------------------------------------------------


def test_a_check_that_fails_itself_is_a_finding():
    def check_moon():
        raise OSError("too far")

    def check_stars():
        import absent_package  # noqa: F401

    assert only(check_moon) == Finding("moon", NOTE, "could not be looked at (OSError: too far)")
    assert only(check_stars) == Finding("stars", PROBLEM, "cannot be looked at without absent_package", SETUP)


@pytest.mark.parametrize(("level", "good"), [(OK, True), (NOTE, True), (PROBLEM, False)])
def test_only_a_problem_makes_the_status_1(level, good, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", [lambda: Finding("moon", level, "is full", "look up")])
    assert doctor.report() is good
    assert capsys.readouterr().out == f"{level:8} moon        is full: look up\n"
    assert doctor.report(as_json=True) is good
    expected = [{"subject": "moon", "level": level, "text": "is full", "advice": "look up"}]
    assert json.loads(capsys.readouterr().out) == expected


def test_it_answers_where_no_package_is_installed(tmp_path):
    venv.create(tmp_path / "bare", symlinks=True, with_pip=False)
    python = tmp_path / "bare" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-m", "course.doctor", "--json"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert findings["Python"]["level"] == OK
    for subject in ("packages", "backend", "nbgrader", "kernel"):
        assert findings[subject]["level"] == PROBLEM, subject
        assert "make -B setup" in findings[subject]["advice"]
    assert not [finding for finding in findings.values() if "Traceback" in finding["text"]]


def test_every_subject_has_one_line(capsys, monkeypatch):
    for module in (doctor, installation):
        monkeypatch.setattr(module, "ask", lambda code, limit: ('["3.99", "numpy", "2.0", 0]', ""))
    assert doctor.report(), capsys.readouterr().out
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == SHOWN


def test_the_command_ends_with_status_1_where_there_is_a_problem(monkeypatch):
    for level, status in ((NOTE, 0), (PROBLEM, 1)):
        monkeypatch.setattr(doctor, "CHECKS", [lambda level=level: Finding("moon", level, "is full")])
        ended = CliRunner().invoke(app, ["doctor"])
        assert (ended.exit_code, ended.stdout) == (status, f"{level:8} moon        is full\n")
