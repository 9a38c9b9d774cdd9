"""What each hub wants of a supplier, as its own documents say it, or what others that serve it are seen to do.

Nothing here comes from the supplier that is tested. How a hub corrects a rule is in conformance/README.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

type Spelling = type[str | int]

_PLAIN = {
    "Content-Type": "application/json; charset=utf-8",
    "Accept": "*/*",
    "Accept-Encoding": "gzip",
    "User-Agent": "conformance/1",
}

# Below the supplier's URL, for a hub that has one for each action.
PATHS = {
    "GET_SERVICES": "/getServices",
    "GET_NUMBER": "/getNumber",
    "FINISH_ACTIVATION": "/finishActivation",
}

# Fewer required checks than this say too little to certify anything.
ENOUGH = 5


class Level(StrEnum):
    """How sure a rule is: the hub's own document says it, it was seen in its traffic or in code that serves it, or it is what its
    relatives want.
    """

    REQUIRED = "required"
    OBSERVED = "observed"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Basis:
    """Why a rule holds for a hub: how sure it is, and where it stands."""

    level: Level
    clause: str


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub's protocol where hubs differ.

    `counts_action` asks for counts, whose form `counts_form` names. `any_operator`: whether counts list the sum of a country's
    operators under `any`: beside the others, alone, alone or not at all (`split`), or nothing is said of it. `number`, `phone`
    and `sms_id` are the JSON types of a GET_NUMBER's answer and of pushes, `number_extras` and `push_extras` constant
    further fields of them. `error_field` has the text of an error, `error_http` the HTTP status of an error by what is
    wrong; without an entry it is 200. `prefixes` is how the hub spells what it excludes; `excludes_prefixes` is false where
    only whole numbers are meant. `hints` are the further fields that its GET_NUMBER may have, the first of them in each
    request, which decide nothing where they are `hints_only_inform`; `finish_extras` are those of FINISH_ACTIVATION,
    `headers` those of every request. `tolerates_plain` tells that answers may lack the gzip that it asks for, `paths` that
    it asks at a path for each action. A push is done by a `SUCCESS` in the body, or by any HTTP 200
    (`takes_200`), or never tried again after one of `stop_words`. `raced` is the country, operator and service of which
    its test buys at once. `outcomes` end an activation, and so do `outcomes_of_rent`. `cancel_limit` is how often in all a
    number is given for a service that is cancelled each time. `asks_counts_every` is in seconds, and so is `answers_within`,
    None where no document says; answers to what is `untimed` may take longer.
    `answers_say_charset` and `pushes_say_charset`: their Content-Type must have it, not only no other one.
    `lasts` is how many seconds an activation lasts, None where FINISH alone ends it or nothing is said.
    `rules` are the checks that are made of its suppliers, by name, each with its basis.
    """

    name: str
    title: str
    document: str
    rules: Mapping[str, Basis]
    counts_action: str = "GET_SERVICES"
    counts_form: str = "countryList"
    any_operator: str = "unsaid"
    number: tuple[Spelling, ...] = (int,)
    phone: tuple[Spelling, ...] = (int,)
    sms_id: tuple[Spelling, ...] = (int,)
    number_extras: Mapping[str, object] = field(default_factory=dict)
    push_extras: Mapping[str, object] = field(default_factory=dict)
    error_field: str = "error"
    error_http: Mapping[str, int] = field(default_factory=dict)
    prefixes: Spelling = str
    excludes_prefixes: bool = True
    hints: tuple[Mapping[str, object], ...] = ({},)
    hints_only_inform: bool = False
    finish_extras: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: _PLAIN)
    tolerates_plain: bool = False
    paths: bool = False
    takes_200: bool = False
    stop_words: tuple[str, ...] = ()
    raced: tuple[str, str, str] | None = None
    outcomes: tuple[int, ...] = (1, 3, 4, 5)
    outcomes_of_rent: tuple[int, ...] = ()
    cancel_limit: int | None = None
    lasts: float | None = None
    asks_counts_every: float = 20.0
    answers_within: float | None = None
    untimed: tuple[str, ...] = ()
    answers_say_charset: bool = False
    pushes_say_charset: bool = False

    def headers_with(self, key: str) -> dict[str, str]:
        """Return the headers of a request with a key, which some hubs send in a Bearer, too."""
        return {**self.headers, **({"Authorization": f"Bearer {key}"} if "bearer" in self.rules else {})}


_BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)


def _required(clause: str) -> Basis:
    return Basis(Level.REQUIRED, clause)


def _observed(clause: str) -> Basis:
    return Basis(Level.OBSERVED, clause)


def _assumed(clause: str = "no document says it; its relatives want it") -> Basis:
    return Basis(Level.ASSUMED, clause)


# What every hub's suppliers are asked, where nothing better is known.
_RELATIVES = {
    name: _assumed()
    for name in (
        *(
            "counts-form",
            "counts-whole",
            "counts-sold",
            "counts-follow",
            "answer-content-type",
            "number-type",
            "activation-id",
            "no-numbers",
            "unknown-place",
            "never-twice",
            "never-twice-service",
            "never-twice-key",
        ),
        *("at-once", "excluded-number", "hints-any-form", "finish-repeated", "finish-stale", "finish-outcomes"),
        *("finish-sold", "finish-unknown", "finish-foreign", "finish-strange-outcome", "prohibited-gone", "sold-gone"),
        *("bad-key", "error-field", "error-http", "unknown-action"),
        *("push-at-once", "push-types", "push-content", "push-utf8", "push-long", "push-content-type", "push-same"),
        *("push-new-id", "push-again-silent", "push-stops", "push-over", "push-after-finish"),
        *("push-after-outcomes", "push-strangers", "lives-on", "outlives"),
    )
}


def _again(basis: Basis, *names: str) -> Mapping[str, Basis]:
    """Return what follows from a hub's rule for when a push is to come again: after these, and each of these."""
    return dict.fromkeys(("push-again-500", "push-again-400", "push-again-closed", "push-again-later", *names), basis)


def _unless_success(basis: Basis) -> Mapping[str, Basis]:
    """Return what follows from that only SUCCESS in the body ends a push."""
    return _again(basis, "push-again-error", "push-again-not-json")


_PLAIN_PUSHES = _assumed("it speaks of no gzip")
# Of hubs that know more operators than `any`.
_SPLIT = {"operator-meant": _assumed()}

