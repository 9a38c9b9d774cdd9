"""Numbers: what GET_NUMBER gives, and that it gives what is counted."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from conformance.checks.check import check
from conformance.checks.expectations import LARGEST_ID, OK, expect, is_a, matches, same, successful, words
from conformance.countries import CODES, E164
from conformance.trial import RETURNED, Bought, Failed, NotRun, Offer, Trial, offers_of, short


# First what the others need: that numbers are given back.
@check("finish-repeated", "The same FINISH again is SUCCESS each time", sends="GET_NUMBER, finish 5, 4 times")
def _finish_repeated(trial: Trial) -> str | None:
    bought = trial.buy()
    for _ in range(4):
        successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
    return None


@check("number-type", "number has the hub's type and is digits with the country code", sends="GET_NUMBER, finish 5")
def _number_type(trial: Trial) -> str | None:
    bought = trial.buy()
    expect(
        is_a(bought.number, *trial.hub.number),
        f"number is {json.dumps(bought.number)}, not {words(*trial.hub.number)}.",
    )
    spelled = str(bought.number)
    expect(E164.fullmatch(spelled), f"number is {spelled}, not 7 to 15 digits that begin with a country code.")
    code = CODES.get(bought.offer.country.lower(), "")
    expect(spelled.startswith(code), f"number is {spelled}, without {code}, the code of {bought.offer.country}.")
    return None


@check("number-extras", "GET_NUMBER has the hub's further fields", sends="GET_NUMBER, finish 5")
def _number_extras(trial: Trial) -> str | None:
    answer = trial.buy().exchange
    for name, wanted in trial.hub.number_extras.items():
        expect(
            same(answer.field(name), wanted), f"{name} is {json.dumps(answer.field(name))}, not {json.dumps(wanted)}."
        )
    return None


@check(
    "activation-id",
    "activationId is a whole JSON number within 64 bits, new each time",
    sends="GET_NUMBER, finish 5, 3 times",
)
def _activation_id(trial: Trial) -> str | None:
    offer, seen = trial.offers()[0], set[object]()
    for _ in range(3):
        bought = trial.buy(offer)
        one = bought.activation_id
        expect(is_a(one, int) and 0 < one <= LARGEST_ID, f"activationId is {json.dumps(one)}.")
        expect(one not in seen, f"activationId {one} was given before.")
        seen.add(one)
        trial.give_back(bought)
    return None


@check("no-numbers", "What isn't there is NO_NUMBERS with HTTP 200", sends="GET_NUMBER of an unknown country")
def _no_numbers(trial: Trial) -> str | None:
    listed = offers_of(trial.counts().json)
    if not listed:
        raise NotRun("The counts list nothing.")
    wanted = [replace(listed[0], country="nowhereland")]
    wanted += [offer for offer in listed if offer.count == 0][:1]
    for offer in wanted:
        answer = trial.get_number(offer)
        expect(
            answer.status == OK and answer.field("status") == "NO_NUMBERS",
            f"{offer.country}, {offer.operator}, {offer.service}: not NO_NUMBERS but {short(answer)}",
        )
        expect(answer.field("number") is None, "NO_NUMBERS comes with a number.")
    return None


@check("never-twice", "A number that is live is not sold again", sends="GET_NUMBER up to 10 times, finish 5 of each")
def _never_twice(trial: Trial) -> str | None:
    bought = trial.buy_up_to(trial.settings.most, trial.offers()[-1])
    _distinct([one.phone for one in bought])
    return f"{len(bought)} sold"


def _distinct(phones: Sequence[str]) -> None:
    twice = {phone for phone in phones if phones.count(phone) > 1}
    expect(not twice, f"Sold twice while live: {', '.join(sorted(twice))}.")


@check(
    "at-once",
    "Of 30 equal GET_NUMBER at once none fails and no number comes twice",
    sends="GET_NUMBER 30 times at once, finish 5 of each",
)
def _at_once(trial: Trial) -> str | None:
    offer = trial.offers()[0]
    answers = trial.buy_at_once(trial.settings.at_once, offer)
    broken = [
        answer for answer in answers if answer.status != OK or answer.field("status") not in ("SUCCESS", "NO_NUMBERS")
    ]
    bought = [one for answer in answers if answer not in broken and (one := trial.bought(offer, answer))]
    _distinct([one.phone for one in bought])
    if broken:
        why = f"{len(broken)} of {len(answers)} were not answered as the hub wants: {short(broken[0])}"
        raise Failed(why, broken[0])
    ids = [one.activation_id for one in bought]
    expect(len(set(map(str, ids))) == len(ids), "An activationId came twice.")
    expected = min(len(answers), offer.count)
    expect(len(bought) >= min(expected, 1), "None of them got a number, though the counts list some.")
    return f"{len(bought)} of {len(answers)} sold, {offer.count} were counted"


@check("counts-sold", "What is counted can be bought", sends="counts, GET_NUMBER up to 10 times, finish 5 of each")
def _counts_sold(trial: Trial) -> str | None:
    # The shortest offer can be bought whole.
    offer = trial.offers()[-1]
    expected = min(offer.count, trial.settings.most)
    bought = trial.buy_up_to(expected, offer)
    where = f"{offer.country}, {offer.operator}, {offer.service}"
    expect(len(bought) == expected, f"{offer.count} are counted of {where}, {len(bought)} could be bought.")
    return None if expected == offer.count else f"{expected} of {offer.count} bought; the rest is not shown"


@check(
    "counts-follow", "What was sold is counted no longer", sends="counts, GET_NUMBER up to 10 times, finish 5 of each"
)
def _counts_follow(trial: Trial) -> str | None:
    offer = trial.offers()[-1]
    most = trial.settings.most
    bought, further = len(trial.buy_up_to(min(offer.count, most), offer)), 0
    began, left = trial.now(), offer.count
    while trial.now() < began + trial.settings.poll and further < most:
        listed = [one for one in offers_of(trial.counts().json) if replace(one, count=0) == replace(offer, count=0)]
        left = sum(one.count for one in listed)
        if left <= offer.count - bought:
            return f"after {trial.now() - began:.1f} s"
        # Who shows a part of what there is may show as many as before, while there are.
        if trial.try_to_buy(offer) is None:
            trial.sleep(trial.settings.poll / 20)
        else:
            further += 1
    expect(
        further == most,
        f"{offer.count} were counted, {bought + further} sold, and {left} are counted {trial.settings.poll:g} s later.",
    )
    return "as many are counted as before, and can be bought"


@check(
    "excluded-number",
    "A number that is excluded whole is not given",
    sends="GET_NUMBER up to 21 times, finish 5 of each",
)
def _excluded_number(trial: Trial) -> str | None:
    offer, known = _stock(trial)
    _never_given(trial, offer, [one.phone for one in known[:3]], len(known))
    return None


@check(
    "excluded-prefix",
    "Numbers with an excluded prefix, short or long, are not given, others are",
    sends="GET_NUMBER up to 32 times, finish 5 of each",
)
def _excluded_prefix(trial: Trial) -> str | None:
    offer, known = _stock(trial)
    phone = known[0].phone
    for prefix in (phone[:4], phone[:-1]):
        _never_given(trial, offer, [prefix], len(known))
    # The end of a number is no prefix of it.
    ends = [one.phone[-4:].lstrip("0") or "9999" for one in known]
    harmless = [
        end for end in ends if not matches(phone, [end]) and not any(matches(one.phone, [end]) for one in known)
    ]
    if harmless and trial.try_to_buy(offer, harmless[:3]) is None and trial.try_to_buy(offer) is not None:
        raise Failed(f"Nothing is sold when {', '.join(harmless[:3])} is excluded, which no number begins with.")
    return None


def _stock(trial: Trial) -> tuple[Offer, Sequence[Bought]]:
    """Return the shortest offer and numbers of it, up to a limit, given back."""
    offer = trial.offers()[-1]
    known = trial.buy_up_to(trial.settings.most, offer)
    if not known:
        raise NotRun("NO_NUMBERS: no stock for it.")
    trial.give_back(*known)
    return offer, known


def _never_given(trial: Trial, offer: Offer, prefixes: Sequence[str], most: int) -> None:
    bought = trial.buy_up_to(most, offer, prefixes)
    given = [one.phone for one in bought if matches(one.phone, prefixes)]
    trial.give_back(*bought)
    expect(not given, f"{', '.join(prefixes)} is excluded, and {', '.join(given)} was given.")


@check("hints", "The hub's hints (sum and the like) are no reason to refuse", sends="GET_NUMBER, finish 5, for each")
def _hints(trial: Trial) -> str | None:
    _accepts(trial, trial.hub.hints)
    return None


@check("hints-any-form", "Hints in another form are no reason to refuse either", sends="GET_NUMBER, finish 5, 4 times")
def _hints_any_form(trial: Trial) -> str | None:
    _accepts(trial, ({"sum": 0}, {"sum": "7.5"}, {"sum": 12.3456, "currency": 840}, {"call": 0, "voice": 0}))
    return None


def _accepts(trial: Trial, forms: Iterable[Mapping[str, object]]) -> None:
    offer = trial.offers()[0]
    for fields in forms:
        answer = trial.get_number(offer, (), **fields)
        expect(answer.field("status") in ("SUCCESS", "NO_NUMBERS"), f"{json.dumps(fields)} is refused: {short(answer)}")
        if bought := trial.bought(offer, answer):
            trial.give_back(bought)
