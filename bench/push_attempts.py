"""Row push.9: whatever a partner's side does, an attempt ends in time, with flat memory, and never goes inside.
Row push.10: an answer that is not the contract's success is a failed attempt, and is retried.
"""

import asyncio
import contextlib
import gc
import multiprocessing
import resource
import socket
import ssl
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from aiohttp.abc import AbstractResolver

from bench.quiet import log_to_nowhere
from bench.row import Row, Say
from bench.situations import CHANGED_NAME, INSIDE, FarSide, Link, Situation, serve, situations
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS, CONNECT_TIMEOUT_SECONDS, AttemptOutcome
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Attempt, PushState, Sms, SmsRef
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import DuePush
from tests.far_side import (
    PATIENCE,
    SPELLINGS_INSIDE,
    SUCCESS,
    FixedResolver,
    Request,
    ScriptedResolver,
    http,
    partner,
    raw,
)
from tests.faults.cloud.store import MemoryStore

if TYPE_CHECKING:
    from globalconnect.store.partners import Partners

IDS = ("push.9", "push.10")

TOLERANCE_SECONDS = 0.5
MEMORY_LIMIT_BYTES = 5_000_000
# The name cache of the client, and a little more.
NAME_CACHE_SECONDS = 10.5
ROUNDS = 10
# Spellings of the addresses listened at, as the system's look-up gives them.
ALSO_OURS = ("0.0.0.0", "::", "::ffff:127.0.0.1")  # noqa: S104 - connected to, not bound
START = 1_790_000_000_000
# More than the answers here bring about; one that is pushed for ever ends there.
MOST_PUSHES = 5
NEVER = FixedResolver(answers=False)

BODY: dict[str, object] = {
    "key": "gc_bench_key",
    "action": "PUSH_SMS",
    "smsId": "123456789",
    "phone": "79001234567",
    "phoneFrom": "Bank",
    "text": "Ваш код: 482913",
    "call": 0,
    "voice": 0,
}
SECRETS = ("gc_bench_key", "Ваш код: 482913", "482913")


@dataclass(frozen=True, slots=True)
class Scale:
    """How long and how often: the client's time-out (s), rounds of what ends at once, whether to outwait its names."""

    attempt_timeout: float = ATTEMPT_TIMEOUT_SECONDS
    rounds: int = ROUNDS
    outwait_names: bool = True


