"""textbee: https://github.com/vernu/textbee (contract 4)."""

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.fields import (
    json_object,
    line_in,
    sender_field,
    smsc_moment_in,
    text_field,
    text_in,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import is_hex_hmac
from globalconnect.runtime.http import Response


class _Textbee:
    acknowledgement = Response(200, {"status": "SUCCESS"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, _now: int) -> bool:
        return is_hex_hmac(delivery.request.header("x-signature") or "", secret, delivery.body)

    def read(self, delivery: Delivery, _settings: SourceSettings, _now: int) -> Reading:
        fields = json_object(delivery)
        event = text_in(fields.get("webhookEvent"))
        if event is None:
            raise InvalidInput("webhookEvent", "expected the name of an event")
        if event != "MESSAGE_RECEIVED":
            return Reading()
        device = line_in(fields.get("deviceId"), "deviceId")
        if device is None:
            raise InvalidInput("deviceId", "expected an id")
        moment = smsc_moment_in(fields.get("receivedAt"))
        sms = InboundSms(
            # It names no number, only the device.
            phone="",
            phone_from=sender_field(fields, "sender"),
            text=text_field(fields, "message"),
            # Its ids are new for a duplicate, the time is not.
            provider_id=str(moment[0]) if moment else None,
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            line=device,
        )
        return Reading([sms], untimed=None if moment else "receivedAt: expected an ISO 8601 time with its offset")


PROVIDER: Provider = _Textbee()
