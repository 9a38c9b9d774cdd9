"""Counts: their form."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from conformance.checks.check import check
from conformance.checks.expectations import expect, is_a, successful
from conformance.trial import Prevented, Trial, offers_of


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
    leaves: list[Any] = [
        leaf.get("SMS") if isinstance(leaf, dict) else leaf
        for _, operators in _countries(trial.counts().json)
        for services in operators.values()
        if isinstance(services, dict)
        for leaf in services.values()
    ]
    if not leaves:
        raise Prevented("The counts list nothing.")
    wrong = [leaf for leaf in leaves if not is_a(leaf, int) or leaf < 0]
    expect(not wrong, f"Among the counts is {json.dumps(wrong[:1])[1:-1]}.")
    return None


def _countries(content: Any) -> Iterator[tuple[object, dict[str, Any]]]:
    """Yield each country that is listed, in either form, with its operators, as far as they can be read."""
    counts = content if isinstance(content, dict) else {}
    countries, listed = counts.get("countMap"), counts.get("countryList")
    entries = list(countries.items()) if isinstance(countries, dict) else []
    if not entries and isinstance(listed, list):
        entries = [(each.get("country"), each.get("operatorMap")) for each in listed if isinstance(each, dict)]
    for country, operators in entries:
        if isinstance(operators, dict):
            yield country, operators


@check("counts-any", "Counts have the operator any where the hub wants it, and nowhere else", sends="counts")
def _counts_any(trial: Trial) -> str | None:
    answer = trial.counts().json
    countries = [(country, operators) for country, operators in _countries(answer) if operators]
    if not countries:
        raise Prevented("The counts list nothing.")
    for country, operators in countries:
        others = operators.keys() - {"any"}
        match trial.hub.any_operator:
            case "split":
                expect(not (others and "any" in operators), f"{country} has any beside {', '.join(sorted(others))}.")
            case "alone":
                expect("any" in operators, f"{country} has no operator any.")
                expect(not others, f"{country} has operators beside any: {', '.join(sorted(others))}.")
            case _:
                expect("any" in operators, f"{country} has no operator any.")
                sums, listed = Counter[str](), Counter[str]()
                for offer in offers_of(answer):
                    if others and offer.country == country:
                        (listed if offer.operator == "any" else sums)[offer.service] += offer.count
                wrong = sorted(each for each in sums | listed if sums[each] != listed[each])
                expect(not wrong, f"any of {country} is not the sum of its operators: {', '.join(wrong)}.")
    return None
