"""The functions' processes: one that has imported everything, and the environments forked from it.

Run as `python -m tests.faults.cloud.worker SOCKET` by `tests.faults.cloud.environments`. Each line of its input,
`FUNCTION NUMBER NICENESS`, is an environment to fork; at the end of its input it kills its process group.
"""

import gc
import importlib
import io
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import push_retry.app
import push_sms.app
import sweep.app
from globalconnect import VERSION
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Attempt, AttemptTally, PushEnd, Sms, SmsRef
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime import clock
from globalconnect.runtime.metrics import PushMeter
from globalconnect.store.pushes import Pushes
from sweep.sweep import Sweep
from sweep.wiring import Parts
from tests.faults.cloud.rpc import Channel

if TYPE_CHECKING:
    from globalconnect.store.numbers import Numbers
    from globalconnect.store.partners import Partners
    from globalconnect.store.pushes import Pushes

RETRY_QUEUE = "retry"
SLOW_RETRY_QUEUE = "slow"


class Cloud:
    """Calls to the simulated cloud; each thread has a connection of its own, as a client of AWS has a pool of them."""

    def __init__(self, path: Path, number: int) -> None:
        self._path = path
        self._number = number
        self._of_thread = threading.local()

    def call(self, name: str, *arguments: object) -> Any:
        """Make a call and give its result. Raises what the call raised there."""
        channel: Channel | None = getattr(self._of_thread, "channel", None)
        if channel is None:
            channel = self._of_thread.channel = Channel.to(self._path)
            channel.send(("calls", self._number))
        well, result = channel.ask(("call", name, arguments))
        if not well:
            raise result
        return result


class RemoteStore:
    """The store, over there: the calls of store.pushes.Pushes and store.partners.Partners."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def claim(
        self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
    ) -> list[Sms | Exception | None]:
        """See MemoryStore."""
        return cast("list[Sms | Exception | None]", self._cloud.call("claim", list(refs), now, tallies))

    def open_among(self, activation_ids: Collection[int]) -> frozenset[int]:
        """See MemoryStore."""
        return cast("frozenset[int]", self._cloud.call("open_among", list(activation_ids)))

    def settle(self, ends: Sequence[PushEnd]) -> list[Exception | None]:
        """See MemoryStore."""
        return cast("list[Exception | None]", self._cloud.call("settle", list(ends)))

    def keep_attempts(self, attempts: Sequence[tuple[Sms, Attempt]]) -> None:
        """See MemoryStore."""
        self._cloud.call("keep_attempts", list(attempts))

    def pending(self, shard: str, stored_until: int) -> Iterator[SmsRef]:
        """See MemoryStore."""
        return iter(self._cloud.call("pending", shard, stored_until))

    def find(self, refs: Sequence[SmsRef]) -> list[Sms]:
        """See MemoryStore."""
        return cast("list[Sms]", self._cloud.call("messages", list(refs)))

    def note_queued_again(self, messages: Sequence[Sms], now: int) -> list[Exception | None]:
        """See MemoryStore."""
        return cast("list[Exception | None]", self._cloud.call("note_queued_again", list(messages), now))

    def many(self, partner_ids: Collection[str]) -> dict[str, Partner]:
        """See MemoryStore."""
        return cast("dict[str, Partner]", self._cloud.call("many", list(partner_ids)))

    def note_slow(self, partner_id: str, until: int) -> None:
        """See MemoryStore."""
        self._cloud.call("note_slow", partner_id, until)

    def note_success(self, partner_id: str, at: int) -> None:
        """See MemoryStore."""
        self._cloud.call("note_success", partner_id, at)


class RemoteSqs:
    """As much of a client of SQS as RetryQueues calls."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - AWS's
        """Send messages."""
        return cast("dict[str, Any]", self._cloud.call("send_message_batch", QueueUrl, Entries))


class NoNumbers:
    """No lease runs out here: the sweep's other half is not what this cloud is for."""

    def held_until(self, _shard: str, _now: int) -> Iterator[tuple[str, int]]:
        """Return none."""
        return iter(())


class NoStatistics:
    """Nobody looks at what waits in this cloud."""

    def put_pending(self, _note: object) -> None:
        """Keep nothing."""


def _handler(function: str, cloud: Cloud) -> Callable[[dict[str, Any], object], Any]:
    """Return a function's real handler, with the parts it works on replaced by those of this cloud."""
    store = RemoteStore(cloud)
    queues = RetryQueues(cast("Any", RemoteSqs(cloud)), RETRY_QUEUE, SLOW_RETRY_QUEUE)
    partners = cast("Partners", store)
    app: Any
    if function == "sweep":
        app = sweep.app
        parts = Parts(
            Sweep(cast("Numbers", NoNumbers()), partners, cast("Pushes", store), queues, clock.now),
            cast("Any", NoStatistics()),
        )
        app.parts = lambda: parts
    else:
        app = push_sms.app if function == "push_sms" else push_retry.app
        pusher = Pusher(
            pushes=store,
            partners=store,
            queues=queues,
            health=Health(partners, clock.now),
            open_client=lambda: PushClient(version=VERSION, loopback=True),
            max_age=None,
            now=clock.now,
            meter=PushMeter(),
        )
        app.pusher = lambda: pusher
    return cast("Callable[[dict[str, Any], object], Any]", app.handler)


def _serve(path: Path, function: str, number: int) -> None:
    """Deal with invocations until the cloud is gone."""
    handler = _handler(function, Cloud(path, number))
    line = Channel.to(path)
    line.send(("ready", number, os.getpid()))
    while True:
        event = line.receive()
        try:
            answer = (True, json.dumps(handler(json.loads(event), None)))
        except Exception:  # noqa: BLE001 - reported, as Lambda's runtime does
            answer = (False, traceback.format_exc())
        line.send(("answer", *answer))


def _fork(path: Path, function: str, number: int, niceness: int) -> None:
    if os.fork() != 0:
        return
    status = 0
    try:
        os.close(sys.stdin.fileno())
        os.nice(niceness)
        _serve(path, function, number)
    except (EOFError, ConnectionError):
        # The cloud has closed.
        pass
    except BaseException:  # noqa: BLE001 - a forked process must never return into its parent's code
        traceback.print_exc()
        status = 1
    finally:
        os._exit(status)


def main(path: Path) -> None:
    """Fork what is asked for."""
    # aiohttp loads some of itself when first used.
    importlib.import_module("aiohttp.connector")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Nothing of what is loaded is ever garbage, and forks share what they don't touch.
    gc.collect()
    gc.freeze()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Whole lines, since all environments write to one log.
        sys.stdout.reconfigure(line_buffering=True)
    for command in sys.stdin.buffer:
        function, number, niceness = command.decode().split()
        _fork(path, function, int(number), int(niceness))
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
