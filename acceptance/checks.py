"""What is checked of a deployed stack, each by what the outside sees, or by what AWS says of it."""

import gzip
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from acceptance.cloud import NAME
from acceptance.pretend_partner import came_at
from acceptance.trial import Trial, UnexpectedAnswer

JSON = "application/json; charset=utf-8"
_PATHS = ("/SMSBOWER", "/SMSBOWER/", "/api/partner", "/api/partner/")
_SALES, _AT_ONCE, _SMS = 20, 30, 50
_CADENCE, _TOLERANCE = 10.0, 1.0
# No attempt is further off; one that got lost and is made a minute later would be.
_LATEST = 5.0
# How many SMS wait in the outage, and how often their attempts are looked at, of which the last 20 are kept.
_WAITING, _LOOK_EVERY = 10, 120.0
# How long what does not come is waited for.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Finding:
    """What was measured and what was expected; `ok` is None for what the target can't show."""

    measured: str
    expected: str
    ok: bool | None


type Check = Callable[[Trial], Finding]


def signed_in_staff_alone_get_in(trial: Trial) -> Finding:
    """The admin API takes an ID token and nothing else."""

    def refused(token: str | None) -> bool:
        headers = {} if token is None else {"Authorization": token}
        return _is_refusal(trial.http.get("/admin/partners", headers=headers), 401)

    tokens = trial.tokens
    return _all_of(
        {
            "an ID token opens": trial.http.get("/admin/partners", headers={"Authorization": tokens.id}).is_success,
            "no token is 401": refused(None),
            "nonsense is 401": refused("nonsense"),
            "an access token is 401": refused(tokens.access),
        }
    )


def the_console_is_there_with_its_policy(trial: Trial) -> Finding:
    """The page, its policy, and the script that it loads."""
    page = trial.http.get("/console/")
    policy = page.headers.get("content-security-policy", "")
    allowed = {name: rest for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}
    base = re.search(r'<base href="([^"]+)"', page.text)
    script = re.search(r'<script[^>]* src="([^"]+)"', page.text)
    loaded = trial.http.get(urljoin(base[1], script[1])) if base and script else None
    return _all_of(
        {
            "the page is HTML": page.is_success and page.headers["content-type"].startswith("text/html"),
            "nothing but its own runs": allowed.get("default-src") == "'none'"
            and allowed.get("script-src") == "'self'",
            "nobody frames it": allowed.get("frame-ancestors") == "'none'",
            "it may sign in at Cognito": "http" in allowed.get("connect-src", ""),
            "types are not guessed": page.headers.get("x-content-type-options") == "nosniff",
            "its script loads": loaded is not None
            and loaded.is_success
            and loaded.headers["content-type"].startswith("text/javascript"),
        }
    )


def both_paths_answer_by_get_and_post_with_and_without_a_slash(trial: Trial) -> Finding:
    """GET_SERVICES and getsms on every path, at the stack's own domain too."""
    activation_id, _ = trial.buy()
    asked = {"key": trial.key, "action": "GET_SERVICES"}
    polled = {"apiKey": trial.key, "id": str(activation_id)}
    found: dict[str, bool] = {}
    for number, base in enumerate(trial.cloud.bases):
        at = "" if number == 0 else "own domain "
        for path in _PATHS:
            answers = {
                "GET": trial.http.get(base + path, params=asked),
                "POST": trial.http.post(base + path, json=asked),
            }
            for method, answer in answers.items():
                found[f"{at}{method} {path}"] = _is_json(answer, 200) and answer.json()["status"] == "SUCCESS"
            getsms = f"{path.removesuffix('/')}/getsms{path[len(path.removesuffix('/')) :]}"
            answer = trial.http.get(base + getsms, params=polled)
            found[f"{at}GET {getsms}"] = _is_json(answer, 200) and answer.json() == {"status": "WAIT_CODE"}
    return _all_of(found)


