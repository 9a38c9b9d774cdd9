"""getsms: contract 2."""

import pytest

from globalconnect.domain.sms import Sms
from globalconnect.domain.times import DAY
from globalconnect.store.activations import from_sms
from simulation.shop import Shop

PHONE = "447472190082"


def _sms(text: str = "Your code: 5015", **more: object) -> dict[str, object]:
    return {"phone": PHONE, "from": "Microsoft", "text": text, **more}


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


def test_no_sms_yet_is_wait_code(shop: Shop) -> None:
    partner = shop.partner()
    reply = shop.messages(partner, shop.buy(partner).body["activationId"])
    assert (reply.status, reply.body) == (200, {"status": "WAIT_CODE"})


@pytest.mark.parametrize("push_url", [None, "https://hub.example/push"])
def test_messages_have_the_form_of_the_contract_with_and_without_a_push_url(shop: Shop, push_url: str | None) -> None:
    partner = shop.partner(push_url=push_url)
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), _sms())
    reply = shop.messages(partner, activation_id)
    sms_id = reply.body["messages"][0].pop("smsId")
    assert reply.status == 200
    assert reply.body == {
        "status": "SUCCESS",
        "messages": [
            {
                "phone": PHONE,
                "phoneFrom": "Microsoft",
                "text": "Your code: 5015",
                "receivedAt": "2026-09-21T14:13:20+00:00",
            }
        ],
    }
    assert sms_id.isdecimal()
    assert 0 < int(sms_id) < 2**53


def test_what_is_past_its_retention_is_not_shown_though_it_is_not_deleted_yet(shop: Shop) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    shop.deliver(source, _sms())
    shop.cloud.clock.advance(ms=30 * DAY - 1_000)
    assert shop.messages(partner, activation_id).body["status"] == "SUCCESS"
    shop.cloud.clock.advance(ms=1_000)
    assert shop.messages(partner, activation_id).status == 404
    assert shop.finish(partner, activation_id, 3).status == 404


def test_of_messages_that_outgrow_an_answer_the_newest_that_fit_are_given_oldest_first(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    now = shop.cloud.clock()
    sent = [f"{number:03}" + "語" * 19_997 for number in range(110)]
    for number, text in enumerate(sent):
        sms = Sms(110 - number, activation_id, partner.partner_id, PHONE, "Microsoft", text, now + number, now)
        shop.cloud.db.put(shop.activations.table, from_sms(sms, shop.activations.retention))
    reply = shop.messages(partner, activation_id)
    assert (reply.status, reply.body.keys()) == (200, {"status", "messages"})
    given = [message["text"] for message in reply.body["messages"]]
    # 6 MB of texts of 60 KB.
    assert given == sent[-104:]


def test_messages_come_oldest_first(shop: Shop) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    for text, received in [("second", "14:13:40"), ("third", "14:13:50"), ("first", "14:13:30")]:
        shop.cloud.clock.advance(seconds=60)
        shop.deliver(source, _sms(text, receivedAt=f"2026-09-21T{received}Z"))
    texts = [message["text"] for message in shop.messages(partner, activation_id).body["messages"]]
    assert texts == ["first", "second", "third"]


def test_without_messages_an_expired_activation_is_expired(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=60)
    assert shop.messages(partner, activation_id).body == {"status": "EXPIRED"}


def test_without_messages_a_finished_activation_is_expired(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.finish(partner, activation_id, 4)
    assert shop.messages(partner, activation_id).body == {"status": "EXPIRED"}


def test_messages_stay_readable_after_the_end(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.deliver(shop.source(), _sms())
    shop.finish(partner, activation_id, 3)
    shop.cloud.clock.advance(minutes=600)
    assert shop.messages(partner, activation_id).body["status"] == "SUCCESS"


def test_somebody_elses_activation_looks_like_none(shop: Shop) -> None:
    activation_id = shop.buy(shop.partner()).body["activationId"]
    stranger = shop.partner()
    refused = shop.messages(stranger, activation_id)
    assert refused.status == 404
    assert refused == shop.messages(stranger, activation_id + 1)


@pytest.mark.parametrize("key", [None, "", "nonsense", "gc_abc_def"])
def test_a_missing_or_unknown_key_is_401(shop: Shop, key: str | None) -> None:
    fields = [("id", "nonsense")] + ([] if key is None else [("apiKey", key)])
    reply = shop.poll(*fields)
    assert (reply.status, reply.body) == (401, {"status": "ERROR", "message": "Invalid key"})


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "-1",
        "1.5",
        "1e-3",
        "1e16",
        "abc",
        str(2**53),
        str(2**64),
        "\N{FULLWIDTH DIGIT NINE}",
        " 1",
        "1" * 5_000,
    ],
)
def test_an_id_that_can_be_none_is_400_and_named(shop: Shop, value: str) -> None:
    reply = shop.poll(("apiKey", shop.partner().key), ("id", value))
    assert reply.status == 400
    assert reply.body["message"].startswith("id: ")


def test_an_id_given_twice_or_not_at_all_is_400(shop: Shop) -> None:
    key = ("apiKey", shop.partner().key)
    for fields in ([key], [key, ("id", "1"), ("id", "1")]):
        assert shop.poll(*fields).status == 400
