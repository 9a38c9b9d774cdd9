"""Whatever happens to numbers in whatever order, at once or amid failures of AWS.

Random histories on the handlers' code, beside books that say what must be true. A step may be crossed by others just
before its first write, and its calls may be refused, throttled or left without an answer.
"""

import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from globalconnect.domain.activation import Activation, Outcome, State
from globalconnect.domain.number import Number
from globalconnect.store.activations import ENTRY, to_activation
from globalconnect.store.projection import count
from simulation.clouds import Moto
from simulation.desk import Desk
from simulation.failing import WRITES, FailingClient, Fault
from simulation.shop import COUNTRY, Shop

PHONES = [f"44747{place}1900{place}" for place in range(5)]
OPERATORS = ["One", "Two"]
ANY = "any"
SERVICES = ["tg", "go"]
REUSABLE = "go"
CANCEL_LIMIT = 2
LEASE = 60 * 60_000
SHARDS = 2

# ------------------------------------------------------------------ the truth


# Operator, available from, enabled, holder, resting, blocked, cancels.
type Facts = tuple[str, int, bool, int | None, bool, set[str], dict[str, int]]


@dataclass(slots=True)
class NumberAsItIs:
    """A number in the books."""

    operator: str
    available_from: int
    enabled: bool = True
    holder: int | None = None
    resting: bool = False
    used_up: set[str] = field(default_factory=set)
    # The activations whose marks count, by service.
    prohibited: dict[str, set[int]] = field(default_factory=dict)
    canceled: dict[str, set[int]] = field(default_factory=dict)

    @property
    def cancels(self) -> dict[str, int]:
        return {service: len(ids) for service, ids in self.canceled.items() if ids}

    @property
    def blocked(self) -> set[str]:
        canceled = {service for service, count in self.cancels.items() if count >= CANCEL_LIMIT}
        return self.used_up | canceled | {service for service, ids in self.prohibited.items() if ids}

    @property
    def facts(self) -> Facts:
        marks = (self.blocked, self.cancels)
        return (self.operator, self.available_from, self.enabled, self.holder, self.resting, *marks)


