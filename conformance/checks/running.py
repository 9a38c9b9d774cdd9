"""Makes the checks of a hub, one after another, those that wait for pushes together."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from conformance.checks.catalogue import checks_of
from conformance.checks.check import Check, Need, Outcome, Result, missing
from conformance.checks.timing import LAST
from conformance.exchange import Exchange, Pace
from conformance.hubs import Hub
from conformance.trial import Failed, NotRun, Run, Settings, Stopped, Trial


def run_checks(
    hub: Hub, settings: Settings, say: Callable[[Result], None] = lambda _: None, only: Iterable[str] | None = None
) -> list[Result]:
    """Make the checks of a hub, or those of them that are named, and return how they ended, in order.

    `say` is told of each as it ends. What is bought is finished, after a KeyboardInterrupt, too, which is raised then.
    """
    run = Run(hub, settings, Pace(settings.per_second))
    wanted = [each for each in checks_of(hub) if only is None or each.name in only]
    together = [each for each in wanted if Need.PUSH in each.needs and not missing(each, settings)]
    results: dict[str, Result] = {}

    def make(each: Check) -> None:
        result = _made(run, each)
        results[each.name] = result
        say(result)

    try:
        for each in wanted:
            if each not in together and each.name != LAST:
                make(each)
        with ThreadPoolExecutor(_callers(run, together)) as callers:
            try:
                for made in [callers.submit(make, each) for each in together]:
                    made.result()
            except BaseException:
                # Before the others are waited for.
                run.stopping.set()
                raise
        for each in wanted:
            if each.name == LAST:
                make(each)
    except BaseException:
        run.stopping.set()
        raise
    return [results[each.name] for each in wanted]


def _callers(run: Run, together: Sequence[Check]) -> int:
    """Return how many checks may wait for pushes at the same time: as many as there are numbers for, with some to spare."""
    if len(together) <= 1:
        return 1
    trial = Trial(run)
    try:
        most = trial.offers()[0].count
    except NotRun:
        return 1
    return max(1, min(len(together), most // 2, run.settings.most * 3))


def _made(run: Run, check: Check) -> Result:
    basis = run.hub.rules[check.name]
    if lacking := missing(check, run.settings):
        return Result(check, basis, Outcome.NOT_RUN, f"needs {', '.join(lacking)}")
    trial = Trial(run)
    asked: Exchange | None = None
    left: Sequence[object] = ()
    try:
        outcome, why = Outcome.PASSED, check.run(trial) or ""
    except Failed as failed:
        # What tidies up comes after it.
        outcome, why, asked = Outcome.FAILED, str(failed), failed.asked or trial.last
    except NotRun as not_run:
        outcome, why = Outcome.NOT_RUN, str(not_run)
    except Stopped:
        outcome, why = Outcome.NOT_RUN, "broken off"
    finally:
        left = trial.tidy_up()
    why = run.settings.masking.text(why)
    return Result(check, basis, outcome, why, tuple(trial.exchanges), asked, tuple(left))
