"""The stores of numbers and activations, and what a sale changes in both."""

from dataclasses import dataclass, replace

import pytest

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.errors import NotFound
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.marks import RemainingMarks
from globalconnect.domain.number import Candidate, Cause, EndedLease, Mark, Number
from globalconnect.domain.sms import ActivationWithSms
from globalconnect.domain.times import DAY, HOUR, MINUTE
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.numbers import HELD_SHARDS, Numbers
from globalconnect.store.transactions import IssueResult, Transactions
from simulation.aws import START, Cloud
from simulation.shop import present
from tests.stores.pages import every

SALE_ID = ActivationId(7)
NEXT_SALE_ID = ActivationId(8)
HUB = PartnerId("hub")

RETENTION = 30 * DAY
NUMBER = Number("447472190001", "england", "Vodafone", START)
OTHER = Number("447472190002", "england", "Vodafone", START + 1)
FAR = Number("33612345678", "france", "Orange", START, entered_by="import#1")
SALE = Activation(
    SALE_ID,
    HUB,
    NUMBER.phone,
    NUMBER.country,
    NUMBER.operator,
    "tg",
    START + 5,
    START + 5 + HOUR,
    total="0.5",
    currency="EUR",
)


@dataclass(frozen=True, slots=True)
class Stores:
    """The two stores and their changes together."""

    numbers: Numbers
    activations: Activations
    transactions: Transactions

    def number(self, phone: str = NUMBER.phone) -> Number:
        """Return a number as it is now."""
        return present(self.numbers.get(phone))

    def eligible(self, service: str = "tg", now: int = START + 10) -> list[str]:
        """Return the phones that an environment of its own finds in the pool."""
        return [candidate.phone for candidate in self.numbers.eligible("england", "Vodafone", service, now)]


def _open(tables: Cloud, rest: int = 0) -> Stores:
    numbers = Numbers(tables.db, tables.env["NUMBERS_TABLE"], rest)
    activations = Activations(tables.db, tables.env["ACTIVATIONS_TABLE"], RETENTION, tables.clock)
    return Stores(numbers, activations, Transactions(tables.db, numbers, activations))


@pytest.fixture
def stores(tables: Cloud) -> Stores:
    opened = _open(tables)
    for number in (NUMBER, OTHER, FAR):
        opened.numbers.add(number)
    return opened


@pytest.fixture
def sold(stores: Stores) -> Stores:
    assert stores.transactions.issue(SALE, tries=1) is IssueResult.DONE
    return stores


# ---------------------------------------------------------------- numbers


def test_numbers_are_read_as_they_were_added_and_once(stores: Stores) -> None:
    assert [stores.numbers.get(number.phone) for number in (NUMBER, FAR)] == [NUMBER, FAR]
    with pytest.raises(ConditionFailed):
        stores.numbers.add(replace(NUMBER, operator="Other"))
    assert stores.numbers.get("1") is None


def test_more_numbers_than_one_call_reads_are_read(stores: Stores) -> None:
    phones = [f"4474722{number:05}" for number in range(130)]
    for phone in phones:
        stores.numbers.add(replace(NUMBER, phone=phone))
    assert {number.phone for number in stores.numbers.get_many([*phones, "1"])} == set(phones)


def test_numbers_are_listed_all_by_country_and_by_operator(stores: Stores) -> None:
    stores.numbers.add(replace(OTHER, phone="447472190003", operator="Vodafone 2"))
    vodafone = {NUMBER.phone, OTHER.phone}
    english = vodafone | {"447472190003"}

    def listed(**pool: str) -> set[str]:
        return {number.phone for number in every(lambda after: stores.numbers.page(1, after, **pool))}

    assert listed() == english | {FAR.phone}
    assert (listed(country="england"), listed(country="england", operator="Vodafone")) == (english, vodafone)


def test_what_may_be_issued_is_found_longest_rested_first(stores: Stores) -> None:
    found = list(stores.numbers.eligible("england", "Vodafone", "tg", START + 1))
    assert found == [
        Candidate(number.available_from, number.phone, "england", "Vodafone") for number in (NUMBER, OTHER)
    ]
    assert list(stores.numbers.eligible("england", "Nobody", "tg", START + 1)) == []
    assert stores.eligible(now=START) == [NUMBER.phone]


