"""Everything that docs/costs.md is computed from, measured in one go."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.costing import assumed, outage, sale
from bench.costing.assumed import Profile
from bench.costing.meter import Counted
from bench.costing.outage import Hour, Kind
from bench.costing.prices import Usage
from bench.costing.sale import Fixed, Steps
from bench.costing.world import World, pretend_cloud

# SMS that wait at once: how well their attempts share invocations depends on it. None: batches are full.
PENDING: tuple[int | None, ...] = (100, 1_000, None)


@dataclass(frozen=True, slots=True)
class Measured:
    """Hours of outage by kind and by how many SMS wait, what an attempt calls, and the steps of sales."""

    hours: Mapping[str, Mapping[int | None, Hour]]
    attempts: Mapping[str, Counted]
    steps: Steps
    fixed: Fixed

    def month_of(self, profile: Profile | None = None) -> Usage:
        """Return what a month takes."""
        return sale.total(sale.month(self.steps, profile or Profile(), self.fixed))


def measure() -> Measured:
    """Measure."""
    durations = sale.read_durations()
    hours: dict[str, dict[int | None, Hour]] = {}
    attempts: dict[str, Counted] = {}
    for kind in outage.KINDS:
        with pretend_cloud() as world:
            hours[kind.name], attempts[kind.name] = _outage(world, kind, durations[sale.PUSH])
    with pretend_cloud() as world:
        steps = sale.Measuring(world, durations).steps()
        fixed = Fixed(
            alarms=world.alarm_metrics(),
            metrics=assumed.STEADY_METRICS + assumed.DETAILED_METRICS * world.is_on("DetailedMetrics"),
            traced=bool(world.traced),
            kms_requests=world.kms_requests(),
        )
    return Measured(hours, attempts, steps, fixed)


def _outage(world: World, kind: Kind, attempt_ms: float) -> tuple[dict[int | None, Hour], Counted]:
    memory = world.memory_gb("PushRetryFunction")
    processor = outage.processor_seconds(kind, attempt_ms, memory)
    attempts = outage.measure(world, kind, processor)
    sweep = outage.measure_sweep(world)
    found: dict[int | None, Hour] = {}
    for pending in PENDING:
        shared = outage.shared_fully(attempts) if pending is None else outage.Outage(kind, pending, processor).play()
        found[pending] = outage.hour(attempts, shared, sweep, memory)
    return found, attempts.calls