SEED = Hub(
    "seed",
    "the partner API that GlobalConnect began with",
    "Integrate your platform with GlobalConnect (partner API), whole",
    {
        **_RELATIVES,
        **_unless_success(_required("PUSH_SMS: any other response (or a network error) … retry every 10 seconds")),
        **_SPLIT,
        "counts-form": _required("GET_SERVICES: countryList, country, operatorMap"),
        "counts-whole": _required("GET_SERVICES: the numbers represent how many phone numbers are available"),
        "counts-sold": _required(
            "GET_SERVICES: … how many phone numbers are currently available for that service code"
        ),
        "counts-follow": _required("GET_SERVICES: … how many phone numbers are currently available"),
        "get-method": _required("It accepts both GET and POST requests … all parameters as query-string fields"),
        "number-type": _required('GET_NUMBER: "number": "447472190082", without leading +'),
        "number-extras": _required('GET_NUMBER: "call": 0, "voice": 0'),
        "activation-id": _required("GET_NUMBER: activationId, ulong"),
        "no-numbers": _required("Errors: 200 NO_NUMBERS"),
        "never-twice": _required("GET_NUMBER: the number is reserved for your activation session"),
        "never-twice-service": _required(
            "GET_NUMBER: … reserved for your activation session; a push names its phone alone"
        ),
        "never-twice-key": _required("GET_NUMBER: the number is reserved for your activation session"),
        "excluded-number": _required("GET_NUMBER: exceptionPhoneSet, phone numbers to exclude from the result"),
        "hints": _required("GET_NUMBER: sum, a price hint (informational only), not required"),
        "finish-outcomes": _required("Status codes 1, 3, 4, 5"),
        "finish-sold": _required("Status codes: 3"),
        "finish-unknown": _required("Errors: 404, activation not found"),
        "finish-foreign": _required("Errors: 404, activation does not belong to this key"),
        "cancel-limit": _required("Status codes, 4: canceled 5 or more times … not issued again for that service"),
        "prohibited-gone": _required("Status codes, 1: issuing a number for this service is prohibited"),
        "bad-key": _required('401 {"status":"ERROR","message":"Invalid key"}'),
        "error-field": _required('Errors: {"status":"ERROR","message":…}'),
        "error-http": _required("Errors: 404 activation not found"),
        "unknown-action": _required("Errors: 400 unknown action"),
        "bad-json": _required("Errors: 400 invalid JSON"),
        "missing-field": _required("Errors: 400 missing required field"),
        "getsms": _required("getsms: WAIT_CODE; errors: 401, 404"),
        "getsms-messages": _required("getsms: messages, receivedAt"),
        "getsms-foreign": _required("Errors: 404, activation does not belong to this key"),
        "push-at-once": _required("PUSH_SMS: immediately after receiving it"),
        "push-types": _required("PUSH_SMS: the table of fields"),
        "push-content": _required("PUSH_SMS: the table of fields"),
        "push-content-type": _required("PUSH_SMS: as application/json; charset=utf-8"),
        "push-utf8": _required("PUSH_SMS: as application/json; charset=utf-8"),
        "push-plain": _PLAIN_PUSHES,
        "push-again-later": _required("PUSH_SMS: continues to retry regardless of how many attempts have been made"),
        "push-same": _required("PUSH_SMS: smsId, unique SMS record identifier"),
        "push-new-id": _required("PUSH_SMS: every incoming SMS … immediately; smsId, unique SMS record identifier"),
        "push-stops": _required("PUSH_SMS: marked as delivered and no further attempts are made"),
        "push-over": _required("PUSH_SMS: marked as delivered and no further attempts are made"),
        "push-after-finish": _required("PUSH_SMS: retries stop as soon as … 1, 3, 4 or 5"),
        "push-after-outcomes": _required("PUSH_SMS: retries stop as soon as … 1, 3, 4 or 5"),
        "lives-on": _required("GET_NUMBER: remains valid for 60 minutes; PUSH_SMS: every incoming SMS"),
        "outlives": _required("GET_NUMBER: remains valid for 60 minutes"),
    },
    number=(str,),
    phone=(str,),
    sms_id=(str,),
    number_extras={"call": 0, "voice": 0},
    push_extras={"call": 0, "voice": 0},
    error_field="message",
    error_http={"key": 401, "action": 400, "json": 400, "field": 400, "activation": 404},
    excludes_prefixes=False,
    hints=({"sum": "20.00"}, {"sum": "0.01"}, {}),
    hints_only_inform=True,
    cancel_limit=5,
    lasts=3600.0,
    pushes_say_charset=True,
)

