"""Jasmin, and by it SMPP: https://docs.jasminsms.com, HTTP client connector (contract 4).

A form by POST or GET: id, from, to, origin-connector, coding, binary (the octets as hex). No signature and no times.
"""

from collections.abc import Mapping

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.charsets import ASCII, GSM7, ISO8859_5, ISO8859_8, LATIN1, UCS2, decoded
from globalconnect.inbound.providers.fields import (
    cut_text,
    form_fields,
    form_of,
    id_in,
    part_of,
    recipient_or_line,
    says_nothing,
    sender_field,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading, UnreadablePiece
from globalconnect.inbound.providers.signatures import KeyInUrl
from globalconnect.inbound.udh import concatenation_in
from globalconnect.runtime.http import Response

_CODINGS = {1: ASCII, 3: LATIN1, 6: ISO8859_5, 7: ISO8859_8, 8: UCS2}
# What Jasmin doesn't join: a reference of two octets, an SMS for the SIM (class 2). It hands the header on, unmarked.
_HEADERS_OF_PARTS = (b"\x05\x00\x03", b"\x06\x08\x04")
_LARGEST_OCTET = 0xFF


class _Jasmin(KeyInUrl):
    acknowledgement = Response(200, "ACK/Jasmin", {"Content-Type": "text/plain"})

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        # `coding` is an octet that need not be UTF-8.
        fields = form_fields(delivery, LATIN1)
        if "message_status" in fields or says_nothing(fields):
            return Reading()
        octets, charset = _octets(fields), _charset(fields, settings)
        if charset is None:
            return Reading(unreadable=[UnreadablePiece(form_of(delivery), "coding: not one of a text that we know")])
        phone, readings, line = recipient_or_line(fields, "to", "origin-connector", settings)
        place = concatenation_in(octets) if octets.startswith(_HEADERS_OF_PARTS) else None
        place = place if place and place.is_possible else None
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(fields, "from"),
            text="" if place else cut_text(decoded(octets, charset)),
            provider_id=id_in(fields.get("id")),
            line=line,
            readings=readings,
        )
        untimed = "it states no times"
        if place is None:
            return Reading([sms], untimed=untimed)
        return Reading(parts=[part_of(sms, place, octets[1 + octets[0] :], charset, "binary")], untimed=untimed)


def _octets(fields: Mapping[str, str]) -> bytes:
    try:
        return bytes.fromhex(fields["binary"])
    except (KeyError, ValueError):
        raise InvalidInput("binary", "expected octets as hexadecimal digits") from None


def _charset(fields: Mapping[str, str], settings: SourceSettings) -> str | None:
    """Return what octets are in by the data coding of SMPP (3.4, 5.2.19), None where that is no text, or none we know."""
    coding = _coding(fields.get("coding", ""))
    default = {"latin1": LATIN1, "ascii": ASCII}.get(str(settings.get("default_alphabet")), GSM7)
    match coding >> 4:
        case 0x0:
            return default if coding == 0 else _CODINGS.get(coding)
        case 0x1:
            return {0: default, 2: UCS2}.get(coding >> 2 & 3)
        case 0xF:
            return None if coding & 4 else default
        case _:
            return None


def _coding(spelled: str) -> int:
    """Return a data coding, which is one octet as it is, in earlier versions its digits."""
    if spelled.isascii() and spelled.isdigit() and int(spelled[:4]) <= _LARGEST_OCTET:
        return int(spelled[:4])
    if len(spelled) > 1 or ord(spelled or "\0") > _LARGEST_OCTET:
        raise InvalidInput("coding", "expected one octet")
    return ord(spelled or "\0")


PROVIDER: Provider = _Jasmin()
