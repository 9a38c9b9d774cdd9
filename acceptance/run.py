"""One run of the check: may it begin, what holds, and what stays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from acceptance.checks import Check, Finding
from acceptance.cloud import NAME
from acceptance.trial import PHONES, CheckError, Trial

type Say = Callable[[str], None]


@dataclass(frozen=True)
class Line:
    """A line of the table: a check, and what it found."""

    check: str
    finding: Finding


def run(trial: Trial, checks: Mapping[str, Check], say: Say, *, live: bool) -> Sequence[Line]:
    """Make all checks and tidy up, also when stopped. Raises CheckError where other keys are live, unless `live`."""
    stays: list[str] = []
    try:
        _guard(trial, say, live=live)
        with trial.cloud.partner() as push_url:
            try:
                trial.set_up(push_url)
                return [_made(name, check, trial, say) for name, check in checks.items()]
            finally:
                for what, tidy in trial.tidying():
                    _tidy(what, tidy, stays)
                stays += trial.kept()
    finally:
        _tidy("its member of staff, or its pretend partner", lambda: stays.extend(trial.cloud.clear()), stays)
        say("\nWhat stays:" if stays else "\nNothing stays.")
        for what in stays:
            say(f"  {what}")


def _tidy(what: str, tidy: Callable[[], object], stays: list[str]) -> None:
    """Take something away; what can't be is noted, and does not keep the rest from it, nor does who is impatient."""
    try:
        tidy()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, the rest is to be tidied
        stays.append(f"{what}: {type(error).__name__} {error}".rstrip())


def table(lines: Sequence[Line]) -> str:
    """Return the lines as text, under a heading."""
    said = {None: "not here", True: "ok", False: "NO"}
    rows = [("", "check", "measured", "expected")]
    rows += [(said[line.finding.ok], line.check, line.finding.measured, line.finding.expected) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    )


def holds(lines: Sequence[Line]) -> bool:
    """Whether nothing that can be seen is otherwise than expected."""
    return all(line.finding.ok is not False for line in lines)


def _guard(trial: Trial, say: Say, *, live: bool) -> None:
    names = trial.live_keys()
    if not names:
        return
    seen = (
        f"For about ten minutes partners with a live key ({', '.join(sorted(names))}) will see {len(PHONES)} numbers "
        f"of the country {NAME} for the service {NAME}, if they may buy all services."
    )
    if not live:
        raise CheckError(f"Others sell on this stack. {seen}", how="If that may be: make check-deployment LIVE=1")
    say(seen)


def _made(name: str, check: Check, trial: Trial, say: Say) -> Line:
    say(f"  {name} ...")
    try:
        finding = check(trial)
    except Exception as error:  # noqa: BLE001 - what AWS refuses, or an answer lacks, is a finding like any other
        finding = Finding(f"{type(error).__name__}: {error}", "an answer as the contract has it", ok=False)
    return Line(name, finding)
