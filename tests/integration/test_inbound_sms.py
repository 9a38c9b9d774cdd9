"""Inbound SMS: contract 1.6 and 4."""

from dataclasses import replace
from typing import Any

import pytest

from globalconnect.store.dynamo import Dynamo
from globalconnect.store.inbox import Kind
from globalconnect.store.sources import Source, Sources, Unreadable
from tests.conftest import START
from tests.integration.admin_support import Desk
from tests.integration.calls import Calls
from tests.integration.failing import FailingClient, Fault
from tests.integration.shop import SECRET, Reply, Shop

PHONE = "447472190082"


def _sms(text: str = "Your code: 5015", **more: object) -> dict[str, object]:
    return {"phone": PHONE, "from": "Microsoft", "text": text, **more}


def _texts(shop: Shop, partner: Any, activation_id: int) -> list[str]:
    return [message["text"] for message in shop.messages(partner, activation_id).body.get("messages", [])]


def _kept(shop: Shop, kind: Kind) -> list[dict[str, Any]]:
    return shop.inbound_parts.inbox.page(kind, 100, None)[0]


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


def test_an_sms_belongs_to_the_activation_that_holds_its_number(shop: Shop) -> None:
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    reply = shop.deliver(shop.source(), _sms())
    assert (reply.status, reply.body) == (200, {"status": "SUCCESS"})
    assert _texts(shop, partner, activation_id) == ["Your code: 5015"]
    assert _kept(shop, Kind.UNCLAIMED) == []


def test_a_list_of_sms_is_taken_whole(shop: Shop) -> None:
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), [_sms("a"), _sms("b"), _sms("a")])
    assert sorted(_texts(shop, partner, activation_id)) == ["a", "b"]


def test_an_empty_list_is_fine(shop: Shop) -> None:
    assert shop.deliver(shop.source(), []).status == 200


@pytest.mark.parametrize("case", ["never sold", "finished", "expired", "swept", "unknown number"])
def test_an_sms_that_no_activation_holds_is_unclaimed_and_shown_to_no_partner(shop: Shop, case: str) -> None:
    partner = shop.partner()
    activation_id = None
    if case != "never sold":
        activation_id = shop.buy(partner).body["activationId"]
    if case == "finished":
        shop.finish(partner, activation_id, 5)
    if case in {"expired", "swept"}:
        shop.cloud.clock.advance(minutes=60)
    if case == "swept":
        shop.sweep()
    phone = "447000000000" if case == "unknown number" else PHONE
    assert shop.deliver(shop.source(), _sms(phone=phone)).status == 200
    next_buyer = shop.partner()
    if case != "unknown number":
        next_id = shop.buy(next_buyer).body["activationId"]
        assert _texts(shop, next_buyer, next_id) == []
    if activation_id is not None:
        assert _texts(shop, partner, activation_id) == []
    (unclaimed,) = _kept(shop, Kind.UNCLAIMED)
    assert (unclaimed["phone"], unclaimed["text"]) == (phone, "Your code: 5015")


def test_an_sms_received_before_the_activation_began_is_unclaimed(shop: Shop) -> None:
    partner = shop.partner()
    shop.cloud.clock.advance(seconds=30)
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), _sms(receivedAt="2026-09-21T14:13:49Z"))
    assert _texts(shop, partner, activation_id) == []
    assert len(_kept(shop, Kind.UNCLAIMED)) == 1


@pytest.mark.parametrize(
    "received",
    ["2026-09-21T14:13:50Z", "2026-09-21T14:13:50.000Z", "2026-09-21T16:13:51+02:00", "2026-09-21T15:00:00Z"],
)
def test_an_sms_received_within_the_activation_is_its_own(shop: Shop, received: str) -> None:
    partner = shop.partner()
    shop.cloud.clock.advance(seconds=30)
    activation_id = shop.buy(partner).body["activationId"]
    shop.cloud.clock.advance(seconds=10)
    shop.deliver(shop.source(), _sms(receivedAt=received))
    assert _texts(shop, partner, activation_id) == ["Your code: 5015"]


def test_a_time_of_receipt_in_the_future_is_shown_as_now(shop: Shop) -> None:
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), _sms(receivedAt="2036-01-01T00:00:00Z"))
    (message,) = shop.messages(partner, activation_id).body["messages"]
    assert message["receivedAt"] == "2026-09-21T14:13:20+00:00"


