"""Pushes: what is in them, and until when they come."""

import json
import re
from itertools import pairwise, takewhile
from operator import eq

from conformance.answers import LARGEST_ID
from conformance.checks.check import Need, check
from conformance.checks.expectations import (
    expect,
    is_a,
    json_in_utf8,
    not_sold_again,
    same,
    still_held,
    successful,
    words,
)
from conformance.push_server import ERROR, PACKED_SUCCESS, SUCCESS, Answer, Inbox, Push
from conformance.trial import RETURNED, Bought, NotRun, Offer, Trial

_PUSHED = (Need.PUSH, Need.SMS)
_ONE = "GET_NUMBER, an SMS, finish 5"
_NOT_NOW = Answer(500, b"not now")
_UNLESS_CHANGED = "unless what makes SMS come has changed it"
# Looked at when all others are made.
OVER, STRANGERS = "push-over", "push-strangers"
# How many intervals a hub may be silent until the next attempt: no document says it.
_SILENT_FOR = 8
# How many numbers are enough for the checks that look whether one of theirs is sold again.
_APART = 4

# What hubs may want of the headers of pushes, by their rule for it.
_HEADERS = {
    "push-content-type": "content-type",
    "push-accepts-gzip": "accept-encoding",
    "push-bearer": "authorization",
    "push-user-agent": "user-agent",
}


def _first(trial: Trial, text: str = "Your code is {}") -> tuple[Push, Bought, str]:
    bought = trial.buy()
    inbox = trial.inbox(bought)
    sent = trial.send(inbox, text)
    return trial.pushed(inbox)[0], bought, sent


def _arrival(trial: Trial, inbox: Inbox) -> tuple[Push, float]:
    """Have an SMS come; return its first push, and how many seconds that took."""
    trial.send(inbox)
    sent = trial.now()
    push = trial.pushed(inbox)[0]
    # It may come before what makes SMS come has ended.
    return push, max(push.at - sent, 0.0)


@check("push-at-once", "An SMS is pushed at once", *_PUSHED, sends=_ONE)
def _push_at_once(trial: Trial) -> str | None:
    _, took = _arrival(trial, trial.inbox(trial.buy()))
    expect(
        took <= trial.settings.soon, f"It came after {took:.1f} s; within {trial.settings.soon:g} s counts as at once."
    )
    return f"{took:.1f} s"


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
        expect(0 <= push.field("smsId") <= LARGEST_ID, f"smsId is {push.field('smsId')}, not within 64 bits.")
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
            return "a number with a fraction or an exponent"
        case str():
            return "a string"
        case _:
            return "a list or an object"


@check("push-content", "A push says number, sender, text, action and key as they are", *_PUSHED, sends=_ONE)
def _push_content(trial: Trial) -> str | None:
    push, bought, text = _first(trial)
    expect(str(push.field("phone")) == bought.phone, f"phone is {push.field('phone')!r}, not {bought.phone}.")
    expect(push.field("text") == text, f"text is not {text!r}.")
    expect(push.field("action") == "PUSH_SMS", "action is not PUSH_SMS.")
    expect(push.field("key") == trial.settings.key, "key is not the key of the requests.")
    expect(push.field("phoneFrom"), "phoneFrom is empty.")
    return None


@check("push-utf8", "A text is pushed as it is, in UTF-8, whatever its characters", *_PUSHED, sends=_ONE)
def _push_utf8(trial: Trial) -> str | None:
    push, _, text = _first(trial, 'Código {} · код ✓ 🙂 "a\\b"\nend')
    expect(push.json is not None, "The push is no JSON in UTF-8.")
    expect(push.field("text") == text, f"text is {push.field('text')!r}, not {text!r}, {_UNLESS_CHANGED}.")
    return None


