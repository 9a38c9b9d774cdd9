"""When an SMS is pushed again (contract 3)."""

from globalconnect.domain.times import MINUTE, SECOND

# The next attempt starts this long after the previous one started.
INTERVAL = 10 * SECOND

# A pending push that is this late has lost its queue message; the sweep queues it again, but not again for as long as
# QUEUED_AGAIN_LASTS: what is late because the queue is backed up must not be multiplied. That ends in time for the sweep
# after the next: a push whose message is lost once more goes on within 3 minutes all the same.
OVERDUE = 45 * SECOND
QUEUED_AGAIN_LASTS = 2 * MINUTE - 15 * SECOND

# An attempt that takes longer shows a slow partner: its pushes take a way of their own for this long after it. Not less:
# a short stall of ours must not make a healthy partner a slow one.
SLOW = SECOND
SLOW_LASTS = MINUTE

# While a partner takes pushes, the time of its last success is noted on its item once in so long.
SUCCESS_NOTED_EVERY = MINUTE

# A claim is good for an attempt that starts within this: a later one could still run when the next may be claimed.
CLAIM_LASTS = 4 * SECOND

# What was seen of an activation is good for an attempt that starts within this: after FINISH_ACTIVATION was answered
# none may start more than 0.5 s later.
LOOK_LASTS = 300

# SQS delays by whole seconds and hands over a little late, so we aim early and wait out the rest in the function:
# with round() instead, 11 to 31 % of the attempts started more than 1 s off (docs/adr/0005).
_EARLY = 1_200

_LONGEST_DELAY = 900


def delay_seconds(due: int, now: int) -> int:
    """Return the DelaySeconds of the queue message for an attempt due at `due` (ms)."""
    return min(_LONGEST_DELAY, max(0, (due - now - _EARLY) // SECOND))


def wait_seconds(due: int, now: int) -> float:
    """Return how long to wait in the function before the attempt due at `due` (ms) may start.

    Never longer than the interval: no message of ours says more, and others wait for this function to end.
    """
    return min(INTERVAL, max(0, due - now)) / SECOND


def is_slow(duration_ms: int) -> bool:
    """Return whether an attempt shows that its partner is slow, however it ended."""
    return duration_ms > SLOW


def may_start(next_due: int, now: int) -> bool:
    """Return whether an attempt may still start at `now` (ms) on the claim that set `next_due` (ms)."""
    return now <= next_due - INTERVAL + CLAIM_LASTS


def is_fresh(looked_at: int, now: int) -> bool:
    """Return whether a look at an activation begun at `looked_at` (ms) is good for an attempt that starts at `now`."""
    return now <= looked_at + LOOK_LASTS


def lost_its_message(due: int, queued_again_at: int | None, now: int) -> bool:
    """Return whether a push due at `due` (ms) must have lost its queue message: the sweep should queue it again.

    `queued_again_at` (ms) is when it last did. That counts until an attempt sets a new `due`, and not permanently.
    """
    if now < due + OVERDUE:
        return False
    return queued_again_at is None or queued_again_at < due or now >= queued_again_at + QUEUED_AGAIN_LASTS


def is_too_old(stored_at: int, now: int, max_age: int | None) -> bool:
    """Return whether the deployment's maximum age (ms, None = none) ends the pushing of an SMS."""
    return max_age is not None and stored_at + max_age <= now
