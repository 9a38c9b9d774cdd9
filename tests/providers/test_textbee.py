"""What is textbee's own."""

import pytest

from globalconnect.domain.inbound import InboundSms, InboxKind
from globalconnect.domain.times import SECOND
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.runtime.http import Request
from simulation.aws import START, Cloud
from simulation.gateways import textbee
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway
from tests.providers.hostile import header_variants, json_variants


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "textbee", textbee.SAMPLE)


def _read(sent: Sent) -> Reading:
    return provider_named("textbee").read(Delivery(Request({}), sent.body), {}, START)


def test_an_sms_is_read_as_it_is_documented() -> None:
    body = """{"smsId":"66f0","message":" Код كود 😀 <b>48213","deviceId":"66aa","webhookSubscriptionId":"66bb",
        "webhookEvent":"MESSAGE_RECEIVED","idempotencyKey":"a1d0","sender":"Google",
        "receivedAt":"2026-03-01T12:20:07.000Z"}"""
    at, text = 1_772_367_607 * SECOND, " Код كود \N{GRINNING FACE} <b>48213"
    expected = InboundSms("", "Google", text, str(at), at, at + 999, line="66aa")
    assert _read(Sent("POST", body=body.encode())) == Reading([expected])


def test_a_duplicate_has_new_ids_and_the_same_time(gateway: Gateway) -> None:
    device = textbee.device_of(PHONE)
    several = [
        *(textbee.received(deviceId=device, smsId=name, idempotencyKey=name) for name in ("1", "2")),
        *(textbee.received(deviceId=device, receivedAt=f"2026-09-21T14:13:2{second}.000Z") for second in (0, 1)),
        textbee.received(deviceId=device, sender="Other"),
    ]
    for one in several:
        assert gateway.send(gateway.signed(one)).status == 200
        gateway.cloud.clock.advance(minutes=3)
    assert gateway.texts == ["Code 48213"] * 3


def test_an_sms_of_a_device_that_nobody_mapped_is_acknowledged_and_waits(gateway: Gateway) -> None:
    assert gateway.send(gateway.signed(textbee.received(deviceId="new"))).status == 200
    assert (gateway.texts, gateway.kept(), gateway.kept(InboxKind.UNCLAIMED)) == ([], [], [])
    (waiting,) = gateway.shop.inbound_parts.inbox.waiting(100, None, gateway.cloud.clock()).items
    assert waiting.sms.line == "new"


@pytest.mark.parametrize("stated", [None, "yesterday", "2026-03-01T12:20:07", "1970-01-01T00:00:00.000Z", 5, {}])
def test_without_a_usable_time_an_sms_has_no_id_and_staff_are_told(stated: object) -> None:
    reading = _read(textbee.received(receivedAt=stated))
    assert reading.untimed is not None
    assert [(sms.provider_id, sms.stated_at, sms.stated_to) for sms in reading.messages] == [(None, None, None)]


def test_nothing_that_is_sent_is_an_error_of_ours(gateway: Gateway) -> None:
    for sent in json_variants(textbee.received()):
        assert gateway.send(gateway.signed(sent)).status in {200, 400}, sent
    for sent in header_variants(gateway.signed(gateway.write()), "X-Signature"):
        assert gateway.send(sent).status == 401, sent.headers
