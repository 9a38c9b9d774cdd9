"""Time is an integer everywhere: milliseconds since 1970-01-01 UTC."""

from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def to_iso(at: int) -> str:
    """Give `at` (ms) as partners read it: whole seconds in UTC, `2024-01-15T12:34:56+00:00` (contract 2)."""
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat()


def to_iso_if_any(at: int | None) -> str | None:
    """Give a time (ms) as `to_iso` does, None for none."""
    return None if at is None else to_iso(at)


def day_of(at: int) -> str:
    """Give the UTC day of `at` (ms) as `2024-01-15`."""
    return to_iso(at)[:10]


def parse_iso(text: str) -> tuple[int, bool] | None:
    """Read an ISO 8601 time.

    Gives (ms, whether fractions of a second were stated), or None when the text has no offset: a local time says
    nothing certain about when something happened. Raises ValueError when it is not a time at all.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return None
    return round(moment.timestamp() * SECOND), moment.microsecond != 0
