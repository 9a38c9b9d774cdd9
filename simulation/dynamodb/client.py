"""A client of DynamoDB whose tables are in memory, called as boto3's is.

It does what our stores ask for, and answers at once. TTL deletes nothing (DynamoDB may take days), capacity has no end. tests/stores holds it against moto and dynalite; it is for what runs through many thousand requests.
"""

import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from simulation.dynamodb import expressions
from simulation.dynamodb.expressions import Change, KeyPart, Names, Test, Values, named
from simulation.dynamodb.tables import Index, KeyValues, Record, Table, span
from simulation.dynamodb.values import Invalid, Stored, check, plain, size_of
from simulation.partiql import update_of

type Arguments = Mapping[str, Any]
type Answer = dict[str, Any]

_MEGABYTE = 1024 * 1024
_TRANSACTION_BYTES = 4 * _MEGABYTE
# AWS remembers a transaction's token for ten minutes; this many are more than are under way here.
_TOKENS = 1_000


class _ConditionFailed(Exception):
    pass


class MemoryDynamoDB:
    """The operations, each one at a time. Threads may call it at once.

    What was written at a time (ms, by `now`) is in indexes so much later as `lag` says then (ms).
    """

    def __init__(self, now: Callable[[], int] = lambda: 0, lag: Callable[[], int] = lambda: 0) -> None:
        self._now = now
        self._lag = lag
        self._tables: dict[str, Table] = {}
        self._lock = threading.RLock()
        self._tokens: OrderedDict[str, Sequence[Arguments]] = OrderedDict()

    def create_table(self, **asked: Any) -> None:
        self._tables[asked["TableName"]] = Table.of(asked)

    def follow(self, table: str, take: Callable[[Record], None]) -> None:
        """Have each record that the stream of a table brings from now on taken, at once."""
        self._tables[table].followers.append(take)

    # -------------------------------------------------------------- reads

    def get_item(self, **asked: Any) -> Answer:
        with self._doing("GetItem"):
            item = self._table(asked).items.get(self._key(asked))
            return {} if item is None else {"Item": _chosen(item, asked)}

    def batch_get_item(self, **asked: Any) -> Answer:
        with self._doing("BatchGetItem"):
            found: dict[str, list[Stored]] = {}
            unread: dict[str, Any] = {}
            count = size = 0
            for name, wanted in asked["RequestItems"].items():
                _check_mentioned(wanted)
                table, items = self._tables[name], found.setdefault(name, [])
                keys = [table.key_alone(key) for key in wanted["Keys"]]
                count += len(keys)
                if len(set(keys)) < len(keys):
                    raise Invalid("provided list of item keys contains duplicates")
                for spelled, key in zip(wanted["Keys"], keys, strict=True):
                    size += table.sizes.get(key, 0)
                    if size > 16 * _MEGABYTE:
                        unread.setdefault(name, {**wanted, "Keys": []})["Keys"].append(spelled)
                    elif key in table.items:
                        items.append(_chosen(table.items[key], wanted))
            _check_count(count, 100)
            return {"Responses": found, "UnprocessedKeys": unread}

    def query(self, **asked: Any) -> Answer:
        with self._doing("Query"):
            table = self._table(asked)
            index = table.main
            if "IndexName" in asked:
                index = table.indexes[asked["IndexName"]]
                if asked.get("ConsistentRead"):
                    raise Invalid("consistent reads are not supported on global secondary indexes")
                index.catch_up(self._now())
            wanted = expressions.key_condition(asked["KeyConditionExpression"])
            _check_mentioned(asked)
            names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
            partition, part = _apart(wanted.do, index, names)
            entries = index.partitions.get(plain(values[partition.values[0]]), [])
            start, end = 0, len(entries)
            if part is not None:
                start, end = span(entries, part.relation, [plain(values[value]) for value in part.values])
            forward = asked.get("ScanIndexForward", True)
            if "ExclusiveStartKey" in asked:
                last = _entry(table, index, asked["ExclusiveStartKey"])
                if forward:
                    start = max(start, bisect_right(entries, last))
                else:
                    end = min(end, bisect_left(entries, last))
            places = range(start, end) if forward else range(end - 1, start - 1, -1)
            keys = (entries[place][1] for place in places)
            return self._page(table, index, keys, asked)

    def scan(self, **asked: Any) -> Answer:
        with self._doing("Scan"):
            table = self._table(asked)
            if "IndexName" in asked:
                raise NotImplementedError("a scan of an index")
            _check_mentioned(asked)
            start = asked.get("ExclusiveStartKey")
            keys = table.scanned(None if start is None else table.key_alone(start))
            return self._page(table, table.main, keys, asked)

    @staticmethod
    def _page(table: Table, index: Index, keys: Iterator[KeyValues], asked: Arguments) -> Answer:
        limit = asked.get("Limit")
        if limit is not None and limit < 1:
            raise Invalid("a limit below 1")
        test = _filter(asked)
        found: list[Stored] = []
        count = size = 0
        for key in islice(keys, limit):
            item = index.shown(index.items[key])
            count += 1
            size += table.sizes[key] if index is table.main else size_of(item)
            if test(item):
                found.append(_chosen(item, asked))
            if size > _MEGABYTE or count == limit:
                # As in DynamoDB also when nothing comes after it.
                last = {name: item[name] for name in (*table.main.key_names, *index.key_names)}
                return {"Items": found, "Count": len(found), "ScannedCount": count, "LastEvaluatedKey": last}
        return {"Items": found, "Count": len(found), "ScannedCount": count}

    # -------------------------------------------------------------- writes

    def put_item(self, **asked: Any) -> Answer:
        with self._doing("PutItem"):
            self._write("Put", asked)
        return {}

    def delete_item(self, **asked: Any) -> Answer:
        with self._doing("DeleteItem"):
            self._write("Delete", asked)
        return {}

    def update_item(self, **asked: Any) -> Answer:
        with self._doing("UpdateItem"):
            table, key = self._place("Update", asked)
            before = table.items.get(key)
            after = self._write("Update", asked)
        given = {"ALL_NEW": after, "ALL_OLD": before}.get(asked.get("ReturnValues", "NONE"))
        return {"Attributes": dict(given)} if given else {}

    def batch_write_item(self, **asked: Any) -> Answer:
        with self._doing("BatchWriteItem"):
            requests = [(table, one) for table, some in asked["RequestItems"].items() for one in some]
            _check_count(len(requests), 25)
            writes = []
            for table, request in requests:
                ((kind, wanted),) = request.items()
                writes.append((kind.removesuffix("Request"), {"TableName": table, **wanted}))
            _check_different([self._place(kind, wanted) for kind, wanted in writes])
            for kind, wanted in writes:
                self._write(kind, wanted)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, **asked: Any) -> Answer:
        actions, token = asked["TransactItems"], asked["ClientRequestToken"]
        with self._doing("TransactWriteItems"):
            if token in self._tokens:
                if self._tokens[token] != actions:
                    raise _refusal("TransactWriteItems", "IdempotentParameterMismatchException")
                return {}
            _check_count(len(actions), 100)
            wanted = [next(iter(action.items())) for action in actions]
            _check_different([self._place(kind, one) for kind, one in wanted])
            ends: list[Any] = [self._prepared(kind, one) for kind, one in wanted]
            failed = [end is None for end in ends]
            if any(failed):
                reasons = [{"Code": "ConditionalCheckFailed" if one else "None"} for one in failed]
                raise _refusal("TransactWriteItems", "TransactionCanceledException", CancellationReasons=reasons)
            if sum(size for _, _, _, size in ends) > _TRANSACTION_BYTES:
                raise Invalid("the transaction is too large")
            for (kind, _), (table, key, item, size) in zip(wanted, ends, strict=True):
                if kind != "ConditionCheck":
                    table.put(key, item, size, self._now() + self._lag())
            self._tokens[token] = actions
            if len(self._tokens) > _TOKENS:
                self._tokens.popitem(last=False)
        return {}

    def batch_execute_statement(self, **asked: Any) -> Answer:
        with self._doing("BatchExecuteStatement"):
            _check_count(len(asked["Statements"]), 25)
            return {"Responses": [self._execute(statement) for statement in asked["Statements"]]}

    def _execute(self, statement: Arguments) -> Answer:
        table, arguments, returns = update_of(statement, lambda name: self._tables[name].main.key_names)
        try:
            item = self._write("Update", arguments)
        except _ConditionFailed:
            return {"TableName": table, "Error": {"Code": "ConditionalCheckFailed"}}
        return {"TableName": table, **({"Item": dict(item or {})} if returns else {})}

    def _write(self, kind: str, asked: Arguments) -> Stored | None:
        """Carry out a write; return the item as it is then. Raises _ConditionFailed."""
        prepared = self._prepared(kind, asked)
        if prepared is None:
            raise _ConditionFailed
        table, key, item, size = prepared
        table.put(key, item, size, self._now() + self._lag())
        return item

    def _prepared(self, kind: str, asked: Arguments) -> tuple[Table, KeyValues, Stored | None, int] | None:
        """Return what a write comes to: where, the item (None to remove it) and its size; None when its condition fails."""
        table, key = self._place(kind, asked)
        _check_mentioned(asked)
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        for value in values.values():
            check(value)
        before = table.items.get(key)
        if "ConditionExpression" in asked:
            test: Test = expressions.condition(asked["ConditionExpression"]).do
            if not test(before or {}, names, values):
                return None
        match kind:
            case "Put":
                after: Stored | None = asked["Item"]
            case "Update":
                change: Change = expressions.update(asked["UpdateExpression"]).do
                after = change(asked["Key"] if before is None else before, names, values)
                if table.key_of(after) != key:
                    raise Invalid("this attribute is part of the key")
            case "Delete":
                return table, key, None, 0
            case _:
                return table, key, before, 0
        assert after is not None
        return table, key, after, table.checked(after)

    # -------------------------------------------------------------- what is asked for

    def _place(self, kind: str, asked: Arguments) -> tuple[Table, KeyValues]:
        table = self._table(asked)
        return table, table.key_of(asked["Item"]) if kind == "Put" else table.key_alone(asked["Key"])

    def _table(self, asked: Arguments) -> Table:
        return self._tables[asked["TableName"]]

    def _key(self, asked: Arguments) -> KeyValues:
        _check_mentioned(asked)
        return self._table(asked).key_alone(asked["Key"])

    @contextmanager
    def _doing(self, operation: str) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except _ConditionFailed:
                raise _refusal(operation, "ConditionalCheckFailedException") from None
            except Invalid as error:
                raise _refusal(operation, "ValidationException", str(error)) from None


