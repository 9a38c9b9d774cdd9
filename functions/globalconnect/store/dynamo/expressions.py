"""Expressions and actions in DynamoDB's spelling, and items: plain Python values, and as it has them on the wire.

Expressions name attributes as `#attribute` (many of our words are reserved in DynamoDB) and values as `:value`; the
maps that DynamoDB wants beside them are made here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

type Item = dict[str, Any]
type Key = Mapping[str, str | int]

_NAME = re.compile(r"#(\w+)")


class _Plain(TypeDeserializer):
    """Every number we keep is an integer, so none has to come back as a Decimal; bytes are bytes."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)

    def _deserialize_b(self, value: bytes) -> bytes:
        return value


to_value = TypeSerializer().serialize
_deserialize = _Plain().deserialize


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression with the values it names; `names` says what a `#name` stands for when it is not itself."""

    text: str
    values: Mapping[str, object]
    names: Mapping[str, str] = field(default_factory=dict)


def expression(text: str, /, **values: object) -> Expression:
    """Return an expression: `expression("#pool = :pool", pool="...")`."""
    return Expression(text, values)


def changing(
    sets: Mapping[str, object] | None = None,
    *,
    removes: Iterable[str] = (),
    adds: Mapping[str, object] | None = None,
    deletes: Mapping[str, object] | None = None,
    names: Mapping[str, str] | None = None,
) -> Expression:
    """Return the expression that sets, removes, adds to and deletes from attributes; `a.b` is what the map `a` has for b."""
    clauses: list[str] = []
    values: dict[str, object] = {}
    for verb, sign, given in (("SET", " = ", sets), ("ADD", " ", adds), ("DELETE", " ", deletes)):
        if given:
            # Not by the attribute's own name: the condition beside it may name a value of that.
            wanted = {attribute: f"to_{attribute.replace('.', '_')}" for attribute in given}
            spelled = [f"{_path(attribute)}{sign}:{value}" for attribute, value in wanted.items()]
            clauses.append(f"{verb} {', '.join(spelled)}")
            values |= {value: given[attribute] for attribute, value in wanted.items()}
    if removes:
        clauses.append(f"REMOVE {', '.join(map(_path, removes))}")
    return Expression(" ".join(clauses), values, names or {})


def _path(attribute: str) -> str:
    return f"#{attribute.replace('.', '.#')}"


def to_wire(item: Mapping[str, object]) -> dict[str, Any]:
    """Return an item as DynamoDB writes it. None and empty sets are left out: an absent attribute says the same."""
    return {
        name: to_value(set(value) if isinstance(value, frozenset) else value)
        for name, value in item.items()
        if value is not None and value != frozenset()
    }


def from_wire(item: Mapping[str, Any]) -> Item:
    """Return an item of DynamoDB, or of its streams, as plain Python values; numbers are integers."""
    return {name: _deserialize(value) for name, value in item.items()}


@dataclass(frozen=True, slots=True)
class Statement:
    """A PartiQL statement on one item, with the values of its question marks in order."""

    text: str
    values: tuple[str | int | Mapping[str, int], ...]


def projection(attributes: Collection[str]) -> Expression:
    return Expression(", ".join(f"#{name}" for name in attributes), {})


def put(table: str, item: Mapping[str, object], condition: Expression | None = None) -> Item:
    return {"Put": {"TableName": table, "Item": to_wire(item), **spell(ConditionExpression=condition)}}


def update(table: str, key: Key, change: Expression, condition: Expression | None = None) -> Item:
    spelled = spell(UpdateExpression=change, ConditionExpression=condition)
    return {"Update": {"TableName": table, "Key": to_wire(key), **spelled}}


def remove(table: str, key: Key, condition: Expression) -> Item:
    return {"Delete": {"TableName": table, "Key": to_wire(key), **spell(ConditionExpression=condition)}}


def check(table: str, key: Key, condition: Expression) -> Item:
    return {"ConditionCheck": {"TableName": table, "Key": to_wire(key), **spell(ConditionExpression=condition)}}


def spell(**expressions: Expression | None) -> Item:
    """Return the arguments of a call in which each of these has its expression, with the names and values in them."""
    spelled: Item = {}
    names: dict[str, str] = {}
    values: dict[str, object] = {}
    for argument, part in expressions.items():
        if part is not None:
            spelled[argument] = part.text
            names |= {f"#{name}": part.names.get(name, name) for name in _NAME.findall(part.text)}
            values |= {f":{name}": value for name, value in part.values.items()}
    if names:
        spelled["ExpressionAttributeNames"] = names
    if values:
        spelled["ExpressionAttributeValues"] = to_wire(values)
    return spelled