SMSHUB = Hub(
    "smshub",
    "SMSHub",
    "Agent protocol of 6 March 2024, whole, with the tests of its self-service page",
    {
        **_RELATIVES,
        **_unless_success(_required("PUSH_SMS: anything else than SUCCESS: again after 10 s")),
        **_SPLIT,
        "counts-form": _required("GET_SERVICES: countryList, operatorMap"),
        "counts-whole": _required("Types: unsigned 64-bit integers"),
        "counts-any": _required("A country without a split has operator any; one with a split never has it"),
        "counts-sold": _required("Tests 6: what is counted can be bought"),
        "counts-follow": _required("Count = what can be sold now"),
        "gzip": _required("gzip in every request and answer (plain answers were tolerated)"),
        "gzip-request": _assumed("gzip in every request and answer, but no packed request was seen"),
        "answers-in-time": _required("Tests 5: every answer within 3 s"),
        "number-type": _required("Tests 4: number is a JSON number with the country code"),
        "activation-id": _required("Types: unsigned 64-bit integers"),
        "no-numbers": _required("GET_NUMBER: NO_NUMBERS"),
        "excluded-number": _required("Tests 7: a number with an excepted prefix is never given"),
        "excluded-prefix": _required("Tests 7: a number with an excepted prefix is never given"),
        "hints": _required("GET_NUMBER: sum with 2 decimals in currency 643, with 4 in 840"),
        "accept-header": _observed(
            "requests have the header Accept: text/html, image/gif, image/jpeg, *, application/json"
        ),
        "finish-repeated": _required("Tests 1: the same FINISH again is SUCCESS each time"),
        "finish-stale": _required("Tests 1: … SUCCESS each time; nothing but the hub's FINISH ends an activation"),
        "finish-outcomes": _required("FINISH_ACTIVATION: statuses 1, 3, 4, 5"),
        "finish-sold": _required("FINISH_ACTIVATION: 3 sold"),
        "refund": _required("FINISH_ACTIVATION: 5 refund, also after 3"),
        "finish-unknown": _required("FINISH_ACTIVATION: SUCCESS for every id once given, ERROR for no such activation"),
        "cancel-limit": _required("FINISH_ACTIVATION: 4 cancelled, may be given three more times"),
        "prohibited-gone": _required("FINISH_ACTIVATION: 1 not for this service any more"),
        "error-field": _required('{"status":"ERROR","error":…}'),
        "error-http": _observed("no code is named; 200 was seen"),
        "push-at-once": _required("Tests 2: an SMS is pushed at once"),
        "push-types": _required("Tests 3: every field has its documented type"),
        "push-content": _required("PUSH_SMS: smsId, phoneFrom, phone, text, action, key; tests 4"),
        "push-utf8": _required("UTF-8 JSON over POST"),
        "push-content-type": _required("UTF-8 JSON over POST"),
        "push-user-agent": _required("User-Agent is required"),
        "push-accepts-gzip": _required("gzip in every request and answer"),
        "push-unpacks-gzip": _required("gzip in every request and answer"),
        "push-again-later": _required("Tests 2: while the hub doesn't say SUCCESS, again every 10 s"),
        "push-same": _required("PUSH_SMS: the same push again"),
        "push-stops": _required("Tests 2: after SUCCESS never again"),
        "push-over": _required("Tests 2: after SUCCESS never again"),
        "lives-on": _required("Tests 1: nothing but the hub's FINISH ends an activation"),
        "outlives": _required("Tests 1: nothing but the hub's FINISH ends an activation"),
    },
    any_operator="split",
    hints=({"sum": 19.75, "currency": 643}, {"sum": 0.2565, "currency": 840}),
    headers={"Content-Type": "application/json", "Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": _BROWSER},
    tolerates_plain=True,
    cancel_limit=4,
    answers_within=3.0,
)

SMSBOWER = Hub(
    "smsbower",
    "SMSBower",
    "Page partner, its beginning; the rest is second-hand",
    {
        **_RELATIVES,
        **_unless_success(_assumed("second-hand: again after 10 s unless SUCCESS")),
        **_SPLIT,
        "counts-form": _assumed("GET_SERVICES is the hub's word; the form of the answer is the seed's"),
        "gzip": _required("gzip in every request and answer"),
        "gzip-request": _assumed("gzip in every request and answer, but no packed request was seen"),
        "number-extras": _assumed("second-hand: call, voice"),
        "excluded-number": _required("exceptionPhoneSet: prefixes of any length"),
        "excluded-prefix": _required("exceptionPhoneSet: prefixes of any length"),
        "hints": _assumed("second-hand: sum is a number"),
        "push-user-agent": _required("User-Agent is required"),
        "push-accepts-gzip": _required("gzip in every request and answer"),
        "push-unpacks-gzip": _required("gzip in every request and answer"),
    },
    number=(str,),
    phone=(str, int),
    sms_id=(str, int),
    number_extras={"call": 0, "voice": 0},
    error_field="message",
    hints=({"sum": 12.5, "call": 0, "voice": 0},),
)

