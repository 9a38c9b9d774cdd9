"""When an SMS is pushed again (contract 3)."""

from globalconnect.domain.times import MINUTE, SECOND

# The next attempt starts this long after the previous one started.
INTERVAL = 10 * SECOND

# A pending push that is this late has lost its queue message; the sweep queues it again.
OVERDUE = 45 * SECOND

# A partner's first pushes go through the queue for this long after an attempt that failed or took longer than this.
TROUBLE_LASTS = MINUTE
SLOW = 2 * SECOND

# SQS delays by whole seconds and hands over a little late, so we aim early and wait out the rest in the function:
# with round() instead, 11 to 31 % of the attempts started more than 1 s off (docs/adr/0005).
_EARLY = 1_200

_LONGEST_DELAY = 900


def delay_seconds(due: int, now: int) -> int:
    """Give the DelaySeconds of the queue message for an attempt due at `due` (ms)."""
    return min(_LONGEST_DELAY, max(0, (due - now - _EARLY) // SECOND))


def wait_seconds(due: int, now: int) -> float:
    """Give how long to wait in the function before the attempt due at `due` (ms) may start.

    Never longer than the interval: no message of ours says more, and others wait for this function to end.
    """
    return min(INTERVAL, max(0, due - now)) / SECOND


def is_trouble(*, delivered: bool, duration_ms: int) -> bool:
    """Tell whether an attempt shows that its partner is in trouble."""
    return not delivered or duration_ms > SLOW


def is_overdue(next_due: int, now: int) -> bool:
    """Tell whether a pending push must have lost its message."""
    return next_due + OVERDUE <= now


def is_too_old(stored_at: int, now: int, max_age: int | None) -> bool:
    """Tell whether the operator's maximum age (ms, None = none) ends the pushing of an SMS."""
    return max_age is not None and stored_at + max_age <= now
