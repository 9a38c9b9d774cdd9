"""What is read off the attempts that partners saw."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from simulation.pushes.partners import Seen

CADENCE = 10.0
"""Seconds from the start of an attempt to the start of the next (contract 3)."""

type Attempts = Mapping[int, Sequence[Seen]]
"""By SMS id, by time of arrival."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing a situation has to show: a figure and the most it may be. A limit of 0 allows nothing at all."""

    what: str
    value: float
    unit: str
    limit: float

    @property
    def ok(self) -> bool:
        return self.value <= self.limit

    @property
    def used(self) -> float:
        """How much of the limit the figure uses up; 1 is all of it."""
        if self.limit:
            return self.value / self.limit
        return 0.0 if self.ok else 1.0 + self.value

    def __str__(self) -> str:
        figure = f"{self.value:.3f}".rstrip("0").rstrip(".")
        return f"{'ok  ' if self.ok else 'MISS'} {self.what}: {figure} {self.unit} (at most {self.limit:g})"


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that so much of the values is not above; infinity when there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def by_sms(attempts: Iterable[Seen]) -> dict[int, list[Seen]]:
    """Return the attempts of each SMS, by time of arrival."""
    found: dict[int, list[Seen]] = defaultdict(list)
    for seen in sorted(attempts, key=lambda seen: seen.arrived):
        found[seen.sms_id].append(seen)
    return found


def _pairs(attempts: Attempts) -> Iterable[tuple[Seen, Seen]]:
    return (pair for of_one in attempts.values() for pair in pairwise(of_one))


def gaps(attempts: Attempts) -> list[float]:
    """Return the times (s) from the start of each attempt to that of the next for the same SMS."""
    return [after.arrived - before.arrived for before, after in _pairs(attempts)]


def off_cadence(attempts: Attempts) -> list[float]:
    """Return by how much (s) each attempt after the first was early or late."""
    return [abs(gap - CADENCE) for gap in gaps(attempts)]


def at_once(attempts: Attempts) -> int:
    """Count the attempts that began while another one for the same SMS was under way."""
    return sum(before.ended is None or after.arrived < before.ended for before, after in _pairs(attempts))


def after_success(attempts: Attempts) -> int:
    """Count the attempts for an SMS that its partner had already answered with SUCCESS."""
    return sum(
        any(seen.success for seen in of_one[:place]) for of_one in attempts.values() for place in range(len(of_one))
    )


def undelivered(attempts: Attempts, sms_ids: Iterable[int], by: float = math.inf) -> int:
    """Count the SMS that were not answered with SUCCESS by then."""
    return sum(
        not any(seen.success and seen.ended is not None and seen.ended <= by for seen in attempts.get(sms_id, ()))
        for sms_id in sms_ids
    )


def first_pushes(attempts: Attempts, stored_at: Mapping[int, float]) -> list[float]:
    """Return how long (s) after it was stored each SMS reached its partner; infinity for those that never did."""
    return [attempts[sms_id][0].arrived - at if sms_id in attempts else math.inf for sms_id, at in stored_at.items()]


def longest_without(attempts: Attempts, stored_at: Mapping[int, float]) -> float:
    """Return the longest time (s) that an SMS was without an attempt since it was stored; infinity for never any."""
    return max([0.0, *gaps(attempts), *first_pushes(attempts, stored_at)])


def after_recorded(attempts: Attempts, recorded: Mapping[int, float]) -> int:
    """Count the attempts that began after a SUCCESS for their SMS had been recorded."""
    return sum(seen.arrived > recorded.get(sms_id, math.inf) for sms_id, of_one in attempts.items() for seen in of_one)


def cut_off(attempts: Attempts, takes: Mapping[str, float]) -> int:
    """Count the attempts whose connection closed before their partner answered, which `takes` it so long (s)."""
    return sum(
        not seen.success and seen.ended is not None and seen.ended - seen.arrived < takes.get(seen.partner, 0) - 0.05
        for of_one in attempts.values()
        for seen in of_one
    )
