"""Lambda's side of the functions: environments that take one invocation at a time, whatever they are made of."""

import asyncio
import itertools
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from simulation.pushes.parameters import Parameters

type Calls = Mapping[str, Callable[..., Any]]
type Event = dict[str, Any]


class InvocationFailed(Exception):
    """A function raised, was killed, or took too long; the text says which."""


class Environment:
    """One environment of a function; `event` is what it deals with, None between invocations."""

    def __init__(self, number: int, function: str) -> None:
        self.number = number
        self.function = function
        self.event: Event | None = None
        self.gone = False


class Environments[E: Environment](ABC):
    """All environments of all functions.

    Takes what environments may call, by name: the calls are made in this event loop, so none may block. `failed` is
    told of each event whose invocation failed.
    """

    def __init__(self, parameters: Parameters, calls: Calls, rng: random.Random) -> None:
        self.started: Counter[str] = Counter()
        self.failures: list[str] = []
        self.failed: Callable[[Event], None] = lambda _: None
        self._parameters = parameters
        self._calls = calls
        self._rng = rng
        self._serial = itertools.count(1)
        self._all: dict[int, E] = {}
        self._idle: dict[str, list[E]] = {}
        self._places = asyncio.Semaphore(parameters.concurrency)
        self._kill_after: dict[str, str] = {}

    async def invoke(self, function: str, event: Event) -> Any:
        """Invoke a function; return what it returns. Raises InvocationFailed, which is noted in `failures` too."""
        async with self._places:
            idle = self._idle.setdefault(function, [])
            one = idle.pop() if idle else await self._start(function)
            one.event = event
            try:
                async with asyncio.timeout(self._parameters.invocation_timeout):
                    answer = await self._run(one, event)
            except (TimeoutError, InvocationFailed) as failure:
                text = "timed out" if isinstance(failure, TimeoutError) else str(failure)
                self.failures.append(f"{function}: {text}")
                self.failed(event)
                if isinstance(failure, TimeoutError):
                    self._kill(one)
                raise InvocationFailed(text) from None
            finally:
                one.event = None
                if not one.gone:
                    idle.append(one)
            return answer

    async def warm(self, function: str, count: int) -> None:
        """Have at least so many environments of a function idle."""
        idle = self._idle.setdefault(function, [])
        while len(idle) < count:
            idle.append(await self._start(function))

    def kill_busy(self, *functions: str) -> bool:
        """Kill an environment of these functions in the middle of an invocation; return whether there was one."""
        busy = [one for one in self._all.values() if one.event is not None and one.function in functions]
        if busy:
            self._kill(self._rng.choice(busy))
        return bool(busy)

    def kill_after(self, function: str, call: str) -> None:
        """Kill the next environment of a function that makes this call: after it was done, before it is answered."""
        self._kill_after[function] = call

    @abstractmethod
    def log(self) -> str:
        """Return what the functions have logged, and whatever else they wrote."""

    async def _start(self, function: str) -> E:
        one = self._new(next(self._serial), function)
        self._all[one.number] = one
        self.started[function] += 1
        return one

    @abstractmethod
    def _new(self, number: int, function: str) -> E:
        """Make an environment."""

    @abstractmethod
    async def _run(self, one: E, event: Event) -> Any:
        """Have an environment deal with an event. Raises InvocationFailed."""

    def _kill(self, one: E) -> None:
        """End an environment, whatever it is doing."""
        one.gone = True
        self._all.pop(one.number, None)
        idle = self._idle.get(one.function, [])
        if one in idle:
            idle.remove(one)

    def _is_to_die(self, one: E, call: str) -> bool:
        if self._kill_after.get(one.function) != call:
            return False
        del self._kill_after[one.function]
        return True
