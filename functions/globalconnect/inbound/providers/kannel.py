"""Kannel: https://www.kannel.org/download/1.4.5/userguide-1.4.5/userguide.html, sms-service (contract 4).

A GET whose template its owner writes: from, to, text, coding, charset, time, id, smsc, udh. No signature.
"""

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.charsets import UCS2, decoded
from globalconnect.inbound.providers.fields import (
    cut_text,
    form_fields,
    form_of,
    id_in,
    octets_of,
    part_of,
    recipient_or_line,
    says_nothing,
    seconds_in,
    sender_field,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading, UnreadablePiece
from globalconnect.inbound.providers.signatures import KeyInUrl
from globalconnect.inbound.udh import concatenation_in
from globalconnect.runtime.http import Response

_WIDE = frozenset({"UTF-16BE", "UCS-2", "UTF16-BE"})
_UTF8 = frozenset({"", "UTF-8"})
_BINARY = frozenset({"8-BIT", "BINARY"})


class _Kannel(KeyInUrl):
    # Whatever is in a body may go to the sender as an SMS.
    acknowledgement = Response(200, "", {"Content-Type": "text/plain"})

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = form_fields(delivery)
        if says_nothing(fields):
            return Reading()
        coding, charset = fields.get("coding"), fields.get("charset", "").upper()
        if coding == "1" or charset in _BINARY:
            return Reading(unreadable=[UnreadablePiece(form_of(delivery), "coding: it is no text")])
        if "text" not in fields:
            raise InvalidInput("text", "expected a text")
        phone, readings, line = recipient_or_line(fields, "to", "smsc", settings)
        is_wide = coding == "2" or charset in _WIDE
        if not is_wide and charset not in _UTF8 and "\N{REPLACEMENT CHARACTER}" in fields["text"]:
            raise InvalidInput("charset", "expected UTF-8: mo-recode is off, or recodes to another")
        octets = _octets(fields, "text") if is_wide else octets_of(fields["text"])
        place = concatenation_in(_octets(fields, "udh"))
        moment = seconds_in(fields.get("time"))
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(fields, "from"),
            text="" if place else cut_text(decoded(octets, UCS2)),
            provider_id=id_in(fields.get("id")),
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            line=line,
            readings=readings,
        )
        untimed = None if moment else "time: expected seconds since 1970"
        if place is None:
            return Reading([sms], untimed=untimed)
        return Reading(parts=[part_of(sms, place, octets, UCS2, "udh")], untimed=untimed)


def _octets(fields: dict[str, str], name: str) -> bytes:
    """Return octets that came in a query. What was no UTF-8 is lost there. Raises InvalidInput."""
    spelled = fields.get(name, "")
    if "\N{REPLACEMENT CHARACTER}" in spelled:
        raise InvalidInput(name, "expected octets, of which some are lost in the URL")
    return spelled.encode()


PROVIDER: Provider = _Kannel()
