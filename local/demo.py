"""One whole sale through the public URL, told step by step."""

import hashlib
import hmac
import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from local.failure import LocalError
from local.pretend_partner import BROKEN, ERROR, SUCCESS, PretendPartner, Push, describe
from local.stack import Stack

COUNTRY = "england"
OPERATOR = "Demo Mobile"
SERVICE = "tg"
NUMBERS = 3
TEXT = "Your code: 50151"
# The first two attempts fail, so that the sale shows what a partner's bad minute looks like.
SCRIPT = (ERROR, BROKEN, SUCCESS)
RETRY_SECONDS, RETRY_TOLERANCE = 10.0, 1.0
PUSH_DEADLINE = 45.0
COUNTS_DEADLINE = 30.0
# The first call of a function waits for its start, on a slow machine for long.
CALL_SECONDS = 60.0
POLL_SECONDS = 0.5
SUCCESS_OUTCOME = 3


@dataclass(frozen=True)
class Played:
    """What a finished demo leaves behind for the person who ran it."""

    partner_id: str
    key: str


def play(stack: Stack) -> Played:
    """Play one sale on ``stack``; raises LocalError at the first step that is not as the contract says."""
    with (
        PretendPartner(SCRIPT) as partner,
        # No proxy settings of the user's: everything here is on this machine.
        httpx.Client(base_url=stack.api, timeout=CALL_SECONDS, trust_env=False) as http,
    ):
        return _Sale(stack, partner, http).play()


