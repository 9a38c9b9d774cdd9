"""What happens every minute, so that counts and pushes come right by themselves (contract 1.1 and 3)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched

from globalconnect.domain.push_schedule import OVERDUE, is_overdue
from globalconnect.domain.sms import PushState
from globalconnect.push.queue import RetryQueue
from globalconnect.store.activations import PENDING_SHARDS, Activations, SmsRef
from globalconnect.store.numbers import HELD_SHARDS, Numbers
from globalconnect.telemetry import Event, log

_MESSAGES_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Sweep:
    """The parts of this function."""

    numbers: Numbers
    activations: Activations
    queue: RetryQueue
    now: Callable[[], int]

    def run(self) -> None:
        """Sweep once. Doing it again, or twice at once, changes nothing more."""
        with ThreadPoolExecutor(len(PENDING_SHARDS) + len(HELD_SHARDS)) as threads:
            # All at once: many leases that end must not keep a lost push waiting, nor the other way round.
            queued = threads.map(self._queue_missing, PENDING_SHARDS)
            ended = threads.map(self._end_leases, HELD_SHARDS)
            log(Event.SWEPT, leases=sum(ended), pushes=sum(queued))

    def _end_leases(self, shard: str) -> int:
        """Let go of the numbers of a shard whose lease has run out; give how many."""
        now = self.now()
        ended = 0
        for phone, activation_id in self.numbers.held_until(shard, now):
            ended += self.numbers.let_go(phone, activation_id, now)
        return ended

    def _queue_missing(self, shard: str) -> int:
        """Queue the pending pushes of a shard that are so late that their message must be lost; give how many."""
        queued = 0
        due_by = self.now() - OVERDUE
        for refs in batched(self.activations.pending(shard, due_by), _MESSAGES_AT_ONCE, strict=False):
            for sms in self.activations.messages(refs):
                now = self.now()
                if sms.push_state is PushState.PENDING and is_overdue(max(sms.next_due, sms.stored_at), now):
                    self.queue.send(SmsRef(sms.activation_id, sms.sms_id), sms.partner_id, now, now)
                    log(Event.PUSH_QUEUED_AGAIN, sms_id=sms.sms_id, activation_id=sms.activation_id)
                    queued += 1
        return queued
