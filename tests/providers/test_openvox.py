"""What is OpenVox's own: ports, a local time, pieces of long SMS."""

from dataclasses import replace

import pytest

from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.times import SECOND
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.runtime.http import Request
from simulation.aws import START, Cloud
from simulation.gateways.openvox import SAMPLE, port_of, sms
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway

PORT = port_of(PHONE)
# 2026-03-01T12:20:07Z
AT = 1_772_367_607 * SECOND


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "openvox", SAMPLE)


def read(sent: Sent, **settings: str) -> Reading:
    query = {name: [value] for name, value in sent.query.items()}
    request = Request({"httpMethod": sent.method, "multiValueQueryStringParameters": query})
    return provider_named("openvox").read(Delivery(request, sent.body), settings, START)


def send(gateway: Gateway, *requests: Sent) -> list[int]:
    return [gateway.send(gateway.signed(sent)).status for sent in requests]


def test_an_sms_is_read_as_it_is_documented() -> None:
    text = " Код كود \N{GRINNING FACE} <b>%20+"
    query = {"phonenumber": "Google", "port": "gsm-1.2", "message": text, "time": "2026-03-01 15:20:07"}
    expected = InboundSms("", "Google", text, "2026-03-01 15:20:07", AT, AT + 999, line="gsm-1.2")
    assert read(Sent("GET", query=query), utc_offset="+03:00") == Reading([expected])
    # As the example of newer firmware has it.
    (newer,) = read(Sent("GET", query={"num": "+12025550143", "port": "3", "message": "5015"})).messages
    assert (newer.phone_from, newer.line, newer.text) == ("+12025550143", "3", "5015")


@pytest.mark.parametrize(("offset", "at"), [("-05:30", AT + 8.5 * 3_600_000), ("+00:00", AT + 3 * 3_600_000)])
def test_a_time_is_read_by_the_offset_of_its_source(offset: str, at: int) -> None:
    (one,) = read(sms(time="2026-03-01 15:20:07"), utc_offset=offset).messages
    assert one.stated_at == at


def test_without_an_offset_a_time_is_none_and_still_tells_a_repeat(cloud: Cloud) -> None:
    gateway = Gateway(cloud, "openvox", replace(SAMPLE, settings={}))
    for second in (7, 7, 8):
        assert send(gateway, sms(port=PORT, time=f"2026-03-01 15:20:0{second}")) == [200]
        gateway.cloud.clock.advance(minutes=3)
    assert gateway.source.last_untimed is not None
    assert gateway.texts == ["Code 48213"] * 2


@pytest.mark.parametrize(
    "time", ["", "yesterday", "2026-03-01", "2026-02-30 15:20:07", "1970-01-01 03:00:00", "9" * 400]
)
def test_what_is_no_time_is_none_and_staff_are_told(time: str) -> None:
    reading = read(sms(time=time), utc_offset="+03:00")
    assert reading.untimed is not None
    assert [(one.stated_at, one.provider_id) for one in reading.messages] == [(None, None)]


def test_without_a_time_the_same_words_are_a_repeat_for_two_minutes(gateway: Gateway) -> None:
    untimed = sms(port=PORT, time="")
    assert send(gateway, untimed, untimed) == [200, 200]
    assert gateway.texts == ["Code 48213"]
    gateway.cloud.clock.advance(seconds=121)
    send(gateway, untimed)
    assert gateway.texts == ["Code 48213"] * 2


def test_pieces_of_a_long_sms_are_sms_as_they_come(gateway: Gateway) -> None:
    send(gateway, sms(port=PORT, message="Your code is "), sms(port=PORT, message="48213"))
    assert sorted(gateway.texts) == ["48213", "Your code is "]


def test_nothing_that_is_sent_is_an_error_of_ours(gateway: Gateway) -> None:
    whole = {**sms().query}
    for name in whole:
        lacking = {key: value for key, value in whole.items() if key != name}
        for query in (
            lacking,
            *({**whole, name: value} for value in ("\0\ufffd", "\ud800", "\N{GRINNING FACE}" * 1000)),
        ):
            assert send(gateway, Sent("GET", query=query))[0] in {200, 400}, query
