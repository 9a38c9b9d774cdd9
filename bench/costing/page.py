"""docs/costs.md: the figures in plain tables, what the biggest are made of, and what all of it rests on."""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence

from bench.costing import assumed, outage, sale
from bench.costing.assumed import IDLE, PARTNERS, POOLS, Profile
from bench.costing.measured import PENDING, Measured
from bench.costing.outage import ATTEMPTS_PER_HOUR
from bench.costing.prices import Prices, Usage

_MILLION = 1_000_000
# Nothing here is as exact as the cents of tens of dollars.
_WHOLE_DOLLARS_FROM = 10
_CENT = 0.01
_LESS = "< 0.01"
_WORTH_TELLING = 50
_NOTHING = "-"
# The outage that is looked at closely.
_USUAL = 1_000


def rendered(measured: Measured, prices: Prices) -> str:
    """Return the content of the file, the same for the same code, template, prices and durations."""
    parts = [
        _head(prices),
        *_outages(measured, prices),
        *_sales(measured, prices),
        *_idle(measured, prices),
        *_basis(prices),
    ]
    lines = [line for part in parts for line in [*part.split("\n"), ""]]
    return "\n".join(map(_wrapped, lines[:-1])) + "\n"


def _wrapped(line: str) -> str:
    if line.startswith(("|", "#")):
        return line
    hang = "  " if line.startswith("- ") else ""
    return textwrap.fill(line, 120, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)


def growth_lines(measured: Measured, prices: Prices) -> list[str]:
    """Return in short how the cost of a million sales grows."""
    by_numbers = [f"{numbers:,}: {_month(measured, prices, Profile(numbers=numbers)):,.0f}" for numbers in POOLS]
    by_partners = [
        f"{partners:,}: {_month(measured, prices, Profile(partners=partners)):,.0f}" for partners in PARTNERS
    ]
    return [
        f"US$ per million sales by numbers: {'; '.join(by_numbers)}",
        f"US$ per million sales by partners: {'; '.join(by_partners)}",
    ]


def _head(prices: Prices) -> str:
    return (
        "# Costs\n\n"
        "Written by `make costs` from the calls that the code makes; not to be edited. US$ at AWS's list prices of "
        f"{prices.region} as looked up in {prices.as_of} in copies of pages dated 2024 to 2026 (`bench/prices.json`, each "
        "with its source and date; compare before you rely on them): no free allowances, no volume "
        "discounts, no taxes. What is measured and what is assumed stands [at the end](#what-this-rests-on)."
    )


# ---------------------------------------------------------------- outages


def _outages(measured: Measured, prices: Prices) -> list[str]:
    def cost(kind: str, pending: int | None) -> float:
        return prices.total(measured.hours[kind][pending].usage * _MILLION)

    times_out, refuses = (kind.name for kind in outage.KINDS)
    by_pending = _table(
        ("SMS that wait at once", *measured.hours),
        [(_pending(pending), *(_usd(cost(kind, pending)) for kind in measured.hours)) for pending in PENDING],
    )
    by_service = {kind: prices.by_service(hours[_USUAL].usage * _MILLION) for kind, hours in measured.hours.items()}
    sharing = [
        (
            f"{_pending(pending)}, {_short(kind)}",
            f"{1 / hour.sharing.invocations:.0f}",
            f"{hour.sharing.seconds:.2f}",
            f"{hour.sharing.requests:.2f}",
        )
        for kind, hours in measured.hours.items()
        for pending, hour in hours.items()
    ]
    calls = measured.attempts[times_out]
    return [
        "## An outage of one hour",
        (
            f"A partner that is away for an hour costs, per million pending SMS, **US$ {_usd(cost(times_out, _USUAL))} "
            f"when its server times out and US$ {_usd(cost(refuses, _USUAL))} when it refuses connections at once** "
            f"(with {_USUAL:,} SMS waiting at a time; so those {_USUAL:,} cost US$ "
            f"{cost(times_out, _USUAL) / 1_000:.2f} and US$ {cost(refuses, _USUAL) / 1_000:.2f}). Each SMS is tried "
            f"{ATTEMPTS_PER_HOUR} times in that hour. The fewer wait, the worse they share invocations, and the more one costs:"
        ),
        by_pending,
        f"By service, with {_USUAL:,} waiting (US$ per million pending SMS and hour):",
        _by_service(by_service),
        (
            f"One attempt writes {_units(calls.written['ActivationsTable'] / outage.BATCH)} units (the claim, the "
            f"attempt log) and reads {_units(calls.read['ActivationsTable'] / outage.BATCH)} (whether the activation "
            "is open); the partner is read once per invocation; the sweep reads each pending SMS once a minute. How "
            "attempts share invocations and requests to SQS (sent, received, deleted):"
        ),
        _table(
            (
                "waiting, and how attempts end",
                "attempts per invocation",
                "s of Lambda per attempt",
                "requests per attempt",
            ),
            sharing,
        ),
        _smaller_outage(measured, prices, times_out),
    ]


