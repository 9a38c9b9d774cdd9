"""The simulated cloud's store means the same as the real one: each case runs on both."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pytest

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.errors import NotFound
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, AttemptTally, PushEnd, PushState, Sms, SmsRef
from globalconnect.store.activations import PENDING_SHARDS, from_activation, from_sms, pending_shard
from globalconnect.store.dynamo import expression
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import ATTEMPTS_KEPT, Pushes
from simulation.aws import START, Cloud
from tests.faults.cloud.store import MemoryStore

_KEEP = 30 * 24 * 3_600_000
_OVERLAP = 5_000
_PARTNER = Partner("hub", "Hub", "gc_hub_key", "https://hub.example/push", None, "default", START)


class Shelf(Protocol):
    """A store that both kinds of stores are used through."""

    pushes: Any
    partners: Any

    def add_partner(self, partner: Partner) -> None:
        """Store a partner."""

    def store_sms(self, sms: Sms) -> None:
        """Store an SMS and its activation."""

    def finish(self, activation_id: int) -> None:
        """Return an activation an outcome."""


class _InMemory:
    def __init__(self) -> None:
        self.pushes = self.partners = self._store = MemoryStore()
        self.add_partner = self._store.add_partner
        self.store_sms = self._store.store_sms
        self.finish = self._store.finish


@dataclass
class _Real:
    """The real stores on the emulator's DynamoDB, whose PartiQL is what the pushes are written in."""

    cloud: Cloud

    def __post_init__(self) -> None:
        self.table = self.cloud.env["ACTIVATIONS_TABLE"]
        self.pushes = Pushes(self.cloud.db, self.table, _KEEP)
        self.partners = Partners(self.cloud.db, self.cloud.env["PARTNERS_TABLE"], 0, self.cloud.clock)

    def add_partner(self, partner: Partner) -> None:
        self.partners.add(partner)

    def store_sms(self, sms: Sms) -> None:
        activation = Activation(
            sms.activation_id, sms.partner_id, sms.phone, "england", "any", "tg", START, START + 3_600_000
        )
        self.cloud.db.put(self.table, from_activation(activation, _KEEP))
        self.cloud.db.put(self.table, from_sms(sms, _KEEP))

    def finish(self, activation_id: int) -> None:
        key: dict[str, str | int] = {"activation_id": activation_id, "entry": "activation"}
        self.cloud.db.update(self.table, key, expression("SET #outcome = :outcome", outcome=Outcome.SUCCESS.value))


