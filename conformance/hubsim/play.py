"""Lets simulated hubs buy from a supplier for some minutes, and accounts for it."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from random import Random

from conformance.exchange import Client, Pace
from conformance.hubs import Hub
from conformance.hubsim.behaviour import Behaviour
from conformance.hubsim.events import Arrived, Event, Finished, Pushed, Reply, Sold
from conformance.hubsim.ledger import Account, Limits, account
from conformance.hubsim.listener import Addressee, Listener
from conformance.hubsim.partner import Send, SimulatedHub
from conformance.masking import Masking, keys_in

# Requests of all partners together, for each sale a second that is wanted: enough for all, and not more.
_REQUESTS_PER_SALE = 20
# Of all sales such a share begins in rushes, so many at one instant each, of different partners as far as there are any.
_RUSHES, _IN_A_RUSH = 0.2, 4
# Requests under way at the same time, of all partners together: a supplier that is busy isn't buried under more.
_AT_ONCE = 32
_TOLD_EVERY = 10.0
# An account in which more of the SMS couldn't be judged says nothing.
MOST_UNJUDGED = 0.5
# A request or an SMS is under way for so long at most: what began before is known to its end.
_UNDER_WAY = 60.0
# So many intervals after the last sale a push that should have ended would have come again.
_AFTERMATH = 1.4


@dataclass(frozen=True, slots=True)
class Partner:
    """A key of the supplier's, and the hub that it is for. `url` is where that hub asks, if not where all do."""

    name: str
    hub: Hub
    key: str = field(repr=False)
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is played: sales begun a second, by all partners together, for so many seconds; one partner is down for `down` s.

    `send` makes SMS arrive, None where they come by themselves. Pushes are taken at `host` and `port`.
    """

    url: str = field(repr=False)
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

    @property
    def masking(self) -> Masking:
        """What may not be told."""
        urls = [self.url, *(one.url for one in self.partners)]
        keys = [*(one.key for one in self.partners), *(key for url in urls for key in keys_in(url).values())]
        return Masking({f"KEY_{place}": key for place, key in enumerate(keys)})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, and the account of it. `seconds` is how long it was sold for.

    `broken_off` is when it was, if it was. `nothing` tells what is missing where the account says nothing of a supplier.
    """

    events: Sequence[Event]
    account: Account
    seconds: float
    broken_off: float | None = None
    nothing: str = ""

    @property
    def fails(self) -> bool:
        """Whether it shows that the supplier isn't right, or doesn't show anything."""
        return bool(self.nothing) or any(one.decides for one in self.account.findings)

    @property
    def sales_a_second(self) -> float:
        """Whole sales a second while it was sold; those that were done later don't count."""
        return sum(at <= self.seconds for at in self.account.whole) / self.seconds


def play(settings: Settings, say: Callable[[str], None], interrupts: Sequence[signal.Signals] = ()) -> Outcome:
    """Play, and say how far it is every 10 s.

    The first of `interrupts` breaks it off: nothing more is bought, and what was is given back. The second ends the process.
    Raises OSError when the address for pushes can't be had.
    """
    return asyncio.run(_play(settings, say, interrupts))


async def _play(settings: Settings, say: Callable[[str], None], interrupts: Sequence[signal.Signals]) -> Outcome:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_AT_ONCE))
    events: list[Event] = []
    began = time.monotonic()
    hubs = hubs_of(settings, events.append, began)
    listener = Listener(
        {one.name: Addressee(one.name, one.client.key, one.hub, one.answer, one.taken) for one in hubs},
        events.append,
        began,
    )
    server = await listener.serve(settings.host, settings.port)
    port = server.sockets[0].getsockname()[1]
    for one in hubs:
        say(f"{one.name} ({one.hub.title}) takes pushes at http://{settings.host}:{port}/{one.name}")
    background: list[asyncio.Task[None]] = [asyncio.create_task(one.poll()) for one in hubs]
    background.append(asyncio.create_task(_tell(settings, hubs, events, began, say)))
    broken_off: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def break_off() -> None:
        broken_off.set_result(time.monotonic() - began)
        for one in hubs:
            one.stop()
        say("Broken off: what was bought is given back; once more ends at once.")

    try:
        with _first_of(interrupts, break_off):
            await _sell(settings, hubs)
            await asyncio.gather(*(one.tidy() for one in hubs))
            if any(isinstance(one, Pushed) for one in events):
                await asyncio.wait([broken_off], timeout=_AFTERMATH * settings.limits.interval)
    finally:
        for task in background:
            task.cancel()
        failed = await asyncio.gather(*background, return_exceptions=True)
        server.close()
    failures = [failure for one in hubs for failure in one.failures]
    failures += [failure for failure in failed if isinstance(failure, Exception)]
    at = broken_off.result() if broken_off.done() else None
    seconds = settings.seconds if at is None else min(at, settings.seconds)
    found = _accounted(settings, events, time.monotonic() - began)
    missing = nothing(settings, events, found) if at is None else ""
    if failures:
        missing = settings.masking.text(f"the play itself failed {len(failures)} times ({failures[0]!r})")
    return Outcome(events, found, seconds, at, missing)


