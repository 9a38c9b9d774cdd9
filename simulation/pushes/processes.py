"""Environments that are processes, in real time.

They are forked from one process that has imported everything. Between invocations they are frozen, as on Lambda: what a
function leaves running does not run. Their calls to tables and queues come in over a unix socket.
"""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.place import REPOSITORY
from simulation.pushes.environments import Calls, Environment, Environments, Event, InvocationFailed
from simulation.pushes.functions import PUSH_RETRY
from simulation.pushes.parameters import Parameters

type _Link = Connection[Any, Any]

_BACKLOG = 1_024
_START_SECONDS = 20.0


class Process(Environment):
    pid = 0
    link: _Link | None = None

    def __init__(self, number: int, function: str) -> None:
        super().__init__(number, function)
        self.ready = asyncio.get_running_loop().create_future()
        self.answer: asyncio.Future[tuple[bool, Any]] | None = None

    def signal(self, number: signal.Signals) -> None:
        if not self.gone:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Processes(Environments[Process]):
    """All environments of all functions; an async context manager. Takes a folder for its socket and log."""

    def __init__(self, folder: Path, parameters: Parameters, calls: Calls, rng: random.Random) -> None:
        super().__init__(parameters, calls, rng)
        self._log = folder / "logs"
        self._path = str(folder / "calls")
        self._listener = socket.socket(socket.AF_UNIX)
        self._mother: subprocess.Popen[bytes] | None = None
        self._links: dict[_Link, tuple[Process, bool] | None] = {}

    async def __aenter__(self) -> Self:
        self._listener.bind(self._path)
        self._listener.listen(_BACKLOG)
        asyncio.get_running_loop().add_reader(self._listener, self._accept)
        with self._log.open("wb") as log:
            self._mother = subprocess.Popen(  # noqa: ASYNC220 - once, before anything runs
                [sys.executable, "-m", "simulation.pushes.worker", self._path],
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": f"{REPOSITORY / 'functions'}{os.pathsep}{REPOSITORY}"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # A group of its own, so that it can end its children, frozen ones too.
                start_new_session=True,
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._mother is not None
        assert self._mother.stdin is not None
        # At the end of its input it kills its whole group.
        self._mother.stdin.close()
        await asyncio.to_thread(self._mother.wait, _START_SECONDS)
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        for link in list(self._links):
            self._lose(link)

    async def _start(self, function: str) -> Process:
        one = await super()._start(function)
        assert self._mother is not None
        assert self._mother.stdin is not None
        niceness = self._parameters.retry_niceness if function == PUSH_RETRY else 0
        self._mother.stdin.write(f"{function} {one.number} {niceness}\n".encode())
        self._mother.stdin.flush()
        await asyncio.wait_for(one.ready, _START_SECONDS)
        one.signal(signal.SIGSTOP)
        return one

    def _new(self, number: int, function: str) -> Process:
        return Process(number, function)

    async def _run(self, one: Process, event: Event) -> Any:
        one.answer = asyncio.get_running_loop().create_future()
        one.signal(signal.SIGCONT)
        assert one.link is not None
        with suppress(OSError):
            # When it is gone, that is the answer.
            one.link.send(json.dumps(event))
        well, answer = await one.answer
        one.signal(signal.SIGSTOP)
        if not well:
            raise InvocationFailed(answer)
        return answer

    def _kill(self, one: Process) -> None:
        one.signal(signal.SIGKILL)
        super()._kill(one)

    def log(self) -> str:
        return self._log.read_text()

    # -------------------------------------------------------------- what they say

    def _accept(self) -> None:
        connected, _ = self._listener.accept()
        link: _Link = Connection(connected.detach())
        self._links[link] = None
        asyncio.get_running_loop().add_reader(link.fileno(), self._hear, link)

    def _hear(self, link: _Link) -> None:
        try:
            message = link.recv()
        except (EOFError, OSError):
            self._lose(link)
            return
        match message:
            case "ready", number, pid:
                one = self._all[number]
                one.pid, one.link = pid, link
                self._links[link] = (one, True)
                one.ready.set_result(None)
            case "calls", number:
                self._links[link] = (self._all[number], False) if number in self._all else None
            case "call", name, arguments, named:
                self._call(link, name, arguments, named)
            case "answer", *answer:
                self._answered(link, (answer[0], answer[1]))

    def _call(self, link: _Link, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Make a call for an environment, and answer it as late as AWS would."""
        answer: tuple[bool, Any]
        try:
            answer = (True, self._calls[name](*arguments, **named))
        except Exception as error:  # noqa: BLE001 - it is the caller's, over there
            answer = (False, error)
        caller = self._links[link]
        if caller is not None and self._is_to_die(caller[0], name):
            self._kill(caller[0])
            return
        loop = asyncio.get_running_loop()
        loop.call_later(self._rng.uniform(*self._parameters.call), self._send, link, answer)

    def _send(self, link: _Link, answer: tuple[bool, Any]) -> None:
        if link in self._links:
            # The caller may have been killed meanwhile.
            with suppress(OSError):
                link.send(answer)

    def _answered(self, link: _Link, answer: tuple[bool, Any]) -> None:
        known = self._links[link]
        waiting = known[0].answer if known is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _lose(self, link: _Link) -> None:
        known = self._links.pop(link)
        asyncio.get_running_loop().remove_reader(link.fileno())
        if known is not None and known[1]:
            self._answered_by_its_end(known[0])
        link.close()

    def _answered_by_its_end(self, one: Process) -> None:
        super()._kill(one)
        if one.answer is not None and not one.answer.done():
            one.answer.set_result((False, "the process is gone"))