@pytest.fixture(params=["memory", "real"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    """Return an empty store of either kind."""
    return _InMemory() if request.param == "memory" else _Real(request.getfixturevalue("emulated"))


def _sms(number: int, stored_at: int = START) -> Sms:
    return Sms(number, 1_000 + number, "hub", "447472190082", "Service", "Code 1234", START, stored_at)


def _stored(shelf: Shelf, *messages: Sms) -> list[SmsRef]:
    for sms in messages:
        shelf.store_sms(sms)
    return [_ref(sms) for sms in messages]


def _ref(sms: Sms) -> SmsRef:
    return SmsRef(sms.activation_id, sms.sms_id)


def _now(shelf: Shelf, ref: SmsRef) -> Sms:
    (sms,) = shelf.pushes.find([ref])
    assert isinstance(sms, Sms)
    return sms


def _pending(shelf: Shelf, until: int) -> list[SmsRef]:
    return [ref for shard in PENDING_SHARDS for ref in shelf.pushes.pending(shard, until)]


def _in_one_shard(count: int) -> tuple[str, Iterable[int]]:
    numbers = [number for number in range(1, 400) if pending_shard(number) == "3"]
    return "3", numbers[:count]


# ------------------------------------------------------------------ claims


def test_a_claim_gives_the_sms_with_its_next_due_and_counts_no_attempt(shelf: Shelf) -> None:
    sms = _sms(1)
    (ref,) = _stored(shelf, sms)

    assert shelf.pushes.claim([ref], START + 7) == [replace(sms, next_due=START + 7 + INTERVAL)]
    assert _now(shelf, ref) == replace(sms, next_due=START + 7 + INTERVAL)


def test_a_second_claim_waits_for_the_next_due(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    shelf.pushes.claim([ref], START)

    assert shelf.pushes.claim([ref], START + INTERVAL - 1) == [None]
    (sms,) = shelf.pushes.claim([ref], START + INTERVAL)
    assert sms.next_due == START + 2 * INTERVAL


def test_claims_are_answered_in_the_order_they_were_asked_in(shelf: Shelf) -> None:
    first, second, third = _stored(shelf, *(_sms(number) for number in (1, 2, 3)))
    shelf.pushes.claim([second], START)

    claimed = shelf.pushes.claim([third, second, SmsRef(5, 5), first], START + 1)

    assert [sms and sms.sms_id for sms in claimed] == [3, None, None, 1]


@pytest.mark.parametrize("state", [PushState.DELIVERED, PushState.STOPPED, PushState.NO_URL])
def test_what_has_ended_is_not_claimed_again(shelf: Shelf, state: PushState) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START)
    shelf.pushes.settle([PushEnd(sms, state, START + 40)])

    assert shelf.pushes.claim([ref], START + 10 * INTERVAL) == [None]


def test_what_has_no_claims_to_make_makes_none(shelf: Shelf) -> None:
    assert shelf.pushes.claim([], START) == []


# ------------------------------------------------------------------ finished activations


def test_finished_and_unknown_activations_are_not_open(shelf: Shelf) -> None:
    first, second = _stored(shelf, _sms(1), _sms(2))
    shelf.finish(second.activation_id)

    asked = {first.activation_id, second.activation_id, 77}
    assert shelf.pushes.open_among(asked) == frozenset({first.activation_id})


# ------------------------------------------------------------------ ends


def test_a_delivered_sms_says_when(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START)

    assert shelf.pushes.settle([PushEnd(sms, PushState.DELIVERED, START + 40)]) == [None]
    assert _now(shelf, ref) == replace(sms, push_state=PushState.DELIVERED, delivered_at=START + 40)


@pytest.mark.parametrize("state", [PushState.STOPPED, PushState.NO_URL])
def test_a_stopped_sms_was_never_delivered(shelf: Shelf, state: PushState) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START)

    assert shelf.pushes.settle([PushEnd(sms, state, START + 40)]) == [None]
    assert _now(shelf, ref) == replace(sms, push_state=state)


def test_the_first_end_stands(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START)
    shelf.pushes.settle([PushEnd(sms, PushState.STOPPED, START + 40)])

    assert shelf.pushes.settle([PushEnd(sms, PushState.DELIVERED, START + 50)]) == [None]
    assert _now(shelf, ref) == replace(sms, push_state=PushState.STOPPED)


def test_the_end_of_an_unknown_sms_is_no_failure(shelf: Shelf) -> None:
    assert shelf.pushes.settle([PushEnd(_sms(9), PushState.DELIVERED, START)]) == [None]


# ------------------------------------------------------------------ attempts


def test_the_newest_attempts_are_kept_oldest_first(shelf: Shelf) -> None:
    sms = _sms(1)
    _stored(shelf, sms)
    made = [Attempt(number, START + number, 12, "http_status", 500, "no") for number in range(1, ATTEMPTS_KEPT + 4)]

    shelf.pushes.keep_attempts([(sms, attempt) for attempt in made[:10]])
    for attempt in made[10:]:
        shelf.pushes.keep_attempts([(sms, attempt)])

    assert shelf.pushes.attempts(sms.activation_id) == {sms.sms_id: [made[0], *made[-ATTEMPTS_KEPT:]]}


def test_a_claim_notes_the_attempts_made_so_far(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START, {ref: AttemptTally()})
    tally = sms.attempted("timeout").tally

    (sms,) = shelf.pushes.claim([ref], START + INTERVAL, {ref: tally})

    assert (sms.attempts, sms.outcomes, sms.next_due) == (1, {"timeout": 1}, START + 2 * INTERVAL)
    assert _now(shelf, ref) == sms


def test_a_claim_after_one_that_made_no_attempt_notes_none(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START, {ref: AttemptTally()})

    (sms,) = shelf.pushes.claim([ref], START + INTERVAL, {ref: sms.tally})

    assert (sms.attempts, sms.outcomes) == (0, {})


def test_what_was_known_before_another_claim_is_not_noted(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START, {ref: AttemptTally()})
    old = sms.attempted("timeout").tally
    (sms,) = shelf.pushes.claim([ref], START + INTERVAL, {ref: old})
    (sms,) = shelf.pushes.claim([ref], START + 2 * INTERVAL, {ref: sms.attempted("http_status").tally})

    (sms,) = shelf.pushes.claim([ref], START + 3 * INTERVAL, {ref: old})

    assert (sms.attempts, sms.outcomes) == (2, {"timeout": 1, "http_status": 1})


@pytest.mark.parametrize("lost", [1, 3])
def test_a_claim_that_does_not_know_counts_what_the_log_has(shelf: Shelf, lost: int) -> None:
    (ref,) = _stored(shelf, _sms(1))
    for number in range(1, lost + 1):
        (sms,) = shelf.pushes.claim([ref], START + number * INTERVAL)
        shelf.pushes.keep_attempts([(sms, Attempt(number, START, 5_000, "timeout", None, ""))])

    (sms,) = shelf.pushes.claim([ref], START + (lost + 1) * INTERVAL)

    assert (sms.attempts, sms.outcomes) == (lost, {"timeout": lost})


def test_attempts_of_many_messages_are_counted_apart(shelf: Shelf) -> None:
    first, second, third = _stored(shelf, *(_sms(number) for number in (1, 2, 3)))
    one, _, three = shelf.pushes.claim([first, second, third], START)
    shelf.pushes.keep_attempts([(one, Attempt(1, START, 5, "timeout", None, ""))])

    claimed = shelf.pushes.claim([third, second, first], START + INTERVAL, {third: three.attempted("tls").tally})

    assert [sms.outcomes for sms in claimed] == [{"tls": 1}, {}, {"timeout": 1}]


@pytest.mark.parametrize("state", [PushState.DELIVERED, PushState.STOPPED])
def test_the_end_notes_the_attempts_too(shelf: Shelf, state: PushState) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START, {ref: AttemptTally()})

    shelf.pushes.settle([PushEnd(sms.attempted("delivered"), state, START + 40)])

    assert (_now(shelf, ref).attempts, _now(shelf, ref).outcomes) == (1, {"delivered": 1})


