"""What DynamoDB charges for one call, by its documented rules: item sizes, request units, entries in indexes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html and
.../read-write-operations.html. Items are as the API writes them: `{"phone": {"S": "..."}}`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

type WireItem = Mapping[str, Mapping[str, Any]]

READ_UNIT = 4096
_WRITE_UNIT = 1024
# Each item, and each entry of an index, is stored with as much beside it.
_STORED_BESIDE = 100


def item_size(item: WireItem) -> int:
    """Return the size of an item in bytes: its attributes' names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(typed: Mapping[str, Any]) -> int:  # noqa: PLR0911 - one per type
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return _number_size(value)
        case "B":
            return len(value)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(one.encode()) for one in value)
        case "L":
            return 3 + sum(1 + _value_size(one) for one in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(one) for name, one in value.items())
        case _:
            raise ValueError(f"none of our items has a {kind}")


def _number_size(value: str) -> int:
    digits = value.lstrip("-").strip("0")
    return math.ceil(len(digits) / 2) + 1


def read_units(size: int, *, consistent: bool) -> float:
    """Return the units of reading so many bytes; nothing found costs like something small."""
    return max(1, math.ceil(size / READ_UNIT)) * (1.0 if consistent else 0.5)


def write_units(size: int) -> int:
    """Return the units of writing an item of so many bytes."""
    return max(1, math.ceil(size / _WRITE_UNIT))


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index: its keys, and all that its entries hold (None = everything)."""

    keys: tuple[str, ...]
    holds: frozenset[str] | None

    @classmethod
    def of(cls, described: Mapping[str, Any], table_keys: Iterable[str]) -> Self:
        """Read an index as DescribeTable gives it."""
        keys = tuple(part["AttributeName"] for part in described["KeySchema"])
        projection = described["Projection"]
        if projection["ProjectionType"] == "ALL":
            return cls(keys, None)
        return cls(keys, frozenset({*keys, *table_keys, *projection.get("NonKeyAttributes", ())}))

    def entry(self, item: WireItem | None) -> WireItem | None:
        """Return an item's entry, None when it has none."""
        if item is None or any(key not in item for key in self.keys):
            return None
        return {name: value for name, value in item.items() if self.holds is None or name in self.holds}

    def write_units(self, before: WireItem | None, after: WireItem | None) -> int:
        """Return the units of bringing the index up to a change of an item."""
        old, new = self.entry(before), self.entry(after)
        if old == new:
            return 0
        if old is None or new is None:
            return write_units(item_size(old or new or {}))
        if any(old[key] != new[key] for key in self.keys):
            # One entry goes, another comes.
            return write_units(item_size(old)) + write_units(item_size(new))
        return write_units(max(item_size(old), item_size(new)))


@dataclass(frozen=True, slots=True)
class Table:
    """A table's keys and indexes."""

    keys: tuple[str, ...]
    indexes: tuple[Index, ...]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """Read a table as DescribeTable gives it."""
        keys = tuple(part["AttributeName"] for part in described["KeySchema"])
        return cls(keys, tuple(Index.of(index, keys) for index in described.get("GlobalSecondaryIndexes", ())))

    def write_units(self, before: WireItem | None, after: WireItem | None, *, transaction: bool) -> int:
        """Return the units of a write: the larger of the item before and after, twice in a transaction, and the indexes.

        A write whose condition failed leaves the item as it was and costs the same.
        """
        size = max(item_size(before or {}), item_size(after or {}))
        of_indexes = sum(index.write_units(before, after) for index in self.indexes)
        return write_units(size) * (2 if transaction else 1) + of_indexes

    def stored(self, item: WireItem) -> int:
        """Return the bytes that are stored, and charged, for an item: its own and those of its entries."""
        entries = [entry for index in self.indexes if (entry := index.entry(item)) is not None]
        return sum(item_size(one) + _STORED_BESIDE for one in (item, *entries))
