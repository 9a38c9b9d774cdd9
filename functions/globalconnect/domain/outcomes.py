"""Outcomes by partner: whose numbers are refused, and who takes back what it got (contract 5, docs/adr/0026)."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, fields

from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId, PartnerId

# The hours of which a partner's outcomes are looked at, the current one among them.
OUTCOME_HOURS = 24


@dataclass(frozen=True, slots=True)
class FinishedActivation:
    """An activation that has an outcome, as far as it is counted."""

    activation_id: ActivationId
    partner_id: PartnerId
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How a partner's activations ended.

    `delivered` are those of which an SMS was delivered before, `taken_back` those among them that were canceled or
    returned all the same.
    """

    prohibited: int = 0
    success: int = 0
    canceled: int = 0
    returned: int = 0
    delivered: int = 0
    taken_back: int = 0

    @property
    def finished(self) -> int:
        return self.prohibited + self.success + self.canceled + self.returned

    @property
    def refused(self) -> int:
        """How many left a mark on their numbers, a success aside."""
        return self.prohibited + self.canceled

    @property
    def share_refused(self) -> float | None:
        """Return the share (0 to 1) of refused ones among all, None when there are none."""
        return self.refused / self.finished if self.finished else None

    @property
    def share_taken_back(self) -> float | None:
        """Return the share (0 to 1) of those taken back among those of which an SMS was delivered, None of none."""
        return self.taken_back / self.delivered if self.delivered else None

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(*(getattr(self, name) + getattr(other, name) for name in COUNTED))


COUNTED = tuple(counted.name for counted in fields(Outcomes))

type ByPartner = Mapping[PartnerId, Outcomes]

_TAKEN_BACK = frozenset({Outcome.CANCELED, Outcome.RETURNED})


@dataclass(frozen=True, slots=True)
class OutcomeLimits:
    """Above which share (%) a partner is spoken of: of refused ones, and of those taken back, each of `least` or more."""

    least: int
    refused_percent: int
    taken_back_percent: int

    def is_over(self, outcomes: Outcomes) -> bool:
        """Return whether a partner's outcomes are over one of the two."""
        return self._is_over(outcomes.refused, outcomes.finished, self.refused_percent) or self._is_over(
            outcomes.taken_back, outcomes.delivered, self.taken_back_percent
        )

    def _is_over(self, part: int, whole: int, percent: int) -> bool:
        return whole >= self.least and part * 100 > whole * percent


def outcomes_of(finished: Iterable[FinishedActivation], delivered: Container[int]) -> dict[PartnerId, Outcomes]:
    counts: dict[PartnerId, Counter[str]] = {}
    for one in finished:
        counted = counts.setdefault(one.partner_id, Counter())
        counted[one.outcome.name.lower()] += 1
        if one.activation_id in delivered:
            counted["delivered"] += 1
            counted["taken_back"] += one.outcome in _TAKEN_BACK
    return {partner_id: Outcomes(**counted) for partner_id, counted in counts.items()}


def together(hours: Iterable[ByPartner]) -> dict[PartnerId, Outcomes]:
    total: dict[PartnerId, Outcomes] = {}
    for hour in hours:
        for partner_id, outcomes in hour.items():
            total[partner_id] = total.get(partner_id, Outcomes()) + outcomes
    return total
