"""What a whole number is (contract 1): exact, however it is spelled."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.numerals import LARGEST_WHOLE_NUMBER, Numeral, plain_number, read_json, whole_number

digits = st.text("0123456789", min_size=1, max_size=20)
spellings = st.builds(
    lambda whole, fraction, exponent: whole + fraction + exponent,
    digits,
    st.one_of(st.just(""), digits.map(lambda found: f".{found}")),
    st.one_of(st.just(""), st.from_regex(r"[eE][+-]?[0-9]{1,3}", fullmatch=True)),
)


@given(spellings)
def test_a_whole_number_is_read_exactly_however_it_is_spelled(spelled: str) -> None:
    value = Decimal(spelled)
    whole = value == value.to_integral_value() and value <= LARGEST_WHOLE_NUMBER
    assert whole_number(spelled) == whole_number(Numeral(spelled)) == (int(value) if whole else None)


@pytest.mark.parametrize(
    ("spelled", "number"),
    [
        ("1167069522912420.0", 1_167_069_522_912_420),
        ("1.16706952291242E15", 1_167_069_522_912_420),
        ("9007199254740991.0", 2**53 - 1),
        # As a float this would be 2^53, and rounded down to a number that is ours.
        ("9007199254740992.0", None),
        ("9007199254740990.5", None),
        ("0e999999999999999999", 0),
        ("1e999999999999999999", None),
        ("1e-999999999999999999", None),
        ("0." + "0" * 100_000 + "1e100001", 1),
        ("9" * 100_000, None),
        ("0" * 100_000 + "7", 7),
        ("-0", None),
        ("+3", None),
        ("3.", None),
        (".3e1", None),
        ("3e", None),
        (" 3", None),
        ("3\n", None),
        ("\u0663", None),
        ("", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_spelling_at_the_edge_is_read_exactly_or_not_at_all(spelled: str, number: int | None) -> None:
    assert whole_number(spelled) == number


@pytest.mark.parametrize("value", [None, True, False, 3.0, [3], -1, 2**53])
def test_what_is_no_spelling_is_no_number(value: object) -> None:
    assert whole_number(value) is None


def test_the_most_that_a_field_holds_is_its_limit() -> None:
    assert (whole_number("15e0", 15), whole_number("16", 15), whole_number(15, 15), whole_number(16, 15)) == (
        15,
        None,
        15,
        None,
    )


def test_numbers_of_json_keep_their_spelling_or_become_exact_integers_or_floats() -> None:
    body = b"\xef\xbb\xbf[3, 3.0, -3.0, 1.5, 1167069522912420.0, 1e999]"
    assert read_json(body) == [Numeral(text) for text in ("3", "3.0", "-3.0", "1.5", "1167069522912420.0", "1e999")]
    read = read_json(body, plain_number)
    # 3 and 3.0 are equal, but not the same.
    assert repr(read) == "[3, 3, -3, 1.5, 1167069522912420, inf]"


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b"-Infinity", b"\xff", b"[" * 200_000])
def test_what_is_no_json_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_json(body)
    assert str(refused.value) == "body: expected valid JSON in UTF-8"
    assert refused.value.__suppress_context__
