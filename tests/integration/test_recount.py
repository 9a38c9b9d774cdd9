"""The recount finds what the counts of GET_SERVICES are off by, puts it right and says so (contract 1.1)."""

import io
import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

import recount.app
import recount.wiring
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.number import Number, pool_of
from globalconnect.domain.pool_counts import MOST_CHANGED, NOTHING, Contribution, HolderCount, PoolCounts
from globalconnect.store.dynamo import to_wire
from globalconnect.store.pool_counts import HolderChange
from globalconnect.store.projection import correct, counted_as
from recount.recount import BEHIND_SECONDS, Report
from simulation.counting import (
    COUNTED_TABLE,
    COUNTRY,
    HOLDERS_TABLE,
    NUMBERS_TABLE,
    OPERATORS,
    PARTNERS,
    POOLS_TABLE,
    MemoryTables,
    Stock,
)
from simulation.meanwhile import crossed
from simulation.shop import Shop

FREE = "447472999999"
HELD = "447472777777"
STRANGER = "447472888888"
HERE, THERE, NOWHERE = OPERATORS[0], OPERATORS[1], "Nobody's"

type Harm = Callable[[Stock], None]


@pytest.fixture
def stock() -> Stock:
    """Return a stock with a past, counted as it is, with a free number in it that is used up for `go`, and a held one."""
    stock = Stock(seed=22, size=60)
    stock.live(1_000)
    stock.put(Number(FREE, COUNTRY, HERE, available_from=0, blocked=frozenset({"go"}), version=3))
    stock.put(
        Number(
            HELD,
            COUNTRY,
            HERE,
            available_from=0,
            activation_id=ActivationId(1),
            partner_id=PartnerId(PARTNERS[0]),
            version=3,
        )
    )
    stock.catch_up()
    return stock


def _pool(stock: Stock, operator: str) -> PoolCounts:
    return stock.counts.pools([(COUNTRY, operator)])[pool_of(COUNTRY, operator)]


def _recount_pool(stock: Stock, operator: str, contribution: Contribution, sign: int) -> None:
    pool = _pool(stock, operator)
    pool.add(contribution, sign)
    stock.counts.write([pool], [], {})


def _the_pool_has_one_too_many(stock: Stock) -> None:
    _recount_pool(stock, HERE, Contribution(pool_of(COUNTRY, HERE), free=True), 1)


def _the_pool_has_too_few_blocked(stock: Stock) -> None:
    pool = _pool(stock, HERE)
    pool.blocked_free = {}
    stock.counts.write([pool], [], {})


def _the_pool_has_no_item(stock: Stock) -> None:
    del stock.tables.tables[POOLS_TABLE][COUNTRY, HERE]


def _a_pool_counts_though_it_has_no_numbers(stock: Stock) -> None:
    _recount_pool(stock, NOWHERE, Contribution(pool_of(COUNTRY, NOWHERE), free=True), 1)


def _a_number_is_counted_in_a_pool_it_has_left(stock: Stock) -> None:
    stock.tables.tables[NUMBERS_TABLE][FREE,]["operator"] = {"S": THERE}
    stock.numbers[FREE] = replace(stock.numbers[FREE], operator=THERE)


def _a_number_was_never_counted(stock: Stock) -> None:
    _recount_pool(stock, HERE, counted_as(stock.numbers[FREE]).contribution, -1)
    del stock.tables.tables[COUNTED_TABLE][FREE,]


def _a_number_is_noted_but_not_in_the_pool(stock: Stock) -> None:
    _recount_pool(stock, HERE, counted_as(stock.numbers[FREE]).contribution, -1)


def _a_change_of_a_number_was_lost(stock: Stock) -> None:
    stock.put(replace(stock.numbers[FREE], enabled=False, version=4))
    for stream in stock._streams:
        stream.clear()


def _a_number_was_counted_in_a_version_it_never_had(stock: Stock) -> None:
    stock.tables.tables[COUNTED_TABLE][FREE,]["version"] = {"N": "99"}
    stock.put(replace(stock.numbers[FREE], enabled=False, version=4))
    stock.catch_up()


def _a_number_that_does_not_exist_is_counted(stock: Stock) -> None:
    del stock.tables.tables[NUMBERS_TABLE][FREE,]
    del stock.numbers[FREE]


