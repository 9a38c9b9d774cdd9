"""What the steps of a sale take, each measured once on moto, and what a month of them comes to."""

import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.costing import assumed, outage
from bench.costing.assumed import POOLS, Profile
from bench.costing.capacity import READ_UNIT, item_size
from bench.costing.meter import Counted
from bench.costing.prices import Usage
from bench.costing.world import World, invocation_log, logged_by
from globalconnect.domain.number import Number
from globalconnect.domain.partner import Partner
from globalconnect.domain.pool_counts import PoolCounts
from globalconnect.domain.service import Service
from projection.project import project
from tests.integration.shop import COUNTRY, OPERATOR, Reply

DURATIONS = Path(__file__).parents[1] / "durations.json"

_STOCK = 120
# What most HTTP libraries ask with.
_GZIP = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
_TRANSACTION = "TransactWriteItems"
PUSH = "a push attempt"
GET_SERVICES = "GET_SERVICES"
_SWEEP = "ExpireActivationsFunction"
_STATISTICS = "HourlyStatisticsFunction"
# What statistics take of the processor for each activation and delivered SMS that they read.
ENTRY = "an entry that statistics read"


@dataclass(frozen=True, slots=True)
class Step:
    """One invocation: what it takes, how long it lasts (s), the calls it makes, the processor time of ours (ms)."""

    name: str
    usage: Usage
    seconds: float
    calls: Counted
    processor_ms: float
    answer_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Steps:
    """All that a month consists of. GET_SERVICES is by the number of pools; `stored` are GB-months."""

    get_services: Mapping[int, Step]
    scans: Mapping[int, Usage]
    partner_read: Usage
    catalogue_read: Usage
    get_number: Step
    waiting: Step
    answered: Step
    inbound: Step
    push: Step
    success: Step
    cancel: Step
    run_out: Step
    count: Step
    sweep: Step
    statistics: Step
    entry: Usage
    stored_sale: int
    stored_number: int

    def all(self) -> list[Step]:
        """Return every step."""
        named = (self.get_number, self.waiting, self.answered, self.inbound, self.push, self.success, self.cancel)
        return [*self.get_services.values(), *named, self.run_out, self.count, self.sweep, self.statistics]


def read_durations(file: Path = DURATIONS) -> dict[str, float]:
    """Return the processor time (ms, one whole processor) of each step, as it was measured last."""
    durations: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))["processor_ms"]
    return durations


