"""What a hub finds wrong in the form of answers and pushes, and what it reads in them all the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.answers import LARGEST_ID, OK, says_json
from conformance.countries import CODES, E164
from conformance.exchange import Exchange
from conformance.hubs import Hub, Spelling
from conformance.hubsim.events import Place, Wrong

# What a hub sends of an answer that it can't use is for people; no more of it than this.
_SHOWN = 200
_DIGITS = 20
_NAMES = {int: "number", str: "string"}


def unusable(exchange: Exchange) -> str:
    """Return what an answer is that is of no use."""
    if exchange.status is None:
        return f"no answer ({exchange.error})"
    return f"HTTP {exchange.status}: {exchange.shown.answer[:_SHOWN]}"


def wrong_answer(hub: Hub, exchange: Exchange) -> tuple[Wrong, ...]:
    """Return what is wrong with an answer, whatever was asked for."""
    wrong: list[Wrong] = []
    # What is no JSON is of no use anyway.
    if isinstance(exchange.json, dict):
        wrong += _said("answer-content-type", exchange.answer_headers, with_charset=hub.answers_say_charset)
    match exchange.field("status"):
        case "ERROR" if not isinstance(exchange.field(hub.error_field), str):
            wrong.append(("error-field", f"an error without a text in {hub.error_field}"))
        case "NO_NUMBERS" if exchange.status != OK:
            wrong.append(("no-numbers", f"NO_NUMBERS with HTTP {exchange.status}"))
        # Other requests have failed then.
        case "SUCCESS" if exchange.status != OK and exchange.field("number") is not None:
            wrong.append(("number-type", f"SUCCESS with HTTP {exchange.status}"))
    return tuple(wrong)


def read_counts(hub: Hub, answer: Any) -> tuple[dict[Place, int], tuple[Wrong, ...]]:
    """Return the counts in an answer, and what is wrong with their form."""
    counts: dict[Place, int] = {}
    wrong: list[Wrong] = []
    no_counts: list[str] = []
    try:
        for place, count in _leaves(hub, answer):
            if type(count) is not int or not 0 <= count <= LARGEST_ID:
                no_counts.append(f"the count of {'/'.join(place)} is {count!r}, not a whole number")
            else:
                counts[place] = counts.get(place, 0) + count
    except (AttributeError, KeyError, TypeError, ValueError):
        wrong.append(("counts-form", f"no {hub.counts_form} as it is documented"))
    if no_counts:
        # There may be thousands, in every poll.
        others = f"; {len(no_counts) - 1} others aren't either" if len(no_counts) > 1 else ""
        wrong.append(("counts-whole", no_counts[0] + others))
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
                yield (_text(entry["country"]), operator, service), count


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(value)


def read_number(hub: Hub, country: str, answer: Mapping[str, Any]) -> tuple[str, str, tuple[Wrong, ...]]:
    """Return the number and the activation's id of an answer, and what is wrong with their form, and with its further fields."""
    number, activation = answer.get("number"), answer.get("activationId")
    wrong = [
        *_spelled("number-type", "number", number, hub.number),
        *_spelled("activation-id", "activationId", activation, (int,)),
        *_further("number-extras", answer, hub.number_extras),
    ]
    code = CODES.get(country.lower(), "")
    if not E164.fullmatch(str(number)) or not str(number).startswith(code):
        wrong.append(
            ("number-type", f"number {number!r} is not 7 to 15 digits that begin with {code or 'a country code'}")
        )
    return str(number), str(activation), tuple(wrong)


def is_digits(text: str) -> bool:
    """Tell whether a text is a number or an id, and not one of thousands of digits."""
    return text.isdecimal() and len(text) <= _DIGITS


def wrong_push(hub: Hub, push: Mapping[str, Any], headers: Mapping[str, str], key: str) -> tuple[Wrong, ...]:
    """Return what is wrong with a push; `headers` have names in small letters."""
    wrong = [
        *_spelled("push-types", "smsId", push.get("smsId"), hub.sms_id),
        *_spelled("push-types", "phone", push.get("phone"), hub.phone),
        *_spelled("push-types", "phoneFrom", push.get("phoneFrom"), (str,)),
        *_spelled("push-types", "text", push.get("text"), (str,)),
        *_further("push-types", push, hub.push_extras),
        *_said("push-content-type", headers, with_charset=hub.pushes_say_charset),
    ]
    minded = (
        ("push-content", f"action is {push.get('action')!r}, not PUSH_SMS", push.get("action") != "PUSH_SMS"),
        ("push-content", f"phone {push.get('phone')!r} is not all digits", not str(push.get("phone")).isdigit()),
        ("push-content", "phoneFrom is empty", push.get("phoneFrom") == ""),
        ("push-user-agent", "no User-Agent", not headers.get("user-agent", "").strip()),
        ("push-accepts-gzip", "no Accept-Encoding: gzip", "gzip" not in headers.get("accept-encoding", "").lower()),
        ("push-bearer", "no Authorization: Bearer with the key", headers.get("authorization") != f"Bearer {key}"),
    )
    wrong += [(rule, text) for rule, text, is_so in minded if is_so and rule in hub.rules]
    return tuple(wrong)


def _spelled(rule: str, name: str, value: Any, spellings: Sequence[Spelling]) -> list[Wrong]:
    if type(value) not in spellings:
        expected = " or ".join(_NAMES[spelling] for spelling in spellings)
        # It may be a code that is nobody's business.
        said = type(value).__name__ if name == "text" else repr(value)
        return [(rule, f"{name} is missing" if value is None else f"{name} is {said}, not a {expected}")]
    if name in {"smsId", "activationId"} and isinstance(value, int) and not 0 <= value <= LARGEST_ID:
        return [(rule, f"{name} is {value}, not within 64 bits")]
    return []


def _further(rule: str, fields: Mapping[str, Any], expected: Mapping[str, object]) -> list[Wrong]:
    """Return which constant fields are lacking, or something else."""
    return [
        (rule, f"{name} is {fields[name]!r}, not {value!r}" if name in fields else f"{name} is missing")
        for name, value in expected.items()
        if type(fields.get(name)) is not type(value) or fields[name] != value
    ]


def _said(rule: str, headers: Mapping[str, str], *, with_charset: bool) -> list[Wrong]:
    if says_json(headers, with_charset=with_charset):
        return []
    return [(rule, f"Content-Type is {headers.get('content-type') or 'missing'}")]
