"""Counts: their form."""

import json
from collections.abc import Iterable
from typing import Any

from conformance.checks.check import check
from conformance.checks.expectations import expect, is_a, successful
from conformance.trial import NotRun, Trial, offers_of


@check("counts-form", "The counts are answered in the hub's form", sends="counts")
def _counts_form(trial: Trial) -> str | None:
    answer = trial.counts()
    successful(answer, "Counts")
    countries: Any
    if trial.hub.counts_form == "countMap":
        countries = answer.field("countMap")
        expect(isinstance(countries, dict), "There is no object countMap.")
    else:
        listed = answer.field("countryList")
        expect(isinstance(listed, list), "There is no list countryList.")
        expect(
            all(isinstance(each, dict) and isinstance(each.get("country"), str) for each in listed),
            "An entry of countryList has no country.",
        )
        countries = {each["country"]: each.get("operatorMap") for each in listed}
        expect(len(countries) == len(listed), "A country is listed twice.")
    for country, operators in countries.items():
        expect(isinstance(operators, dict), f"The operators of {country} are no object.")
        for operator, services in operators.items():
            expect(isinstance(services, dict), f"The services of {country}, {operator} are no object.")
            if trial.hub.counts_form == "countMap":
                expect(
                    all(isinstance(each, dict) and "SMS" in each for each in services.values()),
                    f"A service of {country}, {operator} has no SMS.",
                )
    return None


@check("counts-whole", "Counts are whole JSON numbers, none below 0", sends="counts")
def _counts_whole(trial: Trial) -> str | None:
    leaves = list(_leaves(trial.counts().json))
    if not leaves:
        raise NotRun("The counts list nothing.")
    wrong = [leaf for leaf in leaves if not is_a(leaf, int) or leaf < 0]
    expect(not wrong, f"Among the counts is {json.dumps(wrong[:1])[1:-1]}.")
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
                expect(not (others and "any" in operators), f"{country} has any beside {', '.join(sorted(others))}.")
            case "alone":
                expect("any" in operators, f"{country} has no operator any.")
                expect(not others, f"{country} has operators beside any: {', '.join(sorted(others))}.")
            case _:
                expect("any" in operators, f"{country} has no operator any.")
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
                    expect(not wrong, f"any of {country} is not the sum of its operators: {', '.join(sorted(wrong))}.")
    return None
