"""The index by-pool in memory, which pages as DynamoDB does, and what GET_NUMBER reads of it.

Calls, numbers and bytes are counted, not time; what reads the model is the real use case. Queries of one round are those
that were under way together: a barrier lets them go only when the round is full.
"""

import random
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from globalconnect.domain.activation import Activation, Hold
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.number import pool_of
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import AskedPools, GetNumber, WantedNumber
from globalconnect.domain.times import DAY, MINUTE, SECOND
from globalconnect.runtime.startup import Environment
from globalconnect.store.dynamo import Dynamo, Item, from_wire, to_wire
from partner_api.issue import issue
from partner_api.wiring import Parts, build
from simulation.aws import START as NOW
from simulation.aws import TEMPLATE, variables
from simulation.shop import COUNTRY, OPERATOR

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

SIDE_BY_SIDE = 20
_PHONE_OF_ANY = "447472190000"
_FULL_WITHIN_SECONDS = 30
_MEGABYTE = 1024 * 1024
SERVICE = "tg"
_ENVIRONMENT = Environment({**variables(TEMPLATE, {}), "REST_MINUTES": "0"})
_SOLD_FOR = frozenset({SERVICE, "go", "wa", "ig", "vk"})
_KEY_CONDITION = "#pool = :pool AND #available_from BETWEEN :since AND :now"
_FILTER = "NOT contains(#blocked, :service)"
# The model's numbers are never held beyond a lease.
_FOR_SALE = f"#pool = :pool AND #available_from <= :now AND attribute_not_exists(#overdue_at) AND {_FILTER}"


_PARTNER = Partner(
    PartnerId("benchpartn"), "Bench", "key", push_url=None, services=None, dialect="globalconnect", created_at=NOW
)


@dataclass(slots=True)
class Reads:
    """What queries have read: how often, numbers, and bytes as DynamoDB counts them."""

    queries: int = 0
    numbers: int = 0
    size: int = 0

    def __str__(self) -> str:
        return f"{self.numbers:,} numbers, {self.size:,} bytes in {self.queries}"


@dataclass(slots=True)
class PoolIndex:
    """The index by-pool in memory. It answers the one query that is asked of it, by Limit and by the megabyte."""

    read: Reads = field(default_factory=Reads)
    _items: dict[str, Item] = field(default_factory=dict)
    _order: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def entry(self, phone: str) -> Item:
        """Return what is entered of a number. Raises KeyError."""
        return self._items[phone]

    def put(self, phone: str, pool: str | None, available_from: int, blocked: frozenset[str]) -> None:
        """Enter a number as it is now, in place of what was entered of it; without a pool it is in none."""
        before = self._items.pop(phone, None)
        if before is not None:
            order = self._order[before["pool"]]
            del order[bisect_left(order, (before["available_from"], phone))]
        if pool is not None:
            self._items[phone] = {"phone": phone, "pool": pool, "available_from": available_from, "blocked": blocked}
            insort(self._order.setdefault(pool, []), (available_from, phone))

    def query(self, **asked: Any) -> dict[str, Any]:
        _expect(asked["IndexName"], "by-pool")
        _expect(asked["KeyConditionExpression"], _KEY_CONDITION)
        _expect(asked["FilterExpression"], _FILTER)
        values = from_wire({name[1:]: value for name, value in asked["ExpressionAttributeValues"].items()})
        order = self._order.get(values["pool"], [])
        at = bisect_left(order, (values["since"], ""))
        if "ExclusiveStartKey" in asked:
            last = from_wire(asked["ExclusiveStartKey"])
            at = max(at, bisect_right(order, (last["available_from"], last["phone"])))
        end = bisect_left(order, (values["now"] + 1, ""))
        found: list[Item] = []
        size = count = 0
        while at < end and count < asked["Limit"] and size < _MEGABYTE:
            item = self._items[order[at][1]]
            at, count, size = at + 1, count + 1, size + _size_of(item)
            if values["service"] not in item["blocked"]:
                found.append(item)
        self.read.queries += 1
        self.read.numbers += count
        self.read.size += size
        answer: dict[str, Any] = {"Items": [to_wire(item) for item in found], "ScannedCount": count}
        # As in DynamoDB, a page that ended by its limit has a key to go on from, also when nothing comes after it.
        if count == asked["Limit"] or size >= _MEGABYTE:
            available_from, phone = order[at - 1]
            key = {"phone": phone, "pool": values["pool"], "available_from": available_from}
            answer["LastEvaluatedKey"] = to_wire(key)
        return answer


