"""Inbound SMS: contract 1.6 and 4."""

import gzip
import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from globalconnect.domain.ids import SourceId, sms_id_of
from globalconnect.domain.inbound import InboxKind
from globalconnect.domain.source import Problem, Source
from globalconnect.domain.times import to_iso
from globalconnect.store.sources import Sources
from simulation.aws import START
from simulation.calls import Calls
from simulation.desk import Desk
from simulation.failing import Fault, failing_cloud
from simulation.meanwhile import crossed
from simulation.shop import Shop, present

PHONE = "447472190082"


def _sms(text: str = "Your code: 5015", **more: object) -> dict[str, object]:
    return {"phone": PHONE, "from": "Microsoft", "text": text, **more}


def _texts(shop: Shop, partner: Any, activation_id: int) -> list[str]:
    return [message["text"] for message in shop.messages(partner, activation_id).body.get("messages", [])]


def _kept(shop: Shop, kind: InboxKind) -> list[dict[str, Any]]:
    inbox = shop.inbound_parts.inbox
    listed = inbox.unclaimed if kind is InboxKind.UNCLAIMED else inbox.unreadable
    return [asdict(kept) for kept in listed(100, None, shop.cloud.clock()).items]


def _noted(shop: Shop, source_id: str) -> Source:
    return present(_sources(shop).find(SourceId(source_id)))


def _sources(shop: Shop) -> Sources:
    return Sources(shop.cloud.db, shop.cloud.env["SOURCES_TABLE"], 0, shop.cloud.clock)


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


