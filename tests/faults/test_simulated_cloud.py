"""The simulated cloud does to the functions what AWS does: late, twice, again, and in any order."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.sms import Sms
from simulation.aws import START
from simulation.pushes.cloud import SimulatedCloud
from simulation.pushes.environments import InvocationFailed
from simulation.pushes.functions import PUSH_RETRY, PUSH_SMS
from simulation.pushes.measures import after_success, at_once, by_sms
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import FAILS, NEVER_ANSWERS, SUCCESS
from simulation.pushes.queue import Invoke, Queue, QueueSource
from simulation.pushes.stream import Stream
from simulation.pushes.timeline import in_virtual_time, milliseconds, seconds

_ONCE = Parameters(delivered_twice=0.0, receives=3, stream_tries=4)
_PATIENCE = 20.0

type Batch = list[Any]
type Scene = Callable[[], Coroutine[Any, Any, None]]


def virtually(scene: Scene) -> Callable[[], None]:
    """Make a scene a test that is played in virtual time."""

    def test() -> None:
        in_virtual_time(scene())

    return test


def in_processes(scene: Scene) -> Callable[[], None]:
    """Make a scene a test that is played in real time, where functions are processes."""

    def test() -> None:
        asyncio.run(scene())

    return test


async def _until(holds: Callable[[], bool]) -> None:
    """Wait until it holds, at most for as long as we have patience."""
    end = seconds() + _PATIENCE
    while not holds():
        assert seconds() < end, "it never did"
        await asyncio.sleep(0.01)


def _entries(*bodies: str, delay: int = 0) -> list[dict[str, Any]]:
    return [{"MessageBody": body, "DelaySeconds": delay, "MessageGroupId": "hub"} for body in bodies]


def _taking(batches: list[Batch], answer: Callable[[Batch], Batch]) -> Invoke:
    """Return a function that notes the batches it is invoked with, and says which of their records failed."""

    async def invoke(event: dict[str, Any]) -> dict[str, Any]:
        batches.append(event["Records"])
        return {"batchItemFailures": [{"itemIdentifier": item} for item in answer(event["Records"])]}

    return invoke


class _Reading:
    """A queue and its source, read by a function that fails what `answer` says."""

    def __init__(self, parameters: Parameters = _ONCE, answer: Callable[[Batch], Batch] = lambda _: []) -> None:
        rng = random.Random(3)
        self.batches: list[Batch] = []
        self.queue = Queue("q", parameters, rng)
        self.source = QueueSource(self.queue, _taking(self.batches, answer), parameters, 5, rng)

    @property
    def bodies(self) -> list[str]:
        """What the function was given so far."""
        return [record["body"] for batch in self.batches for record in batch]


# ------------------------------------------------------------------ queues


@virtually
async def test_a_message_comes_after_its_delay_and_goes_when_it_is_done() -> None:
    reading = _Reading()
    reading.queue.send_batch(_entries("later", delay=10))
    await asyncio.sleep(9.9)
    assert (reading.bodies, len(reading.queue)) == ([], 1)
    await asyncio.sleep(2)
    assert (reading.bodies, len(reading.queue)) == (["later"], 0)


@virtually
async def test_a_failed_message_comes_again_alone_and_is_set_aside_in_the_end() -> None:
    reading = _Reading(answer=lambda batch: [one["messageId"] for one in batch if one["body"] == "bad"])
    reading.queue.send_batch(_entries("good", "bad"))
    await asyncio.sleep(4 * _ONCE.visibility)
    assert [message.body for message in reading.queue.dead] == ["bad"]
    assert sorted(reading.bodies) == ["bad", "bad", "bad", "good"]
    assert len(reading.queue) == 0


@pytest.mark.parametrize("delay", [-1, 901, 1.5])
def test_a_delay_that_sqs_does_not_know_is_refused(delay: Any) -> None:
    with pytest.raises(ValueError, match="DelaySeconds"):
        Queue("q", _ONCE, random.Random(3)).send_batch(_entries("x", delay=delay))


@virtually
async def test_a_queue_is_read_by_few_pollers_until_messages_wait() -> None:
    parameters = replace(_ONCE, pick_up=0.0, queue_batch=1, pollers=2)

    async def busy(_: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(10)
        return {"batchItemFailures": []}

    queue = Queue("q", parameters, random.Random(3))
    source = QueueSource(queue, busy, parameters, 4, random.Random(3))
    queue.send_batch(_entries(*map(str, range(8))))
    await asyncio.sleep(0.1)
    assert source.busy_most == 2
    await asyncio.sleep(1)
    assert source.busy_most == 4
    await asyncio.sleep(20)
    assert len(queue) == 0


# ------------------------------------------------------------------ the stream


def _ids(batch: Batch) -> list[int]:
    return [int(record["dynamodb"]["NewImage"]["sms_id"]["N"]) for record in batch]


async def _streamed(count: int, fails: Callable[[Batch], bool]) -> tuple[list[list[int]], Stream]:
    """Return which SMS of so many the batches of one lane had, when a batch fails from the first record that `fails`."""
    seen: list[list[int]] = []

    def answer(batch: Batch) -> Batch:
        seen.append(_ids(batch))
        return [record["dynamodb"]["SequenceNumber"] for record in batch if fails(_ids([record]))]

    stream = Stream(_taking([], answer), _ONCE)
    for number in range(1, count + 1):
        stream.inserted(Sms(number, 20, "hub", "447472190082", "Service", "Code 1234", START, START))
    await asyncio.sleep(10)
    return seen, stream


@virtually
async def test_a_lane_of_the_stream_is_in_order_and_goes_on_from_the_failed_record() -> None:
    failed: list[int] = []

    def once(ids: Batch) -> bool:
        failed.extend(ids)
        return ids == [3] and failed.count(3) == 1

    seen, stream = await _streamed(5, once)
    assert [one for batch in seen for one in batch] == [1, 2, 3, 4, 5, 3, 4, 5]
    assert stream.unread == []


@virtually
async def test_a_record_that_always_fails_is_given_up_and_holds_nobody_up_for_ever() -> None:
    seen, stream = await _streamed(3, lambda ids: ids == [2])
    assert seen[-1] == [3]
    assert _ids(stream.given_up) == [2]


# ------------------------------------------------------------------ functions as processes


@in_processes
async def test_a_new_sms_is_pushed_and_pushed_again_until_its_partner_takes_it() -> None:
    async with SimulatedCloud() as cloud:
        cloud.add_partner("hub", FAILS)
        ref = cloud.store_sms("hub")
        await _until(lambda: len(cloud.attempts()) == 1)
        cloud.behave(["hub"], SUCCESS)
        await _until(lambda: cloud.store.find([ref])[0].delivered_at is not None)
        seen = by_sms(cloud.attempts())
        assert [one.success for one in seen[ref.sms_id]] == [False, True]
        assert (at_once(seen), after_success(seen), cloud.errors()) == (0, 0, [])


@in_processes
async def test_an_environment_killed_in_the_middle_fails_its_invocation_and_another_takes_its_place() -> None:
    async with SimulatedCloud() as cloud:
        cloud.add_partner("hub", NEVER_ANSWERS)
        cloud.store_sms("hub")
        await _until(lambda: len(cloud.attempts()) == 1)
        assert cloud.environments.kill_busy(PUSH_SMS)
        # The partner sees its connection close, and the stream hands the SMS over again.
        await _until(lambda: cloud.attempts()[0].ended is not None)
        await _until(lambda: cloud.environments.started[PUSH_SMS] == 2)


@in_processes
async def test_an_environment_can_be_killed_after_a_call_and_before_its_answer() -> None:
    async with SimulatedCloud() as cloud:
        cloud.add_partner("hub", FAILS)
        cloud.environments.kill_after(PUSH_SMS, "send")
        cloud.store_sms("hub")
        await _until(lambda: cloud.environments.started[PUSH_SMS] == 2)
        assert cloud.retry_queue.sent == 1


@in_processes
async def test_an_environment_is_used_again_after_a_failure_and_killed_when_it_takes_too_long() -> None:
    async with SimulatedCloud(Parameters(invocation_timeout=0.5)) as cloud:
        with pytest.raises(InvocationFailed, match="KeyError"):
            await cloud.environments.invoke(PUSH_RETRY, {})
        assert await cloud.environments.invoke(PUSH_RETRY, {"Records": []}) == {"batchItemFailures": []}
        assert cloud.environments.started[PUSH_RETRY] == 1
        body = f'{{"activationId":1,"smsId":2,"partnerId":"hub","due":{milliseconds() + 5_000}}}'
        with pytest.raises(InvocationFailed, match="timed out"):
            await cloud.environments.invoke(PUSH_RETRY, {"Records": [{"messageId": "1", "body": body}]})
        assert await cloud.environments.invoke(PUSH_RETRY, {"Records": []}) == {"batchItemFailures": []}
        assert cloud.environments.started[PUSH_RETRY] == 2


@in_processes
async def test_the_sweep_runs_as_its_function_does() -> None:
    async with SimulatedCloud() as cloud:
        cloud.add_partner("hub", SUCCESS)
        long_ago = milliseconds() - 100_000
        cloud.store.store_sms(Sms(5, 6, "hub", "447472190082", "Service", "Code 1234", long_ago, long_ago))
        await cloud.sweep()
        await _until(lambda: any(seen.sms_id == 5 for seen in cloud.attempts()))
