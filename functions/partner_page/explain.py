"""Why GET_NUMBER would give no number now: it is asked as GET_NUMBER asks, and nothing is changed (contract 1.8)."""

from dataclasses import replace
from itertools import batched

from globalconnect.domain.activation import Hold
from globalconnect.domain.errors import ServiceNotAllowed
from globalconnect.domain.explanation import (
    Explanation,
    Reason,
    why_not_for_partner,
    why_not_for_service,
    why_not_in_stock,
)
from globalconnect.domain.number import Candidate, pool_of
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import GetNumber, WantedNumber
from partner_page.wiring import Parts

# How many candidates are looked at in one read. The index is hardly behind, so the first are nearly always enough.
_AT_ONCE = 25


def explain(asked: GetNumber, partner: Partner, hold: Hold, parts: Parts) -> Explanation | None:
    """Return why a partner would be given no number; None when it would be given one. `hold` is what ends its activations.

    Raises ServiceNotAllowed. It reads what GET_NUMBER reads: warm, the partner's count if it has a limit, a query per
    pool and page, a read per 25 candidates; twice that when the request excludes numbers and finds none, and then
    the counts of all pools.
    """
    names = parts.names.of(partner)
    wanted = names.wanted(asked)
    if not partner.may_buy(asked.service if wanted is None else wanted.service):
        raise ServiceNotAllowed
    refusal = why_not_for_partner(partner, parts.holders.left(partner, parts.max_live, hold))
    if refusal is None:
        service = None if wanted is None else parts.services.find(wanted.service)
        refusal = why_not_for_service(asked, service, parts.services.catalogue(), partner, names)
    if refusal is not None or wanted is None:
        return refusal
    if _is_in_stock(wanted, parts):
        return None
    if asked.exception_prefixes:
        any_phone = replace(wanted, asked=replace(asked, exception_prefixes=()))
        if _is_in_stock(any_phone, parts):
            return Explanation(Reason.EXCLUDED)
    return why_not_in_stock(wanted, parts.pool_counts.all(), names)


def _is_in_stock(wanted: WantedNumber, parts: Parts) -> bool:
    now = parts.now()
    return any(
        _is_any_for_sale(some, wanted.service, now, parts)
        for some in batched(parts.candidates.of(wanted, now), _AT_ONCE, strict=False)
    )


def _is_any_for_sale(candidates: tuple[Candidate, ...], service: str, now: int, parts: Parts) -> bool:
    """Return whether any may be issued: the index is a little stale, and does not tell who still has to rest."""
    pools = {one.phone: pool_of(one.country, one.operator) for one in candidates}
    numbers = parts.numbers.get_many(list(pools))
    return any(number.is_for_sale(pools[number.phone], service, now, parts.numbers.rest) for number in numbers)
