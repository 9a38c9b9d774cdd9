"""Partners' servers over HTTP: one lean process, a port per partner, for more pushes than a scripted server takes."""

import asyncio
import gc
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.emulator import HOST
from simulation.partner_server import SUCCESS, http
from simulation.processes import Link, serving
from simulation.pushes.partners import Seen, Server, Servers

_BACKLOG = 4_096
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SMS_ID = re.compile(rb'"smsId":"(\d+)"')

_ANSWERS = {
    True: http("200 OK", SUCCESS, "Content-Type: application/json"),
    False: http("500 Internal Server Error", b'{"status":"ERROR"}', "Content-Type: application/json"),
}


class _HttpServers(Servers):
    """Servers on ports of this machine, in the running event loop."""

    def _listen(self, server: Server) -> str:
        loop = asyncio.get_running_loop()
        listener = socket.create_server((HOST, 0), backlog=_BACKLOG)
        port = listener.getsockname()[1]
        # Others wait in the backlog until it has begun.
        opening = loop.create_server(lambda: _Connection(self, server), sock=listener, backlog=_BACKLOG)
        self._opening = asyncio.ensure_future(opening)
        return f"http://{HOST}:{port}/push"


class _Connection(asyncio.Protocol):
    """One connection of a partner's server; requests come one at a time, as from any HTTP client."""

    def __init__(self, servers: _HttpServers, server: Server) -> None:
        self._servers = servers
        self._server = server
        self._received = b""
        self._current: Seen | None = None
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
        if len(self._received) >= end:
            request, self._received = self._received[:end], self._received[end:]
            self._take(request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._current is not None:
            self._current.ended = time.time()

    def _take(self, request: bytes) -> None:
        found = _SMS_ID.search(request)
        attempt = self._servers.arrived(self._server, int(found[1]) if found else 0, time.time())
        self._current = attempt
        after = self._server.behaviour.after
        if after is None:
            return
        success = self._server.will_take()
        if after:
            asyncio.get_running_loop().call_later(after, self._answer, attempt, success)
        else:
            self._answer(attempt, success)

    def _answer(self, attempt: Seen, success: bool) -> None:
        if self._transport is not None:
            self._server.answer(attempt, time.time(), success=success)
            self._current = None
            self._transport.write(_ANSWERS[success])


def _serve(pipe: Link) -> None:
    # A pause of the collector would be taken for a slow partner; all of it is gone when the process ends.
    gc.disable()
    asyncio.run(_obey(pipe))


async def _obey(pipe: Link) -> None:
    servers, left = _HttpServers(), asyncio.Event()

    def obey() -> None:
        try:
            verb, *arguments = pipe.recv()
        except EOFError:
            left.set()
        else:
            pipe.send(getattr(servers, verb)(*arguments))

    asyncio.get_running_loop().add_reader(pipe.fileno(), obey)
    await left.wait()


class _Remote:
    """The servers, over there: each call waits for its answer."""

    def __init__(self, pipe: Link) -> None:
        self._pipe = pipe

    def __getattr__(self, verb: str) -> Any:
        def ask(*arguments: object) -> Any:
            self._pipe.send((verb, *arguments))
            return self._pipe.recv()

        return ask


@contextmanager
def partner_process() -> Iterator[Servers]:
    """Run partners' servers in a process of their own."""
    with serving(_serve) as pipe:
        servers: Any = _Remote(pipe)
        yield servers
