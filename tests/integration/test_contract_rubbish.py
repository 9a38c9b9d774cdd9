"""Random rubbish at every door: our JSON, a status of the contract, never 5xx, and a refusal changes nothing.

What is sent is mostly right and here and there wrong, since rubbish through and through is refused at the first check.
"""

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from hypothesis.strategies import DrawFn, SearchStrategy

import admin_api.app
import getsms.app
import inbound_sms.app
import partner_api.app
from admin_api.numbers import NumbersChange
from admin_api.route import Upload
from globalconnect.domain.partner import Partner
from globalconnect.runtime.http import Request, Response, endpoint
from simulation.aws import Cloud
from simulation.desk import Desk, NoAccounts, event
from simulation.shop import COUNTRY, OPERATOR, SECRET, Shop

JSON = "application/json; charset=utf-8"
SERVICE = "tg"
PHONES = [f"4474721900{n:02}" for n in range(40)]
PUSH_URL = "https://hub.example.com/push"
READING = ("get_", "batch_get_", "query", "scan")

# The same examples at every run: what fails here fails for everybody. What the world holds only grows.
rubbish = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Watched:
    """A client of AWS that remembers every write it has made: the operation and its table, if it names one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.writes: list[tuple[str, str | None]] = []

    def __getattr__(self, operation: str) -> Any:
        call = getattr(self._client, operation)
        if operation.startswith(READING):
            return call

        def watched(**request: Any) -> Any:
            answer = call(**request)
            self.writes.append((operation, request.get("TableName")))
            return answer

        return watched


@dataclass(slots=True, repr=False)
class Breakable:
    """A shop with something to break in it."""

    shop: Shop
    desk: Desk
    partner: Partner
    source_id: str
    good: Mapping[str, Any]
    watched: Sequence[Watched]

    def __repr__(self) -> str:
        """Say little: it is part of every example that fails."""
        return "Breakable()"

    def ask(self, use: Callable[[Request], Response], request: Mapping[str, Any], statuses: set[int]) -> int:
        """Send a request; check the form of the answer, and that a refusal has changed nothing. Returns the status."""
        status, writes = self.send(use, request)
        assert status in statuses
        if status >= 400:
            # That it was tried is recorded.
            audit = self.shop.cloud.env["AUDIT_TABLE"]
            assert [write for write in writes if write[1] != audit] == []
        return status

    def send(
        self, use: Callable[[Request], Response], request: Mapping[str, Any]
    ) -> tuple[int, list[tuple[str, str | None]]]:
        """Send a request; check the form of the answer. Returns the status, and what was written."""
        for client in self.watched:
            client.writes.clear()
        proxied = endpoint(use)(request, None)
        check_form(proxied)
        return proxied["statusCode"], [write for client in self.watched for write in client.writes]


def check_form(proxied: Mapping[str, Any]) -> None:
    """Fail unless an answer is our JSON, as bytes that any reader takes."""
    assert proxied["headers"]["Content-Type"] == JSON
    body = proxied["body"].encode()
    if proxied.get("isBase64Encoded"):
        body = gzip.decompress(base64.b64decode(body))
    content = json.loads(body, parse_constant=_refuse)
    assert isinstance(content, dict)
    if proxied["statusCode"] >= 400:
        assert content == {"status": "ERROR", "message": content["message"]}
        assert content["message"]


def _refuse(constant: str) -> object:
    raise AssertionError(f"{constant} is no JSON")


@pytest.fixture
def world(cloud: Cloud) -> Breakable:
    tables, queue = Watched(cloud.client), Watched(cloud.sqs)
    shop = Shop(replace(cloud.over(tables), sqs=queue))
    shop.sell("tg", "go")
    shop.stock(*PHONES)
    shop.project()
    partner, stranger = shop.partner(services=["tg", "go"], push_url=PUSH_URL), shop.partner(push_url=PUSH_URL)
    sold = shop.buy(partner).body
    theirs = shop.buy(stranger).body["activationId"]
    source_id = shop.source()
    shop.deliver(source_id, {"phone": sold["number"], "from": "Microsoft", "text": "Code: 5015"})
    (message,) = shop.messages(partner, sold["activationId"]).body["messages"]
    desk = Desk(shop.cloud)
    good = {
        "key": partner.key,
        "apiKey": partner.key,
        "action": "GET_NUMBER",
        "country": COUNTRY,
        "operator": OPERATOR,
        "service": SERVICE,
        "activationId": sold["activationId"],
        "id": str(sold["activationId"]),
        "theirs": theirs,
        "smsId": message["smsId"],
        "phone": sold["number"],
        "sum": "20.00",
        "currency": 643,
        "exceptionPhoneSet": ["999", 48, "+1"],
        "status": 4,
        "partnerId": partner.partner_id,
        "sourceId": source_id,
        "code": SERVICE,
        "device": "device",
        "dialect": "smshub",
        "payloadId": f"gw-{'0' * 64}",
        "importId": desk.post("/admin/imports", {"fileName": "numbers.csv"}).body["importId"],
        "part": "1",
    }
    return Breakable(shop, desk, partner, source_id, good, (tables, queue))


# ---------------------------------------------------------------- what is sent

WELL_FORMED = some.text(some.characters(exclude_categories=["Cs"]), max_size=30)
# What has broken readers before. JSON can spell halves of surrogate pairs, which are no text.
AWKWARD: SearchStrategy[Any] = some.sampled_from(
    ["", "\ud800", "a\udfffb", "x" * 5_000, "\0", "any", "ANY", "a|b", "a#b", "447#", "null", "+447472190000", " ", "\u0663",
     0, -1, 1, 3, 2**53 - 1, 2**53, 2**64, -(2**63), 10**40, 1.5, -0.0, 1e300, 5e-324, True, None, [], {}, [[]], [None],
     ["\ud800"], {"\ud800": "\ud800"}, {"": {}}]
)  # fmt: skip
ANY_TEXT = some.text(some.characters(), max_size=30)
LEAVES = some.one_of(
    AWKWARD, some.integers(), some.floats(allow_nan=False, allow_infinity=False), some.booleans(), ANY_TEXT
)
NESTED: SearchStrategy[Any] = some.recursive(
    LEAVES,
    lambda inner: some.one_of(some.lists(inner, max_size=4), some.dictionaries(ANY_TEXT, inner, max_size=4)),
    max_leaves=8,
)
ANY_JSON: SearchStrategy[Any] = some.one_of(AWKWARD, AWKWARD, NESTED)
GARBLED = some.one_of(
    some.binary(max_size=60),
    some.sampled_from(
        [b"", b"{", b"[]", b"null", b"NaN", b'{"sum":NaN}', b'{"sum":-Infinity}', b'{"a":1e999}', b"\xff\xfe{}",
         b"[" * 9_000, b'{"key":' * 9_000, b'{"sum":' + b"9" * 5_000, b"\x1f\x8b", gzip.compress(b"{}")[:-3],
         b"\xef\xbb\xbf{}"]
    ),
    some.binary(max_size=40).map(gzip.compress),
)  # fmt: skip

GOOD = object()


@some.composite
def mostly_good(draw: DrawFn, *names: str, wrong: SearchStrategy[Any] = ANY_JSON) -> dict[str, Any]:
    """Return fields that are GOOD, to be filled in, but for two at most: wrong, missing, or unknown."""
    fields = dict.fromkeys(names, GOOD)
    for _ in range(draw(some.integers(0, 2))):
        name = draw(some.one_of(some.sampled_from(names), some.sampled_from(names), WELL_FORMED))
        if draw(some.integers(0, 3)):
            fields[name] = draw(wrong)
        else:
            fields.pop(name, None)
    return fields


def filled(fields: Mapping[str, Any], good: Mapping[str, Any]) -> dict[str, Any]:
    return {name: good[name] if value is GOOD else value for name, value in fields.items()}


def posted(body: bytes, headers: Mapping[str, str] | None = None, **parts: object) -> dict[str, Any]:
    return {
        "httpMethod": "POST",
        "headers": {"Accept": "*/*", **(headers or {})},
        "multiValueQueryStringParameters": None,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        **parts,
    }


def queried(query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    fields: dict[str, list[str]] = {}
    for name, value in query:
        fields.setdefault(name, []).append(value)
    return {"httpMethod": "GET", "headers": {}, "multiValueQueryStringParameters": fields or None, "body": None}


@some.composite
def queries(draw: DrawFn, *names: str) -> list[tuple[str, Any]]:
    """Return query fields, most of them GOOD; some are given twice."""
    fields = list(draw(mostly_good(*names, wrong=WELL_FORMED)).items())
    if fields and draw(some.integers(0, 4)) == 0:
        fields.append(draw(some.sampled_from(fields)))
    return fields


# ---------------------------------------------------------------- partners

FIELDS_OF = {
    "GET_NUMBER": ("country", "operator", "service", "sum", "currency", "exceptionPhoneSet"),
    "FINISH_ACTIVATION": ("activationId", "status"),
    "GET_SERVICES": ("action",),
}
REQUESTS = some.one_of(
    [some.tuples(some.just(action), mostly_good("key", "action", *names)) for action, names in FIELDS_OF.items()]
)


@settings(rubbish, max_examples=600)
@given(request=REQUESTS, theirs=some.booleans())
def test_a_post_of_rubbish_to_the_partner_api_is_refused_in_our_json_and_changes_nothing(
    world: Breakable, request: tuple[str, dict[str, Any]], theirs: bool
) -> None:
    action, fields = request
    body = json.dumps(
        filled(fields, {**world.good, "action": action} | ({"activationId": world.good["theirs"]} if theirs else {}))
    )
    answered = world.ask(
        lambda asked: partner_api.app.answer(asked, world.shop.partner_parts),
        posted(body.encode()),
        {200, 400, 401, 403, 404},
    )
    if fields.get("key") is not GOOD:
        assert answered == 401


@settings(rubbish, max_examples=120)
@given(total=ANY_JSON, currency=ANY_JSON)
def test_no_sum_or_currency_at_all_is_a_reason_to_refuse_and_staff_can_look_at_the_sale(
    world: Breakable, total: Any, currency: Any
) -> None:
    bought = world.shop.buy(world.partner, sum=total, currency=currency)
    assert bought.body["status"] == "SUCCESS"
    activation_id = bought.body["activationId"]
    assert world.desk.get(f"/admin/activations/{activation_id}").status == 200
    assert world.shop.finish(world.partner, activation_id, 5).status == 200


@rubbish
@given(body=GARBLED)
def test_a_body_that_is_garbled_is_refused_in_our_json_and_changes_nothing(world: Breakable, body: bytes) -> None:
    world.ask(lambda asked: partner_api.app.answer(asked, world.shop.partner_parts), posted(body), {400, 401})


@rubbish
@given(
    query=some.one_of(
        [some.tuples(some.just(action), queries("key", "action", *names)) for action, names in FIELDS_OF.items()]
    )
)
def test_a_query_of_rubbish_to_the_partner_api_is_refused_in_our_json_and_changes_nothing(
    world: Breakable, query: tuple[str, list[tuple[str, Any]]]
) -> None:
    action, fields = query
    good = {**world.good, "action": action, "exceptionPhoneSet": "999,+48"}
    request = queried([(name, str(good[name]) if value is GOOD else value) for name, value in fields])
    world.ask(lambda asked: partner_api.app.answer(asked, world.shop.partner_parts), request, {200, 400, 401, 403, 404})


@rubbish
@given(query=queries("apiKey", "id"), theirs=some.booleans())
def test_a_query_of_rubbish_to_getsms_is_refused_in_our_json_and_changes_nothing(
    world: Breakable, query: list[tuple[str, Any]], theirs: bool
) -> None:
    good = {**world.good, "id": world.good["theirs" if theirs else "id"]}
    request = queried([(name, str(good[name]) if value is GOOD else value) for name, value in query])
    status, writes = world.send(lambda asked: getsms.app.answer(asked, world.shop.getsms_parts), request)
    assert (status in {200, 400, 401, 404}, writes) == (True, [])


# ---------------------------------------------------------------- gateways

TIMES = some.datetimes(
    timezones=some.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours, minutes=59)))
).map(lambda moment: moment.isoformat())
ODD_TIMES = some.sampled_from(
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59.999Z"]
)
ENTRIES = some.fixed_dictionaries(
    {
        "phone": some.one_of(some.sampled_from([*PHONES[:3], f"+{PHONES[0]}", "447000000000"]), ANY_JSON),
        "from": some.one_of(WELL_FORMED, ANY_JSON),
        "text": some.one_of(WELL_FORMED, ANY_JSON),
    },
    optional={"id": ANY_JSON, "receivedAt": some.one_of(TIMES, TIMES, ODD_TIMES, ANY_JSON), "more": ANY_JSON},
)
PAYLOADS = some.one_of(
    ENTRIES.map(json.dumps).map(str.encode),
    some.lists(ENTRIES, max_size=3).map(json.dumps).map(str.encode),
    ANY_JSON.map(json.dumps).map(str.encode),
    GARBLED,
)


@settings(rubbish, max_examples=150)
@given(payload=PAYLOADS)
def test_a_signed_payload_of_rubbish_is_taken_or_kept_and_staff_can_still_look_at_it(
    world: Breakable, payload: bytes
) -> None:
    signature = hmac.new(SECRET.encode(), payload, hashlib.sha256).hexdigest()
    request = posted(payload, {"X-Signature": signature}, pathParameters={"sourceId": world.source_id})
    status, writes = world.send(lambda asked: inbound_sms.app.answer(asked, world.shop.inbound_parts), request)
    assert status in {200, 400, 401}
    if status != 200:
        # What can't be read is kept for staff, and noted of its source; nothing else is changed.
        kept = {
            ("put_item", world.shop.cloud.env["INBOX_TABLE"]),
            ("update_item", world.shop.cloud.env["SOURCES_TABLE"]),
        }
        assert set(writes) <= kept
    for page in ("unclaimed", "unreadable"):
        assert world.desk.get(f"/admin/{page}").status == 200
    assert world.shop.messages(world.partner, world.good["activationId"]).status == 200


@rubbish
@given(payload=PAYLOADS, signature=WELL_FORMED, source_id=some.one_of(some.none(), WELL_FORMED.filter(bool)))
def test_a_payload_without_its_signature_is_refused_in_our_json_and_changes_nothing(
    world: Breakable, payload: bytes, signature: str, source_id: str | None
) -> None:
    path = {"sourceId": world.source_id if source_id is None else source_id}
    request = posted(payload, {"X-Signature": signature}, pathParameters=path)
    # What can't even be unpacked has no content that could have been signed.
    refused = {400, 401} if payload.startswith(b"\x1f\x8b") else {401}
    world.ask(lambda asked: inbound_sms.app.answer(asked, world.shop.inbound_parts), request, refused)


# ---------------------------------------------------------------- operators

ROUTES = sorted(admin_api.app.ROUTES, key=lambda route: (route.path, route.method))
# By the last word of the path that is no parameter: what its body is made of.
OF_BODY = {
    "partners": ("name", "pushUrl", "services", "dialect", "overrides"),
    "services": ("name", "reusable", "enabled", "cancelLimit"),
    "numbers": ("enabled",),
    "imports": ("fileName", "dryRun"),
    "sources": ("name", "provider", "settings"),
    "staff": ("email", "role", "delivery", "disabled", "totpRequired"),
}
OF_PATH = (
    "partnerId",
    "name",
    "code",
    "phone",
    "activationId",
    "smsId",
    "sourceId",
    "importId",
    "part",
    "payloadId",
    "device",
    "dialect",
)
OF_QUERY = ("country", "operator", "partnerId", "phone", "service", "state", "texts", "cursor")
ROW = some.fixed_dictionaries(
    {name: some.one_of(some.just(good), ANY_JSON) for name, good in (("phone", "48500000001"), ("country", "x"))},
    optional={"operator": some.one_of(some.just("O2"), ANY_JSON), "more": ANY_JSON},
)
BODIES = some.one_of(some.just(b""), ANY_JSON.map(json.dumps).map(str.encode), GARBLED)
IMPORTS = some.one_of(
    some.lists(some.one_of(ROW, ANY_JSON), max_size=4).map(json.dumps).map(str.encode),
    some.lists(WELL_FORMED, max_size=4).map(lambda lines: "\n".join(["phone,country,operator", *lines]).encode()),
    BODIES,
)


@some.composite
def admin_requests(draw: DrawFn) -> tuple[Any, dict[str, Any], list[tuple[str, Any]], Any, str]:
    """Return a route, the parts of its path, a query, a body (bytes, or fields) and a media type."""
    route = draw(some.sampled_from(ROUTES))
    in_path = tuple(name for name in OF_PATH if f"{{{name}}}" in route.path)
    path = dict.fromkeys(in_path, GOOD)
    if in_path and draw(some.integers(0, 3)) == 0:
        path[draw(some.sampled_from(in_path))] = draw(WELL_FORMED.filter(bool))
    query = draw(some.one_of(some.just([]), some.just([]), queries(*OF_QUERY)))
    media_type = draw(some.one_of(some.sampled_from(["text/csv", "TEXT/CSV; x", "application/json"]), WELL_FORMED))
    if route.body is Upload:
        return route, path, query, draw(IMPORTS), media_type
    if route.method in {"GET", "DELETE"} or route.path.endswith(
        ("rotate-key", "link", "push", "finish", "sign-out", "reset-password", "replay", "/test", "/end")
    ):
        return route, path, query, draw(some.one_of(some.just(b""), some.just(b""), BODIES)), media_type
    names = ("phones", "enabled") if route.body is NumbersChange else OF_BODY[route.path.split("/")[2]]
    return route, path, query, draw(some.one_of(mostly_good(*names), BODIES)), media_type


@settings(rubbish, max_examples=800)
@given(asked=admin_requests())
def test_rubbish_to_the_admin_api_is_refused_in_our_json_and_changes_nothing(
    world: Breakable, asked: tuple[Any, dict[str, Any], list[tuple[str, Any]], Any, str]
) -> None:
    route, path, query, body, media_type = asked
    good = {**world.good, "name": "Name", "pushUrl": PUSH_URL, "services": ["tg"], "dialect": "globalconnect"}
    good |= {
        "reusable": True,
        "enabled": False,
        "cancelLimit": 3,
        "overrides": {"types": {"phone": "number"}, "gzipFrom": 0},
        "phones": [world.good["phone"]],
        "settings": {"countryCode": "44", "lines": {"1A": world.good["phone"]}},
        "fileName": "numbers.csv",
        "dryRun": True,
        "provider": "generic",
        "state": "live",
        "texts": "hidden",
        "activationId": world.good["id"],
        "email": "ada@example.com",
        "role": "support",
        "delivery": "screen",
        "disabled": False,
        "totpRequired": True,
    }
    content = body if isinstance(body, bytes) else json.dumps(filled(body, good)).encode()
    fields = [(name, str(good.get(name, "x")) if value is GOOD else value) for name, value in query]
    said = {name: str(value) for name, value in filled(path, {**good, "name": "view"}).items()}
    request = event(route.method, route.path, headers={"Content-Type": media_type}, said=said) | {
        "multiValueQueryStringParameters": queried(fields)["multiValueQueryStringParameters"],
        "body": base64.b64encode(content).decode(),
        "isBase64Encoded": True,
    }
    world.ask(
        lambda sent: admin_api.app.answer(sent, replace(world.desk.admin, user_pool=NoAccounts())),
        request,
        {200, 201, 202, 400, 404, 409, 413},
    )
