"""Numbers: what GET_NUMBER gives, and that it gives what is counted."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.answers import LARGEST_ID, OK
from conformance.checks.check import Need, check
from conformance.checks.expectations import (
    expect,
    is_a,
    is_error,
    matches,
    not_sold_again,
    same,
    successful,
    words,
)
from conformance.countries import CODES, E164
from conformance.trial import ANY_NUMBER, RETURNED, Bought, Failed, NotRun, Offer, Prevented, Trial, short

# How often is tried what another hub, which buys and gives back at the same time, may spoil.
_TRIES = 3
# More than a request could be thought to have.
_HARMLESS = 20


# First what the others need: that numbers are given back.
@check("finish-repeated", "The same FINISH again is SUCCESS each time", sends="GET_NUMBER, finish 5, 4 times")
def _finish_repeated(trial: Trial) -> str | None:
    bought = trial.buy()
    for _ in range(4):
        successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
    return None


@check(
    "number-type",
    "number has the hub's type and is digits with the country code",
    sends="GET_NUMBER and finish 5 of up to 10 countries",
)
def _number_type(trial: Trial) -> str | None:
    largest: dict[str, Offer] = {}
    for offer in trial.offers():
        largest.setdefault(offer.country, offer)
    seen = 0
    for country, offer in [*largest.items()][: trial.settings.most]:
        bought = trial.try_to_buy(offer)
        if bought is None:
            continue
        seen += 1
        expect(
            is_a(bought.number, *trial.hub.number),
            f"number is {json.dumps(bought.number)}, not {words(*trial.hub.number)}.",
        )
        spelled = str(bought.number)
        expect(E164.fullmatch(spelled), f"number is {spelled}, not 7 to 15 digits that begin with a country code.")
        code = CODES.get(country.lower(), "")
        expect(spelled.startswith(code), f"number is {spelled}, without {code}, the code of {country}.")
    if not seen:
        raise Prevented("NO_NUMBERS: no stock for it.")
    return f"of {seen} countries" if seen > 1 else None


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
        expect(is_a(one, int) and 0 <= one <= LARGEST_ID, f"activationId is {json.dumps(one)}.")
        expect(one not in seen, f"activationId {one} was given before.")
        seen.add(one)
        trial.give_back(bought)
    return None


@check(
    "no-numbers",
    "What isn't there is NO_NUMBERS with HTTP 200",
    sends="GET_NUMBER with every prefix excluded; where only whole numbers are, GET_NUMBER up to 10 times, finish 5 of each",
)
def _no_numbers(trial: Trial) -> str | None:
    offer = trial.offers()[-1]
    excluded = ANY_NUMBER
    if not trial.hub.excludes_prefixes:
        known = trial.buy_up_to(trial.settings.most - 1, offer)
        excluded = tuple(one.phone for one in known)
    answer = trial.get_number(offer, excluded)
    if answer.field("status") == "SUCCESS":
        raise NotRun("a number was given though all that can be are excluded.")
    expect(
        answer.status == OK and answer.field("status") == "NO_NUMBERS",
        f"Nothing to give: not NO_NUMBERS but {short(answer)}",
        answer,
    )
    expect(answer.field("number") is None, "NO_NUMBERS comes with a number.", answer)
    return None


@check(
    "unknown-place",
    "Of an unknown country, operator or service no number is given",
    sends="GET_NUMBER of an unknown country, of an unknown operator, of an unknown service",
)
def _unknown_place(trial: Trial) -> str | None:
    offers = trial.offers()
    unknown = [replace(offers[0], country="nowhereland"), replace(offers[0], service="conformance-nothing")]
    # Who lists nothing but `any` need not look at operators.
    unknown += [replace(one, operator="conformance-nobody") for one in offers if one.operator != "any"][:1]
    for offer in unknown:
        answer = trial.get_number(offer)
        expect(
            answer.field("status") == "NO_NUMBERS" or is_error(answer),
            f"{_place(offer)}: neither NO_NUMBERS nor ERROR but {short(answer)}",
            answer,
        )
    return None


@check(
    "operator-meant",
    "A number of one operator is not given for another",
    sends="GET_NUMBER up to 10 times of each of two operators, finish 5 of each",
)
def _operator_meant(trial: Trial) -> str | None:
    known: dict[tuple[str, str], Offer] = {}
    for offer in trial.offers():
        if offer.operator == "any":
            continue
        one = known.setdefault((offer.country, offer.service), offer)
        if one is not offer:
            break
    else:
        raise NotRun("needs two operators of one country.")
    bought = trial.buy_up_to(trial.settings.most, offer)
    if not bought:
        raise Prevented("NO_NUMBERS: no stock for it.")
    trial.give_back(*bought)
    phones = {each.phone for each in bought}
    others = trial.buy_up_to(trial.settings.most, one, trial.others_than(bought[0].phone))
    wrong = [each for each in others if each.phone in phones]
    _none(wrong, f"of {offer.operator} was given for {one.operator}, too.")
    return f"{offer.operator} and {one.operator}"


@check(
    "never-twice",
    "A number that is live is not sold again",
    sends="GET_NUMBER up to 32 times of the largest offer, for that of any also of up to 10 operators, and 10 of the smallest; "
    "finish 5 of each",
)
def _never_twice(trial: Trial) -> str | None:
    offers = trial.offers()
    first, *others = offers
    bought = trial.buy_up_to(trial.settings.many, first)
    _distinct(bought)
    trial.give_back(*bought[1:])
    # What is sold of all operators together is one of theirs.
    same_place = [one for one in others if (one.country, one.service) == (first.country, first.service)]
    for other in same_place[: trial.settings.most] if bought and first.operator == "any" else ():
        not_sold_again(trial, replace(bought[0], offer=other), f"{bought[0].phone} was sold as any")
    trial.give_back(*bought[:1])
    few = trial.buy_up_to(trial.settings.most, others[-1]) if others else []
    _distinct(few)
    return f"{len(bought) + len(few)} sold"


@check(
    "never-twice-service",
    "A number that is live is not sold for another service",
    sends="GET_NUMBER, then up to 9 times for another service, finish 5 of each",
)
def _never_twice_service(trial: Trial) -> str | None:
    offers = trial.offers()
    for offer in reversed(offers):
        for other in reversed(offers):
            if (other.country, other.operator) == (offer.country, offer.operator) and other.service != offer.service:
                bought = trial.buy(offer)
                not_sold_again(trial, replace(bought, offer=other), f"{bought.phone} is live for {offer.service}")
                return f"{offer.service} and {other.service}"
    raise NotRun("needs two services of one operator.")


@check(
    "never-twice-key",
    "A number that is live is not sold to another key",
    Need.OTHER_KEY,
    sends="GET_NUMBER with KEY, then up to 9 times with KEY2, finish 5 of each",
)
def _never_twice_key(trial: Trial) -> str | None:
    bought = trial.buy(trial.offers()[-1])
    others = trial.others_than(bought.phone)
    for _ in range(trial.settings.most - 1):
        answer = trial.get_number(bought.offer, others, key=trial.settings.other_key)
        # What it is called there, and whether it is offered, is between the supplier and the other hub.
        if is_error(answer):
            raise NotRun("KEY2 is refused what KEY is sold.")
        further = trial.bought(bought.offer, answer)
        if further is None:
            break
        expect(further.phone != bought.phone, f"{bought.phone} is live, and was sold to KEY2.", answer)
    return None


def _distinct(bought: Sequence[Bought]) -> None:
    times = Counter(one.phone for one in bought)
    _none([one for one in reversed(bought) if times[one.phone] > 1], "was sold twice while live.")


def _none(wrong: Sequence[Bought], why: str) -> None:
    """Expect that there is no such number; what shows it is how the first was sold."""
    if wrong:
        raise Failed(f"{', '.join(sorted({one.phone for one in wrong}))} {why}", wrong[0].exchange)


@check(
    "at-once",
    "Of 30 equal GET_NUMBER at once none fails and no number comes twice",
    sends="GET_NUMBER 30 times at once, finish 5 of each",
)
def _at_once(trial: Trial) -> str | None:
    named = trial.hub.raced
    offer = min(
        trial.offers(), key=lambda one: ((one.country, one.operator, one.service) != named, one.operator == "any")
    )
    answers = trial.buy_at_once(trial.settings.at_once, offer)
    broken = [
        answer for answer in answers if answer.status != OK or answer.field("status") not in ("SUCCESS", "NO_NUMBERS")
    ]
    bought = [one for answer in answers if answer not in broken and (one := trial.bought(offer, answer))]
    _distinct(bought)
    if broken:
        why = f"{len(broken)} of {len(answers)} were not answered as the hub wants: {short(broken[0])}"
        raise Failed(why, broken[0])
    ids = [one.activation_id for one in bought]
    expect(len(set(map(str, ids))) == len(ids), "An activationId came twice.", answers[-1])
    if not bought:
        if trial.try_to_buy(offer) is None:
            raise Prevented("NO_NUMBERS: no stock for it.")
        raise Failed("None of them got a number, and one alone does.", answers[0])
    return f"{len(bought)} of {len(answers)} sold of {_place(offer)}, {offer.count} were counted"


@check(
    "counts-sold",
    "What is counted can be bought",
    sends="counts, GET_NUMBER up to 32 times of the largest offer and 10 of the smallest, finish 5 of each; up to 3 times",
)
def _counts_sold(trial: Trial) -> str | None:
    first, *others = trial.offers()
    remarks = [_sold_as_counted(trial, first, trial.settings.many)]
    remarks += [_sold_as_counted(trial, others[-1], trial.settings.most)] if others else []
    return ", ".join(remarks)


def _sold_as_counted(trial: Trial, offer: Offer, most: int) -> str:
    tried = 0
    while True:
        wanted = min(offer.count, most)
        bought, asked = trial.buy_up_to(wanted, offer), trial.last
        trial.give_back(*bought)
        tried += 1
        if len(bought) == wanted:
            return f"{wanted} of {offer.count} bought" + (f" at try {tried}" if tried > 1 else "")
        # Another hub may have bought meanwhile.
        expect(tried < _TRIES, f"{offer.count} are counted of {_place(offer)}, {len(bought)} could be bought.", asked)
        offer = replace(offer, count=trial.counted(offer))


def _place(offer: Offer) -> str:
    return f"{offer.country}, {offer.operator}, {offer.service}"


@check(
    "counts-follow",
    "What was sold is counted no longer",
    sends="counts again and again, GET_NUMBER up to 32 times, finish 5 of each",
)
def _counts_follow(trial: Trial) -> str | None:
    offer = trial.offers()[-1]
    bought, further = len(trial.buy_up_to(min(offer.count, trial.settings.most), offer)), 0
    most = trial.settings.many - trial.settings.most
    began, left, asked = trial.now(), offer.count, trial.last
    poll = trial.settings.poll or trial.hub.asks_counts_every
    while trial.now() < began + poll and further < most:
        left, asked = trial.counted(offer), trial.last
        if left <= offer.count - bought:
            return f"after {trial.now() - began:.1f} s"
        # Who shows a part of what there is may show as many as before, while there are.
        if trial.try_to_buy(offer) is None:
            trial.sleep(poll / 20)
        else:
            further += 1
    expect(
        further == most,
        f"{offer.count} were counted, {bought + further} sold, and {left} are counted {poll:g} s later.",
        asked,
    )
    return "as many are counted as before, and can be bought"


@check(
    "excluded-number",
    "A number that is excluded whole is not given, others are",
    sends="GET_NUMBER up to 26 times, 10 at a time, finish 5 of each",
)
def _excluded_number(trial: Trial) -> str | None:
    known = _known(trial)
    phones = [one.phone for one in known]
    near = [phones[-1][:-2] + f"{end:02}" for end in range(100)]
    # First what is not known to be there, so that what matters is last in a long list.
    harmless = [each for each in near if each not in phones][:_HARMLESS]
    trial.give_back(known[-1])
    _gives(trial, known[-1].offer, "when other numbers are excluded", [*harmless, *phones[:-1]])
    trial.give_back(*known[:-1])
    _never_given(trial, known, [*harmless, *reversed(phones)])
    return None


@check(
    "excluded-prefix",
    "Numbers with an excluded prefix, short or long, are not given, others are",
    sends="GET_NUMBER up to 46 times, 10 at a time, finish 5 of each",
)
def _excluded_prefix(trial: Trial) -> str | None:
    known = _known(trial)
    # The end of a number is no prefix of it.
    phone = known[-1].phone
    end = phone[-6:].lstrip("0")
    trial.give_back(known[-1])
    if end and not matches(phone, [end]):
        _gives(trial, known[-1].offer, f"when {end} is excluded", [end])
    trial.give_back(*known[:-1])
    for prefix in (phone[:1], phone[:4], phone[:-1]):
        _never_given(trial, known, [prefix])
    return None


def _known(trial: Trial) -> Sequence[Bought]:
    """Return numbers of the smallest offer, up to a limit, bought."""
    known = trial.buy_up_to(trial.settings.most, trial.offers()[-1])
    if not known:
        raise Prevented("NO_NUMBERS: no stock for it.")
    return known


def _gives(trial: Trial, offer: Offer, what: str, excluded: Sequence[str] = (), **fields: Any) -> None:
    """Expect that a number is sold with such fields, as `what` says, if one is without them, and nothing but others is excluded."""
    for left in reversed(range(_TRIES)):
        answer = trial.get_number(offer, excluded, **fields)
        sold = trial.bought(offer, answer)
        kept = None if sold else trial.try_to_buy(offer)
        trial.give_back(*filter(None, (sold, kept)))
        if kept is None or matches(kept.phone, excluded):
            return
        if not left:
            raise Failed(f"Nothing is sold {what}, and {kept.phone} is without it.", answer)


def _never_given(trial: Trial, known: Sequence[Bought], prefixes: Sequence[str]) -> None:
    bought = trial.buy_up_to(len(known), known[0].offer, prefixes)
    trial.give_back(*bought)
    wrong = [one for one in bought if matches(one.phone, prefixes)]
    _none(wrong, f"was given, and {', '.join(prefixes[-len(known) :])} is excluded.")


@check("hints", "The hub's hints (sum and the like) are no reason to refuse", sends="GET_NUMBER, finish 5, for each")
def _hints(trial: Trial) -> str | None:
    offer = trial.offers()[0]
    for hints in trial.hub.hints:
        _accepts(trial, offer, hints=hints)
    return None


@check("hints-any-form", "Hints in another form are no reason to refuse either", sends="GET_NUMBER, finish 5, 4 times")
def _hints_any_form(trial: Trial) -> str | None:
    offer = trial.offers()[0]
    for fields in ({"sum": 0}, {"sum": "7.5"}, {"sum": 12.3456, "currency": 840}, {"call": 0, "voice": 0}):
        _accepts(trial, offer, **fields)
    return None


def _accepts(trial: Trial, offer: Offer, **fields: Any) -> None:
    """Expect a sale, or none for want of numbers, whatever hints are in these fields."""
    said = json.dumps(fields.get("hints", fields))
    answer = trial.get_number(offer, **fields)
    expect(answer.field("status") in ("SUCCESS", "NO_NUMBERS"), f"{said} is refused: {short(answer)}", answer)
    if bought := trial.bought(offer, answer):
        trial.give_back(bought)
    elif trial.hub.hints_only_inform:
        _gives(trial, offer, f"with {said}", **fields)
