"""Statistics are what is stored, however often, late or incompletely they were counted (contract 5)."""

import itertools
import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from globalconnect.domain.activation import Outcome
from globalconnect.domain.backlog import PartnerPending, PendingNote
from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.number import Offline, OfflineReason
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.statistics import HourCounts, StartedActivation, Stock, counts_of, hour_of
from globalconnect.domain.times import DAY, HOUR, MINUTE, to_iso
from globalconnect.store.dynamo import Item, expression
from hourly_counts.measure import COUNTED_AGAIN
from simulation.aws import START
from simulation.calls import Calls
from simulation.desk import Desk
from simulation.failing import Fault, Faults, Scripted, failing_cloud
from simulation.inventory import ShortPages
from simulation.shop import Shop, present

PHONES = [f"4474721900{n:02}" for n in range(40)]
URL = "https://hub.example/push"
NOTHING = HourCounts()


@dataclass(slots=True)
class Trade:
    """A shop that sells and delivers, and a book of what truly happened in it."""

    shop: Shop
    partner: Partner = field(init=False)
    source: str = field(init=False)
    begun: dict[int, tuple[int, StartedActivation]] = field(default_factory=dict)
    waiting: list[SmsRef] = field(default_factory=list)
    delivered: list[tuple[int, int]] = field(default_factory=list)
    refs: list[SmsRef] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop.sell("tg", reusable=True)
        self.shop.stock(*PHONES)
        self.partner, self.source = self.shop.partner(push_url=URL), self.shop.source()

    @property
    def now(self) -> int:
        return self.shop.cloud.clock()

    def buy(self) -> int | None:
        """Begin an activation; return its id, None when nothing is for sale."""
        body = self.shop.buy(self.partner).body
        if body["status"] != "SUCCESS":
            return None
        activation_id: int = body["activationId"]
        self.begun[activation_id] = (
            self.now,
            StartedActivation(ActivationId(activation_id), None, self.now + 60 * MINUTE),
        )
        return activation_id

    def finish(self, activation_id: int, outcome: Outcome) -> None:
        """Close an activation, or refund it; whether it counts is as the contract says (1.5)."""
        self.shop.finish(self.partner, activation_id, outcome.value)
        at, before = self.begun[activation_id]
        refunded = before.outcome is Outcome.SUCCESS and outcome is Outcome.RETURNED
        if before.outcome is None or refunded:
            self.begun[activation_id] = (at, replace(before, outcome=outcome))

    def receive(self, activation_id: int) -> list[SmsRef]:
        """Let an SMS come in, if the activation still holds its number; return it."""
        activation = present(self.shop.activations.get(ActivationId(activation_id)))
        sms = {"phone": activation.phone, "from": "a", "text": "b", "id": str(random.random())}
        self.shop.deliver(self.source, sms)
        sale = present(self.shop.activations.sale(ActivationId(activation_id)))
        new = [ref for sms in sale.sms if (ref := SmsRef(ActivationId(activation_id), sms.sms_id)) not in self.refs]
        self.refs += new
        self.waiting += new
        return new

    def deliver_one(self) -> int:
        """Begin an activation, and let its partner take an SMS; return it."""
        activation_id = present(self.buy())
        (ref,) = self.receive(activation_id)
        self.push(ref)
        return activation_id

    def push(self, ref: SmsRef, state: PushState = PushState.DELIVERED) -> None:
        (sms,) = self.shop.pushes.claim([ref], self.now)
        assert isinstance(sms, Sms)
        self.shop.pushes.settle([PushEnd(sms, state, self.now)])
        if state is PushState.DELIVERED and sms.delivered_at is None:
            self.delivered.append((self.now, self.now - sms.stored_at))
        if ref in self.waiting:
            self.waiting.remove(ref)

    def push_once_more(self, ref: SmsRef) -> None:
        """Let staff have a delivered SMS pushed, and the partner take it."""
        self.shop.pushes.push_again(ref, self.now, 0)
        self.push(ref)

    def true(self, at: int) -> HourCounts:
        begun = [one for began, one in self.begun.values() if hour_of(began) == at]
        return counts_of(begun, [took for when, took in self.delivered if hour_of(when) == at], self.now)

    def counted(self, at: int) -> HourCounts:
        return counts(self.shop, at)

    def go_on(self, rng: random.Random) -> None:
        self.shop.cloud.clock.advance(ms=rng.randrange(40 * MINUTE))
        ids, delivered = list(self.begun), [ref for ref in self.refs if ref not in self.waiting]
        match rng.randrange(8):
            case 0 | 1 | 2:
                self.buy()
            case 3 | 4 if ids:
                self.finish(rng.choice(ids[-20:]), rng.choice([*Outcome, *[Outcome.SUCCESS] * 4]))
            case 5 if ids:
                self.receive(ids[-1])
            case 6 if self.waiting:
                self.push(self.waiting[0], rng.choice([PushState.DELIVERED, PushState.DELIVERED, PushState.STOPPED]))
            case 7 if delivered:
                self.push_once_more(rng.choice(delivered))


