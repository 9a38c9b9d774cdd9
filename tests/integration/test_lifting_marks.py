"""Operators lift what outcomes 1 and 4 left on numbers: each mark once, and never what a success used up (contract 5)."""

import json
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId
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


def _mark(shop: Shop, partner: Partner, status: int, service: str = "tg") -> int:
    """Buy and finish so; return the activation."""
    activation_id: int = shop.buy(partner, service).body["activationId"]
    assert shop.finish(partner, activation_id, status).status == 200
    shop.cloud.clock.advance(seconds=1)
    return activation_id


def _expired(shop: Shop) -> tuple[Partner, int]:
    """Return an activation that ran out without an outcome, and its partner."""
    partner, activation_id = shop.sold()
    shop.cloud.clock.advance(minutes=61)
    return partner, activation_id


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
    bought = shop.buy(partner, service).body.get("activationId")
    return bought is not None and shop.finish(partner, bought, 5).status == 200


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
    for cancels in range(1, 6):
        last = _mark(shop, shop.partner(), 4)
        (mark,) = desk.get(f"/admin/numbers/{PHONE}").body["marks"]
        assert [cause["activationId"] for cause in mark.pop("causes")] == [last] * (cancels == 5)
        assert mark == {"service": "tg", "blocked": cancels == 5, "cancels": cancels}


@pytest.mark.parametrize("status", [5, 3])
def test_what_leaves_no_mark_notes_nothing(shop: Shop, desk: Desk, status: int) -> None:
    shop.sell("tg", reusable=True)
    _mark(shop, shop.partner(), status)
    assert desk.get(f"/admin/numbers/{PHONE}").body["marks"] == []
    assert _number(shop).causes == {}


def test_an_item_with_all_the_marks_it_can_have_stays_small(shop: Shop) -> None:
    codes = [f"service{place}" for place in range(300)]
    cause = Cause(ActivationId(10**14 - 1), shop.partner().partner_id, Outcome.CANCELED, shop.cloud.clock())
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
    # A generous measure: with the names of types, and numbers as texts.
    assert len(json.dumps(to_wire(to_item(number)))) < 64_000


# ---------------------------------------------------------------- per number and service


@pytest.mark.parametrize(
    ("outcomes", "lifted"), [([1], 1), ([4], 1), ([4] * 5, 5)], ids=["prohibited", "a cancel", "blocked by cancels"]
)
def test_what_1_and_4_left_is_lifted_once_and_the_number_sold_again(
    shop: Shop, desk: Desk, outcomes: list[int], lifted: int
) -> None:
    _mark(shop, shop.partner(), 1, "go")
    for outcome in outcomes:
        _mark(shop, shop.partner(), outcome)
    reply = _lift(desk)
    assert (reply.status, reply.body["lifted"], reply.body["warning"]) == (200, lifted, None)
    after = _number(shop)
    assert (after.blocked, after.cancels, list(after.causes)) == (frozenset({"go"}), {}, ["go"])
    # A second time has no effect.
    assert (_lift(desk).body["lifted"], _number(shop)) == (0, after)
    assert (_can_buy(shop), _can_buy(shop, "go")) == (True, False)


@pytest.mark.parametrize("after", [[], [5]], ids=["success", "refunded"])
def test_what_a_success_used_up_is_never_lifted(shop: Shop, desk: Desk, after: list[int]) -> None:
    partner = shop.partner()
    activation_id = _mark(shop, partner, 3)
    for outcome in after:
        shop.finish(partner, activation_id, outcome)
    before = _number(shop)
    assert _lift(desk).refusal == (409, "service: was used up by a success, which is never lifted")
    assert (_lift_of(desk, partner), _number(shop)) == (0, before)


def test_a_success_after_a_prohibition_covers_it(shop: Shop, desk: Desk) -> None:
    late, expired = _expired(shop)
    partner = shop.partner()
    _mark(shop, partner, 1)
    shop.finish(late, expired, 3)
    assert (_lift(desk).status, _lift_of(desk, partner), _can_buy(shop)) == (409, 0, False)


@pytest.mark.parametrize(("status", "warned"), [(3, True), (4, False)], ids=["a block", "a cancel"])
def test_an_older_block_is_lifted_with_a_warning(shop: Shop, desk: Desk, status: int, warned: bool) -> None:
    _mark(shop, shop.partner(), status)
    _forget_causes(shop)
    assert desk.get(f"/admin/numbers/{PHONE}").body["marks"][0]["causes"] == []
    reply = _lift(desk).body
    assert (reply["lifted"], "may have been a success" in str(reply["warning"])) == (1, warned)
    assert _can_buy(shop)


