"""Quantities of what AWS charges for, and what they come to at the list prices of bench/prices.json."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

FILE = Path(__file__).parents[1] / "prices.json"


@dataclass(frozen=True, slots=True)
class Price:
    """US$ for `per` units of something, and where that is from. `not_confirmed` says what of it no source confirmed."""

    service: str
    usd: float
    per: int
    unit: str
    source: str
    seen: str
    not_confirmed: str | None = None


class Usage:
    """How much of each priced thing something takes, by the names of bench/prices.json. Never changed, only added."""

    def __init__(self, **amounts: float) -> None:
        self._amounts = amounts

    def __add__(self, other: Self) -> "Usage":
        """Return both together."""
        names = dict.fromkeys((*self._amounts, *other.amounts()))
        return Usage(**{name: self[name] + other[name] for name in names})

    def __mul__(self, times: float) -> "Usage":
        """Return as much so many times."""
        return Usage(**{name: amount * times for name, amount in self._amounts.items()})

    def __getitem__(self, name: str) -> float:
        """Return how much of one thing."""
        return self._amounts.get(name, 0.0)

    def amounts(self) -> Mapping[str, float]:
        """Return all of it."""
        return dict(self._amounts)


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices, the region they are of and the month in which they were looked up."""

    region: str
    as_of: str
    about: str
    by_name: Mapping[str, Price]

    def __iter__(self) -> Iterator[Price]:
        """Return each price, in the file's order."""
        return iter(self.by_name.values())

    def by_service(self, usage: Usage) -> dict[str, float]:
        """Return what it costs in US$, by service."""
        costs: dict[str, float] = {}
        for name, amount in usage.amounts().items():
            price = self.by_name[name]
            costs[price.service] = costs.get(price.service, 0.0) + amount * price.usd / price.per
        return costs

    def total(self, usage: Usage) -> float:
        """Return what it costs in US$."""
        return sum(self.by_service(usage).values())


def read(file: Path = FILE) -> Prices:
    """Read the file."""
    content = json.loads(file.read_text(encoding="utf-8"))
    by_name = {name: Price(**price) for name, price in content["prices"].items()}
    return Prices(content["region"], content["as_of"], content["about"], by_name)
