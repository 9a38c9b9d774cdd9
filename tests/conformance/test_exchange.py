"""Requests, which are judged as they are and told without keys; and their pace."""

import ast
import gzip
import json
import shlex
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from urllib.parse import quote_plus, urlsplit

import pytest

from conformance import exchange
from conformance.exchange import Client, Exchange, Pace, parsed, unpacked
from conformance.hubs import HUBS
from conformance.masking import MASK, Masking
from conformance.push_server import SUCCESS, Push, PushServer
from conformance.trial import Run, Settings, Trial
from local.place import REPOSITORY
from tests.conformance.shop import KEY, Shop, trading


@contextmanager
def answering(answer: bytes, asked: list[bytes] | None = None, *, drips: float | None = None) -> Iterator[str]:
    """Answer each request with these bytes, whatever they are, and keep it; `drips`: then one more after each so many seconds."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            came = b""
            while b"\r\n\r\n" not in came:
                came += self.request.recv(65_536)
            head, _, body = came.partition(b"\r\n\r\n")
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
            )
            while len(body) < length:
                body += self.request.recv(65_536)
            if asked is not None:
                asked.append(head + b"\r\n\r\n" + body)
            self.request.sendall(answer)
            with suppress(OSError):
                while drips:
                    time.sleep(drips)
                    self.request.sendall(b"H")

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hub"
        finally:
            server.shutdown()
            thread.join()


def client(url: str, key: str = KEY) -> Client:
    return Client(url, key, Pace(1000), lambda _: None, 5.0)


def test_an_answer_is_judged_as_it_is_and_told_without_the_key() -> None:
    kept: list[Exchange] = []
    with trading(Shop(echoes=True)) as shop:
        asking = Client(shop.url, KEY, Pace(1000), kept.append)
        answer = asking.post(json.dumps({"key": KEY}).encode(), {"Authorization": f"Bearer {KEY}"})
    assert answer.field("you said") == {"key": KEY}
    assert answer.answer_headers["x-key"] == KEY
    shown = answer.shown
    assert json.loads(shown.answer)["you said"] == {"key": MASK}
    assert (shown.body, shown.headers) == (f'{{"key": "{MASK}"}}', {"Authorization": f"Bearer {MASK}"})
    assert shown.answer_headers["x-key"] == MASK
    assert kept == [answer]
    for told in (repr(asking), repr(answer), repr(shown)):
        assert "secret" not in told


def test_a_push_is_kept_unpacked_and_told_without_the_key() -> None:
    raw = gzip.compress(b'{"key":"abc"}')
    push = Push(0.0, "POST", "/push?abc", {"content-encoding": "gzip", "authorization": "Bearer abc"}, raw, SUCCESS)
    kept = push.exchange(Masking({"KEY": "abc"}))
    assert (kept.body, kept.url, kept.headers["authorization"]) == (b'{"key":"abc"}', "/push?abc", "Bearer abc")
    shown = kept.shown
    assert (shown.body, shown.url, shown.headers["authorization"]) == ('{"key":"<key>"}', "/push?<key>", "Bearer <key>")
    for told in (repr(push), repr(kept), repr(shown)):
        assert "abc" not in told


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: many", b""),
        ("Content-Length: -1", b""),
        (f"Content-Length: {'9' * 5000}", b""),
        ("Transfer-Encoding: chunked", b"zz\r\n"),
        ("Transfer-Encoding: chunked", b"-1\r\n"),
    ],
)
def test_what_is_no_push_is_refused_quietly(head: str, body: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with PushServer() as pushes:
        parts = urlsplit(pushes.url)
        with socket.create_connection((parts.hostname, parts.port), 5) as connection:
            connection.sendall(f"POST / HTTP/1.1\r\n{head}\r\n\r\n".encode() + body)
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("key", ["ключ", "schlüssel"])
def test_a_key_beyond_latin_1_goes_into_a_header_in_utf_8(key: str) -> None:
    asked: list[bytes] = []
    head = f"HTTP/1.1 200 OK\r\nX-Key: {key}\r\nX-Raw: ".encode() + b"\xff\r\nContent-Length: 0\r\n\r\n"
    with answering(head, asked) as url:
        answer = client(url, key).post(b"{}", {"Authorization": f"Bearer {key}"})
    assert f"Authorization: Bearer {key}\r\n".encode() in asked[0]
    assert (answer.answer_headers["x-key"], answer.answer_headers["x-raw"]) == (key, "ÿ")
    assert answer.shown.answer_headers["x-key"] == MASK


@pytest.mark.parametrize(
    ("below", "query", "target"),
    [
        ("", "", "/hub/?key=k"),
        ("/getNumber", "", "/hub/getNumber?key=k"),
        ("/getsms/", "id=1", "/hub/getsms/?key=k&id=1"),
    ],
)
def test_a_url_may_have_a_query_of_its_own(below: str, query: str, target: str) -> None:
    asked: list[bytes] = []
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", asked) as url:
        asking = client(f"{url}/?key=k#top")
        answer = asking.get(query, {}, below) if query else asking.post(b"", {}, below)
    assert asked[0].split()[1].decode() == target
    assert answer.url == url.removesuffix("/hub") + target


_DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"", b""),
        (b"nonsense", b""),
        (b"HTTP/1.1 \xb2\xb2\xb2 OK", b""),
        (b"HTTP/1.1 200 \xff\xfe", b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99", b"{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"zz\r\n{}"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"-5\r\n{}\r\n0\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"FFFFFFFFFFFFFFFFFFF\r\n{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1" + b"0" * 25, b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000", b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", gzip.compress(b"{}", mtime=0)[:-5]),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: \xff", b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary=\r\n: \r\nx", b"{}"),
        (b"HTTP/1.1 200 OK" + b"\r\na: b" * 200, b"{}"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000, b"{}"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d" % len(_DEEP), _DEEP),
    ],
)
def test_no_answer_is_an_exception(head: bytes, body: bytes) -> None:
    with answering(head + b"\r\n\r\n" + body) as url:
        answer = client(url).post(b"{}", {})
    assert (answer.status is None) == (answer.error is not None)
    assert answer.field("status") is None
    assert answer.shown.answer == answer.answer.decode("utf-8", "replace")


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\na: ", b""])
def test_an_answer_that_goes_on_and_on_is_none(head: bytes) -> None:
    with answering(head, drips=0.02) as url:
        answer = Client(url, KEY, Pace(1000), lambda _: None, 0.3).post(b"{}", {})
    assert (answer.status, answer.error) == (None, "TimeoutError")
    assert 0.2 < answer.seconds < 3


@pytest.mark.parametrize("length", [b"Content-Length: 100", b"Transfer-Encoding: chunked\r\n\r\n-1", b"a: b"])
def test_an_answer_that_is_very_large_is_none(length: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_LONGEST", 90)
    with answering(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + b" " * 100) as url:
        answer = client(url).post(b"{}", {})
    assert (answer.status, answer.error, answer.answer) == (None, "TooLong", b"")


def test_no_body_of_many_parts_takes_long() -> None:
    part = gzip.compress(b"a")
    assert unpacked(part * 100, "gzip") == b"a" * 100
    assert unpacked(part * 101, "gzip") is None
    began = time.process_time()
    assert unpacked(part * 100_000, "gzip") is None
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_what_is_very_large_is_not_unpacked(
    encoding: str, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_LONGEST", 90)
    assert unpacked(pack(b" " * 90), encoding) == b" " * 90
    assert unpacked(pack(b" " * 91), encoding) is None
    assert unpacked(pack(b" " * 90)[:-1], encoding) is None


@pytest.mark.parametrize(
    "body", [b"", b"{", _DEEP, b"9" * 5000, b"NaN", b'{"a":Infinity}', b'"\xff"', '{"a":1}'.encode("utf-16")]
)
def test_what_is_no_json_is_none(body: bytes) -> None:
    assert parsed(body) is None


def test_a_byte_order_mark_is_no_matter_in_answers() -> None:
    assert parsed(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


# ------------------------------------------------------------ the command that repeats a request

HOSTILE = "q'\"$(id)`\\/&?#+ %41é"


def pasted(exchange: Exchange, **variables: str) -> None:
    """Run what is to be pasted, in a shell that has the keys."""
    sets = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    ran = subprocess.run(
        ["bash", "-c", "\n".join([*sets, exchange.curl()])], capture_output=True, check=False, timeout=30
    )
    assert ran.returncode == 0, ran.stderr


def fields_of(request: bytes) -> tuple[bytes, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = dict(line.decode("latin-1").split(": ", 1) for line in lines)
    return first, {name.lower(): value for name, value in headers.items()}, body


@pytest.mark.parametrize("key", ["plain-key-1234", "5", HOSTILE, '"\\/-x', "ключ от двери"])
@pytest.mark.parametrize("way", ["post", "get", "header", "raw", "other key", "query"])
def test_the_command_sends_the_same_bytes(key: str, way: str) -> None:
    asked: list[bytes] = []
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", asked) as url:
        settings = Settings(
            f"{url}?token={quote_plus(HOSTILE)}" if way == "query" else url,
            key,
            other_key="the-other-key",
            per_second=1000,
        )
        trial = Trial(Run(HUBS["smshub"], settings))
        match way:
            case "get":
                trial.get("/getsms/", apiKey=key, id=5)
            case "header":
                trial.counts(headers={"Authorization": f"Bearer {key}"})
            case "raw":
                trial.ask(None, body=b"@it's\n\x01\xff\\ <key> \xc3\xa9")
            case "other key":
                trial.ask("X", key="the-other-key", text="it's\n5")
            case _:
                trial.ask("X", text="it's [a-z]{5} 'é'")
        (exchange,) = trial.exchanges
        command = exchange.curl()
        pasted(exchange, KEY=key, KEY2="the-other-key", URL_KEY=HOSTILE)
    first, again = map(fields_of, asked)
    assert again == first
    assert ('"$KEY2"' in command) == (way == "other key")
    assert len(key) < 8 or key not in command
    assert "the-other-key" not in command
    if key == "plain-key-1234" and way != "query":
        # Nothing has to be set but the key.
        assert command.startswith("curl ")


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
