"""Measures what the product claims: `make bench`, or `make bench ARGS="push.9 inventory"` for some of the rows.

Prints a table and keeps the rows in bench/results.json: those measured now, and of those that were not the last ones.
Ends with 1 when a claim does not hold, with 2 when the arguments name no row.
"""

import functools
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bench import (
    costs,
    deploy_fresh,
    inventory_counts,
    inventory_reads,
    inventory_runtime,
    inventory_sales,
    push_attempts,
    pushes,
)
from bench.row import Benchmark, Row, Say

BENCHMARKS: tuple[Benchmark, ...] = (
    pushes,
    push_attempts,
    inventory_sales,
    inventory_counts,
    inventory_reads,
    inventory_runtime,
    costs,
    deploy_fresh,
)
RESULTS = Path(__file__).with_name("results.json")

# The columns of the table that are numbers.
_FIGURES = (1, 2)

_say: Say = functools.partial(print, flush=True)


def main(
    arguments: Sequence[str], benchmarks: Sequence[Benchmark] = BENCHMARKS, results: Path = RESULTS, say: Say = _say
) -> int:
    """Measure the rows that the arguments name (ids, or what ids begin with up to a dot), all without any.

    Returns the exit code.
    """
    known = sorted((row_id for benchmark in benchmarks for row_id in benchmark.IDS), key=_place)
    strangers = [name for name in arguments if not any(_names(name, row_id) for row_id in known)]
    if strangers:
        say(f"No row is called {', '.join(strangers)}. There are: {', '.join(known)}")
        return 2
    wanted = {row_id for row_id in known if not arguments or any(_names(name, row_id) for name in arguments)}
    measured: dict[str, Row] = {}
    for row in _measure(benchmarks, wanted, say):
        measured[row.id] = row
        # After each row, so that a run that is broken off keeps what it has.
        _keep(results, known, measured)
    say(table([measured[row_id] for row_id in known if row_id in measured]))
    missing = sorted(wanted - measured.keys(), key=_place)
    if missing:
        say(f"Not measured: {', '.join(missing)}")
    return 0 if not missing and all(row.ok for row in measured.values()) else 1


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, a line each under a heading: figures to the right, the claim last, as it is long."""
    lines = [("id", "value", "limit", "unit", "ok", "claim")]
    lines += [(row.id, f"{row.value:g}", f"{row.limit:g}", row.unit, _yes(ok=row.ok), row.claim) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column in _FIGURES else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _measure(benchmarks: Sequence[Benchmark], wanted: set[str], say: Say) -> Iterator[Row]:
    started = time.monotonic()

    def progress(text: str) -> None:
        say(f"{time.monotonic() - started:6.1f} s  {text}")

    for benchmark in benchmarks:
        mine = wanted.intersection(benchmark.IDS)
        if mine:
            yield from benchmark.rows(progress, mine)


def _keep(results: Path, known: Sequence[str], measured: dict[str, Row]) -> None:
    """Replace the rows measured now, keep the others, forget rows that nobody gives any more."""
    earlier = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    rows = {row["id"]: row for row in earlier} | {row.id: asdict(row) for row in measured.values()}
    kept = [rows[row_id] for row_id in known if row_id in rows]
    half = results.with_suffix(".half")
    half.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(results)


def _names(name: str, row_id: str) -> bool:
    return row_id == name or row_id.startswith(f"{name}.")


def _place(row_id: str) -> tuple[str, int]:
    """Return what sorts push.10 after push.9."""
    family, _, number = row_id.rpartition(".")
    return family, int(number)


def _yes(*, ok: bool) -> str:
    return "yes" if ok else "NO"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