def test_an_sms_from_before_attempts_were_counted_goes_on_from_what_it_has(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, replace(_sms(1), attempts=7))
    (sms,) = shelf.pushes.claim([ref], START)
    (sms,) = shelf.pushes.claim([ref], START + INTERVAL, {ref: sms.attempted("timeout").tally})

    assert (sms.attempts, sms.outcomes) == (8, {"timeout": 1})


def test_an_attempt_without_an_answer_is_kept_as_it_is(shelf: Shelf) -> None:
    sms = _sms(1)
    _stored(shelf, sms)
    attempt = Attempt(1, START, 5_000, "timeout", None, "")

    shelf.pushes.keep_attempts([(sms, attempt)])

    assert shelf.pushes.attempts(sms.activation_id) == {sms.sms_id: [attempt]}


# ------------------------------------------------------------------ what the sweep reads and writes


def test_pending_are_those_stored_until_then_oldest_first(shelf: Shelf) -> None:
    shard, numbers = _in_one_shard(3)
    late, early, too_late = (_sms(number, START + after) for number, after in zip(numbers, (20, 10, 31), strict=True))
    _stored(shelf, late, early, too_late)

    assert list(shelf.pushes.pending(shard, START + 30)) == [_ref(early), _ref(late)]


def test_what_has_ended_is_not_pending(shelf: Shelf) -> None:
    refs = _stored(shelf, _sms(1), _sms(2), _sms(3))
    claimed = shelf.pushes.claim(refs, START)
    shelf.pushes.settle(
        [PushEnd(claimed[0], PushState.DELIVERED, START), PushEnd(claimed[1], PushState.STOPPED, START)]
    )

    assert _pending(shelf, START) == [refs[2]]


