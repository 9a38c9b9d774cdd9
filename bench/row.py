"""A row of results: one claim, what was measured, whether it holds."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One claim and its figure. `limit` is the figure that still holds; `unit` says of what, and which way."""

    id: str
    claim: str
    value: float
    unit: str
    limit: float
    ok: bool


class Benchmark(Protocol):
    """A module that measures: which rows it gives, and the measuring.

    `rows` gives a row for each of its ids that is wanted and measures no more than it needs for them. It says in lines
    of text how far it is and what it found beside the figure.
    """

    @property
    def IDS(self) -> Sequence[str]:  # noqa: N802 - a constant of the module
        """The ids of its rows."""

    def rows(self, progress: Say, wanted: Collection[str]) -> Iterator[Row]:
        """Measure."""
