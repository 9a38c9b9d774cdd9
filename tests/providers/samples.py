"""How gateways of each type send, written from what their makers say and not from how we read it."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a gateway sends it."""

    method: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Sample:
    """A type of gateway.

    `write` writes an SMS of an id at the gateway, a number and a text, `sign` proves that a request to a URL is from
    who knows a secret. `forge` makes of a signed request what nobody must be able to send. `nothing` holds no SMS,
    `unreadable` ought to; neither is signed yet. `acknowledged` is the status, content type and body that it waits for.
    """

    write: Callable[[str, str, str], Sent]
    sign: Callable[[Sent, str, str], Sent]
    forge: Callable[[Sent], Sequence[Sent]]
    nothing: Sent
    unreadable: Sequence[Sent]
    acknowledged: tuple[int, str, str]
    settings: Mapping[str, str | bool] = field(default_factory=dict)


def _hex_hmac(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


# ---------------------------------------------------------------- generic


def _write_generic(provider_id: str, phone: str, text: str) -> Sent:
    fields = {"id": provider_id, "phone": phone, "from": "Microsoft", "text": text}
    return Sent("POST", body=json.dumps(fields).encode())


def _sign_generic(sent: Sent, secret: str, _url: str) -> Sent:
    return replace(sent, headers={**sent.headers, "X-Signature": _hex_hmac(secret, sent.body)})


def _forge_generic(sent: Sent) -> list[Sent]:
    signatures = ("", "00", "0" * 64, sent.headers["X-Signature"][:-1], "\N{DIGIT ZERO}é")
    return [
        replace(sent, headers={}),
        replace(sent, body=sent.body + b" "),
        *(replace(sent, headers={"X-Signature": signature}) for signature in signatures),
    ]


GENERIC = Sample(
    write=_write_generic,
    sign=_sign_generic,
    forge=_forge_generic,
    nothing=Sent("POST", body=b"[]"),
    unreadable=[Sent("POST", body=body) for body in (b"{", b"\xff\x00", b"17", b'{"phone":"447472190082"}')],
    acknowledged=(200, "application/json; charset=utf-8", '{"status":"SUCCESS"}'),
)

SAMPLES: Mapping[str, Sample] = {"generic": GENERIC}


# ---------------------------------------------------------------- a gateway that does all otherwise (fake.py)


def _write_query(provider_id: str, phone: str, text: str) -> Sent:
    return Sent("GET", query={"id": provider_id, "to": phone.removeprefix("44"), "from": "Microsoft", "text": text})


def _sign_url(sent: Sent, secret: str, url: str) -> Sent:
    signed = f"{url}?{urlencode(sorted(sent.query.items()))}"
    return replace(sent, headers={**sent.headers, "X-Proof": _hex_hmac(secret, signed.encode())})


def _forge_query(sent: Sent) -> list[Sent]:
    return [
        replace(sent, headers={}),
        replace(sent, headers={"X-Proof": "0" * 64}),
        replace(sent, query={**sent.query, "to": "7472190083"}),
    ]


FAKE = Sample(
    write=_write_query,
    sign=_sign_url,
    forge=_forge_query,
    nothing=Sent("GET", query={"type": "receipt"}),
    unreadable=[Sent("GET", query={"id": name}) for name in ("a", "b")],
    acknowledged=(202, "text/xml", "<Response/>"),
    settings={"country_code": "44"},
)
