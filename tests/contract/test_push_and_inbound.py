"""Pushes and inbound SMS through the deployed URL: contract 3 and 4."""

import time

from local.pretend_partner import PretendPartner, slow
from tests.contract.market import Market, refused


def test_an_sms_is_pushed_at_once_in_the_form_of_the_contract_with_the_key_as_it_is_now(market: Market) -> None:
    with PretendPartner() as partner:
        hub = market.hub(pushUrl=partner.url)
        sale = market.sell(hub)
        rotated = market.made("POST", f"/admin/partners/{hub.partner_id}/rotate-key")["key"]
        sale.deliver("Код: 5015 \N{GRINNING FACE}")
        (push,) = partner.wait_for(1, 60)
    assert push.method == "POST"
    assert push.headers["Content-Type"] == "application/json; charset=utf-8"
    assert push.headers["User-Agent"].startswith("GlobalConnect/")
    assert push.body == {
        "key": rotated,
        "action": "PUSH_SMS",
        "smsId": sale.shown()["messages"][0]["smsId"],
        "phone": sale.phone,
        "phoneFrom": "Microsoft",
        "text": "Код: 5015 \N{GRINNING FACE}",
        "call": 0,
        "voice": 0,
    }


def test_one_partners_outage_does_not_delay_another(market: Market) -> None:
    with PretendPartner(otherwise=slow(60)) as dead, PretendPartner() as healthy:
        stuck, served = (market.sell(market.hub(pushUrl=partner.url)) for partner in (dead, healthy))
        served.deliver("before")
        healthy.wait_for(1, 60)
        stuck.deliver("first")
        # The retry shows that the outage is known.
        dead.wait_for(2, 60)
        stuck.gateway.deliver([{"phone": stuck.phone, "from": "Microsoft", "text": str(n)} for n in range(20)])
        delivered = time.monotonic()
        served.deliver("during")
        push = healthy.wait_for(2, 20)[-1]
        # A time-out of the dead one takes 5 s; nobody may have waited for it.
        assert push.at - delivered < 4


def test_the_same_delivery_twice_is_pushed_once(market: Market) -> None:
    with PretendPartner() as partner:
        sale = market.sell(market.hub(pushUrl=partner.url))
        for text in ("Code: 5015", "Code: 5015", "another"):
            sale.deliver(text)
        partner.wait_for(2, 60)
        assert sorted(push.body["text"] for push in partner.pushes) == ["Code: 5015", "another"]


def test_an_sms_for_nobody_is_unclaimed_and_the_next_buyer_never_sees_it(market: Market) -> None:
    with PretendPartner() as partner:
        first = market.sell(market.hub(pushUrl=partner.url))
        first.finish(5)
        first.deliver("too late")
        second = first.hub.buy(first.pool, first.service)["activationId"]
        first.deliver("in time")
        partner.wait_for(1, 60)
        assert [push.body["text"] for push in partner.pushes] == ["in time"]
    assert [sms["text"] for sms in first.hub.messages(second).json()["messages"]] == ["in time"]
    assert first.polled() == {"status": "EXPIRED"}
    unclaimed = market.made("GET", "/admin/unclaimed")["messages"]
    assert [sms["text"] for sms in unclaimed if sms["phone"] == first.phone] == ["too late"]


def test_a_wrong_or_missing_signature_is_401_and_a_rubbish_payload_400(market: Market) -> None:
    gateway, (phone,) = market.gateway(), market.pool().phones
    for signature in ("", "00"):
        refused(gateway.deliver({"phone": phone, "from": "Nobody", "text": "Forged"}, signature=signature), 401, "")
    for payload in (b"rubbish", b"\xff", {"phone": "no"}):
        refused(gateway.deliver(payload), 400, "")
    assert phone not in {sms["phone"] for sms in market.made("GET", "/admin/unclaimed")["messages"]}
    assert len(market.made("GET", "/admin/unreadable")["payloads"]) >= 3
