"""A supplier that partners' developers meet: the page at /partner/ as it was built, and answers by script.

It stands in for the deployed stack where a test needs an answer that business does not give at will.
"""

import gzip
import html
import json
import secrets
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from globalconnect.hub_protocol.dialect import Dialect
from local.place import FUNCTIONS
from partner_page.forms import forms_of

STATIC = FUNCTIONS / "partner_page" / "static"
STAGE = "/live"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".txt": "text/plain"}
ANY = "any"

type Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it arrived."""

    method: str
    path: str
    body: str
    referrer: str | None


@dataclass
class Supplier:
    """The server, in threads of its own; also a context manager."""

    name: str = "Hub of a developer"
    country: str = "england"
    operator: str = "Hutchison 3G UK Ltd"
    service: str = "tg"
    key: str = field(default_factory=lambda: f"key-{secrets.token_hex(16)}")
    free: int = 3
    dialect: Dialect = field(default_factory=Dialect)
    names: dict[str, Any] | None = None
    texts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    _tokens: set[str] = field(default_factory=set)
    _live: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.supplier = self
        self.api = f"http://127.0.0.1:{self._server.server_address[1]}{STAGE}"
        self.url = f"{self.api}/partner/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def link(self) -> str:
        """Return a link that is good once, as staff make it."""
        token = f"gclink_hub_{secrets.token_hex(16)}"
        self._tokens.add(token)
        return f"{self.url}#{token}"

    def asked(self, action: str) -> list[dict[str, Any]]:
        """Return the bodies of the requests for an action, or to a path of the page's."""
        bodies = [(call.path, json.loads(call.body)) for call in self.calls if call.body]
        return [body for path, body in bodies if action in {body.get("action"), path.removeprefix(f"{STAGE}/partner/")}]

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        """Return what a POST is answered."""
        match path:
            case "/partner/link":
                return self._open(str(body["token"]))
            case "/partner/forms":
                return (401, _refusal("Invalid key")) if body["key"] != self.key else self._own()
            case "/partner/explain" | "/partner/getsms" | "/SMSBOWER":
                if self.key not in {body.get("key"), body.get("apiKey")}:
                    return 401, _refusal("Invalid key")
                if path == "/partner/getsms":
                    return self._poll(body)
                return self._explain(body) if path == "/partner/explain" else self._act(body)
        return 404, _refusal("no such path")

    def _open(self, token: str) -> Answer:
        if token not in self._tokens:
            return 404, _refusal("link not found")
        self._tokens.remove(token)
        status, own = self._own()
        return status, own | {"key": self.key}

    def _own(self) -> Answer:
        return 200, {"name": self.name, "dialect": "a-name", "forms": forms_of(self.dialect), "names": self.names}

    def _act(self, body: dict[str, Any]) -> Answer:
        match body["action"]:
            case "GET_SERVICES":
                operators = {self.operator: {self.service: self.free, "wa": 0}}
                return 200, {"status": "SUCCESS", "countryList": [{"country": self.country, "operatorMap": operators}]}
            case "GET_NUMBER":
                if body["service"] == "vip":
                    return 403, _refusal("service: not for this key")
                if not self._has(body):
                    return 200, {"status": "NO_NUMBERS"}
                self.free -= 1
                activation_id = 12_345_678_901_234 + self.free
                self._live.add(str(activation_id))
                number = {"number": "447472190082", "activationId": activation_id, "call": 0, "voice": 0}
                return 200, {"status": "SUCCESS", **number}
            case _:
                known = str(body["activationId"]) in self._live
                return (200, {"status": "SUCCESS"}) if known else (404, _refusal("activation not found"))

    def _has(self, body: dict[str, Any]) -> bool:
        wanted = (body["country"], body["service"])
        return wanted == (self.country, self.service) and body["operator"] in {ANY, self.operator} and self.free > 0

    def _poll(self, body: dict[str, Any]) -> Answer:
        if body["id"] not in self._live:
            return 404, _refusal("id not found")
        if not self.texts:
            return 200, {"status": "WAIT_CODE"}
        messages = [{"smsId": str(n), "phoneFrom": "Bank", "text": text} for n, text in enumerate(self.texts)]
        return 200, {"status": "SUCCESS", "messages": messages}

    def _explain(self, body: dict[str, Any]) -> Answer:
        none = {"status": "NO_NUMBERS", "suggestions": []}
        if self._has(body):
            return 200, {"status": "SUCCESS"}
        if body["service"] == self.service:
            return 200, none | {"reason": "soldOut", "message": "All numbers of this pool are taken."}
        message = f"There is no service {body['service']}."
        return 200, none | {"reason": "unknownService", "message": message, "suggestions": [self.service]}


def _refusal(message: str) -> dict[str, Any]:
    return {"status": "ERROR", "message": message}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    supplier: Supplier


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._note("")
        place = self.path.removeprefix(f"{STAGE}/partner").lstrip("/")
        if not place:
            return self._give(200, self._page(), {"Content-Type": "text/html; charset=utf-8"})
        files = {path.name: path for path in STATIC.iterdir() if path.suffix in TYPES}
        if place not in files:
            return self._give(404, b"{}", {})
        return self._give(200, files[place].read_bytes(), {"Content-Type": TYPES[files[place].suffix]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._note(body)
        status, answer = self.server.supplier.answer(self.path.removeprefix(STAGE), json.loads(body))
        self._give(status, json.dumps(answer).encode(), {"Content-Type": "application/json; charset=utf-8"})

    def _page(self) -> bytes:
        supplier = self.server.supplier
        page = (STATIC / "index.html").read_text(encoding="utf-8")
        configuration = json.dumps({"api": supplier.api})
        filled = page.replace("{{base}}", supplier.url).replace("{{configuration}}", html.escape(configuration))
        return filled.encode()

    def _give(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(HTTPStatus(status))
        packed = gzip.compress(content)
        guards = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        sizes = {"Content-Encoding": "gzip", "Content-Length": str(len(packed))}
        for name, value in (headers | guards | sizes).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(packed)

    def _note(self, body: str) -> None:
        self.server.supplier.calls.append(Call(self.command, self.path, body, self.headers.get("Referer")))

    def log_message(self, *_: object) -> None:
        pass
