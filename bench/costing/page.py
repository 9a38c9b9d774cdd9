"""docs/costs.md: the figures in plain tables, what the biggest are made of, and what all of it rests on."""

import textwrap
from collections.abc import Mapping, Sequence

from bench.costing import assumed
from bench.costing.assumed import IDLE, MONTH_MINUTES, MONTH_SECONDS, PARTNERS, POOLS, USUAL, Profile
from bench.costing.measured import PENDING, Measured
from bench.costing.month import GET_SERVICES, month, total
from bench.costing.outage import ATTEMPTS_PER_HOUR, REFUSES, RUNS, TIMES_OUT
from bench.costing.prices import LIST, Usage, by_service, usd

_MILLION = 1_000_000
# Nothing here is as exact as the cents of tens of dollars.
_WHOLE_DOLLARS_FROM = 10
_CENT = 0.01
_WORTH_TELLING = 50
# How many SMS wait in the outage that is looked at closely.
_CLOSELY = 1_000


def rendered(measured: Measured) -> str:
    """Return the content of the file, the same for the same code, template, prices and durations."""
    parts = (_HEAD, _outages(measured), _sales(measured), _lines(measured), _idle(measured), _basis())
    return "\n\n".join(_wrapped(block) for part in parts for block in part.strip().split("\n\n")) + "\n"


_HEAD = f"""
# Costs

Written by `make costs` from the calls that the code makes; not to be edited. US$ at AWS's list prices of
{LIST["region"]} as looked up in {LIST["as_of"]} in copies of pages dated 2024 to 2026 (`bench/prices.json`, each with its
source and date; compare before you rely on them): no free allowances, no volume discounts, no taxes. What is measured
and what is assumed stands [at the end](#what-this-rests-on).
"""


def _outages(measured: Measured) -> str:
    waiting = {None: "so many that every batch is full"} | {some: f"{some:,}" for some in PENDING if some}
    kinds = [kind.name for kind in measured.hours]
    costs = {
        kind: {pending: usd(hour.usage * _MILLION) for pending, hour in hours.items()}
        for kind, hours in measured.hours.items()
    }
    closely = {kind: hours[_CLOSELY].usage * _MILLION for kind, hours in measured.hours.items()}
    services = {kind: by_service(usage) for kind, usage in closely.items()}
    ranked = by_service(closely[TIMES_OUT] + closely[REFUSES])
    times_out, refuses = costs[TIMES_OUT][_CLOSELY], costs[REFUSES][_CLOSELY]
    less = {name: usd(Usage({name: amount})) for name, amount in closely[TIMES_OUT].items()}
    sharing = [
        (
            f"{waiting[pending]}, {kind.short}",
            f"{1 / hour.sharing.invocations:.0f}",
            f"{hour.sharing.seconds:.2f}",
            f"{hour.sharing.requests:.2f}",
        )
        for kind, hours in measured.hours.items()
        for pending, hour in hours.items()
    ]
    return f"""
## An outage of one hour

A partner that is away for an hour costs, per million pending SMS, **US$ {_usd(times_out)} when its server times out and
US$ {_usd(refuses)} when it refuses connections at once** (with {_CLOSELY:,} SMS waiting at a time; so those {
        _CLOSELY:,}
cost US$ {times_out / 1_000:.2f} and US$ {refuses / 1_000:.2f}). Each SMS is tried {
        ATTEMPTS_PER_HOUR
    } times in that hour.
The fewer wait, the worse they share invocations, and the more one costs:

{
        _table(
            ("SMS that wait at once", *kinds),
            [(waiting[some], *(_usd(found[some]) for found in costs.values())) for some in PENDING],
        )
    }

By service, with {_CLOSELY:,} waiting (US$ per million pending SMS and hour):

{_table(("service", *kinds), [(name, *(_usd(some[name]) for some in services.values())) for name in ranked])}

One attempt writes {measured.attempt.written["ActivationsTable"]:g} units (the claim, the attempt log) and reads
{
        measured.attempt.read[
            "ActivationsTable"
        ]:g} (whether the activation is open); the partner is read once per invocation; the sweep reads
each pending SMS once a minute. How attempts share invocations and requests to SQS (sent, received, deleted):

{
        _table(
            (
                "waiting, and how attempts end",
                "attempts per invocation",
                "s of Lambda per attempt",
                "requests per attempt",
            ),
            sharing,
        )
    }

The biggest is {_biggest(services[TIMES_OUT])}. What would make it smaller:

- Half the memory for push_retry, which mostly waits: about US$ {less["lambda_seconds"] / 2:,.0f} less, if
half the processor is enough (not measured).
- Full batches: US$ {times_out - costs[TIMES_OUT][None]:,.0f} less with every batch full; a longer batching window
than 1 s would go there, if messages came earlier before they are due than they do.
- Attempts in the log lines only, without an item each: US$ {
        usd(Usage(dynamodb_write=_MILLION)) * ATTEMPTS_PER_HOUR:,.0f}
less. The list of attempts in the console comes from those items.
- No MessageGroupId: US$ {less["sqs_fair"]:,.0f} less, if the price is as it is quoted. It is what keeps one
partner's outage from delaying others within a queue (contract 3).
"""


