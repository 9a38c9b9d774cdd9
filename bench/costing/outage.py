"""A partner's outage: what one attempt costs while SMS wait, by the routine's own calls and in virtual time.

What an attempt writes and reads is measured on moto. How well attempts share invocations and requests depends on how
many SMS wait at once, so the queue and its pollers are played through too, over a store in memory.
"""

import asyncio
import heapq
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from bench.costing import assumed
from bench.costing.meter import Counted
from bench.costing.prices import Usage
from bench.costing.virtual import Moment, virtual_time
from bench.costing.world import World, invocation_log, logged_by
from globalconnect.domain.activation import Activation
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS, AttemptOutcome, AttemptResult
from globalconnect.domain.push_schedule import INTERVAL
from globalconnect.domain.sms import Sms, SmsRef
from globalconnect.domain.times import DAY, MINUTE, SECOND
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import DuePush, RetryQueues, read_message
from globalconnect.push.signing import Signer
from globalconnect.runtime.metrics import PushMeter
from globalconnect.store.activations import from_activation, from_sms
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from tests.conftest import START
from tests.faults.cloud.store import MemoryStore

BATCH = 100
_HOUR = 60 * MINUTE
ATTEMPTS_PER_HOUR = _HOUR // INTERVAL
_KEEP = 30 * DAY
_RECEIVED_AT_ONCE = 10
# Virtual time until pollers and batches have settled, and those that count.
_WARM_UP_SECONDS = 60
_COUNTED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of outage: how an attempt ends, after how long (s), and what it sends (bytes)."""

    name: str
    short: str
    outcome: AttemptOutcome
    seconds: float
    sends: int
    handshake_seconds: float = 0.0


TIMES_OUT = Kind(
    "every attempt times out after 5 s",
    "time-outs",
    AttemptOutcome.TIMEOUT,
    ATTEMPT_TIMEOUT_SECONDS,
    assumed.HANDSHAKE_BYTES + assumed.PUSH_HEADERS_BYTES,
    assumed.HANDSHAKE_SECONDS,
)
REFUSES = Kind(
    "every connection is refused at once",
    "refusals",
    AttemptOutcome.CONNECTION,
    assumed.REFUSAL_SECONDS,
    assumed.SYN_BYTES,
)
DELIVERS = Kind(
    "delivered",
    "deliveries",
    AttemptOutcome.DELIVERED,
    assumed.PARTNER_SECONDS,
    assumed.HANDSHAKE_BYTES + assumed.PUSH_HEADERS_BYTES,
    assumed.HANDSHAKE_SECONDS,
)
KINDS = (TIMES_OUT, REFUSES)


def processor_seconds(kind: Kind, attempt_ms: float, memory_gb: float) -> float:
    """Return what an attempt takes of a function's processor (s), from what it takes of a whole one (ms)."""
    return (attempt_ms / 1_000 + kind.handshake_seconds) * assumed.slower(memory_gb)


class PartnerServer:
    """A partner's side in virtual time; the function's one processor takes `processor_seconds` for each attempt."""

    def __init__(self, kind: Kind, moment: Moment, processor_seconds: float) -> None:
        self._kind = kind
        self._moment = moment
        self._processor_seconds = processor_seconds
        self._processor_free = 0.0
        self.body_bytes = 0

    async def attempt(
        self, url: str, body: dict[str, object], secrets: Sequence[str], signer: Signer | None
    ) -> AttemptResult:
        """Take as long as the kind of outage does."""
        del url, secrets, signer
        self.body_bytes += len(json.dumps(body, ensure_ascii=False).encode())
        self._processor_free = max(self._processor_free, self._moment.at) + self._processor_seconds
        await asyncio.sleep(self._processor_free - self._moment.at + self._kind.seconds)
        delivered = self._kind.outcome is AttemptOutcome.DELIVERED
        return AttemptResult(
            delivered=delivered,
            outcome=self._kind.outcome,
            http_status=200 if delivered else None,
            duration_ms=round(self._kind.seconds * SECOND),
            answer='{"status":"SUCCESS"}' if delivered else "",
        )


