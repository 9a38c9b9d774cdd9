"""Numbers that change at random, their stream as shards deliver it, and what counts them, all in memory.

The tables answer as DynamoDB does what the projection and the recount ask of them; more they don't know.
"""

import contextlib
import random
import re
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.number import Number
from globalconnect.domain.times import SECOND
from globalconnect.store.dynamo import Dynamo, from_wire, to_wire
from globalconnect.store.numbers import Numbers, to_item
from globalconnect.store.pool_counts import CountsStore
from globalconnect.store.projection import count
from recount.recount import Recount

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

COUNTRY = "england"
OPERATORS = tuple(f"Operator {number}" for number in range(6))
SERVICES = ("tg", "go", "wa", "ig", "vk")
PARTNERS = (PartnerId("hub1"), PartnerId("hub2"), PartnerId("hub3"))
SHARDS = 4

NUMBERS_TABLE, POOLS_TABLE, COUNTED_TABLE, HOLDERS_TABLE = "Numbers", "Availability", "Counted", "Holders"
_KEYS = {
    NUMBERS_TABLE: ("phone",),
    POOLS_TABLE: ("country", "operator"),
    COUNTED_TABLE: ("phone",),
    HOLDERS_TABLE: ("partner_id",),
}
_PAGE = 20
_CLAUSE = re.compile(r"(attribute_not_exists)\(#(\w+)\)|#(\w+) = (:\w+)")
_UPDATE = re.compile(r"(?:REMOVE (?P<removed>[#\w, ]+?) )?ADD (?P<added>[#:\w, ]+)")

# What a pool counts: its numbers, those that are free, and how many of these are blocked per service.
type Sums = tuple[int, int, dict[str, int]]


class Killed(Exception):
    """The function is gone, in the middle of its work."""


@dataclass(slots=True)
class MemoryTables:
    """A client of DynamoDB with four tables, for threads too.

    `before_write` and `before_page` are called before it does either; no other thread crosses the former.
    """

    before_write: Callable[[], None] = lambda: None
    before_page: Callable[[str], None] = lambda _: None
    tables: dict[str, dict[tuple[str, ...], dict[str, Any]]] = field(
        default_factory=lambda: {table: {} for table in _KEYS}
    )
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803 - as AWS spells it
        with self._lock:
            found = {
                table: [self.tables[table].get(_key(table, key)) for key in asked["Keys"]]
                for table, asked in RequestItems.items()
            }
        return {"Responses": {table: [item for item in some if item is not None] for table, some in found.items()}}

    def scan(self, TableName: str, Limit: int = _PAGE, **asked: Any) -> dict[str, Any]:  # noqa: N803 - see above
        self.before_page(TableName)
        with self._lock:
            return self._page(TableName, min(Limit, _PAGE), asked.get("ExclusiveStartKey"))

    def _page(self, table: str, limit: int, after: Mapping[str, Any] | None) -> dict[str, Any]:
        keys = sorted(self.tables[table])
        if after is not None:
            keys = [key for key in keys if key > _key(table, after)]
        page = keys[:limit]
        answer: dict[str, Any] = {"Items": [self.tables[table][key] for key in page]}
        if len(page) < len(keys):
            last = zip(_KEYS[table], page[-1], strict=True)
            answer["LastEvaluatedKey"] = {name: {"S": value} for name, value in last}
        return answer

    def transact_write_items(self, TransactItems: Sequence[Any], **_: object) -> None:  # noqa: N803 - see above
        with self._lock:
            self.before_write()
            self._write(TransactItems)

    def _write(self, asked: Sequence[Any]) -> None:
        actions = [next(iter(action.items())) for action in asked]
        held = [self._holds(action) for _, action in actions]
        if not all(held):
            reasons = [{"Code": "None" if holds else "ConditionalCheckFailed"} for holds in held]
            answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(answer, "TransactWriteItems")
        for kind, action in actions:
            table = self.tables[action["TableName"]]
            if kind == "Put":
                table[_key(action["TableName"], action["Item"])] = action["Item"]
            elif kind == "Update":
                key = _key(action["TableName"], action["Key"])
                table[key] = _updated(table.get(key, action["Key"]), action)
            else:
                del table[_key(action["TableName"], action["Key"])]

    def _holds(self, action: Mapping[str, Any]) -> bool:
        key = _key(action["TableName"], action.get("Item") or action["Key"])
        item = self.tables[action["TableName"]].get(key, {})
        values = action.get("ExpressionAttributeValues", {})
        ways = action["ConditionExpression"].split(" OR ")
        return any(all(_clause_holds(clause, item, values) for clause in way.split(" AND ")) for way in ways)


def _key(table: str, item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in _KEYS[table])


