"""How SMS Gateway for Android sends (its PayloadSigningPlugin and SmsEventPayload)."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from globalconnect.domain.times import SECOND
from simulation.aws import START
from simulation.gateways.generic import hex_hmac
from simulation.gateways.sample import Sample, Sent

_AHEAD = timezone(timedelta(hours=3))


def event(name: str = "sms:received", device: object = "dv-19", **payload: object) -> Sent:
    """Return an event, as the app spells JSON."""
    fields = {"deviceId": device, "event": name, "id": "k2Lq", "payload": payload, "webhookId": "w1"}
    return Sent("POST", headers={"Content-Type": "application/json"}, body=json.dumps(fields).encode())


def _stated(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(_AHEAD).isoformat(timespec="milliseconds")


def received(**changes: object) -> Sent:
    """Return an SMS, with some of its fields changed."""
    fields: dict[str, Any] = {
        "messageId": "7be0c1d2",
        "message": "Code 48213",
        "sender": "Google",
        "recipient": None,
        "simNumber": 2,
        "receivedAt": _stated(START),
        "phoneNumber": "Google",
    }
    return event(**fields | changes)


def sign(sent: Sent, secret: str, _url: str, now: int) -> Sent:
    """Sign an attempt, which is stamped in s."""
    stamp = str(now // SECOND)
    signature = hex_hmac(secret, sent.body + stamp.encode())
    return replace(sent, headers={**sent.headers, "X-Timestamp": stamp, "X-Signature": signature})


def _forge(sent: Sent) -> list[Sent]:
    def with_header(name: str, value: str) -> Sent:
        return replace(sent, headers={**sent.headers, name: value})

    stamp = sent.headers["X-Timestamp"]
    return [
        replace(sent, headers={"X-Signature": sent.headers["X-Signature"]}),
        replace(sent, headers={"X-Timestamp": stamp}),
        replace(sent, body=sent.body[:-1]),
        with_header("X-Timestamp", str(int(stamp) + 1)),
        with_header("X-Timestamp", f"{stamp}.0"),
        # All of what is signed, cut elsewhere.
        replace(with_header("X-Timestamp", stamp[1:]), body=sent.body + stamp[:1].encode()),
        with_header("X-Signature", "0" * 64),
    ]


SAMPLE = Sample(
    write=lambda provider_id, phone, text, at: received(
        messageId=provider_id, recipient=f"+{phone}", message=text, receivedAt=_stated(at)
    ),
    sign=sign,
    forge=_forge,
    nothing=[
        event("system:ping", health={"status": "pass", "checks": {}}),
        event("app:started", simCards=[{"slotIndex": 0, "simNumber": 1, "phoneNumber": None}]),
        event("sms:data-received", messageId="1", data="SGVsbG8=", sender="+12025550143", simNumber=1),
        *(event(f"sms:{name}", messageId="1", recipient="+1") for name in ("sent", "delivered", "failed", "cancelled")),
        *(event(f"mms:{name}", messageId="1", sender="+12025550143") for name in ("received", "downloaded")),
        event("something:new"),
    ],
    unreadable=[
        *(Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"[]", b'{"event":"sms:received"}', b"{}")),
        received(message=None),
        event(device=None, message="Code 48213"),
    ],
    acknowledged=(200, "application/json; charset=utf-8", '{"status":"SUCCESS"}'),
)
