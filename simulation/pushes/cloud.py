"""The simulated cloud put together: what a scenario starts, feeds, breaks and asks.

In a Timeline all of it is in virtual time; in any other loop functions are processes, and partners have real servers.
"""

import asyncio
import os
import random
import resource
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from globalconnect.domain.ids import LARGEST_ID
from globalconnect.domain.partner import Partner, new_key
from globalconnect.domain.sms import Sms, SmsRef
from simulation.pushes.environments import Environments, InvocationFailed
from simulation.pushes.functions import PUSH_RETRY, PUSH_SMS, RETRY_QUEUE, SLOW_RETRY_QUEUE, SWEEP
from simulation.pushes.measures import percentile
from simulation.pushes.parameters import Parameters
from simulation.pushes.partner_process import partner_process
from simulation.pushes.partners import Behaviour, Seen, Servers
from simulation.pushes.processes import Processes
from simulation.pushes.queue import Queue, QueueSource, Refused
from simulation.pushes.store import MemoryStore
from simulation.pushes.stream import Stream
from simulation.pushes.timeline import Timeline, milliseconds, seconds
from simulation.pushes.virtual import Strands, VirtualServers

type Progress = Callable[[str], None]

_LAG_LOOKED_FOR_EVERY = 0.05
_OF_STORE = (
    "claim",
    "open_among",
    "settle",
    "keep_attempts",
    "pending",
    "find",
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

    environments: Environments[Any]
    servers: Servers

    def __init__(self, parameters: Parameters | None = None, store: Any = None) -> None:
        self.parameters = parameters or Parameters()
        self.store = store or MemoryStore()
        self.stored_at: dict[int, float] = {}
        self.partner_of: dict[int, str] = {}
        self.lags: list[float] = [0.0]
        self.rng = random.Random(self.parameters.seed)
        self._partners: dict[str, Partner] = {}
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            self._make_queues()
            calls = {name: getattr(self.store, name) for name in _OF_STORE}
            calls["send"] = self.send
            if isinstance(asyncio.get_running_loop(), Timeline):
                self.servers = servers = VirtualServers()
                environments: Any = Strands(servers, self.parameters, calls, self.rng)
            else:
                _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
                folder = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="cloud-")))
                self.servers = opening.enter_context(partner_process())
                environments = Processes(folder, self.parameters, calls, self.rng)
                self._run(opening, self._watch_lag())
            self.environments = await opening.enter_async_context(environments)
            self._make_sources(opening)
            self._run(opening, self._sweep_now_and_then())
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    def _make_queues(self) -> None:
        self.retry_queue = Queue(RETRY_QUEUE, self.parameters, self.rng)
        self.slow_queue = Queue(SLOW_RETRY_QUEUE, self.parameters, self.rng)
        self._queues = {queue.name: queue for queue in (self.retry_queue, self.slow_queue)}

    def _make_sources(self, opening: AsyncExitStack) -> None:
        parameters = self.parameters
        self.stream = Stream(self._invoking(PUSH_SMS), parameters)
        retries = self._invoking(PUSH_RETRY)
        self.retries = QueueSource(self.retry_queue, retries, parameters, parameters.retry_concurrency, self.rng)
        self.slow_retries = QueueSource(self.slow_queue, retries, parameters, parameters.slow_concurrency, self.rng)
        for source in (self.stream, self.retries, self.slow_retries):
            opening.push_async_callback(source.stop)

    def _invoking(self, function: str) -> Callable[[dict[str, Any]], Awaitable[Any]]:
        async def invoke(event: dict[str, Any]) -> Any:
            return await self.environments.invoke(function, event)

        return invoke

    # -------------------------------------------------------------- what happens in it

    def send(self, entries: Sequence[dict[str, Any]], queue: str) -> list[Refused | None]:
        return self._queues[queue].send_batch(entries)

    def add_partner(self, name: str, behaviour: Behaviour) -> None:
        partner = Partner(
            partner_id=name,
            name=name,
            key=new_key(name, self.rng.randrange),
            push_url=self.servers.open(name, behaviour),
            services=None,
            dialect="default",
            created_at=milliseconds(),
        )
        self._partners[name] = partner
        self.store.add_partner(partner)

    def behave(self, names: Iterable[str], behaviour: Behaviour) -> None:
        for name in names:
            self.servers.behave(name, behaviour)

    def store_sms(self, partner: str, activation_id: int | None = None) -> SmsRef:
        """Store an SMS for a partner, in an activation of its own unless one is named."""
        now = milliseconds()
        sms = Sms(
            sms_id=self.rng.randrange(1, LARGEST_ID),
            activation_id=activation_id or self.rng.randrange(1, LARGEST_ID),
            partner_id=partner,
            phone="447472190082",
            phone_from="Service",
            text="Your code is 81462, don't share it",
            received_at=now,
            stored_at=now,
        )
        self.store.store_sms(sms)
        self.stored_at[sms.sms_id] = seconds()
        self.partner_of[sms.sms_id] = partner
        self.stream.inserted(sms)
        return SmsRef(sms.activation_id, sms.sms_id)

    async def arrive(self, behaviours: Mapping[str, Behaviour], messages: int, lasts: float) -> list[SmsRef]:
        """Have partners that behave so get so many SMS each within some seconds."""
        for name, behaviour in behaviours.items():
            self.add_partner(name, behaviour)
        refs: list[SmsRef] = []
        for _ in range(messages):
            refs += [self.store_sms(name) for name in behaviours]
            await asyncio.sleep(lasts / messages)
        return refs

    def finish(self, activation_id: int) -> float:
        """Finish an activation; return when that was answered (s)."""
        self.store.finish(activation_id)
        return seconds()

    async def sweep(self) -> None:
        await self.environments.invoke(SWEEP, {})

    def attempts(self, names: Collection[str] | None = None) -> list[Seen]:
        """Return every attempt that partners (these, or all) saw so far, by time of arrival."""
        return [seen for seen in self.servers.attempts() if names is None or seen.partner in names]

    def errors(self) -> list[str]:
        """Return what functions logged as errors, and whatever else they wrote that is no line of their log."""
        lines = self.environments.log().splitlines()
        return [line for line in lines if line and (not line.startswith("{") or '"level":"ERROR"' in line)]

    @property
    def lag(self) -> float:
        """By how much (s, p99) the model itself was late: how busy the machine was, whatever the delivery code does."""
        return percentile(self.lags, 0.99)

    def tell(self, name: str, progress: Progress) -> None:
        """Say what can't be seen in the figures, for judging them."""
        environments, sources = self.environments, (self.stream, self.retries, self.slow_retries)
        busy = ", ".join(str(source.busy_most) for source in sources)
        progress(f"{name}: environments {dict(environments.started)}; at most busy of stream, retry, slow: {busy}")
        slow = [name for name, partner in self.store.many(self._partners).items() if partner.slow_until]
        progress(f"{name}: held to be slow: {slow}; {len(self.errors())} errors logged {environments.failures[:3]}")
        progress(f"{name}: the model's own lag p99 {1000 * self.lag:.0f} ms; load {os.getloadavg()}")

    # -------------------------------------------------------------- what runs by itself

    @staticmethod
    def _run(opening: AsyncExitStack, what: Any) -> None:
        task = asyncio.get_running_loop().create_task(what)

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        opening.push_async_callback(stop)

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
