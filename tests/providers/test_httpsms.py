"""What is httpSMS's own."""

import pytest

from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.times import SECOND
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery, Reading
from globalconnect.runtime.http import Request
from simulation.aws import START, Cloud
from simulation.gateways import httpsms
from simulation.gateways.delivery import HOST
from simulation.gateways.sample import Sent
from tests.providers.gateway import PHONE, Gateway
from tests.providers.hostile import header_variants, json_variants

URL = f"https://{HOST}/live/inbound/gateway"


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "httpsms", httpsms.SAMPLE)


def _read(sent: Sent, **settings: str) -> Reading:
    return provider_named("httpsms").read(Delivery(Request({}), sent.body), settings, START)


def test_an_sms_is_read_as_it_is_documented() -> None:
    body = """{"specversion":"1.0","id":"0e1c","source":"/v1/messages/receive","type":"message.phone.received",
        "datacontenttype":"application/json","time":"2026-03-01T12:20:09Z","data":{"message_id":"5b7d","user_id":"u1",
        "owner":"+447472190082","contact":"Google","timestamp":"2026-03-01T12:20:08.211Z",
        "content":" Код كود 😀 \\u003cb\\u003e48213","encrypted":false,"sim":"SIM1","attachments":null}}"""
    at = 1_772_367_608_211
    expected = InboundSms(PHONE, "Google", " Код كود \N{GRINNING FACE} <b>48213", "5b7d", at, at)
    assert _read(Sent("POST", body=body.encode())) == Reading([expected])


def test_a_number_without_its_country_code_is_read_by_the_setting() -> None:
    (sms,) = _read(httpsms.received(owner="07472190082"), country_code="44").messages
    assert PHONE in sms.readings


def test_an_sms_is_told_by_its_id_whatever_event_brings_it(gateway: Gateway) -> None:
    first, again, other = (
        httpsms.received(),
        Sent("POST", body=httpsms.received().body.replace(b"0e1c", b"ffff")),
        httpsms.received(message_id="another"),
    )
    for sent in (first, again, other):
        assert gateway.send(gateway.signed(sent)).status == 200
        gateway.cloud.clock.advance(seconds=121)
    assert gateway.texts == ["Code 48213"] * 2


@pytest.mark.parametrize("stated", [None, "yesterday", "2026-03-01T15:20:07", "0001-01-01T00:00:00Z", 5])
def test_without_a_usable_time_staff_are_told(stated: object) -> None:
    reading = _read(httpsms.received(timestamp=stated))
    assert reading.untimed is not None
    assert [sms.stated_at for sms in reading.messages] == [None]


def test_what_the_app_encrypted_is_kept_and_staff_are_told_what_to_do(gateway: Gateway) -> None:
    assert gateway.send(gateway.signed(httpsms.received(encrypted=True))).status == 400
    assert "encryption has to be off in the app" in f"{gateway.source.last_unreadable}"


@pytest.mark.parametrize(("change", "is_online"), [("online", True), ("offline", False)])
def test_a_telephone_is_online_or_not_until_it_changes(change: str, is_online: bool) -> None:
    kind = f"phone.heartbeat.{change}"
    reading = _read(httpsms.event(kind, owner="+447472190082", last_heartbeat_timestamp="2026-03-01T12:20:08Z"))
    line = ReportedLine(PHONE, is_online=is_online, phone=PHONE)
    assert reading == Reading(reports=[DeviceReport(PHONE, (line,))])
    wrong: list[object] = [None, "", "SIM1", "07472190082", [], True]
    assert {not _read(httpsms.event(kind, owner=owner)).reports for owner in wrong} == {True}


# ---------------------------------------------------------------- the token


def _status(gateway: Gateway, claims: object, algorithm: str = "HS256") -> int:
    return gateway.send(httpsms.bearing(gateway.write(), httpsms.token(gateway.secret, claims, algorithm))).status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"aud": URL}, 200),
        ({"aud": [URL.replace(HOST, f"{HOST}:443")]}, 200),
        ({"aud": ["https://elsewhere.example.com/", URL]}, 200),
        ({"aud": [f"{URL}/x"]}, 401),
        ({"aud": [URL.replace("gateway", "another")]}, 401),
        ({"aud": [f"{URL}?key=1"]}, 401),
        ({"iss": "api.example.com"}, 401),
        # Its clock may differ from ours by a minute.
        ({"nbf": START // SECOND + 60, "iat": START // SECOND + 660}, 200),
        ({"exp": START // SECOND - 60}, 200),
        ({"nbf": START // SECOND + 61}, 401),
        ({"exp": START // SECOND - 61}, 401),
    ],
)
def test_a_token_is_good_for_this_url_of_this_sender_now(
    gateway: Gateway, changes: dict[str, object], status: int
) -> None:
    assert _status(gateway, httpsms.claims(URL, START) | changes) == status


@pytest.mark.parametrize("name", ["aud", "iss", "nbf", "exp"])
def test_a_token_that_lacks_a_claim_is_refused(gateway: Gateway, name: str) -> None:
    claims = httpsms.claims(URL, START)
    assert _status(gateway, {key: value for key, value in claims.items() if key != name}) == 401
    wrong: list[object] = [None, "x", [], [1], {}, float("nan")]
    assert {_status(gateway, claims | {name: value}) for value in wrong} == {401}
    assert {_status(gateway, value) for value in wrong} == {401}


@pytest.mark.parametrize("algorithm", ["HS512", "none", "RS256", "hs256", ""])
def test_the_algorithm_is_pinned(gateway: Gateway, algorithm: str) -> None:
    assert _status(gateway, httpsms.claims(URL, START), algorithm) == 401


def test_nothing_that_is_sent_is_an_error_of_ours(gateway: Gateway) -> None:
    for genuine in (httpsms.received(), httpsms.event("phone.heartbeat.offline", owner="+447472190082")):
        for sent in json_variants(genuine):
            assert gateway.send(gateway.signed(sent)).status in {200, 400}, sent
    genuine = gateway.signed(gateway.write())
    bearer = genuine.headers["Authorization"]
    for sent in [
        *header_variants(genuine, "Authorization"),
        *(httpsms.bearing(genuine, token) for token in ("", "é", "\ud800", "W10.W10.", "." * 9_000, f"{bearer[7:]}.x")),
    ]:
        assert gateway.send(sent).status == 401, sent.headers
