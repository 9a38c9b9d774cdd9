"""Rows inventory.4 and inventory.6: the counts of GET_SERVICES, how right they are and what asking for them costs.

Both run the product's own code on tables in memory. Of GET_SERVICES it is the processor time outside the SDK: the
tables give what the SDK would have read, and all that is done with it until the answer is ready counts.
"""

import gc
import random
import statistics
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from bench.row import Row, Say
from bench.warm_requests import Item, stored
from globalconnect.domain.partner import Partner, digest_of
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.runtime.http import endpoint
from globalconnect.runtime.startup import Environment
from globalconnect.store.dynamo import Dynamo, to_wire
from partner_api.app import answer
from partner_api.wiring import Parts, build
from simulation.aws import TEMPLATE, variables
from simulation.counting import Stock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

IDS = ("inventory.4", "inventory.6")

CHANGES = 100_000
POOLS = 1_000
SERVICES = 100
# Numbers of a pool: what counts have to be written with as many digits as they may have.
NUMBERS = (1_000, 10_000)
RUNS = 15
MOST_MS = 50
MOST_READS = 3

_MEGABYTE = 1024 * 1024
_KEY = "gc_benchpartn_key"
_CODES = [first + second for first in "abcdefghij" for second in "qrstuvwxyz"]
_GZIP = {"Accept": "*/*", "Accept-Encoding": "gzip"}


@dataclass(slots=True)
class PagedTables:
    """A client of DynamoDB that knows the three tables of GET_SERVICES and gives them by pages of a megabyte."""

    tables: dict[str, list[Item]]
    pages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reads: int = 0

    def __post_init__(self) -> None:
        self.pages = {table: list(_paged(items)) for table, items in self.tables.items()}

    def get_item(self, TableName: str, **_: object) -> dict[str, Any]:  # noqa: N803 - as AWS spells it
        self.reads += 1
        return {"Item": self.tables[TableName][0]}

    def scan(self, TableName: str, **asked: Any) -> dict[str, Any]:  # noqa: N803 - see above
        self.reads += 1
        place = int(asked["ExclusiveStartKey"]["page"]["N"]) if "ExclusiveStartKey" in asked else 0
        return self.pages[TableName][place]


def _paged(items: list[Item]) -> Iterator[dict[str, Any]]:
    page: list[Item] = []
    size = place = 0
    for item in items:
        page.append(item)
        size += _size_of(item)
        if size >= _MEGABYTE:
            place += 1
            yield {"Items": page, "LastEvaluatedKey": {"page": {"N": str(place)}}}
            page, size = [], 0
    yield {"Items": page}


def _size_of(item: Mapping[str, Any]) -> int:
    """Return the size of an item as DynamoDB counts it: names and values, a number taking half its digits and one."""
    return sum(
        len(name) + (len(text) // 2 + 2 if kind == "N" else len(str(text)))
        for name, value in item.items()
        for kind, text in value.items()
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What one GET_SERVICES cost: reads of a warm function and of a new one, ms of the processor, and bytes."""

    reads: int
    reads_of_a_new_one: int
    plain_ms: float
    gzip_ms: float
    item_bytes: int
    answer_bytes: int


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
    measured = {numbers: _ask(numbers) for numbers in NUMBERS}
    for numbers, asked in measured.items():
        progress(
            f"inventory.6: {POOLS:,} pools of {numbers:,} numbers, {SERVICES} services: {asked.plain_ms:.1f} ms, with "
            f"gzip {asked.gzip_ms:.1f} ms; {asked.reads} reads, {asked.reads_of_a_new_one} of a new function; items of "
            f"{asked.item_bytes:,} bytes; an answer of {asked.answer_bytes:,} bytes"
        )
    worst = max(asked.plain_ms for asked in measured.values())
    reads = max(asked.reads for asked in measured.values())
    return Row(
        "inventory.6",
        f"GET_SERVICES over {POOLS:,} pools and {SERVICES} services takes {MOST_READS} reads at most, however many "
        "numbers there are, and this processor time outside the SDK",
        round(worst, 1),
        "ms of the processor",
        MOST_MS,
        worst <= MOST_MS and reads <= MOST_READS,
    )


def _ask(numbers: int) -> Cost:
    tables = PagedTables(_tables(numbers))
    new = _function(tables)
    _call(new, {})
    of_a_new_one, tables.reads = tables.reads, 0
    body = _call(new, {})["body"]
    reads = tables.reads
    return Cost(
        reads=reads,
        reads_of_a_new_one=of_a_new_one,
        plain_ms=_milliseconds(new, {}),
        gzip_ms=_milliseconds(new, _GZIP),
        item_bytes=max(_size_of(item) for item in tables.tables["AvailabilityTable"]),
        answer_bytes=len(body.encode()),
    )


def _milliseconds(api: Parts, headers: Mapping[str, str]) -> float:
    def once() -> float:
        gc.collect()
        began = time.process_time()
        _call(api, headers)
        return (time.process_time() - began) * 1_000

    return statistics.median(once() for _ in range(RUNS))


def _call(api: Parts, headers: Mapping[str, str]) -> dict[str, Any]:
    event = {
        "httpMethod": "GET",
        "headers": dict(headers),
        "multiValueQueryStringParameters": {"key": [_KEY], "action": ["GET_SERVICES"]},
        "body": None,
    }
    proxied = endpoint(lambda asked: answer(asked, api))(event, None)
    if proxied["statusCode"] != 200:  # noqa: PLR2004 - as HTTP says it
        raise AssertionError("GET_SERVICES failed")
    return proxied


def _function(tables: PagedTables) -> Parts:
    # The counts are read every time, as by a function that is asked once a second; partner and catalogue are known.
    clock = iter(range(0, 10**9, 1_001))
    env = Environment(variables(TEMPLATE, {}))
    return build(env, Dynamo(cast("DynamoDBClient", tables)), lambda: next(clock), random.Random(1).randrange)  # noqa: S311 - guards nothing


def _tables(numbers: int) -> dict[str, list[Item]]:
    partner = Partner("benchpartn", "Bench", _KEY, push_url=None, services=None, dialect="default", created_at=0)
    item = {
        "partner_id": partner.partner_id,
        "name": partner.name,
        "key": partner.key,
        "key_sha256": digest_of(partner.key),
        "dialect": "default",
    }
    services = [{"code": code, "name": code, "reusable": False, "enabled": True} for code in _CODES]
    return {
        "PartnersTable": [to_wire({**item, "created_at": 0})],
        "ServicesTable": [to_wire(service) for service in services],
        "AvailabilityTable": _pools(numbers),
    }


def _pools(numbers: int) -> list[Item]:
    """Return the items of pools of that many numbers, as the projection writes them."""
    rolls = random.Random(6)  # noqa: S311 - guards nothing
    pools = []
    for place in range(POOLS):
        # Every service has been sold in every pool: there is nothing to leave out.
        blocked = {code: rolls.randrange(1, numbers) for code in _CODES}
        free = rolls.randrange(numbers // 2, numbers)
        pools.append(PoolCounts(f"country {place // 10}", f"Operator {place} Ltd", numbers, free, blocked))
    return stored(pools)
