"""SMS: what gateways deliver, and whose it is (contract 1.6 and 4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from globalconnect.domain.number import Number
from globalconnect.domain.times import MINUTE, SECOND

# A gateway that names neither an id nor a time of its SMS repeats itself within this long when it missed our answer;
# the same words later are a new SMS.
REPEAT_WINDOW = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An SMS as a gateway delivered it, read by its provider's adapter.

    `delivery` is what identifies it at its source. `received_at` (ms) is when the gateway received it, None when it
    gave no trustworthy time; `received_to` is the end of the moment meant by it, since many gateways state whole
    seconds. `lasting`: `delivery` is unique for ever, not only within REPEAT_WINDOW.
    """

    phone: str
    phone_from: str
    text: str
    delivery: str
    lasting: bool
    received_at: int | None = None
    received_to: int | None = None

    def __repr__(self) -> str:
        """Leave out what the SMS says and who sent it: a repr ends up in logs."""
        return f"InboundSms(delivery={self.delivery!r})"


def identities(sms: InboundSms, now: int) -> tuple[str, str | None]:
    """Give what a delivery is stored under at `now` (ms), and under what else a repeat of it may have been stored.

    Without a lasting identity the words count for a while only, so each REPEAT_WINDOW has an identity of its own.
    """
    if sms.lasting:
        return sms.delivery, None
    window = now // REPEAT_WINDOW
    return f"{sms.delivery}\n{window}", f"{sms.delivery}\n{window - 1}"


class PushState(StrEnum):
    """Where the pushing of an SMS stands (contract 3)."""

    PENDING = "pending"
    DELIVERED = "delivered"
    STOPPED = "stopped"
    NO_URL = "no-url"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One push attempt as it is kept: which one it was (1 = the first), start and duration (ms), how it ended."""

    number: int
    started_at: int
    duration_ms: int
    outcome: str
    http_status: int | None
    answer: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The attempts made up to the claim that set `next_due` (ms), and how many of them ended how.

    The attempt of that claim is one of them once it has ended. Ends that nobody noted have no outcome here.
    """

    next_due: int = 0
    attempts: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Sms:
    """An SMS of an activation. `received_at` and `stored_at` in ms.

    `attempts` counts the attempts to push it that have been noted as ended, `outcomes` how many of them ended how.
    """

    sms_id: int
    activation_id: int
    partner_id: str
    phone: str
    phone_from: str
    text: str
    received_at: int
    stored_at: int
    push_state: PushState = PushState.PENDING
    next_due: int = 0
    attempts: int = 0
    delivered_at: int | None = None
    queued_again_at: int | None = None
    outcomes: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def tally(self) -> Tally:
        """What the next claim is to note."""
        return Tally(self.next_due, self.attempts, self.outcomes)

    def attempted(self, outcome: str) -> Self:
        """Give the SMS with one attempt more, which ended so."""
        outcomes = {**self.outcomes, outcome: self.outcomes.get(outcome, 0) + 1}
        return replace(self, attempts=self.attempts + 1, outcomes=outcomes)

    def caught_up(self, log: Iterable[Attempt]) -> Self:
        """Give the SMS with those attempts of its log that no claim has noted yet: one, unless a message was lost."""
        sms = self
        for attempt in log:
            if attempt.number > self.attempts:
                counted = sms.attempted(attempt.outcome)
                # The log may have gaps.
                sms = replace(counted, attempts=max(sms.attempts, attempt.number))
        return sms

    def __repr__(self) -> str:
        """Leave out what the SMS says: a repr ends up in logs."""
        return f"Sms({self.sms_id!r})"


@dataclass(frozen=True, slots=True)
class Lease:
    """The activation that holds a number: since when (ms), and for which partner."""

    phone: str
    activation_id: int
    partner_id: str
    held_from: int


def lease_for(sms: InboundSms, number: Number | None, now: int) -> Lease | None:
    """Tell which activation an SMS belongs to, None when to nobody (contract 1.6).

    It belongs to the activation that holds its number when it arrives (`now`, ms), unless the gateway knows that it
    was received before that activation began: the next buyer must not see the previous buyer's code.
    """
    if number is None or not number.is_held(now):
        return None
    if number.activation_id is None or number.partner_id is None or number.held_from is None:
        return None
    if sms.received_to is not None and sms.received_to < number.held_from:
        return None
    return Lease(number.phone, number.activation_id, number.partner_id, number.held_from)


def moment_meant(at: int, *, fraction_stated: bool, now: int) -> tuple[int, int]:
    """Give the first and last ms that a gateway's time of receipt may mean; never later than now."""
    end = at if fraction_stated else at + SECOND - 1
    return min(at, now), min(end, now)
