"""What is SMS Gateway for Android's own."""

import pytest

from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import InboundSms, InboxKind
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.times import MINUTE, SECOND
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.runtime.http import Request
from simulation.aws import START, Cloud
from simulation.gateways import smsgate
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway
from tests.providers.hostile import header_variants, json_variants

_UNUSABLE: list[object] = [None, "", "unknown", "???", {}, True]


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "smsgate", smsgate.SAMPLE)


def _read(sent: Sent, **settings: str) -> Reading:
    return provider_named("smsgate").read(Delivery(Request({}), sent.body), settings, START)


def _sms(sent: Sent, **settings: str) -> InboundSms:
    (sms,) = _read(sent, **settings).messages
    return sms


def test_an_sms_is_read_as_it_is_documented() -> None:
    body = """{"deviceId":"dv-19","event":"sms:received","id":"k2Lq","webhookId":"w1","payload":{"messageId":"7be0c1d2",
        "message":" Код \\u0643\\u0648\\u062f \\ud83d\\ude00 <b>48213</b>\\n","sender":"Google","recipient":null,
        "simNumber":2,"receivedAt":"2026-03-01T15:20:07.000+03:00","phoneNumber":"Google"}}"""
    at = 1_772_367_607 * SECOND
    assert _sms(Sent("POST", body=body.encode())) == InboundSms(
        phone="",
        phone_from="Google",
        text=" Код كود \N{GRINNING FACE} <b>48213</b>\n",
        provider_id=f"7be0c1d2\n{at}",
        stated_at=at,
        # The network's clock ticks in seconds.
        stated_to=at + 999,
        line="dv-19:2",
    )


@pytest.mark.parametrize(
    ("recipient", "phone", "readings"),
    [
        ("+447472190082", PHONE, (PHONE,)),
        ("07472 190082", "07472 190082", ("4407472190082", PHONE)),
        *[(unusable, "", ()) for unusable in _UNUSABLE],
    ],
)
def test_what_a_sim_says_in_place_of_its_number_loses_no_sms(
    recipient: object, phone: str, readings: tuple[str, ...]
) -> None:
    sms = _sms(smsgate.received(recipient=recipient), country_code="44")
    assert (sms.phone, sms.readings, sms.line) == (phone, readings, "dv-19:2")


def test_a_sim_that_is_not_known_leaves_the_device_as_the_line() -> None:
    assert _sms(smsgate.received(simNumber=None)).line == "dv-19"


def test_the_mapping_of_a_line_wins_over_what_its_sim_says(gateway: Gateway) -> None:
    gateway.lines.replace(SourceId(gateway.source_id), {"dv-19:2": PHONE})
    assert gateway.send(gateway.signed(smsgate.received(recipient="+447472190099"))).status == 200
    assert gateway.texts == ["Code 48213"]


def test_a_duplicate_has_a_new_event_and_its_id_is_of_more_than_one_sms(gateway: Gateway) -> None:
    def sent(event_id: str = "k2Lq", **changes: object) -> Sent:
        one = smsgate.received(recipient=f"+{PHONE}", **changes)
        return Sent("POST", body=one.body.replace(b"k2Lq", event_id.encode()))

    later = {"receivedAt": "2026-09-21T17:13:21.000+03:00"}
    # The same moment, after the telephone has travelled.
    elsewhere = {"receivedAt": "2026-09-21T15:13:20.000+01:00"}
    several = [
        *(sent(), sent("zzzz"), sent("yyyy", **elsewhere)),
        *(sent(message="another"), sent(sender="Other"), sent(messageId="1"), sent(**later)),
    ]
    for one in several:
        assert gateway.send(gateway.signed(one)).status == 200
        gateway.cloud.clock.advance(seconds=121)
    assert sorted(gateway.texts) == ["Code 48213"] * 4 + ["another"]


@pytest.mark.parametrize(
    "stated", [None, "", "yesterday", "2026-03-01T15:20:07", "1970-01-01T00:00:00.000+00:00", 5, []]
)
def test_without_a_usable_time_an_sms_has_no_id_and_staff_are_told(stated: object) -> None:
    reading = _read(smsgate.received(receivedAt=stated))
    assert reading.untimed is not None
    assert [(sms.provider_id, sms.stated_at, sms.stated_to) for sms in reading.messages] == [(None, None, None)]


def test_earlier_versions_call_the_sender_otherwise() -> None:
    assert _sms(smsgate.received(sender=None, phoneNumber="+12025550143")).phone_from == "+12025550143"


@pytest.mark.parametrize(("off", "status"), [(-300, 200), (300, 200), (-301, 401), (301, 401)])
def test_a_telephones_clock_may_be_five_minutes_off(gateway: Gateway, off: int, status: int) -> None:
    sent = smsgate.sign(gateway.write(), gateway.secret, "", gateway.cloud.clock() + off * SECOND)
    assert gateway.send(sent).status == status


def test_a_ping_says_that_all_lines_of_a_telephone_live_for_a_quarter_of_an_hour() -> None:
    reading = _read(smsgate.event("system:ping", health={"status": "fail", "checks": {}}))
    assert reading == Reading(reports=[DeviceReport("dv-19", (ReportedLine("dv-19", is_online=True),), 15 * MINUTE)])
    assert _read(smsgate.event("system:ping", device=None)) == Reading()


def test_a_telephone_that_starts_says_which_sims_are_in_it() -> None:
    cards: list[object] = [
        {"slotIndex": 0, "simNumber": 1, "phoneNumber": None, "carrierName": "O2", "iccid": "8944100000000000012"},
        {"slotIndex": 1, "simNumber": 2, "phoneNumber": "+447472190082", "carrierName": None, "iccid": None},
        *[None, "", {}, {"simNumber": None}, {"simNumber": "9" * 300}],
    ]
    lines = (
        ReportedLine("dv-19:1", "8944100000000000012", is_online=True),
        ReportedLine("dv-19:2", is_online=True),
    )
    reading = _read(smsgate.event("app:started", simCards=cards))
    assert reading == Reading(reports=[DeviceReport("dv-19", lines, 15 * MINUTE)])
    none: list[object] = [[], None, "1", {}, [{}]]
    assert {not _read(smsgate.event("app:started", simCards=cards)).reports for cards in none} == {True}


def test_nothing_that_is_sent_is_an_error_of_ours(gateway: Gateway) -> None:
    several = [
        smsgate.received(recipient=f"+{PHONE}"),
        smsgate.event("system:ping", health={}),
        smsgate.event("app:started", simCards=[{"simNumber": 1, "iccid": "8944"}]),
    ]
    for genuine in several:
        for sent in json_variants(genuine):
            assert gateway.send(gateway.signed(sent)).status in {200, 400}, sent
    for sent in header_variants(gateway.signed(gateway.write()), "X-Signature", "X-Timestamp"):
        assert gateway.send(sent).status == 401, sent.headers
    assert not gateway.kept(InboxKind.UNCLAIMED)