def _a_number_that_does_not_exist_is_noted_as_withdrawn(stock: Stock) -> None:
    stock.tables.tables[COUNTED_TABLE][STRANGER,] = to_wire({"phone": STRANGER, "version": 7, "free": False})


def _held_differs(stock: Stock, partner_id: PartnerId, by: int) -> None:
    read = stock.counts.holders([partner_id])[partner_id]
    stock.counts.write([], [], {}, holders=[HolderChange(read, by, frozenset({STRANGER}))])


def _the_partner_has_one_too_many(stock: Stock) -> None:
    _held_differs(stock, PARTNERS[0], 1)


def _the_partner_has_none_left(stock: Stock) -> None:
    _held_differs(stock, PARTNERS[0], -stock.held()[PARTNERS[0]])


def _the_partner_has_no_item(stock: Stock) -> None:
    del stock.tables.tables[HOLDERS_TABLE][PARTNERS[0],]


def _a_partner_holds_numbers_that_nobody_sold_it(stock: Stock) -> None:
    _held_differs(stock, PartnerId("stranger"), 2)


def _a_held_number_was_counted_before_partners_were(stock: Stock) -> None:
    del stock.tables.tables[COUNTED_TABLE][HELD,]["holder"]
    _held_differs(stock, PARTNERS[0], -1)


def _a_number_is_counted_for_a_partner_that_let_it_go(stock: Stock) -> None:
    stock.tables.tables[NUMBERS_TABLE][HELD,]["partner_id"] = {"S": PARTNERS[1]}
    stock.numbers[HELD] = replace(stock.numbers[HELD], partner_id=PartnerId(PARTNERS[1]))


# How many numbers, pools and partners have to be corrected.
HARMS: list[tuple[Harm, int, int, int]] = [
    (_the_pool_has_one_too_many, 0, 1, 0),
    (_the_pool_has_too_few_blocked, 0, 1, 0),
    (_the_pool_has_no_item, 0, 1, 0),
    (_a_pool_counts_though_it_has_no_numbers, 0, 1, 0),
    (_a_number_is_counted_in_a_pool_it_has_left, 1, 0, 0),
    (_a_number_was_never_counted, 1, 0, 0),
    (_a_number_is_noted_but_not_in_the_pool, 0, 1, 0),
    (_a_change_of_a_number_was_lost, 1, 0, 0),
    (_a_number_was_counted_in_a_version_it_never_had, 1, 0, 0),
    (_a_number_that_does_not_exist_is_counted, 1, 0, 0),
    (_a_number_that_does_not_exist_is_noted_as_withdrawn, 1, 0, 0),
    (_the_partner_has_one_too_many, 0, 0, 1),
    (_the_partner_has_none_left, 0, 0, 1),
    (_the_partner_has_no_item, 0, 0, 1),
    (_a_partner_holds_numbers_that_nobody_sold_it, 0, 0, 1),
    (_a_held_number_was_counted_before_partners_were, 1, 0, 0),
    (_a_number_is_counted_for_a_partner_that_let_it_go, 1, 0, 0),
]
OF_COUNTS = [(harm, pools, holders) for harm, _, pools, holders in HARMS if pools or holders]


def _all_is_right(stock: Stock) -> bool:
    return stock.counted() == stock.true() and stock.held() == stock.truly_held()


def _noted_as_they_are(stock: Stock) -> bool:
    return {one.phone: one for one in stock.counts.every_counted()} == {
        number.phone: counted_as(number) for number in stock.numbers.values()
    }


def test_where_nothing_is_off_nothing_is_found_and_no_number_waited_for(stock: Stock) -> None:
    def pause(_: float) -> None:
        pytest.fail("waited")

    report = stock.recount(pause).run()
    assert report == Report(
        numbers=len(stock.numbers),
        pools=6,
        holders=3,
        corrected_numbers=0,
        corrected_pools=0,
        corrected_holders=0,
        unsettled_pools=0,
        unsettled_holders=0,
    )
    assert all(count.recount is None for count in [*stock.counts.every_pool(), *stock.counts.every_holder()])


