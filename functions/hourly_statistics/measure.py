"""Count what happened by the hour, and what there is of numbers, from what is stored (docs/adr/0026).

Every run counts whole hours anew, so that a run that is repeated, late or left out changes nothing in the end.
"""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect.domain.statistics import Hour, Stock, counts_of, hour_of
from globalconnect.domain.times import HOUR
from globalconnect.store.availability import Availability
from globalconnect.store.statistics import Happened, Statistics

# Once an hour, as many are counted again, the current one among them: outcomes and refunds may come late.
COUNTED_AGAIN = 26


@dataclass(frozen=True, slots=True)
class Measure:
    """The parts of this function. `lease` is how long an activation is live, `keep` how long it is stored (ms)."""

    happened: Happened
    availability: Availability
    statistics: Statistics
    lease: int
    keep: int
    now: Callable[[], int]

    def run(self) -> None:
        """Measure once, what matters most first. Doing it again, or twice at once, changes nothing more."""
        now = self.now()
        changing = self._changing(now)
        for at in changing:
            self._count(at)
        self._take_stock()
        for at in self._others_due(now, changing):
            self._count(at)

    def _changing(self, now: int) -> list[int]:
        """Give the hours of activations that may be live, one more, and the current one, newest first."""
        return _hours_back(hour_of(now), max(hour_of(now - self.lease) - HOUR, self._oldest_stored(now)))

    def _others_due(self, now: int, changing: list[int]) -> list[int]:
        """Give the other hours that have not been counted since the current one began, newest first.

        So the first run of an hour counts them, and what a run leaves when it is cut off the next one takes up.
        """
        current = hour_of(now)
        oldest = max(current - (COUNTED_AGAIN - 1) * HOUR, self._oldest_stored(now))
        kept = self.statistics.hours(oldest, current)
        done = {hour.at for hour in kept if hour.measured_at >= current}
        return [at for at in _hours_back(current, oldest) if at not in done and at not in changing]

    def _oldest_stored(self, now: int) -> int:
        """Give the first hour of which all is still stored: one before it would be counted too low."""
        return hour_of(now - self.keep) + HOUR

    def _count(self, at: int) -> None:
        now = self.now()
        begun = self.happened.begun(at, at + HOUR)
        times = self.happened.times_to_deliver(at, at + HOUR)
        self.statistics.put_hour(Hour(at, now, counts_of(begun, times, now)))

    def _take_stock(self) -> None:
        now = self.now()
        pools = self.availability.all()
        stock = Stock(now, numbers=sum(pool.total for pool in pools), free=sum(pool.free for pool in pools))
        self.statistics.put_stock(stock)


def _hours_back(newest: int, oldest: int) -> list[int]:
    return list(range(newest, oldest - 1, -HOUR))