def test_an_sms_belongs_to_the_activation_that_holds_its_number(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    reply = shop.deliver(shop.source(), _sms())
    assert (reply.status, reply.body) == (200, {"status": "SUCCESS"})
    assert _texts(shop, partner, activation_id) == ["Your code: 5015"]
    assert _kept(shop, InboxKind.UNCLAIMED) == []


def test_a_list_of_sms_is_taken_whole(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    parts = [_sms("part 1", id=1), _sms("part 2", id="1"), _sms("part 1", id=1.0)]
    shop.deliver(shop.source(), [_sms("a"), _sms("b"), _sms("a"), *parts])
    assert sorted(_texts(shop, partner, activation_id)) == ["a", "b", "part 1", "part 2"]


@pytest.mark.parametrize("case", ["never sold", "finished", "expired", "swept", "unknown number"])
def test_an_sms_that_no_activation_holds_is_unclaimed_and_shown_to_no_partner(shop: Shop, case: str) -> None:
    phone = "447000000000" if case == "unknown number" else PHONE
    partner, activation_id = shop.sold() if case != "never sold" else (shop.partner(), 1)
    if case == "finished":
        shop.finish(partner, activation_id, 5)
    if case in {"expired", "swept"}:
        shop.cloud.clock.advance(minutes=60)
    if case == "swept":
        shop.sweep()
    assert shop.deliver(shop.source(), _sms(phone=phone)).status == 200
    if case != "unknown number":
        assert _texts(shop, *shop.sold()) == []
    assert _texts(shop, partner, activation_id) == []
    (unclaimed,) = _kept(shop, InboxKind.UNCLAIMED)
    assert (unclaimed["phone"], unclaimed["text"]) == (phone, "Your code: 5015")


@pytest.mark.parametrize(
    ("received", "is_its_own"),
    [
        ("2026-09-21T14:13:19Z", False),
        ("2026-09-21T14:13:50Z", True),
        ("2026-09-21T14:13:50.000Z", True),
        ("2026-09-21T16:13:51+02:00", True),
        ("2026-09-21T15:00:00Z", True),
    ],
)
def test_an_sms_received_before_the_activation_began_is_unclaimed_and_one_within_it_is_its_own(
    shop: Shop, received: str, *, is_its_own: bool
) -> None:
    shop.cloud.clock.advance(seconds=30)
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(seconds=10)
    shop.deliver(shop.source(), _sms(receivedAt=received))
    assert len(_texts(shop, partner, activation_id)) == is_its_own
    assert len(_kept(shop, InboxKind.UNCLAIMED)) == (not is_its_own)


def test_a_time_of_receipt_in_the_future_is_shown_as_now(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    shop.deliver(shop.source(), _sms(receivedAt="2036-01-01T00:00:00Z"))
    (message,) = shop.messages(partner, activation_id).body["messages"]
    assert message["receivedAt"] == "2026-09-21T14:13:20+00:00"


_AT = "2026-09-21T14:13:20Z", "2026-09-21T14:20:00Z"
_AHEAD = "2036-01-01T00:00:00Z", "2036-01-01T00:00:01Z"


@pytest.mark.parametrize(
    ("apart", "deliveries", "stored"),
    [
        pytest.param(30_000, [{"id": "abc"}] * 3, 1, id="the same id"),
        pytest.param(30_000, [{"id": 17}] * 3, 1, id="the same number as id"),
        pytest.param(0, [{"id": "1"}, {"id": "2"}], 2, id="different ids"),
        pytest.param(0, [{"id": "17"}, {"id": "17", "text": "another"}] * 2, 2, id="the same id with another text"),
        pytest.param(0, [{"id": "17", "phone": "447472190083"}, {"id": "17"}], 1, id="the same id to another number"),
        pytest.param(30_000, [{}] * 3, 1, id="neither id nor time, soon"),
        pytest.param(120_000, [{}] * 15, 15, id="neither id nor time, later"),
        pytest.param(30_000, [{"receivedAt": _AT[0]}] * 3, 1, id="the same time, soon"),
        pytest.param(300_000, [{"receivedAt": at} for at in _AT * 2], 2, id="the same times, however late"),
        pytest.param(300_000, [{"receivedAt": at} for at in _AHEAD * 2], 2, id="the same times, ahead of ours"),
    ],
)
def test_an_sms_is_known_by_its_id_and_words_or_without_an_id_by_its_words_and_time(
    shop: Shop, apart: int, deliveries: list[dict[str, Any]], stored: int
) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    for fields in deliveries:
        assert shop.deliver(source, {**_sms(), **fields}).status == 200
        shop.cloud.clock.advance(ms=apart)
    assert len(_texts(shop, partner, activation_id)) == stored


@pytest.mark.parametrize("first", [0, 1_000, 60_000, 119_999])
def test_without_an_id_a_repeat_within_two_minutes_is_one_wherever_the_minutes_begin(shop: Shop, first: int) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    for ms in (first, 119_999):
        shop.cloud.clock.advance(ms=ms)
        shop.deliver(source, _sms())
    assert len(_texts(shop, partner, activation_id)) == 1


def test_a_repeat_of_an_unclaimed_sms_never_reaches_the_next_buyer(shop: Shop) -> None:
    source = shop.source()
    shop.deliver(source, _sms(id="abc"))
    partner, activation_id = shop.sold()
    shop.deliver(source, _sms(id="abc"))
    assert _texts(shop, partner, activation_id) == []
    assert len(_kept(shop, InboxKind.UNCLAIMED)) == 1


def test_the_same_id_from_two_sources_is_two_sms(shop: Shop) -> None:
    partner, activation_id = shop.sold()
    for source in (shop.source(), shop.source()):
        shop.deliver(source, _sms(id="abc"))
    assert len(_texts(shop, partner, activation_id)) == 2


@pytest.mark.parametrize("source_id", ["", "a" * 41, "a" * 3_000, "source 1", "Source1", "../x", "\ud800", "é"])
def test_what_can_be_no_source_is_refused_like_a_wrong_signature_and_not_looked_up(shop: Shop, source_id: str) -> None:
    with Calls(shop.cloud.client) as calls:
        assert calls.of(lambda: shop.deliver(source_id, _sms())) == []
    assert shop.deliver(source_id, _sms()) == shop.deliver(shop.source(), _sms(), signature="00")


def test_an_unknown_source_is_refused_like_a_wrong_signature(shop: Shop) -> None:
    assert shop.deliver("nobody", _sms()) == shop.deliver(shop.source(), _sms(), signature="00")


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b'"text"', "body"),
        (b"[[]]", "body"),
        (b"\xff" * 200_000, "body"),
        (b"[" * 100_000, "body"),
        (b'{"from":"a","text":"b"}', "phone"),
        (b'{"phone":"SIM 1","from":"a","text":"b"}', "phone"),
        (b'{"phone":"1x7472190082","from":"a","text":"b"}', "phone"),
        (b'{"phone":447472190082.5,"from":"a","text":"b"}', "phone"),
        (b'{"phone":"447472190082","from":"a"}', "text"),
        (b'{"phone":"447472190082","from":"a","text":null}', "text"),
        (b'{"phone":"447472190082","from":"a","text":["b"]}', "text"),
        (b'[{"phone":"x","text":"b"},{"phone":"y"}]', "body"),
    ],
)
def test_a_payload_that_cannot_be_read_is_400_and_kept_for_staff(shop: Shop, raw: bytes, named: str) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    shop.deliver(source, None, raw=raw)
    reply = shop.deliver(source, None, raw=raw)
    assert reply.status == 400
    assert reply.body["message"].startswith(f"{named}: ")
    assert _texts(shop, partner, activation_id) == []
    (kept,) = _kept(shop, InboxKind.UNREADABLE)
    wanted = {"source_id": source, "body": raw, "reason": reply.body["message"], "stored_at": START, "method": "POST"}
    assert {name: kept[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("raw", "text", "phone_from"),
    [
        (b'{"phone":"+44 7472-190082","text":"a"}', "a", ""),
        (b'{"phone":447472190082,"from":79001,"text":5015}', "5015", "79001"),
        (b'{"phone":"447472190082","from":null,"text":""}', "", ""),
        (b'{"phone":"447472190082","from":["x"],"text":0.50}', "0.50", ""),
        (b'{"phone":"447472190082","from":"\\ude00","text":"81523 \\ud83d"}', "81523 \ufffd", "\ufffd"),
        (b'{"phone":"447472190082","from":"a","text":"caf\xe9"}', "caf\ufffd", "a"),
        (b'{"phone":"447472190082","from":"a","text":"one\ntwo"}', "one\ntwo", "a"),
        (b'{"phone":"447472190082","from":"a","text":"b","id":"","more":NaN}', "b", "a"),
        (b'{"phone":"447472190082","from":"a","text":"b","id":{"n":1}}', "b", "a"),
        (b'{"phone":"447472190082","from":"a","text":"b","id":"' + b"7" * 300 + b'"}', "b", "a"),
        (b'{"phone":"447472190082","from":"' + b"s" * 300 + b'","text":"b"}', "b", "s" * 255 + "\u2026"),
        (b'{"phone":"447472190082","from":"a","text":"' + b"t" * 20_001 + b'"}', "t" * 19_999 + "\u2026", "a"),
        (b'{"phone":"447472190082","from":"a","text":"' + b"t" * 20_000 + b'"}', "t" * 20_000, "a"),
    ],
)
def test_what_can_be_read_in_one_way_is_read(shop: Shop, raw: bytes, text: str, phone_from: str) -> None:
    partner, activation_id = shop.sold()
    assert shop.deliver(shop.source(), None, raw=raw).status == 200
    (message,) = shop.messages(partner, activation_id).body["messages"]
    assert (message["text"], message["phoneFrom"]) == (text, phone_from)


@pytest.mark.parametrize("phone", ["07472 190082", "+44 (0)7472 190082", "44.7472.190082", "4" * 16, "900"])
def test_a_number_that_is_none_of_ours_as_it_is_written_is_unclaimed_as_delivered(shop: Shop, phone: str) -> None:
    assert shop.deliver(shop.source(), _sms(phone=phone)).status == 200
    (kept,) = _kept(shop, InboxKind.UNCLAIMED)
    assert kept["phone"] == phone


@pytest.mark.parametrize(
    "stated",
    ["yesterday", "2026-01-01T00:00:00", 17, "0001-01-01T00:00:00Z", {}, "2026-01-01T00:00:00Z\ud83d", "\ude00"],
)
def test_a_time_that_cannot_be_used_counts_as_none_and_is_noted_with_the_source(shop: Shop, stated: object) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    assert shop.deliver(source, _sms(receivedAt=stated)).status == 200
    assert _texts(shop, partner, activation_id) == ["Your code: 5015"]
    assert _noted(shop, source).last_untimed == Problem(START, "receivedAt: expected an ISO 8601 time with its offset")


def test_staff_see_when_a_source_was_heard_what_could_not_be_read_and_that_it_states_no_times(shop: Shop) -> None:
    source, other = shop.source(), shop.source()
    shop.deliver(source, _sms())
    shop.deliver(other, _sms("other", receivedAt="2026-09-21T14:13:20Z"))
    shop.cloud.clock.advance(seconds=30)
    reason = shop.deliver(source, None, raw=b"{").body["message"]
    first, then = "2026-09-21T14:13:20+00:00", "2026-09-21T14:13:50+00:00"
    shown = {
        one["sourceId"]: (one["lastHeardAt"], one["lastUnreadable"], one["lastUntimed"])
        for one in Desk(shop.cloud).get("/admin/sources").body["sources"]
    }
    assert shown == {
        source: (then, {"at": then, "reason": reason}, {"at": first, "reason": "receivedAt: not given"}),
        other: (first, None, None),
    }


def test_of_a_list_what_cannot_be_read_is_kept_for_staff_and_the_others_are_stored(shop: Shop) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    sent = [_sms("a"), {"phone": PHONE, "amount": 5}, 17, _sms("b")]
    for _ in range(2):
        assert shop.deliver(source, sent).status == 200
    assert sorted(_texts(shop, partner, activation_id)) == ["a", "b"]
    kept = {item["body"]: item["reason"] for item in _kept(shop, InboxKind.UNREADABLE)}
    assert kept == {
        f'{{"phone": "{PHONE}", "amount": "5"}}'.encode(): "text: expected a text",
        b'"17"': "body: expected a JSON object, or a list of them",
    }
    assert _noted(shop, source).last_unreadable is not None


@pytest.mark.parametrize("filling", [b"\xff" * 200_000, b"\x01" * 200_000, "я".encode() * 100_000])
def test_a_part_of_a_list_that_cannot_be_read_is_kept_however_long_it_is_as_text(shop: Shop, filling: bytes) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    raw = b"[" + json.dumps(_sms()).encode() + b',{"foo":"' + filling + b'"}]'
    for _ in range(2):
        assert shop.deliver(source, None, raw=raw).status == 200
    assert _texts(shop, partner, activation_id) == ["Your code: 5015"]
    (kept,) = _kept(shop, InboxKind.UNREADABLE)
    assert kept["body"].startswith(b'{"foo": "')


def test_what_of_a_list_is_stored_after_its_activation_is_finished_is_shown_as_it_arrived_before(shop: Shop) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    parts = shop.inbound_parts

    def finish() -> None:
        shop.cloud.clock.advance(ms=300)
        shop.finish(partner, activation_id, 3)

    shop.inbound_parts = replace(parts, arrivals=crossed(parts.arrivals, "store", finish))
    assert shop.deliver(source, [_sms("one"), _sms("two"), _sms("three", id=3)]).status == 200
    assert sorted(_texts(shop, partner, activation_id)) == ["one", "three", "two"]
    assert _kept(shop, InboxKind.UNCLAIMED) == []


def test_more_than_100_sms_at_once_are_413_store_nothing_and_are_noted_with_the_source(shop: Shop) -> None:
    (partner, activation_id), source = shop.sold(), shop.source()
    reply = shop.deliver(source, [_sms(str(n)) for n in range(101)])
    assert reply.status == 413
    assert _texts(shop, partner, activation_id) == []
    assert _noted(shop, source).last_unreadable == Problem(START, reply.body["message"])


def test_gzip_that_cannot_be_unpacked_is_judged_by_its_signature_first(shop: Shop) -> None:
    source, cut = shop.source(), gzip.compress(json.dumps(_sms()).encode())[:-4]
    assert shop.deliver(source, None, raw=cut, signature="00").status == 401
    assert shop.deliver(source, None, raw=cut).status == 400
    assert [item["body"] for item in _kept(shop, InboxKind.UNREADABLE)] == [cut]


# ---------------------------------------------------------------- the same SMS, and another


def _sell_on(shop: Shop, partner: Any, activation_id: int) -> tuple[Any, int]:
    shop.finish(partner, activation_id, 5)
    return shop.sold()


@pytest.mark.parametrize(
    ("first", "copy"),
    [({}, {}), ({"receivedAt": _AT[0]}, {"receivedAt": _AT[0]}), ({"id": "abc"}, {})],
    ids=["neither id nor time", "time", "copies without the id"],
)
@pytest.mark.parametrize("minutes", [0, 2, 60 * 24 * 29])
def test_without_an_id_a_copy_of_a_former_buyers_sms_is_never_the_next_ones_and_counts_in_one_entry(
    shop: Shop, first: dict[str, str], copy: dict[str, str], minutes: int
) -> None:
    (former, activation_id), source = shop.sold(), shop.source()
    shop.deliver(source, _sms(**first))
    buyer, next_id = _sell_on(shop, former, activation_id)
    shop.cloud.clock.advance(minutes=minutes)
    if minutes > 60:
        next_id = shop.buy(buyer).body["activationId"]
    for copied_from in (source, source, shop.source()):
        assert shop.deliver(copied_from, _sms(**copy)).status == 200
        assert shop.deliver(copied_from, _sms(receivedAt="2026-09-21T15:00:00Z")).status == 200
    assert _texts(shop, buyer, next_id) == []
    (kept,) = Desk(shop.cloud).get("/admin/unclaimed").body["messages"]
    assert (kept["reason"], kept["repeats"]) == ("may be a repeat of an earlier SMS", 6)


def test_without_an_id_a_copy_of_an_unclaimed_sms_is_counted_with_it_whoever_holds_the_number_then(shop: Shop) -> None:
    source = shop.source()
    shop.deliver(source, _sms())
    partner, activation_id = shop.sold()
    for _ in range(2):
        shop.cloud.clock.advance(minutes=5)
        shop.deliver(source, _sms())
    assert _texts(shop, partner, activation_id) == []
    (kept,) = Desk(shop.cloud).get("/admin/unclaimed").body["messages"]
    assert (kept["reason"], kept["repeats"]) == ("no activation held the number", 2)


def test_what_comes_without_a_time_for_the_first_time_after_a_resale_is_the_holders(shop: Shop) -> None:
    buyer, next_id = _sell_on(shop, *shop.sold())
    shop.deliver(shop.source(), _sms())
    assert _texts(shop, buyer, next_id) == ["Your code: 5015"]


@pytest.mark.parametrize(
    ("free_for", "before_sale", "is_the_buyers"),
    [
        (3_600, 0, True),
        (3_600, 1, True),
        (3_600, 60, True),
        (3_600, 61, False),
        (60, 60, True),
        (30, 30, True),
        (30, 31, False),
        (0, 0, True),
        (0, 1, False),
    ],
)
def test_a_gateways_clock_may_be_slow_by_less_than_the_number_had_been_free(
    shop: Shop, free_for: int, before_sale: int, *, is_the_buyers: bool
) -> None:
    shop.finish(*shop.sold(), 5)
    shop.cloud.clock.advance(seconds=free_for)
    buyer, activation_id = shop.sold()
    stated = to_iso(shop.cloud.clock() - before_sale * 1_000)
    shop.cloud.clock.advance(seconds=5)
    shop.deliver(shop.source(), _sms(receivedAt=stated))
    assert bool(_texts(shop, buyer, activation_id)) is is_the_buyers
    reasons = [kept["reason"] for kept in _kept(shop, InboxKind.UNCLAIMED)]
    assert reasons == ([] if is_the_buyers else ["received before the activation began"])


@pytest.mark.parametrize(
    ("stated", "is_the_buyers"),
    [
        ("14:14", True),
        ("14:13", False),
        ("14", True),
        ("14:14:50", True),
        ("14:14:49", False),
        ("14:14:50.000", True),
        ("14:14:49.999", False),
    ],
)
def test_a_time_means_all_that_it_is_stated_to(shop: Shop, stated: str, *, is_the_buyers: bool) -> None:
    former, former_id = shop.sold()
    shop.cloud.clock.advance(seconds=90)
    shop.finish(former, former_id, 5)
    shop.cloud.clock.advance(ms=500)
    buyer, activation_id = shop.sold()
    shop.cloud.clock.advance(seconds=10)
    shop.deliver(shop.source(), _sms(receivedAt=f"2026-09-21T{stated}+00:00"))
    assert bool(_texts(shop, buyer, activation_id)) is is_the_buyers


# ---------------------------------------------------------------- past retention


def _after_retention(shop: Shop, partner: Any) -> int:
    """Let the retention of what there is end, though DynamoDB has not deleted it yet; sell the number."""
    shop.cloud.clock.advance(minutes=60 * 24 * 30, seconds=1)
    return int(shop.buy(partner).body["activationId"])


@pytest.mark.parametrize("identity", [{"id": 17}, {}, {"receivedAt": "2026-11-01T00:00:00Z"}])
@pytest.mark.parametrize("was", ["unclaimed", "another's"])
def test_what_is_past_its_retention_is_no_repeat_though_it_is_not_deleted_yet(
    shop: Shop, identity: dict[str, Any], was: str
) -> None:
    partner, source = shop.partner(), shop.source()
    if was == "another's":
        shop.buy(shop.partner())
    shop.deliver(source, _sms(**identity))
    activation_id = _after_retention(shop, partner)
    for _ in range(2):
        assert shop.deliver(source, _sms(**identity)).status == 200
    assert _texts(shop, partner, activation_id) == ["Your code: 5015"]


def test_what_is_kept_for_staff_is_kept_anew_when_it_comes_again_past_its_retention(shop: Shop) -> None:
    partner, source = shop.partner(), shop.source()
    for _ in range(2):
        shop.deliver(source, [_sms("good", id=1), {"phone": "x"}])
        _after_retention(shop, partner)
        shop.cloud.clock.advance(minutes=61)
    shop.deliver(source, [_sms("good", id=1), {"phone": "x"}])
    assert len(Desk(shop.cloud).get("/admin/unreadable").body["payloads"]) == 1


def test_a_copy_is_kept_as_long_as_it_comes(shop: Shop) -> None:
    sold, source = shop.sold(), shop.source()
    shop.deliver(source, _sms())
    _sell_on(shop, *sold)
    shop.cloud.clock.advance(minutes=60 * 24 * 15)
    shop.deliver(source, _sms())
    shop.cloud.clock.advance(minutes=60 * 24 * 14)
    shop.deliver(source, _sms())
    shop.cloud.clock.advance(minutes=60 * 24 * 29)
    (kept,) = Desk(shop.cloud).get("/admin/unclaimed").body["messages"]
    assert kept["repeats"] == 2


# ---------------------------------------------------------------- entries of an earlier version


def _entered_before(shop: Shop, source_id: str, name: str, **content: object) -> None:
    inbox = shop.inbound_parts.inbox
    item = {
        "inbox_id": str(sms_id_of(SourceId(source_id), name, 0)),
        "source_id": source_id,
        "delivery": name,
        "stored_at": START,
        "expire_at": START // 1_000 + 86_400,
    }
    shop.cloud.db.put(inbox.table, {**item, **content})


def _name_before(stated: str | None = None, window: int | None = None) -> str:
    words = "\n".join((PHONE, "Microsoft", "Your code: 5015", str(stated)))
    name = f"words\n{hashlib.sha256(words.encode()).hexdigest()}"
    return name if window is None else f"{name}\n{window}"


STATED = "2026-09-21T14:13:20Z"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"id": 17}, "id\n17"),
        ({"receivedAt": STATED}, _name_before(STATED)),
        ({}, _name_before(window=START // 120_000)),
        ({}, _name_before(window=START // 120_000 - 1)),
    ],
)
def test_what_an_earlier_version_may_have_stored_is_unclaimed_once(
    shop: Shop, fields: dict[str, Any], name: str
) -> None:
    partner, source = shop.partner(), shop.source()
    _entered_before(shop, source, name)
    activation_id = shop.buy(partner).body["activationId"]
    for _ in range(3):
        assert shop.deliver(source, _sms(**fields)).status == 200
        shop.cloud.clock.advance(seconds=30)
    assert _texts(shop, partner, activation_id) == []
    (kept,) = Desk(shop.cloud).get("/admin/unclaimed").body["messages"]
    assert (kept["text"], kept["reason"], kept["repeats"]) == (
        "Your code: 5015",
        "may be a repeat of an earlier SMS",
        2,
    )


def test_what_an_earlier_version_kept_unclaimed_is_counted_and_another_sms_under_its_id_is_the_buyers(
    shop: Shop,
) -> None:
    partner, source = shop.partner(), shop.source()
    words = {"phone": PHONE, "phone_from": "Microsoft", "text": "Your code: 5015", "received_at": START}
    _entered_before(shop, source, "id\n17", kind="unclaimed", **words)
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(source, _sms(id=17))
    shop.deliver(source, _sms("another", id=17))
    assert _texts(shop, partner, activation_id) == ["another"]
    (kept,) = Desk(shop.cloud).get("/admin/unclaimed").body["messages"]
    assert (kept["text"], kept["repeats"]) == ("Your code: 5015", 1)


# ---------------------------------------------------------------- what is noted of a source


def test_a_payload_that_cannot_be_read_is_noted_with_the_reason_and_was_heard(shop: Shop) -> None:
    source = shop.source()
    reply = shop.deliver(source, None, raw=b'{"phone": "hush"')
    noted = _noted(shop, source)
    assert (noted.last_unreadable, noted.last_heard_at) == (Problem(START, reply.body["message"]), START)
    assert "hush" not in reply.body["message"]
    shop.cloud.clock.advance(minutes=1)
    shop.deliver(source, [])
    assert _noted(shop, source) == replace(noted, last_heard_at=START + 60_000)


def test_what_is_heard_is_noted_once_a_minute_by_however_many_environments(shop: Shop) -> None:
    environments = [Shop(shop.cloud, {"CACHE_SECONDS": "60"}) for _ in range(3)]
    source = shop.source()
    noted_at = set()
    for second in range(0, 300, 5):
        shop.cloud.clock.at = START + second * 1_000
        for environment in environments:
            environment.deliver(source, [])
            last_heard_at = present(_noted(shop, source).last_heard_at)
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
    (partner, activation_id), source = shop.sold(), shop.source()
    asked: list[str] = []

    def fault(operation: str) -> Fault | None:
        asked.append(operation)
        return Fault.THROTTLED if operation == "UpdateItem" else None

    failing = Shop(failing_cloud(shop.cloud, fault), {"CACHE_SECONDS": "60"})
    assert failing.deliver(source, _sms("a")).status == 200
    assert [record.message for record in caplog.records][-1] == "source_not_noted"
    asked.clear()
    assert failing.deliver(source, _sms("b")).status == 200
    assert failing.deliver(source, None, raw=b"{").status == 400
    assert asked.count("UpdateItem") == 16, (
        "the tries of two notes: by whom a number was heard, and of what can't be read"
    )
    assert sorted(_texts(shop, partner, activation_id)) == ["a", "b"]
    assert len(_kept(shop, InboxKind.UNREADABLE)) == 1


def test_an_sms_that_could_not_be_stored_is_not_heard(shop: Shop) -> None:
    source = shop.source()
    fault = {"TransactWriteItems": Fault.THROTTLED}.get
    failing = Shop(failing_cloud(shop.cloud, fault))
    assert failing.deliver(source, _sms()).status == 503
    assert _noted(shop, source).last_heard_at is None


def test_a_source_that_is_removed_while_it_delivers_does_not_come_back(shop: Shop) -> None:
    source = shop.source()
    warm = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    warm.deliver(source, [])
    _sources(shop).remove(SourceId(source))
    shop.cloud.clock.advance(ms=59_999)
    assert warm.deliver(source, []).status == 200
    for environment in (warm, shop):
        shop.cloud.clock.advance(minutes=1)
        assert environment.deliver(source, []).status == 401
    assert shop.cloud.client.scan(TableName=shop.cloud.env["SOURCES_TABLE"])["Items"] == []


def test_wrong_signatures_have_a_source_read_once_a_second_at_most(shop: Shop) -> None:
    source_id = shop.source()
    warm = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    assert warm.deliver(source_id, []).status == 200
    with Calls(shop.cloud.client) as calls:

        def knock() -> None:
            for _ in range(20):
                assert warm.deliver(source_id, [], signature="0" * 64).status == 401

        assert calls.of(knock) == []
        shop.cloud.clock.advance(seconds=1)
        assert calls.of(knock) == ["GetItem"]
