"""Rows push.5 to push.8: what killed processes, repeats, FINISH_ACTIVATION and lost messages do to pushes.

The real delivery code runs on the simulated cloud of tests/faults; the situations are those of
tests/faults/failures.py.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from bench.row import Row, Say
from tests.faults.cloud.parameters import Parameters
from tests.faults.failures import (
    FinishScale,
    KillScale,
    LossScale,
    RepeatScale,
    finished,
    killed_after_sending,
    killed_in_the_middle,
    lost_messages,
    repeated,
    repeating,
)
from tests.faults.measures import Part

IDS = ("push.5", "push.6", "push.7", "push.8")

_CLAIMS = {
    "push.5": "processes killed in a batch, or between re-send and delete: nothing lost, pushes go on within 3 min",
    "push.6": "every stream batch and queue message delivered twice: no push after a recorded SUCCESS, never two at once",
    "push.7": "FINISH_ACTIVATION while retrying: no attempt starts more than 0.5 s after it was answered",
    "push.8": "30 % of queue sends fail, then the queues are purged: nothing lost, pushes go on within 3 min",
}

# The last kill is 30 s in; what was received until 15 s comes again while partners still fail, the rest after that.
_KILLS = KillScale(messages=100, killing=30, pause=1.5, failing=165)
_REPEATS = RepeatScale(messages=100, arriving=10, failing=25)
_FINISHES = FinishScale(messages=250, arriving=5, finishing=20, after=12)
# Beside the kills; ends no later than they do. One sweep runs while sends fail.
_LOSSES = LossScale(messages=200, arriving=5, failing_sends=65, failing=125)

type Found = dict[str, list[Part]]


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Measure; each row's value is how much of its limit the worst of its parts uses."""
    parameters = Parameters()
    for line in parameters.lines():
        progress(line)
    progress(f"the sweep: every {parameters.sweep_every:g} s")
    found = asyncio.run(_side_by_side(parameters, wanted, progress))
    if "push.6" in wanted:
        progress(f"push.6: instead of 1 in 200 messages, every one {_twice(parameters)}; every stream batch 3 times")
        found["push.6"] = asyncio.run(repeated(_REPEATS, parameters, progress))
    if "push.7" in wanted:
        progress("push.7: push_retry with no other priority than the rest")
        found["push.7"] = asyncio.run(finished(_FINISHES, replace(parameters, retry_niceness=0), progress))
    for row_id in IDS:
        if row_id in found:
            yield _row(row_id, found[row_id], progress)


async def _side_by_side(parameters: Parameters, wanted: Collection[str], progress: Say) -> Found:
    """Play what takes minutes, mostly of waiting."""
    async with asyncio.TaskGroup() as together:
        playing = []
        if "push.5" in wanted:
            playing += [
                ("push.5", together.create_task(killed_in_the_middle(_KILLS, parameters, progress))),
                ("push.5", together.create_task(killed_after_sending(_KILLS, parameters, progress))),
            ]
        if "push.8" in wanted:
            playing.append(("push.8", together.create_task(lost_messages(_LOSSES, parameters, progress))))
    found: Found = {}
    for row_id, task in playing:
        found.setdefault(row_id, []).extend(task.result())
    return found


def _twice(parameters: Parameters) -> str:
    repeats = repeating(parameters)
    return f"is delivered again within {repeats.twice_within:g} s of each receive until it is deleted"


def _row(row_id: str, parts: Sequence[Part], progress: Say) -> Row:
    for part in parts:
        progress(str(part))
    used = max(part.used for part in parts)
    return Row(row_id, _CLAIMS[row_id], round(used, 3), "of the limit", 1.0, all(part.ok for part in parts))
