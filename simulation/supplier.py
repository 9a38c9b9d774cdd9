"""A supplier in memory, as `acceptance` sees one, that is right, or wrong in one thing."""

import gzip
import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from acceptance import pretend_partner
from acceptance.checks import JSON
from acceptance.cloud import Expected, Quotas, Receivers, Tokens, Traces
from acceptance.trial import Clock, Trial

API = "https://api.example/live"
PUSH_URL = "https://partner.example/push"
_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' https://cognito.example; frame-ancestors {framed}"
_PAGE = f'<base href="{API}/console/"><script type="module" src="app.js"></script>'


class Fault(StrEnum):
    """What the supplier does wrong."""

    ACCESS_TOKEN_OPENS = "an access token opens the admin API"
    CONSOLE_IN_A_FRAME = "any page may frame the console"
    NO_SCRIPT = "the console's script is missing"
    SLASH_IS_404 = "a trailing slash is 404"
    NO_OWN_DOMAIN = "its own domain answers otherwise"
    NEVER_GZIPPED = "answers are never gzipped"
    HTML_404 = "an unknown path is HTML"
    COUNTS_LAG = "counts lag by 11 s"
    SOME_REFUSED = "some of many calls at once are refused"
    SLOW_SALE = "GET_NUMBER takes 4 s"
    LATE_PUSH = "the first push comes after 12 s"
    SLOW_CADENCE = "retries come every 12 s"
    GIVES_UP = "retries end after the tenth"
    DEAD_LETTER = "something was dead-lettered"
    DROPPED = "AWS dropped a retry"
    KEY_IN_TRACE = "a trace holds the key"
    NOBODY_TOLD = "nobody has confirmed to be told of alarms"
    SILENT_ALARM = "an alarm tells nobody"
    SMALL_QUOTA = "the account has 10 concurrent executions"