def _sales(measured: Measured) -> str:
    lines = month(measured, USUAL)
    costs = by_service(total(lines))
    steps = [(name, line.times, usd(line.usage)) for name, line in lines.items()]
    once = {name: step for name, step in measured.sales_steps.items() if name not in lines}
    once |= {name: measured.sales_steps[name] for name in lines if name in measured.sales_steps}
    polling = sum(cost for name, _, cost in steps if name.startswith("getsms"))
    return f"""
## A million sales

**US$ {_usd(sum(costs.values()))} per million sales**, in a month with {USUAL.sales:,} sales, {
        USUAL.partners
    } partners that
ask GET_SERVICES every {USUAL.services_every} s, and {USUAL.numbers:,} numbers. Of the sales {
        USUAL.succeeds:.0%} get their
SMS (after {USUAL.sms_after} s), are pushed it and finished with success, {USUAL.canceled:.0%} are cancelled after
{USUAL.gives_up} s, {USUAL.runs_out:.0%} run out; until then each is polled by getsms every {USUAL.sms_every} s.

{_services(costs)}

{
        _table(
            ("step", "times", "US$"),
            [(name, f"{times:,.0f}", _usd(cost)) for name, times, cost in sorted(steps, key=lambda step: -step[2])],
        )
    }

What each step does once:

{
        _table(
            ("step", "calls", "read units", "write units", "answer (kB)"),
            [
                (
                    name,
                    ", ".join(f"{count:g} {call}" for call, count in step.counted.calls.items()),
                    f"{sum(step.counted.read.values()):g}",
                    f"{sum(step.counted.written.values()):g}",
                    f"{step.answer_bytes / 1_000:.1f}" if step.answer_bytes >= _WORTH_TELLING else "-",
                )
                for name, step in once.items()
            ],
        )
    }

### How it grows

With more numbers ({USUAL.partners} partners; pools are countries times operators):

{
        _table(
            ("numbers", "pools", "US$ per million sales", "of that GET_SERVICES"),
            [(f"{size:,}", f"{POOLS[size]:,}", *_growth(measured, Profile(numbers=size))) for size in POOLS],
        )
    }

With more partners ({USUAL.numbers:,} numbers):

{
        _table(
            ("partners", "US$ per million sales", "of that GET_SERVICES"),
            [(f"{size:,}", *_growth(measured, Profile(partners=size))) for size in PARTNERS],
        )
    }

The biggest is {_biggest(costs)}: every poll is a request. What would make it smaller:

- Partners that rely on PUSH_SMS and don't poll getsms: US$ {_usd(polling)} less.
- GET_SERVICES less often than every {USUAL.services_every} s, or kept by API Gateway's cache or a CDN: from some 100
partners on it is most of the bill. Counts may lag by 2 s at most (contract 1.1), so a cache may keep it for a second or so.
"""


