"""The end of activations."""

from collections.abc import Iterable, Sequence

from conformance.checks.check import Need, check
from conformance.checks.expectations import expect, is_error, refused, still_held, successful
from conformance.trial import RETURNED, Bought, NotRun, Trial, short, unknown_activation

PROHIBITED, SOLD, CANCELLED = 1, 3, 4
# Beyond all the lists of outcomes.
_STRANGE = 999


@check("finish-unknown", "FINISH of an unknown activation is ERROR", sends="finish 5 of an unknown activation")
def _finish_unknown(trial: Trial) -> str | None:
    refused(trial, trial.finish(unknown_activation(), RETURNED), "An unknown activationId", "activation")
    return None


@check(
    "finish-foreign",
    "FINISH of another key's activation is ERROR and changes nothing",
    Need.OTHER_KEY,
    sends="GET_NUMBER with KEY, finish 5 of it with KEY2, GET_NUMBER up to 9 times, with PUSH an SMS, finish 5 with KEY",
)
def _finish_foreign(trial: Trial) -> str | None:
    bought = trial.buy(trial.offers()[-1])
    if trial.is_others(bought):
        raise NotRun("KEY2 has an activation of that id, too.")
    refused(trial, trial.finish(bought.activation_id, RETURNED, key=trial.settings.other_key), "KEY2", "activation")
    still_held(trial, bought, "KEY2 was refused the FINISH")
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 with the right key")
    return None


@check(
    "finish-strange-outcome",
    "An outcome that doesn't exist is ERROR and changes nothing",
    sends=f"GET_NUMBER, finish {_STRANGE}, GET_NUMBER up to 9 times, with PUSH an SMS, finish 5",
)
def _finish_strange_outcome(trial: Trial) -> str | None:
    bought = trial.buy(trial.offers()[-1])
    answer = trial.finish(bought.activation_id, _STRANGE)
    expect(is_error(answer), f"Outcome {_STRANGE}: not ERROR but {short(answer)}")
    still_held(trial, bought, f"Outcome {_STRANGE} was refused")
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 after it")
    return None


@check(
    "finish-stale",
    "The FINISH of an old activation again is SUCCESS and leaves the number to who has it now",
    sends="GET_NUMBER up to 10 times, then of one number, finish 5 of what it was before again, GET_NUMBER up to 9 times, "
    "with PUSH an SMS, finish 5 of each",
)
def _finish_stale(trial: Trial) -> str | None:
    old, others = _alone(trial)
    new = _again(trial, old, others)
    successful(trial.finish(old.activation_id, RETURNED), "FINISH_ACTIVATION 5 of the old activation")
    still_held(trial, new, "The old activation was finished again")
    return None


@check(
    "finish-outcomes",
    "Each of the hub's outcomes is SUCCESS, repeated too",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER and each outcome 2 times: uses numbers up",
)
def _finish_outcomes(trial: Trial) -> str | None:
    _finishes(trial, trial.hub.outcomes)
    return None


@check(
    "finish-rent",
    "Each of the hub's outcomes of a rent is SUCCESS, repeated too",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER and each outcome 2 times: uses numbers up",
)
def _finish_rent(trial: Trial) -> str | None:
    _finishes(trial, trial.hub.outcomes_of_rent)
    return None


@check(
    "finish-sold",
    "Outcome 3 is SUCCESS, repeated too",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER, finish 3, 2 times: uses a number up",
)
def _finish_sold(trial: Trial) -> str | None:
    _finishes(trial, [SOLD])
    return None


def _finishes(trial: Trial, outcomes: Iterable[int]) -> None:
    offer = trial.offers()[0]
    for outcome in outcomes:
        bought = trial.buy(offer)
        for _ in range(2):
            successful(trial.finish(bought.activation_id, outcome), f"FINISH_ACTIVATION {outcome}")


@check("refund", "5 after 3 is SUCCESS", Need.DESTRUCTIVE, sends="GET_NUMBER, finish 3, finish 5: uses a number up")
def _refund(trial: Trial) -> str | None:
    bought = trial.buy()
    successful(trial.finish(bought.activation_id, SOLD), "FINISH_ACTIVATION 3")
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 after 3")
    return None


@check(
    "prohibited-gone",
    "A number finished with 1 is not given for the service again",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER up to 10 times, finish 5 of each, GET_NUMBER of one of them, finish 1, GET_NUMBER of it: uses a number up",
)
def _prohibited_gone(trial: Trial) -> str | None:
    _gone_after(trial, PROHIBITED)
    return None


@check(
    "sold-gone",
    "A number finished with 3 is not given for the service again",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER up to 10 times, finish 5 of each, GET_NUMBER of one of them, finish 3, GET_NUMBER of it: uses a number up",
)
def _sold_gone(trial: Trial) -> str | None:
    _gone_after(trial, SOLD)
    return None


def _gone_after(trial: Trial, outcome: int) -> None:
    one, others = _alone(trial)
    bought = _again(trial, one, others)
    successful(trial.finish(bought.activation_id, outcome), f"FINISH_ACTIVATION {outcome}")
    again = trial.try_to_buy(one.offer, others)
    expect(
        again is None or again.phone != one.phone,
        f"{one.phone} was given again for {one.offer.service} after {outcome}.",
    )


@check(
    "cancel-limit",
    "A number that is cancelled each time is given no more often than the hub wants in all",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER up to 10 times, finish 5 of each, GET_NUMBER of one of them, finish 4, up to 6 times: uses a number up",
)
def _cancel_limit(trial: Trial) -> str | None:
    limit = trial.hub.cancel_limit or 0
    one, others = _alone(trial)
    bought: Bought | None = _again(trial, one, others)
    for issue in range(1, limit + 2):
        if bought is None:
            return f"given {issue - 1} times"
        if bought.phone != one.phone:
            raise NotRun("One number can't be told from others here.")
        expect(issue <= limit, f"{one.phone} was given for the {issue}th time, after {limit} cancels.")
        successful(trial.finish(bought.activation_id, CANCELLED), "FINISH_ACTIVATION 4")
        bought = trial.try_to_buy(one.offer, others)
    return None


def _again(trial: Trial, one: Bought, others: Sequence[str]) -> Bought:
    """Buy the number again that was given back. Raises NotRun where that doesn't come, as it need not."""
    bought = trial.try_to_buy(one.offer, others)
    if bought is None or bought.phone != one.phone:
        raise NotRun("The number that was given back didn't come again.")
    return bought


def _alone(trial: Trial) -> tuple[Bought, Sequence[str]]:
    """Return a number that was bought of the smallest offer and given back, and what excludes every other one of it."""
    offer = trial.offers()[-1]
    if trial.hub.excludes_prefixes:
        bought = trial.buy(offer)
        trial.give_back(bought)
        return bought, trial.others_than(bought.phone)
    known = trial.buy_up_to(trial.settings.most, offer)
    trial.give_back(*known)
    if not 0 < len(known) < trial.settings.most:
        raise NotRun(f"needs an offer of fewer than {trial.settings.most} numbers, so that the others can be excluded.")
    return known[0], [one.phone for one in known[1:]]
