"""How partners' activations ended in the last 24 hours, and whose outcomes are over a limit (contract 5)."""

from admin_api.models import OutcomesView, PartnerOverOutcomeLimit
from admin_api.wiring import Parts
from globalconnect.domain.outcomes import OUTCOME_HOURS, Outcomes
from globalconnect.domain.statistics import hour_of
from globalconnect.domain.times import HOUR

MOST_OVER_LIMIT = 20


def outcomes_by_partner(parts: Parts) -> dict[str, Outcomes]:
    """Return the outcomes of the last 24 hours, the current one among them."""
    current = hour_of(parts.now())
    return parts.statistics.outcomes(current - (OUTCOME_HOURS - 1) * HOUR, current)


def shown(parts: Parts, outcomes: Outcomes) -> OutcomesView:
    """Return a partner's outcomes as staff see them."""
    return OutcomesView(
        prohibited=outcomes.prohibited,
        success=outcomes.success,
        canceled=outcomes.canceled,
        returned=outcomes.returned,
        delivered=outcomes.delivered,
        taken_back=outcomes.taken_back,
        share_refused=outcomes.share_refused,
        share_taken_back=outcomes.share_taken_back,
        over_limit=parts.outcome_limits.is_over(outcomes),
    )


def over_limit(parts: Parts) -> list[PartnerOverOutcomeLimit]:
    """Return the partners that the alarm speaks of, those with the most outcomes first."""
    found = [entry for entry in outcomes_by_partner(parts).items() if parts.outcome_limits.is_over(entry[1])]
    found.sort(key=lambda entry: (-entry[1].finished, entry[0]))
    partners = parts.partners.many([partner_id for partner_id, _ in found[:MOST_OVER_LIMIT]])
    return [
        PartnerOverOutcomeLimit(partner_id=partner_id, name=partners[partner_id].name, outcomes=shown(parts, outcomes))
        for partner_id, outcomes in found
        if partner_id in partners
    ]
