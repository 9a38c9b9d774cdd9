"""Counts per pool and per partner: what each number contributes, and what a partner is shown (contract 1.1).

For every pool we keep how many numbers it has, how many of them are free, for each service how many of the free
ones are blocked for it, and how many are offline (all, and those whose device is silent); so `free - blocked_free[service]` numbers can be bought. For every partner we keep how many
numbers it holds, withdrawn ones too. *Free* means that no activation is entered on the number and it doesn't rest, never
a comparison with the clock: the sweep turns a silent expiry, and the end of a rest, into a change.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from globalconnect.domain.ids import PartnerId
from globalconnect.domain.number import Number, OfflineReason, pool_of
from globalconnect.domain.offer import Offer, Turn
from globalconnect.domain.partner import Partner
from globalconnect.domain.partner_names import OUR_NAMES, PartnerNames
from globalconnect.domain.service import Catalogue
from globalconnect.domain.times import HOUR, SECOND


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one number adds to the counts: its pool (None when withdrawn), whether it is free, where it is blocked, which
    partner holds it, and why its line is offline, None if it isn't: then it is never free.
    """

    pool: str | None
    free: bool = False
    blocked: frozenset[str] = frozenset()
    holder: PartnerId | None = None
    offline: OfflineReason | None = None


NOTHING = Contribution(None)

# So many changes of a count are noted for a recount, which has to begin again after more: an item must stay small.
MOST_CHANGED = 2_000
_SILENCED_PERCENT = 20
# It is noted for so long when a service sold out while numbers are free: items stay small, and hubs poll more often.
_SOLD_OUT_NOTED = HOUR
# A poll may show counts as they were so long before (contract 1.1).
_SHOWN_LATE = 2 * SECOND


@dataclass(slots=True, kw_only=True)
class ProjectedCount:
    """What is counted under one name, as stored under a version.

    `recount` names the recount that is looking at it, if one is; `changed` are the phones whose contribution to
    it has changed since that began (docs/adr/0022).
    """

    version: int = 0
    recount: str | None = None
    changed: frozenset[str] = frozenset()


@dataclass(slots=True)
class HolderCount(ProjectedCount):
    """How many numbers a partner holds, one whose lease ran out until it is swept."""

    partner_id: PartnerId
    held: int = 0

    def add(self, _contribution: Contribution, sign: int) -> None:
        """Count a contribution in (sign 1) or out (sign -1)."""
        self.held += sign

    def sums(self) -> dict[str, int]:
        return {"held": self.held}


@dataclass(slots=True)
class PoolCounts(ProjectedCount):
    """What is counted of a pool.

    It has had no free number since `empty_since` (ms), None while it has, or when that is not known. Services in `sold_out` had
    none left before, or have none though others have, since then (ms); 0 is long ago.
    """

    country: str
    operator: str
    total: int = 0
    free: int = 0
    blocked_free: dict[str, int] = field(default_factory=dict)
    offline: int = 0
    silent: int = 0
    empty_since: int | None = None
    sold_out: Mapping[str, int] = field(default_factory=dict)

    def for_sale(self, service: str) -> int:
        return max(0, self.free - self.blocked_free.get(service, 0))

    def sold_out_since(self, service: str) -> int | None:
        """Return when the count of a service fell to 0 (ms); None when it is not 0, or nobody knows."""
        if self.for_sale(service):
            return None
        return self.sold_out.get(service, self.empty_since if self.free <= 0 else None)

    def note_sold_out(self, before: "PoolCounts", now: int) -> None:
        """Note which counts fell to 0 at `now` (ms) that were above it `before`, and keep what is known of the others."""
        if self.free > 0:
            self.empty_since = None
            since = {code: self._fell(code, before, now) for code in self.blocked_free if not self.for_sale(code)}
            self.sold_out = {code: at for code, at in since.items() if at > now - _SOLD_OUT_NOTED}
        elif before.free > 0:
            self.empty_since = now
            sold_out = [code for code in before.blocked_free if not before.for_sale(code)]
            self.sold_out = {code: self._fell(code, before, now) for code in sold_out}
        else:
            self.empty_since, self.sold_out = before.empty_since, before.sold_out

    @staticmethod
    def _fell(service: str, before: "PoolCounts", now: int) -> int:
        return now if before.for_sale(service) else before.sold_out_since(service) or 0

    @property
    def is_silenced(self) -> bool:
        """Whether the silence of devices has taken so much of it off sale that somebody should look."""
        return self.silent * 100 > self.total * _SILENCED_PERCENT

    def add(self, contribution: Contribution, sign: int) -> None:
        """Count a contribution in (sign 1) or out (sign -1)."""
        self.total += sign
        self.offline += sign * (contribution.offline is not None)
        self.silent += sign * (contribution.offline is OfflineReason.SILENT)
        if not contribution.free:
            return
        self.free += sign
        for service in contribution.blocked:
            count = self.blocked_free.get(service, 0) + sign
            if count:
                self.blocked_free[service] = count
            else:
                self.blocked_free.pop(service, None)

    def note(self, phones: Iterable[str]) -> None:
        """Note for the recount that is looking at this pool, if one is, that these numbers' contributions changed."""
        if self.recount is None:
            return
        self.changed |= frozenset(phones)
        if len(self.changed) > MOST_CHANGED:
            self.recount, self.changed = None, frozenset()

    def sums(self) -> dict[str, int]:
        own = {name: getattr(self, name) for name in ("total", "free", "offline", "silent")}
        return own | {f"blocked_free:{code}": count for code, count in self.blocked_free.items()}


