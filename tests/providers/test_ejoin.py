"""What is Ejoin's own: rows, texts below a header, lines of several names, states of ports."""

import base64
import json

import pytest

from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import InboundSms, InboxKind
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.times import DAY, MINUTE, SECOND
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.inbound.take import replay
from globalconnect.inbound.waiting import place_waiting
from globalconnect.runtime.http import LARGEST_BODY, Request
from simulation.aws import START, Cloud
from simulation.gateways.ejoin import MAC, SAMPLE, block, dev_status, port_of, posted, raw, row, rows, state
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway
from tests.providers.hostile import json_variants

PORT, SIM = "5.01", "8944100000000000012"
OTHER = "447472190083"
_NO_STATES: list[object] = [None, True, [], {}]


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "ejoin", SAMPLE)


def read(sent: Sent, **settings: str) -> Reading:
    event = {
        "httpMethod": "POST",
        "headers": dict(sent.headers),
        "multiValueQueryStringParameters": {name: [value] for name, value in sent.query.items()},
    }
    return provider_named("ejoin").read(Delivery(Request(event), sent.body), settings, START)


def sms_in(sent: Sent, **settings: str) -> InboundSms:
    (sms,) = read(sent, **settings).messages
    return sms


def send(gateway: Gateway, *requests: Sent) -> list[int]:
    return [gateway.send(gateway.signed(sent)).status for sent in requests]


# ---------------------------------------------------------------- SMS as rows


def test_a_row_is_read_as_it_is_documented() -> None:
    content = base64.b64encode(block(" Код كود \N{GRINNING FACE} <b>\r\n\r\nand more\n").encode()).decode()
    body = f"""{{"type":"recv-sms","sms_num":1,"sms":[[0,"5.01",1772367607,"Google","","{content}","{SIM}"]]}}"""
    at = 1_772_367_607 * SECOND
    expected = InboundSms(
        "",
        "Google",
        " Код كود \N{GRINNING FACE} <b>\r\n\r\nand more\n",
        str(at),
        at,
        at + 999,
        line=SIM,
        aliases=(PORT,),
    )
    assert sms_in(Sent("POST", body=body.encode())) == expected


@pytest.mark.parametrize(
    ("content", "text"),
    [
        # Real headers have three to six lines.
        ('Sender: 1205\r\nReceiver: "12.01" 1646\r\nSMSC: 1405\r\nSCTS: 25082006453A8\r\n\r\nYour code', "Your code"),
        ('Sender: A\nReceiver: "1.01"\nSMSC:\nSCTS:\nSlot: 2\nICCID: 89\n\nYour code', "Your code"),
        ("Sender: A\r\n\r\n", ""),
        ("Sender: A\r\n\r\n\r\n\r\n Sender: B\r\n\r\nC", "\r\n\r\n Sender: B\r\n\r\nC"),
        ("Your code\r\n\r\nSender: A\r\n\r\nB", "Your code\r\n\r\nSender: A\r\n\r\nB"),
        ("Sender: this is a text", "Sender: this is a text"),
        ("", ""),
    ],
)
def test_a_text_begins_after_the_first_blank_line_of_its_header(content: str, text: str) -> None:
    assert sms_in(rows(row(content))).text == text


def test_a_text_that_is_no_utf_8_is_shown_as_far_as_it_is_and_base64_may_be_wrapped_or_unpadded() -> None:
    wrapped = [*row("")[:5], "Q29\r\nkZQ"]
    broken = [*row("")[:5], base64.b64encode(b"caf\xe9").decode()]
    assert [sms.text for sms in read(rows(wrapped, broken)).messages] == ["Code", "caf\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize(
    ("sim", "port", "line", "aliases"),
    [
        (SIM, PORT, SIM, (PORT,)),
        (" ", f" {PORT} ", PORT, ()),
        (None, "12.sp256.101", "12.sp256.101", ()),
        (SIM, "", SIM, ()),
    ],
)
def test_a_line_is_its_sim_by_the_port_too(sim: object, port: object, line: str, aliases: tuple[str, ...]) -> None:
    sms = sms_in(rows(row("5015", sim=sim, port=port)))
    assert (sms.line, sms.aliases) == (line, aliases)


@pytest.mark.parametrize(
    ("to", "phone", "readings"),
    [("+447472190082", PHONE, (PHONE,)), ("07472190082", "07472190082", ("4407472190082", PHONE)), ("none", "", ())],
)
def test_what_a_sim_is_taken_for_loses_no_sms(to: str, phone: str, readings: tuple[str, ...]) -> None:
    sms = sms_in(rows(row("5015", phone=to)), country_code="44")
    assert (sms.phone, sms.readings, sms.line) == (phone, readings, PORT)


