"""Statistics by the hour: what became of activations, and how long SMS took to be delivered (contract 5)."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.times import HOUR

# Upper ends (ms) of the spans in which times to deliver are counted, each 1.25 times the one before: from 10 ms to more
# than a year, longer than any SMS is kept.
BOUNDS = tuple(round(10 * 1.25**n) for n in range(100))

# How many times to deliver are of each span, by its upper end (ms).
type Histogram = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class StartedActivation:
    """An activation, as far as it is counted; `expires_at` in ms."""

    activation_id: ActivationId
    outcome: Outcome | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class HourCounts:
    """Activations that began in an hour, by what they are now, and SMS that were delivered in it, by how long it took.

    `unfinished` are those that expired without an outcome.
    """

    live: int = 0
    unfinished: int = 0
    prohibited: int = 0
    success: int = 0
    canceled: int = 0
    returned: int = 0
    times: Histogram = field(default_factory=dict)

    @property
    def started(self) -> int:
        return self.live + self.unfinished + self.prohibited + self.success + self.canceled + self.returned

    @property
    def delivered(self) -> int:
        return sum(self.times.values())

    def time_to_deliver(self, share: float) -> int | None:
        """Return how long (ms) it took at most to deliver that share (above 0, at most 1) of the SMS; None of none."""
        return quantile(self.times, share)

    def __add__(self, other: "HourCounts") -> "HourCounts":
        times = dict(Counter(self.times) + Counter(other.times))
        return HourCounts(**{name: getattr(self, name) + getattr(other, name) for name in STATES}, times=times)


# What an activation can be counted as.
STATES = tuple(counted.name for counted in fields(HourCounts) if counted.name != "times")


@dataclass(frozen=True, slots=True)
class Hour:
    """The counts of the hour that begins at `at` (ms), as they were at `measured_at` (ms)."""

    at: int
    measured_at: int
    counts: HourCounts


@dataclass(frozen=True, slots=True)
class Stock:
    """The numbers on sale at `measured_at` (ms): how many, and how many of them are free; the others are held or rest."""

    measured_at: int
    numbers: int
    free: int

    @property
    def held(self) -> int:
        """How many are held by an activation, or rest after one."""
        return self.numbers - self.free


def hour_of(at: int) -> int:
    """Return when the hour of `at` began (both ms)."""
    return at // HOUR * HOUR


def counts_of(begun: Iterable[StartedActivation], times: Iterable[int], now: int) -> HourCounts:
    """Count activations by what they are at `now` (ms), and times to deliver (ms)."""
    states = Counter(_state(one, now) for one in begun)
    return HourCounts(**states, times=histogram(times))


def histogram(times: Iterable[int]) -> Histogram:
    """Count times (ms) by the span they are of. One below 0 is by a clock that was behind, and counts as 0."""
    return dict(Counter(BOUNDS[min(bisect_left(BOUNDS, time), len(BOUNDS) - 1)] for time in times))


def quantile(times: Histogram, share: float) -> int | None:
    """Return the upper end (ms) of the span that the quantile (above 0, at most 1) is of; None when nothing was counted.

    Histograms are merged by adding up; the quantile of several hours is never made of those of each.
    """
    rank = math.ceil(share * sum(times.values()))
    seen = 0
    for bound in sorted(times):
        seen += times[bound]
        if seen >= rank:
            return bound
    return None


def _state(one: StartedActivation, now: int) -> str:
    if one.outcome is not None:
        return one.outcome.name.lower()
    return "live" if now < one.expires_at else "unfinished"
