"""Rows inventory.4 and inventory.6: the counts of GET_SERVICES, how right they are and what asking for them costs.

Both run the product's own code on tables in memory. Of GET_SERVICES it is the processor time outside the SDK: the
tables give what the SDK would have read, and all that is done with it until the answer is ready counts.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from bench.row import Row, Say
from bench.warm_requests import Canned, sent, size_of, stored
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.runtime.http import endpoint
from globalconnect.runtime.startup import Environment
from globalconnect.store.dynamo import Dynamo
from partner_api.app import answer
from partner_api.wiring import build
from simulation.aws import TEMPLATE, variables
from simulation.counting import Stock

IDS = ("inventory.4", "inventory.6")

CHANGES = 100_000
POOLS = 1_000
SERVICES = 100
# Numbers of a pool: what counts have to be written with as many digits as they may have.
NUMBERS = (1_000, 10_000)
RUNS = 15
MOST_MS = 50
MOST_READS = 3

_CODES = [first + second for first in "abcdefghij" for second in "qrstuvwxyz"]


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    if "inventory.4" in wanted:
        yield _right(progress)
    if "inventory.6" in wanted:
        yield _cheap(progress)


def _right(progress: Say) -> Row:
    stock = Stock(seed=4)
    stock.live(CHANGES)
    report = stock.recount().run()
    wrong = sum(stock.counted().get(operator) != sums for operator, sums in stock.true().items())
    wrong += sum(stock.held().get(partner_id) != held for partner_id, held in stock.truly_held().items())
    counts = report.pools + report.holders
    progress(f"inventory.4: after {CHANGES:,} changes {wrong} of {counts} pools and partners differ from the truth")
    pool = next(stock.counts.every_pool())
    pool.free += 1
    stock.counts.write([pool], [], {})
    repaired = stock.recount().run()
    progress(f"inventory.4: of 1 pool put wrong, the recount corrected {repaired.corrected_pools}")
    right = stock.counted() == stock.true() and repaired.off == 1
    return Row(
        "inventory.4",
        f"After {CHANGES:,} random changes, batches cut, repeated and interleaved, the recount finds nothing off, and "
        "it puts right what was put wrong on purpose",
        wrong + report.off,
        "counts and numbers off",
        0,
        wrong + report.off == 0 and right,
    )


def _cheap(progress: Say) -> Row:
    measured = [_ask(numbers, progress) for numbers in NUMBERS]
    most_reads, worst = (max(figures) for figures in zip(*measured, strict=True))
    return Row(
        "inventory.6",
        f"GET_SERVICES over {POOLS:,} pools and {SERVICES} services takes {MOST_READS} reads at most, however many "
        "numbers there are, and this processor time outside the SDK",
        round(worst, 1),
        "ms of the processor",
        MOST_MS,
        worst <= MOST_MS and most_reads <= MOST_READS,
    )


def _ask(numbers: int, progress: Say) -> tuple[int, float]:
    """Return how many reads one GET_SERVICES of a warm function takes, and how many ms of the processor."""
    environ, pools = variables(TEMPLATE, {}), _pools(numbers)
    client: Any = Canned(environ, _CODES, pools)
    # The counts are read every time, as by a function that is asked once a second; partner and catalogue are known.
    clock = iter(range(0, 10**9, 1_001))
    settings = Environment(environ)
    api = build(settings, Dynamo(client), lambda: next(clock), random.Random(1).randrange)  # noqa: S311 - guards nothing
    handler = endpoint(lambda asked: answer(asked, api))
    name = "partner_api/get-services-post.json"
    request, gzipped = sent(handler, name, {"Content-Type": "application/json"}), sent(handler, name)
    client.reads = 0
    body = request()["body"]
    reads, plain_ms, gzip_ms = client.reads, _milliseconds(request), _milliseconds(gzipped)
    progress(
        f"inventory.6: {POOLS:,} pools of {numbers:,} numbers, {SERVICES} services: {plain_ms:.1f} ms, with gzip "
        f"{gzip_ms:.1f} ms; {reads} reads; items of {max(map(size_of, stored(pools))):,} bytes; an answer of "
        f"{len(body.encode()):,} bytes"
    )
    return reads, plain_ms


def _milliseconds(request: Callable[[], object]) -> float:
    def once() -> float:
        gc.collect()
        began = time.process_time()
        request()
        return (time.process_time() - began) * 1_000

    return statistics.median(once() for _ in range(RUNS))


def _pools(numbers: int) -> list[PoolCounts]:
    """Return pools of that many numbers."""
    rolls = random.Random(6)  # noqa: S311 - guards nothing
    pools = []
    for place in range(POOLS):
        # Every service has been sold in every pool: there is nothing to leave out.
        blocked = {code: rolls.randrange(1, numbers) for code in _CODES}
        free = rolls.randrange(numbers // 2, numbers)
        pools.append(PoolCounts(f"country {place // 10}", f"Operator {place} Ltd", numbers, free, blocked))
    return pools
