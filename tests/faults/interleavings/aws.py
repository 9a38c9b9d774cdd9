"""AWS in virtual time: calls take a while, and meet the trouble that was asked for."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from globalconnect.store.activations import ENTRY
from tests.faults.interleavings.timeline import crash, is_in_strand, pause, wait


class Call(Enum):
    """What AWS is called for."""

    PARTNERS = auto()
    CLAIM = auto()
    LOOK = auto()
    """Is the activation still open?"""
    SETTLE = auto()
    ATTEMPTS = auto()
    """The log of attempts."""
    HEALTH = auto()
    QUEUE = auto()
    PENDING = auto()
    """The sweep's list of what is pending, and the messages behind it."""
    MESSAGES = auto()
    QUEUED_AGAIN = auto()
    """The sweep's note."""
    PUSH_AGAIN = auto()
    FINISH = auto()
    OTHER = auto()


class Trouble(Enum):
    """What a call may meet."""

    REFUSED = auto()
    """Throttled, in conflict or broken; nothing was done."""
    SOME_REFUSED = auto()
    """So for some of what was asked; the rest was done."""
    SOME_LOST = auto()
    """All was done, but some of it is answered with an error."""
    TIMED_OUT = auto()
    """No answer, and nothing was done."""
    LOST = auto()
    """No answer, though all was done."""
    REPEATED = auto()
    """No answer though all was done, so botocore asked again: done twice, the second answer counts."""
    LATE = auto()
    """It is a while until it is done."""
    SLOW = auto()
    """It is a while from when it was done until the answer is here."""
    CRASH_BEFORE = auto()
    CRASH_AFTER = auto()
    """The environment that called ends before, or after, what it asked for was done."""


# How long (s) an answer that does not come is waited for: a connection that breaks, one time-out, four of them.
_TIME_OUTS = (0.1, 5.0, 20.0)
_TRAVEL = (0.001, 0.004, 0.02)

