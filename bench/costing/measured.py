"""What each step of a sale, and a push attempt, takes: the functions' code run once on moto, with every call watched."""

import io
import json
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from datetime import UTC, datetime
from functools import partial
from itertools import batched, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import boto3
from moto import mock_aws

from bench.costing import assumed, lines
from bench.costing.dynamodb import Item, Table, read, written
from bench.costing.outage import ATTEMPTS_PER_HOUR, DELIVERS, REFUSES, TIMES_OUT, Kind, Sharing, invocation, sharing
from bench.costing.prices import Usage
from globalconnect.domain.ids import SourceId
from globalconnect.domain.number import Number
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.domain.push_attempt import AttemptResult
from globalconnect.domain.sms import DuePush, SmsRef
from globalconnect.domain.times import SECOND
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.runtime.metrics import PushMeter
from globalconnect.store.activations import PENDING_SHARDS
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.projection import count
from local import template as templates
from local.place import TEMPLATE
from simulation import partiql
from simulation.aws import Cloud, make_environment
from simulation.logs import log_to
from simulation.shop import COUNTRY, OPERATOR, Reply, Shop

DURATIONS = Path(__file__).parents[1] / "durations.json"
# Processor times that are of no step.
PUSH, ENTRY = "a push attempt", "an entry that statistics read"
# SMS that wait at once. None: so many that every batch is full.
PENDING: tuple[int | None, ...] = (100, 1_000, None)

# What the names of this run's tables begin with.
_PREFIX = "bench-"
# Lambda adds a trace id and our service's name to each line of the log, and the latter to each line of metrics.
_LINE_BYTES = 50
_METRICS_LINE_BYTES = 35
_STOCK = 120
# SMS of the outage on which attempts are counted.
_OUTAGE = 11
# What most HTTP libraries ask with.
_GZIP = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"}


class Counted(NamedTuple):
    """What something came to: calls, units by table of the template, bytes for CloudWatch, and what it returned.

    `processor_ms` is what our own code took, without the calls.
    """

    calls: Mapping[str, float]
    read: Mapping[str, float]
    written: Mapping[str, float]
    logged: int
    processor_ms: float
    returned: Any

    def usage(self, *tables: str) -> Usage:
        """Return the units of some tables, of all when none is named."""
        return Usage(
            dynamodb_read=sum(units for name, units in self.read.items() if not tables or name in tables),
            dynamodb_write=sum(units for name, units in self.written.items() if not tables or name in tables),
        )


class Step(NamedTuple):
    """One invocation: what it takes, how long it lasts (s), how it was counted, and the bytes of its answer."""

    usage: Usage
    seconds: float
    counted: Counted
    answer_bytes: int


class Hour(NamedTuple):
    """What one pending SMS takes in an hour of outage, and how its attempts share invocations."""

    usage: Usage
    sharing: Sharing


