"""getsms: contract 2."""

import pytest

from globalconnect.domain.ids import ActivationId, SmsId
from globalconnect.domain.partner import in_clear
from globalconnect.domain.sms import Sms
from globalconnect.domain.times import DAY
from globalconnect.store.activations import from_sms
from simulation.shop import Shop, present

PHONE = "447472190082"
SMS = {"phone": PHONE, "from": "Microsoft", "text": "Your code: 5015"}


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


@pytest.mark.parametrize(
    ("minutes", "outcome", "status"),
    [(59, None, "WAIT_CODE"), (60, None, "EXPIRED"), (0, 3, "EXPIRED")],
    ids=["live", "expired", "finished"],
)
@pytest.mark.parametrize("delivered", [False, True], ids=["without an SMS", "with one"])
def test_none_yet_is_wait_code_none_in_the_end_is_expired_and_messages_stay_readable(
    shop: Shop, minutes: int, outcome: int | None, status: str, *, delivered: bool
) -> None:
    partner, activation_id = shop.sold()
    if delivered:
        shop.deliver(shop.source(), SMS)
    shop.cloud.clock.advance(minutes=minutes)
    if outcome is not None:
        shop.finish(partner, activation_id, outcome)
    reply = shop.messages(partner, activation_id)
    assert (reply.status, reply.body["status"]) == (200, "SUCCESS" if delivered else status)
    assert ("messages" in reply.body) is delivered


@pytest.mark.parametrize("push_url", [None, "https://hub.example/push"])
def test_messages_have_the_form_of_the_contract_with_and_without_a_push_url(shop: Shop, push_url: str | None) -> None:
    partner = shop.partner(push_url=push_url)
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), SMS)
    (sms,) = present(shop.activations.sale(activation_id)).sms
    message = {
        "smsId": str(sms.sms_id),
        "phone": PHONE,
        "phoneFrom": "Microsoft",
        "text": "Your code: 5015",
        "receivedAt": "2026-09-21T14:13:20+00:00",
    }
    assert shop.messages(partner, activation_id).body == {"status": "SUCCESS", "messages": [message]}


def test_what_is_past_its_retention_is_not_shown_though_it_is_not_deleted_yet(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.deliver(shop.source(), SMS)
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
        sms = Sms(
            SmsId(110 - number),
            ActivationId(activation_id),
            partner.partner_id,
            PHONE,
            "Microsoft",
            text,
            now + number,
            now,
        )
        shop.cloud.db.put(shop.activations.table, from_sms(sms, shop.activations.retention))
    reply = shop.messages(partner, activation_id)
    assert (reply.status, reply.body.keys()) == (200, {"status", "messages"})
    # 6 MB of texts of 60 KB.
    assert [message["text"] for message in reply.body["messages"]] == sent[-104:]


def test_messages_come_oldest_first(shop: Shop) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    for text, received in [("second", "14:13:40"), ("third", "14:13:50"), ("first", "14:13:30")]:
        shop.cloud.clock.advance(seconds=60)
        shop.deliver(source, SMS | {"text": text, "receivedAt": f"2026-09-21T{received}Z"})
    texts = [message["text"] for message in shop.messages(partner, activation_id).body["messages"]]
    assert texts == ["first", "second", "third"]


@pytest.mark.parametrize(
    "ids",
    [
        *(
            [value]
            for value in ("", "0", "-1", "1.5", "1e-3", "1e16", "abc", str(2**53), str(2**64), " 1", "1" * 5_000)
        ),
        ["\N{FULLWIDTH DIGIT NINE}"],
        [],
        ["1", "1"],
    ],
    ids=repr,
)
def test_an_id_that_can_be_none_or_is_not_given_once_is_400_and_named(shop: Shop, ids: list[str]) -> None:
    reply = shop.poll(("apiKey", in_clear(shop.partner().key)), *(("id", value) for value in ids))
    assert reply.status == 400
    assert reply.body["message"].startswith("id: ")