def test_an_older_block_stays_one_whatever_comes_late(shop: Shop, desk: Desk) -> None:
    late, expired = _expired(shop)
    _mark(shop, shop.partner(), 3)
    _forget_causes(shop)
    shop.finish(late, expired, 1)
    assert (_lift_of(desk, late), _can_buy(shop)) == (0, False)
    assert _lift(desk).body["warning"] is not None


def test_more_causes_than_are_noted_make_a_block_of_unknown_cause(shop: Shop, desk: Desk) -> None:
    expired = [_expired(shop) for _ in range(MOST_CAUSES + 1)]
    for place, (late, activation_id) in enumerate(expired, start=1):
        shop.finish(late, activation_id, 1)
        assert len(_number(shop).causes.get("tg", ())) == (place if place <= MOST_CAUSES else 0)
    assert [_lift_of(desk, late) for late, _ in expired] == [0] * len(expired)
    assert not _can_buy(shop)
    assert _lift(desk).body["warning"] is not None
    assert _can_buy(shop)


OF_NUMBER, OF_PARTNER = f"/admin/numbers/{PHONE}/lift-marks", "/admin/partners/abc/lift-marks"


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("/admin/numbers/447472190099/lift-marks", {"service": "tg", "reason": REASON}, 404, "number not found"),
        (OF_NUMBER, {"service": "tg"}, 400, "reason"),
        (OF_NUMBER, {"service": "tg", "reason": " "}, 400, "reason"),
        (OF_NUMBER, {"reason": REASON}, 400, "service"),
        (OF_NUMBER, {"service": "t g", "reason": REASON}, 400, "service"),
        (OF_PARTNER, {"since": "2024-01-15T12:34:56Z", "reason": REASON}, 404, "partner not found"),
        *(
            (OF_PARTNER, {"since": since, "reason": REASON}, 400, "since")
            for since in ("yesterday", "2024-01-15", "2024-01-15T12:34:56", 5, None)
        ),
    ],
)
def test_what_does_not_exist_is_404_and_a_bad_field_400(
    desk: Desk, path: str, body: dict[str, object], status: int, named: str
) -> None:
    refused = desk.post(path, body).refusal
    assert (refused[0], refused[1].partition(":")[0]) == (status, named)


# ---------------------------------------------------------------- all of one partner


def test_all_that_a_partner_left_since_a_time_is_lifted_and_nothing_else(shop: Shop, desk: Desk) -> None:
    phones = [PHONE, *(str(447_472_190_100 + place) for place in range(5))]
    shop.stock(*phones[1:])
    bad, other = shop.partner(), shop.partner()
    _mark(shop, bad, 1)
    since = shop.cloud.clock()
    for partner, status in ((bad, 1), (bad, 4), (other, 1), (bad, 3), (bad, 1)):
        _mark(shop, partner, status)
    assert _lift_of(desk, bad, since) == 3
    numbers = shop.all_numbers()
    assert {number.phone for number in numbers if "tg" in number.blocked} == {phones[0], phones[3], phones[4]}
    assert [number.cancels for number in numbers if number.cancels] == []


def test_lifting_one_partners_cancels_leaves_anothers_counted(shop: Shop, desk: Desk) -> None:
    one, other = shop.partner(), shop.partner()
    for partner in (one, other, one, other, one):
        _mark(shop, partner, 4)
    assert (_can_buy(shop), _lift_of(desk, one)) == (False, 3)
    assert (_number(shop).cancels, _number(shop).causes) == ({"tg": 2}, {})
    for _ in range(3):
        _mark(shop, other, 4)
    assert (_can_buy(shop), _lift_of(desk, one)) == (False, 0)


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


@pytest.mark.parametrize(("dialect", "sold"), [("smshub", False), ("globalconnect", True)])
def test_a_block_by_the_limit_of_a_partner_who_canceled_goes_by_that_limit(
    shop: Shop, desk: Desk, dialect: str, sold: bool
) -> None:
    late, expired = _expired(shop)
    other = shop.partner(dialect=dialect)
    for _ in range(4):
        _mark(shop, other, 4)
    shop.finish(late, expired, 4)
    assert (_number(shop).cancels, _can_buy(shop)) == ({"tg": 5}, False)
    assert (_lift_of(desk, late), _can_buy(shop)) == (1, sold)
    assert (_lift_of(desk, other), _can_buy(shop)) == (4, True)