@dataclass(slots=True)
class SaleAsItIs:
    """A sale in the books."""

    phone: str
    service: str
    partner_id: str
    expires_at: int
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a GET_NUMBER asks for."""

    operator: str
    service: str
    prefixes: tuple[str, ...] = ()


@dataclass(slots=True)
class Books:
    """What must be true, told in the contract's words and by none of the product's code. Times in ms."""

    rest: int
    numbers: dict[str, NumberAsItIs] = field(default_factory=dict)
    sales: dict[int, SaleAsItIs] = field(default_factory=dict)

    def import_number(self, phone: str, operator: str, now: int) -> None:
        """Enter a new number, or a known one in another pool, where it is the one that came free last."""
        number = self.numbers.setdefault(phone, NumberAsItIs(operator, now))
        if number.operator != operator:
            number.operator = operator
            number.available_from = max(now, number.available_from)

    def switch(self, phone: str, enabled: bool, now: int) -> None:
        number = self.numbers[phone]
        if enabled and not number.enabled:
            number.available_from = max(now, number.available_from)
        number.enabled = enabled

    def eligible(self, wanted: Wanted, now: int) -> dict[str, str]:
        """Return the numbers that may be issued, with their operators."""
        return {
            phone: number.operator
            for phone, number in self.numbers.items()
            if number.enabled
            and wanted.operator in {ANY, number.operator}
            and wanted.service not in number.blocked
            and not phone.startswith(wanted.prefixes)
            and number.available_from + (0 if number.holder is None else self.rest) <= now
        }

    def sell(self, phone: str, activation_id: int, service: str, partner_id: str, now: int) -> None:
        assert activation_id not in self.sales, "an id was given twice"
        self.sales[activation_id] = SaleAsItIs(phone, service, partner_id, now + LEASE)
        number = self.numbers[phone]
        number.holder, number.available_from, number.resting = activation_id, now + LEASE, False

    def finish(self, activation_id: int, outcome: Outcome, now: int) -> None:
        """Enter an outcome: the first stands, but for a refund."""
        sale = self.sales[activation_id]
        if sale.outcome is not None:
            if (sale.outcome, outcome) == (Outcome.SUCCESS, Outcome.RETURNED):
                sale.outcome = outcome
            return
        sale.outcome = outcome
        number = self.numbers[sale.phone]
        if outcome is Outcome.CANCELED:
            number.canceled.setdefault(sale.service, set()).add(activation_id)
        if outcome is Outcome.PROHIBITED:
            number.prohibited.setdefault(sale.service, set()).add(activation_id)
        if outcome is Outcome.SUCCESS and sale.service != REUSABLE:
            number.used_up.add(sale.service)
        if number.holder == activation_id:
            self._free(number, min(now, number.available_from), now)

    def lift(self, phone: str, service: str, now: int) -> None:
        """Lift all marks of a number for a service, unless it is used up."""
        number = self.numbers[phone]
        if service not in number.used_up and number.prohibited.get(service, set()) | number.canceled.get(
            service, set()
        ):
            number.prohibited.pop(service, None)
            number.canceled.pop(service, None)
            number.available_from = max(now, number.available_from)

    def lift_of(self, partner_id: str, now: int) -> int:
        """Lift all marks of a partner, but for prohibitions of what is used up, which have become none; count them."""
        lifted = 0
        for activation_id, sale in self.sales.items():
            number = self.numbers[sale.phone]
            prohibited = set() if sale.service in number.used_up else number.prohibited.get(sale.service, set())
            for ids in (prohibited, number.canceled.get(sale.service, set())):
                if sale.partner_id == partner_id and activation_id in ids:
                    ids.discard(activation_id)
                    number.available_from = max(now, number.available_from)
                    lifted += 1
        return lifted

    def run_out(self, now: int) -> list[NumberAsItIs]:
        """Return the numbers whose lease or rest is over and that were not swept yet."""
        return [
            number
            for number in self.numbers.values()
            if number.available_from <= now and (number.holder is not None or number.resting)
        ]

    def sweep(self, now: int) -> None:
        for number in self.run_out(now):
            if number.holder is None:
                number.resting = False
            else:
                self._free(number, number.available_from, now)

    def _free(self, number: NumberAsItIs, end: int, now: int) -> None:
        number.holder = None
        number.resting = end + self.rest > now
        number.available_from = end + self.rest if number.resting else end

    def held_by(self, partner_id: str) -> int:
        """Return how many numbers a partner holds, those whose lease ran out until they are swept."""
        holders = [number.holder for number in self.numbers.values() if number.holder is not None]
        return sum(self.sales[holder].partner_id == partner_id for holder in holders)

    def for_sale(self) -> dict[str, dict[str, int]]:
        """Return what GET_SERVICES shows when it has caught up: how many may be bought, by operator and service."""
        shown: dict[str, dict[str, int]] = {}
        for number in self.numbers.values():
            if number.enabled:
                counts = shown.setdefault(number.operator, dict.fromkeys(SERVICES, 0))
                for service in SERVICES:
                    free = number.holder is None and not number.resting
                    counts[service] += free and service not in number.blocked
        return shown


# ------------------------------------------------------------------ what comes in between


@dataclass(frozen=True, slots=True)
class Crossing:
    """Something else that happens just before the first write of a step."""

    kind: str
    place: int
    service: str
    outcome: Outcome | None


OUTCOMES = some.sampled_from(Outcome)
FAULTS = some.lists(some.sampled_from(Fault), max_size=2).map(tuple)
CROSSINGS = some.builds(
    Crossing,
    kind=some.sampled_from(["sell", "finish", "withdraw", "restore", "move", "sweep", "lift", "lift of partner"]),
    place=some.integers(0, 4),
    service=some.sampled_from(SERVICES),
    outcome=some.none() | OUTCOMES,
)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What befalls a step: how its first writes fail, and what crosses it."""

    faults: tuple[Fault, ...]
    crossings: tuple[Crossing, ...]

    @property
    def none(self) -> bool:
        return not self.faults and not self.crossings


