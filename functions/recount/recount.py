"""Compare numbers with what was counted of them, and that with the counts of the pools; put right what is off.

While a pool is compared its changes go on: the projection notes in the pool whose contribution changed since the
recount began, so only those numbers have to be read again (docs/adr/0022).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import batched

from globalconnect.domain.availability import PoolCounts
from globalconnect.domain.number import Number, names_of, pool_of
from globalconnect.store.availability import Counted, Counts
from globalconnect.store.counting import correct, counted_as
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.numbers import Numbers
from globalconnect.telemetry import Event, log

# What is still off after this is off; until then it may be that the stream has not come to it (contract 1.1).
BEHIND_SECONDS = 30

_POOLS_AT_ONCE = 16
_NUMBERS_AT_ONCE = 100
_PAGE = 10_000
_TRIES = 10
# Pools that others opened, moved too fast, or were not known before are compared again with a reading of their own.
_ROUNDS = 3


class _End(StrEnum):
    RIGHT = "right"
    CORRECTED = "corrected"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Report:
    """What a recount looked at, what it put right, and how many pools never stood still for it."""

    numbers: int
    pools: int
    corrected_numbers: int
    corrected_pools: int
    unsettled_pools: int

    @property
    def off(self) -> int:
        """How much was off, or may be."""
        return self.corrected_numbers + self.corrected_pools + self.unsettled_pools


@dataclass(slots=True)
class _Reading:
    """What was counted of every number, read one after the other while changes went on, and the sums per pool."""

    counted: dict[str, Counted] = field(default_factory=dict)
    sums: dict[str, PoolCounts] = field(default_factory=dict)

    def sum_of(self, pool: PoolCounts, now: Mapping[str, Counted]) -> PoolCounts:
        """Give the sum of a pool, with those that changed meanwhile as they are `now`."""
        name = pool_of(pool.country, pool.operator)
        total = PoolCounts(pool.country, pool.operator, version=pool.version)
        if name in self.sums:
            read = self.sums[name]
            total.total, total.free, total.blocked_free = read.total, read.free, dict(read.blocked_free)
        for phone in pool.changed:
            for counted, sign in ((self.counted.get(phone), -1), (now.get(phone), 1)):
                if counted is not None and counted.contribution.pool == name:
                    total.add(counted.contribution, sign)
        return total


@dataclass(frozen=True, slots=True)
class Recount:
    """The parts of this function. `new_id` names each reading, `pause` waits (s)."""

    numbers: Numbers
    counts: Counts
    new_id: Callable[[], str]
    pause: Callable[[float], None]

    def run(self) -> Report:
        """Recount once. Doing it again, or twice at once, changes nothing more."""
        reading, ends = self._compare_pools()
        found, suspects = self._suspects(reading.counted)
        corrected = self._correct_numbers(suspects)
        report = Report(
            numbers=found,
            pools=len(ends),
            corrected_numbers=corrected,
            corrected_pools=sum(end is _End.CORRECTED for end in ends.values()),
            unsettled_pools=sum(end is _End.UNSETTLED for end in ends.values()),
        )
        log(
            Event.RECOUNTED,
            numbers=report.numbers,
            pools=report.pools,
            corrected_numbers=report.corrected_numbers,
            corrected_pools=report.corrected_pools,
            unsettled_pools=report.unsettled_pools,
        )
        return report

    # ---------------------------------------------------------- pools

    def _compare_pools(self) -> tuple[_Reading, dict[str, _End]]:
        ends = {pool_of(pool.country, pool.operator): _End.UNSETTLED for pool in self.counts.every_pool()}
        reading = _Reading()
        with ThreadPoolExecutor(_POOLS_AT_ONCE) as threads:
            for _ in range(_ROUNDS):
                reading_id = self.new_id()
                open_pools = _unsettled(ends)
                list(threads.map(partial(self._mark, reading_id), open_pools))
                reading = self._read()
                # Pools without an item, or newer than the list, are in the next round.
                ends |= dict.fromkeys(reading.sums.keys() - ends.keys(), _End.UNSETTLED)
                settled = threads.map(partial(self._settle, reading_id, reading), open_pools)
                ends |= zip(open_pools, settled, strict=True)
                if not _unsettled(ends):
                    break
            list(threads.map(partial(self._mark, None), _unsettled(ends)))
        for name in _unsettled(ends):
            _log_pool(_End.UNSETTLED, name)
        return reading, ends

    def _read(self) -> _Reading:
        reading = _Reading()
        for counted in self.counts.every_counted():
            reading.counted[counted.phone] = counted
            name = counted.contribution.pool
            if name is not None:
                reading.sums.setdefault(name, PoolCounts(*names_of(name))).add(counted.contribution, 1)
        return reading

    def _mark(self, reading_id: str | None, name: str) -> None:
        """Have the changes of a pool noted for a reading, or for none. Others may be faster: then they are not."""
        for _ in range(_TRIES):
            pool = self._pool(name)
            pool.recount, pool.changed = reading_id, frozenset()
            if self._written(pool):
                return

    def _settle(self, reading_id: str, reading: _Reading, name: str) -> _End:
        for _ in range(_TRIES):
            pool = self._pool(name)
            if pool.recount != reading_id:
                return _End.UNSETTLED
            true = reading.sum_of(pool, self.counts.counted(sorted(pool.changed)))
            # Written also when it is right: only a version that still stands says that all of this is of one moment.
            if self._written(true):
                if pool.counts_as(true):
                    return _End.RIGHT
                _log_pool(_End.CORRECTED, name, pool, true)
                return _End.CORRECTED
        return _End.UNSETTLED

    def _pool(self, name: str) -> PoolCounts:
        return self.counts.pools([names_of(name)])[name]

    def _written(self, pool: PoolCounts) -> bool:
        try:
            self.counts.write([pool], [], {})
        except ConditionFailed:
            return False
        return True

    # ---------------------------------------------------------- numbers

    def _suspects(self, counted: dict[str, Counted]) -> tuple[int, list[str]]:
        """Give how many numbers there are, and which were counted otherwise than they are; `counted` is used up."""
        found, suspects = 0, []
        for number in self._every_number():
            found += 1
            if counted.pop(number.phone, None) != counted_as(number):
                suspects.append(number.phone)
        return found, [*suspects, *counted]

    def _every_number(self) -> Iterator[Number]:
        page, after = self.numbers.page(None, None, _PAGE, None)
        yield from page
        while after is not None:
            page, after = self.numbers.page(None, None, _PAGE, after)
            yield from page

    def _correct_numbers(self, suspects: Sequence[str]) -> int:
        differ = {phone: number for phone, _, number in self._that_differ(suspects)}
        if not differ:
            return 0
        self.pause(BEHIND_SECONDS)
        off = [phone for phone, counted, number in self._that_differ(differ) if _is_off(counted, differ[phone], number)]
        return correct(off, self.numbers.get_many, self.counts)

    def _that_differ(self, phones: Iterable[str]) -> Iterator[tuple[str, Counted | None, Counted | None]]:
        """Give those counted otherwise than they are: the phone, what was counted, and what should be."""
        for some in batched(phones, _NUMBERS_AT_ONCE, strict=False):
            counted = self.counts.counted(some)
            # Read after what was counted: so it is never older, unless the count is wrong.
            numbers = {number.phone: counted_as(number) for number in self.numbers.get_many(some)}
            for phone in some:
                if counted.get(phone) != numbers.get(phone):
                    yield phone, counted.get(phone), numbers.get(phone)


def _is_off(counted: Counted | None, before: Counted | None, now: Counted | None) -> bool:
    """Tell whether what was counted is off, and not only behind a number that was as `before` and is as `now`."""
    if counted is None or now is None:
        # Never counted, though it was there before; or counted, though it does not exist.
        return counted is not None or before is not None
    return before is None or counted.version < before.version or counted.version >= now.version


def _unsettled(ends: Mapping[str, _End]) -> list[str]:
    return [name for name, end in ends.items() if end is _End.UNSETTLED]


def _log_pool(end: _End, name: str, counted: PoolCounts | None = None, true: PoolCounts | None = None) -> None:
    country, operator = names_of(name)
    if counted is None or true is None:
        log(Event.POOL_WAS_OFF, country=country, operator=operator, end=end)
        return
    services = counted.blocked_free.keys() | true.blocked_free.keys()
    log(
        Event.POOL_WAS_OFF,
        country=country,
        operator=operator,
        end=end,
        total=counted.total - true.total,
        free=counted.free - true.free,
        services=sum(counted.blocked_free.get(code, 0) != true.blocked_free.get(code, 0) for code in services),
    )
