"""Failures of our own side, played on the simulated cloud at any scale: killed processes, repeats, FINISH, lost messages.

Each situation is a function that takes its scale and gives what it has to show as `Part`s; `bench/push_failures.py`
plays them large, `test_failures.py` small.
"""

import asyncio
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from globalconnect.domain.push_schedule import OVERDUE
from globalconnect.domain.sms import AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.domain.times import SECOND
from globalconnect.runtime.logs import Event
from tests.faults.cloud.behaviour import (
    FAILS,
    FAILS_EVERY_SECOND,
    FAILS_LATE,
    NEVER_ANSWERS,
    SUCCESS,
    SUCCESS_LATE,
    Behaviour,
    Seen,
)
from tests.faults.cloud.environments import PUSH_RETRY, PUSH_SMS
from tests.faults.cloud.parameters import Parameters
from tests.faults.cloud.simulated import SimulatedCloud
from tests.faults.cloud.store import MemoryStore
from tests.faults.measures import CADENCE, Part, at_once, by_sms, percentile

type Progress = Callable[[str], None]

FINISH_HOLDS_AFTER = 0.5
"""Seconds from the answer to FINISH_ACTIVATION to the latest start of an attempt."""

# Shorter than what makes a partner slow, and long enough to be killed in.
_FAILS_SOON = Behaviour(after=0.3, fails=1.0)
_TAKES_SOON = Behaviour(after=0.3)

_RESEND = "send_message_batch"
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
        self.stored: list[SmsRef] = []

    def store_sms(self, sms: Sms) -> None:
        """Store, and note where."""
        super().store_sms(sms)
        self.stored.append(SmsRef(sms.activation_id, sms.sms_id))

    def claim(
        self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
    ) -> list[Sms | Exception | None]:
        """Claim, and count it."""
        self.claims.update(ref.sms_id for ref in refs)
        return super().claim(refs, now, tallies)

    def settle(self, ends: Sequence[PushEnd]) -> list[Exception | None]:
        """Settle, and note when."""
        settled = super().settle(ends)
        for end in ends:
            if end.state is PushState.DELIVERED:
                self.recorded.setdefault(end.sms.sms_id, time.time())
        return settled


# ------------------------------------------------------------------ what is read off


def longest_without(attempts: Mapping[int, Sequence[Seen]], stored_at: Mapping[int, float]) -> float:
    """Return the longest time (s) that an SMS was without an attempt since it was stored; infinity for never any."""
    longest = 0.0
    for sms_id, stored in stored_at.items():
        arrived = [seen.arrived for seen in attempts.get(sms_id, ())]
        gaps = [after - before for before, after in pairwise([stored, *arrived])]
        longest = max([longest, *gaps] if gaps else [math.inf])
    return longest


def after_recorded(attempts: Mapping[int, Sequence[Seen]], recorded: Mapping[int, float]) -> int:
    """Count the attempts that began after a SUCCESS for their SMS had been recorded."""
    return sum(seen.arrived > recorded.get(sms_id, math.inf) for sms_id, of_one in attempts.items() for seen in of_one)


def too_soon(attempts: Mapping[int, Sequence[Seen]]) -> int:
    """Count the attempts that began so soon after the one before that both can't have been claimed."""
    return sum(
        after.arrived - before.arrived < _CLAIMS_APART
        for of_one in attempts.values()
        for before, after in pairwise(of_one)
    )


def cut_off(attempts: Mapping[int, Sequence[Seen]], takes: Mapping[str, float]) -> int:
    """Count the attempts whose connection closed before their partner answered, which `takes` it so long (s)."""
    return sum(
        not seen.success and seen.ended is not None and seen.ended - seen.arrived < takes.get(seen.partner, 0) - 0.05
        for of_one in attempts.values()
        for seen in of_one
    )


