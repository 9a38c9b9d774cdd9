"""How soon answers come."""

from conformance.checks.check import check
from conformance.trial import Failed, Trial

LAST = "answers-in-time"


@check(LAST, "Every answer comes as soon as the hub wants it", sends="nothing: looks at what was answered")
def _answers_in_time(trial: Trial) -> str | None:
    within = trial.settings.within or trial.hub.answers_within or trial.settings.timeout
    seen = trial.seen() or (trial.counts(),)
    slowest = max(seen, key=lambda exchange: exchange.seconds)
    late = sum(exchange.seconds > within or exchange.status is None for exchange in seen)
    if late:
        why = f"{late} of {len(seen)} answers took longer than {within:g} s or didn't come, the slowest {slowest.seconds:.1f} s."
        raise Failed(why, slowest)
    return f"{len(seen)} answers, the slowest {slowest.seconds:.2f} s"
