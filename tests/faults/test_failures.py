"""Killed processes, repeats, FINISH and lost messages on the simulated cloud, at a small scale: contract 3.

`make bench` plays the same at full scale. They are real time, so all are played side by side, each on a cloud of its own. The sweep runs more often than every minute here; what else the schedule waits for is as deployed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

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
)
from tests.faults.measures import Part

_OFTEN = Parameters(sweep_every=10.0)
# Messages come back before the sweep finds what was lost, so that this way back is seen by itself.
_SOON_VISIBLE = replace(_OFTEN, visibility=35.0)
# Retries are what is timed here, so they have no lower priority.
_FINISH = Parameters(retry_niceness=0)

# 10 s, 45 s and a sweep after the last kill or purge everything goes on again.
_GOES_ON = 10.0 + 45.0 + 10.0 + 5.0


type Found = dict[str, Sequence[Part]]


@pytest.fixture(scope="module")
def found() -> Found:
    """Play everything."""
    return asyncio.run(_play())


async def _play() -> Found:
    in_the_middle = KillScale(messages=48, killing=16, pause=1.0, failing=_GOES_ON)
    after_sending = KillScale(messages=40, killing=20, pause=1.5, failing=45)
    async with asyncio.TaskGroup() as together:
        playing = {
            "killed in the middle": together.create_task(killed_in_the_middle(in_the_middle, _OFTEN, print)),
            "killed after sending": together.create_task(killed_after_sending(after_sending, _SOON_VISIBLE, print)),
            "repeated": together.create_task(repeated(RepeatScale(25, 5, 25), _OFTEN, print)),
            "finished": together.create_task(finished(FinishScale(80, 3, 12, 11), _FINISH, print)),
            "lost": together.create_task(lost_messages(LossScale(100, 4, 12, _GOES_ON), _OFTEN, print)),
        }
    return {name: task.result() for name, task in playing.items()}


def _missed(parts: Sequence[Part]) -> list[str]:
    return [str(part) for part in parts if not part.ok]


def test_pushes_go_on_when_processes_are_killed_in_the_middle_of_a_batch(found: Found) -> None:
    assert _missed(found["killed in the middle"]) == []


def test_pushes_go_on_when_processes_are_killed_between_re_send_and_delete(found: Found) -> None:
    assert _missed(found["killed after sending"]) == []


def test_what_stream_and_queues_deliver_twice_is_pushed_once(found: Found) -> None:
    assert _missed(found["repeated"]) == []


def test_no_attempt_starts_more_than_half_a_second_after_finish_was_answered(found: Found) -> None:
    assert _missed(found["finished"]) == []


def test_nothing_is_lost_when_sends_fail_and_the_queues_are_purged(found: Found) -> None:
    assert _missed(found["lost"]) == []
