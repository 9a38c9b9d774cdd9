"""What is read off the attempts that partners saw. Times in ms, what is shown in s."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import PushState
from simulation.pushes.cloud import SimulatedCloud

# With 5,000 SMS pending at once for a partner that times out: how late (s) its attempts are at most while the pollers of
# its queue grow, for how long, and how late the latest of them is from then on (contract 3).
LATEST_AT_FIRST = 3.0
GROWN_AFTER = 15.0
LATEST = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """One thing a situation has to show: a figure and the most it may be. A limit of 0 allows nothing at all."""

    what: str
    value: float
    limit: float
    unit: str = "times"

    @property
    def ok(self) -> bool:
        return self.value <= self.limit

    @property
    def used(self) -> float:
        """How much of the limit the figure uses up; 1 is all of it."""
        if self.limit:
            return self.value / self.limit if math.isfinite(self.limit) else 0.0
        return 0.0 if self.ok else 1.0 + self.value

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'MISS'} {self.what}: {self.value:.4g} {self.unit} (at most {self.limit:g})"


def at_least(what: str, found: int, wanted: int) -> Part:
    """Show that a situation came about at all: it would show nothing otherwise."""
    return Part(f"{what}: {found}, too few by", max(0, wanted - found), 0)


def watched(cloud: SimulatedCloud) -> list[Part]:
    """Return what the cloud was watched for: attempts that contract 3 forbids, and SMS that were not delivered."""
    open_ones = sum(sms.push_state is PushState.PENDING for sms in cloud.standings())
    return [
        Part(f"attempts against the contract {cloud.wrong[:3]}", len(cloud.wrong), 0),
        Part("SMS still pending in the end", open_ones, 0, "SMS"),
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that so much of the values is not above; infinity when there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def off_cadence(cloud: SimulatedCloud, sms_ids: Iterable[int], name: str) -> list[Part]:
    """Return by how much the attempts after the first were early or late."""
    return _within_a_second([late for _, late in _late(cloud, sms_ids)], f"{name} off the 10 s")


def off_cadence_in_outage(cloud: SimulatedCloud, sms_ids: Iterable[int], since: int, name: str) -> list[Part]:
    """Return that of an outage that began at `since` (ms): while the pollers grow, and from then on."""
    grown_at = since + 1_000 * GROWN_AFTER
    at_first: list[float] = []
    later: list[float] = []
    for at, late in _late(cloud, sms_ids):
        (at_first if at <= grown_at else later).append(late)
    return [
        Part(f"{name}: first {GROWN_AFTER:g} s, late by", max(at_first, default=math.inf), LATEST_AT_FIRST, "s"),
        *_within_a_second(later, f"{name}: then off the 10 s"),
        Part(f"{name}: then late by", max(later, default=math.inf), LATEST, "s"),
    ]


def _late(cloud: SimulatedCloud, sms_ids: Iterable[int]) -> Iterator[tuple[int, float]]:
    """Yield when each attempt after the first started, and how late (s) that was, below 0 for early."""
    for sms_id in sms_ids:
        for earlier, later in pairwise(seen.at for seen in cloud.attempts.get(sms_id, ())):
            yield later, (later - earlier - INTERVAL) / 1_000


def _within_a_second(late: Iterable[float], name: str) -> list[Part]:
    off = [abs(by) for by in late]
    return [
        Part(f"{name}, p{100 * share:g}", percentile(off, share), limit, "s")
        for share, limit in ((0.5, 0.5), (0.99, 1.0))
    ]


def first_pushes(cloud: SimulatedCloud, sms_ids: Iterable[int]) -> list[float]:
    """Return how long (ms) after it was stored each SMS reached its partner; infinity for those that never did."""
    return [
        cloud.attempts[sms_id][0].at - cloud.sms[sms_id].stored_at if sms_id in cloud.attempts else math.inf
        for sms_id in sms_ids
    ]


def longest_without(cloud: SimulatedCloud) -> float:
    """Return the longest time (s) that an SMS was without an attempt since it was stored; infinity for never any."""
    gaps = [later.at - earlier.at for seen in cloud.attempts.values() for earlier, later in pairwise(seen)]
    return max([*gaps, *first_pushes(cloud, cloud.sms)]) / 1_000
