"""The checks that hubs make of a supplier; which of them a hub makes, and on what ground, is in hubs.py."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any

from conformance.exchange import Exchange, Pace
from conformance.hubs import Basis, Hub
from conformance.push_server import ERROR, PACKED_SUCCESS, SUCCESS, Answer, Push
from conformance.trial import (
    RETURNED,
    Bought,
    Failed,
    NotRun,
    Offer,
    Run,
    Settings,
    Stopped,
    Trial,
    offers_of,
    short,
)

PROHIBITED, SOLD, CANCELLED = 1, 3, 4
# Codes of countries by what hubs call them, for those numbers that are tested most.
_CODES = {
    "russia": "7",
    "kazakhstan": "7",
    "usa": "1",
    "usaphysical": "1",
    "canada": "1",
    "england": "44",
    "uk": "44",
    "germany": "49",
    "france": "33",
    "spain": "34",
    "italy": "39",
    "poland": "48",
    "brazil": "55",
    "india": "91",
    "indonesia": "62",
    "ukraine": "380",
    "uzbekistan": "998",
    "netherlands": "31",
    "portugal": "351",
    "turkey": "90",
    "austria": "43",
    "belgium": "32",
    "czech": "420",
    "romania": "40",
    "sweden": "46",
    "estonia": "372",
}
_E164 = re.compile(r"[1-9]\d{6,14}")
_LARGEST_ID = 2**64 - 1
_OK, _SERVERS_FAULT = 200, 500


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
    """How a check of a hub ended and why, with what went over the wire, pushes among it, keys masked.

    `asked` is the request that shows a failure best; `left` are activations that could not be finished when it had ended.
    """

    check: Check
    basis: Basis
    outcome: Outcome
    why: str
    exchanges: Sequence[Exchange] = ()
    asked: Exchange | None = None
    left: Sequence[object] = ()


CHECKS: dict[str, Check] = {}


def check(name: str, title: str, *needs: Need, sends: str) -> Callable[[Callable[[Trial], str | None]], Check]:
    """Make a function one of the checks. They are run in the order of this file, those with pushes last and together."""

    def made(run: Callable[[Trial], str | None]) -> Check:
        CHECKS[name] = Check(name, title, frozenset(needs), sends, run)
        return CHECKS[name]

    return made


def checks_of(hub: Hub) -> Sequence[Check]:
    """Return the checks that a hub makes, in the order in which they are run."""
    return [each for name, each in CHECKS.items() if name in hub.rules]


def missing(check: Check, settings: Settings) -> Sequence[Need]:
    """Return what a check needs and the settings don't give."""
    given = {
        Need.PUSH: settings.pushes is not None,
        Need.SMS: settings.sms is not None,
        Need.DESTRUCTIVE: settings.destructive,
        Need.OTHER_KEY: settings.other_key is not None,
        Need.PATIENCE: settings.outlive is not None,
    }
    return [need for need in Need if need in check.needs and not given[need]]


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
            if each not in together and each.name != _LAST:
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
            if each.name == _LAST:
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


# ---------------------------------------------------------------- what is looked for


def _expect(holds: object, why: str) -> None:
    if not holds:
        raise Failed(why)


def _successful(answer: Exchange, what: str) -> None:
    _expect(answer.status == _OK and answer.field("status") == "SUCCESS", f"{what}: not SUCCESS but {short(answer)}")


def _is_error(answer: Exchange) -> bool:
    return answer.field("status") == "ERROR" and answer.status is not None and answer.status < _SERVERS_FAULT


def _refused(trial: Trial, answer: Exchange, what: str, kind: str | None = None) -> None:
    """Expect ERROR, and the HTTP status that the hub's document names for this kind, if it does."""
    _expect(_is_error(answer), f"{what}: not ERROR but {short(answer)}")
    code = trial.hub.error_http.get(kind or "")
    _expect(code in (None, answer.status), f"{what}: HTTP {answer.status}, not {code}.")


def _is_a(value: object, *types: type) -> bool:
    # JSON's true is no number, though Python's is.
    return type(value) in types


def _words(*types: type) -> str:
    return " or ".join("a number" if each is int else "a string" for each in types)


def _same(value: object, wanted: object) -> bool:
    return type(value) is type(wanted) and value == wanted


def _matches(number: str, prefixes: Iterable[str]) -> bool:
    return any(number.startswith(prefix) for prefix in prefixes)


# ---------------------------------------------------------------- counts