GRIZZLY = Hub(
    "grizzly",
    "Grizzly SMS",
    "Page docs/partner, its beginning; the hub's client library of 2026; suppliers' code",
    {
        **_RELATIVES,
        **_unless_success(_observed("suppliers' code: again after 10 s unless SUCCESS")),
        "counts-form": _observed("suppliers' code: countryList, operatorMap"),
        "counts-any": _observed("suppliers' code: the operator is any"),
        "number-type": _observed("suppliers' code: a number"),
        "number-extras": _observed("suppliers' code: flashcall, voice false"),
        "activation-id": _observed("suppliers' code: a number"),
        "excluded-number": _observed("suppliers' code: strings"),
        "excluded-prefix": _observed("suppliers' code: strings"),
        "hints": _observed("suppliers' code: sum is a number"),
        "finish-outcomes": _observed("suppliers' code: 1, 4, 5"),
        "finish-sold": _required("FINISH_ACTIVATION: 3"),
        "error-field": _observed("suppliers' code: error"),
        "error-http": _observed("suppliers' code: 200"),
        "push-types": _observed("suppliers' code: numbers"),
        "push-content": _observed("suppliers' code: action, key, smsId, phone, phoneFrom, text"),
        "push-user-agent": _required("User-Agent is required"),
        "push-plain": _PLAIN_PUSHES,
        "push-stops": _observed("suppliers' code: done by SUCCESS"),
        "push-over": _observed("suppliers' code: done by SUCCESS"),
        "lives-on": _required("the hub finishes an activation"),
        "outlives": _required("the hub finishes an activation"),
    },
    any_operator="alone",
    number_extras={"flashcall": False, "voice": False},
    hints=({"sum": 12.5},),
)

ONLINESIM = Hub(
    "onlinesim",
    "OnlineSim",
    "Reseller v1, several renderings of 2020 to 2025, in part",
    {
        **_RELATIVES,
        **_again(_required("not 200: again after 10 s")),
        **_SPLIT,
        "counts-form": _required("getServices: countryList, operatorMap"),
        "counts-whole": _required("Tests 4: types as documented"),
        "counts-any": _required("any must be there, the sum of all operators"),
        "counts-sold": _required("overstated counts: blocked for 30 min"),
        "counts-follow": _required("overstated counts: blocked for 30 min; counts are asked for every 2 min"),
        "answer-content-type": _required("Content-Type: application/json; charset=utf-8"),
        "answers-in-time": _required("getNumber, getServices: 10 s, else cancelled"),
        "number-type": _required("Tests 5: number is an integer with the country code"),
        "at-once": _required("Tests 1, the most important: 30 equal GET_NUMBER (russia, megafon, vk), no number twice"),
        "never-twice": _required("Tests 1: no number twice"),
        "excluded-number": _required("exceptionPhoneSet: integers"),
        "excluded-prefix": _required("exceptionPhoneSet: integers"),
        "hints": _required("getNumber: sum, a number of roubles"),
        "bearer": _required("Authorization: Bearer beside key"),
        "paths": _required(
            "URLs are agreed one by one; the default is /getServices, /getNumber, /finishActivation under the supplier's base"
        ),
        "paths-without-action": _assumed("action is in the body too; a path says it already"),
        "finish-repeated": _required("Tests 2: FINISH repeated is SUCCESS"),
        "finish-stale": _required("Tests 2: FINISH repeated is SUCCESS; only the hub ends an operation"),
        "finish-outcomes": _required("finishActivation: 1, 3, 4, 5"),
        "finish-sold": _required("finishActivation: 3"),
        "prohibited-gone": _required("1: nobody may order it for this service"),
        "push-at-once": _required("Tests 3: SMS at once"),
        "push-types": _required("Tests 4: types as documented (phone: its own texts differ, both are taken)"),
        "push-content": _required("PUSH_SMS: smsId, phoneFrom, phone, text, action, key"),
        "push-user-agent": _required("User-Agent is required"),
        "push-bearer": _required("Authorization: Bearer K"),
        "push-again-500": _required("Tests 3: again after 10 s when not accepted: HTTP 200"),
        "push-again-201": _required("not 200: again after 10 s"),
        "push-plain": _PLAIN_PUSHES,
        "push-again-ignored": _assumed("IGNORED exists, its meaning is unclear: again"),
        "push-stops": _required("Tests 3: not after acceptance"),
        "push-over": _required("Tests 3: not after acceptance"),
        "push-200": _required("HTTP 200: done, whatever the body"),
        "push-stop-words": _required("NO_OPERATION, NO_OP, BAD_SERVICE: never again"),
        "lives-on": _required("Tests 2: only the hub ends the operation"),
        "outlives": _required("Tests 2: only the hub ends the operation, at the latest after 15 min"),
    },
    any_operator="beside",
    phone=(str, int),
    prefixes=int,
    hints=({"sum": 40},),
    finish_extras={"sum": 4.5},
    paths=True,
    raced=("russia", "megafon", "vk"),
    takes_200=True,
    stop_words=("NO_OPERATION", "NO_OP", "BAD_SERVICE"),
    asks_counts_every=120.0,
    answers_within=10.0,
    untimed=("FINISH_ACTIVATION",),
    answers_say_charset=True,
)

