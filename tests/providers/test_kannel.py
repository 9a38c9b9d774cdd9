"""What is Kannel's own: octets in a query, times in seconds, parts by a header, an empty answer."""

import pytest

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import InboxKind
from globalconnect.inbound.take import replay
from simulation.aws import START, Cloud
from simulation.gateways.kannel import SAMPLE, as_query, sms
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Answer, Gateway

WIDE = {"coding": "2", "charset": "UTF-16BE"}


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "kannel", SAMPLE)


def send(gateway: Gateway, *requests: Sent) -> list[int]:
    return [gateway.send(gateway.signed(request)).status for request in requests]


def wide(text: str, **fields: str) -> Sent:
    """Return an SMS that Kannel doesn't recode."""
    return sms(PHONE, as_query(text.encode("utf-16-be")), **WIDE, **fields)


@pytest.mark.parametrize(
    "text", ["Код: 5015", "الرمز 5015", "\N{GRINNING FACE} 5015", '<b onload="x">&amp;', "", " 1\n"]
)
def test_a_text_arrives_as_it_is_and_nothing_is_answered(gateway: Gateway, text: str) -> None:
    assert gateway.send(gateway.signed(sms(PHONE, text))) == Answer(200, "text/plain", "")
    assert gateway.texts == [text]


def test_octets_of_ucs_2_are_read_where_the_query_keeps_them_and_else_refused(gateway: Gateway) -> None:
    assert send(gateway, wide("Код م", id="1"), wide("Код é", id="2"), wide("\N{GRINNING FACE}", id="3")) == [
        200,
        400,
        400,
    ]
    assert gateway.texts == ["Код م"]


def test_what_is_no_text_is_acknowledged_and_kept_for_staff(gateway: Gateway) -> None:
    sent = sms(
        PHONE, as_query(b"\x01\x06\xff"), coding="1", charset="8-BIT", udh=as_query(b"\x06\x05\x04\x0b\x84\x23\xf0")
    )
    assert send(gateway, sent, sent) == [200, 200]
    (kept,) = gateway.kept()
    assert gateway.secret.encode() not in kept["payload"]
    assert gateway.texts == []
    parts = gateway.shop.inbound_parts
    (payload,) = parts.inbox.unreadable(1, None, gateway.cloud.clock()).items
    with pytest.raises(InvalidInput, match="coding: it is no text"):
        replay(payload, gateway.source, parts)
    assert len(gateway.kept()) == 1


def test_an_sms_is_one_by_its_id_and_two_by_two(gateway: Gateway) -> None:
    send(gateway, sms(PHONE, "5015"), sms(PHONE, "5015", time="", charset=""), sms(PHONE, "5015", id="another"))
    assert gateway.texts == ["5015", "5015"]


def test_a_time_that_is_none_is_noted(gateway: Gateway) -> None:
    for time in ("", "-1", "yesterday", "1e400", "9" * 400, "\u0665"):
        assert send(gateway, sms(PHONE, "5015", time=time)) == [200]
    assert gateway.texts == ["5015"]
    assert gateway.source.last_untimed is not None


def test_what_its_smsc_received_before_the_sale_is_not_the_buyers(gateway: Gateway) -> None:
    send(gateway, sms(PHONE, "5015", time=str(START // 1000 - 86_400)), sms(PHONE, "5016", id="2"))
    assert gateway.texts == ["5016"]
    assert [kept["text"] for kept in gateway.kept(InboxKind.UNCLAIMED)] == ["5015"]
    assert gateway.source.last_untimed is None


def test_one_without_a_number_is_that_of_its_smscs_line(gateway: Gateway) -> None:
    gateway.lines.replace(SourceId(gateway.source_id), {"m1": PHONE})
    send(gateway, sms("", "5015", to="Shop"), sms("447472190099", "5016", id="2"))
    assert gateway.texts == ["5015"]


@pytest.mark.parametrize(
    "headers",
    [
        [bytes([5, 0, 3, 0x2A, 3, number]) for number in (1, 2, 3)],
        [bytes([6, 8, 4, 1, 0x2A, 3, number]) for number in (1, 2, 3)],
        [bytes([11, 5, 4, 0x15, 0x0A, 0, 0, 0, 3, 0x2A, 3, number]) for number in (1, 2, 3)],
    ],
)
def test_parts_that_are_not_combined_are_joined_in_any_order(gateway: Gateway, headers: list[bytes]) -> None:
    first, second, third = (
        sms(PHONE, text, id=text, udh=as_query(header))
        for text, header in zip(["Код: ", "5015 ", "\N{GRINNING FACE}"], headers, strict=True)
    )
    assert send(gateway, third, third, first, second, first) == [200] * 5
    assert gateway.texts == ["Код: 5015 \N{GRINNING FACE}"]


def test_a_wide_character_that_is_cut_between_parts_is_whole(gateway: Gateway) -> None:
    octets = "ЖЩ".encode("utf-16-be")
    for number, piece in enumerate([octets[:1], octets[1:]], 1):
        send(gateway, sms(PHONE, as_query(piece), **WIDE, id=str(number), udh=as_query(bytes([5, 0, 3, 1, 2, number]))))
    assert gateway.texts == ["ЖЩ"]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (bytes([5, 0, 3, 0x2A, 2, 3]), 400),
        (bytes([5, 0, 3, 0x2A, 1, 1]), 400),
        (bytes([5, 0, 3, 0x2A, 0, 0]), 400),
        # Its reference is lost in the URL: it could be mistaken for another's.
        (bytes([5, 0, 3, 0xAA, 2, 1]), 400),
        # Cut off, or about something else: a text like any other.
        (bytes([5, 0, 3, 0x2A]), 200),
        (bytes([4, 0x24, 2, 1, 2]), 200),
    ],
)
def test_a_place_that_cannot_be_is_400(gateway: Gateway, header: bytes, status: int) -> None:
    assert send(gateway, sms(PHONE, "5015", udh=as_query(header))) == [status]
    assert gateway.texts == (["5015"] if status == 200 else [])


def test_rubbish_is_never_an_error_of_ours(gateway: Gateway) -> None:
    whole = {**sms(PHONE, "5015").query}
    for name in whole:
        lacking = {key: value for key, value in whole.items() if key != name}
        for query in (lacking, *({**whole, name: value} for value in ("\0\ufffd", "\N{GRINNING FACE}" * 1000))):
            assert send(gateway, Sent("GET", query=query))[0] in {200, 400}


def test_what_lost_characters_on_its_way_is_kept_as_it_came(gateway: Gateway) -> None:
    assert send(gateway, sms(PHONE, "caf\N{REPLACEMENT CHARACTER}", charset="ISO-8859-1")) == [400]
    assert gateway.texts == []
    assert len(gateway.kept()) == 1
    assert send(gateway, sms(PHONE, "caf\N{REPLACEMENT CHARACTER}", charset="UTF-8", id="another")) == [200]