@dataclass
class Supplier:
    """Keeps what the check makes; `partners` are those of others too."""

    fault: Fault | None = None
    now: float = 1_790_000_000.0
    partners: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    services: dict[str, bool] = field(default_factory=dict)
    numbers: dict[str, bool] = field(default_factory=dict)
    # By id: phone, whether it is over, and its SMS as text and time of arrival.
    activations: dict[int, dict[str, Any]] = field(default_factory=dict)
    changed: list[tuple[float, int]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    serial: Iterator[int] = field(default_factory=lambda: itertools.count(1_000))
    burst: int = 0

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self._pass)

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=API, transport=httpx.MockTransport(self._locked))

    # ------------------------------------------------------------ requests

    def _locked(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:  # noqa: PLR0911 - one table of routes
        if request.url.host == "partner.example":
            return httpx.Response(200, json=pretend_partner.answer(request.content.decode(), self.now))
        if request.url.host == "own.example" and self.fault is Fault.NO_OWN_DOMAIN:
            return _refused(404, "nothing")
        path = request.url.path.removeprefix("/live")
        if self.fault is Fault.SLASH_IS_404 and path == "/SMSBOWER/":
            return _refused(404, "nothing")
        match [part for part in path.split("/") if part]:
            case ["SMSBOWER"] | ["api", "partner"] if request.method in {"GET", "POST"}:
                return self._partner(request)
            case ["SMSBOWER", "getsms"] | ["api", "partner", "getsms"] if request.method == "GET":
                return self._getsms(request)
            case ["inbound", source_id]:
                return self._inbound(source_id, request)
            case ["admin", *rest]:
                return self._admin(rest, request)
            case ["console"]:
                framed = "*" if self.fault is Fault.CONSOLE_IN_A_FRAME else "'none'"
                headers = {
                    "content-security-policy": _POLICY.format(framed=framed),
                    "x-content-type-options": "nosniff",
                }
                return httpx.Response(200, html=_PAGE, headers=headers)
            case ["console", "app.js"] if self.fault is not Fault.NO_SCRIPT:
                return httpx.Response(200, text="", headers={"content-type": "text/javascript; charset=utf-8"})
        return httpx.Response(404, html="nothing") if self.fault is Fault.HTML_404 else _refused(404, "nothing")

    def _partner(self, request: httpx.Request) -> httpx.Response:  # noqa: PLR0911 - one table of actions
        body = request.content
        if len(body) > 256 * 1024:
            return _refused(400, "body: too long")
        try:
            asked: dict[str, Any] = dict(request.url.params) if request.method == "GET" else json.loads(_unpacked(body))
        except ValueError:
            return _refused(400, "body: no JSON")
        if not self._knows(asked.get("key")):
            return _refused(401, "Invalid key")
        match asked.get("action"):
            case "GET_SERVICES":
                return _json({"status": "SUCCESS", "countryList": self._listed()})
            case "GET_NUMBER" if "service" not in asked:
                return _refused(400, "service: missing")
            case "GET_NUMBER" if asked["service"] not in self.services:
                return _refused(403, "service: not allowed for this key")
            case "GET_NUMBER":
                return self._sold(asked["key"])
            case "FINISH_ACTIVATION":
                self.activations[asked["activationId"]]["over"] = True
                self._note_count()
                return _json({"status": "SUCCESS"})
        return _refused(400, "action: unknown")

    def _sold(self, key: str) -> httpx.Response:
        self.burst += 1
        if self.fault is Fault.SOME_REFUSED and self.burst % 40 == 0:
            return _refused(503, "Temporarily busy; try again")
        if self.fault is Fault.SLOW_SALE:
            self._pass(4)
        held = {each["phone"] for each in self.activations.values() if not each["over"]}
        phone = next((phone for phone, enabled in self.numbers.items() if enabled and phone not in held), None)
        if phone is None:
            return _json({"status": "NO_NUMBERS"})
        activation_id = next(self.serial)
        partner_id = next(each["partnerId"] for each in self.partners if each["key"] == key)
        self.activations[activation_id] = {"phone": phone, "over": False, "sms": [], "partner": partner_id}
        self._note_count()
        return _json({"status": "SUCCESS", "number": phone, "activationId": activation_id, "call": 0, "voice": 0})

    def _getsms(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        if not self._knows(asked.get("apiKey")):
            return _refused(401, "Invalid key")
        found = self.activations.get(int(str(asked["id"])))
        if found is None:
            return _refused(404, "id not found")
        messages = [{"text": text} for text, _ in found["sms"]]
        content = json.dumps({"status": "SUCCESS", "messages": messages} if messages else {"status": "WAIT_CODE"})
        if (
            len(content) > 1_000
            and request.headers["accept-encoding"] == "gzip"
            and self.fault is not Fault.NEVER_GZIPPED
        ):
            headers = {"content-type": JSON, "content-encoding": "gzip"}
            return httpx.Response(200, content=gzip.compress(content.encode()), headers=headers)
        return httpx.Response(200, content=content.encode(), headers={"content-type": JSON})

    def _inbound(self, source_id: str, request: httpx.Request) -> httpx.Response:
        if source_id not in {source["sourceId"] for source in self.sources}:
            return _refused(401, "Invalid signature")
        sms = json.loads(request.content)
        sold = next(each for each in self.activations.values() if each["phone"] == sms["phone"] and not each["over"])
        sold["sms"].append((sms["text"], self.now))
        return _json({"status": "SUCCESS"})

    def _admin(  # noqa: C901, PLR0911, PLR0912 - one table of routes
        self, path: Sequence[str], request: httpx.Request
    ) -> httpx.Response:
        opens = {"id"} | ({"access"} if self.fault is Fault.ACCESS_TOKEN_OPENS else set())
        if request.headers.get("authorization") not in opens:
            return _refused(401, "Sign in: a valid staff token is needed in Authorization")
        body = json.loads(request.content or b"{}")
        match [request.method, *path]:
            case ["GET", "partners"]:
                return _json({"partners": self.partners, "cursor": None})
            case ["POST", "partners"]:
                made = {
                    **body,
                    "partnerId": f"p{next(self.serial)}",
                    "key": f"key-{next(self.serial)}",
                    "revoked": False,
                }
                self.partners.append(made)
                return _json(made, 201)
            case ["POST", "partners", partner_id, "rotate-key"]:
                rotated = next(each for each in self.partners if each["partnerId"] == partner_id)
                rotated["key"] = f"key-{next(self.serial)}"
                return _json(rotated)
            case ["GET", "activations"]:
                asked = request.url.params["partnerId"]
                live = [
                    {"activationId": sold_id}
                    for sold_id, sold in self.activations.items()
                    if not sold["over"] and sold["partner"] == asked
                ]
                return _json({"activations": live, "cursor": None})
            case ["DELETE", "partners", partner_id]:
                next(each for each in self.partners if each["partnerId"] == partner_id)["revoked"] = True
            case ["GET", "sources"]:
                return _json({"sources": self.sources, "cursor": None})
            case ["POST", "sources"]:
                source_id = f"s{next(self.serial)}"
                made = {
                    **body,
                    "sourceId": source_id,
                    "url": f"{API}/inbound/{source_id}",
                    "secret": "secret of a source",
                }
                self.sources.append(made)
                return _json(made, 201)
            case ["DELETE", "sources", source_id]:
                self.sources = [each for each in self.sources if each["sourceId"] != source_id]
            case ["PUT", "services", code]:
                self.services[code] = body["enabled"]
            case ["POST", "numbers"]:
                for row in body:
                    self.numbers.setdefault(row["phone"], True)
                self._note_count()
            case ["PATCH", "numbers"]:
                self.numbers |= dict.fromkeys(body["phones"], body["enabled"])
                self._note_count()
            case ["GET", "activations", activation_id]:
                sold = self.activations[int(activation_id)]
                return _json({"messages": [self._pushed(text, arrived) for text, arrived in sold["sms"]]})
            case _:
                return _refused(404, "path not found")
        return _json({"status": "SUCCESS"})

    # ------------------------------------------------------------ counts and pushes, by the time that it is

    def _listed(self) -> list[dict[str, Any]]:
        lag = 11 if self.fault is Fault.COUNTS_LAG else 0
        free = next((count for at, count in reversed(self.changed) if at <= self.now - lag), 0)
        return [{"country": "zz-check", "operatorMap": {"zz-check": {"zz-check": free}}}]

    def _note_count(self) -> None:
        held = {each["phone"] for each in self.activations.values() if not each["over"]}
        self.changed.append((self.now, sum(on for phone, on in self.numbers.items() if phone not in held)))

    def _pushed(self, text: str, arrived: float) -> dict[str, Any]:
        at = arrived + (12.0 if self.fault is Fault.LATE_PUSH else 0.2)
        attempts: list[dict[str, Any]] = []
        while at <= self.now and not (self.fault is Fault.GIVES_UP and len(attempts) == 10):
            said = pretend_partner.answer(json.dumps({"text": text}), at)
            attempts.append({"number": len(attempts) + 1, "answer": json.dumps(said)})
            if said["status"] == "SUCCESS":
                break
            at += 12.0 if self.fault is Fault.SLOW_CADENCE else 10.0
        delivered = bool(attempts) and "SUCCESS" in attempts[-1]["answer"]
        kept = attempts if len(attempts) <= 21 else [attempts[0], *attempts[-20:]]
        return {"text": text, "pushState": "delivered" if delivered else "pending", "attemptLog": kept}

    def _knows(self, key: object) -> bool:
        return key in {each["key"] for each in self.partners if not each["revoked"]}

    def _pass(self, seconds: float) -> None:
        self.now += seconds


PARAMETERS = {"CacheSeconds": "30", "PushMaxAgeMinutes": "0", "ActivationMinutes": "60"}
EXPECTED = Expected(counts=2.0, get_number=3.0, warm=True, push_p50=1.0, push_p99=3.0)


@dataclass
class PretendCloud:
    """A cloud in which all can be seen, or none of what a local one can't show."""

    supplier: Supplier
    sees_all: bool = True
    name: str = "a pretend cloud"
    expected: Expected = EXPECTED
    bases: Sequence[str] = (API, "https://own.example")
    left: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=lambda: dict(PARAMETERS))

    def sign_in(self) -> Tokens:
        self.left.append("staff")
        return Tokens("id", "access")

    @contextmanager
    def partner(self) -> Iterator[str]:
        self.left.append("partner")
        yield PUSH_URL

    def dead_letters(self) -> int:
        # Some may be there from before.
        return 3 + (self.supplier.fault is Fault.DEAD_LETTER and bool(self.supplier.activations))

    def dropped_recursions(self, since: float) -> int | None:
        return int(self.supplier.fault is Fault.DROPPED) if self.sees_all else None

    def traces(self, key: str, since: float) -> Traces | None:
        return Traces(12, int(self.supplier.fault is Fault.KEY_IN_TRACE)) if self.sees_all else None

    def receivers(self) -> Receivers | None:
        silent = ["ThrottlesAlarm"] if self.supplier.fault is Fault.SILENT_ALARM else []
        return Receivers(int(self.supplier.fault is not Fault.NOBODY_TOLD), silent) if self.sees_all else None

    def quotas(self) -> Quotas | None:
        return Quotas(10 if self.supplier.fault is Fault.SMALL_QUOTA else 1_000, 10_000) if self.sees_all else None

    def calls_at_once(self) -> int:
        return 1_000

    def clear(self) -> Sequence[str]:
        self.left.clear()
        return []


def trial(supplier: Supplier, cloud: PretendCloud | None = None) -> Trial:
    """Return a trial of a supplier, whose time passes only while somebody waits."""
    return Trial(cloud or PretendCloud(supplier), supplier.http(), supplier.clock())


def _json(content: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(content).encode(), headers={"content-type": JSON})


def _refused(status: int, message: str) -> httpx.Response:
    return _json({"status": "ERROR", "message": message}, status)


def _unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
