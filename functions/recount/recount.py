"""Compare numbers with what was counted of them, and that with the counts of pools and partners; repair what is off.

While a count is compared its changes go on: the projection notes in it whose contribution changed since the
recount began, so only those numbers have to be read again (docs/adr/0022).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import partial
from itertools import batched

from globalconnect.domain.ids import PartnerId
from globalconnect.domain.names import POOL_SEPARATOR
from globalconnect.domain.number import Number, names_of, pool_of
from globalconnect.domain.pool_counts import Contribution, CountedNumber, HolderCount, PoolCounts
from globalconnect.runtime.logs import Event, log
from globalconnect.store.dynamo import ConditionFailed
from globalconnect.store.numbers import Numbers
from globalconnect.store.pool_counts import CountsStore
from globalconnect.store.projection import correct, counted_as

# What is still off after this is off; until then it may be that the stream has not come to it (contract 1.1).
BEHIND_SECONDS = 30

_AT_ONCE = 16
_NUMBERS_AT_ONCE = 100
_PAGE = 10_000
_TRIES = 10
# Counts that others opened, moved too fast, or were not known before are compared again with a reading of their own.
_ROUNDS = 3


# A count, by its name: that of a pool, or the id of a partner.
type _Count = PoolCounts | HolderCount


class _End(StrEnum):
    RIGHT = "right"
    CORRECTED = "corrected"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Report:
    """What a recount looked at, what it repaired, and how many counts never stood still for it; holders are the
    partners that have a count.
    """

    numbers: int
    pools: int
    holders: int
    corrected_numbers: int
    corrected_pools: int
    corrected_holders: int
    unsettled_pools: int
    unsettled_holders: int

    @property
    def off(self) -> int:
        """How much was off, or may be."""
        return (self.corrected_numbers + self.corrected_pools + self.corrected_holders) + (
            self.unsettled_pools + self.unsettled_holders
        )


@dataclass(slots=True)
class _Reading:
    """What was counted of every number, read one after the other while changes went on, and the sums by name."""

    counted: dict[str, CountedNumber] = field(default_factory=dict)
    sums: dict[str, _Count] = field(default_factory=dict)

    def add(self, counted: CountedNumber) -> None:
        self.counted[counted.phone] = counted
        for name in _names_in(counted.contribution):
            self.sums.setdefault(name, _nothing(name)).add(counted.contribution, 1)

    def sum_of(self, name: str, count: _Count, now: Mapping[str, CountedNumber]) -> _Count:
        """Return what a count should be, with those that changed meanwhile as they are `now`."""
        total = deepcopy(self.sums.get(name, _nothing(name)))
        total.version = count.version
        for phone in count.changed:
            for counted, sign in ((self.counted.get(phone), -1), (now.get(phone), 1)):
                if counted is not None and name in _names_in(counted.contribution):
                    total.add(counted.contribution, sign)
        return total


@dataclass(frozen=True, slots=True)
class Recount:
    """The parts of this function. `new_id` names each reading, `pause` waits (s)."""

    numbers: Numbers
    counts: CountsStore
    new_id: Callable[[], str]
    pause: Callable[[float], None]

    def run(self) -> Report:
        """Recount once. Idempotent; safe to run concurrently."""
        reading, ends = self._compare_counts()
        found, suspects = self._suspects(reading.counted)
        corrected = self._correct_numbers(suspects)
        pools = [end for name, end in ends.items() if _is_pool(name)]
        holders = [end for name, end in ends.items() if not _is_pool(name)]
        report = Report(
            numbers=found,
            pools=len(pools),
            holders=len(holders),
            corrected_numbers=corrected,
            corrected_pools=pools.count(_End.CORRECTED),
            corrected_holders=holders.count(_End.CORRECTED),
            unsettled_pools=pools.count(_End.UNSETTLED),
            unsettled_holders=holders.count(_End.UNSETTLED),
        )
        log(Event.RECOUNTED, **asdict(report))
        return report

    # ---------------------------------------------------------- counts of pools and partners

    def _compare_counts(self) -> tuple[_Reading, dict[str, _End]]:
        ends = {pool_of(pool.country, pool.operator): _End.UNSETTLED for pool in self.counts.every_pool()}
        ends |= {holder.partner_id: _End.UNSETTLED for holder in self.counts.every_holder()}
        reading = _Reading()
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for _ in range(_ROUNDS):
                reading_id = self.new_id()
                open_counts = _unsettled(ends)
                list(threads.map(partial(self._mark, reading_id), open_counts))
                reading = self._read()
                # Those without an item, or newer than the list, are in the next round.
                ends |= dict.fromkeys(reading.sums.keys() - ends.keys(), _End.UNSETTLED)
                settled = threads.map(partial(self._settle, reading_id, reading), open_counts)
                ends |= zip(open_counts, settled, strict=True)
                if not _unsettled(ends):
                    break
            list(threads.map(partial(self._mark, None), _unsettled(ends)))
        for name in _unsettled(ends):
            _log_off(_End.UNSETTLED, name)
        return reading, ends

    def _read(self) -> _Reading:
        reading = _Reading()
        for counted in self.counts.every_counted():
            reading.add(counted)
        return reading

    def _mark(self, reading_id: str | None, name: str) -> None:
        """Have the changes of a count noted for a reading, or for none. Others may be faster: then they are not."""
        for _ in range(_TRIES):
            count = self._count(name)
            count.recount, count.changed = reading_id, frozenset()
            if self._written(count):
                return

    def _settle(self, reading_id: str, reading: _Reading, name: str) -> _End:
        for _ in range(_TRIES):
            count = self._count(name)
            if count.recount != reading_id:
                return _End.UNSETTLED
            true = reading.sum_of(name, count, self.counts.counted(sorted(count.changed)))
            if isinstance(true, PoolCounts) and isinstance(count, PoolCounts):
                true.note_sold_out(count, self.counts.now())
            # Written also when it is right: only a version that still stands says that all of this is of one moment.
            if self._written(true):
                if count.sums() == true.sums():
                    return _End.RIGHT
                _log_off(_End.CORRECTED, name, count, true)
                return _End.CORRECTED
        return _End.UNSETTLED

    def _count(self, name: str) -> _Count:
        if _is_pool(name):
            return self.counts.pools([names_of(name)])[name]
        return self.counts.holders([PartnerId(name)])[PartnerId(name)]

    def _written(self, count: _Count) -> bool:
        try:
            self.counts.write([count], [], {})
        except ConditionFailed:
            return False
        return True

    # ---------------------------------------------------------- numbers

    def _suspects(self, counted: dict[str, CountedNumber]) -> tuple[int, list[str]]:
        """Return how many numbers there are, and which were counted otherwise than they are; `counted` is used up."""
        found, suspects = 0, []
        for number in self._every_number():
            found += 1
            if counted.pop(number.phone, None) != counted_as(number):
                suspects.append(number.phone)
        return found, [*suspects, *counted]

    def _every_number(self) -> Iterator[Number]:
        page = self.numbers.page(_PAGE, None)
        yield from page.items
        while page.cursor is not None:
            page = self.numbers.page(_PAGE, page.cursor)
            yield from page.items

    def _correct_numbers(self, suspects: Sequence[str]) -> int:
        differ = {phone: number for phone, _, number in self._that_differ(suspects)}
        if not differ:
            return 0
        self.pause(BEHIND_SECONDS)
        off = [phone for phone, counted, number in self._that_differ(differ) if _is_off(counted, differ[phone], number)]
        return correct(off, self.numbers.get_many, self.counts)

    def _that_differ(self, phones: Iterable[str]) -> Iterator[tuple[str, CountedNumber | None, CountedNumber | None]]:
        """Return those counted otherwise than they are: the phone, what was counted, and what should be."""
        for some in batched(phones, _NUMBERS_AT_ONCE, strict=False):
            counted = self.counts.counted(some)
            # Read after what was counted: so it is never older, unless the count is wrong.
            numbers = {number.phone: counted_as(number) for number in self.numbers.get_many(some)}
            for phone in some:
                if counted.get(phone) != numbers.get(phone):
                    yield phone, counted.get(phone), numbers.get(phone)


def _is_off(counted: CountedNumber | None, before: CountedNumber | None, now: CountedNumber | None) -> bool:
    """Return whether what was counted is off, and not only behind a number that was as `before` and is as `now`."""
    if counted is None or now is None:
        # Never counted, though it was there before; or counted, though it does not exist.
        return counted is not None or before is not None
    return before is None or counted.version < before.version or counted.version >= now.version


def _unsettled(ends: Mapping[str, _End]) -> list[str]:
    return [name for name, end in ends.items() if end is _End.UNSETTLED]


def _is_pool(name: str) -> bool:
    return POOL_SEPARATOR in name


def _nothing(name: str) -> _Count:
    return PoolCounts(*names_of(name)) if _is_pool(name) else HolderCount(PartnerId(name))


def _names_in(contribution: Contribution) -> list[str]:
    return [name for name in (contribution.pool, contribution.holder) if name is not None]


def _log_off(end: _End, name: str, counted: _Count | None = None, true: _Count | None = None) -> None:
    off = {} if counted is None or true is None else _off_by(counted, true)
    if _is_pool(name):
        country, operator = names_of(name)
        log(Event.POOL_WAS_OFF, country=country, operator=operator, end=end, **off)
    else:
        log(Event.HOLDER_WAS_OFF, partner_id=name, end=end, **off)


def _off_by(counted: _Count, true: _Count) -> dict[str, int]:
    """Return by how much a count is off; of blocked numbers, for how many services."""
    off = Counter(counted.sums())
    off.subtract(true.sums())
    if isinstance(counted, HolderCount):
        return dict(off)
    total, free = off.pop("total"), off.pop("free")
    return {"total": total, "free": free, "services": sum(difference != 0 for difference in off.values())}
