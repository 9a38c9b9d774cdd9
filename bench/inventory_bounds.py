"""Row inventory.11: what GET_NUMBER reads at most, of a pool it is not to sell from and of a country that is sold out.

Calls and bytes are counted, not time, by the model of inventory.5. Queries of one round are those that were under way
together: a barrier lets them go only when the round is full.
"""

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from bench.inventory_reads import (
    COUNTRY,
    NOW,
    OPERATOR,
    PARTNER,
    SERVICE,
    SETTINGS,
    PoolClient,
    Reads,
    Shop,
)
from bench.row import Row, Say
from globalconnect.domain.number import pool_of
from globalconnect.domain.requests import GetNumber
from globalconnect.store.dynamo import Dynamo, to_wire
from partner_api.issue import issue
from partner_api.wiring import build

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

IDS = ("inventory.11",)

NUMBERS = 100_000
POOLS = 1_000
SIDE_BY_SIDE = 20
MOST_QUERIES = 4
MOST_UNITS = 100
CALL_MS = 8
MOST_MS = 500

_PHONE = "447472190000"
_FULL_WITHIN_SECONDS = 30


@dataclass(slots=True)
class CountryClient(PoolClient):
    """A client of DynamoDB that knows a country whose counts all say that nothing is left, and pools of it."""

    pools: int
    rounds: int = 0
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _round: threading.Barrier = field(init=False)

    def __post_init__(self) -> None:
        """Make a round as wide as it may be."""
        self._round = threading.Barrier(SIDE_BY_SIDE, self._note_round, _FULL_WITHIN_SECONDS)

    def query(self, **asked: Any) -> dict[str, Any]:
        """Return the counts of the country, or read a pool in a full round. Raises BrokenBarrierError without one."""
        if "IndexName" not in asked:
            return {"Items": [to_wire(_sold_out(operator_of(place))) for place in range(self.pools)]}
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self._round.wait()
        with self._lock:
            self._at_once -= 1
            return self.index.query(**asked)

    def _note_round(self) -> None:
        self.rounds += 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call for `any` came to: the phone it sold, which pools were asked, in how many rounds, how wide at most."""

    phone: str | None
    queries: int
    rounds: int
    most_at_once: int


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Measure inventory.11."""
    if "inventory.11" not in wanted:
        return
    excluded = exclude_all(NUMBERS)
    units = units_of(excluded)
    progress(f"inventory.11: all of {NUMBERS:,} numbers excluded: {excluded} queries, {units:g} read units")
    asked = ask_any(POOLS)
    progress(
        f"inventory.11: any of {POOLS:,} pools, one sells: {asked.queries} queries, {asked.most_at_once} side by side, "
        f"in {asked.rounds} rounds"
    )
    within = excluded.queries <= MOST_QUERIES and asked.rounds * CALL_MS <= MOST_MS
    yield Row(
        "inventory.11",
        "GET_NUMBER that excludes a whole pool of 100,000 makes 4 queries at most, and `any` over 1,000 pools whose counts "
        "say 0 finds the one that sells in 0.5 s of DynamoDB at 8 ms a call, 20 side by side",
        units,
        "read units of the call that excludes",
        MOST_UNITS,
        units <= MOST_UNITS and within and asked.most_at_once <= SIDE_BY_SIDE and asked.phone == _PHONE,
    )


def exclude_all(size: int) -> Reads:
    """Ask for a number of a pool of a size of which none is wanted; return what was read. Raises ValueError for a sale."""
    shop = Shop()
    shop.stock(size, used_up=())
    sale, reads = shop.buy(shop.environment(), exception_prefixes=("44",))
    if sale is not None:
        raise ValueError("an excluded number was sold")
    return reads


def units_of(reads: Reads) -> float:
    """Return the read units that queries of an index cost: half a unit for 4 KB, of each query's last 4 KB all."""
    return (reads.size / 4096 + reads.queries) / 2


def ask_any(pools: int) -> Asked:
    """Ask for a number of any operator of a country whose counts say that nothing is left; the last pool has one."""
    shop = Shop()
    shop.index.put(_PHONE, pool_of(COUNTRY, operator_of(pools - 1)), NOW - 1, frozenset())
    client = CountryClient(shop.index, pools)
    environment = build(SETTINGS, Dynamo(cast("DynamoDBClient", client)), lambda: shop.now, shop.rng.randrange)
    sale = issue(GetNumber(COUNTRY, None, SERVICE, None, None, ()), PARTNER, environment)
    return Asked(sale.phone if sale else None, shop.index.read.queries, client.rounds, client.most_at_once)


def operator_of(place: int) -> str:
    """Return the name of a pool's operator by its place."""
    return f"{OPERATOR} {place:04}"


def _sold_out(operator: str) -> dict[str, object]:
    return {"country": COUNTRY, "operator": operator, "total": 1, "free": 0, "blocked_free": "", "version": 1}
