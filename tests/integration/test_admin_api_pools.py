"""Admin API, pools: contract 1.1 and 5."""

from globalconnect.domain.pool_counts import PoolCounts
from simulation.desk import Desk
from simulation.shop import COUNTRY, OPERATOR, Shop

PHONES = [f"4474721900{n:02}" for n in range(4)]


def test_a_pool_shows_what_get_services_shows_a_key_that_may_buy_everything(shop: Shop, desk: Desk) -> None:
    shop.sell("off", enabled=False)
    shop.stock(*PHONES)
    partner = shop.partner()
    used_up = shop.buy(partner, "tg").body["activationId"]
    shop.finish(partner, used_up, 3)
    shop.buy(partner, "tg")
    shop.numbers.withdraw(PHONES[3])
    shop.project()
    (listed,) = shop.call(partner, "GET_SERVICES").body["countryList"]
    services = listed["operatorMap"][OPERATOR]
    assert services == {"tg": 1, "go": 2}
    pool = {"country": COUNTRY, "operator": OPERATOR, "total": 3, "free": 2, "offline": 0, "services": services}
    assert desk.get("/admin/pools").body == {"pools": [pool], "cursor": None}


def test_a_pool_of_which_every_number_is_withdrawn_is_listed(shop: Shop, desk: Desk) -> None:
    shop.stock(PHONES[0])
    shop.numbers.withdraw(PHONES[0])
    shop.project()
    (pool,) = desk.get("/admin/pools").body["pools"]
    assert (pool["total"], pool["free"], pool["services"]) == (0, 0, {"tg": 0, "go": 0})


def test_pools_are_listed_by_country_and_operator_and_a_page_that_ends_with_the_last_one_is_the_end(
    shop: Shop, desk: Desk
) -> None:
    for country in ("poland", "england"):
        shop.counts.write([PoolCounts(country, f"Operator {n}", total=1) for n in range(50)], [], {})
    page = desk.get("/admin/pools").body
    names = [(pool["country"], pool["operator"]) for pool in page["pools"]]
    assert (len(names), names, page["cursor"]) == (100, sorted(names), None)
