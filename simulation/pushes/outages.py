"""Partners' outages, played on the simulated cloud at any scale.

Each situation is a function that takes its scale and returns what it has to show as `Part`s; `bench/pushes.py` plays
them large and in real time, `tests/faults/test_outages.py` small and in virtual time.
"""

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from simulation.pushes.cloud import Progress, SimulatedCloud
from simulation.pushes.functions import PUSH_SMS
from simulation.pushes.measures import (
    CADENCE,
    Part,
    after_success,
    at_once,
    by_sms,
    first_pushes,
    off_cadence,
    percentile,
    undelivered,
)
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import (
    FAILS,
    FAILS_EVERY_SECOND,
    FAILS_LATE,
    FAILS_ONE_IN_TWENTY,
    NEVER_ANSWERS,
    SUCCESS,
    SUCCESS_LATE,
    Behaviour,
)
from simulation.pushes.timeline import seconds

HEALTHY = "healthy"
_BURST = 500
"""Pending SMS arrive so many at a time, a tenth of a second apart."""

_DELIVERED_WITHIN = 20.0

_DRAIN = 2.0
"""What was stored until the end of a measurement has this long (s) to reach its partner."""


# ------------------------------------------------------------------ a partner fails for a while (row 1)


@dataclass(frozen=True, slots=True)
class CadenceScale:
    """How many SMS, arriving within `arriving` s, and for how long (s) their partners fail.

    `after` is for how long (s) is looked whether anything follows the last SUCCESS.
    """

    messages: int
    arriving: float
    failing: float
    after: float


