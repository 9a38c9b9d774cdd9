"""What streams of moto's tables bring to functions: by the mappings of template.yaml and their filters, as Lambda is given it."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from simulation.aws import REGION, TEMPLATE

_MAPPING = "AWS::Lambda::EventSourceMapping"

type Record = dict[str, Any]


@dataclass(slots=True)
class Streams:
    """The streams that a function reads, and how far it has come in each."""

    function: str
    _read: dict[str, int] = field(default_factory=dict)

    def batches(self) -> Iterator[list[Record]]:
        """Yield the records that its filters let through, of one mapping after the other, since the last time.

        One that fails with them is given them again.
        """
        for name, mapping in mappings_of(self.function).items():
            (table,) = (one for one in _tables().values() if one.name == _table_of(mapping))
            records = [_as_json(record.to_json()) for record in table.stream_shard.items]
            fresh = [record for record in records[self._read.get(name, 0) :] if passes(mapping, record)]
            if fresh:
                yield fresh
            self._read[name] = len(records)


def mappings_of(function: str) -> dict[str, Mapping[str, Any]]:
    """Return the event sources of a function, by their names in the template."""
    return {
        name: resource["Properties"]
        for name, resource in TEMPLATE["Resources"].items()
        if resource["Type"] == _MAPPING and resource["Properties"]["FunctionName"] == {"Ref": function}
    }


def _table_of(mapping: Mapping[str, Any]) -> str:
    table: str = mapping["EventSourceArn"]["GetAtt"].removesuffix(".StreamArn")
    return table


def _tables() -> Mapping[str, Any]:
    tables: Mapping[str, Any] = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables
    return tables


def _as_json(record: Record) -> Record:
    def spelled(value: object) -> str:
        # Octets in base64; times are not looked at.
        return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)

    found: Record = json.loads(json.dumps(record, default=spelled))
    return found


def passes(mapping: Mapping[str, Any], record: Record) -> bool:
    """Return whether the filters of an event source let a record through."""
    filters = [json.loads(one["Pattern"]) for one in mapping.get("FilterCriteria", {}).get("Filters", [])]
    return not filters or any(_matches(pattern, record) for pattern in filters)


def _matches(pattern: Any, value: Any) -> bool:
    """Return whether a value is as a pattern of Lambda's says, as far as ours go."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and _matches(one, value[name]) for name, one in pattern.items()
        )
    return any(
        isinstance(value, str) and value.startswith(one["prefix"]) if isinstance(one, dict) else value == one
        for one in pattern
    )
