"""Contract 3: what one push attempt sends, what counts as delivered, and that no far side can do us harm.

What else a far side may do, with what it costs us: tests/faults/test_attempt_harm.py.
"""

import asyncio
import functools
import gzip
import html
import json
import logging
import socket
import ssl
import zlib
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiohttp.abc import ResolveResult

from globalconnect.domain.push_attempt import AttemptOutcome, AttemptResult
from globalconnect.hub_protocol.catalogue import DEFAULT
from globalconnect.hub_protocol.dialect import BEARER, HTTP_200, Dialect
from globalconnect.push.answer import KEPT_ANSWER_CHARACTERS, MAX_ANSWER_BYTES
from globalconnect.push.attempt import PushClient
from globalconnect.push.turns import MAX_HEAD_BYTES
from simulation.attempts.situations import full
from simulation.partner_server import (
    PATIENCE,
    SUCCESS,
    Authority,
    FixedResolver,
    Handler,
    Partner,
    Request,
    closed,
    endless,
    http,
    new_authority,
    partner,
    raw,
    reset,
    reset_within,
    scripted,
    silent,
    stalled,
)

KEY = "gc_4fE9zT0qLx"
TEXT = 'Ваш код: 482913 "не сообщайте" <никому> a/b'
BODY: dict[str, object] = {
    "key": KEY,
    "action": "PUSH_SMS",
    "smsId": "123456789",
    "phone": "79001234567",
    "phoneFrom": "Bank",
    "text": TEXT,
    "call": 0,
    "voice": 0,
}
SECRETS = (KEY, TEXT)
SHORT = 0.3
TAKEN = raw(http("200 OK", SUCCESS))
AT_HOME = FixedResolver("127.0.0.1")

client = functools.partial(PushClient, version="1.2.3", loopback=True, connect_timeout=SHORT, attempt_timeout=PATIENCE)


def attempt(url: str, body: dict[str, object] = BODY, **settings: Any) -> AttemptResult:
    """Make one attempt at a URL, by a client with settings of its own."""

    async def scenario() -> AttemptResult:
        async with client(**settings) as pushes:
            return await pushes.attempt(url, body, SECRETS)

    return asyncio.run(scenario())


def push_often(
    handler: Handler,
    times: int,
    *,
    to: str = "http://127.0.0.1:{port}/push",
    body: dict[str, object] = BODY,
    secrets: tuple[str, ...] = SECRETS,
    dialect: Dialect = DEFAULT,
    server: ssl.SSLContext | None = None,
    **settings: Any,
) -> tuple[list[AttemptResult], Partner]:
    """Make attempts by one client at a partner that behaves as `handler` does; wait until its connection has ended."""

    async def scenario() -> tuple[list[AttemptResult], Partner]:
        async with partner(handler, tls=server) as far:
            async with client(**settings) as pushes:
                url = to.format(port=far.port)
                results = [await pushes.attempt(url, body, secrets, None, dialect) for _ in range(times)]
            if far.accepts:
                await far.ended.get()
            return results, far

    return asyncio.run(scenario())


def push_to(handler: Handler, **how: Any) -> tuple[AttemptResult, Partner]:
    """Make one attempt, as push_often does."""
    (result,), far = push_often(handler, 1, **how)
    return result, far


# --- What is the dialect's

STOPS = Dialect(push_stop_words=frozenset({"NO_OPERATION", "NO_OP"}))
STOPS_AND_ANY_200 = replace(STOPS, push_done=HTTP_200)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http("200 OK", b""), AttemptOutcome.DELIVERED),
        (http("200 OK", b'{"status":"ERROR"}'), AttemptOutcome.DELIVERED),
        (http("200 OK", b"<html>"), AttemptOutcome.DELIVERED),
        (http("200 OK", b" " * (MAX_ANSWER_BYTES + 1)), AttemptOutcome.DELIVERED),
        (http("201 Created", SUCCESS), AttemptOutcome.HTTP_STATUS),
        (http("500 Oops", SUCCESS), AttemptOutcome.HTTP_STATUS),
        (http("302 Found", b"", "Location: /other"), AttemptOutcome.HTTP_STATUS),
    ],
)
def test_where_200_takes_a_push_it_does_whatever_the_body_and_nothing_else_does(
    answer: bytes, outcome: AttemptOutcome
) -> None:
    result, _ = push_to(raw(answer), dialect=Dialect(push_done=HTTP_200))
    assert (result.outcome, result.delivered) == (outcome, outcome is AttemptOutcome.DELIVERED)


