"""The tables in memory: the meaning of store.pushes.Pushes and of what push, sweep and finish ask of store.partners.

Times are arguments, as everywhere. `tests/faults/test_memory_store.py` holds it against the real stores.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from globalconnect.domain.errors import NotFound
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.store.activations import pending_shard
from globalconnect.store.pushes import ATTEMPTS_KEPT


@dataclass(slots=True)
class _Kept:
    sms: Sms
    attempts: dict[int, Attempt] = field(default_factory=dict)

    def log(self) -> list[Attempt]:
        return sorted(self.attempts.values(), key=lambda attempt: attempt.number)


class MemoryStore:
    """Messages, activations and partners in memory. The calls mean what those of Pushes and Partners do."""

    def __init__(self) -> None:
        self._messages: dict[SmsRef, _Kept] = {}
        self._activations: dict[int, bool] = {}
        self._partners: dict[str, Partner] = {}

    # -------------------------------------------------------------- what the rest of the product writes

    def add_partner(self, partner: Partner) -> None:
        self._partners[partner.partner_id] = partner

    def store_sms(self, sms: Sms) -> None:
        self._activations.setdefault(sms.activation_id, True)
        self._messages[SmsRef(sms.activation_id, sms.sms_id)] = _Kept(sms)

    def finish(self, activation_id: int) -> None:
        self._activations[activation_id] = False

    # -------------------------------------------------------------- Pushes

    def claim(
        self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
    ) -> list[Sms | Exception | None]:
        return [self._claim(ref, now, (tallies or {}).get(ref)) for ref in refs]

    def _claim(self, ref: SmsRef, now: int, tally: AttemptTally | None) -> Sms | None:
        kept = self._messages.get(ref)
        if kept is None or kept.sms.push_state is not PushState.PENDING or kept.sms.next_due > now:
            return None
        if tally is not None and tally.next_due == kept.sms.next_due:
            kept.sms = replace(kept.sms, next_due=now + INTERVAL, attempts=tally.attempts, outcomes=tally.outcomes)
            return kept.sms
        kept.sms = replace(kept.sms, next_due=now + INTERVAL)
        return kept.sms.caught_up(kept.log())

    def open_among(self, activation_ids: Collection[int]) -> frozenset[int]:
        return frozenset(one for one in activation_ids if self._activations.get(one, False))

    def settle(self, ends: Sequence[PushEnd]) -> list[Exception | None]:
        for end in ends:
            kept = self._pending(end.sms)
            if kept is not None:
                kept.sms = replace(
                    kept.sms,
                    push_state=end.state,
                    delivered_at=end.at if end.state is PushState.DELIVERED else kept.sms.delivered_at,
                    attempts=end.sms.attempts,
                    outcomes=end.sms.outcomes,
                )
        return [None] * len(ends)

    def _pending(self, sms: Sms) -> _Kept | None:
        kept = self._messages.get(SmsRef(sms.activation_id, sms.sms_id))
        return kept if kept is not None and kept.sms.push_state is PushState.PENDING else None

    def keep_attempts(self, attempts: Sequence[tuple[Sms, Attempt]]) -> None:
        for sms, attempt in attempts:
            kept = self._messages[SmsRef(sms.activation_id, sms.sms_id)]
            kept.attempts[0 if attempt.number == 1 else 1 + attempt.number % ATTEMPTS_KEPT] = attempt

    def attempts(self, activation_id: int) -> dict[int, list[Attempt]]:
        return {
            ref.sms_id: kept.log()
            for ref, kept in self._messages.items()
            if ref.activation_id == activation_id and kept.attempts
        }

    def pending(self, shard: str, stored_until: int) -> Iterator[SmsRef]:
        found = [
            (kept.sms.stored_at, ref)
            for ref, kept in self._messages.items()
            if kept.sms.push_state is PushState.PENDING
            and kept.sms.stored_at <= stored_until
            and pending_shard(ref.sms_id) == shard
        ]
        return iter([ref for _, ref in sorted(found, key=lambda entry: entry[0])])

    def find(self, refs: Sequence[SmsRef]) -> list[Sms]:
        return [self._messages[ref].sms for ref in refs if ref in self._messages]

    def note_queued_again(self, messages: Sequence[Sms], now: int) -> list[Exception | None]:
        for sms in messages:
            kept = self._pending(sms)
            if kept is not None and kept.sms.next_due == sms.next_due:
                kept.sms = replace(kept.sms, queued_again_at=now)
        return [None] * len(messages)

    def push_again(self, ref: SmsRef, now: int, overlap: int) -> Sms:
        if ref not in self._messages:
            raise NotFound("message")
        kept = self._messages[ref]
        idle = kept.sms.next_due <= now + INTERVAL - overlap
        kept.sms = replace(kept.sms, push_state=PushState.PENDING, next_due=now if idle else kept.sms.next_due)
        return kept.sms

    # -------------------------------------------------------------- Partners

    def many(self, partner_ids: Collection[str]) -> dict[str, Partner]:
        return {one: self._partners[one] for one in partner_ids if one in self._partners}

    without_secrets = many

    def note_slow(self, partner_id: str, until: int) -> None:
        self._note(partner_id, lambda partner: replace(partner, slow_until=max(until, partner.slow_until)))

    def note_success(self, partner_id: str, at: int) -> None:
        self._note(partner_id, lambda partner: replace(partner, last_success_at=max(at, partner.last_success_at or 0)))

    def _note(self, partner_id: str, noted: Callable[[Partner], Partner]) -> None:
        if partner_id in self._partners:
            self._partners[partner_id] = noted(self._partners[partner_id])
