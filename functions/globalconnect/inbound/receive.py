"""Store an SMS with the activation that held its number when it reached us, or keep it for staff; once (contract 1.6 and 4)."""

from dataclasses import dataclass, replace

from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.ids import SmsId, SourceId, sms_id_of
from globalconnect.domain.inbound import (
    InboundSms,
    Lease,
    Receipt,
    UnclaimedReason,
    Verdict,
    WaitingSms,
    WordsRecord,
    holder_of,
    identity_of,
    is_before_sale,
    judge,
)
from globalconnect.domain.number import Number, is_tested
from globalconnect.domain.sms import PushState, Sms
from globalconnect.inbound.parts import Parts
from globalconnect.runtime.logs import Event, log, log_failure
from globalconnect.store.arrivals import ArrivalContext
from globalconnect.store.dynamo import ConditionFailed

_TRIES = 10


@dataclass(frozen=True, slots=True)
class Arrival:
    """When (ms) a delivery of a source reached us; `payload_id` is what it would be kept as if it could not be read."""

    source_id: SourceId
    at: int
    payload_id: str | None = None

    def first_at(self, unread_at: int | None) -> int:
        """Return when it reached us first (ms), be it at `unread_at` as something that could not be read then."""
        return self.at if unread_at is None else min(self.at, unread_at)


def receive(sms: InboundSms, arrival: Arrival, parts: Parts) -> None:
    """Make an SMS durable. The same SMS again is only counted.

    Raises Busy when its number keeps changing hands: then nothing is stored, and the gateway should try again.
    """
    source_id, salt = arrival.source_id, 0
    for _ in range(_TRIES):
        now = parts.now()
        found = addressed(sms, source_id, parts)
        known = parts.arrivals.known(found, source_id, arrival.payload_id, now)
        identity = identity_of(found, source_id, now)
        sms_id = sms_id_of(identity.source_id, identity.name, salt)
        receipt = Receipt(sms_id, source_id, identity, found, arrival.first_at(known.unread_at), now)
        is_new = False
        try:
            is_new = _settle(receipt, known, parts)
        except ConditionFailed:
            match parts.inbox.has(receipt):
                case None:
                    # The lease ended, or the words were heard again, between the reads and the write: re-read.
                    continue
                case True:
                    _count_repeat(receipt.sms_id, source_id, parts)
                case False:
                    # A different SMS that happens to give the same id.
                    salt += 1
                    continue
        _note_line(receipt, known.number, parts, is_new=is_new)
        return
    raise Busy


def place(waiting: WaitingSms, parts: Parts, *, is_given_up: bool = False) -> bool:
    """Give an SMS that waits for its line to whom it belongs, if that is mapped now; tells whether it is placed.

    It is judged by when it reached us and by who held the number then (contract 4). Placed already, it stays so. One that
    `is_given_up`, since its source is gone, waits no more. Raises Busy when its number keeps changing hands.
    """
    for _ in range(_TRIES):
        now = parts.now()
        found = addressed(waiting.sms, waiting.source_id, parts)
        if not found.phone and not is_given_up:
            return False
        known = parts.arrivals.known(found, waiting.source_id, None, now)
        receipt = Receipt(
            waiting.sms_id, waiting.source_id, waiting.identity, found, waiting.arrived_at, now, is_waiting=True
        )
        try:
            if found.phone:
                _settle(receipt, known, parts)
            else:
                parts.arrivals.keep_unclaimed(receipt, known.heard, UnclaimedReason.SOURCE_REMOVED)
                log(Event.SMS_UNCLAIMED, source_id=receipt.source_id, sms_id=receipt.sms_id)
        except ConditionFailed:
            if parts.inbox.waits(waiting.sms_id):
                continue
        _note_line(receipt, known.number, parts, is_new=True)
        return True
    raise Busy


def addressed(sms: InboundSms, source_id: SourceId, parts: Parts) -> InboundSms:
    """Return an SMS as one to the number that its line is mapped to, by the first of its names that is; else to the only
    one of ours that its destination may mean. One that only staff can address has no phone.
    """
    line = sms.line
    if line is None and not {*sms.readings} - {sms.phone}:
        return sms
    mapped = {} if line is None else parts.lines.phones(source_id, sms.line_names)
    for name in sms.line_names:
        if phone := mapped.get(name):
            return sms.addressed(phone)
    ours = parts.arrivals.ours(sms.readings or ([sms.phone] if sms.phone else []))
    if len(ours) == 1:
        return sms.addressed(ours[0])
    if line is None:
        return replace(sms.addressed(sms.phone), readings=tuple(ours))
    # What its gateway takes for its number is for staff to see.
    return replace(sms.addressed(""), readings=sms.readings or ((sms.phone,) if sms.phone else ()))


def held_at(sms: InboundSms, source_id: SourceId, at: int, now: int, parts: Parts) -> Lease | None:
    """Return who held the number of an SMS at a time (ms), read at `now`; None when nobody did or its number isn't known."""
    found = addressed(sms, source_id, parts)
    number = parts.arrivals.number(found.phone) if found.phone else None
    return _holder(number, at, now, parts)


