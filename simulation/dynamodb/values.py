"""Values as DynamoDB has them on the wire: what they are worth, how they compare, how large they are."""

from collections.abc import Mapping
from typing import Any

# A value: one type and what it holds, such as {"S": "tg"}.
type Value = Mapping[str, Any]
type Stored = Mapping[str, Value]

SETS = frozenset({"SS", "NS", "BS"})
ORDERED = frozenset({"S", "N", "B"})


class Invalid(Exception):
    """What AWS answers with a ValidationException."""


def kind_of(value: Value) -> str:
    (kind,) = value
    return kind


def plain(value: Value) -> Any:
    """Return a value of the kinds that keys are of as one that Python compares as DynamoDB does."""
    ((kind, held),) = value.items()
    return int(held) if kind == "N" else held


def comparable(value: Value) -> tuple[str, Any]:
    """Return what two values have to share to be equal."""
    ((kind, held),) = value.items()
    match kind:
        case "N":
            return kind, int(held)
        case "NS":
            return kind, frozenset(map(int, held))
        case "SS" | "BS":
            return kind, frozenset(held)
        case "L":
            return kind, [comparable(one) for one in held]
        case "M":
            return kind, {name: comparable(one) for name, one in held.items()}
        case _:
            return kind, held


def check(value: Value) -> None:
    """Refuse what can't be stored. Raises Invalid."""
    ((kind, held),) = value.items()
    match kind:
        case "SS" | "NS" | "BS":
            if not held or len(set(held)) < len(held):
                raise Invalid("a set is empty, or has something twice")
        case "L":
            for one in held:
                check(one)
        case "M":
            for one in held.values():
                check(one)
        case "N":
            int(held)


def size_of(item: Stored) -> int:
    """Return how large an item is as AWS counts: names and values, a number about half its digits."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Value) -> int:
    ((kind, held),) = value.items()
    if kind in SETS:
        return sum(_size({kind[0]: one}) for one in held)
    match kind:
        case "S" | "B":
            return len(held) if isinstance(held, bytes) or held.isascii() else len(held.encode())
        case "N":
            return len(held) // 2 + 2
        case "L":
            return 3 + sum(1 + _size(one) for one in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(one) for name, one in held.items())
    return 1
