"""Row inventory.5: what GET_NUMBER reads of a pool, when all of it is eligible for the service, and when one number is.

Numbers and bytes are counted, not time: the pool is a model of the index by-pool in memory, which pages as DynamoDB
does, and what reads it is the real use case.
"""

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from bench.row import Row, Say
from globalconnect.domain.activation import Activation
from globalconnect.domain.number import pool_of
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import GetNumber
from globalconnect.domain.times import DAY, MINUTE, SECOND
from globalconnect.runtime.settings import PartnerApiSettings
from globalconnect.store.dynamo import Dynamo, Item, from_wire, to_wire
from partner_api.issue import issue
from partner_api.wiring import Parts, build

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

IDS = ("inventory.5",)

SIZES = (1_000, 10_000, 100_000)
# A page of the index: what a call reads that finds its number at once.
AT_MOST = 50
ROUNDS = 10

NOW = 1_790_000_000_000
_MEGABYTE = 1024 * 1024
COUNTRY, OPERATOR, SERVICE = "england", "Hutchison 3G UK Ltd", "tg"
SETTINGS = PartnerApiSettings("P", "S", "N", "A", "V", "H", 60, 5, 0, 0, 30, 60)
_SOLD_FOR = frozenset({SERVICE, "go", "wa", "ig", "vk"})
_KEY_CONDITION = "#pool = :pool AND #available_from BETWEEN :since AND :now"
_FILTER = "NOT contains(#blocked, :service)"
_FOR_SALE = f"#pool = :pool AND #available_from <= :now AND {_FILTER}"


@dataclass(slots=True)
class Reads:
    """What queries have read: how often, numbers, and bytes as DynamoDB counts them."""

    queries: int = 0
    numbers: int = 0
    size: int = 0

    def __str__(self) -> str:
        """Say it."""
        return f"{self.numbers:,} numbers, {self.size:,} bytes in {self.queries}"


@dataclass(slots=True)
class PoolIndex:
    """The index by-pool in memory. It answers the one query that is asked of it, by Limit and by the megabyte."""

    read: Reads = field(default_factory=Reads)
    _items: dict[str, Item] = field(default_factory=dict)
    _order: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def __contains__(self, phone: str) -> bool:
        """Return whether a number is entered."""
        return phone in self._items

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
        """Answer a query as DynamoDB does."""
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
        """Read the index."""
        return self.index.query(**asked)

    def scan(self, **_: object) -> dict[str, Any]:
        """Return the catalogue."""
        return {"Items": [to_wire({"code": SERVICE, "name": "Telegram", "reusable": False, "enabled": True})]}

    def transact_write_items(self, TransactItems: Any, **_: object) -> None:  # noqa: N803 - as AWS spells it
        """Sell a number, on the conditions of a sale."""
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
class Shop:
    """A pool of numbers, and environments that sell them."""

    index: PoolIndex = field(default_factory=PoolIndex)
    now: int = NOW
    rng: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311 - guards nothing

    def stock(self, count: int, used_up: Collection[int]) -> None:
        """Enter numbers that came free one after the other, the last a day ago; those at these places are used up."""
        pool = pool_of(COUNTRY, OPERATOR)
        for place in range(count):
            blocked = _SOLD_FOR if place in used_up else _SOLD_FOR - {SERVICE}
            self.index.put(str(447_472_000_000 + place), pool, NOW - DAY - (count - place) * SECOND, blocked)

    def environment(self) -> Parts:
        """Return an environment that has sold nothing yet."""
        db = Dynamo(cast("DynamoDBClient", PoolClient(self.index)))
        return build(SETTINGS, db, lambda: self.now, self.rng.randrange)

    def buy(self, environment: Parts, exception_prefixes: tuple[str, ...] = ()) -> tuple[Activation | None, Reads]:
        """Ask for a number; return the sale if any, and what was read for it."""
        self.index.read = Reads()
        sale = issue(GetNumber(COUNTRY, OPERATOR, SERVICE, None, None, exception_prefixes), PARTNER, environment)
        return sale, self.index.read

    def give_back(self, sale: Activation) -> None:
        """Return a number a minute later; another minute later somebody else asks."""
        item = self.index.entry(sale.phone)
        self.now += MINUTE
        self.index.put(sale.phone, item["pool"], self.now, item["blocked"])
        self.now += MINUTE


