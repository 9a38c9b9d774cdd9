"""What a check sets up on a stack, and takes away again: a partner, a service, numbers and a gateway, all called zz-check."""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from acceptance.cloud import NAME, Cloud, Tokens
from acceptance.pretend_partner import text_until
from local.failure import LocalError

# Of a country that there isn't, the same in each run: what is withdrawn afterwards is restored for the next.
PHONES = tuple(f"9990000{place:04}" for place in range(1, 101))
# As many as are sold at a time.
NEEDED = 63
RETURNED = 5
# A token may be good for no longer than 5 minutes.
_TOKEN_SECONDS = 200.0
# An import of as many numbers is counted sooner.
_SETTLES_SECONDS, _LOOKS = 5.0, 12


class CheckError(LocalError):
    """The check can't go on, or must not begin."""


class UnexpectedAnswer(Exception):
    """The stack answered what it should not. Its text holds the request and the status, never what was sent."""


@dataclass(frozen=True)
class Clock:
    """The time (s since 1970), and waiting."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Trial:
    """A stack under test: who calls it, and with what."""

    cloud: Cloud
    http: httpx.Client
    clock: Clock = field(default_factory=Clock)
    began: float = 0.0
    dead_letters: int = 0
    partner_id: str = ""
    key: str = field(default="", repr=False)
    push_url: str = ""
    _source_url: str = ""
    _secret: str = field(default="", repr=False)
    _tokens: Tokens | None = field(default=None, repr=False)
    _token_ends: float = 0.0
    _bought: list[int] = field(default_factory=list)

    # ------------------------------------------------------------ setting up and taking away

    def live_keys(self) -> Sequence[str]:
        """The names of partners who can buy here, ours aside."""
        return [each["name"] for each in self._partners() if not each["revoked"] and each["name"] != NAME]

    def set_up(self, push_url: str) -> None:
        """Have all that the checks need. What an earlier run may have left is taken away first.

        Raises CheckError when too few of the numbers can be sold.
        """
        self._remove_partners_and_sources()
        self.push_url = push_url
        self.began, self.dead_letters = self.clock.now(), self.cloud.dead_letters()
        self.staff("PUT", f"/admin/services/{NAME}", {"name": NAME, "reusable": True, "enabled": True})
        rows = [{"phone": phone, "country": NAME, "operator": NAME} for phone in PHONES]
        self.staff("POST", "/admin/numbers", rows)
        self.staff("PATCH", "/admin/numbers", {"phones": PHONES, "enabled": True})
        partner = {"name": NAME, "pushUrl": push_url, "services": [NAME], "maxLive": len(PHONES)}
        made = self.staff("POST", "/admin/partners", partner)
        self.partner_id, self.key = made["partnerId"], made["key"]
        source = self.staff("POST", "/admin/sources", {"name": NAME, "provider": "generic"})
        self._source_url, self._secret = source["url"], source["secret"]
        # Warm functions remember what was on sale before.
        self.clock.sleep(float(self.cloud.parameters["CacheSeconds"]))
        free = self.settled_count()
        if free < NEEDED:
            raise CheckError(
                f"{free} of {len(PHONES)} numbers of {NAME} can be sold, and {NEEDED} are needed.",
                how="Numbers of an earlier run rest (RestMinutes), or are held for an hour. Wait, then again.",
            )

    def tidying(self) -> Sequence[tuple[str, Callable[[], object]]]:
        """What revokes, withdraws, switches off and deletes what can be, by what stays without it. May be repeated."""
        return [
            ("activations that are not finished", self.finish_all),
            ("numbers on sale", lambda: self.staff("PATCH", "/admin/numbers", {"phones": PHONES, "enabled": False})),
            ("the service, switched on", self._switch_off),
            ("a partner's key, or a source", self._remove_partners_and_sources),
        ]

    def kept(self) -> Sequence[str]:
        """What can't be taken away."""
        if not self.partner_id:
            return []
        kept = f"{len(PHONES)} numbers, withdrawn; {len(self._bought)} activations until their retention ends"
        return [f"the partner {NAME}, revoked; the service {NAME}, switched off; {kept}; the audit log of all this"]

    # ------------------------------------------------------------ what staff, the partner and the gateway do

    def staff(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call the admin API; return what a success answers. Raises UnexpectedAnswer."""
        headers = {"Authorization": self.tokens.id}
        return _content(self.http.request(method, path, json=body, headers=headers), path)

    @property
    def tokens(self) -> Tokens:
        """The tokens of the member of staff, fresh enough."""
        if self._tokens is None or self.clock.now() > self._token_ends:
            self._tokens, self._token_ends = self.cloud.sign_in(), self.clock.now() + _TOKEN_SECONDS
        return self._tokens

    def call(self, action: str, **fields: object) -> dict[str, Any]:
        """Call the partner API; return what a success answers. Raises UnexpectedAnswer."""
        return _content(self.http.post("/SMSBOWER", json={"key": self.key, "action": action, **fields}), action)

    def buy(self) -> tuple[int, str]:
        """Take a number; return its activation and itself. Raises UnexpectedAnswer, also where there is none."""
        bought = self.call("GET_NUMBER", country=NAME, operator=NAME, service=NAME)
        if bought["status"] != "SUCCESS":
            raise UnexpectedAnswer(f"GET_NUMBER: {bought['status']}")
        self._bought.append(bought["activationId"])
        return bought["activationId"], bought["number"]

    def finish_all(self) -> None:
        """Return what was bought, so that the next run finds it; what is finished stays so."""
        for activation_id in self._bought:
            self.call("FINISH_ACTIVATION", activationId=activation_id, status=RETURNED)

    def count(self) -> int:
        """How many numbers GET_SERVICES says there are."""
        listed = self.call("GET_SERVICES")["countryList"]
        pools = {country["country"]: country["operatorMap"] for country in listed}
        return int(pools.get(NAME, {}).get(NAME, {}).get(NAME, 0))

    def settled_count(self) -> int:
        """How many GET_SERVICES says there are, once that has been the same for 5 s."""
        count = self.count()
        for _ in range(_LOOKS):
            self.clock.sleep(_SETTLES_SECONDS)
            before, count = count, self.count()
            if before == count:
                break
        return count

    def deliver(self, phone: str, taken_from: float, padding: str = "") -> float:
        """Have an SMS come in, which the partner takes from that time on; return when it was sent."""
        sms = {"id": secrets.token_hex(8), "phone": phone, "from": NAME, "text": padding + text_until(taken_from)}
        body = json.dumps(sms).encode()
        signature = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        sent = self.clock.now()
        _content(self.http.post(self._source_url, content=body, headers={"X-Signature": signature}), "POST /inbound")
        return sent

    def messages(self, activation_id: int) -> Sequence[Mapping[str, Any]]:
        """The SMS of an activation with their push attempts, the first and the last 20."""
        found: Sequence[Mapping[str, Any]] = self.staff("GET", f"/admin/activations/{activation_id}?texts=shown")[
            "messages"
        ]
        return found

    def until[T](self, look: Callable[[], T], good: Callable[[T], bool], seconds: float, every: float = 0.1) -> T:
        """Look again and again until what is seen is good, or the time is over; return what was seen last."""
        deadline = self.clock.now() + seconds
        while not good(seen := look()) and self.clock.now() < deadline:
            self.clock.sleep(every)
        return seen

    def _partners(self) -> Iterator[Mapping[str, Any]]:
        yield from self._listed("/admin/partners", "partners")

    def _listed(self, path: str, name: str) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = ""
        while cursor is not None:
            after = f"{'&' if '?' in path else '?'}cursor={quote(cursor)}" if cursor else ""
            page = self.staff("GET", path + after)
            yield from page[name]
            cursor = page.get("cursor")

    def _finish_for(self, partner_id: str) -> None:
        """Return what a run that was killed has bought; nobody has its key any more, so it gets another."""
        self.key = self.staff("POST", f"/admin/partners/{partner_id}/rotate-key")["key"]
        live = list(self._listed(f"/admin/activations?partnerId={partner_id}&state=live", "activations"))
        self._bought += [sold["activationId"] for sold in live]
        self.finish_all()
        self._bought.clear()

    def _switch_off(self) -> None:
        self.staff("PUT", f"/admin/services/{NAME}", {"name": NAME, "reusable": True, "enabled": False})

    def _remove_partners_and_sources(self) -> None:
        for partner in self._partners():
            if partner["name"] == NAME and not partner["revoked"]:
                if partner["partnerId"] != self.partner_id:
                    self._finish_for(partner["partnerId"])
                self.staff("DELETE", f"/admin/partners/{partner['partnerId']}")
        for source in self._listed("/admin/sources", "sources"):
            if source["name"] == NAME:
                self.staff("DELETE", f"/admin/sources/{source['sourceId']}")


def _content(answer: httpx.Response, what: str) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not answer.is_success or not isinstance(content, dict):
        said = content.get("message") if isinstance(content, dict) else "no JSON object"
        raise UnexpectedAnswer(f"{what}: HTTP {answer.status_code}, {said}")
    return content
