"""What a gateway, or who poses as one, may send beside what its makers document."""

import json
from collections.abc import Iterator
from dataclasses import replace

from simulation.gateways.sample import Sent

_VALUES: tuple[object, ...] = (
    None,
    True,
    17,
    -1.5,
    10**400,
    "",
    " ",
    "\ud800",
    "9" * 5_000,
    "2026-02-30T99:00Z",
    [],
    [{}],
    {},
    {"a": []},
    {"": None},
    [[]],
    "é\ud83d",
)
_HEADERS = ("", " ", "\0", "é", "\ud800", "\N{ARABIC-INDIC DIGIT ZERO}", "9" * 9_000, "1e999999999", "Bearer", "a.b.c")


def distorted(value: object) -> Iterator[object]:
    """Give a value of JSON with one of its parts at a time left out, or replaced by something of another type."""
    yield from _VALUES
    if isinstance(value, dict):
        for name, part in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: wrong} for wrong in distorted(part))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from ([*value[:place], wrong, *value[place + 1 :]] for wrong in distorted(part))


def json_variants(sent: Sent) -> Iterator[Sent]:
    """Give a request with its JSON distorted, and with a field of it given twice; then cut, and in other charsets."""
    for value in distorted(json.loads(sent.body)):
        yield replace(sent, body=json.dumps(value).encode())
    yield replace(sent, body=sent.body.replace(b"{", b'{"text":1,"text":[],', 1))
    yield replace(sent, body=sent.body[: len(sent.body) // 2])
    for charset in ("utf-16", "utf-8-sig", "cp037"):
        yield replace(sent, body=sent.body.decode().encode(charset))
    yield replace(sent, body=sent.body.replace(b"48213", b"\xd0\x9a\xff\xfe\xc3"))


def header_variants(sent: Sent, *names: str) -> Iterator[Sent]:
    """Give a signed request with each of some headers left out and of absurd values."""
    for name in names:
        yield replace(sent, headers={key: value for key, value in sent.headers.items() if key != name})
        for value in _HEADERS:
            yield replace(sent, headers={**sent.headers, name: value})
