"""A cloud in virtual time that is played step by step, and watched for what contract 3 forbids."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from admin_api.activations import LONGEST_ATTEMPT
from globalconnect.domain.push_schedule import CLAIM_LASTS, INTERVAL
from globalconnect.domain.sms import PushState, Sms, SmsRef
from globalconnect.push.queue import DuePush, read_message
from globalconnect.store.dynamo import from_wire
from simulation.aws import START
from simulation.pushes.cloud import SimulatedCloud
from simulation.pushes.environments import Event, InvocationFailed
from simulation.pushes.functions import queues_of
from simulation.pushes.parameters import Parameters
from simulation.pushes.partners import SUCCESS, Behaviour, Seen
from simulation.pushes.queue import Message, Queue
from simulation.pushes.timeline import Timeline
from simulation.pushes.virtual import Push, Strand, Strands, VirtualServers

# No attempt starts more than this after FINISH_ACTIVATION was answered (contract 3), ms.
_AFTER_FINISH = 500

# Trouble of every kind is frequent; the window is short, so that what is drawn meets what was begun just before.
_PARAMETERS = Parameters(
    delivered_twice=0.1, twice_within=30.0, pick_up=2.0, window=0.2, pollers=1, stream_lanes=2, stream_poll=0.02
)


@dataclass(frozen=True, slots=True)
class Made:
    """An attempt as it started (ms), on the claim that its environment asked for then."""

    attempt: Seen
    at: int
    claimed_at: int

    @property
    def lateness(self) -> int:
        """How long after its claim it started."""
        return self.at - self.claimed_at


class Course:
    """What happens to two partners' activations, of one SMS or more each. `close` it.

    `wrong` says what must never have happened, `told` what did, for whoever reads a failing example.
    """

    def __init__(self, store: Any, activations: int, seed: int = 1) -> None:
        self._runner = asyncio.Runner(loop_factory=Timeline)
        loop = self._runner.get_loop()
        assert isinstance(loop, Timeline)
        self.now = loop.now
        self.cloud = SimulatedCloud(replace(_PARAMETERS, seed=seed), store)
        self.wrong: list[str] = []
        self.told: list[str] = []
        # Those that may have no message, since something happened to it: the sweep will have to find them.
        self.excused: set[SmsRef] = set()
        self.refs: dict[int, SmsRef] = {}
        self.owners = {number: f"hub {number % 2}" for number in range(1, activations + 1)}
        self.made: dict[int, list[Made]] = {}
        self.finished_at: dict[int, int] = {}
        self._claimed_at: dict[tuple[Strand, int], int] = {}
        self._pushed_again: dict[int, list[int]] = {}
        self._known: dict[str, tuple[Queue, Message]] = {}
        self._sweeps: list[asyncio.Task[None]] = []
        self._runner.run(self._open())

    async def _open(self) -> None:
        await self.cloud.__aenter__()
        environments, servers = self.cloud.environments, self.cloud.servers
        assert isinstance(environments, Strands)
        assert isinstance(servers, VirtualServers)
        self.environments, self.servers = environments, servers
        for name in sorted(set(self.owners.values())):
            self.cloud.add_partner(name, SUCCESS)
        environments.failed = lambda event: self.excused.update(_refs_of(event))
        environments.on_call = self._note_claims
        servers.on_push = self._check

    def close(self) -> None:
        self._runner.run(self.cloud.__aexit__(None, None, None))
        self._runner.close()

    def play(self, ms: int, *steps: Callable[[], object]) -> None:
        """Do these, then let time pass."""

        async def scene() -> None:
            for step in steps:
                step()
            await asyncio.sleep(ms / 1_000)

        self._runner.run(scene())
        for queue in (self.cloud.retry_queue, self.cloud.slow_queue):
            self._known.update({message.message_id: (queue, message) for message in queue.messages()})

    # ---------------------------------------------------------- what happens, within `play`

    def store_sms(self, activation_id: int) -> None:
        """Let an SMS arrive, if the activation still holds its number."""
        if activation_id not in self.finished_at:
            ref = self.cloud.store_sms(self.owners[activation_id], activation_id)
            self.refs[ref.sms_id] = ref
            self._tell(f"{ref} is stored")

    def behave(self, activation_id: int, behaviour: Behaviour) -> None:
        self.cloud.behave([self.owners[activation_id]], behaviour)

    def finish(self, activation_id: int) -> None:
        """Let the partner finish an activation, and have the answer at once."""
        if any(ref.activation_id == activation_id for ref in self.refs.values()):
            self.cloud.finish(activation_id)
            self.finished_at.setdefault(activation_id, self.now())
            self._tell(f"FINISH of {activation_id} is answered")

    def push_again(self, ref: SmsRef, *, queued: bool = True) -> None:
        """Let staff push an SMS once more; what can't be `queued` is the sweep's."""
        if ref.activation_id in self.finished_at:
            return
        sms = self.cloud.store.push_again(ref, self.now(), LONGEST_ATTEMPT)
        self._pushed_again.setdefault(ref.sms_id, []).append(self.now())
        if queued:
            push = DuePush(ref, sms.partner_id, sms.next_due)
            queues_of(self.cloud).send([push], slow=False, now=self.now())
        else:
            self.excused.add(ref)

    def deliver_again(self, place: int, ms: int | None) -> None:
        """Have one of the messages there were delivered once more: after a while, or just after its SMS's live one."""
        if not self._known:
            return
        queue, message = list(self._known.values())[place % len(self._known)]
        ref = read_message(message.body).ref
        live = [one.visible_at for one in self._messages() if read_message(one.body).ref == ref]
        if ms is None:
            ms = max([0, *(at - self.now() + 50 for at in live)])
        queue.put(message.body, message.group, ms / 1_000)

    def sweep(self) -> None:
        self._sweeps.append(asyncio.get_running_loop().create_task(self._sweep()))

    async def _sweep(self) -> None:
        with suppress(InvocationFailed):
            await self.cloud.sweep()

    def purge(self) -> None:
        """Lose all messages, those under way apart."""
        self.excused.update(read_message(message.body).ref for message in self._messages())
        self.cloud.retry_queue.purge()
        self.cloud.slow_queue.purge()

    def calm_down(self) -> None:
        """Let nothing go wrong any more."""
        self.environments.troubles.waiting.clear()
        self.servers.crashes.clear()
        self.cloud.behave(set(self.owners.values()), SUCCESS)

    # ---------------------------------------------------------- looking

    def standings(self) -> list[Sms]:
        found: list[Sms] = self.cloud.store.find(list(self.refs.values()))
        return found

    def without_message(self) -> list[SmsRef]:
        """Return those that are pending though nothing is on its way that pushes them in time, and no trouble excuses it.

        What is found to be on its way is not excused any longer.
        """
        cloud, now = self.cloud, self.now()
        self.excused.update(_refs_of({"Records": cloud.stream.given_up}))
        in_hand = set(_refs_of({"Records": cloud.stream.unread}))
        held = chain(cloud.retries.in_hand, cloud.slow_retries.in_hand)
        in_hand |= {read_message(message.body).ref for message in held}
        queued: dict[SmsRef, list[int]] = {}
        for message in self._messages():
            push = read_message(message.body)
            queued.setdefault(push.ref, []).append(max(push.due, message.visible_at, now))
        lacking = []
        soon = now + INTERVAL + round(1_000 * cloud.parameters.pick_up)
        for sms in self.standings():
            ref = self.refs[sms.sms_id]
            # A message that comes before its SMS is due is dropped; it waits for its own time only.
            in_time = any(due_of(sms) <= at <= soon for at in queued.get(ref, ()))
            if in_time or sms.push_state is not PushState.PENDING:
                self.excused.discard(ref)
            elif ref not in in_hand and ref not in self.excused:
                lacking.append(ref)
        return lacking

    def _messages(self) -> Iterator[Message]:
        return chain(self.cloud.retry_queue.messages(), self.cloud.slow_queue.messages())

    def starts(self) -> list[int]:
        """Return when the attempts of all SMS started, in ms since the beginning."""
        return sorted(made.at - START for of_one in self.made.values() for made in of_one)

    # ---------------------------------------------------------- watching

    def _tell(self, what: str) -> None:
        self.told.append(f"{(self.now() - START) / 1_000:9.3f} s: {what}")

    def _note_claims(self, by: Strand, call: str, asked: Any) -> None:
        self._tell(f"{by.function} {by.number} calls {call}")
        if call == "claim":
            refs, now, _ = asked
            self._claimed_at.update({(by, ref.sms_id): now for ref in refs})

    def _check(self, push: Push) -> None:
        sms_id = push.attempt.sms_id
        (sms,) = self.cloud.store.find([self.refs[sms_id]])
        made = Made(push.attempt, round(push.attempt.arrived * 1_000), self._claimed_at[push.by, sms_id])
        wrong = {
            f"it is {sms.push_state}": sms.push_state is not PushState.PENDING,
            "FINISH was answered": made.at > self.finished_at.get(sms.activation_id, made.at) + _AFTER_FINISH,
            # It could still be under way when the next one may be claimed.
            f"it was claimed {made.lateness} ms ago": made.lateness > CLAIM_LASTS,
        }
        earlier = self.made.setdefault(sms_id, [])
        if earlier:
            before = earlier[-1]
            gap = made.at - before.at
            asked_again = any(before.at <= at <= made.at for at in self._pushed_again.get(sms_id, ()))
            # Calls to AWS between claim and attempt may take their time; they must not make the attempt after it late.
            wrong[f"the one before started {gap} ms ago"] = gap < INTERVAL - before.lateness and not asked_again
            wrong["the one before is under way"] = before.attempt.ended is None
        earlier.append(made)
        self._tell(f"an attempt of SMS {sms_id} starts")
        self.wrong += [f"at {made.at}: an attempt of SMS {sms_id}, but {what}" for what, so in wrong.items() if so]


def due_of(sms: Sms) -> int:
    """Return when the next attempt of a pending SMS is due (ms)."""
    return max(sms.next_due, sms.stored_at)


def _refs_of(event: Event) -> list[SmsRef]:
    """Return the SMS that an event of a push function is about; a sweep is about none."""
    refs = []
    for record in event.get("Records", ()):
        if "body" in record:
            refs.append(read_message(record["body"]).ref)
        else:
            image = from_wire(record["dynamodb"]["NewImage"])
            refs.append(SmsRef(image["activation_id"], image["sms_id"]))
    return refs
