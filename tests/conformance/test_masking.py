"""Keys are taken out of what is told, however they are spelled there."""

import base64
import html
import json
from collections.abc import Callable
from unicodedata import normalize
from urllib.parse import quote, quote_plus

import pytest

from conformance.masking import MASK, Masking, keys_in

KEY = "s/e\"c'r\\e&t+ <%>!ü𝄞"


def _as_units(key: str) -> str:
    """Spell each character as JSON may."""
    units = key.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


@pytest.mark.parametrize(
    "spelled",
    [
        KEY,
        quote(KEY),
        quote_plus(KEY),
        quote(KEY).replace("%2B", "%2b").replace("%C3", "%c3"),
        quote(KEY, safe="!'()*~"),
        quote("s/e\"c'r\\e&t+ <%>!") + "%FC" + quote("𝄞"),
        quote(quote(KEY)),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY, ensure_ascii=False)[1:-1],
        json.dumps(KEY)[1:-1].replace("/", "\\/"),
        json.dumps(json.dumps(KEY))[3:-3],
        KEY.upper(),
        "".join(f"\\x{octet:02x}" for octet in KEY.encode()),
        KEY.replace("/", "\\x2F").replace("ü", "\\xFC"),
        _as_units(KEY),
        _as_units(KEY).upper().replace("\\U", "\\u"),
        quote(json.dumps(KEY)[1:-1]),
        html.escape(KEY),
        html.escape(html.escape(KEY)),
        html.escape(json.dumps(KEY)[1:-1]),
        "".join(f"&#{ord(each)};" for each in KEY),
        "".join(f"&#X{ord(each):04X};" for each in KEY),
        KEY.replace("/", "&sol;").replace("+", "&plus;").replace("ü", "&uuml;"),
    ],
)
def test_a_key_is_masked_however_it_is_spelled(spelled: str) -> None:
    masking = Masking({"KEY": KEY, "KEY2": "another-key"})
    assert masking.text(f'a"{spelled}"b') == f'a"{MASK}"b'
    assert [*masking.pieces(f"a{spelled}b")] == [("", "a"), ("KEY", spelled), ("", "b")]


@pytest.mark.parametrize("key", ["schlüssel-für-alle", "ünter-den-linden", "ключ-от-двери"])
@pytest.mark.parametrize(
    "spelled",
    [str, quote, lambda told: json.dumps(told)[1:-1], lambda told: told.encode("ascii", "xmlcharrefreplace").decode()],
)
def test_a_key_beyond_ascii_is_masked_however_it_was_read(key: str, spelled: Callable[[str], str]) -> None:
    readings = [key, key.encode().decode("latin-1"), normalize("NFD", key)]
    for reading in readings:
        assert Masking({"KEY": key}).text(f"Key {spelled(reading)} is unknown") == f"Key {MASK} is unknown"
    lost = [key.encode("ascii", "replace").decode(), key.encode().decode("ascii", "replace")]
    if max(map(ord, key)) <= 0xFF:
        lost.append(key.encode("latin-1").decode("utf-8", "replace"))
    for reading in lost:
        assert Masking({"KEY": key}).text(f"Key {reading} is unknown") == f"Key {MASK} is unknown"


def test_a_key_is_masked_in_utf_16() -> None:
    told = json.dumps({"key": "long-secret"}).encode("utf-16").decode("utf-8", "replace")
    assert "l\0o\0n\0g" not in Masking({"KEY": "long-secret"}).text(told)


@pytest.mark.parametrize("around", [("", ""), ("", ":"), ("u:", ""), ("us:", "x"), ("use:", "")])
@pytest.mark.parametrize("coded", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("key", ["ÿþ?>long~~secret", "~live-key-4711", "?live-key-4711"])
def test_a_key_is_masked_in_base64(key: str, around: tuple[str, str], coded: Callable[[bytes], bytes]) -> None:
    packed = coded(f"{around[0]}{key}{around[1]}".encode()).decode()
    for spelled in (packed, packed.replace("/", "\\/"), quote(packed, safe="")):
        told = Masking({"KEY": key}).text(spelled)
        assert MASK in told
        # What is left is of what stood around it.
        assert len(told.replace(MASK, "")) <= 12


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r\n ", "\\r\\n", "%0D%0A"])
def test_a_key_is_masked_in_base64_in_lines(line_end: str) -> None:
    key = "".join(map(chr, range(0x30, 0x7F)))
    for before in range(3):
        coded = base64.encodebytes(f"{before * 'x'}{key}".encode()).decode().strip()
        assert "\n" in coded
        told = Masking({"KEY": key}).text(coded.replace("\n", line_end))
        assert len(told.replace(MASK, "")) <= 8


def test_credentials_of_basic_are_masked_whole() -> None:
    headers = {"authorization": "Basic dXNlcjpwYXNz", "x-key": "Basic", "proxy-authorization": "basic YTpi"}
    masked = {"authorization": f"Basic {MASK}", "x-key": "Basic", "proxy-authorization": f"basic {MASK}"}
    assert Masking({"KEY": "long-secret"}).headers(headers) == masked


def test_a_key_that_begins_like_another_is_masked_whole() -> None:
    assert Masking({"KEY": "abc", "KEY2": "abcdef", "KEY3": ""}).text("abcdef abc") == f"{MASK} {MASK}"


@pytest.mark.parametrize("last", ["%", "&", "\\", "ü"])
def test_nothing_of_the_last_character_is_left(last: str) -> None:
    key = f"long-secret{last}"
    for spelled in (key, quote(key), html.escape(key), json.dumps(key)[1:-1]):
        assert Masking({"KEY": key}).text(f"{spelled}x") == f"{MASK}x"


@pytest.mark.parametrize("key", ["5", "44", "abc"])
def test_a_short_key_is_masked_only_where_it_stands_alone(key: str) -> None:
    masking = Masking({"KEY": key})
    for apart in (
        f'"{key}"',
        f"a={key}&b",
        f"Bearer {key}",
        f"%22{key}%22",
        f"\\u0022{key}\\u0022",
        f"\\x22{key}\\x22",
        f'\\"{key}\\"',
        f"hi\\n{key}",
    ):
        assert masking.text(apart) == apart.replace(key, MASK)
    within = f"1{key}7 x{key} {key}{key} {key.upper() if key.isalpha() else ''}"
    assert masking.text(within) == within


def test_what_is_masked_already_stays() -> None:
    assert Masking({"KEY": "key"}).text(f"{MASK} key") == f"{MASK} {MASK}"


def test_what_is_told_is_utf_8() -> None:
    assert Masking({"KEY": "k\udcff"}).text("a\ud800") == "a?"


@pytest.mark.parametrize("name", ["sig", "pwd", "jwt", "bearer", "access", "Credential"])
def test_a_secret_in_a_url_is_known_by_its_name(name: str) -> None:
    assert keys_in(f"http://127.0.0.1/hub?{name}=value") == {"URL_KEY": "value"}


def test_the_query_of_a_url_may_have_keys() -> None:
    url = "http://127.0.0.1/hub?lang=en&apiKey=a%2Fb&token=t"
    assert keys_in(url) == {"URL_KEY": "a/b", "URL_KEY1": "t"}
    assert "secret" not in repr(Masking({"KEY": "secret"}))
