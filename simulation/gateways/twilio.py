"""How Twilio sends, signed by its own library; the fields are those of its page on the request of a message."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlencode

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from simulation.gateways.sample import Sample, Sent

HEADER = "X-Twilio-Signature"


class Form(dict[str, list[str]]):
    """A form as Twilio's library takes one whose fields may come twice."""

    def getall(self, name: str) -> list[str]:
        """Return the values of a field."""
        return self[name]


def signature(secret: str, url: str, body: bytes = b"", algorithm: str | None = None) -> str:
    """Return Twilio's signature of a form that is sent to a URL."""
    form = Form(parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True))
    return str(RequestValidator(secret).compute_signature(url, form, algorithm))


def addressed(url: str, query: Mapping[str, str]) -> str:
    """Return a URL with a query."""
    return f"{url}?{urlencode(query, quote_via=quote)}" if query else url


def fields(**others: str) -> dict[str, str]:
    """Return the fields of an SMS."""
    account = {"AccountSid": "AC00", "ApiVersion": "2010-04-01", "NumMedia": "0", "NumSegments": "1"}
    caller = {"From": "+12025550143", "FromCity": "", "FromCountry": "US", "FromState": "", "FromZip": ""}
    message = {"MessageSid": "SM0f", "SmsSid": "SM0f", "SmsMessageSid": "SM0f", "SmsStatus": "received"}
    return {**account, **caller, **message, "To": "+447472190082", "Body": "Code 48213", **others}


def _write(provider_id: str, phone: str, text: str, _at: int) -> Sent:
    return Sent("POST", body=urlencode(fields(MessageSid=provider_id, To=f"+{phone}", Body=text)).encode())


def _sign(sent: Sent, secret: str, url: str, _now: int) -> Sent:
    return replace(sent, headers={**sent.headers, HEADER: signature(secret, addressed(url, sent.query), sent.body)})


def _forge(sent: Sent) -> list[Sent]:
    right = sent.headers[HEADER]
    another = signature("the secret & the key 0", "https://api.example.com/live/inbound/another", sent.body)
    shorter = sent.body.rpartition(b"&")[0]
    return [
        *(replace(sent, body=body) for body in (sent.body + b"&New=", shorter, sent.body[:-1], b"", b"a&" * 1000)),
        *(replace(sent, headers={HEADER: one}) for one in ("", another, right[:-1], right.lower(), "\N{DIGIT ZERO}é")),
        replace(sent, query={"added": ""}),
        replace(sent, query={"bodySHA256": "0" * 64}),
        replace(sent, headers={HEADER: right, "X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_SHA256"}),
        replace(sent, headers={HEADER: right, "X-Twilio-Webhooks-Signature-Settings": "algorithm=NONE"}),
    ]


_RECEIPT = {"MessageSid": "SM0e", "SmsSid": "SM0e", "MessageStatus": "delivered", "SmsStatus": "delivered"}

SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[
        Sent("POST", body=urlencode({**_RECEIPT, "To": "+12025550143", "From": "+447472190082"}).encode()),
        Sent("POST", body=b"CallSid=CA0f&CallStatus=ringing&From=%2B12025550143&To=%2B447472190082"),
        Sent("GET", query=_RECEIPT),
    ],
    unreadable=[
        Sent("POST", body=b"MessageSid=SM01&From=%2B12025550143&To=%2B447472190082"),
        Sent("POST", body=b"MessageSid=SM02&Body=Code&To=whatsapp%3A%2B447472190082"),
        Sent("POST", body=b"MessageSid=SM03&Body=Code&From=Google"),
    ],
    acknowledged=(200, "text/xml", "<Response/>"),
)
