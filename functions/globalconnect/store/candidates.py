"""Which numbers GET_NUMBER would try, and in which order (contract 1.2)."""

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from itertools import batched, chain, product

from globalconnect.domain.names import folded, spellings_of
from globalconnect.domain.number import Candidate
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.domain.requests import AskedPools, WantedNumber
from globalconnect.store.numbers import Numbers
from globalconnect.store.pool_counts import PoolCountsStore

# So many pools are asked without a look at which there are: to look costs a query per country.
_FEW_POOLS = 4
# So many countries behind one name are looked up one by one; of more, the counts of all pools are read, as GET_SERVICES does.
_FEW_COUNTRIES = 4
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

    def of(self, wanted: WantedNumber, now: int) -> Iterator[Candidate]:
        """Return what the index says may be issued at `now` (ms), longest-rested first.

        It ends early when the request has not wanted _MOST_UNWANTED of them, beyond those that it names in full.
        """
        unwanted = frozenset(wanted.asked.exception_prefixes)
        lengths = sorted({len(prefix) for prefix in unwanted})
        left = _MOST_UNWANTED
        for pools in batched(self._pools(wanted), _POOLS_AT_ONCE, strict=False):
            asked = [self._numbers.eligible(*pool, wanted.service, now) for pool in pools]
            for candidate in heapq.merge(*_begun(asked, self._threads)):
                if candidate.phone in unwanted:
                    continue
                if not any(candidate.phone[:length] in unwanted for length in lengths):
                    yield candidate
                    continue
                left -= 1
                if left == 0:
                    return

    def _pools(self, wanted: WantedNumber) -> Sequence[tuple[str, str]]:
        """Return the pools to ask by country and operator, each name as it may be stored."""
        named = [
            pool
            for asked in wanted.pools
            for operator in asked.operators or ()
            for pool in product(spellings_of(asked.country), spellings_of(operator))
        ]
        if len(named) <= _FEW_POOLS and all(asked.operators is not None for asked in wanted.pools):
            # Which of them there are is for the index to say.
            return named
        pools = self.counted(wanted)
        # Counts lag a little, so a pool that seems sold out is asked too, but last.
        pools.sort(key=lambda pool: pool.for_sale(wanted.service), reverse=True)
        return [(pool.country, pool.operator) for pool in pools[:_MOST_POOLS]]

    def counted(self, wanted: WantedNumber) -> list[PoolCounts]:
        """Return the pools that are asked for, as they were counted last: a query for each country, or all of a few seconds ago."""
        if len(wanted.pools) > _FEW_COUNTRIES:
            asked_of: dict[str, list[AskedPools]] = {}
            for asked in wanted.pools:
                asked_of.setdefault(folded(asked.country), []).append(asked)
            return [
                pool
                for pool in self._pool_counts.all()
                if any(asked.has(pool.operator) for asked in asked_of.get(folded(pool.country), ()))
            ]
        return [
            pool
            for asked in wanted.pools
            for country in spellings_of(asked.country)
            for pool in self._pool_counts.of_country(country)
            if asked.has(pool.operator)
        ]


def _begun(asked: Sequence[Iterator[Candidate]], threads: Executor) -> list[Iterator[Candidate]]:
    """Return the candidates of these pools that have any, once the first of each have been read side by side."""
    if len(asked) == 1:
        return list(asked)
    first = threads.map(lambda candidates: next(candidates, None), asked)
    return [chain([found], others) for found, others in zip(first, asked, strict=True) if found is not None]
