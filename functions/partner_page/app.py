"""The page that a partner's developer starts from, and the requests that it alone makes (contract 1.8)."""

from globalconnect.domain.errors import InvalidInput, existing
from globalconnect.domain.ids import new_token, read_activation_id
from globalconnect.hub_protocol.answers import MESSAGES, messages_body
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.explanations import explanation_body
from globalconnect.hub_protocol.requests import KEY, POLLED_ID, POLLING_KEY, Fields, read_get_number, read_key
from globalconnect.runtime.http import Request, Response, answered, endpoint, read_json_object
from globalconnect.runtime.manner import manner_of
from partner_page.explain import explain
from partner_page.wiring import Parts, parts

RESOURCE = "/partner"
LINK = f"{RESOURCE}/link"
FORMS = f"{RESOURCE}/forms"
GETSMS = f"{RESOURCE}/getsms"
_TOKEN = "token"  # noqa: S105 - a field's name
_NAME_LENGTH = 20


def answer(request: Request, parts: Parts) -> Response:
    """Return the page, a file of it, a key for a link, a partner's own forms, its SMS, or why there is no number.

    Raises GlobalConnectError.
    """
    if request.method == "GET":
        named = request.path_parameters.get("file")
        return parts.built.file(named, "page for partners") or _page(request, parts)
    if request.resource == LINK:
        return _key(request, parts)
    fields = read_json_object(request.body())
    if request.resource == FORMS:
        return _forms(request, fields, parts)
    return _messages(request, fields, parts) if request.resource == GETSMS else _explanation(request, fields, parts)


def _page(request: Request, parts: Parts) -> Response:
    api = request.public_url(RESOURCE)
    return parts.built.filled(f"{api}{RESOURCE}/", {"api": api})


def _key(request: Request, parts: Parts) -> Response:
    """Return the key that a link hands out, once. Raises NotFound."""
    request.note(action="link")
    token = read_json_object(request.body()).get(_TOKEN)
    if not isinstance(token, str) or not token:
        raise InvalidInput(_TOKEN, "expected the part of the link after #, as a text")
    partner, key = parts.partners.follow_link(token, parts.now(), new_token(_NAME_LENGTH, parts.rng))
    request.note(partner_id=partner.partner_id)
    # Imported here, and below, because these are asked for once per visit, and every other call would start later for them.
    from partner_page.forms import own_dialect, own_of  # noqa: PLC0415

    own = own_of(partner, own_dialect(partner, parts.dialects), parts.names)
    return Response(200, own | {"key": key}, logged=True)


def _forms(request: Request, fields: Fields, parts: Parts) -> Response:
    """Return what a link gives beside the key. Raises InvalidKey."""
    request.note(action="forms")
    partner = parts.partners.authenticate(read_key(fields, KEY))
    request.note(partner_id=partner.partner_id)
    from partner_page.forms import own_dialect, own_of  # noqa: PLC0415

    dialect = own_dialect(partner, parts.dialects)
    return answered(
        lambda: Response(200, own_of(partner, dialect, parts.names), logged=True),
        None if dialect is None else manner_of(dialect),
    )


def _messages(request: Request, fields: Fields, parts: Parts) -> Response:
    """Return what getsms answers to the same fields in a query (contract 2): here the key is in no address."""
    request.note(action="getsms")
    partner = parts.partners.authenticate(read_key(fields, POLLING_KEY))
    request.note(partner_id=partner.partner_id)
    dialect = dialect_of(partner, parts.dialects)

    def poll() -> Response:
        sale = existing(parts.activations.sale(read_activation_id(fields, POLLED_ID), partner.partner_id), POLLED_ID)
        body = messages_body(sale.sms, sale.activation.state(parts.now()), dialect)
        return Response(200, body, shortened=MESSAGES, logged=True)

    return answered(poll, manner_of(dialect))


def _explanation(request: Request, fields: Fields, parts: Parts) -> Response:
    """Return what GET_NUMBER would answer, and why, in the order of its checks (contract 1)."""
    request.note(action="explain")
    partner = parts.partners.authenticate(read_key(fields, KEY))
    request.note(partner_id=partner.partner_id)
    dialect = dialect_of(partner, parts.dialects)

    def use() -> Response:
        explanation = explain(read_get_number(fields), partner, dialect.hold, parts)
        if explanation is not None:
            request.note(answer=explanation.reason.name)
        return Response(200, explanation_body(explanation, dialect), logged=True)

    return answered(use, manner_of(dialect))


handler = endpoint(lambda request: answer(request, parts()))
