"""A thin, typed way to DynamoDB: plain Python values in and out, and failures typed by what to do about them.

Expressions name attributes as `#attribute` (many of our words are reserved in DynamoDB) and values as `:value`; the
maps that DynamoDB wants beside them are made here.
"""

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from globalconnect.domain.errors import Busy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

type Item = dict[str, Any]
type Key = Mapping[str, str | int]

_NAME = re.compile(r"#(\w+)")
_BATCH_GET_LIMIT = 100
_TRIES = 8
_RETRIED = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"}
)
_RETRIED_WHOLE = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)


class ConditionFailed(Exception):
    """A conditional write found something else than expected; nothing was written.

    `failed` are the positions of the actions whose condition failed.
    """

    def __init__(self, failed: frozenset[int] = frozenset({0})) -> None:
        super().__init__("the condition of a write failed")
        self.failed = failed


class _Plain(TypeDeserializer):
    """Every number we keep is an integer, so none has to come back as a Decimal; bytes are bytes."""

    def _deserialize_n(self, value: str) -> int:
        return int(value)

    def _deserialize_b(self, value: bytes) -> bytes:
        return value


_serialize = TypeSerializer().serialize
_deserialize = _Plain().deserialize


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, and the key to go on from (None at the end)."""

    items: list[Item]
    next_key: Item | None


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression with the values it names; `names` says what a `#name` stands for when it is not itself."""

    text: str
    values: Mapping[str, object]
    names: Mapping[str, str] = field(default_factory=dict)


def expression(text: str, /, **values: object) -> Expression:
    """Give an expression: `expression("#pool = :pool", pool="...")`."""
    return Expression(text, values)


def to_wire(item: Mapping[str, object]) -> dict[str, Any]:
    """Give an item as DynamoDB writes it. None and empty sets are left out: an absent attribute says the same."""
    return {
        name: _serialize(set(value) if isinstance(value, frozenset) else value)
        for name, value in item.items()
        if value is not None and value != frozenset()
    }


def from_wire(item: Mapping[str, Any]) -> Item:
    """Give an item of DynamoDB, or of its streams, as plain Python values; numbers are integers."""
    return {name: _deserialize(value) for name, value in item.items()}


