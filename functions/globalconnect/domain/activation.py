"""Activations: the sale of one number for one service, and its outcome (contract 1.3 to 1.5)."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.times import DAY

# No activation lives longer, whatever its deployment decides (template.yaml, LongestHoldHours).
LONGEST_LIFETIME = 3 * DAY


class Outcome(IntEnum):
    """How a partner closes an activation (contract 1.5)."""

    PROHIBITED = 1
    SUCCESS = 3
    CANCELED = 4
    RETURNED = 5


class State(StrEnum):
    LIVE = "live"
    EXPIRED = "expired"
    FINISHED = "finished"


class Hold(StrEnum):
    """What ends an activation that nobody finishes: the end of its lease, or not before the longest hold."""

    LEASE = "lease"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long the activations of a deployment live (ms): for a `lease`, or until they are finished, for the `longest_hold`."""

    lease: int
    longest_hold: int

    def of(self, hold: Hold, started_at: int) -> tuple[int, int | None]:
        """Return when an activation expires that begins at a time, and from when on it is overdue, None for never (all ms)."""
        lease_until = started_at + self.lease
        if hold is Hold.LEASE:
            return lease_until, None
        return started_at + max(self.lease, self.longest_hold), lease_until


@dataclass(frozen=True, slots=True)
class Activation:
    """One sale. Times in ms; `total` and `currency` are the partner's own words and never used.

    When it expires was promised when it was issued. `overdue_at` is from when on its partner should have finished one that is
    held until then; None for one that is not.
    `marked_version` is the version of the number with which this activation's outcome left a mark on it, None when it
    left none; `lifted_at` is when staff lifted that mark. `line_offline_at` is when the number's line went offline, the first
    time, while this activation held it.
    """

    activation_id: ActivationId
    partner_id: PartnerId
    phone: str
    country: str
    operator: str
    service: str
    started_at: int
    expires_at: int
    total: str | None = None
    currency: str | None = None
    outcome: Outcome | None = None
    finished_at: int | None = None
    marked_version: int | None = None
    lifted_at: int | None = None
    line_offline_at: int | None = None
    overdue_at: int | None = None

    def held_at(self, at: int) -> bool:
        ended_at = self.expires_at if self.finished_at is None else min(self.finished_at, self.expires_at)
        return self.started_at <= at < ended_at

    def state(self, now: int) -> State:
        if self.outcome is not None:
            return State.FINISHED
        return State.LIVE if now < self.expires_at else State.EXPIRED

    def is_overdue(self, now: int) -> bool:
        """Return whether it is still live (at `now`, ms), though its partner should have finished it."""
        return self.overdue_at is not None and self.overdue_at <= now and self.state(now) is State.LIVE


class Step(StrEnum):
    NOTHING = "nothing"
    RECORD = "record"
    REFUND = "refund"


def step_for(recorded: Outcome | None, asked: Outcome) -> Step:
    """Decide what a finish does: the first outcome stands, but 5 after 3 (a refund) replaces it (contract 1.5)."""
    if recorded is None:
        return Step.RECORD
    if recorded is Outcome.SUCCESS and asked is Outcome.RETURNED:
        return Step.REFUND
    return Step.NOTHING