@check("push-long", "A text as long as several SMS is pushed whole", *_PUSHED, sends="GET_NUMBER, a long SMS, finish 5")
def _push_long(trial: Trial) -> str | None:
    # ✓ leaves 70 characters to an SMS.
    push, _, text = _first(trial, f"✓ {{}} {' '.join(map(str, range(100, 200)))}")
    right = [*takewhile(bool, map(eq, text, str(push.field("text"))))]
    expect(
        push.field("text") == text, f"Of {len(text)} characters the first {len(right)} came right, {_UNLESS_CHANGED}."
    )
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
    refused = re.search(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)", said, re.IGNORECASE)
    expect("gzip" in said.lower() and not refused, f"Accept-Encoding is {said or 'missing'}.")
    return None


@check("push-plain", "Pushes to a hub that wants no gzip are not packed", *_PUSHED, sends=_ONE)
def _push_plain(trial: Trial) -> str | None:
    said = _first(trial)[0].headers.get("content-encoding", "")
    expect(said.strip().lower() in ("", "identity"), f"Content-Encoding is {said}.")
    return None


@check("push-bearer", "Pushes have Authorization: Bearer with the key", *_PUSHED, sends=_ONE)
def _push_bearer(trial: Trial) -> str | None:
    said = _first(trial)[0].headers.get("authorization", "")
    expect(said == f"Bearer {trial.settings.key}", "Authorization is not Bearer and the key.")
    return None


@check("push-stops", "After SUCCESS, at first or later, a push never comes again", *_PUSHED, sends=f"2 times {_ONE}")
def _push_stops(trial: Trial) -> str | None:
    at_first, later = trial.inbox(trial.buy()), trial.inbox(trial.buy(), _NOT_NOW, SUCCESS)
    for inbox in (at_first, later):
        trial.send(inbox)
        trial.pushed(inbox)
    # Whether it comes a second time is another check's.
    trial.quiet({at_first: 1, later: 2})
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
    trial.quiet(dict.fromkeys(inboxes, 1))
    return None


def _done_by(trial: Trial, answer: Answer) -> None:
    inbox = trial.inbox(trial.buy(), answer)
    trial.send(inbox)
    trial.pushed(inbox)
    trial.quiet({inbox: 1})


@check("push-again-error", "After an ERROR the push comes again, an interval later each time", *_PUSHED, sends=_ONE)
def _push_again_error(trial: Trial) -> str | None:
    return _again_after(trial, ERROR)


@check("push-again-500", "After HTTP 500 the push comes again, an interval later each time", *_PUSHED, sends=_ONE)
def _push_again_500(trial: Trial) -> str | None:
    return _again_after(trial, Answer(500, b'{"status":"ERROR","error":"not now"}'))


@check("push-again-400", "After HTTP 400 the push comes again, an interval later each time", *_PUSHED, sends=_ONE)
def _push_again_400(trial: Trial) -> str | None:
    # Where the status decides, SUCCESS in the body doesn't.
    return _again_after(trial, Answer(400, (SUCCESS if trial.hub.takes_200 else ERROR).body))


@check("push-again-ignored", "A word whose meaning is unclear is no end of a push", *_PUSHED, sends=_ONE)
def _push_again_ignored(trial: Trial) -> str | None:
    return _again_after(trial, Answer(400, b'{"status":"IGNORED"}'))


@check("push-again-not-json", "After what is no JSON, or is empty, the push comes again", *_PUSHED, sends=_ONE)
def _push_again_not_json(trial: Trial) -> str | None:
    return _again_after(trial, Answer(body=b"<html>SUCCESS</html>"), Answer(body=b""), Answer(204, b""))


@check("push-again-201", "After HTTP 201 or 204, which are not 200, the push comes again", *_PUSHED, sends=_ONE)
def _push_again_201(trial: Trial) -> str | None:
    return _again_after(trial, Answer(201, b'{"status":"ERROR"}'), Answer(204, b""))


@check("push-again-silent", "After no answer in time the push comes again", *_PUSHED, sends=_ONE)
def _push_again_silent(trial: Trial) -> str | None:
    within = _SILENT_FOR * trial.settings.retry
    # Silent for longer than is waited for, yet not for ever: what makes SMS come may wait for the push.
    inbox = trial.inbox(trial.buy(), Answer(closes=True, waits=2 * within), SUCCESS)
    trial.send(inbox)
    trial.pushed(inbox)
    first, again, *_ = trial.pushed(inbox, 2, within)
    return f"{again.at - first.at:.1f} s apart"


