"""What must hold when many do the same thing at the same moment: contract 1.2, 1.5, 3 and 4."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from globalconnect.domain.errors import Busy
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.sms import SmsRef
from globalconnect.store.dynamo import Dynamo, expression
from globalconnect.store.projection import count
from simulation.failing import FailingClient, Fault, RandomFaults, Scripted, failing_below, failing_cloud
from simulation.rush import Rush, wrongs
from simulation.shop import Shop, present

PHONES = [f"4474721900{n:02}" for n in range(40)]


def _at_once[T](workers: int, work: Callable[[int], T]) -> list[T]:
    start = threading.Barrier(workers)

    def run(worker: int) -> T:
        start.wait()
        return work(worker)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


def test_thirty_buyers_of_ten_numbers_get_ten_different_ones(busy_shop: Shop) -> None:
    busy_shop.stock(*PHONES[:10])
    partner = busy_shop.partner()
    replies = _at_once(30, lambda _: busy_shop.buy(partner))
    sold = [reply.body for reply in replies if reply.body != {"status": "NO_NUMBERS"}]
    assert {reply.status for reply in replies} == {200}
    assert sorted(body["number"] for body in sold) == PHONES[:10]
    assert len({body["activationId"] for body in sold}) == 10


def test_buyers_of_any_operator_and_of_one_never_meet_on_a_number(busy_shop: Shop) -> None:
    for position, phone in enumerate(PHONES[:12]):
        busy_shop.stock(phone, operator=("One", "Two")[position % 2])
    partner = busy_shop.partner()
    replies = _at_once(24, lambda worker: busy_shop.buy(partner, operator=("any", "One", "Two")[worker % 3]))
    assert sorted(reply.body.get("number", "none") for reply in replies) == [*PHONES[:12], *["none"] * 12]


@pytest.mark.parametrize("status", [3, 4])
def test_many_finishes_at_once_have_one_effect(busy_shop: Shop, status: int) -> None:
    busy_shop.stock(PHONES[0])
    partner, activation_id = busy_shop.sold()
    replies = _at_once(12, lambda _: busy_shop.finish(partner, activation_id, status))
    assert {(reply.status, reply.body["status"]) for reply in replies} == {(200, "SUCCESS")}
    number = present(busy_shop.numbers.get(PHONES[0]))
    assert (set(number.blocked), dict(number.cancels)) == (
        {"tg"} if status == 3 else set(),
        {"tg": 1} if status == 4 else {},
    )


def test_the_same_delivery_many_times_at_once_is_stored_once(busy_shop: Shop) -> None:
    busy_shop.stock(PHONES[0])
    (partner, activation_id), source = busy_shop.sold(), busy_shop.source()
    sms = {"phone": PHONES[0], "from": "Microsoft", "text": "5015", "id": "abc"}
    replies = _at_once(12, lambda _: busy_shop.deliver(source, sms))
    assert {reply.status for reply in replies} == {200}
    assert len(busy_shop.messages(partner, activation_id).body["messages"]) == 1


def test_one_of_many_claims_of_a_push_wins(busy_shop: Shop) -> None:
    busy_shop.stock(PHONES[0])
    _partner, activation_id = busy_shop.sold()
    busy_shop.deliver(busy_shop.source(), {"phone": PHONES[0], "from": "Microsoft", "text": "5015"})
    sale = present(busy_shop.activations.sale(ActivationId(activation_id)))
    ref = SmsRef(ActivationId(activation_id), sale.sms[0].sms_id)
    now = busy_shop.cloud.clock()
    claims = _at_once(12, lambda _: busy_shop.pushes.claim([ref], now)[0])
    (won,) = [claim for claim in claims if claim is not None]
    assert won == replace(sale.sms[0], next_due=now + 10_000)


def test_two_shards_counting_into_one_pool_at_once_lose_nothing(busy_shop: Shop) -> None:
    busy_shop.stock(*PHONES)
    numbers = busy_shop.all_numbers()

    def count_them(shard: int) -> None:
        # A batch that fails comes again, as the stream has it.
        for _ in range(50):
            with suppress(Busy):
                count(numbers[shard * 10 : shard * 10 + 20], busy_shop.counts)
                return
        raise AssertionError("the batch never got through")

    _at_once(4, count_them)
    (pool,) = busy_shop.partner_parts.pool_counts.all()
    assert (pool.total, pool.free) == (40, 40)


# ------------------------------------------------------------------ while AWS refuses, throttles and does not answer


@pytest.mark.parametrize("remembers_tokens", [True, False])
@pytest.mark.parametrize("below_botocore", [True, False])
def test_a_rush_while_every_fifth_call_fails_sells_each_number_once(
    busy_shop: Shop, below_botocore: bool, remembers_tokens: bool
) -> None:
    rush = Rush(calls=120, threads=30, numbers=60)
    phones = rush.stock(busy_shop)
    faults = RandomFaults(0.2, seed=1, ways=(Fault.CONFLICT, Fault.THROTTLED, Fault.UNANSWERED))
    client = busy_shop.cloud.client
    if below_botocore:
        with failing_below(client, faults, remembers_tokens=remembers_tokens):
            replies = rush.buy(busy_shop)
    else:
        failing: Any = FailingClient(client, faults, remembers_tokens=remembers_tokens)
        replies = rush.buy(Shop(replace(busy_shop.cloud, db=Dynamo(failing))))
    assert faults.made
    assert wrongs(rush, phones, replies, busy_shop) == []


def test_a_number_that_stays_in_conflict_is_503_and_never_no_numbers(shop: Shop) -> None:
    shop.stock(PHONES[0])
    contended = Shop(failing_cloud(shop.cloud, Scripted(*[Fault.CONFLICT] * 100)))
    reply = contended.buy(shop.partner())
    assert (reply.status, reply.body["status"]) == (503, "ERROR")


# ------------------------------------------------------------------ DynamoDB as the emulator reads it


def test_more_than_a_page_of_blocked_numbers_hides_no_eligible_one(busy_shop: Shop) -> None:
    phones = [str(447_472_000_000 + n) for n in range(130)]
    busy_shop.stock(*phones)
    for phone in phones[:-1]:
        busy_shop.cloud.db.update(
            busy_shop.numbers.table,
            {"phone": phone},
            expression("ADD #blocked :tg", tg={"tg"}),
            expression("attribute_exists(#phone)"),
        )
    assert busy_shop.buy(busy_shop.partner()).body["number"] == phones[-1]
