"""Activations that only FINISH ends, or the longest hold, and what that may cost: contract 1.3, 1.4, 1.7, docs/adr/0048."""

from collections import Counter
from typing import Any

import pytest

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.partner import MOST_HELD, Partner
from globalconnect.domain.sms import DuePush, PushState, SmsRef
from globalconnect.domain.times import DAY, HOUR, MINUTE, to_iso
from simulation.calls import Calls
from simulation.desk import Desk
from simulation.office import Office
from simulation.shop import OPERATOR, Reply, Shop, present

PHONES = [f"44747219{n:04}" for n in range(MOST_HELD + 5)]
FEW = PHONES[:3]
PRINTED = '"HeldTooLong":[1.0]'
SUCCESS = {"status": "SUCCESS"}
NO_NUMBERS = {"status": "NO_NUMBERS"}
WAIT_CODE, EXPIRED = {"status": "WAIT_CODE"}, {"status": "EXPIRED"}


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    shop.sell("tg", reusable=True)
    shop.stock(*FEW)
    shop.project()
    return shop


def _later(shop: Shop, hours: float = 0, minutes: float = 0) -> None:
    """Turn the clock, and let happen what happens every minute."""
    shop.cloud.clock.advance(minutes=hours * 60 + minutes)
    shop.sweep()
    shop.project()


def _shown(shop: Shop, partner: Partner) -> int:
    (country,) = shop.call(partner, "GET_SERVICES").body["countryList"]
    return int(country["operatorMap"][OPERATOR]["tg"])


def _bought(shop: Shop, partner: Partner) -> dict[str, Any]:
    body: dict[str, Any] = shop.buy(partner).body
    shop.project()
    return body


def _held(shop: Shop, partner: Partner) -> int:
    return sum(number.partner_id == partner.partner_id for number in shop.all_numbers())


def _listed(desk: Desk, state: str) -> list[dict[str, Any]]:
    return desk.all_pages("/admin/activations", "activations", ("state", state))


def _ended(desk: Desk, activation_id: object) -> Reply:
    return desk.post(f"/admin/activations/{activation_id}/end")


# ---------------------------------------------------------------- a hub that never finishes


