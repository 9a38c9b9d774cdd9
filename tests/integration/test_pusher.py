"""The delivery routine: contract 3."""

import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from globalconnect.domain.errors import Unavailable
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Attempt, AttemptTally, NewSms, PushEnd, PushState, Sms, SmsRef
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import DuePush, RetryQueues, UnreadableMessage, read_message
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from simulation.calls import Calls
from simulation.office import DELIVERED, FAILED, PHONE, TIMED_OUT, URL, Office
from simulation.shop import Shop


@pytest.fixture
def office(shop: Shop) -> Iterator[Office]:
    with Office(shop) as office:
        yield office


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
    assert set(secrets) == {office.partner.key, "Your code: 5015"}


def test_after_a_success_there_is_never_another_push(office: Office) -> None:
    office.push()
    office.shop.cloud.clock.advance(minutes=1)
    assert office.push() == frozenset()
    assert len(office.hub.got) == 1
    assert office.sms().push_state is PushState.DELIVERED
    assert office.queues.sent == []
    office.shop.sweep()
    assert office.shop.cloud.queued() == []


def test_after_a_failure_the_next_attempt_is_due_10_s_after_the_start_of_this_one(office: Office) -> None:
    start = office.shop.cloud.clock()
    office.hub.answers = [FAILED]
    office.hub.before = lambda: office.shop.cloud.clock.advance(seconds=4)
    assert office.push() == frozenset()
    assert office.sms().next_due == start + 10_000
    assert office.attempts() == [Attempt(1, start, 7, "http_status", 500, "sorry")]
    assert office.queues.sent == [(office.ref, office.partner.partner_id, start + 10_000, False)]


def test_retries_go_on_without_limit_until_success(office: Office) -> None:
    office.hub.answers = [FAILED] * 30
    for _ in range(31):
        office.push()
        office.shop.cloud.clock.advance(seconds=10)
    sms = office.sms()
    assert len(office.hub.got) == sms.attempts == 31
    assert sms.push_state is PushState.DELIVERED
    assert [attempt.number for attempt in office.attempts()] == [1, *range(12, 32)]


def test_how_every_attempt_of_a_long_outage_ended_is_counted(office: Office) -> None:
    office.hub.answers = [FAILED] * 30
    office.first_push()
    for _ in range(30):
        office.shop.cloud.clock.advance(seconds=10)
        office.retry()
    assert (office.sms().attempts, office.sms().outcomes) == (31, {"http_status": 30, "delivered": 1})
    assert [attempt.number for attempt in office.attempts()] == [1, *range(12, 32)]


def test_a_push_that_was_claimed_and_not_made_is_no_attempt(office: Office) -> None:
    _in_trouble(office, open_among=1).deliver([office.due()])
    office.shop.cloud.clock.advance(seconds=10)
    office.hub.answers = [FAILED]
    office.retry()
    office.shop.finish(office.partner, office.activation_id, 5)
    office.shop.cloud.clock.advance(seconds=10)
    office.retry()
    sms = office.sms()
    assert (sms.push_state, sms.attempts, sms.outcomes) == (PushState.STOPPED, 1, {"http_status": 1})
    assert [attempt.number for attempt in office.attempts()] == [1]


def test_attempts_are_counted_by_how_they_ended(office: Office) -> None:
    office.hub.answers = [FAILED, TIMED_OUT, FAILED]
    office.first_push()
    for _ in range(3):
        office.shop.cloud.clock.advance(seconds=10)
        office.retry()
    assert (office.sms().attempts, office.sms().outcomes) == (4, {"http_status": 2, "timeout": 1, "delivered": 1})


def test_counting_attempts_takes_no_further_call(office: Office) -> None:
    """The partner, a claim, a look, and the attempt that is kept, whether or not there was an attempt before."""
    office.hub.answers = [FAILED] * 3
    each = ["BatchExecuteStatement", "BatchGetItem", "BatchGetItem", "BatchWriteItem"]
    with Calls(office.shop.cloud.client) as calls:
        assert calls.of(office.first_push) == each
        for _ in range(2):
            office.shop.cloud.clock.advance(seconds=10)
            assert calls.of(office.retry) == each


