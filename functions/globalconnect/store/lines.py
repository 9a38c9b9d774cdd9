"""The Lines table: what gateways call their SIMs and devices, and the numbers of ours that these are.

A number is that of one line: beside the line's own item is one that names the line by its number.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import batched
from typing import Any

from globalconnect.domain.errors import Conflict, TooLarge
from globalconnect.domain.ids import SourceId
from globalconnect.domain.source import Line
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import (
    ConditionFailed,
    Dynamo,
    Item,
    Key,
    changing,
    expression,
    from_wire,
    put,
    remove,
    update,
)

_CODEC = Codec(Line)
# A transaction holds 100 writes: two for a line.
_AT_ONCE = 50
_THREADS = 32
# No source's id has a space.
_BY_PHONE = "phone "
_OWNER = "line"


class Lines:
    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table

    def phones(self, source_id: SourceId, lines: Collection[str]) -> Mapping[str, str | None]:
        """Return which number each of these lines of a source is, None for one that staff have not mapped.

        Lines of which nothing was ever heard are not among them.
        """
        items = self._db.get_many(self._table, [_key(source_id, line) for line in lines])
        return {item["line"]: item.get("phone") for item in items}

    def line_of(self, phone: str) -> Line | None:
        """Return the line that is a number, None when no line is."""
        return self.lines_of([phone]).get(phone)

    def lines_of(self, phones: Collection[str]) -> Mapping[str, Line]:
        """Return the lines that are these numbers, by number."""
        owners = self._db.get_many(self._table, [_owner_key(phone) for phone in phones])
        return {(phone := owner_phone(owner)): Line(owner["of_source"], owner["of_line"], phone) for owner in owners}

    def under(self, source_id: SourceId, prefix: str) -> list[Line]:
        """Return the mapped lines of a source whose names begin so."""
        condition = expression("#source_id = :source AND begins_with(#line, :prefix)", source=source_id, prefix=prefix)
        found = map(_CODEC.from_item, self._db.query_all(self._table, condition))
        return [line for line in found if line.phone is not None]

    def note(self, source_id: SourceId, line: str, now: int) -> None:
        """Note at `now` (ms) that an SMS came in on a line that is not known yet, for staff to map it."""
        with suppress(ConditionFailed):
            item = _CODEC.to_item(Line(source_id, line, heard_at=now))
            self._db.put(self._table, item, expression("attribute_not_exists(#line)"))

    def page(self, source_id: SourceId, limit: int, cursor: str | None) -> Page[Line]:
        """Return one page of a source's lines, by name. Raises InvalidInput for a cursor of something else."""
        listing = Listing("lines", partial(has, source_id=source_id, line=str), (source_id,))
        condition = expression("#source_id = :source", source=source_id)
        page = self._db.query(self._table, condition, limit=limit, after=listing.key(cursor))
        return Page([_CODEC.from_item(item) for item in page.items], listing.cursor(page.next_key))

    def every(self, source_id: SourceId) -> Iterator[Line]:
        found = self._db.query_all(self._table, expression("#source_id = :source", source=source_id))
        return map(_CODEC.from_item, found)

    def replace(self, source_id: SourceId, wanted: Mapping[str, str]) -> None:
        """Let the lines of a source be these numbers, and no others of it any.

        Raises Conflict naming the line that is one of the numbers already, before anything is changed; and when
        somebody maps them at the same moment: then some may be mapped, and sending it again ends it. So does Busy.
        """
        known = {line.line: line for line in self.every(source_id)}
        self._map(source_id, known, {**dict.fromkeys(known), **wanted})

    def change(self, source_id: SourceId, wanted: Mapping[str, str | None], most: int) -> None:
        """Let some lines of a source be these numbers, None for none of ours; its other lines stay.

        Raises TooLarge when more than `most` would be mapped then, and Conflict and Busy as `replace` does.
        """
        known = {line.line: line for line in self.every(source_id)}
        phones = {**{name: line.phone for name, line in known.items()}, **wanted}
        if sum(phone is not None for phone in phones.values()) > most:
            raise TooLarge(f"lines: expected at most {most} of a source")
        self._map(source_id, known, wanted)

    def _map(self, source_id: SourceId, known: Mapping[str, Line], wanted: Mapping[str, str | None]) -> None:
        is_now = {name: known[name].phone if name in known else None for name in wanted}
        former = {name: known[name] for name, phone in wanted.items() if is_now[name] and phone != is_now[name]}
        new = {name: phone for name, phone in wanted.items() if phone and phone != is_now[name]}
        self.refuse_taken(source_id, new, former)
        changes = [self._freeing(line) for line in former.values()]
        changes += [self._mapping(source_id, name, phone) for name, phone in new.items()]
        # Freed first: a number may move from one line to another.
        for some in (changes[: len(former)], changes[len(former) :]):
            for at_once in batched(some, _AT_ONCE, strict=False):
                self._write([action for change in at_once for action in change])

    def remove(self, source_id: SourceId) -> None:
        """Forget a source's lines: their numbers may be other lines' then."""
        self.replace(source_id, {})
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(self._forget, self.every(source_id)))

    def _forget(self, line: Line) -> None:
        with suppress(ConditionFailed):
            key = _key(line.source_id, line.line)
            self._db.delete(self._table, key, expression("attribute_exists(#line) AND attribute_not_exists(#phone)"))

    def refuse_taken(self, source_id: SourceId, new: Mapping[str, str], former: Collection[str] = ()) -> None:
        """Raise Conflict for a number that is another line's, but for lines of the source that are to be freed."""
        owners = self._db.get_many(self._table, [_owner_key(phone) for phone in new.values()])
        for owner in owners:
            of_source, of_line = owner["of_source"], owner["of_line"]
            phone = owner_phone(owner)
            is_freed = of_source == source_id and of_line in former
            if not is_freed and (of_source, new.get(of_line)) != (source_id, phone):
                raise Conflict(f"lines: {phone} is line {of_line} of source {of_source}")

    def _freeing(self, line: Line) -> list[Item]:
        """Return the actions after which a line is no number; it stays in the list if it was heard."""
        key, is_that = _key(line.source_id, line.line), expression("#phone = :phone", phone=line.phone)
        owner = remove(
            self._table,
            _owner_key(line.phone or ""),
            expression("#of_source = :source AND #of_line = :line", source=line.source_id, line=line.line),
        )
        if line.heard_at is None:
            return [remove(self._table, key, is_that), owner]
        return [update(self._table, key, changing(removes=["phone"]), is_that), owner]

    def _mapping(self, source_id: SourceId, line: str, phone: str) -> list[Item]:
        owner = {**_owner_key(phone), "of_source": source_id, "of_line": line}
        # Its own by a try of ours that AWS did not answer.
        is_free = expression(
            "attribute_not_exists(#source_id) OR (#of_source = :source AND #of_line = :line)",
            source=source_id,
            line=line,
        )
        is_unmapped = expression("attribute_not_exists(#phone) OR #phone = :phone", phone=phone)
        return [
            update(self._table, _key(source_id, line), changing({"phone": phone}), is_unmapped),
            put(self._table, owner, is_free),
        ]

    def _write(self, actions: list[Item]) -> None:
        try:
            self._db.transact(*actions)
        except ConditionFailed:
            raise Conflict("lines: they were mapped meanwhile; try again") from None


