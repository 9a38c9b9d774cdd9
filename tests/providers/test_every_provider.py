"""What holds for the gateways of every type (contract 4)."""

import gzip
import json
import re
import subprocess
import sys
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest

from docs import gateways
from globalconnect.domain.ids import SourceId
from globalconnect.domain.inbound import InboxKind
from globalconnect.domain.provider import PROVIDERS
from globalconnect.domain.source import Problem
from globalconnect.domain.times import MINUTE
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import ClockOff
from inbound_sms.app import LARGEST_JUDGED
from local import template as templates
from local.place import REPOSITORY
from simulation.aws import START, Cloud
from simulation.gateways import sample_of
from simulation.gateways.sample import Sent
from simulation.shop import Shop
from tests.providers.gateway import PHONE, Answer, Gateway

FUNCTIONS = REPOSITORY / "functions"
REFUSED = (401, "application/json; charset=utf-8", '{"status":"ERROR","message":"Invalid signature"}')


def _acknowledged(gateway: Gateway) -> Answer:
    return Answer(*gateway.sample.acknowledged)


def _nothing_is_stored(gateway: Gateway) -> bool:
    return not (gateway.texts or gateway.kept() or gateway.kept(InboxKind.UNCLAIMED))


def _left_no_trace(gateway: Gateway) -> bool:
    source = gateway.source
    noted = (source.last_heard_at, source.last_unreadable, source.last_untimed)
    return noted == (None, None, None) and _nothing_is_stored(gateway)


# ---------------------------------------------------------------- the catalogue


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_loaded_with_its_first_delivery_and_no_sooner(name: str) -> None:
    asked = f"import sys, inbound_sms.app; sys.exit('globalconnect.inbound.providers.{name.replace('-', '_')}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=FUNCTIONS, check=False).returncode == 0
    assert provider_named(name) is provider_named(name)


def test_what_is_not_in_the_catalogue_is_no_provider() -> None:
    with pytest.raises(LookupError):
        provider_named("port")


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_api_takes_every_method_that_a_provider_delivers_by(name: str) -> None:
    events = templates.load(REPOSITORY / "template.yaml")["Resources"]["InboundSmsFunction"]["Properties"]["Events"]
    assert {*PROVIDERS[name].methods} <= {event["Properties"]["Method"] for event in events.values()}
    sample = sample_of(name)
    assert {sent.method for sent in sample.nothing} <= {*PROVIDERS[name].methods}


def test_the_table_in_the_docs_is_that_of_the_catalogue() -> None:
    assert gateways.FILE.read_text() == gateways.rendered(), "write it again: python -m docs.gateways"
    assert gateways.GUIDE.read_text() == gateways.guide(), "write it again: python -m docs.gateways"


# ---------------------------------------------------------------- what is authentic


def test_an_sms_is_its_activations_and_acknowledged_as_its_provider_wants_it(gateway: Gateway) -> None:
    assert gateway.deliver("Your code: 5015") == [_acknowledged(gateway)]
    assert gateway.texts == ["Your code: 5015"]
    assert (gateway.source.last_heard_at, gateway.source.last_unreadable) == (START, None)


def test_what_holds_no_sms_is_acknowledged_heard_and_kept_nowhere(gateway: Gateway) -> None:
    for sent in gateway.sample.nothing:
        assert gateway.send(gateway.signed(sent)) == _acknowledged(gateway), sent
    assert gateway.source.last_heard_at == START
    assert _nothing_is_stored(gateway)


def test_the_same_delivery_again_is_acknowledged_alike_and_stored_once(gateway: Gateway) -> None:
    sent = gateway.write()
    for _ in range(3):
        # Some stamp each attempt anew.
        assert gateway.send(gateway.signed(sent)) == _acknowledged(gateway)
        gateway.shop.cloud.clock.advance(minutes=3)
    assert gateway.texts == ["Your code: 5015"]
    assert gateway.kept(InboxKind.UNCLAIMED) == []


def test_every_character_arrives(gateway: Gateway) -> None:
    text = 'Код: 5015 \N{GRINNING FACE}\n\t"<b>&+%20=;\0'
    gateway.deliver(text, "another")
    assert sorted(gateway.texts) == sorted([text, "another"])


# ---------------------------------------------------------------- what is not


def test_a_wrong_or_missing_signature_is_401_and_leaves_no_trace(gateway: Gateway) -> None:
    genuine = gateway.signed(gateway.write())
    forged = [
        *gateway.sample.forge(genuine),
        gateway.signed(gateway.write(), gateway.sample.secret(1)),
        gateway.write(),
    ]
    assert genuine not in forged
    for sent in forged:
        assert gateway.send(sent) == Answer(*REFUSED)
    assert _left_no_trace(gateway)


@pytest.mark.parametrize("name", ["smsgate", "httpsms", "telnyx"])
def test_a_time_too_far_from_ours_is_401_and_staff_are_told_only_if_it_is_signed_right(cloud: Cloud, name: str) -> None:
    gateway = Gateway(cloud, name, sample_of(name))
    late, early = (
        gateway.sample.sign(gateway.write(), gateway.secret, gateway.url, START + off * MINUTE) for off in (-14, 14)
    )
    another = gateway.sample.sign(gateway.write(), gateway.sample.secret(1), gateway.url, START - 14 * MINUTE)
    forged = [*gateway.sample.forge(late), *gateway.sample.forge(early), another]
    assert {gateway.send(sent) for sent in forged} == {Answer(*REFUSED)}
    assert _left_no_trace(gateway)
    for sent in (late, early):
        # That the signature is right, a stranger who repeats it does not learn.
        assert gateway.send(sent) == Answer(*REFUSED)
        assert gateway.source.last_unreadable == Problem(cloud.clock(), str(ClockOff()))
        cloud.clock.advance(minutes=1)
    assert _nothing_is_stored(gateway)
    assert gateway.send(gateway.signed(gateway.write())) == _acknowledged(gateway)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_of_nothing_is_401(gateway: Gateway, method: str) -> None:
    assert gateway.send(Sent(method)) == Answer(*REFUSED)
    assert _left_no_trace(gateway)


