"""What is Twilio's own: what it signs, and what it calls the same SMS."""

from dataclasses import replace
from urllib.parse import urlencode

import pytest

from globalconnect.domain.inbound import InboxKind
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery
from globalconnect.runtime.http import Request
from simulation.aws import Cloud
from simulation.gateways import twilio
from simulation.gateways.sample import Sent
from tests.providers.gateway import Answer, Gateway

SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
TAKEN = Answer(*twilio.SAMPLE.acknowledged)
URL = "https://api.example.com/live/inbound/gateway"


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "twilio", twilio.SAMPLE)


def _form(**fields: str) -> Sent:
    return Sent("POST", body=urlencode(twilio.fields(**fields)).encode())


def test_the_signature_is_that_of_the_example_in_its_documents() -> None:
    body = b"CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"
    event = {
        "httpMethod": "POST",
        "headers": {"X-Twilio-Signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="},
        "multiValueQueryStringParameters": {"foo": ["1"], "bar": ["2"]},
        "requestContext": {"domainName": "mycompany.com", "path": "/myapp.php"},
    }
    provider = provider_named("twilio")
    assert provider.is_authentic(Delivery(Request(event), body), "12345", {}, 0)
    assert not provider.is_authentic(Delivery(Request(event), body), "12346", {}, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"MessageSid=SM1&To=%2B447472190082&From=&Body=Code&New=&New=&Another=%20+",
        b"MessageSid=SM1&To=%2B447472190082&From=&Body=Code&MediaUrl=b&MediaUrl=a&MediaUrl=b&mediaUrl=c",
        "MessageSid=SM1&To=%2B447472190082&From=&Body=Code&FromCity=Łódź&ZZ=%00%0A".encode(),
        b"To=%2B44+7472-190082&MessageSid=SM1&Body=Code&" + b"&".join(b"f%d=%d" % (n, n) for n in range(400)),
    ],
)
def test_every_field_is_signed_also_new_empty_and_repeated_ones(gateway: Gateway, body: bytes) -> None:
    assert gateway.send(gateway.signed(Sent("POST", body=body))) == TAKEN
    assert gateway.texts == ["Code"]


@pytest.mark.parametrize(
    ("text", "segments"),
    [("Код 48213: никому не говорите", "1"), ("رمز التحقق 48213", "1"), ("👍🏽 48213 " * 40, "6"), ("<b>&amp;</b>\r\n 1 ", "1")],
)  # fmt: skip
def test_a_text_arrives_as_it_was_sent_in_as_many_segments_as_it_had(
    gateway: Gateway, text: str, segments: str
) -> None:
    assert gateway.send(gateway.signed(_form(Body=text, NumSegments=segments))) == TAKEN
    assert gateway.texts == [text]


def test_an_sms_by_get_is_the_same_as_by_post(gateway: Gateway) -> None:
    query = twilio.fields(Body="Код 48213 *~'")
    assert gateway.send(gateway.signed(Sent("GET", query=query))) == TAKEN
    assert gateway.send(gateway.signed(Sent("POST", body=urlencode(query).encode()))) == TAKEN
    assert gateway.texts == ["Код 48213 *~'"]


def test_the_fallback_url_brings_the_same_sms_and_another_sid_another(gateway: Gateway) -> None:
    for fields in ({}, {"ErrorCode": "11200", "ErrorUrl": URL}, {"MessageSid": "SM10"}):
        assert gateway.send(gateway.signed(_form(**fields))) == TAKEN
        gateway.shop.cloud.clock.advance(minutes=3)
    assert gateway.texts == ["Code 48213"] * 2
    assert gateway.kept(InboxKind.UNCLAIMED) == []


def test_a_picture_without_words_is_an_empty_text(gateway: Gateway) -> None:
    assert gateway.send(gateway.signed(_form(Body="", NumMedia="1", MediaUrl0="https://example.com"))) == TAKEN
    assert gateway.texts == [""]


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_an_account_may_sign_with_a_key_of_its_own_and_the_hash_that_it_names(gateway: Gateway, algorithm: str) -> None:
    sent = _form()
    headers = {SETTINGS: f"key=webhooks_sharedkey_1, algorithm={algorithm}"}
    signature = twilio.signature(gateway.secret, URL, sent.body, algorithm)
    assert gateway.send(replace(sent, headers={**headers, twilio.HEADER: signature})) == TAKEN
    assert gateway.send(replace(sent, headers={SETTINGS: "key=1", twilio.HEADER: signature})).status in {200, 401}
    assert gateway.texts == ["Code 48213"]
