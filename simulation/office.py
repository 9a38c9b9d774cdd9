"""A shop that pushes: the delivery routine over a partner's server that does as it is told."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from globalconnect.domain.errors import Unavailable
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import AttemptOutcome, AttemptResult
from globalconnect.domain.sms import Attempt, AttemptTally, DuePush, Sms, SmsRef
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.signing import Signer
from globalconnect.store.partners import Partners
from simulation.shop import Shop, present

PHONE = "447472190082"
URL = "https://hub.example/push"

DELIVERED = AttemptResult(delivered=True, outcome=AttemptOutcome.DELIVERED, http_status=200, duration_ms=7, answer="ok")
FAILED = AttemptResult(
    delivered=False, outcome=AttemptOutcome.HTTP_STATUS, http_status=500, duration_ms=7, answer="sorry"
)
STOP = AttemptResult(
    delivered=False,
    outcome=AttemptOutcome.STOP_WORD,
    http_status=400,
    duration_ms=7,
    answer='{"status":"NO_OP"}',
)
TIMED_OUT = AttemptResult(
    delivered=False, outcome=AttemptOutcome.TIMEOUT, http_status=None, duration_ms=5_000, answer=""
)


@dataclass(slots=True)
class ScriptedHub:
    """A partner's server: remembers what it got and answers as it is told; does what it is told before."""

    answers: list[AttemptResult] = field(default_factory=list)
    got: list[tuple[str, dict[str, Any], tuple[str, ...]]] = field(default_factory=list)
    dialects: list[Dialect] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    async def attempt(
        self, url: str, body: dict[str, object], secrets: Sequence[str], signer: Signer | None, dialect: Dialect
    ) -> AttemptResult:
        """Take one push."""
        self.before()
        self.got.append((url, body, tuple(secrets)))
        self.dialects.append(dialect)
        return self.answers.pop(0) if self.answers else DELIVERED


@dataclass(slots=True)
class NotedQueues:
    """Queues that only note what they are to send: (which SMS, group, due, to the slow queue?); or refuse it."""

    sent: list[tuple[SmsRef, str, int, bool]] = field(default_factory=list)
    refuse: bool = False
    pushes: list[DuePush] = field(default_factory=list)

    def send(self, pushes: Sequence[DuePush], *, slow: bool, now: int) -> list[Exception | None]:
        if self.refuse:
            return [Unavailable("refused") for _ in pushes]
        self.pushes += pushes
        self.sent += [(push.ref, push.partner_id, push.due, slow) for push in pushes]
        return [None] * len(pushes)


@dataclass(slots=True)
class Office:
    """A shop that pushes: one number, one partner with a Push URL, one activation, one SMS."""

    shop: Shop
    push_url: str = URL
    text: str = "Your code: 5015"
    phone: str = PHONE
    dialect: str = "globalconnect"
    hub: ScriptedHub = field(default_factory=ScriptedHub)
    partner: Partner = field(init=False)
    activation_id: int = field(init=False)
    ref: SmsRef = field(init=False)
    queues: NotedQueues = field(default_factory=NotedQueues)
    pusher: Pusher = field(init=False)
    made: list[Pusher] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop.stock(self.phone)
        self.partner = self.shop.partner(push_url=self.push_url, dialect=self.dialect)
        self.activation_id = self.shop.buy(self.partner).body["activationId"]
        self.shop.deliver(self.shop.source(), {"phone": self.phone, "from": "Microsoft", "text": self.text})
        self.ref = SmsRef(
            ActivationId(self.activation_id),
            present(self.shop.activations.sale(ActivationId(self.activation_id))).sms[0].sms_id,
        )
        self.pusher = self.with_parts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pusher in self.made:
            pusher.close()

    def due(self, at: int = 0) -> DuePush:
        """Return the push of the SMS as a queue message names it."""
        return DuePush(self.ref, self.partner.partner_id, at)

    def push(self, at: int = 0) -> frozenset[SmsRef]:
        return self.pusher.deliver([self.due(at)])

    def retry(self) -> frozenset[SmsRef]:
        return self.pusher.deliver([self.queues.pushes[-1]])

    def first_push(self) -> frozenset[SmsRef]:
        """Let the routine take the SMS up as one that was just stored."""
        return self.pusher.deliver_new([self.new()])

    def new(self) -> DuePush:
        return DuePush(self.ref, self.partner.partner_id, due=0, tally=AttemptTally())

    def sms(self) -> Sms:
        (sms,) = self.shop.pushes.find([self.ref])
        return sms

    def attempts(self) -> list[Attempt]:
        return self.shop.pushes.attempts(ActivationId(self.activation_id)).get(self.ref.sms_id, [])

    def with_parts(self, **parts: Any) -> Pusher:
        clock = self.shop.cloud.clock
        env, cache_seconds = self.shop.cloud.env, int(self.shop.cloud.env["CACHE_SECONDS"])
        encryption = self.shop.cloud.encryption(cache_seconds)
        partners = Partners(self.shop.cloud.db, env["PARTNERS_TABLE"], 0, clock, encryption)

        @asynccontextmanager
        async def open_client() -> AsyncIterator[ScriptedHub]:
            yield self.hub

        async def sleep(seconds: float) -> None:
            clock.advance(seconds=seconds)

        usual: dict[str, Any] = {
            "pushes": self.shop.pushes,
            "partners": partners,
            "queues": self.queues,
            "health": Health(partners, clock),
            "open_client": open_client,
            "max_age": None,
            "now": clock,
            "sleep": sleep,
        }
        pusher = Pusher(**usual | parts)
        self.made.append(pusher)
        return pusher
