"""The tables of counts, and what changes them together: Availability (per pool), Holders (per partner, docs/adr/0033) and
Counted (what each number last contributed).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from globalconnect.domain.activation import Hold
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.number import OfflineReason, pool_of
from globalconnect.domain.partner import Partner, live_limit
from globalconnect.domain.pool_counts import (
    MOST_CHANGED,
    Contribution,
    CountedNumber,
    HolderCount,
    PoolCounts,
    ProjectedCount,
)
from globalconnect.domain.times import DAY, HOUR
from globalconnect.store.activations import expire_at
from globalconnect.store.cache import Cache
from globalconnect.store.codec import Codec
from globalconnect.store.cursors import Listing, Page, has
from globalconnect.store.dynamo import Dynamo, Expression, Item, Key, changing, expression, put, remove, update
from globalconnect.store.packing import NO_COUNTS, pack_counts, unpack_counts

_ALL = "all"
_SOLD_OUT_KEPT = 3 * DAY
_LISTING = Listing("pools", partial(has, country=str, operator=str))
_HOLDER = Codec(HolderCount)


class PoolCountsStore:
    """Counts per pool; all of them together are remembered for `cache_seconds`."""

    def __init__(self, db: Dynamo, table: str, cache_seconds: float, now: Callable[[], int]) -> None:
        self._db = db
        self._table = table
        self._cache: Cache[list[PoolCounts]] = Cache(cache_seconds, now)

    def all(self) -> list[PoolCounts]:
        """Return the counts of every pool, as they were at most `cache_seconds` ago."""
        return self._cache.get(_ALL, lambda: [_to_counts(item) for item in self._db.scan_all(self._table)]) or []

    def page(self, limit: int, cursor: str | None) -> Page[PoolCounts]:
        """Return one page of the pools, by country and operator, as late as `all`.

        Raises InvalidInput for a cursor of something else.
        """
        after = _LISTING.key(cursor)
        # The table is by a hash of the country: what comes next in order is known only when all has been read. One page
        # of DynamoDB holds thousands of pools.
        pools = sorted(self.all(), key=lambda pool: (pool.country, pool.operator))
        if after is not None:
            pools = [pool for pool in pools if (pool.country, pool.operator) > (after["country"], after["operator"])]
        found = pools[:limit]
        more = {"country": found[-1].country, "operator": found[-1].operator} if len(pools) > limit else None
        return Page(found, _LISTING.cursor(more))

    def of_country(self, country: str) -> list[PoolCounts]:
        condition = expression("#country = :country", country=country)
        return [_to_counts(item) for item in self._db.query_all(self._table, condition)]

    def open_pool(self, country: str, operator: str) -> None:
        """Enter a pool that has no counts yet, so that it can be found before its first number has been counted."""
        self._db.update(
            self._table,
            {"country": country, "operator": operator},
            expression(
                "SET #total = if_not_exists(#total, :zero), #free = if_not_exists(#free, :zero), "
                "#blocked_free = if_not_exists(#blocked_free, :none), #version = if_not_exists(#version, :zero)",
                zero=0,
                none=NO_COUNTS,
            ),
        )


class Holders:
    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table

    def held_by(self, partner_id: PartnerId) -> int:
        """Return how many numbers a partner holds, as counted last. Raises Busy."""
        item = self._db.get(self._table, {"partner_id": partner_id})
        return _HOLDER.from_item(item).held if item else 0

    def left(self, partner: Partner, max_live: int, hold: Hold) -> int | None:
        """Return how many numbers more a partner may hold, None for any number (contract 1.7).

        `max_live` is the deployment's limit, 0 for none; `hold` is what ends the partner's activations. Only a partner with
        a limit is looked up. Raises Busy.
        """
        if partner.paused is not None:
            return 0
        limit = live_limit(partner, max_live, hold)
        return None if limit is None else max(0, limit - self.held_by(partner.partner_id))


class SoldOutAfterPoll:
    """How often partners got NO_NUMBERS though their last poll may have shown some, by the hour (docs/adr/0047).

    It is in the Statistics table, but counted by who sells, at once.
    """

    def __init__(self, db: Dynamo, table: str) -> None:
        self._db = db
        self._table = table

    def note(self, partner_id: PartnerId, now: int) -> None:
        """Count one more at `now` (ms), by one try; one without an answer from AWS may count twice. Raises Busy and Unavailable."""
        hour = now // HOUR * HOUR
        change = changing({"expire_at": expire_at(hour, _SOLD_OUT_KEPT)}, adds={"times": 1})
        self._db.update_unseen(self._table, {"kind": _sold_out(partner_id), "at": hour}, change, tries=1)

    def of(self, partner_id: PartnerId, first: int, last: int) -> int:
        """Return how often a partner did in the hours that begin from `first` to `last` (ms)."""
        condition = expression(
            "#kind = :kind AND #at BETWEEN :first AND :last", kind=_sold_out(partner_id), first=first, last=last
        )
        return sum(item["times"] for item in self._db.query_all(self._table, condition))


def _sold_out(partner_id: PartnerId) -> str:
    return f"sold_out#{partner_id}"


@dataclass(frozen=True, slots=True)
class HolderChange:
    """What a batch changes about a partner's count, `by` how much, and which numbers came or went; `read` is how the
    count was read, and stays as it is, or a new one as long as no recount is known to look at it.
    """

    read: HolderCount
    by: int
    phones: frozenset[str]


class CountsStore:
    """What the projection needs to change counts: pools, partners and counted numbers, written together.

    `now` gives the time in ms, for who notes when counts fell to 0.
    """

    def __init__(
        self, db: Dynamo, availability_table: str, counted_table: str, holders_table: str, now: Callable[[], int]
    ) -> None:
        self.now = now
        self._db = db
        self._availability = availability_table
        self._counted = counted_table
        self._holders = holders_table

    def counted(self, phones: Sequence[str]) -> dict[str, CountedNumber]:
        """Return what was last counted of these numbers; those never counted are missing."""
        return self.counted_and_pools(phones, [])[0]

    def pools(self, names: Sequence[tuple[str, str]]) -> dict[str, PoolCounts]:
        """Return the counts of these pools (country, operator) by their name; an unknown pool counts nothing."""
        return self.counted_and_pools([], names)[1]

    def counted_and_pools(
        self, phones: Sequence[str], names: Sequence[tuple[str, str]]
    ) -> tuple[dict[str, CountedNumber], dict[str, PoolCounts]]:
        """Return what `counted` and `pools` do, read at once."""
        pools = {pool_of(*name): PoolCounts(*name) for name in names}
        keys: dict[str, list[Key]] = {
            self._counted: [{"phone": phone} for phone in phones],
            self._availability: [{"country": country, "operator": operator} for country, operator in names],
        }
        found = self._db.get_of(keys)
        for item in found[self._availability]:
            counts = _to_counts(item)
            pools[pool_of(counts.country, counts.operator)] = counts
        return {item["phone"]: _to_counted(item) for item in found[self._counted]}, pools

    def holders(self, partner_ids: Sequence[PartnerId]) -> dict[PartnerId, HolderCount]:
        """Return the counts of these partners by their id; one that was never counted holds nothing."""
        holders = {partner_id: HolderCount(partner_id) for partner_id in partner_ids}
        for item in self._db.get_many(self._holders, [{"partner_id": partner_id} for partner_id in partner_ids]):
            holders[item["partner_id"]] = _HOLDER.from_item(item)
        return holders

    def every_holder(self) -> Iterator[HolderCount]:
        """Return the count of every partner, each as it is when it is read."""
        return (_HOLDER.from_item(item) for item in self._db.scan_all(self._holders, consistent=True))

    def every_pool(self) -> Iterator[PoolCounts]:
        """Return the counts of every pool, each as it is when it is read."""
        return (_to_counts(item) for item in self._db.scan_all(self._availability, consistent=True))

    def every_counted(self) -> Iterator[CountedNumber]:
        """Return what was last counted of every number, each as it is when it is read."""
        return (_to_counted(item) for item in self._db.scan_all(self._counted, consistent=True))

    def write(
        self,
        tallies: Sequence[PoolCounts | HolderCount],
        counted: Sequence[CountedNumber],
        seen: Mapping[str, CountedNumber],
        gone: Collection[str] = (),
        holders: Sequence[HolderChange] = (),
    ) -> None:
        """Write changed counts and what they now contain, all or nothing; `gone` are phones to forget.

        `seen` is what the caller read of the numbers before; `holders` add to counts of partners. Raises
        ConditionFailed when a count of `tallies` or a number was counted by somebody else since: then nothing was
        written and it has to be read again.
        """
        actions = [self._put(tally) for tally in tallies]
        actions += [_adding(self._holders, change) for change in holders]
        actions += [
            put(self._counted, _from_counted(number), _same_number(seen.get(number.phone))) for number in counted
        ]
        actions += [remove(self._counted, {"phone": phone}, _same_number(seen[phone])) for phone in gone]
        self._db.transact(*actions)

    def _put(self, tally: PoolCounts | HolderCount) -> Item:
        if isinstance(tally, PoolCounts):
            return put(self._availability, _from_counts(tally), _same(tally))
        return put(self._holders, _HOLDER.to_item(tally) | {"version": tally.version + 1}, _same(tally))


def _adding(table: str, change: HolderChange) -> Item:
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


def _same(tally: ProjectedCount) -> Expression:
    if tally.version == 0:
        # Never counted: not there yet, or only opened.
        return expression("attribute_not_exists(#version) OR #version = :zero", zero=0)
    return expression("#version = :version", version=tally.version)


def _same_number(before: CountedNumber | None) -> Expression:
    if before is None:
        return expression("attribute_not_exists(#version)")
    # A recount may change what a version contributed, so the version alone does not tell.
    known = {name: value for name, value in _from_counted(before).items() if value is not None and value != frozenset()}
    absent = [
        f"attribute_not_exists(#{name})" for name in ("pool", "blocked", "holder", "offline") if name not in known
    ]
    known.pop("phone")
    return expression(" AND ".join([*(f"#{name} = :{name}" for name in known), *absent]), **known)


def _from_counts(pool: PoolCounts) -> Item:
    return {
        "country": pool.country,
        "operator": pool.operator,
        "total": pool.total,
        "free": pool.free,
        "blocked_free": pack_counts(pool.blocked_free),
        "offline": pool.offline or None,
        "silent": pool.silent or None,
        "empty_since": pool.empty_since,
        "sold_out": pack_counts(pool.sold_out) or None,
        "version": pool.version + 1,
        "recount": pool.recount,
        "changed": pool.changed,
    }


def _to_counts(item: Item) -> PoolCounts:
    return PoolCounts(
        country=item["country"],
        operator=item["operator"],
        total=item["total"],
        free=item["free"],
        blocked_free=unpack_counts(item["blocked_free"]),
        offline=item.get("offline", 0),
        silent=item.get("silent", 0),
        empty_since=item.get("empty_since"),
        sold_out=unpack_counts(item.get("sold_out", NO_COUNTS)),
        version=item["version"],
        recount=item.get("recount"),
        changed=frozenset(item.get("changed", ())),
    )


def _from_counted(number: CountedNumber) -> Item:
    return {
        "phone": number.phone,
        "version": number.version,
        "pool": number.contribution.pool,
        "free": number.contribution.free,
        "blocked": number.contribution.blocked,
        "holder": number.contribution.holder,
        "offline": number.contribution.offline,
    }


def _to_counted(item: Item) -> CountedNumber:
    contribution = Contribution(
        item.get("pool"),
        free=item["free"],
        blocked=frozenset(item.get("blocked", ())),
        # Of numbers counted before there were counts of partners there is none.
        holder=item.get("holder"),
        offline=OfflineReason(item["offline"]) if "offline" in item else None,
    )
    return CountedNumber(item["phone"], item["version"], contribution)
