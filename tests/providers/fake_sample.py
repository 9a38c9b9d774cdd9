"""How a gateway sends that does all otherwise (tests/providers/fake.py)."""

from dataclasses import replace
from urllib.parse import urlencode

from simulation.gateways.generic import hex_hmac
from simulation.gateways.sample import Sample, Sent


def _write(provider_id: str, phone: str, text: str, _at: int) -> Sent:
    return Sent("GET", query={"id": provider_id, "to": phone.removeprefix("44"), "from": "Microsoft", "text": text})


def _sign(sent: Sent, secret: str, url: str, _now: int) -> Sent:
    signed = f"{url}?{urlencode(sorted(sent.query.items()))}"
    return replace(sent, headers={**sent.headers, "X-Proof": hex_hmac(secret, signed.encode())})


def _forge(sent: Sent) -> list[Sent]:
    return [
        replace(sent, headers={}),
        replace(sent, headers={"X-Proof": "0" * 64}),
        replace(sent, query={**sent.query, "to": "7472190083"}),
    ]


SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[Sent("GET", query={"type": "receipt"})],
    unreadable=[Sent("GET", query={"id": name}) for name in ("a", "b")],
    acknowledged=(202, "text/xml", "<Response/>"),
    settings={"country_code": "44"},
)