def _smaller_outage(measured: Measured, prices: Prices, kind: str) -> str:
    hour = measured.hours[kind][_USUAL]
    costs = prices.by_service(hour.usage * _MILLION)
    lambda_seconds = prices.total(Usage(lambda_seconds=hour.usage["lambda_seconds"]) * _MILLION)
    a_write = prices.total(Usage(dynamodb_write=_MILLION)) * ATTEMPTS_PER_HOUR
    full = prices.total(measured.hours[kind][None].usage * _MILLION)
    fair = prices.total(Usage(sqs_fair=hour.usage["sqs_fair"]) * _MILLION)
    return (
        f"The biggest is {_biggest(costs)}. What would make it smaller:\n\n"
        f"- Half the memory for push_retry, which mostly waits: about US$ {lambda_seconds / 2:,.0f} less, if half the "
        "processor is enough (not measured).\n"
        f"- Full batches: US$ {prices.total(hour.usage * _MILLION) - full:,.0f} less with every batch full; a longer "
        "batching window than 1 s would go there, if messages came earlier before they are due than they do.\n"
        f"- Attempts in the log lines only, without an item each: US$ {a_write:,.0f} less. The operators' list of "
        "attempts comes from those items.\n"
        f"- No MessageGroupId: US$ {fair:,.0f} less, if the price is as it is quoted. It is what keeps one partner's "
        "outage from delaying others within a queue (contract 3)."
    )


# ---------------------------------------------------------------- sales


def _sales(measured: Measured, prices: Prices) -> list[str]:
    profile = Profile()
    lines = sale.month(measured.steps, profile, measured.fixed)
    usage = sale.total(lines)
    costs = prices.by_service(usage)
    steps = [
        (line.name, f"{line.times:,.0f}", _usd(prices.total(line.usage)))
        for line in sorted(lines, key=lambda line: -prices.total(line.usage))
    ]
    return [
        "## A million sales",
        (
            f"**US$ {_usd(prices.total(usage))} per million sales**, in a month with {profile.sales:,} sales, "
            f"{profile.partners} partners that ask GET_SERVICES every {profile.services_every} s, and "
            f"{profile.numbers:,} numbers. Of the sales {profile.succeeds:.0%} get their SMS (after {profile.sms_after} "
            f"s), are pushed it and finished with success, {profile.canceled:.0%} are cancelled after "
            f"{profile.gives_up} s, {profile.runs_out:.0%} run out; until then each is polled by getsms every "
            f"{profile.sms_every} s."
        ),
        _table(("service", "US$"), [(service, _usd(cost)) for service, cost in _ranked(costs)]),
        _table(("step", "times", "US$"), steps),
        "What each step does once:",
        _table(
            ("step", "calls", "read units", "write units", "answer (kB)"),
            [
                (
                    step.name,
                    ", ".join(f"{count} {call}" for call, count in step.calls.calls.items()),
                    _units(step.calls.usage()["dynamodb_read"]),
                    _units(step.calls.usage()["dynamodb_write"]),
                    f"{step.answer_bytes / 1_000:.1f}" if step.answer_bytes >= _WORTH_TELLING else _NOTHING,
                )
                for step in measured.steps.all()
            ],
        ),
        "### How it grows",
        f"With more numbers ({profile.partners} partners; pools are countries times operators):",
        _table(
            ("numbers", "pools", "US$ per million sales", "of that GET_SERVICES"),
            _growth(measured, prices, POOLS, lambda numbers: Profile(numbers=numbers), lambda n: (f"{POOLS[n]:,}",)),
        ),
        f"With more partners ({profile.numbers:,} numbers):",
        _table(
            ("partners", "US$ per million sales", "of that GET_SERVICES"),
            _growth(measured, prices, PARTNERS, lambda partners: Profile(partners=partners), lambda _: ()),
        ),
        _smaller_sales(measured, prices, costs),
    ]


