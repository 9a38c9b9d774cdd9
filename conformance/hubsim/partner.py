"""A simulated hub: one partner of the supplier, which asks for counts, buys what it was shown, and ends what it bought."""

import asyncio
import json
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from conformance.answers import is_success
from conformance.exchange import Client, Exchange
from conformance.hubs import PATHS, Hub
from conformance.hubsim.behaviour import CUT, TAKEN, Answer, Behaviour, Plan, misbehaviours, plan
from conformance.hubsim.events import (
    Action,
    Arrived,
    Counted,
    Down,
    Event,
    Finished,
    Place,
    Pushed,
    Refused,
    Reply,
    Sold,
    Unanswered,
)
from conformance.hubsim.forms import is_digits, read_counts, read_number, unusable, wrong_answer
from conformance.hubsim.ledger import CANCELED, RETURNED

# Makes an SMS arrive at a number: of its text, True once it has.
type Send = Callable[[str, str], bool]

# OnlineSim asks so much more seldom than others.
_SELDOM = 8.0
# Of the numbers it was given before, so many may be excluded; of a number at least so many digits.
_REMEMBERED, _EXCLUDED, _DIGITS = 50, 3, 7
# Attempts that are refused of an SMS, at most; for so many that are not taken, whoever is to blame, a sale waits.
_REFUSALS, _WAITED_FOR = 2, 5


class Stopped(Exception):
    """The play has been broken off."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is bought, as a GET_NUMBER says it; `prefixes` are what it excludes."""

    place: Place
    prefixes: tuple[str, ...]
    fields: Mapping[str, Any]


