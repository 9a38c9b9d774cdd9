"""What checks look for in answers. Each raises Failed where it isn't so, or tells."""

from collections.abc import Iterable, Mapping

from conformance.answers import is_success, says_json
from conformance.exchange import Exchange
from conformance.trial import Bought, Failed, Trial, short

SERVERS_FAULT = 500


def expect(holds: object, why: str, asked: Exchange | None = None) -> None:
    """Raise Failed unless it holds, with the request that shows it, the last one if none is named."""
    if not holds:
        raise Failed(why, asked)


def successful(answer: Exchange, what: str) -> None:
    expect(is_success(answer), f"{what}: not SUCCESS but {short(answer)}", answer)


def is_error(answer: Exchange) -> bool:
    return answer.field("status") == "ERROR" and answer.status is not None and answer.status < SERVERS_FAULT


def refused(trial: Trial, answer: Exchange, what: str, kind: str | None = None) -> None:
    """Expect ERROR, and the HTTP status that the hub's document names for this kind, if it does."""
    expect(is_error(answer), f"{what}: not ERROR but {short(answer)}", answer)
    code = trial.hub.error_http.get(kind or "")
    expect(code in (None, answer.status), f"{what}: HTTP {answer.status}, not {code}.", answer)


def still_held(trial: Trial, bought: Bought, after: str, most: int | None = None) -> None:
    """Expect that an activation goes on which something must not have ended: its number is not sold, its SMS are pushed.

    Where pushes can't be looked at, or none comes at all, the number decides alone.
    """
    not_sold_again(trial, bought, after, most)
    if trial.settings.pushes and trial.settings.sms:
        goes_on = _is_pushed(trial, bought) or not _is_pushed(trial, trial.buy())
        expect(goes_on, f"{after}, and an SMS to {bought.phone} was not pushed.")


def not_sold_again(trial: Trial, bought: Bought, after: str, most: int | None = None) -> None:
    """Expect that a number is not sold while its activation is live, to who buys so many, by default as many as it may."""
    most = trial.settings.most - 1 if most is None else most
    further = trial.buy_up_to(most, bought.offer, trial.others_than(bought.phone))
    for one in further:
        expect(one.phone != bought.phone, f"{after}, and {bought.phone} was sold again.", one.exchange)
    trial.give_back(*further)


def _is_pushed(trial: Trial, bought: Bought) -> bool:
    inbox = trial.inbox(bought)
    trial.send(inbox)
    return trial.is_pushed(inbox)


def is_a(value: object, *types: type) -> bool:
    # JSON's true is no number, though Python's is.
    return type(value) in types


def words(*types: type) -> str:
    return " or ".join("a number" if each is int else "a string" for each in types)


def same(value: object, wanted: object) -> bool:
    return type(value) is type(wanted) and value == wanted


def matches(number: str, prefixes: Iterable[str]) -> bool:
    return any(number.startswith(prefix) for prefix in prefixes)


def json_in_utf8(headers: Mapping[str, str], asked: Exchange | None = None, *, must_say: bool) -> None:
    expect(
        says_json(headers, with_charset=must_say),
        f"Content-Type is {headers.get('content-type') or 'missing'}.",
        asked,
    )
