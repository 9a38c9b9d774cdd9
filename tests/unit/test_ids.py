"""Identifiers: contract 1.3 and 3."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globalconnect.domain.ids import (
    LARGEST_ID,
    LARGEST_TEST_SMS_ID,
    PartnerId,
    SourceId,
    new_activation_id,
    new_test_sms_id,
    new_token,
    sms_id_of,
)
from globalconnect.domain.partner import new_key, partner_id_of
from globalconnect.domain.times import DAY

START = 1_704_067_200_000  # 2024-01-01, ms
LAST_DAY = 9_998  # 2051-05-17
IDS_PER_DAY = 10**10


@given(st.integers(0, (LAST_DAY + 1) * DAY - 1), st.integers(0, IDS_PER_DAY - 1))
def test_an_activation_id_has_14_digits_at_most_until_2051(since: int, rolled: int) -> None:
    assert 0 < new_activation_id(START + since, lambda _: rolled) < 10**14


@given(
    st.integers(0, LAST_DAY),
    st.integers(0, LAST_DAY),
    st.integers(0, IDS_PER_DAY - 1),
    st.integers(0, IDS_PER_DAY - 1),
)
def test_two_days_never_give_the_same_activation_id(one: int, other: int, first: int, second: int) -> None:
    ids = (
        new_activation_id(START + one * DAY, lambda _: first),
        new_activation_id(START + other * DAY, lambda _: second),
    )
    assert (ids[0] == ids[1]) is ((one, first) == (other, second))


def test_an_activation_id_is_any_of_ten_billion_of_its_day() -> None:
    lowest = new_activation_id(START, lambda _: 0)
    assert new_activation_id(START, lambda most: most - 1) == lowest + IDS_PER_DAY - 1
    assert new_activation_id(START + DAY, lambda _: 0) == lowest + IDS_PER_DAY


def test_no_new_activation_id_is_one_of_those_with_40_random_bits() -> None:
    april_2024 = 91
    assert april_2024 + 1 << 40 > new_activation_id(START + LAST_DAY * DAY, lambda most: most - 1)


@given(st.text(), st.text(), st.integers(0, 5))
def test_an_sms_id_is_the_same_for_the_same_delivery_and_safe_for_json(source: str, delivery: str, salt: int) -> None:
    sms_id = sms_id_of(SourceId(source), delivery, salt)
    assert LARGEST_TEST_SMS_ID < sms_id <= LARGEST_ID
    assert sms_id == sms_id_of(SourceId(source), delivery, salt)


def test_no_delivery_has_the_sms_id_of_a_test_push() -> None:
    # One of two million: its hash is 2_567_445_456.
    assert sms_id_of(SourceId("gw"), "2371588", 0) == 2_567_445_456 + LARGEST_TEST_SMS_ID


@given(st.integers(0, LARGEST_TEST_SMS_ID - 1))
def test_a_test_push_has_an_sms_id_that_no_delivery_has(rolled: int) -> None:
    assert 0 < new_test_sms_id(lambda _: rolled) <= LARGEST_TEST_SMS_ID


def test_different_deliveries_sources_and_salts_give_different_sms_ids() -> None:
    ids = [sms_id_of(SourceId(f"s{s}"), f"d{d}", salt) for s in range(10) for d in range(100) for salt in range(3)]
    assert len(set(ids)) == len(ids)


@given(st.integers(0))
def test_a_key_names_its_partner(seed: int) -> None:
    rng = random.Random(seed).randrange
    partner_id = new_token(10, rng)
    assert partner_id_of(new_key(PartnerId(partner_id), rng)) == partner_id


@pytest.mark.parametrize("text", ["", "gc", "gc__x", "xx_a_b", "gc_a_b_c", "gc_é_x", "gc_" + "a" * 200 + "_x"])
def test_what_can_be_no_key_names_nobody(text: str) -> None:
    assert partner_id_of(text) is None


@given(st.text())
def test_no_text_makes_the_key_reader_fail(text: str) -> None:
    partner_id_of(text)
