"""How textbee sends (its webhook.service.ts)."""

import json
from dataclasses import replace
from typing import Any

from simulation.aws import START
from simulation.gateways.generic import hex_hmac
from simulation.gateways.sample import Sample, Sent, iso


def event(name: str = "MESSAGE_RECEIVED", **fields: object) -> Sent:
    """Return an event, spelled as JSON.stringify does."""
    shared = {
        "smsId": "66f0a1b2c3d4e5f601234567",
        "message": "Code 48213",
        "deviceId": "66aa00000000000000082",
        "webhookSubscriptionId": "66bb00000000000000000001",
        "webhookEvent": name,
        "idempotencyKey": "a1d00f6e-95f3-4c5d-8f5c-0d7f1f3f4a10",
    }
    body = json.dumps(shared | fields, ensure_ascii=False, separators=(",", ":"))
    return Sent("POST", headers={"Content-Type": "application/json"}, body=body.encode())


def received(**changes: Any) -> Sent:
    """Return an SMS, with some of its fields changed."""
    return event(**{"sender": "Google", "receivedAt": iso(START)} | changes)


def device_of(phone: str) -> str:
    """Return the device of a number."""
    return f"66aa{phone:0>20}"


def _forge(sent: Sent) -> list[Sent]:
    signature = sent.headers["X-Signature"]
    return [
        replace(sent, headers={}),
        replace(sent, body=sent.body[:-1]),
        *(
            replace(sent, headers={"X-Signature": forged})
            for forged in ("0" * 64, signature[1:], f"sha256={signature}")
        ),
    ]


SAMPLE = Sample(
    write=lambda provider_id, phone, text, at: received(
        smsId=provider_id, deviceId=device_of(phone), message=text, receivedAt=iso(at)
    ),
    sign=lambda sent, secret, _url, _now: replace(
        sent, headers={**sent.headers, "X-Signature": hex_hmac(secret, sent.body)}
    ),
    forge=_forge,
    nothing=[
        *(
            event(f"MESSAGE_{state}", status=state.lower(), recipient="+12025550143", smsBatchId="66cc")
            for state in ("SENT", "DELIVERED", "FAILED")
        ),
        event("UNKNOWN_STATE"),
        event("SMS_STATUS_UPDATED"),
    ],
    unreadable=[
        *(Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"[]", b"{}")),
        received(message=None),
        received(deviceId=None),
    ],
    acknowledged=(200, "application/json; charset=utf-8", '{"status":"SUCCESS"}'),
    line_of=device_of,
)
