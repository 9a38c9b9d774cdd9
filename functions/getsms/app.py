"""Polling for the SMS of an activation (contract 2)."""

from getsms.wiring import Parts, parts
from globalconnect.domain.errors import existing
from globalconnect.domain.ids import read_activation_id
from globalconnect.domain.partner import Partner
from globalconnect.hub_protocol.answers import MESSAGES, messages_body
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.requests import POLLED_ID, POLLING_KEY, Fields, read_key, read_query
from globalconnect.runtime.http import Request, Response, answered, endpoint
from globalconnect.runtime.manner import manner_of


def answer(request: Request, parts: Parts) -> Response:
    """Return the messages of one of the partner's activations, or say whether to wait for them."""
    fields = read_query(request.query)
    partner = parts.partners.authenticate(read_key(fields, POLLING_KEY))
    request.note(partner_id=partner.partner_id)
    dialect = dialect_of(partner, parts.dialects)
    return answered(lambda: _answer(fields, partner, dialect, parts), manner_of(dialect))


def _answer(fields: Fields, partner: Partner, dialect: Dialect, parts: Parts) -> Response:
    sale = existing(parts.activations.sale(read_activation_id(fields, POLLED_ID), partner.partner_id), POLLED_ID)
    return Response(200, messages_body(sale.sms, sale.activation.state(parts.now()), dialect), shortened=MESSAGES)


handler = endpoint(lambda request: answer(request, parts()))
