"""What must hold when many do the same thing at the same moment: contract 1.2, 1.5, 3 and 4."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from globalconnect.domain.errors import Busy
from globalconnect.domain.sms import Sms, SmsRef
from globalconnect.store.dynamo import ConditionFailed, Dynamo, expression
from globalconnect.store.projection import count
from simulation.aws import Cloud
from simulation.failing import FailingClient, Fault, RandomFaults, failing_below
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
    sold = [reply.body for reply in replies if reply.body["status"] == "SUCCESS"]
    assert {reply.status for reply in replies} == {200}
    assert sorted(body["number"] for body in sold) == PHONES[:10]
    assert len({body["activationId"] for body in sold}) == 10
    assert sum(reply.body == {"status": "NO_NUMBERS"} for reply in replies) == 20


def test_buyers_of_any_operator_and_of_one_never_meet_on_a_number(busy_shop: Shop) -> None:
    for position, phone in enumerate(PHONES[:12]):
        busy_shop.stock(phone, operator=("One", "Two")[position % 2])
    partner = busy_shop.partner()
    replies = _at_once(24, lambda worker: busy_shop.buy(partner, operator=("any", "One", "Two")[worker % 3]))
    numbers = [reply.body["number"] for reply in replies if reply.body["status"] == "SUCCESS"]
    assert sorted(numbers) == PHONES[:12]


@pytest.mark.parametrize("status", [3, 4])
def test_many_finishes_at_once_have_one_effect(busy_shop: Shop, status: int) -> None:
    busy_shop.stock(PHONES[0])
    partner, activation_id = busy_shop.sold()
    replies = _at_once(12, lambda _: busy_shop.finish(partner, activation_id, status))
    assert {(reply.status, reply.body["status"]) for reply in replies} == {(200, "SUCCESS")}
    number = present(busy_shop.numbers.get(PHONES[0]))
    assert (number.blocked, dict(number.cancels)) == (
        (frozenset({"tg"}), {}) if status == 3 else (frozenset(), {"tg": 1})
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
    sale = present(busy_shop.activations.sale(activation_id))
    ref = SmsRef(activation_id, sale.sms[0].sms_id)
    now = busy_shop.cloud.clock()
    claims = _at_once(12, lambda _: busy_shop.pushes.claim([ref], now)[0])
    (won,) = [claim for claim in claims if claim is not None]
    assert isinstance(won, Sms)
    assert (won.attempts, won.next_due) == (0, now + 10_000)


def test_two_shards_counting_into_one_pool_at_once_lose_nothing(busy_shop: Shop) -> None:
    busy_shop.stock(*PHONES)
    numbers = busy_shop.all_numbers()
    _at_once(4, lambda shard: _until_counted(lambda: count(numbers[shard * 10 : shard * 10 + 20], busy_shop.counts)))
    (pool,) = busy_shop.partner_parts.pool_counts.all()
    assert (pool.total, pool.free) == (40, 40)


def _until_counted(count_them: Callable[[], int]) -> None:
    """Do as the stream does: a batch that fails comes again."""
    for _ in range(50):
        try:
            count_them()
        except Busy:
            continue
        return
    raise AssertionError("the batch never got through")


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


# ------------------------------------------------------------------ what only AWS does


class _Refusing:
    """A DynamoDB client that answers the first transactions as AWS may: with a conflict, or by throttling."""

    def __init__(self, client: Any, refusals: list[str]) -> None:
        self._client = client
        self._refusals = list(refusals)

    def transact_write_items(self, **arguments: Any) -> Any:
        if not self._refusals:
            return self._client.transact_write_items(**arguments)
        code = self._refusals.pop(0)
        response: Any = {"Error": {"Code": code, "Message": ""}}
        if code in {"TransactionConflict", "ThrottlingError"}:
            response = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": "None"}, {"Code": code}],
            }
        response["ResponseMetadata"] = {"RetryAttempts": 0}
        raise ClientError(response, "TransactWriteItems")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def _refusing(shop: Shop, refusals: list[str]) -> Shop:
    """Return the same shop over a DynamoDB that refuses some transactions first."""
    return Shop(shop.cloud.over(_Refusing(shop.cloud.client, refusals)))


@pytest.mark.parametrize(
    "refusals",
    [["TransactionConflict"], ["ThrottlingError"] * 3, ["ThrottlingException"], ["TransactionInProgressException"] * 2],
    ids=lambda refusals: f"{len(refusals)}x{refusals[0]}",
)
def test_conflicts_and_throttling_are_no_reason_to_answer_no_numbers(shop: Shop, refusals: list[str]) -> None:
    shop.stock(PHONES[0])
    partner = shop.partner()
    assert _refusing(shop, refusals).buy(partner).body.get("number") == PHONES[0]


def test_a_single_write_waits_for_a_transaction_that_holds_its_item(shop: Shop) -> None:
    class Held(_Refusing):
        def update_item(self, **arguments: Any) -> Any:
            if self._refusals:
                raise ClientError({"Error": {"Code": self._refusals.pop(), "Message": ""}}, "UpdateItem")
            return self._client.update_item(**arguments)

    shop.stock(PHONES[0])
    held = Shop(shop.cloud.over(Held(shop.cloud.client, ["TransactionConflictException"] * 3)))
    assert not held.numbers.withdraw(PHONES[0]).enabled


def test_a_number_that_stays_in_conflict_is_503_and_never_no_numbers(shop: Shop) -> None:
    shop.stock(PHONES[0])
    partner = shop.partner()
    reply = _refusing(shop, ["TransactionConflict"] * 100).buy(partner)
    assert (reply.status, reply.body["status"]) == (503, "ERROR")


def test_a_conflict_beside_a_failed_condition_is_a_failed_condition(cloud: Cloud) -> None:
    class Client:
        def transact_write_items(self, **_: Any) -> None:
            reasons = [{"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed"}]
            error: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(error, "TransactWriteItems")

    with pytest.raises(ConditionFailed) as failure:
        Dynamo(Client()).transact()  # type: ignore[arg-type]
    assert failure.value.failed == {1}


# ------------------------------------------------------------------ DynamoDB as the emulator reads it


def test_a_cancel_is_counted_in_the_map_that_import_made(busy_shop: Shop) -> None:
    busy_shop.stock(PHONES[0])
    partner = busy_shop.partner()
    for cancels in range(1, 6):
        assert busy_shop.finish(partner, busy_shop.buy(partner).body["activationId"], 4).status == 200
        number = present(busy_shop.numbers.get(PHONES[0]))
        assert dict(number.cancels) == {"tg": cancels}
    assert busy_shop.buy(partner).body == {"status": "NO_NUMBERS"}


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