def _growth(measured: Measured, profile: Profile) -> tuple[str, str]:
    lines = month(measured, profile)
    return _usd(usd(total(lines))), _usd(usd(lines[GET_SERVICES].usage))


def _lines(measured: Measured) -> str:
    devices, changed = measured.lines
    months = {device.lines: _kept(device.report.usage * MONTH_MINUTES) for device in devices}
    largest = devices[-1]
    count, month = largest.lines, months[largest.lines]
    units = sum(largest.report.counted.written.values())
    steps = {name: (step, times, usd(_kept(step.usage * times))) for name, (step, times) in changed.items()}
    change = sum(cost for *_, cost in steps.values())
    alone = usd(largest.report.usage * count)
    return f"""
## Lines that devices report

**US$ {usd(month):.2f} a month for a device that reports {
        count:,} lines every minute** and nothing changes. Each time all of
them go offline, or come back, it is US$ {
        change:.3f} more. What a device says is one item, packed; it is written once a minute
at most while it stays the same, and then starts nothing.

{
        _table(
            ("lines of the device", "its item (kB)", "read units a report", "write units a report", "US$ a month"),
            [
                (
                    f"{device.lines:,}",
                    f"{device.item_bytes / 1_000:.1f}",
                    f"{sum(device.report.counted.read.values()):g}",
                    f"{sum(device.report.counted.written.values()):g}",
                    f"{usd(months[device.lines]):.2f}",
                )
                for device in devices
            ],
        )
    }

By service, with {count:,} lines:

{_services(by_service(month))}

What it takes once that all {count:,} lines go offline:

{
        _table(
            ("step", "read units", "write units", "US$"),
            [
                (
                    name,
                    f"{sum(step.counted.read.values()) * times:,.0f}",
                    f"{sum(step.counted.written.values()) * times:,.0f}",
                    f"{cost:.5f}",
                )
                for name, (step, times, cost) in steps.items()
            ],
        )
    }

Where a device reports each line by itself as it changes, each report writes the item: that is US$ {alone:.3f} for
{count:,} lines, and as much time as they take one after the other.

The biggest is {_biggest(by_service(month))}. What would make it smaller:

- Reports every 3 minutes, where the device can be told: a third of it.
- The time of the last report in an item of its own: US$ {
        usd(Usage(dynamodb_write=units - 1) * MONTH_MINUTES):.2f} less. Then
what a device says and whether it still says so are two items that have to fit.
"""


def _kept(usage: Usage) -> Usage:
    """Return what something takes with its log, which is kept for a month."""
    return usage + Usage(logs_storage=usage["logs"])


def _idle(measured: Measured) -> str:
    costs = by_service(total(month(measured, IDLE)))
    # `make deploy` reads the first sentence.
    return f"""
## A month without sales

**US$ {sum(costs.values()):.2f} for a month with {IDLE.numbers:,} numbers and nobody calling**: what is watched, the
dashboard included, and the sweep and the statistics of each minute.

{_services(costs)}
"""


