"""Count what happened by the hour, and what there is of numbers, from what is stored (docs/adr/0026).

Every run counts whole hours anew, so that a run that is repeated, late or left out changes nothing in the end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from globalconnect.domain.outcomes import OUTCOME_HOURS, ByPartner, OutcomeLimits, outcomes_of
from globalconnect.domain.statistics import Hour, StartedActivation, Stock, counts_of, hour_of
from globalconnect.domain.times import HOUR, MINUTE
from globalconnect.store.pool_counts import PoolCountsStore
from globalconnect.store.statistics import HourEvents, Statistics

# Once an hour, as many are counted again at least, the current one among them: outcomes and refunds may come late.
COUNTED_AGAIN = 26

# The indexes from which is counted are late by less than this.
_SETTLED = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Measure:
    """The parts of this function. `lease` is how long an activation is live, `longest_hold` how long one that lives until it is
    finished, `retention` how long it is stored (all in ms).

    `tell` is told of the partners over a limit, `tell_silent` of how many pools are silenced, after each look.
    """

    happened: HourEvents
    pool_counts: PoolCountsStore
    statistics: Statistics
    lease: int
    longest_hold: int
    retention: int
    limits: OutcomeLimits
    tell: Callable[[ByPartner], None]
    tell_silent: Callable[[int], None]
    now: Callable[[], int]

    def run(self) -> None:
        """Measure once, what matters most first. Idempotent; safe to run concurrently."""
        now = self.now()
        current = hour_of(now)
        changing, counted_at = self._changing(now), self._counted_at(now)
        done = {at for at, counted in counted_at.items() if counted >= current}
        settled = {at for at, counted in counted_at.items() if counted >= current + _SETTLED}
        run = _Run(self)
        for at in changing:
            # Outcomes are counted by when they were given: of an hour that is over, once an hour is enough for refunds.
            run.count(at, with_outcomes=at == current or at not in settled)
        self._look_at_partners(current)
        self._take_stock()
        for at in _hours_back(current, self._oldest_counted_again(now)):
            if at not in done and at not in changing:
                run.count(at, with_outcomes=True)

    def _changing(self, now: int) -> list[int]:
        """Return the hours of activations that may be live, one more, and the current one, newest first."""
        return _hours_back(hour_of(now), max(hour_of(now - self.lease) - HOUR, self._oldest_stored(now)))

    def _counted_at(self, now: int) -> dict[int, int]:
        """Return when each hour was counted last (ms), of those that are counted again.

        So the first run of an hour counts all that may have changed, and what a run leaves when it is cut off the next
        one takes up.
        """
        return {
            hour.at: hour.measured_at for hour in self.statistics.hours(self._oldest_counted_again(now), hour_of(now))
        }

    def _oldest_counted_again(self, now: int) -> int:
        # With those in which activations began that may have ended in the last hour.
        longest_ago = hour_of(now - self.longest_hold - HOUR)
        return max(min(hour_of(now) - (COUNTED_AGAIN - 1) * HOUR, longest_ago), self._oldest_stored(now))

    def _oldest_stored(self, now: int) -> int:
        """Return the first hour of which all is still stored: one before it would be counted too low."""
        return hour_of(now - self.retention) + HOUR

    def _look_at_partners(self, current: int) -> None:
        """Tell of those whose outcomes of the last hours are over a limit."""
        outcomes = self.statistics.outcomes(current - (OUTCOME_HOURS - 1) * HOUR, current)
        self.tell({partner_id: counted for partner_id, counted in outcomes.items() if self.limits.is_over(counted)})

    def _take_stock(self) -> None:
        now = self.now()
        pools = self.pool_counts.all()
        on_sale = sum(pool.total - pool.offline for pool in pools)
        stock = Stock(now, numbers=on_sale, free=sum(pool.free for pool in pools))
        self.statistics.put_stock(stock)
        self.tell_silent(sum(pool.is_silenced for pool in pools))


@dataclass(slots=True)
class _Run:
    """Counts hours, newest first, and reads once what began and what was delivered in each."""

    parts: Measure
    _begun: dict[int, list[StartedActivation]] = field(default_factory=dict)
    _delivered: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def count(self, at: int, *, with_outcomes: bool) -> None:
        """Count an hour, also the outcomes that were given in it, by partner, or without them."""
        now = self.parts.now()
        begun = self._begun_in(at)
        times = [took for _, took in self._delivered_in(at)]
        if with_outcomes:
            self._count_outcomes(at, now)
        del self._begun[at]
        # Last: an hour that is kept is done.
        self.parts.statistics.put_hour(Hour(at, now, counts_of(begun, times, now)))

    def _count_outcomes(self, at: int, now: int) -> None:
        # What was delivered while an activation was live that was finished then.
        finished = list(self.parts.happened.finished(at, at + HOUR))
        hours = _hours_back(at, hour_of(at - self.parts.lease))
        # The current hour is counted every minute, and an activation that was held longer than its lease when it is over.
        if at != hour_of(now):
            begun = {one.activation_id for hour in hours for one in self._begun_in(hour)}
            if any(one.activation_id not in begun for one in finished):
                hours = _hours_back(at, hour_of(at - max(self.parts.lease, self.parts.longest_hold)))
        delivered = {activation_id for hour in hours for activation_id, _ in self._delivered_in(hour)}
        self.parts.statistics.put_outcomes(at, now, outcomes_of(finished, delivered))

    def _begun_in(self, at: int) -> list[StartedActivation]:
        if at not in self._begun:
            self._begun[at] = list(self.parts.happened.begun(at, at + HOUR))
        return self._begun[at]

    def _delivered_in(self, at: int) -> list[tuple[int, int]]:
        if at not in self._delivered:
            self._delivered[at] = list(self.parts.happened.delivered(at, at + HOUR))
        return self._delivered[at]


def _hours_back(newest: int, oldest: int) -> list[int]:
    return list(range(newest, oldest - 1, -HOUR))
