"""Run the benchmarks on this machine, and write their results and a table of them."""

import pathlib
import platform
import sys
import tempfile

import pytest

from benchmarks import results

FOLDER = pathlib.Path(__file__).parent


def main() -> int:
    """Run the benchmarks that are given as arguments (files, -k ...), or all; only all of them are recorded.

    Returns:
        The exit status: 0 where every benchmark ran, whether or not it met its goal.
    """
    chosen = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        measured = pathlib.Path(folder) / "measured.json"
        status = pytest.main(
            ["-q", "--benchmark-only", "--benchmark-quiet", f"--benchmark-json={measured}", *(chosen or [str(FOLDER)])]
        )
        if not measured.exists() or not measured.stat().st_size:
            return int(status)
        record = results.condense(measured)
    print(results.table(record))
    if status == 0 and not chosen:
        path = FOLDER / "results" / f"{platform.system().lower()}-{record['machine']['cores']}-cores.json"
        results.write(record, path)
        print(f"\nWritten to {path.relative_to(FOLDER.parent)} and to results/README.md.")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
