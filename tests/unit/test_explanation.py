"""Why there is no number: what may have been meant, and what it costs to find that."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import SequenceMatcher
from types import FrameType

import pytest

from globalconnect.domain.explanation import COMPARED_LENGTH, MOST_COMPARED, Reason, why_not_in_stock
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.domain.requests import AskedPools, GetNumber, WantedNumber

LONG = "a name that all of them begin with and "
COUNTRY = "england"


def pools(*operators: str) -> list[PoolCounts]:
    return [PoolCounts(COUNTRY, operator, total=1, free=1) for operator in operators]


def wanted(operator: str) -> WantedNumber:
    pools = (AskedPools(COUNTRY, frozenset({operator})),)
    return WantedNumber(pools, "tg", GetNumber(COUNTRY, operator, "tg"))


def suggested(asked: str, *operators: str) -> list[str]:
    why = why_not_in_stock(wanted(asked), pools(*operators))
    assert why.reason is Reason.UNKNOWN_OPERATOR
    return list(why.suggestions)


@contextmanager
def compared() -> Iterator[list[tuple[int, int]]]:
    """Note the lengths of what is compared letter by letter."""
    seen: list[tuple[int, int]] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is SequenceMatcher.ratio.__code__:
            matcher = frame.f_locals["self"]
            seen.append((len(matcher.a), len(matcher.b)))

    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)


def test_of_thousands_of_long_names_few_are_compared_and_the_one_that_was_meant_is_found() -> None:
    names = [f"{number:04} {LONG * 2}" for number in range(3_000)]
    with compared() as seen:
        assert suggested(f"1234 {LONG * 5}", *names)[0] == names[1_234]
    # difflib works out twice what is close enough.
    assert 0 < len(seen) <= 2 * MOST_COMPARED
    assert max(map(max, seen)) <= COMPARED_LENGTH


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("o 2", "O2"),
        ("hutchison", "Hutchison 3G UK Ltd"),
        ("vodafon", "Vodafone"),
        ("VODAFONE", "Vodafone"),
        ("x", "X"),
    ],
)
def test_what_was_meant_is_found_among_many_others(asked: str, meant: str) -> None:
    others = [f"{LONG}{number}" for number in range(500)]
    assert suggested(asked, *others, "O2", "Hutchison 3G UK Ltd", "Vodafone", "X") == [meant]


def test_names_that_begin_alike_for_long_are_all_suggested() -> None:
    assert suggested(LONG * 2, *(f"{LONG}{LONG}{number}" for number in range(5))) == [
        f"{LONG}{LONG}{n}" for n in range(3)
    ]