async def cadence(scale: CadenceScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Partners fail, one at once and one after 4 s, then answer SUCCESS."""
    behaviours = {"fails at once": FAILS, "fails after 4 s": FAILS_LATE}
    async with SimulatedCloud(parameters) as cloud:
        await cloud.arrive(behaviours, scale.messages, scale.arriving)
        await asyncio.sleep(scale.failing - scale.arriving)
        cloud.behave(behaviours, SUCCESS)
        # An interval until each is delivered, then whatever follows.
        await asyncio.sleep(CADENCE + 2 + scale.after)
        parts = [Part("invocations that failed", len(cloud.environments.failures), "times", 0)]
        for name in behaviours:
            seen = by_sms(cloud.attempts([name]))
            off = off_cadence(seen)
            progress(f"{name}: {len(seen)} SMS, {sum(map(len, seen.values()))} attempts")
            parts += [
                Part(f"{name}: off the 10 s, p50", percentile(off, 0.5), "s", 0.5),
                Part(f"{name}: off the 10 s, p99", percentile(off, 0.99), "s", 1.0),
                Part(f"{name}: two attempts at once", at_once(seen), "times", 0),
                Part(f"{name}: attempts after SUCCESS", after_success(seen), "times", 0),
                Part(f"{name}: SMS not delivered", scale.messages - len(seen) + undelivered(seen, seen), "SMS", 0),
            ]
        cloud.tell("cadence", progress)
    return parts


# ------------------------------------------------------------------ an outage beside a healthy partner (rows 2 to 4)


@dataclass(frozen=True, slots=True)
class Outage:
    """Partners whose servers go bad together; `refill` is how many SMS per second follow their first ones."""

    name: str
    behaviour: Behaviour
    partners: int
    pending: int
    refill: float = 0.0

    @property
    def never_answers(self) -> bool:
        return self.behaviour is NEVER_ANSWERS


@dataclass(frozen=True, slots=True)
class OutageScale:
    """How long (s) the healthy partner is watched before and during an outage, and what it gets per second."""

    baseline: float
    watched: float
    rate: float = 20.0
    warm_up: float = 4.0
    first: float = 10.0
    """The beginning (s) of an outage has a limit of its own."""


def outages(pending: int) -> list[Outage]:
    """Return the outages of one partner with so many SMS pending."""
    refill = pending / 50
    return [
        Outage("never answers", NEVER_ANSWERS, 1, pending),
        Outage("SUCCESS after 4.9 s", SUCCESS_LATE, 1, pending, refill),
        Outage("fails every second", FAILS_EVERY_SECOND, 1, pending, refill),
    ]


def twelve(pending: int) -> Outage:
    """Return twelve partners that never answer, with so many SMS pending each."""
    return Outage("twelve never answer", NEVER_ANSWERS, 12, pending)


@dataclass(frozen=True, slots=True)
class Healthy:
    """What a healthy partner saw: how long (s) its first pushes took, early and later, and how far off retries were."""

    early: Sequence[float]
    later: Sequence[float]
    off: Sequence[float]
    at_once: int


@dataclass(frozen=True, slots=True)
class Played:
    """How an outage went: for the healthy partner beside it, and for those that had it once they came `back`."""

    what: Outage
    first: float
    healthy: Healthy
    failed_invocations: int
    at_once: int
    back: Sequence[Part]

    def beside(self, usual: float) -> list[Part]:
        """Return what the healthy partner must not notice; p99 (s) of its first pushes is `usual` otherwise."""
        name, healthy = self.what.name, self.healthy
        later = percentile(healthy.later, 0.99)
        return [
            Part(f"{name}: healthy first push, p99", 1000 * later, "ms", 500),
            Part(f"{name}: that above the usual", 1000 * (later - usual), "ms", 200),
            Part(f"{name}: the same in the first {self.first:g} s, worst", max(healthy.early), "s", 6.0),
            Part(f"{name}: healthy retries off the 10 s, p50", percentile(healthy.off, 0.5), "s", 0.5),
            Part(f"{name}: healthy retries off the 10 s, p99", percentile(healthy.off, 0.99), "s", 1.0),
            Part(f"{name}: invocations that failed", self.failed_invocations, "times", 0),
            Part(f"{name}: two attempts at once", healthy.at_once + self.at_once, "times", 0),
        ]


async def baseline(scale: OutageScale, parameters: Parameters, progress: Progress) -> float:
    """Return the p99 (s) of a healthy partner's first pushes when nothing is wrong."""
    async with SimulatedCloud(parameters) as cloud:
        await _prepare(cloud, scale)
        healthy = await _watch_healthy(cloud, scale, scale.baseline, 0)
        cloud.tell("no outage", progress)
    return percentile(healthy.later, 0.99)


async def outage(scale: OutageScale, what: Outage, parameters: Parameters, progress: Progress) -> Played:
    """Play an outage beside a healthy partner; partners that never answered come back at its end."""
    async with SimulatedCloud(parameters) as cloud:
        await _prepare(cloud, scale)
        names = [f"{what.name} {number}" for number in range(what.partners)]
        for name in names:
            cloud.add_partner(name, what.behaviour)
        pending = asyncio.create_task(_fill(cloud, names, what))
        healthy = await _watch_healthy(cloud, scale, scale.watched, scale.first)
        pending.cancel()
        back = await _come_back(cloud, names, progress) if what.never_answers else []
        cloud.tell(what.name, progress)
        seen = by_sms(cloud.attempts(names))
        progress(f"{what.name}: {len(seen)} SMS, {sum(map(len, seen.values()))} attempts")
        return Played(what, scale.first, healthy, len(cloud.environments.failures), at_once(seen), back)


async def _come_back(cloud: SimulatedCloud, names: Sequence[str], progress: Progress) -> list[Part]:
    """Have partners answer SUCCESS; return whether they get everything in time, and once."""
    messages = [sms_id for sms_id, partner in cloud.partner_of.items() if partner in names]
    back = seconds()
    cloud.behave(names, SUCCESS)
    while cloud.servers.taken(names) < len(messages) and seconds() < back + _DELIVERED_WITHIN:  # noqa: ASYNC110 - far away
        await asyncio.sleep(0.5)
    # An interval more, to see that nothing comes twice.
    await asyncio.sleep(12)
    seen = by_sms(cloud.attempts(names))
    successes = [one.ended for of_one in seen.values() for one in of_one if one.success and one.ended]
    missing = undelivered(seen, messages, back + _DELIVERED_WITHIN)
    last = max(successes, default=math.inf) - back
    progress(f"last of {len(messages)} SUCCESS answers {last:.1f} s after the partner came back")
    return [
        Part("back: seconds until all are delivered", last if not missing else math.inf, "s", _DELIVERED_WITHIN),
        Part("back: not delivered in time", missing, "SMS", 0),
        Part("back: attempts after SUCCESS", after_success(seen), "times", 0),
        Part("back: two attempts at once", at_once(seen), "times", 0),
    ]


async def _prepare(cloud: SimulatedCloud, scale: OutageScale) -> None:
    """Have the healthy partner served for a while, so that nothing is measured that only happens once."""
    cloud.add_partner(HEALTHY, FAILS_ONE_IN_TWENTY)
    await cloud.environments.warm(PUSH_SMS, cloud.parameters.stream_lanes)
    await _feed(cloud, scale.rate, scale.warm_up)


async def _watch_healthy(cloud: SimulatedCloud, scale: OutageScale, seconds: float, first: float) -> Healthy:
    early = await _feed(cloud, scale.rate, first)
    late = await _feed(cloud, scale.rate, seconds - first)
    await asyncio.sleep(_DRAIN)
    attempts = by_sms(cloud.attempts([HEALTHY]))
    watched = {sms_id: attempts[sms_id] for sms_id in (*early, *late) if sms_id in attempts}
    return Healthy(
        early=first_pushes(attempts, early),
        later=first_pushes(attempts, late),
        off=off_cadence(watched),
        at_once=at_once(attempts),
    )


async def _feed(cloud: SimulatedCloud, rate: float, seconds: float) -> dict[int, float]:
    """Store SMS for the healthy partner at a rate per second; return when each was stored."""
    rng = random.Random(7)
    stored: dict[int, float] = {}
    loop = asyncio.get_running_loop()
    due, end = loop.time(), loop.time() + seconds
    while due < end:
        sms_id = cloud.store_sms(HEALTHY).sms_id
        stored[sms_id] = cloud.stored_at[sms_id]
        due += rng.uniform(0, 2 / rate)
        await asyncio.sleep(max(0.0, due - loop.time()))
    return stored


async def _fill(cloud: SimulatedCloud, names: Sequence[str], what: Outage) -> None:
    """Store the SMS that will be pending, as fast as a busy hour brings them, then those that follow."""
    wanted = [name for _ in range(what.pending) for name in names]
    for start in range(0, len(wanted), _BURST):
        for name in wanted[start : start + _BURST]:
            cloud.store_sms(name)
        await asyncio.sleep(0.1)
    while what.refill:
        for name in names:
            cloud.store_sms(name)
        await asyncio.sleep(len(names) / what.refill)
