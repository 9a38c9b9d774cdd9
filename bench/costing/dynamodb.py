"""What DynamoDB charges for a call, by its documented rules: item sizes, request units, entries in indexes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html and
.../read-write-operations.html; moto's own ConsumedCapacity is not what DynamoDB's would be. Items are as the API writes
them, `{"phone": {"S": "..."}}`; none is {}.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

type Item = Mapping[str, Mapping[str, Any]]

READ_UNIT = 4096
_WRITE_UNIT = 1024
# Each item, and each entry of an index, is stored with as much beside it.
_STORED_BESIDE = 100

_SIZES: dict[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "N": lambda digits: math.ceil(len(digits.lstrip("-").strip("0")) / 2) + 1,
    "B": len,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda texts: sum(len(text.encode()) for text in texts),
    "L": lambda values: 3 + sum(1 + _value_size(value) for value in values),
    "M": lambda values: 3 + len(values) + item_size(values),
}


def item_size(item: Item) -> int:
    """Return the size of an item in bytes: its attributes' names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(typed: Mapping[str, Any]) -> int:
    return sum(_SIZES[kind](value) for kind, value in typed.items())


def _read_units(size: float, asked: Mapping[str, Any]) -> float:
    # Nothing found costs like something small, and what may be stale half.
    return max(1, math.ceil(size / READ_UNIT)) * (1.0 if asked.get("ConsistentRead") else 0.5)


def _write_units(*items: Item) -> int:
    """Return the units of writing the largest of the items."""
    return max(1, math.ceil(max(map(item_size, items)) / _WRITE_UNIT))


class Table:
    """A table as CreateTable is told of it: its keys, and those of each index with all that its entries hold."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self.keys = _keys(properties)
        self._indexes = [(_keys(index), index["Projection"]) for index in properties.get("GlobalSecondaryIndexes", ())]

    def _entries(self, item: Item) -> list[Item]:
        return [
            {
                name: value
                for name, value in item.items()
                if projection["ProjectionType"] == "ALL"
                or name in {*keys, *self.keys, *projection.get("NonKeyAttributes", ())}
            }
            if item.keys() >= set(keys)
            else {}
            for keys, projection in self._indexes
        ]

    def write_units(self, before: Item, after: Item, *, in_transaction: bool) -> int:
        """Return the units of a write: the larger of the item before and after, twice in a transaction, and the indexes.

        A write whose condition failed leaves the item as it was and costs the same.
        """
        units = _write_units(before, after) * (2 if in_transaction else 1)
        for (keys, _), old, new in zip(self._indexes, self._entries(before), self._entries(after), strict=True):
            if old and new and any(old[key] != new[key] for key in keys):
                # One entry goes, another comes.
                units += _write_units(old) + _write_units(new)
            elif old != new:
                units += _write_units(old, new)
        return units

    def stored(self, item: Item) -> int:
        """Return the bytes that are stored, and charged, for an item: its own and those of its entries."""
        return sum(item_size(one) + _STORED_BESIDE for one in (item, *self._entries(item)) if one)


def _keys(described: Mapping[str, Any]) -> list[str]:
    return [part["AttributeName"] for part in described["KeySchema"]]


def written(operation: str, asked: Mapping[str, Any]) -> list[tuple[str, Item]]:
    """Return what a call may change: the table and the key, or all, of each item. What only checks costs as much."""
    match operation:
        case "PutItem" | "UpdateItem" | "DeleteItem":
            return [(asked["TableName"], asked.get("Key") or asked["Item"])]
        case "TransactWriteItems":
            return [
                place
                for action in asked["TransactItems"]
                for one in action.values()
                for place in written("PutItem", one)
            ]
        case "BatchWriteItem":
            return [(table, one["PutRequest"]["Item"]) for table, some in asked["RequestItems"].items() for one in some]
        case _:
            return []


def read(operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the units that a call reads, by table."""
    match operation:
        case "GetItem":
            yield asked["TableName"], _read_units(item_size(answer.get("Item", {})), asked)
        case "BatchGetItem":
            for table, some in asked["RequestItems"].items():
                found = answer["Responses"].get(table, [])
                sizes = [*map(item_size, found), *[0] * (len(some["Keys"]) - len(found))]
                yield table, sum(_read_units(size, some) for size in sizes)
        case "Query" | "Scan":
            # What a filter left out costs the same, and is as large as what it left.
            size = sum(map(item_size, answer["Items"])) * answer["ScannedCount"] / max(1, answer["Count"])
            yield asked["TableName"], _read_units(size, asked)
