"""What was found used up for a service is not read again, and no number is lost by that (docs/adr/0021)."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.activation import Activation
from globalconnect.domain.number import Number, pool_of
from globalconnect.domain.partner import Partner
from globalconnect.domain.times import MINUTE
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.transactions import IssueResult
from simulation.aws import Cloud
from simulation.calls import heard
from simulation.desk import Desk
from simulation.pool_index import PoolIndex
from simulation.shop import COUNTRY, OPERATOR, Shop

COUNT = 120
PHONES = [str(447_472_190_000 + place) for place in range(COUNT)]
ONE = "48500000001"
OTHER_OPERATOR = "Other"
OPERATORS = (OPERATOR, OTHER_OPERATOR)
NO_NUMBERS = {"status": "NO_NUMBERS"}
PAGE = 50


type Reads = Callable[[Callable[[], object]], int]


@pytest.fixture
def reads(cloud: Cloud) -> Iterator[Reads]:
    """Yield what counts the numbers that queries of something read, found or not."""
    with heard(cloud.client, "after-call.dynamodb.Query") as told:

        def of(do: Callable[[], object]) -> int:
            told.clear()
            do()
            return sum(call["parsed"]["ScannedCount"] for call in told)

        yield of


@pytest.fixture
def used_up(shop: Shop) -> Shop:
    """Return a shop whose numbers are all used up for `tg`, and have come free one second after the other."""
    _stock_used_up(shop, PHONES)
    return shop


def _stock_used_up(shop: Shop, phones: list[str], operator: str = OPERATOR) -> None:
    for phone in phones:
        came_free = shop.cloud.clock()
        shop.numbers.add(Number(phone, COUNTRY, operator, available_from=came_free, blocked=frozenset({"tg"})))
        shop.cloud.clock.advance(seconds=1)


def _new_environment(shop: Shop) -> Shop:
    return Shop(shop.cloud)


# ---------------------------------------------------------------- what is read


def test_what_is_used_up_is_read_once_by_an_environment(used_up: Shop, reads: Reads) -> None:
    partner = used_up.partner()
    used_up.cloud.clock.advance(minutes=2)
    assert reads(lambda: used_up.buy(partner)) == COUNT
    assert reads(lambda: used_up.buy(partner)) == 0
    assert reads(lambda: _new_environment(used_up).buy(partner)) == COUNT


def test_a_warm_environment_reads_what_came_free_in_the_last_minute_again(used_up: Shop, reads: Reads) -> None:
    partner = used_up.partner()
    used_up.buy(partner)
    assert reads(lambda: used_up.buy(partner)) == 60


def test_of_one_service_nothing_is_concluded_for_another(used_up: Shop) -> None:
    partner = used_up.partner()
    used_up.cloud.clock.advance(minutes=2)
    assert used_up.buy(partner).body == NO_NUMBERS
    assert used_up.buy(partner, "go").body["number"] == PHONES[0]


# ---------------------------------------------------------------- the one that is left


@pytest.mark.parametrize("place", [0, COUNT // 2, COUNT])
def test_the_one_number_left_is_found_every_time_by_a_warm_and_by_a_new_environment(shop: Shop, place: int) -> None:
    _stock_used_up(shop, PHONES[:place])
    shop.stock(ONE)
    _stock_used_up(shop, PHONES[place:])
    partner = shop.partner()
    for _ in range(3):
        for environment in (shop, _new_environment(shop)):
            shop.cloud.clock.advance(minutes=2)
            bought = environment.buy(partner).body
            assert bought["number"] == ONE
            assert shop.buy(partner).body == NO_NUMBERS
            shop.cloud.clock.advance(minutes=2)
            environment.finish(partner, bought["activationId"], 5)


@pytest.mark.parametrize("minutes", [0, 61], ids=["at once", "after its lease"])
def test_a_number_that_a_request_did_not_want_is_found_by_the_next(used_up: Shop, minutes: int) -> None:
    _stock_used_up(used_up, ["49100000000"])
    used_up.stock(ONE)
    _stock_used_up(used_up, [str(49_100_000_001 + place) for place in range(PAGE)])
    partner = used_up.partner()
    used_up.cloud.clock.advance(minutes=2)
    for _ in range(2):
        assert used_up.buy(partner, exceptionPhoneSet=["485"]).body == NO_NUMBERS
    assert used_up.buy(partner).body["number"] == ONE
    used_up.cloud.clock.advance(minutes=minutes)
    assert (used_up.buy(partner).body.get("number") == ONE) is (minutes > 0)


def test_a_reusable_service_sells_what_came_free_since_and_nothing_that_was_used_up_before(used_up: Shop) -> None:
    partner = used_up.partner()
    used_up.cloud.clock.advance(minutes=2)
    assert used_up.buy(partner).body == NO_NUMBERS
    used_up.sell("tg", reusable=True)
    for environment in (used_up, _new_environment(used_up)):
        assert environment.buy(partner).body == NO_NUMBERS
    used_up.stock(ONE)
    used_up.finish(partner, used_up.buy(partner).body["activationId"], 3)
    assert used_up.buy(partner).body["number"] == ONE


# ---------------------------------------------------------------- what comes later


def _warm_that_has_read_all(shop: Shop) -> Partner:
    """Return a partner of a shop that has just found everything used up."""
    partner = shop.partner()
    shop.cloud.clock.advance(minutes=30)
    assert shop.buy(partner).body == NO_NUMBERS
    return partner


def test_a_number_that_moves_into_a_used_up_pool_is_found(used_up: Shop) -> None:
    used_up.stock(ONE, operator=OTHER_OPERATOR)
    partner = _warm_that_has_read_all(used_up)
    used_up.move(ONE)
    assert used_up.buy(partner).body["number"] == ONE


def test_a_number_that_moves_after_its_lease_ran_out_unswept_is_found(used_up: Shop) -> None:
    used_up.stock(ONE, operator=OTHER_OPERATOR)
    used_up.buy(used_up.partner(), operator=OTHER_OPERATOR)
    used_up.cloud.clock.advance(minutes=61)
    partner = _warm_that_has_read_all(used_up)
    used_up.move(ONE)
    assert used_up.buy(partner).body["number"] == ONE


def test_a_number_that_is_restored_is_found(used_up: Shop) -> None:
    used_up.stock(ONE)
    used_up.numbers.withdraw(ONE)
    partner = _warm_that_has_read_all(used_up)
    used_up.numbers.restore(ONE, used_up.cloud.clock())
    assert used_up.buy(partner).body["number"] == ONE


def test_a_number_that_moves_while_withdrawn_is_found_when_it_is_restored(used_up: Shop) -> None:
    used_up.stock(ONE, operator=OTHER_OPERATOR)
    used_up.numbers.withdraw(ONE)
    used_up.move(ONE)
    partner = _warm_that_has_read_all(used_up)
    used_up.numbers.restore(ONE, used_up.cloud.clock())
    assert used_up.buy(partner).body["number"] == ONE


def test_a_number_whose_lease_is_finished_late_is_found(used_up: Shop) -> None:
    used_up.stock(ONE)
    late = used_up.partner()
    activation_id = used_up.buy(late).body["activationId"]
    partner = _warm_that_has_read_all(used_up)
    used_up.cloud.clock.advance(minutes=61)
    # It is seen, and what comes after it is all used up.
    assert used_up.buy(partner, exceptionPhoneSet=[ONE]).body == NO_NUMBERS
    used_up.finish(late, activation_id, 5)
    assert used_up.buy(partner).body["number"] == ONE


def test_a_refund_brings_nothing_back(used_up: Shop) -> None:
    used_up.stock(ONE)
    partner, activation_id = used_up.sold()
    used_up.finish(partner, activation_id, 3)
    _warm_that_has_read_all(used_up)
    used_up.finish(partner, activation_id, 5)
    for environment in (used_up, _new_environment(used_up)):
        assert environment.buy(partner).body == NO_NUMBERS


@pytest.mark.parametrize("of_partner", [False, True])
def test_a_number_whose_marks_were_lifted_is_found(used_up: Shop, of_partner: bool) -> None:
    used_up.stock(ONE)
    bad, desk = used_up.partner(), Desk(used_up.cloud)
    used_up.finish(bad, used_up.buy(bad).body["activationId"], 1)
    partner = _warm_that_has_read_all(used_up)
    _lift(desk, ONE, "tg", bad.partner_id if of_partner else None)
    assert used_up.buy(partner).body["number"] == ONE


def _lift(desk: Desk, phone: str, service: str, partner_id: str | None) -> None:
    """Lift the marks of this number for a service, or, if one is named, of a partner."""
    if partner_id is None:
        body = {"service": service, "reason": "a test"}
        assert desk.post(f"/admin/numbers/{phone}/lift-marks", body).status in {200, 409}
    else:
        since = {"since": "2020-01-01T00:00:00Z", "reason": "a test"}
        assert desk.post(f"/admin/partners/{partner_id}/lift-marks", since).status == 200


class LaggingIndex:
    """A client whose index by-pool shows each change of a number some time after it was made."""

    def __init__(self, client: Any, longest: int) -> None:
        self.index = PoolIndex()
        self._client = client
        self._longest = longest
        self._rolls = random.Random(3)
        self._seen: dict[str, Number] = {}
        self._coming: dict[str, list[tuple[int, Number]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **asked: Any) -> Any:
        return self.index.query(**asked) if asked.get("IndexName") == "by-pool" else self._client.query(**asked)

    def follow(self, numbers: list[Number], now: int) -> None:
        for number in numbers:
            if self._seen.get(number.phone) != number:
                self._seen[number.phone] = number
                due = now + self._rolls.randrange(self._longest)
                self._coming.setdefault(number.phone, []).append((due, number))

    def show(self, now: int) -> None:
        for phone, coming in self._coming.items():
            while coming and coming[0][0] <= now:
                _, number = coming.pop(0)
                pool = pool_of(number.country, number.operator) if number.enabled else None
                self.index.put(phone, pool, number.available_from, number.blocked)

    def eligible(self, phones: list[str], pool: str, service: str, now: int) -> set[str]:
        """Return which of these numbers the index shows as eligible, found by looking at each."""
        entries = [self.index.entry(phone) for phone in phones if phone in self.index]
        return {
            entry["phone"]
            for entry in entries
            if entry["pool"] == pool and entry["available_from"] <= now and service not in entry["blocked"]
        }


def test_a_number_that_the_index_shows_a_minute_late_is_found(cloud: Cloud) -> None:
    client = LaggingIndex(cloud.client, longest=1)
    shop = Shop(replace(cloud, db=Dynamo(client)))  # type: ignore[arg-type]
    now = shop.cloud.clock()
    for place, phone in enumerate(PHONES):
        client.index.put(phone, pool_of(COUNTRY, OPERATOR), now - place * 1_000, frozenset({"tg"}))
    assert list(shop.numbers.eligible(COUNTRY, OPERATOR, "tg", now)) == []
    client.index.put(ONE, pool_of(COUNTRY, OPERATOR), now - 60_000, frozenset())
    assert [found.phone for found in shop.numbers.eligible(COUNTRY, OPERATOR, "tg", now)] == [ONE]


def _sold(shop: Shop, partner: Partner, phone: str, service: str) -> list[int]:
    """Sell this very number, if it is for sale; return the activation."""
    number, now = shop.numbers.get(phone), shop.cloud.clock()
    assert number is not None
    activation = Activation(
        activation_id=shop.cloud.rng(10**15),
        partner_id=partner.partner_id,
        phone=phone,
        country=COUNTRY,
        operator=number.operator,
        service=service,
        started_at=now,
        expires_at=now + 3 * MINUTE,
    )
    issued = shop.partner_parts.transactions.issue(activation, tries=1)
    return [activation.activation_id] if issued is IssueResult.DONE else []


def _happen(shop: Shop, partner: Partner, phone: str, sold: list[int], rolls: random.Random) -> None:
    """Let one of the things happen that may happen to a number, or to one of the activations that were sold."""
    match rolls.randrange(10):
        case 0 | 1 | 2:
            sold += _sold(shop, partner, phone, rolls.choice(["tg", "go"]))
        case 3 | 4 if sold:
            activation_id = sold.pop(rolls.randrange(len(sold)))
            assert shop.finish(partner, activation_id, rolls.choice([1, 3, 4, 5, 5, 5])).status == 200
        case 5:
            shop.numbers.withdraw(phone)
        case 6:
            shop.move(phone, rolls.choice(OPERATORS))
        case 7 | 8:
            _lift(Desk(shop.cloud), phone, rolls.choice(["tg", "go"]), rolls.choice([None, None, partner.partner_id]))
        case _:
            shop.numbers.restore(phone, shop.cloud.clock())


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("rest_minutes", ["0", "2"])
def test_after_any_history_a_warm_environment_finds_all_that_the_index_shows(
    cloud: Cloud, rest_minutes: str, seed: int
) -> None:
    rolls = random.Random(seed)
    # A function has 29 s for its write; the index may take as long again.
    client = LaggingIndex(cloud.client, longest=58_000)
    overrides = {"ACTIVATION_MINUTES": "3", "REST_MINUTES": rest_minutes}
    shop = Shop(replace(cloud, db=Dynamo(client)), overrides)  # type: ignore[arg-type]
    shop.sell("tg", "go")
    clock = shop.cloud.clock
    # Five a second come free in each pool that are used up, and are never heard of again.
    for place in range(40_000):
        phone, pool = str(447_472_190_000 + place), pool_of(COUNTRY, OPERATORS[place % 2])
        client.index.put(phone, pool, clock() + place * 100, frozenset({"tg", "go"}))
    touched = [str(48_500_000_000 + place) for place in range(12)]
    _stock_used_up(shop, touched[:6])
    shop.stock(*touched[6:])
    client.follow(shop.all_numbers(), clock())
    partner = shop.partner()
    sold: list[int] = []
    for _ in range(100):
        _happen(shop, partner, rolls.choice(touched), sold, rolls)
        if rolls.randrange(4) == 0:
            shop.sweep()
        client.follow(shop.numbers.get_many(touched), clock())
        clock.advance(seconds=rolls.choice([0.001, 1, 5, 30, 45, 120]))
        client.show(clock())
        for name in OPERATORS:
            for service in ("tg", "go"):
                found = {candidate.phone for candidate in shop.numbers.eligible(COUNTRY, name, service, clock())}
                assert found == client.eligible(touched, pool_of(COUNTRY, name), service, clock())
