"""What is measured: lines of CloudWatch's embedded metric format among the logs (docs/architecture.md).

Only push_sms, push_retry, sweep, recount and hourly_counts import this; others need not pay for it at
every cold start. What is counted of requests is printed by `request_log`.
Every metric has the dimension `service`. CloudWatch charges for each value of a dimension, so only one metric tells
partners apart, and only those whose SMS wait.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from globalconnect.domain.sms import Sms
from globalconnect.domain.times import SECOND
from globalconnect.runtime.request_log import NAMESPACE


class Metric(StrEnum):
    """Every metric, by the name that alarms and dashboards know it by."""

    PUSH_ATTEMPTS = "PushAttempts"
    PUSHES_DELIVERED = "PushesDelivered"
    TIME_TO_DELIVER = "TimeToDeliver"
    OLDEST_PENDING_AGE = "OldestPendingAge"
    PARTNERS_WITHOUT_SUCCESS = "PartnersWithoutSuccess"
    PARTNERS_OVER_OUTCOME_LIMIT = "PartnersOverOutcomeLimit"
    LINES_IN_TROUBLE = "LinesInTrouble"
    HELD_TOO_LONG = "HeldTooLong"
    COUNTS_OFF = "CountsOff"


_UNITS = {
    Metric.PUSH_ATTEMPTS: MetricUnit.Count,
    Metric.PUSHES_DELIVERED: MetricUnit.Count,
    Metric.TIME_TO_DELIVER: MetricUnit.Milliseconds,
    Metric.OLDEST_PENDING_AGE: MetricUnit.Seconds,
    Metric.PARTNERS_WITHOUT_SUCCESS: MetricUnit.Count,
    Metric.PARTNERS_OVER_OUTCOME_LIMIT: MetricUnit.Count,
    Metric.LINES_IN_TROUBLE: MetricUnit.Count,
    Metric.HELD_TOO_LONG: MetricUnit.Count,
    Metric.COUNTS_OFF: MetricUnit.Count,
}


class PushMeter:
    """Measures the attempts of one batch after another; belongs to one thread."""

    def __init__(self) -> None:
        self._attempts = 0
        self._delivered = 0
        self._times: list[int] = []

    def note(self, sms: Sms, ended_at: int, *, delivered: bool) -> None:
        """Take note of an attempt that ended at `ended_at` (ms)."""
        self._attempts += 1
        if not delivered:
            return
        self._delivered += 1
        # One that staff had pushed once more was not waiting all that time.
        if sms.delivered_at is None:
            # Whoever stored it may have had another clock, a little ahead of ours.
            self._times.append(max(0, ended_at - sms.stored_at))

    def publish(self) -> None:
        """Print what was measured since the last time, if anything was."""
        attempts, delivered, times = self._attempts, self._delivered, self._times
        self._attempts, self._delivered, self._times = 0, 0, []
        if attempts:
            values: dict[Metric, Sequence[float]] = {
                Metric.PUSH_ATTEMPTS: [attempts],
                Metric.PUSHES_DELIVERED: [delivered],
                Metric.TIME_TO_DELIVER: times,
            }
            publish(values)


def publish_waiting(ages: Mapping[str, int], without_success: int) -> None:
    """Print how long the oldest SMS that waits has waited (ms), by partner, and how many partners take none.

    That number is printed at 0 too: the alarm must be able to tell that nobody is in trouble from that nobody looked.
    """
    publish({Metric.PARTNERS_WITHOUT_SUCCESS: [without_success]})
    for partner_id, age in ages.items():
        publish({Metric.OLDEST_PENDING_AGE: [age / SECOND]}, partner_id=partner_id)


def publish_lines(in_trouble: int) -> None:
    """Print how many sources are quiet, or pools silenced; at 0 nothing, which costs nothing: the alarm takes it for 0."""
    if in_trouble:
        publish({Metric.LINES_IN_TROUBLE: [in_trouble]})


def publish_held_too_long() -> None:
    """Print that nobody finished an activation until its longest hold was over: at once, so that it is told whatever follows."""
    publish({Metric.HELD_TOO_LONG: [1]})


def publish(values: Mapping[Metric, Sequence[float]], **dimensions: str) -> None:
    """Print values that were measured. One that an alarm is about is printed at 0 too, so that it is called off, unless
    that takes what is missing for 0.
    """
    # Not Metrics, which keeps what it was given in the class: one line's dimensions would reach the next.
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    for name, chosen in dimensions.items():
        metrics.add_dimension(name, chosen)
    for metric, measured in values.items():
        for value in measured:
            metrics.add_metric(metric, _UNITS[metric], value)
    # At 100 values, the most that a line may hold, they are printed as they are added; maybe none is left.
    if metrics.metric_set:
        metrics.flush_metrics()
