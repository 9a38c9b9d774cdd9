"""How many attempts share an invocation while SMS wait for a partner that is away.

That follows from when attempts are due (domain/push_schedule.py), when Lambda's pollers bring their messages, and how long
an invocation lasts.
"""

import heapq
import itertools
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bench.costing import assumed
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS, AttemptOutcome, AttemptResult
from globalconnect.domain.push_schedule import INTERVAL, delay_seconds
from globalconnect.domain.times import SECOND
from globalconnect.push.queue import MESSAGES_AT_ONCE

BATCH = 100
ATTEMPTS_PER_HOUR = 3_600 * SECOND // INTERVAL
# Runs whose median counts; each settles for a while and counts for as long again (ms).
RUNS = 11
_SETTLED, _END = 60 * SECOND, 120 * SECOND

# How the routine gathers what it asks of AWS, push/batches.py and push/pusher.py, and what a call takes (ms).
_LINGER = 10
_ITEMS_AT_ONCE = 25
_CALL = assumed.CALL_SECONDS * SECOND
_ASKING = _LINGER + _CALL

# How much earlier than it is due a message comes at most (ms, docs/adr/0005).
_EARLIEST = 2_200


class Kind(NamedTuple):
    """How attempts end; what one sends (bytes), and what it takes of a processor for TLS (ms)."""

    name: str
    short: str
    result: AttemptResult
    sends: int = assumed.HANDSHAKE_BYTES + assumed.PUSH_BYTES
    handshake_ms: float = assumed.HANDSHAKE_MS


def _ended(outcome: AttemptOutcome, seconds: float) -> AttemptResult:
    return AttemptResult(
        delivered=outcome is AttemptOutcome.DELIVERED,
        outcome=outcome,
        http_status=200 if outcome is AttemptOutcome.DELIVERED else None,
        duration_ms=round(seconds * SECOND),
        answer='{"status":"SUCCESS"}' if outcome is AttemptOutcome.DELIVERED else "",
    )


_TIMEOUT = _ended(AttemptOutcome.TIMEOUT, ATTEMPT_TIMEOUT_SECONDS)
_REFUSAL = _ended(AttemptOutcome.CONNECTION, assumed.REFUSAL_SECONDS)
TIMES_OUT = Kind("every attempt times out after 5 s", "time-outs", _TIMEOUT)
REFUSES = Kind("every connection is refused at once", "refusals", _REFUSAL, assumed.SYN_BYTES, 0)
DELIVERS = Kind("delivered", "deliveries", _ended(AttemptOutcome.DELIVERED, assumed.PARTNER_SECONDS))


class Invocation(NamedTuple):
    """From when to when an invocation lasts (ms), when each attempt's next message is sent and is due, requests to SQS."""

    began: float
    ended: float
    messages: Sequence[tuple[float, int]]
    requests: int


def invocation(kind: Kind, began: float, dues: Sequence[float], processor: float) -> Invocation:
    """Return how an invocation goes that began with attempts due then (ms); each takes so much of the processor (ms)."""
    claimed = _asked([max(began + _CALL, due) for due in sorted(dues)], _ITEMS_AT_ONCE)
    looked = [claim + _CALL + _ASKING for claim in claimed]
    # There is one processor.
    worked = itertools.accumulate(looked, lambda free, ready: max(free, ready) + processor, initial=0.0)
    sent = _asked([done + kind.result.duration_ms for done in list(worked)[1:]], MESSAGES_AT_ONCE)
    messages = [(at, round(claim) + INTERVAL) for at, claim in zip(sent, claimed, strict=True)]
    received_and_deleted = 2 * math.ceil(len(dues) / MESSAGES_AT_ONCE)
    return Invocation(began, sent[-1] + _CALL + _ASKING + _CALL, messages, len(set(sent)) + received_and_deleted)


def _asked(times: Sequence[float], size: int) -> list[float]:
    """Return when what is wanted at these times (ms) is asked for, up to so many things together."""
    moments: list[float] = []
    while rest := times[len(moments) :]:
        some = [at for at in rest[:size] if at - rest[0] < _LINGER]
        moments += [some[-1] if len(some) == size else some[0] + _LINGER] * len(some)
    return moments


class Sharing(NamedTuple):
    """Per attempt: invocations, seconds of them, and requests to SQS."""

    invocations: float
    seconds: float
    requests: float


def sharing(kind: Kind, pending: int | None, processor: float) -> Sharing:
    """Return how attempts share invocations while so many SMS wait, None for so many that every batch is full."""
    runs: list[Sharing] = []
    for seed in range(1, RUNS + 1):
        rng = random.Random(seed)  # noqa: S311 - repeatable
        if pending:
            found = _run(kind, pending, processor, rng)
        else:
            found = [invocation(kind, 0, [rng.uniform(0, _EARLIEST) for _ in range(BATCH)], processor)]
        attempts = sum(len(one.messages) for one in found)
        seconds = sum(one.ended - one.began for one in found) / SECOND
        requests = sum(one.requests for one in found)
        runs.append(Sharing(len(found) / attempts, seconds / attempts, requests / attempts))
    return Sharing(*map(statistics.median, zip(*runs, strict=True)))


@dataclass(slots=True, eq=False)
class _Poller:
    """Gathers the attempts of a batch; busy until it `opens` (ms)."""

    opens: float = 0.0
    dues: list[float] = field(default_factory=list)


def _run(kind: Kind, pending: int, processor: float, rng: random.Random) -> list[Invocation]:
    """Return the invocations of a minute, once all has settled."""
    order = itertools.count()
    found: list[Invocation] = []
    pollers = [_Poller() for _ in range(assumed.POLLERS)]
    # A message that comes, by what it is due, or a poller whose batch goes.
    events: list[tuple[float, int, float | _Poller]] = []
    coming: list[tuple[float, float | _Poller]] = [
        (start, start + SECOND) for start in (rng.uniform(0, INTERVAL) for _ in range(pending))
    ]
    while not events or events[0][0] < _END:
        for at, one in coming:
            heapq.heappush(events, (at, next(order), one))
        now, _, what = heapq.heappop(events)
        if not isinstance(what, _Poller):
            coming = _taken(what, now, pollers, rng)
        # One whose batch was full before its time is busy.
        elif what.opens <= now:
            found.append(invocation(kind, now, what.dues, processor))
            what.opens, what.dues = found[-1].ended, []
            coming = [
                (sent + (delay_seconds(due, round(sent)) + rng.uniform(0, assumed.PICK_UP_SECONDS)) * SECOND, due)
                for sent, due in found[-1].messages
            ]
        else:
            coming = []
    return [one for one in found if one.began >= _SETTLED]


def _taken(due: float, now: float, pollers: list[_Poller], rng: random.Random) -> list[tuple[float, float | _Poller]]:
    """Have a message that comes now taken by any poller that gathers, or else come again; return what comes of it."""
    free = [poller for poller in pollers if poller.opens <= now and len(poller.dues) < BATCH]
    if not free:
        one_more = now + SECOND / assumed.POLLERS_PER_SECOND
        if all(poller.opens > one_more or poller.opens <= now for poller in pollers):
            pollers.append(_Poller(one_more))
        return [(min(poller.opens for poller in pollers if poller.opens > now), due)]
    poller = rng.choice(free)
    poller.dues.append(due)
    if len(poller.dues) not in {1, BATCH}:
        return []
    return [(now + (SECOND if len(poller.dues) == 1 else 0), poller)]