_REFUSALS = (
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "TransactionConflictException",
    "RequestLimitExceeded",
    "InternalServerError",
)
_STATEMENT_REFUSALS = (
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionConflict",
    "RequestLimitExceeded",
    "InternalServerError",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: how it is carried out, and how it goes when some of it is refused, or answered with an error only."""

    do: Callable[[], Any]
    refuse_some: Callable[[], Any] | None = None
    lose_some: Callable[[], Any] | None = None
    refusals: Sequence[str] = _REFUSALS


@dataclass(slots=True)
class Aws:
    """Everything that is called over the network.

    `met` is told of each trouble that a call meets; `delays` (s) are how long something is late or slow.
    """

    rng: random.Random
    met: Callable[[Call, Trouble], None]
    waiting: dict[Call, list[Trouble]] = field(default_factory=dict)
    delays: Sequence[float] = (0.4, 1.5, 3.5, 4.5)

    def give(self, call: Call, trouble: Trouble, times: int = 1) -> None:
        """Let the next calls meet a trouble, once those that wait already were met."""
        self.waiting.setdefault(call, []).extend([trouble] * times)

    def call(self, call: Call, asked: Asked) -> Any:
        """Carry out a request, in time and with the trouble that waits for it. Outside of strands there is neither."""
        if not is_in_strand():
            return asked.do()
        waiting = self.waiting.get(call)
        trouble = waiting.pop(0) if waiting else None
        if trouble is not None:
            self.met(call, trouble)
        pause(self.rng.choice(_TRAVEL))
        answer = asked.do() if trouble is None else self._in_trouble(trouble, asked)
        pause(self.rng.choice(_TRAVEL))
        return answer

    def _in_trouble(self, trouble: Trouble, asked: Asked) -> Any:
        match trouble:
            case Trouble.SOME_REFUSED if asked.refuse_some is not None:
                return asked.refuse_some()
            case Trouble.SOME_LOST if asked.lose_some is not None:
                return asked.lose_some()
            case Trouble.REPEATED:
                _do_unheard(asked)
                pause(self.rng.choice(_TIME_OUTS[:-1]))
                return asked.do()
            case Trouble.LATE:
                pause(self.rng.choice(self.delays))
                return asked.do()
            case Trouble.SLOW:
                answer = asked.do()
                pause(self.rng.choice(self.delays))
                return answer
            case Trouble.LOST | Trouble.TIMED_OUT:
                if trouble is Trouble.LOST:
                    _do_unheard(asked)
                pause(self.rng.choice(_TIME_OUTS))
                raise ReadTimeoutError(endpoint_url="https://aws.example")
            case Trouble.CRASH_BEFORE | Trouble.CRASH_AFTER:
                if trouble is Trouble.CRASH_AFTER:
                    _do_unheard(asked)
                wait(crash())
        raise _refusal(self.rng.choice(asked.refusals))


def _refusal(code: str) -> ClientError:
    # The reasons are there when a transaction was cancelled; nothing reads them otherwise.
    response: Any = {
        "Error": {"Code": code, "Message": ""},
        "CancellationReasons": [{"Code": "TransactionConflict"}],
    }
    return ClientError(response, "Call")


def _do_unheard(asked: Asked) -> None:
    try:
        asked.do()
    except ClientError:
        return


class Tables:
    """A client of DynamoDB as the stores use it, in front of moto's."""

    def __init__(self, aws: Aws, client: Any, env: Mapping[str, str]) -> None:
        self._aws = aws
        self._client = client
        self._env = env

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Return an operation that needs nothing special."""
        do = getattr(self._client, operation)
        call = Call.PENDING if operation == "query" else Call.OTHER
        return lambda **asked: self._aws.call(call, Asked(lambda: do(**asked)))

    def batch_execute_statement(self, *, Statements: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803 - AWS's name
        def answers(statements: Sequence[Mapping[str, Any]]) -> list[Any]:
            if not statements:
                return []
            given: list[Any] = self._client.batch_execute_statement(Statements=statements)["Responses"]
            return given

        def refuse_some() -> Any:
            refused = self._some(Statements)
            done = iter(answers([each for place, each in enumerate(Statements) if place not in refused]))
            return {
                "Responses": [
                    _statement_refused(self._aws.rng) if n in refused else next(done) for n in range(len(Statements))
                ]
            }

        def lose_some() -> Any:
            lost = self._some(Statements)
            broken = {"Error": {"Code": "InternalServerError", "Message": ""}}
            return {"Responses": [broken if n in lost else given for n, given in enumerate(answers(Statements))]}

        whole = Asked(lambda: {"Responses": answers(Statements)}, refuse_some, lose_some)
        return self._aws.call(_purpose(Statements[0]["Statement"]), whole)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Any:  # noqa: N803
        ((table, asked),) = RequestItems.items()
        # In an order that is the same at every run: what is asked for may have been a set of texts.
        keys: list[Mapping[str, Any]] = sorted(asked["Keys"], key=str)

        def refuse_some() -> Any:
            refused = self._some(keys)
            rest = [key for place, key in enumerate(keys) if place not in refused]
            found: Any = {"Responses": {}}
            if rest:
                found = self._client.batch_get_item(RequestItems={table: {**asked, "Keys": rest}})
            return {**found, "UnprocessedKeys": {table: {**asked, "Keys": [keys[place] for place in sorted(refused)]}}}

        call = Call.PARTNERS
        if table == self._env["ACTIVATIONS_TABLE"]:
            call = Call.LOOK if keys[0]["entry"]["S"] == ENTRY else Call.MESSAGES
        return self._aws.call(call, Asked(lambda: self._client.batch_get_item(RequestItems=RequestItems), refuse_some))

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> Any:  # noqa: N803
        ((table, puts),) = RequestItems.items()

        def refuse_some() -> Any:
            refused = self._some(puts)
            rest = [put for place, put in enumerate(puts) if place not in refused]
            if rest:
                self._client.batch_write_item(RequestItems={table: rest})
            return {"UnprocessedItems": {table: [puts[place] for place in sorted(refused)]}}

        whole = Asked(lambda: self._client.batch_write_item(RequestItems=RequestItems), refuse_some)
        return self._aws.call(Call.ATTEMPTS, whole)

    def update_item(self, **asked: Any) -> Any:
        is_partner = asked["TableName"] == self._env["PARTNERS_TABLE"]
        call = Call.HEALTH if is_partner else Call.PUSH_AGAIN
        return self._aws.call(call, Asked(lambda: self._client.update_item(**asked)))

    def transact_write_items(self, **asked: Any) -> Any:
        refusals = ("TransactionCanceledException", *_REFUSALS)
        whole = Asked(lambda: self._client.transact_write_items(**asked), refusals=refusals)
        return self._aws.call(Call.FINISH, whole)

    def _some(self, many: Sequence[object]) -> frozenset[int]:
        """Choose some of them, at least one, by their places."""
        places = range(len(many))
        return frozenset(self._aws.rng.sample(places, self._aws.rng.randint(1, len(places))))


def _statement_refused(rng: random.Random) -> Any:
    return {"Error": {"Code": rng.choice(_STATEMENT_REFUSALS), "Message": ""}}


def _purpose(statement: str) -> Call:
    if 'SET "next_due"' in statement:
        return Call.CLAIM
    return Call.QUEUED_AGAIN if 'SET "queued_again_at"' in statement else Call.SETTLE


class KnownTables:
    """A client of DynamoDB that asks only once what a table is like: simulation/partiql.py wants to know at each statement."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: dict[str, Any] = {}

    def __getattr__(self, operation: str) -> Any:
        """Return any other operation."""
        return getattr(self._client, operation)

    def describe_table(self, *, TableName: str) -> Any:  # noqa: N803
        if TableName not in self._known:
            self._known[TableName] = self._client.describe_table(TableName=TableName)
        return self._known[TableName]


@dataclass(slots=True)
class Message:
    """A message of a queue, and when it can be received (ms)."""

    message_id: str
    body: str
    visible_at: int
    receives: int = 0


# As in template.yaml.
_VISIBILITY = 180_000
_MOST_RECEIVES = 10


@dataclass(slots=True)
class Queue:
    """A queue that delivers at least once, in any order."""

    now: Callable[[], int]
    messages: dict[str, Message] = field(default_factory=dict)
    sent: int = 0

    def put(self, body: str, delay_ms: int) -> None:
        """Take a message."""
        self.sent += 1
        message = Message(f"m{self.sent}", body, self.now() + delay_ms)
        self.messages[message.message_id] = message

    def visible(self) -> list[Message]:
        """Return what could be received now."""
        return [message for message in self.messages.values() if message.visible_at <= self.now()]

    def receive(self, message: Message) -> bool:
        """Receive a message; after too many times it goes to the dead letters instead."""
        message.receives += 1
        if message.receives > _MOST_RECEIVES:
            self.delete(message)
            return False
        message.visible_at = self.now() + _VISIBILITY
        return True

    def delete(self, message: Message) -> None:
        """Remove a message that has been dealt with."""
        self.messages.pop(message.message_id, None)


class Sqs:
    """A client of SQS as far as RetryQueues use it. Queues are named by their URL."""

    def __init__(self, aws: Aws, now: Callable[[], int]) -> None:
        self._aws = aws
        self._now = now
        self.queues: dict[str, Queue] = {}

    def create_queue(self, *, QueueName: str) -> Any:  # noqa: N803
        url = f"https://sqs.example/{QueueName}"
        self.queues[url] = Queue(self._now)
        return {"QueueUrl": url}

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803
        assert 1 <= len(Entries) <= 10

        def put(entries: Sequence[Mapping[str, Any]]) -> None:
            for entry in entries:
                self.queues[QueueUrl].put(entry["MessageBody"], entry["DelaySeconds"] * 1_000)

        def some(*, done: bool) -> Any:
            failed = frozenset(self._aws.rng.sample(range(len(Entries)), self._aws.rng.randint(1, len(Entries))))
            put([entry for place, entry in enumerate(Entries) if done or place not in failed])
            return {"Failed": [{"Id": Entries[place]["Id"], "Code": "InternalError"} for place in sorted(failed)]}

        def whole() -> Any:
            put(Entries)
            return {}

        return self._aws.call(Call.QUEUE, Asked(whole, lambda: some(done=False), lambda: some(done=True)))
