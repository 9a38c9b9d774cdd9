"""A partner's server for trying out pushes: answers as told, and remembers what it was sent.

By hand, with answers in the order of the requests, the last one for all that follow:

    python -m local.pretend_partner --port 9000 --script ERROR,500,SUCCESS
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """What the partner does with one request; ``drop`` closes the connection without a word."""

    status: int = 200
    body: bytes = b'{"status":"SUCCESS"}'
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    after_seconds: float = 0.0
    drop: bool = False


SUCCESS = Answer()
ERROR = Answer(body=b'{"status":"ERROR"}')
BROKEN = Answer(status=500, body=b"Internal Server Error", headers={"Content-Type": "text/plain"})
DROP = Answer(drop=True)


def slow(seconds: float, then: Answer = SUCCESS) -> Answer:
    return replace(then, after_seconds=seconds)


@dataclass(frozen=True)
class Push:
    """One request as it arrived. ``at`` is monotonic, for distances; ``received`` is the wall clock.

    ``body`` is the parsed JSON, None when it was not readable; ``raw`` is what was sent.
    """

    at: float
    received: datetime
    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    body: Any


class PretendPartner:
    """A server on 127.0.0.1 that runs in threads of its own; also a context manager.

    ``script`` are the answers to the next requests, one each; after them every request gets ``otherwise``. On a port of
    its own choice it has a path of its own and takes nothing else: the port may have been somebody's before, to whom
    another stack still pushes.
    """

    def __init__(
        self,
        script: Iterable[Answer] = (),
        *,
        otherwise: Answer = SUCCESS,
        port: int = 0,
        on_push: Callable[[Push, Answer], None] | None = None,
    ) -> None:
        self._arrived = threading.Condition()
        self._script = deque(script)
        self._otherwise = otherwise
        self._pushes: list[Push] = []
        self._answered = 0
        self._on_push = on_push
        # Ends the waiting of slow answers when the server closes.
        self._closing = threading.Event()
        self._path = "/push" if port else f"/push/{secrets.token_hex(8)}"
        self._takes_all = bool(port)
        self._server = _Server((HOST, port), _Handler)
        self._server.partner = self
        self.port = int(self._server.server_address[1])
        # A Push URL that leads here.
        self.url = f"http://{HOST}:{self.port}{self._path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def pushes(self) -> list[Push]:
        """All requests so far, in the order of their arrival."""
        with self._arrived:
            return list(self._pushes)

    def answer(self, *script: Answer, otherwise: Answer | None = None) -> None:
        """Replace what is left of the script, and what comes after it when ``otherwise`` is given."""
        with self._arrived:
            self._script = deque(script)
            if otherwise is not None:
                self._otherwise = otherwise

    def wait_for(self, count: int, deadline: float, matching: Callable[[Push], bool] = lambda _: True) -> list[Push]:
        """Wait up to ``deadline`` seconds until ``count`` requests that are ``matching`` have come; returns those.

        Raises TimeoutError with what did come.
        """
        with self._arrived:
            if self._arrived.wait_for(lambda: len(self._matching(matching)) >= count, deadline):
                return self._matching(matching)
            came = [push.body for push in self._pushes]
        raise TimeoutError(f"{count} pushes expected within {deadline} s; came: {came}")

    def wait_until_answered(self, count: int) -> None:
        """Wait until ``count`` requests have got their answers."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._answered >= count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening; answers under way are cut short."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _matching(self, matching: Callable[[Push], bool]) -> list[Push]:
        return [push for push in self._pushes if matching(push)]

    def take(self, push: Push) -> Answer:
        """Remember a request, and return its answer when the time for it has come."""
        if not self._takes_all and push.path.partition("?")[0] != self._path:
            return Answer(status=404, body=b"")
        with self._arrived:
            self._pushes.append(push)
            answer = self._script.popleft() if self._script else self._otherwise
            self._arrived.notify_all()
        if self._on_push is not None:
            self._on_push(push, answer)
        self._closing.wait(answer.after_seconds)
        return answer

    def note_answered(self) -> None:
        with self._arrived:
            self._answered += 1
            self._arrived.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 refuses connections when many pushes come at once.
    request_queue_size = 512
    partner: PretendPartner

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that hung up, which is its right; anything else is a fault of this server and shown.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Headers and body are written apart; without it the second write waits for the first one's acknowledgement.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        at, received = time.monotonic(), datetime.now(UTC)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        push = Push(at, received, self.command, self.path, dict(self.headers.items()), raw, body)
        self._give(self.server.partner.take(push))
        self.server.partner.note_answered()

    do_GET = do_POST  # noqa: N815 - the base class looks for this name

    def _give(self, answer: Answer) -> None:
        if answer.drop:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """Keep quiet; what matters is in ``pushes``."""


NAMED = {"SUCCESS": SUCCESS, "ERROR": ERROR, "500": BROKEN, "DROP": DROP}


def parse_answer(text: str) -> Answer:
    """SUCCESS, ERROR, 500, DROP, or SLOW:<seconds>; raises ValueError for anything else."""
    name, _, seconds = text.strip().upper().partition(":")
    if name == "SLOW" and seconds:
        return slow(float(seconds))
    if name not in NAMED or seconds:
        raise ValueError(f"{text!r} is none of {', '.join(NAMED)}, SLOW:<seconds>")
    return NAMED[name]


def describe(answer: Answer) -> str:
    if answer.drop:
        return "drop the connection"
    waiting = f", after {answer.after_seconds:g} s" if answer.after_seconds else ""
    return f"{answer.status} {answer.body.decode(errors='replace')}{waiting}"


def _show(push: Push, answer: Answer) -> None:
    print(f"{push.received:%H:%M:%S.%f}"[:-3], push.method, push.path, push.raw.decode(errors="replace"))
    print(f"             -> {describe(answer)}", flush=True)


def main(arguments: list[str]) -> int:
    """Run until interrupted or enough has been answered, printing each request and what it was answered."""
    parser = argparse.ArgumentParser(prog="python -m local.pretend_partner", description=__doc__)
    parser.add_argument("--port", type=int, default=9000, help="on 127.0.0.1; 0 for a free one")
    parser.add_argument(
        "--script",
        default="SUCCESS",
        help="answers in order, the last for all that follow: SUCCESS, ERROR, 500, DROP, SLOW:<seconds>",
    )
    parser.add_argument("--pushes", type=int, help="end when so many have been answered; default: go on until Ctrl-C")
    options = parser.parse_args(arguments)
    try:
        *first, last = [parse_answer(text) for text in options.script.split(",")]
    except ValueError as error:
        parser.error(f"--script: {error}")
    try:
        partner = PretendPartner(first, otherwise=last, port=options.port, on_push=_show)
    except OSError as error:
        print(f"Port {options.port} can't be used: {error.strerror}. Take another: --port 0", file=sys.stderr)
        return 1
    with partner:
        print(f"Push URL: {partner.url}   (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            partner.wait_until_answered(options.pushes or sys.maxsize)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
