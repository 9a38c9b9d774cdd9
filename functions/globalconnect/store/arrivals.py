"""What an inbound SMS reads and changes across tables: the number, the inbox, the activation (docs/adr/0009)."""

from contextlib import suppress
from dataclasses import dataclass, replace

from globalconnect.domain.ids import SmsId, SourceId, sms_id_of
from globalconnect.domain.inbound import Identity, InboundSms, InboxKind, Lease, Receipt, UnclaimedReason, WordsRecord
from globalconnect.domain.number import Number
from globalconnect.domain.sms import Sms
from globalconnect.store.activations import Activations, from_sms, is_kept
from globalconnect.store.dynamo import ConditionFailed, Dynamo, Item, check, expression, put
from globalconnect.store.inbox import Inbox, heard_from, inbox_key, is_entry_of, is_new, words_key
from globalconnect.store.numbers import Numbers, to_number

# So many of a number's last activations may have held it while one delivery was being stored.
_LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class ArrivalContext:
    """What is known when an SMS comes in: its number, what was heard of its words, and whether an entry of an earlier
    version is the same SMS (`former_id`, its id) or may be (`may_be_known`).
    """

    number: Number | None
    heard: WordsRecord | None
    former_id: SmsId | None = None
    may_be_known: bool = False


class Arrivals:
    def __init__(self, db: Dynamo, numbers: Numbers, activations: Activations, inbox: Inbox) -> None:
        self._db = db
        self._numbers = numbers
        self._activations = activations
        self._inbox = inbox

    def known(self, sms: InboundSms, source_id: SourceId, now: int) -> ArrivalContext:
        """Read all that decides about an SMS at `now` (ms)."""
        inbox = self._inbox.table
        former = [Identity(source_id, name) for name in sms.former_names]
        number, *entries = self._db.get_each(
            (self._numbers.table, {"phone": sms.phone}),
            (inbox, words_key(sms)),
            *((inbox, inbox_key(sms_id_of(source_id, identity.name, 0))) for identity in former),
        )
        heard, *entries = (entry if entry and is_kept(entry, now) else None for entry in entries)
        known = ArrivalContext(to_number(number) if number else None, heard_from(heard) if heard else None)
        if known.heard is not None and sms.provider_id is None:
            return known
        for identity, entry in zip(former, entries, strict=True):
            if entry is not None and is_entry_of(entry, identity):
                return _with_former(known, entry, sms)
        return known

    def ended_since(self, number: Number | None, arrived_at: int) -> Lease | None:
        """Return the activation that held a number when an SMS arrived (ms) and has ended since; None when none did."""
        if number is None or max(number.available_from, number.held_from or 0) <= arrived_at:
            return None
        for one in self._activations.last_of_phone(number.phone, _LOOKED_AT):
            if one.held_at(arrived_at):
                return Lease(number.phone, one.activation_id, one.partner_id, one.started_at, has_ended=True)
        return None

    def store(self, sms: Sms, lease: Lease, receipt: Receipt, heard: WordsRecord | None) -> None:
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
            put(self._inbox.table, self._inbox.noted(receipt), is_new(receipt.stored_at)),
            *self._inbox.hear(receipt, heard, sms.activation_id),
            put(
                self._activations.table,
                from_sms(sms, self._activations.retention),
                expression("attribute_not_exists(#entry)"),
            ),
        )

    def keep_unclaimed(
        self, receipt: Receipt, heard: WordsRecord | None, received_at: int, reason: UnclaimedReason
    ) -> None:
        """Keep an SMS that no activation gets, for staff, and note its words. Raises ConditionFailed as `store` does."""
        item = self._inbox.noted_unclaimed(receipt, received_at, reason)
        self._db.transact(
            put(self._inbox.table, item, is_new(receipt.stored_at)), *self._inbox.hear(receipt, heard, None)
        )

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
    return replace(known, former_id=SmsId(int(entry["inbox_id"]))) if is_same else known
