"""Makes the checks of a hub, one after another, those that wait for pushes together."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from conformance.checks.catalogue import checks_of
from conformance.checks.check import Check, Need, Outcome, Result, missing
from conformance.checks.timing import LAST
from conformance.exchange import Exchange, Pace
from conformance.hubs import Hub
from conformance.trial import Failed, NotRun, Prevented, Run, Settings, Stopped, Trial


class BrokenOff(Exception):
    """Whoever runs the checks has interrupted them; `results` is how they ended until then, those that were not made among them."""

    def __init__(self, results: Sequence[Result]) -> None:
        super().__init__("broken off")
        self.results = results


def run_checks(
    hub: Hub, settings: Settings, say: Callable[[Result], None] = lambda _: None, only: Iterable[str] | None = None
) -> list[Result]:
    """Make the checks of a hub, or those of them that are named, and return how they ended, in order.

    `say` is told of each as it ends. Raises BrokenOff after a KeyboardInterrupt, when what is under way is answered and what
    was bought is given back; another KeyboardInterrupt meanwhile is raised as it is.
    """
    run = Run(hub, settings, Pace(settings.per_second))
    wanted = [each for each in checks_of(hub) if only is None or each.name in only]
    together = [each for each in wanted if Need.PUSH in each.needs and not missing(each, settings)]
    last = [each for each in wanted if each.name == LAST]
    results: dict[str, Result] = {}

    def make(each: Check) -> None:
        if not run.stopping.is_set():
            results[each.name] = _made(run, each)
            say(results[each.name])

    def make_all(checks: Iterable[Check], callers: int) -> None:
        # Never in this thread: an interrupt must not tear a request that buys from its answer.
        with ThreadPoolExecutor(callers) as pool:
            try:
                for made in [pool.submit(make, each) for each in checks]:
                    made.result()
            except KeyboardInterrupt:
                run.stopping.set()
            except BaseException:
                # Before the others are waited for.
                run.stopping.set()
                raise

    make_all([each for each in wanted if each not in together and each not in last], 1)
    make_all(together, _callers(run, together))
    make_all(last, 1)
    made = [results.get(each.name) or _not_made(run, each, "broken off") for each in wanted]
    if run.stopping.is_set():
        raise BrokenOff(made)
    return made


def _callers(run: Run, together: Sequence[Check]) -> int:
    """Return how many checks may wait for pushes at the same time: as many as there are numbers for, with some to spare."""
    if len(together) <= 1:
        return 1
    try:
        most = Trial(run).offers()[0].count
    except (NotRun, Stopped):
        return 1
    return max(1, min(len(together), most // 2, run.settings.most * 3))


def _made(run: Run, check: Check) -> Result:
    if lacking := missing(check, run.settings):
        return _not_made(run, check, f"needs {', '.join(lacking)}")
    trial = Trial(run)
    asked: Exchange | None = None
    is_prevented = False
    left: Sequence[object] = ()
    try:
        outcome, why = Outcome.PASSED, check.run(trial) or ""
    except Failed as failed:
        # What tidies up comes after it.
        outcome, why, asked = Outcome.FAILED, str(failed), failed.asked or trial.last
    except NotRun as not_run:
        outcome, why, is_prevented = Outcome.NOT_RUN, str(not_run), isinstance(not_run, Prevented)
    except Stopped:
        outcome, why = Outcome.NOT_RUN, "broken off"
    finally:
        left = trial.tidy_up()
    why = run.settings.masking.text(why)
    basis = run.hub.rules[check.name]
    return Result(check, basis, outcome, why, tuple(trial.exchanges), asked, tuple(left), is_prevented=is_prevented)


def _not_made(run: Run, check: Check, why: str) -> Result:
    return Result(check, run.hub.rules[check.name], Outcome.NOT_RUN, why)
