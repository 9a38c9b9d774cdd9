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
    aws,
    conformance,
    costs,
    deploy_fresh,
    deployed,
    first_delivery,
    gateways,
    hub_day,
    hubs,
    inventory_counts,
    inventory_reads,
    inventory_runtime,
    inventory_sales,
    line_states,
    push_attempts,
    pushes,
    simulated_hubs,
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
    aws,
    deployed,
    first_delivery,
    gateways,
    line_states,
    conformance,
    simulated_hubs,
    hub_day,
    hubs,
)
RESULTS = Path(__file__).with_name("results.json")

# The columns of the table that are numbers.
_FIGURES = (1, 2)

_say: Say = functools.partial(print, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Measure the rows that the arguments name (ids, or what ids begin with up to a dot), all without any.

    Returns the exit code.
    """
    known = sorted((row_id for benchmark in BENCHMARKS for row_id in benchmark.IDS), key=_place)
    strangers = [name for name in arguments if not any(_names(name, row_id) for row_id in known)]
    if strangers:
        _say(f"No row is called {', '.join(strangers)}. There are: {', '.join(known)}")
        return 2
    wanted = {row_id for row_id in known if not arguments or any(_names(name, row_id) for name in arguments)}
    measured: dict[str, Row] = {}
    for row in _measure(wanted):
        measured[row.id] = row
        # After each row, so that a run that is broken off keeps what it has.
        _keep(known, measured)
    _say(table([measured[row_id] for row_id in known if row_id in measured]))
    missing = sorted(wanted - measured.keys(), key=_place)
    if missing:
        _say(f"Not measured: {', '.join(missing)}")
    return 0 if not missing and all(row.ok for row in measured.values()) else 1


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, a line each under a heading: figures to the right, the claim last, as it is long."""
    lines = [("id", "value", "limit", "unit", "ok", "claim")]
    lines += [
        (row.id, f"{row.value:g}", f"{row.limit:g}", row.unit, "yes" if row.ok else "NO", row.claim) for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if column in _FIGURES else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _measure(wanted: set[str]) -> Iterator[Row]:
    started = time.monotonic()

    def progress(text: str) -> None:
        _say(f"{time.monotonic() - started:6.1f} s  {text}")

    for benchmark in BENCHMARKS:
        mine = wanted.intersection(benchmark.IDS)
        if mine:
            yield from benchmark.rows(progress, mine)


def _keep(known: Sequence[str], measured: dict[str, Row]) -> None:
    """Replace the rows measured now, keep the others, forget rows that nobody gives any more."""
    earlier = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    rows = {row["id"]: row for row in earlier} | {row.id: asdict(row) for row in measured.values()}
    kept = [rows[row_id] for row_id in known if row_id in rows]
    half = RESULTS.with_suffix(".half")
    half.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(RESULTS)


def _names(name: str, row_id: str) -> bool:
    return row_id == name or row_id.startswith(f"{name}.")


def _place(row_id: str) -> tuple[str, int]:
    """Return what sorts push.10 after push.9."""
    family, _, number = row_id.rpartition(".")
    return family, int(number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
