"""The partners' servers in virtual time; they notice what contract 3 forbids."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from globalconnect.domain.push_attempt import AttemptOutcome, AttemptResult
from globalconnect.domain.push_schedule import CLAIM_LASTS, INTERVAL
from globalconnect.domain.sms import PushState, Sms
from globalconnect.push.signing import Signer
from tests.faults.interleavings.timeline import LIFE, Life, crash

# No attempt starts more than this after FINISH_ACTIVATION was answered (contract 3), ms.
_AFTER_FINISH = 500


class Behaviour(Enum):
    """How a partner's server takes a push, and for how long (ms)."""

    TAKES = (7, AttemptOutcome.DELIVERED)
    FAILS = (7, AttemptOutcome.HTTP_STATUS)
    TAKES_LATE = (4_900, AttemptOutcome.DELIVERED)
    TIMES_OUT = (5_000, AttemptOutcome.TIMEOUT)


class CrashAt(Enum):
    """When the environment that pushes is to crash."""

    START = auto()
    HALF = auto()
    END = auto()
    """The partner has answered, and nobody has seen it."""


@dataclass(slots=True)
class Seen:
    """An attempt as the partner sees it; times in ms, `ended` is None while it lasts."""

    started: int
    claimed: int
    ended: int | None = None


@dataclass(slots=True)
class Servers:
    """Every partner's server, by its Push URL. `sms_now` gives an SMS as it is stored, `tell` takes
    notes for whoever reads a failing example.

    `wrong` says what must never have happened.
    """

    now: Callable[[], int]
    sms_now: Callable[[int], Sms]
    tell: Callable[[str], None]
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    crashes: list[CrashAt] = field(default_factory=list)
    claimed_at: dict[tuple[Life | None, int], int] = field(default_factory=dict)
    """When each environment last asked for a claim of each SMS."""
    seen: dict[int, list[Seen]] = field(default_factory=dict)
    finished_at: dict[int, int] = field(default_factory=dict)
    pushed_again: dict[int, list[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Nothing is opened."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is closed."""

    async def attempt(
        self, url: str, body: dict[str, Any], secrets: Sequence[str], signer: Signer | None
    ) -> AttemptResult:
        """Take one push."""
        sms = self.sms_now(int(body["smsId"]))
        attempt = Seen(self.now(), self.claimed_at[LIFE.get(), sms.sms_id])
        self._check(sms, attempt)
        self.seen.setdefault(sms.sms_id, []).append(attempt)
        self.tell(f"an attempt of SMS {sms.sms_id} starts")
        duration, outcome = self.behaviours[url].value
        moment = self.crashes.pop(0) if self.crashes else None
        try:
            if moment is CrashAt.START:
                await crash()
            await asyncio.sleep(duration / 2_000)
            if moment is CrashAt.HALF:
                await crash()
            await asyncio.sleep(duration / 2_000)
            if moment is CrashAt.END:
                await crash()
        finally:
            attempt.ended = self.now()
            self.tell(f"the attempt of SMS {sms.sms_id} is over: {outcome}, crash at {moment}")
        delivered = outcome is AttemptOutcome.DELIVERED
        return AttemptResult(
            delivered=delivered, outcome=outcome, http_status=200 if delivered else 500, duration_ms=duration, answer=""
        )

    def _check(self, sms: Sms, attempt: Seen) -> None:
        if sms.push_state is not PushState.PENDING:
            self._note(sms, attempt, f"it is {sms.push_state}")
        finished_at = self.finished_at.get(sms.activation_id)
        if finished_at is not None and attempt.started > finished_at + _AFTER_FINISH:
            self._note(sms, attempt, f"FINISH was answered {attempt.started - finished_at} ms ago")
        # Otherwise it could still be under way when the next one may be claimed.
        if attempt.started > attempt.claimed + CLAIM_LASTS:
            self._note(sms, attempt, f"it was claimed {attempt.started - attempt.claimed} ms ago")
        before = self.seen.get(sms.sms_id)
        if before:
            self._check_interval(sms, before[-1], attempt)

    def _check_interval(self, sms: Sms, before: Seen, attempt: Seen) -> None:
        if before.ended is None:
            self._note(sms, attempt, "another attempt is under way")
        # Calls to AWS between claim and attempt may take their time; they must not make the attempt after it late.
        lateness = before.started - before.claimed
        gap = attempt.started - before.started
        asked_again = any(before.started <= at <= attempt.started for at in self.pushed_again.get(sms.sms_id, ()))
        if gap < INTERVAL - lateness and not asked_again:
            self._note(sms, attempt, f"the attempt before it started only {gap} ms ago")

    def _note(self, sms: Sms, attempt: Seen, what: str) -> None:
        self.wrong.append(f"at {attempt.started}: an attempt of SMS {sms.sms_id} starts, but {what}")
