"""The SMS of an activation, and how the pushing of it stands (contract 2 and 3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from globalconnect.domain.activation import Activation
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId


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
    answer: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AttemptTally:
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

    sms_id: SmsId
    activation_id: ActivationId
    partner_id: PartnerId
    phone: str
    phone_from: str = field(repr=False)
    text: str = field(repr=False)
    received_at: int
    stored_at: int
    push_state: PushState = PushState.PENDING
    next_due: int = 0
    attempts: int = 0
    delivered_at: int | None = None
    queued_again_at: int | None = None
    outcomes: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def tally(self) -> AttemptTally:
        return AttemptTally(self.next_due, self.attempts, self.outcomes)

    def attempted(self, outcome: str) -> Self:
        """Return the SMS with one attempt more, which ended so."""
        outcomes = {**self.outcomes, outcome: self.outcomes.get(outcome, 0) + 1}
        return replace(self, attempts=self.attempts + 1, outcomes=outcomes)

    def caught_up(self, log: Iterable[Attempt]) -> Self:
        """Return the SMS with those attempts of its log that no claim has noted yet: one, unless a message was lost."""
        sms = self
        for attempt in log:
            if attempt.number > self.attempts:
                counted = sms.attempted(attempt.outcome)
                # The log may have gaps.
                sms = replace(counted, attempts=max(sms.attempts, attempt.number))
        return sms


@dataclass(frozen=True, slots=True)
class SmsRef:
    """Where an SMS is: what queue messages and stream records name it by."""

    activation_id: ActivationId
    sms_id: SmsId


@dataclass(frozen=True, slots=True)
class DuePush:
    """A push to a partner that is due at `due` (ms), with the attempts made so far where they are known."""

    ref: SmsRef
    partner_id: PartnerId
    due: int
    tally: AttemptTally | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class ActivationWithSms:
    """An activation with its messages, oldest first."""

    activation: Activation
    sms: tuple[Sms, ...]


@dataclass(frozen=True, slots=True)
class PushEnd:
    """The end of the pushing of a message at `at` (ms): delivered, stopped or without a URL.

    The message is as it is then, with its last attempt counted.
    """

    sms: Sms
    state: PushState
    at: int
