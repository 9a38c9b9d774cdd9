"""Polling for the SMS of an activation (contract 2)."""

from getsms.wiring import Parts, parts
from globalconnect.domain.activation import State
from globalconnect.domain.errors import NotFound
from globalconnect.domain.requests import read_activation_id, read_key, read_query
from globalconnect.domain.sms import Sms
from globalconnect.domain.times import to_iso
from globalconnect.runtime.http import Request, Response, endpoint


def answer(request: Request, parts: Parts) -> Response:
    """Return the messages of one of the partner's activations, or say whether to wait for them."""
    fields = read_query(request.query)
    partner = parts.partners.authenticate(read_key(fields, "apiKey"))
    sale = parts.activations.sale(read_activation_id(fields, "id"), partner.partner_id)
    if sale is None:
        raise NotFound("id")
    if sale.sms:
        messages = [_shown(sms) for sms in sale.sms]
        return Response(200, {"status": "SUCCESS", "messages": messages}, shortened="messages")
    live = sale.activation.state(parts.now()) is State.LIVE
    return Response(200, {"status": "WAIT_CODE" if live else "EXPIRED"})


def _shown(sms: Sms) -> dict[str, str]:
    return {
        "smsId": str(sms.sms_id),
        "phone": sms.phone,
        "phoneFrom": sms.phone_from,
        "text": sms.text,
        "receivedAt": to_iso(sms.received_at),
    }


handler = endpoint(lambda request: answer(request, parts()))
