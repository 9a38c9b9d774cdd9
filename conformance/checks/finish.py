"""The end of activations."""

from collections.abc import Sequence

from conformance.checks.check import Need, check
from conformance.checks.expectations import expect, is_error, refused, successful
from conformance.trial import RETURNED, NotRun, Offer, Trial, short

PROHIBITED, SOLD, CANCELLED = 1, 3, 4


@check("finish-unknown", "FINISH of an unknown activation is ERROR", sends="finish 5 of an unknown activation")
def _finish_unknown(trial: Trial) -> str | None:
    refused(trial, trial.finish(9, RETURNED), "An unknown activationId", "activation")
    return None


@check(
    "finish-foreign",
    "FINISH of another key's activation is ERROR and changes nothing",
    Need.OTHER_KEY,
    sends="GET_NUMBER with KEY, finish 5 of it with KEY2, then with KEY",
)
def _finish_foreign(trial: Trial) -> str | None:
    bought = trial.buy()
    refused(trial, trial.finish(bought.activation_id, RETURNED, key=trial.settings.other_key), "KEY2", "activation")
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 with the right key")
    return None


@check("finish-strange-outcome", "An outcome that doesn't exist is ERROR", sends="GET_NUMBER, finish 7, finish 5")
def _finish_strange_outcome(trial: Trial) -> str | None:
    bought = trial.buy()
    expect(is_error(answer := trial.finish(bought.activation_id, 7)), f"Outcome 7: not ERROR but {short(answer)}")
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 after it")
    return None


@check(
    "finish-outcomes",
    "Each of the hub's outcomes is SUCCESS, repeated too",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER and each outcome 2 times: uses numbers up",
)
def _finish_outcomes(trial: Trial) -> str | None:
    offer = trial.offers()[0]
    for outcome in trial.hub.outcomes:
        bought = trial.buy(offer)
        for _ in range(2):
            successful(trial.finish(bought.activation_id, outcome), f"FINISH_ACTIVATION {outcome}")
    return None


@check(
    "finish-sold",
    "Outcome 3 is SUCCESS, repeated too",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER, finish 3, 2 times: uses a number up",
)
def _finish_sold(trial: Trial) -> str | None:
    bought = trial.buy()
    for _ in range(2):
        successful(trial.finish(bought.activation_id, SOLD), "FINISH_ACTIVATION 3")
    return None


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
    sends="GET_NUMBER, finish 1, GET_NUMBER of it alone: uses a number up",
)
def _prohibited_gone(trial: Trial) -> str | None:
    _gone_after(trial, PROHIBITED)
    return None


@check(
    "sold-gone",
    "A number finished with 3 is not given for the service again",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER, finish 3, GET_NUMBER of it alone: uses a number up",
)
def _sold_gone(trial: Trial) -> str | None:
    _gone_after(trial, SOLD)
    return None


def _gone_after(trial: Trial, outcome: int) -> None:
    offer, phone, others = _alone(trial)
    bought = trial.buy(offer, others)
    if bought.phone != phone:
        raise NotRun("One number can't be told from others here.")
    successful(trial.finish(bought.activation_id, outcome), f"FINISH_ACTIVATION {outcome}")
    again = trial.try_to_buy(offer, others)
    expect(again is None or again.phone != phone, f"{phone} was given again for {offer.service} after {outcome}.")


@check(
    "cancel-limit",
    "A number that is cancelled each time is given so often in all and not more",
    Need.DESTRUCTIVE,
    sends="GET_NUMBER of one number, finish 4, up to 6 times: uses a number up",
)
def _cancel_limit(trial: Trial) -> str | None:
    limit = trial.hub.cancel_limit or 0
    offer, phone, others = _alone(trial)
    for issue in range(1, limit + 2):
        bought = trial.try_to_buy(offer, others)
        if bought is None:
            return f"given {issue - 1} times"
        if bought.phone != phone:
            raise NotRun("One number can't be told from others here.")
        expect(issue <= limit, f"{phone} was given for the {issue}th time, after {limit} cancels.")
        successful(trial.finish(bought.activation_id, CANCELLED), "FINISH_ACTIVATION 4")
    return None


def _alone(trial: Trial) -> tuple[Offer, str, Sequence[str]]:
    """Return an offer, a number of it that is free, and what excludes every other one."""
    offer = trial.offers()[-1]
    if trial.hub.excludes_prefixes:
        bought = trial.buy(offer)
        trial.give_back(bought)
        digits = bought.phone
        siblings = [
            digits[:place] + digit for place in range(len(digits)) for digit in "0123456789" if digit != digits[place]
        ]
        # No number begins with 0.
        return offer, digits, [each for each in siblings if each != "0"]
    known = trial.buy_up_to(trial.settings.most + 1, offer)
    trial.give_back(*known)
    if not 0 < len(known) <= trial.settings.most:
        raise NotRun(f"needs an offer of {trial.settings.most} numbers or fewer, so that the others can be excluded.")
    return offer, known[0].phone, [one.phone for one in known[1:]]
