"""Pushes and inbound SMS through the deployed URL: contract 3 and 4."""

import time

import pytest

from local.pretend_partner import PretendPartner, slow
from tests.contract.market import Gateway, Market


@pytest.fixture(scope="module")
def gateway(market: Market) -> Gateway:
    return market.gateway()


def _sms(phone: str, text: str = "Code: 5015", **more: object) -> dict[str, object]:
    return {"phone": phone, "from": "Microsoft", "text": text, **more}


def test_an_sms_is_pushed_at_once_in_the_form_of_the_contract(market: Market, gateway: Gateway) -> None:
    with PretendPartner() as partner:
        hub, service, pool = market.hub(pushUrl=partner.url), market.service(), market.pool()
        activation_id = hub.buy(pool, service)["activationId"]
        gateway.deliver(_sms(pool.phones[0], "Код: 5015 \N{GRINNING FACE}"))
        (push,) = partner.wait_for(1, 60)
        (message,) = hub.messages(activation_id).json()["messages"]
        assert push.method == "POST"
        assert push.headers["Content-Type"] == "application/json; charset=utf-8"
        assert push.headers["User-Agent"].startswith("GlobalConnect/")
        assert push.body == {
            "key": hub.key,
            "action": "PUSH_SMS",
            "smsId": message["smsId"],
            "phone": pool.phones[0],
            "phoneFrom": "Microsoft",
            "text": "Код: 5015 \N{GRINNING FACE}",
            "call": 0,
            "voice": 0,
        }


def _state(market: Market, activation_id: int) -> str:
    (message,) = market.made("GET", f"/admin/activations/{activation_id}")["messages"]
    state: str = message["pushState"]
    return state


def test_one_partners_outage_does_not_delay_another(market: Market, gateway: Gateway) -> None:
    with PretendPartner(otherwise=slow(60)) as dead, PretendPartner() as healthy:
        service = market.service()
        pools = {}
        for partner in (dead, healthy):
            hub, pool = market.hub(pushUrl=partner.url), market.pool()
            hub.buy(pool, service)
            pools[partner] = pool
        gateway.deliver(_sms(pools[healthy].phones[0], "before"))
        healthy.wait_for(1, 60)
        gateway.deliver(_sms(pools[dead].phones[0], "first"))
        # The retry shows that the outage is known.
        dead.wait_for(2, 60)
        gateway.deliver([_sms(pools[dead].phones[0], str(n)) for n in range(20)])
        delivered = time.monotonic()
        gateway.deliver(_sms(pools[healthy].phones[0], "during"))
        push = healthy.wait_for(2, 20)[-1]
        # A time-out of the dead one takes 5 s; nobody may have waited for it.
        assert push.at - delivered < 4


def test_the_same_delivery_twice_is_pushed_once(market: Market, gateway: Gateway) -> None:
    with PretendPartner() as partner:
        hub, service, pool = market.hub(pushUrl=partner.url), market.service(), market.pool()
        hub.buy(pool, service)
        for _ in range(2):
            assert gateway.deliver(_sms(pool.phones[0], id="1")).status_code == 200
        gateway.deliver(_sms(pool.phones[0], "another", id="2"))
        partner.wait_for(2, 60)
        assert [push.body["text"] for push in partner.pushes].count("Code: 5015") == 1


def test_an_sms_for_nobody_is_unclaimed_and_the_next_buyer_never_sees_it(market: Market, gateway: Gateway) -> None:
    with PretendPartner() as partner:
        hub, service, pool = market.hub(pushUrl=partner.url), market.service(), market.pool()
        gateway.deliver(_sms(pool.phones[0], "for nobody"))
        first = hub.buy(pool, service)["activationId"]
        hub.finish(first, 5)
        gateway.deliver(_sms(pool.phones[0], "too late"))
        second = hub.buy(pool, service)["activationId"]
        gateway.deliver(_sms(pool.phones[0], "in time"))
        partner.wait_for(1, 60)
        assert [push.body["text"] for push in partner.pushes] == ["in time"]
        assert [sms["text"] for sms in hub.messages(second).json()["messages"]] == ["in time"]
        assert hub.messages(first).json() == {"status": "EXPIRED"}
        unclaimed = market.made("GET", "/admin/unclaimed")["messages"]
        texts = {sms["text"] for sms in unclaimed if sms["phone"] == pool.phones[0]}
        assert texts == {"for nobody", "too late"}


def test_a_wrong_or_missing_signature_is_401_and_a_rubbish_payload_400(market: Market, gateway: Gateway) -> None:
    pool = market.pool()
    for signature in ("", "00"):
        answer = gateway.deliver(_sms(pool.phones[0]), signature=signature)
        assert (answer.status_code, answer.json()["status"]) == (401, "ERROR")
    for payload in (b"rubbish", b"\xff", {"phone": "no"}):
        answer = gateway.deliver(payload)
        assert (answer.status_code, answer.json()["status"]) == (400, "ERROR")
    unclaimed = market.made("GET", "/admin/unclaimed")["messages"]
    assert [sms for sms in unclaimed if sms["phone"] == pool.phones[0]] == []
    assert len(market.made("GET", "/admin/unreadable")["payloads"]) >= 3
