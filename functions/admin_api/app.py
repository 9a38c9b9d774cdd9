"""The JSON API of staff (contract 5)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from admin_api import (
    activations,
    audit,
    devices,
    dialects,
    import_jobs,
    inbox,
    lines,
    marks,
    names,
    numbers,
    partners,
    pools,
    services,
    sources,
    staff,
    starting_names,
    statistics,
)
from admin_api.route import Route
from admin_api.signed_in import check_role, check_totp, signed_in
from admin_api.wiring import Parts, parts
from globalconnect.domain.errors import existing
from globalconnect.domain.staff import Role
from globalconnect.runtime import http

_RESOURCES = (
    partners,
    services,
    numbers,
    marks,
    import_jobs,
    pools,
    activations,
    sources,
    lines,
    devices,
    dialects,
    names,
    starting_names,
    inbox,
    audit,
    statistics,
    staff,
)
ROUTES: list[Route[Any, Any, Any]] = [
    found for resource in _RESOURCES for found in vars(resource).values() if isinstance(found, Route)
]

_BASE = "/admin/"
_BY_PARTS = [(route.method, route.path.removeprefix(_BASE).split("/"), route) for route in ROUTES]


def answer(request: http.Request, parts: Parts) -> http.Response:
    """Return the answer to a request to a path below /admin. Raises GlobalConnectError."""
    found = find(request.method, request.path_parameters["proxy"])
    member = signed_in(request, parts, found[0].role if found else Role.VIEW)
    request.note(staff=str(request.claims["sub"]))
    route, path = existing(found, "path")
    request.note(route=route.path)
    check_role(member, route.role)
    # What is needed to set it up is asked before there is one.
    if route is not staff.me:
        check_totp(member, parts)
    return route.run(parts, request, path, member)


def find(method: str, path: str) -> tuple[Route[Any, Any, Any], Mapping[str, str]] | None:
    """Return the route of a method and a path below /admin, and what the path says for its names; None for no route."""
    # Split first: an encoded slash belongs to a part.
    given = [unquote(part) for part in path.removesuffix("/").split("/")]
    for its_method, named, route in _BY_PARTS:
        if its_method == method and len(named) == len(given):
            pairs = list(zip(named, given, strict=True))
            if all(part == said or part.startswith("{") for part, said in pairs):
                return route, {part[1:-1]: said for part, said in pairs if part.startswith("{")}
    return None


handler = http.endpoint(lambda request: answer(request, parts()))