class Measuring:
    """Measures steps in a world, with the processor times that were measured earlier."""

    def __init__(self, world: World, durations: Mapping[str, float]) -> None:
        self._world = world
        self._shop = world.shop
        self._durations = durations

    def steps(self) -> Steps:
        """Sell numbers in every way the profile has, and measure it."""
        shop, meter = self._shop, self._world.meter
        self._open()
        partner, source = shop.partner(push_url="https://hub.example/globalconnect/push"), shop.source()
        shop.call(partner, "GET_SERVICES")
        services, scans = self._get_services(partner)
        shop.buy(partner, "s00")
        get_number = self._api("GET_NUMBER", "PartnerApiFunction", lambda: shop.buy(partner, "s00"))
        sweep = self._sweep()
        run_out = self._run_out(2, sweep)
        bought = [shop.buy(partner, "s00").body for _ in range(3)]
        sold, canceled = (one["activationId"] for one in bought[:2])
        shop.deliver(source, _sms("warm", "447000000000"))
        shop.messages(partner, sold)
        waiting = self._api("getsms, nothing yet", "GetsmsFunction", lambda: shop.messages(partner, sold))
        inbound = self._api(
            "an SMS comes in", "InboundSmsFunction", lambda: shop.deliver(source, _sms("1", bought[0]["number"]))
        )
        answered = self._api("getsms, with the SMS", "GetsmsFunction", lambda: shop.messages(partner, sold))
        success = self._api("FINISH_ACTIVATION, success", "PartnerApiFunction", lambda: shop.finish(partner, sold, 3))
        cancel = self._api("FINISH_ACTIVATION, cancel", "PartnerApiFunction", lambda: shop.finish(partner, canceled, 4))
        count = self._count(bought[2]["number"])
        stored_sale = sum(
            size
            for table in ("ActivationsTable", "InboxTable")
            for item, size in meter.stored(self._world.table(table))
            if item.get("activation_id", {}).get("N") == str(sold) or "inbox_id" in item
        )
        counted = self._statistics()
        push = self._push()
        return Steps(
            get_services=services,
            scans=scans,
            partner_read=self._usage(lambda: shop.partners.fresh(partner.partner_id)),
            catalogue_read=self._usage(lambda: list(shop.cloud.db.scan_all(self._world.table("ServicesTable")))),
            get_number=get_number,
            waiting=waiting,
            answered=answered,
            inbound=inbound,
            push=push,
            success=success,
            cancel=cancel,
            run_out=run_out,
            count=count,
            sweep=sweep,
            statistics=counted,
            entry=self._entry(),
            stored_sale=stored_sale,
            stored_number=self._stored_number(),
        )

    # -------------------------------------------------------------- the stock

    def _open(self) -> None:
        shop = self._shop
        for code in service_codes():
            shop.services.put(Service(code, f"Service {code}", reusable=False, enabled=True))
        now = shop.cloud.clock()
        for place in range(_STOCK):
            # Half are used up for the service that is asked for: odd ones for s00, even ones for others.
            blocked = frozenset(service_codes()[place % 2 :: 2])
            shop.numbers.add(Number(str(447_472_000_000 + place), COUNTRY, OPERATOR, now + place, blocked=blocked))
        shop.cloud.clock.advance(seconds=1)
        shop.project()

    def _get_services(self, partner: Partner) -> tuple[dict[int, Step], dict[int, Usage]]:
        steps: dict[int, Step] = {}
        scans: dict[int, Usage] = {}
        known = 1
        for pools in sorted(POOLS.values()):
            numbers = [_pool(place) for place in range(known, pools)]
            for first in range(0, len(numbers), 50):
                self._shop.counts.write(numbers[first : first + 50], [], {})
            known = pools
            self._shop.cloud.clock.advance(seconds=2)
            step = self._api(
                f"GET_SERVICES, {pools} pools",
                "PartnerApiFunction",
                lambda: self._shop.post({"key": partner.key, "action": "GET_SERVICES"}, headers=_GZIP),
            )
            scans[pools] = step.calls.usage_of("AvailabilityTable")
            # How often counts and partners are read depends on how many ask (Month._polls).
            steps[pools] = Step(
                step.name,
                Usage(**{name: step.usage[name] for name in step.usage.amounts() if not name.startswith("dynamodb_")}),
                step.seconds,
                step.calls,
                step.processor_ms,
                step.answer_bytes,
            )
        return steps, scans

    def _stored_number(self) -> int:
        meter = self._world.meter
        stored = [
            [size for _, size in meter.stored(self._world.table(table))] for table in ("NumbersTable", "CountedTable")
        ]
        return round(sum(statistics.fmean(sizes) for sizes in stored))

    # -------------------------------------------------------------- one step

    def _api(self, name: str, function: str, ask: Callable[[], Reply]) -> Step:
        """Measure a request that comes by API Gateway."""
        replies: list[Reply] = []
        step = self._step(name, function, lambda: replies.append(ask()))
        (reply,) = replies
        answer = len(reply.body if isinstance(reply.body, str) else json.dumps(reply.body, separators=(",", ":")))
        if isinstance(reply.body, str):
            # Base64, which API Gateway takes off again.
            answer = answer * 3 // 4
        sent = assumed.ANSWER_HEADERS_BYTES + answer
        return Step(
            name,
            step.usage + Usage(api_requests=1, transfer_out=sent / 1e9),
            step.seconds,
            step.calls,
            step.processor_ms,
            answer,
        )

    def _step(self, name: str, function: str, do: Callable[[], object]) -> Step:
        """Measure an invocation."""
        self._world.meter.restart()
        began = time.process_time()
        logged = logged_by(do)
        took = time.process_time() - began
        counted = self._world.meter.counted
        # What is done before the next step is nobody's.
        self._world.meter.restart()
        processor_ms = (took - counted.seconds) * 1_000
        memory = self._world.memory_gb(function)
        seconds = self._seconds(self._durations.get(name, 0.0), memory, counted.calls)
        usage = counted.usage() + Usage(
            lambda_requests=1,
            lambda_seconds=seconds * memory,
            traces=self._world.traced,
            logs=invocation_log(logged) / 1e9,
        )
        return Step(name, usage, seconds, counted, processor_ms)

    def _seconds(self, processor_ms: float, memory: float, calls: Mapping[str, int]) -> float:
        waiting = sum(
            times * (assumed.TRANSACTION_SECONDS if call == _TRANSACTION else assumed.CALL_SECONDS)
            for call, times in calls.items()
        )
        return waiting + processor_ms / 1_000 * assumed.slower(memory)

    def _usage(self, do: Callable[[], object]) -> Usage:
        self._world.meter.restart()
        do()
        return self._world.meter.counted.usage()

    def _count(self, phone: str) -> Step:
        """Measure the projection of one change of a number, which is what a batch of the stream holds mostly."""
        (number,) = self._shop.numbers.get_many([phone])
        return self._step("a change of a number is counted", "AvailabilityFunction", lambda: self._project([number]))

    def _project(self, numbers: Sequence[Number]) -> None:
        if project(numbers, self._shop.counts) != len(numbers):
            raise AssertionError("not all were counted")

    def _push(self) -> Step:
        memory = self._world.memory_gb("PushSmsFunction")
        processor = outage.processor_seconds(outage.DELIVERS, self._durations.get(PUSH, 0.0), memory)
        attempts = outage.measure(self._world, outage.DELIVERS, processor, size=1)
        usage = attempts.each + attempts.beside + Usage(lambda_seconds=attempts.seconds * memory)
        return Step("the first push, delivered", usage, attempts.seconds, attempts.calls, 0.0)

    def _sweep(self) -> Step:
        """Measure a sweep that finds nothing; it reads all shards side by side, in as many threads."""
        step = self._step("the sweep of a minute", _SWEEP, self._shop.sweep)
        # Side by side: what one thread waits, all do.
        seconds = assumed.CALL_SECONDS * 3
        usage = step.usage + Usage(lambda_seconds=(seconds - step.seconds) * self._world.memory_gb(_SWEEP))
        return Step(step.name, usage, seconds, step.calls, 0.0)

    def _statistics(self) -> Step:
        """Measure a run that finds next to nothing, as most are: not the first one of an hour."""
        logged_by(self._shop.measure)
        step = self._step("the statistics of a minute", _STATISTICS, self._shop.measure)
        return Step(step.name, step.usage, step.seconds, step.calls, 0.0)

    def _entry(self) -> Usage:
        """Return what a run reads for each activation, or each SMS, of an hour that it counts: read in pages, a little
        late.
        """
        table = self._world.table("ActivationsTable")
        items = [item for item, _ in self._world.meter.stored(table)]
        indexes = {index.keys[0]: index for index in self._world.meter.table(table).indexes}
        entries = [entry for item in items if (entry := indexes["started_day"].entry(item)) is not None]
        size = statistics.fmean(map(item_size, entries))
        memory = self._world.memory_gb(_STATISTICS)
        seconds = self._durations.get(ENTRY, 0.0) / 1_000 * assumed.slower(memory)
        return Usage(dynamodb_read=size / READ_UNIT / 2, lambda_seconds=seconds * memory)

    def _run_out(self, leases: int, empty: Step) -> Step:
        """Measure what a sweep does beside the rest for a lease that ran out; as many of them have, a while from now."""
        self._shop.cloud.clock.advance(minutes=120)
        step = self._step("a lease runs out", _SWEEP, self._shop.sweep)
        more = step.calls.usage() + empty.calls.usage() * -1
        more += Usage(lambda_seconds=leases * assumed.CALL_SECONDS * self._world.memory_gb(_SWEEP))
        return Step(step.name, more * (1 / leases), assumed.CALL_SECONDS, step.calls, 0.0)


