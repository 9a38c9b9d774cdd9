"""The simulated cloud does to the functions what AWS does: late, twice, again, and in any order."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.sms import PushState, Sms
from simulation.aws import START
from simulation.pushes.cloud import SimulatedCloud
from simulation.pushes.functions import PUSH_RETRY
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import FAILS, SUCCESS_LATE
from simulation.pushes.queue import Invoke, Queue, QueueSource
from simulation.pushes.stream import Stream
from simulation.pushes.timeline import Timeline

_ONCE = Parameters(delivered_twice=0.0, receives=3, stream_tries=4)

type Batch = list[Any]


def _play(scene: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Timeline) as runner:
        runner.run(scene)


def _entries(*bodies: str, delay: int = 0) -> list[dict[str, Any]]:
    return [{"MessageBody": body, "DelaySeconds": delay, "MessageGroupId": "hub"} for body in bodies]


def _taking(answer: Callable[[Batch], Batch]) -> Invoke:
    """Return a function that says which records of its batches failed."""

    async def invoke(event: dict[str, Any]) -> dict[str, Any]:
        return {"batchItemFailures": [{"itemIdentifier": item} for item in answer(event["Records"])]}

    return invoke


def _read(queue: Queue, entries: list[dict[str, Any]], seconds: float, answer: Callable[[Batch], Batch]) -> list[str]:
    """Return the bodies that a function was given of a queue within so long, when `answer` says what fails."""
    bodies: list[str] = []

    def note(batch: Batch) -> Batch:
        bodies.extend(record["body"] for record in batch)
        return answer(batch)

    async def scene() -> None:
        QueueSource(queue, _taking(note), _ONCE, 5, random.Random(3))
        queue.send_batch(entries)
        await asyncio.sleep(seconds)

    _play(scene())
    return bodies


@pytest.fixture
def queue() -> Queue:
    return Queue("q", _ONCE, random.Random(3))


@pytest.mark.parametrize(("seconds", "came"), [(9.9, []), (12.0, ["later"])])
def test_a_message_comes_after_its_delay_and_goes_when_it_is_done(
    queue: Queue, seconds: float, came: list[str]
) -> None:
    assert _read(queue, _entries("later", delay=10), seconds, lambda _: []) == came
    assert len(queue.messages()) == 1 - len(came)


def test_a_failed_message_comes_again_alone_and_is_set_aside_in_the_end(queue: Queue) -> None:
    def bad(batch: Batch) -> Batch:
        return [one["messageId"] for one in batch if one["body"] == "bad"]

    assert sorted(_read(queue, _entries("good", "bad"), 4 * _ONCE.visibility, bad)) == ["bad", "bad", "bad", "good"]
    assert [message.body for message in queue.dead] == ["bad"]
    assert queue.messages() == []


@pytest.mark.parametrize("delay", [-1, 901, 1.5])
def test_a_delay_that_sqs_does_not_know_is_refused(queue: Queue, delay: Any) -> None:
    with pytest.raises(ValueError, match="DelaySeconds"):
        queue.send_batch(_entries("x", delay=delay))


def test_a_queue_is_read_by_few_pollers_until_messages_wait() -> None:
    parameters = replace(_ONCE, pick_up=0.0, queue_batch=1, pollers=2)
    queue = Queue("q", parameters, random.Random(3))
    began: list[float] = []

    async def busy(_: dict[str, Any]) -> dict[str, Any]:
        began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(10)
        return {"batchItemFailures": []}

    async def scene() -> None:
        QueueSource(queue, busy, parameters, 4, random.Random(3))
        queue.send_batch(_entries(*map(str, range(8))))
        await asyncio.sleep(20)

    _play(scene())
    assert [round(at, 1) for at in began] == [0.0, 0.0, 0.2, 0.4, 10.0, 10.0, 10.2, 10.4]


def _ids(batch: Batch) -> list[int]:
    return [int(record["dynamodb"]["NewImage"]["sms_id"]["N"]) for record in batch]


def _stream(count: int, fails: Callable[[int], bool]) -> tuple[list[int], Stream]:
    """Return the SMS, of so many of one lane, that a function was given, when it fails for what `fails`."""
    seen: list[int] = []

    def answer(batch: Batch) -> Batch:
        seen.extend(_ids(batch))
        return [record["dynamodb"]["SequenceNumber"] for record in batch if fails(*_ids([record]))]

    stream = Stream(_taking(answer), _ONCE)

    async def scene() -> None:
        for number in range(1, count + 1):
            stream.inserted(
                Sms(
                    SmsId(number),
                    ActivationId(20),
                    PartnerId("hub"),
                    "447472190082",
                    "Service",
                    "Code 1234",
                    START,
                    START,
                )
            )
        await asyncio.sleep(10)

    _play(scene())
    return seen, stream


def test_a_lane_of_the_stream_is_in_order_and_goes_on_from_the_failed_record() -> None:
    failing = [3]
    seen, stream = _stream(5, lambda one: one in failing and failing.pop() == one)
    assert seen == [1, 2, 3, 4, 5, 3, 4, 5]
    assert stream.unread == []


def test_a_record_that_always_fails_is_given_up_and_holds_nobody_up_for_ever() -> None:
    seen, stream = _stream(3, lambda one: one == 2)
    assert seen[-1] == 3
    assert _ids(stream.given_up) == [2]


def test_an_environment_is_used_again_after_a_failure_and_ends_when_it_takes_too_long() -> None:
    with closing(SimulatedCloud(Parameters(invocation_timeout=0.5))) as cloud:
        due = cloud.now() + 5_000
        late = {"messageId": "1", "body": f'{{"activationId":1,"smsId":2,"partnerId":"hub","due":{due}}}'}
        events: list[dict[str, Any]] = [{}, {"Records": []}, {"Records": [late]}, {"Records": []}]
        for event in events:
            cloud.play(1_000, lambda: cloud.start(PUSH_RETRY, event))  # noqa: B023 - played at once
        assert cloud.environments.failures == ["push_retry: KeyError('Records')", "push_retry: timed out"]
        assert [line.partition("s: ")[2] for line in cloud.told] == [f"push_retry {n} calls many" for n in (1, 1, 2)]


def test_while_the_account_has_no_execution_left_streams_wait_and_messages_come_back_when_they_are_visible() -> None:
    with closing(SimulatedCloud(Parameters(concurrency=1, visibility=20.0, delivered_twice=0.0))) as cloud:
        cloud.add_partner("late", SUCCESS_LATE)
        cloud.add_partner("failing", FAILS)
        cloud.play(30_000, *(partial(cloud.store_sms, name) for name in ("failing", "late", "late", "failing")))
        assert cloud.environments.throttled > 0
        assert not cloud.stream.given_up
        cloud.calm_down()
        cloud.play(60_000)
        assert sum(queue.timed_out for queue in cloud.queues.values()) > 0
        assert {sms.push_state for sms in cloud.standings()} == {PushState.DELIVERED}


def test_a_schedule_starts_once_within_each_minute_and_not_on_it() -> None:
    with closing(SimulatedCloud()) as cloud:
        cloud.play(600_000)
        ends = [float(line.split(" s:")[0]) for line in cloud.told if "calls many" in line]
    assert [int(at // 60) for at in ends] == [*range(1, 10)]
    assert len({round(at % 60) for at in ends}) > 5


def test_what_is_started_asynchronously_waits_for_an_execution_no_longer_than_the_template_says() -> None:
    with closing(SimulatedCloud(Parameters(concurrency=0, sweep_late=0.0))) as cloud:
        cloud.play(119_000)
        # After 1, 3, 7, 15 and 31 s again; the next would be after 63 s.
        assert cloud.environments.throttled == 6
