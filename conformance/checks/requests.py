"""How a hub asks and wants to be answered, whatever it asks."""

from collections.abc import Sequence
from dataclasses import replace

from conformance.checks.check import Need, check
from conformance.checks.expectations import expect, json_in_utf8, successful
from conformance.exchange import Exchange
from conformance.trial import ANY_NUMBER, RETURNED, Bought, Failed, Offer, Prevented, Trial, short, unknown_activation

_EACH_ANSWER = "counts, GET_NUMBER, finish 5, GET_NUMBER of what isn't there, finish 5 of an unknown activation"


def _each_answer(trial: Trial) -> Sequence[Exchange]:
    """Return an answer of each kind: counts, a number, SUCCESS alone, no numbers, an error."""
    bought = trial.buy()
    trial.give_back(bought)
    if trial.hub.excludes_prefixes:
        trial.get_number(bought.offer, ANY_NUMBER)
    else:
        trial.get_number(replace(bought.offer, country="nowhereland"))
    trial.finish(unknown_activation(), RETURNED)
    return trial.exchanges


@check("gzip", "Answers are packed with gzip", sends=_EACH_ANSWER)
def _gzip(trial: Trial) -> str | None:
    is_plain = False
    for answer in _each_answer(trial):
        packing = answer.answer_headers.get("content-encoding", "identity").lower()
        expect(answer.unpacks and answer.json is not None, f"The answer isn't packed as is said: {packing}.", answer)
        is_plain = is_plain or packing == "identity"
        expect(
            packing == "gzip" or (packing == "identity" and trial.hub.tolerates_plain),
            f"The answer is not packed with gzip: {short(answer)}",
            answer,
        )
    return "plain, which was tolerated" if is_plain else None


@check("gzip-request", "A request that is packed with gzip is understood", sends="counts, packed")
def _gzip_request(trial: Trial) -> str | None:
    successful(trial.counts(packed=True), "Counts asked for with Content-Encoding: gzip")
    return None


@check(
    "answer-content-type",
    "Answers say that they are JSON in UTF-8",
    sends=_EACH_ANSWER,
)
def _answer_content_type(trial: Trial) -> str | None:
    for answer in _each_answer(trial):
        json_in_utf8(answer.answer_headers, answer, must_say=trial.hub.answers_say_charset)
    return None


@check(
    "get-method",
    "GET with the fields in the query does what POST does",
    sends="counts, GET_NUMBER 4 times, finish 5 of each, all by GET",
)
def _get_method(trial: Trial) -> str | None:
    counts = trial.get(action=trial.hub.counts_action, key=trial.settings.key)
    successful(counts, "Counts by GET")
    offer = trial.listed(counts)[-1]
    bought = _bought_by_get(trial, offer)
    if bought is None:
        raise Prevented("NO_NUMBERS: no stock for it.")
    again = _bought_by_get(trial, offer, bought.phone)
    if again and again.phone == bought.phone:
        raise Failed(f"exceptionPhoneSet={bought.phone} was given.", again.exchange)
    # How a query spells a list, no document says: it may be read otherwise, but it is nothing to refuse.
    for several in (f"{bought.phone},{bought.phone}", [bought.phone] * 2):
        _bought_by_get(trial, offer, several)
    return None


def _bought_by_get(trial: Trial, offer: Offer, excluded: object = None) -> Bought | None:
    """Buy a number by GET and give it back by GET."""
    key = trial.settings.key
    fields = {
        **trial.place(offer),
        **trial.hub.hints[0],
        **({} if excluded is None else {"exceptionPhoneSet": excluded}),
    }
    answer = trial.get(action="GET_NUMBER", key=key, **fields)
    trial.remember(answer)
    bought = trial.bought(offer, answer)
    if bought:
        finished = trial.get(action="FINISH_ACTIVATION", key=key, activationId=bought.activation_id, status=RETURNED)
        successful(finished, "FINISH_ACTIVATION by GET")
    return bought


@check("accept-header", "A malformed Accept header is not refused", sends="counts")
def _accept_header(trial: Trial) -> str | None:
    accepts = "text/html, image/gif, image/jpeg, *, application/json"
    successful(trial.counts(headers={"Accept": accepts}), f"Accept: {accepts}")
    return None


@check("bearer", "Authorization: Bearer beside the key is no error", sends="counts, GET_NUMBER, finish 5")
def _bearer(trial: Trial) -> str | None:
    # As in every request of a hub that sends it; what fails here is why others fail.
    successful(trial.counts(), "Counts with Authorization: Bearer")
    bought = trial.buy()
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION with Authorization: Bearer")
    return None


@check("paths", "Each action has its path", Need.PATHS, sends="counts, GET_NUMBER, finish 5, each at its path")
def _paths(trial: Trial) -> str | None:
    successful(trial.ask(trial.hub.counts_action, path="/getServices"), "/getServices")
    offer = trial.offers()[0]
    bought = trial.buy(offer, path="/getNumber")
    successful(trial.finish(bought.activation_id, RETURNED, path="/finishActivation"), "/finishActivation")
    return None


@check(
    "paths-without-action",
    "At its path an action needs no action in the body",
    Need.PATHS,
    sends="counts without action",
)
def _paths_without_action(trial: Trial) -> str | None:
    successful(trial.ask(None, path="/getServices"), "/getServices without action")
    return None
