"""Tables and their indexes in memory, in order of their keys."""

import itertools
import time
import zlib
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulation.dynamodb.values import Invalid, Stored, check, kind_of, plain, size_of

# The values of a key as Python compares them: of the partition, and of the sort key if there is one.
type KeyValues = tuple[Any, Any]
# What is in an index: the value of its sort key, and the key of the item.
type Entry = tuple[Any, KeyValues]
type Record = dict[str, Any]

_LARGEST_ITEM = 400 * 1024
_LARGEST_HASH, _LARGEST_SORT = 2048, 1024
_serial = itertools.count(1)


class _Above:
    """More than any value."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


ABOVE: Any = _Above()


@dataclass(slots=True)
class Index:
    """Items by a key, whole or the attributes that are `projected`; a table is one over all its items.

    `late` are changes that are not in it yet: when each will be (ms), the key and the item then.
    """

    hash_name: str
    sort_name: str | None
    projected: frozenset[str] | None = None
    partitions: dict[Any, list[Entry]] = field(default_factory=dict)
    items: dict[KeyValues, Stored] = field(default_factory=dict)
    late: deque[tuple[int, KeyValues, Stored | None]] = field(default_factory=deque)

    @property
    def key_names(self) -> tuple[str, ...]:
        return (self.hash_name,) if self.sort_name is None else (self.hash_name, self.sort_name)

    def place(self, item: Stored) -> tuple[Any, Any] | None:
        """Return where an item is in the index, None when it isn't."""
        values = [plain(item[name]) for name in self.key_names if name in item]
        if len(values) < len(self.key_names):
            return None
        return values[0], values[1] if self.sort_name is not None else None

    def catch_up(self, now: int) -> None:
        """Let changes be in it that have to be by a time (ms)."""
        while self.late and self.late[0][0] <= now:
            _, key, item = self.late.popleft()
            self.change(key, item)

    def change(self, key: KeyValues, item: Stored | None) -> None:
        """Have an item in it as it is now, None when it is gone."""
        before = self.items.get(key)
        was = None if before is None else self.place(before)
        now = None if item is None else self.place(item)
        if item is None or now is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item
        if was == now:
            return
        if was is not None:
            entries = self.partitions[was[0]]
            del entries[bisect_left(entries, (was[1], key))]
            if not entries:
                del self.partitions[was[0]]
        if now is not None:
            insort(self.partitions.setdefault(now[0], []), (now[1], key))

    def shown(self, item: Stored) -> Stored:
        if self.projected is None:
            return item
        return {name: value for name, value in item.items() if name in self.projected}


