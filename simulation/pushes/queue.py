"""SQS in memory, and how Lambda reads it: at least once, a little late, in no particular order."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from simulation.pushes.environments import LINEAGE, InvocationFailed
from simulation.pushes.parameters import Parameters
from simulation.pushes.timeline import timeline

type Invoke = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_LONGEST_DELAY = 900


@dataclass(slots=True, eq=False)
class Message:
    """A message of a queue, and when (ms) it can be received next.

    `receipt` counts its receives, so that only the latest may delete or return it. `lineage` is how many invocations led
    to it, one started by a message of the other.
    """

    message_id: str
    body: str
    group: str
    lineage: int
    visible_at: int = 0
    receipt: int = 0


class Queue:
    """A standard queue with a delay per message, and the messages it set aside.

    What is due goes to `deliver`, which is the event source's side. `fail_sends` is the share of entries that sending
    refuses; it may be changed while it runs. `sent` is every message there ever was; `timed_out` counts those that came
    back because nobody deleted them in time.
    """

    def __init__(self, name: str, parameters: Parameters, rng: random.Random) -> None:
        self.deliver: Callable[[Message], None] = lambda _: None
        self.sent: list[Message] = []
        self.dead: list[Message] = []
        self.fail_sends = 0.0
        self.refused = 0
        self.timed_out = 0
        self._name = name
        self._parameters = parameters
        self._rng = rng
        self._messages: dict[str, Message] = {}

    def messages(self) -> list[Message]:
        return list(self._messages.values())

    def send_batch(self, entries: Sequence[dict[str, Any]]) -> list[bool]:
        """Take messages as SendMessageBatch does; return which were refused."""
        return [self._refuse(entry) for entry in entries]

    def _refuse(self, entry: dict[str, Any]) -> bool:
        delay = entry["DelaySeconds"]
        if type(delay) is not int or not 0 <= delay <= _LONGEST_DELAY:
            raise ValueError("DelaySeconds")
        if self._rng.random() < self.fail_sends:
            self.refused += 1
            return True
        seconds = delay + self._rng.uniform(0, self._parameters.pick_up)
        self.put(entry["MessageBody"], entry["MessageGroupId"], seconds, LINEAGE.get())
        return False

    def put(self, body: str, group: str, seconds: float, lineage: int = 0) -> None:
        """Have a message delivered in so many seconds."""
        message = Message(f"{self._name}-{len(self.sent)}", body, group, lineage)
        self.sent.append(message)
        self._messages[message.message_id] = message
        self._later(seconds, message)

    def purge(self) -> None:
        self._messages.clear()

    def received(self, message: Message) -> bool:
        """Note that a poller has a message; return whether it got it: not when it is gone, or set aside instead."""
        if message.message_id not in self._messages:
            return False
        if message.receipt >= self._parameters.receives:
            self.delete(message)
            self.dead.append(message)
            return False
        message.receipt += 1
        self._later(self._parameters.visibility, message)
        if self._rng.random() < self._parameters.delivered_twice:
            timeline().call_later(self._rng.uniform(0, self._parameters.twice_within), self._due, message)
        return True

    def delete(self, message: Message) -> None:
        self._messages.pop(message.message_id, None)

    def _later(self, seconds: float, message: Message) -> None:
        """Have a message visible then, unless it is received once more before."""
        message.visible_at = timeline().now() + round(seconds * 1_000)
        timeline().call_later(seconds, self._visible, message, message.receipt)

    def _visible(self, message: Message, receipt: int) -> None:
        if message.message_id in self._messages and message.receipt == receipt:
            self.timed_out += receipt > 0
            self._due(message)

    def _due(self, message: Message) -> None:
        if message.message_id in self._messages:
            self.deliver(message)


class _InNoOrder(asyncio.Queue[Message]):
    """Messages that wait for a poller: each gets one of the oldest."""

    def __init__(self, among: int, rng: random.Random) -> None:
        super().__init__()
        self._among = among
        self._rng = rng

    def _get(self) -> Message:
        waiting: Any = self._queue  # type: ignore[attr-defined]
        place = self._rng.randrange(min(len(waiting), self._among))
        waiting.rotate(-place)
        message: Message = waiting.popleft()
        waiting.rotate(place)
        return message


class QueueSource:
    """Reads a queue as an event source mapping of Lambda does, and invokes a function with its batches.

    `in_hand` counts how often each message was offered and not dealt with yet.
    """

    def __init__(
        self, queue: Queue, invoke: Invoke, parameters: Parameters, concurrency: int, rng: random.Random
    ) -> None:
        self.in_hand: Counter[Message] = Counter()
        self._queue = queue
        self._invoke = invoke
        self._parameters = parameters
        self._concurrency = concurrency
        self._waiting = _InNoOrder(parameters.queue_batch, rng)
        self._growing: asyncio.TimerHandle | None = None
        self._pollers = [timeline().create_task(self._poll()) for _ in range(min(parameters.pollers, concurrency))]
        queue.deliver = self._offer

    def _offer(self, message: Message) -> None:
        self.in_hand[message] += 1
        self._waiting.put_nowait(message)
        self._grow_soon()

    def _grow_soon(self) -> None:
        if self._growing is None and len(self._pollers) < self._concurrency:
            self._growing = timeline().call_later(1 / self._parameters.pollers_per_second, self._grow)

    def _grow(self) -> None:
        """Add a poller, one after the other while messages wait."""
        self._growing = None
        if not self._waiting.empty():
            self._pollers.append(timeline().create_task(self._poll()))
            self._grow_soon()

    async def _poll(self) -> None:
        """Be a poller: gather a batch, have it dealt with, and only then gather the next."""
        while True:
            batch = [await self._receive()]
            with suppress(TimeoutError):
                async with asyncio.timeout(self._parameters.window):
                    while len(batch) < self._parameters.queue_batch:
                        batch.append(await self._receive())
            await self._deal_with(batch)
            self.in_hand.subtract(batch)
            self.in_hand = +self.in_hand

    async def _receive(self) -> Message:
        while True:
            message = await self._waiting.get()
            if self._queue.received(message):
                return message
            self.in_hand[message] -= 1

    async def _deal_with(self, batch: Sequence[Message]) -> None:
        try:
            answer = await self._invoke({"Records": [_record(message) for message in batch]})
            left = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except InvocationFailed:
            left = {message.message_id for message in batch}
        for message in batch:
            # What is left stays invisible for the rest of its time.
            if message.message_id not in left:
                self._queue.delete(message)


def _record(message: Message) -> dict[str, Any]:
    return {
        "messageId": message.message_id,
        "receiptHandle": f"{message.message_id}-{message.receipt}",
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receipt),
            "MessageGroupId": message.group,
            "AWSTraceHeader": f"Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:a87bd80c:{message.lineage}",
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "awsRegion": "us-east-1",
    }
