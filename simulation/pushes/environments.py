"""Lambda's side of the functions: environments that take one invocation at a time, in virtual time.

A function runs as a strand. Its calls to AWS may meet trouble, and its environment may crash at any of them.
"""

import asyncio
import contextvars
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from types import SimpleNamespace
from typing import Any

from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.push.pusher import AttemptClient, Pusher
from simulation.pushes.functions import Remote, handlers, new_pusher, queues_of
from simulation.pushes.parameters import Parameters
from simulation.pushes.timeline import LIFE, Life, crash, in_strand, timeline, wait

type Calls = Mapping[str, Callable[..., Any]]
type Event = dict[str, Any]

# How long (s) an answer that does not come is waited for: a connection that breaks, one time-out, four of them.
_TIME_OUTS = (0.1, 5.0, 20.0)


# Above so many invocations in a row, each started by a message of the one before, Lambda takes it for a loop.
_LONGEST_LINEAGE = 16
# The lineage of whoever calls AWS now, which SQS and Lambda hand on; 0 outside of functions.
LINEAGE = contextvars.ContextVar("LINEAGE", default=0)


class InvocationFailed(Exception):
    """A function raised, was killed, or took too long; the text says which."""


class Refused(InvocationFailed):
    """Lambda did not even start a function: the account has no execution left, or this would be a loop."""


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


@dataclass(slots=True)
class Troubles:
    """What the next calls of a name meet; `delays` (s) are how long something is late or slow."""

    rng: random.Random
    waiting: dict[str, list[Trouble]] = field(default_factory=dict)
    delays: Sequence[float] = (0.4, 1.5, 3.5, 4.5)

    def give(self, call: str, trouble: Trouble, times: int = 1) -> None:
        """Let the next calls meet a trouble, once those that wait already were met."""
        self.waiting.setdefault(call, []).extend([trouble] * times)

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


class Environment(Life):
    """An environment of a function, with parts of its own; `event` is what it deals with, None between invocations."""

    def __init__(self, number: int, function: str, pusher: Pusher) -> None:
        super().__init__()
        self.number = number
        self.function = function
        self.pusher = pusher
        self.event: Event | None = None
        self.lineage = 0


def environment() -> Environment:
    """Return the environment that this runs in."""
    life = LIFE.get()
    assert isinstance(life, Environment)
    return life


def _pause(seconds: float) -> None:
    wait(asyncio.sleep(seconds))


