"""What a partner's side may do to one push attempt: the servers, the names, the certificates, and how it must end."""

import asyncio
import gzip
import socket
import zlib
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from globalconnect.domain.push_attempt import AttemptOutcome
from simulation import partner_server
from simulation.partner_server import SPELLINGS_INSIDE, SUCCESS, Handler, endless, http, raw, stalled
from simulation.processes import Link

METADATA = "http://169.254.169.254/latest/meta-data/"
# Where listeners are that must not be reached, all on the same port.
ADDRESSES_INSIDE = ("127.0.0.1", "127.0.0.2", "::1")
INSIDE = "inside"

_BOMB_MIB = 50
_HEAD = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Situation:
    """One thing that may happen to an attempt, and the outcome that must be recorded then.

    The attempt goes to `host` at the port of the server `server`. `leads_to` is what the host's name resolves to, one
    list per look-up, the last for ever; none means that the look-up never ends. `loopback` opens 127.0.0.1, as on the
    local stack: what misbehaves there is a partner, and without it it is inside.
    """

    name: str
    outcome: AttemptOutcome
    server: str
    host: str = "127.0.0.1"
    scheme: str = "http"
    leads_to: tuple[tuple[str, ...], ...] = (("127.0.0.1",),)
    loopback: bool = True
    trusts_us: bool = True


def situations() -> list[Situation]:
    """Return every situation, each by a name of its own."""
    served = [
        Situation(name, outcome, name) for outcome, handlers in _HANDLERS.items() for name in handlers if name != "good"
    ]
    return [*served, *_connections(), *_certificates(), *_names(), *_spellings()]


# ---------------------------------------------------------------- servers that take the request


