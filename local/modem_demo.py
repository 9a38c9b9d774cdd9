"""A pool of modems through the public URL, told step by step: it sells, loses SIMs during a sale, and gets them back."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from local.pretend_modems import PretendModems
from local.pretend_partner import PretendPartner
from local.stack import Stack
from local.story import COUNTRY, SHOWN, Story, tell

SIMS = 16
SENDER = "Telegram"
PUSH_DEADLINE = 30.0
ACKNOWLEDGED = {"code": 200, "reason": "OK"}


def play(stack: Stack) -> str:
    """Play the sales of a pool of modems on ``stack``; gives the key of its partner.

    Raises LocalError at the first step that is not as the contract says.
    """
    print(f"\nA pool of {SIMS} SIMs through {stack.api}")
    return tell(_Pool, stack)


@dataclass(frozen=True)
class _Sale:
    number: str
    activation_id: int


class _Pool(Story):
    def __init__(self, stack: Stack, partner: PretendPartner, http: httpx.Client) -> None:
        # One of its own in each run, so that all counts are known.
        super().__init__(stack, partner, http, f"Demo Modems {secrets.token_hex(2)}", "make demo ARGS=modem")
        self._modems = PretendModems(SIMS)
        self._ports: dict[str, str] = {}
        self._source_id = self._address = ""

    def _tell(self) -> None:
        self._open_pool()
        sales = self._sell()
        lost = self._lose(sales)
        self._recover(sales, lost)
        self._title("FINISH_ACTIVATION: both worked", "3 = success: these numbers are used up for this service.")
        for sale in sales:
            self._finish(sale.activation_id)

    def _open_pool(self) -> None:
        why = "One per SIM of the pool. Country and operator are what partners choose from."
        phones = self._import_numbers(SIMS, "... imports the numbers of its SIMs", why)
        self._ports = dict(zip(phones, self._modems.sims, strict=True))
        source = self._open_source(
            {"name": f"{self.operator}: device", "provider": "ejoin"},
            "... opens an inbound source of the device's type",
            "Ejoin signs nothing: the secret stands in the address that is entered at the device.",
        )
        self._source_id, self._address = source["sourceId"], source["address"]
        self._look("Sources: the new one, nothing heard from it yet", "sources", self._source_id)
        self._title("... and maps its lines", "The ICCID of a SIM is its number, whichever port it is plugged in.")
        lines = [{"line": self._modems.sims[port], "phone": phone} for phone, port in self._ports.items()]
        answer = self._admin("PUT", f"/admin/sources/{self._source_id}/lines", lines, 200)
        self._expect(answer.get("lines") == SIMS, f"{SIMS} lines", answer)
        self._wait_for_counts(SIMS, "GET_SERVICES: all of them", "Of their lines nothing is known yet, which sells.")
        self._title("The device reports: every SIM is registered", "It does so every minute, for as long as it runs.")
        self._send(self._modems.report())
        self._until(self._online, {*self._ports}, f"{SIMS} lines online")
        self._look(f"the source's lines: {SIMS} online, since when", "sources", self._source_id)
        self._wait_for_counts(SIMS, "GET_SERVICES: no more than before", "Online sells as unknown did.")

    def _sell(self) -> Sequence[_Sale]:
        """Sell two numbers, one of which gets its SMS at once; gives the sales."""
        sales = []
        for title in ("GET_NUMBER: a partner takes a number", "GET_NUMBER: and another"):
            self._title(title, "It is theirs for 60 minutes; nobody else can get it.")
            sold = self._buy()
            self._expect(sold.get("number") in self._ports, "a number of the pool", sold)
            sales.append(_Sale(sold["number"], sold["activationId"]))
        self._wait_for_counts(SIMS - 2, "GET_SERVICES again: two fewer")
        self._look("the source's lines: until when two are sold", "sources", self._source_id)
        self._deliver(sales[0], "An SMS arrives on the SIM of the first")
        return sales

    def _lose(self, sales: Sequence[_Sale]) -> str:
        """Lose a SIM that is free and one that is sold; gives the number of the free one."""
        first, second = sales
        lost = next(phone for phone in self._ports if phone not in {first.number, second.number})
        self._title("The device loses a SIM that is free", "It reports the port at once: st 0, no SIM.")
        self._lose_sim(lost)
        self._wait_for_counts(SIMS - 3, "GET_SERVICES: one fewer", "What is on sale can be delivered.")
        self._title("GET_NUMBER of that very number", "All others are excluded, so that it is this one or none.")
        self._refuse(lost)
        self._title("The device loses the SIM of the second sale", "The partner has paid for it: its sale runs on.")
        self._lose_sim(second.number)
        self._check_mark(second)
        answer = self._getsms(second.activation_id)
        self._expect(answer == {"status": "WAIT_CODE"}, "WAIT_CODE", answer)
        self._look('the activation: "line went offline during the sale"', "activations", second.activation_id)
        self._wait_for_pool("... and staff see the pool: two offline", free=SIMS - 3, offline=2)
        self._deliver(first, "Meanwhile another SMS arrives on the SIM of the first")
        return lost

    def _recover(self, sales: Sequence[_Sale], lost: str) -> None:
        _, second = sales
        self._title("Both SIMs are back", "The device's next report of all its ports says so.")
        self._modems.recover()
        self._send(self._modems.report())
        self._wait_for_counts(SIMS - 2, "GET_SERVICES: as many as before")
        self._wait_for_pool("... and staff see the pool: none offline", free=SIMS - 2, offline=0)
        self._title("GET_NUMBER of the number that could not be bought", "It sells again.")
        sold = self._buy(excluding=self._others(lost))
        self._expect(sold.get("number") == lost, f"the number {lost}", sold)
        self._deliver(_Sale(lost, sold["activationId"]), "An SMS arrives on it")
        self._finish(sold["activationId"])
        self._deliver(second, "An SMS arrives for the second sale, which was waiting all the time")
        self._check_mark(second)

    # ------------------------------------------------------------ the device

    def _send(self, message: dict[str, Any]) -> None:
        """Have the device send something to the address that it was given."""
        print(f"   POST {self._address[:-8]}...\n        {self._brief(message)[:SHOWN]}")
        answer = self._shown(self.http.post(self._address, json=message), 200)
        self._expect(answer == ACKNOWLEDGED, f"{ACKNOWLEDGED}", answer)

    def _lose_sim(self, phone: str) -> None:
        started = time.monotonic()
        self._send(self._modems.lose(self._ports[phone]))
        path = f"/admin/numbers/{phone}"
        self._until(lambda: self._read(path)["online"], expected=False, what="online false of the number")
        print(f"   {phone} is off sale after {time.monotonic() - started:.1f} s")
        self._look("the number: offline since, and not withdrawn", "numbers", phone)

    def _deliver(self, sale: _Sale, title: str) -> None:
        """Have an SMS arrive on a number, and see that it is pushed and can be read."""
        self._title(title, "The device names the SIM and no number; the partner is pushed to.")
        text = f"Your code: {secrets.randbelow(100_000):05}"
        self._send(self._modems.hand_on(self._ports[sale.number], SENDER, text))
        (push,) = self.partner.wait_for(1, PUSH_DEADLINE, lambda push: push.body["text"] == text)
        print(f"   pushed to {self.partner.url}: {self._brief(push.body)}")
        pushed = (push.body["phone"], push.body["phoneFrom"])
        self._expect(pushed == (sale.number, SENDER), f"a push for {sale.number} from {SENDER}", push.body)
        answer = self._getsms(sale.activation_id)
        texts = [message.get("text") for message in answer.get("messages", [])]
        self._expect(text in texts, f"the SMS {text!r}", answer)

    # ------------------------------------------------------------ what is seen of it

    def _refuse(self, phone: str) -> None:
        answer = self._buy(excluding=self._others(phone))
        self._expect(answer == {"status": "NO_NUMBERS"}, "NO_NUMBERS", answer)

    def _check_mark(self, sale: _Sale) -> None:
        path = f"/admin/activations/{sale.activation_id}"
        shown = self._read(path)
        marked = {name: shown[name] for name in ("state", "lineOfflineAt")}
        print(f"   GET {path}\n   200  {self._brief(marked)}")
        is_marked = marked["state"] == "live" and marked["lineOfflineAt"] is not None
        self._expect(is_marked, "a live activation whose line went offline", marked)

    def _wait_for_pool(self, title: str, **expected: int) -> None:
        self._title(title, "Numbers that are offline are counted by themselves.")

        def seen() -> dict[str, int]:
            return {name: self._pool()[name] for name in expected}

        self._until(seen, expected, f"{expected} in the pool")
        print(f"   GET /admin/pools\n   200  {COUNTRY} / {self.operator}: {self._brief(expected)}")
        self._look("Numbers: the pool's count of what is offline", "numbers")

    def _pool(self) -> dict[str, Any]:
        """The pool as staff see it."""
        cursor = ""
        while True:
            page = self._read(f"/admin/pools{cursor}")
            for pool in page["pools"]:
                if (pool["country"], pool["operator"]) == (COUNTRY, self.operator):
                    return dict(pool)
            self._expect(page["cursor"] is not None, f"a pool {self.operator}", "none")
            cursor = f"?cursor={page['cursor']}"

    def _online(self) -> set[str]:
        """The numbers whose lines are known to be online."""
        lines = self._read(f"/admin/sources/{self._source_id}/lines")["lines"]
        return {line["phone"] for line in lines if line["online"]}

    def _others(self, phone: str) -> list[str]:
        return [other for other in self._ports if other != phone]

    def _look(self, what: str, *place: object) -> None:
        print(f"   In the console, {what}: {self.stack.api}/console/#/{'/'.join(map(str, place))}")
