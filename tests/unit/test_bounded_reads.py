"""What one GET_NUMBER reads at most (contract 1.2), counted on a model of the index by-pool."""

import pytest

from simulation.pool_index import SIDE_BY_SIDE, ModelPool, ask_any, exclude_all, units_of
from simulation.shop import COUNTRY, OPERATOR

POOLS = 1_000
MOST_QUERIES = 4
MOST_UNITS = 100
MOST_UNWANTED = 5_000


@pytest.mark.parametrize("size", [MOST_UNWANTED, 20_000])
def test_a_call_that_wants_none_of_a_pool_reads_a_bounded_part_of_it(size: int) -> None:
    reads = exclude_all(size)
    assert reads.queries <= MOST_QUERIES
    assert units_of(reads) <= MOST_UNITS


def _first_unwanted(count: int, prefixes: tuple[str, ...]) -> str | None:
    """Return what is sold of a pool whose first `count` numbers begin with 4474, and the next with 4475."""
    pool = ModelPool()
    pool.stock(count, used_up=())
    pool.index.put("447500000000", f"{COUNTRY}|{OPERATOR}", pool.now - 1, frozenset())
    sale, _ = pool.buy(pool.environment(), prefixes)
    return sale.phone if sale else None


@pytest.mark.parametrize("named", [0, 1_000], ids=["none", "1000 numbers in full, which do not count among those"])
def test_a_call_looks_at_5000_candidates_that_it_does_not_want(named: int) -> None:
    prefixes = (*(str(447_472_000_000 + place) for place in range(named)), "4474")
    assert _first_unwanted(named + MOST_UNWANTED - 1, prefixes) == "447500000000"
    assert _first_unwanted(named + MOST_UNWANTED, prefixes) is None


def test_any_finds_the_one_pool_that_sells_among_1000_whose_counts_say_0_asking_20_side_by_side() -> None:
    asked = ask_any(POOLS)
    assert asked.phone is not None
    assert (asked.queries, asked.rounds, asked.most_at_once) == (POOLS, POOLS / SIDE_BY_SIDE, SIDE_BY_SIDE)


def test_any_asks_no_more_than_1000_pools() -> None:
    asked = ask_any(POOLS + SIDE_BY_SIDE)
    assert (asked.phone, asked.queries) == (None, POOLS)
