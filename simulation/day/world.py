"""GlobalConnect in virtual time: every function's handler, over DynamoDB in memory, started by what starts it on AWS.

All of it runs in one thread. Calls to AWS take a few ms of the day's time, in which everything else goes on, so that requests
cross each other as they do there.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

from greenlet import getcurrent  # type: ignore[import-untyped]

import globalconnect.store.dynamo.client
import hourly_counts.wiring
import projection.app
import recount.recount
import sweep.sweep
from globalconnect.domain.number import Number
from globalconnect.push.pusher import AttemptClient
from globalconnect.runtime.startup import Environment
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from recount.recount import Recount, Report
from simulation.aws import TEMPLATE, Clock, Cloud, make_environment
from simulation.dynamodb import MemoryDynamoDB
from simulation.pushes.cloud import CALLS
from simulation.pushes.environments import Environments, Event, InvocationFailed
from simulation.pushes.functions import PUSH_RETRY, PUSH_SMS, RETRY_QUEUE, SLOW_RETRY_QUEUE
from simulation.pushes.parameters import Parameters
from simulation.pushes.queue import Invoke, Queue, QueueSource
from simulation.pushes.stream import Record, Stream
from simulation.pushes.tables import TableStore
from simulation.pushes.timeline import Timeline, timeline, wait
from simulation.shop import Shop
from simulation.streams import mappings_of, passes

_SWEPT_EVERY = 60.0
_COUNTED_EVERY = 3_600.0
# How far an index is behind its table (ms).
_INDEX_LAG = (5, 200)


@dataclass(slots=True)
class _LoopClock(Clock):
    """The clock of a timeline."""

    loop: Timeline | None = None

    def __call__(self) -> int:
        assert self.loop is not None
        return self.loop.now()


def pause(seconds: float) -> None:
    """Let so much of the day's time pass, where there is some to pass: in what runs as a strand."""
    if getcurrent().parent is not None:
        wait(asyncio.sleep(seconds))


class _Far:
    """A client of AWS whose calls take their time."""

    def __init__(self, client: Any, seconds: Callable[[], float]) -> None:
        self._client = client
        self._seconds = seconds

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def ask(**asked: Any) -> Any:
            # All on the way there: others come between calls all the same, and it is half as much to play.
            pause(self._seconds())
            return call(**asked)

        return ask


class _Queues:
    """What RetryQueues take for a client of SQS."""

    def __init__(self) -> None:
        self.by_url: dict[str, Queue] = {}

    @staticmethod
    def create_queue(*, QueueName: str) -> dict[str, str]:  # noqa: N803 - as AWS spells it
        return {"QueueUrl": QueueName}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's
        refused = self.by_url[QueueUrl].send_batch(Entries)
        failed = [entry["Id"] for entry, is_refused in zip(Entries, refused, strict=True) if is_refused]
        return {"Failed": [{"Id": place, "Code": "InternalError"} for place in failed]}


