"""How AWS End User Messaging publishes an SMS to a topic, and SNS hands that on, signed by a certificate of our own.

What is signed is written from SNS's page on verifying signatures. A request without a `Type` is what is published.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from simulation.aws import START
from simulation.gateways.sample import Sample, Sent, iso

REGION = "https://sns.eu-west-2.amazonaws.com"
CERTIFICATE_URL = f"{REGION}/SimpleNotificationService-0a1b2c3d4e5f60718293a4b5c6d7e8f9.pem"

PUBLISHED_AT = iso(START)

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: rsa.RSAPrivateKey = KEY) -> bytes:
    """Return a certificate that a key has signed of itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=36500))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def secret(number: int) -> str:
    """Return the ARN of a topic."""
    return f"arn:aws:sns:eu-west-2:123456789012:two-way-{number}"


def signature(fields: Mapping[str, Any], key: rsa.RSAPrivateKey = KEY) -> str:
    """Return the signature of a message: names and values, each on a line of its own, in the order of bytes."""
    if fields["Type"] == "Notification":
        names = (
            ["Message", "MessageId"] + (["Subject"] if "Subject" in fields else []) + ["Timestamp", "TopicArn", "Type"]
        )
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    lines = "".join(name + "\n" + str(fields[name]) + "\n" for name in names)
    hashed = hashes.SHA1() if fields["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303 - SNS's version 1
    return base64.b64encode(key.sign(lines.encode("utf-8"), padding.PKCS1v15(), hashed)).decode()


def message(**others: Any) -> dict[str, Any]:
    """Return the message of an SMS."""
    numbers = {"originationNumber": "+12025550143", "destinationNumber": "+447472190082"}
    ids = {"inboundMessageId": "cae173d2-66b9-564c", "previousPublishedMessageId": "wJalrXUtnFEMI"}
    return {**numbers, "messageKeyword": "KEYWORD_1", "messageBody": "Code 48213", **ids, **others}


def published(content: object) -> Sent:
    """Return what is published to the topic."""
    return Sent("POST", body=json.dumps(content).encode())


def notification(content: str, topic: str = secret(0), **others: Any) -> dict[str, Any]:
    """Return how SNS hands a message on, signed unless others says otherwise."""
    return envelope(Type="Notification", TopicArn=topic, Message=content, **others)


def confirmation(kind: str = "SubscriptionConfirmation", topic: str = secret(0), **others: Any) -> dict[str, Any]:
    """Return how SNS asks to confirm a subscription, or tells of its end."""
    url = f"{REGION}/?Action=ConfirmSubscription&TopicArn={topic}&Token=2336412f37fb687f"
    token = {"Token": "2336412f37fb687f", "SubscribeURL": url, "Message": "You have chosen to subscribe to the topic."}
    return envelope(Type=kind, TopicArn=topic, **{**token, **others})


def envelope(**fields: Any) -> dict[str, Any]:
    """Return a message of SNS, signed unless the fields have a signature."""
    made = {
        "MessageId": str(uuid5(NAMESPACE_URL, str(fields["Message"]))),
        "Timestamp": PUBLISHED_AT,
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
        **fields,
    }
    return {"Signature": signature(made), **made}


def posted(fields: Mapping[str, Any]) -> Sent:
    """Return the request of a message of SNS."""
    headers = {"x-amz-sns-message-type": str(fields.get("Type")), "Content-Type": "text/plain; charset=UTF-8"}
    return Sent("POST", headers=headers, body=json.dumps(fields, indent=2, ensure_ascii=False).encode())


def _write(provider_id: str, phone: str, text: str, at: int) -> Sent:
    sent = published(message(inboundMessageId=provider_id, destinationNumber=f"+{phone}", messageBody=text))
    # For the one who signs: each attempt states when it was published.
    return replace(sent, headers={"Date": iso(at)})


def _sign(sent: Sent, topic: str, _url: str, _now: int) -> Sent:
    text = sent.body.decode("utf-8", "replace")
    kind = json.loads(text)["Type"] if text.startswith('{"Type"') else "Notification"
    fields = (
        notification(text, topic, Timestamp=sent.headers.get("Date", PUBLISHED_AT))
        if kind == "Notification"
        else confirmation(kind, topic)
    )
    signed = posted(fields)
    return replace(sent, headers=signed.headers, body=signed.body)


_WRONG: Sequence[object] = (None, 1, [], {}, "", "*", "é")


def _forge(sent: Sent) -> list[Sent]:
    fields = json.loads(sent.body)
    others: list[Mapping[str, Any]] = [
        *({name: value for name, value in fields.items() if name != without} for without in fields),
        *({**fields, name: value} for name in fields for value in (*_WRONG, fields[name] + "\n")),
        {**fields, "Signature": signature(fields, rsa.generate_private_key(public_exponent=65537, key_size=2048))},
        {**fields, "SignatureVersion": "1"},
        {**fields, "Subject": "added"},
    ]
    return [
        *(posted(one) for one in others),
        *(replace(sent, body=body) for body in (sent.body[:-1], b"", b"[]", b"[" * 100_000, b"\xff")),
        # Raw delivery hands the message on as it is.
        replace(sent, headers={**sent.headers, "x-amz-sns-rawdelivery": "true"}),
    ]


SAMPLE = Sample(
    write=_write,
    sign=_sign,
    forge=_forge,
    nothing=[
        published({"Type": "UnsubscribeConfirmation"}),
        published({"eventType": "TEXT_DELIVERED", "eventVersion": "1.0", "messageId": "1", "isFinal": True}),
    ],
    unreadable=[
        Sent("POST", body=b"Successfully validated SNS topic"),
        published(17),
        published([]),
        *(published(message(**{name: None})) for name in ("messageBody", "destinationNumber")),
    ],
    acknowledged=(200, "text/plain", ""),
    settings={"certificate": certificate().decode()},
    secret=secret,
)
