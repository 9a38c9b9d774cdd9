"""Bad input to the admin API ends as a clear 400 before anything is read or written (contract 5)."""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from admin_api.app import ROUTES
from admin_api.wiring import Parts, build
from globalconnect.domain.provider import PROVIDERS
from globalconnect.push.queue import RetryQueues
from globalconnect.store.dynamo import Dynamo
from simulation.desk import OwnerAlone, Unrecorded, environment, event, send
from simulation.shop import Reply

PUSH_URL = "https://hub.example.com/push"
ACTIVATION = "/admin/activations/1099511627777"
CURSOR = "cursor: expected the cursor of an earlier answer to the same listing"
TEXTS = "shown, which is the default and entered in the audit log, or hidden"
SALE_TEXTS = (
    "shown, which is the default, or the smsId of the only one to show, both entered in the audit log; or hidden"
)
NAME = "a text of 1 to 100 printable characters, without spaces at its ends"
SECRET = "a text of 8 to 4096 printable characters, without spaces at its ends, or null for one that is made"
PROVIDER = f"provider: expected one of {', '.join(PROVIDERS)}"
CANCEL_LIMIT = "cancelLimit: expected a whole number from 1 to 100, or null for the deployment's cancel limit"


@pytest.fixture
def admin() -> Parts:
    """Return an admin API that can neither read nor write but for its audit log: what is refused has changed nothing."""
    # Whatever is asked of it is a failure, and so a 500.
    unreachable: Any = object()
    queues = RetryQueues(unreachable, "Q", "SQ")
    admin = build(environment(), Dynamo(unreachable), queues, lambda: 1_790_000_000_000, lambda _: 0)
    return replace(admin, audit=Unrecorded(), staff=OwnerAlone())


def send_json(admin: Parts, method: str, path: str, body: object) -> Reply:
    return send(event(method, path, body=json.dumps(body)), admin)


