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
from globalconnect.web import ProxyEvent, Response, endpoint, read_body
from partner_api.finish import finish
from partner_api.issue import issue
from partner_api.wiring import PartnerApi, partner_api


def answer(event: ProxyEvent, api: PartnerApi) -> Response:
    """Return the answer to a request. The order of the checks is the contract's (section 1)."""
    fields = _fields(event)
    partner = api.partners.authenticate(read_key(fields, "key"))
    match read_request(fields):
        case GetServices():
            return _get_services(partner, api)
        case GetNumber() as request:
            return _get_number(request, partner, api)
        case FinishActivation() as request:
            finish(request, partner, api)
            return Response(200, {"status": "SUCCESS"})


def _fields(event: ProxyEvent) -> Fields:
    if event["httpMethod"] == "GET":
        return read_query(event.get("multiValueQueryStringParameters") or {})
    return read_json_object(read_body(event))


def _get_services(partner: Partner, api: PartnerApi) -> Response:
    left = _left(partner, api)
    countries = country_list(api.availability.all(), api.services.catalogue(), partner, left)
    body = f'{{"status":"SUCCESS","countryList":{countries}}}'
    return Response(200, body, ask_for_less="ask with a key that may buy fewer services")


def _get_number(request: GetNumber, partner: Partner, api: PartnerApi) -> Response:
    if not partner.may_buy(request.service):
        raise ServiceNotAllowed
    activation = None if _left(partner, api) == 0 else issue(request, partner, api)
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


def _left(partner: Partner, api: PartnerApi) -> int | None:
    """Return how many numbers more a partner may hold, None for any number; only one with a limit is looked up."""
    if partner.paused is not None:
        return 0
    limit = partner.max_live or api.settings.max_live
    return max(0, limit - api.holders.held_by(partner.partner_id)) if limit else None


handler = endpoint(lambda event: answer(event, partner_api()))
