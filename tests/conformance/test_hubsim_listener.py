"""Simulated hubs take pushes however they are sent, and note whose they are."""

import asyncio
import gzip
import json
import time
from collections.abc import Sequence
from dataclasses import replace

from conformance.hubs import HUBS
from conformance.hubsim.behaviour import CUT, TAKEN, Answer, misbehaviours
from conformance.hubsim.events import Event, Pushed, Reply, Stray
from conformance.hubsim.listener import Addressee, Listener

HUB = HUBS["smshub"]
BODY = json.dumps(
    {"action": "PUSH_SMS", "key": "key-ann", "smsId": 7, "phone": 4474, "phoneFrom": "Shop", "text": "code"}
).encode()
SILENT = next(one for one in misbehaviours(HUB) if one.body is None)
SLOW = next(one for one in misbehaviours(HUB) if one.pause)


def exchanged(
    *requests: bytes, answer: Answer = TAKEN, patience: float = 5.0, half_closes: bool = False
) -> tuple[Sequence[bytes], Sequence[Event]]:
    """Send raw requests, one after another; return the answers, as far as they come in time, and what was noted."""

    async def exchange() -> tuple[list[bytes], list[Event]]:
        noted: asyncio.Queue[Event] = asyncio.Queue()
        people = {
            name: Addressee(name, f"key-{name}", HUB, lambda _: answer, lambda _: None) for name in ("ann", "bob")
        }
        server = await Listener(people, noted.put_nowait, time.monotonic()).serve("127.0.0.1", 0)
        answers = []
        for request in requests:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(request)
            if half_closes:
                writer.write_eof()
            try:
                answers.append(await asyncio.wait_for(reader.read(), patience))
            except (TimeoutError, OSError) as error:
                answers.append(type(error).__name__.encode())
            writer.close()
        server.close()
        async with asyncio.timeout(5):
            events = [await noted.get() for request in requests if request.startswith(b"POST")]
        return answers, events

    return asyncio.run(exchange())


def post(body: bytes = BODY, path: str = "/ann", *headers: str) -> bytes:
    head = [
        f"POST {path} HTTP/1.1",
        "Content-Type: application/json",
        "User-Agent: x",
        "Accept-Encoding: gzip",
        *headers,
    ]
    if "Transfer-Encoding: chunked" not in headers:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def test_a_push_is_its_keys_partners_plain_packed_or_in_chunks() -> None:
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (20, BODY[:20], len(BODY) - 20, BODY[20:])
    requests = [
        post(),
        post(gzip.compress(BODY), "/ann", "Content-Encoding: gzip"),
        post(chunks, "/ann", "Transfer-Encoding: chunked"),
        post(BODY, "/whatever/path?x=1"),
        post(BODY, "/bob"),
    ]
    answers, noted = exchanged(*requests)
    assert all(one.endswith(b'{"status":"SUCCESS"}') for one in answers)
    pushes = [one for one in noted if isinstance(one, Pushed)]
    assert [(one.partner, one.address) for one in pushes] == [("ann", "ann")] * 3 + [("ann", ""), ("ann", "bob")]
    assert {(one.sms_id, one.phone, one.text, one.reply, one.wrong) for one in pushes} == {
        ("7", "4474", "code", Reply.TAKEN, ())
    }


def test_what_is_nobodys_is_noted_and_refused_and_a_ping_is_no_push() -> None:
    other = BODY.replace(b"key-ann", b"key-eve")
    answers, noted = exchanged(post(other), post(b"no JSON"), post(b"[]"), b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [one.split(b" ")[1] for one in answers] == [b"403", b"403", b"403", b"200"]
    assert [one.partner for one in noted if isinstance(one, Stray)] == ["ann"] * 3
    assert "key-eve" not in repr(noted)


def test_a_cut_connection_and_silence_are_no_answers() -> None:
    for answer in (CUT, SILENT):
        answers, noted = exchanged(post(), answer=answer, patience=0.3)
        assert answers in ([b""], [b"TimeoutError"], [b"ConnectionResetError"])
        assert [one.reply for one in noted if isinstance(one, Pushed)] == [Reply.REFUSED]


def test_who_asks_whether_to_go_on_is_told_so() -> None:
    (answer,), _ = exchanged(post(BODY, "/ann", "Expect: 100-continue"))
    assert answer == b"HTTP/1.1 100 Continue\r\n\r\n" + (TAKEN.body or b"")


def test_who_has_nothing_more_to_send_is_answered_all_the_same() -> None:
    brief = replace(SLOW, pause=0.1)
    for answer in (TAKEN, brief):
        answers, noted = exchanged(post(), answer=answer, half_closes=True)
        assert answers == [answer.body]
        assert [one.reply for one in noted if isinstance(one, Pushed)] == [Reply.TAKEN]


def test_a_success_that_the_supplier_did_not_wait_for_may_not_have_been_heard() -> None:
    _, noted = exchanged(post(), answer=replace(SLOW, pause=0.4), patience=0.2)
    assert [one.reply for one in noted if isinstance(one, Pushed)] == [Reply.UNSURE]
