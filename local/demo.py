"""One whole sale through the public URL, told step by step."""

import hashlib
import hmac
import itertools
import json
import secrets
import time

import httpx

from local.pretend_partner import BROKEN, ERROR, SUCCESS, PretendPartner, Push, describe
from local.stack import Stack
from local.story import Story, tell

OPERATOR = "Demo Mobile"
NUMBERS = 3
TEXT = "Your code: 50151"
# The first two attempts fail, so that the sale shows what a partner's bad minute looks like.
SCRIPT = (ERROR, BROKEN, SUCCESS)
RETRY_SECONDS, RETRY_TOLERANCE = 10.0, 1.0
PUSH_DEADLINE = 45.0


def play(stack: Stack) -> str:
    """Play one sale on ``stack``; gives the key of its partner.

    Raises LocalError at the first step that is not as the contract says.
    """
    print(f"\nOne sale through {stack.api}")
    return tell(_Sale, stack, *SCRIPT)


class _Sale(Story):
    def __init__(self, stack: Stack, partner: PretendPartner, http: httpx.Client) -> None:
        super().__init__(stack, partner, http, OPERATOR, "make demo")

    def _tell(self) -> None:
        before = self._free()
        why = "Country and operator are the pool that partners choose from."
        self._import_numbers(NUMBERS, "... imports numbers", why)
        source = self._open_source(
            {"name": "Demo gateway", "provider": "generic"},
            "... and opens an inbound source",
            "An SMS gateway posts to its URL and signs with its secret.",
        )
        free = self._wait_for_counts(before + NUMBERS, "GET_SERVICES: what is on sale")
        self._sell(source["url"], source["secret"], free)

    def _sell(self, source_url: str, secret: str, free: int) -> None:
        self._title("GET_NUMBER: the partner takes one", "It is theirs for 60 minutes; nobody else can get it.")
        sold = self._buy()
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
        self._finish(activation_id)

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
