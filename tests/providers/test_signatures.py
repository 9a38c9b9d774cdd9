"""The URL that a sender signed, as it may have written it; what signs here is Twilio's library."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import pytest

from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Delivery
from globalconnect.inbound.providers.signatures import knows_secret, urls_of
from globalconnect.runtime.http import Request
from simulation.gateways import twilio

STAGE = {"domainName": "id.execute-api.eu-west-2.amazonaws.com", "path": "/live/inbound/x"}
DOMAIN = {"domainName": "sms.example.com", "path": "/inbound/x"}
BASE_PATH = {"domainName": "sms.example.com", "path": "/gateways/inbound/x"}
EXAMPLE = "https://sms.example.com"


def _request(
    context: Mapping[str, str] = DOMAIN,
    query: Mapping[str, Sequence[str]] | None = None,
    public_url: str | None = None,
    **others: Any,
) -> Request:
    event = {"httpMethod": "GET", "path": "/inbound/x", "requestContext": context, "stageVariables": None}
    variables = {"publicUrl": public_url} if public_url else None
    return Request({**event, "multiValueQueryStringParameters": query, "stageVariables": variables, **others})


def _is_twilios(request: Request, body: bytes, signature: str) -> bool:
    headers = {"X-Twilio-Signature": signature}
    delivery = Delivery(Request({**request.event, "headers": headers}), body)
    return provider_named("twilio").is_authentic(delivery, "12345", {}, 0)


@pytest.mark.parametrize(
    ("context", "public_url", "written"),
    [
        (STAGE, None, "https://id.execute-api.eu-west-2.amazonaws.com{}/live/inbound/x"),
        (DOMAIN, None, "https://sms.example.com{}/inbound/x"),
        (BASE_PATH, None, "https://sms.example.com{}/gateways/inbound/x"),
        (DOMAIN, "https://other.example.com/base/", "https://other.example.com{}/base/inbound/x"),
        (DOMAIN, "https://other.example.com:443", "https://other.example.com{}/inbound/x"),
    ],
)
def test_the_url_is_the_one_that_the_outside_calls_with_its_port_and_without(
    context: Mapping[str, str], public_url: str | None, written: str
) -> None:
    expected = {written.format(port) for port in (":443", "")}
    assert {*urls_of(_request(context, public_url=public_url))} == expected


@pytest.mark.parametrize(
    ("public_url", "ports"),
    [("http://127.0.0.1:4566/live", (":4566", "")), ("http://127.0.0.1/live", (":80", ""))],
)
def test_another_port_is_never_the_default_one(public_url: str, ports: Sequence[str]) -> None:
    expected = {f"http://127.0.0.1{port}/live/inbound/x" for port in ports}
    assert {*urls_of(_request(public_url=public_url))} == expected


@pytest.mark.parametrize(
    ("query", "spellings"),
    [
        ({}, {""}),
        ({"b": ["1"], "a": ["2"]}, {"?b=1&a=2"}),
        ({"a": ["1", "2", "1"], "b": [""]}, {"?a=1&a=2&a=1&b="}),
        ({"a b": ["c d"]}, {"?a%20b=c%20d", "?a+b=c+d"}),
        ({"a": ["+ &=%?#/"]}, {"?a=%2B%20%26%3D%25%3F%23%2F", "?a=%2B+%26%3D%25%3F%23%2F"}),
        ({"a": ["-._~*'()!"]}, {"?a=-._~%2A%27%28%29%21", "?a=-._%7E*%27%28%29%21"}),
        ({"a": ["* ~"]}, {"?a=%2A%20~", "?a=%2A+~", "?a=*+%7E"}),
        ({"é": ["Код"]}, {"?%C3%A9=%D0%9A%D0%BE%D0%B4"}),
        ({"a": ["😀\0"]}, {"?a=%F0%9F%98%80%00"}),
        ({"a": ["\ud83d"]}, {"?a=%ED%A0%BD"}),
    ],
)
def test_the_query_is_spelled_in_each_way_that_senders_do(
    query: Mapping[str, Sequence[str]], spellings: set[str]
) -> None:
    urls = [*urls_of(_request(query=query))]
    assert {*urls} == {f"{EXAMPLE}{port}/inbound/x{spelled}" for port in (":443", "") for spelled in spellings}
    assert len(urls) == len({*urls})
    assert {*urls_of(_request(query={"another": ["1"]}), query)} == {*urls}
    assert {*urls_of(_request(query=query), {})} == {f"{EXAMPLE}{port}/inbound/x" for port in (":443", "")}


@pytest.mark.parametrize("port", ["", ":443"])
@pytest.mark.parametrize(
    "query",
    [
        "From=%2B12025550143&To=%2B447472190082&Body=Code%2048213",
        "From=%2B12025550143&To=%2B447472190082&Body=Code+48213",
        "FromZip=&Body=%D0%9A%D0%BE%D0%B4+%D9%83%D9%88%D8%AF&MediaUrl=1&MediaUrl=2",
        "Body=%F0%9F%98%80*%27%7E+%26&MessageSid=SM0f",
    ],
)
def test_a_get_of_twilio_is_authentic_with_all_of_its_query_and_as_it_was_sent(query: str, port: str) -> None:
    fields = parse_qs(query, keep_blank_values=True)
    signature = twilio.signature("12345", f"{EXAMPLE}{port}/gateways/inbound/x?{query}")
    assert _is_twilios(_request(BASE_PATH, fields), b"", signature)
    name = next(iter(fields))
    for others in ({**fields, name: ["changed"]}, {**fields, "new": [""]}, {name: fields[name]}, {}):
        assert not _is_twilios(_request(BASE_PATH, others), b"", signature)
    assert not _is_twilios(_request(DOMAIN, fields), b"", signature)
    assert not _is_twilios(_request(STAGE, fields), b"", signature)


def test_a_body_that_is_no_form_is_authentic_by_its_digest_in_the_url() -> None:
    body = '{"Body": "Код 48213"}'.encode()
    digest = hashlib.sha256(body).hexdigest()
    signature = twilio.signature("12345", f"{EXAMPLE}/inbound/x?of=a%20b&bodySHA256={digest}")

    def is_authentic(content: bytes, stated: str) -> bool:
        query = {"of": ["a b"], "bodySHA256": [stated]}
        return _is_twilios(_request(query=query, httpMethod="POST"), content, signature)

    assert is_authentic(body, digest)
    assert not is_authentic(body + b" ", digest)
    assert not is_authentic(body + b" ", hashlib.sha256(body + b" ").hexdigest())
    assert not is_authentic(b"", "")


@pytest.mark.parametrize(
    ("said", "knows"),
    [
        ({"pathParameters": {"sourceId": "x", "secret": "the secret"}}, True),
        ({"pathParameters": {"sourceId": "x", "secret": "the%20secret"}}, True),
        ({"multiValueQueryStringParameters": {"key": ["wrong", "the secret"]}}, True),
        ({"pathParameters": {"sourceId": "the secret"}}, False),
        ({"multiValueQueryStringParameters": {"Key": ["the secret"], "key": [""]}}, False),
        ({"pathParameters": {"sourceId": "x", "secret": "\ud800"}}, False),
        ({"headers": {"key": "the secret"}}, False),
    ],
)
def test_a_secret_is_the_last_segment_of_the_path_or_the_key_of_the_query(said: dict[str, Any], knows: bool) -> None:
    assert knows_secret(_request(**said) if "multi" not in next(iter(said)) else Request(said), "the secret") is knows
