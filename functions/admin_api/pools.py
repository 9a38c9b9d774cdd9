"""Pools: how many numbers of an operator there are, and how many can be bought for each service (contract 1.1 and 5)."""

from functools import partial

from admin_api.cursors import PAGE, Listing, has
from admin_api.models import NoFields, PageQuery, PoolPage, PoolView
from admin_api.routes import Call, Route
from admin_api.wiring import Parts

_LISTING = Listing("pools", partial(has, country=str, operator=str))


def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> PoolPage:
    """List pools by country and operator, counted as GET_SERVICES counts them for a key that may buy everything."""
    after = _LISTING.key(call.query.get("cursor"))
    # The table is by a hash of the country: what comes next in order is known only when all has been read. One page
    # of DynamoDB holds thousands of pools.
    pools = sorted(parts.availability.all(), key=lambda pool: (pool.country, pool.operator))
    if after is not None:
        pools = [pool for pool in pools if (pool.country, pool.operator) > (after["country"], after["operator"])]
    services = sorted(code for code, service in parts.services.catalogue().items() if service.enabled)
    shown = [
        PoolView(
            country=pool.country,
            operator=pool.operator,
            total=pool.total,
            free=pool.free,
            services={code: pool.for_sale(code) for code in services},
        )
        for pool in pools[:PAGE]
    ]
    more = {"country": shown[-1].country, "operator": shown[-1].operator} if len(pools) > PAGE else None
    return PoolPage(pools=shown, cursor=_LISTING.cursor(more))


ROUTES = (
    Route(
        method="GET",
        path="/admin/pools",
        use=browse,
        query=PageQuery,
        answer=PoolPage,
        summary="List pools by country and operator: `total` numbers that are not withdrawn, how many of them are "
        "`free`, and how many can be bought for each service that is on. Late by as much as GET_SERVICES.",
    ),
)