def test_whole_seconds_mean_the_whole_second(shop: Shop) -> None:
    shop.cloud.clock.advance(ms=700)
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), _sms(receivedAt="2026-09-21T14:13:20Z"))
    assert _texts(shop, partner, activation_id) == ["Your code: 5015"]


@pytest.mark.parametrize("identity", [{"id": "abc"}, {"id": 17}, {"receivedAt": "2026-09-21T14:13:20Z"}, {}])
def test_the_same_delivery_twice_is_stored_once(shop: Shop, identity: dict[str, Any]) -> None:
    partner, source = shop.partner(), shop.source()
    activation_id = shop.buy(partner).body["activationId"]
    for _ in range(3):
        assert shop.deliver(source, _sms(**identity)).status == 200
        shop.cloud.clock.advance(seconds=30)
    assert len(_texts(shop, partner, activation_id)) == 1


def test_a_repeat_of_an_unclaimed_sms_never_reaches_the_next_buyer(shop: Shop) -> None:
    partner, source = shop.partner(), shop.source()
    shop.deliver(source, _sms(id="abc"))
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(source, _sms(id="abc"))
    assert _texts(shop, partner, activation_id) == []
    assert len(_kept(shop, Kind.UNCLAIMED)) == 1


def test_different_ids_with_the_same_words_are_two_sms(shop: Shop) -> None:
    partner, source = shop.partner(), shop.source()
    activation_id = shop.buy(partner).body["activationId"]
    for provider_id in ("1", "2"):
        shop.deliver(source, _sms(id=provider_id))
    assert len(_texts(shop, partner, activation_id)) == 2


def test_without_an_id_the_same_words_later_are_a_new_sms(shop: Shop) -> None:
    partner, source = shop.partner(), shop.source()
    activation_id = shop.buy(partner).body["activationId"]
    for _ in range(15):
        assert shop.deliver(source, _sms()).status == 200
        shop.cloud.clock.advance(minutes=2)
    assert len(_texts(shop, partner, activation_id)) == 15


@pytest.mark.parametrize("first", [0, 1_000, 60_000, 119_999])
def test_without_an_id_a_repeat_within_two_minutes_is_one_wherever_the_minutes_begin(shop: Shop, first: int) -> None:
    partner, source = shop.partner(), shop.source()
    activation_id = shop.buy(partner).body["activationId"]
    shop.cloud.clock.advance(ms=first)
    shop.deliver(source, _sms())
    shop.cloud.clock.advance(ms=119_999)
    shop.deliver(source, _sms())
    assert len(_texts(shop, partner, activation_id)) == 1


def test_a_payload_of_any_bytes_is_kept_as_it_is(shop: Shop) -> None:
    payload = b"\xff" * 200_000
    assert shop.deliver(shop.source(), None, raw=payload).status == 400
    (kept,) = _kept(shop, Kind.UNREADABLE)
    assert kept["payload"] == payload


def test_the_same_id_from_two_sources_is_two_sms(shop: Shop) -> None:
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    for source in (shop.source(), shop.source()):
        shop.deliver(source, _sms(id="abc"))
    assert len(_texts(shop, partner, activation_id)) == 2


@pytest.mark.parametrize("signature", ["", "00", "0" * 64, SECRET])
def test_a_wrong_or_missing_signature_is_401_and_stores_nothing(shop: Shop, signature: str) -> None:
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    reply = shop.deliver(shop.source(), _sms(), signature=signature)
    assert (reply.status, reply.body["status"]) == (401, "ERROR")
    assert _texts(shop, partner, activation_id) == []
    assert _kept(shop, Kind.UNCLAIMED) == _kept(shop, Kind.UNREADABLE) == []


@pytest.mark.parametrize("source_id", ["", "a" * 41, "a" * 3_000, "source 1", "Source1", "../x", "\ud800", "é"])
def test_what_can_be_no_source_is_refused_like_a_wrong_signature_and_not_looked_up(shop: Shop, source_id: str) -> None:
    replies: list[Reply] = []
    with Calls(shop.cloud.client) as calls:
        assert calls.of(lambda: replies.append(shop.deliver(source_id, _sms()))) == []
    unknown = shop.deliver("unknown", _sms())
    assert [(reply.status, reply.body) for reply in replies] == [(401, unknown.body)]