def _refusal(operation: str, code: str, message: str = "", **more: Any) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": 0},
        **more,
    }
    return ClientError(answer, operation)


def _chosen(item: Stored, asked: Arguments) -> Stored:
    """Return what is asked for of an item, in a dict of the caller's own."""
    if "ProjectionExpression" not in asked:
        return dict(item)
    names: Names = asked.get("ExpressionAttributeNames", {})
    chosen = [named(name, names) for name in expressions.projection(asked["ProjectionExpression"]).do]
    return {name: item[name] for name in chosen if name in item}


def _filter(asked: Arguments) -> Any:
    if "FilterExpression" not in asked:
        return lambda _: True
    names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
    test: Test = expressions.condition(asked["FilterExpression"]).do
    return lambda item: test(item, names, values)


def _check_mentioned(asked: Arguments) -> None:
    """Refuse names and values that are mentioned and not given, or given and not mentioned. Raises Invalid."""
    names, values = set[str](), set[str]()
    for kind, read in _READ.items():
        if kind in asked:
            found = read(asked[kind])
            names |= found.names
            values |= found.values
    given_names: Names = asked.get("ExpressionAttributeNames", {})
    given_values: Values = asked.get("ExpressionAttributeValues", {})
    if names != given_names.keys() or values != given_values.keys():
        raise Invalid("names or values of an expression are not defined, or unused")


