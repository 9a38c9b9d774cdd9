"""How Telnyx sends, signed by PyNaCl; the event is that of its page on inbound messages."""

import base64
import json
from dataclasses import replace
from typing import Any

from nacl.signing import SigningKey

from simulation.aws import START
from simulation.gateways.sample import Sample, Sent, iso

HEADER = "telnyx-signature-ed25519"
TIME = "telnyx-timestamp"


RECEIVED_AT = iso(START)


def _key(number: int) -> SigningKey:
    return SigningKey(bytes([number]) * 32)


def secret(number: int) -> str:
    """Return the public key of an account."""
    return base64.b64encode(bytes(_key(number).verify_key)).decode()


_KEYS = {secret(number): _key(number) for number in range(3)}


def signature(account: str, timestamp: str, body: bytes) -> str:
    """Return the signature of an account's event."""
    return base64.b64encode(_KEYS[account].sign(timestamp.encode() + b"|" + body).signature).decode()


def event(kind: str = "message.received", **payload: Any) -> dict[str, Any]:
    """Return an event with some fields of its payload replaced."""
    number = {"carrier": "", "line_type": ""}
    sms = {
        "record_type": "message",
        "direction": "inbound",
        "id": "7ee4241c-f127-47e5-9c34-3aac291f8058",
        "type": "SMS",
        "from": {"phone_number": "+12025550143", **number},
        "to": [{"phone_number": "+447472190082", "status": "delivered", **number}],
        "cc": [],
        "text": "Code 48213",
        "media": [],
        "encoding": "GSM-7",
        "parts": 1,
        "cost": None,
        "received_at": RECEIVED_AT,
        "errors": [],
    }
    head = {"record_type": "event", "id": "bf6307bd-884d", "event_type": kind, "occurred_at": RECEIVED_AT}
    return {
        "data": {**head, "payload": {**sms, **payload}},
        "meta": {"attempt": 1, "delivered_to": "https://example.com"},
    }


def sent(value: object) -> Sent:
    """Return what is sent of an event."""
    return Sent("POST", body=json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))


def _write(provider_id: str, phone: str, text: str, at: int) -> Sent:
    return sent(event(id=provider_id, to=[{"phone_number": f"+{phone}"}], text=text, received_at=iso(at)))


def _sign(unsigned: Sent, account: str, _url: str, now: int) -> Sent:
    timestamp = str(now // 1000)
    headers = {**unsigned.headers, TIME: timestamp, HEADER: signature(account, timestamp, unsigned.body)}
    return replace(unsigned, headers=headers)


def _forge(genuine: Sent) -> list[Sent]:
    right, time = genuine.headers[HEADER], genuine.headers[TIME]
    others = {
        stamp: {TIME: stamp, HEADER: signature(secret(0), stamp, genuine.body)}
        for stamp in ("-1", "", "soon", "9" * 5000, "1e9999", "٣")
    }
    return [
        *(replace(genuine, headers=headers) for headers in others.values()),
        *(replace(genuine, headers={TIME: time, HEADER: one}) for one in ("", right[:-4], right * 2, "*" * 88, "é")),
        *(replace(genuine, headers=headers) for headers in ({TIME: time}, {HEADER: right})),
        replace(genuine, headers={TIME: f"{time}.0", HEADER: right}),
        *(replace(genuine, body=body) for body in (genuine.body + b" ", genuine.body[:-1], b"")),
    ]


SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[
        sent(event("message.finalized", direction="outbound")),
        sent(event("message.sent")),
        sent({"data": {"event_type": "number_order.complete", "payload": None}}),
    ],
    unreadable=[
        *(Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"17", b"[]", b'{"data": []}', b'{"data": null}')),
        sent({"data": {"event_type": "message.received"}}),
        sent(event(text=None)),
        sent(event(to=[])),
    ],
    acknowledged=(200, "text/plain", ""),
    secret=secret,
)
