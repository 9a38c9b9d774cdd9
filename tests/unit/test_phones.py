"""What a phone number is, and the beginning of one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.numerals import Numeral
from globalconnect.domain.phones import check_phone, phone_to_find, prefix_of

PHONE = "447472190035"


@pytest.mark.parametrize(
    "written",
    [
        PHONE,
        f"+{PHONE}",
        f"00{PHONE}",
        f" {PHONE}\t",
        "+44 7472 190 035",
        "+44 (7472) 190-035",
        "(+44) 7472 190035",
        "0044-7472-190035",
        "+44\u00a07472\u2011190\u2013035",
        f"tel:+{PHONE}",
        "TEL: +44-7472-190035",
        f"\u202a+{PHONE}\u202c",
        f"\ufeff{PHONE}",
        "44\u200b7472\u00ad190035",
        447_472_190_035,
        Numeral("447472190035"),
        Numeral("4.47472190035E11"),
    ],
    ids=repr,
)
def test_a_phone_is_one_however_it_is_written(written: object) -> None:
    assert check_phone(written, "phone") == PHONE


@pytest.mark.parametrize(
    "written",
    [
        "", "+", "00", "4474", "4" * 16, "44x7472190035", "44.7472.190035", "++447472190035", "+00447472190035", "000447472190035",
        "+07472190035", "4.47472E+11", "447472190035;ext=5", "447472190035,447472190036", "\u0664\u0664\u0667\u0664\u0667",
        "+44 (0)7472 190035", "+44 [ 0 ] 7472 190035", "tel:tel:447472190035", None, True, [PHONE], 447_472_190_035.5, -447_472_190_035,
        4474, 10**15, Numeral("447472190035.5"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_has_no_reading_or_two_is_no_phone(written: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_phone(written, "phone")
    assert str(refused.value) == "phone: expected 5 to 15 digits, country code first"


@pytest.mark.parametrize("written", ["07472190035", "07472 190-035", "(07472) 190035"])
def test_a_phone_with_one_leading_0_needs_its_country_code(written: str) -> None:
    with pytest.raises(InvalidInput, match=r"^phone: needs its country code$"):
        check_phone(written, "phone")


@given(st.text())
def test_no_text_makes_the_reader_of_phones_fail(text: str) -> None:
    found = phone_to_find(text)
    prefix_of(text)
    if found.isdecimal() and found.isascii() and 5 <= len(found) <= 15 and found[0] != "0":
        assert check_phone(text, "phone") == found


@pytest.mark.parametrize(
    ("written", "prefix"),
    [
        ("447", "447"),
        (" +447\t", "447"),
        ("0447", "0447"),
        ("447.0", "447"),
        ("4.47E11", "447000000000"),
        (Numeral("4.47E11"), "447000000000"),
        (Numeral("447.0"), "447"),
        (447, "447"),
        (0, "0"),
        ("4" * 15, "4" * 15),
        ("4" * 16, None),
        ("0" * 15 + "4", None),
        (Numeral("4" * 16), None),
        (Numeral("4.5"), None),
        ("4.5", None),
        ("+ 447", None),
        ("++447", None),
        ("44 7", None),
        ("", None),
        ("+", None),
        (None, None),
        (True, None),
        (Numeral("-447"), None),
    ],
    ids=repr,
)
def test_a_prefix_is_digits_or_any_spelling_of_a_whole_number(written: object, prefix: str | None) -> None:
    assert prefix_of(written) == prefix
