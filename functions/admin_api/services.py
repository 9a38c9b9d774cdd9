"""The catalogue of services on sale (contract 5)."""

from typing import Self

from admin_api.route import Call, Route
from admin_api.schema import SERVICE_CODE, Body, CancelLimit, Flag, Name, NoFields, NoQuery, View
from admin_api.wiring import Parts
from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.service import Service
from globalconnect.domain.staff import Role


class ServiceBody(Body):
    """A service as it is to be from now on."""

    name: Name
    reusable: Flag = False
    enabled: Flag = True
    cancel_limit: CancelLimit = None


class ServiceView(View):
    """A service of the catalogue."""

    code: str
    name: str
    reusable: bool
    enabled: bool
    cancel_limit: int | None

    @classmethod
    def of(cls, service: Service) -> Self:
        return cls(
            code=service.code,
            name=service.name,
            reusable=service.reusable,
            enabled=service.enabled,
            cancel_limit=service.cancel_limit,
        )


class ServicePage(View):
    """The whole catalogue, by code."""

    services: list[ServiceView]
    cursor: str | None = None


def browse(parts: Parts, _call: Call[NoQuery, NoFields]) -> ServicePage:
    """List the whole catalogue, by code."""
    catalogue = parts.services.catalogue()
    return ServicePage(services=[ServiceView.of(catalogue[code]) for code in sorted(catalogue)])


def put(parts: Parts, call: Call[NoQuery, ServiceBody]) -> ServiceView:
    """Enter a service in the catalogue, or replace it."""
    code = call.path["code"]
    if not SERVICE_CODE.fullmatch(code):
        raise InvalidInput("code", "expected 1 to 40 letters, digits and _ . -")
    given = call.body
    service = Service(code, given.name, reusable=given.reusable, enabled=given.enabled, cancel_limit=given.cancel_limit)
    parts.services.put(service)
    return ServiceView.of(service)


ROUTES = (
    Route(
        method="GET",
        path="/admin/services",
        role=Role.ADMINISTRATOR,
        use=browse,
        answer=ServicePage,
        summary="List the catalogue, whole and by code; its cursor is always null.",
    ),
    Route(
        method="PUT",
        path="/admin/services/{code}",
        role=Role.ADMINISTRATOR,
        action="service.put",
        use=put,
        body=ServiceBody,
        answer=ServiceView,
        summary="Enter a service in the catalogue, or replace it.",
    ),
)