@contextmanager
def _first_of(interrupts: Sequence[signal.Signals], do: Callable[[], None]) -> Iterator[None]:
    """Do something at the first of these signals; the second one has its usual effect."""
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in interrupts}

    def first() -> None:
        for each in interrupts:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        do()

    for each in interrupts:
        loop.add_signal_handler(each, first)
    try:
        yield
    finally:
        for each in interrupts:
            if loop.remove_signal_handler(each):
                signal.signal(each, before[each])


def nothing(settings: Settings, events: Sequence[Event], found: Account) -> str:
    """Tell what keeps an account from saying anything of a supplier, or of one of the partners; empty if nothing does."""
    return next(_missing(settings, events, found), "")


def _missing(settings: Settings, events: Sequence[Event], found: Account) -> Iterator[str]:
    tallies = found.tallies
    without = [name for name, one in tallies.items() if not one.sold]
    if len(without) == len(tallies):
        yield "nothing was sold"
    if without:
        yield f"nothing was sold to {', '.join(without)}"
    if settings.send and not any(isinstance(one, Arrived) and one.accepted for one in events):
        yield "no SMS could be made to arrive"
    if not any(isinstance(one, Pushed) for one in events):
        yield "nothing was pushed"
    sms, unjudged = sum(one.sms for one in tallies.values()), sum(one.unjudged for one in tallies.values())
    if unjudged > MOST_UNJUDGED * sms:
        yield f"{unjudged} of {sms} SMS are unjudged"
    if not found.whole:
        yield "no sale was whole"


def hubs_of(settings: Settings, note: Callable[[Event], None], began: float) -> list[SimulatedHub]:
    """Return the hubs of a play that began at a monotonic time."""
    pace, masking = Pace(settings.rate * _REQUESTS_PER_SALE), settings.masking
    return [
        SimulatedHub(
            one.name,
            one.hub,
            Client(one.url or settings.url, one.key, pace, keep=lambda _: None, masking=masking),
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
    each = settings.rate * (1 - _RUSHES) / len(hubs)
    async with asyncio.TaskGroup() as group:
        group.create_task(rush(settings, hubs, group))
        if settings.down:
            group.create_task(down.go_down((settings.seconds - settings.down) / 3, settings.down, group))
        for one in hubs:
            group.create_task(one.sell(each, settings.seconds, group))


async def rush(settings: Settings, hubs: Sequence[SimulatedHub], sales: asyncio.TaskGroup) -> None:
    """Have several partners buy at one instant, now and then."""
    rolls = Random(f"{settings.seed}")  # noqa: S311 - the same play each time
    pause = _IN_A_RUSH / (_RUSHES * settings.rate)
    for place in range(int(settings.seconds / pause + 0.5)):
        with suppress(TimeoutError):
            async with asyncio.timeout((place + 0.5) * pause - hubs[0].now()):
                await hubs[0].stopped.wait()
                return
        up = [one for one in hubs if one.is_up]
        for one in islice(cycle(rolls.sample(up, len(up))), _IN_A_RUSH):
            one.rush(sales)


async def _tell(
    settings: Settings, hubs: Sequence[SimulatedHub], events: Sequence[Event], began: float, say: Callable[[str], None]
) -> None:
    # A thread of its own: those of requests may all be waiting.
    with ThreadPoolExecutor(1) as thread:
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            now = time.monotonic() - began
            known = max(0.0, now - _UNDER_WAY)
            running = asyncio.get_running_loop()
            past = [one for one in events if one.began < known]
            so_far = await running.run_in_executor(thread, _accounted, settings, past, known)
            say(progress_line(so_far, events, sum(one.live for one in hubs), now, settings.seconds))


def progress_line(so_far: Account, events: Sequence[Event], live: int, now: float, seconds: float) -> str:
    """Return how far it is, in a line; differences are `so_far`."""
    accepted = [one for one in events if isinstance(one, Finished) and one.accepted]
    # Of each activation the first.
    outcomes = Counter({(one.partner, one.activation): one.outcome for one in reversed(accepted)}.values())
    pushes = [one for one in events if isinstance(one, Pushed)]
    said = ", ".join(f"{outcome}: {count}" for outcome, count in sorted(outcomes.items()))
    return (
        f"{now:5.0f} of {seconds:.0f} s  {sum(isinstance(one, Sold) for one in events)} sold, {live} live, "
        f"{sum(isinstance(one, Arrived) and one.accepted for one in events)} SMS, {len(pushes)} pushes "
        f"({sum(one.reply is not Reply.TAKEN for one in pushes)} not taken), finished {{{said}}}; "
        f"{len(so_far.findings)} differences until {so_far.until:.0f} s"
    )


def _accounted(settings: Settings, events: Sequence[Event], until: float) -> Account:
    return account(events, {one.name: one.hub for one in settings.partners}, until, settings.limits)
