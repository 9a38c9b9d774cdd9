"""How the pushing of each message stands (contract 3): kept with the messages in the Activations table.

Everything here is asked for many messages at once, since a push takes a claim, a look and a result, and each call costs
more than what it carries.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from globalconnect.domain.errors import Busy, NotFound, Unavailable
from globalconnect.domain.ids import ActivationId, SmsId
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.times import day_of
from globalconnect.store.activations import (
    ATTEMPT_PREFIX,
    ENTRY,
    expire_at,
    is_kept,
    pending_shard,
    sms_id_of_entry,
    sms_key,
    to_sms,
)
from globalconnect.store.codec import Codec
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, Key, Statement, expression

# Beside the first.
ATTEMPTS_KEPT = 20
# Numbers of attempts that have each a place of its own, one for every place.
_PLACES = range(1, ATTEMPTS_KEPT + 2)

_ATTEMPT = Codec(Attempt, {"started_at": "attempted_at", "outcome": "attempt_outcome"})

_PENDING = PushState.PENDING.value
_TALLY = 'SET "attempts" = ? SET "outcomes" = ?'
_THIS_ONE = 'WHERE "activation_id" = ? AND "entry" = ? AND "push_state" = ?'


class Pushes:
    """Claims, ends and attempts of pushes. Attempts are kept as long as their message: `retention` ms."""

    def __init__(self, db: Dynamo, table: str, retention: int) -> None:
        self._db = db
        self._table = table
        self._retention = retention
        self._claim = f'UPDATE "{table}" SET "next_due" = ? {_THIS_ONE} AND "next_due" <= ? RETURNING ALL NEW *'  # noqa: S608 - our table, no input
        self._claim_and_note = (
            f'UPDATE "{table}" SET "next_due" = ? {_TALLY} {_THIS_ONE} AND "next_due" <= ? AND "next_due" = ? '  # noqa: S608
            "RETURNING ALL NEW *"
        )
        self._deliver = (
            f'UPDATE "{table}" SET "push_state" = ? {_TALLY} SET "delivered_at" = ? SET "delivered_day" = ? '  # noqa: S608
            f'SET "first_delivered_at" = ? REMOVE "pending_shard" {_THIS_ONE}'
        )
        self._deliver_again = (
            f'UPDATE "{table}" SET "push_state" = ? {_TALLY} SET "delivered_at" = ? REMOVE "pending_shard" {_THIS_ONE}'  # noqa: S608
        )
        self._stop = f'UPDATE "{table}" SET "push_state" = ? {_TALLY} REMOVE "pending_shard" {_THIS_ONE}'  # noqa: S608

    # -------------------------------------------------------------- an attempt

    def claim(
        self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
    ) -> list[Sms | Exception | None]:
        """Claim the next push attempt of each message (none twice) for the caller alone, starting at `now` (ms).

        Takes the attempts made so far, where they are known; they are noted with the message, unless another claim came
        in between. Where they aren't known, they are what has been noted and what the log of attempts says.

        Returns per message: the SMS, whose `next_due` is when the attempt after this one may start; None when it is not
        pending, not due yet, or somebody else's, since two attempts at once can't both have claimed (contract 3), or past
        its retention; or what AWS failed with.
        """
        known = tallies or {}
        statements = [self._claiming(ref, now, known.get(ref)) for ref in refs]
        ends = dict(zip(refs, self._db.execute(statements), strict=True))
        blind = [ref for ref in refs if ref not in known or isinstance(ends[ref], ConditionFailed)]
        late = [ref for ref in blind if ref in known]
        ends |= zip(late, self._db.execute([self._claiming(ref, now, None) for ref in late]), strict=True)
        claimed = {ref: _sms_or_none(end, now) for ref, end in ends.items()}
        claimed |= self._caught_up({ref: sms for ref in blind if isinstance(sms := claimed[ref], Sms)})
        return [claimed[ref] for ref in refs]

    def _claiming(self, ref: SmsRef, now: int, tally: AttemptTally | None) -> Statement:
        this_one = (*sms_key(ref).values(), _PENDING, now)
        if tally is None:
            return Statement(self._claim, (now + INTERVAL, *this_one))
        noted = (tally.attempts, tally.outcomes)
        return Statement(self._claim_and_note, (now + INTERVAL, *noted, *this_one, tally.next_due))

    def _caught_up(self, batch: Mapping[SmsRef, Sms]) -> dict[SmsRef, Sms]:
        """Count the attempts that are in the log and not noted with these messages."""
        if not batch:
            return {}
        keys: list[Key] = [_attempt_key(sms, number) for sms in batch.values() for number in _PLACES]
        try:
            items = self._db.get_many(self._table, keys)
        except (Busy, Unavailable):
            # The count has a gap then; the claims are made.
            return {}
        logs: dict[SmsId, list[Attempt]] = {}
        for item in items:
            logs.setdefault(item["sms_id"], []).append(_ATTEMPT.from_item(item))
        return {ref: sms.caught_up(logs.get(ref.sms_id, [])) for ref, sms in batch.items()}

    def open_among(self, activation_ids: Collection[ActivationId]) -> frozenset[ActivationId]:
        """Return those of the activations that are not finished as of now. Raises Busy."""
        keys: list[Key] = [{"activation_id": activation_id, "entry": ENTRY} for activation_id in activation_ids]
        found = self._db.get_many(self._table, keys)
        return frozenset(item["activation_id"] for item in found if item.get("outcome") is None)

    def settle(self, ends: Sequence[PushEnd]) -> list[Exception | None]:
        """End the pushing of messages (none twice) that are still pending; others stay as they are.

        Returns per message what AWS failed with, or None.
        """
        return _failures(self._db.execute([self._ending(end) for end in ends]))

    def _ending(self, end: PushEnd) -> Statement:
        how = (end.state.value, end.sms.attempts, end.sms.outcomes)
        if end.state is not PushState.DELIVERED:
            return Statement(self._stop, (*how, *_still_pending(end.sms)))
        if end.sms.delivered_at is not None:
            # Staff had it pushed once more: in the statistics it stays where it was delivered first.
            return Statement(self._deliver_again, (*how, end.at, *_still_pending(end.sms)))
        return Statement(self._deliver, (*how, end.at, day_of(end.at), end.at, *_still_pending(end.sms)))

    def keep_attempts(self, attempts: Sequence[tuple[Sms, Attempt]]) -> None:
        """Keep how attempts ended, the first and the newest ATTEMPTS_KEPT of each message. Raises Busy.

        Each has an item of its own, so that neither the message nor what a write costs grows with the attempts.
        """
        self._db.put_many(self._table, [_from_attempt(sms, attempt, self._retention) for sms, attempt in attempts])

    def attempts(self, activation_id: ActivationId) -> dict[SmsId, list[Attempt]]:
        """Return the kept attempts of an activation's messages by SMS id, oldest first."""
        condition = expression(
            "#activation_id = :id AND begins_with(#entry, :attempts)", id=activation_id, attempts=ATTEMPT_PREFIX
        )
        found: dict[SmsId, list[Attempt]] = {}
        for item in self._db.query_all(self._table, condition):
            found.setdefault(item["sms_id"], []).append(_ATTEMPT.from_item(item))
        return {sms_id: sorted(attempts, key=lambda attempt: attempt.number) for sms_id, attempts in found.items()}

    # -------------------------------------------------------------- the sweep and staff

    def pending(self, shard: str, stored_until: int) -> Iterator[SmsRef]:
        """Return the undelivered messages of a shard that were stored until then (ms), oldest first."""
        condition = expression("#pending_shard = :shard AND #stored_at <= :until", shard=shard, until=stored_until)
        for item in self._db.query_all(self._table, condition, index="pending"):
            yield SmsRef(item["activation_id"], sms_id_of_entry(item["entry"]))

    def find(self, refs: Sequence[SmsRef]) -> list[Sms]:
        """Return those of the messages that exist, as they are now. Raises Busy."""
        return [to_sms(item) for item in self._db.get_many(self._table, [sms_key(ref) for ref in refs])]

    def note_queued_again(self, batch: Sequence[Sms], now: int) -> list[Exception | None]:
        """Note that the sweep has queued messages (none twice) again at `now` (ms), unless an attempt came in between.

        Returns per message what AWS failed with, or None.
        """
        text = f'UPDATE "{self._table}" SET "queued_again_at" = ? {_THIS_ONE} AND "next_due" = ?'  # noqa: S608
        return _failures(
            self._db.execute([Statement(text, (now, *_still_pending(sms), sms.next_due)) for sms in batch])
        )

    def push_again(self, ref: SmsRef, now: int, overlap: int) -> Sms:
        """Make an SMS due for a push: at `now` (ms), or when the attempt that may be under way has had its time.

        Takes how long an attempt can take at most (ms). Raises NotFound.
        """
        key = sms_key(ref)
        shard = pending_shard(ref.sms_id)
        due_now = expression(
            "SET #push_state = :pending, #pending_shard = :shard, #next_due = :now",
            pending=_PENDING,
            shard=shard,
            now=now,
        )
        # A claim at t sets next_due = t + INTERVAL and its attempt ends by t + overlap.
        idle = expression("attribute_exists(#entry) AND #next_due <= :idle", idle=now + INTERVAL - overlap)
        try:
            return to_sms(self._db.update(self._table, key, due_now, idle))
        except ConditionFailed:
            pass
        try:
            change = expression("SET #push_state = :pending, #pending_shard = :shard", pending=_PENDING, shard=shard)
            return to_sms(self._db.update(self._table, key, change, expression("attribute_exists(#entry)")))
        except ConditionFailed:
            raise NotFound("message") from None


