"""Writes what staff do into the audit log (contract 5, docs/adr/0025)."""

from botocore.exceptions import BotoCoreError, ClientError

from admin_api.wiring import Admin
from globalconnect.domain.errors import Busy
from globalconnect.store.audit import AuditEntry
from globalconnect.telemetry import Event, log_failure


def record(admin: Admin, entry: AuditEntry) -> None:
    """Enter what is about to be done. Raises Busy when that fails, whatever the reason: then it must not be done."""
    try:
        admin.audit.write(entry)
    except (BotoCoreError, ClientError) as error:
        log_failure(Event.NOT_RECORDED, error, action=entry.action)
        raise Busy from error


def record_end(admin: Admin, entry: AuditEntry) -> None:
    """Enter how it ended. When that fails, the entry goes on saying that it was started, and a line is logged."""
    try:
        admin.audit.write(entry)
    except (BotoCoreError, ClientError, Busy) as error:
        # What was done is done: its answer, which may hold the only copy of a key, matters more than this.
        log_failure(Event.NOT_RECORDED, error, action=entry.action, result=entry.result.value)
