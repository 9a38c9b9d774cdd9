"""How Plivo sends, signed as its page on signature validation says."""

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import urlencode

from simulation.gateways.sample import Sample, Sent

HEADER = "X-Plivo-Signature-V2"
NONCE = "X-Plivo-Signature-V2-Nonce"


def signature(secret: str, base_url: str, nonce: str) -> str:
    """Return the keyed hash of a URL without its query, and a nonce."""
    made = hmac.new(key=secret.encode("utf-8"), msg=(base_url + nonce).encode("utf-8"), digestmod=hashlib.sha256)
    return base64.b64encode(made.digest()).decode("ascii")


def fields(**others: str) -> dict[str, str]:
    """Return the fields of an SMS."""
    message = {"From": "12025550143", "To": "447472190082", "Text": "Code 48213", "Type": "sms", "MessageUUID": "0b2e"}
    return {
        **message,
        "Units": "1",
        "TotalRate": "0",
        "TotalAmount": "0",
        "MessageIntent": "",
        "PowerpackUUID": "",
        **others,
    }


def _write(provider_id: str, phone: str, text: str, _at: int) -> Sent:
    return Sent("POST", body=urlencode(fields(MessageUUID=provider_id, To=phone, Text=text)).encode())


def _sign(sent: Sent, secret: str, url: str, now: int) -> Sent:
    nonce = f"{now:020}"
    return replace(sent, headers={**sent.headers, NONCE: nonce, HEADER: signature(secret, url, nonce)})


def _forge(sent: Sent) -> list[Sent]:
    right, nonce = sent.headers[HEADER], sent.headers[NONCE]
    another = signature("the secret & the key 0", "https://api.example.com/live/inbound/another", nonce)
    return [
        *(
            replace(sent, headers={NONCE: nonce, HEADER: one})
            for one in ("", ",", another, right[:-1], "é", "," * 9000)
        ),
        *(replace(sent, headers={NONCE: one, HEADER: right}) for one in ("", f"{nonce}1", "é")),
        replace(sent, headers={HEADER: right}),
        # Signed is what stands before a nonce, which must be there.
        replace(
            sent,
            headers={HEADER: signature("the secret & the key 0", "https://api.example.com/live/inbound/gateway", "")},
        ),
        replace(sent, headers={NONCE: nonce, "X-Plivo-Signature-V3": right}),
    ]


_RECEIPT = {"MessageUUID": "0b2f", "Status": "delivered", "To": "12025550143", "From": "447472190082"}

SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[
        Sent("POST", body=urlencode(_RECEIPT).encode()),
        Sent("POST", body=b"CallUUID=1&CallStatus=ringing&From=12025550143&To=447472190082"),
        Sent("GET", query=_RECEIPT),
    ],
    unreadable=[
        Sent("POST", body=b"MessageUUID=01&From=12025550143&To=447472190082"),
        Sent("POST", body=b"MessageUUID=02&Text=Code&From=12025550143&To=someone"),
        Sent("POST", body=b'{"MessageUUID": "03"}'),
        Sent("POST", body=b"\xff"),
    ],
    acknowledged=(200, "text/plain", ""),
)
