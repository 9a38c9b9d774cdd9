"""Which numbers GET_NUMBER would try, and in which order (contract 1.2)."""

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import batched, chain, product

from globalconnect.domain.names import spellings_of
from globalconnect.domain.number import Candidate
from globalconnect.domain.requests import GetNumber
from globalconnect.store.numbers import Numbers
from globalconnect.store.pool_counts import PoolCountsStore

# How many pools are asked side by side for `any`; each costs a query.
_POOLS_AT_ONCE = 20

# What one call reads is bounded (contract 1.2): how many candidates it may not want, and how many pools `any` asks.
_MOST_UNWANTED = 5_000
_MOST_POOLS = 1_000


class Candidates:
    """Finds what may be issued."""

    def __init__(self, numbers: Numbers, pool_counts: PoolCountsStore) -> None:
        self._numbers = numbers
        self._pool_counts = pool_counts
        self._threads = ThreadPoolExecutor(_POOLS_AT_ONCE)

    def of(self, request: GetNumber, now: int) -> Iterator[Candidate]:
        """Return what the index says may be issued at `now` (ms), longest-rested first.

        It ends early when the request has not wanted _MOST_UNWANTED of them, beyond those that it names in full.
        """
        unwanted = frozenset(request.exception_prefixes)
        lengths = sorted({len(prefix) for prefix in unwanted})
        left = _MOST_UNWANTED
        for pools in batched(self._pools(request), _POOLS_AT_ONCE, strict=False):
            asked = [self._numbers.eligible(*pool, request.service, now) for pool in pools]
            for candidate in heapq.merge(*_begun(asked, self._threads)):
                if candidate.phone in unwanted:
                    continue
                if not any(candidate.phone[:length] in unwanted for length in lengths):
                    yield candidate
                    continue
                left -= 1
                if left == 0:
                    return

    def _pools(self, request: GetNumber) -> Sequence[tuple[str, str]]:
        """Return the pools to ask by country and operator, each name as it may be stored."""
        countries = spellings_of(request.country)
        if request.operator is not None:
            return list(product(countries, spellings_of(request.operator)))
        pools = [pool for country in countries for pool in self._pool_counts.of_country(country)]
        # Counts lag a little, so a pool that seems sold out is asked too, but last.
        pools.sort(key=lambda pool: pool.for_sale(request.service), reverse=True)
        return [(pool.country, pool.operator) for pool in pools[:_MOST_POOLS]]


def _begun(asked: Sequence[Iterator[Candidate]], threads: Executor) -> list[Iterator[Candidate]]:
    """Return the candidates of these pools that have any, once the first of each have been read side by side."""
    if len(asked) == 1:
        return list(asked)
    first = threads.map(lambda candidates: next(candidates, None), asked)
    return [chain([found], others) for found, others in zip(first, asked, strict=True) if found is not None]