HEROSMS = Hub(
    "herosms",
    "HeroSMS",
    "None; one supplier's code of 2026 and second-hand notes",
    {
        **_RELATIVES,
        **_unless_success(_observed("a supplier's code: again after 10 s unless SUCCESS")),
        "counts-form": _observed("a supplier's code: GET_COUNT, countMap, {SMS: n}"),
        "counts-whole": _observed("a supplier's code"),
        "counts-any": _observed("a supplier's code: the operator is any"),
        "number-type": _observed("a supplier's code: a number"),
        "number-extras": _observed('a supplier\'s code: "supported":["SMS"]'),
        "activation-id": _observed("a supplier's code: a number"),
        "no-numbers": _observed("a supplier's code: NO_NUMBERS"),
        "excluded-prefix": _assumed(),
        "finish-outcomes": _observed("a supplier's code: 1, 3, 4, 5"),
        "finish-rent": _assumed("second-hand: 14, 15, 16"),
        "finish-sold": _observed("a supplier's code: 3"),
        "bad-key": _observed("a supplier's code: ERROR; its 403 is not compared"),
        "error-field": _observed("a supplier's code: error"),
        "error-http": _observed("a supplier's code: 200"),
        "push-types": _observed("a supplier's code: numbers"),
        "push-content": _observed("a supplier's code: action, key, smsId, phone, phoneFrom, text"),
        "push-user-agent": _observed("a supplier's code sends it"),
        "push-accepts-gzip": _observed("a supplier's code announces it"),
        "push-unpacks-gzip": _observed("a supplier's code announces it"),
        "push-plain": _assumed("that pushes announce gzip is said of their answers; no packed push was seen"),
        "push-stops": _observed("a supplier's code: done by SUCCESS"),
        "push-over": _observed("a supplier's code: done by SUCCESS"),
    },
    counts_action="GET_COUNT",
    counts_form="countMap",
    any_operator="alone",
    number_extras={"supported": ["SMS"]},
    outcomes_of_rent=(14, 15, 16),
)

HUBS: Mapping[str, Hub] = {hub.name: hub for hub in (SEED, SMSHUB, SMSBOWER, GRIZZLY, ONLINESIM, HEROSMS)}
