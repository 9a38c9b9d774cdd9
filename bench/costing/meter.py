"""Watches the calls that the product's code makes to moto's DynamoDB and SQS, and counts what AWS charges for them.

moto's own ConsumedCapacity is not what DynamoDB's would be, so the items are looked at before and after each call.
"""

import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.costing.capacity import Table, WireItem, item_size, read_units
from bench.costing.prices import Usage

_CHANGED_TABLE = re.compile(r'^UPDATE "([^"]+)"')
_NAME_OF_QUESTION_MARK = re.compile(r'"(\w+)"[^"?]*\?')
_NOTED = "bench-noted"


@dataclass(slots=True)
class Counted:
    """What calls came to. Units are by table, without the prefix that this run's tables have."""

    calls: Counter[str] = field(default_factory=Counter)
    read: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    written: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    sqs_requests: int = 0
    seconds: float = 0.0
    """Processor time of the calls themselves: moto's, not ours."""

    def usage(self) -> Usage:
        """Return the units of all tables, and the requests to queues."""
        return self.usage_of(*self.read, *self.written) + Usage(
            sqs_requests=self.sqs_requests, sqs_fair=self.sqs_requests
        )

    def usage_of(self, *tables: str) -> Usage:
        """Return the units of some tables."""
        some = set(tables)
        return Usage(
            dynamodb_read=sum(self.read[table] for table in some),
            dynamodb_write=sum(self.written[table] for table in some),
        )


@dataclass(frozen=True, slots=True)
class _Write:
    """An item that a call may change. A write that only checks costs as one that changes."""

    table: str
    key: WireItem
    before: WireItem | None


@dataclass(slots=True)
class _Noted:
    params: Mapping[str, Any]
    writes: list[_Write]
    began: float


class Meter:
    """Counts the calls of two clients. `helper` is a client of the same DynamoDB that is not watched."""

    def __init__(self, dynamodb: Any, sqs: Any, helper: Any) -> None:
        self.counted = Counted()
        self._helper = helper
        self._tables: dict[str, Table] = {}
        # The sweep calls from many threads.
        self._lock = threading.Lock()
        dynamodb.meta.events.register("provide-client-params.dynamodb", self._before)
        dynamodb.meta.events.register("after-call.dynamodb", self._after)
        sqs.meta.events.register("provide-client-params.sqs", self._before_sqs)
        sqs.meta.events.register("after-call.sqs", self._after_sqs)

    def restart(self) -> None:
        """Count from nothing again."""
        self.counted = Counted()

    def table(self, name: str) -> Table:
        """Return what is known of a table."""
        if name not in self._tables:
            self._tables[name] = Table.of(self._helper.describe_table(TableName=name)["Table"])
        return self._tables[name]

    def stored(self, table: str) -> list[tuple[WireItem, int]]:
        """Return every item of a (small) table with the bytes that are stored for it."""
        pages = self._helper.get_paginator("scan").paginate(TableName=table)
        return [(item, self.table(table).stored(item)) for page in pages for item in page["Items"]]

    # -------------------------------------------------------------- the hooks

    def _before(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        with self._lock:
            writes = [_Write(table, key, self._item(table, key)) for table, key in self._written(model.name, params)]
        context[_NOTED] = _Noted(params, writes, time.process_time())

    def _after(self, parsed: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        noted: _Noted = context.pop(_NOTED)
        with self._lock:
            counted = self.counted
            counted.calls[model.name] += 1
            for write in noted.writes:
                counted.written[short_name(write.table)] += self.table(write.table).write_units(
                    write.before, self._item(write.table, write.key), transaction=model.name == "TransactWriteItems"
                )
            for table, units in self._read(model.name, noted.params, parsed):
                counted.read[short_name(table)] += units
            counted.seconds += time.process_time() - noted.began

    def _before_sqs(self, context: dict[str, Any], **_: object) -> None:
        context[_NOTED] = time.process_time()

    def _after_sqs(self, model: Any, context: dict[str, Any], **_: object) -> None:
        self.counted.calls[model.name] += 1
        self.counted.sqs_requests += 1
        self.counted.seconds += time.process_time() - context.pop(_NOTED)

    # -------------------------------------------------------------- what calls touch

    def _written(self, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, WireItem]]:
        match operation:
            case "PutItem":
                yield params["TableName"], self._key(params["TableName"], params["Item"])
            case "UpdateItem" | "DeleteItem":
                yield params["TableName"], params["Key"]
            case "BatchWriteItem":
                for table, requests in params["RequestItems"].items():
                    yield from ((table, self._key(table, request["PutRequest"]["Item"])) for request in requests)
            case "BatchExecuteStatement":
                yield from (self._of_statement(statement) for statement in params["Statements"])
            case "TransactWriteItems":
                for (action,) in (item.values() for item in params["TransactItems"]):
                    table = action["TableName"]
                    yield table, action.get("Key") or self._key(table, action["Item"])

    def _of_statement(self, statement: Mapping[str, Any]) -> tuple[str, WireItem]:
        (table,) = _CHANGED_TABLE.findall(statement["Statement"])
        names = _NAME_OF_QUESTION_MARK.findall(statement["Statement"])
        return table, self._key(table, dict(zip(names, statement["Parameters"], strict=True)))

    def _read(
        self, operation: str, params: Mapping[str, Any], parsed: Mapping[str, Any]
    ) -> Iterator[tuple[str, float]]:
        match operation:
            case "GetItem":
                yield params["TableName"], read_units(item_size(parsed.get("Item", {})), consistent=_consistent(params))
            case "BatchGetItem":
                for table, asked in params["RequestItems"].items():
                    found = parsed["Responses"].get(table, [])
                    missing = len(asked["Keys"]) - len(found)
                    consistent = _consistent(asked)
                    units = sum(read_units(item_size(item), consistent=consistent) for item in found)
                    yield table, units + missing * read_units(0, consistent=consistent)
            case "Query" | "Scan":
                size = sum(map(item_size, self._looked_at(operation, params, parsed)))
                yield params["TableName"], read_units(size, consistent=_consistent(params))

    def _looked_at(self, operation: str, params: Mapping[str, Any], parsed: Mapping[str, Any]) -> list[WireItem]:
        """Return all that was read for a page, also what a filter left out: it costs the same."""
        if "FilterExpression" not in params:
            return list(parsed["Items"])
        mentioned = params["KeyConditionExpression"]
        again = {name: value for name, value in params.items() if name != "FilterExpression"}
        for names in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            again[names] = {name: value for name, value in params[names].items() if name in mentioned}
        found = self._helper.query(**again) if operation == "Query" else self._helper.scan(**again)
        return list(found["Items"])

    def _key(self, table: str, item: WireItem) -> WireItem:
        return {name: item[name] for name in self.table(table).keys}

    def _item(self, table: str, key: WireItem) -> WireItem | None:
        item: WireItem | None = self._helper.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
        return item


def short_name(table: str) -> str:
    """Return the name of a table in template.yaml."""
    return table.rpartition("-")[2]


def _consistent(params: Mapping[str, Any]) -> bool:
    return bool(params.get("ConsistentRead", False))
