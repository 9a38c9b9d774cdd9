"""What happens every minute, so that counts and pushes come right by themselves (contract 1.1 and 3)."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched

from globalconnect.domain.backlog import (
    PartnerPending,
    PendingNote,
    Waiting,
    all_waiting,
    is_without_success,
    note_of,
    waiting_by_partner,
)
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.number import EndedLease
from globalconnect.domain.push_schedule import OVERDUE, lost_its_message
from globalconnect.domain.sms import DuePush, PushState, Sms, SmsRef
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime.logs import Event, log
from globalconnect.runtime.metrics import publish_held_too_long
from globalconnect.store.activations import PENDING_SHARDS
from globalconnect.store.numbers import HELD_SHARDS, Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from globalconnect.store.statistics import Statistics

_SMS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class _Pending:
    """What was found among pending SMS: how many were queued, and what waits for each partner."""

    queued: int
    waiting: Mapping[PartnerId, PartnerPending]


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep found: the partners for whom SMS wait, and what to note of that for staff."""

    waiting: Sequence[Waiting]
    note: PendingNote


@dataclass(frozen=True, slots=True)
class Sweep:
    numbers: Numbers
    partners: Partners
    pushes: Pushes
    queues: RetryQueues
    statistics: Statistics
    now: Callable[[], int]

    def run(self) -> SweepReport:
        """Sweep once. Idempotent; safe to run concurrently.

        Returns the partners for whom SMS had waited OVERDUE or longer when it began: all of them, once all were looked at.
        """
        began = self.now()
        with ThreadPoolExecutor(len(PENDING_SHARDS) + len(HELD_SHARDS)) as threads:
            # All at once: many leases that end must not keep a lost push waiting, nor the other way round.
            looked_at = threads.map(self._look_at_pending, PENDING_SHARDS)
            ended = threads.map(self._end_leases, HELD_SHARDS)
            found = list(looked_at)
            log(Event.SWEPT, leases=sum(ended), pushes=sum(shard.queued for shard in found))
        waiting = self._waiting(all_waiting(shard.waiting for shard in found), began)
        for one in waiting:
            if one.without_success:
                log(Event.PARTNER_WITHOUT_SUCCESS, partner_id=one.partner_id, oldest_age_ms=one.age)
        return SweepReport(waiting, note_of(waiting, began))

    def _waiting(self, found: Mapping[PartnerId, PartnerPending], now: int) -> list[Waiting]:
        # Read after the batch: a partner that took a push meanwhile is not in the alarm.
        partners = self.partners.without_secrets(found.keys())
        return [
            Waiting(
                partner_id=partner_id,
                pending=pending,
                age=now - pending.oldest_at,
                without_success=is_without_success(partners.get(partner_id), pending.oldest_at, now),
            )
            for partner_id, pending in found.items()
        ]

    def _end_leases(self, shard: str) -> int:
        """Let go of the numbers of a shard whose lease has run out, or whose rest is over; return how many."""
        return sum(self._end(ended) for ended in self.numbers.held_until(shard, self.now()))

    def _end(self, ended: EndedLease) -> bool:
        number = self.numbers.let_go(ended, self.now())
        if number is not None and number.overdue_at is not None:
            log(Event.HELD_TOO_LONG, partner_id=number.partner_id, activation_id=number.activation_id)
            publish_held_too_long()
        return number is not None

    def _look_at_pending(self, shard: str) -> _Pending:
        """Queue the pending pushes of a shard that must have lost their message."""
        refs = self.pushes.pending(shard, self.now() - OVERDUE)
        found = [self._look_at(some) for some in batched(refs, _SMS_AT_ONCE, strict=False)]
        return _Pending(sum(some.queued for some in found), all_waiting(some.waiting for some in found))

    def _look_at(self, refs: Sequence[SmsRef]) -> _Pending:
        batch = self.pushes.find(refs)
        return _Pending(self._queue_missing(batch), waiting_by_partner(batch))

    def _queue_missing(self, batch: Sequence[Sms]) -> int:
        now = self.now()
        missing = [sms for sms in batch if _is_missing(sms, now)]
        partners = self.partners.without_secrets({sms.partner_id for sms in missing})
        slow_ones = {partner.partner_id for partner in partners.values() if partner.is_slow(now)}
        for slow in (False, True):
            some = [sms for sms in missing if (sms.partner_id in slow_ones) is slow]
            pushes = [DuePush(SmsRef(sms.activation_id, sms.sms_id), sms.partner_id, now) for sms in some]
            ends = self.queues.send(pushes, slow=slow, now=now)
            # Noted once they are queued: what could not be is tried again in a minute.
            self.pushes.note_queued_again([sms for sms, end in zip(some, ends, strict=True) if end is None], now)
        return len(missing)


def _is_missing(sms: Sms, now: int) -> bool:
    due = max(sms.next_due, sms.stored_at)
    return sms.push_state is PushState.PENDING and lost_its_message(due, sms.queued_again_at, now)
