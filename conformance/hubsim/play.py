"""Lets simulated hubs buy from a supplier for some minutes, and accounts for it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from conformance.exchange import Client, Pace
from conformance.hubs import Hub
from conformance.hubsim.behaviour import Behaviour
from conformance.hubsim.events import Arrived, Event, Finished, Pushed, Reply, Sold
from conformance.hubsim.ledger import Account, Limits, account
from conformance.hubsim.listener import Addressee, Listener
from conformance.hubsim.partner import Send, SimulatedHub

# Requests of all partners together, for each sale a second that is wanted: enough for all, and not more.
_REQUESTS_PER_SALE = 20
# Requests under way at the same time, of all partners together: a supplier that is busy isn't buried under more.
_AT_ONCE = 32
_TOLD_EVERY = 10.0
# So many intervals after the last sale a push that should have ended would have come again.
_AFTERMATH = 1.4


@dataclass(frozen=True, slots=True)
class Partner:
    """A key of the supplier's, and the hub that it is for. `url` is where that hub asks, if not where all do."""

    name: str
    hub: Hub
    key: str = field(repr=False)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is played: sales begun a second, by all partners together, for so many seconds; one partner is down for `down` s.

    `send` makes SMS arrive, None where they come by themselves. Pushes are taken at `host` and `port`.
    """

    url: str
    partners: Sequence[Partner]
    seconds: float
    rate: float
    send: Send | None = None
    host: str = "127.0.0.1"
    port: int = 0
    down: float = 0.0
    seed: int = 1
    behaviour: Behaviour = field(default_factory=Behaviour)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, and the account of it. `seconds` is how long it was sold for."""

    events: Sequence[Event]
    account: Account
    seconds: float

    @property
    def sales_a_second(self) -> float:
        """Whole sales a second while it was sold; those that were done later don't count."""
        return sum(at <= self.seconds for at in self.account.whole) / self.seconds


def play(settings: Settings, say: Callable[[str], None]) -> Outcome:
    """Play, and say how far it is every 10 s.

    Raises OSError when the address for pushes can't be had.
    """
    return asyncio.run(_play(settings, say))


async def _play(settings: Settings, say: Callable[[str], None]) -> Outcome:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_AT_ONCE))
    events: list[Event] = []
    began = time.monotonic()
    hubs = _hubs(settings, events.append, began)
    listener = Listener(
        {one.name: Addressee(one.name, one.client.key, one.hub, one.answer, one.taken) for one in hubs},
        events.append,
        began,
    )
    server = await listener.serve(settings.host, settings.port)
    background: list[asyncio.Task[None]] = [asyncio.create_task(one.poll()) for one in hubs]
    background.append(asyncio.create_task(_tell(settings, hubs, events, began, say)))
    try:
        await _sell(settings, hubs)
        await asyncio.gather(*(one.tidy() for one in hubs))
        if any(isinstance(one, Pushed) for one in events):
            await asyncio.sleep(_AFTERMATH * settings.limits.interval)
    finally:
        for task in background:
            task.cancel()
        failed = await asyncio.gather(*background, return_exceptions=True)
        server.close()
    for failure in failed:
        if isinstance(failure, Exception):
            raise failure
    return Outcome(events, _accounted(settings, events, time.monotonic() - began), settings.seconds)


def _hubs(settings: Settings, note: Callable[[Event], None], began: float) -> list[SimulatedHub]:
    pace = Pace(settings.rate * _REQUESTS_PER_SALE)
    keys = {one.key for one in settings.partners}
    return [
        SimulatedHub(
            one.name,
            one.hub,
            Client(one.url or settings.url, one.key, pace, keep=lambda _: None, other_keys=keys),
            settings.behaviour,
            Random(f"{settings.seed} {one.name}"),  # noqa: S311 - the same play each time
            note,
            settings.send,
            began,
            settings.limits.interval,
        )
        for one in settings.partners
    ]


async def _sell(settings: Settings, hubs: Sequence[SimulatedHub]) -> None:
    """Sell until the time is over and every sale has ended."""
    # The second is down, if there are several: the first is the one to compare it with.
    down = hubs[min(1, len(hubs) - 1)]
    each = settings.rate / len(hubs)
    async with asyncio.TaskGroup() as group:
        if settings.down:
            group.create_task(down.go_down((settings.seconds - settings.down) / 3, settings.down, group))
        for one in hubs:
            group.create_task(one.sell(each, settings.seconds, group))


async def _tell(
    settings: Settings, hubs: Sequence[SimulatedHub], events: Sequence[Event], began: float, say: Callable[[str], None]
) -> None:
    # A thread of its own: those of requests may all be waiting.
    with ThreadPoolExecutor(1) as thread:
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            now = time.monotonic() - began
            running = asyncio.get_running_loop()
            so_far = await running.run_in_executor(thread, _accounted, settings, [*events], now)
            say(progress_line(so_far, events, sum(one.live for one in hubs), settings.seconds))


def progress_line(so_far: Account, events: Sequence[Event], live: int, seconds: float) -> str:
    """Return how far it is, in a line."""
    outcomes = Counter(one.outcome for one in events if isinstance(one, Finished) and one.accepted)
    pushes = [one for one in events if isinstance(one, Pushed)]
    said = ", ".join(f"{outcome}: {count}" for outcome, count in sorted(outcomes.items()))
    return (
        f"{so_far.until:5.0f} of {seconds:.0f} s  {sum(isinstance(one, Sold) for one in events)} sold, {live} live, "
        f"{sum(isinstance(one, Arrived) for one in events)} SMS, {len(pushes)} pushes "
        f"({sum(one.reply is not Reply.TAKEN for one in pushes)} not taken), finished {{{said}}}, "
        f"{len(so_far.whole) / so_far.until:.2f} whole sales a second, {len(so_far.findings)} differences"
    )


def _accounted(settings: Settings, events: Sequence[Event], until: float) -> Account:
    return account(events, {one.name: one.hub for one in settings.partners}, until, settings.limits)