def contribution_of(number: Number) -> Contribution:
    """Return what a number adds to the counts as it stands."""
    held = number.activation_id is not None
    holder = number.partner_id if held else None
    if not number.enabled:
        return Contribution(None, holder=holder)
    free = not held and not number.resting and number.offline is None
    return Contribution(
        pool_of(number.country, number.operator),
        free=free,
        blocked=number.blocked if free else frozenset(),
        holder=holder,
        offline=number.offline.reason if number.offline else None,
    )


@dataclass(frozen=True, slots=True)
class OnSale:
    """What a partner is shown, by what it calls it: services by our codes, and the pools that have numbers by country and
    operator, all in order.

    No count is above `most`, how many more the partner may hold; None is no limit. With an `offer`, a part of what is free
    is shown, and at `now` (ms) one of the last numbers of a pool to whom the `turn` has come.
    """

    services: Mapping[str, str]
    countries: Mapping[str, Mapping[str, Sequence[PoolCounts]]]
    most: int | None = None
    offer: Offer | None = None
    turn: Turn | None = None
    now: int = 0

    def counts(self, pools: Sequence[PoolCounts]) -> tuple[int, ...]:
        """Return how many numbers of some pools, at least one, are shown for each service, 0 for one that is sold out: so
        many can be bought.
        """
        first, *others = map(self._of_pool, pools)
        counts = [sum(each) for each in zip(first, *others, strict=True)] if others else first
        return tuple(counts if self.most is None else [min(self.most, count) for count in counts])

    def _of_pool(self, pool: PoolCounts) -> list[int]:
        # As for_sale does, without a call for each of very many.
        free, blocked_free = pool.free, pool.blocked_free.get
        counts = [left if (left := free - blocked_free(code, 0)) > 0 else 0 for code in self.services]
        if self.offer is None:
            return counts
        last = self.turn is not None and self.turn.has(pool.country, pool.operator, self.now)
        return self.offer.shown(counts, last=last)


def on_sale(  # noqa: PLR0913, PLR0917 - what it depends on
    pools: Iterable[PoolCounts],
    catalogue: Catalogue,
    partner: Partner,
    now: int,
    most: int | None = None,
    names: PartnerNames = OUR_NAMES,
) -> OnSale:
    """Return what a partner is shown of these pools and services at `now` (ms; contract 1.1)."""
    services = names.named_services(
        code for code, service in catalogue.items() if service.enabled and partner.may_buy(code)
    )
    countries: dict[str, dict[str, list[PoolCounts]]] = {}
    for pool in pools:
        country, operator = names.country(pool.country), names.operator(pool.country, pool.operator)
        if pool.total > 0 and country is not None and operator is not None:
            countries.setdefault(country, {}).setdefault(operator, []).append(pool)
    ordered = {country: dict(sorted(countries[country].items())) for country in sorted(countries)}
    return OnSale(services, ordered, most, partner.offer, partner.turn, now)


def may_have_been_shown(pools: Collection[PoolCounts], service: str, polled_at: int, *, excludes: bool = False) -> bool:
    """Return whether counts at `polled_at` (ms) may have shown numbers of a service, where these pools had none to sell now.

    `excludes` is whether others than those that were asked for may be free.
    """
    if any(pool.for_sale(service) for pool in pools):
        # Its last number is sold and not counted yet.
        return not excludes
    since = (pool.sold_out_since(service) for pool in pools)
    return any(fell is not None and fell > polled_at - _SHOWN_LATE for fell in since)


@dataclass(frozen=True, slots=True)
class CountedNumber:
    """What was last counted of a number, and of which version of it."""

    phone: str
    version: int
    contribution: Contribution
