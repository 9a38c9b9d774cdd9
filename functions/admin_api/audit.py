"""The audit log: every change by staff, and every look at SMS texts (contract 5)."""

from admin_api.models import AuditEntryView, AuditPage, NoFields, PageQuery
from admin_api.routes import PAGE, Call, Route
from admin_api.wiring import Parts
from globalconnect.domain.audit import AuditEntry
from globalconnect.domain.times import to_iso


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> AuditPage:
    """List what staff did, newest first."""
    page = parts.audit.page(PAGE, call.query.get("cursor"), parts.now())
    return AuditPage(entries=[_shown(entry) for entry in page.items], cursor=page.cursor)


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
