"""Partners' servers without a network: how they behave, and what they see of it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS, AttemptResult
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.push.signing import Signer
from simulation.office import DELIVERED, FAILED, TIMED_OUT
from simulation.pushes.timeline import crash, timeline

# The way (s) to a partner's server and back.
_WAY = 0.007


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a partner answers: after so many seconds (None = never), failing that share of attempts, or every second."""

    after: float | None = 0.0
    fails: float = 0.0
    every_second: bool = False


SUCCESS = Behaviour()
FAILS = Behaviour(fails=1.0)
FAILS_LATE = Behaviour(after=4.0, fails=1.0)
NEVER_ANSWERS = Behaviour(after=None)
SUCCESS_LATE = Behaviour(after=4.9)
FAILS_EVERY_SECOND = Behaviour(every_second=True)
FAILS_ONE_IN_TWENTY = Behaviour(fails=0.05)


@dataclass(slots=True)
class Seen:
    """An attempt as its partner saw it; times in ms since the epoch.

    `ended` is when it was answered or its connection closed, None while it goes on; `success` is what was answered, None
    for nothing; `late` is how long (ms) after its claim it started.
    """

    partner: str
    sms_id: int
    at: int
    ended: int | None = None
    success: bool | None = None
    late: int = 0


@dataclass(slots=True)
class Server:
    """One partner's server; it decides how attempts end."""

    name: str
    behaviour: Behaviour
    asked: int = 0
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def will_take(self) -> bool:
        """Decide whether the attempt that has just arrived is answered with SUCCESS."""
        if self.behaviour.every_second:
            self.asked += 1
            return self.asked % 2 == 0
        return self.rng.random() >= self.behaviour.fails


class Servers:
    """All partners' servers: what a Pusher takes for its HTTP client. `on_attempt` is told of each attempt as it starts.

    `crashes` are when the environments of the next attempts crash: in shares of the attempt's duration.
    """

    def __init__(self, on_attempt: Callable[[Seen], None]) -> None:
        self.crashes: list[float] = []
        self._on_attempt = on_attempt
        self._by_url: dict[str, Server] = {}

    def open(self, name: str, behaviour: Behaviour) -> str:
        """Open a partner's server; return its Push URL."""
        url = f"https://{name.replace(' ', '-')}.example/push"
        self._by_url[url] = Server(name, behaviour)
        return url

    def behave(self, url: str, behaviour: Behaviour) -> None:
        """Have a partner answer differently from now on; attempts under way end as they began."""
        self._by_url[url].behaviour = behaviour

    async def attempt(
        self, url: str, body: dict[str, Any], secrets: Sequence[str], signer: Signer | None, dialect: Dialect
    ) -> AttemptResult:
        server, loop = self._by_url[url], timeline()
        seen = Seen(server.name, int(body["smsId"]), loop.now())
        self._on_attempt(seen)
        after = server.behaviour.after
        success = None if after is None else server.will_take()
        lasts = ATTEMPT_TIMEOUT_SECONDS if after is None else after + _WAY
        crash_at = self.crashes.pop(0) if self.crashes else None
        try:
            await asyncio.sleep(lasts * (1.0 if crash_at is None else crash_at))
            if crash_at in {None, 1.0}:
                seen.success = success
            if crash_at is not None:
                await crash()
        finally:
            seen.ended = loop.now()
        result = TIMED_OUT if success is None else DELIVERED if success else FAILED
        return replace(result, duration_ms=round(lasts * 1_000))
