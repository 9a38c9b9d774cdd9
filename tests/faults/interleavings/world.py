"""A whole GlobalConnect that pushes, in virtual time: environments, stream, queues, sweep, partners, operator."""

import asyncio
import contextvars
import random
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, cast

import push_retry.app
import push_sms.app
from globalconnect.domain.inbound import InboundSms, Lease, Receipt, identity_of
from globalconnect.domain.number import EndedLease
from globalconnect.domain.sms import AttemptTally, PushState, Sms, SmsRef
from globalconnect.domain.times import MINUTE
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import RetryQueues, read_message
from globalconnect.store.activations import pending_shard, sms_key
from globalconnect.store.arrivals import Arrivals
from globalconnect.store.dynamo import ConditionFailed, Dynamo, from_wire, to_wire
from globalconnect.store.inbox import Inbox
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from simulation.aws import START, Clock, Cloud, make_environment, next_prefix
from simulation.desk import Desk
from simulation.shop import Shop
from sweep.sweep import Sweep
from tests.faults.interleavings.aws import Aws, Call, Message, Queue, Sqs, Tables, Trouble
from tests.faults.interleavings.partner import Behaviour, Servers
from tests.faults.interleavings.timeline import LIFE, Life, Timeline, in_strand, pause, wait

# Function time-outs (s) as in template.yaml.
_PUSH_TIMEOUT = 30
_OTHER_TIMEOUT = 29
_STREAM_TRIES = 10

_SOON = 10_000
_SWEEP_EVERY = MINUTE
_POLL_EVERY = 200
"""ms"""

_FIRST_SMS = 1_000_000


class Environment(Life):
    """An environment of a push function, with its own parts, until it crashes."""

    def __init__(self, pusher: Pusher) -> None:
        super().__init__()
        self.pusher = pusher
        self.busy_with: frozenset[SmsRef] = frozenset()

    @property
    def is_free(self) -> bool:
        """Return whether it could take an invocation."""
        return not self.over and not self.busy_with


class Errand(Life):
    """One invocation of a function without state of its own, about these SMS if any."""

    def __init__(self, *refs: SmsRef) -> None:
        super().__init__()
        self.busy_with = frozenset(refs)


def pusher_here() -> Pusher:
    """Return the delivery routine of the environment that asks: what the handlers call instead of their wiring."""
    life = LIFE.get()
    assert isinstance(life, Environment)
    return life.pusher


class InOrder:
    """What the sweep uses as its threads: one shard after the other, in the strand that sweeps.

    Those after one that fails are left out, which is worse than what happens with threads.
    """

    def __init__(self, size: int) -> None:
        """Take the number of threads."""

    def __enter__(self) -> Self:
        """Start nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """End nothing."""

    def map[A, R](self, do: Callable[[A], R], each: Sequence[A]) -> Iterator[R]:
        """Do it for each."""
        return iter([do(one) for one in each])


class _NoLeases(Numbers):
    """Leases that run out are no matter of pushes."""

    def held_until(self, shard: str, now: int) -> Iterator[EndedLease]:
        return iter(())


class _WatchedPushes(Pushes):
    """Notes when claims are asked for, and by which environment."""

    def __init__(self, db: Dynamo, table: str, retention: int, claimed_at: dict[tuple[Life | None, int], int]) -> None:
        super().__init__(db, table, retention)
        self._claimed_at = claimed_at

    def claim(
        self, refs: Sequence[SmsRef], now: int, tallies: Mapping[SmsRef, AttemptTally] | None = None
    ) -> list[Sms | Exception | None]:
        self._claimed_at.update({(LIFE.get(), ref.sms_id): now for ref in refs})
        return super().claim(refs, now, tallies)


class _Runner:
    """What a Pusher runs its batches with: the one loop of all."""

    def run(self, batch: Coroutine[Any, Any, Any]) -> Any:
        """Run a batch to its end; the handler that asked for it waits in its strand."""
        return wait(batch)


@dataclass(slots=True)
class Lane:
    """The SMS of an activation in the stream, and how far they were read."""

    records: list[dict[str, Any]]
    refs: list[SmsRef]
    position: int = 0
    tries: int = 0
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How the pushing of an SMS stands; times in ms, `due` is when its next attempt is.

    `attempts` and `outcomes` are what has been noted of its attempts.
    """

    ref: SmsRef
    state: PushState
    due: int
    stored_at: int
    queued_again_at: int | None
    attempts: int
    outcomes: dict[str, int]

    @property
    def is_pending(self) -> bool:
        """Return whether it is to be pushed."""
        return self.state is PushState.PENDING