@pytest.fixture
def life(shop: Shop) -> Trade:
    return Trade(shop)


def over(shop: Shop, faults: Faults) -> Shop:
    return Shop(failing_cloud(shop.cloud, faults), shop.overrides)


def counts(shop: Shop, at: int) -> HourCounts:
    kept = shop.statistics.hours(at, at)
    return kept[0].counts if kept else NOTHING


def kept(shop: Shop) -> list[Item]:
    return sorted(
        shop.cloud.db.scan_all(shop.cloud.env["STATISTICS_TABLE"]), key=lambda item: (item["kind"], item["at"])
    )


def without_times(items: list[Item]) -> list[Item]:
    return [{name: value for name, value in item.items() if name != "measured_at"} for item in items]


def last_hours(now: int, how_many: int = COUNTED_AGAIN) -> list[int]:
    return [hour_of(now) - place * HOUR for place in range(how_many)]


# ---------------------------------------------------------------- hours are the truth


@pytest.mark.parametrize("seed", range(2))
def test_after_any_history_every_hour_is_as_it_truly_was(life: Trade, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(90):
        life.go_on(rng)
        if rng.random() < 0.1:
            life.shop.sweep()
            life.shop.measure()
    assert life.now > START + DAY
    # The first run of an hour.
    life.shop.cloud.clock.at = hour_of(life.now) + HOUR
    life.shop.measure()
    hours = last_hours(life.now)
    assert [life.counted(at) for at in hours] == [life.true(at) for at in hours]
    together = sum((life.true(at) for at in hours), NOTHING)
    assert all((together.unfinished, together.success, together.returned, together.delivered))
    before = kept(life.shop)
    life.shop.measure()
    assert kept(life.shop) == before


def test_pages_of_any_size_are_counted_whole(shop: Shop) -> None:
    tables: Any = ShortPages(shop.cloud.client)
    life = Trade(Shop(shop.cloud.over(tables)))
    for _ in range(6):
        life.deliver_one()
    life.shop.measure()
    counted = life.counted(hour_of(START))
    assert counted == life.true(hour_of(START))
    assert (counted.live, counted.delivered) == (6, 6)


@pytest.mark.parametrize("edge", [hour_of(START) + HOUR, hour_of(START) // DAY * DAY + DAY])
def test_what_happens_on_the_hour_or_at_midnight_belongs_to_the_hour_that_begins(life: Trade, edge: int) -> None:
    for at in (edge - 1, edge):
        life.shop.cloud.clock.at = at
        life.deliver_one()
    life.shop.measure()
    for at in (edge - HOUR, edge):
        assert (life.counted(at).started, life.counted(at).delivered) == (1, 1)


def test_an_sms_counts_in_the_hour_in_which_it_was_delivered_with_the_time_since_it_was_stored(life: Trade) -> None:
    (ref,) = life.receive(present(life.buy()))
    life.shop.cloud.clock.advance(minutes=50)
    life.push(ref)
    life.shop.measure()
    assert life.counted(hour_of(START)).delivered == 0
    took = present(life.counted(hour_of(START) + HOUR).time_to_deliver(0.5))
    assert 50 * MINUTE <= took <= 50 * MINUTE * 1.25


# ---------------------------------------------------------------- what is counted when


def test_a_refund_is_seen_up_to_a_day_later_by_the_first_run_of_the_next_hour(life: Trade) -> None:
    activation_id = present(life.buy())
    life.finish(activation_id, Outcome.SUCCESS)
    life.shop.cloud.clock.advance(minutes=24 * 60)
    life.shop.measure()
    life.finish(activation_id, Outcome.RETURNED)
    life.shop.measure()
    assert life.counted(hour_of(START)) == HourCounts(success=1)
    life.shop.cloud.clock.at = hour_of(life.now) + HOUR
    life.shop.measure()
    assert life.counted(hour_of(START)) == HourCounts(returned=1)


def test_an_hour_that_was_longer_ago_stays_as_it_was_counted_last(life: Trade) -> None:
    activation_id = present(life.buy())
    life.shop.cloud.clock.advance(minutes=70)
    life.shop.measure()
    life.shop.cloud.clock.advance(minutes=COUNTED_AGAIN * 60)
    life.finish(activation_id, Outcome.SUCCESS)
    life.shop.measure()
    assert life.counted(hour_of(START)) == HourCounts(unfinished=1)


def test_the_first_run_of_an_hour_counts_a_day_and_the_others_the_hours_that_change(life: Trade) -> None:
    with Calls(life.shop.cloud.client) as calls:
        first = calls.of(life.shop.measure)
        life.shop.cloud.clock.advance(minutes=1)
        second = calls.of(life.shop.measure)
        life.shop.cloud.clock.at = hour_of(life.now) + HOUR
        third = calls.of(life.shop.measure)
    # Each hour is an item of counts and one of outcomes; beside them is the stock. Activations live for an hour: those of
    # the current one and the one before may, and one more is counted. Outcomes are new in the current one only.
    assert [made.count("PutItem") - 1 for made in (first, second, third)] == [
        2 * COUNTED_AGAIN,
        3 + 1,
        2 * COUNTED_AGAIN,
    ]


def test_what_a_run_that_is_cut_off_has_left_the_next_one_counts(life: Trade) -> None:
    def cut_off() -> Shop:
        """Return the shop over tables that take 17 more items."""
        taken = itertools.count()
        return over(life.shop, lambda called: Fault.THROTTLED if called == "PutItem" and next(taken) >= 17 else None)

    for kept_hours in (8, 14, 20):
        with pytest.raises(Busy):
            cut_off().measure()
        assert len(life.shop.statistics.hours(0, life.now)) == kept_hours
        life.shop.cloud.clock.advance(minutes=1)
    cut_off().measure()
    assert len(life.shop.statistics.hours(0, life.now)) == COUNTED_AGAIN


def test_an_hour_of_which_some_is_no_longer_stored_is_not_counted_anew(shop: Shop) -> None:
    life = Trade(Shop(shop.cloud, {"RETENTION_DAYS": "1"}))
    assert life.buy() is not None
    life.shop.measure()
    # As the table's TTL does.
    table, db = life.shop.activations.table, life.shop.cloud.db
    (item,) = db.scan_all(table)
    key = {"activation_id": item["activation_id"], "entry": item["entry"]}
    db.delete(table, key, expression("attribute_exists(#entry)"))
    life.shop.cloud.clock.advance(minutes=24 * 60)
    life.shop.measure()
    assert life.counted(hour_of(START)) == HourCounts(live=1)


def test_stock_is_what_the_counts_of_get_services_say(shop: Shop) -> None:
    shop.stock(*PHONES[:5])
    shop.stock(*PHONES[5:7], country="france", operator="Orange")
    for _ in range(2):
        shop.buy(shop.partner())
    shop.numbers.withdraw(PHONES[4])
    shop.stock(PHONES[7])
    shop.numbers.set_offline(present(shop.numbers.get(PHONES[7])), Offline(START, OfflineReason.REPORTED))
    shop.project()
    shop.measure()
    assert shop.statistics.stock() == Stock(START, numbers=6, free=4)


# ---------------------------------------------------------------- what is kept


def test_hours_are_kept_for_400_days(shop: Shop) -> None:
    shop.measure()
    hours = [item for item in kept(shop) if item["kind"] == "hour"]
    assert all(item["expire_at"] == (item["at"] + 400 * DAY) // 1_000 for item in hours)
    assert all("expire_at" not in item for item in kept(shop) if item["kind"] == "stock")


# ---------------------------------------------------------------- what waits


def test_the_sweep_notes_what_waits_for_whom(life: Trade) -> None:
    other = life.shop.partner(push_url=URL, name="Other")
    for _ in range(3):
        life.receive(present(life.buy()))
        life.shop.cloud.clock.advance(minutes=1)
    bought = life.shop.buy(other).body
    life.shop.deliver(life.source, {"phone": bought["number"], "from": "a", "text": "b"})
    life.push(life.refs[1])
    # The SMS of a finished activation waits until its push finds that out.
    life.shop.finish(other, bought["activationId"], 4)
    life.shop.cloud.clock.advance(seconds=45)
    life.shop.sweep()
    waits = {life.partner.partner_id: PartnerPending(2, START), other.partner_id: PartnerPending(1, START + 3 * MINUTE)}
    assert life.shop.statistics.pending() == PendingNote(life.now, waiting=3, oldest_at=START, partners=waits)


def test_a_sweep_that_did_not_see_all_notes_nothing(life: Trade) -> None:
    life.receive(present(life.buy()))
    life.shop.cloud.clock.advance(minutes=2)
    with pytest.raises(Unavailable):
        over(life.shop, Scripted(*[Fault.UNHEARD] * 10, operation="BatchGetItem")).sweep()
    assert life.shop.statistics.pending() is None


# ---------------------------------------------------------------- what staff see


def shown(desk: Desk, *query: tuple[str, str]) -> dict[str, Any]:
    reply = desk.get("/admin/statistics", *query)
    assert reply.status == 200
    body: dict[str, Any] = reply.body
    return body


def test_before_anything_was_measured_all_is_zero_and_every_hour_is_there(desk: Desk) -> None:
    zeros = dict.fromkeys(
        ("started", "live", "unfinished", "prohibited", "success", "canceled", "returned", "delivered"), 0
    ) | {"timeToDeliverP50Ms": None, "timeToDeliverP99Ms": None}
    assert shown(desk) == {
        "measuredAt": None,
        "stock": {"numbers": 0, "free": 0, "held": 0},
        "pushes": {"waiting": 0, "oldestPendingAt": None},
        "partnersInTrouble": [],
        "partnersOverOutcomeLimit": [],
        "hours": [{"at": to_iso(at), **zeros} for at in reversed(last_hours(START, 24))],
        "totals": zeros,
    }


def test_hours_are_shown_with_their_totals_empty_ones_too(life: Trade, desk: Desk) -> None:
    for outcome in (Outcome.SUCCESS, Outcome.CANCELED):
        life.finish(life.deliver_one(), outcome)
        life.shop.measure()
        life.shop.cloud.clock.advance(minutes=5 * 60)
    assert life.buy() is not None
    life.shop.sweep()
    life.shop.measure()
    body = shown(desk, ("hours", "11"))
    assert [hour["started"] for hour in body["hours"]] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    counted = {"started": 3, "success": 1, "canceled": 1, "live": 1, "delivered": 2, "timeToDeliverP50Ms": 10}
    assert body["totals"] == body["totals"] | counted
    assert body["hours"][0] == body["hours"][0] | {"success": 1, "timeToDeliverP50Ms": 10}
    assert body["measuredAt"] == to_iso(life.now)
    assert [len(shown(desk, ("hours", hours))["hours"]) for hours in ("1", "720")] == [1, 720]


@pytest.mark.parametrize("given", ["0", "721", "-1", "1.5", "", "x", "00", "٣", "1000000", " 5"])
def test_a_span_that_can_be_none_is_400_and_named(desk: Desk, given: str) -> None:
    reply = desk.get("/admin/statistics", ("hours", given))
    assert reply.refusal == (400, "hours: expected a whole number from 1 to 720")


def test_what_is_shown_was_measured_when_the_oldest_part_of_it_was(shop: Shop, desk: Desk) -> None:
    shop.sweep()
    shop.cloud.clock.advance(minutes=3)
    shop.measure()
    assert shown(desk)["measuredAt"] == to_iso(START)
    shop.sweep()
    shop.cloud.clock.advance(minutes=1)
    assert shown(desk)["measuredAt"] == to_iso(START + 3 * MINUTE)


def in_trouble(shop: Shop, name: str) -> Partner:
    partner = shop.partner(push_url=URL, name=name)
    bought = shop.buy(partner).body
    shop.deliver(shop.source(), {"phone": bought["number"], "from": "a", "text": "b"})
    return partner


def test_partners_that_take_nothing_while_sms_wait_are_shown_the_longest_waiting_first(shop: Shop, desk: Desk) -> None:
    shop.stock(*PHONES)
    first, takes, revoked = in_trouble(shop, "First"), in_trouble(shop, "Takes"), in_trouble(shop, "Revoked")
    shop.cloud.clock.advance(ms=1)
    second = in_trouble(shop, "Second")
    shop.partners.note_success(second.partner_id, START - DAY)
    shop.cloud.clock.advance(minutes=5)
    shop.sweep()
    assert {one["name"] for one in shown(desk)["partnersInTrouble"]} == {"First", "Revoked", "Takes"}
    shop.cloud.clock.advance(ms=1)
    shop.partners.revoke(revoked.partner_id, shop.cloud.clock())
    shop.sweep()
    # After the sweep.
    shop.partners.note_success(takes.partner_id, shop.cloud.clock())
    body = shown(desk)
    assert body["partnersInTrouble"] == [
        {
            "partnerId": first.partner_id,
            "name": "First",
            "waiting": 1,
            "oldestPendingAt": to_iso(START),
            "lastSuccessAt": None,
        },
        {
            "partnerId": second.partner_id,
            "name": "Second",
            "waiting": 1,
            "oldestPendingAt": to_iso(START + 1),
            "lastSuccessAt": to_iso(START - DAY),
        },
    ]
    assert body["pushes"] == {"waiting": 4, "oldestPendingAt": to_iso(START)}


def test_a_partner_is_in_trouble_wherever_it_is_shown_or_nowhere(shop: Shop, desk: Desk) -> None:
    shop.stock(*PHONES)
    failing, takes = in_trouble(shop, "Failing"), in_trouble(shop, "Takes")
    shop.partner(push_url=URL, name="Idle")
    shop.cloud.clock.advance(minutes=5, ms=1)
    shop.sweep()
    shop.partners.note_success(takes.partner_id, shop.cloud.clock())
    assert [one["name"] for one in shown(desk)["partnersInTrouble"]] == ["Failing"]
    listed = desk.get("/admin/partners").body["partners"]
    assert {one["name"]: one["inTrouble"] for one in listed} == {"Failing": True, "Takes": False, "Idle": False}
    path = f"/admin/partners/{failing.partner_id}"
    replies = [desk.get(path), desk.patch(path, {"name": "Still"}), desk.post(f"{path}/rotate-key"), desk.delete(path)]
    assert [reply.body["inTrouble"] for reply in replies] == [True, True, True, False]


def test_twenty_partners_in_trouble_are_shown_at_most(shop: Shop, desk: Desk) -> None:
    now = shop.cloud.clock()
    partners = [shop.partner(push_url=URL, name=f"Hub {n}") for n in range(25)]
    pending = {
        partner.partner_id: PartnerPending(n, now - 10 * MINUTE - n * MINUTE) for n, partner in enumerate(partners)
    }
    shop.statistics.put_pending(PendingNote(now, 300, now - 34 * MINUTE, pending))
    found = shown(desk)["partnersInTrouble"]
    assert [one["name"] for one in found] == [f"Hub {n}" for n in range(24, 4, -1)]
