"""Writes docs/openapi.json, the description of the whole API in OpenAPI 3.1: `python -m docs.openapi [--check]`.

The admin API is described from its routes and models. What partners and gateways send is read by hand-written parsers,
so it is described here beside them; tests/unit/test_openapi.py holds both against the same requests.
"""

import argparse
import json
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "functions"))

from pydantic import TypeAdapter  # noqa: E402

from admin_api.app import ROUTES  # noqa: E402
from admin_api.import_jobs import MOST_PARTS  # noqa: E402
from admin_api.import_rows import COLUMNS, CSV_TYPES, MOST_ROWS  # noqa: E402
from admin_api.lines import COLUMNS as LINE_COLUMNS  # noqa: E402
from admin_api.lines import MOST_LINES  # noqa: E402
from admin_api.names import COLUMNS as NAME_COLUMNS  # noqa: E402
from admin_api.names import MOST_NAMES  # noqa: E402
from admin_api.route import SEES_TEXTS, Route, Upload  # noqa: E402
from admin_api.schema import SERVICE_CODE  # noqa: E402
from globalconnect import VERSION  # noqa: E402
from globalconnect.domain.explanation import MOST_SUGGESTIONS  # noqa: E402
from globalconnect.domain.ids import LARGEST_ID  # noqa: E402
from globalconnect.domain.requests import FinishActivation, GetNumber, GetServices, PartnerRequest  # noqa: E402
from globalconnect.domain.source import LONGEST_LINE  # noqa: E402
from globalconnect.hub_protocol import answers as said  # noqa: E402
from globalconnect.hub_protocol import explanations, push, requests  # noqa: E402
from globalconnect.hub_protocol.catalogue import DEFAULT  # noqa: E402

FILE = ROOT / "docs" / "openapi.json"

type Schema = dict[str, Any]
type Mode = Literal["validation", "serialization"]

_REFERENCE = "#/components/schemas/{model}"

ERRORS: Mapping[int, str] = {
    400: "A field is wrong, missing or unknown; the message names it and says what was expected.",
    401: "The key, signature or token is missing or not valid.",
    403: "The service is not in the key's own list; or, of staff, the person's role does not do, or a second factor is needed.",
    404: "There is no such thing.",
    406: "The answer is longer than can be given; Accept-Encoding: gzip helps (GET_SERVICES with very many pools).",
    409: "It is in a state in which this can't be done; read it again.",
    413: "Too much at once; nothing was stored.",
    500: "A failure on our side.",
    503: "Temporarily busy; the same request may be sent again.",
}
ALWAYS = (500, 503)


def ref(name: str) -> Schema:
    """Return a reference to a component."""
    return {"$ref": _REFERENCE.format(model=name)}


def text(description: str, **more: object) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "description": description, **more}


def record(description: str, properties: Mapping[str, Schema], optional: Sequence[str] = ()) -> Schema:
    """Return the schema of an object whose fields are all required but the optional ones."""
    required = [name for name in properties if name not in optional]
    schema = {"type": "object", "description": description, "properties": dict(properties)}
    return schema | ({"required": required} if required else {})


# ---------------------------------------------------------------- what partners and gateways send and get

