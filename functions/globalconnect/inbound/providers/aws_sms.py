"""AWS End User Messaging SMS, by SNS (contract 4).

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html, /sms-voice/latest/userguide/two-way-sms-payload.html
"""

import base64
import re
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import load_pem_x509_certificate

from globalconnect.domain.errors import InvalidInput, Unavailable
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.numerals import read_json_of_gateway
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.fetch import fetch
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
from globalconnect.inbound.providers.signatures import is_same
from globalconnect.runtime.http import Response

_HOST = r"https://sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?"
_CERTIFICATE_URL = re.compile(rf"{_HOST}/[A-Za-z0-9_-]{{1,200}}\.pem", re.ASCII)
_SUBSCRIBE_URL = re.compile(rf"{_HOST}/[!-~]{{0,4000}}", re.ASCII)

_NOTIFICATION = "Notification"
_SUBSCRIPTION = "SubscriptionConfirmation"
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
# What is signed of each type; a subject only where there is one.
_SIGNED: Mapping[str, tuple[str, ...]] = {
    _NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    _SUBSCRIPTION: _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_HASHES = {"1": SHA1, "2": SHA256}
# Certificates that are remembered: SNS has one in each region, and replaces it now and then.
_MOST_KEYS = 8


class AwsSms:
    """The provider. Takes what fetches a certificate; each is fetched once, then its key is remembered."""

    acknowledgement = Response(200, "", {"Content-Type": "text/plain"})

    def __init__(self, fetch: Callable[[str], bytes]) -> None:
        self._fetch = fetch
        self._keys: dict[str, RSAPublicKey] = {}

    def is_authentic(self, delivery: Delivery, secret: str, settings: SourceSettings, _now: int) -> bool:
        """Return whether SNS has signed a message of exactly the topic that the secret names.

        Nothing is fetched before all else holds. Raises Unavailable when the certificate can't be fetched now.
        """
        if delivery.request.header("x-amz-sns-rawdelivery") is not None:
            return False
        try:
            fields = json_object(delivery)
            content = _signed(fields)
            signature = base64.b64decode(_text(fields, "Signature"), validate=True)
            certificate_url, made = _text(fields, "SigningCertURL"), _HASHES[_text(fields, "SignatureVersion")]
        except (InvalidInput, LookupError, ValueError):
            return False
        if not is_same(_text(fields, "TopicArn"), secret) or not _CERTIFICATE_URL.fullmatch(certificate_url):
            return False
        pinned = settings.get("certificate")
        key = self._key_at(certificate_url) if pinned is None else _key_of(str(pinned).encode())
        if key is None:
            return False
        try:
            key.verify(signature, content, PKCS1v15(), made())
        except (InvalidSignature, UnsupportedAlgorithm):
            return False
        return True

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        """Read the SMS in a notification, or that the topic wants to be confirmed."""
        fields = json_object(delivery)
        if fields.get("Type") == _SUBSCRIPTION:
            return Reading(confirm=text_in(fields.get("SubscribeURL")))
        if fields.get("Type") != _NOTIFICATION:
            return Reading()
        return _read_message(fields, settings)

    def _key_at(self, url: str) -> RSAPublicKey:
        known = self._keys.get(url)
        if known is not None:
            return known
        key = _key_of(self._fetch(url))
        if key is None:
            raise Unavailable("NoCertificate")
        if len(self._keys) >= _MOST_KEYS:
            del self._keys[next(iter(self._keys))]
        self._keys[url] = key
        return key


def _text(fields: Mapping[str, object], name: str) -> str:
    """Return a field as it stands. Raises InvalidInput when it is no text."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidInput(name, "expected a text")
    return value


def _signed(fields: Mapping[str, object]) -> bytes:
    """Return what SNS signs of a message. Raises InvalidInput when that is not all there, LookupError for no type of its
    own.
    """
    names = [name for name in _SIGNED[_text(fields, "Type")] if name != "Subject" or fields.get(name) is not None]
    if "SubscribeURL" in names and not _SUBSCRIBE_URL.fullmatch(_text(fields, "SubscribeURL")):
        raise InvalidInput("SubscribeURL", "expected one of SNS")
    return "".join(f"{name}\n{_text(fields, name)}\n" for name in names).encode(errors="surrogatepass")


def _key_of(certificate: bytes) -> RSAPublicKey | None:
    """Return the key of a certificate, None when it is none, or has no RSA key."""
    try:
        key = load_pem_x509_certificate(certificate).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _read_message(fields: Mapping[str, object], settings: SourceSettings) -> Reading:
    message = read_json_of_gateway((text_in(fields.get("Message")) or "").encode())
    if not isinstance(message, dict):
        raise InvalidInput("Message", "expected a JSON object")
    # What became of an SMS that was sent, where events go to the same topic.
    if "eventType" in message:
        return Reading()
    phone, readings = recipient(message.get("destinationNumber"), "destinationNumber", settings)
    moment = moment_in(fields.get("Timestamp"))
    sms = InboundSms(
        phone=phone,
        phone_from=sender_field(message, "originationNumber"),
        text=text_field(message, "messageBody"),
        provider_id=id_in(message.get("inboundMessageId")) or id_in(fields.get("MessageId")),
        stated_at=moment[0] if moment else None,
        stated_to=moment[1] if moment else None,
        readings=readings,
    )
    return Reading([sms], untimed=None if moment else "Timestamp: expected an ISO 8601 time with its offset")


PROVIDER: Provider = AwsSms(fetch)
