"""Requests to the supplier, each kept with its answer; no more of them a second than is polite."""

import http.client
import io
import json
import shlex
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn
from urllib.parse import urlsplit

from conformance.masking import Masking

# What no answer is larger than, packed or not.
_LONGEST = 32_000_000
# Of how many parts a packed answer is at most.
_PARTS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be told of an exchange: keys are masked, bodies are text."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    status: int | None
    answer_headers: Mapping[str, str]
    answer: str
    seconds: float
    error: str | None
    incoming: bool


@dataclass(frozen=True)
class Exchange:
    """A request and its answer as they are, to be judged; only what is `shown` may be told. `status` is None when no answer
    came, `error` says why then.

    `body` and `answer` are unpacked; how an answer was packed over the wire is in its headers, and `unpacks` tells whether it was what they said.
    `seconds` is from the first byte sent to the last received. What is `incoming` is a push: the supplier asks, the hub answers.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int | None
    answer_headers: Mapping[str, str] = field(repr=False)
    answer: bytes = field(repr=False)
    seconds: float
    error: str | None = None
    unpacks: bool = True
    incoming: bool = False
    masking: Masking = field(default_factory=Masking, repr=False)

    @cached_property
    def shown(self) -> Shown:
        """What may be told of it."""
        masking = self.masking
        return Shown(
            self.method,
            masking.text(self.url),
            masking.headers(self.headers),
            masking.text(self.body.decode("utf-8", "replace")),
            self.status,
            masking.headers(self.answer_headers),
            masking.text(self.answer.decode("utf-8", "replace")),
            self.seconds,
            self.error,
            self.incoming,
        )

    @cached_property
    def json(self) -> Any:
        """The body of the answer, None where it is no JSON."""
        return parsed(self.answer)

    def field(self, name: str) -> Any:
        """Return a field of the answer, None where it has none."""
        content = self.json
        return content.get(name) if isinstance(content, dict) else None

    def curl(self) -> str:
        """Return the command that repeats the request in bash, with each key in a variable: KEY, KEY2.

        Where a key is spelled in another way in JSON or in a URL, the command sets KEY_JSON or KEY_URL first.
        """
        sets: dict[str, str] = {}

        def word(content: bytes) -> str:
            parts = []
            for name, piece in self.masking.pieces(content.decode("utf-8", "surrogateescape")):
                variable = name and _variable(name, self.masking.keys[name], piece)
                if variable != name:
                    spells = _SPELLS[variable.removeprefix(f"{name}_")]
                    sets[variable] = f'{variable}=$(python3 -c {shlex.quote(spells)} "${name}"); '
                parts.append(f'"${variable}"' if variable else _quoted(piece))
            return "".join(parts)

        headers = [f"-H {word(f'{name}: {value}'.encode())}" for name, value in self.headers.items()]
        body = [f"--data-raw {word(self.body)}"] if self.body else []
        if "Content-Encoding" in self.headers:
            body = [f"--data-binary @<(printf %s {word(self.body)} | gzip)"]
        command = ["curl -i -g --compressed -X", self.method, *headers, *body, word(self.url.encode())]
        return "".join(sets.values()) + " ".join(command)


_SPELLS = {
    "JSON": "import json, sys; print(json.dumps(sys.argv[1], ensure_ascii=False)[1:-1])",
    "URL": "import sys, urllib.parse; print(urllib.parse.quote_plus(sys.argv[1]))",
}


def _variable(name: str, key: str, spelled: str) -> str:
    """Return the variable that has a key as it is spelled."""
    if spelled == key:
        return name
    return f"{name}_JSON" if spelled == json.dumps(key, ensure_ascii=False)[1:-1] else f"{name}_URL"


def _quoted(text: str) -> str:
    """Return a word of bash; what isn't UTF-8 is in it as surrogates."""
    if text.isprintable():
        return shlex.quote(text) if text else ""
    octets = text.encode("utf-8", "surrogateescape")
    plain = set(range(0x20, 0x7F)) - set(b"'\\")
    return "$'" + "".join(chr(octet) if octet in plain else f"\\x{octet:02x}" for octet in octets) + "'"


