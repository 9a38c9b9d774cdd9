"""What is Jasmin's own: octets in data codings, no times, a line for names."""

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from globalconnect.domain.ids import SourceId
from globalconnect.inbound.take import replay
from simulation.aws import Cloud
from simulation.gateways.jasmin import SAMPLE, form, sms
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Answer, Gateway

ACKNOWLEDGED = Answer(200, "text/plain", "ACK/Jasmin")
CONNECTOR = "mno1"


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "jasmin", SAMPLE)


def send(gateway: Gateway, *requests: Sent) -> list[int]:
    return [gateway.send(gateway.signed(request)).status for request in requests]


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        # Today's version sends the octet itself, earlier ones its digits; none is the default alphabet.
        ("041A043E0434", b"\x08", "Код"),
        ("041A043E0434", "8", "Код"),
        ("06270644063106450632", "8", "الرمز"),
        ("D83DDE0000350030", "8", "\N{GRINNING FACE}50"),
        ("1B65203530", b"\x00", "€ 50"),
        ("1B65203530", "0", "€ 50"),
        ("1B65203530", "", "€ 50"),
        ("4135", b"\x01", "A5"),
        ("43E97F", b"\x03", "Cé\x7f"),
        ("BADED4", b"\x06", "Код"),
        ("F7E5E3", b"\x07", "קוד"),
        # Classes: flash SMS, such as codes are sent by.
        ("1B6535", b"\x10", "€5"),
        ("0416", b"\x18", "Ж"),
        ("1B6535", b"\xf0", "€5"),
        ("1B6535", "241", "€5"),
        ("", b"\x08", ""),
        # Whose octets are no UTF-8, and markup.
        ("3C62E93E26233B", b"\x03", "<bé>&#;"),
    ],
)
def test_a_text_is_read_by_its_coding(gateway: Gateway, octets: str, coding: bytes | str, text: str) -> None:
    assert send(gateway, sms(PHONE, bytes.fromhex(octets), coding)) == [200]
    assert gateway.texts == [text]


def test_without_a_coding_or_by_get_it_is_read_alike(gateway: Gateway) -> None:
    posted = sms(PHONE, b"\x1be 5015", b"\x18")
    fields = dict(parse_qsl(posted.body.decode(), keep_blank_values=True)) | {"binary": "00350030", "id": "by GET"}
    uncoded = form(id="3", to=PHONE, binary=b"\x1be 5015".hex(), **{"from": "Google"})
    assert send(gateway, Sent("GET", query=fields), uncoded) == [200, 200]
    assert sorted(gateway.texts) == ["50", "€ 5015"]


@pytest.mark.parametrize(("alphabet", "text"), [("gsm7", "¡é"), ("latin1", "@\x05"), ("ascii", "@\x05")])
@pytest.mark.parametrize("coding", [b"\x00", b"\xf0"])
def test_the_default_alphabet_is_what_the_source_says(cloud: Cloud, alphabet: str, text: str, coding: bytes) -> None:
    gateway = Gateway(cloud, "jasmin", replace(SAMPLE, settings={"default_alphabet": alphabet}))
    send(gateway, sms(PHONE, b"@\x05", coding))
    assert gateway.texts == [text]


def test_what_is_no_text_is_acknowledged_and_kept_for_staff(gateway: Gateway) -> None:
    codings = (b"\x02", b"\x04", b"\x05", b"\x14", b"\x1c", b"\x20", b"\xf4", b"\xff", "245")
    sent = [gateway.signed(sms(PHONE, b"\x00\xff", coding)) for coding in codings]
    assert [gateway.send(one) for one in sent * 2] == [ACKNOWLEDGED] * 18
    assert {kept["payload"] for kept in gateway.kept()} == {one.body for one in sent}
    assert gateway.texts == []


