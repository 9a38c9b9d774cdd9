"""A thin, typed way to DynamoDB: plain Python values in and out, and failures typed by what to do about them."""

import random
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from globalconnect.domain.errors import Busy
from globalconnect.store.dynamo.expressions import (
    Expression,
    Item,
    Key,
    Statement,
    from_wire,
    projection,
    put,
    spell,
    to_value,
    to_wire,
    update,
)
from globalconnect.store.dynamo.failures import (
    FAILURES,
    TRIES,
    failure_of_call,
    failure_of_statement,
    may_be_done,
    unavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_BATCH_GET_LIMIT = 100
_BATCH_WRITE_LIMIT = 25
_STATEMENTS_LIMIT = 25
# Statements come by themselves again when they fail, so their callers rather know soon.
_BATCH_TRIES = 4


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One page of a listing, and the key to go on from (None at the end)."""

    items: list[Item]
    next_key: Item | None


class Dynamo:
    """The operations our stores are made of. `pause` waits between tries, `elapsed` tells the time that takes (s).

    Calls are tried again while others change the same items, and when no answer came (docs/adr/0018): any write may be
    carried out more than once, and must allow for that by its condition.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        pause: Callable[[float], None] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._pause = pause
        self._elapsed = elapsed

    def get(self, table: str, key: Key, attributes: Collection[str] | None = None) -> Item | None:
        """Return one item, or these attributes of it, as it is now, None when there is none. Raises Busy."""
        only = None if attributes is None else projection(attributes)
        arguments = {
            "TableName": table,
            "Key": to_wire(key),
            "ConsistentRead": True,
            **spell(ProjectionExpression=only),
        }
        found = self._ask(self._client.get_item, arguments)
        return from_wire(found["Item"]) if "Item" in found else None

    def get_many(self, table: str, keys: Sequence[Key], attributes: Collection[str] | None = None) -> list[Item]:
        """Return the items of these keys, or these attributes of them, as they are now, in no order; those that don't
        exist are missing.
        """
        only = None if attributes is None else projection(attributes)
        return [item for _, item in self._get_batches([(table, to_wire(key)) for key in keys], only)]

    def get_of(self, keys: Mapping[str, Sequence[Key]]) -> dict[str, list[Item]]:
        """Return the items of these keys by table, as `get_many` does, in one call as long as there are few."""
        items: dict[str, list[Item]] = {table: [] for table in keys}
        for table, item in self._get_batches([(table, to_wire(key)) for table, some in keys.items() for key in some]):
            items[table].append(item)
        return items

    def get_each(self, *places: tuple[str, Key]) -> list[Item | None]:
        """Return what is at each of these tables and keys as it is now, in one call; None where nothing is."""
        found = list(self._get_batches([(table, to_wire(key)) for table, key in places]))
        return [
            next((item for place, item in found if place == table and key.items() <= item.items()), None)
            for table, key in places
        ]

    def _get_batches(
        self, waiting: list[tuple[str, Item]], only: Expression | None = None
    ) -> Iterator[tuple[str, Item]]:
        tries = 0
        while waiting:
            asked, waiting = waiting[:_BATCH_GET_LIMIT], waiting[_BATCH_GET_LIMIT:]
            requests: dict[str, Any] = {}
            for table, key in asked:
                wanted = {"Keys": [], "ConsistentRead": True, **spell(ProjectionExpression=only)}
                requests.setdefault(table, wanted)["Keys"].append(key)
            found: Any = self._ask(self._client.batch_get_item, {"RequestItems": requests})
            for table, items in found["Responses"].items():
                yield from ((table, from_wire(item)) for item in items)
            unread = [(table, key) for table, left in found.get("UnprocessedKeys", {}).items() for key in left["Keys"]]
            if unread:
                tries += 1
                self._wait_or_give_up(tries)
                waiting += unread

    def put(self, table: str, item: Mapping[str, object], condition: Expression | None = None) -> None:
        """Write an item. Raises ConditionFailed, and Busy."""
        self._ask(self._client.put_item, put(table, item, condition)["Put"])

    def update(self, table: str, key: Key, change: Expression, condition: Expression | None = None) -> Item:
        """Change an item and give it as it is then. Raises ConditionFailed, and Busy."""
        arguments = update(table, key, change, condition)["Update"]
        return from_wire(self._ask(self._client.update_item, {**arguments, "ReturnValues": "ALL_NEW"})["Attributes"])

    def replace(self, table: str, key: Key, change: Expression, condition: Expression) -> Item:
        """Change an item and give it as it was before. Raises ConditionFailed, and Busy."""
        arguments = update(table, key, change, condition)["Update"]
        return from_wire(self._ask(self._client.update_item, {**arguments, "ReturnValues": "ALL_OLD"})["Attributes"])

    def update_unseen(
        self, table: str, key: Key, change: Expression, condition: Expression | None = None, tries: int = TRIES
    ) -> None:
        """Change an item of which the caller may see nothing. Raises ConditionFailed, and Busy after `tries`."""
        self._ask(self._client.update_item, update(table, key, change, condition)["Update"], tries)

    def execute(self, statements: Sequence[Statement]) -> list[Item | Exception]:
        """Carry out statements that each change one item (no item twice), 25 per call, not as one transaction.

        Returns per statement what it returns (an empty item when nothing), or its ConditionFailed, its Busy when the
        item stayed in contention, or its Unavailable.
        """
        ends: dict[int, Item | Exception] = {}
        waiting = list(range(len(statements)))
        for attempt in range(1, _BATCH_TRIES + 1):
            for places in batched(waiting, _STATEMENTS_LIMIT, strict=False):
                ends |= self._execute({place: statements[place] for place in places})
            waiting = [place for place in waiting if isinstance(ends[place], Busy)]
            if not waiting or attempt == _BATCH_TRIES:
                break
            self.wait(attempt)
        return [ends[place] for place in range(len(statements))]

    def _execute(self, statements: Mapping[int, Statement]) -> dict[int, Item | Exception]:
        asked = [
            {"Statement": statement.text, "Parameters": [to_value(value) for value in statement.values]}
            for statement in statements.values()
        ]
        answers = _once(self._client.batch_execute_statement, Statements=asked)["Responses"]
        return {place: _end_of_statement(answer) for place, answer in zip(statements, answers, strict=True)}

    def put_many(self, table: str, items: Sequence[Mapping[str, object]]) -> None:
        """Write items without conditions, 25 per call. Raises Busy when some stayed unwritten."""
        waiting: list[Any] = [{"PutRequest": {"Item": to_wire(item)}} for item in items]
        tries = 0
        while waiting:
            asked, waiting = waiting[:_BATCH_WRITE_LIMIT], waiting[_BATCH_WRITE_LIMIT:]
            unwritten = _once(self._client.batch_write_item, RequestItems={table: asked}).get("UnprocessedItems", {})
            if unwritten:
                tries += 1
                self._wait_or_give_up(tries)
                waiting += unwritten[table]

    def delete(self, table: str, key: Key, condition: Expression) -> None:
        """Remove an item. Raises ConditionFailed, and Busy."""
        self._ask(
            self._client.delete_item, {"TableName": table, "Key": to_wire(key), **spell(ConditionExpression=condition)}
        )

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
    ) -> ItemPage:
        """Return one page of the items a key condition names; `only` filters what was read. Tables are read as they are
        now, indexes a little late.
        """
        arguments: dict[str, Any] = spell(KeyConditionExpression=condition, FilterExpression=only)
        if index is None:
            arguments["ConsistentRead"] = True
        else:
            arguments["IndexName"] = index
        return self._page(self._client.query, table, arguments, limit, after, ScanIndexForward=not newest_first)

    def query_all(self, table: str, condition: Expression, *, index: str | None = None) -> Iterator[Item]:
        return _every(lambda after: self.query(table, condition, index=index, after=after))

    def scan(
        self,
        table: str,
        *,
        limit: int | None = None,
        after: Item | None = None,
        consistent: bool = False,
        attributes: Collection[str] | None = None,
    ) -> ItemPage:
        """Return one page of a whole table, each item a little late or, when `consistent`, as it is when it is read."""
        arguments: Item = {"ConsistentRead": True} if consistent else {}
        if attributes is not None:
            arguments |= spell(ProjectionExpression=projection(attributes))
        return self._page(self._client.scan, table, arguments, limit, after)

    def scan_all(
        self, table: str, *, consistent: bool = False, attributes: Collection[str] | None = None
    ) -> Iterator[Item]:
        return _every(lambda after: self.scan(table, after=after, consistent=consistent, attributes=attributes))

    def transact(
        self, *actions: Mapping[str, Any], tries: int = TRIES, was_done: Callable[[], bool] = lambda: False
    ) -> None:
        """Do all of these writes or none, once.

        `was_done` reads whether these very writes have been done. It is asked when the transaction ends otherwise
        than well after a try without an answer: what it was refused for may be its own work then.
        Raises ConditionFailed, and Busy when others are still changing the items after `tries`.
        """
        # AWS carries out one transaction per token, however often it comes within ten minutes.
        arguments = {"TransactItems": actions, "ClientRequestToken": str(uuid.uuid4())}
        self._ask(self._client.transact_write_items, arguments, tries, was_done)

    def _ask(
        self,
        call: Callable[..., Any],
        arguments: Mapping[str, Any],
        tries: int = TRIES,
        was_done: Callable[[], bool] = lambda: False,
    ) -> Any:
        """Make a call, again while others hold its items (up to `tries`) and while no answer comes; return the answer.

        Returns None when it was done by a try without an answer. Raises ConditionFailed, Busy, and Unavailable.
        """
        began = self._elapsed()
        unsure = False
        attempt = 0
        while True:
            attempt += 1
            try:
                return call(**arguments)
            except FAILURES as error:
                unsure = unsure or may_be_done(error)
                # Whoever would rather go on to something else must know first that this was not done.
                end = failure_of_call(error, attempt, TRIES if unsure else tries, self._elapsed() - began)
            if end is not None:
                if unsure and was_done():
                    return None
                raise end
            self.wait(attempt)

    def _page(
        self,
        call: Callable[..., Any],
        table: str,
        arguments: Item,
        limit: int | None,
        after: Item | None,
        **more: object,
    ) -> ItemPage:
        if limit is not None:
            arguments["Limit"] = limit
        if after is not None:
            arguments["ExclusiveStartKey"] = to_wire(after)
        found = self._ask(call, {"TableName": table, **arguments, **more})
        last = found.get("LastEvaluatedKey")
        return ItemPage([from_wire(item) for item in found["Items"]], from_wire(last) if last else None)

    def _wait_or_give_up(self, attempt: int) -> None:
        if attempt >= TRIES:
            raise Busy
        self.wait(attempt)

    def wait(self, attempt: int) -> None:
        self._pause(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - spreads retries, guards nothing


def _every(page: Callable[[Item | None], ItemPage]) -> Iterator[Item]:
    after: Item | None = None
    while True:
        found = page(after)
        yield from found.items
        after = found.next_key
        if after is None:
            return


def _once(call: Callable[..., Any], **arguments: object) -> Any:
    """Make a call that is not tried again here. Raises Unavailable."""
    try:
        return call(**arguments)
    except FAILURES as error:
        raise unavailable(error) from None


def _end_of_statement(answer: Mapping[str, Any]) -> Item | Exception:
    error = answer.get("Error")
    return from_wire(answer.get("Item", {})) if error is None else failure_of_statement(str(error.get("Code")))