def gzip_works_both_ways(trial: Trial) -> Finding:
    """A body is decompressed, and a long answer compressed for who asks."""
    activation_id, phone = trial.buy()
    trial.deliver(phone, trial.clock.now(), padding="long " * 400)
    body = gzip.compress(json.dumps({"key": trial.key, "action": "GET_SERVICES"}).encode())
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    def polled(coding: str) -> httpx.Response:
        asked = {"apiKey": trial.key, "id": str(activation_id)}
        return trial.http.get("/SMSBOWER/getsms/", params=asked, headers={"Accept-Encoding": coding})

    zipped, plain = polled("gzip"), polled("identity")
    return _all_of(
        {
            "a gzip body is read": _is_json(trial.http.post("/SMSBOWER", content=body, headers=packed), 200),
            "a long answer is gzipped": zipped.headers.get("content-encoding") == "gzip",
            "not without asking": "content-encoding" not in plain.headers,
            "it says the same": zipped.json() == plain.json() and plain.json()["status"] == "SUCCESS",
        }
    )


def every_refusal_is_our_json(trial: Trial) -> Finding:
    """What we refuse, and what API Gateway refuses for us."""
    http, key = trial.http, trial.key
    signed_in = {"Authorization": trial.tokens.id}
    wanted = {"key": key, "action": "GET_NUMBER", "country": NAME, "operator": NAME}
    return _all_of(
        {
            "404 unknown path": _is_refusal(http.get("/nothing"), 404),
            "404 other method": _is_refusal(http.patch("/SMSBOWER"), 404),
            "404 admin path": _is_refusal(http.get("/admin/nothing", headers=signed_in), 404),
            "400 no JSON": _is_refusal(http.post("/SMSBOWER", content=b"{"), 400),
            "400 too long": _is_refusal(http.post("/SMSBOWER", content=b" " * 300_000), 400),
            "4xx or 5xx far too long": _is_refusal(http.post("/SMSBOWER", content=b" " * 5_000_000), 400, 413, 500),
            "401 no key": _is_refusal(http.get("/SMSBOWER"), 401, message="Invalid key"),
            "401 wrong key": _is_refusal(http.post("/SMSBOWER", json=wanted | {"key": "nobody.s"}), 401),
            "400 no action": _is_refusal(http.post("/SMSBOWER", json={"key": key}), 400),
            "400 no service": _is_refusal(http.post("/SMSBOWER", json=wanted), 400),
            "403 service of others": _is_refusal(http.post("/SMSBOWER", json=wanted | {"service": "other"}), 403),
            "404 activation": _is_refusal(http.get("/SMSBOWER/getsms", params={"apiKey": key, "id": "1"}), 404),
            "401 unknown source": _is_refusal(http.post("/inbound/nobody", content=b"{}"), 401),
        }
    )


def counts_follow_sales(trial: Trial) -> Finding:
    """How far GET_SERVICES lags behind each of 20 sales."""
    before = trial.settled_count()
    lags = [_lag(trial, before - sold) for sold in range(1, _SALES + 1)]
    most = trial.cloud.expected.counts
    return Finding(f"{max(lags):.1f} s at most", f"<= {most:g} s over {_SALES} sales", max(lags) <= most)


def many_get_number_at_once(trial: Trial) -> Finding:
    """30 GET_NUMBER at once, or as many as the quota leaves: none is refused, and none is slow."""
    calls = min(_AT_ONCE, trial.cloud.calls_at_once())

    def timed(_: int) -> tuple[float, str]:
        began = trial.clock.now()
        try:
            trial.buy()
        except (httpx.HTTPError, UnexpectedAnswer) as error:
            return trial.clock.now() - began, str(error)
        return trial.clock.now() - began, ""

    with ThreadPoolExecutor(calls) as callers:
        if trial.cloud.expected.warm:
            list(callers.map(lambda _: trial.count(), range(calls)))
        answers = list(callers.map(timed, range(calls)))
    slowest, refused = max(seconds for seconds, _ in answers), [error for _, error in answers if error]
    most = trial.cloud.expected.get_number
    measured = f"{calls - len(refused)} of {calls} sold, {slowest:.1f} s at most {'; '.join(sorted(set(refused)))}"
    state = "warm" if trial.cloud.expected.warm else "cold"
    return Finding(measured.strip(), f"all, <= {most:g} s {state}", not refused and slowest <= most)


