"""What a check is, and how one ends."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.exchange import Exchange
from conformance.hubs import Basis
from conformance.trial import Failed, NotRun, Settings, Stopped, Trial


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


class Need(StrEnum):
    """What a check needs beyond URL and key."""

    PUSH = "PUSH"
    SMS = "SMS"
    DESTRUCTIVE = "DESTRUCTIVE"
    OTHER_KEY = "KEY2"
    PATIENCE = "PATIENCE"
    PATHS = "PATHS"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name in the rules of hubs, what is right, what it needs, what it sends. `run` returns a remark on a pass."""

    name: str
    title: str
    needs: frozenset[Need]
    sends: str
    run: Callable[[Trial], str | None]


@dataclass(frozen=True, slots=True)
class Result:
    """How a check of a hub ended and why (keys masked), with what went over the wire, pushes among it, as it was.

    `asked` is the request that shows a failure best; `left` is what may still be sold to us when it had ended. `is_prevented`:
    all that it needs was given, and it could still not be made, for want of a number to buy or the like.
    """

    check: Check
    basis: Basis
    outcome: Outcome
    why: str
    exchanges: Sequence[Exchange] = ()
    asked: Exchange | None = None
    left: Sequence[object] = ()
    is_prevented: bool = False


def check(name: str, title: str, *needs: Need, sends: str) -> Callable[[Callable[[Trial], str | None]], Check]:
    """Make a function a check. Whatever it can't cope with in an answer is the supplier's failure."""

    def made(run: Callable[[Trial], str | None]) -> Check:
        @functools.wraps(run)
        def robust(trial: Trial) -> str | None:
            try:
                return run(trial)
            except (Failed, NotRun, Stopped):
                raise
            except Exception as error:
                raise Failed(f"An answer is so odd that the check broke off: {type(error).__name__}.") from error

        return Check(name, title, frozenset(needs), sends, robust)

    return made


def missing(check: Check, settings: Settings) -> Sequence[Need]:
    """Return what a check needs and the settings don't give."""
    given = {
        Need.PUSH: settings.pushes is not None,
        Need.SMS: settings.sms is not None,
        Need.DESTRUCTIVE: settings.destructive,
        Need.OTHER_KEY: settings.other_key is not None,
        Need.PATIENCE: settings.outlive is not None,
        Need.PATHS: settings.paths,
    }
    return [need for need in Need if need in check.needs and not given[need]]
