"""What the port promises to every provider, and what it keeps of their requests."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus

import pytest

from docs import gateways
from globalconnect.domain import provider
from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import InboundSms
from globalconnect.inbound.providers.port import Delivery, Reading, UnreadablePiece
from globalconnect.runtime.http import Request
from simulation.aws import Cloud
from simulation.gateways import generic
from simulation.gateways.sample import Sent
from tests.providers import fake_sample
from tests.providers.gateway import Answer, Gateway


@pytest.fixture
def gateway(cloud: Cloud) -> Gateway:
    return Gateway(cloud, "fake", fake_sample.SAMPLE)


def _kept(gateway: Gateway, *requests: Sent) -> list[bytes]:
    for sent in requests:
        assert gateway.send(gateway.signed(sent)).status == 400
        gateway.shop.cloud.clock.advance(seconds=1)
    return [entry["payload"] for entry in reversed(gateway.kept())]


def test_unreadable_requests_are_told_apart_by_method_query_and_body(gateway: Gateway) -> None:
    first = Sent("GET", query={"id": "a b", "odd": "\N{GRINNING FACE}&="})
    others = [
        replace(first, query={"id": "c"}),
        replace(first, method="POST"),
        replace(first, body=b"\xff"),
        Sent("POST", body=b"\xff"),
        Sent("GET"),
    ]
    kept = _kept(gateway, first, first, *others, first)
    assert len(kept) == 6
    shown, _, body = kept[0].decode().partition("\n\n")
    assert (shown[:5], parse_qs(shown[5:])) == ("GET ?", {"id": ["a b"], "odd": ["\N{GRINNING FACE}&="]})
    assert body == ""
    assert kept[3].endswith(b"\n\n\xff")
    assert kept[4:] == [b"\xff", b"GET ?\n\n"]


@pytest.mark.parametrize(
    "write",
    [
        lambda secret: Sent("GET", {"id": "a", "key": secret}),
        lambda secret: Sent("GET", {"authcode": f"x{secret}y"}),
        lambda secret: Sent("POST", body=f"authcode={quote_plus(secret)}&to=1".encode()),
        lambda secret: Sent("POST", body=f"authcode={quote(secret)}&to=1".encode()),
        lambda secret: Sent("POST", body=f'{{"key": "{secret}"}}'.encode()),
    ],
)
def test_a_secret_in_a_request_is_neither_kept_nor_tells_it_apart(
    gateway: Gateway, write: Callable[[str], Sent]
) -> None:
    newest = "best + second"
    gateway.sources.replace_secret(SourceId(gateway.source_id), newest, gateway.shop.cloud.clock())
    (kept,) = _kept(gateway, write(gateway.secret), write(newest))
    assert b"***" in kept
    assert not re.search(b"secret|second", kept)


def test_nothing_of_the_port_shows_what_a_delivery_says() -> None:
    reading = Reading([InboundSms("447472190082", "me", "hush")], [UnreadablePiece(b"hush", "body: expected JSON")])
    delivery = Delivery(Request({"headers": {"Authorization": "hush"}, "body": "hush"}), b"hush")
    assert "hush" not in f"{reading!r} {delivery!r} {delivery.request!r}"


@pytest.mark.parametrize(
    ("context", "variables", "url"),
    [
        ({"domainName": "id.execute-api.aws", "path": "/live/inbound/x"}, None, "https://id.execute-api.aws/live/inbound/x"),
        ({"domainName": "sms.example.com", "path": "/gc/inbound/x/"}, {}, "https://sms.example.com/gc/inbound/x/"),
        ({"domainName": "unused", "path": "/live/inbound/x"}, {"publicUrl": "http://127.0.0.1:4566/live/"}, "http://127.0.0.1:4566/live/inbound/x"),
    ],
)  # fmt: skip
def test_the_url_is_the_one_that_the_outside_calls(
    context: dict[str, str], variables: dict[str, str] | None, url: str
) -> None:
    event = {"path": "/inbound/x", "requestContext": context, "stageVariables": variables}
    assert Request(event).url == url


def test_the_example_in_the_docs_is_a_provider_that_takes_an_sms(cloud: Cloud) -> None:
    entry, module = re.findall(r"```python\n(.*?)```", gateways.FILE.read_text(), flags=re.DOTALL)
    (spec,) = eval(f"{{{entry}}}", vars(provider)).values()  # noqa: S307 - our own documentation
    written: dict[str, Any] = {}
    exec(module, written)  # noqa: S102 - see above
    body = b'{"event": "sms", "to": "+447472190082", "sender": "Microsoft", "content": "5015", "messageId": 7}'
    example = replace(generic.SAMPLE, settings={"utc_offset": "+03:00"})
    gateway = Gateway(cloud, "example", example, others={"example": written["PROVIDER"]})
    signature = hmac.new(gateway.secret.encode(), body, hashlib.sha256).hexdigest()
    sent = Sent("POST", headers={"X-Example-Signature": signature}, body=body)
    assert spec.methods == ("POST",)
    assert gateway.send(sent) == Answer(204, "text/plain", "")
    assert gateway.texts == ["5015"]
