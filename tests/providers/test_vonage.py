"""What is Vonage's own: signatures over fields by five algorithms, three ways to send them, parts of long SMS."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from globalconnect.domain.inbound import InboxKind
from simulation.aws import START, Cloud
from simulation.gateways.sample import Sent
from simulation.gateways.vonage import SAMPLE, as_form, as_json, as_query, fields_of, signature, signed
from tests.providers.gateway import PHONE, Answer, Gateway

type Form = Callable[[Mapping[str, str]], Sent]
FORMS = [as_query, as_form, as_json]
ALGORITHMS = ["md5hash", "md5", "sha1", "sha256", "sha512"]
ACKNOWLEDGED = Answer(200, "text/plain", "")

# Of the tests of their SDK for PHP (vonage-php-sdk-core, test/Client/SignatureTest.php).
PUBLISHED_SECRET = "my_secret_key_for_testing"
PUBLISHED = {
    "message-timestamp": "2013-11-21 15:27:30",
    "messageId": "020000001B0FE827",
    "msisdn": "14843472194",
    "text": "Test again",
    "timestamp": "1385047698",
    "to": "13239877404",
    "type": "text",
}
PUBLISHED_SIGNATURES = {
    "md5hash": "d2e7b1dc968737c5998ad624e02f90b7",
    "md5": "DDEBD46008C2D4E93CCE578A332A52D5",
    "sha1": "27D0D05C2876C7CB1720DBCDBA4D492E1E55C09A",
    "sha256": "DDB8397C2B90AAC7F3882D306475C9A5058C92322EEF43C92B298B6E0FC0D330",
    "sha512": "E0D3C650F8C9D1A5C174D10DDDBFB003E561F59B265616208B0487C5D819481C"
    "D3C311D59CF6165ECD1139622D5BA3A256C0D763AC4A9AD9144B5A426B94FE82",
}
PUBLISHED_WITH_SEPARATORS = {
    "keyword": "TEST",
    "message-timestamp": "2017-04-04 22:57:47",
    "messageId": "0B00000042AC53BD",
    "msisdn": "14843472194",
    "nonce": "929d6744-bd28-42c8-b6cf-31d5b4f43732",
    "sig": "e06d9763e3fd0b9c31beb5fc2fcb011c",
    "text": "Test with & and =",
    "timestamp": "1491346667",
    "to": "12192259404",
    "type": "text",
}


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "vonage", SAMPLE)


def send(gateway: Gateway, form: Form, *messages: Mapping[str, str]) -> list[int]:
    return [gateway.send(form(signed(fields, gateway.secret))).status for fields in messages]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_they_have_published_is_authentic_and_nothing_else(cloud: Cloud, algorithm: str, form: Form) -> None:
    sample = replace(SAMPLE, settings={"algorithm": algorithm}, secret=lambda _: PUBLISHED_SECRET)
    gateway = Gateway(cloud, "vonage", sample)
    genuine = {**PUBLISHED, "sig": PUBLISHED_SIGNATURES[algorithm]}
    others = {**PUBLISHED_SIGNATURES, algorithm: "0" * 64}.values()
    forged = [{**genuine, "sig": other} for other in others] + [{**genuine, "text": "Test again "}]
    assert {gateway.send(form(fields)).status for fields in forged} == {401}
    swapped = {**genuine, "sig": genuine["sig"].swapcase()}
    assert [gateway.send(form(fields)) for fields in (genuine, swapped)] == [ACKNOWLEDGED] * 2


def test_separators_in_texts_are_signed_as_they_have_published(cloud: Cloud) -> None:
    gateway = Gateway(cloud, "vonage", replace(SAMPLE, secret=lambda _: PUBLISHED_SECRET))
    for form in FORMS:
        assert gateway.send(form(PUBLISHED_WITH_SEPARATORS)) == ACKNOWLEDGED
    assert signature(PUBLISHED_WITH_SEPARATORS, PUBLISHED_SECRET) == PUBLISHED_WITH_SEPARATORS["sig"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["Код: 5015", "الرمز 5015", "\N{GRINNING FACE}", "<b>&=%26 +\r\n", "", " 5 "])
def test_a_text_arrives_as_it_is_however_it_is_sent(gateway: Gateway, form: Form, text: str) -> None:
    assert send(gateway, form, fields_of("1", PHONE, text)) == [200]
    assert gateway.texts == [text]


def test_an_sms_is_one_by_its_id_for_the_day_that_it_is_sent_again(gateway: Gateway) -> None:
    fields = fields_of("1", PHONE, "5015")
    send(gateway, as_query, fields, fields_of("2", PHONE, "5015"))
    gateway.shop.cloud.clock.advance(minutes=23 * 60)
    assert send(gateway, as_form, fields, {**fields, "nonce": "another"}) == [200, 200]
    assert gateway.texts == ["5015", "5015"]
    assert gateway.kept(InboxKind.UNCLAIMED) == []


@pytest.mark.parametrize("stated", ["", "2024-01-15 12:34:56", "-5", "9" * 500])
def test_a_time_that_is_none_is_noted(gateway: Gateway, stated: str) -> None:
    send(gateway, as_form, fields_of("1", PHONE, "5015", timestamp=stated))
    assert gateway.texts == ["5015"]
    assert gateway.source.last_untimed is not None


def part(text: str, number: int | str, total: int | str = 3, **fields: str) -> dict[str, str]:
    place = {"concat": "true", "concat_ref": "4", "concat_total": str(total), "concat_part": str(number)}
    return fields_of(f"part {number}", PHONE, text, **place | fields)


@pytest.mark.parametrize("form", FORMS)
def test_parts_are_joined_in_any_order_and_once(gateway: Gateway, form: Form) -> None:
    first, second, third = (part(text, number) for number, text in enumerate(["Код: ", "", "50 \N{GRINNING FACE}"], 1))
    assert send(gateway, form, third, first, third) == [200] * 3
    assert gateway.texts == []
    assert send(gateway, form, second, second, first, third) == [200] * 4
    assert gateway.texts == ["Код: 50 \N{GRINNING FACE}"]


def test_a_character_that_is_cut_between_parts_of_json_is_whole(gateway: Gateway) -> None:
    for number, half in enumerate(["5015 \ud83d", "\ude00"], 1):
        fields = part(half, number, total=2, keyword="5015")
        # What can't be said in UTF-8 is signed as what it is read as.
        sig = signature({**fields, "text": re.sub("[\ud83d\ude00]", "\ufffd", half)}, gateway.secret)
        assert gateway.send(as_json({**fields, "sig": sig})) == ACKNOWLEDGED
    assert gateway.texts == ["5015 \N{GRINNING FACE}"]


@pytest.mark.parametrize(
    "place",
    [
        {"concat_part": "0"},
        {"concat_part": "4"},
        {"concat_part": "x"},
        {"concat_total": "1", "concat_part": "1"},
        {"concat_total": "256"},
        {"concat_total": ""},
    ],
)
def test_a_place_that_cannot_be_is_400(gateway: Gateway, place: dict[str, str]) -> None:
    assert send(gateway, as_form, part("5015", 1, **place)) == [400]


@pytest.mark.parametrize("form", FORMS)
def test_a_binary_message_is_acknowledged_and_kept_for_staff(gateway: Gateway, form: Form) -> None:
    # As in their SDK's test/SMS/requests/inbound-binary.txt.
    data = "EA0601AE02056A0045C60C037761702E6F7A656B692E6875000801034F7A656B69000101"
    fields = fields_of("1", PHONE, "Binary message", type="binary", data=data, udh="0605040B8423F0")
    del fields["text"]
    assert send(gateway, form, fields, fields) == [200, 200]
    assert len(gateway.kept()) == 1
    assert gateway.texts == []


def test_numbers_and_flags_of_json_are_signed_as_they_are_spelled(gateway: Gateway) -> None:
    at = f"{START // 1000}.0"
    body = as_json(signed(part("50", 1, total=2, timestamp=at), gateway.secret)).body.decode()
    for value in ("true", "1", "2", at):
        body = body.replace(f'"{value}"', value)
    assert gateway.send(replace(as_json({}), body=body.encode())) == ACKNOWLEDGED
    assert gateway.send(as_json(signed(part("15", 2, total=2), gateway.secret))) == ACKNOWLEDGED
    assert gateway.texts == ["5015"]


@pytest.mark.parametrize("nothing", [None, "", " \n"])
def test_what_says_nothing_is_signed_as_an_empty_value_or_not_at_all(gateway: Gateway, nothing: str | None) -> None:
    # Their library for PHP does the former (Client/Signature.php), that for Java the latter (auth/RequestSigning.java).
    for number, said in enumerate([{"udh": nothing or ""}, {}]):
        fields = fields_of(f"id-{number}", PHONE, f"501{number}")
        sig = signature({**fields, **said}, gateway.secret)
        assert gateway.send(as_json({**fields, "udh": nothing, "sig": sig})) == ACKNOWLEDGED
        assert gateway.send(as_json({**fields, "udh": "1", "sig": sig})).status == 401
        assert gateway.send(as_json({**fields, "text": nothing, "sig": sig})).status == 401
    assert sorted(gateway.texts) == ["5010", "5011"]


@pytest.mark.parametrize("name", ["sig", "type", "to", "msisdn", "messageId", "text", "timestamp", "concat-ref", "new"])
def test_a_wrong_type_in_a_field_is_never_an_error_of_ours(gateway: Gateway, name: str) -> None:
    values: list[object] = [None, True, 17, 1e300, [], {"a": "b"}, "\ud83d", "x" * 200_000, "\0&=%"]
    for value in values:
        fields: dict[str, object] = {**fields_of("1", PHONE, "5015"), name: value}
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        texts = {name: text.replace("\ud83d", "\ufffd") for name, text in texts.items()}
        for sent in (as_json({**fields, "sig": signature(texts, gateway.secret)}), as_json(fields)):
            assert gateway.send(sent).status in {200, 400, 401}


def test_rubbish_is_a_wrong_signature(gateway: Gateway) -> None:
    deep = b'{"sig":' * 5000
    for body in (b"{", b'{"sig":', b"{}", b"[]", b"\xff\xfe", b"sig", b"&" * 600, deep, b"\x1f\x8b\x08", b"sig=\xff"):
        assert gateway.send(Sent("POST", body=body)).status == 401


def test_a_field_twice_counts_as_its_last(gateway: Gateway) -> None:
    sent = as_form(signed(fields_of("1", PHONE, "5015"), gateway.secret))
    assert gateway.send(replace(sent, body=b"text=5016&" + sent.body)) == ACKNOWLEDGED
    assert gateway.send(replace(sent, body=sent.body + b"&text=5016")).status == 401
    assert gateway.texts == ["5015"]