def test_a_withdrawn_number_is_not_found_until_it_is_restored(stores: Stores) -> None:
    assert stores.numbers.withdraw(NUMBER.phone) == replace(NUMBER, enabled=False, version=1)
    assert stores.eligible() == [OTHER.phone]
    assert stores.numbers.restore(NUMBER.phone, START + 3) == replace(NUMBER, available_from=START + 3, version=2)
    assert stores.eligible() == [OTHER.phone, NUMBER.phone]
    for change in (stores.numbers.withdraw, lambda phone: stores.numbers.restore(phone, START)):
        with pytest.raises(NotFound):
            change("1")


def test_a_moved_number_is_the_last_of_its_new_pool(stores: Stores) -> None:
    stores.numbers.move(FAR, "england", "Vodafone", START + 4)
    stores.numbers.move(replace(NUMBER, version=9), "france", "Orange", START + 4, entered_by="import#2")
    assert stores.eligible() == [OTHER.phone, FAR.phone]
    assert stores.number(FAR.phone).entered_by == "import#1"
    moved = replace(NUMBER, country="france", operator="Orange", available_from=START + 4, version=1)
    assert stores.number() == replace(moved, entered_by="import#2")


# ---------------------------------------------------------------- sales


def test_a_sale_holds_its_number_and_is_read_as_it_was_made(sold: Stores) -> None:
    assert sold.activations.get(SALE_ID) == SALE
    assert sold.activations.sale(SALE_ID) == sold.activations.sale(SALE_ID, HUB) == ActivationWithSms(SALE, ())
    assert sold.activations.sale(SALE_ID, PartnerId("other")) is None
    assert (sold.activations.get(NEXT_SALE_ID), sold.activations.sale(NEXT_SALE_ID)) == (None, None)
    held = replace(NUMBER, activation_id=SALE_ID, partner_id=HUB, held_from=SALE.started_at, held_for=SALE.service)
    assert sold.number() == replace(held, free_since=START, available_from=SALE.expires_at, version=1)
    assert sold.eligible() == [OTHER.phone]


def test_a_number_that_is_not_for_sale_is_not_issued(sold: Stores) -> None:
    again = replace(SALE, activation_id=NEXT_SALE_ID)
    assert sold.transactions.issue(again, tries=1) is IssueResult.TAKEN
    assert sold.activations.get(NEXT_SALE_ID) is None
    sold.numbers.withdraw(OTHER.phone)
    assert sold.transactions.issue(replace(again, phone=OTHER.phone), tries=1) is IssueResult.TAKEN


def test_a_finished_sale_leaves_its_mark_and_frees_its_number(sold: Stores) -> None:
    sold.transactions.finish(SALE, Outcome.CANCELED, Mark("tg", cancels=1, block=True), sold.number(), START + 9)
    expected = replace(SALE, outcome=Outcome.CANCELED, finished_at=START + 9, marked_version=2)
    assert sold.activations.get(SALE_ID) == expected
    cause = Cause(SALE_ID, HUB, Outcome.CANCELED, START + 9)
    freed = replace(NUMBER, available_from=START + 9, version=2)
    assert sold.number() == replace(freed, blocked=frozenset({"tg"}), cancels={"tg": 1}, causes={"tg": (cause,)})
    assert (sold.eligible("tg"), sold.eligible("go")) == ([OTHER.phone], [OTHER.phone, NUMBER.phone])
    with pytest.raises(ConditionFailed):
        sold.transactions.finish(SALE, Outcome.SUCCESS, None, sold.number(), START + 9)


@pytest.mark.parametrize("of_activation", [True, False])
def test_a_lifted_mark_lets_the_number_be_sold_again(sold: Stores, of_activation: bool) -> None:
    sold.transactions.finish(SALE, Outcome.PROHIBITED, Mark("tg", block=True), sold.number(), START + 9)
    left = RemainingMarks("tg", lifted=1, anew=True)
    if of_activation:
        finished = present(sold.activations.get(SALE_ID))
        sold.transactions.lift_mark(finished, sold.number(), left, START + 10)
        assert sold.activations.get(SALE_ID) == replace(finished, lifted_at=START + 10)
        with pytest.raises(ConditionFailed):
            sold.transactions.lift_mark(finished, sold.number(), left, START + 11)
    else:
        assert sold.numbers.lift(sold.number(), left, START + 10).lifted == {"tg": 3}
    assert (sold.number().blocked, sold.number().causes) == (frozenset(), {})
    assert sold.eligible("tg", START + 10) == [OTHER.phone, NUMBER.phone]


