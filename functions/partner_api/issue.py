"""GET_NUMBER: issue a number that nobody else can get (contract 1.2)."""

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from itertools import batched, chain, islice, product

from globalconnect.domain.activation import Activation
from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import new_activation_id
from globalconnect.domain.names import spellings_of
from globalconnect.domain.number import Candidate
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import GetNumber
from globalconnect.store.transactions import IssueResult
from partner_api.wiring import POOLS_AT_ONCE, Parts

# Buyers who lose a race choose among this many times more candidates each time, so that they don't meet again:
# when all go on to the next in line, 300 parallel buyers lose five times as many races.
_SPREAD = 4
_WIDEST = 64

# What one call reads is bounded (contract 1.2): how many candidates it may not want, and how many pools `any` asks.
_MOST_UNWANTED = 5_000
_MOST_POOLS = 1_000

_PATIENT_TRIES = 8


def issue(request: GetNumber, partner: Partner, parts: Parts) -> Activation | None:
    """Issue the least recently used number that may be issued; None when there is none (contract 1.2).

    None is only given when the pool has been read to its end, or as far as one call reads. Raises Busy when numbers are
    left that others keep changing.
    """
    service = parts.services.find(request.service)
    if service is None or not service.enabled:
        return None
    candidates = _candidates(request, parts)
    near: list[Candidate] = []
    contended: list[Candidate] = []
    reach = 1
    while near := near + list(islice(candidates, max(0, reach - len(near)))):
        candidate = near.pop(parts.rng(len(near)))
        try:
            activation = _try(candidate, request, partner, parts, tries=1)
        except Busy:
            contended.append(candidate)
            activation = None
        if activation is not None:
            return activation
        reach = min(reach * _SPREAD, _WIDEST)
    # Somebody was changing these while we asked; that does not say they were sold.
    for candidate in contended:
        activation = _try(candidate, request, partner, parts, tries=_PATIENT_TRIES)
        if activation is not None:
            return activation
    return None


def _candidates(request: GetNumber, parts: Parts) -> Iterator[Candidate]:
    """Return what the index says may be issued, longest-rested first.

    It ends early when the request has not wanted _MOST_UNWANTED of them, beyond those that it names in full.
    """
    now = parts.now()
    unwanted = frozenset(request.exception_prefixes)
    lengths = sorted({len(prefix) for prefix in unwanted})
    left = _MOST_UNWANTED
    for pools in batched(_pools(request, parts), POOLS_AT_ONCE, strict=False):
        asked = [parts.numbers.eligible(*pool, request.service, now) for pool in pools]
        for candidate in heapq.merge(*_begun(asked, parts.threads)):
            if candidate.phone in unwanted:
                continue
            if not any(candidate.phone[:length] in unwanted for length in lengths):
                yield candidate
                continue
            left -= 1
            if left == 0:
                return


def _begun(asked: Sequence[Iterator[Candidate]], threads: Executor) -> list[Iterator[Candidate]]:
    """Return the candidates of these pools that have any, once the first of each have been read side by side."""
    if len(asked) == 1:
        return list(asked)
    first = threads.map(lambda candidates: next(candidates, None), asked)
    return [chain([found], others) for found, others in zip(first, asked, strict=True) if found is not None]


def _pools(request: GetNumber, parts: Parts) -> Sequence[tuple[str, str]]:
    """Return the pools to ask by country and operator, each name as it may be stored."""
    countries = spellings_of(request.country)
    if request.operator is not None:
        return list(product(countries, spellings_of(request.operator)))
    pools = [pool for country in countries for pool in parts.pool_counts.of_country(country)]
    # Counts lag a little, so a pool that seems sold out is asked too, but last.
    pools.sort(key=lambda pool: pool.for_sale(request.service), reverse=True)
    return [(pool.country, pool.operator) for pool in pools[:_MOST_POOLS]]


def _try(candidate: Candidate, request: GetNumber, partner: Partner, parts: Parts, *, tries: int) -> Activation | None:
    while True:
        now = parts.now()
        activation = Activation(
            activation_id=new_activation_id(now, parts.rng),
            partner_id=partner.partner_id,
            phone=candidate.phone,
            country=candidate.country,
            operator=candidate.operator,
            service=request.service,
            started_at=now,
            expires_at=now + parts.lease,
            total=request.total,
            currency=request.currency,
        )
        match parts.transactions.issue(activation, tries=tries):
            case IssueResult.DONE:
                return activation
            case IssueResult.TAKEN:
                return None
            case IssueResult.ID_USED:
                continue
