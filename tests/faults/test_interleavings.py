"""Whatever happens to the delivery of SMS, and in whatever order: contract 3 holds."""

import sys
from collections.abc import Callable, Iterator
from enum import Enum, auto
from functools import partial
from itertools import pairwise

import boto3
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import push_retry.app
import push_sms.app
import sweep.sweep
from globalconnect.domain.push_schedule import INTERVAL, lost_its_message
from globalconnect.domain.sms import PushState
from globalconnect.domain.times import MINUTE
from simulation import partiql
from simulation.aws import START, TEMPLATE
from simulation.clouds import Moto
from tests.faults.interleavings.aws import Call, KnownTables, Trouble
from tests.faults.interleavings.partner import Behaviour, CrashAt
from tests.faults.interleavings.world import InOrder, World, pusher_here

# The same examples at every run: what fails here fails for everybody. For a search of other ones, derandomize=False.
interleavings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

ACTIVATIONS = 4
# A push that lost its message goes on within this (contract 3 through the sweep), however often that happened before.
# The sweep comes by every minute, so it must take a push for lost a minute earlier.
SWEEP_MENDS = 3 * MINUTE

PLACES = some.integers(0, ACTIVATIONS - 1)
# How long (ms) goes by after something was begun, often not long enough for it to end; and whether functions are invoked
# meanwhile, as AWS does by itself.
LAPSES = some.one_of(
    some.tuples(some.sampled_from([0, 3, 15, 40, 90]), some.just(False)),
    some.tuples(some.integers(0, 30_000), some.booleans()),
)
# Each SMS takes these, the look last of all before its attempt.
PUSH_CALLS = [Call.LOOK, Call.LOOK, Call.PARTNERS, Call.CLAIM, Call.SETTLE, Call.QUEUE]
OTHER_CALLS = [Call.ATTEMPTS, Call.HEALTH, Call.PENDING, Call.MESSAGES, Call.QUEUED_AGAIN, Call.PUSH_AGAIN, Call.FINISH]
TROUBLES = some.one_of(some.sampled_from(Trouble), some.sampled_from([Trouble.LATE, Trouble.SLOW]))


class Invoked(Enum):
    """What AWS invokes a push function with."""

    STREAM = auto()
    STREAM_AGAIN = auto()
    QUEUE = auto()
    SLOW_QUEUE = auto()
    TWICE = auto()
    """The queue, with one of its messages twice in the batch."""


type Lapse = tuple[int, bool]