BAD_PARTNER_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "   "}, "name"),
    ({"name": " Hub"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": "Hub\n"}, "name"),
    ({"name": "Hub\x00"}, "name"),
    ({"name": "\ud800"}, "name"),
    ({"name": 5}, "name"),
    ({"name": 1e400}, "body"),
    ({"name": True}, "name"),
    ({"name": None}, "name"),
    ({"name": ["Hub"]}, "name"),
    ({"pushUrl": ""}, "pushUrl"),
    ({"pushUrl": 5}, "pushUrl"),
    ({"pushUrl": "hub.example.com"}, "pushUrl"),
    ({"pushUrl": "ftp://hub.example.com/"}, "pushUrl"),
    ({"pushUrl": "javascript:alert(1)"}, "pushUrl"),
    ({"pushUrl": "https://user:secret@hub.example.com/"}, "pushUrl"),
    ({"pushUrl": "http://127.0.0.1:8080/"}, "pushUrl"),
    ({"pushUrl": "http://localhost/"}, "pushUrl"),
    ({"pushUrl": "http://169.254.169.254/latest/meta-data/"}, "pushUrl"),
    ({"pushUrl": "http://10.0.0.1/"}, "pushUrl"),
    ({"pushUrl": "http://[::1]/"}, "pushUrl"),
    ({"pushUrl": "http://0x7f000001/"}, "pushUrl"),
    ({"pushUrl": "http://2130706433/"}, "pushUrl"),
    ({"pushUrl": "https://hub.example.com/" + "a" * 2_048}, "pushUrl"),
    ({"services": "tg"}, "services"),
    ({"services": {"tg": True}}, "services"),
    ({"services": [5]}, "services"),
    ({"services": [None]}, "services"),
    ({"services": [["tg"]]}, "services"),
    ({"services": [""]}, "services"),
    ({"services": ["t g"]}, "services"),
    ({"services": ["tg\n"]}, "services"),
    ({"services": ["x" * 41]}, "services"),
    ({"services": ["tg"] * 1_001}, "services"),
    ({"dialect": "klingon"}, "dialect"),
    ({"dialect": ""}, "dialect"),
    ({"dialect": None}, "dialect"),
    ({"maxLive": 0}, "maxLive"),
    ({"maxLive": -1}, "maxLive"),
    ({"maxLive": 1.5}, "maxLive"),
    ({"maxLive": 1_000_001}, "maxLive"),
    ({"maxLive": 2**64}, "maxLive"),
    ({"maxLive": 10**400}, "maxLive"),
    ({"maxLive": True}, "maxLive"),
    ({"maxLive": "many"}, "maxLive"),
    ({"maxLive": "5"}, "maxLive"),
    ({"maxLive": [5]}, "maxLive"),
    ({"max_live": 5}, "max_live"),
    ({"offer": 20}, "offer"),
    ({"offer": []}, "offer"),
    ({"offer": {}}, "offer"),
    ({"offer": {"percent": None, "most": 5}}, "offer.percent"),
    ({"offer": {"percent": 0}}, "offer.percent"),
    ({"offer": {"percent": 101}}, "offer.percent"),
    ({"offer": {"percent": 2.5, "most": 5}}, "offer.percent"),
    ({"offer": {"percent": "20"}}, "offer.percent"),
    ({"offer": {"percent": True}}, "offer.percent"),
    ({"offer": {"most": 0}}, "offer.most"),
    ({"offer": {"percent": 20, "most": 1_000_001}}, "offer.most"),
    ({"offer": {"most": 10**400}}, "offer.most"),
    ({"offer": {"most": [5]}}, "offer.most"),
    ({"offer": {"least": 5}}, "offer.least"),
    ({"offer": {"percent": 20, "turn": 0}}, "offer.turn"),
    ({"turn": None}, "turn"),
    ({"overrides": "smshub"}, "overrides"),
    ({"overrides": []}, "overrides"),
    ({"overrides": {"hold": "lease"}}, "overrides.hold"),
    ({"overrides": {"types.number": "string"}}, "overrides.types.number"),
    ({"overrides": {"types": "string"}}, "overrides.types"),
    ({"overrides": {"types": {"number": "integer"}}}, "overrides.types.number"),
    ({"overrides": {"types": {"phone": None}}}, "overrides.types.phone"),
    ({"overrides": {"types": {"smsId": "int"}}}, "overrides.types.smsId"),
    ({"overrides": {"types": {"sms_id": "string"}}}, "overrides.types.sms_id"),
    ({"overrides": {"types": {"sum": "string"}}}, "overrides.types.sum"),
    ({"overrides": {"errorFields": []}}, "overrides.errorFields"),
    ({"overrides": {"errorFields": ["text"]}}, "overrides.errorFields"),
    ({"overrides": {"errorFields": "message"}}, "overrides.errorFields"),
    ({"overrides": {"errorFields": ["error", "error"]}}, "overrides.errorFields"),
    ({"overrides": {"errorHttp": 500}}, "overrides.errorHttp"),
    ({"overrides": {"errorHttp": "200 OK"}}, "overrides.errorHttp"),
    ({"overrides": {"errorHttp": None}}, "overrides.errorHttp"),
    ({"overrides": {"gzipFrom": -1}}, "overrides.gzipFrom"),
    ({"overrides": {"gzipFrom": 1_000_001}}, "overrides.gzipFrom"),
    ({"overrides": {"gzipFrom": "0"}}, "overrides.gzipFrom"),
    ({"overrides": {"gzipFrom": True}}, "overrides.gzipFrom"),
    ({"overrides": {"pushDone": "http201"}}, "overrides.pushDone"),
    ({"overrides": {"x" * 500: 1}}, f"overrides.{'x' * 90}"),
    ({"overrides": {"\ud800": 1}}, "overrides"),
    ({"paused": None}, "paused"),
    ({"key": "gc_mine"}, "key"),
    ({"partnerId": "mine"}, "partnerId"),
    ({"push_url": PUSH_URL}, "push_url"),
    ({"revoked": False}, "revoked"),
    ({"x" * 500: 1}, "x" * 100),
    ({"\ud800": 1}, "body"),
    ({"": 1}, "body"),
]


@pytest.mark.parametrize(("method", "path"), [("POST", "/admin/partners"), ("PATCH", "/admin/partners/abc")])
@pytest.mark.parametrize(("fields", "named"), BAD_PARTNER_FIELDS)
def test_a_bad_field_of_a_partner_is_400_naming_it_and_never_the_value(
    admin: Parts, method: str, path: str, fields: dict[str, Any], named: str
) -> None:
    status, message = send_json(admin, method, path, {"name": "Hub"} | fields).refusal
    assert status == 400
    assert message.startswith(f"{named}: ")
    values = [value for value in fields.values() if isinstance(value, str) and value.strip()]
    assert not any(value.strip() in message for value in values)
    assert "pydantic" not in message


REASON = "reason: expected a text of 1 to 200 printable characters, without spaces at its ends"
VERSION = "version: expected the version of the partner as it was read"
NOTHING = "body: expected at least one of name, pushUrl, services, dialect, overrides, maxLive and offer"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/admin/partners", {}, f"name: expected {NAME}"),
        ("PUT", "/admin/services/tg", {}, f"name: expected {NAME}"),
        ("PATCH", "/admin/numbers/447472190035", {}, "enabled: expected true or false"),
        ("PATCH", "/admin/partners/abc", {}, NOTHING),
        ("PATCH", "/admin/partners/abc", {"version": 3}, NOTHING),
        *(
            ("PATCH", "/admin/partners/abc", {"name": "Hub", "version": version}, VERSION)
            for version in (-1, 1.5, "1", None, True, 2**53)
        ),
        ("POST", "/admin/partners/abc/pause", {}, REASON),
        *(
            ("POST", "/admin/partners/abc/pause", {"reason": reason}, REASON)
            for reason in (
                None,
                "",
                " ",
                " Unpaid",
                "Unpaid\n",
                "x" * 201,
                "\ud800",
                5,
                True,
                ["Unpaid"],
                {"text": "Unpaid"},
            )
        ),
        ("POST", "/admin/partners/abc/pause", {"reason": "Unpaid", "until": "tomorrow"}, "until: unknown field"),
        ("DELETE", "/admin/partners/abc/pause", {"reason": "Paid"}, "reason: unknown field"),
        ("PUT", "/admin/services/tg", {"name": ""}, f"name: expected {NAME}"),
        ("PUT", "/admin/services/tg", {"name": 5}, f"name: expected {NAME}"),
        ("PUT", "/admin/services/tg", {"name": "T", "reusable": "true"}, "reusable: expected true or false"),
        ("PUT", "/admin/services/tg", {"name": "T", "reusable": 1}, "reusable: expected true or false"),
        ("PUT", "/admin/services/tg", {"name": "T", "enabled": None}, "enabled: expected true or false"),
        ("PUT", "/admin/services/tg", {"name": "T", "cancelLimit": 0}, CANCEL_LIMIT),
        ("PUT", "/admin/services/tg", {"name": "T", "cancelLimit": 101}, CANCEL_LIMIT),
        ("PUT", "/admin/services/tg", {"name": "T", "cancelLimit": True}, CANCEL_LIMIT),
        ("PUT", "/admin/services/tg", {"name": "T", "cancelLimit": "5"}, CANCEL_LIMIT),
        ("PUT", "/admin/services/tg", {"name": "T", "cancelLimit": 2.5}, CANCEL_LIMIT),
        ("PUT", "/admin/services/tg", {"name": "T", "code": "tg"}, "code: unknown field"),
        ("PATCH", "/admin/numbers/447472190035", {"enabled": "false"}, "enabled: expected true or false"),
        ("PATCH", "/admin/numbers/447472190035", {"enabled": 0}, "enabled: expected true or false"),
        ("PATCH", "/admin/numbers/447472190035", {"enabled": True, "country": "x"}, "country: unknown field"),
        ("POST", "/admin/sources", {"provider": "generic"}, f"name: expected {NAME}"),
        ("POST", "/admin/sources", {"name": "G"}, PROVIDER),
        ("POST", "/admin/sources", {"name": "G", "provider": "acme"}, PROVIDER),
        ("POST", "/admin/sources", {"name": "G", "provider": 5}, PROVIDER),
        ("POST", "/admin/sources", {"name": "G", "provider": "generic", "secret": "s"}, f"secret: expected {SECRET}"),
        ("POST", "/admin/sources", {"name": "G", "provider": "generic", "lines": "x"}, "lines: unknown field"),
        *(
            ("POST", "/admin/sources/gw/secret", {"secret": secret}, f"secret: expected {SECRET}")
            for secret in ("", "x" * 7, "x" * 4_097, "pasted with a\n", " spaces at its end ", "\ud800" * 8, 12345678)
        ),
        ("POST", "/admin/partners/abc/rotate-key", {"key": "mine"}, "key: unknown field"),
        ("DELETE", "/admin/partners/abc", {"force": True}, "force: unknown field"),
        ("POST", f"{ACTIVATION}/messages/7/push", {"url": PUSH_URL}, "url: unknown field"),
    ],
)
def test_a_missing_or_bad_field_is_400_naming_it(
    admin: Parts, method: str, path: str, body: dict[str, Any], message: str
) -> None:
    assert send_json(admin, method, path, body).refusal == (400, message)


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        "null",
        "[]",
        '"name"',
        "5",
        "NaN",
        '{"name": NaN}',
        '{"name": Infinity}',
        '{"name": "Hub"} trailing',
        "[" * 100_000,
        '{"name":' * 50_000,
        '{"name": "' + "x" * 262_144 + '"}',
    ],
    ids=lambda body: body[:12],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/admin/partners"),
        ("PATCH", "/admin/partners/abc"),
        ("PUT", "/admin/services/tg"),
        ("PATCH", "/admin/numbers/447472190035"),
        ("POST", "/admin/sources"),
    ],
)
def test_a_body_that_is_no_json_object_or_too_large_is_400(admin: Parts, method: str, path: str, body: str) -> None:
    status, message = send(event(method, path, body=body), admin).refusal
    assert status == 400
    assert message.startswith("body: expected ")


