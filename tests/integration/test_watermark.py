"""What was found used up for a service is not read again, and no number is lost by that (docs/adr/0021)."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from globalconnect.domain.number import Number, pool_of
from globalconnect.domain.partner import Partner
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from simulation.aws import START, Cloud
from simulation.calls import heard
from simulation.desk import Desk
from simulation.pool_index import PoolClient, PoolIndex
from simulation.shop import COUNTRY, OPERATOR, Shop

COUNT = 120
PHONES = [str(447_472_190_000 + place) for place in range(COUNT)]
ONE = "48500000001"
OTHER_OPERATOR = "Other"
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


# ---------------------------------------------------------------- what is read


def test_what_is_used_up_is_read_once_by_an_environment(used_up: Shop, reads: Reads) -> None:
    partner = used_up.partner()
    used_up.cloud.clock.advance(minutes=2)
    assert reads(lambda: used_up.buy(partner)) == COUNT
    assert reads(lambda: used_up.buy(partner)) == 0
    assert reads(lambda: Shop(used_up.cloud).buy(partner)) == COUNT


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
        for environment in (shop, Shop(shop.cloud)):
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
    for environment in (used_up, Shop(used_up.cloud)):
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


def _moved(shop: Shop) -> Iterator[None]:
    shop.stock(ONE, operator=OTHER_OPERATOR)
    yield
    shop.move(ONE)


def _moved_after_its_lease_ran_out_unswept(shop: Shop) -> Iterator[None]:
    shop.stock(ONE, operator=OTHER_OPERATOR)
    shop.buy(shop.partner(), operator=OTHER_OPERATOR)
    shop.cloud.clock.advance(minutes=61)
    yield
    shop.move(ONE)


def _moved_while_withdrawn_and_restored(shop: Shop) -> Iterator[None]:
    shop.stock(ONE, operator=OTHER_OPERATOR)
    shop.numbers.withdraw(ONE)
    shop.move(ONE)
    yield
    shop.numbers.restore(ONE, shop.cloud.clock())


def _marks_lifted(shop: Shop) -> Iterator[None]:
    yield from _lifted(shop, {"service": "tg"}, lambda _: f"numbers/{ONE}")


def _marks_of_its_partner_lifted(shop: Shop) -> Iterator[None]:
    yield from _lifted(shop, {"since": "2020-01-01T00:00:00Z"}, lambda bad: f"partners/{bad.partner_id}")


def _lifted(shop: Shop, what: dict[str, str], of: Callable[[Partner], str]) -> Iterator[None]:
    shop.stock(ONE)
    bad, activation_id = shop.sold()
    shop.finish(bad, activation_id, 1)
    yield
    assert Desk(shop.cloud).post(f"/admin/{of(bad)}/lift-marks", {**what, "reason": "a test"}).status == 200


@pytest.mark.parametrize(
    "story",
    [
        _moved,
        _moved_after_its_lease_ran_out_unswept,
        _moved_while_withdrawn_and_restored,
        _marks_lifted,
        _marks_of_its_partner_lifted,
    ],
    ids=lambda story: story.__name__[1:],
)
def test_a_number_that_comes_into_a_used_up_pool_is_found(
    used_up: Shop, story: Callable[[Shop], Iterator[None]]
) -> None:
    told = story(used_up)
    next(told)
    partner = _warm_that_has_read_all(used_up)
    assert next(told, "all") == "all"
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
    for environment in (used_up, Shop(used_up.cloud)):
        assert environment.buy(partner).body == NO_NUMBERS


# ---------------------------------------------------------------- on a model of the index


class Model:
    """A used-up pool on a model of the index, of which a number a second came free, the last of them now."""

    def __init__(self, size: int = COUNT) -> None:
        self._index = PoolIndex()
        client: Any = PoolClient(self._index)
        self._numbers = Numbers(Dynamo(client), "Numbers")
        for place in range(size):
            self.put(str(447_472_190_000 + place), size - 1 - place, frozenset({"tg"}))

    def put(self, phone: str, seconds_ago: int, blocked: frozenset[str] = frozenset()) -> None:
        self._index.put(phone, pool_of(COUNTRY, OPERATOR), START - seconds_ago * 1_000, blocked)

    def eligible(self) -> list[str]:
        return [found.phone for found in self._numbers.eligible(COUNTRY, OPERATOR, "tg", START)]


def test_a_number_that_the_index_shows_a_minute_late_is_found() -> None:
    model = Model()
    assert model.eligible() == []
    model.put(ONE, 60)
    assert model.eligible() == [ONE]


@pytest.mark.parametrize("seconds_ago", [(340, 339), (140,)], ids=["two of the second page", "one of the third"])
def test_numbers_for_sale_are_found_again_by_who_read_all_that_is_used_up_around_them(
    seconds_ago: tuple[int, ...],
) -> None:
    model = Model(400)
    phones = [str(48_500_000_000 + place) for place in range(len(seconds_ago))]
    for phone, ago in zip(phones, seconds_ago, strict=True):
        model.put(phone, ago)
    assert [model.eligible() for _ in range(2)] == [phones] * 2
