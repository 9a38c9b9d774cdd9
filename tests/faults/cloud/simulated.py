"""The simulated cloud put together: what a scenario starts, feeds, breaks and asks."""

import asyncio
import os
import random
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from globalconnect.domain.ids import LARGEST_ID
from globalconnect.domain.partner import Partner, new_key
from globalconnect.domain.sms import Sms, SmsRef
from globalconnect.runtime import clock
from tests.faults.cloud.behaviour import Behaviour, Seen
from tests.faults.cloud.environments import EXPIRE_ACTIVATIONS, PUSH_RETRY, PUSH_SMS, Environments, InvocationFailed
from tests.faults.cloud.machine import Busy
from tests.faults.cloud.parameters import Parameters
from tests.faults.cloud.partners import PartnerServers
from tests.faults.cloud.queue import Queue, QueueSource
from tests.faults.cloud.store import MemoryStore
from tests.faults.cloud.stream import Stream
from tests.faults.cloud.worker import RETRY_QUEUE, SLOW_RETRY_QUEUE

_LAG_LOOKED_FOR_EVERY = 0.05
_OF_STORE = (
    "claim",
    "open_among",
    "settle",
    "keep_attempts",
    "messages",
    "note_queued_again",
    "many",
    "note_slow",
    "note_success",
)


class SimulatedCloud:
    """Tables, stream, queues, functions and partners; an async context manager.

    Faults are plain calls: `environments.kill_busy` and `.kill_after`, `stream.repeat` and `.at_once`,
    `retry_queue.delivered_twice`, `.fail_sends` and `.purge()` (and of `slow_queue`), `finish`, `sweep`.
    """

    def __init__(self, parameters: Parameters | None = None, store: MemoryStore | None = None) -> None:
        self.parameters = parameters or Parameters()
        self.store = store or MemoryStore()
        self.stored_at: dict[int, float] = {}
        self.partner_of: dict[int, str] = {}
        self.lags: list[float] = []
        self._rng = random.Random(self.parameters.seed)
        self._partners: dict[str, Partner] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start everything."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        async with AsyncExitStack() as opening:
            folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="cloud-")))
            self._servers = opening.enter_context(PartnerServers(folder))
            self._make_queues()
            calls: dict[str, Callable[..., Any]] = {name: getattr(self.store, name) for name in _OF_STORE}
            calls["pending"] = lambda shard, until: list(self.store.pending(shard, until))
            calls["send_message_batch"] = lambda url, entries: self._queues[url].send_batch(entries)
            environments = Environments(folder, self.parameters, calls, self._rng)
            self.environments = await opening.enter_async_context(environments)
            self._make_sources(opening)
            self._busy_before = Busy.of(self._pids())
            self._tasks = [asyncio.create_task(self._sweep_now_and_then()), asyncio.create_task(self._watch_lag())]
            opening.push_async_callback(self._stop_tasks)
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, whatever is under way."""
        await self._opened.aclose()

    def _make_queues(self) -> None:
        self.retry_queue = Queue(RETRY_QUEUE, self.parameters, self._rng)
        self.slow_queue = Queue(SLOW_RETRY_QUEUE, self.parameters, self._rng)
        self._queues = {queue.name: queue for queue in (self.retry_queue, self.slow_queue)}

    def _make_sources(self, opening: AsyncExitStack) -> None:
        parameters = self.parameters
        self.stream = Stream(self._invoking(PUSH_SMS), parameters)
        retries = self._invoking(PUSH_RETRY)
        self.retries = QueueSource(self.retry_queue, retries, parameters, parameters.retry_concurrency, self._rng)
        self.slow_retries = QueueSource(self.slow_queue, retries, parameters, parameters.slow_concurrency, self._rng)
        sources: list[Stream | QueueSource] = [self.stream, self.retries, self.slow_retries]
        for source in sources:
            source.start()
            opening.push_async_callback(source.stop)

    def _invoking(self, function: str) -> Callable[[dict[str, Any]], Awaitable[Any]]:
        async def invoke(event: dict[str, Any]) -> Any:
            return await self.environments.invoke(function, event)

        return invoke

    # -------------------------------------------------------------- what happens in it

    def add_partner(self, name: str, behaviour: Behaviour) -> None:
        """Have a partner with a server that behaves so."""
        partner = Partner(
            partner_id=name,
            name=name,
            key=new_key(name, self._rng.randrange),
            push_url=self._servers.open(name, behaviour),
            services=None,
            dialect="default",
            created_at=clock.now(),
        )
        self._partners[name] = partner
        self.store.add_partner(partner)

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """Have a partner's server answer differently from now on."""
        self._servers.behave(name, behaviour)

    def store_sms(self, partner: str) -> SmsRef:
        """Store an SMS for a partner, in an activation of its own."""
        now = clock.now()
        sms = Sms(
            sms_id=self._rng.randrange(1, LARGEST_ID),
            activation_id=self._rng.randrange(1, LARGEST_ID),
            partner_id=partner,
            phone="447472190082",
            phone_from="Service",
            text="Your code is 81462, don't share it",
            received_at=now,
            stored_at=now,
        )
        self.store.store_sms(sms)
        self.stored_at[sms.sms_id] = time.time()
        self.partner_of[sms.sms_id] = partner
        self.stream.inserted(sms)
        return SmsRef(sms.activation_id, sms.sms_id)

    def finish(self, activation_id: int) -> float:
        """Finish an activation; return when that was answered (time.time())."""
        self.store.finish(activation_id)
        return time.time()

    async def sweep(self) -> None:
        """Let the sweep run now."""
        await self.environments.invoke(EXPIRE_ACTIVATIONS, {})

    def served(self, names: Sequence[str]) -> int:
        """Count the SMS that partners answered with SUCCESS; cheap enough to ask for often."""
        return self._servers.served(names)

    def attempts(self) -> list[Seen]:
        """Return every attempt that partners saw so far, by time of arrival."""
        return self._servers.attempts()

    def errors(self) -> list[str]:
        """Return what functions logged as errors, and whatever else they wrote that is no line of their log."""
        lines = self.environments.logs.read_text().splitlines()
        return [line for line in lines if line and (not line.startswith("{") or '"level":"ERROR"' in line)]

    def slow_partners(self) -> list[str]:
        """Return the partners that have been held to be slow."""
        return [name for name, partner in self.store.many(self._partners).items() if partner.slow_until]

    def busy(self) -> str:
        """Say how busy the machine was since the start."""
        return Busy.of(self._pids()).since(self._busy_before)

    def _pids(self) -> list[int]:
        return [os.getpid(), self._servers.pid, *self.environments.pids()]

    # -------------------------------------------------------------- what runs by itself

    async def _sweep_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.parameters.sweep_every)
            # Noted among the environments' failures; the next minute takes up what was left.
            with suppress(InvocationFailed):
                await self.sweep()

    async def _watch_lag(self) -> None:
        """Note how late this event loop is: the model itself must not be what is slow."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_LOOKED_FOR_EVERY
            await asyncio.sleep(_LAG_LOOKED_FOR_EVERY)
            self.lags.append(loop.time() - due)

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
