"""The stores of counts: per pool, per partner, and what each number last contributed.

They run on the memory of simulation/counting.py too, which stands for them in long histories.
"""

from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.ids import PartnerId
from globalconnect.domain.pool_counts import Contribution, CountedNumber, HolderCount, PoolCounts
from globalconnect.store.dynamo import ConditionFailed, Dynamo
from globalconnect.store.packing import pack_counts
from globalconnect.store.pool_counts import CountsStore, HolderChange, Holders, PoolCountsStore
from simulation.aws import Cloud
from simulation.counting import COUNTED_TABLE, HOLDERS_TABLE, POOLS_TABLE, MemoryTables

HUB = PartnerId("hub")

FREE = CountedNumber("447472190001", 1, Contribution("england|Vodafone", free=True, blocked=frozenset({"tg", "go"})))
HELD = CountedNumber("447472190002", 4, Contribution("england|Vodafone", holder=HUB))
WITHDRAWN = CountedNumber("447472190003", 2, Contribution(None))


def _stores(tables: Cloud) -> CountsStore:
    availability, counted, holders = (tables.env[f"{name}_TABLE"] for name in ("AVAILABILITY", "COUNTED", "HOLDERS"))
    return CountsStore(tables.db, availability, counted, holders, tables.clock)


@pytest.fixture(params=["in_memory", "on_moto", "on_dynalite"])
def counts(request: pytest.FixtureRequest) -> CountsStore:
    if request.param == "in_memory":
        memory: Any = MemoryTables()
        return CountsStore(Dynamo(memory), POOLS_TABLE, COUNTED_TABLE, HOLDERS_TABLE, lambda: 0)
    return _stores(request.getfixturevalue(request.param))


def _pool(**changes: Any) -> PoolCounts:
    return PoolCounts("england", "Vodafone", **{"total": 3, "free": 2, "blocked_free": {"go": 1, "tg": 2}, **changes})


def test_when_counts_fell_to_0_is_kept_until_they_rise(counts: CountsStore) -> None:
    sold_out = PoolCounts("england", "Three", empty_since=5, sold_out={"go": 0, "tg": 1_790_000_000_000})
    counts.write([sold_out], [], {})
    assert counts.pools([("england", "Three")]) == {"england|Three": replace(sold_out, version=1)}
    counts.write([replace(_pool(), operator="Three", version=1)], [], {})
    assert counts.pools([("england", "Three")])["england|Three"] == replace(_pool(version=2), operator="Three")


def test_what_was_counted_is_read(counts: CountsStore) -> None:
    counts.write([_pool(), HolderCount(HUB, 1)], [FREE, HELD, WITHDRAWN], {})
    assert counts.counted([FREE.phone, HELD.phone, "1"]) == {FREE.phone: FREE, HELD.phone: HELD}
    assert counts.pools([("england", "Vodafone"), ("a", "b")]) == {
        "england|Vodafone": _pool(version=1),
        "a|b": PoolCounts("a", "b"),
    }
    assert counts.holders([HUB, PartnerId("nobody")]) == {
        "hub": HolderCount(HUB, 1, version=1),
        "nobody": HolderCount(PartnerId("nobody")),
    }
    assert list(counts.every_pool()) == [_pool(version=1)]
    assert list(counts.every_holder()) == [HolderCount(HUB, 1, version=1)]
    assert sorted(counts.every_counted(), key=lambda number: number.phone) == [FREE, HELD, WITHDRAWN]


def test_a_count_that_somebody_else_has_changed_is_not_written(counts: CountsStore) -> None:
    counts.write([_pool()], [FREE], {})
    for stale in (_pool(), _pool(version=2)):
        with pytest.raises(ConditionFailed):
            counts.write([stale], [], {})
    counts.write([_pool(version=1, total=4)], [], {})
    assert list(counts.every_pool()) == [_pool(version=2, total=4)]


@pytest.mark.parametrize("number", [FREE, HELD, WITHDRAWN])
def test_a_number_is_counted_from_what_it_was(counts: CountsStore, number: CountedNumber) -> None:
    counts.write([], [number], {})
    after = CountedNumber(number.phone, number.version, Contribution("england|Vodafone", free=True))
    for seen in ({}, {number.phone: after}):
        with pytest.raises(ConditionFailed):
            counts.write([], [after], seen)
    counts.write([], [after], {number.phone: number})
    assert counts.counted([number.phone]) == {number.phone: after}
    counts.write([], [], {number.phone: after}, [number.phone])
    assert counts.counted([number.phone]) == {}


def test_what_partners_hold_is_added_to_by_whoever_comes(counts: CountsStore) -> None:
    for by in (2, -1):
        counts.write([], [], {}, holders=[HolderChange(HolderCount(HUB), by, frozenset({"1"}))])
    assert counts.holders([HUB]) == {"hub": HolderCount(HUB, 1, version=2)}


def test_changes_are_noted_for_the_recount_that_looks_at_a_count(counts: CountsStore) -> None:
    counts.write([HolderCount(HUB, 1, recount="tonight")], [], {})
    read = counts.holders([HUB])[HUB]
    with pytest.raises(ConditionFailed):
        counts.write([], [], {}, holders=[HolderChange(HolderCount(HUB), 1, frozenset({"1"}))])
    counts.write([], [], {}, holders=[HolderChange(read, 1, frozenset({"1", "2"}))])
    noted = counts.holders([HUB])[HUB]
    assert (noted.held, noted.recount, noted.changed) == (2, "tonight", frozenset({"1", "2"}))
    counts.write([noted], [], {})
    assert counts.holders([HUB])[HUB].changed == frozenset({"1", "2"})


def test_the_counts_that_are_shown_are_those_that_are_kept(tables: Cloud) -> None:
    shown = PoolCountsStore(tables.db, tables.env["AVAILABILITY_TABLE"], 0, tables.clock)
    for operator in ("Vodafone", "Three"):
        for _ in range(2):
            shown.open_pool("england", operator)
    _stores(tables).write([_pool()], [], {})
    shown.open_pool("england", "Vodafone")
    assert shown.of_country("england") == [PoolCounts("england", "Three"), _pool(version=1)]
    assert shown.of_country("france") == []
    assert len(shown.all()) == 2


def test_counts_as_an_earlier_version_kept_them_are_read_and_written_anew(tables: Cloud) -> None:
    stores, blocked = _stores(tables), {"go": 1, "tg": 2}
    earlier = {"country": "england", "operator": "Vodafone", "total": 3, "free": 2, "version": 1}
    tables.db.put(tables.env["AVAILABILITY_TABLE"], {**earlier, "blocked_free": blocked})
    (read,) = stores.every_pool()
    assert read == _pool(version=1)
    stores.write([read], [], {})
    (item,) = tables.db.scan_all(tables.env["AVAILABILITY_TABLE"])
    assert item["blocked_free"] == pack_counts(blocked) == "go,tg=1,2"


def test_a_partner_that_was_never_counted_holds_nothing(tables: Cloud) -> None:
    holders = Holders(tables.db, tables.env["HOLDERS_TABLE"])
    assert holders.held_by(HUB) == 0
    _stores(tables).write([HolderCount(HUB, 3)], [], {})
    assert holders.held_by(HUB) == 3