@check("push-again-closed", "After a closed connection the push comes again", *_PUSHED, sends=_ONE)
def _push_again_closed(trial: Trial) -> str | None:
    return _again_after(trial, Answer(closes=True))


@check("push-again-later", "It comes again and again, five times if need be", *_PUSHED, sends=_ONE)
def _push_again_later(trial: Trial) -> str | None:
    return _again_after(trial, *[Answer(503, b'{"status":"ERROR"}')] * 5)


def _again_after(trial: Trial, *refusals: Answer) -> str:
    """Refuse a push so, a single refusal twice; return how far apart the attempts were."""
    refusals = refusals if len(refusals) > 1 else refusals * 2
    attempts = len(refusals) + 1
    inbox = trial.inbox(trial.buy(), *refusals, SUCCESS)
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


@check(
    "push-same",
    "Each attempt is the same push, smsId, headers and all, whatever else comes",
    *_PUSHED,
    sends="GET_NUMBER, two SMS, finish 5",
)
def _push_same(trial: Trial) -> str | None:
    bought = trial.buy()
    inbox = trial.inbox(bought, _NOT_NOW, _NOT_NOW, SUCCESS)
    trial.send(inbox)
    trial.pushed(inbox)
    trial.send(trial.inbox(bought))
    first, *others = trial.pushed(inbox, 3, 4 * trial.settings.retry)
    for other in others:
        expect(same(other.field("smsId"), first.field("smsId")), "smsId is another one on the next attempt.")
        expect(other.body == first.body or _spelled(other) == _spelled(first), "The body is another one on the next.")
        for rule, header in _HEADERS.items():
            said, at_first = (push.headers.get(header, "").strip() for push in (other, first))
            # Which program pushes may change, but not that it says so.
            is_same = bool(said) == bool(at_first) if header == "user-agent" else said == at_first
            expect(rule not in trial.hub.rules or is_same, f"{header} is another one on the next attempt.")
    return None


def _spelled(push: Push) -> str:
    # In Python, though not in JSON, 0 is equal to 0.0 and false.
    return json.dumps(push.json, sort_keys=True)


@check(
    "push-new-id",
    "Each SMS has an smsId of its own, and waits for no other",
    *_PUSHED,
    sends="GET_NUMBER, two SMS, GET_NUMBER, an SMS, finish 5 of both",
)
def _push_new_id(trial: Trial) -> str | None:
    bought = trial.buy()
    first, usual = _arrival(trial, trial.inbox(bought, _NOT_NOW))
    ids = [first.field("smsId")]
    for inbox in (trial.inbox(bought), trial.inbox(trial.buy(bought.offer))):
        push, took = _arrival(trial, inbox)
        late = took - usual
        expect(late <= trial.settings.grace, f"An SMS came {late:.1f} s later than one before it that was not taken.")
        ids.append(push.field("smsId"))
    expect(len({*map(str, ids)}) == len(ids), f"Three SMS have the smsIds {', '.join(map(repr, ids))}.")
    return None


@check("push-after-finish", "After FINISH a push never comes again", *_PUSHED, sends=_ONE)
def _push_after_finish(trial: Trial) -> str | None:
    _ended_by(trial, RETURNED)
    return None


@check(
    "push-after-outcomes",
    "After FINISH with any other outcome a push never comes again either",
    *_PUSHED,
    Need.DESTRUCTIVE,
    sends="GET_NUMBER, an SMS, finish, for each outcome but 5: uses numbers up",
)
def _push_after_outcomes(trial: Trial) -> str | None:
    _ended_by(trial, *(outcome for outcome in trial.hub.outcomes if outcome != RETURNED))
    return None


