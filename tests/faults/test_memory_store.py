"""The simulated cloud's store means the same as the real one: each case runs on both."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.errors import NotFound
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.store.activations import PENDING_SHARDS, pending_shard
from globalconnect.store.pushes import ATTEMPTS_KEPT
from simulation.aws import START, Cloud
from simulation.pushes.store import MemoryStore
from simulation.pushes.tables import TableStore

_OVERLAP = 5_000
_PARTNER = Partner("hub", "Hub", "gc_hub_key", "https://hub.example/push", None, "default", START)


@pytest.fixture(params=["memory", "real"])
def store(request: pytest.FixtureRequest) -> Any:
    """Return an empty store of either kind; the real one is on the emulator, whose PartiQL is what pushes are written in."""
    if request.param == "memory":
        return MemoryStore()
    cloud: Cloud = request.getfixturevalue("emulated")
    return TableStore(cloud.db, cloud.env, cloud.clock)


def _sms(number: int, stored_at: int = START) -> Sms:
    return Sms(number, 1_000 + number, "hub", "447472190082", "Service", "Code 1234", START, stored_at)


def _stored(store: Any, *messages: Sms) -> list[SmsRef]:
    for sms in messages:
        store.store_sms(sms)
    return [_ref(sms) for sms in messages]


def _ref(sms: Sms) -> SmsRef:
    return SmsRef(sms.activation_id, sms.sms_id)


def _now(store: Any, ref: SmsRef) -> Sms:
    (sms,) = store.find([ref])
    assert isinstance(sms, Sms)
    return sms


def _pending(store: Any, until: int) -> list[SmsRef]:
    return [ref for shard in PENDING_SHARDS for ref in store.pending(shard, until)]


def _in_one_shard(count: int) -> tuple[str, Iterable[int]]:
    numbers = [number for number in range(1, 400) if pending_shard(number) == "3"]
    return "3", numbers[:count]


# ------------------------------------------------------------------ claims


def test_a_claim_gives_the_sms_with_its_next_due_and_counts_no_attempt(store: Any) -> None:
    sms = _sms(1)
    (ref,) = _stored(store, sms)

    assert store.claim([ref], START + 7) == [replace(sms, next_due=START + 7 + INTERVAL)]
    assert _now(store, ref) == replace(sms, next_due=START + 7 + INTERVAL)


def test_a_second_claim_waits_for_the_next_due(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    store.claim([ref], START)

    assert store.claim([ref], START + INTERVAL - 1) == [None]
    (sms,) = store.claim([ref], START + INTERVAL)
    assert sms.next_due == START + 2 * INTERVAL


def test_claims_are_answered_in_the_order_they_were_asked_in(store: Any) -> None:
    first, second, third = _stored(store, *(_sms(number) for number in (1, 2, 3)))
    store.claim([second], START)

    claimed = store.claim([third, second, SmsRef(5, 5), first], START + 1)

    assert [sms and sms.sms_id for sms in claimed] == [3, None, None, 1]


@pytest.mark.parametrize("state", [PushState.DELIVERED, PushState.STOPPED, PushState.NO_URL])
def test_what_has_ended_is_not_claimed_again(store: Any, state: PushState) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START)
    store.settle([PushEnd(sms, state, START + 40)])

    assert store.claim([ref], START + 10 * INTERVAL) == [None]


def test_what_has_no_claims_to_make_makes_none(store: Any) -> None:
    assert store.claim([], START) == []


# ------------------------------------------------------------------ finished activations


def test_finished_and_unknown_activations_are_not_open(store: Any) -> None:
    first, second = _stored(store, _sms(1), _sms(2))
    store.finish(second.activation_id)

    asked = {first.activation_id, second.activation_id, 77}
    assert store.open_among(asked) == frozenset({first.activation_id})


# ------------------------------------------------------------------ ends


def test_a_delivered_sms_says_when(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START)

    assert store.settle([PushEnd(sms, PushState.DELIVERED, START + 40)]) == [None]
    assert _now(store, ref) == replace(sms, push_state=PushState.DELIVERED, delivered_at=START + 40)


@pytest.mark.parametrize("state", [PushState.STOPPED, PushState.NO_URL])
def test_a_stopped_sms_was_never_delivered(store: Any, state: PushState) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START)

    assert store.settle([PushEnd(sms, state, START + 40)]) == [None]
    assert _now(store, ref) == replace(sms, push_state=state)


def test_the_first_end_stands(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START)
    store.settle([PushEnd(sms, PushState.STOPPED, START + 40)])

    assert store.settle([PushEnd(sms, PushState.DELIVERED, START + 50)]) == [None]
    assert _now(store, ref) == replace(sms, push_state=PushState.STOPPED)


def test_the_end_of_an_unknown_sms_is_no_failure(store: Any) -> None:
    assert store.settle([PushEnd(_sms(9), PushState.DELIVERED, START)]) == [None]


# ------------------------------------------------------------------ attempts


def test_the_newest_attempts_are_kept_oldest_first(store: Any) -> None:
    sms = _sms(1)
    _stored(store, sms)
    made = [Attempt(number, START + number, 12, "http_status", 500, "no") for number in range(1, ATTEMPTS_KEPT + 4)]

    store.keep_attempts([(sms, attempt) for attempt in made[:10]])
    for attempt in made[10:]:
        store.keep_attempts([(sms, attempt)])

    assert store.attempts(sms.activation_id) == {sms.sms_id: [made[0], *made[-ATTEMPTS_KEPT:]]}


def test_a_claim_notes_the_attempts_made_so_far(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START, {ref: AttemptTally()})
    tally = sms.attempted("timeout").tally

    (sms,) = store.claim([ref], START + INTERVAL, {ref: tally})

    assert (sms.attempts, sms.outcomes, sms.next_due) == (1, {"timeout": 1}, START + 2 * INTERVAL)
    assert _now(store, ref) == sms


def test_a_claim_after_one_that_made_no_attempt_notes_none(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START, {ref: AttemptTally()})

    (sms,) = store.claim([ref], START + INTERVAL, {ref: sms.tally})

    assert (sms.attempts, sms.outcomes) == (0, {})


def test_what_was_known_before_another_claim_is_not_noted(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START, {ref: AttemptTally()})
    old = sms.attempted("timeout").tally
    (sms,) = store.claim([ref], START + INTERVAL, {ref: old})
    (sms,) = store.claim([ref], START + 2 * INTERVAL, {ref: sms.attempted("http_status").tally})

    (sms,) = store.claim([ref], START + 3 * INTERVAL, {ref: old})

    assert (sms.attempts, sms.outcomes) == (2, {"timeout": 1, "http_status": 1})


@pytest.mark.parametrize("lost", [1, 3])
def test_a_claim_that_does_not_know_counts_what_the_log_has(store: Any, lost: int) -> None:
    (ref,) = _stored(store, _sms(1))
    for number in range(1, lost + 1):
        (sms,) = store.claim([ref], START + number * INTERVAL)
        store.keep_attempts([(sms, Attempt(number, START, 5_000, "timeout", None, ""))])

    (sms,) = store.claim([ref], START + (lost + 1) * INTERVAL)

    assert (sms.attempts, sms.outcomes) == (lost, {"timeout": lost})


def test_attempts_of_many_messages_are_counted_apart(store: Any) -> None:
    first, second, third = _stored(store, *(_sms(number) for number in (1, 2, 3)))
    one, _, three = store.claim([first, second, third], START)
    store.keep_attempts([(one, Attempt(1, START, 5, "timeout", None, ""))])

    claimed = store.claim([third, second, first], START + INTERVAL, {third: three.attempted("tls").tally})

    assert [sms.outcomes for sms in claimed] == [{"tls": 1}, {}, {"timeout": 1}]


@pytest.mark.parametrize("state", [PushState.DELIVERED, PushState.STOPPED])
def test_the_end_notes_the_attempts_too(store: Any, state: PushState) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START, {ref: AttemptTally()})

    store.settle([PushEnd(sms.attempted("delivered"), state, START + 40)])

    assert (_now(store, ref).attempts, _now(store, ref).outcomes) == (1, {"delivered": 1})


def test_an_sms_from_before_attempts_were_counted_goes_on_from_what_it_has(store: Any) -> None:
    (ref,) = _stored(store, replace(_sms(1), attempts=7))
    (sms,) = store.claim([ref], START)
    (sms,) = store.claim([ref], START + INTERVAL, {ref: sms.attempted("timeout").tally})

    assert (sms.attempts, sms.outcomes) == (8, {"timeout": 1})


def test_an_attempt_without_an_answer_is_kept_as_it_is(store: Any) -> None:
    sms = _sms(1)
    _stored(store, sms)
    attempt = Attempt(1, START, 5_000, "timeout", None, "")

    store.keep_attempts([(sms, attempt)])

    assert store.attempts(sms.activation_id) == {sms.sms_id: [attempt]}


# ------------------------------------------------------------------ what the sweep reads and writes


def test_pending_are_those_stored_until_then_oldest_first(store: Any) -> None:
    shard, numbers = _in_one_shard(3)
    late, early, too_late = (_sms(number, START + after) for number, after in zip(numbers, (20, 10, 31), strict=True))
    _stored(store, late, early, too_late)

    assert list(store.pending(shard, START + 30)) == [_ref(early), _ref(late)]


def test_what_has_ended_is_not_pending(store: Any) -> None:
    refs = _stored(store, _sms(1), _sms(2), _sms(3))
    claimed = store.claim(refs, START)
    store.settle([PushEnd(claimed[0], PushState.DELIVERED, START), PushEnd(claimed[1], PushState.STOPPED, START)])

    assert _pending(store, START) == [refs[2]]


def test_only_messages_that_exist_are_given(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))

    assert store.find([SmsRef(5, 5), ref]) == [_sms(1)]


def test_queueing_again_is_noted_with_the_sms(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))

    assert store.note_queued_again([_now(store, ref)], START + 60_000) == [None]
    assert _now(store, ref) == replace(_sms(1), queued_again_at=START + 60_000)


def test_queueing_again_is_not_noted_when_an_attempt_came_in_between(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    read = _now(store, ref)
    (sms,) = store.claim([ref], START + 50_000)

    assert store.note_queued_again([read], START + 60_000) == [None]
    assert _now(store, ref) == sms


def test_queueing_again_is_not_noted_for_what_has_ended(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START)
    store.settle([PushEnd(sms, PushState.STOPPED, START)])

    assert store.note_queued_again([sms], START + 60_000) == [None]
    assert _now(store, ref).queued_again_at is None


# ------------------------------------------------------------------ once more, by an operator


def test_once_more_makes_a_delivered_sms_due_now(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START)
    store.settle([PushEnd(sms, PushState.DELIVERED, START + 40)])
    later = START + 60_000

    again = store.push_again(ref, later, _OVERLAP)

    assert again == replace(sms, push_state=PushState.PENDING, delivered_at=START + 40, next_due=later)
    assert _pending(store, later) == [ref]
    assert store.claim([ref], later) != [None]


def test_once_more_waits_for_the_attempt_under_way(store: Any) -> None:
    (ref,) = _stored(store, _sms(1))
    (sms,) = store.claim([ref], START)

    assert store.push_again(ref, START + _OVERLAP - 1, _OVERLAP).next_due == sms.next_due
    assert store.push_again(ref, START + _OVERLAP, _OVERLAP).next_due == START + _OVERLAP


def test_an_unknown_sms_is_not_pushed_once_more(store: Any) -> None:
    with pytest.raises(NotFound):
        store.push_again(SmsRef(5, 5), START, _OVERLAP)


# ------------------------------------------------------------------ partners


def test_many_gives_the_partners_there_are(store: Any) -> None:
    store.add_partner(_PARTNER)

    assert store.many({"hub", "nobody"}) == {"hub": _PARTNER}
    assert store.many(()) == {}


@pytest.mark.parametrize(
    ("note", "noted"),
    [
        (lambda store, at: store.note_slow("hub", at), lambda partner: partner.slow_until),
        (lambda store, at: store.note_success("hub", at), lambda partner: partner.last_success_at),
    ],
    ids=["slow", "success"],
)
def test_the_latest_note_of_a_partner_stands(
    store: Any, note: Callable[[Any, int], None], noted: Callable[[Partner], int]
) -> None:
    store.add_partner(_PARTNER)
    for at in (START + 5, START + 9, START + 7):
        note(store, at)

    assert noted(store.many({"hub"})["hub"]) == START + 9


def test_notes_of_an_unknown_partner_make_no_partner(store: Any) -> None:
    store.note_slow("nobody", START)
    store.note_success("nobody", START)

    assert store.many({"nobody"}) == {}