def test_a_new_secret_is_good_within_a_second_and_the_former_for_24_hours(gateway: Gateway) -> None:
    shop = gateway.shop
    warm = Shop(shop.cloud, {"CACHE_SECONDS": "60"})
    shop.inbound_parts = replace(warm.inbound_parts, provider=shop.inbound_parts.provider)

    def status(secret: str) -> int:
        return gateway.send(gateway.signed(gateway.write(), secret)).status

    taken, another = gateway.sample.acknowledged[0], gateway.sample.secret(1)
    assert status(gateway.secret) == taken
    shop.cloud.clock.advance(seconds=1)
    gateway.sources.replace_secret(SourceId(gateway.source_id), another, shop.cloud.clock())
    assert [status(secret) for secret in (another, gateway.secret)] == [taken, taken]
    shop.cloud.clock.advance(seconds=86_399)
    assert status(gateway.secret) == taken
    shop.cloud.clock.advance(seconds=1)
    # Also by what was remembered a second ago.
    assert [status(secret) for secret in (another, gateway.secret)] == [taken, 401]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_source_of_one_type_never_takes_the_payload_of_another(cloud: Cloud, name: str) -> None:
    gateway = Gateway(cloud, name, sample_of(name))
    for other in PROVIDERS:
        if other == name:
            continue
        sample = sample_of(other)
        # Even if both were given the same secret, where the other's can be any.
        secret = gateway.secret if sample.secret(0) == sample_of("generic").secret(0) else sample.secret(0)
        sent = sample.sign(sample.write("id-1", PHONE, "Your code: 5015", START), secret, gateway.url, cloud.clock())
        assert gateway.send(sent).status in {400, 401}, other
    assert (gateway.texts, gateway.kept(InboxKind.UNCLAIMED)) == ([], [])


# ---------------------------------------------------------------- what can't be read


def test_what_cannot_be_read_is_400_and_kept_once_each(gateway: Gateway) -> None:
    for sent in [*gateway.sample.unreadable] * 2:
        answer = gateway.send(gateway.signed(sent))
        assert (answer.status, answer.content_type) == (400, "application/json; charset=utf-8")
        assert gateway.source.last_unreadable is not None
    assert len(gateway.kept()) == len(gateway.sample.unreadable)
    assert {kept["source_id"] for kept in gateway.kept()} == {gateway.source_id}
    assert not gateway.texts


def test_a_delivery_above_what_we_read_is_413_and_noted_with_its_size_once_it_is_authentic(gateway: Gateway) -> None:
    long = replace(gateway.write(), body=gateway.write().body + b" " * 300_000)
    assert gateway.send(long) == Answer(*REFUSED)
    assert _left_no_trace(gateway)
    sent = gateway.signed(long)
    answer = gateway.send(sent)
    assert answer.status == 413
    assert gateway.source.last_unreadable == Problem(START, json.loads(answer.body)["message"])
    assert str(len(sent.body)) in answer.body
    assert _nothing_is_stored(gateway)


def test_a_delivery_too_long_to_be_judged_is_413_without_a_trace(gateway: Gateway) -> None:
    for body in (b"x" * (LARGEST_JUDGED + 1), gzip.compress(b"x" * (LARGEST_JUDGED + 1))):
        assert gateway.send(replace(gateway.signed(gateway.write()), body=body)).status == 413
    assert _left_no_trace(gateway)


# ---------------------------------------------------------------- what nobody may read


def test_neither_the_secret_nor_the_text_is_logged_told_or_kept_where_it_should_not_be(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    secret, text = gateway.sample.secret(2), "confidential"
    gateway.sources.replace_secret(SourceId(gateway.source_id), secret, gateway.shop.cloud.clock())
    told = [gateway.send(sent) for sent in gateway.sample.forge(gateway.signed(gateway.write(text), secret))]
    unreadable = [replace(one, body=one.body + secret.encode()) for one in gateway.sample.unreadable]
    unreadable += [replace(one, query={**one.query, "key": secret}) for one in gateway.sample.unreadable]
    told += [gateway.send(gateway.signed(sent, secret)) for sent in unreadable]
    assert gateway.texts == []
    told.append(gateway.send(gateway.signed(gateway.write(text), secret)))
    assert gateway.texts == [text]
    # As a log writes it: all that a record has, the traces of errors with it.
    logged = "".join(f"{record.__dict__}" for record in caplog.records)
    hidden = "|".join(map(re.escape, [text, secret, quote(secret, safe=""), quote_plus(secret)]))
    assert not re.search(hidden, f"{logged} {told}")
    assert len(gateway.kept()) == len(unreadable)
    for entry in gateway.kept():
        assert not re.search(hidden.encode(), entry["payload"]), entry
        assert b"***" in entry["payload"]
    assert not re.search(hidden, f"{gateway.source.last_unreadable} {gateway.source}")
