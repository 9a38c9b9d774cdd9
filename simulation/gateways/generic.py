"""How our own plain form is sent (contract 4)."""

import hashlib
import hmac
import json
from dataclasses import replace

from simulation.gateways.sample import Sample, Sent


def hex_hmac(secret: str, content: bytes) -> str:
    """Return a signature as `generic` has it."""
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def _write(provider_id: str, phone: str, text: str, _at: int) -> Sent:
    fields = {"id": provider_id, "phone": phone, "from": "Microsoft", "text": text}
    return Sent("POST", body=json.dumps(fields).encode())


def _sign(sent: Sent, secret: str, _url: str, _now: int) -> Sent:
    return replace(sent, headers={**sent.headers, "X-Signature": hex_hmac(secret, sent.body)})


def _forge(sent: Sent) -> list[Sent]:
    signatures = ("", "00", "0" * 64, sent.headers["X-Signature"][:-1], "\N{DIGIT ZERO}é")
    return [
        replace(sent, headers={}),
        replace(sent, body=sent.body + b" "),
        *(replace(sent, headers={"X-Signature": signature}) for signature in signatures),
    ]


SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[Sent("POST", body=b"[]")],
    unreadable=[Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"17", b'{"phone":"447472190082"}')],
    acknowledged=(200, "application/json; charset=utf-8", '{"status":"SUCCESS"}'),
)
