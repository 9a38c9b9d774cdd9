"""SMS that come in on lines: mapped, not mapped yet, mapped to another number since (contract 4, changes of mapping 5)."""

from dataclasses import replace
from functools import partial

import pytest

import sweep.app
from globalconnect.domain.ids import SmsId, SourceId
from globalconnect.domain.inbound import UnclaimedReason
from globalconnect.domain.number import TEST_FOR
from globalconnect.domain.partner import Partner
from globalconnect.domain.times import to_iso
from globalconnect.inbound.receive import place
from globalconnect.inbound.waiting import place_waiting
from globalconnect.store.inbox import inbox_key
from globalconnect.store.lines import Lines
from simulation.aws import START
from simulation.desk import Desk
from simulation.meanwhile import crossed
from simulation.shop import Reply, Shop, present
from sweep.sweep import Sweep

PHONE, OTHER = "447472190082", "447472190083"
LINE = "dv-19:2"


@pytest.fixture(autouse=True)
def _stock(shop: Shop) -> None:
    shop.sell("tg")
    shop.stock(PHONE)


@pytest.fixture
def source(shop: Shop) -> str:
    return shop.source()


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop.cloud)


def _deliver(shop: Shop, source: str, text: str = "5015", **more: object) -> Reply:
    reply = shop.deliver(source, {"from": "Bank", "text": text, "line": LINE, **more})
    assert reply.status == 200
    return reply


def _map(desk: Desk, source: str, lines: dict[str, str] | None = None) -> Reply:
    rows = [{"line": line, "phone": phone} for line, phone in ({LINE: PHONE} if lines is None else lines).items()]
    return desk.put(f"/admin/sources/{source}/lines", rows)


def _shown(shop: Shop, sold: tuple[Partner, int]) -> list[str]:
    return [message["text"] for message in shop.messages(*sold).body.get("messages", [])]


def _waiting(desk: Desk) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = desk.get("/admin/waiting").body["messages"]
    return messages


def _unclaimed(desk: Desk) -> list[tuple[str, str]]:
    return [(one["text"], one["reason"]) for one in desk.get("/admin/unclaimed").body["messages"]]


def test_an_sms_on_a_mapped_line_is_its_numbers_whatever_the_gateway_takes_its_number_for(
    shop: Shop, desk: Desk, source: str
) -> None:
    assert _map(desk, source).body == {"lines": 1, "placed": 0}
    sold = shop.sold()
    _deliver(shop, source, id="1", phone=OTHER)
    assert _shown(shop, sold) == ["5015"]


