"""Operators lift what outcomes 1 and 4 left on numbers: each mark once, and never what a success used up (contract 5)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.activation import Outcome
from globalconnect.domain.number import MOST_CAUSES, Cause, Number
from globalconnect.domain.partner import Partner
from globalconnect.domain.service import Service
from globalconnect.domain.times import to_iso
from globalconnect.store.dynamo import expression, to_wire
from globalconnect.store.numbers import to_item
from simulation.desk import Desk
from simulation.failing import Fault, Scripted, failing_cloud
from simulation.meanwhile import crossed
from simulation.shop import COUNTRY, OPERATOR, Reply, Shop, present

PHONE = "447472190082"
REASON = "The key was stolen"


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop.cloud)


def _sold(shop: Shop, partner: Partner, service: str = "tg") -> int:
    activation_id: int = shop.buy(partner, service).body["activationId"]
    return activation_id


def _mark(shop: Shop, partner: Partner, status: int, service: str = "tg") -> int:
    """Buy and finish so; return the activation."""
    activation_id = _sold(shop, partner, service)
    assert shop.finish(partner, activation_id, status).status == 200
    shop.cloud.clock.advance(seconds=1)
    return activation_id


def _number(shop: Shop, phone: str = PHONE) -> Number:
    return present(shop.numbers.get(phone))


def _lift(desk: Desk, service: str = "tg", phone: str = PHONE) -> Reply:
    return desk.post(f"/admin/numbers/{phone}/lift-marks", {"service": service, "reason": REASON})


def _lift_of(desk: Desk, partner: Partner, since: int = 0) -> int:
    """Lift all that a partner left since a time (ms); return how much that was."""
    lifted: int = 0
    body: dict[str, Any] = {"since": to_iso(since), "reason": REASON}
    while True:
        reply = desk.post(f"/admin/partners/{partner.partner_id}/lift-marks", body)
        assert reply.status == 200, reply
        lifted += reply.body["lifted"]
        body["cursor"] = reply.body["cursor"]
        if body["cursor"] is None:
            return lifted


def _can_buy(shop: Shop, service: str = "tg") -> bool:
    partner = shop.partner()
    body = shop.buy(partner, service).body
    if body["status"] == "SUCCESS":
        shop.finish(partner, body["activationId"], 5)
    return bool(body["status"] == "SUCCESS")


def _forget_causes(shop: Shop, phone: str = PHONE) -> None:
    """Make the marks of a number as they were stored before their causes were."""
    shop.cloud.db.update(shop.numbers.table, {"phone": phone}, expression("REMOVE #causes"))
    for item in list(shop.cloud.db.scan_all(shop.activations.table)):
        key = {"activation_id": item["activation_id"], "entry": item["entry"]}
        shop.cloud.db.update(shop.activations.table, key, expression("REMOVE #marked_version"))


@pytest.fixture(autouse=True)
def _one_number(shop: Shop) -> None:
    shop.stock(PHONE)


# ---------------------------------------------------------------- what is noted


@pytest.mark.parametrize("status", [1, 3])
def test_a_number_shows_by_whose_activation_it_is_blocked_and_when(shop: Shop, desk: Desk, status: int) -> None:
    partner = shop.partner()
    at = to_iso(shop.cloud.clock())
    activation_id = _mark(shop, partner, status)
    cause = {"activationId": activation_id, "partnerId": partner.partner_id, "outcome": status, "at": at}
    assert desk.get(f"/admin/numbers/{PHONE}").body["marks"] == [
        {"service": "tg", "blocked": True, "cancels": 0, "causes": [cause]}
    ]


def test_the_cause_of_a_block_by_cancels_is_the_one_that_reached_the_limit(shop: Shop, desk: Desk) -> None:
    for _ in range(4):
        _mark(shop, shop.partner(), 4)
    (mark,) = desk.get(f"/admin/numbers/{PHONE}").body["marks"]
    assert mark == {"service": "tg", "blocked": False, "cancels": 4, "causes": []}
    last = _mark(shop, shop.partner(), 4)
    (mark,) = desk.get(f"/admin/numbers/{PHONE}").body["marks"]
    assert [cause["activationId"] for cause in mark["causes"]] == [last]
    assert (mark["blocked"], mark["cancels"]) == (True, 5)


@pytest.mark.parametrize("status", [5, 3])
def test_what_leaves_no_mark_notes_nothing(shop: Shop, desk: Desk, status: int) -> None:
    shop.sell("tg", reusable=True)
    _mark(shop, shop.partner(), status)
    assert desk.get(f"/admin/numbers/{PHONE}").body["marks"] == []
    assert _number(shop).causes == {}


def test_an_item_with_all_the_marks_it_can_have_stays_small(shop: Shop) -> None:
    codes = [f"service{place}" for place in range(300)]
    cause = Cause(10**14 - 1, shop.partner().partner_id, Outcome.CANCELED, shop.cloud.clock())
    number = Number(
        "447472190099",
        COUNTRY,
        OPERATOR,
        available_from=shop.cloud.clock(),
        blocked=frozenset(codes),
        cancels=dict.fromkeys(codes, 100),
        causes=dict.fromkeys(codes, (cause,)),
        lifted=dict.fromkeys(codes, 10**6),
    )
    # As DynamoDB counts: names, texts, and numbers at half their digits.
    assert sum(len(name) + _size(value) for name, value in to_wire(to_item(number)).items()) < 32_000


def _size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "M":
            return 3 + sum(len(name) + 1 + _size(each) for name, each in content.items())
        case "L":
            return 3 + sum(1 + _size(each) for each in content)
        case "N":
            return len(content) // 2 + 2
        case "SS":
            return sum(map(len, content))
        case _:
            return len(str(content))


# ---------------------------------------------------------------- per number and service


def test_a_prohibition_is_lifted_and_the_number_sold_again(shop: Shop, desk: Desk) -> None:
    _mark(shop, shop.partner(), 1)
    reply = _lift(desk)
    assert (reply.status, reply.body["lifted"], reply.body["warning"]) == (200, 1, None)
    assert (reply.body["blocked"], reply.body["marks"]) == ([], [])
    assert _can_buy(shop)


def test_cancels_are_lifted_and_count_from_none_again(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    for _ in range(5):
        _mark(shop, partner, 4)
    assert not _can_buy(shop)
    assert _lift(desk).body["lifted"] == 5
    for _ in range(4):
        _mark(shop, partner, 4)
    assert _can_buy(shop)
    _mark(shop, partner, 4)
    assert not _can_buy(shop)


def test_cancels_below_the_limit_are_lifted(shop: Shop, desk: Desk) -> None:
    _mark(shop, shop.partner(), 4)
    assert _lift(desk).body["lifted"] == 1
    assert _number(shop).cancels == {}


def test_only_the_service_that_is_named_is_lifted(shop: Shop, desk: Desk) -> None:
    _mark(shop, shop.partner(), 1, "go")
    _mark(shop, shop.partner(), 1)
    assert _lift(desk).body["blocked"] == ["go"]
    assert _can_buy(shop)
    assert not _can_buy(shop, "go")


def test_what_a_success_used_up_is_never_lifted(shop: Shop, desk: Desk) -> None:
    _mark(shop, shop.partner(), 3)
    before = _number(shop)
    assert _lift(desk).refusal == (409, "service: was used up by a success, which is never lifted")
    assert _number(shop) == before


def test_a_refund_makes_a_success_no_mark_that_can_be_lifted(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    activation_id = _mark(shop, partner, 3)
    shop.finish(partner, activation_id, 5)
    assert _lift(desk).status == 409
    assert _lift_of(desk, partner) == 0
    assert not _can_buy(shop)


def test_a_success_after_a_prohibition_covers_it(shop: Shop, desk: Desk) -> None:
    late, partner = shop.partner(), shop.partner()
    expired = _sold(shop, late)
    shop.cloud.clock.advance(minutes=61)
    _mark(shop, partner, 1)
    shop.finish(late, expired, 3)
    assert _lift(desk).status == 409
    assert _lift_of(desk, partner) == 0
    assert not _can_buy(shop)


def test_a_second_lift_has_no_effect(shop: Shop, desk: Desk) -> None:
    _mark(shop, shop.partner(), 1)
    _lift(desk)
    before = _number(shop)
    reply = _lift(desk)
    assert (reply.status, reply.body["lifted"], reply.body["warning"]) == (200, 0, None)
    assert _number(shop) == before


def test_an_older_block_is_lifted_with_a_warning(shop: Shop, desk: Desk) -> None:
    _mark(shop, shop.partner(), 3)
    _forget_causes(shop)
    assert desk.get(f"/admin/numbers/{PHONE}").body["marks"][0]["causes"] == []
    reply = _lift(desk)
    assert (reply.status, reply.body["lifted"]) == (200, 1)
    assert "may have been a success" in reply.body["warning"]
    assert _can_buy(shop)


def test_older_cancels_without_a_block_are_lifted_without_a_warning(shop: Shop, desk: Desk) -> None:
    _mark(shop, shop.partner(), 4)
    _forget_causes(shop)
    assert (_lift(desk).body["lifted"], _lift(desk).body["warning"]) == (1, None)


def test_an_older_block_stays_one_whatever_comes_late(shop: Shop, desk: Desk) -> None:
    late = shop.partner()
    expired = _sold(shop, late)
    shop.cloud.clock.advance(minutes=61)
    _mark(shop, shop.partner(), 3)
    _forget_causes(shop)
    shop.finish(late, expired, 1)
    assert _lift_of(desk, late) == 0
    assert not _can_buy(shop)
    assert _lift(desk).body["warning"] is not None


def test_more_causes_than_are_noted_make_a_block_of_unknown_cause(shop: Shop, desk: Desk) -> None:
    late = shop.partner()
    expired = []
    for _ in range(MOST_CAUSES + 1):
        expired.append(_sold(shop, late))
        shop.cloud.clock.advance(minutes=61)
    for place, activation_id in enumerate(expired, start=1):
        shop.finish(late, activation_id, 1)
        assert len(_number(shop).causes.get("tg", ())) == (place if place <= MOST_CAUSES else 0)
    assert _lift_of(desk, late) == 0
    assert not _can_buy(shop)
    assert _lift(desk).body["warning"] is not None
    assert _can_buy(shop)


def test_a_number_that_does_not_exist_is_404_and_a_bad_field_400(desk: Desk) -> None:
    assert _lift(desk, phone="447472190099").status == 404
    path = f"/admin/numbers/{PHONE}/lift-marks"
    for body, named in (
        ({"service": "tg"}, "reason"),
        ({"service": "tg", "reason": " "}, "reason"),
        ({"reason": REASON}, "service"),
        ({"service": "t g", "reason": REASON}, "service"),
    ):
        status, message = desk.post(path, body).refusal
        assert (status, message.partition(":")[0]) == (400, named)


# ---------------------------------------------------------------- all of one partner


def test_all_that_a_partner_left_since_a_time_is_lifted_and_nothing_else(shop: Shop, desk: Desk) -> None:
    phones = [PHONE, *(str(447_472_190_100 + place) for place in range(5))]
    shop.stock(*phones[1:])
    bad, other = shop.partner(), shop.partner()
    _mark(shop, bad, 1)
    shop.cloud.clock.advance(minutes=1)
    since = shop.cloud.clock()
    for partner, status in ((bad, 1), (bad, 4), (other, 1), (bad, 3), (bad, 1)):
        _mark(shop, partner, status)
    assert _lift_of(desk, bad, since) == 3
    assert sorted(number.phone for number in shop.all_numbers() if "tg" in number.blocked) == [
        phones[0],
        phones[3],
        phones[4],
    ]
    assert all(not number.cancels for number in shop.all_numbers())


def test_lifting_one_partners_cancels_leaves_anothers_counted(shop: Shop, desk: Desk) -> None:
    one, other = shop.partner(), shop.partner()
    for partner in (one, other, one, other, one):
        _mark(shop, partner, 4)
    assert not _can_buy(shop)
    assert _lift_of(desk, one) == 3
    assert (_number(shop).cancels, _number(shop).causes) == ({"tg": 2}, {})
    assert _can_buy(shop)
    for _ in range(3):
        _mark(shop, other, 4)
    assert not _can_buy(shop)
    assert _lift_of(desk, one) == 0


@pytest.mark.parametrize(("limit", "sold"), [(3, False), (4, True)])
def test_the_limit_as_it_is_now_says_whether_the_block_of_cancels_goes(
    shop: Shop, desk: Desk, limit: int, sold: bool
) -> None:
    one, other = shop.partner(), shop.partner()
    for partner in (one, other, other, other, one):
        _mark(shop, partner, 4)
    shop.services.put(Service("tg", "Telegram", cancel_limit=limit))
    assert _lift_of(desk, one) == 2
    assert _can_buy(shop) is sold


def test_of_two_prohibitions_both_must_be_lifted(shop: Shop, desk: Desk) -> None:
    late, partner = shop.partner(), shop.partner()
    expired = _sold(shop, late)
    shop.cloud.clock.advance(minutes=61)
    _mark(shop, partner, 1)
    shop.finish(late, expired, 1)
    assert _lift_of(desk, partner) == 1
    assert not _can_buy(shop)
    assert [cause.partner_id for cause in _number(shop).causes["tg"]] == [late.partner_id]
    assert _lift_of(desk, late) == 1
    assert _can_buy(shop)


def test_what_was_lifted_per_number_is_not_lifted_again_from_the_cancels_that_came_since(
    shop: Shop, desk: Desk
) -> None:
    one, other = shop.partner(), shop.partner()
    _mark(shop, one, 4)
    _lift(desk)
    _mark(shop, other, 4)
    assert _lift_of(desk, one) == 0
    assert _number(shop).cancels == {"tg": 1}


def test_older_marks_of_a_partner_are_not_lifted(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    _mark(shop, partner, 1)
    _mark(shop, partner, 4, "go")
    _forget_causes(shop)
    assert _lift_of(desk, partner) == 0
    assert (_number(shop).blocked, _number(shop).cancels) == (frozenset({"tg"}), {"go": 1})


def test_sent_again_it_has_no_further_effect_and_goes_on_after_its_cursor(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    first_one = present(shop.activations.get(_mark(shop, partner, 1)))
    for place in range(59):
        one = replace(first_one, activation_id=10**12 + place, phone=str(447_472_190_100 + place))
        cause = Cause(one.activation_id, one.partner_id, Outcome.PROHIBITED, one.started_at)
        blocked = Number(
            one.phone, COUNTRY, OPERATOR, one.started_at, blocked=frozenset({"tg"}), causes={"tg": (cause,)}
        )
        shop.numbers.add(replace(blocked, version=one.marked_version or 0))
        desk.recorded(one)
    path = f"/admin/partners/{partner.partner_id}/lift-marks"
    body = {"since": "2020-01-01T00:00:00Z", "reason": REASON}
    first = desk.post(path, body).body
    assert (first["lifted"], first["cursor"] is None) == (50, False)
    assert desk.post(path, body).body == {"lifted": 10, "cursor": None}
    assert desk.post(path, {**body, "cursor": first["cursor"]}).body == {"lifted": 0, "cursor": None}
    assert _lift_of(desk, partner) == 0
    assert not any(number.blocked for number in shop.all_numbers())
    changed = {**body, "since": "2020-01-01T00:00:01Z", "cursor": first["cursor"]}
    assert desk.post(path, changed).refusal[0] == 400


def test_a_portion_looks_at_a_bounded_number_of_activations(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    template = present(shop.activations.get(_mark(shop, partner, 5)))
    for place in range(1_049):
        desk.recorded(replace(template, activation_id=10**12 + place))
    path = f"/admin/partners/{partner.partner_id}/lift-marks"
    body = {"since": "2020-01-01T00:00:00Z", "reason": REASON}
    first = desk.post(path, body).body
    assert (first["lifted"], first["cursor"] is None) == (0, False)
    assert desk.post(path, {**body, "cursor": first["cursor"]}).body == {"lifted": 0, "cursor": None}


@pytest.mark.parametrize("since", ["yesterday", "2024-01-15", "2024-01-15T12:34:56", 5, None])
def test_a_time_that_is_not_one_is_400(shop: Shop, desk: Desk, since: object) -> None:
    path = f"/admin/partners/{shop.partner().partner_id}/lift-marks"
    status, message = desk.post(path, {"since": since, "reason": REASON}).refusal
    assert (status, message.partition(":")[0]) == (400, "since")


def test_a_partner_that_does_not_exist_is_404(desk: Desk) -> None:
    body = {"since": "2024-01-15T12:34:56Z", "reason": REASON}
    assert desk.post("/admin/partners/abc/lift-marks", body).status == 404


# ---------------------------------------------------------------- leases, counts, the queue of numbers


@pytest.mark.parametrize("of_partner", [False, True])
def test_a_live_lease_stays_as_it_is(shop: Shop, desk: Desk, of_partner: bool) -> None:
    bad, buyer = shop.partner(), shop.partner()
    _mark(shop, bad, 1)
    held = _sold(shop, buyer, "go")
    before = _number(shop)
    assert (_lift_of(desk, bad) if of_partner else _lift(desk).body["lifted"]) == 1
    after = _number(shop)
    assert (after.activation_id, after.available_from) == (held, before.available_from)
    assert after.is_held(shop.cloud.clock())


@pytest.mark.parametrize("of_partner", [False, True])
def test_a_lifted_number_is_the_one_that_came_free_last(shop: Shop, desk: Desk, of_partner: bool) -> None:
    bad = shop.partner()
    _mark(shop, bad, 1)
    shop.cloud.clock.advance(minutes=5)
    shop.stock("447472190099")
    shop.cloud.clock.advance(minutes=5)
    assert (_lift_of(desk, bad) if of_partner else _lift(desk).body["lifted"]) == 1
    assert _number(shop).available_from == shop.cloud.clock()
    assert shop.buy(shop.partner()).body["number"] == "447472190099"


def test_counts_follow_a_lift(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    _mark(shop, partner, 1)
    shop.project()
    pools = shop.partner_parts.pool_counts.all()
    assert [pool.for_sale("tg") for pool in pools] == [0]
    _lift(desk)
    shop.project()
    assert [pool.for_sale("tg") for pool in shop.partner_parts.pool_counts.all()] == [1]


# ---------------------------------------------------------------- at once, and without an answer


@pytest.mark.parametrize("of_partner", [False, True])
@pytest.mark.parametrize("status", [1, 3, 4, 5])
def test_a_finish_that_comes_in_between_counts(shop: Shop, desk: Desk, status: int, of_partner: bool) -> None:
    bad, late = shop.partner(), shop.partner()
    expired = _sold(shop, late)
    shop.cloud.clock.advance(minutes=61)
    _mark(shop, bad, 1)
    desk.admin = replace(desk.admin, numbers=crossed(shop.numbers, "get", lambda: shop.finish(late, expired, status)))
    if of_partner:
        assert _lift_of(desk, bad) == (0 if status == 3 else 1)
    else:
        assert _lift(desk).status == (409 if status == 3 else 200)
    assert _can_buy(shop) is (status in {4, 5} or (status == 1 and not of_partner))
    assert _number(shop).cancels == ({"tg": 1} if status == 4 and of_partner else {})


def test_a_sale_that_comes_in_between_keeps_its_lease(shop: Shop, desk: Desk) -> None:
    bad, buyer = shop.partner(), shop.partner()
    _mark(shop, bad, 1)
    desk.admin = replace(desk.admin, numbers=crossed(shop.numbers, "get", lambda: shop.buy(buyer, "go")))
    assert _lift_of(desk, bad) == 1
    assert _number(shop).is_held(shop.cloud.clock())


def test_many_lifts_at_once_lift_each_mark_once(busy_shop: Shop) -> None:
    busy_shop.stock(PHONE)
    one, other = busy_shop.partner(), busy_shop.partner()
    for partner in (one, other, one, other):
        _mark(busy_shop, partner, 4)
    desks = [Desk(busy_shop.cloud) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        lifted = list(threads.map(lambda desk: _lift_of(desk, one), desks))
    assert sum(lifted) == 2
    assert _number(busy_shop).cancels == {"tg": 2}


HISTORIES = [
    (Fault.UNANSWERED,),
    (Fault.UNHEARD,),
    (Fault.CONFLICT, Fault.UNANSWERED, Fault.THROTTLED),
    (Fault.UNANSWERED, Fault.UNHEARD, Fault.UNANSWERED),
]


@pytest.mark.parametrize("history", HISTORIES, ids="-".join)
@pytest.mark.parametrize("of_partner", [False, True])
def test_a_lift_without_an_answer_is_told_as_what_it_is(
    shop: Shop, of_partner: bool, history: tuple[Fault, ...]
) -> None:
    one, other = shop.partner(), shop.partner()
    for partner in (one, other):
        _mark(shop, partner, 4)
    desk = Desk(failing_cloud(shop.cloud, Scripted(*history), remembers_tokens=False))
    if of_partner:
        assert _lift_of(desk, one) == 1
        assert _number(shop).cancels == {"tg": 1}
    else:
        assert _lift(desk).body["lifted"] == 2
        assert _number(shop).cancels == {}


# ---------------------------------------------------------------- the audit log


def test_the_reason_is_in_the_audit_log_and_in_no_other(
    shop: Shop, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    partner = shop.partner()
    _mark(shop, partner, 1)
    _lift(desk)
    shop.cloud.clock.advance(seconds=1)
    since = shop.cloud.clock()
    _lift_of(desk, partner, since)
    of_partner, of_number = desk.get("/admin/audit").body["entries"][:2]
    assert (of_number["action"], of_number["id"]) == ("number.marks_lifted", PHONE)
    assert of_number["details"] == {"reason": REASON, "code": "tg", "lifted": 1}
    assert (of_partner["action"], of_partner["id"]) == ("partner.marks_lifted", partner.partner_id)
    assert of_partner["details"] == {"reason": REASON, "since": to_iso(since), "lifted": 0}
    assert [vars(record)["action"] for record in caplog.records] == ["number.marks_lifted", "partner.marks_lifted"]
    assert REASON not in str([vars(record) for record in caplog.records])


def test_the_reason_is_recorded_before_anything_is_lifted(shop: Shop, desk: Desk) -> None:
    seen: list[Any] = []
    partner = shop.partner()
    _mark(shop, partner, 1)

    def look() -> None:
        seen.extend(Desk(shop.cloud).get("/admin/audit").body["entries"])

    desk.admin = replace(desk.admin, numbers=crossed(shop.numbers, "get", look))
    _lift(desk)
    assert (seen[0]["result"], seen[0]["details"]) == ("started", {"reason": REASON})
