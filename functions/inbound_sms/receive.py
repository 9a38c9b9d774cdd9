"""Store an SMS with the activation that holds its number, or keep it as unclaimed; once (contract 1.6 and 4)."""

from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import sms_id_of
from globalconnect.domain.sms import REPEAT_WINDOW, InboundSms, Sms, identities, lease_for
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.inbox import Delivery
from globalconnect.telemetry import Event, log
from inbound_sms.wiring import InboundSmsParts

_TRIES = 10


def receive(sms: InboundSms, source_id: str, parts: InboundSmsParts) -> None:
    """Make an SMS durable. The same delivery again changes nothing.

    Raises Busy when its number keeps changing hands: then nothing is stored, and the gateway should try again.
    """
    now = parts.now()
    identity, earlier_identity = identities(sms, now)
    if earlier_identity is not None and _was_repeated(Delivery(source_id, earlier_identity, now), parts):
        return
    salt = 0
    for _ in range(_TRIES):
        delivery = Delivery(source_id, identity, parts.now())
        sms_id = sms_id_of(source_id, identity, salt)
        try:
            _store(sms_id, sms, delivery, parts)
        except ConditionFailed:
            seen = parts.inbox.seen(sms_id)
            if seen is None:
                # The lease ended between the read and the write: look again whose it is now.
                continue
            if seen.is_same(delivery):
                log(Event.SMS_REPEATED, source_id=source_id, sms_id=sms_id)
                return
            # A different SMS that happens to give the same id.
            salt += 1
            continue
        return
    raise Busy


def _was_repeated(earlier: Delivery, parts: InboundSmsParts) -> bool:
    """Tell whether the same words came less than REPEAT_WINDOW ago, in the window before this one."""
    sms_id = sms_id_of(earlier.source_id, earlier.identity, 0)
    seen = parts.inbox.seen(sms_id)
    if seen is None or not seen.is_same(earlier) or earlier.stored_at >= seen.stored_at + REPEAT_WINDOW:
        return False
    log(Event.SMS_REPEATED, source_id=earlier.source_id, sms_id=sms_id)
    return True


def _store(sms_id: int, sms: InboundSms, delivery: Delivery, parts: InboundSmsParts) -> None:
    now = delivery.stored_at
    lease = lease_for(sms, parts.numbers.get(sms.phone), now)
    if lease is None:
        parts.inbox.keep_unclaimed(sms_id, delivery, sms)
        log(Event.SMS_UNCLAIMED, source_id=delivery.source_id, sms_id=sms_id)
        return
    stored = Sms(
        sms_id=sms_id,
        activation_id=lease.activation_id,
        partner_id=lease.partner_id,
        phone=sms.phone,
        phone_from=sms.phone_from,
        text=sms.text,
        received_at=now if sms.received_at is None else sms.received_at,
        stored_at=now,
    )
    parts.sales.store_sms(stored, lease, parts.inbox.routed(sms_id, delivery))
    log(Event.SMS_STORED, source_id=delivery.source_id, sms_id=sms_id, activation_id=lease.activation_id)