_READ = {
    "ConditionExpression": expressions.condition,
    "UpdateExpression": expressions.update,
    "KeyConditionExpression": expressions.key_condition,
    "FilterExpression": expressions.condition,
    "ProjectionExpression": expressions.projection,
}


def _check_count(count: int, most: int) -> None:
    if not 0 < count <= most:
        raise Invalid(f"{count} is not from 1 to {most}")


def _check_different(places: Sequence[tuple[Table, KeyValues]]) -> None:
    if len({(table.name, key) for table, key in places}) < len(places):
        raise Invalid("cannot include multiple operations on one item")


def _apart(parts: Sequence[KeyPart], index: Index, names: Names) -> tuple[KeyPart, KeyPart | None]:
    """Return what a key condition says of the partition and of the sort key. Raises Invalid."""
    by_name = {named(part.name, names): part for part in parts}
    partition = by_name.pop(index.hash_name, None)
    sort = by_name.pop(index.sort_name, None) if index.sort_name else None
    if partition is None or partition.relation != "=" or by_name or len(parts) > 1 + (sort is not None):
        raise Invalid("query condition missed key schema element, or has more than that")
    return partition, sort


def _entry(table: Table, index: Index, start: Stored) -> tuple[Any, KeyValues]:
    """Return the entry that an ExclusiveStartKey names. Raises Invalid."""
    names = {*table.main.key_names, *index.key_names}
    if start.keys() != names:
        raise Invalid("the provided starting key is invalid")
    place = index.place(start)
    assert place is not None
    return place[1], table.key_of({name: start[name] for name in table.main.key_names})
