"""SMS Gateway for Android: https://docs.sms-gate.app/features/webhooks (contract 4)."""

from collections.abc import Mapping

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.numerals import whole_number
from globalconnect.domain.source import SourceSettings
from globalconnect.domain.times import MINUTE, SECOND
from globalconnect.inbound.providers.fields import (
    id_in,
    json_object,
    line_in,
    name_in,
    recipient,
    sender_field,
    smsc_moment_in,
    text_field,
    text_in,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import check_clock, is_hex_hmac
from globalconnect.runtime.http import Response

# Of a time in seconds, from 2001 to 2286.
_DIGITS = 10
# How often it pings is its owner's choice, every 5 minutes as we say: three may be missed.
_GOOD_FOR = 15 * MINUTE


class _SmsGate:
    acknowledgement = Response(200, {"status": "SUCCESS"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, now: int) -> bool:
        stamp = delivery.request.header("x-timestamp") or ""
        # Nothing separates it from the body: with fewer digits, some of it might be passed off as that's end.
        sent_at = whole_number(stamp) if len(stamp) == _DIGITS else None
        signature = delivery.request.header("x-signature") or ""
        if sent_at is None or not is_hex_hmac(signature, secret, delivery.body + stamp.encode()):
            return False
        # Each attempt is stamped anew, by the telephone's clock.
        check_clock(sent_at * SECOND, now)
        return True

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = json_object(delivery)
        event, payload = text_in(fields.get("event")), fields.get("payload")
        if event is None:
            raise InvalidInput("event", "expected the name of an event")
        if event in {"system:ping", "app:started"}:
            return _states(fields.get("deviceId"), payload, is_ping=event == "system:ping")
        if event != "sms:received":
            return Reading()
        if not isinstance(payload, dict):
            raise InvalidInput("payload", "expected a JSON object")
        line = _line(fields.get("deviceId"), payload.get("simNumber"))
        phone, readings = _recipient(payload, settings, line)
        moment = smsc_moment_in(payload.get("receivedAt"))
        sms = InboundSms(
            phone=phone,
            # What the sender was called by earlier versions.
            phone_from=sender_field(payload, "sender" if payload.get("sender") else "phoneNumber"),
            text=text_field(payload, "message"),
            # Its id is a hash of 32 bits: the same for a duplicate, but not only.
            provider_id=f"{id_in(payload.get('messageId')) or ''}\n{moment[0]}" if moment else None,
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            line=line,
            readings=readings,
        )
        return Reading([sms], untimed=None if moment else "receivedAt: expected an ISO 8601 time with its offset")


def _states(device: object, payload: object, *, is_ping: bool) -> Reading:
    """Return that a telephone lives: all its lines by a ping, the SIMs that it lists when it starts."""
    name = name_in(device)
    if name is None:
        return Reading()
    lines = [ReportedLine(name, is_online=True)]
    if not is_ping:
        cards = payload.get("simCards") if isinstance(payload, dict) else None
        listed = [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []
        named = [(name_in(f"{name}:{number}"), card) for card in listed if (number := id_in(card.get("simNumber")))]
        lines = [ReportedLine(sim, name_in(card.get("iccid")), is_online=True) for sim, card in named if sim]
    return Reading(reports=[DeviceReport(name, tuple(lines), _GOOD_FOR)] if lines else [])


def _line(device: object, sim: object) -> str | None:
    device_id, sim_number = id_in(device), id_in(sim)
    return line_in(f"{device_id}:{sim_number}" if device_id and sim_number else device_id, "deviceId")


def _recipient(
    payload: Mapping[str, object], settings: SourceSettings, line: str | None
) -> tuple[str, tuple[str, ...]]:
    try:
        return recipient(payload.get("recipient"), "recipient", settings, line)
    except InvalidInput:
        # SIMs say all kinds of things in place of their number. The line tells where it came in.
        if line is None:
            raise
        return "", ()


PROVIDER: Provider = _SmsGate()
