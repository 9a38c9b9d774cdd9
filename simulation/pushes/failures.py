"""Failures of our own side, played on the simulated cloud at any scale: killed processes, repeats, FINISH, lost messages.

Each situation is a function that takes its scale and returns what it has to show as `Part`s; `bench/pushes.py` plays
them large and in real time, `tests/faults/test_failures.py` small and in virtual time.
"""

import asyncio
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from globalconnect.domain.push_schedule import OVERDUE
from globalconnect.domain.sms import AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.times import SECOND
from globalconnect.runtime.logs import Event
from simulation.pushes.cloud import Progress, SimulatedCloud
from simulation.pushes.functions import PUSH_RETRY, PUSH_SMS
from simulation.pushes.measures import (
    CADENCE,
    Attempts,
    Part,
    after_recorded,
    at_once,
    by_sms,
    cut_off,
    gaps,
    longest_without,
)
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import (
    FAILS,
    FAILS_EVERY_SECOND,
    FAILS_LATE,
    NEVER_ANSWERS,
    SUCCESS,
    SUCCESS_LATE,
    Behaviour,
)
from simulation.pushes.store import MemoryStore
from simulation.pushes.timeline import seconds

FINISH_HOLDS_AFTER = 0.5
"""Seconds from the answer to FINISH_ACTIVATION to the latest start of an attempt."""

# Shorter than what makes a partner slow, and long enough to be killed in.
_FAILS_SOON = Behaviour(after=0.3, fails=1.0)
_TAKES_SOON = Behaviour(after=0.3)

_RESEND = "send"
_RECORD = "settle"

# Claims are 10 s apart, and an attempt begins within 4 s of its own (domain/push_schedule.py); 1 s for its way.
_CLAIMS_APART = 5.0

# What a receive, a batch window and the push itself take beside the waiting that the schedule wants.
_HANDED_OVER = 5.0

# At the end of a situation all partners answer SUCCESS: an interval until each SMS is due, and that.
_DELIVERED_AFTER = CADENCE + _HANDED_OVER


def goes_on_within(parameters: Parameters) -> float:
    """Return how long (s) an SMS whose message is lost may be without an attempt, when the sweep runs that often.

    That is 3 minutes when it runs every minute, as deployed: then it has a second try at what it could not queue.
    """
    return CADENCE + OVERDUE / SECOND + 2 * parameters.sweep_every + _HANDED_OVER


class NotingStore(MemoryStore):
    """A store that notes when the first SUCCESS of each SMS was recorded, and how often a claim was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded: dict[int, float] = {}
        self.claims: Counter[int] = Counter()

    def claim(
        self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
    ) -> list[Sms | Exception | None]:
        self.claims.update(ref.sms_id for ref in refs)
        return super().claim(refs, now, tallies)

    def settle(self, ends: Sequence[PushEnd]) -> list[Exception | None]:
        for end in ends:
            if end.state is PushState.DELIVERED:
                self.recorded.setdefault(end.sms.sms_id, seconds())
        return super().settle(ends)


@dataclass(slots=True)
class _Played:
    """A situation as it is being played: its name, its cloud, and what it has to show in the end."""

    name: str
    cloud: SimulatedCloud
    store: NotingStore
    progress: Progress
    parts: list[Part]

    def show(self, what: str, value: float, unit: str, limit: float) -> None:
        self.parts.append(Part(f"{self.name}: {what}", value, unit, limit))

    def show_many(self, what: str, found: int, wanted: int) -> None:
        """Show that a situation came about at all: it would show nothing otherwise."""
        self.show(f"{what}: {found}, too few by", max(0, wanted - found), "times", 0)

    async def end_well(self, names: Collection[str]) -> Attempts:
        """Have partners answer SUCCESS, wait until all must be delivered, and as long again for what may follow.

        Shows what must hold of every SMS, whatever failed.
        """
        self.cloud.behave(names, SUCCESS)
        await asyncio.sleep(_DELIVERED_AFTER + CADENCE)
        stored, attempts = self.cloud.stored_at, by_sms(self.cloud.attempts())
        lost = sum(gap > OVERDUE / SECOND for gap in gaps(attempts))
        self.progress(
            f"{self.name}: {len(stored)} SMS, {sum(map(len, attempts.values()))} attempts, {lost} found again"
        )
        self.show("SMS not delivered in the end", len(stored.keys() - self.store.recorded.keys()), "SMS", 0)
        limit = goes_on_within(self.cloud.parameters)
        self.show("longest time without an attempt", longest_without(attempts, stored), "s", limit)
        self.show("two attempts at once", at_once(attempts), "times", 0)
        soon = sum(gap < _CLAIMS_APART for gap in gaps(attempts))
        self.show("attempts less than 5 s after the one before", soon, "times", 0)
        self.show("attempts after a SUCCESS was recorded", after_recorded(attempts, self.store.recorded), "times", 0)
        return attempts


async def _play(
    name: str, parameters: Parameters, progress: Progress, situation: Callable[[_Played], Any]
) -> list[Part]:
    store = NotingStore()
    async with SimulatedCloud(parameters, store) as cloud:
        played = _Played(name, cloud, store, progress, [])
        await situation(played)
        cloud.tell(name, progress)
    return played.parts


# ------------------------------------------------------------------ killed processes (row 5)


@dataclass(frozen=True, slots=True)
class KillScale:
    """How many SMS each partner gets while processes are killed, for `killing` s, one of each function every `pause` s.

    Partners go on failing for `failing` s after that, and then answer SUCCESS.
    """

    messages: int
    killing: float
    pause: float
    failing: float

    def show(self, played: _Played) -> None:
        killed = Counter(text.partition(":")[0] for text in played.cloud.environments.failures if text.endswith("gone"))
        for name in (PUSH_SMS, PUSH_RETRY):
            played.show_many(f"{name} killed", killed[name], self.least)

    @property
    def least(self) -> int:
        """How often something must have come about."""
        return max(1, int(self.killing / self.pause / 8))


async def killed_in_the_middle(scale: KillScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Kill processes of both functions while their attempts are under way."""
    behaviours = {"fails at once": FAILS, "fails soon": _FAILS_SOON, "fails late": FAILS_LATE, "takes": _TAKES_SOON}

    async def situation(played: _Played) -> None:
        cloud = played.cloud
        async with asyncio.TaskGroup() as together:
            together.create_task(cloud.arrive(behaviours, scale.messages, scale.killing))
            for function in (PUSH_SMS, PUSH_RETRY):
                together.create_task(_kill_now_and_then(cloud, function, scale))
        await asyncio.sleep(scale.failing)
        takes = {name: behaviour.after or 0.0 for name, behaviour in behaviours.items()}
        played.show_many("attempts cut off", cut_off(by_sms(cloud.attempts()), takes), scale.least)
        scale.show(played)
        await played.end_well(behaviours)

    return await _play("killed in the middle", parameters, progress, situation)


