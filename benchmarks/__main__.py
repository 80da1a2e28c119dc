"""Run the benchmarks on this machine, and write their results and a table of them."""

import json
import pathlib
import platform
import subprocess
import sys
import tempfile
from typing import Any

from benchmarks import results

FOLDER = pathlib.Path(__file__).parent
# Garbage is collected when Python thinks fit; the larger the process has grown, the longer that takes.
OPTIONS = ("-q", "--benchmark-only", "--benchmark-quiet", "--benchmark-disable-gc", "--durations=0")


def main() -> int:
    """Run the benchmark files that are given as arguments, or all, and record what they measured.

    What some files measured takes the place of what this machine's record says of them, if there is one that was made
    with the same versions.

    Returns:
        The exit status: 0 where every benchmark ran, whether or not it met its goal.
    """
    files = [pathlib.Path(argument) for argument in sys.argv[1:]] or sorted(FOLDER.glob("bench_*.py"))
    with tempfile.TemporaryDirectory() as folder:
        measured = [pathlib.Path(folder) / f"{file.stem}.json" for file in files]
        # Each file in a process of its own: what one leaves in memory changes the times of the next.
        statuses = [_run(file, output) for file, output in zip(files, measured)]
        record = results.condense([output for output in measured if output.exists() and output.stat().st_size])
    if record["comparisons"]:
        print(results.table(record))
    if not any(statuses):
        _record(record, whole=not sys.argv[1:])
    return max(statuses)


def _record(record: dict[str, Any], whole: bool) -> None:
    path = FOLDER / "results" / f"{platform.system().lower()}-{record['machine']['cores']}-cores.json"
    if not whole:
        merged = results.merge(json.loads(path.read_text(encoding="utf-8")), record) if path.exists() else None
        if merged is None:
            print(f"\nNot written: {path.name} is of another machine or of other versions. Run all benchmarks.")
            return
        record = merged
    results.write(record, path)
    print(f"\nWritten to {path.relative_to(FOLDER.parent)} and to benchmarks/results/README.md.")


def _run(file: pathlib.Path, output: pathlib.Path) -> int:
    command = [sys.executable, "-m", "pytest", *OPTIONS, f"--benchmark-json={output}", str(file)]
    return subprocess.run(command, cwd=FOLDER.parent).returncode


if __name__ == "__main__":
    sys.exit(main())
