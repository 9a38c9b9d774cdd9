"""Attempts in every situation that a partner's side can bring about: how they end, and what they cost."""

import asyncio
import contextlib
import gc
import resource
import socket
import ssl
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp.abc import AbstractResolver

from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS, CONNECT_TIMEOUT_SECONDS, AttemptOutcome
from globalconnect.push.attempt import PushClient
from simulation.attempts.situations import CHANGED_NAME, INSIDE, FarSide, Situation, serve, situations
from simulation.partner_server import PATIENCE, SPELLINGS_INSIDE, ScriptedResolver
from simulation.processes import SPAWNED, Link, serving

TOLERANCE_SECONDS = 0.5
MEMORY_LIMIT_BYTES = 5_000_000
# The name cache of the client, and a little more.
NAME_CACHE_SECONDS = 10.5
ROUNDS = 10
# Spellings of the addresses listened at, as the system's look-up gives them.
ALSO_OURS = ("0.0.0.0", "::", "::ffff:127.0.0.1")  # noqa: S104 - connected to, not bound

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
class Harm:
    """What the far side could do.

    `grown` is by how many bytes the process of the attempts grew at most. `stray` are the addresses, other than
    partners', to which a connection was opened; `reached` is how many connections arrived at listeners inside.
    `leading_inside` of the spellings lead to a listener when nothing guards.
    """

    attempts: list[Ended]
    grown: int
    stray: list[str]
    reached: int
    leading_inside: int

    def wrong(self, attempt_timeout: float) -> list[str]:
        """Return what must not have happened, a line each."""
        ends = [(end, end.situation) for end in self.attempts]
        lines = [
            f"{of.name}: {end.outcome}, expected {of.outcome}" for end, of in ends if end.outcome is not of.outcome
        ]
        late = attempt_timeout + TOLERANCE_SECONDS
        lines += [f"{of.name}: took {end.seconds:.2f} s" for end, of in ends if end.seconds > late]
        lines += [f"a connection to {address} was opened" for address in self.stray]
        if self.grown > MEMORY_LIMIT_BYTES:
            lines.append(f"memory grew by {self.grown / 1e6:.1f} MB")
        if self.reached:
            lines.append(f"{self.reached} connections arrived inside")
        return lines


# ---------------------------------------------------------------- the processes


def measure_harm(scale: Scale) -> Harm:
    """Make attempts in every situation: the far side in one process, the attempts in another."""
    with serving(serve) as pipe, ProcessPoolExecutor(1, mp_context=SPAWNED) as near:
        far: FarSide = pipe.recv()
        knocks = near.submit(_knock_by_spellings, far).result()
        attempts, grown, stray = near.submit(_attempt_all, far, scale).result()
        # The last connections: when they have been counted, so has every one before them.
        expected = knocks + near.submit(_knock_at_each, far).result()
        reached = _arrived(pipe, expected) - expected
    return Harm(attempts, grown, stray, reached, knocks)


def _arrived(pipe: Link, at_least: int) -> int:
    """Return how many connections have arrived inside, once there are as many as there must be."""
    deadline = time.monotonic() + PATIENCE
    while True:
        pipe.send(None)
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


def _attempt_all(far: FarSide, scale: Scale) -> tuple[list[Ended], int, list[str]]:
    """Return how the attempts ended, how much memory they took, and which connections went to anything but a partner."""
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
    _, peak = _memory()
    return attempts, peak - before, stray


async def _run(far: FarSide, scale: Scale, trusted: ssl.SSLContext) -> list[Ended]:
    """Make the attempts: those that wait for their time-out all at once, the others one after another."""

    async def attempt(situation: Situation) -> Ended:
        async with _client(scale, situation, ScriptedResolver(*situation.leads_to), trusted) as client:
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