class Sqs:
    """What RetryQueues ask of SQS; hands each entry on."""

    def __init__(self, take: Callable[[Mapping[str, Any]], None]) -> None:
        self.requests = 0
        self._take = take

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Take messages; none is refused."""
        del QueueUrl
        self.requests += 1
        for entry in Entries:
            self._take(entry)
        return {}


def as_client(sqs: Sqs) -> Any:
    """Return the fake as what RetryQueues take."""
    return cast("Any", sqs)


def as_partners(partners: Partners | MemoryStore) -> Partners:
    """Return either store as what Health takes."""
    return cast("Partners", partners)


def waiting(store: MemoryStore, url: str, now: int, size: int = BATCH) -> tuple[Partner, list[Sms]]:
    """Store a partner and SMS that wait for it since before `now` (ms); return them."""
    partner = Partner("outage", "Outage", "gc_outage_key", url, None, "default", now)
    store.add_partner(partner)
    messages = [_sms(partner, number, now) for number in range(size)]
    for sms in messages:
        store.store_sms(sms)
    return partner, messages


def new_delivery(
    pushes: Pushes | MemoryStore, partners: Partners | MemoryStore, sqs: Sqs, server: PartnerServer, moment: Moment
) -> Pusher:
    """Return the routine of one environment."""

    @asynccontextmanager
    async def open_client() -> AsyncIterator[PartnerServer]:
        yield server

    return Pusher(
        pushes=pushes,
        partners=partners,
        queues=RetryQueues(as_client(sqs), "retry", "slow"),
        health=Health(as_partners(partners), moment.ms),
        open_client=open_client,
        max_age=None,
        now=moment.ms,
        meter=PushMeter(),
    )


# ---------------------------------------------------------------- one attempt, on moto


@dataclass(frozen=True, slots=True)
class Attempts:
    """What a batch of attempts took: `each` per attempt, `beside` per invocation, with Lambda's time in `seconds`."""

    each: Usage
    beside: Usage
    seconds: float
    requests: int
    calls: Counted


def measure(world: World, kind: Kind, processor_seconds: float, size: int = BATCH) -> Attempts:
    """Let the routine make the second attempt of as many SMS, which came up to 2.2 s before they are due."""
    moment = Moment(START)
    partner = world.shop.partner(push_url="https://hub.example/globalconnect/push", name="Partner of the outage")
    messages = [_sms(partner, number, moment.ms()) for number in range(size)]
    _store(world, messages)
    pushes = Pushes(world.cloud.db, world.table("ActivationsTable"), _KEEP)
    partners = Partners(world.cloud.db, world.table("PartnersTable"), 0, moment.ms)
    server = PartnerServer(kind, moment, processor_seconds)
    sqs = Sqs(lambda _: None)
    rng = random.Random(1)  # noqa: S311 - repeatable
    due = [
        DuePush(
            _ref(sms), partner.partner_id, moment.ms() + (round(rng.uniform(0, 2_200)) if size > 1 else 0), sms.tally
        )
        for sms in messages
    ]
    world.meter.restart()
    with virtual_time(moment, assumed.CALL_SECONDS):
        pusher = new_delivery(pushes, partners, sqs, server, moment)
        logged = logged_by(lambda: _deliver(pusher, due))
        seconds = moment.at
        pusher.close()
    counted = world.meter.counted
    out_gb = (server.body_bytes / size * (kind is not REFUSES) + kind.sends) / 1e9
    each = counted.usage_of("ActivationsTable") * (1 / size) + Usage(logs=logged / size / 1e9, transfer_out=out_gb)
    beside = counted.usage_of("PartnersTable") + Usage(
        lambda_requests=1, traces=world.traced, logs=invocation_log(0) / 1e9
    )
    return Attempts(each, beside, seconds, sqs.requests, counted)


