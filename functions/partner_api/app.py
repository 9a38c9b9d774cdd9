"""The partners' endpoint: what is available, a number, its outcome, by GET and POST (contract 1)."""

from globalconnect.domain.activation import Activation
from globalconnect.domain.errors import ServiceNotAllowed
from globalconnect.domain.partner import Partner
from globalconnect.domain.pool_counts import on_sale
from globalconnect.domain.requests import FinishActivation, GetNumber, GetServices
from globalconnect.hub_protocol.answers import finished_body, number_body, services_body
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.requests import ACTION, KEY, Fields, read_key, read_query, read_request, with_action
from globalconnect.runtime.http import Request, Response, answered, endpoint, read_json_object
from globalconnect.runtime.manner import manner_of
from partner_api.finish import finish
from partner_api.issue import issue
from partner_api.wiring import Parts, parts


def answer(request: Request, parts: Parts) -> Response:
    """Return the answer to a request. The order of the checks is the contract's (section 1)."""
    fields = read_query(request.query) if request.method == "GET" else read_json_object(request.body())
    partner = parts.partners.authenticate(read_key(fields, KEY))
    request.note(partner_id=partner.partner_id)
    dialect = dialect_of(partner, parts.dialects)
    return answered(lambda: _answer(request, fields, partner, dialect, parts), manner_of(dialect))


def _answer(request: Request, fields: Fields, partner: Partner, dialect: Dialect, parts: Parts) -> Response:
    fields = with_action(fields, request.resource.rpartition("/")[2], dialect)
    match read_request(fields, dialect):
        case GetServices():
            request.note(action="GET_SERVICES")
            now = parts.now()
            shown = on_sale(
                parts.pool_counts.all(),
                parts.services.catalogue(),
                partner,
                now,
                parts.holders.left(partner, parts.max_live, dialect.hold),
                parts.names.of(partner),
            )
            body = services_body(shown, dialect.counts[str(fields[ACTION])], dialect.operators)
            parts.partners.note_poll(partner, now)
            return Response(200, body, ask_for_less="ask with a key that may buy fewer services")
        case GetNumber() as asked:
            request.note(action="GET_NUMBER")
            activation = _issued(asked, partner, dialect, parts)
            if activation is None:
                request.note(answer="NO_NUMBERS")
            else:
                request.note(activation_id=activation.activation_id)
            return Response(200, number_body(activation, dialect), logged=True)
        case FinishActivation() as finished:
            request.note(
                action="FINISH_ACTIVATION",
                activation_id=finished.activation_id,
                outcome=finished.outcome.name.lower(),
            )
            finish(finished, partner, parts)
            return Response(200, finished_body(), logged=True)


def _issued(asked: GetNumber, partner: Partner, dialect: Dialect, parts: Parts) -> Activation | None:
    wanted = parts.names.of(partner).wanted(asked)
    if not partner.may_buy(asked.service if wanted is None else wanted.service):
        raise ServiceNotAllowed
    if wanted is None or parts.holders.left(partner, parts.max_live, dialect.hold) == 0:
        return None
    return issue(wanted, partner, dialect.hold, parts)


handler = endpoint(lambda request: answer(request, parts()))