@pytest.mark.parametrize("dialect", [STOPS, STOPS_AND_ANY_200], ids=["body", "http200"])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "500 Oops"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"NO_OP"}',
        b'{"status":"ERROR","error":"NO_OPERATION"}',
        b'{"status":"SUCCESS","x":[1],"why":"NO_OP"} and more',
        b'\xef\xbb\xbf {"n":1,"status":"NO_OP"}',
    ],
)
def test_a_stop_word_at_the_top_of_an_answer_ends_the_push_whatever_its_code(
    dialect: Dialect, status: str, body: bytes
) -> None:
    for answer in (http(status, body), http(status, gzip.compress(body), "Content-Encoding: gzip")):
        result, _ = push_to(raw(answer), dialect=dialect)
        assert (result.delivered, result.outcome) == (False, AttemptOutcome.STOP_WORD)


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"NO_OPERATIONS"}',
        b'{"status":"no_op"}',
        b'{"status":"IGNORED"}',
        b'{"NO_OP":1}',
        b'{"data":{"status":"NO_OP"}}',
        b'{"status":["NO_OP"]}',
        b'{"status":"NO_OP"',
        b"NO_OP",
    ],
)
def test_what_is_no_stop_word_at_the_top_of_an_answer_is_a_failed_attempt(body: bytes) -> None:
    result, _ = push_to(raw(http("500 Oops", body)), dialect=STOPS_AND_ANY_200)
    assert result.outcome is AttemptOutcome.HTTP_STATUS
    # Nor is the word of another dialect.
    result, _ = push_to(raw(http("200 OK", b'{"status":"NO_OP"}')))
    assert result.outcome is AttemptOutcome.REFUSED_ANSWER


def test_the_headers_of_a_push_are_the_dialects() -> None:
    _, far = push_to(TAKEN, dialect=Dialect(push_authorization=BEARER, push_accept_encoding="gzip"))
    (request,) = far.requests
    expected = {"Authorization": f"Bearer {KEY}", "Accept-Encoding": "gzip", "User-Agent": "GlobalConnect/1.2.3"}
    assert {name: request.header(name) for name in expected} == expected
    assert request.header("Content-Encoding") is None


def test_a_key_in_authorization_that_the_answer_repeats_is_masked() -> None:
    answer = raw(http("500 Oops", f"no such token: Bearer {KEY}".encode()))
    result, _ = push_to(answer, dialect=Dialect(push_authorization=BEARER))
    assert result.answer == "no such token: Bearer ***"


def test_a_push_is_packed_where_the_dialect_says_so() -> None:
    _, far = push_to(TAKEN, dialect=Dialect(push_gzip=True))
    (request,) = far.requests
    assert request.header("Content-Encoding") == "gzip"
    assert json.loads(gzip.decompress(request.body)) == BODY


# --- What is sent


def test_push_is_the_post_the_contract_describes() -> None:
    result, far = push_to(TAKEN)
    (request,) = far.requests
    assert request.head.split("\r\n")[0] == "POST /push HTTP/1.1"
    expected = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "GlobalConnect/1.2.3",
        "Accept-Encoding": "identity",
        "Transfer-Encoding": None,
    }
    assert {name: request.header(name) for name in expected} == expected
    # Compact, and no character escaped that need not be.
    assert request.body == json.dumps(BODY, ensure_ascii=False, separators=(",", ":")).encode()
    assert (result.delivered, result.outcome, result.http_status) == (True, AttemptOutcome.DELIVERED, 200)


def test_text_with_a_lone_surrogate_is_pushed_with_a_replacement() -> None:
    result, far = push_to(TAKEN, body={"text": "a\ud800b"}, secrets=("a\ud800b",))
    assert result.delivered
    assert far.requests[0].body == b'{"text":"a?b"}'


def test_path_and_query_go_out_as_they_are_stored() -> None:
    _, far = push_to(TAKEN, to="http://127.0.0.1:{port}/a%2Fb/../c?d[]=%7E+%20&e=%D1%8F")
    assert far.requests[0].head.split("\r\n")[0] == "POST /a%2Fb/../c?d[]=%7E+%20&e=%D1%8F HTTP/1.1"