def _sms_or_none(end: Item | Exception, now: int) -> Sms | Exception | None:
    if isinstance(end, ConditionFailed):
        return None
    if isinstance(end, Exception):
        return end
    return to_sms(end) if is_kept(end, now) else None


def _failures(ends: Sequence[Item | Exception]) -> list[Exception | None]:
    return [end if isinstance(end, Exception) and not isinstance(end, ConditionFailed) else None for end in ends]


def _still_pending(sms: Sms) -> tuple[str | int, ...]:
    return (*sms_key(SmsRef(sms.activation_id, sms.sms_id)).values(), _PENDING)


def _attempt_key(sms: Sms, number: int) -> dict[str, str | int]:
    """Return where an attempt is kept: the first by itself, of the others each in the place of the one 20 before it."""
    place = "first" if number == 1 else f"{number % ATTEMPTS_KEPT:02}"
    return {"activation_id": sms.activation_id, "entry": f"{ATTEMPT_PREFIX}{sms.sms_id}#{place}"}


def _from_attempt(sms: Sms, attempt: Attempt, retention: int) -> Item:
    return {
        **_attempt_key(sms, attempt.number),
        "sms_id": sms.sms_id,
        **_ATTEMPT.to_item(attempt),
        "expire_at": expire_at(sms.stored_at, retention),
    }
