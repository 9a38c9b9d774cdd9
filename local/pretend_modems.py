"""A pool of modems for trying out lines: an Ejoin device, which says how its SIMs are and hands on their SMS.

It writes what the vendor's "HTTP API" 2.x says, by digests of that and by programs that take it.
"""

import base64
import itertools
import secrets
import time
from datetime import UTC, datetime
from typing import Any

MAC = "00-30-f1-00-00-01"
# What it says of a port: registered at an operator, or without a SIM.
REGISTERED, NO_SIM = 3, 0


def block(
    text: str, sender: str = "Google", port: str = "5.01", phone: str = "", stated: str = "260301152007+12"
) -> str:
    """Return a text with what a device writes before it."""
    return f'Sender: {sender}\r\nReceiver: "{port}" {phone}\r\nSMSC: 447000000000\r\nSCTS: {stated}\r\n\r\n{text}'


def row(  # noqa: PLR0913, PLR0917 - its columns
    content: str, stated: object, port: object = "5.01", phone: object = "", sim: object = None, sender: str = "Google"
) -> list[object]:
    """Return an SMS of `recv-sms`; `stated` are seconds since 1970."""
    sims = [] if sim is None else [sim, "234100000000012"]
    return [0, port, stated, sender, phone, base64.b64encode(content.encode()).decode(), *sims]


def recv_sms(*rows: object) -> dict[str, object]:
    """Return a `recv-sms`."""
    return {"type": "recv-sms", "sms_num": len(rows), "sms": rows}


def state(port: str, st: object, **fields: object) -> dict[str, object]:
    """Return what a device says of a port."""
    known = {"port": port, "sim": "447472190082", "seq": 12, "st": st, "sn": "447472190082"}
    card = {"iccid": "8944100000000000012", "imsi": "234100000000012", "imei": "865847053403202"}
    return (
        known
        | card
        | {"active": 1, "inserted": 1, "slot_active": 1, "opr": "23410 O2", "sig": 23, "bal": "0.00"}
        | fields
    )


def dev_status(*states: object, **fields: object) -> dict[str, object]:
    """Return the states of all ports."""
    head = {"type": "dev-status", "seq": 4, "expires": 180, "mac": MAC, "ip": "192.168.1.67", "max-ports": 32}
    return head | fields | {"status": states}


def port_status(entry: dict[str, object]) -> dict[str, object]:
    """Return the state of a port, as it is sent when it changes."""
    return {"type": "port-status", "mac": MAC} | entry


class PretendModems:
    """A device with one SIM per port. `sims` are their ICCIDs by port, all in their places at first."""

    def __init__(self, ports: int) -> None:
        serial = secrets.randbelow(10**12)
        self.sims = {f"{port}.01": f"8944{serial:012}{port:03}" for port in range(1, ports + 1)}
        self._lost: set[str] = set()
        self._seq = itertools.count(1)

    def lose(self, port: str) -> dict[str, Any]:
        """Lose the SIM of a port; returns what the device sends at once."""
        self._lost.add(port)
        return port_status(self._state(port))

    def recover(self) -> None:
        """Have every SIM again; the device says so in its next `report`."""
        self._lost.clear()

    def report(self) -> dict[str, Any]:
        """Return what the device sends every minute: the states of all ports."""
        fields = {"seq": next(self._seq), "max-ports": len(self.sims)}
        return dev_status(*map(self._state, self.sims), **fields)

    def hand_on(self, port: str, sender: str, text: str) -> dict[str, Any]:
        """Return what the device sends when an SMS arrives on the SIM of a port: whose number that is it doesn't know."""
        at = datetime.now(UTC)
        content = block(text, sender, port, stated=f"{at:%y%m%d%H%M%S}+00")
        return recv_sms(row(content, int(time.time()), port, sim=self.sims[port], sender=sender))

    def _state(self, port: str) -> dict[str, object]:
        if port in self._lost:
            return state(port, NO_SIM, iccid="", imsi="", sim="", sn="", inserted=0, opr="", sig=0)
        return state(port, REGISTERED, iccid=self.sims[port], sim="", sn="")
