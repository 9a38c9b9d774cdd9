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

from local.stack import Stack

COLD_START_SECONDS = 120.0


def until[T](look: Callable[[], T], good: Callable[[T], bool], seconds: float = 30.0) -> T:
    """Look again and again until what is seen is good; return it. Raises AssertionError at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if good(seen):
            return seen
        assert time.monotonic() < deadline, f"still {seen} after {seconds} s"
        time.sleep(0.05)


@dataclass(frozen=True)
class Gateway:
    """An inbound source, with which SMS are delivered."""

    market: "Market"
    url: str
    secret: str

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

    def gateway(self) -> Gateway:
        made = self.made("POST", "/admin/sources", {"name": "Gateway", "provider": "generic"})
        return Gateway(self, made["url"], made["secret"])
