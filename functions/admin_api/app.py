"""The operators' JSON API (contract 5)."""

from typing import Any

from admin_api import activations, audit, imports, inbox, numbers, partners, pools, services, sources, statistics
from admin_api.routes import Route
from admin_api.wiring import Admin, admin_api
from globalconnect import web
from globalconnect.domain.errors import NotFound

ROUTES: tuple[Route[Any, Any, Any], ...] = (
    *partners.ROUTES,
    *services.ROUTES,
    *numbers.ROUTES,
    *imports.ROUTES,
    *pools.ROUTES,
    *activations.ROUTES,
    *sources.ROUTES,
    *inbox.ROUTES,
    *audit.ROUTES,
    *statistics.ROUTES,
)

_BY_RESOURCE = {(route.method, route.path): route for route in ROUTES}


def answer(event: web.ProxyEvent, admin: Admin) -> web.Answer:
    """Give the answer to a request, by the route it came in on. Raises GlobalConnectError."""
    route = _BY_RESOURCE.get((event["httpMethod"], event["resource"]))
    if route is None:
        raise NotFound("path")
    return route.run(admin, event)


handler = web.endpoint(lambda event: answer(event, admin_api()))