async def killed_after_sending(scale: KillScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Kill processes when a queue has taken a re-send, or a table a SUCCESS, before the process learns of it."""
    behaviours = {"fails at once": FAILS, "fails late": FAILS_LATE, "takes": _TAKES_SOON}

    async def situation(played: _Played) -> None:
        cloud = played.cloud
        async with asyncio.TaskGroup() as together:
            together.create_task(cloud.arrive(behaviours, scale.messages, scale.killing))
            together.create_task(_kill_after_calls(cloud, PUSH_SMS, (_RESEND, _RECORD), scale))
            together.create_task(_kill_after_calls(cloud, PUSH_RETRY, (_RESEND,), scale))
        await asyncio.sleep(scale.failing)
        scale.show(played)
        await played.end_well(behaviours)
        again = cloud.retry_queue.timed_out + cloud.slow_queue.timed_out
        played.show_many("messages that came again", again, scale.least)

    return await _play("killed after sending", parameters, progress, situation)


async def _kill_now_and_then(cloud: SimulatedCloud, function: str, scale: KillScale) -> None:
    rng = random.Random(11)
    end = seconds() + scale.killing
    while seconds() < end:
        await asyncio.sleep(rng.uniform(0, scale.pause))
        while not cloud.environments.kill_busy(function) and seconds() < end:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def _kill_after_calls(cloud: SimulatedCloud, function: str, calls: Sequence[str], scale: KillScale) -> None:
    for number in range(int(scale.killing / scale.pause)):
        cloud.environments.kill_after(function, calls[number % len(calls)])
        await asyncio.sleep(scale.pause)


# ------------------------------------------------------------------ repeats (row 6)


@dataclass(frozen=True, slots=True)
class RepeatScale:
    """How many SMS each partner gets within `arriving` s, and for how long (s) partners fail after that."""

    messages: int
    arriving: float
    failing: float


async def repeated(scale: RepeatScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Hand over every batch of the stream twice at the same time and once more after that, and every message twice."""
    behaviours = {
        "takes": SUCCESS,
        "takes late": SUCCESS_LATE,
        "fails at once": FAILS,
        "fails late": FAILS_LATE,
        "fails every second": FAILS_EVERY_SECOND,
    }

    async def situation(played: _Played) -> None:
        cloud, claims = played.cloud, played.store.claims
        cloud.stream.repeat = cloud.stream.at_once = sys.maxsize
        await cloud.arrive(behaviours, scale.messages, scale.arriving)
        await asyncio.sleep(scale.failing)
        attempts = await played.end_well(behaviours)
        # An SMS is offered once per attempt when nothing is repeated.
        twice = sum(claims[sms_id] > len(of_one) for sms_id, of_one in attempts.items())
        played.show_many("SMS offered more often than pushed", twice, len(cloud.stored_at))

    # Each receive brings another until the message is done, so none may be set aside for having been received often.
    always = replace(parameters, delivered_twice=1.0, twice_within=2.0, receives=1_000)
    return await _play("repeated", always, progress, situation)


# ------------------------------------------------------------------ FINISH_ACTIVATION while retrying (row 7)


@dataclass(frozen=True, slots=True)
class FinishScale:
    """How many SMS each partner gets within `arriving` s; 15 s later activations are finished, in `finishing` s.

    `after` is for how long (s) is looked whether an attempt follows.
    """

    messages: int
    arriving: float
    finishing: float
    after: float


async def finished(scale: FinishScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Finish activations whose SMS are being retried: half at any moment, half about when an attempt is due."""
    behaviours = {"fails at once": FAILS, "fails late": FAILS_LATE, "never answers": NEVER_ANSWERS}

    async def situation(played: _Played) -> None:
        cloud, rng = played.cloud, random.Random(13)
        refs = await cloud.arrive(behaviours, scale.messages, scale.arriving)
        # Each has been retried by then, on a busy machine too.
        await asyncio.sleep(1.5 * CADENCE)
        finishing = [
            _finish(cloud, ref, rng.uniform(0, scale.finishing), rng if place % 2 else None)
            for place, ref in enumerate(refs)
        ]
        answered = dict(zip((ref.sms_id for ref in refs), await asyncio.gather(*finishing), strict=True))
        await asyncio.sleep(scale.after)
        attempts = by_sms(cloud.attempts())
        late = [seen.arrived - answered[sms_id] for sms_id, of_one in attempts.items() for seen in of_one]
        latest = max(0.0, *late)
        played.show("latest start of an attempt after FINISH was answered", latest, "s", FINISH_HOLDS_AFTER)
        pending = sum(sms.push_state is PushState.PENDING for sms in cloud.store.find(refs))
        played.show("SMS still pending", pending, "SMS", 0)
        played.show("two attempts at once", at_once(attempts), "times", 0)
        # A retry, not the first push, is what most activations are finished before.
        retried = sum(len(of_one) > 1 for of_one in attempts.values())
        played.show_many("finished after a retry", retried, len(refs) // 2)
        close = sum(-FINISH_HOLDS_AFTER < seconds <= 0 for seconds in late)
        played.show_many("attempts close to a FINISH", close, len(refs) // 50)

    return await _play("finished", parameters, progress, situation)


async def _finish(cloud: SimulatedCloud, ref: SmsRef, after: float, rng: random.Random | None) -> float:
    """Finish an activation then (s), or about when its next attempt after that is due; return when it was answered."""
    await asyncio.sleep(after)
    if rng is not None:
        (sms,) = cloud.store.find([ref])
        about = sms.next_due / SECOND + rng.uniform(-FINISH_HOLDS_AFTER, FINISH_HOLDS_AFTER)
        await asyncio.sleep(max(0.0, about - seconds()))
    return cloud.finish(ref.activation_id)


# ------------------------------------------------------------------ lost messages (row 8)


@dataclass(frozen=True, slots=True)
class LossScale:
    """How many SMS each partner gets within `arriving` s; that share of sends fails for `failing_sends` s from then on.

    Then the queues are purged. Partners go on failing for `failing` s after that, and then answer SUCCESS.
    """

    messages: int
    arriving: float
    failing_sends: float
    failing: float
    share: float = 0.3


async def lost_messages(scale: LossScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Refuse some of what is sent to the queues for a while, then lose everything that is in them."""
    behaviours = {"fails at once": FAILS, "fails late": FAILS_LATE}

    async def situation(played: _Played) -> None:
        cloud = played.cloud
        queues = (cloud.retry_queue, cloud.slow_queue)
        for queue in queues:
            queue.fail_sends = scale.share
        await cloud.arrive(behaviours, scale.messages, scale.arriving)
        await asyncio.sleep(scale.failing_sends)
        refused = sum(f'"{Event.PUSH_NOT_QUEUED.value}"' in line for line in cloud.errors())
        played.show_many("pushes that could not be queued", refused, 1)
        played.show_many("messages purged", sum(map(len, queues)), scale.messages)
        purged_at = seconds()
        for queue in queues:
            queue.fail_sends = 0.0
            queue.purge()
        await asyncio.sleep(scale.failing)
        attempts = await played.end_well(behaviours)
        resumed = _resumed(attempts, cloud.stored_at, purged_at)
        limit = goes_on_within(parameters)
        played.show("time from the purge to the next attempt of each SMS", resumed, "s", limit)

    return await _play("lost messages", parameters, progress, situation)


def _resumed(attempts: Attempts, sms_ids: Iterable[int], since: float) -> float:
    """Return how long (s) after `since` the last of the SMS had its next attempt; infinity when one had none."""
    firsts = [
        min((s.arrived for s in attempts.get(sms_id, ()) if s.arrived > since), default=math.inf) for sms_id in sms_ids
    ]
    return max(firsts, default=math.inf) - since
