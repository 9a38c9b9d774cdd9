"""Where the hubs take pushes: one address for all, `/` and a partner's name each, or any path and the key alone."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from conformance.exchange import parsed, spoken, unpacked
from conformance.hubs import Hub
from conformance.hubsim.behaviour import CUT, OK_BODY, Answer, http
from conformance.hubsim.events import Event, Pushed, Reply, Stray
from conformance.hubsim.forms import wrong_push

# Nobody's push is longer, or takes longer to come.
_LONGEST = 1_000_000
_PATIENCE = 30.0
_RESET_WITHIN = 0.2


@dataclass(frozen=True, slots=True)
class Addressee:
    """A partner as pushes find it. `answers` says how the next push of an SMS (by smsId) is answered, `taken` is told what was."""

    name: str
    key: str = field(repr=False)
    hub: Hub
    answer: Callable[[str], Answer]
    taken: Callable[[Pushed], None]


@dataclass(slots=True)
class Listener:
    """Takes pushes while its server runs; `began` is the monotonic time from which all times count."""

    addressees: Mapping[str, Addressee]
    note: Callable[[Event], None]
    began: float
    _by_key: dict[str, Addressee] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._by_key = {one.key: one for one in self.addressees.values()}

    async def serve(self, host: str, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._connected, host, port, backlog=512)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._take(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError):
            # Whoever hung up or sent no HTTP has sent no push either.
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic() - self.began
        async with asyncio.timeout(_PATIENCE):
            method, path, headers, body = await _read(reader, writer)
        if method != "POST":
            # What suppliers try their way out with.
            writer.write(http("200 OK", OK_BODY))
            await writer.drain()
            return
        push = _parsed(body, headers)
        # What is no partner's name says nothing.
        place = path.partition("?")[0].rpartition("/")[2]
        address = place if place in self.addressees else ""
        addressee = self._by_key.get(str(push.get("key")))
        if addressee is None:
            what = f"a push to {path} that names none of the keys, or no JSON"
            self.note(Stray(began, time.monotonic() - self.began, what, address))
            writer.write(http("403 Forbidden", b'{"status":"ERROR","error":"bad key"}'))
            await writer.drain()
            return
        sms_id = str(push.get("smsId"))
        answer = addressee.answer(sms_id)
        heard = await _answer(answer, reader, writer)
        pushed = Pushed(
            began,
            time.monotonic() - self.began,
            addressee.name,
            address,
            sms_id,
            str(push.get("phone")),
            str(push.get("text")),
            answer.reply if heard else Reply.UNSURE if answer.reply is Reply.TAKEN else Reply.REFUSED,
            answer.script,
            wrong=wrong_push(addressee.hub, push, headers, addressee.key),
        )
        self.note(pushed)
        addressee.taken(pushed)


async def _answer(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer; tell whether the supplier was still there."""
    began, pause = time.monotonic(), _PATIENCE if answer.body is None else answer.pause or 0.001
    ends = asyncio.create_task(_ended(reader))
    ended, _ = await asyncio.wait({ends}, timeout=pause)
    ends.cancel()
    if answer is CUT:
        writer.transport.abort()
        return True
    if answer.body is None:
        return False
    try:
        if ended and not ends.result():
            return False
        await asyncio.sleep(began + pause - time.monotonic())
        writer.write(answer.body)
        await writer.drain()
    except OSError:
        return False
    if not ended:
        return True
    # Who has only nothing more to send reads the answer; who has hung up resets the connection.
    await asyncio.sleep(_RESET_WITHIN)
    return not writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


async def _ended(reader: asyncio.StreamReader) -> bool:
    """Wait until the supplier ends what it sends, whatever that may still be; False where it resets the connection."""
    try:
        while await reader.read(_LONGEST):
            pass
    except OSError:
        return False
    return True


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, str, dict[str, str], bytes]:
    """Read a request: method, path, headers with names in small letters, body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): spoken(value.strip())
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            if len(body) + size > _LONGEST:
                raise ValueError(size)
            body += await reader.readexactly(size)
            await reader.readline()
        while (await reader.readline()).strip():
            pass
        return method, path, headers, body
    return method, path, headers, await reader.readexactly(min(int(headers.get("content-length", "0")), _LONGEST))


def _parsed(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    content = parsed(unpacked(body, headers.get("content-encoding", "")) or b"", "utf-8")
    return content if isinstance(content, dict) else {}