def an_sms_is_pushed_at_once(trial: Trial) -> Finding:
    """From an SMS coming in to its push reaching the partner."""
    activation_id, phone = trial.buy()
    ahead = _partners_clock(trial)
    sent = [trial.deliver(phone, 0, padding=f"{number} ") for number in range(_SMS)]
    messages = trial.until(lambda: trial.messages(activation_id), _all_delivered(_SMS), _PATIENCE, every=1.0)
    first = {int(sms["text"].partition(" ")[0]): _came(sms["attemptLog"][:1]) for sms in messages}
    took = [came[1] - ahead - sent[number] for number, came in first.items() if came]
    expected = trial.cloud.expected
    limits = f"p50 <= {expected.push_p50:g} s, p99 <= {expected.push_p99:g} s"
    if len(took) < _SMS:
        return Finding(f"{len(took)} of {_SMS} SMS pushed within {_PATIENCE:g} s", limits, ok=False)
    p50, p99 = _percentile(took, 50), _percentile(took, 99)
    ok = p50 <= expected.push_p50 and p99 <= expected.push_p99
    return Finding(f"p50 {p50:.2f} s, p99 {p99:.2f} s of {_SMS} SMS", limits, ok)


def an_outage_keeps_its_cadence(seconds: float) -> Check:
    """Return the check of so long an outage: attempts every 10 s, and a delivery soon after its end."""

    def check(trial: Trial) -> Finding:
        """Attempts every 10 s while the partner says ERROR, then a delivery."""
        stated = trial.cloud.parameters
        ends_after = [
            60 * int(stated[name]) for name in ("PushMaxAgeMinutes", "ActivationMinutes") if int(stated[name])
        ]
        if min(ends_after) < seconds + _PATIENCE:
            return Finding(f"not here: pushes end after {min(ends_after)} s", "-", ok=None)
        ends = trial.clock.now() + seconds
        taken_from = ends + _partners_clock(trial)
        activations = [trial.buy() for _ in range(_WAITING)]
        for _, phone in activations:
            trial.deliver(phone, taken_from)
        attempts: dict[int, dict[int, float]] = {activation_id: {} for activation_id, _ in activations}
        open_ = set(attempts)
        while open_ and trial.clock.now() < ends + _PATIENCE:
            left = max(ends - trial.clock.now(), 1.0)
            trial.clock.sleep(min(_LOOK_EVERY, left))
            for activation_id in list(open_):
                messages = trial.messages(activation_id)
                for sms in messages:
                    attempts[activation_id] |= _came(sms["attemptLog"])
                if _all_delivered(1)(messages):
                    open_.discard(activation_id)
        return _cadence(list(attempts.values()), taken_from, seconds, len(open_))

    return check


def nothing_was_dead_lettered(trial: Trial) -> Finding:
    """What could not be processed while the check ran."""
    more = trial.cloud.dead_letters() - trial.dead_letters
    return Finding(f"{more} more", "none", more == 0)


def aws_dropped_nothing_as_a_loop(trial: Trial) -> Finding:
    """Retries go round in a circle, which Lambda ends unless it is told to allow it."""
    dropped = trial.cloud.dropped_recursions(trial.began)
    return _not_here() if dropped is None else Finding(f"{dropped} dropped", "none", dropped == 0)


def no_key_is_in_a_trace(trial: Trial) -> Finding:
    """Where traces are made, they hold no key."""
    traces = trial.cloud.traces(trial.key, trial.began)
    if traces is None:
        return _not_here()
    return Finding(f"in {traces.with_key} of {traces.found} traces", "in none", traces.with_key == 0)


def alarms_reach_somebody(trial: Trial) -> Finding:
    """Every alarm tells the topic, and somebody has confirmed to be told by it."""
    receivers = trial.cloud.receivers()
    if receivers is None:
        return _not_here()
    silent = f", silent: {', '.join(receivers.silent_alarms)}" if receivers.silent_alarms else ""
    ok = receivers.confirmed > 0 and not receivers.silent_alarms
    return Finding(f"{receivers.confirmed} confirmed{silent}", "at least 1, none silent (ALARM_EMAIL=)", ok)


def the_quotas_suffice(trial: Trial) -> Finding:
    """What the account may do in the region carries what the stack states."""
    quotas = trial.cloud.quotas()
    if quotas is None:
        return _not_here()
    measured = f"{quotas.executions} executions at a time, {quotas.requests} requests a second"
    return Finding(measured, "as many as the stack needs: docs/runbook.md", quotas.enough)


