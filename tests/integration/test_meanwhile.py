"""What others do between the reading and the writing of a request changes nothing for the wrong sale (contract 1.5, 1.6)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.sms import PushState
from globalconnect.store.activations import ENTRY
from simulation.meanwhile import crossed
from simulation.shop import Shop, present

PHONE = "447472190082"
SMS = {"phone": PHONE, "from": "Telegram", "text": "Your code: 50151"}


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


def _deliver_meanwhile(shop: Shop, meddle: Callable[[], object]) -> None:
    """Deliver an SMS, with `meddle` between the reading of its number and the writing."""
    parts = shop.inbound_parts
    shop.inbound_parts = replace(parts, arrivals=crossed(parts.arrivals, "known", meddle))
    assert shop.deliver(shop.source(), SMS).status == 200


def test_an_sms_whose_number_is_sold_on_meanwhile_is_shown_to_who_held_it_when_it_arrived_and_not_pushed(
    shop: Shop,
) -> None:
    first, second = shop.partner(), shop.partner()
    before = shop.buy(first).body["activationId"]
    after: list[int] = []

    def sell_on() -> None:
        shop.cloud.clock.advance(ms=1)
        shop.finish(first, before, 5)
        after.append(shop.buy(second).body["activationId"])

    _deliver_meanwhile(shop, sell_on)
    sale = present(shop.activations.sale(before))
    assert [(sms.text, sms.push_state) for sms in sale.sms] == [(SMS["text"], PushState.STOPPED)]
    assert shop.messages(second, after[0]).body == {"status": "WAIT_CODE"}


@pytest.mark.parametrize("rest_minutes", ["0", "30"])
@pytest.mark.parametrize("end", ["finished", "expired", "swept"])
def test_an_sms_that_arrives_before_its_activation_ends_is_shown_though_it_is_stored_after(
    shop: Shop, end: str, rest_minutes: str
) -> None:
    shop = Shop(shop.cloud, {"REST_MINUTES": rest_minutes})
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=59)

    def end_it() -> None:
        shop.cloud.clock.advance(minutes=0 if end == "finished" else 1, ms=1)
        if end == "finished":
            shop.finish(partner, activation_id, 3)
        if end == "swept":
            shop.sweep()

    _deliver_meanwhile(shop, end_it)
    (message,) = shop.messages(partner, activation_id).body["messages"]
    assert message["text"] == SMS["text"]
    assert shop.inbound_parts.inbox.unclaimed(10, None, shop.cloud.clock()).items == []


def test_an_sms_that_arrives_as_its_activation_is_finished_is_nobodys(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    _deliver_meanwhile(shop, lambda: shop.finish(partner, activation_id, 3))
    assert shop.messages(partner, activation_id).body == {"status": "EXPIRED"}
    kept = shop.inbound_parts.inbox.unclaimed(10, None, shop.cloud.clock()).items
    assert [sms.text for sms in kept] == [SMS["text"]]


def test_of_two_refunds_at_once_the_first_stands(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.finish(partner, activation_id, 3)

    def kept() -> object:
        return shop.cloud.db.get(shop.activations.table, {"activation_id": activation_id, "entry": ENTRY})

    seen: list[object] = []

    def refund_and_wait() -> None:
        shop.finish(partner, activation_id, 5)
        seen.append(kept())
        shop.cloud.clock.advance(minutes=1)

    meddled = crossed(shop.activations, "get", refund_and_wait)
    shop.partner_parts = replace(shop.partner_parts, activations=meddled)
    assert shop.finish(partner, activation_id, 5).body == {"status": "SUCCESS"}
    assert present(shop.activations.get(ActivationId(activation_id))).outcome is Outcome.RETURNED
    assert seen == [kept()]
