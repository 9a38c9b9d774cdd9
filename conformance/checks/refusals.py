"""What must be refused, and how."""

import json

from conformance.checks.check import check
from conformance.checks.expectations import expect, refused
from conformance.trial import RETURNED, Trial, offers_of, short


@check("bad-key", "An unknown key is ERROR and shows nothing", sends="counts with a key that doesn't exist")
def _bad_key(trial: Trial) -> str | None:
    answer = trial.counts(key="conformance-nobody")
    expect(not offers_of(answer.json), "An unknown key is shown the counts.")
    refused(trial, answer, "An unknown key", "key")
    if trial.hub.error_http.get("key"):
        said = answer.field(trial.hub.error_field)
        expect(said == "Invalid key", f"{trial.hub.error_field} is {json.dumps(said)}, not Invalid key.")
    return None


@check("error-field", "The text of an error is where the hub looks for it", sends="finish 5 of an unknown activation")
def _error_field(trial: Trial) -> str | None:
    answer = trial.finish(9, RETURNED)
    said = answer.field(trial.hub.error_field)
    expect(isinstance(said, str) and said, f"There is no text in {trial.hub.error_field}: {short(answer)}")
    return None


@check("error-http", "An error has the HTTP status that the hub expects", sends="finish 5 of an unknown activation")
def _error_http(trial: Trial) -> str | None:
    wanted, answer = trial.hub.error_http.get("activation", 200), trial.finish(9, RETURNED)
    expect(answer.status == wanted, f"HTTP {answer.status}, not {wanted}.")
    return None


@check("unknown-action", "An unknown action is ERROR", sends="an action that doesn't exist")
def _unknown_action(trial: Trial) -> str | None:
    refused(trial, trial.ask("CONFORMANCE_NOTHING"), "An unknown action", "action")
    return None


@check("bad-json", "What is no JSON is ERROR", sends="a body that is no JSON")
def _bad_json(trial: Trial) -> str | None:
    refused(trial, trial.ask(None, body=b'{"action":'), "No JSON", "json")
    return None


@check(
    "missing-field",
    "A request without a required field is ERROR",
    sends="GET_NUMBER without service, finish without activationId",
)
def _missing_field(trial: Trial) -> str | None:
    refused(trial, trial.ask("GET_NUMBER", country="nowhereland", operator="nobody"), "No service", "field")
    refused(trial, trial.ask("FINISH_ACTIVATION", status=RETURNED), "No activationId", "field")
    return None