@dataclass(frozen=True, slots=True)
class Figures:
    """What was read of pools of a size: when all numbers are eligible, and by calls of one environment when one is.

    `later` is the most that one of those calls reads after the second, wherever the one number stands.
    """

    all_eligible: Reads
    one_eligible: list[Reads]
    later: int
    found_always: bool


PARTNER = Partner("benchpartn", "Bench", "key", push_url=None, services=None, dialect="default", created_at=NOW)


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Measure inventory.5."""
    if "inventory.5" not in wanted:
        return
    measured = {size: measure(size) for size in SIZES}
    for size, figures in measured.items():
        progress(f"inventory.5: of {size:,} numbers, all eligible: {figures.all_eligible} queries")
        first, second, *_ = figures.one_eligible
        progress(f"inventory.5: of {size:,} numbers, one eligible: first call {first} queries")
        progress(f"inventory.5: of {size:,} numbers, one eligible: second call {second} queries")
        progress(f"inventory.5: of {size:,} numbers, one eligible: at most {figures.later} numbers in later calls")
    worst = max(max(figures.one_eligible[1].numbers, figures.later) for figures in measured.values())
    flat = len({figures.all_eligible.numbers for figures in measured.values()}) == 1
    found = all(figures.found_always for figures in measured.values())
    yield Row(
        "inventory.5",
        "GET_NUMBER finds the one eligible number of 1,000 to 100,000 every time, and an environment reads the used-up "
        "ones once; with all eligible, reads are flat",
        worst,
        "numbers read at most, calls after the first",
        AT_MOST,
        worst <= AT_MOST and flat and found,
    )


def measure(size: int, rounds: int = ROUNDS) -> Figures:
    """Count what is read of pools of a size. The one eligible number stands last, where finding it takes longest.

    It is also tried with the first and the middle one, behind which the second call has to read on.
    """
    shop = Shop()
    shop.stock(size, used_up=())
    sale, all_eligible = shop.buy(shop.environment())
    found = [sale is not None]
    reads: list[Reads] = []
    later = 0
    for place in (0, size // 2, size - 1):
        shop = Shop()
        shop.stock(size, used_up=set(range(size)) - {place})
        reads = list(_sell_again_and_again(shop, rounds, found))
        later = max(later, *(read.numbers for read in reads[2:]))
        found.append(shop.buy(shop.environment())[0] is not None)
    return Figures(all_eligible, reads, later, all(found))


def _sell_again_and_again(shop: Shop, rounds: int, found: list[bool]) -> Iterator[Reads]:
    """Sell the one number in one environment, `rounds` times; note whether it was found, and nothing while it is held.

    Returns what was read each time by a call that should find it.
    """
    warm = shop.environment()
    for _ in range(rounds):
        sale, read = shop.buy(warm)
        yield read
        found.append(sale is not None)
        if sale is None:
            return
        found.append(shop.buy(warm)[0] is None)
        shop.give_back(sale)


def _expect(asked: str, known: str) -> None:
    if asked != known:
        raise NotImplementedError(asked)


def _size_of(item: Mapping[str, Any]) -> int:
    """Return the size of an entry: the names of its attributes and their values, a number taking half its digits."""
    values = len(item["phone"]) + len(item["pool"]) + len(str(item["available_from"])) // 2 + 2
    blocked = 3 + sum(1 + len(service) for service in item["blocked"]) if item["blocked"] else 0
    return len("phonepoolavailable_from") + values + (len("blocked") + blocked if blocked else 0)