_NAMES: Schema = {"type": "object", "additionalProperties": text("1 to 100 characters, none of them invisible")}
PHONE: Schema = text(
    "5 to 15 digits, country code first, without +", pattern="^[1-9][0-9]{4,14}$", examples=["447472190082"]
)
PHONE_WRITTEN: Schema = {
    "description": "A number, country code first: with + or 00, spaces, dashes, brackets and tel:, or as an integer",
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^\s*(tel:)?\s*(\+|00)?[\s()\[\]-]*[1-9]([\s()\[\]-]*[0-9]){4,14}[\s()\[\]-]*$",
        },
        {"type": "integer", "minimum": 10**4, "maximum": 10**15 - 1},
    ],
}
SMS_ID: Schema = text(
    "Digits, below 2^53; the same in getsms and in every push", pattern="^[1-9][0-9]{0,15}$", examples=["36532"]
)
ACTIVATION_ID: Schema = {
    "description": "A positive integer below 2^53, as a number or a string of digits; 3, 3.0 and 3e0 are the same",
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        {"type": "string", "pattern": "^0*[1-9][0-9]{0,15}$", "maxLength": 20},
    ],
}
OUTCOME: Schema = {
    "description": ", ".join(f"{code} {outcome.name.capitalize()}" for code, outcome in DEFAULT.outcomes.items()),
    "anyOf": [
        {"type": "integer", "enum": [*DEFAULT.outcomes]},
        {"type": "string", "enum": [*map(str, DEFAULT.outcomes)]},
    ],
}
_PREFIX_OR_NONE = r"\s*(\+?[0-9]{1,15}\s*)?"
_PREFIXES_AS_TEXT: Schema = {"type": "string", "pattern": f"^{_PREFIX_OR_NONE}(,{_PREFIX_OR_NONE})*$"}
PREFIXES: Schema = {
    "description": "Phone numbers that are not wanted, or their beginnings: a list, or one text with commas. White space "
    "around them, a leading + and empty entries are ignored. In a query it may be repeated, and spelled "
    f"`{requests.RESTRICTION}[]` or `{requests.RESTRICTION}[0]`",
    "anyOf": [
        {"type": "null"},
        _PREFIXES_AS_TEXT,
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "null"},
                    _PREFIXES_AS_TEXT,
                    {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
                ]
            },
        },
    ],
}
KEY: Schema = text("The partner's key", minLength=1)
HINT: Schema = {"description": "Kept with the activation, a text or a number; never a reason to refuse"}


def partner_text(description: str, example: str) -> Schema:
    """Return the schema of a text that partners send."""
    return text(description, minLength=1, maxLength=requests.LONGEST_TEXT, examples=[example])


def const(value: object) -> Schema:
    """Return the schema of a field that always has this value."""
    return {"type": "integer" if isinstance(value, int) else "string", "const": value}


def action(asked: type[PartnerRequest]) -> Schema:
    """Return the schema of the field that says what is asked for."""
    return const(next(word for word, request in DEFAULT.actions.items() if request is asked))


def extras(fields: Mapping[str, object]) -> dict[str, Schema]:
    """Return the schemas of a dialect's constant fields."""
    return {name: const(value) for name, value in fields.items()}


GET_NUMBER_FIELDS: Mapping[str, Schema] = {
    "country": partner_text("The country, as GET_SERVICES names it", "england"),
    "operator": partner_text(
        f"The operator, as GET_SERVICES names it, or `{said.ANY_OPERATOR}`", "Hutchison 3G UK Ltd"
    ),
    "service": partner_text("The service's code", "tg"),
    "sum": HINT,
    "currency": HINT,
    requests.RESTRICTION: PREFIXES,
}
OPTIONAL_FIELDS = ("sum", "currency", requests.RESTRICTION)

_OWN: Mapping[str, Schema] = {
    "name": text("The partner's name"),
    "dialect": text("Its dialect"),
    # Null if they can't be read now.
    "forms": {"anyOf": [ref("PartnerForms"), {"type": "null"}]},
    "names": {"anyOf": [ref("OwnNames"), {"type": "null"}]},
}

PARTNER_REQUESTS: Mapping[str, Schema] = {
    "GetServices": record(
        "What is available? Unknown fields are ignored.", {requests.KEY: KEY, requests.ACTION: action(GetServices)}
    ),
    "GetNumber": record(
        "Issue a number. Unknown fields are ignored.",
        {requests.KEY: KEY, requests.ACTION: action(GetNumber), **GET_NUMBER_FIELDS},
        optional=OPTIONAL_FIELDS,
    ),
    "FinishActivation": record(
        "Close an activation. Unknown fields are ignored.",
        {
            requests.KEY: KEY,
            requests.ACTION: action(FinishActivation),
            requests.ACTIVATION_ID: ACTIVATION_ID,
            requests.OUTCOME: OUTCOME,
        },
    ),
}

GATEWAY_SMS: Schema = record(
    "An SMS as the `generic` provider delivers it. Unknown fields are ignored.",
    {
        "phone": PHONE_WRITTEN,
        "from": text("Who sent it", maxLength=256),
        "text": text("What it says", maxLength=20_000),
        "id": {"description": "What identifies it at the gateway; the same id twice is the same SMS"},
        "receivedAt": {"description": "When the gateway received it, ISO 8601 with an offset"},
    },
    optional=("id", "receivedAt"),
)