def parsed(body: bytes, encoding: str = "utf-8-sig") -> Any:
    """Return what a body says in JSON, None where it is none. Python's NaN is none either."""
    try:
        return json.loads(body.decode(encoding), parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def _refused(constant: str) -> NoReturn:
    raise ValueError(constant)


def spoken(header: str) -> str:
    """Return a header's value in UTF-8, if that is what was sent; it is read as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def unpacked(body: bytes, encoding: str) -> bytes | None:
    """Return a body as it was before it was packed, None where it isn't packed as is said, or is very large."""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return _inflated(body, zlib.MAX_WBITS + 16)
        case "deflate":
            return _inflated(body, zlib.MAX_WBITS)
        case "" | "identity":
            return body
        case _:
            return None


def _inflated(body: bytes, window: int) -> bytes | None:
    """Return what is packed in one or more parts. (The library's reader of gzip takes as much memory as it may ever need, at once.)"""
    if not body:
        return body
    plain = b""
    # What follows is copied for each part: thousands of them would take minutes.
    for _ in range(_PARTS):
        inflating = zlib.decompressobj(window)
        try:
            plain += inflating.decompress(body, _LONGEST + 1 - len(plain))
        except zlib.error:
            return None
        if not inflating.eof or len(plain) > _LONGEST:
            return None
        # Zeros may follow.
        body = inflating.unused_data.lstrip(b"\0")
        if not body:
            return plain
    return None


@dataclass(slots=True)
class Pace:
    """Lets no more than so many requests begin in a second. Safe for threads."""

    per_second: float
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, requests: int = 1) -> None:
        """Wait until one request may begin, or so many at once."""
        with self._lock:
            now = time.monotonic()
            begins = max(now, self._next + (requests - 1) / self.per_second)
            self._next = begins + 1 / self.per_second
        time.sleep(begins - now)


class TooLong(Exception):
    """An answer is larger than any that makes sense."""


class _Bounded(io.RawIOBase):
    """What comes from a socket within its timeout, as a whole, and up to `_LONGEST`."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock, self._raw, self._left = sock, raw, _LONGEST
        self._ends = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._left <= 0:
            raise TooLong
        # A timeout of the socket is for each read alone.
        self._sock.settimeout(left)
        read = self._raw.readinto(memoryview(buffer)[: self._left])
        self._left -= read or 0
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp = io.BufferedReader(_Bounded(sock, self.fp.detach()))


@dataclass(slots=True)
class Client:
    """Asks one supplier with one key. `keep` is given every exchange. `masking` is of more keys than this one.

    `timeout` is the longest, in seconds, that a connection takes to be made, and then an answer to come in full. Whatever an
    answer is, it raises nothing: it is kept as none where it can't be read.
    """

    url: str = field(repr=False)
    key: str = field(repr=False)
    pace: Pace
    keep: Callable[[Exchange], None]
    timeout: float = 30.0
    masking: Masking | None = None

    def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
        """Post a body to the supplier's URL, or to a path below it."""
        return self._ask("POST", path, "", headers, body, paced=paced)

    def get(self, query: str, headers: Mapping[str, str], path: str = "") -> Exchange:
        return self._ask("GET", path, query, headers, b"", paced=True)

    def _ask(  # noqa: PLR0913 - what a request is
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, *, paced: bool
    ) -> Exchange:
        if paced:
            self.pace.wait()
        parts = urlsplit(self.url)
        parts = parts._replace(
            path=(parts.path.rstrip("/") + path if path else parts.path) or "/",
            query="&".join(filter(None, (parts.query, query))),
            fragment="",
        )
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout)
        connection.response_class = _Response
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        began = time.monotonic()
        status, answer_headers, answer, error = None, dict[str, str](), b"", None
        try:
            connection.request(method, target, body or None, {name: value.encode() for name, value in headers.items()})
            response = connection.getresponse()
            answer = response.read()
            status = response.status
            answer_headers = {name.lower(): spoken(value) for name, value in response.getheaders()}
        except Exception as failure:  # noqa: BLE001 - sizes that make no sense are ValueError, OverflowError, MemoryError
            error = type(failure).__name__
        finally:
            connection.close()
        seconds = time.monotonic() - began
        plain = unpacked(answer, answer_headers.get("content-encoding", ""))
        exchange = Exchange(
            method,
            parts.geturl(),
            headers,
            # A key that is packed can't be masked.
            unpacked(body, headers.get("Content-Encoding", "")) or b"",
            status,
            answer_headers,
            answer if plain is None else plain,
            seconds,
            error,
            unpacks=plain is not None,
            masking=self.masking or Masking({"KEY": self.key}),
        )
        self.keep(exchange)
        return exchange
