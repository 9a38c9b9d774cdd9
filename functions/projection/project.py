"""Count numbers per pool and partner, each version of one once, however batches are cut, repeated or interleaved."""

from collections.abc import Iterable

from globalconnect.domain.number import Number
from globalconnect.store.pool_counts import CountsStore
from globalconnect.store.projection import count


def project(numbers: Iterable[Number], counts: CountsStore) -> int:
    """Bring the counts up to these numbers; older versions than were counted already change nothing.

    Returns how many numbers were newly counted. Raises Busy when others keep counting the same pools.
    """
    newest: dict[str, Number] = {}
    for number in numbers:
        if number.phone not in newest or newest[number.phone].version < number.version:
            newest[number.phone] = number
    return count(list(newest.values()), counts)