@pytest.mark.parametrize(("harm", "numbers", "pools", "holders"), HARMS, ids=[harm.__name__[1:] for harm, *_ in HARMS])
def test_what_is_off_is_found_put_right_and_reported_and_found_no_more(
    stock: Stock, harm: Harm, numbers: int, pools: int, holders: int
) -> None:
    harm(stock)
    waited: list[float] = []
    report = stock.recount(waited.append).run()
    assert (report.corrected_numbers, report.corrected_pools, report.corrected_holders) == (numbers, pools, holders)
    assert report.off == numbers + pools + holders
    assert _all_is_right(stock)
    assert _noted_as_they_are(stock)
    assert waited == [BEHIND_SECONDS] * numbers
    assert stock.recount().run().off == 0


@pytest.mark.parametrize(("harm", "pools", "holders"), OF_COUNTS, ids=[harm.__name__[1:] for harm, *_ in OF_COUNTS])
def test_a_count_is_put_right_exactly_while_its_numbers_go_on_changing(
    stock: Stock, harm: Harm, pools: int, holders: int
) -> None:
    harm(stock)
    rolls = random.Random(harm.__name__)
    going_on = False

    def go_on() -> None:
        nonlocal going_on
        if not going_on and rolls.random() < 0.5:
            going_on = True
            for _ in range(20):
                stock.change()
            stock.deliver()
            going_on = False

    # Between the pages of what is read, and between what was read of a pool and what is written of it.
    stock.tables.before_page = lambda _: go_on()
    stock.tables.before_write = go_on
    report = stock.recount().run()
    stock.tables = MemoryTables(tables=stock.tables.tables)
    stock.catch_up()
    assert (report.corrected_pools, report.unsettled_pools) == (pools, 0)
    assert (report.corrected_holders, report.unsettled_holders) == (holders, 0)
    assert _all_is_right(stock)
    assert stock.recount().run().off == 0


def test_two_recounts_at_once_correct_once(stock: Stock) -> None:
    _the_pool_has_one_too_many(stock)
    _a_number_is_counted_in_a_pool_it_has_left(stock)
    others: list[Report] = []

    def another(table: str) -> None:
        stock.tables.before_page = lambda _: None
        others.append(stock.recount().run())

    stock.tables.before_page = lambda table: another(table) if table == COUNTED_TABLE else None
    report = stock.recount().run()
    assert stock.counted() == stock.true()
    assert [report.off, *(other.off for other in others)] == [0, 2]


def test_two_corrections_of_a_version_that_both_read_it_before_either_wrote_are_one(stock: Stock) -> None:
    _a_number_is_counted_in_a_pool_it_has_left(stock)

    def correct_it() -> int:
        return correct([FREE], lambda _: [stock.numbers[FREE]], stock.counts)

    others: list[int] = []
    counts = crossed(stock.counts, "counted_and_pools", lambda: others.append(correct_it()))
    assert correct([FREE], lambda _: [stock.numbers[FREE]], counts) == 0
    assert others == [1]
    assert stock.counted() == stock.true()


def test_a_number_that_the_stream_comes_to_late_is_not_off(stock: Stock) -> None:
    for _ in range(50):
        stock.change()
    assert stock.counted() != stock.true()
    report = stock.recount(lambda _: stock.catch_up()).run()
    assert report.off == 0
    assert stock.counted() == stock.true()


def test_what_the_stream_brings_after_a_correction_changes_nothing(stock: Stock) -> None:
    for _ in range(50):
        stock.change()
    assert stock.recount().run().corrected_numbers > 0
    assert stock.counted() == stock.true()
    stock.catch_up()
    assert stock.counted() == stock.true()


def test_a_new_number_whose_phone_was_forgotten_is_counted_again(stock: Stock) -> None:
    _a_number_that_does_not_exist_is_counted(stock)
    stock.recount().run()
    stock.put(Number(FREE, COUNTRY, THERE, available_from=0))
    stock.catch_up()
    assert stock.counted() == stock.true()


def _move_the_pool(stock: Stock) -> None:
    for sign in (1, -1):
        _recount_pool(stock, HERE, NOTHING, sign)


def _move_the_partner(stock: Stock) -> None:
    _held_differs(stock, PARTNERS[0], 0)


