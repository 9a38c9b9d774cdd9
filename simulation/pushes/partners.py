"""Partners' servers: how they behave, and what they see of it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field


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
    """An attempt as its partner saw it; times in s since the epoch.

    `ended` is when it was answered or its connection closed, None while it goes on; `success` is what was answered.
    """

    partner: str
    sms_id: int
    arrived: float
    ended: float | None = None
    success: bool = False


@dataclass(slots=True)
class Server:
    """One partner's server, without the network: decides how attempts end, and counts the SMS it has taken."""

    name: str
    behaviour: Behaviour
    asked: int = 0
    taken: set[int] = field(default_factory=set)
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def will_take(self) -> bool:
        """Decide whether the attempt that has just arrived is answered with SUCCESS."""
        if self.behaviour.every_second:
            self.asked += 1
            return self.asked % 2 == 0
        return self.rng.random() >= self.behaviour.fails

    def answer(self, attempt: Seen, at: float, *, success: bool) -> None:
        attempt.ended, attempt.success = at, success
        if success:
            self.taken.add(attempt.sms_id)


class Servers:
    """All partners' servers, and every attempt they saw, by time of arrival."""

    def __init__(self) -> None:
        self._by_name: dict[str, Server] = {}
        self._attempts: list[Seen] = []

    def open(self, name: str, behaviour: Behaviour) -> str:
        """Open a partner's server; return its Push URL."""
        self._by_name[name] = server = Server(name, behaviour)
        return self._listen(server)

    def _listen(self, server: Server) -> str:
        raise NotImplementedError

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """Have a partner answer differently from now on; attempts under way end as they began."""
        self._by_name[name].behaviour = behaviour

    def taken(self, names: Iterable[str]) -> int:
        """Count the SMS that partners answered with SUCCESS."""
        return sum(len(self._by_name[name].taken) for name in names)

    def attempts(self) -> list[Seen]:
        return self._attempts

    def arrived(self, server: Server, sms_id: int, at: float) -> Seen:
        attempt = Seen(server.name, sms_id, at)
        self._attempts.append(attempt)
        return attempt
