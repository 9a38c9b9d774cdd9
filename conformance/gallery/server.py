"""Puts a supplier at a URL of this machine, and sends its answers as oddly as its ways say."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from conformance.gallery.supplier import Answer, Request, Supplier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.gallery.ways import Ways


# Bytes from which an answer is long.
_LONG = 200


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.callers = ThreadPoolExecutor(64)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.callers.submit(self.process_request_thread, request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up is no error of ours."""


def _handler(supplier: Supplier) -> type[BaseHTTPRequestHandler]:
    ways = supplier.ways

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0" if ways.http_1_0 else "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1
        timeout = 30

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so the library calls it
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = supplier.answer(Request(self.command, self.path, headers, body))
            self._send(answer, wants_gzip="gzip" in headers.get("accept-encoding", ""))

        def _send(self, answer: Answer, *, wants_gzip: bool) -> None:
            content = answer.content if isinstance(answer.content, dict) else {}
            status = content.get("status", "")
            kinds = {
                "no errors": status == "ERROR",
                "no sales": "number" in content,
                "no NO_NUMBERS": status == "NO_NUMBERS",
            }
            wants_gzip = wants_gzip and not kinds.get(ways.gzip)
            headers, body = _packed(_body(answer, ways), ways, wants_gzip=wants_gzip)
            headers["Content-Type"] = ways.content_types.get(status, ways.content_type)
            self.send_response_only(answer.status)
            for name, value in headers.items():
                self.send_header(name.lower() if ways.lower_case_headers else name, value)
            self.end_headers()
            for at in range(0, len(body), 64) if ways.pieces else (0,):
                self.wfile.write(body[at : at + 64] if ways.pieces else body)
                self.wfile.flush()

    return Handler


def _packed(body: bytes, ways: Ways, *, wants_gzip: bool) -> tuple[dict[str, str], bytes]:
    headers: dict[str, str] = {}
    is_short = len(body) < _LONG and ways.gzip == "long ones"
    if ways.gzip == "always" or (ways.gzip != "never" and wants_gzip and not is_short):
        headers["Content-Encoding"] = "gzip"
        body = body if ways.gzip == "lied" else gzip.compress(body, 1)
    if ways.chunked:
        headers["Transfer-Encoding"] = "chunked"
        chunks = [body[at : at + 7] for at in range(0, len(body), 7)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    else:
        headers["Content-Length"] = str(len(body))
    if not ways.keep_alive:
        headers["Connection"] = "close"
    return headers, body


def _body(answer: Answer, ways: Ways) -> bytes:
    content = answer.content
    if not isinstance(content, dict):
        return str(content).encode()
    if ways.more_fields:
        content = {"took": 0.5, **content, "server": {"name": "a", "nodes": [1]}}
    if ways.reversed_fields:
        content = dict(reversed(content.items()))
    text = json.dumps(content, indent=3 if ways.indented else None, ensure_ascii=ways.escapes)
    return (f"\r\n {text}\n\n" if ways.indented else text).encode()


@contextmanager
def serving(supplier: Supplier) -> Iterator[str]:
    """Serve a supplier while in the block; gives its URL."""
    with _Server(("127.0.0.1", 0), _handler(supplier)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            supplier.close()
            server.shutdown()
            thread.join()
