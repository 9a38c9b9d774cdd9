"""What a number becomes that is put back, by how it was before and what its activations tell of the time since."""

from dataclasses import replace
from typing import Any

import pytest

from deployment.restored import activation_of, is_lost, may_have_taken, restored_number
from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.number import Cause, Number
from globalconnect.domain.partner import Partner
from globalconnect.domain.times import HOUR, MINUTE

NOW = 1_790_000_000_000
HUB = PartnerId("hub")
BEFORE = Number("447472190082", "england", "O2", available_from=NOW - 9 * HOUR, blocked=frozenset({"go"}), version=7)


def sale(number: int = 1, *, began: int = NOW - 10 * MINUTE, **fields: Any) -> Activation:
    return Activation(ActivationId(number), HUB, BEFORE.phone, "england", "O2", "tg", began, began + HOUR, **fields)


def ended(number: int, outcome: Outcome, marked: int | None, **fields: Any) -> Activation:
    return sale(number, outcome=outcome, finished_at=NOW - MINUTE, marked_version=marked, **fields)


def held_by(activation: Activation) -> Number:
    return replace(
        BEFORE,
        available_from=activation.expires_at,
        activation_id=activation.activation_id,
        partner_id=HUB,
        held_from=activation.started_at,
        free_since=NOW - 9 * HOUR,
        held_for=activation.service,
        overdue_at=activation.overdue_at,
    )


def restored(before: Number, *sold: Activation, version: int = 0, rest: int = 0) -> Number:
    return restored_number(before, sold, version=version, now=NOW, rest=rest, cancel_limit=lambda _: 2)


def test_what_nobody_bought_since_is_free_from_now_on_and_newer_than_it_was() -> None:
    # From now on: environments have read what was free before (docs/adr/0021).
    assert restored(BEFORE) == replace(BEFORE, available_from=NOW, version=8)


@pytest.mark.parametrize("version", [3, 30])
def test_it_is_newer_than_all_that_is_known_of_it(version: int) -> None:
    assert restored(BEFORE, ended(1, Outcome.PROHIBITED, 12), version=version).version == max(12, version) + 1


@pytest.mark.parametrize("before", [BEFORE, held_by(sale(2, began=NOW - 3 * HOUR))], ids=["free", "held by another"])
def test_who_bought_it_since_and_goes_on_holds_it(before: Number) -> None:
    live = sale(overdue_at=NOW)
    assert restored(before, live) == replace(held_by(live), free_since=None, version=8)


def test_who_held_it_before_and_goes_on_holds_it_as_before() -> None:
    held = held_by(sale())
    assert restored(held, sale()) == replace(held, version=8)


@pytest.mark.parametrize(
    ("rest", "until", "resting"), [(0, NOW, False), (MINUTE, NOW, False), (HOUR, NOW + 59 * MINUTE, True)]
)
def test_whose_sale_is_over_it_is_free_or_rests(rest: int, until: int, resting: bool) -> None:
    over = ended(1, Outcome.RETURNED, None)
    wanted = replace(BEFORE, available_from=until, resting=resting, version=8)
    assert restored(held_by(over), over, rest=rest) == restored(BEFORE, over, rest=rest) == wanted


def test_a_lease_that_ran_out_since_is_over_and_one_that_nothing_is_known_of_goes_on() -> None:
    assert restored(held_by(sale(began=NOW - 2 * HOUR))) == replace(BEFORE, available_from=NOW, version=8)
    held = held_by(sale())
    assert restored(held) == replace(held, version=8)


@pytest.mark.parametrize(
    ("sold", "blocked", "cancels", "cause"),
    [
        ([(Outcome.PROHIBITED, 9)], True, 0, Outcome.PROHIBITED),
        ([(Outcome.SUCCESS, 9)], True, 0, Outcome.SUCCESS),
        ([(Outcome.SUCCESS, None)], False, 0, None),
        # A refund: it was a success, and stays used up.
        ([(Outcome.RETURNED, 9)], True, 0, Outcome.SUCCESS),
        ([(Outcome.RETURNED, None)], False, 0, None),
        ([(Outcome.CANCELED, 9)], False, 1, None),
        ([(Outcome.CANCELED, 9), (Outcome.CANCELED, 11)], True, 2, Outcome.CANCELED),
        # It has those marks already.
        ([(Outcome.CANCELED, 7), (Outcome.PROHIBITED, 6)], False, 0, None),
    ],
)
def test_it_has_the_marks_that_outcomes_left_since(
    sold: list[tuple[Outcome, int | None]], blocked: bool, cancels: int, cause: Outcome | None
) -> None:
    number = restored(BEFORE, *(ended(place, *one) for place, one in enumerate(sold, 1)))
    assert number.blocked == {"go", *(["tg"] if blocked else [])}
    assert number.cancels.get("tg", 0) == cancels
    last = Cause(ActivationId(len(sold)), HUB, cause, NOW - MINUTE) if cause else None
    assert number.causes.get("tg", ())[-1:] == ((last,) if last else ())


@pytest.mark.parametrize(("of_two", "blocked"), [(2, True), (3, False)])
def test_the_limit_of_cancels_is_that_for_the_activation(of_two: int, blocked: bool) -> None:
    def limit(activation: Activation) -> int:
        return of_two if activation.activation_id == ActivationId(2) else 5

    since = [ended(place, Outcome.CANCELED, 8 + place) for place in (1, 2)]
    number = restored_number(BEFORE, since, version=9, now=NOW, rest=0, cancel_limit=limit)
    assert ("tg" in number.blocked, number.cancels["tg"]) == (blocked, 2)


def test_a_mark_that_was_lifted_since_does_not_come_back() -> None:
    assert restored(BEFORE, ended(1, Outcome.PROHIBITED, 9, lifted_at=NOW)).blocked == {"go"}


@pytest.mark.parametrize(
    ("current", "before", "live", "lost"),
    [
        (None, BEFORE, None, True),
        (None, None, sale(), True),
        (BEFORE, BEFORE, None, False),
        # No change of ours leaves the version as it was.
        (replace(BEFORE, enabled=False), BEFORE, None, True),
        (replace(BEFORE, enabled=False, version=8), BEFORE, None, False),
        (replace(BEFORE, version=0), BEFORE, None, True),
        (replace(BEFORE, version=8), BEFORE, sale(), True),
        (held_by(sale()), None, sale(), False),
    ],
)
def test_a_number_is_lost_if_it_is_missing_damaged_or_free_although_sold(
    current: Number | None, before: Number | None, live: Activation | None, lost: bool
) -> None:
    assert is_lost(current, before, live) is lost


def test_an_activation_is_made_again_from_its_number() -> None:
    assert activation_of(held_by(sale())) == sale()
    assert activation_of(replace(held_by(sale()), held_for=None)) is None


@pytest.mark.parametrize(
    ("last_success", "may"),
    [(None, False), (NOW - 2 * MINUTE, False), (NOW - MINUTE, True), (NOW + MINUTE, True)],
)
def test_a_partner_may_have_what_was_pending_if_it_took_a_push_since(last_success: int | None, may: bool) -> None:
    partner = Partner(HUB, "Hub", "gc_hub_key", None, None, "default", NOW, last_success_at=last_success)
    # The last success is noted once a minute.
    assert may_have_taken(partner, NOW) is may
    assert may_have_taken(None, NOW)