@pytest.mark.parametrize("name", ["cancelLimit", "name"])
@pytest.mark.parametrize("number", ["9" * 5_000, "1.5", "1e999", "-1"])
def test_a_number_of_any_length_is_refused_by_its_field(admin: Parts, number: str, name: str) -> None:
    refused = send(event("PUT", "/admin/services/tg", body=f'{{"name": "T", "{name}": {number}}}'), admin)
    assert (refused.status, refused.body["message"].partition(":")[0]) == (400, name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"name": "\xff\xfe"}', "valid JSON in UTF-8"),
        # A small body that unpacks to a large one.
        (gzip.compress(b" " * 50_000_000), "at most 262144 bytes"),
    ],
    ids=["no UTF-8", "gzip bomb"],
)
def test_bytes_that_are_no_json_or_too_many_are_400(admin: Parts, content: bytes, expected: str) -> None:
    packed = {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
    assert send(event("POST", "/admin/partners") | packed, admin).refusal == (400, f"body: expected {expected}")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_unknown_and_repeated_query_fields_are_400_naming_them(admin: Parts, route: Any) -> None:
    said = {
        "partnerId": "abc",
        "name": "ada@example.com",
        "code": "tg",
        "phone": "447472190035",
        "activationId": "1099511627777",
        "smsId": "1",
        "sourceId": "a",
        "device": "a",
        "dialect": "smshub",
        "importId": "1790000000000abc",
        "payloadId": f"source-{'0' * 64}",
        "part": "1",
    }
    known = {name: value for name, value in said.items() if f"{{{name}}}" in route.path}
    body = None if route.method == "GET" else "{}"
    for query, message in (
        ([("limit", "5")], "limit: unknown field"),
        ([("cursor", "a")] * 2, "cursor: expected once"),
    ):
        refused = send(event(route.method, route.path, body=body, query=query, said=known), admin)
        assert refused.refusal == (400, message)


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("/admin/numbers", ("operator", "O2"), "country: expected with operator"),
        ("/admin/numbers", ("country", ""), "country: expected a text of 1 to 200 characters"),
        ("/admin/numbers", ("country", "x" * 201), "country: expected a text of 1 to 200 characters"),
        ("/admin/numbers", ("country", "\ud800"), "country: expected a text of 1 to 200 characters"),
        ("/admin/activations", ("partnerId", ""), "partnerId: expected a text of 1 to 200 characters"),
        ("/admin/activations", ("partner_id", "a"), "partner_id: unknown field"),
        ("/admin/activations", ("phone", ""), "phone: expected a text of 1 to 200 characters"),
        ("/admin/activations", ("phone", " "), "phone: expected a text of 1 to 200 characters"),
        ("/admin/activations", ("phone", "+"), "phone: expected a text of 1 to 200 characters"),
        ("/admin/activations", ("service", ""), "service: expected a text of 1 to 200 characters"),
        ("/admin/activations", ("state", "dead"), "state: expected one of live, overdue, expired and finished"),
        (ACTIVATION, ("texts", "no"), f"texts: expected {SALE_TEXTS}"),
        ("/admin/unclaimed", ("texts", "Hidden"), f"texts: expected {TEXTS}"),
        ("/admin/unreadable", ("texts", ""), f"texts: expected {TEXTS}"),
    ],
)
def test_a_bad_filter_is_400_naming_it(admin: Parts, path: str, query: tuple[str, str], message: str) -> None:
    assert send(event("GET", path, query=[query]), admin).refusal == (400, message)


