"""Takes keys out of what is told, however they are spelled there."""

import base64
import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html.entities import html5
from itertools import batched
from unicodedata import normalize
from urllib.parse import parse_qsl, urlsplit

MASK = "<key>"
# Text is full of what is shorter than this.
_SHORT = 8
# Without one of these nothing is escaped.
_ESCAPING = frozenset("\\%&+")
_BASIC = re.compile(r"(\s*basic\s+).*", re.IGNORECASE | re.DOTALL)
_SECRET = re.compile("key|token|secret|pass|pwd|auth|sig|jwt|bearer|access|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Masking:
    """`keys` are what is masked, by the names of the variables that have them.

    A key of fewer than 8 characters is masked only as it is written and where it stands alone, not within a word or a number.
    """

    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    def text(self, text: str) -> str:
        """Return a text as it may be told: without keys, and without what UTF-8 can't hold."""
        told = text.encode("utf-8", "replace").decode()
        return self._pattern(told).sub(MASK, told)

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {self.text(name): _BASIC.sub(rf"\1{MASK}", self.text(value)) for name, value in headers.items()}

    def pieces(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield the pieces of a text, each with the name of the key that it spells, with "" where it is none."""
        at = 0
        for found in self._pattern(text).finditer(text):
            if found.lastgroup:
                yield "", text[at : found.start()]
                yield found.lastgroup, found[0]
                at = found.end()
        yield "", text[at:]

    def _pattern(self, text: str) -> re.Pattern[str]:
        keys = tuple(self.keys.items())
        return _pattern(keys, escapes=not (_ESCAPING.isdisjoint(text) and all(key.isascii() for _, key in keys)))


def keys_in(url: str) -> dict[str, str]:
    """Return what the query of a URL has by a name like key or token, named for a variable each."""
    found = [value for name, value in parse_qsl(urlsplit(url).query) if _SECRET.search(name)]
    return {f"URL_KEY{nth or ''}": value for nth, value in enumerate(found)}


@functools.cache
def _pattern(keys: tuple[tuple[str, str], ...], *, escapes: bool) -> re.Pattern[str]:
    """Return what finds keys; where nothing is escaped it is much faster."""
    # The longer first: one key may begin like another. What is masked already stays.
    ordered = sorted((pair for pair in keys if pair[1]), key=lambda pair: -len(pair[1]))
    spelled = _character if escapes else re.escape
    named = [f"(?P<{name}>{'|'.join(_key(each, spelled) for each in _readings(key))})" for name, key in ordered]
    # Most text is passed over by what keys begin with, in either case.
    firsts = {form[0] for _, key in ordered for each in _readings(key) for form in (each, *_packed(each))}
    begins = {"<", *(_ESCAPING if escapes else ()), *firsts, *(_OTHER_64.get(each, "") for each in firsts)}
    return re.compile(rf"(?=(?i:[{re.escape(''.join(begins))}]))(?:{'|'.join([MASK, *named])})")


def _key(key: str, spelled: Callable[[str], str]) -> str:
    whole = "\0?".join(map(spelled, key))  # as UTF-16 each character may have a NUL beside it
    if len(key) < _SHORT:
        # The last characters of an escape are no part of a word.
        before = (
            r"(?:(?<![0-9A-Za-z])|(?<=\\[bfnrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2}))"
        )
        return rf"{before}{whole}(?![0-9A-Za-z])"
    packed = (
        _BREAK.join(f"(?:{spelled(each)}|{_OTHER_64[each]})" if each in _OTHER_64 else spelled(each) for each in form)
        for form in _packed(key)
    )
    return "|".join([f"(?i:{whole})", *(rf"{each}[\w+/-]?" for each in packed)])


# In mail base64 is in lines; they may be escaped.
_BREAK = r"(?:\s|\\[rn]|%0[AaDd]){0,3}"
# What the other alphabet of base64 has for it.
_OTHER_64 = {"+": "-", "/": "_"}


def _packed(key: str) -> Iterator[str]:
    """Yield what base64 makes of a key, by where it begins; the characters at its ends that mix it with others are left out."""
    if len(key) < _SHORT:
        return
    octets = key.encode("utf-8", "surrogateescape")
    for before in range(3):
        packed = base64.b64encode(bytes(before) + octets).decode()
        yield packed[-(-before * 8 // 6) : (before + len(octets)) * 8 // 6]


def _readings(key: str) -> Collection[str]:
    """Return a key, and what becomes of what is beyond ASCII in it: read in another encoding, lost, or with its accents apart."""
    octets = key.encode("utf-8", "surrogateescape")
    readings = [key, octets.decode("latin-1"), normalize("NFD", key), normalize("NFC", key)]
    if len(key) >= _SHORT:
        # A short one may be nothing but question marks then.
        readings += [key.encode("ascii", "replace").decode(), octets.decode("ascii", "replace")]
        readings += [key.encode("latin-1", "replace").decode("utf-8", "replace")]
    return dict.fromkeys(readings)


_LATIN_1 = 0xFF
_BACKSLASH = r"(?:\\|%(?:25){0,3}5c)"
_NAMES: dict[str, list[str]] = {}
for _name, _text in html5.items():
    _NAMES.setdefault(_text, []).append(_name.removesuffix(";"))


@functools.cache
def _character(character: str) -> str:
    """Return what matches a character as it is and as JSON, a URL or HTML spell it, one within the other, too.

    Repetitions are bounded, so that no text takes long.
    """
    raw, code = re.escape(character), ord(character)
    octets = {character.encode("utf-8", "surrogateescape"), bytes([code]) if code <= _LATIN_1 else b""} - {b""}
    hexadecimal = ["".join(rf"(?:%(?:25){{0,3}}|{_BACKSLASH}{{1,8}}x){octet:02x}" for octet in each) for each in octets]
    units = batched(character.encode("utf-16-be", "surrogatepass"), 2, strict=True)
    escaped = "".join(rf"{_BACKSLASH}{{1,8}}u{high:02x}{low:02x}" for high, low in units)
    entity = "|".join([rf"#(?:0{{0,6}}{code}|x0{{0,6}}{code:x})", *_NAMES.get(character, ())])
    forms = [*hexadecimal, escaped, rf"&(?:amp;){{0,3}}(?:{entity});?", *([r"\+"] if character == " " else [])]
    # The longer first, so that nothing of it is left behind.
    either = f"(?:(?i:{'|'.join(forms)})|{raw})"
    return either if character.isalnum() else rf"(?i:{_BACKSLASH}{{0,8}}){either}"
