"""The partners' endpoint: GET_SERVICES, GET_NUMBER and FINISH_ACTIVATION by GET and POST (contract 1)."""

from globalconnect.domain.errors import ServiceNotAllowed
from globalconnect.domain.partner import Partner
from globalconnect.domain.pool_counts import country_list
from globalconnect.domain.requests import (
    Fields,
    FinishActivation,
    GetNumber,
    GetServices,
    read_json_object,
    read_key,
    read_query,
    read_request,
)
from globalconnect.runtime.http import Request, Response, endpoint
from partner_api.finish import finish
from partner_api.issue import issue
from partner_api.wiring import Parts, parts


def answer(request: Request, parts: Parts) -> Response:
    """Return the answer to a request. The order of the checks is the contract's (section 1)."""
    fields = _fields(request)
    partner = parts.partners.authenticate(read_key(fields, "key"))
    match read_request(fields):
        case GetServices():
            return _get_services(partner, parts)
        case GetNumber() as wanted:
            return _get_number(wanted, partner, parts)
        case FinishActivation() as finished:
            finish(finished, partner, parts)
            return Response(200, {"status": "SUCCESS"})


def _fields(request: Request) -> Fields:
    if request.method == "GET":
        return read_query(request.query)
    return read_json_object(request.body())


def _get_services(partner: Partner, parts: Parts) -> Response:
    left = _left(partner, parts)
    countries = country_list(parts.pool_counts.all(), parts.services.catalogue(), partner, left)
    body = f'{{"status":"SUCCESS","countryList":{countries}}}'
    return Response(200, body, ask_for_less="ask with a key that may buy fewer services")


def _get_number(request: GetNumber, partner: Partner, parts: Parts) -> Response:
    if not partner.may_buy(request.service):
        raise ServiceNotAllowed
    activation = None if _left(partner, parts) == 0 else issue(request, partner, parts)
    if activation is None:
        return Response(200, {"status": "NO_NUMBERS"})
    return Response(
        200,
        {
            "number": activation.phone,
            "activationId": activation.activation_id,
            "status": "SUCCESS",
            "call": 0,
            "voice": 0,
        },
    )


def _left(partner: Partner, parts: Parts) -> int | None:
    """Return how many numbers more a partner may hold, None for any number; only one with a limit is looked up."""
    if partner.paused is not None:
        return 0
    limit = partner.max_live or parts.settings.max_live
    return max(0, limit - parts.holders.held_by(partner.partner_id)) if limit else None


handler = endpoint(lambda request: answer(request, parts()))