def _of_all(cloud: SimulatedCloud, store: NotingStore, limit: float, progress: Progress) -> list[Part]:
    """Return what must hold of every SMS, whatever failed, when `limit` (s) is the longest it may be without an attempt."""
    stored, attempts = cloud.stored_at, by_sms(cloud.attempts())
    gaps = [after.arrived - before.arrived for of_one in attempts.values() for before, after in pairwise(of_one)]
    lost = sum(gap > OVERDUE / SECOND for gap in gaps)
    progress(f"{len(stored)} SMS, {sum(map(len, attempts.values()))} attempts; {lost} times one had to be found again")
    for ref in store.stored:
        if ref.sms_id not in store.recorded:
            progress(_history(cloud, store, ref, attempts.get(ref.sms_id, ())))
    return [
        Part("SMS not delivered in the end", len(stored.keys() - store.recorded.keys()), "SMS", 0),
        Part("longest time without an attempt", longest_without(attempts, stored), "s", limit),
        Part("two attempts at once", at_once(attempts), "times", 0),
        Part("attempts less than 5 s after the one before", too_soon(attempts), "times", 0),
        Part("attempts after a SUCCESS was recorded", after_recorded(attempts, store.recorded), "times", 0),
    ]


def _history(cloud: SimulatedCloud, store: NotingStore, ref: SmsRef, attempts: Sequence[Seen]) -> str:
    """Say what became of an SMS that was not delivered, in seconds before now."""
    now = time.time()
    (sms,) = store.find([ref])
    ago = ", ".join(f"{now - seen.arrived:.1f}" for seen in attempts[-4:])
    swept = "never" if sms.queued_again_at is None else f"{now - sms.queued_again_at / SECOND:.1f} s ago"
    return (
        f"not delivered: SMS {ref.sms_id} of {cloud.partner_of[ref.sms_id]!r}, {sms.push_state}, last attempts {ago} s "
        f"ago, due {now - sms.next_due / SECOND:.1f} s ago, queued by the sweep {swept}"
    )


def _too_few(what: str, found: int, wanted: int) -> Part:
    """Return the part that fails when a situation did not come about: it would show nothing then."""
    return Part(f"{what}: {found}, too few by", max(0, wanted - found), "times", 0)


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

    @property
    def kills(self) -> int:
        """Return how many processes of a function must have been killed, or nothing is shown: few of the tries at least."""
        return max(1, int(self.killing / self.pause / 8))


