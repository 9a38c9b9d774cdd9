"""A DynamoDB, or a KMS, that fails as AWS may: refuses for contention, throttles, or does not answer, done or not.

`FailingClient` fails above botocore, as when its own retries are exhausted; `failing_below` fails what botocore sends,
which it then sends again by itself. Both can also be without a memory of tokens, as moto is: then a transaction that
is sent again meets its own work.
"""

import io
import json
import random
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ReadTimeoutError

from simulation.aws import Cloud

TRANSACTION = "TransactWriteItems"
WRITES = frozenset({TRANSACTION, "PutItem", "UpdateItem", "DeleteItem"})
_TOKEN = re.compile(rb'("ClientRequestToken": *")[^"]+')


class Fault(StrEnum):
    """How a call fails: refused because others hold its items, throttled, or unanswered, not done or done; by a failure of
    AWS's own, or because its condition does not hold.
    """

    CONFLICT = "conflict"
    THROTTLED = "throttled"
    UNHEARD = "unheard"
    UNANSWERED = "unanswered"
    BROKEN = "broken"
    REFUSED = "refused"


# What may come over and over, and is over by itself.
TRANSIENT = (Fault.CONFLICT, Fault.THROTTLED, Fault.UNHEARD, Fault.UNANSWERED)

# Told the name of an operation, gives how its next call fails, None when it does not.
type Faults = Callable[[str], Fault | None]


class RandomFaults:
    """Fails a share of all calls, in one of the ways that the operation has; may be asked by threads at once."""

    def __init__(self, share: float, seed: int, ways: tuple[Fault, ...] = TRANSIENT) -> None:
        self._share = share
        self._rolls = random.Random(seed)
        self._ways = ways
        self._lock = threading.Lock()
        self.made = 0

    def __call__(self, operation: str) -> Fault | None:
        """Return how the next call fails."""
        ways = [way for way in self._ways if way is not Fault.CONFLICT or operation in WRITES]
        with self._lock:
            if not ways or self._rolls.random() >= self._share:
                return None
            self.made += 1
            return self._rolls.choice(ways)


class Scripted:
    """Fails the next transactions in these ways, one after the other, then no more."""

    def __init__(self, *faults: Fault, operation: str = TRANSACTION) -> None:
        self.left = list(faults)
        self._operation = operation

    def __call__(self, operation: str) -> Fault | None:
        """Return how the next call fails."""
        return self.left.pop(0) if self.left and operation == self._operation else None


@dataclass(slots=True)
class Nth:
    """Fails one call, the one of that number from 0, if so of the transactions alone, or it and all later ones; `made` counts
    them.
    """

    number: int
    fault: Fault
    of_transactions: bool = False
    and_later: bool = False
    made: int = 0

    def __call__(self, operation: str) -> Fault | None:
        """Return how the next call fails."""
        if self.of_transactions and operation != TRANSACTION:
            return None
        self.made += 1
        fails = self.made > self.number if self.and_later else self.made == self.number + 1
        return self.fault if fails else None


class FailingClient:
    """A client of DynamoDB, KMS or Cognito whose calls fail as told, whatever botocore tried before."""

    def __init__(self, client: Any, faults: Faults, *, remembers_tokens: bool = True, refused: int = 0) -> None:
        self._client = client
        self._faults = faults
        # Of a transaction, the action whose condition does not hold when one is to be refused.
        self._refused = refused
        self._remembers_tokens = remembers_tokens

    def __getattr__(self, name: str) -> Any:
        """Return an operation, or whatever else the client has."""
        found = getattr(self._client, name)
        operation = self._client.meta.method_to_api_mapping.get(name)
        if operation is None:
            return found

        def call(**arguments: Any) -> Any:
            if "ClientRequestToken" in arguments and not self._remembers_tokens:
                arguments["ClientRequestToken"] = str(uuid.uuid4())
            fault = self._faults(operation)
            if fault is None or (fault is Fault.REFUSED and not _has_condition(arguments, self._refused)):
                return found(**arguments)
            if fault is Fault.UNANSWERED:
                # Its refusal gets lost like any other answer.
                with suppress(ClientError):
                    found(**arguments)
            if fault in {Fault.UNANSWERED, Fault.UNHEARD}:
                raise ReadTimeoutError(endpoint_url="the tables")
            actions = len(arguments.get("TransactItems", ()))
            raise ClientError(_refusal(fault, operation, actions, self._refused), operation)

        return call


def failing_cloud(cloud: Cloud, faults: Faults, *, remembers_tokens: bool = True, refused: int = 0) -> Cloud:
    """Return the same cloud over tables, and a KMS, that fail as told; of a transaction the action of that place is
    `refused`.
    """
    tables = FailingClient(cloud.client, faults, remembers_tokens=remembers_tokens, refused=refused)
    return replace(cloud.over(tables), kms=lambda: FailingClient(cloud.kms(), faults))


@contextmanager
def failing_below(client: Any, faults: Faults, *, remembers_tokens: bool = True) -> Iterator[None]:
    """Let what a client sends over HTTP fail as told; botocore sends it again as it would to AWS."""

    def send(request: Any, event_name: str, **_: object) -> AWSResponse | None:
        operation = event_name.rsplit(".", 1)[-1]
        if not remembers_tokens:
            request.body = _TOKEN.sub(rb"\g<1>" + str(uuid.uuid4()).encode(), request.body)
        fault = faults(operation)
        if fault is None:
            return None
        if fault is Fault.UNANSWERED:
            client._endpoint.http_session.send(request)
        if fault in {Fault.UNANSWERED, Fault.UNHEARD}:
            raise ReadTimeoutError(endpoint_url=request.url)
        return _answer(request.url, _refusal(fault, operation, len(json.loads(request.body).get("TransactItems", ()))))

    client.meta.events.register("before-send.dynamodb", send)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send.dynamodb", send)


def _refusal(fault: Fault, operation: str, actions: int, refused: int = 0) -> Any:
    """Return AWS's answer that refuses a call of so many actions, in botocore's form."""
    if fault is Fault.THROTTLED:
        return _error("ThrottlingException")
    if fault is Fault.BROKEN:
        return {**_error("InternalServerError"), "ResponseMetadata": {"RetryAttempts": 0, "HTTPStatusCode": 500}}
    code = "ConditionalCheckFailed" if fault is Fault.REFUSED else "TransactionConflict"
    if operation != TRANSACTION:
        return _error(f"{code}Exception")
    reasons = [{"Code": code if place == refused else "None"} for place in range(actions)]
    return {**_error("TransactionCanceledException"), "CancellationReasons": reasons}


def _has_condition(arguments: Mapping[str, Any], place: int) -> bool:
    """Return whether a call has a condition that may not hold, in a transaction its action of that place."""
    if "TransactItems" not in arguments:
        return place == 0 and "ConditionExpression" in arguments
    actions = [action for entry in arguments["TransactItems"] for action in entry.values()]
    return place < len(actions) and "ConditionExpression" in actions[place]


def _error(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"RetryAttempts": 0}}


class _Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _answer(url: str, refusal: Mapping[str, Any]) -> AWSResponse:
    body = {"__type": refusal["Error"]["Code"], "CancellationReasons": refusal.get("CancellationReasons")}
    return AWSResponse(url, 400, HTTPHeaders(), _Raw(json.dumps(body).encode()))
