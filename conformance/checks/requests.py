"""How a hub asks and wants to be answered, whatever it asks."""

from conformance.checks.check import Need, check
from conformance.checks.expectations import expect, json_in_utf8, successful
from conformance.trial import RETURNED, NotRun, Trial, short


@check("gzip", "Who asks for gzip gets gzip that unpacks, who doesn't a plain answer", sends="counts 2 times")
def _gzip(trial: Trial) -> str | None:
    packed = trial.counts(headers={"Accept-Encoding": "gzip"})
    expect(packed.unpacks and packed.json is not None, "The answer isn't packed as its Content-Encoding says.")
    successful(packed, "Counts")
    plain = trial.counts(headers={"Accept-Encoding": "identity"})
    expect(plain.json is not None, f"Without gzip the answer can't be read: {short(plain)}")
    expect(
        plain.answer_headers.get("content-encoding", "identity") == "identity",
        "The answer is packed though that was not asked for.",
    )
    return None if "content-encoding" in packed.answer_headers else "plain, which was tolerated"


@check("answer-content-type", "Answers say that they are JSON in UTF-8", sends="counts, GET_NUMBER, finish 5")
def _answer_content_type(trial: Trial) -> str | None:
    trial.give_back(trial.buy())
    for answer in trial.exchanges:
        json_in_utf8(answer.answer_headers, must_say=trial.hub.answers_say_charset)
    return None


@check(
    "get-method",
    "GET with the fields in the query does what POST does",
    sends="counts, GET_NUMBER, finish 5, all by GET",
)
def _get_method(trial: Trial) -> str | None:
    key = trial.settings.key
    counts = trial.get(action=trial.hub.counts_action, key=key)
    successful(counts, "Counts by GET")
    offer = trial.listed(counts)[0]
    named = {"country": offer.country, "operator": offer.operator, "service": offer.service}
    answer = trial.get(action="GET_NUMBER", key=key, **named)
    trial.remember(answer)
    bought = trial.bought(offer, answer)
    if bought is None:
        raise NotRun("NO_NUMBERS: no stock for it.")
    successful(
        trial.get(action="FINISH_ACTIVATION", key=key, activationId=bought.activation_id, status=RETURNED),
        "FINISH_ACTIVATION by GET",
    )
    return None


@check("accept-header", "A malformed Accept header is not refused", sends="counts")
def _accept_header(trial: Trial) -> str | None:
    accepts = "text/html, image/gif, image/jpeg, *, application/json"
    successful(trial.counts(headers={"Accept": accepts}), f"Accept: {accepts}")
    return None


@check("bearer", "Authorization: Bearer beside the key is no error", sends="counts")
def _bearer(trial: Trial) -> str | None:
    successful(trial.counts(headers={"Authorization": f"Bearer {trial.settings.key}"}), "Authorization: Bearer")
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