def test_an_unknown_source_is_refused_like_a_wrong_signature(shop: Shop) -> None:
    assert shop.deliver("nobody", _sms()) == shop.deliver(shop.source(), _sms(), signature="00")


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b'"text"', "body"),
        (b"[[]]", "body"),
        (b"\xff", "body"),
        (b"[" * 100_000, "body"),
        (b'{"from":"a","text":"b"}', "phone"),
        (b'{"phone":"44.7472","from":"a","text":"b"}', "phone"),
        (b'{"phone":"07472 190082","from":"a","text":"b"}', "phone"),
        (b'{"phone":447472190082.5,"from":"a","text":"b"}', "phone"),
        (b'{"phone":"447472190082","text":"b"}', "from"),
        (b'{"phone":"447472190082","from":"a"}', "text"),
        (b'{"phone":"447472190082","from":"a","text":5015}', "text"),
        (b'{"phone":"447472190082","from":"a","text":"\\ud800"}', "text"),
        (b'{"phone":"447472190082","from":"a","text":"b","id":""}', "id"),
        (b'{"phone":"447472190082","from":"a","text":"b","id":1.5}', "id"),
        (b'{"phone":"447472190082","from":"a","text":"b","receivedAt":"yesterday"}', "receivedAt"),
        (b'{"phone":"447472190082","from":"a","text":"b","receivedAt":"2026-01-01T00:00:00"}', "receivedAt"),
        (b'{"phone":"447472190082","from":"a","text":"b","receivedAt":17}', "receivedAt"),
        (b'[{"phone":"447472190082","from":"a","text":"b"},{"phone":"x"}]', "phone"),
    ],
)
def test_a_payload_that_cannot_be_read_is_400_and_kept_for_the_operator(shop: Shop, raw: bytes, named: str) -> None:
    partner, source = shop.partner(), shop.source()
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(source, None, raw=raw)
    reply = shop.deliver(source, None, raw=raw)
    assert reply.status == 400
    assert reply.body["message"].startswith(f"{named}: ")
    assert _texts(shop, partner, activation_id) == []
    (kept,) = _kept(shop, Kind.UNREADABLE)
    assert kept["source_id"] == source
    assert kept["reason"] == reply.body["message"]


def test_a_leading_plus_of_the_destination_is_ignored(shop: Shop) -> None:
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), _sms(phone=f"+{PHONE}"))
    assert len(_texts(shop, partner, activation_id)) == 1


def test_an_sms_keeps_every_character(shop: Shop) -> None:
    text = 'Код: 5015 \N{GRINNING FACE}\n\t"<b>&\0'
    partner = shop.partner()
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), _sms(text))
    assert _texts(shop, partner, activation_id) == [text]


# ---------------------------------------------------------------- what is noted of a source


def _noted(shop: Shop, source_id: str) -> Source:
    found = Sources(shop.cloud.db, shop.cloud.env["SOURCES_TABLE"], 0, shop.cloud.clock).find(source_id)
    assert found is not None
    return found


@pytest.mark.parametrize("payload", [_sms(), [], _sms(phone="447000000000")])
def test_a_delivery_that_is_authentic_is_when_its_source_was_heard(shop: Shop, payload: object) -> None:
    source, other = shop.source(), shop.source()
    assert shop.deliver(source, payload).status == 200
    assert (_noted(shop, source).last_heard_at, _noted(shop, source).last_unreadable) == (START, None)
    assert _noted(shop, other).last_heard_at is None


def test_a_delivery_that_is_not_authentic_is_not_heard(shop: Shop) -> None:
    source = shop.source()
    assert shop.deliver(source, _sms(), signature="00").status == 401
    assert shop.deliver(source, None, raw=b"{", signature="00").status == 401
    assert (_noted(shop, source).last_heard_at, _noted(shop, source).last_unreadable) == (None, None)


def test_a_payload_that_cannot_be_read_is_noted_with_the_reason_and_was_heard(shop: Shop) -> None:
    source = shop.source()
    reply = shop.deliver(source, None, raw=b'{"phone": "hush"')
    noted = _noted(shop, source)
    assert noted.last_unreadable == Unreadable(START, reply.body["message"])
    assert "hush" not in reply.body["message"]
    assert noted.last_heard_at == START
    shop.cloud.clock.advance(minutes=1)
    shop.deliver(source, _sms())
    assert _noted(shop, source) == replace(noted, last_heard_at=START + 60_000)


