"""SQS in memory, and how Lambda reads it: at least once, a little late, in no particular order.

Everything here belongs to one event loop, in real or in virtual time.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simulation.pushes.environments import InvocationFailed
from simulation.pushes.parameters import Parameters
from simulation.pushes.timeline import milliseconds

type Invoke = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_LONGEST_DELAY = 900


class Refused(Exception):
    """What a queue answers for an entry that it does not take."""


@dataclass(slots=True, eq=False)
class Message:
    """A message of a queue, and when (ms) it can be received next.

    `receipt` counts its receives, so that only the latest may delete or return it.
    """

    message_id: str
    body: str
    group: str
    visible_at: int = 0
    receipt: int = 0


class Queue:
    """A standard queue with a delay per message, and the messages it set aside.

    What is due goes to `deliver`, which is the event source's side. `fail_sends` is the share of entries that sending
    refuses, `delivered_twice` the share of receives that happen twice; both may be changed while it runs. `timed_out`
    counts the messages that came back because nobody deleted them in time.
    """

    def __init__(self, name: str, parameters: Parameters, rng: random.Random) -> None:
        self.name = name
        self.deliver: Callable[[Message], None] = lambda _: None
        self.dead: list[Message] = []
        self.fail_sends = 0.0
        self.delivered_twice = parameters.delivered_twice
        self.sent = 0
        self.timed_out = 0
        self._parameters = parameters
        self._rng = rng
        self._messages: dict[str, Message] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def messages(self) -> list[Message]:
        return list(self._messages.values())

    def send_batch(self, entries: Sequence[dict[str, Any]]) -> list[Refused | None]:
        """Take messages as SendMessageBatch does; return which were refused."""
        return [self._send(entry) for entry in entries]

    def _send(self, entry: dict[str, Any]) -> Refused | None:
        delay = entry["DelaySeconds"]
        if type(delay) is not int or not 0 <= delay <= _LONGEST_DELAY:
            raise ValueError("DelaySeconds")
        if self._rng.random() < self.fail_sends:
            return Refused()
        self.put(entry["MessageBody"], entry["MessageGroupId"], delay + self._rng.uniform(0, self._parameters.pick_up))
        return None

    def put(self, body: str, group: str, seconds: float) -> None:
        """Have a message delivered in so many seconds."""
        self.sent += 1
        message = Message(f"{self.name}-{self.sent}", body, group)
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
        if self._rng.random() < self.delivered_twice:
            asyncio.get_running_loop().call_later(
                self._rng.uniform(0, self._parameters.twice_within), self._due, message
            )
        return True

    def delete(self, message: Message) -> None:
        self._messages.pop(message.message_id, None)

    def _later(self, seconds: float, message: Message) -> None:
        """Have a message visible then, unless it is received once more before."""
        message.visible_at = milliseconds() + round(seconds * 1_000)
        asyncio.get_running_loop().call_later(seconds, self._visible, message, message.receipt)

    def _visible(self, message: Message, receipt: int) -> None:
        if message.message_id in self._messages and message.receipt == receipt:
            self.timed_out += receipt > 0
            self._due(message)

    def _due(self, message: Message) -> None:
        if message.message_id in self._messages:
            self.deliver(message)


class _Lane:
    """A poller: gathers a batch, has it dealt with, and only then gathers the next."""

    def __init__(self) -> None:
        self.batch: list[Message] = []
        self.timer: asyncio.TimerHandle | None = None


class QueueSource:
    """Reads a queue as an event source mapping of Lambda does, and invokes a function with its batches.

    `in_hand` are the messages that were offered and not dealt with.
    """

    def __init__(
        self, queue: Queue, invoke: Invoke, parameters: Parameters, concurrency: int, rng: random.Random
    ) -> None:
        self.queue = queue
        self.busy_most = 0
        self.backlog_most = 0
        self._invoke = invoke
        self._parameters = parameters
        self._concurrency = concurrency
        self._rng = rng
        self._gathering = [_Lane() for _ in range(min(parameters.pollers, concurrency))]
        self._lanes = len(self._gathering)
        self._waiting: deque[Message] = deque()
        self._dealing: list[Sequence[Message]] = []
        self._growing: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        queue.deliver = self._offer

    @property
    def in_hand(self) -> list[Message]:
        held = [*self._dealing, *(lane.batch for lane in self._gathering), self._waiting]
        return [message for some in held for message in some]

    async def stop(self) -> None:
        self.queue.purge()
        self._waiting.clear()
        for lane in self._gathering:
            if lane.timer is not None:
                lane.timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _grow(self) -> None:
        """Add a poller, one after the other while messages wait."""
        self._growing = None
        if self._waiting:
            self._lanes += 1
            self._free(_Lane())
            self._grow_soon()

    def _grow_soon(self) -> None:
        if self._growing is None and self._lanes < self._concurrency:
            pause = 1 / self._parameters.pollers_per_second
            self._growing = asyncio.get_running_loop().call_later(pause, self._grow)

    def _offer(self, message: Message) -> None:
        if self._gathering:
            self._take(self._rng.choice(self._gathering), message)
        else:
            self._waiting.append(message)
            self.backlog_most = max(self.backlog_most, len(self._waiting))
            self._grow_soon()

    def _take(self, lane: _Lane, message: Message) -> None:
        if not self.queue.received(message):
            return
        lane.batch.append(message)
        if len(lane.batch) >= self._parameters.queue_batch:
            self._go(lane)
        elif lane.timer is None:
            lane.timer = asyncio.get_running_loop().call_later(self._parameters.window, self._go, lane)

    def _go(self, lane: _Lane) -> None:
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        self._gathering.remove(lane)
        self.busy_most = max(self.busy_most, self._lanes - len(self._gathering))
        batch, lane.batch = lane.batch, []
        task = asyncio.get_running_loop().create_task(self._deal_with(lane, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deal_with(self, lane: _Lane, batch: Sequence[Message]) -> None:
        self._dealing.append(batch)
        try:
            answer = await self._invoke({"Records": [_record(message) for message in batch]})
            left = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except InvocationFailed:
            left = {message.message_id for message in batch}
        self._dealing.remove(batch)
        for message in batch:
            # What is left stays invisible for the rest of its time.
            if message.message_id not in left:
                self.queue.delete(message)
        self._free(lane)

    def _free(self, lane: _Lane) -> None:
        self._gathering.append(lane)
        while self._waiting and lane in self._gathering:
            place = self._rng.randrange(min(len(self._waiting), self._parameters.queue_batch))
            self._waiting.rotate(-place)
            message = self._waiting.popleft()
            self._waiting.rotate(place)
            self._take(lane, message)


def _record(message: Message) -> dict[str, Any]:
    return {
        "messageId": message.message_id,
        "receiptHandle": f"{message.message_id}-{message.receipt}",
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(message.receipt), "MessageGroupId": message.group},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "awsRegion": "us-east-1",
    }