class _Sale:
    def __init__(self, stack: Stack, partner: PretendPartner, http: httpx.Client) -> None:
        self._stack = stack
        self._partner = partner
        self._http = http
        self._step = 0
        self._key = ""

    def play(self) -> Played:
        print(f"\nOne sale through {self._stack.api}")
        partner_id = self._issue_key()
        self._offer_service()
        before = self._free()
        self._import_numbers()
        source_url, secret = self._open_source()
        free = self._wait_for_counts(before + NUMBERS, "GET_SERVICES: what is on sale")
        number, activation_id = self._get_number()
        self._expect_nothing_yet(activation_id)
        self._wait_for_counts(free - 1, "GET_SERVICES again: one fewer")
        sms_id = self._deliver_sms(source_url, secret, number)
        self._expect_sms(activation_id, sms_id)
        self._finish(activation_id)
        self._take_push_url_away(partner_id)
        return Played(partner_id, self._key)

    # ------------------------------------------------------------ what staff do

    def _issue_key(self) -> str:
        self._title("Staff issue a key to a partner", "The key is shown this once; the Push URL is the partner's.")
        made = self._admin("POST", "/admin/partners", {"name": "Demo partner", "pushUrl": self._partner.url}, 201)
        self._key = self._text(made, "key")
        return self._text(made, "partnerId")

    def _offer_service(self) -> None:
        self._title("... puts a service on sale", "Partners may buy numbers for what the catalogue lists.")
        self._admin("PUT", f"/admin/services/{SERVICE}", {"name": "Telegram"}, 200)

    def _import_numbers(self) -> None:
        self._title("... imports numbers", "Country and operator are the pool that partners choose from.")
        numbers = [{"phone": _new_phone(), "country": COUNTRY, "operator": OPERATOR} for _ in range(NUMBERS)]
        answer = self._admin("POST", "/admin/numbers", numbers, 200)
        self._expect(answer.get("imported") == NUMBERS and not answer.get("rejected"), "all numbers imported", answer)

    def _open_source(self) -> tuple[str, str]:
        self._title("... and opens an inbound source", "An SMS gateway posts to its URL and signs with its secret.")
        made = self._admin("POST", "/admin/sources", {"name": "Demo gateway", "provider": "generic"}, 201)
        url = self._text(made, "url")
        wanted = f"{self._stack.api}/inbound/{self._text(made, 'sourceId')}"
        self._expect(url == wanted, f"the url {wanted}", made)
        return url, self._text(made, "secret")

    def _take_push_url_away(self, partner_id: str) -> None:
        self._title("The demo's partner goes home", "Without a Push URL the key goes on working, by polling.")
        self._admin("PATCH", f"/admin/partners/{partner_id}", {"pushUrl": None}, 200)

    # ------------------------------------------------------------ what the partner does

    def _free(self) -> int:
        """Numbers free for the demo's service, 0 when its pool is not listed."""
        answer = self._http.post("/SMSBOWER", json={"action": "GET_SERVICES", "key": self._key})
        content = self._content(answer, 200)
        pools = {country["country"]: country["operatorMap"] for country in content.get("countryList", [])}
        return int(pools.get(COUNTRY, {}).get(OPERATOR, {}).get(SERVICE, 0))

    def _wait_for_counts(self, expected: int, title: str) -> int:
        self._title(title, "Counts follow the numbers within two seconds.")
        print(f"   POST /SMSBOWER  {self._shown({'action': 'GET_SERVICES', 'key': self._key})}")
        free = self._poll(self._free, lambda count: count == expected, f"{expected} numbers free")
        print(f"   200  {COUNTRY} / {OPERATOR}: {SERVICE} {free}")
        return free

    def _get_number(self) -> tuple[str, int]:
        self._title("GET_NUMBER: the partner takes one", "It is theirs for 60 minutes; nobody else can get it.")
        request = {"action": "GET_NUMBER", "country": COUNTRY, "operator": OPERATOR, "service": SERVICE}
        answer = self._partner_call(request)
        activation_id = answer.get("activationId")
        self._expect(answer.get("status") == "SUCCESS" and isinstance(activation_id, int), "a number", answer)
        return self._text(answer, "number"), int(activation_id or 0)

    def _expect_nothing_yet(self, activation_id: int) -> None:
        self._title("getsms: nothing has come yet", "For partners who rather ask than be told.")
        answer = self._getsms(activation_id)
        self._expect(answer == {"status": "WAIT_CODE"}, "WAIT_CODE", answer)

    def _deliver_sms(self, source_url: str, secret: str, number: str) -> str:
        self._title(
            "An SMS arrives at the gateway, which hands it on",
            "Signed, so that nobody else can; the demo's partner fails twice, and we try again every 10 s.",
        )
        body = json.dumps({"id": secrets.token_hex(8), "phone": number, "from": "Telegram", "text": TEXT}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        print(f"   POST {source_url}\n        X-Signature: {signature[:16]}...  {body.decode()}")
        started = time.monotonic()
        headers = {"X-Signature": signature, "Content-Type": "application/json"}
        answer = self._http.post(source_url, content=body, headers=headers)
        self._content(answer, 200, show=True)
        pushes: list[Push] = []
        for attempt, reply in enumerate(SCRIPT, start=1):
            pushes = self._wait_for_pushes(attempt)
            if attempt == 1:
                print(f"   pushed to {self._partner.url}: {self._shown(pushes[0].body)}")
            print(
                f"   attempt {attempt} after {pushes[-1].at - started:5.1f} s, answered {describe(reply)}", flush=True
            )
        return self._check_pushes(pushes, number)

    def _wait_for_pushes(self, count: int) -> list[Push]:
        try:
            return self._partner.wait_for(count, PUSH_DEADLINE)
        except TimeoutError as error:
            raise LocalError(f"Step {self._step} of the demo failed: {error}.", how=self._where_to_look()) from error

    def _check_pushes(self, pushes: list[Push], number: str) -> str:
        first = pushes[0].body
        sms_id = first.get("smsId") if isinstance(first, dict) else None
        wanted = {
            "key": self._key,
            "action": "PUSH_SMS",
            "smsId": sms_id,
            "phone": number,
            "phoneFrom": "Telegram",
            "text": TEXT,
            "call": 0,
            "voice": 0,
        }
        self._expect(isinstance(sms_id, str) and sms_id.isdigit(), "a smsId of digits", first)
        for push in pushes:
            self._expect(push.body == wanted, f"the push {wanted}", push.body)
        for earlier, later in itertools.pairwise(pushes):
            distance = later.at - earlier.at
            in_time = abs(distance - RETRY_SECONDS) <= RETRY_TOLERANCE
            self._expect(in_time, f"{RETRY_SECONDS:g} s between attempts", f"{distance:.1f} s")
        return str(sms_id)

    def _expect_sms(self, activation_id: int, sms_id: str) -> None:
        self._title("getsms: the same SMS by polling", "It stays readable whether or not it was pushed.")
        answer = self._getsms(activation_id)
        found = [(message.get("smsId"), message.get("text")) for message in answer.get("messages", [])]
        self._expect(found == [(sms_id, TEXT)], f"the SMS {sms_id}", answer)

    def _finish(self, activation_id: int) -> None:
        self._title("FINISH_ACTIVATION: it worked", "3 = success: this number is used up for this service.")
        answer = self._partner_call(
            {"action": "FINISH_ACTIVATION", "activationId": activation_id, "status": SUCCESS_OUTCOME}
        )
        self._expect(answer == {"status": "SUCCESS"}, "SUCCESS", answer)

    def _getsms(self, activation_id: int) -> dict[str, Any]:
        print(f"   GET /SMSBOWER/getsms/?apiKey={self._short_key()}&id={activation_id}")
        question = {"apiKey": self._key, "id": str(activation_id)}
        return self._content(self._http.get("/SMSBOWER/getsms/", params=question), 200, show=True)

    def _partner_call(self, request: dict[str, Any]) -> dict[str, Any]:
        request = {"key": self._key, **request}
        print(f"   POST /SMSBOWER  {self._shown(request)}")
        return self._content(self._http.post("/SMSBOWER", json=request), 200, show=True)

    # ------------------------------------------------------------ telling and checking

    def _admin(self, method: str, path: str, body: object, status: int) -> dict[str, Any]:
        print(f"   {method} {path}  {self._shown(body)}")
        headers = {"Authorization": self._stack.admin_token}
        return self._content(self._http.request(method, path, json=body, headers=headers), status, show=True)

    def _content(self, answer: httpx.Response, status: int, *, show: bool = False) -> dict[str, Any]:
        if show:
            print(f"   {answer.status_code}  {answer.text[:300]}")
        self._expect(answer.status_code == status, f"HTTP {status}", f"HTTP {answer.status_code} {answer.text[:300]}")
        try:
            content = answer.json()
        except ValueError:
            content = None
        self._expect(isinstance(content, dict), "a JSON object", answer.text[:300])
        return dict(content or {})

    def _text(self, content: dict[str, Any], name: str) -> str:
        value = content.get(name)
        self._expect(isinstance(value, str) and bool(value), f"a text in {name}", content)
        return str(value)

    def _poll(self, read: Callable[[], int], enough: Callable[[int], bool], expected: str) -> int:
        deadline = time.monotonic() + COUNTS_DEADLINE
        while not enough(value := read()):
            if time.monotonic() > deadline:
                self._expect(False, f"{expected} within {COUNTS_DEADLINE:g} s", value)  # noqa: FBT003
            time.sleep(POLL_SECONDS)
        return value

    def _expect(self, holds: bool, expected: str, got: object) -> None:  # noqa: FBT001 - reads as an assertion
        if not holds:
            raise LocalError(
                f"Step {self._step} of the demo failed: expected {expected}, got {got}.", how=self._where_to_look()
            )

    def _where_to_look(self) -> str:
        return "What the functions said is at the end of emulator.log; `make demo` plays it again."

    def _title(self, title: str, why: str) -> None:
        self._step += 1
        print(f"\n{self._step:2}. {title}\n   {why}", flush=True)

    def _shown(self, body: object) -> str:
        return json.dumps(body).replace(self._key, self._short_key()) if self._key else json.dumps(body)

    def _short_key(self) -> str:
        return f"{self._key[:8]}..."


def _new_phone() -> str:
    # New ones in each run, so that what earlier runs used up does not matter.
    return f"447{secrets.randbelow(1_000_000_000):09}"
