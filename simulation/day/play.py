"""Plays a day, and accounts for it: by what hubs saw of it, and by what is stored at its end."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from conformance.hubs import HUBS, Hub
from conformance.hubsim.behaviour import Behaviour
from conformance.hubsim.events import Event, Finished, Sold
from conformance.hubsim.ledger import Account, Limits, account
from globalconnect.domain.activation import Hold, Outcome
from globalconnect.domain.partner import in_clear
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.times import HOUR, MINUTE, SECOND
from globalconnect.hub_protocol.catalogue import DIALECTS
from simulation.aws import START
from simulation.day.books import Books
from simulation.day.gateways import Gateways
from simulation.day.hubs import DayHub, DoorClient, Doors, NoPace, push_url
from simulation.day.world import World
from simulation.logs import log_to_nowhere
from simulation.pushes.timeline import Timeline

type Say = Callable[[str], None]

# What our catalogue calls the hub whose document it began with.
_DIALECTS = {"seed": "globalconnect"}
_PLACES = (("england", "Vodafone"), ("england", "Three"), ("france", "Orange"), ("spain", "Movistar"))
_REUSABLE = ("tg", "go")
_SERVICES = (*_REUSABLE, "wa", "ig", "vk", "fb", "ot", "mm")
_CODES = {"england": "447", "france": "336", "spain": "346"}
# Of 100 sales 70 get their SMS and end with 3; of those whose answer was lost nothing is known to the hub until the end.
_BEHAVIOUR = Behaviour(
    outcomes={3: 0.70, 4: 0.25, 1: 0.025, 5: 0.025},
    answer_lost=0.02,
    keeps_missed=True,
    finish_late=0.05,
    sms_within=(2.0, 60.0),
    # Some after the end of the lease.
    late=(20.0, 2 * 3_600.0),
    # Hubs ask every 10 to 20 s: nothing is learned from it that isn't so.
    polled_every=(240.0, 360.0),
)
_TOLD_EVERY = 3_600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What is played: about so many sales by so many partners within some hours, on a stock of so many numbers.

    One of the partners is down for `down` seconds. `break_it` makes the world another one, to see that it is noticed.
    """

    sales: int = 20_000
    hours: float = 24.0
    partners: int = 12
    numbers: int = 3_000
    down: float = 3_600.0
    seed: int = 1
    break_it: Callable[[World], object] = lambda _: None

    @property
    def seconds(self) -> float:
        return self.hours * HOUR / SECOND


@dataclass(frozen=True, slots=True)
class Day:
    """What happened, and everything that is otherwise than it should be, a line each."""

    events: list[Event]
    account: Account
    differences: list[str]
    repeats: Mapping[float, int]

    @property
    def sold(self) -> int:
        return sum(isinstance(one, Sold) for one in self.events)

    def __str__(self) -> str:
        kinds = Counter(type(one).__name__ for one in self.events)
        ended = Counter(one.outcome for one in self.events if isinstance(one, Finished) and one.accepted)
        told = ", ".join(f"{count:,} {name}" for name, count in kinds.most_common())
        return (
            f"{told}; FINISH {dict(sorted(ended.items()))}; {len(self.account.whole):,} whole sales; "
            f"{sum(self.repeats.values()):,} SMS delivered again; {len(self.differences)} differences"
        )


def play(settings: Settings, say: Say = lambda _: None) -> Day:
    with log_to_nowhere(), asyncio.Runner(loop_factory=Timeline) as runner:
        return runner.run(_Play(settings, say).run())