def test_an_attempt_whose_message_was_lost_is_counted_all_the_same(office: Office) -> None:
    office.hub.answers = [FAILED, TIMED_OUT]
    office.first_push()
    for _ in range(2):
        office.shop.cloud.clock.advance(seconds=55)
        office.shop.sweep()
        office.shop.cloud.queued()
        office.queues.sent.clear()
        office.push()
    assert (office.sms().attempts, office.sms().outcomes) == (3, {"http_status": 1, "timeout": 1, "delivered": 1})


def test_an_attempt_that_could_not_be_kept_is_counted_all_the_same(office: Office) -> None:
    office.hub.answers = [FAILED]
    _in_trouble(office, keep_attempts=1).deliver_new([NewSms(office.ref, office.partner.partner_id)])
    office.shop.cloud.clock.advance(seconds=10)
    office.retry()
    assert (office.sms().attempts, office.sms().outcomes) == (2, {"http_status": 1, "delivered": 1})
    assert [attempt.number for attempt in office.attempts()] == [2]


def test_a_push_by_staff_is_counted_too(office: Office) -> None:
    office.hub.answers = [DELIVERED, FAILED]
    office.first_push()
    office.shop.cloud.clock.advance(seconds=30)
    office.shop.pushes.push_again(office.ref, office.shop.cloud.clock(), 5_000)
    office.push()
    office.shop.cloud.clock.advance(seconds=10)
    office.retry()
    assert (office.sms().attempts, office.sms().outcomes) == (3, {"delivered": 2, "http_status": 1})


def test_what_is_known_of_attempts_survives_the_queue() -> None:
    tally = AttemptTally(1_790_000_000_000, 3, {"timeout": 2, "tls": 1})
    push = DuePush(SmsRef(1, 2), "hub", 1_790_000_010_000, tally)
    sent: list[Any] = []

    class Sqs:
        def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803 - AWS's names
            sent.extend((QueueUrl, entry["MessageBody"]) for entry in Entries)
            return {}

    RetryQueues(cast("Any", Sqs()), "retry", "slow").send([push, replace(push, tally=None)], slow=False, now=0)
    assert [url for url, _ in sent] == ["retry", "retry"]
    assert [read_message(body) for _, body in sent] == [push, replace(push, tally=None)]


@pytest.mark.parametrize("tally", [7, [], {}, {"nextDue": 1, "attempts": 1, "outcomes": []}])
def test_a_message_that_nobody_wrote_is_unreadable(tally: object) -> None:
    body = {"activationId": 1, "smsId": 2, "partnerId": "hub", "due": 3, "tally": tally}
    with pytest.raises(UnreadableMessage):
        read_message(json.dumps(body))


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
    office.pusher.deliver([office.due()] * 5)
    assert len(office.hub.got) == 1
    assert len(office.queues.sent) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["stale first", "live first"])
def test_a_stale_message_beside_the_live_one_does_not_take_its_place(office: Office, order: tuple[int, int]) -> None:
    start = office.shop.cloud.clock()
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(seconds=8.5)
    messages = [office.due(start), office.due(start + 10_000)]
    office.pusher.deliver([messages[place] for place in order])
    assert len(office.hub.got) == 2


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