def _basis() -> str:
    unconfirmed = [
        f"- {one['unit']} ({one['service']}): {one['not_confirmed']}"
        for one in LIST["prices"].values()
        if "not_confirmed" in one
    ]
    return f"""
## What this rests on

Measured, by running the functions' code on the tables of `template.yaml` (moto) with every call watched:

- calls, sizes of items before and after, index entries, log lines, metrics, answers. Capacity is computed from them by
DynamoDB's documented rules, not taken from moto;
- processor time of our code (`bench/durations.json`), slowed down by the memory of the function.

Assumed:

- a call to DynamoDB or SQS takes {assumed.CALL_SECONDS * 1_000:.0f} ms, a transaction
{assumed.TRANSACTION_SECONDS * 1_000:.0f} ms; {assumed.MEMORY_OF_ONE_PROCESSOR_GB * 1024:.0f} MB of memory are one
processor, and arm64 is as fast as the machine that measured; no cold starts;
- Lambda reads a queue with {assumed.POLLERS} pollers, adds {assumed.POLLERS_PER_SECOND} a second while messages wait, each
busy until its batch is done; it receives and deletes by tens; messages come up to {assumed.PICK_UP_SECONDS * 1_000:.0f} ms
late. An outage is reckoned from that, from when attempts are due and how the routine gathers its calls: the median of
{RUNS} runs of a minute after a minute to settle. Single runs differ by up to a quarter where 100 wait, a sixth where
1,000 do. This decides how full batches are, and with that most of Lambda's share above;
- outages end before the partner finishes activations, no SMS is lost or doubled, and limits of concurrency aren't reached
(above them attempts come late; they don't cost more);
- a refusal takes {assumed.REFUSAL_SECONDS * 1_000:.0f} ms, a push that is taken {assumed.PARTNER_SECONDS * 1_000:.0f} ms;
{assumed.HANDSHAKE_BYTES:,} bytes go out for a TLS handshake, which every attempt makes, and {assumed.PUSH_BYTES} for a push
with its headers;
- writes to indexes count once in a transaction, items twice; AWS's documentation says only the latter;
- Lambda's own log lines are as long as with traces on; nothing is traced, which is the default of the template. Where it
is, X-Ray keeps a trace a second and 5% of the rest: up to US$
{_usd(usd(Usage(traces=MONTH_SECONDS)))} a month;
- {len(assumed.SERVICES)} services, numbers used up for half of them, half of the pool for the one asked for; partners ask
with gzip; a partner's success and its polls are noted once a minute; changes of numbers and new SMS come one
per invocation; every sale is stored with an SMS; a number's SMS come by the source that its last one came by;
- SIMs of a device come in lots of {assumed.LOT} that are numbered in a row (numbered at random they make its item twice as
large); the numbers of its lines are free and of one pool, and {assumed.MAPPED_LINES} of them stand for all;
- activations live for an hour, so statistics read each, its outcome, and each delivered SMS, {assumed.ENTRY_READS} times in
all, {assumed.ENTRY_BYTES} bytes of each;
- a partner has SMS waiting for 45 s or longer in {assumed.WAITING_HOURS:.0%} of the hours: its metric OldestPendingAge is
charged by the hour; API Gateway's detailed metrics are off, which is the default of the template. On, those of partners'
and gateways' methods are US$ {_usd(usd(Usage(metrics=5 * 7)))} a month;
- nobody calls the admin API or sends rubbish; the nightly recount, Cognito, Route 53 and support are not counted.

Prices that no source confirmed:

{"\n".join(unconfirmed)}
"""


# ---------------------------------------------------------------- how it is written


def _wrapped(block: str) -> str:
    if block.startswith(("|", "#")):
        return block
    if not block.startswith("- "):
        return _filled(block)
    return "\n".join(_filled(f"- {point}", "  ") for point in block[2:].split("\n- "))


def _filled(text: str, hang: str = "") -> str:
    return textwrap.fill(text, 120, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    figures = [
        all(cell[:1].isdigit() or cell in {"-", "< 0.01"} for cell in column) for column in zip(*rows, strict=True)
    ]
    rule = "|".join("---:" if place and figure else "---" for place, figure in enumerate(figures))
    first, *rest = (f"| {' | '.join(line)} |" for line in (heading, *rows))
    return "\n".join((first, f"|{rule}|", *rest))


def _services(costs: Mapping[str, float]) -> str:
    return _table(("service", "US$"), [(service, _usd(cost)) for service, cost in costs.items() if cost])


def _usd(amount: float) -> str:
    if amount >= _WHOLE_DOLLARS_FROM:
        return f"{amount:,.0f}"
    return f"{amount:.2f}" if amount >= _CENT else "< 0.01"


def _biggest(costs: Mapping[str, float]) -> str:
    service = next(iter(costs))
    return f"{service} with US$ {_usd(costs[service])} of {_usd(sum(costs.values()))}"
