"""Twilio: https://www.twilio.com/docs/usage/webhooks/webhooks-security, /docs/messaging/guides/webhook-request (contract 4)."""

import hashlib

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.fields import (
    form_fields,
    form_pairs,
    id_in,
    recipient,
    sender_field,
    text_field,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import is_base64_hmac, is_same, urls_of
from globalconnect.runtime.http import Response

# Of a body that is no form its digest is in the URL that is signed.
_BODY_DIGEST = "bodySHA256"
_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


class _Twilio:
    # Whatever else it hears it sends on to who wrote, as an SMS.
    acknowledgement = Response(200, "<Response/>", {"Content-Type": "text/xml"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, _now: int) -> bool:
        request = delivery.request
        algorithm = _algorithm(request.header("x-twilio-webhooks-signature-settings") or "")
        fields = _signed_fields(delivery)
        if algorithm is None or fields is None:
            return False
        signature = request.header("x-twilio-signature") or ""
        signed = [f"{url}{fields}".encode(errors="surrogatepass") for url in urls_of(request)]
        return any([is_base64_hmac(signature, secret, one, algorithm) for one in signed])  # noqa: C419 - all are compared

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = form_fields(delivery)
        # A receipt has the state of what we sent; calls and the like have no message at all.
        if "MessageSid" not in fields or "MessageStatus" in fields:
            return Reading()
        phone, readings = recipient(fields.get("To"), "To", settings)
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(fields, "From"),
            text=text_field(fields, "Body"),
            provider_id=id_in(fields["MessageSid"]),
            readings=readings,
        )
        return Reading([sms], untimed="it states no times")


def _algorithm(stated: str) -> str | None:
    """Return the hash that the header of an account with keys of its own names; SHA-1 where there is none."""
    named = [
        value for name, _, value in (part.strip().partition("=") for part in stated.split(",")) if name == "algorithm"
    ]
    return _ALGORITHMS.get(named[0].upper()) if named else "sha1"


def _signed_fields(delivery: Delivery) -> str | None:
    """Return what is signed after the URL, None when the body is not what the URL says."""
    digests = delivery.request.query.get(_BODY_DIGEST)
    if digests:
        is_whole = is_same(digests[-1].lower(), hashlib.sha256(delivery.body).hexdigest())
        return "" if is_whole else None
    if delivery.request.method != "POST":
        return ""
    try:
        pairs = form_pairs(delivery)
    except InvalidInput:
        return None
    # By name, then value; the same again counts once.
    return "".join(f"{name}{value}" for name, value in sorted(set(pairs)))


PROVIDER: Provider = _Twilio()
