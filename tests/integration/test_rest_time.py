"""A number rests between two sales for as long as a deployment says; by default not at all (contract 1.4)."""

import pytest

from globalconnect.store.numbers import HELD_SHARDS
from simulation.aws import Cloud
from simulation.desk import Desk
from simulation.shop import OPERATOR, Shop, present

PHONE = "447472190082"
NO_NUMBERS = {"status": "NO_NUMBERS"}
REST = 30
LEASE = 60
SMS = {"phone": PHONE, "from": "Telegram", "text": "Your code: 5015"}


@pytest.fixture
def shop(cloud: Cloud) -> Shop:
    shop = _open(cloud, REST)
    shop.stock(PHONE)
    return shop


def _open(cloud: Cloud, rest_minutes: int) -> Shop:
    shop = Shop(cloud, {"REST_MINUTES": str(rest_minutes)})
    shop.sell("tg", "go", reusable=True)
    return shop


def _buy_and_finish(shop: Shop) -> None:
    partner = shop.partner()
    assert shop.finish(partner, shop.buy(partner).body["activationId"], 5).status == 200


def _sells_only_from(shop: Shop, *, minutes: float) -> None:
    """Check that the number is not sold until so much later, and then it is."""
    shop.cloud.clock.advance(minutes=minutes, ms=-1)
    assert shop.buy(shop.partner()).body == NO_NUMBERS
    shop.cloud.clock.advance(ms=1)
    assert shop.buy(shop.partner()).body["number"] == PHONE


def _counted(shop: Shop, service: str = "tg") -> int:
    """Return the count that a partner is shown, once it has caught up."""
    shop.project()
    shop.cloud.clock.advance(seconds=1)
    countries = shop.call(shop.partner(), "GET_SERVICES").body["countryList"]
    count: int = countries[0]["operatorMap"][OPERATOR][service]
    return count


@pytest.mark.parametrize("status", [1, 3, 4, 5])
@pytest.mark.parametrize("minutes", [0, 7])
def test_a_number_rests_from_the_finish_on_for_every_service(shop: Shop, status: int, minutes: int) -> None:
    partner, activation_id = shop.sold("go")
    shop.cloud.clock.advance(minutes=minutes)
    assert shop.finish(partner, activation_id, status).status == 200
    _sells_only_from(shop, minutes=REST)


def test_a_lease_that_ran_out_rests_without_any_job(shop: Shop) -> None:
    shop.buy(shop.partner())
    _sells_only_from(shop, minutes=LEASE + REST)


@pytest.mark.parametrize("late", [0, 1, 20], ids=lambda minutes: f"swept {minutes} min late")
def test_a_lease_that_ran_out_rests_from_its_end_whenever_it_is_swept(shop: Shop, late: int) -> None:
    shop.buy(shop.partner())
    shop.cloud.clock.advance(minutes=LEASE + late)
    shop.sweep()
    assert present(shop.numbers.get(PHONE)).resting
    _sells_only_from(shop, minutes=REST - late)


@pytest.mark.parametrize("late", [0, 20], ids=lambda minutes: f"{minutes} min late")
def test_a_finish_after_the_lease_lets_the_number_rest_from_the_end_of_the_lease(shop: Shop, late: int) -> None:
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=LEASE + late)
    shop.finish(partner, activation_id, 5)
    _sells_only_from(shop, minutes=REST - late)


def test_a_finish_after_lease_and_rest_frees_the_number_at_once(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=LEASE + REST)
    shop.finish(partner, activation_id, 5)
    assert not present(shop.numbers.get(PHONE)).resting


def test_the_sweep_does_not_end_the_rest_after_a_sale_that_it_did_not_see(shop: Shop) -> None:
    _buy_and_finish(shop)
    shop.cloud.clock.advance(minutes=REST)
    (found,) = [ended for shard in HELD_SHARDS for ended in shop.numbers.held_until(shard, shop.cloud.clock())]
    _buy_and_finish(shop)
    assert not shop.numbers.let_go(found, shop.cloud.clock())


@pytest.mark.parametrize("swept", [False, True], ids=["finished", "swept"])
def test_a_resting_number_is_nobodys_and_its_sms_are_unclaimed(shop: Shop, swept: bool) -> None:
    partner, activation_id = shop.sold()
    if swept:
        shop.cloud.clock.advance(minutes=LEASE)
        shop.sweep()
    else:
        shop.finish(partner, activation_id, 5)
    assert shop.deliver(shop.source(), SMS).status == 200
    assert shop.messages(partner, activation_id).body == {"status": "EXPIRED"}
    shop.cloud.clock.advance(minutes=REST)
    buyer = shop.partner()
    assert shop.messages(buyer, shop.buy(buyer).body["activationId"]).body == {"status": "WAIT_CODE"}
    (unclaimed,) = Desk(shop.cloud).get("/admin/unclaimed").body["messages"]
    assert unclaimed["phone"] == PHONE


def test_a_resting_number_is_not_counted_until_a_sweep_finds_that_it_has_rested(shop: Shop) -> None:
    assert _counted(shop) == 1
    partner, activation_id = shop.sold()
    assert _counted(shop) == 0
    shop.finish(partner, activation_id, 5)
    assert _counted(shop) == 0
    shop.cloud.clock.advance(minutes=REST)
    shop.sweep()
    assert _counted(shop) == 1


def test_staff_see_until_when_a_number_rests(shop: Shop) -> None:
    desk = Desk(shop.cloud)
    path = f"/admin/numbers/{PHONE}"
    _buy_and_finish(shop)
    shown = desk.get(path).body
    times = {"restingUntil": "2026-09-21T14:43:20+00:00", "heldUntil": None, "activationId": None}
    assert shown == shown | times
    shop.cloud.clock.advance(minutes=REST)
    assert desk.get(path).body == shown | {"restingUntil": None}


def test_a_number_that_rests_when_a_deployment_ends_resting_rests_to_its_end(shop: Shop) -> None:
    _buy_and_finish(shop)
    shop = Shop(shop.cloud, {"REST_MINUTES": "0"})
    assert shop.buy(shop.partner()).body == NO_NUMBERS
    shop.cloud.clock.advance(minutes=REST)
    shop.sweep()
    assert _counted(shop) == 1
    assert shop.buy(shop.partner()).body["number"] == PHONE


@pytest.mark.parametrize("how", ["finished", "swept"])
def test_without_a_rest_time_nothing_is_left_of_a_sale_and_the_number_is_sold_at_once(cloud: Cloud, how: str) -> None:
    shop = _open(cloud, 0)
    shop.stock(PHONE)
    before = present(cloud.db.get(shop.numbers.table, {"phone": PHONE}))
    shop.cloud.clock.advance(minutes=1)
    partner, activation_id = shop.sold()
    if how == "finished":
        shop.finish(partner, activation_id, 5)
    else:
        shop.cloud.clock.advance(minutes=LEASE)
        shop.sweep()
    # One write to sell it and one to end that, as ever.
    assert cloud.db.get(shop.numbers.table, {"phone": PHONE}) == before | {
        "available_from": cloud.clock(),
        "version": 2,
    }
    assert shop.buy(partner).body["number"] == PHONE
