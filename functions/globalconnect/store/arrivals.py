"""What an inbound SMS reads and changes across tables: the number, the inbox, the activation (docs/adr/0009)."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from globalconnect.domain.ids import SmsId, SourceId, sms_id_of
from globalconnect.domain.inbound import (
    Identity,
    InboundSms,
    InboxKind,
    Lease,
    Receipt,
    UnclaimedReason,
    WordsRecord,
    identity_before,
)
from globalconnect.domain.number import Number
from globalconnect.domain.sms import Sms
from globalconnect.store.activations import Activations, from_sms, is_kept
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, Key, check, expression, put
from globalconnect.store.inbox import Inbox, heard_from, inbox_key, is_entry_of, words_keys
from globalconnect.store.numbers import Numbers, to_number

type Heard = tuple[WordsRecord | None, ...]


@dataclass(frozen=True, slots=True)
class ArrivalContext:
    """What is known when an SMS comes in: its number, what was heard of its words, and whether an entry of an earlier
    version, or of before its number was ours, is the same SMS (`former_id`, its id) or may be (`may_be_known`).
    `unread_at` (ms) is when the same delivery came first and could not be read.
    """

    number: Number | None
    heard: Heard
    former_id: SmsId | None = None
    may_be_known: bool = False
    unread_at: int | None = None


class Arrivals:
    def __init__(self, db: Dynamo, numbers: Numbers, activations: Activations, inbox: Inbox) -> None:
        self._db = db
        self._numbers = numbers
        self._activations = activations
        self._inbox = inbox

    def ours(self, phones: Sequence[str]) -> list[str]:
        """Return those of some numbers that are ours."""
        return [number.phone for number in self._numbers.get_many(list(dict.fromkeys(phones)))]

    def number(self, phone: str) -> Number | None:
        return self._numbers.get(phone)

    def known(self, sms: InboundSms, source_id: SourceId, payload_id: str | None, now: int) -> ArrivalContext:
        """Read all that decides about an SMS at `now` (ms), at once."""
        inbox = self._inbox.table
        before = identity_before(sms, source_id)
        former = [*([before] if before else []), *(Identity(source_id, name) for name in sms.former_names)]
        words = words_keys(sms, source_id)
        numbers: list[Key] = [{"phone": sms.phone}] if sms.phone else []
        unread: list[Key] = [] if payload_id is None else [{"inbox_id": payload_id}]
        items = self._db.get_each(
            *((self._numbers.table, key) for key in numbers),
            *((inbox, key) for key in [*unread, *words]),
            *((inbox, inbox_key(sms_id_of(source_id, identity.name, 0))) for identity in former),
        )
        number = items.pop(0) if numbers else None
        entries = [entry if entry and is_kept(entry, now) else None for entry in items]
        payload = entries.pop(0) if unread else None
        heard = tuple(heard_from(entry) if entry else None for entry in entries[: len(words)])
        known = ArrivalContext(
            to_number(number) if number else None, heard, unread_at=payload["stored_at"] if payload else None
        )
        if any(heard) and sms.provider_id is None:
            return known
        for identity, entry in zip(former, entries[len(words) :], strict=True):
            if entry is not None and is_entry_of(entry, identity):
                return _is_former(known, entry) if identity == before else _with_former(known, entry, sms)
        return known

    def held_at(self, number: Number | None, arrived_at: int) -> Lease | None:
        """Return the activation that held a number when an SMS arrived (ms) and does no more; None when none did."""
        if number is None or max(number.available_from, number.held_from or 0) <= arrived_at:
            return None
        one = self._activations.held_at(number.phone, arrived_at)
        return (
            None
            if one is None
            else Lease(number.phone, one.activation_id, one.partner_id, one.started_at, has_ended=True)
        )

    def store(self, sms: Sms, lease: Lease, receipt: Receipt, heard: Heard) -> None:
        """Store an SMS with the activation that holds its number, or held it when it arrived, and note its delivery and
        its words.

        `heard` is how its words were read. Raises ConditionFailed when the lease has ended meanwhile, the words were
        heard again, or the delivery has been noted before: then nothing was written, or by this very call, when its
        first answer got lost, and the delivery is noted.
        """
        is_held = expression(
            "#activation_id = :id AND #available_from > :now", id=lease.activation_id, now=sms.stored_at
        )
        holding = [] if lease.has_ended else [check(self._numbers.table, {"phone": lease.phone}, is_held)]
        self._db.transact(
            *holding,
            self._inbox.entering(receipt),
            *self._inbox.hearing(receipt, heard, sms.activation_id),
            put(
                self._activations.table,
                from_sms(sms, self._activations.retention),
                expression("attribute_not_exists(#entry)"),
            ),
        )

    def keep_unclaimed(self, receipt: Receipt, heard: Heard, reason: UnclaimedReason) -> None:
        """Keep an SMS that no activation gets, for staff, and note its words. Raises ConditionFailed as `store` does."""
        self._keep(receipt, heard, InboxKind.UNCLAIMED, reason)

    def keep_waiting(self, receipt: Receipt, heard: Heard) -> None:
        """Keep an SMS until staff say which number its line is. Raises ConditionFailed as `store` does."""
        self._keep(receipt, heard, InboxKind.WAITING, None)

    def keep_test(self, receipt: Receipt, heard: Heard) -> None:
        """Keep an SMS by which staff try a number out. Raises ConditionFailed as `store` does."""
        self._keep(receipt, heard, InboxKind.TEST, None)

    def _keep(self, receipt: Receipt, heard: Heard, kind: InboxKind, reason: UnclaimedReason | None) -> None:
        self._db.transact(self._inbox.entering(receipt, kind, reason), *self._inbox.hearing(receipt, heard, None))

    def count_repeat(self, sms_id: SmsId) -> None:
        """Count that an SMS came again, with its entry in the inbox."""
        change = expression("ADD #repeats :one", one=1)
        # Gone by now, with its retention: then there is nothing left to be found.
        with suppress(ConditionFailed):
            self._db.update(self._inbox.table, inbox_key(sms_id), change, expression("attribute_exists(#inbox_id)"))


def _with_former(known: ArrivalContext, entry: Item, sms: InboundSms) -> ArrivalContext:
    """Add what an earlier version's entry under the same id or words tells: it noted neither words nor activation."""
    if entry.get("kind") != InboxKind.UNCLAIMED:
        return replace(known, may_be_known=True)
    is_same = (entry["phone"], entry["phone_from"], entry["text"]) == (sms.phone, sms.phone_from, sms.text)
    return _is_former(known, entry) if is_same else known


def _is_former(known: ArrivalContext, entry: Item) -> ArrivalContext:
    return replace(known, former_id=SmsId(int(entry["inbox_id"])))