def test_only_messages_that_exist_are_given(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))

    assert shelf.pushes.find([SmsRef(5, 5), ref]) == [_sms(1)]


def test_queueing_again_is_noted_with_the_sms(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))

    assert shelf.pushes.note_queued_again([_now(shelf, ref)], START + 60_000) == [None]
    assert _now(shelf, ref) == replace(_sms(1), queued_again_at=START + 60_000)


def test_queueing_again_is_not_noted_when_an_attempt_came_in_between(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    read = _now(shelf, ref)
    (sms,) = shelf.pushes.claim([ref], START + 50_000)

    assert shelf.pushes.note_queued_again([read], START + 60_000) == [None]
    assert _now(shelf, ref) == sms


def test_queueing_again_is_not_noted_for_what_has_ended(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START)
    shelf.pushes.settle([PushEnd(sms, PushState.STOPPED, START)])

    assert shelf.pushes.note_queued_again([sms], START + 60_000) == [None]
    assert _now(shelf, ref).queued_again_at is None


# ------------------------------------------------------------------ once more, by an operator


def test_once_more_makes_a_delivered_sms_due_now(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START)
    shelf.pushes.settle([PushEnd(sms, PushState.DELIVERED, START + 40)])
    later = START + 60_000

    again = shelf.pushes.push_again(ref, later, _OVERLAP)

    assert again == replace(sms, push_state=PushState.PENDING, delivered_at=START + 40, next_due=later)
    assert _pending(shelf, later) == [ref]
    assert shelf.pushes.claim([ref], later) != [None]


def test_once_more_waits_for_the_attempt_under_way(shelf: Shelf) -> None:
    (ref,) = _stored(shelf, _sms(1))
    (sms,) = shelf.pushes.claim([ref], START)

    assert shelf.pushes.push_again(ref, START + _OVERLAP - 1, _OVERLAP).next_due == sms.next_due
    assert shelf.pushes.push_again(ref, START + _OVERLAP, _OVERLAP).next_due == START + _OVERLAP


def test_an_unknown_sms_is_not_pushed_once_more(shelf: Shelf) -> None:
    with pytest.raises(NotFound):
        shelf.pushes.push_again(SmsRef(5, 5), START, _OVERLAP)


# ------------------------------------------------------------------ partners


def test_many_gives_the_partners_there_are(shelf: Shelf) -> None:
    shelf.add_partner(_PARTNER)

    assert shelf.partners.many({"hub", "nobody"}) == {"hub": _PARTNER}
    assert shelf.partners.many(()) == {}


@pytest.mark.parametrize(
    ("note", "noted"),
    [
        (lambda shelf, at: shelf.partners.note_slow("hub", at), lambda partner: partner.slow_until),
        (lambda shelf, at: shelf.partners.note_success("hub", at), lambda partner: partner.last_success_at),
    ],
    ids=["slow", "success"],
)
def test_the_latest_note_of_a_partner_stands(
    shelf: Shelf, note: Callable[[Shelf, int], None], noted: Callable[[Partner], int]
) -> None:
    shelf.add_partner(_PARTNER)
    for at in (START + 5, START + 9, START + 7):
        note(shelf, at)

    assert noted(shelf.partners.many({"hub"})["hub"]) == START + 9


def test_notes_of_an_unknown_partner_make_no_partner(shelf: Shelf) -> None:
    shelf.partners.note_slow("nobody", START)
    shelf.partners.note_success("nobody", START)

    assert shelf.partners.many({"nobody"}) == {}
