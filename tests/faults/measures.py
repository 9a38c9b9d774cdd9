"""What is read off the attempts that partners saw."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.faults.cloud.behaviour import Seen

CADENCE = 10.0
"""Seconds from the start of an attempt to the start of the next (contract 3)."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing a situation has to show: a figure and the most it may be. A limit of 0 allows nothing at all."""

    what: str
    value: float
    unit: str
    limit: float

    @property
    def ok(self) -> bool:
        """Return whether the figure keeps to its limit."""
        return self.value <= self.limit

    @property
    def used(self) -> float:
        """Return how much of the limit the figure uses up; 1 is all of it."""
        if self.limit:
            return self.value / self.limit
        return 0.0 if self.ok else 1.0 + self.value

    def __str__(self) -> str:
        """Say it in a line."""
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


def off_cadence(attempts: Mapping[int, Sequence[Seen]]) -> list[float]:
    """Return by how much (s) each attempt after the first was early or late."""
    return [
        abs(after.arrived - before.arrived - CADENCE)
        for of_one in attempts.values()
        for before, after in pairwise(of_one)
    ]


def at_once(attempts: Mapping[int, Sequence[Seen]]) -> int:
    """Count the attempts that began while another one for the same SMS was under way."""
    return sum(
        before.ended is None or after.arrived < before.ended
        for of_one in attempts.values()
        for before, after in pairwise(of_one)
    )


def after_success(attempts: Mapping[int, Sequence[Seen]]) -> int:
    """Count the attempts for an SMS that its partner had already answered with SUCCESS."""
    return sum(
        sum(seen.success for seen in of_one[:place]) > 0 for of_one in attempts.values() for place in range(len(of_one))
    )


def undelivered(attempts: Mapping[int, Sequence[Seen]], sms_ids: Iterable[int], by: float = math.inf) -> int:
    """Count the SMS that were not answered with SUCCESS by then."""
    return sum(
        not any(seen.success and seen.ended is not None and seen.ended <= by for seen in attempts.get(sms_id, ()))
        for sms_id in sms_ids
    )


def first_pushes(attempts: Mapping[int, Sequence[Seen]], stored_at: Mapping[int, float]) -> list[float]:
    """Return how long (s) after it was stored each SMS reached its partner; infinity for those that never did."""
    return [attempts[sms_id][0].arrived - at if sms_id in attempts else math.inf for sms_id, at in stored_at.items()]