@dataclass(slots=True)
class SimulatedHub:
    """One partner. `note` takes what happens, `send` makes SMS arrive (None: they come by themselves).

    The supplier tries pushes again after `interval` seconds.
    """

    name: str
    hub: Hub
    client: Client
    behaviour: Behaviour
    rolls: Random
    note: Callable[[Event], None]
    send: Send | None
    began: float
    interval: float
    shown: dict[Place, int] = field(default_factory=dict)
    live: int = 0
    # What sales failed with that is no answer of the supplier's.
    failures: list[Exception] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    # What it asked for, and what it was shown of that by the last counts; of these all countries and operators.
    _asked: set[Place] = field(default_factory=set)
    _kept: dict[Place, int] = field(default_factory=dict)
    _names: frozenset[tuple[str, str]] = frozenset()
    _up: asyncio.Event = field(default_factory=asyncio.Event)
    _given: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    # Of each number, whether its pushes were taken.
    _codes: dict[str, asyncio.Queue[bool]] = field(default_factory=lambda: defaultdict(asyncio.Queue))
    _scripts: dict[str, list[Answer]] = field(default_factory=dict)
    # What it was given and has not ended; a dict, since it keeps their order.
    _unfinished: dict[str, None] = field(default_factory=dict)
    # The ids as they were given: what should be a number may be a string.
    _ids: dict[str, Any] = field(default_factory=dict)
    _sent: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._up.set()

    # ------------------------------------------------------------ what it does all the time

    async def poll(self) -> None:
        """Ask for counts, for ever; not all partners at the same time."""
        pauses = self.behaviour.polled_every
        with suppress(Stopped):
            await self._pause(self.rolls.uniform(0.0, pauses[0] / 4))
            while True:
                await self._is_up()
                await self._ask_counts()
                await self._pause(self.rolls.uniform(*pauses) * (_SELDOM if self.hub.name == "onlinesim" else 1))

    async def sell(self, per_second: float, until: float, sales: asyncio.TaskGroup) -> None:
        """Buy at random times, so many a second, until a time; every sale is a task of its own."""
        with suppress(Stopped):
            while True:
                await self._pause(min(self.rolls.expovariate(per_second), max(0.0, until - self.now())))
                await self._is_up()
                if self.now() >= until:
                    return
                sales.create_task(self._sale(plan(self.rolls, self.behaviour)))

    def rush(self, sales: asyncio.TaskGroup) -> None:
        """Begin a sale at once, whatever the pace."""
        sales.create_task(self._sale(plan(self.rolls, self.behaviour), paced=False))

    async def go_down(self, after: float, seconds: float, sales: asyncio.TaskGroup) -> None:
        """Be down for a while: ask nothing, cut every connection. It has bought some numbers just before, whose SMS wait then."""
        with suppress(Stopped):
            await self._pause(after)
            for _ in range(self.behaviour.bought_before_down):
                sales.create_task(self._sale(plan(self.rolls, self.behaviour)))
            await self._pause(self.behaviour.sms_within[0])
            self._up.clear()
            began = self.now()
            try:
                await self._pause(seconds)
            finally:
                self._up.set()
                self.note(Down(began, self.now(), self.name))

    def stop(self) -> None:
        """Break off: buy nothing more, wait for nothing. What is under way ends; `tidy` ends what was bought."""
        self.stopped.set()
        for codes in self._codes.values():
            codes.shutdown()

    async def tidy(self) -> None:
        """Give back what it was given and has not ended, such as what it missed the answer of."""
        await self._up.wait()
        await asyncio.gather(*(self._finish(activation, RETURNED) for activation in [*self._unfinished]))

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    def now(self) -> float:
        return time.monotonic() - self.began

    async def _pause(self, seconds: float) -> None:
        """Wait. Raises Stopped once the play is broken off."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopped.wait()
        self._go_on()

    async def _is_up(self) -> None:
        await self._up.wait()
        self._go_on()

    def _go_on(self) -> None:
        if self.stopped.is_set():
            raise Stopped

    # ------------------------------------------------------------ pushes

    def answer(self, sms_id: str) -> Answer:
        """Say how the next push of an SMS is answered."""
        if not self._up.is_set():
            return CUT
        if sms_id not in self._scripts:
            misbehaves = self.rolls.random() < self.behaviour.misbehaving
            ways = misbehaviours(self.hub)
            self._scripts[sms_id] = self.rolls.choices(ways, k=self.rolls.randint(1, _REFUSALS)) if misbehaves else []
        script = self._scripts[sms_id]
        return script.pop(0) if script else TAKEN

    def taken(self, push: Pushed) -> None:
        """Take note of a push, and whether it was taken."""
        if not self.stopped.is_set():
            self._codes[push.phone].put_nowait(push.reply is Reply.TAKEN)

    # ------------------------------------------------------------ a sale

    async def _sale(self, what: Plan, *, paced: bool = True) -> None:
        try:
            await self._trade(what, paced=paced)
        except Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - the others go on, and what was bought is given back
            self.failures.append(error)

    async def _trade(self, what: Plan, *, paced: bool) -> None:
        wanted = self._wanted()
        if wanted is None:
            return
        missed: tuple[str, str] | None = None
        if what.lost and what.impatient:
            both = (self._buy(wanted, paced=False), self._buy(wanted, paced=False))
            # Of one that is stopped the other may have been asked for already: what it gives is to be given back.
            missed, bought = [_raised(one) for one in await asyncio.gather(*both, return_exceptions=True)]
        else:
            bought = await self._buy(wanted, paced=paced)
            if bought and what.lost:
                missed, bought = bought, await self._buy(wanted)
        if bought:
            self.live += 1
            try:
                await self._use(what, *bought)
            finally:
                self.live -= 1
        # A real hub never would; but no supplier holds a number for ever.
        if missed and missed[1] in self._unfinished and not self.behaviour.keeps_missed:
            await self._is_up()
            await self._finish(missed[1], RETURNED)

    async def _use(self, what: Plan, number: str, activation: str) -> None:
        # What came to an earlier buyer of this hub is no code of this one.
        while not self._codes[number].empty():
            self._codes[number].get_nowait()
        outcome = await self._wait_for_codes(what, number)
        await self._pause(what.pause)
        await self._end(what, activation, outcome)
        if what.late_sms is not None:
            await self._pause(what.late_sms)
            await self._make_arrive(number)

    async def _wait_for_codes(self, what: Plan, number: str) -> int:
        """Wait for the codes; return the outcome."""
        if self.send is None:
            return what.outcome if await self._code(number) else CANCELED
        if not what.sms:
            await self._pause(self.rolls.uniform(0.3, 1.0) * self.behaviour.patience)
        for pause in what.sms:
            await self._pause(pause)
            if not await self._make_arrive(number) or not await self._code(number):
                return CANCELED
        return what.outcome

    async def _make_arrive(self, number: str) -> bool:
        if self.send is None:
            return False
        self._sent[number] += 1
        text = f"Your code: {self.rolls.randrange(10_000, 1_000_000)} ({self.name}, {number}, {self._sent[number]})"
        began = self.now()
        arrived = await asyncio.to_thread(self.send, number, text)
        self.note(Arrived(began, self.now(), number, text, arrived))
        return arrived

    async def _code(self, number: str) -> bool:
        """Wait for an SMS that it takes: anew after an attempt that it did not take, and after it was down."""
        patience = self.behaviour.patience + _REFUSALS * 1.5 * self.interval
        left = _WAITED_FOR
        while left:
            self._go_on()
            was_up = self._up.is_set()
            try:
                async with asyncio.timeout(patience):
                    is_taken = await self._codes[number].get()
            except TimeoutError:
                if was_up and self._up.is_set():
                    return False
                await self._up.wait()
            except asyncio.QueueShutDown:
                continue
            else:
                if is_taken:
                    return True
                left -= was_up
        return False

    async def _end(self, what: Plan, activation: str, outcome: int) -> None:
        await self._is_up()
        together = [self._finish(activation, outcome, paced=not what.at_once) for _ in range(1 + what.at_once)]
        await asyncio.gather(*together)
        for pause, status in what.then if outcome == what.outcome else ():
            await self._pause(pause)
            await self._is_up()
            await self._finish(activation, status)

    # ------------------------------------------------------------ requests

    async def _ask(self, action: str, *, paced: bool = True, **fields: object) -> tuple[float, float, Exchange]:
        headers = self.hub.headers_with(self.client.key)
        path = PATHS[action] if self.hub.paths else ""
        body = json.dumps({"action": action, "key": self.client.key, **fields}).encode()

        def ask() -> tuple[float, float, Exchange]:
            if paced:
                self.client.pace.wait()
            if action == "GET_NUMBER":
                self._go_on()
            began = self.now()
            exchange = self.client.post(body, headers, path, paced=False)
            return began, self.now(), exchange

        return await asyncio.to_thread(ask)

    async def _ask_counts(self) -> None:
        began, ended, exchange = await self._ask(self.hub.counts_action)
        if not is_success(exchange):
            self._not_answered(Action.COUNTS, began, ended, exchange)
            return
        self.shown, wrong = read_counts(self.hub, exchange.json)
        wrong += wrong_answer(self.hub, exchange)
        # Of thousands of places in every poll only what is asked for is kept.
        self._kept = {place: self.shown[place] for place in self._asked & self.shown.keys()}
        names = frozenset(place[:2] for place in self.shown)
        self._names = self._names if names == self._names else names
        self.note(Counted(began, ended, self.name, self._kept, self._names, wrong=wrong))

    def _wanted(self) -> _Wanted | None:
        """Choose something of what it was shown, None where there is nothing."""
        left = {place: count for place, count in self.shown.items() if count > 0}
        if not left:
            return None
        place = self.rolls.choices([*left], [*left.values()])[0]
        country, operator, service = place
        prefixes = self._prefixes()
        fields: dict[str, Any] = {"country": country, "operator": operator, "service": service}
        fields |= self.rolls.choice(self.hub.hints)
        if prefixes:
            fields["exceptionPhoneSet"] = [self.hub.prefixes(prefix) for prefix in prefixes]
        return _Wanted(place, tuple(prefixes), fields)

    async def _buy(self, wanted: _Wanted, *, paced: bool = True) -> tuple[str, str] | None:
        """Buy that; return the number and the activation, None where there is none."""
        place, prefixes = wanted.place, wanted.prefixes
        self._asked.add(place)
        if place in self.shown:
            self._kept.setdefault(place, self.shown[place])
            self.shown[place] -= 1
        began, ended, exchange = await self._ask("GET_NUMBER", paced=paced, **wanted.fields)
        match exchange.field("status"):
            case "SUCCESS" if exchange.field("number") and exchange.field("activationId") is not None:
                number, activation, wrong = read_number(self.hub, place[0], exchange.json)
                wrong += wrong_answer(self.hub, exchange)
                self.note(Sold(began, ended, self.name, place, prefixes, number, activation, wrong=wrong))
                # A prefix is of digits.
                if is_digits(number):
                    self._given.append(number)
                self._unfinished[activation] = None
                self._ids[activation] = exchange.field("activationId")
                return number, activation
            case "NO_NUMBERS":
                wrong = wrong_answer(self.hub, exchange)
                self.note(Refused(began, ended, self.name, place, prefixes, wrong=wrong))
            case _:
                self._not_answered(Action.NUMBER, began, ended, exchange, wanted)
        return None

    def _prefixes(self) -> Sequence[str]:
        """Return what to exclude: numbers that it had, or their beginnings."""
        if not self._given or self.rolls.random() >= self.behaviour.excluding:
            return ()
        numbers = self.rolls.sample([*self._given], min(_EXCLUDED, len(self._given)))
        if not self.hub.excludes_prefixes:
            return numbers
        return [number[: self.rolls.randint(min(_DIGITS, len(number)), len(number))] for number in numbers]

    async def _finish(self, activation: str, outcome: int, *, paced: bool = True) -> None:
        fields = {**self.hub.finish_extras, "activationId": self._ids[activation], "status": outcome}
        began, ended, exchange = await self._ask("FINISH_ACTIVATION", paced=paced, **fields)
        accepted = is_success(exchange)
        if accepted:
            self._unfinished.pop(activation, None)
        why = "" if accepted else unusable(exchange)
        wrong = wrong_answer(self.hub, exchange)
        self.note(Finished(began, ended, self.name, activation, outcome, accepted, why, wrong=wrong))

    def _not_answered(
        self, action: Action, began: float, ended: float, exchange: Exchange, wanted: _Wanted | None = None
    ) -> None:
        wrong = wrong_answer(self.hub, exchange)
        place, prefixes = (wanted.place, wanted.prefixes) if wanted else (None, ())
        why = unusable(exchange)
        self.note(Unanswered(began, ended, self.name, action, why, exchange.status, place, prefixes, wrong=wrong))


def _raised[T](result: T | BaseException) -> T:
    """Return what was awaited, or raise what came of it."""
    if isinstance(result, BaseException):
        raise result
    return result
