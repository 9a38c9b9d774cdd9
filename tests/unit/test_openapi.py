"""docs/openapi.json says what the code does."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from admin_api.app import ROUTES
from admin_api.route import SEES_TEXTS
from docs import openapi
from globalconnect.domain.errors import GlobalConnectError, InvalidInput, TooLarge
from globalconnect.domain.ids import read_activation_id
from globalconnect.domain.staff import Role
from globalconnect.hub_protocol.catalogue import DEFAULT
from globalconnect.hub_protocol.requests import read_get_number, read_key, read_request
from globalconnect.inbound.providers.generic import PROVIDER
from globalconnect.inbound.providers.port import Delivery
from globalconnect.runtime.http import Request, read_json_object
from simulation.aws import TEMPLATE

DESCRIBED = openapi.build()
OPERATIONS = [(path, operation) for path, methods in DESCRIBED["paths"].items() for operation in methods.values()]


def test_the_committed_file_is_what_the_code_says() -> None:
    committed = openapi.FILE.read_text(encoding="utf-8")
    assert committed == openapi.rendered(), "write it again: python -m docs.openapi"


def test_every_method_and_path_of_the_template_is_described_and_no_other() -> None:
    resources = TEMPLATE["Resources"].values()
    functions = [given["Properties"] for given in resources if given["Type"] == "AWS::Serverless::Function"]
    events = [event for function in functions for event in function.get("Events", {}).values()]
    deployed = {
        (event["Properties"]["Method"].lower(), event["Properties"]["Path"])
        for event in events
        # Pages are for people, not an API; what there is below /admin, its routes say.
        if event["Type"] == "Api"
        and not event["Properties"]["Path"].startswith(("/console", "/admin"))
        and event["Properties"]["Path"] not in {"/partner", "/partner/{file+}"}
    } | {(route.method.lower(), route.path) for route in ROUTES}
    described = {(method, path) for path, methods in DESCRIBED["paths"].items() for method in methods}
    assert described == deployed


def test_operations_have_ids_of_their_own_and_describe_their_path_fields() -> None:
    for path, operation in OPERATIONS:
        described = {given["name"] for given in operation.get("parameters", ()) if given["in"] == "path"}
        assert described == set(re.findall(r"\{(\w+)\}", path))
    assert len({operation["operationId"] for _, operation in OPERATIONS}) == len(OPERATIONS)


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', openapi.rendered()))
    assert referred == DESCRIBED["components"]["schemas"].keys()


def test_only_staff_routes_ask_for_staff() -> None:
    staff = [path for path, operation in OPERATIONS if {"staff": []} in operation["security"]]
    assert staff == [path for path, _ in OPERATIONS if path.startswith("/admin/")]


# ---------------------------------------------------------------- hand-written schemas against the parsers

GET_NUMBER = {"key": "k", "action": "GET_NUMBER", "country": "england", "operator": "O2", "service": "tg"}
FINISH = {"key": "k", "action": "FINISH_ACTIVATION", "activationId": 36532, "status": 3}


def without(request: dict[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in request.items() if field != name}


NO_TEXTS: list[object] = ["", None, 5, ["x"], True]
SUMS: list[object] = ["20.00", 20, 20.5, None, [], {}]
PREFIXES: list[object] = [
    [],
    None,
    ["4474", "+4474", 4474, "0"],
    "4474",
    4474,
    {},
    [None],
    ["44 74"],
    [""],
    ["+"],
    [" 4474", "+4474\t", " +4474\u00a0"],
    [" "],
    ["+ 4474"],
    [-1],
    [4474.5],
    [True],
    [],
    "",
    "4474, +4475,,",
    "4474,x",
    ["4474,4475", "4476,x"],
    ["4474,4475"],
    [None, 4474],
    [4474.0],
    ["4" * 15],
    ["4" * 16],
    [10**15 - 1],
    [10**15],
]
IDS: list[object] = [1, 1.0, "1", "007", 2**53 - 1, 0, "0", -1, 2**53, 2**64, 1.5, "1.5", "abc", "", None, True, [1]]
OUTCOMES: list[object] = [1, 3.0, 3, 4, 5, "1", "3", "4", "5", 0, 2, 6, "2", "", None, True, 3.5, [3]]

PARTNER_REQUESTS: list[object] = [
    {"key": "k", "action": "GET_SERVICES"},
    {"key": "k", "action": "GET_SERVICES", "unknown": 1},
    {"action": "GET_SERVICES"},
    {"key": "", "action": "GET_SERVICES"},
    {"key": 5, "action": "GET_SERVICES"},
    {"key": "k"},
    {"key": "k", "action": "SELL"},
    {"key": "k", "action": None},
    [],
    None,
    GET_NUMBER,
    *(without(GET_NUMBER, name) for name in GET_NUMBER),
    *(GET_NUMBER | {name: value} for name in GET_NUMBER for value in NO_TEXTS),
    *(GET_NUMBER | {"country": "x" * length} for length in (200, 201)),
    *(GET_NUMBER | {"sum": value} for value in SUMS),
    *(GET_NUMBER | {"currency": value} for value in SUMS),
    *(GET_NUMBER | {"exceptionPhoneSet": value} for value in PREFIXES),
    FINISH,
    *(without(FINISH, name) for name in FINISH),
    *(FINISH | {"activationId": value} for value in IDS),
    *(FINISH | {"status": value} for value in OUTCOMES),
]


@pytest.mark.parametrize("request_body", PARTNER_REQUESTS, ids=repr)
def test_the_schemas_of_partner_requests_and_their_parser_agree(request_body: object) -> None:
    schema = openapi.any_of(*openapi.PARTNER_REQUESTS)
    assert fits(request_body, schema) == _is_read_for_partners(request_body)


def _is_read_for_partners(body: object) -> bool:
    try:
        fields = read_json_object(json.dumps(body).encode())
        read_key(fields, "key")
        read_request(fields, DEFAULT)
    except GlobalConnectError:
        return False
    return True


ASKED = without(GET_NUMBER, "action")


@pytest.mark.parametrize(
    "request_body",
    [
        ASKED,
        *(without(ASKED, name) for name in ASKED),
        *(ASKED | {name: value} for name in ASKED for value in NO_TEXTS),
        *(ASKED | {"exceptionPhoneSet": value} for value in PREFIXES),
    ],
    ids=repr,
)
def test_the_schema_of_a_question_for_an_explanation_and_its_parser_agree(request_body: dict[str, Any]) -> None:
    try:
        fields = read_json_object(json.dumps(request_body).encode())
        read_key(fields, "key")
        read_get_number(fields)
        is_read = True
    except GlobalConnectError:
        is_read = False
    assert fits(request_body, openapi.ref("ExplanationRequest")) == is_read


POLL = {"apiKey": "k", "id": 36532}


@pytest.mark.parametrize(
    "request_body",
    [
        POLL,
        *(without(POLL, name) for name in POLL),
        *(POLL | {"apiKey": value} for value in NO_TEXTS),
        *(POLL | {"id": value} for value in IDS),
    ],
    ids=repr,
)
def test_the_schema_of_a_poll_on_the_page_and_its_parser_agree(request_body: dict[str, Any]) -> None:
    try:
        fields = read_json_object(json.dumps(request_body).encode())
        read_key(fields, "apiKey")
        read_activation_id(fields, "id")
        is_read = True
    except GlobalConnectError:
        is_read = False
    assert fits(request_body, openapi.ref("Poll")) == is_read


@pytest.mark.parametrize("request_body", [{"key": "k"}, {}, *({"key": value} for value in NO_TEXTS)], ids=repr)
def test_the_schema_of_a_question_for_forms_and_its_parser_agree(request_body: dict[str, Any]) -> None:
    try:
        read_key(read_json_object(json.dumps(request_body).encode()), "key")
        is_read = True
    except GlobalConnectError:
        is_read = False
    assert fits(request_body, openapi.ref("FormsRequest")) == is_read


SMS = {"phone": "447472190035", "from": "Telegram", "text": "code 1"}
DELIVERIES: list[object] = [
    SMS,
    [SMS, SMS],
    [SMS] * 100,
    [SMS] * 101,
    None,
    "x",
    [None],
    *(without(SMS, name) for name in SMS),
    *(SMS | {name: value} for name in SMS for value in (None, 5, ["x"])),
    *(
        SMS | {"phone": value}
        for value in (
            "+447472190035",
            "44 7472",
            "tel:+44-7472 (190) 035",
            "0044 7472",
            "44.7472",
            "4474",
            "07472190035",
            "4" * 16,
        )
    ),
    *(SMS | {"phone": value} for value in (447472190035, 447472190035.5, 4474, 10**15)),
    *(SMS | {"text": "x" * length} for length in (0, 20_000, 20_001)),
    SMS | {"from": "x" * 257},
    SMS | {"id": "gateway-1"},
    SMS | {"receivedAt": "2026-01-15T12:34:56+00:00"},
    SMS | {"unknown": 1},
]


@pytest.mark.parametrize("delivery", DELIVERIES, ids=lambda delivery: repr(delivery)[:60])
def test_a_delivery_that_fits_the_schema_of_a_gateways_sms_is_read_and_more_than_that(delivery: object) -> None:
    content = DESCRIBED["paths"]["/inbound/{sourceId}"]["post"]["requestBody"]["content"]
    assert _is_read_for_gateways(delivery) >= fits(delivery, content["application/json"]["schema"])


def _is_read_for_gateways(delivery: object) -> bool:
    try:
        PROVIDER.read(Delivery(Request({}), json.dumps(delivery).encode()), {}, 1_790_000_000_000)
    except (InvalidInput, TooLarge):
        return False
    return True


def fits(value: Any, schema: dict[str, Any]) -> bool:
    whole = {**schema, "components": DESCRIBED["components"]}
    return bool(Draft202012Validator(whole).is_valid(value))


def test_the_roles_are_in_their_order_and_a_look_at_texts_has_a_role_of_its_own() -> None:
    # The console goes by both (console/build.mjs).
    assert DESCRIBED["components"]["schemas"]["MeView"]["properties"]["role"]["enum"] == [*Role]
    fields = [
        field
        for methods in DESCRIBED["paths"].values()
        for operation in methods.values()
        for field in operation.get("parameters", [])
    ]
    roles = {(field["name"], field.get("x-role")) for field in fields}
    assert ("texts", SEES_TEXTS) in roles
    assert {name for name, role in roles if role is not None} == {"texts"}
    assert ("texts", None) not in roles
