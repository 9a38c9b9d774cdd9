"""Signed pushes, checked as a partner checks them: by the library of Standard Webhooks, over the bytes that came."""

import asyncio
import io
import json
from collections.abc import Iterator

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from globalconnect.domain.partner import SIGNING_OVERLAP, new_signing_secret
from globalconnect.domain.push_attempt import AttemptResult
from globalconnect.push.attempt import PushClient
from globalconnect.push.signing import Signer
from globalconnect.runtime import clock
from local.pretend_partner import BROKEN, Answer, PretendPartner, Push
from simulation.office import Office
from simulation.shop import Shop

PHONE = "447472190082"
TEXT = "Ваш код: 5015 \U0001f512"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WEBHOOK_HEADERS = {"webhook-id", "webhook-timestamp", "webhook-signature"}


def checks(push: Push, secret: str) -> bool:
    """Return whether a partner that has this secret takes the push for ours."""
    try:
        return bool(Webhook(secret).verify(push.raw, dict(push.headers)) == push.body)
    except WebhookVerificationError:
        return False


# ---------------------------------------------------------------- one attempt


@pytest.fixture
def hub() -> Iterator[PretendPartner]:
    with PretendPartner() as hub:
        yield hub


def attempt(hub: PretendPartner, text: str, signer: Signer | None) -> AttemptResult:
    async def once() -> AttemptResult:
        async with PushClient(version="1.2.3", loopback=True) as client:
            return await client.attempt(hub.url, {"smsId": "77", "text": text}, [], signer)

    return asyncio.run(once())


@pytest.mark.parametrize("text", ["Code 5015", TEXT, "\ud800 no Unicode", 'quotes " and \\ and / and \n', ""])
def test_the_signature_holds_for_exactly_the_bytes_that_arrive(hub: PretendPartner, text: str) -> None:
    assert attempt(hub, text, Signer("sms_77", clock.now(), [SECRET])).delivered
    (push,) = hub.pushes
    assert checks(push, SECRET)
    assert push.headers["webhook-id"] == "sms_77"


def test_without_a_signer_a_push_has_none_of_the_headers(hub: PretendPartner) -> None:
    attempt(hub, TEXT, None)
    (push,) = hub.pushes
    assert not WEBHOOK_HEADERS & {name.lower() for name in push.headers}


def test_an_answer_that_repeats_a_signing_secret_is_kept_without_it(hub: PretendPartner) -> None:
    other = "whsec_a+b/cdefghijklmnopqrstuvwxyz0123456789ABCDE="
    repeated = {"with": SECRET, "without": other.removeprefix("whsec_")}
    hub.answer(Answer(500, json.dumps(repeated).replace("/", "\\/").encode()))
    result = attempt(hub, TEXT, Signer("sms_77", clock.now(), [SECRET, other]))
    assert result.answer == '{"with": "***", "without": "***"}'


# ---------------------------------------------------------------- the delivery routine


@pytest.fixture
def office(shop: Shop, hub: PretendPartner) -> Iterator[Office]:
    """Yield an office that pushes to a partner's server; its clock shows the real time, which partners check."""
    shop.cloud.clock.at = clock.now()
    with Office(shop, hub.url, TEXT) as office:
        office.pusher = office.with_parts(open_client=lambda: PushClient(version="1.2.3", loopback=True))
        yield office


def pushed(office: Office, hub: PretendPartner) -> Push:
    """Let the routine make an attempt, and return it as it arrived."""
    assert office.push() == frozenset()
    return hub.pushes[-1]


def rotate(office: Office) -> str:
    secret = new_signing_secret(office.shop.cloud.rng)
    office.shop.partners.rotate_signing_secret(office.partner.partner_id, secret, office.shop.cloud.clock())
    return secret


def test_every_attempt_of_an_sms_is_signed_with_its_id_and_the_time_of_the_attempt(
    office: Office, hub: PretendPartner
) -> None:
    secret = rotate(office)
    hub.answer(BROKEN)
    first = pushed(office, hub)
    office.shop.cloud.clock.advance(seconds=10)
    second = pushed(office, hub)
    assert checks(first, secret)
    assert checks(second, secret)
    assert first.raw == second.raw
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"sms_{office.ref.sms_id}"
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 10


def test_a_partner_without_a_signing_secret_gets_no_signature(office: Office, hub: PretendPartner) -> None:
    assert not WEBHOOK_HEADERS & {name.lower() for name in pushed(office, hub).headers}


def test_while_a_partner_switches_pushes_hold_for_the_old_secret_and_the_new(
    office: Office, hub: PretendPartner
) -> None:
    old, new = rotate(office), rotate(office)
    hub.answer(BROKEN)
    push = pushed(office, hub)
    assert checks(push, old)
    assert checks(push, new)
    assert not checks(push, SECRET)


def test_a_day_after_its_replacement_a_secret_signs_no_more(office: Office, hub: PretendPartner) -> None:
    now = office.shop.cloud.clock
    now.at -= SIGNING_OVERLAP
    old, new = rotate(office), rotate(office)
    now.at += SIGNING_OVERLAP
    push = pushed(office, hub)
    assert checks(push, new)
    assert not checks(push, old)


def test_pushes_are_no_longer_signed_once_the_secrets_are_removed(office: Office, hub: PretendPartner) -> None:
    rotate(office)
    rotate(office)
    office.shop.partners.remove_signing_secrets(office.partner.partner_id)
    assert not WEBHOOK_HEADERS & {name.lower() for name in pushed(office, hub).headers}


def test_neither_logs_nor_kept_answers_hold_a_signing_secret(
    office: Office, hub: PretendPartner, logged: io.StringIO
) -> None:
    old, new = rotate(office), rotate(office)
    hub.answer(Answer(500, f"your secrets are {old} and {new}".encode()))
    pushed(office, hub)
    attempts = office.shop.pushes.attempts(office.ref.activation_id)
    assert [attempt.answer for attempt in attempts[office.ref.sms_id]] == ["your secrets are *** and ***"]
    assert "push_attempts" in logged.getvalue()
    for secret in (old, new):
        assert secret.removeprefix("whsec_") not in logged.getvalue()
