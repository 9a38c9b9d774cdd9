"""Bring counts up to numbers: what pools and partners count and what is noted of each number change together, or not
at all.

Whoever counts in the same pool at the same time makes the other read again (docs/adr/0007); counts of partners are
added to (docs/adr/0033). What spans the tables is in `Counts`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import batched

from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.number import Number, names_of
from globalconnect.domain.pool_counts import (
    NOTHING,
    Contribution,
    CountedNumber,
    HolderCount,
    PoolCounts,
    contribution_of,
)
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.pool_counts import CountsStore, HolderChange

# A transaction holds 100 writes: one per number, one per pool they were or are in, one per partner who held or holds
# them. Few of one batch are in many pools; where they are, fewer numbers are counted at once.
_WRITES = 100
_NUMBERS_AT_ONCE = 90
_TRIES = 10

type Seen = Mapping[str, CountedNumber]
# What is to be noted of numbers, by phone: None is to be forgotten, missing stays as it is.
type Wanted = Mapping[str, CountedNumber | None]
# How the contribution of a number changes: its phone, before, after.
type Move = tuple[str, Contribution, Contribution]


def _no_pools(_phones: Sequence[str]) -> Collection[str]:
    return ()


def count(numbers: Iterable[Number], counts: CountsStore) -> int:
    """Count numbers, each in the newest of the versions given; what was counted in that or a newer one stays.

    Returns how many were newly counted. Raises Busy when others keep counting the same pools.
    """
    by_phone = {number.phone: number for number in sorted(numbers, key=lambda number: number.version)}

    def wanted(phones: Sequence[str], seen: Seen) -> Wanted:
        return {
            phone: counted_as(by_phone[phone])
            for phone in phones
            if phone not in seen or seen[phone].version < by_phone[phone].version
        }

    def pools(phones: Sequence[str]) -> set[str]:
        contributions = (contribution_of(by_phone[phone]) for phone in phones)
        return {contribution.pool for contribution in contributions if contribution.pool is not None}

    return _change_all(list(by_phone), wanted, counts, pools)


def correct(phones: Sequence[str], read: Callable[[Sequence[str]], Sequence[Number]], counts: CountsStore) -> int:
    """Count numbers as they are, whatever was counted of them; a number that does not exist is forgotten.

    `read` gives those that exist, as they are now. Returns how many were counted otherwise before. Raises Busy when
    others keep counting the same.
    """

    def wanted(phones: Sequence[str], seen: Seen) -> Wanted:
        # Read after what was counted: so it is never older, unless the count is wrong.
        numbers = {number.phone: counted_as(number) for number in read(phones)}
        return {phone: numbers.get(phone) for phone in phones if numbers.get(phone) != seen.get(phone)}

    return _change_all(phones, wanted, counts)


def counted_as(number: Number) -> CountedNumber:
    """Return what has to be noted of a number when it is counted."""
    return CountedNumber(number.phone, number.version, contribution_of(number))


def _change_all(
    phones: Sequence[str],
    wanted: Callable[[Sequence[str], Seen], Wanted],
    counts: CountsStore,
    expected: Callable[[Sequence[str]], Collection[str]] = _no_pools,
) -> int:
    return sum(_change(chunk, wanted, counts, expected) for chunk in batched(phones, _NUMBERS_AT_ONCE, strict=False))


def _change(
    phones: Sequence[str],
    wanted: Callable[[Sequence[str], Seen], Wanted],
    counts: CountsStore,
    expected: Callable[[Sequence[str]], Collection[str]],
) -> int:
    for attempt in range(_TRIES):
        # Most numbers stay in their pool: it is read beside what was counted of them, and not after that. That both were
        # as read is a condition of the write.
        seen, known = counts.counted_and_pools(phones, [names_of(name) for name in sorted(expected(phones))])
        changes = wanted(phones, seen)
        if not changes:
            return 0
        moves = [(phone, _contribution(seen.get(phone)), _contribution(after)) for phone, after in changes.items()]
        # What is added to holds whatever was counted; only a recount that looks at it has to be known (docs/adr/0033).
        read_holders = counts.holders if attempt else _unwatched
        pools, holders = _changed_pools(moves, known, counts), _changed_holders(moves, read_holders)
        if len(pools) + len(holders) + len(changes) > _WRITES:
            half = len(phones) // 2
            return sum(_change(some, wanted, counts, expected) for some in (phones[:half], phones[half:]))
        noted = [number for number in changes.values() if number is not None]
        gone = [phone for phone, number in changes.items() if number is None]
        try:
            counts.write(pools, noted, seen, gone, holders)
        except ConditionFailed:
            # Another shard has counted into the same pool, or this batch is being counted twice: read again.
            continue
        return len(changes)
    raise Busy


def _changed_pools(moves: Iterable[Move], known: Mapping[str, PoolCounts], counts: CountsStore) -> list[PoolCounts]:
    real = [(phone, before, after) for phone, before, after in moves if replace(before, holder=after.holder) != after]
    names = {contribution.pool for _, *both in real for contribution in both if contribution.pool is not None}
    missing = [names_of(name) for name in sorted(names - known.keys())]
    pools = {name: known[name] for name in names & known.keys()} | (counts.pools(missing) if missing else {})
    before = {name: replace(pool, blocked_free=dict(pool.blocked_free)) for name, pool in pools.items()}
    noted: dict[str, list[str]] = {name: [] for name in names}
    for phone, *both in real:
        for contribution, sign in zip(both, (-1, 1), strict=True):
            if contribution.pool is not None:
                pools[contribution.pool].add(contribution, sign)
                noted[contribution.pool].append(phone)
    for name, phones in noted.items():
        pools[name].note(phones)
        pools[name].note_sold_out(before[name], counts.now())
    return list(pools.values())


def _unwatched(partner_ids: Sequence[PartnerId]) -> dict[PartnerId, HolderCount]:
    return {partner_id: HolderCount(partner_id) for partner_id in partner_ids}


def _changed_holders(
    moves: Iterable[Move], read: Callable[[Sequence[PartnerId]], Mapping[PartnerId, HolderCount]]
) -> list[HolderChange]:
    by: dict[PartnerId, int] = {}
    noted: dict[PartnerId, set[str]] = {}
    for phone, before, after in moves:
        if before.holder == after.holder:
            continue
        for holder, sign in ((before.holder, -1), (after.holder, 1)):
            if holder is not None:
                by[holder] = by.get(holder, 0) + sign
                noted.setdefault(holder, set()).add(phone)
    holders = read(sorted(by))
    return [HolderChange(holders[holder], change, frozenset(noted[holder])) for holder, change in by.items()]


def _contribution(counted: CountedNumber | None) -> Contribution:
    return NOTHING if counted is None else counted.contribution
