"""When AWS gives no answer, what was asked may be done all the same: it ends as what it is, once (docs/adr/0018)."""

from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from globalconnect.domain.activation import Outcome
from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.ids import ActivationId
from globalconnect.store.dynamo import ConditionFailed, Dynamo, check, expression
from simulation.failing import TRANSACTION, FailingClient, Fault, Faults, Scripted, failing_below
from simulation.shop import Shop, present

PHONES = ["447472190081", "447472190082"]
SUCCESS = {"status": "SUCCESS"}
SMS = {"phone": PHONES[0], "from": "Microsoft", "text": "Your code: 5015", "id": "1"}

HISTORIES = [
    (Fault.UNANSWERED,),
    (Fault.UNHEARD,),
    (Fault.UNANSWERED, Fault.UNANSWERED, Fault.UNHEARD),
    (Fault.CONFLICT, Fault.UNANSWERED, Fault.CONFLICT, Fault.THROTTLED),
    (Fault.UNHEARD, Fault.CONFLICT, Fault.UNANSWERED),
]


def _over(shop: Shop, faults: Faults, **more: Any) -> Shop:
    """Return a shop over the same tables, reached by a client that fails and a DynamoDB that forgets tokens."""
    client: Any = FailingClient(shop.cloud.client, faults, remembers_tokens=False)
    return Shop(replace(shop.cloud, db=Dynamo(client, pause=lambda _: None, **more)))


def _entered(shop: Shop) -> dict[str, int | None]:
    return {number.phone: number.activation_id for number in shop.all_numbers() if number.activation_id}


histories = pytest.mark.parametrize("history", HISTORIES, ids="-".join)


# ------------------------------------------------------------------ GET_NUMBER


@histories
def test_a_sale_without_an_answer_is_that_very_sale(shop: Shop, history: tuple[Fault, ...]) -> None:
    shop.stock(*PHONES)
    sold = _over(shop, Scripted(*history)).buy(shop.partner(), sum="20.00", currency=643).body
    assert sold["status"] == "SUCCESS"
    assert _entered(shop) == {sold["number"]: sold["activationId"]}


@histories
@pytest.mark.parametrize("remembers_tokens", [True, False])
def test_so_it_is_when_botocore_sends_it_again_by_itself(
    busy_shop: Shop, history: tuple[Fault, ...], remembers_tokens: bool
) -> None:
    busy_shop.stock(*PHONES)
    partner = busy_shop.partner()
    with failing_below(busy_shop.cloud.client, Scripted(*history), remembers_tokens=remembers_tokens):
        sold = busy_shop.buy(partner).body
    assert sold["status"] == "SUCCESS"
    assert _entered(busy_shop) == {sold["number"]: sold["activationId"]}


@pytest.mark.parametrize(
    ("seconds_each", "sent"), [pytest.param(0, 8, id="all tries"), pytest.param(20, 1, id="ten seconds have passed")]
)
def test_a_sale_that_is_never_answered_is_not_sent_for_ever_and_found_by_reading(
    shop: Shop, seconds_each: int, sent: int
) -> None:
    shop.stock(*PHONES)
    faults = Scripted(*[Fault.UNANSWERED] * 100)
    sold = _over(shop, faults, elapsed=count(0, seconds_each).__next__).buy(shop.partner()).body
    assert (sold["status"], len(faults.left)) == ("SUCCESS", 100 - sent)
    assert _entered(shop) == {sold["number"]: sold["activationId"]}


def test_a_sale_that_never_reaches_aws_is_500_and_leaves_nothing(shop: Shop) -> None:
    shop.stock(*PHONES)
    reply = _over(shop, Scripted(*[Fault.UNHEARD] * 100)).buy(shop.partner())
    assert (reply.status, reply.body["status"]) == (500, "ERROR")
    assert _entered(shop) == {}


