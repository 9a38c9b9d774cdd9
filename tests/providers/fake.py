"""A provider unlike ours: by GET, its proof over the public URL and its query, a setting, an answer in XML."""

from urllib.parse import urlencode

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.inbound.providers.signatures import is_hex_hmac
from globalconnect.runtime.http import Response


class Fake:
    """The provider."""

    acknowledgement = Response(202, "<Response/>", {"Content-Type": "text/xml"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, _now: int) -> bool:
        """Compare what is signed: the URL with its fields sorted by name."""
        request = delivery.request
        signed = f"{request.url}?{urlencode(sorted(request.query.items()), doseq=True)}"
        return is_hex_hmac(request.header("x-proof") or "", secret, signed.encode())

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        """Read the fields of the query; a receipt is nothing to us."""
        fields = {name: values[-1] for name, values in delivery.request.query.items()}
        if fields.get("type") == "receipt":
            return Reading()
        if "text" not in fields:
            raise InvalidInput("text", "expected a text")
        phone = f"{settings['country_code']}{fields['to']}"
        return Reading([InboundSms(phone, fields["from"], fields["text"], fields["id"])])
