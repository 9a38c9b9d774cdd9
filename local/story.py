"""What demos are made of: a partner and staff who call the public URL, tell what they do, and stop where it goes wrong."""

import json
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from local.failure import LocalError
from local.pretend_partner import Answer, PretendPartner
from local.stack import Stack

COUNTRY = "england"
SERVICE = "tg"
COUNTS_DEADLINE = 30.0
# The first call of a function waits for its start, on a slow machine for long.
CALL_SECONDS = 60.0
POLL_SECONDS = 0.5
SUCCESS_OUTCOME = 3
# Of a request and an answer the beginning is enough to see.
SHOWN = 300


def tell(story: "Callable[[Stack, PretendPartner, httpx.Client], Story]", stack: Stack, *script: Answer) -> str:
    """Play a story on ``stack``, whose partner answers pushes by ``script``; gives that partner's key.

    Raises LocalError at the first step that is not as the contract says.
    """
    with (
        PretendPartner(script) as partner,
        # No proxy settings of the user's: everything here is on this machine.
        httpx.Client(base_url=stack.api, timeout=CALL_SECONDS, trust_env=False) as http,
    ):
        told = story(stack, partner, http)
        try:
            return told.play()
        except KeyError as missing:
            raise told.failure(f"an answer has no {missing}") from missing
        except TimeoutError as error:
            raise told.failure(str(error)) from error


