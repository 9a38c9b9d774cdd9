"""A day of the whole product has no differences, and one of a product that is wrong somewhere has (bench: hubs.8)."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

import partner_api.finish
from conformance.hubsim.events import Arrived, Finished, Pushed, Refused, Reply, Sold
from conformance.hubsim.ledger import Kind
from globalconnect.domain.activation import Lifetimes, Outcome, Step, step_for
from simulation.day.play import Settings, play
from simulation.day.world import World

# Short and busy: few numbers, so that they are sold again and again, and requests cross each other.
_BUSY = Settings(sales=250, hours=0.1, numbers=120, down=60.0)
_LESS_BUSY = replace(_BUSY, sales=120, numbers=60)


def test_a_day_of_sales_has_no_differences() -> None:
    day = play(_BUSY)
    assert day.differences == []
    sold = [one for one in day.events if isinstance(one, Sold)]
    finished = [one for one in day.events if isinstance(one, Finished)]
    pushed = [one for one in day.events if isinstance(one, Pushed)]
    assert {one.outcome for one in finished} == {1, 3, 4, 5}
    assert {one.reply for one in pushed} == {Reply.TAKEN, Reply.REFUSED, Reply.STOPPED}
    assert len({one.number for one in sold}) < len(sold) > 200
    assert sum(isinstance(one, Arrived) for one in day.events) > 120
    assert min(day.repeats.values()) > 0


def test_who_finds_everything_sold_out_is_told_so() -> None:
    day = play(replace(_BUSY, numbers=20, sales=100, partners=3, down=0.0))
    assert day.differences == []
    assert any(isinstance(one, Refused) for one in day.events)


def _ignoring(*tables: str) -> Callable[[World], None]:
    """Let writes to tables be done whose condition fails."""

    def break_it(world: World) -> None:
        client, names = world.cloud.client, {world.cloud.env[table] for table in tables}
        careful = client._prepared

        def prepared(kind: str, asked: Mapping[str, Any]) -> Any:
            found = careful(kind, asked)
            if found is None and asked["TableName"] in names:
                return careful(kind, {**asked, "ConditionExpression": f"NOT ({asked['ConditionExpression']})"})
            return found

        client._prepared = prepared

    return break_it


def _throttle(world: World) -> None:
    """Refuse what has to be tried again after a while."""
    client, calls = world.cloud.client, itertools.count(1)
    write = client.transact_write_items

    def now_and_then(**asked: Any) -> Any:
        if next(calls) % 7:
            return write(**asked)
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "TransactWriteItems")

    client.transact_write_items = now_and_then


def test_a_seed_plays_the_same_again_and_waits_as_long() -> None:
    settings = replace(_LESS_BUSY, sales=60, break_it=_throttle)
    one, other = play(settings), play(settings)
    assert one.events == other.events
    assert one.differences == other.differences
    assert play(replace(settings, seed=2)).events != one.events


def _sell_used(world: World) -> None:
    world.shop.sell("wa", "ig", "vk", reusable=True)


def _shorten_leases(world: World) -> None:
    world.shop.partner_parts = replace(world.shop.partner_parts, lifetimes=Lifetimes(20_000, 20_000))


def _lose_changes(world: World) -> None:
    stream = world.streams["AvailabilityFunction"]
    add, seen = stream.add, iter(range(10**6))

    def now_and_then(record: dict[str, Any]) -> None:
        if next(seen) % 10:
            add(record)

    stream.add = now_and_then  # type: ignore[method-assign]


def _lose_messages(world: World) -> None:
    for queue in world.queues.values():
        queue.send_batch = lambda entries: [False] * len(entries)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("settings", "break_it", "told"),
    [
        (_BUSY, _ignoring("NUMBERS_TABLE"), Kind.LIVE_TWICE),
        (_BUSY, _ignoring("INBOX_TABLE", "ACTIVATIONS_TABLE"), "is kept 1 times with sales, 1 times without"),
        (_BUSY, _sell_used, Kind.SOLD_AGAIN),
        (_LESS_BUSY, _shorten_leases, Kind.LIVE_TWICE),
        (_LESS_BUSY, _lose_changes, "a recount at the end found"),
        (_LESS_BUSY, _lose_messages, "SMS are pending"),
    ],
    ids=[
        "leases on no condition",
        "SMS on no condition",
        "used numbers",
        "short leases",
        "lost changes",
        "lost messages",
    ],
)
def test_a_day_of_a_broken_product_has_differences(
    settings: Settings, break_it: Callable[[World], None], told: str
) -> None:
    assert any(told in line for line in play(replace(settings, break_it=break_it)).differences)


def test_an_outcome_that_is_not_recorded_is_a_difference() -> None:
    def forgetful(recorded: Outcome | None, asked: Outcome) -> Step:
        return Step.NOTHING if asked is Outcome.CANCELED else step_for(recorded, asked)

    with mock.patch.object(partner_api.finish, "step_for", forgetful):
        assert any("ended with None" in line for line in play(_LESS_BUSY).differences)
