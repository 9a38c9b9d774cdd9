"""Lambda's side of the functions: an environment is a process that takes one invocation at a time.

Environments are forked from one process that has imported everything. Between invocations they are frozen, as on
Lambda: what a function leaves running does not run. Their calls to tables and queues come in over a unix socket.
"""

import asyncio
import itertools
import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.cloud.parameters import Parameters
from tests.faults.cloud.partners import ROOT, environment, program
from tests.faults.cloud.rpc import Unpacker, pack

PUSH_SMS = "push_sms"
PUSH_RETRY = "push_retry"
EXPIRE_ACTIVATIONS = "sweep"

_BACKLOG = 1_024
_START_SECONDS = 20.0


class InvocationFailed(Exception):
    """A function raised, was killed, or took too long; the text says which."""


@dataclass(slots=True)
class _Environment:
    number: int
    function: str
    pid: int = 0
    transport: asyncio.Transport | None = None
    ready: asyncio.Future[None] | None = None
    answer: asyncio.Future[tuple[bool, str]] | None = None


class Environments:
    """All environments of all functions; an async context manager.

    Takes a folder for its sockets and logs, and what environments may call, by name: their calls are made in this event
    loop, so none may block.
    """

    def __init__(
        self, folder: Path, parameters: Parameters, calls: Mapping[str, Callable[..., Any]], rng: random.Random
    ) -> None:
        self.started: Counter[str] = Counter()
        self.invocations: Counter[str] = Counter()
        self.failures: list[str] = []
        self.logs = folder / "logs"
        self._path = folder / "calls"
        self._parameters = parameters
        self._calls = calls
        self._rng = rng
        self._serial = itertools.count(1)
        self._all: dict[int, _Environment] = {}
        self._idle: dict[str, list[_Environment]] = {}
        self._places = asyncio.Semaphore(parameters.concurrency)
        self._kill_after: dict[str, str] = {}
        self._server: asyncio.Server | None = None
        self._mother: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        """Start the process that environments are forked from."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Line(self), str(self._path), backlog=_BACKLOG)
        arguments = program("tests.faults.cloud.worker", str(self._path))
        with self.logs.open("wb") as logs:
            self._mother = subprocess.Popen(  # noqa: ASYNC220 - once, before anything runs
                arguments,
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=logs,
                stderr=logs,
                # A group of its own, so that it can end its children, frozen ones too.
                start_new_session=True,
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every environment."""
        if self._mother is not None:
            assert self._mother.stdin is not None
            # At the end of its input it kills its whole group.
            self._mother.stdin.close()
            await asyncio.to_thread(self._mother.wait, _START_SECONDS)
        if self._server is not None:
            self._server.close()
            # Those of threads' calls too.
            self._server.abort_clients()
            await self._server.wait_closed()

    def pids(self) -> list[int]:
        """Return the processes there are."""
        mother = [] if self._mother is None else [self._mother.pid]
        return mother + [one.pid for one in self._all.values() if one.pid]

    async def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function; return what it returns. Raises InvocationFailed, which is noted in `failures` too."""
        try:
            return await self._invoke(function, event)
        except InvocationFailed as failure:
            self.failures.append(f"{function}: {failure}")
            raise

    async def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        async with self._places:
            idle = self._idle.setdefault(function, [])
            one = idle.pop() if idle else await self._start(function)
            self.invocations[function] += 1
            try:
                well, text = await self._run(one, event)
            except TimeoutError:
                self._kill(one)
                raise InvocationFailed("timed out") from None
            if not well:
                if one.transport is not None:
                    idle.append(one)
                raise InvocationFailed(text)
            idle.append(one)
            return json.loads(text)

    async def warm(self, function: str, count: int) -> None:
        """Have at least so many environments of a function idle."""
        idle = self._idle.setdefault(function, [])
        while len(idle) < count:
            one = await self._start(function)
            self._signal(one, signal.SIGSTOP)
            idle.append(one)

    def kill_busy(self, function: str) -> bool:
        """Kill an environment in the middle of an invocation; return whether there was one."""
        busy = [one for one in self._all.values() if one.function == function and one.answer is not None]
        if not busy:
            return False
        self._kill(self._rng.choice(busy))
        return True

    def kill_after(self, function: str, call: str) -> None:
        """Kill the next environment of a function that makes this call: after it was done, before it is answered."""
        self._kill_after[function] = call

    # -------------------------------------------------------------- their lives

    async def _start(self, function: str) -> _Environment:
        assert self._mother is not None
        assert self._mother.stdin is not None
        one = _Environment(next(self._serial), function)
        one.ready = asyncio.get_running_loop().create_future()
        self._all[one.number] = one
        self.started[function] += 1
        niceness = self._parameters.retry_niceness if function == PUSH_RETRY else 0
        self._mother.stdin.write(f"{function} {one.number} {niceness}\n".encode())
        self._mother.stdin.flush()
        await asyncio.wait_for(one.ready, _START_SECONDS)
        if self._parameters.cold_start:
            await asyncio.sleep(self._parameters.cold_start)
        return one

    async def _run(self, one: _Environment, event: dict[str, Any]) -> tuple[bool, str]:
        answer = one.answer = asyncio.get_running_loop().create_future()
        if one.transport is None:
            raise InvocationFailed("the process is gone")
        self._signal(one, signal.SIGCONT)
        one.transport.write(pack(json.dumps(event)))
        try:
            ended: tuple[bool, str] = await asyncio.wait_for(answer, self._parameters.invocation_timeout)
        finally:
            one.answer = None
        self._signal(one, signal.SIGSTOP)
        return ended

    def _kill(self, one: _Environment) -> None:
        self._signal(one, signal.SIGKILL)

    def _signal(self, one: _Environment, number: signal.Signals) -> None:
        if one.transport is not None:
            with suppress(ProcessLookupError):
                os.kill(one.pid, number)

    # -------------------------------------------------------------- what they say

    def on_ready(self, number: int, pid: int, transport: asyncio.Transport) -> None:
        """Note that an environment waits for invocations."""
        one = self._all[number]
        one.pid, one.transport = pid, transport
        if one.ready is not None and not one.ready.done():
            one.ready.set_result(None)

    def on_answer(self, number: int, answer: tuple[bool, str]) -> None:
        """Note how an invocation ended."""
        waiting = self._all[number].answer
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def on_gone(self, number: int) -> None:
        """Note that an environment's process has ended."""
        one = self._all.pop(number)
        one.transport = None
        idle = self._idle.get(one.function, [])
        if one in idle:
            idle.remove(one)
        if one.answer is not None and not one.answer.done():
            one.answer.set_result((False, "the process is gone"))

    def on_call(self, number: int, name: str, arguments: tuple[Any, ...], transport: asyncio.Transport) -> None:
        """Make a call for an environment, and answer it as late as AWS would."""
        answer: tuple[bool, Any]
        try:
            answer = (True, self._calls[name](*arguments))
        except Exception as error:  # noqa: BLE001 - it is the caller's, over there
            answer = (False, error)
        one = self._all.get(number)
        if one is not None and self._kill_after.get(one.function) == name:
            del self._kill_after[one.function]
            self._kill(one)
            return
        loop = asyncio.get_running_loop()
        loop.call_later(self._rng.uniform(*self._parameters.call), transport.write, pack(answer))


class _Line(asyncio.Protocol):
    """A connection of an environment: the one for invocations, or one for the calls of a thread of it."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments
        self._unpacker = Unpacker()
        self._transport: asyncio.Transport | None = None
        self._number = 0
        self._for_calls = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        for kind, *content in self._unpacker.feed(data):
            if kind == "call":
                name, arguments = content
                self._environments.on_call(self._number, name, arguments, self._transport)
            elif kind == "answer":
                self._environments.on_answer(self._number, (content[0], content[1]))
            elif kind == "calls":
                self._number, self._for_calls = content[0], True
            else:
                self._number = content[0]
                self._environments.on_ready(self._number, content[1], self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._number and not self._for_calls:
            self._environments.on_gone(self._number)
