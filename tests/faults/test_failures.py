"""Killed processes, repeats, FINISH and lost messages on the simulated cloud: contract 3. `make bench` plays them large.

In virtual time. The sweep runs more often than every minute here; what else the schedule waits for is as deployed.
"""

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

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
from simulation.pushes.parameters import Parameters
from simulation.pushes.timeline import in_virtual_time

# 10 s, 45 s and a sweep after the last kill or purge everything goes on again.
_GOES_ON = 10.0 + 45.0 + 10.0 + 5.0


@pytest.fixture(params=[1, 2, 3])
def parameters(request: pytest.FixtureRequest) -> Parameters:
    """Return what the cloud is like; each seed plays another course."""
    return Parameters(sweep_every=10.0, seed=request.param)


def _missed(situation: Coroutine[Any, Any, list[Part]]) -> list[str]:
    return [str(part) for part in in_virtual_time(situation) if not part.ok]


def test_pushes_go_on_when_processes_are_killed_in_the_middle_of_a_batch(parameters: Parameters) -> None:
    scale = KillScale(messages=48, killing=16, pause=1.0, failing=_GOES_ON)
    assert _missed(killed_in_the_middle(scale, parameters, print)) == []


def test_pushes_go_on_when_processes_are_killed_between_re_send_and_delete(parameters: Parameters) -> None:
    scale = KillScale(messages=40, killing=20, pause=1.5, failing=45)
    # Messages come back before the sweep finds what was lost, so that this way back is seen by itself.
    assert _missed(killed_after_sending(scale, replace(parameters, visibility=35.0), print)) == []


def test_what_stream_and_queues_deliver_twice_is_pushed_once(parameters: Parameters) -> None:
    assert _missed(repeated(RepeatScale(messages=25, arriving=5, failing=25), parameters, print)) == []


def test_no_attempt_starts_more_than_half_a_second_after_finish_was_answered(parameters: Parameters) -> None:
    scale = FinishScale(messages=80, arriving=3, finishing=12, after=11)
    assert _missed(finished(scale, parameters, print)) == []


def test_nothing_is_lost_when_sends_fail_and_the_queues_are_purged(parameters: Parameters) -> None:
    scale = LossScale(messages=100, arriving=4, failing_sends=12, failing=_GOES_ON)
    assert _missed(lost_messages(scale, parameters, print)) == []