@pytest.mark.parametrize("cache_seconds", ["0", "30", "60"])
def test_what_is_heard_is_noted_once_a_minute_by_however_many_environments(shop: Shop, cache_seconds: str) -> None:
    environments = [Shop(shop.cloud, {"CACHE_SECONDS": cache_seconds}) for _ in range(3)]
    source = shop.source()
    noted_at = set()
    for second in range(0, 300, 5):
        shop.cloud.clock.at = START + second * 1_000
        for environment in environments:
            environment.deliver(source, [])
            last_heard_at = _noted(shop, source).last_heard_at
            assert last_heard_at is not None
            assert shop.cloud.clock() - last_heard_at < 60_000
            noted_at.add(last_heard_at)
    assert noted_at == {START + minute * 60_000 for minute in range(5)}


def test_a_gateway_that_sends_nothing_readable_is_noted_once_a_minute(shop: Shop) -> None:
    source = shop.source()
    with Calls(shop.cloud.client) as calls:
        first, *others = [
            calls.of(lambda n=n: shop.deliver(source, None, raw=b"{" * n))  # type: ignore[misc]
            for n in range(1, 5)
        ]
    assert "UpdateItem" in first
    assert not any("UpdateItem" in calls for calls in others)


def test_a_source_that_cannot_be_noted_delivers_all_the_same_and_is_not_tried_again_for_a_minute(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    partner, source = shop.partner(), shop.source()
    activation_id = shop.buy(partner).body["activationId"]
    asked: list[str] = []

    def fault(operation: str) -> Fault | None:
        asked.append(operation)
        return Fault.THROTTLED if operation == "UpdateItem" else None

    client: Any = FailingClient(shop.cloud.client, fault)
    failing = Shop(replace(shop.cloud, db=Dynamo(client, pause=lambda _: None)), {"CACHE_SECONDS": "60"})
    assert failing.deliver(source, _sms("a")).status == 200
    assert [record.message for record in caplog.records][-1] == "source_not_noted"
    asked.clear()
    assert failing.deliver(source, _sms("b")).status == 200
    assert failing.deliver(source, None, raw=b"{").status == 400
    assert asked.count("UpdateItem") == 8, "the tries of one note, of what can't be read"
    assert sorted(_texts(shop, partner, activation_id)) == ["a", "b"]
    assert len(_kept(shop, Kind.UNREADABLE)) == 1


def test_an_sms_that_could_not_be_stored_is_not_heard(shop: Shop) -> None:
    source = shop.source()
    client: Any = FailingClient(
        shop.cloud.client, lambda operation: Fault.THROTTLED if operation == "PutItem" else None
    )
    failing = Shop(replace(shop.cloud, db=Dynamo(client, pause=lambda _: None)))
    assert failing.deliver(source, _sms()).status == 503
    assert _noted(shop, source).last_heard_at is None


def test_a_source_that_is_removed_while_it_delivers_does_not_come_back(shop: Shop) -> None:
    source = shop.source()
    warm = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    warm.deliver(source, [])
    Sources(shop.cloud.db, shop.cloud.env["SOURCES_TABLE"], 0, shop.cloud.clock).remove(source)
    shop.cloud.clock.advance(ms=59_999)
    assert warm.deliver(source, []).status == 200
    for environment in (warm, shop):
        shop.cloud.clock.advance(minutes=1)
        assert environment.deliver(source, []).status == 401
    assert shop.cloud.client.scan(TableName=shop.cloud.env["SOURCES_TABLE"])["Items"] == []


def test_operators_see_when_a_source_was_heard_and_what_could_not_be_read(shop: Shop) -> None:
    source = shop.source()
    shop.deliver(source, _sms())
    shop.cloud.clock.advance(seconds=30)
    reason = shop.deliver(source, None, raw=b"{").body["message"]
    (shown,) = Desk(shop.cloud).get("/admin/sources").body["sources"]
    at = "2026-09-21T14:13:50+00:00"
    assert (shown["lastHeardAt"], shown["lastUnreadable"]) == (at, {"at": at, "reason": reason})