def test_a_hub_that_never_finishes_holds_its_limit_at_most_and_everything_comes_back(
    shop: Shop, desk: Desk, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    shop.sell("tg", reusable=True)
    shop.stock(*PHONES)
    shop.project()
    hub, other = shop.partner(dialect="smshub"), shop.partner()
    assert _shown(shop, hub) == MOST_HELD
    first: list[int] = []
    while left := _shown(shop, hub):
        first += [shop.buy(hub).body["activationId"] for _ in range(min(left, 30))]
        shop.project()
        # As long as nobody buys beyond what is shown; the counts lag by up to 2 s.
        assert _held(shop, hub) <= MOST_HELD
    assert len(first) == MOST_HELD
    assert shop.buy(hub).body == NO_NUMBERS
    assert (shop.explain(hub.key).body["reason"], _shown(shop, other)) == ("limit", len(PHONES) - MOST_HELD)
    others = _bought(shop, other)["activationId"]
    begun = shop.cloud.clock()

    _later(shop, minutes=59)
    assert _listed(desk, "overdue") == []
    _later(shop, minutes=1)
    overdue = _listed(desk, "overdue")
    assert {one["activationId"] for one in overdue} == {*first}
    assert {(one["state"], one["overdueSince"], one["expiresAt"]) for one in overdue} == {
        ("live", to_iso(begun + HOUR), to_iso(begun + DAY))
    }
    assert _listed(desk, "live") == overdue
    assert [shop.messages(*one).body for one in ((other, others), (hub, first[0]))] == [EXPIRED, WAIT_CODE]

    # Nothing it holds is lent to others, however often it asks.
    for _ in range(7):
        _later(shop, hours=3)
        assert (_shown(shop, hub), shop.buy(hub).body, _held(shop, hub)) == (0, NO_NUMBERS, MOST_HELD)
        assert shop.messages(hub, first[0]).body == WAIT_CODE

    # Staff end one: another may take its place, and lives on when the others end.
    assert _ended(desk, first[0]).body["state"] == "expired"
    shop.project()
    assert (_shown(shop, hub), shop.messages(hub, first[0]).body) == (1, EXPIRED)
    last = _bought(shop, hub)["activationId"]
    assert (_shown(shop, hub), _held(shop, hub)) == (0, MOST_HELD)
    assert {one["activationId"] for one in _listed(desk, "overdue")} == {*first[1:]}

    _later(shop, hours=1, minutes=59)
    assert PRINTED not in capsys.readouterr().out
    _later(shop, minutes=1)
    assert capsys.readouterr().out.count(PRINTED) == MOST_HELD - 1
    assert caplog.messages.count("activation_held_too_long") == MOST_HELD - 1
    assert [shop.messages(hub, one).body for one in (first[1], last)] == [EXPIRED, WAIT_CODE]
    assert (_held(shop, hub), _shown(shop, other), _shown(shop, hub)) == (1, len(PHONES) - 1, MOST_HELD - 1)
    assert [one["activationId"] for one in _listed(desk, "overdue")] == [last]
    assert Counter(one["state"] for one in _listed(desk, "expired")) == {"expired": MOST_HELD + 1}
    # And is sold again.
    assert shop.buy(other, exceptionPhoneSet=PHONES[MOST_HELD:]).body["number"] in PHONES[:MOST_HELD]
    _later(shop, minutes=1)
    assert PRINTED not in capsys.readouterr().out


@pytest.mark.parametrize(("dialect", "lives"), [("smshub", True), ("globalconnect", False), ("onlinesim", False)])
def test_only_where_the_hub_must_finish_a_number_is_held_beyond_its_lease(
    stocked: Shop, desk: Desk, dialect: str, *, lives: bool
) -> None:
    partner = stocked.partner(dialect=dialect)
    sold = _bought(stocked, partner)["activationId"]
    stocked.cloud.clock.advance(minutes=61)
    assert stocked.messages(partner, sold).body == (WAIT_CODE if lives else EXPIRED)
    found = {stocked.buy(stocked.partner()).body.get("number") for _ in range(4)}
    assert len(found - {None}) == (2 if lives else 3)
    assert len(_listed(desk, "overdue")) == lives
    stored = present(stocked.activations.get(sold))
    assert (stored.expires_at - stored.started_at, stored.overdue_at) == (
        (DAY, stored.started_at + HOUR) if lives else (HOUR, None)
    )


@pytest.mark.parametrize(
    ("own", "deployments", "limit"), [(None, "0", MOST_HELD), (None, "2", 2), (1, "2", 1), (MOST_HELD + 1, "0", None)]
)
def test_its_limit_is_its_own_else_the_deployments_else_100(
    shop: Shop, own: int | None, deployments: str, limit: int | None
) -> None:
    limited = Shop(shop.cloud, {"MAX_LIVE": deployments})
    limited.stock(*PHONES)
    limited.project()
    assert _shown(limited, limited.partner(dialect="smshub", max_live=own)) == (limit or MOST_HELD + 1)


def test_a_sale_takes_as_many_calls_as_any_with_a_limit(stocked: Shop) -> None:
    hub, limited = stocked.partner(dialect="smshub"), stocked.partner(max_live=5)
    with Calls(stocked.cloud.client) as calls:

        def made(partner: Partner) -> list[list[str]]:
            return [calls.of(lambda: stocked.buy(partner)), calls.of(lambda: stocked.call(partner, "GET_SERVICES"))]

        assert made(hub) == made(limited)


# ---------------------------------------------------------------- its SMS, and its end by the hub


def test_an_sms_hours_later_is_its_own_and_is_pushed(shop: Shop) -> None:
    with Office(shop, dialect="smshub") as office:
        office.first_push()
        shop.cloud.clock.advance(minutes=5 * 60)
        shop.deliver(shop.source(), {"phone": office.phone, "from": "Telegram", "text": "code 2"})
        sale = present(shop.activations.sale(ActivationId(office.activation_id)))
        assert [sms.text for sms in sale.sms] == [office.text, "code 2"]
        late = SmsRef(sale.activation.activation_id, sale.sms[1].sms_id)
        office.pusher.deliver_new([DuePush(late, office.partner.partner_id, due=0, tally=office.new().tally)])
        assert [body["text"] for _, body, _ in office.hub.got] == [office.text, "code 2"]
        # Once it has expired, the number is nobody's.
        shop.cloud.clock.advance(minutes=19 * 60)
        shop.deliver(shop.source(), {"phone": office.phone, "from": "Telegram", "text": "code 3"})
        assert len(present(shop.activations.sale(ActivationId(office.activation_id))).sms) == 2


@pytest.mark.parametrize("hours", [5, 25])
def test_a_finish_hours_later_is_recorded_and_frees_the_number(stocked: Shop, hours: int) -> None:
    hub = stocked.partner(dialect="smshub")
    sold = _bought(stocked, hub)
    _later(stocked, hours=hours)
    assert stocked.finish(hub, sold["activationId"], 3).body == SUCCESS
    assert present(stocked.activations.get(sold["activationId"])).outcome is Outcome.SUCCESS
    number = present(stocked.numbers.get(str(sold["number"])))
    assert (number.activation_id, number.overdue_at, number.available_from <= stocked.cloud.clock()) == (
        None,
        None,
        True,
    )


def test_what_was_promised_holds_whatever_the_dialect_and_the_parameter_are_meanwhile(stocked: Shop) -> None:
    hub, plain = stocked.partner(dialect="smshub"), stocked.partner()
    held, leased = (_bought(stocked, partner)["activationId"] for partner in (hub, plain))
    stocked.partners.change(hub.partner_id, {"dialect": "globalconnect"})
    stocked.partners.change(plain.partner_id, {"dialect": "smshub"})
    changed = Shop(stocked.cloud, {"LONGEST_HOLD_HOURS": "1", "ACTIVATION_MINUTES": "5"})
    _later(changed, minutes=61)
    assert [changed.messages(*one).body for one in ((hub, held), (plain, leased))] == [WAIT_CODE, EXPIRED]
    _later(changed, hours=22, minutes=58)
    assert changed.messages(hub, held).body == WAIT_CODE
    _later(changed, minutes=1)
    assert changed.messages(hub, held).body == EXPIRED


@pytest.mark.parametrize(
    ("decided", "lives"),
    [
        ({"LONGEST_HOLD_HOURS": "3"}, 3 * HOUR),
        ({"LONGEST_HOLD_HOURS": "1", "ACTIVATION_MINUTES": "90"}, 90 * MINUTE),
        ({"LONGEST_HOLD_HOURS": "72", "RETENTION_DAYS": "1"}, DAY),
    ],
    ids=["as decided", "never shorter than a lease", "never longer than it is kept"],
)
def test_the_longest_hold_is_a_parameter(stocked: Shop, decided: dict[str, str], lives: int) -> None:
    other = Shop(stocked.cloud, decided)
    sold = present(other.activations.get(_bought(other, other.partner(dialect="smshub"))["activationId"]))
    assert sold.expires_at - sold.started_at == lives


def test_a_number_that_was_held_too_long_is_not_sold_before_staff_are_told(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.stock(FEW[0])
    _bought(shop, shop.partner(dialect="smshub"))
    shop.cloud.clock.advance(minutes=24 * 60)
    assert shop.buy(shop.partner()).body["status"] == "NO_NUMBERS"
    assert PRINTED not in capsys.readouterr().out
    _later(shop, minutes=1)
    assert PRINTED in capsys.readouterr().out
    assert shop.buy(shop.partner()).body["status"] == "SUCCESS"


# ---------------------------------------------------------------- what staff may end


@pytest.mark.parametrize("rest", [0, 30])
def test_staff_end_what_is_overdue_as_if_it_had_expired(stocked: Shop, rest: int) -> None:
    stocked.cloud.env["REST_MINUTES"] = str(rest)
    resting, desk = Shop(stocked.cloud), Desk(stocked.cloud)
    hub = resting.partner(dialect="smshub")
    sold = _bought(resting, hub)
    resting.deliver(resting.source(), {"phone": sold["number"], "from": "Telegram", "text": "code 1"})
    _later(resting, hours=2)
    now = resting.cloud.clock()
    ended = _ended(desk, sold["activationId"])
    assert (ended.status, ended.body["state"], ended.body["expiresAt"], ended.body["overdueSince"]) == (
        200,
        "expired",
        to_iso(now),
        None,
    )
    number = present(resting.numbers.get(str(sold["number"])))
    assert (number.activation_id, number.overdue_at, number.resting) == (None, None, rest > 0)
    assert number.available_from == now + rest * MINUTE
    resting.project()
    assert resting.partner_parts.holders.held_by(hub.partner_id) == 0
    # Its SMS is still waiting to be pushed, as after any end but FINISH; the next is nobody's.
    (pending,) = present(resting.activations.sale(sold["activationId"])).sms
    assert pending.push_state is PushState.PENDING
    resting.deliver(resting.source(), {"phone": sold["number"], "from": "Telegram", "text": "code 2"})
    assert len(present(resting.activations.sale(sold["activationId"])).sms) == 1
    # Again changes nothing, and the hub may still finish it.
    resting.cloud.clock.advance(minutes=1)
    assert _ended(desk, sold["activationId"]).body == ended.body
    assert resting.finish(hub, sold["activationId"], 4).body == SUCCESS
    assert _ended(desk, sold["activationId"]).refusal == (409, "activation: is finished")
    (first, *_) = [one for one in desk.get("/admin/audit").body["entries"] if one["action"] == "activation.ended"][::-1]
    assert (first["id"], first["result"]) == (str(sold["activationId"]), "done")


def test_staff_end_nothing_else(stocked: Shop, desk: Desk) -> None:
    hub, plain = stocked.partner(dialect="smshub"), stocked.partner()
    held, leased = (_bought(stocked, partner)["activationId"] for partner in (hub, plain))
    refused = (409, "activation: is not overdue")
    stocked.cloud.clock.advance(minutes=59)
    assert [_ended(desk, one).refusal for one in (held, leased)] == [refused, refused]
    stocked.cloud.clock.advance(minutes=2)
    assert _ended(desk, leased).refusal == refused
    assert _ended(desk, 12345).refusal == (404, "activation not found")
    stocked.finish(hub, held, 3)
    assert _ended(desk, held).refusal == (409, "activation: is finished")
    assert stocked.messages(hub, held).body == EXPIRED


def test_what_is_overdue_is_listed_whole_by_what_is_held_newest_first_and_filtered(stocked: Shop, desk: Desk) -> None:
    hubs = [desk.partner(dialect="smshub")["partnerId"] for _ in range(2)]
    now, sold = stocked.cloud.clock(), []
    for place in range(104):
        number = desk.stocked(f"4475{place:06}")
        service = "go" if place % 2 else "tg"
        # Each two begin at once.
        sold.append(desk.sold(hubs[place % 2], number, service, overdue_at=now + 30 * MINUTE))
        stocked.cloud.clock.advance(ms=place % 2)
    # What holds no number is not looked at.
    for place in range(20):
        desk.recorded(
            Activation(ActivationId(place + 1), PartnerId("p"), "4476", "c", "o", "tg", now, now + DAY, overdue_at=now)
        )
    stocked.cloud.clock.at = now + 40 * MINUTE
    first = desk.get("/admin/activations", ("state", "overdue")).body
    listed = _listed(desk, "overdue")
    assert (len(first["activations"]), first["activations"] + listed[100:]) == (100, listed)
    ordered = sorted(sold, key=lambda one: (one.started_at, one.activation_id), reverse=True)
    assert [one["activationId"] for one in listed] == [one.activation_id for one in ordered]
    for name, value, wanted in (
        ("partnerId", hubs[0], sold[::2]),
        ("service", "go", sold[1::2]),
        ("phone", sold[5].phone, sold[5:6]),
    ):
        found = desk.all_pages("/admin/activations", "activations", ("state", "overdue"), (name, str(value)))
        assert {one["activationId"] for one in found} == {one.activation_id for one in wanted}
    cursor = ("cursor", first["cursor"])
    assert desk.get("/admin/activations", ("state", "live"), cursor).status == 400
    assert desk.get("/admin/activations", ("state", "overdue"), ("service", "go"), cursor).status == 400


# ---------------------------------------------------------------- statistics


def test_an_hour_is_counted_again_until_what_was_held_in_it_has_ended(stocked: Shop) -> None:
    longer = Shop(stocked.cloud, {"LONGEST_HOLD_HOURS": "72"})
    _bought(longer, longer.partner(dialect="smshub"))
    began = longer.cloud.clock() // HOUR * HOUR
    for hours, state in ((1, "live"), (70, "live"), (2, "unfinished")):
        _later(longer, hours=hours)
        longer.measure()
        (hour,) = longer.statistics.hours(began, began)
        assert getattr(hour.counts, state) == 1


def test_what_was_delivered_hours_before_a_finish_counts_as_delivered_once_its_hour_is_over(shop: Shop) -> None:
    with Office(shop, dialect="smshub") as office:
        office.first_push()
        shop.cloud.clock.advance(minutes=5 * 60)
        shop.finish(office.partner, office.activation_id, Outcome.CANCELED.value)
        shop.measure()
        shop.cloud.clock.advance(minutes=60)
        shop.measure()
        now = shop.cloud.clock()
        outcomes = shop.statistics.outcomes(now - DAY, now)[office.partner.partner_id]
        assert (outcomes.delivered, outcomes.taken_back) == (1, 1)