def test_cookies_are_neither_kept_nor_sent() -> None:
    setting = raw(http("200 OK", SUCCESS, "Set-Cookie: session=1; Path=/"))
    # By name: a cookie jar would keep none for an address anyway.
    _, far = push_often(setting, 2, to="http://partner.example:{port}/", resolver=AT_HOME)
    assert [request.header("Cookie") for request in far.requests] == [None, None]


def test_proxy_settings_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    result, _ = push_to(TAKEN)
    assert result.delivered


@pytest.mark.parametrize(("value", "mistake"), [(b"bytes", TypeError), (float("nan"), ValueError)])
def test_body_that_is_no_json_is_our_mistake_and_raises(value: object, mistake: type[Exception]) -> None:
    with pytest.raises(mistake, match="JSON"):
        attempt("http://127.0.0.1:9/", {"text": value})


def test_attempt_on_a_closed_client_raises() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        asyncio.run(client().attempt("http://127.0.0.1:9/", BODY, SECRETS))


# --- What counts as delivered


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http("200 OK", SUCCESS), id="200"),
        pytest.param(http("200 OK", SUCCESS, "Content-Type: text/html"), id="any-content-type"),
        pytest.param(http("201 Created", SUCCESS), id="201"),
        pytest.param(http("202 Accepted", b' \r\n{"status": "SUCCESS", "id": 7}\n'), id="more-fields-and-blanks"),
        pytest.param(http("200 OK", b"\xef\xbb\xbf" + SUCCESS), id="byte-order-mark"),
        pytest.param(http("200 OK", b'{"status":"\\u0053UCCESS"}'), id="escaped-letters"),
        pytest.param(http("200 OK", b'{"n":' + b"9" * 5000 + b',"status":"SUCCESS"}'), id="huge-number-beside-it"),
        pytest.param(http("200 OK", SUCCESS.ljust(MAX_ANSWER_BYTES)), id="largest-answer"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + SUCCESS + b"\r\n0\r\n\r\n", id="chunked"
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + http("200 OK", SUCCESS), id="interim-answer-first"),
        pytest.param(
            b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20 + http("200 OK", SUCCESS), id="many-interim-answers-first"
        ),
        pytest.param(http("200 OK", SUCCESS, "Content-Encoding: gzip"), id="plain-in-spite-of-its-header"),
        pytest.param(http("200 OK", SUCCESS, "Content-Encoding: deflate"), id="plain-and-no-deflate-either"),
        pytest.param(http("200 OK", gzip.compress(SUCCESS), "Content-Encoding: gzip"), id="gzip"),
        pytest.param(http("200 OK", gzip.compress(SUCCESS), "Content-Encoding: X-GZIP"), id="x-gzip"),
        pytest.param(http("200 OK", zlib.compress(SUCCESS), "Content-Encoding: deflate"), id="deflate"),
        pytest.param(http("200 OK", zlib.compress(SUCCESS)[2:-4], "Content-Encoding: deflate"), id="bare-deflate"),
        pytest.param(
            http("200 OK", gzip.compress(zlib.compress(SUCCESS)), "Content-Encoding: deflate, gzip"), id="packed-twice"
        ),
        pytest.param(
            http("200 OK", gzip.compress(SUCCESS.ljust(MAX_ANSWER_BYTES)), "Content-Encoding: gzip"),
            id="largest-answer-gzipped",
        ),
        pytest.param(
            http("200 OK", gzip.compress(SUCCESS + b" " * 20_000_000), "Content-Encoding: gzip"),
            id="gzip-bomb-after-it",
        ),
        pytest.param(http("200 OK", gzip.compress(SUCCESS)[:-9], "Content-Encoding: gzip"), id="gzip-without-its-end"),
        pytest.param(http("200 OK", gzip.compress(SUCCESS) + b"junk", "Content-Encoding: gzip"), id="junk-after-gzip"),
        pytest.param(http("200 OK", SUCCESS + SUCCESS), id="two-objects"),
        pytest.param(http("200 OK", SUCCESS + b"<!-- \xff -->"), id="junk-after-it"),
        pytest.param(http("200 OK", SUCCESS + b"[" * 60_000), id="depth-after-it"),
        pytest.param(http("200 OK", SUCCESS.ljust(MAX_ANSWER_BYTES + 1)), id="too-large-after-it"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + SUCCESS + b"<!-- -->", id="more-than-its-length"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + SUCCESS + b"\r\nzz\r\n",
            id="malformed-chunk-after-it",
        ),
        pytest.param(http("200 OK", SUCCESS, "X: " + "y" * 60_000), id="large-header"),
        pytest.param(http("200 OK", SUCCESS, *(f"X-{number}: y" for number in range(5_000))), id="5,000-headers"),
        pytest.param(http("200 " + "OK" * 30_000, SUCCESS), id="large-reason"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + SUCCESS, id="ends-with-the-connection"),
    ],
)
def test_2xx_with_status_success_is_delivered(answer: bytes) -> None:
    result, _ = push_to(raw(answer, close=answer.startswith(b"HTTP/1.0")))
    assert (result.delivered, result.outcome) == (True, AttemptOutcome.DELIVERED)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html><body>OK</body></html>", id="html"),
        pytest.param(b'{"status":"success"}', id="lower-case"),
        pytest.param(b'{"status":"FAIL"}', id="fail"),
        pytest.param(b'{"status":"ERROR","message":"SUCCESS"}', id="error"),
        pytest.param(b"", id="empty"),
        pytest.param(b"SUCCESS", id="bare-word"),
        pytest.param(b'"SUCCESS"', id="string"),
        pytest.param(b'["status","SUCCESS"]', id="array"),
        pytest.param(b"[" + SUCCESS + b"]", id="object-in-an-array"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="no-status"),
        pytest.param(b'{"Status":"SUCCESS"}', id="other-field"),
        pytest.param(b'{"status":" SUCCESS "}', id="blanks-in-it"),
        pytest.param(b'{"status":["SUCCESS"]}', id="list-as-status"),
        pytest.param(b'{"status":true}', id="true"),
        pytest.param(b'{"status":1}', id="number"),
        pytest.param(b'{"data":{"status":"SUCCESS"}}', id="one-level-down"),
        pytest.param(b'{"status":"FAIL"}' + SUCCESS, id="success-in-a-second-object"),
        pytest.param(b"OK " + SUCCESS, id="junk-before-it"),
        pytest.param(SUCCESS[:-1], id="cut-short"),
        pytest.param(b"{'status':'SUCCESS'}", id="single-quotes"),
        pytest.param(b'{"status":"SUCCESS","x":NaN}', id="nan"),
        pytest.param(b'{"status":"SUCCESS","x":-Infinity}', id="infinity"),
        pytest.param(b'{"status":"SUCCESS","x":"\xff"}', id="not-utf8"),
        pytest.param('{"status":"SUCCESS"}'.encode("utf-16"), id="utf-16"),
        pytest.param(b"\xef\xbb\xbf" * 2 + SUCCESS, id="two-byte-order-marks"),
        pytest.param(b"[" * 60_000, id="deep-arrays"),
        pytest.param(b'{"status":' * 6_000, id="deep-objects"),
        pytest.param(b'{"status":"SUCCESS","x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", id="deep-beside-success"),
        pytest.param(gzip.compress(SUCCESS), id="gzip-that-is-not-said"),
    ],
)
def test_2xx_with_any_other_body_is_a_failed_attempt(body: bytes) -> None:
    result, _ = push_to(raw(http("200 OK", body)))
    assert (result.delivered, result.outcome, result.http_status) == (False, AttemptOutcome.REFUSED_ANSWER, 200)


