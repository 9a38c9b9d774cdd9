"""Failures of our own side, played on the simulated cloud at any scale: killed functions, repeats, FINISH, lost messages.

Each situation takes how many SMS each partner gets, and times in s, and returns what it has to show; `bench/pushes.py`
plays them large, `tests/faults/test_failures.py` small.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle, islice

from globalconnect.domain.push_schedule import INTERVAL, OVERDUE
from globalconnect.domain.times import SECOND
from simulation.pushes.cloud import FINISH_HOLDS_AFTER, SimulatedCloud, ref_of
from simulation.pushes.environments import Trouble
from simulation.pushes.functions import PUSH_RETRY, PUSH_SMS
from simulation.pushes.measures import Part, at_least, longest_without, watched
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

# Shorter than what makes a partner slow, and long enough to be killed in.
_FAILS_SOON = Behaviour(after=0.3, fails=1.0)
_TAKES_SOON = Behaviour(after=0.3)

# What a receive, a batch window and the push itself take beside the waiting that the schedule wants, ms.
_HANDED_OVER = 5 * SECOND


@contextmanager
def arriving(
    parameters: Parameters, behaviours: Mapping[str, Behaviour], messages: int, lasts: float
) -> Iterator[SimulatedCloud]:
    """Yield a cloud whose partners, which behave so, get so many SMS each within some seconds."""
    cloud = SimulatedCloud(parameters)
    try:
        for name, behaviour in behaviours.items():
            cloud.add_partner(name, behaviour)
            for place in range(messages):
                cloud.later(1_000 * lasts * place / messages, cloud.store_sms, name)
        yield cloud
    finally:
        cloud.close()


def _end_well(cloud: SimulatedCloud) -> list[Part]:
    """Have partners answer SUCCESS, wait until all must be delivered, and as long again for what may follow.

    Returns what must hold of every SMS, whatever failed. It may be without an attempt for 3 minutes when the sweep runs
    every minute, as deployed: then that has a second try at what it could not queue.
    """
    cloud.calm_down()
    cloud.play(2 * INTERVAL + _HANDED_OVER)
    limit = (INTERVAL + OVERDUE + _HANDED_OVER) / 1_000 + 2 * cloud.parameters.sweep_every
    return [Part("longest time without an attempt", longest_without(cloud), limit, "s"), *watched(cloud)]


def killed_in_the_middle(
    parameters: Parameters, *, messages: int, killing: float, pause: float, failing: float
) -> list[Part]:
    """Kill environments of both functions while their attempts are under way, one of each every `pause` s."""
    behaviours = {"fails at once": FAILS, "fails soon": _FAILS_SOON, "fails late": FAILS_LATE, "takes": _TAKES_SOON}
    rng, killed, least = random.Random(11), Counter[str](), int(killing / pause / 8)
    with arriving(parameters, behaviours, messages, killing) as cloud:
        for _ in range(int(killing / pause)):
            cloud.play(1_000 * rng.uniform(pause / 2, 1.5 * pause))
            killed.update(name for name in (PUSH_SMS, PUSH_RETRY) if cloud.environments.kill_busy(name))
        cloud.play(1_000 * failing)
        seen = [one for of_one in cloud.attempts.values() for one in of_one]
        cut_off = sum(one.ended is not None and one.success is None for one in seen)
        shown = [at_least(f"{name} killed", killed[name], least) for name in (PUSH_SMS, PUSH_RETRY)]
        return [*shown, at_least("attempts cut off", cut_off, least), *_end_well(cloud)]


def killed_after_sending(
    parameters: Parameters, *, messages: int, killing: float, pause: float, failing: float
) -> list[Part]:
    """Kill environments when a queue has taken a re-send, or a table a SUCCESS, before the function learns of it."""
    behaviours = {"fails at once": FAILS, "fails late": FAILS_LATE, "takes": _TAKES_SOON}
    kills = int(killing / pause)
    # Soon, so that most of these are retries.
    with arriving(parameters, behaviours, messages, killing / 4) as cloud:
        for call in islice(cycle(["send", "settle", "send"]), kills):
            cloud.environments.troubles.give(call, Trouble.CRASH_AFTER)
            cloud.play(1_000 * pause)
        cloud.play(1_000 * failing)
        ended = _end_well(cloud)
        again = sum(queue.timed_out for queue in cloud.queues.values())
        killed = len(cloud.environments.failures)
        return [at_least("killed", killed, kills // 2), at_least("messages that came again", again, kills // 8), *ended]


def repeated(parameters: Parameters, *, messages: int, arrive: float, failing: float) -> list[Part]:
    """Hand over every batch of the stream twice at the same time and once more after that, and every message twice."""
    behaviours = {
        "takes": SUCCESS,
        "takes late": SUCCESS_LATE,
        "fails at once": FAILS,
        "fails late": FAILS_LATE,
        "fails every second": FAILS_EVERY_SECOND,
    }
    # Each receive brings another until the message is done, so none may be set aside for having been received often.
    always = replace(parameters, delivered_twice=1.0, twice_within=2.0, receives=1_000)
    with arriving(always, behaviours, messages, arrive) as cloud:
        cloud.stream.repeat = cloud.stream.at_once = sys.maxsize
        cloud.play(1_000 * (arrive + failing))
        ended = _end_well(cloud)
        # An SMS is offered once per attempt when nothing is repeated.
        twice = sum(cloud.claims[sms_id] > len(of_one) for sms_id, of_one in cloud.attempts.items())
        return [at_least("SMS offered more often than pushed", twice, len(cloud.sms)), *ended]


def finished(parameters: Parameters, *, messages: int, arrive: float, finishing: float) -> list[Part]:
    """Finish activations whose SMS are being retried: half at any moment, half about when an attempt is due."""
    behaviours = {"fails at once": FAILS, "fails late": FAILS_LATE, "never answers": NEVER_ANSWERS}
    with arriving(parameters, behaviours, messages, arrive) as cloud:
        rng = random.Random(13)

        def finish_when_due(sms_id: int) -> None:
            (sms,) = cloud.store.find([ref_of(cloud.sms[sms_id])])
            about = sms.next_due + rng.uniform(-FINISH_HOLDS_AFTER, FINISH_HOLDS_AFTER)
            cloud.later(max(0.0, about - cloud.now()), cloud.finish, sms.activation_id)

        # Each has been retried by then.
        cloud.play(1_000 * arrive + 1.5 * INTERVAL)
        for place, sms in enumerate(cloud.sms.values()):
            do, what = (finish_when_due, sms.sms_id) if place % 2 else (cloud.finish, sms.activation_id)
            cloud.later(1_000 * rng.uniform(0, finishing), do, what)
        cloud.play(1_000 * finishing + 2 * INTERVAL)
        late = [
            (seen.at - cloud.finished_at[cloud.sms[sms_id].activation_id]) / 1_000
            for sms_id, of_one in cloud.attempts.items()
            for seen in of_one
        ]
        holds_after = FINISH_HOLDS_AFTER / 1_000
        retried = sum(len(of_one) > 1 for of_one in cloud.attempts.values())
        close = sum(-holds_after < one <= 0 for one in late)
        return [
            Part("latest start of an attempt after FINISH was answered", max(0.0, *late), holds_after, "s"),
            # A retry, not the first push, is what most activations are finished before.
            at_least("finished after a retry", retried, len(cloud.sms) // 2),
            at_least("attempts close to a FINISH", close, len(cloud.sms) // 50),
            *watched(cloud),
        ]


def lost_messages(
    parameters: Parameters, *, messages: int, arrive: float, failing_sends: float, failing: float, share: float = 0.3
) -> list[Part]:
    """Refuse a share of what is sent to the queues for a while, then lose everything that is in them."""
    behaviours = {"fails at once": FAILS, "fails late": FAILS_LATE}
    with arriving(parameters, behaviours, messages, arrive) as cloud:
        for queue in cloud.queues.values():
            queue.fail_sends = share
        cloud.play(1_000 * (arrive + failing_sends))
        refused = sum(queue.refused for queue in cloud.queues.values())
        purged = len(cloud.messages())
        for queue in cloud.queues.values():
            queue.fail_sends = 0.0
        cloud.play(1_000 * failing, cloud.purge)
        shown = [at_least("sends refused", refused, messages // 2), at_least("messages purged", purged, messages)]
        return [*shown, *_end_well(cloud)]