def measure_sweep(world: World, size: int = BATCH) -> Usage:
    """Return what one minute's sweep takes for each pending SMS; those of `measure` must be there, a minute old."""
    world.cloud.clock.at = START + 50 * SECOND
    world.meter.restart()
    logged_by(world.shop.sweep)
    return world.meter.counted.usage_of("ActivationsTable") * (1 / size)


def _deliver(pusher: Pusher, due: Sequence[DuePush]) -> None:
    left = pusher.deliver(due)
    if left:
        raise AssertionError(f"{len(left)} SMS were not claimed")


def _store(world: World, messages: Sequence[Sms]) -> None:
    items = [item for sms in messages for item in (from_activation(_activation(sms), _KEEP), from_sms(sms, _KEEP))]
    world.cloud.db.put_many(world.table("ActivationsTable"), items)


def _activation(sms: Sms) -> Activation:
    return Activation(
        sms.activation_id, sms.partner_id, sms.phone, "england", "Hutchison 3G UK Ltd", "tg", sms.stored_at - MINUTE,
        sms.stored_at + _HOUR,
    )  # fmt: skip


def _sms(partner: Partner, number: int, now: int) -> Sms:
    return Sms(
        sms_id=4_259_911_078_000_000 + number,
        activation_id=1_094_680_604_000_000 + number,
        partner_id=partner.partner_id,
        phone=str(447_472_000_000 + number),
        phone_from="Telegram",
        text=assumed.SMS_TEXT,
        received_at=now - INTERVAL,
        stored_at=now - INTERVAL,
        next_due=now,
        attempts=1,
        outcomes={AttemptOutcome.HTTP_STATUS.value: 1},
    )


def _ref(sms: Sms) -> SmsRef:
    return SmsRef(sms.activation_id, sms.sms_id)


# ---------------------------------------------------------------- how attempts share invocations


@dataclass(frozen=True, slots=True)
class Sharing:
    """Per attempt: invocations, seconds of them, requests to SQS, and units written to partners' items."""

    invocations: float
    seconds: float
    requests: float


@dataclass(slots=True)
class _Environment:
    pusher: Pusher
    busy_until: float = 0.0


@dataclass(slots=True, eq=False)
class _Lane:
    """A poller that gathers a batch; `since` tells one batch from the next."""

    batch: list[str] = field(default_factory=list)
    since: float = 0.0


