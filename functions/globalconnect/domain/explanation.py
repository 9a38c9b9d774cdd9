"""Why nothing can be sold to a partner that asks for a number, as its own developer may know it (contract 1.8)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from heapq import nlargest
from itertools import pairwise

from globalconnect.domain.names import folded, spellings_of
from globalconnect.domain.partner import Partner
from globalconnect.domain.partner_names import OUR_NAMES, PartnerNames
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.domain.requests import GetNumber, WantedNumber
from globalconnect.domain.service import Catalogue, Service

MOST_SUGGESTIONS = 3
# To compare two names well costs their lengths multiplied: it is done with so many, of those that share the most pairs of
# letters with what was asked for, and by how they begin.
MOST_COMPARED = 100
COMPARED_LENGTH = 40


class Reason(Enum):
    """Why there is no number, in the order in which that is looked at."""

    PAUSED = "the partner is paused"
    LIMIT = "the partner holds as many numbers as it may"
    UNKNOWN_SERVICE = "no service has this code"
    SERVICE_OFF = "the service is switched off"
    EXCLUDED = "only numbers that the request excludes can be sold"
    UNKNOWN_COUNTRY = "no numbers of this country"
    UNKNOWN_OPERATOR = "no numbers of this operator there"
    BLOCKED = "all numbers there are used up for the service, or barred from it"
    SOLD_OUT = "none can be sold right now"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason, and names that may have been meant, the likeliest first."""

    reason: Reason
    suggestions: Sequence[str] = ()


def why_not_for_partner(partner: Partner, left: int | None) -> Explanation | None:
    """Return why a partner is sold nothing at all; None when it may buy. `left` is how many numbers more it may hold."""
    if partner.paused is not None:
        return Explanation(Reason.PAUSED)
    return Explanation(Reason.LIMIT) if left == 0 else None


def why_not_for_service(
    asked: GetNumber,
    found: Service | None,
    catalogue: Catalogue,
    partner: Partner,
    names: PartnerNames = OUR_NAMES,
) -> Explanation | None:
    """Return why a service can't be bought; None when it can, as far as that goes. `found` is the one that was asked for."""
    if found is None:
        known = [code for code, service in catalogue.items() if service.enabled and partner.may_buy(code)]
        called = names.named_services(known)
        words = [(word, called[code]) for code in called for word in (called[code], catalogue[code].name)]
        return Explanation(Reason.UNKNOWN_SERVICE, _close_to(asked.service, words))
    return None if found.enabled else Explanation(Reason.SERVICE_OFF)


def why_not_in_stock(wanted: WantedNumber, pools: Iterable[PoolCounts], names: PartnerNames = OUR_NAMES) -> Explanation:
    """Return why none of all these pools has a number that can be sold, when none has."""
    asked = wanted.asked
    stocked = [
        (country, operator, pool)
        for pool in pools
        if pool.total > 0
        and (country := names.country(pool.country)) is not None
        and (operator := names.operator(pool.country, pool.operator)) is not None
    ]
    of_country = [entry for entry in stocked if entry[0] in spellings_of(asked.country)]
    if not of_country:
        return Explanation(Reason.UNKNOWN_COUNTRY, _close_names(asked.country, {country for country, *_ in stocked}))
    there = [pool for _, operator, pool in of_country if asked.operator in {None, *spellings_of(operator)}]
    if not there and asked.operator is not None:
        return Explanation(
            Reason.UNKNOWN_OPERATOR, _close_names(asked.operator, {operator for _, operator, _ in of_country})
        )
    # One that is held may come back, so only what is free tells that nothing will.
    is_over = all(pool.free == pool.total and pool.for_sale(wanted.service) == 0 for pool in there)
    return Explanation(Reason.BLOCKED if is_over else Reason.SOLD_OUT)


def _close_names(asked: str, names: Collection[str]) -> Sequence[str]:
    return _close_to(asked, [(name, name) for name in names])


def _close_to(asked: str, words: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Return what is suggested by the words that are closest to what was asked for, whatever the case."""
    suggested: dict[str, set[str]] = {}
    for word, name in words:
        suggested.setdefault(_compared(word), set()).add(name)
    wanted = _compared(asked)
    pairs = _pairs(wanted)
    likely = nlargest(MOST_COMPARED, suggested, key=lambda word: _likeness(pairs, _pairs(word)))
    close = get_close_matches(wanted, likely, n=MOST_SUGGESTIONS)
    return list(dict.fromkeys(name for word in close for name in sorted(suggested[word])))[:MOST_SUGGESTIONS]


def _compared(name: str) -> str:
    return folded(name).casefold()[:COMPARED_LENGTH]


def _pairs(word: str) -> frozenset[tuple[str, str]]:
    """Return the pairs of neighbours in a word, of which its first letter is one."""
    return frozenset(pairwise(f" {word}"))


def _likeness(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
