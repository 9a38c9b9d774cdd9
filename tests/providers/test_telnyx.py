"""What is Telnyx's own: a time that is signed, events of several types, and no time to lose."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.inbound import InboxKind
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery
from globalconnect.runtime.http import Request
from local.place import FUNCTIONS
from simulation.aws import START, Cloud
from simulation.gateways import telnyx
from tests.providers.gateway import Answer, Gateway
from tests.providers.hostile import distorted

TAKEN = Answer(*telnyx.SAMPLE.acknowledged)


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "telnyx", telnyx.SAMPLE)


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)])
def test_its_clock_may_be_5_minutes_off(gateway: Gateway, seconds: int, status: int) -> None:
    sent, stamp = gateway.write(), str(START // 1000 + seconds)
    headers = {telnyx.TIME: stamp, telnyx.HEADER: telnyx.signature(gateway.secret, stamp, sent.body)}
    assert gateway.send(replace(sent, headers=headers)).status == status
    gateway.shop.cloud.clock.advance(seconds=603)
    assert gateway.send(replace(sent, headers=headers)).status == 401


@pytest.mark.parametrize("secret", ["", "é", "===", "AAAA", telnyx.secret(0)[:-4], telnyx.secret(0) * 2, "A" * 43])
def test_a_public_key_that_is_none_has_signed_nothing(gateway: Gateway, secret: str) -> None:
    sent = gateway.signed(gateway.write())
    delivery = Delivery(Request({"headers": dict(sent.headers)}), sent.body)
    assert provider_named("telnyx").is_authentic(delivery, telnyx.secret(0), {}, START)
    assert not provider_named("telnyx").is_authentic(delivery, secret, {}, START)


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("Код 48213", {"encoding": "UCS-2"}),
        ("رمز التحقق 48213", {"encoding": "UCS-2"}),
        ("👍🏽 48213 " * 40, {"encoding": "UCS-2", "parts": 7}),
        ("<b>&amp;</b>\r\n {} ", {"cc": None, "media": None}),
        ("", {"type": "MMS", "media": [{"url": "https://example.com/a.png"}]}),
    ],
)
def test_a_text_arrives_as_it_was_sent_in_however_many_parts(
    gateway: Gateway, text: str, others: Mapping[str, Any]
) -> None:
    assert gateway.send(gateway.signed(telnyx.sent(telnyx.event(text=text, **others)))) == TAKEN
    assert gateway.texts == [text]


def test_an_event_that_tells_of_the_same_sms_tells_nothing_new(gateway: Gateway) -> None:
    again = telnyx.event()
    again["data"]["id"] = "another"
    for value in (telnyx.event(), again, telnyx.event(id="another")):
        assert gateway.send(gateway.signed(telnyx.sent(value))) == TAKEN
        gateway.shop.cloud.clock.advance(minutes=3)
    assert gateway.texts == ["Code 48213"] * 2
    assert gateway.kept(InboxKind.UNCLAIMED) == []


@pytest.mark.parametrize(
    ("received_at", "occurred_at", "stated"),
    [
        ("2026-03-01T12:20:07.500Z", "2026-03-01T12:20:08Z", (1_772_367_607_500, 1_772_367_607_500)),
        ("2026-03-01T12:20:07.500+00:00", None, (1_772_367_607_500, 1_772_367_607_500)),
        (None, "2026-03-01T12:20:08Z", (1_772_367_608_000, 1_772_367_608_999)),
        ("soon", "2026-03-01T12:20:08", None),
        (17, None, None),
    ],
)
def test_it_is_received_when_telnyx_says_so(
    received_at: object, occurred_at: object, stated: tuple[int, int] | None
) -> None:
    value = telnyx.event(received_at=received_at)
    value["data"]["occurred_at"] = occurred_at
    reading = provider_named("telnyx").read(Delivery(Request({}), telnyx.sent(value).body), {}, START)
    (sms,) = reading.messages
    assert (sms.stated_at, sms.stated_to) == (stated or (None, None))
    assert (reading.untimed is None) == (stated is not None)
    assert (sms.phone, sms.phone_from, sms.provider_id) == (
        "447472190082",
        "+12025550143",
        "7ee4241c-f127-47e5-9c34-3aac291f8058",
    )


def test_an_event_of_other_types_is_never_our_fault(gateway: Gateway) -> None:
    for value in distorted(telnyx.event()):
        assert gateway.send(gateway.signed(telnyx.sent(value))).status in {200, 400}, value


def test_its_first_delivery_loads_no_more_than_it_needs() -> None:
    asked = "import sys, globalconnect.inbound.providers.telnyx; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asked], cwd=FUNCTIONS, check=True, capture_output=True, text=True)
    assert not {"cryptography.x509", "ssl", "http.client", "email"} & {*loaded.stdout.split()}
