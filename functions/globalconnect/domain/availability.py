"""Counts per pool: what each number contributes, and what a partner is shown (contract 1.1).

For every pool we keep how many numbers it has, how many of them are free, and for each service how many of the free
ones are blocked for it; so `free - blocked_free[service]` numbers can be bought. *Held* means that an activation is
entered on the number, never a comparison with the clock: the sweep turns a silent expiry into a change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from globalconnect.domain.number import Number, pool_of
from globalconnect.domain.partner import Partner
from globalconnect.domain.service import Catalogue


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one number adds to the counts: its pool (None when withdrawn), whether it is free, where it is blocked."""

    pool: str | None
    free: bool = False
    blocked: frozenset[str] = frozenset()


NOTHING = Contribution(None)


@dataclass(slots=True)
class PoolCounts:
    """The counts of one pool, as stored under a version."""

    country: str
    operator: str
    total: int = 0
    free: int = 0
    blocked_free: dict[str, int] = field(default_factory=dict)
    version: int = 0

    def for_sale(self, service: str) -> int:
        """Give how many numbers can be bought for `service`."""
        return max(0, self.free - self.blocked_free.get(service, 0))

    def add(self, contribution: Contribution, sign: int) -> None:
        """Count a contribution in (sign 1) or out (sign -1)."""
        self.total += sign
        if not contribution.free:
            return
        self.free += sign
        for service in contribution.blocked:
            count = self.blocked_free.get(service, 0) + sign
            if count:
                self.blocked_free[service] = count
            else:
                self.blocked_free.pop(service, None)


def contribution_of(number: Number) -> Contribution:
    """Give what a number adds to the counts as it stands."""
    if not number.enabled:
        return NOTHING
    free = number.activation_id is None
    return Contribution(
        pool_of(number.country, number.operator), free=free, blocked=number.blocked if free else frozenset()
    )


def country_list(pools: Iterable[PoolCounts], catalogue: Catalogue, partner: Partner) -> list[dict[str, object]]:
    """Give the `countryList` of GET_SERVICES: pools without a number are left out, sold-out services show 0."""
    services = sorted(code for code, service in catalogue.items() if service.enabled and partner.may_buy(code))
    countries: dict[str, dict[str, Mapping[str, int]]] = {}
    for pool in pools:
        if pool.total > 0:
            operators = countries.setdefault(pool.country, {})
            operators[pool.operator] = {code: pool.for_sale(code) for code in services}
    return [
        {"country": country, "operatorMap": dict(sorted(operators.items()))}
        for country, operators in sorted(countries.items())
    ]
