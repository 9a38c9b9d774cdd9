"""How Vonage's SMS API sends, and signs as told in "Signing Messages" of its documents."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from simulation.aws import START
from simulation.gateways.sample import Place, Sample, Sent


def signature(fields: Mapping[str, str], secret: str, algorithm: str = "md5hash") -> str:
    """Return the signature of fields: lower case for the hash, upper case for an HMAC."""
    content = ""
    for name, value in sorted(fields.items()):
        if name != "sig":
            content += "&" + name + "=" + value.replace("&", "_").replace("=", "_")
    if algorithm == "md5hash":
        return hashlib.md5((content + secret).encode()).hexdigest()  # noqa: S324 - theirs
    return hmac.new(secret.encode(), content.encode(), algorithm).hexdigest().upper()


def fields_of(provider_id: str, phone: str, text: str, **others: str) -> dict[str, str]:
    """Return the fields of an SMS, those with a - spelled with a _."""
    basic = {
        "msisdn": "12025550143",
        "to": phone,
        "messageId": provider_id,
        "text": text,
        "type": "unicode",
        "keyword": text.partition(" ")[0].upper(),
        "api-key": "abcd1234",
        "message-timestamp": "2024-01-15 12:34:56",
        "timestamp": str(START // 1000),
        "nonce": "51a87f47-476f-447c-bffe-c18600fd12ad",
    }
    return basic | {name.replace("_", "-"): value for name, value in others.items()}


def as_form(fields: Mapping[str, str]) -> Sent:
    """Return a POST of a form."""
    return Sent("POST", headers={"Content-Type": "application/x-www-form-urlencoded"}, body=urlencode(fields).encode())


def as_json(fields: Mapping[str, object]) -> Sent:
    """Return a POST of JSON."""
    return Sent("POST", headers={"Content-Type": "application/json"}, body=json.dumps(fields).encode())


def as_query(fields: Mapping[str, str]) -> Sent:
    """Return a GET."""
    return Sent("GET", query=fields)


def signed(fields: Mapping[str, str], secret: str, algorithm: str = "md5hash") -> dict[str, str]:
    """Return fields with their signature."""
    return {**fields, "sig": signature(fields, secret, algorithm)}


def _write(provider_id: str, phone: str, text: str, at: int) -> Sent:
    return as_query(fields_of(provider_id, phone, text, timestamp=str(at // 1000)))


def _write_part(provider_id: str, phone: str, text: str, at: int, place: Place) -> Sent:
    reference, number, total = map(str, place)
    parts = {"concat_ref": reference, "concat_part": number, "concat_total": total}
    return as_query(fields_of(provider_id, phone, text, timestamp=str(at // 1000), concat="true", **parts))


def _sign(sent: Sent, secret: str, _url: str, _now: int) -> Sent:
    return replace(sent, query=signed(sent.query, secret))


def _forge(sent: Sent) -> list[Sent]:
    right = sent.query["sig"]
    changes = [
        *({"sig": other} for other in ("", "0" * 32, right[:-1], f"{right}0", "\N{DIGIT ZERO}é\0")),
        {"to": "447472190083"},
        {"concat": "true"},
        {"": "1"},
    ]
    unsigned = {name: value for name, value in sent.query.items() if name != "sig"}
    # The same string to be signed, with fewer names.
    fewer = {name: value for name, value in sent.query.items() if name not in {"text", "timestamp"}}
    fewer[f"text={sent.query['text']}&timestamp"] = sent.query["timestamp"]
    return [as_query(query) for query in (unsigned, fewer, *({**sent.query, **change} for change in changes))]


SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[
        as_query({"msisdn": "12025550143", "to": "447472190082", "messageId": "1", "status": "delivered", "scts": "1"})
    ],
    unreadable=[
        as_query(fields_of("1", "447472190082", "") | {"to": "Shop"}),
        as_query({"type": "text", "to": "447472190082"}),
        as_query(fields_of("1", "447472190082", "", concat="true", concat_ref="7", concat_total="2", concat_part="3")),
    ],
    acknowledged=(200, "text/plain", ""),
    write_part=_write_part,
)
