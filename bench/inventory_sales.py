"""Row inventory.1: what each request costs in calls to AWS, warm and uncontended.
Row inventory.2: 1,000 GET_NUMBER at once on 500 numbers, also while every fifth call to AWS fails.
Row inventory.3: random histories of everything that happens to numbers, each step compared with the truth.

The handlers' code is real. Rows 1 and 2 are on the emulator's DynamoDB over HTTP; row 3 is on moto, which is in this
process, so that a step may be crossed by others at the worst moment.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from bench.row import Row, Say
from globalconnect.store.dynamo import Dynamo
from simulation.aws import Cloud
from simulation.calls import Calls
from simulation.clouds import emulated_aws, pretend_aws
from simulation.failing import FailingClient, Fault, RandomFaults, failing_below
from simulation.histories import play
from simulation.inventory import Inventory
from simulation.logs import log_to_nowhere
from simulation.rush import Rush, wrongs
from simulation.shop import Shop

IDS = ("inventory.1", "inventory.2", "inventory.3")

RUSH = Rush(calls=1_000, threads=30, numbers=500)
SHARE = 0.2
WAYS = (Fault.CONFLICT, Fault.THROTTLED, Fault.UNANSWERED)

HISTORIES = 60
STEPS = 40
RESTS = (0, 30)

_PHONES = [f"4474721900{place:02}" for place in range(6)]


def rows(progress: Say, wanted: Collection[str]) -> Iterator[Row]:
    with log_to_nowhere():
        if {"inventory.1", "inventory.2"}.intersection(wanted):
            with emulated_aws() as new_cloud:
                if "inventory.1" in wanted:
                    yield _budgets(new_cloud(), progress)
                if "inventory.2" in wanted:
                    yield _rushes(new_cloud, progress)
        if "inventory.3" in wanted:
            yield _histories(progress)


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
    activation_id = sold["activationId"]
    # Whatever is remembered is remembered from here on.
    shop.call(partner, "GET_SERVICES")
    shop.messages(partner, activation_id)
    shop.deliver(source, _sms(sold["number"], "0"))
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
    with pretend_aws() as moto:
        for rest_minutes in RESTS:
            began = time.monotonic()
            try:
                play(
                    partial(Inventory, moto, rest_minutes), HISTORIES, STEPS, database=None, report_multiple_bugs=False
                )
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