def checks(outage_seconds: float) -> Mapping[str, Check]:
    """Return all checks by what they say, in the order in which they are made."""
    return {
        "signed-in staff alone get in": signed_in_staff_alone_get_in,
        "the console is there, with its policy": the_console_is_there_with_its_policy,
        "both paths, GET and POST, with and without slash": both_paths_answer_by_get_and_post_with_and_without_a_slash,
        "gzip both ways": gzip_works_both_ways,
        "every refusal is our JSON": every_refusal_is_our_json,
        "counts follow sales": counts_follow_sales,
        f"{_AT_ONCE} GET_NUMBER at once": many_get_number_at_once,
        "an SMS is pushed at once": an_sms_is_pushed_at_once,
        f"an outage of {outage_seconds:g} s keeps its cadence": an_outage_keeps_its_cadence(outage_seconds),
        "no dead letters": nothing_was_dead_lettered,
        "no retries dropped as a loop": aws_dropped_nothing_as_a_loop,
        "no key in traces": no_key_is_in_a_trace,
        "alarms reach somebody": alarms_reach_somebody,
        "quotas suffice": the_quotas_suffice,
    }


def _all_of(found: Mapping[str, bool]) -> Finding:
    wrong = [what for what, holds in found.items() if not holds]
    measured = f"{len(found) - len(wrong)} of {len(found)}{'; not: ' if wrong else ''}{', '.join(wrong)}"
    return Finding(measured, "all", not wrong)


def _lag(trial: Trial, wanted: int) -> float:
    """Return how long after a sale GET_SERVICES says so many numbers (s); infinity when it doesn't."""
    trial.buy()
    began = trial.clock.now()
    seen = trial.until(trial.count, lambda count: count == wanted, _PATIENCE)
    return trial.clock.now() - began if seen == wanted else math.inf


def _not_here() -> Finding:
    return Finding("not here", "-", ok=None)


def _is_json(answer: httpx.Response, *statuses: int) -> bool:
    if answer.status_code not in statuses or answer.headers.get("content-type") != JSON:
        return False
    try:
        return isinstance(answer.json(), dict)
    except ValueError:
        return False


def _is_refusal(answer: httpx.Response, *statuses: int, message: str | None = None) -> bool:
    if not _is_json(answer, *statuses):
        return False
    said = answer.json()
    return said.keys() == {"status", "message"} and said["status"] == "ERROR" and message in {None, said["message"]}


def _partners_clock(trial: Trial) -> float:
    """Return how far the pretend partner's clock is ahead of ours (s), by the quickest of a few requests."""
    asked = []
    for _ in range(5):
        began = trial.clock.now()
        came = came_at(trial.http.post(trial.push_url, json={}).text)
        ended = trial.clock.now()
        asked.append((ended - began, came - (began + ended) / 2))
    return min(asked)[1]


def _all_delivered(count: int) -> Callable[[Sequence[Mapping[str, Any]]], bool]:
    return lambda messages: [sms["pushState"] for sms in messages] == ["delivered"] * count


def _came(attempts: Iterable[Mapping[str, Any]]) -> dict[int, float]:
    """Return when each attempt that reached the partner did, by its number (s since 1970, by the partner's clock)."""
    came = {}
    for attempt in attempts:
        try:
            came[attempt["number"]] = came_at(attempt["answer"] or "")
        except ValueError:
            continue
    return came


def _cadence(sms: Sequence[Mapping[int, float]], taken_from: float, seconds: float, undelivered: int) -> Finding:
    """Judge the attempts of each SMS, by number."""
    gaps = sorted(
        abs(came[later] - came[earlier] - _CADENCE)
        for came in sms
        for earlier, later in itertools.pairwise(sorted(came))
        if later == earlier + 1
    )
    fewest = min((len(came) for came in sms), default=0)
    least = math.floor(seconds / (_CADENCE + _TOLERANCE))
    ends = [max(came.values(), default=math.inf) - taken_from for came in sms]
    p99, latest = _percentile(gaps, 99) if gaps else math.inf, max(ends)
    most = gaps[-1] if gaps else math.inf
    in_time = p99 <= _TOLERANCE and most <= _LATEST
    ok = not undelivered and fewest >= least and in_time and 0 <= latest <= _CADENCE + _TOLERANCE
    return Finding(
        f"off by p99 {p99:.2f} s, {most:.2f} s at most; {fewest} attempts or more; "
        f"{len(sms) - undelivered} of {len(sms)} SMS delivered, {latest:.1f} s after its end at most",
        f"±{_TOLERANCE:g} s (p99), ±{_LATEST:g} s, {least} or more, all, within {_CADENCE + _TOLERANCE:g} s",
        ok,
    )


def _percentile(values: Iterable[float], share: int) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]
