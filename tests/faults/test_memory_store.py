"""The simulated cloud's store means the same as the real one: each case runs on both."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.errors import NotFound
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.store.activations import PENDING_SHARDS, pending_shard
from globalconnect.store.pushes import ATTEMPTS_KEPT
from simulation.aws import START, Cloud
from simulation.clouds import memory_cloud
from simulation.pushes.cloud import ref_of
from simulation.pushes.store import MemoryStore
from simulation.pushes.tables import TableStore

_OVERLAP = 5_000
_PARTNER = Partner(PartnerId("hub"), "Hub", "gc_hub_key", "https://hub.example/push", None, "default", START)


@pytest.fixture(params=["memory", "real", "on DynamoDB in memory"])
def store(request: pytest.FixtureRequest) -> Any:
    """Return an empty store of each kind; the real one is on the emulator, whose PartiQL is what pushes are written in, and on
    DynamoDB in memory, which has to read it alike.
    """
    if request.param == "memory":
        return MemoryStore()
    is_real = request.param == "real"
    cloud: Cloud = request.getfixturevalue("emulated") if is_real else memory_cloud(request.getfixturevalue("moto").sqs)
    return TableStore(cloud.db, cloud.env, cloud.clock)


def _sms(number: int, stored_at: int = START) -> Sms:
    return Sms(
        SmsId(number),
        ActivationId(1_000 + number),
        PartnerId("hub"),
        "447472190082",
        "Service",
        "Code 1234",
        START,
        stored_at,
    )


def _stored(store: Any, *messages: Sms) -> list[SmsRef]:
    for sms in messages:
        store.store_sms(sms)
    return [ref_of(sms) for sms in messages]


def _claimed(store: Any, sms: Sms | None = None) -> tuple[SmsRef, Sms]:
    """Store an SMS and claim its next attempt, the first that is known of if none is given; return what was claimed."""
    (ref,) = _stored(store, sms or _sms(1))
    return ref, _claim(store, ref, START, None if sms else AttemptTally())


def _claim(store: Any, ref: SmsRef, at: int, tally: AttemptTally | None = None) -> Sms:
    (sms,) = store.claim([ref], at, {ref: tally} if tally else None)
    assert isinstance(sms, Sms)
    return sms


def _counted(sms: Sms) -> tuple[int, dict[str, int]]:
    return sms.attempts, dict(sms.outcomes)


def _now(store: Any, ref: SmsRef) -> Sms:
    (sms,) = store.find([ref])
    assert isinstance(sms, Sms)
    return sms


# ------------------------------------------------------------------ claims


def test_a_claim_gives_the_sms_with_its_next_due_and_counts_no_attempt(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    assert _claim(store, ref, START + 7) == _now(store, ref) == replace(_sms(1), next_due=START + 7 + INTERVAL)


def test_a_second_claim_waits_for_the_next_due(store: Any) -> None:
    ref, _ = _claimed(store)
    assert store.claim([ref], START + INTERVAL - 1) == [None]
    assert _claim(store, ref, START + INTERVAL).next_due == START + 2 * INTERVAL


def test_claims_are_answered_in_the_order_they_were_asked_in(store: Any) -> None:
    first, second, third = _stored(store, *(_sms(number) for number in (1, 2, 3)))
    store.claim([second], START)
    claimed = store.claim([third, second, SmsRef(ActivationId(5), SmsId(5)), first], START + 1)
    assert [sms and sms.sms_id for sms in claimed] == [3, None, None, 1]
    assert store.claim([], START) == []


def test_finished_and_unknown_activations_are_not_open(store: Any) -> None:
    first, second = _stored(store, _sms(1), _sms(2))
    store.finish(second.activation_id)
    assert store.open_among({first.activation_id, second.activation_id, 77}) == frozenset({first.activation_id})


# ------------------------------------------------------------------ ends


@pytest.mark.parametrize(
    ("state", "delivered_at"),
    [(PushState.DELIVERED, START + 40), (PushState.STOPPED, None), (PushState.NO_URL, None)],
)
def test_the_first_end_stands_notes_the_attempts_and_nothing_is_claimed_again(
    store: Any, state: PushState, delivered_at: int | None
) -> None:
    ref, sms = _claimed(store)
    attempted = sms.attempted("delivered")
    later = replace(attempted.attempted("tls"), delivered_at=START + 50)
    assert store.settle([PushEnd(attempted, state, START + 40)]) == [None]
    assert store.settle([PushEnd(later, PushState.DELIVERED, START + 50)]) == [None]
    assert store.claim([ref], START + 10 * INTERVAL) == [None]
    assert _now(store, ref) == replace(attempted, push_state=state, delivered_at=delivered_at)


def test_the_end_of_an_unknown_sms_is_no_failure(store: Any) -> None:
    assert store.settle([PushEnd(_sms(9), PushState.DELIVERED, START)]) == [None]


# ------------------------------------------------------------------ attempts


def test_the_newest_attempts_are_kept_oldest_first(store: Any) -> None:
    sms = _sms(1)
    _stored(store, sms)
    unanswered = Attempt(1, START, 5_000, "timeout", None, "")
    made = [Attempt(number, START + number, 12, "http_status", 500, "no") for number in range(2, ATTEMPTS_KEPT + 4)]

    store.keep_attempts([(sms, attempt) for attempt in (unanswered, *made[:10])])
    for attempt in made[10:]:
        store.keep_attempts([(sms, attempt)])

    assert store.attempts(sms.activation_id) == {sms.sms_id: [unanswered, *made[-ATTEMPTS_KEPT:]]}


@pytest.mark.parametrize("before", [0, 7], ids=["new", "from before attempts were counted"])
def test_a_claim_notes_the_attempts_made_so_far(store: Any, before: int) -> None:
    ref, sms = _claimed(store, replace(_sms(1), attempts=before))
    sms = _claim(store, ref, START + INTERVAL, sms.attempted("timeout").tally)
    assert (_counted(sms), sms.next_due) == ((before + 1, {"timeout": 1}), START + 2 * INTERVAL)
    assert _now(store, ref) == sms
    # One that made no attempt.
    assert _counted(_claim(store, ref, START + 2 * INTERVAL, sms.tally)) == _counted(sms)


def test_what_was_known_before_another_claim_is_not_noted(store: Any) -> None:
    ref, sms = _claimed(store)
    old = sms.attempted("timeout").tally
    sms = _claim(store, ref, START + INTERVAL, old)
    _claim(store, ref, START + 2 * INTERVAL, sms.attempted("http_status").tally)
    sms = _claim(store, ref, START + 3 * INTERVAL, old)
    assert _counted(sms) == (2, {"timeout": 1, "http_status": 1})


@pytest.mark.parametrize("lost", [1, 3])
def test_a_claim_that_does_not_know_counts_what_the_log_has(store: Any, lost: int) -> None:
    (ref,) = _stored(store, _sms(1))
    for number in range(1, lost + 1):
        sms = _claim(store, ref, START + number * INTERVAL)
        store.keep_attempts([(sms, Attempt(number, START, 5_000, "timeout", None, ""))])
    assert _counted(_claim(store, ref, START + (lost + 1) * INTERVAL)) == (lost, {"timeout": lost})


def test_attempts_of_many_messages_are_counted_apart(store: Any) -> None:
    first, second, third = _stored(store, *(_sms(number) for number in (1, 2, 3)))
    one, _, three = store.claim([first, second, third], START)
    store.keep_attempts([(one, Attempt(1, START, 5, "timeout", None, ""))])
    claimed = store.claim([third, second, first], START + INTERVAL, {third: three.attempted("tls").tally})
    assert [sms.outcomes for sms in claimed] == [{"tls": 1}, {}, {"timeout": 1}]


# ------------------------------------------------------------------ what the sweep reads and writes


def test_pending_are_those_stored_until_then_oldest_first(store: Any) -> None:
    numbers = [number for number in range(1, 400) if pending_shard(SmsId(number)) == "3"]
    late, early, too_late = (_sms(number, START + after) for number, after in zip(numbers, (20, 10, 31), strict=False))
    _stored(store, late, early, too_late)
    assert list(store.pending("3", START + 30)) == [ref_of(early), ref_of(late)]


def test_only_messages_that_exist_are_given(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    assert store.find([SmsRef(ActivationId(5), SmsId(5)), ref]) == [_sms(1)]


def test_queueing_again_is_noted_with_the_sms_unless_an_attempt_came_in_between_or_it_has_ended(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    assert store.note_queued_again([_sms(1)], START + 60_000) == [None]
    assert _now(store, ref) == replace(_sms(1), queued_again_at=START + 60_000)
    sms = _claim(store, ref, START)
    assert store.note_queued_again([_sms(1)], START + 61_000) == [None]
    store.settle([PushEnd(sms, PushState.STOPPED, START)])
    assert store.note_queued_again([sms], START + 62_000) == [None]
    assert _now(store, ref).queued_again_at == START + 60_000


# ------------------------------------------------------------------ once more, by staff


def test_once_more_makes_a_delivered_sms_pending_and_due_now(store: Any) -> None:
    def pending() -> list[SmsRef]:
        return [ref for shard in PENDING_SHARDS for ref in store.pending(shard, later)]

    ref, sms = _claimed(store)
    store.settle([PushEnd(sms, PushState.DELIVERED, START + 40)])
    later = START + 60_000
    assert pending() == []
    again = store.push_again(ref, later, _OVERLAP)
    assert again == replace(sms, push_state=PushState.PENDING, delivered_at=START + 40, next_due=later)
    assert pending() == [ref]
    assert store.claim([ref], later) != [None]


def test_once_more_waits_for_the_attempt_under_way(store: Any) -> None:
    ref, sms = _claimed(store)
    assert store.push_again(ref, START + _OVERLAP - 1, _OVERLAP).next_due == sms.next_due
    assert store.push_again(ref, START + _OVERLAP, _OVERLAP).next_due == START + _OVERLAP


def test_an_unknown_sms_is_not_pushed_once_more(store: Any) -> None:
    with pytest.raises(NotFound):
        store.push_again(SmsRef(ActivationId(5), SmsId(5)), START, _OVERLAP)


# ------------------------------------------------------------------ partners


def test_many_gives_the_partners_there_are(store: Any) -> None:
    store.add_partner(_PARTNER)
    assert store.many({"hub", "nobody"}) == {"hub": _PARTNER}
    assert store.without_secrets({"hub", "nobody"}).keys() == {"hub"}
    assert store.many(()) == {}


@pytest.mark.parametrize(
    ("note", "noted"),
    [
        (lambda store, partner_id, at: store.note_slow(partner_id, at), lambda partner: partner.slow_until),
        (lambda store, partner_id, at: store.note_success(partner_id, at), lambda partner: partner.last_success_at),
    ],
    ids=["slow", "success"],
)
def test_the_latest_note_of_a_partner_stands_and_makes_no_partner(
    store: Any, note: Callable[[Any, str, int], None], noted: Callable[[Partner], int]
) -> None:
    store.add_partner(_PARTNER)
    for at in (START + 5, START + 9, START + 7):
        note(store, "hub", at)
        note(store, "nobody", at)
    assert noted(store.many({"hub"})["hub"]) == START + 9
    assert store.many({"nobody"}) == {}
