"""Plivo: https://docs.plivo.com/docs/messaging/concepts/signature-validation, /docs/messaging/xml/request (contract 4)."""

from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.fields import form_fields, id_in, recipient, sender_field, text_field
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import is_base64_hmac, urls_of
from globalconnect.runtime.http import Response

# By the token of who owns the number, and by that of the main account.
_SIGNATURES = ("x-plivo-signature-v2", "x-plivo-signature-ma-v2")
# An account has two tokens while one is replaced.
_MOST_SIGNATURES = 10


class _Plivo:
    acknowledgement = Response(200, "", {"Content-Type": "text/plain"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, _now: int) -> bool:
        request = delivery.request
        nonce = request.header("x-plivo-signature-v2-nonce") or ""
        if not nonce:
            return False
        given = [one for name in _SIGNATURES for one in (request.header(name) or "").split(",")[:_MOST_SIGNATURES]]
        signed = [f"{url}{nonce}".encode(errors="surrogatepass") for url in urls_of(request, {})]
        return any([is_base64_hmac(one, secret, content) for one in given for content in signed])  # noqa: C419 - all are compared

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = form_fields(delivery)
        # A receipt has the state of what we sent, a call its own id.
        if "Text" not in fields and fields.keys() & {"Status", "CallUUID"}:
            return Reading()
        phone, readings = recipient(fields.get("To"), "To", settings)
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(fields, "From"),
            text=text_field(fields, "Text"),
            provider_id=id_in(fields.get("MessageUUID")),
            readings=readings,
        )
        return Reading([sms], untimed="it states no times")


PROVIDER: Provider = _Plivo()
