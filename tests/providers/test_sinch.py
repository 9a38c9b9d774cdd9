"""What is Sinch's own."""

import base64
from dataclasses import replace

import pytest

from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.times import DAY
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.runtime.http import Request
from simulation.aws import START, Cloud
from simulation.gateways import sinch
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway
from tests.providers.hostile import header_variants, json_variants

CREDENTIALS = "best user:pass:wörd"


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "sinch", sinch.SAMPLE)


@pytest.fixture
def basic(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "sinch", replace(sinch.SAMPLE, settings={"auth": "basic"}, secret=lambda _: CREDENTIALS))


def _read(sent: Sent) -> Reading:
    return provider_named("sinch").read(Delivery(Request({}), sent.body), {}, START)


def test_an_sms_is_read_as_it_is_documented() -> None:
    body = """{"type":"mo_text","id":"01F","from":"16055550143","to":"447472190082","body":" Код كود 😀 <b>48213",
        "operator_id":"31110","received_at":"2026-03-01T12:20:08.100Z"}"""
    at, text = 1_772_367_608_100, " Код كود \N{GRINNING FACE} <b>48213"
    assert _read(Sent("POST", body=body.encode())) == Reading([InboundSms(PHONE, "16055550143", text, "01F", at, at)])


# The example of https://developers.sinch.com/docs/conversation/callbacks, signed in the same way; its SDKs test by it.
PUBLISHED = (
    b'{"app_id":"01EB37HMH1M6SV18BSNS3G135H","accepted_time":"2020-11-17T15:09:11.659Z",'
    b'"project_id":"c36f3d3d-1513-2edd-ae42-11995557ff61",'
    b'"message_delivery_report":{"message_id":"01EQBC1A3BEK731GY4YXEN0C2R",'
    b'"conversation_id":"01EPYATA64TMNZ1FV02JKF12JF","status":"QUEUED_ON_CHANNEL",'
    b'"contact_id":"01EXA07N79THJ20WSN6AS30TMW"}}'
)


@pytest.mark.parametrize(("secret", "is_genuine"), [("foo_secret1234", True), ("foo_secret1235", False)])
def test_the_published_example_is_authentic(secret: str, is_genuine: bool) -> None:
    headers = {
        "X-Sinch-Webhook-Signature": "Yc+3R1pIS78xLASybulhs8BsSo9BPB3Pr92QCUoczfk=",
        "X-Sinch-Webhook-Signature-Nonce": "01FJA8B4A7BM43YGWSG9GBV067",
        "X-Sinch-Webhook-Signature-Timestamp": "1634579353",
    }
    delivery = Delivery(Request({"headers": headers}), PUBLISHED)
    assert provider_named("sinch").is_authentic(delivery, secret, {}, START) is is_genuine


def test_a_retry_of_a_day_ago_is_taken(gateway: Gateway) -> None:
    sent = sinch.sign(gateway.write(), gateway.secret, "", gateway.cloud.clock() - DAY)
    assert gateway.send(sent).status == 200
    assert len(gateway.texts) == 1


def test_an_sms_is_told_by_its_id(gateway: Gateway) -> None:
    for name in ("1", "1", "2"):
        assert gateway.send(gateway.signed(sinch.received(id=name))).status == 200
        gateway.cloud.clock.advance(seconds=121)
    assert gateway.texts == ["Code 48213"] * 2


@pytest.mark.parametrize("stated", [None, "yesterday", "2026-03-01T12:20:07", 5])
def test_without_a_usable_time_staff_are_told(stated: object) -> None:
    assert _read(sinch.received(received_at=stated)).untimed is not None


@pytest.mark.parametrize(
    ("scheme", "credentials", "status"),
    [
        ("Basic", CREDENTIALS, 200),
        ("basic", CREDENTIALS, 200),
        ("Bearer", CREDENTIALS, 401),
        ("Basic", "best user:", 401),
        ("Basic", CREDENTIALS[:-1], 401),
        ("Basic", f"{CREDENTIALS} ", 401),
    ],
)
def test_a_source_may_be_proved_by_a_password(basic: Gateway, scheme: str, credentials: str, status: int) -> None:
    said = base64.b64encode(credentials.encode()).decode()
    sent = replace(basic.write(), headers={"Authorization": f"{scheme} {said}"})
    assert basic.send(sent).status == status


def test_where_a_password_is_asked_for_a_signature_proves_nothing(basic: Gateway) -> None:
    assert basic.send(basic.signed(basic.write())).status == 401


def test_where_a_signature_is_asked_for_a_password_proves_nothing(gateway: Gateway) -> None:
    said = base64.b64encode(gateway.secret.encode()).decode()
    assert gateway.send(replace(gateway.write(), headers={"Authorization": f"Basic {said}"})).status == 401


def test_nothing_that_is_sent_is_an_error_of_ours(gateway: Gateway) -> None:
    for sent in json_variants(sinch.received()):
        assert gateway.send(gateway.signed(sent)).status in {200, 400}, sent
    headers = (sinch.SIGNATURE, f"{sinch.SIGNATURE}-nonce", f"{sinch.SIGNATURE}-timestamp")
    for sent in header_variants(gateway.signed(gateway.write()), *headers):
        assert gateway.send(sent).status == 401, sent.headers


def test_no_header_is_an_error_of_ours_where_a_password_is_asked_for(basic: Gateway) -> None:
    for sent in header_variants(basic.write(), "Authorization"):
        assert basic.send(sent).status == 401, sent.headers
