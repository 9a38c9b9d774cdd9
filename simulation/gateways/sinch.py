"""How the SMS REST API of Sinch calls back (its documents and its Python SDK)."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

from globalconnect.domain.times import SECOND, to_iso
from simulation.aws import START
from simulation.gateways.sample import Sample, Sent, iso

SIGNATURE = "x-sinch-webhook-signature"


def callback(kind: str = "mo_text", **fields: object) -> Sent:
    """Return a callback."""
    return Sent(
        "POST", headers={"Content-Type": "application/json"}, body=json.dumps({"type": kind, **fields}).encode()
    )


def received(**changes: object) -> Sent:
    """Return an SMS, with some of its fields changed."""
    fields: dict[str, Any] = {
        "id": "01FC66621XXXXX119Z8PMV1QPA",
        "from": "16055550143",
        "to": "447472190082",
        "body": "Code 48213",
        "operator_id": "31110",
        "sent_at": to_iso(START),
        "received_at": iso(START + 100),
    }
    return callback(**fields | changes)


def sign(sent: Sent, secret: str, _url: str, now: int) -> Sent:
    """Sign an attempt, with a nonce of its own."""
    nonce, stamp = f"01FJA8B4A7BM43YGWSG9GBV{now % 1000:03}", str(now // SECOND)
    signature = hmac.new(secret.encode(), b".".join((sent.body, nonce.encode(), stamp.encode())), hashlib.sha256)
    headers = {
        SIGNATURE: base64.b64encode(signature.digest()).decode(),
        f"{SIGNATURE}-algorithm": "HmacSHA256",
        f"{SIGNATURE}-nonce": nonce,
        f"{SIGNATURE}-timestamp": stamp,
    }
    return replace(sent, headers={**sent.headers, **headers})


def _forge(sent: Sent) -> list[Sent]:
    def without(name: str) -> dict[str, str]:
        return {key: value for key, value in sent.headers.items() if key != name}

    digits = base64.b64decode(sent.headers[SIGNATURE]).hex()
    return [
        *(replace(sent, headers=without(f"{SIGNATURE}{suffix}")) for suffix in ("", "-nonce", "-timestamp")),
        replace(sent, headers={**sent.headers, f"{SIGNATURE}-nonce": "01FJA8B4A7BM43YGWSG9GBV068"}),
        replace(sent, headers={**sent.headers, f"{SIGNATURE}-timestamp": "1634579353"}),
        *(replace(sent, headers={**sent.headers, SIGNATURE: forged}) for forged in ("", "0" * 44, digits)),
        replace(sent, headers={"Authorization": f"Basic {sent.headers[SIGNATURE]}"}),
        replace(sent, body=sent.body[:-1]),
    ]


SAMPLE = Sample(
    write=lambda provider_id, phone, text, at: received(id=provider_id, to=phone, body=text, received_at=iso(at)),
    sign=sign,
    forge=_forge,
    nothing=[
        callback("mo_binary", id="1", to="447472190082", body="SGVsbG8=", udh="0605040b8423f0"),
        callback("mo_media", id="1", to="447472190082", body={"media": []}),
        callback("delivery_report_sms", batch_id="1", statuses=[]),
        callback("recipient_delivery_report_sms", batch_id="1", code=401),
    ],
    unreadable=[
        *(Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"[]", b"{}")),
        received(body=None),
        received(to=None),
    ],
    acknowledged=(200, "application/json; charset=utf-8", '{"status":"SUCCESS"}'),
)
