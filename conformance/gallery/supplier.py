"""A supplier of phone numbers in this process: it answers a hub's requests, and pushes the SMS that it is made to receive."""

from __future__ import annotations

import gzip
import json
import threading
import time
from contextlib import closing, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from conformance.exchange import spoken, unpacked
from conformance.gallery.stock import RETURNED, SOLD, Activation, LostTheRace, Stock, numbers
from conformance.gallery.ways import otherwise, sms_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from conformance.gallery.ways import Asked, Ways
    from conformance.hubs import Hub

KEY, OTHER_KEY = "key-of-the-hub", "key-of-another-hub"
PATHS = {"getServices": "GET_SERVICES", "getNumber": "GET_NUMBER", "finishActivation": "FINISH_ACTIVATION"}
FROM = "Telegram"


SERVICES = ("tg", "wa", "vk")


def _stock(hub: Hub, ways: Ways) -> Stock:
    """Return a stock in which some numbers are sold already."""
    operators = [
        [*numbers("england", "o2", "44", ("7700", "7701", "7472"), 7)],
        [*numbers("england", "vodafone", "44", ("7911", "7812"), 7)],
        [*numbers("russia", "megafon", "7", ("926", "928"), 2)],
    ]
    few = [of_operator[: ways.numbers_of_each] for of_operator in operators]
    used = {(of_operator[-1].digits, service) for of_operator in few for service in SERVICES}
    return Stock(hub, ways, [number for of_operator in few for number in of_operator], SERVICES, used)


