"""FINISH_ACTIVATION: contract 1.4 and 1.5."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.partner import Partner
from globalconnect.domain.service import Service
from simulation.meanwhile import crossed
from simulation.shop import Reply, Shop, present

PHONE = "447472190082"
SUCCESS = {"status": "SUCCESS"}


def _can_buy(shop: Shop, service: str = "tg") -> bool:
    """Return whether the number can be had for a service, and put it back as if nothing had happened."""
    partner = shop.partner()
    reply = shop.buy(partner, service)
    if reply.body["status"] == "NO_NUMBERS":
        return False
    assert shop.finish(partner, reply.body["activationId"], 5).body == SUCCESS
    return True


def _activation(shop: Shop, activation_id: int) -> Activation:
    return present(shop.activations.get(activation_id))


def _finish_meanwhile(
    shop: Shop, partner: Partner, activation_id: int, status: int, meddle: Callable[[], object]
) -> None:
    """Finish an activation, with `meddle` between the reading of its number and the writing."""
    shop.partner_parts = replace(shop.partner_parts, numbers=crossed(shop.numbers, "get", meddle))
    assert shop.finish(partner, activation_id, status).body == SUCCESS


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


@pytest.mark.parametrize(
    ("status", "same_service"),
    [(1, False), (3, False), (4, True), (5, True)],
    ids=["prohibited", "success", "canceled", "returned"],
)
def test_an_outcome_decides_for_its_service_and_frees_the_number_for_others(
    shop: Shop, status: int, same_service: bool
) -> None:
    partner, activation_id = shop.sold()
    assert shop.finish(partner, activation_id, status).body == SUCCESS
    assert _can_buy(shop, "go")
    assert _can_buy(shop, "tg") is same_service
    assert _activation(shop, activation_id).outcome == status


def test_a_reusable_service_sells_a_number_again_after_success(shop: Shop) -> None:
    shop.sell("tg", reusable=True)
    partner = shop.partner()
    shop.finish(partner, shop.buy(partner).body["activationId"], 3)
    assert _can_buy(shop)


def test_a_reusable_service_does_not_sell_a_prohibited_number_again(shop: Shop) -> None:
    shop.sell("tg", reusable=True)
    partner = shop.partner()
    shop.finish(partner, shop.buy(partner).body["activationId"], 1)
    assert not _can_buy(shop)


def test_the_fifth_cancel_ends_the_service_for_the_number(shop: Shop) -> None:
    partner = shop.partner()
    for cancel in range(5):
        assert _can_buy(shop), f"after {cancel} cancels"
        shop.finish(partner, shop.buy(partner).body["activationId"], 4)
    assert not _can_buy(shop)
    assert _can_buy(shop, "go")


def test_the_cancel_limit_is_a_deployment_parameter(shop: Shop) -> None:
    shop = Shop(shop.cloud, {"CANCEL_LIMIT": "2"})
    partner = shop.partner()
    for _ in range(2):
        shop.finish(partner, shop.buy(partner).body["activationId"], 4)
    assert not _can_buy(shop)


def test_a_service_may_have_a_cancel_limit_of_its_own(shop: Shop) -> None:
    shop.services.put(Service("tg", "Telegram", cancel_limit=2))
    partner = shop.partner()
    for service in ("tg", "go"):
        for _ in range(2):
            shop.finish(partner, shop.buy(partner, service).body["activationId"], 4)
    assert not _can_buy(shop, "tg")
    assert _can_buy(shop, "go")


def test_a_lowered_cancel_limit_blocks_at_the_next_cancel(shop: Shop) -> None:
    partner = shop.partner()
    for _ in range(3):
        shop.finish(partner, shop.buy(partner).body["activationId"], 4)
    shop.services.put(Service("tg", "Telegram", cancel_limit=2))
    assert _can_buy(shop)
    shop.finish(partner, shop.buy(partner).body["activationId"], 4)
    assert not _can_buy(shop)


def test_cancels_of_other_services_and_repeats_do_not_count(shop: Shop) -> None:
    partner = shop.partner()
    for service in ("tg", "go", "tg", "go", "tg", "go", "tg"):
        activation_id = shop.buy(partner, service).body["activationId"]
        for _ in range(3):
            assert shop.finish(partner, activation_id, 4).body == SUCCESS
    assert _can_buy(shop, "tg")
    assert _can_buy(shop, "go")


@pytest.mark.parametrize("first", [1, 3, 4, 5])
@pytest.mark.parametrize("second", [1, 3, 4, 5])
def test_the_first_outcome_stands_but_for_a_refund(shop: Shop, first: int, second: int) -> None:
    partner, activation_id = shop.sold()
    shop.finish(partner, activation_id, first)
    before = shop.numbers.get(PHONE)
    assert shop.finish(partner, activation_id, second).body == SUCCESS
    assert shop.numbers.get(PHONE) == before
    expected = Outcome.RETURNED if (first, second) == (3, 5) else first
    assert _activation(shop, activation_id).outcome == expected


def test_a_refund_is_final(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    for status in (3, 5, 3, 1):
        assert shop.finish(partner, activation_id, status).body == SUCCESS
    assert _activation(shop, activation_id).outcome is Outcome.RETURNED
    assert not _can_buy(shop)


def test_a_finish_after_expiry_answers_success_and_is_recorded(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=61)
    assert shop.finish(partner, activation_id, 3).body == SUCCESS
    assert _activation(shop, activation_id).outcome is Outcome.SUCCESS
    assert not _can_buy(shop)
    assert _can_buy(shop, "go")


@pytest.mark.parametrize("swept", [False, True], ids=["not swept", "swept"])
@pytest.mark.parametrize("status", [1, 3, 4, 5])
def test_a_late_finish_does_not_touch_the_lease_of_the_next_buyer(shop: Shop, status: int, swept: bool) -> None:
    first, second = shop.partner(), shop.partner()
    late = shop.buy(first).body["activationId"]
    shop.cloud.clock.advance(minutes=61)
    if swept:
        shop.sweep()
    running = shop.buy(second, "go").body["activationId"]
    assert shop.finish(first, late, status).body == SUCCESS
    number = present(shop.numbers.get(PHONE))
    assert number.activation_id == running
    assert ("tg" in number.blocked) is (status in {1, 3})
    assert number.cancels.get("tg", 0) == (status == 4)
    assert not _can_buy(shop, "go")
    assert shop.finish(second, running, 5).body == SUCCESS


@pytest.mark.parametrize("activation_id", [1, 2**53 - 1])
def test_an_unknown_activation_is_404(shop: Shop, activation_id: int) -> None:
    assert shop.finish(shop.partner(), activation_id, 3).status == 404


def test_somebody_elses_activation_looks_like_none_and_stays_untouched(shop: Shop) -> None:
    owner, stranger = shop.partner(), shop.partner()
    activation_id = shop.buy(owner).body["activationId"]
    refused = shop.finish(stranger, activation_id, 3)
    assert refused == shop.finish(stranger, activation_id + 1, 3)
    assert refused.status == 404
    assert _activation(shop, activation_id).outcome is None


def test_the_id_may_be_a_string_of_digits(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    assert shop.finish(partner, str(activation_id), 5).body == SUCCESS
    assert _activation(shop, activation_id).outcome is Outcome.RETURNED


def test_by_get_everything_is_text(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    reply: Reply = shop.get(
        ("action", "FINISH_ACTIVATION"), ("key", partner.key), ("activationId", str(activation_id)), ("status", "3")
    )
    assert reply.body == SUCCESS
    assert _activation(shop, activation_id).outcome is Outcome.SUCCESS


def test_a_withdrawn_number_can_be_finished_and_stays_withdrawn(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.numbers.withdraw(PHONE)
    assert shop.finish(partner, activation_id, 5).body == SUCCESS
    assert not _can_buy(shop)


def test_a_number_withdrawn_during_its_finish_stays_withdrawn(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    _finish_meanwhile(shop, partner, activation_id, 3, lambda: shop.numbers.withdraw(PHONE))
    number = present(shop.numbers.get(PHONE))
    assert (number.activation_id, number.blocked, number.enabled) == (None, frozenset({"tg"}), False)


@pytest.mark.parametrize("status", [1, 3, 4, 5])
def test_a_number_sold_again_during_a_late_finish_keeps_its_new_lease(shop: Shop, status: int) -> None:
    first, second = shop.partner(), shop.partner()
    late = shop.buy(first).body["activationId"]
    shop.cloud.clock.advance(minutes=61)
    running: list[int] = []
    _finish_meanwhile(shop, first, late, status, lambda: running.append(shop.buy(second, "go").body["activationId"]))
    number = present(shop.numbers.get(PHONE))
    assert [number.activation_id] == running
    assert not _can_buy(shop, "go")


def test_two_cancels_at_once_both_count(shop: Shop) -> None:
    first, second = shop.partner(), shop.partner()
    late = shop.buy(first).body["activationId"]
    shop.cloud.clock.advance(minutes=61)
    running = shop.buy(second).body["activationId"]
    _finish_meanwhile(shop, first, late, 4, lambda: shop.finish(second, running, 4))
    number = present(shop.numbers.get(PHONE))
    assert number.cancels == {"tg": 2}
