"""Row inventory.10: what a million sales cost at list prices. Writes docs/costs.md, which says it in full.

make costs                              writes it again
python -m bench.costs --check           only tells whether it is what the code, the template and the prices give
python -m bench.costs --durations       measures the processor times (bench/durations.json) again first
"""

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from bench.costing import page, prices
from bench.costing.measured import measure
from bench.row import Row, Say

IDS = ("inventory.10",)
FILE = Path(__file__).parents[1] / "docs" / "costs.md"

# A fiftieth of a cent per sale: a share of a number's price that nobody notices, at a few cents for the cheapest.
LIMIT = 200


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Compute inventory.10, without writing the document."""
    if "inventory.10" not in wanted:
        return
    measured = measure()
    listed = prices.read()
    cost = round(listed.total(measured.month_of()), 1)
    for line in page.growth_lines(measured, listed):
        progress(f"inventory.10: {line}")
    yield Row(
        "inventory.10",
        "a million sales a month of the profile in docs/costs.md cost at most a fiftieth of a cent each at list prices",
        cost,
        "US$ per million sales",
        LIMIT,
        cost <= LIMIT,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or check it; the exit code tells whether it is what it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.costs", description="Write docs/costs.md.")
    parser.add_argument("--check", action="store_true", help="only tell whether the file is what the code gives")
    parser.add_argument("--durations", action="store_true", help="measure the processor times again first")
    given = parser.parse_args(arguments)
    if given.durations:
        from bench.costing import timing  # noqa: PLC0415 - brings an HTTP client along

        timing.measure()
    text = page.rendered(measure(), prices.read())
    if not given.check:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/costs.md is not what the code gives; write it again: make costs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
