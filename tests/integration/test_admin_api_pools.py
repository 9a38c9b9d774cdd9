"""Admin API, pools: contract 1.1 and 5."""

import pytest

from globalconnect.domain.pool_counts import PoolCounts
from simulation.aws import Cloud
from simulation.desk import Desk
from simulation.shop import COUNTRY, OPERATOR, Shop

PHONES = [f"4474721900{n:02}" for n in range(4)]


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


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
    pool = {"country": COUNTRY, "operator": OPERATOR, "total": 3, "free": 2, "services": services}
    assert desk.get("/admin/pools").body == {"pools": [pool], "cursor": None}


def test_a_pool_of_which_every_number_is_withdrawn_is_listed(shop: Shop, desk: Desk) -> None:
    shop.stock(PHONES[0])
    shop.numbers.withdraw(PHONES[0])
    shop.project()
    (pool,) = desk.get("/admin/pools").body["pools"]
    assert (pool["total"], pool["free"], pool["services"]) == (0, 0, {"tg": 0, "go": 0})


def test_pools_are_listed_by_country_and_operator_page_by_page_each_once(shop: Shop, desk: Desk) -> None:
    names = [(f"country{n % 7}", f"Operator {n}") for n in range(205)]
    for start in range(0, len(names), 50):
        shop.counts.write([PoolCounts(*name, total=2, free=1) for name in names[start : start + 50]], [], {})
    first = desk.get("/admin/pools").body["pools"]
    listed = [(pool["country"], pool["operator"]) for pool in desk.all_pages("/admin/pools", "pools")]
    assert len(first) == 100
    assert listed == sorted(names)


def test_a_page_that_ends_with_the_last_pool_is_the_end(shop: Shop, desk: Desk) -> None:
    shop.counts.write([PoolCounts("england", f"Operator {n}", total=1) for n in range(50)], [], {})
    shop.counts.write([PoolCounts("poland", f"Operator {n}", total=1) for n in range(50)], [], {})
    page = desk.get("/admin/pools").body
    assert (len(page["pools"]), page["cursor"]) == (100, None)