def _bomb() -> bytes:
    """Return gzip of very much blank before a success; less than an answer may have, until it is unpacked."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    # Piece by piece: the processes that measure memory import this.
    blank = b" " * 2**20
    packed = b"".join(packer.compress(blank) for _ in range(_BOMB_MIB))
    return packed + packer.compress(SUCCESS) + packer.flush()


_BOMB = _bomb()
_HANDLERS: dict[AttemptOutcome, dict[str, Handler]] = {
    AttemptOutcome.DELIVERED: {
        "good": raw(http("200 OK", SUCCESS)),
        "gzip": raw(http("200 OK", gzip.compress(SUCCESS), "Content-Encoding: gzip")),
        "endless body after a success": endless(_HEAD + b"\r\n" + SUCCESS, b" " * 65_536),
        "connection reset after a success": partner_server.reset_within(
            _HEAD + b"Content-Length: 99\r\n\r\n" + SUCCESS
        ),
        "60 KB of headers": raw(http("200 OK", SUCCESS, *["X: y"] * 10_000)),
    },
    AttemptOutcome.TIMEOUT: {
        "no answer": partner_server.silent,
        "half a status line": stalled(b"HTTP/1.1 2"),
        "slow headers": endless(_HEAD, b"X-Slow: y\r\n", 0.1),
        "a slow header line": endless(_HEAD + b"X-Slow: ", b"y", 0.1),
        "slow body": endless(_HEAD + b"\r\n", b" ", 0.1),
        "slow chunks of a byte": endless(_CHUNKED, b"1\r\n{\r\n", 0.1),
        "promised body that never comes": stalled(_HEAD + b"Content-Length: 20\r\n\r\n"),
        "slow error page": endless(b"HTTP/1.1 500 Oops\r\n\r\n", b" ", 0.1),
        "flood of interim answers": endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100),
    },
    AttemptOutcome.ANSWER_TOO_LARGE: {
        "endless body": endless(_HEAD + b"\r\n", b" " * 65_536),
        "endless chunks": endless(_CHUNKED, b"8000\r\n" + b" " * 0x8000 + b"\r\n"),
        "endless error page": endless(b"HTTP/1.1 500 Oops\r\n\r\n", b"<p>sorry</p>" * 1000),
        "body of a promised 100 GB": endless(_HEAD + b"Content-Length: 99999999999\r\n\r\n", b"{" * 65_536),
        "gzip bomb": raw(http("200 OK", _BOMB, "Content-Encoding: gzip")),
        "endless gzip": endless(_HEAD + b"Content-Encoding: gzip\r\n\r\n", _BOMB),
    },
    AttemptOutcome.REFUSED_ANSWER: {
        "deflate that is none": raw(http("200 OK", b"\x00" * 60_000, "Content-Encoding: deflate")),
        "JSON nested 60,000 deep": raw(http("200 OK", b"[" * 60_000)),
    },
    AttemptOutcome.HTTP_STATUS: {
        "302 to a metadata address": raw(http("302 Found", SUCCESS, f"Location: {METADATA}")),
        "307 to a metadata address": raw(http("307 Temporary Redirect", SUCCESS, f"Location: {METADATA}")),
    },
    AttemptOutcome.CONNECTION: {
        "endless header line": endless(_HEAD + b"X: ", b"y" * 65_536),
        "endless headers": endless(_HEAD, b"X: y\r\n" * 1000),
        "junk instead of HTTP": endless(b"", b"\x00\xff" * 1000),
        "connection closed without an answer": partner_server.closed,
        "connection reset": partner_server.reset,
        "connection reset within the body": partner_server.reset_within(
            _HEAD + b"Content-Length: 99\r\n\r\n" + SUCCESS[:-1]
        ),
    },
}


# ---------------------------------------------------------------- connections


def _connections() -> list[Situation]:
    return [
        Situation("connection that nobody accepts", AttemptOutcome.TIMEOUT, "full"),
        Situation("connection refused", AttemptOutcome.CONNECTION, "nobody"),
        Situation("TLS handshake that is never answered", AttemptOutcome.TIMEOUT, "mute", scheme="https"),
        Situation("302 to a listener inside", AttemptOutcome.HTTP_STATUS, "redirects inside"),
    ]


# ---------------------------------------------------------------- certificates

_CERTIFICATES: dict[str, dict[str, Any]] = {
    "good": {},
    "self-signed": {"self_signed": True},
    "expired": {"expired": True},
    "wrong-name": {"name": "other.example"},
}


def _certificates() -> list[Situation]:
    bad = [
        Situation(f"{kind} certificate", AttemptOutcome.TLS, f"tls {kind}", host="partner.example", scheme="https")
        for kind in _CERTIFICATES
        if kind != "good"
    ]
    good = Situation("good certificate", AttemptOutcome.DELIVERED, "tls good", host="partner.example", scheme="https")
    unknown = Situation(
        "certificate of an unknown authority",
        AttemptOutcome.TLS,
        "tls good",
        host="partner.example",
        scheme="https",
        trusts_us=False,
    )
    no_tls = Situation("no TLS at all", AttemptOutcome.TLS, "shouts", host="partner.example", scheme="https")
    return [*bad, unknown, no_tls, good]


# ---------------------------------------------------------------- names and addresses


def _names() -> list[Situation]:
    leading_inside = [
        Situation(
            f"name that leads to {address}",
            AttemptOutcome.FORBIDDEN_ADDRESS,
            INSIDE,
            host="partner.example",
            leads_to=((address,),),
            loopback=False,
        )
        for address in (
            *ADDRESSES_INSIDE,
            "0.0.0.0",  # noqa: S104 - refused, not bound
            "169.254.169.254",
            "10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1%lo",
            "fd00:ec2::254",
        )
    ]
    return [
        *leading_inside,
        Situation(
            "name that leads to several addresses inside",
            AttemptOutcome.FORBIDDEN_ADDRESS,
            INSIDE,
            host="partner.example",
            leads_to=(ADDRESSES_INSIDE,),
            loopback=False,
        ),
        Situation(
            "DNS that answers with an address inside too",
            AttemptOutcome.DELIVERED,
            "good",
            host="partner.example",
            leads_to=(("127.0.0.2", "127.0.0.1", "::1"),),
        ),
        Situation(
            "DNS that changes its answer within an attempt",
            AttemptOutcome.DELIVERED,
            "good",
            host="partner.example",
            leads_to=(("127.0.0.1",), ("127.0.0.2",)),
        ),
        Situation(
            "name look-up that never ends",
            AttemptOutcome.TIMEOUT,
            "good",
            host="partner.example",
            leads_to=(),
        ),
    ]


# An attempt while the name leads to the partner, and one when it has come to lead inside and the client asks again.
CHANGED_NAME = (
    Situation("name before it leads inside", AttemptOutcome.DELIVERED, "good", host="partner.example"),
    Situation("name that leads inside later", AttemptOutcome.FORBIDDEN_ADDRESS, "good", host="partner.example"),
)


def _spellings() -> list[Situation]:
    return [
        Situation(f"{host} in the URL", AttemptOutcome.BAD_URL, INSIDE, host=host, loopback=False)
        for host in SPELLINGS_INSIDE.values()
    ]


# ---------------------------------------------------------------- the process they run in


@dataclass(frozen=True, slots=True)
class FarSide:
    """Where everything is: the ports of servers by name, the addresses inside that are listened on, our authority."""

    ports: dict[str, int]
    inside: tuple[str, ...]
    authority: str


def serve(pipe: Link) -> None:
    """Be the far side, in a process of its own, so that its work and memory are not the attempts'.

    Sends its FarSide, and whenever it is asked how many connections have arrived inside.
    """
    asyncio.run(_serve(pipe))


async def _serve(pipe: Link) -> None:
    with TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            authority = partner_server.new_authority(Path(folder))
            ports = {
                name: (await stack.enter_async_context(partner_server.partner(handler, patience=None))).port
                for handlers in _HANDLERS.values()
                for name, handler in handlers.items()
            }
            for kind, stated in _CERTIFICATES.items():
                tls = authority.server(**{"name": "partner.example", **stated})
                server = partner_server.partner(raw(http("200 OK", SUCCESS)), tls=tls, patience=None)
                ports[f"tls {kind}"] = (await stack.enter_async_context(server)).port
            inside = await _inside(stack)
            ports[INSIDE] = next(iter(inside.values())).port
            ports["full"] = stack.enter_context(full())
            ports["nobody"] = stack.enter_context(_nobody())
            # Neither gets as far as a request of TLS: one waits for it, the other answers before it.
            mute, shouting = partner_server.partner(partner_server.silent, patience=None), partner_server.listening()
            ports["mute"] = (await stack.enter_async_context(mute)).port
            ports["shouts"] = (await stack.enter_async_context(shouting)).port
            location = f"Location: http://127.0.0.2:{ports[INSIDE]}/"
            redirecting = partner_server.partner(raw(http("302 Found", b"", location)), patience=None)
            ports["redirects inside"] = (await stack.enter_async_context(redirecting)).port
            pipe.send(FarSide(ports, tuple(inside), authority.pem))
            with suppress(EOFError):
                while True:
                    await asyncio.to_thread(pipe.recv)
                    pipe.send(sum(listener.accepts for listener in inside.values()))


async def _inside(stack: AsyncExitStack) -> dict[str, partner_server.Listener]:
    listeners: dict[str, partner_server.Listener] = {}
    port = 0
    for address in ADDRESSES_INSIDE:
        try:
            listeners[address] = await stack.enter_async_context(partner_server.listening(address, port))
        except OSError:
            # A machine may lack IPv6, or loopback addresses other than 127.0.0.1; it has nothing to reach there then.
            if not listeners:
                raise
        else:
            port = listeners[address].port
    return listeners


@contextmanager
def full() -> Iterator[int]:
    """Listen with a queue that is full: the kernel leaves further connections unanswered."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.settimeout(0)
            filler.connect_ex(full.getsockname())
        yield full.getsockname()[1]


@contextmanager
def _nobody() -> Iterator[int]:
    """Hold a port that nobody listens on."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        yield nobody.getsockname()[1]