def owner_phone(item: Item) -> str:
    """Return the number of the item that names its line."""
    phone: str = item["source_id"].removeprefix(_BY_PHONE)
    return phone


def changed_phone(keys: Mapping[str, Any]) -> str:
    """Return the number whose line a record of the table's stream is about: of its keys."""
    return owner_phone(from_wire(keys))


def fitting(item: Item, find: Callable[[Key], Item | None]) -> Item | None:
    """Return what of an item from a copy of the table fits what is there now (docs/adr/0039), None for nothing.

    `find` gives the present items. A number that has become another line's since stays that.
    """
    if item["line"] == _OWNER and item["source_id"].startswith(_BY_PHONE):
        line = find(_key(item["of_source"], item["of_line"]))
        return item if line is None or _owner_key(line.get("phone", "")) == _owner_key_of(item) else None
    owner = find(_owner_key(item["phone"])) if "phone" in item else None
    if owner is None or (owner["of_source"], owner["of_line"]) == (item["source_id"], item["line"]):
        return item
    return {name: value for name, value in item.items() if name != "phone"}


def _owner_key_of(item: Item) -> Key:
    return {name: item[name] for name in ("source_id", "line")}


def _key(source_id: SourceId, line: str) -> Key:
    return {"source_id": source_id, "line": line}


def _owner_key(phone: str) -> Key:
    return {"source_id": f"{_BY_PHONE}{phone}", "line": _OWNER}
