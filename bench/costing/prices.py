"""Quantities of what AWS charges for, and what they come to at the list prices of bench/prices.json."""

import json
from pathlib import Path
from typing import Any

LIST: dict[str, Any] = json.loads((Path(__file__).parents[1] / "prices.json").read_text(encoding="utf-8"))


class Usage(dict[str, float]):
    """How much of each priced thing something takes, by the names of bench/prices.json. Never changed, only added."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage({name: self.get(name, 0.0) + other.get(name, 0.0) for name in self | other})

    def __mul__(self, times: float) -> "Usage":
        return Usage({name: amount * times for name, amount in self.items()})


def by_service(usage: Usage) -> dict[str, float]:
    """Return what it costs in US$, by service, the dearest first."""
    costs = Usage()
    for name, amount in usage.items():
        price = LIST["prices"][name]
        costs += Usage({price["service"]: amount * price["usd"] / price["per"]})
    return dict(sorted(costs.items(), key=lambda cost: -cost[1]))


def usd(usage: Usage) -> float:
    return sum(by_service(usage).values())
