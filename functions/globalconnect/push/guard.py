"""What keeps an outgoing aiohttp session from reaching inside (contract 3, last rule).

Two locks, because either alone leaves a way in. The resolver drops what a *name* may not lead to; aiohttp does not ask
it about a literal address, so the socket factory looks once more at the very address about to be connected. Nothing is
resolved between that look and the connection, so an answer that changes in between (DNS rebinding) changes nothing.
"""

import asyncio
import functools
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

from aiohttp import AddrInfoType, SocketFactoryType, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from globalconnect.domain.push_url import is_public_address
from globalconnect.push.turns import PiecewiseHandler, Turns

# A name server that does not answer holds a thread for the resolver's own time-out, long after the attempt has ended.
# The connector asks once per host at a time, so this is how many such partners may exist before others wait.
_DNS_THREADS = 32
_DNS_CACHE_SECONDS = 10
# Shorter than the idle time after which common servers close (5 s and more): a connection that is closed while a POST
# is on its way costs that SMS a retry.
_KEEP_ALIVE_SECONDS = 4.0
# What arrives at once is parsed at once. Answers are small, so a small buffer costs nobody anything, and a partner that
# floods us (interim answers, one-byte chunks) holds neither the event loop nor much memory with each read.
_RECEIVE_BUFFER_BYTES = 16 * 1024


class ForbiddenAddress(OSError):
    """The name, or the literal address, leads somewhere a push must not go.

    An OSError because aiohttp and its happy-eyeballs helper carry only those to the caller, as the `os_error` of a
    ClientConnectorError. The text is the same for every address: equal texts survive that helper's merging of several
    failures into one, and it tells a log reader nothing about our network.
    """

    def __init__(self) -> None:
        super().__init__("not a public address")


class ThreadPoolResolver(AbstractResolver):
    """The system's resolver on threads of its own.

    aiohttp's uses the event loop's pool: it has a handful of threads on a small Lambda, and `asyncio.run` waits for
    them at its end, so one partner's dead name server would delay the others and then the whole invocation.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_DNS_THREADS, thread_name_prefix="push-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return every address of `host`. Raises OSError when there is none."""
        look_up = functools.partial(
            socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=found_family,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for found_family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Let go of the threads without waiting for look-ups that hang."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """Asks another resolver and passes on public addresses only.

    Takes the resolver to ask, which it closes with itself, and whether 127.0.0.1 is open (the local stack only).
    """

    def __init__(self, inner: AbstractResolver, *, loopback: bool) -> None:
        self._inner = inner
        self._loopback = loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the public addresses of `host`.

        Raises ForbiddenAddress when it has addresses but no public one, and OSError when it has none at all.
        """
        found = await self._inner.resolve(host, port, family)
        if not found:
            # aiohttp can't connect to an empty list and fails an assertion of its own.
            raise OSError("the name has no address")
        public = [answer for answer in found if is_public_address(answer["host"], loopback=self._loopback)]
        if not public:
            raise ForbiddenAddress
        return public

    async def close(self) -> None:
        await self._inner.close()


def guarded_socket_factory(*, loopback: bool) -> SocketFactoryType:
    """Return the `socket_factory` of a connector that may reach public addresses only.

    What it returns raises ForbiddenAddress, before there is a socket, for every other address, 127.0.0.1 excepted
    where `loopback` is set.
    """

    def open_socket(target: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = target
        if not is_public_address(str(address[0]), loopback=loopback):
            raise ForbiddenAddress
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        return opened

    return open_socket


def guarded_connector(resolver: GuardedResolver, *, loopback: bool, tls: ssl.SSLContext | None) -> TCPConnector:
    """Return the connector for pushes: both locks, certificates checked, connections kept alive for a moment.

    Takes the resolver, which stays the caller's to close, and the TLS settings; None means the system's certificate
    authorities. It sets no limit on connections, since waiting for one would count against the attempt's time: the size
    of a batch is the limit. Belongs to the running event loop. Raises ValueError for TLS settings that don't check the
    certificate and its name.
    """
    if tls is not None and not (tls.verify_mode is ssl.CERT_REQUIRED and tls.check_hostname):
        raise ValueError("TLS settings for pushes must check the certificate and its name")
    connector = TCPConnector(
        resolver=resolver,
        socket_factory=guarded_socket_factory(loopback=loopback),
        ssl=True if tls is None else tls,
        limit=0,
        ttl_dns_cache=_DNS_CACHE_SECONDS,
        keepalive_timeout=_KEEP_ALIVE_SECONDS,
    )
    loop = asyncio.get_running_loop()
    # There is no public way to have connections of a kind of one's own.
    connector._factory = functools.partial(PiecewiseHandler, Turns(loop), loop=loop)  # type: ignore[assignment]  # noqa: SLF001
    return connector
