"""When an SMS is pushed again: contract 3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globalconnect.domain.push_schedule import (
    delay_seconds,
    is_slow,
    is_too_old,
    lost_its_message,
    may_start,
    wait_seconds,
)

NOW = 1_790_000_000_000


@given(st.integers(-60_000, 10_000))
def test_the_queue_hands_over_early_and_the_function_waits_out_the_rest(ahead: int) -> None:
    due = NOW + ahead
    handed_over = NOW + delay_seconds(due, NOW) * 1_000
    assert handed_over <= max(NOW, due - 1_000)
    assert wait_seconds(due, handed_over) <= 2.2


@pytest.mark.parametrize(
    ("ahead", "delay"), [(10_000, 8), (9_200, 8), (6_000, 4), (1_000, 0), (0, 0), (-5_000, 0), (10**9, 900)]
)
def test_the_delay_is_whole_seconds_that_sqs_accepts(ahead: int, delay: int) -> None:
    assert delay_seconds(NOW + ahead, NOW) == delay


def test_a_message_that_names_a_far_time_holds_nobody_up() -> None:
    assert wait_seconds(NOW * 2, NOW) == 10


@pytest.mark.parametrize(
    ("queued_again", "lost_after"),
    [(None, 45_000), (50_000, 50_000 + 105_000), (-1, 45_000)],
    ids=["never", "by the sweep before last", "before an earlier attempt"],
)
def test_a_push_has_lost_its_message_45_s_after_it_was_due_or_by_the_sweep_after_next(
    queued_again: int | None, lost_after: int
) -> None:
    queued_again_at = None if queued_again is None else NOW + queued_again
    lost = [lost_its_message(NOW, queued_again_at, NOW + lost_after + late) for late in (-1, 0)]
    assert lost == [False, True]


def test_an_attempt_that_took_more_than_a_second_shows_a_slow_partner() -> None:
    assert [is_slow(1_000), is_slow(1_001)] == [False, True]


def test_an_attempt_starts_within_4_s_of_its_claim_or_not_at_all() -> None:
    assert [may_start(NOW + 10_000, NOW + 4_000 + late) for late in (0, 1)] == [True, False]


def test_without_a_maximum_age_no_sms_is_too_old() -> None:
    ages = [is_too_old(0, NOW, None), is_too_old(NOW - 60_000, NOW, 60_000), is_too_old(NOW - 59_999, NOW, 60_000)]
    assert ages == [False, True, False]
