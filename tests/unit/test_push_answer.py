"""Contract 3: what an answer says, and that what is kept of it shows no secret and costs little, whatever it repeats."""

import html
import json
import timeit
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globalconnect.push.answer import KEPT_ANSWER_CHARACTERS, MAX_ANSWER_BYTES, PartnerAnswer, read_answer

KEY = "gc_4fE9zT0qLx"
TEXT = "Ваш код: 482913, никому его не сообщайте"  # noqa: RUF001 - the words are Russian
LONG_TEXT = "Уважаемый клиент! " * 200 + "482913"


def kept(content: str | bytes, *secrets: str, whole: bool = True) -> str:
    body = content if isinstance(content, bytes) else content.encode()
    return read_answer(PartnerAnswer(200, "", body, whole), secrets or (KEY, TEXT), ()).kept


# ------------------------------------------------------------------ codes


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("code 482913 is wrong", "code *** is wrong"),
        ("id=00482913", "id=00***"),
        ("%D0%BA482913", "%D0%BA***"),
        ("482 913", "*** 913"),
        ("error 500 on 2026-01-02", "error 500 on 2026-01-02"),
        ("48 29 13", "48 29 13"),
    ],
)
def test_codes_of_the_sms_are_replaced_and_other_numbers_are_not(answer: str, shown: str) -> None:
    assert kept(answer) == shown


def test_every_one_of_many_codes_is_replaced() -> None:
    codes = [f"{number:04d}" for number in range(0, 9_999, 7)]
    for start in range(0, len(codes), 50):
        answer = f"code: {' - '.join(codes[start : start + 10])}"
        assert kept(answer, KEY, " ".join(codes)) == "code: " + " - ".join(["***"] * 10)


# ------------------------------------------------------------------ cuts


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_url(text: str) -> str:
    return quote(text, safe="")


SPELLINGS = [str, _in_json, _in_url, quote_plus, html.escape]


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize("secret", [KEY, TEXT, "a b&c/d%e" * 5], ids=["key", "text", "marks"])
def test_no_half_of_a_secret_is_left_where_the_answer_broke_off(secret: str, spell: Callable[[str], str]) -> None:
    spelled = spell(secret)
    for cut in range(3, len(spelled) + 1):
        assert kept("oops: " + spelled[:cut], secret, whole=False) in {"oops: ***", f"oops: ***{spelled[cut:]}"}


@pytest.mark.parametrize("before", [0, 150, 400, 600, 1_000, 1_020])
def test_no_half_of_a_secret_is_left_where_we_cut_the_answer(before: int) -> None:
    # Masks are shorter than what they stand for, so that what is kept may come from far behind.
    answer = (TEXT + " ") * (before // (len(TEXT) + 1)) + KEY * 200
    shown = kept(answer)
    # Two characters may be the beginning of anything.
    assert set(shown[:-2]) <= {"*", " "}


@pytest.mark.parametrize("spell", SPELLINGS)
@pytest.mark.parametrize("before", [0, 100, 190])
def test_nothing_of_a_long_text_is_left(spell: Callable[[str], str], before: int) -> None:
    filler = "x" * before
    assert kept(filler + spell(LONG_TEXT), KEY, LONG_TEXT) == filler + "***"


def test_secret_after_the_cut_is_no_matter() -> None:
    assert kept("x" * MAX_ANSWER_BYTES + KEY) == "x" * KEPT_ANSWER_CHARACTERS


def test_character_that_is_cut_in_its_middle_is_left_out() -> None:
    assert kept("да".encode()[:-1], whole=False) == "д"
    assert kept("да".encode()[:-1]) == "д\ufffd"


@given(
    st.text(max_size=300),
    st.text(alphabet=st.characters(codec="utf-8", categories=["L", "P", "Zs", "So"]), min_size=4, max_size=700),
    st.text(max_size=300),
    st.sampled_from(SPELLINGS),
    st.booleans(),
)
def test_no_secret_is_ever_kept_as_it_was_spelled(
    before: str, secret: str, after: str, spell: Callable[[str], str], whole: bool
) -> None:
    answer = (before + spell(secret) + after).encode("utf-8", "replace")
    spelled = "".join(character for character in spell(secret) if character.isprintable())
    assert not spelled or spelled not in kept(answer, secret, whole=whole)


# ------------------------------------------------------------------ what it costs

CODES = "".join(f"{number:04d} " for number in range(4_000))
SHORT = PartnerAnswer(200, "", b'{"message":"code 1234 &amp; 50% + \\n"}'.ljust(200), whole=True)


def _shortest(answer: PartnerAnswer, text: str) -> float:
    """Return the least time (s) of some, which is what it takes on a machine that is busy with other things."""
    return min(timeit.repeat(lambda: read_answer(answer, (KEY, text), ("token=1",)), repeat=20, number=1))


@pytest.mark.parametrize(
    "body",
    [
        b"x" * MAX_ANSWER_BYTES,
        CODES.encode() * 3,
        b"9" * MAX_ANSWER_BYTES,
        b"[1," + b"1," * (MAX_ANSWER_BYTES // 2),
        b'&%+\\"' * (MAX_ANSWER_BYTES // 5),
        b"{" * MAX_ANSWER_BYTES,
    ],
    ids=["letters", "codes", "digits", "array", "marks", "depth"],
)
def test_4000_codes_and_64_kib_cost_little_more_than_a_code_and_200_characters(body: bytes) -> None:
    long = PartnerAnswer(200, "", body[:MAX_ANSWER_BYTES], whole=True)
    # A search for each of the codes in the whole of the answer takes thousands of times as long.
    assert _shortest(long, CODES) < 100 * _shortest(SHORT, "Code 1234")
