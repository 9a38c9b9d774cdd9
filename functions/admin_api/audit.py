"""The audit log: every change by staff, and every look at SMS texts (contract 5)."""

from typing import Literal, Self

from admin_api.route import PAGE, Call, route
from admin_api.schema import NoFields, PageQuery, Time, View
from admin_api.wiring import Parts
from globalconnect.domain.audit import AuditEntry
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso


class AuditEntryView(View):
    """What somebody of the staff did: their id and name. `details` are ids, counts and names of fields; `started` may never have come to an end."""

    at: Time
    staff: str
    staff_name: str
    action: str
    id: str | None
    result: Literal["started", "done", "refused"]
    details: dict[str, str | int | list[str]]

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        return cls(
            at=to_iso(entry.at),
            staff=entry.staff,
            staff_name=entry.staff_name,
            action=entry.action,
            id=entry.changed_id,
            result=entry.result.value,
            details=dict(entry.details),
        )


class AuditPage(View):
    """A page of the audit log, newest first."""

    entries: list[AuditEntryView]
    cursor: str | None


@route(
    "GET",
    "/admin/audit",
    Role.VIEW,
    "List what staff changed and at which SMS texts they looked, newest first. `details` are ids, "
    "counts and names of fields. `started` is under way, or nobody knows how it ended.",
)
def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> AuditPage:
    page = parts.audit.page(PAGE, call.query.get("cursor"), parts.now())
    return AuditPage(entries=[AuditEntryView.of(entry) for entry in page.items], cursor=page.cursor)
