"""A gateway whose SMS come in parts, on lines, and in a form that our adapter may not know yet."""

from dataclasses import dataclass, replace

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms, SmsPart
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.charsets import UCS2
from globalconnect.inbound.providers.fields import (
    json_object,
    line_in,
    moment_in,
    plain,
    recipient,
    sender_field,
    text_in,
)
from globalconnect.inbound.providers.port import Delivery, Reading, UnreadablePiece
from globalconnect.inbound.providers.signatures import is_hex_hmac
from globalconnect.runtime.http import Response


@dataclass
class Pieces:
    """Its provider: `{id, phone, line, from, text, receivedAt, part: [reference, number, total]}`, signed as `generic`.

    Until `is_mended` it can't read what says `new`, which it refuses, or acknowledges where that says `kept`.
    """

    is_mended: bool = True
    acknowledgement = Response(200, {"status": "SUCCESS"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, _now: int) -> bool:
        """Compare as `generic` does."""
        return is_hex_hmac(delivery.request.header("x-signature") or "", secret, delivery.body)

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        """Read one SMS, or a part of one."""
        fields = json_object(delivery)
        if fields.get("new") and not self.is_mended:
            if fields.get("kept"):
                return Reading(unreadable=[UnreadablePiece(delivery.body, "new: expected what we know")])
            raise InvalidInput("new", "expected what we know")
        line = line_in(fields.get("line"), "line")
        phone, readings = recipient(fields.get("phone"), "phone", settings, line)
        at, to = moment_in(fields.get("receivedAt")) or (None, None)
        text, part = str(plain(fields.get("text"))), fields.get("part")
        named = text_in(fields.get("id"))
        sms = InboundSms(phone, sender_field(fields, "from"), text, named, at, to, line=line, readings=readings)
        if not isinstance(part, list):
            return Reading([sms])
        reference, number, total = (str(plain(one)) for one in part)
        octets = text.encode(UCS2, "surrogatepass")
        return Reading(parts=[SmsPart(replace(sms, text=""), reference, int(total), int(number), octets, UCS2)])
