"""The delivery routine: contract 3. Whatever may come in between: tests/faults/test_interleavings.py."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from globalconnect.domain.ids import ActivationId, SmsId
from globalconnect.domain.partner import in_clear
from globalconnect.domain.sms import Attempt, AttemptTally, DuePush, PushState, Sms, SmsRef
from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.push.health import Health
from globalconnect.push.queue import UnreadableMessage, read_message
from globalconnect.store.activations import first_push, from_sms
from globalconnect.store.dynamo import to_wire
from globalconnect.store.pushes import Pushes
from simulation.calls import Calls
from simulation.failing import Fault, failing_cloud
from simulation.office import FAILED, PHONE, STOP, TIMED_OUT, URL, Office
from simulation.shop import Shop


@pytest.fixture
def office(shop: Shop) -> Iterator[Office]:
    with Office(shop) as office:
        yield office


def test_a_push_has_the_form_of_the_contract(office: Office) -> None:
    assert office.push() == frozenset()
    body = {
        "key": office.partner.key,
        "action": "PUSH_SMS",
        "smsId": str(office.ref.sms_id),
        "phone": PHONE,
        "phoneFrom": "Microsoft",
        "text": "Your code: 5015",
        "call": 0,
        "voice": 0,
    }
    assert office.hub.got == [(URL, body, (office.partner.key, "Your code: 5015"))]


def test_after_a_success_there_is_never_another_push(office: Office) -> None:
    office.push()
    office.shop.cloud.clock.advance(minutes=1)
    assert office.push() == frozenset()
    office.shop.sweep()
    assert (len(office.hub.got), office.sms().push_state) == (1, PushState.DELIVERED)
    assert (office.queues.sent, office.shop.cloud.queued()) == ([], [])


def test_after_a_failure_the_next_attempt_is_due_10_s_after_the_start_of_this_one(office: Office) -> None:
    start = office.shop.cloud.clock()
    office.hub.answers = [FAILED]
    office.hub.before = lambda: office.shop.cloud.clock.advance(seconds=4)
    assert office.push() == frozenset()
    assert office.sms().next_due == start + 10_000
    assert office.attempts() == [Attempt(1, start, 7, "http_status", 500, "sorry")]
    assert office.queues.sent == [(office.ref, office.partner.partner_id, start + 10_000, False)]


def test_a_stop_word_ends_the_push_for_ever_without_its_being_delivered_and_staff_see_why(shop: Shop) -> None:
    with Office(shop, dialect="onlinesim") as office:
        start = shop.cloud.clock()
        office.hub.answers = [FAILED, STOP]
        office.first_push()
        shop.cloud.clock.advance(seconds=10)
        office.retry()
        sms = office.sms()
        assert (sms.push_state, sms.delivered_at) == (PushState.STOPPED, None)
        assert (sms.attempts, sms.outcomes) == (2, {"http_status": 1, "stop_word": 1})
        assert office.attempts()[1] == Attempt(2, start + 10_000, 7, "stop_word", 400, '{"status":"NO_OP"}')
        shop.cloud.clock.advance(minutes=5)
        shop.sweep()
        office.push()
        assert (len(office.hub.got), len(office.queues.sent), shop.cloud.queued()) == (2, 1, [])


def test_a_stop_that_could_not_be_recorded_at_once_is_recorded_all_the_same(shop: Shop) -> None:
    with Office(shop, dialect="onlinesim") as office:
        office.hub.answers = [STOP]
        # The claim, and how it ended.
        faults = {"BatchExecuteStatement": iter([None, Fault.UNHEARD])}
        troubled = Shop(failing_cloud(shop.cloud, lambda operation: next(faults.get(operation, iter(())), None)))
        office.with_parts(pushes=troubled.pushes).deliver_new([office.new()])
        assert office.sms().push_state is PushState.STOPPED
        assert next(faults["BatchExecuteStatement"], None) is None


def test_a_push_is_in_the_partners_dialect(shop: Shop) -> None:
    with Office(shop, dialect="onlinesim") as office:
        office.push()
        assert office.hub.dialects == [DIALECTS["onlinesim"]]


def test_retries_go_on_without_limit_and_are_counted_by_how_they_ended(office: Office) -> None:
    office.hub.answers = [TIMED_OUT] + [FAILED] * 29
    office.first_push()
    for _ in range(30):
        office.shop.cloud.clock.advance(seconds=10)
        office.retry()
    sms = office.sms()
    assert len(office.hub.got) == sms.attempts == 31
    assert sms.outcomes == {"timeout": 1, "http_status": 29, "delivered": 1}
    assert [attempt.number for attempt in office.attempts()] == [1, *range(12, 32)]


def test_counting_attempts_takes_no_further_call(office: Office) -> None:
    """The partner, a claim, a look, and the attempt that is kept, whether or not there was an attempt before."""
    office.hub.answers = [FAILED] * 3
    each = ["BatchExecuteStatement", "BatchGetItem", "BatchGetItem", "BatchWriteItem"]
    with Calls(office.shop.cloud.client) as calls:
        assert calls.of(office.first_push) == each
        for _ in range(2):
            office.shop.cloud.clock.advance(seconds=10)
            assert calls.of(office.retry) == each


def test_a_new_sms_is_known_to_have_no_attempt_so_that_its_first_push_looks_for_none(office: Office) -> None:
    item = from_sms(office.sms(), office.shop.activations.retention)
    assert first_push({"NewImage": to_wire(item)}) == office.new()


def test_what_is_known_of_attempts_survives_the_queue(office: Office) -> None:
    tally = AttemptTally(1_790_000_000_000, 3, {"timeout": 2, "tls": 1})
    pushes = [replace(office.due(), tally=tally), replace(office.due(), tally=None)]
    office.shop.cloud.queues().send(pushes, slow=False, now=0)
    assert [read_message(body) for body in office.shop.cloud.queued()] == pushes


@pytest.mark.parametrize("tally", [7, [], {}, {"nextDue": 1, "attempts": 1, "outcomes": []}])
def test_a_message_that_nobody_wrote_is_unreadable(tally: object) -> None:
    body = {"activationId": 1, "smsId": 2, "partnerId": "hub", "due": 3, "tally": tally}
    with pytest.raises(UnreadableMessage):
        read_message(json.dumps(body))


def test_the_same_message_twice_makes_one_attempt(office: Office) -> None:
    office.hub.answers = [FAILED, FAILED]
    office.pusher.deliver([office.due()] * 5)
    assert (len(office.hub.got), len(office.queues.sent)) == (1, 1)


# ------------------------------------------------------------------ what ends the pushing, and what does not


def _finish(office: Office) -> None:
    office.shop.finish(office.partner, office.activation_id, 5)


def _remove_url(office: Office) -> None:
    office.shop.partners.change(office.partner.partner_id, {"push_url": None})


def _revoke(office: Office) -> None:
    office.shop.partners.revoke(office.partner.partner_id, office.shop.cloud.clock())


def _pause(office: Office) -> None:
    office.shop.partners.pause(office.partner.partner_id, "Unpaid", office.shop.cloud.clock())


def _age(minutes: float) -> Callable[[Office], None]:
    return lambda office: office.shop.cloud.clock.advance(minutes=minutes)


@pytest.mark.parametrize(
    ("happens", "max_age", "state"),
    [
        pytest.param(_finish, None, PushState.STOPPED, id="finished"),
        pytest.param(_remove_url, None, PushState.NO_URL, id="no Push URL"),
        pytest.param(_revoke, None, PushState.STOPPED, id="revoked"),
        pytest.param(_age(10), 600_000, PushState.STOPPED, id="of the deployment's maximum age"),
        pytest.param(_age(9), 600_000, PushState.DELIVERED, id="younger than that"),
        pytest.param(_age(120), None, PushState.DELIVERED, id="expired"),
        pytest.param(_pause, None, PushState.DELIVERED, id="paused"),
    ],
)
def test_pushing_ends_by_finish_revocation_or_age_and_by_no_expiry_or_pause(
    office: Office, happens: Callable[[Office], None], max_age: int | None, state: PushState
) -> None:
    pusher = office.with_parts(max_age=max_age)
    office.hub.answers = [FAILED]
    pusher.deliver([office.due()])
    happens(office)
    office.shop.cloud.clock.advance(seconds=10)
    assert pusher.deliver([office.due()]) == frozenset()
    assert len(office.hub.got) == 1 + (state is PushState.DELIVERED)
    assert office.sms().push_state is state


def test_a_push_url_set_a_moment_ago_is_used(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    office.shop.partners.change(office.partner.partner_id, {"push_url": "https://hub.example/new"})
    office.shop.cloud.clock.advance(seconds=10)
    office.push()
    assert [url for url, _, _ in office.hub.got] == [URL, "https://hub.example/new"]


def test_what_is_past_its_retention_is_pushed_no_more_though_it_is_not_deleted_yet(office: Office) -> None:
    office.hub.answers = [FAILED] * 2
    office.push()
    office.shop.cloud.clock.advance(minutes=30 * 24 * 60)
    assert office.push() == frozenset()
    assert len(office.hub.got) == 1
    assert office.shop.cloud.queued() == office.shop.cloud.queued(slow=True) == []


# ------------------------------------------------------------------ while AWS gives trouble


@pytest.mark.parametrize(
    ("part", "operation", "again", "queued", "pushed"),
    [
        pytest.param("partners", "BatchGetItem", True, 0, 0, id="partners"),
        pytest.param("pushes", "BatchExecuteStatement", True, 0, 0, id="claim"),
        pytest.param("pushes", "BatchGetItem", False, 1, 0, id="look at the activation"),
        pytest.param("pushes", "BatchWriteItem", False, 1, 1, id="attempt that is kept"),
    ],
)
def test_what_could_not_be_claimed_comes_again_and_what_was_is_queued(  # noqa: PLR0917 - a row of the table
    office: Office, part: str, operation: str, again: bool, queued: int, pushed: int
) -> None:
    troubled = Shop(failing_cloud(office.shop.cloud, {operation: Fault.UNHEARD}.get))
    start, office.hub.answers = office.shop.cloud.clock(), [FAILED]
    pusher = office.with_parts(**{part: getattr(troubled, part)})
    assert pusher.deliver([office.due()]) == (frozenset({office.ref}) if again else frozenset())
    assert len(office.hub.got) == pushed
    assert office.queues.sent == [(office.ref, office.partner.partner_id, start + 10_000, False)] * queued


def test_an_attempt_that_could_not_be_kept_is_counted_all_the_same(office: Office) -> None:
    office.hub.answers = [FAILED]
    troubled = Shop(failing_cloud(office.shop.cloud, {"BatchWriteItem": Fault.UNHEARD}.get))
    office.with_parts(pushes=troubled.pushes).deliver_new([office.new()])
    office.shop.cloud.clock.advance(seconds=10)
    office.retry()
    assert (office.sms().attempts, office.sms().outcomes) == (2, {"http_status": 1, "delivered": 1})
    assert [attempt.number for attempt in office.attempts()] == [2]


def test_a_first_push_that_could_neither_be_made_nor_queued_comes_again(office: Office) -> None:
    office.queues.refuse = True
    office.shop.partners.note_slow(office.partner.partner_id, office.shop.cloud.clock() + 1)
    assert office.first_push() == {office.ref}


def test_an_sms_that_trips_us_does_not_take_the_others_along(office: Office) -> None:
    class Odd(Pushes):
        def claim(
            self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
        ) -> list[Sms | Exception | None]:
            ends = super().claim(refs, now, tallies)
            return [KeyError("text") if ref == odd.ref else end for ref, end in zip(refs, ends, strict=True)]

    activations = office.shop.activations
    odd = DuePush(SmsRef(ActivationId(office.activation_id), SmsId(1)), office.partner.partner_id, 0)
    pusher = office.with_parts(pushes=Odd(office.shop.cloud.db, activations.table, activations.retention))
    assert pusher.deliver([odd, office.due()]) == {odd.ref}
    assert len(office.hub.got) == 1


def test_a_push_that_lost_its_message_is_queued_again_by_the_sweep_every_other_minute_at_most(office: Office) -> None:
    office.hub.answers = [FAILED]
    office.push()
    clock, queued = office.shop.cloud.clock, []
    clock.advance(seconds=54)
    for seconds in (1, 60, 60, 0):
        office.shop.sweep()
        queued.append(office.shop.cloud.queued())
        clock.advance(seconds=seconds)
    assert [len(messages) for messages in queued] == [0, 1, 0, 1]
    office.pusher.deliver([read_message(queued[1][0])])
    assert len(office.hub.got) == 2


# ------------------------------------------------------------------ slow partners


def test_pushes_of_a_slow_partner_take_the_slow_queue_for_a_minute_in_every_environment(office: Office) -> None:
    start, clock = office.shop.cloud.clock(), office.shop.cloud.clock
    office.hub.answers = [TIMED_OUT]
    office.push()
    clock.advance(seconds=59)
    elsewhere = office.with_parts()
    assert elsewhere.deliver_new([office.new()]) == frozenset()
    assert [(due, slow) for _, _, due, slow in office.queues.sent] == [(start + 10_000, True), (start + 59_000, True)]
    office.shop.sweep()
    assert (len(office.shop.cloud.queued(slow=True)), office.shop.cloud.queued()) == (1, [])
    assert len(office.hub.got) == 1
    clock.advance(seconds=1)
    elsewhere.deliver_new([office.new()])
    assert len(office.hub.got) == 2


def test_first_pushes_of_a_partner_that_fails_at_once_are_made_at_once(office: Office) -> None:
    office.hub.answers = [FAILED, FAILED]
    office.first_push()
    office.shop.cloud.clock.advance(seconds=10)
    office.first_push()
    assert len(office.hub.got) == 2


def test_health_is_written_when_it_changes_and_not_at_every_attempt(office: Office) -> None:
    clock = office.shop.cloud.clock
    health = Health(office.shop.partners, clock)

    def two_minutes() -> None:
        for _ in range(120):
            health.note(office.partner, delivered=True, duration_ms=4_900)
            health.share()
            clock.advance(seconds=1)

    with Calls(office.shop.cloud.client) as calls:
        # That it is slow every 20 s, its success every minute.
        assert calls.of(two_minutes) == ["UpdateItem"] * (6 + 2)


def test_logs_of_a_push_hold_neither_key_nor_text(office: Office, logged: io.StringIO) -> None:
    office.hub.answers = [FAILED]
    office.push()
    (attempt,) = json.loads(logged.getvalue().splitlines()[-1])["attempts"]
    assert (attempt["outcome"], attempt["attempt"]) == ("http_status", 1)
    assert in_clear(office.partner.key) not in logged.getvalue()
    assert "5015" not in logged.getvalue()
