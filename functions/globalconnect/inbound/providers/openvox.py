"""OpenVox GSM gateways: https://help.openvox.cn, OpenVox GSM Gateway HTTP Interface, SMS to HTTP (contract 4).

A GET whose fields are named in the device's page: phonenumber, port, portname, message, time, imsi. No signature.
"""

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.fields import (
    form_fields,
    line_in,
    local_time_in,
    says_nothing,
    sender_field,
    text_field,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import KeyInUrl
from globalconnect.runtime.http import Response


class _OpenVox(KeyInUrl):
    acknowledgement = Response(200, "", {"Content-Type": "text/plain"})

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = form_fields(delivery)
        if says_nothing(fields):
            return Reading()
        port = (fields.get("port") or fields.get("portname", "")).strip()
        if not port:
            raise InvalidInput("port", "expected a port")
        stated, moment = local_time_in(fields.get("time"), settings)
        sms = InboundSms(
            # It names no number, only the port.
            phone="",
            # As newer firmware's own example calls it.
            phone_from=sender_field(fields, "phonenumber" if fields.get("phonenumber") else "num"),
            text=text_field(fields, "message"),
            # As it is written: also where its zone is not known, a repeat has the same.
            provider_id=stated,
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            line=line_in(port, "port"),
        )
        return Reading([sms], untimed=None if moment else "time: expected a time, and its offset in `utcOffset`")


PROVIDER: Provider = _OpenVox()
