"""The simulated cloud does to the functions what AWS does: late, twice, again, and in any order."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from globalconnect.domain.sms import Sms
from simulation.aws import START
from tests.faults.cloud.behaviour import FAILS, NEVER_ANSWERS, SUCCESS
from tests.faults.cloud.environments import PUSH_RETRY, PUSH_SMS, InvocationFailed
from tests.faults.cloud.parameters import Parameters
from tests.faults.cloud.queue import Queue, QueueSource
from tests.faults.cloud.simulated import SimulatedCloud
from tests.faults.cloud.stream import Stream
from tests.faults.measures import after_success, at_once, by_sms

_QUICK = Parameters(
    delivered_twice=0.0, pick_up=0.01, window=0.05, visibility=0.2, receives=3, stream_poll=0.01, stream_tries=4
)
_PATIENCE = 20.0

type Batch = list[Any]


def _play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scene)


async def _until(holds: Callable[[], bool]) -> None:
    """Wait until it holds, at most for as long as we have patience."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never did"
        await asyncio.sleep(0.01)


def _entries(*bodies: str, delay: int = 0) -> list[dict[str, Any]]:
    return [
        {"Id": str(place), "MessageBody": body, "DelaySeconds": delay, "MessageGroupId": "hub"}
        for place, body in enumerate(bodies)
    ]


def _taking(batches: list[Batch], answer: Callable[[Batch], Batch]) -> Callable[[dict[str, Any]], Awaitable[Any]]:
    """Return a function that notes the batches it is invoked with, and says which of their records failed."""

    async def invoke(event: dict[str, Any]) -> dict[str, Any]:
        batches.append(event["Records"])
        return {"batchItemFailures": [{"itemIdentifier": item} for item in answer(event["Records"])]}

    return invoke


class _Reading:
    """A queue and its source, read by a function that fails what `answer` says."""

    def __init__(self, parameters: Parameters = _QUICK, answer: Callable[[Batch], Batch] = lambda _: []) -> None:
        rng = random.Random(3)
        self.batches: list[Batch] = []
        self.queue = Queue("q", parameters, rng)
        self.source = QueueSource(self.queue, _taking(self.batches, answer), parameters, 5, rng)

    @property
    def bodies(self) -> list[str]:
        """What the function was given so far."""
        return [record["body"] for batch in self.batches for record in batch]


# ------------------------------------------------------------------ queues


def test_a_message_comes_after_its_delay_and_goes_when_it_is_done() -> None:
    async def scene() -> None:
        reading = _Reading()
        sent = time.monotonic()
        reading.queue.send_batch(_entries("later", delay=1))
        await _until(lambda: reading.bodies == ["later"])
        assert time.monotonic() - sent >= 1
        await _until(lambda: len(reading.queue) == 0)

    _play(scene())


def test_a_failed_message_comes_again_alone_and_is_set_aside_in_the_end() -> None:
    async def scene() -> None:
        reading = _Reading(answer=lambda batch: [one["messageId"] for one in batch if one["body"] == "bad"])
        reading.queue.send_batch(_entries("good", "bad"))
        await _until(lambda: [message.body for message in reading.queue.dead] == ["bad"])
        assert sorted(reading.bodies) == ["bad", "bad", "bad", "good"]
        assert len(reading.queue) == 0

    _play(scene())


def test_a_message_may_come_twice() -> None:
    async def scene() -> None:
        reading = _Reading(Parameters(delivered_twice=1.0, twice_within=0.0, pick_up=0.0, window=0.05, pollers=1))
        reading.queue.send_batch(_entries("again"))
        await _until(lambda: reading.bodies.count("again") >= 2)

    _play(scene())


def test_a_purged_queue_gives_nothing() -> None:
    async def scene() -> None:
        reading = _Reading()
        reading.queue.send_batch(_entries("lost", delay=1))
        reading.queue.purge()
        reading.queue.send_batch(_entries("kept", delay=1))
        await _until(lambda: reading.bodies != [])
        assert reading.bodies == ["kept"]

    _play(scene())


