"""The simulated cloud put together, in virtual time: played step by step, and watched for what contract 3 forbids."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from admin_api.activations import LONGEST_ATTEMPT
from globalconnect.domain.ids import LARGEST_ID, ActivationId, PartnerId, SmsId
from globalconnect.domain.partner import Partner, new_key
from globalconnect.domain.push_schedule import CLAIM_LASTS, INTERVAL
from globalconnect.domain.sms import DuePush, PushState, Sms, SmsRef
from globalconnect.push.queue import read_message
from globalconnect.store.dynamo import from_wire
from simulation.aws import START
from simulation.pushes.environments import Environment, Environments, Event, InvocationFailed, Refused, environment
from simulation.pushes.functions import PUSH_RETRY, PUSH_SMS, RETRY_QUEUE, SLOW_RETRY_QUEUE, SWEEP, queues_of
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import SUCCESS, Behaviour, Seen, Servers
from simulation.pushes.queue import Invoke, Message, Queue, QueueSource
from simulation.pushes.store import MemoryStore
from simulation.pushes.stream import Stream
from simulation.pushes.timeline import Timeline, timeline

FINISH_HOLDS_AFTER = 500
"""No attempt starts more than this after FINISH_ACTIVATION was answered (contract 3), ms."""

# What a GET_NUMBER takes a warm partner_api (s), on the slow side.
_A_MOMENT = 0.1

_OF_STORE = (
    "claim",
    "open_among",
    "settle",
    "keep_attempts",
    "pending",
    "find",
    "note_queued_again",
    "many",
    "without_secrets",
    "note_slow",
    "note_success",
)
# All that the functions call AWS for.
CALLS = (*_OF_STORE, "send")


class SimulatedCloud:
    """Tables, stream, queues, functions and partners. `close` it.

    `wrong` says what must never have happened, `told` what did, for whoever reads a failing example. `sms` are all SMS
    as they were stored, `attempts` those that partners saw of each, by its id. Processor time costs
    nothing here: how much of it pushes take is measured by simulation/attempts.
    """

    def __init__(self, parameters: Parameters | None = None, store: Any = None) -> None:
        self._runner = asyncio.Runner(loop_factory=Timeline)
        loop = self._runner.get_loop()
        assert isinstance(loop, Timeline)
        self.now = loop.now
        self.parameters = parameters or Parameters()
        self.store = store or MemoryStore()
        self.rng = random.Random(self.parameters.seed)
        self.wrong: list[str] = []
        self.told: list[str] = []
        self.sms: dict[int, Sms] = {}
        self.attempts: dict[int, list[Seen]] = {}
        self.finished_at: dict[int, int] = {}
        self.claims: Counter[int] = Counter()
        # Those that may have no message, since something happened to it: the sweep will have to find them.
        self.excused: set[SmsRef] = set()
        self._urls: dict[str, str] = {}
        self._claimed_at: dict[tuple[Environment, int], int] = {}
        self._pushed_again: dict[int, list[int]] = {}
        self._started: set[asyncio.Task[None]] = set()
        self._runner.run(self._open())

    async def _open(self) -> None:
        parameters, rng = self.parameters, self.rng
        calls = {name: getattr(self.store, name) for name in _OF_STORE} | {"send": self.send}
        self.servers = Servers(self._check)
        self.environments = Environments(
            parameters, rng, self.servers, calls, on_call=self._note_call, failed=self._excuse
        )
        self.queues = {name: Queue(name, parameters, rng) for name in (RETRY_QUEUE, SLOW_RETRY_QUEUE)}
        self.stream = Stream(self._invoking(PUSH_SMS), parameters)
        most = (parameters.retry_concurrency, parameters.slow_concurrency)
        self._sources = [
            QueueSource(queue, self._invoking(PUSH_RETRY), parameters, concurrency, rng)
            for queue, concurrency in zip(self.queues.values(), most, strict=True)
        ]
        self._sweeping = timeline().create_task(self._sweep_now_and_then())

    def _invoking(self, function: str) -> Invoke:
        async def invoke(event: Event) -> Any:
            return await self.environments.invoke(function, event)

        return invoke

    def close(self) -> None:
        self._runner.close()
        self.environments.close()

    def play(self, ms: float, *steps: Callable[[], object]) -> None:
        """Do these, then let time pass."""

        async def scene() -> None:
            for step in steps:
                step()
            await asyncio.sleep(ms / 1_000)

        self._runner.run(scene())

    def later(self, ms: float, do: Callable[..., object], *args: Any) -> None:
        """Have something done then, within `play`."""
        self._runner.get_loop().call_later(ms / 1_000, do, *args)

    # -------------------------------------------------------------- what happens, within `play`

    def add_partner(self, name: str, behaviour: Behaviour) -> None:
        key = new_key(PartnerId(name), self.rng.randrange)
        self._urls[name] = url = self.servers.open(name, behaviour)
        self.store.add_partner(
            Partner(PartnerId(name), name, key, url, services=None, dialect="globalconnect", created_at=self.now())
        )

    def behave(self, names: Iterable[str], behaviour: Behaviour) -> None:
        for name in names:
            self.servers.behave(self._urls[name], behaviour)

    def store_sms(self, partner: str, activation_id: int | None = None) -> None:
        """Store an SMS for a partner, in an activation of its own unless one is named."""
        now = self.now()
        sms = Sms(
            sms_id=SmsId(self.rng.randrange(1, LARGEST_ID)),
            activation_id=ActivationId(activation_id or self.rng.randrange(1, LARGEST_ID)),
            partner_id=PartnerId(partner),
            phone="447472190082",
            phone_from="Service",
            text="Your code is 81462, don't share it",
            received_at=now,
            stored_at=now,
        )
        self.store.store_sms(sms)
        self.sms[sms.sms_id] = sms
        self.stream.inserted(sms)
        self._tell(f"{ref_of(sms)} is stored")

    def finish(self, activation_id: int) -> None:
        """Let a partner finish an activation, and have the answer at once."""
        self.store.finish(activation_id)
        self.finished_at.setdefault(activation_id, self.now())
        self._tell(f"FINISH of {activation_id} is answered")

    def push_again(self, ref: SmsRef, *, queued: bool = True) -> None:
        """Let staff push an SMS once more; what can't be `queued` is the sweep's."""
        if ref.activation_id in self.finished_at:
            return
        sms = self.store.push_again(ref, self.now(), LONGEST_ATTEMPT)
        self._pushed_again.setdefault(ref.sms_id, []).append(self.now())
        if queued:
            queues_of(self).send([DuePush(ref, sms.partner_id, sms.next_due)], slow=False, now=self.now())
        else:
            self.excused.add(ref)

    def send(self, entries: Sequence[dict[str, Any]], queue: str) -> list[bool]:
        return self.queues[queue].send_batch(entries)

    def deliver_again(self, place: int, ms: int | None) -> None:
        """Have one of the messages there were delivered once more: after a while, or just after its SMS's live one."""
        known = [(queue, message) for queue in self.queues.values() for message in queue.sent]
        if not known:
            return
        queue, message = known[place % len(known)]
        ref = read_message(message.body).ref
        live = [one.visible_at for one in self.messages() if read_message(one.body).ref == ref]
        if ms is None:
            ms = max([0, *(at - self.now() + 50 for at in live)])
        queue.put(message.body, message.group, ms / 1_000, message.lineage)

    def start(self, function: str, event: Event) -> None:
        """Invoke a function once. Its failure is only noted, among the environments' failures."""

        async def invoke() -> None:
            # As Lambda does what was started asynchronously: refused, it waits to be tried again, a second, then twice as
            # long each time; failed, a minute, then two.
            parameters, pause, failures = self.parameters, 1.0, 0
            gives_up_at = self.now() + 1_000 * parameters.sweep_age
            while True:
                try:
                    await self.environments.invoke(function, event)
                except Refused:
                    wait, pause = pause, 2 * pause
                except InvocationFailed:
                    failures += 1
                    wait = 60.0 * failures
                else:
                    return
                if failures > parameters.sweep_retries or self.now() + 1_000 * wait > gives_up_at:
                    return
                await asyncio.sleep(wait)

        self._keep(invoke())

    def _keep(self, under_way: Coroutine[Any, Any, None]) -> None:
        task = timeline().create_task(under_way)
        self._started.add(task)
        task.add_done_callback(self._started.discard)

    def request(self, refused: Callable[[], object]) -> None:
        """Let a partner ask for a number, which takes partner_api a moment; tell when Lambda refuses to."""

        async def ask() -> None:
            try:
                await self.environments.serve(_A_MOMENT)
            except Refused:
                refused()

        self._keep(ask())

    def sweep(self) -> None:
        # The next minute takes up what is left.
        self.start(SWEEP, {})

    async def _sweep_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.parameters.sweep_every)
            self.later(1_000 * self.rng.uniform(0, self.parameters.sweep_late), self.sweep)

    def purge(self) -> None:
        """Lose all messages, those under way apart."""
        self.excused.update(read_message(message.body).ref for message in self.messages())
        for queue in self.queues.values():
            queue.purge()

    def calm_down(self) -> None:
        """Let nothing go wrong any more."""
        self.environments.troubles.waiting.clear()
        self.servers.crashes.clear()
        for queue in self.queues.values():
            queue.fail_sends = 0.0
        self.behave(self._urls, SUCCESS)

    # -------------------------------------------------------------- looking

    def standings(self) -> list[Sms]:
        found: list[Sms] = self.store.find([ref_of(sms) for sms in self.sms.values()])
        return found

    def messages(self) -> list[Message]:
        return [message for queue in self.queues.values() for message in queue.messages()]

    def without_message(self) -> list[SmsRef]:
        """Return those that are pending though nothing is on its way that pushes them in time, and no trouble excuses it.

        What is found to be on its way is not excused any longer.
        """
        now = self.now()
        self.excused.update(_refs_of({"Records": self.stream.given_up}))
        in_hand = set(_refs_of({"Records": self.stream.unread}))
        in_hand |= {read_message(message.body).ref for source in self._sources for message in source.in_hand}
        queued: dict[SmsRef, list[int]] = {}
        for message in self.messages():
            push = read_message(message.body)
            queued.setdefault(push.ref, []).append(max(push.due, message.visible_at, now))
        lacking = []
        soon = now + INTERVAL + round(1_000 * self.parameters.pick_up)
        for sms in self.standings():
            ref = ref_of(sms)
            # A message that comes before its SMS is due is dropped; it waits for its own time only.
            in_time = any(due_of(sms) <= at <= soon for at in queued.get(ref, ()))
            if in_time or sms.push_state is not PushState.PENDING:
                self.excused.discard(ref)
            elif ref not in in_hand and ref not in self.excused:
                lacking.append(ref)
        return lacking

    def starts(self) -> list[int]:
        """Return when the attempts of all SMS started, in ms since the beginning."""
        return sorted(seen.at - START for seen in chain(*self.attempts.values()))

    # -------------------------------------------------------------- watching

    def _tell(self, what: str) -> None:
        self.told.append(f"{(self.now() - START) / 1_000:9.3f} s: {what}")

    def _excuse(self, event: Event) -> None:
        self.excused.update(_refs_of(event))

    def _note_call(self, call: str, asked: Sequence[Any]) -> None:
        by = environment()
        self._tell(f"{by.function} {by.number} calls {call}")
        if call == "claim":
            refs, now, _ = asked
            self._claimed_at.update({(by, ref.sms_id): now for ref in refs})
            self.claims.update(ref.sms_id for ref in refs)

    def _check(self, seen: Seen) -> None:
        sms_id = seen.sms_id
        (sms,) = self.store.find([ref_of(self.sms[sms_id])])
        seen.late = seen.at - self._claimed_at[environment(), sms_id]
        wrong = {
            f"it is {sms.push_state}": sms.push_state is not PushState.PENDING,
            "FINISH was answered": seen.at > self.finished_at.get(sms.activation_id, seen.at) + FINISH_HOLDS_AFTER,
            # It could still be under way when the next one may be claimed.
            f"it was claimed {seen.late} ms ago": seen.late > CLAIM_LASTS,
        }
        earlier = self.attempts.setdefault(sms_id, [])
        if earlier:
            before = earlier[-1]
            gap = seen.at - before.at
            asked_again = any(before.at <= at <= seen.at for at in self._pushed_again.get(sms_id, ()))
            # Calls to AWS between claim and attempt may take their time; they must not make the attempt after it late.
            wrong[f"the one before started {gap} ms ago"] = gap < INTERVAL - before.late and not asked_again
            wrong["the one before is under way"] = before.ended is None
        earlier.append(seen)
        self._tell(f"an attempt of SMS {sms_id} starts")
        self.wrong += [f"at {seen.at}: an attempt of SMS {sms_id}, but {what}" for what, so in wrong.items() if so]


def ref_of(sms: Sms) -> SmsRef:
    return SmsRef(sms.activation_id, sms.sms_id)


def due_of(sms: Sms) -> int:
    """Return when the next attempt of a pending SMS is due (ms)."""
    return max(sms.next_due, sms.stored_at)


def _refs_of(event: Mapping[str, Any]) -> list[SmsRef]:
    """Return the SMS that an event of a push function is about; a sweep is about none."""
    refs = []
    for record in event.get("Records", ()):
        if "body" in record:
            refs.append(read_message(record["body"]).ref)
        else:
            image = from_wire(record["dynamodb"]["NewImage"])
            refs.append(SmsRef(image["activation_id"], image["sms_id"]))
    return refs