@pytest.mark.parametrize("status", [204, 205])
def test_2xx_without_a_body_is_a_failed_attempt(status: int) -> None:
    result, _ = push_to(raw(http(f"{status} Nothing", b"")))
    assert (result.delivered, result.outcome, result.http_status) == (False, AttemptOutcome.REFUSED_ANSWER, status)


@pytest.mark.parametrize("status", [101, 300, 400, 401, 404, 410, 429, 500, 502, 503, 599, 600, 999])
def test_other_status_is_a_failed_attempt_even_with_success(status: int) -> None:
    result, _ = push_to(raw(http(f"{status} Whatever", SUCCESS), close=status == 101))
    assert (result.delivered, result.outcome, result.http_status) == (False, AttemptOutcome.HTTP_STATUS, status)


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data/", "/other"], ids=["metadata", "itself"])
def test_redirect_is_a_failed_attempt_and_not_followed(status: int, to: str) -> None:
    result, far = push_to(raw(http(f"{status} Moved", b"", f"Location: {to}")))
    assert (result.outcome, result.http_status, len(far.requests)) == (AttemptOutcome.HTTP_STATUS, status, 1)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(stalled(b"HTTP/1.1 200 OK\r\n\r\n" + SUCCESS), id="never-ends"),
        pytest.param(stalled(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + SUCCESS), id="promises-more"),
        pytest.param(
            stalled(
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n" + gzip.compress(SUCCESS)[:-8]
            ),
            id="gzip-without-its-end",
        ),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n\r\n" + SUCCESS, b" ", 0.02), id="goes-on-slowly"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n\r\n" + SUCCESS, b"<p>sorry</p>" * 1000), id="goes-on-for-ever"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + SUCCESS, close=True), id="shorter-than-said"
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n" + SUCCESS, close=True),
            id="last-chunk-missing",
        ),
        pytest.param(reset_within(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + SUCCESS), id="reset-in-the-body"),
    ],
)
def test_success_that_arrived_whole_is_delivered_however_the_answer_ends(handler: Handler) -> None:
    result, far = push_to(handler, attempt_timeout=SHORT)
    assert (result.delivered, result.outcome, result.http_status) == (True, AttemptOutcome.DELIVERED, 200)
    assert len(far.requests) == 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_success_that_arrived_whole_is_none_with_another_status(status: int) -> None:
    start = f"HTTP/1.1 {status} Whatever\r\nContent-Length: 99\r\n\r\n".encode()
    result, _ = push_to(stalled(start + SUCCESS), attempt_timeout=SHORT)
    assert (result.outcome, result.http_status) == (AttemptOutcome.TIMEOUT, status)


