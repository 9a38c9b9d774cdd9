"""Makes the checks of a hub, one after another, those that wait for pushes together."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from conformance.checks.catalogue import checks_of
from conformance.checks.check import Check, Need, Outcome, Result, missing
from conformance.checks.pushes import OVER, STRANGERS
from conformance.checks.timing import LAST
from conformance.exchange import Exchange, Pace
from conformance.hubs import Hub
from conformance.trial import Failed, NotRun, Prevented, Run, Settings, Stopped, Trial


class BrokenOff(Exception):
    """Whoever runs the checks has interrupted them; its text is what may be left open.

    `results` is how they ended until then, those that were not made among them.
    """

    def __init__(self, results: Sequence[Result], left_open: str) -> None:
        super().__init__(left_open)
        self.results = results


def run_checks(
    hub: Hub, settings: Settings, say: Callable[[Result], None] = lambda _: None, only: Iterable[str] | None = None
) -> list[Result]:
    """Make the checks of a hub, or those of them that are named, and return how they ended, in order.

    `say` is told of each as it ends. Raises BrokenOff after a KeyboardInterrupt, when what is under way is answered and what
    was bought is given back; after another KeyboardInterrupt meanwhile at once, with what is bought as left. Its threads then go on.
    """
    run = Run(hub, settings, Pace(settings.per_second))
    wanted = [each for each in checks_of(hub) if only is None or each.name in only]
    last = [each for each in wanted if each.name in (OVER, STRANGERS, LAST)]
    together = [each for each in wanted if Need.PUSH in each.needs and each not in last and not missing(each, settings)]
    trials: dict[str, Trial] = {}
    results: dict[str, Result] = {}

    def make(each: Check) -> None:
        if not run.stopping.is_set():
            trials[each.name] = Trial(run)
            results[each.name] = _made(run, each, trials[each.name])
            say(results[each.name])

    def make_all(checks: Iterable[Check], callers: int) -> None:
        # Never in this thread: an interrupt must not tear a request that buys from its answer.
        pool = ThreadPoolExecutor(callers)
        try:
            for made in [pool.submit(make, each) for each in checks]:
                made.result()
            pool.shutdown()
        except BaseException as error:
            run.stopping.set()
            # Another interrupt ends the waiting; as the end of a `with` it might not.
            pool.shutdown()
            if not isinstance(error, KeyboardInterrupt):
                raise

    left_open = "What was bought is given back, unless it is told to be left open."
    try:
        make_all([each for each in wanted if each not in together and each not in last], 1)
        make_all(together, _callers(run, together))
        make_all(last, 1)
    except KeyboardInterrupt:
        # The second one: it comes where the threads are waited for.
        run.stopping.set()
        left_open = "What was being bought or given back may be left open."
    left = {name: trial.open for name, trial in trials.items()}
    made = [results.get(each.name) or _not_made(run, each, "broken off", left.get(each.name, ())) for each in wanted]
    if run.stopping.is_set():
        raise BrokenOff(made, left_open)
    return made


def _callers(run: Run, together: Sequence[Check]) -> int:
    """Return how many checks may wait for pushes at the same time: as many as there are numbers for, with some to spare."""
    if len(together) <= 1:
        return 1
    try:
        most = Trial(run).offers()[0].count
    except Exception:  # noqa: BLE001 - as in a check
        # Whatever is wrong with the counts, the checks say it.
        return 1
    return max(1, min(len(together), most // 2, run.settings.most * 3))


def _made(run: Run, check: Check, trial: Trial) -> Result:
    if lacking := missing(check, run.settings):
        return _not_made(run, check, f"needs {', '.join(lacking)}")
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


def _not_made(run: Run, check: Check, why: str, left: Sequence[object] = ()) -> Result:
    return Result(check, run.hub.rules[check.name], Outcome.NOT_RUN, why, left=left)
