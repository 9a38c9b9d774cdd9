"""Row hubs.9: five hubs that sell from one pool of 100 what their last poll of the counts showed, without offers and with.

The handlers' code is real, on moto, by a turned clock. A hub asks for the counts every 10 to 20 s and calls GET_NUMBER
for a customer only while it was shown more than it has bought since; told NO_NUMBERS it waits for its next poll.
Customers come at random, three times as many as the pool could ever serve, to some hubs more than to others. An activation
ends after 20 to 90 s with its SMS, or without it after 2 to 15 min; then its number is free again.
"""

import heapq
import random
import statistics
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from unittest import mock

from moto.dynamodb.models.table import Table

from bench.row import Row, Say
from globalconnect.domain.offer import Offer
from globalconnect.domain.partner import Partner
from globalconnect.domain.times import MINUTE, SECOND
from globalconnect.store.projection import count
from simulation.clouds import Moto, pretend_aws
from simulation.desk import Desk
from simulation.logs import log_to_nowhere
from simulation.shop import OPERATOR, Shop, present

IDS = ("hubs.9",)

NUMBERS = 100
OFFER = Offer(percent=20)
MOST = 0.01

# The hubs by their dialect: each with the word and the operator that it asks with, and its share of the customers.
HUBS = (
    ("smshub", "GET_SERVICES", OPERATOR, 0.40),
    ("smsbower", "GET_SERVICES", OPERATOR, 0.25),
    ("grizzly", "GET_SERVICES", "any", 0.15),
    ("onlinesim", "GET_SERVICES", OPERATOR, 0.12),
    ("herosms", "GET_COUNT", "any", 0.08),
)
POLL_EVERY = (10 * SECOND, 20 * SECOND)
# Customers, in those that the pool could serve if it were always sold out.
LOAD = 3
# How activations end: a share of them, within which time, and what the hub says then (3 success, 5 returned).
ENDS = (
    (0.6, (20 * SECOND, 90 * SECOND), 3),
    (0.4, (2 * MINUTE, 15 * MINUTE), 5),
)
# Until a number that changed is counted; an environment remembers the counts for a second more.
COUNTED_AFTER = (300, SECOND)

# The turned clock: what happens while the pool fills is not counted.
FILLS, LASTS = 5 * MINUTE, 60 * MINUTE

_SERVICE = "tg"
_FIRST_PHONE = 447_472_100_000


@dataclass(slots=True)
class Hub:
    """A hub, what it asks with, how many customers come to it a ms, and how many numbers it believes there are."""

    partner: Partner
    word: str
    operator: str
    customers: float
    believed: int = 0


@dataclass(slots=True)
class Found:
    """What came of it: customers, calls of GET_NUMBER, how many of these got none, and how many did as staff are told; and
    second by second, what was free and by how much the hubs together believed in more.
    """

    customers: int = 0
    calls: int = 0
    refused: int = 0
    told: int = 0
    free: list[int] = field(default_factory=list)
    overstated: list[int] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.refused / self.calls

    def __str__(self) -> str:
        sold, overstated = self.calls - self.refused, self.overstated
        return (
            f"NO_NUMBERS to {self.refused} of {self.calls:,} GET_NUMBER ({self.share:.2%}), of which staff are told {self.told}; "
            f"{sold:,} of {self.customers:,} customers served; believed in {statistics.fmean(overstated):.1f} more than were free, {max(overstated)} at "
            f"worst; {statistics.fmean(self.free):.0f} of {NUMBERS} free"
        )


