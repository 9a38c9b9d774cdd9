"""What a hub finds wrong in the form of answers and pushes, and what it reads in them all the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.exchange import Exchange
from conformance.hubs import Hub, Spelling
from conformance.hubsim.events import Place

# What a hub sends of an answer that it can't use is for people; no more of it than this.
_SHOWN = 200
_NAMES = {int: "number", str: "string"}


def unusable(exchange: Exchange) -> str:
    """Return what an answer is that is of no use."""
    if exchange.status is None:
        return f"no answer ({exchange.error})"
    return f"HTTP {exchange.status}: {exchange.text[:_SHOWN]}"


def read_counts(hub: Hub, answer: Any) -> tuple[dict[Place, int], tuple[str, ...]]:
    """Return the counts in an answer, and what is wrong with its form."""
    counts: dict[Place, int] = {}
    wrong: list[str] = []
    try:
        for place, count in _leaves(hub, answer):
            if type(count) is not int or count < 0:
                wrong.append(f"the count of {'/'.join(place)} is {count!r}, not a whole number")
            else:
                counts[place] = counts.get(place, 0) + count
    except (AttributeError, KeyError, TypeError, ValueError):
        wrong.append(f"no {hub.counts_form} as it is documented")
    return counts, tuple(wrong)


def _leaves(hub: Hub, answer: Any) -> Iterator[tuple[Place, Any]]:
    if hub.counts_form == "countMap":
        for country, operators in answer["countMap"].items():
            for operator, services in operators.items():
                for service, kinds in services.items():
                    yield (country, operator, service), kinds["SMS"]
        return
    for entry in answer["countryList"]:
        for operator, services in entry["operatorMap"].items():
            for service, count in services.items():
                yield (entry["country"], operator, service), count


def read_number(hub: Hub, answer: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """Return the number and the activation's id of an answer, and what is wrong with its form."""
    number, activation = answer.get("number"), answer.get("activationId")
    wrong = [*_spelled("number", number, hub.number), *_spelled("activationId", activation, (int,))]
    if not str(number).isascii() or not str(number).isdigit():
        wrong.append(f"number {number!r} is not all digits, with the country code")
    wrong += [
        f"{name} is {answer.get(name)!r}, not {expected!r}"
        for name, expected in hub.number_extras.items()
        if name in answer and (answer[name] != expected or type(answer[name]) is not type(expected))
    ]
    return str(number), str(activation), tuple(wrong)


def wrong_error(hub: Hub, exchange: Exchange) -> tuple[str, ...]:
    """Return what is wrong with the form of an error."""
    if exchange.field("status") == "ERROR" and not isinstance(exchange.field(hub.error_field), str):
        return (f"an error without a text in {hub.error_field}",)
    return ()


def wrong_push(hub: Hub, push: Mapping[str, Any], headers: Mapping[str, str], key: str) -> tuple[str, ...]:
    """Return what is wrong with a push; `headers` have names in small letters."""
    wrong = [
        *_spelled("smsId", push.get("smsId"), hub.sms_id),
        *_spelled("phone", push.get("phone"), hub.phone),
        *_spelled("phoneFrom", push.get("phoneFrom"), (str,)),
        *_spelled("text", push.get("text"), (str,)),
    ]
    if push.get("action") != "PUSH_SMS":
        wrong.append(f"action is {push.get('action')!r}, not PUSH_SMS")
    if not str(push.get("phone")).isdigit():
        wrong.append(f"phone {push.get('phone')!r} is not all digits")
    if "push-user-agent" in hub.rules and "user-agent" not in headers:
        wrong.append("no User-Agent")
    if not headers.get("content-type", "").startswith("application/json"):
        wrong.append("Content-Type is not application/json")
    if "push-bearer" in hub.rules and headers.get("authorization") != f"Bearer {key}":
        wrong.append("no Authorization: Bearer with the key")
    return tuple(wrong)


def _spelled(name: str, value: Any, spellings: Sequence[Spelling]) -> list[str]:
    if type(value) in spellings:
        return []
    expected = " or ".join(_NAMES[spelling] for spelling in spellings)
    return [f"{name} is missing" if value is None else f"{name} is {value!r}, not a {expected}"]
