"""The delivery routine: contract 3."""

import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Attempt, PushState, Sms
from globalconnect.push.attempt import AttemptOutcome, AttemptResult
from globalconnect.push.delivery import Delivery, NewSms
from globalconnect.push.health import Health
from globalconnect.push.queue import DuePush, RetryQueue, read_message
from globalconnect.store.activations import Activations, SmsRef
from globalconnect.store.partners import Partners
from tests.integration.shop import Shop

PHONE = "447472190082"
URL = "https://hub.example/push"

DELIVERED = AttemptResult(delivered=True, outcome=AttemptOutcome.DELIVERED, http_status=200, duration_ms=7, answer="ok")
FAILED = AttemptResult(
    delivered=False, outcome=AttemptOutcome.HTTP_STATUS, http_status=500, duration_ms=7, answer="sorry"
)
SLOW = AttemptResult(delivered=True, outcome=AttemptOutcome.DELIVERED, http_status=200, duration_ms=4_900, answer="ok")


@dataclass(slots=True)
class Hub:
    """A partner's server: remembers what it got and answers as it is told; does what it is told before."""

    answers: list[AttemptResult] = field(default_factory=list)
    got: list[tuple[str, dict[str, Any], tuple[str, ...]]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    async def attempt(self, url: str, body: dict[str, object], secrets: Sequence[str]) -> AttemptResult:
        """Take one push."""
        self.before()
        self.got.append((url, body, tuple(secrets)))
        return self.answers.pop(0) if self.answers else DELIVERED


class Noted(RetryQueue):
    """A queue that only notes what it is to send: (which SMS, group, due)."""

    def __init__(self) -> None:
        self.sent: list[tuple[SmsRef, str, int]] = []

    def send(self, ref: SmsRef, partner_id: str, due: int, now: int) -> None:
        self.sent.append((ref, partner_id, due))


class Unreachable(RetryQueue):
    """A queue that can't be reached."""

    def send(self, ref: SmsRef, partner_id: str, due: int, now: int) -> None:
        raise EndpointConnectionError(endpoint_url="the queue")


@dataclass(slots=True)
class Office:
    """A shop that pushes: one number, one partner with a Push URL, one activation, one SMS."""

    shop: Shop
    hub: Hub
    partner: Partner
    activation_id: int
    ref: SmsRef
    delivery: Delivery

    @property
    def queue(self) -> Noted:
        """The queue of failed pushes."""
        assert isinstance(self.delivery.queue, Noted)
        return self.delivery.queue

    def push(self, due: int = 0) -> frozenset[SmsRef]:
        """Let the routine take the SMS up."""
        return self.delivery.deliver([DuePush(self.ref, due)])

    def sms(self) -> Sms:
        """Give the SMS as it is now."""
        (sms,) = self.shop.activations.messages([self.ref])
        return sms


def _parts(shop: Shop, hub: Hub, max_age: int | None = None) -> Delivery:
    @asynccontextmanager
    async def open_client() -> AsyncIterator[Hub]:
        yield hub

    partners = Partners(shop.cloud.db, shop.cloud.env["PARTNERS_TABLE"], 60, shop.cloud.clock)
    return Delivery(
        partners=partners,
        activations=shop.activations,
        queue=Noted(),
        health=Health(partners, shop.cloud.clock),
        open_client=open_client,
        max_age=max_age,
        now=shop.cloud.clock,
    )


@pytest.fixture
def office(shop: Shop) -> Office:
    shop.stock(PHONE)
    partner = shop.partner(push_url=URL)
    activation_id = shop.buy(partner).body["activationId"]
    shop.deliver(shop.source(), {"phone": PHONE, "from": "Microsoft", "text": "Your code: 5015"})
    sale = shop.activations.sale(activation_id)
    assert sale is not None
    hub = Hub()
    ref = SmsRef(activation_id, sale.messages[0].sms_id)
    return Office(shop, hub, partner, activation_id, ref, _parts(shop, hub))


def test_a_push_has_the_form_of_the_contract(office: Office) -> None:
    assert office.push() == frozenset()
    ((url, body, secrets),) = office.hub.got
    assert url == URL
    assert body == {
        "key": office.partner.key,
        "action": "PUSH_SMS",
        "smsId": str(office.ref.sms_id),
        "phone": PHONE,
        "phoneFrom": "Microsoft",
        "text": "Your code: 5015",
        "call": 0,
        "voice": 0,
    }
    assert set(secrets) == {office.partner.key, "Your code: 5015", "5015"}


def test_after_a_success_there_is_never_another_push(office: Office) -> None:
    office.push()
    office.shop.cloud.clock.advance(minutes=1)
    assert office.push() == frozenset()
    assert len(office.hub.got) == 1
    assert office.sms().push_state is PushState.DELIVERED
    assert office.queue.sent == []
    office.shop.sweep()
    assert office.shop.cloud.queued() == []


def test_after_a_failure_the_next_attempt_is_due_10_s_after_the_start_of_this_one(office: Office) -> None:
    start = office.shop.cloud.clock()
    office.hub.answers = [FAILED]
    office.hub.before = lambda: office.shop.cloud.clock.advance(seconds=4)
    assert office.push() == frozenset()
    assert office.sms().next_due == start + 10_000
    (attempt,) = office.sms().attempt_log
    assert (attempt.started_at, attempt.outcome, attempt.http_status) == (start, "http_status", 500)
    assert office.queue.sent == [(office.ref, office.partner.partner_id, start + 10_000)]


def test_retries_go_on_without_limit_until_success(office: Office) -> None:
    office.hub.answers = [FAILED] * 30
    for _ in range(31):
        office.push()
        office.shop.cloud.clock.advance(seconds=10)
    sms = office.sms()
    assert len(office.hub.got) == sms.attempts == 31
    assert sms.push_state is PushState.DELIVERED
    assert len(sms.attempt_log) == 20


def test_retries_go_on_after_the_activation_expired(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(minutes=120)
    office.push()
    assert len(office.hub.got) == 2


def test_a_push_that_is_not_due_yet_is_not_made(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(seconds=9)
    assert office.push() == frozenset()
    assert len(office.hub.got) == 1


def test_the_same_message_twice_makes_one_attempt(office: Office) -> None:
    office.hub.answers = [FAILED, FAILED]
    office.delivery.deliver([DuePush(office.ref, 0)] * 5)
    assert len(office.hub.got) == 1
    assert len(office.queue.sent) == 1


def test_nothing_is_pushed_after_finish(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.finish(office.partner, office.activation_id, 5)
    office.shop.cloud.clock.advance(seconds=10)
    assert office.push() == frozenset()
    assert len(office.hub.got) == 1
    assert office.sms().push_state is PushState.STOPPED


def test_without_a_push_url_nothing_is_pushed(office: Office) -> None:
    office.shop.partners.change(office.partner.partner_id, {"push_url": None})
    office.push()
    assert office.hub.got == []
    assert office.sms().push_state is PushState.NO_URL


def test_a_push_url_set_a_moment_ago_is_used_where_its_absence_is_remembered(office: Office) -> None:
    office.shop.partners.change(office.partner.partner_id, {"push_url": None})
    assert office.delivery.partners.cached(office.partner.partner_id) is not None
    office.shop.partners.change(office.partner.partner_id, {"push_url": "https://hub.example/new"})
    office.push()
    assert [url for url, _, _ in office.hub.got] == ["https://hub.example/new"]


def test_a_revoked_partner_gets_nothing_more(office: Office) -> None:
    office.shop.partners.revoke(office.partner.partner_id, office.shop.cloud.clock())
    office.push()
    assert office.hub.got == []


def test_the_operators_maximum_age_ends_the_pushing(office: Office) -> None:
    delivery = _parts(office.shop, office.hub, max_age=600_000)
    office.hub.answers = [FAILED] * 2
    delivery.deliver([DuePush(office.ref, 0)])
    office.shop.cloud.clock.advance(minutes=10)
    delivery.deliver([DuePush(office.ref, 0)])
    assert len(office.hub.got) == 1
    assert office.sms().push_state is PushState.STOPPED


def test_a_failure_that_could_not_be_queued_is_queued_by_the_sweep(office: Office) -> None:
    office.hub.answers = [FAILED]
    delivery = replace(office.delivery, queue=Unreachable(office.shop.cloud.sqs, ""))
    assert delivery.deliver([DuePush(office.ref, 0)]) == frozenset()
    office.shop.cloud.clock.advance(seconds=55)
    office.shop.sweep()
    assert len(office.shop.cloud.queued()) == 1


def test_a_first_push_that_could_neither_be_made_nor_queued_comes_again(office: Office) -> None:
    delivery = replace(office.delivery, queue=Unreachable(office.shop.cloud.sqs, ""))
    delivery.health.note(office.partner.partner_id, delivered=False, duration_ms=7)
    assert delivery.deliver_new([NewSms(office.ref, office.partner.partner_id)]) == {office.ref}


def test_a_success_is_recorded_as_soon_as_aws_lets_us(office: Office) -> None:
    class Throttled(Activations):
        refusals = 2

        def record_attempt(self, sms: Sms, attempt: Attempt, *, delivered: bool) -> None:
            if self.refusals:
                self.refusals -= 1
                raise EndpointConnectionError(endpoint_url="the table")
            super().record_attempt(sms, attempt, delivered=delivered)

    activations = Throttled(office.shop.cloud.db, office.shop.activations.table, office.shop.activations.keep)
    delivery = replace(office.delivery, activations=activations, record_pauses=(0.0,) * 3)
    delivery.deliver([DuePush(office.ref, 0)])
    assert office.sms().push_state is PushState.DELIVERED


def test_an_sms_that_trips_us_does_not_take_the_others_along(office: Office) -> None:
    class Odd(Activations):
        def claim(self, ref: SmsRef, now: int) -> Sms | None:
            if ref.sms_id == 1:
                raise KeyError("text")
            return super().claim(ref, now)

    activations = Odd(office.shop.cloud.db, office.shop.activations.table, office.shop.activations.keep)
    odd = SmsRef(office.activation_id, 1)
    delivery = replace(office.delivery, activations=activations)
    assert delivery.deliver([DuePush(odd, 0), DuePush(office.ref, 0)]) == {odd}
    assert len(office.hub.got) == 1


def test_trouble_with_the_claim_leaves_the_push_to_come_again(office: Office) -> None:
    class Throttled(Activations):
        def claim(self, ref: SmsRef, now: int) -> Sms | None:
            raise EndpointConnectionError(endpoint_url="the table")

    delivery = replace(office.delivery, activations=Throttled(office.shop.cloud.db, "", 0))
    assert delivery.deliver([DuePush(office.ref, 0)]) == {office.ref}
    assert office.hub.got == []


def test_a_push_that_lost_its_message_is_queued_again_by_the_sweep(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(seconds=54)
    office.shop.sweep()
    assert office.shop.cloud.queued() == []
    office.shop.cloud.clock.advance(seconds=1)
    office.shop.sweep()
    (message,) = office.shop.cloud.queued()
    assert office.delivery.deliver([read_message(message)]) == frozenset()
    assert len(office.hub.got) == 2


def test_an_sms_whose_first_push_was_lost_is_queued_by_the_sweep(office: Office) -> None:
    office.shop.cloud.clock.advance(seconds=45)
    office.shop.sweep()
    assert len(office.shop.cloud.queued()) == 1


def test_an_operator_can_have_a_delivered_sms_pushed_once_more(office: Office) -> None:
    office.push()
    office.shop.cloud.clock.advance(seconds=30)
    now = office.shop.cloud.clock()
    assert office.shop.activations.push_again(office.ref, now, 5_000).next_due == now
    office.push()
    assert len(office.hub.got) == 2


def test_pushing_again_never_overlaps_an_attempt_that_may_be_under_way(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(seconds=4)
    sms = office.shop.activations.push_again(office.ref, office.shop.cloud.clock(), 5_000)
    assert sms.next_due == office.shop.cloud.clock() + 6_000
    office.push()
    assert len(office.hub.got) == 1


# ------------------------------------------------------------------ partners in trouble


def _first_push(office: Office) -> None:
    assert office.delivery.deliver_new([NewSms(office.ref, office.partner.partner_id)]) == frozenset()


@pytest.mark.parametrize("last", [FAILED, SLOW], ids=["failed", "slow"])
def test_first_pushes_of_a_partner_in_trouble_go_through_the_queue_at_once(office: Office, last: AttemptResult) -> None:
    office.delivery.health.note(office.partner.partner_id, delivered=last.delivered, duration_ms=last.duration_ms)
    _first_push(office)
    assert office.hub.got == []
    assert office.queue.sent == [(office.ref, office.partner.partner_id, office.shop.cloud.clock())]
    office.push()
    assert len(office.hub.got) == 1


def test_first_pushes_of_a_partner_in_good_health_are_made_at_once(office: Office) -> None:
    _first_push(office)
    assert len(office.hub.got) == 1


def test_trouble_is_forgotten_after_two_minutes_without_any(office: Office) -> None:
    office.delivery.health.note(office.partner.partner_id, delivered=False, duration_ms=7)
    office.shop.cloud.clock.advance(minutes=2)
    _first_push(office)
    assert len(office.hub.got) == 1


def test_trouble_seen_by_one_function_is_known_to_others(office: Office) -> None:
    office.hub.answers = [FAILED]
    _first_push(office)
    elsewhere = _parts(office.shop, office.hub)
    assert elsewhere.health.in_trouble(office.partner.partner_id)


def test_trouble_is_written_when_it_begins_and_not_at_every_attempt(office: Office) -> None:
    class Counted(Partners):
        written = 0

        def note_trouble(self, partner_id: str, until: int) -> None:
            self.written += 1

    partners = Counted(office.shop.cloud.db, office.shop.cloud.env["PARTNERS_TABLE"], 60, office.shop.cloud.clock)
    health = Health(partners, office.shop.cloud.clock)
    for _ in range(120):
        health.note(office.partner.partner_id, delivered=False, duration_ms=7)
        office.shop.cloud.clock.advance(seconds=1)
    assert partners.written == 2
    assert health.in_trouble(office.partner.partner_id)


def test_logs_of_a_push_hold_neither_key_nor_text(office: Office, logged: io.StringIO) -> None:
    office.hub.answers = [FAILED]
    office.push()
    assert json.loads(logged.getvalue().splitlines()[-1])["outcome"] == "http_status"
    assert office.partner.key not in logged.getvalue()
    assert "5015" not in logged.getvalue()
