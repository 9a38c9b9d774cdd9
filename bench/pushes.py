"""Rows push.1 to push.8: what outages and failures do to pushes, in real time, with functions that are processes.

The situations are those of simulation/pushes, which the tests play small and in virtual time.
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bench.row import Row, Say
from simulation.pushes.failures import (
    FinishScale,
    KillScale,
    LossScale,
    RepeatScale,
    finished,
    killed_after_sending,
    killed_in_the_middle,
    lost_messages,
    repeated,
)
from simulation.pushes.measures import Part
from simulation.pushes.outages import CadenceScale, OutageScale, baseline, cadence, outage, outages, twelve
from simulation.pushes.parameters import Parameters

_CLAIMS = {
    "push.1": "a partner fails for 3 min: attempts start 10 s apart, p50 +-0.5 s, p99 +-1 s, until the first SUCCESS",
    "push.2": "an outage with 5,000 SMS pending delays another partner's first pushes by 200 ms at most, its retries not",
    "push.3": "when that partner comes back, all 5,000 are delivered within 20 s, each once",
    "push.4": "twelve outages with 400 SMS pending each delay another partner's pushes no more than one does",
    "push.5": "processes killed in a batch, or between re-send and delete: nothing lost, pushes go on within 3 min",
    "push.6": "every stream batch and queue message delivered twice: no push after a recorded SUCCESS, never two at once",
    "push.7": "FINISH_ACTIVATION while retrying: no attempt starts more than 0.5 s after it was answered",
    "push.8": "30 % of queue sends fail, then the queues are purged: nothing lost, pushes go on within 3 min",
}
IDS = tuple(_CLAIMS)

_CADENCE = CadenceScale(messages=200, arriving=10, failing=180, after=20)
_OUTAGE = OutageScale(baseline=40, watched=40)
_PENDING = 5_000
_PENDING_OF_TWELVE = 400
# The last kill is 30 s in; what was received until 15 s comes again while partners still fail, the rest after that.
_KILLS = KillScale(messages=100, killing=30, pause=1.5, failing=165)
_REPEATS = RepeatScale(messages=100, arriving=10, failing=25)
_FINISHES = FinishScale(messages=250, arriving=5, finishing=20, after=12)
# Beside the kills; ends no later than they do. One sweep runs while sends fail.
_LOSSES = LossScale(messages=200, arriving=5, failing_sends=65, failing=125)


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Measure; each row's value is how much of its limit the worst of its parts uses."""
    parameters = Parameters()
    progress(str(parameters))
    for row_id, parts in _found(parameters, wanted, progress):
        for part in parts:
            progress(str(part))
        used = max(part.used for part in parts)
        yield Row(row_id, _CLAIMS[row_id], round(used, 3), "of the limit", 1.0, all(part.ok for part in parts))


def _found(parameters: Parameters, wanted: Collection[str], progress: Say) -> Iterator[tuple[str, Sequence[Part]]]:
    if "push.1" in wanted:
        yield "push.1", asyncio.run(cadence(_CADENCE, parameters, progress))
    if {"push.2", "push.3", "push.4"}.intersection(wanted):
        yield from _outages(parameters, wanted, progress)
    # What takes minutes, mostly of waiting, is played side by side.
    playing: dict[str, list[Coroutine[Any, Any, list[Part]]]] = {}
    if "push.5" in wanted:
        playing["push.5"] = [
            play(_KILLS, parameters, progress) for play in (killed_in_the_middle, killed_after_sending)
        ]
    if "push.8" in wanted:
        playing["push.8"] = [lost_messages(_LOSSES, parameters, progress)]
    yield from asyncio.run(_side_by_side(playing)).items()
    if "push.6" in wanted:
        yield "push.6", asyncio.run(repeated(_REPEATS, parameters, progress))
    if "push.7" in wanted:
        # Retries are what is timed, so they have no lower priority.
        yield "push.7", asyncio.run(finished(_FINISHES, replace(parameters, retry_niceness=0), progress))


def _outages(parameters: Parameters, wanted: Collection[str], progress: Say) -> Iterator[tuple[str, Sequence[Part]]]:
    usual = asyncio.run(baseline(_OUTAGE, parameters, progress))
    progress(f"without an outage: healthy first push, p99: {1000 * usual:.0f} ms")
    # Row 3 is the end of the first outage of row 2.
    situations = outages(_PENDING) if "push.2" in wanted else outages(_PENDING)[:1] if "push.3" in wanted else []
    played = [asyncio.run(outage(_OUTAGE, what, parameters, progress)) for what in situations]
    if "push.2" in wanted:
        yield "push.2", [part for one in played for part in one.beside(usual)]
    if "push.3" in wanted:
        yield "push.3", played[0].back
    if "push.4" in wanted:
        many = asyncio.run(outage(_OUTAGE, twelve(_PENDING_OF_TWELVE), parameters, progress))
        yield "push.4", [*many.beside(usual), *many.back]


async def _side_by_side(playing: dict[str, list[Coroutine[Any, Any, list[Part]]]]) -> dict[str, list[Part]]:
    rows = [asyncio.gather(*situations) for situations in playing.values()]
    return {row_id: [part for parts in await row for part in parts] for row_id, row in zip(playing, rows, strict=True)}