# --- A far side that never ends


@pytest.mark.parametrize(
    ("handler", "status"),
    [
        pytest.param(silent, None, id="no-answer"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n", b"X: y", 0.02), None, id="slow-headers"),
        pytest.param(stalled(b"H"), None, id="half-a-status-line"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n\r\n", b" ", 0.02), 200, id="slow-body"),
        pytest.param(stalled(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"), 200, id="promised-body"),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n", 0.02),
            200,
            id="slow-chunks",
        ),
        pytest.param(endless(b"HTTP/1.1 500 Oops\r\n\r\n", b" ", 0.02), 500, id="slow-error-page"),
        pytest.param(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), None, id="interim-answers"),
        pytest.param(endless(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100), None, id="flood-of-interim-answers"),
    ],
)
def test_attempt_ends_within_its_time_out_and_hangs_up(handler: Handler, status: int | None) -> None:
    # push_to returns only after the server has seen its connection end.
    result, far = push_to(handler, attempt_timeout=SHORT)
    assert (result.delivered, result.outcome, result.http_status) == (False, AttemptOutcome.TIMEOUT, status)
    assert SHORT * 1000 - 20 <= result.duration_ms < PATIENCE * 1000 / 2
    assert far.accepts == 1


def test_connection_that_is_not_accepted_ends_at_the_connect_time_out() -> None:
    with full() as port:
        result = attempt(f"http://127.0.0.1:{port}/")
    assert (result.outcome, result.http_status) == (AttemptOutcome.TIMEOUT, None)
    assert result.duration_ms < PATIENCE * 1000 / 2


def test_tls_handshake_that_is_never_answered_ends_at_the_connect_time_out() -> None:
    # The server waits for the end of a head in plain HTTP.
    result, _ = push_to(silent, to="https://127.0.0.1:{port}/")
    assert result.outcome is AttemptOutcome.TIMEOUT
    assert result.duration_ms < PATIENCE * 1000 / 2


@pytest.mark.parametrize(
    ("start", "more"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65_536, id="endless-body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"8000\r\n" + b" " * 0x8000 + b"\r\n", id="chunks"
        ),
        pytest.param(b"HTTP/1.1 500 Oops\r\n\r\n", b"<p>sorry</p>" * 1000, id="endless-error-page"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"{" * 65_536, id="huge-promise"),
    ],
)
def test_answer_above_64_kib_is_cut_and_failed(start: bytes, more: bytes) -> None:
    result, _ = push_to(endless(start, more))
    assert (result.delivered, result.outcome) == (False, AttemptOutcome.ANSWER_TOO_LARGE)
    assert result.http_status in {200, 500}
    assert result.answer.startswith(more[:5].decode()) or more.startswith(b"8000")


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        pytest.param(b'{"x":"' + b" " * MAX_ANSWER_BYTES + b'","status":"SUCCESS"}', "identity", id="plain"),
        pytest.param(gzip.compress(b'{"x":"' + b" " * MAX_ANSWER_BYTES + b'","status":"SUCCESS"}'), "gzip", id="gzip"),
        # What it takes of memory: tests/faults/test_attempt_harm.py.
        pytest.param(gzip.compress(b" " * 20_000_000 + SUCCESS), "gzip", id="gzip-bomb"),
    ],
)
def test_success_that_is_whole_only_above_64_kib_is_too_large(body: bytes, coding: str) -> None:
    result, _ = push_to(raw(http("200 OK", body, f"Content-Encoding: {coding}")))
    assert (result.delivered, result.outcome) == (False, AttemptOutcome.ANSWER_TOO_LARGE)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65_536), id="endless-header-line"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000), id="endless-headers"),
        pytest.param(endless(b"HTTP/1.1 200 ", b"OK" * 1000), id="endless-reason"),
        pytest.param(endless(b"", b"\x00\xff" * 1000), id="endless-junk"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.6\r\n"), id="other-protocol"),
        pytest.param(raw(b"HTTP/1.1 abc OK\r\n\r\n"), id="status-is-no-number"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), id="negative-length"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), id="length-is-no-number"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), id="chunk-size-is-no-number"
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + SUCCESS[:-1], close=True), id="shorter-than-said"
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n13\r\n" + SUCCESS[:-1], close=True),
            id="last-chunk-missing",
        ),
        pytest.param(raw(b"", close=True), id="closed-without-an-answer"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-", close=True), id="closed-within-the-headers"),
        pytest.param(closed, id="closed-at-once"),
        pytest.param(reset, id="connection-reset"),
        pytest.param(reset_within(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), id="reset-in-the-body"),
        pytest.param(
            raw(http("200 OK", SUCCESS, *["X: " + "y" * 8_000] * (MAX_HEAD_BYTES // 8_000 + 1))), id="head-above-64-kib"
        ),
    ],
)
def test_what_is_no_whole_http_answer_is_a_failed_connection(handler: Handler) -> None:
    result, far = push_to(handler)
    assert (result.delivered, result.outcome) == (False, AttemptOutcome.CONNECTION)
    assert len(far.requests) == 1


def test_cancelling_an_attempt_propagates_and_hangs_up() -> None:
    async def scenario() -> None:
        async with partner(silent) as far, client() as pushes:
            under_way = asyncio.create_task(pushes.attempt(far.url, BODY, SECRETS))
            await far.asked.wait()
            under_way.cancel()
            with pytest.raises(asyncio.CancelledError):
                await under_way
            await far.ended.get()

    asyncio.run(scenario())


def test_name_without_an_address_is_a_failed_connection() -> None:
    assert attempt("http://partner.example:8080/", resolver=FixedResolver()).outcome is AttemptOutcome.CONNECTION


class BrokenResolver(FixedResolver):
    """Fails as the system's does on a name it can't even encode: not with an OSError."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        raise UnicodeError(f"{host} {port} {family} {KEY}")


def test_failure_nobody_expected_costs_the_attempt_only_and_logs_its_type_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = attempt("http://partner.example:8080/?token=s3cr3t", resolver=BrokenResolver())
    assert result.outcome is AttemptOutcome.CONNECTION
    assert caplog.messages == ["push attempt ended by an unexpected UnicodeError"]
    assert KEY not in caplog.text


@pytest.mark.parametrize("host", ["partner.example", "xn--e1afmkfd.xn--p1ai", "xn--999999999.example", "a_b.example"])
def test_any_name_that_may_be_stored_can_be_pushed_to(host: str) -> None:
    result, far = push_to(TAKEN, to=f"http://{host}:{{port}}/", resolver=AT_HOME)
    assert result.delivered
    assert far.requests[0].header("Host") == f"{host}:{far.port}"


def test_duration_is_measured_with_the_given_clock() -> None:
    result, _ = push_to(TAKEN, clock=iter([100.0, 100.25]).__next__)
    assert result.duration_ms == 250


# --- Keep-alive


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        pytest.param(http("200 OK", SUCCESS), 1, id="taken"),
        pytest.param(http("200 OK", SUCCESS.ljust(MAX_ANSWER_BYTES)), 1, id="read-piece-by-piece"),
        pytest.param(http("500 Oops", b"try later"), 1, id="refused"),
        pytest.param(http("200 OK", SUCCESS) + b"x" * 50_000, 3, id="something-came-after-it"),
    ],
)
def test_connection_is_reused_unless_something_came_after_the_answer(answer: bytes, connections: int) -> None:
    results, far = push_often(raw(answer), 3)
    assert [result.delivered for result in results] == [answer.startswith(b"HTTP/1.1 200")] * 3
    assert (far.accepts, len(far.requests)) == (connections, 3)


def test_push_is_not_sent_twice_when_a_kept_connection_breaks_under_it() -> None:
    results, far = push_often(scripted(TAKEN, then=raw(b"", close=True)), 2)
    assert [result.outcome for result in results] == [AttemptOutcome.DELIVERED, AttemptOutcome.CONNECTION]
    assert (len(far.requests), far.accepts) == (2, 1)


def test_connection_closed_while_the_process_was_frozen_is_not_used() -> None:
    connections: list[socket.socket] = []

    async def keep(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer.get_extra_info("socket"))
        await TAKEN(request, reader, writer)

    async def scenario() -> tuple[list[bool], int]:
        async with partner(keep) as far, client() as pushes:
            first = await pushes.attempt(far.url, BODY, SECRETS)
            # Before the event loop has another turn, as while Lambda freezes it.
            connections[0].shutdown(socket.SHUT_RDWR)
            second = await pushes.attempt(far.url, BODY, SECRETS)
            return [first.delivered, second.delivered], far.accepts

    assert asyncio.run(scenario()) == ([True, True], 2)


# --- Never inside


def test_name_that_leads_inside_is_not_connected() -> None:
    inside = FixedResolver("127.0.0.1", "10.0.0.1")
    result, far = push_to(TAKEN, to="http://partner.example:{port}/", loopback=False, resolver=inside)
    assert (result.delivered, result.outcome) == (False, AttemptOutcome.FORBIDDEN_ADDRESS)
    assert far.accepts == 0


def test_every_waiting_attempt_learns_that_the_name_leads_inside() -> None:
    async def scenario() -> set[AttemptOutcome]:
        async with client(loopback=False, resolver=FixedResolver("169.254.169.254")) as pushes:
            attempts = [pushes.attempt("http://partner.example:8080/", BODY, SECRETS) for _ in range(20)]
            return {result.outcome for result in await asyncio.gather(*attempts)}

    assert asyncio.run(scenario()) == {AttemptOutcome.FORBIDDEN_ADDRESS}


# --- What is kept of an answer

_BEFORE_THE_CUT = "x" * (KEPT_ANSWER_CHARACTERS - 2)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        pytest.param(("ж" * 1000).encode(), "ж" * KEPT_ANSWER_CHARACTERS, id="first-200-characters"),
        pytest.param("a\r\nb\x00\x1b[31mc\u202ed\u2028e\x85f".encode(), "ab[31mcdef", id="no-control-characters"),
        pytest.param(b"\xff\xfeabc", "\ufffd\ufffdabc", id="not-utf8"),
        pytest.param((_BEFORE_THE_CUT + KEY).encode(), _BEFORE_THE_CUT + "**", id="secret-across-the-cut"),
        pytest.param(b"Cannot POST /push?token=s3cr3t", "Cannot POST /push?***", id="query-of-the-url"),
    ],
)
def test_what_is_kept_of_an_answer_is_short_printable_and_without_secrets(body: bytes, kept: str) -> None:
    result, _ = push_to(raw(http("500 Oops", body)), to="http://127.0.0.1:{port}/push?token=s3cr3t")
    assert result.answer == kept


@pytest.mark.parametrize(
    "echo",
    [
        pytest.param(KEY, id="key"),
        pytest.param(KEY.upper(), id="key-in-capitals"),
        pytest.param(TEXT, id="text"),
        pytest.param(json.dumps(TEXT)[1:-1], id="text-in-ascii-json"),
        pytest.param(json.dumps(TEXT)[1:-1].replace("/", "\\/"), id="text-in-php-json"),
        pytest.param(json.dumps(TEXT, ensure_ascii=False)[1:-1], id="text-in-json"),
        pytest.param(
            "%D0%92%D0%B0%D1%88%20%D0%BA%D0%BE%D0%B4%3A%20482913%20%22%D0%BD%D0%B5%20"
            "%D1%81%D0%BE%D0%BE%D0%B1%D1%89%D0%B0%D0%B9%D1%82%D0%B5%22%20%3C%D0%BD%D0%B8%D0%BA"
            "%D0%BE%D0%BC%D1%83%3E%20a%2Fb",
            id="text-percent-encoded",
        ),
        pytest.param(TEXT.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;"), id="text-in-html"),
        pytest.param(TEXT.replace(" ", " \u200b"), id="text-with-invisible-characters"),
    ],
)
def test_secrets_in_the_answer_are_replaced(echo: str) -> None:
    result, _ = push_to(raw(http("500 Oops", f"bad request: {echo} - sorry".encode())))
    assert result.answer == "bad request: *** - sorry"


@pytest.mark.parametrize("secret", ["482913", "\u200b\u200b", "a&b", "a b", "\u0416\u0416"])
def test_short_secret_is_replaced_in_an_answer_of_nothing_else(secret: str) -> None:
    for spelled in (secret, json.dumps(secret)[1:-1], quote(secret), quote_plus(secret), html.escape(secret)):
        result, _ = push_to(raw(http("200 OK", spelled.encode())), secrets=(secret,))
        assert result.answer in {"***", ""}


@pytest.mark.parametrize(
    "handler", [reset, raw(b"junk\r\n\r\n"), TAKEN, endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 9999)]
)
def test_nothing_about_an_attempt_reaches_the_log(
    handler: Handler, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    push_to(handler, to="http://127.0.0.1:{port}/push?token=s3cr3t")
    for secret in (KEY, "482913", "s3cr3t"):
        assert secret not in caplog.text


# --- TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("tls"))


def push_over_tls(
    authority: Authority, server: ssl.SSLContext, handler: Handler = TAKEN, host: str = "partner.example"
) -> tuple[AttemptResult, Partner]:
    trusting = {"connect_timeout": PATIENCE, "resolver": AT_HOME, "tls": authority.trusted()}
    return push_to(handler, to=f"https://{host}:{{port}}/push", server=server, **trusting)


@pytest.mark.parametrize("host", ["partner.example", "127.0.0.1"])
def test_good_certificate_is_accepted(authority: Authority, host: str) -> None:
    result, _ = push_over_tls(authority, authority.server(host), host=host)
    assert result.outcome is AttemptOutcome.DELIVERED


@pytest.mark.parametrize("close", [False, True])
def test_long_answer_over_tls_is_read_to_its_end(authority: Authority, close: bool) -> None:
    end = b'{"x":"' + b"x" * (MAX_ANSWER_BYTES - 50) + b'","status":"SUCCESS"}'
    handler = raw(http("200 OK", end, *(f"X-{number}: y" for number in range(2_000))), close=close)
    result, _ = push_over_tls(authority, authority.server("partner.example"), handler)
    assert result.outcome is AttemptOutcome.DELIVERED


@pytest.mark.parametrize(
    ("name", "expired", "self_signed"),
    [
        pytest.param("partner.example", False, True, id="self-signed"),
        pytest.param("partner.example", True, False, id="expired"),
        pytest.param("other.example", False, False, id="wrong-name"),
        pytest.param("127.0.0.1", False, False, id="address-instead-of-the-name"),
    ],
)
def test_bad_certificate_is_a_failed_attempt_before_anything_is_sent(
    authority: Authority, name: str, expired: bool, self_signed: bool
) -> None:
    result, far = push_over_tls(authority, authority.server(name, expired=expired, self_signed=self_signed))
    assert (result.delivered, result.outcome, result.http_status) == (False, AttemptOutcome.TLS, None)
    assert far.requests == []


@pytest.mark.parametrize("verified", [ssl.CERT_NONE, ssl.CERT_REQUIRED], ids=["nothing", "no-name"])
def test_tls_settings_that_do_not_check_certificate_and_name_are_refused(verified: ssl.VerifyMode) -> None:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = verified
    with pytest.raises(ValueError, match="certificate"):
        attempt("https://127.0.0.1:9/", tls=unchecked)