def _ended_by(trial: Trial, *outcomes: int) -> None:
    settings = trial.settings
    offer = trial.offers()[0]
    ended: list[tuple[int, Inbox, float]] = []
    for outcome in outcomes:
        bought = trial.buy(offer)
        inbox = trial.inbox(bought, _NOT_NOW)
        trial.send(inbox)
        trial.pushed(inbox)
        successful(trial.finish(bought.activation_id, outcome), f"FINISH_ACTIVATION {outcome}")
        ended.append((outcome, inbox, trial.now()))
    trial.sleep(settings.grace + settings.watch * settings.retry)
    for outcome, inbox, at in ended:
        late = next((push.at - at for push in inbox.pushes if push.at > at + settings.grace), None)
        expect(
            late is None,
            f"A push came {late or 0:.1f} s after FINISH {outcome} was answered; what is under way may for {settings.grace:g} s.",
        )


@check(
    "lives-on",
    "Nothing but the hub's FINISH ends an activation: after an accepted SMS the number is held, and the next SMS is pushed",
    *_PUSHED,
    sends="GET_NUMBER, an SMS, GET_NUMBER, an SMS, finish 5",
)
def _lives_on(trial: Trial) -> str | None:
    bought = trial.buy(_apart(trial))
    inbox = trial.inbox(bought)
    trial.send(inbox)
    trial.pushed(inbox)
    still_held(trial, bought, "An SMS was accepted", most=1)
    return None


def _apart(trial: Trial) -> Offer:
    """Return what no other check with pushes buys of, if there are enough of it: else one of these buys what is free too early."""
    offers = trial.offers()
    return next((offer for offer in reversed(offers) if offer.count >= _APART), offers[0])


@check(
    "outlives",
    "Nothing but the hub's FINISH ends an activation: the number is held, and a late SMS is pushed, too",
    *_PUSHED,
    Need.PATIENCE,
    sends="GET_NUMBER, after PATIENCE minutes GET_NUMBER and an SMS, finish 5",
)
def _outlives(trial: Trial) -> str | None:
    age, longest = trial.settings.outlive or 0.0, trial.hub.lasts
    if longest is not None and age >= longest:
        raise NotRun(f"An activation ends after {longest / 60:g} minutes here: PATIENCE is to be less.")
    bought = trial.buy(_apart(trial))
    inbox = trial.inbox(bought)
    trial.sleep(age)
    not_sold_again(trial, bought, f"It was held for {age:g} s", most=1)
    trial.send(inbox)
    trial.pushed(inbox)
    successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
    return None


@check(
    OVER,
    "An SMS that was accepted is not pushed again, however much later",
    *_PUSHED,
    sends="nothing: looks at what was pushed",
)
def _push_over(trial: Trial) -> str | None:
    if not trial.has_ended:
        raise NotRun("No check had a push that was accepted.")
    late = [push for push, was_accepted in trial.late() if was_accepted]
    expect(not late, f"{len(late)} pushes came of SMS that had been accepted, long after FINISH, too.")
    return None


@check(
    STRANGERS,
    "Nothing is pushed that isn't the hub's: no SMS of a number that it never had, none that comes after FINISH",
    Need.PUSH,
    sends="nothing: looks at what was pushed; with SMS: GET_NUMBER, finish 5, an SMS",
)
def _push_strangers(trial: Trial) -> str | None:
    strangers = trial.strangers()
    expect(not strangers, f"Of what was pushed {len(strangers)} named no number that was sold here.")
    late = [push for push, was_accepted in trial.late() if not was_accepted]
    expect(not late, f"{len(late)} pushes came long after FINISH of SMS that were not accepted before.")
    if trial.settings.sms:
        bought = trial.buy()
        successful(trial.finish(bought.activation_id, RETURNED), "FINISH_ACTIVATION 5")
        inbox = trial.inbox(bought)
        trial.send(inbox)
        is_pushed = trial.is_pushed(inbox, trial.settings.grace)
        expect(not is_pushed, f"An SMS to {bought.phone} was pushed that came after FINISH.")
    return None