def test_a_number_that_somebody_else_got_meanwhile_is_not_taken_for_ours(shop: Shop) -> None:
    shop.stock(PHONES[0])
    partner, rival = shop.partner(), shop.partner()
    theirs: list[int] = []

    def faults(operation: str) -> Fault | None:
        if operation != TRANSACTION or theirs:
            return None
        theirs.append(shop.buy(rival).body["activationId"])
        return Fault.UNHEARD

    assert _over(shop, faults).buy(partner).body == {"status": "NO_NUMBERS"}
    assert _entered(shop) == {PHONES[0]: theirs[0]}


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.UNANSWERED])
@pytest.mark.parametrize("operation", ["GetItem", "Query", "Scan"])
def test_a_read_that_fails_is_read_again(shop: Shop, operation: str, fault: Fault) -> None:
    shop.stock(*PHONES)
    faults = Scripted(fault, fault, operation=operation)
    assert _over(shop, faults).buy(shop.partner()).body["status"] == "SUCCESS"
    assert faults.left == []


# ------------------------------------------------------------------ FINISH_ACTIVATION


@histories
@pytest.mark.parametrize("outcome", Outcome)
def test_a_finish_without_an_answer_is_success_and_has_one_effect(
    shop: Shop, outcome: Outcome, history: tuple[Fault, ...]
) -> None:
    shop.stock(PHONES[0])
    partner, activation_id = shop.sold()
    reply = _over(shop, Scripted(*history)).finish(partner, activation_id, outcome.value)
    assert (reply.status, reply.body) == (200, SUCCESS)
    assert present(shop.activations.get(ActivationId(activation_id))).outcome is outcome
    number = present(shop.numbers.get(PHONES[0]))
    assert (number.activation_id, dict(number.cancels)) == (None, {"tg": 1} if outcome is Outcome.CANCELED else {})


@histories
def test_a_refund_without_an_answer_is_success(shop: Shop, history: tuple[Fault, ...]) -> None:
    shop.stock(PHONES[0])
    partner, activation_id = shop.sold()
    shop.finish(partner, activation_id, 3)
    reply = _over(shop, Scripted(*history, operation="UpdateItem")).finish(partner, activation_id, 5)
    assert (reply.status, reply.body) == (200, SUCCESS)
    assert present(shop.activations.get(ActivationId(activation_id))).outcome is Outcome.RETURNED


# ------------------------------------------------------------------ SMS and operators


@histories
def test_an_sms_without_an_answer_is_stored_once(shop: Shop, history: tuple[Fault, ...]) -> None:
    shop.stock(PHONES[0])
    (partner, activation_id), source = shop.sold(), shop.source()
    assert _over(shop, Scripted(*history)).deliver(source, SMS).status == 200
    assert len(shop.messages(partner, activation_id).body["messages"]) == 1


@histories
def test_an_unclaimed_sms_without_an_answer_is_kept_once(shop: Shop, history: tuple[Fault, ...]) -> None:
    source = shop.source()
    assert _over(shop, Scripted(*history, operation="TransactWriteItems")).deliver(source, SMS).status == 200
    kept = shop.cloud.db.scan(shop.cloud.env["INBOX_TABLE"]).items
    assert [item["kind"] for item in kept if "kind" in item] == ["unclaimed"]


@histories
def test_withdrawing_and_restoring_without_an_answer_is_done(shop: Shop, history: tuple[Fault, ...]) -> None:
    shop.stock(PHONES[0])
    now = shop.cloud.clock()
    assert not _over(shop, Scripted(*history, operation="UpdateItem")).numbers.withdraw(PHONES[0]).enabled
    assert _over(shop, Scripted(*history, operation="UpdateItem")).numbers.restore(PHONES[0], now).enabled


@histories
def test_the_sweep_without_an_answer_frees_what_has_run_out(shop: Shop, history: tuple[Fault, ...]) -> None:
    shop.stock(PHONES[0])
    shop.buy(shop.partner())
    shop.cloud.clock.advance(minutes=60)
    _over(shop, Scripted(*history, operation="UpdateItem")).sweep()
    assert _entered(shop) == {}


# ------------------------------------------------------------------ how it is tried again


def _dynamo(*failures: Exception) -> tuple[Dynamo, Mock]:
    """Return a DynamoDB whose transactions fail one after the other, then no more, and what it is asked by."""
    client = Mock()
    client.transact_write_items.side_effect = [*failures, *[{}] * 9]
    return Dynamo(client, pause=lambda _: None), client.transact_write_items


