"""What the course needs of this machine, and what to do about each thing that is missing.

`python -m course.doctor` answers as well where no package is installed: nothing but the standard library is imported
before a check needs it, and a check that fails is a finding.
"""

from __future__ import annotations  # an older Python must get as far as being told that it is too old

import concurrent.futures
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from course import installation
from course.findings import NOTE, OK, PROBLEM, ROOT, SETUP, Finding, ask, some

NETWORK_LIMIT = 8  # seconds for the package index to answer
MEMORY = 3 * 2**30  # bytes: what a hand-in may use when it is graded
SPACE = 100 * 10**6  # bytes: what all data sets take, with room to unpack them
PACKAGES_SPACE = 4 * 10**9  # bytes: what the packages take while they are installed


def report(as_json: bool = False) -> bool:
    """Print one line for each finding as soon as it is known, or all of them as JSON.

    Returns:
        False where there is a problem.
    """
    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            print(finding, flush=True)
    if as_json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    return all(finding.level != PROBLEM for finding in findings)


def examine() -> Iterator[Finding]:
    """Run all checks at once, and yield what they find in their own order."""
    with concurrent.futures.ThreadPoolExecutor(len(CHECKS)) as pool:
        for findings in pool.map(_run, CHECKS):
            yield from findings


def _run(check: Callable[[], Any]) -> list[Finding]:
    """Turn what a check gives into a list; what it raises is a finding, too."""
    subject = check.__name__.replace("check_", "")
    try:
        found = check()
    except ImportError as error:
        return [Finding(subject, PROBLEM, f"cannot be looked at without {error.name or error}", SETUP)]
    except Exception as error:  # a doctor who falls ill helps nobody
        return [Finding(subject, NOTE, f"could not be looked at ({type(error).__name__}: {error})")]
    return found if isinstance(found, list) else [found]


# --- the machine ----------------------------------------------------------------------------------------------------


def check_memory() -> Finding:
    """Whether there is as much memory as a hand-in may use."""
    import psutil

    memory = psutil.virtual_memory()
    text = f"{memory.available / 2**30:.1f} GiB free of {memory.total / 2**30:.1f}"
    if memory.available >= MEMORY:
        return Finding("memory", OK, text)
    return Finding("memory", NOTE, text, "close other programs, and run lectures with --quick")


def check_disk() -> Finding:
    """Whether the disk has room for what is still to come, and the course's folder can be written."""
    free = shutil.disk_usage(ROOT).free
    installed = (ROOT / ".venv" / "complete").exists() or sys.prefix != sys.base_prefix
    needed = SPACE if installed else PACKAGES_SPACE
    text = f"{free / 1e9:.1f} GB free"
    if free < needed:
        return Finding("disk", PROBLEM, f"{text}, and {needed / 1e9:.1f} GB are needed", "free some")
    if not os.access(ROOT, os.W_OK):
        return Finding("disk", NOTE, f"{ROOT} cannot be written", "give `course run` a folder with --output")
    return Finding("disk", OK, text)


def check_data() -> list[Finding]:
    """Whether all data is there and unaltered, and else whether the package index that has it can be reached."""
    from utils.registry import DataError, cache_folder, read_registry

    try:
        datasets = list(read_registry().values())
        faults = [dataset.name for dataset in datasets if dataset.faults()]
    except DataError as error:
        return [Finding("data", PROBLEM, str(error))]
    _, failure = ask(_REACH, NETWORK_LIMIT)
    network = _describe_network(failure, needed=bool(faults))
    if not faults:
        return [Finding("data", OK, f"all {len(datasets)} data sets verified, in {cache_folder()}"), network]
    megabytes = sum(dataset.bytes for dataset in datasets if dataset.name in faults) / 1e6
    text = f"{len(faults)} of {len(datasets)} data sets missing or altered, {some(faults)}"
    advice = f"fetch {megabytes:.0f} MB with `course data`{', once the network is back' if failure else ''}"
    return [Finding("data", PROBLEM if failure else NOTE, text, advice), network]


# The question that `course data` asks, of whichever index is set up here.
_REACH = """
import sys
from utils import archives, registry
try:
    archives._find_archive(next(iter(registry.read_registry().values())))
except registry.DataError as error:
    sys.exit(str(error))
"""


def _describe_network(failure: str, needed: bool) -> Finding:
    if not failure:
        return Finding("network", OK, "the package index has the data")
    level, advice = (PROBLEM, "") if needed else (NOTE, "the data is here, so that nothing needs it")
    return Finding("network", level, failure.rstrip("."), advice)


def check_sandbox() -> Finding:
    """How well hand-ins can be shut in when they are graded."""
    from grading import isolation

    level, reason = isolation.best_isolation()
    if level != isolation.PROCESS:
        return Finding("sandbox", OK, f"{level}{'; ' if reason else ''}{reason}")
    return Finding("sandbox", NOTE, reason.rstrip("."), "only `course grade` needs one; `make sandbox` installs it")


def check_git() -> Finding:
    """Whether git is there, for fetching and updating the course."""
    if not shutil.which("git"):
        return Finding("git", NOTE, "not installed", "install it to get what is new in the course")
    version = subprocess.run(["git", "--version"], capture_output=True, text=True).stdout.split()
    return Finding("git", OK, version[2] if len(version) > 2 else "here")


CHECKS = (
    installation.check_python,
    installation.check_environment,
    installation.check_packages,
    check_memory,
    check_disk,
    check_data,
    installation.check_nbgrader,
    installation.check_kernel,
    check_sandbox,
    check_git,
    installation.check_backend,  # the slowest: it imports TensorFlow
)

if __name__ == "__main__":
    sys.exit(not report("--json" in sys.argv[1:]))
