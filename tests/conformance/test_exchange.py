"""Requests, their pace, and keys that are masked."""

import ast
import gzip
import sys
import time
from urllib.parse import quote, quote_plus

from conformance.exchange import MASK, Client, Exchange, Masking, Pace
from conformance.push_server import SUCCESS, Push
from local.place import REPOSITORY
from tests.conformance.shop import KEY, Shop, trading


def test_keys_are_masked_however_they_are_spelled() -> None:
    masking = Masking([KEY, "schlüssel"])
    for spelled in (KEY, quote(KEY), quote_plus(KEY), 'secret/\\"key\\"+%', "schlüssel", "schl\\u00fcssel"):
        assert masking.text(f"<{spelled}>") == f"<{MASK}>"
        assert masking.raw(f"<{spelled}>".encode()) == f"<{MASK}>".encode()


def test_a_key_that_begins_like_another_is_masked_whole() -> None:
    assert Masking(["abc", "abcdef", ""]).text("abcdef abc") == f"{MASK} {MASK}"


def test_an_answer_in_gzip_is_unpacked_before_it_is_masked() -> None:
    kept: list[Exchange] = []
    with trading(Shop(echoes=True)) as shop:
        client = Client(shop.url, KEY, Pace(1000), kept.append)
        client.post(b'{"action":"GET_SERVICES","key":"other"}', {"Authorization": f"Bearer {KEY}"})
        answer = client.post(b'{"key":"secret/\\"key\\"+%"}', {})
    assert answer.field("you said") == {"key": MASK}
    assert answer.answer_headers["x-key"] == MASK
    assert answer.body == b'{"key":"<key>"}'
    assert kept[0].headers == {"Authorization": f"Bearer {MASK}"}
    assert KEY not in repr(client)


def test_a_push_in_gzip_is_unpacked_before_it_is_masked() -> None:
    raw = gzip.compress(b'{"key":"abc"}')
    push = Push(0.0, "POST", "/push?abc", {"content-encoding": "gzip", "authorization": "Bearer abc"}, raw, SUCCESS)
    kept = push.exchange(Masking(["abc"]))
    assert (kept.body, kept.url, kept.headers["authorization"]) == (b'{"key":"<key>"}', "/push?<key>", "Bearer <key>")
    assert "abc" not in repr(kept)


def test_no_more_requests_begin_in_a_second_than_is_polite() -> None:
    pace, began = Pace(50.0), time.monotonic()
    for _ in range(6):
        pace.wait()
    assert time.monotonic() - began >= 0.1
    # Thirty at once are paid for beforehand.
    pace.wait(10)
    assert time.monotonic() - began >= 0.3


def test_it_needs_the_standard_library_alone() -> None:
    names: set[str] = set()
    for path in (REPOSITORY / "conformance").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module))
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"conformance"}