class Market:
    """The hubs, the pool, and what is due when, by the turned clock."""

    def __init__(self, moto: Moto, offer: Offer | None) -> None:
        self._shop = Shop(moto.cloud(), {"CACHE_SECONDS": "30", "REST_MINUTES": "0"})
        self._desk = Desk(self._shop.cloud)
        self._clock = self._shop.cloud.clock
        self._rng = random.Random(9)  # noqa: S311 - repeatable
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._scheduled = 0
        self._free = NUMBERS
        self._found = Found()
        self._shop.sell(_SERVICE, reusable=True)
        self._shop.stock(*(str(_FIRST_PHONE + place) for place in range(NUMBERS)))
        self._shop.project()
        served = NUMBERS / sum(share * (least + most) / 2 for share, (least, most), _ in ENDS)
        self._hubs = [
            Hub(self._shop.partner(name=dialect, dialect=dialect, offer=offer), word, operator, LOAD * served * share)
            for dialect, word, operator, share in HUBS
        ]

    def play(self) -> Found:
        for hub in self._hubs:
            self._after(self._rng.uniform(0, POLL_EVERY[1]), partial(self._poll, hub))
            self._after(self._rng.expovariate(hub.customers), partial(self._serve, hub))
        self._after(FILLS, self._begin)
        end = self._clock() + FILLS + LASTS
        while self._due[0][0] < end:
            at, _, happen = heapq.heappop(self._due)
            self._clock.advance(ms=at - self._clock())
            happen()
        (pool,) = self._shop.counts.every_pool()
        held = sum(number.activation_id is not None for number in self._shop.all_numbers())
        if held != NUMBERS - self._free or pool.total != NUMBERS:
            raise AssertionError(f"{held} of {NUMBERS} numbers are held, not {NUMBERS - self._free}")
        self._found.told += self._told()
        return self._found

    def _after(self, ms: float, happen: Callable[[], None]) -> None:
        self._scheduled += 1
        heapq.heappush(self._due, (self._clock() + round(ms), self._scheduled, happen))

    def _begin(self) -> None:
        self._found = Found(told=-self._told())
        self._look()

    def _told(self) -> int:
        """Return how many NO_NUMBERS staff are told that may have followed a count above 0."""
        paths = (f"/admin/partners/{hub.partner.partner_id}/activity" for hub in self._hubs)
        return sum(self._desk.get(path).body["soldOutAfterPoll"] for path in paths)

    def _look(self) -> None:
        believed = sum(hub.believed for hub in self._hubs)
        self._found.free.append(self._free)
        self._found.overstated.append(max(0, believed - self._free))
        self._after(SECOND, self._look)

    def _poll(self, hub: Hub) -> None:
        hub.believed = _shown(self._shop.call(hub.partner, hub.word).body, hub.operator)
        self._after(self._rng.uniform(*POLL_EVERY), partial(self._poll, hub))

    def _serve(self, hub: Hub) -> None:
        self._after(self._rng.expovariate(hub.customers), partial(self._serve, hub))
        self._found.customers += 1
        if not hub.believed:
            return
        self._found.calls += 1
        sold = self._shop.buy(hub.partner, _SERVICE, operator=hub.operator).body
        if sold["status"] != "SUCCESS":
            self._found.refused += 1
            hub.believed = 0
            return
        hub.believed -= 1
        self._changed(str(sold["number"]), -1)
        _, span, status = self._rng.choices(ENDS, [share for share, _, _ in ENDS])[0]
        self._after(self._rng.uniform(*span), partial(self._end, hub, sold, status))

    def _end(self, hub: Hub, sold: Mapping[str, Any], status: int) -> None:
        if self._shop.finish(hub.partner, sold["activationId"], status).body["status"] != "SUCCESS":
            raise AssertionError("an activation could not be finished")
        self._changed(str(sold["number"]), 1)

    def _changed(self, phone: str, free: int) -> None:
        self._free += free
        self._after(self._rng.uniform(*COUNTED_AFTER), partial(self._count, phone))

    def _count(self, phone: str) -> None:
        count([present(self._shop.numbers.get(phone))], self._shop.counts)


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    if not set(IDS).intersection(wanted):
        return
    with log_to_nowhere(), pretend_aws() as moto, _without_copies():
        without = Market(moto, None).play()
        progress(f"hubs.9: without offers: {without}")
        offered = Market(moto, OFFER).play()
        progress(f"hubs.9: {OFFER.percent} % each: {offered}")
    yield Row(
        "hubs.9",
        f"Of {len(HUBS)} hubs that poll one pool of {NUMBERS} every 10 to 20 s, with {LOAD} times the customers that it could "
        f"serve and {OFFER.percent} % offered to each, at most {MOST:.0%} of GET_NUMBER get NO_NUMBERS though the last poll "
        f"left some (without offers {without.share:.1%}, and the hubs believe in {statistics.fmean(without.overstated):.0f} "
        f"numbers too many, {max(without.overstated)} at worst)",
        round(offered.share, 4),
        "of GET_NUMBER",
        MOST,
        offered.share <= MOST,
    )


@contextmanager
def _without_copies() -> Iterator[None]:
    """Have moto keep no copies of tables, for putting back what a transaction did: here none is refused."""
    with mock.patch.object(Table, "__deepcopy__", lambda table, _: table):
        yield


def _shown(body: Mapping[str, Any], operator: str) -> int:
    """Return how many numbers the counts of any dialect show."""
    countries = body["countMap"].values() if "countMap" in body else (one["operatorMap"] for one in body["countryList"])
    (operators,) = countries
    shown = operators[operator][_SERVICE]
    return int(shown["SMS"] if isinstance(shown, Mapping) else shown)
