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
from globalconnect.runtime.startup import clock
from local.pretend_partner import BROKEN, Answer, PretendPartner, Push
from simulation.office import Office
from simulation.shop import Shop

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


@pytest.mark.parametrize("text", ["Code 5015", TEXT, "\ud800 no Unicode", 'quotes " and \\ and / and \n', ""])
def test_the_signature_holds_for_exactly_the_bytes_that_arrive(hub: PretendPartner, text: str) -> None:
    async def attempt() -> AttemptResult:
        async with PushClient(version="1.2.3", loopback=True) as client:
            return await client.attempt(hub.url, {"text": text}, [], Signer("sms_77", clock(), [SECRET]))

    assert asyncio.run(attempt()).delivered
    (push,) = hub.pushes
    assert checks(push, SECRET)


# ---------------------------------------------------------------- the delivery routine


@pytest.fixture
def office(shop: Shop, hub: PretendPartner) -> Iterator[Office]:
    """Yield an office that pushes to a partner's server; its clock shows the real time, which partners check."""
    shop.cloud.clock.at = clock()
    with Office(shop, hub.url, TEXT) as office:
        office.pusher = office.with_parts(open_client=lambda: PushClient(version="1.2.3", loopback=True))
        yield office


def pushed(office: Office, hub: PretendPartner) -> Push:
    """Let the routine make an attempt, and return it as it arrived."""
    assert office.push() == frozenset()
    return hub.pushes[-1]


def rotate(office: Office, secret: str = "") -> str:
    secret = secret or new_signing_secret(office.shop.cloud.rng)
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
    assert (checks(first, secret), checks(second, secret), first.raw) == (True, True, second.raw)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"sms_{office.ref.sms_id}"
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 10


def test_a_partner_without_a_signing_secret_gets_no_signature(office: Office, hub: PretendPartner) -> None:
    assert not WEBHOOK_HEADERS & {name.lower() for name in pushed(office, hub).headers}


@pytest.mark.parametrize(("since", "old_holds"), [(SIGNING_OVERLAP - 1_000, True), (SIGNING_OVERLAP, False)])
def test_a_replaced_secret_signs_beside_the_new_one_for_a_day(
    office: Office, hub: PretendPartner, since: int, *, old_holds: bool
) -> None:
    now = office.shop.cloud.clock
    now.at -= since
    old, new = rotate(office), rotate(office)
    now.at += since
    push = pushed(office, hub)
    assert (checks(push, new), checks(push, old), checks(push, SECRET)) == (True, old_holds, False)


def test_neither_logs_nor_kept_answers_hold_a_signing_secret(
    office: Office, hub: PretendPartner, logged: io.StringIO
) -> None:
    old, new = rotate(office), rotate(office, "whsec_a+b/cdefghijklmnopqrstuvwxyz0123456789ABCDE=")
    # As PHP writes it.
    repeated = json.dumps({"with": old, "without": new.removeprefix("whsec_")}).replace("/", "\\/")
    hub.answer(Answer(500, repeated.encode()))
    pushed(office, hub)
    (attempt,) = office.attempts()
    assert attempt.answer == '{"with": "***", "without": "***"}'
    assert "push_attempts" in logged.getvalue()
    for secret in (old, new):
        assert secret.removeprefix("whsec_") not in logged.getvalue()
