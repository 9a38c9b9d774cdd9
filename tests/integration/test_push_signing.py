"""Signed pushes, checked as a partner checks them: by the library of Standard Webhooks, over the bytes that came."""

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from globalconnect.domain.partner import SIGNING_OVERLAP, Partner, new_signing_secret
from globalconnect.domain.push_attempt import AttemptResult
from globalconnect.domain.sms import SmsRef
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import DuePush
from globalconnect.push.signing import Signer
from globalconnect.runtime import clock
from local.pretend_partner import BROKEN, Answer, PretendPartner, Push
from tests.integration.shop import Shop

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


@dataclass(slots=True)
class Office:
    """A partner's server, and one SMS to be pushed to it; the clock shows the real time, which partners check."""

    shop: Shop
    hub: PretendPartner
    partner: Partner
    push: DuePush
    pusher: Pusher

    def pushed(self) -> Push:
        """Let the routine make an attempt, and return it as it arrived."""
        assert self.pusher.deliver([self.push]) == frozenset()
        return self.hub.pushes[-1]

    def rotate(self) -> str:
        """Return the partner a new signing secret."""
        secret = new_signing_secret(self.shop.cloud.rng)
        self.shop.partners.rotate_signing_secret(self.partner.partner_id, secret, self.shop.cloud.clock())
        return secret


@pytest.fixture
def office(shop: Shop, hub: PretendPartner) -> Iterator[Office]:
    now = shop.cloud.clock
    now.at = clock.now()
    shop.stock(PHONE)
    partner = shop.partner(push_url=hub.url)
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), {"phone": PHONE, "from": "Microsoft", "text": TEXT})
    sale = shop.activations.sale(activation_id)
    assert sale is not None
    pusher = Pusher(
        pushes=shop.pushes,
        partners=shop.partners,
        queues=shop.cloud.queues(),
        health=Health(shop.partners, now),
        open_client=lambda: PushClient(version="1.2.3", loopback=True),
        max_age=None,
        now=now,
    )
    push = DuePush(SmsRef(activation_id, sale.sms[0].sms_id), partner.partner_id, 0)
    yield Office(shop, hub, partner, push, pusher)
    pusher.close()


def test_every_attempt_of_an_sms_is_signed_with_its_id_and_the_time_of_the_attempt(office: Office) -> None:
    secret = office.rotate()
    office.hub.answer(BROKEN)
    first = office.pushed()
    office.shop.cloud.clock.advance(seconds=10)
    second = office.pushed()
    assert checks(first, secret)
    assert checks(second, secret)
    assert first.raw == second.raw
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"sms_{office.push.ref.sms_id}"
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 10


def test_a_partner_without_a_signing_secret_gets_no_signature(office: Office) -> None:
    assert not WEBHOOK_HEADERS & {name.lower() for name in office.pushed().headers}


def test_while_a_partner_switches_pushes_hold_for_the_old_secret_and_the_new(office: Office) -> None:
    old, new = office.rotate(), office.rotate()
    office.hub.answer(BROKEN)
    push = office.pushed()
    assert checks(push, old)
    assert checks(push, new)
    assert not checks(push, SECRET)


def test_a_day_after_its_replacement_a_secret_signs_no_more(office: Office) -> None:
    now = office.shop.cloud.clock
    now.at -= SIGNING_OVERLAP
    old, new = office.rotate(), office.rotate()
    now.at += SIGNING_OVERLAP
    push = office.pushed()
    assert checks(push, new)
    assert not checks(push, old)


def test_pushes_are_no_longer_signed_once_the_secrets_are_removed(office: Office) -> None:
    office.rotate()
    office.rotate()
    office.shop.partners.remove_signing_secrets(office.partner.partner_id)
    assert not WEBHOOK_HEADERS & {name.lower() for name in office.pushed().headers}


def test_neither_logs_nor_kept_answers_hold_a_signing_secret(office: Office, logged: io.StringIO) -> None:
    old, new = office.rotate(), office.rotate()
    office.hub.answer(Answer(500, f"your secrets are {old} and {new}".encode()))
    office.pushed()
    attempts = office.shop.pushes.attempts(office.push.ref.activation_id)
    assert [attempt.answer for attempt in attempts[office.push.ref.sms_id]] == ["your secrets are *** and ***"]
    assert "push_attempts" in logged.getvalue()
    for secret in (old, new):
        assert secret.removeprefix("whsec_") not in logged.getvalue()