@dataclass(slots=True)
class Table:
    """A table: its items, its indexes by name, and who takes what its stream brings."""

    name: str
    main: Index
    indexes: Mapping[str, Index]
    kinds: Mapping[str, str]
    view: str | None
    sizes: dict[KeyValues, int] = field(default_factory=dict)
    followers: list[Callable[[Record], None]] = field(default_factory=list)

    @property
    def items(self) -> Mapping[KeyValues, Stored]:
        return self.main.items

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "Table":
        """Return a table as CreateTable makes it."""
        main = _index(arguments["KeySchema"])
        kinds = {one["AttributeName"]: one["AttributeType"] for one in arguments["AttributeDefinitions"]}
        indexes: dict[str, Index] = {}
        for asked in arguments.get("GlobalSecondaryIndexes", ()):
            index = indexes[asked["IndexName"]] = _index(asked["KeySchema"])
            projection = asked["Projection"]
            if projection["ProjectionType"] != "ALL":
                keys = {*main.key_names, *index.key_names}
                index.projected = frozenset(keys | {*projection.get("NonKeyAttributes", ())})
        view = arguments.get("StreamSpecification", {}).get("StreamViewType")
        return cls(arguments["TableName"], main, indexes, kinds, view)

    def key_of(self, item: Stored) -> KeyValues:
        """Return the key of an item. Raises Invalid for none, or one of the wrong type."""
        for name, most in zip(self.main.key_names, (_LARGEST_HASH, _LARGEST_SORT), strict=False):
            value = item.get(name)
            if value is None or kind_of(value) != self.kinds[name]:
                raise Invalid(f"the key {name} is missing, or of the wrong type")
            held = value[self.kinds[name]]
            if not held or len(held) > most:
                raise Invalid(f"the key {name} is empty, or too long")
        place = self.main.place(item)
        assert place is not None
        return place

    def key_alone(self, key: Stored) -> KeyValues:
        """Return a key that was given as one. Raises Invalid, also for more than a key."""
        if len(key) != len(self.main.key_names):
            raise Invalid("the provided key element does not match the schema")
        return self.key_of(key)

    def checked(self, item: Stored) -> int:
        """Return the size of an item that may be stored. Raises Invalid."""
        for name, value in item.items():
            check(value)
            kind = self.kinds.get(name)
            if kind is not None and (kind_of(value) != kind or not value[kind]):
                raise Invalid(f"the key of an index {name} is of the wrong type, or empty")
        size = size_of(item)
        if size > _LARGEST_ITEM:
            raise Invalid("item size has exceeded the maximum allowed size")
        return size

    def put(self, key: KeyValues, item: Stored | None, size: int, indexed_at: int) -> None:
        """Write a checked item in place of what is there, or remove that; indexes show it from a time (ms) on."""
        before = self.items.get(key)
        if before == item:
            return
        self.main.change(key, item)
        for index in self.indexes.values():
            index.late.append((indexed_at, key, item))
        if item is None:
            del self.sizes[key]
        else:
            self.sizes[key] = size
        if self.view is not None and self.followers:
            record = self._record(before, item)
            for take in self.followers:
                take(record)

    def _record(self, before: Stored | None, after: Stored | None) -> Record:
        event = "INSERT" if before is None else "REMOVE" if after is None else "MODIFY"
        known = after or before or {}
        change: Record = {
            "Keys": {name: known[name] for name in self.main.key_names},
            "SequenceNumber": f"{next(_serial):021}",
            "StreamViewType": self.view,
            "ApproximateCreationDateTime": int(time.time()),
        }
        if after is not None and self.view in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}:
            change["NewImage"] = after
        if before is not None and self.view in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}:
            change["OldImage"] = before
        return {"eventName": event, "eventSource": "aws:dynamodb", "eventVersion": "1.1", "dynamodb": change}

    def scanned(self, after: KeyValues | None) -> Iterator[KeyValues]:
        """Return the keys of all items that come after one, by a hash of their partition."""
        keys = sorted(self.items, key=_hashed)
        return iter(keys if after is None else keys[bisect_right(keys, _hashed(after), key=_hashed) :])


def span(entries: Sequence[Entry], relation: str, values: Sequence[Any]) -> tuple[int, int]:
    """Return which entries have a sort key that is so, as a slice."""
    first, last = values[0], values[-1]
    if first > last:
        raise Invalid("the BETWEEN operator requires upper bound to be greater than or equal to lower bound")
    from_first, to_last = bisect_left(entries, (first,)), bisect_right(entries, (last, ABOVE))
    if relation == "begins_with":
        length = len(first)
        return from_first, bisect_right(entries, first, key=lambda entry: entry[0][:length])
    return {
        "=": (from_first, to_last),
        "BETWEEN": (from_first, to_last),
        "<": (0, from_first),
        "<=": (0, to_last),
        ">": (to_last, len(entries)),
        ">=": (from_first, len(entries)),
    }[relation]


def _hashed(key: KeyValues) -> tuple[int, KeyValues]:
    return zlib.crc32(str(key[0]).encode()), key


def _index(schema: Sequence[Mapping[str, str]]) -> Index:
    by_kind = {part["KeyType"]: part["AttributeName"] for part in schema}
    return Index(by_kind["HASH"], by_kind.get("RANGE"))
