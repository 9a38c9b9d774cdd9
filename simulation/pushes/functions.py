"""The functions' real handlers, with what they call replaced by a cloud of ours."""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import push_retry.app
import push_sms.app
import sweep.app
from globalconnect import VERSION
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import AttemptClient, Meter, NoMeter, Pusher, Queues
from globalconnect.push.queue import DuePush, RetryQueues
from globalconnect.runtime import clock
from sweep.sweep import Sweep
from sweep.wiring import Parts

PUSH_SMS = "push_sms"
PUSH_RETRY = "push_retry"
SWEEP = "sweep"

RETRY_QUEUE = "retry"
SLOW_RETRY_QUEUE = "slow"

type Call = Callable[..., Any]
type Handler = Callable[[dict[str, Any], object], Any]


class Remote:
    """Whatever the delivery code calls, somewhere else: each method is a call to the cloud, by its name."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Call:
        return functools.partial(self._call, name)


class _Sqs:
    """As much of a client of SQS as RetryQueues calls."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's
        refusals = zip(Entries, self._cloud.send(Entries, QueueUrl), strict=True)
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry, refusal in refusals if refusal]}


class _Nothing:
    """The sweep's other half, and what staff look at, are not what this cloud is for."""

    def held_until(self, _shard: str, _now: int) -> Iterator[tuple[str, int]]:
        return iter(())

    def put_pending(self, _note: object) -> None:
        """Keep nothing."""


class NoQueues:
    """Queues that only note what they are to send."""

    def __init__(self) -> None:
        self.sent: list[DuePush] = []

    def send(self, pushes: Sequence[DuePush], *, slow: bool, now: int) -> list[Exception | None]:
        self.sent += pushes
        return [None] * len(pushes)


def open_client() -> PushClient:
    """Return the real HTTP client, for partners on this machine."""
    return PushClient(version=VERSION, loopback=True)


def new_pusher(
    store: Any,
    queues: Queues,
    *,
    now: Callable[[], int] = clock.now,
    client: Callable[[], AbstractAsyncContextManager[AttemptClient]] = open_client,
    meter: Meter | None = None,
) -> Pusher:
    """Return the real routine on a store with the calls of Pushes and Partners, MemoryStore or one far away."""
    return Pusher(
        pushes=store,
        partners=store,
        queues=queues,
        health=Health(store, now),
        open_client=client,
        max_age=None,
        now=now,
        meter=meter or NoMeter(),
    )


def queues_of(cloud: Any, pause: Callable[[float], None] = time.sleep) -> RetryQueues:
    """Return the real queues of a Remote cloud."""
    client: Any = _Sqs(cloud)
    return RetryQueues(client, RETRY_QUEUE, SLOW_RETRY_QUEUE, pause)


def new_sweep(cloud: Any, queues: RetryQueues, now: Callable[[], int] = clock.now) -> Sweep:
    """Return the real sweep of a Remote cloud."""
    nothing: Any = _Nothing()
    return Sweep(nothing, cloud, cloud, queues, now)


def install(pusher: Callable[[], Pusher], new: Callable[[], Sweep]) -> dict[str, Handler]:
    """Have the handlers use these parts from now on in this process; return them by function."""
    apps: tuple[Any, Any, Any] = (push_sms.app, push_retry.app, sweep.app)
    for app in apps[:2]:
        app.pusher = pusher
    nothing: Any = _Nothing()
    apps[2].parts = lambda: Parts(new(), nothing)
    return {PUSH_SMS: push_sms.app.handler, PUSH_RETRY: push_retry.app.handler, SWEEP: sweep.app.handler}
