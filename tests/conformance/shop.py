"""A small supplier that sells numbers and keeps what it is asked; it can repeat the request, key and all, in each answer."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = 'secret/"key"+%'


class Shop:
    """`asked` are the bodies it got. With `echoes` its answers repeat them; `sells_strings`: numbers are strings.

    It answers GET_NUMBER when `holds` is set, and FINISH_ACTIVATION when `keeps` is.
    """

    def __init__(self, *, echoes: bool = False, sells_strings: bool = False) -> None:
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.echoes = echoes
        self.sells_strings = sells_strings
        self.has_stock = self.finishes = True
        self.holds: threading.Event | None = None
        self.keeps: threading.Event | None = None
        self.url = ""

    def finished(self) -> list[object]:
        """Return what was finished with 5."""
        ended = [asked for asked in self.asked if asked.get("action") == "FINISH_ACTIVATION"]
        return [asked["activationId"] for asked in ended if asked["status"] == 5]

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked.get("action"):
            case "GET_SERVICES":
                counts = [{"country": "england", "operatorMap": {"o2": {"tg": 5 * self.has_stock}}}]
                answer: dict[str, Any] = {"status": "SUCCESS", "countryList": counts}
            case "GET_NUMBER" if not self.has_stock:
                answer = {"status": "NO_NUMBERS"}
            case "GET_NUMBER":
                if self.holds:
                    self.holds.wait(20)
                number = 447_911_000_000 + len(self.asked)
                sold = str(number) if self.sells_strings else number
                answer = {"status": "SUCCESS", "number": sold, "activationId": len(self.asked)}
            case "FINISH_ACTIVATION" if self.finishes:
                if self.keeps:
                    self.keeps.wait(20)
                answer = {"status": "SUCCESS"}
            case _:
                answer = {"status": "ERROR", "error": "unknown action"}
        return answer | ({"you said": asked} if self.echoes else {})


@contextmanager
def trading(shop: Shop) -> Iterator[Shop]:
    """Have a shop answer at its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            shop.asked.append(asked)
            shop.heads.append(dict(self.headers))
            body = gzip.compress(json.dumps(shop.answer(asked)).encode())
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("X-Key", KEY if shop.echoes else "")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}/hub"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