async def killed_in_the_middle(scale: KillScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Kill processes of both functions while their attempts are under way."""
    behaviours = {"fails at once": FAILS, "fails soon": _FAILS_SOON, "fails late": FAILS_LATE, "takes": _TAKES_SOON}
    store = NotingStore()
    async with SimulatedCloud(parameters, store) as cloud:
        async with asyncio.TaskGroup() as together:
            together.create_task(_arrive(cloud, behaviours, scale.messages, scale.killing))
            for function in (PUSH_SMS, PUSH_RETRY):
                together.create_task(_kill_now_and_then(cloud, function, scale))
        # Kills nobody any more, so this is how many there were.
        killed = _killed(cloud)
        await asyncio.sleep(scale.failing)
        takes = {name: behaviour.after or 0.0 for name, behaviour in behaviours.items()}
        cut = cut_off(by_sms(cloud.attempts()), takes)
        await _succeed(cloud, behaviours)
        progress(f"killed in the middle: {dict(killed)} processes, {cut} attempts cut off")
        parts = _of_all(cloud, store, goes_on_within(parameters), progress)
        _tell("killed in the middle", cloud, progress)
    parts += [_too_few(f"{name} killed", killed[name], scale.kills) for name in (PUSH_SMS, PUSH_RETRY)]
    parts.append(_too_few("attempts cut off", cut, scale.kills))
    return _named("killed in the middle", parts)


async def killed_after_sending(scale: KillScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Kill processes when a queue has taken a re-send, or a table a SUCCESS, before the process learns of it."""
    behaviours = {"fails at once": FAILS, "fails late": FAILS_LATE, "takes": _TAKES_SOON}
    store = NotingStore()
    async with SimulatedCloud(parameters, store) as cloud:
        async with asyncio.TaskGroup() as together:
            together.create_task(_arrive(cloud, behaviours, scale.messages, scale.killing))
            together.create_task(_kill_after_calls(cloud, PUSH_SMS, (_RESEND, _RECORD), scale))
            together.create_task(_kill_after_calls(cloud, PUSH_RETRY, (_RESEND,), scale))
        killed = _killed(cloud)
        await asyncio.sleep(scale.failing)
        await _succeed(cloud, behaviours)
        again = cloud.retry_queue.timed_out + cloud.slow_queue.timed_out
        progress(f"killed after sending: {dict(killed)} processes, {again} messages came again after their time-out")
        parts = _of_all(cloud, store, goes_on_within(parameters), progress)
        _tell("killed after sending", cloud, progress)
    parts += [_too_few(f"{name} killed", killed[name], scale.kills) for name in (PUSH_SMS, PUSH_RETRY)]
    parts.append(_too_few("messages that came again", again, scale.kills))
    return _named("killed after sending", parts)


async def _kill_now_and_then(cloud: SimulatedCloud, function: str, scale: KillScale) -> None:
    rng = random.Random(11)
    end = time.time() + scale.killing
    while time.time() < end:
        await asyncio.sleep(rng.uniform(0, scale.pause))
        while not cloud.environments.kill_busy(function) and time.time() < end:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def _kill_after_calls(cloud: SimulatedCloud, function: str, calls: Sequence[str], scale: KillScale) -> None:
    end, number = time.time() + scale.killing, 0
    while time.time() < end:
        cloud.environments.kill_after(function, calls[number % len(calls)])
        number += 1
        await asyncio.sleep(scale.pause)


def _killed(cloud: SimulatedCloud) -> Counter[str]:
    return Counter(failure.partition(":")[0] for failure in cloud.environments.failures if failure.endswith("is gone"))


# ------------------------------------------------------------------ repeats (row 6)


@dataclass(frozen=True, slots=True)
class RepeatScale:
    """How many SMS each partner gets within `arriving` s, and for how long (s) partners fail after that."""

    messages: int
    arriving: float
    failing: float


def repeating(parameters: Parameters) -> Parameters:
    """Return a cloud whose queues hand over every message at least twice, mostly while it is being dealt with."""
    # Each receive brings another until the message is done, so none may be set aside for having been received often.
    return replace(parameters, delivered_twice=1.0, twice_within=2.0, receives=1_000)


async def repeated(scale: RepeatScale, parameters: Parameters, progress: Progress) -> list[Part]:
    """Hand over every batch of the stream twice at the same time and once more after that, and every message twice."""
    behaviours = {
        "takes": SUCCESS,
        "takes late": SUCCESS_LATE,
        "fails at once": FAILS,
        "fails late": FAILS_LATE,
        "fails every second": FAILS_EVERY_SECOND,
    }
    store = NotingStore()
    async with SimulatedCloud(repeating(parameters), store) as cloud:
        cloud.stream.repeat = cloud.stream.at_once = sys.maxsize
        await _arrive(cloud, behaviours, scale.messages, scale.arriving)
        await asyncio.sleep(scale.failing)
        await _succeed(cloud, behaviours)
        attempts = by_sms(cloud.attempts())
        # An SMS is offered once per attempt when nothing is repeated.
        twice = sum(store.claims[sms_id] > len(of_one) for sms_id, of_one in attempts.items())
        progress(f"repeated: {store.claims.total()} claims asked for, {twice} SMS offered more often than pushed")
        parts = _of_all(cloud, store, goes_on_within(parameters), progress)
        _tell("repeated", cloud, progress)
    parts.append(_too_few("SMS offered more often than pushed", twice, len(cloud.stored_at)))
    return _named("repeated", parts)


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
    store, rng = NotingStore(), random.Random(13)
    async with SimulatedCloud(parameters, store) as cloud:
        refs = await _arrive(cloud, behaviours, scale.messages, scale.arriving)
        # Each has been retried by then, on a busy machine too.
        await asyncio.sleep(1.5 * CADENCE)
        began = time.time()
        async with asyncio.TaskGroup() as together:
            finishes = {
                ref.sms_id: together.create_task(
                    _finish(cloud, ref, began + rng.uniform(0, scale.finishing), rng if place % 2 else None)
                )
                for place, ref in enumerate(refs)
            }
        answered = {sms_id: task.result() for sms_id, task in finishes.items()}
        await asyncio.sleep(scale.after)
        attempts = by_sms(cloud.attempts())
        pending = sum(sms.push_state is PushState.PENDING for sms in store.find(refs))
        _tell("finished", cloud, progress)
    late = [seen.arrived - answered[sms_id] for sms_id, of_one in attempts.items() for seen in of_one]
    close = sum(-FINISH_HOLDS_AFTER < seconds <= 0 for seconds in late)
    after = sorted(seconds for seconds in late if seconds > 0)
    # A retry, not the first push, is what most activations are finished before.
    retrying = sum(len(of_one) > 1 for of_one in attempts.values())
    progress(
        f"finished: {len(refs)} activations, {retrying} after a retry; {close} attempts began in the half second before "
        f"the answer, {len(after)} after it, the latest {1000 * (after[-1] if after else 0):.0f} ms after"
    )
    parts = [
        Part(
            "latest start of an attempt after FINISH was answered", after[-1] if after else 0.0, "s", FINISH_HOLDS_AFTER
        ),
        Part("SMS still pending", pending, "SMS", 0),
        Part("two attempts at once", at_once(attempts), "times", 0),
        _too_few("finished after a retry", retrying, len(refs) // 2),
        _too_few("attempts close to a FINISH", close, len(refs) // 50),
    ]
    return _named("finished", parts)


async def _finish(cloud: SimulatedCloud, ref: SmsRef, at: float, rng: random.Random | None) -> float:
    """Finish an activation then, or about when its next attempt after that is due; return when it was answered."""
    await _until(at)
    if rng is not None:
        (sms,) = cloud.store.find([ref])
        about = sms.next_due / SECOND + rng.uniform(-FINISH_HOLDS_AFTER, FINISH_HOLDS_AFTER)
        await _until(about)
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
    store = NotingStore()
    async with SimulatedCloud(parameters, store) as cloud:
        queues = (cloud.retry_queue, cloud.slow_queue)
        for queue in queues:
            queue.fail_sends = scale.share
        await _arrive(cloud, behaviours, scale.messages, scale.arriving)
        await asyncio.sleep(scale.failing_sends)
        refused = sum(f'"{Event.PUSH_NOT_QUEUED.value}"' in line for line in cloud.errors())
        purged, purged_at = sum(map(len, queues)), time.time()
        for queue in queues:
            queue.fail_sends = 0.0
            queue.purge()
        await asyncio.sleep(scale.failing)
        await _succeed(cloud, behaviours)
        progress(f"lost messages: {refused} pushes could not be queued, {purged} messages purged, those in flight too")
        parts = _of_all(cloud, store, goes_on_within(parameters), progress)
        resumed = _resumed(by_sms(cloud.attempts()), cloud.stored_at, purged_at)
        _tell("lost messages", cloud, progress)
    parts += [
        Part("time from the purge to the next attempt of each SMS", resumed, "s", goes_on_within(parameters)),
        _too_few("pushes that could not be queued", refused, 1),
        _too_few("messages purged", purged, scale.messages),
    ]
    return _named("lost messages", parts)


def _resumed(attempts: Mapping[int, Sequence[Seen]], sms_ids: Collection[int], since: float) -> float:
    """Return how long (s) after `since` the last of the SMS had its next attempt; infinity when one had none."""
    firsts = [
        min((s.arrived for s in attempts.get(sms_id, ()) if s.arrived > since), default=math.inf) for sms_id in sms_ids
    ]
    return max(firsts, default=math.inf) - since


# ------------------------------------------------------------------ what all of them do


async def _arrive(
    cloud: SimulatedCloud, behaviours: Mapping[str, Behaviour], messages: int, seconds: float
) -> list[SmsRef]:
    """Have partners that behave so get so many SMS each within some seconds."""
    for name, behaviour in behaviours.items():
        cloud.add_partner(name, behaviour)
    refs: list[SmsRef] = []
    for _ in range(messages):
        refs += [cloud.store_sms(name) for name in behaviours]
        await asyncio.sleep(seconds / messages)
    return refs


async def _succeed(cloud: SimulatedCloud, names: Collection[str]) -> None:
    """Have partners answer SUCCESS, and wait until all must be delivered, and as long again for what may follow."""
    for name in names:
        cloud.behave(name, SUCCESS)
    await asyncio.sleep(_DELIVERED_AFTER + CADENCE)


async def _until(at: float) -> None:
    await asyncio.sleep(max(0.0, at - time.time()))


def _named(name: str, parts: Sequence[Part]) -> list[Part]:
    return [replace(part, what=f"{name}: {part.what}") for part in parts]


def _tell(name: str, cloud: SimulatedCloud, progress: Progress) -> None:
    """Say what the machine was busy with, for judging the figures."""
    lag = 1000 * percentile(cloud.lags, 0.99)
    progress(f"{name}: {cloud.busy()}; the model's own lag p99 {lag:.0f} ms, worst {1000 * max(cloud.lags):.0f} ms")