class Interleavings(RuleBasedStateMachine):
    """SMS, partners' answers, finishes, crashes, duplicates, trouble of AWS and steps of the clock, in any order."""

    def __init__(self, new_world: Callable[[int, int], World]) -> None:
        super().__init__()
        self._new_world = new_world

    @initialize(
        seed=some.integers(0, 2**16),
        places=some.lists(PLACES, min_size=2, max_size=5),
        behaviours=some.tuples(some.sampled_from(Behaviour), some.sampled_from(Behaviour)),
    )
    def open(self, seed: int, places: list[int], behaviours: tuple[Behaviour, Behaviour]) -> None:
        self.world = self._new_world(seed, ACTIVATIONS)
        self.activations = list(self.world.lanes)
        self.world.servers.behaviours.update(zip(self.world.urls, behaviours, strict=True))
        for place in places:
            self.world.store(self.activations[place])

    @rule(place=PLACES, times=some.integers(1, 2), lapse=LAPSES)
    def sms_arrive(self, place: int, times: int, lapse: Lapse) -> None:
        for _ in range(times):
            self.world.store(self.activations[place])
        self.pass_time(lapse)

    @rule(by=some.sampled_from(Invoked), place=PLACES, lapse=LAPSES)
    def a_push_function_is_invoked(self, by: Invoked, place: int, lapse: Lapse) -> None:
        match by:
            case Invoked.STREAM:
                self.world.read_stream(self.activations[place])
            case Invoked.STREAM_AGAIN:
                self.world.read_stream_again(self.activations[place])
            case Invoked.QUEUE | Invoked.SLOW_QUEUE:
                self.world.receive(slow=by is Invoked.SLOW_QUEUE)
            case Invoked.TWICE:
                self.world.receive(slow=False, duplicate=True)
        self.pass_time(lapse)

    @rule(lapse=LAPSES)
    def pass_time(self, lapse: Lapse) -> None:
        ms, working = lapse
        self.world.pass_time(ms, working=working)

    @rule(lapse=LAPSES)
    def a_minute_is_swept(self, lapse: Lapse) -> None:
        self.world.sweep()
        self.pass_time(lapse)

    @rule(place=PLACES, lapse=LAPSES)
    def an_activation_is_finished(self, place: int, lapse: Lapse) -> None:
        self.world.finish(self.activations[place])
        self.pass_time(lapse)

    @rule(place=some.integers(0, 1), behaviour=some.sampled_from(Behaviour), lapse=LAPSES)
    def a_partner_changes(self, place: int, behaviour: Behaviour, lapse: Lapse) -> None:
        self.world.servers.behaviours[self.world.urls[place]] = behaviour
        self.pass_time(lapse)

    @rule(place=some.integers(0, 9), lapse=LAPSES)
    def an_operator_pushes_again(self, place: int, lapse: Lapse) -> None:
        self.world.push_again(self.world.refs[place % len(self.world.refs)])
        self.pass_time(lapse)

    @rule(slow=some.booleans(), delay=some.integers(0, 30_000), lapse=LAPSES)
    def a_message_is_delivered_twice(self, slow: bool, delay: int, lapse: Lapse) -> None:
        self.world.duplicate(slow=slow, delay_ms=delay)
        self.pass_time(lapse)

    @rule(lapse=LAPSES)
    def the_queues_are_purged(self, lapse: Lapse) -> None:
        self.world.purge()
        self.pass_time(lapse)

    @rule(
        calls=some.sets(some.sampled_from(PUSH_CALLS + OTHER_CALLS), min_size=1, max_size=3),
        trouble=TROUBLES,
        times=some.integers(1, 4),
        lapse=LAPSES,
    )
    def aws_gives_trouble(self, calls: set[Call], trouble: Trouble, times: int, lapse: Lapse) -> None:
        for call in calls:
            self.world.aws.give(call, trouble, times)
        self.pass_time(lapse)

    @rule(
        place=PLACES,
        call=some.sampled_from(PUSH_CALLS),
        trouble=TROUBLES,
        ms=some.integers(20, 150),
        finished=some.booleans(),
        lapse=LAPSES,
    )
    def a_new_sms_meets_trouble(  # noqa: PLR0917 - all are drawn
        self, place: int, call: Call, trouble: Trouble, ms: int, finished: bool, lapse: Lapse
    ) -> None:
        """With `finished`, its activation is finished while its first push is made."""
        self.world.aws.give(call, trouble)
        self.sms_arrive(place, 1, (0, False))
        self.a_push_function_is_invoked(Invoked.STREAM, place, (ms, False))
        if finished:
            self.world.finish(self.activations[place])
        self.pass_time(lapse)

    @rule(at=some.sampled_from([None, *CrashAt]), lapse=LAPSES)
    def a_function_crashes(self, at: CrashAt | None, lapse: Lapse) -> None:
        """At this lapse, or in the next attempt."""
        if at is None:
            self.world.crash_one()
        else:
            self.world.servers.crashes.append(at)
        self.pass_time(lapse)

    @invariant()
    def no_attempt_was_against_the_contract(self) -> None:
        assert self.world.servers.wrong == []

    @invariant()
    def no_attempt_is_counted_that_was_not_made(self) -> None:
        for sms in self.world.standings():
            assert sms.attempts == sum(sms.outcomes.values()), sms
            assert sms.attempts <= len(self.world.servers.seen.get(sms.ref.sms_id, ())), sms

    @invariant()
    def whatever_is_pending_will_be_pushed(self) -> None:
        standings = self.world.standings()
        assert self.world.without_message(standings) == []
        now = self.world.clock()
        for sms in standings:
            if sms.is_pending:
                assert sms.due <= now + INTERVAL
                assert lost_its_message(sms.due, sms.queued_again_at, now + SWEEP_MENDS - MINUTE)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            # What has failed already has been said.
            if sys.exception() is None:
                self.all_is_well_in_the_end()
        finally:
            note("\n".join(self.world.told))
            self.world.close()

    def all_is_well_in_the_end(self) -> None:
        world = self.world
        assert all(world.is_in_index(sms) for sms in world.standings() if sms.is_pending)
        world.calm_down()
        end = world.clock() + SWEEP_MENDS
        while world.clock() < end and any(sms.is_pending for sms in world.standings()):
            world.pass_time(10_000, working=True)
        assert world.servers.wrong == []
        for sms in world.standings():
            is_finished = world.is_finished(sms.ref.activation_id)
            assert sms.state is PushState.DELIVERED or (sms.state is PushState.STOPPED and is_finished), sms


@pytest.fixture
def new_world(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], World]:
    """Return what opens a world, from a seed and the number of its activations; one after the other."""
    for app in (push_sms.app, push_retry.app):
        monkeypatch.setattr(app, "pusher", pusher_here)
    monkeypatch.setattr(sweep.sweep, "ThreadPoolExecutor", InOrder)
    client = boto3.client("dynamodb")
    partiql.teach(client, KnownTables(boto3.client("dynamodb")))
    return partial(World, client, TEMPLATE)


