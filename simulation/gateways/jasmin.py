"""How Jasmin sends: deliverSmThrower of jasmin/routing/throwers.py."""

from dataclasses import replace
from urllib.parse import quote, urlencode

from simulation.gateways.sample import Sample, Sent


def form(**fields: str | bytes) -> Sent:
    """Return a form of Jasmin; what octets are in it are not UTF-8."""
    named = {name.replace("_", "-") if name == "origin_connector" else name: value for name, value in fields.items()}
    return Sent("POST", headers={"Content-Type": "application/x-www-form-urlencoded"}, body=urlencode(named).encode())


def sms(phone: str, octets: bytes, coding: bytes | str = b"\x08", **fields: str | bytes) -> Sent:
    """Return a form that holds an SMS of octets in a data coding."""
    basic: dict[str, str | bytes] = {"id": "3c9e", "from": "Google", "to": f"+{phone}", "origin_connector": "mno1"}
    others: dict[str, str | bytes] = {
        "priority": "1",
        "coding": coding,
        "binary": octets.hex(),
        "content": octets,
    }
    return form(**basic | others | fields)


def _write(provider_id: str, phone: str, text: str, _at: int) -> Sent:
    return sms(phone, text.encode("utf-16-be"), id=provider_id)


def sign(sent: Sent, secret: str, _url: str = "", _now: int = 0) -> Sent:
    """Return a request whose URL ends in the secret."""
    return replace(sent, path=f"/{quote(secret, safe='')}")


def forge(sent: Sent) -> list[Sent]:
    """Return requests that know the secret less than the signed one does."""
    return [replace(sent, path=path) for path in ("", "/0", sent.path[:-1], f"{sent.path}0", "/%00", "/é")] + [
        replace(sent, path="", headers={**sent.headers, "Authorization": sent.path[1:]})
    ]


SAMPLE = Sample(
    write=_write,
    sign=sign,
    forge=forge,
    nothing=[Sent("GET"), form(id="3c9e", message_status="DELIVRD", level="1", connector="mno1")],
    unreadable=[form(id="1"), sms("", b"", to="Shop", origin_connector=""), sms("447472190082", b"", coding="10x")],
    acknowledged=(200, "text/plain", "ACK/Jasmin"),
)