def test_the_sims_mapping_comes_before_the_ports_and_that_before_the_number(gateway: Gateway) -> None:
    def texts(lines: dict[str, str], text: str) -> list[str]:
        gateway.lines.replace(SourceId(gateway.source_id), lines)
        assert send(gateway, rows(row(text, sim=SIM, phone=f"+{OTHER}"))) == [200]
        return gateway.texts

    assert texts({SIM: PHONE, PORT: OTHER}, "1") == ["1"]
    assert texts({SIM: OTHER, PORT: PHONE}, "2") == ["1"]
    assert texts({PORT: PHONE}, "3") == ["1", "3"]
    gateway.lines.replace(SourceId(gateway.source_id), {})
    assert send(gateway, rows(row("4", sim=SIM, phone=f"+{PHONE}"))) == [200]
    assert sorted(gateway.texts) == ["1", "3", "4"]


@pytest.mark.parametrize("mapped", [PORT, SIM])
def test_what_waits_is_placed_by_whichever_of_its_names_is_mapped(gateway: Gateway, mapped: str) -> None:
    assert send(gateway, rows(row("5015", sim=SIM))) == [200]
    parts = gateway.shop.inbound_parts
    assert [one.sms.line for one in parts.inbox.waiting(9, None, START).items] == [SIM]
    assert [line.line for line in gateway.lines.every(SourceId(gateway.source_id)) if line.heard_at] == [SIM]
    gateway.lines.replace(SourceId(gateway.source_id), {mapped: PHONE})
    assert (place_waiting(parts, 1_000).count, gateway.texts) == (1, ["5015"])