@pytest.mark.parametrize(
    ("harm", "move", "pools", "holders"),
    [(_the_pool_has_one_too_many, _move_the_pool, 1, 0), (_the_partner_has_one_too_many, _move_the_partner, 0, 1)],
    ids=["pool", "partner"],
)
def test_a_count_that_never_stands_still_is_reported_as_unsettled_and_left_as_it_is(
    stock: Stock, harm: Harm, move: Harm, pools: int, holders: int
) -> None:
    harm(stock)
    off = (stock.counted(), stock.held())

    def go_on() -> None:
        stock.tables.before_write = lambda: None
        move(stock)
        stock.tables.before_write = go_on

    stock.tables.before_write = go_on
    report = stock.recount().run()
    stock.tables.before_write = lambda: None
    assert (report.corrected_pools, report.corrected_holders) == (0, 0)
    assert (report.unsettled_pools, report.unsettled_holders) == (pools, holders)
    assert (stock.counted(), stock.held()) == off
    again = stock.recount().run()
    assert (again.corrected_pools, again.corrected_holders) == (pools, holders)


def _flood_the_pool(stock: Stock) -> None:
    pool = _pool(stock, HERE)
    assert pool.recount is not None
    pool.note(str(place) for place in range(MOST_CHANGED + 1))
    assert not pool.changed
    stock.counts.write([pool], [], {})


def _flood_the_partner(stock: Stock) -> None:
    read = stock.counts.holders(PARTNERS)[PARTNERS[0]]
    assert read.recount is not None
    flooding = frozenset(str(place) for place in range(MOST_CHANGED + 1))
    stock.counts.write([], [], {}, holders=[HolderChange(read, 0, flooding)])
    assert stock.counts.holders(PARTNERS)[PARTNERS[0]].recount is None


@pytest.mark.parametrize(
    ("harm", "flood"),
    [(_the_pool_has_one_too_many, _flood_the_pool), (_the_partner_has_one_too_many, _flood_the_partner)],
    ids=["pool", "partner"],
)
def test_a_count_with_more_changes_than_are_noted_is_compared_again(stock: Stock, harm: Harm, flood: Harm) -> None:
    harm(stock)

    def flood_once(table: str) -> None:
        if table == COUNTED_TABLE:
            stock.tables.before_page = lambda _: None
            flood(stock)

    stock.tables.before_page = flood_once
    report = stock.recount().run()
    assert (report.off, report.unsettled_pools, report.unsettled_holders) == (1, 0, 0)
    assert _all_is_right(stock)


def test_what_is_noted_for_a_recount_is_dropped_on_dynamodb_when_it_is_too_much(shop: Shop) -> None:
    read = HolderCount(PartnerId("hub"), 1, recount="this")
    shop.counts.write([read], [], {})
    for flood, noted in ((1, frozenset({"0"})), (MOST_CHANGED + 1, frozenset())):
        (read,) = shop.counts.every_holder()
        changed = frozenset(str(place) for place in range(flood))
        shop.counts.write([], [], {}, holders=[HolderChange(read, 0, changed)])
        (after,) = shop.counts.every_holder()
        assert (after.held, after.recount, after.changed) == (1, "this" if noted else None, noted)


def test_it_says_what_was_off_and_by_how_much_and_measures_how_much_was(
    shop: Shop, logged: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.stock("447472190001", "447472190002")
    used_up, holder = shop.partner(), shop.partner()
    shop.finish(used_up, shop.buy(used_up).body["activationId"], 3)
    shop.buy(holder)
    shop.project()
    (pool,), held = shop.counts.every_pool(), shop.counts.holders([holder.partner_id])[holder.partner_id]
    shop.counts.write([replace(pool, free=pool.free + 5, blocked_free={}), replace(held, held=4)], [], {})
    recount.wiring.parts.cache_clear()
    recount.app.handler({}, None)
    recount.wiring.parts.cache_clear()
    lines = {line["message"]: line for line in map(json.loads, logged.getvalue().splitlines())}
    off = lines["pool_counts_were_off"]
    named = {"country": pool.country, "operator": pool.operator, "end": "corrected", "total": 0, "free": 5}
    assert off == off | named
    off = lines["holder_count_was_off"]
    assert off == off | {"partner_id": holder.partner_id, "end": "corrected", "held": 3}
    whole = lines["numbers_recounted"]
    corrected = {"corrected_numbers": 0, "corrected_pools": 1, "corrected_holders": 1}
    assert whole == whole | {"numbers": 2, "pools": 1} | corrected
    metric = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert metric["CountsOff"] == [2.0]
    assert next(iter(shop.counts.every_pool())).sums() == pool.sums()
    assert shop.partner_parts.holders.held_by(holder.partner_id) == 1