def test_sending_may_fail_entry_by_entry() -> None:
    async def scene() -> None:
        reading = _Reading()
        reading.queue.fail_sends = 0.5
        answer = reading.queue.send_batch(_entries(*map(str, range(100))))
        assert 30 < len(answer["Failed"]) < 70
        await _until(lambda: len(reading.bodies) == len(answer["Successful"]))

    _play(scene())


@pytest.mark.parametrize("delay", [-1, 901, 1.5])
def test_a_delay_that_sqs_does_not_know_is_refused(delay: Any) -> None:
    with pytest.raises(ValueError, match="DelaySeconds"):
        _Reading().queue.send_batch(_entries("x", delay=delay))


def test_a_queue_is_read_by_few_pollers_until_messages_wait() -> None:
    async def scene() -> None:
        parameters = Parameters(delivered_twice=0.0, pick_up=0.0, queue_batch=1, pollers=2, pollers_per_second=100.0)
        busy = asyncio.Event()

        async def invoke(_event: dict[str, Any]) -> dict[str, Any]:
            await busy.wait()
            return {"batchItemFailures": []}

        queue = Queue("q", parameters, random.Random(3))
        source = QueueSource(queue, invoke, parameters, 4, random.Random(3))
        queue.send_batch(_entries(*map(str, range(8))))
        await _until(lambda: source.busy_most == 2)
        source.start()
        await _until(lambda: source.busy_most == 4)
        busy.set()
        await _until(lambda: len(queue) == 0)
        await source.stop()

    _play(scene())


# ------------------------------------------------------------------ the stream


def _sms(number: int) -> Sms:
    return Sms(number, 20, "hub", "447472190082", "Service", "Code 1234", START, START)


def _ids(batch: Batch) -> list[int]:
    return [int(record["dynamodb"]["NewImage"]["sms_id"]["N"]) for record in batch]


async def _stream(fails: Callable[[Batch], Batch], count: int, seen: list[Batch], parameters: Parameters) -> Stream:
    stream = Stream(_taking(seen, fails), parameters)
    for number in range(1, count + 1):
        stream.inserted(_sms(number))
    stream.start()
    return stream


def test_a_lane_of_the_stream_is_in_order_and_goes_on_from_the_failed_record() -> None:
    async def scene() -> None:
        seen: list[Batch] = []

        def fails(batch: Batch) -> Batch:
            return [batch[2]["dynamodb"]["SequenceNumber"]] if len(seen) == 1 else []

        stream = await _stream(fails, 5, seen, _QUICK)
        await _until(lambda: sum(len(batch) for batch in seen) >= 5 + 3)
        await stream.stop()
        assert [one for batch in seen for one in _ids(batch)] == [1, 2, 3, 4, 5, 3, 4, 5]

    _play(scene())


def test_a_record_that_always_fails_is_given_up_and_holds_nobody_up_for_ever() -> None:
    async def scene() -> None:
        seen: list[Batch] = []

        def fails(batch: Batch) -> Batch:
            return [record["dynamodb"]["SequenceNumber"] for record in batch if _ids([record]) == [2]]

        stream = await _stream(fails, 3, seen, _QUICK)
        await _until(lambda: len(seen) > 0 and _ids(seen[-1]) == [3])
        await stream.stop()
        assert _ids(stream.given_up) == [2]

    _play(scene())


def test_a_batch_of_the_stream_may_come_twice() -> None:
    async def scene() -> None:
        seen: list[Batch] = []
        stream = Stream(_taking(seen, lambda _: []), _QUICK)
        stream.repeat = 1
        stream.inserted(_sms(1))
        stream.start()
        await _until(lambda: len(seen) == 2)
        await stream.stop()
        assert [_ids(batch) for batch in seen] == [[1], [1]]

    _play(scene())


# ------------------------------------------------------------------ functions and partners


