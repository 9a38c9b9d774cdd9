"""Environments and partners' servers in virtual time: what they do is done in this process, a step at a time."""

import asyncio
import contextvars
import io
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from types import TracebackType
from typing import Any, Self
from unittest import mock

import push_retry.app
import push_sms.app
import sweep.app
import sweep.sweep
from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS, AttemptOutcome, AttemptResult
from globalconnect.push.pusher import Pusher
from globalconnect.push.signing import Signer
from simulation.logs import log_to
from simulation.pushes.environments import Calls, Environment, Environments, Event, InvocationFailed
from simulation.pushes.functions import Handler, Remote, install, new_pusher, new_sweep, queues_of
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import Seen, Server, Servers
from simulation.pushes.timeline import LIFE, Life, Timeline, crash, in_strand, pause, wait


class Trouble(Enum):
    """What a call to AWS may meet."""

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
# The way (s) to a partner's server and back.
_WAY = 0.007


class Strand(Environment, Life):
    """An environment whose functions run as strands, with parts of its own."""

    def __init__(self, number: int, function: str) -> None:
        Environment.__init__(self, number, function)
        Life.__init__(self)
        self.pusher: Pusher | None = None


class _Runner:
    """What a Pusher runs its batches with: the one loop of all, so that environments go on side by side."""

    def run(self, batch: Coroutine[Any, Any, Any]) -> Any:
        return wait(batch)


class _InOrder:
    """What the sweep uses as its threads: one shard after the other, in the strand that sweeps.

    Those after one that fails are left out, which is worse than what happens with threads.
    """

    def __init__(self, size: int) -> None:
        """Take the number of threads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End nothing."""

    def map[A, R](self, do: Callable[[A], R], each: Sequence[A]) -> Iterator[R]:
        return iter([do(one) for one in each])


def _pusher_here() -> Pusher:
    """Return the delivery routine of the environment that asks: what the handlers call instead of their wiring."""
    life = LIFE.get()
    assert isinstance(life, Strand)
    assert life.pusher is not None
    return life.pusher


@dataclass(slots=True)
class Troubles:
    """What the next calls of a name meet; `delays` (s) are how long something is late or slow."""

    rng: random.Random
    waiting: dict[str, list[Trouble]] = field(default_factory=dict)
    delays: Sequence[float] = (0.4, 1.5, 3.5, 4.5)

    def give(self, call: str, trouble: Trouble, times: int = 1) -> None:
        """Let the next calls meet a trouble, once those that wait already were met."""
        self.waiting.setdefault(call, []).extend([trouble] * times)

    def next(self, call: str) -> Trouble | None:
        waiting = self.waiting.get(call)
        return waiting.pop(0) if waiting else None

    async def meet(self, trouble: Trouble, do: Callable[..., Any], asked: Sequence[Any]) -> Any:
        match trouble:
            case Trouble.CRASH_BEFORE:
                await crash()
            case Trouble.LATE:
                await asyncio.sleep(self.rng.choice(self.delays))
            case Trouble.REFUSED:
                raise self._refusal()
            case Trouble.SOME_REFUSED:
                return self._some(do, asked, done=False)
            case Trouble.SOME_LOST:
                return self._some(do, asked, done=True)
            case Trouble.REPEATED:
                do(asked)
                await asyncio.sleep(self.rng.choice(_TIME_OUTS[:-1]))
        answer = None if trouble is Trouble.TIMED_OUT else do(asked)
        match trouble:
            case Trouble.CRASH_AFTER:
                await crash()
            case Trouble.SLOW:
                await asyncio.sleep(self.rng.choice(self.delays))
            case Trouble.LOST | Trouble.TIMED_OUT:
                await asyncio.sleep(self.rng.choice(_TIME_OUTS))
                raise Unavailable("ReadTimeoutError")
        return answer

    def _some(self, do: Callable[..., Any], asked: Sequence[Any], *, done: bool) -> Any:
        """Refuse some of what is asked for, at least one, or do all and answer some with an error.

        What can't be refused in part is refused.
        """
        if not isinstance(asked, list) or not asked:
            raise self._refusal()
        failed = frozenset(self.rng.sample(range(len(asked)), self.rng.randint(1, len(asked))))
        answers = do([one for place, one in enumerate(asked) if done or place not in failed])
        if not isinstance(answers, list):
            raise self._refusal()
        if not done:
            for place in sorted(failed):
                answers.insert(place, None)
        return [self._refusal() if place in failed else answer for place, answer in enumerate(answers)]

    def _refusal(self) -> Exception:
        return self.rng.choice([Busy(), Unavailable("ThrottlingException")])