def _clause_holds(clause: str, item: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    match = _CLAUSE.fullmatch(clause)
    assert match, clause
    function, absent, name, value = match.groups()
    if function:
        return absent not in item
    return name in item and bool(from_wire({"": item[name]}) == from_wire({"": values[value]}))


def _updated(item: Mapping[str, Any], action: Mapping[str, Any]) -> dict[str, Any]:
    match = _UPDATE.fullmatch(action["UpdateExpression"])
    assert match, action["UpdateExpression"]
    removed = {name.strip("# ") for name in (match["removed"] or "").split(",")}
    kept = {name: value for name, value in from_wire(item).items() if name not in removed}
    values = from_wire(action["ExpressionAttributeValues"])
    for addition in match["added"].split(", "):
        name, value = addition.split(" ")
        more = values[value]
        kept[name[1:]] = kept.get(name[1:], set()) | more if isinstance(more, set) else kept.get(name[1:], 0) + more
    return to_wire(kept)


@dataclass(slots=True)
class Stock:
    """Numbers that change at random, and the changes that each shard of their stream still has to deliver.

    Batches are cut anywhere, come again whole, or overlap; functions are killed before or after their write; and
    while one shard counts, others do. Of each number the order is kept. `now` goes on 20 s with every change.
    """

    seed: int
    size: int = 300
    tables: MemoryTables = field(default_factory=MemoryTables)
    numbers: dict[str, Number] = field(default_factory=dict)
    now: int = 0
    _streams: list[list[Number]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])
    _working: set[int] = field(default_factory=set)
    _rolls: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._rolls = random.Random(self.seed)
        self.tables.before_write = self._meet_others

    @property
    def db(self) -> Dynamo:
        return Dynamo(cast("DynamoDBClient", self.tables), pause=lambda _: None)

    @property
    def counts(self) -> CountsStore:
        return CountsStore(self.db, POOLS_TABLE, COUNTED_TABLE, HOLDERS_TABLE, lambda: self.now)

    def recount(self, pause: Callable[[float], None] = lambda _: None) -> Recount:
        ids = (str(number) for number in iter(lambda: self._rolls.randrange(2**40), None))
        return Recount(Numbers(self.db, NUMBERS_TABLE), self.counts, lambda: next(ids), pause)

    # ---------------------------------------------------------- what happens to numbers

    def change(self) -> Number:
        """Let something happen to a number, or let a new one come."""
        phone = str(447_472_000_000 + self._rolls.randrange(self.size))
        number = self.numbers.get(phone)
        if number is None:
            return self.put(Number(phone, COUNTRY, self._rolls.choice(OPERATORS), available_from=0))
        return self.put(replace(self._changed(number), version=number.version + 1))

    def _changed(self, number: Number) -> Number:
        service = self._rolls.choice(SERVICES)
        match self._rolls.randrange(8):
            case 0:
                return replace(number, enabled=not number.enabled)
            case 1:
                return replace(number, operator=self._rolls.choice(OPERATORS))
            case 2:
                return replace(number, activation_id=None, partner_id=None, resting=True)
            case 3:
                return replace(number, blocked=number.blocked ^ {service})
            case 4 | 5:
                buyer = self._rolls.choice(PARTNERS)
                return replace(
                    number,
                    activation_id=ActivationId(self._rolls.randrange(1, 2**53)),
                    partner_id=buyer,
                    resting=False,
                )
            case _:
                blocked = number.blocked | {service}
                return replace(number, activation_id=None, partner_id=None, resting=False, blocked=blocked)

    def put(self, number: Number) -> Number:
        """Store a number as it is now; the stream has that to deliver."""
        self.now += 20 * SECOND
        self.numbers[number.phone] = number
        item = to_item(number)
        if number.activation_id is not None or number.resting:
            item |= {"activation_id": number.activation_id, "partner_id": number.partner_id, "held_shard": "0"}
        self.tables.tables[NUMBERS_TABLE][(number.phone,)] = to_wire(item)
        self._streams[zlib.crc32(number.phone.encode()) % SHARDS].append(number)
        return number

    # ---------------------------------------------------------- what the stream delivers

    def live(self, changes: int) -> None:
        """Let so many changes happen while the stream delivers, and in the end all that is left."""
        while changes > 0:
            some = min(changes, self._rolls.randrange(1, 200))
            for _ in range(some):
                self.change()
            changes -= some
            self.deliver()
        self.catch_up()

    def catch_up(self) -> None:
        while any(self._streams):
            self.deliver()

    def deliver(self) -> None:
        """Let some shard that is not at work deliver a batch."""
        free = [shard for shard in range(SHARDS) if shard not in self._working and self._streams[shard]]
        if free:
            self._deliver(self._rolls.choice(free))

    def _deliver(self, shard: int) -> None:
        stream = self._streams[shard]
        batch = stream[: self._rolls.randrange(1, 200)]
        self._working.add(shard)
        with contextlib.suppress(Killed):
            count(batch, self.counts)
            if self._rolls.random() < 0.1:
                # It comes again whole, though all of it was written.
                count(batch, self.counts)
            # After it was killed, what comes next begins anywhere in what was counted already.
            done = self._rolls.randrange(len(batch) + 1) if self._rolls.random() < 0.1 else len(batch)
            del stream[:done]
        self._working.discard(shard)

    def _meet_others(self) -> None:
        if not self._working:
            return
        if self._rolls.random() < 0.03:
            raise Killed
        if len(self._working) < SHARDS and self._rolls.random() < 0.2:
            self.deliver()

    # ---------------------------------------------------------- what is counted, and what is true

    def held(self) -> dict[str, int]:
        """Return how many numbers partners are counted to hold, by their id; those with none are left out."""
        return {count.partner_id: count.held for count in self.counts.every_holder() if count.held}

    def truly_held(self) -> dict[str, int]:
        holders = [number.partner_id for number in self.numbers.values() if number.activation_id is not None]
        return dict(Counter(holder for holder in holders if holder is not None))

    def counted(self) -> dict[str, Sums]:
        """Return what the pools count, by operator; those that count nothing are left out."""
        pools = {pool.operator: (pool.total, pool.free, pool.blocked_free) for pool in self.counts.every_pool()}
        return {operator: sums for operator, sums in pools.items() if sums != (0, 0, {})}

    def true(self) -> dict[str, Sums]:
        """Return what the pools should count, in the words of the contract."""
        true: dict[str, Sums] = {}
        for operator in sorted({number.operator for number in self.numbers.values()}):
            here = [number for number in self.numbers.values() if number.enabled and number.operator == operator]
            free = [number for number in here if number.activation_id is None and not number.resting]
            blocked = {code: sum(code in number.blocked for number in free) for code in SERVICES}
            if here:
                true[operator] = (len(here), len(free), {code: count for code, count in blocked.items() if count})
        return true
