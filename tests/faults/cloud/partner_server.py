"""Partners' servers: one lean process, a port per partner, that answers as told and notes every attempt.

Run as `python -m tests.faults.cloud.partner_server SOCKET`; it is told what to do over that socket, by
`tests.faults.cloud.partners.Partners`, and ends when that closes.
"""

import asyncio
import gc
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from tests.faults.cloud.behaviour import Behaviour, Seen
from tests.faults.cloud.rpc import Unpacker, pack

_BACKLOG = 4_096
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SMS_ID = re.compile(rb'"smsId":"(\d+)"')


def _answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_SUCCESS = _answer("200 OK", b'{"status":"SUCCESS"}')
_FAILURE = _answer("500 Internal Server Error", b'{"status":"ERROR"}')


@dataclass(slots=True)
class _Attempt:
    partner: str
    sms_id: int
    arrived: float
    ended: float | None = None
    success: bool = False


@dataclass(slots=True)
class _Partner:
    name: str
    behaviour: Behaviour
    attempts: list[_Attempt]
    asked: int = 0
    served: set[int] = field(default_factory=set)
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def succeeds(self) -> bool:
        if self.behaviour.every_second:
            self.asked += 1
            return self.asked % 2 == 0
        return self.rng.random() >= self.behaviour.fails


class _Connection(asyncio.Protocol):
    """One connection of a partner's server; requests come one at a time, as from any HTTP client."""

    def __init__(self, partner: _Partner, loop: asyncio.AbstractEventLoop) -> None:
        self._partner = partner
        self._loop = loop
        self._received = b""
        self._current: _Attempt | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = _CONTENT_LENGTH.search(self._received, 0, head_end)
        end = head_end + 4 + (int(length[1]) if length else 0)
        if len(self._received) < end:
            return
        self._attempted(self._received[:end])
        self._received = self._received[end:]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._current is not None:
            self._current.ended = time.time()

    def _attempted(self, request: bytes) -> None:
        found = _SMS_ID.search(request)
        partner = self._partner
        attempt = self._current = _Attempt(partner.name, int(found[1]) if found else 0, time.time())
        partner.attempts.append(attempt)
        after = partner.behaviour.after
        if after is None:
            return
        succeeds = partner.succeeds()
        if after:
            self._loop.call_later(after, self._end, attempt, succeeds)
        else:
            self._end(attempt, succeeds)

    def _end(self, attempt: _Attempt, succeeds: bool) -> None:
        if self._transport is None:
            return
        attempt.ended = time.time()
        attempt.success = succeeds
        if succeeds:
            self._partner.served.add(attempt.sms_id)
        self._current = None
        self._transport.write(_SUCCESS if succeeds else _FAILURE)


class _Control(asyncio.Protocol):
    """Takes commands, one at a time, and answers each."""

    def __init__(self, done: asyncio.Event) -> None:
        self._done = done
        self._unpacker = Unpacker()
        self._partners: dict[str, _Partner] = {}
        self._attempts: list[_Attempt] = []
        self._servers: list[asyncio.Server] = []
        self._transport: asyncio.Transport | None = None
        self._working: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for command in self._unpacker.feed(data):
            task = asyncio.ensure_future(self._obey(*command))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    def connection_lost(self, exc: Exception | None) -> None:
        self._done.set()

    async def _obey(self, verb: str, *arguments: Any) -> None:
        answer: object = None
        match verb:
            case "open":
                answer = await self._open(*arguments)
            case "behave":
                name, behaviour = arguments
                self._partners[name].behaviour = behaviour
            case "served":
                (names,) = arguments
                answer = sum(len(self._partners[name].served) for name in names)
            case "attempts":
                answer = [
                    Seen(seen.partner, seen.sms_id, seen.arrived, seen.ended, seen.success) for seen in self._attempts
                ]
            case _:
                raise ValueError(verb)
        if self._transport is not None:
            self._transport.write(pack(answer))

    async def _open(self, name: str, behaviour: Behaviour) -> int:
        loop = asyncio.get_running_loop()
        partner = self._partners[name] = _Partner(name, behaviour, self._attempts)
        server = await loop.create_server(lambda: _Connection(partner, loop), "127.0.0.1", 0, backlog=_BACKLOG)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port


async def _serve(path: str) -> None:
    done = asyncio.Event()
    await asyncio.get_running_loop().create_unix_connection(lambda: _Control(done), path)
    await done.wait()


if __name__ == "__main__":
    # A pause of the collector would be taken for a slow partner; all of it is gone when the process ends.
    gc.disable()
    asyncio.run(_serve(sys.argv[1]))
