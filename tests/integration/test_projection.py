"""The projection counts each change of a number once, however the stream is cut (contract 1.1)."""

import contextlib
import random

from globalconnect.domain.number import Number, pool_of
from globalconnect.domain.pool_counts import Contribution, CountedNumber
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.projection import count
from simulation.counting import Stock
from simulation.shop import COUNTRY, OPERATOR, Shop

PHONES = [f"4474721900{n:02}" for n in range(12)]


def _counted(shop: Shop, operator: str = OPERATOR) -> tuple[int, int, dict[str, int]]:
    pool = shop.counts.pools([(COUNTRY, operator)])[pool_of(COUNTRY, operator)]
    return pool.total, pool.free, pool.blocked_free


def _true(shop: Shop, operator: str = OPERATOR) -> tuple[int, int, dict[str, int]]:
    numbers = [number for number in shop.all_numbers() if number.enabled and number.operator == operator]
    free = [number for number in numbers if number.activation_id is None]
    blocked: dict[str, int] = {}
    for number in free:
        for service in number.blocked:
            blocked[service] = blocked.get(service, 0) + 1
    return len(numbers), len(free), blocked


def test_a_batch_that_comes_again_changes_nothing(shop: Shop) -> None:
    shop.stock(*PHONES)
    assert count(shop.all_numbers(), shop.counts) == len(PHONES)
    before = _counted(shop)
    assert count(shop.all_numbers(), shop.counts) == 0
    assert _counted(shop) == before == (12, 12, {})


def test_a_batch_that_is_cut_differently_counts_nothing_twice(shop: Shop) -> None:
    shop.stock(*PHONES[:4])
    numbers = shop.all_numbers()
    count(numbers[:3], shop.counts)
    count(numbers, shop.counts)
    assert _counted(shop) == (4, 4, {})


def test_two_that_both_read_before_either_wrote_count_a_new_number_once(shop: Shop) -> None:
    shop.stock(PHONES[0])
    number = CountedNumber(PHONES[0], 0, Contribution(pool_of(COUNTRY, OPERATOR), free=True))
    for _ in range(2):
        # Each has seen nothing of the number, and the pool as the other left it.
        pools = shop.counts.pools([(COUNTRY, OPERATOR)])
        pools[pool_of(COUNTRY, OPERATOR)].add(number.contribution, 1)
        with contextlib.suppress(ConditionFailed):
            shop.counts.write(list(pools.values()), [number], {})
    assert _counted(shop) == (1, 1, {})


def test_an_older_version_that_comes_late_changes_nothing(shop: Shop) -> None:
    shop.stock(PHONES[0])
    old = shop.all_numbers()
    shop.buy(shop.partner())
    count(shop.all_numbers(), shop.counts)
    count(old, shop.counts)
    assert _counted(shop) == (1, 0, {})


def test_a_number_that_moves_to_another_pool_leaves_the_first(shop: Shop) -> None:
    shop.stock(*PHONES[:2])
    shop.project()
    shop.move(PHONES[0], "Other")
    shop.project()
    assert _counted(shop) == (1, 1, {})
    assert _counted(shop, "Other") == (1, 1, {})


def test_numbers_of_more_pools_than_fit_one_write_are_all_counted(shop: Shop) -> None:
    for position in range(120):
        shop.stock(str(447_472_000_000 + position), operator=f"Operator {position % 60}")
    shop.project()
    counted = shop.counts.pools([(COUNTRY, f"Operator {n}") for n in range(60)]).values()
    assert [(pool.total, pool.free) for pool in counted] == [(2, 2)] * 60


def test_numbers_of_more_partners_than_fit_one_write_are_all_counted(shop: Shop) -> None:
    phones = [str(447_472_000_000 + position) for position in range(90)]
    shop.stock(*phones)
    partners = [shop.partner() for _ in phones]
    for partner in partners:
        shop.buy(partner)
    shop.project()
    assert {count.held for count in shop.counts.every_holder()} == {1}
    assert len(list(shop.counts.every_holder())) == len(partners)
    assert _counted(shop) == (90, 0, {})


def test_counts_equal_the_truth_after_any_history_in_any_cut(shop: Shop) -> None:
    rolls = random.Random(7)
    shop.stock(*PHONES)
    partner = shop.partner()
    history: list[Number] = shop.all_numbers()
    live: list[int] = []
    for _ in range(60):
        match rolls.randrange(5):
            case 0 | 1:
                bought = shop.buy(partner, rolls.choice(["tg", "go"])).body
                if "activationId" in bought:
                    live.append(bought["activationId"])
            case 2 if live:
                shop.finish(partner, live.pop(rolls.randrange(len(live))), rolls.choice([1, 3, 4, 5]))
            case 3:
                shop.numbers.withdraw(rolls.choice(PHONES))
            case _:
                shop.numbers.restore(rolls.choice(PHONES), shop.cloud.clock())
        history += shop.all_numbers()
    # Per number the stream keeps the order; batches are cut anywhere and may come twice.
    at = 0
    while at < len(history):
        end = at + rolls.randrange(1, 40)
        for _ in range(rolls.randrange(1, 3)):
            count(history[at:end], shop.counts)
        at = end
    assert _counted(shop) == _true(shop)
    held = sum(number.activation_id is not None for number in shop.all_numbers())
    assert shop.partner_parts.holders.held_by(partner.partner_id) == held > 0


def test_counts_equal_the_truth_after_100_000_changes_however_shards_cut_repeat_and_interleave() -> None:
    stock = Stock(seed=4)
    stock.live(100_000)
    assert stock.counted() == stock.true()
    assert len(stock.true()) == 6
    assert stock.held() == stock.truly_held()
    assert len(stock.truly_held()) == 3
    report = stock.recount().run()
    assert (report.numbers, report.off) == (300, 0)


def test_a_batch_that_was_written_by_a_function_killed_then_changes_nothing_when_it_comes_again() -> None:
    stock = Stock(seed=5)
    changes = [stock.change() for _ in range(500)]
    count(changes, stock.counts)
    before = {table: dict(items) for table, items in stock.tables.tables.items()}
    assert count(changes, stock.counts) == 0
    assert stock.tables.tables == before