def _error(code: str, *reasons: str, status: int = 400, retries: int | None = 0) -> ClientError:
    told = {} if retries is None else {"RetryAttempts": retries}
    answer: Any = {
        "Error": {"Code": code},
        "ResponseMetadata": {"HTTPStatusCode": status, **told},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, TRANSACTION)


def _canceled(*reasons: str, retries: int | None = 0) -> ClientError:
    return _error("TransactionCanceledException", *reasons, retries=retries)


UNANSWERED = ReadTimeoutError(endpoint_url="the tables")
BROKEN = _error("InternalServerError", status=500)
REFUSED = _canceled("ConditionalCheckFailed")
REFUSED_TO_BOTOCORE = _canceled("ConditionalCheckFailed", retries=1)
# By an SDK that does not say how often it sent it: the runtime brings it, and changes it without us (docs/adr/0031).
REFUSED_WHO_KNOWS_WHEN = _canceled("ConditionalCheckFailed", retries=None)


def test_all_tries_of_a_transaction_have_one_token_and_no_other_has_it() -> None:
    db, asked = _dynamo(UNANSWERED, BROKEN, _error("ThrottlingException"))
    db.transact()
    db.transact()
    first, *others = [call.kwargs["ClientRequestToken"] for call in asked.call_args_list]
    assert others[:3] == [first] * 3
    assert (len(others), others[3] == first) == (4, False)


@pytest.mark.parametrize(
    "refusal",
    [
        _canceled("None", "TransactionConflict"),
        _canceled("None", "ThrottlingError"),
        _error("ThrottlingException"),
        _error("TransactionInProgressException"),
    ],
    ids=["conflict", "throttled in it", "throttled", "in progress"],
)
def test_contention_and_throttling_are_tried_again(refusal: ClientError) -> None:
    db, asked = _dynamo(*[refusal] * 3)
    db.transact()
    assert asked.call_count == 4


def test_a_conflict_beside_a_failed_condition_is_a_failed_condition() -> None:
    db, _ = _dynamo(_canceled("TransactionConflict", "ConditionalCheckFailed"))
    with pytest.raises(ConditionFailed) as failure:
        db.transact()
    assert failure.value.failed == {1}


@pytest.mark.parametrize(
    "failures", [[UNANSWERED, REFUSED], [BROKEN, REFUSED], [REFUSED_TO_BOTOCORE], [REFUSED_WHO_KNOWS_WHEN]]
)
@pytest.mark.parametrize("done", [True, False])
def test_a_refusal_after_a_try_without_an_answer_is_read_back(failures: list[Exception], done: bool) -> None:
    db, _ = _dynamo(*failures)
    with nullcontext() if done else pytest.raises(ConditionFailed):
        db.transact(was_done=lambda: done)


def test_a_refusal_that_answers_the_first_try_needs_no_reading(busy_shop: Shop) -> None:
    read = Mock()
    db, _ = _dynamo(REFUSED)
    with pytest.raises(ConditionFailed):
        db.transact(was_done=read)
    # The SDK says as well when it sent a call only once.
    known = expression("attribute_exists(#phone)")
    with pytest.raises(ConditionFailed):
        busy_shop.cloud.db.transact(check(busy_shop.numbers.table, {"phone": PHONES[0]}, known), was_done=read)
    assert not read.called


@pytest.mark.parametrize(
    ("failure", "reason", "tries"),
    [
        (UNANSWERED, "ReadTimeoutError", 8),
        (BROKEN, "InternalServerError", 8),
        (_error("ValidationException"), "ValidationException", 1),
    ],
)
def test_what_is_never_answered_is_given_up_after_eight_tries_and_what_aws_does_not_understand_at_once(
    failure: Exception, reason: str, tries: int
) -> None:
    db, asked = _dynamo(*[failure] * 100)
    with pytest.raises(Unavailable) as raised:
        db.transact()
    assert (raised.value.reason, asked.call_count) == (reason, tries)


@pytest.mark.parametrize(("before", "tries"), [((), 1), ((UNANSWERED,), 8)])
def test_a_caller_who_would_rather_go_on_goes_on_only_if_it_was_not_done(
    before: tuple[Exception, ...], tries: int
) -> None:
    db, asked = _dynamo(*before, *[_error("TransactionConflictException")] * 100)
    with pytest.raises(Busy):
        db.transact(tries=1)
    assert asked.call_count == tries
