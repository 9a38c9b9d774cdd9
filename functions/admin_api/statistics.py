"""The overview of staff: what happened by the hour, what there is of numbers, whose SMS wait (contract 5)."""

from typing import Any, Self, TypedDict

from pydantic import with_config

from admin_api.route import Call, route
from admin_api.schema import STRICT, Hours, NoFields, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.backlog import PendingNote
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.outcomes import OUTCOME_HOURS, OutcomeLimits, Outcomes
from globalconnect.domain.staff import Role
from globalconnect.domain.statistics import Hour, HourCounts, hour_of
from globalconnect.domain.times import HOUR, to_iso, to_iso_if_any

MOST_IN_TROUBLE = 20
MOST_OVER_LIMIT = 20

_USUAL_HOURS = "24"


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


def outcomes_by_partner(parts: Parts) -> dict[PartnerId, Outcomes]:
    """Return the outcomes of the last 24 hours, the current one among them."""
    return parts.statistics.outcomes(*_last_day(parts))


def sold_out_after_poll(parts: Parts, partner_id: PartnerId) -> int:
    """Return how often a partner got NO_NUMBERS though its last poll may have shown some, in the same hours."""
    return parts.sold_out.of(partner_id, *_last_day(parts))


def _last_day(parts: Parts) -> tuple[int, int]:
    """Return when the first and the last of these hours begin (ms)."""
    current = hour_of(parts.now())
    return current - (OUTCOME_HOURS - 1) * HOUR, current


def over_limit(parts: Parts) -> list[PartnerOverOutcomeLimit]:
    """Return the partners that the alarm speaks of, those with the most outcomes first."""
    found = [entry for entry in outcomes_by_partner(parts).items() if parts.outcome_limits.is_over(entry[1])]
    found.sort(key=lambda entry: (-entry[1].finished, entry[0]))
    partners = parts.partners.without_secrets([partner_id for partner_id, _ in found[:MOST_OVER_LIMIT]])
    return [
        PartnerOverOutcomeLimit(
            partner_id=partner_id,
            name=partners[partner_id].name,
            outcomes=OutcomesView.of(outcomes, parts.outcome_limits),
        )
        for partner_id, outcomes in found
        if partner_id in partners
    ]


@with_config(STRICT)
class StatisticsQuery(TypedDict, total=False):
    """Of how many hours, the current one among them; of 24 when not said."""

    hours: Hours


class TotalsView(View):
    """Activations that began in a span, by what became of them, and SMS that were delivered in it.

    `started` is the sum of the six; `unfinished` are those that expired without an outcome.
    """

    started: int
    live: int
    unfinished: int
    prohibited: int
    success: int
    canceled: int
    returned: int
    delivered: int
    time_to_deliver_p50_ms: int | None
    time_to_deliver_p99_ms: int | None

    @classmethod
    def of(cls, counts: HourCounts, **more: Any) -> Self:
        """Return counts as staff see them; `more` are the fields of a subclass."""
        return cls(
            started=counts.started,
            live=counts.live,
            unfinished=counts.unfinished,
            prohibited=counts.prohibited,
            success=counts.success,
            canceled=counts.canceled,
            returned=counts.returned,
            delivered=counts.delivered,
            time_to_deliver_p50_ms=counts.time_to_deliver(0.5),
            time_to_deliver_p99_ms=counts.time_to_deliver(0.99),
            **more,
        )


class HourView(TotalsView):
    """The same of the hour that begins at `at`."""

    at: Time


class StockView(View):
    """The numbers on sale: how many, how many of them are free, and how many held by an activation or at rest."""

    numbers: int
    free: int
    held: int


class PushBacklogView(View):
    """SMS that have waited for 45 s or longer to be pushed."""

    waiting: int
    oldest_pending_at: Time | None


class PartnerInTrouble(View):
    """A partner that has taken no push for 5 minutes while SMS wait for it."""

    partner_id: str
    name: str
    waiting: int
    oldest_pending_at: Time
    last_success_at: Time | None


class StatisticsView(View):
    """What happened by the hour, oldest first, and what there is now: nothing of it older than `measuredAt`.

    `partnersInTrouble` are 20 at most, the longest waiting first; so are `partnersOverOutcomeLimit`, those with the most
    outcomes first.
    """

    measured_at: Time | None
    stock: StockView
    pushes: PushBacklogView
    partners_in_trouble: list[PartnerInTrouble]
    partners_over_outcome_limit: list[PartnerOverOutcomeLimit]
    hours: list[HourView]
    totals: TotalsView


@route(
    "GET",
    "/admin/statistics",
    Role.VIEW,
    "Read what happened by the hour, what there is of numbers, whose SMS wait, and whose outcomes are over a limit. Measured every minute; "
    "outcomes that come more than a day after an activation began are not counted any more.",
)
def read(parts: Parts, call: Call[StatisticsQuery, NoFields]) -> StatisticsView:
    last = hour_of(parts.now())
    first = last - (int(call.query.get("hours", _USUAL_HOURS)) - 1) * HOUR
    kept = parts.statistics.hours(first, last)
    stock, note = parts.statistics.stock(), parts.statistics.pending()
    counts = {hour.at: hour.counts for hour in kept}
    return StatisticsView(
        measured_at=to_iso_if_any(_measured_at(kept, None if stock is None else stock.measured_at, note)),
        stock=StockView(numbers=0, free=0, held=0)
        if stock is None
        else StockView(numbers=stock.numbers, free=stock.free, held=stock.held),
        pushes=PushBacklogView(
            waiting=0 if note is None else note.waiting,
            oldest_pending_at=None if note is None else to_iso_if_any(note.oldest_at),
        ),
        partners_in_trouble=[] if note is None else _in_trouble(parts, note),
        partners_over_outcome_limit=over_limit(parts),
        hours=[HourView.of(counts.get(at, HourCounts()), at=to_iso(at)) for at in range(first, last + HOUR, HOUR)],
        totals=TotalsView.of(sum(counts.values(), HourCounts())),
    )


def _measured_at(kept: list[Hour], stock: int | None, note: PendingNote | None) -> int | None:
    """Return since when nothing of what is shown was measured anew (ms); None when something never was."""
    if not kept or stock is None or note is None:
        return None
    return min(kept[-1].measured_at, stock, note.measured_at)


def _in_trouble(parts: Parts, note: PendingNote) -> list[PartnerInTrouble]:
    """Return the partners that the alarm would speak of, the oldest SMS first.

    They are read now: who has taken a push since the sweep, or was revoked, is in trouble no longer.
    """
    partners = parts.partners.without_secrets(note.partners.keys())
    found = [
        (pending, partner)
        for partner_id, pending in note.partners.items()
        if (partner := partners.get(partner_id)) is not None and note.is_in_trouble(partner)
    ]
    found.sort(key=lambda entry: (entry[0].oldest_at, entry[1].partner_id))
    return [
        PartnerInTrouble(
            partner_id=partner.partner_id,
            name=partner.name,
            waiting=pending.waiting,
            oldest_pending_at=to_iso(pending.oldest_at),
            last_success_at=to_iso_if_any(partner.last_success_at),
        )
        for pending, partner in found[:MOST_IN_TROUBLE]
    ]