@check("counts-form", "The counts are answered in the hub's form", sends="counts")
def _counts_form(trial: Trial) -> str | None:
    answer = trial.counts()
    _successful(answer, "Counts")
    countries: Any
    if trial.hub.counts_form == "countMap":
        countries = answer.field("countMap")
        _expect(isinstance(countries, dict), "There is no object countMap.")
    else:
        listed = answer.field("countryList")
        _expect(isinstance(listed, list), "There is no list countryList.")
        _expect(
            all(isinstance(each, dict) and isinstance(each.get("country"), str) for each in listed),
            "An entry of countryList has no country.",
        )
        countries = {each["country"]: each.get("operatorMap") for each in listed}
        _expect(len(countries) == len(listed), "A country is listed twice.")
    for country, operators in countries.items():
        _expect(isinstance(operators, dict), f"The operators of {country} are no object.")
        for operator, services in operators.items():
            _expect(isinstance(services, dict), f"The services of {country}, {operator} are no object.")
            if trial.hub.counts_form == "countMap":
                _expect(
                    all(isinstance(each, dict) and "SMS" in each for each in services.values()),
                    f"A service of {country}, {operator} has no SMS.",
                )
    return None


@check("counts-whole", "Counts are whole JSON numbers, none below 0", sends="counts")
def _counts_whole(trial: Trial) -> str | None:
    leaves = list(_leaves(trial.counts().json))
    if not leaves:
        raise NotRun("The counts list nothing.")
    wrong = [leaf for leaf in leaves if not _is_a(leaf, int) or leaf < 0]
    _expect(not wrong, f"Among the counts is {json.dumps(wrong[:1])[1:-1]}.")
    return None


