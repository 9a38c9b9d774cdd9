"""A supplier in memory that sells one stock to several hubs, and is right, or wrong in one thing. Its ids begin with 0."""

import gzip
import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from conformance.hubs import Hub

PLACE = ("england", "o2", "tg")


@dataclass(slots=True)
class Activation:
    number: str
    key: str
    outcome: int | None = None


@dataclass(slots=True, repr=False)
class Supplier:
    """`hubs` are the partners' by key, `urls` where each takes pushes; `fault` names what is wrong."""

    hubs: Mapping[str, Hub]
    urls: Mapping[str, str]
    numbers: Sequence[str]
    retry: float
    fault: str = ""
    activations: dict[int, Activation] = field(default_factory=dict)
    asked_for_numbers: int = 0
    sms: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def free(self) -> list[str]:
        kept = {None, 1} if self.fault == "sold again" else {None, 1, 3}
        gone = {one.number for one in self.activations.values() if one.outcome in kept}
        return [number for number in self.numbers if number not in gone]

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        hub = self.hubs[asked["key"]]
        self.asked_for_numbers += asked["action"] == "GET_NUMBER"
        if self.fault == "slow" and asked["action"] == "GET_NUMBER":
            time.sleep(self.retry)
        with self._lock:
            match asked["action"]:
                case "GET_SERVICES":
                    country, operator, service = PLACE
                    count = len(self.free()) + (500 if self.fault == "overstated" else 0)
                    entry = {"country": country, "operatorMap": {operator: {service: count}}}
                    return {"status": "SUCCESS", "countryList": [entry]}
                case "GET_NUMBER":
                    excluded = [str(prefix) for prefix in asked.get("exceptionPhoneSet", ())]
                    free = [one for one in self.free() if not one.startswith(tuple(excluded))]
                    if not free:
                        return {"status": "NO_NUMBERS"}
                    number = self.numbers[0] if self.fault == "number twice" else free[0]
                    activation_id = len(self.activations)
                    self.activations[activation_id] = Activation(number, asked["key"])
                    given = str(number) if self.fault == "string" else hub.number[0](number)
                    extras = {} if self.fault == "no extras" else hub.number_extras
                    return {"status": "SUCCESS", "number": given, "activationId": activation_id, **extras}
            activation = self.activations[asked["activationId"]]
            if activation.outcome is not None and self.fault == "finish once":
                return {"status": "ERROR", hub.error_field: "no such activation"}
            if activation.outcome is None or (activation.outcome, asked["status"]) == (3, 5):
                activation.outcome = asked["status"]
            return {"status": "SUCCESS"}

    def receive(self, phone: str, text: str) -> bool:
        """Take an SMS; push it until it is taken."""
        with self._lock:
            sms_id = self.sms
            self.sms += 1
            live = [one for one in self.activations.values() if one.number == phone and one.outcome is None]
        if live and not (self.fault == "lost" and sms_id % 2):
            threading.Thread(target=self._push, args=(live[0], sms_id, text), daemon=True).start()
        return True

    def _push(self, activation: Activation, sms_id: int, text: str) -> None:
        hub, url = self.hubs[activation.key], urlsplit(self.urls[activation.key])
        body: dict[str, object] = {"action": "PUSH_SMS", "key": activation.key, "phoneFrom": "Shop", "text": text}
        body |= {"phone": hub.phone[0](activation.number), "smsId": hub.sms_id[0](sms_id), **hub.push_extras}
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "small", "Accept-Encoding": "gzip"}
        while activation.outcome is None:
            began = time.monotonic()
            connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=self.retry * 2)
            try:
                connection.request("POST", url.path, json.dumps(body), headers)
                response = connection.getresponse()
                if response.status == 200 and self.fault == "takes any 200":
                    return
                if (
                    response.status == 200
                    and json.loads(response.read()) == {"status": "SUCCESS"}
                    and self.fault != "again"
                ):
                    return
            except (OSError, ValueError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(max(0.0, began + self.retry - time.monotonic()))


@contextmanager
def serving(supplier: Supplier) -> Iterator[str]:
    """Serve at a free port of this machine; give the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = gzip.compress(json.dumps(supplier.answer(asked)).encode())
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/partner"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
