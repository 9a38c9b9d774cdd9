"""Logs: structured, with stable event names, and without keys, secrets or SMS texts.

Log lines carry ids and classes of outcome only. Exceptions are logged as their type and the places they passed, never
with their message: a message may quote what somebody sent.
"""

import traceback
from enum import StrEnum

from aws_lambda_powertools.logging import Logger

from globalconnect.domain.errors import Unavailable


class Event(StrEnum):
    """Every event we log, by a name that alarms and queries can rely on."""

    UNEXPECTED = "unexpected_error"
    SMS_STORED = "sms_stored"
    SMS_UNCLAIMED = "sms_unclaimed"
    SMS_REPEATED = "sms_repeated"
    SMS_WAITING = "sms_waiting_for_line"
    SMS_TESTED = "sms_tested"
    PART_KEPT = "sms_part_kept"
    LINES_REPORTED = "lines_reported"
    LINES_CHANGED = "lines_changed"
    PAYLOAD_REPLAYED = "payload_replayed"
    PAYLOAD_UNREADABLE = "payload_unreadable"
    PUSH_ATTEMPTS = "push_attempts"
    PUSH_STOPPED = "push_stopped"
    PUSH_NOT_QUEUED = "push_not_queued"
    PUSH_NOT_RECORDED = "push_not_recorded"
    HEALTH_NOT_SHARED = "health_not_shared"
    SWEPT = "swept"
    PARTNER_WITHOUT_SUCCESS = "partner_without_success"
    HELD_TOO_LONG = "activation_held_too_long"
    PARTNER_OVER_OUTCOME_LIMIT = "partner_over_outcome_limit"
    COUNTED = "numbers_counted"
    RECOUNTED = "numbers_recounted"
    POOL_WAS_OFF = "pool_counts_were_off"
    HOLDER_WAS_OFF = "holder_count_was_off"
    CHANGED = "changed_by_staff"
    NOT_RECORDED = "audit_not_recorded"
    SOURCE_NOT_NOTED = "source_not_noted"


type Field = str | float | bool | list[str] | list[dict[str, str | int | None]] | None

logger = Logger()


def log(event: Event, **fields: Field) -> None:
    """Write one line for something that happened, with ids and classes only."""
    logger.info(event.value, extra=fields)


def log_failure(event: Event, error: BaseException, **fields: Field) -> None:
    """Write one line for something that went wrong: the error's type, or what AWS calls it, and where it passed; not its
    message.
    """
    places = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    logger.error(
        event.value,
        extra={
            "error": error.reason if isinstance(error, Unavailable) else type(error).__name__,
            "places": places,
            **fields,
        },
    )
