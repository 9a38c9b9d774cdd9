"""Telnyx: https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks (contract 4).

It waits for 2 s, a cold start included: nothing is imported that this does not need.
"""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.numerals import whole_number
from globalconnect.domain.source import SourceSettings
from globalconnect.domain.times import SECOND
from globalconnect.inbound.providers.fields import id_in, json_object, moment_in, recipient, sender_field, text_field
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import check_clock
from globalconnect.runtime.http import Response


class _Telnyx:
    acknowledgement = Response(200, "", {"Content-Type": "text/plain"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, now: int) -> bool:
        request = delivery.request
        stamp = request.header("telnyx-timestamp") or ""
        seconds = whole_number(stamp)
        if seconds is None:
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(secret, validate=True))
            signature = base64.b64decode(request.header("telnyx-signature-ed25519") or "", validate=True)
            key.verify(signature, f"{stamp}|".encode() + delivery.body)
        except (ValueError, InvalidSignature):
            return False
        # Each of its attempts has a time of its own.
        check_clock(seconds * SECOND, now)
        return True

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        event = json_object(delivery).get("data")
        if not isinstance(event, dict):
            raise InvalidInput("data", "expected an object")
        if event.get("event_type") != "message.received":
            return Reading()
        payload = event.get("payload")
        if not isinstance(payload, dict):
            raise InvalidInput("payload", "expected an object")
        to, sender = payload.get("to"), payload.get("from")
        called = to[0] if isinstance(to, list) and to else to
        phone, readings = recipient(called.get("phone_number") if isinstance(called, dict) else called, "to", settings)
        moment = moment_in(payload.get("received_at")) or moment_in(event.get("occurred_at"))
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(sender if isinstance(sender, dict) else {}, "phone_number"),
            text=text_field(payload, "text"),
            provider_id=id_in(payload.get("id")),
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            readings=readings,
        )
        return Reading([sms], untimed=None if moment else "received_at: expected an ISO 8601 time with its offset")


PROVIDER: Provider = _Telnyx()
