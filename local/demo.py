"""One whole sale through the public URL, told step by step."""

import hashlib
import hmac
import itertools
import json
import secrets
import time
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


def play(stack: Stack) -> str:
    """Play one sale on ``stack``; gives the key of its partner.

    Raises LocalError at the first step that is not as the contract says.
    """
    with (
        PretendPartner(SCRIPT) as partner,
        # No proxy settings of the user's: everything here is on this machine.
        httpx.Client(base_url=stack.api, timeout=CALL_SECONDS, trust_env=False) as http,
    ):
        sale = _Sale(stack, partner, http)
        try:
            return sale.play()
        except KeyError as missing:
            raise sale.failure(f"an answer has no {missing}") from missing
        except TimeoutError as error:
            raise sale.failure(str(error)) from error


@dataclass
class _Sale:
    stack: Stack
    partner: PretendPartner
    http: httpx.Client
    step: int = 0
    key: str = "not issued yet"

    def play(self) -> str:
        print(f"\nOne sale through {self.stack.api}")
        self._title("Staff issue a key to a partner", "The key is shown this once; the Push URL is the partner's.")
        made = self._admin("POST", "/admin/partners", {"name": "Demo partner", "pushUrl": self.partner.url}, 201)
        self.key = made["key"]
        source_url, secret, free = self._stock()
        self._sell(source_url, secret, free)
        self._title("The demo's partner goes home", "Without a Push URL the key goes on working, by polling.")
        self._admin("PATCH", f"/admin/partners/{made['partnerId']}", {"pushUrl": None}, 200)
        return self.key

    def _stock(self) -> tuple[str, str, int]:
        """Have something on sale; gives a source's URL and secret, and how many numbers are free."""
        self._title("... puts a service on sale", "Partners may buy numbers for what the catalogue lists.")
        self._admin("PUT", f"/admin/services/{SERVICE}", {"name": "Telegram"}, 200)
        before = self._free()
        self._title("... imports numbers", "Country and operator are the pool that partners choose from.")
        # New ones in each run, so that what earlier runs used up does not matter.
        phones = [f"447{secrets.randbelow(1_000_000_000):09}" for _ in range(NUMBERS)]
        numbers = [{"phone": phone, "country": COUNTRY, "operator": OPERATOR} for phone in phones]
        answer = self._admin("POST", "/admin/numbers", numbers, 200)
        self._expect(answer.get("imported") == NUMBERS and not answer.get("rejected"), "all numbers imported", answer)
        self._title("... and opens an inbound source", "An SMS gateway posts to its URL and signs with its secret.")
        source = self._admin("POST", "/admin/sources", {"name": "Demo gateway", "provider": "generic"}, 201)
        wanted = f"{self.stack.api}/inbound/{source['sourceId']}"
        self._expect(source["url"] == wanted, f"the url {wanted}", source)
        free = self._wait_for_counts(before + NUMBERS, "GET_SERVICES: what is on sale")
        return wanted, source["secret"], free

    def _sell(self, source_url: str, secret: str, free: int) -> None:
        self._title("GET_NUMBER: the partner takes one", "It is theirs for 60 minutes; nobody else can get it.")
        sold = self._call(action="GET_NUMBER", country=COUNTRY, operator=OPERATOR, service=SERVICE)
        self._expect(sold.get("status") == "SUCCESS", "a number", sold)
        number, activation_id = sold["number"], sold["activationId"]
        self._title("getsms: nothing has come yet", "For partners who rather ask than be told.")
        answer = self._getsms(activation_id)
        self._expect(answer == {"status": "WAIT_CODE"}, "WAIT_CODE", answer)
        self._wait_for_counts(free - 1, "GET_SERVICES again: one fewer")
        self._title(
            "An SMS arrives at the gateway, which hands it on",
            "Signed, so that nobody else can; the demo's partner fails twice, and we try again every 10 s.",
        )
        sms_id = self._check_pushes(self._deliver(source_url, secret, number), number)
        self._title("getsms: the same SMS by polling", "It stays readable whether or not it was pushed.")
        answer = self._getsms(activation_id)
        found = [(message.get("smsId"), message.get("text")) for message in answer.get("messages", [])]
        self._expect(found == [(sms_id, TEXT)], f"the SMS {sms_id}", answer)
        self._title("FINISH_ACTIVATION: it worked", "3 = success: this number is used up for this service.")
        answer = self._call(action="FINISH_ACTIVATION", activationId=activation_id, status=SUCCESS_OUTCOME)
        self._expect(answer == {"status": "SUCCESS"}, "SUCCESS", answer)

    def _deliver(self, source_url: str, secret: str, number: str) -> list[Push]:
        """Deliver an SMS; gives the attempts to push it, the last of which the partner took."""
        body = json.dumps({"id": secrets.token_hex(8), "phone": number, "from": "Telegram", "text": TEXT}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        print(f"   POST {source_url}\n        X-Signature: {signature[:16]}...  {body.decode()}")
        started = time.monotonic()
        headers = {"X-Signature": signature, "Content-Type": "application/json"}
        self._shown(self.http.post(source_url, content=body, headers=headers), 200)
        pushes: list[Push] = []
        for attempt, reply in enumerate(SCRIPT, start=1):
            pushes = self.partner.wait_for(attempt, PUSH_DEADLINE)
            if attempt == 1:
                print(f"   pushed to {self.partner.url}: {self._brief(pushes[0].body)}")
            after = pushes[-1].at - started
            print(f"   attempt {attempt} after {after:5.1f} s, answered {describe(reply)}", flush=True)
        return pushes

    def _check_pushes(self, pushes: list[Push], number: str) -> str:
        bodies = [push.body for push in pushes]
        sms_id = str(bodies[0]["smsId"])
        wanted = {
            "key": self.key,
            "action": "PUSH_SMS",
            "smsId": sms_id,
            "phone": number,
            "phoneFrom": "Telegram",
            "text": TEXT,
            "call": 0,
            "voice": 0,
        }
        self._expect(sms_id.isdigit(), "a smsId of digits", bodies[0])
        self._expect(bodies == [wanted] * len(SCRIPT), f"the push {wanted}", bodies)
        pauses = [later.at - earlier.at for earlier, later in itertools.pairwise(pushes)]
        in_time = all(abs(pause - RETRY_SECONDS) <= RETRY_TOLERANCE for pause in pauses)
        self._expect(in_time, f"{RETRY_SECONDS:g} s between attempts", [f"{pause:.1f} s" for pause in pauses])
        return sms_id

    # ------------------------------------------------------------ calling, telling and checking

    def _free(self) -> int:
        """Numbers free for the demo's service, 0 when its pool is not listed."""
        answer = self.http.post("/SMSBOWER", json={"action": "GET_SERVICES", "key": self.key})
        pools = {country["country"]: country["operatorMap"] for country in self._content(answer, 200)["countryList"]}
        return int(pools.get(COUNTRY, {}).get(OPERATOR, {}).get(SERVICE, 0))

    def _wait_for_counts(self, expected: int, title: str) -> int:
        self._title(title, "Counts follow the numbers within two seconds.")
        print(f"   POST /SMSBOWER  {self._brief({'action': 'GET_SERVICES', 'key': self.key})}")
        deadline = time.monotonic() + COUNTS_DEADLINE
        while (free := self._free()) != expected:
            in_time = time.monotonic() <= deadline
            self._expect(in_time, f"{expected} numbers free within {COUNTS_DEADLINE:g} s", free)
            time.sleep(POLL_SECONDS)
        print(f"   200  {COUNTRY} / {OPERATOR}: {SERVICE} {free}")
        return free

    def _getsms(self, activation_id: int) -> dict[str, Any]:
        print(f"   GET /SMSBOWER/getsms/?apiKey={self.key[:8]}...&id={activation_id}")
        return self._shown(
            self.http.get("/SMSBOWER/getsms/", params={"apiKey": self.key, "id": str(activation_id)}), 200
        )

    def _call(self, **request: object) -> dict[str, Any]:
        request = {"key": self.key, **request}
        print(f"   POST /SMSBOWER  {self._brief(request)}")
        return self._shown(self.http.post("/SMSBOWER", json=request), 200)

    def _admin(self, method: str, path: str, body: object, status: int) -> dict[str, Any]:
        print(f"   {method} {path}  {self._brief(body)}")
        headers = {"Authorization": self.stack.admin_token}
        return self._shown(self.http.request(method, path, json=body, headers=headers), status)

    def _shown(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        print(f"   {answer.status_code}  {answer.text[:300]}")
        return self._content(answer, status)

    def _content(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        self._expect(answer.status_code == status, f"HTTP {status}", f"HTTP {answer.status_code} {answer.text[:300]}")
        self._expect(answer.text.startswith("{"), "a JSON object", answer.text[:300])
        return dict(answer.json())

    def _expect(self, holds: bool, expected: str, got: object) -> None:  # noqa: FBT001 - reads as an assertion
        if not holds:
            raise self.failure(f"expected {expected}, got {got}")

    def failure(self, what: str) -> LocalError:
        how = "What the functions said is at the end of emulator.log; `make demo` plays it again."
        return LocalError(f"Step {self.step} of the demo failed: {what}.", how=how)

    def _title(self, title: str, why: str) -> None:
        self.step += 1
        print(f"\n{self.step:2}. {title}\n   {why}", flush=True)

    def _brief(self, body: object) -> str:
        """``body`` as JSON, without most of the key."""
        return json.dumps(body).replace(self.key, f"{self.key[:8]}...")
