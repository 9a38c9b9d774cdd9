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
from simulation.aws import START, TEMPLATE
from simulation.pushes.cloud import SimulatedCloud
from simulation.pushes.environments import Trouble
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


def test_both_queues_and_both_push_functions_are_alike_since_they_are_simulated_by_the_figures_of_one() -> None:
    resources = TEMPLATE["Resources"]
    assert resources["RetryQueue"]["Properties"] == resources["SlowRetryQueue"]["Properties"]
    of_each = {"EventSourceArn", "ScalingConfig"}
    due, slow_due = (
        {name: stated for name, stated in resources[source]["Properties"].items() if name not in of_each}
        for source in ("PushRetryFunctionDue", "PushRetryFunctionSlowDue")
    )
    assert due == slow_due
    assert len({resources[name]["Properties"]["Timeout"] for name in ("PushSmsFunction", "PushRetryFunction")}) == 1


def _ids(batch: Batch) -> list[int]:
    return [int(record["dynamodb"]["NewImage"]["sms_id"]["N"]) for record in batch]


def _new_sms(number: int, activation_id: int) -> Sms:
    return Sms(
        SmsId(number),
        ActivationId(activation_id),
        PartnerId("hub"),
        "447472190082",
        "Service",
        "Code 1234",
        START,
        START,
    )


def _stream(count: int, fails: Callable[[int], bool]) -> tuple[list[int], Stream]:
    """Return the SMS, of so many of one lane, that a function was given, when it fails for what `fails`."""
    seen: list[int] = []

    def answer(batch: Batch) -> Batch:
        seen.extend(_ids(batch))
        return [record["dynamodb"]["SequenceNumber"] for record in batch if fails(*_ids([record]))]

    stream = Stream(_taking(answer), _ONCE)

    async def scene() -> None:
        for number in range(1, count + 1):
            stream.inserted(_new_sms(number, 20))
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


@pytest.mark.parametrize(("shards", "lanes"), [(1, 1), (1, 3), (4, 1), (4, 2)])
def test_every_shard_of_the_stream_is_looked_at_four_times_a_second_and_has_lanes_of_its_own(
    shards: int, lanes: int
) -> None:
    began: list[float] = []
    seen: dict[int, list[int]] = {}
    busy: set[int] = set()

    async def invoke(event: dict[str, Any]) -> dict[str, Any]:
        began.append(asyncio.get_running_loop().time())
        records = [(record["dynamodb"]["NewImage"], *_ids([record])) for record in event["Records"]]
        activations = {int(image["activation_id"]["N"]) for image, _ in records}
        assert not busy & activations
        busy.update(activations)
        await asyncio.sleep(1)
        busy.difference_update(activations)
        for image, sms_id in records:
            seen.setdefault(int(image["activation_id"]["N"]), []).append(sms_id)
        return {"batchItemFailures": []}

    async def scene() -> None:
        stream = Stream(invoke, replace(_ONCE, shards=shards, stream_lanes=lanes, stream_batch=1_000))
        for number in range(1, 401):
            stream.inserted(_new_sms(number, number % 100))
            await asyncio.sleep(0.001)
        assert stream.unread
        await asyncio.sleep(10)
        assert not stream.unread

    _play(scene())
    # What came in the first 0.25 s; the rest waits until its lane is done with that.
    assert began == [0.25] * shards * lanes + [1.25] * shards * lanes
    assert [sms_ids == sorted(sms_ids) and len(sms_ids) == 4 for sms_ids in seen.values()] == [True] * 100


def test_a_batch_of_the_stream_is_gathered_for_its_window() -> None:
    batches: list[list[int]] = []

    def note(batch: Batch) -> Batch:
        batches.append(_ids(batch))
        return []

    async def scene() -> None:
        stream = Stream(_taking(note), replace(_ONCE, stream_window=1.0, stream_batch=3))
        for number in range(1, 6):
            stream.inserted(_new_sms(number, 20))
            await asyncio.sleep(0.3)
        await asyncio.sleep(5)

    _play(scene())
    assert batches == [[1, 2, 3], [4, 5]]


@pytest.mark.parametrize(
    ("choice", "lineage", "goes_on"), [("Terminate", 15, [16, 16]), ("Terminate", 16, []), ("Allow", 16, [17, 17])]
)
def test_a_batch_counts_with_its_largest_lineage_and_hands_that_on_unless_it_is_refused_as_a_loop(
    choice: str, lineage: int, goes_on: list[int]
) -> None:
    # One poller, so that both come in one batch.
    parameters = Parameters(recursive_loop=choice, pollers=1, delivered_twice=0.0, sweep_every=1_000.0, visibility=40.0)
    with closing(SimulatedCloud(parameters)) as cloud:
        cloud.add_partner("failing", FAILS)
        cloud.play(5_000, *[partial(cloud.store_sms, "failing")] * 2)
        queue = cloud.queues["retry"]
        first = queue.messages()
        assert [message.lineage for message in first] == [1, 1]
        first[0].lineage = lineage
        cloud.play(10_000)
        assert [message.lineage for message in queue.sent[2:]] == goes_on
        assert cloud.environments.dropped_as_loop == (not goes_on)
        assert (queue.messages() == first) is (not goes_on)
        # It comes back when it is visible, and is set aside in the end.
        cloud.play(40_000 * parameters.receives)
        assert (queue.dead != []) is (not goes_on)


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
        ends = [float(line.split(" s:")[0]) for line in cloud.told if "calls without_secrets" in line]
    assert [int(at // 60) for at in ends] == [*range(1, 10)]
    assert len({round(at % 60) for at in ends}) > 5


def test_what_is_started_asynchronously_waits_for_an_execution_no_longer_than_the_template_says() -> None:
    with closing(SimulatedCloud(Parameters(concurrency=0, sweep_late=0.0))) as cloud:
        cloud.play(119_000)
        # After 1, 3, 7, 15 and 31 s again; the next would be after 63 s.
        assert cloud.environments.throttled == 6


@pytest.mark.parametrize(("retries", "runs"), [(Parameters().sweep_retries, [0]), (2, [0, 60, 180])])
def test_what_is_started_asynchronously_and_fails_is_tried_again_as_often_as_the_template_says(
    retries: int, runs: list[int]
) -> None:
    with closing(SimulatedCloud(Parameters(sweep_retries=retries, sweep_age=600.0, sweep_every=1_000.0))) as cloud:
        cloud.environments.troubles.give("without_secrets", Trouble.CRASH_BEFORE, times=5)
        cloud.play(900_000, cloud.sweep)
        assert [round(float(line.split(" s:")[0])) for line in cloud.told if "calls without_secrets" in line] == runs
