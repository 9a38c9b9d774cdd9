"""Row inventory.1: what each request costs in calls to AWS, warm and uncontended.
Row inventory.2: 1,000 GET_NUMBER at once on 500 numbers, also while every fifth call to AWS fails.
Row inventory.3: random histories of everything that happens to numbers, each step compared with the truth.

The handlers' code is real. Rows 1 and 2 are on the emulator's DynamoDB over HTTP; row 3 is on moto, which is in this
process, so that a step may be crossed by others at the worst moment.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
from botocore.config import Config
from moto import mock_aws

from bench.quiet import log_to_nowhere
from bench.row import Row, Say
from globalconnect.store.dynamo import Dynamo
from local import emulator
from local.place import TEMPLATE, Place
from local.template import load
from tests import partiql
from tests.conftest import Cloud, make_environment, next_prefix
from tests.integration.calls import Calls
from tests.integration.failing import FailingClient, Fault, RandomFaults, failing_below
from tests.integration.rush import Rush, wrongs
from tests.integration.shop import Shop
from tests.integration.test_inventory_machine import play

IDS = ("inventory.1", "inventory.2", "inventory.3")

RUSH = Rush(calls=1_000, threads=30, numbers=500)
SHARE = 0.2
WAYS = (Fault.CONFLICT, Fault.THROTTLED, Fault.UNANSWERED)

HISTORIES = 60
STEPS = 40
RESTS = (0, 30)

_PHONES = [f"4474721900{place:02}" for place in range(6)]
# As globalconnect.runtime.aws has it, which is for AWS's own endpoints.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=50)
_NOBODY = {"region_name": "us-east-1", "aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    """Measure inventory.1 to inventory.3."""
    with log_to_nowhere():
        if {"inventory.1", "inventory.2"}.intersection(wanted):
            with _emulated() as new_cloud:
                if "inventory.1" in wanted:
                    yield _budgets(new_cloud(), progress)
                if "inventory.2" in wanted:
                    yield _rushes(new_cloud, progress)
        if "inventory.3" in wanted:
            yield _histories(progress)


@contextmanager
def _emulated() -> Iterator[Callable[[], Cloud]]:
    """Run an emulator of this run's own; return what makes new tables on it."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder))
        arguments: dict[str, Any] = {"endpoint_url": emulator.start(place, emulator.free_port()).endpoint, **_NOBODY}
        try:
            dynamodb, sqs = boto3.client("dynamodb", config=_CONFIG, **arguments), boto3.client("sqs", **arguments)
            template = load(TEMPLATE)

            def new_cloud() -> Cloud:
                env = make_environment(template, dynamodb, sqs, prefix=next_prefix())
                return Cloud(Dynamo(dynamodb), dynamodb, sqs, env)

            yield new_cloud
        finally:
            emulator.stop(place)


def _open(cloud: Cloud, **overrides: str) -> Shop:
    shop = Shop(cloud, overrides)
    shop.sell("tg")
    return shop


# ---------------------------------------------------------------- inventory.1


def _budgets(cloud: Cloud, progress: Say) -> Row:
    shop = _open(cloud, CACHE_SECONDS="60")
    above = 0
    for request, budget, made in _requests(shop):
        progress(f"inventory.1: {request}: {', '.join(made) or 'none'}")
        above += max(0, len(made) - budget)
    return Row(
        "inventory.1",
        "no request makes more calls to AWS than its budget, warm and uncontended",
        above,
        "calls above",
        0,
        above == 0,
    )


