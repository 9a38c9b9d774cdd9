"""The projection counts each change of a number once, however the stream is cut (contract 1.1)."""

from globalconnect.store.projection import count
from simulation.counting import Stock
from simulation.shop import COUNTRY, Shop


def test_numbers_of_more_pools_and_partners_than_fit_one_write_are_all_counted(shop: Shop) -> None:
    for position in range(120):
        shop.stock(str(447_472_000_000 + position), operator=f"Operator {position % 60}")
    for _ in range(90):
        shop.buy(shop.partner(), operator="any")
    shop.project()
    counted = shop.counts.pools([(COUNTRY, f"Operator {n}") for n in range(60)]).values()
    assert [pool.total for pool in counted] == [2] * 60
    assert sum(pool.free for pool in counted) == 30
    assert [held.held for held in shop.counts.every_holder()] == [1] * 90


def test_counts_equal_the_truth_after_100_000_changes_however_shards_cut_repeat_and_interleave() -> None:
    stock = Stock(seed=4)
    stock.live(100_000)
    assert stock.counted() == stock.true()
    assert len(stock.true()) == 6
    assert stock.held() == stock.truly_held()
    assert len(stock.truly_held()) == 3
    report = stock.recount().run()
    assert (report.numbers, report.off) == (300, 0)


def test_what_comes_again_or_late_in_an_older_version_changes_nothing() -> None:
    stock = Stock(seed=5)
    changes = [stock.change() for _ in range(500)]
    count(changes, stock.counts)
    before = stock.counted()
    for again in (changes, changes[:300]):
        assert count(again, stock.counts) == 0
    assert stock.counted() == before == stock.true()
