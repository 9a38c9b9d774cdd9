"""The audit log: every change by staff, and every look at SMS texts (contract 5)."""

import re
from functools import partial

from admin_api.cursors import PAGE, Listing, has
from admin_api.models import AuditEntryView, AuditPage, NoFields, PageQuery
from admin_api.routes import Call, Route
from admin_api.wiring import Parts
from globalconnect.domain.audit import AuditEntry
from globalconnect.domain.times import to_iso
from globalconnect.store.audit import month_of

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> AuditPage:
    """List what staff did, newest first."""
    now = parts.now()
    listing = Listing("audit", partial(_is_key, now))
    found, next_key = parts.audit.page(PAGE, listing.key(call.query.get("cursor")), now)
    return AuditPage(entries=[_shown(entry) for entry in found], cursor=listing.cursor(next_key))


def _is_key(now: int, key: object) -> bool:
    if not isinstance(key, dict) or not has(key, month=str, entry=str):
        return False
    return _MONTH.fullmatch(key["month"]) is not None and key["month"] <= month_of(now)


def _shown(entry: AuditEntry) -> AuditEntryView:
    return AuditEntryView(
        at=to_iso(entry.at),
        staff=entry.staff,
        staff_name=entry.staff_name,
        action=entry.action,
        id=entry.changed_id,
        result=entry.result.value,
        details=dict(entry.details),
    )


ROUTES = (
    Route(
        method="GET",
        path="/admin/audit",
        use=browse,
        query=PageQuery,
        answer=AuditPage,
        summary="List what staff changed and at which SMS texts they looked, newest first. `details` are ids, "
        "counts and names of fields. `started` is under way, or nobody knows how it ended.",
    ),
)
