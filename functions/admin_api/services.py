"""The catalogue of services on sale (contract 5)."""

from admin_api.models import SERVICE_CODE, NoFields, NoQuery, ServiceBody, ServicePage, ServiceView
from admin_api.routes import Call, Route
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.service import Service


def browse(parts: Parts, _call: Call[NoQuery, NoFields]) -> ServicePage:
    """List the whole catalogue, by code."""
    catalogue = parts.services.catalogue()
    return ServicePage(services=[_shown(catalogue[code]) for code in sorted(catalogue)])


def put(parts: Parts, call: Call[NoQuery, ServiceBody]) -> ServiceView:
    """Enter a service in the catalogue, or replace it."""
    code = call.path["code"]
    if not SERVICE_CODE.fullmatch(code):
        raise InvalidInput("code", "expected 1 to 40 letters, digits and _ . -")
    given = call.body
    service = Service(code, given.name, reusable=given.reusable, enabled=given.enabled, cancel_limit=given.cancel_limit)
    parts.services.put(service)
    return _shown(service)


def _shown(service: Service) -> ServiceView:
    return ServiceView(
        code=service.code,
        name=service.name,
        reusable=service.reusable,
        enabled=service.enabled,
        cancel_limit=service.cancel_limit,
    )


ROUTES = (
    Route(
        method="GET",
        path="/admin/services",
        use=browse,
        answer=ServicePage,
        summary="List the catalogue, whole and by code; its cursor is always null.",
    ),
    Route(
        method="PUT",
        path="/admin/services/{code}",
        action="service.put",
        use=put,
        body=ServiceBody,
        answer=ServiceView,
        summary="Enter a service in the catalogue, or replace it.",
    ),
)
