"""How many pushes one worker process delivers in a second, beside a bare loop of the same POSTs.

The worker is the real routine with its real HTTP client; store and partner answer at once, so that what is measured is
our own work.
"""

import asyncio
import gc
import json
import re
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from globalconnect import VERSION
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner, in_clear
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, DuePush, PushEnd, PushState, Sms, SmsRef
from globalconnect.hub_protocol.catalogue import DEFAULT
from globalconnect.hub_protocol.push import push_body
from globalconnect.runtime.startup import clock
from simulation.logs import log_to_nowhere
from simulation.office import NotedQueues
from simulation.partner_server import SUCCESS, http
from simulation.processes import Link, serving
from simulation.pushes.functions import new_pusher

# As template.yaml has push_retry take them from the queue.
BATCH = 100
# Many short rounds: whatever else the machine does then meets both alike.
BATCHES = 3
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TAKEN = http("200 OK", SUCCESS, "Content-Type: application/json")


@dataclass(frozen=True, slots=True)
class Figures:
    """POSTs per second of each round: by the routine, and by the bare loop just before or after."""

    worker: list[float]
    bare: list[float]

    @property
    def ratio(self) -> float:
        """The median of what the routine makes of what the bare loop makes."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.worker, self.bare, strict=True))


def measure(url: str, rounds: int, batches: int = BATCHES) -> Figures:
    """Let the routine and the bare loop take turns; one turn of each before it counts."""
    figures = Figures([], [])
    partner = Partner(PartnerId("benchpartn"), "Bench", "gc_benchpartn_benchkey", url, None, "default", clock())
    with log_to_nowhere(), closing(_Worker(partner)) as worker, closing(_Bare(partner)) as bare:
        for turn in range(rounds + 1):
            messages = [_new_messages(partner, turn * batches + number) for number in range(batches)]
            # Who comes first changes, so that what drifts drifts for both.
            if turn % 2:
                ours, theirs = worker.speed(messages), bare.speed(messages)
            else:
                theirs, ours = bare.speed(messages), worker.speed(messages)
            if turn:
                figures.worker.append(ours)
                figures.bare.append(theirs)
    return figures


@contextmanager
def taking_all() -> Iterator[str]:
    """Run a partner that takes every push at once, in a lean process of its own; yield its Push URL."""
    with serving(_take_all) as pipe:
        yield pipe.recv()


def _take_all(pipe: Link) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Taker, "127.0.0.1", 0, backlog=4 * BATCH)
        pipe.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/push")
        # Readable when the other end is closed.
        await asyncio.to_thread(pipe.poll, None)

    asyncio.run(serve())


class _Taker(asyncio.Protocol):
    """A connection on which every POST gets a SUCCESS; more of a server would be slower than the bare loop."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ends, body = self._received.partition(b"\r\n\r\n")
        length = _CONTENT_LENGTH.search(head)
        if ends and length and len(body) >= int(length[1]):
            self._received = b""
            self._transport.write(_TAKEN)


class _Granting:
    """A stub of the stores: every claim is granted at once, every activation open, every end a delivery."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._due: dict[SmsRef, Sms] = {}

    def grant(self, messages: Iterable[Sms]) -> None:
        """Have these messages' next attempts claimed when they are asked for, each once."""
        due = clock() + INTERVAL
        self._due = {_ref(sms): replace(sms, next_due=due) for sms in messages}

    def claim(self, refs: Sequence[SmsRef], _now: int, _tallies: object) -> list[Sms]:
        return [self._due.pop(ref) for ref in refs]

    def open_among(self, activation_ids: Collection[int]) -> frozenset[int]:
        return frozenset(activation_ids)

    def settle(self, ends: Sequence[PushEnd]) -> list[None]:
        assert all(end.state is PushState.DELIVERED for end in ends)
        return [None] * len(ends)

    def keep_attempts(self, attempts: Sequence[tuple[Sms, Attempt]]) -> None:
        """Forget them."""

    def many(self, partner_ids: Collection[str]) -> dict[str, Partner]:
        return dict.fromkeys(partner_ids, self._partner)

    def note_success(self, partner_id: str, at: int) -> None:
        """Forget it."""

    note_slow = note_success


class _Worker:
    """The real routine as push_retry runs it."""

    def __init__(self, partner: Partner) -> None:
        self._store = _Granting(partner)
        self._queues = NotedQueues()
        self._pusher = new_pusher(self._store, self._queues)

    def speed(self, batches: Sequence[Sequence[Sms]]) -> float:
        """Deliver every SMS; return how many in a second. Raises AssertionError when one was not delivered."""
        self._store.grant(sms for batch in batches for sms in batch)
        speed = _speed(batches, self._deliver)
        assert self._queues.sent == []
        return speed

    def _deliver(self, batch: Sequence[Sms]) -> None:
        """Hand over a batch that is due now, as push_retry does."""
        due = clock()
        left = self._pusher.deliver([DuePush(_ref(sms), sms.partner_id, due) for sms in batch])
        assert not left

    def close(self) -> None:
        self._pusher.close()


class _Bare:
    """A bare aiohttp session, kept open: the same bytes with the same headers, the answer read and not looked at."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._open())

    async def _open(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers={
                "User-Agent": f"GlobalConnect/{VERSION}",
                "Content-Type": "application/json; charset=utf-8",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    def speed(self, batches: Sequence[Sequence[Sms]]) -> float:
        """POST every SMS; return how many in a second."""
        bodies = [[_json(sms, self._partner) for sms in batch] for batch in batches]
        return _speed(bodies, lambda batch: self._runner.run(self._post_all(batch)))

    async def _post_all(self, bodies: Sequence[bytes]) -> None:
        await asyncio.gather(*map(self._post, bodies))

    async def _post(self, body: bytes) -> None:
        async with self._session.post(str(self._partner.push_url), data=body) as response:
            await response.read()

    def close(self) -> None:
        with self._runner:
            self._runner.run(self._session.close())


def _new_messages(partner: Partner, number: int) -> list[Sms]:
    """Return the SMS of the batch of that number, due since a moment."""
    now = clock()
    first = 1_000_000 + number * BATCH
    return [
        Sms(
            sms_id=SmsId(sms_id),
            activation_id=ActivationId(sms_id),
            partner_id=partner.partner_id,
            phone="447700900000",
            phone_from="Bank",
            text=f"Your code: {sms_id}. Do not tell it to anybody.",
            received_at=now,
            stored_at=now,
        )
        for sms_id in range(first, first + BATCH)
    ]


def _speed[B: Sequence[Any]](batches: Sequence[B], do: Callable[[B], None]) -> float:
    # What is there beforehand is not for the collector to look through meanwhile.
    gc.collect()
    gc.freeze()
    started = time.perf_counter()
    for batch in batches:
        do(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


def _json(sms: Sms, partner: Partner) -> bytes:
    return json.dumps(
        push_body(sms, in_clear(partner.key), DEFAULT), ensure_ascii=False, separators=(",", ":")
    ).encode()


def _ref(sms: Sms) -> SmsRef:
    return SmsRef(sms.activation_id, sms.sms_id)