class Strands(Environments[Strand]):
    """All environments of all functions, in a Timeline; an async context manager.

    `on_call` is told of every call before it is made: by whom, its name and what it asks for.
    """

    def __init__(self, servers: "VirtualServers", parameters: Parameters, calls: Calls, rng: random.Random) -> None:
        super().__init__(parameters, calls, rng)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Timeline)
        self.troubles = Troubles(rng)
        self.on_call: Callable[[Strand, str, Sequence[Any]], None] = lambda *_: None
        self._servers = servers
        self._now = loop.now
        # What calls bring about is no part of the environment that calls.
        self._outside = contextvars.copy_context()
        self._handlers: dict[str, Handler] = {}
        self._patched = ExitStack()
        self._log = io.StringIO()

    async def __aenter__(self) -> Self:
        for app, name in ((push_sms.app, "pusher"), (push_retry.app, "pusher"), (sweep.app, "parts")):
            self._patched.enter_context(mock.patch.object(app, name))
        self._patched.enter_context(mock.patch.object(sweep.app, "publish_waiting"))
        self._patched.enter_context(mock.patch.object(sweep.sweep, "ThreadPoolExecutor", _InOrder))
        self._patched.enter_context(log_to(self._log))
        cloud = Remote(self._call)
        self._handlers = install(_pusher_here, lambda: new_sweep(cloud, queues_of(cloud, pause), self._now))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in list(self._all.values()):
            self._kill(one)
        self._patched.close()

    def log(self) -> str:
        return self._log.getvalue()

    def _new(self, number: int, function: str) -> Strand:
        one, cloud = Strand(number, function), Remote(self._call)
        one.pusher = new_pusher(cloud, queues_of(cloud, pause), now=self._now, client=lambda: self._servers)
        one.pusher._runner = _Runner()  # type: ignore[assignment]
        return one

    async def _run(self, one: Strand, event: Event) -> Any:
        context = contextvars.copy_context()
        context.run(LIFE.set, one)
        handler = partial(self._handlers[one.function], event, None)
        task = asyncio.get_running_loop().create_task(in_strand(handler), context=context)
        await asyncio.wait({task})
        if task.cancelled():
            self._kill(one)
            raise InvocationFailed("the process is gone")
        if task.exception() is not None:
            raise InvocationFailed(repr(task.exception()))
        return task.result()

    def _kill(self, one: Strand) -> None:
        super()._kill(one)
        one.end()

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        return wait(self._carry_out(name, arguments, named))

    async def _carry_out(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        one = LIFE.get()
        assert isinstance(one, Strand)
        self.on_call(one, name, arguments)
        way = self._rng.uniform(*self._parameters.call) / 2
        await asyncio.sleep(way)

        def do(first: Any) -> Any:
            return self._outside.run(partial(self._calls[name], first, *arguments[1:], **named))

        trouble = self.troubles.next(name)
        if trouble is None:
            answer = do(arguments[0])
        else:
            assert one.event is not None
            self.failed(one.event)
            answer = await self.troubles.meet(trouble, do, arguments[0])
        if self._is_to_die(one, name):
            self._kill(one)
        await asyncio.sleep(way)
        return answer


@dataclass(frozen=True, slots=True)
class Push:
    """A push that arrives at a partner's server: of whose environment, and what of it is being attempted."""

    by: Strand
    attempt: Seen


class VirtualServers(Servers):
    """Partners' servers without a network: what a Pusher takes for its HTTP client.

    `crashes` are when the environments of the next attempts crash: in shares of the attempt's duration. `on_push` is
    told of each attempt as it starts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.crashes: list[float] = []
        self.on_push: Callable[[Push], None] = lambda _: None
        self._by_url: dict[str, Server] = {}

    def _listen(self, server: Server) -> str:
        url = f"https://{server.name.replace(' ', '-')}.example/push"
        self._by_url[url] = server
        return url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close nothing."""

    async def attempt(
        self, url: str, body: dict[str, Any], secrets: Sequence[str], signer: Signer | None
    ) -> AttemptResult:
        server, loop, life = self._by_url[url], asyncio.get_running_loop(), LIFE.get()
        assert isinstance(loop, Timeline)
        assert isinstance(life, Strand)
        attempt = self.arrived(server, int(body["smsId"]), loop.now() / 1_000)
        self.on_push(Push(life, attempt))
        after = server.behaviour.after
        success = after is not None and server.will_take()
        lasts = ATTEMPT_TIMEOUT_SECONDS if after is None else after + _WAY
        crash_at = self.crashes.pop(0) if self.crashes else None
        try:
            await asyncio.sleep(lasts * (1.0 if crash_at is None else crash_at))
            if crash_at is None or crash_at == 1.0:
                server.answer(attempt, loop.now() / 1_000, success=success)
            if crash_at is not None:
                await crash()
        finally:
            attempt.ended = loop.now() / 1_000
        outcome = (
            AttemptOutcome.TIMEOUT
            if after is None
            else AttemptOutcome.DELIVERED
            if success
            else AttemptOutcome.HTTP_STATUS
        )
        status = None if after is None else 200 if success else 500
        return AttemptResult(
            delivered=success, outcome=outcome, http_status=status, duration_ms=round(lasts * 1_000), answer=""
        )