def test_a_repeat_has_the_same_time_and_another_sms_another(gateway: Gateway) -> None:
    gateway.lines.replace(SourceId(gateway.source_id), {PORT: PHONE})
    once, later = row("5015"), row("5015", START // 1000 + 1)
    assert send(gateway, rows(once), rows(later, once), rows(once, once)) == [200] * 3
    assert gateway.texts == ["5015", "5015"]


@pytest.mark.parametrize("stated", [None, 0, "", "2026-03-01 12:20:07", -1, 10**20, []])
def test_without_a_usable_time_an_sms_has_no_id_and_staff_are_told(stated: object) -> None:
    reading = read(rows(row("5015", stated)))
    assert reading.untimed is not None
    assert [(sms.provider_id, sms.stated_at) for sms in reading.messages] == [(None, None)]


def test_a_row_that_cannot_be_read_is_kept_by_itself_until_it_can(gateway: Gateway) -> None:
    port = port_of(PHONE)
    reports = [1, port, START // 1000, "+12025550143", "", "0 26030115200712"]
    bad = [0, port, START // 1000, "Google", "", "?"]
    assert send(gateway, rows(row("5015", port=port), bad, reports, "no row"), rows(reports, bad)) == [200, 200]
    assert gateway.texts == ["5015"]
    assert len(gateway.kept()) == 2
    parts = gateway.shop.inbound_parts
    for payload in parts.inbox.unreadable(9, None, START).items:
        with pytest.raises(InvalidInput, match="sms: expected"):
            replay(payload, gateway.source, parts)


def test_more_rows_or_ports_than_we_take_are_413(gateway: Gateway) -> None:
    with pytest.raises(TooLarge):
        read(dev_status(*[{"port": "1"}] * 5_001))
    assert send(gateway, rows(*[row("5015")] * 101)) == [413]
    assert "100" in f"{gateway.source.last_unreadable}"


# ---------------------------------------------------------------- SMS to HTTP


def test_an_sms_is_a_body_below_a_query() -> None:
    sms = sms_in(raw(block(" Код\r\n\r\n5015", sender="Other", port="61.01", phone=f"+{PHONE}")))
    expected = InboundSms(PHONE, "Google", " Код\r\n\r\n5015", "260301152007+12", line=SIM, aliases=("61A",))
    assert sms == expected


@pytest.mark.parametrize(
    ("query", "line"),
    [({}, SIM), ({"iccid": ""}, "61A"), ({"iccid": "", "port": ""}, "61.01")],
)
def test_what_the_query_lacks_is_in_the_header(query: dict[str, str], line: str) -> None:
    sms = sms_in(raw(block("5015", sender="Bank", port="61.01"), sender="", **query))
    assert (sms.phone_from, sms.line, sms.text) == ("Bank", line, "5015")


def test_a_body_without_a_header_is_a_text_and_even_json_is(gateway: Gateway) -> None:
    gateway.lines.replace(SourceId(gateway.source_id), {"61A": PHONE})
    assert send(gateway, raw('{"type":"dev-status"}'), raw("Sender: me")) == [200, 200]
    assert sorted(gateway.texts) == ["Sender: me", '{"type":"dev-status"}']
    assert gateway.source.last_untimed is not None


def test_a_repeat_has_the_same_stamp_of_the_network(gateway: Gateway) -> None:
    gateway.lines.replace(SourceId(gateway.source_id), {"61A": PHONE})
    for stated in ("1", "1", "2"):
        assert send(gateway, raw(block("5015", stated=stated))) == [200]
        gateway.cloud.clock.advance(minutes=3)
    assert gateway.texts == ["5015", "5015"]


# ---------------------------------------------------------------- states


@pytest.mark.parametrize(
    ("st", "is_online"),
    [
        *[(st, True) for st in (3, "3", "3 registered", " 4", "4.0", 3.0)],
        *[(st, False) for st in (0, "0", 6, 7, 8, 9, 16, "16 timeout")],
        *[(st, None) for st in (1, 2, 5, 10, 11, 12, 13, 14, 15, 17, 33, "31", -3, "", "registered")],
        *[(st, None) for st in _NO_STATES],
    ],
)
def test_a_state_is_online_offline_or_neither(st: object, is_online: bool | None) -> None:
    assert read(dev_status(state(PORT, st))).reports[0].lines == (ReportedLine(PORT, SIM, is_online),)


@pytest.mark.parametrize(("active", "is_online"), [(0, False), ("0", False), (False, False), (1, True), (None, True)])
def test_where_another_sim_of_the_port_is_in_use_this_one_is_offline(active: object, is_online: bool) -> None:
    (report,) = read(dev_status(state("5.02", 3, active=active))).reports
    assert [line.is_online for line in report.lines] == [is_online]


@pytest.mark.parametrize(
    ("fields", "device", "good_for"),
    [
        ({}, MAC, 180 * SECOND),
        ({"mac": f" {MAC} ", "expires": "600"}, MAC, 600 * SECOND),
        ({"mac": "", "expires": 1}, "device", MINUTE),
        ({"mac": None, "expires": 10**9}, "device", DAY),
        ({"mac": "x" * 201, "expires": None}, "device", 180 * SECOND),
        ({"expires": 0}, MAC, 180 * SECOND),
        ({"expires": [1]}, MAC, 180 * SECOND),
    ],
)
def test_a_report_is_a_devices_and_good_for_as_long_as_it_says(
    fields: dict[str, object], device: str, good_for: int
) -> None:
    lines = (ReportedLine("5.01", SIM, True), ReportedLine("5.02", None, False))
    sent = dev_status(state("5.01", 3), state("5.02", 0, iccid=""), **fields)
    assert read(sent) == Reading(reports=[DeviceReport(device, lines, good_for)])


@pytest.mark.parametrize(
    "sent",
    [
        posted(**{"type": "port-status", "mac": MAC} | state(PORT, 0)),
        posted(type="port-status", mac=MAC, status=state(PORT, 0)),
        posted(type="port-status", mac=MAC, status=[state(PORT, 0)]),
    ],
)
def test_a_change_is_a_report_of_one_port(sent: Sent) -> None:
    expected = DeviceReport(MAC, (ReportedLine(PORT, SIM, False),))
    assert read(sent) == Reading(reports=[expected])


def test_of_a_report_what_can_be_read_counts() -> None:
    odd: list[object] = [None, 5, [], {}, {"port": ""}, {"port": []}, {"port": "x" * 201, "st": 3}]
    (report,) = read(dev_status(*odd, {"port": 5, "st": "3", "iccid": "x" * 201})).reports
    assert report.lines == (ReportedLine("5", None, True),)
    assert read(dev_status()).reports[0].lines == ()


def test_a_report_of_1000_lines_fits_into_a_delivery(gateway: Gateway) -> None:
    sent = dev_status(*(state(f"{port}.{slot:02}", 3) for port in range(1, 126) for slot in range(1, 9)))
    assert len(json.loads(sent.body)["status"]) == 1_000
    assert len(sent.body) < LARGEST_BODY
    assert send(gateway, sent) == [200]


def test_nothing_that_is_sent_is_an_error_of_ours(gateway: Gateway) -> None:
    several = [
        rows(row(block("Code 48213"), sim=SIM)),
        dev_status(state(PORT, 3)),
        posted(**{"type": "port-status", "mac": MAC} | state(PORT, 0)),
    ]
    for genuine in several:
        for sent in json_variants(genuine):
            assert send(gateway, sent)[0] in {200, 400}, sent
    for body in (b"", b"\xff\xfe", b"Sender:\r\n\r\n", b'Sender:\r\nReceiver: "\r\n:\r\n\r\n\xe9', b"\n" * 200_000):
        for query in ({}, {"port": "\0"}, {"iccid": "9" * 5_000}):
            sent = Sent("POST", query=query, headers={"Content-Type": "Application/Octet-Stream; x"}, body=body)
            assert send(gateway, sent)[0] in {200, 400}, sent
    assert not gateway.kept(InboxKind.UNCLAIMED)
