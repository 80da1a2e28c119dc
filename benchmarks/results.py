"""What a run of the benchmarks found: from pytest-benchmark's JSON to a short record, and from records to a table."""

import itertools
import json
import pathlib
from collections.abc import Sequence
from typing import Any

FOLDER = pathlib.Path(__file__).parent / "results"
HEADING = """# Results

Written by `python -m benchmarks`; do not edit. Times are the best of several rounds, since other work on a machine can
only add to a time. *Ratio* is how many times as much the other way costs, in the same run.
"""


def condense(paths: Sequence[pathlib.Path]) -> dict[str, Any]:
    """Keep of pytest-benchmark's JSON what the table needs.

    Args:
        paths: the files that `--benchmark-json` wrote.

    Returns:
        A dict: "machine" with what it ran on, "date", and "comparisons" with a list of groups, each with its entries;
        an entry's value is in seconds or bytes for one unit of work.
    """
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    comparisons: dict[str, list[dict[str, Any]]] = {}
    for benchmark in itertools.chain.from_iterable(run["benchmarks"] for run in runs):
        comparisons.setdefault(benchmark["group"], []).append(_entry(benchmark))
    return {
        "machine": runs[0]["machine_info"] if runs else {},
        "date": runs[0]["datetime"][:10] if runs else "",
        "comparisons": [{"what": group, "entries": entries} for group, entries in comparisons.items()],
    }


def _entry(benchmark: dict[str, Any]) -> dict[str, Any]:
    stats, extra = benchmark["stats"], benchmark["extra_info"]
    kept = {key: extra[key] for key in ("of", "goal") if extra.get(key)}
    if "bytes" in extra:
        return {"way": extra["way"], "value": extra["bytes"], "unit": "B", **kept}
    value = stats["min"] / extra["units_per_call"]
    spread = {"rounds": stats["rounds"], "slowest_to_fastest": stats["max"] / stats["min"]}
    return {"way": extra["way"], "value": value, "unit": "s", **kept, **spread}


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any] | None:
    """Put what was measured again in the place of what was measured before.

    Args:
        old: a record.
        new: a record of some of its comparisons, or of others.

    Returns:
        A record of both; None where they ran on another machine, Python or version of a package that both had.
    """
    before, now = (dict(record["machine"]) for record in (old, new))
    versions = before.pop("versions"), now.pop("versions")
    if before != now or any(versions[0].get(name, version) != version for name, version in versions[1].items()):
        return None
    measured = {comparison["what"]: comparison for comparison in (*old["comparisons"], *new["comparisons"])}
    days = sorted({*old["date"].split(" to "), *new["date"].split(" to ")})
    return {
        "machine": {**old["machine"], "versions": {**versions[0], **versions[1]}},
        "date": days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}",
        "comparisons": list(measured.values()),
    }


def write(record: dict[str, Any], path: pathlib.Path) -> None:
    """Write a record, and the tables of all records beside it."""
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (path.parent / "README.md").write_text(page(path.parent), encoding="utf-8")


def page(folder: pathlib.Path = FOLDER) -> str:
    """The page that shows every record of a folder, as Markdown."""
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return "\n".join([HEADING, *(f"{_machine(record)}\n\n{table(record)}" for record in records)])


def table(record: dict[str, Any]) -> str:
    """One row for each other way of doing a thing, as a Markdown table."""
    lines = ["| what | ours | the other way | ratio | goal | |", "| :--- | ---: | :--- | ---: | :--- | :--- |"]
    for comparison in record["comparisons"]:
        ours, *others = sorted(comparison["entries"], key=lambda entry: entry["way"] != "ours")
        lines += [_row(comparison["what"], ours, other) for other in others or [None]]
    return "\n".join(lines) + "\n"


def verdict(ours: dict[str, Any], other: dict[str, Any] | None) -> str:
    """Say whether the goal of a row is met: "met", "missed", or nothing where there is none."""
    goal = (other or {}).get("goal") or ours.get("goal")
    if goal is None:
        return ""
    if "value_at_most" in goal:
        return "met" if ours["value"] <= goal["value_at_most"] else "missed"
    return "met" if other and other["value"] / ours["value"] >= goal["ratio_at_least"] else "missed"


def _row(what: str, ours: dict[str, Any], other: dict[str, Any] | None) -> str:
    shown = f"{other['way']}: {_quantity(other)}" if other else ""
    ratio = _ratio(other["value"] / ours["value"]) if other else ""
    goal = (other or {}).get("goal") or ours.get("goal") or {"text": ""}
    return f"| {what} | {_quantity(ours)} | {shown} | {ratio} | {goal['text']} | {verdict(ours, other)} |"


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def _quantity(entry: dict[str, Any]) -> str:
    scales = {
        "s": [("s", 1), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)],
        "B": [("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1)],
        "": [("", 1)],  # a number of things, which the row names
    }[entry["unit"]]
    name, size = next((scale for scale in scales if entry["value"] >= scale[1]), scales[-1])
    return f"{entry['value'] / size:.3g} {name}{' a ' + entry['of'] if entry.get('of') else ''}".strip()


def _machine(record: dict[str, Any]) -> str:
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    title = f"{record['title']} on " if "title" in record else ""
    return (
        f"## {title}{machine['system']}, {machine['processor']}, {machine['cores']} cores\n\n"
        f"{record['date']}, Python {machine['python']}, {versions}; seed {machine['seed']}."
    )
