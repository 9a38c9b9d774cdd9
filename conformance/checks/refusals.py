"""What must be refused, and how."""

import json
from typing import Any

from conformance.checks.check import check
from conformance.checks.expectations import expect, refused, still_held, successful
from conformance.exchange import Exchange
from conformance.trial import RETURNED, Trial, offers_of, short, unknown_activation

_NOBODY = "conformance-nobody"
_NOT_FOUND = 404


@check(
    "bad-key",
    "An unknown key is ERROR whatever it asks; it sees, gets and ends nothing",
    sends="counts and GET_NUMBER with a key that doesn't exist, GET_NUMBER with KEY, finish 5 of it with that key, "
    "GET_NUMBER up to 9 times, with PUSH an SMS, finish 5 with KEY",
)
def _bad_key(trial: Trial) -> str | None:
    counts = trial.counts(key=_NOBODY)
    expect(not offers_of(counts.json), "An unknown key is shown the counts.")
    _key_refused(trial, counts, "Counts")
    offer = trial.offers()[-1]
    _key_refused(trial, trial.get_number(offer, key=_NOBODY), "GET_NUMBER")
    bought = trial.buy(offer)
    _key_refused(trial, trial.finish(bought.activation_id, RETURNED, key=_NOBODY), "FINISH_ACTIVATION")
    still_held(trial, bought, "An unknown key was refused the FINISH")
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5 with the right key")
    return None


def _key_refused(trial: Trial, answer: Exchange, what: str) -> None:
    refused(trial, answer, f"{what} with an unknown key", "key")
    expect(answer.field("number") is None, f"{what} with an unknown key gives a number.")
    if trial.hub.error_http.get("key"):
        said = answer.field(trial.hub.error_field)
        expect(said == "Invalid key", f"{trial.hub.error_field} is {json.dumps(said)}, not Invalid key.")


@check("error-field", "The text of an error is where the hub looks for it", sends="finish 5 of an unknown activation")
def _error_field(trial: Trial) -> str | None:
    answer = trial.finish(unknown_activation(), RETURNED)
    said = answer.field(trial.hub.error_field)
    expect(isinstance(said, str) and said, f"There is no text in {trial.hub.error_field}: {short(answer)}")
    return None


@check("error-http", "An error has the HTTP status that the hub expects", sends="finish 5 of an unknown activation")
def _error_http(trial: Trial) -> str | None:
    wanted, answer = trial.hub.error_http.get("activation", 200), trial.finish(unknown_activation(), RETURNED)
    expect(answer.status == wanted, f"HTTP {answer.status}, not {wanted}.")
    return None


@check("unknown-action", "An unknown action is ERROR", sends="an action that doesn't exist")
def _unknown_action(trial: Trial) -> str | None:
    answer = trial.ask("CONFORMANCE_NOTHING")
    # Where each action has its path, there need be nothing else.
    if not trial.asks_at_paths or answer.status != _NOT_FOUND:
        refused(trial, answer, "An unknown action", "action")
    return None


@check("bad-json", "What is no JSON is ERROR", sends="a body that is no JSON")
def _bad_json(trial: Trial) -> str | None:
    refused(trial, trial.ask(None, body=b'{"action":'), "No JSON", "json")
    return None


@check(
    "missing-field",
    "A request without a required field is ERROR",
    sends="GET_NUMBER without country, without operator, without service; finish without activationId, without status; "
    "counts without key",
)
def _missing_field(trial: Trial) -> str | None:
    offer = trial.offers()[0]
    fields: dict[str, Any] = {**trial.place(offer), **trial.hub.hints[0]}
    for name in trial.place(offer):
        answer = trial.ask("GET_NUMBER", **{other: value for other, value in fields.items() if other != name})
        trial.remember(answer)
        refused(trial, answer, f"No {name}", "field")
    refused(trial, trial.ask("FINISH_ACTIVATION", status=RETURNED), "No activationId", "field")
    bought = trial.buy(offer)
    refused(trial, trial.ask("FINISH_ACTIVATION", activationId=bought.activation_id), "No status", "field")
    body = json.dumps({"action": trial.hub.counts_action}).encode()
    refused(trial, trial.ask(None, body=body), "No key", "key")
    return None
