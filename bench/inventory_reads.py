"""Rows inventory.5 and inventory.11: what GET_NUMBER reads of a pool, and at most of one it is not to sell from.

Calls, numbers and bytes are counted, not time, on a model of the index by-pool.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bench.row import Row, Say
from simulation.pool_index import SIDE_BY_SIDE, ModelPool, Reads, ask_any, exclude_all, units_of

IDS = ("inventory.5", "inventory.11")

SIZES = (1_000, 10_000, 100_000)
# A page of the index: what a call reads that finds its number at once.
AT_MOST = 50
ROUNDS = 10

NUMBERS = 100_000
POOLS = 1_000
MOST_QUERIES = 4
MOST_UNITS = 100
CALL_MS = 8
MOST_MS = 500


@dataclass(frozen=True, slots=True)
class ReadFigures:
    """What was read of pools of a size: when all numbers are eligible, and by calls of one environment when one is.

    `later` is the most that one of those calls reads after the second, wherever the one number stands.
    """

    all_eligible: Reads
    one_eligible: list[Reads]
    later: int
    found_always: bool


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    if "inventory.5" in wanted:
        yield _reads(progress)
    if "inventory.11" in wanted:
        yield _bounds(progress)


def _reads(progress: Say) -> Row:
    measured = {size: measure(size) for size in SIZES}
    for size, figures in measured.items():
        progress(f"inventory.5: of {size:,} numbers, all eligible: {figures.all_eligible} queries")
        first, second, *_ = figures.one_eligible
        progress(f"inventory.5: of {size:,} numbers, one eligible: first call {first} queries")
        progress(f"inventory.5: of {size:,} numbers, one eligible: second call {second} queries")
        progress(f"inventory.5: of {size:,} numbers, one eligible: at most {figures.later} numbers in later calls")
    worst = max(max(figures.one_eligible[1].numbers, figures.later) for figures in measured.values())
    flat = len({figures.all_eligible.numbers for figures in measured.values()}) == 1
    found = all(figures.found_always for figures in measured.values())
    return Row(
        "inventory.5",
        "GET_NUMBER finds the one eligible number of 1,000 to 100,000 every time, and an environment reads the used-up "
        "ones once; with all eligible, reads are flat",
        worst,
        "numbers read at most, calls after the first",
        AT_MOST,
        worst <= AT_MOST and flat and found,
    )


def _bounds(progress: Say) -> Row:
    excluded = exclude_all(NUMBERS)
    units = units_of(excluded)
    progress(f"inventory.11: all of {NUMBERS:,} numbers excluded: {excluded} queries, {units:g} read units")
    asked = ask_any(POOLS)
    progress(
        f"inventory.11: any of {POOLS:,} pools, one sells: {asked.queries} queries, {asked.most_at_once} side by side, "
        f"in {asked.rounds} rounds"
    )
    within = excluded.queries <= MOST_QUERIES and asked.rounds * CALL_MS <= MOST_MS
    return Row(
        "inventory.11",
        "GET_NUMBER that excludes a whole pool of 100,000 makes 4 queries at most, and `any` over 1,000 pools whose counts "
        "say 0 finds the one that sells in 0.5 s of DynamoDB at 8 ms a call, 20 side by side",
        units,
        "read units of the call that excludes",
        MOST_UNITS,
        units <= MOST_UNITS and within and asked.most_at_once <= SIDE_BY_SIDE and asked.phone is not None,
    )


def measure(size: int, rounds: int = ROUNDS) -> ReadFigures:
    """Count what is read of pools of a size. The one eligible number stands last, where finding it takes longest.

    It is also tried with the first and the middle one, behind which the second call has to read on.
    """
    pool = ModelPool()
    pool.stock(size, used_up=())
    sale, all_eligible = pool.buy(pool.environment())
    found = [sale is not None]
    reads: list[Reads] = []
    later = 0
    for place in (0, size // 2, size - 1):
        pool = ModelPool()
        pool.stock(size, used_up=set(range(size)) - {place})
        reads = list(_sell_again_and_again(pool, rounds, found))
        later = max(later, *(read.numbers for read in reads[2:]))
        found.append(pool.buy(pool.environment())[0] is not None)
    return ReadFigures(all_eligible, reads, later, all(found))


def _sell_again_and_again(pool: ModelPool, rounds: int, found: list[bool]) -> Iterator[Reads]:
    """Sell the one number in one environment, `rounds` times; note whether it was found, and nothing while it is held.

    Returns what was read each time by a call that should find it.
    """
    warm = pool.environment()
    for _ in range(rounds):
        sale, read = pool.buy(warm)
        yield read
        found.append(sale is not None)
        if sale is None:
            return
        found.append(pool.buy(warm)[0] is None)
        pool.give_back(sale)
