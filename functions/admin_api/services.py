"""The catalogue of services on sale (contract 5)."""

from typing import Self

from admin_api.route import Call, route
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


@route(
    "GET",
    "/admin/services",
    Role.VIEW,
    "List the catalogue, whole and by code; its cursor is always null.",
)
def browse(parts: Parts, _call: Call[NoQuery, NoFields]) -> ServicePage:
    catalogue = parts.services.catalogue()
    return ServicePage(services=[ServiceView.of(catalogue[code]) for code in sorted(catalogue)])


@route(
    "PUT",
    "/admin/services/{code}",
    Role.STOCK,
    "Enter a service in the catalogue, or replace it.",
    action="service.put",
)
def put(parts: Parts, call: Call[NoQuery, ServiceBody]) -> ServiceView:
    code = call.path["code"]
    if not SERVICE_CODE.fullmatch(code):
        raise InvalidInput("code", "expected 1 to 40 letters, digits and _ . -")
    given = call.body
    service = Service(code, given.name, reusable=given.reusable, enabled=given.enabled, cancel_limit=given.cancel_limit)
    parts.services.put(service)
    return ServiceView.of(service)