CURSORS = ["x", "bm9uc2Vuc2U", "%%%", "W10", "e30", "é", "bnVsbA", "W1tbW1tbW1s" * 300, "", "x" * 4_097]


@pytest.mark.parametrize(
    "path",
    [
        "/admin/partners",
        "/admin/numbers",
        "/admin/imports",
        "/admin/imports/1790000000000abcdefgh/rejected",
        "/admin/activations",
        "/admin/sources",
        "/admin/unclaimed",
        "/admin/unreadable",
        "/admin/pools",
        "/admin/audit",
    ],
)
@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_is_none_of_ours_is_400(admin: Parts, path: str, cursor: str) -> None:
    assert send(event("GET", path, query=[("cursor", cursor)]), admin).refusal == (400, CURSOR)


BAD_IDS = [
    "0",
    "-1",
    "9007199254740992",
    "18446744073709551616",
    "1.5",
    "1e-3",
    "1e16",
    "abc",
    "+1",
    " 1",
    "\u0661",
    "9" * 5_000,
]


ID = "expected a positive integer below 2^53, as a number or a string of digits"


@pytest.mark.parametrize(
    ("method", "path", "name", "bad", "expected"),
    [
        *(("GET", "/admin/activations/{activationId}", "activationId", bad, ID) for bad in BAD_IDS),
        *(("POST", "/admin/activations/{activationId}/end", "activationId", bad, ID) for bad in BAD_IDS),
        *(("POST", f"{ACTIVATION}/messages/{{smsId}}/push", "smsId", bad, ID) for bad in BAD_IDS),
        *(
            ("PATCH", "/admin/numbers/{phone}", "phone", bad, "expected 5 to 15 digits, country code first")
            for bad in ("++447472190035", "44.7472190035", "44747219003x", "00447", "4474", "4" * 16)
        ),
        *(
            ("PUT", "/admin/services/{code}", "code", bad, "expected 1 to 40 letters, digits and _ . -")
            for bad in ("t g", "t/g", "x" * 41, "tg\n", "т")
        ),
    ],
)
def test_a_field_of_the_path_that_can_be_none_is_400(
    admin: Parts, method: str, path: str, name: str, *, bad: str, expected: str
) -> None:
    body = {"PATCH": '{"enabled": false}', "PUT": '{"name": "T"}'}.get(method)
    assert send(event(method, path, body=body, said={name: bad}), admin).refusal == (400, f"{name}: {expected}")