class Dynamo:
    """The operations our stores are made of. `pause` waits between tries (seconds)."""

    def __init__(self, client: "DynamoDBClient", pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._pause = pause

    def get(self, table: str, key: Key) -> Item | None:
        """Give one item as it is now, None when there is none."""
        found = self._client.get_item(TableName=table, Key=to_wire(key), ConsistentRead=True)
        return from_wire(found["Item"]) if "Item" in found else None

    def get_many(self, table: str, keys: Sequence[Key]) -> list[Item]:
        """Give the items of these keys as they are now, in no order; those that don't exist are missing."""
        items: list[Item] = []
        waiting = [to_wire(key) for key in keys]
        tries = 0
        while waiting:
            asked, waiting = waiting[:_BATCH_GET_LIMIT], waiting[_BATCH_GET_LIMIT:]
            found: Any = self._client.batch_get_item(RequestItems={table: {"Keys": asked, "ConsistentRead": True}})
            items += [from_wire(item) for item in found["Responses"].get(table, [])]
            unread = found.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if unread:
                tries += 1
                self._wait_or_give_up(tries)
                waiting += unread
        return items

    def put(self, table: str, item: Mapping[str, object], condition: Expression | None = None) -> None:
        """Write an item. Raises ConditionFailed, and Busy."""
        self._write(self._client.put_item, put(table, item, condition)["Put"])

    def update(self, table: str, key: Key, change: Expression, condition: Expression | None = None) -> Item:
        """Change an item and give it as it is then. Raises ConditionFailed, and Busy."""
        arguments = update(table, key, change, condition)["Update"]
        changed = self._write(self._client.update_item, {**arguments, "ReturnValues": "ALL_NEW"})
        return from_wire(changed["Attributes"])

    def delete(self, table: str, key: Key, condition: Expression) -> None:
        """Remove an item. Raises ConditionFailed, and Busy."""
        arguments = {"TableName": table, "Key": to_wire(key), **_spelled(ConditionExpression=condition)}
        self._write(self._client.delete_item, arguments)

    def query(  # noqa: PLR0913 - one place that knows how a query is spelled
        self,
        table: str,
        condition: Expression,
        *,
        index: str | None = None,
        only: Expression | None = None,
        limit: int | None = None,
        after: Item | None = None,
        newest_first: bool = False,
    ) -> Page:
        """Give one page of the items a key condition names; `only` filters what was read. Tables are read as they are
        now, indexes a little late.
        """
        arguments: dict[str, Any] = _spelled(KeyConditionExpression=condition, FilterExpression=only)
        if index is None:
            arguments["ConsistentRead"] = True
        else:
            arguments["IndexName"] = index
        return self._page(self._client.query, table, arguments, limit, after, ScanIndexForward=not newest_first)

    def query_all(self, table: str, condition: Expression, *, index: str | None = None) -> Iterator[Item]:
        """Give all the items a key condition names."""
        after: Item | None = None
        while True:
            page = self.query(table, condition, index=index, after=after)
            yield from page.items
            if page.next_key is None:
                return
            after = page.next_key

    def scan(self, table: str, *, limit: int | None = None, after: Item | None = None) -> Page:
        """Give one page of a whole table."""
        return self._page(self._client.scan, table, {}, limit, after)

    def scan_all(self, table: str) -> Iterator[Item]:
        """Give a whole (small) table."""
        after: Item | None = None
        while True:
            page = self.scan(table, after=after)
            yield from page.items
            if page.next_key is None:
                return
            after = page.next_key

    def transact(self, *actions: Mapping[str, Any], tries: int = _TRIES) -> None:
        """Do all of these writes or none.

        Conflicts with other transactions and throttling are tried again, with growing random pauses: botocore does
        not do that. Raises ConditionFailed, and Busy when it is still in conflict after `tries`.
        """
        for attempt in range(1, tries + 1):
            try:
                self._client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
            except ClientError as error:
                if not _is_contention(error):
                    raise
                self._wait_or_give_up(attempt, tries)
            else:
                return

    def _write(self, call: Callable[..., Any], arguments: Item) -> Any:
        """Do one write, again while a transaction of somebody else's holds the item."""
        attempt = 0
        while True:
            attempt += 1
            try:
                with _typed_failures():
                    return call(**arguments)
            except ClientError as error:
                # Throttling is botocore's to retry; this is not.
                if error.response["Error"]["Code"] != "TransactionConflictException":
                    raise
                self._wait_or_give_up(attempt)

    def _page(
        self,
        call: Callable[..., Any],
        table: str,
        arguments: Item,
        limit: int | None,
        after: Item | None,
        **more: object,
    ) -> Page:
        if limit is not None:
            arguments["Limit"] = limit
        if after is not None:
            arguments["ExclusiveStartKey"] = to_wire(after)
        found = call(TableName=table, **arguments, **more)
        last = found.get("LastEvaluatedKey")
        return Page([from_wire(item) for item in found["Items"]], from_wire(last) if last else None)

    def _wait_or_give_up(self, attempt: int, tries: int = _TRIES) -> None:
        if attempt >= tries:
            raise Busy
        self._pause(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - spreads retries, guards nothing


def put(table: str, item: Mapping[str, object], condition: Expression | None = None) -> Item:
    """Give the action that writes an item."""
    return {"Put": {"TableName": table, "Item": to_wire(item), **_spelled(ConditionExpression=condition)}}


def update(table: str, key: Key, change: Expression, condition: Expression | None = None) -> Item:
    """Give the action that changes an item."""
    spelled = _spelled(UpdateExpression=change, ConditionExpression=condition)
    return {"Update": {"TableName": table, "Key": to_wire(key), **spelled}}


def check(table: str, key: Key, condition: Expression) -> Item:
    """Give the action that only checks an item."""
    return {"ConditionCheck": {"TableName": table, "Key": to_wire(key), **_spelled(ConditionExpression=condition)}}


def _spelled(**expressions: Expression | None) -> Item:
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


class _typed_failures:  # noqa: N801 - reads as the statement it is
    """Turns DynamoDB's refusal of a condition into ConditionFailed."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise ConditionFailed from None


def _is_contention(error: ClientError) -> bool:
    """Tell whether a transaction only has to be tried again. Raises ConditionFailed when it must not."""
    code = error.response["Error"]["Code"]
    if code != "TransactionCanceledException":
        return code in _RETRIED_WHOLE
    reasons: Iterable[str] = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
    failed = frozenset(place for place, reason in enumerate(reasons) if reason == "ConditionalCheckFailed")
    if failed:
        raise ConditionFailed(failed) from None
    return any(reason in _RETRIED for reason in reasons)