def test_a_success_is_refunded_once(sold: Stores) -> None:
    with pytest.raises(ConditionFailed):
        sold.transactions.refund(SALE, START + 9)
    sold.transactions.finish(SALE, Outcome.SUCCESS, None, sold.number(), START + 9)
    sold.transactions.refund(SALE, START + 10)
    assert present(sold.activations.get(SALE_ID)).outcome is Outcome.RETURNED


@pytest.mark.parametrize("finished", [False, True])
def test_a_live_activation_is_ended_once_if_it_is_as_it_was_read(sold: Stores, *, finished: bool) -> None:
    read = sold.number()
    if finished:
        sold.transactions.finish(SALE, Outcome.RETURNED, None, read, START + 9)
    else:
        sold.transactions.end(SALE, read, START + 9)
    then = (sold.activations.get(SALE_ID), sold.number())
    assert (then[1].activation_id, then[1].available_from) == (None, START + 9)
    for number in (read, sold.number()):
        with pytest.raises(ConditionFailed):
            sold.transactions.end(SALE, number, START + 10)
    assert (sold.activations.get(SALE_ID), sold.number()) == then


@pytest.mark.parametrize("rest", [0, MINUTE])
def test_a_lease_that_ran_out_is_found_and_its_number_let_go(sold: Stores, tables: Cloud, rest: int) -> None:
    numbers, now = _open(tables, rest).numbers, SALE.expires_at
    ended = [found for shard in HELD_SHARDS for found in numbers.held_until(shard, now)]
    assert ended == [EndedLease(NUMBER.phone, now, SALE_ID)]
    held = sold.number()
    assert [numbers.let_go(ended[0], now) for _ in range(2)] == [held, None]
    assert (sold.number().activation_id, sold.number().resting) == (None, rest > 0)
    assert sold.number().available_from == now + rest
    if rest:
        (rested,) = [found for shard in HELD_SHARDS for found in numbers.held_until(shard, now + rest)]
        assert rested == EndedLease(NUMBER.phone, now + rest, None)
        assert numbers.let_go(rested, now + rest)
        assert not sold.number().resting


# ---------------------------------------------------------------- listings of activations


@pytest.fixture
def listed(stores: Stores) -> list[Activation]:
    """Return four sales of two partners and three days, newest first."""
    sales = [
        replace(
            SALE,
            activation_id=ActivationId(number),
            partner_id=PartnerId(partner),
            phone=phone,
            started_at=START + at,
            expires_at=START + at,
        )
        for number, partner, phone, at in (
            (1, "hub", NUMBER.phone, 0),
            (2, "other", NUMBER.phone, DAY),
            (3, "hub", OTHER.phone, DAY + 1),
            (4, "hub", OTHER.phone, 2 * DAY),
        )
    ]
    for sale in sales:
        assert stores.transactions.issue(sale, tries=1) is IssueResult.DONE
    return sales[::-1]


def test_activations_are_listed_newest_first_all_and_by_partner_and_phone(
    stores: Stores, listed: list[Activation]
) -> None:
    def found(partner_id: PartnerId | None, phone: str | None) -> list[Activation]:
        return every(
            lambda after: stores.activations.page(1, after, partner_id=partner_id, phone=phone, now=START + 3 * DAY)
        )

    for partner_id in (None, HUB, PartnerId("other")):
        for phone in (None, NUMBER.phone, "1"):
            wanted = [sale for sale in listed if partner_id in {None, sale.partner_id} and phone in {None, sale.phone}]
            assert found(partner_id, phone) == wanted


def test_a_partners_activations_are_listed_from_a_time_on(stores: Stores, listed: list[Activation]) -> None:
    since = every(lambda after: stores.activations.started_since(HUB, START + 1, 1, after))
    assert since == [sale for sale in listed if sale.partner_id == "hub" and sale.started_at > START]


def test_what_is_past_its_retention_is_given_no_more(stores: Stores, listed: list[Activation], tables: Cloud) -> None:
    tables.clock.at = START + RETENTION + 1
    assert (stores.activations.get(ActivationId(1)), stores.activations.sale(ActivationId(1))) == (None, None)
    assert every(lambda after: stores.activations.page(2, after, now=tables.clock())) == listed[:-1]