# Loads what is loaded lazily, and lets the heap reach its size.
WARM_UP = Scale(attempt_timeout=0.5, rounds=2, outwait_names=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one attempt of a situation ended, and what it took (s), measured from outside."""

    situation: Situation
    outcome: AttemptOutcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Memory:
    """By how many bytes the process of the attempts grew over them: in the end, and at most in between."""

    grown: int
    most: int


@dataclass(frozen=True, slots=True)
class Harm:
    """What the far side could do.

    `stray` are the addresses, other than partners', to which a connection was opened; `reached` is how many connections
    arrived at listeners inside. `leading_inside` of the spellings lead to a listener when nothing guards.
    """

    attempts: list[Ended]
    memory: Memory
    stray: list[str]
    reached: int
    leading_inside: int

    def wrong(self) -> list[str]:
        """Return what must not have happened, a line each but the limits on time and memory."""
        outcomes = [
            f"{end.situation.name}: {end.outcome}, expected {end.situation.outcome}"
            for end in self.attempts
            if end.outcome is not end.situation.outcome
        ]
        # A situation that goes wrong does so in every round.
        lines = list(dict.fromkeys(outcomes))
        lines += [f"a connection to {address} was opened" for address in self.stray]
        return lines + ([f"{self.reached} connections arrived inside"] if self.reached else [])

    def slowest(self) -> Ended:
        """Return the attempt that took longest."""
        return max(self.attempts, key=lambda end: end.seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no success, and what must be recorded of it."""

    name: str
    bytes: bytes
    outcome: AttemptOutcome
    http_status: int


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


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of an SMS whose first push got an answer.

    `bodies` is what arrived at the partner, `attempts` what was kept of them; `queued` is when pushes were queued for,
    in ms after the first began; `state` is where its pushing stood in the end.
    """

    answer: Answer
    bodies: list[bytes]
    attempts: list[Attempt]
    queued: list[int]
    state: PushState

    def wrong(self) -> list[str]:
        """Return what should have been otherwise, a line each."""
        expected = {
            "attempts": [
                (1, self.answer.outcome.value, self.answer.http_status),
                (2, AttemptOutcome.DELIVERED.value, 200),
            ],
            "queued": [INTERVAL],
            "state": PushState.DELIVERED,
            "same push again": [self.bodies[0]] * 2,
        }
        seen = {
            "attempts": [(attempt.number, attempt.outcome, attempt.http_status) for attempt in self.attempts],
            "queued": self.queued,
            "state": self.state,
            "same push again": self.bodies,
        }
        return [f"{what}: {seen[what]}, expected {expected[what]}" for what in expected if seen[what] != expected[what]]


class Noted:
    """Queues that note what they are to send."""

    def __init__(self) -> None:
        self.sent: list[DuePush] = []

    def send(self, pushes: Sequence[DuePush], *, slow: bool, now: int) -> list[Exception | None]:  # noqa: ARG002
        """Take pushes."""
        self.sent += pushes
        return [None] * len(pushes)


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Measure push.9 and push.10."""
    if "push.9" in wanted:
        yield _harm_row(measure_harm(Scale()), progress)
    if "push.10" in wanted:
        yield _retried_row([asyncio.run(push_twice(answer)) for answer in ANSWERS], progress)


def _harm_row(harm: Harm, progress: Say) -> Row:
    wrong = harm.wrong()
    late = [end for end in harm.attempts if end.seconds > ATTEMPT_TIMEOUT_SECONDS + TOLERANCE_SECONDS]
    wrong += [f"{end.situation.name}: took {end.seconds:.2f} s" for end in late]
    if harm.memory.most > MEMORY_LIMIT_BYTES:
        wrong.append(f"memory grew by {harm.memory.most / 1e6:.1f} MB")
    slowest = harm.slowest()
    progress(
        f"push.9: {len({end.situation.name for end in harm.attempts})} situations, {len(harm.attempts)} attempts; "
        f"longest {slowest.seconds:.2f} s ({slowest.situation.name}); "
        f"memory {harm.memory.most / 1e6:+.1f} MB at most, {harm.memory.grown / 1e6:+.1f} MB in the end"
    )
    progress(
        f"push.9: {harm.reached} connections inside; {harm.leading_inside} of {len(SPELLINGS_INSIDE)} spellings lead to a "
        "listener there when nothing guards"
    )
    for line in wrong:
        progress(f"push.9: {line}")
    return Row(
        "push.9",
        "whatever a partner's side does, the attempt ends within 5.5 s, memory grows < 5 MB, nothing inside is connected",
        len(wrong),
        "violations",
        0,
        not wrong,
    )


def _retried_row(pushes: Sequence[Pushed], progress: Say) -> Row:
    wrong = [f"{pushed.answer.name}: {line}" for pushed in pushes for line in pushed.wrong()]
    progress(f"push.10: {len(pushes)} answers, each given to a first push, SUCCESS to the next")
    for line in wrong:
        progress(f"push.10: {line}")
    return Row(
        "push.10",
        "an answer other than 2xx with status SUCCESS is a failed attempt, and the next one is due 10 s after its start",
        len(wrong),
        "violations",
        0,
        not wrong,
    )


# ---------------------------------------------------------------- the processes


def measure_harm(scale: Scale) -> Harm:
    """Make attempts in every situation: the far side in one process, the attempts in another."""
    spawned = multiprocessing.get_context("spawn")
    with _far_side(spawned) as (pipe, far), ProcessPoolExecutor(1, mp_context=spawned) as near:
        knocks = near.submit(_knock_by_spellings, far).result()
        attempts, memory, stray = near.submit(_attempt_all, far, scale).result()
        # The last connections: when they have been counted, so has every one before them.
        expected = knocks + near.submit(_knock_at_each, far).result()
        reached = _arrived(pipe, expected) - expected
    return Harm(attempts, memory, stray, reached, knocks)


@contextmanager
def _far_side(spawned: SpawnContext) -> Iterator[tuple[Link, FarSide]]:
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield ours, ours.recv()
    finally:
        # It may have ended by itself; the exception that told us so is the one to see.
        with contextlib.suppress(OSError):
            ours.send("end")
        process.join()


def _arrived(pipe: Link, at_least: int) -> int:
    """Return how many connections have arrived inside, once there are as many as there must be."""
    deadline = time.monotonic() + PATIENCE
    while True:
        pipe.send("count")
        arrived: int = pipe.recv()
        if arrived >= at_least:
            return arrived
        if time.monotonic() > deadline:
            raise TimeoutError(f"{arrived} connections arrived, {at_least} were opened")
        time.sleep(0.02)


# ---------------------------------------------------------------- in the process of the attempts


def _knock_by_spellings(far: FarSide) -> int:
    """Connect by each spelling that the system takes for an address we listen at; return how many there are."""
    ours = {*far.inside, *ALSO_OURS}
    knocks = 0
    for spelling in SPELLINGS_INSIDE.values():
        # A look-up of addresses only; what is none is not looked up.
        with contextlib.suppress(OSError, UnicodeError):
            found = socket.getaddrinfo(spelling.strip("[]"), far.ports[INSIDE], flags=socket.AI_NUMERICHOST)
            if found[0][4][0] in ours:
                socket.create_connection(found[0][4][:2], PATIENCE).close()
                knocks += 1
    return knocks


def _knock_at_each(far: FarSide) -> int:
    for address in far.inside:
        socket.create_connection((address, far.ports[INSIDE]), PATIENCE).close()
    return len(far.inside)


def _attempt_all(far: FarSide, scale: Scale) -> tuple[list[Ended], Memory, list[str]]:
    """Return how the attempts ended, what memory they took, and which connections went to anything but a partner."""
    partners = {("127.0.0.1", port) for name, port in far.ports.items() if name != INSIDE}
    stray: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and tuple(arguments[1][:2]) not in partners:
            stray.append(str(arguments[1]))

    # There is no way to take it off again; it sees every connection this process opens, by whatever library.
    sys.addaudithook(watch)
    trusted = ssl.create_default_context(cadata=far.authority)
    asyncio.run(_run(far, WARM_UP, trusted))
    gc.collect()
    _forget_peak()
    before, _ = _memory()
    attempts = asyncio.run(_run(far, scale, trusted))
    gc.collect()
    after, peak = _memory()
    return attempts, Memory(after - before, peak - before), stray


async def _run(far: FarSide, scale: Scale, trusted: ssl.SSLContext) -> list[Ended]:
    """Make the attempts: those that wait for their time-out all at once, the others one after another."""

    async def attempt(situation: Situation) -> Ended:
        resolver = ScriptedResolver(*map(list, situation.leads_to)) if situation.leads_to else NEVER
        async with _client(scale, situation, resolver, trusted) as client:
            return await _attempt(client, far, situation)

    async def outwait_names() -> list[Ended]:
        resolver = ScriptedResolver(["127.0.0.1"], ["127.0.0.2"])
        first, then = CHANGED_NAME
        async with _client(scale, first, resolver, trusted) as client:
            before = await _attempt(client, far, first)
            await asyncio.sleep(NAME_CACHE_SECONDS)
            return [before, await _attempt(client, far, then)]

    waiting = [situation for situation in situations() if situation.outcome is AttemptOutcome.TIMEOUT]
    others = [situation for situation in situations() if situation.outcome is not AttemptOutcome.TIMEOUT]
    changed = asyncio.create_task(outwait_names()) if scale.outwait_names else None
    ended = list(await asyncio.gather(*(attempt(situation) for situation in waiting)))
    for _ in range(scale.rounds):
        ended += [await attempt(situation) for situation in others]
    return ended + (await changed if changed else [])


def _client(scale: Scale, situation: Situation, resolver: AbstractResolver, trusted: ssl.SSLContext) -> PushClient:
    return PushClient(
        version="bench",
        loopback=situation.loopback,
        connect_timeout=min(CONNECT_TIMEOUT_SECONDS, scale.attempt_timeout),
        attempt_timeout=scale.attempt_timeout,
        resolver=resolver,
        tls=trusted if situation.trusts_us else None,
    )


async def _attempt(client: PushClient, far: FarSide, situation: Situation) -> Ended:
    url = f"{situation.scheme}://{situation.host}:{far.ports[situation.server]}/push"
    started = time.perf_counter()
    result = await client.attempt(url, BODY, SECRETS)
    return Ended(situation, result.outcome, time.perf_counter() - started)


def _memory() -> tuple[int, int]:
    """Return the bytes this process has in memory now, and the most it had since _forget_peak.

    Where there is no /proc both are the most it ever had.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most, most
    fields = {name: value for name, _, value in (line.partition(":") for line in lines)}
    now, most = (int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


# ---------------------------------------------------------------- answers


async def push_twice(answer: Answer) -> Pushed:
    """Have an SMS pushed by the delivery routine to a partner that gives an answer first, and SUCCESS then."""
    bodies: list[bytes] = []

    async def give(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(request.body)
        await raw(answer.bytes if len(bodies) == 1 else http("200 OK", SUCCESS))(request, reader, writer)

    async with partner(give) as far:
        # The routine has an event loop of its own.
        attempts, queued, state = await asyncio.to_thread(_deliver_twice, far.url)
    return Pushed(answer, bodies, attempts, queued, state)


def _deliver_twice(url: str) -> tuple[list[Attempt], list[int], PushState]:
    """Deliver an SMS, then what the routine queued, when that is due, until nothing is queued."""
    now = START
    store, queues = MemoryStore(), Noted()
    store.add_partner(Partner("bench", "Bench", "gc_bench_key", url, None, "default", START))
    store.store_sms(Sms(1, 1, "bench", "79001234567", "Bank", "482913", START, START))
    pusher = Pusher(
        pushes=store,
        partners=store,
        queues=queues,
        health=Health(cast("Partners", store), lambda: now),
        open_client=lambda: PushClient(version="bench", loopback=True),
        max_age=None,
        now=lambda: now,
    )
    waiting = [DuePush(SmsRef(1, 1), "bench", START)]
    dues: list[int] = []
    with closing(pusher), log_to_nowhere():
        while waiting and len(dues) < MOST_PUSHES:
            pusher.deliver(waiting)
            waiting, queues.sent = queues.sent, []
            dues += [push.due - START for push in waiting]
            now = max([now, *(push.due for push in waiting)])
    (sms,) = store.find([SmsRef(1, 1)])
    return store.attempts(1)[1], dues, sms.push_state