def test_a_push_url_set_a_moment_ago_is_used(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.partners.change(office.partner.partner_id, {"push_url": "https://hub.example/new"})
    office.shop.cloud.clock.advance(seconds=10)
    office.push()
    assert [url for url, _, _ in office.hub.got] == [URL, "https://hub.example/new"]


def test_a_revoked_partner_gets_nothing_more(office: Office) -> None:
    office.shop.partners.revoke(office.partner.partner_id, office.shop.cloud.clock())
    office.push()
    assert office.hub.got == []


def test_a_paused_partner_goes_on_being_pushed_to(office: Office) -> None:
    office.shop.partners.pause(office.partner.partner_id, "Unpaid", office.shop.cloud.clock())
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(seconds=10)
    office.push()
    assert len(office.hub.got) == 2
    assert office.sms().push_state is PushState.DELIVERED


def test_the_deployments_maximum_age_ends_the_pushing(office: Office) -> None:
    pusher = office.with_parts(max_age=600_000)
    office.hub.answers = [FAILED] * 2
    pusher.deliver([office.due()])
    office.shop.cloud.clock.advance(minutes=10)
    pusher.deliver([office.due()])
    assert len(office.hub.got) == 1
    assert office.sms().push_state is PushState.STOPPED


def test_what_is_past_its_retention_is_pushed_no_more_though_it_is_not_deleted_yet(office: Office) -> None:
    office.hub.answers = [FAILED] * 2
    office.pusher.deliver([office.due()])
    office.shop.cloud.clock.advance(minutes=30 * 24 * 60)
    assert office.pusher.deliver([office.due()]) == frozenset()
    assert len(office.hub.got) == 1
    assert office.shop.cloud.queued() == office.shop.cloud.queued(slow=True) == []


def test_a_failure_that_could_not_be_queued_is_queued_by_the_sweep(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.queues.refuse = True
    assert office.push() == frozenset()
    office.shop.cloud.clock.advance(seconds=55)
    office.shop.sweep()
    assert len(office.shop.cloud.queued()) == 1


def test_a_first_push_that_could_neither_be_made_nor_queued_comes_again(office: Office) -> None:
    office.queues.refuse = True
    office.shop.partners.note_slow(office.partner.partner_id, office.shop.cloud.clock() + 1)
    assert office.first_push() == {office.ref}


class TroubledPushes(Pushes):
    """A store that AWS gives trouble with: a call that is told to fail does so, a number of times."""

    failures: dict[str, int]

    def _fail(self, call: str) -> None:
        if self.failures.get(call):
            self.failures[call] -= 1
            raise Unavailable("EndpointConnectionError")

    def claim(
        self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
    ) -> list[Sms | Exception | None]:
        self._fail("claim")
        return super().claim(refs, now, tallies)

    def open_among(self, activation_ids: Collection[int]) -> frozenset[int]:
        self._fail("open_among")
        return super().open_among(activation_ids)

    def settle(self, ends: Sequence[PushEnd]) -> list[Exception | None]:
        self._fail("settle")
        return super().settle(ends)

    def keep_attempts(self, attempts: Sequence[tuple[Sms, Attempt]]) -> None:
        self._fail("keep_attempts")
        super().keep_attempts(attempts)


def _in_trouble(office: Office, **failures: int) -> Pusher:
    activations = office.shop.activations
    pushes = TroubledPushes(office.shop.cloud.db, activations.table, activations.retention)
    pushes.failures = failures
    return office.with_parts(pushes=pushes)


def test_a_success_is_recorded_as_soon_as_aws_lets_us(office: Office) -> None:
    _in_trouble(office, settle=3).deliver([office.due()])
    assert office.sms().push_state is PushState.DELIVERED


def test_trouble_with_the_claim_leaves_the_push_to_come_again(office: Office) -> None:
    assert _in_trouble(office, claim=1).deliver([office.due()]) == {office.ref}
    assert office.hub.got == []


def test_trouble_after_the_claim_queues_the_next_attempt(office: Office) -> None:
    start = office.shop.cloud.clock()
    assert _in_trouble(office, open_among=1).deliver([office.due()]) == frozenset()
    assert office.hub.got == []
    assert office.queues.sent == [(office.ref, office.partner.partner_id, start + 10_000, False)]


def test_an_attempt_that_could_not_be_kept_is_only_a_gap_in_the_log(office: Office) -> None:
    assert _in_trouble(office, keep_attempts=1).deliver([office.due()]) == frozenset()
    assert office.sms().push_state is PushState.DELIVERED
    assert office.attempts() == []


def test_partners_that_cannot_be_read_leave_the_pushes_to_come_again(office: Office) -> None:
    class Unreadable(Partners):
        def many(self, partner_ids: Collection[str]) -> dict[str, Partner]:
            raise Unavailable("EndpointConnectionError")

    partners = Unreadable(office.shop.cloud.db, "", 0, office.shop.cloud.clock)
    assert office.with_parts(partners=partners).deliver([office.due()]) == {office.ref}
    assert office.hub.got == []


def test_an_sms_that_trips_us_does_not_take_the_others_along(office: Office) -> None:
    class Odd(Pushes):
        def claim(
            self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
        ) -> list[Sms | Exception | None]:
            return [
                KeyError("text") if ref.sms_id == 1 else super(Odd, self).claim([ref], now, tallies)[0] for ref in refs
            ]

    activations = office.shop.activations
    odd = DuePush(SmsRef(office.activation_id, 1), office.partner.partner_id, 0)
    pusher = office.with_parts(pushes=Odd(office.shop.cloud.db, activations.table, activations.retention))
    assert pusher.deliver([odd, office.due()]) == {odd.ref}
    assert len(office.hub.got) == 1


def test_a_claim_that_took_too_long_is_not_used(office: Office) -> None:
    class Late(Pushes):
        def open_among(self, activation_ids: Collection[int]) -> frozenset[int]:
            office.shop.cloud.clock.advance(ms=4_001)
            return super().open_among(activation_ids)

    start = office.shop.cloud.clock()
    activations = office.shop.activations
    office.with_parts(pushes=Late(office.shop.cloud.db, activations.table, activations.retention)).deliver(
        [office.due()]
    )
    assert office.hub.got == []
    assert office.queues.sent == [(office.ref, office.partner.partner_id, start + 10_000, False)]


def test_a_push_that_lost_its_message_is_queued_again_by_the_sweep(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(seconds=54)
    office.shop.sweep()
    assert office.shop.cloud.queued() == []
    office.shop.cloud.clock.advance(seconds=1)
    office.shop.sweep()
    (message,) = office.shop.cloud.queued()
    office.pusher.deliver([read_message(message)])
    assert len(office.hub.got) == 2


def test_an_sms_whose_first_push_was_lost_is_queued_by_the_sweep(office: Office) -> None:
    office.shop.cloud.clock.advance(seconds=45)
    office.shop.sweep()
    assert len(office.shop.cloud.queued()) == 1


def test_staff_can_have_a_delivered_sms_pushed_once_more(office: Office) -> None:
    office.push()
    office.shop.cloud.clock.advance(seconds=30)
    now = office.shop.cloud.clock()
    assert office.shop.pushes.push_again(office.ref, now, 5_000).next_due == now
    office.push()
    assert len(office.hub.got) == 2


def test_pushing_again_never_overlaps_an_attempt_that_may_be_under_way(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.cloud.clock.advance(seconds=4)
    sms = office.shop.pushes.push_again(office.ref, office.shop.cloud.clock(), 5_000)
    assert sms.next_due == office.shop.cloud.clock() + 6_000
    office.push()
    assert len(office.hub.got) == 1


def test_the_sweep_queues_what_is_late_every_other_minute_at_most(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    clock = office.shop.cloud.clock
    clock.advance(seconds=55)
    queued = []
    for _ in range(4):
        office.shop.sweep()
        queued.append(len(office.shop.cloud.queued()))
        clock.advance(minutes=1)
    assert queued == [1, 0, 1, 0]


def test_a_push_that_is_lost_again_after_another_attempt_is_queued_again_at_once(office: Office) -> None:
    office.hub.answers = [FAILED] * 2
    clock = office.shop.cloud.clock
    for _ in range(2):
        clock.advance(seconds=55)
        office.shop.sweep()
        (message,) = office.shop.cloud.queued()
        office.pusher.deliver([read_message(message)])
    assert len(office.hub.got) == 2


def test_a_look_at_the_activation_that_took_long_is_taken_again(office: Office) -> None:
    class FinishedMeanwhile(Pushes):
        looks = 0

        def open_among(self, activation_ids: Collection[int]) -> frozenset[int]:
            found = super().open_among(activation_ids)
            self.looks += 1
            if self.looks == 1:
                office.shop.cloud.clock.advance(ms=301)
                office.shop.finish(office.partner, office.activation_id, 3)
            return found

    activations = office.shop.activations
    pushes = FinishedMeanwhile(office.shop.cloud.db, activations.table, activations.retention)
    office.with_parts(pushes=pushes).deliver([office.due()])
    assert office.hub.got == []
    assert office.sms().push_state is PushState.STOPPED


# ------------------------------------------------------------------ slow partners


def test_first_pushes_of_a_slow_partner_go_through_the_slow_queue_at_once(office: Office) -> None:
    now = office.shop.cloud.clock()
    office.shop.partners.note_slow(office.partner.partner_id, now + 1)
    assert office.first_push() == frozenset()
    assert office.hub.got == []
    assert office.queues.sent == [(office.ref, office.partner.partner_id, now, True)]
    office.push()
    assert len(office.hub.got) == 1


def test_first_pushes_of_a_partner_that_fails_at_once_are_made_at_once(office: Office) -> None:
    office.hub.answers = [FAILED, FAILED]
    office.first_push()
    office.shop.cloud.clock.advance(seconds=10)
    office.first_push()
    assert len(office.hub.got) == 2


def test_retries_of_a_slow_partner_take_the_slow_queue(office: Office) -> None:
    office.hub.answers = [TIMED_OUT]
    office.push()
    assert [slow for _, _, _, slow in office.queues.sent] == [True]


def test_what_the_sweep_finds_of_a_slow_partner_takes_the_slow_queue(office: Office) -> None:
    office.hub.answers = [TIMED_OUT]
    office.push()
    office.shop.cloud.clock.advance(seconds=55)
    office.shop.sweep()
    assert len(office.shop.cloud.queued(slow=True)) == 1
    assert office.shop.cloud.queued() == []


def test_slowness_is_forgotten_a_minute_after_the_last_slow_attempt(office: Office) -> None:
    office.hub.answers = [TIMED_OUT]
    office.push()
    office.shop.cloud.clock.advance(minutes=1)
    office.first_push()
    assert len(office.hub.got) == 2


def test_slowness_seen_by_one_environment_is_known_to_others(office: Office) -> None:
    office.hub.answers = [TIMED_OUT]
    office.push()
    office.with_parts().deliver_new([NewSms(office.ref, office.partner.partner_id)])
    assert len(office.hub.got) == 1


def test_health_is_written_when_it_changes_and_not_at_every_attempt(office: Office) -> None:
    class Counted(Partners):
        slow = 0
        successes = 0

        def note_slow(self, partner_id: str, until: int) -> None:
            self.slow += 1

        def note_success(self, partner_id: str, at: int) -> None:
            self.successes += 1

    partners = Counted(office.shop.cloud.db, office.shop.cloud.env["PARTNERS_TABLE"], 0, office.shop.cloud.clock)
    health = Health(partners, office.shop.cloud.clock)
    for _ in range(120):
        health.note(office.partner, delivered=True, duration_ms=4_900)
        health.share()
        office.shop.cloud.clock.advance(seconds=1)
    assert (partners.slow, partners.successes) == (6, 2)


def test_a_success_is_known_by_the_partners_item(office: Office) -> None:
    office.push()
    partner = office.shop.partners.get(office.partner.partner_id)
    assert partner.last_success_at == office.shop.cloud.clock()


def test_logs_of_a_push_hold_neither_key_nor_text(office: Office, logged: io.StringIO) -> None:
    office.hub.answers = [FAILED]
    office.push()
    (attempt,) = json.loads(logged.getvalue().splitlines()[-1])["attempts"]
    assert (attempt["outcome"], attempt["attempt"]) == ("http_status", 1)
    assert office.partner.key not in logged.getvalue()
    assert "5015" not in logged.getvalue()
