"""The projection counts each change of a number once, however the stream is cut (contract 1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from globalconnect.domain.times import HOUR
from globalconnect.store.projection import count
from simulation.counting import SERVICES, MemoryTables, Stock
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


@dataclass
class _Watched:
    """Notes whenever a count falls to 0 in what is written, by operator and service."""

    stock: Stock
    left: dict[tuple[str, str], int] = field(default_factory=dict)
    fell: dict[tuple[str, str], int] = field(default_factory=dict)

    def look(self) -> None:
        for pool in self.stock.counts.every_pool():
            for service in SERVICES:
                key, left = (pool.operator, service), pool.for_sale(service)
                if self.left.get(key) and not left:
                    self.fell[key] = self.stock.now
                self.left[key] = left


class _WatchedTables(MemoryTables):
    """Tables that a look is taken at after every write."""

    watched: _Watched

    def _write(self, asked: Sequence[Any]) -> None:
        super()._write(asked)
        self.watched.look()


def test_when_counts_fell_to_0_is_known_however_their_stream_came_and_a_recount_keeps_it() -> None:
    tables = _WatchedTables()
    stock = Stock(seed=7, size=12, tables=tables)
    tables.watched = watched = _Watched(stock)
    seen = {"pool": 0, "service": 0}
    for _ in range(60):
        stock.live(30)
        before = {pool.operator: (pool.empty_since, pool.sold_out) for pool in stock.counts.every_pool()}
        assert stock.recount().run().off == 0
        for pool in stock.counts.every_pool():
            assert (pool.empty_since, pool.sold_out) == before[pool.operator]
            for service in SERVICES:
                since, fell = pool.sold_out_since(service), watched.fell.get((pool.operator, service))
                if pool.for_sale(service):
                    assert since is None
                elif fell is not None and fell > stock.now - HOUR:
                    assert since == fell
                    seen["pool" if pool.free == 0 else "service"] += 1
                else:
                    assert since in {fell, 0, None}
    assert min(seen.values()) > 100