def test_of_two_prohibitions_both_must_be_lifted(shop: Shop, desk: Desk) -> None:
    late, expired = _expired(shop)
    partner = shop.partner()
    _mark(shop, partner, 1)
    shop.finish(late, expired, 1)
    assert (_lift_of(desk, partner), _can_buy(shop)) == (1, False)
    assert [cause.partner_id for cause in _number(shop).causes["tg"]] == [late.partner_id]
    assert (_lift_of(desk, late), _can_buy(shop)) == (1, True)


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
    shop.stock(*(str(447_472_190_100 + place) for place in range(59)))
    for _ in range(60):
        _mark(shop, partner, 1)
    path = f"/admin/partners/{partner.partner_id}/lift-marks"
    body = {"since": "2020-01-01T00:00:00Z", "reason": REASON}
    first = desk.post(path, body).body
    assert (first["lifted"], first["cursor"] is None) == (50, False)
    again = [desk.post(path, asked).body for asked in (body, {**body, "cursor": first["cursor"]})]
    assert again == [{"lifted": lifted, "cursor": None} for lifted in (10, 0)]
    assert not any(number.blocked for number in shop.all_numbers())
    changed = {**body, "since": "2020-01-01T00:00:01Z", "cursor": first["cursor"]}
    assert desk.post(path, changed).refusal[0] == 400


def test_a_portion_looks_at_a_bounded_number_of_activations(shop: Shop, desk: Desk) -> None:
    partner = shop.partner()
    template = present(shop.activations.get(ActivationId(_mark(shop, partner, 5))))
    for place in range(1_049):
        desk.recorded(replace(template, activation_id=ActivationId(10**12 + place)))
    path = f"/admin/partners/{partner.partner_id}/lift-marks"
    body = {"since": "2020-01-01T00:00:00Z", "reason": REASON}
    first = desk.post(path, body).body
    assert (first["lifted"], first["cursor"] is None) == (0, False)
    assert desk.post(path, {**body, "cursor": first["cursor"]}).body == {"lifted": 0, "cursor": None}


# ---------------------------------------------------------------- leases, counts, the queue of numbers


@pytest.mark.parametrize("of_partner", [False, True])
def test_a_live_lease_stays_as_it_is(shop: Shop, desk: Desk, of_partner: bool) -> None:
    bad = shop.partner()
    _mark(shop, bad, 1)
    shop.sold("go")
    before = _number(shop)
    assert (_lift_of(desk, bad) if of_partner else _lift(desk).body["lifted"]) == 1
    after = _number(shop)
    assert (after.activation_id, after.available_from) == (before.activation_id, before.available_from)


@pytest.mark.parametrize("of_partner", [False, True])
def test_a_lifted_number_is_the_one_that_came_free_last(shop: Shop, desk: Desk, of_partner: bool) -> None:
    bad = shop.partner()
    _mark(shop, bad, 1)
    shop.cloud.clock.advance(minutes=5)
    assert (_lift_of(desk, bad) if of_partner else _lift(desk).body["lifted"]) == 1
    assert _number(shop).available_from == shop.cloud.clock()


# ---------------------------------------------------------------- at once, and without an answer


@pytest.mark.parametrize("of_partner", [False, True])
@pytest.mark.parametrize("status", [1, 3, 4, 5])
def test_a_finish_that_comes_in_between_counts(shop: Shop, desk: Desk, status: int, of_partner: bool) -> None:
    late, expired = _expired(shop)
    bad = shop.partner()
    _mark(shop, bad, 1)
    desk.admin = replace(desk.admin, numbers=crossed(shop.numbers, "get", lambda: shop.finish(late, expired, status)))
    if of_partner:
        assert _lift_of(desk, bad) == (0 if status == 3 else 1)
    else:
        assert _lift(desk).status == (409 if status == 3 else 200)
    assert _can_buy(shop) is (status in {4, 5} or (status == 1 and not of_partner))
    assert _number(shop).cancels == ({"tg": 1} if status == 4 and of_partner else {})


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
    entries = desk.get("/admin/audit").body["entries"]
    assert [(entry["action"], entry["id"], entry["details"]) for entry in entries] == [
        ("partner.marks_lifted", partner.partner_id, {"reason": REASON, "since": to_iso(since), "lifted": 0}),
        ("number.marks_lifted", PHONE, {"reason": REASON, "code": "tg", "lifted": 1}),
    ]
    assert [vars(record)["action"] for record in caplog.records] == ["number.marks_lifted", "partner.marks_lifted"]
    assert REASON not in str([vars(record) for record in caplog.records])


def test_the_reason_is_recorded_before_anything_is_lifted(shop: Shop, desk: Desk) -> None:
    seen: list[Any] = []
    _mark(shop, shop.partner(), 1)
    look = crossed(shop.numbers, "get", lambda: seen.extend(desk.get("/admin/audit").body["entries"]))
    desk.admin = replace(desk.admin, numbers=look)
    _lift(desk)
    assert (seen[0]["result"], seen[0]["details"]) == ("started", {"reason": REASON})
