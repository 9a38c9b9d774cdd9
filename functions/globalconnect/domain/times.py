"""Time is an integer everywhere: milliseconds since 1970-01-01 UTC."""

import re
from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_STATED_TO = {2: HOUR, 4: MINUTE, 6: SECOND}


def to_iso(at: int) -> str:
    """Return `at` (ms) as partners read it: whole seconds in UTC, `2024-01-15T12:34:56+00:00` (contract 2)."""
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat()


def to_iso_if_any(at: int | None) -> str | None:
    """Return a time (ms) as `to_iso` does, None for none."""
    return None if at is None else to_iso(at)


def day_of(at: int) -> str:
    """Return the UTC day of `at` (ms) as `2024-01-15`."""
    return to_iso(at)[:10]


def parse_iso(text: str) -> tuple[int, int] | None:
    """Read an ISO 8601 time.

    Returns its first ms and how many it may mean (it is stated to the hour, minute, second or ms), or None when the text has
    no offset: a local time says nothing certain about when something happened. Raises ValueError when it is not a time
    at all.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return None
    # After the date come 2 digits for each of hours, minutes and seconds, then fractions; then the offset.
    stated = re.split("[Z+-]", text[len("20240115") :].partition("T")[2] or text[len("2024-01-15 ") :], maxsplit=1)[0]
    digits = sum(character.isdigit() for character in stated)
    return round(moment.timestamp() * SECOND), _STATED_TO.get(digits, 1)
