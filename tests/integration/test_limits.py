"""How many live activations a partner may have, and that nothing is sold to one that is paused: contract 1.7."""

from typing import Any

import pytest

from globalconnect.domain.partner import Partner
from globalconnect.store.dynamo import expression
from simulation.shop import OPERATOR, Reply, Shop

PHONES = [f"4474721900{n:02}" for n in range(6)]
NO_NUMBERS = {"status": "NO_NUMBERS"}


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    shop.stock(*PHONES)
    shop.project()
    return shop


def _shown(shop: Shop, partner: Partner) -> dict[str, int]:
    (country,) = shop.call(partner, "GET_SERVICES").body["countryList"]
    shown: dict[str, int] = country["operatorMap"][OPERATOR]
    return shown


def _bought(shop: Shop, partner: Partner, times: int) -> list[int]:
    """Buy, and let the counts catch up; return the activations."""
    ids = [shop.buy(partner).body["activationId"] for _ in range(times)]
    shop.project()
    return ids


def _held(shop: Shop, partner: Partner) -> int:
    return shop.partner_parts.holders.held_by(partner.partner_id)


def _refused(reply: Reply) -> bool:
    return (reply.status, reply.body) == (200, NO_NUMBERS)


def test_at_its_limit_a_partner_gets_no_numbers_until_it_finishes_one(stocked: Shop) -> None:
    partner = stocked.partner(max_live=2)
    first, _ = _bought(stocked, partner, 2)
    assert _refused(stocked.buy(partner))
    assert _refused(stocked.buy(partner, "go", operator="any"))
    stocked.finish(partner, first, 5)
    stocked.project()
    _bought(stocked, partner, 1)
    assert _refused(stocked.buy(partner))


def test_as_many_as_are_left_of_the_limit_are_shown_and_can_be_bought_in_a_row_and_no_more(stocked: Shop) -> None:
    partner = stocked.partner(max_live=3)
    for left in (3, 2, 1):
        assert _shown(stocked, partner) == {"go": left, "tg": left}
        _bought(stocked, partner, 1)
    assert _shown(stocked, partner) == {"go": 0, "tg": 0}
    assert _refused(stocked.buy(partner))


def test_a_count_below_what_is_left_is_shown_as_it_is(stocked: Shop) -> None:
    seller = stocked.partner()
    stocked.finish(seller, _bought(stocked, seller, 1)[0], 1)
    _bought(stocked, seller, 2)
    assert _shown(stocked, stocked.partner(max_live=4)) == {"go": 4, "tg": 3}


def test_the_limit_is_exceeded_by_what_is_bought_before_the_counts_catch_up_and_not_after(stocked: Shop) -> None:
    partner = stocked.partner(max_live=1)
    assert [stocked.buy(partner).body["status"] for _ in range(3)] == ["SUCCESS"] * 3
    stocked.project()
    assert _refused(stocked.buy(partner))
    assert _shown(stocked, partner) == {"go": 0, "tg": 0}


def test_an_activation_that_expired_unfinished_counts_until_the_sweep(stocked: Shop) -> None:
    partner = stocked.partner(max_live=1)
    _bought(stocked, partner, 1)
    stocked.cloud.clock.advance(minutes=60)
    stocked.project()
    assert _refused(stocked.buy(partner))
    stocked.sweep()
    stocked.project()
    assert stocked.buy(partner).body["status"] == "SUCCESS"


def test_the_limit_of_one_partner_is_nobody_elses(stocked: Shop) -> None:
    limited, other, free = stocked.partner(max_live=1), stocked.partner(max_live=3), stocked.partner()
    _bought(stocked, limited, 1)
    assert _refused(stocked.buy(limited))
    assert [_shown(stocked, partner)["tg"] for partner in (other, free)] == [3, 5]
    _bought(stocked, other, 3)
    assert [_held(stocked, partner) for partner in (limited, other, free)] == [1, 3, 0]


def test_a_deployments_limit_is_that_of_partners_without_one_of_their_own(stocked: Shop) -> None:
    limited = Shop(stocked.cloud, {"MAX_LIVE": "1"})
    plain, own = limited.partner(), limited.partner(max_live=2)
    _bought(limited, plain, 1)
    _bought(limited, own, 1)
    assert _refused(limited.buy(plain))
    assert _shown(limited, plain) == {"go": 0, "tg": 0}
    assert _shown(limited, own) == {"go": 1, "tg": 1}
    assert limited.buy(own).body["status"] == "SUCCESS"


