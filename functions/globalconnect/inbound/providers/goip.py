"""The SMS server of GoIP (DBL, Hybertone), as others' programs take what it forwards (contract 4).

`{"goip_line","from_number","content","recv_time"}` by POST. No signature.
"""

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.fields import (
    json_object,
    line_in,
    local_time_in,
    sender_field,
    text_field,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import KeyInUrl
from globalconnect.runtime.http import Response


class _GoIp(KeyInUrl):
    acknowledgement = Response(200, {"status": "SUCCESS"})

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = json_object(delivery)
        if "taskID" in fields:
            # How sending went.
            return Reading()
        line = line_in(fields.get("goip_line"), "goip_line")
        if line is None:
            raise InvalidInput("goip_line", "expected a line")
        stated, moment = local_time_in(fields.get("recv_time"), settings)
        sms = InboundSms(
            # It names no number, only the line.
            phone="",
            phone_from=sender_field(fields, "from_number"),
            text=text_field(fields, "content"),
            # As it is written: also where its zone is not known, a repeat has the same.
            provider_id=stated,
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            line=line,
        )
        return Reading([sms], untimed=None if moment else "recv_time: expected a time, and its offset in `utcOffset`")


PROVIDER: Provider = _GoIp()
