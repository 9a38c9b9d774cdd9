"""Partners' outages, played on the simulated cloud at any scale.

Each situation returns what it has to show; `bench/pushes.py` plays them large, `tests/faults/test_outages.py` small.
Times in s.
"""

import math
import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from deployment.scaling import for_quota
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.times import MINUTE
from simulation.pushes.cloud import SimulatedCloud
from simulation.pushes.failures import arriving
from simulation.pushes.measures import Part, first_pushes, off_cadence, off_cadence_in_outage, percentile, watched
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import (
    FAILS,
    FAILS_EVERY_SECOND,
    FAILS_LATE,
    FAILS_ONE_IN_TWENTY,
    NEVER_ANSWERS,
    SUCCESS_LATE,
    Behaviour,
)

HEALTHY = "healthy"
# What the healthy partner gets per second.
_RATE = 20
# How fast what will be pending arrives, per second.
_BURST = 5_000
# The beginning (s) of an outage has a limit of its own.
_FIRST = 10
# What was stored until the end of a measurement has this long (s) to reach its partner.
_DRAIN = 2
_DELIVERED_WITHIN = 20


def cadence(parameters: Parameters, *, messages: int, arrive: float, failing: float) -> list[Part]:
    """Let partners fail for a while, each in its way, then answer SUCCESS."""
    behaviours = {"fails at once": FAILS, "fails after 4 s": FAILS_LATE, "never answers": NEVER_ANSWERS}
    with arriving(parameters, behaviours, messages, arrive) as cloud:
        cloud.play(1_000 * failing)
        cloud.calm_down()
        # An interval until each is delivered, then whatever follows.
        cloud.play(3 * INTERVAL)
        return [
            Part("invocations that failed", len(cloud.environments.failures), 0),
            Part("invocations dropped as a loop", cloud.environments.dropped_as_loop, 0),
            Part("dead letters", sum(len(queue.dead) for queue in cloud.queues.values()), 0),
            *watched(cloud),
            *(part for name in behaviours for part in off_cadence(cloud, _of(cloud, [name]), name)),
        ]


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
class Played:
    """How an outage went: for the healthy partner `beside` it, and for those that had it once they came `back`."""

    what: Outage
    beside: Sequence[Part]
    back: Sequence[Part]


def play_outage(what: Outage, parameters: Parameters, watch: float) -> Played:
    """Watch a healthy partner for so long, then as long beside an outage; partners that never answer come back then."""
    with closing(SimulatedCloud(parameters)) as cloud:
        cloud.add_partner(HEALTHY, FAILS_ONE_IN_TWENTY)
        before = _feed(cloud, watch)
        began = cloud.now()
        names = [f"{what.name} {number}" for number in range(what.partners)]
        for name in names:
            cloud.add_partner(name, what.behaviour)
        _fill(cloud, names, what, watch)
        early, later = _feed(cloud, _FIRST), _feed(cloud, watch - _FIRST)
        cloud.play(1_000 * _DRAIN)
        usual, now = (percentile(first_pushes(cloud, sms_ids), 0.99) for sms_ids in (before, later))
        beside = [
            Part(f"{what.name}: healthy first push, p99", now, 500, "ms"),
            Part(f"{what.name}: that above the usual", now - usual, 200, "ms"),
            Part(f"{what.name}: first {_FIRST} s, worst", max(first_pushes(cloud, early)) / 1_000, 6.0, "s"),
            *off_cadence(cloud, [*early, *later], f"{what.name}: healthy retries"),
            *(off_cadence_in_outage(cloud, _of(cloud, names), began, what.name) if what.never_answers else ()),
            Part(f"{what.name}: invocations that failed", len(cloud.environments.failures), 0),
            Part(f"{what.name}: attempts against the contract {cloud.wrong[:3]}", len(cloud.wrong), 0),
        ]
        return Played(what, beside, _come_back(cloud, names) if what.never_answers else [])


def in_account(quota: int, shards: int) -> Parameters:
    """Return what the cloud is like in an account of so many executions, as `make deploy` sets the stack up there."""
    chosen = for_quota(quota)
    return Parameters(
        concurrency=quota,
        cold_start=2.0,
        retry_concurrency=chosen.retry,
        slow_concurrency=chosen.slow_retry,
        shards=shards,
        stream_lanes=chosen.push,
    )


def small_account(parameters: Parameters, *, pending: int, rate: int, failing: float) -> list[Part]:
    """Have a partner time out with so many SMS pending, while others ask for numbers so often a second; then it is back.

    An account has few executions for all of that. What is only stated has no limit.
    """
    refused: list[float] = []
    with arriving(parameters, {"silent": NEVER_ANSWERS}, pending, 1.0) as cloud:
        began = cloud.now()
        for place in range(round(rate * failing)):
            cloud.later(1_000 * place / rate, cloud.request, lambda: refused.append((cloud.now() - began) / 1_000))
        cloud.play(1_000 * failing)
        slipped = off_cadence(cloud, cloud.sms, "silent")
        cloud.calm_down()
        cloud.play(10 * MINUTE)
        return [
            Part("requests refused", 100 * len(refused) / (rate * failing), 1.0, "%"),
            Part("requests refused after the first 15 s", sum(at > 15 for at in refused), 0),
            *(replace(part, limit=math.inf) for part in slipped),
            Part("dead letters", sum(len(queue.dead) for queue in cloud.queues.values()), math.inf),
            *watched(cloud),
        ]


def _come_back(cloud: SimulatedCloud, names: Sequence[str]) -> list[Part]:
    """Have partners answer SUCCESS; return whether they get everything in time, and nothing twice."""
    back = cloud.now()
    cloud.calm_down()
    cloud.play(1_000 * _DELIVERED_WITHIN + INTERVAL)
    # The last attempt of each is its SUCCESS, or it is still pending.
    last = max(cloud.attempts[sms_id][-1].ended or math.inf for sms_id in _of(cloud, names)) - back
    return [Part("back: seconds until all are delivered", last / 1_000, _DELIVERED_WITHIN, "s"), *watched(cloud)]


def _of(cloud: SimulatedCloud, names: Sequence[str]) -> list[int]:
    """Return the SMS of these partners."""
    return [sms.sms_id for sms in cloud.sms.values() if sms.partner_id in names]


def _feed(cloud: SimulatedCloud, lasts: float) -> list[int]:
    """Let SMS for the healthy partner come for so long; return those."""
    rng, known = random.Random(7), set(cloud.sms)
    for _ in range(round(_RATE * lasts)):
        cloud.later(1_000 * rng.uniform(0, lasts), cloud.store_sms, HEALTHY)
    cloud.play(1_000 * lasts)
    return [sms_id for sms_id in _of(cloud, [HEALTHY]) if sms_id not in known]


def _fill(cloud: SimulatedCloud, names: Sequence[str], what: Outage, lasts: float) -> None:
    """Let the SMS arrive that will be pending, as fast as a busy hour brings them, then those that follow."""
    filled = what.pending * len(names) / _BURST
    for place in range(what.pending):
        for name in names:
            cloud.later(1_000 * filled * place / what.pending, cloud.store_sms, name)
    for place in range(math.floor(what.refill * (lasts - filled))):
        cloud.later(1_000 * (filled + place / what.refill), cloud.store_sms, names[place % len(names)])