@dataclass(slots=True)
class PoolClient:
    """A client of DynamoDB that knows one service and one pool, and sells its numbers."""

    index: PoolIndex

    def query(self, **asked: Any) -> dict[str, Any]:
        return self.index.query(**asked)

    def scan(self, **_: object) -> dict[str, Any]:
        return {"Items": [to_wire({"code": SERVICE, "name": "Telegram", "reusable": False, "enabled": True})]}

    def transact_write_items(self, TransactItems: Any, **_: object) -> None:  # noqa: N803 - as AWS spells it
        asked = TransactItems[0]["Update"]
        _expect(asked["ConditionExpression"], _FOR_SALE)
        values = from_wire({name[1:]: value for name, value in asked["ExpressionAttributeValues"].items()})
        phone = asked["Key"]["phone"]["S"]
        item = self.index.entry(phone)
        if item["available_from"] > values["now"] or values["service"] in item["blocked"]:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException"},
                "CancellationReasons": [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}],
                "ResponseMetadata": {"RetryAttempts": 0},
            }
            raise ClientError(answer, "TransactWriteItems")
        self.index.put(phone, item["pool"], values["until"], item["blocked"])


@dataclass(slots=True)
class ModelPool:
    """A pool of numbers, and environments that sell them."""

    index: PoolIndex = field(default_factory=PoolIndex)
    now: int = NOW
    rng: random.Random = field(default_factory=lambda: random.Random(5))

    def stock(self, count: int, used_up: Collection[int]) -> None:
        """Enter numbers that came free one after the other, the last a day ago; those at these places are used up."""
        pool = pool_of(COUNTRY, OPERATOR)
        for place in range(count):
            blocked = _SOLD_FOR if place in used_up else _SOLD_FOR - {SERVICE}
            self.index.put(str(447_472_000_000 + place), pool, NOW - DAY - (count - place) * SECOND, blocked)

    def environment(self) -> Parts:
        db = Dynamo(cast("DynamoDBClient", PoolClient(self.index)))
        return build(_ENVIRONMENT, db, lambda: self.now, self.rng.randrange)

    def buy(self, environment: Parts, exception_prefixes: tuple[str, ...] = ()) -> tuple[Activation | None, Reads]:
        """Ask for a number; return the sale if any, and what was read for it."""
        self.index.read = Reads()
        asked = GetNumber(COUNTRY, OPERATOR, SERVICE, exception_prefixes=exception_prefixes)
        wanted = WantedNumber((AskedPools(COUNTRY, frozenset({OPERATOR})),), SERVICE, asked)
        sale = issue(wanted, _PARTNER, Hold.LEASE, environment)
        return sale, self.index.read

    def give_back(self, sale: Activation) -> None:
        """Return a number a minute later; another minute later somebody else asks."""
        item = self.index.entry(sale.phone)
        self.now += MINUTE
        self.index.put(sale.phone, item["pool"], self.now, item["blocked"])
        self.now += MINUTE


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
class CallForAny:
    """What a call for `any` came to: the phone it sold, which pools were asked, in how many rounds, how wide at most."""

    phone: str | None
    queries: int
    rounds: int
    most_at_once: int


def exclude_all(size: int) -> Reads:
    """Ask for a number of a pool of a size of which none is wanted; return what was read. Raises ValueError for a sale."""
    pool = ModelPool()
    pool.stock(size, used_up=())
    sale, reads = pool.buy(pool.environment(), exception_prefixes=("44",))
    if sale is not None:
        raise ValueError("an excluded number was sold")
    return reads


def units_of(reads: Reads) -> float:
    """Return the read units that queries of an index cost: half a unit for 4 KB, of each query's last 4 KB all."""
    return (reads.size / 4096 + reads.queries) / 2


def ask_any(pools: int) -> CallForAny:
    """Ask for a number of any operator of a country whose counts say that nothing is left; the last pool has one."""
    pool = ModelPool()
    pool.index.put(_PHONE_OF_ANY, pool_of(COUNTRY, operator_of(pools - 1)), NOW - 1, frozenset())
    client = CountryClient(pool.index, pools)
    environment = build(_ENVIRONMENT, Dynamo(cast("DynamoDBClient", client)), lambda: pool.now, pool.rng.randrange)
    wanted = WantedNumber((AskedPools(COUNTRY),), SERVICE, GetNumber(COUNTRY, None, SERVICE))
    sale = issue(wanted, _PARTNER, Hold.LEASE, environment)
    return CallForAny(sale.phone if sale else None, pool.index.read.queries, client.rounds, client.most_at_once)


def operator_of(place: int) -> str:
    return f"{OPERATOR} {place:04}"


def _sold_out(operator: str) -> dict[str, object]:
    return {"country": COUNTRY, "operator": operator, "total": 1, "free": 0, "blocked_free": "", "version": 1}


def _expect(asked: str, known: str) -> None:
    if asked != known:
        raise NotImplementedError(asked)


def _size_of(item: Mapping[str, Any]) -> int:
    """Return the size of an entry: the names of its attributes and their values, a number taking half its digits."""
    values = len(item["phone"]) + len(item["pool"]) + len(str(item["available_from"])) // 2 + 2
    blocked = 3 + sum(1 + len(service) for service in item["blocked"]) if item["blocked"] else 0
    return len("phonepoolavailable_from") + values + (len("blocked") + blocked if blocked else 0)
