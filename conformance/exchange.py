"""Requests to the supplier, each kept with its answer, keys masked; no more of them a second than is polite."""

import gzip
import http.client
import json
import shlex
import threading
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

MASK = "<key>"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, keys masked; `status` is None when no answer came, `error` says why then.

    `answer` is unpacked; how it was packed over the wire is in its headers, and `unpacks` tells whether it was what they said.
    `seconds` is from the first byte sent to the last received. What is `incoming` is a push: the supplier asks, the hub answers.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None
    answer_headers: Mapping[str, str]
    answer: bytes
    seconds: float
    error: str | None = None
    unpacks: bool = True
    incoming: bool = False

    @property
    def text(self) -> str:
        """The body of the answer."""
        return self.answer.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body of the answer, None where it is no JSON."""
        try:
            return json.loads(self.answer)
        except ValueError:
            return None

    def field(self, name: str) -> Any:
        """Return a field of the answer, None where it has none."""
        content = self.json
        return content.get(name) if isinstance(content, dict) else None

    def curl(self) -> str:
        """Return the command that repeats the request, with the key in the variable KEY, spelled as it is there."""
        headers = [part for name, value in self.headers.items() for part in ("-H", f"{name}: {value}")]
        body = ["--data-binary", self.body.decode("utf-8", "replace")] if self.body else []
        command = shlex.join(["curl", "-i", "--compressed", "-X", self.method, *headers, *body, self.url])
        return command.replace(MASK, "'\"$KEY\"'")


def unpacked(body: bytes, encoding: str) -> bytes | None:
    """Return a body as it was before it was packed, None where it isn't packed as is said."""
    try:
        match encoding.strip().lower():
            case "gzip" | "x-gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case "" | "identity":
                return body
            case _:
                return None
    except (OSError, EOFError, zlib.error):
        return None


@dataclass(frozen=True, slots=True)
class Masking:
    """Takes keys out of what is kept, however they are spelled there."""

    keys: Collection[str] = field(repr=False)

    def text(self, text: str) -> str:
        for spelling in self._spellings():
            text = text.replace(spelling, MASK)
        return text

    def raw(self, body: bytes) -> bytes:
        for spelling in self._spellings():
            body = body.replace(spelling.encode(), MASK.encode())
        return body

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {name: self.text(value) for name, value in headers.items()}

    def _spellings(self) -> list[str]:
        escaped = {json.dumps(key)[1:-1] for key in self.keys} | {
            json.dumps(key, ensure_ascii=False)[1:-1] for key in self.keys
        }
        spelled = {*self.keys, *escaped, *map(quote, self.keys), *map(quote_plus, self.keys)}
        # The longer first: one key may begin like another.
        return sorted((each for each in spelled if each), key=len, reverse=True)


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


@dataclass(slots=True)
class Client:
    """Asks one supplier with one key. `keep` is given every exchange, in which this key and `other_keys` are masked already."""

    url: str
    key: str = field(repr=False)
    pace: Pace
    keep: Callable[[Exchange], None]
    timeout: float = 30.0
    other_keys: Collection[str] = field(default=(), repr=False)

    def post(self, body: bytes, headers: Mapping[str, str], path: str = "", *, paced: bool = True) -> Exchange:
        """Post a body to the supplier's URL, or to a path below it."""
        return self._ask("POST", path, headers, body, paced=paced)

    def get(self, query: str, headers: Mapping[str, str], path: str = "") -> Exchange:
        return self._ask("GET", f"{path}?{query}", headers, b"", paced=True)

    def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, paced: bool) -> Exchange:
        if paced:
            self.pace.wait()
        url = self.url.rstrip("/") + path if path[:1] == "/" else self.url + path
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        began = time.monotonic()
        status, answer_headers, answer, error = None, dict[str, str](), b"", None
        try:
            connection.request(method, target, body or None, dict(headers))
            response = connection.getresponse()
            answer = response.read()
            status = response.status
            answer_headers = {name.lower(): value for name, value in response.getheaders()}
        except (OSError, http.client.HTTPException) as failure:
            error = type(failure).__name__
        finally:
            connection.close()
        seconds = time.monotonic() - began
        plain = unpacked(answer, answer_headers.get("content-encoding", ""))
        masking = Masking({self.key, *self.other_keys})
        exchange = Exchange(
            method,
            masking.text(url),
            masking.headers(headers),
            masking.raw(body),
            status,
            masking.headers(answer_headers),
            masking.raw(answer if plain is None else plain),
            seconds,
            error,
            unpacks=plain is not None,
        )
        self.keep(exchange)
        return exchange
