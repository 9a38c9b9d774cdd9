"""The functions' real handlers, with what they call replaced by a cloud of ours."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest import mock

import push_retry.app
import push_sms.app
import sweep.app
import sweep.sweep
from globalconnect import VERSION
from globalconnect.inbound.waiting import Placement
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import AttemptClient, Pusher
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime.startup import clock
from simulation.logs import log_to_nowhere
from sweep.sweep import Sweep

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


def open_client() -> PushClient:
    """Return the real HTTP client, for partners on this machine."""
    return PushClient(version=VERSION, loopback=True)


def new_pusher(
    store: Any,
    queues: Any,
    *,
    now: Callable[[], int] = clock,
    client: Callable[[], AbstractAsyncContextManager[AttemptClient]] = open_client,
) -> Pusher:
    """Return the real routine on queues, and on a store with the calls of Pushes and Partners, MemoryStore or one far away."""
    return Pusher(
        pushes=store,
        partners=store,
        queues=queues,
        health=Health(store, now),
        open_client=client,
        max_age=None,
        now=now,
    )


def queues_of(cloud: Any, pause: Callable[[float], None] = time.sleep) -> RetryQueues:
    """Return the real queues of a Remote cloud."""

    def send_message_batch(*, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's
        refusals = zip(Entries, cloud.send(Entries, QueueUrl), strict=True)
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry, refused in refusals if refused]}

    client: Any = SimpleNamespace(send_message_batch=send_message_batch)
    return RetryQueues(client, RETRY_QUEUE, SLOW_RETRY_QUEUE, pause)


@contextmanager
def handlers(
    cloud: Any, pusher: Callable[[], Pusher], pause: Callable[[float], None], now: Callable[[], int]
) -> Iterator[dict[str, Handler]]:
    """Yield the handlers by function, which use this pusher and sweep a Remote cloud; their log goes nowhere."""
    # The sweep's other half, and what staff look at, are not what this cloud is for.
    nothing: Any = SimpleNamespace(held_until=lambda *_: (), put_pending=lambda _: None)
    parts = Sweep(nothing, cloud, cloud, queues_of(cloud, pause), nothing, now)
    # In place of its threads one shard after the other, in the strand that sweeps: those after one that fails are left
    # out, which is worse than what happens with threads.
    in_order = nullcontext(SimpleNamespace(map=map))
    with ExitStack() as replaced:
        for app in (push_sms.app, push_retry.app):
            replaced.enter_context(mock.patch.object(app, "pusher", pusher))
        beside: dict[str, Any] = {
            "publish_waiting": lambda *_: None,
            "place_waiting": lambda *_, **__: Placement(0, None),
            "finish_whole": lambda *_: None,
            "silence": lambda: SimpleNamespace(run=lambda: 0),
            "publish_lines": lambda _: None,
        }
        replaced.enter_context(
            mock.patch.multiple(sweep.app, parts=lambda: parts, inbound_parts=lambda: None, **beside)
        )
        replaced.enter_context(mock.patch.object(sweep.sweep, "ThreadPoolExecutor", return_value=in_order))
        replaced.enter_context(log_to_nowhere())
        yield {PUSH_SMS: push_sms.app.handler, PUSH_RETRY: push_retry.app.handler, SWEEP: sweep.app.handler}
