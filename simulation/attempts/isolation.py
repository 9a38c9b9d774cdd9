"""Answers that cost a partner nothing to give and us something to read, and what they do to another's push."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass

from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import DuePush, Sms, SmsRef
from globalconnect.runtime.startup import clock
from simulation.logs import log_to_nowhere
from simulation.office import NotedQueues
from simulation.partner_server import SUCCESS, http, partner, raw
from simulation.processes import Link, serving
from simulation.pushes.functions import new_pusher
from simulation.pushes.store import MemoryStore

type Ports = dict[str, int]

MANY = 99
_ANSWER_BYTES = 64 * 1024
# 20,000 characters of codes.
_CODES = "".join(f"{number:04d} " for number in range(4_000))
_FEW, _OTHER = "few", "other"
COSTLY = {
    "array": http("200 OK", (b"[1," + b"1," * _ANSWER_BYTES)[:_ANSWER_BYTES]),
    "codes": http("200 OK", (_CODES * 4).encode()[:_ANSWER_BYTES]),
    "interim": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3_000 + http("200 OK", b"{}"),
    "headers": http("200 OK", b"{}", *["X: y"] * 10_000),
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 20_000 + b"0\r\n\r\n",
}
_ANSWERS = {_FEW: http("200 OK", b'{"status":"ERROR"}'), _OTHER: http("200 OK", SUCCESS), **COSTLY}


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch of 99 SMS of A and one of B took: when B's attempt had ended (ms after its begin), and what the
    loop had worked (ms).
    """

    other_after: float
    worked: float


@contextmanager
def costly_partners() -> Iterator[Ports]:
    """Run A's and B's servers in a process of their own; return their ports by what they answer."""
    with serving(_serve) as pipe, log_to_nowhere():
        ports: Ports = pipe.recv()
        yield ports


def compare(ports: Ports, costly: str) -> tuple[Batch, Batch]:
    """Deliver a batch in which A answers little, and one in which it gives a COSTLY answer."""
    return _deliver(ports, _FEW), _deliver(ports, costly)


def _deliver(ports: Ports, answer: str) -> Batch:
    store = MemoryStore()
    stored_at = clock()
    for name, port in (("A", ports[answer]), ("B", ports[_OTHER])):
        url = f"http://127.0.0.1:{port}/push"
        store.add_partner(Partner(PartnerId(name), name, f"gc_{name}_key", url, None, "default", stored_at))
    owners = ["A"] * MANY + ["B"]
    for number, owner in enumerate(owners, 1):
        text = _CODES if owner == "A" else "Code 482913"
        store.store_sms(
            Sms(
                SmsId(number), ActivationId(number), PartnerId(owner), "79001234567", "Bank", text, stored_at, stored_at
            )
        )
    pushes = [
        DuePush(SmsRef(ActivationId(number), SmsId(number)), PartnerId(owner), stored_at)
        for number, owner in enumerate(owners, 1)
    ]
    with closing(new_pusher(store, NotedQueues())) as pusher:
        began, worked = clock(), time.thread_time()
        pusher.deliver(pushes)
        worked = time.thread_time() - worked
    (attempt,) = store.attempts(len(owners))[len(owners)]
    return Batch(attempt.started_at + attempt.duration_ms - began, worked * 1_000)


def _serve(pipe: Link) -> None:
    async def serve() -> None:
        async with AsyncExitStack() as stack:
            servers = {name: partner(raw(answer), patience=None) for name, answer in _ANSWERS.items()}
            pipe.send({name: (await stack.enter_async_context(server)).port for name, server in servers.items()})
            # Readable when the other end is closed.
            await asyncio.to_thread(pipe.poll, None)

    asyncio.run(serve())
