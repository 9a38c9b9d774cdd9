"""What of the free numbers a partner is shown, when that is not all (contract 1.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from globalconnect.domain.times import HOUR


@dataclass(frozen=True, slots=True)
class Offer:
    """Of what is free of a pool for a service, `percent` and at most `most` numbers are shown; None is no such limit."""

    percent: int | None = None
    most: int | None = None

    @property
    def share(self) -> int:
        """How many percent of a pool it is, before `most`."""
        return 100 if self.percent is None else self.percent

    def shown(self, free: Sequence[int], *, last: bool) -> list[int]:
        """Return how many are shown where so many are free; `last` is whether one is shown of those too few to share."""
        share, one = self.share, int(last)
        shown = [count * share // 100 or min(count, one) for count in free]
        return shown if self.most is None else [min(self.most, count) for count in shown]


@dataclass(frozen=True, slots=True)
class Turn:
    """A partner's place, from 0, among so many that have an offer. In every hour each pool is the turn of one of them."""

    place: int
    places: int

    def has(self, country: str, operator: str, now: int) -> bool:
        """Return whether it is this one's turn for a pool at `now` (ms)."""
        # Not hash(): that is another in every process.
        pool = crc32(f"{country}|{operator}".encode())
        return (pool + now // HOUR) % self.places == self.place
