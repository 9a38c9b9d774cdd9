"""Pools: how many numbers of an operator there are, and how many can be bought for each service (contract 1.1 and 5)."""

from admin_api.route import PAGE, Call, route
from admin_api.schema import NoFields, PageQuery, View
from admin_api.wiring import Parts
from globalconnect.domain.staff import Role


class PoolView(View):
    """A pool: its numbers that are not withdrawn, how many are free, how many of their lines are offline, and how many can be
    bought for each service.
    """

    country: str
    operator: str
    total: int
    free: int
    offline: int
    services: dict[str, int]


class PoolPage(View):
    """A page of pools, by country and operator."""

    pools: list[PoolView]
    cursor: str | None


@route(
    "GET",
    "/admin/pools",
    Role.VIEW,
    "List pools by country and operator: `total` numbers that are not withdrawn, how many of them are "
    "`free`, how many are `offline`, and how many can be bought for each service that is on. Late by as much as GET_SERVICES.",
)
def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> PoolPage:
    page = parts.pool_counts.page(PAGE, call.query.get("cursor"))
    services = sorted(code for code, service in parts.services.catalogue().items() if service.enabled)
    shown = [
        PoolView(
            country=pool.country,
            operator=pool.operator,
            total=pool.total,
            free=pool.free,
            offline=pool.offline,
            services={code: pool.for_sale(code) for code in services},
        )
        for pool in page.items
    ]
    return PoolPage(pools=shown, cursor=page.cursor)