def _leaves(content: Any) -> Iterable[Any]:
    countries = content if isinstance(content, dict) else {}
    if isinstance(countries.get("countMap"), dict):
        maps = list(countries["countMap"].values())
    else:
        listed = countries.get("countryList")
        maps = (
            [each.get("operatorMap") for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        )
    for operators in maps:
        for services in operators.values() if isinstance(operators, dict) else ():
            for leaf in services.values() if isinstance(services, dict) else ():
                yield leaf.get("SMS") if isinstance(leaf, dict) else leaf


@check("counts-any", "Counts have the operator any where the hub wants it, and nowhere else", sends="counts")
def _counts_any(trial: Trial) -> str | None:
    countries: dict[str, dict[str, dict[str, int]]] = {}
    for offer in offers_of(trial.counts().json):
        countries.setdefault(offer.country, {}).setdefault(offer.operator, {})[offer.service] = offer.count
    if not countries:
        raise NotRun("The counts list nothing.")
    for country, operators in countries.items():
        others = operators.keys() - {"any"}
        match trial.hub.any_operator:
            case "split":
                _expect(not (others and "any" in operators), f"{country} has any beside {', '.join(sorted(others))}.")
            case "alone":
                _expect("any" in operators, f"{country} has no operator any.")
                _expect(not others, f"{country} has operators beside any: {', '.join(sorted(others))}.")
            case _:
                _expect("any" in operators, f"{country} has no operator any.")
                sums: dict[str, int] = {}
                for operator in others:
                    for service, count in operators[operator].items():
                        sums[service] = sums.get(service, 0) + count
                if others:
                    wrong = {
                        each
                        for each in sums.keys() | operators["any"].keys()
                        if sums.get(each, 0) != operators["any"].get(each, 0)
                    }
                    _expect(not wrong, f"any of {country} is not the sum of its operators: {', '.join(sorted(wrong))}.")
    return None


@check("gzip", "Who asks for gzip gets gzip that unpacks, who doesn't a plain answer", sends="counts 2 times")
def _gzip(trial: Trial) -> str | None:
    packed = trial.counts(headers={"Accept-Encoding": "gzip"})
    _expect(packed.unpacks and packed.json is not None, "The answer isn't packed as its Content-Encoding says.")
    _successful(packed, "Counts")
    plain = trial.counts(headers={"Accept-Encoding": "identity"})
    _expect(plain.json is not None, f"Without gzip the answer can't be read: {short(plain)}")
    _expect(
        plain.answer_headers.get("content-encoding", "identity") == "identity",
        "The answer is packed though that was not asked for.",
    )
    return None if "content-encoding" in packed.answer_headers else "plain, which was tolerated"


@check("answer-content-type", "Answers say that they are JSON in UTF-8", sends="counts, GET_NUMBER, finish 5")
def _answer_content_type(trial: Trial) -> str | None:
    trial.give_back(trial.buy())
    for answer in trial.exchanges:
        _json_in_utf8(answer.answer_headers, must_say=trial.hub.answers_say_charset)
    return None


def _json_in_utf8(headers: Mapping[str, str], *, must_say: bool) -> None:
    said = headers.get("content-type", "")
    charset = r'(;\s*charset="?utf-8"?)' + ("" if must_say else "?")
    _expect(
        re.fullmatch(rf"application/json{charset}", said.strip(), re.IGNORECASE),
        f"Content-Type is {said or 'missing'}.",
    )


@check(
    "get-method",
    "GET with the fields in the query does what POST does",
    sends="counts, GET_NUMBER, finish 5, all by GET",
)
def _get_method(trial: Trial) -> str | None:
    key = trial.settings.key
    counts = trial.get(action=trial.hub.counts_action, key=key)
    _successful(counts, "Counts by GET")
    offer = trial.listed(counts)[0]
    named = {"country": offer.country, "operator": offer.operator, "service": offer.service}
    answer = trial.get(action="GET_NUMBER", key=key, **named)
    trial.remember(answer)
    bought = trial.bought(offer, answer)
    if bought is None:
        raise NotRun("NO_NUMBERS: no stock for it.")
    _successful(
        trial.get(action="FINISH_ACTIVATION", key=key, activationId=bought.activation_id, status=RETURNED),
        "FINISH_ACTIVATION by GET",
    )
    return None


# ---------------------------------------------------------------- what the others need: that numbers are given back


@check("finish-repeated", "The same FINISH again is SUCCESS each time", sends="GET_NUMBER, finish 5, 4 times")
def _finish_repeated(trial: Trial) -> str | None:
    bought = trial.buy()
    for _ in range(4):
        _successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
    return None


# ---------------------------------------------------------------- numbers


@check("number-type", "number has the hub's type and is digits with the country code", sends="GET_NUMBER, finish 5")
def _number_type(trial: Trial) -> str | None:
    bought = trial.buy()
    _expect(
        _is_a(bought.number, *trial.hub.number),
        f"number is {json.dumps(bought.number)}, not {_words(*trial.hub.number)}.",
    )
    spelled = str(bought.number)
    _expect(_E164.fullmatch(spelled), f"number is {spelled}, not 7 to 15 digits that begin with a country code.")
    code = _CODES.get(bought.offer.country.lower(), "")
    _expect(spelled.startswith(code), f"number is {spelled}, without {code}, the code of {bought.offer.country}.")
    return None


@check("number-extras", "GET_NUMBER has the hub's further fields", sends="GET_NUMBER, finish 5")
def _number_extras(trial: Trial) -> str | None:
    answer = trial.buy().exchange
    for name, wanted in trial.hub.number_extras.items():
        _expect(
            _same(answer.field(name), wanted), f"{name} is {json.dumps(answer.field(name))}, not {json.dumps(wanted)}."
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
        _expect(_is_a(one, int) and 0 < one <= _LARGEST_ID, f"activationId is {json.dumps(one)}.")
        _expect(one not in seen, f"activationId {one} was given before.")
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
        _expect(
            answer.status == _OK and answer.field("status") == "NO_NUMBERS",
            f"{offer.country}, {offer.operator}, {offer.service}: not NO_NUMBERS but {short(answer)}",
        )
        _expect(answer.field("number") is None, "NO_NUMBERS comes with a number.")
    return None


@check("never-twice", "A number that is live is not sold again", sends="GET_NUMBER up to 10 times, finish 5 of each")
def _never_twice(trial: Trial) -> str | None:
    bought = trial.buy_up_to(trial.settings.most, trial.offers()[-1])
    _distinct([one.phone for one in bought])
    return f"{len(bought)} sold"


def _distinct(phones: Sequence[str]) -> None:
    twice = {phone for phone in phones if phones.count(phone) > 1}
    _expect(not twice, f"Sold twice while live: {', '.join(sorted(twice))}.")


@check(
    "at-once",
    "Of 30 equal GET_NUMBER at once none fails and no number comes twice",
    sends="GET_NUMBER 30 times at once, finish 5 of each",
)
def _at_once(trial: Trial) -> str | None:
    offer = trial.offers()[0]
    answers = trial.buy_at_once(trial.settings.at_once, offer)
    broken = [
        answer for answer in answers if answer.status != _OK or answer.field("status") not in ("SUCCESS", "NO_NUMBERS")
    ]
    bought = [one for answer in answers if answer not in broken and (one := trial.bought(offer, answer))]
    _distinct([one.phone for one in bought])
    if broken:
        why = f"{len(broken)} of {len(answers)} were not answered as the hub wants: {short(broken[0])}"
        raise Failed(why, broken[0])
    ids = [one.activation_id for one in bought]
    _expect(len(set(map(str, ids))) == len(ids), "An activationId came twice.")
    expected = min(len(answers), offer.count)
    _expect(len(bought) >= min(expected, 1), "None of them got a number, though the counts list some.")
    return f"{len(bought)} of {len(answers)} sold, {offer.count} were counted"


@check("counts-sold", "What is counted can be bought", sends="counts, GET_NUMBER up to 10 times, finish 5 of each")
def _counts_sold(trial: Trial) -> str | None:
    # The shortest offer can be bought whole.
    offer = trial.offers()[-1]
    expected = min(offer.count, trial.settings.most)
    bought = trial.buy_up_to(expected, offer)
    where = f"{offer.country}, {offer.operator}, {offer.service}"
    _expect(len(bought) == expected, f"{offer.count} are counted of {where}, {len(bought)} could be bought.")
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
    _expect(
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
        end for end in ends if not _matches(phone, [end]) and not any(_matches(one.phone, [end]) for one in known)
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
    given = [one.phone for one in bought if _matches(one.phone, prefixes)]
    trial.give_back(*bought)
    _expect(not given, f"{', '.join(prefixes)} is excluded, and {', '.join(given)} was given.")


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
        _expect(
            answer.field("status") in ("SUCCESS", "NO_NUMBERS"), f"{json.dumps(fields)} is refused: {short(answer)}"
        )
        if bought := trial.bought(offer, answer):
            trial.give_back(bought)


@check("accept-header", "A malformed Accept header is not refused", sends="counts")
def _accept_header(trial: Trial) -> str | None:
    accepts = "text/html, image/gif, image/jpeg, *, application/json"
    _successful(trial.counts(headers={"Accept": accepts}), f"Accept: {accepts}")
    return None


@check("bearer", "Authorization: Bearer beside the key is no error", sends="counts")
def _bearer(trial: Trial) -> str | None:
    _successful(trial.counts(headers={"Authorization": f"Bearer {trial.settings.key}"}), "Authorization: Bearer")
    return None


@check("paths", "Each action has its path", sends="counts, GET_NUMBER, finish 5, each at its path")
def _paths(trial: Trial) -> str | None:
    _successful(trial.ask(trial.hub.counts_action, path="/getServices"), "/getServices")
    offer = trial.offers()[0]
    bought = trial.buy(offer, path="/getNumber")
    _successful(trial.finish(bought.activation_id, RETURNED, path="/finishActivation"), "/finishActivation")
    return None


@check("paths-without-action", "At its path an action needs no action in the body", sends="counts without action")
def _paths_without_action(trial: Trial) -> str | None:
    _successful(trial.ask(None, path="/getServices"), "/getServices without action")
    return None


# ---------------------------------------------------------------- the end of activations


@check("finish-unknown", "FINISH of an unknown activation is ERROR", sends="finish 5 of an unknown activation")
def _finish_unknown(trial: Trial) -> str | None:
    _refused(trial, trial.finish(9, RETURNED), "An unknown activationId", "activation")
    return None


@check(
    "finish-foreign",
    "FINISH of another key's activation is ERROR and changes nothing",
    Need.OTHER_KEY,
    sends="GET_NUMBER with KEY, finish 5 of it with KEY2, then with KEY",
)
def _finish_foreign(trial: Trial) -> str | None:
    bought = trial.buy()
    _refused(trial, trial.finish(bought.activation_id, RETURNED, key=trial.settings.other_key), "KEY2", "activation")
    _successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 with the right key")
    return None


@check("finish-strange-outcome", "An outcome that doesn't exist is ERROR", sends="GET_NUMBER, finish 7, finish 5")
def _finish_strange_outcome(trial: Trial) -> str | None:
    bought = trial.buy()
    _expect(_is_error(answer := trial.finish(bought.activation_id, 7)), f"Outcome 7: not ERROR but {short(answer)}")
    _successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 after it")
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
            _successful(trial.finish(bought.activation_id, outcome), f"FINISH_ACTIVATION {outcome}")
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
        _successful(trial.finish(bought.activation_id, SOLD), "FINISH_ACTIVATION 3")
    return None


@check("refund", "5 after 3 is SUCCESS", Need.DESTRUCTIVE, sends="GET_NUMBER, finish 3, finish 5: uses a number up")
def _refund(trial: Trial) -> str | None:
    bought = trial.buy()
    _successful(trial.finish(bought.activation_id, SOLD), "FINISH_ACTIVATION 3")
    _successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 after 3")
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
    _successful(trial.finish(bought.activation_id, outcome), f"FINISH_ACTIVATION {outcome}")
    again = trial.try_to_buy(offer, others)
    _expect(again is None or again.phone != phone, f"{phone} was given again for {offer.service} after {outcome}.")


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
        _expect(issue <= limit, f"{phone} was given for the {issue}th time, after {limit} cancels.")
        _successful(trial.finish(bought.activation_id, CANCELLED), "FINISH_ACTIVATION 4")
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


# ---------------------------------------------------------------- refusals


@check("bad-key", "An unknown key is ERROR and shows nothing", sends="counts with a key that doesn't exist")
def _bad_key(trial: Trial) -> str | None:
    answer = trial.counts(key="conformance-nobody")
    _expect(not offers_of(answer.json), "An unknown key is shown the counts.")
    _refused(trial, answer, "An unknown key", "key")
    if trial.hub.error_http.get("key"):
        said = answer.field(trial.hub.error_field)
        _expect(said == "Invalid key", f"{trial.hub.error_field} is {json.dumps(said)}, not Invalid key.")
    return None


@check("error-field", "The text of an error is where the hub looks for it", sends="finish 5 of an unknown activation")
def _error_field(trial: Trial) -> str | None:
    answer = trial.finish(9, RETURNED)
    said = answer.field(trial.hub.error_field)
    _expect(isinstance(said, str) and said, f"There is no text in {trial.hub.error_field}: {short(answer)}")
    return None


@check("error-http", "An error has the HTTP status that the hub expects", sends="finish 5 of an unknown activation")
def _error_http(trial: Trial) -> str | None:
    wanted, answer = trial.hub.error_http.get("activation", 200), trial.finish(9, RETURNED)
    _expect(answer.status == wanted, f"HTTP {answer.status}, not {wanted}.")
    return None


@check("unknown-action", "An unknown action is ERROR", sends="an action that doesn't exist")
def _unknown_action(trial: Trial) -> str | None:
    _refused(trial, trial.ask("CONFORMANCE_NOTHING"), "An unknown action", "action")
    return None


@check("bad-json", "What is no JSON is ERROR", sends="a body that is no JSON")
def _bad_json(trial: Trial) -> str | None:
    _refused(trial, trial.ask(None, body=b'{"action":'), "No JSON", "json")
    return None


@check(
    "missing-field",
    "A request without a required field is ERROR",
    sends="GET_NUMBER without service, finish without activationId",
)
def _missing_field(trial: Trial) -> str | None:
    _refused(trial, trial.ask("GET_NUMBER", country="nowhereland", operator="nobody"), "No service", "field")
    _refused(trial, trial.ask("FINISH_ACTIVATION", status=RETURNED), "No activationId", "field")
    return None


# ---------------------------------------------------------------- getsms


@check("getsms", "getsms says WAIT_CODE, and ERROR to strangers", sends="GET_NUMBER, getsms 3 times, finish 5")
def _getsms(trial: Trial) -> str | None:
    bought = trial.buy()
    key = trial.settings.key
    _refused(trial, _polled(trial, bought.activation_id, "conformance-nobody"), "getsms with an unknown key", "key")
    _refused(trial, _polled(trial, 9, key), "getsms of an unknown activation", "activation")
    waiting = _polled(trial, bought.activation_id, key)
    _expect(
        waiting.status == _OK and waiting.field("status") == "WAIT_CODE",
        f"getsms before an SMS: not WAIT_CODE but {short(waiting)}",
    )
    return None


@check(
    "getsms-messages",
    "getsms shows an SMS that came",
    Need.SMS,
    sends="GET_NUMBER, getsms until the SMS is there, finish 5",
)
def _getsms_messages(trial: Trial) -> str | None:
    bought = trial.buy()
    text = trial.sms(bought.phone)
    message = _message(trial, bought)
    wanted = {"phone": bought.phone, "text": text}
    for name, value in wanted.items():
        _expect(message.get(name) == value, f"{name} is {json.dumps(message.get(name))}, not {json.dumps(value)}.")
    for name in ("smsId", "phone", "phoneFrom", "text", "receivedAt"):
        _expect(_is_a(message.get(name), str), f"{name} is {json.dumps(message.get(name))}, not a string.")
    try:
        received = datetime.fromisoformat(message["receivedAt"])
    except ValueError:
        raise Failed(f"receivedAt is {message['receivedAt']}.") from None
    _expect(received.tzinfo is not None, "receivedAt has no offset.")
    return None


def _message(trial: Trial, bought: Bought) -> Mapping[str, Any]:
    for _ in range(20):
        answer = _polled(trial, bought.activation_id, trial.settings.key)
        messages = answer.field("messages")
        if answer.field("status") == "SUCCESS":
            _expect(isinstance(messages, list) and messages, f"SUCCESS without messages: {short(answer)}")
            _expect(isinstance(messages[0], dict), f"A message is no object: {short(answer)}")
            return dict(messages[0])
        _expect(answer.field("status") == "WAIT_CODE", f"getsms is neither WAIT_CODE nor SUCCESS: {short(answer)}")
        trial.sleep(trial.settings.soon / 10)
    raise Failed("getsms doesn't show the SMS.")


def _polled(trial: Trial, activation_id: object, key: str) -> Exchange:
    return trial.get("/getsms/", apiKey=key, id=activation_id)


# ---------------------------------------------------------------- pushes

_PUSHED = (Need.PUSH, Need.SMS)
_ONE = "GET_NUMBER, an SMS, finish 5"


def _first(trial: Trial, text: str = "Your code is {}") -> tuple[Push, Bought, str]:
    bought = trial.buy()
    inbox = trial.inbox(bought)
    sent = trial.send(inbox, text)
    return trial.pushed(inbox)[0], bought, sent


@check("push-at-once", "An SMS is pushed at once", *_PUSHED, sends=_ONE)
def _push_at_once(trial: Trial) -> str | None:
    bought = trial.buy()
    inbox = trial.inbox(bought)
    trial.send(inbox)
    sent = trial.now()
    took = trial.pushed(inbox)[0].at - sent
    _expect(
        took <= trial.settings.soon, f"It came after {took:.1f} s; within {trial.settings.soon:g} s counts as at once."
    )
    return f"{max(took, 0.0):.1f} s"


@check("push-types", "Every field of a push has the hub's type", *_PUSHED, sends=_ONE)
def _push_types(trial: Trial) -> str | None:
    push, _, _ = _first(trial)
    hub = trial.hub
    types = {
        "smsId": hub.sms_id,
        "phone": hub.phone,
        "phoneFrom": (str,),
        "text": (str,),
        "action": (str,),
        "key": (str,),
    }
    _expect(isinstance(push.json, dict), "The push is no JSON object in UTF-8.")
    for name, wanted in types.items():
        value = push.field(name)
        # Not shown: it may be the key.
        _expect(_is_a(value, *wanted), f"{name} is {_kind(value)}, not {_words(*wanted)}.")
    for name, value in hub.push_extras.items():
        _expect(_same(push.field(name), value), f"{name} is {_kind(push.field(name))}, not {json.dumps(value)}.")
    if _is_a(push.field("smsId"), int):
        _expect(0 < push.field("smsId") <= _LARGEST_ID, f"smsId is {push.field('smsId')}, not within 64 bits.")
    return None


def _kind(value: object) -> str:
    match value:
        case None:
            return "missing or null"
        case bool():
            return "true or false"
        case int():
            return "a number"
        case float():
            return "a fraction"
        case str():
            return "a string"
        case _:
            return "a list or an object"


@check("push-content", "A push says number, sender, text, action and key as they are", *_PUSHED, sends=_ONE)
def _push_content(trial: Trial) -> str | None:
    push, bought, text = _first(trial)
    _expect(push.method == "POST", f"It came by {push.method}.")
    _expect(str(push.field("phone")) == bought.phone, f"phone is {push.field('phone')}, not {bought.phone}.")
    _expect(push.field("text") == text, f"text is not {text!r}.")
    _expect(push.field("action") == "PUSH_SMS", "action is not PUSH_SMS.")
    _expect(push.field("key") == trial.settings.key, "key is not the key of the requests.")
    _expect(push.field("phoneFrom"), "phoneFrom is empty.")
    return None


@check("push-utf8", "A text beyond ASCII is pushed as it is, in UTF-8", *_PUSHED, sends=_ONE)
def _push_utf8(trial: Trial) -> str | None:
    push, _, text = _first(trial, "Código {} · код ✓")
    _expect(push.json is not None, "The push is no JSON in UTF-8.")
    _expect(push.field("text") == text, f"text is {push.field('text')!r}, not {text!r}.")
    return None


@check("push-content-type", "A push says that it is JSON in UTF-8", *_PUSHED, sends=_ONE)
def _push_content_type(trial: Trial) -> str | None:
    _json_in_utf8(_first(trial)[0].headers, must_say=trial.hub.pushes_say_charset)
    return None


@check("push-user-agent", "Pushes have a User-Agent", *_PUSHED, sends=_ONE)
def _push_user_agent(trial: Trial) -> str | None:
    _expect(_first(trial)[0].headers.get("user-agent", "").strip(), "There is no User-Agent.")
    return None


@check("push-accepts-gzip", "Pushes accept gzip", *_PUSHED, sends=_ONE)
def _push_accepts_gzip(trial: Trial) -> str | None:
    said = _first(trial)[0].headers.get("accept-encoding", "")
    _expect("gzip" in said.lower(), f"Accept-Encoding is {said or 'missing'}.")
    return None


@check("push-bearer", "Pushes have Authorization: Bearer with the key", *_PUSHED, sends=_ONE)
def _push_bearer(trial: Trial) -> str | None:
    said = _first(trial)[0].headers.get("authorization", "")
    _expect(said == f"Bearer {trial.settings.key}", "Authorization is not Bearer and the key.")
    return None


@check("push-stops", "After SUCCESS a push never comes again", *_PUSHED, sends=_ONE)
def _push_stops(trial: Trial) -> str | None:
    _done_by(trial, SUCCESS)
    return None


@check("push-unpacks-gzip", "A SUCCESS in gzip is understood", *_PUSHED, sends=_ONE)
def _push_unpacks_gzip(trial: Trial) -> str | None:
    _done_by(trial, PACKED_SUCCESS)
    return None


@check("push-200", "Any HTTP 200 is the end of a push", *_PUSHED, sends=_ONE)
def _push_200(trial: Trial) -> str | None:
    _done_by(trial, Answer(body=b"ok"))
    return None


@check(
    "push-stop-words", "After the hub's words for it a push never comes again", *_PUSHED, sends=f"{_ONE}, for each word"
)
def _push_stop_words(trial: Trial) -> str | None:
    bought = trial.buy()
    answers = [Answer(400, json.dumps({"status": word}).encode()) for word in trial.hub.stop_words]
    inboxes = []
    for answer in answers:
        inboxes.append(inbox := trial.inbox(bought, answer))
        trial.send(inbox)
    for inbox in inboxes:
        trial.pushed(inbox)
    for inbox in inboxes:
        trial.quiet(inbox, after=1)
    return None


def _done_by(trial: Trial, answer: Answer) -> None:
    inbox = trial.inbox(trial.buy(), answer)
    trial.send(inbox)
    trial.pushed(inbox)
    trial.quiet(inbox, after=1)


@check("push-again-error", "After an ERROR the push comes again, an interval later each time", *_PUSHED, sends=_ONE)
def _push_again_error(trial: Trial) -> str | None:
    return _again_after(trial, ERROR)


@check("push-again-500", "After HTTP 500 the push comes again, an interval later each time", *_PUSHED, sends=_ONE)
def _push_again_500(trial: Trial) -> str | None:
    return _again_after(trial, Answer(500, b'{"status":"ERROR","error":"not now"}'))


@check("push-again-400", "After HTTP 400 the push comes again, whatever the body", *_PUSHED, sends=_ONE)
def _push_again_400(trial: Trial) -> str | None:
    return _again_after(trial, Answer(400))


@check("push-again-ignored", "A word whose meaning is unclear is no end of a push", *_PUSHED, sends=_ONE)
def _push_again_ignored(trial: Trial) -> str | None:
    return _again_after(trial, Answer(400, b'{"status":"IGNORED"}'))


@check("push-again-not-json", "After what is no JSON the push comes again", *_PUSHED, sends=_ONE)
def _push_again_not_json(trial: Trial) -> str | None:
    return _again_after(trial, Answer(body=b"<html>SUCCESS</html>"))


@check("push-again-closed", "After a closed connection the push comes again", *_PUSHED, sends=_ONE)
def _push_again_closed(trial: Trial) -> str | None:
    return _again_after(trial, Answer(closes=True))


@check("push-again-later", "It comes again and again, five times if need be", *_PUSHED, sends=_ONE)
def _push_again_later(trial: Trial) -> str | None:
    return _again_after(trial, Answer(503, b'{"status":"ERROR"}'), attempts=6)


def _again_after(trial: Trial, refusal: Answer, attempts: int = 3) -> str:
    inbox = trial.inbox(trial.buy(), *[refusal] * (attempts - 1), SUCCESS)
    trial.send(inbox)
    interval, tolerance = trial.settings.retry, trial.settings.tolerance
    trial.pushed(inbox)
    pushes = trial.pushed(inbox, attempts, (attempts - 1) * (interval + tolerance) + tolerance + interval)
    gaps = [later.at - earlier.at for earlier, later in pairwise(pushes)]
    _expect(
        all(abs(gap - interval) <= tolerance for gap in gaps[: attempts - 1]),
        f"The attempts were {', '.join(f'{gap:.1f}' for gap in gaps)} s apart, not {interval:g} ±{tolerance:g} s.",
    )
    return f"{', '.join(f'{gap:.1f}' for gap in gaps[: attempts - 1])} s apart"


@check("push-same", "Each attempt is the same push, smsId and all", *_PUSHED, sends=_ONE)
def _push_same(trial: Trial) -> str | None:
    refusal = Answer(500, b"not now")
    inbox = trial.inbox(trial.buy(), refusal, refusal, SUCCESS)
    trial.send(inbox)
    trial.pushed(inbox)
    first, *others = trial.pushed(inbox, 3, 4 * trial.settings.retry)
    for other in others:
        _expect(other.field("smsId") == first.field("smsId"), "smsId is another one on the next attempt.")
        _expect(other.body == first.body or other.json == first.json, "The body is another one on the next attempt.")
    return None


@check(
    "push-new-id",
    "Each SMS has an smsId of its own, and waits for no other",
    *_PUSHED,
    sends="GET_NUMBER, two SMS, finish 5",
)
def _push_new_id(trial: Trial) -> str | None:
    bought = trial.buy()
    first, second = trial.inbox(bought, Answer(500, b"not now")), trial.inbox(bought)
    trial.send(first)
    trial.send(second)
    one, other = trial.pushed(first)[0], trial.pushed(second)[0]
    _expect(one.field("smsId") != other.field("smsId"), "Two SMS have the same smsId.")
    return None


@check("push-after-finish", "After FINISH a push never comes again", *_PUSHED, sends=_ONE)
def _push_after_finish(trial: Trial) -> str | None:
    bought = trial.buy()
    inbox = trial.inbox(bought, Answer(500, b"not now"))
    trial.send(inbox)
    trial.pushed(inbox)
    _successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
    # One may be under way while the activation is finished.
    trial.quiet(inbox, after=len(inbox.pushes))
    return None


@check(
    "outlives",
    "Nothing but the hub's FINISH ends an activation: a late SMS is pushed, too",
    *_PUSHED,
    Need.PATIENCE,
    sends="GET_NUMBER, an SMS after PATIENCE minutes, finish 5",
)
def _outlives(trial: Trial) -> str | None:
    bought = trial.buy()
    inbox = trial.inbox(bought)
    trial.sleep(trial.settings.outlive or 0.0)
    trial.send(inbox)
    trial.pushed(inbox)
    _successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
    return None


# ---------------------------------------------------------------- of all that was asked

_LAST = "answers-in-time"


@check(_LAST, "Every answer comes as soon as the hub wants it", sends="nothing: looks at what was answered")
def _answers_in_time(trial: Trial) -> str | None:
    within = trial.settings.within or trial.hub.answers_within or trial.settings.timeout
    seen = trial.seen() or (trial.counts(),)
    slowest = max(seen, key=lambda exchange: exchange.seconds)
    late = sum(exchange.seconds > within or exchange.status is None for exchange in seen)
    if late:
        why = f"{late} of {len(seen)} answers took longer than {within:g} s or didn't come, the slowest {slowest.seconds:.1f} s."
        raise Failed(why, slowest)
    return f"{len(seen)} answers, the slowest {slowest.seconds:.2f} s"
