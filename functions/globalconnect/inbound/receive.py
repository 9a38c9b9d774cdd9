"""Store an SMS with the activation that holds its number, or keep it as unclaimed; once (contract 1.6 and 4)."""

from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import SmsId, SourceId, sms_id_of
from globalconnect.domain.inbound import (
    InboundSms,
    Lease,
    Receipt,
    UnclaimedReason,
    Verdict,
    holder_of,
    identity_of,
    is_before_sale,
    judge,
)
from globalconnect.domain.sms import PushState, Sms
from globalconnect.inbound.parts import Parts
from globalconnect.runtime.logs import Event, log
from globalconnect.store.arrivals import ArrivalContext
from globalconnect.store.dynamo import ConditionFailed

_TRIES = 10


def receive(sms: InboundSms, source_id: SourceId, arrived_at: int, parts: Parts) -> None:
    """Make an SMS durable that reached us at `arrived_at` (ms). The same SMS again is only counted.

    Raises Busy when its number keeps changing hands: then nothing is stored, and the gateway should try again.
    """
    salt = 0
    for _ in range(_TRIES):
        now = parts.now()
        known = parts.arrivals.known(sms, source_id, now)
        holder = holder_of(known.number, arrived_at, now) or parts.arrivals.ended_since(known.number, arrived_at)
        identity = identity_of(sms, source_id, now)
        receipt = Receipt(sms_id_of(identity.source_id, identity.name, salt), source_id, identity, sms, now)
        if _was_heard(receipt, known, holder, arrived_at, parts):
            return
        try:
            _store(receipt, known, holder, arrived_at, parts)
        except ConditionFailed:
            match parts.inbox.has(receipt):
                case None:
                    # The lease ended, or the words were heard again, between the reads and the write: re-read.
                    continue
                case True:
                    _count_repeat(receipt.sms_id, source_id, parts)
                    return
                case False:
                    # A different SMS that happens to give the same id.
                    salt += 1
                    continue
        return
    raise Busy


def _was_heard(receipt: Receipt, known: ArrivalContext, holder: Lease | None, arrived_at: int, parts: Parts) -> bool:
    """Count an SMS as a repeat, or keep it as what may be one, by what is known; return whether it was either."""
    if known.former_id is not None:
        _count_repeat(known.former_id, receipt.source_id, parts)
        return True
    if receipt.sms.provider_id is not None or known.heard is None:
        return False
    match judge(receipt.sms, known.heard, holder, receipt.stored_at):
        case Verdict.NEW:
            return False
        case Verdict.REPEAT:
            _count_repeat(known.heard.sms_id, receipt.source_id, parts)
        case Verdict.DOUBTFUL:
            parts.inbox.keep_doubtful(receipt, known.heard, receipt.sms.received_at(arrived_at))
            log(Event.SMS_UNCLAIMED, source_id=receipt.source_id, sms_id=known.heard.sms_id)
    return True


def _count_repeat(sms_id: SmsId, source_id: SourceId, parts: Parts) -> None:
    parts.arrivals.count_repeat(sms_id)
    log(Event.SMS_REPEATED, source_id=source_id, sms_id=sms_id)


def _store(receipt: Receipt, known: ArrivalContext, holder: Lease | None, arrived_at: int, parts: Parts) -> None:
    sms = receipt.sms
    received_at = sms.received_at(arrived_at)
    if holder is None:
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
            received_at=received_at,
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
    parts.arrivals.keep_unclaimed(receipt, known.heard, received_at, reason)
    log(Event.SMS_UNCLAIMED, source_id=receipt.source_id, sms_id=receipt.sms_id)