class World:
    """All functions, tables and queues, within a running Timeline. `close` it.

    Pushes go to `servers`. `failures` are invocations that failed: nothing here makes one fail.
    """

    def __init__(self, servers: AttemptClient, seed: int) -> None:
        rng, loop = random.Random(seed), timeline()
        self.parameters = Parameters(seed=seed)
        self.failures: list[str] = []
        self._rng = rng
        memory: Any = MemoryDynamoDB(loop.now, lambda: rng.randrange(*_INDEX_LAG))
        sqs: Any = _Queues()
        env = make_environment(TEMPLATE, memory, sqs)
        far: Any = _Far(memory, lambda: rng.uniform(*self.parameters.call))
        self.cloud = Cloud(Dynamo(far, pause), memory, sqs, env, _LoopClock(loop=loop), rng.randrange)
        self.shop = Shop(self.cloud, {"CACHE_SECONDS": env["CACHE_SECONDS"]})
        self._opened = ExitStack()
        self._open(servers, sqs, TableStore(Dynamo(memory, pause), env, loop.now))
        self._tasks = [
            loop.create_task(self._now_and_then(_SWEPT_EVERY, "sweep", self._sweep)),
            loop.create_task(self._now_and_then(_COUNTED_EVERY, "hourly_counts", self.measure)),
            loop.create_task(self._now_and_then(_COUNTED_EVERY, "line_states", self.shop.reconcile_lines)),
        ]

    def _open(self, servers: AttemptClient, sqs: _Queues, store: TableStore) -> None:
        parameters, rng, env = self.parameters, self._rng, self.cloud.env
        self.queues = {name: Queue(name, parameters, rng) for name in (RETRY_QUEUE, SLOW_RETRY_QUEUE)}
        sqs.by_url = {
            env["RETRY_QUEUE_URL"]: self.queues[RETRY_QUEUE],
            env["SLOW_RETRY_QUEUE_URL"]: self.queues[SLOW_RETRY_QUEUE],
        }
        calls: dict[str, Callable[..., Any]] = {name: getattr(store, name) for name in CALLS if name != "send"}
        calls["send"] = lambda entries, queue: self.queues[queue].send_batch(entries)
        self._environments = Environments(
            parameters, rng, servers, calls, on_call=lambda *_: None, failed=lambda _: None
        )
        self._opened.callback(self._environments.close)
        in_order = nullcontext(SimpleNamespace(map=map))
        for target, name, value in (
            (recount.recount, "ThreadPoolExecutor", lambda _: in_order),
            (projection.app, "parts", lambda: self.shop.counts),
            # How long is waited before something is tried again.
            (globalconnect.store.dynamo.client, "random", rng),
            # Printed among the logs, which go nowhere.
            (sweep.sweep, "publish_held_too_long", lambda: None),
        ):
            self._opened.enter_context(mock.patch.object(target, name, value))
        self._sources = [
            QueueSource(queue, self._invoking(PUSH_RETRY), parameters, most, rng)
            for queue, most in zip(
                self.queues.values(), (parameters.retry_concurrency, parameters.slow_concurrency), strict=True
            )
        ]
        self.streams = {
            "PushSmsFunction": Stream(self._invoking(PUSH_SMS), parameters),
            "AvailabilityFunction": Stream(self._project, _of_counts(parameters), key="phone"),
        }
        for function, table in (("PushSmsFunction", "ACTIVATIONS_TABLE"), ("AvailabilityFunction", "NUMBERS_TABLE")):
            (mapping,) = mappings_of(function).values()
            self.cloud.client.follow(env[table], partial(_pass_on, mapping, self.streams[function]))

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._opened.close()

    def _invoking(self, function: str) -> Invoke:
        async def invoke(event: Event) -> Any:
            try:
                return await self._environments.invoke(function, event)
            except InvocationFailed as failure:
                self.failures.append(str(failure))
                raise

        return invoke

    async def _project(self, event: Event) -> Any:
        return await self.run("projection", partial(projection.app.handler, event, None))

    async def run[T](self, function: str, do: Callable[[], T]) -> T:
        """Run a function's code. Raises InvocationFailed, noted in `failures`, for whatever it raises."""
        try:
            return await asyncio.to_thread(do)
        except Exception as error:
            self.failures.append(f"{function}: {error!r}")
            raise InvocationFailed(self.failures[-1]) from error

    async def _now_and_then(self, every: float, function: str, do: Callable[[], object]) -> None:
        for place in itertools.count(1):
            # A schedule starts what it has to start within the minute, not on it.
            await asyncio.sleep(max(0.0, place * every + self._rng.uniform(0, 60) - timeline().time()))
            try:
                await self.run(function, do)
            except InvocationFailed:
                continue

    def _sweep(self) -> None:
        self.shop.sweep()
        self.shop.silence()

    def measure(self) -> None:
        """Count what happened by the hour."""
        env = Environment(self.cloud.env)
        measured = hourly_counts.wiring.build(env, self.cloud.db, self.cloud.clock)
        replace(measured, tell=lambda _: None, tell_silent=lambda _: None).run()

    def recount(self) -> Report:
        """Compare the counts with the numbers, and repair them."""
        serial = map(str, itertools.count(self.cloud.clock()))
        numbers = Numbers(self.cloud.db, self.cloud.env["NUMBERS_TABLE"])
        return Recount(numbers, self.shop.counts, lambda: next(serial), pause).run()

    def numbers(self) -> Iterator[Number]:
        """Return every number as it is."""
        numbers, cursor = self.shop.numbers, None
        while True:
            page = numbers.page(1_000, cursor)
            yield from page.items
            cursor = page.cursor
            if cursor is None:
                return

    @property
    def left(self) -> list[str]:
        """What is under way, and what was given up: nothing when all has come to rest."""
        unread = {name: len(stream.unread) for name, stream in self.streams.items()}
        given_up = {name: len(stream.given_up) for name, stream in self.streams.items()}
        waiting = {name: len(queue.messages()) for name, queue in self.queues.items()}
        dead = {name: len(queue.dead) for name, queue in self.queues.items()}
        return [
            f"{count} {what} of {name}"
            for what, counted in (
                ("unread records", unread),
                ("records given up", given_up),
                ("messages", waiting),
                ("dead letters", dead),
            )
            for name, count in counted.items()
            if count
        ]


def _pass_on(mapping: Any, stream: Stream, record: Record) -> None:
    if passes(mapping, record):
        stream.add(record)


def _of_counts(parameters: Parameters) -> Parameters:
    """Return how the stream of numbers is read."""
    (mapping,) = mappings_of("AvailabilityFunction").values()
    tries = 1 + mapping["MaximumRetryAttempts"]
    return replace(parameters, stream_lanes=1, stream_batch=mapping["BatchSize"], stream_window=0, stream_tries=tries)
