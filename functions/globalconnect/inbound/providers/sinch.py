"""Sinch, its SMS REST API: https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks (contract 4)."""

import base64

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.fields import (
    id_in,
    json_object,
    moment_in,
    recipient,
    sender_field,
    text_field,
    text_in,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import is_base64_hmac, is_same
from globalconnect.runtime.http import Request, Response


class _Sinch:
    acknowledgement = Response(200, {"status": "SUCCESS"})

    def is_authentic(self, delivery: Delivery, secret: str, settings: SourceSettings, _now: int) -> bool:
        request = delivery.request
        if settings.get("auth") == "basic":
            return _is_basic(request, secret)
        # Not refused by age: whether a retry is stamped anew is not documented, and it never tries again after a 401.
        signature, nonce, stamp = (
            request.header(f"x-sinch-webhook-signature{suffix}") or "" for suffix in ("", "-nonce", "-timestamp")
        )
        signed = delivery.body + f".{nonce}.{stamp}".encode(errors="surrogatepass")
        return is_base64_hmac(signature, secret, signed)

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = json_object(delivery)
        kind = text_in(fields.get("type"))
        if kind is None:
            raise InvalidInput("type", "expected the type of a callback")
        if kind != "mo_text":
            return Reading()
        phone, readings = recipient(fields.get("to"), "to", settings)
        moment = moment_in(fields.get("received_at"))
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(fields, "from"),
            text=text_field(fields, "body"),
            provider_id=id_in(fields.get("id")),
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            readings=readings,
        )
        return Reading([sms], untimed=None if moment else "received_at: expected an ISO 8601 time with its offset")


def _is_basic(request: Request, secret: str) -> bool:
    scheme, _, credentials = (request.header("authorization") or "").partition(" ")
    return is_same(credentials.strip(), base64.b64encode(secret.encode()).decode()) and scheme.lower() == "basic"


PROVIDER: Provider = _Sinch()