@dataclass
class Story(ABC):
    """A story about a pool of COUNTRY and ``operator``, of which SERVICE is sold."""

    stack: Stack
    partner: PretendPartner
    http: httpx.Client
    operator: str
    command: str
    step: int = 0
    key: str = "not issued yet"

    def play(self) -> str:
        """Play it from its first step to its last; gives the key of its partner."""
        self._title("Staff issue a key to a partner", "The key is shown this once; the Push URL is the partner's.")
        made = self._admin("POST", "/admin/partners", {"name": "Demo partner", "pushUrl": self.partner.url}, 201)
        self.key = made["key"]
        self._title("... puts a service on sale", "Partners may buy numbers for what the catalogue lists.")
        self._admin("PUT", f"/admin/services/{SERVICE}", {"name": "Telegram"}, 200)
        self._tell()
        self._title("The demo's partner goes home", "Without a Push URL the key goes on working, by polling.")
        self._admin("PATCH", f"/admin/partners/{made['partnerId']}", {"pushUrl": None}, 200)
        return self.key

    @abstractmethod
    def _tell(self) -> None:
        """Take the steps that are this story's own."""

    # ------------------------------------------------------------ what happens in each

    def _import_numbers(self, count: int, title: str, why: str) -> list[str]:
        """Import numbers into the pool, new ones in each run, so that what earlier runs used up does not matter."""
        self._title(title, why)
        phones = [f"447{secrets.randbelow(1_000_000_000):09}" for _ in range(count)]
        numbers = [{"phone": phone, "country": COUNTRY, "operator": self.operator} for phone in phones]
        answer = self._admin("POST", "/admin/numbers", numbers, 200)
        self._expect(answer.get("imported") == count and not answer.get("rejected"), "all numbers imported", answer)
        return phones

    def _open_source(self, body: Mapping[str, object], title: str, why: str) -> dict[str, Any]:
        self._title(title, why)
        source = self._admin("POST", "/admin/sources", body, 201)
        wanted = f"{self.stack.api}/inbound/{source['sourceId']}"
        self._expect(source["url"] == wanted, f"the url {wanted}", source)
        return source

    def _free(self) -> int:
        """Numbers free for the demo's service, 0 when its pool is not listed."""
        answer = self.http.post("/SMSBOWER", json={"action": "GET_SERVICES", "key": self.key})
        pools = {country["country"]: country["operatorMap"] for country in self._content(answer, 200)["countryList"]}
        return int(pools.get(COUNTRY, {}).get(self.operator, {}).get(SERVICE, 0))

    def _wait_for_counts(
        self, expected: int, title: str, why: str = "Counts follow the numbers within two seconds."
    ) -> int:
        self._title(title, why)
        print(f"   POST /SMSBOWER  {self._brief({'action': 'GET_SERVICES', 'key': self.key})}")
        self._until(self._free, expected, f"{expected} numbers free")
        print(f"   200  {COUNTRY} / {self.operator}: {SERVICE} {expected}")
        return expected

    def _until[T](self, look: Callable[[], T], expected: T, what: str) -> None:
        """Look again and again until what is seen is as expected; ``what`` says that in words."""
        deadline = time.monotonic() + COUNTS_DEADLINE
        while (seen := look()) != expected:
            in_time = time.monotonic() <= deadline
            self._expect(in_time, f"{what} within {COUNTS_DEADLINE:g} s", seen)
            time.sleep(POLL_SECONDS)

    def _buy(self, *, excluding: Sequence[str] = ()) -> dict[str, Any]:
        """Ask for a number of the pool."""
        wanted = {"country": COUNTRY, "operator": self.operator, "service": SERVICE}
        return self._call(action="GET_NUMBER", **wanted, **({"exceptionPhoneSet": excluding} if excluding else {}))

    def _finish(self, activation_id: int) -> None:
        answer = self._call(action="FINISH_ACTIVATION", activationId=activation_id, status=SUCCESS_OUTCOME)
        self._expect(answer == {"status": "SUCCESS"}, "SUCCESS", answer)

    # ------------------------------------------------------------ calling, telling and checking

    def _getsms(self, activation_id: int) -> dict[str, Any]:
        print(f"   GET /SMSBOWER/getsms/?apiKey={self.key[:8]}...&id={activation_id}")
        return self._shown(
            self.http.get("/SMSBOWER/getsms/", params={"apiKey": self.key, "id": str(activation_id)}), 200
        )

    def _call(self, **request: object) -> dict[str, Any]:
        request = {"key": self.key, **request}
        print(f"   POST /SMSBOWER  {self._brief(request)[:SHOWN]}")
        return self._shown(self.http.post("/SMSBOWER", json=request), 200)

    def _admin(self, method: str, path: str, body: object, status: int) -> dict[str, Any]:
        print(f"   {method} {path}  {self._brief(body)[:SHOWN]}")
        return self._shown(self._asked(method, path, body), status)

    def _read(self, path: str) -> dict[str, Any]:
        """What staff are shown, without telling so."""
        return self._content(self._asked("GET", path, None), 200)

    def _asked(self, method: str, path: str, body: object) -> httpx.Response:
        headers = {"Authorization": self.stack.admin_token}
        return self.http.request(method, path, json=body, headers=headers)

    def _shown(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        print(f"   {answer.status_code}  {answer.text[:SHOWN]}")
        return self._content(answer, status)

    def _content(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        self._expect(answer.status_code == status, f"HTTP {status}", f"HTTP {answer.status_code} {answer.text[:SHOWN]}")
        self._expect(answer.text.startswith("{"), "a JSON object", answer.text[:SHOWN])
        return dict(answer.json())

    def _expect(self, holds: bool, expected: str, got: object) -> None:  # noqa: FBT001 - reads as an assertion
        if not holds:
            raise self.failure(f"expected {expected}, got {got}")

    def failure(self, what: str) -> LocalError:
        """The end of a story that is not as the contract says."""
        how = f"What the functions said is at the end of emulator.log; `{self.command}` plays it again."
        return LocalError(f"Step {self.step} of the demo failed: {what}.", how=how)

    def _title(self, title: str, why: str) -> None:
        self.step += 1
        print(f"\n{self.step:2}. {title}\n   {why}", flush=True)

    def _brief(self, body: object) -> str:
        """``body`` as JSON, without most of the key."""
        return json.dumps(body).replace(self.key, f"{self.key[:8]}...")