OTHER_SCHEMAS: Mapping[str, Schema] = {
    **PARTNER_REQUESTS,
    "GatewaySms": GATEWAY_SMS,
    "Error": record(
        "Every refusal. The message for a bad key is exactly `Invalid key`.",
        {"status": const(said.ERROR)} | {name: {"type": "string"} for name in DEFAULT.error_fields},
    ),
    "Success": record("It is done.", {"status": const(said.SUCCESS)}),
    "Services": record(
        "What is available: how many numbers can be bought, by country, operator and service.",
        {
            "status": const(said.SUCCESS),
            "countryList": {
                "type": "array",
                "items": record(
                    "A country.",
                    {
                        "country": {"type": "string"},
                        "operatorMap": {
                            "type": "object",
                            "additionalProperties": {
                                "type": "object",
                                "additionalProperties": {"type": "integer", "minimum": 0},
                            },
                        },
                    },
                ),
            },
        },
    ),
    "IssuedNumber": record(
        "A number, reserved for this activation.",
        {
            "status": const(said.SUCCESS),
            "number": PHONE,
            "activationId": {"type": "integer", "minimum": 1, "maximum": 10**14 - 1},
            **extras(DEFAULT.number_extras),
        },
    ),
    "NoNumbers": record("No number can be issued now.", {"status": const(said.NO_NUMBERS)}),
    "ExplanationRequest": record(
        "What a GET_NUMBER would ask. Unknown fields are ignored.",
        {requests.KEY: KEY, **GET_NUMBER_FIELDS},
        optional=OPTIONAL_FIELDS,
    ),
    "Explanation": record(
        "Why a GET_NUMBER would get none now.",
        {
            "status": const(said.NO_NUMBERS),
            "reason": {"type": "string", "enum": [word for word, _ in explanations.REASONS.values()]},
            "message": text("The same in a sentence"),
            "suggestions": {
                "type": "array",
                "description": "Names that may have been meant, the likeliest first",
                "items": {"type": "string"},
                "maxItems": MOST_SUGGESTIONS,
            },
        },
    ),
    "Poll": record(
        "What getsms is asked. Unknown fields are ignored.",
        {requests.POLLING_KEY: KEY, requests.POLLED_ID: ACTIVATION_ID},
    ),
    "LinkToken": record(
        "A link that staff made. Unknown fields are ignored.",
        {"token": text("What is behind # in the link", minLength=1)},
    ),
    "HandedOutKey": record(
        "A partner's key, shown to whoever follows the link first, and its own forms and names.",
        {requests.KEY: KEY, **_OWN},
    ),
    "FormsRequest": record("Whose forms are asked for. Unknown fields are ignored.", {requests.KEY: KEY}),
    "Own": record("A partner's own forms and names.", _OWN),
    "OwnNames": record(
        "The names that the partner uses, as far as staff have said; others are as we have them, or not offered (`hide`).",
        {
            "countries": {"type": "array", "items": {"type": "string"}},
            "operators": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
            "services": {"type": "array", "items": {"type": "string"}},
            "unmapped": {"type": "string", "enum": ["pass", "hide"]},
        },
    ),
    "PartnerForms": record(
        "What a partner's requests, answers and pushes look like.",
        {
            "title": text("What its dialect is called"),
            "switches": ref("SwitchesView"),
            "examples": record(
                "What it is answered and pushed.",
                {
                    "counts": {"type": "object", "additionalProperties": {"type": "object"}},
                    **{name: {"type": "object"} for name in ("number", "messages", "error", "push")},
                    "pushHeaders": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            ),
        },
    ),
    "Sms": record(
        "An SMS that arrived for an activation.",
        {
            "smsId": SMS_ID,
            "phone": PHONE,
            "phoneFrom": {"type": "string"},
            "text": {"type": "string"},
            "receivedAt": text("When it was received", format="date-time", examples=["2024-01-15T12:34:56+00:00"]),
        },
    ),
    "Messages": record(
        "The messages of an activation, oldest first.",
        {"status": const(said.SUCCESS), said.MESSAGES: {"type": "array", "items": ref("Sms")}},
    ),
    "NoMessages": record(
        f"{said.WAIT_CODE}: none yet. {said.EXPIRED}: none, and the activation is expired or finished.",
        {"status": {"type": "string", "enum": [said.WAIT_CODE, said.EXPIRED]}},
    ),
    "PushedSms": record(
        "An SMS, pushed to the partner's Push URL.",
        {
            requests.KEY: KEY,
            "action": const(push.ACTION),
            "smsId": SMS_ID,
            "phone": PHONE,
            "phoneFrom": {"type": "string"},
            "text": {"type": "string"},
            **extras(DEFAULT.push_extras),
        },
    ),
    "NumberRow": record(
        "A row of an import, with exactly these fields. Each row is checked by itself: a bad one is reported in "
        "`rejected` and keeps no other from landing.",
        {
            "phone": PHONE_WRITTEN,
            "country": text("1 to 100 characters without |, none of them invisible"),
            "operator": text("1 to 100 characters without |, none of them invisible, and not `any`"),
        },
    ),
    "Names": record(
        f"At most {MOST_NAMES} names, none of them invisible: theirs by ours. No two services have one name.",
        {
            "countries": _NAMES,
            "operators": {"type": "object", "additionalProperties": _NAMES},
            "services": _NAMES,
            "unmapped": {"enum": ["pass", "hide"], "default": "pass"},
        },
        ("countries", "operators", "services", "unmapped"),
    ),
    "LineRow": record(
        "A line of a gateway and the number that it is, with exactly these fields; each line and each number once.",
        {"line": text(f"1 to {LONGEST_LINE} printable characters"), "phone": PHONE_WRITTEN},
    ),
}


def parameter(where: Literal["query", "path", "header"], name: str, schema: Schema, *, required: bool) -> Schema:
    """Return a parameter; its description is its schema's."""
    described = dict(schema)
    description = described.pop("description", None)
    given: Schema = {"in": where, "name": name, "required": required, "schema": described}
    return given | ({"description": description} if description else {})


def as_json(schema: Schema) -> Schema:
    """Return the content of a JSON body or answer."""
    return {"application/json": {"schema": schema}}


def answers(status: int, schema: Schema, description: str, errors: Sequence[int]) -> Schema:
    """Return the answers of an operation: the good one, and the errors."""
    refusals = {
        str(error): {"description": ERRORS[error], "content": as_json(ref("Error"))}
        for error in sorted({*errors, *ALWAYS})
    }
    return {str(status): {"description": description, "content": as_json(schema)}} | refusals


def any_of(*names: str) -> Schema:
    """Return the schema of one of these components."""
    return {"anyOf": [ref(name) for name in names]}


_IN_QUERY: Mapping[str, Schema] = {
    requests.RESTRICTION: PREFIXES
    | {"type": "array", "description": f"{PREFIXES['description']}. May be repeated or comma-separated."}
}
_ANSWERED: Mapping[type[PartnerRequest], tuple[Schema, Sequence[int]]] = {
    GetServices: (ref("Services"), (400, 401, 406)),
    GetNumber: (any_of("IssuedNumber", "NoNumbers"), (400, 401, 403)),
    FinishActivation: (ref("Success"), (400, 401, 404)),
}


def partner_paths() -> Schema:
    """Describe what partners call. Both base paths do the same, with and without a trailing slash."""
    errors = (400, 401, 403, 404, 406)
    done = answers(200, any_of("Services", "IssuedNumber", "NoNumbers", "Success"), "What was asked for.", errors)
    fields: dict[str, Schema] = {}
    for request in PARTNER_REQUESTS.values():
        fields |= request["properties"]
    fields[requests.ACTION] = {"type": "string", "enum": [*DEFAULT.actions]}
    fields |= _IN_QUERY
    query = [
        parameter("query", name, schema, required=name in {requests.KEY, requests.ACTION})
        for name, schema in fields.items()
    ]
    polled = messages_answers()
    paths: Schema = {}
    for base, name in (("/SMSBOWER", "smsbower"), ("/api/partner", "partner")):
        post = {
            "operationId": f"{name}_post",
            "summary": f"{requests.one_of(DEFAULT.actions)}.",
            "tags": ["partners"],
            "requestBody": {"required": True, "content": as_json(any_of(*PARTNER_REQUESTS))},
            "responses": done,
            "security": [],
        }
        get = {
            "operationId": f"{name}_get",
            "summary": "The same by query string.",
            "tags": ["partners"],
            "parameters": query,
            "responses": done,
            "security": [{"partnerKey": []}],
        }
        getsms = {
            "operationId": f"{name}_getsms",
            "summary": "Poll the SMS of an activation.",
            "tags": ["partners"],
            "parameters": [
                parameter("query", requests.POLLING_KEY, KEY, required=True),
                parameter("query", requests.POLLED_ID, ACTIVATION_ID, required=True),
            ],
            "responses": polled,
            "security": [{"partnerApiKey": []}],
        }
        paths |= {base: {"post": post, "get": get}, f"{base}/getsms": {"get": getsms}}
        for path, asked in requests.PATHS.items():
            paths[f"{base}/{path}"] = _of_one_action(f"{name}_{path}", asked)
    return paths


def _of_one_action(name: str, asked: type[PartnerRequest]) -> Schema:
    """Describe what is asked for at a path of its own: the action need not be named there."""
    answered, errors = _ANSWERED[asked]
    schema = PARTNER_REQUESTS[asked.__name__]
    body = schema | {"required": [field for field in schema["required"] if field != requests.ACTION]}
    operation: Schema = {"tags": ["partners"], "responses": answers(200, answered, "What was asked for.", errors)}
    post = {
        "operationId": f"{name}_post",
        "summary": f"{schema['properties'][requests.ACTION]['const']}, which need not be named here.",
        "requestBody": {"required": True, "content": as_json(body)},
        "security": [],
    }
    get = {
        "operationId": f"{name}_get",
        "summary": "The same by query string.",
        "parameters": [
            parameter("query", field, described, required=field in body["required"])
            for field, described in (schema["properties"] | _IN_QUERY).items()
            if field in schema["properties"]
        ],
        "security": [{"partnerKey": []}],
    }
    return {"post": operation | post, "get": operation | get}


def messages_answers() -> Schema:
    """Describe what a poll for SMS is answered."""
    return answers(200, any_of("Messages", "NoMessages"), "The messages, or what to do without.", (400, 401, 404))


def page_paths() -> Schema:
    """Describe what the page for partners sends; it works without the page as well."""

    def post(name: str, summary: str, asked: str, answered: Schema) -> Schema:
        operation = {
            "operationId": f"partner_page_{name}",
            "summary": summary,
            "tags": ["page for partners"],
            "requestBody": {"required": True, "content": as_json(ref(asked))},
            "responses": answered,
            "security": [],
        }
        return {"post": operation}

    key = answers(200, ref("HandedOutKey"), "The key; the link is used up.", (400, 404))
    why = answers(200, any_of("Success", "Explanation"), "Whether there is a number, or why not.", (400, 401, 403))
    own = answers(200, ref("Own"), "The forms and names.", (400, 401))
    return {
        "/partner/link": post("link", "Get the key that a link hands out, once.", "LinkToken", key),
        "/partner/forms": post("forms", "Get the forms and names that a partner has of its own.", "FormsRequest", own),
        "/partner/explain": post(
            "explain",
            "Say whether a GET_NUMBER would get a number now, and why not, without changing anything.",
            "ExplanationRequest",
            why,
        ),
        "/partner/getsms": post(
            "getsms", "Poll the SMS of an activation, with the key in no address.", "Poll", messages_answers()
        ),
    }


def gateway_paths() -> Schema:
    """Describe what gateways call."""
    one_or_many = {"anyOf": [ref("GatewaySms"), {"type": "array", "items": ref("GatewaySms"), "maxItems": 100}]}
    signature = text("hex(HMAC-SHA256(secret, body))")
    by_id = [parameter("path", "sourceId", text("The source's id"), required=True)]
    by_secret = [*by_id, parameter("path", "secret", text("The source's secret"), required=True)]
    generic = {
        "operationId": "inbound_sms",
        "summary": "Deliver SMS of the `generic` form. The same SMS delivered twice is stored once.",
        "description": "What sources of other types send here, and what they hear: docs/gateways.md.",
        "tags": ["gateways"],
        "parameters": [*by_id, parameter("header", "X-Signature", signature, required=True)],
        "requestBody": {"required": True, "content": as_json(one_or_many)},
        "responses": answers(200, ref("Success"), "The SMS are stored.", (400, 401)),
        "security": [],
    }
    return {
        "/inbound/{sourceId}": {"get": _of_providers("get", by_id), "post": generic},
        "/inbound/{sourceId}/{secret}": {
            method: _of_providers(f"{method}_with_secret", by_secret) for method in ("get", "post")
        },
    }


def _of_providers(name: str, parameters: Sequence[Schema]) -> Schema:
    return {
        "operationId": f"inbound_sms_{name}",
        "summary": "Deliver SMS as a provider's own protocol has it (docs/gateways.md).",
        "tags": ["gateways"],
        "parameters": [*parameters],
        "responses": answers(
            200, ref("Success"), "The SMS are stored; most providers hear something else.", (400, 401)
        ),
        "security": [],
    }


SIGNATURE_HEADERS: Mapping[str, Schema] = {
    "webhook-id": text("`sms_` and the smsId: the same in every attempt of an SMS", examples=["sms_36532"]),
    "webhook-timestamp": text("The attempt's time, seconds since 1970", pattern="^[0-9]+$"),
    "webhook-signature": text(
        "One or more signatures, separated by spaces; one that matches is enough. Each is `v1,` and the base64 of "
        "HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, whose key are the bytes that the signing secret "
        "holds in base64 after `whsec_`.",
        examples=["v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
    ),
}


def webhooks() -> Schema:
    """Describe what we call: the partners' Push URLs."""
    taken = f"2xx with `status` {said.SUCCESS} is delivered. Anything else is pushed again 10 s after this push began."
    return {
        "pushSms": {
            "post": {
                "operationId": "push_sms",
                "summary": "An SMS, sent to the partner's Push URL as soon as it is stored.",
                "description": "Signed as Standard Webhooks (standardwebhooks.com) says, with all three headers, if "
                "staff have given the partner a signing secret; else without them.",
                "tags": ["partners"],
                "parameters": [
                    parameter("header", name, schema, required=False) for name, schema in SIGNATURE_HEADERS.items()
                ],
                "requestBody": {"required": True, "content": as_json(ref("PushedSms"))},
                "responses": {"200": {"description": taken, "content": as_json(ref("Success"))}},
                "security": [],
            }
        }
    }


# ---------------------------------------------------------------- the admin API

PATH_FIELDS: Mapping[str, Schema] = {
    "partnerId": text("A partner's id"),
    "sourceId": text("A source's id"),
    "device": text("A device, as its reports call it"),
    "name": text("A member of staff: the e-mail address with which they sign in"),
    "dialect": text("A dialect's name"),
    "code": text("A service's code", pattern=f"^{SERVICE_CODE.pattern}$"),
    "phone": PHONE,
    "importId": text("An import's id"),
    "payloadId": text("The id of a payload that could not be read"),
    "part": {"type": "integer", "minimum": 1, "maximum": MOST_PARTS},
    "activationId": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
    "smsId": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
}


def admin_schemas() -> Schema:
    """Return the schemas of what staff send and get, from the models."""
    given: list[tuple[Any, Mode]] = [(route.body, "validation") for route in ROUTES if route.body is not Upload]
    shown: list[tuple[Any, Mode]] = [(route.answer, "serialization") for route in ROUTES]
    inputs = [(kind, mode, TypeAdapter(kind)) for kind, mode in dict.fromkeys([*given, *shown])]
    _, schemas = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCE)
    components: Schema = _without_titles(schemas["$defs"])
    return components


def admin_paths() -> Schema:
    """Describe the admin API from its routes."""
    paths: Schema = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return paths


def _operation(route: Route[Any, Any, Any]) -> Schema:
    resource = route.use.__module__.split(".")[1]
    summary = route.answer.__doc__ or ""
    operation: Schema = {
        "operationId": f"{resource}_{route.use.__name__}",
        "summary": route.summary,
        "x-role": route.role.value,
        "tags": [f"staff: {resource}"],
        "responses": answers(route.status, ref(route.answer.__name__), summary, (400, 401, 403, *route.errors)),
        "security": [{"staff": []}],
    }
    query = TypeAdapter(route.query).json_schema().get("properties", {})
    parameters = [parameter("path", name, PATH_FIELDS[name], required=True) for name in _path_fields(route.path)]
    parameters += [_query_field(name, _without_titles(schema)) for name, schema in query.items()]
    if parameters:
        operation["parameters"] = parameters
    if route.body is Upload:
        operation["requestBody"] = {"required": True, "content": _upload_content(*_UPLOADS[route.path])}
    elif route.body.__name__ != "NoFields":
        operation["requestBody"] = {"required": True, "content": as_json(ref(route.body.__name__))}
    return operation


def _query_field(name: str, schema: Schema) -> Schema:
    # A look at texts needs a role of its own, whatever the route's is.
    role = {"x-role": SEES_TEXTS.value} if name == "texts" else {}
    return parameter("query", name, schema, required=False) | role


def _path_fields(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _without_titles(schema: Any) -> Any:
    """Leave out the titles that pydantic makes of names; a field that is called so is no text and stays."""
    if isinstance(schema, list):
        return [_without_titles(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: part for name, part in schema.items() if name != "title" or not isinstance(part, str)}
    return {name: _without_titles(part) for name, part in kept.items()}


def _rows(called: str, most: int) -> Schema:
    return {"type": "array", "items": ref(called), "maxItems": most}


# A route's JSON; as CSV its columns, how many rows it takes, and an example of one.
_NUMBERS = (_rows("NumberRow", MOST_ROWS), COLUMNS, MOST_ROWS, "447472190035,england,Hutchison 3G UK Ltd")
_UPLOADS: Mapping[str, tuple[Schema, Collection[str], int, str]] = {
    "/admin/numbers": _NUMBERS,
    "/admin/imports/{importId}/parts/{part}": _NUMBERS,
    "/admin/sources/{sourceId}/lines": (_rows("LineRow", MOST_LINES), LINE_COLUMNS, MOST_LINES, "dv-19:2,447472190035"),
    "/admin/partners/{partnerId}/names": (ref("Names"), NAME_COLUMNS, MOST_NAMES, "operator,brazil,*,any"),
}


def _upload_content(content: Schema, columns: Collection[str], most: int, example: str) -> Schema:
    header = ",".join(columns)
    csv = text(
        f"The header {header} (in any order and case), then at most {most} rows, with commas, semicolons or tabs. "
        "UTF-8, with or without a BOM; lines whose cells are all empty count for nothing.",
        examples=[f"{header}\n{example}\n"],
    )
    return as_json(content) | {media_type: {"schema": csv} for media_type in sorted(CSV_TYPES)}


# ---------------------------------------------------------------- the whole


def build() -> Schema:
    """Return the whole description."""
    components = admin_schemas()
    components.pop("NoFields", None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "GlobalConnect",
            "version": VERSION,
            "description": "Phone numbers for SMS verification: what partners, gateways and staff call. Every "
            "answer is `application/json; charset=utf-8`. Lists of the staff API are paged: send the `cursor` of "
            "an answer to get the next page; null is the end.",
        },
        "servers": [
            {
                "url": "https://{host}",
                "variables": {
                    "host": {
                        "default": "api-id.execute-api.eu-west-1.amazonaws.com/live",
                        "description": "The stack's output ApiUrl, or a domain of your own",
                    }
                },
            }
        ],
        "paths": partner_paths() | page_paths() | gateway_paths() | admin_paths(),
        "webhooks": webhooks(),
        "components": {
            "schemas": components | dict(OTHER_SCHEMAS),
            "securitySchemes": {
                "staff": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "An ID token of the stack's Cognito user pool",
                },
                "partnerKey": {"type": "apiKey", "in": "query", "name": requests.KEY},
                "partnerApiKey": {"type": "apiKey", "in": "query", "name": requests.POLLING_KEY},
            },
        },
    }


def rendered() -> str:
    """Return the content of the file, the same for the same code."""
    return json.dumps(build(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or check it; the exit code tells whether it is what it should be."""
    parser = argparse.ArgumentParser(prog="python -m docs.openapi", description="Write docs/openapi.json.")
    parser.add_argument("--check", action="store_true", help="only tell whether the file is what the code says")
    if not parser.parse_args(arguments).check:
        FILE.write_text(rendered(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == rendered():
        return 0
    print("docs/openapi.json is not what the code says; write it again: python -m docs.openapi", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
