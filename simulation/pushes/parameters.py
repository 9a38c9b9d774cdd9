"""What the simulated cloud is made like, stated where results are read."""

from dataclasses import dataclass
from typing import Any

from deployment.scaling import USUAL
from simulation.aws import TEMPLATE


def _stated(logical_id: str, *names: str, otherwise: object = None) -> Any:
    """Return what the template states as a property of a resource; a parameter is its default."""
    found: Any = TEMPLATE["Resources"][logical_id]["Properties"]
    for name in names:
        found = found.get(name, otherwise)
    match found:
        case {"Ref": parameter}:
            return TEMPLATE["Parameters"][parameter]["Default"]
        case _:
            return found


def _period(expression: str) -> float:
    """Return the seconds of a schedule like `rate(1 minute)`."""
    count, unit = expression.removeprefix("rate(").removesuffix(")").split()
    return float(count) * {"minute": 60, "hour": 3_600}[unit.removesuffix("s")]


@dataclass(frozen=True, slots=True)
class Parameters:
    """How the cloud behaves; times in seconds, shares in [0, 1].

    What template.yaml states is read from it. The other figures are those of AWS's documentation; where that has none
    they are on the slow side of what is seen there.
    """

    call: tuple[float, float] = (0.003, 0.008)
    """How long a call to a table or a queue takes."""

    delivered_twice: float = 1 / 200
    twice_within: float = 5.0
    pick_up: float = 0.3
    """A queue message that is due reaches a poller up to this late, so messages also change places."""
    window: float = _stated("PushRetryFunctionDue", "MaximumBatchingWindowInSeconds")
    queue_batch: int = _stated("PushRetryFunctionDue", "BatchSize")
    visibility: float = _stated("RetryQueue", "VisibilityTimeout")
    receives: int = _stated("RetryQueue", "RedrivePolicy", "maxReceiveCount")
    retry_concurrency: int = _stated("PushRetryFunctionDue", "ScalingConfig", "MaximumConcurrency")
    slow_concurrency: int = _stated("PushRetryFunctionSlowDue", "ScalingConfig", "MaximumConcurrency")
    pollers: int = 5
    pollers_per_second: float = 5.0
    """Lambda reads a queue with 5 pollers, and adds 300 per minute while messages wait."""

    shards: int = 1
    """Of the stream: the fewest, and so the most that wait for each other. A table begins with 4 (deployment/scaling)."""
    stream_lanes: int = _stated("PushSmsFunctionNewSms", "ParallelizationFactor")
    """How many batches of one shard are worked on at a time, each of keys of its own."""
    stream_batch: int = _stated("PushSmsFunctionNewSms", "BatchSize")
    stream_window: float = _stated("PushSmsFunctionNewSms", "MaximumBatchingWindowInSeconds", otherwise=0)
    stream_poll: float = 0.25
    """Lambda looks for new records 4 times a second in each shard."""
    stream_tries: int = 1 + _stated("PushSmsFunctionNewSms", "MaximumRetryAttempts")

    invocation_timeout: float = _stated("PushRetryFunction", "Timeout")
    recursive_loop: str = _stated("PushRetryFunction", "RecursiveLoop", otherwise="Terminate")
    """Whether Lambda lets push_retry go on that its own messages have started too often: `Allow`, or `Terminate`."""
    concurrency: int = USUAL
    """Executions at a time in the whole account; what is more is refused."""

    cold_start: float = 0.0
    """How long a new environment takes before its first event."""

    sweep_every: float = _period(
        _stated("ExpireActivationsFunction", "Events", "EveryMinute", "Properties", "ScheduleExpression")
    )
    sweep_late: float = 60.0
    """A schedule starts what it has to start within the minute, not on it."""
    sweep_age: float = _stated("ExpireActivationsFunction", "EventInvokeConfig", "MaximumEventAgeInSeconds")
    """So long an invocation that was refused, or failed, waits to be tried again."""
    sweep_retries: int = _stated("ExpireActivationsFunction", "EventInvokeConfig", "MaximumRetryAttempts")
    """How often one that failed is tried again."""
    seed: int = 1
