"""Partners' servers that behave as they like, resolvers that say what they are told, certificates good and bad.

Everything listens on loopback addresses only.
"""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SUCCESS = b'{"status":"SUCCESS"}'
# Far more than anything here takes; a test that reaches it has found a hang.
PATIENCE = 10.0

# What a URL may say in place of its host to mean an address inside. Those of 127.0.0.1 and ::1 would reach a listener
# there; the others lead to metadata, private or link-local addresses.
SPELLINGS_INSIDE = {
    "loopback": "127.0.0.1",
    "loopback-other": "127.0.0.2",
    "localhost": "localhost",
    "trailing-dot": "127.0.0.1.",
    "decimal": "2130706433",
    "hex": "0x7f000001",
    "hex-octets": "0x7f.0x0.0x0.0x1",
    "octal": "017700000001",
    "octal-octet": "0177.0.0.1",
    "short": "127.1",
    "three-parts": "127.0.1",
    "hex-short": "0x7f.1",
    "zero": "0",
    "unspecified": "0.0.0.0",  # noqa: S104 - refused, not bound
    "metadata": "169.254.169.254",
    "metadata-decimal": "2852039166",
    "metadata-hex": "0xa9fea9fe",
    "container-credentials": "169.254.170.2",
    "private-10": "10.0.0.1",
    "private-172": "172.16.0.1",
    "private-192": "192.168.0.1",
    "shared": "100.64.0.1",
    "unspecified-v6": "[::]",
    "loopback-v6": "[::1]",
    "loopback-v6-in-full": "[0:0:0:0:0:0:0:1]",
    "v4-mapped": "[::ffff:127.0.0.1]",
    "v4-mapped-hex": "[::ffff:7f00:1]",
    "v4-mapped-metadata": "[::ffff:a9fe:a9fe]",
    "v4-compatible": "[::127.0.0.1]",
    "v4-translated": "[::ffff:0:7f00:1]",
    "nat64": "[64:ff9b::7f00:1]",
    "nat64-dotted": "[64:ff9b::127.0.0.1]",
    "nat64-metadata": "[64:ff9b::a9fe:a9fe]",
    "nat64-local": "[64:ff9b:1::7f00:1]",
    "6to4": "[2002:7f00:1::]",
    "link-local": "[fe80::1]",
    "link-local-zone": "[fe80::1%lo]",
    "link-local-zone-encoded": "[fe80::1%25lo]",
    "unique-local": "[fc00::1]",
    "metadata-v6": "[fd00:ec2::254]",
    "credentials": "user:password@127.0.0.1",
    "percent-encoded": "%31%32%37.0.0.1",
    "percent-encoded-slash": "127.0.0.1%2f@partner.example",
    "fullwidth-digits": "\uff11\uff12\uff17.0.0.1",
}

type Handler = Callable[["Request", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """A request as it arrived: the head up to its empty line, and the body."""

    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header, None when it was not sent."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


@dataclass
class Partner:
    """A server that takes every request whole and lets a handler do the rest.

    `ended` gets one None per connection that has ended; `asked` is set at the first request.
    """

    port: int = 0
    accepts: int = 0
    requests: list[Request] = field(default_factory=list)
    ended: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/push"


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read one request with a Content-Length; None when the connection has ended."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    except asyncio.IncompleteReadError:
        return None
    request = Request(head.rstrip("\r\n"), b"")
    return Request(request.head, await reader.readexactly(int(request.header("Content-Length") or 0)))


@asynccontextmanager
async def partner(
    handler: Handler, *, tls: ssl.SSLContext | None = None, patience: float | None = PATIENCE
) -> AsyncIterator[Partner]:
    """Run a partner's server on 127.0.0.1; raises TimeoutError in a body that takes longer than `patience` (s)."""
    this = Partner()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this.accepts += 1
        try:
            while (request := await read_request(reader)) is not None:
                this.requests.append(request)
                this.asked.set()
                await handler(request, reader, writer)
                if writer.is_closing():
                    break
        except OSError:
            pass  # the client has hung up, as it should on most of these
        finally:
            writer.close()
            this.ended.put_nowait(None)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    this.port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(patience):
            yield this
    finally:
        server.close()
        server.abort_clients()
        await server.wait_closed()


# ---------------------------------------------------------------- what a handler may do


def raw(answer: bytes, *, close: bool = False) -> Handler:
    """Return a handler that writes these very bytes, and may then close."""

    async def handler(_: Request, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        if close:
            writer.close()

    return handler


def scripted(*first: Handler, then: Handler) -> Handler:
    """Return a handler that takes the first requests as these do, one each, and then all as another does."""
    script = list(first)

    async def handler(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (script.pop(0) if script else then)(request, reader, writer)

    return handler


def http(status: str, body: bytes, *headers: str) -> bytes:
    """Return a whole answer: status line, Content-Length, further headers, body."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def endless(start: bytes, more: bytes, pause: float = 0.0) -> Handler:
    """Return a handler that never stops writing, with `pause` (s) between its pieces."""

    async def handler(_: Request, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(more)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


def stalled(start: bytes) -> Handler:
    """Return a handler that begins to answer and then waits for the client to hang up."""

    async def handler(_: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await reader.read()

    return handler


async def silent(_: Request, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """Answer nothing until the client hangs up."""
    await reader.read()


async def closed(_: Request, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close the connection instead of answering."""
    writer.transport.abort()


async def reset(_: Request, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reset the connection (RST) instead of answering."""
    # Without time to linger, closing sends a reset instead of an orderly end.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def reset_within(start: bytes) -> Handler:
    """Return a handler that begins to answer and then resets the connection."""

    async def handler(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await writer.drain()
        # What is on its way when the reset comes is lost; the client is to have read it.
        await asyncio.sleep(0.05)
        await reset(request, reader, writer)

    return handler


# ---------------------------------------------------------------- what must not be reached


@dataclass
class Listener:
    """Something inside that must not be reached."""

    port: int
    accepts: int = 0


@asynccontextmanager
async def listening(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Listener]:
    """Count connections at an address; port 0 means any that is free."""
    listener = Listener(port)

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listener.accepts += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(accept, host, port) as server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener
        server.close_clients()


# ---------------------------------------------------------------- names


class ScriptedResolver(AbstractResolver):
    """Answers each look-up with the next of its lists, the last one for ever, or never without any; counts look-ups."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = answers
        self.asked = 0
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if not self._answers:
            await asyncio.get_running_loop().create_future()
        addresses = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


class FixedResolver(ScriptedResolver):
    """Says the same addresses for every name."""

    def __init__(self, *addresses: str) -> None:
        super().__init__(addresses)


# ---------------------------------------------------------------- certificates


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own; `folder` is where its servers' keys are put."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def trusted(self) -> ssl.SSLContext:
        """Return the settings of a client that trusts this authority and no other."""
        return ssl.create_default_context(cadata=self.pem)

    def server(self, name: str, *, expired: bool = False, self_signed: bool = False) -> ssl.SSLContext:
        """Return what a server needs to present a certificate for `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        begin, end = (now - dt.timedelta(days=9), now + dt.timedelta(days=-1 if expired else 9))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "127.0.0.1":
            names = [x509.IPAddress(ipaddress.IPv4Address(name))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(key if self_signed else self.key, hashes.SHA256())
        )
        pem = self.folder / f"{certificate.serial_number}.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context


def new_authority(folder: Path) -> Authority:
    """Found a certificate authority that keeps its servers' keys in `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(folder, key, certificate)