class World:
    """All of it. `close` it."""

    def __init__(self, client: Any, template: dict[str, Any], seed: int, activations: int) -> None:
        # The stores draw the pauses between their tries from this.
        random.seed(seed)
        self.clock = Clock()
        self.loop = Timeline(self.clock)
        self.rng = random.Random(seed)
        self.aws = Aws(self.rng, self._met)
        self.sqs = Sqs(self.aws, self.clock)
        self._client = client
        self.env = make_environment(template, client, self.sqs, prefix=next_prefix())
        self.db = Dynamo(cast("Any", Tables(self.aws, client, self.env)), pause=pause)
        self.cloud = Cloud(self.db, client, self.sqs, self.env, self.clock, self.rng.randrange)
        self.shop = Shop(self.cloud)
        self.servers = Servers(self.clock, self._sms, self._tell)
        # Those that may have no message, since something happened to it: the sweep will have to find them.
        self.excused: set[SmsRef] = set()
        self.told: list[str] = []
        self.environments: list[Environment] = []
        self.under_way: set[asyncio.Task[None]] = set()
        self.lives: dict[Environment | Errand, None] = {}
        self.refs: list[SmsRef] = []
        self._read: list[SmsRef] = []
        self._swept_at = self.clock()
        self._open(activations)

    def _open(self, activations: int) -> None:
        self.shop.sell("tg")
        self.urls = [f"https://hub{n}.example/push" for n in range(2)]
        self.partners = [self.shop.partner(push_url=url) for url in self.urls]
        phones = [f"4474721900{n:02}" for n in range(activations)]
        self.shop.stock(*phones)
        self.owners = {}
        self.phones = {}
        self.lanes: dict[int, Lane] = {}
        for place in range(activations):
            partner = self.partners[place % len(self.partners)]
            bought = self.shop.buy(partner).body
            activation_id = bought["activationId"]
            self.owners[activation_id] = partner
            self.phones[activation_id] = bought["number"]
            self.lanes[activation_id] = Lane([], [])
        for url in self.urls:
            self.servers.behaviours[url] = Behaviour.TAKES
        store = self.shop.activations
        inbox = Inbox(self.db, self.env["INBOX_TABLE"], store.retention)
        self._arrivals = Arrivals(self.db, self.shop.numbers, store, inbox)
        self._desk = Desk(self.cloud)
        self._sweep = Sweep(
            _NoLeases(self.db, self.env["NUMBERS_TABLE"]), self._partners(), self._pushes(), self._queues(), self.clock
        )

    def _partners(self) -> Partners:
        return Partners(self.db, self.env["PARTNERS_TABLE"], 0, self.clock)

    def _pushes(self) -> Pushes:
        store = self.shop.activations
        return _WatchedPushes(self.db, store.table, store.retention, self.servers.claimed_at)

    def _queues(self) -> RetryQueues:
        return RetryQueues(cast("Any", self.sqs), self.env["RETRY_QUEUE_URL"], self.env["SLOW_RETRY_QUEUE_URL"], pause)

    def close(self) -> None:
        """End everything."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.close()

    # ---------------------------------------------------------- looking

    def queue(self, *, slow: bool) -> Queue:
        """Return a retry queue."""
        return self.sqs.queues[self.env["SLOW_RETRY_QUEUE_URL" if slow else "RETRY_QUEUE_URL"]]

    def standings(self) -> list[Standing]:
        """Return how the pushing of every SMS stands now."""
        table = self.env["ACTIVATIONS_TABLE"]
        # Only what is needed: the pretend cloud takes long over every attribute.
        asked: Any = {
            "Keys": [to_wire(sms_key(ref)) for ref in self.refs],
            "ProjectionExpression": "activation_id, sms_id, push_state, next_due, stored_at, queued_again_at, attempts, outcomes",
            "ConsistentRead": True,
        }
        found = map(from_wire, self._client.batch_get_item(RequestItems={table: asked})["Responses"][table])
        return [
            Standing(
                SmsRef(item["activation_id"], item["sms_id"]),
                PushState(item["push_state"]),
                max(item["next_due"], item["stored_at"]),
                item["stored_at"],
                item.get("queued_again_at"),
                item["attempts"],
                item.get("outcomes", {}),
            )
            for item in found
        ]

    def is_finished(self, activation_id: int) -> bool:
        """Return whether an activation has an outcome."""
        activation = self.shop.activations.get(activation_id)
        assert activation is not None
        return activation.outcome is not None

    def _sms(self, sms_id: int) -> Sms:
        (ref,) = [ref for ref in self.refs if ref.sms_id == sms_id]
        (sms,) = Pushes(Dynamo(self._client), self.env["ACTIVATIONS_TABLE"], 0).find([ref])
        return sms

    def without_message(self, standings: Sequence[Standing]) -> list[SmsRef]:
        """Return those that are pending though nothing is on its way that pushes them in time, and no trouble excuses it.

        What is found to be on its way is not excused any longer.
        """
        in_hand = {ref for life in self.lives for ref in life.busy_with}
        in_hand |= {ref for lane in self.lanes.values() for ref in lane.refs[lane.position :]}
        queued = self._queued()
        now = self.clock()
        lacking = []
        for sms in standings:
            # A message that comes before its SMS is due is dropped; it waits for its own time only.
            in_time = any(sms.due <= max(at, now) and at <= now + _SOON for at in queued.get(sms.ref, ()))
            if in_time or not sms.is_pending:
                self.excused.discard(sms.ref)
            elif sms.ref not in in_hand and sms.ref not in self.excused:
                lacking.append(sms.ref)
        return lacking

    def _queued(self) -> dict[SmsRef, list[int]]:
        """Return when queued messages will ask for their pushes, by SMS."""
        queued: dict[SmsRef, list[int]] = {}
        for queue in self.sqs.queues.values():
            for message in queue.messages.values():
                push = read_message(message.body)
                queued.setdefault(push.ref, []).append(max(push.due, message.visible_at))
        return queued

    def is_in_index(self, sms: Standing) -> bool:
        """Return whether the sweep would come across an SMS."""
        return sms.ref in self.shop.pushes.pending(pending_shard(sms.ref.sms_id), sms.stored_at)

    # ---------------------------------------------------------- what happens

    def pass_time(self, ms: int, *, working: bool = False) -> None:
        """Let time pass; with `working`, AWS does meanwhile what it does by itself: it invokes functions."""
        self.loop.run_until_complete(self._pass_time(ms, working=working))

    async def _pass_time(self, ms: int, *, working: bool) -> None:
        until = self.clock() + ms
        while True:
            if working:
                self._work()
            step = min(until - self.clock(), _POLL_EVERY if working else ms)
            if step <= 0:
                return
            await asyncio.sleep(step / 1_000)

    def _work(self) -> None:
        for activation_id in self.lanes:
            self.read_stream(activation_id)
        for slow in (False, True):
            self.receive(slow=slow)
        if self.clock() >= self._swept_at + _SWEEP_EVERY:
            self.sweep()

    def store(self, activation_id: int) -> None:
        """Let an SMS arrive, if the activation still holds its number."""
        now, partner = self.clock(), self.owners[activation_id]
        sms_id = _FIRST_SMS + len(self.refs)
        phone = self.phones[activation_id]
        sms = Sms(sms_id, activation_id, partner.partner_id, phone, "Microsoft", "Your code: 5015", now, now)
        lease = Lease(phone, activation_id, partner.partner_id, now)
        ref = SmsRef(activation_id, sms_id)
        try:
            came = InboundSms(phone, sms.phone_from, sms.text, str(sms_id))
            arrival = Receipt(sms_id, "gateway", identity_of(came, "gateway", now), came, now)
            self._arrivals.store(sms, lease, arrival, None)
        except ConditionFailed:
            return
        self.refs.append(ref)
        self._tell(f"SMS {sms_id} of {activation_id} is stored")
        lane = self.lanes[activation_id]
        image = to_wire({**sms_key(ref), "sms_id": sms_id, "partner_id": partner.partner_id})
        lane.records.append({"dynamodb": {"SequenceNumber": f"{len(lane.records):021}", "NewImage": image}})
        lane.refs.append(ref)

    def read_stream(self, activation_id: int) -> None:
        """Invoke push_sms with what is new in the stream, unless it is at work on this activation."""
        lane = self.lanes[activation_id]
        if not lane.is_read and lane.position < len(lane.records):
            lane.is_read = True
            self._start(self._read_on(lane))

    def read_stream_again(self, activation_id: int) -> None:
        """Invoke push_sms with what it has had before: its end was not noted."""
        lane = self.lanes[activation_id]
        if lane.position:
            event = {"Records": lane.records[: lane.position]}
            refs = lane.refs[: lane.position]
            self._start(self._ignore(self._push(push_sms.app.handler, event, refs)))

    async def _ignore(self, work: Coroutine[Any, Any, object]) -> None:
        await work

    async def _read_on(self, lane: Lane) -> None:
        records, refs = lane.records[lane.position :], lane.refs[lane.position :]
        answer = await self._push(push_sms.app.handler, {"Records": records}, refs)
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        done = 0
        if answer is not None:
            failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
            done = min([numbers.index(number) for number in failed], default=len(records))
        lane.tries = 0 if done else lane.tries + 1
        if lane.tries > _STREAM_TRIES:
            # Given up, to the dead letters.
            done, lane.tries = len(records), 0
            self.excused.update(refs)
        lane.position += done
        lane.is_read = False

    def receive(self, *, slow: bool, duplicate: bool = False, order: Sequence[str] | None = None) -> None:
        """Invoke push_retry with all there is to receive; with `duplicate`, one message is there twice.

        They come in any order, or in that of these bodies.
        """
        queue = self.queue(slow=slow)
        messages = [message for message in queue.visible() if queue.receive(message)]
        if not messages:
            return
        self.rng.shuffle(messages)
        if order is not None:
            messages.sort(key=lambda message: order.index(message.body))
        if duplicate:
            messages.append(self.rng.choice(messages))
        self._start(self._retry(queue, messages))

    async def _retry(self, queue: Queue, messages: Sequence[Message]) -> None:
        records = [{"messageId": message.message_id, "body": message.body} for message in messages]
        refs = [read_message(message.body).ref for message in messages]
        answer = await self._push(push_retry.app.handler, {"Records": records}, refs)
        if answer is None:
            return
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        for message in messages:
            if message.message_id not in failed:
                queue.delete(message)

    def duplicate(self, *, slow: bool, delay_ms: int) -> None:
        """Have a message of a queue delivered once more, after a while."""
        queue = self.queue(slow=slow)
        if queue.messages:
            queue.put(self.rng.choice(list(queue.messages.values())).body, delay_ms)

    def purge(self) -> None:
        """Lose all messages."""
        for slow in (False, True):
            messages = self.queue(slow=slow).messages
            self.excused.update(read_message(message.body).ref for message in messages.values())
            messages.clear()

    def sweep(self) -> None:
        """Let the minute's sweep run."""
        self._tell("a sweep begins")
        self._swept_at = self.clock()
        self._start(self._ignore(self._run(Errand(), self._sweep.run, _OTHER_TIMEOUT)))

    def finish(self, activation_id: int) -> None:
        """Let the partner finish an activation."""
        self._start(self._finish(activation_id))

    async def _finish(self, activation_id: int) -> None:
        ask = partial(self.shop.finish, self.owners[activation_id], activation_id, 5)
        reply = await self._run(Errand(), ask, _OTHER_TIMEOUT)
        if reply is not None and reply.status == 200:
            self.servers.finished_at.setdefault(activation_id, self.clock())
            self._tell(f"FINISH of {activation_id} is answered")

    def push_again(self, ref: SmsRef) -> None:
        """Let an operator push an SMS once more."""
        self._start(self._push_again(ref))

    async def _push_again(self, ref: SmsRef) -> None:
        path = f"/admin/activations/{ref.activation_id}/messages/{ref.sms_id}/push"
        asked = self.servers.pushed_again.setdefault(ref.sms_id, [])
        asked.append(self.clock())
        # It may take effect at any time until it is answered.
        reply = await self._run(Errand(ref), partial(self._desk.post, path), _OTHER_TIMEOUT)
        asked.append(self.clock())
        if reply is None or reply.status != 202:
            self.excused.add(ref)

    def crash_one(self) -> None:
        """End an environment that is at work, or another function."""
        alive = sorted(
            (life for life in self.lives if not life.over), key=lambda life: sorted(map(str, life.busy_with))
        )
        if alive:
            life = self.rng.choice(alive)
            self._tell(f"a function crashes, {sorted(ref.sms_id for ref in life.busy_with)} in hand")
            self.excused |= life.busy_with
            life.end()

    # ---------------------------------------------------------- functions

    def _tell(self, what: str) -> None:
        """Note what happened, for whoever reads a failing example."""
        self.told.append(f"{(self.clock() - START) / 1_000:9.3f} s: {what}")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    def _met(self, call: Call, trouble: Trouble) -> None:
        self._tell(f"{call.name} meets {trouble.name}")
        life = LIFE.get()
        assert isinstance(life, Environment | Errand)
        self.excused |= life.busy_with

    async def _push(self, handler: Any, event: dict[str, Any], refs: Sequence[SmsRef]) -> Any:
        """Invoke a push function; return its answer, None when it crashed, ran out of time or failed."""
        environment = next((one for one in self.environments if one.is_free), None)
        if environment is None:
            environment = Environment(self._pusher())
            self.environments.append(environment)
        environment.busy_with = frozenset(refs)
        self._tell(f"{handler.__module__} gets {[ref.sms_id for ref in refs]}")
        try:
            return await self._run(environment, partial(handler, event, None), _PUSH_TIMEOUT)
        finally:
            if environment.over:
                self.excused |= environment.busy_with
                self.environments.remove(environment)
            environment.busy_with = frozenset()

    async def _run(self, life: Environment | Errand, do: Callable[[], Any], limit: int) -> Any:
        context = contextvars.copy_context()
        context.run(LIFE.set, life)
        self.lives[life] = None
        task = self.loop.create_task(in_strand(do), context=context)
        try:
            _, running = await asyncio.wait({task}, timeout=limit)
            if running:
                life.end()
                await asyncio.wait({task})
        finally:
            del self.lives[life]
        if task.cancelled() or task.exception() is not None:
            self.excused |= life.busy_with
            return None
        return task.result()

    def _pusher(self) -> Pusher:
        partners = self._partners()
        pusher = Pusher(
            pushes=self._pushes(),
            partners=partners,
            queues=self._queues(),
            health=Health(partners, self.clock),
            open_client=lambda: self.servers,
            max_age=None,
            now=self.clock,
        )
        # All environments share one loop here, so that they go on side by side.
        pusher._runner = _Runner()  # type: ignore[assignment]
        return pusher

    def calm_down(self) -> None:
        """Let nothing go wrong any more."""
        self.aws.waiting.clear()
        self.servers.crashes.clear()
        for url in self.urls:
            self.servers.behaviours[url] = Behaviour.TAKES
