"""What is SNS's own: certificates and confirmations that are fetched, and from whom alone."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from globalconnect.domain.errors import Unavailable
from globalconnect.domain.inbound import InboxKind
from globalconnect.domain.provider import PROVIDERS
from globalconnect.inbound.providers.aws_sms import AwsSms
from globalconnect.inbound.providers.port import Delivery
from globalconnect.runtime.http import Request
from simulation.aws import START, Cloud
from simulation.gateways import aws_sms
from simulation.gateways.sample import Sent
from tests.providers.gateway import Answer, Gateway
from tests.providers.hostile import distorted

TAKEN = Answer(*aws_sms.SAMPLE.acknowledged)
UNPINNED = replace(aws_sms.SAMPLE, settings={})
SUBSCRIBE_URL = f"{aws_sms.REGION}/?Action=ConfirmSubscription&TopicArn={aws_sms.secret(0)}&Token=2336412f37fb687f"

# Where SNS isn't, or not as it says.
ELSEWHERE = [
    "http://sns.eu-west-2.amazonaws.com{}",
    "HTTPS://sns.eu-west-2.amazonaws.com{}",
    "https://sns.eu-west-2.amazonaws.com:443{}",
    "https://user@sns.eu-west-2.amazonaws.com{}",
    "https://sns.eu-west-2.amazonaws.com@example.com{}",
    "https://sns.eu-west-2.amazonaws.com.example.com{}",
    "https://sns.eu-west-2.amazonaws.com.cn.example.com{}",
    "https://sns.eu-west-2.amazonaws.comx{}",
    "https://example.com/sns.eu-west-2.amazonaws.com{}",
    "https://example.com#https://sns.eu-west-2.amazonaws.com{}",
    "https://sns.evil.eu-west-2.amazonaws.com{}",
    "https://sns..amazonaws.com{}",
    "https://sns.amazonaws.com{}",
    "https://sqs.eu-west-2.amazonaws.com{}",
    "https://xsns.eu-west-2.amazonaws.com{}",
    "https://sns.eu-west-2-amazonaws.com{}",
    "https://sns.eu-west-2.amazonaws.com\\@example.com{}",
    "https://sns.eu-wést-2.amazonaws.com{}",
    "//sns.eu-west-2.amazonaws.com{}",
    " https://sns.eu-west-2.amazonaws.com{}",
    "https://sns.eu-west-2.amazonaws.com{}\n",
    "https://sns.eu-west-2.amazonaws.com\r\n{}",
    "",
]


@dataclass
class Web:
    """What there is to be fetched, and what was."""

    pages: dict[str, bytes] = field(default_factory=lambda: {aws_sms.CERTIFICATE_URL: aws_sms.certificate()})
    fetched: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        """Return a page. Raises Unavailable when there is none."""
        self.fetched.append(url)
        if url not in self.pages:
            raise Unavailable("HTTP 404")
        return self.pages[url]


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture(params=["fetched", "pinned"])
def sample(request: pytest.FixtureRequest) -> Any:
    return UNPINNED if request.param == "fetched" else aws_sms.SAMPLE


@pytest.fixture
def connect(cloud: Cloud, web: Web) -> Callable[..., Gateway]:
    """Return what makes a gateway whose provider, and confirmations, fetch from the web."""

    def connected(sample: Any = UNPINNED) -> Gateway:
        gateway = Gateway(cloud, "aws-sms", sample, others={"aws-sms": AwsSms(web.fetch)})
        gateway.shop.inbound_parts = replace(gateway.shop.inbound_parts, fetch=web.fetch)
        return gateway

    return connected


def _notified(topic: str = aws_sms.secret(0), sms: Any = None, **others: Any) -> Sent:
    content = json.dumps(aws_sms.message() if sms is None else sms)
    return aws_sms.posted(aws_sms.notification(content, topic, **others))


# ---------------------------------------------------------------- what is signed


@pytest.mark.parametrize("others", [{}, {"Subject": "Код: \n"}, {"Subject": None}, {"UnsubscribeURL": "https://x"}])
@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_the_signature_are_good_with_a_subject_and_without(
    connect: Callable[..., Gateway], version: str, others: dict[str, Any]
) -> None:
    unsigned = {name: value for name, value in others.items() if value is not None}
    fields = aws_sms.notification(json.dumps(aws_sms.message()), SignatureVersion=version, **unsigned)
    gateway = connect()
    assert gateway.send(aws_sms.posted({**fields, **others})) == TAKEN
    assert gateway.texts == ["Code 48213"]


@pytest.mark.parametrize(
    "text", ["Код 48213", "رمز التحقق 48213", "👍🏽 48213 " * 40, '<b>&amp;</b>\r\n \\u0041 " ', ""]
)
def test_a_text_arrives_as_it_was_sent(connect: Callable[..., Gateway], text: str) -> None:
    gateway = connect()
    assert gateway.send(_notified(sms=aws_sms.message(messageBody=text))) == TAKEN
    assert gateway.texts == [text]


def test_a_signature_by_another_key_is_401(connect: Callable[..., Gateway], web: Web, sample: Any) -> None:
    gateway, fields = connect(sample), aws_sms.notification(json.dumps(aws_sms.message()))
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    octets = base64.b64decode(fields["Signature"])
    for signature in (
        aws_sms.signature(fields, stranger),
        aws_sms.signature({**fields, "Message": "another"}),
        base64.b64encode(octets[:-1]).decode(),
        base64.b64encode(octets * 1000).decode(),
        "",
    ):
        assert gateway.send(aws_sms.posted({**fields, "Signature": signature})).status == 401
    assert web.fetched == ([] if sample.settings else [aws_sms.CERTIFICATE_URL])


# ---------------------------------------------------------------- from whom


@pytest.mark.parametrize("url", ELSEWHERE)
def test_neither_certificate_nor_confirmation_is_taken_from_elsewhere(
    connect: Callable[..., Gateway], web: Web, sample: Any, url: str
) -> None:
    gateway = connect(sample)
    certificate, subscribe = url.format("/SimpleNotificationService-0a.pem"), url.format("/?Action=ConfirmSubscription")
    web.pages |= {certificate: aws_sms.certificate(), subscribe: b""}
    assert gateway.send(_notified(SigningCertURL=certificate)).status == 401
    for kind in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        assert gateway.send(aws_sms.posted(aws_sms.confirmation(kind, SubscribeURL=subscribe))).status == 401
        assert gateway.send(aws_sms.posted(aws_sms.confirmation(kind, SigningCertURL=certificate))).status == 401
    assert (web.fetched, gateway.texts, gateway.source.last_heard_at) == ([], [], None)


@pytest.mark.parametrize(
    "path", ["", "/", "/.pem?x=.pem", "/a.pem?", "/a.pem#", "/a.pem?a.pem", "/?a.pem", "/#a.pem", "/a.pem/", "/a.PEM", "/%2e.pem",
             "/a.pem%00", "/a.pem\n", "/a b.pem", "/../a.pem", "//example.com/a.pem", "/é.pem"]
)  # fmt: skip
def test_a_certificate_is_a_file_of_its_own(connect: Callable[..., Gateway], web: Web, sample: Any, path: str) -> None:
    gateway = connect(sample)
    assert gateway.send(_notified(SigningCertURL=f"{aws_sms.REGION}{path}")).status == 401
    assert web.fetched == []


def test_another_topic_is_401_before_anything_is_fetched(
    connect: Callable[..., Gateway], web: Web, sample: Any
) -> None:
    gateway = connect(sample)
    for topic in (aws_sms.secret(1), f"{aws_sms.secret(0)}x", aws_sms.secret(0)[:-1], aws_sms.secret(0).upper(), ""):
        assert gateway.send(_notified(topic)).status == 401
        assert gateway.send(aws_sms.posted(aws_sms.confirmation(topic=topic))).status == 401
    raw = _notified()
    assert gateway.send(replace(raw, headers={**raw.headers, "X-Amz-Sns-Rawdelivery": "true"})).status == 401
    assert web.fetched == []


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1"])
def test_sns_is_in_many_regions(connect: Callable[..., Gateway], web: Web, region: str) -> None:
    url = (
        f"https://sns.{region}.amazonaws.com{'.cn' if region.startswith('cn') else ''}/SimpleNotificationService-0a.pem"
    )
    web.pages[url] = aws_sms.certificate()
    assert connect().send(_notified(SigningCertURL=url)) == TAKEN


# ---------------------------------------------------------------- the certificate


def test_a_certificate_is_fetched_once_for_all_sources_and_few_are_remembered(web: Web) -> None:
    provider, urls = AwsSms(web.fetch), [f"{aws_sms.REGION}/{n}.pem" for n in range(20)]
    web.pages |= dict.fromkeys(urls, aws_sms.certificate())

    def is_authentic(url: str) -> bool:
        delivery = Delivery(Request({}), _notified(SigningCertURL=url).body)
        return provider.is_authentic(delivery, aws_sms.secret(0), {}, START)

    assert all(is_authentic(url) for url in urls for _ in range(3))
    assert web.fetched == urls
    assert all(is_authentic(url) for url in urls[-8:])
    assert web.fetched == urls
    assert is_authentic(urls[0])
    assert web.fetched == [*urls, urls[0]]


@pytest.mark.parametrize(
    "answer",
    [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", b"\xff", "ec"],
)
def test_a_certificate_that_cannot_be_had_now_is_asked_for_again(
    connect: Callable[..., Gateway], web: Web, answer: Any
) -> None:
    gateway = connect()
    web.pages = {} if answer is None else {aws_sms.CERTIFICATE_URL: _of_no_rsa() if answer == "ec" else answer}
    for _ in range(2):
        refused = gateway.send(_notified())
        # SNS tries again after a 5xx, and after nothing else.
        assert (refused.status, refused.content_type) == (500, "application/json; charset=utf-8")
    web.pages = Web().pages
    assert gateway.send(_notified()) == TAKEN
    assert web.fetched == [aws_sms.CERTIFICATE_URL] * 3
    assert gateway.texts == ["Code 48213"]


def _of_no_rsa() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    known = x509.load_pem_x509_certificate(aws_sms.certificate())
    made = (
        x509.CertificateBuilder()
        .subject_name(known.subject)
        .issuer_name(known.issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(known.not_valid_before_utc)
        .not_valid_after(known.not_valid_after_utc)
    )
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_certificate_of_the_source_is_the_only_one_and_none_is_fetched(
    connect: Callable[..., Gateway], web: Web
) -> None:
    (spec,) = PROVIDERS["aws-sms"].settings
    pinned = f"\r\n{aws_sms.certificate().decode()}\n"
    assert spec.takes(pinned)
    gateway = connect(replace(UNPINNED, settings={"certificate": pinned}))
    assert gateway.send(_notified()) == TAKEN
    assert web.fetched == []


@pytest.mark.parametrize("certificate", ["", "none", "-----BEGIN CERTIFICATE-----\né\n-----END CERTIFICATE-----", "ec"])
def test_by_a_certificate_of_the_source_that_is_none_nothing_is_authentic(
    connect: Callable[..., Gateway], web: Web, certificate: str
) -> None:
    settings = {"certificate": _of_no_rsa().decode() if certificate == "ec" else certificate}
    assert connect(replace(UNPINNED, settings=settings)).send(_notified()).status == 401
    assert web.fetched == []


# ---------------------------------------------------------------- what it says


def test_a_subscription_is_confirmed_where_it_says(connect: Callable[..., Gateway], web: Web, sample: Any) -> None:
    gateway, sent = connect(sample), aws_sms.posted(aws_sms.confirmation())
    # Not confirmed yet: it asks again.
    assert gateway.send(sent).status == 500
    web.pages[SUBSCRIBE_URL] = b"<ConfirmSubscriptionResponse/>"
    assert gateway.send(sent) == TAKEN
    assert web.fetched[-2:] == [SUBSCRIBE_URL] * 2
    assert len(web.fetched) == (2 if sample.settings else 3)
    assert gateway.send(aws_sms.posted(aws_sms.confirmation("UnsubscribeConfirmation"))) == TAKEN
    assert web.fetched[-1] == SUBSCRIBE_URL
    assert len(web.fetched) == (2 if sample.settings else 3)


def test_the_same_sms_published_again_is_the_same(connect: Callable[..., Gateway]) -> None:
    gateway = connect()
    for sent in (
        _notified(),
        _notified(MessageId="another", Timestamp="2024-01-15T12:40:00.000Z"),
        _notified(sms=aws_sms.message(inboundMessageId="another")),
    ):
        assert gateway.send(sent) == TAKEN
        gateway.shop.cloud.clock.advance(minutes=3)
    assert gateway.texts == ["Code 48213"] * 2
    assert gateway.kept(InboxKind.UNCLAIMED) == []


def test_it_is_received_when_it_was_published_and_named_by_its_id_or_that_of_sns(web: Web) -> None:
    def read(**others: Any) -> Any:
        content = json.dumps(aws_sms.message(inboundMessageId=others.pop("named", None)))
        fields = aws_sms.notification(content, MessageId="22b8", **others)
        reading = AwsSms(web.fetch).read(Delivery(Request({}), aws_sms.posted(fields).body), {}, START)
        (sms,) = reading.messages
        return sms.stated_at, sms.stated_to, sms.provider_id, reading.untimed is None

    assert read(Timestamp="2026-03-01T12:20:08.100Z", named="cae1") == (
        1_772_367_608_100,
        1_772_367_608_100,
        "cae1",
        True,
    )
    assert read(Timestamp="soon") == (None, None, "22b8", False)


def test_a_message_of_other_types_is_never_our_fault(connect: Callable[..., Gateway]) -> None:
    gateway = connect()
    for value in distorted(aws_sms.message()):
        assert gateway.send(_notified(sms=value)).status in {200, 400}, value