def test_a_new_sms_is_pushed_and_pushed_again_until_its_partner_takes_it() -> None:
    async def scene() -> None:
        async with SimulatedCloud() as cloud:
            cloud.add_partner("hub", FAILS)
            ref = cloud.store_sms("hub")
            await _until(lambda: len(cloud.attempts()) == 1)
            cloud.behave("hub", SUCCESS)
            await _until(lambda: cloud.store.find([ref])[0].delivered_at is not None)
            seen = by_sms(cloud.attempts())
            assert [one.success for one in seen[ref.sms_id]] == [False, True]
            assert (at_once(seen), after_success(seen), cloud.errors()) == (0, 0, [])

    _play(scene())


def test_a_finished_activation_is_not_pushed_again() -> None:
    async def scene() -> None:
        async with SimulatedCloud() as cloud:
            cloud.add_partner("hub", FAILS)
            ref = cloud.store_sms("hub")
            await _until(lambda: len(cloud.attempts()) == 1)
            cloud.finish(ref.activation_id)
            await _until(lambda: cloud.store.find([ref])[0].push_state.value == "stopped")
            assert len(cloud.attempts()) == 1

    _play(scene())


def test_an_environment_killed_in_the_middle_fails_its_invocation_and_another_takes_its_place() -> None:
    async def scene() -> None:
        async with SimulatedCloud() as cloud:
            cloud.add_partner("hub", NEVER_ANSWERS)
            cloud.store_sms("hub")
            await _until(lambda: len(cloud.attempts()) == 1)
            assert cloud.environments.kill_busy(PUSH_SMS)
            # The partner sees its connection close, and the stream hands the SMS over again.
            await _until(lambda: cloud.attempts()[0].ended is not None)
            await _until(lambda: cloud.environments.started[PUSH_SMS] == 2)

    _play(scene())


def test_an_environment_can_be_killed_after_a_call_and_before_its_answer() -> None:
    async def scene() -> None:
        async with SimulatedCloud() as cloud:
            cloud.add_partner("hub", FAILS)
            cloud.environments.kill_after(PUSH_SMS, "send_message_batch")
            cloud.store_sms("hub")
            await _until(lambda: cloud.environments.started[PUSH_SMS] == 2)
            assert cloud.retry_queue.sent == 1

    _play(scene())


def test_an_idle_environment_is_used_again_and_one_that_takes_too_long_is_killed() -> None:
    async def scene() -> None:
        parameters = Parameters(invocation_timeout=1.0)
        async with SimulatedCloud(parameters) as cloud:
            for _ in range(3):
                assert await cloud.environments.invoke(PUSH_RETRY, {"Records": []}) == {"batchItemFailures": []}
            assert cloud.environments.started[PUSH_RETRY] == 1
            body = {"activationId": 1, "smsId": 2, "partnerId": "hub", "due": round(time.time() * 1000) + 5_000}
            with pytest.raises(InvocationFailed, match="timed out"):
                await cloud.environments.invoke(PUSH_RETRY, {"Records": [{"messageId": "1", "body": json.dumps(body)}]})
            assert await cloud.environments.invoke(PUSH_RETRY, {"Records": []}) == {"batchItemFailures": []}
            assert cloud.environments.started[PUSH_RETRY] == 2

    _play(scene())


def test_a_function_that_raises_fails_its_invocation_only() -> None:
    async def scene() -> None:
        async with SimulatedCloud() as cloud:
            with pytest.raises(InvocationFailed, match="KeyError"):
                await cloud.environments.invoke(PUSH_RETRY, {})
            assert await cloud.environments.invoke(PUSH_RETRY, {"Records": []}) == {"batchItemFailures": []}
            assert cloud.environments.started[PUSH_RETRY] == 1

    _play(scene())


def test_the_sweep_runs_as_its_function_does() -> None:
    async def scene() -> None:
        async with SimulatedCloud() as cloud:
            cloud.add_partner("hub", SUCCESS)
            long_ago = round(time.time() * 1000) - 100_000
            lost = Sms(5, 6, "hub", "447472190082", "Service", "Code 1234", long_ago, long_ago)
            cloud.store.store_sms(lost)
            await cloud.sweep()
            await _until(lambda: any(seen.sms_id == 5 for seen in cloud.attempts()))

    _play(scene())