def _requests(shop: Shop) -> Iterator[tuple[str, int, list[str]]]:
    """Return each request, how many calls it may make, and those it makes."""
    shop.stock(*_PHONES)
    partner, source = shop.partner(), shop.source()
    sold = shop.buy(partner).body
    other = shop.buy(partner).body
    activation_id = sold["activationId"]
    # Whatever is remembered is remembered from here on.
    shop.call(partner, "GET_SERVICES")
    shop.messages(partner, activation_id)
    shop.deliver(source, _sms(other["number"], "0"))
    with Calls(shop.cloud.client) as calls:
        yield "GET_SERVICES within the second", 0, calls.of(lambda: shop.call(partner, "GET_SERVICES"))
        shop.cloud.clock.advance(seconds=1)
        yield "GET_SERVICES", 1, calls.of(lambda: shop.call(partner, "GET_SERVICES"))
        yield "GET_NUMBER", 2, calls.of(lambda: shop.buy(partner))
        yield "inbound SMS", 2, calls.of(lambda: shop.deliver(source, _sms(sold["number"], "1")))
        yield "getsms", 1, calls.of(lambda: shop.messages(partner, activation_id))
        yield "FINISH_ACTIVATION", 3, calls.of(lambda: shop.finish(partner, activation_id, 3))


def _sms(phone: str, delivery: str) -> dict[str, str]:
    return {"phone": phone, "from": "Bank", "text": "Your code: 5015", "id": delivery}


# ---------------------------------------------------------------- inventory.2


def _rushes(new_cloud: Callable[[], Cloud], progress: Say) -> Row:
    found: list[str] = []
    for situation, buy in (
        ("nothing fails", lambda shop, _: RUSH.buy(shop)),
        ("calls fail after botocore's retries, tokens are forgotten", _buy_above),
        ("calls fail and botocore tries again", _buy_below),
    ):
        shop = _open(new_cloud(), CACHE_SECONDS="60")
        phones = RUSH.stock(shop)
        faults = RandomFaults(SHARE, seed=2, ways=WAYS)
        began = time.monotonic()
        wrong = wrongs(RUSH, phones, buy(shop, faults), shop)
        progress(f"inventory.2: {situation}: {faults.made} failed calls, {time.monotonic() - began:.0f} s, {wrong[:3]}")
        found += wrong
    return Row(
        "inventory.2",
        "1,000 GET_NUMBER from 30 threads on 500 numbers sell each number once and say NO_NUMBERS to the rest, also "
        "while every fifth call to AWS is refused, throttled or done without an answer",
        len(found),
        "wrong answers or numbers",
        0,
        not found,
    )


def _buy_above(shop: Shop, faults: RandomFaults) -> Any:
    failing: Any = FailingClient(shop.cloud.client, faults, remembers_tokens=False)
    return RUSH.buy(Shop(replace(shop.cloud, db=Dynamo(failing)), shop.overrides))


def _buy_below(shop: Shop, faults: RandomFaults) -> Any:
    with failing_below(shop.cloud.client, faults):
        return RUSH.buy(shop)


# ---------------------------------------------------------------- inventory.3


def _histories(progress: Say) -> Row:
    broken = 0
    with mock_aws():
        dynamodb, sqs = boto3.client("dynamodb", **_NOBODY), boto3.client("sqs", **_NOBODY)  # type: ignore[call-overload]
        partiql.teach(dynamodb, boto3.client("dynamodb", **_NOBODY))  # type: ignore[call-overload]
        for rest_minutes in RESTS:
            began = time.monotonic()
            try:
                play(dynamodb, sqs, rest_minutes, HISTORIES, STEPS, database=None, report_multiple_bugs=False)
            except AssertionError as error:
                # The shortest history that breaks a rule is in its notes.
                broken += 1
                progress("\n".join(["inventory.3:", str(error), *getattr(error, "__notes__", ())]))
            progress(
                f"inventory.3: {HISTORIES} histories of {STEPS} steps, numbers rest {rest_minutes} minutes: "
                f"{time.monotonic() - began:.0f} s"
            )
    return Row(
        "inventory.3",
        "after every step of random histories (sales, outcomes, expiry, withdrawals, imports, failures of AWS) no "
        "number is in two live activations, none was issued that may not be, and counts that caught up are the truth",
        broken,
        "histories that break a rule",
        0,
        broken == 0,
    )
