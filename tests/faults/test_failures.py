"""Killed functions, repeats, FINISH and lost messages on the simulated cloud: contract 3. `make bench` plays them large.

The sweep runs more often than every minute here; what else the schedule waits for is as deployed.
"""

from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from globalconnect.domain.sms import PushState
from simulation.pushes.cloud import CALLS, SimulatedCloud
from simulation.pushes.environments import Trouble
from simulation.pushes.failures import finished, killed_after_sending, killed_in_the_middle, lost_messages, repeated
from simulation.pushes.measures import Part
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import FAILS_LATE, SUCCESS

# 10 s, 45 s and a sweep after the last kill or purge everything goes on again.
_GOES_ON = 10.0 + 45.0 + 10.0 + 5.0


@pytest.fixture(params=[1, 2, 3])
def parameters(request: pytest.FixtureRequest) -> Parameters:
    """Return what the cloud is like; each seed plays another course."""
    return Parameters(sweep_every=10.0, seed=request.param)


def _missed(parts: list[Part]) -> list[str]:
    return [str(part) for part in parts if not part.ok]


def test_pushes_go_on_when_functions_are_killed_in_the_middle_of_a_batch(parameters: Parameters) -> None:
    assert _missed(killed_in_the_middle(parameters, messages=48, killing=16, pause=1, failing=_GOES_ON)) == []


def test_pushes_go_on_when_functions_are_killed_between_re_send_and_delete(parameters: Parameters) -> None:
    # Messages come back before the sweep finds what was lost, so that this way back is seen by itself.
    soon = replace(parameters, visibility=35.0)
    assert _missed(killed_after_sending(soon, messages=40, killing=20, pause=1.5, failing=45)) == []


def test_what_stream_and_queues_deliver_twice_is_pushed_once(parameters: Parameters) -> None:
    assert _missed(repeated(parameters, messages=25, arrive=5, failing=25)) == []


def test_no_attempt_starts_more_than_half_a_second_after_finish_was_answered(parameters: Parameters) -> None:
    assert _missed(finished(parameters, messages=80, arrive=3, finishing=12)) == []


def test_nothing_is_lost_when_sends_fail_and_the_queues_are_purged(parameters: Parameters) -> None:
    assert _missed(lost_messages(parameters, messages=100, arrive=4, failing_sends=12, failing=_GOES_ON)) == []


@pytest.mark.parametrize("trouble", Trouble)
@pytest.mark.parametrize("call", CALLS)
def test_every_call_of_the_push_functions_may_meet_every_trouble_once(call: str, trouble: Trouble) -> None:
    with closing(SimulatedCloud(Parameters(sweep_every=20.0, sweep_late=5.0))) as cloud:
        cloud.add_partner("hub", FAILS_LATE)
        cloud.environments.troubles.give(call, trouble)
        cloud.play(15_000, partial(cloud.store_sms, "hub"), partial(cloud.store_sms, "hub"))
        # So that the sweep has something to do as well.
        cloud.play(100_000, cloud.purge)
        cloud.play(60_000, partial(cloud.behave, ["hub"], SUCCESS))
        assert not cloud.environments.troubles.waiting.get(call), "nothing has made this call"
        cloud.calm_down()
        cloud.play(200_000)
        assert cloud.wrong == []
        assert {sms.push_state for sms in cloud.standings()} == {PushState.DELIVERED}
