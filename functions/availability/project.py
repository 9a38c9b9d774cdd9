"""Count numbers into pools, each version of a number once, however batches are cut, repeated or interleaved."""

from collections.abc import Iterable, Sequence
from itertools import batched

from globalconnect.domain.availability import NOTHING, Contribution, PoolCounts, contribution_of
from globalconnect.domain.errors import Busy
from globalconnect.domain.number import Number, names_of
from globalconnect.store.availability import Counted, Counts
from globalconnect.store.dynamo import ConditionFailed

# A transaction holds 100 writes: one per number, and one per pool they were or are in. Few of one batch are in many
# pools; where they are, fewer numbers are counted at once.
_WRITES = 100
_NUMBERS_AT_ONCE = 90
_TRIES = 10


def project(numbers: Iterable[Number], counts: Counts) -> int:
    """Bring the counts up to these numbers; older versions than were counted already change nothing.

    Gives how many numbers were newly counted. Raises Busy when others keep counting the same pools.
    """
    newest: dict[str, Number] = {}
    for number in numbers:
        if number.phone not in newest or newest[number.phone].version < number.version:
            newest[number.phone] = number
    chunks = batched(newest.values(), _NUMBERS_AT_ONCE, strict=False)
    return sum(_count(chunk, counts) for chunk in chunks)


def _count(numbers: Sequence[Number], counts: Counts) -> int:
    for _ in range(_TRIES):
        seen = counts.counted([number.phone for number in numbers])
        new = [number for number in numbers if number.phone not in seen or seen[number.phone].version < number.version]
        counted = [Counted(number.phone, number.version, contribution_of(number)) for number in new]
        changes = [(_before(number.phone, seen), number.contribution) for number in counted]
        if not counted:
            return 0
        pools = _changed_pools(changes, counts)
        if len(pools) + len(counted) > _WRITES:
            half = len(numbers) // 2
            return _count(numbers[:half], counts) + _count(numbers[half:], counts)
        try:
            counts.write(pools, counted, seen)
        except ConditionFailed:
            # Another shard has counted into the same pool, or this batch is being counted twice: read again.
            continue
        return len(counted)
    raise Busy


def _before(phone: str, seen: dict[str, Counted]) -> Contribution:
    return seen[phone].contribution if phone in seen else NOTHING


def _changed_pools(changes: Sequence[tuple[Contribution, Contribution]], counts: Counts) -> list[PoolCounts]:
    real = [change for change in changes if change[0] != change[1]]
    names = {contribution.pool for change in real for contribution in change if contribution.pool is not None}
    pools = counts.pools([names_of(name) for name in sorted(names)])
    for before, after in real:
        if before.pool is not None:
            pools[before.pool].add(before, -1)
        if after.pool is not None:
            pools[after.pool].add(after, 1)
    return list(pools.values())