class World:
    """A shop on the tables of template.yaml, and what watches its calls. What is logged and measured is `printed`."""

    def __init__(self, printed: io.StringIO) -> None:
        self.template = templates.load(TEMPLATE)
        tables = self.resources("AWS::DynamoDB::Table")
        self.tables = {name: Table(properties) for name, properties in tables.items()}
        defaults = {name: self.template["Parameters"][name]["Default"] for name in ("Tracing", "DetailedMetrics")}
        keyed = [name for name, table in tables.items() if table.get("SSESpecification", {}).get("SSEEnabled")]
        if keyed or defaults != {"Tracing": "PassThrough", "DetailedMetrics": "false"}:
            raise ValueError("the template has what is not counted: traces, detailed metrics, or keys of KMS")
        dynamodb, statements, self._unwatched, sqs = map(_client, ("dynamodb", "dynamodb", "dynamodb", "sqs"))
        partiql.teach(dynamodb, statements)
        env = make_environment(self.template, dynamodb, sqs, prefix=_PREFIX)
        rng = random.Random(1).randrange  # noqa: S311 - repeatable
        self.shop = Shop(Cloud(Dynamo(dynamodb), dynamodb, sqs, env, rng=rng), {"CACHE_SECONDS": env["CACHE_SECONDS"]})
        self._printed = printed
        # From many threads: appending is one step.
        self._noted: list[tuple[str, str, float]] = []
        # Statements are carried out as updates by a client of their own, which are no calls of ours.
        for client, is_call in ((dynamodb, True), (sqs, True), (statements, False)):
            client.meta.events.register("provide-client-params", self._before)
            client.meta.events.register("after-call", partial(self._after, is_call=is_call))

    def watch(self, do: Callable[[], object]) -> Counted:
        """Do something and count what it comes to."""
        self._noted.clear()
        start, began = self._printed.tell(), time.process_time()
        returned = do()
        took = time.process_time() - began

        def noted(what: str) -> dict[str, float]:
            found = [(name, amount) for kind, name, amount in self._noted if kind == what]
            return {name: sum(amount for other, amount in found if other == name) for name, _ in found}

        lines = self._printed.getvalue()[start:].splitlines(keepends=True)
        logged = sum(len(line.encode()) + (_METRICS_LINE_BYTES if '"_aws"' in line else _LINE_BYTES) for line in lines)
        ours = (took - sum(noted("seconds").values())) * 1_000
        return Counted(noted("calls"), noted("read"), noted("written"), logged, ours, returned)

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the template's resources of a type."""
        resources = self.template["Resources"].items()
        return {name: one["Properties"] for name, one in resources if one["Type"] == kind}

    def stored(self, table: str, *ids: int) -> list[int]:
        """Return the bytes that are stored of a (small) table's items that name one of the ids, of all without any."""
        items = self._unwatched.scan(TableName=_PREFIX + table)["Items"]
        return [
            self.tables[table].stored(item) for item in items if not ids or any(str(one) in str(item) for one in ids)
        ]

    def _before(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        began = time.thread_time()
        changes = [(table, item, self._item(table, item)) for table, item in written(model.name, params)]
        context[_PREFIX] = params, changes, began

    def _after(
        self, parsed: Mapping[str, Any], model: Any, context: dict[str, Any], *, is_call: bool, **_: object
    ) -> None:
        params, changes, began = context.pop(_PREFIX)
        for table, item, before in changes:
            name, after = table.removeprefix(_PREFIX), self._item(table, item)
            units = self.tables[name].write_units(before, after, in_transaction=model.name == "TransactWriteItems")
            self._noted.append(("written", name, units))
        self._noted += [
            ("read", table.removeprefix(_PREFIX), units) for table, units in read(model.name, params, parsed)
        ]
        if is_call:
            self._noted += [("calls", model.name, 1), ("seconds", model.name, time.thread_time() - began)]

    def _item(self, table: str, item: Item) -> Item:
        key = {name: item[name] for name in self.tables[table.removeprefix(_PREFIX)].keys}
        found: Item = self._unwatched.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
        return found


class Measured:
    """Everything that costs are computed from. `durations` are processor times (ms, one whole processor) of earlier."""

    def __init__(self, world: World, durations: Mapping[str, float]) -> None:
        self._world = world
        self._shop = world.shop
        self.durations = durations
        self.steps: dict[str, Step] = {}
        # Nobody listens there.
        self._partner, self._source = self._shop.partner(push_url="http://127.0.0.1:1/"), self._shop.source()
        self._open()
        first = world.watch(partial(self._shop.call, self._partner, "GET_SERVICES"))
        self.unremembered, self.poll_written = first.read, first.written["PartnersTable"]
        self.get_services = dict(self._get_services())
        self._sell()
        self.hours = {kind: self._hours(kind) for kind in (TIMES_OUT, REFUSES)}
        # An alarm on an expression is charged for each metric in it.
        metrics = [alarm.get("Metrics", []) for alarm in world.resources("AWS::CloudWatch::Alarm").values()]
        self.alarm_metrics = sum(sum("MetricStat" in metric for metric in some) or 1 for some in metrics)
        self.dashboards = len(world.resources("AWS::CloudWatch::Dashboard"))
        # Last: it is no part of the sales.
        self.sales_steps = dict(self.steps)
        self.lines = lines.measured(self._shop, self._step)

    def _open(self) -> None:
        """Have a stock of which half is used up for the service that is asked for, and the other half for others."""
        shop = self._shop
        shop.sell(*assumed.SERVICES)
        now = shop.cloud.clock()
        for place in range(_STOCK):
            blocked, heard_by = frozenset(assumed.SERVICES[place % 2 :: 2]), SourceId(self._source)
            phone = str(447_472_000_000 + place)
            shop.numbers.add(Number(phone, COUNTRY, OPERATOR, now + place, blocked=blocked, heard_by=heard_by))
        shop.cloud.clock.advance(seconds=1)
        shop.project()

    def _get_services(self) -> Iterator[tuple[int, Step]]:
        asked = {"key": self._partner.key, "action": "GET_SERVICES"}
        for known, pools in pairwise([1, *assumed.POOLS.values()]):
            for some in batched(map(_pool, range(known, pools)), 50, strict=False):
                self._shop.counts.write(some, [], {})
            self._shop.cloud.clock.advance(seconds=2)
            ask = partial(self._shop.post, asked, headers=_GZIP)
            yield pools, self._step(f"GET_SERVICES, {pools} pools", "PartnerApiFunction", ask)

    def _sell(self) -> None:
        """Sell numbers in every way the profile has."""
        shop, partner = self._shop, self._partner
        buy = partial(shop.buy, partner, "s00")
        buy()
        self._step("GET_NUMBER", "PartnerApiFunction", buy)
        # The sweep reads all shards side by side: what one thread waits, all do.
        self._step("the sweep of a minute", "ExpireActivationsFunction", self._sweep, 4 * assumed.CALL_SECONDS)
        self._run_out()
        bought = [buy().body for _ in range(3)]
        (sold, number), (canceled, _), (_, waiting) = ((one["activationId"], one["number"]) for one in bought)
        self._receive("447000000000", "unclaimed")
        poll, receive = partial(shop.messages, partner, sold), partial(self._receive, number, "1")
        poll()
        self._step("getsms, nothing yet", "GetsmsFunction", poll)
        self._step("an SMS comes in", "InboundSmsFunction", receive)
        self._step("getsms, with the SMS", "GetsmsFunction", poll)
        name, function, (sms,) = "the first push, delivered", "PushSmsFunction", self._due()
        lasts = invocation(DELIVERS, 0, [0], self._attempt_ms(DELIVERS, function)).ended / SECOND
        self._step(name, function, partial(self._deliver, DELIVERS, [sms]), lasts, DELIVERS.sends)
        self._step("FINISH_ACTIVATION, success", "PartnerApiFunction", partial(shop.finish, partner, sold, 3))
        self._step("FINISH_ACTIVATION, cancel", "PartnerApiFunction", partial(shop.finish, partner, canceled, 4))
        # A batch of the stream mostly holds one number.
        counted = partial(count, shop.numbers.get_many([waiting]), shop.counts)
        self._step("a change of a number is counted", "AvailabilityFunction", counted)
        # Not the first run of an hour: most find next to nothing.
        shop.measure()
        self._step("the statistics of a minute", "HourlyStatisticsFunction", shop.measure)
        stored = self._world.stored
        self.sale_bytes = sum(stored("ActivationsTable", sold) + stored("InboxTable", sold, sms.ref.sms_id))
        self.number_bytes = sum(statistics.fmean(stored(table)) for table in ("NumbersTable", "CountedTable"))
        for place in range(_OUTAGE):
            self._receive(waiting, f"outage-{place}")

    def _sweep(self) -> None:
        self._shop.sweep()
        self._shop.silence()

    def _run_out(self) -> None:
        """Take what a sweep does beside the rest for each of two leases that ran out."""
        self._shop.cloud.clock.advance(minutes=120)
        step = self._step("a lease runs out", "ExpireActivationsFunction", self._sweep, assumed.CALL_SECONDS)
        written = step.counted.written["NumbersTable"] / 2
        usage = Usage(dynamodb_write=written, lambda_seconds=step.usage["lambda_seconds"])
        self.steps["a lease runs out"] = step._replace(usage=usage)

    def _step(
        self, name: str, function: str, do: Callable[[], object], seconds: float | None = None, sent: int = 0
    ) -> Step:
        """Take an invocation that lasts so long and sends bytes out; one that returns a Reply comes by API Gateway."""
        counted = self._world.watch(do)
        memory = self.memory_gb(function)
        if seconds is None:
            transactions = counted.calls.get("TransactWriteItems", 0)
            waits = sum(counted.calls.values()) - transactions
            seconds = waits * assumed.CALL_SECONDS + transactions * assumed.TRANSACTION_SECONDS
            seconds += self.durations.get(name, 0.0) / 1_000 * assumed.slower(memory)
        usage = counted.usage() + Usage(
            lambda_requests=1,
            lambda_seconds=seconds * memory,
            logs=(counted.logged + assumed.INVOCATION_LOG_BYTES) / 1e9,
            transfer_out=sent / 1e9,
        )
        answer = 0
        if isinstance(counted.returned, Reply):
            answer = _answer_bytes(counted.returned)
            usage += Usage(api_requests=1, transfer_out=(assumed.ANSWER_HEADERS_BYTES + answer) / 1e9)
        self.steps[name] = Step(usage, seconds, counted, answer)
        return self.steps[name]

    def memory_gb(self, function: str) -> float:
        template = self._world.template
        properties = template["Globals"]["Function"] | template["Resources"][function]["Properties"]
        return float(properties["MemorySize"]) / 1024

    def _receive(self, phone: str, sms_id: str) -> Reply:
        sms = {"phone": phone, "from": "Telegram", "text": assumed.SMS_TEXT, "id": f"0190a5f0-7d7c-{sms_id}"}
        return self._shop.deliver(self._source, sms)

    # -------------------------------------------------------------- pushes

    def _due(self) -> list[DuePush]:
        shop, now = self._shop, self._shop.cloud.clock()
        refs = [ref for shard in PENDING_SHARDS for ref in shop.pushes.pending(shard, now)]
        found = shop.pushes.find(refs)
        return [DuePush(SmsRef(sms.activation_id, sms.sms_id), sms.partner_id, now, sms.tally) for sms in found]

    def _attempt_ms(self, kind: Kind, function: str) -> float:
        """Return what an attempt takes of a function's processor."""
        return (self.durations[PUSH] + kind.handshake_ms) * assumed.slower(self.memory_gb(function))

    def _deliver(self, kind: Kind, due: Sequence[DuePush]) -> None:
        shop, clock = self._shop, self._shop.cloud.clock

        async def attempt(*_: object) -> AttemptResult:
            return kind.result

        client: Any = SimpleNamespace(attempt=attempt)
        pusher = Pusher(
            pushes=shop.pushes,
            partners=shop.partners,
            queues=shop.cloud.queues(),
            health=Health(shop.partners, clock),
            open_client=lambda: nullcontext(client),
            max_age=None,
            now=clock,
            meter=PushMeter(),
        )
        pusher.deliver(due)
        pusher.close()

    def _hours(self, kind: Kind) -> dict[int | None, Hour]:
        """Return what an hour of outage takes, by how many SMS wait."""
        self._shop.cloud.clock.advance(minutes=1)
        due, memory = self._due(), self.memory_gb("PushRetryFunction")
        alone, together = (self._world.watch(partial(self._deliver, kind, some)) for some in (due[:1], due[1:]))
        # The same however it ends.
        self.attempt = alone
        # What the log has of each attempt, and of each batch.
        logged = (together.logged - alone.logged) / (len(due) - 2)
        batch_logged = alone.logged - logged + assumed.INVOCATION_LOG_BYTES
        each = alone.usage("ActivationsTable") + Usage(logs=logged / 1e9, transfer_out=kind.sends / 1e9)
        beside = alone.usage("PartnersTable") + Usage(lambda_requests=1, logs=batch_logged / 1e9)
        hours: dict[int | None, Hour] = {}
        for pending in PENDING:
            shared = sharing(kind, pending, self._attempt_ms(kind, "PushRetryFunction"))
            requests = Usage(sqs_requests=shared.requests, sqs_fair=shared.requests)
            usage = each + beside * shared.invocations + requests + Usage(lambda_seconds=shared.seconds * memory)
            # The sweep reads each SMS once a minute.
            hours[pending] = Hour(usage * ATTEMPTS_PER_HOUR + Usage(dynamodb_read=60), shared)
        return hours


def measure() -> Measured:
    """Measure, with the processor times that were measured last."""
    printed = io.StringIO()
    with mock_aws(), redirect_stdout(printed), log_to(printed):
        return Measured(World(printed), json.loads(DURATIONS.read_text(encoding="utf-8"))["processor_ms"])


def remeasure() -> None:
    """Measure the processor times of our own code on this machine, and keep the medians of a few rounds."""
    content = json.loads(DURATIONS.read_text(encoding="utf-8"))
    rounds: list[dict[str, float]] = [
        {name: step.counted.processor_ms for name, step in measure().steps.items()} for _ in range(5)
    ]
    for name in content["processor_ms"].keys() & rounds[0].keys():
        content["processor_ms"][name] = round(statistics.median(took[name] for took in rounds), 1)
    content |= {"measured": f"{datetime.now(UTC):%Y-%m}", "on": platform.machine()}
    DURATIONS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _client(service: Any) -> Any:
    return boto3.client(service, aws_access_key_id="bench", aws_secret_access_key="bench", region_name="us-east-1")  # noqa: S106


def _answer_bytes(reply: Reply) -> int:
    if reply.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise AssertionError(f"refused: {reply.status}")
    # What is packed is in base64, which API Gateway takes off again.
    packed = isinstance(reply.body, str)
    return len(reply.body) * 3 // 4 if packed else len(json.dumps(reply.body, separators=(",", ":")))


def _pool(place: int) -> PoolCounts:
    # Figures like real ones, so that answers do not pack better than real ones.
    rng = random.Random(place)  # noqa: S311 - repeatable
    blocked = {code: rng.randrange(1_000) for code in assumed.SERVICES}
    free = rng.randrange(1_000, 2_000)
    return PoolCounts(f"country{place // 4}", f"Operator {place % 4} Ltd", free + 100, free, blocked)
