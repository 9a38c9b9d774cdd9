"""When the counts of a pool fell to 0, and whether a poll before may have shown some: contract 1.1."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from globalconnect.domain.pool_counts import PoolCounts, may_have_been_shown
from globalconnect.domain.times import HOUR, MINUTE, SECOND

NOW = 1_790_000_000_000


def _pool(free: int, blocked: Mapping[str, int] | None = None) -> PoolCounts:
    return PoolCounts("england", "O2", 9, free, dict(blocked or {}))


def _then(pool: PoolCounts, now: int, free: int, blocked: Mapping[str, int] | None = None) -> PoolCounts:
    after = replace(pool, free=free, blocked_free=dict(blocked or {}))
    after.note_sold_out(pool, now)
    return after


def test_a_pool_sold_out_when_its_last_free_number_went_and_not_with_what_changes_later() -> None:
    sold_out = _then(_pool(2), NOW, 0)
    assert sold_out.sold_out_since("tg") == NOW
    assert _then(sold_out, NOW + 5, 0).sold_out_since("tg") == NOW
    assert _then(sold_out, NOW + 5, 1).sold_out_since("tg") is None
    assert _then(_then(sold_out, NOW + 5, 1), NOW + 9, 0).sold_out_since("tg") == NOW + 9


def test_a_service_sold_out_by_itself_when_all_that_are_free_became_blocked_for_it() -> None:
    pool = _then(_pool(3, {"tg": 2}), NOW, 2, {"tg": 2})
    assert (pool.sold_out_since("tg"), pool.sold_out_since("go")) == (NOW, None)
    for later in (_then(pool, NOW + 5, 1, {"tg": 1}), _then(pool, NOW + 5, 4, {"tg": 4})):
        assert (later.sold_out_since("tg"), later.empty_since) == (NOW, None)
    assert _then(pool, NOW + 5, 3, {"tg": 2}).sold_out_since("tg") is None


def test_a_service_that_sold_out_before_its_pool_keeps_its_time_through_that() -> None:
    pool = _then(_pool(2, {"tg": 1}), NOW, 1, {"tg": 1})
    empty = _then(pool, NOW + 5, 0)
    assert (empty.sold_out_since("tg"), empty.sold_out_since("go")) == (NOW, NOW + 5)
    back = _then(_then(empty, NOW + 6, 0), NOW + 9, 1, {"tg": 1, "go": 1})
    assert (back.sold_out_since("tg"), back.sold_out_since("go")) == (NOW, NOW + 5)
    # What was used up long before it is not taken for what the pool's end took.
    used_up = _then(_pool(2, {"tg": 2}), NOW, 1, {"tg": 1})
    assert (used_up.sold_out_since("tg"), _then(used_up, NOW + 5, 0).sold_out_since("tg")) == (None, 0)


def test_while_numbers_are_free_it_is_noted_for_an_hour() -> None:
    pool = _then(_pool(2, {"tg": 1}), NOW, 1, {"tg": 1})
    for after, noted in ((HOUR - 1, {"tg": NOW}), (HOUR, {})):
        assert _then(pool, NOW + after, 2, {"tg": 2}).sold_out == noted


def test_what_was_stored_before_is_of_no_known_time_until_it_changes() -> None:
    assert _pool(0).sold_out_since("tg") is None
    assert _then(_pool(0), NOW, 0).sold_out_since("tg") is None
    assert _then(_then(_pool(0), NOW, 1), NOW + 5, 0).sold_out_since("tg") == NOW + 5
    assert not may_have_been_shown([_pool(0)], "tg", NOW)


@pytest.mark.parametrize(
    ("since_poll", "shown"), [(-MINUTE, False), (-2 * SECOND, False), (1 - 2 * SECOND, True), (MINUTE, True)]
)
def test_a_poll_may_have_shown_what_sold_out_after_it_counts_being_2_s_late(since_poll: int, shown: bool) -> None:
    assert may_have_been_shown([_then(_pool(1), NOW, 0)], "tg", NOW - since_poll) is shown


def test_of_several_pools_the_one_that_sold_out_last_counts() -> None:
    pools = [_then(_pool(1), NOW, 0), _then(_pool(1), NOW + MINUTE, 0), _pool(0)]
    assert may_have_been_shown(pools, "tg", NOW + 5 * SECOND)
    assert not may_have_been_shown(pools[::2], "tg", NOW + 5 * SECOND)
    assert not may_have_been_shown([], "tg", NOW)


def test_a_count_that_has_not_fallen_yet_was_shown_unless_the_request_excludes_numbers() -> None:
    pools = [_pool(1), _pool(0)]
    assert may_have_been_shown(pools, "tg", NOW)
    assert not may_have_been_shown(pools, "tg", NOW, excludes=True)
