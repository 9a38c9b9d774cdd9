"""Long SMS that come in parts, and payloads that are read late (contract 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from globalconnect.domain.errors import Busy, InvalidInput
from globalconnect.domain.partner import Partner
from globalconnect.domain.times import to_iso
from globalconnect.inbound.waiting import finish_whole
from simulation.aws import START
from simulation.desk import Desk
from simulation.meanwhile import crossed
from simulation.pieces import Pieces
from simulation.shop import Reply, Shop

PHONE = "447472190082"
PARTS = ["Your code is ", "48213 \N{GRINNING FACE}"[:7], ". Tell nobody."]


@pytest.fixture(autouse=True)
def _stock(shop: Shop) -> None:
    shop.sell("tg")
    shop.stock(PHONE)


@pytest.fixture
def provider(shop: Shop) -> Pieces:
    pieces = Pieces()
    shop.inbound_parts = replace(shop.inbound_parts, provider=lambda _: pieces)
    return pieces


@pytest.fixture
def source(shop: Shop, provider: Pieces) -> str:
    assert provider.is_mended
    return shop.source()


@pytest.fixture
def desk(shop: Shop, provider: Pieces) -> Desk:
    desk = Desk(shop.cloud)
    desk.admin = replace(desk.admin, inbound=replace(desk.admin.inbound, provider=lambda _: provider))
    return desk


def _part(number: int, text: str, ref: str = "7", total: int = 3, **more: object) -> dict[str, object]:
    return {"phone": PHONE, "from": "Bank", "text": text, "id": f"id-{number}", "part": [ref, number, total], **more}


def _send(shop: Shop, source: str, *parts: dict[str, object]) -> list[Reply]:
    replies = [shop.deliver(source, part) for part in parts]
    assert {reply.status for reply in replies} == {200}
    return replies


def _shown(shop: Shop, sold: tuple[Partner, int]) -> list[str]:
    return [message["text"] for message in shop.messages(*sold).body.get("messages", [])]


def _incomplete(desk: Desk) -> list[tuple[str, list[int]]]:
    return [(one["text"], one["parts"]) for one in desk.get("/admin/incomplete").body["messages"]]


def _whole() -> list[dict[str, object]]:
    return [_part(number, text) for number, text in enumerate(PARTS, start=1)]


# ---------------------------------------------------------------- joining


@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
def test_parts_are_joined_in_whatever_order_they_come_and_repeats_are_none(
    shop: Shop, desk: Desk, source: str, order: Sequence[int]
) -> None:
    sold, parts = shop.sold(), _whole()
    for place in order:
        _send(shop, source, parts[place], parts[place])
    _send(shop, source, *parts)
    shop.cloud.clock.advance(minutes=11)
    assert _shown(shop, sold) == ["".join(PARTS)]
    assert _incomplete(desk) == []


def test_a_character_that_is_cut_between_two_parts_is_whole_again(shop: Shop, source: str) -> None:
    sold = shop.sold()
    _send(shop, source, _part(2, "\ude00!", total=2), _part(1, "Hi \ud83d", total=2))
    assert _shown(shop, sold) == ["Hi \N{GRINNING FACE}!"]


@pytest.mark.parametrize(
    "other", [{"phone": "447472190083"}, {"from": "Shop"}, {"part": ["8", 3, 3]}, {"part": ["7", 3, 4]}]
)
def test_parts_of_another_sms_do_not_complete_it(shop: Shop, source: str, other: dict[str, object]) -> None:
    sold, (first, second, third) = shop.sold(), _whole()
    _send(shop, source, first, second, third | other)
    _send(shop, shop.source(), third)
    assert _shown(shop, sold) == []


def test_a_long_sms_was_received_when_the_first_of_its_parts_was(shop: Shop, source: str) -> None:
    shop.cloud.clock.advance(minutes=5)
    sold = shop.sold()
    shop.cloud.clock.advance(minutes=5)
    before, after = to_iso(START + 120_000), to_iso(START + 400_000)
    _send(shop, source, _part(2, "new", total=2, receivedAt=after), _part(1, "old ", total=2, receivedAt=before))
    assert _shown(shop, sold) == []


def test_a_part_that_comes_after_a_sale_is_not_joined_with_one_from_before(shop: Shop, desk: Desk, source: str) -> None:
    # Gateways count SMS anew after 255: of the first of these, the second part got lost on its way.
    first, second = shop.sold(), _part(2, "48213", "7", 2, id="b2")
    _send(shop, source, _part(1, "Your code is ", "7", 2))
    shop.finish(*first, 1)
    shop.sell("wa")
    later = shop.sold("wa")
    _send(shop, source, second, _part(1, "The code is ", "7", 2, id="b1"), second)
    assert (_shown(shop, first), _shown(shop, later)) == ([], ["The code is 48213"])
    shop.cloud.clock.advance(minutes=11)
    assert _incomplete(desk) == [("Your code is […]", [1])]


def test_a_part_whose_place_is_taken_by_other_words_begins_a_new_sms_and_the_other_stays_for_staff(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold, (first, second, third) = shop.sold(), _whole()
    _send(shop, source, first, second, _part(1, "Another ", id="x1"), _part(2, "one", id="x2"), _part(3, "!", id="x3"))
    assert _shown(shop, sold) == ["Another one!"]
    shop.cloud.clock.advance(minutes=11)
    assert _incomplete(desk) == [("".join(PARTS[:2]) + "[…]", [1, 2])]
    # A whole one is followed by the next with its reference, also with the same words.
    _send(shop, source, *({**part, "id": f"y{place}"} for place, part in enumerate([first, second, third])))
    _send(shop, source, *({**part, "id": f"z{place}"} for place, part in enumerate([first, second, third])))
    assert _shown(shop, sold) == ["Another one!", "".join(PARTS), "".join(PARTS)]


def test_a_repeated_part_of_an_sms_that_another_has_replaced_is_in_no_other(
    shop: Shop, desk: Desk, source: str
) -> None:
    former = shop.sold()
    one = [
        _part(number, text, total=2, id=f"a{number}") for number, text in ((1, "A's code 1111. "), (2, "Tell nobody."))
    ]
    other = [
        _part(number, text, total=2, id=f"b{number}") for number, text in ((1, "B's code 2222. "), (2, "Tell all."))
    ]
    _send(shop, source, *one)
    shop.cloud.clock.advance(minutes=5)
    shop.finish(*former, 5)
    buyer = shop.sold()
    _send(shop, source, other[0], one[0], other[1], one[1])
    assert (_shown(shop, former), _shown(shop, buyer)) == (
        ["A's code 1111. Tell nobody."],
        ["B's code 2222. Tell all."],
    )
    shop.cloud.clock.advance(minutes=11)
    assert _incomplete(desk) == []


def test_what_lacks_parts_is_shown_to_staff_after_ten_minutes_and_completed_within_a_day(
    shop: Shop, desk: Desk, source: str
) -> None:
    sold, (first, second, third) = shop.sold(), _whole()
    _send(shop, source, third, first)
    shop.cloud.clock.advance(minutes=10, ms=-1)
    assert _incomplete(desk) == []
    shop.cloud.clock.advance(ms=1)
    assert _incomplete(desk) == [(f"{PARTS[0]}[…]{PARTS[2]}", [1, 3])]
    assert desk.get("/admin/incomplete", ("texts", "hidden")).body["messages"][0]["text"] is None
    shop.cloud.clock.advance(minutes=45)
    _send(shop, source, second)
    assert _shown(shop, sold) == ["".join(PARTS)]
    assert _incomplete(desk) == []


def test_after_a_day_a_part_begins_a_new_sms(shop: Shop, desk: Desk, source: str) -> None:
    first, second, third = _whole()
    _send(shop, source, first, second)
    shop.cloud.clock.advance(minutes=24 * 60)
    _send(shop, source, third)
    shop.cloud.clock.advance(minutes=11)
    assert sorted(parts for _, parts in _incomplete(desk)) == [[1, 2], [3]]


def test_a_long_sms_is_his_who_held_the_number_when_its_first_part_came(shop: Shop, source: str) -> None:
    first, second, third = _whole()
    _send(shop, source, first)
    shop.cloud.clock.advance(seconds=1)
    sold = shop.sold()
    _send(shop, source, second, third)
    assert _shown(shop, sold) == []
    former = sold
    _send(shop, source, _part(1, "mine", "9", 2, id="a"))
    shop.cloud.clock.advance(seconds=1)
    shop.finish(*former, 5)
    _send(shop, source, _part(2, " too", "9", 2, id="b"))
    assert (_shown(shop, former), _shown(shop, shop.sold())) == (["mine too"], [])


def test_parts_on_a_line_that_nobody_mapped_are_joined_and_wait(shop: Shop, desk: Desk, source: str) -> None:
    sold = shop.sold()
    _send(shop, source, *({**part, "phone": None, "line": "1A"} for part in _whole()))
    assert desk.put(f"/admin/sources/{source}/lines", [{"line": "1A", "phone": PHONE}]).body["placed"] == 1
    assert _shown(shop, sold) == ["".join(PARTS)]


def test_two_last_parts_at_once_make_one_sms(shop: Shop, source: str) -> None:
    sold, (first, second, third) = shop.sold(), _whole()
    _send(shop, source, first)
    calm = shop.inbound_parts

    def meddle() -> None:
        shop.inbound_parts = calm
        _send(shop, source, third)

    shop.inbound_parts = replace(calm, long_sms=crossed(calm.long_sms, "find", meddle))
    _send(shop, source, second)
    assert _shown(shop, sold) == ["".join(PARTS)]


def test_a_whole_sms_whose_storing_broke_off_is_stored_by_the_sweep(
    shop: Shop, desk: Desk, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold, (first, second, third) = shop.sold(), _whole()
    _send(shop, source, first, second)

    def breaks(*_: object) -> None:
        raise Busy

    with monkeypatch.context() as patched:
        patched.setattr("globalconnect.inbound.join.receive", breaks)
        assert shop.deliver(source, third).status == 503
    assert _shown(shop, sold) == []
    for _ in range(2):
        finish_whole(shop.inbound_parts, 1_000)
    assert _shown(shop, sold) == ["".join(PARTS)]
    shop.cloud.clock.advance(minutes=11)
    assert _incomplete(desk) == []


# ---------------------------------------------------------------- read late


@pytest.fixture
def unread(shop: Shop, provider: Pieces) -> str:
    """A gateway that has sent what could not be read then and can now."""
    source = shop.source()
    provider.is_mended = False
    return source


NEW = {"phone": PHONE, "from": "Bank", "text": "48213", "id": "1", "new": True}


def _replay(desk: Desk) -> Reply:
    (payload,) = desk.get("/admin/unreadable").body["payloads"]
    path = f"/admin/unreadable/{payload['payloadId']}/replay"
    reply = desk.post(path, {})
    # Sent again, it changes nothing.
    assert desk.post(path, {}).status == reply.status
    return reply


def test_a_payload_that_can_be_read_after_all_is_his_who_held_the_number_when_it_came(
    shop: Shop, desk: Desk, provider: Pieces, unread: str
) -> None:
    sold = shop.sold()
    assert shop.deliver(unread, NEW).status == 400
    assert _replay(desk).refusal == (400, "new: expected what we know")
    provider.is_mended = True
    shop.cloud.clock.advance(minutes=5)
    assert _replay(desk).status == 200
    assert _shown(shop, sold) == ["48213"]
    assert desk.get("/admin/unreadable").body["payloads"] == []
    # It counts as the first delivery: what its gateway sends again is a repeat.
    assert shop.deliver(unread, NEW).status == 200
    assert _shown(shop, sold) == ["48213"]


def test_a_payload_that_was_acknowledged_unread_stays_while_it_still_cannot_be_read(
    shop: Shop, desk: Desk, provider: Pieces, unread: str
) -> None:
    sold = shop.sold()
    assert shop.deliver(unread, {**NEW, "kept": True}).status == 200
    assert _replay(desk).refusal == (400, "new: expected what we know")
    provider.is_mended = True
    assert _replay(desk).status == 200
    assert _shown(shop, sold) == ["48213"]
    assert desk.get("/admin/unreadable").body["payloads"] == []


@pytest.mark.parametrize("again", [_replay, None], ids=["replayed", "sent again"])
def test_what_could_not_be_read_before_a_sale_is_never_the_buyers(
    shop: Shop, desk: Desk, provider: Pieces, unread: str, again: object
) -> None:
    assert shop.deliver(unread, NEW).status == 400
    shop.cloud.clock.advance(seconds=1)
    sold = shop.sold()
    provider.is_mended = True
    if again:
        assert _replay(desk).status == 200
    assert shop.deliver(unread, NEW).status == 200
    assert _shown(shop, sold) == []
    assert [one["text"] for one in desk.get("/admin/unclaimed").body["messages"]] == ["48213"]


def test_an_entry_of_a_list_that_could_not_be_read_before_a_sale_is_never_the_buyers(shop: Shop) -> None:
    desk, source, good = (
        Desk(shop.cloud),
        shop.source(),
        {"phone": "447472190083", "from": "Bank", "text": "other", "id": "1"},
    )
    entry = {"phone": PHONE, "from": "Bank", "text": "48213", "id": "2"}
    # What the adapter can't read it will read once it is mended; its gateway missed that it was acknowledged.
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr("globalconnect.inbound.providers.generic.text_field", _unless_48213)
        assert shop.deliver(source, [good, entry]).status == 200
    shop.cloud.clock.advance(seconds=1)
    sold = shop.sold()
    assert shop.deliver(source, [good, entry]).status == 200
    assert _shown(shop, sold) == []
    assert [one["text"] for one in desk.get("/admin/unclaimed").body["messages"]].count("48213") == 1


def _unless_48213(fields: Mapping[str, object], name: str) -> str:
    if fields[name] == "48213":
        raise InvalidInput(name, "expected what we know")
    return str(fields[name])


def test_a_part_that_could_not_be_read_at_first_makes_the_sms_older(
    shop: Shop, desk: Desk, provider: Pieces, unread: str
) -> None:
    first, second, third = _whole()
    assert shop.deliver(unread, {**first, "new": True}).status == 400
    shop.cloud.clock.advance(seconds=1)
    sold = shop.sold()
    provider.is_mended = True
    _send(shop, unread, second, third)
    assert _replay(desk).status == 200
    assert _shown(shop, sold) == []


def test_a_part_that_is_sent_again_once_it_can_be_read_is_as_old_as_when_it_came_first(
    shop: Shop, provider: Pieces, unread: str
) -> None:
    first, second, third = _whole()
    assert shop.deliver(unread, {**first, "new": True}).status == 400
    shop.cloud.clock.advance(seconds=1)
    sold = shop.sold()
    provider.is_mended = True
    _send(shop, unread, second, {**first, "new": True}, third)
    assert _shown(shop, sold) == []


def test_what_was_never_kept_or_whose_source_is_gone_is_not_replayed(
    shop: Shop, desk: Desk, provider: Pieces, unread: str
) -> None:
    assert not provider.is_mended
    shop.deliver(unread, NEW)
    for odd in ("x", f"{unread}-{'0' * 64}", "a#b", "words#1"):
        assert desk.post(f"/admin/unreadable/{odd.replace('#', '%23')}/replay", {}).status == 404
    desk.delete(f"/admin/sources/{unread}")
    assert _replay(desk).status == 404


def test_a_replay_is_judged_by_the_time_of_arrival_also_where_that_says_another(
    shop: Shop, desk: Desk, provider: Pieces, unread: str
) -> None:
    sold = shop.sold()
    shop.cloud.clock.advance(seconds=30)
    shop.deliver(unread, {**NEW, "receivedAt": to_iso(START + 20_000)})
    shop.cloud.clock.advance(minutes=120)
    provider.is_mended = True
    assert _replay(desk).status == 200
    assert _shown(shop, sold) == ["48213"]
