"""A number rests between two sales for as long as a deployment says; by default not at all (contract 1.4)."""

import random

import pytest

from globalconnect.domain.number import Number
from simulation.aws import Cloud
from simulation.desk import Desk
from simulation.shop import COUNTRY, OPERATOR, Shop, present

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


def _bought(shop: Shop, service: str = "tg") -> int:
    activation_id: int = shop.buy(shop.partner(), service).body["activationId"]
    return activation_id


def _buy_and_finish(shop: Shop) -> None:
    partner = shop.partner()
    assert shop.finish(partner, shop.buy(partner).body["activationId"], 5).status == 200


def _is_for_sale(shop: Shop, service: str = "tg") -> bool:
    """Return whether the number would be sold now, in an environment that has read nothing yet; sells nothing."""
    numbers = Shop(shop.cloud, shop.overrides).numbers
    now = shop.cloud.clock()
    number = present(shop.numbers.get(PHONE))
    listed = [found.phone for found in numbers.eligible(COUNTRY, OPERATOR, service, now)] == [PHONE]
    return listed and (number.activation_id is None or number.available_from <= now - numbers.rest)


def _sells_only_from(shop: Shop, *, minutes: float) -> None:
    """Check that the number is not sold until so much later, and then it is."""
    shop.cloud.clock.advance(minutes=minutes, ms=-1)
    assert shop.buy(shop.partner()).body == NO_NUMBERS
    assert not _is_for_sale(shop)
    shop.cloud.clock.advance(ms=1)
    assert _is_for_sale(shop)
    assert shop.buy(shop.partner()).body["number"] == PHONE


def _number(shop: Shop) -> Number:
    return present(shop.numbers.get(PHONE))


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
    partner = shop.partner()
    activation_id = shop.buy(partner, "go").body["activationId"]
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
    assert (_number(shop).activation_id, _number(shop).resting) == (None, True)
    _sells_only_from(shop, minutes=REST - late)


def test_a_lease_that_is_swept_when_its_rest_is_over_is_free_at_once(shop: Shop) -> None:
    shop.buy(shop.partner())
    shop.cloud.clock.advance(minutes=LEASE + REST)
    shop.sweep()
    number = _number(shop)
    assert (number.activation_id, number.resting, number.version) == (None, False, 2)
    assert _is_for_sale(shop)


def test_the_sweep_ends_a_rest_once_and_not_before_its_time(shop: Shop) -> None:
    _buy_and_finish(shop)
    shop.cloud.clock.advance(minutes=REST, ms=-1)
    shop.sweep()
    assert _number(shop).resting
    shop.cloud.clock.advance(ms=1)
    shop.sweep()
    freed = _number(shop)
    assert not freed.resting
    shop.sweep()
    assert _number(shop) == freed


def test_the_sweep_leaves_a_number_alone_that_was_sold_when_its_rest_was_over(shop: Shop) -> None:
    _buy_and_finish(shop)
    shop.cloud.clock.advance(minutes=REST)
    (found,) = [ended for shard in "01234567" for ended in shop.numbers.held_until(shard, shop.cloud.clock())]
    running = _bought(shop)
    assert not shop.numbers.let_go(found, shop.cloud.clock())
    shop.sweep()
    assert _number(shop).activation_id == running


def test_the_sweep_does_not_end_the_rest_after_a_sale_that_it_did_not_see(shop: Shop) -> None:
    _buy_and_finish(shop)
    shop.cloud.clock.advance(minutes=REST)
    (found,) = [ended for shard in "01234567" for ended in shop.numbers.held_until(shard, shop.cloud.clock())]
    _buy_and_finish(shop)
    assert not shop.numbers.let_go(found, shop.cloud.clock())
    assert _number(shop).resting


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
    assert not _number(shop).resting
    assert _is_for_sale(shop)


def test_a_finish_that_comes_when_the_number_rests_already_only_leaves_its_mark(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=LEASE + 1)
    shop.sweep()
    before = _number(shop)
    shop.finish(partner, activation_id, 1)
    after = _number(shop)
    assert (after.available_from, after.resting, after.blocked) == (before.available_from, True, frozenset({"tg"}))


def test_a_late_finish_does_not_touch_the_next_buyers_lease(shop: Shop) -> None:
    partner, late = shop.sold()
    shop.cloud.clock.advance(minutes=LEASE + REST)
    running = _bought(shop, "go")
    before = _number(shop)
    shop.finish(partner, late, 5)
    assert _number(shop) == before
    assert before.activation_id == running


@pytest.mark.parametrize("swept", [False, True], ids=["finished", "swept"])
def test_a_resting_number_is_nobodys_and_its_sms_are_unclaimed(shop: Shop, swept: bool) -> None:
    source, partner = shop.source(), shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    if swept:
        shop.cloud.clock.advance(minutes=LEASE)
        shop.sweep()
    else:
        shop.finish(partner, activation_id, 5)
    assert not _number(shop).is_held(shop.cloud.clock())
    assert shop.deliver(source, SMS).status == 200
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
    assert (shown["restingUntil"], shown["heldUntil"], shown["activationId"]) == (
        "2026-09-21T14:43:20+00:00",
        None,
        None,
    )
    shop.cloud.clock.advance(minutes=REST)
    assert desk.get(path).body["restingUntil"] is None


def test_withdrawing_restoring_and_moving_leave_the_rest_as_it_is(shop: Shop) -> None:
    _buy_and_finish(shop)
    shop.numbers.withdraw(PHONE)
    shop.numbers.restore(PHONE, shop.cloud.clock())
    shop.move(PHONE, "Other")
    shop.move(PHONE)
    assert _number(shop).resting
    _sells_only_from(shop, minutes=REST)


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
    assert shop.numbers.rest == 0
    shop.stock(PHONE)
    before = cloud.db.get(shop.numbers.table, {"phone": PHONE})
    shop.cloud.clock.advance(minutes=1)
    partner, activation_id = shop.sold()
    if how == "finished":
        shop.finish(partner, activation_id, 5)
    else:
        shop.cloud.clock.advance(minutes=LEASE)
        shop.sweep()
    after = cloud.db.get(shop.numbers.table, {"phone": PHONE})
    assert before is not None
    # One write to sell it and one to end that, as ever.
    assert after == before | {"available_from": cloud.clock(), "version": 2}
    assert shop.buy(partner).body["number"] == PHONE


def test_no_deployment_rests_unless_it_says_so(cloud: Cloud) -> None:
    assert cloud.env["REST_MINUTES"] == "0"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_a_rest_time_n_means_that_n_calls_succeed_after_any_history(cloud: Cloud, seed: int) -> None:
    rolls = random.Random(seed)
    shop = _open(cloud, REST)
    shop.stock(*(f"4474721900{place:02}" for place in range(8)))
    partner = shop.partner()
    sold: list[int] = []
    for _ in range(40):
        match rolls.randrange(4):
            case 0 | 1:
                bought = shop.buy(partner, rolls.choice(["tg", "go"])).body
                sold += [bought["activationId"]] if "activationId" in bought else []
            case 2 if sold:
                shop.finish(partner, sold.pop(rolls.randrange(len(sold))), rolls.choice([1, 3, 4, 5]))
            case _:
                shop.cloud.clock.advance(minutes=rolls.choice([1, 10, 35]))
        if rolls.randrange(3) == 0:
            shop.sweep()
    shop.sweep()
    count = _counted(shop)
    bought = [shop.buy(partner).body["status"] for _ in range(count + 1)]
    assert bought == ["SUCCESS"] * count + ["NO_NUMBERS"]