DISTURBANCES = some.builds(
    Disturbance,
    faults=FAULTS,
    crossings=some.lists(CROSSINGS, max_size=2).map(tuple),
)


class Weather:
    """What befalls the writes of the step under way; asked before each call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._cross: Callable[[], None] | None = None

    def begin(self, faults: Iterable[Fault], cross: Callable[[], None]) -> None:
        self._faults, self._cross = list(faults), cross

    def end(self) -> None:
        self._faults, self._cross = [], None

    def __call__(self, operation: str) -> Fault | None:
        """Return how the next call fails."""
        if operation not in WRITES:
            return None
        with self._lock:
            cross, self._cross = self._cross, None
            if cross is not None:
                cross()
            return self._faults.pop(0) if self._faults else None


class ShortPages:
    """A client of DynamoDB whose pages end early, as they do on AWS when they are large, and that notes writes."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.written = True

    def query(self, **arguments: Any) -> Any:
        return self._client.query(**{**arguments, "Limit": min(2, arguments.get("Limit", 2))})

    def __getattr__(self, name: str) -> Any:
        if self._client.meta.method_to_api_mapping.get(name) in WRITES:
            self.written = True
        return getattr(self._client, name)


# ------------------------------------------------------------------ the machine


class Inventory(RuleBasedStateMachine):
    """A shop, its books, and all that may happen to its numbers."""

    def __init__(self, moto: Moto, rest_minutes: int) -> None:
        super().__init__()
        self.weather = Weather()
        cloud = moto.cloud(CANCEL_LIMIT=str(CANCEL_LIMIT), REST_MINUTES=str(rest_minutes))
        self.tables = ShortPages(cloud.client)
        # Who looks at the books, and who crosses a step, is never disturbed.
        self.quiet = cloud.over(self.tables)
        rough = cloud.over(FailingClient(self.tables, self.weather, remembers_tokens=False))
        self.clock = self.quiet.clock
        self.shop, self.desk = Shop(rough), Desk(rough)
        self.other_shop, self.other_desk = Shop(self.quiet), Desk(self.quiet)
        self.books = Books(self.shop.numbers.rest)
        self.partners = [self.other_shop.partner(), self.other_shop.partner()]
        self.seen: dict[str, int] = {}
        self.stream: list[list[Number]] = [[] for _ in range(SHARDS)]
        self.read = [0] * SHARDS

    @initialize()
    def open(self) -> None:
        """Open the shop with all numbers but one."""
        self.other_shop.sell("tg")
        self.other_shop.sell(REUSABLE, reusable=True)
        self._import(self.other_desk, [(phone, OPERATORS[place % 2]) for place, phone in enumerate(PHONES[1:])])

    # -------------------------------------------------------------- what partners do

    @rule(
        wanted=some.builds(
            Wanted,
            operator=some.sampled_from([*OPERATORS, ANY]),
            service=some.sampled_from(SERVICES),
            prefixes=some.lists(some.sampled_from([phone[:6] for phone in PHONES]), max_size=2).map(tuple),
        ),
        buyer=some.integers(0, 1),
        disturbance=DISTURBANCES,
    )
    def get_number(self, wanted: Wanted, buyer: int, disturbance: Disturbance) -> None:
        """Buy a number: one that may be issued, unless there is none."""
        before = self.books.eligible(wanted, self.clock())
        free_since = {phone: self.books.numbers[phone].available_from for phone in before}
        phone = self._amid(disturbance, lambda: self._buy(self.shop, wanted, buyer, before))
        if phone is not None and disturbance.none and not self.books.rest:
            assert free_since[phone] == min(free_since.values()), "not the least recently used number"

    @rule(
        operator=some.sampled_from([*OPERATORS, ANY]),
        service=some.sampled_from(SERVICES),
        kind=some.sampled_from(["sell", "withdraw", "move"]),
        outcome=some.none() | OUTCOMES,
        faults=FAULTS,
    )
    def get_number_beside_a_rival(
        self, operator: str, service: str, kind: str, outcome: Outcome | None, faults: tuple[Fault, ...]
    ) -> None:
        """Buy while somebody else buys the very number, and perhaps finishes with it, or withdraws or moves it."""
        wanted = Wanted(operator, service)
        eligible = self.books.eligible(wanted, self.clock())
        if eligible:
            first = min(eligible, key=lambda phone: (self.books.numbers[phone].available_from, phone))
            rival = Crossing(kind, PHONES.index(first), service, outcome)
            self.get_number(wanted, 0, Disturbance(faults, (rival,)))

    @precondition(lambda self: self.books.sales)
    @rule(
        place=some.integers(0, 4),
        outcome=OUTCOMES,
        stranger=some.sampled_from([False, False, False, True]),
        disturbance=DISTURBANCES,
    )
    def finish_activation(self, place: int, outcome: Outcome, stranger: bool, disturbance: Disturbance) -> None:
        """Finish one of the latest activations, live or not, perhaps again, perhaps somebody else's."""
        activation_id = self._sale(place)
        if not stranger:
            self._amid(disturbance, lambda: self._finish(self.shop, activation_id, outcome))
            return
        owner = self.books.sales[activation_id].partner_id
        (other,) = [partner for partner in self.partners if partner.partner_id != owner]
        assert self.shop.finish(other, activation_id, outcome.value).status == 404

    @precondition(lambda self: self.books.sales)
    @rule(place=some.integers(0, 1), outcomes=some.tuples(OUTCOMES, OUTCOMES), faults=FAULTS)
    def finish_activation_twice_at_once(
        self, place: int, outcomes: tuple[Outcome, Outcome], faults: tuple[Fault, ...]
    ) -> None:
        other = Crossing("finish", place, SERVICES[0], outcomes[1])
        self.finish_activation(place, outcomes[0], False, Disturbance(faults, (other,)))

    @precondition(lambda self: self.books.run_out(self.clock()))
    @rule(outcome=OUTCOMES, service=some.sampled_from(SERVICES), others=some.none() | OUTCOMES, faults=FAULTS)
    def finish_late_beside_the_next_buyer(
        self, outcome: Outcome, service: str, others: Outcome | None, faults: tuple[Fault, ...]
    ) -> None:
        """Finish an activation that has expired, while somebody else buys its number, and perhaps finishes with it."""
        oldest = min(self.books.run_out(self.clock()), key=lambda number: number.available_from)
        if oldest.holder is not None:
            rival = Disturbance(faults, (Crossing("sell", 0, service, others),))
            self._amid(rival, lambda: self._finish(self.shop, oldest.holder or 0, outcome))

    # -------------------------------------------------------------- what staff and time do

    @rule(
        rows=some.lists(
            some.tuples(some.sampled_from(PHONES), some.sampled_from(OPERATORS)),
            min_size=1,
            max_size=3,
            unique_by=lambda row: row[0],
        ),
        faults=FAULTS,
    )
    def import_numbers(self, rows: list[tuple[str, str]], faults: tuple[Fault, ...]) -> None:
        self._amid(Disturbance(faults, ()), lambda: self._import(self.desk, rows))

    @rule(phone=some.sampled_from(PHONES), enabled=some.booleans(), disturbance=DISTURBANCES)
    def switch(self, phone: str, enabled: bool, disturbance: Disturbance) -> None:
        self._amid(disturbance, lambda: self._switch(self.desk, phone, enabled))

    @rule(phone=some.sampled_from(PHONES), service=some.sampled_from(SERVICES), disturbance=DISTURBANCES)
    def lift_marks_of_a_number(self, phone: str, service: str, disturbance: Disturbance) -> None:
        self._amid(disturbance, lambda: self._lift(self.desk, phone, service))

    @rule(buyer=some.integers(0, 1), disturbance=DISTURBANCES)
    def lift_marks_of_a_partner(self, buyer: int, disturbance: Disturbance) -> None:
        """Lift all marks that a partner left, from the start or again."""
        self._amid(disturbance, lambda: self._lift_of(self.desk, buyer))

    @precondition(lambda self: self.books.sales)
    @rule(place=some.integers(0, 4), outcome=OUTCOMES, buyer=some.integers(0, 1), faults=FAULTS)
    def lift_marks_beside_a_finish(self, place: int, outcome: Outcome, buyer: int, faults: tuple[Fault, ...]) -> None:
        """Lift a partner's marks while an activation is finished."""
        other = Crossing("finish", place, SERVICES[0], outcome)
        self.lift_marks_of_a_partner(buyer, Disturbance(faults, (other,)))

    @rule(ms=some.sampled_from([1, 61_000, 30 * 60_000, LEASE - 1, LEASE, 2 * LEASE]))
    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms=ms)

    @precondition(lambda self: self.books.run_out(self.clock()))
    @rule(disturbance=DISTURBANCES)
    def sweep(self, disturbance: Disturbance) -> None:
        """Let a minute's sweep run, and the next: a number that changed since the first had found it is left to that."""
        self._amid(disturbance, self.shop.sweep)
        self._sweep(self.other_shop)

    @precondition(lambda self: self.books.run_out(self.clock()))
    @rule(service=some.sampled_from(SERVICES), faults=FAULTS)
    def sweep_beside_a_buyer(self, service: str, faults: tuple[Fault, ...]) -> None:
        """Let the sweep run while somebody buys one of the numbers that have run out."""
        self.sweep(Disturbance(faults, (Crossing("sell", 0, service, None),)))

    # -------------------------------------------------------------- what the projection does

    @rule(
        shard=some.integers(0, SHARDS - 1),
        size=some.integers(1, 8),
        again=some.booleans(),
        faults=FAULTS,
        twice_at_once=some.booleans(),
    )
    def count(self, shard: int, size: int, again: bool, faults: tuple[Fault, ...], twice_at_once: bool) -> None:
        """Count a batch of the stream, perhaps twice at once, perhaps to see it again."""
        batch = self.stream[shard][self.read[shard] : self.read[shard] + size]
        self._count(batch, faults, beside=batch if twice_at_once else [])
        if not again:
            self.read[shard] += len(batch)

    @rule(shard=some.integers(0, SHARDS - 1), start=some.integers(0, 20), size=some.integers(1, 8))
    def count_again(self, shard: int, start: int, size: int) -> None:
        self._count(self.stream[shard][: self.read[shard]][start : start + size])

    @rule()
    def catch_up(self) -> None:
        """Read the stream to its end: then GET_SERVICES shows the truth, for every pool and service, and so does the
        count of what each partner holds.
        """
        for shard in range(SHARDS):
            self._count(self.stream[shard][self.read[shard] :])
            self.read[shard] = len(self.stream[shard])
        assert self._shown() == self.books.for_sale()
        ids = [partner.partner_id for partner in self.partners]
        held = {count.partner_id: count.held for count in self.other_shop.counts.holders(ids).values()}
        assert held == {partner_id: self.books.held_by(partner_id) for partner_id in ids}

    @rule(operator=some.sampled_from(OPERATORS), service=some.sampled_from(SERVICES))
    def sell_out(self, operator: str, service: str) -> None:
        """Buy all there are: as many as are shown, once expired ones have been swept."""
        if self.books.run_out(self.clock()):
            self._sweep(self.other_shop)
        self._note_changes()
        self.catch_up()
        wanted = Wanted(operator, service)
        for _ in range(self._shown().get(operator, {}).get(service, 0)):
            assert self._buy(self.shop, wanted, buyer=0) is not None
        assert self._buy(self.shop, wanted, buyer=0) is None

    # -------------------------------------------------------------- what holds after each step

    @invariant()
    def all_is_well(self) -> None:
        """Look at every number and activation: they are what the books say, and no two live ones share a number."""
        if not self.tables.written:
            return
        self.tables.written = False
        numbers = self._note_changes()
        booked = {phone: number.facts for phone, number in self.books.numbers.items()}
        assert {number.phone: _as_it_is(number) for number in numbers} == booked
        items = self.quiet.db.scan_all(self.quiet.env["ACTIVATIONS_TABLE"])
        sales = [to_activation(item) for item in items if item["entry"] == ENTRY]
        assert {sale.activation_id: _sale_as_it_is(sale) for sale in sales} == self.books.sales
        live = [sale.phone for sale in sales if sale.state(self.clock()) is State.LIVE]
        assert len(live) == len(set(live))

    # -------------------------------------------------------------- how

    def _amid[T](self, disturbance: Disturbance, step: Callable[[], T]) -> T:
        def cross() -> None:
            for crossing in disturbance.crossings:
                self._cross(crossing)

        self.weather.begin(disturbance.faults, cross)
        try:
            return step()
        finally:
            self.weather.end()

    def _cross(self, crossing: Crossing) -> None:
        phone = PHONES[crossing.place % len(PHONES)]
        match crossing.kind:
            case "sell":
                self._buy(self.other_shop, Wanted(ANY, crossing.service), buyer=1)
                if crossing.outcome is not None and self.books.sales:
                    self._finish(self.other_shop, self._sale(0), crossing.outcome)
            case "finish" if self.books.sales and crossing.outcome is not None:
                self._finish(self.other_shop, self._sale(crossing.place), crossing.outcome)
            case "withdraw" | "restore":
                self._switch(self.other_desk, phone, crossing.kind == "restore")
            case "move":
                known = self.books.numbers.get(phone)
                elsewhere = OPERATORS[known is not None and known.operator == OPERATORS[0]]
                self._import(self.other_desk, [(phone, elsewhere)])
            case "lift":
                self._lift(self.other_desk, phone, crossing.service)
            case "lift of partner":
                self._lift_of(self.other_desk, crossing.place % 2)
            case "sweep" if self.books.run_out(self.clock()):
                self._sweep(self.other_shop)

    def _sale(self, place: int) -> int:
        """Return one of the activations: those without an outcome first, the latest at place 0."""
        latest_first = reversed(self.books.sales.items())
        ids = [activation_id for activation_id, _ in sorted(latest_first, key=lambda sale: sale[1].outcome is not None)]
        return ids[place % len(ids)]

    def _buy(self, shop: Shop, wanted: Wanted, buyer: int, before: Mapping[str, str] | None = None) -> str | None:
        """Buy, check and enter; `before` is what could be bought when the step began."""
        partner = self.partners[buyer]
        reply = shop.buy(
            partner, wanted.service, country=COUNTRY, operator=wanted.operator, exceptionPhoneSet=wanted.prefixes
        )
        assert reply.status == 200, reply
        eligible = self.books.eligible(wanted, self.clock())
        if reply.body["status"] == "NO_NUMBERS":
            # What was put on sale while the step ran, or moved, may have been missed.
            assert not eligible.items() & (before or {}).items(), "there was one"
            return None
        phone: str = reply.body["number"]
        assert phone in eligible, f"{phone} may not be issued"
        self.books.sell(phone, reply.body["activationId"], wanted.service, partner.partner_id, self.clock())
        return phone

    def _finish(self, shop: Shop, activation_id: int, outcome: Outcome) -> None:
        owner = self.books.sales[activation_id].partner_id
        (partner,) = [partner for partner in self.partners if partner.partner_id == owner]
        reply = shop.finish(partner, activation_id, outcome.value)
        assert (reply.status, reply.body) == (200, {"status": "SUCCESS"})
        self.books.finish(activation_id, outcome, self.clock())

    def _import(self, desk: Desk, rows: Sequence[tuple[str, str]]) -> None:
        reply = desk.post(
            "/admin/numbers", [{"phone": phone, "country": COUNTRY, "operator": name} for phone, name in rows]
        )
        assert (reply.status, reply.body["rejected"]) == (200, [])
        for phone, operator in rows:
            self.books.import_number(phone, operator, self.clock())

    def _switch(self, desk: Desk, phone: str, enabled: bool) -> None:
        reply = desk.patch(f"/admin/numbers/{phone}", {"enabled": enabled})
        assert reply.status == (200 if phone in self.books.numbers else 404)
        if phone in self.books.numbers:
            self.books.switch(phone, enabled, self.clock())

    def _lift(self, desk: Desk, phone: str, service: str) -> None:
        number = self.books.numbers.get(phone)
        reply = desk.post(f"/admin/numbers/{phone}/lift-marks", {"service": service, "reason": "a test"})
        if number is None:
            assert reply.status == 404
            return
        assert reply.status == (409 if service in number.used_up else 200)
        self.books.lift(phone, service, self.clock())

    def _lift_of(self, desk: Desk, buyer: int) -> None:
        partner_id = self.partners[buyer].partner_id
        body: dict[str, object] = {"since": "2020-01-01T00:00:00Z", "reason": "a test"}
        reply = desk.post(f"/admin/partners/{partner_id}/lift-marks", body)
        assert reply.status == 200
        lifted = self.books.lift_of(partner_id, self.clock())
        assert (reply.body["lifted"], reply.body["cursor"]) == (lifted, None)

    def _sweep(self, shop: Shop) -> None:
        shop.sweep()
        self.books.sweep(self.clock())

    def _count(self, batch: Sequence[Number], faults: Sequence[Fault] = (), beside: Sequence[Number] = ()) -> None:
        """Count a batch, and `beside` between its reading and its writing."""
        self.weather.begin(faults, lambda: _counted(beside, self.other_shop))
        count(batch, self.shop.counts)
        self.weather.end()

    def _note_changes(self) -> list[Number]:
        """Hand each changed number to the stream, in the shard of its phone; return all numbers."""
        numbers = self.other_shop.all_numbers()
        for number in numbers:
            if self.seen.get(number.phone) != number.version:
                self.seen[number.phone] = number.version
                self.stream[zlib.crc32(number.phone.encode()) % SHARDS].append(number)
        return numbers

    def _shown(self) -> dict[str, dict[str, int]]:
        """Return what GET_SERVICES shows, by operator and service."""
        countries = self.other_shop.call(self.partners[0], "GET_SERVICES").body["countryList"]
        assert [country["country"] for country in countries] in ([], [COUNTRY])
        return countries[0]["operatorMap"] if countries else {}


def _counted(batch: Sequence[Number], shop: Shop) -> None:
    count(batch, shop.counts)


def _as_it_is(number: Number) -> Facts:
    free_since, holder = number.available_from, number.activation_id
    marks = (set(number.blocked), dict(number.cancels))
    return (number.operator, free_since, number.enabled, holder, number.resting, *marks)


def _sale_as_it_is(activation: Activation) -> SaleAsItIs:
    return SaleAsItIs(
        phone=activation.phone,
        service=activation.service,
        partner_id=activation.partner_id,
        expires_at=activation.expires_at,
        outcome=activation.outcome,
    )
