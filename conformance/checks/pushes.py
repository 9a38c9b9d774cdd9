"""Pushes: what is in them, and until when they come."""

import json
from itertools import pairwise

from conformance.checks.check import Need, check
from conformance.checks.expectations import LARGEST_ID, expect, is_a, json_in_utf8, same, successful, words
from conformance.push_server import ERROR, PACKED_SUCCESS, SUCCESS, Answer, Push
from conformance.trial import RETURNED, Bought, Trial

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
    expect(
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
    expect(isinstance(push.json, dict), "The push is no JSON object in UTF-8.")
    for name, wanted in types.items():
        value = push.field(name)
        # Not shown: it may be the key.
        expect(is_a(value, *wanted), f"{name} is {_kind(value)}, not {words(*wanted)}.")
    for name, value in hub.push_extras.items():
        expect(same(push.field(name), value), f"{name} is {_kind(push.field(name))}, not {json.dumps(value)}.")
    if is_a(push.field("smsId"), int):
        expect(0 < push.field("smsId") <= LARGEST_ID, f"smsId is {push.field('smsId')}, not within 64 bits.")
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
    expect(push.method == "POST", f"It came by {push.method}.")
    expect(str(push.field("phone")) == bought.phone, f"phone is {push.field('phone')}, not {bought.phone}.")
    expect(push.field("text") == text, f"text is not {text!r}.")
    expect(push.field("action") == "PUSH_SMS", "action is not PUSH_SMS.")
    expect(push.field("key") == trial.settings.key, "key is not the key of the requests.")
    expect(push.field("phoneFrom"), "phoneFrom is empty.")
    return None


@check("push-utf8", "A text beyond ASCII is pushed as it is, in UTF-8", *_PUSHED, sends=_ONE)
def _push_utf8(trial: Trial) -> str | None:
    push, _, text = _first(trial, "Código {} · код ✓")
    expect(push.json is not None, "The push is no JSON in UTF-8.")
    expect(push.field("text") == text, f"text is {push.field('text')!r}, not {text!r}.")
    return None


@check("push-content-type", "A push says that it is JSON in UTF-8", *_PUSHED, sends=_ONE)
def _push_content_type(trial: Trial) -> str | None:
    json_in_utf8(_first(trial)[0].headers, must_say=trial.hub.pushes_say_charset)
    return None


@check("push-user-agent", "Pushes have a User-Agent", *_PUSHED, sends=_ONE)
def _push_user_agent(trial: Trial) -> str | None:
    expect(_first(trial)[0].headers.get("user-agent", "").strip(), "There is no User-Agent.")
    return None


@check("push-accepts-gzip", "Pushes accept gzip", *_PUSHED, sends=_ONE)
def _push_accepts_gzip(trial: Trial) -> str | None:
    said = _first(trial)[0].headers.get("accept-encoding", "")
    expect("gzip" in said.lower(), f"Accept-Encoding is {said or 'missing'}.")
    return None


@check("push-bearer", "Pushes have Authorization: Bearer with the key", *_PUSHED, sends=_ONE)
def _push_bearer(trial: Trial) -> str | None:
    said = _first(trial)[0].headers.get("authorization", "")
    expect(said == f"Bearer {trial.settings.key}", "Authorization is not Bearer and the key.")
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
    expect(
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
        expect(other.field("smsId") == first.field("smsId"), "smsId is another one on the next attempt.")
        expect(other.body == first.body or other.json == first.json, "The body is another one on the next attempt.")
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
    expect(one.field("smsId") != other.field("smsId"), "Two SMS have the same smsId.")
    return None


@check("push-after-finish", "After FINISH a push never comes again", *_PUSHED, sends=_ONE)
def _push_after_finish(trial: Trial) -> str | None:
    bought = trial.buy()
    inbox = trial.inbox(bought, Answer(500, b"not now"))
    trial.send(inbox)
    trial.pushed(inbox)
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
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
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
    return None