def test_a_limit_below_what_is_held_shows_0_and_leaves_what_runs_alone(stocked: Shop) -> None:
    partner = stocked.partner()
    ids = _bought(stocked, partner, 3)
    stocked.partners.change(partner.partner_id, {"max_live": 1})
    assert _refused(stocked.buy(partner))
    assert _shown(stocked, partner) == {"go": 0, "tg": 0}
    assert stocked.messages(partner, ids[0]).body == {"status": "WAIT_CODE"}
    assert stocked.finish(partner, ids[0], 3).status == 200


def test_numbers_sold_before_partners_were_counted_are_counted_by_their_next_change(stocked: Shop) -> None:
    partner, cloud = stocked.partner(), stocked.cloud
    finished, withdrawn = (stocked.buy(partner).body for _ in range(2))
    stocked.project()
    # As an earlier version has counted them.
    for sold in (finished, withdrawn):
        cloud.db.update(cloud.env["COUNTED_TABLE"], {"phone": sold["number"]}, expression("REMOVE #holder"))
    cloud.db.put(cloud.env["HOLDERS_TABLE"], {"partner_id": partner.partner_id, "held": 0, "version": 1})
    stocked.finish(partner, finished["activationId"], 5)
    stocked.numbers.withdraw(withdrawn["number"])
    stocked.project()
    assert _held(stocked, partner) == 1


@pytest.mark.parametrize("paused", [False, True], ids=["at its limit", "paused"])
def test_who_is_sold_nothing_is_refused_as_before_for_what_it_may_not_buy_or_asks_wrongly(
    stocked: Shop, paused: bool
) -> None:
    partner = stocked.partner(["tg"], max_live=1)
    _bought(stocked, partner, 1)
    if paused:
        stocked.partners.pause(partner.partner_id, "Unpaid", stocked.cloud.clock())
    asked: list[dict[str, Any]] = [{"service": "go"}, {"country": ""}, {"exceptionPhoneSet": ["x"]}]
    assert [stocked.buy(partner, **fields).status for fields in asked] == [403, 400, 400]


# ---------------------------------------------------------------- paused


def test_a_paused_partner_is_sold_nothing_and_shown_0_until_it_is_resumed(stocked: Shop) -> None:
    partner, other = stocked.partner(), stocked.partner()
    stocked.partners.pause(partner.partner_id, "Unpaid", stocked.cloud.clock())
    assert _refused(stocked.buy(partner))
    assert _shown(stocked, partner) == {"go": 0, "tg": 0}
    assert _shown(stocked, other) == {"go": 6, "tg": 6}
    assert stocked.buy(other).body["status"] == "SUCCESS"
    stocked.partners.resume(partner.partner_id)
    assert _shown(stocked, partner) == {"go": 6, "tg": 6}
    assert stocked.buy(partner).body["status"] == "SUCCESS"


def test_what_a_paused_partner_has_bought_goes_on(stocked: Shop) -> None:
    partner, source = stocked.partner(), stocked.source()
    bought = stocked.buy(partner).body
    stocked.partners.pause(partner.partner_id, "Unpaid", stocked.cloud.clock())
    stocked.deliver(source, {"phone": bought["number"], "from": "Microsoft", "text": "Your code: 5015", "id": "1"})
    (message,) = stocked.messages(partner, bought["activationId"]).body["messages"]
    assert message["text"] == "Your code: 5015"
    assert stocked.finish(partner, bought["activationId"], 3).body == {"status": "SUCCESS"}


def test_a_pause_is_in_force_everywhere_after_the_cache_time_at_most(stocked: Shop) -> None:
    warm = Shop(stocked.cloud, {"CACHE_SECONDS": "60"})
    partner = warm.partner()
    assert warm.buy(partner).body["status"] == "SUCCESS"
    stocked.partners.pause(partner.partner_id, "Unpaid", stocked.cloud.clock())
    warm.cloud.clock.advance(seconds=60)
    assert _refused(warm.buy(partner))
    assert _shown(warm, partner) == {"go": 0, "tg": 0}
    stocked.partners.resume(partner.partner_id)
    warm.cloud.clock.advance(seconds=60)
    assert warm.buy(partner).body["status"] == "SUCCESS"
