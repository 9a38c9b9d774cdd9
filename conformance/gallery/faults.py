"""Wrong suppliers, one small fault each, with the checks that catch it at each hub; and right ones that are odd."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.gallery.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fault:
    """`ways` are what it does, `believes` the fields of the hub that it has got wrong. `caught` has the checks that fail, by hub."""

    title: str
    caught: Mapping[str, frozenset[str]]
    ways: Ways = field(default_factory=Ways)
    believes: Mapping[str, Any] = field(default_factory=dict)


def _fault(title: str, caught: Mapping[str, str], ways: Ways | None = None, **believes: Any) -> Fault:
    return Fault(title, {hub: frozenset(checks.split()) for hub, checks in caught.items()}, ways or Ways(), believes)


_AGAIN_UNLESS_200 = "push-again-201 push-again-400 push-again-500 push-again-closed push-again-ignored push-again-later"
_AGAIN = "push-again-400 push-again-500 push-again-closed push-again-error push-again-later push-again-not-json"

FAULTS = (
    # Counts.
    _fault("shows more than can be bought", {"smshub": "counts-sold"}, Ways(overstates=3)),
    _fault("shows more than it can sell at a time", {"smshub": "counts-sold"}, Ways(sells_at_once=7)),
    _fault("shows numbers still that are sold", {"smshub": "counts-follow counts-sold"}, Ways(keeps_sold=True)),
    _fault("counts are strings", {"herosms": "counts-whole"}, Ways(count=str)),
    _fault("counts are no whole numbers", {"smshub": "counts-whole"}, Ways(count=float)),
    _fault("counts without status", {"smshub": "accept-header counts-form gzip-request"}, Ways(counts_status=None)),
    _fault("counts say OK", {"smshub": "accept-header counts-form gzip-request"}, Ways(counts_status="OK")),
    _fault("`any` beside other operators", {"smshub": "counts-any"}, any_operator="beside"),
    _fault("an empty `any` beside other operators", {"smshub": "counts-any"}, Ways(empty_any=True)),
    _fault("no `any` beside other operators", {"onlinesim": "counts-any"}, any_operator="unsaid"),
    _fault("operators where only `any` is known", {"grizzly": "counts-any"}, any_operator="unsaid"),
    _fault("a list of countries where a map is asked for", {"herosms": "counts-form"}, counts_form="countryList"),
    _fault("a map where a list of countries is asked for", {"smshub": "counts-form"}, counts_form="countMap"),
    _fault("knows no GET_COUNT", {"herosms": "counts-form"}, counts_action="GET_SERVICES"),
    # Numbers.
    _fault("number as a string", {"smshub": "number-type"}, number=(str,)),
    _fault("number as a number", {"seed": "number-type"}, number=(int,)),
    _fault("number with +", {"smshub": "number-type"}, Ways(plus=True)),
    _fault(
        "number without the country's code",
        {
            "smshub": "excluded-number excluded-prefix number-type push-content",
            "seed": "excluded-number get-method getsms-messages number-type push-content",
        },
        Ways(national=("england", "russia")),
    ),
    _fault(
        "numbers of one country lack its code",
        {"onlinesim": "excluded-number excluded-prefix number-type"},
        Ways(national=("russia",)),
    ),
    _fault("lacks call and voice", {"seed": "number-extras"}, Ways(extras=False)),
    _fault("lacks flashcall and voice", {"grizzly": "number-extras"}, Ways(extras=False)),
    _fault("lacks supported", {"herosms": "number-extras"}, Ways(extras=False)),
    _fault("activationId as a string", {"smshub": "activation-id"}, Ways(activation_id=str)),
    _fault("activationId as a float", {"smshub": "activation-id"}, Ways(activation_id=float)),
    _fault("activationId beyond 64 bits", {"grizzly": "activation-id"}, Ways(first_activation=2**70)),
    _fault("an activationId comes again", {"smshub": "activation-id finish-stale"}, Ways(ids_come_again=True)),
    _fault(
        "gives live numbers when it is sold out",
        {
            "grizzly": "bad-key finish-foreign finish-stale finish-strange-outcome never-twice never-twice-key never-twice-service"
        },
        Ways(sells_out=False),
    ),
    _fault("gives a live number when many are live", {"smshub": "at-once never-twice"}, Ways(overflows_at=7)),
    _fault("sells a number of `any` of its operator, too", {"onlinesim": "never-twice"}, Ways(apart="any")),
    _fault(
        "sells a number for another service, too",
        {"smshub": "never-twice-service"},
        Ways(apart="service"),
    ),
    _fault(
        "sells a number to another hub, too",
        {"seed": "never-twice-key"},
        Ways(apart="key"),
    ),
    _fault(
        "gives numbers of any operator",
        {"smshub": "operator-meant unknown-place"},
        Ways(mixes_operators=True),
    ),
    _fault("takes an unknown country for another", {"herosms": "unknown-place"}, Ways(guesses=("country",))),
    _fault("takes an unknown operator for another", {"smsbower": "unknown-place"}, Ways(guesses=("operator",))),
    _fault("takes an unknown service for another", {"grizzly": "unknown-place"}, Ways(guesses=("service",))),
    _fault("nobody wins a race", {"onlinesim": "at-once"}, Ways(losers="all")),
    _fault(
        "a race gives a number twice",
        {"onlinesim": "at-once"},
        Ways(losers="both", numbers_of_each=2),
    ),
    _fault("losers of a race get 500", {"smshub": "at-once"}, Ways(losers="500", numbers_of_each=2)),
    _fault("NO_NUMBERS with 404", {"onlinesim": "at-once no-numbers"}, Ways(nothing_status=404)),
    _fault(
        "ERROR for NO_NUMBERS",
        {
            "smshub": "bad-key cancel-limit excluded-number excluded-prefix finish-foreign finish-stale finish-strange-outcome never-twice never-twice-service no-numbers operator-meant prohibited-gone sold-gone"
        },
        Ways(nothing="ERROR"),
    ),
    _fault(
        "takes prefixes for whole numbers",
        {"smsbower": "excluded-prefix"},
        Ways(excludes="whole numbers"),
    ),
    _fault(
        "ignores prefixes",
        {"smshub": "excluded-number excluded-prefix"},
        Ways(excludes="never"),
    ),
    _fault("minds the first twenty prefixes only", {"smshub": "excluded-number"}, Ways(minds=20)),
    _fault("minds the first three numbers only", {"seed": "excluded-number"}, Ways(minds=3)),
    _fault("takes prefixes for parts of numbers", {"grizzly": "excluded-prefix"}, Ways(excludes="parts")),
    _fault(
        "excludes numbers nearby, too",
        {"seed": "excluded-number"},
        Ways(excludes="near ones"),
    ),
    _fault(
        "minds prefixes that are strings", {"onlinesim": "excluded-number excluded-prefix"}, Ways(excludes="strings")
    ),
    _fault("minds long prefixes only", {"smsbower": "excluded-prefix"}, Ways(shortest_prefix=7)),
    _fault("minds no prefix of one digit", {"smsbower": "excluded-prefix"}, Ways(shortest_prefix=2)),
    _fault(
        "prefixes without the country's code", {"smshub": "excluded-number excluded-prefix"}, Ways(excludes="national")
    ),
    _fault(
        "a whole number is no prefix",
        {"smshub": "excluded-number"},
        Ways(excludes="not whole"),
    ),
    _fault("refuses sum", {"herosms": "hints-any-form"}, Ways(refuses={"sum": object})),
    _fault("sells nothing for a low sum", {"seed": "hints hints-any-form"}, Ways(least_sum=1.0)),
    _fault("refuses dollars", {"smshub": "hints hints-any-form"}, Ways(refuses={"currency": 840})),
    _fault("sum must be no string", {"smshub": "hints-any-form"}, Ways(refuses={"sum": str})),
    _fault("sum must be no number", {"seed": "hints-any-form"}, Ways(refuses={"sum": float})),
    # Ends of activations.
    _fault(
        "a repeated finish is an error",
        {"smshub": "finish-outcomes finish-repeated finish-sold finish-stale refund"},
        Ways(finish_again=False),
    ),
    _fault(
        "finishes what it never gave",
        {"herosms": "error-field finish-unknown", "seed": "error-field error-http finish-unknown"},
        Ways(unknown_finish=True),
    ),
    _fault("another key may finish", {"smshub": "finish-foreign"}, Ways(foreign_finish=True)),
    _fault(
        "another key is refused the finish that it makes",
        {"onlinesim": "finish-foreign"},
        Ways(refused_finish_ends=("activation",)),
    ),
    _fault(
        "an unknown key is refused the finish that it makes", {"grizzly": "bad-key"}, Ways(refused_finish_ends=("key",))
    ),
    _fault(
        "an outcome that it refuses ends the activation",
        {"herosms": "finish-strange-outcome"},
        Ways(refused_finish_ends=("field",)),
    ),
    _fault(
        "an old finish again ends what is new",
        {"seed": "finish-stale"},
        Ways(stale_finish_ends=True),
    ),
    _fault(
        "takes any outcome",
        {"smshub": "finish-strange-outcome"},
        Ways(any_outcome=True),
    ),
    _fault(
        "knows no outcome 1", {"smshub": "finish-outcomes prohibited-gone push-after-outcomes"}, Ways(refuses_outcome=1)
    ),
    _fault(
        "knows no outcome 3",
        {"grizzly": "finish-outcomes finish-sold push-after-outcomes sold-gone"},
        Ways(refuses_outcome=3),
    ),
    _fault(
        "knows no outcome 4", {"smshub": "cancel-limit finish-outcomes push-after-outcomes"}, Ways(refuses_outcome=4)
    ),
    _fault("knows no outcome 5", {"smsbower": "finish-repeated"}, Ways(refuses_outcome=5)),
    _fault("knows no outcome 14", {"herosms": "finish-rent"}, Ways(refuses_outcome=14)),
    _fault("refuses a refund after a sale", {"smshub": "refund"}, Ways(refund_after_sale=False)),
    _fault("gives a prohibited number again", {"onlinesim": "prohibited-gone"}, Ways(forgets=(1,))),
    _fault("gives a sold number again", {"grizzly": "sold-gone"}, Ways(forgets=(3,))),
    _fault("gives a cancelled number a fifth time", {"smshub": "cancel-limit"}, Ways(cancels=5)),
    _fault("ends activations by itself", {"smshub": "outlives"}, Ways(lease_s=0.3)),
    _fault("finishes no old activation", {"grizzly": "outlives"}, Ways(finishes_within_s=0.4)),
    # Errors and requests.
    _fault("NO_NUMBERS for an unknown action", {"smshub": "unknown-action"}, Ways(unknown_action="NO_NUMBERS")),
    _fault("shows counts for any key", {"seed": "bad-key missing-field"}, Ways(any_key_for=("GET_SERVICES",))),
    _fault("sells for any key", {"smsbower": "bad-key"}, Ways(any_key_for=("GET_NUMBER",))),
    _fault("finishes for any key", {"onlinesim": "bad-key"}, Ways(any_key_for=("FINISH_ACTIVATION",))),
    _fault("getsms for any key", {"seed": "getsms"}, Ways(any_key_for=("getsms",))),
    _fault("getsms for another key", {"seed": "getsms-foreign"}, Ways(foreign_getsms=True)),
    _fault(
        "error in the wrong field",
        {"smsbower": "error-field", "seed": "bad-key error-field"},
        Ways(error_field="reason"),
    ),
    _fault(
        "errors with 500",
        {
            "smshub": "bad-key error-http finish-foreign finish-strange-outcome finish-unknown unknown-action",
            "seed": "bad-json bad-key error-http finish-foreign finish-strange-outcome finish-unknown getsms getsms-foreign missing-field unknown-action",
        },
        Ways(error_http=500),
    ),
    _fault("errors with 401 where 200 is said", {"smshub": "error-http"}, Ways(error_http=401)),
    _fault(
        "errors with 200 where others are said",
        {
            "seed": "bad-json bad-key error-http finish-foreign finish-unknown getsms getsms-foreign missing-field unknown-action"
        },
        error_http={},
    ),
    _fault("a number of no country", {"seed": "missing-field"}, Ways(may_lack=("country",))),
    _fault("a number of no operator", {"seed": "missing-field"}, Ways(may_lack=("operator",))),
    _fault("a finish without status", {"seed": "missing-field"}, Ways(may_lack=("status",))),
    _fault("refuses a malformed Accept", {"smshub": "accept-header"}, Ways(accept_must_parse=True)),
    _fault(
        "refuses Bearer in FINISH",
        {"onlinesim": "bearer error-http finish-repeated paths"},
        Ways(refuses_bearer_for=("FINISH_ACTIVATION",)),
    ),
    _fault(
        "knows no paths",
        {"onlinesim": "bad-key bearer counts-form error-field error-http finish-unknown paths paths-without-action"},
        Ways(paths=False),
    ),
    _fault("needs action at its paths", {"onlinesim": "paths-without-action"}, Ways(needs_action=True)),
    _fault("reads no GET", {"seed": "get-method"}, Ways(reads_get=False)),
    _fault("reads no exceptionPhoneSet by GET", {"seed": "get-method"}, Ways(query_excludes="never")),
    _fault("refuses exceptionPhoneSet with a comma", {"seed": "get-method"}, Ways(query_excludes="no commas")),
    _fault("refuses exceptionPhoneSet twice", {"seed": "get-method"}, Ways(query_excludes="once")),
    _fault("crashes at bad JSON", {"seed": "bad-json"}, Ways(crashes_at_bad_json=True)),
    _fault("getsms never has messages", {"seed": "getsms-foreign getsms-messages"}, Ways(getsms_messages=False)),
    _fault("knows no getsms", {"seed": "getsms getsms-foreign getsms-messages"}, Ways(getsms=False)),
    # How answers are sent.
    _fault("a slow answer", {"smshub": "answers-in-time"}, Ways(delay_s=1.0, delays=20)),
    _fault("packs nothing", {"smsbower": "gzip"}, Ways(gzip="never")),
    _fault("packs long answers only", {"smsbower": "gzip"}, Ways(gzip="long ones")),
    _fault("packs no errors", {"smsbower": "gzip"}, Ways(gzip="no errors")),
    _fault("packs no sales", {"smsbower": "gzip"}, Ways(gzip="no sales")),
    _fault("packs no NO_NUMBERS", {"smsbower": "gzip"}, Ways(gzip="no NO_NUMBERS")),
    _fault("unpacks no requests", {"smshub": "gzip-request"}, Ways(unpacks_requests=False)),
    _fault("says gzip and doesn't pack", {"smshub": "gzip"}, Ways(gzip="lied")),
    _fault("JSON as text/html", {"onlinesim": "answer-content-type"}, Ways(content_type="text/html; charset=utf-8")),
    _fault("errors as text/html", {"onlinesim": "answer-content-type"}, Ways(content_types={"ERROR": "text/html"})),
    _fault(
        "NO_NUMBERS as text/html",
        {"onlinesim": "answer-content-type"},
        Ways(content_types={"NO_NUMBERS": "text/html"}),
    ),
    _fault("no charset", {"onlinesim": "answer-content-type"}, Ways(content_type="application/json")),
)

PUSH_FAULTS = (
    # When pushes come.
    _fault(
        "pushes nothing",
        {
            "grizzly": f"lives-on outlives push-after-finish push-after-outcomes {_AGAIN} push-again-silent push-at-once push-content push-content-type push-long push-new-id push-plain push-same push-stops push-types push-user-agent push-utf8"
        },
        Ways(pushes=False),
    ),
    _fault("pushes late", {"herosms": "push-at-once"}, Ways(push_delay_s=0.8)),
    _fault("an SMS waits until the one before it is taken", {"smsbower": "push-new-id"}, Ways(waits_its_turn=True)),
    _fault("a later SMS waits for the next try", {"herosms": "push-new-id"}, Ways(later_delay_s=0.2)),
    _fault("pushes twice at the same time", {"smshub": f"{_AGAIN} push-stops push-unpacks-gzip"}, Ways(copies=2)),
    _fault(
        "never tries again",
        {
            "smshub": f"{_AGAIN} push-again-silent push-same",
            "onlinesim": f"{_AGAIN_UNLESS_200} push-again-silent push-same",
        },
        Ways(attempts=1),
    ),
    _fault("tries four times", {"grizzly": "push-again-later"}, Ways(attempts=4)),
    _fault("tries again too early", {"smshub": _AGAIN, "onlinesim": _AGAIN_UNLESS_200}, Ways(pauses=(0.1,))),
    _fault(
        "tries again too late",
        {"smshub": f"{_AGAIN} push-same", "onlinesim": f"{_AGAIN_UNLESS_200} push-same"},
        Ways(pauses=(3,)),
    ),
    _fault("waits longer each time", {"smsbower": _AGAIN}, Ways(pauses=(1, 2, 4, 8))),
    _fault("tries in a burst after a while", {"grizzly": _AGAIN}, Ways(pauses=(1, 0, 0))),
    _fault("tries the last SMS alone again", {"herosms": "push-same"}, Ways(keeps_last=True)),
    _fault("gives up on ERROR", {"smshub": "push-again-error"}, Ways(gives_up_on=("error",))),
    _fault(
        "gives up on HTTP 400",
        {"smshub": "push-again-400", "onlinesim": "push-again-400 push-again-ignored"},
        Ways(gives_up_on=("400",)),
    ),
    _fault(
        "gives up on HTTP 500",
        {
            "smshub": "push-again-500 push-again-later push-same",
            "onlinesim": "push-again-500 push-again-later push-same",
        },
        Ways(gives_up_on=("500",)),
    ),
    _fault("gives up on what isn't JSON", {"smsbower": "push-again-not-json"}, Ways(gives_up_on=("not json",))),
    _fault(
        "gives up on a cut connection",
        {"grizzly": "push-again-closed push-again-silent", "onlinesim": "push-again-closed push-again-silent"},
        Ways(gives_up_on=("cut",)),
    ),
    _fault("waits for ever for an answer", {"smshub": "push-again-silent"}, Ways(push_timeout_s=30.0)),
    _fault("takes any 2xx for HTTP 200", {"onlinesim": "push-again-201"}, Ways(gives_up_on=("201",))),
    _fault("takes an empty answer for SUCCESS", {"seed": "push-again-not-json"}, Ways(gives_up_on=("empty",))),
    _fault(
        "pushes once more after SUCCESS",
        {"smshub": "push-stops push-unpacks-gzip", "onlinesim": "push-200 push-stop-words push-stops"},
        Ways(once_more=1),
    ),
    _fault("pushes once more long after the end", {"smshub": "push-over"}, Ways(echoes_after=3.0)),
    _fault("overhears a later SUCCESS", {"grizzly": "push-stops"}, Ways(once_more=2)),
    _fault("pushes on after FINISH", {"seed": "push-after-finish push-strangers"}, Ways(pushes_after=(5,))),
    _fault("pushes on after FINISH 1", {"onlinesim": "push-after-outcomes"}, Ways(pushes_after=(1,))),
    _fault("pushes on after FINISH 3", {"smshub": "push-after-outcomes"}, Ways(pushes_after=(3,))),
    _fault("pushes on after FINISH 4", {"seed": "push-after-outcomes"}, Ways(pushes_after=(4,))),
    _fault("pushes an SMS that comes after FINISH", {"seed": "push-strangers"}, Ways(remembers=True)),
    _fault("pushes SMS of other hubs' numbers", {"smshub": "push-strangers"}, Ways(tells=True)),
    _fault("ends an activation with its first accepted SMS", {"smshub": "lives-on"}, Ways(ends_when_taken=True)),
    _fault("sells a number again that it pushes for still", {"smshub": "outlives"}, Ways(resells_after_s=0.4)),
    _fault(
        "an old finish again silences what is new",
        {"smshub": "finish-stale"},
        Ways(stale_finish_ends=True, mutes=True),
    ),
    _fault(
        "a finish that it refuses silences the activation",
        {"herosms": "bad-key finish-foreign finish-strange-outcome"},
        Ways(refused_finish_ends=("key", "activation", "field"), mutes=True),
    ),
    _fault("understands no packed SUCCESS", {"smsbower": "push-unpacks-gzip"}, Ways(unpacks=False)),
    _fault("takes HTTP 200 for SUCCESS", {"smshub": "push-again-error push-again-not-json"}, takes_200=True),
    _fault("waits for SUCCESS where HTTP 200 will do", {"onlinesim": "push-200 push-again-400"}, takes_200=False),
    _fault("ignores stop words", {"onlinesim": "push-stop-words"}, Ways(stop_words=False)),
    # What is in pushes.
    _fault("smsId as a string", {"smshub": "push-types"}, sms_id=(str,)),
    _fault("smsId as a number", {"seed": "push-types"}, sms_id=(int,)),
    _fault("smsId as a float", {"grizzly": "push-types"}, Ways(push_fields={"smsId": float})),
    _fault("smsId as true", {"onlinesim": "push-new-id push-types"}, Ways(push_fields={"smsId": bool})),
    _fault("smsId beyond 64 bits", {"herosms": "push-types"}, Ways(first_sms=2**64)),
    _fault("a new smsId with each try", {"herosms": "push-same"}, Ways(sms_ids="each attempt")),
    _fault("one smsId for all", {"grizzly": "push-new-id"}, Ways(sms_ids="all")),
    _fault("smsId counts each activation's SMS", {"smshub": "push-new-id"}, Ways(sms_ids="each of an activation")),
    _fault("phone as a string", {"smshub": "push-types"}, phone=(str,)),
    _fault("phone as a number", {"seed": "getsms-messages push-types"}, phone=(int,)),
    _fault("phone with +", {"seed": "push-content"}, Ways(push_fields={"phone": "+{}"})),
    _fault("phone of another number", {"grizzly": "push-content"}, Ways(push_fields={"phone": 447911000000})),
    _fault("push without phoneFrom", {"smshub": "push-content push-types"}, Ways(push_fields={"phoneFrom": None})),
    _fault(
        "push with phonefrom",
        {"herosms": "push-content push-types"},
        Ways(push_fields={"phoneFrom": None, "phonefrom": "Telegram"}),
    ),
    _fault(
        "push without text",
        {"smshub": "push-content push-long push-same push-types push-utf8"},
        Ways(push_fields={"text": None}),
    ),
    _fault("push without key", {"smsbower": "push-content push-types"}, Ways(push_fields={"key": None})),
    _fault("push without action", {"smshub": "push-content push-types"}, Ways(push_fields={"action": None})),
    _fault("push without call", {"seed": "push-types"}, Ways(push_fields={"call": None})),
    _fault("push has call as false", {"seed": "push-types"}, Ways(push_fields={"call": bool})),
    _fault("push with another hub's key", {"smshub": "push-content"}, Ways(push_fields={"key": "key-of-another-hub"})),
    _fault("push says SMS", {"grizzly": "push-content"}, Ways(push_fields={"action": "SMS"})),
    _fault("push loses letters", {"herosms": "push-long push-utf8"}, Ways(loses=r"[^\x00-\x7f]")),
    _fault("push loses emoji", {"grizzly": "push-utf8"}, Ways(loses=r"[^\x00-\uffff]")),
    _fault("push loses ends of lines", {"onlinesim": "push-utf8"}, Ways(loses=r"\n")),
    _fault("push loses quotes", {"smsbower": "push-utf8"}, Ways(loses='"')),
    _fault("push loses backslashes", {"seed": "push-utf8"}, Ways(loses=r"\\")),
    _fault("push cuts texts at 160 characters", {"onlinesim": "push-long"}, Ways(cuts_at=160)),
    _fault("push cuts texts at 70 characters", {"grizzly": "push-long"}, Ways(cuts_at=70)),
    _fault("a later push lacks the key", {"herosms": "push-same"}, Ways(retry_fields={"key": None})),
    _fault("a later push has smsId as a float", {"smshub": "push-same"}, Ways(retry_fields={"smsId": float})),
    _fault("a later push has call as false", {"seed": "push-same"}, Ways(retry_fields={"call": bool})),
    # Their headers.
    _fault("push without User-Agent", {"onlinesim": "push-user-agent"}, Ways(push_headers={"User-Agent": None})),
    _fault(
        "push as text/plain",
        {"seed": "push-content-type"},
        Ways(push_headers={"Content-Type": "text/plain; charset=utf-8"}),
    ),
    _fault("push takes no gzip", {"herosms": "push-accepts-gzip"}, Ways(push_headers={"Accept-Encoding": None})),
    _fault("push refuses gzip", {"smshub": "push-accepts-gzip"}, Ways(push_headers={"Accept-Encoding": "gzip;q=0"})),
    _fault("push without Bearer", {"onlinesim": "push-bearer"}, Ways(push_headers={"Authorization": None})),
    _fault(
        "packs pushes unasked",
        {"grizzly": "push-plain"},
        Ways(push_gzip=True),
    ),
    _fault("a later push lacks User-Agent", {"smshub": "push-same"}, Ways(retry_headers={"User-Agent": None})),
    _fault("a later push is text/plain", {"grizzly": "push-same"}, Ways(retry_headers={"Content-Type": "text/plain"})),
    _fault(
        "a later push has another Bearer", {"onlinesim": "push-same"}, Ways(retry_headers={"Authorization": "Bearer x"})
    ),
    _fault("a later push takes no gzip", {"smsbower": "push-same"}, Ways(retry_headers={"Accept-Encoding": None})),
)
"""Suppliers that are wrong in pushes alone."""

ODD = {
    "slow, but within limits": Ways(delay_s=0.03, push_delay_s=0.02),
    "lower-case headers": Ways(lower_case_headers=True, push_headers_lower=True),
    "charset in capitals": Ways(
        content_type="Application/JSON;charset=UTF-8",
        push_headers={"Content-Type": "application/json;charset=UTF-8"},
    ),
    "further fields": Ways(more_fields=True),
    "escapes": Ways(escapes=True),
    "large ids": Ways(first_activation=2**64 - 100_000, first_sms=2**64 - 1000),
    "ids from 0 on": Ways(first_activation=0),
    "another hub buys": Ways(rival_buys=4),
    "shows less than it has": Ways(shows_each=2),
    "takes turns": Ways(takes_turns=True),
    "an unknown country is an error": Ways(knows_places=True),
    "never gives a cancelled number again": Ways(gone_after=(4,)),
    "never gives a returned number again": Ways(gone_after=(5,)),
    "keys of a digit or two": Ways(keys=("5", "44")),
    "keys that are escaped": Ways(keys=("a\"b'\\/&?#+ %41", "<é> $(x)")),
}
"""Right for every hub."""

ODD_ANSWERS = {
    "chunked": Ways(chunked=True),
    "in pieces": Ways(pieces=True),
    "HTTP/1.0": Ways(http_1_0=True),
    "closes after each answer": Ways(keep_alive=False),
    "charset in quotes": Ways(content_type='application/json; charset="utf-8"'),
    "indented": Ways(indented=True),
    "fields reversed": Ways(reversed_fields=True),
}
"""Right for every hub, and odd in how answers are sent alone."""

ODD_PUSHES = {
    "chunked pushes": Ways(push_chunked=True),
    "pushes over one connection": Ways(push_keep_alive=True),
    "pushes before the SMS is acknowledged": Ways(sms_delay_s=0.03),
    "a push is under way at FINISH": Ways(crosses_finish=True),
    "an interval begins with the answer": Ways(pauses_after_answer=True),
    "another User-Agent pushes again": Ways(retry_headers={"User-Agent": "supplier/1.1"}),
}
"""Right for every hub, and odd in pushes alone."""

ODD_AT = {
    "seed": {
        "excludes whole numbers only": Ways(excludes="whole numbers"),
        "keys of a digit": Ways(keys=("1", "0")),
    },
    "smshub": {
        "packed pushes": Ways(push_gzip=True),
        "always packed": Ways(gzip="always"),
        "plain": Ways(gzip="never"),
        "packs long answers only": Ways(gzip="long ones"),
        "needs sum and currency": Ways(needs=("sum", "currency")),
    },
    "smsbower": {"packed pushes": Ways(push_gzip=True), "always packed": Ways(gzip="always")},
    "grizzly": {"plain": Ways(gzip="never")},
    "onlinesim": {
        "nothing but its paths": Ways(paths_only=True),
        "needs the Bearer": Ways(needs_bearer=True),
        "keys beyond Latin-1": Ways(keys=("ключ", "клю")),
    },
}
"""Right for a hub, as its document has it."""

MUCH_AT_ONCE = Ways(
    delay_s=0.005,
    chunked=True,
    pieces=True,
    lower_case_headers=True,
    content_type='Application/JSON;charset="UTF-8"',
    indented=True,
    reversed_fields=True,
    escapes=True,
    more_fields=True,
    first_activation=2**53 - 100_000,
    shows_each=2,
    takes_turns=True,
    gone_after=(4,),
    push_headers_lower=True,
    push_chunked=True,
)
"""Much that is odd and right, at once."""
