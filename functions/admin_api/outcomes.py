"""How partners' activations ended in the last 24 hours, and whose outcomes are over a limit (contract 5)."""

from typing import Self

from admin_api.schema import View
from admin_api.wiring import Parts
from globalconnect.domain.outcomes import OUTCOME_HOURS, OutcomeLimits, Outcomes
from globalconnect.domain.statistics import hour_of
from globalconnect.domain.times import HOUR

MOST_OVER_LIMIT = 20


class OutcomesView(View):
    """How a partner's activations ended, by the hour of their outcome, and which shares of them (0 to 1) that is.

    `shareRefused`: prohibited and canceled among all. `delivered`: of so many an SMS was pushed and taken, within the
    hour of the outcome or the time before it in which an activation is live; `takenBack` of these were canceled or
    returned all the same, `shareTakenBack` is that share. Null where nothing was counted. `overLimit`: the alarm speaks
    of this partner.
    """

    prohibited: int
    success: int
    canceled: int
    returned: int
    delivered: int
    taken_back: int
    share_refused: float | None
    share_taken_back: float | None
    over_limit: bool

    @classmethod
    def of(cls, outcomes: Outcomes, limits: OutcomeLimits) -> Self:
        """Return a partner's outcomes as staff see them."""
        return cls(
            prohibited=outcomes.prohibited,
            success=outcomes.success,
            canceled=outcomes.canceled,
            returned=outcomes.returned,
            delivered=outcomes.delivered,
            taken_back=outcomes.taken_back,
            share_refused=outcomes.share_refused,
            share_taken_back=outcomes.share_taken_back,
            over_limit=limits.is_over(outcomes),
        )


class PartnerOverOutcomeLimit(View):
    """A partner whose outcomes of 24 hours are over a limit of this deployment."""

    partner_id: str
    name: str
    outcomes: OutcomesView


def outcomes_by_partner(parts: Parts) -> dict[str, Outcomes]:
    """Return the outcomes of the last 24 hours, the current one among them."""
    current = hour_of(parts.now())
    return parts.statistics.outcomes(current - (OUTCOME_HOURS - 1) * HOUR, current)


def over_limit(parts: Parts) -> list[PartnerOverOutcomeLimit]:
    """Return the partners that the alarm speaks of, those with the most outcomes first."""
    found = [entry for entry in outcomes_by_partner(parts).items() if parts.outcome_limits.is_over(entry[1])]
    found.sort(key=lambda entry: (-entry[1].finished, entry[0]))
    partners = parts.partners.many([partner_id for partner_id, _ in found[:MOST_OVER_LIMIT]])
    return [
        PartnerOverOutcomeLimit(
            partner_id=partner_id,
            name=partners[partner_id].name,
            outcomes=OutcomesView.of(outcomes, parts.outcome_limits),
        )
        for partner_id, outcomes in found
        if partner_id in partners
    ]