@dataclass(frozen=True, slots=True)
class Request:
    """`headers` have lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class _Refused(Exception):
    """What was asked is an error; what is wrong is a key of `Hub.error_http`, None for what no hub speaks of."""

    def __init__(self, text: str, wrong: str | None, http: int = HTTPStatus.OK) -> None:
        super().__init__(text)
        self.text, self.wrong, self.http = text, wrong, http


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: Any


class Supplier:
    """Right as `hub` wants it, but for its `ways`. It pushes to `push_url`, None for not at all, again each `retry_s` seconds.

    `close` ends its pushes.
    """

    def __init__(self, hub: Hub, ways: Ways, push_url: str | None, retry_s: float) -> None:
        self.hub, self.ways = hub, ways
        self.keys = ways.keys or (KEY, OTHER_KEY)
        self.stock = _stock(hub, ways)
        self._push_url = push_url
        self._retry_s = retry_s
        self._closed = threading.Event()
        self._pushing: list[threading.Thread] = []
        self._sms_ids = ways.first_sms - 1
        self._rivals: list[Activation] = []
        self._answers = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        self._closed.set()
        for thread in self._pushing:
            thread.join()

    # What the hub asks.

    def answer(self, request: Request) -> Answer:
        with self._lock:
            self._answers += 1
            late = self.ways.delays in {None, self._answers}
        if late:
            time.sleep(self.ways.delay_s)
        try:
            self._check(request.headers)
            return self._answer(request)
        except _Refused as refused:
            field = self.ways.error_field or self.hub.error_field
            http = self.ways.error_http or self.hub.error_http.get(refused.wrong or "", refused.http)
            return Answer(http, {"status": "ERROR", field: refused.text})

    def _check(self, headers: Mapping[str, str]) -> None:
        if self.ways.accept_must_parse and any("/" not in part for part in headers.get("accept", "*/*").split(",")):
            raise _Refused("Not acceptable", None, 406)

    def _answer(self, request: Request) -> Answer:
        ways, parts = self.ways, urlsplit(request.target)
        last = parts.path.rstrip("/").rpartition("/")[2]
        query = parse_qsl(parts.query)
        if last == "getsms" and ways.getsms:
            return self._getsms(dict(query))
        if ways.paths_only if last not in PATHS else not ways.paths:
            return Answer(404, "not found")
        fields = self._queried(query) if request.method == "GET" else self._posted(request)
        if last in PATHS and not ways.needs_action:
            fields = {"action": PATHS[last], **fields}
        self._check_bearer(request.headers.get("authorization"), fields)
        return self._act(fields)

    def _check_bearer(self, authorization: str | None, fields: Mapping[str, Any]) -> None:
        if authorization and fields.get("action") in self.ways.refuses_bearer_for:
            raise _Refused("Authorization is not understood", None, 401)
        if self.ways.needs_bearer and spoken(authorization or "") != f"Bearer {fields.get('key')}":
            raise _Refused("Authorization doesn't have the key", None)

    def _queried(self, query: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        excludes = self.ways.query_excludes
        excluded = [value for name, value in query if name == "exceptionPhoneSet"]
        refused = {"no commas": "," in "".join(excluded), "once": len(excluded) > 1}
        if refused.get(excludes):
            raise _Refused("exceptionPhoneSet is not understood", "field")
        fields = dict(query) if self.ways.reads_get else {}
        return {**fields, "exceptionPhoneSet": excluded if excludes == "prefixes" else None}

    def _posted(self, request: Request) -> Mapping[str, Any]:
        encoding = request.headers.get("content-encoding", "") if self.ways.unpacks_requests else ""
        try:
            fields = json.loads(unpacked(request.body, encoding) or b"")
        except ValueError:
            if self.ways.crashes_at_bad_json:
                raise _Refused("Internal error", None, 500) from None
            fields = None
        if not isinstance(fields, dict):
            raise _Refused("Invalid JSON", "json")
        return fields

    def _act(self, fields: Mapping[str, Any]) -> Answer:
        key, action = fields.get("key"), fields.get("action")
        if key not in self.keys and action not in self.ways.any_key_for:
            self._end_all_the_same(fields, "key")
            raise _Refused("Invalid key", "key")
        if action in {self.hub.counts_action, "GET_SERVICES"}:
            return self._counts()
        if action == "GET_NUMBER":
            return self._number(str(key), fields)
        if action == "FINISH_ACTIVATION":
            return self._finish(str(key), fields)
        if self.ways.unknown_action != "ERROR":
            return Answer(200, {"status": self.ways.unknown_action})
        raise _Refused("Unknown action", "action")

    def _counts(self) -> Answer:
        def said(count: int) -> Any:
            shown = self.ways.count(count + self.ways.overstates)
            return {"SMS": shown} if self.hub.counts_form == "countMap" else shown

        counted: dict[str, Any] = {
            country: ({"any": {}} if self.ways.empty_any else {})
            | {
                operator: {service: said(count) for service, count in services.items()}
                for operator, services in operators.items()
            }
            for country, operators in self.stock.counts().items()
        }
        content: dict[str, Any] = {} if self.ways.counts_status is None else {"status": self.ways.counts_status}
        if self.hub.counts_form == "countMap":
            content["countMap"] = counted
        else:
            content["countryList"] = [
                {"country": country, "operatorMap": operators} for country, operators in counted.items()
            ]
        return Answer(200, content)

    def _number(self, key: str, fields: Mapping[str, Any]) -> Answer:
        ways = self.ways
        for refused, kind in ways.refuses.items():
            value = fields.get(refused)
            if refused in fields and (isinstance(value, kind) if isinstance(kind, type) else value == kind):
                raise _Refused(f"{refused} is not understood", "field")
        if not {*ways.needs} <= {*fields}:
            raise _Refused(f"{' and '.join(ways.needs)} are needed", "field")
        prefixes = fields.get("exceptionPhoneSet") or []
        place = self._place(fields)
        try:
            is_enough = float(fields.get("sum", ways.least_sum)) >= ways.least_sum
            activation = self.stock.buy(key, *place, prefixes) if is_enough else None
        except LostTheRace:
            raise _Refused("Internal error", None, 500) from None
        if activation is None:
            if ways.nothing == "ERROR":
                raise _Refused("No numbers", None, ways.nothing_status)
            return Answer(ways.nothing_status, {"status": ways.nothing})
        if ways.rival_buys and len(self.stock.activations) % ways.rival_buys == 0:
            for one in self._rivals:
                self.stock.finish(one, RETURNED)
            rival = self.stock.buy("key of a rival", *place, [])
            self._rivals = [rival] if rival else []
        number = activation.number
        digits = number.digits[number.code :] if number.country in ways.national else number.digits
        spelled = "+" + digits if ways.plus else self.hub.number[0](digits)
        extras = self.hub.number_extras if ways.extras else {}
        return Answer(
            200,
            {"status": "SUCCESS", "number": spelled, "activationId": ways.activation_id(activation.id), **extras},
        )

    def _place(self, fields: Mapping[str, Any]) -> tuple[str, str, str]:
        """Return country, operator and service of what is asked for, guessed where it may be."""
        ways = self.ways
        if not {"country", "operator", "service"} <= {*fields, *ways.may_lack}:
            raise _Refused("country, operator and service are needed", "field")
        countries = self.stock.counts() if ways.guesses or ways.may_lack else {}

        def meant(name: Asked, known: Collection[str]) -> str:
            guesses = name in (ways.guesses if name in fields else ways.may_lack)
            asked = str(fields.get(name))
            return next(iter(known), asked) if guesses and asked not in known else asked

        if ways.knows_places and (
            fields.get("country") not in self.stock.counts() or fields.get("service") not in SERVICES
        ):
            raise _Refused("Unknown country or service", "field")
        country = meant("country", countries)
        return country, meant("operator", countries.get(country, {})), meant("service", SERVICES)

    def _end_all_the_same(self, fields: Mapping[str, Any], wrong: str) -> None:
        activation = self.stock.activations.get(fields.get("activationId", -1))
        if activation is not None and wrong in self.ways.refused_finish_ends:
            self.stock.free(activation)

    def _finish(self, key: str, fields: Mapping[str, Any]) -> Answer:
        ways = self.ways
        if "status" in ways.may_lack:
            fields = {"status": RETURNED, **fields}
        try:
            wanted, outcome = int(fields["activationId"]), int(fields["status"])
        except (KeyError, TypeError, ValueError):
            raise _Refused("activationId and status must be whole numbers", "field") from None
        known = outcome in {*self.hub.outcomes, *self.hub.outcomes_of_rent} and outcome != ways.refuses_outcome
        if not known and not ways.any_outcome:
            self._end_all_the_same(fields, "field")
            raise _Refused("Unknown status", "field")
        activation = self.stock.activations.get(wanted)
        # Who got here with an unknown key may do all.
        if activation is not None and (activation.key == key or ways.foreign_finish or key not in self.keys):
            if activation.outcome is not None and not ways.finish_again:
                raise _Refused("Already finished", None)
            if (activation.outcome, outcome) == (SOLD, RETURNED) and not ways.refund_after_sale:
                raise _Refused("Already sold", None)
            age = time.monotonic() - activation.began
            if activation.outcome is None and ways.finishes_within_s is not None and age > ways.finishes_within_s:
                raise _Refused("Too late", None)
            self.stock.finish(activation, outcome)
        elif activation is not None or not ways.unknown_finish:
            self._end_all_the_same(fields, "activation")
            raise _Refused("Unknown activation", "activation")
        return Answer(200, {"status": "SUCCESS"})

    def _getsms(self, fields: Mapping[str, str]) -> Answer:
        key, wanted = fields.get("apiKey"), fields.get("id", "")
        if key not in self.keys and "getsms" not in self.ways.any_key_for:
            raise _Refused("Invalid key", "key")
        activation = self.stock.activations.get(int(wanted) if wanted.isdecimal() else -1)
        is_foreign = activation is not None and key in self.keys and activation.key != key
        if activation is None or (is_foreign and not self.ways.foreign_getsms):
            raise _Refused("Unknown activation", "activation")
        if activation.messages and self.ways.getsms_messages:
            return Answer(200, {"status": "SUCCESS", "messages": activation.messages})
        return Answer(200, {"status": "WAIT_CODE" if self.stock.is_live(activation) else "EXPIRED"})

    # What the hub is told.

    def receive(self, phone: str, text: str) -> None:
        """Receive an SMS for a number, which is pushed to the hub whose activation has it."""
        activation = self.stock.live_of(phone.lstrip("+"))
        if activation is None or activation.is_muted:
            return
        ways = self.ways
        with self._lock:
            if ways.sms_ids != "all":
                self._sms_ids += 1
            sms_id = len(activation.messages) + 1 if ways.sms_ids == "each of an activation" else self._sms_ids
            message = {
                "smsId": self.hub.sms_id[0](sms_id),
                "phone": self.hub.phone[0](activation.number.digits),
                "phoneFrom": FROM,
                "text": sms_text(text, ways),
            }
            received = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
            activation.messages.append({**message, "smsId": str(sms_id), "receivedAt": received})
            of_others = {**message, "phone": self.hub.phone[0]("79990001122"), "text": "Nothing to do with you"}
            pushed = [message] * ways.copies + [of_others] * ways.tells
            for one in pushed if self._push_url and ways.pushes else ():
                thread = threading.Thread(target=self._push_all, args=(activation, one), daemon=True)
                self._pushing.append(thread)
                thread.start()
        time.sleep(ways.sms_delay_s)

    def _push_all(self, activation: Activation, message: dict[str, Any]) -> None:
        self._deliver(activation, message)
        after = self.ways.echoes_after
        if after is not None and not self._closed.wait(after * self._retry_s):
            url = urlsplit(self._push_url or "")
            with closing(HTTPConnection(url.hostname or "", url.port, timeout=5)) as connection:
                self._push(connection, activation, message, 2)

    def _deliver(self, activation: Activation, message: dict[str, Any]) -> None:
        ways, url = self.ways, urlsplit(self._push_url or "")
        attempts, was_taken = 0, False
        connection = HTTPConnection(url.hostname or "", url.port, timeout=ways.push_timeout_s)
        self._closed.wait(ways.push_delay_s + (ways.later_delay_s if len(activation.messages) > 1 else 0.0))
        with activation.pushing if ways.waits_its_turn else nullcontext(), closing(connection):
            while self._is_due(activation, message, attempts):
                begun = time.monotonic()
                attempts += 1
                refused = self._refused(self._push(connection, activation, message, attempts))
                is_done = refused is None and (was_taken or ways.once_more is None or attempts < ways.once_more)
                if refused is None and ways.ends_when_taken:
                    self.stock.free(activation)
                if is_done or refused in ways.gives_up_on:
                    return
                was_taken = refused is None
                self._wait(activation, begun, attempts)
            if ways.crosses_finish and activation.outcome is not None:
                self._closed.wait(0.03)
                self._push(connection, activation, message, attempts)

    def _is_due(self, activation: Activation, message: Mapping[str, Any], attempts: int) -> bool:
        ways = self.ways
        is_last = activation.messages[-1]["text"] == message["text"]
        return (
            not self._closed.is_set()
            and attempts != ways.attempts
            and (activation.outcome in {None, *ways.pushes_after} or (ways.remembers and not attempts))
            and (is_last or attempts == 0 or not ways.keeps_last)
        )

    def _wait(self, activation: Activation, begun: float, attempts: int) -> None:
        """Wait until the next attempt is due, or until FINISH where an attempt is to be under way then."""
        ways = self.ways
        since = time.monotonic() if ways.pauses_after_answer else begun
        pause = self._retry_s * ways.pauses[min(attempts, len(ways.pauses)) - 1]
        over = activation.ended if ways.crosses_finish else self._closed
        over.wait(max(0.0, since + pause - time.monotonic()))

    def _refused(self, answer: tuple[int, bytes, str] | None) -> str | None:
        """Return how a push was refused, None when it was not, or is not to be repeated."""
        if answer is None:
            return "cut"
        status, body, encoding = answer
        try:
            content = json.loads(unpacked(body, encoding if self.ways.unpacks else "") or b"")
        except ValueError:
            content = None
        words = {word for word in content.values() if isinstance(word, str)} if isinstance(content, dict) else set()
        done = status == HTTPStatus.OK if self.hub.takes_200 else "SUCCESS" in words
        if done or (self.ways.stop_words and not words.isdisjoint(self.hub.stop_words)):
            return None
        if status >= HTTPStatus.BAD_REQUEST:
            return "500" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "400"
        if status != HTTPStatus.OK:
            return "201"
        if not body:
            return "empty"
        return "error" if content is not None else "not json"

    def _push(
        self, connection: HTTPConnection, activation: Activation, message: dict[str, Any], attempt: int
    ) -> tuple[int, bytes, str] | None:
        """Return status, body and its encoding of the hub's answer, None when there was none."""
        ways, hub = self.ways, self.hub
        fields = {"action": "PUSH_SMS", "key": activation.key, **message, **hub.push_extras}
        if ways.sms_ids == "each attempt":
            with self._lock:
                self._sms_ids += 1
                fields["smsId"] = hub.sms_id[0](self._sms_ids)
        headers = otherwise(self._push_headers(activation.key), ways.push_headers)
        fields = otherwise(fields, ways.push_fields)
        if attempt > 1:
            fields, headers = otherwise(fields, ways.retry_fields), otherwise(headers, ways.retry_headers)
        body = json.dumps(fields, ensure_ascii=ways.escapes).encode()
        if ways.push_gzip:
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        if ways.push_chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body))
        try:
            connection.putrequest("POST", urlsplit(self._push_url or "").path or "/", skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.lower() if ways.push_headers_lower else name, value.encode())
            connection.endheaders([body] if ways.push_chunked else body, encode_chunked=ways.push_chunked)
            response = connection.getresponse()
            answer = response.status, response.read(), response.getheader("content-encoding") or ""
        except (OSError, HTTPException):
            connection.close()
            return None
        if not ways.push_keep_alive:
            connection.close()
        return answer

    def _push_headers(self, key: str) -> dict[str, str]:
        rules = self.hub.rules
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "supplier/1.0"}
        if "push-accepts-gzip" in rules:
            headers["Accept-Encoding"] = "gzip"
        if "push-bearer" in rules:
            headers["Authorization"] = f"Bearer {key}"
        return headers
