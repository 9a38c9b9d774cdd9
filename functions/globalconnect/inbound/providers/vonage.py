"""Vonage, SMS API: https://developer.vonage.com/en/messaging/sms/guides/inbound-sms (contract 4).

By GET, as a form or as JSON: type, to, msisdn, messageId, text, timestamp, concat-ref, concat-total, concat-part; signed
`sig` (https://developer.vonage.com/en/getting-started/concepts/signing-messages). Its timestamp is that of the first try,
and tries go on for a day, so none is too old; what is sent again is known by its id.
"""

import hashlib
from collections.abc import Mapping

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.numerals import whole_number
from globalconnect.domain.source import SourceSettings
from globalconnect.domain.text import repaired
from globalconnect.inbound.charsets import UCS2
from globalconnect.inbound.providers.fields import (
    form_fields,
    form_of,
    id_in,
    json_object,
    octets_of,
    part_of,
    plain,
    recipient,
    seconds_in,
    sender_field,
    text_field,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading, UnreadablePiece
from globalconnect.inbound.providers.signatures import is_hex_hmac, is_same
from globalconnect.inbound.udh import Concatenation
from globalconnect.runtime.http import Response

_SIGNATURE = "sig"
_PLAIN_HASH = "md5hash"
_SEPARATORS = str.maketrans("&=", "__")
# What Java trims off a text.
_BLANK = "".join(map(chr, range(33)))


class _Vonage:
    acknowledgement = Response(200, "", {"Content-Type": "text/plain"})

    def is_authentic(self, delivery: Delivery, secret: str, settings: SourceSettings, _now: int) -> bool:
        try:
            fields = _fields(delivery)
            readings = _signed(fields)
        except InvalidInput:
            return False
        signature, algorithm = fields.get(_SIGNATURE), str(settings.get("algorithm", _PLAIN_HASH))
        if not isinstance(signature, str):
            return False
        return any([_signs(signature, secret, signed, algorithm) for signed in readings])  # noqa: C419 - all are compared

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = _fields(delivery)
        if fields.get("type") == "binary":
            return Reading(unreadable=[UnreadablePiece(form_of(delivery), "type: it is no text")])
        if not {"text", "type"} & fields.keys():
            return Reading()
        phone, readings = recipient(fields.get("to"), "to", settings)
        moment = seconds_in(fields.get("timestamp"))
        text, place = text_field(fields, "text"), _place(fields)
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(fields, "msisdn"),
            text="" if place else text,
            provider_id=id_in(fields.get("messageId")),
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            readings=readings,
        )
        untimed = None if moment else "timestamp: expected seconds since 1970"
        if place is None:
            return Reading([sms], untimed=untimed)
        content = octets_of(str(plain(fields["text"])))
        return Reading(parts=[part_of(sms, place, content, UCS2, "concat-part")], untimed=untimed)


def _fields(delivery: Delivery) -> Mapping[str, object]:
    is_json = delivery.request.method == "POST" and delivery.body.lstrip().startswith(b"{")
    return json_object(delivery) if is_json else form_fields(delivery)


def _signs(signature: str, secret: str, signed: bytes, algorithm: str) -> bool:
    if algorithm == _PLAIN_HASH:
        # Their scheme, and the default of their accounts.
        return is_same(signature.lower(), hashlib.md5(signed + secret.encode()).hexdigest())  # noqa: S324
    return is_hex_hmac(signature, secret, signed, algorithm)


def _signed(fields: Mapping[str, object]) -> tuple[bytes, bytes]:
    """Return what a signature may be over: all fields, or those that say something, as their libraries differ about it.

    Whoever adds a field that says nothing changes nothing. Raises InvalidInput for what can't be signed unmistakably.
    """
    pairs, filled = "", ""
    for name in sorted(fields.keys() - {_SIGNATURE}):
        value = plain(fields[name])
        if value is None:
            value = ""
        elif isinstance(value, bool):
            value = str(value).lower()
        if not isinstance(value, str) or name != name.translate(_SEPARATORS):
            raise InvalidInput("body", "expected texts by their names")
        pair = f"&{name}={value.translate(_SEPARATORS)}"
        pairs += pair
        filled += pair if value.strip(_BLANK) else ""
    return repaired(pairs).encode(), repaired(filled).encode()


def _place(fields: Mapping[str, object]) -> Concatenation | None:
    """Return which part of a long SMS this is, None for none."""
    reference = id_in(fields.get("concat-ref"))
    if reference is None:
        return None
    total, number = (whole_number(plain(fields.get(name))) or 0 for name in ("concat-total", "concat-part"))
    return Concatenation(reference, total, number)


PROVIDER: Provider = _Vonage()
