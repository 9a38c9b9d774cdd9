"""Costs are computed by DynamoDB's documented rules, from prices that name their source."""

import asyncio
import time
from typing import Any

import pytest

from bench.costing import prices
from bench.costing.capacity import Index, Table, item_size, read_units, write_units
from bench.costing.prices import Usage
from bench.costing.virtual import Moment, virtual_time

KEYS = ("id",)
BY_STATE = Index(("state", "at"), frozenset({"id", "state", "at"}))
TABLE = Table(KEYS, (BY_STATE,))
ITEM = {"id": {"S": "a"}, "state": {"S": "x"}, "at": {"N": "5"}, "text": {"S": "t"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "код"}, 6),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "1790000000000"}, 3),
        ({"N": "1094747405868042"}, 9),
        ({"N": "-15"}, 2),
        ({"BOOL": True}, 1),
        ({"B": b"abc"}, 3),
        ({"SS": ["ab", "c"]}, 3),
        ({"M": {}}, 3),
        ({"M": {"ab": {"N": "12"}}}, 3 + 1 + 2 + 2),
        ({"L": [{"S": "abc"}, {"BOOL": False}]}, 3 + 1 + 3 + 1 + 1),
    ],
)
def test_an_attribute_is_as_large_as_its_name_and_its_value(value: dict[str, Any], size: int) -> None:
    assert item_size({"имя": value}) == 6 + size


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, 1), (4096, True, 1), (4097, True, 2), (1, False, 0.5), (8193, False, 1.5)],
)
def test_a_read_costs_by_4_kb_and_half_when_it_may_be_stale(size: int, consistent: bool, units: float) -> None:
    assert read_units(size, consistent=consistent) == units


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1024, 1), (1025, 2)])
def test_a_write_costs_by_1_kb(size: int, units: int) -> None:
    assert write_units(size) == units


@pytest.mark.parametrize(
    ("change", "units"),
    [
        ({}, 1),
        ({"text": {"S": "other"}}, 1),
        ({"text": {"S": "t" * 1024}}, 2),
        ({"at": {"N": "6"}}, 3),
    ],
)
def test_a_write_costs_an_index_what_changes_in_it(change: dict[str, Any], units: int) -> None:
    assert TABLE.write_units(ITEM, ITEM | change, transaction=False) == units


def test_an_item_that_enters_or_leaves_an_index_costs_one_entry() -> None:
    outside = {name: value for name, value in ITEM.items() if name != "state"}
    assert TABLE.write_units(outside, ITEM, transaction=False) == 2
    assert TABLE.write_units(ITEM, outside, transaction=False) == 2
    assert TABLE.write_units(None, ITEM, transaction=False) == 2


def test_a_transaction_doubles_the_item_and_a_refused_write_costs_what_is_there() -> None:
    assert TABLE.write_units(ITEM, ITEM | {"at": {"N": "6"}}, transaction=True) == 2 + 2
    large = ITEM | {"text": {"S": "t" * 1024}}
    assert TABLE.write_units(large, large, transaction=False) == 2


def test_a_changed_attribute_that_an_index_holds_costs_one_entry() -> None:
    holding = Table(KEYS, (Index(("state",), frozenset({"id", "state", "text"})),))
    assert holding.write_units(ITEM, ITEM | {"text": {"S": "other"}}, transaction=False) == 2


def test_what_is_stored_is_the_item_and_its_entries_with_100_bytes_each() -> None:
    entry = item_size({name: ITEM[name] for name in ("id", "state", "at")})
    assert TABLE.stored(ITEM) == item_size(ITEM) + entry + 200


def test_usage_adds_up_and_costs_what_the_list_says() -> None:
    listed = prices.read()
    usage = Usage(dynamodb_write=1_000_000) + Usage(dynamodb_write=1_000_000, sqs_requests=1_000_000) * 2
    assert listed.by_service(usage) == {"DynamoDB": pytest.approx(3 * 0.625), "SQS": pytest.approx(0.8)}
    assert listed.total(usage) == pytest.approx(3 * 0.625 + 0.8)


def test_every_price_names_its_source_and_date() -> None:
    listed = prices.read()
    assert listed.as_of
    assert all(price.source.startswith("https://") and price.seen and price.usd > 0 for price in listed)


def test_virtual_time_passes_without_waiting_and_the_same_for_whoever_waits_side_by_side() -> None:
    moment = Moment(1_790_000_000_000)

    async def wait() -> int:
        await asyncio.gather(asyncio.sleep(3_600), asyncio.to_thread(lambda: None), asyncio.sleep(10))
        return moment.ms()

    began = time.monotonic()
    with virtual_time(moment, 0.008), asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        assert runner.run(wait()) == 1_790_000_000_000 + 3_600_000
    assert time.monotonic() - began < 60
