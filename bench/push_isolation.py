"""Row push.12: answers that cost a partner nothing to give and us something to read delay nobody else's pushes."""

import asyncio
import multiprocessing
import time
from collections.abc import Collection, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, cast

from bench.quiet import log_to_nowhere
from bench.row import Row, Say
from globalconnect.domain.partner import Partner
from globalconnect.domain.sms import Sms, SmsRef
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import DuePush
from globalconnect.runtime.clock import now
from tests import far_side
from tests.far_side import SUCCESS, http, raw
from tests.faults.cloud.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from globalconnect.store.partners import Partners

IDS = ("push.12",)

RUNS = 15
LATER_LIMIT_MS = 50
HELD_LIMIT_MS = 0.3

_MANY = 99
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
    """What one batch took: when B's attempt had ended (ms after its begin), and what the loop had worked (ms)."""

    other_after: float
    worked: float


@dataclass(frozen=True, slots=True)
class Isolation:
    """Batches in which A answers little, and as many in which it answers much, in turn."""

    few: list[Batch]
    much: list[Batch]

    @property
    def later(self) -> float:
        """By how much later B's attempt ends beside A's long answers (ms)."""
        return median(batch.other_after for batch in self.much) - median(batch.other_after for batch in self.few)

    @property
    def held(self) -> float:
        """How much longer each of A's long answers holds the loop (ms)."""
        return (median(batch.worked for batch in self.much) - median(batch.worked for batch in self.few)) / _MANY


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:  # noqa: ARG001 - there is one
    """Measure push.12."""
    found = measure_isolation(RUNS, "array")
    for name, batches in (("18 bytes", found.few), ("64 KiB", found.much)):
        after = [batch.other_after for batch in batches]
        progress(
            f"push.12: A answers {name}: B's attempt ends after {median(after):.0f} ms ({min(after)} to {max(after)})"
        )
    progress(f"push.12: each long answer holds the loop {found.held:.2f} ms longer, at most {HELD_LIMIT_MS}")
    yield Row(
        "push.12",
        f"beside 99 SMS of 4,000 codes of A, all answered with 64 KiB, B's push ends at most {LATER_LIMIT_MS} ms later than "
        f"beside short answers; an answer holds the loop <= {HELD_LIMIT_MS} ms",
        round(found.later, 1),
        "ms",
        LATER_LIMIT_MS,
        found.later <= LATER_LIMIT_MS and found.held <= HELD_LIMIT_MS,
    )


def measure_isolation(runs: int, costly: str) -> Isolation:
    """Deliver batches of 99 SMS of A and one of B, whose servers are another process; A gives one of the COSTLY answers."""
    with _servers() as ports, log_to_nowhere():
        _deliver(ports, costly)
        found: dict[str, list[Batch]] = {_FEW: [], costly: []}
        for _ in range(runs):
            for answer, batches in found.items():
                batches.append(_deliver(ports, answer))
    return Isolation(found[_FEW], found[costly])


def _deliver(ports: dict[str, int], answer: str) -> Batch:
    store = MemoryStore()
    stored_at = now()
    for name, port in (("A", ports[answer]), ("B", ports[_OTHER])):
        url = f"http://127.0.0.1:{port}/push"
        store.add_partner(Partner(name, name, f"gc_{name}_key", url, None, "default", stored_at))
    owners = ["A"] * _MANY + ["B"]
    for number, owner in enumerate(owners, 1):
        text = _CODES if owner == "A" else "Code 482913"
        store.store_sms(Sms(number, number, owner, "79001234567", "Bank", text, stored_at, stored_at))
    pusher = Pusher(
        pushes=store,
        partners=store,
        queues=_Nowhere(),
        health=Health(cast("Partners", store), now),
        open_client=lambda: PushClient(version="bench", loopback=True),
        max_age=None,
        now=now,
    )
    pushes = [DuePush(SmsRef(number, number), owner, stored_at) for number, owner in enumerate(owners, 1)]
    with closing(pusher):
        began, worked = now(), time.thread_time()
        pusher.deliver(pushes)
        worked = time.thread_time() - worked
    (attempt,) = store.attempts(len(owners))[len(owners)]
    return Batch(attempt.started_at + attempt.duration_ms - began, worked * 1_000)


class _Nowhere:
    """Queues that forget what they are to send."""

    def send(self, pushes: "Sequence[DuePush]", *, slow: bool, now: int) -> list[Exception | None]:  # noqa: ARG002
        """Take pushes."""
        return [None] * len(pushes)


@contextmanager
def _servers() -> Iterator[dict[str, int]]:
    """Run the partners' servers; return their ports."""
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()
        process.join()


def _serve(pipe: "Connection[Any, Any]") -> None:
    asyncio.run(_serve_until_left(pipe))


async def _serve_until_left(pipe: "Connection[Any, Any]") -> None:
    async with AsyncExitStack() as stack:
        ports = {
            name: (await stack.enter_async_context(far_side.partner(raw(answer), patience=None))).port
            for name, answer in _ANSWERS.items()
        }
        pipe.send(ports)
        # Readable when the other end is closed.
        await asyncio.to_thread(pipe.poll, None)
