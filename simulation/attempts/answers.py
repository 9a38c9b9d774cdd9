"""What becomes of an SMS whose first push gets an answer that is no success, and the next one SUCCESS."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import AttemptOutcome
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import DuePush, PushState, Sms, SmsRef
from simulation.aws import START
from simulation.logs import log_to_nowhere
from simulation.office import NotedQueues
from simulation.partner_server import SUCCESS, http, partner, raw, scripted
from simulation.partner_server import Partner as FarSide
from simulation.pushes.functions import new_pusher
from simulation.pushes.store import MemoryStore

# More than the answers here bring about; one that is pushed for ever ends there.
_MOST_PUSHES = 5
_REF = SmsRef(ActivationId(1), SmsId(1))


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of it: attempts by number, outcome and status; when pushes were queued for (ms after the first)."""

    attempts: Sequence[tuple[int, str, int | None]]
    queued: Sequence[int]
    state: PushState
    different_bodies: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no success, and what must be recorded of it."""

    name: str
    bytes: bytes
    outcome: AttemptOutcome
    http_status: int

    @property
    def expected(self) -> Pushed:
        """What must become of an SMS that it is given for."""
        attempts = [(1, self.outcome.value, self.http_status), (2, AttemptOutcome.DELIVERED.value, 200)]
        return Pushed(attempts, [INTERVAL], PushState.DELIVERED, different_bodies=1)


ANSWERS = (
    Answer(
        "200 with HTML",
        http("200 OK", b"<html><body>SUCCESS</body></html>", "Content-Type: text/html"),
        AttemptOutcome.REFUSED_ANSWER,
        200,
    ),
    Answer("success in small letters", http("200 OK", b'{"status":"success"}'), AttemptOutcome.REFUSED_ANSWER, 200),
    Answer("FAIL", http("200 OK", b'{"status":"FAIL"}'), AttemptOutcome.REFUSED_ANSWER, 200),
    Answer("empty body", http("200 OK", b""), AttemptOutcome.REFUSED_ANSWER, 200),
    Answer("500 with SUCCESS", http("500 Oops", SUCCESS), AttemptOutcome.HTTP_STATUS, 500),
    Answer("204", b"HTTP/1.1 204 No Content\r\n\r\n", AttemptOutcome.REFUSED_ANSWER, 204),
)


async def push_with(first: bytes) -> Pushed:
    """Have an SMS pushed by the delivery routine to a partner that gives an answer first, and SUCCESS from then on."""
    async with partner(scripted(raw(first), then=raw(http("200 OK", SUCCESS)))) as far:
        # The routine has an event loop of its own.
        return await asyncio.to_thread(_deliver, far)


def _deliver(far: FarSide) -> Pushed:
    """Deliver an SMS, then what the routine queued, when that is due, until nothing is queued."""
    now = START
    store, queues = MemoryStore(), NotedQueues()
    store.add_partner(Partner(PartnerId("bench"), "Bench", "gc_bench_key", far.url, None, "default", START))
    store.store_sms(Sms(SmsId(1), ActivationId(1), PartnerId("bench"), "79001234567", "Bank", "482913", START, START))
    waiting = [DuePush(_REF, PartnerId("bench"), START)]
    dues: list[int] = []
    with log_to_nowhere(), closing(new_pusher(store, queues, now=lambda: now)) as pusher:
        while waiting and len(dues) < _MOST_PUSHES:
            pusher.deliver(waiting)
            waiting, queues.pushes = queues.pushes, []
            dues += [push.due - START for push in waiting]
            now = max([now, *(push.due for push in waiting)])
    (sms,) = store.find([_REF])
    attempts = [(attempt.number, attempt.outcome, attempt.http_status) for attempt in store.attempts(1)[1]]
    return Pushed(attempts, dues, sms.push_state, len({request.body for request in far.requests}))
