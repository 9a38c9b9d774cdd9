"""How httpSMS sends (its webhook_service.go and message_phone_received_event.go)."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from globalconnect.domain.times import SECOND, to_iso
from simulation.aws import START
from simulation.gateways.sample import Sample, Sent, iso


def event(kind: str = "message.phone.received", **data: object) -> Sent:
    """Return a CloudEvent."""
    fields = {
        "specversion": "1.0",
        "id": "0e1c0d4e-7d4a-4c5e-9a51-0d7f1f3f4a10",
        "source": "/v1/messages/receive",
        "type": kind,
        "datacontenttype": "application/json",
        "time": to_iso(START),
        "data": data,
    }
    headers = {"Content-Type": "application/json", "X-Event-Type": kind}
    return Sent("POST", headers=headers, body=json.dumps(fields).encode())


def received(**changes: object) -> Sent:
    """Return an SMS, with some of its fields changed."""
    fields: dict[str, Any] = {
        "message_id": "5b7d4f3e-1f0a-4b52-8f07-6f0e3c7a9d21",
        "user_id": "u1",
        "owner": "+447472190082",
        "encrypted": False,
        "contact": "+12025550143",
        "timestamp": iso(START + 211),
        "content": "Code 48213",
        "sim": "SIM1",
        "attachments": None,
    }
    return event(**fields | changes)


def token(secret: str, claims: object, algorithm: str = "HS256") -> str:
    """Return a JWT (RFC 7519)."""
    parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}.get(algorithm)
    signed = ".".join(parts)
    signature = hmac.new(secret.encode(), signed.encode(), digest).digest() if digest else b""
    return f"{signed}.{_encoded(signature)}"


def claims(url: str, now: int) -> dict[str, object]:
    """Return what it claims of an attempt."""
    at = now // SECOND
    return {"iss": "api.httpsms.com", "sub": "u1", "aud": [url], "exp": at + 600, "nbf": at - 600, "iat": at}


def bearing(sent: Sent, bearer: str) -> Sent:
    """Return a request with a token."""
    return replace(sent, headers={**sent.headers, "Authorization": f"Bearer {bearer}"})


def sign(sent: Sent, secret: str, url: str, now: int) -> Sent:
    """Sign an attempt at a URL, its query included."""
    query = f"?{urlencode(sent.query, quote_via=quote)}" if sent.query else ""
    return bearing(sent, token(secret, claims(f"{url}{query}", now)))


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _forge(sent: Sent) -> list[Sent]:
    bearer = sent.headers["Authorization"].removeprefix("Bearer ")
    _, payload, signature = bearer.split(".")
    unsigned = _encoded(b'{"alg":"none","typ":"JWT"}')
    return [
        replace(sent, headers={}),
        replace(sent, headers={"Authorization": bearer}),
        replace(sent, headers={"Authorization": f"Basic {bearer}"}),
        *(
            bearing(sent, forged)
            for forged in (f"{unsigned}.{payload}.", f"{unsigned}.{payload}.{signature}", bearer[:-2])
        ),
    ]


SAMPLE = Sample(
    write=lambda provider_id, phone, text, at: received(
        message_id=provider_id, owner=f"+{phone}", content=text, timestamp=iso(at)
    ),
    sign=sign,
    forge=_forge,
    nothing=[
        event("phone.heartbeat.offline", owner="+447472190082", last_heartbeat_timestamp=to_iso(START)),
        event("phone.heartbeat.online", owner="+447472190082"),
        event("message.call.missed", owner="+447472190082", contact="+12025550143"),
        *(
            event(f"message.{name}", id="1")
            for name in ("phone.sent", "phone.delivered", "send.failed", "send.expired")
        ),
    ],
    unreadable=[
        *(Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"[]", b'{"type":"message.phone.received"}', b"{}")),
        received(content=None),
        received(owner=None),
        received(encrypted=True, content="c2VjcmV0"),
    ],
    acknowledged=(200, "application/json; charset=utf-8", '{"status":"SUCCESS"}'),
)