# A failing example is made smaller for up to 5 minutes.
@pytest.mark.timeout(900)
def test_every_sms_ends_delivered_or_stopped_by_finish_whatever_happens_in_between(
    new_world: Callable[[int, int], World],
) -> None:
    class Machine(Interleavings):
        def __init__(self) -> None:
            super().__init__(new_world)

    run_state_machine_as_test(Machine, settings=interleavings)


# ------------------------------------------------------------------ courses worth a test of their own


@pytest.fixture
def world(new_world: Callable[[int, int], World]) -> Iterator[World]:
    """Return a world with one activation, whose partner never takes a push."""
    world = new_world(1, 1)
    world.servers.behaviours[world.urls[0]] = Behaviour.FAILS
    yield world
    world.close()


def _starts(world: World) -> list[int]:
    """Return when the attempts of all SMS started, in ms since the beginning."""
    return sorted(attempt.started - START for attempts in world.servers.seen.values() for attempt in attempts)


def test_the_same_draws_give_the_same_course(new_world: Callable[[int, int], World]) -> None:
    courses = []
    for _ in range(2):
        world = new_world(7, 2)
        for activation_id in world.lanes:
            world.store(activation_id)
        world.aws.give(Call.CLAIM, Trouble.SOME_REFUSED, times=3)
        world.aws.give(Call.QUEUE, Trouble.LOST)
        world.servers.crashes.append(CrashAt.HALF)
        world.pass_time(90_000, working=True)
        world.close()
        courses.append(world.told)
    assert courses[0] == courses[1]
    assert len(courses[0]) > 10


def test_retries_start_10_s_apart_while_nothing_goes_wrong(world: World) -> None:
    (activation_id,) = world.lanes
    world.store(activation_id)
    world.pass_time(60_000, working=True)
    starts = _starts(world)
    assert len(starts) >= 6
    assert all(abs(later - earlier - 10_000) <= 1_000 for earlier, later in pairwise(starts))


def test_a_finish_is_seen_that_was_answered_while_the_look_at_the_activation_took_long(world: World) -> None:
    (activation_id,) = world.lanes
    world.store(activation_id)
    # Read at once; the answer is under way for 3.5 s.
    world.aws.delays = (3.5,)
    world.aws.give(Call.LOOK, Trouble.SLOW)
    world.read_stream(activation_id)
    world.pass_time(200)
    world.finish(activation_id)
    world.pass_time(30_000, working=True)
    assert activation_id in world.servers.finished_at
    assert _starts(world) == []


def test_an_attempt_does_not_start_so_late_that_the_next_could_overlap_it(world: World) -> None:
    (activation_id,) = world.lanes
    world.store(activation_id)
    world.servers.behaviours[world.urls[0]] = Behaviour.TIMES_OUT
    world.aws.delays = (4.5,)
    world.aws.give(Call.LOOK, Trouble.LATE)
    world.pass_time(30_000, working=True)
    assert _starts(world)[0] >= 10_000
    assert world.servers.wrong == []


def test_a_success_that_is_hard_to_record_is_not_pushed_again(world: World) -> None:
    (activation_id,) = world.lanes
    world.store(activation_id)
    world.servers.behaviours[world.urls[0]] = Behaviour.TAKES
    world.aws.give(Call.SETTLE, Trouble.REFUSED, times=3)
    world.pass_time(120_000, working=True)
    assert len(_starts(world)) == 1


def test_what_the_sweep_has_queued_is_found_again_when_that_is_lost_too(world: World) -> None:
    (activation_id,) = world.lanes
    world.store(activation_id)
    world.pass_time(50_000)
    world.sweep()
    world.pass_time(1_000)
    assert len(world.queue(slow=False).messages) == 1
    world.purge()
    # Nor does the stream come to it any more.
    world.lanes[activation_id].position = 1
    world.pass_time(SWEEP_MENDS, working=True)
    assert _starts(world) != []


def test_an_old_message_in_the_same_batch_does_not_take_the_due_one_along(world: World) -> None:
    (activation_id,) = world.lanes
    world.store(activation_id)
    world.read_stream(activation_id)
    world.pass_time(1_000)
    queue = world.queue(slow=False)
    (first,) = queue.messages.values()
    world.pass_time(9_000)
    world.receive(slow=False)
    world.pass_time(1_500)
    (second,) = queue.messages.values()
    # SQS delivers the first once more, together with the second.
    world.pass_time(8_000)
    queue.put(first.body, 0)
    world.receive(slow=False, order=(second.body, first.body))
    world.pass_time(4_000)
    assert len(_starts(world)) == 3
    assert world.without_message(world.standings()) == []