def _holder(number: Number | None, at: int, now: int, parts: Parts) -> Lease | None:
    return holder_of(number, at, now) or parts.arrivals.held_at(number, at)


def _settle(receipt: Receipt, known: ArrivalContext, parts: Parts) -> bool:
    """Write where an SMS goes, by what is known; tell whether it is new, and certainly so.

    Raises ConditionFailed when that is not so any more.
    """
    sms, source_id = receipt.sms, receipt.source_id
    holder = _holder(known.number, receipt.arrived_at, receipt.stored_at, parts)
    if known.former_id is not None:
        _count_repeat(known.former_id, source_id, parts)
        return False
    if sms.provider_id is None:
        # What one that waits has noted itself is no other's.
        heard = [record for record in known.heard if not (receipt.is_waiting and _is_of(receipt, record))]
        verdict, record = judge(sms, heard, holder, receipt.arrived_at)
        if record is not None and not receipt.is_waiting and verdict is not Verdict.NEW:
            if verdict is Verdict.REPEAT:
                _count_repeat(record.sms_id, source_id, parts)
            else:
                in_test = holder is None and is_tested(known.number, receipt.arrived_at)
                parts.inbox.keep_doubtful(receipt, record, in_test=in_test)
                log(Event.SMS_UNCLAIMED, source_id=source_id, sms_id=record.sms_id)
            return False
        known = replace(known, may_be_known=known.may_be_known or verdict is not Verdict.NEW)
    if not sms.phone:
        if sms.line is not None:
            parts.lines.note(source_id, sms.line, receipt.arrived_at)
        parts.arrivals.keep_waiting(receipt, known.heard)
        log(Event.SMS_WAITING, source_id=source_id, sms_id=receipt.sms_id)
        return True
    _store(receipt, known, holder, parts)
    return not known.may_be_known


def _note_line(receipt: Receipt, number: Number | None, parts: Parts, *, is_new: bool) -> None:
    """Note with a number that an SMS came in on its line, which was alive then, and by which source.

    One that came again was received when it came first, unless that is stated. The SMS is stored: raises Busy and
    Unavailable only where a line stays offline by that, for the gateway to try again.
    """
    if number is None or receipt.sms.readings:
        return
    if number.heard_by != receipt.source_id:
        try:
            parts.numbers.note_heard_by(number, receipt.source_id)
        except (Busy, Unavailable) as error:
            log_failure(Event.SOURCE_NOT_NOTED, error, source_id=receipt.source_id)
    if number.offline is None:
        return
    alive_at: int | None = receipt.arrived_at
    if receipt.sms.stated_to is not None:
        alive_at = min(receipt.sms.stated_to, receipt.arrived_at)
    elif not is_new:
        alive_at = parts.inbox.came_at(receipt.sms_id)
    if alive_at is not None and alive_at > number.offline.since:
        parts.numbers.prove_alive(number.phone, alive_at, receipt.stored_at)


def _is_of(receipt: Receipt, record: WordsRecord | None) -> bool:
    return record is not None and record.sms_id == receipt.sms_id


def _count_repeat(sms_id: SmsId, source_id: SourceId, parts: Parts) -> None:
    parts.arrivals.count_repeat(sms_id)
    log(Event.SMS_REPEATED, source_id=source_id, sms_id=sms_id)


def _store(receipt: Receipt, known: ArrivalContext, holder: Lease | None, parts: Parts) -> None:
    sms = receipt.sms
    if len(sms.readings) > 1:
        reason = UnclaimedReason.AMBIGUOUS
    elif holder is None:
        if is_tested(known.number, receipt.arrived_at):
            parts.arrivals.keep_test(receipt, known.heard)
            log(Event.SMS_TESTED, source_id=receipt.source_id, sms_id=receipt.sms_id)
            return
        reason = UnclaimedReason.NOT_HELD
    elif known.may_be_known:
        reason = UnclaimedReason.DOUBTFUL
    elif is_before_sale(sms, holder, parts.receipt_skew):
        reason = UnclaimedReason.BEFORE_SALE
    else:
        stored = Sms(
            sms_id=receipt.sms_id,
            activation_id=holder.activation_id,
            partner_id=holder.partner_id,
            phone=sms.phone,
            phone_from=sms.phone_from,
            text=sms.text,
            received_at=receipt.received_at,
            stored_at=receipt.stored_at,
            # Its partner has closed it: whoever still asks is shown the SMS.
            push_state=PushState.STOPPED if holder.has_ended else PushState.PENDING,
        )
        parts.arrivals.store(stored, holder, receipt, known.heard)
        log(
            Event.SMS_STORED,
            source_id=receipt.source_id,
            sms_id=receipt.sms_id,
            activation_id=holder.activation_id,
        )
        return
    parts.arrivals.keep_unclaimed(receipt, known.heard, reason)
    log(Event.SMS_UNCLAIMED, source_id=receipt.source_id, sms_id=receipt.sms_id)
