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
    ("name", "named"),
    [
        ("O2\u202e", "U+202E"),
        ("O\u20602", "U+2060"),
        ("\ufeffO2", "U+FEFF"),
        ("O\u00ad2", "U+00AD"),
        ("O\x002", "U+0000"),
        ("O\u31642", "U+3164"),
        ("\U000e0041O2", "U+E0041"),
        ("O\ud8002", "U+D800"),
        ("\u200dO2", "U+200D"),
        ("O2\u200c", "U+200C"),
        ("\u200d", "U+200D"),
    ],
)
def test_what_nobody_sees_is_refused_by_its_code_point(name: str, named: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_name(name, "operator")
    assert str(refused.value) == f"operator: contains {named}"


@pytest.mark.parametrize("name", [None, 5, ["O2"], "", " \u00a0", "x" * 101])
def test_what_is_empty_too_long_or_no_text_is_no_name(name: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_name(name, "operator")
    assert str(refused.value) == "operator: expected a text of 1 to 100 characters"


@pytest.mark.parametrize("name", ["any", "ANY", " Any\n"])
def test_any_is_no_operator(name: str) -> None:
    with pytest.raises(InvalidInput):
        check_operator(name, "operator")


def test_what_parts_the_names_of_a_pool_is_in_neither() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_pool_name("a|b", "country")
    assert str(refused.value) == "country: expected a text without |"


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


def test_a_pool_is_found_whichever_way_it_is_stored() -> None:
    stored = StoredNames([(OTHER_FORM, "Orange  CI"), ("england", "O2")])
    assert stored.pool(NAME, "Orange CI") == (OTHER_FORM, "Orange  CI")
    assert stored.pool(OTHER_FORM, " Orange CI") == (OTHER_FORM, "Orange  CI")
    assert stored.pool(" england", "O2") == ("england", "O2")
    # A new operator joins the country that there is.
    assert stored.pool(NAME, " MTN") == (OTHER_FORM, "MTN")
    assert stored.pool("wales ", "O2  UK") == ("wales", "O2 UK")


def test_of_two_pools_of_the_same_names_the_folded_one_is_meant() -> None:
    for pools in ([(NAME, "MTN"), (OTHER_FORM, "MTN")], [(OTHER_FORM, "MTN"), (NAME, "MTN")]):
        assert StoredNames(pools).pool(OTHER_FORM, "MTN ") == (NAME, "MTN")
        assert StoredNames(pools).pool(NAME, "Orange") == (NAME, "Orange")
