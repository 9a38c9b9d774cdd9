"""The Holders table: how many numbers each partner holds, projected like the counts of the pools (docs/adr/0033)."""

from dataclasses import dataclass

from globalconnect.domain.pool_counts import MOST_CHANGED, HolderCount
from globalconnect.store.codec import Codec
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.expressions import Item, expression, update

_CODEC = Codec(HolderCount)
to_holder = _CODEC.from_item


class Holders:
    """How many numbers partners hold."""

    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table

    def held_by(self, partner_id: str) -> int:
        """Return how many numbers a partner holds, as counted last. Raises Busy."""
        item = self._db.get(self._table, {"partner_id": partner_id})
        return to_holder(item).held if item else 0


@dataclass(frozen=True, slots=True)
class HolderChange:
    """What a batch changes about a partner's count, `by` how much, and which numbers came or went; `read` is how the
    count was read, and stays as it is, or a new one as long as no recount is known to look at it.
    """

    read: HolderCount
    by: int
    phones: frozenset[str]


def change_of(table: str, change: HolderChange) -> Item:
    """Return the action that adds to a partner's count, whatever others add to it meanwhile.

    It fails when another recount looks at it than did when it was read.
    """
    read, sums = change.read, "ADD #held :by, #version :one"
    if read.recount is None:
        added = expression(sums, by=change.by, one=1)
        condition = expression("attribute_not_exists(#recount)")
    else:
        condition = expression("#recount = :recount", recount=read.recount)
        if len(read.changed | change.phones) > MOST_CHANGED:
            added = expression(f"REMOVE #recount, #changed {sums}", by=change.by, one=1)
        else:
            added = expression(f"{sums}, #changed :phones", by=change.by, one=1, phones=change.phones)
    return update(table, {"partner_id": read.partner_id}, added, condition)


def from_holder(count: HolderCount) -> Item:
    return _CODEC.to_item(count) | {"version": count.version + 1}
