"""A pool of modems at a deployed stack, whose device reports its lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.contract.market import Market, until

ONLINE, OFFLINE = 3, 0
DEVICE = "00-30-f1-00-00-01"


@dataclass(frozen=True, slots=True)
class Modems:
    """A source of that kind; its lines are ports."""

    market: Market
    source_id: str
    address: str

    @classmethod
    def added(cls, market: Market, lines: Mapping[str, str], name: str = "Pool of modems") -> "Modems":
        """Enter a source whose lines are these numbers, by port."""
        made = market.made("POST", "/admin/sources", {"name": name, "provider": "ejoin", "settings": {}})
        rows = [{"line": line, "phone": phone} for line, phone in lines.items()]
        market.made("PUT", f"/admin/sources/{made['sourceId']}/lines", rows)
        return cls(market, made["sourceId"], made["address"])

    def report(self, states: Mapping[str, int], sims: Mapping[str, str] | None = None, device: str = DEVICE) -> None:
        """Have a device report the state of its ports, and which SIMs are in them."""
        status = [{"port": port, "st": state, "iccid": (sims or {}).get(port, "")} for port, state in states.items()]
        told = {"type": "dev-status", "seq": 1, "expires": 600, "mac": device, "status": status}
        assert self.market.http.post(self.address, json=told).json() == {"code": 200, "reason": "OK"}


def taken_off_sale(market: Market, phone: str) -> dict[str, Any]:
    """Wait until a number is offline; return it."""
    return until(lambda: market.made("GET", f"/admin/numbers/{phone}"), lambda number: number["offline"] is not None)