@dataclass(slots=True)
class _Play:
    settings: Settings
    say: Say
    events: list[Event] = field(default_factory=list)
    hubs: list[DayHub] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    recounts: list[str] = field(default_factory=list)
    doors: Doors = field(default_factory=Doors)
    world: World = field(init=False)
    gateways: Gateways = field(init=False)

    async def run(self) -> Day:
        settings = self.settings
        self.world = World(self.doors, settings.seed)
        try:
            self.gateways = Gateways(self.world, random.Random(f"{settings.seed} gateways"))
            self._open()
            settings.break_it(self.world)
            # Until its numbers are counted.
            await asyncio.sleep(60)
            await self._sell()
            return await self._closed()
        finally:
            self.world.close()

    def _open(self) -> None:
        shop, settings = self.world.shop, self.settings
        shop.sell(*_REUSABLE, reusable=True)
        shop.sell(*_SERVICES[len(_REUSABLE) :])
        for place, (country, operator) in enumerate(_PLACES):
            phones = [f"{_CODES[country]}{one * 7_919:09}" for one in range(place, settings.numbers, len(_PLACES))]
            shop.stock(*phones, country=country, operator=operator)
        for place, hub in zip(range(settings.partners), itertools.cycle(HUBS.values()), strict=False):
            self._enter(f"{hub.name}-{place}", hub)

    def _enter(self, name: str, hub: Hub) -> None:
        shop, seed = self.world.shop, self.settings.seed
        # Who holds numbers until it finishes has a limit, which is not what this is about.
        max_live = self.settings.numbers if _is_held(hub) else None
        partner = shop.partner(push_url=push_url(name), name=name, dialect=_dialect(hub), max_live=max_live)
        self.ids[name] = partner.partner_id
        client = DoorClient("https://api.example.com", in_clear(partner.key), NoPace(1.0), lambda _: None, shop=shop)
        rolls = random.Random(f"{seed} {name}")
        one = DayHub(
            name,
            hub,
            client,
            _BEHAVIOUR,
            rolls,
            self.events.append,
            self.gateways.send,
            interval=INTERVAL / SECOND,
            began=0.0,
        )
        self.hubs.append(one)
        self.doors.open(one)

    async def _sell(self) -> None:
        """Sell until the time is over and every sale has ended."""
        settings, loop = self.settings, asyncio.get_running_loop()
        until = loop.time() + settings.seconds
        beside = [asyncio.create_task(one.poll()) for one in self.hubs]
        beside += [asyncio.create_task(self._tell(until)), asyncio.create_task(self._recount(settings.seconds / 8))]
        try:
            # So that the hubs have been shown something.
            await asyncio.sleep(10)
            each = settings.sales / settings.seconds / len(self.hubs)
            async with asyncio.TaskGroup() as group:
                if settings.down:
                    group.create_task(self.hubs[1].go_down(settings.seconds / 3, settings.down, group))
                for one in self.hubs:
                    group.create_task(one.sell(each, until, group))
        finally:
            for task in beside:
                task.cancel()
            failed = await asyncio.gather(*beside, return_exceptions=True)
        failed += [failure for one in self.hubs for failure in one.failures]
        for failure in failed:
            if isinstance(failure, Exception):
                raise failure

    async def _recount(self, after: float) -> None:
        await asyncio.sleep(after)
        await self._recount_now("while numbers were sold")

    async def _recount_now(self, when: str) -> None:
        report = await self.world.run("recount", self.world.recount)
        if report.off:
            self.recounts.append(f"a recount {when} found {report}")

    async def _tell(self, until: float) -> None:
        while True:
            sold = sum(isinstance(one, Sold) for one in self.events)
            now = asyncio.get_running_loop().time()
            left = max(0.0, until - now) / 3_600
            self.say(f"{now / 3_600:5.1f} h: {sold:,} sold, {len(self.events):,} events, {left:.1f} h left")
            await asyncio.sleep(_TOLD_EVERY)

    @property
    def _longest_hold(self) -> float:
        return self.world.shop.partner_parts.lifetimes.longest_hold / SECOND

    # ------------------------------------------------------------ the end

    async def _closed(self) -> Day:
        """Let everything come to rest, and look at it."""
        # No machine is busy here, so attempts are as punctual as the checks want them. A first one may wait for one that times out.
        limits = Limits(
            leases={one.name: self._longest_hold for one in self.hubs if _is_held(one.hub)},
            late=1.0,
            reusable=_REUSABLE,
        )
        await self.gateways.idle()
        # Leases that nobody finishes, and the sweep after that.
        await asyncio.sleep(limits.lease + 2 * MINUTE / SECOND)
        for one in self.hubs:
            await one.tidy()
        # Statistics of hours that are long over follow once an hour.
        await asyncio.sleep((HOUR + MINUTE) / SECOND)
        await self.world.run("hourly_counts", self.world.measure)
        await self._recount_now("at the end")
        hubs = {one.name: one.hub for one in self.hubs}
        found = account(self.events, hubs, asyncio.get_running_loop().time(), limits)
        books = Books.of(self.world.cloud)
        differences = [
            *(f"{finding.kind}: {finding.partner} at {finding.at:.0f} s: {finding.text}" for finding in found.findings),
            *books.wrongs(self.events, self.ids),
            *self.gateways.wrong,
            *self.world.failures,
            *self.world.left,
            *self._wrong_counts(),
            *self._wrong_statistics(books),
            *self.recounts,
        ]
        return Day(self.events, found, differences, self.gateways.again)

    def _wrong_counts(self) -> Iterator[str]:
        """Tell which pools are shown otherwise than their numbers are."""
        free: Counter[tuple[str, str]] = Counter()
        total: Counter[tuple[str, str]] = Counter()
        for number in self.world.numbers():
            total[number.country, number.operator] += 1
            free[number.country, number.operator] += number.activation_id is None
        for pool in self.world.shop.counts.every_pool():
            counted, there = (
                (pool.total, pool.free),
                (total[pool.country, pool.operator], free[pool.country, pool.operator]),
            )
            if counted != there:
                yield f"{pool.country} {pool.operator} is counted {counted}, and is {there}"
        held = {holder.partner_id: holder.held for holder in self.world.shop.counts.every_holder() if holder.held}
        if held:
            yield f"partners are counted to hold {held}"

    def _wrong_statistics(self, books: Books) -> Iterator[str]:
        hours = list(self.world.shop.statistics.hours(START - HOUR, self.world.cloud.clock()))
        counted = {
            name: sum(getattr(hour.counts, name) for hour in hours)
            for name in ("started", "live", "success", "canceled")
        }
        outcomes = Counter(sale.outcome for sale in books.sales.values())
        there = {
            "started": len(books.sales),
            "live": 0,
            "success": outcomes[Outcome.SUCCESS],
            "canceled": outcomes[Outcome.CANCELED],
        }
        if counted != there:
            yield f"statistics say {counted}, and it is {there}"


def _dialect(hub: Hub) -> str:
    return _DIALECTS.get(hub.name, hub.name)


def _is_held(hub: Hub) -> bool:
    """Return whether a hub's numbers are held until it finishes."""
    return DIALECTS[_dialect(hub)].hold is Hold.FINISH
