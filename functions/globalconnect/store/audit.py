"""The Audit table: what staff have changed, and at which SMS texts they have looked (docs/adr/0025)."""

import re
from collections.abc import Iterator
from functools import partial

from globalconnect.domain.audit import AuditEntry
from globalconnect.domain.times import SECOND, day_of
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import Dynamo, Item, expression

# Deployed stacks have entries with these names.
_CODEC = Codec(AuditEntry, {"staff": "operator", "staff_name": "operator_name"})
_to_entry = _CODEC.from_item

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class Audit:
    """Entries by month. Kept for `retention` ms."""

    def __init__(self, db: Dynamo, table: str, retention: int) -> None:
        self._db = db
        self._table = table
        self._retention = retention

    def write(self, entry: AuditEntry) -> None:
        """Enter an entry, or put it in the place of what was entered for the same deed before. Raises Busy."""
        self._db.put(self._table, self._to_item(entry))

    def page(self, limit: int, cursor: str | None, now: int) -> Page[AuditEntry]:
        """Return one page of all entries at `now` (ms), newest first. Raises InvalidInput for a cursor of something else."""
        listing = Listing("audit", partial(_is_key, now))
        after = listing.key(cursor)
        month = month_of(now) if after is None else str(after["month"])
        found: list[Item] = []
        while month >= month_of(now - self._retention):
            page = self._db.query(
                self._table,
                expression("#month = :month", month=month),
                # DynamoDB deletes an entry up to days after its time.
                only=expression("#expire_at > :now", now=now // SECOND),
                limit=limit - len(found),
                after=after,
                newest_first=True,
            )
            found += page.items
            if page.next_key is not None:
                return Page([_to_entry(item) for item in found], listing.cursor(page.next_key))
            if len(found) >= limit:
                last = {name: found[-1][name] for name in ("month", "entry")}
                return Page([_to_entry(item) for item in found], listing.cursor(last))
            month, after = _month_before(month), None
        return Page([_to_entry(item) for item in found], None)

    def since(self, at: int, now: int) -> Iterator[AuditEntry]:
        """Return the entries from `at` to `now` (ms), the oldest first in each month."""
        month = month_of(now)
        while month >= month_of(at):
            condition = expression("#month = :month AND #entry >= :since", month=month, since=_sorted_by(at))
            yield from map(_to_entry, self._db.query_all(self._table, condition))
            month = _month_before(month)

    def _to_item(self, entry: AuditEntry) -> Item:
        return {
            "month": month_of(entry.at),
            "entry": f"{_sorted_by(entry.at)}-{entry.token}",
            **_CODEC.to_item(entry),
            "expire_at": (entry.at + self._retention) // SECOND,
        }


def _is_key(now: int, key: object) -> bool:
    if not isinstance(key, dict) or not has(key, month=str, entry=str):
        return False
    return _MONTH.fullmatch(key["month"]) is not None and key["month"] <= month_of(now)


def _sorted_by(at: int) -> str:
    return f"{at:015}"


def month_of(at: int) -> str:
    """Return the UTC month of `at` (ms) as `2024-01`."""
    return day_of(at)[: len("2024-01")]


def _month_before(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year:04}-{number - 1:02}" if number > 1 else f"{year - 1:04}-12"
