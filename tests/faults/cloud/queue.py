"""SQS in memory, and how Lambda reads it: at least once, a little late, in no particular order.

Everything here belongs to one event loop.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.cloud.environments import InvocationFailed
from tests.faults.cloud.parameters import Parameters

type Invoke = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_LONGEST_DELAY = 900


@dataclass(slots=True)
class Message:
    """A message of a queue. `receipt` counts its receives, so that only the latest may delete or return it."""

    message_id: str
    body: str
    group: str
    receipt: int = 0


class Queue:
    """A standard queue with a delay per message, and the messages it set aside.

    What is due goes to `deliver`, which is the event source's side. `fail_sends` is the share of entries that sending
    refuses, `delivered_twice` the share of receives that happen twice; both may be changed while it runs. `timed_out`
    counts the messages that came back because nobody deleted them in time.
    """

    def __init__(self, name: str, parameters: Parameters, rng: random.Random) -> None:
        self.name = name
        self.deliver: Callable[[Message], None] | None = None
        self.dead: list[Message] = []
        self.fail_sends = 0.0
        self.delivered_twice = parameters.delivered_twice
        self.sent = 0
        self.timed_out = 0
        self._parameters = parameters
        self._rng = rng
        self._messages: dict[str, Message] = {}
        self._serial = 0

    def __len__(self) -> int:
        """Tell how many messages it holds, delayed ones and those in flight included."""
        return len(self._messages)

    def send_batch(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        """Take messages as SendMessageBatch does."""
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            if self._rng.random() < self.fail_sends:
                answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                answer["Successful"].append({"Id": entry["Id"], "MessageId": self._send(entry)})
        return answer

    def purge(self) -> None:
        """Lose every message."""
        self._messages.clear()

    def is_current(self, message: Message, receipt: int) -> bool:
        """Return whether a message is still in the queue and has not been received since."""
        return self._messages.get(message.message_id) is message and message.receipt == receipt

    def received(self, message: Message) -> int | None:
        """Note that a poller has a message; return its receipt, None when the message is gone or set aside instead."""
        if message.message_id not in self._messages:
            return None
        if message.receipt >= self._parameters.receives:
            del self._messages[message.message_id]
            self.dead.append(message)
            return None
        message.receipt += 1
        self._again(message, self._parameters.visibility, message.receipt)
        if self._rng.random() < self.delivered_twice:
            self._later(self._rng.uniform(0, self._parameters.twice_within), self._due, message)
        return message.receipt

    def delete(self, message: Message) -> None:
        """Take a message out for good."""
        self._messages.pop(message.message_id, None)

    def _send(self, entry: dict[str, Any]) -> str:
        delay = entry.get("DelaySeconds", 0)
        if type(delay) is not int or not 0 <= delay <= _LONGEST_DELAY:
            raise ValueError("DelaySeconds")
        self._serial += 1
        self.sent += 1
        message = Message(f"{self.name}-{self._serial}", entry["MessageBody"], entry["MessageGroupId"])
        self._messages[message.message_id] = message
        self._later(delay + self._rng.uniform(0, self._parameters.pick_up), self._due, message)
        return message.message_id

    def _again(self, message: Message, seconds: float, receipt: int) -> None:
        self._later(seconds, self._visible_again, message, receipt)

    def _visible_again(self, message: Message, receipt: int) -> None:
        if self.is_current(message, receipt):
            self.timed_out += 1
            self._due(message)

    def _due(self, message: Message) -> None:
        if message.message_id in self._messages and self.deliver is not None:
            self.deliver(message)

    def _later(self, seconds: float, call: Callable[..., None], *arguments: object) -> None:
        asyncio.get_running_loop().call_later(seconds, call, *arguments)


class _Lane:
    """A poller: gathers a batch, has it dealt with, and only then gathers the next."""

    def __init__(self) -> None:
        self.batch: list[tuple[Message, int]] = []
        self.timer: asyncio.TimerHandle | None = None


class QueueSource:
    """Reads a queue as an event source mapping of Lambda does, and invokes a function with its batches."""

    def __init__(
        self, queue: Queue, invoke: Invoke, parameters: Parameters, concurrency: int, rng: random.Random
    ) -> None:
        self.queue = queue
        self.busy_most = 0
        self.backlog_most = 0
        self.failed = 0
        self._invoke = invoke
        self._parameters = parameters
        self._concurrency = concurrency
        self._rng = rng
        self._gathering = [_Lane() for _ in range(min(parameters.pollers, concurrency))]
        self._lanes = len(self._gathering)
        self._waiting: deque[Message] = deque()
        self._stopped = False
        self._tasks: set[asyncio.Task[None]] = set()
        queue.deliver = self._offer

    def start(self) -> None:
        """Begin to add pollers while messages wait."""
        self._keep(asyncio.create_task(self._grow()))

    async def stop(self) -> None:
        """Stop reading; batches under way are given up."""
        self.queue.deliver = None
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _grow(self) -> None:
        pause = 1 / self._parameters.pollers_per_second
        while self._lanes < self._concurrency:
            await asyncio.sleep(pause)
            if self._waiting:
                self._lanes += 1
                self._free(_Lane())

    def _offer(self, message: Message) -> None:
        if self._gathering:
            self._take(self._rng.choice(self._gathering), message)
        else:
            self._waiting.append(message)
            self.backlog_most = max(self.backlog_most, len(self._waiting))

    def _take(self, lane: _Lane, message: Message) -> None:
        receipt = self.queue.received(message)
        if receipt is None:
            return
        lane.batch.append((message, receipt))
        if len(lane.batch) >= self._parameters.queue_batch:
            self._go(lane)
        elif lane.timer is None:
            lane.timer = asyncio.get_running_loop().call_later(self._parameters.window, self._go, lane)

    def _go(self, lane: _Lane) -> None:
        if self._stopped:
            return
        if lane.timer is not None:
            lane.timer.cancel()
            lane.timer = None
        self._gathering.remove(lane)
        self.busy_most = max(self.busy_most, self._lanes - len(self._gathering))
        batch, lane.batch = lane.batch, []
        self._keep(asyncio.create_task(self._deal_with(lane, batch)))

    async def _deal_with(self, lane: _Lane, batch: list[tuple[Message, int]]) -> None:
        event = {"Records": [_record(message) for message, _ in batch]}
        try:
            answer = await self._invoke(event)
            left = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except InvocationFailed:
            left = {message.message_id for message, _ in batch}
        self.failed += len(left)
        for message, _ in batch:
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

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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
