"""Writes what staff do into the audit log (contract 5, docs/adr/0025)."""

from admin_api.wiring import Parts
from globalconnect.domain.audit import AuditEntry
from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.runtime.logs import Event, log_failure


def record(parts: Parts, entry: AuditEntry) -> None:
    """Enter what is about to be done. Raises Busy when that fails, whatever the reason: then it must not be done."""
    try:
        parts.audit.write(entry)
    except Unavailable as error:
        log_failure(Event.NOT_RECORDED, error, action=entry.action)
        raise Busy from error


def record_end(parts: Parts, entry: AuditEntry) -> None:
    """Enter how it ended. When that fails, the entry goes on saying that it was started, and a line is logged."""
    try:
        parts.audit.write(entry)
    except (Busy, Unavailable) as error:
        # What was done is done: its answer, which may hold the only copy of a key, matters more than this.
        log_failure(Event.NOT_RECORDED, error, action=entry.action, result=entry.result.value)
