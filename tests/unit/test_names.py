"""What a name of a country, an operator or a service is, and when two are the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.names import StoredNames, check_name, check_pool_name, folded, spellings_of
from globalconnect.hub_protocol.requests import check_operator

NAME = "C\u00f4te d'Ivoire"


@pytest.mark.parametrize(
    "written",
    [
        NAME,
        f" {NAME}\n",
        "Co\u0302te d'Ivoire",
        "C\u00f4te\u00a0d'Ivoire",
        "C\u00f4te \t d'Ivoire",
        "\u3000C\u00f4te\u2028d'Ivoire",
    ],
)
def test_names_are_the_same_in_any_form_and_with_any_white_space(written: str) -> None:
    assert check_pool_name(written, "country") == NAME


@pytest.mark.parametrize(
    "name",
    [
        "\u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645",
        "\u0d28\u0d4d\u200d O2",
        "\u2764\ufe0f",
        "\u041c\u0422\u0421",
        "O2 (UK)",
    ],
)
def test_a_name_may_be_of_any_script_and_hold_joiners(name: str) -> None:
    assert check_name(name, "operator") == name


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        *(
            (name, f"contains {named}")
            for name, named in {
                "O2\u202e": "U+202E",
                "O\u20602": "U+2060",
                "\ufeffO2": "U+FEFF",
                "O\u00ad2": "U+00AD",
                "O\x002": "U+0000",
                "O\u31642": "U+3164",
                "\U000e0041O2": "U+E0041",
                "O\ud8002": "U+D800",
                "\u200dO2": "U+200D",
                "O2\u200c": "U+200C",
                "\u200d": "U+200D",
            }.items()
        ),
        *((name, "expected a text of 1 to 100 characters") for name in (None, 5, ["O2"], "", " \u00a0", "x" * 101)),
        # What parts the names of a pool is in neither.
        ("a|b", "expected a text without |"),
    ],
)
def test_what_nobody_sees_is_empty_or_no_text_is_no_name_and_is_refused_by_its_code_point(
    name: object, refusal: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_pool_name(name, "operator")
    assert str(refused.value) == f"operator: {refusal}"


@pytest.mark.parametrize("name", ["any", "ANY", " Any\n"])
def test_any_is_no_operator(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_operator(name, "operator")


@given(st.text())
def test_folding_again_changes_nothing_and_neither_does_another_form(name: str) -> None:
    once = folded(name)
    assert folded(once) == once
    assert folded(unicodedata.normalize("NFD", name)) == once


@given(st.text())
def test_every_name_that_is_taken_is_kept_in_one_way(name: str) -> None:
    try:
        kept = check_pool_name(name, "country")
    except InvalidInput:
        return
    assert spellings_of(kept) == (kept,)
    assert spellings_of(name)[0] == kept


OTHER_FORM = "Co\u0302te d'Ivoire"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((NAME, "Orange CI"), (OTHER_FORM, "Orange  CI")),
        ((OTHER_FORM, " Orange CI"), (OTHER_FORM, "Orange  CI")),
        ((" england", "O2"), ("england", "O2")),
        # A new operator joins the country that there is.
        ((NAME, " MTN"), (OTHER_FORM, "MTN")),
        (("wales ", "O2  UK"), ("wales", "O2 UK")),
    ],
)
def test_a_pool_is_found_whichever_way_it_is_stored(asked: tuple[str, str], found: tuple[str, str]) -> None:
    assert StoredNames([(OTHER_FORM, "Orange  CI"), ("england", "O2")]).pool(*asked) == found


def test_of_two_pools_of_the_same_names_the_folded_one_is_meant() -> None:
    for pools in ([(NAME, "MTN"), (OTHER_FORM, "MTN")], [(OTHER_FORM, "MTN"), (NAME, "MTN")]):
        assert StoredNames(pools).pool(OTHER_FORM, "MTN ") == (NAME, "MTN")
        assert StoredNames(pools).pool(NAME, "Orange") == (NAME, "Orange")
