"""What is Plivo's own: two signatures of a URL and a nonce, and of nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from globalconnect.domain.inbound import InboxKind
from simulation.aws import Cloud
from simulation.gateways import plivo
from simulation.gateways.sample import Sent
from tests.providers.gateway import Answer, Gateway

TAKEN = Answer(*plivo.SAMPLE.acknowledged)
URL = "https://api.example.com/live/inbound/gateway"
MAIN = "X-Plivo-Signature-Ma-V2"
NONCE = "05429567804466091622"


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "plivo", plivo.SAMPLE)


def _form(**fields: str) -> Sent:
    return Sent("POST", body=urlencode(plivo.fields(**fields)).encode())


@pytest.mark.parametrize(
    "headers",
    [
        lambda right: {plivo.HEADER: right},
        lambda right: {MAIN: right},
        lambda right: {plivo.HEADER: "another", MAIN: right},
        lambda right: {plivo.HEADER: right, MAIN: "another", "X-Plivo-Signature-V3": "another"},
        lambda right: {plivo.HEADER: f"another, {right}"},
        lambda right: {MAIN: f"{right},another"},
    ],
)
def test_either_account_may_have_signed_with_either_of_its_tokens(
    gateway: Gateway, headers: Callable[[str], Mapping[str, str]]
) -> None:
    right = plivo.signature(gateway.secret, URL, NONCE)
    assert gateway.send(replace(_form(), headers={plivo.NONCE: NONCE, **headers(right)})) == TAKEN
    assert gateway.texts == ["Code 48213"]


@pytest.mark.parametrize("url", [URL, "https://api.example.com:443/live/inbound/gateway"])
def test_the_url_is_signed_without_its_query(gateway: Gateway, url: str) -> None:
    headers = {plivo.NONCE: NONCE, plivo.HEADER: plivo.signature(gateway.secret, url, NONCE)}
    assert gateway.send(Sent("GET", plivo.fields(), headers)) == TAKEN
    assert gateway.send(replace(_form(), headers=headers, query={"of": "us"})) == TAKEN
    assert gateway.texts == ["Code 48213"]


@pytest.mark.parametrize(
    "text", ["Код 48213", "رمز التحقق 48213", "👍🏽 48213 " * 40, "<Response><Message/></Response>\r\n ", ""]
)
def test_a_text_arrives_as_it_was_sent_in_however_many_units(gateway: Gateway, text: str) -> None:
    assert gateway.send(gateway.signed(_form(Text=text, Units="6"))) == TAKEN
    assert gateway.texts == [text]


def test_a_retry_has_a_nonce_of_its_own_and_the_same_uuid(gateway: Gateway) -> None:
    for fields in ({}, {"TotalRate": "0.00"}, {"MessageUUID": "0b2f"}):
        assert gateway.send(gateway.signed(_form(**fields))) == TAKEN
        gateway.shop.cloud.clock.advance(minutes=4)
    assert gateway.texts == ["Code 48213"] * 2
    assert gateway.kept(InboxKind.UNCLAIMED) == []


def test_what_is_not_signed_may_be_anything_and_is_never_our_fault(gateway: Gateway) -> None:
    whole = _form().body
    for body in [
        *(whole[:end] for end in range(len(whole))),
        b"&" * 1000,
        b"To=1&To=2&Text=%ff\xff&Text=%",
        b"Text=\0&To=%00",
    ]:
        assert gateway.send(gateway.signed(Sent("POST", body=body))).status in {200, 400}, body
