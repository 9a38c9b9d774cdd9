"""The operators' overview: what happened by the hour, what there is of numbers, whose SMS wait (contract 5)."""

from typing import Any

from admin_api.models import (
    HourShown,
    NoFields,
    PartnerInTrouble,
    PushesShown,
    StatisticsQuery,
    StatisticsShown,
    StockShown,
    TotalsShown,
)
from admin_api.outcomes import over_limit
from admin_api.routes import Call, Route
from admin_api.wiring import Admin
from globalconnect.domain.statistics import Counts, Hour, hour_of
from globalconnect.domain.times import HOUR, to_iso, to_iso_if_any
from globalconnect.domain.waiting import PendingNote

MOST_IN_TROUBLE = 20

_USUAL_HOURS = "24"


def read(admin: Admin, call: Call[StatisticsQuery, NoFields]) -> StatisticsShown:
    """Give the statistics of so many hours, the current one among them."""
    last = hour_of(admin.now())
    first = last - (int(call.query.get("hours", _USUAL_HOURS)) - 1) * HOUR
    kept = admin.statistics.hours(first, last)
    stock, note = admin.statistics.stock(), admin.statistics.pending()
    counts = {hour.at: hour.counts for hour in kept}
    return StatisticsShown(
        measured_at=to_iso_if_any(_measured_at(kept, None if stock is None else stock.measured_at, note)),
        stock=StockShown(numbers=0, free=0, held=0)
        if stock is None
        else StockShown(numbers=stock.numbers, free=stock.free, held=stock.held),
        pushes=PushesShown(
            waiting=0 if note is None else note.waiting,
            oldest_pending_at=None if note is None else to_iso_if_any(note.oldest_at),
        ),
        partners_in_trouble=[] if note is None else _in_trouble(admin, note),
        partners_over_outcome_limit=over_limit(admin),
        hours=[HourShown(at=to_iso(at), **_fields(counts.get(at, Counts()))) for at in range(first, last + HOUR, HOUR)],
        totals=TotalsShown(**_fields(sum(counts.values(), Counts()))),
    )


def _measured_at(kept: list[Hour], stock: int | None, note: PendingNote | None) -> int | None:
    """Give since when nothing of what is shown was measured anew (ms); None when something never was."""
    if not kept or stock is None or note is None:
        return None
    return min(kept[-1].measured_at, stock, note.measured_at)


def _in_trouble(admin: Admin, note: PendingNote) -> list[PartnerInTrouble]:
    """Give the partners that the alarm would speak of, the oldest SMS first.

    They are read now: who has taken a push since the sweep, or was revoked, is in trouble no longer.
    """
    partners = admin.partners.many(note.partners.keys())
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


def _fields(counts: Counts) -> dict[str, Any]:
    return {
        "started": counts.started,
        "live": counts.live,
        "unfinished": counts.unfinished,
        "prohibited": counts.prohibited,
        "success": counts.success,
        "canceled": counts.canceled,
        "returned": counts.returned,
        "delivered": counts.delivered,
        "time_to_deliver_p50_ms": counts.time_to_deliver(0.5),
        "time_to_deliver_p99_ms": counts.time_to_deliver(0.99),
    }


ROUTES = (
    Route(
        method="GET",
        path="/admin/statistics",
        use=read,
        query=StatisticsQuery,
        answer=StatisticsShown,
        summary="Read what happened by the hour, what there is of numbers, whose SMS wait, and whose outcomes are over a limit. Measured every minute; "
        "outcomes that come more than a day after an activation began are not counted any more.",
    ),
)
