"""GET_NUMBER: issue a number that nobody else can get (contract 1.2)."""

import heapq
from collections.abc import Iterator
from itertools import batched, islice

from globalconnect.domain.activation import Activation
from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import new_activation_id
from globalconnect.domain.names import ANY_OPERATOR
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import GetNumber
from globalconnect.store.numbers import Candidate
from globalconnect.store.sales import Issued
from partner_api.wiring import PartnerApi

# Buyers who lose a race choose among this many times more candidates each time, so that they don't meet again:
# when all go on to the next in line, 300 parallel buyers lose five times as many races.
_SPREAD = 4
_WIDEST = 64

# How many operators are asked side by side for `any`; each costs a query.
_OPERATORS_AT_ONCE = 10

_PATIENT_TRIES = 8


def issue(request: GetNumber, partner: Partner, api: PartnerApi) -> Activation | None:
    """Issue the least recently used number that may be issued; None when there is none (contract 1.2).

    None is only given when the pool has been read to its end. Raises Busy when numbers are left that others keep
    changing.
    """
    service = api.services.find(request.service)
    if service is None or not service.enabled:
        return None
    candidates = _candidates(request, api)
    near: list[Candidate] = []
    contended: list[Candidate] = []
    reach = 1
    while near := near + list(islice(candidates, max(0, reach - len(near)))):
        candidate = near.pop(api.dice(len(near)))
        try:
            activation = _try(candidate, request, partner, api, tries=1)
        except Busy:
            contended.append(candidate)
            activation = None
        if activation is not None:
            return activation
        reach = min(reach * _SPREAD, _WIDEST)
    # Somebody was changing these while we asked; that does not say they were sold.
    for candidate in contended:
        activation = _try(candidate, request, partner, api, tries=_PATIENT_TRIES)
        if activation is not None:
            return activation
    return None


def _candidates(request: GetNumber, api: PartnerApi) -> Iterator[Candidate]:
    """Give what the index says may be issued, longest-rested first."""
    now = api.now()
    for operators in batched(_operators(request, api), _OPERATORS_AT_ONCE, strict=False):
        pools = [api.numbers.eligible(request.country, operator, request.service, now) for operator in operators]
        for candidate in heapq.merge(*pools):
            if not candidate.phone.startswith(request.exception_prefixes):
                yield candidate


def _operators(request: GetNumber, api: PartnerApi) -> list[str]:
    if request.operator != ANY_OPERATOR:
        return [request.operator]
    pools = api.availability.of_country(request.country)
    # Counts lag a little, so a pool that seems sold out is asked too, but last.
    pools.sort(key=lambda pool: pool.for_sale(request.service), reverse=True)
    return [pool.operator for pool in pools]


def _try(
    candidate: Candidate, request: GetNumber, partner: Partner, api: PartnerApi, *, tries: int
) -> Activation | None:
    while True:
        now = api.now()
        activation = Activation(
            activation_id=new_activation_id(now, api.dice),
            partner_id=partner.partner_id,
            phone=candidate.phone,
            country=request.country,
            operator=candidate.operator,
            service=request.service,
            started_at=now,
            expires_at=now + api.settings.lease,
            total=request.total,
            currency=request.currency,
        )
        match api.sales.issue(activation, tries=tries):
            case Issued.DONE:
                return activation
            case Issued.TAKEN:
                return None
            case Issued.ID_USED:
                continue
