"""What a month of a profile of usage takes: each step times how often it happens."""

from collections.abc import Mapping
from typing import NamedTuple

from bench.costing import assumed
from bench.costing.assumed import MONTH_MINUTES, MONTH_SECONDS, POOLS, Profile
from bench.costing.dynamodb import READ_UNIT
from bench.costing.measured import ENTRY, Measured
from bench.costing.prices import Usage

GET_SERVICES = "GET_SERVICES"


class Line(NamedTuple):
    """A line of the bill: how often a step happens in a month, and what all of them take."""

    times: float
    usage: Usage


def month(measured: Measured, profile: Profile) -> dict[str, Line]:
    """Return what a month of that usage takes, by step, without the keeping of logs."""
    sales, sold = profile.sales, profile.sold
    times: dict[str, float] = {
        "GET_NUMBER": sales,
        "getsms, nothing yet": profile.polls,
        "getsms, with the SMS": sold,
        "an SMS comes in": sold,
        "the first push, delivered": sold,
        "FINISH_ACTIVATION, success": sold,
        "FINISH_ACTIVATION, cancel": sales * profile.canceled,
        "a lease runs out": sales * profile.runs_out,
        "a change of a number is counted": 2 * sales,
        "the sweep of a minute": MONTH_MINUTES,
        "the statistics of a minute": MONTH_MINUTES,
    }
    lines = {name: Line(often, measured.steps[name].usage * often) for name, often in times.items()}
    lines |= {GET_SERVICES: _polls(measured, profile), "stored, watched, idle": Line(1, _rest(measured, profile))}
    # The pushes of a minute note their partner's success once.
    pushes, push = lines["the first push, delivered"], measured.steps["the first push, delivered"]
    unnoted = sold - min(sold, profile.partners * MONTH_MINUTES)
    note = _note(push.counted.written["PartnersTable"], measured.memory_gb("PushSmsFunction"))
    lines["the first push, delivered"] = pushes._replace(usage=pushes.usage + note * -unnoted)
    # An activation, its outcome, and its SMS are read as long as their hour is counted, in pages, a little late.
    read = (2 * sales + sold) * assumed.ENTRY_READS + sales * assumed.BEGUN_READS
    memory = measured.memory_gb("HourlyStatisticsFunction")
    seconds = read * measured.durations[ENTRY] / 1_000 * assumed.slower(memory)
    entries = Usage(dynamodb_read=read * assumed.ENTRY_BYTES / READ_UNIT / 2, lambda_seconds=seconds * memory)
    statistics = lines["the statistics of a minute"]
    return lines | {"the statistics of a minute": statistics._replace(usage=statistics.usage + entries)}


def total(lines: Mapping[str, Line]) -> Usage:
    """Return all lines together, with the log kept for a month."""
    usage = sum((line.usage for line in lines.values()), Usage())
    return usage + Usage(logs_storage=usage["logs"])


def _polls(measured: Measured, profile: Profile) -> Line:
    """Return what partners' asking for what is for sale takes: counts are read once a second by each environment."""
    step = measured.get_services[POOLS[profile.numbers]]
    per_second = profile.partners / profile.services_every
    environments = max(1, round(per_second * step.seconds + 0.5))
    cached = environments / assumed.CACHED_SECONDS
    reads = (
        step.counted.read["AvailabilityTable"] * min(per_second, environments)
        + measured.unremembered["PartnersTable"] * min(per_second, profile.partners * cached)
        + measured.unremembered["ServicesTable"] * min(per_second, cached)
    )
    times = per_second * MONTH_SECONDS
    # Each environment writes once a minute that a partner polls.
    noted = min(per_second, profile.partners * environments / 60) * MONTH_SECONDS
    note = _note(measured.poll_written, measured.memory_gb("PartnerApiFunction"))
    return Line(times, Usage({**step.usage * times, "dynamodb_read": reads * MONTH_SECONDS}) + note * noted)


def _note(units: float, memory_gb: float) -> Usage:
    """Return what a write takes that a function does beside the rest."""
    return Usage(dynamodb_write=units, lambda_seconds=assumed.CALL_SECONDS * memory_gb)


def _rest(measured: Measured, profile: Profile) -> Usage:
    """Return what is stored, watched and waited for."""
    stored = (profile.sales * measured.sale_bytes + profile.numbers * measured.number_bytes) / 1e9
    pushes = assumed.PUSH_METRICS * (profile.sales > 0) + profile.partners * assumed.WAITING_HOURS
    return Usage(
        dynamodb_storage=stored,
        dynamodb_recovery=stored,
        alarms=measured.alarm_metrics,
        metrics=assumed.STEADY_METRICS + pushes,
        dashboards=measured.dashboards,
        sqs_requests=2 * assumed.POLLERS * MONTH_SECONDS / assumed.LONG_POLL_SECONDS,
        schedules=2 * MONTH_MINUTES,
    )
