"""Measures the processor time of our own code on this machine, and keeps it: costs are computed from what is kept."""

import json
import platform
import socket
import statistics
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.compat import HTTPHeaders

from bench.costing import outage, sale
from bench.costing.world import logged_by, pretend_cloud
from bench.warm_requests import Answered
from globalconnect import VERSION
from globalconnect.domain.sms import SmsRef
from globalconnect.domain.statistics import counts_of
from globalconnect.domain.times import HOUR
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import DuePush, RetryQueues
from globalconnect.runtime import clock
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.statistics import HourEvents
from tests.conftest import START
from tests.faults.cloud.store import MemoryStore

_ROUNDS = 5
# As many as a page of DynamoDB holds.
_ENTRIES = 8_000


def measure() -> None:
    """Measure every step a few times and keep the medians."""
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(_ROUNDS):
        with pretend_cloud() as world:
            for step in sale.Measuring(world, {}).steps().all():
                if step.processor_ms:
                    taken[step.name].append(step.processor_ms)
        taken[sale.PUSH].append(_attempt_ms())
        taken[sale.ENTRY].append(_entry_ms())
    content = {
        "about": "Processor time of our own code per invocation, without the calls to AWS; for a push per attempt, with "
        "the HTTP client and without TLS; for an entry with the SDK's reading. Medians; written by python -m bench.costs --durations",
        "measured": f"{datetime.now(UTC):%Y-%m}",
        "on": platform.machine(),
        "processor_ms": {
            name: round(statistics.median(times), 3 if name == sale.ENTRY else 1) for name, times in taken.items()
        },
    }
    sale.DURATIONS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _attempt_ms() -> float:
    """Return what an attempt takes of the processor: the routine over a store in memory, to a port that refuses."""
    store = MemoryStore()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        partner, messages = outage.waiting(store, f"http://127.0.0.1:{listener.getsockname()[1]}/", clock.now())
        pusher = Pusher(
            pushes=store,
            partners=store,
            queues=RetryQueues(outage.as_client(outage.Sqs(lambda _: None)), "retry", "slow"),
            health=Health(outage.as_partners(store), clock.now),
            open_client=lambda: PushClient(version=VERSION, loopback=True),
            max_age=None,
            now=clock.now,
        )
        due = [DuePush(SmsRef(sms.activation_id, sms.sms_id), partner.partner_id, 0) for sms in messages]
        began = time.process_time()
        logged_by(lambda: pusher.deliver(due))
        took = time.process_time() - began
        pusher.close()
    return took / len(messages) * 1_000


def _entry_ms() -> float:
    """Return what an activation takes that is counted: a page of them from the bytes that DynamoDB answers with."""
    entries = [
        {
            "activation_id": {"N": str(1_094_680_604_000_000 + number)},
            "entry": {"S": "activation"},
            "started_day": {"S": "2026-11-22"},
            "started_at": {"N": str(START + number)},
            "expires_at": {"N": str(START + number)},
            "outcome": {"N": "3"},
        }
        for number in range(_ENTRIES)
    ]
    body = json.dumps({"Items": entries, "Count": _ENTRIES}).encode()
    client = boto3.client("dynamodb", aws_access_key_id="bench", aws_secret_access_key="bench", region_name="us-east-1")  # noqa: S106
    # What a handler of this event gives is taken for the answer.
    answering: Any = lambda **_: Answered(HTTPHeaders(), body)  # noqa: E731 - the stubs know only handlers that give nothing
    client.meta.events.register("before-send.dynamodb.Query", answering)
    happened = HourEvents(Dynamo(client), "activations")
    began = time.process_time()
    counts_of(happened.begun(START, START + HOUR), [], START)
    return (time.process_time() - began) / _ENTRIES * 1_000