def test_an_sms_on_a_line_that_nobody_mapped_is_kept_with_its_name_until_somebody_does(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold = shop.sold()
    for _ in range(2):
        _deliver(shop, source, id="1")
    assert _shown(shop, sold) == []
    (kept,) = _waiting(desk)
    assert (kept["line"], kept["text"], kept["repeats"]) == (LINE, "5015", 1)
    lines = desk.get(f"/admin/sources/{source}/lines").body["lines"]
    unknown = dict.fromkeys(("phone", "online", "since", "soldUntil"))
    assert lines == [{"line": LINE, "heardAt": to_iso(START), **unknown}]
    assert _map(desk, source).body == {"lines": 1, "placed": 1}
    assert _shown(shop, sold) == ["5015"]
    assert (_waiting(desk), _unclaimed(desk)) == ([], [])
    # Its gateway sends it once more, and staff map once more.
    _deliver(shop, source, id="1")
    assert _map(desk, source).body == {"lines": 1, "placed": 0}
    assert _shown(shop, sold) == ["5015"]


@pytest.mark.parametrize("named", [{"id": "1"}, {}, {"receivedAt": to_iso(START)}], ids=["id", "nothing", "time"])
def test_what_waited_is_nobodys_who_bought_the_number_after_it_came(
    shop: Shop, desk: Desk, source: str, named: dict[str, str]
) -> None:
    _deliver(shop, source, **named)
    shop.cloud.clock.advance(seconds=1)
    sold = shop.sold()
    assert _map(desk, source).body["placed"] == 1
    _deliver(shop, source, **named)
    assert _shown(shop, sold) == []
    assert [text for text, _ in _unclaimed(desk)] == ["5015"]


def test_what_waited_is_its_activations_that_has_ended_since_and_pushed_to_nobody(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold = shop.sold()
    _deliver(shop, source, id="1")
    shop.cloud.clock.advance(seconds=1)
    shop.finish(*sold, 5)
    next_one = shop.sold()
    _map(desk, source)
    assert (_shown(shop, sold), _shown(shop, next_one)) == (["5015"], [])
    (message,) = desk.get(f"/admin/activations/{sold[1]}").body["messages"]
    assert message["pushState"] == "stopped"


def test_what_waited_and_was_held_many_sales_ago_is_found_in_the_numbers_history(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold = shop.sold()
    _deliver(shop, source, id="1")
    shop.cloud.clock.advance(seconds=1)
    shop.finish(*sold, 5)
    later = sold
    for _ in range(12):
        shop.cloud.clock.advance(minutes=5)
        later = shop.sold()
        shop.finish(*later, 5)
    _map(desk, source)
    assert (_shown(shop, sold), _shown(shop, later)) == (["5015"], [])


@pytest.mark.parametrize("named", [{"id": "1"}, {}], ids=["id", "nothing"])
def test_the_same_sms_again_is_not_that_of_the_number_its_line_has_become(
    shop: Shop, desk: Desk, source: str, named: dict[str, str]
) -> None:
    shop.stock(OTHER)
    _map(desk, source)
    assert {shop.buy(shop.partner()).body["number"] for _ in range(2)} == {PHONE, OTHER}
    _deliver(shop, source, **named)
    _map(desk, source, {LINE: OTHER})
    _deliver(shop, source, **named)
    activations = [one["activationId"] for one in desk.get("/admin/activations").body["activations"]]
    messages = [desk.get(f"/admin/activations/{one}").body["messages"] for one in activations]
    assert sorted(map(len, messages)) == [0, 1]


def test_an_sms_that_came_while_its_line_was_being_mapped_is_placed_by_the_sweep(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold = shop.sold()
    _deliver(shop, source, id="1")
    lines = Lines(shop.cloud.db, shop.cloud.env["LINES_TABLE"])
    lines.replace(SourceId(source), {LINE: PHONE})
    assert place_waiting(shop.inbound_parts, 1_000).count == 1
    assert _shown(shop, sold) == ["5015"]
    assert place_waiting(shop.inbound_parts, 1_000).count == 0


def test_what_a_gateway_takes_for_the_number_of_a_line_makes_no_second_sms(shop: Shop, desk: Desk, source: str) -> None:
    _map(desk, source)
    sold = shop.sold()
    for phone in (None, PHONE, "+44 7472 190082", OTHER):
        _deliver(shop, source, id="1", phone=phone)
    assert _shown(shop, sold) == ["5015"]


def test_however_a_gateway_calls_a_line_it_can_be_mapped(shop: Shop, desk: Desk, source: str) -> None:
    sold, line = shop.sold(), "SIM\u00a01\t#%/'\" \u200d"
    _deliver(shop, source, id="1", line=line)
    assert _map(desk, source, {line: PHONE}).body == {"lines": 1, "placed": 1}
    assert _shown(shop, sold) == ["5015"]


@pytest.mark.parametrize("named", [{"id": "1"}, {}, {"id": "1", "phone": "+44 7472 190099"}], ids=["id", "", "phone"])
def test_what_waits_for_a_line_of_a_source_that_is_removed_is_unclaimed(
    shop: Shop, desk: Desk, source: str, named: dict[str, str]
) -> None:
    another = shop.source()
    _deliver(shop, another)
    _deliver(shop, source, **named)
    assert desk.delete(f"/admin/sources/{source}").status == 200
    (kept,) = desk.get("/admin/unclaimed").body["messages"]
    assert (kept["text"], kept["reason"]) == ("5015", UnclaimedReason.SOURCE_REMOVED)
    assert kept["phone"] == ("447472190099" if "phone" in named else "")
    assert [one["sourceId"] for one in _waiting(desk)] == [another]


def test_what_comes_just_while_its_source_is_removed_is_unclaimed_by_the_sweep(
    shop: Shop, desk: Desk, source: str
) -> None:
    warm = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    _deliver(warm, source, id="1")
    assert desk.delete(f"/admin/sources/{source}").status == 200
    _deliver(warm, source, "5016", id="2")
    assert [one["text"] for one in _waiting(desk)] == ["5016"]
    for _ in range(2):
        shop.sweep()
    assert _waiting(desk) == []
    assert sorted(_unclaimed(desk)) == [(text, UnclaimedReason.SOURCE_REMOVED) for text in ("5015", "5016")]


def test_what_two_place_at_once_while_its_line_is_mapped_anew_is_stored_once(
    shop: Shop, desk: Desk, source: str
) -> None:
    first = shop.sold()
    shop.stock(OTHER)
    second = shop.sold()
    _deliver(shop, source, id="1")
    calm = shop.inbound_parts
    (waiting,) = calm.inbox.waiting(1, None, shop.cloud.clock()).items
    calm.lines.replace(SourceId(source), {LINE: PHONE})

    def meddle() -> None:
        calm.lines.replace(SourceId(source), {LINE: OTHER})
        assert place(waiting, calm)

    assert place(waiting, replace(calm, arrivals=crossed(calm.arrivals, "known", meddle)))
    assert (_shown(shop, first), _shown(shop, second)) == ([], ["5015"])
    assert (_waiting(desk), _unclaimed(desk)) == ([], [])


@pytest.fixture
def behind(shop: Shop, source: str) -> tuple[Partner, int]:
    """A sale whose SMS waits behind 1,200 newer ones, and whose line has been mapped since."""
    sold = shop.sold()
    _deliver(shop, source, id="1")
    shop.cloud.clock.advance(seconds=1)
    _deliver(shop, source, "5016", id="2", line="another")
    inbox = shop.inbound_parts.inbox
    newest, _ = inbox.waiting(2, None, shop.cloud.clock()).items
    item = present(shop.cloud.db.get(inbox.table, inbox_key(newest.sms_id)))
    for newer in range(1, 1_201):
        shop.cloud.db.put(inbox.table, {**item, **inbox_key(SmsId(newer)), "stored_at": item["stored_at"] + newer})
    shop.inbound_parts.lines.replace(SourceId(source), {LINE: PHONE})
    return sold


def test_what_waits_behind_more_than_a_sweep_looks_at_is_placed_by_the_next(
    shop: Shop, behind: tuple[Partner, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = Sweep(shop.numbers, shop.partners, shop.pushes, shop.cloud.queues(), shop.statistics, shop.cloud.clock)
    monkeypatch.setattr(sweep.app, "parts", lambda: swept)
    monkeypatch.setattr(sweep.app, "inbound_parts", lambda: shop.inbound_parts)
    monkeypatch.setitem(sweep.app._next, "cursor", None)
    sweep.app.handler({}, None)
    assert _shown(shop, behind) == []
    sweep.app.handler({}, None)
    assert _shown(shop, behind) == ["5015"]
    # At the end it begins anew.
    assert sweep.app._next == {"cursor": None}


@pytest.mark.parametrize(("ms", "placed"), [(14_999, 1), (15_000, 0)])
def test_placing_ends_after_15_seconds_and_goes_on_where_it_came_to(
    shop: Shop, behind: tuple[Partner, int], ms: int, placed: int
) -> None:
    calm = shop.inbound_parts
    slow = replace(calm, inbox=crossed(calm.inbox, "waiting", partial(shop.cloud.clock.advance, ms=ms)))
    placement = place_waiting(slow, 100_000)
    assert (placement.count, placement.cursor is None) == (placed, bool(placed))
    assert place_waiting(calm, 1_000, cursor=placement.cursor).count == 1 - placed
    assert _shown(shop, behind) == ["5015"]


# ---------------------------------------------------------------- mapping


def test_a_number_is_one_lines_and_whose_is_said(shop: Shop, desk: Desk, source: str) -> None:
    _map(desk, source)
    other = shop.source()
    refused = _map(desk, other, {"1": OTHER, "2": PHONE})
    assert refused.refusal == (409, f"lines: {PHONE} is line {LINE} of source {source}")
    assert desk.get(f"/admin/sources/{other}/lines").body["lines"] == []
    # Within a source it may move, also round in a circle.
    assert _map(desk, source, {LINE: OTHER, "b": PHONE}).status == 200
    assert _map(desk, source, {LINE: PHONE, "b": OTHER}).status == 200
    # With the source its lines go.
    assert desk.delete(f"/admin/sources/{source}").status == 200
    assert _map(desk, other, {"1": OTHER, "2": PHONE}).status == 200


def test_lines_are_mapped_by_csv_and_by_settings_too(shop: Shop, desk: Desk, source: str) -> None:
    path = f"/admin/sources/{source}/lines"
    reply = desk.put_file(path, f"phone;line\r\n+{PHONE};{LINE}\r\n{OTHER};7\r\n")
    assert reply.body == {"lines": 2, "placed": 0}
    mapped = {LINE: PHONE, "7": OTHER}
    assert {one["line"]: one["phone"] for one in desk.get(path).body["lines"]} == mapped
    changed = desk.patch(f"/admin/sources/{source}", {"settings": {"countryCode": "44", "lines": {"8": OTHER}}})
    assert changed.body["settings"] == {"countryCode": "44"}
    assert {one["line"]: one["phone"] for one in desk.get(path).body["lines"]} == {"8": OTHER}
    # What isn't named stays, and so do settings where only lines are named.
    assert desk.patch(f"/admin/sources/{source}", {"settings": {"lines": {"8": OTHER}}}).body["settings"] == {
        "countryCode": "44"
    }
    assert desk.patch(f"/admin/sources/{source}", {"name": "Rack 2"}).body["settings"] == {"countryCode": "44"}
    assert len(desk.get(path).body["lines"]) == 1


def test_lines_are_changed_one_by_one_and_the_others_stay(shop: Shop, desk: Desk, source: str) -> None:
    path = f"/admin/sources/{source}/lines"
    _deliver(shop, source, id="1")
    _map(desk, source, {"7": OTHER, "8": "447472190084"})
    changes = {LINE: PHONE, "7": None, "8": OTHER}
    assert desk.patch(path, {"lines": changes}).body == {"lines": 2, "placed": 1}
    assert {one["line"]: one["phone"] for one in desk.get(path).body["lines"]} == {LINE: PHONE, "8": OTHER}
    assert desk.patch(path, {"lines": {"9": OTHER}}).refusal == (409, f"lines: {OTHER} is line 8 of source {source}")
    assert desk.patch(path, {"lines": {"9": "x"}}).status == 400


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"line": "a"}, "body: "),
        ([{"line": "a"}], "row 1: expected exactly line and phone"),
        ([{"line": "a", "phone": "0044"}], "row 1: "),
        ([{"line": "", "phone": PHONE}], "row 1: expected a line"),
        ([{"line": "a" * 201, "phone": PHONE}], "row 1: expected a line"),
        ([{"line": "a", "phone": PHONE}, {"line": "b", "phone": f"+{PHONE}"}], "row 2: expected each"),
        ([{"line": "a", "phone": PHONE}, {"line": "a", "phone": OTHER}], "row 2: expected each"),
    ],
)
def test_lines_that_cannot_be_read_change_nothing(desk: Desk, source: str, rows: object, message: str) -> None:
    _map(desk, source)
    status, said = desk.put(f"/admin/sources/{source}/lines", rows).refusal
    assert (status, said[: len(message)]) == (400, message)
    assert len(desk.get(f"/admin/sources/{source}/lines").body["lines"]) == 1


def test_more_lines_than_a_source_may_have_are_413(desk: Desk, source: str) -> None:
    rows = [{"line": str(place), "phone": str(447_000_000_000 + place)} for place in range(5_001)]
    assert desk.put(f"/admin/sources/{source}/lines", rows).status == 413


def test_more_lines_than_a_transaction_holds_are_mapped_and_freed(desk: Desk, source: str) -> None:
    rows = [{"line": str(place), "phone": str(447_000_000_000 + place)} for place in range(300)]
    path = f"/admin/sources/{source}/lines"
    assert desk.put(path, rows).body["lines"] == 300
    assert desk.put(path, rows[:100]).body["lines"] == 100
    page = desk.get(path).body
    assert len(page["lines"]) == 100
    assert desk.put(f"/admin/sources/{source}/lines", []).body["lines"] == 0


# ---------------------------------------------------------------- numbers without their country code


@pytest.mark.parametrize(
    ("destination", "code", "phone"),
    [
        ("07472 190082", "44", PHONE),
        ("7472190082", "44", PHONE),
        ("+44 7472 190082", "44", PHONE),
        ("00447472190082", "44", PHONE),
        ("8 (916) 123-45-67", "7", "79161234567"),
        ("9161234567", "7", "79161234567"),
        ("06 1234 5678", "39", "390612345678"),
        ("5550123456", "1", "15550123456"),
    ],
)
def test_a_number_without_its_country_code_is_the_only_one_of_ours_that_it_can_be(
    shop: Shop, source: str, destination: str, code: str, phone: str
) -> None:
    desk = Desk(shop.cloud)
    if phone != PHONE:
        shop.stock(phone)
    desk.patch(f"/admin/sources/{source}", {"settings": {"countryCode": code}})
    desk.post(f"/admin/numbers/{phone}/test", {})
    assert shop.deliver(source, {"from": "Bank", "text": "5015", "phone": destination, "id": "1"}).status == 200
    assert [one["phone"] for one in desk.get("/admin/tests").body["messages"]] == [phone]


@pytest.mark.parametrize(
    ("destination", "stocked", "reason"),
    [
        ("+7472190082", [], UnclaimedReason.NOT_HELD),
        ("7472190082", ["7472190082"], UnclaimedReason.AMBIGUOUS),
    ],
)
def test_a_number_with_no_reading_or_two_is_nobodys(
    shop: Shop, source: str, destination: str, stocked: list[str], reason: UnclaimedReason
) -> None:
    desk = Desk(shop.cloud)
    shop.stock(*stocked)
    sold = shop.sold()
    desk.patch(f"/admin/sources/{source}", {"settings": {"countryCode": "44"}})
    shop.deliver(source, {"from": "Bank", "text": "5015", "phone": destination, "id": "1"})
    assert _shown(shop, sold) == []
    assert _unclaimed(desk) == [("5015", reason.value)]


def test_an_sms_is_the_same_however_its_number_is_spelled(shop: Shop, source: str) -> None:
    sold, desk = shop.sold(), Desk(shop.cloud)
    desk.patch(f"/admin/sources/{source}", {"settings": {"countryCode": "44"}})
    for destination in ("07472190082", "+44 7472 190082", "7472190082"):
        shop.deliver(source, {"from": "Bank", "text": "5015", "phone": destination, "id": "1"})
    assert (_shown(shop, sold), _unclaimed(desk)) == (["5015"], [])


def test_an_sms_that_came_before_its_number_was_ours_is_not_given_to_its_first_buyer(
    shop: Shop, desk: Desk, source: str
) -> None:
    desk.patch(f"/admin/sources/{source}", {"settings": {"countryCode": "44"}})
    sms = {"from": "Bank", "text": "5015", "phone": "07472190083", "id": "1"}
    shop.deliver(source, sms)
    shop.stock(OTHER)
    shop.finish(*shop.sold(), 3)
    sold = shop.sold()
    shop.deliver(source, sms)
    assert (_shown(shop, sold), _unclaimed(desk)) == ([], [("5015", UnclaimedReason.NOT_HELD.value)])


# ---------------------------------------------------------------- a number is tried out


def test_a_number_that_is_tried_out_is_off_sale_for_five_minutes_and_its_sms_is_a_test(
    shop: Shop, desk: Desk, source: str
) -> None:
    tested = desk.post(f"/admin/numbers/{PHONE}/test", {})
    assert tested.body["restingUntil"] == to_iso(START + TEST_FOR)
    assert shop.buy(shop.partner()).body["status"] == "NO_NUMBERS"
    shop.cloud.clock.advance(seconds=3)
    shop.deliver(source, {"from": "me", "text": "hello", "phone": PHONE, "id": "7", "receivedAt": to_iso(START)})
    (message,) = desk.get("/admin/tests").body["messages"]
    del message["smsId"]
    assert message == {
        "sourceId": source,
        "line": None,
        "phone": PHONE,
        "phoneFrom": "me",
        "text": "hello",
        "statedAt": to_iso(START),
        "arrivedAt": to_iso(START + 3_000),
        "delayMs": 3_000,
        "identity": "7",
        "repeats": 0,
    }
    assert _unclaimed(desk) == []
    shop.cloud.clock.advance(ms=TEST_FOR - 3_000)
    shop.deliver(source, {"from": "me", "text": "late", "phone": PHONE, "id": "8"})
    assert [text for text, _ in _unclaimed(desk)] == ["late"]
    shop.sweep()
    assert shop.sold()[1]


def test_what_a_buyer_is_sent_in_the_words_of_a_test_is_not_counted_with_that(
    shop: Shop, desk: Desk, source: str
) -> None:
    def deliver() -> None:
        shop.deliver(source, {"from": "Bank", "text": "Welcome", "phone": PHONE})
        shop.cloud.clock.advance(seconds=1)

    desk.post(f"/admin/numbers/{PHONE}/test", {})
    deliver()
    deliver()
    shop.cloud.clock.advance(ms=TEST_FOR)
    shop.sweep()
    sold = shop.sold()
    deliver()
    deliver()
    # It may be the test, which its gateway sends once more.
    assert _shown(shop, sold) == []
    (tested,), (kept,) = (desk.get(f"/admin/{place}").body["messages"] for place in ("tests", "unclaimed"))
    assert (tested["text"], tested["repeats"]) == ("Welcome", 1)
    assert (kept["text"], kept["reason"], kept["repeats"]) == ("Welcome", UnclaimedReason.DOUBTFUL, 2)


def test_only_a_free_number_is_tried_out_and_more_than_once(shop: Shop, desk: Desk) -> None:
    for _ in range(2):
        assert desk.post(f"/admin/numbers/{PHONE}/test", {}).status == 200
        shop.cloud.clock.advance(minutes=1)
    shop.cloud.clock.advance(minutes=5)
    shop.sweep()
    shop.sold()
    assert desk.post(f"/admin/numbers/{PHONE}/test", {}).status == 409
    assert desk.post(f"/admin/numbers/{OTHER}/test", {}).status == 404
