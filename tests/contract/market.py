"""Everybody who uses a deployed stack through its URL: staff, partners and a gateway."""

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from local.aws import session
from local.stack import Stack

COLD_START_SECONDS = 120.0
JSON = "application/json; charset=utf-8"
SUCCESSFUL = {"status": "SUCCESS"}
NO_NUMBERS = {"status": "NO_NUMBERS"}
INVALID_KEY = {"status": "ERROR", "message": "Invalid key"}


def refused(answer: httpx.Response, status: int, message: str) -> None:
    """Expect a refusal in the contract's form, whose message begins so."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, JSON), answer.text
    body = answer.json()
    assert (body.keys(), body["status"]) == ({"status", "message"}, "ERROR")
    assert body["message"].startswith(message), body


def until[T](look: Callable[[], T], good: Callable[[T], bool], seconds: float = 30.0) -> T:
    """Look again and again until what is seen is good; return it. Raises AssertionError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if good(seen):
            return seen
        assert time.monotonic() < deadline, f"still {seen} after {seconds} s"
        time.sleep(0.05)


def logged(market: "Market") -> str:
    """Return all that the functions have logged."""
    logs = session().client("logs", endpoint_url=market.stack.endpoint_url)
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    pages = [page for group in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)]
    return "\n".join(event["message"] for page in pages for event in page["events"])


@dataclass(frozen=True)
class Gateway:
    """An inbound source, with which SMS are delivered."""

    market: "Market"
    url: str
    secret: str

    @property
    def source_id(self) -> str:
        return self.url.rpartition("/")[2]

    def deliver(self, payload: object, *, signature: str | None = None) -> httpx.Response:
        """Deliver a payload, signed with the source's secret if nothing else is given."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
        signed = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Signature": signed if signature is None else signature, "Content-Type": "application/json"}
        return self.market.http.post(self.url, content=body, headers=headers)


@dataclass(frozen=True)
class Hub:
    """A partner with its key."""

    market: "Market"
    partner_id: str
    key: str

    def call(self, action: str, path: str = "/SMSBOWER", /, **fields: object) -> httpx.Response:
        return self.market.http.post(path, json={"key": self.key, "action": action, **fields})

    def buy(self, pool: "Pool", service: str, **fields: object) -> dict[str, Any]:
        wanted = {"country": pool.country, "operator": pool.operator, "service": service, **fields}
        call = self.call("GET_NUMBER", **wanted)
        body: dict[str, Any] = call.json()
        return body

    def finish(self, activation_id: object, status: object) -> httpx.Response:
        return self.call("FINISH_ACTIVATION", activationId=activation_id, status=status)

    def messages(self, activation_id: object, path: str = "/SMSBOWER/getsms/") -> httpx.Response:
        return self.market.http.get(path, params={"apiKey": self.key, "id": str(activation_id)})

    def counts(self, pool: "Pool") -> dict[str, int]:
        """Return what GET_SERVICES says about a pool, nothing when it is not listed."""
        countries = {
            entry["country"]: entry["operatorMap"] for entry in self.call("GET_SERVICES").json()["countryList"]
        }
        found: dict[str, int] = countries.get(pool.country, {}).get(pool.operator, {})
        return found


@dataclass(frozen=True)
class Pool:
    """A pool of a test's own."""

    country: str
    operator: str
    phones: tuple[str, ...]


@dataclass(frozen=True)
class Sale:
    """A live activation, in a pool and of a service that nobody else uses."""

    hub: Hub
    pool: Pool
    service: str
    gateway: Gateway
    activation_id: int
    phone: str

    def deliver(self, text: str, sender: str = "Microsoft") -> None:
        """Have an SMS come in on the number; the same text is the same delivery."""
        answer = self.gateway.deliver({"phone": self.phone, "from": sender, "text": text, "id": text})
        assert answer.status_code == 200, answer.text

    def finish(self, outcome: int) -> object:
        """Return what FINISH_ACTIVATION answers."""
        return self.hub.finish(self.activation_id, outcome).json()

    def polled(self) -> dict[str, Any]:
        """Return what getsms answers."""
        answer: dict[str, Any] = self.hub.messages(self.activation_id).json()
        return answer

    def shown(self) -> dict[str, Any]:
        """Return the activation as staff see it, without the texts."""
        return self.hub.market.made("GET", f"/admin/activations/{self.activation_id}?texts=hidden")


class Market:
    """A deployed stack as people use it. Every pool, service and partner it makes is new."""

    _serial = itertools.count(1)

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        limits = httpx.Limits(max_connections=100)
        self.http = httpx.Client(base_url=stack.api, timeout=COLD_START_SECONDS, trust_env=False, limits=limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def warm_up(self, at_once: int = 4) -> None:
        with ThreadPoolExecutor(at_once) as callers:
            for started in [callers.submit(self._start) for _ in range(at_once)]:
                started.result()

    def _start(self) -> None:
        # Where the machine is busy, the first calls may be given up by the gateway before their function has started.
        until(lambda: self.http.get("/SMSBOWER").status_code, lambda status: status == 401, COLD_START_SECONDS)

    def admin(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        signed_in = {"Authorization": self.stack.admin_token, **(headers or {})}
        if isinstance(body, bytes):
            return self.http.request(method, path, content=body, headers=signed_in)
        return self.http.request(method, path, json=body, headers=signed_in)

    def made(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call the admin API and give what a success answers."""
        answer = self.admin(method, path, body)
        assert answer.is_success, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def looks(self, action: str, of: object = None) -> int:
        """Return how often the audit log says that somebody looked, at what has this id if one is given."""
        count, query = 0, ""
        while True:
            page = self.made("GET", f"/admin/audit{query}")
            looks = [entry for entry in page["entries"] if entry["action"] == action]
            count += len([entry for entry in looks if of is None or entry["id"] == str(of)])
            if page["cursor"] is None:
                return count
            query = f"?cursor={page['cursor']}"

    def hub(self, **fields: object) -> Hub:
        made = self.made("POST", "/admin/partners", {"name": "Hub", **fields})
        return Hub(self, made["partnerId"], made["key"])

    def service(self, **fields: object) -> str:
        """Put a new service on sale; return its code."""
        code = f"svc{next(self._serial)}"
        self.made("PUT", f"/admin/services/{code}", {"name": code, **fields})
        return code

    def pool(self, size: int = 1) -> Pool:
        serial = next(self._serial)
        phones = tuple(str(480_000_000_000 + serial * 10_000 + n) for n in range(size))
        pool = Pool(f"country{serial}", f"Operator {serial}", phones)
        rows = [{"phone": phone, "country": pool.country, "operator": pool.operator} for phone in phones]
        assert self.made("POST", "/admin/numbers", rows) == {"imported": size, "updated": 0, "rejected": []}
        return pool

    def gateway(self, name: str = "Gateway") -> Gateway:
        made = self.made("POST", "/admin/sources", {"name": name, "provider": "generic"})
        return Gateway(self, made["url"], made["secret"])

    def sell(self, hub: Hub, size: int = 1) -> Sale:
        """Sell a partner a number of a new pool of that size, for a new service."""
        pool, service = self.pool(size), self.service()
        bought = hub.buy(pool, service)
        return Sale(hub, pool, service, self.gateway(), bought["activationId"], bought["number"])
