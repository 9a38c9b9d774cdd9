"""The hub's end of pushes: receives them, answers as a check wants, and keeps each with the time it came."""

import gzip
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from conformance.exchange import Exchange, parsed, spoken, unpacked
from conformance.masking import Masking

_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub answers a push; `closes`: nothing, the connection is closed; `waits`: so many seconds, or until the inbox's next push."""

    status: int = 200
    body: bytes = b'{"status":"SUCCESS"}'
    packed: bool = False
    closes: bool = False
    waits: float = 0.0


SUCCESS = Answer()
PACKED_SUCCESS = Answer(packed=True)
ERROR = Answer(body=b'{"status":"ERROR","error":"not now"}')


@dataclass(frozen=True, slots=True)
class Push:
    """A push as it came: `at` is monotonic, in seconds; `body` is unpacked, None where it isn't packed as it says."""

    at: float
    method: str
    path: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    raw: bytes = field(repr=False)
    answer: Answer

    @property
    def body(self) -> bytes | None:
        return unpacked(self.raw, self.headers.get("content-encoding", ""))

    @property
    def json(self) -> Any:
        """The body, None where it is no JSON in UTF-8."""
        return parsed(self.body or b"", "utf-8")

    def field(self, name: str) -> Any:
        """Return a field of the body, None where it has none."""
        content = self.json
        return content.get(name) if isinstance(content, dict) else None

    def exchange(self, masking: Masking) -> Exchange:
        """Return it as what is kept."""
        return Exchange(
            self.method,
            self.path,
            self.headers,
            self.raw if self.body is None else self.body,
            None if self.answer.closes else self.answer.status,
            {},
            self.answer.body,
            0.0,
            ("the hub was silent" if self.answer.waits else "the hub closed the connection")
            if self.answer.closes
            else None,
            unpacks=self.body is not None,
            incoming=True,
            masking=masking,
        )


class Inbox:
    """The pushes of one number, found by what its SMS say or, where none does, by the number.

    Each gets the next of `answers`, the last of them for ever.
    """

    def __init__(self, phone: str, answers: Sequence[Answer]) -> None:
        self.phone = phone
        self.words: set[str] = set()
        self.is_open = True
        self._answers = list(answers)
        self._pushes: list[Push] = []
        self._is_over = False
        self._changed = threading.Condition()

    @property
    def pushes(self) -> Sequence[Push]:
        with self._changed:
            return tuple(self._pushes)

    def answer(self, answers: Sequence[Answer]) -> None:
        """Answer so from the next push on, and hold no answer back any more."""
        with self._changed:
            self._answers = list(answers)
            self._is_over = True
            self._changed.notify_all()

    def take(self, made: Callable[[Answer], Push]) -> Answer:
        with self._changed:
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            self._pushes.append(made(answer))
            self._changed.notify_all()
            came = len(self._pushes)
            self._changed.wait_for(lambda: len(self._pushes) > came or self._is_over, answer.waits)
        return answer

    def wait(self, pushes: int, seconds: float) -> Sequence[Push]:
        """Return the pushes as soon as there are so many, or when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._pushes) >= pushes, seconds)
            return tuple(self._pushes)


class PushServer:
    """Listens at an address, at a free port if it is 0, in a thread of its own while it is entered. Any path is right."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._inboxes: list[Inbox] = []
        self._lock = threading.Lock()
        self.strangers: list[Push] = []
        self._http = _Server((host, port), _Handler)
        self._http.hub = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """What a supplier pushes to."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}/push"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def open(self, phone: str, answers: Sequence[Answer] = (SUCCESS,)) -> Inbox:
        """Return where the pushes of a number (digits) come in from now on."""
        inbox = Inbox(phone, answers)
        with self._lock:
            self._inboxes.append(inbox)
        return inbox

    def receive(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Keep a push where it belongs and return its answer. What nobody expects is done."""
        at = time.monotonic()

        def made(answer: Answer) -> Push:
            return Push(at, method, path, headers, raw, answer)

        inbox = self._inbox(unpacked(raw, headers.get("content-encoding", "")) or raw)
        if inbox is not None:
            return inbox.take(made)
        with self._lock:
            self.strangers.append(made(SUCCESS))
        return SUCCESS

    def _inbox(self, body: bytes) -> Inbox | None:
        with self._lock:
            of_words = [each for each in self._inboxes if any(word.encode() in body for word in each.words)]
            of_phone = [each for each in self._inboxes if each.is_open and each.phone.encode() in body]
        return next(reversed(of_words or of_phone), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    hub: PushServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Who hangs up has pushed nothing.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        try:
            body = self._body()
        except ValueError:
            self.send_error(400)
            return
        headers = {name.lower(): spoken(value) for name, value in self.headers.items()}
        answer = self.server.hub.receive(self.command, self.path, headers, body)
        if answer.closes:
            self.close_connection = True
            return
        content = gzip.compress(answer.body) if answer.packed else answer.body
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        if answer.packed:
            self.send_header("Content-Encoding", "gzip")
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        # What suppliers try their way out with.
        self.send_response(200)
        self.send_header("Content-Length", str(len(SUCCESS.body)))
        self.end_headers()
        self.wfile.write(SUCCESS.body)

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        return self.rfile.read(min(_size(self.headers.get("Content-Length") or "0", 10), _LONGEST))

    def _chunks(self) -> bytes:
        body = b""
        while (size := _size(self.rfile.readline().split(b";")[0] or b"0", 16)) and len(body) + size <= _LONGEST:
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing: what came is in the report."""


def _size(text: str | bytes, base: int) -> int:
    size = int(text, base)
    if size < 0:
        raise ValueError(text)
    return size