def service_codes() -> list[str]:
    """Return the codes of the catalogue."""
    return [f"s{place:02}" for place in range(assumed.SERVICES)]


def _pool(place: int) -> PoolCounts:
    # Figures like real ones, so that answers do not pack better than real ones.
    rng = random.Random(place)  # noqa: S311 - repeatable
    blocked = {code: rng.randrange(1_000) for code in service_codes()}
    free = rng.randrange(1_000, 2_000)
    return PoolCounts(f"country{place // 4}", f"Operator {place % 4} Ltd", free + 100, free, blocked)


def _sms(sms_id: str, phone: str) -> dict[str, Any]:
    return {"phone": phone, "from": "Telegram", "text": assumed.SMS_TEXT, "id": f"0190a5f0-7d7c-{sms_id}"}


# ---------------------------------------------------------------- a month


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill: how often a step happens in a month, and what all of them take."""

    name: str
    times: float
    usage: Usage


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a month takes whether anything is sold or not."""

    alarms: int
    metrics: int
    traced: bool
    kms_requests: float


def month(steps: Steps, profile: Profile, fixed: Fixed) -> list[Line]:
    """Return what a month of that usage takes, line by line."""
    sales = profile.sales
    sold, canceled, left = (sales * share for share in (profile.succeeds, profile.canceled, profile.runs_out))
    waits = sold * (profile.sms_after // profile.sms_every) + (canceled + left) * profile.gives_up / profile.sms_every
    return [
        _times(steps.get_number, sales),
        _times(steps.waiting, waits),
        _times(steps.answered, sold),
        _times(steps.inbound, sold),
        _times(steps.push, sold),
        _times(steps.success, sold),
        _times(steps.cancel, canceled),
        _times(steps.run_out, left),
        _times(steps.count, 2 * sales),
        _polls(steps, profile),
        _times(steps.sweep, assumed.MONTH_SECONDS / 60),
        _statistics(steps, 2 * sales + sold),
        _rest(steps, profile, fixed),
    ]


def total(lines: Sequence[Line]) -> Usage:
    """Return all lines together, with the log kept for a month."""
    usage = Usage()
    for line in lines:
        usage += line.usage
    return usage + Usage(logs_storage=usage["logs"])


def _times(step: Step, times: float) -> Line:
    return Line(step.name, times, step.usage * times)


def _polls(steps: Steps, profile: Profile) -> Line:
    """Return what partners' asking for what is for sale takes: counts are read once a second by each environment."""
    pools = POOLS[profile.numbers]
    step = steps.get_services[pools]
    per_second = profile.partners / profile.services_every
    environments = max(1, round(per_second * step.seconds + 0.5))
    cached = 30
    reads = (
        steps.scans[pools] * min(per_second, environments)
        + steps.partner_read * min(per_second, profile.partners * environments / cached)
        + steps.catalogue_read * min(per_second, environments / cached)
    )
    times = per_second * assumed.MONTH_SECONDS
    return Line(GET_SERVICES, times, step.usage * times + reads * assumed.MONTH_SECONDS)


def _statistics(steps: Steps, entries: float) -> Line:
    """Return what the statistics of each minute take: an entry is read as long as its hour is counted."""
    minutes = assumed.MONTH_SECONDS / 60
    usage = steps.statistics.usage * minutes + steps.entry * (entries * assumed.ENTRY_READS)
    return Line(steps.statistics.name, minutes, usage)


def _rest(steps: Steps, profile: Profile, fixed: Fixed) -> Line:
    """Return what is stored, measured, watched and waited for, and X-Ray's one trace a second where it traces."""
    stored = (profile.sales * steps.stored_sale + profile.numbers * steps.stored_number) / 1e9
    idle = 2 * assumed.POLLERS * assumed.MONTH_SECONDS / assumed.LONG_POLL_SECONDS
    usage = Usage(
        dynamodb_storage=stored,
        dynamodb_recovery=stored,
        alarms=fixed.alarms,
        metrics=fixed.metrics + assumed.PUSH_METRICS * (profile.sales > 0) + profile.partners * assumed.WAITING_HOURS,
        dashboards=assumed.DASHBOARDS,
        traces=(1 - assumed.TRACED) * assumed.MONTH_SECONDS * fixed.traced,
        kms_requests=fixed.kms_requests,
        sqs_requests=idle,
        schedules=2 * assumed.MONTH_SECONDS / 60,
    )
    return Line("stored, watched, idle", 1, usage)
