"""What a partner's answer says, and what is kept of it (contract 3).

The far side is anybody's server: no answer may cost much, whatever it repeats and however it is packed.
"""

import codecs
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from globalconnect.hub_protocol.catalogue import DEFAULT
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.hub_protocol.push import PushAnswer, judged

MAX_ANSWER_BYTES = 64 * 1024
KEPT_ANSWER_CHARACTERS = 200

# What is kept is looked for in so many characters of the answer: with masks in place of secrets there is more to show.
_LOOKED_AT = 1024
# Of a longer spelling so many characters are compared, and what follows them is taken for its rest.
_COMPARED = 512
# Where the answer is cut, so many characters of a secret are taken for its beginning.
_RECOGNISED = 3
_LONGEST_CHARACTER_BYTES = 4

_MASK = "***"
_HTML_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
# A partner may well repeat only the code.
_CODE = re.compile(r"[0-9]{3,}")
_CODE_STARTS = 3

# How zlib is told the form: deflate comes with zlib's frame, as it should, or bare.
_FORMS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}


@dataclass(slots=True)
class PartnerAnswer:
    """What has arrived of an answer so far; `body` as it was sent, `coding` as its header names it.

    `whole` is set when it was read to its end.
    """

    status: int | None = None
    coding: str = ""
    body: bytes = b""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """What was found in an answer: what it says of the push, whether it is too large, and what is kept of it."""

    says: PushAnswer
    too_large: bool
    kept: str


def read_answer(
    answer: PartnerAnswer, secrets: Sequence[str], hidden: Sequence[str], dialect: Dialect = DEFAULT
) -> AnswerReading:
    """Read an answer in a dialect; no more than MAX_ANSWER_BYTES of it are looked at.

    Takes what must not be kept of an answer that repeats it: `secrets` as a whole and by their codes, `hidden` only as
    a whole.
    """
    content = _unpacked(answer, MAX_ANSWER_BYTES + 1)
    too_large = len(content) > MAX_ANSWER_BYTES
    return AnswerReading(
        says=judged(answer.status, content, dialect),
        too_large=too_large,
        kept=_kept(content, secrets, hidden, whole=answer.whole and not too_large),
    )


def _unpacked(answer: PartnerAnswer, most: int) -> bytes:
    """Undo what the answer was packed with, up to `most` bytes; what is packed otherwise than it says stays as it is."""
    content = answer.body[:most]
    for coding in reversed(answer.coding.lower().split(",")):
        for form in () if content.lstrip().startswith(b"{") else _FORMS.get(coding.strip(), ()):
            try:
                content = zlib.decompressobj(form).decompress(content, most)
            except zlib.error:
                continue
            break
    return content


def _kept(content: bytes, secrets: Sequence[str], hidden: Sequence[str], *, whole: bool) -> str:
    """Return the start of the answer as text without control characters, the secrets replaced.

    It is cut first, so that what a long answer and many codes cost is bounded.
    """
    start = content[: _LOOKED_AT * _LONGEST_CHARACTER_BYTES]
    whole = whole and len(start) == len(content)
    decoded, _ = codecs.utf_8_decode(start, "replace", whole)
    text = _printable(decoded)
    whole = whole and len(text) <= _LOOKED_AT
    text = text[:_LOOKED_AT]
    kept, shown_to = "", 0
    for begin, end in sorted([*_repeats(text, [*secrets, *hidden], whole=whole), *_codes(text, secrets)]):
        if begin >= shown_to:
            kept += text[shown_to:begin] + _MASK
        shown_to = max(shown_to, end)
    return (kept + text[shown_to:])[:KEPT_ANSWER_CHARACTERS]


def _codes(text: str, secrets: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Return where digits may be one of the secrets' codes: from where they are as a code begins, to their end."""
    runs = list(_CODE.finditer(text))
    if not runs:
        return
    starts = {code[:_CODE_STARTS] for code in _CODE.findall("\n".join(secrets))}
    for run in runs:
        for begin in range(run.start(), run.end() - _CODE_STARTS + 1):
            if text[begin : begin + _CODE_STARTS] in starts:
                yield begin, run.end()
                break


def _repeats(text: str, secrets: Sequence[str], *, whole: bool) -> Iterator[tuple[int, int]]:
    """Return where the text repeats a secret, in any spelling and case; when it was cut, also where it begins one there."""
    folded = _folded(text)
    for secret in secrets:
        if _CODE.fullmatch(secret):
            continue
        for spelling, goes_on in {
            (_folded(spelling[:_COMPARED]), len(secret) > _COMPARED or len(spelling) > _COMPARED)
            for spelling in map(_printable, _spellings(secret[:_COMPARED], text))
            if spelling
        }:
            begin = folded.find(spelling)
            while begin >= 0:
                end = len(text) if goes_on else begin + len(spelling)
                yield begin, end
                begin = folded.find(spelling, end)
            if not whole:
                yield from _begun(folded, spelling)


def _begun(folded: str, spelling: str) -> Iterator[tuple[int, int]]:
    """Return the end of the text that may be the beginning of a spelling, if there is one."""
    start = spelling[:_RECOGNISED]
    begin = folded.find(start, max(0, len(folded) - len(spelling) + 1))
    while begin >= 0:
        if spelling.startswith(folded[begin:]):
            yield begin, len(folded)
            return
        begin = folded.find(start, begin + 1)


def _spellings(secret: str, text: str) -> Iterator[str]:
    """Return the forms in which an answer or an error page may repeat `secret`, as far as the text has what marks them."""
    yield secret
    if "\\" in text:
        in_json = json.dumps(secret)[1:-1]
        yield from (json.dumps(secret, ensure_ascii=False)[1:-1], in_json, in_json.replace("/", "\\/"))
    if "&" in text:
        yield secret.translate(_HTML_ESCAPES)
    if "%" in text or "+" in text:
        yield from (quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace"))


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(character for character in text if character.isprintable())


def _folded(text: str) -> str:
    """Return the text without differences of case, each character in its place."""
    folded = text.casefold()
    if len(folded) == len(text):
        return folded
    return "".join(one if len(one := character.casefold()) == 1 else character for character in text)