@pytest.mark.parametrize(("method", "path"), [("GET", "/admin/nothing"), ("DELETE", "/admin/services/tg")])
def test_what_is_no_route_is_404(admin: Parts, method: str, path: str) -> None:
    assert send(event(method, path), admin).refusal == (404, "path not found")


@pytest.mark.parametrize(
    "claims",
    [
        {"token_use": "access"},
        {"token_use": ""},
        {"token_use": None},
        {"aud": "another client"},
        {"aud": ""},
        {"aud": None},
        {"token_use": "access", "aud": None, "client_id": "OperatorClient"},
        # A session that does not say when it began.
        {"auth_time": None},
        {"auth_time": ""},
        {"auth_time": "1e10"},
        {"auth_time": "-1"},
        {"auth_time": "Mon Sep 21 14:13:20 UTC 2026"},
        {"auth_time": "\u0661790000000"},
        {"auth_time": "9" * 5_000},
    ],
)
@pytest.mark.parametrize("path", ["/admin/partners", "/admin/nothing"])
def test_a_token_that_is_no_id_token_of_our_client_opens_nothing(
    admin: Parts, claims: dict[str, str | None], path: str
) -> None:
    request = event("GET", path)
    known = request["requestContext"]["authorizer"]["claims"] | claims
    request["requestContext"]["authorizer"]["claims"] = {name: said for name, said in known.items() if said is not None}
    assert send(request, admin).refusal == (401, "Sign in: a valid staff token is needed in Authorization")