class Environments:
    """All environments of all functions. `close` them.

    Takes what environments may call, by name. `on_call` is told of every call before it is made: its name and what it
    asks for; `failed` of each event whose invocation failed or met trouble.
    """

    def __init__(
        self,
        parameters: Parameters,
        rng: random.Random,
        servers: AttemptClient,
        calls: Calls,
        *,
        on_call: Callable[[str, Sequence[Any]], None],
        failed: Callable[[Event], None],
    ) -> None:
        self.failures: list[str] = []
        self.throttled = 0
        self.dropped_as_loop = 0
        self.troubles = Troubles(rng)
        self._parameters = parameters
        self._rng = rng
        self._servers = servers
        self._calls = calls
        self._on_call = on_call
        self._failed = failed
        self._serial = itertools.count(1)
        self._executions = 0
        self._busy: list[Environment] = []
        self._idle: dict[str, list[Environment]] = {}
        self._idle_servers = 0
        self._now = timeline().now
        # What calls bring about is no part of the environment that calls.
        self._outside = contextvars.copy_context()
        self._cloud = Remote(self._call)
        self._opened = ExitStack()
        opening = handlers(self._cloud, lambda: environment().pusher, _pause, self._now)
        self._handlers = self._opened.enter_context(opening)
        self.close = self._opened.close

    async def invoke(self, function: str, event: Event) -> Any:
        """Invoke a function; return what it returns. Raises InvocationFailed, noted in `failures` too, and Refused."""
        lineage = _lineage_of(event) + 1
        self._admit(event, lineage)
        idle = self._idle.setdefault(function, [])
        is_cold = not idle
        one = self._start(function) if is_cold else idle.pop()
        one.event, one.lineage = event, lineage
        self._busy.append(one)
        self._executions += 1
        try:
            if is_cold:
                await asyncio.sleep(self._parameters.cold_start)
            async with asyncio.timeout(self._parameters.invocation_timeout):
                return await self._run(one, event)
        except (TimeoutError, InvocationFailed) as failure:
            if isinstance(failure, TimeoutError):
                one.end()
            self.failures.append(f"{function}: {str(failure) or 'timed out'}")
            self._failed(event)
            raise InvocationFailed(self.failures[-1]) from None
        finally:
            # As on Lambda: what a function leaves running does not run between invocations.
            one.freeze()
            one.event = None
            self._busy.remove(one)
            self._executions -= 1
            if not one.over:
                idle.append(one)

    async def serve(self, seconds: float) -> None:
        """Have a partner's request take up an execution for so long, as one of partner_api does. Raises Refused."""
        self._admit({}, lineage=1)
        is_cold = self._idle_servers == 0
        self._idle_servers -= not is_cold
        self._executions += 1
        await asyncio.sleep(seconds + (self._parameters.cold_start if is_cold else 0.0))
        self._executions -= 1
        self._idle_servers += 1

    def _admit(self, event: Event, lineage: int) -> None:
        is_throttled = self._executions >= self._parameters.concurrency
        is_loop = lineage > _LONGEST_LINEAGE and self._parameters.recursive_loop != "Allow"
        self.throttled += is_throttled
        self.dropped_as_loop += is_loop and not is_throttled
        if is_throttled or is_loop:
            self._failed(event)
            raise Refused("throttled" if is_throttled else "a loop")

    def kill_busy(self, *functions: str) -> bool:
        """Kill an environment of these functions in the middle of an invocation; return whether there was one."""
        busy = [one for one in self._busy if one.function in functions and not one.over]
        if busy:
            self._rng.choice(busy).end()
        return bool(busy)

    def _start(self, function: str) -> Environment:
        queues = queues_of(self._cloud, _pause)
        pusher = new_pusher(self._cloud, queues, now=self._now, client=lambda: nullcontext(self._servers))
        # The one loop of all, so that environments go on side by side.
        pusher._runner = SimpleNamespace(run=wait)  # type: ignore[assignment]
        return Environment(next(self._serial), function, pusher)

    async def _run(self, one: Environment, event: Event) -> Any:
        context = contextvars.copy_context()
        context.run(LIFE.set, one)
        handler = partial(self._handlers[one.function], event, None)
        task = timeline().create_task(in_strand(handler), context=context)
        await asyncio.wait({task})
        if task.cancelled():
            raise InvocationFailed("the process is gone")
        if task.exception() is not None:
            raise InvocationFailed(repr(task.exception()))
        return task.result()

    def _call(self, name: str, *arguments: Any, **named: Any) -> Any:
        return wait(self._carry_out(name, arguments, named))

    async def _carry_out(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self._on_call(name, arguments)
        way = self._rng.uniform(*self._parameters.call) / 2
        await asyncio.sleep(way)

        lineage = environment().lineage

        def do(first: Any) -> Any:
            return self._outside.run(_on_behalf, lineage, partial(self._calls[name], first, *arguments[1:], **named))

        waiting = self.troubles.waiting.get(name)
        if waiting:
            self._failed(environment().event or {})
            answer = await self.troubles.meet(waiting.pop(0), do, arguments[0])
        else:
            answer = do(arguments[0])
        await asyncio.sleep(way)
        return answer


def _on_behalf(lineage: int, call: Callable[[], Any]) -> Any:
    LINEAGE.set(lineage)
    return call()


def _lineage_of(event: Event) -> int:
    """Return the largest lineage among an event's messages, the worst reading of a batch; streams carry none."""
    headers = (record.get("attributes", {}).get("AWSTraceHeader", "") for record in event.get("Records", ()))
    return max((int(header.rpartition(":")[2]) for header in headers if header), default=0)
