"""FINISH_ACTIVATION: contract 1.4 and 1.5. Whatever crosses it: test_inventory_machine.py."""

from dataclasses import replace

import pytest

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.partner import Partner, in_clear
from globalconnect.domain.service import Service
from simulation.meanwhile import crossed
from simulation.shop import Shop, present

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


def _cancel(shop: Shop, times: int, service: str = "tg", by: Partner | None = None) -> None:
    partner = by or shop.partner()
    for _ in range(times):
        shop.finish(partner, shop.buy(partner, service).body["activationId"], 4)


def _activation(shop: Shop, activation_id: int) -> Activation:
    return present(shop.activations.get(ActivationId(activation_id)))


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


@pytest.mark.parametrize(
    ("reusable", "status", "same_service"),
    [(False, 1, False), (False, 3, False), (False, 4, True), (False, 5, True), (True, 1, False), (True, 3, True)],
    ids=["prohibited", "success", "canceled", "returned", "prohibited and reusable", "success and reusable"],
)
def test_an_outcome_decides_for_its_service_and_frees_the_number_for_others(
    shop: Shop, reusable: bool, status: int, same_service: bool
) -> None:
    shop.sell("tg", reusable=reusable)
    partner, activation_id = shop.sold()
    assert shop.finish(partner, activation_id, status).body == SUCCESS
    assert (_can_buy(shop, "go"), _can_buy(shop, "tg")) == (True, same_service)
    assert _activation(shop, activation_id).outcome == status


@pytest.mark.parametrize(
    ("deployments", "services", "limit"),
    [({}, None, 5), ({"CANCEL_LIMIT": "2"}, None, 2), ({"CANCEL_LIMIT": "3"}, 2, 2), ({"CANCEL_LIMIT": "2"}, 3, 2)],
    ids=["default", "the deployment's", "the service's, lower", "the service's, higher"],
)
def test_the_cancel_that_reaches_the_limit_ends_its_service_for_the_number(
    shop: Shop, deployments: dict[str, str], services: int | None, limit: int
) -> None:
    shop = Shop(shop.cloud, deployments)
    shop.services.put(Service("tg", "Telegram", cancel_limit=services))
    _cancel(shop, 1, "go")
    _cancel(shop, limit - 1)
    assert _can_buy(shop)
    _cancel(shop, 1)
    assert (_can_buy(shop), _can_buy(shop, "go")) == (False, True)


@pytest.mark.parametrize(
    ("services", "limit"),
    [(None, 4), (3, 3), (100, 4)],
    ids=["smaller than the deployment's", "the service's is smaller", "smaller than the service's"],
)
def test_the_limit_of_the_partner_who_cancels_blocks_the_service_for_all(
    shop: Shop, services: int | None, limit: int
) -> None:
    shop.services.put(Service("tg", "Telegram", cancel_limit=services))
    partners = [shop.partner(dialect="smshub"), shop.partner()]
    for cancels in range(limit):
        # Cancels of all partners count; the last one is of the partner that has the limit.
        _cancel(shop, 1, by=partners[(limit - 1 - cancels) % 2])
        assert _can_buy(shop) is (cancels < limit - 1)
    assert _can_buy(shop, "go")


def test_the_limit_of_a_partner_who_does_not_cancel_blocks_nothing(shop: Shop) -> None:
    _cancel(shop, 1, by=shop.partner(dialect="smshub"))
    _cancel(shop, 3)
    assert _can_buy(shop)
    _cancel(shop, 1, by=shop.partner(dialect="smshub"))
    assert not _can_buy(shop)


def test_a_lowered_cancel_limit_blocks_at_the_next_cancel(shop: Shop) -> None:
    _cancel(shop, 3)
    shop.services.put(Service("tg", "Telegram", cancel_limit=2))
    assert _can_buy(shop)
    _cancel(shop, 1)
    assert not _can_buy(shop)


@pytest.mark.parametrize(
    "statuses", [*((first, second) for first in (1, 3, 4, 5) for second in (1, 3, 4, 5)), (3, 5, 3), (3, 5, 1)]
)
def test_the_first_outcome_stands_but_for_a_refund_which_is_final(shop: Shop, statuses: tuple[int, ...]) -> None:
    partner, activation_id = shop.sold()
    first, *others = statuses
    shop.finish(partner, activation_id, first)
    before = shop.numbers.get(PHONE)
    for other in others:
        assert shop.finish(partner, activation_id, other).body == SUCCESS
    assert shop.numbers.get(PHONE) == before
    assert _activation(shop, activation_id).outcome == (Outcome.RETURNED if statuses[:2] == (3, 5) else first)


def test_a_finish_after_expiry_answers_success_and_is_recorded(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=61)
    assert shop.finish(partner, activation_id, 3).body == SUCCESS
    assert _activation(shop, activation_id).outcome is Outcome.SUCCESS
    assert (_can_buy(shop), _can_buy(shop, "go")) == (False, True)


@pytest.mark.parametrize("swept", [False, True], ids=["not swept", "swept"])
@pytest.mark.parametrize("status", [1, 3, 4, 5])
def test_a_late_finish_does_not_touch_the_lease_of_the_next_buyer(shop: Shop, status: int, swept: bool) -> None:
    first, late = shop.sold()
    shop.cloud.clock.advance(minutes=61)
    if swept:
        shop.sweep()
    _, running = shop.sold("go")
    assert shop.finish(first, late, status).body == SUCCESS
    number = present(shop.numbers.get(PHONE))
    assert number.activation_id == running
    assert ("tg" in number.blocked, number.cancels.get("tg", 0)) == (status in {1, 3}, status == 4)


@pytest.mark.parametrize("canceled", [False, True], ids=["sold", "sold and canceled"])
def test_what_becomes_of_a_number_during_a_late_finish_stands(shop: Shop, canceled: bool) -> None:
    first, late = shop.sold()
    shop.cloud.clock.advance(minutes=61)

    def sell_on() -> None:
        second, running = shop.sold()
        if canceled:
            shop.finish(second, running, 4)

    shop.partner_parts = replace(shop.partner_parts, numbers=crossed(shop.numbers, "get", sell_on))
    assert shop.finish(first, late, 4).body == SUCCESS
    number = present(shop.numbers.get(PHONE))
    assert (number.activation_id is None, dict(number.cancels)) == (canceled, {"tg": 1 + canceled})


def test_by_get_everything_is_text(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    fields = {
        "action": "FINISH_ACTIVATION",
        "key": in_clear(partner.key),
        "activationId": str(activation_id),
        "status": "3",
    }
    assert shop.get(*fields.items()).body == SUCCESS
    assert _activation(shop, activation_id).outcome is Outcome.SUCCESS
