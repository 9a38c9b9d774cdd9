"""Statistics: what an hour counts, and quantiles of times to deliver (contract 5)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from globalconnect.domain.activation import Outcome
from globalconnect.domain.backlog import MOST_PARTNERS, PartnerPending, PendingNote, Waiting, note_of
from globalconnect.domain.ids import ActivationId, PartnerId
from globalconnect.domain.statistics import (
    BOUNDS,
    STATES,
    HourCounts,
    StartedActivation,
    Stock,
    counts_of,
    histogram,
    hour_of,
    quantile,
)
from globalconnect.domain.times import DAY, HOUR
from simulation.aws import START

times = some.lists(some.integers(min_value=-5_000, max_value=400 * DAY))
shares = some.floats(min_value=0, max_value=1, exclude_min=True)
activations = some.lists(
    some.builds(
        StartedActivation,
        some.just(ActivationId(1)),
        some.none() | some.sampled_from(Outcome),
        some.integers(min_value=0, max_value=2 * HOUR),
    )
)


def exactly(taken: Sequence[int], share: float) -> int:
    """Return the quantile itself: the smallest time that so large a share did not exceed."""
    return sorted(taken)[math.ceil(share * len(taken)) - 1]


def test_spans_grow_by_a_quarter_from_10_ms_to_longer_than_any_sms_is_kept() -> None:
    assert BOUNDS[0] == 10
    assert all(low < high <= math.ceil(low * 1.25) + 1 for low, high in pairwise(BOUNDS))
    assert BOUNDS[-1] > 365 * DAY


@given(times.filter(bool), shares)
def test_a_quantile_is_the_end_of_the_span_that_the_exact_one_is_in(taken: list[int], share: float) -> None:
    exact, given_ = exactly(taken, share), quantile(histogram(taken), share)
    assert given_ is not None
    assert exact <= given_
    place = BOUNDS.index(given_)
    assert place == 0 or BOUNDS[place - 1] < exact


def test_nothing_has_no_quantile() -> None:
    assert HourCounts().time_to_deliver(0.99) is None


def test_a_time_longer_than_all_spans_is_in_the_last() -> None:
    assert histogram([BOUNDS[-1] + 1]) == {BOUNDS[-1]: 1}


@given(times, times, shares)
def test_quantiles_of_two_hours_are_those_of_all_their_sms(one: list[int], other: list[int], share: float) -> None:
    together = HourCounts(times=histogram(one)) + HourCounts(times=histogram(other))
    assert together.times == histogram(one + other)
    assert together.time_to_deliver(share) == quantile(histogram(one + other), share)
    assert together.delivered == len(one) + len(other)


@given(activations, activations, times, some.integers(min_value=0, max_value=2 * HOUR))
def test_every_activation_is_counted_as_one_thing(
    one: list[StartedActivation], other: list[StartedActivation], taken: list[int], now: int
) -> None:
    counts = counts_of(one, taken, now)
    assert counts.started == len(one)
    assert counts.success == sum(begun.outcome is Outcome.SUCCESS for begun in one)
    assert counts.live == sum(begun.outcome is None and now < begun.expires_at for begun in one)
    assert counts_of(one + other, taken, now) == counts + counts_of(other, [], now)
    assert HourCounts() + counts == counts


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_is_counted_under_its_name(outcome: Outcome) -> None:
    counts = counts_of([StartedActivation(ActivationId(1), outcome, START)], [], START)
    assert {name: getattr(counts, name) for name in STATES if getattr(counts, name)} == {outcome.name.lower(): 1}


def test_an_activation_is_live_until_the_moment_it_expires() -> None:
    begun = StartedActivation(ActivationId(1), None, START)
    assert counts_of([begun], [], START - 1) == HourCounts(live=1)
    assert counts_of([begun], [], START) == HourCounts(unfinished=1)


def test_an_hour_begins_on_the_hour() -> None:
    assert hour_of(START) == START - 800_000
    assert hour_of(hour_of(START)) == hour_of(hour_of(START) + HOUR - 1) == hour_of(START)


def test_what_is_not_free_is_held() -> None:
    assert Stock(START, numbers=10, free=3).held == 7


# ---------------------------------------------------------------- what a sweep notes


def waiting(partner_id: str, sms: int, age: int, *, without_success: bool = False) -> Waiting:
    return Waiting(PartnerId(partner_id), PartnerPending(sms, START - age), age, without_success)


def test_the_note_sums_up_all_partners_and_says_when_nothing_waits() -> None:
    partners = {PartnerId("a"): PartnerPending(3, START - 50_000), PartnerId("b"): PartnerPending(1, START - 90_000)}
    note = note_of([waiting("a", 3, 50_000), waiting("b", 1, 90_000)], START)
    assert note == PendingNote(START, waiting=4, oldest_at=START - 90_000, partners=partners)
    assert note_of([], START) == PendingNote(START, waiting=0, oldest_at=None, partners={})


def test_of_very_many_partners_those_in_the_most_trouble_are_named_and_all_are_summed_up() -> None:
    healthy = [waiting(f"healthy{n}", 1, 60_000 + n) for n in range(MOST_PARTNERS)]
    in_trouble = [waiting(f"trouble{n}", 1, 50_000 + n, without_success=True) for n in range(MOST_PARTNERS // 2)]
    note = note_of([*healthy, *in_trouble], START)
    assert note.waiting == len(healthy) + len(in_trouble)
    assert len(note.partners) == MOST_PARTNERS
    assert {one.partner_id for one in in_trouble} < note.partners.keys()
    assert f"healthy{MOST_PARTNERS - 1}" in note.partners
    assert "healthy0" not in note.partners