class Outage:
    """The queue, its pollers and the environments, while `pending` SMS wait for one partner."""

    def __init__(self, kind: Kind, pending: int, processor_seconds: float) -> None:
        self._kind = kind
        self._processor_seconds = processor_seconds
        self._moment = Moment(START)
        self._rng = random.Random(1)  # noqa: S311 - repeatable
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._store = MemoryStore()
        self._sqs = Sqs(self._send)
        self._environments: list[_Environment] = []
        self._gathering = [_Lane() for _ in range(assumed.POLLERS)]
        self._waiting: list[str] = []
        self._growing = False
        self._sent_before = 0
        self._attempts = self._invocations = self._requests = 0
        self._seconds = 0.0
        for sms in waiting(self._store, "https://hub.example/", START, pending)[1]:
            self._begin(sms)

    def play(self) -> Sharing:
        """Let the time pass."""
        with virtual_time(self._moment, assumed.CALL_SECONDS):
            self._until(_WARM_UP_SECONDS)
            self._attempts = self._invocations = self._requests = 0
            self._seconds, self._sent_before = 0.0, self._sqs.requests
            self._until(_WARM_UP_SECONDS + _COUNTED_SECONDS)
            for environment in self._environments:
                environment.pusher.close()
        requests = self._requests + self._sqs.requests - self._sent_before
        return Sharing(self._invocations / self._attempts, self._seconds / self._attempts, requests / self._attempts)

    def _begin(self, sms: Sms) -> None:
        at = self._rng.uniform(0, INTERVAL / SECOND)
        push = DuePush(_ref(sms), sms.partner_id, START + round(at * SECOND) + SECOND)
        body = {"activationId": push.ref.activation_id, "smsId": push.ref.sms_id, "partnerId": push.partner_id}
        self._at(at, lambda: self._offer(json.dumps({**body, "due": push.due})))

    def _until(self, end: float) -> None:
        while self._events and self._events[0][0] < end:
            self._moment.at, _, happens = heapq.heappop(self._events)
            happens()

    def _at(self, moment: float, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), happens))

    def _send(self, entry: Mapping[str, Any]) -> None:
        late = self._rng.uniform(0, assumed.PICK_UP_SECONDS)
        body: str = entry["MessageBody"]
        self._at(self._moment.at + entry["DelaySeconds"] + late, lambda: self._offer(body))

    def _offer(self, body: str) -> None:
        if self._gathering:
            self._take(self._rng.choice(self._gathering), body)
            return
        self._waiting.append(body)
        if not self._growing:
            self._grow_later()

    def _grow_later(self) -> None:
        self._growing = True
        self._at(self._moment.at + 1 / assumed.POLLERS_PER_SECOND, self._grow)

    def _grow(self) -> None:
        self._growing = False
        if self._waiting:
            self._free(_Lane())
            if self._waiting:
                self._grow_later()

    def _take(self, lane: _Lane, body: str) -> None:
        lane.batch.append(body)
        if len(lane.batch) == 1:
            lane.since = self._moment.at
            since = lane.since
            self._at(since + 1, lambda: self._window_ends(lane, since))
        if len(lane.batch) >= BATCH:
            self._invoke(lane)

    def _window_ends(self, lane: _Lane, since: float) -> None:
        if lane.batch and lane.since == since:
            self._invoke(lane)

    def _free(self, lane: _Lane) -> None:
        self._gathering.append(lane)
        while self._waiting and lane in self._gathering:
            self._take(lane, self._waiting.pop(self._rng.randrange(min(len(self._waiting), BATCH))))

    def _invoke(self, lane: _Lane) -> None:
        # A whole invocation at once: what it sends is due later than anything that happens while it lasts.
        began = self._moment.at
        self._gathering = [one for one in self._gathering if one is not lane]
        batch, lane.batch = lane.batch, []
        environment = self._idle()
        logged_by(lambda: _deliver(environment.pusher, [read_message(body) for body in batch]))
        environment.busy_until = self._moment.at
        self._attempts += len(batch)
        self._invocations += 1
        self._seconds += self._moment.at - began
        # Received by tens, deleted by tens.
        self._requests += 2 * -(-len(batch) // _RECEIVED_AT_ONCE)
        self._at(self._moment.at, lambda: self._free(lane))
        self._moment.at = began

    def _idle(self) -> _Environment:
        for environment in self._environments:
            if environment.busy_until <= self._moment.at:
                return environment
        server = PartnerServer(self._kind, self._moment, self._processor_seconds)
        made = _Environment(new_delivery(self._store, self._store, self._sqs, server, self._moment))
        self._environments.append(made)
        return made


# ---------------------------------------------------------------- an hour


@dataclass(frozen=True, slots=True)
class Hour:
    """What one pending SMS takes in an hour of outage, and how its attempts shared invocations."""

    usage: Usage
    sharing: Sharing


def hour(attempts: Attempts, sharing: Sharing, sweep: Usage, memory_gb: float) -> Hour:
    """Return what an hour takes per pending SMS."""
    each = (
        attempts.each
        + attempts.beside * sharing.invocations
        + Usage(lambda_seconds=sharing.seconds * memory_gb, sqs_requests=sharing.requests, sqs_fair=sharing.requests)
    )
    return Hour(each * ATTEMPTS_PER_HOUR + sweep * 60, sharing)


def shared_fully(attempts: Attempts) -> Sharing:
    """Return how the attempts of a full batch share: fewer invocations are not possible."""
    requests = attempts.requests + 2 * BATCH // _RECEIVED_AT_ONCE
    return Sharing(1 / BATCH, attempts.seconds / BATCH, requests / BATCH)
