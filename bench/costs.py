"""Rows inventory.10 and deploy.7: what a million sales, and a month without any, cost at list prices.

Writes docs/costs.md, which says it in full.

make costs                              writes it again
python -m bench.costs --check           only tells whether it is what the code, the template and the prices give
python -m bench.costs --durations       measures the processor times (bench/durations.json) again first
"""

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from bench.costing import page
from bench.costing.assumed import IDLE, USUAL
from bench.costing.measured import measure, remeasure
from bench.costing.month import month, total
from bench.costing.prices import by_service
from bench.row import Row, Say

IDS = ("inventory.10", "deploy.7")
FILE = Path(__file__).parents[1] / "docs" / "costs.md"

# US$ for a million sales, and for a month in which nobody calls.
MOST, MOST_IDLE = 120, 15

# A fiftieth of a cent per sale: a share of a number's price that nobody notices, at a few cents for the cheapest.
LIMIT = 200


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Compute the rows, without writing the document."""
    measured = measure()
    sales, idle = (by_service(total(month(measured, profile))) for profile in (USUAL, IDLE))
    for name, costs in (("a million sales", sales), ("10,000 numbers and nobody calling", idle)):
        services = ", ".join(f"{service} {cost:.2f}" for service, cost in costs.items())
        progress(f"costs: US$ {sum(costs.values()):.2f} for {name}: {services}")
    cost = round(sum(sales.values()), 1)
    share = max(sum(sales.values()) / MOST, sum(idle.values()) / MOST_IDLE)
    found = (
        Row(
            "deploy.7",
            f"a million sales a month cost at most US$ {MOST}, and a month with 10,000 numbers and nobody calling {MOST_IDLE}",
            round(share, 4),
            "of the limit, the larger of the two",
            1,
            share <= 1,
        ),
        Row(
            "inventory.10",
            "a million sales a month of the profile in docs/costs.md cost at most a fiftieth of a cent each at list prices",
            cost,
            "US$ per million sales",
            LIMIT,
            cost <= LIMIT,
        ),
    )
    yield from (row for row in found if row.id in wanted)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or check it; return an exit code that tells whether it is what it should be."""
    parser = argparse.ArgumentParser(prog="python -m bench.costs", description="Write docs/costs.md.")
    parser.add_argument("--check", action="store_true", help="only tell whether the file is what the code gives")
    parser.add_argument("--durations", action="store_true", help="measure the processor times again first")
    given = parser.parse_args(arguments)
    if given.durations:
        remeasure()
    text = page.rendered(measure())
    if not given.check:
        FILE.write_text(text, encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/costs.md is not what the code gives; write it again: make costs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
