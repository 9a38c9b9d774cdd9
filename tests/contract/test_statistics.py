"""What staff see of sales and deliveries is measured every minute (contract 5)."""

from typing import Any

import pytest

from local.pretend_partner import PretendPartner
from tests.contract.market import Market, until

# The functions that measure run once a minute, one after the other on a busy machine.
SECONDS = 180


@pytest.mark.timeout(600)
def test_sales_and_deliveries_are_counted_for_the_stack_and_for_the_partner_within_minutes(market: Market) -> None:
    before = _statistics(market)
    with PretendPartner() as partner:
        sale = market.sell(market.hub(pushUrl=partner.url), 4)
        sale.deliver("Code: 5015")
        partner.wait_for(1, 60)
    # What the index of deliveries shows a little late is what the partner took before.
    sale.finish(4)
    for outcome in (1, 3):
        sale.hub.finish(sale.hub.buy(sale.pool, sale.service)["activationId"], outcome)
    assert sale.hub.buy(sale.pool, sale.service)["status"] == "SUCCESS"
    grown = until(lambda: _statistics(market), lambda seen: _has_grown(seen, before), SECONDS)
    assert grown["totals"]["started"] >= before["totals"]["started"] + 4
    assert grown["totals"]["timeToDeliverP99Ms"] > 0
    assert grown["stock"]["numbers"] == grown["stock"]["free"] + grown["stock"]["held"]
    assert len(grown["hours"]) == 24
    counted = {"prohibited": 1, "success": 1, "canceled": 1, "delivered": 1, "takenBack": 1, "shareTakenBack": 1}
    until(
        lambda: market.made("GET", f"/admin/partners/{sale.hub.partner_id}/activity")["outcomes"],
        lambda seen: seen | counted == seen,
        SECONDS,
    )


def _statistics(market: Market) -> dict[str, Any]:
    return market.made("GET", "/admin/statistics")


def _has_grown(seen: dict[str, Any], before: dict[str, Any]) -> bool:
    counted = all(seen["totals"][what] > before["totals"][what] for what in ("success", "delivered"))
    return counted and seen["measuredAt"] is not None and seen["stock"]["numbers"] > 0
