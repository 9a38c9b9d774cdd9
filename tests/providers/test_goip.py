"""What is the GoIP server's own: lines, and times with or without their zone."""

import pytest

from globalconnect.domain.inbound import InboundSms, InboxKind
from globalconnect.domain.times import SECOND
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.runtime.http import Request
from simulation.aws import START, Cloud
from simulation.gateways import goip
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway
from tests.providers.hostile import json_variants

LINE = goip.line_of(PHONE)
# 2026-03-01T12:20:07Z
AT = 1_772_367_607 * SECOND


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "goip", goip.SAMPLE)


def read(sent: Sent, **settings: str) -> Reading:
    return provider_named("goip").read(Delivery(Request({}), sent.body), settings, START)


def test_an_sms_is_read_as_it_is_told() -> None:
    body = """{"goip_line":"goip-10101","from_number":"Google","content":" Код كود 😀 <b>\\n",
        "recv_time":"2026-03-01 12:20:07"}"""
    text = " Код كود \N{GRINNING FACE} <b>\n"
    expected = InboundSms("", "Google", text, "2026-03-01 12:20:07", AT, AT + 999, line="goip-10101")
    assert read(Sent("POST", body=body.encode()), utc_offset="+00:00") == Reading([expected])


@pytest.mark.parametrize(
    ("stated", "settings", "at"),
    [
        ("2026-03-01 15:20:07", {"utc_offset": "+03:00"}, AT),
        ("2026-03-01T12:20:07Z", {}, AT),
        # What states its zone is right without the source's.
        ("2026-03-01T12:20:07.000Z", {"utc_offset": "+03:00"}, AT),
        ("2026-03-01 15:20:07", {}, None),
        ("1970-01-01 00:00:00", {"utc_offset": "+00:00"}, None),
        ("soon", {"utc_offset": "+03:00"}, None),
        (None, {"utc_offset": "+03:00"}, None),
        (5, {"utc_offset": "+03:00"}, None),
    ],
)
def test_a_time_is_one_if_its_zone_is_known(stated: object, settings: dict[str, str], at: int | None) -> None:
    reading = read(goip.received(recv_time=stated), **settings)
    assert [sms.stated_at for sms in reading.messages] == [at]
    assert (reading.untimed is None) == (at is not None)


def test_a_repeat_has_the_same_time(gateway: Gateway) -> None:
    for second in (0, 0, 1):
        sent = goip.received(goip_line=LINE, recv_time=f"2026-09-21 17:13:2{second}")
        assert gateway.send(gateway.signed(sent)).status == 200
        gateway.cloud.clock.advance(minutes=3)
    assert gateway.texts == ["Code 48213"] * 2


def test_nothing_that_is_sent_is_an_error_of_ours(gateway: Gateway) -> None:
    for sent in json_variants(goip.received()):
        assert gateway.send(gateway.signed(sent)).status in {200, 400}, sent
    assert not gateway.kept(InboxKind.UNCLAIMED)