def test_an_sms_is_one_by_its_id(gateway: Gateway) -> None:
    once = sms(PHONE, b"5015", b"\x00", id="a")
    send(gateway, once, once, sms(PHONE, b"5015", b"\x00", id="b"), replace(once, path="ignored"))
    assert gateway.texts == ["5015", "5015"]
    assert gateway.source.last_untimed is not None


@pytest.mark.parametrize("to", ["", "Shop", "+"])
def test_one_without_a_number_is_that_of_its_connectors_line(gateway: Gateway, to: str) -> None:
    sent = sms("", b"5015", b"\x00", to=to)
    assert send(gateway, sent) == [200]
    inbox = gateway.shop.inbound_parts.inbox
    assert [kept.sms.line for kept in inbox.waiting(9, None, gateway.cloud.clock()).items] == [CONNECTOR]
    gateway.lines.replace(SourceId(gateway.source_id), {CONNECTOR: PHONE})
    send(gateway, sms("", b"5016", b"\x00", to=to, id="4"))
    assert gateway.texts == ["5016"]


def test_a_number_is_never_overruled_by_the_connectors_line(gateway: Gateway) -> None:
    gateway.lines.replace(SourceId(gateway.source_id), {CONNECTOR: "447472190099"})
    send(gateway, sms(PHONE, b"5015", b"\x00"))
    assert gateway.texts == ["5015"]


@pytest.mark.parametrize(
    ("headers", "charset", "coding"),
    [
        (("060804012A0201", "060804012A0202"), "utf-16-be", b"\x08"),
        (("0500032A0201", "0500032A0202"), "latin-1", b"\x03"),
    ],
)
def test_parts_that_jasmin_does_not_join_are_joined(
    gateway: Gateway, headers: tuple[str, str], charset: str, coding: bytes
) -> None:
    octets = "Código: \xbf5015?".encode(charset)
    # Cut within a character, where it has more octets than one.
    pieces = (octets[:7], octets[7:])
    first, second = (
        sms(PHONE, bytes.fromhex(header) + piece, coding, id=header)
        for header, piece in zip(headers, pieces, strict=True)
    )
    send(gateway, second, second)
    assert gateway.texts == []
    send(gateway, first, first, second)
    assert gateway.texts == ["Código: \xbf5015?"]


def test_what_only_begins_like_a_header_is_text(gateway: Gateway) -> None:
    send(gateway, sms(PHONE, b"\x05\x00\x03 is", b"\x00"), sms(PHONE, b"\x05\x00\x03\x2a\x01\x01", b"\x00", id="2"))
    assert sorted(gateway.texts) == sorted(["é@¥ is", "é@¥*££"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"binary": "4"},
        {"binary": "é"},
        {"coding": "256"},
        {"coding": "\N{GRINNING FACE}"},
        {"coding": "9" * 5000},
        {"to": "Shop", "origin_connector": ""},
        {"to": "Shop", "origin_connector": "x" * 201},
    ],
)
def test_what_cannot_be_read_is_400(gateway: Gateway, wrong: dict[str, str]) -> None:
    assert send(gateway, sms(PHONE, b"5015", **wrong)) == [400]


def test_rubbish_is_never_an_error_of_ours(gateway: Gateway) -> None:
    for body in (b"\xff\x00", b"&&&", b"=", b"id=1", b"binary=35&binary", b"x" * 250_000, b"%", b"{}"):
        assert send(gateway, Sent("POST", body=body))[0] in {200, 400}
    assert gateway.texts == []


def test_a_payload_of_a_coding_that_is_known_since_is_read_again(gateway: Gateway) -> None:
    sent = gateway.signed(sms(PHONE, b"5015", coding="256"))
    gateway.send(sent)
    parts = gateway.shop.inbound_parts
    (payload,) = parts.inbox.unreadable(1, None, gateway.cloud.clock()).items
    fixed = replace(payload, body=payload.body.replace(b"coding=256", b"coding=0"))
    replay(fixed, gateway.source, parts)
    assert gateway.texts == ["5015"]