def _growth[K: int](
    measured: Measured,
    prices: Prices,
    sizes: Iterable[K],
    profile_of: Callable[[K], Profile],
    beside: Callable[[K], tuple[str, ...]],
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for size in sizes:
        lines = sale.month(measured.steps, profile_of(size), measured.fixed)
        polls = next(line for line in lines if line.name == sale.GET_SERVICES)
        all_of_it = prices.total(sale.total(lines))
        rows.append((f"{size:,}", *beside(size), _usd(all_of_it), _usd(prices.total(polls.usage))))
    return rows


def _smaller_sales(measured: Measured, prices: Prices, costs: Mapping[str, float]) -> str:
    profile = Profile()
    lines = {line.name: prices.total(line.usage) for line in sale.month(measured.steps, profile, measured.fixed)}
    polling = lines[measured.steps.waiting.name] + lines[measured.steps.answered.name]
    return (
        f"The biggest is {_biggest(costs)}: every poll is a request. What would make it smaller:\n\n"
        f"- Partners that rely on PUSH_SMS and don't poll getsms: US$ {_usd(polling)} less.\n"
        "- GET_SERVICES less often than every 10 s, or kept by API Gateway's cache or a CDN: from some 100 partners on "
        "it is most of the bill. Counts may lag by 2 s at most (contract 1.1), so a cache may keep it for a second "
        "or so."
    )


def _idle(measured: Measured, prices: Prices) -> list[str]:
    usage = measured.month_of(IDLE)
    # `make deploy` reads this sentence.
    return [
        "## A month without sales",
        (
            f"**US$ {prices.total(usage):.2f} for a month with {IDLE.numbers:,} numbers and nobody calling**: what is "
            "watched, the dashboard that is to come included, and the sweep and the statistics of each minute."
        ),
        _table(
            ("service", "US$"),
            [(service, _usd(cost)) for service, cost in _ranked(prices.by_service(usage))],
        ),
    ]


def _month(measured: Measured, prices: Prices, profile: Profile) -> float:
    return prices.total(measured.month_of(profile))


# ---------------------------------------------------------------- what it rests on


def _basis(prices: Prices) -> list[str]:
    unconfirmed = [f"{price.unit} ({price.service}): {price.not_confirmed}" for price in prices if price.not_confirmed]
    return [
        "## What this rests on",
        "Measured, by running the functions' code on the tables of `template.yaml` (moto) with every call watched:",
        _list(
            "calls, sizes of items before and after, index entries, log lines, metrics, answers. Capacity is computed "
            "from them by DynamoDB's documented rules, not taken from moto;",
            "how attempts of an outage share invocations: the real delivery routine against a queue, pollers and a "
            "partner in virtual time, a minute to settle and a minute that counts;",
            "processor time of our code (`bench/durations.json`), slowed down by the memory of the function.",
        ),
        "Assumed:",
        _list(
            f"a call to DynamoDB or SQS takes {assumed.CALL_SECONDS * 1_000:.0f} ms, a transaction "
            f"{assumed.TRANSACTION_SECONDS * 1_000:.0f} ms; {assumed.MEMORY_OF_ONE_PROCESSOR_GB * 1024:.0f} MB of "
            "memory are one processor, and arm64 is as fast as the machine that measured; no cold starts;",
            f"Lambda reads a queue with {assumed.POLLERS} pollers, adds {assumed.POLLERS_PER_SECOND} a second while "
            "messages wait, each busy until its batch is done; it receives and deletes by tens; messages come up to "
            f"{assumed.PICK_UP_SECONDS * 1_000:.0f} ms late. This decides how full batches are, and with that most of "
            "Lambda's share above;",
            "outages end before the partner finishes activations, no SMS is lost or doubled, and limits of "
            "concurrency aren't reached (above them attempts come late; they don't cost more);",
            f"a refusal takes {assumed.REFUSAL_SECONDS * 1_000:.0f} ms, a push that is taken "
            f"{assumed.PARTNER_SECONDS * 1_000:.0f} ms; {assumed.HANDSHAKE_BYTES:,} bytes go out for a TLS handshake, "
            "which every attempt makes;",
            "writes to indexes count once in a transaction, items twice; AWS's documentation says only the latter;",
            "Lambda's own log lines are as long as with traces on; nothing is traced, which is the default of the "
            f"template. Where it is, X-Ray keeps a trace a second and {assumed.TRACED:.0%} of the rest: up to US$ "
            f"{_usd(prices.total(Usage(traces=assumed.MONTH_SECONDS)))} a month;",
            f"{assumed.SERVICES} services, numbers used up for half of them, half of the pool for the one asked for; "
            "partners ask with gzip; every push notes its partner's success (at most once a minute in fact); changes "
            "of numbers and new SMS come one per invocation;",
            f"activations live for an hour, so statistics read each, its outcome, and each delivered SMS, {assumed.ENTRY_READS} times "
            "in all;",
            f"a partner has SMS waiting for 45 s or longer in {assumed.WAITING_HOURS:.0%} of the hours: its metric "
            "OldestPendingAge is charged by the hour; API Gateway's detailed metrics are off, which is the default of "
            f"the template. On, those of partners' and gateways' methods are US$ "
            f"{_usd(prices.total(Usage(metrics=assumed.DETAILED_METRICS)))} a month;",
            "nobody calls the operators' API or sends rubbish; the nightly recount, Cognito, Route 53 and support are not "
            "counted.",
        ),
        "Prices that no source confirmed:",
        _list(*unconfirmed),
    ]


# ---------------------------------------------------------------- how it is written


def _by_service(costs: Mapping[str, Mapping[str, float]]) -> str:
    together = {service: sum(of_kind[service] for of_kind in costs.values()) for service in next(iter(costs.values()))}
    rows = [(service, *(_usd(of_kind[service]) for of_kind in costs.values())) for service, _ in _ranked(together)]
    return _table(("service", *costs), rows)


def _ranked(costs: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(((name, cost) for name, cost in costs.items() if cost), key=lambda entry: -entry[1])


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def is_figure(column: int) -> bool:
        return column > 0 and all(row[column][:1].isdigit() or row[column] in {_NOTHING, _LESS} for row in rows)

    rule = ["---:" if is_figure(column) else "---" for column in range(len(heading))]
    return (
        "\n".join("| " + " | ".join(line) + " |" for line in (heading, rule, *rows))
        .replace("| --- ", "|---")
        .replace("| ---: ", "|---:")
    )


def _list(*points: str) -> str:
    return "\n".join(f"- {point}" for point in points)


def _usd(amount: float) -> str:
    if amount >= _WHOLE_DOLLARS_FROM:
        return f"{amount:,.0f}"
    return f"{amount:.2f}" if amount >= _CENT else _LESS


def _units(amount: float) -> str:
    return f"{amount:g}"


def _biggest(costs: Mapping[str, float]) -> str:
    service, cost = _ranked(costs)[0]
    return f"{service} with US$ {_usd(cost)} of {_usd(sum(costs.values()))}"


def _pending(pending: int | None) -> str:
    return "so many that every batch is full" if pending is None else f"{pending:,}"


def _short(kind: str) -> str:
    return next(one.short for one in outage.KINDS if one.name == kind)
