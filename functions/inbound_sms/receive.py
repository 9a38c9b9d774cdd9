"""Store an SMS with the activation that holds its number, or keep it as unclaimed; once (contract 1.6 and 4)."""

from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import sms_id_of
from globalconnect.domain.sms import REPEAT_WINDOW, InboundSms, Lease, Sms, lease_for
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.inbox import Delivery
from globalconnect.telemetry import Event, log
from inbound_sms.wiring import InboundSmsParts

_TRIES = 10


def receive(sms: InboundSms, source_id: str, parts: InboundSmsParts) -> None:
    """Make an SMS durable. The same delivery again changes nothing.

    Raises Busy when its number keeps changing hands: then nothing is stored, and the gateway should try again.
    """
    salt = 0
    for _ in range(_TRIES):
        now = parts.now()
        sms_id = sms_id_of(source_id, sms.delivery, salt)
        number = parts.numbers.get(sms.phone)
        try:
            _store(sms_id, sms, source_id, lease_for(sms, number, now), now=now, parts=parts)
        except ConditionFailed:
            seen = parts.inbox.seen(sms_id)
            if seen is None:
                # The lease ended between the read and the write: look again whose it is now.
                continue
            if _is_repeat(seen, sms, source_id, now):
                log(Event.SMS_REPEATED, source_id=source_id, sms_id=sms_id)
                return
            # A different SMS that only shares the id or the words.
            salt += 1
            continue
        return
    raise Busy


def _store(  # noqa: PLR0913
    sms_id: int, sms: InboundSms, source_id: str, lease: Lease | None, *, now: int, parts: InboundSmsParts
) -> None:
    if lease is None:
        parts.inbox.keep_unclaimed(sms_id, source_id, sms, now)
        log(Event.SMS_UNCLAIMED, source_id=source_id, sms_id=sms_id)
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
    parts.sales.store_sms(stored, lease, parts.inbox.routed(sms_id, source_id, sms, now))
    log(Event.SMS_STORED, source_id=source_id, sms_id=sms_id, activation_id=lease.activation_id)


def _is_repeat(seen: Delivery, sms: InboundSms, source_id: str, now: int) -> bool:
    same = seen.source_id == source_id and seen.delivery == sms.delivery
    return same and (sms.lasting or now < seen.stored_at + REPEAT_WINDOW)
